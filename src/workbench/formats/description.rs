//! The description of an API.

use serde_json::{Value, json};

use super::parts::{
    Key, any_of, anything, entries, flag, formed, integer, key, list, map, needs, one_or_any_list,
    one_or_list, text, words,
};
use super::{agreed, routes};
use crate::reason::Reason;

/// A name of a field.
pub(super) fn field() -> Value {
    formed("^[A-Za-z0-9_-]+$", "name")
}

/// A name of a module.
pub(super) fn module() -> Value {
    formed("^[A-Za-z0-9_-]+$", "clients")
}

/// A place in a reply.
pub(super) fn place() -> Value {
    formed("^\\$", "$.items[*]")
}

/// Some names of fields; none is as good as leaving it out.
pub(super) fn fields() -> Value {
    one_or_any_list(field())
}

/// Some texts; none is as good as leaving it out.
pub(super) fn texts(example: &str) -> Value {
    one_or_any_list(text(example))
}

pub(super) fn schema() -> Value {
    let root = map(of_the_api().into_iter().chain(of_its_data()));
    let mut root = needs(root, &["description", "credentials", "routes"]);
    root["$defs"] = json!({
        "where": routes::predicates(),
        "order": routes::order(),
        "page": routes::page(),
        "select": routes::select(),
        "write": routes::write(),
    });
    root
}

/// What an error's body may be.
const TREE: &str =
    "The body of an error: any TREE, in which `{status}`, `{title}` and `{text}` are filled in.";

/// What is said of the API as a whole.
fn of_the_api() -> [Key; 18] {
    let prefix = || formed("^/", "/api/v1");
    let mut prefixes = entries(text("v1"), prefix());
    prefixes["type"] = "object".into();
    prefixes["minProperties"] = 1.into();
    [
        key(
            "description",
            formed("^[a-z0-9-]{1,40}$", "kontor"),
            "The name, for the log.",
        ),
        key(
            "native",
            text("kontor"),
            "The part of the program that says what data cannot. Only descriptions that are compiled in have one.",
        ),
        key(
            "prefix",
            any_of([prefix(), prefixes]),
            "The path before every route; or several, by what requests there are said to be of, the usual one first.",
        ),
        key(
            "versions",
            versions(),
            "Versions of the API that stand in the path behind `prefix`.",
        ),
        key(
            "suffix",
            formed("^\\.[A-Za-z0-9_-]+$", ".json"),
            "What may stand at the end of every path and means nothing.",
        ),
        key(
            "ignore_case",
            flag(),
            "The API reads paths without regard to case; the canonical spelling is sent.",
        ),
        key(
            "ids",
            words(&["digits", "hex", "word", "name"]),
            "What record ids are made of; the narrower, the better. Default: word.",
        ),
        key(
            "names",
            words(&["plain", "php", "dotted"]),
            "What the names of fields, links and parameters are made of. Default: plain.",
        ),
        key("reserved", reserved(), "Words that are not what they seem."),
        key(
            "spelling",
            words(&["plain", "html"]),
            "`html`: texts carry HTML entities, which are decoded before masks and detectors. Default: plain.",
        ),
        key(
            "media",
            routes::media(),
            "What bodies and replies are written in. Default: json.",
        ),
        key("credentials", credentials(), "What carries a credential."),
        key(
            "ignored",
            ignored(),
            "What the API does not look at, so that clients that send it are served.",
        ),
        key(
            "written",
            written(),
            "What holds of the names in every body that is written.",
        ),
        key(
            "caller",
            caller(),
            "How it is found out whose a credential is. Must be given.",
        ),
        key(
            "absent",
            integer(400, 499),
            "The status with which the API answers a request about a record that it does not have. Default: 404.",
        ),
        key("errors", anything(), TREE),
        key("labels", labels(), "The labels of errors."),
    ]
}

/// What is said of its data and its requests.
fn of_its_data() -> [Key; 10] {
    [
        key(
            "own_lists",
            entries(field(), field()),
            "Links to lists that records of every module have of their own, and the field that holds what they lead to.",
        ),
        key(
            "drift",
            words(&["told", "dropped"]),
            "Whether the operator is told of keys of replies that nobody named. Default: told.",
        ),
        key(
            "address",
            entries(field(), address_list()),
            "Lists of the e-mail addresses of a record, by the field that holds the primary one, or by the list itself.",
        ),
        key(
            "consent",
            agreed::consent(),
            "In which fields records say what persons agreed to, for `paravent consent sync`.",
        ),
        key(
            "fields",
            map(algebra()),
            "What is said of the fields of every module.",
        ),
        key(
            "link_names",
            link_names(),
            "How copies of the names of linked records are called.",
        ),
        key(
            "modules",
            entries(module(), known()),
            "The modules, by the names that the policy uses. Must be given.",
        ),
        key(
            "administration",
            one_or_list(module()),
            "Modules whose records say who may do what. Nobody writes them without a session of the CRM.",
        ),
        key(
            "within",
            routes::within(),
            "How records of a link are asked for in place of a field.",
        ),
        key("routes", list(routes::route()), "The requests that pass."),
    ]
}

fn versions() -> Value {
    let keys = map([
        key(
            "known",
            texts("v1"),
            "Those that pass, as they stand in the path.",
        ),
        key(
            "minors",
            texts("v2"),
            "Those of them behind which `_` and a number below 100 may stand.",
        ),
        key(
            "accept",
            text("application/vnd.example+json"),
            "The media type that may state the version in place of the path.",
        ),
    ]);
    needs(keys, &["known"])
}

fn address_list() -> Value {
    let keys = map([
        key(
            "list",
            field(),
            "The field that holds a list of objects, one for each address.",
        ),
        key("member", field(), "The member of each that is the address."),
        key(
            "primary",
            field(),
            "The member that says yes where it is the primary one.",
        ),
        key(
            "told",
            words(&["always", "single"]),
            "Whether lists of records tell it, too. Default: always.",
        ),
    ]);
    needs(keys, &["list", "member", "primary"])
}

fn reserved() -> Value {
    map([
        key(
            "modules",
            texts("metadata"),
            "Names that are none of a module.",
        ),
        key("beginnings", texts("_"), "How such names begin."),
        key(
            "ids",
            texts("count"),
            "Words that are no ids, because the API has other routes there.",
        ),
        key(
            "words",
            entries(text("code"), one_or_list(text("public"))),
            "Words that do not stand in a place of the path.",
        ),
        key(
            "unwritten",
            texts("audit"),
            "Modules of which no record is created or changed.",
        ),
    ])
}

fn credentials() -> Value {
    map([
        key("headers", texts("X-Api-Key"), "Headers of the API's own."),
        key("bearer", flag(), "`Authorization: Bearer`."),
        key("basic", flag(), "`Authorization: Basic`."),
        key(
            "in_query",
            texts("api_key"),
            "Parameters that the API would take for a credential; refused.",
        ),
    ])
}

fn ignored() -> Value {
    let bodies = any_of([flag(), words(&["documents", "empty"])]);
    map([
        key("slash", flag(), "One slash at the end of a path."),
        key(
            "accept",
            flag(),
            "What `Accept` asks for, because the API answers JSON to whatever it says.",
        ),
        key(
            "bodies",
            bodies,
            "With a request that takes no body, one that says nothing or repeats the id of the path.",
        ),
        key(
            "blank",
            flag(),
            "A parameter that the route knows, with a blank value.",
        ),
        key("parameters", texts("lang"), "Parameters of every route."),
        key(
            "stamps",
            fields(),
            "Parameters that hold a number and make an address new, so that no cache answers it.",
        ),
        key(
            "repeated",
            texts("filter[operator]"),
            "Parameters that clients say again with the same value.",
        ),
        key(
            "members",
            fields(),
            "Members of a body that is written: what the API sets itself and takes out.",
        ),
    ])
}

fn written() -> Value {
    let again = words(&["{module}", "{target}", "{id}"]);
    map([
        key(
            "no",
            fields(),
            "Fields that may only say no, and are left out.",
        ),
        key(
            "blank",
            fields(),
            "Fields that may only be blank, and are left out.",
        ),
        key(
            "refused",
            fields(),
            "Names that are no fields, whatever a record says: such a member refuses the request.",
        ),
        key(
            "repeats",
            entries(field(), again),
            "Members that may say again what the request says, and are left out then.",
        ),
        key(
            "unread",
            fields(),
            "Members that the API does not look at, and that are left out, unless the module has such a field.",
        ),
        key(
            "unread_in_stock",
            fields(),
            "The same, in modules of the CRM as it is delivered.",
        ),
        key(
            "flat",
            flag(),
            "Values are scalars, lists of scalars, or empty; others refuse the request.",
        ),
    ])
}

fn labels() -> Value {
    let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    let label = || text("not_found");
    let keys = map([
        key(
            "at",
            fields(),
            "The member of the CRM's error that states its label.",
        ),
        key(
            "known",
            texts("not_found"),
            "The labels that are passed on; of everything else in an error of the CRM nothing is.",
        ),
        key(
            "refusals",
            entries(words(&reasons), label()),
            "Reasons of refusals of our own that have a label.",
        ),
        key(
            "statuses",
            entries(text("404"), label()),
            "The labels of other errors, by status.",
        ),
        key(
            "errors",
            anything(),
            "The body of an error with a label, with `{label}` too. Default: `errors`.",
        ),
    ]);
    needs(keys, &["at", "known"])
}

fn caller() -> Value {
    map([
        key(
            "ask",
            list(question()),
            "Questions to the CRM, at most eight, asked in order with the caller's own credential.",
        ),
        key(
            "listed",
            list(listed()),
            "Callers who may not ask, by the hash of their credential.",
        ),
    ])
}

fn question() -> Value {
    let statuses = || list(integer(400, 599));
    let paths = || one_or_any_list(place());
    let keys = map([
        key(
            "get",
            formed("^/", "/whoami"),
            "Path and query below `prefix`; `{id}` and `{login}` stand for what earlier answers told.",
        ),
        key(
            "nobody",
            statuses(),
            "Statuses that say that the credential is nobody's. Default: [401].",
        ),
        key(
            "nothing",
            statuses(),
            "Statuses that say that there is nothing to tell.",
        ),
        key("id", place(), "JSONPath of the user's id."),
        key("login", place(), "JSONPath of the login name (`crm.user`)."),
        key(
            "kind",
            place(),
            "JSONPath of the type of account (`crm.type`).",
        ),
        key(
            "roles",
            paths(),
            "JSONPaths of the names of roles (`crm.role`).",
        ),
        key(
            "teams",
            paths(),
            "JSONPaths of the names of teams (`crm.team`).",
        ),
        key(
            "rights",
            entries(text("Bank"), place()),
            "Roles that rights stand for: held if the path selects something.",
        ),
    ]);
    needs(keys, &["get"])
}

fn listed() -> Value {
    let keys = map([
        key(
            "sha256",
            formed("^[0-9A-Fa-f]{64}$", &"0".repeat(64)),
            "The SHA-256 of the credential in hexadecimal. For random keys only, never for passwords.",
        ),
        key("id", text("7"), "The user's id."),
        key("login", text("erp"), "The login name."),
        key("kind", text("user"), "The type of account."),
        key("roles", texts("Billing"), "Names of roles."),
        key("teams", texts("West"), "Names of teams."),
    ]);
    needs(keys, &["sha256", "id", "login"])
}

fn link_names() -> Value {
    let pattern = || formed("\\{link\\}", "{link}Name");
    let keys = map([
        key(
            "one",
            pattern(),
            "The field that copies the name of one linked record.",
        ),
        key(
            "many",
            pattern(),
            "The field that maps ids of linked records to names.",
        ),
        key("field", text("name"), "The field that is copied."),
    ]);
    needs(keys, &["field"])
}

/// What is said of fields, of all modules or of one.
fn algebra() -> [Key; 9] {
    let source = || formed("^[A-Za-z0-9_.-]+\\??$", "clients.name");
    [
        key(
            "fields",
            fields(),
            "Names of fields that exist, for `explain` and for gaps in a policy.",
        ),
        key(
            "copies",
            entries(text("client_name"), one_or_list(source())),
            "Fields that are copied from or composed of others. They follow the lowest of their sources; one with `?` counts where the policy classifies it.",
        ),
        key(
            "items",
            entries(text("mails"), items()),
            "Fields that are lists of objects.",
        ),
        key(
            "maps",
            entries(text("teamNames"), one_or_list(source())),
            "Fields that map ids to copies.",
        ),
        key(
            "parents",
            entries(text("parentName"), text("parentType")),
            "Fields that copy the name of a record whose module another field tells.",
        ),
        key(
            "related",
            entries(text("owner"), module()),
            "Fields that hold a record, or records, of another module.",
        ),
        key(
            "secrets",
            texts("password"),
            "Fields that nobody sees, whatever a policy says.",
        ),
        key(
            "scaffolding",
            texts("total"),
            "Fields without personal data: scalars that pass on read and are dropped on write.",
        ),
        key(
            "lengths",
            entries(field(), integer(1, i64::from(u32::MAX))),
            "How much the column of a text field holds at least, in characters and in bytes.",
        ),
    ]
}

fn items() -> Value {
    let keys = map([
        key(
            "values",
            texts("address"),
            "Members that carry the value; a mask applies to these.",
        ),
        key(
            "beside",
            texts("primary"),
            "Members that pass beside it. Others are dropped.",
        ),
        key(
            "of",
            texts("mail"),
            "The fields that the list repeats; without them it is classified under its own name.",
        ),
    ]);
    needs(keys, &["values"])
}

fn known() -> Value {
    let table = map([key(
        "prefix",
        field(),
        "The module's own fields whose names begin so.",
    )]);
    let table = any_of([text("own"), needs(table, &["prefix"])]);
    let own: [Key; 6] = [
        key(
            "path",
            texts("clients"),
            "Its names in paths, the canonical one first. Default: the module's name.",
        ),
        key("id", text("id"), "The key of a record's id. Default: id."),
        key(
            "inner",
            texts("custom"),
            "Keys under which further fields of the same record lie.",
        ),
        key(
            "links",
            entries(field(), module()),
            "Links by name, and the module that each leads to.",
        ),
        key(
            "columns",
            entries(field(), field()),
            "Fields that filters and orders call otherwise.",
        ),
        key(
            "tables",
            entries(field(), table),
            "What may stand before a dot in filters and orders: `own`, a module, or a prefix; the first must be `own`.",
        ),
    ];
    map(own.into_iter().chain(algebra()))
}

/// A parameter's name.
pub(super) fn parameter() -> Value {
    formed("^[^\\[\\]]+(\\[[^\\[\\]]+\\])*$", "limit")
}
