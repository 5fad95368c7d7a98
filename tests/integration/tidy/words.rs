//! Nothing but a dialect knows a CRM.

use std::collections::BTreeSet;
use std::fs;

use paravent::dialect::NAMES;

use super::order::module;
use super::source::{Token, code, uses};
use super::{is_of_tests, root, sources};

/// Names of CRMs, in whatever case, as part of a name or text.
const CRMS: &[&str] = &["dolibarr", "espocrm", "sugar", "suitecrm", "suite_crm"];

/// Words of their APIs: texts that are nothing else.
const WORDS: &[&str] = &[
    "_module",
    "email1",
    "entry_list",
    "name_value_list",
    "next_offset",
    "records",
    "relationship_list",
    "v10",
    "v11",
    "v4_1",
];

/// Names of their modules, as part of a text.
const MODULES: &[&str] = &["Accounts", "Contacts", "Leads", "Users"];

/// Who may use which of them, and why.
const EXCEPT: &[(&str, &str)] = &[
    // It is a CRM.
    ("demo", ""),
    ("cli/demo", ""),
    ("cli/demo.rs", ""),
    // They run the dialects, and models of what CRMs make of their requests.
    ("fuzzing", ""),
    ("fuzzing.rs", ""),
    // A key of suites.
    ("workbench", "records"),
    // A column of a table.
    ("cli/scan.rs", "records"),
    // An example in a message.
    ("audit/query", "`record=Contacts/c-1`"),
    ("policy/language/check/say.rs", "`people: { Contacts:"),
    ("workbench/formats/people.rs", "Contacts"),
    // What a limit counts, and a key of explanations.
    ("policy/language/limit.rs", "records"),
    ("policy/explain/page.rs", "records"),
];

/// The folders of dialects, which are named like them.
fn dialects() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("src/dialect")).unwrap().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let names = folders.map(|entry| entry.file_name().to_string_lossy().into_owned());
    // Neither a description, nor how arguments travel or accounts log in, nor what is known of data or access is a CRM.
    let is_one = |name: &String| {
        !matches!(
            name.as_str(),
            "access"
                | "carriers"
                | "descriptions"
                | "engine"
                | "login"
                | "schema"
                | "styles"
                | "survey"
        )
    };
    names.filter(is_one).collect()
}

/// The words of dialects that a source holds.
fn words(text: &str, own: &[String], dialects: &BTreeSet<String>) -> Vec<String> {
    let tokens = code(text);
    let paths = uses(&tokens, own);
    let paths = paths.into_iter().filter(|path| {
        path.first().is_some_and(|first| first == "dialect")
            && path.iter().any(|name| dialects.contains(name))
    });
    let mut found: Vec<String> = paths.map(|path| path.join("::")).collect();
    for token in &tokens {
        let (word, is_text) = match token {
            Token::Name(word) => (word, false),
            Token::Text(word) => (word, true),
            Token::Other(_) => continue,
        };
        let folded = word.to_lowercase();
        let mut parts = word.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let names_module = is_text && parts.any(|part| MODULES.contains(&part));
        let is_word = names_module || is_text && WORDS.contains(&word.as_str());
        let is_dialect = dialects.contains(word) || NAMES.contains(&word.as_str());
        if is_word || is_dialect || CRMS.iter().any(|crm| folded.contains(crm)) {
            found.push(word.clone());
        }
    }
    found
}

#[test]
fn every_dialect_has_a_folder_named_like_it() {
    let names: BTreeSet<String> = NAMES.iter().map(|name| name.replace('-', "_")).collect();
    assert_eq!(dialects(), names);
}

#[test]
fn nothing_but_a_dialect_knows_a_crm() {
    let (dialects, mut breaches) = (dialects(), Vec::new());
    let mut used: BTreeSet<&(&str, &str)> = BTreeSet::new();
    for path in sources(&root().join("src")) {
        let within = path.strip_prefix(root().join("src")).unwrap();
        if is_of_tests(within) || within.starts_with("dialect") {
            continue;
        }
        let mut may = |word: &str| {
            let is_it =
                |(place, may): &&(&str, &str)| within.starts_with(place) && word.contains(may);
            let except = EXCEPT.iter().find(is_it);
            used.extend(except);
            except.is_some()
        };
        let text = fs::read_to_string(&path).unwrap();
        let found = words(&text, &module(within), &dialects);
        let found = found.into_iter().filter(|word| !may(word));
        breaches.extend(found.map(|word| (within.to_owned(), word)));
    }
    assert!(breaches.is_empty(), "who knows a CRM: {breaches:#?}");
    assert_eq!(used.len(), EXCEPT.len(), "only needed: {used:?}");
}

#[test]
fn every_kind_of_word_is_found() {
    let own = ["filter", "report"].map(str::to_owned);
    let dialects = dialects();
    for (text, expected) in [
        ("use crate::dialect::sugar_v4;", "dialect::sugar_v4"),
        (
            "use crate::dialect::{self, suitecrm_v8::links as l};",
            "suitecrm_v8",
        ),
        ("use super::super::dialect::sugar_rest::*;", "sugar_rest"),
        (
            "use crate::{door::{a::B}, dialect::{Shape, sugar_v4::{C}}};",
            "sugar_v4",
        ),
        ("const A: &str = \"sugar-rest\";", "sugar-rest"),
        (
            "const A: &[&str] = &[\"id\", \"next_offset\"];",
            "next_offset",
        ),
        ("const A: &[u8] = b\"records\";", "records"),
        ("const A: &str = r#\"_module\"#;", "_module"),
        ("fn f() -> SugarRest { todo!() }", "SugarRest"),
        (
            "fn f() { tell(\"the SuiteCRM is slow\") }",
            "the SuiteCRM is slow",
        ),
        ("fn f() { Module::new(\"Contacts\") }", "Contacts"),
        ("fn f() { say(\"write `Contacts: {}`\") }", "Contacts"),
        ("const V: &str = \"v11\";", "v11"),
    ] {
        let found = words(text, &own, &dialects);
        assert!(
            found.iter().any(|word| word.contains(expected)),
            "{text}: {found:?}"
        );
    }
    for text in [
        "// sugar\n/// `next_offset`\nfn f() {}",
        "#[cfg(test)] mod tests { const A: &str = \"Contacts\"; }",
        "fn records(records: u64) -> u64 { records }",
        "const A: &str = \"the records of a page\";",
        "use crate::dialect::{engine::Described, Shape};",
    ] {
        assert_eq!(words(text, &own, &dialects), Vec::<String>::new(), "{text}");
    }
}
