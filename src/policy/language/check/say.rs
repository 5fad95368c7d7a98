//! What people's say counts for: consent, objections and restrictions become rules like others.

use std::collections::{BTreeMap, BTreeSet};

use crate::condition::{Condition, Operand, PersonFact, Scalar, Subject, Test};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, quoted};
use crate::vocabulary::{Module, Purpose, RuleName};

use super::super::codes;
use super::super::document::Document;
use super::super::model::{Applies, Cap, PurposeModel, RESTRICTED, RowRule};
use super::super::terms::{People, WhenMissing};
use super::conditions::Conditions;
use super::declared::Declared;
use super::made::{self, Made};

/// How the log names what a missing consent and objections withhold.
const PREFIX: &str = "consent.";

/// Rules about people, before conditions have bits.
struct Making<'a> {
    /// Modules whose records are about people, or of which nobody says.
    modules: BTreeSet<Module>,
    names: &'a Declared,
    conditions: &'a mut Conditions,
    found: &'a mut Diagnostics,
}

pub(super) fn rules(
    document: &Document,
    purposes: &BTreeMap<Purpose, PurposeModel>,
    people: Option<&People>,
    names: &Declared,
    (conditions, found): (&mut Conditions, &mut Diagnostics),
) -> Made {
    let mut made = Made::default();
    let Some(people) = people else {
        unsaid(document, found);
        return made;
    };
    let modules = document.modules.iter().map(|word| Module::new(&word.value));
    let mut making = Making {
        modules: modules
            .filter(|module| !people.are_about_nobody(module))
            .collect(),
        names,
        conditions,
        found,
    };
    for (purpose, declared) in purposes {
        let own = || BTreeSet::from([purpose.clone()]);
        let name = format!("{PREFIX}{purpose}");
        let place = &declared.place;
        match declared.consent.as_ref().map(|terms| terms.when_missing) {
            Some(WhenMissing::OmitRecord) => {
                let keep = of_persons(PersonFact::Consented, true);
                made.rows.push(making.row(&name, place, own(), keep));
            }
            Some(WhenMissing::Redact) => {
                let when = of_persons(PersonFact::Consented, false);
                made.caps.extend(making.cap(&name, place, own(), when));
            }
            None => {}
        }
        if declared.honours_objection {
            let keep = of_persons(PersonFact::Objected, false);
            made.rows.push(making.row(&name, place, own(), keep));
        }
    }
    let bound = purposes.iter();
    let bound = bound.filter(|(_, declared)| !declared.despite_restriction);
    let bound: BTreeSet<Purpose> = bound.map(|(purpose, _)| purpose.clone()).collect();
    if let Some((place, _)) = document.people.as_ref().filter(|_| !bound.is_empty()) {
        let keep = of_persons(PersonFact::Restricted, false);
        let row = making.row(RESTRICTED, place, bound.clone(), keep);
        let when = of_persons(PersonFact::Restricted, true);
        let cap = making.cap(RESTRICTED, place, bound, when);
        made.restrict(cap, row, true);
    }
    made
}

/// Purposes that rest on what people have said, where nothing says whom records are about.
fn unsaid(document: &Document, found: &mut Diagnostics) {
    for purpose in &document.purposes {
        if purpose.say.consent.is_none() && purpose.say.objection.is_none() {
            continue;
        }
        let name = quoted(&purpose.name.value);
        let title =
            format!("purpose {name} rests on what people say, and nothing tells who they are");
        found.push(
            Diagnostic::error(codes::BAD_PEOPLE, title)
                .at(&purpose.name.place, "whose say counts for a record?")
                .help("add the section `people`, such as `people: { Contacts: { kind: customer, email: email } }`"),
        );
    }
}

fn of_persons(fact: PersonFact, is: bool) -> Condition {
    let is = Operand::Literal(Scalar::Bool(is));
    Condition::Is(Subject::Person(fact), Test::OneOf(vec![is]))
}

impl Making<'_> {
    fn row(
        &self,
        name: &str,
        place: &Place,
        purposes: BTreeSet<Purpose>,
        keep_when: Condition,
    ) -> RowRule {
        RowRule {
            name: RuleName::new(name),
            place: place.clone(),
            modules: self.modules.clone(),
            applies: Applies::Everyone,
            purposes: Some(purposes),
            keep_when,
        }
    }

    fn cap(
        &mut self,
        name: &str,
        place: &Place,
        purposes: BTreeSet<Purpose>,
        condition: Condition,
    ) -> Option<Cap> {
        let condition = (condition, "what people say needs some, too");
        let asked = (&mut *self.conditions, &mut *self.found);
        made::cap((name, place), Some(purposes), condition, self.names, asked)
    }
}
