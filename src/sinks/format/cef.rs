//! Common Event Format, version 0 (ArcSight), one line.

use std::fmt::Write as _;

use crate::audit::visible;
use crate::provenance;

use super::super::story::{Ending, Severity, Story};
use super::PRODUCT;

/// Items of one list; more are counted.
const ITEMS_MAX: usize = 20;

pub(super) fn of(story: Story<'_>) -> String {
    let severity = match story.severity() {
        Severity::Informational => 1,
        Severity::Low => 4,
        Severity::Medium => 6,
        Severity::High => 8,
    };
    let name = match (story.is_request(), story.text("/request/module")) {
        (true, Some(module)) => format!("{} {module}", story.name()),
        _ => story.name().to_owned(),
    };
    let mut line = format!(
        "CEF:0|{PRODUCT}|{PRODUCT}|{}|{}|{}|{severity}|",
        header(provenance::VERSION),
        header(&story.code()),
        header(&name)
    );
    let mut extension = Extension(&mut line, true);
    common(story, &mut extension);
    if story.is_request() {
        of_request(story, &mut extension);
    } else {
        of_notice(story, &mut extension);
    }
    line
}

fn common(story: Story<'_>, out: &mut Extension<'_>) {
    let time = story.time().map(|time| time.as_millisecond().to_string());
    out.add("rt", time.as_deref());
    out.add("externalId", story.text("/id"));
    out.add("dvchost", story.text("/node"));
    let seq = story.number("/seq").map(|seq| seq.to_string());
    out.labelled("cn1", "seq", seq.as_deref());
}

fn of_request(story: Story<'_>, out: &mut Extension<'_>) {
    out.add("suid", story.text("/caller/id"));
    out.add("suser", story.text("/caller/name"));
    let roles: Vec<String> = story.texts("/caller/roles").map(visible).collect();
    out.add("spriv", list(&roles).as_deref());
    out.add("act", story.outcome().or_else(|| story.text("/phase")));
    out.add(
        "outcome",
        match story.ending() {
            Ending::Success => Some("success"),
            Ending::Failure => Some("failure"),
            Ending::Unknown => None,
        },
    );
    out.add("reason", story.text("/outcome/reason"));
    let route = story.text("/request/route");
    let (method, template) = route.and_then(|route| route.split_once(' ')).unzip();
    out.add("requestMethod", method);
    // A template: `{id}` stays `{id}`.
    out.add("request", template);
    out.add("app", story.text("/request/dialect"));
    out.add("destinationServiceName", story.text("/request/upstream"));
    let status = story
        .number("/outcome/status")
        .map(|status| status.to_string());
    out.labelled("cn2", "status", status.as_deref());
    let count = story
        .number("/records/count")
        .map(|count| count.to_string());
    out.labelled("cn3", "recordCount", count.as_deref());
    out.labelled("cs1", "purpose", story.text("/purpose/id"));
    out.labelled("cs2", "originNetwork", story.text("/origin/ip"));
    out.labelled("cs3", "policy", story.text("/policy/hash"));
    let refs: Vec<String> = story.texts("/records/refs").map(visible).collect();
    out.labelled("cs4", "recordRefs", list(&refs).as_deref());
    let shown: Vec<String> = categories(story);
    out.labelled("cs5", "categories", list(&shown).as_deref());
    let used: Vec<String> = uses(story);
    out.labelled("cs6", "fieldUses", list(&used).as_deref());
    out.labelled("flexString1", "trace", story.text("/request/trace"));
    out.labelled("flexString2", "partOf", story.text("/part_of"));
}

/// Details of other events: whatever they are, by name.
fn of_notice(story: Story<'_>, out: &mut Extension<'_>) {
    let own = ["event", "id", "node", "prev", "seq", "time", "v"];
    let mut details = Vec::new();
    let entries = story.value().as_object().into_iter().flatten();
    for (name, value) in entries.filter(|(name, _)| !own.contains(&name.as_str())) {
        let value = match value {
            serde_json::Value::String(text) => atom(text),
            serde_json::Value::Null => continue,
            serde_json::Value::Array(items) => {
                let texts = items.iter().filter_map(serde_json::Value::as_str);
                let texts: Vec<String> = texts.map(atom).collect();
                match list(&texts) {
                    Some(texts) => texts,
                    None => format!("({})", items.len()),
                }
            }
            serde_json::Value::Object(entries) => format!("({})", entries.len()),
            other => other.to_string(),
        };
        details.push(format!("{}: {value}", atom(name)));
    }
    let count = details.len();
    details.truncate(ITEMS_MAX);
    if count > ITEMS_MAX {
        details.push(format!("(+{})", count - ITEMS_MAX));
    }
    out.add(
        "msg",
        Some(details.join("; ").as_str()).filter(|text| !text.is_empty()),
    );
}

/// A text of which others are told in a list: it neither ends itself, nor begins a detail of another name.
fn atom(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            ';' | ',' => out.extend(char.escape_unicode()),
            // `sha256:0b` stays readable.
            ':' if chars.peek().is_none_or(|next| next.is_whitespace()) => {
                out.extend(char.escape_unicode());
            }
            char => out.push(char),
        }
    }
    out
}

/// `financial.iban=clear(1)`.
fn categories(story: Story<'_>) -> Vec<String> {
    let entries = story.list("/data").iter().map(Story::new);
    let one = |entry: Story<'_>| {
        let category = entry.text("/category").unwrap_or("unclassified");
        let level = entry.text("/level").unwrap_or_default();
        let count = entry.number("/records").unwrap_or_default();
        format!("{}:{level}({count})", visible(category))
    };
    entries.map(one).collect()
}

/// `matched:Contacts.iban_c`.
fn uses(story: Story<'_>) -> Vec<String> {
    let lists = ["matched", "sorted", "written"];
    let of = |list: &'static str| {
        let fields = story.texts(match list {
            "matched" => "/request/matched",
            "sorted" => "/request/sorted",
            _ => "/request/written",
        });
        fields.map(move |field| format!("{list}:{}", visible(field)))
    };
    lists.into_iter().flat_map(of).collect()
}

/// At most twenty items; how many more there are is said.
fn list(items: &[String]) -> Option<String> {
    let (some, more) = items.split_at(items.len().min(ITEMS_MAX));
    let mut text = some.join(",");
    if !more.is_empty() {
        let _ = write!(text, ",(+{})", more.len());
    }
    (!text.is_empty()).then_some(text)
}

/// A field of the header: `|` and `\` are escaped, and it is one line.
fn header(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('|', "\\|")
}

/// The extension: `key=value` with blanks between, and whether none stands there yet.
struct Extension<'a>(&'a mut String, bool);

impl Extension<'_> {
    /// Adds a key, if there is something to say. Texts of more than one atom have been made visible before.
    fn add(&mut self, key: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        if !std::mem::replace(&mut self.1, false) {
            self.0.push(' ');
        }
        let _ = write!(self.0, "{key}=");
        let is_visible = |char: char| visible(char.encode_utf8(&mut [0; 4])).chars().eq([char]);
        for char in value.chars() {
            match char {
                '\\' => self.0.push_str("\\\\"),
                '=' => self.0.push_str("\\="),
                ' '..='~' => self.0.push(char),
                char if is_visible(char) => self.0.push(char),
                // It stands in a text that the log would have made visible.
                char => self
                    .0
                    .push_str(&visible(char.encode_utf8(&mut [0; 4])).replace('\\', "\\\\")),
            }
        }
    }

    fn labelled(&mut self, key: &str, label: &str, value: Option<&str>) {
        if value.is_some() {
            self.add(key, value);
            self.add(&format!("{key}Label"), Some(label));
        }
    }
}
