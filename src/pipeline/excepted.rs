//! Exceptions that show something are told in the log: each once a day of a caller.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::filter::FieldCounts;
use crate::policy::{EXCEPTION, FieldRule};
use crate::vocabulary::{Level, RuleName};

/// Callers and exceptions that are remembered; of further ones each reply is told.
const TOLD_MAX: usize = 100_000;

const DAY_SECONDS: i64 = 86_400;

/// Of whom and of which exceptions it was told today. Clones remember together.
#[derive(Clone, Debug, Default)]
pub(super) struct Excepted(Arc<Mutex<Today>>);

#[derive(Debug, Default)]
struct Today {
    day: i64,
    told: HashSet<(String, RuleName)>,
}

impl Excepted {
    /// Those that nobody was told of today.
    pub(super) fn fresh(
        &self,
        caller: &str,
        mut exceptions: BTreeSet<RuleName>,
    ) -> BTreeSet<RuleName> {
        if exceptions.is_empty() {
            return exceptions;
        }
        let day = Timestamp::now().as_second().div_euclid(DAY_SECONDS);
        let mut today = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if today.day != day {
            *today = Today {
                day,
                ..Today::default()
            };
        }
        exceptions.retain(|exception| {
            let one = (caller.to_owned(), exception.clone());
            match today.told.len() < TOLD_MAX {
                true => today.told.insert(one),
                false => !today.told.contains(&one),
            }
        });
        exceptions
    }
}

/// The exceptions that fields of a reply were shown by, or what was found in their texts.
pub(super) fn met(fields: &FieldCounts) -> BTreeSet<RuleName> {
    let shown = fields.values().filter(|field| field.records > 0);
    let rules = shown.flat_map(|field| {
        let (rule, in_text) = (field.rule, field.in_text);
        let spans = rule.show.spans().iter();
        let found = spans.filter(move |span| in_text.contains_key(&span.kind));
        rule.by.iter().chain(found.flat_map(|span| &span.by))
    });
    exceptions(rules)
}

/// The exceptions that fields may be shown by.
pub(super) fn possible(most: &[Arc<FieldRule>]) -> BTreeSet<RuleName> {
    let shown = most.iter().filter(|rule| rule.level > Level::Redact);
    exceptions(shown.flat_map(|rule| {
        let spans = rule.show.spans().iter();
        rule.by.iter().chain(spans.flat_map(|span| &span.by))
    }))
}

fn exceptions<'r>(rules: impl Iterator<Item = &'r RuleName>) -> BTreeSet<RuleName> {
    let exceptions = rules.filter(|rule| rule.as_str().starts_with(EXCEPTION));
    exceptions.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_a_day_of_a_caller() {
        let excepted = Excepted::default();
        let both = || BTreeSet::from(["exception.a", "exception.b"].map(RuleName::new));
        let one = BTreeSet::from([RuleName::new("exception.a")]);
        assert_eq!(excepted.fresh("sally", one.clone()), one);
        assert_eq!(
            excepted.clone().fresh("sally", both()),
            BTreeSet::from([RuleName::new("exception.b")])
        );
        assert!(excepted.fresh("sally", both()).is_empty());
        assert_eq!(excepted.fresh("sam", both()), both());
        excepted.0.lock().unwrap().day -= 1;
        assert_eq!(excepted.fresh("sally", both()), both());
    }
}
