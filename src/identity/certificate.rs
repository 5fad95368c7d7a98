//! Client certificates: who vouches for them, whether that still holds, and whom they name.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{Clock, Refused};
use crate::config::Clients;
use crate::files::{self, Watched, words};
use crate::reason::Reason;

mod der;

/// Why client certificates cannot be judged.
#[derive(Debug, thiserror::Error)]
#[error("client certificates cannot be judged by `{}`: {why}", .path.display())]
pub struct CertificatesError {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    pub why: String,
}

/// Judges the client certificates of one listener. Clones judge by the same.
#[derive(Clone)]
pub struct Certificates(Arc<Judge>);

struct Judge {
    /// The list of revoked certificates, where there must be one.
    list: Option<Mutex<Watched>>,
    court: RwLock<Court>,
    is_current: AtomicBool,
    /// A clock that is set back makes nothing valid again.
    clock: Clock,
    /// What was judged in this second.
    judged: Mutex<Judged>,
}

/// What certificates are judged by, until the list or the authorities change.
#[derive(Clone)]
struct Court {
    generation: u64,
    roots: Arc<RootCertStore>,
    /// `None` without a list that there must be: nobody is accepted.
    verifier: Option<Arc<dyn ClientCertVerifier>>,
}

/// Judgements of one second by one list. Times of certificates and lists are whole seconds, so that nothing can have
/// changed.
#[derive(Default)]
struct Judged {
    second: u64,
    generation: u64,
    chains: HashMap<[u8; 32], Result<Vec<String>, &'static str>>,
}

/// Who vouches for client certificates.
pub struct TrustAnchors {
    roots: Arc<RootCertStore>,
    /// Judges by them, where there is no list of revoked certificates.
    verifier: Arc<dyn ClientCertVerifier>,
}

impl TrustAnchors {
    /// Reads them, in PEM form.
    ///
    /// # Errors
    /// If one of them is not understood, or there is none.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(bytes) {
            let read = certificate.map_err(|_| "it is not in PEM form")?;
            let added = roots.add(read);
            added.map_err(|_| "a certificate in it is not understood")?;
        }
        if roots.is_empty() {
            return Err("it holds no certificate".to_owned());
        }
        let roots = Arc::new(roots);
        let verifier = verifier(&roots, None)?;
        Ok(Self { roots, verifier })
    }
}

impl Certificates {
    /// Reads the authorities and the list of revoked certificates.
    ///
    /// # Errors
    /// If one of them cannot be read or understood.
    pub fn new(clients: &Clients) -> Result<Self, CertificatesError> {
        let failed = |path: &PathBuf, why: String| CertificatesError {
            path: path.clone(),
            why,
        };
        let ca = &clients.ca.value;
        let bytes = files::read(ca, PEM_BYTES_MAX);
        let bytes = bytes.map_err(|error| failed(ca, words(&error)))?.bytes;
        let anchors = TrustAnchors::read(&bytes).map_err(|why| failed(ca, why))?;
        let roots = anchors.roots;
        let list = clients.crl.as_ref();
        let mut list = list.map(|crl| Watched::new(&crl.value, Clients::CRL_BYTES_MAX));
        let verifier = match &mut list {
            None => anchors.verifier,
            Some(list) => {
                let read = match list.look() {
                    Some(Ok(bytes)) => verifier(&roots, Some(bytes)),
                    Some(Err(why)) => Err(why.to_owned()),
                    None => Err("it was not read".to_owned()),
                };
                read.map_err(|why| failed(&list.path().to_owned(), why))?
            }
        };
        Ok(Self(Arc::new(Judge {
            list: list.map(Mutex::new),
            court: RwLock::new(Court {
                generation: 0,
                roots,
                verifier: Some(verifier),
            }),
            is_current: AtomicBool::new(true),
            clock: Clock::system(),
            judged: Mutex::default(),
        })))
    }

    /// Judges by other authorities from now on, also on connections that are open.
    pub fn put(&self, anchors: TrustAnchors) {
        let TrustAnchors { roots, verifier } = anchors;
        let Some(list) = &self.0.list else {
            self.0.sit(roots, Some(verifier));
            return;
        };
        let list = lock(list);
        // A list that cannot be read or understood is told where it is looked at; without it, nobody is accepted.
        let verifier = list.seen().map(|list| self::verifier(&roots, Some(list)));
        self.0.sit(roots, verifier.and_then(Result::ok));
    }

    /// What a TLS server asks for, and judges in the handshake already. Without `required`, clients may have none; a bad one
    /// ends the handshake all the same.
    pub fn verifier(&self, required: bool) -> Arc<dyn ClientCertVerifier> {
        Arc::new(Verifier {
            hints: self.0.court().roots.subjects(),
            judge: self.0.clone(),
            required,
            algorithms: rustls::crypto::aws_lc_rs::default_provider()
                .signature_verification_algorithms,
        })
    }

    /// The names of whoever holds a certificate that still counts: `dns:NAME` (in lower case), `uri:…`, `email:…`; at least
    /// one. The first of the chain is the client's own.
    pub fn judge(&self, chain: &[CertificateDer<'_>]) -> Result<Vec<String>, Refused> {
        let now = u64::try_from(self.0.clock.now().latest).unwrap_or(0);
        let now = Duration::from_secs(now / 1_000);
        self.judge_at(chain, UnixTime::since_unix_epoch(now))
    }

    fn judge_at(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Vec<String>, Refused> {
        let refused = |why| Refused {
            reason: Reason::BadCertificate,
            why,
        };
        self.0.look();
        let court = self.0.court();
        let hash = hash(chain);
        {
            let mut judged = lock(&self.0.judged);
            let (second, generation) = (now.as_secs(), court.generation);
            if (judged.second, judged.generation) != (second, generation) {
                (judged.second, judged.generation) = (second, generation);
                judged.chains.clear();
            }
            if let Some(known) = judged.chains.get(&hash) {
                return known.clone().map_err(refused);
            }
        }
        let judgement = match chain.split_first() {
            None => Err("there is none"),
            Some((own, others)) => match court.check(own, others, now) {
                Ok(names) if names.is_empty() => {
                    Err("it has no subject alternative name that counts")
                }
                Ok(names) => Ok(names),
                Err(error) => Err(why(&error)),
            },
        };
        let mut judged = lock(&self.0.judged);
        let is_same = (judged.second, judged.generation) == (now.as_secs(), court.generation);
        if is_same && judged.chains.len() < CHAINS_MAX {
            judged.chains.insert(hash, judgement.clone());
        }
        judgement.map_err(refused)
    }

    /// Whether the list of revoked certificates could be read when it was looked at last. Where there is none to be, yes.
    pub fn is_current(&self) -> bool {
        self.0.look();
        self.0.is_current.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates")
            .field("authorities", &self.0.court().roots.len())
            .field("list", &self.0.list.is_some())
            .finish_non_exhaustive()
    }
}

impl Judge {
    /// Looks at the list, if it was not looked at for a while and nobody else is doing so. Without it nobody is accepted.
    fn look(&self) {
        let Some(list) = &self.list else {
            return;
        };
        let mut list = match list.try_lock() {
            Ok(list) => list,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if !list.is_due() {
            return;
        }
        let Some(found) = list.look() else {
            return;
        };
        let roots = self.court().roots;
        let read = match found {
            Ok(bytes) => verifier(&roots, Some(bytes)),
            Err(why) => Err(why.to_owned()),
        };
        let path = list.path().display();
        match &read {
            Ok(_) => tracing::info!(%path, "the list of revoked certificates was read"),
            Err(why) => {
                tracing::error!(%path, why, "the list of revoked certificates cannot be read; no client certificate is accepted");
            }
        }
        self.is_current.store(read.is_ok(), Ordering::Relaxed);
        self.sit(roots, read.ok());
    }

    /// Judges by something else from now on. Whoever does this holds the list, if there is one.
    fn sit(&self, roots: Arc<RootCertStore>, verifier: Option<Arc<dyn ClientCertVerifier>>) {
        let mut court = self.court.write().unwrap_or_else(PoisonError::into_inner);
        *court = Court {
            generation: court.generation + 1,
            roots,
            verifier,
        };
    }

    fn court(&self) -> Court {
        let court = self.court.read();
        court.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Court {
    /// The names of whoever holds a certificate that is vouched for, of a client, valid, and not revoked.
    fn check(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Vec<String>, Error> {
        let refused = Error::InvalidCertificate;
        let verifier = self.verifier.as_ref();
        let verifier = verifier.ok_or(refused(CertificateError::UnknownRevocationStatus))?;
        verifier.verify_client_cert(own, others, now)?;
        let said = der::read(own).ok_or(refused(CertificateError::BadEncoding))?;
        // The library takes a certificate without purposes for one of every purpose.
        if !said.is_of_client {
            return Err(refused(CertificateError::InvalidPurpose));
        }
        Ok(said.names)
    }
}

/// Judges by these authorities, and by these lists of theirs: every certificate of a chain must be in the scope of a list
/// that is not past its next update.
fn verifier(
    roots: &Arc<RootCertStore>,
    lists: Option<&[u8]>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider);
    if let Some(bytes) = lists {
        let lists = Clients::revocation_lists(bytes);
        let lists = lists.ok_or("it holds no list of revoked certificates, or not only such")?;
        builder = builder.with_crls(lists).enforce_revocation_expiration();
    }
    builder.build().map_err(|error| error.to_string())
}

/// Judges in the handshake.
struct Verifier {
    judge: Arc<Judge>,
    /// The names of the authorities, as they were when it was made.
    hints: Vec<DistinguishedName>,
    required: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge.look();
        let judged = self.judge.court().check(own, others, now);
        judged.map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Why a certificate does not count, in words.
fn why(error: &Error) -> &'static str {
    let Error::InvalidCertificate(error) = error else {
        return "it is not understood";
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet"
        }
        CertificateError::Revoked => "it was revoked",
        CertificateError::UnknownRevocationStatus => {
            "there is no list of revoked certificates for it"
        }
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => {
            "the list of revoked certificates is past its next update"
        }
        CertificateError::UnknownIssuer => "none of the authorities vouches for it",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not one of a client"
        }
        _ => "it is not understood, or its signature does not hold",
    }
}

fn hash(chain: &[CertificateDer<'_>]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for certificate in chain {
        context.update(&(certificate.len() as u64).to_be_bytes());
        context.update(certificate);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const PEM_BYTES_MAX: usize = 4 << 20;
/// Chains whose judgement is kept within a second.
const CHAINS_MAX: usize = 4096;

#[cfg(test)]
mod tests;
