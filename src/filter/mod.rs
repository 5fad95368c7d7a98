//! Holds the CRM's reply to the plan as it streams: bytes of one JSON text in, in chunks of any size; the same bytes
//! out, except the values that the plan treats. Pure: no I/O, no clock, no runtime; knows no CRM.
//!
//! `outline` follows what lies around the records as it streams, and collects each record whole; `record` and `show`
//! treat it then in one walk. `reader` is the only place that decides what is JSON; `plain` passes what is written as
//! most of it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::mem;

use crate::dialect::Shape;
use crate::policy::Plan;
use crate::vocabulary::{RecordRef, RuleName};

mod arranged;
mod asked;
mod book;
mod books;
mod collected;
mod copied;
mod elements;
mod extent;
mod facts;
mod filtered;
mod judged;
mod layouts;
mod memory;
mod outline;
mod pages;
mod persons;
mod reader;
mod record;
mod report;
mod route;
mod seen;
mod shaped;
mod sheet;
mod show;
mod terms;
mod text;
mod track;

use books::Books;
use outline::{Feed, Outline};
use reader::Fault;
use terms::Terms;

pub use asked::Asked;
pub use filtered::{Filtered, Filtering};
pub use memory::Memory;
pub use pages::{Pages, Taken};
pub use persons::{Described, Persons, Someone, Tells, Whom};
pub use report::{FieldCount, FieldCounts, FieldSet, InText, Misfit, Report};
pub use sheet::Sheet;
pub use text::{Finding, Replacement, findings, replacements};

/// Bounds of one reply.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one record.
    pub record_bytes_max: usize,
    /// Bytes of a text in which something is looked for. A longer one is redacted whole.
    pub text_bytes_max: usize,
    /// Nesting depth.
    pub depth_max: usize,
}

impl Limits {
    /// The same, no deeper than any limit can allow.
    fn bounded(self) -> Self {
        Self {
            depth_max: self.depth_max.min(DEPTH_CEILING),
            ..self
        }
    }
}

/// Why a reply cannot be filtered. Carries a place, never a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfilterable {
    /// What is wrong.
    pub cause: Cause,
    /// The byte of the body at which it was seen.
    pub offset: u64,
    /// The key that was read last of those that the dialect names beside records.
    pub under: Option<&'static str>,
}

/// What is wrong with a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Not a JSON text (RFC 8259).
    Syntax,
    /// Not UTF-8.
    Encoding,
    /// Nested too deeply.
    Depth,
    /// A classified or structural key occurs twice in one object.
    DuplicateKey,
    /// A value has not the type, or an object lacks a key, that the shape asks for.
    Shape,
    /// A record says that it belongs to another module than the planned one.
    OtherModule,
    /// A record is larger than `record_bytes_max`.
    RecordTooLarge,
    /// The text ended early.
    Truncated,
    /// The record that the reply is about is not there for this caller. Nothing of it was released.
    Absent,
}

/// Deepest nesting that any limit can allow: the treatment of related records recurses.
const DEPTH_CEILING: usize = 256;

/// The filter of one reply.
///
/// What was held back when a reply proves unfilterable is never released: `out` then ends where the last record or
/// scaffolding before it ended, and every further call fails in the same way.
pub struct Filter {
    outline: Outline,
    books: Books,
    /// Bytes of a value that has begun and not ended.
    held: Vec<u8>,
    /// How many bytes were passed before those.
    passed_bytes: u64,
    failed: Option<Unfilterable>,
}

impl Filter {
    /// A filter for a reply of this shape under this plan, to what the CRM was asked, which uses what others have left in a
    /// memory.
    pub fn new(plan: &Plan, shape: &Shape, asked: Asked, limits: Limits, memory: &Memory) -> Self {
        Self::on_terms(Box::new(plan.clone()), shape, asked, limits, memory)
    }

    fn on_terms(
        terms: Box<dyn Terms>,
        shape: &Shape,
        asked: Asked,
        limits: Limits,
        memory: &Memory,
    ) -> Self {
        let limits = limits.bounded();
        let books = Books::new(terms, shape, asked, limits, memory);
        Self {
            outline: Outline::new(shape, books.is_judging, limits),
            books,
            held: Vec::new(),
            passed_bytes: 0,
            failed: None,
        }
    }

    /// Takes a chunk. Appends to `out` only bytes that are final: a record is held until its last byte was read.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Unfilterable> {
        if self.held.is_empty() {
            let passed = self.run(chunk, 0, false, out)?;
            self.held
                .extend_from_slice(chunk.get(passed..).unwrap_or_default());
        } else {
            let mut held = mem::take(&mut self.held);
            let known_bytes = held.len();
            held.extend_from_slice(chunk);
            let passed = self.run(&held, known_bytes, false, out)?;
            held.drain(..passed);
            self.held = held;
        }
        Ok(())
    }

    /// Takes the records that were counted since the last call, so that a long reply need not keep them.
    pub fn take_refs(&mut self) -> Vec<RecordRef> {
        mem::take(&mut self.books.refs)
    }

    /// Takes whom those were about, and those without a usable id, where somebody tells.
    pub fn take_whom(&mut self) -> Vec<Whom> {
        mem::take(&mut self.books.whom)
    }

    /// How many records were counted so far, with and without a usable id.
    pub fn records(&self) -> u64 {
        self.books.records()
    }

    /// Keys beside records that nobody has said anything of, so far.
    pub fn unheard(&self) -> &BTreeSet<Box<str>> {
        self.books.unheard_keys()
    }

    /// How many records are not there for the caller, by the rule that says so, so far.
    pub fn absent(&self) -> &BTreeMap<RuleName, u64> {
        self.books.absent()
    }

    /// Ends the text and says what was done. [`Report::refs`] holds those that were not taken before.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Report, Unfilterable> {
        let held = mem::take(&mut self.held);
        let passed = self.run(&held, held.len(), true, out)?;
        if passed < held.len() || !self.outline.is_complete() {
            let rest = (held.len() - passed) as u64;
            return Err(Unfilterable {
                cause: Cause::Truncated,
                offset: self.passed_bytes + rest,
                under: self.outline.under(),
            });
        }
        Ok(self.books.report())
    }

    /// Passes as many bytes as can be decided now, and returns how many. The first `known_bytes` of them were looked at
    /// before.
    fn run(
        &mut self,
        bytes: &[u8],
        known_bytes: usize,
        is_last: bool,
        out: &mut Vec<u8>,
    ) -> Result<usize, Unfilterable> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let mut passed = 0;
        let mut fresh = None;
        loop {
            let final_bytes = out.len();
            let rest = bytes.get(passed..).unwrap_or_default();
            let text = (passed >= known_bytes).then(|| {
                let (from, text) = *fresh.get_or_insert_with(|| (passed, valid_text(rest)));
                text.get(passed - from..)
            });
            let step = Feed {
                rest,
                text: text.flatten(),
                is_last,
                books: &mut self.books,
                out,
            };
            match self.outline.step(step) {
                Ok(Some(length)) => {
                    passed += length;
                    self.passed_bytes += length as u64;
                }
                Ok(None) => return Ok(passed),
                Err(Fault { cause, at }) => {
                    out.truncate(final_bytes);
                    let failed = Unfilterable {
                        cause,
                        offset: self.passed_bytes + at as u64,
                        under: self.outline.under(),
                    };
                    self.failed = Some(failed);
                    return Err(failed);
                }
            }
        }
    }
}

/// The text that bytes begin with, as far as they are UTF-8.
fn valid_text(bytes: &[u8]) -> &str {
    let valid = |bytes| simdutf8::compat::from_utf8(bytes);
    let text = valid(bytes).or_else(|error| {
        let valid_bytes = bytes.get(..error.valid_up_to());
        valid(valid_bytes.unwrap_or_default())
    });
    text.unwrap_or_default()
}

impl fmt::Debug for Filter {
    /// Without the bytes that are held.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("passed_bytes", &self.passed_bytes)
            .field("held_bytes", &self.held.len())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
