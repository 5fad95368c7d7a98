//! What an index is about, and up to where.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::hex::hex;

use super::super::chain::{Lines, leaf};
use super::super::folder::segment_name;
use super::store::{Store, Table, Unusable, damaged};

/// What an index is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// The segments that it has read, in order; the last one perhaps in part.
    pub(super) segments: Vec<Segment>,
    /// The number of the last event that it knows.
    pub(super) last_seq: u64,
    /// The time of that event.
    pub(super) last_time: String,
    /// How many stretches there are.
    pub(super) stretches: u64,
    /// How many words there are of each kind.
    pub(super) words: [u32; 5],
    /// Requests that were opened and not closed: by id, with the number of the event.
    pub(super) unclosed: Vec<(String, u64)>,
    /// The terms that the last segment has said: their numbers among the words.
    pub(super) said: Vec<u32>,
    /// Events that told of a policy, by number.
    pub(super) loads: Vec<u64>,
}

/// A segment, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segment {
    /// The number of its first event.
    pub(super) first_seq: u64,
    /// How much of its text was read.
    pub(super) bytes: u64,
    /// Its events that were read.
    pub(super) events: u64,
    /// Over the hashes of all these.
    pub(super) digest: String,
    /// The hash of its first event.
    pub(super) first: String,
    /// Its file, as the system described it when it was looked at: bytes, and the time it was last written.
    pub(super) file: Option<(u64, i64, i64)>,
    /// The names of the CRMs in it.
    pub(super) upstreams: BTreeSet<String>,
}

impl State {
    pub(super) fn read(store: &Store) -> Result<Self, Unusable> {
        match store.get(Table::State, 0)? {
            Some(body) => serde_json::from_slice(&body).map_err(|_| damaged("its state")),
            None => Ok(Self::default()),
        }
    }

    pub(super) fn write(&self, store: &Store) -> Result<(), Unusable> {
        let body = serde_json::to_vec(self).map_err(|_| damaged("its state"))?;
        store.put(Table::State, 0, &body)
    }

    /// Events that it knows.
    pub(super) fn events(&self) -> u64 {
        self.segments.iter().map(|segment| segment.events).sum()
    }
}

impl Segment {
    /// The digest after one more event.
    pub(super) fn digest_after(&self, hash: &str) -> String {
        let text = [self.digest.as_str(), hash].concat();
        hex(&digest(&SHA256, text.as_bytes()).as_ref()[..16])
    }

    /// What the system says of its file now. A compressed segment is another file with the same text.
    pub(super) fn file_now(&self, dir: &Path) -> Option<(u64, i64, i64)> {
        let plain = dir.join(segment_name(self.first_seq));
        let mut packed = plain.clone().into_os_string();
        packed.push(".zst");
        let found = fs::metadata(&plain)
            .or_else(|_| fs::metadata(packed))
            .ok()?;
        Some((found.len(), found.mtime(), found.mtime_nsec()))
    }

    /// Whether the text of it is still what was read, unless `is_over` before that is known.
    pub(super) fn is_unchanged(
        &self,
        dir: &Path,
        is_over: &dyn Fn() -> bool,
    ) -> Result<bool, Unusable> {
        let mut lines = Lines::of_segment(dir, self.first_seq)?;
        let mut again = Self::default();
        while again.events < self.events && lines.next()?.is_some() {
            if is_over() {
                return Err(Unusable::Stopped);
            }
            again.digest = again.digest_after(&leaf(&lines.line));
            again.events += 1;
        }
        Ok(again.digest == self.digest
            && lines.end_bytes == self.bytes
            && again.events == self.events)
    }

    /// Whether it begins with the event that it began with.
    pub(super) fn begins_the_same(&self, dir: &Path) -> Result<bool, Unusable> {
        let mut lines = Lines::of_segment(dir, self.first_seq)?;
        lines.next()?;
        Ok(leaf(&lines.line) == self.first)
    }
}
