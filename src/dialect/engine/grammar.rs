//! The small words of requests.

/// Bytes of a field's name.
const FIELD_BYTES_MAX: usize = 100;
/// Bytes of a cursor.
const CURSOR_BYTES_MAX: usize = 1_000;

/// Whether a text can be the name of a field.
pub(super) fn is_field(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= FIELD_BYTES_MAX
        && bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Whether a text can be the base of a parameter's name.
pub(super) fn is_parameter(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Whether a text is a plain word of a path.
pub(super) fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Whether a text is a word of a path in which dots may stand: `res.partner`.
pub(super) fn is_segment(text: &str) -> bool {
    text.len() <= 64 && text.split('.').all(is_word)
}

/// Whether a text can stand in a path as a value that a record is looked up by: nothing that a server could take for a
/// separator, and no second reading after another decoding.
pub(super) fn is_value(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && text != "."
        && text != ".."
        && !text.contains(['/', '\\', '%', ';', '?', '#'])
        && !text.chars().any(char::is_control)
}

/// Whether a text can say where to go on: a word such as an API makes of a number, or of bytes in some base.
pub(super) fn is_cursor(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+/=.:~%".contains(&byte);
    (1..=CURSOR_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain)
}
