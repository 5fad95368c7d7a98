//! Which kinds of records are persons.

use std::collections::BTreeSet;

use crate::audit::visible;
use crate::diagnostic::nearest;
use crate::report::pass::{Event, module_of};
use crate::report::{Asked, Unanswerable};

/// Kinds of records that are remembered, to know which there are.
const KNOWN_MAX: usize = 20_000;

#[derive(Debug)]
pub(super) struct Persons {
    /// Modules whose records are persons: as asked for, or those in which the policy has a field that identifies somebody.
    persons: BTreeSet<String>,
    pub(super) are_stated: bool,
    /// Those that the log knows, with and without the name of their CRM.
    known: BTreeSet<String>,
}

impl Persons {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            persons: asked.persons.iter().cloned().collect(),
            are_stated: !asked.persons.is_empty(),
            known: BTreeSet::new(),
        }
    }

    /// Learns which kinds of records there are.
    pub(super) fn know(&mut self, module: &str, upstream: Option<&str>) {
        let whole = upstream.map(|upstream| format!("{upstream}:{module}"));
        for name in whole.into_iter().chain([module.to_owned()]) {
            if self.known.len() < KNOWN_MAX {
                self.known.insert(name);
            }
        }
    }

    /// Learns it from an event.
    pub(super) fn know_all(&mut self, event: Event<'_>) {
        let upstream = event.seen.upstream();
        let data = event.seen.data().flat_map(|datum| datum.fields);
        let fields = data.filter_map(|field| Some(field.split_once('.')?.0));
        let refs = event.seen.refs().iter().map(|record| module_of(record));
        let modules: BTreeSet<&str> = event
            .seen
            .module()
            .into_iter()
            .chain(fields)
            .chain(refs)
            .collect();
        for module in modules {
            self.know(module, upstream);
        }
    }

    /// Learns from data that a module's records identify somebody.
    pub(super) fn identify(&mut self, name: &str, category: &str) {
        let identifies = category == "identity" || category.starts_with("identity.");
        if let Some((module, _)) = name
            .split_once('.')
            .filter(|_| identifies && !self.are_stated)
            && !self.persons.contains(module)
        {
            self.persons.insert(module.to_owned());
        }
    }

    /// Whether records of a module are persons. Only where a log tells of several CRMs do its records have the name of theirs;
    /// whoever asks may write it everywhere.
    pub(super) fn has(&self, module: &str) -> bool {
        self.persons.contains(module)
            || self.persons.contains(module_of_ref(module))
            || (!module.contains(':')
                && self
                    .persons
                    .iter()
                    .any(|person| module_of_ref(person) == module))
    }

    /// Why what was stated to be persons cannot be.
    pub(super) fn unheard_of(&self) -> Option<Unanswerable> {
        if !self.are_stated || self.known.len() >= KNOWN_MAX {
            return None;
        }
        let person = self.persons.iter().find(|one| !self.known.contains(*one))?;
        let near = nearest(person, self.known.iter().map(String::as_str));
        let hint = near.map(|near| format!("; did you mean `{}`?", visible(near)));
        Some(Unanswerable(format!(
            "`persons=`: no policy or event of this log has the module `{}`{}",
            visible(person),
            hint.unwrap_or_default()
        )))
    }
}

/// `Contacts` of `crm:Contacts`.
fn module_of_ref(module: &str) -> &str {
    module.rsplit_once(':').map_or(module, |(_, module)| module)
}
