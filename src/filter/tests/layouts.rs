//! Records whose fields lie beside their id, under their names, or in texts spelled as HTML.

use super::*;
use crate::dialect::{ChoiceShape, EntryShape, Layout, ModuleName};
use crate::vocabulary::Spelling;

fn named() -> RecordShape {
    RecordShape {
        layout: Layout::Named,
        ..RecordShape::of(&Module::new("Contacts"))
    }
}

fn entry(record: RecordShape) -> Shape {
    Shape::Entry(Box::new(EntryShape {
        under: "fields",
        record,
        keys: vec![("type", Shape::Word(vec!["Contact", "Contacts"]))],
    }))
}

#[test]
fn an_entry_shows_its_fields_and_nothing_beside_them() {
    let shape = entry(RecordShape::of(&Module::new("Contacts")));
    let text = r#"{"type":"Contact","id":"c-1","fields":{"clear_c":"a","redact_c":"b","hide_c":"c"},"debug":"x"}"#;
    let (out, report) = filter(text, &shape);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"type":"Contact","id":"c-1","fields":{"clear_c":"a","redact_c":null}}"#
    );
    let report = report.unwrap();
    assert_eq!(report.refs[0].to_string(), "Contacts/c-1");
    assert_eq!(
        shown(r#"{"id":"c","fields":[]}"#, &shape),
        r#"{"id":"c","fields":[]}"#
    );
    for (bad, why) in [
        (
            r#"{"type":"Lead","id":"c-1","fields":{}}"#,
            Cause::OtherModule,
        ),
        (r#"{"type":1,"id":"c-1","fields":{}}"#, Cause::Shape),
        (r#"{"type":"Contact","id":"c-1"}"#, Cause::Shape),
        (r#"{"id":"c-1","fields":["a"]}"#, Cause::Shape),
        (
            r#"{"id":"c-1","fields":{},"fields":{}}"#,
            Cause::DuplicateKey,
        ),
        (
            r#"{"id":"c-1","id":"c-2","fields":{}}"#,
            Cause::DuplicateKey,
        ),
        (
            r#"{"fields":{"redact_c":1,"REDACT_C":2}}"#,
            Cause::DuplicateKey,
        ),
    ] {
        assert_eq!(cause(bad, &shape), Some(why), "{bad}");
    }
}

#[test]
fn a_named_value_goes_with_its_name_and_nothing_stays_beside_it() {
    let shape = entry(named());
    let text = r#"{"fields":{"id":{"name":"id","value":"c-9"},"clear_c":{"name":"clear_c","value":"a","old":"b"},"redact_c":{"value":"b","name":"redact_c"},"hide_c":{"name":"hide_c","value":"c"}}}"#;
    let (out, report) = filter(text, &shape);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"fields":{"id":{"name":"id","value":"c-9"},"clear_c":{"name":"clear_c","value":"a"},"redact_c":{"value":null,"name":"redact_c"}}}"#
    );
    assert_eq!(report.unwrap().refs[0].to_string(), "Contacts/c-9");
    let pairs = r#"{"fields":[{"name":"hide_c","value":"c"},{"name":"clear_c","value":1}]}"#;
    assert_eq!(
        shown(pairs, &shape),
        r#"{"fields":[{"name":"clear_c","value":1}]}"#
    );
    assert_eq!(
        shown(r#"{"fields":{"clear_c":"bare"}}"#, &shape),
        r#"{"fields":{"clear_c":null}}"#
    );
    for (bad, why) in [
        (
            r#"{"fields":{"clear_c":{"name":"hide_c","value":1}}}"#,
            Cause::Shape,
        ),
        (
            r#"{"fields":{"clear_c":{"value":1,"value":2}}}"#,
            Cause::DuplicateKey,
        ),
        (r#"{"fields":[{"value":1}]}"#, Cause::Shape),
        (r#"{"fields":["clear_c"]}"#, Cause::Shape),
        (
            r#"{"fields":[{"name":"clear_c","value":1},{"name":"CLEAR_C","value":1}]}"#,
            Cause::DuplicateKey,
        ),
    ] {
        assert_eq!(cause(bad, &shape), Some(why), "{bad}");
    }
}

#[test]
fn fields_of_a_record_may_lie_in_an_object_of_their_own() {
    let shape = Shape::Record(RecordShape {
        inner: vec!["more"],
        id: "rowid",
        ..RecordShape::of(&Module::new("Contacts"))
    });
    let text = r#"{"rowid":7,"more":{"hide_c":1,"clear_c":2},"clear":1}"#;
    let (out, report) = filter(text, &shape);
    assert!(!String::from_utf8(out).unwrap().contains("hide_c"));
    assert_eq!(report.unwrap().refs[0].to_string(), "Contacts/7");
    assert_eq!(
        cause(r#"{"clear_c":1,"more":{"clear_c":2}}"#, &shape),
        Some(Cause::DuplicateKey)
    );
    assert_eq!(shown(r#"{"more":"hide_c"}"#, &shape), r#"{"more":null}"#);
}

#[test]
fn a_member_tells_what_an_object_is() {
    let case = |module: &str| {
        let records = Shape::List(Box::new(Shape::record(&Module::new(module))));
        ObjectShape {
            keys: vec![("name", Shape::Scalar), ("records", records)],
            others: Others::Dropped,
            required: &[],
        }
    };
    let shape = Shape::List(Box::new(Shape::Choice(Box::new(ChoiceShape {
        told_by: "name",
        cases: vec![
            ("contacts".to_owned(), case("Contacts")),
            ("accounts".to_owned(), case("Accounts")),
        ],
    }))));
    let text = r#"[{"records":[{"id":"1","hide_c":1}],"name":"contacts","x":1},{"name":"accounts","records":[]}]"#;
    assert_eq!(
        shown(text, &shape),
        r#"[{"records":[{"id":"1"}],"name":"contacts"},{"name":"accounts","records":[]}]"#
    );
    for bad in [
        r#"[{"name":"users","records":[]}]"#,
        r#"[{"records":[]}]"#,
        r#"[{"name":null,"records":[]}]"#,
    ] {
        assert_eq!(cause(bad, &shape), Some(Cause::OtherModule), "{bad}");
    }
}

#[test]
fn a_record_of_several_modules_is_held_to_the_one_that_it_tells() {
    let of = |module: &str| RecordShape::of(&Module::new(module));
    let shape = Shape::List(Box::new(Shape::OneOf(vec![of("Contacts"), of("Accounts")])));
    let text = r#"[{"id":"1","hide_c":1,"_module":"Contacts"},{"_module":"Accounts","clear_c":2},{"\u005fmodule":"\u0043ontacts","hide_c":1}]"#;
    assert_eq!(
        shown(text, &shape),
        r#"[{"id":"1","_module":"Contacts"},{"_module":"Accounts","clear_c":2},{"\u005fmodule":"\u0043ontacts"}]"#
    );
    for bad in [
        r#"[{"id":"1","_module":"Users"}]"#,
        r#"[{"id":"1"}]"#,
        r#"[{}]"#,
        r#"[{"id":"1","_module":null}]"#,
        r#"[{"id":"1","_module":["Contacts"]}]"#,
        r#"[{"id":"1","_Module":"Contacts"}]"#,
        r#"[{"id":"1","_module":"contacts"}]"#,
    ] {
        assert_eq!(cause(bad, &shape), Some(Cause::OtherModule), "{bad}");
    }
    for bad in [
        r#"[{"_module":"Contacts","_module":"Accounts"}]"#,
        r#"[{"_module":"Contacts","_MODULE":"Accounts"}]"#,
        r#"[[]]"#,
        r#"["x"]"#,
    ] {
        assert!(cause(bad, &shape).is_some(), "{bad}");
    }
}

#[test]
fn an_array_and_an_object_have_shapes_of_their_own() {
    let records = || Shape::List(Box::new(Shape::record(&Module::new("Contacts"))));
    let shape = Shape::List(Box::new(Shape::Either {
        array: Box::new(records()),
        object: Box::new(Shape::only(vec![("records", records())], &["records"])),
    }));
    let text = r#"[[{"id":"1","hide_c":1}],{"records":[{"hide_c":1,"clear_c":2}],"x":1},[],{"records":[]}]"#;
    assert_eq!(
        shown(text, &shape),
        r#"[[{"id":"1"}],{"records":[{"clear_c":2}]},[],{"records":[]}]"#
    );
    for bad in [
        r#"[1]"#,
        r#"["x"]"#,
        r#"[{}]"#,
        r#"[[1]]"#,
        r#"[{"records":1}]"#,
    ] {
        assert_eq!(cause(bad, &shape), Some(Cause::Shape), "{bad}");
    }
}

#[test]
fn texts_are_treated_by_what_they_mean_and_spelled_as_they_were() {
    let shape = Shape::Record(RecordShape {
        spelling: Spelling::Html,
        ..RecordShape::of(&Module::new("Contacts"))
    });
    // A letter that is spelled as an entity is still the first letter of a name.
    let name = shown(r#"{"mask_c":"&Eacute;lodie O&#039;Brien"}"#, &shape);
    assert_eq!(name, "{\"mask_c\":\"\u{c9}. O.\"}");
    let iban = "F&#82;76 9999&amp;nbsp;9000 0040 0102 0304 033";
    let text = format!(r#"{{"text_c":"L&#039;IBAN {iban} &lt;b&gt;"}}"#);
    let out = shown(&text, &shape);
    assert!(out.starts_with(r#"{"text_c":"L&#039;IBAN FR76 "#), "{out}");
    assert!(out.ends_with(r#" &lt;b&gt;"}"#), "{out}");
    assert!(!out.contains("9999"), "{out}");
    let untouched = r#"{"text_c":"L&#39;appel &amp; R&D","clear_c":null}"#;
    assert_eq!(shown(untouched, &shape), untouched);
}

#[test]
fn an_entry_that_names_its_module_must_name_the_planned_one() {
    let module = Module::new("Contacts");
    let others = vec!["Contact"];
    let named = ModuleName {
        module: module.clone(),
        others,
    };
    let shape = Shape::Entry(Box::new(EntryShape {
        under: "fields",
        record: RecordShape::of(&module),
        keys: vec![("type", Shape::NameOf(named))],
    }));
    for name in ["Contact", "Contacts", "\\u0043ontact"] {
        let text = format!(r#"{{"type":"{name}","id":"c-1","fields":{{"hide_c":"c"}}}}"#);
        let expected = format!(r#"{{"type":"{name}","id":"c-1","fields":{{}}}}"#);
        assert_eq!(shown(&text, &shape), expected);
    }
    for (bad, why) in [
        (r#"{"type":"Lead","fields":{}}"#, Cause::OtherModule),
        (r#"{"type":"contact","fields":{}}"#, Cause::OtherModule),
        (r#"{"fields":{},"type":"Lead"}"#, Cause::OtherModule),
        (r#"{"type":null,"fields":{}}"#, Cause::Shape),
        (r#"{"id":"c-1","fields":{}}"#, Cause::Shape),
        (r#"{"Type":"Contact","fields":{}}"#, Cause::Shape),
    ] {
        assert_eq!(cause(bad, &shape), Some(why), "{bad}");
    }
}

#[test]
fn an_object_of_names_by_id_is_treated_member_by_member() {
    let items = Items {
        treated: &[Items::EACH],
        passed: &[],
    };
    let names = Show::items(items, Show::Mask(Mask::Initials));
    let table = Table(BTreeMap::from([("names", names)]));
    let shape = Shape::record(&Module::new("Contacts"));
    let filtered = |text: &str| {
        let (out, ended) = filter_in(&mut [text.as_bytes()].into_iter(), &table, &shape, LIMITS);
        ended.map(|_| String::from_utf8(out).unwrap())
    };
    assert_eq!(
        filtered(r#"{"names":{"t-1":"Ada Byron","t-2":null,"t-3":["x"]}}"#).unwrap(),
        r#"{"names":{"t-1":"A. B.","t-2":null,"t-3":[]}}"#
    );
    assert_eq!(filtered(r#"{"names":{}}"#).unwrap(), r#"{"names":{}}"#);
    assert_eq!(
        filtered(r#"{"names":{"a":"x","a":"y"}}"#)
            .unwrap_err()
            .cause,
        Cause::DuplicateKey
    );
}
