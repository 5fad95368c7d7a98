//! Whether withheld spans lie where nothing cuts their text off.
//!
//! A CRM cuts what is longer than its column: some silently, in characters or in bytes, before or after they spell what is
//! special as entities; and some show only so much of a text in a list. A span that is cut is an identifier no longer, and
//! shown as far as it goes.

use std::collections::HashMap;

/// Bytes of the longest that a CRM writes for a character: `&thetasym;`, `&amp;#039;`.
const SPELLED_BYTES_MAX: usize = 10;

/// Where a withheld span ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    /// In the new text.
    pub(super) put: usize,
    /// In the held one.
    pub(super) held: usize,
    /// Bytes that the longest of its kind takes more. They are taken for needed, so that no answer tells how long this one is.
    pub(super) spare: usize,
}

/// Whether every span of a text fits where `held` was stored. Where a length is known, it ends within that, or nothing before
/// it has changed; where none is, within what the text took up before.
pub(super) fn is_enough(text: &str, held: &str, spans: &[Ends], length: Option<usize>) -> bool {
    let mut spare = 0;
    spans.iter().all(|span| {
        spare += span.spare;
        let up_to_span = &text[..span.put];
        if up_to_span == &held[..span.held] {
            return true;
        }
        match length {
            Some(length) => cost(up_to_span) + spare <= length,
            None => is_no_longer(up_to_span, held),
        }
    })
}

/// The most bytes that a text takes, however it is spelled.
pub(super) fn cost(text: &str) -> usize {
    text.chars().map(bytes_max).sum()
}

/// The most bytes that a character takes, however it is spelled.
fn bytes_max(character: char) -> usize {
    match character {
        ' ' | '.' | ',' | ';' | ':' | '!' | '?' | '-' | '_' => 1,
        word if word.is_ascii_alphanumeric() => 1,
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
    use super::{Ends, is_enough};

    /// Whether a span at the end of `text` fits, which was at the end of `held`.
    fn fits(text: &str, held: &str, length: Option<usize>) -> bool {
        let span = Ends {
            put: text.len(),
            held: held.len(),
            spare: 0,
        };
        is_enough(text, held, &[span], length)
    }

    #[test]
    fn a_span_must_end_within_the_column_however_it_counts() {
        assert!(fits(&"x".repeat(50), "held", Some(50)));
        assert!(!fits(&"x".repeat(51), "held", Some(50)));
        assert!(!fits(&"é".repeat(26), "held", Some(50)), "bytes");
        assert!(!fits(&"'".repeat(6), "held", Some(50)), "entities");
        assert!(fits(&"'".repeat(5), "held", Some(50)));
    }

    #[test]
    fn where_a_length_is_known_what_was_there_proves_nothing() {
        let held = "y".repeat(60);
        assert!(
            fits(&held, &held, Some(50)),
            "nothing before it has changed"
        );
        assert!(!fits(&"x".repeat(59), &held, Some(50)));
    }

    #[test]
    fn where_no_length_is_known_it_fits_where_the_text_was() {
        assert!(fits("12345", "54321", None) && !fits("123456", "54321", None));
        assert!(!fits("é234", "12345", None), "entities");
        assert!(fits("é'234", "'5678é", None), "the same ones");
        // How much an accent takes there is not known.
        assert!(!fits(&"'".repeat(5), &"—".repeat(10), None));
        assert!(fits(&"x".repeat(10), &"—".repeat(10), None));
    }
}
