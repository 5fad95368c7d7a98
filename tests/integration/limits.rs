//! Limits: how many records a caller is shown in a while, whatever is asked, how, and by how many requests at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use paravent::policy::Source;
use serde_json::{Value, json};

use crate::harness::client::Response;
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

const POLICY: &str = "policy: p
roles:
  sales: { from: { crm.role: Sales }, default_purpose: contract }
purposes:
  contract: { legal_basis: contract, roles: sales }
classify:
  Contacts: { id: technical.id, date_modified: technical.timestamp, last_name: identity.name, description: free_text }
grants:
  - { name: base, roles: sales, data: [technical, identity.name, free_text], level: clear, write: allow }
";
const LIST: &str = "/rest/v11_24/Contacts";

fn contact(number: usize) -> Value {
    json!({"id": format!("c-{number}"), "_module": "Contacts", "last_name": "Oudin", "date_modified": "2026-11-28T10:00:00+00:00",
        "description": "x".repeat(500)})
}

/// A CRM with as many contacts as somebody asks for.
fn crm(request: &Received) -> Vec<u8> {
    let path = request.line.split(' ').nth(1).unwrap();
    let number = |name: &str| {
        let (_, rest) = path.split_once(&format!("{name}="))?;
        rest.split('&').next().unwrap().parse::<usize>().ok()
    };
    let body = match path.rsplit_once("/c-") {
        _ if path.ends_with("/me") => return scripted::me("sally", "Sales"),
        Some((_, id)) => contact(id.split('?').next().unwrap().parse().unwrap()),
        None if request.line.starts_with("POST") => contact(9_999),
        None => {
            let first = number("offset").unwrap_or(0);
            let records = (first..first + number("max_num").unwrap_or(20)).map(contact);
            let mut records: Vec<Value> = records.collect();
            if path.contains("fields=") {
                let fields = records.iter_mut().flat_map(|one| one.as_object_mut());
                fields.for_each(|fields| {
                    fields.retain(|name, _| !matches!(&**name, "last_name" | "description"))
                });
            }
            json!({"next_offset": -1, "records": records})
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

fn page(first: usize, count: usize) -> String {
    format!("{LIST}?max_num={count}&offset={first}")
}

fn count_of(reply: &Response) -> usize {
    reply.json()["records"].as_array().map_or(0, Vec::len)
}

/// How a request ended; that is written behind the last byte of a reply that is cut off.
fn outcome(world: &World, reply: &Response) -> Value {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let events = world.decision(reply);
        let outcome = &events.last().unwrap()["outcome"];
        if outcome["kind"].is_string() {
            return outcome.clone();
        }
        assert!(Instant::now() < deadline, "it never ended");
        std::thread::sleep(Duration::from_millis(5));
    }
}

const BLOCK: &str = "name: bulk, roles: sales, count: records, max: 50/h, then: block";

#[test]
fn a_reply_that_would_cross_is_refused_whole_and_nothing_of_it_counts() {
    let crm = Scripted::start(crm);
    let world = World::scripted(crm.address, wish(&[BLOCK]));
    let first = world.get(&page(0, 39), "t");
    assert_eq!((first.status, first.header("paravent-limit")), (200, None));
    let most = world.get(&page(0, 45), "t");
    assert_eq!(most.status, 200);
    assert_eq!(
        most.header("paravent-limit"),
        Some("bulk; used=45; max=50; window=1h")
    );
    for _ in 0..2 {
        let over = world.get(&page(40, 11), "t");
        assert_eq!(over.status, 429);
        let seconds: u32 = over.header("retry-after").unwrap().parse().unwrap();
        assert!((3_500..=3_900).contains(&seconds), "{seconds}");
        assert_eq!(
            over.header("paravent-limit"),
            Some("bulk; used=45; max=50; window=1h")
        );
        let ended = outcome(&world, &over);
        assert_eq!(
            (&ended["kind"], &ended["reason"]),
            (&json!("limited"), &json!("limit-reached"))
        );
        let event = &world.decision(&over)[0];
        assert_eq!(event["records"]["count"], json!(0));
    }
    assert_eq!(world.get(&page(40, 10), "t").status, 200);
    assert_eq!(world.get(&page(50, 1), "t").status, 429);
    // What was shown already may be shown again, and what is technical is free.
    assert_eq!(world.get(&page(0, 50), "t").status, 200);
    assert_eq!(
        world
            .get(&format!("{LIST}?max_num=900&fields=date_modified"), "t")
            .status,
        200
    );
    let events = world.events();
    let told: Vec<_> = events
        .iter()
        .filter(|one| one["event"] == "limit.records")
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["limit"], "bulk");
    assert_eq!(
        (&told[0]["max"], &told[0]["would_be"], &told[0]["window"]),
        (&json!(50), &json!(51), &json!("1h"))
    );
    assert!(
        world
            .metrics()
            .contains("paravent_limits_reached_total{limit=\"bulk\"} 1")
    );
}

#[test]
fn fifty_requests_at_once_show_no_more_than_one_behind_the_other() {
    let crm = Scripted::start(crm);
    let world = World::scripted(crm.address, wish(&[BLOCK]));
    let (begin, records) = (Barrier::new(50), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (world, begin, records) = (&world, &begin, &records);
            scope.spawn(move || {
                begin.wait();
                let reply = world.get(&page(number * 4, 4), "t");
                assert!(matches!(reply.status, 200 | 429), "{}", reply.status);
                if reply.status == 200 {
                    records.fetch_add(count_of(&reply), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(records.into_inner(), 48);
}

#[test]
fn a_write_whose_reply_could_not_be_shown_is_not_carried_out() {
    let crm = Scripted::start(crm);
    let world = World::scripted(crm.address, wish(&[BLOCK]));
    assert_eq!(world.get(&page(0, 50), "t").status, 200);
    let _ = crm.take();
    let body = json!({"last_name": "Arnal"});
    let created = world.send("POST", LIST, Some("t"), Some(&body));
    assert_eq!(created.status, 429);
    assert!(crm.take().iter().all(|one| !one.line.starts_with("POST")));
    // One that was shown already may be written.
    let updated = world.send("PUT", &format!("{LIST}/c-3"), Some("t"), Some(&body));
    assert_eq!(updated.status, 200);
}

#[test]
fn the_parts_of_a_bulk_request_count_one_by_one() {
    let crm = Scripted::start(crm);
    let world = World::scripted(crm.address, wish(&[BLOCK]));
    let part = |first| json!({"url": format!("/v11_24/Contacts?max_num=20&offset={first}"), "method": "GET"});
    let body = json!({"requests": [part(0), part(20), part(40), part(0)]});
    let reply = world.send("POST", "/rest/v11_24/bulk", Some("t"), Some(&body));
    let statuses: Vec<Value> = (reply.json().as_array().unwrap().iter())
        .map(|part| part["status"].clone())
        .collect();
    assert_eq!(statuses, [200, 200, 429, 200].map(Value::from));
    assert_eq!(
        reply.header("paravent-limit"),
        Some("bulk; used=40; max=50; window=1h")
    );
}

#[test]
fn a_stream_ends_before_what_would_cross() {
    let crm = Scripted::start(crm);
    let limit = "name: bulk, count: records, max: 500/h, then: block";
    let world = World::scripted(
        crm.address,
        Wish {
            held_bytes_max: 64 * 1024,
            ..wish(&[limit])
        },
    );
    let reply = world.get(&page(0, 900), "t");
    assert!(reply.status == 200 && !reply.complete);
    let shown = reply.text().matches("\"c-").count();
    assert!((1..=500).contains(&shown), "{shown}");
    let ended = outcome(&world, &reply);
    assert_eq!(
        (&ended["kind"], &ended["reason"]),
        (&json!("limited"), &json!("limit-reached"))
    );
    // What has not left does not count.
    assert_eq!(world.get(&page(shown, 500 - shown), "t").status, 200);
    assert_eq!(world.get(&page(2_000, 1), "t").status, 429);
}

#[test]
fn a_stream_ends_before_what_would_cross_though_only_a_pattern_knows_what_it_counts() {
    let crm = Scripted::start(crm);
    let text = POLICY.replace("last_name: identity.name,", "\"last*\": identity.name,")
        + "limits:\n  - { name: names, count: records, data: identity, max: 500/h, then: block }\n";
    let path = "policy.yaml".to_owned();
    let world = World::scripted(
        crm.address,
        Wish {
            held_bytes_max: 64 * 1024,
            sources: vec![Source { path, text }],
            ..Wish::default()
        },
    );
    let reply = world.get(&page(0, 900), "t");
    assert!(reply.status == 200 && !reply.complete);
    let shown = reply.text().matches("\"c-").count();
    assert!((1..=500).contains(&shown), "{shown}");
    // Before anything leaves, the log says that such fields may be shown.
    let opened = &world.decision(&reply)[0];
    let mut data = opened["data"].as_array().unwrap().iter();
    assert!(
        data.any(|one| one["category"] == "identity.name" && one["level"] == "clear"),
        "{opened}"
    );
}

#[test]
fn what_is_found_in_the_texts_of_a_list_counts() {
    let tags = |_: &Received| {
        let tagged = |number: usize| json!({"id": format!("c-{number}"), "_module": "Contacts", "tag": [{"id": "t", "name": "FR7630006000011234567890189"}]});
        let body = json!({"next_offset": -1, "records": (0..3).map(tagged).collect::<Vec<_>>()});
        scripted::json(200, body.to_string().as_bytes())
    };
    let crm = Scripted::start(move |request| match request.line.contains("/me") {
        true => scripted::me("sally", "Sales"),
        false => tags(request),
    });
    let text = POLICY.replace("description: free_text", "tag: free_text")
        + "  - { name: iban, roles: sales, data: financial, level: mask }
detectors: [ { name: d, in: free_text, find: [iban] } ]
limits: [ { name: bank, roles: sales, count: records, data: financial, max: 1/h, then: block } ]
";
    let path = "policy.yaml".to_owned();
    let world = World::scripted(
        crm.address,
        Wish {
            sources: vec![Source { path, text }],
            ..Wish::default()
        },
    );
    assert_eq!(world.get(LIST, "t").status, 429);
}

#[test]
fn that_an_exception_showed_something_is_told_once() {
    let crm = Scripted::start(crm);
    let today = jiff::Zoned::now().date();
    let (from, until) = (today.yesterday().unwrap(), today.tomorrow().unwrap());
    let exceptions = format!(
        "caps: [ {{ name: names-hidden, data: identity.name, level: redact }} ]
exceptions:
  - {{ name: year-end, lifts: names-hidden, roles: sales, from: {from}, until: {until}, ticket: T, approved_by: [a@example.com, b@example.com], why: x }}
"
    );
    let path = "policy.yaml".to_owned();
    let text = format!("{POLICY}{exceptions}");
    let world = World::scripted(
        crm.address,
        Wish {
            sources: vec![Source { path, text }],
            ..Wish::default()
        },
    );
    for _ in 0..2 {
        let reply = world.get(&page(0, 3), "t");
        assert_eq!(reply.status, 200);
        assert!(reply.text().contains("Oudin"));
        let closed = world.decision(&reply).pop().unwrap();
        let mut data = closed["data"].as_array().unwrap().iter();
        let names = data.find(|one| one["category"] == "identity.name").unwrap();
        assert_eq!(names["by"], json!(["base", "exception.year-end"]));
    }
    // What it does not lift is shown by other rules.
    let reply = world.get(&format!("{LIST}?max_num=1&fields=date_modified"), "t");
    let closed = world.decision(&reply).pop().unwrap();
    assert!(!closed["data"].to_string().contains("exception."));
    let events = world.events();
    let told: Vec<&Value> = events
        .iter()
        .filter(|one| one["event"] == "exception.used")
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["exception"], "exception.year-end");
    assert!(!told[0].to_string().contains("Oudin"));
}

#[test]
fn a_limit_that_only_alerts_holds_nothing_back() {
    let crm = Scripted::start(crm);
    let limit = "name: busy, count: records, max: 10/d, then: alert";
    let world = World::scripted(crm.address, wish(&[limit]));
    for first in [0, 8, 16] {
        assert_eq!(world.get(&page(first, 8), "t").status, 200);
    }
    let events = world.events();
    let told = events.iter().filter(|one| one["event"] == "limit.records");
    let told: Vec<_> = told
        .map(|one| (one["then"].clone(), one["would_be"].clone()))
        .collect();
    assert_eq!(told, [(json!("alert"), json!(16))]);
}

#[test]
fn a_restart_counts_what_the_log_tells() {
    let crm = Scripted::start(crm);
    let mut world = World::scripted(
        crm.address,
        Wish {
            held_bytes_max: 16 * 1024,
            ..wish(&[BLOCK])
        },
    );
    assert_eq!(world.get(&page(0, 45), "t").status, 200);
    assert_eq!(world.get(&page(40, 11), "t").status, 429);
    world.restart(wish(&[BLOCK]));
    assert_eq!(world.get(&page(40, 11), "t").status, 429);
    assert_eq!(world.get(&page(40, 10), "t").status, 200);
    assert_eq!(world.get(&page(50, 1), "t").status, 429);
    let events = world.events();
    let told = events.iter().filter(|one| one["event"] == "limit.records");
    assert_eq!(told.count(), 1, "it was told before");
    // Another limit counts the same log. What streamed counts as well.
    let other = "name: other, count: records, max: 60/d, then: block";
    world.restart(wish(&[other]));
    assert_eq!(world.get(&page(50, 10), "t").status, 200);
    assert_eq!(world.get(&page(60, 1), "t").status, 429);
}
