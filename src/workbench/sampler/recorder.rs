//! Reading personal data is an access: what a command reads beside the proxy is recorded in the access log of its
//! configuration, before it is read and behind it. The proxy may be running and hold the log, so a note is left, which becomes
//! an event within a second; where no proxy runs, the log is opened at the end, and takes the notes up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::audit::{self, Log, OpenError, Options, Reader, Sampling};
use crate::files;
use crate::vocabulary::Module;

/// How long it is waited for a log to take up the notes.
const PATIENCE: Duration = Duration::from_secs(30);

/// It cannot be recorded, so nothing may be read.
#[derive(Debug, thiserror::Error)]
#[error("what is read could not be recorded, so nothing is read: {0}")]
pub struct Unrecorded(String);

/// Records what one command reads of one CRM.
#[derive(Debug)]
pub struct Recorder {
    options: Options,
    reader: Reader,
    account: Option<String>,
    upstream: String,
    dialect: &'static str,
    has_recorded: AtomicBool,
}

impl Recorder {
    /// One that can record. Makes the log, where there is none yet.
    ///
    /// # Errors
    /// If the log cannot be written, or is damaged.
    pub fn new(
        options: Options,
        reader: Reader,
        (upstream, dialect): (&str, &'static str),
        account: Option<String>,
    ) -> Result<Self, Unrecorded> {
        let recorder = Self {
            options,
            reader,
            account,
            upstream: upstream.to_owned(),
            dialect,
            has_recorded: AtomicBool::new(false),
        };
        recorder.take_up()?;
        Ok(recorder)
    }

    /// Records that records of a module are about to be read, or (`read`) were.
    ///
    /// # Errors
    /// If that is not on disk.
    pub fn record(
        &self,
        module: &Module,
        most: Option<u64>,
        read: Option<u64>,
    ) -> Result<(), Unrecorded> {
        let sampling = Sampling {
            reader: self.reader,
            by: files::user(),
            account: self.account.clone(),
            upstream: self.upstream.clone(),
            dialect: self.dialect.to_owned(),
            module: module.as_str().to_owned(),
            most,
            read,
        };
        audit::record_sampling(&self.options.dir, &sampling)
            .map_err(|error| Unrecorded(files::words(&error)))?;
        self.has_recorded.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether anything was recorded: the log must be kept then.
    pub fn has_recorded(&self) -> bool {
        self.has_recorded.load(Ordering::Relaxed)
    }

    /// Lets the log take up what was noted, unless a running proxy does.
    ///
    /// # Errors
    /// If the log cannot be opened or written.
    pub fn take_up(&self) -> Result<(), Unrecorded> {
        let log = match Log::open(self.options.clone()) {
            Ok(log) => log,
            Err(OpenError::InUse { .. } | OpenError::StateInUse { .. }) => return Ok(()),
            Err(error) => return Err(Unrecorded(error.to_string())),
        };
        let end = Instant::now() + PATIENCE;
        while audit::samplings_waiting(&self.options.dir) > 0 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        log.stop().map_err(|error| Unrecorded(error.to_string()))
    }
}
