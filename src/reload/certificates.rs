//! Looks at what listeners show of themselves, and at who vouches for their clients.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::looks::{self, Looks, Turn};
use super::{Outcome, Stage, codes_of};
use crate::audit::{By, Event};
use crate::config::{Clients, Tls, Way, codes as config_codes};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::files::{self, Contents, Fingerprint};
use crate::identity::{Certificates, TrustAnchors, Ways};
use crate::preflight::{PEM_BYTES_MAX, Shown, exposed_key};
use crate::server::TlsInUse;

/// What a listener shows of itself, as it was read, and what it is judged by.
#[derive(Debug)]
pub struct TlsFiles {
    /// The name of the listener.
    name: String,
    shown: Shown,
    tls: Tls,
    /// Whether the configuration lets everybody read secrets.
    readable_by_all: bool,
    /// Of the files of certificate and key, and of that of the authorities.
    read: (Fingerprint, Fingerprint),
    clients: Option<(Arc<Certificates>, bool)>,
}

/// The same, where connections begin with it.
#[derive(Debug)]
pub struct TlsListener {
    /// What it shows.
    pub files: TlsFiles,
    /// With what connections begin.
    pub in_use: Arc<TlsInUse>,
}

impl TlsFiles {
    /// Reads the files of a listener that accepts these ways; and what connections begin with.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn read(
        name: &str,
        (tls, readable_by_all): (&Tls, bool),
        ways: &Ways,
    ) -> Result<(Self, rustls::ServerConfig), Diagnostics> {
        let clients = ways.certificates.clone();
        let clients = clients.map(|clients| (clients, ways.are_only(Way::Certificate)));
        let (pair, ca) = (
            Pair::read(tls, readable_by_all),
            tls.clients.as_ref().map(read_ca),
        );
        let ca = ca.map_or_else(|| Fingerprint::of([]), |ca| of_ca(&ca));
        let mut found = Diagnostics::new();
        let shown = pair.judge(tls, &mut found);
        let Some(shown) = shown.filter(|_| !found.has_errors()) else {
            return Err(found);
        };
        let files = Self {
            name: name.to_owned(),
            shown,
            tls: tls.clone(),
            readable_by_all,
            read: (pair.fingerprint(), ca),
            clients,
        };
        match files.server() {
            Ok(server) => Ok((files, server)),
            Err(error) => {
                found.push(unusable(tls, &error));
                Err(found)
            }
        }
    }

    fn server(&self) -> Result<rustls::ServerConfig, rustls::Error> {
        let clients = self.clients.as_ref();
        let verifier = clients.map(|(clients, required)| clients.verifier(*required));
        self.shown.server(verifier)
    }
}

/// The contents of a certificate's file and of its key's, of one moment.
struct Pair {
    certificate: io::Result<Contents>,
    key: io::Result<Contents>,
    /// Whether others may read or change the key.
    exposed: Option<Diagnostic>,
}

impl Pair {
    fn read(tls: &Tls, readable_by_all: bool) -> Self {
        Self {
            exposed: exposed_key(tls, readable_by_all),
            certificate: files::read(&tls.certificate.value, PEM_BYTES_MAX),
            key: files::read(&tls.key.value, PEM_BYTES_MAX),
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        let exposed = self.exposed.as_ref();
        let exposed = exposed.map_or("", |problem| problem.title.as_str());
        let files = [&self.certificate, &self.key].map(parts);
        let files = files.iter().flatten().map(Vec::as_slice);
        Fingerprint::of(files.chain([exposed.as_bytes()]))
    }

    fn judge(&self, tls: &Tls, found: &mut Diagnostics) -> Option<Shown> {
        let shown = Shown::read(tls, (&self.certificate, &self.key), found)?;
        shown.check(tls, found);
        found.push_any(self.exposed.clone());
        Some(shown)
    }
}

/// The certificate of a listener and its key, or the authorities that vouch for its clients.
#[derive(Debug)]
pub(super) struct Certificate {
    /// `certificate:NAME` or `clients:NAME`.
    part: String,
    what: What,
    listener: Arc<tokio::sync::Mutex<TlsListener>>,
    looks: Looks,
    not_after: Option<Timestamp>,
    name: String,
    /// Whether it was told that the access log cannot be written.
    is_told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Pair,
    Authorities,
}

/// What was read, of one moment.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and not for long"
)]
enum Read {
    Pair(Pair),
    Authorities(io::Result<Contents>),
}

/// What was read and judged.
enum Judged {
    Pair(Shown),
    Authorities(TrustAnchors, Vec<u8>),
}

impl Certificate {
    /// All that listeners show and judge by.
    pub(super) fn all(listeners: Vec<TlsListener>) -> Vec<Self> {
        let mut all = Vec::new();
        for listener in listeners {
            let name = listener.files.name.clone();
            let not_after = listener.files.shown.not_after();
            let (pair, ca) = listener.files.read;
            let judges = listener.files.tls.clients.is_some();
            let listener = Arc::new(tokio::sync::Mutex::new(listener));
            all.push(Self {
                part: format!("certificate:{name}"),
                what: What::Pair,
                listener: listener.clone(),
                looks: Looks::new(pair),
                not_after,
                name: name.clone(),
                is_told: false,
            });
            if judges {
                all.push(Self {
                    part: format!("clients:{name}"),
                    what: What::Authorities,
                    listener,
                    looks: Looks::new(ca),
                    not_after: None,
                    name,
                    is_told: false,
                });
            }
        }
        all
    }

    /// Says that what is in use is what is on disk, and how long it is of use.
    pub(super) fn tell(&self, stage: &Stage) {
        let now = Timestamp::now();
        let (is_valid, words) = match self.not_after {
            Some(time) => {
                let name = self.name.as_str();
                stage.metrics.reloads.not_after(name, time.as_second());
                match time < now {
                    true => (false, format!("it was valid until {time}")),
                    false => (true, format!("valid until {time}")),
                }
            }
            None => (true, "in use".to_owned()),
        };
        stage.parts.say(&self.part, is_valid, words);
        stage.metrics.reloads.rejected(&self.part, false);
    }

    /// Looks; the name of the part, and what came of it.
    pub(super) async fn look(
        &mut self,
        by: By,
        stage: &Stage,
        diagnostics: &mut Diagnostics,
    ) -> (String, Outcome) {
        let outcome = self.outcome(by, stage, diagnostics).await;
        (self.part.clone(), outcome)
    }

    async fn outcome(&mut self, by: By, stage: &Stage, diagnostics: &mut Diagnostics) -> Outcome {
        let (tls, readable_by_all) = {
            let files = &self.listener.lock().await.files;
            (files.tls.clone(), files.readable_by_all)
        };
        let what = self.what;
        // What was seen the last time needs no second reading; this is the second look. Who asks has only this one.
        let known = self.looks.known(by == By::Watch);
        let of = tls.clone();
        let reading = move || looks::settled(|| read(what, (&of, readable_by_all)), known);
        let Some((read, found)) = spawn_blocking(reading).await.ok().flatten() else {
            if by != By::Watch {
                let what = self.part.as_str();
                tracing::warn!(
                    what,
                    "the certificate was not taken: it changes while it is read"
                );
            }
            return Outcome::Unsettled;
        };
        let turn = match by {
            By::Watch => self.looks.seen(found, Instant::now()),
            By::Start | By::Signal => self.looks.asked(found),
        };
        match turn {
            Turn::Nothing if found != self.looks.in_force() => return Outcome::Unsettled,
            Turn::Nothing => {
                // Days pass.
                self.tell(stage);
                return Outcome::Unchanged;
            }
            Turn::Mended => {
                self.tell(stage);
                tracing::info!(
                    what = self.part,
                    "the certificate on disk is the one in use again"
                );
                return Outcome::Unchanged;
            }
            Turn::Judge => {}
        }
        // Whatever panics refuses.
        let judged = spawn_blocking(move || judge(read, &tls)).await;
        let (judged, problems) = judged.unwrap_or_else(|_| (None, Diagnostics::new()));
        let outcome = match judged.filter(|_| !problems.has_errors()) {
            Some(judged) => self.take(judged, found, by, stage).await,
            None => {
                self.refuse(found, by, stage, &problems).await;
                Outcome::Rejected(codes_of(&problems))
            }
        };
        diagnostics.extend(problems);
        outcome
    }

    /// Lets connections begin with it from now on: on record first.
    async fn take(&mut self, judged: Judged, found: Fingerprint, by: By, stage: &Stage) -> Outcome {
        let (der, not_after) = match &judged {
            Judged::Pair(shown) => (
                shown.own().map(|own| own.to_vec()).unwrap_or_default(),
                shown.not_after(),
            ),
            Judged::Authorities(_, pem) => (pem.clone(), None),
        };
        let fingerprint = Fingerprint::name(&der);
        let event = Event::certificate_loaded(&self.part, &fingerprint, not_after, by);
        if stage.log.write(event).await.is_err() {
            let words = "the access log cannot be written";
            if !std::mem::replace(&mut self.is_told, true) {
                let what = self.part.as_str();
                tracing::error!(what, "the certificate on disk was not taken: {words}");
            }
            self.tell_refused(stage, words);
            return Outcome::Rejected(Vec::new());
        }
        let mut listener = self.listener.lock().await;
        match judged {
            Judged::Pair(shown) => listener.files.shown = shown,
            Judged::Authorities(anchors, _) => {
                if let Some((clients, _)) = &listener.files.clients {
                    clients.put(anchors);
                }
            }
        }
        // The pair was tried when it was judged, and the authorities, too.
        if let Ok(server) = listener.files.server() {
            listener.in_use.store(Arc::new(server));
        }
        drop(listener);
        self.not_after = not_after;
        self.is_told = false;
        self.looks.taken(found);
        self.tell(stage);
        let what = self.part.as_str();
        tracing::info!(what, fingerprint, "another certificate is in use");
        Outcome::Taken
    }

    /// Leaves what is in use, and says why, once.
    async fn refuse(&mut self, found: Fingerprint, by: By, stage: &Stage, problems: &Diagnostics) {
        let codes = codes_of(problems);
        let is_news = self.looks.refused(found, Instant::now());
        let words = format!("it was refused: {}", codes.join(" "));
        self.tell_refused(stage, words.trim_end_matches(": "));
        if is_news {
            let event = Event::certificate_rejected(&self.part, &codes, by);
            let _ = stage.log.write(event).await;
        }
        if is_news || by != By::Watch {
            tracing::error!(
                what = self.part,
                codes = codes.join(" "),
                "the certificate on disk was refused; the one before stays in use:\n{}",
                problems.render(false)
            );
        }
    }

    fn tell_refused(&self, stage: &Stage, words: &str) {
        stage.parts.say(&self.part, false, words);
        stage.metrics.reloads.rejected(&self.part, true);
    }
}

/// Reads what is on disk.
fn read(what: What, (tls, readable_by_all): (&Tls, bool)) -> (Read, Fingerprint) {
    match (what, &tls.clients) {
        (What::Authorities, Some(clients)) => {
            let read = read_ca(clients);
            let print = of_ca(&read);
            (Read::Authorities(read), print)
        }
        _ => {
            let pair = Pair::read(tls, readable_by_all);
            let print = pair.fingerprint();
            (Read::Pair(pair), print)
        }
    }
}

/// Judges what was read, and nothing that has come since.
fn judge(read: Read, tls: &Tls) -> (Option<Judged>, Diagnostics) {
    let mut found = Diagnostics::new();
    let judged = match (read, &tls.clients) {
        (Read::Pair(pair), _) => pair.judge(tls, &mut found).map(Judged::Pair),
        (Read::Authorities(read), Some(clients)) => authorities(clients, read, &mut found),
        (Read::Authorities(_), None) => None,
    };
    (judged, found)
}

fn authorities(
    clients: &Clients,
    read: io::Result<Contents>,
    found: &mut Diagnostics,
) -> Option<Judged> {
    let (code, why) = match read {
        Err(error) => (config_codes::UNREADABLE, files::words(&error)),
        Ok(contents) => match TrustAnchors::read(&contents.bytes) {
            Ok(anchors) => return Some(Judged::Authorities(anchors, contents.bytes)),
            Err(why) => (config_codes::BAD_PEM, why),
        },
    };
    let path = quoted(&clients.ca.value.display().to_string());
    let title = format!("nobody can be judged by {path}");
    found.push(Diagnostic::error(code, title).at(&clients.ca.place, why));
    None
}

fn of_ca(read: &io::Result<Contents>) -> Fingerprint {
    Fingerprint::of(parts(read).iter().map(Vec::as_slice))
}

fn read_ca(clients: &Clients) -> io::Result<Contents> {
    let path: &PathBuf = &clients.ca.value;
    files::read(path, PEM_BYTES_MAX)
}

/// A file as it was read, or why it could not be, to be compared.
fn parts(read: &io::Result<Contents>) -> [Vec<u8>; 2] {
    match read {
        Ok(contents) => [b"file".to_vec(), contents.bytes.clone()],
        Err(error) => [b"none".to_vec(), files::words(error).into_bytes()],
    }
}

fn unusable(tls: &Tls, error: &rustls::Error) -> Diagnostic {
    Diagnostic::error(
        config_codes::KEY_MISMATCH,
        "a certificate cannot be used for TLS",
    )
    .at(&tls.certificate.place, error.to_string())
}
