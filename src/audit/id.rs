//! Identifiers of decisions: ULIDs, which sort by time and say nothing else.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use jiff::Timestamp;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHARS: usize = 26;
const RANDOM_BYTES: usize = 10;
/// Identifiers for which random bytes are fetched at once: what fetching costs, it costs a call.
const AHEAD: usize = 64;

thread_local! {
    /// Random bytes for identifiers to come.
    static RANDOM: RefCell<Vec<[u8; RANDOM_BYTES]>> = const { RefCell::new(Vec::new()) };
}

/// A new identifier: 48 bits of milliseconds, 80 random bits, in Crockford's base 32.
pub fn new() -> String {
    let now = Timestamp::now();
    let random = RANDOM.with_borrow_mut(random).unwrap_or_else(|| {
        // Uniqueness is all that is asked of these bits, so a counter will do where randomness fails.
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let seed = format!("{} {} {count}", std::process::id(), now.as_nanosecond());
        let mut random = [0; RANDOM_BYTES];
        random.copy_from_slice(&digest(&SHA256, seed.as_bytes()).as_ref()[..RANDOM_BYTES]);
        random
    });
    encode(now.as_millisecond().max(0).unsigned_abs(), random)
}

/// Takes random bytes, and fetches more first if none are left; `None` if there are none to be had.
fn random(ahead: &mut Vec<[u8; RANDOM_BYTES]>) -> Option<[u8; RANDOM_BYTES]> {
    if ahead.is_empty() {
        let mut fresh = [0; RANDOM_BYTES * AHEAD];
        rand::fill(&mut fresh).ok()?;
        let (chunks, _) = fresh.as_chunks();
        ahead.extend_from_slice(chunks);
    }
    ahead.pop()
}

/// Whether a text has the form of an identifier.
pub fn is_id(text: &str) -> bool {
    text.len() == CHARS && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

fn encode(milliseconds: u64, random: [u8; RANDOM_BYTES]) -> String {
    let low = random
        .iter()
        .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let bits = u128::from(milliseconds) << 80 | low;
    (0..CHARS)
        .rev()
        .map(|place| char::from(ALPHABET[(bits >> (5 * place)) as usize & 31]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_ulid_specification() {
        // The time of the example in the specification, https://github.com/ulid/spec.
        assert_eq!(&encode(1_469_918_176_385, [0; 10])[..10], "01ARYZ6S41");
        assert_eq!(
            encode((1 << 48) - 1, [0xff; 10]),
            "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
        );
    }

    #[test]
    fn identifiers_differ_and_have_the_form() {
        let some: Vec<String> = (0..3 * AHEAD).map(|_| new()).collect();
        let different: std::collections::BTreeSet<&String> = some.iter().collect();
        assert_eq!(different.len(), some.len());
        assert!(some.iter().all(|id| is_id(id)));
        assert!(!is_id("01ARYZ6S41") && !is_id(&some[0].to_lowercase()));
    }
}
