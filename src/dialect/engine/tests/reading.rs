//! Mistakes in descriptions are all told at once, each with its place.

use super::*;

/// The problems of the description after a change, as codes and titles.
fn problems(from: &str, to: &str) -> String {
    assert!(EVERYTHING.contains(from), "{from}");
    let (described, found) = Described::read("every.yaml", &EVERYTHING.replacen(from, to, 1));
    assert!(described.is_none(), "{to} is accepted");
    let text = found.render(false);
    assert!(text.contains("every.yaml:"), "no place: {text}");
    text
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_mistake_has_its_code() {
    for (from, to, expected) in [
        ("description: every", "description: Every", "D002"),
        ("description: every", "description: sugar-rest", "D002"),
        ("prefix: /api", "prefix: /api/", "D002"),
        ("ids: word", "ids: wrod", "did you mean `word`?"),
        ("ids: word", "idz: word", "did you mean `ids`?"),
        ("headers: [X-Key]", "headers: [Cookie]", "D002"),
        ("headers: [X-Key], ", "", "D010"),
        ("login: $.login, ", "", "D010"),
        ("id: $.id", "id: \"$.[\"", "D006"),
        ("5e884898", "zz884898", "D002"),
        ("login: listed", "login: \"\"", "D002"),
        (
            "related: { boss: people }",
            "related: { boss: peopel }",
            "did you mean `people`?",
        ),
        ("links: { firm: firms }", "links: { firm: frims }", "D008"),
        ("made_by: users.name", "made_by: user.name", "D008"),
        ("{ t: own, x", "{ x", "D002"),
        ("GET /meta", "FETCH /meta", "D003"),
        (
            "order: { in: order, style: words }",
            "order: { in: order, style: words, descending: ASC }",
            "these are not two directions",
        ),
        (
            "order: { in: order, style: words }",
            "order: { in: order, style: words, ascending: \"\" }",
            "these are not two directions",
        ),
        (
            "parameters: { city: town }",
            "parameters: { city: town, place: town }",
            "field `town` has two parameters",
        ),
        ("GET /meta", "\"GET /{module}/{module}\"", "D003"),
        ("\"DELETE /{module}/{id}\"", "\"DELETE /{module}\"", "D003"),
        (
            "\"POST /search/{module}\",",
            "\"POST /{other}\", module: people,",
            "D004",
        ),
        (
            "records: \"$.data[*]\"",
            "records: \"$.data[?@.x]\"",
            "D006",
        ),
        ("records: \"$.data[*]\"", "records: \"$..data\"", "D006"),
        ("records: \"$.data[*]\"", "records: \"$.data[0]\"", "D006"),
        ("pass: [$.meta.total]", "pass: [$.data]", "D006"),
        ("opaque: [$], drop", "drop", "D005"),
        (
            "action: metadata, opaque: [$], drop: [$.fields.*.default]",
            "module: people, action: list, opaque: [$.list]",
            "D005",
        ),
        (
            "action: metadata, opaque: [$], drop: [$.fields.*.default]",
            "module: people, action: other, opaque: [$]",
            "D005",
        ),
        (
            "records: $.data, under: attributes, drop",
            "records: $.data, under: attributes, opaque: [$], drop",
            "D005",
        ),
        (
            "module: firms, action: read, records: $",
            "action: read, records: $",
            "D005",
        ),
        (
            "style: bracket, in: filter",
            "style: brackets, in: filter",
            "did you mean `bracket`?",
        ),
        ("operators: [eq, in], bare: true", "bare: false", "D007"),
        ("operators: [is, has, in]", "operators: [is, and]", "D007"),
        ("in: view, words", "in: view, operators: [a], words", "D012"),
        ("search: text", "search: sort", "D011"),
        ("more: $.meta.total", "more: $.meta.count", "D005"),
        ("more: $.meta.total", "more: $.meta", "D005"),
        ("dropped: [cache]", "dropped: [sort]", "D011"),
        ("parameters: [_]", "parameters: [sortBy]", "D011"),
        ("parameters: [_]", "parameters: [\"a b\"]", "D002"),
        ("members: [version, _type]", "members: [\"a b\"]", "D002"),
        ("slash: true", "slahs: true", "did you mean `slash`?"),
        ("X-No-Total: flag", "X-Key: flag", "D002"),
        ("X-No-Total: flag", "Content-Length: flag", "D002"),
        ("X-No-Total: flag", "X_No_Total: flag", "D002"),
        (
            "X-No-Total: flag",
            "X-No-Total: { compare: a }",
            "did you mean `compares`?",
        ),
        ("compares: version", "compares: \"a b\"", "D002"),
        (
            "field: [attribute, field]",
            "field: [attribute, type]",
            "D007",
        ),
        ("primary: view", "is: view", "D007"),
        ("search: text", "search: page", "D011"),
        (
            "action: update, write",
            "action: update, look_up: GET /meta, write",
            "D009",
        ),
        ("link: firm,", "link: frim,", "D008"),
        ("action: delete, pass", "action: destroy, pass", "Y013"),
    ] {
        let text = problems(from, to);
        assert!(
            text.contains(expected),
            "{to} says not {expected} but:\n{text}"
        );
    }
}

#[test]
fn only_what_is_told_of_the_caller_and_of_modules_may_do_without_a_purpose() {
    for action in ["delete, pass", "update, write"] {
        let (from, to) = (
            format!("action: {action}"),
            action.replacen(',', ", access: role,", 1),
        );
        let text = problems(&from, &format!("action: {to}"));
        assert!(text.contains("D012"), "{action}: {text}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = EVERYTHING
        .replace("ids: word", "ids: wrod")
        .replace(
            "style: bracket, in: filter, operators: [eq, in]",
            "style: brackets",
        )
        .replace("GET /meta", "GET meta");
    let (_, found) = Described::read("every.yaml", &text);
    let text = found.render(false);
    for expected in ["Y013", "D003", "wrod", "brackets", "GET meta"] {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_mistake_about_all_modules_is_told_once() {
    let text = problems(
        "copies: { made_by: users.name }",
        "copies: { made_by: nobody.name }",
    );
    assert_eq!(text.matches("error[").count(), 1, "{text}");
}

#[test]
fn places_may_be_quoted() {
    let text = EVERYTHING.replace("records: \"$.data[*]\"", "records: \"$['my data'][*]\"");
    let every = described(&text);
    let operation = understand(&every, "GET /api/people", "").unwrap();
    let Shape::Object(list) = every.shape(&operation) else {
        panic!("no object")
    };
    assert_eq!(list.required, ["my data"]);
}

#[test]
fn no_name_in_a_path_ends_with_the_suffix() {
    let text = EVERYTHING
        .replacen("prefix: /api", "prefix: /api\nsuffix: .json", 1)
        .replacen("  firms: {", "  firms: { path: [firms, users.json],", 1);
    let (described, found) = Described::read("every.yaml", &text);
    assert!(described.is_none());
    let text = found.render(false);
    assert!(text.contains("`users.json` ends with the suffix"), "{text}");
}
