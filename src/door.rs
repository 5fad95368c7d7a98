//! The front door: exactly one reading of a request's head, or a refusal.
//!
//! hyper settles framing; this module refuses what hyper lets pass although two programs could read it differently
//! (RFC 9110 section 17, RFC 9112 section 11): [`wire`] looks at the bytes, [`enter`] at what hyper has read in them. What leaves it is the only thing that the rest of the proxy sees of a
//! head: nothing else of what the caller typed goes further.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Request, Version};
use ipnet::IpNet;
use rustls_pki_types::CertificateDer;

use crate::reason::Reason;

mod claims;
mod forwarded;
pub mod wire;

pub use forwarded::origin;

/// A request head with one reading.
#[derive(Clone, Debug)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The path, in origin form, without dot segments, empty segments or encoded separators.
    pub path: String,
    /// The raw query string, if there is one.
    pub query: Option<String>,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The headers that change what the request means.
    pub controls: Vec<Control>,
    /// The credential, if there is one; why it cannot count, where what stands there is none. Whether that matters, what is
    /// asked decides: who needs no session need not have a good one.
    pub credential: Result<Option<Credential>, Reason>,
    /// What else the caller shows, besides a credential of the CRM.
    pub proofs: Proofs,
    /// The purpose that the caller states.
    pub purpose: Option<String>,
    /// The trace id of a W3C `traceparent`.
    pub trace: Option<String>,
    /// Where the request came from.
    pub origin: IpAddr,
}

/// What a caller shows besides a credential of the CRM. None of it ever goes further.
#[derive(Clone, Debug, Default)]
pub struct Proofs {
    /// What `Paravent-Token` states.
    pub token: Option<Credential>,
    /// What `Paravent-Key` states.
    pub key: Option<Credential>,
    /// The headers that only an authenticating proxy may send.
    pub front: HeaderMap,
    /// The certificates of the connection, that of the client first.
    pub certificates: Option<Arc<[CertificateDer<'static>]>>,
    /// The other end of the connection; the origin of the request, where nobody has told.
    pub peer: Option<IpAddr>,
}

/// A header that changes what a request means: a precondition, or a switch of the CRM's own. Its `Debug` shows no value.
#[derive(Clone, PartialEq, Eq)]
pub struct Control {
    name: &'static str,
    value: String,
}

impl Control {
    /// Its name, in lower case.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it says.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl Control {
    /// One that says yes, whatever the caller says.
    pub(crate) fn yes(name: &'static str) -> Self {
        Self {
            name,
            value: "true".to_owned(),
        }
    }
}

#[cfg(test)]
impl Control {
    /// For tests.
    pub(crate) fn stated(name: &'static str, value: &str) -> Self {
        Self {
            name,
            value: value.to_owned(),
        }
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Control").field(&self.name).finish()
    }
}

/// A credential, and what carried it. Neither its `Debug` nor anything else shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    carrier: Carrier,
    token: String,
}

/// What carries a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`
    Basic,
    /// A header of the CRM's own: `OAuth-Token: …`.
    Header(HeaderName),
    /// An argument of the request, in its body.
    Argument,
}

impl Credential {
    /// What carried it.
    pub fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// A credential that stands among the arguments of a request; `None` if it has not the form of one.
    pub(crate) fn argument(token: &str) -> Option<Self> {
        Self::own(Carrier::Argument, token)
    }

    /// A credential of the proxy's own; `None` if it has not the form of one.
    pub(crate) fn own(carrier: Carrier, token: &str) -> Option<Self> {
        let token = checked(token.to_owned()).ok()?;
        Some(Self { carrier, token })
    }

    /// The same, of a name and a password (RFC 7617).
    pub(crate) fn basic(user: &str, password: &str) -> Option<Self> {
        let pair = format!("{user}:{password}");
        Self::own(Carrier::Basic, &STANDARD.encode(pair))
    }

    /// A credential that nobody has.
    pub(crate) fn made_up(carrier: Carrier) -> Self {
        let token = match carrier {
            // Name and password are `paravent-check`.
            Carrier::Basic => "cGFyYXZlbnQtY2hlY2s6cGFyYXZlbnQtY2hlY2s=",
            _ => "paravent-check",
        };
        Self {
            carrier,
            token: token.to_owned(),
        }
    }

    /// The account name in it, where it is a name and a password in the form of HTTP Basic (RFC 7617), which some CRMs
    /// take in headers of their own, too.
    pub(crate) fn account(&self) -> Option<String> {
        let pair = self.pair()?;
        Some(pair.split_once(':')?.0.to_owned())
    }

    /// A name and a password, with the colon between them.
    fn pair(&self) -> Option<String> {
        if !matches!(self.carrier, Carrier::Basic | Carrier::Header(_)) {
            return None;
        }
        // As leniently as PHP reads it, which skips what is not in the alphabet: a name has one count, however it came.
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let letters: Vec<u8> = self.token.bytes().filter(letter).collect();
        let decoded = LENIENT.decode(letters).ok()?;
        let pair = String::from_utf8_lossy(&decoded).into_owned();
        pair.contains(':').then_some(pair)
    }

    /// The texts in it that may be secrets: itself, and where it is a name and a password, both.
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut texts = vec![self.token.clone()];
        if let Some(pair) = self.pair() {
            texts.extend(pair.splitn(2, ':').map(str::to_owned));
        }
        texts
    }

    /// The secret itself: for the upstream request and for the keyed hash of the session cache only.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential")
            .field("carrier", &self.carrier)
            .finish_non_exhaustive()
    }
}

/// What a listener's door looks for.
#[derive(Clone, Debug)]
pub struct Door {
    /// Host names that the proxy answers to; empty for any.
    pub hosts: Vec<String>,
    /// Headers that carry credentials of the CRM, besides `Authorization`.
    pub credential_headers: Vec<HeaderName>,
    /// Headers that only an authenticating proxy may send.
    pub front_headers: Vec<HeaderName>,
    /// Headers that change what a request means to the CRM, besides those that change it to many.
    pub control_headers: Vec<&'static str>,
    /// The networks of proxies before this one that are believed about where a request came from.
    pub trusted_proxies: Vec<IpNet>,
}

/// Reads a request head, or says why there is no single reading of it.
pub fn enter<B>(request: &Request<B>, origin: IpAddr, door: &Door) -> Result<Head, Reason> {
    let headers = request.headers();
    check_host(request, &door.hosts)?;
    check_framing(headers)?;
    claims::check(headers, door)?;
    if OVERRIDES.iter().any(|name| headers.contains_key(*name)) {
        return Err(Reason::MalformedHead);
    }
    if !METHODS.contains(request.method()) {
        return Err(Reason::MethodNotAllowed);
    }
    let uri = request.uri();
    check_path(uri.path())?;
    if let Some(query) = uri.query() {
        check_query(query)?;
    }
    Ok(Head {
        method: request.method().clone(),
        path: uri.path().to_owned(),
        query: uri
            .query()
            .filter(|query| !query.is_empty())
            .map(str::to_owned),
        accept: listed(headers, &header::ACCEPT)?,
        content_type: single(headers, &header::CONTENT_TYPE)?,
        controls: controls(request.method(), headers, &door.control_headers)?,
        credential: credential(headers, &door.credential_headers),
        proofs: proofs(headers, &door.front_headers)?,
        purpose: purpose(headers)?,
        trace: trace(headers),
        origin,
    })
}

fn check_host<B>(request: &Request<B>, hosts: &[String]) -> Result<(), Reason> {
    let uri = request.uri();
    let mut stated = request.headers().get_all(header::HOST).iter();
    let in_header = stated
        .next()
        .map(|host| host.to_str().map_err(|_| Reason::MalformedHead))
        .transpose()?;
    if stated.next().is_some() {
        return Err(Reason::MalformedHead);
    }
    let host = match request.version() {
        // Origin form only (RFC 9112 section 3.2.1): a scheme or an authority in the target would be a second host.
        Version::HTTP_10 | Version::HTTP_11
            if uri.scheme().is_none() && uri.authority().is_none() =>
        {
            in_header
        }
        Version::HTTP_2 => match (uri.authority(), in_header) {
            (Some(authority), Some(host)) if authority.as_str() != host => {
                return Err(Reason::MalformedHead);
            }
            (authority, host) => authority.map(http::uri::Authority::as_str).or(host),
        },
        _ => return Err(Reason::MalformedTarget),
    };
    let host = host
        .filter(|host| is_host(host))
        .ok_or(Reason::MalformedHead)?;
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    if hosts.is_empty()
        || hosts
            .iter()
            .any(|accepted| accepted.eq_ignore_ascii_case(name))
    {
        Ok(())
    } else {
        Err(Reason::MalformedHead)
    }
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 255
        && host.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        })
}

fn check_framing(headers: &HeaderMap) -> Result<(), Reason> {
    let coding = single(headers, &header::TRANSFER_ENCODING)?;
    if coding
        .as_deref()
        .is_some_and(|coding| !coding.eq_ignore_ascii_case("chunked"))
    {
        return Err(Reason::MalformedHead);
    }
    let length = single(headers, &header::CONTENT_LENGTH)?;
    if length.as_deref().is_some_and(|length| !is_length(length))
        || (coding.is_some() && length.is_some())
    {
        return Err(Reason::MalformedHead);
    }
    match single(headers, &header::CONTENT_ENCODING)?.as_deref() {
        None | Some("identity") => Ok(()),
        Some(_) => Err(Reason::UnsupportedMediaType),
    }
}

fn is_length(length: &str) -> bool {
    length == "0"
        || (length.bytes().all(|b| b.is_ascii_digit())
            && !length.is_empty()
            && !length.starts_with('0'))
}

fn check_path(path: &str) -> Result<(), Reason> {
    let segments = path.strip_prefix('/').ok_or(Reason::MalformedTarget)?;
    if path.len() > PATH_BYTES_MAX || !path.bytes().all(is_path_byte) || !is_decodable(path) {
        return Err(Reason::MalformedTarget);
    }
    // A trailing slash is the one empty segment that servers agree about; the dialect decides whether it may stand.
    let inner = segments.strip_suffix('/').unwrap_or(segments);
    let ambiguous = |segment: &str| {
        segment.is_empty() || segment == "." || segment == ".." || segment.contains(';')
    };
    if !inner.is_empty() && inner.split('/').any(ambiguous) {
        return Err(Reason::MalformedTarget);
    }
    Ok(())
}

/// `pchar` and `/` of RFC 3986, percent included.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte)
}

/// Whether percent escapes are complete and hide nothing that separates, ends or climbs.
fn is_decodable(path: &str) -> bool {
    let mut rest = path;
    while let Some((_, after)) = rest.split_once('%') {
        let Some(byte) = after
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        else {
            return false;
        };
        if byte < 0x20 || matches!(byte, 0x7f | b'/' | b'\\' | b'.' | b'%' | b';' | b'?' | b'#') {
            return false;
        }
        rest = &after[2..];
    }
    true
}

fn check_query(query: &str) -> Result<(), Reason> {
    if query.len() > QUERY_BYTES_MAX || query.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(Reason::MalformedQuery);
    }
    Ok(())
}

/// The value of a header that may stand once.
fn single(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Reason> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Reason::MalformedHead);
    }
    first
        .map(|value| {
            value
                .to_str()
                .map(str::to_owned)
                .map_err(|_| Reason::MalformedHead)
        })
        .transpose()
}

/// The values of a header that is a list, whose lines are one list (RFC 9110, section 5.3).
fn listed(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Reason> {
    let lines = headers.get_all(name).iter();
    let lines: Vec<&str> = lines
        .map(|line| line.to_str().map_err(|_| Reason::MalformedHead))
        .collect::<Result<_, _>>()?;
    Ok((!lines.is_empty()).then(|| lines.join(", ")))
}

/// The headers that change what a request means. Replies carry no validators, so that the preconditions of a read say
/// nothing of what is read here: it is answered whole.
fn controls(
    method: &Method,
    headers: &HeaderMap,
    own: &[&'static str],
) -> Result<Vec<Control>, Reason> {
    let is_moot = |name: &str| *method == Method::GET && PRECONDITIONS.contains(&name);
    let mut controls: Vec<Control> = Vec::new();
    let own = own.iter().copied();
    for name in CONTROLS
        .into_iter()
        .chain(own)
        .filter(|name| !is_moot(name))
    {
        if controls.iter().any(|known| known.name == name) {
            continue;
        }
        if let Some(value) = single(headers, &HeaderName::from_static(name))? {
            controls.push(Control { name, value });
        }
    }
    Ok(controls)
}

/// What else stands in the head for who the caller is. A header that stands there twice is no proof, nor is one whose value
/// has not the form of any.
fn proofs(headers: &HeaderMap, front: &[HeaderName]) -> Result<Proofs, Reason> {
    let stated = |name: &HeaderName, bad: Reason| {
        let value = single(headers, name).map_err(|_| Reason::TwoCredentials)?;
        let token = value.map(|value| checked(value).map_err(|_| bad));
        let credential = |token| Credential {
            carrier: Carrier::Header(name.clone()),
            token,
        };
        Ok(token.transpose()?.map(credential))
    };
    let mut of_front = HeaderMap::new();
    for name in front {
        for value in headers.get_all(name) {
            let mut value = value.clone();
            // One of them is a secret.
            value.set_sensitive(true);
            of_front.append(name.clone(), value);
        }
    }
    Ok(Proofs {
        token: stated(&TOKEN, Reason::BadToken)?,
        key: stated(&KEY, Reason::BadKey)?,
        front: of_front,
        certificates: None,
        peer: None,
    })
}

fn credential(headers: &HeaderMap, own: &[HeaderName]) -> Result<Option<Credential>, Reason> {
    let carriers = || own.iter().chain([&header::AUTHORIZATION]);
    let count: usize = carriers()
        .map(|name| headers.get_all(name).iter().count())
        .sum();
    if count > 1 {
        return Err(Reason::TwoCredentials);
    }
    for name in own {
        if let Some(token) = single(headers, name)? {
            return Ok(Some(Credential {
                carrier: Carrier::Header(name.clone()),
                token: checked(token)?,
            }));
        }
    }
    let Some(value) = single(headers, &header::AUTHORIZATION)? else {
        return Ok(None);
    };
    let (scheme, token) = value.split_once(' ').ok_or(Reason::BadCredential)?;
    let carrier = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Carrier::Bearer,
        "basic" => Carrier::Basic,
        _ => return Err(Reason::BadCredential),
    };
    Ok(Some(Credential {
        carrier,
        token: checked(token.to_owned())?,
    }))
}

/// A token of RFC 6750's `b64token` letters, bounded.
fn checked(token: String) -> Result<String, Reason> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX || !token.bytes().all(fits) {
        return Err(Reason::BadCredential);
    }
    Ok(token)
}

fn purpose(headers: &HeaderMap) -> Result<Option<String>, Reason> {
    let stated = single(headers, &PURPOSE).map_err(|_| Reason::MalformedPurpose)?;
    let fits = |name: &String| {
        (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    match stated {
        Some(name) if !fits(&name) => Err(Reason::MalformedPurpose),
        stated => Ok(stated),
    }
}

/// The trace id of a `traceparent` (W3C Trace Context, version 00). A malformed one is ignored, as that text asks.
fn trace(headers: &HeaderMap) -> Option<String> {
    let value = single(headers, &TRACEPARENT).ok()??;
    let mut parts = value.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    (version == "00" && trace.len() == 32 && is_hex(trace) && trace.bytes().any(|b| b != b'0'))
        .then(|| trace.to_owned())
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    NO_PAD.with_decode_allow_trailing_bits(true),
);
const TOKEN: HeaderName = HeaderName::from_static("paravent-token");
const KEY: HeaderName = HeaderName::from_static("paravent-key");
const PURPOSE: HeaderName = HeaderName::from_static("paravent-purpose");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];
/// Headers with which a CRM's framework might be told another method than the one that is judged.
const OVERRIDES: [&str; 4] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-method",
];
/// Preconditions of RFC 9110.
const PRECONDITIONS: [&str; 3] = ["if-match", "if-none-match", "if-unmodified-since"];
/// Headers that change what a request means to some CRM: preconditions (RFC 9110, section 13), and switches of its own.
const CONTROLS: [&str; 10] = [
    "dolapientity",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "mscrm-suppressduplicatedetection",
    "x-duplicate-source-id",
    "x-no-total",
    "x-skip-duplicate-check",
    "x-timestamp",
    "x-version-number",
];
const PATH_BYTES_MAX: usize = 2_048;
const QUERY_BYTES_MAX: usize = 16_384;
const TOKEN_BYTES_MAX: usize = 8_192;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn knock(target: &str, headers: &[(&str, &str)]) -> Result<Head, Reason> {
        let mut request = Request::builder()
            .method("GET")
            .uri(target)
            .header("host", "crm.example.org");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        enter(
            &request.body(()).unwrap(),
            Ipv4Addr::LOCALHOST.into(),
            &door(&[]),
        )
    }

    fn door(hosts: &[&str]) -> Door {
        Door {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            credential_headers: vec![HeaderName::from_static("oauth-token")],
            front_headers: Vec::new(),
            control_headers: vec!["x-if-version"],
            trusted_proxies: Vec::new(),
        }
    }

    #[test]
    fn a_plain_request_has_one_reading() {
        let head = knock(
            "/rest/v11_24/Contacts?max_num=5",
            &[("oauth-token", "abc-1"), ("paravent-purpose", "payment")],
        )
        .unwrap();
        assert_eq!(
            (head.path.as_str(), head.query.as_deref()),
            ("/rest/v11_24/Contacts", Some("max_num=5"))
        );
        assert_eq!(
            head.credential
                .as_ref()
                .unwrap()
                .as_ref()
                .map(Credential::token),
            Some("abc-1")
        );
        assert_eq!(head.purpose.as_deref(), Some("payment"));
        assert!(
            !format!("{head:?}").contains("abc-1"),
            "a credential is never shown"
        );
    }

    #[test]
    fn paths_with_two_readings_are_refused() {
        for path in [
            "/rest/../admin",
            "/rest/./v11",
            "/rest//v11",
            "/rest/%2e%2e/x",
            "/rest%2fv11/x",
            "/rest/a%5cb",
            "/rest/%00",
            "/rest/%zz",
            "/rest/%2543ontacts",
            "/rest/a;b=c",
            "/rest/a%3bb",
            "/rest/%",
            "/rest/%a",
            "http://evil.example/rest/v11",
            "*",
        ] {
            assert!(knock(path, &[]).is_err(), "{path}");
        }
        assert!(knock("/rest/v11/Contacts/", &[]).is_ok());
    }

    #[test]
    fn one_credential_per_request() {
        let two = [("oauth-token", "a"), ("authorization", "Bearer a")];
        let bad = |headers: &[(&str, &str)]| {
            let head = knock("/rest/v11/me", headers).unwrap();
            head.credential.unwrap_err()
        };
        assert_eq!(bad(&two), Reason::TwoCredentials);
        let twice = [("oauth-token", "a"), ("oauth-token", "a")];
        assert_eq!(bad(&twice), Reason::TwoCredentials);
        let digest = [("authorization", "Digest a")];
        assert_eq!(bad(&digest), Reason::BadCredential);
        let basic = knock("/a", &[("authorization", "Basic eDp5")]).unwrap();
        let basic = basic.credential.unwrap().unwrap();
        assert_eq!(basic.carrier(), &Carrier::Basic);
        let account = |name: &str, value: &str| {
            let head = knock("/a", &[(name, value)]).unwrap();
            head.credential.unwrap().unwrap().account()
        };
        for token in ["eDp5", "eDp5Og==", "eDp5Og", "e-Dp5", "eDo="] {
            let value = format!("Basic {token}");
            let named = account("authorization", &value);
            assert_eq!(named.as_deref(), Some("x"), "{token}");
            assert_eq!(account("oauth-token", token), named, "{token}");
        }
        assert_eq!(account("authorization", "Bearer eDp5"), None);
        assert_eq!(account("oauth-token", "3f2c-a1"), None);
        let sound = |headers: &[(&str, &str)]| {
            let head = knock("/a", headers).unwrap();
            head.credential.unwrap().unwrap()
        };
        let two = [("x-api-key", "a"), ("oauth-token", "b")];
        assert_eq!(
            sound(&two).token(),
            "b",
            "a header that no dialect of the listener names is none of its credentials"
        );
        assert_eq!(bad(&[("oauth-token", "a b")]), Reason::BadCredential);
        assert_eq!(sound(&[("authorization", "bearer a")]).token(), "a");
    }

    #[test]
    fn lines_of_a_list_are_one_list() {
        let accept = |lines: &[&str]| {
            let lines: Vec<(&str, &str)> = lines.iter().map(|line| ("accept", *line)).collect();
            knock("/a", &lines).unwrap().accept
        };
        assert_eq!(accept(&[]), None);
        let both = accept(&["application/json", "*/*"]);
        assert_eq!(both.as_deref(), Some("application/json, */*"));
        // What a request's body is has one line.
        let two = [("content-type", "a/b"), ("content-type", "a/b")];
        assert_eq!(knock("/a", &two).unwrap_err(), Reason::MalformedHead);
    }

    #[test]
    fn headers_that_change_what_is_meant_are_collected_each_once() {
        let head = knock("/a", &[("x-if-version", "3"), ("x-timestamp", "\"a\"")]).unwrap();
        let told: Vec<(&str, &str)> = head
            .controls
            .iter()
            .map(|control| (control.name(), control.value()))
            .collect();
        assert_eq!(told, [("x-timestamp", "\"a\""), ("x-if-version", "3")]);
        let moot = knock("/a", &[("if-match", "\"a\"")]).unwrap();
        assert!(moot.controls.is_empty(), "of a read");
        for name in ["x-if-version", "x-timestamp"] {
            let twice = [(name, "3"), (name, "3")];
            let refused = knock("/a", &twice).unwrap_err();
            assert_eq!(refused, Reason::MalformedHead, "{name}");
        }
        let shown = format!("{head:?}");
        assert!(!shown.contains("\"a\""), "a value is never shown: {shown}");
    }

    #[test]
    fn overrides_framing_and_hosts_are_strict() {
        assert_eq!(
            knock("/a", &[("x-http-method-override", "DELETE")]).unwrap_err(),
            Reason::MalformedHead
        );
        assert_eq!(
            knock("/a", &[("transfer-encoding", "gzip, chunked")]).unwrap_err(),
            Reason::MalformedHead
        );
        assert_eq!(
            knock("/a", &[("content-length", "03")]).unwrap_err(),
            Reason::MalformedHead
        );
        assert_eq!(
            knock("/a", &[("content-encoding", "gzip")]).unwrap_err(),
            Reason::UnsupportedMediaType
        );
        assert_eq!(
            knock("/a", &[("host", "second.example.org")]).unwrap_err(),
            Reason::MalformedHead
        );
        assert_eq!(
            knock("/a", &[("paravent-purpose", "a b")]).unwrap_err(),
            Reason::MalformedPurpose
        );
        let request = Request::builder()
            .uri("/a")
            .header("host", "other.example.org:8443")
            .body(())
            .unwrap();
        let known = door(&["crm.example.org"]);
        assert_eq!(
            enter(&request, Ipv4Addr::LOCALHOST.into(), &known).unwrap_err(),
            Reason::MalformedHead
        );
        for method in ["HEAD", "OPTIONS", "TRACE", "CONNECT", "get"] {
            let request = Request::builder()
                .method(method)
                .uri("/a")
                .header("host", "a")
                .body(())
                .unwrap();
            assert_eq!(
                enter(&request, Ipv4Addr::LOCALHOST.into(), &door(&[])).unwrap_err(),
                Reason::MethodNotAllowed,
                "{method}"
            );
        }
    }

    #[test]
    fn a_trace_id_is_taken_only_in_its_exact_form() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let head = knock(
            "/a",
            &[("traceparent", &format!("00-{id}-00f067aa0ba902b7-01"))],
        )
        .unwrap();
        assert_eq!(head.trace.as_deref(), Some(id));
        assert_eq!(
            knock("/a", &[("traceparent", "00-ZZ-1-01")]).unwrap().trace,
            None
        );
    }
}
