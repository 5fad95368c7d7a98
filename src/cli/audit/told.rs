//! What an event tells, in the words of the format (docs/audit.md). A log that somebody tampered with may hold anything, so each
//! text is made visible here.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::audit::{Found, visible};
use crate::vocabulary::Level;

/// An event, to be told of.
pub(super) struct Told {
    value: Value,
    pub(super) is_unclosed: bool,
}

/// Data of one category at one level.
pub(super) struct Data {
    /// `None`: nobody has classified it.
    pub(super) category: Option<String>,
    pub(super) level: String,
    pub(super) fields: Vec<String>,
    pub(super) records: u64,
    pub(super) in_text: u64,
    pub(super) by: Vec<String>,
}

impl Data {
    /// Whether it was shown, in whatever form.
    pub(super) fn is_shown(&self) -> bool {
        let is_form = ["clear", "mask", "token"].contains(&self.level.as_str());
        is_form && (self.records > 0 || self.in_text > 0)
    }

    /// Whether a field of it is of a module.
    pub(super) fn is_of(&self, module: &str) -> bool {
        let begins = |field: &String| {
            let rest = field.strip_prefix(module);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        self.fields.iter().any(begins)
    }

    /// The name of the category.
    pub(super) fn name(&self) -> &str {
        self.category.as_deref().unwrap_or("(unclassified)")
    }
}

impl Told {
    pub(super) fn of(found: &Found) -> Self {
        Self {
            value: found.json(),
            is_unclosed: found.is_unclosed(),
        }
    }

    /// All of it.
    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    fn at(&self, path: &str) -> &Value {
        self.value.pointer(path).unwrap_or(&Value::Null)
    }

    /// A text of it; empty if it is not there.
    pub(super) fn text(&self, path: &str) -> String {
        self.at(path).as_str().map(visible).unwrap_or_default()
    }

    /// A number of it.
    pub(super) fn number(&self, path: &str) -> Option<u64> {
        self.at(path).as_u64()
    }

    /// The texts of a list.
    pub(super) fn list(&self, path: &str) -> Vec<String> {
        let items = self.at(path).as_array().into_iter().flatten();
        items.filter_map(Value::as_str).map(visible).collect()
    }

    /// Whether it is about a request.
    pub(super) fn is_request(&self) -> bool {
        self.value.get("phase").is_some()
    }

    /// The time to the second, with a space for the `T`.
    pub(super) fn day_and_time(&self) -> (String, String) {
        let time = self.text("/time");
        match time.split_once('T') {
            Some((day, rest)) => {
                let seconds = rest.split_once('.').map_or(rest, |(seconds, _)| seconds);
                (day.to_owned(), seconds.trim_end_matches('Z').to_owned())
            }
            None => (time, String::new()),
        }
    }

    /// Who, and in which roles.
    pub(super) fn who(&self) -> String {
        let roles = self.list("/caller/roles").join(", ");
        match (self.text("/caller/name"), roles) {
            (name, _) if name.is_empty() => String::new(),
            (name, roles) if roles.is_empty() => name,
            (name, roles) => format!("{name} ({roles})"),
        }
    }

    /// What was done: `read Contacts`, or the name of an event that is not about a request.
    pub(super) fn what(&self) -> String {
        if !self.is_request() {
            return self.text("/event");
        }
        let words = [self.text("/request/action"), self.text("/request/module")];
        let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
        words.join(" ")
    }

    /// How it ended, in a word or two.
    pub(super) fn outcome(&self) -> String {
        if self.is_unclosed {
            return "(never closed)".to_owned();
        }
        match (self.text("/outcome/kind"), self.text("/outcome/reason")) {
            (kind, reason) if reason.is_empty() => kind,
            (kind, reason) => format!("{kind}: {reason}"),
        }
    }

    /// What became of data.
    pub(super) fn data(&self) -> Vec<Data> {
        let entries = self.at("/data").as_array().into_iter().flatten();
        let list = |entry: &Value, key: &str| {
            let items = entry[key].as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(visible).collect()
        };
        let data = |entry: &Value| Data {
            category: entry["category"].as_str().map(visible),
            level: entry["level"].as_str().map(visible).unwrap_or_default(),
            fields: list(entry, "fields"),
            records: entry
                .pointer("/records")
                .and_then(Value::as_u64)
                .unwrap_or(0),
            in_text: entry["in_text"].as_u64().unwrap_or(0),
            by: list(entry, "by"),
        };
        entries.map(data).collect()
    }

    /// The categories at each level: those that were shown in clear, masked or as tokens, and those that were withheld.
    pub(super) fn by_level(&self) -> BTreeMap<String, Vec<String>> {
        let mut levels: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let shown = [Level::Clear, Level::Mask, Level::Token].map(Level::as_str);
        for data in self.data() {
            if shown.contains(&data.level.as_str()) && !data.is_shown() {
                continue;
            }
            let names = levels.entry(data.level.clone()).or_default();
            if !names.iter().any(|name| name == data.name()) {
                names.push(data.name().to_owned());
            }
        }
        levels
    }

    /// The categories at a level.
    pub(super) fn at_level(&self, level: &str) -> Vec<String> {
        self.by_level().remove(level).unwrap_or_default()
    }
}

/// A cell of a table for spreadsheets: what would be a formula there is text.
pub(super) fn cell(text: &str) -> String {
    crate::spreadsheet::harmless(text)
}

/// Lines for spreadsheets (RFC 4180).
pub(super) fn csv<'r>(
    rows: impl IntoIterator<Item = &'r Vec<String>>,
) -> Result<String, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|text| cell(text)))?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "＝1", "|x", "%x"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("x;=1"), "x;'=1");
        for text in ["fanny", "", "2026-11-23T09:00:00Z", "a=b"] {
            assert_eq!(cell(text), text);
        }
        let rows = [vec!["a,b".to_owned(), "say \"x\"".to_owned()]];
        assert_eq!(csv(&rows).unwrap(), "\"a,b\",\"say \"\"x\"\"\"\r\n");
    }
}
