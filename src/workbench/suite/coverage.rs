//! Which grants and caps the cases exercise.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::policy::Policy;
use crate::vocabulary::RuleName;

/// Which grants and caps some cases exercise: those that decided about what a case expects something of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Grants in all.
    pub grants: usize,
    /// Caps in all.
    pub caps: usize,
    /// Those that no case exercises, by their order in the policy.
    pub missed: Vec<Missed>,
}

/// A rule that no case exercises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// `grant` or `cap`.
    pub kind: &'static str,
    /// Its name.
    pub name: RuleName,
    /// Where it stands: `FILE:LINE`.
    pub place: String,
}

impl Coverage {
    pub(super) fn of(policy: &Policy, exercised: &BTreeSet<RuleName>) -> Self {
        let mut coverage = Self::default();
        for rule in policy.rules() {
            match rule.kind {
                "cap" => coverage.caps += 1,
                _ => coverage.grants += 1,
            }
            if !exercised.contains(rule.name) {
                coverage.missed.push(Missed {
                    kind: rule.kind,
                    name: rule.name.clone(),
                    place: super::verdicts::placed(rule.place),
                });
            }
        }
        coverage
    }

    fn missed(&self, kind: &str) -> impl Iterator<Item = &Missed> {
        self.missed.iter().filter(move |missed| missed.kind == kind)
    }

    pub(super) fn render(&self) -> String {
        let all = [("grant", self.grants), ("cap", self.caps)];
        let counts = all.map(|(kind, all)| {
            let exercised = all - self.missed(kind).count();
            format!("{exercised}/{all} {kind}s")
        });
        let mut text = format!("coverage  {}\n", counts.join(", "));
        for missed in &self.missed {
            text.push_str(&format!(
                "  {} {} is never exercised  {}\n",
                missed.kind, missed.name, missed.place
            ));
        }
        text
    }

    pub(super) fn to_json(&self) -> Value {
        let part = |kind: &str, all: usize| {
            let missed = self.missed(kind);
            let missed: Vec<Value> = missed
                .map(|missed| json!({ "name": missed.name, "place": missed.place }))
                .collect();
            json!({ "exercised": all - missed.len(), "all": all, "missed": missed })
        };
        json!({ "grants": part("grant", self.grants), "caps": part("cap", self.caps) })
    }
}
