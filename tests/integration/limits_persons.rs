//! Limits of a policy that count persons: who counts, by what it is told, and that nobody learns of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use paravent::clock::Clock;
use paravent::ledger::{Address, Ledger, Name, PersonKeys, Place, Reference, Settings, Who};
use paravent::policy::Source;
use serde_json::{Map, Value, json};

use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

/// Whoever has had the processing restricted does not matter here, so that nothing is asked of any record but whom it is about.
const POLICY: &str = "policy: p
roles:
  sales: { from: { crm.role: Sales }, default_purpose: contract }
  support: { from: { crm.role: Support }, default_purpose: contract }
purposes:
  contract: { legal_basis: contract, roles: [sales, support], despite_restriction: true }
people:
  Contacts: { kind: customer, email: email }
  Leads: { kind: prospect, email: email, same_as: { contact_id: Contacts } }
  Notes: { of: { contact_id: Contacts } }
  Accounts: none
classify:
  Contacts: { id: technical.id, date_modified: technical.timestamp, last_name: identity.name, description: identity.name, email: contact.email }
  Leads: { id: technical.id, last_name: identity.name, email: contact.email, contact_id: technical.id }
  Notes: { id: technical.id, name: identity.name, contact_id: technical.id }
  Accounts: { id: technical.id, name: identity.name }
grants:
  - { name: base, roles: [sales, support], data: [technical, identity.name], level: clear, write: allow }
";
/// From this number on, records are those of the persons before, once more.
const AGAIN: usize = 1_000;

fn address(number: usize) -> String {
    format!("n{}@example.com", number % AGAIN)
}

fn emails(number: usize) -> Value {
    json!([{"email_address": address(number), "primary_address": true, "opt_out": false}])
}

/// A record by its number: the contacts have addresses. The first leads have none, and became contacts; the others have the
/// addresses of these. The first notes are about contacts, the others about nobody.
fn record(module: &str, number: usize) -> Value {
    let is_first = number < AGAIN;
    let contact = match is_first {
        true => format!("c-{number}"),
        false => String::new(),
    };
    let mut record = match module {
        "Contacts" => {
            json!({"id": format!("c-{number}"), "last_name": "Oudin", "email": emails(number),
            "date_modified": "2026-11-28T10:00:00+00:00", "description": "x".repeat(500)})
        }
        "Leads" => json!({"id": format!("l-{number}"), "last_name": "Oudin", "contact_id": contact,
            "email": match is_first { true => json!([]), false => emails(number) }}),
        "Notes" => json!({"id": format!("n-{number}"), "name": "Call", "contact_id": contact}),
        _ => json!({"id": format!("a-{number}"), "name": "Oudin SA"}),
    };
    record["_module"] = json!(module);
    record
}

/// Leaves of a record what is asked for.
fn chosen(record: Value, path: &str) -> Value {
    let Some((_, fields)) = path.split_once("fields=") else {
        return record;
    };
    let fields = fields.split('&').next().unwrap().replace("%2C", ",");
    let fields: BTreeSet<&str> = fields.split(',').collect();
    let Value::Object(record) = record else {
        panic!("no record")
    };
    let kept = record
        .into_iter()
        .filter(|(name, _)| name == "id" || name == "_module" || fields.contains(name.as_str()));
    Value::Object(kept.collect::<Map<_, _>>())
}

/// A CRM with as many records as somebody asks for.
fn crm(request: &Received) -> Vec<u8> {
    let path = request.line.split(' ').nth(1).unwrap();
    if path.ends_with("/me") {
        let is_support = request.header("oauth-token") == Some("s");
        let role = if is_support { "Support" } else { "Sales" };
        return scripted::me(if is_support { "sam" } else { "sally" }, role);
    }
    let number = |name: &str| {
        let (_, rest) = path.split_once(&format!("{name}="))?;
        rest.split('&').next().unwrap().parse::<usize>().ok()
    };
    let mut parts = path.trim_start_matches("/rest/v11_24/").split(['/', '?']);
    let module = parts.next().unwrap();
    let id = parts.next().and_then(|id| id.split_once('-'));
    let one = |number: usize| chosen(record(module, number), path);
    let body = match id.and_then(|(_, number)| number.parse().ok()) {
        Some(number) => one(number),
        None if request.line.starts_with("POST") => one(9_999),
        None => {
            let first = number("offset").unwrap_or(0);
            let records = (first..first + number("max_num").unwrap_or(20)).map(one);
            json!({"next_offset": -1, "records": records.collect::<Vec<_>>()})
        }
    };
    scripted::json(200, body.to_string().as_bytes())
}

fn wish(limits: &[&str]) -> Wish {
    let text = format!("{POLICY}limits:\n  - {{ {} }}\n", limits.join(" }\n  - { "));
    Wish {
        sources: vec![Source {
            path: "policy.yaml".to_owned(),
            text,
        }],
        ..Wish::default()
    }
}

fn persons(max: usize) -> String {
    format!("name: bulk, roles: sales, count: persons, max: {max}/h, then: block")
}

/// The status of a page of a module's records.
fn page(world: &World, module: &str, first: usize, count: usize) -> u16 {
    let target = format!("/rest/v11_24/{module}?max_num={count}&offset={first}");
    world.get(&target, "t").status
}

fn one(world: &World, module: &str, id: &str) -> u16 {
    world
        .get(&format!("/rest/v11_24/{module}/{id}"), "t")
        .status
}

#[test]
fn whoever_counts_already_passes_and_nobody_else() {
    let crm = Scripted::start(crm);
    let world = World::scripted(crm.address, wish(&[&persons(500)]));
    let most = world.get("/rest/v11_24/Contacts?max_num=500", "t");
    assert_eq!(
        (most.status, most.header("paravent-limit")),
        (200, Some("bulk; used=500; max=500; window=1h"))
    );
    assert_eq!(page(&world, "Contacts", 500, 1), 429);
    // The same persons, by their addresses, as who they became, and as those whom notes are about.
    for (module, first) in [
        ("Contacts", AGAIN),
        ("Leads", 0),
        ("Leads", AGAIN),
        ("Notes", 0),
    ] {
        assert_eq!(page(&world, module, first, 500), 200, "{module} {first}");
        let over = page(&world, module, first + 1, 500);
        assert_eq!(over, 429, "{module} {first}");
    }
    // About nobody.
    assert_eq!(page(&world, "Notes", AGAIN, 50), 200);
    assert_eq!(page(&world, "Accounts", 0, 600), 200);
    let events = world.events();
    let told: Vec<_> = events
        .iter()
        .filter(|one| one["event"] == "limit.records")
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["count"], &told[0]["would_be"]),
        (&json!("persons"), &json!(501))
    );
    // Whom a limit does not concern is not counted.
    let support = world.get("/rest/v11_24/Contacts?max_num=600", "s");
    assert_eq!(
        (support.status, support.header("paravent-limit")),
        (200, None)
    );
}

#[test]
fn what_tells_persons_apart_is_asked_for_and_shown_to_nobody() {
    let crm = Scripted::start(crm);
    let world = World::scripted(crm.address, wish(&[&persons(3)]));
    for number in 0..6 {
        world.forbid("an address", &address(number));
    }
    let asked = |target: &str, token: &str| {
        let _ = crm.take();
        let reply = world.get(target, token);
        let mut lines = crm.take().into_iter().map(|one| one.line);
        let line = lines.rfind(|line| !line.contains("/me"));
        (reply, line.unwrap_or_default())
    };
    let target = "/rest/v11_24/Contacts?max_num=3&fields=last_name";
    let (reply, line) = asked(target, "t");
    assert!(line.contains("email"), "{line}");
    let records = reply.json()["records"].as_array().unwrap().clone();
    assert_eq!(records.len(), 3);
    assert!(
        records.iter().all(|one| one.get("email").is_none()),
        "{records:?}"
    );
    let again = format!("{target}&offset={AGAIN}");
    assert_eq!(asked(&again, "t").0.status, 200);
    let (reply, line) = asked("/rest/v11_24/Notes?max_num=4&fields=name", "t");
    assert!(reply.status == 429 && line.contains("contact_id"), "{line}");
    // Whom no such limit concerns asks for what they ask for.
    let (reply, line) = asked(target, "s");
    assert!(reply.status == 200 && !line.contains("email"), "{line}");
    let events: Vec<String> = world.events().iter().map(Value::to_string).collect();
    assert!(events.iter().all(|event| !event.contains("@example.com")));
    assert!(world.log_lines("@example.com").is_empty());
}

#[test]
fn fifty_requests_at_once_show_no_more_persons_than_one_behind_the_other() {
    let crm = Scripted::start(crm);
    let world = World::scripted(crm.address, wish(&[&persons(50)]));
    let (begin, passed) = (Barrier::new(50), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (world, begin, passed) = (&world, &begin, &passed);
            scope.spawn(move || {
                begin.wait();
                let status = page(world, "Contacts", number * 4, 4);
                assert!(matches!(status, 200 | 429), "{status}");
                passed.fetch_add(usize::from(status == 200), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(passed.into_inner(), 12);
}

#[test]
fn a_write_shows_whoever_counts_already_and_nobody_else() {
    let crm = Scripted::start(crm);
    let world = World::scripted(crm.address, wish(&[&persons(5)]));
    assert_eq!(page(&world, "Contacts", 0, 5), 200);
    let _ = crm.take();
    let body = json!({"last_name": "Arnal"});
    let write = |method: &str, target: &str| {
        let target = format!("/rest/v11_24/{target}");
        world.send(method, &target, Some("t"), Some(&body)).status
    };
    assert_eq!(write("POST", "Contacts"), 429);
    assert_eq!(write("PUT", "Contacts/c-7"), 429);
    let lines: Vec<String> = crm.take().into_iter().map(|one| one.line).collect();
    let is_write = |line: &String| line.starts_with("POST") || line.starts_with("PUT");
    assert!(!lines.iter().any(is_write), "{lines:?}");
    assert_eq!(write("PUT", "Contacts/c-3"), 200);
}

#[test]
fn parts_count_one_by_one_and_a_stream_ends_before_what_would_cross() {
    let crm = Scripted::start(crm);
    let small = Wish {
        held_bytes_max: 64 * 1024,
        ..wish(&[&persons(500)])
    };
    let world = World::scripted(crm.address, small);
    let part = |first: usize| json!({"url": format!("/v11_24/Contacts?max_num=20&offset={first}"), "method": "GET"});
    let body = json!({"requests": [part(0), part(AGAIN), part(20)]});
    let reply = world.send("POST", "/rest/v11_24/bulk", Some("t"), Some(&body));
    assert_eq!(reply.status, 200);
    let reply = world.get("/rest/v11_24/Contacts?max_num=900", "t");
    assert!(reply.status == 200 && !reply.complete);
    let shown = reply.text().matches("\"c-").count();
    assert!((1..=500).contains(&shown), "{shown}");
    // Those have been counted, and nobody else.
    assert_eq!(one(&world, "Contacts", "c-39"), 200);
    assert_eq!(page(&world, "Leads", AGAIN, 20), 200);
    assert_eq!(page(&world, "Contacts", shown, 500 - shown.max(40)), 200);
}

#[test]
fn a_restart_counts_the_persons_whom_the_log_tells() {
    let crm = Scripted::start(crm);
    let wish = || wish(&[&persons(50)]);
    let mut world = World::scripted(crm.address, wish());
    assert_eq!(page(&world, "Contacts", 0, 45), 200);
    assert_eq!(page(&world, "Accounts", 0, 45), 200);
    world.restart(wish());
    assert_eq!(page(&world, "Contacts", 40, 11), 429);
    assert_eq!(page(&world, "Contacts", 40, 10), 200);
    assert_eq!(page(&world, "Contacts", 0, 50), 200);
    assert_eq!(page(&world, "Contacts", 50, 1), 429);
    assert_eq!(page(&world, "Contacts", AGAIN, 50), 200);
    assert_eq!(page(&world, "Notes", 0, 50), 200);
}

/// A ledger that the test changes.
struct Kept {
    ledger: Arc<Ledger>,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let settings = Settings {
            place: Place::Folder(folder.path().to_owned()),
            keys: PersonKeys::new(&[&[7; 32]]).unwrap(),
            bytes_max: 64 << 20,
            clock: Clock::system(),
        };
        let ledger = Arc::new(runtime.block_on(Ledger::open(settings)).unwrap());
        Self {
            ledger,
            runtime,
            _folder: folder,
        }
    }

    /// Each record is looked at for its own sake, too.
    fn wish(&self, limit: &str) -> Wish {
        let mut wish = wish(&[limit]);
        for source in &mut wish.sources {
            source.text = source.text.replace(", despite_restriction: true", "");
        }
        Wish {
            ledger: Some(self.ledger.clone()),
            ..wish
        }
    }

    /// Knows the address of a contact, of which its record is the person's.
    fn knows(&self, number: usize) -> Who {
        let who = Who::Record(reference(number));
        let address = Name::Address(Address::parse(&address(number)).unwrap());
        let attached = self.ledger.attach(who.clone(), vec![address]);
        self.runtime.block_on(attached).unwrap();
        who
    }

    fn merge(&self, survivor: Who, other: Who) {
        let merging = self
            .ledger
            .merge(survivor, other, "the same".to_owned(), "kim".to_owned());
        self.runtime.block_on(merging).unwrap();
    }
}

fn reference(number: usize) -> Reference {
    Reference::parse(&format!("crm:Contacts/c-{number}")).unwrap()
}

#[test]
fn whom_the_ledger_knows_as_one_is_one() {
    let crm = Scripted::start(crm);
    let kept = Kept::new();
    let mut world = World::scripted(crm.address, kept.wish(&persons(2)));
    // An address alone is another person in the ledger than a record: both are one from here on.
    let [first, second] = [0, 1].map(|number| {
        let record = kept.knows(number);
        let by_address = Who::Address(Address::parse(&address(number)).unwrap());
        kept.merge(record.clone(), by_address);
        record
    });
    assert_eq!(one(&world, "Contacts", "c-0"), 200);
    assert_eq!(one(&world, "Contacts", "c-1"), 200);
    assert_eq!(one(&world, "Contacts", "c-2"), 429);
    // Merged, they are one; what was counted of two stays counted until it is over.
    kept.merge(first, second);
    world.restart(kept.wish(&persons(2)));
    assert_eq!(one(&world, "Contacts", "c-1"), 200);
    assert_eq!(one(&world, "Leads", "l-0"), 200);
    assert_eq!(one(&world, "Notes", "n-1"), 200);
    assert_eq!(one(&world, "Contacts", "c-2"), 200);
    assert_eq!(one(&world, "Contacts", "c-3"), 429);
}

#[test]
fn an_address_of_two_names_tells_nobody() {
    let crm = Scripted::start(crm);
    let kept = Kept::new();
    let world = World::scripted(crm.address, kept.wish(&persons(2)));
    let shared = Address::parse(&address(5)).unwrap();
    let found = kept.ledger.attach(Who::Address(shared.clone()), Vec::new());
    kept.runtime.block_on(found).unwrap();
    kept.runtime
        .block_on(kept.ledger.share(shared, true))
        .unwrap();
    let same = AGAIN + 5;
    assert_eq!(one(&world, "Contacts", "c-5"), 200);
    assert_eq!(one(&world, "Contacts", &format!("c-{same}")), 200);
    // Those were two.
    assert_eq!(one(&world, "Contacts", "c-6"), 429);
}

#[test]
fn names_that_stand_in_other_records_count_too() {
    let policy = POLICY.replace(
        "name: identity.name, contact_id: technical.id }\n  Accounts",
        "name: technical.id, contact_id: technical.id, parent_type: technical.id, parent_name: technical.id }\n  Accounts",
    );
    let policy = policy.replace(
        "date_modified: technical.timestamp, last_name",
        "date_modified: technical.timestamp, name: identity.name, full_name: identity.name, first_name: identity.name, salutation: identity.name, title: identity.name, last_name",
    );
    for count in ["records", "persons"] {
        let crm = Scripted::start(|request| {
            if request.line.contains("/me ") {
                return scripted::me("sally", "Sales");
            }
            let note = |number| {
                json!({"id": format!("n-{number}"), "_module": "Notes", "contact_id": format!("c-{number}"),
                    "parent_type": "Contacts", "parent_name": format!("Oudin {number}")})
            };
            let notes: Vec<Value> = (0..5).map(note).collect();
            let body = json!({"next_offset": -1, "records": notes});
            scripted::json(200, body.to_string().as_bytes())
        });
        let asked = |max: u32| {
            let limit = format!(
                "name: bulk, roles: sales, modules: [Contacts, Notes], data: identity.name, count: {count}, max: {max}/h, then: block"
            );
            let text = format!("{policy}limits:\n  - {{ {limit} }}\n");
            let sources = vec![Source {
                path: "policy.yaml".to_owned(),
                text,
            }];
            let wish = Wish {
                sources,
                ..Wish::default()
            };
            let world = World::scripted(crm.address, wish);
            let target = "/rest/v11_24/Notes?max_num=5&fields=parent_name,parent_type";
            let reply = world.get(target, "t");
            let text = reply.text();
            (reply.status, text.contains("Oudin 3"), text)
        };
        let (status, is_shown, text) = asked(5);
        assert_eq!((status, is_shown), (200, true), "{count}: {text}");
        let (status, is_shown, _) = asked(4);
        assert_eq!((status, is_shown), (429, false), "{count}");
    }
}
