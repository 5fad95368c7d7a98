//! The order in which the records of a reply tell their fields: whoever looks for some of these passes the others without
//! reading their names. It is a guess, which each record confirms or corrects.

use std::collections::HashMap;

use crate::json::Key;

/// Fields that are remembered, and bytes of the name of one.
const STEPS_MAX: usize = 512;
const NAME_BYTES_MAX: usize = 64;
/// No step.
const NONE: usize = usize::MAX;

/// What is known of a field by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nobody looks for it.
    Passed,
    /// It is looked at.
    Met,
}

/// A field, as it was written.
#[derive(Debug)]
struct Known {
    name: Box<str>,
    key: Key,
    step: Step,
    /// The one that followed the last time.
    next: usize,
}

/// Fields, and which followed which.
#[derive(Debug)]
pub(super) struct Route {
    known: Vec<Known>,
    /// Their places, by name.
    places: HashMap<Box<str>, usize, foldhash::fast::RandomState>,
    first: usize,
}

/// A place on a route: where a record begins, behind a field, or where nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Begin,
    Behind(usize),
    Lost,
}

impl Route {
    pub(super) fn new() -> Self {
        Self {
            known: Vec::new(),
            places: HashMap::default(),
            first: NONE,
        }
    }

    fn next(&self, at: At) -> usize {
        match at {
            At::Begin => self.first,
            At::Behind(place) => self.known.get(place).map_or(NONE, |known| known.next),
            At::Lost => NONE,
        }
    }

    /// The field that is expected at a place, if a text begins with its key: its name, and what stands behind the colon.
    #[inline]
    pub(super) fn expected<'r, 't>(
        &'r self,
        at: At,
        text: &'t [u8],
    ) -> Option<(At, Step, &'r str, &'t [u8])> {
        let place = self.next(at);
        let known = self.known.get(place)?;
        let value = known.key.behind(text)?;
        Some((At::Behind(place), known.step, &known.name, value))
    }

    /// Remembers the field that was met at a place.
    pub(super) fn meet(&mut self, at: At, name: &str, step: impl FnOnce() -> Step) -> At {
        let expected = self.next(at);
        let is_it = |known: &Known| *known.name == *name;
        if self.known.get(expected).is_some_and(is_it) {
            return At::Behind(expected);
        }
        if name.len() > NAME_BYTES_MAX {
            return At::Lost;
        }
        let place = match self.places.get(name) {
            Some(place) => *place,
            None if self.known.len() >= STEPS_MAX => return At::Lost,
            None => {
                self.places.insert(Box::from(name), self.known.len());
                self.known.push(Known {
                    name: Box::from(name),
                    key: Key::new(name),
                    step: step(),
                    next: NONE,
                });
                self.known.len() - 1
            }
        };
        match at {
            At::Begin => self.first = place,
            At::Behind(before) => {
                if let Some(before) = self.known.get_mut(before) {
                    before.next = place;
                }
            }
            At::Lost => {}
        }
        At::Behind(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_last_is_expected_next() {
        let mut route = Route::new();
        let text = br#""name":"a value that is long enough to be compared""#;
        assert_eq!(route.expected(At::Begin, text), None);
        let id = route.meet(At::Begin, "id", || Step::Met);
        let name = route.meet(id, "name", || Step::Passed);
        let (at, step, read, value) = route.expected(id, text).unwrap();
        assert_eq!((at, step, read), (name, Step::Passed, "name"));
        assert!(value.starts_with(b"\"a value"));
        assert_eq!(route.expected(At::Begin, text), None);
        // Another record begins with it.
        assert_eq!(route.meet(At::Begin, "name", || Step::Met), name);
        assert_eq!(route.expected(At::Begin, text).unwrap().0, name);
    }

    #[test]
    fn a_long_route_is_not_remembered_whole() {
        let mut route = Route::new();
        let mut at = At::Begin;
        for number in 0..2 * STEPS_MAX {
            at = route.meet(at, &format!("f{number}"), || Step::Passed);
        }
        assert_eq!((at, route.known.len()), (At::Lost, STEPS_MAX));
    }
}
