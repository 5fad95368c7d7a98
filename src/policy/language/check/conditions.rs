//! Conditions of rules: their names are looked up, and each gets its bit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::condition::{CallerFact, Condition, Operand, Scalar, Schedule, Subject, Test};
use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::vocabulary::Module;

use super::super::codes;
use super::super::document::{ConditionEntry, Document, Stated, TestEntry, Word};
use super::super::model::{Bit, CONDITIONS_MAX, Compared, Noted};
use super::declared::{Declared, Kind};

/// The conditions of a policy, as they are gathered.
pub(super) struct Conditions {
    names: Kind,
    /// Those that were understood.
    schedules: BTreeMap<String, Arc<Schedule>>,
    /// Whether it is said whom records are about.
    knows_people: bool,
    pub(super) noted: Vec<Noted>,
    pub(super) compared: Vec<Compared>,
}

impl Conditions {
    pub(super) fn new(document: &Document) -> Self {
        let schedules = document.schedules.iter();
        let understood = schedules
            .filter_map(|(name, schedule)| Some((name.value.clone(), Arc::new(schedule.clone()?))));
        Self {
            names: Kind::new(
                ("schedule", "schedules", codes::BAD_SCHEDULE),
                document.schedules.iter().map(|(name, _)| name),
                &scheduled(document),
            ),
            schedules: understood.collect(),
            knows_people: document.people.is_some(),
            noted: Vec::new(),
            compared: Vec::new(),
        }
    }

    /// The bit of a rule's condition, which may ask records of any module.
    pub(super) fn bit(
        &mut self,
        stated: &Stated,
        withholds: bool,
        names: &Declared,
        found: &mut Diagnostics,
    ) -> Option<Bit> {
        let condition = self.condition(stated, None, names, found)?;
        let bit = self.note(Noted {
            condition,
            withholds,
        });
        if bit.is_none() {
            let title = format!("more than {CONDITIONS_MAX} different conditions");
            found.push(
                Diagnostic::error(codes::BAD_CONDITION, title)
                    .at(&stated.place, "one too many")
                    .help("rules with the same condition share it"),
            );
        }
        bit
    }

    /// The bit of a condition: the same one for the same condition. `None`: there are too many.
    pub(super) fn note(&mut self, noted: Noted) -> Option<Bit> {
        let known = self.noted.iter().position(|known| *known == noted);
        let at = known.unwrap_or(self.noted.len());
        if at == CONDITIONS_MAX {
            return None;
        }
        if known.is_none() {
            self.noted.push(noted);
        }
        u8::try_from(at).ok().map(Bit)
    }

    /// A condition whose names mean something.
    pub(super) fn condition(
        &mut self,
        stated: &Stated,
        modules: Option<&BTreeSet<Module>>,
        names: &Declared,
        found: &mut Diagnostics,
    ) -> Option<Condition> {
        stated.value.each(&mut |subject, _| {
            if let Subject::Record(field) = &subject.value {
                self.compared.push(Compared {
                    field: field.clone(),
                    place: subject.place.clone(),
                    modules: modules.cloned(),
                });
            }
            if matches!(subject.value, Subject::Person(_)) && !self.knows_people {
                let title = "a condition asks for persons, and nothing tells who they are";
                found.push(
                    Diagnostic::error(codes::BAD_PEOPLE, title)
                        .at(&subject.place, "about whom are the records?")
                        .help("add the section `people`"),
                );
            }
        });
        self.looked_up(&stated.value, names, found)
    }

    fn looked_up(
        &self,
        entry: &ConditionEntry,
        names: &Declared,
        found: &mut Diagnostics,
    ) -> Option<Condition> {
        let mut all = |parts: &[ConditionEntry]| -> Option<Vec<Condition>> {
            let parts = parts.iter().map(|part| self.looked_up(part, names, found));
            parts.collect::<Vec<_>>().into_iter().collect()
        };
        Some(match entry {
            ConditionEntry::All(parts) => Condition::All(all(parts)?),
            ConditionEntry::Any(parts) => Condition::Any(all(parts)?),
            ConditionEntry::Not(part) => {
                Condition::Not(Box::new(self.looked_up(part, names, found)?))
            }
            ConditionEntry::Is(subject, test) => {
                let test = self.test(subject, test, names, found)?;
                Condition::Is(subject.value.clone(), test)
            }
        })
    }

    fn test(
        &self,
        subject: &Spanned<Subject>,
        test: &TestEntry,
        names: &Declared,
        found: &mut Diagnostics,
    ) -> Option<Test> {
        Some(match test {
            TestEntry::With(test) => test.clone(),
            TestEntry::Named { words, one } => {
                let kind = match subject.value {
                    Subject::Caller(CallerFact::Roles) => &names.roles,
                    _ => &names.modules,
                };
                let words = names.look_up(words, kind, found).into_iter();
                let words = words.map(|word| Operand::Literal(Scalar::Text(word.to_owned())));
                match one {
                    true => Test::OneOf(words.collect()),
                    false => Test::NoneOf(words.collect()),
                }
            }
            TestEntry::Scheduled { schedule, inside } => {
                let schedule = std::slice::from_ref(schedule);
                let name = names.look_up(schedule, &self.names, found).pop()?;
                let schedule = self.schedules.get(name)?.clone();
                match inside {
                    true => Test::Inside(schedule),
                    false => Test::Outside(schedule),
                }
            }
        })
    }
}

/// Every name of a schedule that something speaks of.
fn scheduled(document: &Document) -> Vec<&Word> {
    let mut words = Vec::new();
    for stated in document.conditions() {
        stated.value.each(&mut |_, test| {
            if let TestEntry::Scheduled { schedule, .. } = test {
                words.push(schedule);
            }
        });
    }
    words
}
