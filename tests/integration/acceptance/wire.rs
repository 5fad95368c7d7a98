//! A10, A17: how a request may be framed, and what its head may claim.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::{LIST, before, good_page};
use crate::harness::client;
use crate::harness::world::World;

/// Sends bytes on one connection and returns everything that comes back until it is closed.
fn all(world: &World, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(world.proxy).unwrap();
    socket.set_read_timeout(Some(client::PATIENCE)).unwrap();
    let _ = socket.write_all(bytes);
    let mut out = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        match socket.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => out.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!(
                "the connection stays open ({error}): {}",
                String::from_utf8_lossy(&out)
            ),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

const HEAD: &str = "Host: a\r\nOAuth-Token: tok-1\r\n";
const SMUGGLED: &str =
    "GET /rest/v11_24/Contacts/smuggled HTTP/1.1\r\nHost: a\r\nOAuth-Token: tok-1\r\n\r\n";

#[test]
fn a10_requests_framed_in_two_ways_are_refused_and_their_connection_ends() {
    let (crm, world) = before(|_| good_page());
    assert_eq!(world.get(LIST, "tok-1").status, 200);
    crm.take_all();
    let post = format!(
        "POST /rest/v11_24/Contacts/filter HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
    );
    let chunked = format!("{post}Transfer-Encoding: chunked\r\n");
    let get = format!("GET {LIST} HTTP/1.1\r\n{HEAD}");
    let line = |line: &str| format!("{line}\r\n{HEAD}\r\n");
    let with = |header: &str| format!("{get}{header}\r\n\r\n");
    let cases: Vec<String> = vec![
        // What hyper accepts.
        format!("GET {LIST} HTTP/1.1\r\nOAuth-Token: tok-1\r\n\r\n"),
        with("Host: b"),
        with("Host: a"),
        line(&format!("GET http://evil{LIST} HTTP/1.1")),
        line(&format!("GET http://a{LIST} HTTP/1.1")),
        line("GET foo HTTP/1.1"),
        line("GET a:80 HTTP/1.1"),
        line("OPTIONS * HTTP/1.1"),
        line("CONNECT a:80 HTTP/1.1"),
        get.replace("\r\n", "\n") + "\n",
        get.replacen("\r\n", "\n", 1) + "\r\n",
        format!("\r\n{get}\r\n"),
        format!("\n{get}\r\n"),
        format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked, chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{chunked}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{chunked}Content-Length: 2\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        format!(
            "{post}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        ),
        format!("{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Content-Length: 02\r\n\r\n{{}}"),
        format!("{post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}"),
        line(&format!("get {LIST} HTTP/1.1")),
        line("GET /rest/v11_24/Con\\tacts HTTP/1.1"),
        line("GET /rest/v11_24/Cont\u{e9}cts HTTP/1.1"),
        line("GET /rest/v11_24/Contacts%00 HTTP/1.1"),
        line("GET /rest/v11_24/Contacts%zz HTTP/1.1"),
        line("GET /rest/v11_24/a/../Contacts HTTP/1.1"),
        line("GET /rest/v11_24/Contacts#x HTTP/1.1"),
        line("GET /rest/v11_24/Contacts?max_num=1#x HTTP/1.1"),
        with("Content_Length: 5"),
        with("Transfer_Encoding: chunked"),
        with("X.Role: admin"),
        format!("{chunked}\r\n2 \r\n{{}}\r\n0\r\n\r\n"),
        format!("{chunked}\r\n2;a=b\r\n{{}}\r\n0\r\n\r\n"),
        format!("{chunked}\r\n2\r\n{{}}\r\n0\r\nX-Trailer: a\r\n\r\n"),
        format!("{chunked}\r\n2\r\n{{}}\r\n0\r\nContent-Length: 3\r\n\r\n"),
        format!("{chunked}\r\n2\n{{}}\n0\n\n"),
        // What hyper refuses itself.
        format!("{post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"),
        format!("{post}Content-Length: 2, 2\r\n\r\n{{}}"),
        format!("{post}Content-Length: +2\r\n\r\n{{}}"),
        format!("{post}Content-Length: \r\n\r\n{{}}"),
        format!("{post}Content-Length: 0x2\r\n\r\n{{}}"),
        format!("{post}Content-Length: 18446744073709551618\r\n\r\n{{}}"),
        format!("{post}Content-Length : 2\r\n\r\n{{}}"),
        format!("{post}Transfer-Encoding: xchunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: \u{b}chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding : chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        chunked.replace("HTTP/1.1", "HTTP/1.0") + "\r\n2\r\n{}\r\n0\r\n\r\n",
        format!("{chunked}\r\nzz\r\n{{}}\r\n0\r\n\r\n"),
        format!("{chunked}\r\nffffffffffffffff1\r\n{{}}\r\n0\r\n\r\n"),
        format!("{chunked}\r\n3\r\n{{}}\r\n0\r\n\r\n"),
        with("X-A: a\rb"),
        with("X-A: a\r\n b"),
        with("X-A: a\0b"),
        with(": a"),
        with("X Role: a"),
        with("X-Role\u{7f}: a"),
        with("nothing"),
        format!("GET {LIST}\r\n\r\n"),
        line(&format!("GET {LIST} HTTP/1.2")),
        line(&format!("GET {LIST} HTTP/2.0")),
        line(&format!("GET  {LIST} HTTP/1.1")),
        line(&format!("GET {LIST}  HTTP/1.1")),
        line(&format!("GET {LIST} x HTTP/1.1")),
        line(&format!("GET\t{LIST}\tHTTP/1.1")),
        with(&"X-A: b\r\n".repeat(150)),
        with(&format!("X-A: {}", "b".repeat(500_000))),
        line(&format!("GET {LIST}?{} HTTP/1.1", "a".repeat(70_000))),
        with("Expect: y"),
        with("Expect: y 100-continue"),
        with("Connection: close, X-Role"),
        with("Connection: Authorization"),
        with("Connection: Content-Length"),
        // Two requests for one, seen from elsewhere.
        format!("{post}Content-Length: 2\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n{{}}"),
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_owned(),
    ];
    assert!(cases.len() > 70);
    for case in &cases {
        let shown = &case[..case.len().min(300)];
        let answer = all(&world, format!("{case}{SMUGGLED}").as_bytes());
        let statuses: Vec<&str> = answer
            .match_indices("HTTP/1.1 ")
            .map(|(at, _)| &answer[at + 9..at + 12])
            .collect();
        assert!(
            statuses.len() <= 1 && statuses.iter().all(|status| status.starts_with('4')),
            "{shown:?}: {answer}"
        );
        assert!(!statuses.contains(&"403"), "{shown:?}: {answer}");
        let reached = crm.take_all();
        assert!(reached.is_empty(), "{shown:?}: {}", reached[0].line);
    }
    let heard = crm.bytes();
    assert!(memchr::memmem::find(&heard, b"smuggled").is_none());
    // The good ones still pass, two in one write.
    let body = format!("{chunked}\r\n2\r\n{{}}\r\n0\r\n\r\n{get}Connection: close\r\n\r\n");
    let answer = all(&world, body.as_bytes());
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    assert_eq!(crm.take().len(), 2);
}

#[test]
fn a10_what_is_turned_away_is_counted_in_the_log() {
    let (_crm, mut world) = before(|_| good_page());
    for bytes in [
        "GET / HTTP/1.1\r\nHost: a\r\nX.A: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET /rest/%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        assert!(
            all(&world, bytes.as_bytes()).starts_with("HTTP/1.1 400"),
            "{bytes:?}"
        );
    }
    // A broken HTTP/2: nobody is there to read an answer in HTTP/1.
    assert_eq!(all(&world, b"INVALID CONNECTION PREFACE\r\n\r\n"), "");
    let metrics = world.metrics();
    assert!(
        metrics.contains("paravent_refusals_total{reason=\"malformed-head\"} 4"),
        "{metrics}"
    );
    world.stop();
    let events = world.events();
    let counted = |reason: &str| {
        events
            .iter()
            .filter(|event| event["event"] == "auth.refused" && event["reason"] == reason)
            .map(|event| event["count"].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!(
        (counted("malformed-head"), counted("malformed-target")),
        (4, 1)
    );
}

#[test]
fn a10_an_upgrade_is_not_made_and_ends_the_connection() {
    let (crm, world) = before(|_| good_page());
    for upgrade in ["h2c", "websocket", "x"] {
        let request = format!(
            "GET {LIST} HTTP/1.1\r\n{HEAD}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n{SMUGGLED}"
        );
        let answer = all(&world, request.as_bytes());
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(!answer.contains("101"), "{answer}");
        for request in crm.take() {
            assert!(!request.line.contains("smuggled"));
            assert_eq!(
                (request.header("upgrade"), request.header("http2-settings")),
                (None, None)
            );
        }
    }
}

#[test]
fn a17_headers_that_claim_an_identity_are_refused_or_stay_behind() {
    let (crm, world) = before(|_| good_page());
    assert_eq!(world.get(LIST, "tok-1").status, 200);
    crm.take_all();
    let ask = |headers: &str| {
        let request = format!("GET {LIST} HTTP/1.1\r\n{HEAD}{headers}Connection: close\r\n\r\n");
        let reply = world.send_raw(world.proxy, request.as_bytes());
        (reply.status, crm.take_all())
    };
    for refused in [
        "X_Forwarded_User: admin",
        "Content_Type: text/plain",
        "Oauth_Token: tok-2",
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "OAuth-Token: tok-2",
        "Authorization: Bearer tok-2",
        "Authorization: Basic eDp5",
        "Connection: X-Forwarded-For",
        "Connection: OAuth-Token",
        "Content-Encoding: gzip",
    ] {
        let (status, reached) = ask(&format!("{refused}\r\n"));
        assert!((400..=415).contains(&status), "{refused}: {status}");
        assert!(reached.is_empty(), "{refused}");
    }
    for dropped in [
        "X-Role: admin",
        "X_Role: admin",
        "X_Request_Id: 1",
        "Accept: a\r\nAccept: b",
        "X-Another-User: admin",
        "X-Forwarded-User: admin",
        "X-Forwarded-For: 10.0.0.1",
        "Forwarded: for=10.0.0.1",
        "X-Real-IP: 10.0.0.1",
        "X-Original-URL: /rest/v11_24/Users",
        "X-Rewrite-URL: /rest/v11_24/Users",
        "X-Forwarded-Prefix: /x",
        "X-Forwarded-Uri: /x",
        "X-Forwarded-Host: evil",
        "X-Forwarded-Client-Cert: x",
        "X-Sugar-Platform: portal",
        "Cookie: PHPSESSID=x; download_token=y",
        "Proxy-Authorization: Basic eDp5",
        "If-None-Match: *",
        "If-Match: x",
        "If-Modified-Since: x",
        "If-Range: x",
        "Range: bytes=0-1",
        "Via: 1.1 x",
        "Accept-Encoding: gzip, br, zstd",
        "TE: trailers, gzip",
        "Origin: null",
        "X-Purpose: payment",
        "MSCRMCallerID: x",
        "X-Api-Key: x",
        "X-Middleware-Subrequest: x",
        "Max-Forwards: 0",
        "Referer: x",
        "User-Agent: GoogleHC/1.0",
    ] {
        let (status, reached) = ask(&format!("{dropped}\r\n"));
        assert_eq!(status, 200, "{dropped}");
        let [request] = reached.as_slice() else {
            panic!("{dropped}: one request")
        };
        let mut names: Vec<&str> = request
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_unstable();
        let expected = [
            "accept",
            "accept-encoding",
            "host",
            "oauth-token",
            "user-agent",
            "x-forwarded-for",
        ];
        assert_eq!(names, expected, "{dropped}");
        assert_eq!(
            request.header("x-forwarded-for"),
            Some("127.0.0.1"),
            "{dropped}"
        );
        assert_eq!(
            request.header("accept-encoding"),
            Some("identity"),
            "{dropped}"
        );
        assert!(
            request
                .header("user-agent")
                .unwrap()
                .starts_with("paravent/"),
            "{dropped}"
        );
    }
}
