//! Connections to the CRM: pool, TLS, time-outs, bounds. Used for requests and for look-ups of sessions.
//!
//! The head of each request is built here from an empty map; of the response's head only the status, the content type,
//! the content coding and after how long to ask again are read.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use prometheus::IntCounterVec;
use rustls::client::WantsClientCert;
use tokio::time::Instant;

use crate::config::Upstream;
use crate::decode::{Coding, Undecodable};
use crate::dialect::Outgoing;
use crate::door::Carrier;
use crate::reason::Reason;

mod cause;
mod credential;
mod failures;
mod interim;
mod resolver;
mod road;

pub use cause::Cause;
pub use credential::UpstreamCredential;
pub use failures::{Failure, Failures};
use resolver::Resolver;
pub(crate) use road::Hosts;
use road::Road;

/// Where the CRM is and how long it may take.
#[derive(Clone, Debug)]
pub struct Destination {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and port.
    pub authority: Authority,
    /// Path prefix below which requests go: blank, or starting with `/` and not ending with it.
    pub prefix: String,
    /// A file of further root certificates (PEM).
    pub roots: Option<PathBuf>,
    /// Until a connection is made.
    pub connect_timeout: Duration,
    /// Until the head of the response.
    pub first_byte_timeout: Duration,
    /// Until the end of the response.
    pub total_timeout: Duration,
}

impl From<&Upstream> for Destination {
    fn from(upstream: &Upstream) -> Self {
        Self {
            scheme: upstream.scheme.clone(),
            authority: upstream.authority.clone(),
            prefix: upstream.prefix.clone(),
            roots: upstream.ca.clone(),
            connect_timeout: upstream.timeouts.connect,
            first_byte_timeout: upstream.timeouts.first_byte,
            total_timeout: upstream.timeouts.total,
        }
    }
}

/// Connections to one CRM.
#[derive(Clone)]
pub struct Transport {
    road: Road,
    destination: Destination,
    failures: Arc<Failures>,
}

/// Why connections to a CRM cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The file of root certificates.
    #[error("could not read the root certificates of the upstream")]
    Roots(#[source] rustls_pki_types::pem::Error),
    /// The system's root certificates.
    #[error("could not load the system's root certificates")]
    SystemRoots(#[source] std::io::Error),
    /// A certificate.
    #[error("could not use a root certificate of the upstream")]
    Certificate(#[from] rustls::Error),
}

/// Is told how many bytes wait in memory.
pub(crate) type Hold<'a> = &'a mut (dyn FnMut(usize) -> Result<(), Reason> + Send);

/// A response of the CRM, its body unread.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Whether the content type says JSON in UTF-8; else what is wrong with it.
    pub content: Result<(), Cause>,
    /// The content coding; or why it is not a known single one.
    pub coding: Result<Coding, Cause>,
    /// After how many seconds to ask again, where the CRM says so.
    pub retry_after_seconds: Option<u16>,
    body: Incoming,
    deadline: Instant,
    failures: Arc<Failures>,
}

impl Transport {
    /// Sets connections up; makes none yet.
    ///
    /// # Errors
    /// If root certificates cannot be read or used.
    pub fn new(destination: Destination) -> Result<Self, SetUpError> {
        let mut http = HttpConnector::new_with_resolver(Resolver::new());
        http.set_connect_timeout(Some(destination.connect_timeout));
        http.enforce_http(false);
        http.set_nodelay(true);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(match destination.scheme == Scheme::HTTP {
                true => no_tls()?,
                false => tls(destination.roots.as_deref())?,
            })
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .pool_max_idle_per_host(POOL_IDLE_CONNECTIONS_MAX)
            .http1_max_headers(HEADERS_MAX)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .build(connector);
        Ok(Self::by(Road::Network(client), destination))
    }

    /// The same to a CRM in this process.
    pub(crate) fn within(destination: Destination, hosts: Hosts) -> Self {
        Self::by(Road::within(hosts), destination)
    }

    fn by(road: Road, destination: Destination) -> Self {
        let failures = Failures::of(host_and_port(&destination));
        Self {
            road,
            destination,
            failures: Arc::new(failures),
        }
    }

    /// The same, which counts failures in `counter`, by the label `cause`.
    #[must_use]
    pub fn counting(self, counter: IntCounterVec) -> Self {
        Self {
            failures: Arc::new(self.failures.counting(counter)),
            ..self
        }
    }

    /// The failures of this CRM.
    pub fn failures(&self) -> &Arc<Failures> {
        &self.failures
    }

    /// Sends a request and waits for the head of the response. The operator is told why there is none.
    ///
    /// # Errors
    /// What the caller is told.
    pub async fn send(
        &self,
        outgoing: Outgoing,
        credential: &UpstreamCredential,
        origin: IpAddr,
    ) -> Result<Answer, Reason> {
        let answer = self.ask(outgoing, credential, origin).await;
        answer.map_err(|failure| self.failures.note(failure))
    }

    /// The same, without a word to the operator.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask(
        &self,
        outgoing: Outgoing,
        credential: &UpstreamCredential,
        origin: IpAddr,
    ) -> Result<Answer, Failure> {
        let start = Instant::now();
        let mut request = self.request(outgoing, credential, origin)?;
        // Requests that are ready at the same time leave together: the CRM, and the network before it, are woken once.
        tokio::task::yield_now().await;
        let connection = capture_connection(&mut request);
        let chatter = interim::watch(&mut request);
        let head = tokio::time::timeout_at(
            start + self.destination.first_byte_timeout,
            self.road.request(request),
        );
        let response = tokio::select! {
            response = head => response,
            () = chatter.too_much() => return Err(too_much_chatter()),
        };
        if chatter.was_too_much() {
            return Err(too_much_chatter());
        }
        let is_connected = || connection.connection_metadata().is_some();
        let response = response.map_err(|_| match is_connected() {
            true => Cause::FirstByteTimeout,
            false => Cause::ConnectTimeout,
        })?;
        let response = response.map_err(|error| match error.is_connect() {
            true => Failure::from(Cause::of_connecting(&error)),
            false => Failure::connected(Cause::of_exchange(&error)),
        })?;
        let deadline = start + self.destination.total_timeout;
        let answer = Answer::new(response, deadline, self.failures.clone());
        if !answer.as_ref().is_ok_and(|answer| answer.coding.is_ok()) {
            // Who frames one answer oddly may frame the next one so that it ends up with somebody else.
            if let Some(connected) = &*connection.connection_metadata() {
                connected.poison();
            }
        }
        answer
    }

    fn request(
        &self,
        outgoing: Outgoing,
        credential: &UpstreamCredential,
        origin: IpAddr,
    ) -> Result<Request<Full<Bytes>>, Reason> {
        let Destination {
            scheme,
            authority,
            prefix,
            ..
        } = &self.destination;
        let uri = Uri::builder()
            .scheme(scheme.clone())
            .authority(authority.clone())
            .path_and_query(format!("{prefix}{}", outgoing.target))
            .build()
            .map_err(|_| Reason::Internal)?;
        let mut request = Request::new(Full::new(outgoing.body.clone().unwrap_or_default()));
        *request.method_mut() = outgoing.method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static(outgoing.media.accept()),
        );
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("paravent/", env!("CARGO_PKG_VERSION"))),
        );
        if outgoing.body.is_some() {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static(outgoing.media.content_type()),
            );
        }
        for control in &outgoing.controls {
            let value = HeaderValue::from_str(control.value()).map_err(|_| Reason::Internal)?;
            headers.insert(control.name(), value);
        }
        let origin = HeaderValue::from_str(&origin.to_string()).map_err(|_| Reason::Internal)?;
        headers.insert("x-forwarded-for", origin);
        let carried = credential.credential().and_then(|credential| {
            let token = credential.token();
            match credential.carrier() {
                Carrier::Header(name) => Some((name.clone(), token.to_owned())),
                Carrier::Bearer => Some((header::AUTHORIZATION, format!("Bearer {token}"))),
                Carrier::Basic => Some((header::AUTHORIZATION, format!("Basic {token}"))),
                // The dialect has put it among the arguments.
                Carrier::Argument => None,
            }
        });
        if let Some((name, value)) = carried {
            let mut value = HeaderValue::from_str(&value).map_err(|_| Reason::BadCredential)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(request)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}

impl Answer {
    fn new(
        response: Response<Incoming>,
        deadline: Instant,
        failures: Arc<Failures>,
    ) -> Result<Self, Failure> {
        let (head, body) = response.into_parts();
        // Interim answers that nobody asked for, upgrades, redirects and parts of a whole do not pass.
        if !(matches!(head.status.as_u16(), 200 | 201 | 202 | 204)
            || head.status.is_client_error()
            || head.status.is_server_error())
        {
            let status = format!("status {}", head.status.as_u16());
            return Err(Failure::from(Cause::Redirect).with(status));
        }
        let text = |name| {
            let mut values = head.headers.get_all(name).iter();
            match (values.next(), values.next()) {
                (None, _) => Ok(None),
                (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
                _ => Err(()),
            }
        };
        let content = match text(header::CONTENT_TYPE) {
            Ok(Some(value)) => content(value),
            _ => Err(Cause::ContentType),
        };
        // hyper undoes `chunked` alone, leaves any other transfer coding in the body, and forgives a length beside it.
        let is_framed_once = match text(header::TRANSFER_ENCODING) {
            Ok(None) => text(header::CONTENT_LENGTH).is_ok(),
            Ok(Some(coding)) if coding.eq_ignore_ascii_case("chunked") => {
                !head.headers.contains_key(header::CONTENT_LENGTH)
            }
            _ => false,
        };
        let coding = text(header::CONTENT_ENCODING)
            .ok()
            .and_then(|value| Coding::named(value));
        Ok(Self {
            status: head.status,
            retry_after_seconds: text(header::RETRY_AFTER).ok().flatten().and_then(seconds),
            content,
            coding: match coding {
                _ if !is_framed_once => Err(Cause::NotHttp),
                coding => coding.ok_or(Cause::ContentCoding),
            },
            body,
            deadline,
            failures,
        })
    }

    /// Takes note of a failure; what the caller is told.
    pub fn note(&self, failure: impl Into<Failure>) -> Reason {
        self.failures.note(failure)
    }

    /// The next bytes of the body; `None` at its end. Trailers are dropped.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = tokio::time::timeout_at(self.deadline, self.body.frame())
                .await
                .map_err(|_| Cause::TotalTimeout)?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => {
                    return Err(Failure::connected(Cause::of_exchange(&error)));
                }
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// The whole body as it was sent, of at most `bytes_max` bytes.
    pub async fn whole(&mut self, bytes_max: usize, hold: Hold<'_>) -> Result<Vec<u8>, Failure> {
        let mut whole = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.len() + chunk.len() > bytes_max {
                return Err(Cause::TooLarge.into());
            }
            hold(whole.len() + chunk.len())?;
            whole.extend_from_slice(&chunk);
        }
        Ok(whole)
    }

    /// The whole body, decoded, of at most `bytes_max` bytes.
    pub async fn whole_decoded(&mut self, bytes_max: usize) -> Result<Vec<u8>, Failure> {
        self.whole_held(bytes_max, &mut |_| Ok(())).await
    }

    /// The same; `hold` is told how many bytes wait in memory, coded and plain, and may say that they are too many.
    pub async fn whole_held(
        &mut self,
        bytes_max: usize,
        hold: Hold<'_>,
    ) -> Result<Vec<u8>, Failure> {
        let coding = self.coding?;
        let coded = self.whole(bytes_max, hold).await?;
        if coding == Coding::Identity {
            return Ok(coded);
        }
        let plain = coding.decode(&coded, bytes_max).map_err(of_decoding)?;
        hold(coded.len() + plain.len())?;
        Ok(plain)
    }
}

/// A number of seconds, at most an hour of them; a date, or anything else, is none.
fn seconds(text: &str) -> Option<u16> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| {
        text.parse()
            .unwrap_or(u16::MAX)
            .min(RETRY_AFTER_SECONDS_MAX)
    })
}

/// Whether a content type is `application/json`, or a type that says that it is JSON, in UTF-8 if it names a charset,
/// each parameter once.
fn content(content_type: &str) -> Result<(), Cause> {
    let content_type = content_type.to_ascii_lowercase();
    let mut parts = content_type.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let is_json = media == "application/json"
        || media
            .strip_prefix("application/")
            .and_then(|subtype| subtype.strip_suffix("+json"))
            .is_some_and(|name| !name.is_empty() && name.bytes().all(is_token));
    if !is_json {
        return Err(Cause::ContentType);
    }
    let mut seen = Vec::new();
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let is_utf_8 = matches!(value.trim_matches('"'), "utf-8" | "utf8");
        if name.trim() == "charset" && !(name == "charset" && is_utf_8 && !seen.contains(&name)) {
            return Err(Cause::Charset);
        }
        let is_parameter = parameter.contains('=') && name.bytes().all(is_token);
        if !is_parameter || seen.contains(&name) {
            return Err(Cause::ContentType);
        }
        seen.push(name);
    }
    Ok(())
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._+".contains(&byte)
}

/// A CRM may say something before it answers, but not without end.
fn too_much_chatter() -> Failure {
    Failure::from(Cause::NotHttp).with("too many interim answers".to_owned())
}

fn of_decoding(error: Undecodable) -> Cause {
    match error {
        Undecodable::TooLarge => Cause::TooLarge,
        Undecodable::Malformed => Cause::ContentCoding,
    }
}

/// What the operator reads of a destination.
fn host_and_port(destination: &Destination) -> String {
    let authority = &destination.authority;
    match authority.port() {
        Some(_) => authority.to_string(),
        None if destination.scheme == Scheme::HTTP => format!("{authority}:80"),
        None => format!("{authority}:443"),
    }
}

/// TLS that trusts who the file of roots names; without one, whom the system trusts.
pub(crate) fn tls(roots: Option<&Path>) -> Result<rustls::ClientConfig, SetUpError> {
    Ok(trusting(roots)?.with_no_client_auth())
}

/// The same, before it is said whether we show a certificate.
pub(crate) fn trusting(
    roots: Option<&Path>,
) -> Result<rustls::ConfigBuilder<rustls::ClientConfig, WantsClientCert>, SetUpError> {
    use hyper_rustls::ConfigBuilderExt;
    use rustls_pki_types::pem::PemObject;

    let builder = tls_builder()?;
    let Some(path) = roots else {
        return builder.with_native_roots().map_err(SetUpError::SystemRoots);
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in
        rustls_pki_types::CertificateDer::pem_file_iter(path).map_err(SetUpError::Roots)?
    {
        roots.add(certificate.map_err(SetUpError::Roots)?)?;
    }
    Ok(builder.with_root_certificates(roots))
}

/// TLS that trusts nobody: never used; saves reading the system's roots.
pub(crate) fn no_tls() -> Result<rustls::ClientConfig, SetUpError> {
    let builder = tls_builder()?;
    Ok(builder
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}

fn tls_builder()
-> Result<rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier>, SetUpError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?)
}

/// The longest time after which a caller is told to ask again.
const RETRY_AFTER_SECONDS_MAX: u16 = 60 * 60;
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const POOL_IDLE_CONNECTIONS_MAX: usize = 64;
const HEADERS_MAX: usize = 100;
const HEAD_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::{Cause, content};

    #[test]
    fn only_json_in_utf_8_counts_as_json() {
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/vnd.api+json",
            "application/json;charset=\"utf-8\"",
            "application/json ; version=1.0",
        ] {
            assert_eq!(content(good), Ok(()), "{good}");
        }
        for bad in [
            "text/html",
            "text/html; charset=utf-16",
            "text/json",
            "application/jsonx",
            "",
            "multipart/form-data",
            "application/json; version",
            "application/json; version=1; version=2",
            "application/json, text/html",
            "application/xml, application/x+json",
            "application/+json",
            "text/plain, application/json",
        ] {
            assert_eq!(content(bad), Err(Cause::ContentType), "{bad}");
        }
        for bad in [
            "application/json; charset=utf-16",
            "application/json; charset=iso-8859-1",
            "application/json; charset = utf-8",
            "application/json; charset=utf-8; charset=utf-8",
            "application/json; charset=utf-8; charset=utf-7",
            "application/json; charset",
            "application/json; charset=",
        ] {
            assert_eq!(content(bad), Err(Cause::Charset), "{bad}");
        }
    }
}
