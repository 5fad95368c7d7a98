//! What will stand in a bundle, and writing it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::super::chain::{End, Lines};
use super::super::folder::segment_name;
use super::super::names::visible;
use super::super::note::{Note, VerifierKey};
use super::super::policies;
use super::archive::Writer;
use super::check::check;
use super::export::{Asked, ExportError, Exported};
use super::logs::{checkpoint_name, key_name};
use super::manifest::{
    As, Counts, EVENTS, FORMAT, Listed, MANIFEST, Made, Manifest, PAGE, PROOFS, Proof, Range, Span,
    TREES, TreeOf, Trees, VERSION, hexes, written,
};
use super::page;
use super::signed::{Tree, is_of, keys, tree};
use super::survey::{Pick, Survey, unreadable};

/// Why it ended early.
pub(super) enum Failed {
    Io(io::Error),
    Export(ExportError),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ExportError> for Failed {
    fn from(error: ExportError) -> Self {
        Self::Export(error)
    }
}

/// What will be written.
pub(super) struct Plan<'s> {
    survey: &'s Survey,
    picks: BTreeMap<u64, Pick>,
    trees: Vec<Tree<'s>>,
    keys: Vec<VerifierKey>,
    span: Option<Span>,
    left_out: u64,
}

impl<'s> Plan<'s> {
    pub(super) fn new(
        dir: &Path,
        survey: &'s Survey,
        asked: &Asked<'_>,
    ) -> Result<Self, ExportError> {
        let keys = keys(dir)?;
        let mut given = asked.checkpoints.to_vec();
        let mut trees = Vec::new();
        for log in &survey.logs {
            let of_log = given
                .extract_if(.., |(_, text)| is_of(text, &log.id))
                .collect();
            trees.extend(tree(dir, survey, log, &keys, of_log)?);
        }
        if let Some((path, _)) = given.pop() {
            return Err(ExportError::Checkpoint {
                path,
                what: "is none of this log".to_owned(),
            });
        }
        let mut plan = Self {
            survey,
            picks: survey.picks.clone(),
            trees,
            keys,
            span: None,
            left_out: 0,
        };
        if !asked.unsigned {
            plan.leave_out()?;
        }
        if asked.complete {
            plan.span = plan.span();
            if plan.span.is_none() {
                return Err(ExportError::Nothing(
                    "no signed checkpoint covers what matches, so nothing can show that it is complete".to_owned(),
                ));
            }
        }
        plan.keep_used();
        Ok(plan)
    }

    fn is_covered(&self, seq: u64) -> bool {
        self.trees.iter().any(|tree| tree.covers(seq))
    }

    /// Leaves out what no checkpoint covers.
    fn leave_out(&mut self) -> Result<(), ExportError> {
        let covered: Vec<_> = self
            .trees
            .iter()
            .map(|tree| tree.log.from..tree.log.from + tree.size)
            .collect();
        let is_covered = |seq: &u64| covered.iter().any(|range| range.contains(seq));
        let events = self.picks.iter().filter(|(_, pick)| pick.why == As::Event);
        let events = events.count() as u64;
        self.picks.retain(|seq, _| is_covered(seq));
        let left = self
            .picks
            .values()
            .filter(|pick| pick.why == As::Event)
            .count() as u64;
        self.left_out = events - left;
        match left {
            0 => Err(ExportError::Nothing(format!(
                "no signed checkpoint covers any of the {events} events that match; `--unsigned` takes them without proof"
            ))),
            _ => Ok(()),
        }
    }

    /// Drops the logs of which nothing is left, and keys that have signed nothing.
    fn keep_used(&mut self) {
        let (used, others) = std::mem::take(&mut self.trees)
            .into_iter()
            .partition(|tree| self.is_used(tree));
        self.trees = used;
        self.follow_keys(others);
        let notes = self.notes();
        self.keys.retain(|key| has_signed(key, &notes));
    }

    /// Whether lines of a log are in the bundle.
    fn is_used(&self, tree: &Tree<'_>) -> bool {
        let covered = tree.log.from..tree.log.from + tree.size;
        self.range(tree).is_some() || self.picks.range(covered).next().is_some()
    }

    fn notes(&self) -> Vec<Note> {
        let notes = self.trees.iter().flat_map(|tree| tree.checkpoints.values());
        notes.filter_map(|text| Note::parse(text).ok()).collect()
    }

    /// Takes the events that say how the keys that have signed came in the place of others, so that whoever has one of these
    /// can follow.
    fn follow_keys(&mut self, mut others: Vec<Tree<'s>>) {
        let notes = self.notes();
        let signers = self.keys.iter().filter(|key| has_signed(key, &notes));
        let mut wanted: Vec<VerifierKey> = signers.cloned().collect();
        for (seq, segment, rotation) in self.survey.rotations.iter().rev() {
            if !wanted.contains(&rotation.key) {
                continue;
            }
            if !self.is_covered(*seq) {
                let Some(at) = others.iter().position(|tree| tree.covers(*seq)) else {
                    continue;
                };
                let tree = others.swap_remove(at);
                let (why, segment) = (As::Segment, tree.log.segment);
                let said = self.picks.entry(tree.log.said);
                said.or_insert(Pick { why, segment });
                self.trees.push(tree);
            }
            let (why, segment) = (As::Key, *segment);
            self.picks.entry(*seq).or_insert(Pick { why, segment });
            wanted.push(rotation.previous.clone());
        }
        self.trees.sort_by_key(|tree| tree.log.from);
    }

    /// From the first to the last event that is proved.
    fn span(&self) -> Option<Span> {
        let events = self.picks.iter().filter(|(_, pick)| pick.why == As::Event);
        let mut proved = events
            .map(|(seq, _)| *seq)
            .filter(|seq| self.is_covered(*seq));
        let first = proved.next()?;
        let last = proved.next_back().unwrap_or(first);
        Some(Span { first, last })
    }

    /// Whether an event is in the bundle, and why.
    fn pick(&self, seq: u64) -> Option<Pick> {
        let between = || {
            let span = self.span?;
            let is_within = (span.first..=span.last).contains(&seq) && self.is_covered(seq);
            is_within.then(|| Pick {
                why: As::Between,
                segment: self.survey.segment_of(seq),
            })
        };
        self.picks.get(&seq).copied().or_else(between)
    }

    /// The part of a log that is shipped whole.
    fn range(&self, tree: &Tree<'_>) -> Option<Span> {
        let span = self.span?;
        let first = span.first.max(tree.log.from);
        let last = span.last.min(tree.log.from + tree.size - 1);
        (first <= last).then_some(Span { first, last })
    }

    pub(super) fn write(
        &self,
        dir: &Path,
        file: File,
        asked: &Asked<'_>,
    ) -> Result<Exported, Failed> {
        let mut out = Writer::new(file)?;
        let mut picked = Vec::new();
        let mut failed = None;
        out.add(EVENTS, |out| {
            self.events(dir, out, &mut picked)
                .map_err(|error| match error {
                    Failed::Io(error) => error,
                    Failed::Export(error) => {
                        failed = Some(error);
                        io::ErrorKind::Other.into()
                    }
                })
        })
        .map_err(|error| failed.take().map_or(Failed::Io(error), Failed::Export))?;
        out.add(PROOFS, |out| self.proofs(out, &picked))?;
        out.add_bytes(TREES, &written(&self.told()))?;
        for tree in &self.trees {
            for (size, text) in &tree.checkpoints {
                out.add_bytes(&checkpoint_name(*size, &tree.log.id), text.as_bytes())?;
            }
        }
        for key in &self.keys {
            out.add_bytes(&key_name(key), format!("{key}\n").as_bytes())?;
        }
        let absent = self.policies(dir, &mut out, &picked)?;
        let mut manifest = Manifest {
            absent,
            bundle: VERSION,
            complete: self.span,
            counts: Counts {
                left_out: self.left_out,
                ..counts(&picked)
            },
            files: Vec::new(),
            purpose: visible(asked.purpose),
            format: FORMAT.to_owned(),
            lang: asked.lang,
            made: Made {
                at: visible(asked.at),
                by: visible(asked.by),
                program: visible(asked.program),
                uid: asked.uid,
            },
            query: asked.words.iter().map(|word| visible(word)).collect(),
        };
        let facts = check(out.files(), &manifest, &[])
            .map_err(|flaw| Failed::Export(ExportError::Broken(flaw.to_string())))?;
        out.add(PAGE, |out| {
            page::write(&manifest, &facts, &mut BufWriter::new(out))
        })?;
        for entry in &out.files().entries {
            manifest.files.push(Listed {
                bytes: u64::from(entry.bytes),
                name: entry.name.clone(),
                sha256: out.files().hash(entry)?.0,
            });
        }
        out.add_bytes(MANIFEST, &written(&manifest))?;
        out.finish()?;
        Ok(Exported {
            events: facts.counts.events,
            lines: picked.len() as u64,
            left_out: self.left_out,
            unproved: facts.counts.unproved,
            absent: manifest.absent,
            sha256: String::new(),
            unrecorded: None,
        })
    }

    /// Writes the lines as they stand in the log, and says which.
    fn events(
        &self,
        dir: &Path,
        out: &mut dyn Write,
        picked: &mut Vec<(u64, Pick, bool)>,
    ) -> Result<(), Failed> {
        for (at, first) in self.survey.segments.iter().enumerate() {
            let next = self
                .survey
                .segments
                .get(at + 1)
                .copied()
                .unwrap_or(u64::MAX);
            let is_within = self
                .span
                .is_some_and(|span| *first <= span.last && span.first < next);
            if !is_within && self.picks.range(*first..next).next().is_none() {
                continue;
            }
            let path = dir.join(segment_name(*first));
            let failed = |error| Failed::Export(unreadable(&path, error));
            let mut lines = Lines::of_segment(dir, *first).map_err(failed)?;
            let mut seq = *first;
            while let Some(end) = lines.next().map_err(failed)? {
                if end == End::File {
                    break;
                }
                if let Some(pick) = self.pick(seq) {
                    if self.survey.hash(seq) != Some(&super::leaf(&lines.line)) {
                        let what = format!("event {seq} was changed while it was read");
                        return Err(Failed::Export(ExportError::Broken(what)));
                    }
                    out.write_all(&lines.line)?;
                    out.write_all(b"\n")?;
                    picked.push((seq, pick, self.is_covered(seq)));
                }
                seq += 1;
            }
        }
        Ok(())
    }

    fn proofs(&self, out: &mut dyn Write, picked: &[(u64, Pick, bool)]) -> io::Result<()> {
        for (seq, pick, _) in picked {
            let tree = self.trees.iter().find(|tree| tree.covers(*seq));
            let path = tree.and_then(|tree| {
                let range = self.range(tree);
                if range.is_some_and(|range| (range.first..=range.last).contains(seq)) {
                    return None;
                }
                let index = usize::try_from(seq - tree.log.from).ok()?;
                tree.forest
                    .inclusion(index, usize::try_from(tree.size).ok()?)
            });
            let proof = Proof {
                why: pick.why,
                log: tree.map(|tree| tree.log.id.clone()),
                path: path.map(hexes),
                segment: pick.segment,
                seq: *seq,
            };
            out.write_all(&written(&proof))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn told(&self) -> Trees {
        let of_tree = |tree: &Tree<'_>| {
            let sizes: Vec<usize> = (tree.checkpoints.keys())
                .map(|size| usize::try_from(*size).unwrap_or_default())
                .collect();
            let steps = sizes.iter().zip(sizes.iter().skip(1));
            let consistency = steps.map(|(old, new)| tree.forest.consistency(*old, *new));
            let size = sizes.last().copied().unwrap_or_default();
            let range = self.range(tree).map(|span| {
                let at = |seq: u64| usize::try_from(seq - tree.log.from).unwrap_or_default();
                let path = tree.forest.consistency(at(span.last) + 1, size);
                Range {
                    edge: hexes(tree.forest.edge(at(span.first))),
                    first: span.first,
                    last: span.last,
                    path: hexes(path.unwrap_or_default()),
                }
            });
            TreeOf {
                checkpoints: (tree.checkpoints.keys())
                    .map(|size| checkpoint_name(*size, &tree.log.id))
                    .collect(),
                consistency: consistency
                    .map(|proof| hexes(proof.unwrap_or_default()))
                    .collect(),
                from: tree.log.from,
                log: tree.log.id.clone(),
                range,
            }
        };
        Trees {
            logs: self.trees.iter().map(of_tree).collect(),
        }
    }

    /// Adds what was in force; gives the hashes of what is not kept.
    fn policies(
        &self,
        dir: &Path,
        out: &mut Writer,
        picked: &[(u64, Pick, bool)],
    ) -> Result<Vec<String>, Failed> {
        let mut absent = Vec::new();
        for (hash, by) in &self.survey.in_force {
            let is_wanted = |seq: &u64| picked.binary_search_by_key(seq, |(seq, ..)| *seq).is_ok();
            if !by.iter().any(is_wanted) {
                continue;
            }
            let kept = policies::kept(dir, hash)
                .map_err(|source| Failed::Export(unreadable(&dir.join("policies"), source)))?;
            let Some(files) = kept else {
                absent.push(hash.clone());
                continue;
            };
            let texts = files
                .iter()
                .map(|(name, text)| (name.as_str(), text.clone()));
            let bare = hash.strip_prefix("sha256:").unwrap_or(hash);
            if policies::hash_of(&texts.collect()) != bare {
                let what = format!("`policies/{bare}` is not what was in force under that hash");
                return Err(Failed::Export(ExportError::Broken(what)));
            }
            for (name, text) in files {
                out.add_bytes(&format!("policies/{bare}/{name}"), &text)?;
            }
        }
        Ok(absent)
    }
}

fn has_signed(key: &VerifierKey, notes: &[Note]) -> bool {
    let key = std::slice::from_ref(key);
    notes.iter().any(|note| note.signed_by(key).is_ok())
}

fn counts(picked: &[(u64, Pick, bool)]) -> Counts {
    let mut counts = Counts::default();
    for (_, pick, is_covered) in picked {
        *match pick.why {
            As::Event => &mut counts.events,
            As::Terms => &mut counts.terms,
            As::Policy => &mut counts.policies,
            As::Segment => &mut counts.segments,
            As::Key => &mut counts.keys,
            As::Between => &mut counts.between,
        } += 1;
        counts.unproved += u64::from(!is_covered);
    }
    counts
}
