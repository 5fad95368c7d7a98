//! The body of a request: one form, in either of its two spellings, each field in it exactly once.
//!
//! PHP takes the last of two equal fields, joins the query string to the body, and mangles names. Here a form has four
//! known fields, or it is refused.

use super::multipart;
use crate::dialect::spelling::{self, hex};
use crate::reason::Reason;

/// Fields of a form.
const FIELDS_MAX: usize = 8;

/// The fields that the API has.
const FIELDS: [&str; 4] = ["method", "input_type", "response_type", "rest_data"];

/// What a form holds.
#[derive(Debug, Default)]
pub(super) struct Form {
    values: [Option<String>; 4],
}

impl Form {
    /// Reads a body by its content type.
    pub(super) fn read(content_type: Option<&str>, body: &[u8]) -> Result<Self, Reason> {
        let content_type = content_type.ok_or(Reason::UnsupportedMediaType)?;
        if is_urlencoded(content_type) {
            return Self::of(&urlencoded(body)?);
        }
        let boundary = multipart::boundary(content_type).ok_or(Reason::UnsupportedMediaType)?;
        Self::of(&multipart::read(body, boundary)?)
    }

    fn of(pairs: &[(String, String)]) -> Result<Self, Reason> {
        let mut form = Self::default();
        for (name, value) in pairs {
            let place = FIELDS.iter().position(|known| known == name);
            let slot = &mut form.values[place.ok_or(Reason::UnknownParameter)?];
            if slot.replace(value.clone()).is_some() {
                return Err(Reason::DuplicateParameter);
            }
        }
        Ok(form)
    }

    /// The method asked for.
    pub(super) fn method(&self) -> Option<&str> {
        self.values[0].as_deref()
    }

    /// The arguments, as JSON text.
    pub(super) fn arguments(&self) -> &str {
        self.values[3].as_deref().unwrap_or_default()
    }

    /// Whether both directions are said to be JSON. Whatever else is said, or nothing, the CRM answers with a dump of
    /// its variables.
    pub(super) fn is_json(&self) -> bool {
        self.values[1..3].iter().all(|kind| {
            kind.as_deref()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("json"))
        })
    }
}

fn is_urlencoded(content_type: &str) -> bool {
    spelling::media_in_utf_8(content_type)
        .is_some_and(|media| media.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn urlencoded(body: &[u8]) -> Result<Vec<(String, String)>, Reason> {
    let text = std::str::from_utf8(body).map_err(|_| Reason::MalformedBody)?;
    let mut pairs = Vec::new();
    for pair in text.split('&') {
        if pairs.len() == FIELDS_MAX {
            return Err(Reason::MalformedBody);
        }
        let (name, value) = pair.split_once('=').ok_or(Reason::MalformedBody)?;
        let decoded = |text| decode(text).ok_or(Reason::MalformedBody);
        pairs.push((decoded(name)?, decoded(value)?));
    }
    Ok(pairs)
}

/// Undoes the encoding of a form, once. `None`: a bad escape, or what is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::{Form, decode};
    use crate::reason::Reason;

    const URLENCODED: &str = "application/x-www-form-urlencoded";

    fn read(body: &str) -> Result<Form, Reason> {
        Form::read(Some(URLENCODED), body.as_bytes())
    }

    #[test]
    fn a_form_has_each_field_once() {
        let form =
            read("method=login&input_type=JSON&response_type=json&rest_data=%7B%22a%22%3A+1%7D")
                .unwrap();
        assert_eq!(form.method(), Some("login"));
        assert_eq!(form.arguments(), "{\"a\": 1}");
        assert!(form.is_json());
        for (body, reason) in [
            ("method=a&method=b", Reason::DuplicateParameter),
            ("method=a&method=a", Reason::DuplicateParameter),
            ("method=a&jsoncallback=x", Reason::UnknownParameter),
            ("method[]=a", Reason::UnknownParameter),
            ("rest.data=a", Reason::UnknownParameter),
            ("Method=a", Reason::UnknownParameter),
            ("+method=a", Reason::UnknownParameter),
            ("PHPSESSID=a", Reason::UnknownParameter),
            ("method", Reason::MalformedBody),
            ("method=a&", Reason::MalformedBody),
            ("", Reason::MalformedBody),
            ("method=%zz", Reason::MalformedBody),
            ("method=%4", Reason::MalformedBody),
            ("method=%ff", Reason::MalformedBody),
        ] {
            assert_eq!(read(body).err(), Some(reason), "{body}");
        }
    }

    #[test]
    fn only_json_both_ways() {
        for body in [
            "method=a&rest_data=[]",
            "method=a&input_type=JSON&rest_data=[]",
            "method=a&response_type=JSON&rest_data=[]",
            "method=a&input_type=JSON&response_type=Serialize",
            "method=a&input_type=JSON&response_type=",
            "method=a&input_type=JSON&response_type=RSS",
            "method=a&input_type=JSON+&response_type=JSON",
            "method=a&input_type=JSON&response_type=JSONP",
        ] {
            assert!(!read(body).unwrap().is_json(), "{body}");
        }
    }

    #[test]
    fn other_media_types_are_refused() {
        for content_type in [
            None,
            Some("application/json"),
            Some("text/plain"),
            Some("application/x-www-form-urlencoded; charset=iso-8859-1"),
            Some("application/x-www-form-urlencoded; charset=utf-8; x=y"),
            Some("multipart/form-data"),
            Some("multipart/mixed; boundary=x"),
        ] {
            let refused = Form::read(content_type, b"method=a").err();
            assert_eq!(
                refused,
                Some(Reason::UnsupportedMediaType),
                "{content_type:?}"
            );
        }
        let said = format!("{URLENCODED}; charset=UTF-8");
        assert!(Form::read(Some(&said), b"method=a").is_ok());
    }

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(decode("a%2520b+c").as_deref(), Some("a%20b c"));
        assert_eq!(decode("%C3%A9").as_deref(), Some("é"));
    }
}
