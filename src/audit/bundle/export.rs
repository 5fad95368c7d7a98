//! Makes a bundle: finds what is wanted, writes it with its proofs, looks through it as whoever receives it will, and only then
//! gives it its name.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use super::super::chain::{End, Lines};
use super::super::folder::segment_name;
use super::super::names::visible;
use super::super::note::{Checkpoint, NOTE_BYTES_MAX, Note, VerifierKey};
use super::super::query::{Query, query};
use super::super::spool::{Export, record_export};
use super::super::verdict::Fault;
use super::super::{id, policies};
use super::archive::Writer;
use super::check::{check, checkpoint_name, key_name};
use super::forest::Forest;
use super::manifest::{
    As, Counts, EVENTS, FORMAT, Lang, Listed, MANIFEST, Made, Manifest, PAGE, PROOFS, Proof, Range,
    Span, TREES, TreeOf, Trees, VERSION, hexes, written,
};
use super::survey::{Identity, Pick, Survey, mark, unreadable};
use super::{hex, page};

/// Public keys that are read.
const KEYS_MAX: usize = 1_000;

/// What is asked for, and how.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Which requests.
    pub query: &'a Query,
    /// The same in the words that were typed.
    pub words: &'a [String],
    /// What for.
    pub purpose: &'a str,
    /// Signed checkpoints that were kept elsewhere, from which on the log is to be shown to be the same.
    pub checkpoints: &'a [(PathBuf, String)],
    /// Whether to take everything between the first and the last event.
    pub complete: bool,
    /// Whether to take events that no checkpoint covers.
    pub unsigned: bool,
    /// The language of the page.
    pub lang: Lang,
    /// When.
    pub at: &'a str,
    /// Who.
    pub by: &'a str,
    /// The number of that user of the operating system.
    pub uid: u32,
    /// The program.
    pub program: &'a str,
}

/// What was made.
#[derive(Debug)]
pub struct Exported {
    /// Events that were asked for.
    pub events: u64,
    /// Lines in the bundle.
    pub lines: u64,
    /// Events that no checkpoint covers, and that were left out.
    pub left_out: u64,
    /// Events that no checkpoint covers, and that were taken.
    pub unproved: u64,
    /// Hashes of policies and schemas that the log's folder does not hold.
    pub absent: Vec<String>,
    /// The SHA-256 of the bundle, in hexadecimal.
    pub sha256: String,
    /// Why the log will not tell of it, if it will not.
    pub unrecorded: Option<io::Error>,
}

/// Why no bundle was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The log cannot be questioned.
    #[error(transparent)]
    Log(#[from] Fault),
    /// A file or folder cannot be read.
    #[error("`{}` cannot be read: {source}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bundle cannot be written.
    #[error("`{}` cannot be written: {source}", .path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something has its name already.
    #[error("`{}` is there already; a bundle is never written over something", .path.display())]
    Taken {
        /// Which.
        path: PathBuf,
    },
    /// The log is not what was written, or not what was signed.
    #[error("no bundle can be made of this log: {0}; `paravent audit verify` says more")]
    Broken(String),
    /// A checkpoint that was given does not fit.
    #[error("the checkpoint `{}` {what}", .path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// Nothing is left to be exported.
    #[error("{0}")]
    Nothing(String),
}

/// Makes a bundle of a log. Nothing is at `out` until all of it is.
///
/// # Errors
/// If the log cannot be read or is not what was signed, nothing matches, or the bundle cannot be written.
pub fn export(dir: &Path, out: &Path, asked: &Asked<'_>) -> Result<Exported, ExportError> {
    let taken = || ExportError::Taken {
        path: out.to_owned(),
    };
    if fs::symlink_metadata(out).is_ok() {
        return Err(taken());
    }
    let survey = Survey::of(dir, &wanted(dir, asked)?)?;
    let plan = Plan::new(dir, &survey, asked)?;
    let unwritable = |source| ExportError::Unwritable {
        path: out.to_owned(),
        source,
    };
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = out.with_file_name(format!(".{name}.{}.part", id::new()));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(unwritable)?;
    let unfinished = Unfinished(unfinished);
    let mut made = plan.write(dir, file, asked).map_err(|error| match error {
        Failed::Io(source) => unwritable(source),
        Failed::Export(error) => error,
    })?;
    made.sha256 = hash(&unfinished.0).map_err(unwritable)?;
    let note = Export {
        events: made.events,
        filters: asked.words.iter().map(|word| visible(word)).collect(),
        purpose: visible(asked.purpose),
        sha256: made.sha256.clone(),
    };
    made.unrecorded = record_export(dir, &note).err();
    match put(&unfinished.0, out) {
        Ok(()) => Ok(made),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken()),
        Err(error) => Err(unwritable(error)),
    }
}

/// A file that goes unless it got its name.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Gives a file its name, unless something has it.
fn put(unfinished: &Path, out: &Path) -> io::Result<()> {
    match fs::hard_link(unfinished, out) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        // Some file systems have no links.
        Err(_) if fs::symlink_metadata(out).is_ok() => {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Err(_) => fs::rename(unfinished, out)?,
        Ok(()) => {}
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn hash(path: &Path) -> io::Result<String> {
    let (mut file, mut chunk) = (File::open(path)?, vec![0; 1 << 16]);
    let mut context = Context::new(&SHA256);
    loop {
        let read = file.read(&mut chunk)?;
        match chunk.get(..read) {
            None | Some([]) => return Ok(hex(context.finish().as_ref())),
            Some(bytes) => context.update(bytes),
        }
    }
}

/// The ids of what matches.
fn wanted(dir: &Path, asked: &Asked<'_>) -> Result<HashSet<super::survey::Mark>, ExportError> {
    let mut wanted = HashSet::new();
    let summary = query(dir, asked.query, &mut |found| {
        wanted.insert(mark(found.id()));
        ControlFlow::Continue(())
    })?;
    if let Some(help) = summary.unheard_of {
        let what = format!("no policy or event of this log has the category: {help}");
        return Err(ExportError::Nothing(what));
    }
    if summary.unreadable_lines + summary.later_lines > 0 {
        return Err(ExportError::Broken(
            "it holds lines that are not events, or are those of a later version".to_owned(),
        ));
    }
    match wanted.is_empty() {
        true => Err(ExportError::Nothing(format!(
            "no event matches, of {}; no bundle is made of nothing",
            summary.events
        ))),
        false => Ok(wanted),
    }
}

/// Why it ended early.
enum Failed {
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

/// One log that lines are taken from.
struct Tree<'s> {
    log: &'s Identity,
    forest: Forest<'s>,
    /// By size.
    checkpoints: BTreeMap<u64, String>,
    /// How many events the last of them covers.
    size: u64,
}

impl Tree<'_> {
    fn covers(&self, seq: u64) -> bool {
        (self.log.from..self.log.from + self.size).contains(&seq)
    }
}

/// What will be written.
struct Plan<'s> {
    survey: &'s Survey,
    picks: BTreeMap<u64, Pick>,
    trees: Vec<Tree<'s>>,
    keys: Vec<VerifierKey>,
    span: Option<Span>,
    left_out: u64,
}

impl<'s> Plan<'s> {
    fn new(dir: &Path, survey: &'s Survey, asked: &Asked<'_>) -> Result<Self, ExportError> {
        let keys = keys(dir)?;
        let mut given = asked.checkpoints.to_vec();
        let mut trees = Vec::new();
        for log in &survey.logs {
            let of_log = given
                .extract_if(.., |(_, text)| is_of(text, &log.id))
                .collect();
            let end = survey.end(log);
            let is_wanted = survey.picks.range(log.from..end).next().is_some();
            let tree = tree(dir, survey, log, &keys, of_log)?;
            trees.extend(tree.filter(|_| is_wanted));
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
        plan.keep_used();
        if asked.complete {
            plan.span = plan.span();
            if plan.span.is_none() {
                return Err(ExportError::Nothing(
                    "no signed checkpoint covers what matches, so nothing can show that it is complete".to_owned(),
                ));
            }
        }
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
        let picks = &self.picks;
        self.trees.retain(|tree| {
            let covered = tree.log.from..tree.log.from + tree.size;
            picks.range(covered).next().is_some()
        });
        let notes = self.trees.iter().flat_map(|tree| tree.checkpoints.values());
        let notes: Vec<Note> = notes.filter_map(|text| Note::parse(text).ok()).collect();
        self.keys.retain(|key| {
            let key = std::slice::from_ref(key);
            notes.iter().any(|note| note.signed_by(key).is_ok())
        });
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

    fn write(&self, dir: &Path, file: File, asked: &Asked<'_>) -> Result<Exported, Failed> {
        let mut out = Writer::new(file)?;
        let mut picked = Vec::new();
        let mut failed = None;
        out.add(EVENTS, |out| {
            self.events(dir, out, &mut picked)
                .or_else(|error| match error {
                    Failed::Io(error) => Err(error),
                    Failed::Export(error) => {
                        failed = Some(error);
                        Err(io::ErrorKind::Other.into())
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

fn counts(picked: &[(u64, Pick, bool)]) -> Counts {
    let mut counts = Counts::default();
    for (_, pick, is_covered) in picked {
        *match pick.why {
            As::Event => &mut counts.events,
            As::Terms => &mut counts.terms,
            As::Policy => &mut counts.policies,
            As::Segment => &mut counts.segments,
            As::Between => &mut counts.between,
        } += 1;
        counts.unproved += u64::from(!is_covered);
    }
    counts
}

/// Whether a text is a checkpoint of a log.
fn is_of(text: &str, log: &str) -> bool {
    let note = Note::parse(text).and_then(|note| Checkpoint::parse(note.text()));
    let origin = note.map(|checkpoint| checkpoint.origin).unwrap_or_default();
    let rest = origin
        .strip_prefix("paravent/")
        .and_then(|origin| origin.strip_prefix(log));
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// The public keys that the folder keeps.
fn keys(dir: &Path) -> Result<Vec<VerifierKey>, ExportError> {
    let folder = dir.join("keys");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(&folder, error)),
    };
    let mut keys: Vec<VerifierKey> = Vec::new();
    for entry in entries.take(KEYS_MAX) {
        let path = entry.map_err(|error| unreadable(&folder, error))?.path();
        if path.extension().is_none_or(|end| end != "pub") {
            continue;
        }
        let read = crate::files::read(&path, NOTE_BYTES_MAX);
        let text = String::from_utf8(read.map_err(|error| unreadable(&path, error))?.bytes);
        let key = text.ok().and_then(|text| VerifierKey::parse(&text).ok());
        keys.extend(key);
    }
    keys.sort_by_key(VerifierKey::id_text);
    keys.dedup_by_key(|key| key.id_text());
    Ok(keys)
}

/// The tree of a log up to its last checkpoint, with the first one and those that were given; `None` if it has none.
fn tree<'s>(
    dir: &Path,
    survey: &'s Survey,
    log: &'s Identity,
    keys: &[VerifierKey],
    given: Vec<(PathBuf, String)>,
) -> Result<Option<Tree<'s>>, ExportError> {
    let mut checkpoints = kept(dir, log, keys)?;
    for (path, text) in given {
        let note = Note::parse(&text);
        let checkpoint = note.and_then(|note| {
            note.signed_by(keys)?;
            Checkpoint::parse(note.text())
        });
        match checkpoint {
            Ok(checkpoint) => checkpoints.insert(checkpoint.size, (checkpoint, text, Some(path))),
            Err(what) => {
                let what = what.to_string();
                return Err(ExportError::Checkpoint { path, what });
            }
        };
    }
    // Before the log has said itself that it is one, nothing of it is signed.
    checkpoints.retain(|size, _| log.from + size > log.said);
    let Some(size) = checkpoints.keys().next_back().copied() else {
        return Ok(None);
    };
    let leaves = survey.leaves(log);
    let at = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    let Some(covered) = leaves.get(..at(size)) else {
        let (id, have) = (&log.id, leaves.len());
        return Err(ExportError::Broken(match have {
            0 => format!(
                "the leaves of the first events of the log {id} are missing, from {} on",
                log.from
            ),
            _ => format!(
                "a checkpoint says that the log {id} has {size} events, and {have} are here"
            ),
        }));
    };
    let forest = Forest::new(covered);
    for (size, (checkpoint, _, path)) in &checkpoints {
        if forest.root(at(*size)) == Some(checkpoint.root) {
            continue;
        }
        let what = format!("says otherwise than the log what its first {size} events are");
        return Err(match path {
            Some(path) => ExportError::Checkpoint {
                path: path.clone(),
                what,
            },
            None => ExportError::Broken(format!("a checkpoint that was signed {what}")),
        });
    }
    Ok(Some(Tree {
        log,
        forest,
        checkpoints: checkpoints
            .into_iter()
            .map(|(size, (_, text, _))| (size, text))
            .collect(),
        size,
    }))
}

/// Checkpoints by size, each with its text, and with its file if it was given.
type Checkpoints = BTreeMap<u64, (Checkpoint, String, Option<PathBuf>)>;

/// The first and the last checkpoint that the folder keeps of a log.
fn kept(dir: &Path, log: &Identity, keys: &[VerifierKey]) -> Result<Checkpoints, ExportError> {
    let folder = dir.join("checkpoints");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(unreadable(&folder, error)),
    };
    let end = format!(".{}.checkpoint", log.id.get(..8).unwrap_or_default());
    let mut names = Vec::new();
    for entry in entries {
        let name = entry
            .map_err(|error| unreadable(&folder, error))?
            .file_name();
        names.extend(name.into_string().ok().filter(|name| name.ends_with(&end)));
    }
    names.sort();
    let read = |name: &String| {
        let path = folder.join(name);
        let bytes = crate::files::read(&path, NOTE_BYTES_MAX).ok()?.bytes;
        let text = String::from_utf8(bytes)
            .ok()
            .filter(|text| is_of(text, &log.id))?;
        let note = Note::parse(&text).ok()?;
        note.signed_by(keys).ok()?;
        Some((Checkpoint::parse(note.text()).ok()?, text))
    };
    // What is none, or is signed by nobody known, proves nothing.
    let first = names.iter().find_map(read);
    let last = names.iter().rev().find_map(read);
    let both = first.into_iter().chain(last);
    Ok(both
        .map(|(checkpoint, text)| (checkpoint.size, (checkpoint, text, None)))
        .collect())
}
