//! How the CRM is asked what it holds: `get_available_modules`, `get_module_fields`, and `get_entry_list`, page by page.

use std::sync::LazyLock;

use http::Method as Verb;
use serde_json::{Value, json};

use super::version::PATH;
use super::{SugarV4, grammar, render};
use crate::dialect::survey::{AboutModule, ConsentFields, PageOf, Survey};
use crate::dialect::{Bounds, Dialect, Exchange, Incoming, Outgoing, Understood};
use crate::door::Credential;
use crate::json;
use crate::vocabulary::{FieldPath, Module};

/// Nesting of an answer.
const DEPTH_MAX: usize = 16;

impl Survey for SugarV4 {
    /// The request of a client who knows this API well, understood like one.
    fn page(
        &self,
        _version: &str,
        credential: &Credential,
        page: PageOf<'_>,
    ) -> Option<Box<dyn Exchange>> {
        let session = credential.token();
        let module = page.module.as_str();
        let arguments = json!([
            session,
            module,
            "",
            if page.by_id { "id" } else { "" },
            page.offset,
            [],
            [],
            page.limit,
            0,
            false
        ]);
        let request = render::call("get_entry_list", &arguments);
        let incoming = Incoming {
            method: &Verb::POST,
            path: PATH,
            query: None,
            accept: None,
            content_type: Some(request.media.content_type()),
            controls: &[],
            body: request.body.as_deref().unwrap_or_default(),
        };
        let bounds = Bounds {
            page_max: page.limit,
            bulk_parts_max: 1,
            depth_max: DEPTH_MAX,
        };
        match self.understand(&incoming, &bounds).ok()? {
            Understood::One(exchange) => Some(exchange),
            Understood::Bulk { .. } => None,
        }
    }

    fn consent(&self) -> Option<&ConsentFields> {
        static FIELDS: LazyLock<ConsentFields> = LazyLock::new(|| {
            let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            ConsentFields {
                name: names(&["first_name", "last_name"]),
                agreed: Some("lawful_basis".to_owned()),
                at: Some("date_reviewed".to_owned()),
                withdrawn: Some("withdrawn".to_owned()),
                opted_out: names(&["email_opt_out"]),
            }
        });
        Some(&FIELDS)
    }

    fn naming(&self, _version: &str, credential: &Credential) -> Option<Outgoing> {
        let arguments = json!([credential.token(), "all"]);
        Some(render::call("get_available_modules", &arguments))
    }

    fn named(&self, answer: &[u8]) -> Option<Vec<Module>> {
        let root = json::read(answer, DEPTH_MAX).ok()?;
        let listed = root.get("modules").and_then(Value::as_array)?;
        let names = listed
            .iter()
            .filter_map(|one| one.get("module_key")?.as_str());
        let names = names.filter(|name| grammar::is_module(name));
        Some(names.map(Module::new).collect())
    }

    fn describing(
        &self,
        _version: &str,
        credential: &Credential,
        modules: &[Module],
    ) -> Vec<AboutModule> {
        let asked = |module: &Module| {
            let arguments = json!([credential.token(), module.as_str(), []]);
            let question = render::call("get_module_fields", &arguments);
            (Some(module.clone()), question)
        };
        modules.iter().map(asked).collect()
    }

    fn roles(&self) -> Option<FieldPath> {
        Some(FieldPath::new(&Module::new("ACLRoles"), "name"))
    }

    fn starter(&self) -> &'static [&'static str] {
        &[include_str!(
            "../../../examples/suitecrm/policies/suitecrm.yaml"
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Database;

    #[test]
    fn what_is_asked_is_a_request_of_the_api() {
        let v4 = SugarV4::before(Database::Mysql);
        let credential = Credential::argument("5e55").unwrap();
        let module = Module::new("Contacts");
        let page = PageOf {
            module: &module,
            offset: 40,
            limit: 20,
            by_id: false,
        };
        let asked = v4.page("v4_1", &credential, page).unwrap();
        let outgoing = asked.render(asked.operation());
        let body = String::from_utf8(outgoing.body.unwrap().to_vec()).unwrap();
        assert!(
            body.starts_with("method=get_entry_list&") && body.contains("5e55"),
            "{body}"
        );
        assert_eq!(asked.operation().query.offset, Some(40));
        assert_eq!(asked.operation().query.limit, Some(20));
        let answer = json!({"modules": [{"module_key": "Contacts"}, {"module_key": "a b"}, {}, 1]});
        let named = v4.named(answer.to_string().as_bytes()).unwrap();
        assert_eq!(named, [module]);
    }
}
