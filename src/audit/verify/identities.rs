//! The trees over the log: one for each identity that it had, as `audit.segment` says in every segment.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde::Deserialize;

use super::super::tree::{Hash, Tree};
use super::super::verdict::Tampering;
use super::event::{Event, from_hex};

/// A tree that grows with the log, of which roots are kept at the sizes that checkpoints speak of.
#[derive(Clone, Debug)]
pub(super) struct Growing {
    from: u64,
    /// Without the newest leaf: so that another one can be tried in its place.
    tree: Tree,
    newest: Option<Hash>,
    roots: BTreeMap<u64, Mark>,
}

/// A tree at some size.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) root: Hash,
    /// When its last event was written, as that says.
    pub(super) time: String,
}

impl Growing {
    pub(super) fn new(from: u64) -> Self {
        Self {
            from,
            tree: Tree::default(),
            newest: None,
            roots: BTreeMap::new(),
        }
    }

    pub(super) fn from(&self) -> u64 {
        self.from
    }

    pub(super) fn size(&self) -> u64 {
        self.tree.size() + u64::from(self.newest.is_some())
    }

    pub(super) fn push(&mut self, leaf: Hash) {
        if let Some(newest) = self.newest.replace(leaf) {
            self.tree.push(newest);
        }
    }

    fn whole(&self) -> Tree {
        let mut tree = self.tree.clone();
        self.newest.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }

    pub(super) fn root(&self) -> Hash {
        self.whole().root()
    }

    fn mark(&mut self, time: &[u8]) {
        let mark = Mark {
            root: self.root(),
            time: super::event::text(time).into_owned(),
        };
        self.roots.insert(self.size(), mark);
    }

    /// The root with one more leaf, if the newest one were another.
    pub(super) fn root_if(&self, newest: Hash, next: Hash) -> Hash {
        let mut tree = self.tree.clone();
        tree.push(newest);
        tree.push(next);
        tree.root()
    }

    /// The tree at a size that a checkpoint speaks of.
    pub(super) fn at(&self, size: u64) -> Option<&Mark> {
        self.roots.get(&size)
    }
}

/// One identity of the log.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) log: String,
    pub(super) tree: Growing,
}

/// What `audit.segment` tells.
#[derive(Deserialize)]
struct Statement {
    log: String,
    from: u64,
    tree: Vec<String>,
}

/// What is wrong with a statement.
pub(super) enum Wrong {
    /// Something that is needed to check it cannot be read.
    Unread(std::io::Error),
    /// That.
    Statement(Tampering),
    /// It does not fit what is kept of pruned events, in this range.
    Pruned(u64, u64),
}

/// All of them, and what of the open segment is still to be said.
#[derive(Debug)]
pub(super) struct Identities {
    /// Sizes that checkpoints speak of, whatever the identity.
    wanted: Rc<BTreeSet<u64>>,
    /// Those that ended.
    past: Vec<Named>,
    /// The LOGID of the tree that grows, once it was said.
    log: Option<String>,
    /// The tree that grows; `None` if nobody can compute it: an older version noted a gap, or an identity ended.
    tree: Option<Growing>,
    /// The one over the open segment, until it is said to which tree its events belong.
    segment: Option<Growing>,
    /// The number that the open segment is named after.
    first_seq: u64,
    /// The tree before the open segment, as long as that has not said that it goes on.
    before: Option<(Tree, Option<Hash>)>,
    /// Whether leaves of pruned events began the tree.
    is_pruned: bool,
    /// Whether the open segment notes a gap.
    notes_gap: bool,
    /// Whether an event of a request stands behind that gap, or behind the segment's beginning, without a statement.
    has_request: bool,
    is_stated: bool,
    is_empty: bool,
}

impl Identities {
    pub(super) fn new(wanted: Rc<BTreeSet<u64>>) -> Self {
        Self {
            wanted,
            past: Vec::new(),
            log: None,
            tree: Some(Growing::new(1)),
            segment: None,
            first_seq: 0,
            before: None,
            is_pruned: false,
            notes_gap: false,
            has_request: false,
            is_stated: false,
            is_empty: true,
        }
    }

    /// Begins with the tree over pruned events.
    pub(super) fn begin_pruned(&mut self, tree: Option<Growing>) {
        self.is_pruned = true;
        self.tree = tree;
    }

    /// All identities so far.
    pub(super) fn named(&self) -> impl Iterator<Item = &Named> {
        self.past.iter()
    }

    /// The tree that grows.
    pub(super) fn growing(&self) -> Option<&Growing> {
        self.tree.as_ref()
    }

    /// The LOGID of the identity that goes on.
    pub(super) fn log(&self) -> Option<&str> {
        self.log.as_deref()
    }

    /// No more events come.
    pub(super) fn finish(&mut self) {
        if self.notes_gap && !self.is_stated {
            self.leave_segment();
        }
        if let (Some(log), Some(tree)) = (self.log.take(), self.tree.take()) {
            self.past.push(Named { log, tree });
        }
    }

    /// A segment begins. If it does not follow, no tree goes on in it.
    pub(super) fn begin_segment(&mut self, first_seq: u64, follows: bool) {
        self.first_seq = first_seq;
        self.segment = Some(Growing::new(first_seq));
        (self.notes_gap, self.has_request) = (false, false);
        (self.is_stated, self.is_empty) = (false, true);
        let tree = self.tree.as_ref();
        self.before = tree.map(|tree| (tree.tree.clone(), tree.newest));
        if !follows {
            self.end();
        }
    }

    /// What the open segment holds is not of the identity before, unless it has said so.
    fn leave_segment(&mut self) {
        if let (Some((before, newest)), Some(tree)) = (self.before.take(), &mut self.tree) {
            (tree.tree, tree.newest) = (before, newest);
            let size = tree.size();
            tree.roots.retain(|known, _| *known <= size);
        }
    }

    /// The identity ends here. That there was one is not forgotten.
    fn end(&mut self) {
        if let Some(tree) = self.tree.take()
            && let Some(log) = self.log.clone()
        {
            self.past.push(Named { log, tree });
        }
    }

    /// Adds an event whose place is right.
    pub(super) fn push(&mut self, leaf: Hash, time: &[u8]) {
        self.is_empty = false;
        for tree in [self.tree.as_mut(), self.segment.as_mut()]
            .into_iter()
            .flatten()
        {
            tree.push(leaf);
            if self.wanted.contains(&tree.size()) {
                tree.mark(time);
            }
        }
    }

    /// Keeps the root of a tree, if a checkpoint speaks of its size.
    pub(super) fn mark(&self, tree: &mut Growing, time: &[u8]) {
        if self.wanted.contains(&tree.size()) {
            tree.mark(time);
        }
    }

    /// An event of a request.
    pub(super) fn meet_request(&mut self) {
        self.has_request = true;
    }

    /// Whether the tree over the open segment is wanted for a gap that was noted, and was not kept.
    pub(super) fn meet_gap(&mut self) -> bool {
        (self.notes_gap, self.has_request, self.is_stated) = (true, false, false);
        if self.log.is_none() {
            // What an older version wrote before and behind a gap is in no tree.
            self.tree = None;
        }
        self.segment.is_none()
    }

    /// The tree over the open segment so far.
    pub(super) fn regrow(&mut self, leaves: impl Iterator<Item = Hash>) {
        let mut tree = Growing::new(self.first_seq);
        leaves.for_each(|leaf| tree.push(leaf));
        self.segment = Some(tree);
    }

    /// Checks an `audit.segment`, which is not in a tree yet.
    pub(super) fn state(&mut self, event: &Event<'_>) -> Result<(), Wrong> {
        const MISSTATED: Wrong = Wrong::Statement(Tampering::Misstated);
        let said: Statement = event.tells().ok_or(MISSTATED)?;
        let edge = said.tree.iter().map(|hash| from_hex(hash.as_bytes()));
        let edge: Vec<Hash> = edge.collect::<Option<_>>().ok_or(MISSTATED)?;
        let is_log = said.log.len() == 32
            && said
                .log
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_log || self.is_stated {
            return Err(MISSTATED);
        }
        if event.seq == self.first_seq {
            self.state_first(said, edge)?;
            self.before = None;
        } else {
            self.state_behind_gap(said, &edge)?;
        }
        self.is_stated = true;
        self.segment = None;
        Ok(())
    }

    /// Whether the statement with which a segment begins, and which does not follow, is of the very tree that was computed, or
    /// of another log: in both cases it is not the event before it that was changed.
    pub(super) fn is_stated_by(&self, event: &Event<'_>) -> bool {
        let (Some(log), Some(tree)) = (&self.log, &self.tree) else {
            return false;
        };
        let is_statement = event.name() == Some(b"audit.segment") && event.seq == self.first_seq;
        let said = event.tells::<Statement>().filter(|_| is_statement);
        said.is_some_and(|said| {
            let edge = said.tree.iter().map(|hash| from_hex(hash.as_bytes()));
            let edge: Option<Vec<Hash>> = edge.collect();
            said.log != *log || edge.is_some_and(|edge| tree.whole().edge() == edge)
        })
    }

    fn state_first(&mut self, said: Statement, edge: Vec<Hash>) -> Result<(), Wrong> {
        const MISSTATED: Wrong = Wrong::Statement(Tampering::Misstated);
        let first_seq = self.first_seq;
        let Some(tree) = &self.tree else {
            // Nobody can compute it: that of an older version, or of an identity of which events are missing.
            let is_sound = match &self.log {
                Some(log) => *log == said.log,
                None => said.from == first_seq && edge.is_empty(),
            };
            if self.log.is_none() && is_sound {
                self.tree = self.segment.take();
                self.log = Some(said.log);
            }
            return is_sound.then_some(()).ok_or(MISSTATED);
        };
        let is_other = self.log.as_ref().is_some_and(|log| *log != said.log);
        if is_other || said.from != tree.from() {
            return Err(MISSTATED);
        }
        let whole = tree.whole();
        if whole.edge() != edge {
            let differing = differing(&whole, &edge);
            let (first, last) = differing
                .filter(|_| self.is_pruned && self.log.is_none())
                .ok_or(MISSTATED)?;
            return Err(Wrong::Pruned(said.from + first, said.from + last));
        }
        self.log = Some(said.log);
        Ok(())
    }

    fn state_behind_gap(&mut self, said: Statement, edge: &[Hash]) -> Result<(), Wrong> {
        let is_new = self.log.as_ref() != Some(&said.log)
            && self.past.iter().all(|past| past.log != said.log);
        let segment = self.segment.take();
        let segment = segment.filter(|tree| {
            let is_there = self.notes_gap && !self.has_request && is_new;
            is_there && said.from == self.first_seq && tree.whole().edge() == edge
        });
        let segment = segment.ok_or(Wrong::Statement(Tampering::Misstated))?;
        self.leave_segment();
        self.end();
        self.log = Some(said.log);
        self.tree = Some(segment);
        Ok(())
    }

    /// Whether the open segment, at its end, has said what it must.
    pub(super) fn is_settled(&self, is_last: bool) -> bool {
        let is_begun = is_last && (self.is_empty || (self.notes_gap && !self.has_request));
        self.is_stated || is_begun || self.log.is_none()
    }
}

/// The leaves under the first root of an edge that differs, from 0; `None` if the two are not of the same size.
fn differing(tree: &Tree, edge: &[Hash]) -> Option<(u64, u64)> {
    let place = (tree.edge().len() == edge.len()).then(|| {
        tree.edge()
            .iter()
            .zip(edge)
            .position(|(one, other)| one != other)
    })??;
    let size = tree.size();
    let mut first = 0;
    let mut bits = (0..u64::BITS)
        .rev()
        .map(|bit| 1_u64 << bit)
        .filter(|bit| size & bit != 0);
    for _ in 0..place {
        first += bits.next()?;
    }
    Some((first, first + bits.next()? - 1))
}
