//! The arguments of a request, from its query string or its body.

use serde_json::{Map, Value};

use crate::dialect::carriers::query_string::{self, Names};
use crate::dialect::carriers::{Arguments, Media, form, is_cache_buster, object};
use crate::reason::Reason;

/// Names under which a token could stand in a query string, where logs would keep it.
const TOKENS: &[&str] = &[
    "access_token",
    "authorization",
    "download_token",
    "oauth_token",
    "refresh_token",
    "token",
];

/// The arguments of a query string; scalars are strings.
pub(super) fn of_query(text: Option<&str>) -> Result<Arguments, Reason> {
    let plain = text.map(without_noise).unwrap_or_default();
    let arguments = query_string::without_credentials(&plain, &Names::OF_PHP, TOKENS)?;
    Ok(Arguments::of(arguments))
}

/// A query string without what some clients add to it and what means nothing: a parameter that makes a URL new for caches
/// (`_=1732291200000`), and how the comparisons of a filter are joined, said once more between every two of them.
fn without_noise(text: &str) -> String {
    let mut joined: Option<&str> = None;
    let pairs = text.split('&').filter(|pair| {
        let number = pair.strip_prefix("_=");
        if number.is_some_and(is_cache_buster) {
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

/// Reads the body of a request that takes a document: one JSON object. One without a content type is read as JSON, and sent
/// on with one: the CRM would not read it.
pub(super) fn document(
    bytes: &[u8],
    content_type: Option<&str>,
    depth_max: usize,
) -> Result<Map<String, Value>, Reason> {
    match Media::of(content_type) {
        Media::Json | Media::JsonApi => object(bytes, depth_max),
        Media::Form | Media::Multipart(_) | Media::Other => Err(Reason::UnsupportedMediaType),
    }
}

/// Reads the body of a login, which may be a form.
pub(super) fn login(
    bytes: &[u8],
    content_type: Option<&str>,
    depth_max: usize,
) -> Result<Map<String, Value>, Reason> {
    let form = form(bytes, Media::of(content_type), &Names::OF_PHP);
    form.unwrap_or_else(|| document(bytes, content_type, depth_max))
}

#[cfg(test)]
mod tests {
    use super::{document, login, of_query};
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
                of_query(Some(text)).err(),
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
            assert!(of_query(Some(text)).is_ok(), "{text}");
        }
        for text in [
            "filter[operator]=and&filter[operator]=or",
            "filter[operator]=and&filter%5Boperator%5D=and",
            "filter[operator]=and&filter[a][eq]=1&filter[a][eq]=1",
            "a=1&a=1",
        ] {
            let refused = of_query(Some(text)).err();
            assert_eq!(refused, Some(Reason::DuplicateParameter), "{text}");
        }
        let other =
            of_query(Some("_=x")).and_then(|left| left.finish().map_err(|left| left.reason));
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
