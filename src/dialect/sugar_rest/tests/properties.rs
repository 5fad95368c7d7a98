//! What holds for every request: rendering loses nothing, and what was tampered with is refused or means what it says.

use crate::dialect::testing::Speaks as _;
use http::Method;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{BOUNDS, again, described, understand};
use crate::dialect::{
    Incoming, Link, Operation, Path, Predicate, Projected, Query, Sort, Understood, reread,
};
use crate::vocabulary::Module;

/// Links of the module that is asked, `Accounts`, that lead to it again, so that queries nest.
fn link() -> impl Strategy<Value = Link> {
    select(vec!["members", "member_of"]).prop_map(|name| Link {
        name: name.to_owned(),
        target: Module::new("Accounts"),
    })
}

fn path() -> impl Strategy<Value = Path> {
    (option::of(link()), "[A-Za-z_][A-Za-z0-9_]{0,8}")
        .prop_filter("deleted records are not asked for", |(_, field)| {
            !field.eq_ignore_ascii_case("deleted")
        })
        .prop_map(|(link, field)| Path { link, field })
}

fn text() -> impl Strategy<Value = Value> {
    "[ -~é€]{0,12}".prop_map(Value::from)
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text(),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let comparison = prop_oneof![
        (Just(None), prop_oneof![scalar(), Just(Value::Null)]),
        (
            select(vec!["$equals", "$starts", "$lt", "$contains"]).prop_map(Some),
            scalar()
        ),
        (
            select(vec!["$in", "$not_in"]).prop_map(Some),
            vec(scalar(), 0..4).prop_map(Value::from)
        ),
        (Just(Some("$between")), vec(text(), 2).prop_map(Value::from)),
        (Just(Some("$not_empty")), Just(json!(""))),
        (Just(Some("$dateRange")), Just(json!("today"))),
        (
            Just(Some("$in_radius_from_coords")),
            ("[a-z]{0,5}", -99..99_i32).prop_map(|(unit, radius)| {
                json!({"latitude": "1", "longitude": "2", "radius": radius, "unitType": unit})
            })
        ),
    ];
    let about_caller = prop_oneof![
        Just(("$owner", "")),
        Just(("$creator", "_this")),
        Just(("$favorite", "members")),
        Just(("$tracker", "-7 DAY")),
    ];
    let of_email = select(vec!["email_address", "opt_out", "A_1"]).prop_map(|member| Path {
        link: Some(Link {
            name: format!("email_addresses.{member}"),
            target: Module::new("Accounts"),
        }),
        field: "email".to_owned(),
    });
    let path = prop_oneof![6 => path(), 1 => of_email];
    prop_oneof![
        6 => (path, comparison).prop_map(|(mut path, (operator, value))| {
            if operator == Some("$in_radius_from_coords") {
                path = Path { link: None, field: "primary_address_city".to_owned() };
            }
            Predicate::Field { path, operator, value }
        }),
        1 => about_caller.prop_map(|(word, argument)| Predicate::Caller { word, argument: argument.to_owned() }),
    ]
}

/// A whole filter: a list of expressions.
fn filter() -> impl Strategy<Value = Predicate> {
    let expression = predicate().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Predicate::All),
            vec(inner, 1..4).prop_map(Predicate::Any),
        ]
    });
    vec(expression, 1..4).prop_map(Predicate::All)
}

fn order() -> impl Strategy<Value = Vec<Sort>> {
    let sort = (path(), any::<bool>()).prop_map(|(path, descending)| Sort { path, descending });
    vec(sort, 0..3)
}

/// A query as a collection may have it.
fn page(projection: BoxedStrategy<Option<Vec<Projected>>>) -> BoxedStrategy<Query> {
    (
        projection,
        option::of(filter()),
        order(),
        option::of(1..=BOUNDS.page_max),
        option::of(0..1_000_000_u64),
    )
        .prop_map(|(projection, filter, order, limit, offset)| Query {
            projection,
            predicate: filter,
            order,
            limit,
            offset,
            ..Query::default()
        })
        .boxed()
}

fn names() -> impl Strategy<Value = Vec<Projected>> {
    proptest::collection::btree_set("[a-z_][a-z0-9_]{0,8}", 1..5)
        .prop_map(|names| names.into_iter().map(Projected::Field).collect())
}

fn query() -> BoxedStrategy<Query> {
    let inner = page(option::of(names()).boxed());
    let projection = (names(), option::of((link(), inner))).prop_map(|(mut items, collection)| {
        if let Some((link, query)) = collection {
            items.retain(|item| !matches!(item, Projected::Field(name) if *name == link.name));
            items.push(Projected::Collection { link, query });
        }
        items
    });
    let flags = (option::of(any::<bool>()), option::of(any::<bool>()));
    (
        page(option::of(projection).boxed()),
        option::of(
            "[ -9;-~é]{1,9}"
                .prop_filter("the name of a field", |text| reread::names_no_field(text)),
        ),
        flags,
    )
        .prop_map(|(mut query, search, (mine, favorites))| {
            query.search = search.filter(|_| query.predicate.is_none());
            query.about_caller = [("my_items", mine), ("favorites", favorites)]
                .into_iter()
                .filter_map(|(name, wanted)| wanted.map(|wanted| (name, wanted)))
                .collect();
            query
        })
        .boxed()
}

/// A search of several modules in each of its carriers.
fn searches() -> impl Strategy<Value = Operation> {
    let lines = vec![
        "GET /rest/v11_24/search?q=x&module_list=Accounts",
        "GET /rest/v11/globalsearch?q=x&module_list=Accounts",
        "POST /rest/v11/globalsearch?q=x&module_list=Accounts",
    ];
    let text =
        "[ -9;-~é]{1,9}".prop_filter("the name of a field", |text| reread::names_no_field(text));
    let beside = proptest::sample::subsequence(vec!["Contacts", "Leads", "acme_Boats"], 0..=3);
    let page = (
        option::of(1..=BOUNDS.page_max),
        option::of(0..1_000_000_u64),
    );
    let sorted = option::of(("[a-z_][a-z0-9_]{0,8}", any::<bool>()));
    (select(lines), text, beside, page, sorted).prop_map(
        |(line, text, beside, (limit, offset), sorted)| {
            let operation = understand(line, "").unwrap();
            let sort = |(field, descending)| Sort {
                path: Path { link: None, field },
                descending,
            };
            let query = Query {
                search: Some(text),
                beside: beside.into_iter().map(Module::new).collect(),
                limit,
                offset,
                order: sorted.map(sort).into_iter().collect(),
                ..Query::default()
            };
            Operation { query, ..operation }
        },
    )
}

/// A list request in each of its carriers.
fn lists() -> impl Strategy<Value = Operation> {
    let lines = vec![
        "GET /rest/v11_24/Accounts",
        "POST /rest/v11/Accounts/filter",
        "GET /rest/v10/Accounts/a-1/link/members",
        "POST /rest/v11/Accounts/filter/count",
    ];
    (select(lines), query()).prop_map(|(line, query)| Operation {
        query,
        ..understand(line, "").unwrap()
    })
}

/// Changes bytes of a text, in place and by what query strings and JSON are made of.
fn tampered(text: &str, changes: &[(usize, u8, bool)]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (place, byte, inserts) in changes {
        let place = place % (bytes.len() + 1);
        if *inserts || place == bytes.len() {
            bytes.insert(place, *byte);
        } else {
            bytes[place] = *byte;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn changes() -> impl Strategy<Value = Vec<(usize, u8, bool)>> {
    let byte = prop_oneof![
        1 => select(b"&=[]%.+;,:{}\"$ \0\\".to_vec()),
        2 => select(b"05BDdx_".to_vec()),
    ];
    vec((any::<usize>(), byte, any::<bool>()), 0..3)
}

proptest! {
    #[test]
    fn understanding_what_was_rendered_gives_the_same_operation(operation in lists()) {
        let outgoing = described().render(&operation);
        prop_assert_eq!(again(&outgoing), Ok(operation));
    }

    #[test]
    fn a_search_that_was_rendered_is_understood_as_the_same(operation in searches()) {
        let outgoing = described().render(&operation);
        prop_assert_eq!(again(&outgoing), Ok(operation));
    }

    #[test]
    fn a_tampered_request_is_refused_or_means_what_is_rendered(
        operation in prop_oneof![4 => lists().boxed(), 1 => searches().boxed()],
        in_query in changes(),
        in_body in changes(),
    ) {
        let outgoing = described().render(&operation);
        let (path, query) = match outgoing.target.split_once('?') {
            Some((path, query)) => (path, Some(tampered(query, &in_query))),
            None => (outgoing.target.as_str(), None),
        };
        let body = outgoing.body.map(|body| tampered(std::str::from_utf8(&body).unwrap(), &in_body));
        let understood = described().meaning(
            &Incoming {
                method: &outgoing.method,
                path,
                query: query.as_deref(),
                accept: None,
                content_type: None,
                controls: &[],
                body: body.unwrap_or_default().as_bytes(),
            },
            &BOUNDS,
        );
        if let Ok(Understood::One(operation)) = understood {
            prop_assert_eq!(again(&described().render(&operation)), Ok(operation));
        }
    }

    #[test]
    fn no_input_makes_understanding_fail_in_another_way_than_refusing(
        method in select(vec![Method::GET, Method::POST, Method::PUT, Method::DELETE]),
        path in "/rest/(v11|v1[0-2](_[0-9]{1,3})?)(/(Contacts|bulk|me|enum|globalsearch|search|duplicateCheck|[ -~]{0,9})){0,5}/?",

        query in option::of("([a-z]{1,6}(\\[[$a-z0-9]{0,3}\\]){0,3}=[ -~]{0,9}&?){0,6}"),
        body in "[ -~]{0,40}",
    ) {
        let understood = described().meaning(
            &Incoming {
                method: &method,
                path: &path,
                query: query.as_deref(),
                accept: None,
                content_type: None,
                controls: &[],
                body: body.as_bytes(),
            },
            &BOUNDS,
        );
        if let Ok(Understood::One(operation)) = understood {
            prop_assert_eq!(again(&described().render(&operation)), Ok(operation));
        }
    }
}
