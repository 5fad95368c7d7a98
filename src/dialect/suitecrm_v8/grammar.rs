//! The words of the API: what a module, an id, a link, a field may look like. Everything else is refused.

use crate::dialect::spelling::{is_name, is_word_byte};

/// `Contacts`, `AOS_Quotes`, `aCase`. Case matters to the CRM.
pub(super) fn is_module(text: &str) -> bool {
    is_name(text, |byte| byte.is_ascii_alphabetic(), is_word_byte)
}

/// A UUID, `1`, `seed_sally_id`.
pub(super) fn is_id(text: &str) -> bool {
    is_name(
        text,
        |byte| byte.is_ascii_alphanumeric(),
        |byte| is_word_byte(byte) || byte == b'-',
    )
}

/// `contacts`, `SecurityGroups`.
pub(super) fn is_link(text: &str) -> bool {
    is_name(text, |byte| byte.is_ascii_alphabetic(), is_word_byte)
}

/// `last_name`, `iban_c`.
pub(super) fn is_field(text: &str) -> bool {
    is_name(text, |byte| byte.is_ascii_alphabetic(), is_word_byte)
}

/// What any decoded path segment is made of: nothing that needs percent encoding, so a canonical path is plain.
pub(super) fn is_segment(text: &str) -> bool {
    let plain = |byte: u8| is_word_byte(byte) || byte == b'-' || byte == b'.';
    is_name(text, plain, plain)
}

#[cfg(test)]
mod tests {
    use super::{is_field, is_id, is_link, is_module};

    #[test]
    fn names_of_each_kind_are_told_apart() {
        assert!(is_module("Contacts") && is_module("AOS_Quotes") && is_module("aCase"));
        assert!(!is_module("1Contacts") && !is_module("Contacts.json") && !is_module(""));
        assert!(is_id("239a0f1a-9717-5533-9b0b-02982d49e6a2") && is_id("1"));
        assert!(is_id("seed_sally_id") && !is_id("bad!id") && !is_id("..") && !is_id("-1"));
        assert!(!is_id(&"a".repeat(65)));
        assert!(is_link("SecurityGroups") && !is_link("a-b") && !is_link("1a"));
        assert!(is_field("iban_c") && !is_field("_method") && !is_field("a.b") && !is_field("é"));
    }
}
