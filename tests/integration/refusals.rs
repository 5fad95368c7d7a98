//! What cannot be understood is refused before the CRM hears of it.

use serde_json::json;

use crate::harness::client::Request;
use crate::harness::scripted::{self, Scripted};
use crate::harness::world::{Wish, World};

fn crm() -> Scripted {
    Scripted::start(|request| {
        if request.line.contains("/me ") {
            scripted::me("sally", "Sales")
        } else {
            scripted::json(200, b"{}")
        }
    })
}

#[test]
fn requests_with_two_readings_never_reach_the_crm() {
    let crm = crm();
    let world = World::scripted(crm.address, Wish::default());
    let targets = [
        "/rest/v11_24/Notes?__sugar_url=v11_24/Contacts",
        "/api/rest.php?__sugar_url=v11_24/Contacts",
        "/service/v4_1/rest.php",
        "/index.php?module=Contacts",
        "/rest/v11_24/Notes/n-1?module=Contacts&record=c-1",
        "/rest/v11_24/Notes?fields=id&fields=iban_c",
        "/rest/v11_24/Notes?filter=[]&filter[0][name]=x",
        "/rest/v11_24/Contacts?oauth_token=abc",
        "/rest/v11_24/Contacts?download_token=abc",
        "/rest/v11_24/Contacts?filter_id=abc",
        "/rest/v11_24/Contacts?deleted=1",
        "/rest/v11_24/Contacts?erased_fields=true",
        "/rest/v11_24/Contacts?view=secret",
        "/rest/v11_24/Contacts?unknown=1",
        "/rest/v11_24/Contacts?filter[0][last_name][$regex]=x",
        "/rest/v11_24/Contacts?filter[0][no_such_link.name]=x",
        "/rest/v11_24/Contacts?%20filter[0][last_name]=x",
        "/rest/v11_24/Contacts?filter[0[last_name]=x",
        "/rest/v11_24/Contacts?filter.0=x",
        "/rest/v11_24/Contacts?filter[0][last_name]junk=x",
        "/rest/v11_24/Contacts?max_num=ten",
        "/rest/v11_24/Contacts?fields=id,first%20name",
        "/rest/v11_24/%43ontacts%2f",
        "/rest/v11_24/Contacts/%2e%2e",
        "/rest/v11_24//Contacts",
        "/rest/v9/Contacts",
        "/rest/v12/Contacts",
        "/rest/Contacts",
        "/rest/v11_24/Employees",
        "/rest/v11_24/Contacts/c-1/file/picture",
        "/rest/v11_24/Contacts/c-1/audit",
        "/rest/v11_24/Contacts/c-1/pii",
        "/rest/v11_24/Contacts/c-1/vcard",
        "/rest/v11_24/Contacts/c-1/link/history",
        "/rest/v11_24/Contacts/c-1/collection/all",
        "/rest/v11_24/Contacts/export/l-1",
        "/rest/v11_24/Contacts/enum/religion_c",
        "/rest/v11_24/globalsearch?q=a",
        "/rest/v11_24/search?q=a",
        "/rest/v11_24/recent",
        "/rest/v11_24/Reports/r-1/records",
        "/rest/v11_24/integrate/Contacts/sync_key/1",
        "/rest/v11_24/Administration/config",
        "/rest/v11_24/help",
    ];
    for target in targets {
        let reply = world.get(target, "tok-1");
        assert!(
            (400..500).contains(&reply.status),
            "{target}: {}",
            reply.status
        );
        let body = reply.json();
        assert!(
            body["error"].is_string() && body["error_message"].is_string(),
            "{target}: Sugar's error shape"
        );
    }
    for (method, target, body) in [
        (
            "POST",
            "/rest/v11_24/oauth2/sudo/admin",
            json!({"client_id": "sugar"}),
        ),
        ("POST", "/rest/v11_24/oauth2/bwc/login", json!({})),
        (
            "POST",
            "/rest/v11_24/oauth2/token",
            json!({"grant_type": "authorization_code", "code": "x"}),
        ),
        (
            "POST",
            "/rest/v11_24/oauth2/token",
            json!({"grant_type": "password", "username": "u", "password": "p", "surprise": 1}),
        ),
        (
            "POST",
            "/rest/v11_24/Contacts/duplicateCheck",
            json!({"iban_c": "x"}),
        ),
        (
            "PUT",
            "/rest/v11_24/Contacts/MassUpdate",
            json!({"massupdate_params": {"entire": true}}),
        ),
        (
            "POST",
            "/rest/v11_24/Contacts/record_list",
            json!({"records": []}),
        ),
        (
            "POST",
            "/rest/v11_24/WebLogicHooks",
            json!({"url": "http://evil.example"}),
        ),
        (
            "PUT",
            "/rest/v11_24/Contacts/123/id_field/iban_c",
            json!({}),
        ),
        ("POST", "/rest/v11_24/Leads/l-1/convert", json!({})),
        (
            "POST",
            "/rest/v11_24/Contacts/filter",
            json!({"filter": [], "view": "secret"}),
        ),
        (
            "POST",
            "/rest/v11_24/Contacts/filter",
            json!({"filter": [{"last_name": {"$unknown": 1}}]}),
        ),
        ("POST", "/rest/v11_24/Contacts/filter", json!([1])),
        ("PUT", "/rest/v11_24/me", json!({"phone_work": "1"})),
        ("GET", "/rest/v11_24/Contacts", json!({"module": "Users"})),
    ] {
        let reply = world.send(method, target, Some("tok-1"), Some(&body));
        assert!(
            (400..500).contains(&reply.status),
            "{method} {target}: {}",
            reply.status
        );
    }
    assert_eq!(
        crm.take()
            .iter()
            .map(|request| request.line.clone())
            .collect::<Vec<_>>(),
        Vec::<String>::new()
    );
}

#[test]
fn heads_with_two_readings_never_reach_the_crm() {
    let crm = crm();
    let world = World::scripted(crm.address, Wish::default());
    let good =
        "GET /rest/v11_24/Contacts HTTP/1.1\r\nHost: a\r\nOAuth-Token: t\r\nConnection: close\r\n";
    for (head, status) in [
        (good.replace("Host: a\r\n", "") + "\r\n", 400),
        (good.to_owned() + "Host: b\r\n\r\n", 400),
        (
            good.replace("GET /", "GET http://evil.example/") + "\r\n",
            400,
        ),
        (good.replace("GET /rest", "GET rest") + "\r\n", 400),
        (good.to_owned() + "Authorization: Bearer other\r\n\r\n", 400),
        (good.to_owned() + "OAuth-Token: other\r\n\r\n", 400),
        (
            good.to_owned() + "X-HTTP-Method-Override: DELETE\r\n\r\n",
            400,
        ),
        (
            good.to_owned() + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (good.to_owned() + "Content-Encoding: gzip\r\n\r\n", 415),
        (
            good.to_owned() + "Accept: application/vnd.sugarcrm.core+json; version=11.18\r\n\r\n",
            400,
        ),
        (good.replace("GET", "HEAD") + "\r\n", 405),
        (good.replace("GET", "OPTIONS") + "\r\n", 405),
        (good.replace("GET", "TRACE") + "\r\n", 405),
        (
            good.replace("HTTP/1.1", "HTTP/1.0")
                .replace("Host: a\r\n", "")
                + "\r\n",
            400,
        ),
    ] {
        let reply = world.send_raw(world.proxy, head.as_bytes());
        assert_eq!(reply.status, status, "{head}");
    }
    let long = format!(
        "GET /rest/v11_24/Contacts?{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "a=1&".repeat(30_000)
    );
    assert!((400..500).contains(&world.send_raw(world.proxy, long.as_bytes()).status));
    assert!(crm.take().is_empty());
}

#[test]
fn bodies_are_json_in_one_reading_and_bounded() {
    let crm = crm();
    let world = World::scripted(
        crm.address,
        Wish {
            request_bytes_max: 10_000,
            ..Wish::default()
        },
    );
    let send = |content_type: &str, body: &[u8]| {
        let headers = vec![
            ("OAuth-Token", "t".to_owned()),
            ("Content-Type", content_type.to_owned()),
        ];
        let request = Request {
            method: "POST",
            target: "/rest/v11_24/Contacts/filter",
            headers,
            body: Some(body.to_vec()),
        };
        world.send_request(world.proxy, &request).status
    };
    assert_eq!(
        send("application/json", b"{\"max_num\":1,\"max_num\":2}"),
        400
    );
    assert_eq!(
        send("application/json", b"{\"max_num\":1,\"MAX_NUM\":2}"),
        400
    );
    assert_eq!(send("application/json", b"{\"max_num\":1} x"), 400);
    assert_eq!(send("application/json", b"{\"q\":\"\xff\"}"), 400);
    assert_eq!(send("application/json", b"\xef\xbb\xbf{}"), 400);
    assert_eq!(
        send(
            "application/json",
            format!("{{\"filter\":{}{}}}", "[".repeat(300), "]".repeat(300)).as_bytes()
        ),
        400
    );
    assert_eq!(send("application/json", &vec![b' '; 20_000]), 413);
    assert_eq!(send("text/plain", b"{}"), 415);
    assert_eq!(send("application/x-www-form-urlencoded", b"max_num=1"), 415);
    assert_eq!(send("application/json; charset=utf-16", b"{}"), 415);
    assert!(crm.take().is_empty());
}

#[test]
fn a_refusal_never_repeats_what_was_sent_and_strangers_do_not_fill_the_disk() {
    let crm = Scripted::start(|request| {
        if request.line.contains("/me ") {
            scripted::json(
                401,
                b"{\"error\":\"invalid_grant\",\"error_message\":\"no\"}",
            )
        } else {
            scripted::json(200, b"{}")
        }
    });
    let world = World::scripted(crm.address, Wish::default());
    world.forbid("marker", "zz-marker-5512");
    for _ in 0..50 {
        let reply = world.get(
            "/rest/v11_24/Zz-marker-5512?zz-marker-5512=zz-marker-5512",
            "zz-marker-5512",
        );
        assert!((400..500).contains(&reply.status));
        let reply = world.get("/rest/v11_24/Contacts/zz-marker-5512", "zz-marker-5512");
        assert_eq!(
            (reply.status, reply.json()["error"].clone()),
            (401, json!("invalid_grant"))
        );
        assert_eq!(
            world.get("/rest/v11_24/Contacts", "").status,
            401,
            "a blank credential"
        );
        assert_eq!(
            world
                .send("GET", "/rest/v11_24/Contacts", None, None)
                .status,
            401
        );
    }
    assert!(crm.take().is_empty());
    let per_request = world
        .events()
        .iter()
        .filter(|event| event["request"].is_object())
        .count();
    assert_eq!(
        per_request, 0,
        "refusals of strangers are counted by origin and minute"
    );
}

#[test]
fn a_caller_who_asks_too_often_does_not_fill_the_disk_either() {
    let world = World::demo_with(Wish {
        requests_per_minute: 5,
        ..Wish::default()
    });
    let sally = world.login("sally");
    assert_eq!(world.get("/rest/v11_24/me", &sally).status, 200);
    let bulk = json!({"requests": [{"url": "v11/Nowhere/at/all"}, {"url": "v11/me?x=1"}]});
    let mut limited = 0;
    for _ in 0..40 {
        for reply in [
            world.get("/rest/v11_24/Contacts?unknown=1", &sally),
            world.get("/rest/v11_24/Contacts?max_num=1", &sally),
            world.send("POST", "/rest/v11_24/bulk", Some(&sally), Some(&bulk)),
        ] {
            limited += usize::from(reply.status == 429);
        }
    }
    assert!(limited > 100, "{limited}");
    let events = world.events();
    let requests = events.iter().filter(|event| event["request"].is_object());
    assert!(requests.count() < 20);
}

#[test]
fn a_stranger_who_logs_out_again_and_again_is_held_back() {
    let crm = Scripted::start(|_| scripted::json(200, br#"{"success":true}"#));
    let world = World::scripted(
        crm.address,
        Wish {
            logins_per_minute: 5,
            ..Wish::default()
        },
    );
    for number in 0..50 {
        let token = format!("nobody-{number}");
        world.send("POST", "/rest/v11_24/oauth2/logout", Some(&token), None);
    }
    assert!(crm.take().len() <= 6);
}

#[test]
fn what_is_not_accepted_is_named_to_whoever_typed_it_and_to_nobody_else() {
    let crm = crm();
    let world = World::scripted(crm.address, Wish::default());
    // Whose session it is is known from now on, so that what is refused has an event.
    assert_eq!(world.get("/rest/v11_24/me", "tok-1").status, 200);
    crm.take_all();
    let reply = world.get("/rest/v11_24/Contacts?canary_1=x", "tok-1");
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("canary_1"), "{}", reply.text());
    // What could be a value of somebody's is not repeated.
    let reply = world.get("/rest/v11_24/Contacts?canary_2%40x=1", "tok-1");
    assert!(!reply.text().contains("canary_2"), "{}", reply.text());
    for name in ["If-Match", "X-Timestamp", "X-Version-Number"] {
        let request = Request {
            method: "DELETE",
            target: "/rest/v11_24/Contacts/c-1",
            headers: vec![
                ("OAuth-Token", "tok-1".to_owned()),
                (name, "canary_3".to_owned()),
            ],
            body: None,
        };
        let reply = world.send_request(world.proxy, &request);
        let text = reply.text();
        assert_eq!(reply.status, 400, "{text}");
        assert!(text.contains(&name.to_ascii_lowercase()), "{text}");
        assert!(!text.contains("canary_3"), "{text}");
    }
    let log = serde_json::to_string(&world.events()).unwrap();
    assert!(log.contains("precondition-not-understood"));
    assert!(!log.contains("canary"));
    let asked = crm.take_all();
    let is_heard = asked.iter().any(|asked| asked.line.contains("Contacts"));
    assert!(!is_heard, "the CRM heard of it");
}
