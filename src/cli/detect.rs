//! `paravent detect`: what the detectors find in texts of one's own, and how well they do.

use std::io::{self, IsTerminal, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::PossibleValuesParser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::{DONE, Format, UNUSABLE, print};
use crate::detect::statement::{Certainty, Languages, Lexicon, Topic};
use crate::detect::{self, Kind};
use labelled::Labelled;
use measured::Measured;

mod labelled;
mod measured;

/// Which texts, and what is looked for.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    texts: Texts,
    /// What is looked for, as detectors of a policy name it; all of it unless told
    #[arg(long, value_delimiter = ',', value_name = "KIND", value_parser = PossibleValuesParser::new(names()))]
    find: Vec<String>,
    /// The languages whose statements are looked for; all of them unless told
    #[arg(long, value_delimiter = ',', value_name = "CODE", value_parser = PossibleValuesParser::new(Languages::known()))]
    languages: Vec<String>,
    /// How sure a statement must be
    #[arg(long, value_name = "CERTAINTY", default_value = "likely", value_parser = PossibleValuesParser::new(Certainty::ALL.map(Certainty::as_str)))]
    at_least: String,
    /// How the result of a measurement is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One JSON object a line: `text`, and `id`, `spans` and `categories` as far as they are known.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Texts {
    /// Compare what is found in labelled texts with their `spans` and `categories`
    #[arg(long, value_name = "FILE.jsonl")]
    measure: Option<PathBuf>,
    /// Print what is found in texts: `id`, `spans`, `categories`, one JSON object a line
    #[arg(long, value_name = "FILE.jsonl")]
    predict: Option<PathBuf>,
}

/// All statements but those of Art. 10, as policies name them.
const SPECIAL: &str = "special";

/// What can be looked for.
fn names() -> Vec<&'static str> {
    let identifiers = Kind::IDENTIFIERS.into_iter().map(Kind::as_str);
    let topics = Topic::ALL.into_iter().map(Topic::as_str);
    identifiers.chain([SPECIAL]).chain(topics).collect()
}

/// What is looked for.
#[derive(Debug)]
struct Sought {
    kinds: Vec<Kind>,
    topics: Vec<Topic>,
    lexicon: Arc<Lexicon>,
    at_least: Certainty,
}

/// What was found in a text: places in characters, and topics in the order of their categories' names.
#[derive(Debug)]
struct Found {
    spans: Vec<(Kind, Range<usize>)>,
    topics: Vec<Topic>,
    /// How long the detectors took.
    spent: Duration,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    let sought = Sought::of(arguments);
    let done = match (&arguments.texts.measure, &arguments.texts.predict) {
        (Some(path), _) => measure(path, &sought, arguments.format),
        (None, Some(path)) => predict(path, &sought),
        (None, None) => Ok(()),
    };
    match done {
        Ok(()) => DONE,
        Err(cause) => {
            eprintln!("error: {cause}");
            UNUSABLE
        }
    }
}

/// The lexicon of the languages of these codes; of all of them if none is named.
pub(super) fn lexicon(codes: &[String]) -> Arc<Lexicon> {
    let named = codes.iter().filter_map(|code| Languages::named(code));
    let languages = named.fold(Languages::NONE, Languages::and);
    Lexicon::of(if codes.is_empty() {
        Languages::all()
    } else {
        languages
    })
}

fn measure(path: &Path, sought: &Sought, format: Format) -> Result<(), String> {
    let mut measured = Measured::of(sought);
    with_progress(path, super::colour(), &mut |text| {
        if text.spans.is_none() && text.topics.is_none() {
            return Err("nothing to measure: add `spans`, `categories`, or both".to_owned());
        }
        measured.add(&text, &sought.find(&text.text));
        Ok(())
    })?;
    match format {
        Format::Text => print(&measured.render()),
        Format::Json => print(&format!("{:#}\n", measured.to_json())),
    }
    Ok(())
}

/// Prints what is found in each text, in their order.
fn predict(path: &Path, sought: &Sought) -> Result<(), String> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut has_reader = true;
    // Between lines on the same terminal a bar is in the way.
    let is_shown = super::colour() && !io::stdout().is_terminal();
    with_progress(path, is_shown, &mut |text| {
        // A reader who went away is a normal end.
        if has_reader {
            let line = sought.find(&text.text).to_json(&text.id);
            has_reader = writeln!(out, "{line}").is_ok();
        }
        Ok(())
    })?;
    let _ = out.flush();
    Ok(())
}

/// Hands every text of a file to `visit`, with a bar if it is shown.
fn with_progress(
    path: &Path,
    is_shown: bool,
    visit: &mut dyn FnMut(Labelled) -> Result<(), String>,
) -> Result<(), String> {
    let bar = progress_bar(path, is_shown);
    let done = labelled::each(path, &mut |text, bytes| {
        bar.inc(bytes);
        visit(text)
    });
    bar.finish_and_clear();
    done
}

fn progress_bar(path: &Path, is_shown: bool) -> ProgressBar {
    let Some(length) = std::fs::metadata(path)
        .ok()
        .filter(|about| about.is_file() && is_shown)
        .map(|about| about.len())
    else {
        return ProgressBar::hidden();
    };
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Sought {
    fn of(arguments: &Arguments) -> Self {
        let is_meant = |name: &str| {
            arguments.find.is_empty() || arguments.find.iter().any(|meant| meant == name)
        };
        let is_topic_meant = |topic: &Topic| {
            is_meant(topic.as_str()) || (*topic != Topic::Criminal && is_meant(SPECIAL))
        };
        let kinds = Kind::IDENTIFIERS.into_iter();
        let topics = Topic::ALL.into_iter();
        Self {
            kinds: kinds.filter(|kind| is_meant(kind.as_str())).collect(),
            topics: topics.filter(is_topic_meant).collect(),
            lexicon: lexicon(&arguments.languages),
            at_least: Certainty::named(&arguments.at_least).unwrap_or(Certainty::Likely),
        }
    }

    fn find(&self, text: &str) -> Found {
        let begun = Instant::now();
        let spans = match self.kinds.is_empty() {
            true => Vec::new(),
            false => detect::find(text, &self.kinds),
        };
        let statements = match self.topics.is_empty() {
            true => Vec::new(),
            false => detect::read_statements(text, &self.lexicon),
        };
        let spent = begun.elapsed();
        let statements = statements
            .into_iter()
            .filter(|found| found.certainty >= self.at_least && self.topics.contains(&found.topic));
        let mut topics: Vec<Topic> = statements.map(|found| found.topic).collect();
        topics.sort_by_key(|topic| topic.category());
        topics.dedup();
        let points = Points::of(text);
        let spans = spans.into_iter();
        Found {
            spans: spans
                .map(|span| (span.kind, points.range(&span.range)))
                .collect(),
            topics,
            spent,
        }
    }
}

impl Found {
    fn to_json(&self, id: &Value) -> Value {
        let spans = self.spans.iter().map(
            |(kind, range)| json!({"type": kind.as_str(), "start": range.start, "end": range.end}),
        );
        let categories = self.topics.iter().map(|topic| topic.category());
        json!({
            "id": id,
            "spans": Value::from_iter(spans),
            "categories": Value::from_iter(categories),
        })
    }
}

/// Places in a text, as numbers of its characters.
pub(super) struct Points(Vec<usize>);

impl Points {
    pub(super) fn of(text: &str) -> Self {
        Self(text.char_indices().map(|(at, _)| at).collect())
    }

    pub(super) fn range(&self, bytes: &Range<usize>) -> Range<usize> {
        let point = |at| self.0.partition_point(|start| *start < at);
        point(bytes.start)..point(bytes.end)
    }
}
