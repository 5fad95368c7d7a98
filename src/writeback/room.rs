//! Whether a withheld span lies where no CRM cuts its text off.
//!
//! A CRM cuts what is longer than its column: some silently, in characters or in bytes, before or after they spell what is
//! special as entities. A span that is cut is an identifier no longer, and shown as far as it goes.

use std::collections::HashMap;

/// Bytes of the longest that a CRM writes for a character: `&thetasym;`.
const SPELLED_BYTES_MAX: usize = 10;

/// Whether a text's beginning, up to the end of its last withheld span, fits where `held` was stored: into the column's
/// length, where that is known, or into what is there already.
pub(super) fn is_enough(up_to_span: &str, held: &str, length: Option<usize>) -> bool {
    let bytes_max: usize = up_to_span.chars().map(bytes_max).sum();
    length.is_some_and(|length| bytes_max <= length) || is_no_longer(up_to_span, held)
}

/// The most bytes that a character takes, however it is spelled.
fn bytes_max(character: char) -> usize {
    match character {
        ' ' | '.' | ',' | ';' | ':' | '!' | '?' | '-' | '_' => 1,
        word if word.is_ascii_alphanumeric() => 1,
        '\n' | '\r' => "<br />\r\n".len(),
        ascii if ascii.is_ascii() => "&quot;".len(),
        '\u{a0}'..='\u{ff}' => "&Agrave;".len(),
        _ => SPELLED_BYTES_MAX,
    }
}

/// Whether a text is no longer than another one, however characters are counted and spelled: each of its characters stands
/// in the other text as well, or takes no more than the place of others that stand only there.
fn is_no_longer(text: &str, other: &str) -> bool {
    let mut special: HashMap<char, usize> = HashMap::new();
    let mut places = 0_usize;
    for character in other.chars() {
        match bytes_max(character) {
            1 => places += 1,
            _ => *special.entry(character).or_default() += 1,
        }
    }
    let mut needed = 0;
    for character in text.chars() {
        match special.get_mut(&character) {
            Some(left) if *left > 0 => *left -= 1,
            _ => needed += bytes_max(character),
        }
    }
    // What is left of the special characters takes a place each, at least.
    needed <= places + special.values().sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::is_enough;

    #[test]
    fn a_span_must_end_within_the_column_however_it_counts() {
        assert!(is_enough(&"x".repeat(50), "held", Some(50)));
        assert!(!is_enough(&"x".repeat(51), "held", Some(50)));
        assert!(!is_enough(&"é".repeat(26), "held", Some(50)), "bytes");
        assert!(!is_enough(&"'".repeat(9), "held", Some(50)), "entities");
        assert!(is_enough(&"'".repeat(8), "held", Some(50)));
    }

    #[test]
    fn where_no_length_is_known_it_fits_where_the_text_was() {
        assert!(is_enough("12345", "54321", None) && !is_enough("123456", "54321", None));
        assert!(!is_enough("é234", "12345", None), "entities");
        assert!(is_enough("é'234", "'5678é", None), "the same ones");
        // What is longer than the stock column is evidence of a longer one.
        assert!(is_enough(&"x".repeat(60), &"y".repeat(60), Some(50)));
        // How much an accent takes there is not known.
        assert!(!is_enough(&"'".repeat(5), &"—".repeat(10), None));
        assert!(is_enough(&"x".repeat(10), &"—".repeat(10), None));
    }
}
