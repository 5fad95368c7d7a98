//! What a bundle shows once all of it was looked at: what the page is made of, and the verdict.

use serde_json::Value;

use crate::vocabulary::Level;

use super::super::chain::Line;
use super::super::expand::Entry;
use super::super::format::full::Request;
use super::super::format::{Phase, notice};
use super::super::names::visible;
use super::super::note::VerifierKey;
use super::manifest::Counts;

/// Events that the page shows; `events.jsonl` holds all.
pub(super) const ROWS_MAX: usize = 5_000;
/// References that one row shows.
const REFS_MAX: usize = 25;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) logs: Vec<LogFacts>,
    pub(super) keys: Vec<VerifierKey>,
    pub(super) counts: Counts,
    /// The first events that were asked for.
    pub(super) rows: Vec<Row>,
    /// Of the first and the last event that was asked for.
    pub(super) times: Option<(String, String)>,
    /// By hash.
    pub(super) policies: Vec<PolicyFacts>,
    /// Numbers that are missing where a bundle is complete but for them.
    pub(super) holes: Vec<(u64, u64)>,
}

/// One log, as it was signed.
#[derive(Debug)]
pub(super) struct LogFacts {
    pub(super) origin: String,
    pub(super) from: u64,
    pub(super) checkpoints: Vec<CheckpointFacts>,
    /// Whether lines are taken from it, beside those that say where it begins and which keys sign.
    pub(super) has_events: bool,
    /// Whether a key that was given has signed the last of them, or one that took its place.
    pub(super) is_vouched: bool,
}

impl LogFacts {
    /// The number of the last event that is covered.
    pub(super) fn last(&self) -> u64 {
        let size = self.checkpoints.last().map_or(0, |last| last.size);
        self.from + size.saturating_sub(1)
    }
}

/// One checkpoint.
#[derive(Debug)]
pub(super) struct CheckpointFacts {
    pub(super) size: u64,
    pub(super) root: String,
    /// The id of the key that has signed it.
    pub(super) key: String,
}

/// A policy, or a schema, in force.
#[derive(Debug)]
pub(super) struct PolicyFacts {
    pub(super) hash: String,
    pub(super) is_schema: bool,
    pub(super) files: Vec<String>,
}

/// One event that was asked for, as the page tells it.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) seq: u64,
    pub(super) time: String,
    pub(super) id: String,
    pub(super) is_proved: bool,
    /// Name, id, and roles.
    pub(super) who: String,
    pub(super) roles: String,
    pub(super) from: String,
    pub(super) did: String,
    pub(super) purpose: String,
    pub(super) outcome: String,
    pub(super) refs: String,
    pub(super) count: u64,
    /// References that find no room.
    pub(super) more_refs: usize,
    /// Of each level, what was at it; the most open first.
    pub(super) levels: Vec<(Level, String)>,
    /// What an event says that is not about a request.
    pub(super) details: String,
}

impl Row {
    pub(super) fn of(line: &Line, entry: &Entry, is_proved: bool) -> Self {
        let row = Self {
            seq: line.seq,
            time: visible(&line.time),
            id: visible(&line.id),
            is_proved,
            ..Self::default()
        };
        match entry {
            Entry::Request(request) => row.of_request(request),
            Entry::Notice(_) | Entry::Terms => row.of_notice(&line.value),
        }
    }

    fn of_request(mut self, request: &Request) -> Self {
        let text = |text: Option<&str>| visible(text.unwrap_or_default());
        if let Some(caller) = &request.caller {
            self.who = visible(&format!("{} ({})", caller.name, caller.id));
            self.roles = visible(&caller.roles.join(", "));
        }
        self.from = visible(&request.origin.ip);
        let asked = &request.request;
        let phase = match request.phase {
            Phase::Closed => "",
            Phase::Continued => "… ",
            Phase::Opened => "→ ",
        };
        let upstream = asked.upstream.as_deref().map(|name| format!("{name}:"));
        let upstream = upstream.unwrap_or_default();
        let module = asked.module.as_deref().unwrap_or_default();
        let action = asked.action.as_deref().unwrap_or("?");
        self.did = visible(&format!("{phase}{action} {upstream}{module}"));
        self.purpose = text(request.purpose.as_ref().map(|purpose| purpose.id.as_str()));
        if let Some(outcome) = &request.outcome {
            let reason = outcome
                .reason
                .as_deref()
                .map(|reason| format!(": {reason}"));
            self.outcome = visible(&format!("{}{}", outcome.kind, reason.unwrap_or_default()));
        }
        self.count = request.records.count;
        let refs = &request.records.refs;
        let shown = refs.iter().take(REFS_MAX);
        let shown: Vec<String> = shown
            .map(|record| visible(&format!("{upstream}{record}")))
            .collect();
        self.refs = shown.join(", ");
        self.more_refs = refs.len().saturating_sub(REFS_MAX);
        for level in Level::ALL.into_iter().rev() {
            let entries = request.data.iter().filter(|entry| entry.level == level);
            let mut names: Vec<String> = entries
                .map(|entry| visible(entry.category.as_deref().unwrap_or("?")))
                .collect();
            names.dedup();
            if !names.is_empty() {
                names.truncate(REFS_MAX);
                self.levels.push((level, names.join(", ")));
            }
        }
        self
    }

    fn of_notice(mut self, value: &Value) -> Self {
        self.did = visible(value["event"].as_str().unwrap_or_default());
        let details = value.as_object().into_iter().flatten();
        let details = details.filter(|(key, _)| !notice::is_place(key));
        let details: Vec<String> = details
            .take(REFS_MAX)
            .map(|(key, value)| visible(&format!("{key}: {value}")))
            .collect();
        self.details = details.join("; ");
        self
    }
}
