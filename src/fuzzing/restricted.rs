//! What is needed of records, as each CRM is asked for it: the records that its model selects are those that are kept. Where
//! not all could be said, they are among those that it selects.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::BOUNDS;
use super::models::dolibarr::{self, Colons};
use super::models::php::{self, Html, Tree};
use super::models::rows::{self, Cell};
use super::models::sql;
use super::models::{espocrm, suitecrm};
use super::second_reading::{argument, call, described, encode};
use crate::condition::{Facts, FieldTest, PersonFact, Resolved, Scalar};
use crate::dialect::schema::{FieldSchema, Holds};
use crate::dialect::sugar_v4::SugarV4;
use crate::dialect::{Database, Dialect, Exchange, Incoming, Outgoing, Understood};
use crate::dialect::{sugar_rest, suitecrm_v8};
use crate::vocabulary::{Field, Module};

mod sugar;

use sugar::of_sugar_rest;

/// The fields of a module: a text, a number, a moment, a flag, and one of which nobody knows what it holds.
#[derive(Clone, Copy)]
struct Names {
    module: &'static str,
    text: &'static str,
    number: &'static str,
    moment: &'static str,
    flag: &'static str,
    plain: &'static str,
    /// Whether replies tell minutes only.
    cuts: bool,
}

const SUGAR: Names = Names {
    module: "Contacts",
    text: "title",
    number: "size",
    moment: "date_modified",
    flag: "do_not_call",
    plain: "department",
    cuts: false,
};
const V8: Names = Names {
    cuts: true,
    ..SUGAR
};
const DOLIBARR: Names = Names {
    module: "contacts",
    text: "town",
    number: "zip",
    moment: "birthday",
    flag: "phone_pro",
    plain: "lastname",
    cuts: false,
};
const ESPOCRM: Names = Names {
    module: "Contact",
    text: "status",
    number: "createdById",
    moment: "createdAt",
    flag: "modifiedById",
    plain: "assignedUserId",
    cuts: false,
};

/// A record as its database holds it.
#[derive(Clone, Debug)]
struct Row {
    text: Option<String>,
    number: Option<String>,
    moment: Option<String>,
    flag: bool,
    plain: Option<String>,
}

impl Row {
    fn cell(&self, names: Names, name: &str) -> Option<Cell> {
        let text = |text: &Option<String>| text.clone().map_or(Cell::Null, Cell::Text);
        let number = |text: &Option<String>| text.clone().map_or(Cell::Null, Cell::Number);
        let is = |own: &str| own.eq_ignore_ascii_case(name);
        Some(match name {
            _ if is(names.text) => text(&self.text),
            _ if is(names.number) => number(&self.number),
            _ if is(names.moment) => text(&self.moment),
            _ if is(names.flag) => Cell::Number(u8::from(self.flag).to_string()),
            // How it is called in filters.
            "phone" => Cell::Number(u8::from(self.flag).to_string()),
            _ if is(names.plain) => text(&self.plain),
            "id" | "rowid" => Cell::Text("7".to_owned()),
            "deleted" => Cell::Number("0".to_owned()),
            _ => return None,
        })
    }
}

/// A record as a reply tells it.
struct Told<'a>(&'a Row, Names);

impl Facts for Told<'_> {
    fn field(&mut self, field: &Field) -> Option<Value> {
        let Self(row, names) = self;
        Some(match row.cell(*names, field.as_str())? {
            Cell::Null => Value::Null,
            Cell::Text(text) if names.cuts && field.as_str() == names.moment => {
                format!("{}:00", &text[..16]).into()
            }
            Cell::Text(text) | Cell::Number(text) => text.into(),
        })
    }

    fn person(&mut self, _: PersonFact) -> Option<bool> {
        None
    }
}

fn row() -> impl Strategy<Value = Row> {
    let texts = || {
        select(vec![None, Some(""), Some("a"), Some("b"), Some("O'Neil")])
            .prop_map(|text| text.map(str::to_owned))
    };
    let number = select(vec![None, Some("0"), Some("1"), Some("2.50"), Some("-3")]);
    let moment = select(vec![
        None,
        Some("2026-03-01 00:00:00"),
        Some("2026-03-01 12:00:30"),
        Some("2026-03-01 12:01:00"),
        Some("2026-03-02 00:00:00"),
    ]);
    (texts(), number, moment, any::<bool>(), texts()).prop_map(
        |(text, number, moment, flag, plain)| Row {
            text,
            number: number.map(str::to_owned),
            moment: moment.map(str::to_owned),
            flag,
            plain,
        },
    )
}

fn test_of_texts() -> impl Strategy<Value = FieldTest> {
    let texts = select(vec!["", "a", "b", "c d", "O'Neil", "x (y)"]);
    let texts = vec(texts.prop_map(|text| Scalar::Text(text.to_owned())), 0..4);
    prop_oneof![
        texts.clone().prop_map(FieldTest::OneOf),
        texts.prop_map(FieldTest::NoneOf),
        any::<bool>().prop_map(FieldTest::Blank),
        Just(FieldTest::LessThan(Scalar::Text("b".to_owned()))),
    ]
}

fn test_of_numbers() -> impl Strategy<Value = FieldTest> {
    let number = select(vec!["0", "1", "2.5", "-3"]);
    let number = number.prop_map(|number| Scalar::Number(number.to_owned()));
    prop_oneof![
        vec(number.clone(), 0..3).prop_map(FieldTest::OneOf),
        vec(number.clone(), 0..3).prop_map(FieldTest::NoneOf),
        number.clone().prop_map(FieldTest::LessThan),
        number.clone().prop_map(FieldTest::AtMost),
        number.clone().prop_map(FieldTest::GreaterThan),
        number.prop_map(FieldTest::AtLeast),
        any::<bool>().prop_map(FieldTest::Blank),
    ]
}

fn test_of_moments() -> impl Strategy<Value = FieldTest> {
    let moment = select(vec![
        "2026-03-01T00:00:00Z",
        "2026-03-01T12:00:00.5Z",
        "2026-03-01T12:00:31Z",
        "2026-03-01T12:01:00Z",
    ]);
    let moment = moment.prop_map(|text| text.parse::<Timestamp>().unwrap());
    prop_oneof![
        moment.clone().prop_map(FieldTest::Before),
        moment.prop_map(FieldTest::After),
        any::<bool>().prop_map(FieldTest::Blank),
    ]
}

fn needed(names: Names) -> impl Strategy<Value = Resolved> {
    let field = |name: &str| Field::fold(name);
    let (text, plain) = (field(names.text), field(names.plain));
    let (number, moment, flag) = (field(names.number), field(names.moment), field(names.flag));
    let flags = vec(any::<bool>().prop_map(Scalar::Bool), 1..3);
    let flags = prop_oneof![
        flags.clone().prop_map(FieldTest::OneOf),
        flags.prop_map(FieldTest::NoneOf),
    ];
    let leaf = prop_oneof![
        4 => test_of_texts().prop_map(move |test| Resolved::Field(text.clone(), test)),
        2 => test_of_texts().prop_map(move |test| Resolved::Field(plain.clone(), test)),
        3 => test_of_numbers().prop_map(move |test| Resolved::Field(number.clone(), test)),
        3 => test_of_moments().prop_map(move |test| Resolved::Field(moment.clone(), test)),
        2 => flags.prop_map(move |test| Resolved::Field(flag.clone(), test)),
        1 => select(vec![Some(true), Some(false), None]).prop_map(Resolved::Known),
        1 => Just(Resolved::Person(PersonFact::Consented)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Resolved::All),
            vec(inner.clone(), 0..4).prop_map(Resolved::Any),
            inner.prop_map(|inner| Resolved::Not(Box::new(inner))),
        ]
    })
}

/// The same dialect before a CRM whose schema says what the fields hold.
fn typed(dialect: &dyn Dialect, names: Names) -> std::sync::Arc<dyn Dialect> {
    let mut modules = crate::dialect::Modules::default();
    let known = modules.entry(&Module::new(names.module)).unwrap();
    for (name, kind) in [
        (names.text, "varchar"),
        (names.number, "int"),
        (names.moment, "datetime"),
        (names.flag, "bool"),
    ] {
        let field = FieldSchema {
            kind: Some(kind.to_owned()),
            holds: Holds::Own,
        };
        known.fields.insert(Field::fold(name), field);
    }
    dialect.with_schema(dialect.schema().with(modules))
}

fn exchange(dialect: &dyn Dialect, request: &Incoming<'_>) -> Box<dyn Exchange> {
    match dialect.understand(request, &BOUNDS) {
        Ok(Understood::One(exchange)) => exchange,
        Ok(Understood::Bulk { .. }) => panic!("an envelope"),
        Err(misunderstood) => panic!("{misunderstood:?}"),
    }
}

/// What a request to a CRM selects.
type Selects<'a> = &'a dyn Fn(&Outgoing, &Row) -> bool;

/// Whether a request, asked only for what is needed, selects what is kept of what it selects otherwise.
fn keeps(
    (dialect, names): (&dyn Dialect, Names),
    request: &Incoming<'_>,
    (needed, rows): (&Resolved, &[Row]),
    selects: Selects<'_>,
) -> bool {
    let exchange = exchange(dialect, request);
    let module = Module::new(names.module);
    let of = |asked: &Module| (*asked == module).then(|| needed.clone());
    let restricted = exchange.restrict(exchange.operation(), &of);
    let outgoing = exchange.render(&restricted.operation);
    let before = exchange.render(exchange.operation());
    let again = self::exchange(dialect, &outgoing.incoming());
    let again = &again.operation().query.predicate;
    // Scalars of a query string are texts.
    let text = |predicate: &_| format!("{predicate:?}");
    assert_eq!(
        again.as_ref().map(text),
        restricted.operation.query.predicate.as_ref().map(text)
    );
    let is_exact = !restricted.unsaid.contains(&module);
    for row in rows {
        let is_kept = selects(&before, row) && needed.holds(&mut Told(row, names)) == Some(true);
        let is_selected = selects(&outgoing, row);
        assert!(is_selected || !is_kept, "{row:?} is lost");
        assert!(is_kept || !is_selected || !is_exact, "{row:?} is too much");
    }
    is_exact
}

fn incoming<'a>(method: &'a http::Method, target: &'a str, body: &'a str) -> Incoming<'a> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let form = target
        .contains("/service/")
        .then_some("application/x-www-form-urlencoded");
    Incoming {
        method,
        path,
        query,
        accept: None,
        content_type: form.or_else(|| (!body.is_empty()).then_some("application/json")),
        controls: &[],
        body: body.as_bytes(),
    }
}

fn selected(names: Names, condition: &str, row: &Row) -> bool {
    if condition.is_empty() {
        return true;
    }
    let tokens = sql::tokens(condition).expect("a statement");
    let holds = rows::holds(&tokens, &|name| row.cell(names, name));
    holds.unwrap_or_else(|why| panic!("{condition}: {why}")) == Some(true)
}

fn of_sugar_v4(outgoing: &Outgoing, row: &Row) -> bool {
    selected(SUGAR, &argument(outgoing, 2), row)
}

fn of_suitecrm_v8(outgoing: &Outgoing, row: &Row) -> bool {
    let query = outgoing
        .target
        .split_once('?')
        .map_or("", |(_, query)| query);
    let parameters = php::parse_str(query);
    let (mut comparisons, mut joined_by) = (Vec::new(), "and");
    let fields = parameters.get("filter").map_or(&[][..], Tree::members);
    for (field, tree) in fields {
        match tree {
            Tree::Text(word) => joined_by = if word == "or" { "or" } else { "and" },
            Tree::Members(operators) => {
                comparisons.extend(operators.iter().map(|(word, value)| {
                    let value = value.text().expect("a text");
                    (field.clone(), word.clone(), value.to_owned())
                }))
            }
        }
    }
    let condition = suitecrm::filter("contacts", &comparisons, joined_by, Html::Five);
    selected(V8, &condition, row)
}

fn of_dolibarr(outgoing: &Outgoing, row: &Row) -> bool {
    let query = outgoing
        .target
        .split_once('?')
        .map_or("", |(_, query)| query);
    let parameters = php::parse_str(query);
    let Some(filter) = parameters.get("sqlfilters").and_then(Tree::text) else {
        return true;
    };
    let condition = dolibarr::condition(filter, Colons::FirstTwo).expect("a filter");
    selected(DOLIBARR, condition.trim_start_matches(" AND "), row)
}

/// A comparison of a tree of conditions, as SQL says it.
fn compared(names: Names, row: &Row, (field, sign): (&str, &str), value: &Value) -> Option<bool> {
    let literal = |value: &Value| match value {
        Value::String(text) if text.is_empty() => "''".to_owned(),
        Value::String(text) => format!("0x{}", hexadecimal(text)),
        other => other.to_string(),
    };
    let condition = match value {
        Value::Null => format!("{field} {sign}"),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(literal).collect();
            format!("{field} {sign} ({})", values.join(","))
        }
        value => format!("{field} {sign} {}", literal(value)),
    };
    let tokens = sql::tokens(&condition.to_lowercase()).expect("a statement");
    rows::holds(&tokens, &|name| row.cell(names, name)).expect("a condition")
}

fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<_> = parts.collect();
    match parts.contains(&Some(false)) {
        true => Some(false),
        false => parts.into_iter().collect::<Option<Vec<_>>>().map(|_| true),
    }
}

fn any_of(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(parts.map(|part| part.map(|is| !is))).map(|is| !is)
}

fn of_espocrm(outgoing: &Outgoing, row: &Row) -> bool {
    let query = outgoing
        .target
        .split_once('?')
        .map_or("", |(_, query)| query);
    let items = espocrm::conditions(query).unwrap_or_else(|| json!([]));
    let items = items.as_array().expect("a list").iter();
    all(items.map(|item| espo_item(item, row))) == Some(true)
}

fn espo_item(item: &Value, row: &Row) -> Option<bool> {
    let word = item["type"].as_str().expect("a word");
    let parts = || {
        let parts = item["value"].as_array().expect("a list").iter();
        parts.map(|part| espo_item(part, row))
    };
    let sign = match word {
        "and" => return all(parts()),
        "or" => return any_of(parts()),
        "equals" => "=",
        "notEquals" => "<>",
        "in" => "in",
        "notIn" => "not in",
        "lessThan" => "<",
        "lessThanOrEquals" => "<=",
        "greaterThan" => ">",
        "greaterThanOrEquals" => ">=",
        "isNull" => "is null",
        "isNotNull" => "is not null",
        "isTrue" => "= 1",
        "isFalse" => "= 0",
        other => panic!("{other}"),
    };
    let field = item["attribute"].as_str().expect("an attribute");
    // Names have capital letters there.
    let known = [
        ESPOCRM.text,
        ESPOCRM.number,
        ESPOCRM.moment,
        ESPOCRM.flag,
        ESPOCRM.plain,
        "id",
    ];
    assert!(known.contains(&field), "{field}");
    compared(ESPOCRM, row, (field, sign), &item["value"])
}

const GET: http::Method = http::Method::GET;
const POST: http::Method = http::Method::POST;

fn get_entry_list(query: &str) -> String {
    call(
        "get_entry_list",
        &json!(["s", "Contacts", query, "", 0, ["id"], [], 20, 0]),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn sugar_v4_selects_what_is_kept(
        needed in needed(SUGAR),
        rows in vec(row(), 8),
        own in select(vec!["", "contacts.title = 'a'", "contacts.title = 'a' OR contacts.size > 0", "contacts.size > 0 AND contacts.title IS NULL"]),
    ) {
        let body = get_entry_list(own);
        let request = incoming(&POST, "/service/v4_1/rest.php", &body);
        for database in [Database::Mysql, Database::Other] {
            let dialect = typed(&SugarV4::before(database), SUGAR);
            keeps((&*dialect, SUGAR), &request, (&needed, &rows), &of_sugar_v4);
        }
    }

    #[test]
    fn suitecrm_v8_selects_what_is_kept(
        needed in needed(V8),
        rows in vec(row(), 8),
        own in select(vec!["", "filter[title][eq]=a", "filter[title][eq]=a&filter[size][gt]=0", "filter[operator]=or&filter[title][eq]=a&filter[size][gt]=0"]),
    ) {
        let target = format!("/Api/V8/module/Contacts?{own}");
        let request = incoming(&GET, &target, "");
        let dialect = typed(&suitecrm_v8::described(), V8);
        keeps((&*dialect, V8), &request, (&needed, &rows), &of_suitecrm_v8);
    }

    #[test]
    fn dolibarr_selects_what_is_kept(
        needed in needed(DOLIBARR),
        rows in vec(row(), 8),
        own in select(vec!["", "(t.town:=:'a')", "(t.town:=:'a') or (t.zip:>:0)", "(t.zip:>:0) and (t.town:is:null)"]),
    ) {
        let target = format!("/api/index.php/contacts?limit=5&sqlfilters={}", encode(own));
        let request = incoming(&GET, &target, "");
        let dialect = typed(&*described::DOLIBARR, DOLIBARR);
        keeps((&*dialect, DOLIBARR), &request, (&needed, &rows), &of_dolibarr);
    }

    #[test]
    fn espocrm_selects_what_is_kept(
        needed in needed(ESPOCRM),
        rows in vec(row(), 8),
        own in select(vec!["", "&where[0][type]=equals&where[0][attribute]=status&where[0][value]=a"]),
    ) {
        let target = format!("/api/v1/Contact?maxSize=5{own}");
        let request = incoming(&GET, &target, "");
        let dialect = typed(&*described::ESPOCRM, ESPOCRM);
        keeps((&*dialect, ESPOCRM), &request, (&needed, &rows), &of_espocrm);
    }

    #[test]
    fn sugar_rest_selects_what_is_kept(
        needed in needed(SUGAR),
        rows in vec(row(), 8),
        own in select(vec![json!({}), json!({"filter": [{"title": "a"}]}), json!({"filter": [{"$or": [{"title": "a"}, {"size": {"$gt": "0"}}]}]})]),
    ) {
        let body = own.to_string();
        let request = incoming(&POST, "/rest/v11_24/Contacts/filter", &body);
        let dialect = typed(&sugar_rest::described(), SUGAR);
        keeps((&*dialect, SUGAR), &request, (&needed, &rows), &of_sugar_rest);
    }
}

/// Whether each CRM can say a condition, by the name of its API.
fn says(condition: impl Fn(Names) -> Resolved) -> BTreeMap<&'static str, bool> {
    let body = get_entry_list("");
    let said = |dialect: &dyn Dialect, names, request: &Incoming<'_>, selects: Selects<'_>| {
        let dialect = typed(dialect, names);
        keeps(
            (&*dialect, names),
            request,
            (&condition(names), &[]),
            selects,
        )
    };
    let v4 = incoming(&POST, "/service/v4_1/rest.php", &body);
    let rest = incoming(&POST, "/rest/v11_24/Contacts/filter", "{}");
    let v8 = incoming(&GET, "/Api/V8/module/Contacts", "");
    let doli = incoming(&GET, "/api/index.php/contacts?limit=5", "");
    let espo = incoming(&GET, "/api/v1/Contact?maxSize=5", "");
    BTreeMap::from([
        (
            "sugar-v4",
            said(&SugarV4::before(Database::Mysql), SUGAR, &v4, &of_sugar_v4),
        ),
        (
            "sugar-rest",
            said(&sugar_rest::described(), SUGAR, &rest, &of_sugar_rest),
        ),
        (
            "suitecrm-v8",
            said(&suitecrm_v8::described(), V8, &v8, &of_suitecrm_v8),
        ),
        (
            "dolibarr",
            said(&*described::DOLIBARR, DOLIBARR, &doli, &of_dolibarr),
        ),
        (
            "espocrm",
            said(&*described::ESPOCRM, ESPOCRM, &espo, &of_espocrm),
        ),
    ])
}

#[test]
fn what_each_crm_can_say() {
    let text = |text: &str| Scalar::Text(text.to_owned());
    let of_text = move |test: FieldTest| {
        move |names: Names| Resolved::Field(Field::fold(names.text), test.clone())
    };
    let cannot = |said: BTreeMap<&'static str, bool>| -> Vec<&'static str> {
        said.into_iter()
            .filter(|(_, says)| !says)
            .map(|(name, _)| name)
            .collect()
    };
    assert!(cannot(says(of_text(FieldTest::OneOf(vec![text("a")])))).is_empty());
    let several = says(of_text(FieldTest::OneOf(vec![text("a"), text("b")])));
    assert_eq!(cannot(several), ["suitecrm-v8"]);
    let others = says(of_text(FieldTest::NoneOf(vec![text("a"), text("b")])));
    assert_eq!(cannot(others), ["suitecrm-v8"]);
    let blank = says(of_text(FieldTest::Blank(true)));
    assert_eq!(cannot(blank), ["suitecrm-v8"]);
    let mine_or_big = says(|names| {
        Resolved::Any(vec![
            Resolved::Field(Field::fold(names.plain), FieldTest::OneOf(vec![text("u1")])),
            Resolved::Field(
                Field::fold(names.number),
                FieldTest::AtLeast(Scalar::Number("5".to_owned())),
            ),
        ])
    });
    assert_eq!(cannot(mine_or_big), ["suitecrm-v8"]);
    let old = says(|names| {
        let time = "2026-03-01T12:00:00Z".parse().unwrap();
        Resolved::Field(Field::fold(names.moment), FieldTest::Before(time))
    });
    // Its replies tell seconds since 1970, of which nothing is kept.
    assert_eq!(cannot(old), ["dolibarr"]);
    let consented = says(|_| Resolved::Person(PersonFact::Consented));
    assert_eq!(consented.values().filter(|says| **says).count(), 0);
    // For a caller without a team, nothing is there, and that can be said.
    let nothing = says(of_text(FieldTest::OneOf(Vec::new())));
    assert_eq!(cannot(nothing), ["suitecrm-v8"]);
}
