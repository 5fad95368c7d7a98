//! Keys over TLS: only from whom the file of authorities vouches for, under the name that was asked for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::rig::{EC, Hands, form, ok, set};
use crate::config::KeySource;
use crate::identity::token::Tokens;
use crate::reason::Reason;

/// An issuer whose certificate is for `name`; where it is, and its certificate.
async fn serve(name: &str) -> (SocketAddr, rcgen::Certificate) {
    let signed = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key =
        rustls_pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut socket) = acceptor.accept(socket).await else {
                continue;
            };
            let mut head = [0; 4_096];
            if socket.read(&mut head).await.is_ok() {
                let _ = socket.write_all(ok(&set(&[&EC])).as_bytes()).await;
                let _ = socket.shutdown().await;
            }
        }
    });
    (address, signed.cert)
}

async fn reason(url: String, ca: Option<PathBuf>) -> Option<Reason> {
    let url = url.parse().unwrap();
    let form = form(KeySource::Url { url, ca });
    let tokens = Tokens::with_clock(&[form], Hands::new().clock()).unwrap();
    let verified = tokens.verify(&EC.good(), None).await;
    verified.err().map(|refused| refused.reason)
}

#[tokio::test]
async fn keys_come_only_from_whom_the_authorities_vouch_for() {
    let (address, own) = serve("localhost").await;
    let (elsewhere, other) = serve("login.example").await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, certificate: &rcgen::Certificate| {
        let path = folder.path().join(name);
        std::fs::write(&path, certificate.pem()).unwrap();
        Some(path)
    };
    let (own, other) = (write("own.pem", &own), write("other.pem", &other));
    let at = |address: SocketAddr| format!("https://localhost:{}/keys", address.port());
    assert_eq!(reason(at(address), own.clone()).await, None);
    let unavailable = Some(Reason::IdentityUnavailable);
    for (case, url, ca) in [
        ("nobody vouches", at(address), other.clone()),
        ("another name", at(elsewhere), other),
        ("an address", format!("https://{address}/keys"), own.clone()),
        (
            "no TLS asked for",
            at(address).replace("https", "http"),
            own,
        ),
    ] {
        assert_eq!(reason(url, ca).await, unavailable, "{case}");
    }
}

#[tokio::test]
async fn authorities_that_cannot_be_read_are_an_error() {
    let form = form(KeySource::Url {
        url: "https://localhost/keys".parse().unwrap(),
        ca: Some("/nowhere/ca.pem".into()),
    });
    let error = Tokens::new(&[form]).unwrap_err().to_string();
    assert!(error.contains("company"), "{error}");
}
