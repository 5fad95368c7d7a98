//! An event of the ledger, and the chain that its events make.

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;

use crate::hex::hex;

use super::error::Error;
use super::kinds::{ByKind, Kind, Proof};
use super::person::PersonId;

/// An event of the ledger. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place: the first is 1, none is left out.
    pub seq: i64,
    /// Its identifier.
    pub id: String,
    /// Whom it is about.
    pub person: PersonId,
    /// The purpose; `*` for all.
    pub purpose: String,
    /// What it says.
    pub kind: Kind,
    /// When it happened, as was said.
    pub at: i64,
    /// When it was recorded; never before the event before it.
    pub recorded: i64,
    /// The legal basis.
    pub basis: Option<String>,
    /// How well it is proven.
    pub proof: Proof,
    /// Where it comes from.
    pub source: String,
    /// By whom it is.
    pub by_kind: ByKind,
    /// Who recorded it.
    pub by_id: String,
    /// The text that the person was shown: its name,
    pub text_id: Option<String>,
    /// its version,
    pub text_version: Option<String>,
    /// and its SHA-256.
    pub text_sha256: Option<String>,
    /// The language of that text.
    pub language: Option<String>,
    /// When it ends.
    pub expires: Option<i64>,
    /// To whom data may go.
    pub recipient: Option<String>,
    /// For staff, despite which denial; of a merge, the person that is no more; of a confirmed link, the event that it answers.
    pub replaces: Option<String>,
    /// The name under which it is recorded once.
    pub reference: Option<String>,
    /// The hash of the event before it; blank for the first.
    pub prev: String,
    /// Its own.
    pub hash: String,
}

/// Where an event says that two persons are one.
pub(super) const MERGE: &str = "merge";

impl Event {
    /// The hash: SHA-256 of a zero byte and the canonical JSON (RFC 8785) of everything else. What is absent is `null`.
    pub(super) fn hashed(&self) -> Result<String, Error> {
        // The fields stand in the order of their names.
        #[derive(Serialize)]
        struct Canonical<'e> {
            at: i64,
            basis: Option<&'e str>,
            by_id: &'e str,
            by_kind: &'e str,
            expires: Option<i64>,
            id: &'e str,
            kind: &'e str,
            language: Option<&'e str>,
            person: &'e str,
            prev: &'e str,
            proof: &'e str,
            purpose: &'e str,
            recipient: Option<&'e str>,
            recorded: i64,
            reference: Option<&'e str>,
            replaces: Option<&'e str>,
            seq: i64,
            source: &'e str,
            text_id: Option<&'e str>,
            text_sha256: Option<&'e str>,
            text_version: Option<&'e str>,
        }
        let canonical = serde_json::to_vec(&Canonical {
            at: self.at,
            basis: self.basis.as_deref(),
            by_id: &self.by_id,
            by_kind: self.by_kind.name(),
            expires: self.expires,
            id: &self.id,
            kind: self.kind.name(),
            language: self.language.as_deref(),
            person: self.person.as_str(),
            prev: &self.prev,
            proof: self.proof.name(),
            purpose: &self.purpose,
            recipient: self.recipient.as_deref(),
            recorded: self.recorded,
            reference: self.reference.as_deref(),
            replaces: self.replaces.as_deref(),
            seq: self.seq,
            source: &self.source,
            text_id: self.text_id.as_deref(),
            text_sha256: self.text_sha256.as_deref(),
            text_version: self.text_version.as_deref(),
        });
        let canonical = canonical.map_err(|_| Error::corrupt("an event has no canonical form"))?;
        let mut context = Context::new(&SHA256);
        context.update(&[0]);
        context.update(&canonical);
        Ok(hex(context.finish().as_ref()))
    }

    /// From when an affirmation counts: what was recorded late is no younger for it.
    pub(super) fn affirmed_at(&self) -> i64 {
        self.at.min(self.recorded)
    }

    /// Whether it affirms after a denial, too: the person's own act, or staff that names why.
    pub(super) fn outweighs_denials(&self) -> bool {
        match self.by_kind {
            ByKind::Person => true,
            ByKind::Staff => self.replaces.is_some(),
            ByKind::System | ByKind::Import => false,
        }
    }

    /// The person that is another one's from here on.
    pub(super) fn merged(&self) -> Option<&str> {
        let is_merge = self.kind == Kind::Notice && self.source == MERGE;
        self.replaces.as_deref().filter(|_| is_merge)
    }
}

/// That an event is durable, and that this process's standings know it. Made only by the ledger.
///
/// ```compile_fail
/// let recorded = paravent::ledger::Recorded { event: unreachable!(), is_new: true };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub(super) event: Event,
    pub(super) is_new: bool,
}

impl Recorded {
    /// The event.
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Whether this made it; else it was recorded under this reference before.
    pub fn is_new(&self) -> bool {
        self.is_new
    }
}
