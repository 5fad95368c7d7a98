//! What the files of a policy say, before names are looked up: every word with its place.

use std::collections::{BTreeSet, HashMap};

use jiff::SpanFieldwise;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::condition::{Schedule, Subject, Test};
use crate::detect::Kind;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Spanned, quoted};
use crate::mask::Mask;
use crate::vocabulary::{Action, Field, Level};

use super::codes;
use super::limit::{Count, Per};
use super::model::{Evidence, Labels, Proof, Terms};
use super::terms::{ConsentProof, ConsentText, Organisation, WhenMissing};

/// A word and its place.
pub(in crate::policy) type Word = Spanned<String>;

/// All files of one policy, merged as sets.
#[derive(Debug, Default)]
pub(in crate::policy) struct Document {
    pub(in crate::policy) name: Option<Word>,
    /// Whether a file states a name, be it a wrong one.
    pub(in crate::policy) is_named: bool,
    /// Whether something that may define names was not understood: names that are not defined then say nothing.
    pub(in crate::policy) incomplete: bool,
    /// Where it is said that the whole policy observes.
    pub(in crate::policy) mode: Option<Place>,
    /// Until when, as far as that was understood.
    pub(in crate::policy) until: Option<(Place, Option<Spanned<Date>>)>,
    pub(in crate::policy) unclassified: Option<Level>,
    pub(in crate::policy) ungranted: Option<Level>,
    pub(in crate::policy) purpose_order: Vec<Word>,
    pub(in crate::policy) roles: Vec<RoleEntry>,
    pub(in crate::policy) strengths: Vec<(Word, Vec<Proof>)>,
    pub(in crate::policy) purposes: Vec<PurposeEntry>,
    pub(in crate::policy) categories: Vec<CategoryEntry>,
    pub(in crate::policy) modules: Vec<Word>,
    pub(in crate::policy) fields: Vec<FieldEntry>,
    pub(in crate::policy) search: Vec<SearchEntry>,
    pub(in crate::policy) detectors: Vec<DetectorEntry>,
    pub(in crate::policy) grants: Vec<GrantEntry>,
    pub(in crate::policy) caps: Vec<CapEntry>,
    pub(in crate::policy) rows: Vec<RowEntry>,
    pub(in crate::policy) organisation: Organisation,
    pub(in crate::policy) texts: Vec<(Word, Option<ConsentText>)>,
    /// `None`: nothing is said of whom records are about.
    pub(in crate::policy) people: Option<(Place, Vec<PeopleEntry>)>,
    pub(in crate::policy) retention: Vec<RetentionEntry>,
    pub(in crate::policy) schedules: Vec<(Word, Option<Schedule>)>,
    pub(in crate::policy) exceptions: Vec<ExceptionEntry>,
    pub(in crate::policy) limits: Vec<LimitEntry>,
    pub(in crate::policy) names: Names,
    /// The day on which the files are read, if it is known.
    pub(in crate::policy) today: Option<Date>,
}

impl Document {
    /// Every condition.
    pub(in crate::policy) fn conditions(&self) -> impl Iterator<Item = &Stated> {
        let grants = self.grants.iter().filter_map(|grant| grant.when.as_ref());
        let caps = self.caps.iter().filter_map(|cap| cap.when.as_ref());
        let rows = self.rows.iter().filter_map(|row| row.keep_when.as_ref());
        let retention = self.retention.iter();
        let retention = retention.filter_map(|rule| rule.kept.as_ref());
        grants.chain(caps).chain(rows).chain(retention)
    }
}

#[derive(Debug)]
pub(in crate::policy) struct RoleEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) from: Vec<(Evidence, Vec<String>)>,
    pub(in crate::policy) default_purpose: Option<Word>,
    pub(in crate::policy) is_machine: Option<Place>,
    pub(in crate::policy) purposes: Option<Vec<Word>>,
    /// To whom the data goes that it is shown.
    pub(in crate::policy) recipient: Option<String>,
    pub(in crate::policy) actions: Option<Vec<(Word, BTreeSet<Action>)>>,
}

impl RoleEntry {
    /// A role of which only the name is known.
    pub(in crate::policy) fn new(name: Word) -> Self {
        Self {
            name,
            from: Vec::new(),
            default_purpose: None,
            is_machine: None,
            purposes: None,
            recipient: None,
            actions: None,
        }
    }
}

#[derive(Debug)]
pub(in crate::policy) struct PurposeEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) labels: Labels,
    pub(in crate::policy) basis: &'static str,
    pub(in crate::policy) roles: Vec<Word>,
    pub(in crate::policy) say: SayEntry,
}

/// What people's say counts for in a purpose.
#[derive(Debug, Default)]
pub(in crate::policy) struct SayEntry {
    pub(in crate::policy) consent: Option<ConsentEntry>,
    /// Where it is said that whoever objects is left out.
    pub(in crate::policy) objection: Option<Place>,
    /// The names under which a CRM keeps the consent.
    pub(in crate::policy) crm: Vec<Word>,
    pub(in crate::policy) despite_restriction: bool,
}

/// The terms of a consent.
#[derive(Debug)]
pub(in crate::policy) struct ConsentEntry {
    pub(in crate::policy) proof: ConsentProof,
    pub(in crate::policy) max_age: Option<SpanFieldwise>,
    pub(in crate::policy) when_missing: WhenMissing,
    pub(in crate::policy) matchable: Option<Vec<Word>>,
    pub(in crate::policy) text: Option<Word>,
    /// Where it is said that it is given to one recipient.
    pub(in crate::policy) names_recipient: Option<Place>,
}

/// A line of `people`.
#[derive(Debug)]
pub(in crate::policy) struct PeopleEntry {
    pub(in crate::policy) upstream: Option<String>,
    pub(in crate::policy) module: Word,
    pub(in crate::policy) about: AboutEntry,
}

#[derive(Debug)]
pub(in crate::policy) enum AboutEntry {
    Person(PersonEntry),
    Linked(Vec<(Field, TargetEntry)>),
    Nobody,
}

/// In which module a field refers to records.
#[derive(Debug)]
pub(in crate::policy) enum TargetEntry {
    Module(Word),
    /// The one that this field names.
    By(Field),
}

#[derive(Debug)]
pub(in crate::policy) struct PersonEntry {
    pub(in crate::policy) kind: String,
    pub(in crate::policy) email: Option<Field>,
    pub(in crate::policy) phones: Vec<Field>,
    pub(in crate::policy) same_as: Vec<(Field, Word)>,
}

/// An entry of `retention`.
#[derive(Debug)]
pub(in crate::policy) struct RetentionEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) modules: Vec<Word>,
    /// What must hold for the time not to be over; `None` only if it was not understood.
    pub(in crate::policy) kept: Option<Stated>,
    /// Whether only the data are hidden then, and not that there is a record.
    pub(in crate::policy) hides_data: bool,
}

#[derive(Debug)]
pub(in crate::policy) struct CategoryEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) labels: Labels,
    pub(in crate::policy) mask: Option<Spanned<Mask>>,
}

/// One line of `classify`. `module` is `None` for the section `"*"`.
#[derive(Debug)]
pub(in crate::policy) struct FieldEntry {
    pub(in crate::policy) module: Option<String>,
    pub(in crate::policy) pattern: Word,
    pub(in crate::policy) categories: Vec<Word>,
    pub(in crate::policy) instead_of: Vec<Word>,
}

#[derive(Debug)]
pub(in crate::policy) struct SearchEntry {
    pub(in crate::policy) module: Word,
    pub(in crate::policy) fields: Vec<Word>,
}

#[derive(Debug)]
pub(in crate::policy) struct DetectorEntry {
    pub(in crate::policy) place: Place,
    pub(in crate::policy) within: Vec<Word>,
    pub(in crate::policy) find: Vec<Kind>,
    pub(in crate::policy) terms: Terms,
}

/// That something only observes.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Observation {
    /// The last day on which it does.
    pub(in crate::policy) last: Date,
    /// How many days ahead that is.
    pub(in crate::policy) days: i64,
    /// Where it is said.
    pub(in crate::policy) place: Place,
}

#[derive(Debug)]
pub(in crate::policy) struct GrantEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) roles: Vec<Word>,
    pub(in crate::policy) purposes: Option<Vec<Word>>,
    pub(in crate::policy) data: Vec<Word>,
    pub(in crate::policy) level: Level,
    pub(in crate::policy) requires: Vec<Word>,
    pub(in crate::policy) asks: Option<Place>,
    pub(in crate::policy) write: Option<Spanned<Write>>,
    pub(in crate::policy) when: Option<Stated>,
    pub(in crate::policy) observed: Option<Observation>,
    pub(in crate::policy) why: Option<String>,
}

#[derive(Debug)]
pub(in crate::policy) struct CapEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) whom: Whom,
    pub(in crate::policy) data: Vec<Word>,
    pub(in crate::policy) level: Level,
    pub(in crate::policy) denies_write: bool,
    pub(in crate::policy) firm: bool,
    pub(in crate::policy) when: Option<Stated>,
    pub(in crate::policy) observed: Option<Observation>,
    pub(in crate::policy) why: Option<String>,
}

/// To whom a cap or a row rule applies, and for which purposes.
#[derive(Debug, Default)]
pub(in crate::policy) struct Whom {
    pub(in crate::policy) roles: Option<Vec<Word>>,
    pub(in crate::policy) unless_roles: Option<Vec<Word>>,
    pub(in crate::policy) purposes: Option<Vec<Word>>,
}

/// An entry of `rows`.
#[derive(Debug)]
pub(in crate::policy) struct RowEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) modules: Vec<Word>,
    pub(in crate::policy) whom: Whom,
    /// `None` only if it was not understood.
    pub(in crate::policy) keep_when: Option<Stated>,
}

/// An entry of `exceptions`.
#[derive(Debug)]
pub(in crate::policy) struct ExceptionEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) lifts: Option<Word>,
    pub(in crate::policy) roles: Vec<Word>,
    /// The days on which it is in force, both included, and where they begin; `None` if they were not understood.
    pub(in crate::policy) span: Option<Span>,
}

/// Days, both included, and by whose clocks they begin and end.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Span {
    pub(in crate::policy) from: Date,
    pub(in crate::policy) until: Date,
    pub(in crate::policy) zone: TimeZone,
}

/// A condition and where it stands.
pub(in crate::policy) type Stated = Spanned<ConditionEntry>;

/// A condition whose names are not looked up.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::policy) enum ConditionEntry {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Is(Spanned<Subject>, TestEntry),
}

impl ConditionEntry {
    /// Visits every comparison.
    pub(in crate::policy) fn each<'a>(
        &'a self,
        visit: &mut dyn FnMut(&'a Spanned<Subject>, &'a TestEntry),
    ) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each(visit)),
            Self::Not(part) => part.each(visit),
            Self::Is(subject, test) => visit(subject, test),
        }
    }
}

/// How a subject compares.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::policy) enum TestEntry {
    /// With something that is no name of the policy.
    With(Test),
    /// With names of roles or modules: with one of them, or with none.
    Named { words: Vec<Word>, one: bool },
    /// With a schedule: it lies in it, or not.
    Scheduled { schedule: Word, inside: bool },
}

#[derive(Debug)]
pub(in crate::policy) struct LimitEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) whom: Whom,
    pub(in crate::policy) modules: Option<Vec<Word>>,
    pub(in crate::policy) data: Option<Vec<Word>>,
    pub(in crate::policy) level: Level,
    pub(in crate::policy) count: Option<Spanned<Count>>,
    pub(in crate::policy) max: (u32, Per),
    pub(in crate::policy) then: Then,
    pub(in crate::policy) requires: Vec<Word>,
}

/// What a limit does where more would be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) enum Then {
    Alert,
    Block,
    StepUp,
}

/// What a grant says of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) enum Write {
    Allow,
    Deny,
}

/// The names that were defined, by what they name, so that a second definition can point at the first.
#[derive(Debug, Default)]
pub(in crate::policy) struct Names(HashMap<(&'static str, String), Place>);

impl Names {
    /// Defines a name; a second definition is an error that names both places.
    pub(in crate::policy) fn define(
        &mut self,
        what: &'static str,
        name: &str,
        place: &Place,
        found: &mut Diagnostics,
    ) -> bool {
        match self.0.get(&(what, name.to_owned())) {
            Some(first) => {
                found.push(
                    Diagnostic::error(
                        codes::TWICE,
                        format!("{what} {} is defined twice", quoted(name)),
                    )
                    .at(place, "defined again here")
                    .also(first, "first defined here"),
                );
                false
            }
            None => {
                self.0.insert((what, name.to_owned()), place.clone());
                true
            }
        }
    }
}
