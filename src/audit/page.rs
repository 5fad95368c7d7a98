//! Lines that are to be appended in one piece.

use std::io;

use super::chain::{EVENT_BYTES_MAX, Head};
use super::event::Event;

/// Bytes of most events.
const EVENT_BYTES_USUAL: usize = 4 << 10;

/// Events that follow a head, each bound to the one before it, as they will stand in the log.
#[derive(Debug)]
pub(super) struct Page<'s> {
    /// Their lines.
    pub(super) bytes: Vec<u8>,
    /// The head behind them.
    pub(super) head: Head,
    /// The length of the last line with its newline, and its hash.
    pub(super) last: Option<(u64, String)>,
    node: &'s str,
    time: &'s str,
}

impl<'s> Page<'s> {
    /// A page behind a head, for so many events.
    pub(super) fn new(head: &Head, events: usize, (node, time): (&'s str, &'s str)) -> Self {
        Self {
            bytes: Vec::with_capacity(events * EVENT_BYTES_USUAL),
            head: head.clone(),
            last: None,
            node,
            time,
        }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// If it is too large for the log, or cannot be encoded: then the page is as it was.
    pub(super) fn add(&mut self, event: &mut Event) -> io::Result<()> {
        let start = self.bytes.len();
        let written = event.line(&self.head, (self.node, self.time), &mut self.bytes);
        let line = self.bytes.get(start..).unwrap_or_default();
        if written.is_err() || line.len() > EVENT_BYTES_MAX {
            self.bytes.truncate(start);
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.head = self.head.after(line);
        self.last = Some((line.len() as u64 + 1, self.head.hash.clone()));
        self.bytes.push(b'\n');
        Ok(())
    }
}
