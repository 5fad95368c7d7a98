//! The acceptance checks of the proxy's security, one test each, named after the check.
//!
//! Each runs in this process, or, with `PARAVENT_BINARY`, against a binary (`CONTRIBUTING.md`). What the client, the
//! logs, the metrics and the access log show is scanned for canaries in every form, as in all tests of a
//! [`World`](crate::harness::world::World). Checks about tokens, the access log and reloads stand elsewhere.

mod framing;
mod load;
mod paths;
mod policies;
mod predicates;
mod replies;
mod wire;

use serde_json::{Value, json};

use crate::harness::client::Response;
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

/// What no reply may hold: planted into a field that the caller may not see.
const CANARY: &str = "FR7699999000004001020304033";
const LIST: &str = "/rest/v11_24/Contacts";

/// A proxy before a CRM that answers look-ups of sessions, and everything else by a script.
fn before(script: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static) -> (Scripted, World) {
    before_with(Wish::default(), script)
}

fn before_with(
    wish: Wish,
    script: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static,
) -> (Scripted, World) {
    let crm = Scripted::start(move |request| {
        if request.line.contains("/me ") {
            scripted::me("sally", "Sales")
        } else {
            script(request)
        }
    });
    let world = World::scripted(crm.address, wish);
    world.forbid("canary", CANARY);
    (crm, world)
}

/// A page with one contact: these members, and the canary where it must not be seen.
fn page(members: &str) -> String {
    format!(
        r#"{{"next_offset":-1,"records":[{{"id":"c-1","_module":"Contacts",{members}"religion_c":"{CANARY}","iban_c":"{CANARY}"}}]}}"#
    )
}

fn good_page() -> Vec<u8> {
    scripted::json(200, page("").as_bytes())
}

/// A response with these head lines and this body.
fn with_head(lines: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {lines}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

const JSON_HEAD: &str = "200 OK\r\nContent-Type: application/json";

/// 502 in the CRM's error shape, recorded, with nothing disclosed.
fn assert_unreleased(world: &World, reply: &Response, what: &str) {
    assert_eq!(reply.status, 502, "{what}: {}", reply.text());
    assert_eq!(reply.json()["error"], json!("fatal_error"), "{what}");
    let event = &world.decision(reply)[0];
    let kind = event["outcome"]["kind"].as_str().unwrap();
    assert!(
        ["unfilterable", "upstream-error"].contains(&kind),
        "{what}: {kind}"
    );
    assert_eq!(event["data"], json!([]), "{what}");
}

fn first(reply: &Response) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["records"][0].clone()
}
