//! Something that happened, on its way to the log.

use std::sync::Arc;

use crate::identity::Caller;

use super::chain::Head;
use super::classified::Classified;
use super::format::VERSION;
use super::format::brief::{self, Stated};
use super::format::notice::{Notice, Place};
use super::memory::Spelled;
use super::names::visible;
use super::record::PolicyStamp;
use super::{canonical, id};

/// Something that happened, ready to be numbered and written.
#[derive(Debug)]
pub struct Event(Kind);

#[derive(Debug)]
enum Kind {
    Request {
        event: Box<brief::Request>,
        /// `None` if they could not be spelled; neither can the event, then.
        terms: Option<Arc<Spelled>>,
    },
    Notice {
        id: String,
        notice: Box<Notice>,
    },
}

impl Event {
    /// A policy came into force, by its name and hash, which gives fields these categories.
    pub fn policy_loaded(name: &str, hash: &str, classified: &Classified) -> Self {
        Self::notice(Notice::PolicyLoaded {
            classified: classified.written(),
            hash: visible(hash),
            name: visible(name),
        })
    }

    /// A changed policy was refused because of its errors; the one in force stays.
    pub fn policy_rejected(errors: u64) -> Self {
        let errors = integer(errors);
        Self::notice(Notice::PolicyRejected { errors })
    }

    /// What a CRM tells of its modules was learned: from now on, its schema has this hash, so many fields and so many links.
    pub fn schema_learned(
        upstream: &str,
        dialect: &str,
        hash: &str,
        fields: u64,
        links: u64,
    ) -> Self {
        Self::notice(Notice::SchemaLearned {
            dialect: visible(dialect),
            fields: integer(fields),
            hash: visible(hash),
            links: integer(links),
            upstream: visible(upstream),
        })
    }

    /// A caller has used up the budget of refused predicates.
    pub fn predicates_used_up(caller: &Caller, policy: &PolicyStamp) -> Self {
        Self::notice(Notice::PredicatesUsedUp {
            caller: visible(caller.id()),
            name: visible(caller.name()),
            policy: visible(&policy.hash),
        })
    }

    /// An event that is not about one request.
    pub(super) fn notice(notice: Notice) -> Self {
        Self::notice_of(id::new(), notice)
    }

    /// The same under an id that it was given before.
    pub(super) fn notice_of(id: String, notice: Notice) -> Self {
        let notice = Box::new(notice);
        Self(Kind::Notice { id, notice })
    }

    /// An event about one request, on these terms.
    pub(super) fn request(event: brief::Request, terms: Option<Arc<Spelled>>) -> Self {
        let event = Box::new(event);
        Self(Kind::Request { event, terms })
    }

    /// The terms that it names, if it is about a request.
    pub(super) fn terms(&self) -> Option<&Arc<Spelled>> {
        match &self.0 {
            Kind::Request { terms, .. } => terms.as_ref(),
            Kind::Notice { .. } => None,
        }
    }

    /// Appends the event as the one behind another: its line, without a newline. The terms of a request stand before it in
    /// the segment, or (`here`) in itself.
    pub(super) fn line(
        &mut self,
        after: &Head,
        (node, time): (&str, &str),
        here: bool,
        out: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let (seq, prev) = (after.seq + 1, after.hash.as_str());
        match &mut self.0 {
            Kind::Request { event, terms } => {
                let terms = terms.as_ref().ok_or_else(unspelled)?;
                event.terms = match here {
                    true => Stated::Here(Box::new(terms.read()?)),
                    false => Stated::ById(terms.id().to_owned()),
                };
                (event.seq, event.v) = (seq, VERSION);
                prev.clone_into(&mut event.prev);
                node.clone_into(&mut event.node);
                time.clone_into(&mut event.time);
                serde_json::to_writer(out, &event)
            }
            Kind::Notice { id, notice } => {
                let place = Place {
                    id,
                    node,
                    prev,
                    seq,
                    time,
                };
                notice.line(place, out)
            }
        }
    }

    /// The name of the event, for messages.
    pub(super) fn name(&self) -> String {
        match &self.0 {
            Kind::Request { event, .. } => format!("{:?}", event.phase).to_lowercase(),
            Kind::Notice { notice, .. } => notice.name(),
        }
    }
}

fn unspelled() -> serde_json::Error {
    serde::ser::Error::custom("the terms cannot be spelled")
}

/// An integer that every reader of JSON keeps exactly.
pub(super) fn integer(number: u64) -> u64 {
    number.min(canonical::INTEGER_MAX)
}
