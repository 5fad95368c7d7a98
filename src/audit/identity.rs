//! Which log a segment belongs to, and where: the identity of a log, and the Merkle tree over its events.
//!
//! Each segment begins by saying so, in an event `audit.segment`: a start needs to read no more than the last one.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use memchr::memmem;
use serde::Deserialize;

use crate::hex::hex;

use super::chain::{End, Head, Line, Lines, leaf_hash, raw_hash, spelled};
use super::event::Event;
use super::format::Told;
use super::format::notice::Notice;
use super::pruned::Pruned;
use super::tree::{Hash, Tree};

/// How a line is recognised that may state a tree; inside of a string the quotes would have backslashes.
const STATEMENT: &[u8] = b"\"event\":\"audit.segment\"";
const GAP: &str = "audit.gap";

/// The tree over the events of a log, under one identity of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTree {
    log: String,
    from: u64,
    tree: Tree,
}

impl LogTree {
    /// A new identity, whose first event will have a number.
    pub(super) fn new(from: u64) -> io::Result<Self> {
        let mut id = [0; 16];
        let filled = SystemRandom::new().fill(&mut id);
        filled.map_err(|_| io::Error::other("the system gives no randomness"))?;
        Ok(Self {
            log: hex(&id),
            from,
            tree: Tree::default(),
        })
    }

    /// The same before its first event.
    fn begun(&self) -> Self {
        Self {
            tree: Tree::default(),
            ..self.clone()
        }
    }

    /// The identity: 32 hexadecimal digits.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// The number of its first event.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// The tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The number of the event that comes next.
    pub(super) fn next_seq(&self) -> u64 {
        self.from + self.tree.size()
    }

    /// Adds the next event.
    pub(super) fn push(&mut self, leaf: Hash) {
        self.tree.push(leaf);
    }

    /// The same after further events.
    pub(super) fn after(&self, leaves: &[Hash]) -> Self {
        let mut grown = self.clone();
        leaves.iter().for_each(|leaf| grown.push(*leaf));
        grown
    }

    /// The event that says all this at the beginning of a segment.
    pub(super) fn statement(&self) -> Event {
        Event::notice(Notice::Segment {
            from: self.from,
            log: self.log.clone(),
            tree: self.tree.edge().iter().map(|hash| hex(hash)).collect(),
        })
    }

    /// What an event states; `None` if it is no such statement, or one that cannot be.
    pub(super) fn stated(line: &Line) -> Option<Self> {
        let Some(Told::Notice(notice)) = line.told() else {
            return None;
        };
        let Notice::Segment { from, log, tree } = *notice else {
            return None;
        };
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_id = log.len() == 32 && log.bytes().all(is_hex);
        let size = line.seq.checked_sub(from).filter(|_| is_id && from > 0)?;
        let edge = tree.iter().map(|hash| raw_hash(hash));
        let tree = Tree::from_edge(size, edge.collect::<Option<_>>()?)?;
        Some(Self { log, from, tree })
    }
}

/// What the events of one segment say of the tree, as it is read from its beginning.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The tree up to the last event that was read, if one has stated it.
    pub(super) tree: Option<LogTree>,
    /// The leaves so far, while none has.
    leaves: Vec<Hash>,
    /// Whether the last event notes a gap.
    ends_with_gap: bool,
    /// The key that signs, as the last event says that tells of one, and its node.
    key: Option<(String, String)>,
}

impl Placed {
    /// Reads the next event; an error if it states a tree that cannot be.
    pub(super) fn add(&mut self, line: &Line) -> Result<(), &'static str> {
        const IMPOSSIBLE: &str = "states a tree that cannot be";
        let event = line.value["event"].as_str();
        if event == Some("audit.segment") {
            let stated = LogTree::stated(line).ok_or(IMPOSSIBLE)?;
            let goes_on = match &self.tree {
                Some(tree) => *tree == stated,
                // What stands before it in the segment is all that there is.
                None if stated.next_seq() == stated.from + self.leaves.len() as u64 => {
                    *stated.tree() == Tree::of(&self.leaves)
                }
                None => true,
            };
            if !goes_on {
                return Err(IMPOSSIBLE);
            }
            self.leaves = Vec::new();
            self.tree = Some(stated);
        }
        let leaf = raw_hash(&line.hash).ok_or(IMPOSSIBLE)?;
        match &mut self.tree {
            Some(tree) => tree.push(leaf),
            None => self.leaves.push(leaf),
        }
        self.ends_with_gap = event == Some(GAP);
        if event == Some("audit.key") {
            let text = |name: &str| line.value[name].as_str().map(str::to_owned);
            self.key = text("node").zip(text("key"));
        }
        Ok(())
    }

    /// The key that signs, as the last event says that tells of one, if this node wrote it.
    pub(super) fn key_of(&self, node: &str) -> Option<&str> {
        let own = self.key.as_ref().filter(|(by, _)| by == node);
        own.map(|(_, key)| key.as_str())
    }

    /// The identity that a gap at the very end begins, where what follows it was never written.
    pub(super) fn behind_gap(&self, first_seq: u64) -> io::Result<Option<LogTree>> {
        if self.tree.is_some() || !self.ends_with_gap {
            return Ok(None);
        }
        Ok(Some(LogTree::new(first_seq)?.after(&self.leaves)))
    }
}

/// The tree over a log up to its head, from the last statement among its segments, or else from its first event: so a log of
/// an earlier version is read once. `None` if it cannot be known: events are missing, or a gap is noted.
pub(super) fn over(dir: &Path, segments: &[u64], head: &Head) -> io::Result<Option<LogTree>> {
    for (place, first_seq) in segments.iter().enumerate().rev() {
        if let Some(stated) = stated_in(dir, *first_seq)? {
            return follow(dir, &segments[place..], stated, head);
        }
    }
    match segments.first() {
        Some(1) => follow(dir, segments, LogTree::new(1)?, head),
        _ => Ok(None),
    }
}

/// What a segment states.
fn stated_in(dir: &Path, first_seq: u64) -> io::Result<Option<LogTree>> {
    let mut lines = Lines::of_segment(dir, first_seq)?;
    let statement = memmem::Finder::new(STATEMENT);
    while lines.next()?.is_some() {
        if statement.find(&lines.line).is_none() {
            continue;
        }
        if let Some(stated) = Line::read(&lines.line).as_ref().and_then(LogTree::stated) {
            return Ok(Some(stated));
        }
    }
    Ok(None)
}

/// As much of an event as it takes to follow the chain.
#[derive(Debug, Deserialize)]
struct Link<'a> {
    #[serde(borrow, default)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    prev: Cow<'a, str>,
    seq: u64,
}

/// Goes on from a tree, over events of which each is bound to the one before, up to a head.
fn follow(
    dir: &Path,
    segments: &[u64],
    mut tree: LogTree,
    head: &Head,
) -> io::Result<Option<LogTree>> {
    let mut last: Option<Hash> = None;
    for first_seq in segments {
        let mut lines = Lines::of_segment(dir, *first_seq)?;
        while tree.next_seq() <= head.seq
            && let Some(end) = lines.next()?
        {
            let link = serde_json::from_slice::<Link<'_>>(&lines.line).ok();
            let Some(link) = link.filter(|_| end == End::Newline) else {
                return Ok(None);
            };
            let leaf = leaf_hash(&lines.line);
            let follows = last.is_none_or(|last| spelled(&last) == link.prev);
            last = Some(leaf);
            if !follows || link.seq > tree.next_seq() {
                return Ok(None);
            }
            if link.seq < tree.next_seq() {
                continue;
            }
            if link.event.as_deref() == Some(GAP) {
                return Ok(None);
            }
            tree.push(leaf);
        }
    }
    let is_there = match last {
        Some(last) => spelled(&last) == head.hash,
        None => head.seq == 0,
    };
    Ok((is_there && tree.next_seq() == head.seq + 1).then_some(tree))
}

/// What the tree was when it had fewer events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// It had this root, and all events from there on lead to the tree as it is.
    Root(Hash),
    /// They do not.
    Other,
    /// That cannot be known: they are not there, nor are their leaves.
    Unknown,
}

/// What the tree was when it had so many events. Of events that were kept long enough, their leaves are left.
pub(super) fn root_at(dir: &Path, segments: &[u64], tree: &LogTree, size: u64) -> io::Result<Past> {
    let wanted = tree.from + size;
    // The newest segment that tells where the tree was before.
    for (place, first_seq) in segments.iter().enumerate().rev() {
        if *first_seq > wanted && *first_seq > tree.from {
            continue;
        }
        let start = if *first_seq == tree.from {
            Some(tree.begun())
        } else {
            let stated = stated_in(dir, *first_seq)?;
            stated.filter(|stated| stated.log == tree.log && stated.tree.size() <= size)
        };
        let Some(start) = start else { continue };
        let found = (start.tree.size() == size).then(|| start.tree.root());
        return passing(dir, &segments[place..], (start, found), tree, size);
    }
    let first_seq = segments.first().copied().unwrap_or_default();
    let (mut start, mut found) = (tree.begun(), None);
    let pruned = Pruned::of(dir, first_seq)?;
    let are_there = pruned.leaves(tree.from, first_seq, &mut |leaf| {
        start.push(leaf);
        if start.tree.size() == size {
            found = Some(start.tree.root());
        }
    })?;
    match are_there {
        true => passing(dir, segments, (start, found), tree, size),
        false => Ok(Past::Unknown),
    }
}

/// The root of a tree on its way from one state to another.
fn passing(
    dir: &Path,
    segments: &[u64],
    (mut tree, mut found): (LogTree, Option<Hash>),
    end: &LogTree,
    size: u64,
) -> io::Result<Past> {
    for first_seq in segments {
        let mut lines = Lines::of_segment(dir, *first_seq)?;
        while tree.next_seq() < end.next_seq() && lines.next()?.is_some() {
            let link = serde_json::from_slice::<Link<'_>>(&lines.line).ok();
            let Some(link) = link.filter(|link| link.seq <= tree.next_seq()) else {
                return Ok(Past::Other);
            };
            if link.seq < tree.next_seq() {
                continue;
            }
            tree.push(leaf_hash(&lines.line));
            if tree.tree.size() == size {
                found = Some(tree.tree.root());
            }
        }
    }
    let found = found.filter(|_| tree == *end);
    Ok(found.map_or(Past::Other, Past::Root))
}
