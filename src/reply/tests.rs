//! The replies to the parts of an envelope, put together.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Assembled, Body, Refusal, Reply};
use crate::dialect::{Dialect, by_name};
use crate::filter::Filtered;
use crate::reason::Reason;

fn dialect(name: &str) -> Arc<dyn Dialect> {
    by_name(name).unwrap()
}

/// What passed, withholding two fields.
fn passed(status: u16, text: impl Into<String>) -> Reply {
    let body = Body::Whole(Filtered::of_test(text.into()).into());
    Reply {
        withheld: Some(2),
        ..Reply::json(status, body)
    }
}

fn refused(dialect: &dyn Dialect) -> Reply {
    Reply::from_refusal(dialect, Refusal::in_bulk(Reason::FieldNotUsable), None)
}

fn assembled(dialect: &dyn Dialect, route: &str, parts: Vec<Reply>) -> (u16, String) {
    let Assembled { status, body, .. } = Assembled::of(dialect, route, parts);
    let length = body.len();
    let bytes = body.into_bytes();
    assert_eq!(bytes.len(), length);
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[test]
fn an_envelope_of_entries_holds_the_replies_in_their_order_to_the_byte() {
    let dialect = dialect("sugar-rest");
    let parts = vec![
        passed(200, r#"{"n": 1.0}"#),
        refused(&*dialect),
        passed(204, ""),
    ];
    let text = Reason::FieldNotUsable.text();
    let expected = format!(
        r#"[{{"contents":{{"n": 1.0}},"headers":[],"status":200}},{{"contents":{{"error":"not_authorized","error_message":"{text}"}},"headers":[],"status":403}},{{"contents":null,"headers":[],"status":204}}]"#
    );
    assert_eq!(assembled(&*dialect, "", parts), (200, expected));
    assert_eq!(assembled(&*dialect, "", Vec::new()), (200, "[]".to_owned()));
    let withheld = Assembled::of(&*dialect, "", vec![passed(200, "1"), passed(200, "2")]).withheld;
    assert_eq!(withheld, 4);
}

#[test]
fn an_envelope_of_one_object_gathers_what_its_parts_say() {
    let dialect = dialect("sugar-v4");
    let assemble = |method: &str, parts: Vec<Reply>| -> Value {
        let route = format!("POST /service/v4_1/rest.php {method}");
        let (_, body) = assembled(&*dialect, &route, parts);
        serde_json::from_str(&body).unwrap()
    };
    let good = |body: Value| passed(200, body.to_string());
    let record = |id: &str| good(json!({"id": id, "entry_list": {}}));
    assert_eq!(
        assemble(
            "set_entries",
            vec![record("c-1"), refused(&*dialect), record("c-2")]
        ),
        json!({"ids": ["c-1", null, "c-2"]})
    );
    let made = || good(json!({"created": 1, "failed": 0, "deleted": 0}));
    assert_eq!(
        assemble(
            "set_relationships",
            vec![made(), refused(&*dialect), made()]
        ),
        json!({"created": 2, "failed": 1, "deleted": 0})
    );
    let found = |module: &str| good(json!({"entry_list": [{"name": module, "records": []}]}));
    assert_eq!(
        assemble(
            "search_by_module",
            vec![found("A"), refused(&*dialect), found("B")]
        ),
        json!({"entry_list": [{"name": "A", "records": []}, {"name": "B", "records": []}]})
    );
    for method in ["set_entries", "set_relationships", "search_by_module"] {
        let refusal = assemble(method, vec![refused(&*dialect), refused(&*dialect)]);
        assert_eq!(refusal["number"], 40, "{method}");
    }
    // An error that the CRM told with a status of success is a refusal all the same.
    let told = Reply::from_refusal(&*dialect, Refusal::upstream(200, Some("No Records")), None);
    let refusal = assemble("set_entries", vec![told, refused(&*dialect)]);
    assert_eq!(refusal["number"], 51);
}

#[test]
fn an_api_without_envelopes_makes_nothing_of_parts() {
    let (status, body) = assembled(&*dialect("suitecrm-v8"), "", vec![passed(200, "{}")]);
    assert_eq!((status, body.as_str()), (500, ""));
}
