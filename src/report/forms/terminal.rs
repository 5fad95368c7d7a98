//! For a terminal.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width, presets};

use crate::report::tally::sum;
use crate::report::{Block, Cell, Chart, Column, Report, Shape, Table};

/// The width where nobody says how wide the terminal is.
pub(super) const WIDTH: u16 = 80;
/// Blocks of the longest bar.
const BAR: u64 = 24;
/// Columns of what stands before it.
const LABEL: usize = 30;
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
        Some(language.of("Findings", "Constats")),
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
            Block::Chart(chart) if chart.shape == Shape::Bars => {
                bars(&mut out, chart, report, width)
            }
            // Its table follows.
            Block::Chart(_) => {}
            Block::Table(table) => rows(&mut out, table, report, width),
        }
    }
    paragraphs(
        &mut out,
        Some(language.of("What not to conclude", "Ce qu’il ne faut pas en conclure")),
        "- ",
        &report.limits,
        width,
    );
    out
}

fn paragraphs(out: &mut String, title: Option<&str>, mark: &str, texts: &[String], width: u16) {
    if texts.is_empty() {
        return;
    }
    match title {
        Some(title) => head(out, title, width),
        None => out.push('\n'),
    }
    for text in texts {
        wrap(out, mark, text, width);
    }
}

/// Words on lines of at most some width; the lines after the first are indented as far as the mark is long.
fn wrap(out: &mut String, mark: &str, text: &str, width: u16) {
    let width = usize::from(width);
    let mut line = mark.to_owned();
    let indent = columns_of(mark);
    let mut used = indent;
    let mut flush = |line: &mut String, used: &mut usize| {
        out.push_str(line.trim_end());
        out.push('\n');
        *line = " ".repeat(indent);
        *used = indent;
    };
    for word in text.split(' ') {
        let own = columns_of(word);
        if used > indent && used + 1 + own > width {
            flush(&mut line, &mut used);
        } else if used > indent {
            line.push(' ');
            used += 1;
        }
        for letter in word.chars() {
            // A word without an end is cut.
            if used + columns_of_letter(letter) > width {
                flush(&mut line, &mut used);
            }
            line.push(letter);
            used += columns_of_letter(letter);
        }
    }
    flush(&mut line, &mut used);
}

/// How many columns a text takes at most: letters of East Asia take two.
fn columns_of(text: &str) -> usize {
    text.chars().map(columns_of_letter).sum()
}

fn columns_of_letter(letter: char) -> usize {
    match letter {
        '\0'..='\u{10ff}' => 1,
        '\u{2000}'..='\u{2bff}' => 1,
        _ => 2,
    }
}

/// A title, and a line below it.
fn head(out: &mut String, title: &str, width: u16) {
    out.push('\n');
    wrap(out, "", title, width);
    let length = columns_of(title).min(usize::from(width));
    out.push_str(&"─".repeat(length));
    out.push('\n');
}

fn rows(out: &mut String, table: &Table, report: &Report, width: u16) {
    let language = report.language;
    head(out, &table.title, width);
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

fn bars(out: &mut String, chart: &Chart, report: &Report, width: u16) {
    let most = chart.points.iter().flat_map(|(_, counts)| counts).max();
    let most = most.copied().unwrap_or(0).max(1);
    head(out, &chart.title, width);
    for (label, counts) in &chart.points {
        let count = sum(counts.iter().copied());
        let length =
            usize::try_from(u128::from(count.min(most)) * u128::from(BAR) / u128::from(most))
                .unwrap_or(0);
        let mut used = 0;
        let label: String = label
            .chars()
            .take_while(|letter| {
                used += columns_of_letter(*letter);
                used <= LABEL
            })
            .collect();
        let label = format!(
            "{label}{}",
            " ".repeat(LABEL.saturating_sub(columns_of(&label)))
        );
        let bar = "█".repeat(length.max(usize::from(count > 0)));
        let number = report.language.number(count);
        out.push_str(&format!(" {label} {bar} {number}\n"));
    }
}
