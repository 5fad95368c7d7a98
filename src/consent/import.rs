//! A file of events: CSV, as spreadsheets write it. Every line is looked at before the first is recorded, and what is wrong with
//! a line is told by its number and column, never by what stands in it.

mod columns;
mod line;
mod lines;

pub use columns::NoLines;
pub use line::Wrong;

use columns::Columns;
use lines::Lines;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use super::policy_terms::PolicyTerms;
use crate::hex::hex;
use crate::ledger::{Draft, Error, Ledger};

/// Lines that are looked at in one step.
const AT_ONCE: usize = 500;
/// Lines that are recorded in one step, at first.
const FIRST: usize = 50;
/// How long one step may take: others who write wait for so long.
const STEP: Duration = Duration::from_millis(100);
/// How long the others have between two steps at least, so that one of them comes in.
const PAUSE: Duration = Duration::from_millis(20);
/// Bad lines that are told one by one.
const TOLD_MAX: usize = 100;

/// A file that is to be imported.
pub struct Import<'a> {
    bytes: &'a [u8],
    columns: Columns,
    terms: &'a PolicyTerms,
    by: &'a str,
    now: Timestamp,
}

/// What there is in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Lines.
    pub lines: u64,
    /// Lines that are to be recorded, or were.
    pub new: u64,
    /// Lines that were recorded before.
    pub known: u64,
    /// Lines that cannot be recorded.
    pub bad: u64,
    /// The first of these, and why.
    pub wrong: Vec<Wrong>,
}

impl<'a> Import<'a> {
    /// Reads the heading of a file.
    ///
    /// # Errors
    /// If it has none that can be used.
    pub fn of(bytes: &'a [u8], terms: &'a PolicyTerms, by: &'a str) -> Result<Self, NoLines> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        Ok(Self {
            bytes,
            columns: Columns::of(bytes)?,
            terms,
            by,
            now: Timestamp::now(),
        })
    }

    /// The SHA-256 of the file, without a mark of its encoding.
    pub fn sha256(&self) -> String {
        hex(digest(&SHA256, self.bytes).as_ref())
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Looks at every line. Nothing changes.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn check(
        &self,
        ledger: &Ledger,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Checked, Error> {
        let (mut checked, mut references) = (Checked::default(), HashMap::new());
        let mut lines = Lines::of(self.bytes, &self.columns);
        loop {
            let batch = self.batch(&mut lines);
            if batch.is_empty() {
                return Ok(checked);
            }
            self.look(ledger, batch, &mut references, &mut checked)
                .await?;
            progress(lines.at());
        }
    }

    /// Records every line that can be recorded.
    ///
    /// # Errors
    /// If the ledger cannot be written. What was recorded stays; the same file goes on behind it.
    pub async fn record(
        &self,
        ledger: &Ledger,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Checked, Error> {
        let (mut done, mut references) = (Checked::default(), HashMap::new());
        let mut at_once = FIRST;
        let mut lines = Lines::of(self.bytes, &self.columns);
        loop {
            let batch = self.batch(&mut lines);
            if batch.is_empty() {
                return Ok(done);
            }
            let mut looked = Checked::default();
            let drafts = self
                .look(ledger, batch, &mut references, &mut looked)
                .await?;
            let mut left = drafts.as_slice();
            while !left.is_empty() {
                let (now, later) = left.split_at(at_once.min(left.len()));
                let began = Instant::now();
                let recorded = ledger.append_all(Arc::new(now.to_vec())).await?;
                let took = began.elapsed();
                let new = recorded.iter().filter(|one| one.is_new()).count() as u64;
                done.new += new;
                done.known += recorded.len() as u64 - new;
                at_once = step(at_once, took);
                left = later;
                tokio::time::sleep(took.max(PAUSE).min(STEP)).await;
            }
            done.lines += looked.lines;
            done.bad += looked.bad;
            progress(lines.at());
        }
    }

    /// The next lines; none at the end.
    fn batch(&self, lines: &mut Lines<'_>) -> Vec<(u64, Result<Draft, Wrong>)> {
        let drafts = lines.take(AT_ONCE).map(|line| {
            let draft = line.and_then(|line| {
                let draft = line.draft(self.terms, self.by)?;
                let checked = draft.check(self.now);
                checked.map_err(|why| line.wrong(None, why.to_string()))?;
                Ok((line.number(), draft))
            });
            match draft {
                Ok((number, draft)) => (number, Ok(draft)),
                Err(wrong) => (wrong.line, Err(wrong)),
            }
        });
        drafts.collect()
    }

    /// Counts lines, and gives those that can be recorded.
    async fn look(
        &self,
        ledger: &Ledger,
        batch: Vec<(u64, Result<Draft, Wrong>)>,
        references: &mut HashMap<String, Draft>,
        checked: &mut Checked,
    ) -> Result<Vec<Draft>, Error> {
        let (mut numbers, mut drafts) = (Vec::new(), Vec::new());
        for (number, draft) in batch {
            checked.lines += 1;
            match draft.and_then(|draft| one_for_each_reference(number, draft, references)) {
                Ok(draft) => {
                    numbers.push(number);
                    drafts.push(draft);
                }
                Err(wrong) => checked.add(wrong),
            }
        }
        let drafts = Arc::new(drafts);
        let known = ledger.known(Arc::clone(&drafts)).await?;
        let mut good = Vec::new();
        for ((number, draft), known) in numbers.into_iter().zip(drafts.iter()).zip(known) {
            match known {
                Ok(is_known) => {
                    checked.known += u64::from(is_known);
                    checked.new += u64::from(!is_known);
                    good.push(draft.clone());
                }
                Err(why) => checked.add(Wrong {
                    line: number,
                    column: None,
                    why: why.to_string(),
                }),
            }
        }
        Ok(good)
    }
}

/// How many lines the next step records, after one that took so long.
fn step(at_once: usize, took: Duration) -> usize {
    match took {
        took if took > STEP => (at_once / 2).max(1),
        took if took < STEP / 4 => (at_once * 2).min(AT_ONCE),
        _ => at_once,
    }
}

/// Two lines with one reference must say the same: the ledger would take the first for the second.
fn one_for_each_reference(
    number: u64,
    draft: Draft,
    references: &mut HashMap<String, Draft>,
) -> Result<Draft, Wrong> {
    let Some(reference) = &draft.reference else {
        return Ok(draft);
    };
    match references.entry(reference.clone()) {
        Entry::Vacant(room) => {
            room.insert(draft.clone());
            Ok(draft)
        }
        Entry::Occupied(known) if says_the_same(known.get(), &draft) => Ok(draft),
        Entry::Occupied(_) => Err(Wrong {
            line: number,
            column: Some("reference"),
            why: "another line has it, and says something else".to_owned(),
        }),
    }
}

fn says_the_same(one: &Draft, other: &Draft) -> bool {
    one.who == other.who
        && (&one.purpose, one.kind, one.proof, one.at)
            == (&other.purpose, other.kind, other.proof, other.at)
        && (&one.recipient, &one.source, &one.basis, one.expires)
            == (&other.recipient, &other.source, &other.basis, other.expires)
        && (&one.text, &one.language) == (&other.text, &other.language)
}

impl Checked {
    fn add(&mut self, wrong: Wrong) {
        self.bad += 1;
        if self.wrong.len() < TOLD_MAX {
            self.wrong.push(wrong);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_takes_as_long_as_others_can_wait() {
        assert_eq!(step(500, Duration::from_millis(101)), 250);
        assert_eq!(step(1, Duration::from_secs(4)), 1);
        assert_eq!(step(50, Duration::from_millis(50)), 50);
        assert_eq!(step(400, Duration::from_millis(1)), AT_ONCE);
    }
}
