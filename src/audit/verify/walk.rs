//! One pass over the log.

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::path::Path;
use std::rc::Rc;

use crate::hex::hex;

use super::super::chain::{End, Head, Line, Lines};
use super::super::expand::Segment;
use super::super::folder::{parts, segment_name, segments};
use super::super::format::Phase;
use super::super::gap;
use super::super::pruned;
use super::super::verdict::{
    Broken, Checked, ClockStep, Fault, Gap, Identity, Pruning, Standing, Tampering, Unclosed,
    Unexpected, Verified,
};
use super::checkpoints::{self, Claim, Log};
use super::event::{About, Event, Link, from_hex, text};
use super::identities::{Growing, Identities, Wrong};
use super::judge::if_decoded;
use super::keys::Keys;
use super::pruned::Pruned;
use super::{Findings, Outside};

mod wrong;

/// Bytes after which progress is reported.
const PROGRESS_BYTES: u64 = 1 << 20;

/// The state between two lines.
pub(super) struct Walk<'a> {
    dir: &'a Path,
    outside: &'a Outside,
    claims: &'a [Claim],
    progress: &'a mut dyn FnMut(u64),
    segments: Vec<u64>,
    head: Link,
    /// The one before the head.
    before: Link,
    /// How many have been read.
    events: u64,
    /// The file and line of the head.
    place: (u64, u64),
    /// The numbers of opening events without a close, by id.
    unclosed: BTreeMap<String, u64>,
    /// When the head was written, as it says.
    time: Vec<u8>,
    clock_steps: Vec<ClockStep>,
    gaps: Vec<Gap>,
    /// The head at which a segment goes on behind a gap, and the one that was there; until the event that notes it.
    behind_gap: Option<(Link, Link)>,
    unfinished_bytes: u64,
    read_bytes: u64,
    reported_bytes: u64,
    identities: Identities,
    keys: Keys,
    pruned: Pruned,
    /// The number of the last event that was pruned; 0 if none was.
    pruned_seq: u64,
    /// What every `audit.pruned` tells: its own number, and that of the last event that is not there any more.
    told: Vec<(u64, u64)>,
    /// Whether the leaves of events that were not pruned are to be compared.
    has_leaves: bool,
}

/// One segment on the way.
struct At<'s> {
    first_seq: u64,
    next_first: Option<u64>,
    lines: &'s mut Lines,
    terms: Segment,
    number: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        dir: &'a Path,
        outside: &'a Outside,
        claims: &'a [Claim],
        progress: &'a mut dyn FnMut(u64),
    ) -> Self {
        Self {
            dir,
            outside,
            claims,
            progress,
            segments: Vec::new(),
            head: Link::default(),
            before: Link::default(),
            events: 0,
            place: (0, 0),
            unclosed: BTreeMap::new(),
            time: Vec::new(),
            clock_steps: Vec::new(),
            gaps: Vec::new(),
            behind_gap: None,
            unfinished_bytes: 0,
            read_bytes: 0,
            reported_bytes: 0,
            identities: Identities::new(Rc::new(checkpoints::sizes(claims))),
            keys: Keys::new(dir, &outside.keys),
            pruned: Pruned::default(),
            pruned_seq: 0,
            told: Vec::new(),
            has_leaves: false,
        }
    }

    /// Reads all of it.
    pub(super) fn run(&mut self) -> Result<(), Fault> {
        self.segments = segments(self.dir).map_err(|error| self.unreadable(error))?;
        let Some(first_seq) = self.segments.first().copied() else {
            return Err(Fault::NoLog {
                dir: self.dir.to_owned(),
            });
        };
        self.begin_pruned(first_seq)?;
        for index in 0..self.segments.len() {
            self.segment(index)?;
        }
        let told_seq = self.told.iter().map(|(_, last_seq)| *last_seq).max();
        let told_seq = told_seq.unwrap_or_default();
        if self.pruned_seq > told_seq {
            let seq = match told_seq {
                0 => self.pruned.first().unwrap_or(1),
                told_seq => told_seq + 1,
            };
            return Err(broken(
                self.pruned.file_of(seq),
                0,
                seq,
                Tampering::PrunedUntold,
            ));
        }
        Ok(())
    }

    /// Goes on behind what is kept of pruned events.
    fn begin_pruned(&mut self, first_seq: u64) -> Result<(), Fault> {
        let (pruned, unsound) =
            Pruned::list(self.dir, first_seq).map_err(|error| self.unreadable(error))?;
        self.pruned = pruned;
        self.has_leaves = self.pruned.first().is_some();
        if let Some(unsound) = unsound {
            let what = Tampering::PrunedMissing;
            return Err(broken(unsound.file, 0, unsound.seq, what));
        }
        let Some(last_seq) = self.pruned.last_before(first_seq) else {
            return Ok(());
        };
        let kept = pruned::Pruned::of(self.dir, first_seq);
        let differs = kept.and_then(|kept| kept.differs(&self.outside.kept));
        if let Some(fault) = differs.map_err(|error| self.unreadable(error))? {
            return Err(Fault::Unexpected(fault));
        }
        let unread = |error| Fault::Unreadable {
            path: self.dir.join(super::pruned::PRUNED),
            source: error,
        };
        let stated = self.stated_first(first_seq);
        let stated = stated.map_err(|error| self.unread(first_seq, 0, error))?;
        let from = stated.unwrap_or(1);
        let mut tree = Some(Growing::new(from)).filter(|_| from < first_seq);
        for seq in from.max(1)..=last_seq {
            let Some(leaf) = self.pruned.leaf(seq).map_err(unread)? else {
                tree = None;
                if stated.is_some() {
                    let what = Tampering::PrunedMissing;
                    return Err(broken(self.pruned.file_of(seq), 0, seq, what));
                }
                // No tree goes on behind a hole, and it may be as wide as a number is.
                break;
            };
            if let Some(tree) = &mut tree {
                tree.push(leaf);
            }
            self.identities_mark(tree.as_mut());
        }
        self.identities.begin_pruned(tree);
        let leaf = self.pruned.leaf(last_seq).map_err(unread)?;
        self.head = Link {
            seq: last_seq,
            leaf: leaf.unwrap_or_default(),
        };
        self.pruned_seq = last_seq;
        Ok(())
    }

    fn identities_mark(&self, tree: Option<&mut Growing>) {
        if let Some(tree) = tree {
            self.identities.mark(tree, b"");
        }
    }

    /// The first event of the tree in which a segment goes on, as its own first event says.
    fn stated_first(&self, first_seq: u64) -> io::Result<Option<u64>> {
        #[derive(serde::Deserialize)]
        struct From {
            from: u64,
        }
        let mut lines = Lines::of_segment(self.dir, first_seq)?;
        if lines.next()?.is_none() {
            return Ok(None);
        }
        let event = Event::read(&lines.line);
        let event = event.filter(|event| event.name() == Some(SEGMENT));
        Ok(event.and_then(|event| Some(event.tells::<From>()?.from)))
    }

    /// Checks one segment.
    fn segment(&mut self, index: usize) -> Result<(), Fault> {
        let first_seq = self.segments.get(index).copied().unwrap_or_default();
        let next_first = self.segments.get(index + 1).copied();
        let follows = self.pass_gap(first_seq);
        let follows = follows.map_err(|error| self.unread(first_seq, 0, error))?;
        let expected = self.head.seq + 1;
        if first_seq > expected {
            let last_seq = first_seq - 1;
            return Err(match index.checked_sub(1) {
                Some(before) => {
                    let before = self.segments.get(before).copied().unwrap_or_default();
                    let lines = if self.place.0 == before {
                        self.place.1
                    } else {
                        0
                    };
                    let what = Tampering::Truncated { last_seq };
                    broken(segment_name(before), lines + 1, expected, what)
                }
                None => {
                    let what = Tampering::Removed { last_seq };
                    broken(segment_name(first_seq), 0, expected, what)
                }
            });
        }
        if first_seq < expected {
            return Err(broken(
                segment_name(first_seq),
                0,
                expected,
                Tampering::Renamed,
            ));
        }
        self.identities.begin_segment(first_seq, follows);
        let mut lines = Lines::of_segment(self.dir, first_seq)
            .map_err(|error| self.unread(first_seq, 0, error))?;
        let mut at = At {
            first_seq,
            next_first,
            lines: &mut lines,
            terms: Segment::default(),
            number: 0,
        };
        loop {
            let end = at.lines.next();
            let end = end.map_err(|error| self.unread(first_seq, at.number + 1, error))?;
            let Some(end) = end else { break };
            at.number += 1;
            if end == End::File && next_first.is_none() {
                self.unfinished_bytes = at.lines.line.len() as u64;
                break;
            }
            // The line is taken out so that what it says may be held while others are read.
            let line = mem::take(&mut at.lines.line);
            let goes_on = self.line(&mut at, &line, end)?;
            at.lines.line = line;
            if !goes_on {
                break;
            }
            self.report(at.lines.end_bytes - at.lines.start_bytes);
        }
        if !self.identities.is_settled(next_first.is_none()) {
            return Err(broken(
                segment_name(first_seq),
                1,
                first_seq,
                Tampering::Misstated,
            ));
        }
        Ok(())
    }

    /// Checks a line; false if nothing behind it in its segment counts.
    fn line(&mut self, at: &mut At<'_>, line: &[u8], end: End) -> Result<bool, Fault> {
        let first_seq = at.first_seq;
        let Some(event) = Event::read(line).filter(|_| end == End::Newline) else {
            return self
                .no_event(at, line, end)
                .map_err(|error| self.unread(first_seq, at.number, error))?;
        };
        if !self.head.precedes(&event) {
            let fault = self.contradiction(at, &event);
            return Err(fault.unwrap_or_else(|error| self.unread(first_seq, at.number, error)));
        }
        let differs = |kept: &&Head| {
            let hash = kept.hash.strip_prefix("sha256:").unwrap_or_default();
            kept.seq == event.seq && from_hex(hash.as_bytes()) != Some(event.leaf)
        };
        if self.outside.kept.iter().any(|kept| differs(&kept)) {
            let seq = event.seq;
            return Err(Fault::Unexpected(Unexpected::Differs { seq }));
        }
        let (number, seq) = (at.number, event.seq);
        let broken = |what| broken(segment_name(first_seq), number, seq, what);
        let about = event.check(&mut at.terms).map_err(broken)?;
        if self.has_leaves {
            let kept = self.pruned.leaf(seq);
            let kept = kept.map_err(|error| self.unreadable(error))?;
            if kept.is_some_and(|kept| kept != event.leaf) {
                return Err(broken(Tampering::PrunedDiffer { first_seq: seq }));
            }
        }
        self.tell(at, &event).map_err(|wrong| match wrong {
            Wrong::Statement(what) => broken(what),
            Wrong::Pruned(first_seq, last_seq) => {
                let what = Tampering::PrunedDiffer { first_seq };
                self::broken(self.pruned.file_of(last_seq), 0, last_seq, what)
            }
            Wrong::Unread(error) => self.unread(first_seq, number, error),
        })?;
        self.accept(&event, &about);
        self.place = (first_seq, number);
        Ok(true)
    }

    fn judging<'s>(&'s self, identities: Vec<&'s super::identities::Named>) -> Log<'s> {
        Log {
            identities,
            is_whole: false,
            gaps: &self.gaps,
            keys: &self.keys,
            outside: self.outside,
        }
    }

    /// Goes on behind a gap, if a segment does not follow and says so itself; false if so. What of it cannot be decoded is said
    /// later.
    fn pass_gap(&mut self, first_seq: u64) -> io::Result<bool> {
        if if_decoded(self.follows(first_seq).map(Some))? == Some(true) {
            return Ok(true);
        }
        let bridged = if_decoded(gap::bridged(self.dir, first_seq))?;
        if let Some(head) = bridged.and_then(|head| link(&head))
            && head.seq >= self.head.seq
        {
            let was = mem::replace(&mut self.head, head);
            self.behind_gap = Some((head, was));
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether the first event of a segment follows.
    fn follows(&self, first_seq: u64) -> io::Result<bool> {
        let mut lines = Lines::of_segment(self.dir, first_seq)?;
        while lines.next()?.is_some() {
            if let Some(first) = Event::read(&lines.line) {
                return Ok(self.head.precedes(&first));
            }
        }
        Ok(false)
    }

    /// What a notice says of the whole log.
    fn tell(&mut self, at: &At<'_>, event: &Event<'_>) -> Result<(), Wrong> {
        match event.name() {
            Some(SEGMENT) => self.identities.state(event)?,
            Some(b"audit.key") => {
                let log = self.identities.log().map(str::to_owned);
                self.keys
                    .check(event, log.as_deref())
                    .map_err(Wrong::Statement)?;
            }
            Some(b"audit.pruned") => {
                #[derive(serde::Deserialize)]
                struct Told {
                    first_seq: u64,
                    last_seq: u64,
                }
                let told: Option<Told> = event.tells();
                let told = told
                    .filter(|told| told.first_seq <= told.last_seq && told.last_seq < event.seq);
                let told = told.ok_or(Wrong::Statement(Tampering::Malformed))?;
                self.told.push((event.seq, told.last_seq));
            }
            Some(b"audit.gap") => self.note_gap(at, event)?,
            _ => {}
        }
        Ok(())
    }

    fn note_gap(&mut self, at: &At<'_>, event: &Event<'_>) -> Result<(), Wrong> {
        let line = Line::read(event.bytes);
        let told = line.and_then(|line| line.told());
        let noted = told.as_ref().and_then(gap::noted);
        let noted = noted.and_then(|(head, why)| Some((link(&head)?, why.to_owned())));
        let (noted, why) = noted.ok_or(Wrong::Statement(Tampering::Malformed))?;
        let behind = self.behind_gap.take();
        let (behind, was) = behind.unwrap_or((noted, noted));
        self.gaps.push(Gap {
            seq: event.seq,
            last_seq: noted.seq,
            why,
            missing: (was.seq < behind.seq).then_some((was.seq + 1, behind.seq)),
            is_changed: was.seq == behind.seq && was != behind,
        });
        if self.identities.meet_gap() {
            let leaves = self.leaves_before(at, event.seq).map_err(Wrong::Unread)?;
            self.identities.regrow(leaves.into_iter());
        }
        Ok(())
    }

    /// The leaves of a segment before an event. A gap stands near its beginning.
    fn leaves_before(&self, at: &At<'_>, seq: u64) -> io::Result<Vec<[u8; 32]>> {
        let mut lines = Lines::of_segment(self.dir, at.first_seq)?;
        let mut leaves = Vec::new();
        for _ in at.first_seq..seq {
            lines.next()?;
            leaves.push(super::event::leaf(&lines.line));
        }
        Ok(leaves)
    }

    fn accept(&mut self, event: &Event<'_>, about: &About) {
        self.before = mem::replace(&mut self.head, event.link());
        self.events += 1;
        if event.time() < self.time.as_slice() {
            self.clock_steps.push(ClockStep {
                seq: event.seq,
                from: text(&self.time).into_owned(),
                to: text(event.time()).into_owned(),
            });
        }
        self.time.clear();
        self.time.extend_from_slice(event.time());
        self.identities.push(event.leaf, event.time());
        if let About::Request(phase) = about {
            self.identities.meet_request();
            match phase {
                Phase::Opened => {
                    self.unclosed.insert(event.id().into_owned(), event.seq);
                }
                Phase::Closed if !self.unclosed.is_empty() => {
                    self.unclosed.remove(&*event.id());
                }
                Phase::Closed | Phase::Continued => {}
            }
        }
    }

    fn report(&mut self, bytes: u64) {
        self.read_bytes += bytes;
        if self.read_bytes - self.reported_bytes >= PROGRESS_BYTES {
            self.reported_bytes = self.read_bytes;
            (self.progress)(self.read_bytes);
        }
    }

    /// What was found, with what checkpoints say to it.
    pub(super) fn findings(mut self, walked: Result<(), Fault>) -> Findings {
        self.identities.finish();
        let mut leaves = mem::take(&mut self.pruned);
        let named: Vec<_> = self.identities.named().collect();
        let log = Log {
            is_whole: walked.is_ok(),
            ..self.judging(named.clone())
        };
        let checked = self.claims.iter().map(|claim| log.check(claim));
        let mut checked: Vec<_> = checked.collect();
        let first_segment = self.segments.first().copied().unwrap_or_default();
        let marked = log.mark_pruned(self.claims, &mut checked, &mut leaves, first_segment);
        let walked = match marked {
            Err(error) if walked.is_ok() => Err(self.unreadable(error)),
            _ => walked,
        };
        let accused = checkpoints::fault(&checked, &named);
        let pruning = self.pruning(&checked, leaves.first());
        let verdict = match (walked, accused) {
            (Err(Fault::Broken(chain)), Some(accused)) => {
                let (first, _) = chain.first_bad();
                let is_before = accused.first_bad().is_none_or(|(_, last)| last < first);
                Err(match is_before {
                    true => Fault::Unexpected(accused),
                    false => Fault::Broken(chain),
                })
            }
            (Ok(()) | Err(Fault::Later { .. }), Some(accused)) => Err(Fault::Unexpected(accused)),
            (Ok(()), None) => self.verified(pruning),
            (Err(fault), _) => Err(fault),
        };
        let agrees = checked
            .iter()
            .filter(|one| one.standing == Standing::Agrees && one.counts && one.size > 0);
        Findings {
            verdict,
            signed: agrees.max_by_key(|one| one.seq).cloned(),
            identities: named
                .iter()
                .map(|named| Identity {
                    log: named.log.clone(),
                    from: named.tree.from(),
                    size: named.tree.size(),
                    root: named.tree.root(),
                })
                .collect(),
            keys: self.keys.notices.clone(),
            checkpoints: checked,
        }
    }

    /// What was pruned, and how far something vouches for that: an `audit.pruned` that nobody has signed may be written by anybody
    /// who may write the folder.
    fn pruning(&self, checked: &[Checked], first_seq: Option<u64>) -> Option<Pruning> {
        let last_seq = Some(self.pruned_seq).filter(|seq| *seq > 0)?;
        let is_expected = |seq: u64| {
            let is_between = |head: &Head, gap: &Gap| (seq..head.seq).contains(&gap.last_seq);
            let proves =
                |head: &Head| head.seq >= seq && !self.gaps.iter().any(|gap| is_between(head, gap));
            self.outside.kept.iter().any(proves)
        };
        let is_signed = |seq: u64| {
            let holds = |one: &Checked| {
                let its = self.identities.named().find(|named| named.log == one.log);
                its.is_some_and(|named| named.tree.from() <= seq)
                    && one.seq.is_some_and(|end| end >= seq)
            };
            checked.iter().any(|one| one.is_proof() && holds(one))
        };
        let vouched = self.told.iter();
        let vouched = vouched.filter(|(seq, _)| is_signed(*seq) || is_expected(*seq));
        let told = self.told.iter().find(|(_, told)| *told >= last_seq)?;
        Some(Pruning {
            first_seq: first_seq.unwrap_or(last_seq),
            last_seq,
            told_seq: told.0,
            vouched_seq: vouched
                .map(|(_, last)| *last)
                .max()
                .unwrap_or_default()
                .min(last_seq),
        })
    }

    fn verified(&self, pruned: Option<Pruning>) -> Result<Verified, Fault> {
        let mut unclosed: Vec<_> = self.unclosed.iter().collect();
        unclosed.sort_by_key(|(_, seq)| **seq);
        let unclosed = unclosed.into_iter().map(|(id, seq)| Unclosed {
            seq: *seq,
            id: id.clone(),
        });
        Ok(Verified {
            segments: self.segments.len(),
            events: self.events,
            last_seq: self.head.seq,
            last_hash: format!("sha256:{}", hex(&self.head.leaf)),
            unclosed: unclosed.collect(),
            gaps: self.gaps.clone(),
            pruned,
            clock_steps: self.clock_steps.clone(),
            set_aside: parts(self.dir).map_err(|error| self.unreadable(error))?,
            unfinished_bytes: self.unfinished_bytes,
        })
    }
}

/// The notice that says to which tree a segment belongs.
const SEGMENT: &[u8] = b"audit.segment";

fn link(head: &Head) -> Option<Link> {
    Some(Link {
        seq: head.seq,
        leaf: from_hex(head.hash.strip_prefix("sha256:")?.as_bytes())?,
    })
}

fn broken(file: String, line: u64, seq: u64, what: Tampering) -> Fault {
    Fault::Broken(Broken {
        file,
        line,
        seq,
        what,
    })
}
