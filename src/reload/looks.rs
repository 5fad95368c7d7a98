//! When a change is taken: once two looks agree, and not again before something else is there.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::files::Fingerprint;

/// After what time something refused is judged again: a certificate may have become valid, a day may have passed.
const AGAIN: Duration = Duration::from_secs(60);
/// States that are remembered as told.
const TOLD_MAX: usize = 64;

/// How often something is read until two readings agree.
const READINGS_MAX: usize = 5;
const PAUSE: Duration = Duration::from_millis(20);

/// Reads until two readings agree, unless one has found what is known already; `None` if they never do. Waits between
/// readings.
pub(super) fn settled<R>(
    mut read: impl FnMut() -> (R, Fingerprint),
    known: [Fingerprint; 2],
) -> Option<(R, Fingerprint)> {
    let mut before = read();
    for _ in 0..READINGS_MAX {
        if known.contains(&before.1) {
            return Some(before);
        }
        std::thread::sleep(PAUSE);
        let after = read();
        if after.1 == before.1 {
            return Some(after);
        }
        before = after;
    }
    None
}

/// What was seen so far of something on disk.
#[derive(Debug)]
pub(super) struct Looks {
    in_force: Fingerprint,
    last: Fingerprint,
    /// What was refused last, if what is in force was not there since; and when.
    refused: Option<(Fingerprint, Instant)>,
    /// What was told to be refused since something was taken.
    told: BTreeSet<Fingerprint>,
}

/// What is to be done after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing: what is there is in force, or was refused, or may be half of something.
    Nothing,
    /// What is in force is there again, after something that was refused.
    Mended,
    /// What is there is to be judged.
    Judge,
}

impl Looks {
    /// What is in force is what was seen.
    pub(super) fn new(in_force: Fingerprint) -> Self {
        Self {
            in_force,
            last: in_force,
            refused: None,
            told: BTreeSet::new(),
        }
    }

    /// Something was seen in passing.
    pub(super) fn seen(&mut self, found: Fingerprint, now: Instant) -> Turn {
        let agrees = std::mem::replace(&mut self.last, found) == found;
        let is_known = self.refused.is_some_and(|(refused, when)| {
            refused == found && now.saturating_duration_since(when) < AGAIN
        });
        match agrees && !is_known {
            true => self.asked(found),
            false => Turn::Nothing,
        }
    }

    /// Something was seen by a look that agrees with itself, because somebody wants to know.
    pub(super) fn asked(&mut self, found: Fingerprint) -> Turn {
        self.last = found;
        if found != self.in_force {
            return Turn::Judge;
        }
        match self.refused.take() {
            Some(_) => Turn::Mended,
            None => Turn::Nothing,
        }
    }

    /// This is in force now.
    pub(super) fn taken(&mut self, found: Fingerprint) {
        *self = Self::new(found);
    }

    /// This was refused. Whether that is news.
    pub(super) fn refused(&mut self, found: Fingerprint, now: Instant) -> bool {
        self.refused = Some((found, now));
        if self.told.len() >= TOLD_MAX {
            self.told.clear();
        }
        self.told.insert(found)
    }

    /// What is in force.
    pub(super) fn in_force(&self) -> Fingerprint {
        self.in_force
    }

    /// Whether this is what was refused last.
    pub(super) fn is_refused(&self, found: Fingerprint) -> bool {
        self.refused.is_some_and(|(refused, _)| refused == found)
    }

    /// What needs no second reading: what is in force; and what was seen in the look before.
    pub(super) fn known(&self, in_passing: bool) -> [Fingerprint; 2] {
        match in_passing {
            true => [self.in_force, self.last],
            false => [self.in_force; 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(text: &str) -> Fingerprint {
        Fingerprint::of([text.as_bytes()])
    }

    #[test]
    fn a_change_is_judged_once_two_looks_agree() {
        let now = Instant::now();
        let mut looks = Looks::new(print("a"));
        assert_eq!(looks.seen(print("a"), now), Turn::Nothing);
        assert_eq!(looks.seen(print("half"), now), Turn::Nothing);
        assert_eq!(looks.seen(print("b"), now), Turn::Nothing);
        assert_eq!(looks.seen(print("b"), now), Turn::Judge);
        looks.taken(print("b"));
        assert_eq!(looks.seen(print("b"), now), Turn::Nothing);
        // What never stays is never judged.
        for _ in 0..10 {
            assert_eq!(looks.seen(print("c"), now), Turn::Nothing);
            assert_eq!(looks.seen(print("d"), now), Turn::Nothing);
        }
        // Somebody who asks does not wait for a second look.
        assert_eq!(looks.asked(print("e")), Turn::Judge);
        assert_eq!(looks.asked(print("b")), Turn::Nothing);
    }

    #[test]
    fn what_is_not_known_is_read_until_two_readings_agree() {
        let read = |texts: &'static str| {
            let mut texts = texts.chars().cycle();
            let known = [print("k"), print("l")];
            let mut readings = 0;
            let read = move || {
                readings += 1;
                (readings, print(&texts.next().unwrap().to_string()))
            };
            settled(read, known)
        };
        assert_eq!(read("ka"), Some((1, print("k"))));
        assert_eq!(read("aa"), Some((2, print("a"))));
        assert_eq!(read("abb"), Some((3, print("b"))));
        assert_eq!(read("al"), Some((2, print("l"))));
        assert_eq!(read("ab"), None, "it never stays");
    }

    #[test]
    fn what_is_refused_is_news_once_and_is_mended_by_what_was_there_before() {
        let now = Instant::now();
        let mut looks = Looks::new(print("a"));
        let judge = |looks: &mut Looks, what: &str, at: Instant| {
            looks.seen(print(what), at);
            assert_eq!(looks.seen(print(what), at), Turn::Judge, "{what}");
            looks.refused(print(what), at)
        };
        assert!(judge(&mut looks, "bad", now));
        assert_eq!(looks.seen(print("bad"), now), Turn::Nothing);
        assert!(judge(&mut looks, "worse", now));
        assert!(!judge(&mut looks, "bad", now), "it was told before");
        assert_eq!(looks.seen(print("a"), now), Turn::Nothing);
        assert_eq!(looks.seen(print("a"), now), Turn::Mended);
        assert_eq!(looks.seen(print("a"), now), Turn::Nothing);
        assert!(!judge(&mut looks, "bad", now));
        // A day later it may be good.
        let later = now + AGAIN;
        assert_eq!(looks.seen(print("bad"), later), Turn::Judge);
        assert!(!looks.refused(print("bad"), later));
        // After something was taken, it is news again.
        assert_eq!(looks.asked(print("b")), Turn::Judge);
        looks.taken(print("b"));
        assert!(judge(&mut looks, "bad", later));
    }
}
