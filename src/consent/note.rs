//! Notes for the access log: what was done, by whom, and never with an address. They lie in the ledger's outbox until whoever
//! holds the log takes them up.

use serde_json::{Value, json};

use crate::ledger::{Outgoing, PersonId, Reconciled, Use};

/// The sink of the outbox that the access log takes up from.
const SINK: &str = "audit";

/// What was done.
#[derive(Clone, Debug)]
pub enum Note<'a> {
    /// Somebody was told what the ledger has of a person, or of everybody (`None`).
    Read {
        /// Whom it is about; `None`: everybody, or somebody who is not known.
        person: Option<&'a PersonId>,
        /// By which command or route.
        how: &'static str,
    },
    /// A mail with a link was handed over.
    LinkSent {
        /// To whom the link is.
        person: &'a PersonId,
        /// What the link is for.
        used_for: Use,
        /// The purpose that it is about; `*` if all.
        purpose: &'a str,
    },
    /// A person confirmed by a link what was asked for.
    Confirmed {
        /// Whom it is about.
        person: &'a PersonId,
        /// The purpose.
        purpose: &'a str,
        /// The event that asked for it.
        request: &'a str,
    },
    /// What a CRM says was taken over.
    Synced {
        /// The name of the CRM.
        upstream: &'a str,
        /// Records that were read.
        seen: u64,
        /// What came of them.
        came: Reconciled,
        /// Whether all of it was read.
        whole: bool,
    },
    /// A file was imported.
    Imported {
        /// The SHA-256 of the file.
        sha256: &'a str,
        /// Events that are new.
        new: u64,
        /// Lines that were recorded before.
        known: u64,
        /// Lines that were left out.
        bad: u64,
    },
}

impl Note<'_> {
    /// As the outbox takes it.
    pub fn by(&self, by: &str) -> Outgoing {
        let mut body = match self {
            Self::Read { person, how } => json!({
                "event": "consent.read",
                "how": how,
                "person": person.map(PersonId::as_str),
            }),
            Self::LinkSent {
                person,
                used_for,
                purpose,
            } => json!({
                "event": "consent.link_sent",
                "person": person.as_str(),
                "purpose": purpose,
                "use": used_for.name(),
            }),
            Self::Confirmed {
                person,
                purpose,
                request,
            } => json!({
                "event": "consent.confirmed",
                "person": person.as_str(),
                "purpose": purpose,
                "request": request,
            }),
            Self::Synced {
                upstream,
                seen,
                came,
                whole,
            } => json!({
                "event": "consent.synced",
                "upstream": upstream,
                "seen": seen,
                "attached": came.attached,
                "affirmed": came.affirmed,
                "denied": came.denied,
                "gone": came.gone,
                "whole": whole,
            }),
            Self::Imported {
                sha256,
                new,
                known,
                bad,
            } => json!({
                "event": "consent.imported",
                "sha256": sha256,
                "new": new,
                "known": known,
                "bad": bad,
            }),
        };
        if let Value::Object(members) = &mut body {
            members.insert("by".to_owned(), by.into());
        }
        Outgoing {
            sink: SINK.to_owned(),
            body: body.to_string().into_bytes(),
            due: None,
        }
    }
}
