//! Standings that no ledger keeps: what persons have said in the tests of a policy.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::draft::EVERY;
use super::error::Error;
use super::fold::{Affirmation, State};
use super::keys::{KeyKind, PersonKeys};
use super::kinds::Proof;
use super::standings::Standings;

/// How long such standings are fresh: longer than any test.
const FRESH: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What a person has said whom a record is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pretended {
    /// The purposes that the person consents to.
    pub consented: BTreeSet<String>,
    /// Those that the person objects to.
    pub objected: BTreeSet<String>,
    /// Whether the person has had the processing restricted.
    pub restricted: bool,
}

impl Standings {
    /// How persons stand, each of whom is known by one record, `upstream:Module/id`. Consents are as well proven as can be, just
    /// given, and to whomever of some recipients.
    ///
    /// # Errors
    /// If the key is none, or there are too many names.
    pub fn pretended<'p>(
        key: &[u8],
        persons: impl IntoIterator<Item = (String, &'p Pretended)>,
        (recipients, now): (&BTreeSet<String>, Timestamp),
    ) -> Result<Self, Error> {
        let keys = PersonKeys::new(&[key]).map_err(|_| Error::corrupt("no key"))?;
        let mut standings = Self::new(Arc::new(keys));
        standings.is_pretended = true;
        let keys = standings.keys();
        for (number, (record, said)) in (1..).zip(persons) {
            let kept = keys.kept(0, KeyKind::Record, &record);
            standings.name(&kept, number, false);
            standings.stand(number, &said.states(recipients, now.as_millisecond()))?;
        }
        standings.confirm(Instant::now() + FRESH);
        Ok(standings)
    }
}

impl Pretended {
    fn states(&self, recipients: &BTreeSet<String>, now: i64) -> Vec<State> {
        let own: BTreeSet<&String> = self.consented.iter().chain(&self.objected).collect();
        let own = own.into_iter().map(|purpose| {
            let is_objected = self.objected.contains(purpose);
            let is_denied = is_objected || self.restricted;
            let affirms = !is_denied && self.consented.contains(purpose);
            let to = std::iter::once(None).chain(recipients.iter().cloned().map(Some));
            let affirmation = |recipient| Affirmation {
                time: now - 1,
                proof: Proof::SignedRequest,
                expires: None,
                recipient,
            };
            State {
                member: 0,
                purpose: purpose.clone(),
                is_denied,
                is_objected,
                is_restricted: self.restricted,
                is_decided: true,
                affirmations: to.filter(|_| affirms).map(affirmation).collect(),
            }
        });
        let of_all = self.restricted.then(|| State {
            member: 0,
            purpose: EVERY.to_owned(),
            is_denied: true,
            is_objected: false,
            is_restricted: true,
            is_decided: true,
            affirmations: Vec::new(),
        });
        own.chain(of_all).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::terms::{About, Standing, Terms};
    use super::*;

    #[test]
    fn persons_stand_as_they_are_said_to() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let all = [
            Pretended {
                consented: of(&["news"]),
                ..Pretended::default()
            },
            Pretended {
                objected: of(&["calls"]),
                ..Pretended::default()
            },
            Pretended {
                consented: of(&["news"]),
                restricted: true,
                ..Pretended::default()
            },
            Pretended::default(),
        ];
        let persons = all.iter().enumerate();
        let persons = persons.map(|(number, said)| (format!("crm:Contacts/{number}"), said));
        let recipients = of(&["acme"]);
        let standings = Standings::pretended(&[7; 32], persons, (&recipients, now)).unwrap();
        let stand = |number: usize, purpose: &str, recipient| -> Standing {
            let reference = format!("crm:Contacts/{number}");
            let about = About {
                references: &[&reference],
                primary: None,
                others: &[],
            };
            let terms = Terms {
                proof: Proof::SignedRequest,
                max_age: Some(Duration::from_secs(60)),
                recipient,
            };
            standings.about(&about, purpose, &terms, now)
        };
        assert!(stand(0, "news", None).is_valid() && stand(0, "news", Some("acme")).is_valid());
        assert!(!stand(0, "calls", None).is_valid() && !stand(0, "news", None).is_objected());
        assert!(stand(1, "calls", None).is_objected() && !stand(1, "news", None).is_objected());
        assert!(stand(2, "news", None).is_restricted() && !stand(2, "news", None).is_valid());
        assert!(stand(2, "calls", None).is_restricted());
        let nothing = stand(3, "news", None);
        assert!(!nothing.is_valid() && !nothing.is_objected() && !nothing.is_restricted());
        assert!(nothing.person().is_some());
    }
}
