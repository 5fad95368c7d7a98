//! One reading of a log before something of it is taken out: the leaves of its trees, where each of its logs begins, and which
//! lines are wanted.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::super::chain::{End, Lines};
use super::super::folder::{segment_name, segments};
use super::super::tree::Hash;
use super::ExportError;
use super::manifest::As;
use super::rotation::{KEY, Rotation, SaysKey};

/// How the event is called that says where a segment belongs.
pub(super) const SEGMENT: &str = "audit.segment";
/// And the one that says which policy came into force.
pub(super) const LOADED: &str = "policy.loaded";

/// What of a line is looked at. Most are not wanted.
#[derive(Debug, Deserialize)]
struct Glance<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    seq: u64,
    #[serde(borrow, default)]
    event: Option<Cow<'a, str>>,
}

/// What an event `audit.segment` says.
#[derive(Debug, Deserialize)]
pub(super) struct SaysSegment {
    pub(super) from: u64,
    pub(super) log: String,
}

/// By what a request was decided, wherever it says so.
#[derive(Debug, Deserialize)]
struct SaysPolicy {
    hash: String,
    #[serde(default)]
    schema: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SaysTerms {
    policy: SaysPolicy,
}

#[derive(Debug, Deserialize)]
struct TermsLine {
    terms: SaysTerms,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Stated {
    ById(String),
    Here(SaysTerms),
}

#[derive(Debug, Deserialize)]
struct RequestLine {
    #[serde(default)]
    terms: Option<Stated>,
    #[serde(default)]
    policy: Option<SaysPolicy>,
}

#[derive(Debug, Deserialize)]
struct LoadedLine {
    hash: String,
}

/// A line that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pick {
    pub(super) why: As,
    /// The number of the first event of its segment.
    pub(super) segment: u64,
}

/// One log: what was written without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: String,
    /// The number of its first event.
    pub(super) from: u64,
    /// The number of the event that says so first.
    pub(super) said: u64,
    /// The number of the first event of the segment of that one.
    pub(super) segment: u64,
}

/// Leaves of events that follow each other.
#[derive(Debug, Default)]
struct Run {
    first: u64,
    leaves: Vec<Hash>,
}

impl Run {
    fn next(&self) -> u64 {
        self.first + self.leaves.len() as u64
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    runs: Vec<Run>,
    pub(super) logs: Vec<Identity>,
    pub(super) segments: Vec<u64>,
    pub(super) picks: BTreeMap<u64, Pick>,
    /// By which policies and schemas what is wanted was decided, by hash, each with the numbers of these events.
    pub(super) in_force: BTreeMap<String, Vec<u64>>,
    /// Keys that took the place of others, with the numbers of the events that say so, and of the first of their segments.
    pub(super) rotations: Vec<(u64, u64, Rotation)>,
}

/// The first half of the SHA-256 of an id: so that many ids need little room.
pub(super) type Mark = u128;

pub(super) fn mark(id: &str) -> Mark {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes());
    let bytes = hash.as_ref().iter().take(16);
    bytes.fold(0, |mark, byte| mark << 8 | u128::from(*byte))
}

/// What a segment has said so far.
#[derive(Default)]
struct Said {
    segment: u64,
    /// The number of an event `terms`, and by what what names it was decided.
    terms: HashMap<String, (u64, SaysPolicy)>,
}

impl Survey {
    /// Reads a whole log. What has one of these ids is wanted.
    pub(super) fn of(dir: &Path, wanted: &HashSet<Mark>) -> Result<Self, ExportError> {
        let mut survey = Self {
            segments: segments(dir).map_err(|error| unreadable(dir, error))?,
            ..Self::default()
        };
        survey.pruned(dir)?;
        let mut loaded = HashMap::new();
        for first in survey.segments.clone() {
            survey.segment(dir, first, wanted, &mut loaded)?;
        }
        for log in &survey.logs {
            let pick = Pick {
                why: As::Segment,
                segment: log.segment,
            };
            let end = survey.end(log);
            let is_wanted = survey.picks.range(log.from..end).next().is_some();
            if is_wanted && !survey.picks.contains_key(&log.said) {
                survey.picks.insert(log.said, pick);
            }
        }
        Ok(survey)
    }

    /// The leaves of segments that are not kept any more.
    fn pruned(&mut self, dir: &Path) -> Result<(), ExportError> {
        let folder = dir.join("pruned");
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unreadable(&folder, error)),
        };
        let mut found = BTreeMap::new();
        for entry in entries {
            let path = entry.map_err(|error| unreadable(&folder, error))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let numbers = name.and_then(|name| {
                let (first, last) = name
                    .strip_prefix("leaves-")?
                    .strip_suffix(".bin")?
                    .split_once('-')?;
                Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
            });
            // What is still there counts as it is there.
            let is_gone = |last: u64| self.segments.first().is_none_or(|first| last < *first);
            if let Some((first, last)) = numbers.filter(|(_, last)| is_gone(*last)) {
                found.insert(first, (last, path));
            }
        }
        for (first, (last, path)) in found {
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, error))?;
            let (leaves, rest) = bytes.as_chunks::<32>();
            let count = (last + 1).checked_sub(first);
            if !rest.is_empty() || Some(leaves.len() as u64) != count {
                return Err(ExportError::Broken(format!(
                    "`{}` does not hold the leaves that its name says",
                    path.display()
                )));
            }
            for (seq, leaf) in (first..).zip(leaves) {
                self.leaf(seq, *leaf)?;
            }
        }
        Ok(())
    }

    fn leaf(&mut self, seq: u64, leaf: Hash) -> Result<(), ExportError> {
        let next = self.runs.last().map(Run::next);
        match next {
            Some(next) if seq < next => {
                // What is pruned may still be there.
                return match self.hash(seq) == Some(&leaf) {
                    true => Ok(()),
                    false => Err(ExportError::Broken(format!(
                        "event {seq} stands in another place than it was written, or is not the one whose leaf was kept"
                    ))),
                };
            }
            Some(next) if seq == next => {}
            _ => self.runs.push(Run {
                first: seq,
                leaves: Vec::new(),
            }),
        }
        if let Some(run) = self.runs.last_mut() {
            run.leaves.push(leaf);
        }
        Ok(())
    }

    /// The leaf of an event.
    pub(super) fn hash(&self, seq: u64) -> Option<&Hash> {
        let run = self.runs.iter().rfind(|run| run.first <= seq)?;
        run.leaves.get(usize::try_from(seq - run.first).ok()?)
    }

    fn segment(
        &mut self,
        dir: &Path,
        first: u64,
        wanted: &HashSet<Mark>,
        loaded: &mut HashMap<String, (u64, u64)>,
    ) -> Result<(), ExportError> {
        let path = dir.join(segment_name(first));
        let failed = |error| unreadable(&path, error);
        let mut lines = Lines::of_segment(dir, first).map_err(failed)?;
        let mut said = Said {
            segment: first,
            ..Said::default()
        };
        while let Some(end) = lines.next().map_err(failed)? {
            if end == End::File {
                // Being written, or torn: not an event yet.
                break;
            }
            let broken = || {
                ExportError::Broken(format!(
                    "a line of `{}` is not an event of the log",
                    segment_name(first)
                ))
            };
            let glance: Glance<'_> = serde_json::from_slice(&lines.line).map_err(|_| broken())?;
            self.leaf(glance.seq, super::leaf(&lines.line))?;
            let line = lines.line.as_slice();
            match glance.event.as_deref() {
                Some("terms") => {
                    let terms: TermsLine = serde_json::from_slice(line).map_err(|_| broken())?;
                    let told = (glance.seq, terms.terms.policy);
                    said.terms.insert(glance.id.clone().into_owned(), told);
                }
                Some(SEGMENT) => {
                    let told = serde_json::from_slice(line).map_err(|_| broken())?;
                    self.begins(told, glance.seq, first)?;
                }
                Some(KEY) => {
                    let told: Option<SaysKey> = serde_json::from_slice(line).ok();
                    let log = self.logs.last().map(|log| log.id.as_str());
                    let rotation = told.zip(log).and_then(|(told, log)| told.rotation(log));
                    let rotation = rotation.map(|rotation| (glance.seq, first, rotation));
                    self.rotations.extend(rotation);
                }
                Some(LOADED) => {
                    let told: LoadedLine = serde_json::from_slice(line).map_err(|_| broken())?;
                    loaded.insert(told.hash, (glance.seq, first));
                }
                _ => {}
            }
            if wanted.contains(&mark(&glance.id)) {
                self.want(&glance, line, &said, loaded).ok_or_else(broken)?;
            }
        }
        Ok(())
    }

    /// A segment says to which log it belongs.
    fn begins(&mut self, told: SaysSegment, seq: u64, segment: u64) -> Result<(), ExportError> {
        let known = self.logs.iter().find(|log| log.id == told.log);
        let is_sound = known.map_or_else(
            || told.from <= seq && self.logs.last().is_none_or(|last| last.said < told.from),
            |known| known.from == told.from && self.logs.last() == Some(known),
        );
        if !is_sound {
            return Err(ExportError::Broken(format!(
                "event {seq} says of its log what the events before it do not"
            )));
        }
        if known.is_none() {
            self.logs.push(Identity {
                id: told.log,
                from: told.from,
                said: seq,
                segment,
            });
        }
        Ok(())
    }

    /// Marks a line, and those that it cannot be understood without.
    fn want(
        &mut self,
        glance: &Glance<'_>,
        line: &[u8],
        said: &Said,
        loaded: &HashMap<String, (u64, u64)>,
    ) -> Option<()> {
        let segment = said.segment;
        let mut decided = None;
        if glance.event.is_none() {
            let told: RequestLine = serde_json::from_slice(line).ok()?;
            decided = match told.terms {
                Some(Stated::ById(id)) => {
                    let (seq, policy) = said.terms.get(&id)?;
                    let why = As::Terms;
                    self.picks.entry(*seq).or_insert(Pick { why, segment });
                    Some((policy.hash.clone(), policy.schema.clone()))
                }
                Some(Stated::Here(terms)) => Some((terms.policy.hash, terms.policy.schema)),
                None => told.policy.map(|policy| (policy.hash, policy.schema)),
            };
        }
        if let Some((policy, schema)) = decided {
            if let Some((seq, segment)) = loaded.get(&policy) {
                let (why, segment) = (As::Policy, *segment);
                self.picks.entry(*seq).or_insert(Pick { why, segment });
            }
            for hash in std::iter::once(policy).chain(schema) {
                self.in_force.entry(hash).or_default().push(glance.seq);
            }
        }
        let why = As::Event;
        self.picks.insert(glance.seq, Pick { why, segment });
        Some(())
    }

    /// The number behind the last event of a log.
    pub(super) fn end(&self, log: &Identity) -> u64 {
        let later = self.logs.iter().map(|log| log.from);
        let next = later.filter(|from| *from > log.from).min();
        let run = self.runs.iter().rfind(|run| run.first <= log.from);
        let end = run.map_or(log.from, Run::next);
        next.map_or(end, |next| next.min(end))
    }

    /// The leaves of a log, from its first event on; none if that is not known any more.
    pub(super) fn leaves(&self, log: &Identity) -> &[Hash] {
        let run = self.runs.iter().rfind(|run| run.first <= log.from);
        let leaves = run.and_then(|run| {
            let at = |seq: u64| usize::try_from(seq - run.first).ok();
            run.leaves.get(at(log.from)?..at(self.end(log))?)
        });
        leaves.unwrap_or_default()
    }

    /// The number of the first event of the segment that holds an event.
    pub(super) fn segment_of(&self, seq: u64) -> u64 {
        let before = self.segments.partition_point(|first| *first <= seq);
        let at = before.checked_sub(1);
        at.and_then(|at| self.segments.get(at))
            .copied()
            .unwrap_or(seq)
    }
}

pub(super) fn unreadable(path: &Path, source: io::Error) -> ExportError {
    ExportError::Unreadable {
        path: path.to_owned(),
        source,
    }
}
