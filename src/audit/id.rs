//! Identifiers of decisions: ULIDs, which sort by time and say nothing else.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use jiff::Timestamp;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHARS: usize = 26;

/// A new identifier: 48 bits of milliseconds, 80 random bits, in Crockford's base 32.
pub(super) fn new() -> String {
    let now = Timestamp::now();
    let mut random = [0; 10];
    if rand::fill(&mut random).is_err() {
        // Uniqueness is all that is asked of these bits, so a counter will do where randomness fails.
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let seed = format!("{} {} {count}", std::process::id(), now.as_nanosecond());
        random.copy_from_slice(&digest(&SHA256, seed.as_bytes()).as_ref()[..10]);
    }
    encode(now.as_millisecond().max(0).unsigned_abs(), random)
}

/// Whether a text has the form of an identifier.
pub fn is_id(text: &str) -> bool {
    text.len() == CHARS && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

fn encode(milliseconds: u64, random: [u8; 10]) -> String {
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
        let (one, other) = (new(), new());
        assert_ne!(one, other);
        assert!(is_id(&one) && is_id(&other));
        assert!(!is_id("01ARYZ6S41") && !is_id(&one.to_lowercase()));
    }
}
