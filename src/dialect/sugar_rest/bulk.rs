//! The envelope of several requests: each part is understood like the plain request that it stands for.

use http::Method;
use serde_json::{Map, Value};

use crate::dialect::carriers::{Media, is_blank};
use crate::dialect::engine::{Api, Envelope, is_version_like};
use crate::dialect::{Incoming, Misunderstood, Operation, Understood};
use crate::door::Credential;
use crate::objection::Objection;
use crate::reason::Reason;

type Part = Result<Operation, Misunderstood>;

/// Methods that a part may have.
const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::PUT, Method::DELETE];

/// The header of a part that may say once more whose the envelope is.
const TOKEN: &str = "oauth-token";

/// Headers of a part that hold another credential.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "cookie",
    "download-token",
    "download_token",
    "oauth_token",
    "proxy-authorization",
];

/// Members of a part that say how the client would have sent it alone. The CRM does not look at them.
const OF_THE_CLIENT: &[&str] = &["dataType", "timeout"];

/// Headers of a part that say what the caller has cached, and are dropped.
const HASHES: &[&str] = &["x-acl-hash", "x-metadata-hash", "x-userpref-hash"];

/// Reads an envelope. Parts that are not understood stay in their place; what would make the envelope mean something
/// else as a whole refuses it whole.
pub(super) fn envelope(mut body: Map<String, Value>, api: &Api<'_>) -> Result<Envelope, Objection> {
    let Some(Value::Array(requests)) = body.shift_remove("requests") else {
        return Err(Reason::MalformedBody.into());
    };
    if !body.is_empty() {
        return Err(Reason::MalformedBody.into());
    }
    if requests.len() > api.bounds().bulk_parts_max {
        return Err(Reason::TooManyParts.into());
    }
    let (mut parts, mut credential) = (Vec::new(), None::<Credential>);
    for part in requests {
        let (part, token) = read(part, api)?;
        parts.push(part);
        let Some(token) = token else { continue };
        let said = credential.as_ref().map(Credential::token);
        if said.is_some_and(|said| said != token) {
            return Err(Reason::CredentialInBulk.into());
        }
        credential = Some(Credential::argument(&token).ok_or(Reason::CredentialInBulk)?);
    }
    // The session of an envelope is looked up in the version of its first part.
    let first = parts.iter().flatten().next();
    let version = first.map_or(super::USUAL_VERSION, |part| part.version.as_str());
    Ok(Envelope {
        credential,
        version: version.to_owned(),
        parts,
    })
}

/// Reads one part, and the token that it carries. The outer error refuses the envelope.
fn read(part: Value, api: &Api<'_>) -> Result<(Part, Option<String>), Reason> {
    let Value::Object(mut members) = part else {
        return Err(Reason::MalformedBody);
    };
    let Some(Value::String(url)) = members.shift_remove("url") else {
        return Err(Reason::MalformedBody);
    };
    let method = match members.shift_remove("method") {
        None | Some(Value::Null) => "GET".to_owned(),
        Some(Value::String(method)) => method,
        Some(_) => return Err(Reason::MalformedBody),
    };
    let body = data(members.shift_remove("data"))?;
    let mut headers = headers(members.shift_remove("headers"))?;
    let token = headers.token.take();
    leave_out(&mut members, &method)?;
    if !members.is_empty() {
        return Err(Reason::MalformedBody);
    }
    let part = meant(&url, &method, &headers, &body, api)?;
    Ok((part, token))
}

/// What the request means that a part stands for.
fn meant(
    url: &str,
    method: &str,
    headers: &Headers,
    body: &[u8],
    api: &Api<'_>,
) -> Result<Part, Reason> {
    let (path, query) = match url.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (url, None),
    };
    let path = path.strip_prefix('/').unwrap_or(path);
    if !is_version_like(path) {
        return Ok(Err(Reason::UnknownVersion.into()));
    }
    let path = format!("/rest/{path}");
    refuse_envelopes_and_sessions(&path, api)?;
    let Some(method) = METHODS.iter().find(|known| known.as_str() == method) else {
        return Ok(Err(Reason::MethodNotAllowed.into()));
    };
    let understood = api.understand(&Incoming {
        method,
        path: &path,
        query,
        accept: headers.accept.as_deref(),
        content_type: headers.content_type.as_deref(),
        controls: &[],
        body,
    });
    match understood {
        Ok(Understood::One(operation)) => Ok(Ok(operation)),
        Ok(Understood::Bulk { .. }) => Err(Reason::NestedBulk),
        Err(Misunderstood { objection, .. }) if objection.reason == Reason::CredentialInQuery => {
            Err(Reason::CredentialInBulk)
        }
        Err(misunderstood) => Ok(Err(misunderstood)),
    }
}

/// Leaves out what only the client looks at. What would say something else than the part itself, refuses the envelope.
fn leave_out(members: &mut Map<String, Value>, method: &str) -> Result<(), Reason> {
    for name in OF_THE_CLIENT {
        if members
            .shift_remove(*name)
            .is_some_and(|value| value.is_array() || value.is_object())
        {
            return Err(Reason::MalformedBody);
        }
    }
    let says = |value: Option<Value>, fits: &dyn Fn(&str) -> bool| match value {
        None | Some(Value::Null) => true,
        Some(value) => value.as_str().is_some_and(fits),
    };
    let is_same = says(members.shift_remove("type"), &|word| word == method)
        && says(members.shift_remove("contentType"), &|media| is_json(media));
    is_same.then_some(()).ok_or(Reason::MalformedBody)
}

/// Looks at where a part goes before anything else of it counts: an envelope in an envelope and a login in one are
/// refused in whatever way they are malformed otherwise.
fn refuse_envelopes_and_sessions(path: &str, api: &Api<'_>) -> Result<(), Reason> {
    let segments = api.segments(path).unwrap_or_default();
    let first = segments.first().map(|first| first.to_ascii_lowercase());
    match first.as_deref() {
        Some("bulk") => Err(Reason::NestedBulk),
        Some("oauth2") => Err(Reason::CredentialInBulk),
        _ => Ok(()),
    }
}

/// The body of a part: JSON as text or in place.
fn data(data: Option<Value>) -> Result<Vec<u8>, Reason> {
    match data {
        value if is_blank(value.as_ref()) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(text.into_bytes()),
        Some(Value::Object(members)) if members.is_empty() => Ok(Vec::new()),
        Some(Value::Array(items)) if items.is_empty() => Ok(Vec::new()),
        Some(Value::Object(members)) => Ok(Value::Object(members).to_string().into_bytes()),
        _ => Err(Reason::MalformedBody),
    }
}

/// The headers of a part that count.
#[derive(Default)]
struct Headers {
    accept: Option<String>,
    content_type: Option<String>,
    token: Option<String>,
}

/// Reads the headers of a part: a list of `Name: value`, or an object.
fn headers(headers: Option<Value>) -> Result<Headers, Reason> {
    let pairs: Vec<(String, String)> = match headers {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(lines)) => lines.iter().map(line).collect::<Result<_, _>>()?,
        Some(Value::Object(members)) => {
            members.into_iter().map(member).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(Reason::MalformedBody),
    };
    let mut seen = Map::new();
    for (name, value) in pairs {
        let name = name.to_ascii_lowercase();
        if CREDENTIALS.contains(&name.as_str()) {
            return Err(Reason::CredentialInBulk);
        }
        if name == "paravent-purpose" {
            return Err(Reason::MalformedPurpose);
        }
        let passes = match name.as_str() {
            "content-type" | "accept" | TOKEN => !value.chars().any(char::is_control),
            name => HASHES.contains(&name),
        };
        if !passes || seen.insert(name, value.into()).is_some() {
            return Err(Reason::MalformedHead);
        }
    }
    let text = |name: &str| seen.get(name).and_then(Value::as_str).map(str::to_owned);
    let (accept, content_type) = (text("accept"), text("content-type"));
    let wants_json =
        |accept: &str| matches!(accept, "*/*" | "application/json, */*") || is_json(accept);
    if !accept.as_deref().is_none_or(wants_json) {
        return Err(Reason::MalformedHead);
    }
    Ok(Headers {
        accept,
        content_type,
        token: text(TOKEN),
    })
}

fn line(line: &Value) -> Result<(String, String), Reason> {
    let line = line.as_str().ok_or(Reason::MalformedBody)?;
    let (name, value) = line.split_once(':').ok_or(Reason::MalformedHead)?;
    // Blanks around a name are part of it, so that no odd spelling passes for a known header.
    Ok((name.to_owned(), value.trim_matches(' ').to_owned()))
}

/// Whether a media type is JSON in UTF-8.
fn is_json(media: &str) -> bool {
    Media::of(Some(media)) == Media::Json
}

fn member((name, value): (String, Value)) -> Result<(String, String), Reason> {
    match value {
        Value::String(value) => Ok((name, value)),
        _ => Err(Reason::MalformedBody),
    }
}
