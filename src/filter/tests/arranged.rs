//! What was filtered takes another form, as a description of it says.

use serde_json::{Value, json};

use crate::dialect::{Arrangement, Frame, Gathered, Step, Which};
use crate::filter::Filtered;

fn arranged(reply: &str, arrangement: &Arrangement) -> String {
    let filtered = Filtered::of_test(reply.to_owned()).arranged(arrangement);
    String::from_utf8(filtered.as_bytes().to_vec()).unwrap()
}

fn by_id(at: Vec<Step>, frame: Frame) -> Arrangement {
    Arrangement::Record {
        at,
        which: Which::WithId {
            key: "uid",
            id: Some("7".to_owned()),
        },
        frame,
        otherwise: Box::new(Arrangement::Id(Some("7".to_owned()))),
    }
}

#[test]
fn a_reply_that_stays_the_same_stays_so_to_the_byte() {
    for text in [r#"{ "b":1.0,"a": [ ]}"#, "", "no JSON"] {
        assert_eq!(arranged(text, &Arrangement::Same), text);
    }
}

#[test]
fn the_record_that_is_meant_is_put_into_its_frame() {
    let list = vec![Step::Name("data"), Step::Element];
    let under = Frame::Object(vec![("item", Frame::Record)]);
    for (at, reply, frame, expected) in [
        (
            vec![],
            r#"{"uid":"7","n":1.0}"#,
            Frame::Record,
            r#"{"uid":"7","n":1.0}"#,
        ),
        (vec![], r#"{"n":1}"#, under.clone(), r#"{"item":{"n":1}}"#),
        (
            list.clone(),
            r#"{"data":[{"uid":6,"z":1,"a":2},{"uid":7,"z":3,"a":4}]}"#,
            under.clone(),
            r#"{"item":{"uid":7,"z":3,"a":4}}"#,
        ),
        (
            vec![Step::Name("data"), Step::Member],
            r#"{"data":{"x":{"n":1}}}"#,
            Frame::List(Box::new(Frame::Member("n"))),
            "[1]",
        ),
        // No such record, another one, or nothing that can be read: the id that the request named.
        (vec![], r#"{"uid":"8"}"#, Frame::Record, "7"),
        (
            list.clone(),
            r#"{"data":[{"n":1},{"n":2}]}"#,
            Frame::Record,
            "7",
        ),
        (list.clone(), r#"{"data":[]}"#, Frame::Record, "7"),
        (list.clone(), r#"{"data":{}}"#, Frame::Record, "7"),
        (list.clone(), "null", Frame::Record, "7"),
        (list, "{", Frame::Record, "7"),
        (vec![], r#"{"n":1}"#, Frame::Member("m"), "7"),
    ] {
        assert_eq!(arranged(reply, &by_id(at, frame)), expected, "{reply}");
    }
}

#[test]
fn an_id_is_a_number_where_it_is_written_like_one() {
    for (id, expected) in [
        (Some("7"), "7"),
        (Some("a\"b"), "\"a\\\"b\""),
        (Some("-7"), "\"-7\""),
        (None, "null"),
    ] {
        let arrangement = Arrangement::Id(id.map(str::to_owned));
        assert_eq!(arranged("{}", &arrangement), expected);
    }
}

#[test]
fn what_lacks_its_frame_or_is_not_the_only_one_stays_the_same() {
    let arrangement = Arrangement::Record {
        at: vec![Step::Name("list"), Step::Element],
        which: Which::Only,
        frame: Frame::Object(vec![
            ("id", Frame::Member("id")),
            ("list", Frame::Member("fields")),
        ]),
        otherwise: Box::new(Arrangement::Same),
    };
    assert_eq!(
        arranged(
            r#"{"list": [{"id":"1","name":"x","fields":{"a":1}}],"more":[]}"#,
            &arrangement
        ),
        r#"{"id":"1","list":{"a":1}}"#
    );
    for text in [
        r#"{"list": [{"id":"1"}]}"#,
        r#"{"list": [{"id":"1","fields":{}},{"id":"2","fields":{}}]}"#,
        r#"{"list": ["x"]}"#,
        r#"{"list": []}"#,
    ] {
        assert_eq!(arranged(text, &arrangement), text);
    }
}

#[test]
fn parts_are_gathered_in_their_order() {
    let parts: Vec<Option<Filtered>> = [
        Some(json!({"id": "a", "made": 1, "failed": "2", "list": [1]})),
        None,
        Some(json!({"made": u64::MAX, "failed": -1, "list": {"x": 1}})),
        Some(json!({"id": null, "list": [{"y": 2}, 3]})),
    ]
    .into_iter()
    .map(|part| part.map(|part| Filtered::of_test(part.to_string())))
    .collect();
    let members = [
        ("ids", Gathered::Each("id")),
        ("made", Gathered::Sum("made")),
        ("failed", Gathered::SumAndRefused("failed")),
        ("all", Gathered::Joined("list")),
    ];
    let gathered = Filtered::gathered(&members, &parts);
    let value: Value = serde_json::from_slice(gathered.as_bytes()).unwrap();
    let expected = json!({
        "ids": ["a", null, null, null],
        "made": u64::MAX,
        "failed": 3,
        "all": [1, {"y": 2}, 3],
    });
    assert_eq!(value, expected);
    let of_none = Filtered::gathered(&members, &[]);
    assert_eq!(
        of_none.as_bytes(),
        br#"{"ids":[],"made":0,"failed":0,"all":[]}"#
    );
}
