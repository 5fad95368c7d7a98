//! A report before it is printed.

use std::borrow::Cow;

use jiff::civil::Date;

use crate::audit::visible;
use crate::vocabulary::Level;

use super::language::Language;

/// What a report says, in one language.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its word on the command line.
    pub name: &'static str,
    /// The language of its words.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// What it is about: an account, a category.
    pub about: Option<String>,
    /// The time that was asked for, as events write times: from, until.
    pub asked: [Option<String>; 2],
    /// The times of the first and the last event that it counts.
    pub counted: Option<[String; 2]>,
    /// The last event of the log that was read: its number and time.
    pub complete: (u64, String),
    /// What it means.
    pub means: Vec<String>,
    /// What comes out of it, most important first.
    pub findings: Vec<String>,
    /// Figures.
    pub figures: Vec<Figure>,
    /// Tables and charts.
    pub blocks: Vec<Block>,
    /// What is not to be concluded from it.
    pub limits: Vec<String>,
    /// Whether somebody signs it.
    pub is_signed: bool,
    /// Lines of the log that this version could not read.
    pub unread: u64,
}

/// One figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Its key for scripts.
    pub key: &'static str,
    /// What it counts.
    pub label: String,
    /// The figure.
    pub value: Cell,
}

/// A part of a report.
#[derive(Clone, Debug)]
pub enum Block {
    /// A chart. Its numbers stand in a table, too.
    Chart(Chart),
    /// A table.
    Table(Table),
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its key for scripts.
    pub key: Cow<'static, str>,
    /// Who is shown it.
    pub audience: Audience,
    /// Its title.
    pub title: String,
    /// How its numbers are to be read.
    pub note: Option<String>,
    /// What it means that it has no rows.
    pub none: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each with a cell a column.
    pub rows: Vec<Vec<Cell>>,
    /// Rows that people are shown; scripts get all.
    pub shown: usize,
}

/// Who is shown a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// People and scripts.
    #[default]
    All,
    /// People alone: scripts have it in another shape.
    People,
    /// Scripts alone.
    Scripts,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its key for scripts.
    pub key: &'static str,
    /// Its title.
    pub title: String,
    /// Whether it holds numbers.
    pub is_number: bool,
    /// Whether only scripts get it.
    pub is_detail: bool,
}

/// A cell of a table. What was not written by this program is harmless in it: all of it can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// More than this, or as much: it was not counted to the end.
    AtLeast(u64),
    /// Nothing is known.
    Blank,
    /// A category of data.
    Category(String),
    /// A day.
    Day(Date),
    /// To be filled in by a person, and with what.
    FillIn(String),
    /// A level.
    Level(Level),
    /// A name of a policy, of the CRM or of the log.
    Name(String),
    /// Such names.
    Names(Vec<String>),
    /// A number.
    Number(u64),
    /// A number of tenths.
    Tenths(u64),
    /// Words of the report.
    Text(String),
    /// A time of an event.
    Time(String),
}

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Its key for scripts.
    pub key: &'static str,
    /// Its title.
    pub title: String,
    /// How it is drawn.
    pub shape: Shape,
    /// What is counted; several numbers are drawn upon each other.
    pub series: Vec<String>,
    /// What stands along it, each with a number for each of the series.
    pub points: Vec<(String, Vec<u64>)>,
}

/// How a chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A bar for each, below each other.
    Bars,
    /// A column for each, in the order of time.
    Columns,
}

impl Cell {
    /// A name that somebody else wrote.
    pub fn name(text: &str) -> Self {
        Self::Name(visible(text))
    }

    /// Names that somebody else wrote.
    pub fn names<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Names(texts.into_iter().map(visible).collect())
    }

    /// A category; without a name, of data that nobody has classified.
    pub fn category(name: Option<&str>, language: Language) -> Self {
        match name {
            Some(name) => Self::Category(visible(name)),
            None => Self::Text(language.of("(unclassified)", "(non classé)").to_owned()),
        }
    }

    /// A time as an event writes it.
    pub fn time(text: &str) -> Self {
        match text {
            "" => Self::Blank,
            text => Self::Time(visible(text)),
        }
    }

    /// Words of the report.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// As people read it.
    pub fn shown(&self, language: Language) -> String {
        match self {
            Self::AtLeast(number) => format!("≥ {}", language.number(*number)),
            Self::Blank => "–".to_owned(),
            Self::Category(name) => match language.category(name) {
                Some(label) => format!("{label} ({name})"),
                None => name.clone(),
            },
            Self::Day(day) => language.day(*day),
            Self::FillIn(what) => format!("[{what}]"),
            Self::Level(level) => language.level(*level).to_owned(),
            Self::Name(text) | Self::Text(text) => text.clone(),
            Self::Names(names) if names.is_empty() => "–".to_owned(),
            Self::Names(names) => names.join(", "),
            Self::Number(number) => language.number(*number),
            Self::Tenths(tenths) => language.tenths(*tenths),
            Self::Time(time) => language.time(time),
        }
    }

    /// As scripts read it: the same in each language.
    pub fn plain(&self) -> String {
        match self {
            Self::AtLeast(number) => format!(">={number}"),
            Self::Blank | Self::FillIn(_) => String::new(),
            Self::Category(name) | Self::Name(name) | Self::Text(name) => name.clone(),
            Self::Day(day) => day.to_string(),
            Self::Level(level) => level.as_str().to_owned(),
            Self::Names(names) => names.join(" "),
            Self::Number(number) => number.to_string(),
            Self::Tenths(tenths) => format!("{}.{}", tenths / 10, tenths % 10),
            Self::Time(time) => time.clone(),
        }
    }
}

impl Column {
    /// A column of words.
    pub fn new(key: &'static str, title: &str) -> Self {
        Self {
            key,
            title: title.to_owned(),
            is_number: false,
            is_detail: false,
        }
    }

    /// A column of numbers.
    pub fn number(key: &'static str, title: &str) -> Self {
        Self {
            is_number: true,
            ..Self::new(key, title)
        }
    }

    /// A column that only scripts get.
    pub fn detail(key: &'static str) -> Self {
        Self {
            is_detail: true,
            ..Self::new(key, key)
        }
    }
}

impl Table {
    /// An empty table.
    pub fn new(key: &'static str, title: &str, columns: Vec<Column>, none: &str) -> Self {
        Self {
            key: key.into(),
            audience: Audience::All,
            title: title.to_owned(),
            note: None,
            none: none.to_owned(),
            columns,
            rows: Vec::new(),
            shown: 40,
        }
    }

    /// The same with words about how it is to be read.
    #[must_use]
    pub fn noted(mut self, note: &str) -> Self {
        self.note = Some(note.to_owned());
        self
    }

    /// What people are told of rows that they are not shown.
    pub fn more(&self, language: Language) -> Option<String> {
        let left = self.rows.len().saturating_sub(self.shown);
        let left = u64::try_from(left).ok().filter(|left| *left > 0)?;
        let rows = language.count(
            left,
            ["further row", "autre ligne"],
            ["further rows", "autres lignes"],
        );
        Some(language.of(
            format!("{rows}: `--format csv` or `json` has all of them"),
            format!("{rows} : `--format csv` ou `json` les donne toutes"),
        ))
    }
}

impl Report {
    /// Its tables, for scripts.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Table(table) if table.audience != Audience::People => Some(table),
            Block::Table(_) | Block::Chart(_) => None,
        })
    }

    /// Its tables and charts, for people.
    pub fn shown(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| match block {
            Block::Table(table) => table.audience != Audience::Scripts,
            Block::Chart(_) => true,
        })
    }

    /// Adds a figure.
    pub fn figure(&mut self, key: &'static str, label: &str, value: Cell) {
        let label = label.to_owned();
        self.figures.push(Figure { key, label, value });
    }

    /// The time that it is about, in words.
    pub fn period(&self) -> String {
        let language = self.language;
        match &self.asked {
            [None, None] => language.of("the whole log", "tout le journal").to_owned(),
            [Some(since), None] => language.of(
                format!("from {} on", language.moment(since)),
                format!("depuis le {}", language.moment(since)),
            ),
            [None, Some(until)] => language.of(
                format!("before {}", language.moment(until)),
                format!("avant le {}", language.moment(until)),
            ),
            [Some(since), Some(until)] => language.of(
                format!(
                    "from {} to {}",
                    language.moment(since),
                    language.moment(until)
                ),
                format!(
                    "du {} au {}",
                    language.moment(since),
                    language.moment(until)
                ),
            ),
        }
    }

    /// Up to where it is complete, in words.
    pub fn completeness(&self) -> String {
        let language = self.language;
        let (seq, time) = &self.complete;
        let (seq, moment) = (language.number(*seq), language.moment(time));
        let counted = match &self.counted {
            None => language
                .of(
                    "no event lies in the period",
                    "aucun événement dans la période",
                )
                .to_owned(),
            Some([first, last]) => language.of(
                format!(
                    "events counted: {} to {}",
                    language.moment(first),
                    language.moment(last)
                ),
                format!(
                    "événements comptés : du {} au {}",
                    language.moment(first),
                    language.moment(last)
                ),
            ),
        };
        language.of(
            format!("complete up to event {seq} of the log ({moment}); {counted}"),
            format!("complet jusqu’à l’événement {seq} du journal ({moment}) ; {counted}"),
        )
    }
}
