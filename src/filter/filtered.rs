//! Bytes that passed a filter.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{Asked, Filter, Limits, Memory, Report, Unfilterable, Whom};
use crate::dialect::Shape;
use crate::policy::Plan;
use crate::vocabulary::{RecordRef, RuleName};

/// Bytes of a reply that were held to a plan, field by field. Made only here; `reply` shows nothing else.
///
/// ```
/// fn sent(filtered: paravent::filter::Filtered) -> bytes::Bytes { filtered.into_bytes() }
/// ```
///
/// ```compile_fail
/// // What the CRM sent is not filtered: the constructor is private.
/// let filtered = paravent::filter::Filtered(bytes::Bytes::from_static(b"{}"));
/// ```
///
/// ```compile_fail
/// // Nobody puts other bytes in the place of those that passed: there is no such method.
/// fn changed(filtered: paravent::filter::Filtered) -> paravent::filter::Filtered {
///     filtered.rearranged(|_| bytes::Bytes::from_static(b"{}"))
/// }
/// ```
///
/// ```compile_fail
/// // What passed is put into another form by the filter's own house only, as a description of it says.
/// use paravent::dialect::Arrangement;
/// fn other(filtered: paravent::filter::Filtered) -> paravent::filter::Filtered {
///     filtered.arranged(&Arrangement::Id(Some("7".to_owned())))
/// }
/// ```
#[derive(Debug)]
pub struct Filtered(pub(super) Bytes);

impl Filtered {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes of a test, as if they had passed.
    #[cfg(test)]
    pub(crate) fn of_test(text: impl Into<Bytes>) -> Self {
        Self(text.into())
    }

    /// The bytes, to be sent.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// A filter, with what it has let through so far.
#[derive(Debug)]
pub struct Filtering {
    filter: Filter,
    out: Vec<u8>,
}

impl Filtering {
    /// Begins to filter a reply of this shape under this plan; see [`Filter::new`].
    pub fn new(plan: &Plan, shape: &Shape, asked: Asked, limits: Limits, memory: &Memory) -> Self {
        Self {
            filter: Filter::new(plan, shape, asked, limits, memory),
            out: Vec::new(),
        }
    }

    /// Takes a chunk of the CRM's answer.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Unfilterable> {
        // Most replies are about as long as they were; masks may be longer than what they stand for.
        self.out.reserve(chunk.len() + chunk.len() / 8);
        self.filter.push(chunk, &mut self.out)
    }

    /// How many bytes wait to be released.
    pub fn pending(&self) -> usize {
        self.out.len()
    }

    /// Hands out what has passed so far.
    pub fn release(&mut self) -> Filtered {
        Filtered(Bytes::from(std::mem::take(&mut self.out)))
    }

    /// Hands out the records that were met since the last call, for the log.
    pub fn take_refs(&mut self) -> Vec<RecordRef> {
        self.filter.take_refs()
    }

    /// Hands out whom those were about, for whoever counts persons.
    pub fn take_whom(&mut self) -> Vec<Whom> {
        self.filter.take_whom()
    }

    /// How many records were met so far, with and without a usable id.
    pub fn records(&self) -> u64 {
        self.filter.records()
    }

    /// Keys beside records that nobody has said anything of, so far: also of a reply that cannot be filtered.
    pub fn unheard(&self) -> &BTreeSet<Box<str>> {
        self.filter.unheard()
    }

    /// How many records are not there for the caller, by the rule that says so, so far: also of a reply that is about one such
    /// record, and so fails as [`Cause::Absent`](super::Cause::Absent).
    pub fn absent(&self) -> &BTreeMap<RuleName, u64> {
        self.filter.absent()
    }

    /// Ends the reply: the rest of what passed, and what was done.
    pub fn finish(self) -> Result<(Filtered, Report), Unfilterable> {
        let Self { filter, mut out } = self;
        let report = filter.finish(&mut out)?;
        Ok((Filtered(Bytes::from(out)), report))
    }
}
