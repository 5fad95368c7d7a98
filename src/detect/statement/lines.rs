//! The lines of the lexicon's files: `language`, `phrase`, `category` and `weight`, or `class`, and a note, parted by tabs.
//!
//! `build.rs` reads the files with this very code, so that a line with a mistake is an error of the build.

use super::names::{CLASSES, LANGUAGES, TOPICS};

/// The category of a phrase that says nothing of anybody, though a trigger stands in it.
pub(super) const HARMLESS: &str = "-";

/// The fewest letters on the fixed side of a `*`.
const FIXED_LETTERS_MIN: usize = 4;

/// One line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'l> {
    /// Its place in [`LANGUAGES`].
    pub(super) language: usize,
    /// The phrase, with `*` where any letters may stand.
    pub(super) phrase: &'l str,
    /// Its place in [`TOPICS`] or [`CLASSES`]; `None` for a harmless phrase.
    pub(super) of: Option<usize>,
    /// 1 to 3; 0 for what has none.
    pub(super) weight: u8,
}

/// The lines of a file of triggers, or of context. An error names the line, the cause and the fix.
pub(super) fn read(text: &str, is_context: bool) -> Result<Vec<Line<'_>>, String> {
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('#') {
            continue;
        }
        let read = if is_context {
            context(line)
        } else {
            trigger(line)
        };
        lines.push(read.map_err(|cause| format!("line {}: {cause}", number + 1))?);
    }
    Ok(lines)
}

fn trigger(line: &str) -> Result<Line<'_>, String> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [language, phrase, category, weight, _note] = columns[..] else {
        return Err(columns_wanted(
            "language, phrase, category, weight, note",
            columns.len(),
        ));
    };
    let of = match category {
        HARMLESS => None,
        category => Some(place(TOPICS, category).ok_or_else(|| {
            format!(
                "`{category}` is no category: write one of {}, or `-` for a harmless phrase",
                TOPICS.join(", ")
            )
        })?),
    };
    let weight = match (weight.parse(), of) {
        (Ok(weight @ 1..=3), Some(_)) => weight,
        (_, None) => 0,
        _ => return Err(format!("`{weight}` is no weight: write 1, 2 or 3")),
    };
    line_of(language, phrase, of, weight)
}

fn context(line: &str) -> Result<Line<'_>, String> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [language, phrase, class, _note] = columns[..] else {
        return Err(columns_wanted(
            "language, phrase, class, note",
            columns.len(),
        ));
    };
    let of = place(CLASSES, class)
        .ok_or_else(|| format!("`{class}` is no class: write one of {}", CLASSES.join(", ")))?;
    line_of(language, phrase, Some(of), 0)
}

fn columns_wanted(wanted: &str, found: usize) -> String {
    format!("{found} columns, parted by tabs; there must be these: {wanted}")
}

fn line_of<'l>(
    language: &str,
    phrase: &'l str,
    of: Option<usize>,
    weight: u8,
) -> Result<Line<'l>, String> {
    let language = place(LANGUAGES, language).ok_or_else(|| {
        format!(
            "`{language}` is no language: write one of {}",
            LANGUAGES.join(", ")
        )
    })?;
    is_phrase(phrase)?;
    Ok(Line {
        language,
        phrase,
        of,
        weight,
    })
}

fn is_phrase(phrase: &str) -> Result<(), String> {
    if phrase.trim() != phrase
        || !phrase.chars().any(char::is_alphanumeric)
        || phrase.to_lowercase() != phrase
    {
        return Err(format!(
            "`{phrase}` is no phrase: write words in lower case, without blanks around them"
        ));
    }
    for word in phrase.split_whitespace() {
        let fixed = word.trim_matches('*');
        let is_open = word.len() > fixed.len();
        let few = fixed
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .count()
            < FIXED_LETTERS_MIN;
        if fixed.contains('*') || (is_open && few) {
            return Err(format!(
                "`{word}`: `*` stands at the end or the beginning of a word, beside at least {FIXED_LETTERS_MIN} letters"
            ));
        }
        if word.starts_with('*') && (word.len() < phrase.len() || word.ends_with('*')) {
            return Err(format!(
                "`{phrase}`: `*` at the beginning is for a phrase of one word"
            ));
        }
    }
    Ok(())
}

fn place(names: &[&str], name: &str) -> Option<usize> {
    names.iter().position(|known| *known == name)
}
