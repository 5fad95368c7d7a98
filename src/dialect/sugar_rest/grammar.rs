//! The words of the API: what a module, an id, a link, a field may look like. Everything else is refused.

/// Bytes of one name or id.
const NAME_BYTES_MAX: usize = 64;

fn starts_and_goes_on(text: &str, starts: fn(u8) -> bool, goes_on: fn(u8) -> bool) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.bytes().next().is_some_and(starts)
        && text.bytes().all(goes_on)
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// `Contacts`, `pmse_Inbox`. Case matters to the CRM.
pub(super) fn is_module(text: &str) -> bool {
    starts_and_goes_on(text, |byte| byte.is_ascii_alphabetic(), word)
}

/// A UUID, `1`, `seed_max_id`. No dots: what follows one may be taken for a format.
pub(super) fn is_id(text: &str) -> bool {
    starts_and_goes_on(
        text,
        |byte| byte.is_ascii_alphanumeric(),
        |byte| word(byte) || byte == b'-',
    )
}

/// `contacts`.
pub(super) fn is_link(text: &str) -> bool {
    starts_and_goes_on(text, |byte| byte.is_ascii_lowercase(), word)
}

/// `last_name`, `IBAN_c`, `_module`.
pub(super) fn is_field(text: &str) -> bool {
    starts_and_goes_on(
        text,
        |byte| byte.is_ascii_alphabetic() || byte == b'_',
        word,
    )
}

/// `fr_FR`, `datepref`.
pub(super) fn is_code(text: &str) -> bool {
    starts_and_goes_on(
        text,
        |byte| byte.is_ascii_alphanumeric(),
        |byte| word(byte) || byte == b'-',
    )
}

/// What any decoded path segment is made of: nothing that needs percent encoding, so a canonical path is plain.
pub(super) fn is_segment(text: &str) -> bool {
    starts_and_goes_on(text, is_segment_byte, is_segment_byte)
}

fn is_segment_byte(byte: u8) -> bool {
    word(byte) || byte == b'.' || byte == b'-'
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
