//! What holds for every request: rendering loses nothing, and what was tampered with is refused or means what it says.

use crate::dialect::testing::Speaks as _;
use http::Method;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

use super::{BOUNDS, again, described, understand};
use crate::dialect::{
    Dialect, Incoming, Operation, Path, Predicate, Projected, Query, Sort, Understood, reread,
};

/// Rows that the CRM sends where no number is asked for.
const ROWS: u32 = 20;

fn field() -> impl Strategy<Value = String> {
    "[A-Za-z][A-Za-z0-9_]{0,10}".prop_filter("names with a meaning of their own", |name| {
        !["deleted", "operator", "id", "db", "filename"]
            .iter()
            .any(|word| word.eq_ignore_ascii_case(name))
    })
}

fn path() -> impl Strategy<Value = Path> {
    field().prop_map(|field| Path { link: None, field })
}

/// Comparisons, each field and operator once: a repeated parameter has two readings.
fn filter() -> impl Strategy<Value = Predicate> {
    let operator = select(vec!["eq", "neq", "gt", "gte", "lt", "lte", "like"]);
    let value = "[ -~é€&=#%\\[\\]]{0,12}".prop_filter("words of the CRM's own, entities", |text| {
        !reread::is_rewritten(text) && reread::settled(text).as_ref() == Some(text)
    });
    let comparisons = btree_set((field(), operator, value), 1..5);
    (comparisons, any::<bool>()).prop_map(|(comparisons, all)| {
        let mut seen = std::collections::BTreeSet::new();
        let parts = comparisons
            .into_iter()
            .filter(|(field, operator, _)| seen.insert((field.clone(), *operator)))
            .map(|(field, operator, value)| Predicate::Field {
                path: Path { link: None, field },
                operator: Some(operator),
                value: Value::from(value),
            })
            .collect();
        if all {
            Predicate::All(parts)
        } else {
            Predicate::Any(parts)
        }
    })
}

fn projection() -> impl Strategy<Value = Option<Vec<Projected>>> {
    option::of(
        btree_set(field(), 1..6)
            .prop_map(|names| names.into_iter().map(Projected::Field).collect()),
    )
}

fn query(with_fields: bool) -> impl Strategy<Value = Query> {
    let sort = (path(), any::<bool>()).prop_map(|(path, descending)| Sort { path, descending });
    (
        projection(),
        option::of(filter()),
        vec(sort, 0..2),
        option::of(1..=BOUNDS.page_max),
        option::of(1..1_000_000_u64),
    )
        .prop_map(move |(projection, filter, order, limit, pages)| Query {
            projection: projection.filter(|_| with_fields),
            predicate: filter,
            order,
            limit,
            offset: pages.map(|pages| pages * u64::from(limit.unwrap_or(ROWS))),
            ..Query::default()
        })
}

/// A request of a kind, with another query.
fn asking(line: &str, query: Query) -> Operation {
    Operation {
        query,
        ..understand(line, "").unwrap()
    }
}

fn attributes() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        "[ -~é€\n]{0,12}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let folded = proptest::collection::btree_map("[a-z][a-z0-9_]{0,8}_c", value, 0..6);
    folded.prop_map(|pairs| pairs.into_iter().collect())
}

proptest! {
    #[test]
    fn a_list_is_read_as_it_was_rendered(query in query(true)) {
        let operation = asking("GET /Api/V8/module/Contacts", query);
        let outgoing = described().render(&operation);
        let meant = again(&outgoing).unwrap();
        // Comparisons of one field are read together; their order means nothing.
        prop_assert_eq!(&meant.query.projection, &operation.query.projection);
        prop_assert_eq!(&meant.query.order, &operation.query.order);
        prop_assert_eq!((meant.query.limit, meant.query.offset), (operation.query.limit, operation.query.offset));
        prop_assert_eq!(meant.uses(), operation.uses());
        prop_assert_eq!(sorted(&meant.query.predicate), sorted(&operation.query.predicate));
        prop_assert_eq!(described().render(&meant).target.len(), outgoing.target.len());
    }

    #[test]
    fn related_records_are_never_narrowed(query in query(false)) {
        let line = "GET /Api/V8/module/Accounts/a-1/relationships/contacts";
        let operation = asking(line, query);
        let outgoing = described().render(&operation);
        prop_assert!(!outgoing.target.contains("fields"));
        prop_assert_eq!(again(&outgoing).unwrap().uses(), operation.uses());
    }

    #[test]
    fn a_write_is_read_as_it_was_rendered(attributes in attributes()) {
        let body = serde_json::json!({"data": {"type": "Contact", "id": "c-1", "attributes": attributes}});
        let operation = understand("PATCH /Api/V8/module", &body.to_string()).unwrap();
        prop_assert_eq!(operation.write.as_ref(), Some(&attributes));
        prop_assert_eq!(again(&described().render(&operation)), Ok(operation));
    }

    #[test]
    fn whatever_is_accepted_means_the_same_when_rendered(
        target in "(/legacy)?/Api/(index\\.php/)?(V8/(module|meta/fields|current-user|[a-z]{1,6})|access_token)(/[A-Za-z%0-9_.-]{1,10}){0,3}/?",
        query in option::of("([a-zA-Z_]{1,6}|fields\\[Contacts\\]|filter\\[[a-z]{1,8}\\](\\[[a-z]{1,4}\\])?|page\\[(size|number)\\]|sort)=[!-~]{0,8}(&sort=-?[a-z]{1,4})?"),
        method in select(vec!["GET", "POST", "PATCH", "DELETE"]),
        body in prop_oneof![
            3 => Just(String::new()),
            1 => "\\{\"data\":\\{\"type\":\"[A-Za-z]{1,6}\",\"id\":\"[a-z0-9]{1,4}\",\"attributes\":\\{\"[a-z_]{1,6}\":\"[a-z&;]{0,4}\"\\}\\}\\}",
        ],
    ) {
        let request = Incoming {
            method: &Method::from_bytes(method.as_bytes()).unwrap(),
            path: &target,
            query: query.as_deref(),
            accept: None,
            content_type: None,
            controls: &[],
            body: body.as_bytes(),
        };
        let dialect = described();
        if let Ok(Understood::One(operation)) = dialect.meaning(&request, &BOUNDS) {
            let outgoing = dialect.render(&operation);
            prop_assert!(outgoing.target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));
            prop_assert_eq!(again(&outgoing), Ok(operation));
        }
    }

    #[test]
    fn learning_never_panics(answer in "\\PC{0,60}") {
        let asked = understand("GET /Api/V8/meta/fields/Contacts", "").unwrap();
        let _ = described().described(asked.module.as_ref(), answer.as_bytes());
    }
}

/// The comparisons of a filter in an order that means nothing, and how they are joined.
fn sorted(filter: &Option<Predicate>) -> Option<(bool, Vec<String>)> {
    let (all, parts) = match filter.as_ref()? {
        Predicate::All(parts) => (true, parts),
        Predicate::Any(parts) => (false, parts),
        _ => return None,
    };
    let text = |part: &Predicate| match part {
        Predicate::Field {
            path,
            operator,
            value,
        } => format!("{} {operator:?} {value}", path.field),
        _ => String::new(),
    };
    let mut texts: Vec<String> = parts.iter().map(text).collect();
    texts.sort();
    Some((all, texts))
}
