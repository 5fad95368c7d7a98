//! Replies that are too large to hold: what an event covers does not depend on the pieces in which the CRM sends them, and
//! nothing waits for more than a moment.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::client::{self, Request};
use crate::harness::scripted::{self, Scripted};
use crate::harness::world::{Wish, World};

fn record(number: usize) -> String {
    format!(
        r#"{{"id":"c-{number}","_module":"Contacts","last_name":"Oudin","description":"{}"}}"#,
        "x".repeat(500)
    )
}

/// A chunk of a chunked body.
fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";

fn wish() -> Wish {
    Wish {
        held_bytes_max: 64 * 1024,
        ..Wish::default()
    }
}

/// How many events a list of 9,000 records costs that comes with so many in a chunk.
fn events_of(records_in_chunk: usize) -> usize {
    let crm = Scripted::misbehaving(move |request, socket| {
        if request.line.contains("/me ") {
            let _ = socket.write_all(&scripted::me("sally", "Sales"));
            return false;
        }
        let _ = socket.set_nodelay(true);
        let _ = socket.write_all(HEAD);
        let _ = socket.write_all(&chunk(r#"{"next_offset":-1,"records":["#));
        for first in (0..9_000).step_by(records_in_chunk) {
            let last = 9_000.min(first + records_in_chunk);
            let records: Vec<String> = (first..last).map(record).collect();
            let comma = if first > 0 { "," } else { "" };
            let _ = socket.write_all(&chunk(&format!("{comma}{}", records.join(","))));
        }
        let _ = socket.write_all(&[&chunk("]}"), &b"0\r\n\r\n"[..]].concat());
        false
    });
    let world = World::scripted(crm.address, wish());
    let reply = world.get("/rest/v11_24/Contacts?max_num=1000", "tok-1");
    assert!(reply.status == 200 && reply.complete);
    assert_eq!(reply.json()["records"].as_array().unwrap().len(), 9_000);
    let events = world.decision(&reply);
    let refs = events
        .iter()
        .flat_map(|event| event["records"]["refs"].as_array().unwrap());
    assert_eq!(refs.count(), 9_000, "every record is named");
    assert_eq!(events.last().unwrap()["records"]["count"], json!(9_000));
    events.len()
}

#[test]
fn what_an_event_covers_does_not_depend_on_the_chunks_of_the_crm() {
    let (batches, singles) = (events_of(100), events_of(1));
    // The whole is 5 MB, of which 64 KiB may be held: some 80 pieces, and a few more where the CRM was slow.
    for events in [batches, singles] {
        assert!(events < 400, "{batches} and {singles} events");
    }
}

#[test]
fn what_a_slow_crm_has_sent_reaches_the_caller_before_the_rest_comes() {
    let (arrived, awaited) = mpsc::channel::<()>();
    let awaited = Arc::new(Mutex::new(awaited));
    let crm = Scripted::misbehaving(move |request, socket| {
        if request.line.contains("/me ") {
            let _ = socket.write_all(&scripted::me("sally", "Sales"));
            return false;
        }
        let first: Vec<String> = (0..200).map(record).collect();
        let begun = format!(r#"{{"next_offset":-1,"records":[{}"#, first.join(","));
        let _ = socket.write_all(&[HEAD, &chunk(&begun)].concat());
        for number in 200..205 {
            let _ = socket.write_all(&chunk(&format!(",{}", record(number))));
            // It goes on only once the caller has this one.
            let awaited = awaited.lock().unwrap();
            if awaited.recv_timeout(client::PATIENCE).is_err() {
                return false;
            }
        }
        let _ = socket.write_all(&[&chunk("]}"), &b"0\r\n\r\n"[..]].concat());
        false
    });
    let world = World::scripted(crm.address, wish());
    let request = Request {
        method: "GET",
        target: "/rest/v11_24/Contacts?max_num=1000",
        headers: vec![("OAuth-Token", "t".to_owned())],
        body: None,
    };
    let mut socket = TcpStream::connect(world.proxy).unwrap();
    socket.set_read_timeout(Some(client::PATIENCE)).unwrap();
    socket.write_all(&request.bytes("a")).unwrap();
    let (mut seen, mut next) = (String::new(), 200);
    let mut bytes = [0; 16_384];
    loop {
        let count = socket.read(&mut bytes).unwrap();
        if count == 0 {
            break;
        }
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        while seen.contains(&format!("\"c-{next}\"")) {
            // Its event is there before it is.
            let record = json!(format!("Contacts/c-{next}"));
            let is_named = |event: &Value| {
                let refs = event["records"]["refs"].as_array();
                refs.is_some_and(|refs| refs.contains(&record))
            };
            assert!(world.events().iter().any(is_named), "{next}");
            arrived.send(()).unwrap();
            next += 1;
        }
    }
    assert_eq!(next, 205, "something was held back");
    assert!(seen.ends_with("0\r\n\r\n"), "the reply is whole");
}
