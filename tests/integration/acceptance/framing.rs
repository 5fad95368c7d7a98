//! A9, A11, A12: what surrounds a CRM's reply, and how it is framed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{CANARY, JSON_HEAD, LIST, assert_unreleased, before, good_page, page, with_head};
use crate::harness::client;
use crate::harness::scripted::{self, Scripted};
use crate::harness::world::{Wish, World};

#[test]
fn a09_nothing_of_the_crms_head_is_relayed() {
    let list = page("");
    let names = [
        "ETag",
        "Link",
        "Alt-Svc",
        "Server-Timing",
        "Set-Cookie",
        "Location",
        "Content-Location",
        "Refresh",
        "Last-Modified",
        "Age",
        "Expires",
        "Cache-Control",
        "Surrogate-Control",
        "Vary",
        "Accept-Ranges",
        "Content-Range",
        "Content-Disposition",
        "Content-Language",
        "Content-MD5",
        "Digest",
        "Repr-Digest",
        "X-Metadata-Hash",
        "X-Total-Count",
        "X-Debug",
        "X-SQL",
        "X-Status-Reason",
        "X-Powered-By",
        "Server",
        "Via",
        "Warning",
        "WWW-Authenticate",
        "Proxy-Authenticate",
        "Access-Control-Allow-Origin",
        "NEL",
        "Report-To",
        "SourceMap",
        "Upgrade",
        "Keep-Alive",
        "Trailer",
        "Paravent-Decision",
        "Paravent-Withheld",
        "Retry-After",
    ];
    let lines: String = names
        .iter()
        .map(|name| format!("{name}: {CANARY}\r\n"))
        .collect();
    let chunked = format!(
        "HTTP/1.1 103 {CANARY}\r\nLink: </{CANARY}>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 {CANARY}\r\nContent-Type: application/json\r\n{lines}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x};ext={CANARY}\r\n{list}\r\n0\r\nX-T: {CANARY}\r\nContent-Type: text/html\r\n\r\n",
        list.len()
    );
    let (_crm, world) = before(move |request| {
        if request.line.contains("/c-404") {
            let body = format!(r#"{{"error":"{CANARY}","error_message":"{CANARY}"}}"#);
            with_head(
                &format!("404 {CANARY}\r\nContent-Type: application/json\r\nX-Why: {CANARY}"),
                body.as_bytes(),
            )
        } else {
            chunked.clone().into_bytes()
        }
    });
    let reply = world.get(LIST, "tok-1");
    assert!(reply.raw.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let own: Vec<&str> = reply
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    for name in names.map(str::to_ascii_lowercase) {
        let ours = ["cache-control", "paravent-decision", "paravent-withheld"];
        assert!(
            !own.contains(&name.as_str()) || ours.contains(&name.as_str()),
            "{name}"
        );
    }
    let reply = world.get("/rest/v11_24/Contacts/c-404", "tok-1");
    assert!(reply.raw.starts_with(b"HTTP/1.1 404 Not Found\r\n"));
}

#[test]
fn a11_replies_framed_in_two_ways_are_refused() {
    let list = page("");
    let length = list.len();
    let chunks = format!("{length:x}\r\n{list}\r\n0\r\n\r\n");
    let json = "Content-Type: application/json\r\nConnection: close";
    let status = |status: &str| {
        format!("HTTP/1.1 {status}\r\n{json}\r\nContent-Length: {length}\r\n\r\n{list}")
    };
    let mut flood = "HTTP/1.1 100 Continue\r\n\r\n".repeat(200);
    flood.push_str(&status("200 OK"));
    let cases = [
        (
            "a length beside chunks",
            format!(
                "HTTP/1.1 200 OK\r\n{json}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
            ),
        ),
        (
            "two lengths",
            format!(
                "HTTP/1.1 200 OK\r\n{json}\r\nContent-Length: {length}\r\nContent-Length: 3\r\n\r\n{list}"
            ),
        ),
        (
            "a negative length",
            format!("HTTP/1.1 200 OK\r\n{json}\r\nContent-Length: -1\r\n\r\n{list}"),
        ),
        (
            "a length too long",
            format!(
                "HTTP/1.1 200 OK\r\n{json}\r\nContent-Length: {}\r\n\r\n{list}",
                length + 1
            ),
        ),
        (
            "a length too short",
            format!(
                "HTTP/1.1 200 OK\r\n{json}\r\nContent-Length: {}\r\n\r\n{list}",
                length - 1
            ),
        ),
        (
            "another coding",
            format!(
                "HTTP/1.1 200 OK\r\n{json}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n{chunks}"
            ),
        ),
        (
            "chunked twice",
            format!(
                "HTTP/1.1 200 OK\r\n{json}\r\nTransfer-Encoding: chunked, chunked\r\n\r\n{chunks}"
            ),
        ),
        (
            "two codings",
            format!(
                "HTTP/1.1 200 OK\r\n{json}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
            ),
        ),
        (
            "a bad chunk",
            format!("HTTP/1.1 200 OK\r\n{json}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{list}"),
        ),
        (
            "a chunk cut off",
            format!(
                "HTTP/1.1 200 OK\r\n{json}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{list}",
                length + 10
            ),
        ),
        (
            "chunks without an end",
            format!(
                "HTTP/1.1 200 OK\r\n{json}\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{list}\r\n"
            ),
        ),
        (
            "cut off by closing",
            format!("HTTP/1.1 200 OK\r\n{json}\r\n\r\n{}", &list[..length - 2]),
        ),
        (
            "an upgrade nobody asked for",
            format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n{list}"
            ),
        ),
        ("a flood of interim replies", flood),
        ("a part of a whole", status("206 Partial Content")),
        (
            "something else",
            status("203 Non-Authoritative Information"),
        ),
        ("many things", status("207 Multi-Status")),
        ("no content, with content", status("204 No Content")),
        ("reset content", status("205 Reset Content")),
        (
            "a redirect",
            status("301 Moved\r\nLocation: //evil.example/"),
        ),
        ("not modified", status("304 Not Modified")),
        ("a status of no class", status("999 Odd")),
        (
            "a folded header",
            format!(
                "HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\n{json}\r\nContent-Length: {length}\r\n\r\n{list}"
            ),
        ),
        (
            "a zero byte",
            format!(
                "HTTP/1.1 200 OK\r\nX-A: \0\r\n{json}\r\nContent-Length: {length}\r\n\r\n{list}"
            ),
        ),
        (
            "too many headers",
            format!(
                "HTTP/1.1 200 OK\r\n{}{json}\r\nContent-Length: {length}\r\n\r\n{list}",
                "X-A: b\r\n".repeat(200)
            ),
        ),
        (
            "a head without an end",
            format!("HTTP/1.1 200 OK\r\nX-A: {}", "b".repeat(200_000)),
        ),
        ("HTTP/0.9", list.clone()),
        ("HTTP/2", "\0\0\0\x04\0\0\0\0\0".to_owned()),
        ("TLS", "\x15\x03\x01\0\x02\x02\x28".to_owned()),
    ];
    for (what, response) in cases {
        let (_crm, world) = before(move |_| response.clone().into_bytes());
        assert_unreleased(&world, &world.get(LIST, "tok-1"), what);
    }
}

#[test]
fn a11_what_follows_a_reply_never_becomes_the_reply_to_somebody_else() {
    // A second response behind the first, on a connection that stays open: to whom would it go?
    for (what, first_response) in [
        (
            "a whole second response",
            scripted_open(&page("\"department\":\"mine\","), "Content-Length"),
        ),
        ("a length beside chunks", scripted_open(&page(""), "both")),
    ] {
        let smuggled = scripted_open(&page("\"department\":\"smuggled\","), "Content-Length");
        let crm = Scripted::misbehaving(move |request, socket| {
            if request.line.contains("/me ") {
                let _ = socket.write_all(&scripted::me("sally", "Sales"));
                return false;
            }
            if request.line.contains("max_num=1") {
                let _ = socket.write_all(&[&first_response[..], &smuggled[..]].concat());
            } else {
                let _ = socket.write_all(&scripted_open(
                    &page("\"department\":\"own\","),
                    "Content-Length",
                ));
            }
            true
        });
        let world = World::scripted(crm.address, Wish::default());
        world.forbid("canary", CANARY);
        world.get("/rest/v11_24/me", "tok-1");
        for round in 0..30 {
            world.get("/rest/v11_24/Contacts?max_num=1", "tok-1");
            let reply = world.get("/rest/v11_24/Contacts?max_num=2", "tok-1");
            assert!(!reply.text().contains("smuggled"), "{what}, {round}");
            if reply.status == 200 {
                assert_eq!(
                    reply.json()["records"][0]["department"],
                    json!("own"),
                    "{what}"
                );
            }
        }
    }
}

/// A response on a connection that stays open.
fn scripted_open(body: &str, framing: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let length = body.len();
    match framing {
        "both" => format!("{head}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"),
        _ => format!("{head}Content-Length: {length}\r\n\r\n{body}"),
    }
    .into_bytes()
}

/// Reads one response with a length from a connection that stays open.
fn read_one(socket: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut byte = [0; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head
        .to_ascii_lowercase()
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next()?.parse().ok())
        .unwrap_or_else(|| panic!("no length: {head}"));
    let mut body = vec![0; length];
    socket.read_exact(&mut body).unwrap();
    (head, body)
}

#[test]
fn a12_lengths_are_those_of_what_is_sent() {
    let grown = format!(
        "\"description\":\"{}\",",
        format!("IBAN {CANARY}, ").repeat(400)
    );
    let bodies: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let next = bodies.clone();
    let (_crm, world) = before(move |_| next.lock().unwrap().pop().unwrap_or_else(good_page));
    let replies = [
        good_page(),
        scripted::json(200, page(&grown).as_bytes()),
        scripted::json(
            200,
            format!(r#"{{"next_offset":-1,"records":[],"x":"{CANARY}"}}"#).as_bytes(),
        ),
        with_head(
            &format!("{JSON_HEAD}\r\nContent-MD5: x\r\nDigest: x"),
            page("\"unknown_c\":\"x\",").as_bytes(),
        ),
        with_head("204 No Content", b""),
        with_head("404 Not Found\r\nContent-Type: application/json", b"{}"),
        with_head("500 Oops", CANARY.repeat(1_000).as_bytes()),
        good_page(),
    ];
    *bodies.lock().unwrap() = replies.into_iter().rev().collect();
    let mut socket = TcpStream::connect(world.proxy).unwrap();
    socket.set_read_timeout(Some(client::PATIENCE)).unwrap();
    let statuses: Vec<String> = (0..8)
        .map(|_| {
            socket
                .write_all(
                    b"GET /rest/v11_24/Contacts HTTP/1.1\r\nHost: a\r\nOAuth-Token: tok-1\r\n\r\n",
                )
                .unwrap();
            let (head, body) = read_one(&mut socket);
            assert!(
                serde_json::from_slice::<serde_json::Value>(&body).is_ok(),
                "{head}"
            );
            assert!(
                !head.to_ascii_lowercase().contains("md5")
                    && !head.to_ascii_lowercase().contains("digest")
            );
            head.split(' ').nth(1).unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        statuses,
        ["200", "200", "200", "200", "502", "404", "500", "200"]
    );
    // A refusal leaves the connection in order, too.
    socket.write_all(b"GET /rest/v11_24/Contacts?order_by=religion_c HTTP/1.1\r\nHost: a\r\nOAuth-Token: tok-1\r\n\r\nGET /rest/v11_24/Contacts HTTP/1.1\r\nHost: a\r\nOAuth-Token: tok-1\r\n\r\n").unwrap();
    assert!(read_one(&mut socket).0.starts_with("HTTP/1.1 403 "));
    assert!(read_one(&mut socket).0.starts_with("HTTP/1.1 200 "));
}
