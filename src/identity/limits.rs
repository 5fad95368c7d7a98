//! How often one origin may knock, and one caller ask.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::reason::Reason;

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock>;

/// A limit per origin. An IPv6 origin is its /64, which one host has to itself.
#[derive(Debug)]
pub struct Origins(Keyed<IpAddr>);

/// A limit per caller, by the CRM's id.
#[derive(Debug)]
pub struct Callers(Keyed<String>);

impl Origins {
    /// So many a minute.
    pub fn per_minute(count: NonZeroU32) -> Self {
        Self(RateLimiter::keyed(Quota::per_minute(count)))
    }

    /// Counts one attempt.
    pub fn admit(&self, origin: IpAddr) -> Result<(), Reason> {
        self.0
            .check_key(&network(origin))
            .map_err(|_| Reason::TooManyRequests)
    }

    /// Forgets origins that have not been seen for a while.
    pub fn sweep(&self) {
        self.0.retain_recent();
    }
}

impl Callers {
    /// So many a minute.
    pub fn per_minute(count: NonZeroU32) -> Self {
        Self::with(Quota::per_minute(count))
    }

    pub(super) fn with(quota: Quota) -> Self {
        Self(RateLimiter::keyed(quota))
    }

    /// Counts one request.
    pub fn admit(&self, caller: &super::Caller) -> Result<(), Reason> {
        // Invariant: ids are short; a lookup by `&str` is not offered by the limiter.
        self.0
            .check_key(&caller.id().to_owned())
            .map_err(|_| Reason::TooManyRequests)
    }

    /// Forgets callers that have not been seen for a while.
    pub fn sweep(&self) {
        self.0.retain_recent();
    }
}

/// The network of an origin: an IPv6 host has its /64 to itself.
pub(crate) fn network(origin: IpAddr) -> IpAddr {
    match origin.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_admitted_so_many_times_and_others_are_not_held_back() {
        let origins = Origins::per_minute(NonZeroU32::new(3).unwrap());
        let busy: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..3 {
            assert_eq!(origins.admit(busy), Ok(()));
        }
        assert_eq!(origins.admit(busy), Err(Reason::TooManyRequests));
        assert_eq!(origins.admit("192.0.2.2".parse().unwrap()), Ok(()));
        assert_eq!(
            origins.admit("::ffff:192.0.2.1".parse().unwrap()),
            Err(Reason::TooManyRequests),
            "a mapped address is the same"
        );
    }

    #[test]
    fn an_ipv6_host_cannot_multiply_itself() {
        let origins = Origins::per_minute(NonZeroU32::new(1).unwrap());
        assert_eq!(origins.admit("2001:db8:0:1::1".parse().unwrap()), Ok(()));
        assert_eq!(
            origins.admit("2001:db8:0:1:ffff::2".parse().unwrap()),
            Err(Reason::TooManyRequests)
        );
        assert_eq!(origins.admit("2001:db8:0:2::1".parse().unwrap()), Ok(()));
    }
}
