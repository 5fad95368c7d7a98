//! Counts by day, drawn by day, week or month.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::language::{Language, day};
use super::model::{Cell, Chart, Column, Shape, Table};
use super::tally::Amount;

/// Days that are counted each by itself: a hundred years. A log whose times somebody made up may hold more.
const DAYS_MAX: usize = 36_525;
/// Up to so many days, a column is a day; up to so many, a week; else a month.
const OF_DAYS: i32 = 45;
const OF_WEEKS: i32 = 400;
/// Columns of a chart; if there are more, only the last are drawn.
const COLUMNS_MAX: usize = 60;

/// Counts by day.
#[derive(Debug)]
pub(super) struct Timeline {
    days: BTreeMap<Date, Vec<Amount>>,
    series: usize,
}

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Day,
    Week,
    Month,
}

impl Timeline {
    /// With so many numbers a day.
    pub(super) fn new(series: usize) -> Self {
        Self {
            days: BTreeMap::new(),
            series,
        }
    }

    /// Counts something at a time.
    pub(super) fn add(&mut self, time: &str, series: usize, count: u64) {
        self.add_amount(time, series, Amount::exactly(count));
    }

    /// Counts what may be more than is known.
    pub(super) fn add_amount(&mut self, time: &str, series: usize, count: Amount) {
        let Some(day) = day(time) else {
            return;
        };
        if self.days.len() >= DAYS_MAX && !self.days.contains_key(&day) {
            return;
        }
        let counts = self.days.entry(day);
        let counts = counts.or_insert_with(|| vec![Amount::default(); self.series]);
        if let Some(one) = counts.get_mut(series) {
            one.add(count);
        }
    }

    fn step(&self) -> Option<Step> {
        let (first, last) = (self.days.keys().next()?, self.days.keys().next_back()?);
        let days = first.until(*last).ok()?.get_days();
        Some(match days {
            days if days < OF_DAYS => Step::Day,
            days if days < OF_WEEKS => Step::Week,
            _ => Step::Month,
        })
    }

    /// By step, without holes.
    fn steps(&self) -> Option<(Step, BTreeMap<Date, Vec<Amount>>)> {
        let step = self.step()?;
        let mut steps: BTreeMap<Date, Vec<Amount>> = BTreeMap::new();
        for (day, counts) in &self.days {
            let sums = steps.entry(step.begin(*day));
            let sums = sums.or_insert_with(|| vec![Amount::default(); self.series]);
            for (sum, count) in sums.iter_mut().zip(counts) {
                sum.add(*count);
            }
        }
        let (mut at, last) = (*steps.keys().next()?, *steps.keys().next_back()?);
        while at < last && steps.len() <= 10 * COLUMNS_MAX {
            steps
                .entry(at)
                .or_insert_with(|| vec![Amount::default(); self.series]);
            at = step.next(at)?;
        }
        Some((step, steps))
    }

    /// As a chart and a table; none without counts.
    pub(super) fn shown(
        &self,
        key: &'static str,
        title: &str,
        series: &[(&'static str, &str)],
        language: Language,
    ) -> Option<(Chart, Table)> {
        let (step, steps) = self.steps()?;
        let columns = series.iter().map(|(key, title)| Column::number(key, title));
        let title = format!("{title}{}{}", language.of(", ", ", "), step.words(language));
        let first = Column::new("from", step.head(language));
        let mut table = Table::new(
            key,
            &title,
            [first].into_iter().chain(columns).collect(),
            "",
        );
        let cells = |(day, counts): (&Date, &Vec<Amount>)| {
            let counts = counts.iter().map(|count| count.cell());
            [Cell::Day(*day)].into_iter().chain(counts).collect()
        };
        table.rows = steps.iter().map(cells).collect();
        table.shown = COLUMNS_MAX;
        let drawn = steps.len().saturating_sub(COLUMNS_MAX);
        let point = |(day, counts): (&Date, &Vec<Amount>)| {
            let sums = counts.iter().map(|count| count.sum);
            (language.day_short(*day), sums.collect())
        };
        let chart = Chart {
            key,
            title,
            shape: Shape::Columns,
            series: series
                .iter()
                .map(|(_, title)| (*title).to_owned())
                .collect(),
            points: steps.iter().skip(drawn).map(point).collect(),
        };
        Some((chart, table))
    }
}

impl Step {
    fn begin(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(since_monday.days()).unwrap_or(day)
            }
            Self::Month => day.first_of_month(),
        }
    }

    fn next(self, day: Date) -> Option<Date> {
        let span = match self {
            Self::Day => 1.day(),
            Self::Week => 7.days(),
            Self::Month => 1.month(),
        };
        day.checked_add(span).ok()
    }

    fn words(self, language: Language) -> &'static str {
        match self {
            Self::Day => language.of("by day", "par jour"),
            Self::Week => language.of("by week", "par semaine"),
            Self::Month => language.of("by month", "par mois"),
        }
    }

    fn head(self, language: Language) -> &'static str {
        match self {
            Self::Day => language.of("day (UTC)", "jour (UTC)"),
            Self::Week => language.of("week from", "semaine du"),
            Self::Month => language.of("month from", "mois du"),
        }
    }
}
