//! What the CRM is asked of its own modules and fields: `/V8/meta/modules`, and `/V8/meta/fields/{module}`.

use http::Method;
use serde_json::Value;

use crate::dialect::schema::is_plain;
use crate::dialect::survey::AboutModule;
use crate::dialect::{Media, Outgoing};
use crate::json;
use crate::vocabulary::Module;

/// Nesting of an answer.
const DEPTH_MAX: usize = 32;

/// The question which modules there are.
pub(super) fn naming() -> Outgoing {
    get("/V8/meta/modules".to_owned())
}

/// The modules that an answer to it names.
pub(super) fn named(answer: &[u8]) -> Option<Vec<Module>> {
    let root = json::read(answer, DEPTH_MAX).ok()?;
    let listed = root
        .get("data")?
        .get("attributes")
        .and_then(Value::as_object)?;
    let names = listed.keys().filter(|name| is_plain(name));
    Some(names.map(|name| Module::new(name)).collect())
}

/// The questions whose answers describe the fields of modules.
pub(super) fn describing(modules: &[Module]) -> Vec<AboutModule> {
    let plain = modules.iter().filter(|module| is_plain(module.as_str()));
    plain
        .map(|module| {
            (
                Some(module.clone()),
                get(format!("/V8/meta/fields/{module}")),
            )
        })
        .collect()
}

fn get(target: String) -> Outgoing {
    Outgoing {
        method: Method::GET,
        target,
        controls: Vec::new(),
        body: None,
        media: Media::JsonApi,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialect::suitecrm_v8::described;
    use crate::dialect::survey::{PageOf, Survey};
    use crate::door::{Carrier, Credential};

    #[test]
    fn modules_are_named_and_described_one_by_one() {
        let answer = json!({"data": {"type": "modules", "attributes": {"Contacts": {"label": "x"}, "a b": {}}}});
        let named = named(answer.to_string().as_bytes()).unwrap();
        assert_eq!(named, [Module::new("Contacts")]);
        assert_eq!(super::named(b"{}"), None);
        let credential = Credential::made_up(Carrier::Bearer);
        let asked = described().describing("V8", &credential, &named);
        assert_eq!(asked[0].1.target, "/Api/V8/meta/fields/Contacts");
        assert_eq!(asked[0].0, Some(Module::new("Contacts")));
    }

    #[test]
    fn pages_are_numbered() {
        let module = Module::new("Contacts");
        let page = PageOf {
            module: &module,
            offset: 40,
            limit: 20,
            by_id: false,
            confirmed: false,
        };
        let credential = Credential::made_up(Carrier::Bearer);
        let asked = described().page("V8", &credential, page).unwrap();
        let target = asked.render(asked.operation()).target;
        assert_eq!(
            target,
            "/Api/V8/module/Contacts?page%5Bsize%5D=20&page%5Bnumber%5D=3"
        );
    }
}
