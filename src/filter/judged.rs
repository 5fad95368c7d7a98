//! Records that are there for one caller and not for another, and what stands where one is not.

use crate::dialect::{Count, Shape};
use crate::policy::{Conditions, Judged};

use super::Cause;
use super::books::{Book, Books, Opened};
use super::facts::{Lies, look};
use super::persons::Someone;
use super::reader::{Fault, Reader};
use super::record::{Fate, Treatment, treat};

/// Whether the record that a text begins with is there for the caller, or what stands for one. Nothing of it is shown, and
/// nothing is noted but by which rule it is not.
pub(super) fn is_there(
    reader: Reader<'_>,
    shape: &Shape,
    books: &mut Books,
    bytes_max: usize,
) -> Result<bool, Fault> {
    let lies = match shape {
        Shape::Record(record) => Lies::Alone(record),
        Shape::Entry(entry) => Lies::Beside(entry),
        _ => {
            let treated = treat(reader, shape, books, &mut Vec::new(), bytes_max);
            return treated.map(|(_, fate)| fate == Fate::Keep);
        }
    };
    books.begin();
    let noted = books.noted();
    let mut treatment = Treatment {
        reader,
        books,
        out: &mut Vec::new(),
        copied: 0,
        out_bytes_max: bytes_max,
    };
    let is_there = treatment.book_of(lies)?.is_some();
    books.back_to(noted);
    books.keep();
    Ok(is_there)
}

impl Treatment<'_, '_> {
    /// The book that holds the rules of the record that begins here; `None`, if it is not there for this caller.
    #[inline]
    pub(super) fn book_of(&mut self, lies: Lies<'_>) -> Result<Option<Book>, Fault> {
        let is_root = matches!(lies, Lies::Beside(_)) || self.reader.at() == 0;
        match self.books.open(&lies.shape().module) {
            Opened::Alike(book) => Ok(Some(book)),
            Opened::Judged(judge) if lies.shape().is_part => {
                let too_many = self.reader.fault(Cause::RecordTooLarge);
                let book = self.books.open_judged(&judge, Conditions::UNJUDGED);
                book.ok_or(too_many).map(Some)
            }
            Opened::Judged(judge) => {
                let seen = look(&self.reader, lies, &judge.wanted, false)?;
                let judged = judge.conditions.judge(&mut seen.told(self.books.persons()));
                match judged {
                    Judged::There(number) => {
                        let too_many = self.reader.fault(Cause::RecordTooLarge);
                        let book = self.books.open_judged(&judge, number);
                        book.ok_or(too_many).map(Some)
                    }
                    Judged::Absent(rule) => {
                        if !seen.is_at_end() {
                            // Who walks a record sees what occurs twice; nobody walks this one.
                            look(&self.reader, lies, &judge.wanted, true)?;
                        }
                        self.books.leave_out(rule);
                        if self.books.leaves_ids() && is_root {
                            let too_many = self.reader.fault(Cause::RecordTooLarge);
                            let book = self.books.open_judged(&judge, Conditions::IDS_ALONE);
                            return book.ok_or(too_many).map(Some);
                        }
                        Ok(None)
                    }
                }
            }
        }
    }

    /// Whom the record that begins here is about; `None`: nobody tells, or nobody counts it.
    #[inline]
    pub(super) fn whom(&mut self, lies: Lies<'_>) -> Result<Option<Vec<Someone>>, Fault> {
        if self.books.tells().is_none() || !lies.shape().counted {
            return Ok(None);
        }
        let Some(wanted) = self.books.told_by(&lies.shape().module) else {
            return Ok(None);
        };
        let seen = look(&self.reader, lies, &wanted, false)?;
        let tells = self.books.tells();
        Ok(tells.and_then(|tells| tells.whom(&seen.described())))
    }

    /// Passes a record that is not there.
    pub(super) fn leave_out(&mut self) -> Result<Fate, Fault> {
        self.reader.skip()?;
        Ok(Fate::Absent)
    }

    /// Treats a number that counts records.
    pub(super) fn count(&mut self, count: Count) -> Result<Fate, Fault> {
        if self.books.may_tell_numbers() {
            return self.keep();
        }
        match count {
            Count::All(Some(unknown)) => {
                let start = self.reader.at();
                self.reader.skip()?;
                self.replace(start, unknown)
            }
            Count::All(None) | Count::Listed(_) => self.remove(),
        }
    }

    /// Treats an element of a list, or one of many members of an object.
    pub(super) fn one_of_many(
        &mut self,
        treat: impl FnOnce(&mut Self) -> Result<Fate, Fault>,
    ) -> Result<Fate, Fault> {
        let noted = self.books.noted();
        let fate = treat(self)?;
        if fate == Fate::Absent {
            self.books.back_to(noted);
        }
        Ok(fate)
    }

    /// Treats a value of a record that may be another record, or hold one: what an empty link is stands in its place, where
    /// that is not there.
    pub(super) fn linked(
        &mut self,
        treat: impl FnOnce(&mut Self) -> Result<Fate, Fault>,
    ) -> Result<Fate, Fault> {
        let (start, kind) = (self.reader.at(), self.reader.kind()?);
        let (undone, noted) = ((self.out.len(), self.copied), self.books.noted());
        let fate = treat(self)?;
        if fate != Fate::Absent {
            return Ok(fate);
        }
        self.books.back_to(noted);
        self.out.truncate(undone.0);
        self.copied = undone.1;
        self.replace(start, kind.redacted())
    }
}
