//! Stable pseudonyms.

use std::fmt;

use aws_lc_rs::hmac;

use crate::detect::{self, Kind};

/// Bytes of a token that are taken from the HMAC.
const TOKEN_BYTES: usize = 16;

/// Makes stable pseudonyms within one category: `t_` and 128 bits of HMAC-SHA-256 in lower-case hexadecimal.
pub struct Tokenizer {
    key: hmac::Key,
    category: Box<str>,
}

impl Tokenizer {
    /// A tokenizer for one category.
    pub fn new(key: &[u8], category: &str) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            category: category.into(),
        }
    }

    /// The token of a value. Values are normalised first: white space removed and upper case; of what is shaped like
    /// an IBAN, card or NIR, all grouping removed, so that a number has one token however it is written.
    pub fn token(&self, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(self.category.as_bytes());
        context.update(&[0]);
        context.update(normalise(value).as_bytes());
        let tag = context.sign();
        let mut token = String::with_capacity(2 + 2 * TOKEN_BYTES);
        token.push_str("t_");
        for byte in tag.as_ref().iter().take(TOKEN_BYTES) {
            for digit in [byte >> 4, byte & 15] {
                token.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        token
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer")
            .field("category", &self.category)
            .finish_non_exhaustive()
    }
}

fn normalise(value: &str) -> String {
    let identifier = detect::compact(value).filter(|symbols| {
        Kind::IDENTIFIERS
            .into_iter()
            .any(|kind| kind.has_checksum() && kind.is_shaped(symbols))
    });
    if let Some(identifier) = identifier {
        return identifier.into_owned();
    }
    value
        .chars()
        .filter(|character| !character.is_whitespace())
        .flat_map(char::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Tokenizer;

    #[test]
    fn a_token_is_the_hmac_of_category_and_value() {
        // printf 'identity.name\0DUPONT' | openssl dgst -sha256 -hmac key
        let token = Tokenizer::new(b"key", "identity.name").token("du pont");
        assert_eq!(token, "t_51369f5d93151843a8a471126225564b");
    }

    #[test]
    fn one_value_has_one_token_in_a_category_and_another_elsewhere() {
        let iban = Tokenizer::new(b"key", "financial.iban");
        let token = iban.token("FR7612345678901234567890189");
        assert_eq!(token, iban.token("fr76 1234-5678.9012&nbsp;3456 7890 189"));
        assert_ne!(token, iban.token("FR1420041010050500013M02606"));
        let other = Tokenizer::new(b"key", "financial");
        assert_ne!(token, other.token("FR7612345678901234567890189"));
    }

    #[test]
    fn different_values_keep_different_tokens() {
        let mail = Tokenizer::new(b"key", "contact.email");
        assert_ne!(mail.token("a.b@example.org"), mail.token("ab@example.org"));
    }

    #[test]
    fn the_key_is_not_shown_in_debug_output() {
        let shown = format!("{:?}", Tokenizer::new(b"secret", "a.b"));
        assert_eq!(shown, "Tokenizer { category: \"a.b\", .. }");
    }
}
