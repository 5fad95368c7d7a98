use serde_json::{Value, json};

use super::{Sort, rows};
use crate::dialect::{EntryShape, Layout, RecordShape, Shape};
use crate::vocabulary::Module;

fn found(shape: &Shape, answer: &Value) -> Vec<(Option<String>, Vec<String>)> {
    let mut found = Vec::new();
    rows(shape, answer, &mut |row| {
        let names = row.fields.iter().map(|(name, _)| (*name).to_owned());
        found.push((row.id.map(str::to_owned), names.collect()));
    });
    found
}

#[test]
fn records_are_found_where_the_shape_says() {
    let module = Module::new("Contacts");
    let list = Shape::List(Box::new(Shape::record(&module)));
    let shape = Shape::only(vec![("list", list)], &[]);
    let answer = json!({"list": [{"id": "1", "_module": "Contacts", "a": 1}, 7, {"b": 2}], "more": [{"c": 3}]});
    let expected = [
        (Some("1".to_owned()), vec!["id".to_owned(), "a".to_owned()]),
        (None, vec!["b".to_owned()]),
    ];
    assert_eq!(found(&shape, &answer), expected);
    for lie in [
        json!(null),
        json!([]),
        json!({"list": {"a": 1}}),
        json!({"list": "x"}),
    ] {
        assert!(found(&shape, &lie).is_empty(), "{lie}");
    }
}

#[test]
fn values_may_stand_beside_their_names_or_under_a_key() {
    let module = Module::new("Contacts");
    let named = RecordShape {
        layout: Layout::Named,
        ..RecordShape::of(&module)
    };
    let entry = Shape::Entry(Box::new(EntryShape {
        under: "fields",
        record: named,
        keys: Vec::new(),
    }));
    let answer = json!({"id": "7", "fields": {"a": {"name": "a", "value": "x"}, "b": 1}});
    let mut values = Vec::new();
    rows(&entry, &answer, &mut |row| {
        assert_eq!(row.id, Some("7"));
        values.extend(
            row.fields
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        );
    });
    assert_eq!(values, ["a=\"x\"", "b=null"]);
}

#[test]
fn types_are_known_by_the_words_of_crms() {
    assert_eq!(Sort::of("VARCHAR"), Some(Sort::Text));
    assert_eq!(Sort::of("datetimecombo"), Some(Sort::Time));
    assert_eq!(Sort::of("holo"), None);
}
