//! The lines of a file, one after the other.

use csv::ByteRecord;

use super::columns::Columns;
use super::line::{Line, Wrong};

/// The lines of a file behind its heading. Blank ones are none.
pub(super) struct Lines<'a> {
    columns: &'a Columns,
    reader: csv::Reader<&'a [u8]>,
    is_begun: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn of(bytes: &'a [u8], columns: &'a Columns) -> Self {
        Self {
            columns,
            reader: columns.reader(bytes),
            is_begun: false,
        }
    }

    /// Bytes that were read.
    pub(super) fn at(&self) -> u64 {
        self.reader.position().byte()
    }
}

impl<'a> Iterator for &mut Lines<'a> {
    type Item = Result<Line<'a>, Wrong>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut cells = ByteRecord::new();
            let line = self.reader.position().line();
            match self.reader.read_byte_record(&mut cells) {
                Ok(false) => return None,
                // The only error that there is of bytes in memory and cells of any number.
                Err(_) => {
                    return Some(Err(Wrong {
                        line,
                        column: None,
                        why: "it cannot be read".to_owned(),
                    }));
                }
                Ok(true) if !self.is_begun => self.is_begun = true,
                Ok(true) if cells.iter().all(<[u8]>::is_empty) => {}
                Ok(true) => {
                    let line = cells.position().map_or(line, csv::Position::line);
                    return Some(Line::of(self.columns, line, &cells));
                }
            }
        }
    }
}
