//! What the CRM says of its modules, in answer to `get_module_fields`: fields, links, tables, and fields that hold the names
//! of records of other modules.

use serde_json::{Map, Value};

use super::grammar;
use crate::dialect::schema::{FieldSchema, Holds, LinkSchema, ModuleSchema, Modules, is_plain};
use crate::json;
use crate::vocabulary::{Field, FieldPath, Module};

/// Nesting of a description.
const DEPTH_MAX: usize = 16;

/// Reads an answer about a module, or about the one that it names; what is not understood of it says nothing.
pub(super) fn read(module: Option<&Module>, answer: &[u8]) -> Option<Modules> {
    let Ok(Value::Object(answer)) = json::read(answer, DEPTH_MAX) else {
        return None;
    };
    let named = text(&answer, "module_name").filter(|name| grammar::is_module(name))?;
    if module.is_some_and(|module| module.as_str() != named) {
        return None;
    }
    let mut modules = Modules::default();
    add(modules.entry(&Module::new(named))?, &answer);
    Some(modules)
}

fn add(known: &mut ModuleSchema, answer: &Map<String, Value>) {
    let table = text(answer, "table_name").filter(|name| grammar::is_field(name));
    known.table = table.map(str::to_owned);
    for (name, field) in members(answer, "module_fields") {
        if !grammar::is_field(name) {
            continue;
        }
        let holds = match named_module(name, field) {
            Some(module) => Holds::Copy(vec![FieldPath::new(&module, "name")]),
            None => Holds::Own,
        };
        let kind = text(field, "type").filter(|kind| is_plain(kind));
        let field = FieldSchema {
            kind: kind.map(str::to_owned),
            holds,
        };
        known.fields.insert(Field::fold(name), field);
    }
    for (name, link) in members(answer, "link_fields") {
        let target = text(link, "module").filter(|target| grammar::is_module(target));
        if let (Some(target), true) = (target, grammar::is_link(name)) {
            let link = LinkSchema {
                target: Some(Module::new(target)),
                ..LinkSchema::named(name)
            };
            known.links.insert(Field::fold(name), link);
        }
    }
}

/// The module whose records a field names. Fields that hold ids name nobody.
fn named_module(name: &str, field: &Map<String, Value>) -> Option<Module> {
    let is_name = text(field, "type") == Some("relate")
        && text(field, "id_name") != Some(name)
        && !name.ends_with("_id");
    let module = text(field, "related_module").filter(|module| grammar::is_module(module))?;
    is_name.then(|| Module::new(module))
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

fn members<'a>(
    answer: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = (&'a String, &'a Map<String, Value>)> {
    answer
        .get(name)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name, value.as_object()?)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::read;
    use crate::dialect::schema::{Merged, Schema};
    use crate::dialect::sugar_v4::{SugarV4, names};
    use crate::dialect::{Database, Dialect, Origin};
    use crate::vocabulary::{FieldPath, Module};

    fn described() -> Value {
        json!({
            "module_name": "acme_Boats",
            "table_name": "boats",
            "module_fields": {
                "berth_c": {"name": "berth_c", "type": "varchar", "id_name": "", "related_module": ""},
                "skipper": {"name": "skipper", "type": "relate", "id_name": "skipper_id", "related_module": "Contacts"},
                "skipper_id": {"name": "skipper_id", "type": "relate", "id_name": "skipper_id", "related_module": "Contacts"},
                "a b": {"name": "a b"},
            },
            "link_fields": {
                "crew": {"name": "crew", "module": "Contacts"},
                "harbour": {"name": "harbour", "module": ""},
                "created_by_link": {"name": "created_by_link", "module": "Contacts"},
                "email_addresses": {"name": "email_addresses", "module": "EmailAddress"},
            },
        })
    }

    fn taught(schema: &Schema, module: &Module, answer: &Value) -> (Arc<Schema>, Merged) {
        schema.and(read(Some(module), answer.to_string().as_bytes()).unwrap())
    }

    fn stock() -> Arc<Schema> {
        SugarV4::before(Database::Mysql).schema().clone()
    }

    fn target(schema: &Schema, module: &Module, name: &str) -> Option<String> {
        names::link(schema, module, name).map(|link| link.target.to_string())
    }

    #[test]
    fn descriptions_add_fields_links_tables_and_names() {
        let (schema, boats) = (stock(), Module::new("acme_Boats"));
        assert_eq!(names::table(&schema, &boats), "acme_boats");
        assert_eq!(target(&schema, &boats, "crew"), None);
        let (schema, merged) = taught(&schema, &boats, &described());
        assert!(merged.is_new());
        let (schema, merged) = taught(&schema, &boats, &described());
        assert!(!merged.is_new(), "nothing new");
        assert_eq!(names::table(&schema, &boats), "boats");
        assert!(schema.has_field(&boats, "berth_c") && !schema.has_field(&boats, "a b"));
        assert_eq!(target(&schema, &boats, "crew").as_deref(), Some("Contacts"));
        assert_eq!(target(&schema, &boats, "harbour"), None);
        let copy = Origin::Copy {
            of: vec![FieldPath::new(&Module::new("Contacts"), "name")],
            perhaps: Vec::new(),
        };
        assert_eq!(schema.origin(&boats, "skipper"), copy);
        assert_eq!(schema.origin(&boats, "skipper_id"), Origin::Own);
    }

    #[test]
    fn what_is_stock_cannot_be_said_otherwise() {
        let boats = Module::new("acme_Boats");
        let (schema, merged) = taught(&stock(), &boats, &described());
        assert_eq!(merged.contradictions.len(), 2, "{merged:?}");
        assert_eq!(
            target(&schema, &boats, "created_by_link").as_deref(),
            Some("Users")
        );
        assert_eq!(
            target(&schema, &boats, "email_addresses").as_deref(),
            Some("acme_Boats"),
            "addresses are ruled by the record that owns them"
        );
        let (mut users, employees) = (described(), Module::new("Employees"));
        users["module_name"] = json!("Employees");
        let (schema, _) = taught(&schema, &employees, &users);
        assert_eq!(names::table(&schema, &employees), "users");
    }

    #[test]
    fn other_answers_say_nothing() {
        let boats = Module::new("acme_Boats");
        for answer in [
            "null".to_owned(),
            "{}".to_owned(),
            r#"{"module_name":"Contacts"}"#.to_owned(),
            described()
                .to_string()
                .replace("\"module_name\"", "\"MODULE_NAME\""),
            format!("{}x", described()),
        ] {
            assert_eq!(read(Some(&boats), answer.as_bytes()), None, "{answer}");
        }
    }
}
