//! What a value looks like, by checksums and forms. A value goes in, a word of a closed list comes out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::detect::{self, Kind};
use crate::dialect::Items;

/// Bytes of a value beyond which it is a text, whatever it is made of.
const SHORT_BYTES_MAX: usize = 256;
/// Values in one field of one record that are looked at.
const LEAVES_MAX: usize = 16;
/// Nesting of such values.
const DEPTH_MAX: usize = 8;

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// An IBAN, by its checksum.
    Iban,
    /// A payment card, by its checksum.
    Card,
    /// A French national number, by its key.
    Nir,
    /// A national number of another country, by its check digits.
    NationalId,
    /// A BIC, by its form.
    Bic,
    /// A mail address.
    Mail,
    /// A telephone number in one of the usual forms.
    Phone,
    /// A day.
    Day,
    /// A moment.
    Moment,
    /// An address in the web.
    Url,
    /// A yes or no.
    Flag,
    /// A number.
    Number,
    /// An id as programs make them.
    Id,
    /// A word, or a few.
    Words,
    /// A text of sentences.
    Prose,
}

impl Look {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Iban => "iban",
            Self::Card => "card",
            Self::Nir => "nir",
            Self::NationalId => "national number",
            Self::Bic => "bic",
            Self::Mail => "mail",
            Self::Phone => "phone",
            Self::Day => "day",
            Self::Moment => "moment",
            Self::Url => "url",
            Self::Flag => "yes or no",
            Self::Number => "number",
            Self::Id => "id",
            Self::Words => "words",
            Self::Prose => "text",
        }
    }

    /// The kind of identifier that it is.
    pub fn kind(self) -> Option<Kind> {
        Some(match self {
            Self::Iban => Kind::Iban,
            Self::Card => Kind::Card,
            Self::Nir => Kind::Nir,
            Self::NationalId => Kind::NationalId,
            Self::Bic => Kind::Bic,
            Self::Mail => Kind::Mail,
            Self::Phone => Kind::Phone,
            _ => return None,
        })
    }

    /// Whether a checksum tells it.
    pub fn has_checksum(self) -> bool {
        self == Self::NationalId || self.kind().is_some_and(Kind::has_checksum)
    }

    /// What a value looks like; `None` if it is blank.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null | Value::Array(_) | Value::Object(_) => None,
            Value::Bool(_) => Some(Self::Flag),
            Value::Number(number) => Some(match Self::of_number(&number.to_string()) {
                Some(proved) => proved,
                None => Self::Number,
            }),
            Value::String(text) => Self::of_text(text.trim()),
        }
    }

    fn of_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        if text.len() > SHORT_BYTES_MAX {
            return Some(Self::Prose);
        }
        let is_number = text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.".contains(&b))
            && text.bytes().any(|b| b.is_ascii_digit())
            && text.parse::<f64>().is_ok();
        // Of many ids, some pass a checksum by chance.
        let id = is_id(text).then_some(Self::Id);
        let known = id
            .or_else(|| Self::of_number(text))
            .or_else(|| Kind::Iban.is_valid(text).then_some(Self::Iban))
            .or_else(|| is_bic(text).then_some(Self::Bic))
            .or_else(|| Kind::Mail.is_valid(text).then_some(Self::Mail))
            .or_else(|| is_day(text).then_some(Self::Day))
            .or_else(|| is_moment(text).then_some(Self::Moment))
            .or_else(|| is_url(text).then_some(Self::Url))
            .or_else(|| is_phone(text).then_some(Self::Phone));
        Some(
            known.unwrap_or_else(|| match text.split_whitespace().count() {
                _ if is_number => Self::Number,
                0..WORDS_MAX => Self::Words,
                _ => Self::Prose,
            }),
        )
    }

    /// What figures prove by their checksum.
    fn of_number(text: &str) -> Option<Self> {
        let figures = text.bytes().filter(u8::is_ascii_digit).count();
        let is_long = (9..=20).contains(&figures);
        let is = |kind: Kind| is_long && kind.is_valid(text);
        if is(Kind::Nir) {
            Some(Self::Nir)
        } else if is(Kind::Card) {
            Some(Self::Card)
        } else if is(Kind::NationalId) {
            Some(Self::NationalId)
        } else {
            None
        }
    }
}

/// Words from which on it is a text.
const WORDS_MAX: usize = 6;

/// A BIC is written in capitals; many words have its form.
fn is_bic(text: &str) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_lowercase()) && Kind::Bic.is_valid(text)
}

fn is_phone(text: &str) -> bool {
    detect::stands_in_any_company(Kind::Phone, text)
}

fn is_day(text: &str) -> bool {
    let is_form = matches!(text.len(), 8..=10) && !text.bytes().any(|b| b.is_ascii_alphabetic());
    let separators = text.bytes().filter(|byte| b"-/.".contains(byte)).count();
    is_form && separators == 2 && Kind::BirthDate.is_valid(text)
        || text.len() == 10 && text.contains('-') && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_moment(text: &str) -> bool {
    let Some((day, time)) = text.split_once(['T', ' ']) else {
        return false;
    };
    let is_time = time.len() >= 5
        && time.as_bytes()[2] == b':'
        && time
            .bytes()
            .all(|b| b.is_ascii_digit() || b":.+-Z".contains(&b));
    is_time && is_day(day)
}

fn is_url(text: &str) -> bool {
    let is_web = |beginning: &str| {
        text.get(..beginning.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    };
    !text.contains(char::is_whitespace) && ["http://", "https://", "www."].into_iter().any(is_web)
}

/// A UUID, or another long run of hexadecimal figures with letters among them.
fn is_id(text: &str) -> bool {
    let plain: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    plain.len() == 32 && plain.iter().all(u8::is_ascii_hexdigit)
}

/// The values in a field: itself, or those in its lists and objects that count.
pub(in crate::workbench) fn leaves<'a>(value: &'a Value, items: Option<&Items>) -> Vec<&'a Value> {
    let mut found = Vec::new();
    gather(value, items, DEPTH_MAX, &mut found);
    found
}

fn gather<'a>(value: &'a Value, items: Option<&Items>, depth: usize, found: &mut Vec<&'a Value>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    match value {
        Value::Array(values) => {
            for value in values {
                gather(value, items, depth, found);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let counts = items.is_none_or(|items| {
                    let names = [name.as_str(), Items::EACH];
                    names.iter().any(|name| items.treated.contains(name))
                });
                if counts {
                    gather(value, items, depth, found);
                }
            }
        }
        Value::Null => {}
        value if found.len() < LEAVES_MAX => found.push(value),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_told_by_checksum_and_form() {
        for (value, look) in [
            (json!("FR76 3000 6000 0112 3456 7890 189"), Some(Look::Iban)),
            (json!("FR7612345678901234567890188"), Some(Look::Words)),
            (json!("4111 1111 1111 1111"), Some(Look::Card)),
            (json!("284057510312335"), Some(Look::Nir)),
            (json!("DEUTDEFF"), Some(Look::Bic)),
            (json!("Customer"), Some(Look::Words)),
            (json!("ada@example.com"), Some(Look::Mail)),
            (json!("06 39 98 14 02"), Some(Look::Phone)),
            (json!("1984-03-28"), Some(Look::Day)),
            (json!("2026-11-02T10:11:12+01:00"), Some(Look::Moment)),
            (json!("2026-11-02 10:11:12"), Some(Look::Moment)),
            (json!("https://example.com/a"), Some(Look::Url)),
            (
                json!("6f0c1ad2-0000-4000-8000-00000000abcd"),
                Some(Look::Id),
            ),
            (json!("12"), Some(Look::Number)),
            (json!(44), Some(Look::Number)),
            (json!(true), Some(Look::Flag)),
            (json!("In Process"), Some(Look::Words)),
            (
                json!("She called and asked for another appointment."),
                Some(Look::Prose),
            ),
            (json!(""), None),
            (json!(null), None),
        ] {
            assert_eq!(Look::of(&value), look, "{value}");
        }
    }

    #[test]
    fn of_items_only_the_members_that_count_are_looked_at() {
        let items = Items {
            treated: &["address"],
            passed: &["primary"],
        };
        let value = json!([{"address": "a@example.com", "primary": "1"}, {"address": null}]);
        assert_eq!(leaves(&value, Some(&items)), [&json!("a@example.com")]);
        assert_eq!(leaves(&value, None).len(), 2);
        let deep = (0..100).fold(json!("x"), |inner, _| json!([inner]));
        assert!(leaves(&deep, None).is_empty());
        let many = json!(vec!["x"; 1_000]);
        assert_eq!(leaves(&many, None).len(), LEAVES_MAX);
    }
}
