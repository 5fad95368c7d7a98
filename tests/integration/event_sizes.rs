//! How many bytes an event takes in the log, by what happened.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::harness::world::{Wish, World};
use crate::roles::rich_contact;

/// Bytes of an event that lists records, beside those of its references: with the newline.
const LIST_BYTES_MAX: usize = 700;
const REFERENCE_BYTES_MAX: usize = 40;
const LISTED: usize = 20;

/// The lines of the log that belong to a request, in order, each with its newline.
fn lines(world: &World) -> Vec<(Value, usize)> {
    let path = world.audit.path().join("audit-0000000000000001.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let line = |line: &str| (serde_json::from_str(line).unwrap(), line.len() + 1);
    text.lines().map(line).collect()
}

/// Does something, and prints the events that came of it; returns them.
fn measured(world: &World, what: &str, act: impl Fn(&World)) -> Vec<(Value, usize)> {
    // Once before: what is said once a segment has been said then.
    act(world);
    let before = lines(world).len();
    act(world);
    let all = lines(world);
    for (event, bytes) in &all[before..] {
        let kind = [&event["event"], &event["phase"]];
        let kind = kind.into_iter().find_map(Value::as_str);
        let part = if event["part_of"].is_null() {
            ""
        } else {
            " part"
        };
        println!("{what:>16} {:>10}{part} {bytes:>6}", kind.unwrap());
    }
    all[before..].to_vec()
}

#[test]
fn a_list_takes_seven_hundred_bytes_and_forty_a_reference() {
    let world = World::demo();
    let truth = rich_contact(&world);
    let id = truth["id"].as_str().unwrap();
    let one = format!("/rest/v11_24/Contacts/{id}");
    let sally = world.login("sally");
    let read = |target: &str| {
        let (target, token) = (target.to_owned(), sally.clone());
        move |world: &World| {
            world.get(&target, &token);
        }
    };
    measured(&world, "read", read(&one));
    let listed = measured(&world, "list", read("/rest/v11_24/Contacts?max_num=20"));
    measured(
        &world,
        "denied",
        read("/rest/v11_24/Contacts/filter?filter[0][iban_c]=FR76"),
    );
    let phone = AtomicU32::new(0);
    let phone = &phone;
    let write = |method: &'static str, target: &str| {
        let target = target.to_owned();
        let token = sally.clone();
        move |world: &World| {
            let number = phone.fetch_add(1, Ordering::Relaxed);
            let body =
                json!({"last_name": "Oudin", "phone_work": format!("01 99 00 77 {number:02}")});
            world.send(method, &target, Some(&token), Some(&body));
        }
    };
    measured(&world, "create", write("POST", "/rest/v11_24/Contacts"));
    measured(&world, "update", write("PUT", &one));
    measured(&world, "login", |world| {
        world.login("sally");
    });
    let token = sally.clone();
    measured(&world, "bulk", move |world| {
        let requests = json!({"requests": [{"url": format!("/v11_24/Contacts/{}", "x-1")}, {"url": "/v11_24/Contacts/count"}]});
        world.send("POST", "/rest/v11_24/bulk", Some(&token), Some(&requests));
    });
    let world = World::demo_with(Wish {
        held_bytes_max: 32 << 10,
        ..Wish::default()
    });
    let sally = world.login("sally");
    measured(&world, "streamed list", |world| {
        world.get("/rest/v11_24/Contacts?max_num=1000", &sally);
    });

    let [(event, bytes)] = listed.as_slice() else {
        panic!("one event a list: {listed:?}")
    };
    assert_eq!(event["records"]["count"], LISTED, "{event}");
    let bound = LIST_BYTES_MAX + LISTED * REFERENCE_BYTES_MAX;
    assert!(
        *bytes <= bound,
        "{bytes} bytes, and at most {bound}: {event}"
    );
}
