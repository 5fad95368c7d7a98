//! Whether withheld statements are still said of whom they were said.
//!
//! What is withheld of a person is often a line behind the person's name: `Mme Durand :`. Whoever rewrote the label would
//! have the CRM say it of somebody else, unseen.

use super::apart::Seen;
use super::company::Marked;
use crate::detect::Kind;
use crate::markup;

/// Letters of a word before a full stop that may be an abbreviation: `M.`, `Mme.`, `Dr.`.
const ABBREVIATION_MAX: usize = 3;

/// Whether each statement stands behind the label that it stood behind, if any, and begins a line if it did so.
pub(super) fn are_kept(sent: Marked<'_>, shown: Marked<'_>, seen: &[Seen]) -> bool {
    let statements = (0..seen.len()).filter(|place| is_statement(seen.get(*place)));
    let mut kept = statements.map(|place| Lead::of(sent, place) == Lead::of(shown, place));
    kept.all(|is_kept| is_kept)
}

fn is_statement(seen: Option<&Seen>) -> bool {
    seen.is_some_and(|seen| matches!(seen.kind, Kind::Statement(_)))
}

/// What stands directly before a span.
#[derive(Debug, PartialEq, Eq)]
struct Lead {
    /// The clause, if it ends in a colon, a bar or, on the same line, a dash.
    label: Option<String>,
    /// Whether the span is parted from it by the end of a line.
    begins_line: bool,
}

impl Lead {
    fn of(marked: Marked<'_>, place: usize) -> Self {
        let spans = marked.spans;
        let from = place.checked_sub(1).and_then(|before| spans.get(before));
        let range =
            from.map_or(0, |before| before.end)..spans.get(place).map_or(0, |span| span.start);
        let text = markup::decode_wholly(marked.text.get(range).unwrap_or_default());
        let text = text_of(&text);
        // List marks belong to no clause.
        let said =
            text.trim_end_matches(|last: char| last.is_whitespace() || "-*•–—".contains(last));
        let gap = text.get(said.len()..).unwrap_or_default();
        // Where the text begins, a line does.
        let begins_line = (place == 0 && said.is_empty()) || gap.contains(is_line_end);
        let is_parted = !begins_line && gap.contains(['-', '–', '—']);
        Self {
            begins_line,
            label: (is_parted || said.ends_with([':', '：', '|']))
                .then(|| last_clause(said).to_owned()),
        }
    }
}

/// A text without its tags, of which those that part lines do so.
fn text_of(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        words.push_str(before);
        let Some((tag, behind)) = after.split_once('>') else {
            break;
        };
        let name = tag.trim_start_matches('/').to_ascii_lowercase();
        if ["br", "p", "div", "li", "tr"]
            .iter()
            .any(|line| name.starts_with(line))
        {
            words.push('\n');
        }
        rest = behind;
    }
    words.push_str(rest);
    words
}

/// The last clause of a text that ends in a colon: from the end of the line or sentence before it.
fn last_clause(text: &str) -> &str {
    let mut from = 0;
    for (at, character) in text.char_indices() {
        let behind = at + character.len_utf8();
        let ends = match character {
            '!' | '?' | ';' => true,
            '.' => ends_sentence(text, at),
            character => is_line_end(character),
        };
        if ends {
            from = behind;
        }
    }
    text.get(from..).unwrap_or_default().trim()
}

fn ends_sentence(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let mut last = before.rsplit(|character: char| !character.is_alphanumeric());
    let is_word = last
        .next()
        .is_some_and(|word| word.chars().count() > ABBREVIATION_MAX);
    let behind = text.get(at + 1..).and_then(|behind| behind.chars().next());
    is_word && behind.is_none_or(char::is_whitespace)
}

fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::statement::Topic;

    /// Statements are written `@`.
    fn kept(sent: &str, shown: &str) -> bool {
        let spans =
            |text: &str| -> Vec<_> { text.match_indices('@').map(|(at, _)| at..at + 1).collect() };
        let (of_sent, of_shown) = (spans(sent), spans(shown));
        let seen = Seen {
            kind: Kind::Statement(Topic::Health),
            country: None,
        };
        let seen = vec![seen; of_shown.len()];
        are_kept(
            Marked::new(sent, &of_sent),
            Marked::new(shown, &of_shown),
            &seen,
        )
    }

    #[test]
    fn a_label_stays_with_what_is_withheld_behind_it() {
        let shown = "Vue au salon de Lyon. Mme Durand :\n@\nRappeler mardi.";
        for sent in [
            "Vue au salon de Dijon. Mme Durand :\n@\nRappeler mardi.",
            "Rappelée.\nVue au salon de Lyon. Mme Durand :\n@\nRappeler jeudi.\nM. Martin : absent.",
        ] {
            assert!(kept(sent, shown), "{sent}");
        }
        for sent in [
            "Vue au salon de Lyon. M. Martin :\n@\nRappeler mardi.",
            "Vue au salon de Lyon. Mme Durand :\nM. Martin :\n@\nRappeler mardi.",
            "Vue au salon de Lyon. Mme Durand :\nM. Martin\n@\nRappeler mardi.",
            "Vue au salon de Lyon. Mme Durand : @\nRappeler mardi.",
            "Vue au salon de Lyon. Mme Durand\n@\nRappeler mardi.",
            "@",
        ] {
            assert!(!kept(sent, shown), "{sent}");
        }
    }

    #[test]
    fn no_label_comes_in_however_it_is_written() {
        let shown = "Vue au salon. @. Rappeler";
        assert!(kept("Vue au bureau, deux fois. @. Rappeler", shown));
        for sent in [
            "Vue au salon. M. Martin : @. Rappeler",
            "Vue au salon. M. Martin &#58; @. Rappeler",
            "Vue au salon. <b>M. Martin :</b> @. Rappeler",
            "Vue au salon. M. Martin : - @. Rappeler",
            "Vue au salon.\n@. Rappeler",
        ] {
            assert!(!kept(sent, shown), "{sent}");
        }
    }

    #[test]
    fn each_of_several_has_its_own_label() {
        let shown = "Mme Durand : @. M. Martin : @.";
        assert!(kept(shown, shown));
        assert!(!kept("Mme Durand : @. M. Petit : @.", shown));
    }
}
