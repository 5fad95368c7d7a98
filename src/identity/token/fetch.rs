//! Asks an issuer for its keys: one address, one answer, no redirects, bounds on everything.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::config::{KEYS_BYTES_MAX, KEYS_DEPTH_MAX, KeySource, safe_url};
use crate::json;
use crate::transport::{self, SetUpError};

/// Asks for the keys of one issuer.
pub(super) struct Fetcher {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    issuer: String,
    /// Where the keys are; `None` if the metadata of the issuer says.
    keys: Option<Uri>,
}

impl Fetcher {
    /// Sets connections up; makes none yet. `None` for keys in a file.
    ///
    /// # Errors
    /// If root certificates cannot be read or used.
    pub(super) fn new(issuer: &str, source: &KeySource) -> Result<Option<Self>, SetUpError> {
        let (keys, tls) = match source {
            KeySource::File(_) => return Ok(None),
            KeySource::Discover if issuer.starts_with("http://") => (None, transport::no_tls()?),
            KeySource::Discover => (None, transport::tls(None)?),
            KeySource::Url { url, .. } if url.scheme_str() == Some("http") => {
                (Some(url.clone()), transport::no_tls()?)
            }
            KeySource::Url { url, ca } => (Some(url.clone()), transport::tls(ca.as_deref())?),
        };
        Ok(Some(Self {
            client: client(tls),
            issuer: issuer.to_owned(),
            keys,
        }))
    }

    /// The bytes of the keys; or why there are none, in words for the operator.
    pub(super) async fn keys(&self) -> Result<Vec<u8>, String> {
        let asked = tokio::time::timeout(TIMEOUT, async {
            match &self.keys {
                Some(keys) => self.get(keys).await,
                None => self.get(&self.discover().await?).await,
            }
        });
        asked
            .await
            .unwrap_or_else(|_| Err("it took longer than 5 s".to_owned()))
    }

    /// Where the keys are, as the metadata of the issuer says (OpenID Connect Discovery).
    async fn discover(&self) -> Result<Uri, String> {
        let issuer = self.issuer.strip_suffix('/').unwrap_or(&self.issuer);
        let place = safe_url(&format!("{issuer}/.well-known/openid-configuration"))?;
        let metadata = self.get(&place).await?;
        let metadata = json::read(&metadata, KEYS_DEPTH_MAX)
            .map_err(|_| "its metadata is not JSON that can be read in one way")?;
        if metadata["issuer"] != *self.issuer {
            return Err("its metadata is that of another `issuer`".to_owned());
        }
        let keys = metadata["jwks_uri"]
            .as_str()
            .ok_or("its metadata has no `jwks_uri`")?;
        let keys = safe_url(keys).map_err(|why| format!("`jwks_uri` of its metadata: {why}"))?;
        // An issuer elsewhere does not send anybody to this machine.
        if keys.scheme_str() != Some("https") && !self.issuer.starts_with("http://") {
            return Err("`jwks_uri` of its metadata is not `https`".to_owned());
        }
        Ok(keys)
    }

    async fn get(&self, uri: &Uri) -> Result<Vec<u8>, String> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/json, application/jwk-set+json"),
        );
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("paravent/", env!("CARGO_PKG_VERSION"))),
        );
        let answer = self
            .client
            .request(request)
            .await
            .map_err(|error| chain(&error))?;
        if answer.status() != StatusCode::OK {
            return Err(format!(
                "it answered with status {}",
                answer.status().as_u16()
            ));
        }
        let (head, body) = answer.into_parts();
        is_plain_json(&head.headers)?;
        let body = Limited::new(body, KEYS_BYTES_MAX).collect().await;
        match body {
            Ok(body) => Ok(body.to_bytes().to_vec()),
            Err(error) => Err(format!(
                "its answer is larger than 1 MiB, or broke off: {}",
                chain(&*error)
            )),
        }
    }
}

fn is_plain_json(headers: &HeaderMap) -> Result<(), &'static str> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(content), None) = (types.next(), types.next()) else {
        return Err("its answer has not one content type");
    };
    let content = content.to_str().unwrap_or_default().to_ascii_lowercase();
    let media = content.split(';').next().unwrap_or_default().trim();
    let is_json = media == "application/json"
        || media
            .strip_prefix("application/")
            .is_some_and(|rest| rest.ends_with("+json"));
    if !is_json {
        return Err("the content type of its answer is not one of JSON");
    }
    let coding = headers.get(header::CONTENT_ENCODING);
    match coding.is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        true => Ok(()),
        false => Err("its answer is compressed, though nobody asked for that"),
    }
}

fn client(tls: rustls::ClientConfig) -> Client<HttpsConnector<HttpConnector>, Empty<Bytes>> {
    let mut http = HttpConnector::new();
    http.set_connect_timeout(Some(TIMEOUT));
    http.enforce_http(false);
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Client::builder(TokioExecutor::new())
        // Asked once in minutes: a connection that is kept is one that has ended.
        .pool_max_idle_per_host(0)
        .http1_max_headers(HEADERS_MAX)
        .http1_max_buf_size(HEAD_BYTES_MAX)
        .build(connector)
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

/// From the first word to the last, whatever is asked.
const TIMEOUT: Duration = Duration::from_secs(5);
const HEADERS_MAX: usize = 100;
const HEAD_BYTES_MAX: usize = 64 * 1024;
