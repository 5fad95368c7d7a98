//! What a record of a CRM says of consent, in the purposes of a policy.

use jiff::Timestamp;

use super::moment::moment;
use super::policy_terms::PolicyTerms;
use crate::dialect::survey::{Confirmation, Said};
use crate::ledger::{Kind, Proof, Saying};

/// What a record says, in purposes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sayings {
    /// What counts.
    pub says: Vec<Saying>,
    /// Whether the person agreed to something and nobody knows when: that affirms nothing.
    pub is_undated: bool,
}

/// What a record says. An opt-out is about mail: it denies whatever rests on consent, and is an objection to what honours
/// objections.
pub fn sayings(said: &Said, terms: &PolicyTerms, now: Timestamp) -> Sayings {
    let at = said.at.as_deref().and_then(day).filter(|at| *at <= now);
    let mut all = Sayings::default();
    for (name, purpose) in &terms.purposes {
        let saying = |kind, stands, at| Saying {
            purpose: name.clone(),
            kind,
            proof: Proof::None,
            stands,
            at,
        };
        let mut say = |kind, stands, at| all.says.push(saying(kind, stands, at));
        if purpose.asks_consent() {
            let words = said.agreed.as_ref().filter(|_| !purpose.crm.is_empty());
            let agrees = words.map(|words| words.iter().any(|word| purpose.crm.contains(word)));
            match (agrees, at) {
                (Some(true), None) => all.is_undated = true,
                (Some(true), Some(at)) => say(Kind::Given, true, Some(at)),
                (Some(false), _) => say(Kind::Given, false, None),
                (None, _) => {}
            }
            if let Some(denies) = either(said.opted_out, said.withdrawn) {
                say(Kind::Withdrawn, denies, None);
            }
            let confirmed = said.confirmed.as_ref();
            if let Some(one) = confirmed.filter(|one| purpose.crm.contains(one.word)) {
                let proven = |stands, at| Saying {
                    proof: Proof::DoubleOptIn,
                    ..saying(Kind::Given, stands, at)
                };
                let at = confirmed_at(one).filter(|at| *at <= now);
                all.is_undated |= one.stands && at.is_none();
                match at {
                    Some(at) => all.says.push(proven(true, Some(at))),
                    None if one.is_taken_back() => all.says.push(proven(false, None)),
                    // What cannot be read is no reason to take back what was before.
                    None => {}
                }
            }
        } else if let (true, Some(objects)) = (purpose.honours_objection, said.opted_out) {
            say(Kind::Objected, objects, None);
        }
    }
    all
}

/// When an address was confirmed, after the mail that asked for it; `None`, if nothing shows that it was, or mail is not wanted
/// there.
fn confirmed_at(one: &Confirmation) -> Option<Timestamp> {
    let of = |text: &Option<String>| text.as_deref().and_then(day);
    let (at, asked_at) = (of(&one.at)?, of(&one.asked_at)?);
    let is_wanted = one.opted_out == Some(false);
    (one.stands && is_wanted && asked_at <= at).then_some(at)
}

/// Whether one of two is so; `None`: nobody knows of either.
fn either(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one || other),
        (one, other) => one.or(other),
    }
}

/// A day or a moment, as CRMs write it: without a zone it is in UTC.
fn day(text: &str) -> Option<Timestamp> {
    if let Ok(at) = moment(text) {
        return Some(at);
    }
    let (day, time) = text.split_once([' ', 'T'])?;
    moment(&format!("{day}T{time}Z")).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::consent::Purpose;

    fn terms() -> PolicyTerms {
        let purpose = |basis: &str, crm: &[&str], honours_objection| Purpose {
            crm: crm
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>(),
            honours_objection,
            ..Purpose::of_basis(basis)
        };
        PolicyTerms {
            purposes: BTreeMap::from([
                ("news".to_owned(), purpose("consent", &["Letter"], false)),
                ("study".to_owned(), purpose("consent", &[], false)),
                (
                    "mailing".to_owned(),
                    purpose("legitimate-interest", &[], true),
                ),
                ("support".to_owned(), purpose("contract", &[], false)),
            ]),
            ..PolicyTerms::default()
        }
    }

    fn told(said: &Said) -> Vec<(String, Kind, bool)> {
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        let all = sayings(said, &terms(), now).says.into_iter();
        all.map(|one| (one.purpose, one.kind, one.stands)).collect()
    }

    #[test]
    fn an_opt_out_is_about_mail_and_what_is_not_told_says_nothing() {
        let of = |purpose: &str, kind, stands| (purpose.to_owned(), kind, stands);
        let said = Said {
            opted_out: Some(true),
            ..Said::default()
        };
        assert_eq!(
            told(&said),
            [
                of("mailing", Kind::Objected, true),
                of("news", Kind::Withdrawn, true),
                of("study", Kind::Withdrawn, true),
            ]
        );
        assert_eq!(told(&Said::default()), []);
        let withdrawn = Said {
            withdrawn: Some(true),
            opted_out: Some(false),
            ..Said::default()
        };
        assert!(told(&withdrawn).contains(&of("news", Kind::Withdrawn, true)));
        assert!(told(&withdrawn).contains(&of("mailing", Kind::Objected, false)));
    }

    #[test]
    fn who_agreed_at_a_moment_that_nobody_knows_did_not() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let read = |at: Option<&str>| {
            let said = Said {
                agreed: Some(vec!["Letter".to_owned()]),
                at: at.map(str::to_owned),
                ..Said::default()
            };
            let all = sayings(&said, &terms(), now);
            let at = all.says.first().and_then(|one| one.at);
            (at.map(|at| at.to_string()), all.is_undated)
        };
        let day = Some("2026-01-15T00:00:00Z".to_owned());
        assert_eq!(read(Some("2026-01-15")), (day.clone(), false));
        assert_eq!(read(Some("2026-01-15 00:00:00")), (day.clone(), false));
        assert_eq!(read(Some("2026-01-15T01:00:00+01:00")), (day, false));
        for unknown in [
            None,
            Some(""),
            Some("0000-00-00"),
            Some("15/01/2026"),
            Some("2026-06-02"),
        ] {
            assert_eq!(read(unknown), (None, true), "{unknown:?}");
        }
    }
}
