//! Whether a log is what was written: every event in its place, none changed, none missing.
//!
//! What a chain of hashes alone cannot show: that the very end was cut off or changed, and that somebody who may write
//! the folder made the whole rest of the chain anew. Both need something that is kept elsewhere: a head.

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::path::Path;

use super::chain::{End, Head, Line, Lines, later_version, next_event};
use super::expand;
use super::folder::{parts, segment_name, segments};
use super::format::{Phase, Told};
use super::gap;
use super::pruned::Pruned;
use super::verdict::{Broken, ClockStep, Fault, Gap, Tampering, Unclosed, Unexpected, Verified};

/// Bytes after which progress is reported.
const PROGRESS_BYTES: u64 = 1 << 20;

/// Checks a whole log. Needs no lock: a log may be verified while it is written. `progress` hears, now and then, how
/// many bytes have been read.
///
/// # Errors
/// At the first event that is not what was written.
pub fn verify(dir: &Path, progress: &mut dyn FnMut(u64)) -> Result<Verified, Fault> {
    verify_against(dir, &[], progress)
}

/// As [`verify`], and whether it is still the log of which these heads were kept elsewhere: only they can tell that its end is
/// missing, or that all of it was written anew.
///
/// # Errors
/// At the first event that is not what was written, or not the one that was kept.
pub fn verify_against(
    dir: &Path,
    kept: &[Head],
    progress: &mut dyn FnMut(u64),
) -> Result<Verified, Fault> {
    let verified = walk(dir, kept, progress);
    let (last_seq, gaps) = match &verified {
        Ok(verified) => (verified.last_seq, verified.gaps.as_slice()),
        Err(Fault::NoLog { .. }) => (0, &[][..]),
        Err(Fault::Unreadable { path, source })
            if path == dir && source.kind() == io::ErrorKind::NotFound =>
        {
            (0, &[][..])
        }
        Err(_) => return verified,
    };
    let is_missing = |head: &&Head| {
        let lies_in = |gap: &Gap| {
            gap.missing
                .is_some_and(|(first, last)| (first..=last).contains(&head.seq))
        };
        head.seq > last_seq || gaps.iter().any(lies_in)
    };
    match kept.iter().find(is_missing) {
        Some(Head { seq, .. }) => {
            let seq = *seq;
            Err(Fault::Unexpected(Unexpected::Missing { seq, last_seq }))
        }
        None => verified,
    }
}

fn walk(dir: &Path, kept: &[Head], progress: &mut dyn FnMut(u64)) -> Result<Verified, Fault> {
    let unreadable = |source| Fault::Unreadable {
        path: dir.to_owned(),
        source,
    };
    let segments = segments(dir).map_err(unreadable)?;
    let first = segments.first().copied().unwrap_or_default();
    let pruned = Pruned::of(dir, first).map_err(unreadable)?;
    if let Some(fault) = pruned.differs(kept).map_err(unreadable)? {
        return Err(Fault::Unexpected(fault));
    }
    let mut walk = Walk {
        dir,
        kept,
        progress,
        head: pruned.head().map_err(unreadable)?,
        events: 0,
        place: (String::new(), 0),
        unclosed: BTreeMap::new(),
        time: String::new(),
        clock_steps: Vec::new(),
        gaps: Vec::new(),
        behind_gap: None,
        unfinished_bytes: 0,
        read_bytes: 0,
        reported_bytes: 0,
    };
    for (index, first_seq) in segments.iter().enumerate() {
        walk.segment(*first_seq, segments.get(index + 1).copied())?;
    }
    if segments.is_empty() {
        return Err(Fault::NoLog {
            dir: dir.to_owned(),
        });
    }
    let mut unclosed: Vec<_> = walk.unclosed.into_iter().collect();
    unclosed.sort_by_key(|(_, seq)| *seq);
    Ok(Verified {
        segments: segments.len(),
        events: walk.events,
        last_seq: walk.head.seq,
        last_hash: walk.head.hash,
        unclosed: unclosed
            .into_iter()
            .map(|(id, seq)| Unclosed { seq, id })
            .collect(),
        gaps: walk.gaps,
        clock_steps: walk.clock_steps,
        set_aside: parts(dir).map_err(unreadable)?,
        unfinished_bytes: walk.unfinished_bytes,
    })
}

/// The state between two lines.
struct Walk<'a> {
    dir: &'a Path,
    /// What must be found.
    kept: &'a [Head],
    progress: &'a mut dyn FnMut(u64),
    head: Head,
    /// How many have been read.
    events: u64,
    /// The file and line of the head.
    place: (String, u64),
    /// The numbers of opening events without a close, by id.
    unclosed: BTreeMap<String, u64>,
    /// When the head was written, as it says.
    time: String,
    clock_steps: Vec<ClockStep>,
    gaps: Vec<Gap>,
    /// The head at which a segment goes on behind a gap, and the one that was there; until the event that notes it.
    behind_gap: Option<(Head, Head)>,
    unfinished_bytes: u64,
    read_bytes: u64,
    reported_bytes: u64,
}

impl Walk<'_> {
    /// Checks one segment; `next_first` is the number that the one after it is named after.
    fn segment(&mut self, first_seq: u64, next_first: Option<u64>) -> Result<(), Fault> {
        let file = segment_name(first_seq);
        let unreadable = |source| Fault::Unreadable {
            path: self.dir.join(segment_name(first_seq)),
            source,
        };
        self.pass_gap(first_seq).map_err(unreadable)?;
        let mut lines = Lines::of_segment(self.dir, first_seq).map_err(unreadable)?;
        let expected = self.head.seq + 1;
        if first_seq > expected {
            // Ends of files are checked below, so what is missing here are whole files at the beginning.
            let last_seq = first_seq - 1;
            return broken(&file, 0, expected, Tampering::Removed { last_seq });
        }
        let mut segment = expand::Segment::default();
        let mut number = 0;
        while let Some(end) = lines.next().map_err(unreadable)? {
            number += 1;
            let expected = self.head.seq + 1;
            if end == End::File && next_first.is_none() {
                self.unfinished_bytes = lines.line.len() as u64;
                break;
            }
            let Some(line) = Line::read(&lines.line).filter(|_| end == End::Newline) else {
                if let Some(version) = later_version(&lines.line)
                    // Else somebody has written it between events of this format.
                    && next_event(&mut lines).map_err(unreadable)?.is_none()
                {
                    return Err(Fault::Later {
                        file,
                        line: number,
                        seq: expected,
                        version,
                    });
                }
                if self
                    .is_given_up(next_first, &mut lines)
                    .map_err(unreadable)?
                {
                    return Ok(());
                }
                let what = match (end, next_first) {
                    (End::File, Some(next)) => Tampering::Truncated {
                        last_seq: next.saturating_sub(1),
                    },
                    _ => Tampering::NotCanonical,
                };
                return broken(&file, number, expected, what);
            };
            if !self.head.precedes(&line) {
                return match self.judge(&line, &mut lines).map_err(unreadable)? {
                    Verdict::This(what) => broken(&file, number, line.seq.min(expected), what),
                    Verdict::TheOneBefore => {
                        let (file, number) = &self.place;
                        broken(file, *number, self.head.seq, Tampering::Changed)
                    }
                };
            }
            if self.kept.iter().any(|kept| differs(kept, &line)) {
                let seq = line.seq;
                return Err(Fault::Unexpected(Unexpected::Differs { seq }));
            }
            let told = match segment.read(&line) {
                Ok(told) => told,
                Err(what) => return broken(&file, number, line.seq, what),
            };
            self.accept(&line, &told);
            self.place = (file.clone(), number);
            self.report(lines.end_bytes - lines.start_bytes);
        }
        let expected = self.head.seq + 1;
        match next_first {
            Some(next) if next > expected && self.is_bridged(next).map_err(unreadable)? => Ok(()),
            Some(next) if next > expected => {
                let last_seq = next - 1;
                let what = Tampering::Truncated { last_seq };
                broken(&file, number + 1, expected, what)
            }
            Some(next) if next < expected => broken(&file, number, next, Tampering::Renamed),
            _ => Ok(()),
        }
    }

    /// Goes on behind a gap, if a segment does not follow and says so itself.
    fn pass_gap(&mut self, first_seq: u64) -> io::Result<()> {
        let first = next_event(&mut Lines::of_segment(self.dir, first_seq)?)?;
        if first.is_some_and(|first| self.head.precedes(&first)) {
            return Ok(());
        }
        if let Some(head) = gap::bridged(self.dir, first_seq)?
            && head.seq >= self.head.seq
        {
            let was = mem::replace(&mut self.head, head.clone());
            self.behind_gap = Some((head, was));
        }
        Ok(())
    }

    /// Whether a segment notes a gap right before itself.
    fn is_bridged(&self, first_seq: u64) -> io::Result<bool> {
        Ok(gap::bridged(self.dir, first_seq)?.is_some())
    }

    /// Whether the rest of a segment holds no more events, and the next one says that there is a gap.
    fn is_given_up(&self, next_first: Option<u64>, lines: &mut Lines) -> io::Result<bool> {
        let Some(next_first) = next_first else {
            return Ok(false);
        };
        Ok(self.is_bridged(next_first)? && next_event(lines)?.is_none())
    }

    /// Says what was done where the chain breaks.
    fn judge(&self, line: &Line, lines: &mut Lines) -> io::Result<Verdict> {
        let expected = self.head.seq + 1;
        if line.seq < expected {
            // The number was there before, and that event followed from the one before it.
            return Ok(Verdict::This(Tampering::Inserted));
        }
        let next = next_event(lines)?;
        if line.seq == expected {
            return Ok(match next {
                Some(next) if next.seq == expected => Verdict::This(Tampering::Inserted),
                // Its successor does not know this event: somebody changed it, here its `prev`.
                Some(next) if next.prev != line.hash => Verdict::This(Tampering::Changed),
                _ if self.head.seq == 0 => Verdict::This(Tampering::Changed),
                _ => Verdict::TheOneBefore,
            });
        }
        let mut later = next;
        while let Some(found) = later {
            if found.seq == expected {
                return Ok(Verdict::This(Tampering::Reordered));
            }
            later = next_event(lines)?;
        }
        let last_seq = line.seq - 1;
        Ok(Verdict::This(Tampering::Removed { last_seq }))
    }

    fn accept(&mut self, line: &Line, told: &Told) {
        self.head = line.head();
        self.events += 1;
        if line.time < self.time {
            self.clock_steps.push(ClockStep {
                seq: line.seq,
                from: self.time.clone(),
                to: line.time.clone(),
            });
        }
        self.time.clone_from(&line.time);
        if let Some((noted, why)) = gap::noted(told) {
            let (behind, was) = self
                .behind_gap
                .take()
                .unwrap_or_else(|| (noted.clone(), noted.clone()));
            self.gaps.push(Gap {
                seq: line.seq,
                last_seq: noted.seq,
                why: why.to_owned(),
                missing: (was.seq < behind.seq).then_some((was.seq + 1, behind.seq)),
                is_changed: was.seq == behind.seq && was != behind,
            });
        }
        let phase = match told {
            Told::Full(request) => Some(request.phase),
            Told::Brief(request) => Some(request.phase),
            Told::Terms(_) | Told::Notice(_) => None,
        };
        match phase {
            Some(Phase::Opened) => {
                self.unclosed.insert(line.id.clone(), line.seq);
            }
            Some(Phase::Closed) => {
                self.unclosed.remove(&line.id);
            }
            Some(Phase::Continued) | None => {}
        }
    }

    fn report(&mut self, bytes: u64) {
        self.read_bytes += bytes;
        if self.read_bytes - self.reported_bytes >= PROGRESS_BYTES {
            self.reported_bytes = self.read_bytes;
            (self.progress)(self.read_bytes);
        }
    }
}

/// Whether an event is another than the one of a head.
fn differs(head: &Head, line: &Line) -> bool {
    head.seq == line.seq && head.hash != line.hash
}

/// Which of two events that do not fit was tampered with.
enum Verdict {
    /// The one at hand.
    This(Tampering),
    /// The one before it: what follows contradicts it.
    TheOneBefore,
}

fn broken(file: &str, line: u64, seq: u64, what: Tampering) -> Result<(), Fault> {
    let file = file.to_owned();
    Err(Fault::Broken(Broken {
        file,
        line,
        seq,
        what,
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::super::tests::{raw, sample};
    use super::*;

    /// Verifies a log of two segments and more after something was done to the lines of its first file, and says what
    /// was found.
    async fn after(tamper: impl FnOnce(&mut Vec<String>)) -> Broken {
        let dir = TempDir::new().unwrap();
        sample(dir.path(), 10).await;
        assert!(segments(dir.path()).unwrap().len() > 1);
        let path = dir.path().join(segment_name(1));
        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        tamper(&mut lines);
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        found(dir.path())
    }

    fn found(dir: &Path) -> Broken {
        match verify(dir, &mut |_| {}) {
            Err(Fault::Broken(broken)) => broken,
            other => panic!("{other:?}"),
        }
    }

    fn broken(line: u64, seq: u64, what: Tampering) -> Broken {
        let file = segment_name(1);
        Broken {
            file,
            line,
            seq,
            what,
        }
    }

    #[tokio::test]
    async fn an_untouched_log_is_verified() {
        let dir = TempDir::new().unwrap();
        sample(dir.path(), 10).await;
        let mut heard = 0;
        let verified = verify(dir.path(), &mut |_| heard += 1).unwrap();
        let events = raw(dir.path()).len() as u64;
        assert!(events > 22 + 1, "terms are said in each segment");
        assert_eq!((verified.events, verified.last_seq), (events, events));
        assert!(verified.unclosed.is_empty() && verified.set_aside.is_empty());
        assert_eq!(verified.unfinished_bytes, 0);
    }

    #[tokio::test]
    async fn a_changed_event_is_named() {
        let change = |line: &mut String| *line = line.replace("10.2.14.0", "10.2.15.0");
        let changed = after(|lines| change(&mut lines[3])).await;
        assert_eq!(changed, broken(4, 4, Tampering::Changed));
        // The last of a file is found by the first of the next one, and still named where it stands.
        let mut last = 0;
        let changed = after(|lines| {
            last = lines.len() as u64;
            change(lines.last_mut().unwrap());
        })
        .await;
        assert_eq!(changed, broken(last, last, Tampering::Changed));
        let changed = after(|lines| {
            lines[3] = lines[3].replace("\"prev\":\"sha256:", "\"prev\":\"sha256:0");
        })
        .await;
        assert_eq!(changed, broken(4, 4, Tampering::Changed));
    }

    #[tokio::test]
    async fn a_line_that_is_no_longer_canonical_is_named() {
        let spaced = after(|lines| lines[3] = lines[3].replace("\"seq\":", "\"seq\": ")).await;
        assert_eq!(spaced, broken(4, 4, Tampering::NotCanonical));
        let garbled = after(|lines| lines[3].insert(0, '\0')).await;
        assert_eq!(garbled, broken(4, 4, Tampering::NotCanonical));
        let emptied = after(|lines| lines[3].clear()).await;
        assert_eq!(emptied, broken(4, 4, Tampering::NotCanonical));
    }

    #[tokio::test]
    async fn removed_events_are_counted() {
        let removed = after(|lines| {
            lines.drain(2..4);
        })
        .await;
        assert_eq!(removed, broken(3, 3, Tampering::Removed { last_seq: 4 }));
        let removed = after(|lines| {
            lines.remove(0);
        })
        .await;
        assert_eq!(removed, broken(1, 1, Tampering::Removed { last_seq: 1 }));
    }

    #[tokio::test]
    async fn an_inserted_event_is_named() {
        let repeated = after(|lines| lines.insert(4, lines[3].clone())).await;
        assert_eq!(repeated, broken(5, 4, Tampering::Inserted));
        let forged =
            after(|lines| lines.insert(3, lines[3].replace("10.2.14.0", "10.9.9.0"))).await;
        assert_eq!(forged, broken(5, 4, Tampering::Inserted));
        let foreign = after(|lines| {
            lines.insert(
                3,
                lines[3].replace("\"prev\":\"sha256:", "\"prev\":\"sha256:0"),
            )
        })
        .await;
        assert_eq!(foreign, broken(4, 4, Tampering::Inserted));
    }

    #[tokio::test]
    async fn a_reordered_event_is_named() {
        let reordered = after(|lines| lines.swap(3, 4)).await;
        assert_eq!(reordered, broken(4, 4, Tampering::Reordered));
    }

    #[tokio::test]
    async fn a_file_that_ends_early_is_named() {
        let mut last = 0;
        let truncated = after(|lines| {
            last = lines.len() as u64;
            lines.pop();
        })
        .await;
        assert_eq!(
            truncated,
            broken(last, last, Tampering::Truncated { last_seq: last })
        );
    }

    #[tokio::test]
    async fn a_missing_file_is_named() {
        for (index, line) in [(0, 0), (1, 1)] {
            let dir = TempDir::new().unwrap();
            sample(dir.path(), 20).await;
            let all = segments(dir.path()).unwrap();
            fs::remove_file(dir.path().join(segment_name(all[index]))).unwrap();
            let broken = found(dir.path());
            assert_eq!(broken.seq, all[index]);
            let last_seq = all[index + 1] - 1;
            assert!(
                matches!(broken.what, Tampering::Removed { last_seq: last } | Tampering::Truncated { last_seq: last } if last == last_seq),
                "{line} {broken}"
            );
        }
    }

    #[tokio::test]
    async fn every_flipped_byte_but_those_of_the_last_event_is_found() {
        let dir = TempDir::new().unwrap();
        sample(dir.path(), 1).await;
        let path = dir.path().join(segment_name(1));
        let whole = fs::read(&path).unwrap();
        let last = memchr::memrchr(b'\n', &whole[..whole.len() - 1]).unwrap();
        for place in 0..=last {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert!(verify(dir.path(), &mut |_| {}).is_err(), "byte {place}");
        }
    }

    #[tokio::test]
    async fn a_line_that_is_being_written_is_not_a_fault() {
        let dir = TempDir::new().unwrap();
        sample(dir.path(), 1).await;
        let path = dir.path().join(segment_name(1));
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"auth\":nul");
        fs::write(&path, text).unwrap();
        assert_eq!(
            verify(dir.path(), &mut |_| {}).unwrap().unfinished_bytes,
            11
        );
    }

    #[test]
    fn a_folder_without_a_log_is_not_a_verified_log() {
        let dir = TempDir::new().unwrap();
        let verdict = verify(dir.path(), &mut |_| {});
        assert!(matches!(verdict, Err(Fault::NoLog { .. })));
        let verdict = verify(&dir.path().join("none"), &mut |_| {});
        assert!(matches!(verdict, Err(Fault::Unreadable { .. })));
    }
}
