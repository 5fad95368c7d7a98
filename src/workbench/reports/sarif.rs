//! SARIF 2.1.0 (OASIS), for code scanning.

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Checked, Rule};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};

/// What a segment of a path holds as it is (RFC 3986, `unreserved`).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What relative paths are relative to.
const ROOT: &str = "%SRCROOT%";

/// A log of one run.
pub fn sarif(found: &Diagnostics, checked: &Checked<'_>) -> Value {
    let mut codes: Vec<&str> = found.iter().map(|problem| problem.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code)).collect();
    let results: Vec<Value> = found
        .iter()
        .map(|problem| result(problem, &codes, checked))
        .collect();
    let mut invocation = json!({ "executionSuccessful": true });
    if found.omitted() > 0 {
        let text = format!("{} more problems are left out", found.omitted());
        invocation["toolExecutionNotifications"] =
            json!([{ "level": "warning", "message": { "text": text } }]);
    }
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Paravent",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation],
            "results": results,
        }],
    })
}

fn rule(code: &str) -> Value {
    let mut rule = json!({ "id": code });
    let Some(known) = Rule::of(code) else {
        return rule;
    };
    let place = known.place();
    rule["shortDescription"] = json!({ "text": known.meaning });
    rule["help"] = json!({ "text": format!("Explained in {place}.") });
    if let Some(link) = known.link(env!("CARGO_PKG_REPOSITORY")) {
        rule["helpUri"] = link.into();
    }
    rule
}

fn result(problem: &Diagnostic, codes: &[&str], checked: &Checked<'_>) -> Value {
    let location = match &problem.place {
        Some(place) => located(place, checked),
        None => {
            json!({ "physicalLocation": { "artifactLocation": artifact(checked.subject, checked) } })
        }
    };
    let mut result = json!({
        "ruleId": problem.code,
        "level": problem.severity.as_str(),
        "message": { "text": message(problem) },
        "locations": [location],
    });
    if let Ok(index) = codes.binary_search(&problem.code) {
        result["ruleIndex"] = index.into();
    }
    let second = problem
        .second
        .iter()
        .map(|(place, label)| (place, label.as_str()));
    let more = problem.more.iter().map(|place| (place, "also here"));
    let related = second
        .chain(more)
        .enumerate()
        .map(|(number, (place, label))| {
            let mut location = located(place, checked);
            location["id"] = number.into();
            location["message"] = json!({ "text": label });
            location
        });
    let related: Vec<Value> = related.collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    result
}

/// What is wrong, what to see there, how to repair it.
pub(super) fn message(problem: &Diagnostic) -> String {
    let mut text = problem.title.clone();
    if !problem.label.is_empty() {
        text.push_str(&format!(": {}", problem.label));
    }
    if let Some(help) = &problem.help {
        text.push_str(&format!("\nhelp: {help}"));
    }
    text
}

fn located(place: &Place, checked: &Checked<'_>) -> Value {
    let (line, column) = place.file.position(place.span.start);
    let (end_line, end_column) = place.file.position(place.span.end);
    json!({ "physicalLocation": {
        "artifactLocation": artifact(Path::new(place.file.path()), checked),
        "region": {
            "startLine": line,
            "startColumn": column,
            "endLine": end_line,
            "endColumn": end_column,
        },
    } })
}

/// Where a file lies: relative to the folder in which the program runs, or else by its whole path.
fn artifact(path: &Path, checked: &Checked<'_>) -> Value {
    let path = checked.relative(path);
    let parts = path.iter().map(|part| part.to_string_lossy().into_owned());
    let is_whole = path.is_absolute();
    let parts: Vec<String> = parts
        .filter(|part| part != "/")
        .map(|part| utf8_percent_encode(&part, KEPT).to_string())
        .collect();
    let uri = parts.join("/");
    match is_whole {
        true => json!({ "uri": format!("file:///{uri}") }),
        false => json!({ "uri": uri, "uriBaseId": ROOT }),
    }
}
