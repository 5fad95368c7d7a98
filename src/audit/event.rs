//! Something that happened, on its way to the log.

use std::sync::Arc;

use jiff::Timestamp;

use crate::identity::Caller;
use crate::limits::Reached;
use crate::vocabulary::RuleName;

use super::chain::Head;
use super::classified::Classified;
use super::format::VERSION;
use super::format::brief::{self, Stated};
use super::format::notice::{Notice, Place, SchemaOf};
use super::memory::Spelled;
use super::names::visible;
use super::record::PolicyStamp;
use super::{canonical, id};

/// A policy that came into force.
#[derive(Clone, Debug)]
pub struct Loaded<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its hash.
    pub hash: &'a str,
    /// The hash of the one before, if this process had one.
    pub previous: Option<&'a str>,
    /// The schemas that it is in force with: upstream, dialect, hash.
    pub schemas: Vec<(&'a str, &'static str, Arc<str>)>,
}

/// What made a policy or certificate come into force, or be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The process began.
    Start,
    /// Its files are other than they were.
    Watch,
    /// Somebody asked for it, with a signal.
    Signal,
}

impl By {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Watch => "watch",
            Self::Signal => "signal",
        }
    }
}

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
    /// A policy came into force, in these schemas, which gives fields these categories.
    pub fn policy_loaded(loaded: &Loaded<'_>, classified: &Classified, by: By) -> Self {
        let schemas = loaded.schemas.iter();
        let schemas = schemas.map(|(upstream, dialect, hash)| SchemaOf {
            dialect: visible(dialect),
            hash: visible(hash),
            upstream: visible(upstream),
        });
        Self::notice(Notice::PolicyLoaded {
            by: Some(by.as_str().to_owned()),
            classified: classified.written(),
            hash: visible(loaded.hash),
            name: visible(loaded.name),
            previous: loaded.previous.map(visible),
            schemas: schemas.collect(),
        })
    }

    /// A changed policy was refused because of errors with these codes; the one in force stays. Without a hash, it could not
    /// be read.
    pub fn policy_rejected(hash: Option<&str>, codes: &[&'static str], by: By) -> Self {
        Self::notice(Notice::PolicyRejected {
            by: by.as_str().to_owned(),
            codes: codes.iter().map(|code| (*code).to_owned()).collect(),
            hash: hash.map(visible),
        })
    }

    /// Another certificate is shown from now on, or others vouch for clients: by the hash of its DER form, and until when it
    /// is valid.
    pub fn certificate_loaded(
        what: &str,
        fingerprint: &str,
        not_after: Option<Timestamp>,
        by: By,
    ) -> Self {
        Self::notice(Notice::CertificateLoaded {
            by: by.as_str().to_owned(),
            fingerprint: visible(fingerprint),
            not_after: not_after.map(|time| time.to_string()),
            what: visible(what),
        })
    }

    /// A changed certificate was refused because of errors with these codes; the one in use stays.
    pub fn certificate_rejected(what: &str, codes: &[&'static str], by: By) -> Self {
        Self::notice(Notice::CertificateRejected {
            by: by.as_str().to_owned(),
            codes: codes.iter().map(|code| (*code).to_owned()).collect(),
            what: visible(what),
        })
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

    /// A caller of a CRM has reached a limit of a policy.
    pub(super) fn records_used_up(
        (caller, name): (&str, &str),
        upstream: &str,
        policy: &str,
        reached: &Reached,
    ) -> Self {
        let limit = &reached.limit;
        Self::notice(Notice::RecordsUsedUp {
            caller: visible(caller),
            count: Some(limit.count().as_str().to_owned()),
            limit: visible(limit.name().as_str()),
            max: u64::from(limit.max()),
            name: visible(name),
            policy: visible(policy),
            then: limit.then().as_str().to_owned(),
            upstream: visible(upstream),
            window: limit.per().as_str().to_owned(),
            would_be: integer(reached.would_be),
        })
    }

    /// That an exception let a caller be shown something.
    pub(super) fn exception_used(
        (caller, name): (&str, &str),
        upstream: &str,
        policy: &str,
        exception: &RuleName,
    ) -> Self {
        Self::notice(Notice::ExceptionUsed {
            caller: visible(caller),
            exception: visible(exception.as_str()),
            name: visible(name),
            policy: visible(policy),
            upstream: visible(upstream),
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

    /// Whether it is written though the log has taken all the room that it may: it says what becomes of the log itself.
    pub(super) fn is_of_the_log(&self) -> bool {
        let Kind::Notice { notice, .. } = &self.0 else {
            return false;
        };
        matches!(
            **notice,
            Notice::Gap { .. }
                | Notice::Key { .. }
                | Notice::Pruned { .. }
                | Notice::Recovered { .. }
                | Notice::Segment { .. }
                | Notice::Started { .. }
                | Notice::Stopped {}
        )
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
