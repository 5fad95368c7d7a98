//! Addresses at which nobody listens, for programs that are told where to listen.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Ports that no system hands out by itself, neither to `bind` with port 0 nor to whoever connects: what is free stays so
/// until it is used, whatever else runs on the machine. (RFC 6335 begins its dynamic ports at 49152, Linux at 32768.)
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A free address, which no other call of this process is given.
pub fn free() -> SocketAddr {
    // Processes that run at the same time begin at different places.
    let offset = u16::try_from(std::process::id() * 97 % u32::from(COUNT)).unwrap();
    for _ in 0..COUNT {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (offset + next % COUNT) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port is free");
}
