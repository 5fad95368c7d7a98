//! What users rely on: examples, the slow and obvious oracle, every split, and the public suite of JSON texts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::terms::Conditional;
use super::{Asked, Cause, Filter, Limits, Memory, Report, Terms, Unfilterable};
use crate::detect::statement::Certainty;
use crate::detect::{self, Kind};
use crate::dialect::{Collection, Items, ObjectShape, Others, RecordShape, Shape};
use crate::mask::{Mask, Tokenizer};
use crate::policy::{FieldRule, KnownFields, Show, SpanRule, TextRule, Usable, Writable};
use crate::vocabulary::{Category, Field, FieldPath, Level, Module};

mod arranged;
mod conditions;
mod layouts;
mod memory;
mod pages;
mod whom;

const LIMITS: Limits = Limits {
    record_bytes_max: 1 << 20,
    text_bytes_max: 1 << 20,
    depth_max: 64,
};

const IBAN: &str = "FR7699999000004001020304033";

/// Rules by field name, the same in every module but `Secrets`, of which the table knows nothing.
#[derive(Clone, Debug, Default)]
struct Table(BTreeMap<&'static str, Show>);

impl Terms for Table {
    fn field(&self, module: &Module, name: &str) -> Arc<FieldRule> {
        let field = Field::fold(name);
        let known = self
            .0
            .get(field.as_str())
            .filter(|_| module.as_str() != "Secrets");
        Arc::new(FieldRule {
            module: module.clone(),
            level: match known {
                Some(Show::Mask(_)) => Level::Mask,
                Some(Show::Redact) | None => Level::Redact,
                Some(Show::Remove) => Level::Hide,
                Some(_) => Level::Clear,
            },
            categories: Vec::new(),
            by: Vec::new(),
            show: known.cloned().unwrap_or(Show::Redact),
            usable: Usable::No,
            writable: Writable::No,
            structural: field.as_str() == "_module",
            known: known.is_some(),
            would: None,
            field,
        })
    }

    fn fields(&self, _module: &Module) -> Arc<KnownFields> {
        Arc::default()
    }

    fn conditions(&self, _module: &Module) -> Option<Arc<dyn Conditional>> {
        None
    }

    fn display_name(&self, module: &Module) -> Option<Arc<FieldRule>> {
        match module.as_str() {
            "Contacts" => Some(self.field(module, "mask_c")),
            "Accounts" => Some(self.field(module, "clear_c")),
            "Hidden" => Some(self.field(module, "hide_c")),
            _ => None,
        }
    }
}

/// The same rules, numbered beforehand as those of a policy are.
#[derive(Clone, Debug)]
struct Numbered(Table);

/// The same, numbered once for all replies.
#[derive(Clone, Debug)]
struct Taught(Numbered, Arc<Mutex<BTreeMap<Module, Arc<KnownFields>>>>);

impl Terms for Taught {
    fn field(&self, module: &Module, name: &str) -> Arc<FieldRule> {
        self.0.field(module, name)
    }

    fn display_name(&self, module: &Module) -> Option<Arc<FieldRule>> {
        self.0.display_name(module)
    }

    fn conditions(&self, _module: &Module) -> Option<Arc<dyn Conditional>> {
        None
    }

    fn fields(&self, module: &Module) -> Arc<KnownFields> {
        let mut known = self.1.lock().unwrap();
        let of_module = known.entry(module.clone());
        of_module.or_insert_with(|| self.0.fields(module)).clone()
    }
}

impl Terms for Numbered {
    fn field(&self, module: &Module, name: &str) -> Arc<FieldRule> {
        self.0.field(module, name)
    }

    fn display_name(&self, module: &Module) -> Option<Arc<FieldRule>> {
        self.0.display_name(module)
    }

    fn conditions(&self, _module: &Module) -> Option<Arc<dyn Conditional>> {
        None
    }

    fn fields(&self, module: &Module) -> Arc<KnownFields> {
        let names = self.0.0.keys().chain(&["é", "a\"b", "unknown_c"]);
        Arc::new(KnownFields::new(
            names.map(|name| self.0.field(module, name)),
        ))
    }
}

fn span(kind: Kind, level: Level) -> SpanRule {
    SpanRule {
        kind,
        category: Category::new("some"),
        level,
        by: Vec::new(),
        mask: Some(if kind == Kind::Iban {
            Mask::Iban
        } else {
            Mask::Card
        }),
        tokenizer: Some(Arc::new(Tokenizer::new(b"key", "some"))),
        shown: Some(Certainty::Likely),
        refused: Some(Certainty::Possible),
        flagged: None,
        would: None,
        writable: false,
    }
}

const EMAIL: Items = Items {
    treated: &["email_address"],
    passed: &["primary_address", "opt_out"],
};

fn shaped() -> Shape {
    Shape::only(
        vec![
            ("a", Shape::Scalar),
            ("b", Shape::List(Box::new(Shape::Scalar))),
            ("c", Shape::Anything),
            ("d", Shape::Dropped),
        ],
        &[],
    )
}

fn table() -> Table {
    let text = TextRule {
        lexicon: None,
        spans: vec![
            span(Kind::Iban, Level::Mask),
            span(Kind::Card, Level::Redact),
            span(Kind::Nir, Level::Clear),
        ],
    };
    Table(BTreeMap::from([
        ("_module", Show::Clear),
        ("id", Show::Clear),
        ("clear_c", Show::Clear),
        ("parent_type", Show::Clear),
        ("hide_c", Show::Remove),
        ("redact_c", Show::Redact),
        (
            "token_c",
            Show::Token(Arc::new(Tokenizer::new(b"key", "a"))),
        ),
        ("mask_c", Show::Mask(Mask::Initials)),
        ("round_c", Show::Mask(Mask::Round(1000))),
        ("text_c", Show::Text(Arc::new(text))),
        ("email", Show::items(EMAIL, Show::Mask(Mask::Mail))),
        ("link_c", Show::Related(Module::new("Accounts"))),
        (
            "parent_name",
            Show::ByParent {
                told_by: "parent_type",
            },
        ),
        ("shaped_c", Show::Shaped(Arc::new(shaped()))),
    ]))
}

fn contacts() -> Shape {
    Shape::record(&Module::new("Contacts"))
}

fn list() -> Shape {
    Shape::only(
        vec![
            ("next_offset", Shape::Scalar),
            ("records", Shape::List(Box::new(contacts()))),
        ],
        &["records"],
    )
}

/// What was released, and how it ended.
type Filtered = (Vec<u8>, Result<Report, Unfilterable>);

fn filter_in(
    chunks: &mut dyn Iterator<Item = &[u8]>,
    table: &Table,
    shape: &Shape,
    limits: Limits,
) -> Filtered {
    let mut filter = Filter::on_terms(
        Box::new(table.clone()),
        shape,
        Asked::default(),
        limits,
        &Memory::new(),
    );
    let mut out = Vec::new();
    for chunk in chunks {
        if let Err(failed) = filter.push(chunk, &mut out) {
            let released = out.len();
            assert_eq!(filter.push(b" ", &mut out), Err(failed));
            assert_eq!(out.len(), released, "bytes after a failure");
            return (out, Err(failed));
        }
    }
    let report = filter.finish(&mut out);
    (out, report)
}

fn filter(text: impl AsRef<[u8]>, shape: &Shape) -> Filtered {
    filter_in(&mut std::iter::once(text.as_ref()), &table(), shape, LIMITS)
}

fn shown(text: &str, shape: &Shape) -> String {
    let (out, result) = filter(text, shape);
    result.unwrap_or_else(|failed| panic!("{failed:?} in {text}"));
    String::from_utf8(out).unwrap()
}

fn cause(text: impl AsRef<[u8]>, shape: &Shape) -> Option<Cause> {
    filter(text, shape).1.err().map(|failed| failed.cause)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_rule_treats_each_type() {
    for (member, expected) in [
        (r#""clear_c":"x""#, r#""clear_c":"x""#),
        (r#""clear_c": -0.0e00 "#, r#""clear_c": -0.0e00 "#),
        (
            r#""clear_c":"\ud800\u0041\/""#,
            r#""clear_c":"\ud800\u0041\/""#,
        ),
        (r#""clear_c":[1, "a",null ]"#, r#""clear_c":[1, "a",null ]"#),
        (r#""clear_c":[1,[]]"#, r#""clear_c":[]"#),
        (r#""clear_c":[{"iban":1}]"#, r#""clear_c":[]"#),
        (r#""clear_c":{"iban":1}"#, r#""clear_c":{}"#),
        (r#""redact_c":"x""#, r#""redact_c":null"#),
        (r#""redact_c":"""#, r#""redact_c":null"#),
        (r#""redact_c":[1,{}]"#, r#""redact_c":[]"#),
        (r#""redact_c":{"a":[1]}"#, r#""redact_c":{}"#),
        (r#""unknown_c" : false"#, r#""unknown_c" : null"#),
        (r#""mask_c":"Ada Lovelace""#, r#""mask_c":"A. L.""#),
        (r#""mask_c":"""#, r#""mask_c":"""#),
        (r#""mask_c":"A""#, r#""mask_c":null"#),
        (r#""mask_c":12"#, r#""mask_c":null"#),
        (r#""mask_c":"\ud800Ada Lovelace""#, r#""mask_c":null"#),
        (r#""round_c":1499.5"#, r#""round_c":1000"#),
        (r#""round_c":"1499.5""#, r#""round_c":"1000""#),
        (r#""round_c":true"#, r#""round_c":null"#),
        (r#""\u0052OUND_c":1499.5"#, r#""\u0052OUND_c":1000"#),
        (
            r#""text_c":"IBAN\n4111 1111 1111 1111 \"ok\"""#,
            r#""text_c":"IBAN\n[card] \"ok\"""#,
        ),
        (r#""text_c":"caf\u00e9""#, r#""text_c":"caf\u00e9""#),
        (r#""text_c":4111111111111111"#, r#""text_c":null"#),
        (r#""text_c":17"#, r#""text_c":17"#),
        (r#""text_c":["4111111111111111"]"#, r#""text_c":[]"#),
        (r#""text_c":"x\udc00""#, r#""text_c":null"#),
        (
            r#""email":"jean.dupont@example.org""#,
            r#""email":"j•••@example.org""#,
        ),
        (
            r#""email":[{"id":"4","email_address":"jean@example.org", "opt_out":[1]},3,[4]]"#,
            r#""email":[{"email_address":"j•••@example.org", "opt_out":[]},null,[]]"#,
        ),
        (
            r#""email":{"email_address":"jean@example.org"}"#,
            r#""email":{}"#,
        ),
        (r#""email":null"#, r#""email":null"#),
        (r#""email":7"#, r#""email":null"#),
        (
            r#""link_c":{"clear_c":1,"redact_c":2,"hide_c":3}"#,
            r#""link_c":{"clear_c":1,"redact_c":null}"#,
        ),
        (
            r#""link_c":{"next_offset":-1,"total":9,"records":[{"redact_c":2},5]}"#,
            r#""link_c":{"next_offset":-1,"records":[{"redact_c":null},null]}"#,
        ),
        (
            r#""link_c":{"records":"x"}"#,
            r#""link_c":{"records":null}"#,
        ),
        (
            r#""link_c":[{"redact_c":2}]"#,
            r#""link_c":[{"redact_c":null}]"#,
        ),
        (r#""link_c":"x""#, r#""link_c":null"#),
        (
            r#""parent_name":"Ada L","parent_type":"Contacts""#,
            r#""parent_name":"A. L.","parent_type":"Contacts""#,
        ),
        (
            r#""PARENT_type":"Accounts","parent_name":"Ada L""#,
            r#""PARENT_type":"Accounts","parent_name":"Ada L""#,
        ),
        (
            r#""parent_type":"Hidden","parent_name":"Ada L""#,
            r#""parent_type":"Hidden""#,
        ),
        (
            r#""parent_type":["Contacts"],"parent_name":"Ada L""#,
            r#""parent_type":["Contacts"],"parent_name":null"#,
        ),
        (
            r#""parent_type":"Other","parent_name":"Ada L""#,
            r#""parent_type":"Other","parent_name":null"#,
        ),
        (r#""parent_name":"Ada L""#, r#""parent_name":null"#),
        (
            r#""shaped_c":{"a":1,"b":[2,[3]],"c":[{"x":1}],"d":4,"e":5}"#,
            r#""shaped_c":{"a":1,"b":[2,[]],"c":[{"x":1}]}"#,
        ),
        (r#""shaped_c":[]"#, r#""shaped_c":[]"#),
        (r#""shaped_c":[1]"#, r#""shaped_c":[]"#),
        (r#""shaped_c":{"a":{}}"#, r#""shaped_c":{"a":{}}"#),
    ] {
        assert_eq!(
            shown(&format!("{{{member}}}"), &contacts()),
            format!("{{{expected}}}"),
            "{member}"
        );
    }
}

#[test]
fn an_identifier_in_a_text_is_masked_and_counted() {
    let text = format!(
        r#"{{"text_c":"IBAN {IBAN} et 4111 1111 1111 1111, NIR 2 55 08 14 168 025 38 merci"}}"#
    );
    let (out, report) = filter(&text, &contacts());
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"text_c":"IBAN FR76 •••• •••• •••• •••• •••4 033 et [card], NIR 2 55 08 14 168 025 38 merci"}"#
    );
    let report = report.unwrap();
    let path = FieldPath::new(&Module::new("Contacts"), "text_c");
    let count = report.fields.get(&path).unwrap();
    assert_eq!(
        *count.in_text,
        BTreeMap::from([(Kind::Card, 1), (Kind::Iban, 1), (Kind::Nir, 1)])
    );
}

#[test]
fn items_that_are_shown_in_clear_are_held_to_their_members_all_the_same() {
    let mut table = table();
    table.0.insert("email", Show::items(EMAIL, Show::Clear));
    for (item, expected) in [
        (
            r#"{"email_address":"a","primary_address":true,"opt_out":0}"#,
            Ok(r#"{"email_address":"a","primary_address":true,"opt_out":0}"#),
        ),
        (
            r#"{"primary_address":true}"#,
            Ok(r#"{"primary_address":true}"#),
        ),
        (
            r#"{"opt_out":"","email_address":"a"}"#,
            Ok(r#"{"opt_out":"","email_address":"a"}"#),
        ),
        (
            r#"{"email_address":"a","id":7}"#,
            Ok(r#"{"email_address":"a"}"#),
        ),
        (
            r#"{"email_address":["a"],"opt_out":[]}"#,
            Ok(r#"{"email_address":["a"],"opt_out":[]}"#),
        ),
        (
            r#"{"email_address":{"a":1}}"#,
            Ok(r#"{"email_address":{}}"#),
        ),
        (
            r#"{"email_address":"a","email_address":"b"}"#,
            Err(Cause::DuplicateKey),
        ),
        (
            r#"{"email_address":"a","primary_address":1,"email_address":"b"}"#,
            Err(Cause::DuplicateKey),
        ),
        (r#"{"email_address":01}"#, Err(Cause::Syntax)),
        (r#"{"email_address":"a",}"#, Err(Cause::Syntax)),
        (r#"{"email_address":tru}"#, Err(Cause::Syntax)),
    ] {
        let text = format!(r#"{{"email":[{item}]}}"#);
        let (out, result) = filter_in(
            &mut std::iter::once(text.as_bytes()),
            &table,
            &contacts(),
            LIMITS,
        );
        match expected {
            Ok(expected) => assert_eq!(
                String::from_utf8(out).unwrap(),
                format!(r#"{{"email":[{expected}]}}"#)
            ),
            Err(cause) => assert_eq!(result.unwrap_err().cause, cause, "{item}"),
        }
    }
    let shallow = Limits {
        depth_max: 2,
        ..LIMITS
    };
    let text = br#"{"email":[{"email_address":"a"}]}"#;
    let (_, result) = filter_in(
        &mut std::iter::once(&text[..]),
        &table,
        &contacts(),
        shallow,
    );
    assert_eq!(result.unwrap_err().cause, Cause::Depth);
}

#[test]
fn a_removed_member_takes_its_comma_along() {
    for (members, expected) in [
        (r#""hide_c":1"#, ""),
        (r#" "hide_c":1 , "id":2 "#, r#" "id":2 "#),
        (r#" "id":2 , "hide_c":1 "#, r#" "id":2 "#),
        (
            r#""id":2, "hide_c":1 ,"clear_c":3"#,
            r#""id":2,"clear_c":3"#,
        ),
        (
            r#""hide_c":1,"HIDE_C2":0,"id":2"#,
            r#""HIDE_C2":null,"id":2"#,
        ),
        (r#""hide_c":{"x":[1,{"y":2}]},"id":2"#, r#""id":2"#),
    ] {
        assert_eq!(
            shown(&format!("{{{members}}}"), &contacts()),
            format!("{{{expected}}}")
        );
    }
    let two = Shape::only(
        vec![
            ("b", Shape::Scalar),
            ("l", Shape::List(Box::new(Shape::Dropped))),
        ],
        &[],
    );
    assert_eq!(
        shown(
            r#" { "a" : {"x":[1]} , "b" : 2 , "a":3, "l":[ 1, {} ],"c":[] } "#,
            &two
        ),
        r#" { "b" : 2 , "l":[ ]} "#
    );
}

#[test]
fn the_outline_is_held_to_its_shape() {
    assert_eq!(shown(r#"{"records":[]}"#, &list()), r#"{"records":[]}"#);
    assert_eq!(
        shown(r#"{"records":{ }, "x":[{"y":1}]}"#, &list()),
        r#"{"records":{ }}"#
    );
    for text in [
        "{}",
        "[]",
        "1",
        "\"x\"",
        r#"{"records":[1]}"#,
        r#"{"records":[[]]}"#,
        r#"{"records":{"a":1}}"#,
        r#"{"records":1}"#,
        r#"{"next_offset":[],"records":[]}"#,
    ] {
        assert_eq!(cause(text, &list()), Some(Cause::Shape), "{text}");
    }
    let object = Shape::each(Shape::Scalar);
    assert_eq!(shown("[ ]", &object), "[ ]");
    assert_eq!(cause("[1]", &object), Some(Cause::Shape));
}

#[test]
fn shapes_within_a_record_come_before_the_rules() {
    let inner = Shape::List(Box::new(Shape::record(&Module::new("Accounts"))));
    let shape = Shape::Record(RecordShape {
        keys: vec![
            ("redact_c", Shape::Anything),
            ("things", inner),
            ("gone", Shape::Dropped),
        ],
        counted: false,
        ..RecordShape::of(&Module::new("Contacts"))
    });
    let text = r#"{"redact_c":{"a":1},"things":[{"id":"a","redact_c":1}],"gone":1,"id":"c"}"#;
    let (out, report) = filter(text, &shape);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"redact_c":{"a":1},"things":[{"id":"a","redact_c":null}],"id":"c"}"#
    );
    let report = report.unwrap();
    assert_eq!(report.records, 1);
    assert_eq!(report.refs[0].to_string(), "Accounts/a");
    for (text, expected) in [
        (r#"{"things":[1]}"#, Cause::Shape),
        (r#"{"things":1}"#, Cause::Shape),
        (r#"{"things":[],"THINGS":[]}"#, Cause::DuplicateKey),
        (r#"{"things":[],"things":[]}"#, Cause::DuplicateKey),
    ] {
        assert_eq!(cause(text, &shape), Some(expected), "{text}");
    }
}

#[test]
fn a_key_that_occurs_twice_is_refused() {
    for text in [
        r#"{"clear_c":1,"clear_c":2}"#,
        r#"{"clear_c":1,"\u0063lear_c":2}"#,
        r#"{"clear_c":1,"CLEAR_C":2}"#,
        r#"{"other":1,"other":2}"#,
        r#"{"email":[{"opt_out":1,"opt_out":2}]}"#,
        r#"{"link_c":{"records":[],"records":[]}}"#,
        r#"{"link_c":{"id":1,"id":2}}"#,
        r#"{"shaped_c":{"a":1,"\u0061":2}}"#,
    ] {
        assert_eq!(
            cause(text, &contacts()),
            Some(Cause::DuplicateKey),
            "{text}"
        );
    }
    assert_eq!(
        cause(r#"{"records":[],"records":[]}"#, &list()),
        Some(Cause::DuplicateKey)
    );
    assert_eq!(
        cause(r#"{"x":1,"\u0078":2}"#, &Shape::each(Shape::Scalar)),
        Some(Cause::DuplicateKey)
    );
}

#[test]
fn a_record_of_another_module_is_refused() {
    assert!(cause(r#"{"_module":"Contact\u0073"}"#, &contacts()).is_none());
    for text in [
        r#"{"_module":"Accounts"}"#,
        r#"{"id":1,"_Module":"Accounts"}"#,
        r#"{"_module":null}"#,
        r#"{"_module":["Contacts"]}"#,
        r#"{"link_c":{"_module":"Contacts"}}"#,
    ] {
        assert_eq!(cause(text, &contacts()), Some(Cause::OtherModule), "{text}");
    }
}

#[test]
fn how_a_page_of_related_records_looks_is_told_by_the_shape() {
    static PAGE: Collection = Collection {
        records: "items",
        beside: &["more"],
    };
    let shape = Shape::Record(RecordShape {
        collection: &PAGE,
        ..RecordShape::of(&Module::new("Contacts"))
    });
    let page = r#"{"link_c":{"more":7,"items":[{"clear_c":1,"redact_c":2,"link_c":{"items":[{"redact_c":3}],"records":[4]}}],"records":[5]}}"#;
    assert_eq!(
        shown(page, &shape),
        r#"{"link_c":{"more":7,"items":[{"clear_c":1,"redact_c":null,"link_c":{"items":[{"redact_c":null}]}}]}}"#
    );
    // What is a page elsewhere is a record here, with a field of that name.
    let other = r#"{"link_c":{"next_offset":7,"records":[{"clear_c":1}],"clear_c":2}}"#;
    assert_eq!(
        shown(other, &shape),
        r#"{"link_c":{"next_offset":null,"records":[],"clear_c":2}}"#
    );
}

#[test]
fn fields_that_are_looked_at_are_looked_at_in_every_record_of_a_list() {
    let run = |records: &[&str]| {
        let text = format!(r#"{{"records":[{}]}}"#, records.join(","));
        let mut filter = Filter::on_terms(
            Box::new(Numbered(table())),
            &list(),
            Asked::default(),
            LIMITS,
            &Memory::new(),
        );
        let mut out = Vec::new();
        filter.push(text.as_bytes(), &mut out)?;
        filter.finish(&mut out)
    };
    let good = r#"{"clear_c":1,"_module":"Contacts","id":"x","parent_type":"A","_acl":2}"#;
    let report = run(&[good; 3]).unwrap();
    assert_eq!((report.refs.len(), report.records), (3, 3));
    let path = FieldPath::new(&Module::new("Contacts"), "clear_c");
    assert_eq!(report.fields.get(&path).unwrap().records, 3);
    for (bad, cause) in [
        (good.replace("Contacts", "Accounts"), Cause::OtherModule),
        (good.replace("_acl", "id"), Cause::DuplicateKey),
        (good.replace("_acl", "clear_c"), Cause::DuplicateKey),
        (good.replace("_acl", "CLEAR_c"), Cause::DuplicateKey),
        (good.replace(r#""A""#, "01"), Cause::Syntax),
        (good.replace(r#""A""#, "-"), Cause::Syntax),
        (good.replace(r#""A""#, "1."), Cause::Syntax),
        (good.replace(r#""A""#, "nul"), Cause::Syntax),
        (good.replace(r#""A""#, "\"\u{1}\""), Cause::Syntax),
        (good.replace(r#""A""#, r#""\x""#), Cause::Syntax),
        (good.replace(r#""A","#, r#""A",,"#), Cause::Syntax),
    ] {
        let failed = run(&[good, good, &bad]).map(|_| ()).unwrap_err();
        assert_eq!(failed.cause, cause, "{bad}");
    }
}

#[test]
fn the_report_counts_fields_and_records() {
    let text = r#"{"records":[
        {"id":"c-1","_module":"Contacts","clear_c":1,"hide_c":2,"link_c":{"records":[{"id":"a-1"},{"id":7}]}},
        {"id":"c-2","CLEAR_C":1,"link_c":{"id":"a-2"}},
        {"id":"no\u0001good"}, {"clear_c":3}]}"#;
    let report = filter(text, &list()).1.unwrap();
    let refs: Vec<_> = report.refs.iter().map(ToString::to_string).collect();
    assert_eq!(
        refs,
        ["Accounts/a-1", "Accounts/7", "Contacts/c-1", "Contacts/c-2"]
    );
    assert_eq!(report.records, 6);
    let counts: Vec<_> = report
        .fields
        .iter()
        .map(|(path, count)| (path.to_string(), count.records))
        .collect();
    let expected = [
        ("Accounts.id", 3),
        ("Contacts.clear_c", 3),
        ("Contacts.hide_c", 1),
        ("Contacts.id", 3),
        ("Contacts.link_c", 2),
    ];
    assert_eq!(
        counts,
        expected.map(|(path, count)| (path.to_owned(), count))
    );
}

#[test]
fn many_small_records_within_one_take_no_more_than_their_notes() {
    let nested = [r#"{}"#, r#"{"clear_c":1}"#].repeat(5_000).join(",");
    let text = format!(r#"{{"records":[{{"link_c":[{nested}]}}]}}"#);
    let mut filter = Filter::on_terms(
        Box::new(Numbered(table())),
        &list(),
        Asked::default(),
        LIMITS,
        &Memory::new(),
    );
    filter.push(text.as_bytes(), &mut Vec::new()).unwrap();
    assert!(filter.books.sets() < 100, "a set for each record");
    let report = filter.finish(&mut Vec::new()).unwrap();
    let path = FieldPath::new(&Module::new("Accounts"), "clear_c");
    assert_eq!(report.fields.get(&path).unwrap().records, 5_000);
}

#[test]
fn records_are_released_whole_and_refs_can_be_taken_on_the_way() {
    let mut filter = Filter::on_terms(
        Box::new(table()),
        &list(),
        Asked::default(),
        LIMITS,
        &Memory::new(),
    );
    let mut out = Vec::new();
    filter
        .push(
            br#"{"records":[{"id":"a","clear_c":"x"},{"id":"b""#,
            &mut out,
        )
        .unwrap();
    assert_eq!(out, br#"{"records":[{"id":"a","clear_c":"x"}"#);
    assert_eq!(filter.take_refs().len(), 1);
    assert!(
        !format!("{filter:?}").contains("id"),
        "held bytes are not shown"
    );
    filter.push(br#"}]}"#, &mut out).unwrap();
    let report = filter.finish(&mut out).unwrap();
    assert_eq!((report.refs.len(), report.records), (1, 2));
}

#[test]
fn nothing_held_is_released_by_a_failure() {
    let text = format!(r#"{{"records":[{{"id":"a"}},{{"id":"b","text_c":"{IBAN}","text_c":1}}]}}"#);
    let (out, result) = filter(&text, &list());
    assert_eq!(result.unwrap_err().cause, Cause::DuplicateKey);
    assert_eq!(out, br#"{"records":[{"id":"a"}"#);
}

#[test]
fn bounds_are_kept() {
    let small = Limits {
        record_bytes_max: 40,
        text_bytes_max: 1 << 20,
        depth_max: 3,
    };
    let run = |text: &str, shape: &Shape| {
        filter_in(
            &mut std::iter::once(text.as_bytes()),
            &table(),
            shape,
            small,
        )
        .1
        .err()
        .map(|failed| failed.cause)
    };
    assert_eq!(
        run(
            r#"{"records":[{"a":"123456789012345678901234567"},{}]}"#,
            &list()
        ),
        None
    );
    assert_eq!(
        run(
            r#"{"records":[{"a":"12345678901234567890123456789012345"}]}"#,
            &list()
        ),
        Some(Cause::RecordTooLarge)
    );
    assert_eq!(
        run(
            r#"{"records":[{"a":"123456789012345678901234567890"#,
            &list()
        ),
        Some(Cause::RecordTooLarge)
            .filter(|_| false)
            .or(Some(Cause::Truncated))
    );
    assert_eq!(
        run(&"1".repeat(41), &Shape::Anything),
        Some(Cause::RecordTooLarge)
    );
    // A mask can be longer than what it stands for.
    assert_eq!(
        run(r#"{"token_c":"1"}"#, &contacts()),
        Some(Cause::RecordTooLarge)
    );
    assert_eq!(run("[[[]]]", &Shape::Anything), None);
    assert_eq!(run("[[[[]]]]", &Shape::Anything), Some(Cause::Depth));
    assert_eq!(
        run(r#"{"records":[{"a":[]}]}"#, &list()),
        Some(Cause::Depth)
    );
    let names: String = (0..40_000).map(|name| format!("\"{name}\":0,")).collect();
    assert_eq!(
        cause(format!("{{{names}\"z\":0}}"), &contacts()),
        Some(Cause::RecordTooLarge)
    );
}

#[test]
fn the_deepest_nesting_of_related_records_is_treated() {
    let limits = Limits {
        depth_max: usize::MAX,
        ..LIMITS
    };
    for (depth, expected) in [(256, None), (257, Some(Cause::Depth))] {
        let text = format!(
            "{}{}{}",
            r#"{"link_c":"#.repeat(depth - 1),
            "{}",
            "}".repeat(depth - 1)
        );
        let result = filter_in(
            &mut std::iter::once(text.as_bytes()),
            &table(),
            &contacts(),
            limits,
        )
        .1;
        assert_eq!(result.err().map(|failed| failed.cause), expected);
    }
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for (text, cause, offset) in [
        (&b"\xef\xbb\xbf{}"[..], Cause::Syntax, 0),
        (b"\"a\xff\"", Cause::Encoding, 2),
        (b"{} x", Cause::Syntax, 3),
        (b"{}{}", Cause::Syntax, 2),
        (b"[1,", Cause::Truncated, 3),
        (b"[1,\"ab", Cause::Truncated, 6),
        (b"", Cause::Truncated, 0),
        (b"[1,,2]", Cause::Syntax, 3),
        (b"{\"a\":1,}", Cause::Syntax, 7),
        (b"{\"\\ud800\":1}", Cause::Syntax, 1),
        (b"[\"\x00\"]", Cause::Syntax, 2),
    ] {
        let result = filter(text, &Shape::Anything).1;
        assert_eq!(
            result.unwrap_err(),
            Unfilterable {
                cause,
                offset,
                under: None
            },
            "{text:?}"
        );
    }
}

#[test]
fn no_canary_of_a_sugar_list_gets_through() {
    let text = format!(
        r#"{{"next_offset":-1,"records":[{{"id":"c1","_module":"Contacts","_acl":{{"fields":{{"x":"CANARY1"}}}},
        "redact_c":"CANARY2","hide_c":["CANARY3"],"\u0072edact_C2":"CANARY4",
        "clear_c":{{"full_name":"CANARY5"}},"mask_c":{{"x":"CANARY6"}},"token_c":["CANARY7"],
        "email":[{{"email_address":{{"x":"CANARY8"}},"email_address_id":"CANARY9","primary_address":["CANARY10"]}}],
        "link_c":{{"name":"CANARY11","records":[{{"id":"a1","redact_c":"CANARY12","link_c":{{"name":"CANARY13"}}}}],"x":"CANARY14"}},
        "parent_name":"CANARY15","parent_type":"Secrets","shaped_c":{{"a":["CANARY16"],"z":"CANARY17"}},
        "text_c":"see {IBAN} and <b>FR76</b>&nbsp;99999\u00a0000\u200b004001020304033 ok","other":"CANARY18"}}],
        "tail":{{"x":["CANARY19"]}}}}"#
    );
    let shown = shown(&text, &list());
    assert!(!shown.contains("CANARY"), "{shown}");
    assert!(
        !shown.contains("99999") && !shown.contains("304033"),
        "{shown}"
    );
    assert!(shown.contains(r#"{"id":"c1","_module":"Contacts""#));
}

mod suite {
    use super::*;

    /// The folder of the JSONTestSuite, if `PARAVENT_CORPORA` names the folder of public corpora.
    fn cases() -> Option<Vec<(String, Vec<u8>)>> {
        let Some(corpora) = std::env::var_os("PARAVENT_CORPORA") else {
            println!("skipped: `PARAVENT_CORPORA` does not name the folder of public corpora");
            return None;
        };
        let folder = std::path::Path::new(&corpora).join("JSONTestSuite/test_parsing");
        let mut cases = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            cases.push((name, std::fs::read(entry.path()).unwrap()));
        }
        assert!(cases.len() > 300);
        Some(cases)
    }

    fn check(name: &str, text: &[u8], shape: &Shape) {
        for size in [text.len().max(1), 1] {
            let (out, result) = filter_in(&mut text.chunks(size), &table(), shape, LIMITS);
            match name.as_bytes().first() {
                Some(b'y') => {
                    assert!(result.is_ok(), "{name}: {result:?}");
                    assert_eq!(out, text, "{name}");
                }
                Some(b'n') => assert!(result.is_err(), "{name}"),
                _ => assert!(result.is_err() || out == text, "{name}"),
            }
        }
    }

    #[test]
    fn the_json_test_suite_is_copied_or_refused() {
        for (name, text) in cases().into_iter().flatten() {
            check(&name, &text, &Shape::Anything);
        }
    }

    #[test]
    fn the_json_test_suite_is_copied_or_refused_inside_a_record() {
        let shape = Shape::List(Box::new(Shape::Record(RecordShape {
            keys: vec![("any", Shape::Anything)],
            ..RecordShape::of(&Module::new("Contacts"))
        })));
        for (name, text) in cases().into_iter().flatten() {
            // Two texts of the suite are fine as part of another one.
            let text = [&br#"[{"any":"#[..], &text, b"}]"].concat();
            check(&name, &text, &shape);
        }
    }
}

/// Small random numbers from a seed: the same seed makes the same document.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.roll(choices.len())]
    }

    fn blank(&mut self) -> &'static str {
        self.pick(&["", "", "", " ", "\n\t", "\r\n  "])
    }

    fn string(&mut self) -> String {
        let choice = self.pick(&[
            "",
            " ",
            "Ada Lovelace",
            "jean.dupont@example.org",
            "x",
            "é😀\u{7f}\u{2028}",
            "a\"b\\c/d\n\u{0}",
            "Contacts",
            "Accounts",
            "Hidden",
            "1499.5",
            "IBAN FR76 9999 9000 0040 0102 0304 033 ok",
            "4111-1111-1111-1111",
            "\"<b>FR76</b>99999000004001020304033\"",
        ]);
        choice.to_owned()
    }

    /// A string in one of its many spellings.
    fn spell(&mut self, text: &str) -> String {
        let mut spelled = String::from("\"");
        for character in text.chars() {
            let must = character < ' ' || character == '"' || character == '\\';
            if must || self.roll(12) == 0 {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    spelled.push_str(&format!("\\u{unit:04X}"));
                }
            } else {
                spelled.push(character);
            }
        }
        spelled.push('"');
        spelled
    }

    fn scalar(&mut self) -> Value {
        match self.roll(8) {
            0 => Value::Null,
            1 => Value::Bool(true),
            2 => serde_json::from_str(self.pick(&[
                "0",
                "-0.50e+1",
                "1499.5",
                "4111111111111111",
                "1e400",
                "12345678901234567890123",
            ]))
            .unwrap(),
            _ => Value::String(self.string()),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.roll(if depth == 0 { 6 } else { 9 }) {
            0..=5 => self.scalar(),
            6 => (0..self.roll(4)).map(|_| self.value(depth - 1)).collect(),
            7 => Value::Object(self.record(depth - 1)),
            _ => {
                let records: Vec<Value> = (0..self.roll(3))
                    .map(|_| Value::Object(self.record(depth - 1)))
                    .collect();
                match self.roll(3) {
                    0 => {
                        json!({"next_offset": self.value(0), "records": records, "more": self.value(1)})
                    }
                    1 => {
                        json!([{"email_address": self.scalar(), "opt_out": self.value(1), "no": 1}])
                    }
                    _ => {
                        json!({"a": self.value(1), "b": [self.value(1)], "c": self.value(1), "d": 1, "e": 2})
                    }
                }
            }
        }
    }

    fn record(&mut self, depth: usize) -> Map<String, Value> {
        const NAMES: &[&str] = &[
            "id",
            "clear_c",
            "hide_c",
            "redact_c",
            "token_c",
            "mask_c",
            "round_c",
            "text_c",
            "email",
            "link_c",
            "parent_name",
            "parent_type",
            "shaped_c",
            "unknown_c",
            "records",
            "é",
        ];
        let mut record = Map::new();
        for _ in 0..self.roll(9) {
            let mut name = self.pick(NAMES).to_owned();
            if self.roll(6) == 0 {
                name.make_ascii_uppercase();
            }
            record.insert(name, self.value(depth));
        }
        record
    }

    /// The text of a value, with odd white space, odd spellings, and now and then a key twice.
    fn write(&mut self, value: &Value, text: &mut String) {
        text.push_str(self.blank());
        match value {
            Value::String(string) => text.push_str(&self.spell(string)),
            Value::Array(elements) => {
                text.push('[');
                for (index, element) in elements.iter().enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    self.write(element, text);
                }
                text.push_str(self.blank());
                text.push(']');
            }
            Value::Object(members) => {
                text.push('{');
                for (index, (key, member)) in members.iter().enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    text.push_str(self.blank());
                    text.push_str(&self.spell(key));
                    text.push_str(self.blank());
                    text.push(':');
                    self.write(member, text);
                }
                text.push_str(self.blank());
                text.push('}');
            }
            other => text.push_str(&other.to_string()),
        }
        text.push_str(self.blank());
    }
}

/// The slow and obvious filter: what is left of a value, `None` if its key goes; an error for a key that occurs twice.
mod oracle {
    use super::*;

    pub(super) type Left = Result<Option<Value>, Cause>;

    fn redacted(value: &Value) -> Value {
        match value {
            Value::Array(_) => json!([]),
            Value::Object(_) => json!({}),
            _ => Value::Null,
        }
    }

    fn is_scalar(value: &Value) -> bool {
        !value.is_array() && !value.is_object()
    }

    /// Who says which records are there, and on which terms.
    pub(super) trait Judges {
        /// The rules of a record; `None`, if it is not there.
        fn table(&self, module: &str, record: &Map<String, Value>)
        -> Result<Option<&Table>, Cause>;

        /// Whether a module's records are judged one by one.
        fn is_judged(&self, module: &str) -> bool;

        /// The rules of names that other records copy.
        fn names(&self) -> &Table;
    }

    impl Judges for Table {
        fn table(&self, _: &str, _: &Map<String, Value>) -> Result<Option<&Table>, Cause> {
            Ok(Some(self))
        }

        fn is_judged(&self, _: &str) -> bool {
            false
        }

        fn names(&self) -> &Table {
            self
        }
    }

    pub(super) fn record(judges: &dyn Judges, module: &str, record: &Map<String, Value>) -> Left {
        let Some(table) = judges.table(module, record)? else {
            return Ok(None);
        };
        let folded = |name: &str| name.to_ascii_lowercase();
        let mut left = Map::new();
        for (index, (name, value)) in record.iter().enumerate() {
            if record
                .keys()
                .take(index)
                .any(|other| folded(other) == folded(name))
            {
                return Err(Cause::DuplicateKey);
            }
            let rule = table.field(&Module::new(module), name);
            let show = match &rule.show {
                Show::ByParent { told_by } => {
                    let parent = record.iter().find(|(other, _)| folded(other) == *told_by);
                    let module = parent.and_then(|(_, value)| value.as_str());
                    let name =
                        module.and_then(|module| judges.names().display_name(&Module::new(module)));
                    let is_judged = module.is_some_and(|module| judges.is_judged(module));
                    match name.map(|rule| rule.show.clone()) {
                        Some(Show::Remove) => Show::Remove,
                        Some(show) if !is_judged => show,
                        _ => Show::Redact,
                    }
                }
                show => show.clone(),
            };
            if let Some(value) = shown(judges, &show, value)? {
                left.insert(name.clone(), value);
            }
        }
        Ok(Some(Value::Object(left)))
    }

    fn records(judges: &dyn Judges, module: &str, elements: &[Value]) -> Result<Value, Cause> {
        let records = elements.iter().map(|element| match element {
            Value::Object(members) => record(judges, module, members),
            other => Ok(Some(redacted(other))),
        });
        let records: Vec<Option<Value>> = records.collect::<Result<_, _>>()?;
        Ok(records.into_iter().flatten().collect())
    }

    fn text(value: &str) -> String {
        let mut treated = value.to_owned();
        for span in detect::find(value, &[Kind::Iban, Kind::Card])
            .into_iter()
            .rev()
        {
            let new = match span.kind {
                Kind::Iban => Mask::Iban
                    .apply(&value[span.range.clone()])
                    .unwrap_or_else(|| "[iban]".to_owned()),
                _ => "[card]".to_owned(),
            };
            treated.replace_range(span.range, &new);
        }
        treated
    }

    fn masked(mask: &Mask, value: &Value) -> Value {
        match value {
            Value::String(string) => mask.apply(string).map_or(Value::Null, Value::String),
            Value::Number(number) => mask
                .apply_number(&number.to_string())
                .map_or(Value::Null, |number| serde_json::from_str(&number).unwrap()),
            other => redacted(other),
        }
    }

    fn by_shape(shape: &Shape, value: &Value) -> Option<Value> {
        Some(match (shape, value) {
            (Shape::Anything, value) => value.clone(),
            (Shape::Dropped, _) => return None,
            (Shape::Scalar, value) if is_scalar(value) => value.clone(),
            (Shape::List(shape), Value::Array(elements)) => elements
                .iter()
                .filter_map(|element| by_shape(shape, element))
                .collect(),
            (
                Shape::Object(ObjectShape {
                    keys,
                    others: Others::Dropped,
                    ..
                }),
                Value::Object(members),
            ) => {
                let left = members.iter().filter_map(|(key, value)| {
                    let (_, shape) = keys.iter().find(|(name, _)| name == key)?;
                    Some((key.clone(), by_shape(shape, value)?))
                });
                Value::Object(left.collect())
            }
            (_, other) => redacted(other),
        })
    }

    fn shown(judges: &dyn Judges, show: &Show, value: &Value) -> Left {
        Ok(Some(match (show, value) {
            (Show::Remove, _) => return Ok(None),
            (Show::Clear, Value::Array(elements)) if elements.iter().all(is_scalar) => {
                value.clone()
            }
            (Show::Clear | Show::Text(_), Value::Bool(_) | Value::Null) => value.clone(),
            (Show::Clear, Value::String(_) | Value::Number(_)) => value.clone(),
            (Show::Token(tokenizer), Value::String(string)) => {
                Value::String(tokenizer.token(string))
            }
            (Show::Mask(mask), value) => masked(mask, value),
            (Show::Text(_), Value::String(string)) => Value::String(text(string)),
            (Show::Text(_), Value::Number(number))
                if text(&number.to_string()) == number.to_string() =>
            {
                value.clone()
            }
            (Show::Items { inner, .. }, Value::String(_)) => return shown(judges, inner, value),
            (Show::Items { .. } | Show::Related(_), Value::Null) => Value::Null,
            (Show::Items { items, inner, .. }, Value::Array(elements)) => {
                let mut left = Vec::new();
                for element in elements {
                    let Value::Object(members) = element else {
                        left.push(redacted(element));
                        continue;
                    };
                    let mut item = Map::new();
                    for (key, value) in members {
                        if items.treated.contains(&key.as_str()) {
                            item.extend(
                                shown(judges, inner, value)?.map(|value| (key.clone(), value)),
                            );
                        } else if items.passed.contains(&key.as_str()) {
                            let value = if is_scalar(value) {
                                value.clone()
                            } else {
                                redacted(value)
                            };
                            item.insert(key.clone(), value);
                        }
                    }
                    left.push(Value::Object(item));
                }
                Value::Array(left)
            }
            (Show::Related(module), Value::Array(elements)) => {
                records(judges, module.as_str(), elements)?
            }
            (Show::Related(module), Value::Object(members)) => match members.get("records") {
                Some(Value::Array(elements)) => {
                    let mut left = Map::new();
                    for (key, value) in members {
                        if key == "records" {
                            left.insert(key.clone(), records(judges, module.as_str(), elements)?);
                        } else if key == "next_offset" && !judges.is_judged(module.as_str()) {
                            left.insert(
                                key.clone(),
                                if is_scalar(value) {
                                    value.clone()
                                } else {
                                    redacted(value)
                                },
                            );
                        }
                    }
                    Value::Object(left)
                }
                _ => record(judges, module.as_str(), members)?.unwrap_or_else(|| json!({})),
            },
            (Show::Shaped(shape), value) => return Ok(by_shape(shape, value)),
            (_, other) => redacted(other),
        }))
    }
}

/// Chunks of random sizes.
fn split<'a>(text: &'a [u8], dice: &mut Dice) -> Vec<&'a [u8]> {
    let largest = [1, 3, 40, 400][dice.roll(4)];
    let mut rest = text;
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at((1 + dice.roll(largest)).min(rest.len()));
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

#[test]
fn a_reply_is_treated_and_counted_the_same_whatever_came_before() {
    let replies = [
        r#"{"records":[{"id":"a","clear_c":1,"stranger":"x","text_c":"FR7699999000004001020304033"}]}"#,
        r#"{"records":[{"STRANGER":"y","id":"b","mask_c":"Zoé"},{"id":"c","shaped_c":{"a":1}}]}"#,
        r#"{"records":[{"other":2,"id":"d","stranger":[1],"link_c":{"id":"e","stranger":"z"}}]}"#,
        r#"{"records":[]}"#,
    ];
    let memory = Memory::new();
    let run = |terms: Box<dyn Terms>, text: &str| {
        let mut filter = Filter::on_terms(terms, &list(), Asked::default(), LIMITS, &memory);
        let mut out = Vec::new();
        filter.push(text.as_bytes(), &mut out).unwrap();
        let report = filter.finish(&mut out).unwrap();
        let counts = report.fields.iter();
        let counts: Vec<_> = counts
            .map(|(path, count)| (path, count.records, count.in_text.clone()))
            .collect();
        (
            String::from_utf8(out).unwrap(),
            report.refs,
            report.records,
            counts,
        )
    };
    let taught = Taught(Numbered(table()), Arc::default());
    for first in replies {
        for second in replies {
            for text in [first, second, first] {
                let alone = run(Box::new(Numbered(table())), text);
                assert_eq!(run(Box::new(taught.clone()), text), alone, "{text}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn every_document_is_filtered_as_the_oracle_says(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let records: Vec<Map<String, Value>> = (0..dice.roll(4)).map(|_| dice.record(4)).collect();
        let document = json!({"dropped": dice.value(2), "next_offset": -1, "records": records, "x": [dice.value(2)]});
        let mut text = String::new();
        dice.write(&document, &mut text);

        let left: Result<Vec<Value>, Cause> =
            records.iter().map(|record| Ok(oracle::record(&table(), "Contacts", record)?.unwrap())).collect();
        let (out, result) = filter(&text, &list());
        match left {
            Ok(left) => {
                prop_assert!(result.is_ok(), "{:?} in {}", result, text);
                let shown: Value = serde_json::from_slice(&out).unwrap();
                prop_assert_eq!(shown.to_string(), json!({"next_offset": -1, "records": left}).to_string());
                prop_assert_eq!(result.unwrap().fields.is_empty(), records.iter().all(Map::is_empty));
            }
            Err(cause) => prop_assert_eq!(result.unwrap_err().cause, cause, "{}", text),
        }
    }

    #[test]
    fn every_split_gives_the_same(seed in any::<u64>(), damage in prop::option::weighted(0.3, any::<usize>())) {
        let mut dice = Dice(seed);
        let document = json!({"a": dice.value(2), "records": [dice.record(3), dice.record(3)], "next_offset": 1});
        let mut text = String::new();
        dice.write(&document, &mut text);
        let mut text = text.into_bytes();
        if let Some(damage) = damage {
            let at = damage % text.len();
            text[at] = b"\",}]\xff\0x "[dice.roll(8)];
        }
        for shape in [list(), Shape::Anything, Shape::each(Shape::Anything), contacts()] {
            let (whole, whole_result) = filter(&text, &shape);
            let chunks = split(&text, &mut dice);
            let (parts, parts_result) = filter_in(&mut chunks.into_iter(), &table(), &shape, LIMITS);
            prop_assert_eq!(whole, parts);
            match (whole_result, parts_result) {
                (Ok(whole), Ok(parts)) => {
                    prop_assert_eq!(whole.refs, parts.refs);
                    prop_assert_eq!(whole.fields.keys().collect::<Vec<_>>(), parts.fields.keys().collect::<Vec<_>>());
                }
                (whole, parts) => prop_assert_eq!(whole.err(), parts.err()),
            }
        }
    }

    #[test]
    fn fields_that_are_numbered_beforehand_are_treated_the_same(
        seed in any::<u64>(), damage in prop::option::weighted(0.3, any::<usize>()), alike in any::<bool>()
    ) {
        let mut dice = Dice(seed);
        let first = dice.record(3);
        let mut records: Vec<Map<String, Value>> = (0..1 + dice.roll(5)).map(|_| dice.record(3)).collect();
        if alike {
            // The same keys in the same order, as in most lists.
            for record in &mut records {
                *record = first.keys().map(|key| (key.clone(), dice.value(2))).collect();
            }
        }
        records.insert(0, first);
        let mut text = String::new();
        dice.write(&json!({"records": records}), &mut text);
        let mut text = text.into_bytes();
        if let Some(damage) = damage {
            let at = damage % text.len();
            text[at] = b"\",}]\xff\0x "[dice.roll(8)];
        }
        let (out, result) = filter(&text, &list());
        let chunks = split(&text, &mut dice);
        for chunks in [vec![&text[..]], chunks] {
            let mut filter = Filter::on_terms(Box::new(Numbered(table())), &list(), Asked::default(), LIMITS, &Memory::new());
            let mut other = Vec::new();
            let pushed = chunks.into_iter().try_for_each(|chunk| filter.push(chunk, &mut other));
            let report = pushed.and_then(|()| filter.finish(&mut other));
            prop_assert_eq!(&out, &other);
            match (&result, report) {
                (Ok(one), Ok(other)) => {
                    prop_assert_eq!(&one.refs, &other.refs);
                    prop_assert_eq!(one.records, other.records);
                    let counts = |report: &Report| -> Vec<_> {
                        report.fields.iter().map(|(path, count)| (path.clone(), count.records, count.in_text.clone())).collect()
                    };
                    prop_assert_eq!(counts(one), counts(&other));
                }
                (one, other) => prop_assert_eq!(one.as_ref().err().copied(), other.err()),
            }
        }
    }

    #[test]
    fn strings_of_any_length_end_where_they_end(
        before in 0..40_usize, filler in prop::sample::select(vec!["a", "é", "\u{2028}", "😀", r"\\n", r"\\u00e9"]),
        count in 0..40_usize, end in prop::sample::select(vec!["", r"\\", r#"\\""#, r"\\ud83d\\ude00", r"\\ud83d", "\n", r"\\x", r"\\u12", "\u{1f}", "\u{7f}"])
    ) {
        let text = format!(r#"{{"records":[{{"id":"{}","clear_c":"{}{end}","mask_c":"Ada Lovelace"}}]}}"#, "x".repeat(before), filler.repeat(count));
        let valid = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        let (out, result) = filter(&text, &list());
        prop_assert_eq!(result.is_ok(), valid, "{}", text);
        if valid {
            prop_assert_eq!(String::from_utf8(out).unwrap(), text.replace("Ada Lovelace", "A. L."));
        }
    }

    #[test]
    fn what_no_rule_treats_is_copied_byte_for_byte(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let clear = Table(BTreeMap::from([("clear_c", Show::Clear), ("id", Show::Clear), ("list_c", Show::Clear)]));
        let records: Vec<Value> = (0..dice.roll(4))
            .map(|_| json!({"clear_c": dice.scalar(), "id": dice.scalar(), "list_c": [dice.scalar(), dice.scalar()]}))
            .collect();
        let mut text = String::new();
        let document = json!({"next_offset": dice.scalar(), "records": records});
        dice.write(&document, &mut text);
        let (out, result) = filter_in(&mut std::iter::once(text.as_bytes()), &clear, &list(), LIMITS);
        prop_assert!(result.is_ok());
        prop_assert_eq!(String::from_utf8(out).unwrap(), text);

        let mut text = String::new();
        let document = dice.value(4);
        dice.write(&document, &mut text);
        prop_assert_eq!(shown(&text, &Shape::Anything), text);
    }

    #[test]
    fn any_bytes_are_read_without_failing(text in prop::collection::vec(any::<u8>(), 0..60)) {
        for shape in [list(), Shape::Anything, contacts()] {
            let _ = filter(&text, &shape);
        }
    }

    #[test]
    fn what_passes_without_a_look_is_what_a_look_would_pass(seed in any::<u64>()) {
        const KEYS: &[&str] = &[
            "id", "a", "b", "c", "clear_c", "redact_c", "hide_c", "mask_c", "text_c", "parent_type", "parent_name",
            "link_c", "unknown_c", "shaped_c", "_module", "A", "Id", "REDACT_C", r"\u0061", r"hide\u005fc", "é",
        ];
        const VALUES: &[&str] = &[
            "1", "0", "-1", "10.5", "1e3", "true", "null", r#""""#, r#""x""#, r#""Contacts""#, r#""Ada Lovelace, in prose""#,
            r#""FR7699999000004001020304033""#, r#""\u0041b""#, "[]", "[1]", r#"[{"id":1}]"#, r#"{"id":"7","hide_c":"z"}"#, "{}",
            r#"{"a":1,"b":[2]}"#, r#"{"a":{}}"#, r#"{"c":{"x":[]},"d":1}"#, r#"{"a":1}"#, r#"{"a":1,"a":1}"#,
        ];
        const WRONG: &[&str] = &["01", "1.", "tru", "nulll", "\"\t\"", r#""\x""#, r#""x"#, "-", "1,", "x", "", "1}"];
        let mut table = table();
        table.0.extend([("a", Show::Clear), ("b", Show::Clear), ("c", Show::Clear)]);
        let mut dice = Dice(seed);
        let mut order: Vec<&str> = (0..1 + dice.roll(9)).map(|_| dice.pick(KEYS)).collect();
        order.dedup();
        let mut text = String::from(r#"{"records":["#);
        for number in 0..1 + dice.roll(6) {
            let mut keys = order.clone();
            if dice.roll(4) == 0 {
                let at = dice.roll(keys.len() + 1);
                keys.insert(at, dice.pick(KEYS));
            }
            if dice.roll(4) == 0 {
                keys.remove(dice.roll(keys.len()));
            }
            let member = |key: &&str, dice: &mut Dice| {
                let value = match (*key, dice.roll(60)) {
                    (_, 0) => dice.pick(WRONG),
                    ("_module", 1..) => "\"Contacts\"",
                    _ => dice.pick(VALUES),
                };
                format!("\"{key}\":{value}")
            };
            let members: Vec<String> = keys.iter().map(|key| member(key, &mut dice)).collect();
            let comma = if number > 0 { "," } else { "" };
            text.push_str(&format!("{comma}{{{}}}", members.join(",")));
        }
        text.push_str("]}");
        // With a blank before its colon, no member passes without a look.
        let slow = text.replace("\":", "\" :");
        let memory = Memory::new();
        let run_on = |terms: Box<dyn Terms>, chunks: &[&[u8]]| {
            let mut filter = Filter::on_terms(terms, &list(), Asked::default(), LIMITS, &memory);
            let mut out = Vec::new();
            let pushed = chunks.iter().try_for_each(|chunk| filter.push(chunk, &mut out));
            let report = pushed.and_then(|()| filter.finish(&mut out)).map_err(|failed| failed.cause);
            let report = report.map(|report| {
                let counts: Vec<_> = report.fields.iter().map(|(path, count)| (path.clone(), count.records, count.in_text.clone())).collect();
                (report.refs, report.records, counts)
            });
            (String::from_utf8(out).unwrap().replace("\" :", "\":"), report)
        };
        let run = |chunks: &[&[u8]]| run_on(Box::new(Numbered(table.clone())), chunks);
        let looked_at = run(&[slow.as_bytes()]);
        prop_assert_eq!(&run(&[text.as_bytes()]), &looked_at, "{}", text);
        let chunks = split(text.as_bytes(), &mut dice);
        prop_assert_eq!(&run(&chunks), &looked_at, "{}", text);
        // What other replies have taught changes nothing but how soon a field is recognised.
        let taught = Taught(Numbered(table.clone()), Arc::default());
        for _ in 0..2 {
            prop_assert_eq!(&run_on(Box::new(taught.clone()), &[text.as_bytes()]), &looked_at, "{}", text);
        }
        let mut members: Vec<&str> = text.split(',').collect();
        let turn = dice.roll(members.len());
        members.rotate_left(turn);
        let other = members.join(",");
        let _ = run_on(Box::new(taught.clone()), &[other.as_bytes()]);
        prop_assert_eq!(&run_on(Box::new(taught), &[text.as_bytes()]), &looked_at, "{}", text);
    }
}
