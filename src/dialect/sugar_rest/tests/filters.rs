//! The grammar of filters.

use serde_json::{Value, json};

use super::{described, understand};
use crate::dialect::testing::Speaks as _;
use crate::dialect::{Link, Path, Predicate};
use crate::reason::Reason;
use crate::vocabulary::Module;

/// Nesting of `$and` and `$or`.
const DEPTH_MAX: usize = 16;

const OPERATORS: &[&str] = &[
    "$equals",
    "$not_equals",
    "$starts",
    "$ends",
    "$contains",
    "$not_contains",
    "$in",
    "$not_in",
    "$is_null",
    "$not_null",
    "$empty",
    "$not_empty",
    "$lt",
    "$lte",
    "$gt",
    "$gte",
    "$between",
    "$dateBetween",
    "$dateRange",
    "$in_radius_from_zip",
    "$in_radius_from_coords",
];

fn filter(value: Value) -> Result<Option<Predicate>, Reason> {
    let body = json!({"filter": value}).to_string();
    let operation = understand("POST /rest/v11/Contacts/filter", &body)?;
    Ok(operation.query.predicate)
}

/// The filter as it is written back.
fn render(filter: &Predicate) -> Value {
    let mut operation = understand("POST /rest/v11/Contacts/filter", "").unwrap();
    operation.query.predicate = Some(filter.clone());
    let body = described().render(&operation).body.unwrap();
    serde_json::from_slice::<Value>(&body).unwrap()["filter"].take()
}

fn field(name: &str, operator: Option<&'static str>, value: Value) -> Predicate {
    Predicate::Field {
        path: Path {
            link: None,
            field: name.to_owned(),
        },
        operator,
        value,
    }
}

#[test]
fn nothing_to_match_is_every_record() {
    for value in [json!([]), json!({}), json!(""), json!(null), json!("[]")] {
        assert_eq!(filter(value.clone()), Ok(None), "{value}");
    }
}

#[test]
fn all_forms_of_a_predicate_are_read_and_written_back() {
    let value = json!([
        {"$and": [
            {"primary_address_country": {"$in": ["FR", "BE"]}},
            {"$or": [{"last_name": {"$starts": "Ta"}}, {"assigned_user_id": "u-1"}]},
            {"date_modified": {"$dateRange": "last_30_days"}},
            {"accounts.industry": {"$equals": null}}
        ]},
        {"$favorite": ""}, {"$owner": "accounts"}, {"$creator": "_this"}, {"$tracker": "-7 DAY"},
        {"email_addresses.email_address": {"$in": ["a@b.example"]}},
        {"amount": {"$between": [1, "2.50"]}},
        {"flag": true},
        {"tag": {"$not_contains": ["a"]}},
        {"primary_address_city": {"$in_radius_from_zip": {"zipCode": "76000", "countries": ["FR"], "radius": 5, "unitType": "km"}}}
    ]);
    let read = filter(value.clone()).unwrap().unwrap();
    assert_eq!(render(&read), value);
    assert_eq!(filter(Value::String(value.to_string())), Ok(Some(read)));
}

#[test]
fn each_operator_checks_its_operand() {
    for operator in OPERATORS {
        let good = match *operator {
            "$in" | "$not_in" | "$between" | "$dateBetween" => json!(["a", 1]),
            "$is_null" | "$not_null" | "$empty" | "$not_empty" => json!(""),
            "$dateRange" => json!("today"),
            "$in_radius_from_zip" => {
                json!({"zipCode": "1", "countries": "FR", "radius": 1, "unitType": "km"})
            }
            "$in_radius_from_coords" => {
                json!({"latitude": "1", "longitude": 2, "radius": 1, "unitType": "km"})
            }
            _ => json!("a"),
        };
        let name = "primary_address_city";
        let test = |value: &Value| filter(json!([{name: {*operator: value}}]));
        assert_eq!(
            test(&good),
            Ok(Some(Predicate::All(vec![field(
                name,
                Some(operator),
                good.clone()
            )])))
        );
        for bad in [
            json!({"a": 1}),
            json!([["a"]]),
            json!([{"$in": 1}]),
            json!("a\u{0}b"),
            json!("x".repeat(1_001)),
        ] {
            assert_eq!(test(&bad), Err(Reason::MalformedFilter), "{operator} {bad}");
        }
    }
    for bad in [
        json!({"$in": "a"}),
        json!({"$between": ["a"]}),
        json!({"$starts": ["a"]}),
        json!({"$lt": null}),
        json!({"$in": [null]}),
        json!({"$dateRange": "last_31_days"}),
        json!({"$is_null": false}),
        json!({"$in_radius_from_zip": {"zipCode": "1", "radius": 1, "unitType": "km"}}),
        json!({"$in_radius_from_coords": {"latitude": 1, "longitude": 2, "radius": 1, "iban_c": "F"}}),
        json!({"$in_radius_from_coords": {"latitude": "1) OR (1", "longitude": 2, "radius": 1, "unitType": "km"}}),
        json!({"$in_radius_from_coords": {"latitude": 1, "longitude": 2, "radius": 1, "unitType": "k m"}}),
    ] {
        assert_eq!(
            filter(json!([{"primary_address_city": bad}])),
            Err(Reason::MalformedFilter),
            "{bad}"
        );
    }
}

#[test]
fn a_place_is_matched_on_an_address_only() {
    let near = json!({"$in_radius_from_coords": {"latitude": 1, "longitude": 2, "radius": 1, "unitType": "km"}});
    for name in ["primary_address_street", "Billing_Address_city"] {
        assert!(filter(json!([{name: near}])).is_ok(), "{name}");
    }
    for name in ["id", "name", "date_entered", "email_address", "accounts.id"] {
        let found = filter(json!([{name: near}]));
        assert_eq!(found, Err(Reason::MalformedFilter), "{name}");
    }
}

#[test]
fn what_is_not_in_the_grammar_is_refused() {
    for value in [
        json!("{"),
        json!("x"),
        json!(1),
        json!({"name": "x"}),
        json!(["name"]),
        json!([[]]),
        json!([{}]),
        json!([{"name": []}]),
        json!([{"name": {}}]),
        json!([{"name": ["a"]}]),
        json!([{"name": {"$regex": "a"}}]),
        json!([{"name": {"starts": "a"}}]),
        json!([{"name": {"$STARTS": "a"}}]),
        json!([{"name": {"$fromDays": 1}}]),
        json!([{"na me": "a"}]),
        json!([{"": "a"}]),
        json!([{"a.b.c": "a"}]),
        json!([{".name": "a"}]),
        json!([{"$not": [{"a": 1}]}]),
        json!([{"$and": []}]),
        json!([{"$or": {}}]),
        json!([{"$or": {"a": 1}}]),
        json!([{"$owner": true}]),
        json!([{"$tracker": ""}]),
        json!([{"$tracker": "-7 DAY); DROP"}]),
        json!([{"$reference": ""}]),
    ] {
        assert_eq!(
            filter(value.clone()),
            Err(Reason::MalformedFilter),
            "{value}"
        );
    }
}

#[test]
fn related_fields_belong_to_the_target_of_their_link() {
    let read = filter(json!([{"accounts.industry": "x"}]))
        .unwrap()
        .unwrap();
    let mut seen = Vec::new();
    read.each_path(&mut |path| seen.push(path.clone()));
    let link = Link {
        name: "accounts".to_owned(),
        target: Module::new("Accounts"),
    };
    assert_eq!(
        seen,
        [Path {
            link: Some(link),
            field: "industry".to_owned()
        }]
    );
    for value in [
        json!([{"members.industry": "x"}]),
        json!([{"$owner": "iban_c"}]),
    ] {
        assert_eq!(filter(value), Err(Reason::UnknownLink));
    }
}

#[test]
fn several_members_are_joined_by_and_where_that_is_certain() {
    let both = || {
        vec![
            field("a", Some("$gt"), json!(1)),
            field("a", Some("$lt"), json!(5)),
        ]
    };
    assert_eq!(
        filter(json!([{"a": {"$gt": 1, "$lt": 5}}])),
        Ok(Some(Predicate::All(vec![Predicate::All(both())])))
    );
    for value in [
        json!([{"$or": [{"a": {"$gt": 1, "$lt": 5}}]}]),
        json!([{"$or": [{"a": 1, "b": 2}]}]),
    ] {
        assert_eq!(filter(value), Err(Reason::MalformedFilter));
    }
    assert!(filter(json!([{"$or": [{"$and": [{"a": 1, "b": 2}]}]}])).is_ok());
}

#[test]
fn what_a_list_does_anyway_is_left_out_where_all_conditions_hold() {
    let a = || field("a", None, json!(1));
    let all = |parts| Ok(Some(Predicate::All(parts)));
    for kept in [json!("0"), json!(0), json!(false), json!({"$equals": "0"})] {
        let both = json!([{"$and": [{"a": 1}, {"deleted": kept}]}]);
        assert_eq!(filter(both), all(vec![Predicate::All(vec![a()])]), "{kept}");
        assert_eq!(filter(json!([{"a": 1}, {"deleted": kept}])), all(vec![a()]));
        let members = json!([{"a": 1, "deleted": kept}]);
        assert_eq!(filter(members), all(vec![Predicate::All(vec![a()])]));
        assert_eq!(filter(json!([{"deleted": kept}])), Ok(None));
        assert_eq!(filter(json!([{"$and": [{"deleted": kept}]}])), Ok(None));
        let within = json!([{"$or": [{"$and": [{"a": 1}, {"deleted": kept}]}]}]);
        assert!(filter(within).is_ok());
        // As one of several conditions it would mean every record.
        for value in [
            json!([{"$or": [{"a": 1}, {"deleted": kept}]}]),
            json!([{"$or": [{"a": 1}, {"$and": [{"deleted": kept}]}]}]),
            json!([{"accounts.deleted": kept}]),
            json!([{"email_addresses.deleted": kept}]),
            json!([{"Deleted": kept}]),
        ] {
            assert_eq!(filter(value.clone()), Err(Reason::StoredQuery), "{value}");
        }
    }
}

#[test]
fn an_email_address_is_the_modules_own() {
    let own = Module::new("Contacts");
    for name in [
        "email_addresses.email_address",
        "email_addresses.opt_out",
        "email_addresses_primary.email_address",
    ] {
        let value = json!([{name: "a@b.example"}]);
        let read = filter(value.clone()).unwrap().unwrap();
        let mut seen = Vec::new();
        read.each_path(&mut |path| seen.push(path.of(&own).to_string()));
        assert_eq!(seen, ["Contacts.email"], "{name}");
        assert_eq!(render(&read), value);
    }
    for name in [
        "email_addresses.a.b",
        "email_addresses.",
        "Email_addresses.a",
    ] {
        let refused = filter(json!([{name: "a"}]));
        assert_eq!(refused, Err(Reason::MalformedFilter), "{name}");
    }
}

#[test]
fn deleted_records_are_not_asked_for_by_a_filter() {
    assert_eq!(filter(json!([{"deleted": 1}])), Err(Reason::StoredQuery));
    assert_eq!(
        filter(json!([{"accounts.Deleted": {"$equals": 1}}])),
        Err(Reason::StoredQuery)
    );
}

#[test]
fn filters_are_bounded() {
    let wide = |count: usize| Value::Array(vec![json!({"a": 1}); count]);
    assert!(filter(wide(200)).is_ok());
    assert_eq!(filter(wide(201)), Err(Reason::MalformedFilter));
    let deep =
        |depth: usize| (0..depth).fold(json!([{"a": 1}]), |inner, _| json!([{"$and": inner}]));
    assert!(filter(deep(DEPTH_MAX)).is_ok());
    assert_eq!(filter(deep(DEPTH_MAX + 1)), Err(Reason::MalformedFilter));
    assert!(filter(json!([{"a": {"$in": vec!["x"; 500]}}])).is_ok());
    assert_eq!(
        filter(json!([{"a": {"$in": vec!["x"; 501]}}])),
        Err(Reason::MalformedFilter)
    );
}
