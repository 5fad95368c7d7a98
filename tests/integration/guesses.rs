//! Whoever guesses is held back; whoever is only one of many is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::client::Response;
use crate::harness::scripted::{self, Received, Scripted};
use crate::harness::world::{Wish, World};

const TOKEN: &str = "/rest/v11_24/oauth2/token";
const CONTACTS: &str = "/rest/v11_24/Contacts";

/// The bound that a configuration has if it states none.
fn usual() -> Wish {
    Wish {
        logins_per_minute: 30,
        ..Wish::default()
    }
}

/// A CRM that knows the password `right`, and every session whose token begins with `good`.
fn crm(request: &Received) -> Vec<u8> {
    let refused = || scripted::json(401, br#"{"error":"need_login","error_message":"x"}"#);
    if request.line.contains("/oauth2/token ") {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        return match body["password"] == json!("right") {
            true => scripted::json(200, br#"{"access_token":"good","expires_in":3600}"#),
            false => refused(),
        };
    }
    let token = request.header("oauth-token").unwrap_or_default();
    match token.strip_prefix("good") {
        None => refused(),
        Some(name) if request.line.contains("/me ") => {
            // As long as a CRM takes, so that many are asked about at once.
            std::thread::sleep(Duration::from_millis(30));
            scripted::me(&format!("u{name}"), "Sales")
        }
        Some(_) => scripted::json(200, br#"{"next_offset":-1,"records":[]}"#),
    }
}

fn log_in(world: &World, account: &str, password: &str) -> Response {
    let body = json!({"grant_type": "password", "client_id": "sugar", "username": account, "password": password});
    world.send("POST", TOKEN, None, Some(&body))
}

/// The statuses of requests that are made at once.
fn at_once(count: usize, request: impl Fn(usize) -> u16 + Sync) -> Vec<u16> {
    std::thread::scope(|scope| {
        let request = &request;
        let asking: Vec<_> = (0..count)
            .map(|number| scope.spawn(move || request(number)))
            .collect();
        asking
            .into_iter()
            .map(|asking| asking.join().unwrap())
            .collect()
    })
}

#[test]
fn eighty_people_behind_one_address_pass_after_a_restart() {
    let crm = Scripted::start(crm);
    for _restart in 0..2 {
        let world = World::scripted(crm.address, usual());
        let statuses = at_once(80, |number| {
            world.get(CONTACTS, &format!("good-{number}")).status
        });
        assert_eq!(statuses, [200; 80]);
    }
}

#[test]
fn forty_five_honest_logins_a_minute_pass() {
    let crm = Scripted::start(crm);
    let world = World::scripted(crm.address, usual());
    for number in 0..45 {
        let reply = log_in(&world, &format!("user-{number}"), "right");
        assert_eq!(reply.status, 200, "{number}: {}", reply.text());
    }
    let statuses = at_once(45, |_| log_in(&world, "everybody", "right").status);
    assert_eq!(statuses, [200; 45], "and many at once with one account");
}

#[test]
fn guesses_are_bounded_however_many_are_made_at_once() {
    let crm = Scripted::start(|request| {
        std::thread::sleep(Duration::from_millis(100));
        crm(request)
    });
    let wish = Wish {
        logins_per_minute: 4,
        ..Wish::default()
    };
    let world = World::scripted(crm.address, wish);
    let refused = |statuses: Vec<u16>| statuses.iter().filter(|status| **status == 429).count();
    let logins = at_once(40, |number| {
        log_in(&world, &format!("user-{number}"), "wrong").status
    });
    assert_eq!(refused(logins), 36);
    assert_eq!(crm.take().len(), 4);
    let sessions = at_once(40, |number| {
        world.get(CONTACTS, &format!("bad-{number}")).status
    });
    assert_eq!(refused(sessions), 36);
    assert_eq!(crm.take_all().len(), 4);
}

#[test]
fn a_crm_that_is_down_makes_nobody_a_guesser() {
    let (down, asked) = (
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (is_down, count) = (down.clone(), asked.clone());
    let crm = Scripted::start(move |request| {
        count.fetch_add(1, Ordering::SeqCst);
        match count.load(Ordering::SeqCst) % 3 {
            _ if !is_down.load(Ordering::SeqCst) => crm(request),
            0 => Vec::new(),
            1 => scripted::json(500, b"{}"),
            _ => scripted::json(503, br#"{"error":"x"}"#),
        }
    });
    let wish = Wish {
        logins_per_minute: 4,
        ..Wish::default()
    };
    let world = World::scripted(crm.address, wish);
    for number in 0..20 {
        assert!(log_in(&world, "sally", "right").status >= 500);
        let reply = world.get(CONTACTS, &format!("good-{number}"));
        assert!(reply.status >= 500, "{}", reply.status);
    }
    assert!(asked.load(Ordering::SeqCst) >= 40);
    down.store(false, Ordering::SeqCst);
    assert_eq!(log_in(&world, "sally", "right").status, 200);
    assert_eq!(world.get(CONTACTS, "good-1").status, 200);
}
