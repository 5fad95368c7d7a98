//! Forms that anybody can fill in: they tell nothing of anybody, and are taken as they are meant or not at all.

use super::stage::{CANARY, Stage, seen};
use crate::harness::client::Request;

fn json(target: &str, body: &str) -> Request<'static> {
    let target: &'static str = match target {
        "/consent/requests" => "/consent/requests",
        _ => "/preferences/link",
    };
    Request {
        method: "POST",
        target,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: Some(body.as_bytes().to_vec()),
    }
}

#[test]
fn whoever_is_named_the_answer_is_the_same() {
    let stage = Stage::new();
    let known = format!("{CANARY}@example.com");
    let token = stage.asked(&known);
    assert_eq!(
        stage
            .form(&format!("/consent/confirm?t={token}"), &seen())
            .status,
        200
    );
    let without_date = |raw: Vec<u8>| {
        let text = String::from_utf8(raw).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("date:"));
        lines.collect::<Vec<_>>().join("\n")
    };
    for (target, more) in [
        ("/consent/requests", r#","purpose":"newsletter""#),
        ("/preferences/link", ""),
    ] {
        let ask = |address: &str| {
            let body = format!(r#"{{"email":"{address}"{more}}}"#);
            let answer = stage.send(&json(target, &body));
            assert_eq!(answer.status, 202);
            without_date(answer.raw)
        };
        assert_eq!(ask(&known), ask("nobody@example.com"));
        let form = |address: &str| {
            let more = if more.is_empty() {
                ""
            } else {
                "&purpose=newsletter"
            };
            let answer = stage.form(target, &format!("email={address}{more}"));
            assert_eq!(answer.status, 202);
            without_date(answer.raw)
        };
        assert_eq!(form(&known), form("nobody@example.com"));
    }
}

#[test]
fn only_who_is_known_gets_the_link_to_their_choices() {
    let stage = Stage::new();
    let known = format!("{CANARY}@example.com");
    stage.asked(&known);
    assert_eq!(
        stage
            .form("/preferences/link", "email=nobody@example.com")
            .status,
        202
    );
    assert_eq!(
        stage
            .form("/preferences/link", &format!("email={known}"))
            .status,
        202
    );
    let mails = stage.mails(2);
    assert!(mails[1].contains(&format!("To: {known}")));
    super::stage::token(&mails[1], "/preferences");
    let person = stage
        .runtime
        .block_on(stage.ledger.person(paravent::ledger::Who::Address(
            paravent::ledger::Address::parse("nobody@example.com").unwrap(),
        )));
    assert!(person.unwrap().is_none());
}

#[test]
fn a_form_with_anything_odd_is_refused_and_nothing_is_done() {
    let stage = Stage::new();
    let good = "email=anna@example.com&purpose=newsletter";
    for (form, status) in [
        (format!("{good}&more=1"), 400),
        (format!("{good}&email=b@example.com"), 400),
        (format!("{good}&t=1"), 400),
        ("purpose=newsletter".to_owned(), 400),
        ("email=anna@example.com".to_owned(), 400),
        (format!("{good}&source=a%40b"), 422),
        ("email=anna@example.com&purpose=support".to_owned(), 422),
        ("email=anna@example.com&purpose=none".to_owned(), 422),
        ("email=anna@example.com&purpose=*".to_owned(), 422),
        (
            format!("{good}&return_to=https://www.example.com.evil.example/"),
            400,
        ),
    ] {
        let request = Request {
            method: "POST",
            target: "/consent/requests",
            headers: vec![(
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            )],
            body: Some(form.clone().into_bytes()),
        };
        // Each from an address of its own: how often is another question.
        let source = format!("127.0.1.{}", form.len() % 250 + 1);
        assert_eq!(stage.send_from(&source, &request).status, status, "{form}");
    }
    for (media, status) in [
        ("text/plain", 415),
        ("application/xml", 415),
        ("multipart/form-data; boundary=b", 415),
        ("application/x-www-form-urlencoded; charset=latin1", 415),
        ("application/x-www-form-urlencoded; charset=UTF-8", 202),
    ] {
        let request = Request {
            method: "POST",
            target: "/consent/requests",
            headers: vec![("Content-Type", media.to_owned())],
            body: Some(good.as_bytes().to_vec()),
        };
        let answer = stage.send_from("127.0.2.1", &request);
        assert_eq!(answer.status, status, "{media}");
    }
    let large = format!("{good}&source={}", "x".repeat(20_000));
    assert_eq!(stage.form("/consent/requests", &large).status, 413);
    stage.mails(1);
    assert_eq!(stage.events(), 1);
}

#[test]
fn addresses_are_taken_by_the_one_rule() {
    let stage = Stage::new();
    for (number, (address, status)) in [
        ("Anna@Example.COM", 202),
        ("anna%2Bletters@example.com", 202),
        ("r%C3%A9my@example.com", 202),
        ("anna@b%C3%BCcher.example", 202),
        ("anna", 422),
        ("anna@localhost", 422),
        ("anna@192.0.2.1", 422),
        ("Anna+%3Canna@example.com%3E", 422),
        ("a@example.com,b@example.com", 422),
        ("anna%E2%80%8B@example.com", 422),
        ("anna@example.com%0D%0ABcc:b@example.com", 400),
        ("%00@example.com", 400),
    ]
    .into_iter()
    .enumerate()
    {
        let form = format!("email={address}&purpose=newsletter");
        let request = Request {
            method: "POST",
            target: "/consent/requests",
            headers: vec![(
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            )],
            body: Some(form.into_bytes()),
        };
        let answer = stage.send_from(&format!("127.0.3.{}", number + 1), &request);
        assert_eq!(answer.status, status, "{address}");
    }
    let to: Vec<String> = stage
        .mails(4)
        .iter()
        .filter_map(|mail| mail.lines().find_map(|line| line.strip_prefix("To: ")))
        .map(str::to_owned)
        .collect();
    for address in [
        "anna@example.com",
        "anna+letters@example.com",
        "anna@xn--bcher-kva.example",
    ] {
        assert!(to.iter().any(|one| one == address), "{address}: {to:?}");
    }
}

#[test]
fn forms_lead_back_only_where_they_may() {
    let stage = Stage::new();
    let form = |back: &str| format!("email=anna@example.com&purpose=newsletter&return_to={back}");
    let led = stage.form(
        "/consent/requests",
        &form("https://www.example.com/thanks?x=1"),
    );
    assert_eq!(led.status, 303);
    assert_eq!(
        led.header("location"),
        Some("https://www.example.com/thanks?x=1")
    );
    for (number, odd) in [
        "https://evil.example/",
        "https://www.example.com",
        "https://www.example.com@evil.example/",
        "http://www.example.com/",
        "//www.example.com/",
        "https://www.example.com/%255C..",
        "https://www.example.com/../x",
        "https://www.example.com/%0D%0AX: y",
    ]
    .into_iter()
    .enumerate()
    {
        let request = Request {
            method: "POST",
            target: "/consent/requests",
            headers: vec![(
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            )],
            body: Some(form(odd).into_bytes()),
        };
        let answer = stage.send_from(&format!("127.0.4.{}", number + 1), &request);
        let may = odd.contains("%255C");
        assert_eq!(answer.status, if may { 303 } else { 400 }, "{odd}");
    }
}

#[test]
fn other_sites_may_not_send_forms() {
    let stage = Stage::new();
    let form = "email=anna@example.com&purpose=newsletter";
    for (origin, status) in [
        (Some("http://127.0.0.1:8446"), 202),
        (Some("https://www.example.com"), 202),
        (Some("null"), 202),
        (None, 202),
        (Some("https://evil.example"), 403),
        (Some("https://www.example.com.evil.example"), 403),
    ] {
        let answer = stage.form_from("/consent/requests", form, origin);
        assert_eq!(answer.status, status, "{origin:?}");
    }
    let token = stage.asked(&format!("{CANARY}@example.com"));
    let link = format!("/consent/confirm?t={token}");
    for origin in ["https://www.example.com", "https://evil.example"] {
        assert_eq!(
            stage.form_from(&link, "", Some(origin)).status,
            403,
            "{origin}"
        );
    }
    let framed = Request {
        method: "POST",
        target: &link,
        headers: vec![
            ("Origin", "null".to_owned()),
            ("Sec-Fetch-Site", "cross-site".to_owned()),
            (
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
        ],
        body: Some(Vec::new()),
    };
    assert_eq!(stage.send(&framed).status, 403);
    assert_eq!(stage.form_from(&link, &seen(), Some("null")).status, 200);
}

#[test]
fn an_origin_fills_in_ten_forms_a_minute() {
    let stage = Stage::new();
    let ask = |number: usize, source: &str| {
        let body = format!(r#"{{"email":"p{number}@example.com","purpose":"newsletter"}}"#);
        stage.send_from(source, &json("/consent/requests", &body))
    };
    // While it asks, it may ask a little more: how many get through depends on how fast it is.
    let refused = (0..200).find_map(|number| {
        let answer = ask(number, "127.0.0.2");
        (answer.status != 202).then_some((number, answer))
    });
    let (number, refused) = refused.unwrap();
    assert!(number >= 10, "{number}");
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(ask(number + 1, "127.0.0.3").status, 202);
    stage.mails(number + 1);
}

#[test]
fn an_address_is_written_to_three_times_an_hour_and_nobody_is_told() {
    let stage = Stage::new();
    for number in 0..6 {
        let body = r#"{"email":"anna@example.com","purpose":"newsletter"}"#;
        let source = format!("127.0.5.{}", number + 1);
        let answer = stage.send_from(&source, &json("/consent/requests", body));
        assert_eq!(answer.status, 202);
    }
    // What comes behind the others has its mail last.
    stage.asked(&format!("{CANARY}@example.com"));
    stage.mails(4);
    assert_eq!(stage.events(), 4);
}

#[test]
fn there_are_no_other_routes_and_methods() {
    let stage = Stage::new();
    for target in [
        "/",
        "/consent",
        "/preferences/",
        "/consent/confirm/",
        "/admin",
        "/metrics",
    ] {
        assert_eq!(stage.get(target).status, 404, "{target}");
    }
    for (method, target, allow) in [
        ("GET", "/consent/requests", "POST"),
        ("GET", "/api/v1/consent/events", "POST"),
        ("PUT", "/preferences", "GET, HEAD, POST"),
        ("DELETE", "/consent/confirm", "GET, HEAD, POST"),
        ("POST", "/.well-known/jwks.json", "GET, HEAD"),
    ] {
        let answer = stage.send(&Request {
            method,
            target,
            ..Request::default()
        });
        assert_eq!(answer.status, 405, "{method} {target}");
        assert_eq!(answer.header("allow"), Some(allow));
    }
}
