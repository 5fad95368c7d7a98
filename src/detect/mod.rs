//! Finds identifiers in text: IBAN, payment card, NIR. Pure functions; a detector classifies, rules decide.
//!
//! The search errs towards finding: an identifier may be grouped in any way, with tags and invisible characters in
//! it, may stand directly beside words, and may be encoded, once or several times. What keeps dates and phone numbers out
//! is the checksum.

use std::borrow::Cow;
use std::ops::Range;

mod characters;
mod digits;
mod escapes;
mod iban;
mod layers;
mod spelling;
pub mod statement;

use spelling::{Stretch, Tally};
use statement::Topic;

/// What stands in the place of a statement.
pub(crate) const WITHHELD: &str = "withheld";

/// The fewest digits of any identifier that is looked for: those of an IBAN that is letters as far as possible.
const DIGITS_MIN: usize = 5;
/// The fewest symbols of any identifier that is looked for: those of a card.
const SYMBOLS_MIN: usize = digits::CARD_DIGITS_MIN;

/// A kind of identifier that has a checksum or a fixed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Business identifier code (ISO 9362). Validated, never looked for in text.
    Bic,
    /// Payment card number (ISO/IEC 7812, Luhn).
    Card,
    /// International bank account number (ISO 13616, mod 97).
    Iban,
    /// French national identification number, with key, Corsican departments included.
    Nir,
    /// A statement about a person, of a category of Art. 9 or 10 GDPR.
    Statement(Topic),
}

/// An identifier found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its kind.
    pub kind: Kind,
    /// Its bytes in the text, from its first to its last character.
    pub range: Range<usize>,
}

impl Kind {
    /// Every kind of identifier.
    pub const IDENTIFIERS: [Self; 4] = [Self::Bic, Self::Card, Self::Iban, Self::Nir];

    /// The kind's name in policies and in brackets: `iban`. All statements have one name, since theirs would tell what is
    /// withheld.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Statement(_) => WITHHELD,
            Self::Bic => "bic",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Nir => "nir",
        }
    }

    /// Whether a whole value, however it is grouped, is a valid identifier of this kind.
    pub fn is_valid(self, value: &str) -> bool {
        compact(value).is_some_and(|symbols| {
            let symbols = symbols.as_bytes();
            match self {
                Self::Bic => is_bic(symbols),
                Self::Card => digits::is_card(symbols),
                Self::Iban => iban::is_valid(symbols),
                Self::Nir => digits::is_nir(symbols),
                Self::Statement(_) => false,
            }
        })
    }

    /// Whether a compacted value has the length and the characters of this kind, whatever its checksum.
    pub(crate) fn is_shaped(self, symbols: &str) -> bool {
        let (symbols, length) = (symbols.as_bytes(), symbols.len());
        match self {
            Self::Bic => is_bic(symbols),
            Self::Card => {
                (digits::CARD_DIGITS_MIN..=digits::CARD_DIGITS_MAX).contains(&length)
                    && symbols.iter().all(u8::is_ascii_digit)
            }
            Self::Iban => iban::is_shaped(symbols),
            Self::Nir => digits::is_nir_shaped(symbols),
            Self::Statement(_) => false,
        }
    }
}

/// Bank (four letters), country (two), place (two letters or digits), and perhaps a branch (three).
fn is_bic(symbols: &[u8]) -> bool {
    matches!(symbols.len(), 8 | 11)
        && symbols.iter().take(6).all(u8::is_ascii_uppercase)
        && symbols.iter().all(u8::is_ascii_alphanumeric)
}

/// The letters and digits of a value that is one identifier, upper case, without its grouping; `None` if the value
/// holds anything that is neither.
pub(crate) fn compact(value: &str) -> Option<Cow<'_, str>> {
    spelling::compact(value)
}

/// Whether an identifier is found whatever stands on both sides of it, apart from it: an IBAN of its country's length, a
/// national number, a card in one piece or in groups as cards are. What is coded, or two that overlap, is not.
pub(crate) fn stands_in_any_company(kind: Kind, identifier: &str) -> bool {
    kind.is_valid(identifier)
        && match kind {
            Kind::Bic | Kind::Nir => true,
            Kind::Statement(_) => false,
            Kind::Card => digits::is_grouped(identifier),
            Kind::Iban => compact(identifier).is_some_and(|symbols| {
                iban::national_length(symbols.as_bytes()) == Some(symbols.len())
            }),
        }
}

/// Bytes of the percent escape or HTML entity that a text begins with, if it begins with one.
pub(crate) fn escape_length(text: &str) -> Option<usize> {
    escapes::escape(text).map(|(_, length)| length)
}

/// A text with its percent escapes and entities undone once.
pub(crate) fn decode_once(text: &str) -> String {
    layers::decode_once(text)
}

/// The ASCII digit of a digit of another script.
pub(crate) fn digit_of_a_script(character: char) -> Option<u8> {
    characters::digit(character)
}

/// Whether a character is one that a reader does not see and a program may drop.
pub(crate) fn is_ignorable(character: char) -> bool {
    characters::is_ignorable(character)
}

/// The length of the IBANs of the country that the symbols begin with, if it has one.
pub(crate) fn iban_length(symbols: &[u8]) -> Option<usize> {
    iban::national_length(symbols)
}

/// Which kinds are looked for.
pub type Meant<'k> = &'k dyn Fn(Kind) -> bool;

/// Finds identifiers of some kinds, left to right, without overlaps.
pub fn find(text: &str, kinds: &[Kind]) -> Vec<Span> {
    find_where(text, &|kind| kinds.contains(&kind))
}

/// The same of the kinds that are meant.
pub fn find_where(text: &str, is_meant: Meant<'_>) -> Vec<Span> {
    let mut spans = Vec::new();
    search_layer(text, is_meant, &Range::clone, &mut spans);
    layers::each(text, &mut |layer, source| {
        search_layer(layer, is_meant, source, &mut spans);
    });
    without_overlaps(spans)
}

/// Adds every identifier of one layer of a text, and every word of it that spells one; `source` tells where a part of the
/// layer stands in the text.
fn search_layer(
    layer: &str,
    is_meant: Meant<'_>,
    source: layers::Source<'_>,
    spans: &mut Vec<Span>,
) {
    let before = spans.len();
    search(layer, 0, is_meant, spans);
    for span in spans.iter_mut().skip(before) {
        span.range = source(&span.range);
    }
    if !layers::may_hold_word(layer) {
        return;
    }
    layers::words(layer, &mut |spelled, word| {
        let mut inside = Vec::new();
        search(spelled, 0, is_meant, &mut inside);
        spans.extend(inside.into_iter().map(|Span { kind, .. }| Span {
            kind,
            range: source(&word),
        }));
    });
}

/// Adds every identifier of a text that begins at byte `offset` of the whole.
fn search(text: &str, offset: usize, is_meant: Meant<'_>, spans: &mut Vec<Span>) {
    if !may_hold_digits(text) {
        return;
    }
    let insides = spelling::stretches(text, may_hold_one, &mut |stretch| {
        search_stretch(text, stretch, offset, is_meant, spans);
    });
    if let Some(joined) = spelling::joined(text) {
        search_regular(text, &joined, offset, is_meant, spans);
    }
    // A tag is a separator to the text around it, and a text of its own: `<a href="?iban=…">`. It holds no other tag.
    for inside in insides {
        if let Some(text) = text.get(inside.clone()) {
            search(text, offset + inside.start, is_meant, spans);
        }
    }
}

/// The statements of a text, in order: of the text itself, and of what it says once its escapes are undone.
pub fn statements(text: &str, lexicon: &statement::Lexicon) -> Vec<statement::Statement> {
    let mut found = statement::find(text, lexicon);
    layers::each(text, &mut |layer, source| {
        found.extend(statement::find(layer, lexicon).into_iter().map(|found| {
            statement::Statement {
                range: source(&found.range),
                ..found
            }
        }));
    });
    found.sort_by_key(|found| (found.range.start, found.range.end, found.topic));
    found
}

/// The same, each with the words and the context that made it.
pub fn explained(
    text: &str,
    lexicon: &statement::Lexicon,
) -> Vec<(statement::Statement, Vec<String>)> {
    let mut found = statement::explain(text, lexicon);
    layers::each(text, &mut |layer, source| {
        for (mut statement, because) in statement::explain(layer, lexicon) {
            statement.range = source(&statement.range);
            found.push((statement, because));
        }
    });
    found
}

/// What detectors find, as a word that is another one whenever the same text may give other findings.
pub fn version() -> &'static str {
    statement::version()
}

/// A quick look: most texts hold too few digits to be searched, and no word that could spell any.
pub(crate) fn may_hold_any(text: &str) -> bool {
    may_hold_digits(text) || layers::may_hold_word(text)
}

/// Whether a text has enough of what may be a digit, or stand for one.
fn may_hold_digits(text: &str) -> bool {
    let counts = |byte: &u8| {
        u8::from(byte.is_ascii_digit() || *byte == b'&' || characters::may_begin_digit(*byte))
    };
    let mut digits = 0;
    // Blocks whose sum fits into a byte, so that they are summed up many bytes at a time.
    text.as_bytes().chunks(BLOCK_BYTES).any(|block| {
        digits += usize::from(block.iter().map(counts).sum::<u8>());
        digits >= DIGITS_MIN
    })
}

const BLOCK_BYTES: usize = 128;

/// Whether a stretch is long enough for an identifier, and holds enough digits.
fn may_hold_one(Tally { symbols, digits }: Tally) -> bool {
    symbols >= SYMBOLS_MIN && digits >= DIGITS_MIN
}

/// Adds what reads as one identifier across what else parts things from each other: brackets, bars, semicolons. Such an
/// identifier is written in regular groups; in any groups, lists of numbers would be full of them.
fn search_regular(
    text: &str,
    joined: &str,
    offset: usize,
    is_meant: Meant<'_>,
    spans: &mut Vec<Span>,
) {
    spelling::stretches(joined, may_hold_one, &mut |stretch| {
        let mut add = |kind, symbols: Range<usize>| {
            let range = stretch.range(symbols).unwrap_or_default();
            if text.get(range.clone()).is_some_and(spelling::has_joint) {
                let range = range.start + offset..range.end + offset;
                spans.push(Span { kind, range });
            }
        };
        for start in 0..stretch.symbols.len() {
            if is_meant(Kind::Iban)
                && let Some(length) = iban::regular_length_at(stretch, start)
            {
                add(Kind::Iban, start..start + length);
            }
            if is_meant(Kind::Nir)
                && let Some(symbols) = digits::regular_nir_at(stretch, start)
            {
                add(Kind::Nir, symbols);
            }
            if is_meant(Kind::Card)
                && let Some(symbols) = digits::regular_card_at(stretch, start)
            {
                add(Kind::Card, symbols);
            }
        }
    });
}

fn search_stretch(
    text: &str,
    stretch: &Stretch,
    offset: usize,
    is_meant: Meant<'_>,
    spans: &mut Vec<Span>,
) {
    let mut add = |kind, symbols: Range<usize>| {
        if let Some(range) = stretch.range(symbols) {
            spans.push(Span {
                kind,
                range: range.start + offset..range.end + offset,
            });
        }
    };
    let starts = 0..stretch.symbols.len();
    if is_meant(Kind::Iban) {
        for start in starts.clone() {
            if let Some(length) = iban::length_at(stretch, start) {
                add(Kind::Iban, start..start + length);
            }
        }
    }
    if is_meant(Kind::Nir) {
        starts
            .filter_map(|start| digits::nir_at(stretch, start))
            .for_each(|symbols| add(Kind::Nir, symbols));
    }
    if is_meant(Kind::Card) {
        digits::cards(text, stretch, &mut |symbols| add(Kind::Card, symbols));
    }
}

/// Of spans that lie in one another the outer one stays; spans that partly overlap become one, so that no part of
/// either is left over. What a statement is part of is withheld like one.
pub(crate) fn without_overlaps(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by(|a, b| (a.range.start, b.range.end).cmp(&(b.range.start, a.range.end)));
    let mut apart: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match apart.last_mut() {
            Some(last) if span.range.start < last.range.end => {
                last.range.end = last.range.end.max(span.range.end);
                if matches!(span.kind, Kind::Statement(_)) {
                    last.kind = span.kind;
                }
            }
            _ => apart.push(span),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::{Kind, Span, find};
    use proptest::prelude::*;

    const LOOKED_FOR: &[Kind] = &[Kind::Iban, Kind::Card, Kind::Nir];

    /// What of the text was found, as kind and text.
    fn found(text: &str) -> Vec<(Kind, &str)> {
        find(text, LOOKED_FOR)
            .into_iter()
            .map(|Span { kind, range }| (kind, &text[range]))
            .collect()
    }

    fn mod97(digits: &str) -> u32 {
        digits.bytes().fold(0, |rest, byte| {
            let value = (byte as char).to_digit(36).unwrap();
            (rest * if value > 9 { 100 } else { 10 } + value) % 97
        })
    }

    fn iban_of(country: &str, account: &str) -> String {
        let key = 98 - mod97(&format!("{account}{country}00"));
        format!("{country}{key:02}{account}")
    }

    fn card_of(digits: &str) -> String {
        (0..10)
            .map(|last| format!("{digits}{last}"))
            .find(|card| super::digits::is_card(card.as_bytes()))
            .unwrap_or_else(|| "4111111111111111".to_owned())
    }

    #[test]
    fn an_iban_ends_where_its_country_says() {
        for (text, iban) in [
            (
                "FR7699999000004001020304033 merci",
                "FR7699999000004001020304033",
            ),
            (
                "IBAN:FR7699999000004001020304033.",
                "FR7699999000004001020304033",
            ),
            (
                "RIBFR7699999000004001020304033merci",
                "FR7699999000004001020304033",
            ),
            (
                "fr76 9999 9000 0040 0102 0304 033 merci",
                "fr76 9999 9000 0040 0102 0304 033",
            ),
            (
                "<p>FR76&nbsp;9999&nbsp;9000 <b>0040</b> 0102-0304/033</p>",
                "FR76&nbsp;9999&nbsp;9000 <b>0040</b> 0102-0304/033",
            ),
            (
                r#"<a href="?iban=FR7699999000004001020304033">x</a>"#,
                "FR7699999000004001020304033",
            ),
            (
                "F\nR\n7\n6\n99999000004001020304033",
                "F\nR\n7\n6\n99999000004001020304033",
            ),
        ] {
            assert_eq!(found(text), [(Kind::Iban, iban)], "{text}");
        }
    }

    #[test]
    fn an_iban_of_an_unknown_country_is_found_where_it_stands_alone() {
        let iban = iban_of("ZZ", "12345678901234");
        assert_eq!(
            found(&format!("iban {iban} ok")),
            [(Kind::Iban, iban.as_str())]
        );
        let grouped = format!(
            "{} {} {} {} {}",
            &iban[..4],
            &iban[4..8],
            &iban[8..12],
            &iban[12..16],
            &iban[16..]
        );
        assert_eq!(
            found(&format!("({grouped})")),
            [(Kind::Iban, grouped.as_str())]
        );
    }

    #[test]
    fn a_card_is_found_before_its_expiry_and_after_a_phone_number() {
        for text in [
            "4111 1111 1111 1111 12/26",
            "06 12 34 56 78 - 4111 1111 1111 1111",
            "4111 1111 1111 1111, 4111 1111 1111 1111",
            "CB4111 1111 1111 1111cvv123",
        ] {
            assert!(
                found(text).contains(&(Kind::Card, "4111 1111 1111 1111")),
                "{text}"
            );
        }
        assert_eq!(
            found("3782-822463-10005 amex"),
            [(Kind::Card, "3782-822463-10005")]
        );
        assert_eq!(
            found("4.1.1.1.11 11 1111 1111"),
            [(Kind::Card, "4.1.1.1.11 11 1111 1111")]
        );
    }

    #[test]
    fn a_nir_is_found_with_its_key_apart() {
        for text in [
            "2 55 08 14 168 025 38",
            "2550814168025 / 38",
            "2-55-08-14-168-025<br>38",
        ] {
            assert_eq!(found(text), [(Kind::Nir, text)]);
        }
        assert_eq!(found("2 55 08 14 168 025 39"), []);
        assert_eq!(
            found("NIR2 55 08 14 168 025 38x"),
            [(Kind::Nir, "2 55 08 14 168 025 38")]
        );
    }

    #[test]
    fn everyday_numbers_are_left_alone() {
        for text in [
            "",
            "+33 6 12 34 56 78, +33 1 23 45 67 89",
            "06 12 34 56 78 / 04 91 23 45 67",
            "30/11/1984 10:15:00, 31/12/2026 23:59:59",
            "2026-11-22 10:30:00",
            "REF-2026-000123 total 1 234 567,89 EUR",
            "+49 1512 3456789",
            "de 12 à 14 personnes, puis 12 autres",
            "8f14e45f-ceea-467f-9575-6e2a5a1b2c3d",
            "1111 1111 1111 1111",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    /// Ways to write each byte of a text.
    fn coded(text: &str, coding: usize) -> String {
        let each = |spell: &dyn Fn(u8) -> String| text.bytes().map(spell).collect::<String>();
        match coding {
            0 => each(&|byte| format!("%{byte:02x}")),
            1 => each(&|byte| format!("&#{byte};")),
            2 => each(&|byte| format!("&#X{byte:x};")),
            3 => text.replace('&', "&amp;").replace('%', "%25"),
            4 => text.replace('&', "&#38").replace('%', "&percnt;"),
            5 => format!("x {} y", each(&|byte| format!("{byte:02X}"))),
            6 => format!("x {}== y", base64(text)),
            _ => text.to_owned(),
        }
    }

    fn base64(text: &str) -> String {
        let letters: Vec<char> = ('A'..='Z')
            .chain('a'..='z')
            .chain('0'..='9')
            .chain(['+', '/'])
            .collect();
        let bits: Vec<u8> = text
            .bytes()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
            .collect();
        let sextet = |bits: &[u8]| {
            (0..6).fold(0, |value, at| {
                value << 1 | usize::from(*bits.get(at).unwrap_or(&0))
            })
        };
        bits.chunks(6).map(|bits| letters[sextet(bits)]).collect()
    }

    #[test]
    fn long_repetitive_text_is_searched_quickly() {
        for unit in [
            "FR76",
            "4 ",
            "4",
            "<b",
            "&#x",
            "<b>4",
            "2 5 5 0 8 ",
            "DE12 3456 ",
            "%41",
            "%252525",
            "&amp;",
            "&#38;#38;",
            "QUFB",
            "46 ",
        ] {
            let text = unit.repeat((256 << 10) / unit.len());
            let before = std::time::Instant::now();
            find(&text, LOOKED_FOR);
            assert!(before.elapsed().as_secs() < 20, "{unit}");
        }
    }

    fn separator() -> impl Strategy<Value = &'static str> {
        prop_oneof![
            6 => Just(""),
            1 => prop::sample::select(vec![
                " ", "\u{a0}", "\u{202f}", "\u{200b}", "\u{ad}", "-", ".", "/", "_", ",", ":", "\n", "\t",
                "&nbsp;", "&#160;", "&#x200b;", "&shy;", "<b>", "</strong>",  "<br/>", " - ", "%20", "%C2%A0", "\u{301}", "\u{fffe}", "\u{fdd0}", "\u{e001}", "\u{2065}",
            ]),
        ]
    }

    fn identifier() -> impl Strategy<Value = (Kind, String)> {
        prop_oneof![
            "[0-9]{23}".prop_map(|account| (Kind::Iban, iban_of("FR", &account))),
            "[0-9]{18}".prop_map(|account| (Kind::Iban, iban_of("DE", &account))),
            "[A-Z]{4}[0-9]{14}".prop_map(|account| (Kind::Iban, iban_of("GB", &account))),
            "[0-9]{11}".prop_map(|account| (Kind::Iban, iban_of("NO", &account))),
            "[456][0-9]{14}".prop_map(|digits| (Kind::Card, card_of(&digits))),
            "[12][0-9]{2}0[1-9][0-9]{2}[0-9]{6}".prop_map(|number| {
                let key = 97 - number.parse::<u64>().unwrap() % 97;
                (Kind::Nir, format!("{number}{key:02}"))
            }),
        ]
    }

    /// The same identifier, each letter in either case, with separators between its characters.
    fn spelled() -> impl Strategy<Value = (Kind, String)> {
        identifier().prop_flat_map(|(kind, plain)| {
            prop::collection::vec((separator(), any::<bool>()), plain.len()).prop_map(
                move |marks| {
                    let mut spelled = String::new();
                    for (index, (character, (separator, lower))) in
                        plain.chars().zip(&marks).enumerate()
                    {
                        if index > 0 {
                            spelled.push_str(separator);
                        }
                        spelled.push(if *lower {
                            character.to_ascii_lowercase()
                        } else {
                            character
                        });
                    }
                    (kind, spelled)
                },
            )
        })
    }

    fn around() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "",
            " ",
            "IBAN : ",
            "merci (",
            ") merci",
            "\n",
            "n°",
            "é",
            " et <p>",
            "\u{1f600}",
        ])
    }

    #[test]
    fn what_stands_beside_a_card_in_odd_groups_does_not_hide_it() {
        for text in [
            "401288-8888881881 (12/26)",
            "12;40 1288 8888 881881",
            "4012 888888 881881 | 12/26",
            "378282 2463 10005 (1)",
            "0612345678;401288-8888881881",
        ] {
            assert_eq!(find(text, &[Kind::Card]).len(), 1, "{text}");
        }
        for text in [
            "CMD-2026-992696; CMD-2026-992697; CMD-2026-992698",
            "(12) 345 678; (13) 456 789; 2026;11;22",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    /// The search without the quick looks that spare most texts from it.
    fn full_search(text: &str, offset: usize, spans: &mut Vec<Span>) {
        let insides = super::spelling::stretches(text, |_| true, &mut |stretch| {
            super::search_stretch(
                text,
                stretch,
                offset,
                &|kind| LOOKED_FOR.contains(&kind),
                spans,
            );
        });
        if let Some(joined) = super::spelling::joined(text) {
            let is_meant = |kind: Kind| LOOKED_FOR.contains(&kind);
            super::search_regular(text, &joined, offset, &is_meant, spans);
        }
        for inside in insides {
            full_search(&text[inside.clone()], offset + inside.start, spans);
        }
    }

    #[test]
    fn a_plus_does_not_hide_a_card() {
        assert_eq!(find("+4111 1111 1111 1111", &[Kind::Card]).len(), 1);
        assert!(find("+49 1512 3456789", &[Kind::Card]).is_empty());
    }

    proptest! {
        #[test]
        fn an_identifier_in_any_spelling_is_found_exactly(
            (kind, spelled) in spelled(), before in around(), after in around()
        ) {
            let text = format!("{before}{spelled}{after}");
            let start = before.len();
            let spans = find(&text, &[kind]);
            // Of an account that reads like a second identifier, both are one place.
            let second = text.char_indices().filter(|(at, _)| *at > start).any(|(at, _)| {
                !find(&text[at..], &[kind]).is_empty()
            });
            prop_assume!(!second);
            prop_assert_eq!(spans, vec![Span { kind, range: start..start + spelled.len() }], "{}", text);
            // A percent sign is no grouping of a value that is one identifier.
            prop_assert!(kind.is_valid(&spelled) || spelled.contains('%'));
        }

        #[test]
        fn an_identifier_in_regular_groups_is_found_across_anything(
            (kind, plain) in identifier(), size in prop::sample::select(&[1, 4][..]),
            joint in prop::sample::select(&[";", " | ", ")(", "; ", " (", "+", "*", "=", "’", "~", "\\", "&lpar;", "%3B"][..]),
        ) {
            let size = if kind == Kind::Nir { 1 } else { size };
            let groups: Vec<&str> = plain.as_bytes().chunks(size).map(|group| std::str::from_utf8(group).unwrap()).collect();
            let text = format!("no. {} ok", groups.join(joint));
            let spans = find(&text, &[kind]);
            prop_assert!(spans.iter().any(|span| span.kind == kind), "{}", text);
            let text = format!("no. ({plain}); ok");
            prop_assert_eq!(find(&text, &[kind]).len(), 1, "{}", text);
        }

        #[test]
        fn an_identifier_in_any_coding_is_found(
            (kind, plain) in identifier(), codings in prop::collection::vec(0..5_usize, 0..4), word in 5..8_usize,
            before in around(), after in around()
        ) {
            let inside = coded(&format!("n° {plain} "), word);
            let text = codings.iter().fold(inside, |text, coding| coded(&text, *coding));
            let text = format!("{before}{text}{after}");
            let spans = find(&text, &[kind]);
            prop_assert!(spans.iter().any(|span| span.kind == kind), "{}", text);
            prop_assert!(super::may_hold_any(&text));
        }

        #[test]
        fn a_literal_percent_sign_hides_nothing((kind, spelled) in identifier(), sign in "[%&]{1,2}|%25|&#|&amp;|&amp;#|%2525") {
            let text = format!("{sign}{spelled}");
            let spans = find(&text, &[kind]);
            prop_assert!(spans.iter().any(|span| span.kind == kind && span.range.end == text.len()), "{}", text);
        }

        #[test]
        fn a_quick_look_overlooks_nothing(
            (_, one) in spelled(), (_, other) in spelled(), cut in any::<prop::sample::Index>(),
            texts in prop::collection::vec("[a-z0-9A-F<>&;#x/ (é\u{a0}\u{663}\u{ff17}]{0,40}", 3)
        ) {
            let cut = (0..=one.len()).rev().find(|at| *at <= cut.index(one.len() + 1) && one.is_char_boundary(*at));
            let text = format!("{}{}{}{other}{}", texts[0], &one[cut.unwrap_or(0)..], texts[1], texts[2]);
            let mut spans = Vec::new();
            full_search(&text, 0, &mut spans);
            super::layers::each(&text, &mut |layer, source| {
                let mut inside = Vec::new();
                full_search(layer, 0, &mut inside);
                spans.extend(inside.into_iter().map(|span| Span { range: source(&span.range), ..span }));
            });
            prop_assert_eq!(find(&text, LOOKED_FOR), super::without_overlaps(spans), "{}", text);
        }

        #[test]
        fn any_text_is_searched_without_failing(text in "\\PC*", noise in "[0-9A-F<>&;#x/ \u{a0}]{0,200}") {
            for text in [&text, &noise] {
                for span in find(text, LOOKED_FOR) {
                    prop_assert!(text.get(span.range).is_some());
                }
            }
        }

        #[test]
        fn phone_numbers_and_dates_are_no_identifiers(
            phone in "0[1-9]( [0-9]{2}){4}", date in "(0[1-9]|[12][0-9]|30)/(0[1-9]|1[0-2])/20[0-9]{2}",
            time in "[01][0-9]:[0-5][0-9]:[0-5][0-9]"
        ) {
            let text = format!("{date} {time} : {phone} ; {phone}");
            prop_assert_eq!(found(&text), vec![]);
        }
    }
}
