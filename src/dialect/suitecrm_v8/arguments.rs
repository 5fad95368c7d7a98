//! The arguments of a request, from its query string or its body: each is taken once, none is left.

use serde_json::{Map, Value};

use crate::dialect::{multipart, spelling, sugar_rest::decode};
use crate::json;
use crate::objection::Objection;
use crate::reason::Reason;

/// Names under which a token could stand in a query string, where logs would keep it.
const TOKENS: &[&str] = &["access_token", "authorization", "refresh_token", "token"];

/// What a body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Json,
    Form,
    Multipart,
    Other,
}

/// Arguments by name, until each has been taken.
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    /// The arguments of a query string; scalars are strings.
    pub(super) fn of_query(text: Option<&str>) -> Result<Self, Reason> {
        let plain = text.map(without_noise);
        let arguments = decode::query_string(plain.as_deref())?;
        let is_token = |name: &String| TOKENS.iter().any(|token| token.eq_ignore_ascii_case(name));
        if arguments.keys().any(is_token) {
            return Err(Reason::CredentialInQuery);
        }
        Ok(Self(arguments))
    }

    /// The members of an object that was read already.
    pub(super) fn of_object(object: Map<String, Value>) -> Self {
        Self(object)
    }

    /// Takes an argument out.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name)
    }

    /// Refuses what nobody has taken.
    pub(super) fn finish(self) -> Result<(), Objection> {
        let left = self.0.keys().next();
        left.map_or(Ok(()), |name| Err(Objection::parameter(name)))
    }
}

/// A query string without what some clients add to it and what means nothing: a parameter that makes a URL new for caches
/// (`_=1732291200000`), and how the comparisons of a filter are joined, said once more between every two of them.
fn without_noise(text: &str) -> String {
    let mut joined: Option<&str> = None;
    let pairs = text.split('&').filter(|pair| {
        let number = pair.strip_prefix("_=");
        if number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
            return false;
        }
        let name = pair.split('=').next().unwrap_or_default();
        if !JOINED_BY
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            return true;
        }
        let is_first = joined.is_none();
        let is_repeated = *joined.get_or_insert(pair) == *pair;
        is_first || !is_repeated
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The parameter that says how comparisons are joined, in the spellings that clients send.
const JOINED_BY: &[&str] = &["filter[operator]", "filter%5boperator%5d"];

/// Reads the body of a request that takes a document: one JSON object.
pub(super) fn document(
    bytes: &[u8],
    content_type: Option<&str>,
    depth_max: usize,
) -> Result<Map<String, Value>, Reason> {
    match media(content_type) {
        Media::Json => object(bytes, depth_max),
        Media::Form | Media::Multipart | Media::Other => Err(Reason::UnsupportedMediaType),
    }
}

/// Reads the body of a login, which may be a form.
pub(super) fn login(
    bytes: &[u8],
    content_type: Option<&str>,
    depth_max: usize,
) -> Result<Map<String, Value>, Reason> {
    match media(content_type) {
        Media::Json => object(bytes, depth_max),
        Media::Form => {
            let text = std::str::from_utf8(bytes).map_err(|_| Reason::MalformedBody)?;
            decode::query_string(Some(text.trim_end())).map_err(|reason| match reason {
                Reason::DuplicateParameter => reason,
                _ => Reason::MalformedBody,
            })
        }
        Media::Multipart => {
            let boundary = content_type.and_then(multipart::boundary);
            let boundary = boundary.ok_or(Reason::UnsupportedMediaType)?;
            let mut members = Map::new();
            for (name, value) in multipart::read(bytes, boundary)? {
                if members.insert(name, value.into()).is_some() {
                    return Err(Reason::DuplicateParameter);
                }
            }
            Ok(members)
        }
        Media::Other => Err(Reason::UnsupportedMediaType),
    }
}

fn object(bytes: &[u8], depth_max: usize) -> Result<Map<String, Value>, Reason> {
    match json::read(bytes, depth_max) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Reason::MalformedBody),
    }
}

/// What a content type says. A body without one is read as JSON, and sent on with one: the CRM would not read it.
fn media(content_type: Option<&str>) -> Media {
    let Some(content_type) = content_type else {
        return Media::Json;
    };
    if multipart::boundary(content_type).is_some() {
        return Media::Multipart;
    }
    let Some(media) = spelling::media_in_utf_8(content_type) else {
        return Media::Other;
    };
    match media.to_ascii_lowercase().as_str() {
        "application/json" | "application/vnd.api+json" => Media::Json,
        "application/x-www-form-urlencoded" => Media::Form,
        _ => Media::Other,
    }
}

/// Whether a value says nothing: absent, null or blank.
pub(super) fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, document, login};
    use crate::reason::Reason;

    #[test]
    fn tokens_in_a_query_are_refused() {
        for text in [
            "access_token=x",
            "Access_Token=x",
            "token[a]=x",
            "oauth_token=x",
        ] {
            assert_eq!(
                Arguments::of_query(Some(text)).err(),
                Some(Reason::CredentialInQuery),
                "{text}"
            );
        }
    }

    #[test]
    fn what_means_nothing_is_left_out_of_a_query() {
        for (text, plain) in [
            ("_=1732291200000", ""),
            ("a=1&_=17&b=2", "a=1&b=2"),
            (
                "a[b][c]=1&filter[operator]=and&d=2&filter[operator]=and",
                "a[b][c]=1&filter[operator]=and&d=2",
            ),
            (
                "filter%5Boperator%5D=or&filter%5Boperator%5D=or",
                "filter%5Boperator%5D=or",
            ),
        ] {
            assert_eq!(super::without_noise(text), plain, "{text}");
            assert!(Arguments::of_query(Some(text)).is_ok(), "{text}");
        }
        for text in [
            "filter[operator]=and&filter[operator]=or",
            "filter[operator]=and&filter%5Boperator%5D=and",
            "filter[operator]=and&filter[a][eq]=1&filter[a][eq]=1",
            "a=1&a=1",
        ] {
            let refused = Arguments::of_query(Some(text)).err();
            assert_eq!(refused, Some(Reason::DuplicateParameter), "{text}");
        }
        let other = Arguments::of_query(Some("_=x"))
            .and_then(|left| left.finish().map_err(|left| left.reason));
        assert!(other.is_err());
    }

    #[test]
    fn a_document_is_one_json_object() {
        let read =
            |bytes: &[u8], content_type| document(bytes, content_type, 5).map(|map| map.len());
        for content_type in [
            None,
            Some("application/json"),
            Some("application/vnd.api+json"),
            Some("Application/vnd.API+json; Charset=UTF-8"),
        ] {
            assert_eq!(read(br#"{"a":1}"#, content_type), Ok(1), "{content_type:?}");
        }
        for content_type in [
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "application/xml",
        ] {
            assert_eq!(
                read(br#"{"a":1}"#, Some(content_type)),
                Err(Reason::UnsupportedMediaType)
            );
        }
        for bytes in [
            "",
            "[]",
            "1",
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"A":2}"#,
            "{} {}",
            "[[[[[[]]]]]]",
            "\u{feff}{}",
        ] {
            assert_eq!(
                read(bytes.as_bytes(), None),
                Err(Reason::MalformedBody),
                "{bytes}"
            );
        }
    }

    #[test]
    fn a_login_may_be_a_form() {
        let form = Some("application/x-www-form-urlencoded");
        let read = |text: &str| login(text.as_bytes(), form, 5);
        assert_eq!(read("a=1&b=x%20y+z").unwrap()["b"], "x y z");
        assert_eq!(read("a=1&a=2"), Err(Reason::DuplicateParameter));
        assert_eq!(read("a=%zz"), Err(Reason::MalformedBody));
        let part = |name: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\nx y\r\n")
        };
        let parts = |names: &[&str]| {
            let body: String = names.iter().map(|name| part(name)).collect();
            login(
                format!("{body}--b--\r\n").as_bytes(),
                Some("multipart/form-data; boundary=b"),
                5,
            )
        };
        assert_eq!(parts(&["a", "b"]).unwrap()["b"], "x y");
        assert_eq!(parts(&["a", "a"]), Err(Reason::DuplicateParameter));
        assert_eq!(
            login(b"{}", Some("text/plain"), 5),
            Err(Reason::UnsupportedMediaType)
        );
    }
}
