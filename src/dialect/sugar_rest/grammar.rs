//! The words of the API: what a module, an id, a link, a field may look like. Everything else is refused.

use crate::dialect::spelling::{is_name, is_word_byte};

/// `Contacts`, `pmse_Inbox`. Case matters to the CRM.
pub(super) fn is_module(text: &str) -> bool {
    is_name(text, |byte| byte.is_ascii_alphabetic(), is_word_byte)
}

/// A UUID, `1`, `seed_max_id`. No dots: what follows one may be taken for a format.
pub(super) fn is_id(text: &str) -> bool {
    is_name(
        text,
        |byte| byte.is_ascii_alphanumeric(),
        |byte| is_word_byte(byte) || byte == b'-',
    )
}

/// `contacts`.
pub(super) fn is_link(text: &str) -> bool {
    is_name(text, |byte| byte.is_ascii_lowercase(), is_word_byte)
}

/// `last_name`, `IBAN_c`, `_module`.
pub(super) fn is_field(text: &str) -> bool {
    is_name(
        text,
        |byte| byte.is_ascii_alphabetic() || byte == b'_',
        is_word_byte,
    )
}

/// `fr_FR`, `datepref`.
pub(super) fn is_code(text: &str) -> bool {
    is_name(
        text,
        |byte| byte.is_ascii_alphanumeric(),
        |byte| is_word_byte(byte) || byte == b'-',
    )
}

/// What any decoded path segment is made of: nothing that needs percent encoding, so a canonical path is plain.
pub(super) fn is_segment(text: &str) -> bool {
    is_name(text, is_segment_byte, is_segment_byte)
}

fn is_segment_byte(byte: u8) -> bool {
    is_word_byte(byte) || byte == b'.' || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::{is_field, is_id, is_link, is_module};

    #[test]
    fn names_of_each_kind_are_told_apart() {
        assert!(is_module("Contacts") && is_module("pmse_Inbox"));
        assert!(!is_module("1Contacts") && !is_module("Contacts.json") && !is_module(""));
        assert!(
            is_id("239a0f1a-9717-5533-9b0b-02982d49e6a2") && is_id("1") && is_id("seed_max_id")
        );
        assert!(!is_id("c-1.json") && !is_id("c-1."));
        assert!(!is_id("..") && !is_id("-1") && !is_id("1,2") && !is_id(&"a".repeat(65)));
        assert!(is_link("member_of") && !is_link("Contacts") && !is_link("a-b"));
        assert!(is_field("IBAN_c") && is_field("_module") && !is_field("$or") && !is_field("é"));
    }
}
