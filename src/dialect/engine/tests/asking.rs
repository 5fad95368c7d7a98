//! How a client asks: in every style, as a description spells it.

use super::*;
use crate::dialect::Ask;
use crate::vocabulary::Field;

fn people() -> Module {
    Module::new("people")
}

fn line(dialect: &Described, ask: &Ask) -> Option<String> {
    dialect.ask(ask, &BOUNDS).map(|outgoing| shown(&outgoing))
}

fn filter(by: &str, value: Value) -> Ask {
    Ask::Filter {
        module: people(),
        by: Field::fold(by),
        value,
    }
}

/// An API with one list, whose records are filtered and ordered in these ways.
fn listing(ways: &str) -> Described {
    described(&format!(
        "description: one\nprefix: /api\ncredentials: {{ bearer: true }}\n\
         caller: {{ ask: [{{ get: /me, id: $.id, login: $.login }}] }}\nmodules: {{ people: {{}} }}\n\
         routes:\n  - {{ route: \"GET /people\", module: people, action: list, {ways}, records: \"$[*]\" }}\n"
    ))
}

#[test]
fn every_style_of_filters_can_say_that_a_field_is_a_value() {
    let (is, list) = ("name", "GET /api/people?");
    let cases = [
        ("style: equals, parameters: { name: name }", "name=Zoë 1"),
        (
            "style: bracket, in: filter, operators: [like, eq]",
            "filter[name][eq]=Zoë 1",
        ),
        (
            "style: bracket, in: filter, operators: [like], bare: true",
            "filter[name][like]=Zoë 1",
        ),
        (
            "style: bracket, in: filter, operators: [], bare: true",
            "filter[name]=Zoë 1",
        ),
        (
            "style: where, in: where, operators: [contains, equals]",
            "where[0][type]=equals&where[0][attribute]=name&where[0][value]=Zoë 1",
        ),
        (
            "style: groups, in: groups, each: all, operators: [has, is], members: { value: [value] }",
            "groups[0][all][0][type]=is&groups[0][all][0][attribute]=name&groups[0][all][0][value]=Zoë 1",
        ),
        (
            "style: domain, in: domain, operators: [not in, =]",
            "domain[0][]=name&domain[0][]==&domain[0][]=Zoë 1",
        ),
        ("style: sqlfilters, in: f", "f=(name:=:'Zoë 1')"),
        (
            "style: rsql, in: r, operators: [<, ==]",
            "r=name==\"Zoë 1\"",
        ),
        ("style: dollars, in: filter", "filter[0][name]=Zoë 1"),
    ];
    for (style, asked) in cases {
        let dialect = listing(&format!("where: {{ {style} }}"));
        let found = line(&dialect, &filter(is, "Zoë 1".into()));
        assert_eq!(found, Some(format!("{list}{asked}")), "{style}");
    }
}

#[test]
fn what_no_style_can_say_is_not_asked() {
    let dialect = listing("where: { style: equals, parameters: { name: name } }");
    assert_eq!(line(&dialect, &filter("town", "x".into())), None);
    let dialect = listing("where: { style: words, in: view, words: { open: [name] } }");
    assert_eq!(line(&dialect, &filter("name", "open".into())), None);
    let sort = Ask::Sort {
        module: people(),
        by: Field::fold("name"),
    };
    assert_eq!(line(&dialect, &sort), None, "it has no order");
    let dialect = listing("order: { in: order, style: words }");
    let asked = line(&dialect, &sort);
    assert_eq!(asked.as_deref(), Some("GET /api/people?order=name asc"));
    let firms = Ask::Sort {
        module: Module::new("firms"),
        by: Field::fold("name"),
    };
    assert_eq!(line(&dialect, &firms), None, "it has no such module");
}

#[test]
fn an_api_that_has_everything_is_asked_by_its_first_route_that_says_it() {
    let every = every();
    let fields = |value: Value| match value {
        Value::Object(fields) => fields,
        other => panic!("{other}"),
    };
    let cases = [
        (
            Ask::Read {
                module: people(),
                id: "p-1".to_owned(),
                fields: vec![Field::fold("town")],
            },
            "GET /api/people/p-1",
        ),
        (
            Ask::List {
                module: people(),
                fields: vec![Field::fold("town"), Field::fold("last_name")],
                filter: Some(Field::fold("town")),
                sort: Some(Field::fold("town")),
            },
            "GET /api/people?fields[people]=town,last_name&sort=town&city=1",
        ),
        (filter("boss_id", json!(7)), "GET /api/people?boss=7"),
        (filter("age", json!(7)), "GET /api/people?filter[age][eq]=7"),
        (
            Ask::Search {
                module: people(),
                text: "Zoë".to_owned(),
            },
            "GET /api/people?text=Zoë",
        ),
        (
            Ask::Write {
                module: people(),
                id: "p-1".to_owned(),
                set: fields(json!({"town": "Lyon"})),
            },
            "PUT /api/people/p-1 {\"data\":{\"town\":\"Lyon\"}}",
        ),
        (
            Ask::Create {
                module: people(),
                fields: fields(json!({"town": "Lyon"})),
            },
            "POST /api/people {\"town\":\"Lyon\"}",
        ),
    ];
    for (ask, asked) in cases {
        assert_eq!(line(&every, &ask).as_deref(), Some(asked), "{ask:?}");
    }
}
