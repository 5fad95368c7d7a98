//! Roles: which evidence makes them, what a machine is bound to, what may be done without a session of the CRM.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::Way;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, quoted};
use crate::vocabulary::{Action, Module, Purpose, Role};

use super::super::codes;
use super::super::document::{Document, RoleEntry, Word};
use super::super::model::{PurposeModel, RoleModel};
use super::declared::Declared;

pub(super) fn roles(
    document: &Document,
    names: &Declared,
    purposes: &BTreeMap<Purpose, PurposeModel>,
    found: &mut Diagnostics,
) -> BTreeMap<Role, RoleModel> {
    let mut checker = Checker {
        document,
        names,
        purposes,
        found,
    };
    let roles = document.roles.iter();
    roles.map(|entry| checker.role(entry)).collect()
}

struct Checker<'a> {
    document: &'a Document,
    names: &'a Declared,
    purposes: &'a BTreeMap<Purpose, PurposeModel>,
    found: &'a mut Diagnostics,
}

impl Checker<'_> {
    fn role(&mut self, entry: &RoleEntry) -> (Role, RoleModel) {
        let role = Role::new(&entry.name.value);
        let default_purpose = entry.default_purpose.as_ref().and_then(|word| {
            let what = "may not invoke its default purpose";
            self.own_purpose(&role, word, what)
        });
        self.ways(entry);
        let machine = entry
            .is_machine
            .as_ref()
            .map(|place| self.machine(&role, entry, place));
        if let (None, Some(first)) = (
            &machine,
            entry.purposes.as_ref().and_then(|all| all.first()),
        ) {
            self.found.push(
                Diagnostic::error(codes::BAD_ROLE, "people are not bound to purposes")
                    .at(&first.place, "at a role without `kind: machine`")
                    .help("write `default_purpose`, or `kind: machine`"),
            );
        }
        let model = RoleModel {
            place: entry.name.place.clone(),
            from: entry.from.clone(),
            default_purpose,
            machine,
            recipient: entry.recipient.as_deref().map(Arc::from),
            actions: entry.actions.as_ref().map(|all| self.actions(all)),
        };
        (role, model)
    }

    /// A purpose that a role itself names: it must be one that the role may invoke.
    fn own_purpose(&mut self, role: &Role, word: &Word, what: &str) -> Option<Purpose> {
        let words = std::slice::from_ref(word);
        let purpose = self.names.purposes(words, self.found).pop_first()?;
        let is_closed = self
            .purposes
            .get(&purpose)
            .is_some_and(|purpose| !purpose.roles.contains(role));
        // A purpose that lists a role that is not declared may mean this one.
        let lists_unknown = self
            .document
            .purposes
            .iter()
            .filter(|entry| entry.name.value == word.value)
            .any(|entry| {
                let mut roles = entry.roles.iter();
                let is_declared = |role: &Word| self.names.roles.names.contains(&role.value);
                entry.roles.is_empty() || roles.any(|role| !is_declared(role))
            });
        if is_closed && !lists_unknown && !self.names.incomplete {
            let title = format!("role {} {what}", quoted(role.as_str()));
            self.found.push(
                Diagnostic::error(codes::DEFAULT_PURPOSE_CLOSED, title)
                    .at(&word.place, "this purpose does not list the role")
                    .help(format!(
                        "add `{role}` to the `roles` of the purpose {}",
                        quoted(&word.value)
                    )),
            );
        }
        Some(purpose)
    }

    /// A caller comes by one way: evidence of two ways is nobody's. Whom the CRM does not know, it does not hold back:
    /// then the policy must say what may be done.
    fn ways(&mut self, entry: &RoleEntry) {
        let ways: BTreeSet<Way> = entry.from.iter().map(|(kind, _)| kind.way()).collect();
        let mut all = ways.iter();
        if let (Some(one), Some(other)) = (all.next(), all.next()) {
            let title = "a role with evidence that no caller can have at once";
            self.found.push(
                Diagnostic::error(codes::TWO_WAYS, title)
                    .at(
                        &entry.name.place,
                        format!("evidence of `{}` and of `{}`", one.as_str(), other.as_str()),
                    )
                    .help(
                        "a caller comes by one way; declare a role for each, and name both in grants",
                    ),
            );
        }
        let needs_actions = !ways.is_empty() && !ways.contains(&Way::CrmSession);
        if needs_actions && entry.actions.is_none() {
            let title = format!("role {} may do nothing", quoted(&entry.name.value));
            self.found.push(
                Diagnostic::error(codes::NO_ACTIONS, title)
                    .at(
                        &entry.name.place,
                        "the CRM does not know these callers, so it holds none of them back",
                    )
                    .help("say what they may do in which modules: `actions: { MODULE: [list, read] }`"),
            );
        }
    }

    /// The purposes of a machine.
    fn machine(&mut self, role: &Role, entry: &RoleEntry, place: &Place) -> BTreeSet<Purpose> {
        let of_machines = [Way::Token, Way::Key, Way::Certificate];
        let mut evidence = entry.from.iter();
        if !entry.from.is_empty() && !evidence.any(|(kind, _)| of_machines.contains(&kind.way())) {
            self.found.push(
                Diagnostic::error(codes::BAD_ROLE, "a machine without evidence of a machine")
                    .at(place, "nothing in `from` tells a machine from people")
                    .help("use `key`, `certificate` or `token`"),
            );
        }
        if let Some(word) = &entry.default_purpose {
            self.found.push(
                Diagnostic::error(codes::BAD_ROLE, "a machine has no default purpose")
                    .at(&word.place, "a machine is bound to its purposes")
                    .help(format!("write `purposes: {}`", word.value)),
            );
        }
        let words = entry.purposes.as_deref().unwrap_or_default();
        if words.is_empty() {
            self.found.push(
                Diagnostic::error(codes::BAD_ROLE, "a machine without purposes")
                    .at(place, "a machine is bound to its purposes")
                    .help("add `purposes: NAME`, or a list of them"),
            );
        }
        let what = "may not invoke a purpose that it is bound to";
        let purposes = words.iter();
        purposes
            .filter_map(|word| self.own_purpose(role, word, what))
            .collect()
    }

    fn actions(&mut self, all: &[(Word, BTreeSet<Action>)]) -> BTreeMap<Module, BTreeSet<Action>> {
        let mut actions: BTreeMap<Module, BTreeSet<Action>> = BTreeMap::new();
        for (word, words) in all {
            let modules = std::slice::from_ref(word);
            let modules = self.names.look_up(modules, &self.names.modules, self.found);
            for module in modules {
                let known = actions.entry(Module::new(module)).or_default();
                known.extend(words);
            }
        }
        actions
    }
}
