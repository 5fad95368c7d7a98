//! Records that are not there for the caller, in an API that is described: answered like records that the CRM does not have, where
//! its own words and what it tells of a record without showing it would tell them apart.

use std::sync::Arc;

use paravent::dialect::Dialect;
use paravent::dialect::engine::Described;
use paravent::policy::Source;
use serde_json::json;

use crate::harness::client::{Request, Response};
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

const DESCRIPTION: &str = r#"description: shop
prefix: /v2
credentials: { bearer: true }
labels: { at: code, known: [no_such_client, not_found], statuses: { "404": not_found }, errors: { code: "{label}" } }
caller:
  ask: [{ get: /whoami, id: $.id, login: $.login, roles: "$.groups[*].name" }]
modules:
  clients: { fields: [name, owner_id] }
routes:
  - { route: "GET /clients", module: clients, action: list, records: "$.items[*]" }
  - { route: "GET /clients/{id}", module: clients, action: read, records: $.item }
  - { route: "GET /clients/{id}/size", module: clients, action: read, pass: [$.bytes] }
"#;

const POLICY: &str = "policy: shop
roles: { staff: { from: { crm.role: Staff }, default_purpose: care } }
purposes: { care: { legal_basis: contract, roles: [staff] } }
classify: { clients: { id: technical.id, name: work.organisation, owner_id: technical.owner } }
grants: [{ name: base, roles: staff, data: [technical, work], level: clear }]
rows: [{ name: own, modules: clients, keep_when: { record.owner_id: { equals: { caller: id } } } }]
";

/// A shop in which one client is somebody's, one is another's, and one is too large.
fn shop(request: &Received) -> Vec<u8> {
    let client = |id: &str, owner: &str, name: &str| json!({"item": {"id": id, "name": name, "owner_id": owner}});
    let large = "x".repeat(100_000);
    let said = match request.line.trim_end_matches(" HTTP/1.1") {
        "GET /v2/whoami" => json!({"id": "7", "login": "zoe", "groups": [{"name": "Staff"}]}),
        "GET /v2/clients/hers" => client("hers", "7", "Zola SA"),
        "GET /v2/clients/other" => client("other", "8", "Balzac SA"),
        "GET /v2/clients/large" => client("large", "8", &large),
        line if line.ends_with("/size") && !line.contains("nobody") => json!({"bytes": 12}),
        _ => return scripted::json(404, br#"{"code":"no_such_client"}"#),
    };
    scripted::json(200, said.to_string().as_bytes())
}

fn ask(world: &World, target: &str) -> Response {
    let request = Request {
        method: "GET",
        target,
        headers: vec![("Authorization", "Bearer token-of-zoe".to_owned())],
        body: None,
    };
    world.send_request(world.proxy, &request)
}

/// A reply without what tells one request from another.
fn told(reply: &Response) -> (u16, String) {
    let decision = reply.header("paravent-decision").unwrap_or("none");
    (reply.status, reply.text().replace(decision, "ID"))
}

#[test]
fn what_is_not_there_is_told_alike_whatever_the_crm_says_of_it() {
    let crm = Scripted::start(shop);
    let (described, problems) = Described::read("shop.yaml", DESCRIPTION);
    let described = described.unwrap_or_else(|| panic!("{}", problems.render(false)));
    let world = World::scripted(
        crm.address,
        Wish {
            dialects: vec![Arc::new(described) as Arc<dyn Dialect>],
            sources: vec![Source {
                path: "policy.yaml".to_owned(),
                text: POLICY.to_owned(),
            }],
            record_bytes_max: 10_000,
            ..Wish::default()
        },
    );
    let shown = ask(&world, "/v2/clients/hers");
    assert_eq!(shown.json()["item"]["name"], json!("Zola SA"));
    let size = ask(&world, "/v2/clients/hers/size");
    assert_eq!(size.json(), json!({"bytes": 12}), "{}", size.text());
    for behind in ["", "/size"] {
        let of = |id: &str| told(&ask(&world, &format!("/v2/clients/{id}{behind}")));
        let nobody = of("nobody");
        assert_eq!(nobody.0, 404, "{}", nobody.1);
        for id in ["other", "large"] {
            assert_eq!(of(id), nobody, "{id}{behind}");
        }
    }
}
