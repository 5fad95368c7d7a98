//! Certificates that are renewed while connections are open.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use paravent::reload::Outcome;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::client::WebPkiServerVerifier;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::json;

use super::rig::{self, A, B, Kept, OFTEN, Rig, Wish, shown, write};
use crate::harness::binary;
use crate::harness::scripted::Scripted;

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A certificate of its own, and its key, in PEM form.
struct Own {
    pem: String,
    key: String,
    der: CertificateDer<'static>,
}

fn own(change: impl FnOnce(&mut CertificateParams)) -> Own {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2045, 1, 1);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Own {
        pem: certificate.pem(),
        key: key.serialize_pem(),
        der: certificate.der().clone(),
    }
}

fn put(dir: &Path, certificate: &str, key: &str) {
    fs::write(dir.join("crm.pem"), certificate).unwrap();
    binary::secret(&dir.join("crm.key"), key.as_bytes());
}

const TLS: Wish = Wish {
    upstream: "",
    listener: ", tls: { certificate: crm.pem, key: crm.key }",
    sections: "",
    every: None,
    suites: None,
};

fn start(wish: Wish, own: &Own) -> Rig {
    Rig::before(Scripted::start(rig::answer), wish, |dir| {
        put(dir, &own.pem, &own.key);
    })
}

/// A connection that trusts these, and perhaps shows a certificate.
fn connect(
    rig: &Rig,
    trusted: &[&Own],
    client: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
) -> Result<Stream, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    for own in trusted {
        roots.add(own.der.clone()).unwrap();
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_webpki_verifier(verifier.build().unwrap());
    let config = match client {
        Some((certificate, key)) => builder
            .with_client_auth_cert(vec![certificate], key)
            .unwrap(),
        None => builder.with_no_client_auth(),
    };
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(rig.address).unwrap();
    while connection.is_handshaking() {
        connection
            .complete_io(&mut socket)
            .map_err(|error| error.to_string())?;
    }
    Ok(StreamOwned::new(connection, socket))
}

fn certificate(stream: &Stream) -> CertificateDer<'static> {
    stream.conn.peer_certificates().unwrap()[0]
        .clone()
        .into_owned()
}

fn outcome<'r>(report: &'r paravent::reload::Report, part: &str) -> &'r Outcome {
    let mut all = report.certificates.iter();
    &all.find(|(name, _)| name == part).unwrap().1
}

#[test]
fn new_connections_begin_with_the_new_certificate_and_open_ones_live() {
    let (first, second) = (own(|_| {}), own(|_| {}));
    let both = [&first, &second];
    let rig = start(TLS, &first);
    let mut kept = Kept(connect(&rig, &both, None).unwrap());
    assert_eq!(certificate(&kept.0), first.der);
    assert_eq!(shown(&kept.ask()), A);
    assert!(
        rig.part("certificate:crm")
            .starts_with("certificate:crm ok valid until 2045-01-01")
    );
    let seconds = rig.metric("paravent_certificate_not_after_seconds{name=\"crm\"}");
    assert_eq!(seconds, Some(2_366_841_600.0));
    // The policy is another one, too: one has nothing to do with the other.
    put(rig.dir.path(), &second.pem, &second.key);
    write(&rig.policies(), B);
    let report = rig.look();
    assert_eq!(outcome(&report, "certificate:crm"), &Outcome::Taken);
    assert_eq!(report.policy, Outcome::Taken);
    assert_eq!(shown(&kept.ask()), B, "an open connection goes on");
    assert_eq!(certificate(&kept.0), first.der);
    assert_eq!(
        certificate(&connect(&rig, &both, None).unwrap()),
        second.der
    );
    assert!(connect(&rig, &[&first], None).is_err());
    assert_eq!(outcome(&rig.look(), "certificate:crm"), &Outcome::Unchanged);
    let loaded = rig.named("certificate.loaded");
    assert_eq!(loaded.len(), 1);
    assert_eq!(
        (&loaded[0]["what"], &loaded[0]["by"]),
        (&json!("certificate:crm"), &json!("signal"))
    );
    assert_eq!(loaded[0]["not_after"], "2045-01-01T00:00:00Z");
    assert!(
        loaded[0]["fingerprint"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
}

#[test]
fn a_certificate_that_ends_while_it_is_in_use_is_told() {
    let ends = std::time::SystemTime::now() + Duration::from_secs(4);
    let brief = own(|params| params.not_after = ends.into());
    let wish = Wish {
        every: Some(OFTEN),
        ..TLS
    };
    let rig = start(wish, &brief);
    let is_ok = |rig: &Rig| rig.part("certificate:crm").contains(" ok valid until ");
    assert!(is_ok(&rig));
    rig.wait_until("ended", |rig| !is_ok(rig));
    let line = rig.part("certificate:crm");
    assert!(
        line.starts_with("certificate:crm bad it was valid until "),
        "{line}"
    );
}

#[test]
fn a_certificate_that_cannot_be_shown_leaves_the_one_before() {
    let (first, second) = (own(|_| {}), own(|_| {}));
    let expired = own(|params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let early = own(|params| params.not_before = date_time_ymd(2044, 1, 1));
    // Looked at only between two writes: of halves of what is written, more would be refused.
    let rig = start(TLS, &first);
    let gauge = "paravent_reload_rejected{what=\"certificate:crm\"}";
    let half = &second.pem[..second.pem.len() / 2];
    let cases = [
        (
            "half replaced",
            second.pem.as_str(),
            first.key.as_str(),
            "C020",
        ),
        ("expired", &expired.pem, &expired.key, "C021"),
        ("not yet valid", &early.pem, &early.key, "C021"),
        ("half written", half, &second.key, "C008"),
        ("no key", &second.pem, "", "C008"),
    ];
    for (number, (what, pem, key, _)) in cases.iter().enumerate() {
        put(rig.dir.path(), pem, key);
        rig.wait_until(what, |rig| {
            let _ = rig.look();
            rig.named("certificate.rejected").len() > number
        });
        assert_eq!(rig.metric(gauge), Some(1.0), "{what}");
        assert!(
            rig.part("certificate:crm")
                .starts_with("certificate:crm bad it was refused: ")
        );
        assert_eq!(rig.admin("/readyz").status, 200);
        assert_eq!(
            certificate(&connect(&rig, &[&first], None).unwrap()),
            first.der
        );
        // The policy does not wait for it.
        write(&rig.policies(), if number % 2 == 0 { B } else { A });
        rig.wait_until("taken", |rig| {
            let _ = rig.look();
            rig.named("policy.loaded").len() == number + 2
        });
    }
    // A key that everybody may read is none.
    put(rig.dir.path(), &second.pem, &second.key);
    let path = rig.dir.path().join("crm.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        outcome(&rig.look(), "certificate:crm"),
        Outcome::Rejected(_)
    ));
    let told = rig.named("certificate.rejected");
    for ((what, .., code), event) in cases.iter().zip(&told) {
        assert_eq!(event["codes"], json!([code]), "{what}");
    }
    put(rig.dir.path(), &second.pem, &second.key);
    rig.wait_until("mended", |rig| {
        let _ = rig.look();
        rig.named("certificate.loaded").len() == 1
    });
    // It is on record before it is in use.
    rig.wait_until("in use", |rig| rig.metric(gauge) == Some(0.0));
    assert_eq!(
        certificate(&connect(&rig, &[&second], None).unwrap()),
        second.der
    );
    assert_eq!(rig.named("certificate.rejected").len(), cases.len() + 1);
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Authority::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn client(by: &Authority) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let mut params = CertificateParams::default();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names = vec![SanType::DnsName("mailer.example.com".try_into().unwrap())];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, by).unwrap().der().clone();
    (
        certificate,
        PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    )
}

#[test]
fn other_authorities_count_for_new_handshakes_and_for_requests_on_open_connections() {
    let (first, second, server) = (authority(), authority(), own(|_| {}));
    let wish = Wish {
        listener: ", tls: { certificate: crm.pem, key: crm.key, clients: { ca: ca.pem } }, identity: [crm-session, certificate]",
        upstream: ", service: { user: paravent, password: { file: svc.pw } }",
        ..TLS
    };
    let rig = Rig::before(Scripted::start(rig::answer), wish, |dir| {
        binary::secret(&dir.join("svc.pw"), b"secret");
        put(dir, &server.pem, &server.key);
        fs::write(dir.join("ca.pem"), first.pem()).unwrap();
    });
    let tries = |by: &Authority| {
        let stream = connect(&rig, &[&server], Some(client(by)));
        stream.is_ok_and(|stream| {
            let mut kept = Kept(stream);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| kept.ask().status)).is_ok()
        })
    };
    assert!(tries(&first));
    assert!(!tries(&second));
    fs::write(rig.dir.path().join("ca.pem"), "nothing").unwrap();
    assert!(matches!(
        outcome(&rig.look(), "clients:crm"),
        Outcome::Rejected(_)
    ));
    assert!(tries(&first));
    fs::write(rig.dir.path().join("ca.pem"), second.pem()).unwrap();
    assert_eq!(outcome(&rig.look(), "clients:crm"), &Outcome::Taken);
    assert!(!tries(&first));
    assert!(tries(&second));
    assert_eq!(rig.named("certificate.loaded")[0]["what"], "clients:crm");
}
