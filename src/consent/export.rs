//! All events of the ledger, page by page, as a file: for spreadsheets or as JSON. Persons are named by their records and by
//! what is kept of their addresses; there is no address in the clear.

use std::collections::HashMap;

use csv::{QuoteStyle, Terminator, WriterBuilder};
use serde_json::{Value, json};

use super::told::{self, time};
use crate::ledger::{Error, Event, Ledger, Person, PersonId, Who};
use crate::spreadsheet::harmless;

/// Persons that are remembered while a file is written.
const REMEMBERED_MAX: usize = 10_000;

/// The columns.
const COLUMNS: [&str; 22] = [
    "seq",
    "id",
    "person",
    "record",
    "email_key",
    "purpose",
    "kind",
    "at",
    "recorded",
    "proof",
    "source",
    "by_kind",
    "by",
    "basis",
    "text",
    "text_sha256",
    "language",
    "expires",
    "recipient",
    "replaces",
    "reference",
    "hash",
];

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// Rows with commas (RFC 4180), that no spreadsheet computes.
    Csv,
    /// One JSON document.
    Json,
}

/// A file that is being written.
pub struct Exported<'a> {
    ledger: &'a Ledger,
    form: Export,
    persons: HashMap<PersonId, Person>,
    seq: i64,
    is_begun: bool,
    is_ended: bool,
}

impl<'a> Exported<'a> {
    /// Begins a file.
    pub fn new(ledger: &'a Ledger, form: Export) -> Self {
        Self {
            ledger,
            form,
            persons: HashMap::new(),
            seq: 0,
            is_begun: false,
            is_ended: false,
        }
    }

    /// Events that were written.
    pub fn events(&self) -> i64 {
        self.seq
    }

    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn next(&mut self) -> Result<Option<String>, Error> {
        if self.is_ended {
            return Ok(None);
        }
        let page = self.ledger.events_after(self.seq).await?;
        let mut part = String::new();
        if !self.is_begun {
            part.push_str(&match self.form {
                Export::Csv => row(COLUMNS.iter().map(|name| (*name).to_owned())),
                Export::Json => "{\"events\":[\n".to_owned(),
            });
        }
        for event in &page {
            let person = self.person(&event.person).await?;
            match self.form {
                Export::Csv => part.push_str(&row(cells(event, &person).into_iter())),
                Export::Json => {
                    let comma = if self.is_begun { ",\n" } else { "" };
                    part.push_str(comma);
                    part.push_str(&json_of(event, &person).to_string());
                }
            }
            self.is_begun = true;
            self.seq = event.seq;
        }
        if page.is_empty() {
            self.is_ended = true;
            if self.form == Export::Json {
                part.push_str("\n]}\n");
            }
        }
        self.is_begun = true;
        Ok(Some(part))
    }

    /// Who an event is about, as who that is now.
    async fn person(&mut self, id: &PersonId) -> Result<Person, Error> {
        if let Some(known) = self.persons.get(id) {
            return Ok(known.clone());
        }
        if self.persons.len() >= REMEMBERED_MAX {
            self.persons.clear();
        }
        let person = self.ledger.person(Who::Person(id.clone())).await?;
        let person = person.ok_or(Error::Nobody)?;
        self.persons.insert(id.clone(), person.clone());
        Ok(person)
    }
}

fn records(person: &Person) -> String {
    let records = person.records.iter().map(|record| record.as_str());
    records.collect::<Vec<_>>().join(" ")
}

fn cells(event: &Event, person: &Person) -> [String; 22] {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let text = event.text_id.as_ref().zip(event.text_version.as_ref());
    [
        event.seq.to_string(),
        event.id.clone(),
        person.id.as_str().to_owned(),
        records(person),
        person.emails.join(" "),
        event.purpose.clone(),
        event.kind.name().to_owned(),
        time(event.at),
        time(event.recorded),
        event.proof.name().to_owned(),
        event.source.clone(),
        event.by_kind.name().to_owned(),
        event.by_id.clone(),
        optional(&event.basis),
        text.map(|(id, version)| format!("{id}@{version}"))
            .unwrap_or_default(),
        optional(&event.text_sha256),
        optional(&event.language),
        event.expires.map(time).unwrap_or_default(),
        optional(&event.recipient),
        optional(&event.replaces),
        optional(&event.reference),
        event.hash.clone(),
    ]
}

/// One row of CSV. It is made in memory, where nothing can fail.
fn row(cells: impl Iterator<Item = String>) -> String {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(Vec::new());
    let written = writer.write_record(cells.map(|cell| harmless(&cell)));
    let bytes = written.ok().and_then(|()| writer.into_inner().ok());
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

fn json_of(event: &Event, person: &Person) -> Value {
    let mut told = told::event(event);
    if let Value::Object(members) = &mut told {
        members.insert("seq".to_owned(), event.seq.into());
        members.insert("person".to_owned(), person.id.as_str().into());
        let records: Vec<&str> = person.records.iter().map(|one| one.as_str()).collect();
        members.insert(
            "keys".to_owned(),
            json!({ "record": records, "email": person.emails, "phone": person.phones }),
        );
        members.insert("text_sha256".to_owned(), json!(event.text_sha256));
        members.insert("prev".to_owned(), event.prev.as_str().into());
        members.insert("hash".to_owned(), event.hash.as_str().into());
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let cells = ["=1+1", "a,b", "fair"].map(str::to_owned);
        assert_eq!(row(cells.into_iter()), "'=1+1,\"a,b\",fair\r\n");
    }
}
