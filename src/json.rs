//! Strict reading of bounded JSON documents: one reading or none.
//!
//! `serde_json` takes the last of two equal keys and rounds nothing (numbers keep their spelling); this module refuses
//! repeated keys, compared after unescaping and case folding, and nesting beyond a bound.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

mod key;
pub mod plain;

pub use key::Key;

/// A document that cannot be read in one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

/// Reads one JSON text. Repeated keys (ASCII case folded), depth beyond `depth_max`, and anything after the text are
/// refused.
pub fn read(bytes: &[u8], depth_max: usize) -> Result<Value, Ambiguous> {
    static RESERVED_KEY: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(RESERVED));
    if RESERVED_KEY.find(bytes).is_some() {
        return Err(Ambiguous);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let strictly = Strictly {
        depth_left: depth_max,
    };
    let value = strictly.deserialize(&mut deserializer);
    let value = value.map_err(|_| Ambiguous)?;
    deserializer.end().map_err(|_| Ambiguous)?;
    Ok(value)
}

/// Reads a document, and fails where it has two readings.
#[derive(Clone, Copy)]
struct Strictly {
    depth_left: usize,
}

impl<'de> DeserializeSeed<'de> for Strictly {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strictly {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth_left = self
            .depth_left
            .checked_sub(1)
            .ok_or_else(|| E::custom("too deep"))?;
        Ok(Self { depth_left })
    }
}

impl<'de> Visitor<'de> for Strictly {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let repeated = || A::Error::custom("repeated key");
        let inner = self.deeper()?;
        let mut members = Map::new();
        let mut is_folded = true;
        while let Some(key) = map.next_key_seed(Name)? {
            let Some(key) = key else {
                let number = map.next_value::<String>()?.parse();
                return number.map(Value::Number).map_err(A::Error::custom);
            };
            is_folded &= !key.bytes().any(|byte| byte.is_ascii_uppercase());
            let value = map.next_value_seed(inner)?;
            if members.insert(key, value).is_some() {
                return Err(repeated());
            }
        }
        // Of keys that are folded, none is another one folded.
        if !is_folded {
            let folded: HashSet<_> = members.keys().map(|key| key.to_ascii_lowercase()).collect();
            if folded.len() < members.len() {
                return Err(repeated());
            }
        }
        Ok(Value::Object(members))
    }
}

/// What the keys begin with that `serde_json` takes for a number or a document in a text. Numbers come with such a key
/// themselves, so it is looked for in the bytes, and, where it is written with escapes, in the key.
const RESERVED: &str = "$serde_json::private::";

/// A key; none: what follows is the text of a number.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Option<String>, E> {
        Ok((!key.starts_with(RESERVED)).then(|| key.to_owned()))
    }

    /// A key that was written with escapes: no number has one.
    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Option<String>, E> {
        match key.starts_with(RESERVED) {
            true => Err(E::custom("reserved key")),
            false => Ok(Some(key.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::{Ambiguous, read};

    #[test]
    fn repeated_keys_are_refused_after_unescaping_and_folding() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"iban":1,"\u0069ban":2}"#,
            r#"[{"IBAN":1,"iban":2}]"#,
        ] {
            assert_eq!(read(text.as_bytes(), 8), Err(Ambiguous), "{text}");
        }
        assert!(read(br#"{"a":{"a":1},"b":[{"a":2},{"a":3}]}"#, 8).is_ok());
    }

    #[test]
    fn a_document_within_a_text_stays_a_text() {
        let inner = r#"{\"a\":1,\"A\":2}"#;
        let text = format!(r#"{{"\u0024serde_json::private::RawValue":"{inner}"}}"#);
        assert_eq!(read(text.as_bytes(), 8), Err(Ambiguous), "{text}");
        let text = format!(r#"[{{"b":1,"$serde_json::private::RawValue":"{inner}"}}]"#);
        assert_eq!(read(text.as_bytes(), 8), Err(Ambiguous), "{text}");
    }

    #[test]
    fn an_object_never_becomes_a_number() {
        for text in [
            r#"{"$serde_json::private::Number":"5"}"#,
            r#"{"a":[{"\u0024serde_json::private::Number":"5"}]}"#,
            r#"{"$serde_json\u003a:private::Number":"5"}"#,
        ] {
            assert_eq!(read(text.as_bytes(), 8), Err(Ambiguous), "{text}");
        }
        assert!(read(br#"{"a":5,"\u0062":[-0.5e7]}"#, 8).is_ok());
    }

    #[test]
    fn numbers_keep_their_spelling() {
        let text = r#"{"n":12345678901234567890123,"m":0.1000000000000000055,"e":1e400}"#;
        let value = read(text.as_bytes(), 8).unwrap();
        assert_eq!(value["n"].to_string(), "12345678901234567890123");
        assert_eq!(value["m"].to_string(), "0.1000000000000000055");
        assert_eq!(value["e"].to_string(), "1e+400");
    }

    #[test]
    fn depth_and_trailing_text_are_bounded() {
        assert!(read(b"[[[1]]]", 3).is_ok());
        assert_eq!(read(b"[[[1]]]", 2), Err(Ambiguous));
        assert_eq!(read(b"{} x", 3), Err(Ambiguous));
        assert_eq!(read(b"\xef\xbb\xbf{}", 3), Err(Ambiguous));
        assert_eq!(read(b"\"\xff\"", 3), Err(Ambiguous));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][-+]?[0-9]{1,4})?"
                .prop_map(|text| serde_json::from_str(&text).unwrap()),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            let keys = "[aAbB\"\\\\é]{0,2}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((keys, inner), 0..4)
                    .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
    }

    fn has_twins(value: &Value) -> bool {
        match value {
            Value::Array(elements) => elements.iter().any(has_twins),
            Value::Object(members) => {
                let folded = members.keys().map(|key| key.to_ascii_lowercase());
                let folded: std::collections::BTreeSet<_> = folded.collect();
                folded.len() < members.len() || members.values().any(has_twins)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_serde_json_reads(value in values()) {
            let text = value.to_string();
            match has_twins(&value) {
                true => prop_assert_eq!(read(text.as_bytes(), 64), Err(Ambiguous), "{}", text),
                false => {
                    let read = read(text.as_bytes(), 64).unwrap();
                    prop_assert_eq!(&read, &serde_json::from_str::<Value>(&text).unwrap());
                    prop_assert_eq!(read.to_string(), text);
                }
            }
        }
    }
}
