//! A decision is a function of policy, schema and request: not of what passed before, of the process, or of a restart.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::binary;
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

const METADATA: &str = "/rest/v11_24/metadata";
const CONTACT: &str = "/rest/v11_24/Contacts/c-1";
const HELPERS: &str = "/rest/v11_24/Contacts/c-1/link/helpers_c";

fn metadata() -> Value {
    json!({
        "modules": {"Contacts": {"fields": {
            "helpers_c": {"name": "helpers_c", "type": "link", "relationship": "contacts_helpers"},
            "helper_name_c": {"type": "relate", "module": "Contacts", "rname": "last_name"},
            "shoe_size_c": {"type": "int"},
            // What the stock knows better.
            "full_name": {"type": "relate", "module": "Accounts", "rname": "name"},
            "portal_password": {"type": "varchar"},
            "accounts": {"type": "link", "module": "Contacts"},
        }}},
        "relationships": {"contacts_helpers": {"lhs_module": "Contacts", "rhs_module": "Contacts"}},
    })
}

fn answer(request: &Received) -> Vec<u8> {
    let record = json!({
        "id": "c-1", "_module": "Contacts", "first_name": "Odile", "last_name": "Vasseur", "helper_name_c": "Vasseur",
        "portal_password": "x", "shoe_size_c": 44, "iban_c": "FR7612345678901234567890189",
    });
    let body = match request.line.split(' ').nth(1).unwrap() {
        path if path.ends_with("/me") => return scripted::me("sally", "Sales"),
        path if path.ends_with("/metadata") => metadata(),
        path if path.ends_with("/link/accounts") => {
            json!({"next_offset": -1, "records": [{"id": "a-1", "_module": "Accounts", "name": "Nordwind"}]})
        }
        path if path.contains("/link/") => json!({"next_offset": -1, "records": [record]}),
        _ => record,
    };
    scripted::json(200, body.to_string().as_bytes())
}

/// What is asked, each time in the same words.
const ASKED: [&str; 4] = [
    CONTACT,
    HELPERS,
    "/rest/v11_24/Contacts/c-1?fields=id,helper_name_c,full_name",
    "/rest/v11_24/Contacts/c-1/link/accounts",
];

/// Status, body and event of everything that is asked; of an event all but when it was and where it stands.
fn asked(world: &World) -> Vec<(u16, String, Value)> {
    let ask = |target: &&str| {
        let reply = world.get(target, "t");
        let mut events = world.decision(&reply);
        let mut event = events.pop().unwrap();
        for name in ["id", "prev", "seq", "time"] {
            event.as_object_mut().unwrap().remove(name);
        }
        for name in ["milliseconds", "upstream_milliseconds"] {
            event["outcome"].as_object_mut().unwrap().remove(name);
        }
        event["auth"].as_object_mut().unwrap().remove("age_seconds");
        let id = reply.header("paravent-decision").unwrap_or_default();
        let body = String::from_utf8_lossy(&reply.body).replace(id, "ID");
        (reply.status, body, event)
    };
    ASKED.iter().map(ask).collect()
}

fn wish(learn: bool) -> Wish {
    Wish {
        learn,
        ..Wish::default()
    }
}

#[test]
fn nothing_that_passes_changes_a_decision() {
    let crm = Scripted::start(answer);
    let world = World::scripted(crm.address, wish(false));
    let before = asked(&world);
    assert_eq!(before[0].0, 200);
    assert_eq!(before[1].0, 403, "nobody knows this link");
    assert_eq!(world.get(METADATA, "t").status, 200);
    assert_eq!(asked(&world), before, "after the metadata passed");
    // Another process, with a log and a state of its own; and another proxy beside it in this process.
    let apart = World::apart(crm.address, wish(false));
    assert_eq!(asked(&apart), before);
    assert_eq!(apart.get(METADATA, "t").status, 200);
    assert_eq!(asked(&apart), before);
    let other = World::scripted(crm.address, wish(false));
    assert_eq!(asked(&other), before);
    assert_eq!(other.get(METADATA, "t").status, 200);
    assert_eq!(asked(&world), before);
    let told = world.log_lines("fields that no policy classifies are redacted");
    assert!(
        told.iter().any(|line| line.contains("shoe_size_c")),
        "the operator is told all the same"
    );
}

#[test]
fn what_is_learned_counts_from_then_on_and_is_recorded_and_survives_a_restart() {
    // All tests write one log: this name is said otherwise here alone.
    let crm = Scripted::start(|request| {
        let answer = String::from_utf8(answer(request)).unwrap();
        let length = |text: &str| text.split("\r\n\r\n").nth(1).unwrap().len();
        let other = answer.replace("full_name\":{\"type", "email2\":{\"type");
        let lengths = [&answer, &other].map(|text| format!("Content-Length: {}", length(text)));
        other.replace(&lengths[0], &lengths[1]).into_bytes()
    });
    let mut world = World::scripted(crm.address, wish(true));
    let before = asked(&world);
    assert_eq!(world.get(METADATA, "t").status, 200);
    let learned = asked(&world);
    assert_ne!(learned, before);
    assert_eq!(learned[1].0, 200, "the link is known");
    assert_eq!(asked(&world), learned);
    // What contradicts the stock changed nothing, and was told once.
    assert_eq!(learned[3], before[3].clone().with_schema_of(&learned[3]));
    assert_eq!(world.get(METADATA, "t").status, 200);
    let told = world.log_lines("says otherwise than the schema");
    let told: Vec<_> = told
        .iter()
        .filter(|line| line.contains("Contacts.email2"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("Contacts.accounts"));
    let events: Vec<Value> = world.events();
    let events: Vec<&Value> = events
        .iter()
        .filter(|event| event["event"] == "schema.learned")
        .collect();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["upstream"], "crm");
    assert_eq!(events[0]["hash"], learned[0].2["policy"]["schema"]);
    let kept = fs::read_to_string(world.audit.path().join("state/schema/crm.sugar-rest.yaml"));
    let kept = kept.unwrap();
    assert!(
        kept.contains("helper_name_c: { type: relate, copies: [Contacts.last_name] }"),
        "{kept}"
    );
    assert!(!kept.contains("portal_password"), "{kept}");
    world.restart(wish(true));
    assert_eq!(asked(&world), learned, "after a restart");
}

/// An answer and its event, but for the schema that the event names.
trait WithSchema {
    fn with_schema_of(self, other: &Self) -> Self;
}

impl WithSchema for (u16, String, Value) {
    fn with_schema_of(mut self, other: &Self) -> Self {
        self.2["policy"]["schema"] = other.2["policy"]["schema"].clone();
        self
    }
}

#[test]
fn two_policies_in_one_process_share_nothing() {
    let crm = Scripted::start(answer);
    let shown = World::scripted(crm.address, wish(false));
    let hidden = World::scripted(crm.address, {
        let mut sources = paravent::demo::policy_sources();
        sources.push(paravent::policy::Source {
            path: "caps.yaml".to_owned(),
            text: "caps:\n  - { name: no-names, data: identity.name, level: hide }\n".to_owned(),
        });
        Wish {
            sources,
            ..wish(false)
        }
    });
    let (first, second) = (asked(&shown), asked(&hidden));
    assert!(first[0].1.contains("Vasseur"));
    assert!(!second[0].1.contains("Vasseur"), "{}", second[0].1);
    for _ in 0..3 {
        assert_eq!(asked(&shown), first);
        assert_eq!(asked(&hidden), second);
    }
}

#[test]
fn a_schema_file_is_made_of_a_saved_reply_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("metadata.json"), metadata().to_string()).unwrap();
    let words = ["schema", "extract", "--dialect", "sugar-rest", "--metadata"];
    let made = binary::run(&[&words[..], &[&path("metadata.json")]].concat());
    assert!(made.status.success(), "{made:?}");
    let told = String::from_utf8(made.stderr).unwrap();
    assert!(
        told.contains("the stock knows `Contacts.full_name` as something else"),
        "{told}"
    );
    fs::write(path("crm.yaml"), &made.stdout).unwrap();
    let text = String::from_utf8(made.stdout).unwrap();
    assert!(text.contains("helpers_c: Contacts"), "{text}");
    let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/sugarcrm");
    let explain = |schema: &[&str]| {
        let words = [
            "explain",
            "--policies",
            policies,
            "--as",
            "sales",
            "--for",
            "contract",
            "--module",
            "Contacts",
        ];
        let done = binary::run(&[&words[..], schema].concat());
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    assert!(!explain(&[]).contains("helper_name_c"));
    assert!(explain(&["--schema", &path("crm.yaml")]).contains("helper_name_c"));
    let check = |schema: &str| {
        binary::run(&[
            "check",
            policies,
            "--dialect",
            "sugar-rest",
            "--schema",
            schema,
        ])
    };
    assert!(check(&path("crm.yaml")).status.success());
    // Everything that is wrong with a file, with its place.
    fs::write(path("bad.yaml"), "schema: sugar-rest\nmodules:\n  Contacts:\n    fields: { user_hash: varchar }\n    links: { boats: Nowhere }\n").unwrap();
    let done = check(&path("bad.yaml"));
    assert_eq!(done.status.code(), Some(1));
    let told = String::from_utf8(done.stderr).unwrap();
    for word in ["S004", "S005", "bad.yaml:5", "bad.yaml:4"] {
        assert!(told.contains(word), "{word} in {told}");
    }
    for (metadata, code) in [("crm.yaml", 1), ("missing.json", 2)] {
        let done = binary::run(&[&words[..], &[&path(metadata)]].concat());
        assert_eq!(done.status.code(), Some(code), "{metadata}");
        assert!(done.stdout.is_empty());
    }
}

#[test]
fn a_configuration_names_schema_files_each_of_a_dialect_that_is_spoken() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "sugar.yaml",
        "schema: sugar-rest\nmodules: { Contacts: { fields: { a_c: int } } }\n",
    );
    write(
        "suite.yaml",
        "schema: suitecrm-v8\nmodules: { Contacts: { fields: { a_c: int } } }\n",
    );
    let check = |words: &str| check(folder.path(), words);
    assert_eq!(check("schema: sugar.yaml"), (Some(0), String::new()));
    assert_eq!(check("schema: [sugar.yaml], learn: true").0, Some(0));
    let (code, told) = check("schema: [sugar.yaml, suite.yaml]");
    assert_eq!(code, Some(1));
    assert!(
        told.contains("S003") && told.contains("suite.yaml:1"),
        "{told}"
    );
    let (code, told) = check("schema: missing.yaml");
    assert!(code == Some(1) && told.contains("S001"), "{told}");
    let (code, told) = check("learn: perhaps");
    assert!(code == Some(1) && told.contains("true or false"), "{told}");
}

/// Checks a configuration whose upstream has these keys: the exit code, and what is said of errors.
fn check(folder: &Path, words: &str) -> (Option<i32>, String) {
    binary::secret(&folder.join("token.key"), &[7; 32]);
    let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/sugarcrm");
    let text = format!(
        "listeners: [{{ name: crm, bind: \"127.0.0.1:0\", upstream: crm }}]\n\
         upstreams: {{ crm: {{ url: \"http://127.0.0.1:9\", dialects: [sugar-rest], {words} }} }}\n\
         policies: {policies}\nkeys: {{ token: {{ file: token.key }} }}\naudit: {{ dir: audit }}\n"
    );
    let path = folder.join("paravent.yaml");
    fs::write(&path, text).unwrap();
    let done = binary::run(&["check", "--config", path.to_str().unwrap()]);
    let told = String::from_utf8(done.stderr).unwrap();
    let errors = told
        .split("\n\n")
        .filter(|one| one.contains("error["))
        .collect::<Vec<_>>();
    (done.status.code(), errors.join("\n"))
}
