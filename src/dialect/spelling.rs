//! How the APIs spell names and addresses: what all dialects share of it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Bytes of one name or id.
const NAME_BYTES_MAX: usize = 64;
/// Everything but RFC 3986's unreserved characters is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Whether a text is a name: its first byte is one that starts it, and each byte is one that goes on.
pub(super) fn is_name(text: &str, starts: fn(u8) -> bool, goes_on: fn(u8) -> bool) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.bytes().next().is_some_and(starts)
        && text.bytes().all(goes_on)
}

/// An ASCII letter, a digit, or `_`.
pub(super) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Percent-encodes a text.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Decodes percent escapes, once. `None`: a bad escape, not UTF-8, a control character, or a raw byte that no URL holds.
pub(super) fn decode(text: &str, plus_is_blank: bool) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' if plus_is_blank => b' ',
            b'#' => return None,
            byte if byte.is_ascii_graphic() => byte,
            _ => return None,
        });
    }
    String::from_utf8(decoded)
        .ok()
        .filter(|text| !text.chars().any(char::is_control))
}

/// The number that a hexadecimal digit stands for.
pub(super) fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// The media type of a text in UTF-8, without its parameter. `None`: another charset, or another parameter.
pub(super) fn media_in_utf_8(content_type: &str) -> Option<&str> {
    match content_type.split_once(';') {
        None => Some(content_type.trim()),
        // A semicolon with nothing behind it says nothing (RFC 9110, section 5.6.6).
        Some((media, blank)) if blank.trim().is_empty() => Some(media.trim()),
        Some((media, parameter)) => is_utf_8(parameter).then_some(media.trim()),
    }
}

/// Whether a parameter of a media type says that a text is UTF-8.
pub(super) fn is_utf_8(parameter: &str) -> bool {
    let parameter = parameter.trim().to_ascii_lowercase();
    let Some(charset) = parameter.strip_prefix("charset=") else {
        return false;
    };
    let quoted = charset
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    matches!(quoted.unwrap_or(charset), "utf-8" | "utf8")
}

#[cfg(test)]
mod tests {
    use super::{decode, is_utf_8};

    #[test]
    fn utf_8_is_said_in_a_few_ways() {
        for parameter in [
            "charset=utf-8",
            " Charset=UTF-8",
            "charset=\"Utf-8\"",
            "charset=utf8",
        ] {
            assert!(is_utf_8(parameter), "{parameter}");
        }
        for parameter in [
            "",
            "utf-8",
            "charset=",
            "charset=\"utf-8",
            "charset=utf-16",
            "x=utf-8",
        ] {
            assert!(!is_utf_8(parameter), "{parameter}");
        }
    }

    #[test]
    fn escapes_are_decoded_once_and_a_plus_is_a_blank_only_in_queries() {
        assert_eq!(decode("%C3%A9", true), Some("é".to_owned()));
        assert_eq!(decode("a+b", true), Some("a b".to_owned()));
        assert_eq!(decode("a+b", false), Some("a+b".to_owned()));
        assert_eq!(decode("%2541", false), Some("%41".to_owned()));
        for text in ["%zz", "%4", "%C0%AE", "%00", "a b", "a#b", "é"] {
            assert_eq!(decode(text, true), None, "{text}");
        }
    }
}
