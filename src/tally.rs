//! What happens often is told once a minute, with a count.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long nothing more is told of the same thing.
const QUIET: Duration = Duration::from_secs(60);

/// Counts things by a word of a closed list, and says when it is time to tell of them.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<&'static str, Count>>);

#[derive(Debug, Default)]
struct Count {
    told: Option<Instant>,
    untold: u64,
}

impl Count {
    /// How many to tell of now.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let is_time = self
            .told
            .is_none_or(|told| now.duration_since(told) >= QUIET);
        if self.untold == 0 || !is_time {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

impl Tally {
    /// Counts one. The first is told of at once; how many to tell of now, if it is time.
    pub fn add(&self, word: &'static str) -> Option<u64> {
        self.add_at(word, Instant::now())
    }

    /// What has waited for its minute to pass, with how many there are of it.
    pub fn due(&self) -> Vec<(&'static str, u64)> {
        self.due_at(Instant::now())
    }

    /// What was counted and never told, at the end.
    pub fn rest(&self) -> Vec<(&'static str, u64)> {
        let mut counts = self.counts();
        let rest = counts
            .iter_mut()
            .map(|(word, count)| (*word, std::mem::take(&mut count.untold)));
        rest.filter(|(_, count)| *count > 0).collect()
    }

    fn add_at(&self, word: &'static str, now: Instant) -> Option<u64> {
        let mut counts = self.counts();
        let count = counts.entry(word).or_default();
        count.untold += 1;
        count.take(now)
    }

    fn due_at(&self, now: Instant) -> Vec<(&'static str, u64)> {
        let mut counts = self.counts();
        let due = counts
            .iter_mut()
            .filter_map(|(word, count)| Some((*word, count.take(now)?)));
        due.collect()
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_told_once_a_minute_with_its_count() {
        let (tally, start) = (Tally::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(tally.add_at("a", at(0)), Some(1));
        assert_eq!(tally.add_at("b", at(1)), Some(1));
        for second in 0..59 {
            assert_eq!(tally.add_at("a", at(second)), None);
        }
        assert!(tally.due_at(at(59)).is_empty());
        assert_eq!(tally.due_at(at(60)), [("a", 59)]);
        assert!(tally.due_at(at(200)).is_empty(), "nothing is told twice");
        assert_eq!(tally.add_at("a", at(119)), None);
        assert_eq!(tally.add_at("a", at(120)), Some(2));
        assert_eq!(tally.add_at("b", at(120)), Some(1));
        assert_eq!(tally.add_at("b", at(121)), None);
        assert_eq!(tally.rest(), [("b", 1)]);
        assert!(tally.rest().is_empty());
    }
}
