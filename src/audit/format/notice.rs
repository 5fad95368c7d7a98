//! Events that are not about one request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::VERSION;

/// What happened. Details that are null stand in the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event")]
pub(in crate::audit) enum Notice {
    /// Somebody took events out of the log, with what proves them.
    #[serde(rename = "audit.exported")]
    Exported(Exported),
    /// Events that had been on disk are not where they were.
    #[serde(rename = "audit.gap")]
    Gap {
        last_hash: String,
        last_seq: u64,
        refused: u64,
        why: String,
    },
    /// Segments that were kept long enough are about to go; their leaves stay.
    #[serde(rename = "audit.pruned")]
    Pruned {
        bytes: u64,
        first_seq: u64,
        keep: String,
        last_seq: u64,
        segments: u64,
        why: String,
    },
    /// A key signs checkpoints from here on.
    #[serde(rename = "audit.key")]
    Key {
        key: String,
        previous: Option<String>,
        signatures: Vec<String>,
    },
    /// Somebody asked the log.
    #[serde(rename = "audit.read")]
    Read {
        command: Option<String>,
        uid: u32,
        words: Vec<String>,
    },
    /// The log goes on after a torn end or a failed write.
    #[serde(rename = "audit.recovered")]
    Recovered {
        bytes: u64,
        part: Option<String>,
        refused: u64,
    },
    /// A segment begins: of which log it is, with which event that began, and the tree over the events before.
    #[serde(rename = "audit.segment")]
    Segment {
        from: u64,
        log: String,
        tree: Vec<String>,
    },
    /// The log was opened. The first versions of the program did not say whether a head was kept.
    #[serde(rename = "audit.started")]
    Started {
        durability: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        head: Option<String>,
    },
    /// The log was closed in order.
    #[serde(rename = "audit.stopped")]
    Stopped {},
    /// Requests were refused of which nobody knows whose they were, or what they meant.
    #[serde(rename = "auth.refused")]
    Refused {
        count: u64,
        origin: Option<String>,
        reason: String,
    },
    /// Connections that begin from now on are shown another certificate, or judged by other authorities.
    #[serde(rename = "certificate.loaded")]
    CertificateLoaded {
        by: String,
        fingerprint: String,
        not_after: Option<String>,
        what: String,
    },
    /// A changed certificate was refused; the one in use stays.
    #[serde(rename = "certificate.rejected")]
    CertificateRejected {
        by: String,
        codes: Vec<String>,
        what: String,
    },
    /// The clock tells an earlier time than that of the event before.
    #[serde(rename = "clock.stepped")]
    ClockStepped { from: String, to: String },
    /// A person confirmed by a link what was asked for.
    #[serde(rename = "consent.confirmed")]
    ConsentConfirmed {
        by: String,
        person: String,
        purpose: String,
        request: String,
    },
    /// A file was imported into the consent ledger.
    #[serde(rename = "consent.imported")]
    ConsentImported {
        bad: u64,
        by: String,
        known: u64,
        new: u64,
        sha256: String,
    },
    /// A mail with a link was handed over: whose link, for what (`confirm preferences`), about which purpose.
    #[serde(rename = "consent.link_sent")]
    ConsentLinkSent {
        by: String,
        person: String,
        purpose: String,
        #[serde(rename = "use")]
        used_for: String,
    },
    /// Two persons of the consent ledger became one.
    #[serde(rename = "consent.merged")]
    ConsentMerged(ConsentChange),
    /// Somebody was told what the consent ledger has of a person; without one, of everybody.
    #[serde(rename = "consent.read")]
    ConsentRead {
        by: String,
        how: String,
        person: Option<String>,
    },
    /// Something was recorded in the consent ledger.
    #[serde(rename = "consent.recorded")]
    ConsentRecorded(ConsentChange),
    /// What a CRM says of consent was taken over into the consent ledger.
    #[serde(rename = "consent.synced")]
    ConsentSynced {
        affirmed: u64,
        attached: u64,
        by: String,
        denied: u64,
        gone: u64,
        seen: u64,
        upstream: String,
        whole: bool,
    },
    /// Records of a CRM are read, or were, to see what its fields hold.
    #[serde(rename = "discover")]
    Discover(Sampled),
    /// A caller was shown something that a cap would have withheld, had no exception lifted it.
    #[serde(rename = "exception.used")]
    ExceptionUsed {
        caller: String,
        exception: String,
        name: String,
        policy: String,
        upstream: String,
    },
    /// An API key was made.
    #[serde(rename = "key.created")]
    KeyCreated(KeyChange),
    /// The newest secret of an API key has expired. Nobody did that.
    #[serde(rename = "key.expired")]
    KeyExpired(KeyChange),
    /// An API key was revoked.
    #[serde(rename = "key.revoked")]
    KeyRevoked(KeyChange),
    /// An API key got a new secret.
    #[serde(rename = "key.rotated")]
    KeyRotated(KeyChange),
    /// A caller has used up a budget of refused predicates.
    #[serde(rename = "limit.predicates")]
    PredicatesUsedUp {
        caller: String,
        name: String,
        policy: String,
    },
    /// There were too many requests.
    #[serde(rename = "limit.reached")]
    LimitReached {
        count: u64,
        origin: Option<String>,
        reason: String,
    },
    /// A caller was shown as many records, or persons, as a limit of the policy lets through, or would have been shown more.
    /// Without `count`, it counts records: the first versions of the program did not say so.
    #[serde(rename = "limit.records")]
    RecordsUsedUp {
        caller: String,
        #[serde(default)]
        count: Option<String>,
        limit: String,
        max: u64,
        name: String,
        policy: String,
        then: String,
        upstream: String,
        window: String,
        would_be: u64,
    },
    /// A policy came into force, or other schemas. Without `classified`, nobody knows which categories its fields have. The
    /// first versions of the program loaded one policy at their start, and did not say so.
    #[serde(rename = "policy.loaded")]
    PolicyLoaded {
        #[serde(default)]
        by: Option<String>,
        classified: Option<Vec<Class>>,
        hash: String,
        name: String,
        #[serde(default)]
        previous: Option<String>,
        #[serde(default)]
        schemas: Vec<SchemaOf>,
    },
    /// A changed policy was refused because of its errors; the one in force stays. Without `hash`, it could not be read.
    #[serde(rename = "policy.rejected")]
    PolicyRejected {
        by: String,
        codes: Vec<String>,
        hash: Option<String>,
    },
    /// Records of a CRM are read, or were, to see what stands in its texts.
    #[serde(rename = "scan")]
    Scan(Sampled),
    /// What the CRM tells of its modules was learned.
    #[serde(rename = "schema.learned")]
    SchemaLearned {
        dialect: String,
        fields: u64,
        hash: String,
        links: u64,
        upstream: String,
    },
    /// An event that this version does not know by name.
    #[serde(other)]
    Other,
}

/// What was taken out of the log, for what and by whom; and the SHA-256 of the bundle. All null: the note of it is not readable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Exported {
    pub(in crate::audit) events: Option<u64>,
    pub(in crate::audit) filters: Vec<String>,
    #[serde(rename = "for")]
    pub(in crate::audit) purpose: Option<String>,
    pub(in crate::audit) sha256: Option<String>,
    pub(in crate::audit) uid: u32,
}

/// An event of the consent ledger: by whom it is (`person staff system import`), its identifier and hash there, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct ConsentChange {
    pub(in crate::audit) by: String,
    pub(in crate::audit) entry: String,
    pub(in crate::audit) hash: String,
    pub(in crate::audit) kind: String,
    pub(in crate::audit) person: String,
    pub(in crate::audit) proof: String,
    pub(in crate::audit) purpose: String,
    pub(in crate::audit) recorded: String,
}

/// What was done to an API key: the id of its newest secret, its name, when that was, and who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct KeyChange {
    pub(in crate::audit) by: Option<String>,
    pub(in crate::audit) key: String,
    pub(in crate::audit) name: String,
    pub(in crate::audit) when: String,
}

/// What is known of the data of one CRM in one dialect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct SchemaOf {
    pub(in crate::audit) dialect: String,
    pub(in crate::audit) hash: String,
    pub(in crate::audit) upstream: String,
}

/// Records of a module that a command reads: by whom it was run, with whose account in the CRM (null: the proxy's own), how
/// many at most (null: all), and how many it has read (null: it is about to). `uid` is who left the note that says all this;
/// the first versions of the program did not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Sampled {
    pub(in crate::audit) account: Option<String>,
    pub(in crate::audit) by: String,
    pub(in crate::audit) dialect: String,
    pub(in crate::audit) module: String,
    pub(in crate::audit) most: Option<u64>,
    pub(in crate::audit) read: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) uid: Option<u32>,
    pub(in crate::audit) upstream: String,
}

/// Fields, and patterns of fields, with the same categories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct Class {
    pub(in crate::audit) categories: Vec<String>,
    pub(in crate::audit) fields: Vec<String>,
}

/// Whether a name of an event says where and when it stands, or what it is called.
pub(in crate::audit) fn is_place(name: &str) -> bool {
    matches!(
        name,
        "event" | "id" | "node" | "prev" | "seq" | "time" | "v"
    )
}

/// Where and when an event stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::audit) struct Place<'a> {
    pub(in crate::audit) id: &'a str,
    pub(in crate::audit) node: &'a str,
    pub(in crate::audit) prev: &'a str,
    pub(in crate::audit) seq: u64,
    pub(in crate::audit) time: &'a str,
}

impl Notice {
    /// The name of the event.
    pub(in crate::audit) fn name(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value["event"].as_str().unwrap_or_default().to_owned()
    }

    /// Appends the event as it is written.
    pub(in crate::audit) fn line(
        &self,
        place: Place<'_>,
        out: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let value = serde_json::to_value(self)?;
        let details = value.as_object().into_iter().flatten();
        let mut sorted: BTreeMap<&str, Value> = details
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        sorted.extend([
            ("id", Value::from(place.id)),
            ("node", place.node.into()),
            ("prev", place.prev.into()),
            ("seq", place.seq.into()),
            ("time", place.time.into()),
            ("v", VERSION.into()),
        ]);
        serde_json::to_writer(out, &sorted)
    }
}
