//! An event in full, as all formats look at it.

use jiff::Timestamp;
use serde_json::Value;

use crate::audit::{Remark, Why};

/// How much an event deserves somebody's attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// Work as usual.
    Informational,
    /// Something was refused.
    Low,
    /// Something failed, or has changed who may do what.
    Medium,
    /// Something is wrong with the evidence.
    High,
}

/// How a request ended, in a word that every format has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It was answered.
    Success,
    /// It was not.
    Failure,
    /// It has not ended, or it is no request.
    Unknown,
}

/// An event in full, of the log or of a sink itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Story<'a>(&'a Value);

/// The name of the event in which a sink itself says what it cannot carry.
pub(super) const REMARK: &str = "sink.remark";

impl<'a> Story<'a> {
    pub(super) fn new(value: &'a Value) -> Self {
        Self(value)
    }

    /// All of it.
    pub(super) fn value(self) -> &'a Value {
        self.0
    }

    /// A text, by its path.
    pub(super) fn text(self, path: &str) -> Option<&'a str> {
        self.0.pointer(path)?.as_str()
    }

    /// A number, by its path.
    pub(super) fn number(self, path: &str) -> Option<u64> {
        self.0.pointer(path)?.as_u64()
    }

    /// A list, by its path.
    pub(super) fn list(self, path: &str) -> &'a [Value] {
        let list = self.0.pointer(path).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// The texts of a list, by its path.
    pub(super) fn texts(self, path: &str) -> impl Iterator<Item = &'a str> {
        self.list(path).iter().filter_map(Value::as_str)
    }

    /// Whether it is about a request.
    pub(super) fn is_request(self) -> bool {
        self.0.get("event").is_none()
    }

    /// What was done, or the name of an event that is not about a request.
    pub(super) fn name(self) -> &'a str {
        let path = if self.is_request() {
            "/request/action"
        } else {
            "/event"
        };
        self.text(path).unwrap_or("request")
    }

    /// The same in a word that tells requests from other events.
    pub(super) fn code(self) -> String {
        match self.is_request() {
            true => format!("access.{}", self.name()),
            false => self.name().to_owned(),
        }
    }

    /// When it was written.
    pub(super) fn time(self) -> Option<Timestamp> {
        self.text("/time")?.parse().ok()
    }

    /// The word for the outcome of a request.
    pub(super) fn outcome(self) -> Option<&'a str> {
        self.text("/outcome/kind")
    }

    /// How it ended.
    pub(super) fn ending(self) -> Ending {
        match self.outcome() {
            Some("full" | "partial" | "observed") => Ending::Success,
            Some(_) => Ending::Failure,
            None => Ending::Unknown,
        }
    }

    /// How much attention it deserves.
    pub(super) fn severity(self) -> Severity {
        if self.is_request() {
            return match self.outcome() {
                None | Some("full" | "partial" | "observed") => Severity::Informational,
                Some("unfilterable" | "aborted" | "audit-unavailable" | "upstream-error") => {
                    Severity::Medium
                }
                Some(_) => Severity::Low,
            };
        }
        match self.name() {
            // A new sink says it, too.
            REMARK if self.text("/why") == Some(Why::Earlier.as_str()) => Severity::Medium,
            "audit.gap" | "audit.recovered" | "clock.stepped" | REMARK => Severity::High,
            "auth.refused" | "limit.reached" => Severity::Low,
            "policy.loaded"
            | "policy.rejected"
            | "certificate.rejected"
            | "limit.predicates"
            | "limit.records"
            | "exception.used"
            | "key.created"
            | "key.rotated"
            | "key.revoked" => Severity::Medium,
            _ => Severity::Informational,
        }
    }

    /// What happened, in a few words.
    pub(super) fn sentence(self) -> String {
        if !self.is_request() {
            return self.name().to_owned();
        }
        let who = self.text("/caller/name").unwrap_or("somebody unknown");
        let module = self.text("/request/module").unwrap_or_default();
        let ended = match (self.outcome(), self.text("/phase")) {
            (Some(outcome), _) => outcome,
            (None, Some(phase)) => phase,
            (None, None) => "",
        };
        let words = [who, self.name(), module];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        format!("{}: {ended}", words.join(" "))
    }
}

/// The event in which a sink itself says what it cannot carry.
pub(super) fn of_remark(remark: &Remark, (sink, node): (&str, &str), now: Timestamp) -> Value {
    serde_json::json!({
        "event": REMARK,
        "first_seq": remark.first_seq,
        "last_seq": remark.last_seq,
        "node": node,
        "sink": sink,
        "time": format!("{now:.3}"),
        "why": remark.why.as_str(),
    })
}
