//! Rules, and a whole policy, that only observe: replies are what they would be without, and each event says what with.

use jiff::ToSpan as _;
use paravent::policy::Source;
use serde_json::{Value, json};

use crate::harness::binary::run;
use crate::harness::client::raw;
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

const POLICY: &str = "policy: p
roles:
  sales: { from: { crm.role: Sales }, default_purpose: contract }
purposes:
  contract: { legal_basis: contract, roles: sales }
detectors:
  - { name: d, in: free_text, find: [iban, card, nir] }
classify:
  Contacts: { id: technical.id, last_name: identity.name, iban_c: financial.iban, title: work.position, description: free_text, religion_c: special.belief }
grants:
  - { name: base, roles: sales, data: [technical, identity.name, free_text, financial.iban], level: clear }
";
const CAPS: &str = "caps:
  - { name: ibans, data: financial, level: mask, mode: observe, until: DATE }
  - { name: art9, data: special, level: hide, firm: true }
";
const IBAN: &str = "FR7630006000011234567890189";

fn crm(request: &Received) -> Vec<u8> {
    let body = match request.line.split(' ').nth(1).unwrap() {
        path if path.ends_with("/me") => return scripted::me("ada", "Sales"),
        path if path.contains("/c-1") => record(),
        path => {
            let mut record = record();
            // A list of some fields holds no others.
            let is_asked = |name: &str| !path.contains("fields=") || path.contains(name);
            let known = ["id", "_module", "last_name"];
            let fields = record.as_object_mut().unwrap();
            fields.retain(|name, _| known.contains(&name.as_str()) || is_asked(name));
            json!({"next_offset": -1, "records": [record]})
        }
    };
    scripted::json(200, body.to_string().as_bytes())
}

fn record() -> Value {
    json!({
        "id": "c-1", "_module": "Contacts", "last_name": "Vasseur", "iban_c": IBAN, "title": "Buyer", "shoe_size_c": "42",
        "description": format!("pays from {IBAN}"), "religion_c": "none of yours",
    })
}

fn world(crm: &Scripted, rules: &str) -> World {
    let last = jiff::Zoned::now().date().checked_add(20.days()).unwrap();
    let text = format!("{POLICY}{}", rules.replace("DATE", &last.to_string()));
    let path = "policy.yaml".to_owned();
    let wish = Wish {
        sources: vec![Source { path, text }],
        ..Wish::default()
    };
    let world = World::scripted(crm.address, wish);
    world.forbid("Contacts.religion_c", "none of yours");
    world
}

fn entry<'e>(event: &'e Value, category: &Value) -> &'e Value {
    let mut data = event["data"].as_array().unwrap().iter();
    data.find(|entry| entry["category"] == *category).unwrap()
}

#[test]
fn a_cap_that_observes_changes_no_reply_and_every_event_says_what_it_would() {
    let crm = Scripted::start(crm);
    let (trying, without) = (world(&crm, CAPS), world(&crm, ""));
    let list = "/rest/v11_24/Contacts";
    let reply = trying.get(list, "t");
    assert_eq!(reply.json(), without.get(list, "t").json());
    let event = &trying.decision(&reply)[0];
    assert_eq!(event["outcome"]["kind"], json!("observed"), "{event}");
    assert_eq!(event["policy"]["mode"], json!("enforce"));
    let ibans = entry(event, &json!("financial.iban"));
    let told = json!([ibans["level"], ibans["would"], ibans["would_by"]]);
    assert_eq!(told, json!(["clear", "mask", ["base", "ibans"]]), "{event}");
    assert_eq!(entry(event, &json!("identity.name")).get("would"), None);
    // A reply to which the cap has nothing to say.
    let reply = trying.get(&format!("{list}?fields=last_name"), "t");
    let kind = &trying.decision(&reply)[0]["outcome"]["kind"];
    assert_eq!(
        kind,
        without.decision(&without.get(&format!("{list}?fields=last_name"), "t"))[0]
            .pointer("/outcome/kind")
            .unwrap()
    );
    assert_ne!(kind, "observed");
    // An identifier in a text is one of its category.
    let reply = trying.get(&format!("{list}?fields=description"), "t");
    assert!(reply.text().contains(IBAN));
    let event = &trying.decision(&reply)[0];
    assert_eq!(event["outcome"]["kind"], json!("observed"), "{event}");
    assert_eq!(
        entry(event, &json!("financial.iban"))["would"],
        json!("mask")
    );
}

#[test]
fn uses_and_writes_under_a_cap_that_observes_pass_and_are_told() {
    let crm = Scripted::start(crm);
    let trying = world(&crm, CAPS);
    let filtered = format!("/rest/v11_24/Contacts?filter[0][iban_c]={IBAN}");
    let reply = trying.get(&filtered, "t");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let event = &trying.decision(&reply)[0];
    assert_eq!(
        event["outcome"]["would"],
        json!("field-not-usable"),
        "{event}"
    );
    let put = |body: Value| {
        let reply = trying.send("PUT", "/rest/v11_24/Contacts/c-1", Some("t"), Some(&body));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let events = trying.decision(&reply);
        events.last().unwrap()["outcome"].get("would").cloned()
    };
    let refused = Some(json!("field-not-writable"));
    assert_eq!(put(json!({"iban_c": "DE89370400440532013000"})), refused);
    assert_eq!(
        put(json!({"description": "pays from DE89 3704 0044 0532 0130 00"})),
        refused
    );
    // What only comes back is not written, and what stands in a text already says nothing new.
    assert_eq!(
        put(json!({"iban_c": IBAN, "last_name": "Vasseur-Roy"})),
        None
    );
    assert_eq!(
        put(json!({"description": format!("always pays from {IBAN}")})),
        None
    );
    let refused = trying.get("/rest/v11_24/Contacts?filter[0][religion_c]=x", "t");
    assert_eq!(refused.status, 403);
    assert_eq!(trying.decision(&refused)[0]["outcome"].get("would"), None);
}

#[test]
fn a_whole_policy_that_observes_shows_all_but_what_is_special_and_says_so_everywhere() {
    let crm = Scripted::start(crm);
    let trying = world(&crm, &format!("{CAPS}mode: observe\nuntil: DATE\n"));
    let reply = trying.get("/rest/v11_24/Contacts", "t");
    let mut expected = record();
    expected.as_object_mut().unwrap().remove("religion_c");
    assert_eq!(reply.json()["records"][0], expected);
    let event = &trying.decision(&reply)[0];
    assert_eq!(event["outcome"]["kind"], json!("observed"));
    assert_eq!(event["policy"]["mode"], json!("observe"));
    let told = |category: Value| {
        let entry = entry(event, &category);
        json!([entry["level"], entry.get("would"), entry["by"]])
    };
    assert_eq!(
        told(json!("work.position")),
        json!(["clear", "redact", ["mode.observe"]])
    );
    assert_eq!(
        told(Value::Null),
        json!(["clear", "redact", ["defaults.unclassified", "mode.observe"]])
    );
    assert_eq!(
        told(json!("special.belief")),
        json!(["hide", null, ["art9"]])
    );
    let ask = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        raw(trying.admin, request.as_bytes()).text()
    };
    let ready = ask("/readyz?verbose");
    assert!(
        ready.starts_with("ok\n")
            && ready.contains("observing bad the whole policy only observes, until "),
        "{ready}"
    );
    assert!(ready.contains("rule `ibans` only observes"), "{ready}");
    assert_eq!(ask("/readyz"), "ok\n");
    let metrics = trying.metrics();
    for line in [
        "paravent_policy_observing{what=\"policy\"} 1",
        "paravent_policy_observing{what=\"rules\"} 1",
        "paravent_requests_total{action=\"list\",outcome=\"observed\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    // A refusal is one of the same policy.
    let refused = trying.get("/rest/v11_24/Leads", "t");
    assert_eq!(refused.status, 403);
    assert_eq!(
        trying.decision(&refused)[0]["policy"]["mode"],
        json!("observe")
    );
}

#[test]
fn a_whole_policy_observes_only_where_the_configuration_allows_it() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    std::fs::create_dir(dir.path().join("policy")).unwrap();
    let last = jiff::Zoned::now().date().checked_add(20.days()).unwrap();
    write(
        "policy/p.yaml",
        &format!("{POLICY}{}", CAPS.replace("DATE", &last.to_string())),
    );
    write(
        "policy/observe.yaml",
        &format!("policy: p\nmode: observe\nuntil: {last}\n"),
    );
    write("token.key", "0123456789abcdef0123456789abcdef");
    let config = "listeners: [{ name: crm, bind: \"127.0.0.1:0\", upstream: crm }]
upstreams: { crm: { url: \"http://127.0.0.1:1\", dialects: [sugar-rest] } }
policies: policy
keys: { token: { file: token.key } }
audit: { dir: audit }
";
    let check = |observe: &str| {
        write("paravent.yaml", &format!("{config}{observe}"));
        let config = dir.path().join("paravent.yaml");
        let output = run(&["check", "--config", config.to_str().unwrap()]);
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    for observe in ["", "observe: refused\n"] {
        let (code, told) = check(observe);
        assert_eq!(code, Some(1), "{told}");
        assert!(
            told.contains("error[P044]") && told.contains("observe.yaml:2:7"),
            "{told}"
        );
    }
    let (code, told) = check("observe: allowed\n");
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("warning[W142]") && !told.contains("P044"),
        "{told}"
    );
    let (code, told) = check("observe: yes\n");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("must be one of: refused, allowed"), "{told}");
}
