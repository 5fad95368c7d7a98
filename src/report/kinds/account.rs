//! Who a caller is, as the log names them.

use std::collections::BTreeSet;

use crate::audit::Seen;
use crate::report::Cell;
use crate::report::pass::Event;

/// Roles of one account that are remembered.
const ROLES_MAX: usize = 64;

/// A caller: by id, for a name may be taken over by somebody else.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    /// As it was called last.
    pub(super) name: String,
    /// All roles that counted for it.
    pub(super) roles: BTreeSet<String>,
}

impl Account {
    /// Learns how a caller is called, and in which roles it comes.
    pub(super) fn meet(&mut self, seen: Seen<'_>) {
        if let Some((_, name)) = seen.caller()
            && self.name != name
        {
            name.clone_into(&mut self.name);
        }
        for role in seen.roles() {
            if self.roles.len() < ROLES_MAX && !self.roles.contains(role) {
                self.roles.insert(role.clone());
            }
        }
    }

    /// Its peers: whoever has the same roles.
    pub(super) fn group(&self) -> String {
        let roles: Vec<&str> = self.roles.iter().map(String::as_str).collect();
        roles.join(" + ")
    }

    pub(super) fn name_cell(&self) -> Cell {
        Cell::name(&self.name)
    }

    pub(super) fn roles_cell(&self) -> Cell {
        Cell::names(self.roles.iter().map(String::as_str))
    }
}

/// The id of the caller of a request; behind the name of its CRM if the log tells of several, as each has a number 7.
pub(super) fn id(event: Event<'_>) -> Option<String> {
    let (id, _) = event.seen.caller()?;
    Some(match event.upstream {
        Some(upstream) => [upstream, ":", id].concat(),
        None => id.to_owned(),
    })
}

/// Whether the caller has a name or an id, with or without the name of its CRM before it.
pub(super) fn is(event: Event<'_>, wanted: &str) -> bool {
    let of_upstream = event.upstream.and_then(|upstream| {
        let rest = wanted.strip_prefix(upstream)?;
        rest.strip_prefix(':')
    });
    let is = |wanted: &str| {
        let caller = event.seen.caller();
        caller.is_some_and(|(id, name)| id == wanted || name == wanted)
    };
    is(wanted) || of_upstream.is_some_and(is)
}
