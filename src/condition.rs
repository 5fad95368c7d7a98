//! Conditions: what must hold of a record, of whoever asks, and of the moment.
//!
//! A policy states a [`Condition`]. For one request the parts about caller and moment become answers, and what is left is
//! [`Resolved`]: it is looked at record by record, or said to the CRM. There are three answers: yes, no, and *nobody knows*,
//! where a field is missing or of another type than it is compared with. What that means is for the rule to say: whatever
//! withholds takes it for yes, whatever shows for no.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::vocabulary::{Action, Field, Module};

mod compare;
mod resolve;
mod schedule;
#[cfg(test)]
mod tests;

pub use resolve::Asker;
pub use schedule::{Days, Schedule, Window};

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of these. None: it holds.
    All(Vec<Self>),
    /// One of these. None: it does not hold.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// A subject compares with something.
    Is(Subject, Test),
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A field of the record.
    Record(Field),
    /// Something of the caller.
    Caller(CallerFact),
    /// Something of the request.
    Request(RequestFact),
    /// Something of the persons whom the record is about.
    Person(PersonFact),
    /// The record's own module. No policy writes it: rules about some modules' records make it.
    RecordModule,
}

/// What is known of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerFact {
    /// The id of the CRM's user. Who has no session of the CRM has none.
    Id,
    /// The name of the CRM's user, with the same exception.
    Name,
    /// The type of the CRM's user, with the same exception.
    Type,
    /// The roles of the policy that count.
    Roles,
    /// The teams of the CRM's user.
    Teams,
}

/// What is known of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFact {
    /// When it began.
    Time,
    /// What it does.
    Action,
    /// The module whose records it is about.
    Module,
}

/// What is known of the persons whom a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonFact {
    /// They consent to the purpose of the request.
    Consented,
    /// One of them objects to it.
    Objected,
    /// One of them has had the processing restricted.
    Restricted,
}

/// How a subject compares.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is one of these.
    OneOf(Vec<Operand>),
    /// It is none of these.
    NoneOf(Vec<Operand>),
    /// It is less.
    LessThan(Scalar),
    /// It is not more.
    AtMost(Scalar),
    /// It is more.
    GreaterThan(Scalar),
    /// It is not less.
    AtLeast(Scalar),
    /// It is a time before this.
    Before(Timestamp),
    /// It is this time, or one after it.
    After(Timestamp),
    /// It is a time, longer ago than this.
    OlderThan(jiff::SpanFieldwise),
    /// It is a time, not so long ago.
    NewerThan(jiff::SpanFieldwise),
    /// It is a time within a schedule.
    Inside(Arc<Schedule>),
    /// It is a time outside a schedule.
    Outside(Arc<Schedule>),
    /// It holds nothing, if `true`; else it holds something.
    Blank(bool),
}

/// With what a subject is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// Something that the policy states.
    Literal(Scalar),
    /// Something of the caller: each of them, where there are several.
    Caller(CallerFact),
}

/// A value that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A text, compared exactly.
    Text(String),
    /// A number, as JSON writes it (RFC 8259, section 6).
    Number(String),
    /// Yes or no.
    Bool(bool),
}

/// What is left of a condition for one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// All of these. None: it holds.
    All(Vec<Self>),
    /// One of these. None: it does not hold.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// What no record changes; `None`: nobody knows.
    Known(Option<bool>),
    /// A field of the record compares with something.
    Field(Field, FieldTest),
    /// Something holds of the persons whom the record is about.
    Person(PersonFact),
}

/// How a field compares, once caller and moment are known.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldTest {
    /// It is one of these. None: it does not hold.
    OneOf(Vec<Scalar>),
    /// It is none of these.
    NoneOf(Vec<Scalar>),
    /// It is less.
    LessThan(Scalar),
    /// It is not more.
    AtMost(Scalar),
    /// It is more.
    GreaterThan(Scalar),
    /// It is not less.
    AtLeast(Scalar),
    /// It is a time before this.
    Before(Timestamp),
    /// It is this time, or one after it.
    After(Timestamp),
    /// It holds nothing, if `true`; else it holds something.
    Blank(bool),
}

/// What can be looked up of a record, while it is judged.
pub trait Facts {
    /// The value of a field; `None` if the record does not tell it.
    fn field(&mut self, field: &Field) -> Option<Value>;

    /// What is known of the persons whom the record is about; `None`: nobody knows.
    fn person(&mut self, fact: PersonFact) -> Option<bool>;
}

impl Condition {
    /// Visits every subject.
    pub fn each_subject<'a>(&'a self, visit: &mut dyn FnMut(&'a Subject)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.each_subject(visit));
            }
            Self::Not(part) => part.each_subject(visit),
            Self::Is(subject, _) => visit(subject),
        }
    }

    /// Whether the record, or the persons whom it is about, count.
    pub fn is_about_records(&self) -> bool {
        let mut is_about = false;
        self.each_subject(&mut |subject| {
            is_about |= matches!(
                subject,
                Subject::Record(_) | Subject::Person(_) | Subject::RecordModule
            );
        });
        is_about
    }

    /// Whether nothing but the persons counts whom the record is about.
    pub fn is_about_persons_alone(&self) -> bool {
        let (mut is_any, mut is_alone) = (false, true);
        self.each_subject(&mut |subject| {
            is_any = true;
            is_alone &= matches!(subject, Subject::Person(_));
        });
        is_any && is_alone
    }

    /// Whether nothing but the moment counts, of which nobody is ever in doubt.
    pub fn is_about_time_alone(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_about_time_alone),
            Self::Not(part) => part.is_about_time_alone(),
            Self::Is(Subject::Request(RequestFact::Time), test) => matches!(
                test,
                Test::Before(_) | Test::After(_) | Test::Inside(_) | Test::Outside(_)
            ),
            Self::Is(..) => false,
        }
    }

    /// Whether it cannot hold of a module's records, because it is about those of others.
    pub fn is_about_others_than(&self, module: &Module) -> bool {
        match self {
            Self::All(parts) => parts.iter().any(|part| part.is_about_others_than(module)),
            Self::Is(Subject::RecordModule, Test::OneOf(named)) => {
                let own = Operand::Literal(Scalar::Text(module.as_str().to_owned()));
                !named.contains(&own)
            }
            Self::Any(_) | Self::Not(_) | Self::Is(..) => false,
        }
    }

    /// Whether the moment counts.
    pub fn looks_at_time(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::looks_at_time),
            Self::Not(part) => part.looks_at_time(),
            Self::Is(Subject::Request(RequestFact::Time), _)
            | Self::Is(_, Test::OlderThan(_) | Test::NewerThan(_)) => true,
            Self::Is(..) => false,
        }
    }

    /// Whether it holds at a moment, whoever asks for whatever; `None`, where that is not enough to know it.
    pub fn holds_at(&self, now: Timestamp) -> Option<bool> {
        match self {
            Self::All(parts) => all(parts.iter().map(|part| part.holds_at(now))),
            Self::Any(parts) => {
                let not = parts.iter().map(|part| part.holds_at(now).map(|is| !is));
                all(not).map(|all| !all)
            }
            Self::Not(part) => part.holds_at(now).map(|holds| !holds),
            Self::Is(Subject::Request(RequestFact::Time), test) => resolve::moment(now, test),
            Self::Is(..) => None,
        }
    }

    /// What is left of it for one request.
    pub fn resolve(&self, asker: &Asker<'_>) -> Resolved {
        resolve::resolve(self, asker)
    }
}

impl Resolved {
    /// Whether it holds; `None`: nobody knows.
    pub fn holds(&self, facts: &mut dyn Facts) -> Option<bool> {
        match self {
            Self::All(parts) => all(parts.iter().map(|part| part.holds(facts))),
            Self::Any(parts) => {
                let not = parts.iter().map(|part| part.holds(facts).map(|is| !is));
                all(not).map(|all| !all)
            }
            Self::Not(part) => part.holds(facts).map(|holds| !holds),
            Self::Known(known) => *known,
            Self::Field(field, test) => compare::test(test, &facts.field(field)?),
            Self::Person(fact) => facts.person(*fact),
        }
    }

    /// The answer, where no record changes it.
    pub fn known(&self) -> Option<Option<bool>> {
        match self {
            Self::Known(known) => Some(*known),
            _ => None,
        }
    }

    /// Visits every field that is compared.
    pub fn each_field<'a>(&'a self, visit: &mut dyn FnMut(&'a Field)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.each_field(visit));
            }
            Self::Not(part) => part.each_field(visit),
            Self::Field(field, _) => visit(field),
            Self::Known(_) | Self::Person(_) => {}
        }
    }

    /// Whether something of the persons whom the record is about counts.
    pub fn asks_for_persons(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_for_persons),
            Self::Not(part) => part.asks_for_persons(),
            Self::Person(_) => true,
            Self::Field(..) | Self::Known(_) => false,
        }
    }
}

/// Whether all hold: one that does not decides, and so it does not matter in which order they stand.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    for part in parts {
        match part {
            Some(true) => {}
            Some(false) => return Some(false),
            None => all = None,
        }
    }
    all
}

/// The words for actions and modules that conditions compare with.
fn words_of(action: Option<Action>, module: Option<&Module>) -> (Option<Scalar>, Option<Scalar>) {
    let text = |text: &str| Scalar::Text(text.to_owned());
    (
        action.map(|action| text(action.as_str())),
        module.map(|module| text(module.as_str())),
    )
}
