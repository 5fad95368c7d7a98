//! What other programs are told of problems.

use std::path::Path;

use serde_json::{Value, json};

use super::{Checked, github, rules, sarif};
use crate::diagnostic::{DIAGNOSTICS_MAX, Diagnostic, Diagnostics, File, Place};

fn here() -> Checked<'static> {
    Checked {
        subject: Path::new("policies"),
        folder: Path::new("/srv/crm"),
    }
}

fn place(path: &str, text: &str, word: &str) -> Place {
    let start = text.find(word).unwrap();
    Place {
        file: File::new(path, text),
        span: start..start + word.len(),
    }
}

fn one(problem: Diagnostic) -> Diagnostics {
    let mut found = Diagnostics::new();
    found.push(problem);
    found
}

const TEXT: &str =
    "grants:\n  - { name: é, data: financial.ibn }\n  - { name: b, data: financial.ibn }\n";

fn unknown(path: &str) -> Diagnostic {
    let mut problem = Diagnostic::error("P014", "unknown data category `financial.ibn`")
        .at(&place(path, TEXT, "financial.ibn"), "not in the catalogue")
        .help("did you mean `financial.iban`?");
    problem.more.push(place(path, TEXT, "ibn }\n  - { name: b"));
    problem
}

#[test]
fn sarif_says_what_where_and_how_to_repair_it() {
    let log = sarif(&one(unknown("policies/a b%.yaml")), &here());
    let run = &log["runs"][0];
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rule = &run["tool"]["driver"]["rules"][0];
    assert_eq!(rule["id"], "P014");
    assert_eq!(
        rule["shortDescription"]["text"],
        "a data category that is neither built in nor defined"
    );
    let result = &run["results"][0];
    assert_eq!(result["ruleId"], "P014");
    assert_eq!(result["ruleIndex"], 0);
    assert_eq!(result["level"], "error");
    assert_eq!(
        result["message"]["text"],
        "unknown data category `financial.ibn`: not in the catalogue\nhelp: did you mean `financial.iban`?"
    );
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        location["artifactLocation"],
        json!({ "uri": "policies/a%20b%25.yaml", "uriBaseId": "%SRCROOT%" })
    );
    // Characters, not bytes: the name before is one of two bytes.
    assert_eq!(
        location["region"],
        json!({ "startLine": 2, "startColumn": 22, "endLine": 2, "endColumn": 35 })
    );
    assert_eq!(result["relatedLocations"].as_array().unwrap().len(), 1);
}

#[test]
fn paths_are_told_from_the_folder_or_whole() {
    for (path, uri) in [
        ("policies/a.yaml", "policies/a.yaml"),
        ("./policies/../b.yaml", "b.yaml"),
        ("/srv/crm/policies/a.yaml", "policies/a.yaml"),
        ("../other/a.yaml", "file:///srv/other/a.yaml"),
        ("/etc/paravent/é.yaml", "file:///etc/paravent/%C3%A9.yaml"),
    ] {
        let log = sarif(&one(unknown(path)), &here());
        let location = &log["runs"][0]["results"][0]["locations"][0];
        let artifact = &location["physicalLocation"]["artifactLocation"];
        assert_eq!(artifact["uri"], uri);
        assert_eq!(
            artifact.get("uriBaseId").is_some(),
            !uri.starts_with("file:")
        );
    }
}

#[test]
fn a_problem_without_a_place_stands_at_what_was_checked() {
    let found = one(Diagnostic::warning(
        "P006",
        "a policy folder holds no policy",
    ));
    let log = sarif(&found, &here());
    let location = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "policies");
    assert_eq!(location.get("region"), None);
    assert_eq!(
        github(&found, &here()),
        "::warning file=policies,title=P006 a policy folder holds no policy::a policy folder holds no policy\n"
    );
}

#[test]
fn a_command_stays_on_its_line_and_within_its_properties() {
    let text = "x: 1\n";
    let problem = Diagnostic::note("W118", "100% of `a`, `b`: shown\r\n::error::planted")
        .at(
            &place("p,q:r.yaml", text, "x"),
            "\u{1b}[31mhere\n::stop-commands::x",
        )
        .help("look");
    assert_eq!(
        github(&one(problem), &here()),
        "::notice file=p%2Cq%3Ar.yaml,line=1,endLine=1,col=1,endColumn=2,\
         title=W118 100%25 of `a`%2C `b`%3A shown␍%0A%3A%3Aerror%3A%3Aplanted::\
         100%25 of `a`, `b`: shown␍%0A::error::planted: ␛[31mhere%0A::stop-commands::x%0Ahelp: look\n"
    );
}

#[test]
fn what_is_left_out_is_told() {
    let mut found = Diagnostics::new();
    for _ in 0..DIAGNOSTICS_MAX + 3 {
        found.push(unknown("a.yaml"));
    }
    let log = sarif(&found, &here());
    let told = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(told["message"]["text"], "3 more problems are left out");
    assert!(github(&found, &here()).ends_with("::warning::and 3 more problems\n"));
}

/// The section of a page under a heading that is linked to so.
fn section<'a>(text: &'a str, anchor: &str) -> &'a str {
    let slug = |line: &str| -> String {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().replace(' ', "-")
    };
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('#') && slug(line) == anchor {
            let depth = line.bytes().take_while(|b| *b == b'#').count();
            let rest = &text[offset + line.len()..];
            let ends = |(at, _): &(usize, &str)| {
                let hashes = rest[at + 1..].bytes().take_while(|b| *b == b'#').count();
                (1..=depth).contains(&hashes)
            };
            let end = rest.match_indices("\n#").find(ends);
            return &rest[..end.map_or(rest.len(), |(at, _)| at)];
        }
        offset += line.len();
    }
    panic!("no heading `{anchor}`");
}

#[test]
fn every_rule_is_explained_where_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = rules();
    assert!(all.len() > 130, "{}", all.len());
    for pair in all.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} twice", pair[1].code);
    }
    for rule in all {
        let text = std::fs::read_to_string(root.join(rule.page)).unwrap();
        let row = format!("| {} | {}", rule.code, rule.meaning);
        let place = rule.place();
        assert!(
            section(&text, rule.section).contains(&row),
            "{place} lacks `{row}`"
        );
        assert_eq!(
            rule.link("https://example.com/paravent/").unwrap(),
            format!("https://example.com/paravent/blob/main/{place}")
        );
        assert_eq!(rule.link(""), None);
    }
}

#[test]
fn every_code_in_the_sources_is_a_rule() {
    let codes: Vec<&str> = rules().iter().map(|rule| rule.code).collect();
    let mut seen = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                folders.push(path);
                continue;
            }
            if name == "tests.rs" || !name.ends_with(".rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for made in ["error(", "warning(", "note(", "error_to_be("] {
                for rest in code.split(made).skip(1) {
                    let Some(literal) = rest.trim_start().strip_prefix('"') else {
                        continue;
                    };
                    let literal = literal.split('"').next().unwrap();
                    let is_code =
                        literal.len() == 4 && literal[1..].bytes().all(|b| b.is_ascii_digit());
                    if is_code {
                        assert!(codes.contains(&literal), "{}: {literal}", path.display());
                        seen += 1;
                    }
                }
            }
        }
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn a_log_without_problems_is_a_log() {
    let log = sarif(&Diagnostics::new(), &here());
    assert_eq!(log["runs"][0]["results"], json!([]));
    assert_eq!(log["runs"][0]["tool"]["driver"]["rules"], json!([]));
    assert_eq!(
        log["runs"][0]["invocations"][0]["executionSuccessful"],
        Value::Bool(true)
    );
    assert_eq!(github(&Diagnostics::new(), &here()), "");
}
