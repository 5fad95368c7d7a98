//! Following a log: every event once, in order, from a place that was kept, while it is written, compressed and pruned.
//!
//! A follower stands behind an event, which it knows by number and hash. What it finds otherwise than that event says is
//! told in a [`Remark`], and it goes on: whoever follows must neither stop for ever nor leave out anything silently.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use memchr::memmem;
use serde_json::Value;

use crate::hex::hex;

use super::chain::{End, Head, Line, Lines, leaf, next_event};
use super::expand::{Entry, Segment};
use super::folder::segments;
use super::format::full;

/// How an event that says terms is told from others, without reading it. In canonical JSON, no text can look like it.
const TERMS: &[u8] = b"\"event\":\"terms\"";
/// Where the leaves of pruned segments are kept, below the folder of the log: `leaves-FIRST-LAST.bin`.
const PRUNED: &str = "pruned";
/// Bytes of a leaf.
const LEAF_BYTES: usize = 32;

/// Where somebody stands who follows a log.
#[derive(Debug)]
pub struct Follower {
    dir: PathBuf,
    /// The last event that was handed out, or passed over.
    at: Head,
    /// Where the next line begins, once it was looked for.
    place: Option<Place>,
    /// Bytes of text that the hand-out so far has taken.
    taken_bytes: usize,
    /// Whether it is still to be said that the events up to where it stands are left out.
    leaves_out: bool,
}

#[derive(Debug)]
struct Place {
    /// The first event of the segment.
    first_seq: u64,
    /// Where the next line begins.
    bytes: u64,
    /// The terms that the segment has said so far.
    terms: Segment,
}

/// How much is handed out at a time.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Events and remarks.
    pub steps: usize,
    /// Bytes of their lines in the log; the first event may be larger.
    pub bytes: usize,
}

/// What follows.
#[derive(Debug)]
pub struct Batch {
    /// Events and remarks, in order.
    pub steps: Vec<Step>,
    /// The place behind them.
    pub at: Head,
}

/// The next thing that whoever follows is told.
#[derive(Debug)]
pub enum Step {
    /// An event.
    Event(Followed),
    /// Something that is not as it should be.
    Remark(Remark),
}

/// An event in full: it says itself what its terms say, and records have the name of their CRM before them.
#[derive(Debug)]
pub struct Followed {
    /// Its number and hash: the place behind it.
    pub head: Head,
    /// What it says.
    pub value: Value,
}

/// Events that are not where they should be, or are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Why it is made.
    pub why: Why,
    /// The first event that it is about.
    pub first_seq: u64,
    /// The last one.
    pub last_seq: u64,
    /// The place behind it.
    pub head: Head,
}

/// Why a remark is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// They were pruned before they were handed out.
    Pruned,
    /// They are not there, and nobody pruned them.
    Missing,
    /// They are no events that this version knows.
    Unreadable,
    /// It does not follow from the event before it. It is handed out all the same.
    Changed,
    /// The place that was kept is none of this log, which is followed from the first event that is there.
    OtherLog,
    /// They were written before whoever follows has begun.
    Earlier,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Pruned,
        Self::Missing,
        Self::Unreadable,
        Self::Changed,
        Self::OtherLog,
        Self::Earlier,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pruned => "pruned",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Changed => "changed",
            Self::OtherLog => "other-log",
            Self::Earlier => "earlier",
        }
    }

    /// Whether the events that it is about are not handed out.
    pub fn is_loss(self) -> bool {
        matches!(self, Self::Pruned | Self::Missing | Self::Unreadable)
    }
}

/// What a look at the log comes to.
enum Found {
    /// The place of the follower.
    At(Place),
    /// It has to go on from elsewhere; the look is to be repeated.
    Moved(Why, u64),
    /// There is nothing to read at the moment.
    Nothing,
}

impl Follower {
    /// Behind an event that is known by number and hash.
    pub fn behind(dir: &Path, at: Head) -> Self {
        Self {
            dir: dir.to_owned(),
            at,
            place: None,
            taken_bytes: 0,
            leaves_out: false,
        }
    }

    /// The same, where whoever follows has never seen the events before: that is said first.
    pub fn leaving_out(dir: &Path, at: Head) -> Self {
        Self {
            leaves_out: true,
            ..Self::behind(dir, at)
        }
    }

    /// Whether it is still to be said which events are left out.
    pub fn leaves_out(&self) -> bool {
        self.leaves_out
    }

    /// Before the first event that is there.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn from_oldest(dir: &Path) -> io::Result<Self> {
        let Some(&oldest) = segments(dir)?.first() else {
            return Ok(Self::behind(dir, Head::start()));
        };
        Ok(Self::behind(dir, before(dir, oldest)?))
    }

    /// Before the segment in which the oldest event of this time or later stands, as far as the clock has not stepped back since.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn from_time(dir: &Path, time: &str) -> io::Result<Self> {
        for first in segments(dir)?.into_iter().rev() {
            let begins = next_event(&mut Lines::of_segment(dir, first)?)?;
            if begins.is_some_and(|line| line.time.as_str() < time) {
                return Ok(Self::behind(dir, before(dir, first)?));
            }
        }
        Self::from_oldest(dir)
    }

    /// Before the newest event up to `until`, so that it is the first that is handed out.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn from_newest(dir: &Path, until: u64) -> io::Result<Self> {
        let mut before = segments(dir)?;
        before.retain(|first| *first <= until);
        let Some(first) = before.pop() else {
            return Self::from_oldest(dir);
        };
        let mut lines = Lines::of_segment(dir, first)?;
        let (mut last, mut seq) = (None, first);
        while seq <= until && lines.next()? == Some(End::Newline) {
            last = Some((seq, std::mem::take(&mut lines.line)));
            seq += 1;
        }
        let line = last.and_then(|(seq, line)| Some((seq, Line::read(&line)?)));
        Ok(match line {
            Some((seq, line)) => Self::behind(
                dir,
                Head {
                    seq: seq - 1,
                    hash: line.prev,
                },
            ),
            None => Self::from_oldest(dir)?,
        })
    }

    /// The last event that was handed out, or passed over.
    pub fn at(&self) -> &Head {
        &self.at
    }

    /// Whether the place was found in the log: until then nobody knows whether it is one of this log.
    pub fn is_placed(&self) -> bool {
        self.place.is_some()
    }

    /// What follows, up to an event that is known to be on disk: nothing, if that was handed out already.
    ///
    /// # Errors
    /// If the log cannot be read; what was read so far is handed out first.
    pub fn read(&mut self, until: u64, bounds: Bounds) -> io::Result<Batch> {
        let mut steps = Vec::new();
        self.taken_bytes = 0;
        let at = self.at.clone();
        if std::mem::take(&mut self.leaves_out) {
            remark(&mut steps, Why::Earlier, (1, at.seq), &at);
        }
        let read = self.fill(until, bounds, &mut steps);
        match read {
            Err(error) if steps.is_empty() => Err(error),
            _ => Ok(Batch {
                steps,
                at: self.at.clone(),
            }),
        }
    }

    fn fill(&mut self, until: u64, bounds: Bounds, steps: &mut Vec<Step>) -> io::Result<()> {
        let mut again = false;
        loop {
            if self.place.is_none() && !self.find(until, steps)? {
                return Ok(());
            }
            if self.is_full(bounds, steps) || self.at.seq >= until {
                return Ok(());
            }
            let before = self.at.seq;
            match self.lines(until, bounds, steps) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // It was pruned, or the whole folder is gone.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.place = None;
                    if again || segments(&self.dir).is_err() {
                        return Ok(());
                    }
                    again = true;
                    continue;
                }
                Err(error) => return Err(error),
            }
            // What was written between the last look at this segment and the first at the next one is read before that.
            let settled = again && self.at.seq == before;
            match self.turn(settled, steps)? {
                Turned::Next => again = false,
                Turned::LookAgain => again = true,
                Turned::End => return Ok(()),
            }
        }
    }

    fn is_full(&self, bounds: Bounds, steps: &[Step]) -> bool {
        steps.len() >= bounds.steps || self.taken_bytes >= bounds.bytes
    }

    /// Reads lines of the current segment; whether that ended before the end of the segment.
    fn lines(&mut self, until: u64, bounds: Bounds, steps: &mut Vec<Step>) -> io::Result<bool> {
        let Some(place) = &self.place else {
            return Ok(false);
        };
        let mut lines = Lines::at(&self.dir, place.first_seq, place.bytes)?;
        // What is read ahead of the last event on disk may yet change, so nothing of it outlives this.
        while self.at.seq < until {
            if self.is_full(bounds, steps) {
                return Ok(true);
            }
            match lines.next()? {
                Some(End::Newline) => self.line(&lines.line, steps),
                // No event is as long: what stands there was not written by a log.
                Some(End::TooLong) => self.pass_over(&lines.line, steps),
                // Being written, or torn.
                Some(End::File) | None => return Ok(false),
            }
            if let Some(place) = &mut self.place {
                place.bytes = lines.end_bytes;
            }
        }
        Ok(true)
    }

    fn line(&mut self, bytes: &[u8], steps: &mut Vec<Step>) {
        let next = self.at.seq + 1;
        let line = Line::read(bytes).filter(|line| line.seq == next);
        let entry = line.as_ref().and_then(|line| {
            let terms = &mut self.place.as_mut()?.terms;
            terms.expand(line).ok()
        });
        let (Some(line), Some(entry)) = (line, entry) else {
            return self.pass_over(bytes, steps);
        };
        let head = line.head();
        if line.prev != self.at.hash {
            remark(steps, Why::Changed, (next, next), &head);
        }
        let value = match entry {
            Entry::Terms => None,
            Entry::Notice(_) => Some(line.value),
            Entry::Request(mut request) => {
                name_upstream(&mut request);
                // Each field of it has a form in JSON.
                Some(serde_json::to_value(request).unwrap_or_default())
            }
        };
        self.at = head.clone();
        if let Some(value) = value {
            self.taken_bytes += bytes.len();
            steps.push(Step::Event(Followed { head, value }));
        }
    }

    /// Goes on behind a line that is no event.
    fn pass_over(&mut self, bytes: &[u8], steps: &mut Vec<Step>) {
        self.at = Head {
            seq: self.at.seq + 1,
            hash: leaf(bytes),
        };
        let seq = self.at.seq;
        remark(steps, Why::Unreadable, (seq, seq), &self.at);
    }

    /// Goes on with the next segment, if there is one. One that leaves events out is gone on with only once it is `settled`
    /// that the current one has no more.
    fn turn(&mut self, settled: bool, steps: &mut Vec<Step>) -> io::Result<Turned> {
        let Some(place) = &self.place else {
            return Ok(Turned::End);
        };
        let own = place.first_seq;
        let later = segments(&self.dir)?.into_iter();
        let next = later
            .filter(|first| *first > own)
            .find(|first| *first > self.at.seq);
        let Some(next) = next else {
            return Ok(Turned::End);
        };
        if next > self.at.seq + 1 {
            if !settled {
                return Ok(Turned::LookAgain);
            }
            self.jump(Why::Missing, next, steps)?;
        }
        self.place = Some(Place {
            first_seq: next,
            bytes: 0,
            terms: Segment::default(),
        });
        Ok(Turned::Next)
    }

    /// Stands before the first event of a segment, and says why.
    fn jump(&mut self, why: Why, first_seq: u64, steps: &mut Vec<Step>) -> io::Result<()> {
        let from = self.at.seq + 1;
        self.at = before(&self.dir, first_seq)?;
        let about = match why {
            Why::OtherLog => (first_seq, first_seq),
            _ => (from, self.at.seq),
        };
        remark(steps, why, about, &self.at);
        Ok(())
    }

    /// Looks for the place in the log; whether there is one.
    fn find(&mut self, until: u64, steps: &mut Vec<Step>) -> io::Result<bool> {
        // A move is followed by one look that finds the place, or by nothing that could be read.
        for _ in 0..2 {
            match self.look(until)? {
                Found::At(place) => {
                    self.place = Some(place);
                    return Ok(true);
                }
                Found::Nothing => return Ok(false),
                Found::Moved(why, first_seq) => self.jump(why, first_seq, steps)?,
            }
        }
        Ok(false)
    }

    fn look(&self, until: u64) -> io::Result<Found> {
        let all = segments(&self.dir)?;
        let Some(&oldest) = all.first().filter(|_| until > 0) else {
            return Ok(Found::Nothing);
        };
        let begins = |first_seq| Place {
            first_seq,
            bytes: 0,
            terms: Segment::default(),
        };
        let seq = self.at.seq;
        if seq > until {
            return Ok(Found::Moved(Why::OtherLog, oldest));
        }
        if seq + 1 == oldest {
            let mut lines = Lines::of_segment(&self.dir, oldest)?;
            let first = next_event(&mut lines)?;
            return Ok(match first.is_none_or(|line| line.prev == self.at.hash) {
                true => Found::At(begins(oldest)),
                false => Found::Moved(Why::OtherLog, oldest),
            });
        }
        if seq < oldest {
            // Whoever prunes keeps the leaves.
            let own = self.leaf(seq)?.is_none_or(|leaf| leaf == self.at.hash);
            let why = match (own, self.leaf(seq + 1)?) {
                (false, _) => Why::OtherLog,
                (true, Some(_)) => Why::Pruned,
                (true, None) => Why::Missing,
            };
            return Ok(Found::Moved(why, oldest));
        }
        let own = all.iter().rev().find(|first| **first <= seq);
        let own = own.copied().unwrap_or(oldest);
        if let Some(found) = self.within(own)? {
            return Ok(found);
        }
        // The segment ends before: what comes next may begin right behind the event, if its own segment is gone.
        let Some(next) = all.into_iter().find(|first| *first > seq) else {
            return Ok(Found::Moved(Why::OtherLog, oldest));
        };
        if next == seq + 1 {
            let mut lines = Lines::of_segment(&self.dir, next)?;
            let first = next_event(&mut lines)?;
            if first.is_none_or(|line| line.prev == self.at.hash) {
                return Ok(Found::At(begins(next)));
            }
            return Ok(Found::Moved(Why::OtherLog, oldest));
        }
        Ok(Found::Moved(Why::Missing, next))
    }

    /// Looks for the place within a segment; `None` if that ends before.
    fn within(&self, first_seq: u64) -> io::Result<Option<Found>> {
        let mut lines = Lines::of_segment(&self.dir, first_seq)?;
        let mut terms = Segment::default();
        let says_terms = memmem::Finder::new(TERMS);
        let mut seq = first_seq;
        while let Some(End::Newline | End::TooLong) = lines.next()? {
            if says_terms.find(&lines.line).is_some()
                && let Some(line) = Line::read(&lines.line)
            {
                // What cannot be read here cannot be read later either, and is told then.
                let _ = terms.read(&line);
            }
            if seq == self.at.seq {
                let place = Place {
                    first_seq,
                    bytes: lines.end_bytes,
                    terms,
                };
                let oldest = || segments(&self.dir).map(|all| all.first().copied());
                return Ok(Some(match leaf(&lines.line) == self.at.hash {
                    true => Found::At(place),
                    false => Found::Moved(Why::OtherLog, oldest()?.unwrap_or(first_seq)),
                }));
            }
            seq += 1;
        }
        Ok(None)
    }

    /// The leaf of an event that was pruned, if it was kept.
    fn leaf(&self, seq: u64) -> io::Result<Option<String>> {
        let entries = match std::fs::read_dir(self.dir.join(PRUNED)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let range = name.to_str().and_then(|name| {
                let name = name.strip_prefix("leaves-")?.strip_suffix(".bin")?;
                let (first, last) = name.split_once('-')?;
                Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
            });
            let Some((first, last)) = range else { continue };
            if !(first..=last).contains(&seq) {
                continue;
            }
            let mut file = std::fs::File::open(entry.path())?;
            file.seek(SeekFrom::Start((seq - first) * LEAF_BYTES as u64))?;
            let mut kept = [0; LEAF_BYTES];
            if file.read_exact(&mut kept).is_ok() {
                return Ok(Some(format!("sha256:{}", hex(&kept))));
            }
        }
        Ok(None)
    }
}

/// The place before the first event of a segment, as that says.
fn before(dir: &Path, first_seq: u64) -> io::Result<Head> {
    let first = next_event(&mut Lines::of_segment(dir, first_seq)?)?;
    Ok(Head {
        seq: first_seq.saturating_sub(1),
        hash: first.map_or_else(|| Head::start().hash, |line| line.prev),
    })
}

/// How turning to the next segment went.
enum Turned {
    Next,
    /// The current one is to be read once more.
    LookAgain,
    /// There is no next one.
    End,
}

/// Makes a remark, or widens the one just made.
fn remark(steps: &mut Vec<Step>, why: Why, (first_seq, last_seq): (u64, u64), head: &Head) {
    if let Some(Step::Remark(last)) = steps.last_mut()
        && last.why == why
        && last.last_seq + 1 == first_seq
    {
        last.last_seq = last_seq;
        last.head = head.clone();
        return;
    }
    steps.push(Step::Remark(Remark {
        why,
        first_seq,
        last_seq,
        head: head.clone(),
    }));
}

/// Writes the name of the CRM before each record, where the event tells it: so nobody who follows takes a record of one
/// CRM for that of another.
fn name_upstream(request: &mut full::Request) {
    let Some(upstream) = &request.request.upstream else {
        return;
    };
    for record in &mut request.records.refs {
        *record = [upstream, ":", record].concat();
    }
}

#[cfg(test)]
mod tests;
