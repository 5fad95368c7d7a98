//! The four fields of a request: in a form of either spelling, in the query string, or some here and some there.
//!
//! PHP takes the last of two equal fields, joins the query string to the form, and mangles names. Here a request has four
//! known fields, each stated once in the form and at most once in the query string; where both state one, they say the same.

use crate::dialect::carriers::multipart;
use crate::dialect::spelling::{self, hex};
use crate::objection::Objection;
use crate::reason::Reason;

/// Fields of a form.
const FIELDS_MAX: usize = 8;

/// The fields that the API has.
const FIELDS: [&str; 4] = [METHOD, "input_type", "response_type", ARGUMENTS];
const METHOD: &str = "method";
const ARGUMENTS: &str = "rest_data";

/// Parameters of a query string that hold a session under another name.
const CREDENTIALS: &[&str] = &["session", "phpsessid", "msid", "sessionid"];

/// A parameter that makes a URL new for caches on the way, as jQuery adds it. The CRM has none of this name.
const CACHE_BUSTER: &str = "_";

/// What a request holds.
#[derive(Debug, Default)]
pub(super) struct Form {
    values: [Option<String>; 4],
}

impl Form {
    /// Reads a body by its content type.
    pub(super) fn read(content_type: Option<&str>, body: &[u8]) -> Result<Self, Objection> {
        let content_type = content_type.ok_or(Reason::UnsupportedMediaType)?;
        if is_urlencoded(content_type) {
            return Self::of(&urlencoded(body)?);
        }
        let boundary = multipart::boundary(content_type).ok_or(Reason::UnsupportedMediaType)?;
        Self::of(&multipart::read(body, boundary)?)
    }

    fn of(pairs: &[(String, String)]) -> Result<Self, Objection> {
        let mut form = Self::default();
        for (name, value) in pairs {
            let place = FIELDS.iter().position(|known| known == name);
            let slot = &mut form.values[place.ok_or_else(|| Objection::parameter(name))?];
            if slot.replace(value.clone()).is_some() {
                return Err(Reason::DuplicateParameter.into());
            }
        }
        Ok(form)
    }

    /// Joins what a query string says.
    pub(super) fn with_query(mut self, query: &str) -> Result<Self, Objection> {
        let (mut fields, mut words) = (Vec::new(), Vec::new());
        for (name, value) in parameters(query)? {
            if CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(Reason::CredentialInQuery.into());
            }
            let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
            match (FIELDS.contains(&name.as_str()), value.as_str()) {
                (true, _) => fields.push((name, value)),
                (false, _) if name == CACHE_BUSTER && is_number => {}
                (false, "") => words.push(name),
                (false, _) => return Err(Objection::parameter(&name)),
            }
        }
        let stated = Self::of(&fields)?;
        for ((slot, stated), name) in self.values.iter_mut().zip(stated.values).zip(FIELDS) {
            match (&slot, stated) {
                (_, None) => {}
                (None, stated) => *slot = stated,
                (Some(said), Some(stated)) if says_the_same(name, said, &stated) => {}
                (Some(_), Some(_)) => return Err(Objection::parameter(name)),
            }
        }
        // `rest.php?login`, which some clients send: a bare word is nothing to the CRM.
        let said = self.method().unwrap_or_default();
        match words.iter().find(|word| !word.eq_ignore_ascii_case(said)) {
            Some(word) => Err(Objection::parameter(word)),
            None => Ok(self),
        }
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

/// Whether a query string holds the arguments of a call, and so its session or password.
pub(super) fn has_secrets(query: Option<&str>) -> bool {
    let parameters = query.map_or(Ok(Vec::new()), parameters);
    parameters.is_ok_and(|parameters| parameters.iter().any(|(name, _)| name == ARGUMENTS))
}

/// Arguments are compared as they are written, words without case.
fn says_the_same(name: &str, one: &str, other: &str) -> bool {
    match name {
        ARGUMENTS => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// The parameters of a query string; a name without a value is one that says nothing.
fn parameters(query: &str) -> Result<Vec<(String, String)>, Reason> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let parameters: Option<Vec<_>> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect();
    parameters
        .filter(|parameters| parameters.len() <= FIELDS_MAX)
        .ok_or(Reason::MalformedQuery)
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
    use super::{Form, decode, has_secrets};
    use crate::reason::Reason;

    const URLENCODED: &str = "application/x-www-form-urlencoded";

    fn read(body: &str) -> Result<Form, Reason> {
        Form::read(Some(URLENCODED), body.as_bytes()).map_err(|objection| objection.reason)
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
                refused.map(|objection| objection.reason),
                Some(Reason::UnsupportedMediaType),
                "{content_type:?}"
            );
        }
        for charset in ["UTF-8", "\"utf-8\"", "utf8"] {
            let said = format!("{URLENCODED}; Charset={charset}");
            assert!(Form::read(Some(&said), b"method=a").is_ok(), "{charset}");
        }
    }

    #[test]
    fn a_query_string_says_the_same_or_what_the_form_left_out() {
        let form = "method=get_entry&input_type=JSON&response_type=JSON&rest_data=[]";
        for (body, query) in [
            (form, ""),
            (form, "get_entry"),
            (form, "GET_Entry="),
            (form, "method=get_entry"),
            (form, "method=Get_Entry&get_entry&"),
            (form, "%6dethod=get_entry&response_type=json"),
            (form, "_=1732291200000"),
            (form, "_"),
            (form, "rest_data=%5B%5D"),
            (
                "rest_data=[]",
                "method=get_entry&input_type=JSON&response_type=JSON",
            ),
        ] {
            let read = read(body).unwrap().with_query(query);
            let read = read.unwrap_or_else(|objection| panic!("{query}: {objection:?}"));
            assert!(read.is_json() && read.arguments() == "[]", "{query}");
            assert!(read.method().unwrap().eq_ignore_ascii_case("get_entry"));
        }
        for (query, reason) in [
            ("login", Reason::UnknownParameter),
            ("get_entry_list", Reason::UnknownParameter),
            ("method=get_entry_list", Reason::UnknownParameter),
            ("method", Reason::UnknownParameter),
            ("get_entry=1", Reason::UnknownParameter),
            ("response_type=RSS", Reason::UnknownParameter),
            ("rest_data=%5B1%5D", Reason::UnknownParameter),
            ("jsoncallback", Reason::UnknownParameter),
            ("jsoncallback=get_entry", Reason::UnknownParameter),
            ("_=x", Reason::UnknownParameter),
            ("method[]=get_entry", Reason::UnknownParameter),
            ("+method=get_entry", Reason::UnknownParameter),
            (
                "method=get_entry&method=get_entry",
                Reason::DuplicateParameter,
            ),
            ("PHPSESSID=a", Reason::CredentialInQuery),
            ("%73ession", Reason::CredentialInQuery),
            ("method=%zz", Reason::MalformedQuery),
            ("a&a&a&a&a&a&a&a&a", Reason::MalformedQuery),
        ] {
            let refused = read(form).unwrap().with_query(query).err();
            assert_eq!(
                refused.map(|objection| objection.reason),
                Some(reason),
                "{query}"
            );
        }
    }

    #[test]
    fn arguments_in_a_query_string_are_secrets_however_they_are_spelled() {
        for query in ["rest_data=x", "a&rest%5Fdata=", "method=login&rest_data"] {
            assert!(has_secrets(Some(query)), "{query}");
        }
        for query in [None, Some("method=login"), Some("x=rest_data")] {
            assert!(!has_secrets(query), "{query:?}");
        }
    }

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(decode("a%2520b+c").as_deref(), Some("a%20b c"));
        assert_eq!(decode("%C3%A9").as_deref(), Some("é"));
    }
}
