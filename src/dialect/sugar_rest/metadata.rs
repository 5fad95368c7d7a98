//! What Sugar's metadata tells of modules: fields, links and their targets, relate fields and what they copy.

use serde_json::{Map, Value};

use super::schema::{Schema, Told};
use crate::json;
use crate::vocabulary::{Field, FieldPath, Module};

/// Nesting of the answer.
const DEPTH_MAX: usize = 128;

/// Learns from an answer to `/metadata`. Whether anything was new. What is not understood teaches nothing.
pub(super) fn learn(schema: &Schema, answer: &[u8]) -> bool {
    let Ok(Value::Object(root)) = json::read(answer, DEPTH_MAX) else {
        return false;
    };
    let none = Map::new();
    let part = |name: &str| root.get(name).and_then(Value::as_object).unwrap_or(&none);
    let relationships = part("relationships");
    let mut is_new = false;
    for (name, module) in part("modules") {
        let Some(fields) = module.get("fields").and_then(Value::as_object) else {
            continue;
        };
        let module = Module::new(name);
        let told = fields
            .iter()
            .filter_map(|(name, field)| {
                Some((Field::fold(name), told(&module, field, relationships)?))
            })
            .collect();
        is_new |= schema.learn(&module, told);
    }
    is_new
}

fn told(module: &Module, field: &Value, relationships: &Map<String, Value>) -> Option<Told> {
    let field = field.as_object()?;
    let text = |key: &str| field.get(key).and_then(Value::as_str);
    match text("type")? {
        "link" => {
            let stated = text("module").map(Module::new);
            let target =
                stated.or_else(|| other_side(module, relationships.get(text("relationship")?)?))?;
            Some(Told::Link(target))
        }
        "relate" => {
            let source = text("rname").unwrap_or("name");
            // The id of the related record stands beside its name.
            if source == "id" {
                return Some(Told::Own);
            }
            let target = Module::new(text("module")?);
            Some(Told::CopyOf(FieldPath::new(&target, source)))
        }
        _ => Some(Told::Own),
    }
}

/// The module at the other end of a relationship.
fn other_side(module: &Module, relationship: &Value) -> Option<Module> {
    let side = |key: &str| relationship.get(key).and_then(Value::as_str);
    let (left, right) = (side("lhs_module")?, side("rhs_module")?);
    match module.as_str() {
        own if own == left => Some(Module::new(right)),
        own if own == right => Some(Module::new(left)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialect::sugar_rest::SugarRest;
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
        let sugar = SugarRest::new();
        assert!(learn(&sugar.schema, description().to_string().as_bytes()));
        assert!(!learn(&sugar.schema, description().to_string().as_bytes()));
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
    fn what_is_no_description_teaches_nothing() {
        let schema = Schema::default();
        for text in [
            "",
            "[]",
            "{}",
            r#"{"modules":[]}"#,
            r#"{"modules":{"A":{"fields":{"b":1}}}}"#,
        ] {
            assert!(!learn(&schema, text.as_bytes()), "{text}");
        }
    }
}
