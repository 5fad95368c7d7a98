//! Lines that are to be appended in one piece.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use super::chain::{EVENT_BYTES_MAX, Head, leaf_hash};
use super::event::Event;
use super::memory::Spelled;
use super::tree::Hash;

/// Bytes that most pages have.
const BYTES_USUAL: usize = 4 << 10;
/// Terms that one segment holds; further events say theirs themselves.
pub(super) const TERMS_MAX: usize = 4_096;

/// Events that follow a head, each bound to the one before it, as they will stand in the log.
#[derive(Debug)]
pub(super) struct Page<'s> {
    /// Their lines.
    pub(super) bytes: Vec<u8>,
    /// The head behind them.
    pub(super) head: Head,
    /// Their leaves in the tree.
    pub(super) leaves: Vec<Hash>,
    /// The length of the last line with its newline, and its hash.
    pub(super) last: Option<(u64, String)>,
    /// The terms that it says: only once it stands in the segment do later pages count on them.
    pub(super) fresh: HashSet<Box<str>>,
    /// The terms that stand before it in the segment.
    stated: &'s HashSet<Box<str>>,
    node: &'s str,
    time: &'s str,
}

impl<'s> Page<'s> {
    /// A page behind a head, in a segment that holds these terms.
    pub(super) fn new(
        head: &Head,
        stated: &'s HashSet<Box<str>>,
        (node, time): (&'s str, &'s str),
    ) -> Self {
        Self {
            bytes: Vec::with_capacity(BYTES_USUAL),
            head: head.clone(),
            leaves: Vec::new(),
            last: None,
            fresh: HashSet::new(),
            stated,
            node,
            time,
        }
    }

    /// Adds an event, after its terms if the segment does not hold them yet.
    ///
    /// # Errors
    /// If it is too large for the log, or cannot be encoded: then the page is as it was.
    pub(super) fn add(&mut self, event: &mut Event) -> io::Result<()> {
        let missing = event.terms().filter(|terms| !self.holds(terms.id()));
        let Some(terms) = missing.cloned() else {
            return self.line(|head, stamp, out| event.line(head, stamp, false, out));
        };
        if self.stated.len() + self.fresh.len() >= TERMS_MAX {
            return self.line(|head, stamp, out| event.line(head, stamp, true, out));
        }
        self.add_with(&terms, event)
    }

    fn add_with(&mut self, terms: &Arc<Spelled>, event: &mut Event) -> io::Result<()> {
        let (bytes, head, last) = (self.bytes.len(), self.head.clone(), self.last.clone());
        let leaves = self.leaves.len();
        let added = self
            .line(|head, stamp, out| terms.line(head, stamp, out))
            .and_then(|()| self.line(|head, stamp, out| event.line(head, stamp, false, out)));
        if added.is_err() {
            self.bytes.truncate(bytes);
            self.leaves.truncate(leaves);
            (self.head, self.last) = (head, last);
            return added;
        }
        self.fresh.insert(terms.id().into());
        Ok(())
    }

    fn holds(&self, id: &str) -> bool {
        self.stated.contains(id) || self.fresh.contains(id)
    }

    fn line(
        &mut self,
        write: impl FnOnce(&Head, (&str, &str), &mut Vec<u8>) -> serde_json::Result<()>,
    ) -> io::Result<()> {
        let start = self.bytes.len();
        let written = write(&self.head, (self.node, self.time), &mut self.bytes);
        let line = self.bytes.get(start..).unwrap_or_default();
        if written.is_err() || line.len() > EVENT_BYTES_MAX {
            self.bytes.truncate(start);
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let leaf = leaf_hash(line);
        self.head = self.head.after(&leaf);
        self.last = Some((line.len() as u64 + 1, self.head.hash.clone()));
        self.leaves.push(leaf);
        self.bytes.push(b'\n');
        Ok(())
    }
}
