//! Where the parts of a chart lie. Widths of letters are guessed generously, so that no label leaves its place.

use super::language::Language;
use super::model::{Chart, Shape};
use super::tally::sum;

/// The drawing's width in its own units; on paper one is about a third of a millimetre.
const WIDTH: u32 = 400;
const ROW: u32 = 18;
const LABEL: u32 = 130;
const NUMBER: u32 = 62;
const PLOT_HEIGHT: u32 = 110;
const AXIS: u32 = 46;

/// A drawing.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) boxes: Vec<Rectangle>,
    pub(super) words: Vec<Words>,
    pub(super) lines: Vec<u32>,
    /// Where the lines begin.
    pub(super) left: u32,
}

/// A bar or a part of it, of the series of a number.
#[derive(Debug)]
pub(super) struct Rectangle {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) series: usize,
}

/// Words at a place.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) x: u32,
    pub(super) y: u32,
    /// `start`, `middle` or `end`.
    pub(super) anchor: &'static str,
    pub(super) text: String,
}

impl Drawing {
    /// Draws a chart.
    pub(super) fn of(chart: &Chart, language: Language) -> Self {
        match chart.shape {
            Shape::Bars => Self::bars(chart, language),
            Shape::Columns => Self::columns(chart, language),
        }
    }

    fn bars(chart: &Chart, language: Language) -> Self {
        let mut drawing = Self {
            width: WIDTH,
            height: ROW * size(chart.points.len()) + 4,
            ..Self::default()
        };
        let all = |counts: &[u64]| sum(counts.iter().copied());
        let most = chart.points.iter().map(|(_, counts)| all(counts)).max();
        let most = most.unwrap_or(0);
        for (row, (label, counts)) in chart.points.iter().enumerate() {
            let y = ROW * size(row) + 2;
            drawing.words.push(Words {
                x: LABEL - 6,
                y: y + 11,
                anchor: "end",
                text: fitted(label, LABEL - 8),
            });
            let mut x = LABEL;
            for (series, count) in counts.iter().enumerate() {
                let width = part(*count, most, WIDTH - LABEL - NUMBER);
                drawing.boxes.push(Rectangle {
                    x,
                    y,
                    width,
                    height: ROW - 5,
                    series,
                });
                x += width;
            }
            drawing.words.push(Words {
                x: x + 4,
                y: y + 11,
                anchor: "start",
                text: language.number(all(counts)),
            });
        }
        drawing
    }

    fn columns(chart: &Chart, language: Language) -> Self {
        let most = chart
            .points
            .iter()
            .map(|(_, counts)| sum(counts.iter().copied()));
        let most = round_up(most.max().unwrap_or(0));
        let mut drawing = Self {
            width: WIDTH,
            height: PLOT_HEIGHT + 28,
            left: AXIS,
            ..Self::default()
        };
        for quarter in 0..=2 {
            let y = 8 + PLOT_HEIGHT * quarter / 2;
            drawing.lines.push(y);
            let value = match quarter {
                0 => most,
                1 => most / 2,
                _ => 0,
            };
            drawing.words.push(Words {
                x: AXIS - 4,
                y: y + 3,
                anchor: "end",
                text: language.number(value),
            });
        }
        let count = size(chart.points.len()).max(1);
        let plot = WIDTH - AXIS - 4;
        // A label takes some forty units.
        let each = (count * 42).div_ceil(plot).max(1);
        for (at, (label, counts)) in chart.points.iter().enumerate() {
            let at = size(at);
            let x = AXIS + plot * at / count;
            let next = AXIS + plot * (at + 1) / count;
            let width = (next - x)
                .saturating_sub(if count > 40 { 1 } else { 2 })
                .clamp(1, 40);
            let mut top = 8 + PLOT_HEIGHT;
            for (series, count) in counts.iter().enumerate() {
                let height = part(*count, most, PLOT_HEIGHT).min(top - 8);
                top -= height;
                drawing.boxes.push(Rectangle {
                    x,
                    y: top,
                    width,
                    height,
                    series,
                });
            }
            if at.is_multiple_of(each) && x + 34 <= WIDTH {
                drawing.words.push(Words {
                    x,
                    y: PLOT_HEIGHT + 21,
                    anchor: "start",
                    text: label.clone(),
                });
            }
        }
        drawing
    }
}

fn size(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).min(10_000)
}

/// The length of a part of the most; something is never nothing.
fn part(count: u64, most: u64, length: u32) -> u32 {
    if count == 0 || most == 0 {
        return 0;
    }
    let part = u128::from(count) * u128::from(length) / u128::from(most);
    u32::try_from(part).unwrap_or(length).clamp(1, length)
}

/// The next number of the form 2, 4, 10 times a power of ten, so that its half is a round number.
fn round_up(most: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for step in [2, 4, 10] {
            let round = power.saturating_mul(step);
            if round >= most {
                return round;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// As much of a text as fits into a width.
fn fitted(text: &str, width: u32) -> String {
    let of = |letter: char| match letter {
        'i' | 'j' | 'l' | '.' | ',' | '\'' | '|' => 3,
        '\0'..='\u{2e7f}' if letter.is_uppercase() || matches!(letter, 'm' | 'w' | '@' | '%') => 9,
        '\0'..='\u{2e7f}' => 6,
        _ => 11,
    };
    let whole: u32 = text.chars().map(of).sum();
    if whole <= width {
        return text.to_owned();
    }
    let mut used = 8;
    let kept = text.chars().take_while(|letter| {
        used += of(*letter);
        used <= width
    });
    let mut kept: String = kept.collect();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_lies_within_the_drawing() {
        for (shape, points) in [(Shape::Bars, 10), (Shape::Columns, 1), (Shape::Columns, 60)] {
            let labels = [
                "=cmd|' /C calc'!A0".repeat(20),
                "日本語".repeat(40),
                "a".to_owned(),
            ];
            let chart = Chart {
                key: "c",
                title: "c".to_owned(),
                shape,
                series: vec!["a".to_owned(), "b".to_owned()],
                points: (0..points)
                    .map(|at| {
                        let label = match shape {
                            Shape::Bars => labels[at % 3].clone(),
                            Shape::Columns => "11-28".to_owned(),
                        };
                        (label, vec![u64::MAX / 200 * (at as u64 + 1), 0])
                    })
                    .collect(),
            };
            let drawing = Drawing::of(&chart, Language::French);
            for one in &drawing.boxes {
                assert!(one.x + one.width <= drawing.width, "{one:?}");
                assert!(one.y + one.height <= drawing.height, "{one:?}");
            }
            assert!(
                drawing
                    .words
                    .iter()
                    .all(|one| one.x < drawing.width && one.y < drawing.height)
            );
        }
        assert_eq!(round_up(0), 2);
        assert_eq!(round_up(41), 100);
        assert_eq!(round_up(u64::MAX), u64::MAX);
        assert!(fitted(&"日".repeat(40), 100).chars().count() < 10);
    }
}
