//! Records that are there for one caller and not for another, and what stands where one is not.

use std::borrow::Cow;

use crate::dialect::{Count, RecordShape, Shape};
use crate::policy::{Conditions, Judged};

use super::Cause;
use super::books::{Book, Books, Opened, Trial};
use super::facts::{Lies, Told, look};
use super::persons::Someone;
use super::reader::{Fault, Reader};
use super::record::{Fate, Treatment, Who, is_plain, treat};
use super::terms::Judge;

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

/// What came of treating a record like the one before.
enum Tried<'a> {
    /// It is shown, and this is its id.
    Shown(Option<Cow<'a, str>>),
    /// It is to be treated otherwise.
    Otherwise(Judged),
    /// It must be looked at first.
    Unknown,
}

impl<'a> Treatment<'a, '_> {
    /// The book that holds the rules of the record that begins here; `None`, if it is not there for this caller.
    #[inline]
    pub(super) fn book_of(&mut self, lies: Lies<'_>) -> Result<Option<Book>, Fault> {
        match self.books.open(&lies.shape().module) {
            Opened::Alike(book) => Ok(Some(book)),
            Opened::Judged(judge) => self.looked_at(lies, &judge),
        }
    }

    /// The same, for a record that is judged: it is looked at first.
    fn looked_at(&mut self, lies: Lies<'_>, judge: &Judge) -> Result<Option<Book>, Fault> {
        if lies.shape().is_part {
            return self.judged_book(judge, Conditions::UNJUDGED).map(Some);
        }
        let others = self.books.persons().is_some();
        if let Some(trial) = self.books.trial.as_mut().filter(|_| others) {
            // Whoever is asked of a person notes that the reply shows one.
            trial.has_others = true;
            return Err(self.reader.fault(Cause::Shape));
        }
        let seen = look(&self.reader, lies, &judge.wanted, false)?;
        let judged = judge.conditions.judge(&mut seen.told(self.books.persons()));
        if matches!(judged, Judged::Absent(_)) && !seen.is_at_end() {
            // Who walks a record sees what occurs twice; nobody walks this one.
            look(&self.reader, lies, &judge.wanted, true)?;
        }
        let is_root = matches!(lies, Lies::Beside(_)) || self.reader.at() == 0;
        self.found_to_be(judge, judged, is_root)
    }

    /// The book of a record that was found to be something.
    fn found_to_be(
        &mut self,
        judge: &Judge,
        judged: Judged,
        is_root: bool,
    ) -> Result<Option<Book>, Fault> {
        if !self.books.is_within {
            judge.expected.set(&judged);
        }
        match judged {
            Judged::There(number) => self.judged_book(judge, number).map(Some),
            Judged::Absent(rule) => {
                self.books.leave_out(rule);
                let is_id_left = self.books.leaves_ids() && is_root;
                let book = is_id_left.then(|| self.judged_book(judge, Conditions::IDS_ALONE));
                book.transpose()
            }
        }
    }

    fn judged_book(&mut self, judge: &Judge, number: u64) -> Result<Book, Fault> {
        let too_many = self.reader.fault(Cause::RecordTooLarge);
        let book = self.books.open_judged(judge, number).ok_or(too_many)?;
        self.books.make_room(book).then_some(book).ok_or(too_many)
    }

    /// Treats a record that is judged; `None`, if it is not there for this caller.
    pub(super) fn judged_record(
        &mut self,
        shape: &RecordShape,
        judge: &Judge,
    ) -> Result<Option<Who<'a>>, Fault> {
        let book = match self.as_before(shape, judge) {
            Tried::Shown(id) => return Ok(Some((id, None))),
            Tried::Otherwise(judged) => self.found_to_be(judge, judged, self.reader.at() == 0)?,
            Tried::Unknown => self.looked_at(Lies::Alone(shape), judge)?,
        };
        self.books.is_within = true;
        book.map(|book| self.on_rules(shape, book)).transpose()
    }

    /// Treats a record on the rules of the one before, and judges it by what was found on the way: most are alike, so that each is
    /// walked once. Where it is another one, or something is wrong with it, nothing has happened.
    fn as_before(&mut self, shape: &RecordShape, judge: &Judge) -> Tried<'a> {
        // One within another is not walked twice for each time that the other one is.
        let is_usual = !shape.is_part
            && !self.books.is_within
            && self.books.tells().is_none()
            && is_plain(shape)
            && self.reader.peek() == Some(b'{');
        let number = judge.expected.number().filter(|_| is_usual);
        let Some((number, book)) =
            number.and_then(|number| Some((number, self.books.open_judged(judge, number)?)))
        else {
            return Tried::Unknown;
        };
        let (begin, mark) = (self.reader.clone(), self.books.mark());
        let undone = (self.out.len(), self.copied);
        let mut found = judge.wanted.nothing();
        (self.books.is_within, self.books.trial) = (true, Some(Trial::default()));
        let walked = self.fields(shape, book, Some(&mut found));
        let trial = self.books.trial.take().unwrap_or_default();
        self.books.is_within = false;
        if trial.has_others {
            judge.expected.give_up();
        }
        let tried = match walked {
            Ok(id) if trial == Trial::default() => {
                let record = judge.wanted.described(&shape.module, id.as_deref(), &found);
                let mut told = Told::new(record, self.books.persons());
                let judged = judge.conditions.judge(&mut told);
                if judged == Judged::There(number) && self.books.make_room(book) {
                    return Tried::Shown(id);
                }
                Tried::Otherwise(judged)
            }
            _ => Tried::Unknown,
        };
        self.reader = begin;
        self.books.back_to_mark(mark);
        self.out.truncate(undone.0);
        self.copied = undone.1;
        tried
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
