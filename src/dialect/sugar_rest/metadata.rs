//! What Sugar's metadata tells of modules: fields, links and their targets, relate fields and what they copy.

use serde_json::{Map, Value};

use crate::dialect::schema::{FieldSchema, Holds, LinkSchema, Modules, is_plain};
use crate::json;
use crate::vocabulary::{Field, FieldPath, Module};

/// Nesting of the answer.
const DEPTH_MAX: usize = 128;

/// What an answer to `/metadata` says of modules. What is not understood says nothing.
pub(super) fn read(answer: &[u8]) -> Option<Modules> {
    let Ok(Value::Object(root)) = json::read(answer, DEPTH_MAX) else {
        return None;
    };
    let none = Map::new();
    let part = |name: &str| root.get(name).and_then(Value::as_object).unwrap_or(&none);
    let relationships = part("relationships");
    let mut modules = Modules::default();
    for (name, module) in part("modules") {
        let fields = module.get("fields").and_then(Value::as_object);
        let (Some(fields), true) = (fields, is_plain(name)) else {
            continue;
        };
        let module = Module::new(name);
        let Some(known) = modules.entry(&module) else {
            break;
        };
        for (name, field) in fields.iter().filter(|(name, _)| is_plain(name)) {
            match said(&module, field, relationships) {
                Some(Said::Field(field)) => {
                    known.fields.insert(Field::fold(name), field);
                }
                Some(Said::Link(target)) => {
                    let link = LinkSchema {
                        target: Some(target),
                        ..LinkSchema::named(name)
                    };
                    known.links.insert(Field::fold(name), link);
                }
                None => {}
            }
        }
    }
    Some(modules)
}

enum Said {
    Field(FieldSchema),
    Link(Module),
}

fn said(module: &Module, field: &Value, relationships: &Map<String, Value>) -> Option<Said> {
    let field = field.as_object()?;
    let text = |key: &str| field.get(key).and_then(Value::as_str);
    let a_module = |name: &str| is_plain(name).then(|| Module::new(name));
    let kind = text("type")?;
    let holds = match kind {
        "link" => {
            let stated = text("module").and_then(a_module);
            let target =
                stated.or_else(|| other_side(module, relationships.get(text("relationship")?)?))?;
            return Some(Said::Link(target));
        }
        "relate" => match text("rname").unwrap_or("name") {
            // The id of the related record stands beside its name.
            "id" => Holds::Own,
            source => {
                let source = is_plain(source).then_some(source)?;
                Holds::Copy(vec![FieldPath::new(&a_module(text("module")?)?, source)])
            }
        },
        _ => Holds::Own,
    };
    Some(Said::Field(FieldSchema {
        kind: is_plain(kind).then(|| kind.to_owned()),
        holds,
    }))
}

/// The module at the other end of a relationship.
fn other_side(module: &Module, relationship: &Value) -> Option<Module> {
    let side = |key: &str| relationship.get(key).and_then(Value::as_str);
    let (left, right) = (side("lhs_module")?, side("rhs_module")?);
    match module.as_str() {
        own if own == left => Some(right),
        own if own == right => Some(left),
        _ => None,
    }
    .filter(|name| is_plain(name))
    .map(Module::new)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialect::sugar_rest::described;
    use crate::dialect::{Dialect, Origin};

    fn description() -> Value {
        json!({
            "modules": {"Contacts": {"fields": {
                "shoe_size_c": {"name": "shoe_size_c", "type": "int"},
                "boats_c": {"name": "boats_c", "type": "link", "relationship": "contacts_boats"},
                "twins_c": {"name": "twins_c", "type": "link", "relationship": "contacts_contacts"},
                "lost_c": {"name": "lost_c", "type": "link", "relationship": "unknown"},
                "boat_name_c": {"type": "relate", "module": "acme_Boats", "rname": "name", "id_name": "boat_id_c"},
                "boat_id_c": {"type": "relate", "module": "acme_Boats", "rname": "id"},
                "portal_password": {"type": "varchar"},
                "_hash": "0",
            }}},
            "relationships": {
                "contacts_boats": {"lhs_module": "acme_Boats", "rhs_module": "Contacts"},
                "contacts_contacts": {"lhs_module": "Contacts", "rhs_module": "Contacts"},
            },
        })
    }

    #[test]
    fn custom_links_and_relate_fields_lead_to_their_module() {
        let said = || read(description().to_string().as_bytes()).unwrap();
        let (schema, merged) = described().schema().and(said());
        assert!(merged.is_new());
        let (sugar, merged) = schema.and(said());
        assert!(!merged.is_new() && sugar.hash() == schema.hash());
        let module = Module::new("Contacts");
        let origin = |field| sugar.origin(&module, field);
        assert_eq!(
            origin("boats_c"),
            Origin::Related(Module::new("acme_Boats"))
        );
        assert_eq!(origin("twins_c"), Origin::Related(module.clone()));
        let copy = Origin::Copy {
            of: vec![FieldPath::new(&Module::new("acme_Boats"), "name")],
            perhaps: Vec::new(),
        };
        assert_eq!(origin("boat_name_c"), copy);
        for own in ["boat_id_c", "shoe_size_c", "lost_c"] {
            assert_eq!(origin(own), Origin::Own, "{own}");
        }
        assert_eq!(
            origin("portal_password"),
            Origin::Secret,
            "no description makes a secret an ordinary field"
        );
        assert!(sugar.has_field(&module, "shoe_size_c"));
        assert!(sugar.fields(&module).contains(&Field::fold("shoe_size_c")));
    }

    #[test]
    fn what_is_no_description_says_nothing() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"modules":[]}"#,
            r#"{"modules":{"A":{"fields":{"b":1}}}}"#,
        ] {
            let said = read(text.as_bytes()).unwrap_or_default();
            assert_eq!(said.len(), 0, "{text}");
        }
    }
}
