//! The columns of a file, by its heading.

use csv::ByteRecord;

use crate::diagnostic::{nearest, quoted};

/// What every line needs; `email`, `record` or both stand beside them.
const NEEDED: [&str; 5] = ["purpose", "kind", "at", "proof", "source"];
/// Whom a line is about.
const WHOM: [&str; 2] = ["email", "record"];
/// What can be left out.
const OPTIONAL: [&str; 6] = [
    "basis",
    "expires",
    "language",
    "recipient",
    "reference",
    "text",
];

/// A file has no heading that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLines {
    /// It is empty, or no CSV.
    #[error(
        "it has no heading: the first line names the columns, `email,purpose,kind,at,proof,source`"
    )]
    Heading,
    /// A column that is not known.
    #[error("the column {} is not known{}", quoted(.0), .1.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown(String, Option<&'static str>),
    /// A column that is there twice.
    #[error("the column `{0}` is there twice")]
    Twice(&'static str),
    /// A column that is not there.
    #[error("the column `{0}` is missing")]
    Missing(&'static str),
    /// Nobody whom it is about.
    #[error("a column `email` or `record` is missing: whom is it about?")]
    Whom,
}

/// Which column stands where.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// Names of columns in the order in which they stand.
    names: Vec<&'static str>,
    delimiter: u8,
}

impl Columns {
    /// Reads the heading of a file.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, NoLines> {
        let first = bytes.split(|byte| *byte == b'\n').next();
        let first = first.unwrap_or_default();
        // Where the comma separates decimals, spreadsheets put semicolons between cells.
        let delimiter = match first.contains(&b';') && !first.contains(&b',') {
            true => b';',
            false => b',',
        };
        let mut reader = reader(bytes, delimiter);
        let mut heading = ByteRecord::new();
        let is_read = reader.read_byte_record(&mut heading);
        if !is_read.map_err(|_| NoLines::Heading)? {
            return Err(NoLines::Heading);
        }
        let mut names: Vec<&'static str> = Vec::new();
        for cell in &heading {
            let name = known(cell)?;
            if names.contains(&name) {
                return Err(NoLines::Twice(name));
            }
            names.push(name);
        }
        let has = |name: &&&str| !names.contains(*name);
        if let Some(missing) = NEEDED.iter().find(has) {
            return Err(NoLines::Missing(missing));
        }
        match WHOM.iter().any(|name| names.contains(name)) {
            true => Ok(Self { names, delimiter }),
            false => Err(NoLines::Whom),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    /// Where a column stands.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }

    /// What reads the lines of a file with these columns, the heading among them.
    pub(super) fn reader<'b>(&self, bytes: &'b [u8]) -> csv::Reader<&'b [u8]> {
        reader(bytes, self.delimiter)
    }
}

fn reader(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        // A line with too few cells, or too many, is told by its number.
        .flexible(true)
        .from_reader(bytes)
}

/// The column of that name.
fn known(cell: &[u8]) -> Result<&'static str, NoLines> {
    let text = String::from_utf8_lossy(cell).trim().to_ascii_lowercase();
    let all = || WHOM.iter().chain(&NEEDED).chain(&OPTIONAL).copied();
    all().find(|name| *name == text).ok_or_else(|| {
        let near = nearest(&text, all()).and_then(|near| all().find(|name| *name == near));
        match near {
            // What is like no column may be a value, where the heading was forgotten.
            None => NoLines::Heading,
            near => NoLines::Unknown(text, near),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_names_known_columns_once() {
        let read = |text: &str| Columns::of(text.as_bytes()).map(|columns| columns.names);
        let all = "email,purpose,kind,at,proof,source";
        assert_eq!(read(all).unwrap().len(), 6);
        assert_eq!(read(&all.replace(',', ";")).unwrap().len(), 6);
        assert_eq!(
            read("Email, Purpose ,KIND,at,proof,source\r\n")
                .unwrap()
                .len(),
            6
        );
        let record = all.replace("email", "record");
        assert_eq!(read(&format!("{record},text")).unwrap().len(), 7);
        let refused = |text: &str| read(text).unwrap_err();
        assert_eq!(refused(""), NoLines::Heading);
        assert_eq!(refused("anna@example.com,newsletter"), NoLines::Heading);
        assert_eq!(refused(&format!("{all},kind")), NoLines::Twice("kind"));
        assert_eq!(
            refused("email,purpose,kind,at,proof"),
            NoLines::Missing("source")
        );
        assert_eq!(refused("purpose,kind,at,proof,source"), NoLines::Whom);
        let near = NoLines::Unknown("sorce".to_owned(), Some("source"));
        assert_eq!(refused("email,purpose,kind,at,proof,sorce"), near);
    }
}
