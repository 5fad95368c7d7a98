//! What is known of modules: what stands in the stock tables, and what the CRM's own descriptions added to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use serde_json::{Map, Value};

use super::{grammar, links, stock};
use crate::dialect::Link;
use crate::json;
use crate::vocabulary::{Field, Module};

/// Modules that are learned, and fields or links of one module.
const MODULES_MAX: usize = 300;
const NAMES_MAX: usize = 2_000;
/// Nesting of a description.
const DEPTH_MAX: usize = 16;

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Schema {
    learned: RwLock<BTreeMap<Module, Learned>>,
}

/// What the CRM said of one module.
#[derive(Clone, Debug, Default, PartialEq)]
struct Learned {
    table: Option<String>,
    fields: BTreeSet<Field>,
    /// Links and the modules that they lead to.
    links: BTreeMap<String, Module>,
    /// Fields that hold the name of a record of another module.
    names: BTreeMap<Field, Module>,
}

impl Schema {
    /// A link of a module, with its target. What is stock cannot be learned otherwise.
    pub(super) fn link(&self, module: &Module, name: &str) -> Option<Link> {
        let target = if links::ADDRESSES.contains(&name) {
            Some(module.clone())
        } else {
            links::target(module, name)
                .or_else(|| self.of(module, |known| known.links.get(name).cloned()))
        };
        target.map(|target| Link {
            name: name.to_owned(),
            target,
        })
    }

    /// The table that the records of a module lie in.
    pub(super) fn table(&self, module: &Module) -> String {
        links::table(module)
            .map(str::to_owned)
            .or_else(|| self.of(module, |known| known.table.clone()))
            .unwrap_or_else(|| module.as_str().to_ascii_lowercase())
    }

    /// The table that the records behind a link lie in.
    pub(super) fn table_behind(&self, link: &Link) -> String {
        if links::ADDRESSES.contains(&link.name.as_str()) {
            links::ADDRESS_TABLE.to_owned()
        } else {
            self.table(&link.target)
        }
    }

    /// The module whose records a field names, where the CRM said so. The name is folded.
    pub(super) fn named(&self, module: &Module, field: &str) -> Option<Module> {
        self.of(module, |known| known.names.get(field).cloned())
    }

    /// The fields of a module.
    pub(super) fn fields(&self, module: &Module) -> Vec<Field> {
        let stock = stock::fields(module).iter().map(|name| Field::fold(name));
        let mut fields: BTreeSet<Field> = stock.collect();
        fields.extend(
            self.of(module, |known| Some(known.fields.clone()))
                .unwrap_or_default(),
        );
        fields.into_iter().collect()
    }

    /// Whether a module has a field; the name is folded.
    pub(super) fn has_field(&self, module: &Module, field: &str) -> bool {
        stock::fields(module).contains(&field)
            || self
                .of(module, |known| known.fields.contains(field).then_some(()))
                .is_some()
    }

    fn of<T>(&self, module: &Module, read: impl FnOnce(&Learned) -> Option<T>) -> Option<T> {
        // What is learned is put in its place whole.
        let learned = self.learned.read().unwrap_or_else(PoisonError::into_inner);
        learned.get(module).and_then(read)
    }

    /// Learns from an answer to `get_module_fields` about a module. Whether anything new was learned.
    pub(super) fn learn(&self, module: &Module, answer: &[u8]) -> bool {
        let Ok(Value::Object(answer)) = json::read(answer, DEPTH_MAX) else {
            return false;
        };
        if answer.get("module_name").and_then(Value::as_str) != Some(module.as_str()) {
            return false;
        }
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        if learned.len() >= MODULES_MAX && !learned.contains_key(module) {
            return false;
        }
        let before = learned.get(module).cloned().unwrap_or_default();
        let mut after = before.clone();
        after.add(&answer);
        let is_new = after != before;
        learned.insert(module.clone(), after);
        is_new
    }
}

impl Learned {
    fn add(&mut self, answer: &Map<String, Value>) {
        if let Some(table) = text(answer, "table_name").filter(|name| grammar::is_field(name)) {
            self.table.get_or_insert_with(|| table.to_owned());
        }
        for (name, field) in members(answer, "module_fields") {
            if !grammar::is_field(name) || self.fields.len() >= NAMES_MAX {
                continue;
            }
            let folded = Field::fold(name);
            if let Some(module) = named_module(name, field) {
                self.names.insert(folded.clone(), module);
            }
            self.fields.insert(folded);
        }
        for (name, link) in members(answer, "link_fields") {
            let target = text(link, "module").filter(|target| grammar::is_module(target));
            let (Some(target), true) = (target, grammar::is_link(name)) else {
                continue;
            };
            if self.links.len() < NAMES_MAX {
                self.links
                    .entry(name.clone())
                    .or_insert_with(|| Module::new(target));
            }
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
    use serde_json::{Value, json};

    use super::Schema;
    use crate::vocabulary::Module;

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

    fn target(schema: &Schema, module: &Module, name: &str) -> Option<String> {
        schema
            .link(module, name)
            .map(|link| link.target.to_string())
    }

    #[test]
    fn descriptions_add_fields_links_tables_and_names() {
        let schema = Schema::default();
        let boats = Module::new("acme_Boats");
        assert_eq!(schema.table(&boats), "acme_boats");
        assert_eq!(target(&schema, &boats, "crew"), None);
        let answer = described().to_string();
        assert!(schema.learn(&boats, answer.as_bytes()));
        assert!(!schema.learn(&boats, answer.as_bytes()), "nothing new");
        assert_eq!(schema.table(&boats), "boats");
        assert!(schema.has_field(&boats, "berth_c") && !schema.has_field(&boats, "a b"));
        assert_eq!(target(&schema, &boats, "crew").as_deref(), Some("Contacts"));
        assert_eq!(target(&schema, &boats, "harbour"), None);
        assert_eq!(
            schema.named(&boats, "skipper"),
            Some(Module::new("Contacts"))
        );
        assert_eq!(schema.named(&boats, "skipper_id"), None);
    }

    #[test]
    fn what_is_stock_cannot_be_learned_otherwise() {
        let schema = Schema::default();
        let boats = Module::new("acme_Boats");
        assert!(schema.learn(&boats, described().to_string().as_bytes()));
        assert_eq!(
            target(&schema, &boats, "created_by_link").as_deref(),
            Some("Users")
        );
        assert_eq!(
            target(&schema, &boats, "email_addresses").as_deref(),
            Some("acme_Boats"),
            "addresses are ruled by the record that owns them"
        );
        let mut users = described();
        users["module_name"] = json!("Employees");
        assert!(schema.learn(&Module::new("Employees"), users.to_string().as_bytes()));
        assert_eq!(schema.table(&Module::new("Employees")), "users");
    }

    #[test]
    fn other_answers_teach_nothing() {
        let schema = Schema::default();
        let boats = Module::new("acme_Boats");
        for answer in [
            "null".to_owned(),
            "{}".to_owned(),
            r#"{"module_name":"Contacts"}"#.to_owned(),
            described()
                .to_string()
                .replace("\"table_name\"", "\"MODULE_NAME\""),
            format!("{}x", described()),
        ] {
            assert!(!schema.learn(&boats, answer.as_bytes()), "{answer}");
        }
    }
}
