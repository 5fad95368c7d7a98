//! The house keeps its order without anybody's memory.

use std::fs;
use std::path::{Path, PathBuf};

use paravent::reason::Reason;

mod order;
mod source;
mod words;

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Whether a file of `src` holds nothing but tests, and what only they use.
fn is_of_tests(within: &Path) -> bool {
    let names = ["tests", "tests.rs", "testing", "testing.rs"];
    let is_test = |part: &std::ffi::OsStr| names.iter().any(|name| part == *name);
    within.iter().any(is_test)
}

#[test]
fn files_stay_short_and_names_say_something() {
    let banned = [
        "util", "common", "misc", "helper", "manager", "handler", "data", "info", "process",
    ];
    for path in sources(&root().join("src")) {
        // Tests may be long: they are read one at a time.
        let is_test =
            |part: &std::ffi::OsStr| ["tests", "tests.rs"].iter().any(|name| part == *name);
        let text = if path.iter().any(is_test) {
            String::new()
        } else {
            fs::read_to_string(&path).unwrap()
        };
        let code = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap()
            .lines()
            .count();
        assert!(
            code <= 600,
            "{} has {code} lines; one idea a file",
            path.display()
        );
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            !banned
                .iter()
                .any(|word| stem.split('_').any(|part| part == *word)),
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_glossary_explains_every_noun() {
    let glossary = fs::read_to_string(root().join("docs/glossary.md"))
        .unwrap()
        .to_lowercase();
    let vocabulary = fs::read_to_string(root().join("src/vocabulary.rs")).unwrap();
    let nouns = vocabulary.lines().filter_map(|line| {
        let rest = line
            .strip_prefix("pub struct ")
            .or_else(|| line.strip_prefix("pub enum "))?;
        Some(
            rest.split(|c: char| !c.is_alphanumeric())
                .next()?
                .to_owned(),
        )
    });
    for noun in nouns {
        let spaced = noun.chars().fold(String::new(), |text, c| {
            if c.is_uppercase() {
                format!("{text} {c}")
            } else {
                format!("{text}{c}")
            }
        });
        let spaced = spaced.trim().to_lowercase();
        assert!(
            glossary.contains(&spaced) || glossary.contains(&noun.to_lowercase()),
            "docs/glossary.md does not explain `{noun}`"
        );
    }
}

#[test]
fn the_documents_name_every_reason_to_refuse() {
    let text = fs::read_to_string(root().join("docs/refusals.md")).unwrap();
    for reason in Reason::ALL {
        let row = format!(
            "| {} | `{}` | {} |",
            reason.status(),
            reason.code(),
            reason.text()
        );
        assert!(
            text.contains(&row),
            "docs/refusals.md lacks this row:\n{row}"
        );
    }
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| 4") || line.starts_with("| 5"))
        .count();
    assert_eq!(
        rows,
        Reason::ALL.len(),
        "docs/refusals.md has rows for reasons that no longer exist"
    );
}

#[test]
fn every_class_of_leak_names_tests_that_exist() {
    let text = fs::read_to_string(root().join("docs/how-others-leaked.md")).unwrap();
    let mut code = String::new();
    for folder in ["src", "tests"] {
        for path in sources(&root().join(folder)) {
            code.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    let closed = text.split("\n## Out of scope").next().unwrap();
    let mut rows = 0;
    for row in closed.lines().filter(|line| line.starts_with("| ")) {
        let columns: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [_, _, _, tests] = columns.as_slice() else {
            panic!("not four columns: {row}")
        };
        if tests.trim() == "tests" {
            continue;
        }
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test: {row}");
        for name in names {
            assert!(
                code.contains(&format!("fn {name}(")),
                "docs/how-others-leaked.md names a test that does not exist: {name}"
            );
        }
        rows += 1;
    }
    assert!(rows > 50, "{rows}");
}

#[test]
fn what_is_only_supposed_is_supposed_in_the_workbench_alone() {
    let src = root().join("src");
    // Who asks, what persons have said, a CRM in this process, a log that keeps nothing.
    let supposed = [
        "Supposed",
        "supposing",
        "Standings::pretended",
        "Transport::within",
        "Log::nowhere",
    ];
    let made_in = ["identity/caller.rs", "identity/mod.rs", "identity/ways.rs"];
    let mut found = Vec::new();
    for path in sources(&src) {
        let within = path.strip_prefix(&src).unwrap();
        let is_allowed =
            within.starts_with("workbench") || made_in.iter().any(|file| within == Path::new(file));
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for word in supposed.iter().filter(|word| code.contains(**word)) {
            match is_allowed {
                true => found.push(*word),
                false => panic!("{} says `{word}`", path.display()),
            }
        }
    }
    assert!(
        supposed.iter().all(|word| found.contains(word)),
        "{found:?}"
    );
}
