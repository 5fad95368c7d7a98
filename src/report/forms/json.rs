//! For scripts: keys and words of the log are the same in each language.

use serde_json::{Map, Value, json};

use crate::report::{Cell, Report, Table};

/// A report as JSON.
pub fn json(report: &Report) -> Value {
    let [since, until] = &report.asked;
    let counted = report.counted.as_ref();
    let figures: Map<String, Value> = report
        .figures
        .iter()
        .map(|figure| (figure.key.to_owned(), value(&figure.value)))
        .collect();
    let mut tables = Map::new();
    for table in report.tables() {
        tables.insert(table.key.to_string(), rows(table));
    }
    let (seq, time) = &report.complete;
    json!({
        "report": report.name,
        "language": report.language.code(),
        "title": report.title,
        "about": report.about,
        "period": {
            "since": since,
            "until": until,
            "first": counted.map(|[first, _]| first),
            "last": counted.map(|[_, last]| last),
        },
        "complete_up_to": { "seq": seq, "time": time },
        "means": report.means,
        "does_not_mean": report.limits,
        "findings": report.findings,
        "figures": figures,
        "tables": tables,
    })
}

fn rows(table: &Table) -> Value {
    let rows = table.rows.iter().map(|row| {
        let cells = table.columns.iter().zip(row);
        let cells = cells.map(|(column, cell)| (column.key.to_owned(), value(cell)));
        Value::Object(cells.collect())
    });
    let rows: Vec<Value> = rows.collect();
    json!({ "title": table.title, "note": table.note, "rows": rows })
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::AtLeast(number) => json!({ "at_least": number }),
        Cell::Blank | Cell::FillIn(_) => Value::Null,
        Cell::Names(names) => json!(names),
        Cell::Number(number) => json!(number),
        // Neither is a number of a counter: what a quotient is, is a text with a point.
        Cell::Tenths(_)
        | Cell::Category(_)
        | Cell::Day(_)
        | Cell::Level(_)
        | Cell::Name(_)
        | Cell::Text(_)
        | Cell::Time(_) => json!(cell.plain()),
    }
}
