//! The fields that one record has shown so far, by the places at which their book has them.

use std::ops::Range;

/// A set of places.
#[derive(Debug, Default)]
pub(super) struct Seen {
    words: Vec<u64>,
    /// One more than the last place in the set.
    end: usize,
    /// Places of fields that do not count as present under their own names.
    uncounted: Vec<usize>,
}

const BITS: usize = u64::BITS as usize;

impl Seen {
    /// Empties the set, and makes room for so many places.
    pub(super) fn reset(&mut self, places: usize) {
        self.words.clear();
        self.end = 0;
        self.uncounted.clear();
        self.words.resize(places.div_ceil(BITS), 0);
    }

    /// Adds a place; `false` if the record had its field already.
    #[inline]
    pub(super) fn insert(&mut self, place: usize) -> bool {
        let (word, bit) = (place / BITS, 1_u64 << (place % BITS));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.end = self.end.max(place + 1);
        match self.words.get_mut(word) {
            Some(word) => {
                let is_new = *word & bit == 0;
                *word |= bit;
                is_new
            }
            None => false,
        }
    }

    /// Adds places, none of which is in the set.
    #[inline]
    pub(super) fn insert_run(&mut self, places: Range<usize>) {
        let Some(last) = places
            .end
            .checked_sub(1)
            .filter(|last| places.contains(last))
        else {
            return;
        };
        if last / BITS >= self.words.len() {
            self.words.resize(last / BITS + 1, 0);
        }
        self.end = self.end.max(places.end);
        let from = u64::MAX << (places.start % BITS);
        let to = u64::MAX >> (BITS - 1 - last % BITS);
        let words = self.words.get_mut(places.start / BITS..=last / BITS);
        match words.unwrap_or_default() {
            [] => {}
            [word] => *word |= from & to,
            [first, between @ .., last] => {
                *first |= from;
                between.fill(u64::MAX);
                *last |= to;
            }
        }
    }

    /// The first place from here on that is in the set.
    #[inline]
    pub(super) fn first_from(&self, place: usize) -> Option<usize> {
        if place >= self.end {
            return None;
        }
        let words = self.words.iter().enumerate().skip(place / BITS);
        words
            .map(|(number, word)| {
                let from = place.saturating_sub(number * BITS);
                (number, word & u64::MAX << from)
            })
            .find(|(_, word)| *word != 0)
            .map(|(number, word)| number * BITS + word.trailing_zeros() as usize)
    }

    /// The field at a place does not count as present under its own name.
    pub(super) fn uncount(&mut self, place: usize) {
        self.uncounted.push(place);
    }

    /// Whether two records have shown the same. Place by place: comparing lists that are mostly empty, or were written
    /// a moment ago, as stretches of memory takes the processor as long as passing several fields.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let differences = self
            .words
            .iter()
            .zip(&other.words)
            .map(|(one, two)| one ^ two);
        let mut uncounted = self.uncounted.iter().zip(&other.uncounted);
        self.words.len() == other.words.len()
            && self.uncounted.len() == other.uncounted.len()
            && differences.fold(0, |all, some| all | some) == 0
            && uncounted.all(|(one, two)| one == two)
    }

    /// Calls `each` for the places of fields that count as present, in order.
    pub(super) fn counted(&self, mut each: impl FnMut(usize)) {
        for (number, word) in self.words.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                let place = number * BITS + word.trailing_zeros() as usize;
                if !self.uncounted.contains(&place) {
                    each(place);
                }
                word &= word - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Seen;

    proptest! {
        #[test]
        fn runs_and_places_are_what_they_are_one_by_one(
            runs in prop::collection::vec((0_usize..300, 0_usize..140), 0..8),
            places in prop::collection::vec(0_usize..300, 0..8),
            from in 0_usize..400,
        ) {
            let (mut seen, mut expected) = (Seen::default(), BTreeSet::new());
            seen.reset(100);
            for (start, length) in runs {
                seen.insert_run(start..start + length);
                expected.extend(start..start + length);
            }
            for place in places {
                prop_assert_eq!(seen.insert(place), expected.insert(place));
            }
            prop_assert_eq!(seen.first_from(from), expected.range(from..).next().copied());
            let counted = |seen: &Seen| {
                let mut counted = Vec::new();
                seen.counted(|place| counted.push(place));
                counted
            };
            prop_assert!(counted(&seen).iter().eq(expected.iter()));
            seen.uncount(7);
            expected.remove(&7);
            prop_assert!(counted(&seen).iter().eq(expected.iter()));
        }
    }
}
