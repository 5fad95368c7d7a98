//! Named fields: of a form, a query or a flat JSON object. What is unknown, doubled or not readable is no form.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Asked;
use super::media::{self, Media};
use super::trouble::Trouble;
use crate::json;

/// Bytes of a value.
const VALUE_BYTES_MAX: usize = 4096;

/// Fields by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// The fields of a body, all of which are known.
    pub(super) fn of_body(asked: &Asked, known: &[&str]) -> Result<(Self, Media), Trouble> {
        let media = media::of(asked)?;
        let fields = match media {
            Media::Nothing => Self::default(),
            Media::Json => Self::json(&asked.body, known)?,
            Media::Form => {
                let text = std::str::from_utf8(&asked.body).map_err(|_| Trouble::MALFORMED)?;
                Self::urlencoded(text, known)?
            }
            Media::Parts => return Err(Trouble::MEDIA),
        };
        Ok((fields, media))
    }

    /// The fields of the query.
    pub(super) fn of_query(asked: &Asked, known: &[&str]) -> Result<Self, Trouble> {
        Self::urlencoded(asked.head.query.as_deref().unwrap_or_default(), known)
    }

    fn urlencoded(text: &str, known: &[&str]) -> Result<Self, Trouble> {
        let mut fields = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(Trouble::MALFORMED)?;
            fields.add(decoded(name)?, decoded(value)?, known)?;
        }
        Ok(fields)
    }

    fn json(body: &[u8], known: &[&str]) -> Result<Self, Trouble> {
        let Ok(Value::Object(members)) = json::read(body, 2) else {
            return Err(Trouble::MALFORMED);
        };
        let mut fields = Self::default();
        for (name, value) in members {
            match value {
                Value::String(value) => fields.add(name, value, known)?,
                // What is not stated.
                Value::Null if known.contains(&name.as_str()) => {}
                _ => return Err(Trouble::MALFORMED),
            }
        }
        Ok(fields)
    }

    fn add(&mut self, name: String, value: String, known: &[&str]) -> Result<(), Trouble> {
        let fits = known.contains(&name.as_str())
            && value.len() <= VALUE_BYTES_MAX
            && !value.chars().any(char::is_control);
        match fits && self.0.insert(name, value).is_none() {
            true => Ok(()),
            false => Err(Trouble::MALFORMED),
        }
    }

    /// A field, if it is stated and not blank.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).map(String::as_str);
        value.filter(|value| !value.trim().is_empty())
    }

    /// A field that must be there.
    pub(super) fn require(&self, name: &str) -> Result<&str, Trouble> {
        self.get(name).ok_or(Trouble::MALFORMED)
    }
}

/// A name or value of a form: `+` is a space, percent escapes are whole, and what they stand for is UTF-8.
fn decoded(text: &str) -> Result<String, Trouble> {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('%') {
        let digits = behind.get(..2).ok_or(Trouble::MALFORMED)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Trouble::MALFORMED);
        }
        rest = behind;
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded
        .map(|text| text.into_owned())
        .map_err(|_| Trouble::MALFORMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_each_field_once_and_no_other() {
        let known = ["email", "purpose"];
        let read = |text: &str| Fields::urlencoded(text, &known);
        let fields = read("email=anna%40example.com&purpose=a+b").unwrap();
        assert_eq!(fields.get("email"), Some("anna@example.com"));
        assert_eq!(fields.get("purpose"), Some("a b"));
        assert_eq!(read("").unwrap(), Fields::default());
        for bad in [
            "email=a&email=b",
            "email=a&other=b",
            "email",
            "email=%4",
            "email=%zz",
            "email=%ff",
            "email=%00",
            "email=%0d%0aBcc",
            "Email=a",
            "email%5B%5D=a",
        ] {
            assert_eq!(read(bad), Err(Trouble::MALFORMED), "{bad}");
        }
    }

    #[test]
    fn json_is_flat_and_holds_texts() {
        let known = ["email", "purpose"];
        let read = |text: &str| Fields::json(text.as_bytes(), &known);
        let fields = read(r#"{"email":"a@b.example","purpose":null}"#).unwrap();
        assert_eq!(fields.get("email"), Some("a@b.example"));
        assert_eq!(fields.get("purpose"), None);
        for bad in [
            "",
            "[]",
            "null",
            r#"{"email":1}"#,
            r#"{"email":"a","email":"b"}"#,
            r#"{"email":"a","Email":"b"}"#,
            r#"{"email":["a"]}"#,
            r#"{"other":null}"#,
            r#"{"email":"a"} x"#,
        ] {
            assert_eq!(read(bad), Err(Trouble::MALFORMED), "{bad}");
        }
    }
}
