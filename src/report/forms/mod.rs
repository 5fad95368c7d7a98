//! The forms in which a report is printed.

use super::tally::sum;

mod csv;
mod json;
mod page;
mod terminal;

pub use self::csv::{NoSuchTable, csv};
pub use json::json;
pub use page::page;
pub use terminal::terminal;

/// What people are told of a chart in words.
fn told(chart: &super::Chart, language: super::Language) -> String {
    let greatest = chart
        .points
        .iter()
        .max_by_key(|(_, counts)| sum(counts.iter().copied()));
    let Some((label, counts)) = greatest else {
        return String::new();
    };
    let (points, most) = (
        chart.points.len(),
        language.number(sum(counts.iter().copied())),
    );
    language.of(
        format!("{points} values; the greatest is {most} ({label}). The table has all of them."),
        format!(
            "{points} valeurs ; la plus grande est {most} ({label}). Le tableau les donne toutes."
        ),
    )
}
