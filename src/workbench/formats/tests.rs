//! Each schema says what its reader takes: the readers are asked, place by place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::Format;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Diagnostics, File, Node, NodeKind, read};
use crate::dialect;
use crate::dialect::engine::{Described, KEYS};
use crate::dialect::schema::SchemaFile;
use crate::policy::{Policy, Source};
use crate::workbench::suite;

mod checker;
mod spots;

use spots::{Spot, filled, places, sample, spots};

const KEY: &[u8] = b"0123456789abcdef";

/// Stands for what no reader knows, and is near to nothing.
const UNKNOWN: &str = "qqqqqqqqqqqq";

impl Spot {
    /// Says in what schema and reader differ.
    fn differs(
        &self,
        schema: &BTreeSet<String>,
        reader: &[Diagnostic],
        document: &Value,
    ) -> String {
        let says = reader
            .iter()
            .map(|one| format!("{}: {} {:?}", one.title, one.label, one.help));
        let says: Vec<String> = says.collect();
        let path = self.path.join(".");
        format!("{path}: the schema has {schema:?}, the reader says {says:?} of {document}")
    }
}

/// What the reader of a format says of a text.
fn told(format: Format, text: &str) -> Diagnostics {
    let name = "probe.yaml";
    match format {
        Format::Policy => {
            let source = Source {
                path: name.to_owned(),
                text: text.to_owned(),
            };
            Policy::compile(&[source], &[], KEY).1
        }
        Format::Tests => {
            let source = Source {
                path: name.to_owned(),
                text: text.to_owned(),
            };
            suite::load(&[source], starter(), &[dialect::usual()]).1
        }
        Format::Config => {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            Config::load(&path).1
        }
        Format::Description => Described::read(name, text).1,
        Format::Schema => {
            let mut found = Diagnostics::new();
            SchemaFile::read(&File::new(name, text), &mut found);
            found
        }
    }
}

/// The policy of which the tests are.
fn starter() -> &'static Policy {
    static STARTER: LazyLock<Policy> = LazyLock::new(|| {
        let source = Source {
            path: "starter.yaml".to_owned(),
            text: include_str!("../../../policies/starter/starter.yaml").to_owned(),
        };
        let schemas = [dialect::usual().schema().clone()];
        Policy::compile(&[source], &schemas, KEY).0.unwrap()
    });
    &STARTER
}

/// The problems with what no reader knows, in a document that holds it.
fn told_of_unknown(format: Format, document: &Value) -> Vec<Diagnostic> {
    let found = told(format, &document.to_string());
    let of_it = |problem: &&Diagnostic| problem.title.contains(UNKNOWN);
    found.iter().filter(of_it).cloned().collect()
}

/// The words that a problem lists, as label or help.
fn listed(problem: &Diagnostic) -> Vec<BTreeSet<String>> {
    let texts = [Some(problem.label.as_str()), problem.help.as_deref()];
    let texts = texts.into_iter().flatten();
    let lists = texts.filter_map(|text| {
        let list = text.split_once("one of ").map(|(_, list)| list);
        let list = list.or_else(|| text.split_once(": ").map(|(_, list)| list))?;
        let list = list.split(';').next()?;
        // A mask may also be a map, which is no word.
        let words = list.split(", ").filter(|word| !word.contains("{ "));
        Some(words.map(str::to_owned).collect())
    });
    lists.collect()
}

fn strings(value: &Value) -> BTreeSet<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn names(spot: &Spot) -> BTreeSet<String> {
    let properties = spot.shape["properties"].as_object();
    properties
        .into_iter()
        .flat_map(|p| p.keys().cloned())
        .collect()
}

/// Maps whose reader lists no keys, and why.
const NO_KEYS: &[(&str, &str)] = &[("mask", "a mask has one key, and its forms are listed")];

/// Words whose reader lists none, and why.
const NO_WORDS: &[(&str, &str)] = &[
    ("refused", "there are too many reasons to be listed"),
    ("query", "any other text is taken for a map"),
    ("default", "any other text is taken for a number"),
    ("write", "any other text is taken for a map"),
    ("relate", "any other text is taken for true or false"),
    ("stored", "any other text is a word that passes"),
    ("fixed", "any other text is a word that passes"),
    ("about_caller", "any other text is a word about the caller"),
    ("controls", "any other text is taken for a map"),
];

/// Whether the last name of a path is one of these.
fn excepted(spot: &Spot, names: &[(&str, &str)]) -> bool {
    let is_it = |(name, _): &(&str, &str)| spot.path.iter().rev().take(2).any(|step| step == name);
    names.iter().any(is_it)
}

#[test]
fn every_map_has_the_keys_that_its_reader_knows() {
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for format in Format::ALL {
        for spot in spots(format) {
            if spot.shape["additionalProperties"] != json!(false) || excepted(&spot, NO_KEYS) {
                continue;
            }
            let mut value = sample(&spot.root, &spot.shape);
            value[UNKNOWN] = json!(1);
            let document = filled(&spot.document, &value);
            let problems = told_of_unknown(format, &document);
            let keys = names(&spot);
            let problem = problems
                .iter()
                .find(|problem| listed(problem).contains(&keys));
            match problem {
                Some(problem) => {
                    seen.extend(
                        problem
                            .label
                            .strip_prefix("not a key of ")
                            .map(str::to_owned),
                    );
                }
                None => wrong.push(spot.differs(&keys, &problems, &document)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let missing: Vec<String> = forms()
        .into_iter()
        .filter(|form| !seen.contains(form))
        .collect();
    assert!(missing.is_empty(), "maps that no schema has: {missing:#?}");
}

/// What all maps are called whose keys readers check.
fn forms() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![root.join("config.rs"), root.join("dialect/schema/file.rs")];
    for folder in [
        "config",
        "policy/language/sections",
        "dialect/engine/read",
        "workbench/suite/read",
    ] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().flatten();
        files.extend(
            entries
                .map(|entry| entry.path())
                .filter(|path| path.is_file()),
        );
    }
    let mut forms: BTreeSet<String> = KEYS.iter().map(|(what, _)| (*what).to_owned()).collect();
    let of_descriptions = forms.len();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for form in text.split("Form = Form {").skip(1) {
            let what = form
                .split("what: ")
                .nth(1)
                .unwrap()
                .split(",\n")
                .next()
                .unwrap();
            let what = what
                .strip_prefix('"')
                .and_then(|what| what.strip_suffix('"'));
            forms.extend(what.map(str::to_owned));
        }
    }
    assert!(
        of_descriptions > 25 && forms.len() > of_descriptions + 35,
        "{forms:?}"
    );
    forms
}

#[test]
fn every_list_of_words_is_that_of_its_reader() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for format in Format::ALL {
        for spot in spots(format) {
            let expected = strings(&spot.shape["enum"]);
            if expected.is_empty() || excepted(&spot, NO_WORDS) || spot.may_be_other {
                continue;
            }
            let document = filled(&spot.document, &json!(UNKNOWN));
            let problems = told_of_unknown(format, &document);
            if !problems
                .iter()
                .any(|problem| listed(problem).contains(&expected))
            {
                wrong.push(spot.differs(&expected, &problems, &document));
            }
            compared += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 50, "{compared}");
}

#[test]
fn every_bound_is_that_of_its_reader() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for format in Format::ALL {
        for spot in spots(format) {
            let bounds = (
                spot.shape["minimum"].as_i64(),
                spot.shape["maximum"].as_i64(),
            );
            let (Some(least), Some(most)) = bounds else {
                continue;
            };
            for beyond in [least - 1, most + 1] {
                let document = filled(&spot.document, &json!(beyond));
                let found = told(format, &document.to_string());
                let label = format!("must be between {least} and {most}");
                if found.iter().all(|problem| problem.label != label) {
                    wrong.push(format!("{label}: {document}"));
                }
            }
            compared += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 15, "{compared}");
}

/// What is wrong with the form of a file, whatever it means.
fn is_of_form(problem: &Diagnostic) -> bool {
    matches!(
        problem.code,
        "Y010" | "Y012" | "Y013" | "Y014" | "Y015" | "Y016" | "Y018" | "P005" | "D002" | "S002"
    )
}

/// What is wrong with what some maps say together, which no schema tells.
const MEANING: &[&str] = &[
    "the first table is not the module's own",
    "the body does not tell what is related",
    "the body does not tell the module in a way that is understood",
];

#[test]
fn what_a_schema_suggests_is_taken() {
    let mut all = Vec::new();
    for format in Format::ALL {
        for spot in spots(format) {
            let document = filled(&spot.document, &sample(&spot.root, &spot.shape));
            let text = document.to_string();
            let found = told(format, &text);
            let wrong = found.iter().filter(|problem| is_of_form(problem));
            let wrong = wrong.filter(|problem| !MEANING.contains(&problem.title.as_str()));
            let wrong: Vec<&str> = wrong.map(|problem| problem.title.as_str()).collect();
            if !wrong.is_empty() {
                all.push(format!("{text}: {wrong:?}"));
            }
            let problems = checker::problems(&spot.root, &document);
            let lacks = |problem: &String| problem.contains("needs");
            let problems: Vec<_> = problems.into_iter().filter(|one| !lacks(one)).collect();
            if !problems.is_empty() {
                all.push(format!("{text}: {problems:?}"));
            }
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn what_a_schema_does_not_take_its_reader_does_not_take_either() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for format in Format::ALL {
        for place in places(format) {
            let good = filled(&place.document, &sample(&place.root, &place.shape));
            let titles = |document: &Value| -> BTreeSet<String> {
                let found = told(format, &document.to_string());
                found
                    .iter()
                    .map(|one| format!("{}{}", one.title, one.label))
                    .collect()
            };
            let before = titles(&good);
            // Of what means nothing beside the others, no reader looks at the value.
            if before
                .iter()
                .any(|title| title.contains("means nothing here"))
            {
                continue;
            }
            for value in [json!(17), json!(true), json!(null), json!([]), json!({})] {
                if checker::fits(&place.root, &place.shape, &value) {
                    continue;
                }
                let document = filled(&place.document, &value);
                if titles(&document).is_subset(&before) {
                    wrong.push(format!(
                        "{}: the reader takes {document}",
                        place.path.join(".")
                    ));
                }
                compared += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn every_key_is_explained() {
    for format in Format::ALL {
        for spot in spots(format) {
            for (name, shape) in spot.shape["properties"].as_object().into_iter().flatten() {
                let meaning = shape["description"].as_str().unwrap_or_default();
                let path = spot.path.join(".");
                assert!(
                    meaning.ends_with(['.', '…']),
                    "{format:?} {path}.{name}: {meaning}"
                );
            }
        }
    }
}

fn yaml_below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            yaml_below(&path, into);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            into.push(path);
        }
    }
}

/// Which format a file that is shipped has: told by its first key.
fn format_of(root: &Value) -> Option<Format> {
    let has = |key: &str| root.get(key).is_some();
    if has("listeners") {
        Some(Format::Config)
    } else if has("description") {
        Some(Format::Description)
    } else if has("schema") {
        Some(Format::Schema)
    } else if has("tests") {
        Some(Format::Tests)
    } else if has("policy") {
        Some(Format::Policy)
    } else {
        None
    }
}

fn json_of(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(flag) => json!(flag),
        NodeKind::Int(number) => json!(number),
        NodeKind::Float(number) => json!(number),
        NodeKind::Str(text) => json!(text),
        NodeKind::Seq(items) => items.iter().map(json_of).collect(),
        NodeKind::Map(entries) => {
            let entries = entries.iter();
            Value::Object(
                entries
                    .map(|(key, node)| (key.value.clone(), json_of(node)))
                    .collect(),
            )
        }
    }
}

#[test]
fn everything_that_is_shipped_fits_its_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["policies", "examples", "src", "tests/data"] {
        yaml_below(&root.join(folder), &mut files);
    }
    let mut seen = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut found = Diagnostics::new();
        let file = File::new(path.display().to_string(), text);
        let tree = read(&file, &mut found).unwrap();
        let document = json_of(&tree);
        let Some(format) = format_of(&document) else {
            assert!(
                path.ends_with("stock.yaml")
                    || path.starts_with(root.join("src/dialect/schema/stock")),
                "{}",
                path.display()
            );
            continue;
        };
        let problems = checker::problems(&format.schema(), &document);
        assert!(problems.is_empty(), "{}: {problems:#?}", path.display());
        seen.push(format);
    }
    for format in [
        Format::Policy,
        Format::Tests,
        Format::Config,
        Format::Description,
    ] {
        assert!(
            seen.iter().filter(|one| **one == format).count() >= 4,
            "{seen:?}"
        );
    }
}

#[test]
fn a_schema_refuses_what_its_reader_refuses() {
    for (format, text) in [
        (Format::Policy, "{ policy: a, capz: [] }"),
        (
            Format::Policy,
            "{ grants: [{ name: a, roles: b, data: financial, level: cleer }] }",
        ),
        (
            Format::Policy,
            "{ grants: [{ name: a, data: financial, level: clear }] }",
        ),
        (
            Format::Policy,
            "{ caps: [{ name: a, data: x, level: hide, roles: a, unless_roles: b }] }",
        ),
        (
            Format::Policy,
            "{ categories: { a: { mask: { last: 1, first: 1 } } } }",
        ),
        (Format::Policy, "{ roles: { a: { from: {} } } }"),
        (Format::Policy, "{ categories: { Upper: {} } }"),
        (Format::Config, "{ limits: { depth_max: 1000 } }"),
        (Format::Config, "{ stop_timeout: 30 }"),
        (
            Format::Schema,
            "{ schema: a, modules: { B: { links: { c: {} } } } }",
        ),
        (Format::Description, "{ routes: [{ action: list }] }"),
    ] {
        let mut found = Diagnostics::new();
        let tree = read(&File::new("a.yaml", text), &mut found).unwrap();
        assert!(
            !checker::problems(&format.schema(), &json_of(&tree)).is_empty(),
            "{text}"
        );
        assert!(told(format, text).has_errors(), "{text}");
    }
}
