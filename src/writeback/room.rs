//! Whether a withheld span lies where no CRM cuts its text off.
//!
//! A CRM cuts what is longer than its column: some silently, in characters or in bytes, before or after they spell what is
//! special as entities. A span that is cut is an identifier no longer, and shown as far as it goes.

/// Whether a text's beginning, up to the end of its last withheld span, fits where `held` was stored: into the column's
/// length, where that is known, or into what is there already.
pub(super) fn is_enough(up_to_span: &str, held: &str, length: Option<usize>) -> bool {
    let (needed, there) = (Measures::of(up_to_span), Measures::of(held));
    let length = length.unwrap_or(0);
    needed.characters <= there.characters.max(length)
        && needed.bytes <= there.bytes.max(length)
        && needed.spelled <= there.spelled.max(length)
}

/// How long a text is, in each way in which a CRM may count.
struct Measures {
    characters: usize,
    bytes: usize,
    /// Bytes with entities for everything that could have one.
    spelled: usize,
}

impl Measures {
    fn of(text: &str) -> Self {
        Self {
            characters: text.chars().count(),
            bytes: text.len(),
            spelled: text.chars().map(spelled).sum(),
        }
    }
}

/// Bytes of a character as the longest entity that a CRM writes for it.
fn spelled(character: char) -> usize {
    match character {
        '&' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        '"' | '\'' => "&quot;".len(),
        ascii if ascii.is_ascii() => 1,
        '\u{a0}'..='\u{ff}' => "&Agrave;".len(),
        _ => "&thetasym;".len(),
    }
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
        // What is longer than the stock column is evidence of a longer one.
        assert!(is_enough(&"x".repeat(60), &"y".repeat(60), Some(50)));
    }
}
