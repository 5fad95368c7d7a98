//! Labelled texts: one JSON object a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::detect::Kind;
use crate::detect::statement::Topic;

/// Bytes of one line.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// What a line is.
const FORM: &str = "a line is `{\"id\", \"text\", \"spans\": [{\"type\", \"start\", \"end\"}], \"categories\": [\"special.health\"]}`";

/// A text, and what its author says that stands in it.
#[derive(Debug)]
pub(super) struct Labelled {
    pub(super) id: Value,
    pub(super) text: String,
    /// Without them, identifiers of this text are not measured.
    pub(super) spans: Option<Vec<Label>>,
    /// Without them, statements of this text are not measured.
    pub(super) topics: Option<Vec<Topic>>,
}

/// A part of a text that is an identifier, in characters.
#[derive(Debug)]
pub(super) struct Label {
    /// `None` for a mail address or the like with letters masked: neither wanted nor wrong.
    pub(super) kind: Option<Kind>,
    pub(super) range: Range<usize>,
}

/// The members of a line.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: Value,
    text: String,
    spans: Option<Vec<Span>>,
    categories: Option<Vec<String>>,
    /// What corpora call `categories`.
    statements: Option<Vec<String>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
struct Span {
    r#type: String,
    start: usize,
    end: usize,
}

/// Hands every line of a file to `visit`, with the bytes that it takes. Blank lines are skipped. An error names the file, the
/// line, the cause and the fix.
pub(super) fn each(
    path: &Path,
    visit: &mut dyn FnMut(Labelled, u64) -> Result<(), String>,
) -> Result<(), String> {
    let file = File::open(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    for number in 1_u64.. {
        let told = |cause: String| format!("{}:{number}: {cause}", path.display());
        line.clear();
        let mut bounded = reader.by_ref().take(LINE_BYTES_MAX + 1);
        let length = bounded
            .read_until(b'\n', &mut line)
            .map_err(|error| told(error.to_string()))?;
        if length == 0 {
            break;
        }
        let length = length as u64;
        if length > LINE_BYTES_MAX {
            return Err(told(format!(
                "a line of over {LINE_BYTES_MAX} bytes: part its text into several"
            )));
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let read = Labelled::read(&line).map_err(told)?;
        visit(read, length).map_err(told)?;
    }
    Ok(())
}

impl Labelled {
    fn read(line: &[u8]) -> Result<Self, String> {
        let line: Line = serde_json::from_slice(line).map_err(|error| unread(&error))?;
        let has_labels =
            line.spans.is_some() && (line.categories.is_some() || line.statements.is_some());
        for (name, value) in &line.others {
            is_remark(name, value, has_labels)?;
        }
        if !matches!(line.id, Value::Null | Value::String(_) | Value::Number(_)) {
            return Err("`id` must be a text or a number".to_owned());
        }
        let names = match (line.categories, line.statements) {
            (Some(_), Some(_)) => {
                return Err("`categories` and `statements` are the same: leave one out".to_owned());
            }
            (categories, statements) => categories.or(statements),
        };
        let topics = names.map(|names| names.iter().map(|name| topic(name)).collect());
        let characters = line.text.chars().count();
        let labels = |spans: Vec<Span>| spans.into_iter().map(|span| label(span, characters));
        let spans = line.spans.map(|spans| labels(spans).collect());
        Ok(Self {
            id: line.id,
            text: line.text,
            spans: spans.transpose()?,
            topics: topics.transpose()?,
        })
    }
}

/// What a line is not, where, and what it should be.
fn unread(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let cause = told.split(" at line ").next().unwrap_or_default();
    format!("column {}: {cause}; {FORM}", error.column())
}

/// Other members are remarks, like `lang`, `style` and `note`, unless they may have been meant as labels: by their names, or lists in
/// a line that does not have both sorts of labels.
fn is_remark(name: &str, value: &Value, has_labels: bool) -> Result<(), String> {
    const LABELS: [&str; 3] = ["spans", "categories", "statements"];
    const OTHERS: [&str; 7] = [
        "category",
        "entities",
        "kinds",
        "label",
        "labels",
        "annotations",
        "types",
    ];
    let lower = name.to_lowercase();
    let alike = LABELS
        .into_iter()
        .find(|label| strsim::damerau_levenshtein(&lower, label) <= 2);
    if let Some(alike) = alike {
        return Err(format!(
            "`{name}` is no member of a line: did you mean `{alike}`?"
        ));
    }
    let may_be_labels = !has_labels && (value.is_array() || value.is_object());
    if may_be_labels || OTHERS.contains(&lower.as_str()) {
        return Err(format!(
            "`{name}` may be labels, which stand in `spans` and `categories`: leave it out"
        ));
    }
    Ok(())
}

/// The topic of this name: `special.health`, or `health`.
fn topic(name: &str) -> Result<Topic, String> {
    let named = |topic: &Topic| topic.category() == name || topic.as_str() == name;
    Topic::ALL.into_iter().find(named).ok_or_else(|| {
        format!(
            "`{name}` is no category of statements: write one of {}",
            Topic::ALL.map(Topic::category).join(", ")
        )
    })
}

fn label(span: Span, characters: usize) -> Result<Label, String> {
    let Span { r#type, start, end } = span;
    if start >= end || end > characters {
        return Err(format!(
            "a span from {start} to {end} in a text of {characters} characters: count in code points from 0, `end` behind the last"
        ));
    }
    let kind = kind_named(&r#type);
    if kind.is_none() && !r#type.ends_with("_masked") {
        return Err(format!(
            "`{type}` is no kind of identifier: write one of {}",
            Kind::IDENTIFIERS.map(Kind::as_str).join(", ")
        ));
    }
    Ok(Label {
        kind,
        range: start..end,
    })
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

#[cfg(test)]
mod tests {
    use super::Labelled;
    use crate::detect::statement::Topic;

    fn read(line: &str) -> Result<Labelled, String> {
        Labelled::read(line.as_bytes())
    }

    #[test]
    fn a_line_is_read_with_its_labels() {
        let line = r#"{"id": 7, "lang": "fr", "note": null, "text": "é a@b.fr", "spans": [{"type": "mail", "start": 2, "end": 8}], "categories": ["criminal", "special.health", "sex_life"]}"#;
        let read_line = read(line).unwrap();
        let topics = [Topic::Criminal, Topic::Health, Topic::SexLife];
        assert_eq!(read_line.topics.as_deref(), Some(&topics[..]));
        assert_eq!(read_line.spans.unwrap()[0].range, 2..8);
        assert_eq!(read_line.id, 7);
        let only = read(r#"{"text": "", "statements": []}"#).unwrap();
        assert_eq!(
            (only.topics, only.spans.is_none()),
            (Some(Vec::new()), true)
        );
        let noted = r#"{"text": "", "spans": [], "statements": [], "details": [{"by": "x"}]}"#;
        assert!(read(noted).is_ok());
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for (line, cause) in [
            ("{", "column 1: EOF while parsing an object; a line is `{"),
            ("[1]", "a line is"),
            (r#"{"spans": []}"#, "missing field `text`"),
            (r#"{"text": 1}"#, "expected a string"),
            (r#"{"text": "", "text": ""}"#, "duplicate field `text`"),
            (
                r#"{"text": "", "id": []}"#,
                "`id` must be a text or a number",
            ),
            (
                r#"{"text": "", "categories": [], "statements": []}"#,
                "leave one out",
            ),
            (
                r#"{"text": "", "categories": ["special.heath"]}"#,
                "`special.heath` is no category of statements: write one of special.health, ",
            ),
            (
                r#"{"text": "", "categories": ["other.health"]}"#,
                "`other.health` is no category",
            ),
            (
                r#"{"text": "aé", "spans": [{"type": "mail", "start": 0, "end": 3}]}"#,
                "from 0 to 3 in a text of 2 characters",
            ),
            (
                r#"{"text": "aé", "spans": [{"type": "mail", "start": 1, "end": 1}]}"#,
                "from 1 to 1",
            ),
            (
                r#"{"text": "aé", "spans": [{"type": "mail", "start": -1, "end": 1}]}"#,
                "invalid value",
            ),
            (
                r#"{"text": "aé", "spans": [{"type": "siret", "start": 0, "end": 1}]}"#,
                "`siret` is no kind of identifier: write one of address, ",
            ),
            (r#"{"text": "", "span": []}"#, "did you mean `spans`?"),
            (
                r#"{"text": "", "Categories": []}"#,
                "did you mean `categories`?",
            ),
            (r#"{"text": "", "labels": []}"#, "leave it out"),
            (
                r#"{"text": "", "spans": [], "details": []}"#,
                "leave it out",
            ),
            (r#"{"text": "", "category": "health"}"#, "leave it out"),
        ] {
            let told = read(line).unwrap_err();
            assert!(told.contains(cause), "{line}: {told}");
        }
    }
}
