//! Whether certificates and their keys fit, and how long they are valid.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::config::{Config, Tls, codes};
use crate::diagnostic::{Diagnostic, Diagnostics, Spanned, quoted};
use crate::files::{self, Contents};
use crate::server;

/// Bytes of a file of certificates or of a private key.
pub const PEM_BYTES_MAX: usize = 4 << 20;

/// From how long before its end a certificate is warned of.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

pub(super) fn look(config: &Config, found: &mut Diagnostics) {
    let listeners = config.listeners.iter().filter_map(|one| one.tls.as_ref());
    let portal = config.portal.as_ref().and_then(|one| one.tls.as_ref());
    for tls in listeners.chain(portal) {
        // Both could be read a moment ago, when the configuration was.
        if let Some(shown) = Shown::load(tls) {
            shown.check(tls, found);
        }
    }
}

/// What a listener shows of itself: its certificate, those that vouch for it, and the key. Its `Debug` shows no key.
pub struct Shown {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Shown {
    /// Reads the files.
    pub fn load(tls: &Tls) -> Option<Self> {
        let read = |path| files::read(path, PEM_BYTES_MAX).ok();
        let (chain, key) = (read(&tls.certificate.value)?, read(&tls.key.value)?);
        Some(Self {
            chain: chain_in(&chain.bytes)?,
            key: key_in(&key.bytes)?,
        })
    }

    /// The same from what was read of the files, whatever that was.
    pub fn read(
        tls: &Tls,
        (certificate, key): (&io::Result<Contents>, &io::Result<Contents>),
        found: &mut Diagnostics,
    ) -> Option<Self> {
        let chain = contents(&tls.certificate, certificate, found);
        let chain = chain.and_then(|contents| {
            let chain = chain_in(&contents.bytes);
            holds(chain, &tls.certificate, "certificate", found)
        });
        let key = contents(&tls.key, key, found);
        let key = key.and_then(|contents| {
            let key = key_in(&contents.bytes);
            holds(key, &tls.key, "private key", found)
        });
        Some(Self {
            chain: chain?,
            key: key?,
        })
    }

    /// Tells whether the key fits, and whether all certificates are valid.
    pub fn check(&self, tls: &Tls, found: &mut Diagnostics) {
        fits(tls, self, found);
        for (number, certificate) in self.chain.iter().enumerate() {
            let now = UnixTime::now();
            lasts(&tls.certificate, (number, certificate), now, found);
        }
    }

    /// The certificate of the listener itself.
    pub fn own(&self) -> Option<&CertificateDer<'static>> {
        self.chain.first()
    }

    /// Until when it is valid.
    pub fn not_after(&self) -> Option<Timestamp> {
        let until = validity(self.own()?)?.until.as_secs();
        Timestamp::from_second(i64::try_from(until).ok()?).ok()
    }

    /// What connections begin with.
    ///
    /// # Errors
    /// If the key does not fit, or cannot be used.
    pub fn server(
        &self,
        clients: Option<Arc<dyn ClientCertVerifier>>,
    ) -> Result<rustls::ServerConfig, rustls::Error> {
        server::tls(self.chain.clone(), self.key.clone_key(), clients)
    }
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown")
            .field("certificates", &self.chain.len())
            .finish_non_exhaustive()
    }
}

fn contents<'c>(
    file: &Spanned<PathBuf>,
    read: &'c io::Result<Contents>,
    found: &mut Diagnostics,
) -> Option<&'c Contents> {
    let told = |error: &io::Error| {
        let path = quoted(&file.value.display().to_string());
        Diagnostic::error(codes::UNREADABLE, format!("could not read {path}"))
            .at(&file.place, files::words(error))
    };
    read.as_ref().map_err(|error| found.push(told(error))).ok()
}

fn holds<T>(
    read: Option<T>,
    file: &Spanned<PathBuf>,
    what: &str,
    found: &mut Diagnostics,
) -> Option<T> {
    if read.is_none() {
        let path = quoted(&file.value.display().to_string());
        found.push(
            Diagnostic::error(codes::BAD_PEM, format!("{path} holds no {what}")).at(
                &file.place,
                format!("no {what} in PEM form, or one that is cut off"),
            ),
        );
    }
    read
}

fn chain_in(bytes: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let chain = CertificateDer::pem_slice_iter(bytes);
    let chain = chain.collect::<Result<Vec<_>, _>>().ok()?;
    (!chain.is_empty()).then_some(chain)
}

fn key_in(bytes: &[u8]) -> Option<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(bytes).ok()
}

/// Whether a key is that of the first certificate.
fn fits(tls: &Tls, shown: &Shown, found: &mut Diagnostics) {
    let Err(error) = shown.server(None) else {
        return;
    };
    let (label, help) = match error {
        rustls::Error::InconsistentKeys(_) => (
            "not the key of the first certificate in `certificate`",
            "the file begins with the certificate of this key; those that vouch for it follow",
        ),
        _ => (
            "a key or certificate that cannot be used for TLS",
            "use an ECDSA key (P-256, P-384), Ed25519, or RSA of at least 2048 bits",
        ),
    };
    let name = quoted(&tls.key.value.display().to_string());
    found.push(
        Diagnostic::error(
            codes::KEY_MISMATCH,
            format!("{name} does not fit its certificate"),
        )
        .at(&tls.key.place, label)
        .also(&tls.certificate.place, "this certificate")
        .help(help),
    );
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Validity {
    from: UnixTime,
    until: UnixTime,
}

fn lasts(
    file: &Spanned<PathBuf>,
    (number, certificate): (usize, &CertificateDer<'static>),
    now: UnixTime,
    found: &mut Diagnostics,
) {
    let path = quoted(&file.value.display().to_string());
    let which = match number {
        0 => format!("the certificate in {path}"),
        number => format!("certificate {} in {path}", number + 1),
    };
    let error = |title: String| Diagnostic::error(codes::CERTIFICATE_EXPIRED, title);
    let problem = match validity(certificate) {
        None => error(format!("{which} cannot be understood")),
        Some(Validity { from, .. }) if now < from => {
            error(format!("{which} is valid only from {}", day(from)))
        }
        Some(Validity { until, .. }) if now > until => {
            error(format!("{which} has expired on {}", day(until)))
        }
        Some(Validity { until, .. }) if after(now, SOON) > until => {
            let title = format!("{which} expires on {}", day(until));
            Diagnostic::warning(codes::CERTIFICATE_ENDS, title)
        }
        Some(_) => return,
    };
    found.push(
        problem
            .at(
                &file.place,
                "callers will refuse, or soon refuse, to connect",
            )
            .help("renew it, and look at the clock of this machine"),
    );
}

/// When a certificate is valid; `None` if it is not one. Asks the library that would verify it, at the beginning and the
/// end of time.
fn validity(certificate: &CertificateDer<'static>) -> Option<Validity> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    // Who vouches for it does not matter: that comes after the time.
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).ok()?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = verifier.build().ok()?;
    let name = ServerName::try_from("localhost").ok()?;
    let at = |time: Duration| {
        let time = UnixTime::since_unix_epoch(time);
        match verifier.verify_server_cert(certificate, &[], &name, &[], time) {
            Err(rustls::Error::InvalidCertificate(why)) => Some(why),
            _ => None,
        }
    };
    let from = match at(Duration::ZERO) {
        Some(CertificateError::NotValidYetContext { not_before, .. }) => not_before,
        // It was valid before there was time.
        _ => UnixTime::since_unix_epoch(Duration::ZERO),
    };
    match at(Duration::from_secs(END_OF_TIME_SECONDS))? {
        CertificateError::ExpiredContext { not_after, .. } => Some(Validity {
            from,
            until: not_after,
        }),
        _ => None,
    }
}

fn after(time: UnixTime, more: Duration) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(time.as_secs()) + more)
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(
        |_| "a day far away".to_owned(),
        |time| time.strftime("%Y-%m-%d").to_string(),
    )
}

/// After the year 9999, with which the dates of certificates end.
const END_OF_TIME_SECONDS: u64 = 400_000_000_000;

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(change: impl FnOnce(&mut CertificateParams)) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(["crm.example.org".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2030, 1, 1);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    fn told(certificate: &CertificateDer<'static>, now: &str) -> String {
        let file = crate::diagnostic::File::new("paravent.yaml", "crm.pem");
        let place = crate::diagnostic::Place { file, span: 0..7 };
        let value = PathBuf::from("crm.pem");
        let now: Timestamp = now.parse().unwrap();
        let now = u64::try_from(now.as_second()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        let mut found = Diagnostics::new();
        lasts(&Spanned { value, place }, (0, certificate), now, &mut found);
        let told = found
            .iter()
            .map(|problem| format!("{} {}", problem.code, problem.title));
        told.collect()
    }

    #[test]
    fn a_certificate_is_told_of_before_it_is_valid_shortly_before_its_end_and_after_it() {
        let authority = |params: &mut CertificateParams| {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        };
        for certificate in [certificate(|_| {}), certificate(authority)] {
            for (now, expected) in [
                (
                    "2019-12-31T00:00:00Z",
                    "C021 the certificate in `crm.pem` is valid only from 2020-01-01",
                ),
                ("2020-01-02T00:00:00Z", ""),
                ("2029-12-17T00:00:00Z", ""),
                (
                    "2029-12-19T00:00:00Z",
                    "C120 the certificate in `crm.pem` expires on 2030-01-01",
                ),
                (
                    "2030-01-02T00:00:00Z",
                    "C021 the certificate in `crm.pem` has expired on 2030-01-01",
                ),
            ] {
                assert_eq!(told(&certificate, now), expected, "{now}");
            }
        }
    }

    #[test]
    fn dates_at_the_ends_of_time_are_understood() {
        let for_ever = certificate(|params| {
            params.not_before = date_time_ymd(1970, 1, 1);
            params.not_after = date_time_ymd(9999, 12, 31);
        });
        assert_eq!(told(&for_ever, "2026-01-01T00:00:00Z"), "");
        let broken = CertificateDer::from(vec![0x30, 0x00]);
        assert!(told(&broken, "2026-01-01T00:00:00Z").starts_with("C021"));
    }
}
