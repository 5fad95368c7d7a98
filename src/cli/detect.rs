//! `paravent detect`: how well the detectors do on texts of one's own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{DONE, Format, UNUSABLE, print};
use crate::detect::statement::{Certainty, Languages, Lexicon, Topic};
use crate::detect::{self, Kind};

/// Bytes of one line.
const LINE_BYTES_MAX: usize = 4 << 20;

/// Which texts, and what is looked for.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Labelled texts, one JSON object a line: `text`, and `statements` or `spans` or both
    #[arg(long, value_name = "FILE.jsonl")]
    measure: PathBuf,
    /// The languages whose statements are looked for
    #[arg(long, value_delimiter = ',', value_name = "CODE", value_parser = clap::builder::PossibleValuesParser::new(Languages::known()))]
    languages: Vec<String>,
    /// How sure a statement must be
    #[arg(long, value_name = "CERTAINTY", default_value = "likely", value_parser = clap::builder::PossibleValuesParser::new(["possible", "likely", "certain"]))]
    at_least: String,
    /// Also write what was found in each text to this file, one JSON object a line
    #[arg(long, value_name = "FILE.jsonl")]
    found: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A labelled text.
#[derive(Deserialize)]
struct Labelled {
    #[serde(default)]
    id: Value,
    text: String,
    /// Names of categories. Without them, statements of this text are not measured.
    statements: Option<Vec<String>>,
    /// Without them, identifiers of this text are not measured.
    spans: Option<Vec<Labelling>>,
}

#[derive(Deserialize)]
struct Labelling {
    #[serde(alias = "kind")]
    r#type: String,
    start: usize,
    end: usize,
}

/// How often something was found where it is, where it is not, and not found where it is.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    right: usize,
    wrong: usize,
    missed: usize,
}

/// What was measured.
#[derive(Debug, Default)]
struct Measured {
    kinds: BTreeMap<&'static str, Counts>,
    categories: BTreeMap<&'static str, Counts>,
    any: Counts,
    clean: usize,
    false_identifier: usize,
    false_statement: usize,
    bytes: usize,
    spent: Duration,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    match measure(arguments) {
        Ok(measured) => {
            match arguments.format {
                Format::Text => print(&measured.render()),
                Format::Json => print(&format!("{:#}\n", measured.to_json())),
            }
            DONE
        }
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

fn measure(arguments: &Arguments) -> Result<Measured, String> {
    let path = &arguments.measure;
    let file = File::open(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let lexicon = lexicon(&arguments.languages);
    let least = Certainty::named(&arguments.at_least).unwrap_or(Certainty::Likely);
    let mut measured = Measured::default();
    let mut found = String::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let place = || format!("{}:{}", path.display(), number + 1);
        let line = line.map_err(|error| format!("{}: {error}", place()))?;
        if line.trim().is_empty() {
            continue;
        }
        if line.len() > LINE_BYTES_MAX {
            return Err(format!(
                "{}: a line of over {LINE_BYTES_MAX} bytes",
                place()
            ));
        }
        let text: Labelled = serde_json::from_str(&line).map_err(|error| {
            format!(
                "{}: {error}; a line is an object with `text`, and `statements` or `spans`",
                place()
            )
        })?;
        measured
            .add(&text, &lexicon, least, &mut found)
            .map_err(|cause| format!("{}: {cause}", place()))?;
    }
    if let Some(path) = &arguments.found {
        write(path, &found)?;
    }
    Ok(measured)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("`{}`: {error}", path.display()))
}

impl Measured {
    fn add(
        &mut self,
        text: &Labelled,
        lexicon: &Lexicon,
        least: Certainty,
        told: &mut String,
    ) -> Result<(), String> {
        let begun = Instant::now();
        let spans = detect::find(&text.text, &Kind::IDENTIFIERS);
        let statements = detect::statements(&text.text, lexicon);
        self.spent += begun.elapsed();
        self.bytes += text.text.len();
        let points = Points::of(&text.text);
        let found: Vec<(Kind, Range<usize>)> = spans
            .into_iter()
            .map(|span| (span.kind, points.range(&span.range)))
            .collect();
        let mut topics: Vec<Topic> = statements
            .iter()
            .filter(|statement| statement.certainty >= least)
            .map(|statement| statement.topic)
            .collect();
        topics.sort();
        topics.dedup();
        let wanted = text.statements.as_deref().map(wanted).transpose()?;
        if let Some(wanted) = &wanted {
            self.statements(&topics, wanted);
        }
        if let Some(wanted) = &text.spans {
            self.spans(&found, wanted)?;
        }
        let is_clean = wanted.is_none_or(|wanted| wanted.is_empty())
            && text.spans.as_ref().is_none_or(Vec::is_empty);
        if is_clean {
            self.clean += 1;
            self.false_identifier += usize::from(!found.is_empty());
            self.false_statement += usize::from(!topics.is_empty());
        }
        let spans: Vec<Value> = found
            .iter()
            .map(|(kind, range)| json!({"type": kind.as_str(), "start": range.start, "end": range.end}))
            .collect();
        let categories: Vec<&str> = topics.iter().map(|topic| topic.as_str()).collect();
        let line = json!({"id": text.id, "categories": categories, "spans": spans});
        let _ = writeln!(told, "{line}");
        Ok(())
    }

    fn statements(&mut self, found: &[Topic], wanted: &[Topic]) {
        for topic in Topic::ALL {
            let counts = self.categories.entry(topic.as_str()).or_default();
            counts.add(found.contains(&topic), wanted.contains(&topic));
        }
        match (found.is_empty(), wanted.is_empty()) {
            (false, true) => self.any.wrong += 1,
            (_, false) if found.iter().any(|topic| wanted.contains(topic)) => self.any.right += 1,
            (_, false) => self.any.missed += 1,
            (true, true) => {}
        }
    }

    fn spans(
        &mut self,
        found: &[(Kind, Range<usize>)],
        wanted: &[Labelling],
    ) -> Result<(), String> {
        let mut open: Vec<(&str, Range<usize>)> = Vec::new();
        let mut ignored: Vec<Range<usize>> = Vec::new();
        for Labelling { r#type, start, end } in wanted {
            match kind_named(r#type) {
                Some(kind) => open.push((kind.as_str(), *start..*end)),
                // An address with letters masked, as corpora have them: neither wanted nor wrong.
                None if r#type.ends_with("_masked") => ignored.push(*start..*end),
                None => {
                    return Err(format!(
                        "`{type}` is no kind of identifier: write one of {}",
                        Kind::IDENTIFIERS.map(Kind::as_str).join(", ")
                    ));
                }
            }
        }
        for (kind, range) in found {
            let counts = self.kinds.entry(kind.as_str()).or_default();
            let hit = open.iter().position(|(wanted, place)| {
                *wanted == kind.as_str() && is_same(*kind, range, place)
            });
            match hit {
                Some(place) => {
                    open.swap_remove(place);
                    counts.right += 1;
                }
                None if ignored.iter().any(|place| overlap(range, place) > 0) => {}
                None => counts.wrong += 1,
            }
        }
        for (kind, _) in open {
            let name = kind_named(kind).map_or("", Kind::as_str);
            self.kinds.entry(name).or_default().missed += 1;
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        let table = |counts: &BTreeMap<&'static str, Counts>| -> Map<String, Value> {
            counts
                .iter()
                .map(|(name, counts)| ((*name).to_owned(), counts.to_json()))
                .collect()
        };
        json!({
            "kinds": table(&self.kinds),
            "categories": table(&self.categories),
            "any": self.any.to_json(),
            "clean": {
                "texts": self.clean,
                "false_identifier": self.false_identifier,
                "false_statement": self.false_statement,
            },
            "megabytes_per_second": rounded(self.speed()),
        })
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a speed is told with two places"
    )]
    fn speed(&self) -> f64 {
        match self.spent.is_zero() {
            true => 0.0,
            false => self.bytes as f64 / 1e6 / self.spent.as_secs_f64(),
        }
    }

    fn render(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(["", "right", "wrong", "missed", "precision", "recall"]);
        let rows = self
            .kinds
            .iter()
            .chain(&self.categories)
            .map(|(name, counts)| (*name, counts));
        for (name, counts) in rows.chain([("any statement", &self.any)]) {
            table.add_row([
                name.to_owned(),
                counts.right.to_string(),
                counts.wrong.to_string(),
                counts.missed.to_string(),
                counts
                    .precision()
                    .map_or_else(|| "-".to_owned(), |share| format!("{share:.3}")),
                counts
                    .recall()
                    .map_or_else(|| "-".to_owned(), |share| format!("{share:.3}")),
            ]);
        }
        format!(
            "{table}\nclean texts: {}, with a false identifier: {}, with a false statement: {}\n{:.1} MB/s\n",
            self.clean,
            self.false_identifier,
            self.false_statement,
            self.speed()
        )
    }
}

impl Counts {
    fn add(&mut self, is_found: bool, is_wanted: bool) {
        self.right += usize::from(is_found && is_wanted);
        self.wrong += usize::from(is_found && !is_wanted);
        self.missed += usize::from(!is_found && is_wanted);
    }

    fn precision(self) -> Option<f64> {
        share(self.right, self.right + self.wrong)
    }

    fn recall(self) -> Option<f64> {
        share(self.right, self.right + self.missed)
    }

    fn to_json(self) -> Value {
        json!({
            "tp": self.right,
            "fp": self.wrong,
            "fn": self.missed,
            "precision": self.precision().map(rounded),
            "recall": self.recall().map(rounded),
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share is told with four places"
)]
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// The topics of these names: `health` or `special.health`.
fn wanted(names: &[String]) -> Result<Vec<Topic>, String> {
    let topic = |name: &String| {
        let last = name.rsplit('.').next().unwrap_or(name);
        Topic::named(last).ok_or_else(|| {
            let known: Vec<&str> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
            format!(
                "`{name}` is no category of statements: write one of {}",
                known.join(", ")
            )
        })
    };
    names.iter().map(topic).collect()
}

/// The kind of this name, or of one that other corpora have for it.
fn kind_named(name: &str) -> Option<Kind> {
    let name = match name {
        "email" => "mail",
        "credit_card" => "card",
        "telephone" => "phone",
        name => name,
    };
    Kind::IDENTIFIERS
        .into_iter()
        .find(|kind| kind.as_str() == name)
}

/// Whether a finding is what was labelled: exactly, but of an address at least half.
fn is_same(kind: Kind, found: &Range<usize>, wanted: &Range<usize>) -> bool {
    match kind.as_str() {
        "address" => overlap(found, wanted) * 2 >= found.len().max(wanted.len()),
        _ => found == wanted,
    }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> usize {
    one.end
        .min(other.end)
        .saturating_sub(one.start.max(other.start))
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
