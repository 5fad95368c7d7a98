//! A request as it is written: what it has in common with others is said once, as terms. What is null, empty or zero is
//! left out, but for the zeros that say something: a duration, an age.

use aws_lc_rs::digest::{SHA256, digest};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::reason::Outcome as Kind;
use crate::vocabulary::Level;

use super::counts::Counts;
use super::full::{self, Withheld};
use super::refs::Refs;
use super::{Origin, Phase, Purpose, Word, is_none};

/// The name of the event that says terms.
pub(in crate::audit) const TERMS: &str = "terms";

/// What happened to one request, but for what its terms say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::audit) struct Request {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) auth: Option<Auth>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) caller: Option<Caller>,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) counts: Counts,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) dropped_masks: Vec<String>,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) flagged: Vec<String>,
    pub(in crate::audit) id: String,
    pub(in crate::audit) node: String,
    pub(in crate::audit) origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) part_of: Option<String>,
    pub(in crate::audit) phase: Phase,
    pub(in crate::audit) prev: String,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) records: Records,
    pub(in crate::audit) request: Asked,
    pub(in crate::audit) seq: u64,
    pub(in crate::audit) terms: Stated,
    pub(in crate::audit) time: String,
    pub(in crate::audit) v: u8,
}

/// With what evidence the caller came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::audit) struct Auth {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) acr: Option<String>,
    pub(in crate::audit) age_seconds: u64,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) amr: Vec<String>,
    pub(in crate::audit) method: Word,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) strengths: Vec<String>,
}

/// Who asked. The roles that counted are among the terms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::audit) struct Caller {
    pub(in crate::audit) id: String,
    pub(in crate::audit) kind: Word,
    pub(in crate::audit) name: String,
}

/// How it ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::audit) struct Outcome {
    #[serde(serialize_with = "word", deserialize_with = "kind")]
    pub(in crate::audit) kind: Kind,
    pub(in crate::audit) milliseconds: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) reason: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) status: Option<u16>,
    /// Without it, the CRM was not asked; it may take less than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) upstream_milliseconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) would: Option<Word>,
}

/// Of which records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Records {
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) count: u64,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) refs: Refs,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) withheld: Withheld,
}

/// What was asked, of which CRM. The fields that it asked to see are among the terms.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::audit) struct Asked {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) action: Option<Word>,
    pub(in crate::audit) dialect: Word,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) matched: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) module: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) route: Option<String>,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) searched: Vec<String>,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) sorted: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) trace: Option<String>,
    pub(in crate::audit) upstream: String,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) written: Vec<String>,
}

/// What requests have in common that ask the same in the same roles for the same purpose, and meet the same fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Terms {
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) asked: Vec<String>,
    /// In the order of the counts.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) data: Vec<Entry>,
    pub(in crate::audit) policy: Policy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) purpose: Option<Purpose>,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) roles: Vec<String>,
}

/// The fields of one category at one level because of the same rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Entry {
    pub(in crate::audit) by: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) category: Option<String>,
    pub(in crate::audit) fields: Vec<String>,
    pub(in crate::audit) level: Level,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) would: Option<Level>,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::audit) would_by: Vec<String>,
}

/// Under which policy, and which schema of the CRM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Policy {
    pub(in crate::audit) hash: String,
    pub(in crate::audit) mode: Word,
    pub(in crate::audit) name: String,
    pub(in crate::audit) schema: String,
}

/// How an event states its terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::audit) enum Stated {
    /// By the id under which they stand before it in the same segment.
    ById(String),
    /// Itself: the segment holds the terms of too many others.
    Here(Box<Terms>),
}

/// The event that says terms, for those behind it in the same segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::audit) struct Definition<T = Terms> {
    pub(in crate::audit) event: Word,
    pub(in crate::audit) id: String,
    pub(in crate::audit) node: String,
    pub(in crate::audit) prev: String,
    pub(in crate::audit) seq: u64,
    pub(in crate::audit) terms: T,
    pub(in crate::audit) time: String,
    pub(in crate::audit) v: u8,
}

impl Terms {
    /// The id of terms, of their canonical text: `t:` and the first 128 bits of its SHA-256.
    pub(in crate::audit) fn id_of(text: &str) -> String {
        let hash = digest(&SHA256, text.as_bytes());
        let bits = hash.as_ref().iter().take(16);
        let bits = bits.fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        format!("t:{bits:032x}")
    }

    /// Whether an id is that of what they say.
    pub(in crate::audit) fn have_id(&self, id: &str) -> bool {
        let text = serde_json::to_string(self);
        text.is_ok_and(|text| Self::id_of(&text) == id)
    }
}

impl Definition {
    /// Whether its id is that of what it says.
    pub(in crate::audit) fn is_sound(&self) -> bool {
        self.terms.have_id(&self.id)
    }
}

impl Request {
    /// The same with all its fields; `None` if it counts more entries than its terms have.
    pub(in crate::audit) fn in_full(&self, terms: &Terms) -> Option<full::Request> {
        if !self.counts.fit(terms.data.len()) {
            return None;
        }
        let caller = self.caller.clone().map(|caller| full::Caller {
            id: caller.id,
            kind: caller.kind,
            name: caller.name,
            roles: terms.roles.clone(),
        });
        let auth = self.auth.clone().map(|auth| full::Auth {
            acr: auth.acr,
            age_seconds: auth.age_seconds,
            amr: auth.amr,
            method: auth.method,
            strengths: auth.strengths,
        });
        Some(full::Request {
            auth,
            caller,
            data: terms.counted(&self.counts, self.records.count),
            dropped_masks: self.dropped_masks.clone(),
            flagged: self.flagged.clone(),
            id: self.id.clone(),
            node: self.node.clone(),
            origin: self.origin.clone(),
            outcome: self.outcome.clone().map(Outcome::in_full),
            part_of: self.part_of.clone(),
            phase: self.phase,
            policy: full::Policy {
                hash: terms.policy.hash.clone(),
                mode: terms.policy.mode.clone(),
                name: terms.policy.name.clone(),
                schema: Some(terms.policy.schema.clone()),
            },
            prev: self.prev.clone(),
            purpose: terms.purpose.clone(),
            records: full::Records {
                count: self.records.count,
                refs: self.records.refs.in_full(),
                withheld: self.records.withheld,
            },
            request: self.request.clone().in_full(terms.asked.clone()),
            seq: self.seq,
            time: self.time.clone(),
            v: self.v,
        })
    }
}

impl Terms {
    fn counted(&self, counts: &Counts, records: u64) -> Vec<full::Entry> {
        let counted = |(place, entry): (usize, &Entry)| {
            let (records, in_text) = counts.of(place, records);
            full::Entry {
                by: entry.by.clone(),
                category: entry.category.clone(),
                fields: entry.fields.clone(),
                in_text,
                level: entry.level,
                records,
                would: entry.would,
                would_by: entry.would_by.clone(),
            }
        };
        self.data.iter().enumerate().map(counted).collect()
    }
}

impl Outcome {
    fn in_full(self) -> full::Outcome {
        full::Outcome {
            kind: self.kind.as_str().to_owned(),
            milliseconds: self.milliseconds,
            reason: self.reason,
            status: self.status,
            upstream_milliseconds: self.upstream_milliseconds,
            would: self.would,
        }
    }
}

impl Asked {
    fn in_full(self, asked: Vec<String>) -> full::Asked {
        full::Asked {
            action: self.action,
            asked,
            dialect: Some(self.dialect),
            matched: self.matched,
            module: self.module,
            route: self.route,
            searched: self.searched,
            sorted: self.sorted,
            trace: self.trace,
            upstream: Some(self.upstream),
            written: self.written,
        }
    }
}

impl Serialize for Stated {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::ById(id) => serializer.serialize_str(id),
            Self::Here(terms) => terms.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Stated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(id) => Ok(Self::ById(id)),
            value => Terms::deserialize(value)
                .map(|terms| Self::Here(Box::new(terms)))
                .map_err(D::Error::custom),
        }
    }
}

fn word<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
    let word = Word::deserialize(deserializer)?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == word);
    kind.ok_or_else(|| D::Error::custom("no outcome is called so"))
}
