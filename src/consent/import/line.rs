//! One line of a file, and the event that it says.

use csv::ByteRecord;

use super::columns::Columns;
use crate::consent::moment::moment;
use crate::consent::policy_terms::PolicyTerms;
use crate::ledger::{Address, Channel, Draft, Kind, Proof, Reference, Who};

/// All purposes.
const EVERY: &str = "*";

/// What is wrong with a line: fixed words, nothing that stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {why}", .column.map(|column| format!(", `{column}`")).unwrap_or_default())]
pub struct Wrong {
    /// Its number; the heading is 1.
    pub line: u64,
    /// The column.
    pub column: Option<&'static str>,
    /// Why.
    pub why: String,
}

/// One line of a file.
pub(super) struct Line<'a> {
    columns: &'a Columns,
    number: u64,
    cells: Vec<String>,
}

impl<'a> Line<'a> {
    pub(super) fn of(columns: &'a Columns, number: u64, cells: &ByteRecord) -> Result<Self, Wrong> {
        let wrong = |why: &str| Wrong {
            line: number,
            column: None,
            why: why.to_owned(),
        };
        if cells.len() != columns.count() {
            return Err(wrong("it has not as many cells as the heading"));
        }
        let texts = cells.iter().map(|cell| std::str::from_utf8(cell));
        let texts: Result<Vec<&str>, _> = texts.collect();
        let texts = texts.map_err(|_| wrong("it is not in UTF-8"))?;
        Ok(Self {
            columns,
            number,
            cells: texts.into_iter().map(plain).collect(),
        })
    }

    /// Its number.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// What is wrong with it.
    pub(super) fn wrong(&self, column: Option<&'static str>, why: impl Into<String>) -> Wrong {
        Wrong {
            line: self.number,
            column,
            why: why.into(),
        }
    }

    /// What stands in a column; `None` if it is blank or there is none.
    fn get(&self, column: &'static str) -> Option<&str> {
        let cell = self.cells.get(self.columns.place(column)?)?;
        Some(cell.as_str()).filter(|text| !text.is_empty())
    }

    fn owned(&self, column: &'static str) -> Option<String> {
        self.get(column).map(str::to_owned)
    }

    /// The event that it says.
    pub(super) fn draft(&self, terms: &PolicyTerms, by: &str) -> Result<Draft, Wrong> {
        let kind = self.read("kind", kind)?;
        let purpose = self.purpose(terms, kind)?;
        let mut draft = Draft::new(self.who()?, purpose, kind, Channel::Import);
        draft.at = Some(self.read("at", |text| moment(text).map_err(|why| why.to_string()))?);
        draft.proof = match (self.get("proof"), kind.affirms()) {
            // What denies needs no proof.
            (None, false) => Proof::None,
            _ => self.read("proof", proof)?,
        };
        draft.source = self.read("source", |text| Ok(text.to_owned()))?;
        draft.by = by.to_owned();
        draft.expires = match self.get("expires") {
            None => None,
            Some(_) => Some(self.read("expires", |text| {
                moment(text).map_err(|why| why.to_string())
            })?),
        };
        draft.basis = self.owned("basis");
        draft.recipient = self.owned("recipient");
        draft.reference = self.owned("reference");
        draft.language = self.owned("language");
        if self.get("text").is_some() {
            draft.text = Some(self.text(terms)?);
        }
        Ok(draft)
    }

    /// What must stand in a column, read.
    fn read<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Wrong> {
        let text = self.get(column);
        let text = text.ok_or_else(|| self.wrong(Some(column), "it is blank"))?;
        read(text).map_err(|why| self.wrong(Some(column), why))
    }

    fn who(&self) -> Result<Who, Wrong> {
        let address = |text: &str| {
            let address = Address::parse(text);
            address.map_err(|why| self.wrong(Some("email"), why.to_string()))
        };
        let record = |text: &str| {
            let record = Reference::parse(text);
            record.map_err(|why| self.wrong(Some("record"), why.to_string()))
        };
        match (self.get("email"), self.get("record")) {
            (Some(email), None) => Ok(Who::Address(address(email)?)),
            (None, Some(known)) => Ok(Who::Record(record(known)?)),
            (Some(email), Some(known)) => Ok(Who::RecordWith(record(known)?, address(email)?)),
            (None, None) => Err(self.wrong(None, "it names nobody: `email` or `record` is needed")),
        }
    }

    fn purpose<'s>(&'s self, terms: &PolicyTerms, kind: Kind) -> Result<&'s str, Wrong> {
        let column = Some("purpose");
        let name = self.get("purpose");
        let name = name.ok_or_else(|| self.wrong(column, "it is blank"))?;
        let is_known = terms.purposes.contains_key(name)
            || name == EVERY && !kind.affirms() && kind != Kind::Requested;
        match is_known {
            true => Ok(name),
            false => {
                let known: Vec<&str> = terms.purposes.keys().map(String::as_str).collect();
                let why = format!(
                    "the policy has no such purpose; it has {}",
                    known.join(", ")
                );
                Err(self.wrong(column, why))
            }
        }
    }

    fn text(&self, terms: &PolicyTerms) -> Result<crate::ledger::ShownText, Wrong> {
        let named = self.get("text").and_then(|text| text.split_once('@'));
        let (name, version) =
            named.ok_or_else(|| self.wrong(Some("text"), "it is written `name@version`"))?;
        let language = self.read("language", |text| Ok(text.to_owned()))?;
        let shown = terms.shown(name, version, &language);
        shown.ok_or_else(|| {
            let why = "the policy has no text of this name, version and language";
            self.wrong(Some("text"), why)
        })
    }
}

/// A cell as it was meant. What was made harmless for spreadsheets begins with an apostrophe.
fn plain(cell: &str) -> String {
    let cell = cell.trim();
    match cell.strip_prefix('\'') {
        Some(rest) if crate::spreadsheet::harmless(rest) == cell => rest.to_owned(),
        _ => cell.to_owned(),
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    let known = || {
        let names: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
        format!("there is no such kind; there are {}", names.join(", "))
    };
    Kind::named(text).ok_or_else(known)
}

fn proof(text: &str) -> Result<Proof, String> {
    let known = || {
        let names: Vec<&str> = Proof::ALL.into_iter().map(Proof::name).collect();
        format!("there is no such proof; there are {}", names.join(", "))
    };
    Proof::named(text).ok_or_else(known)
}
