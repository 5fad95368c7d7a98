//! The format of the log: the one place that knows what its fields are called, for whoever writes and whoever reads.
//!
//! [`brief`] is a request as it is written: what many requests have in common is said once a segment, as [`brief::Terms`].
//! [`full`] is a request as readers see it, and as the first version of the format wrote it. [`notice`] is everything else.
//! Fields stand in the order of canonical JSON: do not sort them by importance.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) mod brief;
pub(super) mod counts;
pub(super) mod full;
pub(super) mod notice;
pub(super) mod refs;

/// The version of the format that is written.
pub(super) const VERSION: u8 = 2;
/// The version that names every field in every event. It is still read.
const VERSION_IN_FULL: u8 = 1;

/// A word of a closed list, or what a line says in its place.
pub(super) type Word = Cow<'static, str>;

/// What a line says, as it stands there.
#[derive(Debug)]
pub(super) enum Told {
    /// A request, with all its fields.
    Full(Box<full::Request>),
    /// A request, without what its terms say.
    Brief(Box<brief::Request>),
    /// Terms that events behind it name.
    Terms(Box<brief::Definition>),
    /// Anything else.
    Notice(Box<notice::Notice>),
}

/// Which event of its request an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Phase {
    /// It says how the request ended.
    Closed,
    /// It names further records.
    Continued,
    /// It says that the request is about to be carried out.
    Opened,
}

/// Where an event stands, and when it was written, as it says.
#[derive(Debug, Deserialize)]
pub(super) struct Stamp<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) prev: Cow<'a, str>,
    pub(super) seq: u64,
    #[serde(borrow)]
    pub(super) time: Cow<'a, str>,
}

/// In which version of the format an event is.
#[derive(Debug, Deserialize)]
pub(super) struct Version {
    pub(super) v: u64,
}

/// From which network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) ip: String,
}

/// For which purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Purpose {
    pub(super) basis: String,
    pub(super) chosen_by: Word,
    pub(super) id: String,
}

impl Told {
    /// Reads what a line in canonical form says; `None` if no version that is known says it so.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let version = value.get("v")?.as_u64()?;
        let event = value.get("event").map(|event| event.as_str());
        let told = match (event, version) {
            (None, version) if version == u64::from(VERSION_IN_FULL) => {
                Self::Full(Box::new(Deserialize::deserialize(value).ok()?))
            }
            (None, version) if version == u64::from(VERSION) => {
                Self::Brief(Box::new(Deserialize::deserialize(value).ok()?))
            }
            (Some(Some(brief::TERMS)), version) if version == u64::from(VERSION) => {
                Self::Terms(Box::new(Deserialize::deserialize(value).ok()?))
            }
            (Some(Some(_)), _) if is_known(version) => {
                Self::Notice(Box::new(Deserialize::deserialize(value).ok()?))
            }
            _ => return None,
        };
        Some(told)
    }
}

impl Told {
    /// Reads a line in canonical form whose version, and whose name if it has one, are known: `None` within it stands for a
    /// name that is not a string. As [`Self::read`], but nothing is built of a request but itself.
    pub(super) fn of_line(line: &[u8], name: Option<Option<&[u8]>>, version: u64) -> Option<Self> {
        let is_now = version == u64::from(VERSION);
        // Looked at as a whole, it need not be looked at string by string.
        let line = simdutf8::basic::from_utf8(line).ok()?;
        Some(match name {
            None if is_now => Self::Brief(Box::new(serde_json::from_str(line).ok()?)),
            None => Self::Full(Box::new(serde_json::from_str(line).ok()?)),
            Some(Some(name)) if is_now && name == brief::TERMS.as_bytes() => {
                Self::Terms(Box::new(serde_json::from_str(line).ok()?))
            }
            Some(_) => Self::read(&serde_json::from_str(line).ok()?)?,
        })
    }
}

/// Whether events of a version are understood.
pub(super) fn is_known(version: u64) -> bool {
    (u64::from(VERSION_IN_FULL)..=u64::from(VERSION)).contains(&version)
}

/// Whether a value says nothing, so that it is left out.
fn is_none<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
