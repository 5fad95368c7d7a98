//! Strict reading of bounded JSON documents: one reading or none.
//!
//! `serde_json` takes the last of two equal keys and rounds nothing (numbers keep their spelling); this module refuses
//! repeated keys, compared after unescaping and case folding, and nesting beyond a bound.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

mod key;
pub mod plain;

pub use key::Key;

/// A document that cannot be read in one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

/// Reads one JSON text. Repeated keys (ASCII case folded), depth beyond `depth_max`, and anything after the text are
/// refused.
pub fn read(bytes: &[u8], depth_max: usize) -> Result<Value, Ambiguous> {
    if memchr::memmem::find(bytes, RESERVED.as_bytes()).is_some() {
        return Err(Ambiguous);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Probe {
        depth_left: depth_max,
    }
    .deserialize(&mut deserializer)
    .map_err(|_| Ambiguous)?;
    deserializer.end().map_err(|_| Ambiguous)?;
    serde_json::from_slice(bytes).map_err(|_| Ambiguous)
}

/// Reads a document without keeping it, and fails where it has two readings.
#[derive(Clone, Copy)]
struct Probe {
    depth_left: usize,
}

impl<'de> DeserializeSeed<'de> for Probe {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Probe {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth_left = self
            .depth_left
            .checked_sub(1)
            .ok_or_else(|| E::custom("too deep"))?;
        Ok(Self { depth_left })
    }
}

impl<'de> Visitor<'de> for Probe {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut seen = std::collections::HashSet::new();
        while let Some(key) = map.next_key_seed(Name)? {
            if !seen.insert(key) {
                return Err(A::Error::custom("repeated key"));
            }
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
}

/// What the keys begin with that `serde_json` takes for a number or a document in a text. Numbers come with such a key
/// themselves, so it is looked for in the bytes, and, where it is written with escapes, in the key.
const RESERVED: &str = "$serde_json::private::";

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<String, E> {
        Ok(key.to_ascii_lowercase())
    }

    /// A key that was written with escapes: no number has one.
    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<String, E> {
        if key.starts_with(RESERVED) {
            return Err(E::custom("reserved key"));
        }
        Ok(key.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
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
}
