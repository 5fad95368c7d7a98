//! The search for identifiers as a whole: spellings, codings, what is left alone.

use super::identifier::search_fully;
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
        .find(|card| Kind::Card.is_valid(card))
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
        prop::collection::vec((separator(), any::<bool>()), plain.len()).prop_map(move |marks| {
            let mut spelled = String::new();
            for (index, (character, (separator, lower))) in plain.chars().zip(&marks).enumerate() {
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
        })
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
        search_fully(&text, 0, &mut spans);
        super::layers::each(&text, &mut |layer, source| {
            let mut inside = Vec::new();
            search_fully(layer, 0, &mut inside);
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
