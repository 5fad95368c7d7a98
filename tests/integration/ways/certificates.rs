//! Client certificates and keys: judged at each request, by what is in force now.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SanType, SerialNumber, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::json;

use crate::harness::client::{self, Response};
use crate::harness::world::Wish;

use super::rig::{Behind, Plan, Rig, TAKES_EFFECT, bytes};
use super::tap::Tap;

type Authority = CertifiedIssuer<'static, KeyPair>;

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Machines");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Authority::self_signed(params, KeyPair::generate().unwrap()).unwrap()
});

/// Where a client certificate may be shown, and where it must be.
pub const ASKED: &str =
    "tls: { certificate: server.pem, key: server.key, clients: { ca: ca.pem, crl: ca.crl } }";

/// The files that a listener with client certificates needs.
pub fn write(folder: &Path) {
    let server = rcgen::generate_simple_self_signed(["crm.example.org".to_owned()]).unwrap();
    std::fs::write(folder.join("server.pem"), server.cert.pem()).unwrap();
    crate::harness::binary::secret(
        &folder.join("server.key"),
        server.signing_key.serialize_pem().as_bytes(),
    );
    std::fs::write(folder.join("ca.pem"), AUTHORITY.as_ref().pem()).unwrap();
    revoke(folder, &[]);
}

/// Puts a list of these revoked serials in the place of the one before.
fn revoke(folder: &Path, serials: &[u64]) {
    let revoked = serials.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2024, 1, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(2090, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&*AUTHORITY).unwrap().pem().unwrap();
    std::fs::write(folder.join("new"), list).unwrap();
    std::fs::rename(folder.join("new"), folder.join("ca.crl")).unwrap();
}

/// Whoever holds a certificate.
pub struct Holder {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Holder {
    pub fn of(serial: u64, common: &str, names: &[&str]) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common);
        (params.not_before, params.not_after) =
            (date_time_ymd(2024, 1, 1), date_time_ymd(2090, 1, 1));
        params.serial_number = Some(SerialNumber::from(serial));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let names = names
            .iter()
            .map(|name| SanType::DnsName((*name).try_into().unwrap()));
        params.subject_alt_names = names.collect();
        let key = KeyPair::generate().unwrap();
        Self {
            certificate: params.signed_by(&key, &*AUTHORITY).unwrap().der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }

    pub fn mailer() -> Self {
        Self::of(7, "Somebody", &["mailer.example.com"])
    }

    /// As a token names it that is bound to it (RFC 8705).
    fn thumbprint(&self) -> String {
        use base64::Engine as _;
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.certificate);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash)
    }
}

/// A connection that lasts.
pub struct Line<'a> {
    rig: &'a Rig,
    listener: usize,
    stream: rustls::StreamOwned<rustls::ClientConnection, TcpStream>,
}

impl<'a> Line<'a> {
    pub fn open(rig: &'a Rig, listener: usize, holder: Option<&Holder>) -> Self {
        let mut trusted = rustls::RootCertStore::empty();
        let pem = std::fs::read(rig.path("server.pem")).unwrap();
        for certificate in rustls_pki_types::pem::PemObject::pem_slice_iter(&pem) {
            let certificate: CertificateDer<'_> = certificate.unwrap();
            trusted.add(certificate).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(trusted);
        let config = match holder {
            None => config.with_no_client_auth(),
            Some(holder) => {
                let chain = vec![holder.certificate.clone()];
                config
                    .with_client_auth_cert(chain, holder.key.clone_key())
                    .unwrap()
            }
        };
        let name = ServerName::try_from("crm.example.org").unwrap();
        let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(rig.world.proxies[listener]).unwrap();
        socket.set_read_timeout(Some(client::PATIENCE)).unwrap();
        let stream = rustls::StreamOwned::new(connection, socket);
        Self {
            rig,
            listener,
            stream,
        }
    }

    /// Asks once more; nothing, if the other side does not speak.
    pub fn ask(&mut self, line: &str, headers: &[(&str, &str)]) -> Option<Response> {
        let address = self.rig.world.proxies[self.listener];
        let request = bytes(address, line, headers, None);
        let request = String::from_utf8(request)
            .unwrap()
            .replace("Connection: close\r\n", "");
        self.stream.write_all(request.as_bytes()).ok()?;
        let (mut raw, mut chunk) = (Vec::new(), [0; 16_384]);
        loop {
            let count = self
                .stream
                .read(&mut chunk)
                .ok()
                .filter(|count| *count > 0)?;
            raw.extend_from_slice(&chunk[..count]);
            let response = client::parse(raw.clone());
            let has_end = response.header("content-length").is_some()
                || response.header("transfer-encoding").is_some();
            if response.status > 0 && has_end && response.complete {
                self.rig.world.look_at(&response);
                return Some(response);
            }
        }
    }

    fn get(&mut self, target: &str, headers: &[(&str, &str)]) -> Response {
        self.ask(&format!("GET {target}"), headers)
            .expect("an answer")
    }
}

const LIST: &str = "/rest/v11_24/Contacts?max_num=1&fields=last_name";

fn rig() -> Rig {
    Rig::demo(&[
        &format!("identity: [certificate, token], {ASKED}"),
        &format!("identity: [crm-session, token], {ASKED}"),
    ])
}

#[test]
fn a_certificate_is_judged_at_each_request_of_a_connection() {
    let rig = rig();
    let holder = Holder::mailer();
    let mut line = Line::open(&rig, 0, Some(&holder));
    let reply = line.get(LIST, &[]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let event = rig.event(&reply);
    assert_eq!(
        event["caller"]["id"],
        json!("certificate:dns:mailer.example.com")
    );
    assert_eq!(event["caller"]["kind"], json!("machine"));
    assert_eq!(event["auth"]["method"], json!("certificate"));
    rig.watch_for_sessions();
    let (reply, heard) = rig.hearing(|| {
        revoke(rig.folder.path(), &[7]);
        std::thread::sleep(TAKES_EFFECT);
        line.get(LIST, &[])
    });
    assert_eq!(reply.status, 401, "{}", reply.text());
    assert_eq!(heard, [""; 0]);
    // A connection of somebody whose certificate was revoked is none.
    let mut another = Line::open(&rig, 0, Some(&holder));
    assert!(another.ask(&format!("GET {LIST}"), &[]).is_none());
    let other = Holder::of(8, "Somebody", &["mailer.example.com"]);
    assert_eq!(Line::open(&rig, 0, Some(&other)).get(LIST, &[]).status, 200);
    // No list, nobody.
    let mut line = Line::open(&rig, 0, Some(&other));
    assert_eq!(line.get(LIST, &[]).status, 200);
    std::fs::remove_file(rig.path("ca.crl")).unwrap();
    std::thread::sleep(TAKES_EFFECT);
    assert_eq!(line.get(LIST, &[]).status, 401);
}

#[test]
fn exactly_one_name_of_a_certificate_is_one_of_the_policy() {
    let rig = rig();
    for (serial, common, names, status) in [
        (1, "x", &["mailer.example.com"][..], 200),
        (2, "x", &["MAILER.example.com", "other.example.com"], 200),
        (3, "x", &["mailer.example.com", "second.example.com"], 401),
        (4, "mailer.example.com", &["other.example.com"], 401),
        (5, "x", &["xmailer.example.com"], 401),
        (6, "x", &["*.example.com"], 401),
    ] {
        let holder = Holder::of(serial, common, names);
        let (reply, heard) = rig.hearing(|| Line::open(&rig, 0, Some(&holder)).get(LIST, &[]));
        assert_eq!(reply.status, status, "{names:?}: {}", reply.text());
        assert_eq!(heard.is_empty(), status != 200, "{names:?}: {heard:?}");
    }
    // A name only where nobody looks is none.
    let nameless = Holder::of(9, "mailer.example.com", &[]);
    let reply = Line::open(&rig, 0, Some(&nameless)).ask(&format!("GET {LIST}"), &[]);
    assert!(reply.is_none_or(|reply| reply.status == 401));
}

#[test]
fn what_is_forwarded_of_a_certificate_is_none() {
    let rig = rig();
    let pem = "-----BEGIN%20CERTIFICATE-----";
    let (_, heard) = rig.hearing(|| {
        for (name, value) in [
            (
                "X-Forwarded-Client-Cert",
                "By=spiffe://a;Hash=b;Subject=\"CN=x\";DNS=mailer.example.com",
            ),
            ("X-SSL-Client-Cert", pem),
            ("X-Client-Cert", pem),
            ("Client-Cert", ":YQ==:"),
            ("SSL-Client-S-DN", "CN=mailer.example.com"),
        ] {
            let reply = Line::open(&rig, 0, None).get(LIST, &[(name, value)]);
            assert_eq!(reply.status, 401, "{name}");
        }
        let reply = Line::open(&rig, 0, None).get(
            LIST,
            &[("X_Forwarded_Client_Cert", "DNS=mailer.example.com")],
        );
        assert_eq!(reply.status, 400);
    });
    assert_eq!(heard, [""; 0]);
}

#[test]
fn a_token_and_a_certificate_are_one_proof_only_if_it_is_bound() {
    let rig = rig();
    let (mine, other) = (
        Holder::mailer(),
        Holder::of(8, "x", &["second.example.com"]),
    );
    let bound = rig.token(&["portal"], json!({"cnf": {"x5t#S256": mine.thumbprint()}}));
    let free = rig.token(&["portal"], json!({}));
    let status = |listener: usize, holder: Option<&Holder>, token: &str| {
        let reply = Line::open(&rig, listener, holder).get(LIST, &[("Paravent-Token", token)]);
        (
            reply.status,
            reply
                .header("paravent-decision")
                .map(|_| rig.event(&reply)["auth"]["method"].clone()),
        )
    };
    assert_eq!(status(0, Some(&mine), &bound), (200, Some(json!("token"))));
    assert_eq!(status(0, None, &bound).0, 401);
    assert_eq!(status(0, Some(&other), &bound).0, 401);
    assert_eq!(status(0, Some(&mine), &free).0, 400);
    assert_eq!(status(0, None, &free).0, 200);
    // Where a certificate says nothing of who asks, it is no second proof.
    assert_eq!(status(1, Some(&mine), &free).0, 200);
    assert_eq!(status(1, Some(&mine), &bound).0, 200);
    assert_eq!(status(1, Some(&other), &bound).0, 401);
}

#[test]
fn a_key_is_of_the_peers_network_whatever_is_forwarded() {
    let plan = Plan {
        wish: Wish {
            trusted_proxies: vec!["127.0.0.0/8"],
            ..Wish::default()
        },
        ..Plan::demo(&["identity: key"])
    };
    let rig = Rig::new(Behind::Demo(Tap::start()), plan);
    let mine = rig.key("erp", "127.0.0.1/32");
    let theirs = rig.key("sync", "203.0.113.0/24");
    let forwarded = ("X-Forwarded-For", "203.0.113.9");
    let own = ("Paravent-Key", &*mine);
    let other = ("Paravent-Key", &*theirs);
    let reply = rig.get(0, LIST, &[own, forwarded]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(
        rig.event(&reply)["origin"]
            .to_string()
            .contains("203.0.113.0/24")
    );
    for headers in [&[other][..], &[other, forwarded]] {
        assert_eq!(rig.get(0, LIST, headers).status, 401);
    }
    assert_eq!(rig.get_from("127.0.0.2", 0, LIST, &[own]).status, 401);
    assert_eq!(rig.get(0, LIST, &[own]).status, 200);
    rig.revoke("erp");
    let (reply, heard) = rig.hearing(|| rig.get(0, LIST, &[own]));
    assert_eq!((reply.status, heard.len()), (401, 0));
}
