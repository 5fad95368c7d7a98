//! What the CRM says of its modules: fields, their types, and the relationships behind links.
//!
//! The CRM does not say where a link leads, but it names the relationship behind it. A relationship has two sides, so
//! where another module has a link of the same relationship, that module is the target ([`Modules`] finds it). The reply
//! itself must confirm it: every record of it names its module.

use serde_json::{Map, Value};

use crate::dialect::schema::{FieldSchema, Holds, LinkSchema, ModuleSchema, Modules, is_plain};
use crate::dialect::spelling::{is_name, is_word_byte};
use crate::json;
use crate::vocabulary::{Field, Module};

/// Nesting of a description.
const DEPTH_MAX: usize = 32;

/// Reads the CRM's description of a module; what is not understood of it says nothing.
pub(super) fn read(module: &Module, answer: &[u8]) -> Option<Modules> {
    let Ok(Value::Object(mut root)) = json::read(answer, DEPTH_MAX) else {
        return None;
    };
    let Some(Value::Object(mut data)) = root.remove("data") else {
        return None;
    };
    let Some(Value::Object(definitions)) = data.remove("attributes") else {
        return None;
    };
    let mut modules = Modules::default();
    let known = modules.entry(module)?;
    for (name, definition) in definitions {
        let is_field = is_name(&name, |byte| byte.is_ascii_alphabetic(), is_word_byte);
        if let (true, Value::Object(definition)) = (is_field, definition) {
            add(known, name, &definition);
        }
    }
    Some(modules)
}

fn add(known: &mut ModuleSchema, name: String, definition: &Map<String, Value>) {
    let word = |key: &str| {
        let word = definition.get(key).and_then(Value::as_str);
        word.filter(|word| is_plain(word))
    };
    match (word("type"), word("relationship")) {
        (Some("link"), Some(relationship)) => {
            let link = LinkSchema {
                relationship: Some(relationship.to_owned()),
                ..LinkSchema::named(&name)
            };
            known.links.insert(Field::fold(&name), link);
        }
        (Some("link"), None) => {}
        (kind, _) => {
            let field = FieldSchema {
                kind: kind.map(str::to_owned),
                holds: Holds::Own,
            };
            known.fields.insert(Field::fold(&name), field);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::read;
    use crate::dialect::Dialect;
    use crate::dialect::schema::{Merged, Schema};
    use crate::dialect::suitecrm_v8::described;
    use crate::vocabulary::Module;

    fn teach(schema: &mut Arc<Schema>, module: &str, fields: Value) -> Merged {
        let answer = json!({"data": {"type": "fields", "attributes": fields}});
        let said = read(&Module::new(module), answer.to_string().as_bytes()).unwrap();
        let (taught, merged) = schema.and(said);
        *schema = taught;
        merged
    }

    fn link(relationship: &str) -> Value {
        json!({"type": "link", "relationship": relationship, "source": "non-db"})
    }

    #[test]
    fn both_sides_of_a_relationship_tell_where_a_link_leads() {
        let mut schema = described().schema().clone();
        let (contacts, boats) = (Module::new("Contacts"), Module::new("acme_Boats"));
        let on_contacts = json!({"boats": link("boats_contacts"), "iban_c": {"type": "varchar"}});
        assert!(teach(&mut schema, "Contacts", on_contacts.clone()).is_new());
        assert!(
            !teach(&mut schema, "Contacts", on_contacts).is_new(),
            "nothing new"
        );
        assert!(schema.has_field(&contacts, "iban_c") && !schema.has_field(&contacts, "boats"));
        let target = |schema: &Schema, module, link| schema.target(module, link);
        assert_eq!(
            target(&schema, &contacts, "boats"),
            None,
            "one side is not enough"
        );
        assert!(
            teach(
                &mut schema,
                "acme_Boats",
                json!({"Owners": link("boats_contacts")})
            )
            .is_new()
        );
        assert_eq!(target(&schema, &contacts, "boats"), Some(boats.clone()));
        assert_eq!(target(&schema, &boats, "Owners"), Some(contacts.clone()));
        assert_eq!(
            target(&schema, &boats, "owners"),
            None,
            "case matters to the CRM"
        );
        // A third module with a link of that relationship: shared storage, and no telling which is meant.
        teach(
            &mut schema,
            "acme_Ships",
            json!({"owners": link("boats_contacts")}),
        );
        assert_eq!(target(&schema, &contacts, "boats"), None);
    }

    #[test]
    fn what_is_no_description_says_nothing() {
        let contacts = Module::new("Contacts");
        for answer in [
            "",
            "[]",
            r#"{"data":[]}"#,
            r#"{"data":{"attributes":[]}}"#,
            r#"{"data":{"attributes":{"a":{},"A":{}}}}"#,
        ] {
            assert_eq!(read(&contacts, answer.as_bytes()), None, "{answer}");
        }
        let odd = json!({"data": {"attributes": {"a b": {"type": "varchar"}, "c": "varchar", "d": {"type": "link"}}}});
        let said = read(&contacts, odd.to_string().as_bytes()).unwrap();
        assert_eq!(said.len(), 0);
    }
}
