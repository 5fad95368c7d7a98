//! What of a request repeats: all but its id, time, duration and records. Requests of the same shape, caller and network give the
//! same answer to every question that is not about those.

use serde::{Deserialize, Serialize};

use super::super::format::brief::{self, Stated, Terms};
use super::super::format::full;
use super::super::format::refs::Refs;

/// The shape of a request, in the version of the format in which it was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Shape {
    /// With the number of its terms.
    Brief(Box<brief::Request>, u32),
    /// With all its fields.
    Full(Box<full::Request>),
}

/// What does not belong to the shape.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Id, name.
    pub(super) caller: Option<[String; 2]>,
    pub(super) origin: String,
    pub(super) id: String,
    pub(super) part_of: Option<String>,
    /// `Contacts/c-1`.
    pub(super) records: Vec<String>,
}

/// Takes out of a request what is its own.
pub(super) fn brief(request: &mut brief::Request) -> (Own, Option<Box<Terms>>) {
    let records = std::mem::take(&mut request.records.refs);
    let mut modules = Refs::default();
    for module in records.modules() {
        modules.add(module, "".into());
    }
    request.records.refs = modules;
    request.counts = request.counts.outlined(request.records.count);
    request.records.count = request.records.count.min(1);
    request.records.withheld = full::Withheld::default();
    let caller = request
        .caller
        .as_mut()
        .map(|caller| [&mut caller.id, &mut caller.name].map(std::mem::take));
    if let Some(auth) = &mut request.auth {
        (auth.age_seconds, auth.acr) = (0, None);
        auth.amr.clear();
    }
    if let Some(outcome) = &mut request.outcome {
        (outcome.milliseconds, outcome.upstream_milliseconds) = (0, None);
    }
    request.request.trace = None;
    request.dropped_masks.clear();
    request.flagged.clear();
    request.node.clear();
    request.prev.clear();
    request.time.clear();
    (request.seq, request.v) = (0, 0);
    let terms = match std::mem::replace(&mut request.terms, Stated::ById(String::new())) {
        Stated::Here(terms) => Some(terms),
        Stated::ById(_) => None,
    };
    let own = Own {
        caller,
        origin: std::mem::take(&mut request.origin.ip),
        id: std::mem::take(&mut request.id),
        part_of: request.part_of.take(),
        records: records.in_full(),
    };
    (own, terms)
}

/// The same of a request of the first version.
pub(super) fn full(request: &mut full::Request) -> Own {
    let records = std::mem::take(&mut request.records.refs);
    let mut modules: Vec<String> = records
        .iter()
        .filter_map(|record| Some(format!("{}/", record.split_once('/')?.0)))
        .collect();
    modules.sort_unstable();
    modules.dedup();
    request.records.refs = modules;
    request.records.count = request.records.count.min(1);
    request.records.withheld = full::Withheld::default();
    for entry in &mut request.data {
        (entry.records, entry.in_text) = (entry.records.min(1), entry.in_text.min(1));
    }
    if let Some(auth) = &mut request.auth {
        (auth.age_seconds, auth.acr) = (0, None);
        auth.amr.clear();
    }
    if let Some(outcome) = &mut request.outcome {
        (outcome.milliseconds, outcome.upstream_milliseconds) = (0, None);
    }
    request.request.trace = None;
    request.dropped_masks.clear();
    request.flagged.clear();
    request.node.clear();
    request.prev.clear();
    request.time.clear();
    (request.seq, request.v) = (0, 0);
    Own {
        caller: request
            .caller
            .as_mut()
            .map(|caller| [&mut caller.id, &mut caller.name].map(std::mem::take)),
        origin: std::mem::take(&mut request.origin.ip),
        id: std::mem::take(&mut request.id),
        part_of: request.part_of.take(),
        records,
    }
}

impl Shape {
    /// The request, as far as its shape tells. `terms` finds terms by number.
    pub(super) fn request<'t>(
        self,
        terms: &dyn Fn(u32) -> Option<&'t Terms>,
    ) -> Option<full::Request> {
        match self {
            Self::Brief(request, number) => request.in_full(terms(number)?),
            Self::Full(request) => Some(*request),
        }
    }
}
