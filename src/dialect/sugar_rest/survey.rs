//! What the CRM is asked of its own modules and fields: `GET /metadata`, in parts.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Map, Value};

use crate::dialect::schema::is_plain;
use crate::dialect::survey::AboutModule;
use crate::dialect::{Media, Outgoing};
use crate::json;
use crate::vocabulary::{FieldPath, Module};

/// Nesting of an answer.
const DEPTH_MAX: usize = 128;
/// Modules that are described at a time: all of a large installation are too much for one answer.
const MODULES_AT_A_TIME: usize = 20;

/// The question which modules there are.
pub(super) fn naming() -> Outgoing {
    get("/metadata?type_filter=full_module_list".to_owned())
}

/// The modules that an answer to it names.
pub(super) fn named(answer: &[u8]) -> Option<Vec<Module>> {
    let root = members(answer)?;
    let listed = root.get("full_module_list")?.as_object()?;
    let names = listed
        .keys()
        .filter(|name| !name.starts_with('_') && is_plain(name));
    Some(names.map(|name| Module::new(name)).collect())
}

/// The questions whose answers describe the fields of modules.
pub(super) fn describing(modules: &[Module]) -> Vec<AboutModule> {
    let parts = modules.chunks(MODULES_AT_A_TIME).map(|part| {
        let names: Vec<&str> = part.iter().map(Module::as_str).collect();
        let names = names.join("%2C");
        let filter = "type_filter=modules%2Crelationships";
        (
            None,
            get(format!("/metadata?{filter}&module_filter={names}")),
        )
    });
    parts.collect()
}

/// The fields that the CRM has marked as personal information: `"pii": true`.
pub(super) fn marked(answer: &[u8]) -> BTreeSet<FieldPath> {
    let root = members(answer).unwrap_or_default();
    let modules = root.get("modules").and_then(Value::as_object);
    let mut marked = BTreeSet::new();
    for (name, module) in modules.into_iter().flatten() {
        let fields = module.get("fields").and_then(Value::as_object);
        for (field, said) in fields.into_iter().flatten() {
            if is_plain(name) && is_plain(field) && said.get("pii").is_some_and(is_true) {
                marked.insert(FieldPath::new(&Module::new(name), field));
            }
        }
    }
    marked
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(is_true) => *is_true,
        Value::String(word) => matches!(word.as_str(), "1" | "true"),
        Value::Number(number) => number.as_u64() == Some(1),
        _ => false,
    }
}

fn members(answer: &[u8]) -> Option<Map<String, Value>> {
    match json::read(answer, DEPTH_MAX) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

fn get(target: String) -> Outgoing {
    Outgoing {
        method: Method::GET,
        target,
        controls: Vec::new(),
        body: None,
        media: Media::Json,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialect::sugar_rest::described;
    use crate::dialect::survey::{PageOf, Survey};
    use crate::door::Credential;

    #[test]
    fn modules_are_named_and_described_in_parts() {
        let answer =
            json!({"full_module_list": {"Contacts": "Contacts", "a b": "x", "_hash": "0"}});
        let named = named(answer.to_string().as_bytes()).unwrap();
        assert_eq!(named, [Module::new("Contacts")]);
        assert_eq!(super::named(b"[]"), None);
        let many: Vec<Module> = (0..45).map(|n| Module::new(&format!("M{n}"))).collect();
        let asked = describing(&many);
        assert_eq!(asked.len(), 3);
        assert!(
            asked[2]
                .1
                .target
                .ends_with("module_filter=M40%2CM41%2CM42%2CM43%2CM44")
        );
    }

    #[test]
    fn marks_of_the_crm_are_read() {
        let field = |pii: Value| json!({"type": "varchar", "pii": pii});
        let answer = json!({"modules": {"Contacts": {"fields": {
            "a": field(json!(true)), "b": field(json!("1")), "c": field(json!(false)), "d": field(json!({})), "e": 1,
        }}}});
        let marked = marked(answer.to_string().as_bytes());
        let names: Vec<&str> = marked.iter().map(|path| path.field.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn a_page_is_asked_for_in_the_words_of_the_api() {
        let module = Module::new("Contacts");
        let page = |module| PageOf {
            module,
            offset: 40,
            limit: 20,
            by_id: false,
            confirmed: false,
        };
        let credential = Credential::made_up(crate::door::Carrier::Bearer);
        let asked = described().page("v11", &credential, page(&module)).unwrap();
        let outgoing = asked.render(asked.operation());
        assert_eq!(outgoing.target, "/rest/v11/Contacts?max_num=20&offset=40");
        let reserved = Module::new("OAuthTokens");
        assert!(
            described()
                .page("v11", &credential, page(&reserved))
                .is_none()
        );
    }
}
