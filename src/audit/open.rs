//! Finding the place in a log where writing goes on.
//!
//! A process that is killed, or a power cut, leaves at most one torn write at the end of the last segment: it is set
//! aside. Anything else that is wrong was not done by us, and the log does not open.

use std::io;
use std::path::{Path, PathBuf};

use super::chain::{End, Head, Line, Lines, last_line, later_version, next_event, text_bytes};
use super::folder::{self, Disk as _, Durable, Folder, SetAside, segment_name};
use super::format::VERSION;
use super::gap::{self, Loss};
use super::identity::{self, LogTree, Placed};
use super::kept::{Found, Kept};
use super::pruned::Pruned;
use super::sharing::NotShared;

const NOT_CANONICAL: &str = "is not in canonical form";

/// Why a log does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process writes it.
    #[error("the access log `{}` is in use by another process", .dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// Another process keeps its head in the folder of the state.
    #[error(
        "the state in `{}` is in use by another process; give each its own with `state: {{ dir: … }}`",
        .dir.display()
    )]
    StateInUse {
        /// The folder of the state.
        dir: PathBuf,
    },
    /// The folder of the state cannot be read or written.
    #[error(
        "the state of the access log in `{}` cannot be kept: {source}; `state: {{ dir: … }}` names another folder",
        .dir.display()
    )]
    State {
        /// The folder of the state.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder cannot be read or written.
    #[error("the access log `{}` cannot be opened: {source}", .dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An event does not follow from the one before it.
    #[error(
        "the access log is damaged: event {seq} in `{}` {what}; keep the folder as evidence, and move it away to begin a new log",
        .file.display()
    )]
    Damaged {
        /// The segment.
        file: PathBuf,
        /// The number that the event has or should have.
        seq: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An event is in a later format than this program knows.
    #[error(
        "the access log was written by a later version: event {seq} in `{}` is in format {version}, and this version knows format {VERSION}; run the later one, or move the folder away to begin a new log",
        .file.display()
    )]
    Later {
        /// The segment.
        file: PathBuf,
        /// The number that the event should have.
        seq: u64,
        /// The version of its format.
        version: u64,
    },
    /// The group that should read it was not given access.
    #[error(
        "{what}; add the user that runs this to the group (`usermod -aG`, then start again), or leave `audit.group` out"
    )]
    NotShared {
        /// What was not given, to whom, and why.
        what: String,
    },
    /// The writer could not be started, or could not write its first event.
    #[error("the access log `{}` cannot be written", .dir.display())]
    Unwritable {
        /// The folder.
        dir: PathBuf,
    },
}

impl From<NotShared> for OpenError {
    fn from(cause: NotShared) -> Self {
        let what = cause.to_string();
        Self::NotShared { what }
    }
}

/// A log that is ready to be written.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) folder: Folder,
    pub(super) last: Last,
    /// What was taken out of segments.
    pub(super) set_aside: Vec<SetAside>,
    pub(super) kept: Kept,
    /// What was kept.
    pub(super) found: Found,
    /// What is missing, behind which event.
    pub(super) gap: Option<(Head, Loss)>,
}

/// Where a log ended.
#[derive(Debug)]
pub(super) struct Last {
    pub(super) head: Head,
    /// When its last event was written, as that says.
    pub(super) time: Option<String>,
    pub(super) durable: Durable,
    /// The tree up to there.
    pub(super) tree: LogTree,
    /// Whether its segment states the tree.
    pub(super) is_stated: bool,
    /// What the last segment said.
    pub(super) placed: Placed,
    /// Whether what comes next is of the same log.
    pub(super) goes_on: bool,
}

impl Last {
    /// Where nothing was written yet behind a head; what comes next begins a log under a new identity.
    fn behind(head: Head) -> io::Result<Self> {
        Ok(Self {
            tree: LogTree::new(head.seq + 1)?,
            is_stated: false,
            head,
            time: None,
            durable: Durable::none(),
            placed: Placed::default(),
            goes_on: false,
        })
    }
}

/// Locks a folder, checks its last segment, sets a torn end aside, and compares the end with the head that was kept.
pub(super) fn open(dir: &Path, state: &Path) -> Result<Ready, OpenError> {
    let failed = |source| OpenError::Folder {
        dir: dir.to_owned(),
        source,
    };
    let lock = folder::lock(dir).map_err(failed)?;
    let lock = lock.ok_or_else(|| OpenError::InUse {
        dir: dir.to_owned(),
    })?;
    let (kept, found) = kept(state)?;
    let mut segments = folder::segments(dir).map_err(failed)?;
    let unfinished = without_unfinished(dir, &mut segments).map_err(failed)?;
    let scanned = match segments.split_last() {
        Some((&last, earlier)) => {
            let before = before(dir, last, earlier.last().copied())?;
            Some((last, scan(dir, last, before)?))
        }
        None => None,
    };
    let end = scanned
        .as_ref()
        .map_or_else(Head::start, |(_, scanned)| scanned.head.clone());
    let gap = missing(dir, &end, &found).map_err(failed)?;
    let goes_on_behind = match &gap {
        Some((kept, _)) if kept.seq >= end.seq => kept.clone(),
        _ => end,
    };
    let next_seq = goes_on_behind.seq + 1;
    let Some((first_seq, scanned)) = scanned else {
        return Ok(Ready {
            folder: Folder::open(dir, lock, next_seq).map_err(failed)?,
            last: Last::behind(goes_on_behind).map_err(failed)?,
            set_aside: vec![unfinished],
            kept,
            found,
            gap,
        });
    };
    // A compressed segment is never gone on with.
    let is_plain = folder::is_plain(dir, first_seq).map_err(failed)?;
    let begins = if is_plain { first_seq } else { next_seq };
    let mut folder = Folder::open(dir, lock, begins).map_err(failed)?;
    let mut set_aside = vec![unfinished];
    if is_plain && scanned.torn {
        set_aside.push(folder.cut(&scanned.durable, b"").map_err(failed)?);
    }
    let last = if gap.is_some() {
        if is_plain {
            folder.begin(next_seq).map_err(failed)?;
        }
        Last {
            time: scanned.time,
            placed: scanned.placed,
            ..Last::behind(goes_on_behind).map_err(failed)?
        }
    } else {
        go_on(&mut folder, scanned, &segments, is_plain).map_err(failed)?
    };
    Ok(Ready {
        folder,
        last,
        set_aside,
        kept,
        found,
        gap,
    })
}

/// Takes away a last segment that does not follow from the one before and has not got as far as its first event: a process
/// ended when it had begun to note a gap. What it holds is set aside; the gap is noted anew.
fn without_unfinished(dir: &Path, segments: &mut Vec<u64>) -> io::Result<SetAside> {
    let Some((&first_seq, earlier)) = segments.split_last() else {
        return Ok(SetAside::default());
    };
    let follows = match earlier.last() {
        Some(earlier) => last_line(dir, *earlier)?.is_some_and(|line| {
            let follows = |line: Line| line.seq + 1 == first_seq;
            later_version(&line).is_some() || Line::read(&line).is_some_and(follows)
        }),
        None => first_seq == 1,
    };
    if follows || !is_unfinished(dir, first_seq)? {
        return Ok(SetAside::default());
    }
    segments.pop();
    let segment = segment_name(first_seq);
    tracing::warn!(
        segment,
        "a segment of the access log was begun and holds no event; it is begun anew"
    );
    folder::take_away(dir, first_seq)
}

/// Whether a segment is plain and holds nothing but a first write that did not end.
fn is_unfinished(dir: &Path, first_seq: u64) -> io::Result<bool> {
    let is_packed = dir.join(folder::packed_name(first_seq)).exists();
    if is_packed || !folder::is_plain(dir, first_seq)? {
        return Ok(false);
    }
    let mut lines = Lines::of_segment(dir, first_seq)?;
    let Some(end) = lines.next()? else {
        return Ok(true);
    };
    let is_whole = end == End::Newline && Line::read(&lines.line).is_some();
    if is_whole || later_version(&lines.line).is_some() {
        return Ok(false);
    }
    let is_torn = lines.end_bytes >= text_bytes(dir, first_seq)? || lines.line.contains(&0);
    Ok(is_torn && next_event(&mut lines)?.is_none())
}

/// Goes on behind what was found of a log of which nothing is missing: in its last segment; or in a new one, if that was
/// written by a version that did not state the tree, or was compressed, so that the folder has begun a new one already.
fn go_on(
    folder: &mut Folder,
    scanned: Scanned,
    segments: &[u64],
    is_plain: bool,
) -> io::Result<Last> {
    let Scanned {
        head,
        time,
        durable,
        mut placed,
        ..
    } = scanned;
    let first_seq = segments.last().copied().unwrap_or(1);
    let behind_gap = placed.behind_gap(first_seq)?;
    let is_stated = placed.tree.is_some();
    let known = placed.tree.take().or(behind_gap);
    let (tree, goes_on) = match known {
        Some(tree) if is_plain => {
            return Ok(Last {
                head,
                time,
                durable,
                tree,
                is_stated,
                placed,
                goes_on: is_stated,
            });
        }
        Some(tree) => (Some(tree), is_stated),
        None => {
            let tree = identity::over(folder.dir(), segments, &head)?;
            let is_known = tree.is_some();
            (tree, is_known)
        }
    };
    if is_plain && durable.bytes > 0 {
        folder.begin(head.seq + 1)?;
    }
    let behind = Last::behind(head)?;
    Ok(Last {
        time,
        goes_on,
        tree: tree.unwrap_or_else(|| behind.tree.clone()),
        placed,
        ..behind
    })
}

/// Opens the state, and reads the head that was kept.
fn kept(state: &Path) -> Result<(Kept, Found), OpenError> {
    let opened = Kept::open(state).map_err(|source| OpenError::State {
        dir: state.to_owned(),
        source,
    })?;
    opened.ok_or_else(|| OpenError::StateInUse {
        dir: state.to_owned(),
    })
}

/// What is missing of a log that ends here, as the head says that was kept.
fn missing(dir: &Path, end: &Head, found: &Found) -> io::Result<Option<(Head, Loss)>> {
    let Found::Head(kept) = found else {
        return Ok(None);
    };
    let loss = if kept.seq > end.seq {
        Loss::EndMissing
    } else if kept.seq == 0 || kept == end || holds(dir, kept)? {
        // The log may be ahead: it is written first.
        return Ok(None);
    } else {
        Loss::EndChanged
    };
    Ok(Some((kept.clone(), loss)))
}

/// Whether a log holds the event of a head.
fn holds(dir: &Path, head: &Head) -> io::Result<bool> {
    let segments = folder::segments(dir)?;
    let Some(first_seq) = segments.iter().copied().rfind(|first| *first <= head.seq) else {
        // It may have been kept long enough. Where what is left of it is not whole, it is not held.
        let first_segment = segments.first().copied().unwrap_or_default();
        let left = Pruned::of(dir, first_segment).and_then(|pruned| pruned.hash(head.seq));
        return Ok(left.is_ok_and(|hash| hash.as_ref() == Some(&head.hash)));
    };
    let mut lines = Lines::of_segment(dir, first_seq)?;
    while let Some(line) = next_event(&mut lines)? {
        if line.seq >= head.seq {
            return Ok(line.head() == *head);
        }
    }
    Ok(false)
}

/// The head of the chain at the beginning of a segment; `None` if the segments before it are kept elsewhere.
fn before(dir: &Path, first_seq: u64, earlier: Option<u64>) -> Result<Option<Head>, OpenError> {
    let failed = |source| OpenError::Folder {
        dir: dir.to_owned(),
        source,
    };
    let ordinary = ordinary(dir, first_seq, earlier);
    let first = Lines::of_segment(dir, first_seq).and_then(|mut lines| next_event(&mut lines));
    let follows = match (&ordinary, first.map_err(failed)?) {
        (Ok(Some(head)), Some(first)) => head.precedes(&first),
        (Ok(_), _) => true,
        (Err(_), _) => false,
    };
    if follows {
        return ordinary;
    }
    // Behind a gap, it is what the segment itself says, whatever came of the one before.
    let bridged = gap::bridged(dir, first_seq).map_err(failed)?;
    bridged.map_or(ordinary, |head| Ok(Some(head)))
}

/// The same where nothing is missing.
fn ordinary(dir: &Path, first_seq: u64, earlier: Option<u64>) -> Result<Option<Head>, OpenError> {
    let Some(earlier) = earlier else {
        return Ok((first_seq == 1).then(Head::start));
    };
    let path = dir.join(segment_name(earlier));
    let line = last_line(dir, earlier).map_err(|source| OpenError::Folder {
        dir: dir.to_owned(),
        source,
    })?;
    if let Some(version) = line.as_deref().and_then(later_version) {
        return Err(OpenError::Later {
            file: path,
            seq: first_seq - 1,
            version,
        });
    }
    let head = line.as_deref().and_then(Line::read).map(|line| line.head());
    head.filter(|head| head.seq + 1 == first_seq)
        .map(Some)
        .ok_or(OpenError::Damaged {
            file: path,
            seq: first_seq - 1,
            what: "should be the last one and is not",
        })
}

struct Scanned {
    head: Head,
    /// When its last event was written, as that says.
    time: Option<String>,
    durable: Durable,
    placed: Placed,
    torn: bool,
}

/// Reads the last segment from beginning to end.
fn scan(dir: &Path, first_seq: u64, before: Option<Head>) -> Result<Scanned, OpenError> {
    let path = dir.join(segment_name(first_seq));
    let failed = |source| OpenError::Folder {
        dir: dir.to_owned(),
        source,
    };
    let damaged = |seq, what| OpenError::Damaged {
        file: path.clone(),
        seq,
        what,
    };
    let later = |seq, version| OpenError::Later {
        file: path.clone(),
        seq,
        version,
    };
    let file_bytes = text_bytes(dir, first_seq).map_err(failed)?;
    let mut lines = Lines::of_segment(dir, first_seq).map_err(failed)?;
    let mut head = before;
    let (mut durable, mut time) = (Durable::none(), None);
    let (mut placed, mut torn) = (Placed::default(), false);
    while let Some(end) = lines.next().map_err(failed)? {
        let next_seq = head.as_ref().map_or(first_seq, |head| head.seq + 1);
        let (End::Newline, Some(line)) = (end, Line::read(&lines.line)) else {
            // Whole or torn, it is an event of a later program, and not ours to set aside.
            if let Some(version) = later_version(&lines.line) {
                return Err(later(next_seq, version));
            }
            // A write that did not end: the last line of all, or zeros up to the end, as a power cut leaves them.
            torn = lines.end_bytes >= file_bytes || lines.line.contains(&0);
            if torn {
                break;
            }
            return Err(damaged(next_seq, NOT_CANONICAL));
        };
        match &head {
            Some(head) if !head.precedes(&line) => {
                return Err(damaged(next_seq, "does not follow from the one before it"));
            }
            None if line.seq != first_seq => {
                return Err(damaged(next_seq, "has another number than the file says"));
            }
            _ => {}
        }
        placed.add(&line).map_err(|what| damaged(next_seq, what))?;
        durable = Durable {
            bytes: lines.end_bytes,
            last: Some((lines.line.len() as u64 + 1, line.hash.clone())),
        };
        head = Some(line.head());
        time = Some(line.time);
    }
    let is_plain = folder::is_plain(dir, first_seq).map_err(failed)?;
    if torn && (!is_plain || next_event(&mut lines).map_err(failed)?.is_some()) {
        let next_seq = head.as_ref().map_or(first_seq, |head| head.seq + 1);
        return Err(damaged(next_seq, NOT_CANONICAL));
    }
    let head = head.ok_or_else(|| damaged(first_seq, "is missing, and so are those before it"))?;
    Ok(Scanned {
        head,
        time,
        durable,
        placed,
        torn,
    })
}
