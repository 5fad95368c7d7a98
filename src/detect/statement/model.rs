//! What each feature weighs. The weights are a generated file; `corpora/README.md` tells how to make it again.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::Certainty;
use super::feature::{Says, Slot, hash};
use super::lexicon::Topic;

/// The weights of a feature, by topic.
type Weights = [i16; Topic::ALL.len()];

/// The weights, and what they must come to.
#[derive(Debug, Default)]
pub(super) struct Model {
    weights: Table,
    /// Long words of ordinary texts that look like triggers with a letter wrong.
    pub(super) known: HashSet<u64, foldhash::fast::FixedState>,
    /// From which score on a clause is a statement, by the weight of its trigger: perhaps, more likely than not, certainly.
    pub(super) possible: Bounds,
    pub(super) likely: Bounds,
    pub(super) certain: Bounds,
}

/// A score for each weight of a trigger.
pub(super) type Bounds = [i32; 3];

/// The score of a weight.
pub(super) fn bound(bounds: Bounds, weight: u8) -> i32 {
    let place = usize::from(weight.saturating_sub(1));
    bounds.get(place).copied().unwrap_or(i32::MAX)
}

/// Weights by the keys of features, which are spread evenly already. Open addressing: a key stands at its place, or at the next
/// free one behind.
#[derive(Debug)]
struct Table {
    keys: Vec<u64>,
    weights: Vec<Weights>,
}

impl Default for Table {
    fn default() -> Self {
        let places = 1 << TABLE_BITS;
        Self {
            keys: vec![FREE; places],
            weights: vec![Weights::default(); places],
        }
    }
}

/// Places of the table, as a power of two: at least twice as many as there are features.
const TABLE_BITS: u32 = 16;

/// The key of a free place.
const FREE: u64 = 0;

impl Table {
    #[inline]
    fn place(&self, key: u64) -> usize {
        let mask = self.keys.len() - 1;
        let mut place = usize::try_from(key >> (64 - TABLE_BITS)).unwrap_or(0);
        // A bounded search, should the table ever be full.
        for _ in 0..self.keys.len() {
            match self.keys.get(place) {
                Some(&found) if found != key && found != FREE => place = (place + 1) & mask,
                _ => break,
            }
        }
        place
    }

    #[inline]
    fn get(&self, key: u64) -> Option<&Weights> {
        let place = self.place(key);
        (self.keys.get(place) == Some(&key)).then(|| self.weights.get(place))?
    }

    fn at(&mut self, key: u64) -> &mut Weights {
        let place = self.place(key);
        self.keys[place] = key;
        &mut self.weights[place]
    }
}

pub(super) static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(WEIGHTS));

pub(super) const WEIGHTS: &str = include_str!("../../../lexicon/weights.tsv");

/// The topic of features that mean the same for all of them.
pub(super) const SHARED: &str = "*";

impl Model {
    fn read(text: &str) -> Self {
        let mut model = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            match columns[..] {
                ["from", name, weak, usual, strong] => {
                    model.bound(
                        name,
                        [weak, usual, strong].map(|score| score.parse().unwrap_or(i32::MAX)),
                    );
                }
                ["known", word] => {
                    model.known.insert(hash(word));
                }
                [topic, slot, says, weight] => model.add(
                    topic,
                    key(hash(slot), hash(says)),
                    weight.parse().unwrap_or(0),
                ),
                _ => {}
            }
        }
        model
    }

    fn bound(&mut self, name: &str, bounds: Bounds) {
        match Certainty::named(name) {
            Some(Certainty::Possible) => self.possible = bounds,
            Some(Certainty::Likely) => self.likely = bounds,
            Some(Certainty::Certain) => self.certain = bounds,
            None => {}
        }
    }

    /// What all topics share is added to each.
    fn add(&mut self, topic: &str, key: u64, weight: i16) {
        let weights = self.weights.at(key);
        for (own, weights) in Topic::ALL.into_iter().zip(weights) {
            if topic == SHARED || topic == own.as_str() {
                *weights = weights.saturating_add(weight);
            }
        }
    }

    #[inline]
    pub(super) fn weight(&self, topic: Topic, slot: Slot, says: Says<'_>) -> i32 {
        let weights = self.weights.get(key(slot.hash(), says.hash()));
        weights
            .and_then(|weights| weights.get(topic as usize))
            .map_or(0, |weight| i32::from(*weight))
    }
}

/// The key of a feature.
#[inline]
fn key(slot: u64, says: u64) -> u64 {
    (slot.rotate_left(23) ^ says).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
