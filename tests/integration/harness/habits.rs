//! What CRMs do to a text that they store: they cut, clean, drop, trim, fold and spell it anew, each in its own way. Here
//! each habit is one function, so that a test can try any of them and any sequence.

#![allow(unreachable_pub)]

use unicode_normalization::UnicodeNormalization;

/// One thing that a CRM does to a text.
#[derive(Clone, Copy, Debug)]
pub enum Habit {
    /// Cuts after so many characters.
    CutCharacters(usize),
    /// Cuts after so many bytes, and drops what is left of a character.
    CutBytes(usize),
    /// Spells the text with entities, cuts after so many bytes, and reads the rest again.
    CutSpelled(usize),
    /// Percent-encodes blanks in the attributes of tags.
    EscapeAttributes,
    /// Drops tags.
    DropTags,
    /// Drops script elements with what stands in them, and words that could begin a script.
    DropScripts,
    /// Drops control and format characters, noncharacters, private ones.
    DropInvisible,
    /// Drops characters of four bytes.
    DropFourBytes,
    /// Cuts at the first character of four bytes.
    CutAtFourBytes,
    /// Drops combining marks.
    DropMarks,
    /// Drops backslashes.
    DropBackslashes,
    /// Drops quotes and angle brackets.
    DropQuotes,
    /// Takes blanks off both ends.
    Trim,
    /// Makes one blank of many.
    FoldBlanks,
    /// Makes blanks of line ends.
    JoinLines,
    /// Drops line ends.
    DropLines,
    /// Composes letters (NFC).
    Compose,
    /// Replaces compatible characters (NFKC).
    Simplify,
    /// Spells what is special in HTML as entities.
    SpellSpecial,
    /// Spells accents as entities, too.
    SpellAccents,
    /// Reads entities, once.
    ReadEntities,
    /// Reads percent escapes, once.
    ReadPercent,
    /// Makes capitals of all letters.
    Capitals,
}

/// Every habit; cuts at `length`.
pub fn all(length: usize) -> Vec<Habit> {
    use Habit::*;
    vec![
        CutCharacters(length),
        CutBytes(length),
        CutSpelled(length),
        EscapeAttributes,
        DropTags,
        DropScripts,
        DropInvisible,
        DropFourBytes,
        CutAtFourBytes,
        DropMarks,
        DropBackslashes,
        DropQuotes,
        Trim,
        FoldBlanks,
        JoinLines,
        DropLines,
        Compose,
        Simplify,
        SpellSpecial,
        SpellAccents,
        ReadEntities,
        ReadPercent,
        Capitals,
    ]
}

impl Habit {
    /// What becomes of a text.
    pub fn applied(self, text: &str) -> String {
        let without = |drops: fn(char) -> bool| text.chars().filter(|c| !drops(*c)).collect();
        match self {
            Self::CutCharacters(length) => text.chars().take(length).collect(),
            Self::CutBytes(length) => cut(text, length).to_owned(),
            Self::CutSpelled(length) => read_entities(cut(&spelled(text, true), length)),
            Self::EscapeAttributes => escape_attributes(text),
            Self::DropTags => drop_tags(text),
            Self::DropScripts => drop_scripts(text),
            Self::DropInvisible => without(is_invisible),
            Self::DropFourBytes => without(|c| c.len_utf8() == 4),
            Self::CutAtFourBytes => text.chars().take_while(|c| c.len_utf8() < 4).collect(),
            Self::DropMarks => without(unicode_normalization::char::is_combining_mark),
            Self::DropBackslashes => without(|c| c == '\\'),
            Self::DropQuotes => without(|c| "\"'`<>".contains(c)),
            Self::Trim => text.trim().to_owned(),
            Self::FoldBlanks => fold_blanks(text),
            Self::JoinLines => text.replace("\r\n", " ").replace(['\r', '\n'], " "),
            Self::DropLines => without(|c| c == '\r' || c == '\n'),
            Self::Compose => text.nfc().collect(),
            Self::Simplify => text.nfkc().collect(),
            Self::SpellSpecial => spelled(text, false),
            Self::SpellAccents => spelled(text, true),
            Self::ReadEntities => read_entities(text),
            Self::ReadPercent => percent_encoding::percent_decode_str(text)
                .decode_utf8_lossy()
                .into_owned(),
            Self::Capitals => text.to_uppercase(),
        }
    }
}

fn cut(text: &str, length: usize) -> &str {
    let end = (0..=length.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

fn read_entities(text: &str) -> String {
    htmlize::unescape(text).into_owned()
}

fn spelled(text: &str, accents: bool) -> String {
    let spell = |character: char| match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#039;".to_owned(),
        'é' if accents => "&eacute;".to_owned(),
        'à' if accents => "&agrave;".to_owned(),
        '\u{a0}' if accents => "&nbsp;".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(spell).collect()
}

/// The text in pieces: whole tags, and what stands between them.
fn pieces(text: &str) -> Vec<(bool, &str)> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start..].find('>') else {
            break;
        };
        pieces.push((false, &rest[..start]));
        pieces.push((true, &rest[start..=start + length]));
        rest = &rest[start + length + 1..];
    }
    pieces.push((false, rest));
    pieces
}

fn escape_attributes(text: &str) -> String {
    let piece = |(is_tag, piece): (bool, &str)| match piece.split_once('=') {
        Some((name, value)) if is_tag => format!("{name}={}", value.replace(' ', "%20")),
        _ => piece.to_owned(),
    };
    pieces(text).into_iter().map(piece).collect()
}

fn drop_tags(text: &str) -> String {
    pieces(text)
        .into_iter()
        .filter(|(is_tag, _)| !is_tag)
        .map(|(_, piece)| piece)
        .collect()
}

fn drop_scripts(text: &str) -> String {
    let mut rest = text.to_owned();
    while let (Some(start), Some(end)) = (rest.find("<script"), rest.find("</script>")) {
        if end < start {
            break;
        }
        rest.replace_range(start..end + "</script>".len(), "");
    }
    ["javascript:", "javascript", "script", "onload"]
        .iter()
        .fold(rest, |rest, word| rest.replace(word, ""))
}

fn is_invisible(character: char) -> bool {
    let is_line = matches!(character, '\n' | '\r' | '\t');
    (character.is_control() && !is_line)
        || matches!(
            character,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}'
                | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fffe}'..='\u{ffff}'
        )
}

fn fold_blanks(text: &str) -> String {
    let mut folded = String::new();
    for character in text.chars() {
        if !(character == ' ' && folded.ends_with(' ')) {
            folded.push(character);
        }
    }
    folded
}
