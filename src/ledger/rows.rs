//! How a person stands, in 24 bytes a purpose, and what it answers to terms.

use super::draft::EVERY;
use super::error::Error;
use super::fold::{Affirmation, State};
use super::kinds::Proof;
use super::names::{Names, OTHER};
use super::terms::{Because, Terms};

/// No name.
const NONE: u16 = u16::MAX;
/// No end.
const NEVER: i64 = i64::MAX;
/// Persons that can be one.
pub(super) const MEMBERS_MAX: usize = 200;

const DECIDED: u8 = 1;
const DENIED: u8 = 2;
const OBJECTED: u8 = 4;
const RESTRICTED: u8 = 8;
const AFFIRMS: u8 = 16;

/// What one affirmation of a state says, or a state without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    time: i64,
    expires: i64,
    purpose: u16,
    recipient: u16,
    member: u8,
    proof: u8,
    flags: u8,
}

/// The numbers of names.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) purposes: Names,
    pub(super) recipients: Names,
}

/// Terms, with their names as numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    purpose: Option<u16>,
    every: Option<u16>,
    proof: u8,
    not_before: i64,
    recipient: Option<Option<u16>>,
    now: i64,
}

impl Asked {
    pub(super) fn of(known: &Known, purpose: &str, terms: &Terms<'_>, now: i64) -> Self {
        let age = terms
            .max_age
            .map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        Self {
            purpose: known.purposes.find(purpose),
            every: known.purposes.find(EVERY),
            proof: terms.proof as u8,
            not_before: age.map_or(i64::MIN, |age| now.saturating_sub(age)),
            recipient: terms.recipient.map(|name| known.recipients.find(name)),
            now,
        }
    }
}

/// How one person stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Whether anything decides.
    pub(super) is_decided: bool,
    /// Whether all that decides is valid; if nothing does, `Nothing`.
    pub(super) because: Because,
    pub(super) is_objected: bool,
    pub(super) is_restricted: bool,
}

/// The rows of states.
pub(super) fn rows(states: &[State], known: &Known) -> Result<Box<[Row]>, Error> {
    let mut rows = Vec::new();
    for state in states {
        let purpose = known.purposes.number(&state.purpose);
        let member = u8::try_from(state.member)
            .map_err(|_| Error::corrupt("one person is made of too many"))?;
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(state.is_decided, DECIDED)
            | flag(state.is_denied, DENIED)
            | flag(state.is_objected, OBJECTED)
            | flag(state.is_restricted, RESTRICTED);
        let row = Row {
            time: 0,
            expires: NEVER,
            purpose,
            recipient: NONE,
            member,
            proof: Proof::None as u8,
            flags,
        };
        if state.affirmations.is_empty() {
            rows.push(row);
        }
        for affirmation in &state.affirmations {
            rows.push(affirmed(row, affirmation, known));
        }
    }
    Ok(rows.into())
}

fn affirmed(row: Row, affirmation: &Affirmation, known: &Known) -> Row {
    let recipient = affirmation.recipient.as_ref();
    let recipient = recipient.map_or(NONE, |name| known.recipients.number(name));
    Row {
        time: affirmation.time,
        expires: affirmation.expires.unwrap_or(NEVER),
        recipient,
        proof: affirmation.proof as u8,
        flags: row.flags | AFFIRMS,
        ..row
    }
}

/// What the rows of one person answer.
pub(super) fn answer(rows: &[Row], asked: &Asked) -> Answer {
    let mut answer = Answer {
        is_decided: false,
        because: Because::Nothing,
        is_objected: false,
        is_restricted: false,
    };
    // Rows of one member stand together.
    for member in rows.chunk_by(|one, next| one.member == next.member) {
        let of = |purpose: Option<u16>| {
            let is_it = move |row: &&Row| Some(row.purpose) == purpose;
            member.iter().filter(is_it)
        };
        // What is about all purposes is in the rows of each; a purpose without rows has those.
        let own = match of(asked.purpose).next() {
            Some(_) => asked.purpose,
            None => asked.every,
        };
        let has = |flag: u8| of(own).any(|row| row.flags & flag != 0);
        answer.is_objected |= has(OBJECTED);
        answer.is_restricted |= has(RESTRICTED);
        if !has(DECIDED) {
            continue;
        }
        let best = of(own).map(|row| row.because(asked)).max();
        let best = best.unwrap_or(Because::Nothing);
        // Each with events must be valid.
        answer.because = match answer.is_decided {
            true => answer.because.min(best),
            false => best,
        };
        answer.is_decided = true;
    }
    answer
}

impl Row {
    fn because(&self, asked: &Asked) -> Because {
        if self.flags & AFFIRMS == 0 {
            return match self.flags & DENIED {
                0 => Because::Nothing,
                _ => Because::Denied,
            };
        }
        // Nobody knows to which purpose or recipient that belongs.
        if self.purpose == OTHER || self.recipient == OTHER {
            return Because::Nothing;
        }
        if self.proof < asked.proof {
            return Because::Proof;
        }
        // Valid before the end, and before its age is reached.
        if asked.now >= self.expires || self.time <= asked.not_before {
            return Because::Expired;
        }
        match asked.recipient {
            Some(name) if name.is_none() || name != Some(self.recipient) => Because::Recipient,
            _ => Because::Valid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_number_denies_and_affirms_nothing() {
        let known = Known::default();
        for name in 0..usize::from(u16::MAX) {
            known.purposes.number(&name.to_string());
            known.recipients.number(&name.to_string());
        }
        let state = |purpose: &str, recipient: Option<&str>, is_denied| State {
            member: 0,
            purpose: purpose.to_owned(),
            is_denied,
            is_objected: is_denied,
            is_restricted: false,
            is_decided: true,
            affirmations: match is_denied {
                true => Vec::new(),
                false => vec![Affirmation {
                    time: 1,
                    proof: Proof::DoubleOptIn,
                    expires: None,
                    recipient: recipient.map(str::to_owned),
                }],
            },
        };
        let ask = |state: State, purpose: &str, recipient| {
            let terms = Terms {
                proof: Proof::None,
                max_age: None,
                recipient,
            };
            let asked = Asked::of(&known, purpose, &terms, 2);
            answer(&rows(&[state], &known).unwrap(), &asked)
        };
        let because = |state, purpose: &str, recipient| ask(state, purpose, recipient).because;
        let valid = because(state("7", Some("7"), false), "7", Some("7"));
        assert_eq!(valid, Because::Valid);
        for recipient in [None, Some("new"), Some("other")] {
            let other = state("7", Some("new"), false);
            assert_eq!(because(other, "7", recipient), Because::Nothing);
        }
        assert_eq!(
            because(state("new", None, false), "new", None),
            Because::Nothing
        );
        let denied = ask(state("new", None, true), "new", None);
        assert!(denied.is_objected && denied.because == Because::Denied);
    }

    #[test]
    fn a_row_is_small() {
        assert_eq!(size_of::<Row>(), 24);
    }
}
