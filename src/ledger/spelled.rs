//! What is kept of the addresses that were read last: lists show the same ones again and again, and a MAC of each costs more than
//! all else that is asked of a record.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::keys::Kept;

/// So many are remembered: a power of two.
const PLACES: usize = 1 << 12;

/// What a text comes to that should be an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelled {
    /// Nothing.
    Blank,
    /// It cannot be read.
    Unread,
    /// What is kept of it, under each key.
    Kept(Kept, Option<Kept>),
}

/// Texts by their keyed hash, so that this memory has no address; each at the one place that its hash tells.
pub(super) struct Remembered(Box<[Place]>);

/// The hash of the last text whose place it is, and what that comes to.
type Place = Mutex<Option<(Kept, Spelled)>>;

impl Remembered {
    pub(super) fn new() -> Self {
        Self((0..PLACES).map(|_| Mutex::default()).collect())
    }

    /// What a text of this hash comes to, as `read` says if nobody has said so before. The same text always comes to the same.
    pub(super) fn of(&self, text: Kept, read: impl FnOnce() -> Spelled) -> Spelled {
        let [low, high, ..] = text.0;
        let place = usize::from(u16::from_le_bytes([low, high])) % PLACES;
        let Some(place) = self.0.get(place) else {
            return read();
        };
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        match *place {
            Some((known, spelled)) if known == text => spelled,
            _ => place.insert((text, read())).1,
        }
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_taken_for_another_at_the_same_place() {
        let remembered = Remembered::new();
        let text = |last: u8| {
            let mut hash = [0; 16];
            hash[15] = last;
            Kept(hash)
        };
        let kept = |last| Spelled::Kept(text(last), None);
        for (asked, said) in [(1, 1), (1, 9), (2, 2), (1, 3)] {
            let found = remembered.of(text(asked), || kept(said));
            let meant = if said == 9 { 1 } else { said };
            assert_eq!(found, kept(meant));
        }
    }
}
