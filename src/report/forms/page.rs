//! One page that needs nothing from elsewhere and prints on A4: no script, no font, no picture but what is drawn in it.

use askama::Template;

use crate::report::chart::Drawing;
use crate::report::{Audience, Block, Cell, Report, Table};

use super::told;

/// Rows of a table that is not parted.
const SHORT: usize = 18;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    means: Vec<Sentence<'a>>,
    findings: Vec<Sentence<'a>>,
    limits: Vec<Sentence<'a>>,
    period: String,
    completeness: String,
    figures: Vec<(&'a str, String)>,
    blocks: Vec<Shown<'a>>,
    words: Words,
}

/// Parts of a text, each with whether it is a word of the command line.
type Sentence<'a> = Vec<(&'a str, bool)>;

/// The words of the page itself.
struct Words {
    period: &'static str,
    complete: &'static str,
    means: &'static str,
    findings: &'static str,
    figures: &'static str,
    limits: &'static str,
    signed: [&'static str; 3],
    sign: &'static str,
}

/// A block as the page shows it; one of both.
struct Shown<'a> {
    chart: Option<Drawn<'a>>,
    table: Option<Grid<'a>>,
}

struct Drawn<'a> {
    key: &'a str,
    title: &'a str,
    series: &'a [String],
    told: String,
    drawing: Drawing,
}

struct Grid<'a> {
    table: &'a Table,
    heads: Vec<Head<'a>>,
    rows: Vec<Vec<Shade<'a>>>,
    more: Option<String>,
    /// Whether it stays on one page.
    is_short: bool,
    /// Whether it is a sheet: headings below each other.
    is_sheet: bool,
    /// Whether it need not be as wide as the page.
    is_narrow: bool,
}

struct Head<'a> {
    title: &'a str,
    is_number: bool,
}

/// A cell, its column, and how it looks.
struct Shade<'a> {
    head: &'a str,
    class: &'static str,
    text: String,
    small: Option<&'a str>,
}

/// A report as a page.
///
/// # Errors
/// If it could not be written into memory.
pub fn page(report: &Report) -> Result<String, askama::Error> {
    let language = report.language;
    let figures = report.figures.iter();
    let page = Page {
        report,
        means: sentences(&report.means),
        findings: sentences(&report.findings),
        limits: sentences(&report.limits),
        period: report.period(),
        completeness: report.completeness(),
        figures: figures
            .map(|figure| (figure.label.as_str(), figure.value.shown(language)))
            .collect(),
        blocks: report.shown().map(|block| shown(block, report)).collect(),
        words: Words {
            period: language.of("Period", "Période"),
            complete: language.of("Completeness", "Complétude"),
            means: language.of("What this report means", "Ce que dit ce rapport"),
            findings: language.of("Findings", "Constats"),
            figures: language.of("Figures", "Chiffres"),
            limits: language.of("What not to conclude", "Ce qu’il ne faut pas en conclure"),
            sign: language.of("Review", "Revue"),
            signed: language.of(
                ["Reviewed by", "Date", "Signature"],
                ["Revu par", "Date", "Signature"],
            ),
        },
    };
    // The template engine drops the newline at the end.
    let mut text = page.render()?;
    text.push('\n');
    Ok(text)
}

fn sentences(texts: &[String]) -> Vec<Sentence<'_>> {
    // Names may hold such marks, too: then they pair up otherwise, which looks odd and does no harm.
    let is_paired = |text: &String| text.matches('`').count().is_multiple_of(2);
    texts
        .iter()
        .map(|text| match is_paired(text) {
            true => text
                .split('`')
                .enumerate()
                .map(|(at, part)| (part, at % 2 == 1))
                .collect(),
            false => vec![(text.as_str(), false)],
        })
        .collect()
}

fn shown<'a>(block: &'a Block, report: &'a Report) -> Shown<'a> {
    let language = report.language;
    match block {
        Block::Chart(chart) => Shown {
            table: None,
            chart: Some(Drawn {
                key: chart.key,
                title: &chart.title,
                series: if chart.series.len() > 1 {
                    &chart.series
                } else {
                    &[]
                },
                told: told(chart, language),
                drawing: Drawing::of(chart, language),
            }),
        },
        Block::Table(table) => Shown {
            chart: None,
            table: Some(grid(table, report)),
        },
    }
}

fn grid<'a>(table: &'a Table, report: &'a Report) -> Grid<'a> {
    let language = report.language;
    let columns = || table.columns.iter().filter(|column| !column.is_detail);
    let rows = table.rows.iter().take(table.shown).map(|row| {
        let cells = table.columns.iter().zip(row);
        cells
            .filter(|(column, _)| !column.is_detail)
            .map(|(column, cell)| Shade {
                head: &column.title,
                class: class(cell),
                text: match cell {
                    Cell::Category(name) => language
                        .category(name)
                        .map_or_else(|| name.clone(), str::to_owned),
                    cell => cell.shown(language),
                },
                small: match cell {
                    Cell::Category(name) => language.category(name).map(|_| name.as_str()),
                    _ => None,
                },
            })
            .collect()
    });
    Grid {
        table,
        heads: columns()
            .map(|column| Head {
                title: &column.title,
                is_number: column.is_number,
            })
            .collect(),
        rows: rows.collect(),
        more: table.more(language),
        is_sheet: table.audience == Audience::People,
        is_short: table.rows.len() <= SHORT,
        is_narrow: columns().count() <= 4 && columns().skip(1).all(|column| column.is_number),
    }
}

fn class(cell: &Cell) -> &'static str {
    match cell {
        Cell::AtLeast(_) | Cell::Number(_) | Cell::Tenths(_) => "number",
        Cell::Blank => "blank",
        Cell::FillIn(_) => "fill",
        Cell::Day(_) | Cell::Time(_) => "time",
        Cell::Level(level) => level.as_str(),
        Cell::Category(_) | Cell::Name(_) | Cell::Names(_) => "name",
        Cell::Text(_) => "text",
    }
}
