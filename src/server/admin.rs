//! The admin listener: health and metrics, on an address of its own.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::audit::{Checkpoints, Log, Room};
use crate::identity::Ways;
use crate::metrics::Metrics;
use crate::policy::Observation;

use super::Parts;

/// Whether the proxy can do its work.
#[derive(Clone, Debug)]
pub struct Readiness {
    log: Log,
    ways: Arc<[Ways]>,
    stopping: Arc<AtomicBool>,
    /// What is said beside, to whoever asks for more.
    pub parts: Parts,
    observing: Observing,
}

/// Tells what of the policy only observes.
#[derive(Clone)]
struct Observing(Arc<dyn Fn() -> Observation + Send + Sync>);

impl fmt::Debug for Observing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observing")
    }
}

impl Readiness {
    /// Ready as long as the log can be written, and proofs can be judged in all ways of all listeners.
    pub fn new(log: Log, ways: Vec<Ways>) -> Self {
        Self {
            log,
            ways: ways.into(),
            stopping: Arc::default(),
            parts: Parts::default(),
            observing: Observing(Arc::new(Observation::default)),
        }
    }

    /// The same, where this tells what of the policy only observes.
    #[must_use]
    pub fn observing(self, told: impl Fn() -> Observation + Send + Sync + 'static) -> Self {
        Self {
            observing: Observing(Arc::new(told)),
            ..self
        }
    }

    /// What does not make it less ready, but should not go unnoticed.
    fn remarks(&self) -> String {
        let Observation { whole, rules } = (self.observing.0)();
        let whole = whole
            .map(|last| format!("observing bad the whole policy only observes, until {last}\n"));
        let rules = rules.iter().map(|(name, last)| {
            format!("observing ok rule `{name}` only observes, until {last}\n")
        });
        whole.into_iter().chain(rules).collect()
    }

    /// From now on not ready: the proxy is stopping.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// How each part is.
    fn lines(&self) -> String {
        let (is_good, words) = match self.log.healthy() {
            true => (true, "it is written"),
            false => (false, "it cannot be written"),
        };
        self.parts.say("audit", is_good, words);
        if let Some((is_good, words)) = room(self.log.room()) {
            self.parts.say("audit:room", is_good, words);
        }
        if let Some(told) = self.log.checkpoints() {
            tell_checkpoints(&self.parts, &told);
        }
        self.parts.lines() + &self.remarks()
    }

    fn problem(&self) -> Option<Cow<'static, str>> {
        if self.stopping.load(Ordering::SeqCst) {
            Some("stopping".into())
        } else if !self.log.healthy() {
            Some(match self.log.room().is_full() {
                true => "the access log has taken all of `audit.max_bytes`".into(),
                false => "the access log cannot be written".into(),
            })
        } else if let Some(why) = self.log.checkpoints().and_then(|told| told.refused) {
            Some(format!("no checkpoint of the access log is signed: {why}").into())
        } else {
            self.ways.iter().find_map(Ways::problem)
        }
    }
}

/// How much room the log has, if it may not have all.
fn room(room: Room) -> Option<(bool, String)> {
    let most = room.most?;
    let percent = u128::from(room.used) * 100 / u128::from(most.max(1));
    let (used, most) = (room.used >> 20, most >> 20);
    let words = format!("{used} of {most} MiB are taken, {percent} %");
    Some((!room.is_tight(), words))
}

/// Says how checkpoints are, and each place where they are published.
fn tell_checkpoints(parts: &Parts, told: &Checkpoints) {
    let at = told.at.map(|at| format!("{at:.0}")).unwrap_or_default();
    let last = format!("the last one holds {} events, {at}", told.size);
    match told.refused.as_ref().or(told.failing.as_ref()) {
        None => parts.say("checkpoints", true, last),
        Some(why) => parts.say("checkpoints", false, format!("{why}; {last}")),
    }
    for target in &told.targets {
        let part = format!("published:{}", target.name);
        let region = target.region.as_deref();
        let region = region
            .map(|region| format!(" in {region}"))
            .unwrap_or_default();
        let lag = format!("{} signed events behind{region}", told.lag(target));
        match &target.failing {
            None => parts.say(&part, true, lag),
            Some(why) => parts.say(&part, false, format!("{why}; {lag}")),
        }
    }
}

/// Answers `/livez`, `/readyz` and `/metrics` until `stop` turns true.
pub async fn serve_admin(
    listener: TcpListener,
    readiness: Readiness,
    metrics: Metrics,
    mut stop: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = connections.clone().acquire_owned();
        let accepted = tokio::select! {
            accepted = async { (permit.await, listener.accept().await) } => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let (Ok(permit), Ok((socket, _))) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (readiness, metrics) = (readiness.clone(), metrics.clone());
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let response = answer(&request, &readiness, &metrics);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(socket), service);
            if tokio::time::timeout(CONNECTION_TIMEOUT, connection)
                .await
                .is_err()
            {
                tracing::debug!("an admin connection was closed after its time");
            }
            drop(permit);
        });
    }
}

fn answer(
    request: &Request<Incoming>,
    readiness: &Readiness,
    metrics: &Metrics,
) -> Response<Full<Bytes>> {
    if request.method() != Method::GET {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
    }
    match request.uri().path() {
        "/livez" => plain(StatusCode::OK, "ok\n"),
        "/readyz" => {
            let more = match request.uri().query() {
                Some("verbose") => readiness.lines(),
                _ => String::new(),
            };
            match readiness.problem() {
                None => plain(StatusCode::OK, &format!("ok\n{more}")),
                Some(problem) => plain(
                    StatusCode::SERVICE_UNAVAILABLE,
                    &format!("{problem}\n{more}"),
                ),
            }
        }
        "/metrics" => {
            let (log, checkpoints) = (&readiness.log, readiness.log.checkpoints());
            metrics.audit(log.healthy(), &log.figures(), checkpoints.as_ref());
            let observation = (readiness.observing.0)();
            metrics.observing(observation.whole.is_some(), observation.rules.len());
            match metrics.text() {
                Ok(text) => typed(
                    StatusCode::OK,
                    "text/plain; version=0.0.4; charset=utf-8",
                    Bytes::from(text),
                ),
                Err(_) => plain(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "could not gather the metrics\n",
                ),
            }
        }
        _ => plain(StatusCode::NOT_FOUND, "try /livez, /readyz or /metrics\n"),
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    typed(
        status,
        "text/plain; charset=utf-8",
        Bytes::copy_from_slice(text.as_bytes()),
    )
}

fn typed(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(content_type),
    );
    response
}

const CONNECTIONS_MAX: usize = 64;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);
