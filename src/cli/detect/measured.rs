//! What was found in labelled texts, against what their labels say.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::labelled::{Label, Labelled};
use super::{Found, Sought};
use crate::detect::Kind;
use crate::detect::statement::Topic;

/// How often something was found where it is, where it is not, and not found where it is.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    right: usize,
    wrong: usize,
    missed: usize,
}

/// What was measured.
#[derive(Debug)]
pub(super) struct Measured<'s> {
    sought: &'s Sought,
    kinds: BTreeMap<&'static str, Counts>,
    categories: BTreeMap<&'static str, Counts>,
    any: Counts,
    clean: usize,
    false_identifier: usize,
    false_statement: usize,
    bytes: usize,
    spent: Duration,
}

impl<'s> Measured<'s> {
    pub(super) fn of(sought: &'s Sought) -> Self {
        let named = |names: Vec<&'static str>| {
            let counts = names.into_iter().map(|name| (name, Counts::default()));
            counts.collect()
        };
        Self {
            sought,
            kinds: named(sought.kinds.iter().map(|kind| kind.as_str()).collect()),
            categories: named(sought.topics.iter().map(|topic| topic.category()).collect()),
            any: Counts::default(),
            clean: 0,
            false_identifier: 0,
            false_statement: 0,
            bytes: 0,
            spent: Duration::ZERO,
        }
    }

    /// Counts what was found in a text. What its line has no labels of is not measured on it.
    pub(super) fn add(&mut self, text: &Labelled, found: &Found) {
        self.spent += found.spent;
        self.bytes += text.text.len();
        if let Some(wanted) = &text.topics {
            self.statements(&found.topics, wanted);
        }
        if let Some(wanted) = &text.spans {
            self.spans(&found.spans, wanted);
        }
        let is_clean = text.topics.as_ref().is_none_or(Vec::is_empty)
            && text.spans.as_ref().is_none_or(Vec::is_empty);
        if is_clean {
            self.clean += 1;
            self.false_identifier += usize::from(!found.spans.is_empty());
            self.false_statement += usize::from(!found.topics.is_empty());
        }
    }

    fn statements(&mut self, found: &[Topic], wanted: &[Topic]) {
        let sought = &self.sought.topics;
        for topic in sought {
            let counts = self.categories.entry(topic.category()).or_default();
            counts.add(found.contains(topic), wanted.contains(topic));
        }
        let is_wanted = wanted.iter().any(|topic| sought.contains(topic));
        match (found.is_empty(), is_wanted) {
            (false, false) => self.any.wrong += 1,
            (_, true) if found.iter().any(|topic| wanted.contains(topic)) => self.any.right += 1,
            (_, true) => self.any.missed += 1,
            (true, false) => {}
        }
    }

    fn spans(&mut self, found: &[(Kind, Range<usize>)], wanted: &[Label]) {
        let mut open: Vec<(Kind, &Range<usize>)> = Vec::new();
        let mut ignored: Vec<&Range<usize>> = Vec::new();
        for Label { kind, range } in wanted {
            match kind {
                Some(kind) if self.sought.kinds.contains(kind) => open.push((*kind, range)),
                Some(_) => {}
                None => ignored.push(range),
            }
        }
        for (kind, range) in found {
            let counts = self.kinds.entry(kind.as_str()).or_default();
            let hit = open
                .iter()
                .position(|(wanted, place)| wanted == kind && is_same(*kind, range, place));
            match hit {
                Some(place) => {
                    open.swap_remove(place);
                    counts.right += 1;
                }
                None if ignored.iter().any(|place| overlap(range, place) > 0) => {}
                None => counts.wrong += 1,
            }
        }
        for (kind, _) in open {
            self.kinds.entry(kind.as_str()).or_default().missed += 1;
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let table = |counts: &BTreeMap<&'static str, Counts>| -> Map<String, Value> {
            counts
                .iter()
                .map(|(name, counts)| ((*name).to_owned(), counts.to_json()))
                .collect()
        };
        json!({
            "kinds": table(&self.kinds),
            "categories": table(&self.categories),
            "any": self.any.to_json(),
            "clean": {
                "texts": self.clean,
                "false_identifier": self.false_identifier,
                "false_statement": self.false_statement,
            },
            "megabytes_per_second": rounded(self.speed()),
        })
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a speed is told with two places"
    )]
    fn speed(&self) -> f64 {
        match self.spent.is_zero() {
            true => 0.0,
            false => self.bytes as f64 / 1e6 / self.spent.as_secs_f64(),
        }
    }

    pub(super) fn render(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(["", "right", "wrong", "missed", "precision", "recall"]);
        let rows = self
            .kinds
            .iter()
            .chain(&self.categories)
            .map(|(name, counts)| (*name, counts));
        for (name, counts) in rows.chain([("any statement", &self.any)]) {
            let told = |share: Option<f64>| {
                share.map_or_else(|| "-".to_owned(), |share| format!("{share:.3}"))
            };
            table.add_row([
                name.to_owned(),
                counts.right.to_string(),
                counts.wrong.to_string(),
                counts.missed.to_string(),
                told(counts.precision()),
                told(counts.recall()),
            ]);
        }
        format!(
            "{table}\nclean texts: {}, with a false identifier: {}, with a false statement: {}\n{:.1} MB/s\n",
            self.clean,
            self.false_identifier,
            self.false_statement,
            self.speed()
        )
    }
}

impl Counts {
    fn add(&mut self, is_found: bool, is_wanted: bool) {
        self.right += usize::from(is_found && is_wanted);
        self.wrong += usize::from(is_found && !is_wanted);
        self.missed += usize::from(!is_found && is_wanted);
    }

    fn precision(self) -> Option<f64> {
        share(self.right, self.right + self.wrong)
    }

    fn recall(self) -> Option<f64> {
        share(self.right, self.right + self.missed)
    }

    fn to_json(self) -> Value {
        json!({
            "tp": self.right,
            "fp": self.wrong,
            "fn": self.missed,
            "precision": self.precision().map(rounded),
            "recall": self.recall().map(rounded),
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share is told with four places"
)]
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Whether a finding is what was labelled: exactly, but of an address at least half.
fn is_same(kind: Kind, found: &Range<usize>, wanted: &Range<usize>) -> bool {
    match kind {
        Kind::Address => overlap(found, wanted) * 2 >= found.len().max(wanted.len()),
        _ => found == wanted,
    }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> usize {
    one.end
        .min(other.end)
        .saturating_sub(one.start.max(other.start))
}
