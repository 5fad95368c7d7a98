//! What people's say counts for: consent, objections and restrictions become rules like others, so that the engine needs
//! nothing for them that other rules do not need.

use std::collections::{BTreeMap, BTreeSet};

use crate::condition::{Condition, Operand, PersonFact, Scalar, Subject, Test};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, quoted};
use crate::vocabulary::{Category, Level, Module, Purpose, RuleName};

use super::super::codes;
use super::super::document::Document;
use super::super::model::{
    Applies, CONDITIONS_MAX, Cap, Noted, PurposeModel, RESTRICTED, Restriction, RowRule,
};
use super::super::terms::{People, WhenMissing};
use super::conditions::Conditions;
use super::declared::Declared;

/// How the log names what a missing consent and objections withhold.
const PREFIX: &str = "consent.";
/// What is shown all the same.
const TECHNICAL: &str = "technical";

/// The rules that people's say makes.
pub(super) struct Rules {
    pub(super) rows: Vec<RowRule>,
    pub(super) caps: Vec<Cap>,
    pub(super) restriction: Option<Restriction>,
}

/// Rules about people, before conditions have bits.
struct Making<'a> {
    /// Modules whose records are about people, or of which nobody says.
    modules: BTreeSet<Module>,
    /// Everything but what is technical.
    data: Vec<Category>,
    conditions: &'a mut Conditions,
    found: &'a mut Diagnostics,
}

pub(super) fn rules(
    document: &Document,
    purposes: &BTreeMap<Purpose, PurposeModel>,
    people: Option<&People>,
    names: &Declared,
    (conditions, found): (&mut Conditions, &mut Diagnostics),
) -> Rules {
    let (mut rows, mut caps) = (Vec::new(), Vec::new());
    let Some(people) = people else {
        unsaid(document, found);
        return Rules {
            rows,
            caps,
            restriction: None,
        };
    };
    let modules = document.modules.iter().map(|word| Module::new(&word.value));
    let mut making = Making {
        modules: modules
            .filter(|module| !people.are_about_nobody(module))
            .collect(),
        data: personal(names),
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
                rows.push(making.row(&name, place, own(), keep));
            }
            Some(WhenMissing::Redact) => {
                let when = of_persons(PersonFact::Consented, false);
                caps.extend(making.cap(&name, place, own(), when));
            }
            None => {}
        }
        if declared.honours_objection {
            let keep = of_persons(PersonFact::Objected, false);
            rows.push(making.row(&name, place, own(), keep));
        }
    }
    let bound = purposes.iter();
    let bound = bound.filter(|(_, declared)| !declared.despite_restriction);
    let bound: BTreeSet<Purpose> = bound.map(|(purpose, _)| purpose.clone()).collect();
    let mut restriction = None;
    if let Some((place, _)) = document.people.as_ref().filter(|_| !bound.is_empty()) {
        let keep = of_persons(PersonFact::Restricted, false);
        let row = making.row(RESTRICTED, place, bound.clone(), keep);
        let when = of_persons(PersonFact::Restricted, true);
        let cap = making.cap(RESTRICTED, place, bound, when);
        let when = cap.as_ref().and_then(|cap| cap.when);
        restriction = when.map(|when| Restriction { when, row });
        caps.extend(cap);
    }
    Rules {
        rows,
        caps,
        restriction,
    }
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

/// The groups of all categories but what is technical.
fn personal(names: &Declared) -> Vec<Category> {
    let groups = names.categories.keys().map(|category| {
        let name = category.as_str();
        name.split_once('.').map_or(name, |(group, _)| group)
    });
    let groups: BTreeSet<&str> = groups.filter(|group| *group != TECHNICAL).collect();
    groups.into_iter().map(Category::new).collect()
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

    /// A cap that nothing lifts.
    fn cap(
        &mut self,
        name: &str,
        place: &Place,
        purposes: BTreeSet<Purpose>,
        condition: Condition,
    ) -> Option<Cap> {
        let noted = Noted {
            condition,
            withholds: true,
        };
        let when = self.conditions.note(noted);
        if when.is_none() {
            let title = format!("more than {CONDITIONS_MAX} different conditions");
            self.found.push(
                Diagnostic::error(codes::BAD_CONDITION, title)
                    .at(place, "what people say needs some, too")
                    .help("rules with the same condition share it"),
            );
        }
        Some(Cap {
            name: RuleName::new(name),
            place: place.clone(),
            applies: Applies::Everyone,
            purposes: Some(purposes),
            data: self.data.clone(),
            level: Level::Redact,
            denies_write: true,
            firm: true,
            when: Some(when?),
            exceptions: Vec::new(),
            observed: None,
            why: None,
        })
    }
}
