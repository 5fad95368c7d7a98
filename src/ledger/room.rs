//! What memory has room for. It is looked at in the transaction that writes: what was committed must be followed, by this process
//! and by every other, now and at each start.

use std::collections::BTreeSet;

use super::error::Error;
use super::event::Event;
use super::kinds::Kind;
use super::refused::Refused;
use super::standings::Standings;

/// What memory has room for, beside what this transaction has written so far.
pub(super) struct Room<'r> {
    standings: &'r Standings,
    bytes_max: u64,
    purposes: BTreeSet<String>,
    recipients: BTreeSet<String>,
}

impl<'r> Room<'r> {
    pub(super) fn new(standings: &'r Standings, bytes_max: u64) -> Self {
        Self {
            standings,
            bytes_max,
            purposes: BTreeSet::new(),
            recipients: BTreeSet::new(),
        }
    }

    /// Whether memory can tell the names of an event apart from all others.
    pub(super) fn take(&mut self, event: &Event) -> Result<(), Error> {
        if matches!(event.kind, Kind::Requested | Kind::Notice) {
            return Ok(());
        }
        let known = self.standings.known();
        if !known
            .purposes
            .has_room_for(&event.purpose, self.purposes.len())
        {
            return Err(Refused::Names.into());
        }
        self.purposes.insert(event.purpose.clone());
        if let Some(recipient) = &event.recipient {
            if !known
                .recipients
                .has_room_for(recipient, self.recipients.len())
            {
                return Err(Refused::Names.into());
            }
            self.recipients.insert(recipient.clone());
        }
        Ok(())
    }

    /// Whether one person more may become known. Whoever is known is written of all the same: a denial is never refused for it.
    pub(super) fn for_person(&self) -> Result<(), Error> {
        let (bytes, max) = (self.standings.bytes(), self.bytes_max);
        match bytes > max {
            true => Err(Error::TooLarge { bytes, max }),
            false => Ok(()),
        }
    }
}
