//! Detectors on texts of one's own: `paravent detect`.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::harness::binary::run;

/// Texts with all that can be said of them, and clean ones.
const LABELLED: &str = r#"{"id": "a", "lang": "fr", "text": "Née le… é, a@b.fr", "spans": [{"type": "mail", "start": 11, "end": 17}], "categories": []}
{"id": "b", "lang": "fr", "style": "explicit", "text": "Elle est séropositive depuis 2019. IBAN FR7630006000011234567890189", "spans": [{"type": "iban", "start": 40, "end": 67}], "categories": ["special.health"]}

{"id": 3, "lang": "en", "note": "invented", "text": "He was convicted of fraud and he is a member of the trade union", "spans": [], "statements": ["criminal", "trade_union"]}
{"id": null, "text": "Rappeler mardi matin", "spans": [], "categories": []}
"#;

fn file(lines: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("texts.jsonl");
    std::fs::write(&path, lines).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn shown(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn predicted(lines: &str, more: &[&str]) -> Vec<Value> {
    let (_folder, path) = file(lines);
    let output = run(&[&["detect", "--predict", &path], more].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let lines = shown(&output);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn measured(lines: &str, more: &[&str]) -> Value {
    let (_folder, path) = file(lines);
    let output = run(&[&["detect", "--format", "json", "--measure", &path], more].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_is_found_is_told_a_line_for_each_text() {
    assert_eq!(
        predicted(LABELLED, &[]),
        [
            json!({"id": "a", "spans": [{"type": "mail", "start": 11, "end": 17}], "categories": []}),
            json!({"id": "b", "spans": [{"type": "iban", "start": 40, "end": 67}], "categories": ["special.health"]}),
            json!({"id": 3, "spans": [], "categories": ["criminal", "special.trade_union"]}),
            json!({"id": null, "spans": [], "categories": []}),
        ]
    );
}

#[test]
fn what_is_looked_for_can_be_chosen() {
    let of = |more: &[&str]| {
        let found = predicted(LABELLED, more);
        let told = |value: &Value, key: &str| value[key].to_string();
        found
            .iter()
            .map(|line| {
                told(line, "spans").matches("type").count().to_string() + &told(line, "categories")
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(&["--find", "mail,special"]),
        [
            "1[]",
            r#"0["special.health"]"#,
            r#"0["special.trade_union"]"#,
            "0[]"
        ]
    );
    assert_eq!(
        of(&["--find", "iban", "--find", "criminal"]),
        ["0[]", "1[]", r#"0["criminal"]"#, "0[]"]
    );
    assert_eq!(of(&["--languages", "de,it", "--find", "health"])[1], "0[]");
    assert_eq!(of(&["--at-least", "certain"])[1], r#"1["special.health"]"#);
}

#[test]
fn labels_are_compared_with_what_is_found() {
    let all = measured(LABELLED, &[]);
    let right = json!({"tp": 1, "fp": 0, "fn": 0, "precision": 1.0, "recall": 1.0});
    for place in [
        &all["kinds"]["iban"],
        &all["kinds"]["mail"],
        &all["categories"]["special.health"],
        &all["categories"]["special.trade_union"],
        &all["categories"]["criminal"],
    ] {
        assert_eq!(place, &right, "{all}");
    }
    let none = json!({"tp": 0, "fp": 0, "fn": 0, "precision": null, "recall": null});
    assert_eq!(all["kinds"]["card"], none);
    assert_eq!(all["any"]["tp"], 2);
    assert_eq!(
        all["clean"],
        json!({"texts": 1, "false_identifier": 0, "false_statement": 0})
    );
    assert!(all["megabytes_per_second"].is_number());
    assert_eq!(all["kinds"].as_object().unwrap().len(), 10);
    assert_eq!(all["categories"].as_object().unwrap().len(), 9);

    // What is not looked for is neither missed nor wrong.
    let some = measured(LABELLED, &["--find", "iban,health"]);
    let names = |key: &str| {
        some[key]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (names("kinds"), names("categories")),
        (vec!["iban".to_owned()], vec!["special.health".to_owned()])
    );
    assert_eq!(
        (&some["any"]["tp"], &some["any"]["fn"]),
        (&json!(1), &json!(0))
    );

    let wrong = measured(
        r#"{"text": "a@b.fr, c@d.fr", "spans": [{"type": "mail", "start": 0, "end": 5}], "categories": ["special.genetic"]}"#,
        &[],
    );
    assert_eq!(
        wrong["kinds"]["mail"],
        json!({"tp": 0, "fp": 2, "fn": 1, "precision": 0.0, "recall": 0.0})
    );
    assert_eq!(wrong["categories"]["special.genetic"]["fn"], 1);
    assert_eq!(wrong["any"]["fn"], 1);
}

#[test]
fn a_line_that_cannot_be_used_ends_it_and_is_named() {
    for (line, cause) in [
        ("{\"text\": \"a\"", "EOF"),
        ("\u{feff}{}", "expected value"),
        (r#"{"spans": [], "categories": []}"#, "missing field `text`"),
        (
            r#"{"text": "a", "categories": [], "statements": []}"#,
            "`categories` and `statements` are the same: leave one out",
        ),
        (
            r#"{"text": "a", "categories": ["illness"]}"#,
            "`illness` is no category of statements: write one of special.health, ",
        ),
        (
            r#"{"text": "é", "spans": [{"type": "mail", "start": 0, "end": 2}]}"#,
            "a span from 0 to 2 in a text of 1 characters: count in code points",
        ),
        (
            r#"{"text": "a", "spans": [{"type": "siren", "start": 0, "end": 1}]}"#,
            "`siren` is no kind of identifier: write one of address, bic, ",
        ),
        (r#"{"text": "a", "labels": []}"#, "leave it out"),
    ] {
        let (_folder, path) = file(&format!(
            "{{\"text\": \"fine\", \"spans\": []}}\n\n{line}\n"
        ));
        for mode in ["--measure", "--predict"] {
            let output = run(&["detect", mode, &path]);
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{line}: {told}");
            let place = format!("error: {path}:3: ");
            assert!(
                told.starts_with(&place) && told.contains(cause),
                "{line}: {told}"
            );
        }
    }
    let (_folder, path) = file(r#"{"text": "a"}"#);
    let output = run(&["detect", "--measure", &path]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains(":1: nothing to measure: add `spans`"),
        "{told}"
    );
    assert_eq!(run(&["detect", "--predict", &path]).status.code(), Some(0));

    let missing = Path::new(&path).with_file_name("missing.jsonl");
    for arguments in [
        &["detect", "--predict", missing.to_str().unwrap()][..],
        &["detect"],
        &["detect", "--predict", &path, "--measure", &path],
        &["detect", "--predict", &path, "--find", "ibans"],
        &["detect", "--predict", &path, "--languages", "xx"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}
