//! Names of purposes or of recipients as small numbers: they repeat a million times.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Names that writers may make known. Some room is left above it: processes that write at once do not know each other's names.
const ROOM: usize = 65_000;
/// Names that have a number of their own.
const OWN: usize = (OTHER - 1) as usize;
/// The number of all names for which there is none left: what it stands for denies, and affirms nothing.
pub(super) const OTHER: u16 = u16::MAX - 1;

/// Names, each with its number.
#[derive(Debug, Default)]
pub(super) struct Names(RwLock<HashMap<Box<str>, u16>>);

impl Names {
    /// The number of a name that is known. One that is not known may be among those without a number of their own.
    pub(super) fn find(&self, name: &str) -> Option<u16> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = names.get(name).copied();
        known.or_else(|| (names.len() >= OWN).then_some(OTHER))
    }

    /// The number of a name, which becomes known. What is in the store is never refused: it was acknowledged.
    pub(super) fn number(&self, name: &str) -> u16 {
        if let Some(number) = self.find(name) {
            return number;
        }
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let next = u16::try_from(names.len()).unwrap_or(OTHER).min(OTHER);
        if let Some(known) = names.get(name) {
            return *known;
        }
        if names.len() < OWN {
            names.insert(name.into(), next);
            return next;
        }
        OTHER
    }

    /// Whether an event may make a name known, beside so many that are on their way.
    pub(super) fn has_room_for(&self, name: &str, others: usize) -> bool {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        names.contains_key(name) || names.len() + others < ROOM
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_above_the_bound_are_one_that_is_nobodys() {
        let names = Names::default();
        for number in 0..OWN {
            assert_eq!(names.find(&number.to_string()), None);
            assert_eq!(usize::from(names.number(&number.to_string())), number);
            let others = 2;
            assert_eq!(
                names.has_room_for("more", others),
                number + 1 + others < ROOM
            );
        }
        assert_eq!(
            (names.number("more"), names.find("else")),
            (OTHER, Some(OTHER))
        );
        assert_eq!(names.find("17"), Some(17));
        assert!(names.has_room_for("17", 0) && !names.has_room_for("more", 0));
    }
}
