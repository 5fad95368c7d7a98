//! What signed checkpoints say of a log: those that were given from outside of its folder, and those that lie in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::super::note::{Checkpoint, NOTE_BYTES_MAX, Note, NoteError};
use super::super::tree::{Hash, Tree};
use super::super::verdict::{Checked, Gap, Signer, Standing, Unexpected};
use super::identities::{Growing, Named};
use super::keys::Keys;
use super::pruned::Pruned;
use super::{Given, Outside};

/// The folder of checkpoints, and how their names end.
const CHECKPOINTS: &str = "checkpoints";
const SUFFIX: &str = ".checkpoint";
/// Checkpoints in it that are looked at, the newest first.
const INSIDE_MAX: usize = 100_000;

/// A checkpoint that was read, and of which nothing is proved yet.
#[derive(Debug)]
pub(super) struct Claim {
    name: String,
    is_outside: bool,
    read: Result<(Note, Checkpoint), NoteError>,
}

/// What checkpoints are held against.
pub(super) struct Log<'a> {
    pub(super) identities: Vec<&'a Named>,
    pub(super) gaps: &'a [Gap],
    pub(super) keys: &'a Keys,
    pub(super) outside: &'a Outside,
    /// Whether it was read to its end.
    pub(super) is_whole: bool,
}

impl Claim {
    fn new(given: &Given, is_outside: bool) -> Self {
        let read = Note::parse(&given.text).and_then(|note| {
            let checkpoint = Checkpoint::parse(note.text())?;
            Ok((note, checkpoint))
        });
        Self {
            name: given.name.clone(),
            is_outside,
            read,
        }
    }

    fn checkpoint(&self) -> Option<&Checkpoint> {
        self.read.as_ref().ok().map(|(_, checkpoint)| checkpoint)
    }
}

/// Reads all of them.
pub(super) fn claims(dir: &Path, outside: &Outside) -> io::Result<Vec<Claim>> {
    let given = outside.checkpoints.iter();
    let mut claims: Vec<_> = given.map(|given| Claim::new(given, true)).collect();
    let mut names = Vec::new();
    let entries = match fs::read_dir(dir.join(CHECKPOINTS)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(claims),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        let name = name.to_str().filter(|name| name.ends_with(SUFFIX));
        names.extend(name.map(str::to_owned));
    }
    names.sort_unstable();
    for name in names.into_iter().rev().take(INSIDE_MAX) {
        let path = dir.join(CHECKPOINTS).join(&name);
        if !path.is_file() {
            continue;
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(&path)?;
        file.take(NOTE_BYTES_MAX as u64 + 1)
            .read_to_end(&mut bytes)?;
        let given = Given {
            name: format!("{CHECKPOINTS}/{name}"),
            // What is not UTF-8 is no note.
            text: String::from_utf8(bytes).unwrap_or_default(),
        };
        claims.push(Claim::new(&given, false));
    }
    Ok(claims)
}

/// The sizes that they speak of.
pub(super) fn sizes(claims: &[Claim]) -> BTreeSet<u64> {
    let checkpoints = claims.iter().filter_map(Claim::checkpoint);
    checkpoints.map(|checkpoint| checkpoint.size).collect()
}

/// Which log an origin names.
fn log_of(origin: &str) -> Option<&str> {
    let (log, _) = origin.strip_prefix("paravent/")?.split_once('/')?;
    Some(log)
}

impl Log<'_> {
    /// What one says of the log.
    pub(super) fn check(&self, claim: &Claim) -> Checked {
        let mut checked = Checked {
            name: claim.name.clone(),
            is_outside: claim.is_outside,
            log: String::new(),
            size: 0,
            seq: None,
            time: None,
            signer: None,
            counts: false,
            standing: Standing::Unsigned,
        };
        let (note, checkpoint) = match &claim.read {
            Ok(read) => read,
            Err(error) => {
                checked.standing = Standing::Unread(*error);
                return checked;
            }
        };
        checked.size = checkpoint.size;
        checked.log = log_of(&checkpoint.origin).unwrap_or_default().to_owned();
        match self.signer(note, claim.is_outside) {
            Ok(signer) => checked.signer = signer,
            Err(error) => {
                checked.standing = match error {
                    NoteError::Forged => Standing::Forged,
                    _ => Standing::Unsigned,
                };
                return checked;
            }
        }
        let is_trusted = |signer: &Signer| signer.counts || self.outside.trust_local;
        checked.counts = checked.signer.as_ref().is_some_and(is_trusted);
        let is_its = |named: &&&Named| named.log == checked.log;
        let Some(named) = self.identities.iter().find(is_its) else {
            checked.standing = Standing::OtherLog;
            return checked;
        };
        let seq = named
            .tree
            .from()
            .saturating_add(checkpoint.size)
            .saturating_sub(1);
        checked.seq = Some(seq);
        checked.standing = self.compare(&named.tree, checkpoint, seq);
        checked.time = named.tree.at(checkpoint.size).map(|mark| mark.time.clone());
        checked
    }

    /// Who has signed it. Without keys from outside, nobody need have; with them, no other key will do for what was given.
    fn signer(&self, note: &Note, is_outside: bool) -> Result<Option<Signer>, NoteError> {
        let by = |keys, counts| {
            note.signed_by(keys).map(|key| Signer {
                name: key.name().to_owned(),
                id: key.id_text(),
                counts,
            })
        };
        let Outside {
            keys, trust_local, ..
        } = self.outside;
        match by(&self.keys.counting, true) {
            Err(NoteError::Unsigned) if *trust_local || keys.is_empty() || !is_outside => {}
            Err(NoteError::Unsigned) => return by(&self.keys.before(), false).map(Some),
            decided => return decided.map(Some),
        }
        match by(&self.keys.local, false) {
            Err(NoteError::Unsigned) if keys.is_empty() => Ok(None),
            decided => decided.map(Some),
        }
    }

    fn compare(&self, tree: &Growing, checkpoint: &Checkpoint, seq: u64) -> Standing {
        let agrees = match (checkpoint.size, tree.at(checkpoint.size)) {
            (0, _) => checkpoint.root == Tree::default().root(),
            (_, Some(mark)) => checkpoint.root == mark.root,
            (_, None) if !self.is_whole => return Standing::Beyond,
            (_, None) => {
                let next_seq = tree.from() + tree.size();
                return match self.known_gap(next_seq, seq) {
                    Some(last_seq) => Standing::InGap { last_seq },
                    None => Standing::Missing { next_seq },
                };
            }
        };
        match agrees {
            true => Standing::Agrees,
            false => Standing::Differs,
        }
    }

    /// The last event before a gap that is known, in which these are missing.
    fn known_gap(&self, first: u64, last: u64) -> Option<u64> {
        let is_known = |gap: &&Gap| {
            let covers = |(from, to)| from <= first && last <= to;
            gap.missing.is_some_and(covers) && self.outside.knows(gap)
        };
        self.gaps.iter().find(is_known).map(|gap| gap.last_seq)
    }

    /// Which of those that are of no identity of the log are of leaves that were kept of pruned events.
    pub(super) fn mark_pruned(
        &self,
        claims: &[Claim],
        checked: &mut [Checked],
        pruned: &mut Pruned,
        first_segment: u64,
    ) -> io::Result<()> {
        let mut unknown = BTreeMap::<&str, BTreeMap<u64, Vec<(usize, Hash)>>>::new();
        for (index, (claim, checked)) in claims.iter().zip(&*checked).enumerate() {
            let is_unknown = checked.standing == Standing::OtherLog;
            if is_unknown
                && checked.size > 0
                && (checked.counts || checked.is_outside)
                && let Some(checkpoint) = claim.checkpoint()
                && let Some(log) = log_of(&checkpoint.origin)
            {
                let of_log = unknown.entry(log).or_default();
                let of_size = of_log.entry(checkpoint.size).or_default();
                of_size.push((index, checkpoint.root));
            }
        }
        for sizes in unknown.values() {
            for start in pruned.starts(first_segment) {
                let agreeing = agreeing(pruned, (start, first_segment), sizes)?;
                if agreeing.is_empty() {
                    continue;
                }
                for index in agreeing {
                    if let Some(checked) = checked.get_mut(index) {
                        checked.standing = Standing::Pruned;
                    }
                }
                break;
            }
        }
        Ok(())
    }

    /// The root of a tree whose newest event is another one, and that has one more: whether a checkpoint that counts agrees;
    /// `None` if none speaks of it.
    pub(super) fn agrees_if(
        &self,
        claims: &[Claim],
        (log, size): (&str, u64),
        root: &[u8; 32],
    ) -> Option<bool> {
        let mut of_it = claims.iter().filter(|claim| {
            let is_its = |checkpoint: &Checkpoint| {
                checkpoint.size == size && log_of(&checkpoint.origin) == Some(log)
            };
            claim.checkpoint().is_some_and(is_its) && self.check(claim).counts
        });
        let agrees = |claim: &Claim| claim.checkpoint().is_some_and(|it| it.root == *root);
        let first = of_it.next()?;
        Some(agrees(first) || of_it.any(agrees))
    }
}

/// Which of some checkpoints of one log are of the leaves from one on. None, if the smallest is not.
fn agreeing(
    pruned: &mut Pruned,
    (start, end): (u64, u64),
    sizes: &BTreeMap<u64, Vec<(usize, Hash)>>,
) -> io::Result<Vec<usize>> {
    let (mut tree, mut found) = (Tree::default(), Vec::new());
    for (size, roots) in sizes {
        while tree.size() < *size {
            let seq = start.saturating_add(tree.size());
            let leaf = (seq < end).then(|| pruned.leaf(seq)).transpose()?;
            let Some(leaf) = leaf.flatten() else {
                return Ok(found);
            };
            tree.push(leaf);
        }
        let root = tree.root();
        let agree = roots.iter().filter(|(_, stated)| *stated == root);
        found.extend(agree.map(|(index, _)| *index));
        if found.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// Whether a checkpoint that says otherwise is a fault of the log.
fn accuses(checked: &Checked) -> bool {
    // Without any key, somebody still says from outside that it is of this log.
    checked.counts
        || (checked.is_outside && checked.signer.as_ref().is_none_or(|signer| !signer.counts))
}

/// The first fault that checkpoints tell of.
pub(super) fn fault(checked: &[Checked], identities: &[&Named]) -> Option<Unexpected> {
    let mut found = None;
    for named in identities {
        let its = || {
            checked
                .iter()
                .filter(|one| one.log == named.log && one.seq.is_some())
        };
        let agrees = its().filter(|one| one.standing == Standing::Agrees && one.counts);
        let agreed = agrees.map(|one| one.size).collect::<BTreeSet<_>>();
        let before = |size| agreed.range(..size).next_back().copied().unwrap_or(0);
        let from = named.tree.from();
        let differs = its().filter(|one| one.standing == Standing::Differs && accuses(one));
        if let Some(size) = differs.map(|one| one.size).min() {
            found = Some(match agreed.range(size..).next() {
                Some(other) => Unexpected::Split {
                    size,
                    other: *other,
                },
                None => Unexpected::Forked {
                    first_seq: from + before(size),
                    last_seq: from + size.saturating_sub(1),
                },
            });
            break;
        }
        let is_missing = |one: &&Checked| matches!(one.standing, Standing::Missing { .. });
        let missing = its().filter(|one| is_missing(one) && accuses(one));
        if let Some(last_seq) = missing.filter_map(|one| one.seq).max() {
            found = Some(Unexpected::Cut {
                first_seq: from + before(named.tree.size() + 1),
                seq: from + named.tree.size(),
                last_seq,
            });
            break;
        }
    }
    found
}
