//! For a terminal.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width, presets};

use crate::report::{Block, Cell, Chart, Column, Report, Shape, Table};

/// The width where nobody says how wide the terminal is.
pub(super) const WIDTH: u16 = 80;
/// Blocks of the longest bar.
const BAR: u64 = 24;
/// Characters of a cell; scripts get all.
const CELL_CHARS_MAX: usize = 120;
/// Columns of a time: its day stays in one piece.
const DAY: u16 = 12;
/// Columns of a category.
const CATEGORY: u16 = 18;

/// A report as text of at most some width (80 columns by default).
pub fn terminal(report: &Report, width: Option<u16>) -> String {
    let language = report.language;
    let width = width.unwrap_or(WIDTH).max(40);
    let mut out = String::new();
    let title = match &report.about {
        Some(about) => format!("{}{} {about}", report.title, language.of(":", " :")),
        None => report.title.clone(),
    };
    wrap(&mut out, "", &title, width);
    wrap(&mut out, "", &report.period(), width);
    wrap(&mut out, "", &report.completeness(), width);
    paragraphs(&mut out, None, "", &report.means, width);
    paragraphs(
        &mut out,
        Some(language.of("FINDINGS", "CONSTATS")),
        "! ",
        &report.findings,
        width,
    );
    if !report.figures.is_empty() {
        out.push('\n');
        let cells = report.figures.iter();
        let cells = cells.map(|one| (one.label.clone(), one.value.shown(language)));
        let rows = cells.map(|(label, value)| vec![label, value]);
        let columns = [Column::new("", ""), Column::number("", "")];
        grid(&mut out, &columns, rows, (width, Vec::new()));
    }
    for block in report.shown() {
        match block {
            Block::Chart(chart) if chart.shape == Shape::Bars => bars(&mut out, chart, report),
            // Its table follows.
            Block::Chart(_) => {}
            Block::Table(table) => rows(&mut out, table, report, width),
        }
    }
    paragraphs(
        &mut out,
        Some(language.of("WHAT NOT TO CONCLUDE", "CE QU’IL NE FAUT PAS EN CONCLURE")),
        "- ",
        &report.limits,
        width,
    );
    out
}

fn paragraphs(out: &mut String, head: Option<&str>, mark: &str, texts: &[String], width: u16) {
    if texts.is_empty() {
        return;
    }
    out.push('\n');
    if let Some(head) = head {
        out.push_str(head);
        out.push('\n');
    }
    for text in texts {
        wrap(out, mark, text, width);
    }
}

/// Words on lines of at most some width; the lines after the first are indented as far as the mark is long.
fn wrap(out: &mut String, mark: &str, text: &str, width: u16) {
    let width = usize::from(width);
    let indent = mark.chars().count();
    let mut line = mark.to_owned();
    let mut used = indent;
    for word in text.split(' ') {
        let mut letters: Vec<char> = word.chars().collect();
        if used > indent && used + 1 + letters.len() > width {
            flush(out, &mut line, &mut used, indent);
        } else if used > indent {
            line.push(' ');
            used += 1;
        }
        // A word without an end is cut.
        while used + letters.len() > width {
            line.extend(letters.drain(..width - used));
            flush(out, &mut line, &mut used, indent);
        }
        used += letters.len();
        line.extend(letters);
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

fn flush(out: &mut String, line: &mut String, used: &mut usize, indent: usize) {
    out.push_str(line.trim_end());
    out.push('\n');
    *line = " ".repeat(indent);
    *used = indent;
}

fn rows(out: &mut String, table: &Table, report: &Report, width: u16) {
    let language = report.language;
    out.push('\n');
    out.push_str(&table.title.to_uppercase());
    out.push('\n');
    if let Some(note) = &table.note {
        wrap(out, "", note, width);
    }
    if table.rows.is_empty() {
        wrap(out, "", &table.none, width);
        return;
    }
    let columns: Vec<Column> = shown(table, &table.columns).cloned().collect();
    let texts = table.rows.iter().take(table.shown).map(|row| {
        let cells = shown(table, row);
        cells.map(|cell: &Cell| cut(cell.shown(language))).collect()
    });
    let first = table
        .rows
        .first()
        .map(|row| shown(table, row).map(least).collect());
    grid(out, &columns, texts, (width, first.unwrap_or_default()));
    if let Some(more) = table.more(language) {
        wrap(out, "", &more, width);
    }
}

/// How wide a column of such cells is at least.
fn least(cell: &Cell) -> Option<u16> {
    match cell {
        Cell::Day(_) | Cell::Time(_) => Some(DAY),
        Cell::Category(_) => Some(CATEGORY),
        _ => None,
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(CELL_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What people are shown of a row.
fn shown<'a, T>(table: &'a Table, row: &'a [T]) -> impl Iterator<Item = &'a T> {
    let cells = table.columns.iter().zip(row);
    cells
        .filter(|(column, _)| !column.is_detail)
        .map(|(_, cell)| cell)
}

fn grid(
    out: &mut String,
    columns: &[Column],
    rows: impl Iterator<Item = Vec<String>>,
    (width, least): (u16, Vec<Option<u16>>),
) {
    let mut grid = comfy_table::Table::new();
    grid.load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    if columns.iter().any(|column| !column.title.is_empty()) {
        grid.set_header(columns.iter().map(|column| column.title.clone()));
    }
    for row in rows {
        grid.add_row(row);
    }
    for (at, column) in columns.iter().enumerate() {
        if let Some(own) = grid.column_mut(at)
            && column.is_number
        {
            own.set_cell_alignment(CellAlignment::Right);
        }
    }
    // Where there is room for what stays in one piece.
    let all: u16 = least.iter().flatten().sum();
    for (at, least) in least.into_iter().enumerate().filter(|_| all <= width / 2) {
        if let (Some(least), Some(own)) = (least, grid.column_mut(at)) {
            own.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }
    for line in grid.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn bars(out: &mut String, chart: &Chart, report: &Report) {
    let most = chart.points.iter().flat_map(|(_, counts)| counts).max();
    let most = most.copied().unwrap_or(0).max(1);
    out.push('\n');
    out.push_str(&chart.title.to_uppercase());
    out.push('\n');
    for (label, counts) in &chart.points {
        let count = counts.iter().sum::<u64>();
        let length = usize::try_from(count.min(most) * BAR / most).unwrap_or(0);
        let label: String = label.chars().take(30).collect();
        let bar = "█".repeat(length.max(usize::from(count > 0)));
        let number = report.language.number(count);
        out.push_str(&format!(" {label:30} {bar} {number}\n"));
    }
}
