//! Refusals of requests that nobody vouches for, counted per origin and minute, so that nobody can fill the disk.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::reason::{Outcome, Reason};

use super::event::{Event, integer};
use super::format::notice::Notice;
use super::names;

/// How long refusals are counted before they become events.
const WINDOW: Duration = Duration::from_secs(60);
/// Origins told apart in one window; refusals of further ones are counted together.
const ORIGINS_MAX: usize = 256;

/// The refusals of the current minute.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// By network (`None`: those beyond the bound), event and code.
    counts: BTreeMap<(Option<String>, Why, &'static str), u64>,
    since: Option<Instant>,
}

/// Which event tells of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// Nobody knows whose the request was, or what it meant.
    Unknown,
    /// There were too many.
    TooMany,
}

impl Refusals {
    /// Counts one refusal.
    pub(super) fn add(&mut self, origin: IpAddr, reason: Reason) {
        self.since.get_or_insert_with(Instant::now);
        let event = match reason.outcome() {
            Outcome::Limited => Why::TooMany,
            _ => Why::Unknown,
        };
        let key = (Some(names::network(origin)), event, reason.code());
        let key = if self.counts.len() < ORIGINS_MAX || self.counts.contains_key(&key) {
            key
        } else {
            (None, event, reason.code())
        };
        *self.counts.entry(key).or_default() += 1;
    }

    /// Whether the window has passed.
    pub(super) fn due(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= WINDOW)
    }

    /// Ends the window: its events.
    pub(super) fn take(&mut self) -> Vec<Event> {
        self.since = None;
        std::mem::take(&mut self.counts)
            .into_iter()
            .map(|((origin, why, reason), count)| {
                let (count, reason) = (integer(count), reason.to_owned());
                Event::notice(match why {
                    Why::TooMany => Notice::LimitReached {
                        count,
                        origin,
                        reason,
                    },
                    Why::Unknown => Notice::Refused {
                        count,
                        origin,
                        reason,
                    },
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_flood_from_everywhere_becomes_a_bounded_number_of_events() {
        let mut refusals = Refusals::default();
        for bits in 0..100_000_u32 {
            refusals.add(Ipv4Addr::from_bits(bits << 8).into(), Reason::NoCredential);
        }
        assert!(!refusals.due());
        assert_eq!(refusals.take().len(), ORIGINS_MAX + 1);
        assert!(refusals.take().is_empty());
    }
}
