//! What is accepted and written back means the same when it is read again; nothing else is accepted.

use crate::dialect::testing::Speaks as _;
use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::dialect::carriers::query_string;
use crate::dialect::spelling;

/// A filter of the bracket and JSON style, over fields and links.
fn item() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        "[ -~é]{0,8}".prop_map(Value::String),
        (0..99u32).prop_map(Value::from),
        Just(Value::Bool(true)),
        prop::collection::vec("[a-z&=+%]{0,4}".prop_map(Value::String), 1..4)
            .prop_map(Value::Array),
    ];
    let leaf = (
        prop::sample::select(vec!["is", "has", "in"]),
        prop::sample::select(vec!["town", "surname", "firm.iban"]),
        value,
    );
    leaf.prop_map(
        |(operator, field, value)| json!({"type": operator, "attribute": field, "value": value}),
    )
    .prop_recursive(3, 16, 3, |inner| {
        (
            prop::sample::select(vec!["and", "or"]),
            prop::collection::vec(inner, 1..4),
        )
            .prop_map(|(word, items)| json!({"type": word, "value": items}))
    })
}

/// Items of which all hold.
fn group() -> impl Strategy<Value = Value> {
    let item = (
        prop::sample::select(vec!["is", "in"]),
        prop::sample::select(vec!["town", "surname", "firm.iban"]),
        prop::collection::vec("[ -~é]{0,8}", 0..3),
        any::<bool>(),
    );
    let item = item.prop_map(|(operator, field, values, is_list)| match is_list {
        true => json!({"type": operator, "attribute": field, "values": values}),
        false => json!({"type": operator, "attribute": field, "value": values.first()}),
    });
    prop::collection::vec(item, 1..4).prop_map(|items| json!({"all": items}))
}

/// A key of an order, as an object.
fn key() -> impl Strategy<Value = Value> {
    let field = prop::sample::select(vec!["town", "surname", "firm.name"]);
    (field, prop::sample::select(vec!["asc", "DESC"]))
        .prop_map(|(field, way)| json!({"field": field, "direction": way}))
}

/// A term of a domain, as the elements that it consists of.
fn domain() -> impl Strategy<Value = Vec<Value>> {
    let leaf = (
        prop::sample::select(vec!["town", "surname", "firm.iban"]),
        prop::sample::select(vec!["is", "not in"]),
        "[ -~é]{0,8}",
    );
    leaf.prop_map(|(field, operator, value)| vec![json!([field, operator, value])])
        .prop_recursive(4, 24, 2, |inner| {
            let word = prop::sample::select(vec!["&", "|"]);
            prop_oneof![
                (word, inner.clone(), inner.clone()).prop_map(|(word, one, other)| [
                    vec![json!(word)],
                    one,
                    other
                ]
                .concat()),
                inner.prop_map(|term| [vec![json!("!")], term].concat()),
            ]
        })
}

/// Reads a request and the one that it becomes.
fn twice(every: &Described, line: &str) -> (Operation, Operation) {
    let first = understand(every, line, "").unwrap_or_else(|reason| panic!("{line}: {reason}"));
    let outgoing = every.render(&first);
    let again = format!("{} {}", outgoing.method, outgoing.target);
    let second = understand(every, &again, "").unwrap_or_else(|reason| panic!("{again}: {reason}"));
    (first, second)
}

proptest! {
    #[test]
    fn where_in_json_means_the_same_when_read_again(items in prop::collection::vec(item(), 0..4)) {
        let every = every();
        let text = json!({"where": items}).to_string();
        let (first, second) = twice(&every, &format!("GET /api/people?q={}", spelling::encode(&text)));
        prop_assert_eq!(first, second);
    }

    #[test]
    fn groups_and_keys_mean_the_same_when_read_again(groups in prop::collection::vec(group(), 0..4), order in prop::collection::vec(key(), 0..3)) {
        let every = every();
        let body = json!({"groups": groups, "order": order}).to_string();
        let first = understand(&every, "POST /api/found/people", &body).unwrap();
        let outgoing = every.render(&first);
        let again = String::from_utf8(outgoing.body.unwrap().to_vec()).unwrap();
        let second = understand(&every, "POST /api/found/people", &again).unwrap();
        prop_assert_eq!(first, second);
    }

    #[test]
    fn domains_mean_the_same_when_read_again(terms in prop::collection::vec(domain(), 0..4), descending in any::<bool>()) {
        let every = every();
        let order = if descending { "town desc, surname" } else { "surname,town ASC" };
        let body = json!({"domain": terms.concat(), "order": order}).to_string();
        let first = understand(&every, "POST /api/domain/people", &body).unwrap();
        let outgoing = every.render(&first);
        let again = String::from_utf8(outgoing.body.unwrap().to_vec()).unwrap();
        let second = understand(&every, "POST /api/domain/people", &again).unwrap();
        prop_assert_eq!(first, second);
    }

    #[test]
    fn where_in_brackets_means_the_same_when_read_again(items in prop::collection::vec(item(), 1..4)) {
        let every = every();
        let tree = Map::from_iter([("where".to_owned(), Value::Array(items))]);
        let (first, second) = twice(&every, &format!("GET /api/people?{}", query_string::write(&tree, &query_string::Names::PLAIN)));
        prop_assert_eq!(first.query, second.query);
    }

    #[test]
    fn no_query_string_makes_it_panic(text in "[ -~]{0,60}", body in "[ -~]{0,60}") {
        let every = every();
        for line in ["GET /api/people?", "GET /api/sql/firms?", "POST /api/search/people?"] {
            if let Ok(operation) = understand(&every, &format!("{line}{text}"), &body) {
                every.render(&operation);
            }
        }
    }

    #[test]
    fn no_description_makes_it_panic(from in 0..4000usize, length in 0..40usize, text in "[ -~]{0,12}") {
        let from = from.min(EVERYTHING.len());
        let to = (from + length).min(EVERYTHING.len());
        let (described, found) = Described::read("x.yaml", &format!("{}{text}{}", &EVERYTHING[..from], &EVERYTHING[to..]));
        prop_assert_eq!(described.is_some(), !found.has_errors());
    }
}
