//! How often one origin may fill in forms, and how often one address is written to. An address is kept as a hash.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use aws_lc_rs::digest::{SHA256, digest};
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::route::Route;
use super::trouble::Trouble;
use crate::identity::Origins;
use crate::ledger::Address;

/// Forms that anybody can fill in, in a minute from one origin.
const OPEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
/// The same from one /56 and from one /48 of IPv6.
const WIDE: [(u32, NonZeroU32); 2] = [
    (56, NonZeroU32::MIN.saturating_add(29)),
    (48, NonZeroU32::MIN.saturating_add(99)),
];
/// The same from everywhere.
const ALL: NonZeroU32 = NonZeroU32::MIN.saturating_add(299);
/// Forms that a link is needed for, looks at pages that one is for, and keys that are not known, in a minute from one origin.
const OTHER: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
/// Mails to one address in an hour.
const MAILS: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

type Keyed = RateLimiter<[u8; 32], DashMapStateStore<[u8; 32]>, DefaultClock>;

/// How often.
#[derive(Debug)]
pub(super) struct Pace {
    open: Origins,
    /// The same for the wider networks of IPv6 that one house may have, and for everybody together.
    wide: [(u32, Origins); 2],
    all: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
    other: Origins,
    looks: Origins,
    strangers: Origins,
    mails: Keyed,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            open: Origins::per_minute(OPEN),
            wide: WIDE.map(|(bits, most)| (bits, Origins::per_minute(most))),
            all: RateLimiter::direct(Quota::per_minute(ALL)),
            looks: Origins::per_minute(OTHER),
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
            true => return self.open(origin),
            false => self.other.admit(origin),
        };
        admitted.map_err(|_| Trouble::TOO_MANY)
    }

    /// Counts a form that anybody can fill in. Each makes somebody known, so that there is a bound for all of them.
    fn open(&self, origin: IpAddr) -> Result<(), Trouble> {
        let too_many = |_| Trouble::TOO_MANY;
        self.open.admit(origin).map_err(too_many)?;
        for (bits, origins) in &self.wide {
            if let IpAddr::V6(address) = origin.to_canonical() {
                let kept = u128::MAX << (128 - bits);
                let network = Ipv6Addr::from(u128::from(address) & kept);
                origins.admit(network.into()).map_err(too_many)?;
            }
        }
        self.all.check().map_err(|_| Trouble::TOO_MANY)
    }

    /// Counts a look at a page that a link is for.
    pub(super) fn look(&self, origin: IpAddr) -> Result<(), Trouble> {
        self.looks.admit(origin).map_err(|_| Trouble::TOO_MANY)
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
        self.wide.iter().for_each(|(_, origins)| origins.sweep());
        self.other.sweep();
        self.looks.sweep();
        self.strangers.sweep();
        self.mails.retain_recent();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_house_fills_in_so_many_forms_however_many_addresses_it_has() {
        let forms = |pace: &Pace, origins: &mut dyn Iterator<Item = IpAddr>| {
            let admitted = origins.filter(|origin| pace.open(*origin).is_ok());
            admitted.count()
        };
        let v6 = |prefix: u128, shift: u32| {
            let base = u128::from("2001:db8::".parse::<Ipv6Addr>().unwrap());
            IpAddr::from(Ipv6Addr::from(base | (prefix << shift)))
        };
        let of_56 = &mut (0..200).map(|number| v6(number, 64));
        assert_eq!(forms(&Pace::default(), of_56), 30);
        let of_48 = &mut (0..200).map(|number| v6(number, 72));
        assert_eq!(forms(&Pace::default(), of_48), 100);
        let of_all = &mut (0..900).map(|number| v6(number, 80));
        assert_eq!(forms(&Pace::default(), of_all), 300);
        let v4 = &mut (0..900u32).map(|number| IpAddr::from(number.to_be_bytes()));
        assert_eq!(forms(&Pace::default(), v4), 300);
    }
}
