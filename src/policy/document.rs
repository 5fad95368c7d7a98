//! What the files of a policy say, before names are looked up: every word with its place.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::detect::Kind;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Spanned, quoted};
use crate::mask::Mask;
use crate::vocabulary::Level;

use super::codes;
use super::model::{Evidence, Labels};

/// A word and its place.
pub(super) type Word = Spanned<String>;

/// All files of one policy, merged as sets.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) name: Option<Word>,
    /// Whether a file states a name, be it a wrong one.
    pub(super) is_named: bool,
    /// Whether something that may define names was not understood: names that are not defined then say nothing.
    pub(super) incomplete: bool,
    pub(super) unclassified: Option<Level>,
    pub(super) ungranted: Option<Level>,
    pub(super) roles: Vec<RoleEntry>,
    pub(super) strengths: Vec<Word>,
    pub(super) purposes: Vec<PurposeEntry>,
    pub(super) categories: Vec<CategoryEntry>,
    pub(super) modules: Vec<Word>,
    pub(super) fields: Vec<FieldEntry>,
    pub(super) search: Vec<SearchEntry>,
    pub(super) detectors: Vec<DetectorEntry>,
    pub(super) grants: Vec<GrantEntry>,
    pub(super) caps: Vec<CapEntry>,
    pub(super) names: Names,
    /// The day on which the files are read, if it is known.
    pub(super) today: Option<Date>,
}

#[derive(Debug)]
pub(super) struct RoleEntry {
    pub(super) name: Word,
    pub(super) from: Vec<(Evidence, Vec<String>)>,
    pub(super) default_purpose: Option<Word>,
}

#[derive(Debug)]
pub(super) struct PurposeEntry {
    pub(super) name: Word,
    pub(super) labels: Labels,
    pub(super) basis: &'static str,
    pub(super) roles: Vec<Word>,
}

#[derive(Debug)]
pub(super) struct CategoryEntry {
    pub(super) name: Word,
    pub(super) labels: Labels,
    pub(super) mask: Option<Spanned<Mask>>,
}

/// One line of `classify`. `module` is `None` for the section `"*"`.
#[derive(Debug)]
pub(super) struct FieldEntry {
    pub(super) module: Option<String>,
    pub(super) pattern: Word,
    pub(super) categories: Vec<Word>,
    pub(super) instead_of: Vec<Word>,
}

#[derive(Debug)]
pub(super) struct SearchEntry {
    pub(super) module: Word,
    pub(super) fields: Vec<Word>,
}

#[derive(Debug)]
pub(super) struct DetectorEntry {
    pub(super) place: Place,
    pub(super) within: Vec<Word>,
    pub(super) find: Vec<Kind>,
}

#[derive(Debug)]
pub(super) struct GrantEntry {
    pub(super) name: Word,
    pub(super) roles: Vec<Word>,
    pub(super) purposes: Option<Vec<Word>>,
    pub(super) data: Vec<Word>,
    pub(super) level: Level,
    pub(super) requires: Option<Word>,
    pub(super) write: Option<Spanned<Write>>,
    pub(super) why: Option<String>,
}

#[derive(Debug)]
pub(super) struct CapEntry {
    pub(super) name: Word,
    pub(super) roles: Option<Vec<Word>>,
    pub(super) unless_roles: Option<Vec<Word>>,
    pub(super) purposes: Option<Vec<Word>>,
    pub(super) data: Vec<Word>,
    pub(super) level: Level,
    pub(super) denies_write: bool,
    pub(super) firm: bool,
    pub(super) why: Option<String>,
}

/// What a grant says of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    Allow,
    Deny,
}

/// The names that were defined, by what they name, so that a second definition can point at the first.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<(&'static str, String), Place>);

impl Names {
    /// Defines a name; a second definition is an error that names both places.
    pub(super) fn define(
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
