//! The grammar of SQL fragments: what is accepted means the same when it is written back and read again.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::dialect::sugar_v4::lexer::Word;
use crate::dialect::sugar_v4::sql::Table;
use crate::dialect::sugar_v4::{lexer, sql};
use crate::dialect::{Database, Predicate, Sort, reread};

const TABLE: Table<'static> = Table {
    name: "contacts",
    module: "Contacts",
    database: Database::Mysql,
};
const ELSEWHERE: Table<'static> = Table {
    database: Database::Other,
    ..TABLE
};

/// A fragment as clients write it, in many spellings.
fn query() -> impl Strategy<Value = String> {
    predicate().prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(|parts| parts.join(" and ")),
            vec(inner.clone(), 1..4).prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.prop_map(|part| format!("NOT ({part})")),
        ]
    })
}

fn predicate() -> impl Strategy<Value = String> {
    let comparison = prop_oneof![
        Just("="),
        Just("!="),
        Just("<>"),
        Just("<"),
        Just("<="),
        Just(">"),
        Just(">=")
    ];
    prop_oneof![
        (column(), comparison, literal()).prop_map(|(c, o, v)| format!("{c} {o} {v}")),
        (column(), any::<bool>(), text())
            .prop_map(|(c, not, v)| format!("{c} {}LIKE {v}", if not { "NOT " } else { "" })),
        (column(), any::<bool>(), vec(literal(), 1..4)).prop_map(|(c, not, list)| {
            format!(
                "{c} {}in ({})",
                if not { "not " } else { "" },
                list.join(",")
            )
        }),
        (column(), literal(), literal()).prop_map(|(c, a, b)| format!("{c} BETWEEN {a} AND {b}")),
        (column(), any::<bool>())
            .prop_map(|(c, not)| format!("{c} IS {}NULL", if not { "NOT " } else { "" })),
        address(),
    ]
}

/// Records by their address, in the ways that clients look for them.
fn address() -> impl Strategy<Value = String> {
    let tables = prop_oneof![
        Just("email_addr_bean_rel r JOIN email_addresses a ON (a.id = r.email_address_id) WHERE"),
        Just(
            "email_addr_bean_rel r LEFT JOIN email_addresses a ON r.email_address_id = a.id WHERE"
        ),
        Just("email_addr_bean_rel as r, email_addresses as a WHERE a.id = r.email_address_id AND"),
        Just(
            "email_addresses a join email_addr_bean_rel r on r.deleted=0 and a.id = email_address_id where"
        ),
    ];
    let comparison = prop_oneof![
        text().prop_map(|v| format!("a.email_address = {v}")),
        text().prop_map(|v| format!("email_address_caps LIKE {v}")),
        vec(text(), 1..3).prop_map(|list| format!("a.email_address IN ({})", list.join(", "))),
        (text(), text())
            .prop_map(|(v, w)| format!("(a.email_address = {v} OR (email_address = {w}))")),
    ];
    let before = prop_oneof![
        Just(""),
        Just("r.deleted = 0 AND "),
        Just("bean_module = 'Contacts' AND "),
        Just("(r.deleted='0' and a.deleted=0) and r.bean_module = \"Contacts\" and "),
    ];
    let selected = prop_oneof![Just("bean_id"), Just("r.bean_id")];
    let membership = prop_oneof![Just("IN"), Just("not in")];
    (selected, tables, before, comparison, membership).prop_map(
        |(selected, tables, before, comparison, membership)| {
            format!(
                "contacts.id {membership} (SELECT {selected} FROM {tables} {before}{comparison})"
            )
        },
    )
}

fn column() -> impl Strategy<Value = String> {
    // No word of SQL begins with an x but this one.
    let name = || "x[a-z0-9_]{0,10}".prop_filter("a word of SQL", |name| name != "xor");
    prop_oneof![
        name(),
        name().prop_map(|name| format!("contacts.{name}")),
        "x[a-z0-9_]{0,8}_c".prop_map(|name| format!("contacts_cstm.{name}")),
    ]
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        text(),
        (-9_999i32..9_999).prop_map(|number| number.to_string())
    ]
}

/// A literal with whatever in it that means something to somebody.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -&(-\\[\\]-~é]{0,6}".prop_map(|text| text.replace('"', "")),
        Just("''".to_owned()),
        Just("\\'".to_owned()),
        Just("\\\\".to_owned()),
        Just("\\%".to_owned()),
        Just("--".to_owned()),
        Just("/*".to_owned()),
    ];
    vec(piece, 0..5).prop_map(|pieces| format!("'{}'", pieces.concat()))
}

/// What a filter says of three values: true, false, unknown. A predicate is told by its column, its operator and its
/// value; the opposite of an operator is unknown where the operator is, and false where it is true.
fn columns(filter: &Predicate, into: &mut Vec<String>) {
    match filter {
        Predicate::All(parts) | Predicate::Any(parts) => {
            parts.iter().for_each(|part| columns(part, into))
        }
        Predicate::Field { path, .. } => into.push(path.field.clone()),
        Predicate::Not(_) | Predicate::Caller { .. } => panic!("the grammar has none"),
    }
}

fn in_order(order: &[Sort]) -> Vec<(String, bool)> {
    order
        .iter()
        .map(|sort| (sort.path.field.clone(), sort.descending))
        .collect()
}

/// The texts of a fragment.
fn texts(fragment: &str) -> Vec<String> {
    let words = lexer::words(fragment).unwrap().into_iter();
    words
        .filter_map(|word| match word {
            Word::Text(text) => Some(text),
            _ => None,
        })
        .collect()
}

/// A fragment without its literals: what is left is keywords, names, numbers and signs of the grammar.
fn bones(text: &str) -> String {
    let mut bones = String::new();
    let mut inside = false;
    for character in text.chars() {
        match character {
            '\'' => inside = !inside,
            other if !inside => bones.push(other),
            _ => {}
        }
    }
    assert!(!inside, "a literal does not end");
    bones
}

proptest! {
    #[test]
    fn what_is_accepted_means_the_same_again(text in query()) {
        let filter = sql::filter(&text, TABLE).unwrap().unwrap();
        let written = sql::render(&filter, TABLE);
        let again = sql::filter(&written, TABLE).unwrap().unwrap();
        prop_assert_eq!(&again, &filter, "{}", written);
        prop_assert_eq!(sql::render(&again, TABLE), written);
        // In quotes it means the same, or it is refused for what its texts say.
        let quoted = sql::render(&filter, ELSEWHERE);
        prop_assert_eq!(sql::filter(&quoted, TABLE), Ok(Some(filter.clone())), "{}", quoted);
        match sql::filter(&text, ELSEWHERE) {
            Ok(elsewhere) => prop_assert_eq!(elsewhere, Some(filter)),
            Err(_) => prop_assert!(texts(&text).iter().any(|text| reread::is_rewritten(text))),
        }
    }

    #[test]
    fn nothing_of_a_text_stands_in_what_is_written(text in "[g-zG-Z(){}&%;#\\u{e9}]{1,20}") {
        let filter = sql::filter(&format!("x = '{text}'"), TABLE).unwrap().unwrap();
        let written = sql::render(&filter, TABLE);
        let digits = written.strip_prefix("contacts.x = _utf8mb4 0x").unwrap();
        prop_assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", written);
    }

    #[test]
    fn what_is_written_names_one_table_and_calls_nothing(text in query()) {
        let filter = sql::filter(&text, TABLE).unwrap().unwrap();
        let bones = bones(&sql::render(&filter, TABLE));
        prop_assert!(bones.chars().all(|c| c.is_ascii_alphanumeric() || " _.,()=!<>-".contains(c)), "{}", bones);
        prop_assert!(!bones.contains("--"), "{}", bones);
        let tables = ["contacts.", "contacts_cstm.", "eabr.", "ea."];
        let mut rest = bones.clone();
        for table in tables {
            rest = rest.replace(table, "");
        }
        prop_assert!(!rest.contains('.'), "{}", bones);
    }

    #[test]
    fn denying_twice_is_not_denying(text in query()) {
        let plain = sql::filter(&text, TABLE).unwrap();
        let twice = sql::filter(&format!("NOT (NOT ({text}))"), TABLE).unwrap();
        prop_assert_eq!(plain, twice);
    }

    #[test]
    fn denying_keeps_every_column(text in query()) {
        let (mut plain, mut denied) = (Vec::new(), Vec::new());
        columns(&sql::filter(&text, TABLE).unwrap().unwrap(), &mut plain);
        columns(&sql::filter(&format!("NOT ({text})"), TABLE).unwrap().unwrap(), &mut denied);
        prop_assert_eq!(plain, denied);
    }

    #[test]
    fn nothing_outside_the_grammar_is_accepted(text in "[a-z_.'\"\\\\()=<>!,;*/#%`@&|+ 0-9-]{0,40}") {
        if let Ok(Some(filter)) = sql::filter(&text, TABLE) {
            let written = sql::render(&filter, TABLE);
            prop_assert_eq!(sql::filter(&written, TABLE), Ok(Some(filter)), "{}", written);
        }
        if let Ok(order) = sql::order(&text, TABLE) {
            let written = sql::render_order(&order);
            let again = sql::order(&written, TABLE).unwrap();
            prop_assert_eq!(in_order(&again), in_order(&order));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = lexer::words(&text);
        let _ = sql::filter(&text, TABLE);
        let _ = sql::order(&text, TABLE);
    }
}
