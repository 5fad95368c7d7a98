//! The server keeps its bounds, speaks TLS and HTTP/2, and stops in order.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::client;
use crate::harness::scripted::{self, Scripted};
use crate::harness::world::{self, Wish, World};

fn closes_within(mut socket: TcpStream, patience: Duration) -> bool {
    socket.set_read_timeout(Some(patience)).unwrap();
    let start = Instant::now();
    let mut chunk = [0; 1_024];
    loop {
        match socket.read(&mut chunk) {
            Ok(0) => return true,
            Ok(_) if start.elapsed() < patience => {}
            Ok(_) => return false,
            Err(error) => {
                return !matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                );
            }
        }
    }
}

#[test]
fn slow_and_silent_callers_are_given_up() {
    let crm = Scripted::start(|_| scripted::me("sally", "Sales"));
    let short = Duration::from_millis(500);
    let wish = Wish {
        head_timeout: short,
        body_timeout: short,
        idle_timeout: short,
        ..Wish::default()
    };
    let world = World::scripted(crm.address, wish);
    let open = |bytes: &[u8]| {
        let mut socket = TcpStream::connect(world.proxy).unwrap();
        socket.write_all(bytes).unwrap();
        socket
    };
    let patience = client::PATIENCE;
    assert!(closes_within(open(b""), patience), "no head at all");
    assert!(
        closes_within(
            open(b"GET /rest/v11_24/ping HTTP/1.1\r\nHost: a\r\n"),
            patience
        ),
        "half a head"
    );
    assert!(
        closes_within(
            open(b"POST /rest/v11_24/Contacts HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"),
            patience
        ),
        "half a body"
    );
    assert!(
        closes_within(open(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"), patience),
        "silence after a request"
    );
}

#[test]
fn logins_and_unknown_credentials_are_limited_per_origin() {
    let crm = Scripted::start(|_| {
        scripted::json(401, b"{\"error\":\"need_login\",\"error_message\":\"x\"}")
    });
    let login = json!({"grant_type": "password", "client_id": "sugar", "username": "u", "password": "wrong"});
    for _ in 0..20 {
        let world = World::scripted(
            crm.address,
            Wish {
                logins_per_minute: 5,
                ..Wish::default()
            },
        );
        let start = Instant::now();
        let log_in = |_| world.send("POST", "/rest/v11_24/oauth2/token", None, Some(&login));
        let guess = |n| world.get("/rest/v11_24/Contacts", &format!("guess-{n}"));
        let logins: Vec<u16> = (0..8).map(log_in).map(|reply| reply.status).collect();
        let guesses: Vec<u16> = (0..7).map(guess).map(|reply| reply.status).collect();
        let last = guess(99);
        if start.elapsed() > Duration::from_secs(12) {
            // So slow a machine that one more is allowed by now.
            continue;
        }
        assert_eq!(logins, [401, 401, 401, 401, 401, 429, 429, 429]);
        assert_eq!(guesses, [401, 401, 401, 401, 401, 429, 429]);
        assert!(last.header("retry-after").is_some());
        return;
    }
    panic!("this machine takes more than 12 s for 16 requests");
}

#[test]
fn health_and_metrics_are_on_the_admin_listener_only() {
    let mut world = World::demo();
    let sally = world.login("sally");
    assert_eq!(
        world.get("/rest/v11_24/Contacts?max_num=1", &sally).status,
        200
    );
    let get = |path: &str| {
        client::raw(
            world.admin,
            format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes(),
        )
    };
    assert_eq!(
        (
            get("/livez").status,
            get("/readyz").status,
            get("/else").status
        ),
        (200, 200, 404)
    );
    let metrics = get("/metrics").text();
    assert!(
        metrics.contains("paravent_requests_total{action=\"list\",outcome=\"partial\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("paravent_policy_info{"), "{metrics}");
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(
            world.get(path, &sally).status,
            403,
            "the CRM's address does not answer {path}"
        );
    }
    let admin = world.admin;
    world.stop();
    assert!(TcpStream::connect(admin).is_err());
}

#[test]
fn a_stop_lets_requests_end_and_closes_the_log() {
    let crm = Scripted::start(|request| {
        if request.line.contains("/me ") {
            return scripted::me("sally", "Sales");
        }
        std::thread::sleep(Duration::from_millis(800));
        scripted::json(
            200,
            br#"{"next_offset":-1,"records":[{"id":"c-1","_module":"Contacts"}]}"#,
        )
    });
    let mut world = World::scripted(crm.address, Wish::default());
    let address = world.proxy;
    let asking = std::thread::spawn(move || {
        client::raw(
            address,
            b"GET /rest/v11_24/Contacts HTTP/1.1\r\nHost: a\r\nOAuth-Token: t\r\n\r\n",
        )
    });
    std::thread::sleep(Duration::from_millis(400));
    world.stop();
    let reply = asking.join().unwrap();
    assert!(reply.status == 200 && reply.complete);
    assert!(TcpStream::connect(address).is_err(), "no new connections");
    let events = world.events();
    assert_eq!(events.last().unwrap()["event"], json!("audit.stopped"));
    assert!(
        events
            .iter()
            .any(|event| event["id"] == json!(reply.header("paravent-decision").unwrap()))
    );
}

#[test]
fn a_caller_who_hangs_up_is_recorded_too() {
    let crm = Scripted::start(|request| {
        if request.line.contains("/me ") {
            return scripted::me("sally", "Sales");
        }
        std::thread::sleep(Duration::from_millis(500));
        scripted::json(
            200,
            br#"{"next_offset":-1,"records":[{"id":"c-1","_module":"Contacts"}]}"#,
        )
    });
    let world = World::scripted(crm.address, Wish::default());
    let mut socket = TcpStream::connect(world.proxy).unwrap();
    socket
        .write_all(b"GET /rest/v11_24/Contacts HTTP/1.1\r\nHost: a\r\nOAuth-Token: t\r\n\r\n")
        .unwrap();
    std::thread::sleep(Duration::from_millis(250));
    drop(socket);
    let deadline = Instant::now() + client::PATIENCE;
    while !world
        .events()
        .iter()
        .any(|event| event["request"]["action"] == json!("list"))
    {
        assert!(Instant::now() < deadline, "no event");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn http_2_works_and_keeps_the_same_rules() {
    use http_body_util::{BodyExt, Full};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let world = World::demo();
    let sally = world.login("sally");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(world.proxy).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket))
                .await
                .unwrap();
        tokio::spawn(connection);
        for (target, status) in [
            ("/rest/v11_24/Contacts?max_num=3", 200),
            ("/rest/v11_24/Contacts?order_by=iban_c", 403),
        ] {
            let request = http::Request::builder()
                .uri(format!("http://{}{target}", world.proxy))
                .header("oauth-token", &sally)
                .body(Full::<bytes::Bytes>::default())
                .unwrap();
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), status, "{target}");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
        }
    });
}

/// A CRM behind TLS that answers every request with an empty list.
pub fn crm_behind_tls(config: rustls::ServerConfig) -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = std::sync::Arc::new(config);
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut socket = socket;
            let mut stream = rustls::Stream::new(&mut connection, &mut socket);
            let mut head = [0; 4_096];
            let Ok(count) = stream.read(&mut head) else {
                continue;
            };
            let response = if head[..count].windows(4).any(|window| window == b"/me ") {
                scripted::me("sally", "Sales")
            } else {
                scripted::json(
                    200,
                    br#"{"next_offset":-1,"records":[{"id":"c-1","_module":"Contacts"}]}"#,
                )
            };
            let _ = stream.write_all(&response);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    address
}

pub fn self_signed(name: &str) -> (rustls::ServerConfig, String) {
    let key = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let der = rustls_pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    (
        paravent::server::tls(vec![key.cert.der().clone()], der, None).unwrap(),
        key.cert.pem(),
    )
}

/// A connection to a proxy with this certificate for `crm.example.org`, on which one of these protocols is wished for.
fn caller_over_tls(
    world: &World,
    pem: &str,
    wishes: &[&str],
) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
    let mut trusted = rustls::RootCertStore::empty();
    for certificate in rustls_pki_types::pem::PemObject::pem_slice_iter(pem.as_bytes()) {
        let certificate: rustls_pki_types::CertificateDer<'_> = certificate.unwrap();
        trusted.add(certificate).unwrap();
    }
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    client.alpn_protocols = wishes.iter().map(|wish| wish.as_bytes().to_vec()).collect();
    let name = rustls_pki_types::ServerName::try_from("crm.example.org").unwrap();
    let connection = rustls::ClientConnection::new(std::sync::Arc::new(client), name).unwrap();
    let socket = TcpStream::connect(world.proxy).unwrap();
    socket.set_read_timeout(Some(client::PATIENCE)).unwrap();
    rustls::StreamOwned::new(connection, socket)
}

#[test]
fn tls_on_both_sides_with_certificates_that_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let (crm_config, crm_pem) = self_signed("localhost");
    let roots = dir.path().join("roots.pem");
    std::fs::write(&roots, crm_pem).unwrap();
    let crm = crm_behind_tls(crm_config);
    let (config, pem) = self_signed("crm.example.org");
    let wish = Wish {
        tls: Some(config.into()),
        crm_tls: Some((roots, "localhost")),
        ..Wish::default()
    };
    let world = World::scripted(crm, wish);

    let mut stream = caller_over_tls(&world, &pem, &[]);
    stream.write_all(b"GET /rest/v11_24/Contacts HTTP/1.1\r\nHost: crm.example.org\r\nOAuth-Token: t\r\nConnection: close\r\n\r\n").unwrap();
    let mut reply = String::new();
    let _ = stream.read_to_string(&mut reply);
    assert!(
        reply.starts_with("HTTP/1.1 200 OK") && reply.contains("\"c-1\""),
        "{reply}"
    );

    // Plain HTTP on the TLS port is no HTTP at all, and a CRM whose certificate nobody vouches for is not asked.
    assert_eq!(world.get("/rest/v11_24/Contacts", "t").status, 0);
    let (stranger, _) = self_signed("localhost");
    let (_, other_pem) = self_signed("localhost");
    let roots = dir.path().join("other.pem");
    std::fs::write(&roots, other_pem).unwrap();
    let world = World::scripted(
        crm_behind_tls(stranger),
        Wish {
            crm_tls: Some((roots, "localhost")),
            ..Wish::default()
        },
    );
    assert_eq!(world.get("/rest/v11_24/Contacts", "t").status, 502);
}

#[test]
fn over_tls_only_what_was_agreed_on_is_spoken() {
    let (config, pem) = self_signed("crm.example.org");
    let crm = Scripted::start(|request| {
        if request.line.contains("/me ") {
            scripted::me("sally", "Sales")
        } else {
            scripted::json(200, br#"{"next_offset":-1,"records":[]}"#)
        }
    });
    let wish = Wish {
        tls: Some(config.into()),
        ..Wish::default()
    };
    let world = World::scripted(crm.address, wish);
    let http1 =
        b"GET /rest/v11_24/Contacts HTTP/1.1\r\nHost: crm.example.org\r\nOAuth-Token: t\r\n\r\n";
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let acknowledged = b"\0\0\0\x04\x01\0\0\0\0";
    for (wishes, others) in [
        (
            &["h2"][..],
            [&http1[..], b"INVALID CONNECTION PREFACE\r\n\r\n"],
        ),
        (&["http/1.1"][..], [&http2[..], b"PRI * HTTP/2.0\r\n\r\n"]),
        (&[][..], [&http2[..], b"PRI * HTTP/2.0\r\n\r\n"]),
    ] {
        let agreed_http2 = wishes == ["h2"];
        for other in others {
            let mut stream = caller_over_tls(&world, &pem, wishes);
            stream.write_all(other).unwrap();
            let mut reply = Vec::new();
            let ended = stream.read_to_end(&mut reply);
            assert!(
                !matches!(&ended, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
                "the connection stays open: {wishes:?}"
            );
            // The server's first frame may be there already; an answer is not.
            let has_answer = if agreed_http2 {
                reply.windows(5).any(|window| window == b"HTTP/")
            } else {
                reply.starts_with(b"\0") || reply.starts_with(b"HTTP/1.1 2")
            };
            assert!(!has_answer, "{wishes:?}: {}", reply.escape_ascii());
        }
        assert!(crm.take_all().is_empty(), "{wishes:?}: the CRM was asked");

        let mut stream = caller_over_tls(&world, &pem, wishes);
        stream
            .write_all(if agreed_http2 { http2 } else { http1 })
            .unwrap();
        let awaited = if agreed_http2 {
            &acknowledged[..]
        } else {
            b"HTTP/1.1 200 OK\r\n"
        };
        let mut reply = Vec::new();
        while !reply.windows(awaited.len()).any(|window| window == awaited) {
            let mut chunk = [0; 1_024];
            let count = stream.read(&mut chunk).unwrap();
            assert!(count > 0, "{wishes:?}: {}", reply.escape_ascii());
            reply.extend_from_slice(&chunk[..count]);
        }
        assert_eq!(
            stream.conn.alpn_protocol(),
            wishes.first().map(|wish| wish.as_bytes())
        );
        crm.take_all();
    }
}

#[test]
fn a_client_of_http_1_0_is_served_over_tls() {
    let (config, pem) = self_signed("crm.example.org");
    let crm = Scripted::start(|request| {
        if request.line.contains("/me ") {
            scripted::me("sally", "Sales")
        } else {
            scripted::json(200, br#"{"next_offset":-1,"records":[]}"#)
        }
    });
    let world = World::scripted(
        crm.address,
        Wish {
            tls: Some(config.into()),
            ..Wish::default()
        },
    );
    // As `curl --http1.0` does: it offers nothing else.
    let mut stream = caller_over_tls(&world, &pem, &["http/1.0"]);
    let request =
        b"GET /rest/v11_24/Contacts HTTP/1.0\r\nHost: crm.example.org\r\nOAuth-Token: t\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut reply = String::new();
    let _ = stream.read_to_string(&mut reply);
    assert!(
        reply.starts_with("HTTP/1.0 200 OK") && reply.contains("\"records\":[]"),
        "{reply}"
    );
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.0"[..]));
}

/// A `ClientHello` of this version that offers one cipher suite.
fn client_hello(version: [u8; 2], cipher_suite: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    let random = [7; 32];
    let mut body = version.to_vec();
    body.extend(random);
    body.extend([0, 0, 2]);
    body.extend(cipher_suite);
    body.extend([1, 0]);
    body.extend(extensions);
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
    let mut message = vec![1, 0, 0, length(&body)];
    message.extend(body);
    let mut record = vec![22, 3, 1, 0, length(&message)];
    record.extend(message);
    record
}

#[test]
fn tls_handshakes_that_fail_are_counted_by_cause() {
    let (config, pem) = self_signed("crm.example.org");
    let (_, stranger) = self_signed("stranger.example.org");
    let crm = Scripted::start(|_| scripted::me("sally", "Sales"));
    let world = World::scripted(
        crm.address,
        Wish {
            tls: Some(config.into()),
            head_timeout: Duration::from_millis(500),
            ..Wish::default()
        },
    );
    let send = |bytes: &[u8]| {
        let mut socket = TcpStream::connect(world.proxy).unwrap();
        socket.write_all(bytes).unwrap();
        assert!(closes_within(socket, client::PATIENCE));
    };
    send(b"GET /rest/v11_24/ping HTTP/1.1\r\nHost: a\r\n\r\n");
    send(b"");
    let hello = client_hello([3, 2], [0x00, 0x2f], &[]);
    send(&hello);
    // TLS 1.2 with signatures that we can make, and a cipher that nobody should use.
    let signatures = [0, 8, 0, 13, 0, 4, 0, 2, 4, 3];
    send(&client_hello([3, 3], [0x00, 0x05], &signatures));
    send(b"\x16\x03\x01\x00\x04\x01\x00\x00\x00");
    let mut early = TcpStream::connect(world.proxy).unwrap();
    early.write_all(&hello[..9]).unwrap();
    drop(early);
    for (pem, wishes) in [(&stranger, &[][..]), (&pem, &["spdy/3"])] {
        let mut stream = caller_over_tls(&world, pem, wishes);
        assert!(stream.write_all(b"GET / HTTP/1.1\r\n\r\n").is_err());
    }
    let count =
        |cause: &str| format!("paravent_tls_handshake_failures_total{{cause=\"{cause}\"}} 1\n");
    let causes = [
        "not-tls",
        "timeout",
        "no-common-version",
        "no-common-cipher",
        "malformed",
        "closed-early",
        "certificate-refused",
        "no-common-protocol",
    ];
    // A handshake that fails is counted once its connection has ended.
    let deadline = Instant::now() + client::PATIENCE;
    let is_all = |metrics: &str| causes.iter().all(|cause| metrics.contains(&count(cause)));
    while !is_all(&world.metrics()) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    let metrics = world.metrics();
    for cause in causes {
        assert!(metrics.contains(&count(cause)), "{cause}: {metrics}");
        let line = format!("a TLS handshake failed cause=\"{cause}\"");
        assert!(world::logged().contains(&line), "{line}");
    }
}
