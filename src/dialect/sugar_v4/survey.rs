//! How the CRM is asked what it holds: `get_available_modules`, `get_module_fields`, and `get_entry_list`, page by page.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::Method as Verb;
use serde_json::{Value, json};

use super::version::PATH;
use super::{SugarV4, grammar, names, render};
use crate::dialect::survey::{AboutModule, Confirmation, ConsentFields, PageOf, Survey, is_yes};
use crate::dialect::{Bounds, Dialect, Exchange, Incoming, Outgoing, Understood};
use crate::door::Credential;
use crate::json;
use crate::markup;
use crate::vocabulary::{FieldPath, Module, Spelling};

/// Nesting of an answer.
const DEPTH_MAX: usize = 16;
/// The link behind which SuiteCRM keeps what it knows of addresses, and the fields that tell of it.
const ADDRESSES: &str = "email_addresses";
const ADDRESS: &str = "email_address";
const CONFIRMED: &str = "confirm_opt_in";
const CONFIRMED_AT: &str = "confirm_opt_in_date";
const ASKED_AT: &str = "confirm_opt_in_sent_date";
const OPTED_OUT: &str = "opt_out";
/// Its word for who pressed the link in the mail. It stands, without a day, of addresses that nobody was asked under, too: some
/// installations put it wherever an address was never asked.
const IS_CONFIRMED: &str = "confirmed-opt-in";

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
        let is_linked = || names::link(self.schema(), page.module, ADDRESSES).is_some();
        let links = match page.confirmed && is_linked() {
            true => {
                let told = [ADDRESS, CONFIRMED, CONFIRMED_AT, ASKED_AT, OPTED_OUT];
                json!([{"name": ADDRESSES, "value": told}])
            }
            false => json!([]),
        };
        let arguments = json!([
            session,
            module,
            "",
            if page.by_id { "id" } else { "" },
            page.offset,
            [],
            links,
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

    fn confirmed(&self) -> Option<&'static str> {
        Some(IS_CONFIRMED)
    }

    /// The links of a record stand beside the records, at the same place of a list of their own.
    fn confirmations(&self, answer: &Value) -> BTreeMap<String, Vec<Confirmation>> {
        let list = |name| answer.get(name).and_then(Value::as_array);
        let (Some(entries), Some(links)) = (list("entry_list"), list("relationship_list")) else {
            return BTreeMap::new();
        };
        if entries.len() != links.len() {
            return BTreeMap::new();
        }
        let of = |(entry, links): (&Value, &Value)| {
            let id = entry.get("id")?.as_str()?;
            let mut links = links.get("link_list")?.as_array()?.iter();
            let addresses = links.find(|link| link["name"] == ADDRESSES)?;
            let addresses = addresses.get("records")?.as_array()?.iter();
            Some((id.to_owned(), addresses.filter_map(confirmation).collect()))
        };
        entries.iter().zip(links).filter_map(of).collect()
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

/// What is known of an address; `None`, if the CRM is one that does not ask persons.
fn confirmation(address: &Value) -> Option<Confirmation> {
    let value = |name: &str| {
        let text = address.get("link_value")?.get(name)?.get("value")?.as_str();
        Some(markup::decode(Spelling::Html, text?).trim().to_owned())
    };
    Some(Confirmation {
        address: value(ADDRESS)?,
        word: IS_CONFIRMED,
        stands: value(CONFIRMED)? == IS_CONFIRMED,
        at: value(CONFIRMED_AT),
        asked_at: value(ASKED_AT),
        opted_out: value(OPTED_OUT).and_then(|text| is_yes(&Value::String(text))),
    })
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
            confirmed: false,
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
