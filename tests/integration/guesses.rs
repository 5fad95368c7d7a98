//! Whoever guesses is held back; whoever is only one of many is not.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use paravent::dialect::engine::Described;
use paravent::dialect::{self, Dialect};
use paravent::policy::Policy;
use serde_json::{Value, json};

use crate::harness::client::{Request, Response};
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

/// A request that a proxy before this one passes on.
fn passed_on(world: &World, token: &str, forwarded: &[&str]) -> Response {
    let mut headers = vec![("OAuth-Token", token.to_owned())];
    headers.extend(
        forwarded
            .iter()
            .map(|line| ("X-Forwarded-For", (*line).to_owned())),
    );
    let request = Request {
        method: "GET",
        target: CONTACTS,
        headers,
        body: None,
    };
    world.send_request(world.proxy, &request)
}

#[test]
fn trusted_proxies_say_where_a_request_came_from() {
    let crm = Scripted::start(crm);
    let wish = Wish {
        logins_per_minute: 2,
        trusted_proxies: vec!["127.0.0.1/32", "10.0.0.0/8"],
        ..Wish::default()
    };
    let world = World::scripted(crm.address, wish.clone());
    for (forwarded, told) in [
        (&["203.0.113.7"][..], "203.0.113.7"),
        (&["1.1.1.1", "203.0.113.8, 10.1.1.1"], "203.0.113.8"),
        (&["[2001:db8::1]:443"], "2001:db8::1"),
        (&[], "127.0.0.1"),
    ] {
        let token = format!("good-{}", told.replace(':', "."));
        let reply = passed_on(&world, &token, forwarded);
        assert_eq!(reply.status, 200, "{forwarded:?}");
        for request in crm.take_all() {
            assert_eq!(request.header("x-forwarded-for"), Some(told));
        }
    }
    let origins: Vec<Value> = world
        .events()
        .iter()
        .map(|event| event["origin"]["ip"].clone())
        .collect();
    assert!(origins.contains(&json!("203.0.113.0/24")), "{origins:?}");
    // Each origin has a bound of its own.
    let guess =
        |number: u32, from: &str| passed_on(&world, &format!("bad-{number}"), &[from]).status;
    let statuses = [
        guess(1, "203.0.113.7"),
        guess(2, "203.0.113.7"),
        guess(3, "203.0.113.7"),
    ];
    assert_eq!(statuses, [401, 401, 429]);
    assert_eq!(guess(4, "203.0.113.8"), 401);
    crm.take_all();
    for forwarded in ["unknown", "", "203.0.113.7,", "a, 203.0.113.7"] {
        assert_eq!(
            passed_on(&world, "good-x", &[forwarded]).status,
            400,
            "{forwarded}"
        );
    }
    assert!(crm.take_all().is_empty());

    let stranger = Wish {
        trusted_proxies: vec!["10.0.0.0/8"],
        ..wish
    };
    let world = World::scripted(crm.address, stranger);
    for forwarded in ["203.0.113.7", "unknown"] {
        assert_eq!(passed_on(&world, "good-x", &[forwarded]).status, 200);
    }
    for request in crm.take_all() {
        assert_eq!(request.header("x-forwarded-for"), Some("127.0.0.1"));
    }
}

/// Statuses of requests of which each comes from an address of its own.
fn from_everywhere(
    world: &World,
    target: &str,
    media: &str,
    bodies: &[(&str, String)],
) -> Vec<u16> {
    let ask = |(number, (header, value)): (usize, &(&str, String))| {
        let mut headers = vec![("X-Forwarded-For", format!("203.0.113.{number}"))];
        let mut request = Request {
            method: "GET",
            target,
            ..Request::default()
        };
        if header.is_empty() {
            request.method = "POST";
            headers.push(("Content-Type", media.to_owned()));
            request.body = Some(value.clone().into_bytes());
        } else {
            headers.push((header, value.clone()));
        }
        request.headers = headers;
        world.send_request(world.proxy, &request).status
    };
    bodies.iter().enumerate().map(ask).collect()
}

#[test]
fn guesses_at_one_account_are_bounded_wherever_they_come_from() {
    let wish = Wish {
        logins_per_minute: 2,
        trusted_proxies: vec!["127.0.0.1/32"],
        ..Wish::default()
    };
    let post = |body: Value| ("", body.to_string());
    let names = ["sally", "Sally", "SALLY", "fanny"];
    let refused = || scripted::json(401, br#"{"error":"invalid_credentials","message":"x"}"#);

    let crm = Scripted::start(crm);
    let world = World::scripted(crm.address, wish.clone());
    let login =
        |name| post(json!({"grant_type": "password", "username": name, "password": "wrong"}));
    let statuses = from_everywhere(&world, TOKEN, "application/json", &names.map(login));
    assert_eq!(statuses, [401, 401, 429, 401]);

    let crm = Scripted::start(move |_| refused());
    let v8 = Wish {
        dialects: vec![dialect::by_name("suitecrm-v8").unwrap()],
        ..wish.clone()
    };
    let world = World::scripted(crm.address, v8);
    let media = "application/json";
    let login = |name| {
        post(
            json!({"grant_type": "password", "client_id": "c", "client_secret": "s", "username": name, "password": "p"}),
        )
    };
    let statuses = from_everywhere(&world, "/Api/access_token", media, &names.map(login));
    assert_eq!(statuses, [401, 401, 429, 401]);
    let client = |name| {
        post(json!({"grant_type": "client_credentials", "client_id": name, "client_secret": "s"}))
    };
    let statuses = from_everywhere(
        &world,
        "/Api/access_token",
        media,
        &["a", "a", "a", "b"].map(client),
    );
    assert_eq!(statuses, [401, 401, 429, 401], "a client is an account");

    // This CRM says no with a status of success.
    let no = br#"{"name":"Invalid Login","number":10,"description":"x"}"#;
    let crm = Scripted::start(move |_| scripted::json(200, no));
    let v4 = Wish {
        dialects: vec![dialect::by_name("sugar-v4").unwrap()],
        ..wish
    };
    let world = World::scripted(crm.address, v4);
    let login = |name: &str| {
        let data = json!({"user_auth": {"user_name": name, "password": "0"}, "application_name": "a", "name_value_list": []});
        let data: String = form_urlencoded(&data.to_string());
        (
            "",
            format!("method=login&input_type=JSON&response_type=JSON&rest_data={data}"),
        )
    };
    let form = "application/x-www-form-urlencoded";
    from_everywhere(&world, "/service/v4_1/rest.php", form, &names.map(login));
    assert_eq!(
        crm.take().len(),
        3,
        "the third of one account is not asked about"
    );
}

#[test]
fn names_that_come_with_each_request_are_accounts() {
    let crm = Scripted::start(|_| scripted::json(401, b"{}"));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/espocrm");
    let path = Path::new(folder);
    let described = Described::load(&path.join("espocrm.yaml")).0.unwrap();
    let wish = Wish {
        logins_per_minute: 2,
        trusted_proxies: vec!["127.0.0.1/32"],
        dialects: vec![Arc::new(described) as Arc<dyn Dialect>],
        sources: Policy::read(&path.join("policy")).unwrap(),
        ..Wish::default()
    };
    for header in ["Authorization", "Espo-Authorization"] {
        let world = World::scripted(crm.address, wish.clone());
        // `sally` with three passwords, and `fanny`.
        let credentials = [
            "c2FsbHk6MQ==",
            "c2FsbHk6Mg==",
            "c2FsbHk6Mw==",
            "ZmFubnk6MQ==",
        ];
        let credentials = credentials.map(|credential| match header {
            "Authorization" => (header, format!("Basic {credential}")),
            _ => (header, credential.to_owned()),
        });
        let statuses = from_everywhere(&world, "/api/v1/Contact", "", &credentials);
        assert_eq!(statuses, [401, 401, 429, 401], "{header}");
    }
}

fn form_urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn numbers_that_are_hidden_in_a_subject_are_not_guessed_digit_by_digit() {
    let world = World::demo();
    let sally = world.login("sally");
    let answer = |query: &str| {
        let reply = world.get(&format!("/rest/v11_24/Cases?{query}"), &sally);
        let reason = world.decision(&reply).pop().unwrap()["outcome"]["reason"].clone();
        (reply.status, reason)
    };
    for query in [
        "filter[0][name][$starts]=Devis",
        "filter[0][name][$starts]=Lot+",
        "order_by=date_modified:desc",
    ] {
        assert_eq!(answer(query).0, 200, "{query}");
    }
    for query in [
        "filter[0][name][$starts]=FR76+3000",
        "filter[0][name][$gte]=FR76+3000",
        "filter[0][$or][0][name][$in][]=a&filter[0][$or][0][name][$in][]=4111",
        "order_by=name:asc",
    ] {
        assert_eq!(answer(query), (403, json!("field-not-usable")), "{query}");
    }
}
