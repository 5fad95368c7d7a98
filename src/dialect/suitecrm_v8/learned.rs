//! What the CRM says of its modules: fields, their types, and the relationships behind links.
//!
//! The CRM does not say where a link leads, but it names the relationship behind it. A relationship has two sides, so
//! where another module has a link of the same relationship, that module is the target. The reply itself must confirm
//! it: every record of it names its module.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use serde_json::{Map, Value};

use super::grammar;
use crate::json;
use crate::vocabulary::{Field, Module};

/// Modules that are remembered.
const MODULES_MAX: usize = 500;
/// Fields of one module that are remembered.
const FIELDS_MAX: usize = 2_000;
/// Bytes of a relationship's name.
const RELATIONSHIP_BYTES_MAX: usize = 128;
/// Nesting of a description.
const DEPTH_MAX: usize = 32;

/// What was learned, by module.
#[derive(Debug, Default)]
pub(super) struct Learned(RwLock<BTreeMap<Module, Description>>);

/// What a module consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Description {
    fields: BTreeSet<Field>,
    /// The relationship behind each link, by the link's name as the CRM writes it.
    links: BTreeMap<String, String>,
}

impl Learned {
    /// Learns what a description of a module says. Whether it is anything new.
    pub(super) fn learn(&self, module: &Module, answer: &[u8]) -> bool {
        let Some(description) = describe(answer) else {
            return false;
        };
        let mut modules = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if modules.len() >= MODULES_MAX && !modules.contains_key(module) {
            return false;
        }
        modules
            .entry(module.clone())
            .or_default()
            .extend(description)
    }

    /// The fields of a module, links left out.
    pub(super) fn fields(&self, module: &Module) -> Vec<Field> {
        self.of(module, |description| {
            description.fields.iter().cloned().collect()
        })
        .unwrap_or_default()
    }

    /// Whether a module has a field; the name is folded.
    pub(super) fn has_field(&self, module: &Module, field: &str) -> bool {
        self.of(module, |description| description.fields.contains(field))
            .unwrap_or_default()
    }

    /// Whether a field of a module is a link; the name is folded.
    pub(super) fn is_link(&self, module: &Module, field: &str) -> bool {
        self.of(module, |description| {
            let mut links = description.links.keys();
            links.any(|link| link.eq_ignore_ascii_case(field))
        })
        .unwrap_or_default()
    }

    /// The module that a link leads to, where the descriptions of both sides tell it.
    pub(super) fn target(&self, module: &Module, link: &str) -> Option<Module> {
        let modules = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let relationship = modules.get(module)?.links.get(link)?;
        let ends = |description: &Description| {
            let mut behind = description.links.values();
            behind.any(|other| other == relationship)
        };
        let mut others = modules
            .iter()
            .filter(|(other, description)| *other != module && ends(description))
            .map(|(other, _)| other);
        match (others.next(), others.next()) {
            (Some(target), None) => Some(target.clone()),
            _ => None,
        }
    }

    fn of<T>(&self, module: &Module, ask: impl FnOnce(&Description) -> T) -> Option<T> {
        let modules = self.0.read().unwrap_or_else(PoisonError::into_inner);
        modules.get(module).map(ask)
    }
}

/// Reads the CRM's answer; what is not understood of it is left out.
fn describe(answer: &[u8]) -> Option<Description> {
    let Ok(Value::Object(mut root)) = json::read(answer, DEPTH_MAX) else {
        return None;
    };
    let Some(Value::Object(mut data)) = root.remove("data") else {
        return None;
    };
    let Some(Value::Object(definitions)) = data.remove("attributes") else {
        return None;
    };
    let mut description = Description::default();
    for (name, definition) in definitions.into_iter().take(FIELDS_MAX) {
        if let Value::Object(definition) = definition
            && grammar::is_field(&name)
        {
            description.add(name, &definition);
        }
    }
    Some(description)
}

impl Description {
    /// Adds what another description of the module says: two callers may be told of different fields. Whether it is
    /// anything new.
    fn extend(&mut self, other: Self) -> bool {
        let before = self.clone();
        self.links.extend(other.links);
        self.fields.extend(other.fields);
        while self.fields.len() > FIELDS_MAX {
            self.fields.pop_last();
        }
        while self.links.len() > FIELDS_MAX {
            self.links.pop_last();
        }
        *self != before
    }

    fn add(&mut self, name: String, definition: &Map<String, Value>) {
        let word = |key: &str| definition.get(key).and_then(Value::as_str);
        match (word("type"), word("relationship")) {
            (Some("link"), Some(relationship)) if relationship.len() <= RELATIONSHIP_BYTES_MAX => {
                self.links.insert(name, relationship.to_owned());
            }
            (Some("link"), _) => {}
            _ => {
                self.fields.insert(Field::fold(&name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Learned;
    use crate::vocabulary::Module;

    fn teach(learned: &Learned, module: &str, fields: Value) -> bool {
        let answer = json!({"data": {"type": "fields", "attributes": fields}});
        learned.learn(&Module::new(module), answer.to_string().as_bytes())
    }

    fn link(relationship: &str) -> Value {
        json!({"type": "link", "relationship": relationship, "source": "non-db"})
    }

    #[test]
    fn both_sides_of_a_relationship_tell_where_a_link_leads() {
        let learned = Learned::default();
        let (contacts, boats) = (Module::new("Contacts"), Module::new("acme_Boats"));
        let on_contacts = json!({"boats": link("boats_contacts"), "iban_c": {"type": "varchar"}});
        assert!(teach(&learned, "Contacts", on_contacts.clone()));
        assert!(!teach(&learned, "Contacts", on_contacts), "nothing new");
        assert!(learned.has_field(&contacts, "iban_c") && !learned.has_field(&contacts, "boats"));
        assert!(learned.is_link(&contacts, "boats"));
        assert_eq!(
            learned.target(&contacts, "boats"),
            None,
            "one side is not enough"
        );
        assert!(teach(
            &learned,
            "acme_Boats",
            json!({"Owners": link("boats_contacts")})
        ));
        assert_eq!(learned.target(&contacts, "boats"), Some(boats.clone()));
        assert_eq!(learned.target(&boats, "Owners"), Some(contacts.clone()));
        assert_eq!(
            learned.target(&boats, "owners"),
            None,
            "case matters to the CRM"
        );
        // A third module with a link of that relationship: shared storage, and no telling which is meant.
        teach(
            &learned,
            "acme_Ships",
            json!({"owners": link("boats_contacts")}),
        );
        assert_eq!(learned.target(&contacts, "boats"), None);
    }

    #[test]
    fn what_is_no_description_teaches_nothing() {
        let learned = Learned::default();
        let contacts = Module::new("Contacts");
        for answer in [
            "",
            "[]",
            r#"{"data":[]}"#,
            r#"{"data":{"attributes":[]}}"#,
            r#"{"data":{"attributes":{"a":{},"A":{}}}}"#,
        ] {
            assert!(!learned.learn(&contacts, answer.as_bytes()), "{answer}");
        }
        teach(
            &learned,
            "Contacts",
            json!({"a b": {"type": "varchar"}, "c": "varchar", "d": {"type": "link"}}),
        );
        assert!(learned.fields(&contacts).is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let learned = Learned::default();
        for number in 0..600 {
            teach(
                &learned,
                &format!("m{number}"),
                json!({"a": {"type": "int"}}),
            );
        }
        assert!(!teach(&learned, "one_more", json!({"a": {"type": "int"}})));
        assert!(
            teach(&learned, "m1", json!({"b": {"type": "int"}})),
            "known ones are renewed"
        );
    }
}
