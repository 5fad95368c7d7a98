//! Open connections, of which one origin has no more than its share: who opens many and says nothing keeps nobody else out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

use crate::identity::network;

/// How many connections each origin has.
#[derive(Debug)]
pub(super) struct Shares {
    most: usize,
    /// Proxies in front of this one, who come for many.
    free: Vec<IpNet>,
    held: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection of an origin, as long as it is open.
#[derive(Debug)]
pub(super) struct Share {
    of: Arc<Shares>,
    origin: IpAddr,
}

impl Shares {
    pub(super) fn new(most: usize, free: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self {
            most: most.max(1),
            free,
            held: Mutex::default(),
        })
    }

    /// One connection more, if its origin has not got its share.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Share> {
        let (peer, origin) = (peer.to_canonical(), network(peer));
        let is_free = self.free.iter().any(|free| free.contains(&peer));
        let mut held = self.held();
        let count = held.entry(origin).or_default();
        if *count >= self.most && !is_free {
            return None;
        }
        *count += 1;
        drop(held);
        Some(Share {
            of: Arc::clone(self),
            origin,
        })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.of.held();
        if let Some(count) = held.get_mut(&self.origin) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.origin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_origin_has_its_share_and_proxies_come_for_many() {
        let shares = Shares::new(2, vec!["192.0.2.9/32".parse().unwrap()]);
        let take = |peer: &str| shares.take(peer.parse().unwrap());
        let open = [take("192.0.2.1"), take("::ffff:192.0.2.1")];
        assert!(open.iter().all(Option::is_some));
        assert!(take("192.0.2.1").is_none());
        assert!(take("192.0.2.2").is_some());
        let proxied: Vec<_> = (0..5).map(|_| take("192.0.2.9")).collect();
        assert!(proxied.iter().all(Option::is_some));
        drop(open);
        assert!(take("192.0.2.1").is_some());
        drop(proxied);
        assert!(shares.held().is_empty());
    }
}
