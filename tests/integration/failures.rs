//! Every failure of a CRM has its cause in the operator's log, and every refusal its reason.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use serde_json::json;

use crate::harness::ports;
use crate::harness::scripted::{self, Scripted};
use crate::harness::world::{Wish, World};
use crate::server::{crm_behind_tls, self_signed};

const CANARY: &str = "canary-5520-belief";
const CONTACTS: &str = "/rest/v11_24/Contacts";
const LIST: &str = r#"{"next_offset":-1,"records":[{"id":"c-1","_module":"Contacts"}]}"#;

/// Asks a few times, and looks at what the operator is told.
fn told(world: &World, upstream: &str, cause: &str) {
    const TIMES: usize = 3;
    world.forbid("religion_c", CANARY);
    for number in 0..TIMES {
        let reply = world.get(CONTACTS, &format!("token-{number}"));
        assert!(
            matches!(reply.status, 502 | 504),
            "{cause}: {}",
            reply.status
        );
    }
    let lines = world.log_lines(&format!("upstream=\"{upstream}\""));
    let [line] = lines.as_slice() else {
        panic!("{cause}: told once a minute: {lines:#?}")
    };
    assert!(line.contains("WARN"), "{line}");
    assert!(line.contains(&format!("cause=\"{cause}\"")), "{line}");
    assert!(line.contains("count=1"), "{line}");
    assert!(
        !line.contains("rest/") && !line.contains("token-"),
        "{line}"
    );
    let metrics = world.metrics();
    let counted: Vec<&str> = metrics
        .lines()
        .filter(|line| line.starts_with("paravent_upstream_failures_total{"))
        .collect();
    assert_eq!(counted.len(), 19, "{counted:#?}");
    for counter in counted {
        let expected = match counter.contains(&format!("cause=\"{cause}\"")) {
            true => TIMES.to_string(),
            false => "0".to_owned(),
        };
        assert_eq!(
            counter.rsplit(' ').next(),
            Some(expected.as_str()),
            "{counter}"
        );
    }
}

fn wish() -> Wish {
    Wish {
        first_byte: Duration::from_secs(2),
        total: Duration::from_secs(4),
        record_bytes_max: 10_000,
        ..Wish::default()
    }
}

/// Before a CRM that answers so, but for look-ups of sessions.
fn answered(cause: &str, response: impl Fn() -> Vec<u8> + Send + Sync + 'static) {
    let crm = Scripted::start(move |request| match request.line.contains("/me ") {
        true => scripted::me("sally", "Sales"),
        false => response(),
    });
    let world = World::scripted(crm.address, wish());
    told(&world, &crm.address.to_string(), cause);
}

/// A head with more lines, and a body.
fn with(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn of_type(content_type: &str, body: &[u8]) -> Vec<u8> {
    with(&format!("200 OK\r\nContent-Type: {content_type}"), body)
}

#[test]
fn a_crm_that_nobody_reaches() {
    let address = ports::free();
    told(
        &World::scripted(address, wish()),
        &address.to_string(),
        "refused",
    );
    // The system has no way to this one, whatever network there is.
    let nowhere: SocketAddr = ([255, 255, 255, 255], 4711).into();
    told(
        &World::scripted(nowhere, wish()),
        &nowhere.to_string(),
        "unreachable",
    );
    let (_folder, roots) = roots(&self_signed("localhost").1);
    let unknown = Wish {
        crm_tls: Some((roots, "no-such-host.invalid")),
        first_byte: Duration::from_secs(20),
        ..wish()
    };
    let upstream = format!("no-such-host.invalid:{}", address.port());
    told(&World::scripted(address, unknown), &upstream, "dns");
}

/// A file of root certificates.
fn roots(pem: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roots.pem");
    std::fs::write(&path, pem).unwrap();
    (folder, path)
}

fn over_tls(crm: SocketAddr, roots: &Path, cause: &str) {
    let wish = Wish {
        crm_tls: Some((roots.to_owned(), "localhost")),
        ..wish()
    };
    let upstream = format!("localhost:{}", crm.port());
    told(&World::scripted(crm, wish), &upstream, cause);
}

/// A server for `localhost` with a certificate of these terms.
fn server(change: impl FnOnce(&mut CertificateParams)) -> (rustls::ServerConfig, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    change(&mut params);
    let certificate = params.self_signed(&key).unwrap();
    let der = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = paravent::server::tls(vec![certificate.der().clone()], der, None).unwrap();
    (config, certificate.pem())
}

#[test]
fn a_crm_whose_certificate_is_not_good() {
    let (_folder, others) = roots(&self_signed("localhost").1);
    over_tls(
        crm_behind_tls(self_signed("localhost").0),
        &others,
        "tls-untrusted",
    );
    let (authority, _) = server(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    over_tls(crm_behind_tls(authority), &others, "tls-untrusted");

    let (expired, pem) = server(|params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    let (_folder, trusted) = roots(&pem);
    over_tls(crm_behind_tls(expired), &trusted, "tls-expired");
    let (early, pem) = server(|params| params.not_before = date_time_ymd(2999, 1, 1));
    let (_folder, trusted) = roots(&pem);
    over_tls(crm_behind_tls(early), &trusted, "tls-expired");

    let (other, pem) = self_signed("other.example.org");
    let (_folder, trusted) = roots(&pem);
    over_tls(crm_behind_tls(other), &trusted, "tls-name");
}

#[test]
fn a_crm_that_speaks_otherwise() {
    let (_folder, trusted) = roots(&self_signed("localhost").1);
    // TLS to a server of plain HTTP, and the reverse.
    let plain = Scripted::misbehaving(|_, _| false);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut socket in server.incoming().flatten() {
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            let _ = std::io::Read::read(&mut socket, &mut [0; 1_024]);
        }
    });
    over_tls(address, &trusted, "tls-other");
    drop(plain);
    let tls = crm_behind_tls(self_signed("localhost").0);
    told(&World::scripted(tls, wish()), &tls.to_string(), "not-http");

    // One that accepts, and does not go on.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    over_tls(silent.local_addr().unwrap(), &trusted, "connect-timeout");
    let address = silent.local_addr().unwrap();
    let mute = World::scripted(address, wish());
    told(&mute, &address.to_string(), "first-byte-timeout");

    let garbage = format!("{CANARY}\r\n\r\n");
    answered("not-http", move || garbage.clone().into_bytes());
    answered("not-http", || {
        with(
            "200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: gzip, chunked",
            b"0\r\n\r\n",
        )
    });
    answered("not-http", || {
        let chunked = "200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked";
        format!("HTTP/1.1 {chunked}\r\nConnection: close\r\n\r\nzz\r\n{LIST}\r\n0\r\n\r\n")
            .into_bytes()
    });
    answered("not-http", || {
        let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(20);
        [interim.as_bytes(), &scripted::json(200, LIST.as_bytes())].concat()
    });
}

#[test]
fn a_crm_that_breaks_off_or_is_slow() {
    answered("closed-early", Vec::new);
    answered("closed-early", || b"HTTP/1.1 200 OK\r\nContent-".to_vec());
    answered("closed-early", || {
        let whole = scripted::json(200, LIST.as_bytes());
        whole[..whole.len() - 5].to_vec()
    });
    answered("first-byte-timeout", || {
        std::thread::sleep(Duration::from_secs(4));
        scripted::json(200, LIST.as_bytes())
    });
    let crm = Scripted::misbehaving(|request, socket| {
        if request.line.contains("/me ") {
            let _ = socket.write_all(&scripted::me("sally", "Sales"));
            return false;
        }
        let whole = scripted::json(200, LIST.as_bytes());
        let _ = socket.write_all(&whole[..whole.len() - 5]);
        std::thread::sleep(Duration::from_secs(6));
        false
    });
    let world = World::scripted(crm.address, wish());
    told(&world, &crm.address.to_string(), "total-timeout");
}

#[test]
fn a_crm_that_answers_with_something_else() {
    let location = format!("302 Found\r\nLocation: http://evil.example/{CANARY}");
    answered("redirect", move || with(&location, b""));
    answered("redirect", || with("304 Not Modified", b""));
    answered("content-type", || {
        of_type("text/html", b"<html>Log in</html>")
    });
    answered("content-type", || {
        of_type("text/plain; charset=utf-8", LIST.as_bytes())
    });
    answered("content-type", || with("200 OK", LIST.as_bytes()));
    answered("content-type", || {
        of_type(
            "application/json\r\nContent-Type: text/html",
            LIST.as_bytes(),
        )
    });
    answered("charset", || {
        of_type("application/json; charset=iso-8859-1", LIST.as_bytes())
    });
    answered("charset", || {
        let latin_1 = LIST.replace("c-1", "c-\u{e9}");
        let latin_1: Vec<u8> = latin_1.chars().map(|c| u8::try_from(c).unwrap()).collect();
        of_type("application/json", &latin_1)
    });
    for coding in ["compress", "gzip, gzip", "gzip"] {
        let head =
            format!("200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {coding}");
        answered("content-coding", move || with(&head, LIST.as_bytes()));
    }
}

#[test]
fn a_crm_that_answers_too_much_or_oddly() {
    let long = LIST.replace("c-1", &"x".repeat(20_000));
    answered("too-large", move || scripted::json(200, long.as_bytes()));
    let deep = LIST.replace(
        "\"c-1\"",
        &format!("{}{}", "[".repeat(200), "]".repeat(200)),
    );
    answered("too-large", move || scripted::json(200, deep.as_bytes()));
    let head = format!(
        "200 OK\r\nContent-Type: application/json\r\nX-Much: {}",
        "x".repeat(400_000)
    );
    answered("too-large", move || with(&head, LIST.as_bytes()));
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    bomb.write_all(&vec![b' '; 20 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    let head = "200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip";
    answered("too-large", move || with(head, &bomb));
    for body in [
        format!("<b>{CANARY}</b>"),
        LIST[..LIST.len() - 2].to_owned(),
        format!("{LIST} {LIST}"),
        LIST.replace("\"id\"", "\"religion_c\":1,\"religion_c\":2,\"id\""),
        String::new(),
    ] {
        answered("malformed-json", move || {
            scripted::json(200, body.as_bytes())
        });
    }
    for body in [
        "[]".to_owned(),
        "{}".to_owned(),
        format!(r#"{{"error":"{CANARY}"}}"#),
        LIST.replace("\"Contacts\"", "\"Users\""),
    ] {
        answered("wrong-shape", move || scripted::json(200, body.as_bytes()));
    }
}

#[test]
fn a_crm_that_does_not_say_whose_a_session_is() {
    for (cause, response) in [
        ("content-type", of_type("text/html", b"<html>Log in</html>")),
        ("malformed-json", scripted::json(200, b"{")),
        ("wrong-shape", scripted::json(200, b"{}")),
        ("wrong-shape", scripted::json(500, b"{}")),
        (
            "wrong-shape",
            of_type("text/html", b"x").replace_status("503 Busy"),
        ),
    ] {
        let crm = Scripted::start(move |_| response.clone());
        let world = World::scripted(crm.address, wish());
        told(&world, &crm.address.to_string(), cause);
    }
}

trait ReplaceStatus {
    fn replace_status(self, status: &str) -> Vec<u8>;
}

impl ReplaceStatus for Vec<u8> {
    fn replace_status(self, status: &str) -> Vec<u8> {
        String::from_utf8(self)
            .unwrap()
            .replacen("200 OK", status, 1)
            .into_bytes()
    }
}

#[test]
fn what_was_counted_is_told_at_the_end_at_the_latest() {
    let crm = Scripted::start(|_| Vec::new());
    let mut world = World::scripted(crm.address, wish());
    for number in 0..4 {
        world.get(CONTACTS, &format!("token-{number}"));
    }
    world.stop();
    let lines = world.log_lines(&format!("upstream=\"{}\"", crm.address));
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[1].contains("count=3"), "{lines:#?}");
}

#[test]
fn an_error_of_the_crm_in_whatever_form_is_no_failure_of_its_answer() {
    let crm = Scripted::start(|request| match request.line.contains("/me ") {
        true => scripted::me("sally", "Sales"),
        false => of_type("text/html", b"<html>Not found</html>").replace_status("404 Not Found"),
    });
    let world = World::scripted(crm.address, wish());
    assert_eq!(world.get(&format!("{CONTACTS}/c-1"), "token").status, 404);
    let upstream = crm.address.to_string();
    assert!(
        world
            .log_lines(&format!("upstream=\"{upstream}\""))
            .is_empty()
    );
}

#[test]
fn a_look_up_before_an_update_has_its_cause_too() {
    let crm = Scripted::start(|request| match request.line.contains("/me ") {
        true => scripted::me("sally", "Sales"),
        false => scripted::json(200, br#"{"id":"c-2","_module":"Contacts","last_name":"x"}"#),
    });
    let world = World::scripted(crm.address, wish());
    let contact = format!("{CONTACTS}/c-1");
    let reply = world.send(
        "PUT",
        &contact,
        Some("token"),
        Some(&json!({"last_name": "y"})),
    );
    assert_eq!(reply.status, 502);
    let lines = world.log_lines(&format!("upstream=\"{}\"", crm.address));
    assert!(lines[0].contains("cause=\"wrong-shape\""), "{lines:?}");
}

#[test]
fn a_torn_end_that_is_set_aside_at_the_start_is_told() {
    let crm = Scripted::start(|_| scripted::me("sally", "Sales"));
    let folder = tempfile::tempdir().unwrap();
    let kept = Wish {
        audit: Some(folder.path().to_owned()),
        ..wish()
    };
    World::scripted(crm.address, kept.clone()).stop();
    let segment = folder.path().join("audit-0000000000000001.jsonl");
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(segment)
        .unwrap();
    file.write_all(&[b'{'; 1_237]).unwrap();
    let world = World::scripted(crm.address, kept);
    let lines = world.log_lines("a torn end of the access log was set aside");
    let line = lines.iter().find(|line| line.contains("bytes=1237"));
    assert!(line.is_some_and(|line| line.contains("torn-")), "{lines:?}");
}

#[test]
fn what_is_turned_away_unread_is_told_once_a_minute() {
    let crm = Scripted::start(|_| scripted::me("sally", "Sales"));
    let world = World::scripted(crm.address, wish());
    let before = world
        .log_lines("turned away reason=\"malformed-purpose\"")
        .len();
    for _ in 0..5 {
        let request = "GET /rest/v11/me HTTP/1.1\r\nHost: a\r\nParavent-Purpose: a b\r\nConnection: close\r\n\r\n";
        assert_eq!(world.send_raw(world.proxy, request.as_bytes()).status, 400);
    }
    let after = world
        .log_lines("turned away reason=\"malformed-purpose\"")
        .len();
    // Other tests of this process may send the same in the meantime, each to a proxy of its own.
    assert!((1..5).contains(&(after - before)), "{before} {after}");
}

#[test]
fn the_documents_name_every_cause() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operating.md");
    let text = std::fs::read_to_string(path).unwrap();
    for cause in paravent::transport::Cause::ALL {
        let row = format!("| `{}` | {} |", cause.as_str(), cause.meaning());
        assert!(
            text.contains(&row),
            "docs/operating.md lacks this row:\n{row}"
        );
    }
}

#[test]
fn a_refusal_tells_the_operator_who_asked_for_what_and_why_not() {
    let crm = Scripted::start(|request| match request.line.contains("/me ") {
        true => scripted::me("sally\u{1b}[2J\nWARN x", "Sales"),
        false => scripted::json(404, br#"{"error":"not_found"}"#),
    });
    let world = World::scripted(crm.address, wish());
    let caller = "caller=\"id-sally\\\\u{1b}[2J\\\\u{a}WARN x\"";
    for (target, reason, module) in [
        ("/Contacts?order_by=iban_c", "field-not-usable", "Contacts"),
        ("/Nobody_knows", "unknown-module", "(unknown)"),
        ("/Contacts/c-1", "upstream-error", "Contacts"),
    ] {
        let reply = world.get(&format!("/rest/v11_24{target}"), "token");
        let decision = reply.header("paravent-decision").unwrap();
        let lines = world.log_lines(decision);
        let [line] = lines.as_slice() else {
            panic!("{lines:#?}")
        };
        for part in [
            &format!("reason=\"{reason}\""),
            caller,
            &format!("module=\"{module}\""),
        ] {
            assert!(line.contains(part), "lacks {part}: {line}");
        }
    }
}
