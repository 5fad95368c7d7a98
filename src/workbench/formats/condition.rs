//! Conditions of a policy's rules.

use serde_json::{Value, json};

use super::parts::{
    Key, any_of, any_text, defined, flag, formed, key, map, name, needs, one_or_list, some_of,
    words,
};

/// Names of whatever can be compared, and what joins conditions.
const NAMES: &str = "^(all|any|not|record\\.[A-Za-z0-9_-]{1,128}|caller\\.(id|name|type|roles|teams)|request\\.(time|action|module)|person\\.(consented|objected|restricted))$";

pub(super) fn schema() -> Value {
    let condition = || defined("condition");
    let several = || json!({ "type": "array", "items": condition(), "minItems": 1 });
    let joins = [
        key("all", several(), "All of these hold."),
        key("any", several(), "One of these holds."),
        key("not", condition(), "This does not hold."),
    ];
    let mut schema = some_of(joins.into_iter().chain(subjects()));
    schema["additionalProperties"] = of_field();
    schema["propertyNames"] = formed(NAMES, "record.status");
    schema["examples"] = json!([{ "record.status": { "equals": "active" } }]);
    schema
}

/// Everything but fields of records that can be compared.
fn subjects() -> Vec<Key> {
    let caller = |name, meaning| key(name, of_caller(any_text("sally")), meaning);
    let person = |name, meaning| key(name, one(equality(flag()).into_iter().take(2)), meaning);
    vec![
        caller(
            "caller.id",
            "The id of the CRM's user; who has no session of the CRM has none.",
        ),
        caller("caller.name", "The name of the CRM's user."),
        caller("caller.type", "The type of the CRM's user."),
        key(
            "caller.roles",
            of_caller(name("sales")),
            "The caller's roles that count.",
        ),
        caller("caller.teams", "The teams of the CRM's user."),
        key("request.time", of_time(), "When the request began."),
        key("request.action", of_action(), "What the request does."),
        key(
            "request.module",
            one(equality(formed("^[A-Za-z0-9_-]{1,128}$", "Cases"))),
            "The module whose records the request is about.",
        ),
        person(
            "person.consented",
            "Whether the persons whom the record is about consent to the purpose.",
        ),
        person(
            "person.objected",
            "Whether one of them objects to the purpose.",
        ),
        person(
            "person.restricted",
            "Whether one of them has had the processing restricted.",
        ),
    ]
}

/// A comparison: a map with one operator.
fn one(operators: impl IntoIterator<Item = Key>) -> Value {
    let mut one = some_of(operators);
    one["maxProperties"] = 1.into();
    one
}

fn equality(value: Value) -> [Key; 4] {
    [
        key("equals", value.clone(), "It is this."),
        key("not_equals", value.clone(), "It is not this."),
        key("in", one_or_list(value.clone()), "It is one of these."),
        key("not_in", one_or_list(value), "It is none of these."),
    ]
}

fn of_caller(value: Value) -> Value {
    one(equality(value).into_iter().chain([blank()]))
}

fn blank() -> Key {
    key(
        "blank",
        flag(),
        "`true`: it holds nothing. `false`: it holds something.",
    )
}

fn of_time() -> Value {
    one([
        key("before", time(), "Before this."),
        key("after", time(), "At this time, or after it."),
        key("inside", name("office"), "Within the hours of a schedule."),
        key(
            "outside",
            name("office"),
            "Outside the hours of a schedule.",
        ),
    ])
}

fn of_action() -> Value {
    let actions = [
        "list", "read", "count", "create", "update", "delete", "relate",
    ];
    one(equality(words(&actions)))
}

fn of_field() -> Value {
    let number = || json!({ "type": ["integer", "number"], "examples": [1000] });
    let other = [
        key("less_than", number(), "It is less."),
        key("at_most", number(), "It is not more."),
        key("greater_than", number(), "It is more."),
        key("at_least", number(), "It is not less."),
        key("before", time(), "It is a time before this."),
        key("after", time(), "It is this time, or one after it."),
        key("older_than", span(), "It is a time, longer ago than this."),
        key("newer_than", span(), "It is a time, not so long ago."),
        blank(),
    ];
    one(equality(operand()).into_iter().chain(other))
}

/// A span of time.
pub(super) fn span() -> Value {
    formed("^[0-9]+(y|mo|w|d|h|m)$", "3y")
}

/// A value, or something of the caller.
fn operand() -> Value {
    let facts = ["id", "name", "type", "roles", "teams"];
    let caller = map([key(
        "caller",
        words(&facts),
        "Something of the caller; of several, each.",
    )]);
    any_of([
        any_text("active"),
        json!({ "type": ["integer", "number"], "examples": [1000] }),
        flag(),
        needs(caller, &["caller"]),
    ])
}

/// A day, or a time with its zone.
fn time() -> Value {
    formed("^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.+)?$", "2026-01-31")
}
