//! What two policies call by one name and mean differently: the roles that count, and what is known of the persons whom
//! records are about.
//!
//! Where one policy asks for more than the other one, what it means lies within what the other one means; else nothing of
//! the one is known from the other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SpanFieldwise;

use crate::condition::{CallerFact, Condition, Operand, PersonFact, Scalar, Subject, Test};
use crate::policy::decide::may_invoke;
use crate::policy::language::terms::{About, ConsentTerms};
use crate::policy::model::Model;
use crate::policy::supposed::Formula;
use crate::vocabulary::{Module, Purpose, Role};

use super::cells::{NEW, OLD, is_within};

/// How what two policies mean lies to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    /// That of one side lies within that of the other one.
    Within(usize),
    /// Neither is known from the other.
    Other,
}

/// What two policies mean differently; what is not in it, they mean alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::policy::proof) struct Apart {
    persons: BTreeMap<PersonFact, Meaning>,
    roles: BTreeMap<Role, Meaning>,
}

impl Apart {
    /// Nothing.
    pub(in crate::policy::proof) const NONE: Self = Self {
        persons: BTreeMap::new(),
        roles: BTreeMap::new(),
    };

    /// What is meant differently in requests for a purpose under each policy, of records of a module or of all.
    pub(in crate::policy::proof) fn of(
        models: [&Model; 2],
        purposes: [Option<&Purpose>; 2],
        module: Option<&Module>,
    ) -> Self {
        let mut persons = BTreeMap::new();
        let [old, new] = models.map(|model| people(model, module));
        let about_others = old != new;
        let for_others = purposes[OLD] != purposes[NEW];
        if about_others {
            persons.insert(PersonFact::Restricted, Meaning::Other);
        }
        if about_others || for_others {
            persons.insert(PersonFact::Objected, Meaning::Other);
            persons.insert(PersonFact::Consented, Meaning::Other);
        } else if let Some(meaning) = consent(models, purposes) {
            persons.insert(PersonFact::Consented, meaning);
        }
        let names = models.iter().flat_map(|model| model.roles.keys());
        let names: BTreeSet<&Role> = names.collect();
        let roles = names.into_iter().filter_map(|role| {
            let meaning = held(models, purposes, role)?;
            Some((role.clone(), meaning))
        });
        Self {
            persons,
            roles: roles.collect(),
        }
    }

    /// Whether a condition asks for something of it.
    pub(in crate::policy::proof) fn touches(&self, condition: &Condition) -> bool {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().any(|part| self.touches(part))
            }
            Condition::Not(part) => self.touches(part),
            Condition::Is(subject, test) => self.meaning(subject, test).is_some(),
        }
    }

    /// What one of the policies means.
    pub(in crate::policy::proof) fn formula(&self, side: usize, formula: Formula) -> Formula {
        if *self == Self::NONE {
            return formula;
        }
        formula.with(&|subject, test| {
            let Some(meaning) = self.meaning(&subject, &test) else {
                return Formula::Is(subject, test);
            };
            let is_so = is_positive(&test);
            let about = format!("{side} {}", about(&subject, &test));
            match meaning {
                Meaning::Within(within) if within != side => Formula::Is(subject, test),
                Meaning::Within(_) => {
                    let more = Formula::Free(about, is_so);
                    Formula::joined(Formula::Is(subject, test), more, is_so)
                }
                Meaning::Other => Formula::Free(about, is_so),
            }
        })
    }

    fn meaning(&self, subject: &Subject, test: &Test) -> Option<Meaning> {
        let operands = match test {
            Test::OneOf(operands) | Test::NoneOf(operands) => operands.as_slice(),
            _ => &[],
        };
        let asks_for_roles = operands
            .iter()
            .any(|one| matches!(one, Operand::Caller(CallerFact::Roles)));
        if asks_for_roles && !self.roles.is_empty() {
            return Some(Meaning::Other);
        }
        match subject {
            Subject::Person(fact) => self.persons.get(fact).copied(),
            Subject::Caller(CallerFact::Roles) => {
                let named = |role: &&Role| operands.iter().any(|one| names(one, role));
                let only_literals = operands
                    .iter()
                    .all(|one| matches!(one, Operand::Literal(_)));
                let all = self.roles.iter();
                let meant = all.filter(|(role, _)| !only_literals || named(role));
                let meant: BTreeSet<Meaning> = meant.map(|(_, meaning)| *meaning).collect();
                match (meant.first(), meant.len()) {
                    (None, _) => None,
                    (Some(one), 1) if only_literals && !operands.is_empty() => Some(*one),
                    _ => Some(Meaning::Other),
                }
            }
            _ => None,
        }
    }
}

/// Whether an operand is the name of a role.
fn names(operand: &Operand, role: &Role) -> bool {
    matches!(operand, Operand::Literal(Scalar::Text(name)) if name == role.as_str())
}

/// What a comparison is about, whether it is so or not.
fn about(subject: &Subject, test: &Test) -> String {
    match (subject, test) {
        (Subject::Person(fact), _) => format!("{fact:?}"),
        (_, Test::OneOf(operands) | Test::NoneOf(operands)) => format!("{subject:?} {operands:?}"),
        _ => format!("{subject:?} {test:?}"),
    }
}

/// Whether a comparison holds where something is so, and not where it is not.
fn is_positive(test: &Test) -> bool {
    let is_no = |operands: &[Operand]| operands.contains(&Operand::Literal(Scalar::Bool(false)));
    match test {
        Test::OneOf(operands) => !is_no(operands),
        Test::NoneOf(operands) => is_no(operands),
        _ => true,
    }
}

/// Whom records of a module are about, or of all.
fn people<'m>(
    model: &'m Model,
    module: Option<&Module>,
) -> Vec<(Option<&'m str>, &'m Module, &'m About)> {
    let people = model.people.iter().flat_map(|people| people.iter());
    people
        .filter(|(_, own, _)| module.is_none_or(|module| module == *own))
        .collect()
}

/// How the consents to one purpose lie to each other; `None`: they are the same.
fn consent(models: [&Model; 2], purposes: [Option<&Purpose>; 2]) -> Option<Meaning> {
    let terms = [OLD, NEW].map(|side| {
        let purpose = models[side].purposes.get(purposes[side]?)?;
        purpose.consent.as_ref()
    });
    let [Some(old), Some(new)] = terms else {
        return (terms[OLD].is_some() != terms[NEW].is_some()).then_some(Meaning::Other);
    };
    let recipients = models.map(|model| -> Vec<_> {
        let roles = model.roles.iter();
        roles
            .filter_map(|(role, of)| Some((role, of.recipient.as_ref()?)))
            .collect()
    });
    let names_one = old.names_recipient || new.names_recipient;
    if names_one && recipients[OLD] != recipients[NEW] {
        return Some(Meaning::Other);
    }
    match (asks_as_much(new, old), asks_as_much(old, new)) {
        (true, true) => None,
        (true, false) => Some(Meaning::Within(NEW)),
        (false, true) => Some(Meaning::Within(OLD)),
        (false, false) => Some(Meaning::Other),
    }
}

/// Whether whoever consents on some terms does so on others.
fn asks_as_much(one: &ConsentTerms, other: &ConsentTerms) -> bool {
    let is_as_short = match (&one.max_age, &other.max_age) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(own), Some(most)) => own == most || days(own)[1] <= days(most)[0],
    };
    one.proof >= other.proof && is_as_short && (one.names_recipient || !other.names_recipient)
}

/// How many days a span lasts at least, and at most, a little more than that.
fn days(span: &SpanFieldwise) -> [i64; 2] {
    let span = span.0;
    let (years, months) = (i64::from(span.get_years()), i64::from(span.get_months()));
    let rest = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
    let hours = i64::from(span.get_hours());
    [
        years * 365 + months * 28 + rest + hours / 24,
        years * 366 + months * 31 + rest + hours / 24 + 1,
    ]
}

/// How those who have a role that counts lie to each other; `None`: they are the same.
fn held(models: [&Model; 2], purposes: [Option<&Purpose>; 2], role: &Role) -> Option<Meaning> {
    let counts = [OLD, NEW].map(|side| {
        let is_for = |purpose: &Purpose| may_invoke(models[side], role, purpose);
        let role = models[side].roles.get(role);
        role.filter(|_| purposes[side].is_none_or(is_for))
    });
    match counts {
        [None, None] => None,
        [Some(_), None] => Some(Meaning::Within(NEW)),
        [None, Some(_)] => Some(Meaning::Within(OLD)),
        [Some(old), Some(new)] => {
            match (
                is_within(&new.from, &old.from),
                is_within(&old.from, &new.from),
            ) {
                (true, true) => None,
                (true, false) => Some(Meaning::Within(NEW)),
                (false, true) => Some(Meaning::Within(OLD)),
                (false, false) => Some(Meaning::Other),
            }
        }
    }
}

/// What consent to a purpose is, in words, where two policies say the same of who consents and mean different things.
pub(super) fn terms(model: &Model, purpose: Option<&Purpose>) -> Option<String> {
    let terms = model.purposes.get(purpose?)?.consent.as_ref()?;
    let mut proofs = crate::policy::ConsentProof::ALL.iter();
    let proof = proofs.find(|(_, proof)| *proof == terms.proof);
    let mut words = vec![format!("proof {}", proof.map_or("", |(word, _)| word))];
    words.extend(
        terms
            .max_age
            .as_ref()
            .map(|age| format!("max_age {:#}", age.0)),
    );
    words.extend(
        terms
            .names_recipient
            .then(|| "for its recipient alone".to_owned()),
    );
    Some(words.join(", "))
}
