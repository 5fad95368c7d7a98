//! The kinds that are told by their form and their company, and what is nobody's.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use serde_json::Value;

use super::Kind;
use crate::detect::{Span, find, may_hold_any};

/// What of a text was found.
fn found(text: &str) -> Vec<(&'static str, &str)> {
    find(text, &Kind::IDENTIFIERS)
        .into_iter()
        .map(|Span { kind, range }| (kind.as_str(), &text[range]))
        .collect()
}

fn is_found(kind: &'static str, cases: &[(&str, &str)]) {
    for (text, identifier) in cases {
        assert_eq!(found(text), [(kind, *identifier)], "{text}");
        assert!(may_hold_any(text), "{text}");
    }
}

#[test]
fn the_registry_is_in_the_order_of_the_kinds() {
    for (kind, entry) in Kind::IDENTIFIERS.into_iter().zip(&super::REGISTRY) {
        assert_eq!(entry.kind, kind);
    }
    assert!(Kind::IDENTIFIERS.is_sorted_by_key(|kind| kind.as_str()));
}

#[test]
fn phones_are_found_in_the_forms_of_their_countries() {
    is_found(
        "phone",
        &[
            ("Tél. 06 12 34 56 78, le matin", "06 12 34 56 78"),
            ("rappeler le 0612345678", "0612345678"),
            ("+33 (0)6 12 34 56 78", "+33 (0)6 12 34 56 78"),
            ("(0033) 6 12 34 56 78", "(0033) 6 12 34 56 78"),
            ("gsm 0475/12.34.56", "0475/12.34.56"),
            ("+352 621 123 456", "+352 621 123 456"),
            ("079 123 45 67", "079 123 45 67"),
            ("(0221) 12 34 56", "(0221) 12 34 56"),
            ("Telefon: 0 89 / 12 34 56 78", "0 89 / 12 34 56 78"),
            ("0664 1234567", "0664 1234567"),
            ("móvil 612 34 56 78", "612 34 56 78"),
            ("cell. 347 1234567", "347 1234567"),
            ("06-12345678", "06-12345678"),
            ("07700 900123", "07700 900123"),
            ("+353 86 123 4567", "+353 86 123 4567"),
            ("912 345 678", "912 345 678"),
            (
                "tel&nbsp;: 06&nbsp;12&nbsp;34&nbsp;<b>56</b>&nbsp;78",
                "06&nbsp;12&nbsp;34&nbsp;<b>56</b>&nbsp;78",
            ),
            ("tel ０６１２３４５６７８", "０６１２３４５６７８"),
        ],
    );
    assert_eq!(found("06 12 34 56 78 / 06 98 76 54 32").len(), 2);
}

#[test]
fn lists_of_pairs_are_no_phones() {
    for text in [
        "Horaires 08 30 12 00 14 00 18 30",
        "Ouvert 10 08 30 12 05 14 00 18",
        "Lots 01 02 03 04 05 livrés",
        "Quantités : 02 04 06 08 10",
        "Tailles : 05 10 15 20 25",
        "Kilométrage 012 345 678 km",
        "Volume 01 12 40 56 78 m3",
        "Order 06-12-34-56-78",
        "Tirage du loto : 03 11 24 31 40 07 12",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
    is_found(
        "phone",
        &[
            ("Tél. 02 04 06 08 10", "02 04 06 08 10"),
            ("01 23 45 67 89", "01 23 45 67 89"),
            ("Vu à 10:30 06 12 34 56 78", "06 12 34 56 78"),
            ("le 12/03 06 12 34 56 78", "06 12 34 56 78"),
            ("06 12 34 56 78 10h30", "06 12 34 56 78"),
            ("06 12 34 56 78 M. Durand", "06 12 34 56 78"),
            ("06-12-34-56-78", "06-12-34-56-78"),
        ],
    );
    assert_eq!(found("06 12 34 56 78 06 98 76 54 32").len(), 2);
    assert_eq!(
        found("Mme Durand 06 12 34 56 78 12 rue de la Paix").len(),
        2
    );
}

#[test]
fn mail_is_found_however_it_is_hidden() {
    is_found(
        "mail",
        &[
            (
                "écrire à jean.dupont@example.org.",
                "jean.dupont@example.org",
            ),
            ("l'adresse d'info@example.org", "info@example.org"),
            ("jörg@müller.example", "jörg@müller.example"),
            ("用户@例子.公司", "用户@例子.公司"),
            ("jean (at) example dot org", "jean (at) example dot org"),
            ("jean[at]example[.]org", "jean[at]example[.]org"),
            ("j.dupont AT example DOT org", "j.dupont AT example DOT org"),
            (
                "jean arobase exemple point fr",
                "jean arobase exemple point fr",
            ),
            ("jean&#64;example.org", "jean&#64;example.org"),
            ("je<b>an@exam</b>ple.org", "je<b>an@exam</b>ple.org"),
            ("jean@exa\u{200b}mple.org", "jean@exa\u{200b}mple.org"),
            ("<jean@example.org>", "jean@example.org"),
            (
                "<a href=\"mailto:jean@example.org\">x</a>",
                "jean@example.org",
            ),
            ("?to=jean%40example.org", "jean%40example.org"),
        ],
    );
    for text in [
        "look at example.org",
        "at the dot com boom",
        "@support",
        "react@18.2.0",
        "logo@2x.png",
        "git@example.org:a/b",
        "https://a:b@example.org/",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn banks_are_found_beside_a_word_or_an_account() {
    is_found(
        "bic",
        &[
            ("BIC : BNPAFRPPXXX", "BNPAFRPPXXX"),
            ("SWIFT-Code DEUTDEFF", "DEUTDEFF"),
            ("bic bnpafrpp", "bnpafrpp"),
            ("BIC BNPA FR PP", "BNPA FR PP"),
            ("BNPAFRPP (BIC)", "BNPAFRPP"),
        ],
    );
    let account = "FR76 3000 6000 0112 3456 7890 189";
    assert_eq!(
        found(&format!("{account} BNPAFRPP")),
        [("iban", account), ("bic", "BNPAFRPP")]
    );
    assert_eq!(found(&format!("{account} VIREMENT")), [("iban", account)]);
    for text in ["BIC manquant", "DOCUMENT", "BNPAFRPP", "un arabic DOCUMENT"] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn national_numbers_need_a_check_digit_and_a_word_or_a_form() {
    is_found(
        "national_id",
        &[
            ("DNI 12345678-Z", "12345678-Z"),
            ("NIE X1234567L", "X1234567L"),
            ("RSSMRA85T10A562S", "RSSMRA85T10A562S"),
            ("C.F. RSS MRA 85T10 A562S", "RSS MRA 85T10 A562S"),
            ("Steuer-ID 86 095 742 719", "86 095 742 719"),
            ("BSN: 111222333", "111222333"),
            ("PESEL 44051401359", "44051401359"),
            ("NINO AB123456C", "AB123456C"),
            ("AB 12 34 56 C", "AB 12 34 56 C"),
            ("756.9217.0769.85", "756.9217.0769.85"),
            ("NISS 85.07.30-033.28", "85.07.30-033.28"),
        ],
    );
    for text in [
        "DNI 12345678-A",
        "111222333",
        "86095742719",
        "RSSMRA85T10A562T",
        "BSN 111222334",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn passports_need_their_word() {
    is_found(
        "passport",
        &[
            ("Passeport n° 12AB34567", "12AB34567"),
            ("Reisepass C01X00T47", "C01X00T47"),
            ("passaporto YA 1234567", "YA 1234567"),
            ("12AB34567 (passeport)", "12AB34567"),
        ],
    );
    for text in [
        "12AB34567",
        "passport renewed, order 123456789",
        "passeport valable jusqu'au 12/03/2030",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn dates_are_births_where_words_say_so() {
    is_found(
        "birth_date",
        &[
            ("née le 3 mai 1984 à Lyon", "3 mai 1984"),
            ("n&eacute; le 03/05/1984", "03/05/1984"),
            ("DOB: May 3rd, 1984", "May 3rd, 1984"),
            ("Geb. 3.5.84", "3.5.84"),
            ("* 3. Mai 1984 in Köln", "3. Mai 1984"),
            (
                "Fecha de nacimiento: 3 de mayo de 1984",
                "3 de mayo de 1984",
            ),
            ("nata a Bari il 3 maggio 1984", "3 maggio 1984"),
            ("né le trois mai 1984", "trois mai 1984"),
            ("née le 03/05/1984, RDV le 12/06/2026", "03/05/1984"),
            ("1984-05-03 (date de naissance)", "1984-05-03"),
        ],
    );
    assert_eq!(found("nés le 03/05/2014 et le 12/06/2016").len(), 2);
    for text in [
        "il ne viendra pas le 12/03/2026",
        "La société est née le 3 mai 1984",
        "RDV le 12/03/2026 avec Mme Durand, née Petit",
        "NATO il 12/03/2026",
        "le 12 mars 2026",
        "born leader, promoted 12/03/2026",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn addresses_are_found_in_the_orders_of_their_countries() {
    is_found(
        "address",
        &[
            (
                "habite 12 bis, rue de la Paix, 75002 Paris",
                "12 bis, rue de la Paix, 75002 Paris",
            ),
            (
                "Rue de la Loi 16, 1000 Bruxelles",
                "Rue de la Loi 16, 1000 Bruxelles",
            ),
            (
                "Hauptstraße 12a\n10115 Berlin",
                "Hauptstraße 12a\n10115 Berlin",
            ),
            ("Am Markt 5, 04103 Leipzig", "Am Markt 5, 04103 Leipzig"),
            (
                "C/ Mayor 12, 3º B, 28013 Madrid",
                "C/ Mayor 12, 3º B, 28013 Madrid",
            ),
            (
                "Via Garibaldi, 12 - 20121 Milano (MI)",
                "Via Garibaldi, 12 - 20121 Milano (MI)",
            ),
            (
                "Keizersgracht 12, 1015 CJ Amsterdam",
                "Keizersgracht 12, 1015 CJ Amsterdam",
            ),
            (
                "12 High Street, London SW1A 1AA",
                "12 High Street, London SW1A 1AA",
            ),
            (
                "44 Lower Leeson Street, Dublin 2",
                "44 Lower Leeson Street, Dublin 2",
            ),
            (
                "Rua Augusta 12, 1100-053 Lisboa",
                "Rua Augusta 12, 1100-053 Lisboa",
            ),
        ],
    );
    for text in [
        "3 places de parking",
        "Parkplatz 12",
        "Supermarkt 24 Stunden",
        "via email 12",
        "cours de 10h à 12h",
        "Im Jahr 2019 Kunden gewonnen",
        "salle 12, place Marie",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

/// Digits with Luhn's check digit behind them.
fn with_luhn(body: &str) -> String {
    (0..10)
        .map(|last| format!("{body}{last}"))
        .find(|digits| super::card::passes_luhn(digits.as_bytes()))
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn numbers_of_firms_and_devices_are_left_alone(
        siren in "[3-9][0-9]{7}", office in "0{3}[0-9]", device in "(35|86|01|99)[0-9]{12}", chip in "89(33|49|34|39|44)[0-9]{14}",
        word in prop::sample::select(&["", "SIRET ", "voir ", "n° ", "IMEI: ", "SIM "][..]),
    ) {
        let firm = with_luhn(&format!("{}{office}", with_luhn(&siren)));
        let grouped = format!("{} {} {} {}", &firm[..3], &firm[3..6], &firm[6..9], &firm[9..]);
        let chip = with_luhn(&chip);
        let fours: Vec<&str> = (0..chip.len()).step_by(4).map(|at| &chip[at..chip.len().min(at + 4)]).collect();
        for number in [firm, grouped, with_luhn(&device), fours.join(" "), chip.clone()] {
            let text = format!("{word}{number}");
            prop_assert_eq!(found(&text), vec![], "{}", text);
        }
    }

    #[test]
    fn spans_are_in_order_and_apart_in_any_text(
        parts in prop::collection::vec(prop::sample::select(&[
            "tel ", "06 12 34 56 78", "+33", "0", "12", "1984", "/", ".", " ", "-", "(", ")", "née le ", "mai", "BIC ", "BNPAFRPP", "@", "a", "example.org", " at ",
            " dot ", "(at)", "12 rue de la ", "Paix", "75002 Paris", "straße ", "DNI ", "12345678Z", "passeport ", "12AB34567", "é", "&eacute;", "<b>", "</b>", "<a href='", "'>",
            "&#64;", "\u{200b}", "\n", "%40", "%2B", "4111 1111 1111 1111", "FR7630006000011234567890189", "SIRET ", "\u{ff11}", "\u{1f600}", "ß", "'", "°", "*",
        ][..]), 0..30),
    ) {
        let text = parts.concat();
        let mut end = 0;
        let spans = find(&text, &Kind::IDENTIFIERS);
        for Span { range, .. } in &spans {
            prop_assert!(range.start >= end && range.start < range.end, "{}", text);
            prop_assert!(text.get(range.clone()).is_some(), "{}", text);
            end = range.end;
        }
        prop_assert!(spans.is_empty() || may_hold_any(&text), "{}", text);
    }

    #[test]
    fn any_text_is_read_without_failing(text in "\\PC{0,80}", noise in "[0-9A-Za-z@.(),:;/+*°' \n<>&#-]{0,120}") {
        for text in [&text, &noise] {
            for span in find(text, &Kind::IDENTIFIERS) {
                prop_assert!(text.get(span.range).is_some());
            }
        }
    }
}

/// Texts whose repetitions are all triggers, or one word without end.
const UNITS: &[&str] = &[
    "1 1 1 ",
    "a@a@a@",
    "rue ",
    "rue 1 ",
    "12 rue ",
    "bic ",
    "né le ",
    "+33 ",
    "4111 ",
    " at ",
    "(at)",
    "12/03/1984 ",
    "Strasse 1, ",
    "06 ",
    "x.y@z.fr ",
    "AB12 ",
    "passeport 1",
    "C1 ",
    "&#64;",
    "<a 1>",
    "é1",
    "0 ",
    "1 mai ",
    "--at-",
    "-at-",
    "a-at-",
    "_at_",
    "a_at_b",
    " at b dot ",
    "(at)a[dot]",
    "robase",
    "arobase ",
    "arobase",
    "arroba",
    "chiocciola",
    "BIC1",
    "1bic",
    "swift1",
    "swift-",
    "BIC ABCD ",
    "a@a.fr.",
    "@a-",
    "o'@",
    "://a@",
    "tel0612345678",
    "06 12 34 56 78 ",
    "06-12-34-56-78-",
    "01",
    "1",
    "a",
    "1a",
    "n 1 ",
    "Paix 1, ",
    "Str. 1 ",
    "-Karl-Allee 1",
    "75002 ",
    "1000-",
    "SW1A 1AA ",
    "D02X285",
    "12345678Z",
    "RSSMRA85",
    "12mars1984",
    "*1/1/84",
    "* ",
    "passeport12AB34567",
    "0033612345678",
    "+33612345678",
];

/// Steps of the search in so many bytes of a text that is repeated.
fn steps(unit: &str, bytes: usize) -> usize {
    let text = unit.repeat(bytes / unit.len());
    super::reader::steps::of(|| {
        find(&text, &Kind::IDENTIFIERS);
    })
}

/// Four times the text is four times the work, and not sixteen times.
fn is_read_in_line(unit: &str, bytes: usize) {
    let (few, many) = (steps(unit, bytes), steps(unit, 4 * bytes));
    assert!(many <= 5 * few.max(bytes), "{unit}: {few}, then {many}");
}

#[test]
fn repetitive_text_is_read_in_line_with_its_length() {
    for unit in UNITS {
        is_read_in_line(unit, 64 << 10);
    }
}

#[test]
fn words_that_trigger_a_search_are_read_in_line_with_their_number() {
    for word in [
        "at",
        "AT",
        "arobase",
        "arroba",
        "chiocciola",
        "bic",
        "BIC",
        "Swift",
        "@",
        "(at)",
        "dot",
        "tel",
        "rue",
        "strasse",
        "0",
        "06",
        "12",
        "1984",
        "mai",
        "passeport",
        "dni",
    ] {
        for before in ["", "a", "1", "-", "_", " ", "."] {
            for behind in ["", "a", "1", "-", "_", " ", "."] {
                is_read_in_line(&format!("{before}{word}{behind}"), 4 << 10);
            }
        }
    }
}

/// Found, wrongly found and overlooked.
type Counts = [usize; 3];

fn measured(file: &str) -> BTreeMap<String, Counts> {
    let path = format!("{}/corpora/identifiers/{file}", env!("CARGO_MANIFEST_DIR"));
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let text = value["text"].as_str().unwrap();
        let bytes: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        let place =
            |span: &Value, key: &str| bytes[usize::try_from(span[key].as_u64().unwrap()).unwrap()];
        let expected: Vec<_> = value["spans"].as_array().unwrap().iter().collect();
        let is_one = |span: &Value, found: &Span| {
            let (start, end) = (place(span, "start"), place(span, "end"));
            let both = end
                .min(found.range.end)
                .saturating_sub(start.max(found.range.start));
            span["type"] == found.kind.as_str()
                && match found.kind {
                    Kind::Address => 2 * both >= (end - start).max(found.range.len()),
                    _ => found.range == (start..end),
                }
        };
        let spans = find(text, &Kind::IDENTIFIERS);
        for span in &expected {
            let place = if spans.iter().any(|found| is_one(span, found)) {
                0
            } else {
                2
            };
            counts
                .entry(span["type"].as_str().unwrap().to_owned())
                .or_default()[place] += 1;
        }
        for found in &spans {
            if !expected.iter().any(|span| is_one(span, found)) {
                counts.entry(found.kind.as_str().to_owned()).or_default()[1] += 1;
            }
        }
    }
    counts
}

#[test]
fn the_development_set_is_found_and_nothing_else() {
    let counts = measured("positives.jsonl");
    assert_eq!(counts.len(), Kind::IDENTIFIERS.len(), "{counts:?}");
    for (kind, [hits, wrong, missed]) in &counts {
        assert!(*hits >= 150, "{kind} {counts:?}");
        assert!(
            wrong * 100 <= *hits && missed * 100 <= *hits,
            "{kind} {counts:?}"
        );
    }
    let wrong: usize = measured("negatives.jsonl")
        .values()
        .map(|[_, wrong, _]| wrong)
        .sum();
    assert!(wrong <= 5, "{wrong} false alarms");
}
