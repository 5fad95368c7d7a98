//! How often one origin may fill in forms, and how often one address is written to. An address is kept as a hash.

use std::net::IpAddr;
use std::num::NonZeroU32;

use aws_lc_rs::digest::{SHA256, digest};
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::route::Route;
use super::trouble::Trouble;
use crate::identity::Origins;
use crate::ledger::Address;

/// Forms that anybody can fill in, in a minute from one origin.
const OPEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
/// Forms that a link is needed for, and keys that are not known, in a minute from one origin.
const OTHER: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
/// Mails to one address in an hour.
const MAILS: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

type Keyed = RateLimiter<[u8; 32], DashMapStateStore<[u8; 32]>, DefaultClock>;

/// How often.
#[derive(Debug)]
pub(super) struct Pace {
    open: Origins,
    other: Origins,
    strangers: Origins,
    mails: Keyed,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            open: Origins::per_minute(OPEN),
            other: Origins::per_minute(OTHER),
            strangers: Origins::per_minute(OTHER),
            mails: RateLimiter::keyed(Quota::per_hour(MAILS)),
        }
    }
}

impl Pace {
    /// Counts a form.
    pub(super) fn admit(&self, route: Route, origin: IpAddr) -> Result<(), Trouble> {
        let admitted = match route.is_open() {
            true => self.open.admit(origin),
            false => self.other.admit(origin),
        };
        admitted.map_err(|_| Trouble::TOO_MANY)
    }

    /// Counts a key that nobody has.
    pub(super) fn stranger(&self, origin: IpAddr) -> Result<(), Trouble> {
        self.strangers.admit(origin).map_err(|_| Trouble::TOO_MANY)
    }

    /// Counts a mail; whether the address may have it.
    pub(super) fn may_write_to(&self, address: &Address) -> bool {
        let hash = digest(&SHA256, address.as_str().as_bytes());
        let mut key = [0; 32];
        key.iter_mut()
            .zip(hash.as_ref())
            .for_each(|(to, from)| *to = *from);
        self.mails.check_key(&key).is_ok()
    }

    /// Forgets who has not been seen for a while.
    pub(super) fn sweep(&self) {
        self.open.sweep();
        self.other.sweep();
        self.strangers.sweep();
        self.mails.retain_recent();
    }
}
