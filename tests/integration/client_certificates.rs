//! Client certificates over real connections: who is let in, and who no longer is while a connection lives.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use paravent::config::Config;
use paravent::identity::Certificates;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SanType, SerialNumber, date_time_ymd,
};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

type Authority = CertifiedIssuer<'static, KeyPair>;
type Stream = StreamOwned<ClientConnection, TcpStream>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Authority::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate of a client, and its key.
type Own = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn client(by: &Authority, serial: u64, change: impl FnOnce(&mut CertificateParams)) -> Own {
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from(serial));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names = vec![SanType::DnsName("mailer.example.com".try_into().unwrap())];
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, by).unwrap().der().clone();
    (
        certificate,
        PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    )
}

/// A list of revoked certificates that is past its next update from the beginning of a year.
fn list(by: &Authority, revoked: &[u64], until: i32) -> String {
    let revoked_certs = revoked.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2020, 1, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(until, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked_certs.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(by).unwrap().pem().unwrap()
}

/// A listener that answers each byte with the names of whoever sent it, or why they count for nothing.
struct Listening {
    folder: tempfile::TempDir,
    address: SocketAddr,
    roots: rustls::RootCertStore,
}

impl Listening {
    fn new(by: &Authority, crl: Option<&str>, required: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        write("crm.pem", &signed.cert.pem());
        write("crm.key", &signed.signing_key.serialize_pem());
        write("token.key", "0123456789abcdef");
        write("ca.pem", &by.as_ref().pem());
        if let Some(list) = crl {
            write("ca.crl", list);
        }
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        let clients = match crl {
            Some(_) => "{ ca: ca.pem, crl: ca.crl, crl_required: true }",
            None => "{ ca: ca.pem }",
        };
        let certificates = configured(folder.path(), clients);
        let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
        let verifier = certificates.verifier(required);
        let own = vec![signed.cert.der().clone()];
        let config = paravent::server::tls(own, key, Some(verifier)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::new(config);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (config, certificates) = (config.clone(), certificates.clone());
                std::thread::spawn(move || answer(socket.unwrap(), config, &certificates));
            }
        });
        let mut roots = rustls::RootCertStore::empty();
        roots.add(signed.cert.der().clone()).unwrap();
        Self {
            folder,
            address,
            roots,
        }
    }

    fn client(
        &self,
        own: Option<&Own>,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> Arc<ClientConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.roots.clone());
        Arc::new(match own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(vec![certificate.clone()], key.clone_key())
                .unwrap(),
        })
    }

    fn connect(&self, config: &Arc<ClientConfig>) -> Stream {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(config.clone(), name).unwrap();
        let socket = TcpStream::connect(self.address).unwrap();
        let timeout = Some(crate::harness::client::PATIENCE);
        socket.set_read_timeout(timeout).unwrap();
        StreamOwned::new(connection, socket)
    }

    /// What a new connection is answered; `None` if the handshake fails.
    fn ask(&self, own: Option<&Own>) -> Option<String> {
        ask(&mut self.connect(&self.client(own, &rustls::version::TLS13)))
    }

    fn list(&self, text: &str) {
        let path = |name: &str| self.folder.path().join(name);
        std::fs::write(path("new"), text).unwrap();
        std::fs::rename(path("new"), path("ca.crl")).unwrap();
        // Within a second it is in force.
        std::thread::sleep(Duration::from_millis(900));
    }
}

/// As a configuration has it.
fn configured(folder: &Path, clients: &str) -> Certificates {
    let text = format!(
        "listeners:\n  - {{ name: a, bind: \"127.0.0.1:0\", upstream: b, tls: {{ certificate: crm.pem, key: crm.key, clients: {clients} }} }}\n\
         upstreams: {{ b: {{ url: \"http://127.0.0.1:9\", dialects: sugar-rest }} }}\n\
         policies: policies\nkeys: {{ token: {{ file: token.key }} }}\naudit: {{ dir: log }}\n"
    );
    let path: PathBuf = folder.join("paravent.yaml");
    std::fs::write(&path, text).unwrap();
    let (config, found) = Config::load(&path);
    let config = config.unwrap_or_else(|| panic!("{}", found.render(false)));
    let tls = config.listeners[0].tls.as_ref().unwrap();
    Certificates::new(tls.clients.as_ref().unwrap()).unwrap()
}

fn answer(socket: TcpStream, config: Arc<rustls::ServerConfig>, certificates: &Certificates) {
    let connection = rustls::ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    let mut byte = [0];
    while stream.read_exact(&mut byte).is_ok() {
        let line = match stream.conn.peer_certificates() {
            None => "nobody".to_owned(),
            Some(chain) => match certificates.judge(chain) {
                Ok(names) => names.join(" "),
                Err(refused) => format!("{}: {}", refused.reason, refused.why),
            },
        };
        if stream.write_all(format!("{line}\n").as_bytes()).is_err() {
            return;
        }
    }
}

fn ask(stream: &mut Stream) -> Option<String> {
    stream.write_all(b"?").ok()?;
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte).ok()?;
        match byte[0] {
            b'\n' => return String::from_utf8(line).ok(),
            other => line.push(other),
        }
    }
}

#[test]
fn whoever_holds_a_certificate_that_counts_is_let_in_and_nobody_else() {
    let (by, other) = (authority(), authority());
    let listening = Listening::new(&by, None, true);
    let good = client(&by, 1, |_| {});
    assert_eq!(
        listening.ask(Some(&good)).as_deref(),
        Some("dns:mailer.example.com")
    );
    assert_eq!(listening.ask(None), None);
    let expired = client(&by, 2, |params| {
        params.not_after = date_time_ymd(2021, 1, 1)
    });
    let early = client(&by, 3, |params| {
        params.not_before = date_time_ymd(2400, 1, 1)
    });
    let foreign = client(&other, 4, |_| {});
    let server = client(&by, 5, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let any = client(&by, 6, |params| params.extended_key_usages.clear());
    for bad in [&expired, &early, &foreign, &server, &any] {
        assert_eq!(listening.ask(Some(bad)), None);
    }
    // The key of another certificate does not do.
    let stolen = (good.0.clone(), foreign.1.clone_key());
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = provider.key_provider.load_private_key(stolen.1).unwrap();
    let own = rustls::sign::CertifiedKey::new(vec![stolen.0], key);
    let resolver = Arc::new(rustls::sign::SingleCertAndKey::from(own));
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(listening.roots.clone())
        .with_client_cert_resolver(resolver);
    assert_eq!(ask(&mut listening.connect(&Arc::new(config))), None);
}

#[test]
fn names_are_told_and_those_of_nobody_are_not() {
    let by = authority();
    let listening = Listening::new(&by, None, false);
    assert_eq!(listening.ask(None).as_deref(), Some("nobody"));
    let two = client(&by, 1, |params| {
        let uri = SanType::URI("spiffe://example.com/mailer".try_into().unwrap());
        params.subject_alt_names.push(uri);
    });
    let told = listening.ask(Some(&two)).unwrap();
    assert_eq!(
        told,
        "dns:mailer.example.com uri:spiffe://example.com/mailer"
    );
    for names in [&[][..], &["*.example.com"]] {
        let nobody = client(&by, 2, |params| {
            params
                .distinguished_name
                .push(rcgen::DnType::CommonName, "mailer.example.com");
            let names = names.iter().copied();
            params.subject_alt_names = names
                .map(|name| SanType::DnsName(name.try_into().unwrap()))
                .collect();
        });
        let told = listening.ask(Some(&nobody)).unwrap();
        assert!(
            told.starts_with("bad-certificate: it has no subject"),
            "{told}"
        );
    }
    // A bad certificate is worse than none.
    let foreign = client(&authority(), 3, |_| {});
    assert_eq!(listening.ask(Some(&foreign)), None);
}

#[test]
fn a_list_that_changes_counts_for_connections_that_live() {
    let by = authority();
    let listening = Listening::new(&by, Some(&list(&by, &[9], 2400)), true);
    let (one, nine) = (client(&by, 1, |_| {}), client(&by, 9, |_| {}));
    assert_eq!(listening.ask(Some(&nine)), None);
    let config = listening.client(Some(&one), &rustls::version::TLS13);
    let mut stream = listening.connect(&config);
    let good = "dns:mailer.example.com";
    assert_eq!(ask(&mut stream).as_deref(), Some(good));
    for (text, told) in [
        (list(&by, &[1], 2400), "it was revoked"),
        (list(&by, &[], 2021), "past its next update"),
        (list(&authority(), &[], 2400), "no"),
        ("-----BEGIN X509 CRL-----\n".to_owned(), "no list"),
    ] {
        listening.list(&text);
        let answer = ask(&mut stream).unwrap();
        let refused = answer.strip_prefix("bad-certificate: ");
        assert!(
            refused.is_some_and(|why| why.contains(told)) || told == "no",
            "{answer}"
        );
        assert_ne!(answer, good);
        assert_eq!(listening.ask(Some(&one)), None, "{told}");
        listening.list(&list(&by, &[], 2400));
        assert_eq!(ask(&mut stream).as_deref(), Some(good));
        assert_eq!(listening.ask(Some(&one)).as_deref(), Some(good));
    }
    std::fs::remove_file(listening.folder.path().join("ca.crl")).unwrap();
    std::thread::sleep(Duration::from_millis(900));
    assert_ne!(ask(&mut stream).as_deref(), Some(good));
    assert_eq!(listening.ask(Some(&one)), None);
}

#[test]
fn no_session_is_resumed() {
    let by = authority();
    let listening = Listening::new(&by, None, true);
    let own = client(&by, 1, |_| {});
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = listening.client(Some(&own), version);
        for _ in 0..3 {
            let mut stream = listening.connect(&config);
            assert!(ask(&mut stream).is_some() && ask(&mut stream).is_some());
            assert_eq!(stream.conn.handshake_kind(), Some(HandshakeKind::Full));
        }
    }
}
