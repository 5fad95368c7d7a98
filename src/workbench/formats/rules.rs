//! The rules of a policy: grants, caps, rows, and what lifts them.

use serde_json::{Value, json};

use super::condition;
use super::parts::{
    Key, defined, flag, formed, key, map, name, needs, needs_one_of, one_or_any_list, one_or_list,
    prose, words,
};
use super::policy::{LEVELS, day, module, names, of_categories};

/// What only observes, and how long.
pub(super) fn observes() -> [Key; 2] {
    [
        key(
            "mode",
            words(&["observe"]),
            "It is decided and recorded, and changes no reply. Needs `until`.",
        ),
        key(
            "until",
            day("2026-12-31"),
            "The last day on which it only observes; at most 90 days ahead.",
        ),
    ]
}

/// What grants and caps have in common.
pub(super) fn rule() -> [Key; 4] {
    [
        key(
            "name",
            name("bank-data"),
            "The rule's name, for `explain` and the access log. All rules share their names.",
        ),
        key(
            "data",
            of_categories(),
            "Which categories; one stands for all below it.",
        ),
        key(
            "purposes",
            names("contract"),
            "For which purposes. Default: each.",
        ),
        key(
            "why",
            prose("bank data is for payment"),
            "The reason, shown by `explain`.",
        ),
    ]
}

pub(super) fn grant() -> Value {
    let requires = map([key(
        "auth",
        names("strong"),
        "A strength of `auth`; of several, one suffices.",
    )]);
    let own = [
        key("roles", names("sales"), "For whom."),
        key(
            "level",
            words(LEVELS),
            "The level to which the categories are lifted.",
        ),
        key(
            "requires",
            needs(requires, &["auth"]),
            "How strongly a caller must have authenticated.",
        ),
        key(
            "ask",
            words(&["step-up"]),
            "Callers who lack only the strength are told so (RFC 9470).",
        ),
        key(
            "write",
            words(&["allow", "deny"]),
            "What the grant says of writing. Without it, `clear` lets write.",
        ),
        key(
            "when",
            defined("condition"),
            "What must hold beside, else the grant does not match.",
        ),
    ];
    let keys = map(rule().into_iter().chain(observes()).chain(own));
    needs(keys, &["name", "roles", "data", "level"])
}

pub(super) fn cap() -> Value {
    let own = [
        key(
            "level",
            words(LEVELS),
            "The level that the categories do not exceed. May be left out beside `write`.",
        ),
        key(
            "write",
            words(&["deny"]),
            "May not be written, whatever grants say.",
        ),
        key(
            "when",
            defined("condition"),
            "What must hold beside. Where nobody knows whether it does, the cap matches.",
        ),
        key("firm", flag(), "No later exception will lift it."),
    ];
    let keys = rule().into_iter().chain(observes()).chain(own);
    let keys = map(keys.chain(whom()));
    let mut keys = needs_one_of(keys, &[&["level"], &["write"]]);
    keys["required"] = json!(["name", "data"]);
    one_way(keys)
}

/// Roles are named in one way.
fn one_way(mut keys: Value) -> Value {
    keys["not"] = json!({ "required": ["roles", "unless_roles"] });
    keys
}

/// To whom what lowers applies.
fn whom() -> [Key; 2] {
    [
        key(
            "roles",
            names("marketing"),
            "Applies when any role of the caller that counts is listed. Default: to everybody.",
        ),
        key(
            "unless_roles",
            names("dpo"),
            "Exempts when all roles of the caller that count are listed. Not together with `roles`.",
        ),
    ]
}

pub(super) fn row() -> Value {
    let own = [
        key(
            "name",
            name("own-portfolio"),
            "The rule's name. The access log puts `rows.` before it.",
        ),
        key(
            "modules",
            one_or_list(module()),
            "The modules whose records it is about.",
        ),
        key(
            "purposes",
            names("contract"),
            "For which purposes. Default: each.",
        ),
        key(
            "keep_when",
            defined("condition"),
            "What must hold for a record to be there. Where nobody knows whether it does, the record is not there.",
        ),
        key("why", prose("each has a portfolio"), "The reason."),
    ];
    let keys = map(own.into_iter().chain(whom()));
    one_way(needs(keys, &["name", "modules", "keep_when"]))
}

fn time_of_day(example: &str) -> Value {
    formed("^[0-2][0-9]:[0-5][0-9]$", example)
}

fn zone() -> Value {
    formed("^[A-Za-z][A-Za-z0-9_+/-]*$", "Europe/Paris")
}

pub(super) fn schedule() -> Value {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let keys = map([
        key(
            "days",
            one_or_list(words(&days)),
            "The days on which its hours begin.",
        ),
        key("from", time_of_day("07:30"), "When its hours begin."),
        key(
            "to",
            time_of_day("20:00"),
            "When they end: on the next day, if that is not later. The end of a day is `24:00`.",
        ),
        key(
            "zone",
            zone(),
            "By whose clocks: a name of the IANA time zone database.",
        ),
        key(
            "except",
            one_or_any_list(day("2026-12-25")),
            "Days on which its hours do not begin.",
        ),
    ]);
    needs(keys, &["days", "from", "to", "zone"])
}

pub(super) fn exception() -> Value {
    let keys = map([
        key(
            "name",
            name("year-end"),
            "Its name. The access log puts `exception.` before it.",
        ),
        key("lifts", name("bank-at-night"), "The cap that it lifts."),
        key(
            "roles",
            names("finance"),
            "Lifts when all roles of the caller that count are listed.",
        ),
        key("from", day("2026-12-28"), "The first day."),
        key(
            "until",
            day("2027-01-08"),
            "The last day; there are at most 30.",
        ),
        key(
            "zone",
            zone(),
            "By whose clocks its days begin and end. Default: UTC.",
        ),
        key("ticket", prose("FIN-2217"), "Where it was asked for."),
        key(
            "approved_by",
            one_or_list(prose("dpo@example.com")),
            "Who approved it: two different people.",
        ),
        key("why", prose("closing of the year"), "The reason."),
    ]);
    let required = [
        "name",
        "lifts",
        "roles",
        "from",
        "until",
        "ticket",
        "approved_by",
    ];
    needs(keys, &required)
}

pub(super) fn retention() -> Value {
    let hide = map([key(
        "hide",
        words(&["record", "data"]),
        "`record`: it is not there any more. `data`: nothing of it is shown but what is technical.",
    )]);
    let keys = map([
        key(
            "name",
            name("prospects"),
            "The rule's name. The access log puts `retention.` before it.",
        ),
        key(
            "modules",
            one_or_list(module()),
            "The modules whose records it is about.",
        ),
        key(
            "clock",
            one_or_list(formed(
                "^record\\.[A-Za-z0-9_-]{1,128}$",
                "record.last_contact",
            )),
            "The fields that tell when time begins to run; the latest counts.",
        ),
        key(
            "after",
            condition::span(),
            "For how long records are there.",
        ),
        key(
            "hold_when",
            defined("condition"),
            "What keeps a record all the same.",
        ),
        key("then", needs(hide, &["hide"]), "What happens then."),
        key("why", prose("three years without contact"), "The reason."),
    ]);
    needs(keys, &["name", "modules", "clock", "after", "then"])
}
