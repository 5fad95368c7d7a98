//! The matrix as one page: no script, nothing from elsewhere, no date but what the policy's hash stands for. The same policy makes
//! the same page.

use std::fmt::Write as _;

use crate::policy::Writable;
use crate::vocabulary::Level;

use super::{Filled, Matrix};

/// Columns of one table: as many as fit the width of an A4 page on its side.
const COLUMNS_MAX: usize = 9;

const STYLE: &str = "\
@page { size: A4 landscape; margin: 12mm; }
body { font: 10pt/1.35 system-ui, sans-serif; color: #111; margin: 2em; }
h1 { font-size: 16pt; margin: 0; }
code { font-size: 8pt; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; margin: 1em 0; }
caption { text-align: left; font-weight: bold; padding: .3em 0; }
th, td { border: 1px solid #999; padding: .2em .4em; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th[scope=row] { width: 22%; font-weight: normal; }
th small { display: block; font-weight: normal; }
.hide, .redact { color: #555; }
.token, .mask { background: #f3ead2; }
.clear { background: #d9ead9; font-weight: bold; }
@media print { body { margin: 0; } section + section { break-before: page; } td, th { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
";

pub(super) fn page(matrix: &Matrix) -> String {
    let words = matrix.words;
    let mut text = String::new();
    let _ = write!(
        text,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{}: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{}</h1>\n<p>{} <strong>{}</strong> <code>{}</code></p>\n",
        words.code,
        escaped(words.title),
        escaped(&matrix.policy),
        escaped(words.title),
        escaped(words.policy),
        escaped(&matrix.policy),
        escaped(&matrix.hash),
    );
    if let Some(module) = &matrix.module {
        let _ = writeln!(
            text,
            "<p>{} <strong>{}</strong></p>",
            escaped(words.module),
            escaped(module.as_str())
        );
    }
    text.push_str("</header>\n");
    let told = matrix.told();
    let parts = told.chunks(COLUMNS_MAX).count();
    for (part, columns) in told.chunks(COLUMNS_MAX).enumerate() {
        let columns: Vec<&Filled> = columns.iter().map(|(column, _)| *column).collect();
        table(&mut text, matrix, &columns, (part + 1, parts));
    }
    legend(&mut text, matrix);
    text.push_str("</body>\n</html>\n");
    text
}

fn table(text: &mut String, matrix: &Matrix, columns: &[&Filled], (part, parts): (usize, usize)) {
    let words = matrix.words;
    text.push_str("<section>\n<table>\n");
    if parts > 1 {
        let _ = writeln!(
            text,
            "<caption>{} {part}/{parts}</caption>",
            escaped(words.part)
        );
    }
    let first = match &matrix.module {
        Some(_) => words.field,
        None => words.category,
    };
    let _ = write!(
        text,
        "<thead>\n<tr><th scope=\"col\">{}<small>{} / {}</small></th>",
        escaped(first),
        escaped(words.role),
        escaped(words.purpose)
    );
    for column in columns {
        let purpose = column.purpose_label.as_ref().unwrap_or(&column.purpose);
        let _ = write!(
            text,
            "<th scope=\"col\">{}<small>{}</small>",
            escaped(&column.role),
            escaped(purpose)
        );
        if let Some(strength) = &column.strength {
            let _ = write!(
                text,
                "<small>+ {} {}</small>",
                escaped(words.with),
                escaped(strength)
            );
        }
        text.push_str("</th>");
    }
    text.push_str("</tr>\n</thead>\n<tbody>\n");
    for (at, (row, label)) in matrix.rows.iter().zip(&matrix.labels).enumerate() {
        let name = escaped(&row.name);
        let head = match (label, row.category().filter(|_| matrix.module.is_some())) {
            (Some(label), _) => format!("{}<small>{name}</small>", escaped(label)),
            (None, Some(category)) => format!("{name}<small>{}</small>", escaped(&category)),
            (None, None) => name,
        };
        let _ = write!(text, "<tr><th scope=\"row\">{head}</th>");
        for cell in columns.iter().filter_map(|column| column.cells.get(at)) {
            let mark = match cell.writable {
                Writable::No => "",
                Writable::Yes | Writable::Valid(_) => " ✎",
            };
            let _ = write!(
                text,
                "<td class=\"{}\">{}{mark}</td>",
                cell.level.as_str(),
                escaped(&matrix.cell(cell))
            );
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table>\n</section>\n");
}

fn legend(text: &mut String, matrix: &Matrix) {
    let words = matrix.words;
    let _ = writeln!(text, "<footer>\n<h2>{}</h2>\n<dl>", escaped(words.legend));
    for (level, meaning) in Level::ALL.iter().zip(words.meanings) {
        let _ = writeln!(
            text,
            "<dt class=\"{}\">{}</dt><dd>{}</dd>",
            level.as_str(),
            escaped(words.level(*level)),
            escaped(meaning)
        );
    }
    let _ = writeln!(text, "<dt>✎</dt><dd>{}</dd>", escaped(words.written));
    text.push_str("</dl>\n");
    let notes = matrix.notes();
    if !notes.is_empty() {
        text.push_str("<ul>\n");
        for note in notes {
            let _ = writeln!(text, "<li>{}</li>", escaped(&note));
        }
        text.push_str("</ul>\n");
    }
    let _ = writeln!(
        text,
        "<p>{}: {}</p>\n</footer>",
        escaped(words.unclassified),
        escaped(words.level(matrix.unclassified))
    );
}

/// A text as HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
