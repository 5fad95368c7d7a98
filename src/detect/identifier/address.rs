//! Postal addresses: street and number in the orders of Western Europe, with what follows of postcode and town.

use std::ops::Range;

use super::super::plain::RAISED;
use super::label::is_one_of;
use super::reader::{byte, byte_before, is_word, word_end, word_start};

mod street;
mod town;

pub(super) use town::Postcodes;

use street::{Strength, is_particle};

/// Bytes of the longest.
pub(super) const BYTES_MAX: usize = 200;

/// Words of a street's name.
const NAME_WORDS_MAX: usize = 7;

/// The address that a figure belongs to, not before `last`.
pub(super) fn at(
    text: &[u8],
    figure: &Range<usize>,
    postcodes: &mut Postcodes,
) -> Option<Range<usize>> {
    let before = byte_before(text, figure.start);
    let is_bound = is_word(before) || matches!(before, b'+' | b'_' | b'=' | b'@' | b'#');
    if is_bound || !text[figure.start].is_ascii_digit() {
        return None;
    }
    let range = match is_number(&text[figure.clone()]) {
        true => {
            number_first(text, figure, postcodes).or_else(|| number_last(text, figure, postcodes))
        }
        false => None,
    };
    range
        .or_else(|| {
            town::postcode_at(text, figure.start).and_then(|end| without_number(text, figure, end))
        })
        .filter(|_| !is_room(text, figure.start))
}

/// Whether the number of something else than a house stands at `at`: `salle 12`, `page 12`.
fn is_room(text: &[u8], at: usize) -> bool {
    const ROOMS: &[&str] = &[
        "salle",
        "room",
        "page",
        "seite",
        "chambre",
        "etage",
        "zimmer",
        "raum",
        "aula",
        "sala",
        "pagina",
        "habitacion",
        "stand",
        "halle",
        "hall",
        "lot",
        "platz",
        "gate",
        "quai",
        "terminal",
        "line",
        "ligne",
        "semaine",
        "week",
    ];
    let word = super::label::words_before(text, at)
        .next()
        .unwrap_or_default();
    at > 0 && text[at - 1] == b' ' && is_one_of(word, ROOMS)
}

/// Whether a word may be the number of a house: `12`, `12b`, `12bis`.
fn is_number(word: &[u8]) -> bool {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let letters = &word[digits..];
    (1..=4).contains(&digits)
        && (letters.len() <= 1 || is_one_of(letters, &["bis", "ter", "quater"]))
        && !is_one_of(letters, &["h", "e", "m", "g", "x", "k"])
}

/// Where what belongs to a number ends: ` bis`, `-14`, `/3`, ` a`, `, `.
fn number_end(text: &[u8], figure: &Range<usize>) -> usize {
    let mut end = figure.end;
    if matches!(byte(text, end), b'-' | b'/') && byte(text, end + 1).is_ascii_digit() {
        let next = word_end(text, end + 1);
        if next - end <= 4 {
            end = next;
        }
    }
    if byte(text, end) == b' ' {
        let next = word_end(text, end + 1);
        let word = text.get(end + 1..next).unwrap_or_default();
        if is_one_of(word, &["bis", "ter", "quater"])
            || (word.len() == 1
                && word[0].is_ascii_alphabetic()
                && !is_one_of(word, &["a", "y", "e", "o"]))
            || word == b"A"
        {
            end = next;
        }
    }
    end
}

/// Skips blanks and one comma or line end.
fn skip(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .take(3)
        .take_while(|byte| b" ,\n\r\t".contains(byte))
        .count()
}

/// `12 bis, rue de la Paix …`, `12 High Street …`.
fn number_first(
    text: &[u8],
    figure: &Range<usize>,
    postcodes: &mut Postcodes,
) -> Option<Range<usize>> {
    // A decimal, a time, a date.
    if matches!(byte(text, figure.end), b'.' | b':' | b'%')
        || b".,/:-".contains(&byte_before(text, figure.start))
            && byte_before(text, figure.start - 1).is_ascii_digit()
    {
        return None;
    }
    let start = skip(text, number_end(text, figure));
    let kind_end = word_end(text, start);
    let kind = text.get(start..kind_end).filter(|word| !word.is_empty())?;
    if let Some(strength) = street::romance(text, start, kind) {
        let (end, is_named) = name_end(text, kind_end);
        return complete(text, figure.start..end, strength, is_named, postcodes);
    }
    let (end, strength) = english_end(text, start)?;
    complete(text, figure.start..end, strength, true, postcodes)
}

/// Where the English name of a street ends that begins at `start`, with the word for a street in it.
fn english_end(text: &[u8], start: usize) -> Option<(usize, Strength)> {
    let (mut at, mut found) = (start, None);
    for place in 0..5 {
        let end = word_end(text, at);
        let Some(word) = text
            .get(at..end)
            .filter(|word| word.first().is_some_and(u8::is_ascii_alphabetic))
        else {
            break;
        };
        let strength = street::english(word).filter(|_| place > 0);
        let is_upper = word[0].is_ascii_uppercase();
        if let Some(strength) = strength {
            found = Some((end, if is_upper { strength } else { Strength::Weak }));
        } else if !is_upper
            && !is_one_of(word, &["the", "of", "st", "s", "high", "old", "new"])
            && place > 2
        {
            break;
        }
        let next = match (byte(text, end), byte(text, end + 1)) {
            (b' ' | b'-' | b'\'', _) => end + 1,
            (b'.', b' ') => end + 2,
            _ => break,
        };
        at = next;
    }
    let (end, strength) = found?;
    let is_lower = text[start].is_ascii_lowercase();
    Some((
        end + usize::from(
            byte(text, end) == b'.' && street::is_short(&text[word_start(text, end)..end]),
        ),
        if is_lower { Strength::Weak } else { strength },
    ))
}

/// Where the name of a street ends that begins behind the word for a street, and whether it is a name: one word of it is
/// written like one.
fn name_end(text: &[u8], at: usize) -> (usize, bool) {
    let (mut end, mut is_named) = (at, false);
    let mut particles = 0;
    for _ in 0..NAME_WORDS_MAX {
        let gap = match (byte(text, end), byte(text, end + 1)) {
            (b' ' | b'-' | b'\'', _) => 1,
            (b'.', b' ') => 2,
            (b'.', letter) if letter.is_ascii_alphabetic() => 1,
            _ => break,
        };
        let start = end + gap;
        let next = word_end(text, start);
        let Some(word) = text.get(start..next).filter(|word| !word.is_empty()) else {
            break;
        };
        let is_name = word[0].is_ascii_uppercase() || word[0] == super::super::plain::LETTER;
        let is_day = word[0].is_ascii_digit() && word.len() <= 2;
        if word[0].is_ascii_digit() && !is_day {
            break;
        }
        match is_particle(word) || is_day {
            true => particles += 1,
            false if is_name => {
                is_named = true;
                particles = 0;
            }
            // In lower case only the words directly behind.
            false if is_named || next - at > 24 => break,
            false => particles = 0,
        }
        end = next;
    }
    // Particles behind the name are no part of it.
    for _ in 0..particles {
        let word = word_start(text, end);
        if word > at && is_particle(&text[word..end]) {
            end = text[..word]
                .iter()
                .rposition(|byte| is_word(*byte))
                .map_or(at, |last| last + 1)
                .max(at);
        }
    }
    (end, is_named)
}

/// The whole of an address whose street stands there, if that is enough of one: a street of which one word says what it is
/// and another its name, or with a postcode and a town.
fn complete(
    text: &[u8],
    street: Range<usize>,
    strength: Strength,
    is_named: bool,
    postcodes: &mut Postcodes,
) -> Option<Range<usize>> {
    if postcodes.is_near(text, street.end)
        && let Some(end) = town::behind(text, street.end)
    {
        return Some(street.start..end);
    }
    if strength != Strength::Strong || !is_named {
        return None;
    }
    Some(street.start..town::name_behind(text, street.end).unwrap_or(street.end))
}

/// `Hauptstraße 12 …`, `Via Garibaldi, 12 …`, `Rue de la Loi 16 …`.
fn number_last(
    text: &[u8],
    figure: &Range<usize>,
    postcodes: &mut Postcodes,
) -> Option<Range<usize>> {
    let mut end = figure.start;
    let first = end.saturating_sub(8);
    while end > first && (b" ,.".contains(&text[end - 1]) || text[end - 1] == RAISED) {
        end -= 1;
    }
    let word = word_start(text, end);
    if is_one_of(&text[word..end], &["n", "no", "nr", "num", "numero", "s"]) && word > 0 {
        end = text[..word].iter().rposition(|byte| is_word(*byte))? + 1;
        if word - end > 2 {
            return None;
        }
    }
    if end == figure.start {
        return None;
    }
    let (start, strength, is_named) = street::before(text, end)?;
    complete(
        text,
        start..number_end(text, figure),
        strength,
        is_named,
        postcodes,
    )
}

/// A street without a number before a postcode: `Rue de la Loi, 1000 Bruxelles`.
fn without_number(text: &[u8], figure: &Range<usize>, postcode_end: usize) -> Option<Range<usize>> {
    let end = town::name_behind_postcode(text, postcode_end)?;
    let before = figure.start
        - text[..figure.start]
            .iter()
            .rev()
            .take(3)
            .take_while(|byte| b" ,-\n".contains(byte))
            .count();
    let (start, strength, is_named) = street::before(text, before)?;
    (is_named && strength == Strength::Strong && before < figure.start).then_some(start..end)
}
