//! The arguments of a request, from its query string or its body.

use serde_json::{Map, Value};

use crate::dialect::carriers::query_string::{self, Names};
use crate::dialect::carriers::{Arguments, Media, form, is_cache_buster};
use crate::json;
use crate::reason::Reason;

/// Parameters with a number that only makes an address new: the CRM does not look at them.
const CACHE_BUSTERS: &[&str] = &["_"];
/// Names under which a token could stand in a query string, where logs would keep it.
const TOKENS: &[&str] = &["download_token", "oauth_token"];

/// The arguments of a query string; scalars are strings.
pub(super) fn of_query(text: Option<&str>) -> Result<Arguments, Reason> {
    let text = text.unwrap_or_default();
    let mut arguments = query_string::without_credentials(text, &Names::OF_PHP, TOKENS)?;
    let is_noise = |name: &String, value: &Value| {
        CACHE_BUSTERS.contains(&name.as_str()) && value.as_str().is_some_and(is_cache_buster)
    };
    arguments.retain(|name, value| !is_noise(name, value));
    Ok(Arguments::of(arguments))
}

/// Reads the body of a request that takes one. An empty body is the empty object, and so is PHP's empty array.
pub(super) fn body(
    bytes: &[u8],
    content_type: Option<&str>,
    depth_max: usize,
) -> Result<Map<String, Value>, Reason> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    if !content_type.is_none_or(is_json) {
        return Err(Reason::UnsupportedMediaType);
    }
    match json::read(bytes, depth_max) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Array(items)) if items.is_empty() => Ok(Map::new()),
        _ => Err(Reason::MalformedBody),
    }
}

/// Reads the body of a login: JSON, or a form in either of its spellings, whose values are texts.
pub(super) fn login(
    bytes: &[u8],
    content_type: Option<&str>,
    depth_max: usize,
) -> Result<Map<String, Value>, Reason> {
    let form = form(bytes, Media::of(content_type), &Names::OF_PHP);
    form.unwrap_or_else(|| body(bytes, content_type, depth_max))
}

/// Whether a media type is JSON in UTF-8.
pub(super) fn is_json(content_type: &str) -> bool {
    Media::of(Some(content_type)) == Media::Json
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{body, login, of_query};
    use crate::dialect::carriers::flag;
    use crate::reason::Reason;

    #[test]
    fn an_argument_has_one_carrier_and_is_known() {
        let query = || of_query(Some("fields=id")).unwrap();
        let body = |text| serde_json::from_str(text).unwrap();
        assert_eq!(
            query().and(body(r#"{"fields":"id"}"#)).err(),
            Some(Reason::DuplicateParameter)
        );
        let mut both = query().and(body(r#"{"max_num":1}"#)).unwrap();
        assert_eq!(both.take("fields"), Some(json!("id")));
        let left = both.finish().map_err(|objection| objection.reason);
        assert_eq!(left, Err(Reason::UnknownParameter));
    }

    #[test]
    fn a_body_is_one_json_object_in_utf_8() {
        let read = |bytes: &[u8], content_type| body(bytes, content_type, 5).map(|map| map.len());
        assert_eq!(read(b"", Some("text/plain")), Ok(0));
        assert_eq!(read(b"[]", None), Ok(0));
        for content_type in [
            None,
            Some("application/json"),
            Some("Application/JSON; Charset=UTF-8"),
            Some("application/json;charset=\"utf-8\""),
        ] {
            assert_eq!(read(br#"{"a":1}"#, content_type), Ok(1), "{content_type:?}");
        }
        for content_type in [
            "text/json",
            "application/json; charset=utf-16",
            "application/json; charset=utf-8; x=y",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
        ] {
            assert_eq!(
                read(br#"{"a":1}"#, Some(content_type)),
                Err(Reason::UnsupportedMediaType)
            );
        }
        for bytes in [
            "[1]",
            "1",
            "null",
            r#"{"a":1,"A":2}"#,
            "{} {}",
            "[[[[[[[]]]]]]]",
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
    fn a_number_that_only_makes_an_address_new_is_dropped() {
        let finish = |text| {
            let left = of_query(Some(text)).unwrap().finish();
            left.map_err(|objection| objection.reason)
        };
        assert_eq!(finish("_=1699999999999"), Ok(()));
        for text in [
            "_=",
            "_=x",
            "_=-1",
            "_[]=1",
            "_[0]=1",
            "__=1",
            "_=111111111111111111111",
        ] {
            assert_eq!(finish(text), Err(Reason::UnknownParameter), "{text}");
        }
    }

    #[test]
    fn a_login_is_json_or_a_form_with_each_member_once() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let parts = "multipart/form-data; boundary=b";
        let read = |bytes: &str, content_type| login(bytes.as_bytes(), content_type, 5);
        let expected = json!({"username": "u", "password": "p +&\u{e9}"});
        let expected = expected.as_object().unwrap();
        let part = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let both = part("username", "u") + &part("password", "p +&\u{e9}");
        for (bytes, content_type) in [
            (r#"{"username":"u","password":"p +&é"}"#.to_owned(), None),
            ("username=u&password=p+%2B%26%C3%A9".to_owned(), Some(form)),
            (format!("{both}--b--\r\n"), Some(parts)),
        ] {
            let read = read(&bytes, content_type);
            assert_eq!(read.as_ref(), Ok(expected), "{content_type:?}");
        }
        for (bytes, content_type) in [
            ("username=u&username=v".to_owned(), Some(form)),
            ("username=u&%75sername=v".to_owned(), Some(form)),
            (r#"{"username":"u"}"#.to_owned(), Some(form)),
            (format!("{both}{both}--b--\r\n"), Some(parts)),
            (both, Some(parts)),
            ("username=u".to_owned(), Some("application/json")),
            ("username=u".to_owned(), Some("text/plain")),
        ] {
            assert!(read(&bytes, content_type).is_err(), "{bytes}");
        }
    }

    #[test]
    fn credentials_in_a_query_are_refused() {
        for text in [
            "oauth_token=x",
            "OAuth_Token=x",
            "download%5Ftoken=x",
            "oauth_token[]=x",
        ] {
            let refused = of_query(Some(text)).err();
            assert_eq!(refused, Some(Reason::CredentialInQuery), "{text}");
        }
    }

    #[test]
    fn flags_have_few_spellings() {
        for (value, expected) in [
            (json!(true), Some(true)),
            (json!(0), Some(false)),
            (json!("1"), Some(true)),
            (json!("false"), Some(false)),
            (json!("yes"), None),
            (json!(2), None),
            (json!(null), None),
        ] {
            assert_eq!(flag(&value), expected, "{value}");
        }
    }
}
