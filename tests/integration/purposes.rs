//! An account with two roles, whose client cannot send a header.

use paravent::policy::Source;
use serde_json::{Value, json};

use crate::harness::binary::run;
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

const POLICY: &str = "policy: p
roles:
  sales: { from: { crm.role: Sales }, default_purpose: contract }
  finance: { from: { crm.role: Finance }, default_purpose: payment }
purposes:
  contract: { legal_basis: contract, roles: [sales, finance] }
  payment: { legal_basis: legal-obligation, roles: finance }
classify:
  Contacts: { last_name: identity.name, iban_c: financial.iban }
  Users: { id: technical.id, first_name: identity.name, title: work.position }
grants:
  - { name: names, roles: [sales, finance], data: [technical, identity.name, work], level: clear }
  - { name: ibans, roles: finance, data: financial.iban, level: mask }
";
const IBAN: &str = "FR7630006000011234567890189";
const TITLE: &str = "Head of sales, west";

fn crm(request: &Received) -> Vec<u8> {
    let body = match request.line.split(' ').nth(1).unwrap() {
        path if path.ends_with("/me") => json!({"current_user": {
            "type": "user", "id": "u-1", "user_name": "ada", "full_name": "Ada", "first_name": "Adelheid",
            "title": TITLE, "roles": ["Sales", "Finance"], "my_teams": [], "preferences": {"datepref": "d/m/Y"},
        }}),
        path if path.contains("/metadata") => {
            json!({"modules": {"Contacts": {"fields": {"iban_c": {"type": "varchar"}}}}, "_hash": "x"})
        }
        path if path.contains("/lang/") => json!({"app_strings": {"LBL": "x"}}),
        path if path.ends_with("/me/preferences") => json!({"datepref": "d/m/Y"}),
        _ => json!({"next_offset": -1, "records": [
            {"id": "c-1", "_module": "Contacts", "last_name": "Vasseur", "iban_c": IBAN}
        ]}),
    };
    scripted::json(200, body.to_string().as_bytes())
}

fn world(crm: &Scripted, policy: String) -> World {
    let wish = Wish {
        sources: vec![Source {
            path: "policy.yaml".to_owned(),
            text: policy,
        }],
        ..Wish::default()
    };
    World::scripted(crm.address, wish)
}

fn ordered(order: &str) -> String {
    format!("{POLICY}defaults: {{ purpose_order: {order} }}\n")
}

#[test]
fn an_account_with_two_roles_works_in_the_order_of_the_policy() {
    let crm = Scripted::start(crm);
    for (order, purpose) in [("[contract, payment]", "contract"), ("payment", "payment")] {
        let world = world(&crm, ordered(order));
        let reply = world.get("/rest/v11_24/Contacts", "t");
        assert_eq!(reply.status, 200, "{}", reply.text());
        let event = &world.decision(&reply)[0];
        assert_eq!(event["purpose"]["id"], json!(purpose));
        assert_eq!(event["purpose"]["chosen_by"], json!("order"));
        let me = world.get("/rest/v11_24/me", "t").json();
        assert_eq!(me["current_user"]["title"], json!(TITLE));
    }
}

#[test]
fn what_the_api_itself_tells_needs_no_purpose() {
    let crm = Scripted::start(crm);
    let world = world(&crm, POLICY.to_owned());
    let refused = world.get("/rest/v11_24/Contacts", "t");
    assert_eq!(refused.status, 403);
    let event = &world.decision(&refused)[0];
    assert_eq!(event["outcome"]["reason"], json!("ambiguous-purpose"));
    // From here on no field that the policy rules is shown, in whatever form.
    world.forbid("Users.title", TITLE);
    world.forbid("Users.first_name", "Adelheid");
    for target in [
        "me",
        "me/preferences",
        "metadata",
        "metadata?type_filter=modules",
        "lang/en_us",
    ] {
        let reply = world.get(&format!("/rest/v11_24/{target}"), "t");
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        let event = &world.decision(&reply)[0];
        assert_eq!(event["purpose"], Value::Null, "{target}: {event}");
        assert_eq!(event["caller"]["roles"], json!(["finance", "sales"]));
        let shown = event["data"].as_array().unwrap().iter();
        for entry in shown {
            assert!(
                ["redact", "hide"].contains(&entry["level"].as_str().unwrap()),
                "{target}: {entry}"
            );
        }
    }
    let me = world.get("/rest/v11_24/me", "t").json();
    assert_eq!(
        me["current_user"]["preferences"]["datepref"],
        json!("d/m/Y")
    );
    let bulk = json!({"requests": [{"url": "v11/me"}, {"url": "v11/Contacts"}]});
    let reply = world
        .send("POST", "/rest/v11_24/bulk", Some("t"), Some(&bulk))
        .json();
    assert_eq!(
        (&reply[0]["status"], &reply[1]["status"]),
        (&json!(200), &json!(403))
    );
}

#[test]
fn check_shows_what_two_roles_give_and_warns_where_the_order_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let check = |policy: &str, format: &str| {
        std::fs::write(folder.path().join("policy.yaml"), policy).unwrap();
        let output = run(&["check", folder.path().to_str().unwrap(), "--format", format]);
        assert_eq!(output.status.code(), Some(0));
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let [shown, told] = check(POLICY, "text");
    assert!(
        told.contains("W130") && told.contains("finance + sales"),
        "{told}"
    );
    assert!(shown.contains("finance + sales: refused"), "{shown}");
    let [shown, told] = check(&ordered("contract"), "text");
    assert!(!told.contains("W130"), "{told}");
    for line in [
        "finance + sales: contract (by order)",
        "more than sales alone: financial.iban mask",
    ] {
        assert!(shown.contains(line), "lacks {line}:\n{shown}");
    }
    let [report, _] = check(&ordered("contract"), "json");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        report["policy"]["pairs"][0],
        json!({
            "roles": ["finance", "sales"], "purpose": "contract", "chosen_by": "order", "counted": ["finance", "sales"],
            "gains": [[], [{"category": "financial.iban", "from": "redact", "to": "mask"}]],
        })
    );
}

#[test]
fn the_shipped_policies_order_their_purposes() {
    for folder in [
        "policies/sugarcrm",
        "policies/starter",
        "examples/suitecrm/policies",
        "examples/espocrm/policy",
        "examples/dolibarr/policy",
    ] {
        let path = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
        let told = String::from_utf8(run(&["check", &path]).stderr).unwrap();
        assert!(!told.contains("W130") && !told.contains("W131"), "{told}");
    }
}
