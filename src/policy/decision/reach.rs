//! What may be done where: the actions of roles. The CRM holds nobody back whom it does not know, so for them nothing else
//! passes.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::{Access, Operation, Schema};
use crate::identity::Caller;
use crate::reason::Reason;
use crate::vocabulary::{Action, Module, Role};

use super::super::language::model::Model;

/// What some roles may do in each module; `None`: whatever the CRM lets them do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reach(Option<BTreeMap<Module, BTreeSet<Action>>>);

impl Reach {
    /// What these roles together may do. A role that says nothing is held by nothing but the CRM, as far as that knows
    /// the caller.
    pub(super) fn of<'a>(
        model: &Model,
        roles: impl Iterator<Item = &'a Role>,
        has_session: bool,
    ) -> Self {
        let mut all: BTreeMap<Module, BTreeSet<Action>> = BTreeMap::new();
        for role in roles.filter_map(|role| model.roles.get(role)) {
            match &role.actions {
                None if has_session => return Self(None),
                None => {}
                Some(actions) => {
                    for (module, words) in actions {
                        all.entry(module.clone()).or_default().extend(words);
                    }
                }
            }
        }
        Self(Some(all))
    }

    /// The modules of which something may be seen; `None` for all.
    pub(super) fn seen(&self) -> Option<BTreeSet<Module>> {
        let all = self.0.as_ref()?.iter();
        let seen = all.filter(|(_, actions)| sees(actions));
        Some(seen.map(|(module, _)| module.clone()).collect())
    }

    /// Whether an operation lies within.
    pub(super) fn holds(&self, operation: &Operation) -> Result<(), Reason> {
        let Some(all) = &self.0 else {
            return Ok(());
        };
        let acts = operation.acts();
        let may = |(module, action): &(&Module, Action)| {
            all.get(*module).is_some_and(|words| words.contains(action))
        };
        // Without a module, nothing says where it is done.
        let is_held = !acts.is_empty() && acts.iter().all(may);
        is_held.then_some(()).ok_or(Reason::ActionNotAllowed)
    }
}

fn sees(actions: &BTreeSet<Action>) -> bool {
    actions.contains(&Action::List) || actions.contains(&Action::Read)
}

/// No confused deputy: the proxy's own account acts for whoever has no session of the CRM, and the CRM judges that account.
/// So nothing passes that is about the caller, ends or begins a session, or changes who may do what.
pub(super) fn without_session(
    caller: &Caller,
    operation: &Operation,
    schema: &Schema,
) -> Result<(), Reason> {
    let is_everybodys = operation.access == Access::Governed
        && !operation.is_about_caller()
        && !operation.changes_access(schema);
    match caller.has_session() || is_everybodys {
        true => Ok(()),
        false => Err(Reason::ActionNotAllowed),
    }
}
