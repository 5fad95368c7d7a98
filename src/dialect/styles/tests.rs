//! What is accepted and written back means the same when it is read again; nothing else is accepted.

use super::{rsql, sql};
use crate::dialect::{Path, Predicate};
use proptest::prelude::*;

fn path(text: &str) -> Option<Path> {
    let known = ["t.a", "t.b", "x.c"];
    known.contains(&text).then(|| Path {
        link: None,
        field: text.to_owned(),
    })
}

fn write(filter: &Predicate) -> String {
    sql::write(filter, &|path| path.field.clone())
}

/// Texts that may stand in quotes, and texts that may not.
fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 %_:,.é€-]{0,12}",
        "[a-zA-Z \"']{0,8}",
        "[ -~]{0,6}"
    ]
}

fn comparison() -> impl Strategy<Value = String> {
    let column = prop::sample::select(vec!["t.a", "t.b", "x.c", "y.d", "t.a b"]);
    let operator = prop::sample::select(vec![
        "=", "!=", "<", ">=", "like", "NOTLIKE", "in", "is", "regexp",
    ]);
    let value = prop_oneof![
        literal().prop_map(|text| format!("'{text}'")),
        (-999..999i32).prop_map(|number| number.to_string()),
        Just("null".to_owned()),
        literal(),
        (literal(), 0..9u8).prop_map(|(text, number)| format!("'{text}',{number}")),
    ];
    (column, operator, value)
        .prop_map(|(column, operator, value)| format!("({column}:{operator}:{value})"))
}

fn sql_filter() -> impl Strategy<Value = String> {
    comparison().prop_recursive(4, 24, 4, |inner| {
        let word = prop::sample::select(vec![" and ", " or ", " AND ", ")or(", " xor "]);
        prop_oneof![
            (inner.clone(), word, inner.clone())
                .prop_map(|(one, word, other)| format!("{one}{word}{other}")),
            inner.prop_map(|inner| format!("({inner})")),
        ]
    })
}

/// A text in RSQL, or nearly.
fn rsql_filter() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[a-zA-Z0-9*é._-]{1,6}",
        "[ -~]{0,6}".prop_map(|text| format!("'{text}'")),
        "[ -~]{0,4}"
    ];
    let operator = prop::sample::select(vec!["==", "<", "<=", "=in=", "=not="]);
    let column = prop::sample::select(vec!["t.a", "t.b", "x.c", "y.d"]);
    let leaf = (
        column,
        operator,
        prop::collection::vec(value, 1..3),
        any::<bool>(),
    )
        .prop_map(|(column, operator, values, list)| {
            if list {
                format!("{column}{operator}({})", values.join(","))
            } else {
                format!("{column}{operator}{}", values[0])
            }
        });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let between = prop::sample::select(vec![",", ";", ";,"]);
        prop_oneof![
            (inner.clone(), between, inner.clone())
                .prop_map(|(one, between, other)| format!("{one}{between}{other}")),
            inner.prop_map(|inner| format!("({inner})")),
        ]
    })
}

proptest! {
    #[test]
    fn sql_filters_mean_the_same_when_read_again(text in sql_filter()) {
        if let Some(filter) = sql::parse(&text, &path) {
            let written = write(&filter);
            prop_assert_eq!(sql::parse(&written, &path), Some(filter), "{}", written);
        }
    }

    #[test]
    fn rsql_means_the_same_when_read_again(text in rsql_filter()) {
        let operators = ["==", "<", "<=", "=in="];
        if let Some(filter) = rsql::parse(&text, &operators, &path) {
            let written = rsql::write(&filter, &|path| path.field.clone());
            prop_assert_eq!(rsql::parse(&written, &operators, &path), Some(filter), "{}", written);
        }
    }

    #[test]
    fn accepted_sql_filters_are_made_of_known_parts_only(text in "[(): '=<>a-z0-9.,;%\"\\\\-]{0,40}", filter in sql_filter(), at in 0..60usize) {
        // A piece of noise in a good filter as well.
        let mut noisy = filter;
        let at = at.min(noisy.len());
        if noisy.is_char_boundary(at) {
            noisy.insert_str(at, &text[..text.len().min(3)]);
        }
        for text in [text, noisy] {
            let Some(filter) = sql::parse(&text, &path) else { continue };
            let written = write(&filter);
            // A text begins behind a colon or a comma and ends before a bracket or a comma; quotes within are its own.
            let (mut outside, mut rest) = (String::new(), written.as_str());
            while let Some((before, after)) = rest.split_once('\'') {
                outside.push_str(before);
                prop_assert!(before.ends_with([':', ',']), "{}", written);
                let inside = after.split(')').next().unwrap_or_default();
                let criterion = written[..written.len() - after.len()].rsplit('(').next();
                let is_list = criterion.is_some_and(|part| part.contains("in:"));
                let end = if is_list { inside.find('\'') } else { inside.rfind('\'') };
                prop_assert!(end.is_some(), "{}", written);
                rest = &after[end.unwrap_or_default() + 1..];
                prop_assert!(rest.starts_with([')', ',']), "{}", written);
            }
            outside.push_str(rest);
            let words = outside.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.').filter(|word| !word.is_empty());
            for word in words {
                let known = ["and", "or", "t.a", "t.b", "x.c", "like", "notlike", "in", "notin", "is", "isnot", "null"];
                prop_assert!(known.contains(&word) || word.parse::<f64>().is_ok(), "{word} in {written}");
            }
        }
    }
}
