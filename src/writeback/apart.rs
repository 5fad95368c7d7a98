//! Whether a withheld span stands apart from what was typed beside it.
//!
//! Whether digits beside a hidden identifier make another one together with it depends on the hidden digits: an answer
//! would give them away, one after the other. So what was typed there is judged by its form alone, whatever is hidden. And
//! between a span and what stands beside it, anything may fall away once a CRM has read the text: only letters and digits
//! count, in every reading of the others.

use unicode_normalization::char::decompose_compatible;

use super::company::Marked;
use crate::detect::{self, Kind};

/// Letters and digits that an identifier can reach beyond a span: one less than the longest has.
const REACH: usize = 33;
/// Letters and digits that a card or a national number can reach beyond a span.
const DIGITS_REACH: usize = 18;

/// The letters and digits that an IBAN begins with: country and check digits.
const HEAD: usize = 4;

/// What the caller sees of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) kind: Kind,
    /// The country of an IBAN, where its mask tells it.
    pub(super) country: Option<[u8; 2]>,
}

/// Whether all spans of a sent text stand apart from what stands beside them, or at least as they stood in the shown one.
pub(super) fn all_stand_apart(sent: Marked<'_>, shown: Marked<'_>, seen: &[Seen]) -> bool {
    seen.iter().enumerate().all(|(place, span)| {
        [Direction::Before, Direction::Behind]
            .into_iter()
            .all(|direction| {
                let side = |marked: Marked<'_>| side(marked, place, direction);
                let (new, new_joins) = side(sent);
                let (old, old_joins) = side(shown);
                let both = readings(&new).into_iter().zip(readings(&old));
                both.into_iter().all(|(new, old)| {
                    let reach = reach(&new, new_joins, *span, direction);
                    new.outer(reach) == old.outer(reach) && (reach == 0 || new_joins == old_joins)
                })
            })
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Before,
    Behind,
}

/// What stands beside a span up to the next one, and whether there is one.
fn side(marked: Marked<'_>, place: usize, direction: Direction) -> (Side, bool) {
    let spans = marked.spans;
    let (range, joins) = match direction {
        Direction::Before => {
            let previous = place.checked_sub(1).and_then(|place| spans.get(place));
            (
                previous.map_or(0, |span| span.end)..spans[place].start,
                previous.is_some(),
            )
        }
        Direction::Behind => {
            let next = spans.get(place + 1);
            (
                spans[place].end..next.map_or(marked.text.len(), |span| span.start),
                next.is_some(),
            )
        }
    };
    let text = marked.text.get(range).unwrap_or_default().to_owned();
    (Side { text, direction }, joins)
}

/// A text beside a span.
struct Side {
    text: String,
    direction: Direction,
}

/// One reading of a text beside a span: its characters from the span outwards, and which of them are symbols.
struct Reading {
    characters: Vec<char>,
    symbols: Vec<Symbol>,
    /// Whether it ends at a wall, which no identifier goes through.
    is_walled: bool,
}

/// A letter or digit, folded to ASCII, and the number of its character.
#[derive(Clone, Copy)]
struct Symbol {
    byte: u8,
    at: usize,
}

/// Every reading of a side: with its escapes or without, with what stands in tags or without, with letters that carry
/// marks as the bare ones, or as walls.
fn readings(side: &Side) -> Vec<Reading> {
    let mut texts = vec![side.text.clone()];
    for _ in 0..CODINGS_MAX {
        let last = texts.last().map_or("", String::as_str);
        texts.push(detect::decode_once(last));
    }
    let without: Vec<String> = texts.iter().map(|text| without_tags(text)).collect();
    let both = texts.into_iter().chain(without);
    both.flat_map(|text| [false, true].map(|bare| Reading::of(&text, side.direction, bare)))
        .collect()
}

/// Codings around codings.
const CODINGS_MAX: usize = 8;

fn without_tags(text: &str) -> String {
    let (mut rest, mut without) = (text, String::new());
    while let Some(start) = rest.find('<') {
        let after = &rest[start + 1..];
        let begins =
            after.starts_with(|next: char| next.is_ascii_alphabetic() || "/!".contains(next));
        let end = after
            .find(['<', '>'])
            .filter(|end| begins && after[*end..].starts_with('>'));
        match end {
            Some(end) => {
                without.push_str(&rest[..start]);
                rest = &after[end + 1..];
            }
            None => {
                without.push_str(&rest[..=start]);
                rest = after;
            }
        }
    }
    without + rest
}

impl Reading {
    fn of(text: &str, direction: Direction, bare: bool) -> Self {
        let mut reading = Self {
            characters: Vec::new(),
            symbols: Vec::new(),
            is_walled: false,
        };
        let mut outwards: Box<dyn Iterator<Item = char>> = match direction {
            Direction::Before => Box::new(text.chars().rev()),
            Direction::Behind => Box::new(text.chars()),
        };
        while reading.symbols.len() < REACH {
            let Some(character) = outwards.next() else {
                break;
            };
            let at = reading.characters.len();
            reading.characters.push(character);
            // To the detectors a letter with a mark is a wall.
            if !bare && is_composed(character) {
                reading.is_walled = true;
                break;
            }
            let mut symbols = symbols(character);
            if direction == Direction::Before {
                symbols.reverse();
            }
            reading
                .symbols
                .extend(symbols.into_iter().map(|byte| Symbol { byte, at }));
        }
        // What stands behind the last one: whether it is joined to it.
        reading.characters.extend(outwards.next());
        reading
    }

    /// Its symbols in the order in which they stand in the text, of one that stands before a span.
    fn letters(&self) -> String {
        let symbols = self.symbols.iter().rev();
        symbols.map(|symbol| char::from(symbol.byte)).collect()
    }

    fn byte(&self, place: usize) -> u8 {
        self.symbols.get(place).map_or(0, |symbol| symbol.byte)
    }

    /// The characters up to so many symbols, and the one behind them; all of them, if there are fewer symbols.
    fn outer(&self, reach: usize) -> &[char] {
        let Some(last) = reach.checked_sub(1) else {
            return &[];
        };
        let end = self.symbols.get(last).map(|symbol| symbol.at + 2);
        let end = end.unwrap_or(self.characters.len());
        &self.characters[..end.min(self.characters.len())]
    }

    /// Whether an IBAN of a country that is not registered could begin so far from the span and reach into it: it stands
    /// there in one piece, or in groups of four. Only a blank or a mark of a sentence certainly parts two groups.
    fn is_regular(&self, distance: usize) -> bool {
        let (mut from, mut in_one_piece, mut in_fours) = (0, true, true);
        for (place, symbol) in self.symbols.iter().take(distance).enumerate() {
            let between = self.characters.get(from..symbol.at).unwrap_or_default();
            let is_parted = between
                .iter()
                .any(|character| " .,;:!?-'".contains(*character));
            let ends_group = (distance - place).is_multiple_of(HEAD);
            in_one_piece &= !is_parted;
            in_fours &= if ends_group {
                place == 0 || !between.is_empty()
            } else {
                !is_parted
            };
            from = symbol.at + 1;
        }
        in_one_piece || in_fours
    }
}

/// Whether a character is a letter of a living script that is none of ASCII's: `é`, `ß`, `Ж`.
fn is_composed(character: char) -> bool {
    !character.is_ascii() && character.is_alphabetic() && character < '\u{2100}'
}

/// The letters and digits that a character is, or could become.
fn symbols(character: char) -> Vec<u8> {
    if character.is_ascii() {
        let byte = u8::try_from(character).unwrap_or_default();
        return match byte.is_ascii_alphanumeric() {
            true => vec![byte.to_ascii_uppercase()],
            false => Vec::new(),
        };
    }
    let mut symbols = Vec::new();
    if let Some(digit) = detect::digit_of_a_script(character) {
        return vec![digit];
    }
    decompose_compatible(character, |part| {
        if let Ok(byte) = u8::try_from(part)
            && byte.is_ascii_alphanumeric()
        {
            symbols.push(byte.to_ascii_uppercase());
        }
    });
    symbols
}

/// How many symbols beside a span could be read together with it.
fn reach(beside: &Reading, joins: bool, span: Seen, direction: Direction) -> usize {
    let all = beside.symbols.len();
    let begins_with_letters = span.kind == Kind::Iban;
    let digits = digits(beside);
    let room = detect::elbow_room(span.kind).min(all);
    match direction {
        Direction::Before if detect::may_disclaim(span.kind, &beside.letters()) => all,
        Direction::Before => {
            let digits = if begins_with_letters { 0 } else { digits };
            digits.max(head(beside, begins_with_letters))
        }
        // An IBAN with letters in it may hold the beginning of another one.
        Direction::Behind if span.kind == Kind::Iban && !is_of_digits(span.country) => all,
        Direction::Behind => digits,
    }
    .max(room)
    // Less than two letters between two spans: they could be read together.
    .max(if joins && all < 2 && !beside.is_walled {
        all + 1
    } else {
        0
    })
}

/// Symbols that could belong to a card or a national number that reaches out of the span: digits, and between them the one
/// letter of a Corsican department.
fn digits(beside: &Reading) -> usize {
    let mut reach = 0;
    for place in 0..beside.symbols.len().min(DIGITS_REACH) {
        match beside.byte(place) {
            b'0'..=b'9' => reach = place + 1,
            b'A' | b'B' if beside.byte(place + 1).is_ascii_digit() => {}
            _ => break,
        }
    }
    reach
}

/// Symbols up to the farthest that an IBAN could begin with and reach into the span: two letters and two digits, of which
/// the digits may be the span's own.
fn head(before: &Reading, span_begins_with_letters: bool) -> usize {
    let mut reach = 0;
    for distance in 2..=before.symbols.len() {
        let (first, second) = (before.byte(distance - 1), before.byte(distance - 2));
        if !first.is_ascii_uppercase() || !second.is_ascii_uppercase() {
            continue;
        }
        let digits = (0..distance - 2).rev().take(2);
        let all_digits = digits
            .clone()
            .all(|place| before.byte(place).is_ascii_digit());
        if !all_digits || (digits.count() < 2 && span_begins_with_letters) {
            continue;
        }
        // One of another length, or of a country that is not registered, stands alone, in regular groups.
        let length = detect::iban_length(&[first, second]);
        let may_reach =
            length.is_some_and(|length| length > distance) || before.is_regular(distance);
        if may_reach {
            reach = distance;
        }
    }
    reach
}

/// Whether the IBANs of a country hold no letters but those of the country, and so none that another could begin with; of
/// French ones, an account may, but hardly two in a row.
fn is_of_digits(country: Option<[u8; 2]>) -> bool {
    const COUNTRIES: [&[u8; 2]; 33] = [
        b"AE", b"AT", b"BA", b"BE", b"CR", b"CZ", b"DE", b"DK", b"EE", b"ES", b"FI", b"FO", b"FR",
        b"GL", b"HR", b"HU", b"IL", b"IS", b"LT", b"MC", b"ME", b"MR", b"NO", b"PL", b"PT", b"RS",
        b"SE", b"SI", b"SK", b"TL", b"TN", b"XK", b"VA",
    ];
    country.is_some_and(|country| COUNTRIES.contains(&&country))
}

#[cfg(test)]
mod tests {
    use super::{Kind, Marked, Seen, all_stand_apart};

    const IBAN: Seen = Seen {
        kind: Kind::Iban,
        country: Some(*b"FR"),
    };
    const CARD: Seen = Seen {
        kind: Kind::Card,
        country: None,
    };

    /// Spans are written `@`.
    fn apart(sent: &str, shown: &str, seen: Seen) -> bool {
        let spans =
            |text: &str| -> Vec<_> { text.match_indices('@').map(|(at, _)| at..at + 1).collect() };
        let (of_sent, of_shown) = (spans(sent), spans(shown));
        let sent = Marked {
            text: sent,
            spans: &of_sent,
        };
        let shown = Marked {
            text: shown,
            spans: &of_shown,
        };
        all_stand_apart(sent, shown, &vec![seen; of_sent.len()])
    }

    #[test]
    fn words_may_change_beside_an_identifier() {
        for sent in [
            "RIB @ merci",
            "@",
            "Vu à la foire. RIB @ merci. Rappeler",
            "12/03 : @ merci, le 12",
            "NO12 3456 7890 123 (voir plus bas) RIB @",
            "Rappeler avant 12h. RIB recu: @ merci",
            "Vu le 3 mai 2026: @ (ancien compte)",
            "Called on 12 May. IBAN @ ok",
            "12 @",
            "Tél. : 06 12 34 56 78\nIBAN @",
        ] {
            assert!(apart(sent, "RIB @ merci", IBAN), "{sent}");
        }
        for sent in [
            "Vu. RIB @ merci, rappeler",
            "Vu le 12 mars, CB @",
            "le 12: nr. @",
        ] {
            assert!(apart(sent, "CB @ merci", CARD), "{sent}");
        }
    }

    #[test]
    fn digits_may_not_come_near_enough_to_be_read_with_it() {
        for (sent, seen) in [
            ("NO12 3456 789 @ merci", IBAN),
            ("no1234@", IBAN),
            ("N\u{200b}O-1/2 @", IBAN),
            ("\u{ff2e}\u{ff2f}\u{661}\u{662}@", IBAN),
            ("NO&#49;&#50; @", IBAN),
            ("NO%31%32 @", IBAN),
            ("NO12<b>@", IBAN),
            ("NO12 <i>—</i>\n@", IBAN),
            ("RIB @ 1", IBAN),
            ("RIB @<br>1", IBAN),
            ("RIB @&#49;", IBAN),
            ("RIB @\n½", IBAN),
            ("4111 @ merci", CARD),
            ("2A @ merci", CARD),
            ("RIB de @ merci", CARD),
            ("12 — @", CARD),
            ("12 \u{20000} @", CARD),
            ("m²\n@", CARD),
            ("XX@", CARD),
            ("XX\n@", CARD),
            ("RIB @ 5", CARD),
            ("RIB @ A5", CARD),
        ] {
            assert!(!apart(sent, "RIB @ merci", seen), "{sent}");
        }
    }

    #[test]
    fn what_stood_there_before_may_stay() {
        let shown = "(NO12 345 @ 12/26)";
        assert!(apart(
            "Vu. Rappelé. (NO12 345 @ 12/26) et plus",
            shown,
            CARD
        ));
        assert!(!apart("(NO12 34 5 @ 12/26)", shown, CARD));
        assert!(!apart("(NO12 345 @ 12/2 6)", shown, CARD));
        assert!(apart("Bonjour, carte no. 2: @", "carte no. 2: @", CARD));
        // A head beyond a tag or an escape reaches as far.
        for between in ["<b>", "&nbsp;: ", "%20", " ABCD <b>", "<br>\n"] {
            let shown = format!("nir {between}@ ok");
            let sent = format!("FR14 2004 nir {between}@ ok");
            assert!(!apart(&sent, &shown, CARD), "{sent}");
        }
    }

    #[test]
    fn an_iban_with_letters_is_followed_by_what_followed_it() {
        let british = Seen {
            country: Some(*b"GB"),
            ..IBAN
        };
        assert!(!apart("@ merci bien", "@ merci", british));
        assert!(apart("vu @ merci", "@ merci", british));
    }

    #[test]
    fn originals_may_not_be_pushed_together() {
        for text in ["", " ", " - ", "A", " b ", " ("] {
            let sent = format!("@{text}@");
            assert!(!apart(&sent, "@ and @", CARD), "{text}");
            assert!(apart(&sent, &sent, CARD), "{text}");
        }
        assert!(apart("@ or @", "@ and @", CARD));
        assert!(apart("@, à vérifier, et @", "@ and @", CARD));
    }
}
