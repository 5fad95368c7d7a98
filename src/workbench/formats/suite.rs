//! Tests of a policy.

use serde_json::{Value, json};

use super::parts::{
    Key, about, any_of, anything, entries, flag, formed, key, list, map, name, needs, needs_one_of,
    one_or_any_list, one_or_list, suggested, text, words,
};
use super::policy::{LEVELS, categories, own_category};
use crate::dialect;
use crate::reason::Reason;

/// The name by which promises speak of fields that nobody has classified.
const UNCLASSIFIED: &str = "unclassified";

pub(super) fn schema() -> Value {
    let root = map([
        key(
            "tests",
            name("starter"),
            "The name of the policy beside which the suite lies.",
        ),
        key(
            "dialect",
            of_dialect(),
            "The API in which cases are asked that name none. Default: the first of the policy's.",
        ),
        key(
            "now",
            moment(),
            "What clocks show, where a rule looks at the time.",
        ),
        key(
            "people",
            entries(of_people("sonia"), person()),
            "Who asks, by evidence, so that its mapping to roles is tested too.",
        ),
        key(
            "records",
            entries(of_people("jeanne"), record()),
            "What the CRM holds.",
        ),
        key(
            "cases",
            list(case()),
            "Requests, and what must come of each.",
        ),
        key(
            "always",
            list(always()),
            "What must never happen; proved over every state that a caller can be in.",
        ),
    ]);
    needs(root, &["tests"])
}

fn of_people(example: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 200, "examples": [example] })
}

fn of_dialect() -> Value {
    let known = dialect::NAMES.iter().map(|name| (*name).to_owned());
    suggested(known, formed("^[a-z0-9-]{1,40}$", "kontor"))
}

fn moment() -> Value {
    formed(
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].+$",
        "2026-11-23T10:00:00+01:00",
    )
}

/// Fields by name, with values of whatever kind.
fn held(example: &str) -> Value {
    entries(text(example), anything())
}

fn person() -> Value {
    let roles = || one_or_any_list(text("Sales"));
    let session = map([
        key("roles", roles(), "Names of roles in the CRM (`crm.role`)."),
        key(
            "teams",
            one_or_any_list(text("West")),
            "Names of teams (`crm.team`).",
        ),
        key("user", text("sonia"), "The login name (`crm.user`)."),
        key(
            "type",
            text("user"),
            "The type of the account (`crm.type`).",
        ),
    ]);
    let token = map([
        key(
            "issuer",
            text("company"),
            "The issuer, as the configuration names it (`token`).",
        ),
        key(
            "roles",
            roles(),
            "Roles that the token states (`claim.roles`).",
        ),
    ]);
    let front = map([
        key(
            "user",
            text("sonia"),
            "The user that it states (`front.user`).",
        ),
        key("roles", roles(), "Roles that it states (`front.roles`)."),
    ]);
    let keys = map([
        key("crm", session, "A session of the CRM."),
        key("token", needs(token, &["issuer"]), "A token of an issuer."),
        key("key", text("erp-prod"), "The name of an API key."),
        key(
            "certificate",
            text("dns:erp.example.com"),
            "The name in a client certificate, with its type.",
        ),
        key(
            "front",
            needs(front, &["user"]),
            "What an authenticating proxy states.",
        ),
        key(
            "auth",
            one_or_list(name("strong")),
            "Strengths of authentication that are proved.",
        ),
    ]);
    needs_one_of(
        keys,
        &[&["crm"], &["token"], &["key"], &["certificate"], &["front"]],
    )
}

fn record() -> Value {
    let mut fields = held("first_name");
    fields["type"] = "object".into();
    fields["properties"] =
        json!({ "id": about(anything(), "The id of the record; must be given.") });
    fields["required"] = json!(["id"]);
    let purposes = || one_or_any_list(name("newsletter"));
    let said = map([
        key(
            "consented",
            purposes(),
            "The purposes that the person consents to: as well proven as can be, and just now.",
        ),
        key(
            "objected",
            purposes(),
            "The purposes that the person objects to.",
        ),
        key(
            "restricted",
            flag(),
            "Whether the person has had the processing restricted.",
        ),
    ]);
    let keys = map([
        key("module", module(), "Its module."),
        key("fields", fields, "What it holds."),
        key(
            "person",
            said,
            "What the person has said whom it is about. Default: nothing.",
        ),
    ]);
    needs(keys, &["module", "fields"])
}

fn module() -> Value {
    formed("^[A-Za-z0-9_-]{1,128}$", "Cases")
}

fn field() -> Value {
    text("last_name")
}

/// What a case can do.
fn actions() -> [Key; 7] {
    let list = map([
        key("module", module(), "The module."),
        key(
            "fields",
            one_or_list(field()),
            "The fields that are asked for. Default: all.",
        ),
        key("filter", field(), "A field that is filtered by."),
        key("sort", field(), "A field that is sorted by."),
    ]);
    let create = map([
        key("module", module(), "The module."),
        key("fields", held("last_name"), "What is sent."),
    ]);
    let filter = map([
        key("module", module(), "The module."),
        key("by", field(), "The field."),
        key(
            "value",
            anything(),
            "What it is compared with. Default: what a record holds.",
        ),
    ]);
    let sort = map([
        key("module", module(), "The module."),
        key("by", field(), "The field."),
    ]);
    let search = map([
        key("module", module(), "The module."),
        key("text", text("Durand"), "What is searched for."),
    ]);
    [
        key(
            "read",
            of_people("jeanne"),
            "A record is read, of `records`.",
        ),
        key(
            "list",
            needs(list, &["module"]),
            "Records of a module are listed.",
        ),
        key(
            "write",
            of_people("jeanne"),
            "A record is changed, of `records`; with `set`.",
        ),
        key(
            "create",
            needs(create, &["module", "fields"]),
            "A record is made.",
        ),
        key(
            "filter",
            needs(filter, &["module", "by"]),
            "Records are filtered by a field.",
        ),
        key(
            "sort",
            needs(sort, &["module", "by"]),
            "Records are sorted by a field.",
        ),
        key(
            "search",
            needs(search, &["module", "text"]),
            "A module is searched.",
        ),
    ]
}

fn case() -> Value {
    let asked = [
        key(
            "name",
            of_people("sales reads"),
            "What the case is called where it fails.",
        ),
        key("as", of_people("sonia"), "Who asks, of `people`."),
        key(
            "for",
            name("contract"),
            "The purpose that the request states. Default: none.",
        ),
        key(
            "auth",
            one_or_list(name("strong")),
            "Strengths that are proved, in place of the person's.",
        ),
        key("dialect", of_dialect(), "The API in which it is asked."),
        key("now", moment(), "What clocks show."),
    ];
    let beside = [
        key(
            "fields",
            one_or_list(field()),
            "With `read`: the fields that are asked for. Default: all.",
        ),
        key("set", held("last_name"), "With `write`: what is sent."),
        key(
            "expect",
            expectation(),
            "The level of each field, or `refused` alone.",
        ),
        key(
            "values",
            held("last_name"),
            "With `read`: exactly what is shown of fields.",
        ),
        key(
            "forwards",
            held("last_name"),
            "With `write` and `create`: exactly what reaches the CRM; `{}`: nothing.",
        ),
    ];
    let one_of: &[&[&str]] = &[
        &["read"],
        &["list"],
        &["write"],
        &["create"],
        &["filter"],
        &["sort"],
        &["search"],
    ];
    let mut keys = needs_one_of(
        map(asked.into_iter().chain(actions()).chain(beside)),
        one_of,
    );
    keys["required"] = json!(["name", "as"]);
    keys
}

fn expectation() -> Value {
    let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    let mut levels = entries(text("last_name"), words(LEVELS));
    levels["properties"] = json!({
        "refused": about(words(&reasons), "The reason for which the request is refused."),
        "absent": about(flag(), "Whether the record that is read is not there, or none of those that are asked for."),
    });
    levels
}

fn always() -> Value {
    let keys = map([
        key(
            "name",
            of_people("no IBAN for marketing"),
            "What is promised.",
        ),
        key("never", never(), "What must never happen."),
    ]);
    needs(keys, &["name", "never"])
}

fn never() -> Value {
    let data = categories().into_iter().chain([UNCLASSIFIED.to_owned()]);
    let data = any_of([json!({ "enum": data.collect::<Vec<_>>() }), own_category()]);
    let roles = || one_or_list(name("marketing"));
    let purposes = || one_or_list(name("contract"));
    let unless = map([
        key(
            "auth",
            one_or_list(name("strong")),
            "Callers who have proved one of these.",
        ),
        key("roles", roles(), "Callers of these roles."),
        key("purposes", purposes(), "Requests for these purposes."),
    ]);
    let uses = words(&["matched", "sorted", "searched", "written"]);
    let keys = map([
        key(
            "data",
            one_or_list(data),
            "Of which categories; `unclassified` for fields that nobody has classified.",
        ),
        key(
            "at_least",
            words(LEVELS),
            "Shown at this level or above; not `hide`, which would forbid everything.",
        ),
        key(
            "used_as",
            one_or_any_list(uses),
            "Used in one of these ways.",
        ),
        key(
            "fields_only",
            flag(),
            "Of fields alone, not of what detectors find in texts.",
        ),
        key(
            "roles",
            roles(),
            "To callers of these roles. Default: to anybody.",
        ),
        key(
            "purposes",
            purposes(),
            "For these purposes. Default: for any.",
        ),
        key("unless", unless, "For whom it is not promised."),
    ]);
    let mut keys = needs_one_of(keys, &[&["at_least"], &["used_as"]]);
    keys["required"] = json!(["data"]);
    keys
}
