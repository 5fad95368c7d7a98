//! What each feature weighs. The weights are a generated file; `corpora/README.md` tells how to make it again.

use super::Certainty;
use super::feature::{Says, Slot};
use super::hash;
use super::layout::{FEATURE_BITS, FEATURE_BYTES, FEATURE_LOOK_BITS};
use super::lexicon::{Topic, table};

/// The weights, and what they must come to.
#[derive(Debug)]
pub(super) struct Model {
    /// The keys of features, and a weight for each topic. A key stands at its place, or at the next free one behind.
    features: &'static [[u8; FEATURE_BYTES]],
    /// A bit for each feature: most have no weight.
    looks: &'static [u8],
    /// The hashes of long words of ordinary texts that look like triggers with a letter wrong, in order.
    known: &'static [[u8; 8]],
    /// From which score on a clause is a statement, by certainty and by the weight of its trigger.
    bounds: &'static [[u8; 4]],
}

pub(super) static MODEL: Model = Model {
    features: table!("features").as_chunks().0,
    looks: table!("feature_looks"),
    known: table!("known").as_chunks().0,
    bounds: table!("bounds").as_chunks().0,
};

impl Model {
    /// Whether a word of ordinary texts looks like a trigger with a letter wrong.
    pub(super) fn is_known(&self, word: &str) -> bool {
        let word = hash::hash(word);
        let known = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes).cmp(&word);
        self.known.binary_search_by(known).is_ok()
    }

    /// The score from which on a clause with a trigger of this weight is so surely a statement.
    pub(super) fn bound(&self, certainty: Certainty, weight: u8) -> i32 {
        let place = certainty as usize * 3 + usize::from(weight.saturating_sub(1));
        let bound = self.bounds.get(place).filter(|_| weight <= 3);
        bound.map_or(i32::MAX, |bytes| i32::from_le_bytes(*bytes))
    }

    #[inline]
    pub(super) fn weight(&self, topic: Topic, slot: Slot, says: Says<'_>) -> i32 {
        let key = hash::feature(slot.hash(), says.hash());
        let look = hash::place(key, FEATURE_LOOK_BITS);
        let may_be = self.looks.get(look / 8);
        if may_be.is_none_or(|byte| byte >> (look % 8) & 1 == 0) {
            return 0;
        }
        let first = hash::place(key, FEATURE_BITS);
        let (before, behind) = self.features.split_at_checked(first).unwrap_or_default();
        for feature in behind.iter().chain(before) {
            let Some((own, weights)) = feature.split_first_chunk::<8>() else {
                return 0;
            };
            let own = u64::from_le_bytes(*own);
            if own == key {
                let (weights, _) = weights.as_chunks::<2>();
                let weight = weights.get(topic as usize);
                return weight.map_or(0, |bytes| i32::from(i16::from_le_bytes(*bytes)));
            }
            if own == FREE {
                return 0;
            }
        }
        0
    }
}

/// The key of a free place.
const FREE: u64 = 0;
