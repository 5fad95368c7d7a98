//! Puts checkpoints on a server: one request, one answer, no redirects, bounds on everything.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;

use crate::audit::note::NOTE_BYTES_MAX;
use crate::transport;

/// A server that takes files by `PUT`.
pub(super) struct Https {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Runtime,
    url: Uri,
    bearer: Option<HeaderValue>,
}

/// What a server answers.
#[derive(Debug)]
pub(super) enum Answer {
    /// It has taken the file, and says this.
    Taken(Bytes),
    /// It has one under that name already, which is this.
    Holds(Bytes),
}

impl std::fmt::Debug for Https {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Https").finish_non_exhaustive()
    }
}

impl Https {
    /// Sets connections up; makes none yet.
    pub(super) fn new(
        url: &Uri,
        bearer: Option<HeaderValue>,
        ca: Option<&Path>,
    ) -> Result<Self, String> {
        let tls = match url.scheme_str() {
            Some("http") => transport::no_tls(),
            _ => transport::tls(ca),
        };
        let tls = tls.map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(TIMEOUT));
        http.enforce_http(false);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            // Asked once in a while: a connection that is kept is one that has ended.
            .pool_max_idle_per_host(0)
            .http1_max_headers(HEADERS_MAX)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .build(connector);
        Ok(Self {
            client,
            runtime,
            url: url.clone(),
            bearer,
        })
    }

    /// Puts a file under a name that nothing has yet, or says what has it.
    pub(super) fn put(&self, name: &str, note: &str) -> Result<Answer, String> {
        let asked = tokio::time::timeout;
        self.runtime.block_on(async {
            let put = asked(TIMEOUT, self.put_within(name, note)).await;
            put.unwrap_or_else(|_| Err(format!("it took longer than {} s", TIMEOUT.as_secs())))
        })
    }

    async fn put_within(&self, name: &str, note: &str) -> Result<Answer, String> {
        let note = Bytes::copy_from_slice(note.as_bytes());
        let (mut status, mut body) = self.ask(Method::PUT, name, note.clone(), true).await?;
        if status == StatusCode::NOT_IMPLEMENTED {
            // It takes files, and knows of no conditions.
            (status, body) = self.ask(Method::PUT, name, note, false).await?;
        }
        match status.as_u16() {
            200..=204 => Ok(Answer::Taken(body)),
            409 | 412 => match self.ask(Method::GET, name, Bytes::new(), false).await? {
                (StatusCode::OK, held) => Ok(Answer::Holds(held)),
                (status, _) => Err(format!(
                    "it has something under the name `{name}` already, and does not say what: status {}",
                    status.as_u16()
                )),
            },
            status => Err(format!("it answered with status {status}")),
        }
    }

    async fn ask(
        &self,
        method: Method,
        name: &str,
        body: Bytes,
        only_new: bool,
    ) -> Result<(StatusCode, Bytes), String> {
        let (has_body, mut request) = (method == Method::PUT, Request::new(Full::new(body)));
        *request.method_mut() = method;
        *request.uri_mut() = below(&self.url, name).ok_or("its URL cannot carry a name")?;
        let headers = request.headers_mut();
        let fixed = HeaderValue::from_static;
        headers.insert(header::ACCEPT_ENCODING, fixed("identity"));
        let agent = concat!("paravent/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, fixed(agent));
        if has_body {
            headers.insert(header::CONTENT_TYPE, fixed("text/plain; charset=utf-8"));
        }
        if only_new {
            headers.insert(header::IF_NONE_MATCH, fixed("*"));
        }
        if let Some(bearer) = &self.bearer {
            headers.insert(header::AUTHORIZATION, bearer.clone());
        }
        let answer = self.client.request(request).await;
        let (head, body) = answer.map_err(|error| chain(&error))?.into_parts();
        // What it says beside is worth a look only if it is short; that it has taken the file counts either way.
        let body = Limited::new(body, NOTE_BYTES_MAX).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        Ok((head.status, body))
    }
}

/// The address of a name below another one.
fn below(url: &Uri, name: &str) -> Option<Uri> {
    let path = url.path().trim_end_matches('/');
    let path = match url.query() {
        Some(query) => format!("{path}/{name}?{query}"),
        None => format!("{path}/{name}"),
    };
    let mut parts = url.clone().into_parts();
    parts.path_and_query = Some(path.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// An error with its causes.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}

/// From the first word to the last.
const TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });
const HEADERS_MAX: usize = 100;
const HEAD_BYTES_MAX: usize = 64 * 1024;
