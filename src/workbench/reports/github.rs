//! Commands of a workflow on GitHub: each problem becomes an annotation of its line.

use std::path::Path;

use annotate_snippets::normalize_untrusted_str;

use super::{Checked, sarif::message};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};

/// One command a line.
pub fn github(found: &Diagnostics, checked: &Checked<'_>) -> String {
    let mut text = String::new();
    for problem in found.iter() {
        text.push_str(&command(problem, checked));
        text.push('\n');
    }
    if found.omitted() > 0 {
        let more = format!("and {} more problems", found.omitted());
        text.push_str(&format!("::warning::{more}\n"));
    }
    text
}

fn command(problem: &Diagnostic, checked: &Checked<'_>) -> String {
    let word = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let path = problem.place.as_ref();
    let path = path.map_or(checked.subject, |place| Path::new(place.file.path()));
    let path = checked.relative(path);
    let mut properties = format!("file={}", property(&path.to_string_lossy()));
    if let Some(place) = &problem.place {
        let (line, column) = place.file.position(place.span.start);
        let (end_line, end_column) = place.file.position(place.span.end);
        properties.push_str(&format!(",line={line},endLine={end_line}"));
        // Columns are told of one line only.
        if line == end_line {
            properties.push_str(&format!(",col={column},endColumn={end_column}"));
        }
    }
    let title = normalize_untrusted_str(&problem.title);
    let title = format!("{} {title}", problem.code);
    format!(
        "::{word} {properties},title={}::{}",
        property(&title),
        content(&message(problem))
    )
}

/// What stands behind the last `::`: words for people, with nothing in them that a terminal would obey.
fn content(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(normalize_untrusted_str).collect();
    escaped(&lines.join("\n"))
}

/// What stands behind the `=` of a property.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// A text on one line.
fn escaped(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}
