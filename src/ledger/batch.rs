//! Records many events at once: all of them or none, and each that is there already not again.

use jiff::Timestamp;

use super::append::{append, repeated};
use super::draft::Draft;
use super::error::Error;
use super::event::Event;
use super::events;
use super::persons::Persons;
use super::refused::Refused;

/// Records events in their order; whether each is new.
pub(super) fn append_all(
    persons: &mut Persons<'_>,
    drafts: &[Draft],
    now: Timestamp,
) -> Result<Vec<(Event, bool)>, Error> {
    let appended = drafts.iter().map(|draft| {
        draft.check(now)?;
        match twin(persons, draft)? {
            Some(known) => Ok((known, false)),
            None => append(persons, draft, now),
        }
    });
    appended.collect()
}

/// Which of them are there already; what may not be recorded, and why.
pub(super) fn known(
    persons: &mut Persons<'_>,
    drafts: &[Draft],
    now: Timestamp,
) -> Result<Vec<Result<bool, Refused>>, Error> {
    let known = drafts.iter().map(|draft| {
        let looked = draft
            .check(now)
            .map_err(Error::from)
            .and_then(|()| Ok(repeated(persons, draft)?.or(twin(persons, draft)?)));
        match looked {
            Ok(known) => Ok(Ok(known.is_some())),
            Err(Error::Refused(why)) => Ok(Err(why)),
            Err(error) => Err(error),
        }
    });
    known.collect()
}

/// The event that says the same of the same person at the same time. Only what names its time has one, and no reference, which
/// tells by itself what is a repetition.
fn twin(persons: &mut Persons<'_>, draft: &Draft) -> Result<Option<Event>, Error> {
    let (Some(at), None) = (draft.at, &draft.reference) else {
        return Ok(None);
    };
    let Some(person) = persons.find(&draft.who)? else {
        return Ok(None);
    };
    let is_twin = |event: &Event| {
        event.at == at.as_millisecond()
            && (&event.purpose, event.kind, event.proof)
                == (&draft.purpose, draft.kind, draft.proof)
            && event.by_kind == draft.channel.by_kind()
            && event.source == draft.source
            && event.recipient == draft.recipient
            && event.expires == draft.expires.map(|expires| expires.as_millisecond())
    };
    for member in persons.members(&person)? {
        let events = events::of(persons.within, &member)?;
        if let Some(twin) = events.into_iter().find(is_twin) {
            return Ok(Some(twin));
        }
    }
    Ok(None)
}
