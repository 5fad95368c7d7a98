//! The accesses of a log, decided under two policies.
//!
//! Reads only: it takes no lock, and the process that writes the log does not wait for it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Value, json};

use crate::audit::{self, Fault, Query};
use crate::policy::{Access, AccessField, Policy, Replayed};

/// Different accesses whose decision is kept.
const KEPT_MAX: usize = 1 << 16;

/// What came of the accesses of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// How many there were.
    pub accesses: u64,
    /// How many would have shown more.
    pub more: u64,
    /// The records of those, counted in each of them.
    pub records: u64,
    /// The callers of those.
    pub callers: usize,
    /// The first of those: its time, and its id.
    pub first: Option<(String, String)>,
    /// How many the log does not decide, by why.
    pub undecided: BTreeMap<&'static str, u64>,
    /// Lines that are no events.
    pub damaged: u64,
}

/// Decides the accesses of a log that a query finds under both policies. `seen` hears of every access.
///
/// # Errors
/// If the log cannot be read.
pub fn replay(
    dir: &Path,
    query: &Query,
    [old, new]: [&Policy; 2],
    seen: &mut dyn FnMut(),
) -> Result<Replay, Fault> {
    // What is known of the CRM's data is the same for both.
    let new = &new.in_schema(old.schema().clone());
    let mut replay = Replay::default();
    let mut callers: HashSet<String> = HashSet::new();
    let mut decided: HashMap<Access, Replayed> = HashMap::new();
    let summary = audit::query(dir, query, &mut |found| {
        let Some(told) = found.access() else {
            return ControlFlow::Continue(());
        };
        seen();
        replay.accesses += 1;
        let access = access(&told);
        let outcome = match decided.get(&access) {
            Some(outcome) => *outcome,
            None => {
                let outcome = old.replayed(new, &access);
                if decided.len() < KEPT_MAX {
                    decided.insert(access, outcome);
                }
                outcome
            }
        };
        match outcome {
            Replayed::NotMore => {}
            Replayed::Undecided(why) => *replay.undecided.entry(why).or_default() += 1,
            Replayed::More => {
                replay.more += 1;
                replay.records = replay.records.saturating_add(told.records);
                callers.insert(told.caller.to_owned());
                // Requests that were never closed come last, whenever they were.
                let this = (found.time().to_owned(), found.id().to_owned());
                let is_first = replay.first.as_ref().is_none_or(|first| this < *first);
                if is_first {
                    replay.first = Some(this);
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    replay.callers = callers.len();
    replay.damaged = summary.unreadable_lines + summary.later_lines;
    Ok(replay)
}

fn access(told: &audit::Access<'_>) -> Access {
    let mut fields: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in &told.data {
        for field in entry.fields {
            let found = fields.entry(field.as_str()).or_default();
            found.extend(
                entry
                    .category
                    .filter(|_| entry.is_in_text)
                    .map(str::to_owned),
            );
        }
    }
    if told.refused.is_some() {
        for field in told.asked {
            fields.entry(field.as_str()).or_default();
        }
    }
    let mut access = Access {
        roles: told.roles.to_vec(),
        purpose: told.purpose.map(str::to_owned),
        is_stated: told.is_stated,
        strengths: told.strengths.to_vec(),
        policy: told.policy.to_owned(),
        is_refused: told.refused.is_some(),
        fields: fields
            .into_iter()
            .map(|(name, found)| AccessField {
                name: name.to_owned(),
                found,
            })
            .collect(),
        matched: told.matched.to_vec(),
        sorted: told.sorted.to_vec(),
    };
    access.roles.sort();
    access.strengths.sort();
    access
}

impl Replay {
    /// It, for people. `since` is the word for where it begins.
    pub fn render(&self, since: Option<&str>) -> String {
        let since = since.map_or_else(String::new, |since| format!(" since {since}"));
        let mut text = format!(
            "replay{since} ({} accesses): {} would have shown more",
            self.accesses, self.more
        );
        if let Some((time, id)) = &self.first {
            let callers = if self.callers == 1 {
                "caller"
            } else {
                "callers"
            };
            let _ = write!(
                text,
                ", to {} {callers}, in replies with {} records; the first at {time} ({id})",
                self.callers, self.records
            );
        }
        text.push('\n');
        let undecided: u64 = self.undecided.values().sum();
        if undecided > 0 {
            let _ = writeln!(
                text,
                "  {undecided} cannot be decided by what the log tells:"
            );
            for (why, count) in &self.undecided {
                let _ = writeln!(text, "    {count}: {why}");
            }
        }
        text
    }

    /// It, for scripts.
    pub fn to_json(&self) -> Value {
        json!({
            "accesses": self.accesses,
            "more": self.more,
            "record_count": self.records,
            "callers": self.callers,
            "first": self.first.as_ref().map(|(time, id)| json!({ "time": time, "id": id })),
            "undecided": self.undecided,
        })
    }
}

#[cfg(test)]
mod tests;
