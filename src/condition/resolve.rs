//! What is left of a condition once caller and moment are known.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::Value;

use crate::vocabulary::{Action, Module, Role};

use super::compare::test;
use super::{
    CallerFact, Condition, FieldTest, Operand, RequestFact, Resolved, Scalar, Subject, Test,
};

/// Who asks, for what, and when.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The id of the CRM's user, if the caller is one.
    pub id: Option<&'a str>,
    /// Their name.
    pub name: Option<&'a str>,
    /// Their type.
    pub kind: Option<&'a str>,
    /// The roles that count.
    pub roles: &'a BTreeSet<Role>,
    /// The teams of the CRM's user; `None`, if the caller is none.
    pub teams: Option<&'a [String]>,
    /// When the request began.
    pub now: Timestamp,
    /// What it does.
    pub action: Option<Action>,
    /// The module whose records it is about.
    pub module: Option<&'a Module>,
}

impl Asker<'_> {
    /// Everything that a fact of the caller is; `None`: nobody knows.
    fn fact(&self, fact: CallerFact) -> Option<Vec<Scalar>> {
        let text = |text: &str| Scalar::Text(text.to_owned());
        let one = |known: Option<&str>| known.map(|known| vec![text(known)]);
        match fact {
            CallerFact::Id => one(self.id),
            CallerFact::Name => one(self.name),
            CallerFact::Type => one(self.kind),
            CallerFact::Roles => Some(self.roles.iter().map(|role| text(role.as_str())).collect()),
            CallerFact::Teams => self
                .teams
                .map(|teams| teams.iter().map(|team| text(team)).collect()),
        }
    }

    /// The time that lies so long before the request.
    fn ago(&self, span: &Span) -> Option<Timestamp> {
        let now = self.now.to_zoned(TimeZone::UTC);
        now.checked_sub(*span).ok().map(|then| then.timestamp())
    }

    /// What a test compares with; `None`, where nobody knows.
    fn operands(&self, operands: &[Operand]) -> Option<Vec<Scalar>> {
        let mut all = Vec::new();
        for operand in operands {
            match operand {
                Operand::Literal(scalar) => all.push(scalar.clone()),
                Operand::Caller(fact) => all.extend(self.fact(*fact)?),
            }
        }
        Some(all)
    }

    /// A test of a field; `None`, where nobody knows what it compares with.
    fn test(&self, test: &Test) -> Option<FieldTest> {
        Some(match test {
            Test::OneOf(operands) => FieldTest::OneOf(self.operands(operands)?),
            Test::NoneOf(operands) => FieldTest::NoneOf(self.operands(operands)?),
            Test::LessThan(than) => FieldTest::LessThan(than.clone()),
            Test::AtMost(most) => FieldTest::AtMost(most.clone()),
            Test::GreaterThan(than) => FieldTest::GreaterThan(than.clone()),
            Test::AtLeast(least) => FieldTest::AtLeast(least.clone()),
            Test::Before(time) => FieldTest::Before(*time),
            Test::After(time) => FieldTest::After(*time),
            Test::OlderThan(span) => FieldTest::Before(self.ago(&span.0)?),
            Test::NewerThan(span) => FieldTest::After(self.ago(&span.0)?),
            Test::Blank(blank) => FieldTest::Blank(*blank),
            // Schedules say something of moments alone, and records hold none that a policy could mean by them.
            Test::Inside(_) | Test::Outside(_) => return None,
        })
    }

    /// How something of the caller or the request compares. Of several things, one must be among those that are named, or
    /// none.
    fn compares(&self, own: &[Scalar], with: &Test) -> Option<bool> {
        match with {
            Test::OneOf(operands) => {
                let operands = self.operands(operands)?;
                Some(own.iter().any(|one| operands.contains(one)))
            }
            Test::NoneOf(operands) => {
                let operands = self.operands(operands)?;
                Some(!own.iter().any(|one| operands.contains(one)))
            }
            Test::Blank(blank) => {
                let is_blank = own.iter().all(|one| *one == Scalar::Text(String::new()));
                Some(is_blank == *blank)
            }
            other => match own {
                [Scalar::Text(text)] => test(&self.test(other)?, &Value::from(text.as_str())),
                _ => None,
            },
        }
    }
}

/// How a moment compares.
pub(super) fn moment(now: Timestamp, test: &Test) -> Option<bool> {
    match test {
        Test::Inside(schedule) => Some(schedule.holds(now)),
        Test::Outside(schedule) => Some(!schedule.holds(now)),
        Test::Before(time) => Some(now < *time),
        Test::After(time) => Some(now >= *time),
        _ => None,
    }
}

/// See [`Condition::resolve`].
pub(super) fn resolve(condition: &Condition, asker: &Asker<'_>) -> Resolved {
    match condition {
        Condition::All(parts) => joined(parts, asker, false),
        Condition::Any(parts) => joined(parts, asker, true),
        Condition::Not(part) => match resolve(part, asker) {
            Resolved::Known(known) => Resolved::Known(known.map(|holds| !holds)),
            Resolved::Not(part) => *part,
            part => Resolved::Not(Box::new(part)),
        },
        Condition::Is(Subject::Record(field), test) => match asker.test(test) {
            Some(test) => Resolved::Field(field.clone(), test),
            None => Resolved::Known(None),
        },
        Condition::Is(Subject::Person(fact), Test::OneOf(words)) => {
            persons(*fact, asker.operands(words), false)
        }
        Condition::Is(Subject::Person(fact), Test::NoneOf(words)) => {
            persons(*fact, asker.operands(words), true)
        }
        Condition::Is(Subject::Person(_), _) => Resolved::Known(None),
        // Records of other modules are not asked.
        Condition::Is(Subject::RecordModule, _) => Resolved::Known(Some(true)),
        Condition::Is(Subject::Caller(fact), test) => {
            let own = asker.fact(*fact);
            Resolved::Known(own.and_then(|own| asker.compares(&own, test)))
        }
        Condition::Is(Subject::Request(RequestFact::Time), test) => {
            Resolved::Known(moment(asker.now, test))
        }
        Condition::Is(Subject::Request(fact), test) => {
            let (action, module) = super::words_of(asker.action, asker.module);
            let own = match fact {
                RequestFact::Action => action,
                _ => module,
            };
            Resolved::Known(own.and_then(|own| asker.compares(&[own], test)))
        }
    }
}

/// `person.consented: { equals: true }` and its like.
fn persons(fact: super::PersonFact, words: Option<Vec<Scalar>>, is_negated: bool) -> Resolved {
    let Some([Scalar::Bool(wanted)]) = words.as_deref() else {
        return Resolved::Known(None);
    };
    match *wanted != is_negated {
        true => Resolved::Person(fact),
        false => Resolved::Not(Box::new(Resolved::Person(fact))),
    }
}

/// Parts of which all must hold, or one; those that are known are left out or decide.
fn joined(parts: &[Condition], asker: &Asker<'_>, decides: bool) -> Resolved {
    let mut left = Vec::new();
    for part in parts {
        match resolve(part, asker) {
            Resolved::Known(Some(holds)) if holds == decides => {
                return Resolved::Known(Some(decides));
            }
            Resolved::Known(Some(_)) => {}
            part => left.push(part),
        }
    }
    match left.len() {
        0 => Resolved::Known(Some(!decides)),
        1 => left.remove(0),
        _ if left.iter().all(|part| part.known().is_some()) => Resolved::Known(None),
        _ if decides => Resolved::Any(left),
        _ => Resolved::All(left),
    }
}
