//! How an API key is written: `pvk_`, 16 characters that name it, `_`, and 52 characters of secret.

use aws_lc_rs::rand;

use crate::identity::NoRandomness;

/// What every key begins with, so that searches for leaked secrets know one.
pub(super) const PREFIX: &str = "pvk_";
const ID_BYTES: usize = 10;
const SECRET_BYTES: usize = 32;
const ID_CHARACTERS: usize = 16;
const SECRET_CHARACTERS: usize = 52;
/// RFC 4648, section 6, in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A new key. Shown once; there is no other way to its secret.
pub(super) struct Fresh {
    pub(super) id: String,
    pub(super) text: String,
}

/// Makes a key.
pub(super) fn fresh() -> Result<Fresh, NoRandomness> {
    let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
    rand::fill(&mut id).map_err(|_| NoRandomness)?;
    rand::fill(&mut secret).map_err(|_| NoRandomness)?;
    let id = encode(&id);
    let text = [PREFIX, &id, "_", &encode(&secret)].concat();
    Ok(Fresh { id, text })
}

/// The id of what has the form of a key.
pub(super) fn id(stated: &str) -> Option<&str> {
    let (id, secret) = stated.strip_prefix(PREFIX)?.split_once('_')?;
    let is_key = is_id(id) && secret.len() == SECRET_CHARACTERS && is_base32(secret);
    is_key.then_some(id)
}

/// Whether a text has the form of an id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == ID_CHARACTERS && is_base32(text)
}

fn is_base32(text: &str) -> bool {
    text.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// Base 32 without padding. Nothing here ever reads it back: keys are compared as they are written.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in bytes {
        (bits, count) = (bits << 8 | u32::from(*byte), count + 8);
        while count >= 5 {
            count -= 5;
            text.push(letter(bits >> count));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        text.push(letter(bits << (5 - count)));
    }
    text
}

fn letter(bits: u32) -> char {
    char::from(ALPHABET[(bits & 31) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_32_is_that_of_the_standard() {
        // RFC 4648, section 10, in lower case and without padding.
        for (bytes, text) in [
            ("", ""),
            ("f", "my"),
            ("fo", "mzxq"),
            ("foo", "mzxw6"),
            ("foob", "mzxw6yq"),
            ("fooba", "mzxw6ytb"),
            ("foobar", "mzxw6ytboi"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_new_key_has_the_form_of_one_and_no_two_are_the_same() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert_eq!(one.text.len(), 73);
        assert_eq!(id(&one.text), Some(one.id.as_str()));
        assert_ne!(one.id, other.id);
        assert_ne!(one.text[21..], other.text[21..]);
    }

    #[test]
    fn what_is_written_otherwise_is_no_key() {
        let good = fresh().unwrap().text;
        for bad in [
            String::new(),
            good.to_uppercase(),
            good.replace("pvk_", "pvt_"),
            format!("{good}="),
            format!(" {good}"),
            format!("{good}a"),
            good[..72].to_owned(),
            good.replacen('_', "-", 1),
            format!("{}1", &good[..72]),
            format!("{}é", &good[..71]),
        ] {
            assert_eq!(id(&bad), None, "{bad}");
        }
    }
}
