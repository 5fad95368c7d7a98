//! Records that are there for one caller and not for another, or on other terms: the oracle judges them one by one.

use std::collections::BTreeSet;

use super::*;
use crate::condition::{Facts, FieldTest, PersonFact, Resolved, Scalar};
use crate::dialect::{ChoiceShape, Count, EntryShape, Layout};
use crate::filter::persons::{Described, Persons};
use crate::json;
use crate::policy::{Conditions, Judged};
use crate::vocabulary::{RuleName, Spelling};

/// The known fields of modules, by the number of their rules.
type KnownByNumber = BTreeMap<(Module, u64), Arc<KnownFields>>;

/// What must hold of a module's records.
#[derive(Clone, Debug)]
struct Rows {
    wanted: BTreeSet<Field>,
    /// For a record to be there.
    keep: Resolved,
    /// For it to be shown on the lesser terms.
    less: Resolved,
}

/// A table, and a lesser one, and which of a module's records have which.
#[derive(Clone, Debug)]
pub(super) struct Conditioned {
    more: Table,
    less: Table,
    rows: BTreeMap<Module, Rows>,
    known: Arc<Mutex<KnownByNumber>>,
    /// What is guessed of a first record.
    usual: u64,
    /// Whether no field is known before it is met.
    is_strange: bool,
}

/// One module's part of it.
#[derive(Debug)]
struct OfModule(Conditioned, Module);

impl Terms for Conditioned {
    fn field(&self, module: &Module, name: &str) -> Arc<FieldRule> {
        self.more.field(module, name)
    }

    fn display_name(&self, module: &Module) -> Option<Arc<FieldRule>> {
        self.more.display_name(module)
    }

    fn fields(&self, module: &Module) -> Arc<KnownFields> {
        match self.is_strange {
            true => Arc::default(),
            false => Numbered(self.more.clone()).fields(module),
        }
    }

    fn conditions(&self, module: &Module) -> Option<Arc<dyn Conditional>> {
        let is_one = self.rows.contains_key(module);
        is_one.then(|| Arc::new(OfModule(self.clone(), module.clone())) as Arc<dyn Conditional>)
    }
}

impl Conditional for OfModule {
    fn wanted(&self) -> &BTreeSet<Field> {
        &self.0.rows[&self.1].wanted
    }

    fn judge(&self, facts: &mut dyn Facts) -> Judged {
        let rows = &self.0.rows[&self.1];
        if rows.keep.holds(facts) != Some(true) {
            return Judged::Absent(RuleName::new("rows.own"));
        }
        Judged::There(rows.less.holds(facts).unwrap_or(true).into())
    }

    fn usual(&self) -> u64 {
        self.0.usual
    }

    fn field(&self, number: u64, name: &str) -> Arc<FieldRule> {
        self.0.table(number).field(&self.1, name)
    }

    fn fields(&self, number: u64) -> Arc<KnownFields> {
        let mut known = self.0.known.lock().unwrap();
        let of_number = known.entry((self.1.clone(), number));
        let make = || match self.0.is_strange {
            true => Arc::default(),
            false => Numbered(self.0.table(number).clone()).fields(&self.1),
        };
        of_number.or_insert_with(make).clone()
    }
}

fn is(field: &str, words: &[&str]) -> Resolved {
    let words = words.iter().map(|word| Scalar::Text((*word).to_owned()));
    Resolved::Field(Field::fold(field), FieldTest::OneOf(words.collect()))
}

fn rows(keep: Resolved, less: Resolved) -> Rows {
    let mut wanted = BTreeSet::new();
    for part in [&keep, &less] {
        part.each_field(&mut |field| {
            wanted.insert(field.clone());
        });
    }
    Rows { wanted, keep, less }
}

impl Conditioned {
    fn new(rows: impl IntoIterator<Item = (&'static str, Rows)>) -> Self {
        let more = table();
        let mut less = table();
        for name in ["clear_c", "text_c"] {
            less.0.insert(name, Show::Mask(Mask::Initials));
        }
        less.0.insert("mask_c", Show::Remove);
        let rows = rows.into_iter();
        Self {
            more,
            less,
            rows: rows
                .map(|(module, rows)| (Module::new(module), rows))
                .collect(),
            known: Arc::default(),
            usual: 0,
            is_strange: false,
        }
    }

    /// Nothing is asked of any record.
    pub(super) fn nowhere() -> Self {
        Self::new([])
    }

    /// Contacts are there if `clear_c` says `mine`.
    pub(super) fn mine() -> Self {
        let keep = is("clear_c", &["mine"]);
        Self::new([("Contacts", rows(keep, Resolved::Known(Some(false))))])
    }

    /// The same, and shown on lesser terms if `redact_c` says `less`, or is not there.
    fn mine_or_less() -> Self {
        let less = is("redact_c", &["less"]);
        Self::new([("Contacts", rows(is("clear_c", &["mine"]), less))])
    }

    fn table(&self, number: u64) -> &Table {
        match number {
            0 => &self.more,
            _ => &self.less,
        }
    }
}

/// The facts of a record, looked up in the obvious way.
struct Plainly<'r>(&'r Map<String, Value>);

impl Facts for Plainly<'_> {
    fn field(&mut self, field: &Field) -> Option<Value> {
        let mut members = self.0.iter();
        let found = members.find(|(name, _)| name.eq_ignore_ascii_case(field.as_str()));
        // What has two readings, or lies too deep, is not compared.
        found.and_then(|(_, value)| json::read(value.to_string().as_bytes(), 8).ok())
    }

    fn person(&mut self, _: PersonFact) -> Option<bool> {
        None
    }
}

impl oracle::Judges for Conditioned {
    fn table(&self, module: &str, record: &Map<String, Value>) -> Result<Option<&Table>, Cause> {
        let Some(rows) = self.rows.get(&Module::new(module)) else {
            return Ok(Some(&self.more));
        };
        for wanted in &rows.wanted {
            let is_it = |name: &&String| name.eq_ignore_ascii_case(wanted.as_str());
            if record.keys().filter(is_it).count() > 1 {
                return Err(Cause::DuplicateKey);
            }
        }
        let facts = &mut Plainly(record);
        Ok((rows.keep.holds(facts) == Some(true))
            .then(|| Self::table(self, rows.less.holds(facts).unwrap_or(true).into())))
    }

    fn is_judged(&self, module: &str) -> bool {
        self.rows.contains_key(&Module::new(module))
    }

    fn names(&self) -> &Table {
        &self.more
    }
}

/// What was released, and how it ended.
fn run(terms: &Conditioned, shape: &Shape, asked: Asked, chunks: &[&[u8]]) -> Filtered {
    run_with(terms, shape, asked, chunks, &Memory::new())
}

pub(super) fn run_with(
    terms: &Conditioned,
    shape: &Shape,
    asked: Asked,
    chunks: &[&[u8]],
    memory: &Memory,
) -> Filtered {
    let mut filter = Filter::on_terms(Box::new(terms.clone()), shape, asked, LIMITS, memory);
    let mut out = Vec::new();
    for chunk in chunks {
        if let Err(failed) = filter.push(chunk, &mut out) {
            return (out, Err(failed));
        }
    }
    let report = filter.finish(&mut out);
    (out, report)
}

pub(super) fn shown_of(terms: &Conditioned, shape: &Shape, asked: Asked, text: &str) -> String {
    let (out, result) = run(terms, shape, asked, &[text.as_bytes()]);
    result.unwrap_or_else(|failed| panic!("{failed:?} in {text}"));
    String::from_utf8(out).unwrap()
}

fn cause_of(terms: &Conditioned, shape: &Shape, text: &str) -> Option<Cause> {
    let (_, result) = run(terms, shape, Asked::default(), &[text.as_bytes()]);
    result.err().map(|failed| failed.cause)
}

pub(super) fn told() -> Asked {
    Asked {
        pushed: true,
        ..Asked::default()
    }
}

#[test]
fn what_belongs_to_a_record_is_not_judged_by_itself() {
    let terms = Conditioned::mine();
    let shape = |is_part: bool| {
        Shape::List(Box::new(Shape::Record(RecordShape {
            is_part,
            ..RecordShape::of(&Module::new("Contacts"))
        })))
    };
    let text = r#"[{"id":"a-1"}]"#;
    assert_eq!(shown_of(&terms, &shape(true), told(), text), text);
    assert_eq!(shown_of(&terms, &shape(false), told(), text), "[]");
}

#[test]
fn a_record_that_is_not_there_goes_with_its_comma() {
    let terms = Conditioned::mine();
    let mine = r#"{"id":"1","clear_c":"mine"}"#;
    let other = r#"{"id":"2","clear_c":"other"}"#;
    for (records, expected) in [
        (
            format!("[{mine},{other},{mine}]"),
            format!("[{mine},{mine}]"),
        ),
        (format!("[{other},{mine}]"), format!("[{mine}]")),
        (
            format!("[{other},{other},{mine},{mine}]"),
            format!("[{mine},{mine}]"),
        ),
        (format!("[{mine},{other}]"), format!("[{mine}]")),
        (format!("[{other}]"), "[]".to_owned()),
        (
            format!("[ {mine} , {other} , {mine} ]"),
            format!("[ {mine}  , {mine} ]"),
        ),
        (format!("[{other}\n,\n{mine}]"), format!("[\n\n{mine}]")),
        ("[]".to_owned(), "[]".to_owned()),
        ("[ ]".to_owned(), "[ ]".to_owned()),
        // Nobody knows whose it is.
        (
            r#"[{"id":"3"},{"clear_c":["mine"]},{"clear_c":null}]"#.to_owned(),
            "[]".to_owned(),
        ),
        (
            r#"[{"CLEAR_\u0063":"\u006dine"}]"#.to_owned(),
            r#"[{"CLEAR_\u0063":"\u006dine"}]"#.to_owned(),
        ),
    ] {
        let text = format!(r#"{{"records":{records}}}"#);
        assert_eq!(
            shown_of(&terms, &list(), told(), &text),
            format!(r#"{{"records":{expected}}}"#)
        );
    }
}

#[test]
fn the_report_tells_how_many_are_not_there_and_each_way_in_which_a_field_was_shown() {
    let text = r#"{"records":[{"id":"1","clear_c":"mine","redact_c":"x","text_c":"Ada Lovelace"},
        {"id":"2","clear_c":"other","text_c":"Ada Lovelace"},
        {"id":"3","clear_c":"mine","redact_c":"less","mask_c":"Ada Lovelace"},{"id":"4"}]}"#;
    let (out, report) = run(
        &Conditioned::mine_or_less(),
        &list(),
        Asked::default(),
        &[text.as_bytes()],
    );
    let report = report.unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "{\"records\":[{\"id\":\"1\",\"clear_c\":\"mine\",\"redact_c\":null,\"text_c\":\"Ada Lovelace\"},\n        \
         {\"id\":\"3\",\"clear_c\":\"M.\",\"redact_c\":null}]}"
    );
    assert_eq!(report.fields.shown_less(), 3);
    assert_eq!(
        report.absent,
        BTreeMap::from([(RuleName::new("rows.own"), 2)])
    );
    let refs: Vec<_> = report.refs.iter().map(ToString::to_string).collect();
    assert_eq!(
        (refs, report.records),
        (vec!["Contacts/1".to_owned(), "Contacts/3".to_owned()], 2)
    );
    let counts: Vec<_> = report
        .fields
        .iter()
        .map(|(path, count)| (path.to_string(), count.records))
        .collect();
    assert_eq!(
        counts,
        [
            ("Contacts.clear_c", 1),
            ("Contacts.clear_c", 1),
            ("Contacts.id", 2),
            ("Contacts.mask_c", 1),
            ("Contacts.redact_c", 2),
            ("Contacts.text_c", 1)
        ]
        .map(|(path, count)| (path.to_owned(), count))
    );
}

#[test]
fn a_record_that_is_all_of_a_reply_leaves_nothing_of_it() {
    let terms = Conditioned::mine();
    let asked =
        |text: &str, shape: &Shape| run(&terms, shape, Asked::default(), &[text.as_bytes()]);
    let other = r#"{"id":"secret","clear_c":"other"}"#;
    let wrapped = Shape::only(vec![("data", contacts())], &["data"]);
    for (text, shape) in [
        (other.to_owned(), contacts()),
        (format!(r#"{{"data":{other}}}"#), wrapped.clone()),
        (r#"{"data":{}}"#.to_owned(), wrapped),
    ] {
        let (out, result) = asked(&text, &shape);
        assert_eq!(result.unwrap_err().cause, Cause::Absent, "{text}");
        assert!(!String::from_utf8(out).unwrap().contains("secret"));
    }
    let mut filter = Filter::on_terms(
        Box::new(terms.clone()),
        &contacts(),
        told(),
        LIMITS,
        &Memory::new(),
    );
    filter.push(other.as_bytes(), &mut Vec::new()).unwrap_err();
    assert_eq!(
        *filter.absent(),
        BTreeMap::from([(RuleName::new("rows.own"), 1)])
    );
    // What is no JSON is that first.
    assert_eq!(
        cause_of(&terms, &contacts(), r#"{"clear_c":"other","x":01}"#),
        Some(Cause::Syntax)
    );
    assert_eq!(
        cause_of(&terms, &contacts(), r#"{"clear_c":"other"}}"#),
        Some(Cause::Absent)
    );
}

#[test]
fn what_conditions_ask_for_occurs_once() {
    let terms = Conditioned::mine_or_less();
    for record in [
        r#"{"clear_c":"mine","redact_c":1,"CLEAR_C":"mine"}"#,
        r#"{"clear_c":"mine","clear_c":"other"}"#,
        r#"{"clear_c":"other","id":1,"redact_c":"x","\u0063lear_c":"mine"}"#,
        r#"{"clear_c":"other","redact_c":"x","x":1,"Redact_c":"less"}"#,
    ] {
        let text = format!(r#"{{"records":[{{"clear_c":"mine"}},{record}]}}"#);
        assert_eq!(
            cause_of(&terms, &list(), &text),
            Some(Cause::DuplicateKey),
            "{record}"
        );
    }
}

#[test]
fn an_object_of_records_and_what_stands_for_a_record_are_left_out_with_it() {
    let terms = Conditioned::mine();
    let (mine, other) = (r#"{"clear_c":"mine"}"#, r#"{"clear_c":"other"}"#);
    let by_id = Shape::each(contacts());
    for (text, expected) in [
        (
            format!(r#"{{"7":{other},"8":{mine}}}"#),
            format!(r#"{{"8":{mine}}}"#),
        ),
        (
            format!(r#"{{"7":{mine},"8":{other},"9":{mine}}}"#),
            format!(r#"{{"7":{mine},"9":{mine}}}"#),
        ),
        (
            format!(r#"{{ "7" : {other} , "8" : {mine} }}"#),
            format!(r#"{{   "8" : {mine} }}"#),
        ),
        (format!(r#"{{"7":{other}}}"#), "{}".to_owned()),
    ] {
        let shown = shown_of(&terms, &by_id, told(), &text);
        let value: Value = serde_json::from_str(&shown).unwrap();
        let expected: Value = serde_json::from_str(&expected).unwrap();
        assert_eq!(value, expected, "{shown}");
    }
    let wrapped = Shape::only(
        vec![("link", Shape::Scalar), ("value", contacts())],
        &["value"],
    );
    let list = Shape::List(Box::new(wrapped));
    assert_eq!(
        shown_of(
            &terms,
            &list,
            told(),
            &format!(r#"[{{"link":1,"value":{other}}},{{"link":2,"value":{mine}}}]"#)
        ),
        format!(r#"[{{"link":2,"value":{mine}}}]"#)
    );
    let cases = vec![(
        "a".to_owned(),
        ObjectShape {
            keys: vec![("told", Shape::Scalar), ("value", contacts())],
            others: Others::Dropped,
            required: &[],
        },
    )];
    let choice = Shape::List(Box::new(Shape::Choice(Box::new(ChoiceShape {
        told_by: "told",
        cases,
    }))));
    assert_eq!(
        shown_of(
            &terms,
            &choice,
            told(),
            &format!(r#"[{{"told":"a","value":{other}}},{{"told":"a"}}]"#)
        ),
        r#"[{"told":"a"}]"#
    );
}

#[test]
fn linked_records_that_are_not_there_are_empty_links() {
    let accounts = Conditioned::new([(
        "Accounts",
        rows(is("clear_c", &["mine"]), Resolved::Known(Some(false))),
    )]);
    for (member, expected) in [
        (
            r#""link_c":{"clear_c":"other","id":"secret"}"#,
            r#""link_c":{}"#,
        ),
        (r#""link_c":{"id":"secret"}"#, r#""link_c":{}"#),
        (
            r#""link_c":{"clear_c":"mine","id":"a"}"#,
            r#""link_c":{"clear_c":"mine","id":"a"}"#,
        ),
        (
            r#""link_c":[{"clear_c":"other"},{"clear_c":"mine"},{"clear_c":"other"}]"#,
            r#""link_c":[{"clear_c":"mine"}]"#,
        ),
        // Where the next page begins tells how many there are.
        (
            r#""link_c":{"next_offset":3,"records":[{"clear_c":"other"},{"clear_c":"mine"}]}"#,
            r#""link_c":{"records":[{"clear_c":"mine"}]}"#,
        ),
        (
            r#""parent_type":"Accounts","parent_name":"Ada L""#,
            r#""parent_type":"Accounts","parent_name":null"#,
        ),
    ] {
        let text = format!(r#"{{"id":"1",{member},"clear_c":"x"}}"#);
        let (out, report) = run(&accounts, &contacts(), Asked::default(), &[text.as_bytes()]);
        let report = report.unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!(r#"{{"id":"1",{expected},"clear_c":"x"}}"#)
        );
        assert!(
            report
                .refs
                .iter()
                .all(|found| found.id.as_ref() != "secret")
        );
    }
}

#[test]
fn a_record_beside_its_id_and_fields_under_their_names_are_judged_alike() {
    let by_id = Conditioned::new([(
        "Contacts",
        rows(is("id", &["1"]), is("redact_c", &["a & b"])),
    )]);
    let mine = Conditioned::mine();
    let record = |layout| RecordShape {
        layout,
        spelling: Spelling::Html,
        inner: vec!["more"],
        ..RecordShape::of(&Module::new("Contacts"))
    };
    let entries = |layout| {
        Shape::List(Box::new(Shape::Entry(Box::new(EntryShape {
            under: "fields",
            record: record(layout),
            keys: Vec::new(),
        }))))
    };
    let (flat, named) = (entries(Layout::Flat), entries(Layout::Named));
    for (terms, shape, text, expected) in [
        (
            &by_id,
            &flat,
            r#"[{"id":"1","fields":{}},{"id":"2","fields":{"id":"2"}}]"#,
            r#"[{"id":"1","fields":{}}]"#,
        ),
        (
            &by_id,
            &flat,
            r#"[{"id":"1","fields":{"id":"2"}},{"fields":{"id":"1"},"id":"1"}]"#,
            r#"[{"fields":{"id":"1"},"id":"1"}]"#,
        ),
        (
            &by_id,
            &flat,
            r#"[{"id":"1","fields":{"clear_c":"Ada B","redact_c":"a &amp; b"}}]"#,
            r#"[{"id":"1","fields":{"clear_c":"A. B.","redact_c":null}}]"#,
        ),
        (
            &by_id,
            &flat,
            r#"[{"id":"1","fields":{"clear_c":"Ada B","more":{"REDACT_C":"a &amp; b"}}}]"#,
            r#"[{"id":"1","fields":{"clear_c":"A. B.","more":{"REDACT_C":null}}}]"#,
        ),
        (&mine, &flat, r#"[{"id":"1","fields":[]}]"#, "[]"),
        (
            &mine,
            &named,
            r#"[{"id":"1","fields":{"clear_c":{"name":"clear_c","value":"mine"}}},{"id":"2","fields":{"clear_c":{"value":"no","name":"clear_c"}}}]"#,
            r#"[{"id":"1","fields":{"clear_c":{"name":"clear_c","value":"mine"}}}]"#,
        ),
        (
            &mine,
            &named,
            r#"[{"id":"1","fields":[{"name":"clear_c","value":"mine"}]},{"id":"2","fields":[{"value":"no","name":"clear_c"}]},{"id":"3","fields":[]}]"#,
            r#"[{"id":"1","fields":[{"name":"clear_c","value":"mine"}]}]"#,
        ),
    ] {
        assert_eq!(shown_of(terms, shape, told(), text), expected, "{text}");
    }
    for text in [
        r#"[{"id":"1","fields":[{"name":"clear_c","value":"x"},{"name":"CLEAR_C","value":"mine"}]}]"#,
        r#"[{"id":"1","fields":[{"name":"clear_c","value":"x","value":"mine"}]}]"#,
        r#"[{"id":"1","fields":[],"fields":[]}]"#,
    ] {
        assert_eq!(
            cause_of(&mine, &named, text),
            Some(Cause::DuplicateKey),
            "{text}"
        );
    }
    assert_eq!(
        cause_of(&mine, &named, r#"[{"id":"1"}]"#),
        Some(Cause::Shape)
    );
}

fn numbers() -> Shape {
    let mut keys = vec![
        ("records", Shape::List(Box::new(contacts()))),
        (
            "links",
            Shape::Along {
                key: "records",
                element: Box::new(Shape::List(Box::new(Shape::Scalar))),
            },
        ),
    ];
    let counts = [
        ("count", Shape::Count(Count::Listed("records"))),
        ("total", Shape::Count(Count::All(Some("-1")))),
        ("next", Shape::Count(Count::All(None))),
    ];
    keys.extend(counts);
    Shape::only(keys, &[])
}

#[test]
fn numbers_tell_of_nobody_who_is_not_there() {
    let terms = Conditioned::mine();
    let (mine, other) = (r#"{"clear_c":"mine"}"#, r#"{"clear_c":"other"}"#);
    let shape = numbers();
    for (pushed, text, expected) in [
        (
            false,
            format!(r#"{{"records":[{mine},{other}],"count":2,"total":"9","next":2}}"#),
            format!(r#"{{"records":[{mine}],"count":1,"total":"-1"}}"#),
        ),
        (
            false,
            format!(r#"{{"records":[{mine}],"count":"1","total":9,"next":2}}"#),
            format!(r#"{{"records":[{mine}],"count":"1","total":-1}}"#),
        ),
        (
            false,
            format!(r#"{{"count":1,"next":2,"total":9,"records":[{mine}]}}"#),
            format!(r#"{{"total":-1,"records":[{mine}]}}"#),
        ),
        (
            false,
            format!(r#"{{"next":2,"records":[{mine}]}}"#),
            format!(r#"{{"records":[{mine}]}}"#),
        ),
        (
            true,
            format!(r#"{{"count":1,"next":2,"total":9,"records":[{mine}]}}"#),
            format!(r#"{{"count":1,"next":2,"total":9,"records":[{mine}]}}"#),
        ),
        (
            true,
            format!(r#"{{"records":[{mine}],"count":1,"next":2,"total":9}}"#),
            format!(r#"{{"records":[{mine}],"count":1,"next":2,"total":9}}"#),
        ),
        // The CRM was told, and does not agree.
        (
            true,
            format!(r#"{{"records":[{mine},{other}],"count":2,"next":2,"total":9}}"#),
            format!(r#"{{"records":[{mine}],"count":1,"total":-1}}"#),
        ),
    ] {
        let asked = Asked {
            pushed,
            ..Asked::default()
        };
        assert_eq!(shown_of(&terms, &shape, asked, &text), expected, "{text}");
    }
    // Where nobody's records are left out, nothing is hidden.
    let text = format!(r#"{{"count":2,"next":2,"total":9,"records":[{other},{other}]}}"#);
    let none = Conditioned::new([]);
    assert_eq!(shown_of(&none, &shape, Asked::default(), &text), text);
    assert_eq!(
        cause_of(&terms, &shape, r#"{"total":[1]}"#),
        Some(Cause::Shape)
    );
}

#[test]
fn what_nobody_calls_a_number_of_records_may_be_one() {
    let terms = Conditioned::mine();
    let other = r#"{"clear_c":"other"}"#;
    let meta = Shape::only(vec![("pages", Shape::Scalar)], &[]);
    let shape = Shape::only(
        vec![("meta", meta), ("data", Shape::List(Box::new(contacts())))],
        &[],
    );
    let text = format!(r#"{{"meta":{{"pages":3}},"data":[{other}]}}"#);
    assert_eq!(
        shown_of(&terms, &shape, Asked::default(), &text),
        r#"{"meta":{},"data":[]}"#
    );
    assert_eq!(
        shown_of(&terms, &shape, told(), &text),
        r#"{"meta":{"pages":3},"data":[]}"#
    );
    // Beside one record nothing is counted.
    let one = Shape::only(vec![("ok", Shape::Scalar), ("data", contacts())], &[]);
    let text = r#"{"ok":true,"data":{"clear_c":"mine"}}"#;
    assert_eq!(shown_of(&terms, &one, Asked::default(), text), text);
}

#[test]
fn a_list_that_goes_along_loses_what_belongs_to_what_is_lost() {
    let terms = Conditioned::mine();
    let (mine, other) = (r#"{"clear_c":"mine"}"#, r#"{"clear_c":"other"}"#);
    let along = |element: Shape| {
        Shape::only(
            vec![
                ("records", Shape::List(Box::new(contacts()))),
                (
                    "links",
                    Shape::Along {
                        key: "records",
                        element: Box::new(element),
                    },
                ),
            ],
            &[],
        )
    };
    let either = Shape::Either {
        array: Box::new(Shape::List(Box::new(Shape::Scalar))),
        object: Box::new(Shape::Anything),
    };
    let scalars = Shape::List(Box::new(Shape::Scalar));
    for shape in [along(either), along(scalars)] {
        for (text, expected) in [
            (
                format!(
                    r#"{{"records":[{other},{mine},{other},{mine}],"links":[[1],[2],[3],[4]]}}"#
                ),
                Ok(format!(
                    r#"{{"records":[{mine},{mine}],"links":[[2],[4]]}}"#
                )),
            ),
            (
                format!(r#"{{"records":[{mine},{other}],"links":[]}}"#),
                Ok(format!(r#"{{"records":[{mine}],"links":[]}}"#)),
            ),
            (
                format!(r#"{{"records":[{other}],"links":[[1]]}}"#),
                Ok(r#"{"records":[],"links":[]}"#.to_owned()),
            ),
            (
                format!(r#"{{"records":[{mine},{other}],"links":[[1]]}}"#),
                Err(Cause::Shape),
            ),
            (
                format!(r#"{{"records":[{mine}],"links":[[1],[2]]}}"#),
                Err(Cause::Shape),
            ),
            (
                format!(r#"{{"links":[[1]],"records":[{mine}]}}"#),
                Err(Cause::Shape),
            ),
            (r#"{"links":[[1]]}"#.to_owned(), Err(Cause::Shape)),
            (
                format!(r#"{{"records":[{other},{mine}],"links":[[01],[2]]}}"#),
                Err(Cause::Syntax),
            ),
        ] {
            let (out, result) = run(&terms, &shape, told(), &[text.as_bytes()]);
            let shown = result
                .map(|_| String::from_utf8(out).unwrap())
                .map_err(|failed| failed.cause);
            assert_eq!(shown, expected, "{text}");
        }
    }
    // Without conditions nobody asks which comes first.
    let none = Conditioned::new([]);
    let text = r#"{"links":[[1]],"records":[]}"#;
    assert_eq!(shown_of(&none, &numbers(), Asked::default(), text), text);
}

#[test]
fn what_was_asked_for_to_judge_only_is_judged_and_cut() {
    let terms = Conditioned::mine();
    let asked = || Asked {
        added: BTreeMap::from([(
            Module::new("Contacts"),
            BTreeSet::from([
                Field::fold("clear_c"),
                Field::fold("id"),
                Field::fold("stranger"),
            ]),
        )]),
        ..Asked::default()
    };
    let text = r#"{"records":[{"clear_c":"mine","id":"1","mask_c":"Ada B","STRANGER":1},{"mask_c":"Ada B","clear_c":"mine"},{"id":"3","clear_c":"other"}]}"#;
    let memory = Memory::new();
    for _ in 0..2 {
        let (out, report) = run_with(&terms, &list(), asked(), &[text.as_bytes()], &memory);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"records":[{"mask_c":"A. B."},{"mask_c":"A. B."}]}"#
        );
        let report = report.unwrap();
        let fields: Vec<_> = report.fields.keys().map(|path| path.to_string()).collect();
        assert_eq!(fields, ["Contacts.mask_c"]);
        // It was shown, whether its id was or not.
        assert_eq!((report.refs.len(), report.records), (1, 2));
        // Whoever asked for the same fields is shown them.
        let (out, _) = run_with(
            &terms,
            &list(),
            Asked::default(),
            &[br#"{"records":[{"id":"1","clear_c":"mine"}]}"#],
            &memory,
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"records":[{"id":"1","clear_c":"mine"}]}"#
        );
    }
    let named = Shape::Record(RecordShape {
        layout: Layout::Named,
        ..RecordShape::of(&Module::new("Contacts"))
    });
    for (text, expected) in [
        (
            r#"[{"name":"clear_c","value":"mine"},{"name":"mask_c","value":"Ada B"}]"#,
            r#"[{"name":"mask_c","value":"A. B."}]"#,
        ),
        (
            r#"{"mask_c":{"name":"mask_c","value":"Ada B"},"Clear_c":{"name":"Clear_c","value":"mine"}}"#,
            r#"{"mask_c":{"name":"mask_c","value":"A. B."}}"#,
        ),
    ] {
        assert_eq!(shown_of(&terms, &named, asked(), text), expected);
    }
}

/// Knows that whoever has this address, and this id, consents.
#[derive(Debug)]
struct Known(&'static str, &'static str);

impl Persons for Known {
    fn holds(&self, fact: PersonFact, record: &Described<'_>) -> Option<bool> {
        assert_eq!(record.module.as_str(), "Contacts");
        let address = record.field(&Field::fold("mask_c"))?.as_str()?;
        Some(fact == PersonFact::Consented && address == self.0 && record.id? == self.1)
    }
}

#[test]
fn who_knows_of_persons_is_asked_and_nobody_knows_otherwise() {
    let mut consented = rows(
        Resolved::Person(PersonFact::Consented),
        Resolved::Known(Some(false)),
    );
    consented.wanted.insert(Field::fold("mask_c"));
    let terms = Conditioned::new([("Contacts", consented)]);
    let text = r#"{"records":[{"id":"1","mask_c":"Ada B"},{"id":"2","mask_c":"Ada B"},{"mask_c":"Ada B"},{"id":"1"}]}"#;
    let asked = Asked {
        persons: Some(Arc::new(Known("Ada B", "1"))),
        ..Asked::default()
    };
    assert_eq!(
        shown_of(&terms, &list(), asked, text),
        r#"{"records":[{"id":"1","mask_c":"A. B."}]}"#
    );
    assert_eq!(
        shown_of(&terms, &list(), Asked::default(), text),
        r#"{"records":[]}"#
    );
}

/// Conditions on some fields of contacts and of the accounts that they link to.
fn terms(dice: &mut Dice) -> Conditioned {
    let mut one = |words: &[&str]| {
        let field = dice.pick(&[
            "clear_c",
            "id",
            "mask_c",
            "redact_c",
            "parent_type",
            "unknown_c",
        ]);
        let is = is(field, words);
        match dice.roll(4) {
            0 => Resolved::Not(Box::new(is)),
            1 => Resolved::Any(vec![
                is,
                Resolved::Field(Field::fold("text_c"), FieldTest::Blank(true)),
            ]),
            _ => is,
        }
    };
    let keep = one(&["x", "Contacts", "Ada Lovelace", ""]);
    let less = one(&["x", "Accounts", " "]);
    let linked = one(&["x", "Hidden", "1499.5"]);
    let mut parts = vec![("Contacts", rows(keep, less.clone()))];
    if dice.roll(3) > 0 {
        parts.push(("Accounts", rows(linked, less)));
    }
    if dice.roll(6) == 0 {
        parts.remove(0);
    }
    Conditioned {
        is_strange: dice.roll(3) == 0,
        usual: [0, 1, Conditions::UNJUDGED][dice.roll(3)],
        ..Conditioned::new(parts)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn each_record_is_shown_as_the_oracle_judges_it(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let terms = terms(&mut dice);
        let records: Vec<Map<String, Value>> = (0..dice.roll(6)).map(|_| dice.record(3)).collect();
        let mut text = String::new();
        dice.write(&json!({"next_offset": -1, "records": records}), &mut text);
        let left: Result<Vec<_>, Cause> =
            records.iter().map(|record| oracle::record(&terms, "Contacts", record)).collect();
        let chunks = split(text.as_bytes(), &mut dice);
        for chunks in [vec![text.as_bytes()], chunks] {
            let (out, result) = run(&terms, &list(), told(), &chunks);
            match &left {
                Ok(left) => {
                    prop_assert!(result.is_ok(), "{:?} in {}", result, text);
                    let left: Vec<_> = left.iter().flatten().collect();
                    let shown: Value = serde_json::from_slice(&out).unwrap();
                    prop_assert_eq!(shown.to_string(), json!({"next_offset": -1, "records": left}).to_string(), "{}", text);
                }
                Err(cause) => prop_assert_eq!(result.unwrap_err().cause, *cause, "{}", text),
            }
        }
    }

    #[test]
    fn a_list_is_what_it_were_if_nobody_else_had_ever_been_there(seed in any::<u64>(), first in any::<bool>()) {
        const CANARY: &str = "CANARY";
        let mut dice = Dice(seed);
        let mine = Conditioned::mine();
        let (mut all, mut there) = (Vec::new(), Vec::new());
        for number in 0..dice.roll(8) {
            let is_there = dice.roll(2) == 0;
            let told = if is_there { "mine" } else { CANARY };
            let record = format!(r#"{{"id":"{told}{number}","clear_c":"{told}","mask_c":"{told} B","x":[{{}}]}}"#);
            let pair = (record, format!("[\"{told}\",{number}]"));
            if is_there {
                there.push(pair.clone());
            }
            all.push(pair);
        }
        let written = |pairs: &[(String, String)]| {
            let (records, links): (Vec<_>, Vec<_>) = pairs.iter().cloned().unzip();
            let lists = format!(r#""records":[{}],"links":[{}]"#, records.join(","), links.join(","));
            let counts = format!(r#""count":{},"total":{},"next":7"#, pairs.len(), pairs.len() + 3);
            match first {
                true => format!("{{{counts},{lists}}}"),
                false => format!("{{{lists},{counts}}}"),
            }
        };
        let (all, there) = (written(&all), written(&there));
        let shape = numbers();
        let (expected, report) = run(&mine, &shape, Asked::default(), &[there.as_bytes()]);
        let report = report.unwrap();
        let chunks = split(all.as_bytes(), &mut dice);
        let (out, other) = run(&mine, &shape, Asked::default(), &chunks);
        let other = other.unwrap();
        prop_assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(expected).unwrap());
        prop_assert_eq!(report.refs, other.refs);
        prop_assert_eq!(report.records, other.records);

        // Also where it fails in the middle, nothing of them was released.
        let cut = &all.as_bytes()[..dice.roll(all.len() + 1)];
        let chunks = split(cut, &mut dice);
        let (out, _) = run(&mine, &shape, Asked::default(), &chunks);
        prop_assert!(!String::from_utf8_lossy(&out).contains(CANARY));
    }

    #[test]
    fn what_was_shown_on_other_terms_before_changes_nothing(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let terms = terms(&mut dice);
        let memory = Memory::new();
        for _ in 0..4 {
            let records: Vec<Map<String, Value>> = (0..dice.roll(6)).map(|_| dice.record(2)).collect();
            let mut text = String::new();
            dice.write(&json!({"records": records}), &mut text);
            let counts = |report: Result<Report, Unfilterable>| report.map(|report| {
                let mut counts: Vec<_> = report.fields.iter().map(|(path, count)| (path, format!("{:?}", count.rule.show), count.records)).collect();
                counts.sort();
                (report.refs, report.records, report.absent, counts)
            });
            let (out, report) = run_with(&terms, &list(), told(), &[text.as_bytes()], &memory);
            let (alone, expected) = run(&terms, &list(), told(), &[text.as_bytes()]);
            prop_assert_eq!(out, alone);
            prop_assert_eq!(counts(report), counts(expected));
        }
    }

    #[test]
    fn a_list_counts_what_its_records_count_one_by_one(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let terms = terms(&mut dice);
        // Each is looked at first where it is alone.
        let looking = Conditioned { usual: Conditions::UNJUDGED, ..terms.clone() };
        let records: Vec<Map<String, Value>> = (0..2 + dice.roll(6)).map(|_| dice.record(3)).collect();
        let mut told_of = |terms: &Conditioned, records: &[Map<String, Value>]| {
            let mut text = String::new();
            dice.write(&json!({"records": records}), &mut text);
            let (_, report) = run(terms, &list(), told(), &[text.as_bytes()]);
            report.map_err(|failed| failed.cause).map(|report| sums(&report))
        };
        let mut sum = Sums::from([("records".to_owned(), 0)]);
        for record in &records {
            match told_of(&looking, std::slice::from_ref(record)) {
                Ok(alone) => alone.into_iter().for_each(|(what, times)| *sum.entry(what).or_default() += times),
                // What the first of them is refused for, the list is.
                Err(cause) => {
                    prop_assert_eq!(told_of(&terms, &records), Err(cause));
                    return Ok(());
                }
            }
        }
        let mut all = told_of(&terms, &records).unwrap();
        // That something did not fit is told once.
        for sums in [&mut sum, &mut all] {
            sums.iter_mut().filter(|(what, _)| what.starts_with("misfit")).for_each(|(_, times)| *times = 1);
        }
        prop_assert_eq!(sum, all);
    }
}

/// How often a reply has shown what.
type Sums = BTreeMap<String, u64>;

fn sums(report: &Report) -> Sums {
    let mut sums = Sums::from([("records".to_owned(), report.records)]);
    let mut add = |what: String, times: u64| *sums.entry(what).or_default() += times;
    for reference in &report.refs {
        add(format!("{reference:?}"), 1);
    }
    for (rule, times) in &report.absent {
        add(format!("absent {rule}"), *times);
    }
    for (path, count) in report.fields.iter() {
        add(format!("{path} {:?}", count.rule.show), count.records);
        for (kind, times) in count.in_text {
            add(format!("{path} {:?} {kind:?}", count.rule.show), *times);
        }
    }
    for misfit in &report.misfits {
        add(format!("misfit {}", misfit.rule.path()), 1);
    }
    for key in &report.unheard {
        add(format!("unheard {key}"), 1);
    }
    sums
}
