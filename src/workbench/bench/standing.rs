//! What the persons have said whom a case's records are about. Nobody has said anything but what a record says of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Bench, Held, NAME, TOKEN_KEY};
use crate::dialect::Dialect;
use crate::ledger::Standings;
use crate::policy::{About, Policy, Target};
use crate::vocabulary::Field;

impl Bench {
    /// How these persons stand.
    pub(super) fn standings(&self) -> Option<Arc<Standings>> {
        let name = |held: &Held| format!("{NAME}:{}/{}", held.module, held.id);
        let persons = self.records.iter().map(|held| (name(held), &held.said));
        let when = (&self.policy.recipients(), self.clock().moment());
        let standings = Standings::pretended(TOKEN_KEY, persons, when);
        standings.ok().map(Arc::new)
    }
}

/// Records as a CRM tells them, which leaves out no field that tells whom they are about: one that a case does not name is
/// blank.
pub(super) fn told(policy: &Policy, dialect: &dyn Dialect, records: &[Held]) -> Vec<Held> {
    let mut told = records.to_vec();
    for held in &mut told {
        let people = policy.people();
        let about = people.and_then(|people| people.about(NAME, &held.module));
        let (mut fields, mut lists) = (BTreeSet::new(), BTreeSet::new());
        match about {
            None | Some(About::Nobody) => {}
            Some(About::Linked(links)) => {
                fields.extend(links.keys().cloned());
                fields.extend(links.values().filter_map(|target| match target {
                    Target::Module(_) => None,
                    Target::By(field) => Some(field.clone()),
                }));
            }
            Some(About::Person(person)) => {
                fields.extend(person.same_as.keys().cloned());
                fields.extend(person.email.clone());
                let list = person
                    .email
                    .as_ref()
                    .and_then(|email| dialect.addresses(email));
                lists.extend(list.map(|list| list.field.clone()));
            }
        }
        fields.retain(|field| !lists.contains(field));
        let blank = |field: Field| (field, Value::Null);
        let none = |field: Field| (field, json!([]));
        let blanks = fields.into_iter().map(blank);
        for (field, value) in blanks.chain(lists.into_iter().map(none)) {
            if held.fields.keys().all(|name| Field::fold(name) != field) {
                held.fields.insert(field.to_string(), value);
            }
        }
    }
    told
}
