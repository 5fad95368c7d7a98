//! Who keeps the index up to date while the log is written: a thread of its own, which nobody waits for.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::store::Unusable;
use super::{build, open_fitting};
use crate::audit::folder::log_bytes;

/// How often it looks for new events.
const EVERY: Duration = Duration::from_secs(5);
/// How much a log grows until it is worth the while: so much is read from the segments in no time.
const GROWTH_BYTES: u64 = 1 << 20;
/// So many times as long as it works it rests, so that it takes a part of one core only.
const RESTS: u32 = 2;
/// How little it counts to the system.
const NICE: i32 = 15;

/// The thread that keeps an index. It ends when this is dropped.
#[derive(Debug)]
pub struct Keeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Keeps the index of a log, until what is returned is dropped.
///
/// # Errors
/// If no thread can be started.
pub fn keep(dir: &Path) -> std::io::Result<Keeper> {
    let (stop, stopped) = mpsc::channel();
    let dir: PathBuf = dir.to_owned();
    let thread = thread::Builder::new()
        .name("index".to_owned())
        .spawn(move || {
            // On Linux this is about this thread alone; elsewhere it may not be, so it is left.
            #[cfg(target_os = "linux")]
            let _ = rustix::process::setpriority_process(None, NICE);
            let (mut said, mut known) = (String::new(), None);
            loop {
                let bytes = log_bytes(&dir).unwrap_or(0);
                if known.is_none_or(|known| bytes.abs_diff(known) >= GROWTH_BYTES) {
                    match catch_up(&dir, &stopped) {
                        Ok(()) => known = Some(bytes),
                        Err(Unusable::Stopped) => return,
                        Err(Unusable::Busy) => debug!("somebody else writes the index"),
                        Err(error) => {
                            let told = error.to_string();
                            if told != said {
                                warn!("the index of the access log is not kept: {told}");
                            }
                            said = told;
                        }
                    }
                }
                match stopped.recv_timeout(EVERY) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
    Ok(Keeper {
        stop: Some(stop),
        thread: Some(thread),
    })
}

fn catch_up(dir: &Path, stopped: &mpsc::Receiver<()>) -> Result<(), Unusable> {
    let mut notes = Vec::new();
    let is_over = || !matches!(stopped.try_recv(), Err(TryRecvError::Empty));
    let builder = open_fitting(dir, &mut notes, &is_over);
    for note in notes {
        warn!("{note}");
    }
    let mut builder = builder?;
    let mut begun = Instant::now();
    build(&mut builder, &mut |_| {
        let rest = begun.elapsed() * RESTS;
        let is_over = !matches!(stopped.recv_timeout(rest), Err(RecvTimeoutError::Timeout));
        begun = Instant::now();
        is_over
    })?;
    Ok(())
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
