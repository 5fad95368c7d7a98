//! What a salesperson's account would try against the CRM behind us, and what honest people type.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::models::php::Html;
use super::super::models::sql;
use super::super::models::suitecrm::{self, Kind, Related};
use super::{PLACES, Place, is_sent};
use crate::dialect::Database;

/// The attack that ran before a live CRM, and the same by a field of which nobody here can know.
const ATTACKS: &[&str] = &[
    "contact_name AND 1=2 OR (SELECT 1)) #%",
    "boss AND 1=2 OR (SELECT 1)) #%",
];

/// Spellings of an opening bracket.
const BRACKETS: &[&str] = &[
    "(",
    "&#40;",
    "&#040;",
    "&#40",
    "&#x28;",
    "&#X0028;",
    "&lpar;",
    "&amp;#40;",
    "&amp;amp;#40;",
    "&#38;#40;",
    "%28",
    "%2528",
    "\\u0028",
    "\\(",
    "\u{ff08}",
    "&#65288;",
    "&amp;lpar;",
];

/// Whether a comparison with a text reaches beyond its literal in the CRM, were it sent as it is.
fn reaches_out(text: &str) -> bool {
    let comparisons = [("status".to_owned(), "like".to_owned(), text.to_owned())];
    let condition = suitecrm::filter("tasks", &comparisons, "and", Html::Five);
    let related = [
        suitecrm::stock(),
        vec![Related::new("boss", Kind::Composed)],
    ]
    .concat();
    let query = suitecrm::list_query("tasks", &condition, &related);
    let plain = suitecrm::filter(
        "tasks",
        &[("status".to_owned(), "like".to_owned(), "x".to_owned())],
        "and",
        Html::Five,
    );
    let plain = sql::tokens(&suitecrm::list_query("tasks", &plain, &suitecrm::stock())).unwrap();
    sql::tokens(&query).is_none_or(|tokens| sql::bones(&tokens) != sql::bones(&plain))
}

#[test]
fn the_model_runs_what_a_live_crm_ran() {
    for bracket in ["(", "&#40;", "&#040;", "&#x28;", "&lpar;", "& lt;(", "(\t"] {
        for attack in ATTACKS {
            assert!(reaches_out(&format!("{bracket}{attack}")), "{bracket}");
        }
    }
    for text in [
        "x",
        "O'Brien",
        "50 %",
        "x (Lyon) %",
        "(\ncontact_name AND 1=2 OR 1)) #%",
        "contact_name",
        "%28contact_name AND 1=2 OR 1)) #%",
        "'",
    ] {
        assert!(!reaches_out(text), "{text}");
    }
    let comparisons = [(
        "status".to_owned(),
        "eq".to_owned(),
        "x UNION ALL SELECT y ORDER BY z".to_owned(),
    )];
    let condition = suitecrm::filter("tasks", &comparisons, "and", Html::Four);
    let count = suitecrm::count_query(&suitecrm::list_query("tasks", &condition, &[]));
    assert_eq!(
        sql::tokens(&count),
        None,
        "it is cut off within a literal: {count}"
    );
}

#[test]
fn no_spelling_of_the_attack_reaches_the_database() {
    for bracket in BRACKETS {
        for blank in ["", " ", "\t", "&Tab;", "&nbsp;"] {
            for attack in ATTACKS {
                let text = format!("x {bracket}{blank}{attack}");
                for place in [
                    Place::Predicate("and"),
                    Place::Predicate("or"),
                    Place::Search,
                    Place::Fragment(Database::Other),
                ] {
                    assert!(!is_sent(place, &text, "y%"), "{place:?} {text}");
                }
                assert!(
                    is_sent(Place::Fragment(Database::Mysql), &text, "y%"),
                    "{text}"
                );
            }
        }
    }
    for (one, other) in [
        ("x UNION ALL SELECT ", " FROM users ORDER BY "),
        ("x&#32;UNION&#32;ALL SELECT", "y"),
        ("parent_Users_users.name", "y"),
        ("x order\u{a0}by y", "y"),
        ("x contact_name y", "y%"),
    ] {
        assert!(!is_sent(Place::Predicate("and"), one, other), "{one}");
        assert!(
            !is_sent(Place::Fragment(Database::Other), one, other),
            "{one}"
        );
        assert!(
            is_sent(Place::Fragment(Database::Mysql), one, other),
            "{one}"
        );
    }
}

#[test]
fn honest_texts_are_sent_and_mean_what_they_say() {
    for text in [
        "Dupont",
        "O'Brien & Fils",
        "O&#039;Brien &amp;amp; Fils",
        "R&D <b>",
        "50 %",
        "50\\%",
        "D%",
        "Dupont (Lyon)",
        "Dupont (M\u{e8}re)",
        "(\u{c9}lise)",
        "\"quoted\"",
        "a\\b",
        "AT&T",
        "&copy 2020",
        "a_b",
        "jean.dupont@example.org",
        "\u{5f20}\u{4f1f} (\u{5317})",
        "2024-01-01 10:00:00",
        "",
    ] {
        for place in [
            Place::Predicate("and"),
            Place::Predicate("or"),
            Place::Fragment(Database::Other),
            Place::Fragment(Database::Mysql),
        ] {
            assert!(is_sent(place, text, "x%"), "{place:?} {text}");
        }
        assert!(
            is_sent(Place::Json, text, "UTC") && is_sent(Place::Brackets, text, "UTC"),
            "{text}"
        );
    }
    for text in [
        "Dupont",
        "O'Brien & Fils",
        "50 %",
        "Dupont (Lyon)",
        "\"quoted\"",
        "a\\b",
    ] {
        assert!(is_sent(Place::Search, text, ""), "{text}");
    }
    for (one, other) in [
        ("Pel%", "75001"),
        ("a-b_c.d", "3"),
        ("\u{e9}\u{e8} & 'x", "12"),
        ("10:30", "-2.5"),
    ] {
        assert!(is_sent(Place::SqlFilters, one, other), "{one}");
    }
    // What no text in quotes may say, a text in hexadecimal may.
    for text in [
        "Dupont (m\u{e8}re) order by x",
        "x UNION ALL y",
        "&#40;contact_name %",
        "(contact_name) %'",
        "\u{1f600}",
    ] {
        assert!(
            is_sent(Place::Fragment(Database::Mysql), text, "%"),
            "{text}"
        );
    }
}

/// Pieces that mean something to somebody on the way to a database.
fn piece() -> impl Strategy<Value = String> {
    let words = select(vec![
        "contact_name",
        "parent_Users_users.name",
        "created_by_name",
        "account_name",
        "ORDER BY",
        "UNION ALL",
        "SELECT",
        " FROM ",
        "OR 1=1",
        "%'",
        "%')",
        "')",
        "#",
        "-- ",
        "/*",
        "*/",
        "/*!",
        "\\",
        "'",
        "\"",
        "%",
        "_",
        "&",
        ";",
        "(",
        ")",
        "&#40;",
        "&#x28;",
        "&#40",
        "&lpar;",
        "&amp;",
        "&amp;amp;",
        "&lt;",
        "&Lt;",
        "&quot;",
        "&#039;",
        "&#39;",
        "&#92;",
        "&Tab;",
        "&NewLine;",
        "&nbsp;",
        "&apos;",
        "%28",
        "%27",
        "%2528",
        "%u0028",
        "\\u0028",
        "\\x28",
        "\\50",
        "\u{ff08}",
        "\u{ff07}",
        "\u{a0}",
        "\u{200b}",
        "\t",
        " ",
        ":",
        ",",
        "null",
        "__NOW__",
        "__USER_ID__",
        "0x41",
        "_utf8mb4",
        "[",
        "]",
        "=",
        "+",
        "<b>",
        ".parentNode",
        "javascript:",
        "{1}",
        "and",
        "or",
        "1",
        "2.5",
    ]);
    prop_oneof![
        6 => words.prop_map(str::to_owned),
        2 => "[a-zA-Z0-9 .,'é-]{0,8}",
        1 => any::<char>().prop_map(String::from),
        1 => any::<u32>().prop_map(|code| format!("&#{};", code % 300)),
        1 => any::<u8>().prop_map(|byte| format!("%{byte:02x}")),
    ]
}

fn text() -> impl Strategy<Value = String> {
    let pieces = vec(piece(), 0..9).prop_map(|pieces| pieces.concat());
    prop_oneof![2 => pieces, 1 => attack()].prop_map(|text| text.replace('\n', " "))
}

/// Something like a bracket, something that may be taken for nothing, and a name that the CRM could look for.
fn attack() -> impl Strategy<Value = String> {
    let before = select(vec!["", "x ", "x", "' ", "&", "%"]);
    let filler = select(vec![
        "",
        "",
        " ",
        "\t",
        "&nbsp;",
        "&Tab;",
        "%20",
        "<b>",
        "</b >",
        ".parentNode",
        "\u{200b}",
        "\u{a0}",
        "\\",
        "=",
        "(",
        "&",
    ]);
    let name = select(vec![
        "contact_name",
        "boss",
        "boss_c",
        "b%6fss",
        "&#98;oss",
        "bo\u{ff53}s",
        "Boss",
        "boss_id",
        "b<i>oss",
    ]);
    let rest = select(vec![
        " AND 1=2 OR 1=1)) #%",
        " %",
        "%",
        "') OR 1=1 -- %",
        "",
    ]);
    (before, select(BRACKETS.to_vec()), filler, name, rest).prop_map(
        |(before, bracket, filler, name, rest)| format!("{before}{bracket}{filler}{name}{rest}"),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Refused, or the model's SQL (or tree) is what was accepted, to the byte of each literal.
    #[test]
    fn what_is_accepted_is_what_the_crm_runs(one in text(), other in text(), place in 0..PLACES.len()) {
        is_sent(PLACES[place], &one, &other);
    }

    /// Before MySQL nothing is refused for what a text says.
    #[test]
    fn a_text_in_hexadecimal_may_say_anything(one in "\\PC{0,40}", other in text()) {
        let is_textual = |text: &str| text.chars().all(|letter| !letter.is_control() || letter == '\t');
        prop_assume!(is_textual(&one) && is_textual(&other));
        prop_assert!(is_sent(Place::Fragment(Database::Mysql), &one, &other));
    }
}
