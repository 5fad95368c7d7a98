//! `paravent explain --text`: what the detectors find in a text, and why.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::detect::{Points, lexicon};
use super::{DONE, Format, UNUSABLE, print};
use crate::detect::statement::Certainty;
use crate::detect::{self, Kind};

/// Bytes of a text.
const TEXT_BYTES_MAX: u64 = 64 << 20;

/// A finding, as it is told.
struct Told {
    start: usize,
    end: usize,
    category: &'static str,
    certainty: Certainty,
    because: Vec<String>,
}

/// Runs the command.
pub(super) fn run(path: &Path, languages: &[String], format: Format) -> u8 {
    let text = match read(path) {
        Ok(text) => text,
        Err(cause) => {
            eprintln!("error: `{}`: {cause}", path.display());
            return UNUSABLE;
        }
    };
    let found = found(&text, languages);
    match format {
        Format::Json => print(&format!(
            "{:#}\n",
            Value::from_iter(found.iter().map(Told::to_json))
        )),
        Format::Text => print(&render(&text, &found)),
    }
    DONE
}

fn read(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path)
        .map_err(|error| error.to_string())?
        .len();
    if length > TEXT_BYTES_MAX {
        return Err(format!("over {TEXT_BYTES_MAX} bytes"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn found(text: &str, languages: &[String]) -> Vec<Told> {
    let points = Points::of(text);
    let told = |kind: Kind, range: &_, certainty, because| {
        let points = points.range(range);
        Told {
            start: points.start,
            end: points.end,
            category: kind.category(),
            certainty,
            because,
        }
    };
    let identifiers = detect::find(text, &Kind::IDENTIFIERS)
        .into_iter()
        .map(|span| {
            let because = vec![format!("has the form of its kind: {}", span.kind.as_str())];
            told(span.kind, &span.range, Certainty::Certain, because)
        });
    let statements = detect::explained(text, &lexicon(languages))
        .into_iter()
        .map(|(statement, because)| {
            told(
                Kind::Statement(statement.topic),
                &statement.range,
                statement.certainty,
                because,
            )
        });
    let mut found: Vec<Told> = identifiers.chain(statements).collect();
    found.sort_by_key(|told| (told.start, told.end));
    found
}

impl Told {
    fn to_json(&self) -> Value {
        json!({
            "start": self.start,
            "end": self.end,
            "category": self.category,
            "certainty": self.certainty.as_str(),
            "because": self.because,
        })
    }
}

fn render(text: &str, found: &[Told]) -> String {
    if found.is_empty() {
        return "nothing was found\n".to_owned();
    }
    let mut out = String::new();
    for told in found {
        let Told {
            start,
            end,
            category,
            certainty,
            because,
        } = told;
        let said: String = text.chars().skip(*start).take(end - start).collect();
        let said = crate::audit::visible(&said);
        let _ = writeln!(
            out,
            "{start}-{end}  {category}  {}  {said}",
            certainty.as_str()
        );
        for cause in because {
            let _ = writeln!(out, "    {cause}");
        }
    }
    out
}
