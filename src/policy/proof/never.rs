//! What must never happen, proved over every state.

use std::collections::BTreeSet;

use super::State;
use crate::policy::Policy;
use crate::vocabulary::{Category, FieldPath, Level, Purpose, Role, RuleName};

/// What must never happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Never {
    /// Its name.
    pub name: String,
    /// Data of these categories and of all below them.
    pub data: BTreeSet<Category>,
    /// To callers one of whose counted roles is one of these; to anybody, if there are none.
    pub roles: BTreeSet<Role>,
    /// For these purposes; for any, if there are none.
    pub purposes: BTreeSet<Purpose>,
    /// What must not happen to it.
    pub how: How,
    /// But for callers one of whose counted roles is one of these.
    pub unless_roles: BTreeSet<Role>,
    /// But for these purposes.
    pub unless_purposes: BTreeSet<Purpose>,
    /// But where one of these strengths is proved.
    pub unless_strengths: BTreeSet<String>,
}

/// What must not happen to data: at least one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// It is shown at this level, or at a higher one.
    pub at_least: Option<Level>,
    /// It is matched, by fields or by what can be found in texts.
    pub matched: bool,
    /// It is sorted, grouped or aggregated by.
    pub sorted: bool,
    /// The CRM's full-text search looks into it.
    pub searched: bool,
    /// It is written.
    pub written: bool,
}

/// What came of a proof.
#[derive(Clone, Debug)]
pub struct Proved {
    /// How many states were looked at.
    pub states: usize,
    /// The smallest state in which it happens; none: it never does.
    pub counterexample: Option<Counterexample>,
}

/// A state in which something happens that must never.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The state.
    pub state: State,
    /// The category.
    pub category: Category,
    /// The field by which it happens, where it is not the category's own level that does.
    pub field: Option<FieldPath>,
    /// What happens: `shown`, `matched`, `sorted`, `searched`, `written`.
    pub how: &'static str,
    /// The level of the category there.
    pub level: Level,
    /// The rules that made it so.
    pub by: Vec<RuleName>,
}

impl Policy {
    /// Whether something never happens, in any state.
    pub fn prove(&self, never: &Never) -> Proved {
        let _ = never;
        todo!()
    }
}
