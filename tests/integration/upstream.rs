//! A CRM that misbehaves: nothing of what cannot be filtered is released.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::harness::scripted::{self, Scripted};
use crate::harness::world::{Wish, World};

const CANARY: &str = "canary-4471-belief";

fn before(response: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> (Scripted, World) {
    before_with(Wish::default(), response)
}

fn before_with(
    wish: Wish,
    response: impl Fn() -> Vec<u8> + Send + Sync + 'static,
) -> (Scripted, World) {
    let crm = Scripted::start(move |request| {
        if request.line.contains("/me ") {
            scripted::me("sally", "Sales")
        } else {
            response()
        }
    });
    let world = World::scripted(crm.address, wish);
    world.forbid("religion_c", CANARY);
    (crm, world)
}

fn with_head(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The one header of an error's head that means something to the caller: when to ask again, as a number within bounds.
#[test]
fn when_to_ask_again_is_told_as_the_crm_says_it() {
    for (status, stated, told) in [
        ("429 Slow", Some("17"), Some("17")),
        ("503 Busy", Some("120"), Some("120")),
        ("503 Busy", Some("99999999999"), Some("3600")),
        ("503 Busy", None, Some("5")),
        ("429 Slow", Some("Sun, 29 Nov 2026 10:00:00 GMT"), Some("5")),
        ("429 Slow", Some("-1"), Some("5")),
        ("429 Slow", Some("1\r\nRetry-After: 2"), Some("5")),
        ("403 No", Some("17"), None),
        ("500 Broken", Some("17"), None),
    ] {
        let stated = stated.map_or(String::new(), |stated| format!("\r\nRetry-After: {stated}"));
        let head = format!("{status}\r\nContent-Type: application/json{stated}");
        let (_crm, world) = before(move || with_head(&head, b"{}"));
        let reply = world.get("/rest/v11_24/Contacts/c-1", "any");
        assert_eq!(reply.status.to_string(), status[..3], "{}", reply.text());
        assert_eq!(reply.header("retry-after"), told, "{status} {stated}");
    }
}

#[test]
fn what_cannot_be_filtered_is_502_and_nothing_of_it_leaves() {
    let record = format!(r#"{{"id":"c-1","_module":"Contacts","religion_c":"{CANARY}"}}"#);
    let list = format!(r#"{{"next_offset":-1,"records":[{record}]}}"#);
    let json_head = "200 OK\r\nContent-Type: application/json";
    let mut cases: Vec<(&str, Vec<u8>)> = vec![
        (
            "cut off",
            scripted::json(200, &list.as_bytes()[..list.len() - 2]),
        ),
        (
            "followed by something",
            scripted::json(200, format!("{list} {list}").as_bytes()),
        ),
        (
            "not JSON",
            scripted::json(200, format!("<b>{CANARY}</b>").as_bytes()),
        ),
        (
            "a BOM",
            scripted::json(200, format!("\u{feff}{list}").as_bytes()),
        ),
        (
            "not UTF-8",
            scripted::json(200, &[list.as_bytes(), b"\xff"].concat()),
        ),
        (
            "a list where a record was asked",
            scripted::json(200, format!("[{record}]").as_bytes()),
        ),
        (
            "an error shape with 200",
            scripted::json(
                200,
                format!(r#"{{"error":"x","error_message":"{CANARY}"}}"#).as_bytes(),
            ),
        ),
        (
            "another module",
            scripted::json(200, list.replace("\"Contacts\"", "\"Users\"").as_bytes()),
        ),
        (
            "a key twice",
            scripted::json(
                200,
                list.replace("\"id\"", "\"religion_c\":1,\"id\"").as_bytes(),
            ),
        ),
        (
            "too deep",
            scripted::json(
                200,
                list.replace(
                    "\"c-1\"",
                    &format!("{}{}", "[".repeat(500), "]".repeat(500)),
                )
                .as_bytes(),
            ),
        ),
        (
            "HTML",
            with_head("200 OK\r\nContent-Type: text/html", list.as_bytes()),
        ),
        ("no content type", with_head("200 OK", list.as_bytes())),
        (
            "two content types",
            with_head(
                "200 OK\r\nContent-Type: application/json\r\nContent-Type: text/html",
                list.as_bytes(),
            ),
        ),
        (
            "UTF-16",
            with_head(
                "200 OK\r\nContent-Type: application/json; charset=utf-16",
                list.as_bytes(),
            ),
        ),
        (
            "an unknown coding",
            with_head(
                &format!("{json_head}\r\nContent-Encoding: compress"),
                list.as_bytes(),
            ),
        ),
        (
            "two codings",
            with_head(
                &format!("{json_head}\r\nContent-Encoding: gzip, gzip"),
                list.as_bytes(),
            ),
        ),
        (
            "a lie about gzip",
            with_head(
                &format!("{json_head}\r\nContent-Encoding: gzip"),
                list.as_bytes(),
            ),
        ),
        (
            "a redirect",
            with_head(
                &format!("302 Found\r\nLocation: http://evil.example/{CANARY}"),
                b"",
            ),
        ),
        (
            "not modified",
            with_head("304 Not Modified\r\nETag: x", b""),
        ),
        (
            "switching protocols",
            format!("HTTP/1.1 101 {CANARY}\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n{list}")
                .into_bytes(),
        ),
        ("no HTTP", format!("{CANARY}\r\n\r\n").into_bytes()),
        ("silence", Vec::new()),
        ("no content", with_head("204 No Content", b"")),
    ];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(list.as_bytes()).unwrap();
    let mut gzip = gzip.finish().unwrap();
    let last = gzip.len() - 6;
    gzip[last] ^= 1;
    cases.push((
        "a bad checksum",
        with_head(&format!("{json_head}\r\nContent-Encoding: gzip"), &gzip),
    ));
    for (what, response) in cases {
        let (_crm, world) = before(move || response.clone());
        let reply = world.get("/rest/v11_24/Contacts", "tok-1");
        assert_eq!(reply.status, 502, "{what}: {}", reply.text());
        assert_eq!(reply.json()["error"], json!("fatal_error"), "{what}");
        let event = &world.decision(&reply)[0];
        assert!(
            ["unfilterable", "upstream-error"]
                .contains(&event["outcome"]["kind"].as_str().unwrap()),
            "{what}: {event}"
        );
        assert_eq!(event["data"], json!([]), "{what}: nothing was disclosed");
    }
}

#[test]
fn codings_nobody_asked_for_are_undone() {
    let list = format!(
        r#"{{"next_offset":-1,"records":[{{"id":"c-1","_module":"Contacts","last_name":"Oudin","religion_c":"{CANARY}"}}]}}"#
    );
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(list.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let (_crm, world) = before(move || {
        with_head(
            "200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip",
            &gzip,
        )
    });
    let reply = world.get("/rest/v11_24/Contacts", "tok-1");
    assert_eq!(
        (reply.status, reply.header("content-encoding")),
        (200, None)
    );
    assert_eq!(reply.json()["records"][0]["last_name"], json!("Oudin"));
}

#[test]
fn heads_reason_phrases_and_trailers_of_the_crm_stay_behind() {
    let list = r#"{"next_offset":-1,"records":[{"id":"c-1","_module":"Contacts"}]}"#;
    let response = format!(
        "HTTP/1.1 200 {CANARY}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nX-Religion: {CANARY}\r\nSet-Cookie: a={CANARY}\r\nETag: \"{CANARY}\"\r\nTrailer: X-T\r\nConnection: close\r\n\r\n{:x}\r\n{list}\r\n0\r\nX-T: {CANARY}\r\n\r\n",
        list.len()
    );
    let (crm, world) = before(move || response.clone().into_bytes());
    let reply = world.get("/rest/v11_24/Contacts", "tok-1");
    assert_eq!(reply.status, 200);
    assert!(reply.raw.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let received = crm.take();
    let [request] = received.as_slice() else {
        panic!("one request")
    };
    assert_eq!(request.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert_eq!(request.header("oauth-token"), Some("tok-1"));
    let mut names: Vec<_> = request
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "host",
            "oauth-token",
            "user-agent",
            "x-forwarded-for"
        ]
    );
}

#[test]
fn what_the_caller_sends_beside_the_request_stays_behind() {
    let (crm, world) = before(|| scripted::json(200, br#"{"next_offset":-1,"records":[]}"#));
    let request = "GET /rest/v11_24/Contacts?max_num=5 HTTP/1.1\r\nHost: a\r\nOAuth-Token: tok-1\r\nCookie: PHPSESSID=x\r\nX-Forwarded-For: 1.2.3.4\r\nX-Sugar-Platform: portal\r\nIf-None-Match: x\r\nRange: bytes=0-1\r\nX-Role: admin\r\nConnection: close\r\n\r\n";
    assert_eq!(world.send_raw(world.proxy, request.as_bytes()).status, 200);
    let received = crm.take();
    assert_eq!(
        received[0].line,
        "GET /rest/v11_24/Contacts?max_num=5 HTTP/1.1"
    );
    for name in [
        "cookie",
        "x-sugar-platform",
        "if-none-match",
        "range",
        "x-role",
    ] {
        assert_eq!(received[0].header(name), None, "{name}");
    }
    // Our own look-up of the session carries the caller's address too, and nothing else of the caller but the credential.
    assert_eq!(world.get("/rest/v11_24/Contacts", "tok-2").status, 200);
    for request in crm.take_all() {
        let addresses = request
            .headers
            .iter()
            .filter(|(name, _)| name.contains("forwarded"));
        assert_eq!(addresses.count(), 1, "{}", request.line);
        assert_eq!(request.header("x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(request.header("oauth-token"), Some("tok-2"));
    }
    assert_eq!(received[0].header("x-forwarded-for"), Some("127.0.0.1"));
}

#[test]
fn error_replies_keep_their_status_and_lose_their_words() {
    for (status, label, expected) in [
        (401, "invalid_grant", "invalid_grant"),
        (403, "not_authorized", "not_authorized"),
        (404, "not_found", "not_found"),
        (409, "edit_conflict", "edit_conflict"),
        (412, "metadata_out_of_date", "metadata_out_of_date"),
        (422, "invalid_parameter", "invalid_parameter"),
        (500, CANARY, "fatal_error"),
    ] {
        let body = format!(
            r#"{{"error":"{label}","error_message":"value {CANARY}","record":{{"religion_c":"{CANARY}"}}}}"#
        );
        let (_crm, world) = before(move || scripted::json(status, body.as_bytes()));
        let reply = world.get("/rest/v11_24/Contacts/c-1", "tok-1");
        assert_eq!(
            (reply.status, &reply.json()["error"]),
            (status, &json!(expected))
        );
        assert_eq!(
            world.decision(&reply)[0]["outcome"]["kind"],
            json!("upstream-error")
        );
    }
}

#[test]
fn a_crm_that_is_down_or_slow_is_said_to_be_so() {
    let world = World::scripted("127.0.0.1:1".parse().unwrap(), Wish::default());
    assert_eq!(world.send("POST", "/rest/v11_24/oauth2/token", None, Some(&json!({"grant_type": "password", "client_id": "sugar", "username": "u", "password": "p"}))).status, 502);
    let wish = Wish {
        first_byte: Duration::from_millis(300),
        ..Wish::default()
    };
    let (_crm, world) = before_with(wish, || {
        std::thread::sleep(Duration::from_secs(2));
        scripted::json(200, b"{}")
    });
    assert_eq!(world.get("/rest/v11_24/Contacts", "tok-1").status, 504);
}

#[test]
fn a_session_is_looked_up_once_and_forgotten_when_the_crm_says_401() {
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, alive) = (asked.clone(), Arc::new(AtomicUsize::new(1)));
    let living = alive.clone();
    let crm = Scripted::start(move |request| {
        let gone = living.load(Ordering::SeqCst) == 0;
        if request.line.contains("/me ") {
            count.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(200));
        }
        match (request.line.contains("/me "), gone) {
            (_, true) => scripted::json(
                401,
                b"{\"error\":\"invalid_grant\",\"error_message\":\"x\"}",
            ),
            (true, false) => scripted::me("sally", "Sales"),
            (false, false) => scripted::json(200, br#"{"next_offset":-1,"records":[]}"#),
        }
    });
    let world = World::scripted(crm.address, Wish::default());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(world.get("/rest/v11_24/Contacts", "tok-1").status, 200));
        }
    });
    assert_eq!(
        asked.load(Ordering::SeqCst),
        1,
        "one request per unknown credential is in flight"
    );
    alive.store(0, Ordering::SeqCst);
    assert_eq!(world.get("/rest/v11_24/Contacts", "tok-1").status, 401);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(world.get("/rest/v11_24/Contacts", "tok-1").status, 401);
    assert_eq!(
        asked.load(Ordering::SeqCst),
        2,
        "the session was forgotten, and asked for again"
    );
}

#[test]
fn a_reply_too_large_to_hold_streams_after_its_opening_event_and_is_cut_when_it_breaks() {
    let record = |n: usize| {
        format!(
            r#"{{"id":"c-{n}","_module":"Contacts","last_name":"Oudin","religion_c":"{CANARY}","description":"{}"}}"#,
            "x".repeat(1_000)
        )
    };
    let list = |count: usize| {
        format!(
            r#"{{"next_offset":-1,"records":[{}]}}"#,
            (0..count).map(record).collect::<Vec<_>>().join(",")
        )
    };
    let wish = Wish {
        held_bytes_max: 64 * 1024,
        ..Wish::default()
    };
    let whole = list(2_500);
    let (_crm, world) = before_with(wish.clone(), move || scripted::json(200, whole.as_bytes()));
    let reply = world.get("/rest/v11_24/Contacts?max_num=1000", "tok-1");
    assert!(reply.status == 200 && reply.complete);
    assert_eq!(
        reply.header("paravent-withheld"),
        None,
        "not known when the first byte leaves"
    );
    assert_eq!(reply.json()["records"].as_array().unwrap().len(), 2_500);
    let events = world.decision(&reply);
    let phases: Vec<_> = events
        .iter()
        .map(|event| event["phase"].as_str().unwrap())
        .collect();
    assert_eq!(
        (phases.first(), phases.last()),
        (Some(&"opened"), Some(&"closed"))
    );
    let refs: usize = events
        .iter()
        .map(|event| event["records"]["refs"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(refs, 2_500, "every record is named");
    assert!(events.iter().all(|event| {
        event["records"]["refs"]
            .as_array()
            .is_none_or(|refs| refs.len() <= 1_000)
    }));

    let broken = list(2_500).replace(r#""id":"c-2400""#, r#""id":"c-2400","#);
    let (_crm, world) = before_with(wish, move || scripted::json(200, broken.as_bytes()));
    let reply = world.get("/rest/v11_24/Contacts?max_num=1000", "tok-1");
    assert!(
        reply.status == 200 && !reply.complete,
        "the connection is cut"
    );
    assert!(
        !reply.text().contains("c-2400"),
        "nothing held back is flushed"
    );
    let events = world.decision(&reply);
    assert_eq!(
        events.last().unwrap()["outcome"]["kind"],
        json!("unfilterable")
    );
}

#[test]
fn a_record_over_its_bound_is_refused() {
    let wish = Wish {
        record_bytes_max: 10_000,
        ..Wish::default()
    };
    let body = format!(
        r#"{{"next_offset":-1,"records":[{{"id":"c-1","religion_c":"{}{CANARY}"}}]}}"#,
        "x".repeat(20_000)
    );
    let (_crm, world) = before_with(wish, move || scripted::json(200, body.as_bytes()));
    assert_eq!(world.get("/rest/v11_24/Contacts", "tok-1").status, 502);
}

#[test]
fn what_the_crm_says_of_its_own_fields_is_learned_as_it_passes() {
    let metadata = json!({
        "modules": {"Contacts": {"fields": {
            "helpers_c": {"name": "helpers_c", "type": "link", "relationship": "contacts_helpers"},
            "helper_name_c": {"type": "relate", "module": "Contacts", "rname": "last_name"},
            "secret_c": {"type": "relate", "module": "Contacts", "rname": "religion_c"},
            "shoe_size_c": {"type": "int"},
        }}},
        "relationships": {"contacts_helpers": {"lhs_module": "Contacts", "rhs_module": "Contacts"}},
    });
    let record = json!({
        "id": "c-1", "_module": "Contacts", "helper_name_c": "Vasseur", "secret_c": CANARY, "shoe_size_c": 44,
    });
    let crm = Scripted::start(move |request| {
        let body = match request.line.split(' ').nth(1).unwrap() {
            path if path.ends_with("/me") => return scripted::me("sally", "Sales"),
            path if path.ends_with("/metadata") => metadata.clone(),
            path if path.contains("/link/") => json!({"next_offset": -1, "records": [record]}),
            _ => record.clone(),
        };
        scripted::json(200, body.to_string().as_bytes())
    });
    let wish = Wish {
        learn: true,
        ..Wish::default()
    };
    let world = World::scripted(crm.address, wish);
    world.forbid("religion_c", CANARY);
    let contact = "/rest/v11_24/Contacts/c-1";
    let helpers = "/rest/v11_24/Contacts/c-1/link/helpers_c";

    assert_eq!(world.get(contact, "t").json()["helper_name_c"], json!(null));
    assert_eq!(
        world.get(helpers, "t").status,
        403,
        "nobody knows this link"
    );
    assert_eq!(world.get("/rest/v11_24/metadata", "t").status, 200);
    let read = world.get(contact, "t").json();
    assert_eq!(read["helper_name_c"], json!("Vasseur"));
    assert!(
        read.get("secret_c").is_none(),
        "a copy is hidden like what it copies"
    );
    assert_eq!(read["shoe_size_c"], json!(null), "nobody has classified it");
    let list = world.get(helpers, "t").json();
    assert_eq!(list["records"][0]["helper_name_c"], json!("Vasseur"));
    assert!(
        world
            .metrics()
            .contains("paravent_unclassified_fields{dialect=\"sugar-rest\"} ")
    );
}
