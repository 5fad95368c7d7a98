//! What the files of a policy say, before names are looked up: every word with its place.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;

use crate::detect::Kind;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Spanned, quoted};
use crate::mask::Mask;
use crate::vocabulary::{Action, Level};

use super::codes;
use super::limit::Per;
use super::model::{Evidence, Labels, Proof, Terms};

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
    pub(in crate::policy) limits: Vec<LimitEntry>,
    pub(in crate::policy) names: Names,
    /// The day on which the files are read, if it is known.
    pub(in crate::policy) today: Option<Date>,
}

#[derive(Debug)]
pub(in crate::policy) struct RoleEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) from: Vec<(Evidence, Vec<String>)>,
    pub(in crate::policy) default_purpose: Option<Word>,
    pub(in crate::policy) is_machine: Option<Place>,
    pub(in crate::policy) purposes: Option<Vec<Word>>,
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
    pub(in crate::policy) observed: Option<Observation>,
    pub(in crate::policy) why: Option<String>,
}

#[derive(Debug)]
pub(in crate::policy) struct CapEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) roles: Option<Vec<Word>>,
    pub(in crate::policy) unless_roles: Option<Vec<Word>>,
    pub(in crate::policy) purposes: Option<Vec<Word>>,
    pub(in crate::policy) data: Vec<Word>,
    pub(in crate::policy) level: Level,
    pub(in crate::policy) denies_write: bool,
    pub(in crate::policy) firm: bool,
    pub(in crate::policy) observed: Option<Observation>,
    pub(in crate::policy) why: Option<String>,
}

#[derive(Debug)]
pub(in crate::policy) struct LimitEntry {
    pub(in crate::policy) name: Word,
    pub(in crate::policy) roles: Option<Vec<Word>>,
    pub(in crate::policy) unless_roles: Option<Vec<Word>>,
    pub(in crate::policy) purposes: Option<Vec<Word>>,
    pub(in crate::policy) modules: Option<Vec<Word>>,
    pub(in crate::policy) data: Option<Vec<Word>>,
    pub(in crate::policy) level: Level,
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
