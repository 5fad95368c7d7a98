//! The routes of a described API, and how requests are written there.

use serde_json::Value;

use super::description::{field, fields, module, parameter, place, texts};
use super::parts::{
    Key, any_of, any_text, anything, defined, entries, flag, formed, integer, key, map, needs,
    needs_one_of, one_or_any_list, one_or_list, text, words,
};

const ACTIONS: &[&str] = &[
    "list", "read", "create", "update", "delete", "relate", "count", "metadata", "auth", "bulk",
    "other",
];

/// What bodies and replies are written in.
pub(super) fn media() -> Value {
    words(&["json", "json-api"])
}

fn parameters() -> Value {
    one_or_any_list(parameter())
}

fn places() -> Value {
    one_or_any_list(place())
}

/// How records are asked for, in a route or within records.
fn listing() -> [Key; 7] {
    let predicates = any_of([defined("where"), list_of("where")]);
    let order = any_of([defined("order"), list_of("order")]);
    let stored = any_of([words(&["no"]), one_or_list(text("list"))]);
    let fixed = any_of([words(&["words", "flag"]), one_or_list(any_text("0"))]);
    let dropped = words(&["anything", "flag", "no", "nothing"]);
    let dropped = any_of([parameters(), entries(parameter(), dropped)]);
    [
        key(
            "select",
            defined("select"),
            "The parameter of the projection.",
        ),
        key(
            "where",
            predicates,
            "One style of predicates, or a list of them.",
        ),
        key(
            "order",
            order,
            "How an order is written, or a list of several ways, one at a time.",
        ),
        key("page", defined("page"), "How a page is written."),
        key(
            "stored",
            entries(parameter(), stored),
            "Parameters by which the API would choose what is asked for. Words of the list are sent on, a no is left out, anything else is refused.",
        ),
        key(
            "fixed",
            entries(parameter(), fixed),
            "Parameters that may stand with these values only; with `words`, plain words of the API's own; with `flag`, yes or no.",
        ),
        key(
            "dropped",
            dropped,
            "Parameters that are taken away, because the API ignores them; or those that may say only so much, and are taken away then.",
        ),
    ]
}

fn list_of(name: &str) -> Value {
    serde_json::json!({ "type": "array", "items": defined(name) })
}

/// How records of a link are asked for in place of a field.
pub(super) fn within() -> Value {
    let own: [Key; 2] = [
        key("name", text("name"), "The member that names the link."),
        key(
            "depth",
            integer(1, 3),
            "How many of them may lie in each other. Default: 1.",
        ),
    ];
    needs(map(own.into_iter().chain(listing())), &["name"])
}

/// A route.
pub(super) fn route() -> Value {
    let keys = asked()
        .into_iter()
        .chain(listing())
        .chain(sent())
        .chain(answered());
    needs(map(keys), &["route", "action"])
}

fn asked() -> [Key; 11] {
    let line = formed("^(GET|POST|PUT|PATCH|DELETE) /", "GET /{module}/{id}");
    let search = map([
        key("in", parameter(), "The parameter."),
        key(
            "reread",
            flag(),
            "The API looks for names of fields in it: a text in which one may stand is refused.",
        ),
        key("alone", flag(), "There is no filter beside it."),
        key(
            "modules",
            parameter(),
            "The parameter that names the modules to search, between commas.",
        ),
    ]);
    let json = map([key(
        "json",
        parameter(),
        "The parameter in which they may stand as JSON, then alone.",
    )]);
    let about = any_of([words(&["flag"]), one_or_list(text("onlyMy"))]);
    [
        key(
            "route",
            one_or_list(line),
            "Method and template, or several that share the rest. Places: {module}, {id}, {link}, {related}, {field}, {by.FIELD}, {any_word}.",
        ),
        key("action", words(ACTIONS), "What a request does."),
        key(
            "access",
            words(&["governed", "role", "public", "session"]),
            "`governed`: needs a role and a purpose; `role`: a role; `public`: no credential; `session`: ends one. Default: governed.",
        ),
        key(
            "module",
            module(),
            "The module, where the path has no {module}.",
        ),
        key(
            "modules",
            one_or_any_list(module()),
            "What {module} may be. Default: every module.",
        ),
        key(
            "named",
            entries(text("client"), any_of([words(&["none"]), module()])),
            "Words of the path that are ids of records, with their module.",
        ),
        key("link", field(), "The link, where the path has no {link}."),
        key(
            "query",
            any_of([words(&["body", "both"]), needs(json, &["json"])]),
            "Where the arguments stand. Default: in the query string.",
        ),
        key(
            "search",
            any_of([parameter(), needs(search, &["in"])]),
            "The parameter of a full-text search, or what else is to be said of it.",
        ),
        key(
            "about_caller",
            any_of([flag(), entries(parameter(), about)]),
            "Parameters that ask for records that relate to the caller, and their words; `true`: the request itself is about the caller.",
        ),
        key(
            "look_up",
            formed("^(GET )?/", "GET /{module}"),
            "The route that reads what an update changes. Default: GET of the same template.",
        ),
    ]
}

fn sent() -> [Key; 8] {
    let compares = map([
        key(
            "compares",
            field(),
            "The field of the record that the header's value is compared with.",
        ),
        key("date", flag(), "It is a date, with blanks and colons."),
        key(
            "skips",
            words(&["duplicates"]),
            "`true` keeps the API from comparing what is written with other records.",
        ),
    ]);
    let controls = any_of([
        words(&["flag"]),
        needs_one_of(compares, &[&["compares"], &["skips"]]),
    ]);
    let listed = map([
        key("link", text("link_name"), "The member that names the link."),
        key("ids", text("ids"), "The member that lists the ids."),
    ]);
    let relate = any_of([
        flag(),
        words(&["columns"]),
        needs(listed, &["link", "ids"]),
        defined("write"),
    ]);
    [
        key(
            "always",
            entries(parameter(), anything()),
            "Parameters that are sent with each request.",
        ),
        key(
            "controls",
            entries(formed("^[A-Za-z0-9-]+$", "X-No-Total"), controls),
            "Headers that change what the request means: each as `flag`, or with a field that it compares.",
        ),
        key(
            "write",
            any_of([words(&["none"]), defined("write")]),
            "How fields to write lie in the body. `none`: it has none, though the record changes.",
        ),
        key(
            "matches",
            flag(),
            "The body holds fields of a record, but each is compared: nothing is written.",
        ),
        key("relate", relate, "What the body of a relation is."),
        key(
            "envelope",
            flag(),
            "The body holds other requests. Only in descriptions that are compiled in.",
        ),
        key(
            "login",
            flag(),
            "The body is that of a login. Only in descriptions that are compiled in.",
        ),
        key(
            "media",
            media(),
            "What body and reply of this route are written in, where that is not the `media` of the description.",
        ),
    ]
}

fn answered() -> [Key; 15] {
    [
        key(
            "records",
            place(),
            "The place of the records of the module, or of the link's target.",
        ),
        key(
            "of",
            module(),
            "The module of these records, where the request is not about one. Only with `access: role`.",
        ),
        key(
            "several",
            flag(),
            "Each of these records is of one of the modules that are searched.",
        ),
        key(
            "under",
            text("attributes"),
            "The key under which each record's fields lie, its id beside them.",
        ),
        key(
            "named_by",
            text("type"),
            "The key beside `under` that names the module of the record.",
        ),
        key(
            "beside",
            texts("type"),
            "Keys that pass beside `under`, or places of scalars there.",
        ),
        key(
            "counted",
            flag(),
            "Whether these records count as disclosed in the log. Default: true.",
        ),
        key(
            "related",
            entries(place(), text("clients")),
            "Places of records of other modules; `{module}` is the module in the path, `{target}` the one behind the link.",
        ),
        key("needs", places(), "Places without which a reply is none."),
        key(
            "words",
            entries(place(), one_or_list(text("fields"))),
            "Places, and the words that may stand there; another makes the reply none.",
        ),
        key(
            "pass",
            places(),
            "Places of scalars that pass: counts, cursors, bare ids. `[]`: nothing of the reply passes.",
        ),
        key(
            "unknown_total",
            entries(place(), integer(-9, 0)),
            "What stands in place of a number that would count records that are not shown: `{ $.total: -1 }`.",
        ),
        key(
            "opaque",
            places(),
            "Places of which anything passes. For the API's description of itself, never for records.",
        ),
        key("drop", places(), "Places that do not pass."),
        key(
            "describes",
            flag(),
            "The reply describes the API's fields. Only in descriptions that are compiled in.",
        ),
    ]
}

/// How a projection is written.
pub(super) fn select() -> Value {
    let keys = map([
        key(
            "in",
            parameters(),
            "The parameter, or several names for it.",
        ),
        key(
            "style",
            words(&["text", "by_module", "names"]),
            "Default: text.",
        ),
        key(
            "separator",
            formed("^.$", ","),
            "With `text`: what stands between two fields. Default: a comma.",
        ),
        key(
            "within",
            flag(),
            "With `names`: an object in the list asks for records of a link, as `within` of the description says.",
        ),
    ]);
    any_of([parameters(), needs(keys, &["in"])])
}

/// How an order is written.
pub(super) fn order() -> Value {
    let styles = ["signs", "words", "apart", "objects", "colons", "members"];
    let keys = map([
        key("in", parameter(), "The parameter."),
        key(
            "style",
            words(&styles),
            "Default: `apart` with `direction`, else `signs`.",
        ),
        key(
            "field",
            text("field"),
            "With `objects`: the member that names the field. Default: field.",
        ),
        key(
            "direction",
            text("direction"),
            "With `apart`: the parameter of the direction; with `objects`: the member.",
        ),
        key(
            "ascending",
            text("asc"),
            "Its word for first to last. Default: asc.",
        ),
        key(
            "descending",
            text("desc"),
            "Its word for last to first. Default: desc.",
        ),
        key("single", flag(), "With `signs`: an order has one field."),
        key(
            "last",
            parameter(),
            "With `colons` and `members`: the parameter that says whether records without a value come last.",
        ),
    ]);
    needs(keys, &["in"])
}

/// How a page is written.
pub(super) fn page() -> Value {
    let rows = || integer(1, 100_000);
    let keys = map([
        key("size", parameter(), "The parameter of the number of rows."),
        key(
            "default",
            any_of([words(&["own"]), rows()]),
            "Rows that the API sends when nobody says; `own`: its own number, whatever that is.",
        ),
        key("max", rows(), "The API's own bound."),
        key("all", text("-1"), "What else means all rows."),
        key(
            "zero",
            words(&["none", "all", "refused"]),
            "What 0 means. Default: none.",
        ),
        key("offset", parameter(), "The parameter of the rows to skip."),
        key(
            "cursor",
            parameter(),
            "The parameter that says where to go on, in a word that the API gave.",
        ),
        key("number", parameter(), "The parameter of the page's number."),
        key(
            "first",
            integer(0, 1),
            "The number of the first page. Default: 1.",
        ),
        key(
            "more",
            place(),
            "The place, among those of `pass`, where the reply tells that there is more.",
        ),
        key(
            "next",
            words(&["offset", "behind", "pages"]),
            "What stands at the place of `more`: the offset of the next record (-1 after the last), the one behind the page, or how many pages there are.",
        ),
        key(
            "empty",
            any_of([words(&["list", "bare"]), integer(400, 499)]),
            "What the API answers where there are no records: an empty list with what stands around any other, without that, or an error of this status. Default: list.",
        ),
    ]);
    needs(keys, &["size"])
}

/// How fields lie in a body that is written.
pub(super) fn write() -> Value {
    let members = "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$";
    map([
        key(
            "under",
            formed(members, "data"),
            "The member of the body under which the fields lie. Default: the body itself.",
        ),
        key(
            "beside",
            entries(formed(members, "data.type"), text("{module}")),
            "What stands beside the fields.",
        ),
        key("form", flag(), "A form is understood too; JSON is sent."),
        key(
            "arguments",
            texts("fields"),
            "Members of the body that are parameters of the route.",
        ),
        key(
            "own_id",
            flag(),
            "A creation whose body tells the id may state a UUID of its own.",
        ),
    ])
}

/// A style of predicates.
pub(super) fn predicates() -> Value {
    let styles = [
        "equals",
        "ids",
        "bracket",
        "jsonapi",
        "where",
        "groups",
        "domain",
        "sqlfilters",
        "rsql",
        "dollars",
        "words",
    ];
    let implied = entries(text("eq"), text("0"));
    let own = [
        key("style", words(&styles), "How predicates are written."),
        key(
            "in",
            parameters(),
            "The parameter; with `where`, one or several names for it.",
        ),
        key(
            "each",
            text("filters"),
            "With `groups`: the member of a group that holds its items.",
        ),
        key(
            "parameters",
            entries(parameter(), field()),
            "With `equals`, `ids`: parameters and the fields that they compare.",
        ),
        key(
            "list",
            flag(),
            "With `ids`: the ids are a list, never a text. Default: false, a text, never a list.",
        ),
        key("operators", texts("equals"), "The operators that pass."),
        key(
            "ignore_case",
            flag(),
            "With `bracket`, `jsonapi`: operators are read without regard to case.",
        ),
        key(
            "bare",
            flag(),
            "With `bracket`, `jsonapi`: no operator means equality. Default: false, of `jsonapi` true.",
        ),
        key(
            "joined_by",
            field(),
            "With `bracket`, `jsonapi`: the word among the fields that says how comparisons are joined.",
        ),
        key(
            "implied",
            entries(field(), implied),
            "With `bracket`, `jsonapi`: comparisons that the API adds by itself, and that may be said.",
        ),
        key(
            "reread",
            flag(),
            "With `bracket`, `jsonapi`: the API undoes HTML entities in texts and looks for words of its own in the query that it makes of them.",
        ),
    ];
    needs(map(own.into_iter().chain(of_items())), &["style"])
}

/// What styles with items or words have besides.
fn of_items() -> [Key; 5] {
    let members = map([
        key("operator", text("type"), "Default: type."),
        key(
            "field",
            texts("attribute"),
            "Default: attribute. Of several names, the first is sent.",
        ),
        key(
            "value",
            texts("value"),
            "Default: value. Of several names, the first holds the list of a group.",
        ),
    ]);
    let groups = map([
        key("all", text("and"), "Default: and."),
        key("any", text("or"), "Default: or."),
    ]);
    [
        key(
            "members",
            members,
            "With `where`, `groups`: how the members of an item are called.",
        ),
        key(
            "groups",
            groups,
            "With `where`: the operators whose value is a list of items.",
        ),
        key(
            "beside",
            texts("timeZone"),
            "With `where`, `groups`: further members of an item that pass.",
        ),
        key(
            "lifted",
            entries(text("primary"), parameter()),
            "With `where`: operators of items that say what a parameter says.",
        ),
        key(
            "words",
            entries(text("open"), fields()),
            "With `words`: the words, and the fields that each looks at.",
        ),
    ]
}
