//! A request with all its fields: what readers see, and what version 1 wrote.

use serde::{Deserialize, Deserializer, Serialize};

use crate::reason::Outcome as Kind;

use super::{Origin, Phase, Purpose, Word};

/// What happened to one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Request {
    pub(in crate::audit) auth: Option<Auth>,
    pub(in crate::audit) caller: Option<Caller>,
    pub(in crate::audit) data: Vec<Entry>,
    pub(in crate::audit) dropped_masks: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::audit) flagged: Vec<String>,
    pub(in crate::audit) id: String,
    pub(in crate::audit) node: String,
    pub(in crate::audit) origin: Origin,
    pub(in crate::audit) outcome: Option<Outcome>,
    pub(in crate::audit) part_of: Option<String>,
    pub(in crate::audit) phase: Phase,
    pub(in crate::audit) policy: Policy,
    pub(in crate::audit) prev: String,
    pub(in crate::audit) purpose: Option<Purpose>,
    pub(in crate::audit) records: Records,
    pub(in crate::audit) request: Asked,
    pub(in crate::audit) seq: u64,
    pub(in crate::audit) time: String,
    pub(in crate::audit) v: u8,
}

/// With what evidence the caller came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Auth {
    pub(in crate::audit) acr: Option<String>,
    pub(in crate::audit) age_seconds: u64,
    pub(in crate::audit) amr: Vec<String>,
    pub(in crate::audit) method: Word,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::audit) strengths: Vec<String>,
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Caller {
    pub(in crate::audit) id: String,
    pub(in crate::audit) kind: Word,
    pub(in crate::audit) name: String,
    pub(in crate::audit) roles: Vec<String>,
}

/// What became of the fields of one category at one level because of the same rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Entry {
    pub(in crate::audit) by: Vec<String>,
    pub(in crate::audit) category: Option<String>,
    pub(in crate::audit) fields: Vec<String>,
    pub(in crate::audit) in_text: u64,
    pub(in crate::audit) level: crate::vocabulary::Level,
    pub(in crate::audit) records: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) would: Option<crate::vocabulary::Level>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::audit) would_by: Vec<String>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Outcome {
    #[serde(deserialize_with = "kind")]
    pub(in crate::audit) kind: String,
    pub(in crate::audit) milliseconds: u64,
    pub(in crate::audit) reason: Option<Word>,
    pub(in crate::audit) status: Option<u16>,
    pub(in crate::audit) upstream_milliseconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) would: Option<Word>,
}

/// Under which policy and, from version 2 on, which schema of the CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Policy {
    pub(in crate::audit) hash: String,
    pub(in crate::audit) mode: Word,
    pub(in crate::audit) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) schema: Option<String>,
}

/// Of which records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Records {
    pub(in crate::audit) count: u64,
    /// `Contacts/c-1`.
    pub(in crate::audit) refs: Vec<String>,
    pub(in crate::audit) withheld: Withheld,
}

/// Records that were left out, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Withheld {
    pub(in crate::audit) consent: u64,
    /// Missing where there are none, and before there could be any.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) restriction: u64,
    pub(in crate::audit) retention: u64,
    pub(in crate::audit) row: u64,
}

/// What was asked, and, from version 2 on, of which CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Asked {
    pub(in crate::audit) action: Option<Word>,
    pub(in crate::audit) asked: Vec<String>,
    pub(in crate::audit) dialect: Option<Word>,
    pub(in crate::audit) matched: Vec<String>,
    pub(in crate::audit) module: Option<String>,
    pub(in crate::audit) route: Option<String>,
    /// Missing where the request searched nothing, and in the first version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::audit) searched: Vec<String>,
    pub(in crate::audit) sorted: Vec<String>,
    pub(in crate::audit) trace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) upstream: Option<String>,
    pub(in crate::audit) written: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Reads the word for an outcome.
fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let word = String::deserialize(deserializer)?;
    let is_known = Kind::ALL.iter().any(|kind| kind.as_str() == word);
    match is_known {
        true => Ok(word),
        false => Err(serde::de::Error::custom("no outcome is called so")),
    }
}
