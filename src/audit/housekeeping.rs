//! What a log needs beside being written: a thread measures it, compresses closed segments, and lets go what was kept long
//! enough. It works a tenth of the time, so that it takes a tenth of a processor at most; the thread that writes waits for
//! nothing of it.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tracing::{error, info, warn};

use crate::clock::Clock;
use crate::files::Group;

use super::compress;
use super::folder::segment_name;
use super::log::Caretaker;
use super::retention;
use super::room::Room;
use super::sharing;
use super::spool;

/// How often it looks up.
const TICK: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1_000 });
/// How often it measures, and looks at whose the files are.
const MEASURED_EVERY: Duration = Duration::from_secs(10);
/// How often it looks for closed segments.
const COMPRESSED_EVERY: Duration = Duration::from_secs(60);
/// How often it looks for what was kept long enough.
const JUDGED_EVERY: Duration = Duration::from_secs(3_600);
/// The same, while that did not work or there is no room.
const JUDGED_AGAIN: Duration = Duration::from_secs(60);
/// It rests so many times as long as it works.
const REST: u32 = 9;
/// How far the clock may get ahead of the time that has passed before nothing is removed by it, for how long.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(1);
const DISTRUSTED_FOR: Duration = Duration::from_secs(86_400);

/// What is to be kept, and for whom.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) dir: PathBuf,
    pub(super) keep: Option<Duration>,
    pub(super) group: Option<Group>,
    pub(super) clock: Clock,
}

/// The thread's own state.
pub(super) struct Housekeeper {
    rules: Rules,
    /// To whoever writes, while somebody does.
    log: Caretaker,
    /// Ends when the log does.
    end: Receiver<()>,
    /// What is due, and when.
    measure: Instant,
    compress: Instant,
    judge: Instant,
    /// When the clock was last seen to be right, by both clocks; and until when it is not trusted.
    seen: (Instant, Timestamp),
    distrusted: Option<Instant>,
    /// Since when it has worked.
    works: Instant,
    was: Room,
    /// What did not work, so that it is said once.
    trouble: BTreeSet<&'static str>,
    /// Files of segments could not be removed, though an event says so.
    stuck: bool,
}

impl Housekeeper {
    pub(super) fn new(rules: Rules, log: Caretaker, end: Receiver<()>) -> Self {
        let now = Instant::now();
        let seen = (now, rules.clock.moment());
        Self {
            rules,
            log,
            end,
            measure: now,
            compress: now,
            judge: now,
            seen,
            distrusted: None,
            works: now,
            was: Room::default(),
            trouble: BTreeSet::new(),
            stuck: false,
        }
    }

    /// Works until the log ends.
    pub(super) fn run(mut self) {
        loop {
            self.works = Instant::now();
            let done = self.look_up();
            if matches!(&done, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
                return;
            }
            match self.end.recv_timeout(TICK) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => return,
            }
        }
    }

    fn look_up(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let is_full = self.was.is_full();
        if now >= self.measure || is_full {
            self.measure = now + MEASURED_EVERY;
            let measured = self.measured();
            self.say("measured", measured)?;
            let shared = self.share();
            self.say("shared with its group", shared)?;
            spool::clear(&self.rules.dir);
        }
        if now >= self.judge {
            let judged = self.judged();
            let again = judged.is_err() || is_full;
            self.judge = now + if again { JUDGED_AGAIN } else { JUDGED_EVERY };
            self.say("pruned", judged)?;
        }
        if now >= self.compress {
            self.compress = now + COMPRESSED_EVERY;
            let compressed = self.compressed();
            self.say("compressed", compressed)?;
        }
        Ok(())
    }

    /// Says once that something does not work, and once that it does again; breaks off where the log ends.
    fn say(&mut self, what: &'static str, done: io::Result<()>) -> io::Result<()> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(cause) => {
                if self.trouble.insert(what) {
                    error!(%cause, "the access log cannot be {what}; it is tried again");
                }
                Ok(())
            }
            Ok(()) => {
                if self.trouble.remove(what) {
                    info!("the access log can be {what} again");
                }
                Ok(())
            }
        }
    }

    fn measured(&mut self) -> io::Result<()> {
        self.log.measure(&self.rules.dir)?;
        let room = self.log.room();
        let (bytes, max_bytes) = (room.used, room.most);
        if room.is_tight() && !self.was.is_tight() && !room.is_full() {
            warn!(
                bytes,
                max_bytes,
                "the access log has taken 80 % of `audit.max_bytes`; when all of it is taken, every request is refused"
            );
        }
        self.was = room;
        Ok(())
    }

    fn share(&self) -> io::Result<()> {
        match &self.rules.group {
            Some(group) => sharing::share(&self.rules.dir, group).map_err(io::Error::other),
            None => Ok(()),
        }
    }

    fn judged(&mut self) -> io::Result<()> {
        let Some(keep) = self.rules.keep.filter(|_| !self.stuck) else {
            return Ok(());
        };
        let now = self.rules.clock.moment();
        if !self.is_trusted(now) {
            return Ok(());
        }
        let dir = self.rules.dir.clone();
        let old = retention::judge(&dir, keep, now, &mut || self.pause())?;
        if old.is_empty() {
            return Ok(());
        }
        let gone = || io::Error::other("the event that says so cannot be written");
        if !self.log.write(old.event(keep))? {
            return Err(gone());
        }
        if let Err(error) = old.remove(&dir) {
            // Else an event would say so again and again.
            self.stuck = true;
            return Err(error);
        }
        info!(
            keep = retention::written(keep),
            "segments of the access log were kept long enough, and were removed"
        );
        self.measure = Instant::now();
        Ok(())
    }

    /// Whether something may be removed because the clock says that it is old. One that leaps ahead makes everything old.
    fn is_trusted(&mut self, now: Timestamp) -> bool {
        let told = now.duration_since(self.seen.1);
        let passed = SignedDuration::try_from(self.seen.0.elapsed()).unwrap_or_default();
        self.seen = (Instant::now(), now);
        if told > passed.saturating_add(AHEAD_MAX) {
            warn!(
                "the clock leapt ahead; nothing of the access log is removed by it for a day, or until the next start"
            );
            self.distrusted = Some(Instant::now() + DISTRUSTED_FOR);
        }
        self.distrusted.is_none_or(|until| Instant::now() >= until)
    }

    fn compressed(&mut self) -> io::Result<()> {
        let dir = self.rules.dir.clone();
        let mut failed = Ok(());
        for first_seq in compress::due(&dir, self.rules.clock.moment())? {
            let done = match compress::compress(&dir, first_seq, &mut || self.pause()) {
                Ok(done) => done,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                // Larger than any that is written: it stays as it is.
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => continue,
                Err(error) => {
                    failed = Err(error);
                    continue;
                }
            };
            info!(
                segment = segment_name(first_seq),
                bytes = done.plain,
                compressed = done.packed,
                "a segment of the access log was compressed"
            );
            self.measure = Instant::now();
        }
        failed
    }

    /// Rests after a part of the work, so that it takes its share of the time and no more.
    fn pause(&mut self) -> io::Result<()> {
        let rest = self.works.elapsed() * REST;
        let ended = self.end.recv_timeout(rest);
        self.works = Instant::now();
        match ended {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            _ => Err(io::ErrorKind::Interrupted.into()),
        }
    }
}
