//! What whoever counts events reads of them: a whole log, once, in its order.

use std::path::Path;

use serde_json::Value;

use crate::vocabulary::Level;

use super::classified::Classified;
use super::events::{Found, each};
use super::expand::Entry;
use super::folder::segments;
use super::format::notice::Class;
use super::format::{Phase, full};
use super::index::Trouble;
use super::query::Summary;
use super::stretch::Stretch;
use super::upstreams::Upstreams;
use super::verdict::Fault;

/// What an event says of a request.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a>(&'a full::Request);

/// Where an event stands.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// Whether it is in the stretch that was asked for.
    pub is_within: bool,
    /// Whether the log tells of several CRMs, so that records and accounts are one only together with theirs.
    pub has_several: bool,
}

/// Which event of its request an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It says how the request ended.
    Closed,
    /// It names further records.
    Continued,
    /// It says that the request is about to be carried out.
    Opened,
}

/// For what a request named a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// To see it.
    Asked,
    /// To find records by it.
    Matched,
    /// To look for words in it, with others: a search tells what its fields hold as a filter does.
    Searched,
    /// To sort by it.
    Sorted,
    /// To change it.
    Written,
}

/// What became of the fields of one category at one level.
#[derive(Clone, Copy, Debug)]
pub struct Datum<'a> {
    /// The rules that made it so.
    pub by: &'a [String],
    /// The category; `None`: nobody has classified the fields.
    pub category: Option<&'a str>,
    /// `Module.field`.
    pub fields: &'a [String],
    /// How much was shown.
    pub level: Level,
    /// In how many records a field was present.
    pub records: u64,
    /// Identifiers of the category found inside of texts.
    pub in_text: u64,
}

impl Use {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Asked,
        Self::Matched,
        Self::Searched,
        Self::Sorted,
        Self::Written,
    ];
}

impl<'a> Seen<'a> {
    pub(super) fn of(request: &'a full::Request) -> Self {
        Self(request)
    }

    /// Which event of its request it is.
    pub fn part(self) -> Part {
        match self.0.phase {
            Phase::Closed => Part::Closed,
            Phase::Continued => Part::Continued,
            Phase::Opened => Part::Opened,
        }
    }

    /// Id and name of the caller.
    pub fn caller(self) -> Option<(&'a str, &'a str)> {
        let caller = self.0.caller.as_ref()?;
        Some((&caller.id, &caller.name))
    }

    /// From which network it came.
    pub fn origin(self) -> &'a str {
        &self.0.origin.ip
    }

    /// The roles that counted.
    pub fn roles(self) -> &'a [String] {
        let caller = self.0.caller.as_ref();
        caller.map_or(&[], |caller| caller.roles.as_slice())
    }

    /// The purpose and its legal basis.
    pub fn purpose(self) -> Option<(&'a str, &'a str)> {
        let purpose = self.0.purpose.as_ref()?;
        Some((&purpose.id, &purpose.basis))
    }

    /// What was done.
    pub fn action(self) -> Option<&'a str> {
        self.0.request.action.as_deref()
    }

    /// The CRM that it was for.
    pub fn upstream(self) -> Option<&'a str> {
        self.0.request.upstream.as_deref()
    }

    /// The module that was asked for.
    pub fn module(self) -> Option<&'a str> {
        self.0.request.module.as_deref()
    }

    /// The fields that the request named for a use.
    pub fn named(self, for_what: Use) -> &'a [String] {
        let asked = &self.0.request;
        match for_what {
            Use::Asked => &asked.asked,
            Use::Matched => &asked.matched,
            Use::Searched => &asked.searched,
            Use::Sorted => &asked.sorted,
            Use::Written => &asked.written,
        }
    }

    /// The word for the outcome.
    pub fn outcome(self) -> Option<&'a str> {
        Some(self.0.outcome.as_ref()?.kind.as_str())
    }

    /// The code of the refusal.
    pub fn reason(self) -> Option<&'a str> {
        self.0.outcome.as_ref()?.reason.as_deref()
    }

    /// The hash of the policy.
    pub fn policy(self) -> &'a str {
        &self.0.policy.hash
    }

    /// How many records were disclosed.
    pub fn disclosed(self) -> u64 {
        self.0.records.count
    }

    /// The records that it names: those that were disclosed, and those that were changed or whose relations were.
    pub fn refs(self) -> &'a [String] {
        &self.0.records.refs
    }

    /// What became of the fields.
    pub fn data(self) -> impl Iterator<Item = Datum<'a>> {
        self.0.data.iter().map(|entry| Datum {
            by: &entry.by,
            category: entry.category.as_deref(),
            fields: &entry.fields,
            level: entry.level,
            records: entry.records,
            in_text: entry.in_text,
        })
    }
}

impl Found {
    /// What it says of a request, if it is about one.
    pub fn seen(&self) -> Option<Seen<'_>> {
        self.request().map(Seen)
    }

    /// Its number in the log.
    pub fn seq(&self) -> u64 {
        match self.request() {
            Some(request) => request.seq,
            None => self.detail("seq").and_then(Value::as_u64).unwrap_or(0),
        }
    }

    /// A detail of an event that is not about a request.
    pub fn detail(&self, name: &str) -> Option<&Value> {
        self.notice()?.get(name)
    }

    /// The hash of the policy that came into force, and which categories its fields have, as far as that is told.
    pub fn loaded(&self) -> Option<(&str, Option<Classified>)> {
        let is_loaded = self.notice().is_some() && self.action() == Some("policy.loaded");
        let hash = self.detail("hash").filter(|_| is_loaded)?.as_str()?;
        let classes = self.detail("classified").cloned();
        let classes = classes.and_then(|value| serde_json::from_value::<Vec<Class>>(value).ok());
        Some((hash, classes.map(|classes| Classified::read(&classes))))
    }
}

/// Hands every event to `sink`, in the order of the log, with where it stands: whether in the stretch that two times mark,
/// given as events write them.
///
/// # Errors
/// If the log cannot be read. It is not verified.
pub fn stretch(
    dir: &Path,
    since: Option<&str>,
    until: Option<&str>,
    sink: &mut dyn FnMut(Found, Spot),
) -> Result<Summary, Fault> {
    let upstreams = Upstreams::find(dir)?;
    let mut stretch = Stretch::find(dir, since, until, None).map_err(Trouble::fault)?;
    each(dir, &mut |line, entry| {
        let standing = Spot {
            is_within: stretch.holds(line),
            has_several: upstreams.are_several(),
        };
        if !matches!(entry, Entry::Terms) {
            sink(Found::new(line, entry, &upstreams), standing);
        }
        std::ops::ControlFlow::Continue(())
    })
}

/// The number of the first event of the newest segment: so many events a log has at least.
pub fn events_at_least(dir: &Path) -> u64 {
    let segments = segments(dir).ok();
    segments.and_then(|all| all.last().copied()).unwrap_or(0)
}
