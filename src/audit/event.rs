//! The record of one thing that happened, as it is written. Field names are fixed; so is their order, which is that
//! of canonical JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::identity::Caller;
use crate::vocabulary::Level;

use super::chain::{Head, VERSION};
use super::classified::Classified;
use super::names::visible;
use super::record::PolicyStamp;
use super::{canonical, id};

/// Something that happened, ready to be numbered and written.
#[derive(Debug)]
pub struct Event(Kind);

#[derive(Debug)]
enum Kind {
    Request(Box<RequestEvent>),
    Notice {
        event: &'static str,
        details: BTreeMap<&'static str, Value>,
    },
}

impl Event {
    /// A policy came into force, which gives fields these categories.
    pub fn policy_loaded(policy: &PolicyStamp, classified: &Classified) -> Self {
        Self::notice("policy.loaded")
            .with("classified", classified.to_json())
            .with("name", visible(&policy.name))
            .with("hash", visible(&policy.hash))
    }

    /// A changed policy was refused because of its errors; the one in force stays.
    pub fn policy_rejected(errors: u64) -> Self {
        Self::notice("policy.rejected").with("errors", integer(errors))
    }

    /// More is known of a CRM's data, as it said itself: so many fields and links, and the hash of all that is known.
    pub fn schema_learned(
        upstream: &str,
        dialect: &'static str,
        hash: &str,
        fields: u64,
        links: u64,
    ) -> Self {
        Self::notice("schema.learned")
            .with("upstream", visible(upstream))
            .with("dialect", dialect)
            .with("schema", visible(hash))
            .with("fields", integer(fields))
            .with("links", integer(links))
    }

    /// A caller has used up the budget of refused predicates.
    pub fn predicates_used_up(caller: &Caller, policy: &PolicyStamp) -> Self {
        Self::notice("limit.predicates")
            .with("caller", visible(caller.id()))
            .with("name", visible(caller.name()))
            .with("policy", visible(&policy.hash))
    }

    /// An event that is not about one request.
    pub(super) fn notice(event: &'static str) -> Self {
        Self(Kind::Notice {
            event,
            details: BTreeMap::from([("event", event.into()), ("id", id::new().into())]),
        })
    }

    /// Adds a detail. The names that the log itself gives cannot be overwritten.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        if let Kind::Notice { details, .. } = &mut self.0 {
            details.insert(name, value.into());
        }
        self
    }

    /// An event about one request.
    pub(super) fn request(event: RequestEvent) -> Self {
        Self(Kind::Request(Box::new(event)))
    }

    /// Appends the event as the one behind another: its line, without a newline.
    pub(super) fn line(
        &mut self,
        after: &Head,
        (node, time): (&str, &str),
        out: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let (seq, prev) = (after.seq + 1, after.hash.clone());
        let (node, time) = (node.to_owned(), time.to_owned());
        match &mut self.0 {
            Kind::Request(event) => {
                (event.seq, event.prev, event.node, event.time) = (seq, prev, node, time);
                serde_json::to_writer(out, &event)
            }
            Kind::Notice { details, .. } => {
                details.extend([
                    ("node", Value::from(node)),
                    ("prev", prev.into()),
                    ("seq", seq.into()),
                    ("time", time.into()),
                    ("v", VERSION.into()),
                ]);
                serde_json::to_writer(out, &details)
            }
        }
    }

    /// The name of the event, for messages.
    pub(super) fn name(&self) -> &'static str {
        match &self.0 {
            Kind::Request(event) => event.phase,
            Kind::Notice { event, .. } => event,
        }
    }
}

/// An integer that every reader of JSON keeps exactly.
pub(super) fn integer(number: u64) -> u64 {
    number.min(canonical::INTEGER_MAX)
}

/// The event of a request. Fields stand in the order of canonical JSON: do not sort them by importance.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct RequestEvent {
    pub(super) auth: Option<Auth>,
    pub(super) caller: Option<CallerEntry>,
    /// A list of [`DataEntry`].
    pub(super) data: List,
    pub(super) dropped_masks: Vec<String>,
    pub(super) id: String,
    pub(super) node: String,
    pub(super) origin: OriginEntry,
    pub(super) outcome: Option<OutcomeEntry>,
    pub(super) part_of: Option<String>,
    pub(super) phase: &'static str,
    pub(super) policy: PolicyEntry,
    pub(super) prev: String,
    pub(super) purpose: Option<PurposeEntry>,
    pub(super) records: Records,
    pub(super) request: RequestEntry,
    pub(super) seq: u64,
    pub(super) time: String,
    pub(super) v: u8,
}

/// With what evidence the caller came.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Auth {
    pub(super) acr: Option<String>,
    pub(super) age_seconds: u64,
    pub(super) amr: Vec<String>,
    pub(super) method: &'static str,
}

/// Who asked.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CallerEntry {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) roles: Vec<String>,
}

/// A list that is encoded already, because that costs less elsewhere: once for many events, or all at once.
#[derive(Clone, Debug, Default)]
pub(super) enum List {
    /// Nothing is in it.
    #[default]
    Empty,
    /// The list as JSON.
    Text(Arc<RawValue>),
    /// It could not be encoded; neither can the event, then.
    Unusable,
}

impl List {
    /// What became of fields.
    pub(super) fn of_entries(entries: &[DataEntry]) -> Self {
        serde_json::to_string(entries).map_or(Self::Unusable, Self::of_text)
    }

    /// Entries that are encoded already.
    pub(super) fn of_text(text: String) -> Self {
        RawValue::from_string(text).map_or(Self::Unusable, |text| Self::Text(Arc::from(text)))
    }
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none: [(); 0] = [];
        match self {
            Self::Empty => none.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::Unusable => Err(serde::ser::Error::custom("a list cannot be encoded")),
        }
    }
}

/// What became of the fields of one category at one level because of the same rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct DataEntry {
    pub(super) by: Vec<String>,
    pub(super) category: Option<String>,
    pub(super) fields: Vec<String>,
    pub(super) in_text: u64,
    pub(super) level: Level,
    pub(super) records: u64,
}

/// From which network.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct OriginEntry {
    pub(super) ip: String,
}

/// How it ended.
#[derive(Clone, Debug, Serialize)]
pub(super) struct OutcomeEntry {
    pub(super) kind: &'static str,
    pub(super) milliseconds: u64,
    pub(super) reason: Option<&'static str>,
    pub(super) status: Option<u16>,
    pub(super) upstream_milliseconds: Option<u64>,
}

/// Under which policy.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct PolicyEntry {
    pub(super) hash: String,
    pub(super) mode: &'static str,
    pub(super) name: String,
}

/// For which purpose.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PurposeEntry {
    pub(super) basis: String,
    pub(super) chosen_by: &'static str,
    pub(super) id: String,
}

/// Of which records.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Records {
    pub(super) count: u64,
    /// A list of texts: `Contacts/c-1`.
    pub(super) refs: List,
    pub(super) withheld: Withheld,
}

/// Records that were left out, by why. Nothing leaves records out yet.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Withheld {
    pub(super) consent: u64,
    pub(super) retention: u64,
    pub(super) row: u64,
}

/// What was asked.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct RequestEntry {
    pub(super) action: Option<&'static str>,
    pub(super) asked: Vec<String>,
    pub(super) dialect: Option<&'static str>,
    pub(super) matched: Vec<String>,
    pub(super) module: Option<String>,
    pub(super) route: Option<String>,
    pub(super) sorted: Vec<String>,
    pub(super) trace: Option<String>,
    pub(super) written: Vec<String>,
}
