//! What the writer does while the log has taken all the room that it may.

use std::mem;

use tracing::{error, info};

use super::super::event::Event;
use super::super::folder::SetAside;
use super::super::log::AuditUnavailable;
use super::{Job, Writer, job, recovered};

impl Writer {
    /// Takes out of a batch what finds no room. Goes on by itself when there is some.
    pub(super) fn refuse_if_full(&mut self, batch: Vec<Job>) -> Vec<Job> {
        if !self.shared.room().is_full() {
            self.go_on();
            return batch;
        }
        if !self.is_full {
            self.is_full = true;
            error!(
                "the access log has taken all of `audit.max_bytes`; requests are refused until there is room"
            );
        }
        let is_of_the_log = |job: &Job| job.event.as_ref().is_some_and(Event::is_of_the_log);
        let (batch, refused): (Vec<_>, Vec<_>) = batch.into_iter().partition(is_of_the_log);
        self.refused += refused.len() as u64;
        self.shared.lost(refused.len());
        refused
            .into_iter()
            .for_each(|job| job.answer(Err(AuditUnavailable)));
        batch
    }

    /// Says how many events were refused while there was no room.
    fn go_on(&mut self) {
        if !mem::take(&mut self.is_full) || self.broken.is_some() {
            return;
        }
        info!("there is room for the access log again");
        let recovered = recovered(SetAside::default(), self.refused);
        match self.write(&mut vec![job(recovered)]) {
            Ok(()) => {
                self.refused = 0;
                self.shared.committed(1);
            }
            Err(cause) => {
                self.fail(&cause);
            }
        }
    }
}
