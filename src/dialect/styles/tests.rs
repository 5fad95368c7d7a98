//! What is accepted and written back means the same when it is read again; nothing else is accepted.

use super::{Fields, Order, Scope, dollars, rsql, sql};
use crate::dialect::carriers::query_string::{self, Names};
use crate::dialect::carriers::{Arguments, Name};
use crate::dialect::{Link, Path, Predicate};
use crate::reason::Reason;
use crate::vocabulary::Module;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

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
    let column = select(vec!["t.a", "t.b", "x.c", "y.d", "t.a b"]);
    let operator = select(vec![
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
        let word = select(vec![" and ", " or ", " AND ", ")or(", " xor "]);
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
    let operator = select(vec!["==", "<", "<=", "=in=", "=not="]);
    let column = select(vec!["t.a", "t.b", "x.c", "y.d"]);
    let leaf = (column, operator, vec(value, 1..3), any::<bool>()).prop_map(
        |(column, operator, values, list)| {
            if list {
                format!("{column}{operator}({})", values.join(","))
            } else {
                format!("{column}{operator}{}", values[0])
            }
        },
    );
    leaf.prop_recursive(4, 24, 4, |inner| {
        let between = select(vec![",", ";", ";,"]);
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

/// Fields of one module, one link of which leads to itself.
struct Known;

impl Fields for Known {
    fn resolve(&self, text: &str) -> Result<Path, Option<Reason>> {
        let (link, field) = match text.split_once('.') {
            Some((link, field)) => (Some(link), field),
            None => (None, text),
        };
        let is_name = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        if !is_name(field) || link.is_some_and(|link| !is_name(link)) {
            return Err(None);
        }
        if link.is_some_and(|link| !self.has_link(link)) {
            return Err(Some(Reason::UnknownLink));
        }
        let link = link.map(|name| Link {
            name: name.to_owned(),
            target: Module::new("Accounts"),
        });
        let field = field.to_owned();
        Ok(Path { link, field })
    }

    fn has_link(&self, name: &str) -> bool {
        name == "members"
    }

    fn spell(&self, path: &Path) -> String {
        match &path.link {
            Some(link) => format!("{}.{}", link.name, path.field),
            None => path.field.clone(),
        }
    }

    fn is_id(&self, _: &str) -> bool {
        false
    }
}

fn scope(in_query: bool) -> Scope<'static> {
    Scope {
        fields: &Known,
        word: "Accounts",
        depth_max: 64,
        in_query,
    }
}

/// A list in SugarCRM's way, or nearly.
fn dollars_filter() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        6 => select(vec!["a", "b_c", "members.a", "primary_address_city"]).prop_map(str::to_owned),
        1 => select(vec!["nowhere.a", "deleted", "A", "a.b.c", "$x", "", "members.deleted"]).prop_map(str::to_owned),
    ];
    let scalar = prop_oneof![
        4 => "[ -~é€]{0,6}".prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let operator = select(vec![
        "$equals",
        "$starts",
        "$in",
        "$not_in",
        "$between",
        "$not_empty",
        "$dateRange",
        "$lt",
        "$regex",
    ]);
    let operand = prop_oneof![
        3 => scalar.clone(),
        2 => vec(scalar.clone(), 0..3).prop_map(Value::from),
        1 => Just(json!("today")),
    ];
    let compared = vec((operator, operand), 1..3).prop_map(|pairs| {
        let pairs = pairs
            .into_iter()
            .map(|(operator, operand)| (operator.to_owned(), operand));
        Value::Object(pairs.collect())
    });
    let comparison = (name, prop_oneof![scalar, compared]);
    let about_caller = select(vec![
        json!({"$owner": ""}),
        json!({"$favorite": "members"}),
        json!({"$tracker": "-7 DAY"}),
        json!({"$owner": "nowhere"}),
    ]);
    let single = prop_oneof![
        6 => vec(comparison, 1..3).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        1 => about_caller,
    ];
    let nested = single.prop_recursive(4, 16, 3, |inner| {
        let joined = select(vec!["$and", "$or", "$not"]);
        (joined, vec(inner, 0..3)).prop_map(|(word, parts)| json!({word: parts}))
    });
    vec(nested, 0..3).prop_map(Value::from)
}

proptest! {
    #[test]
    fn lists_of_dollars_mean_the_same_when_read_again(list in dollars_filter(), in_query in any::<bool>()) {
        if let Ok(Some(filter)) = dollars::read(&list, scope(false)) {
            let written = dollars::write(&filter, scope(in_query));
            let mut tree = Map::from_iter([("filter".to_owned(), written)]);
            if in_query {
                // Nothing is lost on the way through brackets.
                let text = query_string::write(&tree, &Names::OF_PHP);
                tree = query_string::read(&text, &Names::OF_PHP).unwrap();
            }
            let again = dollars::read(&tree["filter"], scope(false));
            prop_assert_eq!(again, Ok(Some(filter)), "{:?}", tree);
        }
    }

    #[test]
    fn orders_mean_the_same_when_read_again(
        text in "[a-c_.:]{0,3}(:asc|:desc|:DESC|:|)(,(members[.])?[a-c]{1,2}(:asc|:desc)?){0,2}",
        as_members in any::<bool>(),
    ) {
        let name = || Name(vec!["by".to_owned()]);
        let order = match as_members {
            true => Order::Members(name()),
            false => Order::Colons(name()),
        };
        let value = match as_members {
            true => text.split(',').filter_map(|key| key.split_once(':')).map(|(field, way)| (field.to_owned(), way.into())).collect::<Map<_, _>>().into(),
            false => Value::from(text),
        };
        let read = |value: Value| {
            let mut arguments = Arguments::unless_blank(Map::from_iter([("by".to_owned(), value)]));
            order.read(&mut arguments, scope(true))
        };
        if let Ok(keys) = read(value) {
            let mut tree = Map::new();
            order.write(&keys, scope(true), &mut tree);
            prop_assert_eq!(read(tree.remove("by").unwrap_or_default()), Ok(keys));
        }
    }
}
