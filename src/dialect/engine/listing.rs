//! How records are asked for, as a description says it: which fields, which records, in which order, how many.

use super::confined::Confined;
use super::description::Name;
use crate::dialect::styles::{Order, PredicateStyle};
use crate::dialect::{Empty, NextPlace};

/// How records are asked for.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) select: Option<Select>,
    pub(super) predicates: Vec<PredicateStyle>,
    /// How an order may be written; in one of these ways at a time.
    pub(super) orders: Vec<Order>,
    pub(super) page: Option<Page>,
    /// Whether one style in one parameter says all of which records are meant.
    pub(super) is_plain: bool,
}

impl Listing {
    /// Whether anything is said.
    pub(super) fn is_any(&self) -> bool {
        self.select.is_some()
            || !self.predicates.is_empty()
            || !self.orders.is_empty()
            || self.page.is_some()
    }
}

/// How records are asked for within records, in place of a field.
#[derive(Debug)]
pub(super) struct Within {
    /// The member that names the link to them.
    pub(super) name: String,
    pub(super) listing: Listing,
    /// Parameters that may say only a few things.
    pub(super) confined: Vec<Confined>,
    /// How many of them may lie in each other.
    pub(super) depth: usize,
}

/// How a projection is written.
#[derive(Debug)]
pub(super) enum Select {
    /// A text in which a character separates fields, or a list.
    Text {
        /// Parameters that carry it; one of them at a time.
        names: Vec<Name>,
        separator: char,
    },
    /// `fields[Module]=a,b`, by whichever name of the module.
    ByModule(Name),
    /// A text with commas, or a list, or that as JSON in a text.
    Names {
        at: Name,
        /// Whether objects in a list ask for records within records.
        within: bool,
    },
}

/// How a text to search for is written.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) at: Name,
    /// Whether the API looks for names of fields in it.
    pub(super) reread: bool,
    /// Whether it stands alone, without a filter.
    pub(super) alone: bool,
    /// The parameter that names the modules to search, where it must be said what is looked for, and in which of them.
    pub(super) modules: Option<Name>,
}

impl Search {
    /// Whether a request names the modules that it searches.
    pub(super) fn names_modules(&self) -> bool {
        self.modules.is_some()
    }
}

/// How a page is written.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) size: Name,
    /// Rows, where the caller does not say; `None`: the bound is sent.
    pub(super) default: Option<u32>,
    pub(super) max: Option<u32>,
    /// Whether the API sends its own number of rows, where the caller does not say, whatever that is.
    pub(super) keeps_default: bool,
    /// What says that all rows are wanted.
    pub(super) all: Option<String>,
    pub(super) zero: Zero,
    /// Whether the reply tells that there is more, so that a larger wish may be cut.
    pub(super) tells_more: bool,
    /// Where and how it tells that, if it is told in a way that is known.
    pub(super) next: Option<NextPlace>,
    /// What the API answers where there are no records.
    pub(super) empty: Empty,
    pub(super) offset: Option<Name>,
    /// Where to go on, in a word that the API gave.
    pub(super) cursor: Option<Name>,
    /// A page's number, and that of the first page.
    pub(super) number: Option<(Name, u64)>,
}

/// What 0 rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zero {
    None,
    All,
    /// Neither: rows, and pages where these are numbered, are counted from one.
    Refused,
}
