//! Remembers the rule of every field name seen, and counts what was shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::detect::Kind;
use crate::dialect::Shape;
use crate::json::Key;
use crate::policy::{FieldRule, KnownFields};
use crate::vocabulary::{Field, Module, RecordRef, RuleName};

use super::asked::Asked;
use super::book::{ModuleBook, Remainder};
use super::facts::Wanted;
use super::memory::Memory;
use super::persons::{Persons, Someone, Tells, Whom};
use super::reader::Type;
use super::seen::Seen;
use super::terms::{Expected, Judge, Terms};
use super::{Limits, Report};

mod trial;

pub(super) use trial::Trial;

/// Bound on what the names of one reply that nobody knows take, with what is remembered beside each.
const NAMES_BYTES_MAX: usize = 8 << 20;

/// What a book of records takes that have the rules of a number.
const BOOK_BYTES: usize = 32 << 10;

/// What is remembered beside a field name, roughly.
const NAME_OVERHEAD_BYTES: usize = 256;

/// Records within a record whose sets of fields are kept until it has proved whole.
const READ_MAX: usize = 64;

/// Keys beside records that are remembered, and how long they may be.
const UNHEARD_MAX: usize = 32;
const UNHEARD_BYTES_MAX: usize = 64;

/// Longest id of a record that is reported.
const ID_BYTES_MAX: usize = 64;

/// A field of the records of one module; the same for every spelling of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) book: Book,
    /// Its place in the book.
    pub(super) place: usize,
}

/// The module of a record, as the books know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Book(usize);

/// How the records of a module are treated.
pub(super) enum Opened {
    /// All on the same terms.
    Alike(Book),
    /// Each as it is judged.
    Judged(Arc<Judge>),
}

/// Something that counts once the record in which it was met has proved whole.
#[derive(Clone, Copy, Debug)]
enum Note {
    Present(Entry),
    Found(Entry, Kind),
    Misfit(Entry, Type),
}

/// How many notes, sets of fields, references, records and those of whom it is told whom they are about there are.
pub(super) type Noted = (usize, usize, usize, u64, usize);

/// The rules of one reply by field name, and the counts of its report.
#[derive(Debug)]
pub(super) struct Books {
    terms: Box<dyn Terms>,
    /// Whether records of the reply, outside of others, are judged.
    pub(super) is_judging: bool,
    /// Whether a field of another module was shown in a record, as the name of a parent.
    pub(super) has_copies: bool,
    /// Bytes of a text in which something is looked for.
    pub(super) text_bytes_max: usize,
    /// Whether a record that is judged is under treatment.
    pub(super) is_within: bool,
    /// What is read while it may have to be undone, if so.
    pub(super) trial: Option<Trial>,
    asked: Asked,
    memory: Memory,
    books: Vec<ModuleBook>,
    judges: Vec<Arc<Judge>>,
    names_bytes: usize,
    pub(super) refs: Vec<RecordRef>,
    records: u64,
    /// Whom the records were about that were counted, where somebody tells.
    pub(super) whom: Vec<Whom>,
    /// What must be read of records to tell that.
    told_by: Vec<(Module, Arc<Wanted>)>,
    unheard: BTreeSet<Box<str>>,
    notes: Vec<Note>,
    /// What the records were seen to hold that have been read since [`Self::begin`].
    read: Vec<(Book, Seen)>,
    /// How many references and records there were before the record under treatment, and of how many it was told whom they are
    /// about.
    before: (usize, u64, usize),
    /// By which rules the records were found not to be there that have been read since [`Self::begin`].
    left_out: Vec<RuleName>,
    absent: BTreeMap<RuleName, u64>,
    /// Sets that no record uses any more, to be used again.
    spare: Vec<Seen>,
}

impl Books {
    /// The books of a reply of this shape.
    pub(super) fn new(
        terms: Box<dyn Terms>,
        shape: &Shape,
        asked: Asked,
        limits: Limits,
        memory: &Memory,
    ) -> Self {
        let mut is_judging = false;
        shape.each_module(&mut |module| {
            is_judging = is_judging || terms.conditions(module).is_some();
        });
        Self {
            is_judging,
            has_copies: false,
            text_bytes_max: limits.text_bytes_max,
            is_within: false,
            trial: None,
            terms,
            asked,
            memory: memory.clone(),
            books: Vec::new(),
            judges: Vec::new(),
            names_bytes: 0,
            refs: Vec::new(),
            records: 0,
            whom: Vec::new(),
            told_by: Vec::new(),
            unheard: BTreeSet::new(),
            notes: Vec::new(),
            read: Vec::new(),
            before: (0, 0, 0),
            left_out: Vec::new(),
            absent: BTreeMap::new(),
            spare: Vec::new(),
        }
    }

    /// Something is about to be read: what is noted from here on counts once it is [kept](Self::keep).
    pub(super) fn begin(&mut self) {
        self.forget();
        (self.is_within, self.trial) = (false, None);
        self.before = (self.refs.len(), self.records, self.whom.len());
    }

    /// How many records there were.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Forgets what was noted since [`Self::begin`].
    pub(super) fn undo(&mut self) {
        self.forget();
        self.refs.truncate(self.before.0);
        self.records = self.before.1;
        self.whom.truncate(self.before.2);
    }

    fn forget(&mut self) {
        self.notes.clear();
        self.left_out.clear();
        self.spare.extend(self.read.drain(..).map(|(_, seen)| seen));
    }

    /// Forgets what was shown of something that is left out, since so much had been [noted](Self::noted). That records of
    /// it are not there stays noted.
    pub(super) fn back_to(&mut self, (notes, read, refs, records, whom): Noted) {
        self.notes.truncate(notes);
        self.refs.truncate(refs);
        self.records = records;
        self.whom.truncate(whom);
        let read = self.read.drain(read.min(self.read.len())..);
        self.spare.extend(read.map(|(_, seen)| seen));
    }

    /// Counts what was noted since [`Self::begin`].
    pub(super) fn keep(&mut self) {
        for rule in self.left_out.drain(..) {
            *self.absent.entry(rule).or_default() += 1;
        }
        for (Book(book), mut seen) in self.read.drain(..) {
            if let Some(book) = self.books.get_mut(book) {
                book.count(&mut seen);
            }
            self.spare.push(seen);
        }
        for note in self.notes.drain(..) {
            let (Note::Present(entry) | Note::Found(entry, _) | Note::Misfit(entry, _)) = note;
            let Some(book) = self.books.get_mut(entry.book.0) else {
                continue;
            };
            match note {
                Note::Present(_) => book.present(entry.place),
                Note::Found(_, kind) => book.found(entry.place, kind),
                Note::Misfit(_, kind) => book.misfit(entry.place, kind),
            }
        }
    }

    /// The book of a module, or how its records are judged.
    pub(super) fn open(&mut self, module: &Module) -> Opened {
        let is_it = |book: &ModuleBook| book.number.is_none() && book.module == *module;
        if let Some(known) = self.books.iter().position(is_it) {
            return Opened::Alike(Book(known));
        }
        match self.judge(module) {
            Some(judge) => Opened::Judged(judge),
            None => {
                let known = self.terms.fields(module);
                let book = self
                    .memory
                    .take(module, known, &self.added(module), &Arc::default());
                self.books.push(book);
                Opened::Alike(Book(self.books.len() - 1))
            }
        }
    }

    /// Fields that were asked for beside what the caller asked for.
    fn added(&self, module: &Module) -> Arc<BTreeSet<Field>> {
        self.asked
            .added
            .get(module)
            .map_or_else(Arc::default, |added| Arc::new(added.clone()))
    }

    fn judge(&mut self, module: &Module) -> Option<Arc<Judge>> {
        if let Some(known) = self.judges.iter().find(|judge| judge.module == *module) {
            return Some(Arc::clone(known));
        }
        let conditions = self.terms.conditions(module)?;
        let judge = Arc::new(Judge {
            module: module.clone(),
            wanted: Wanted::new(conditions.wanted()),
            added: self.added(module),
            read: Arc::new(conditions.wanted().clone()),
            expected: Expected::new(conditions.usual()),
            conditions,
        });
        self.judges.push(Arc::clone(&judge));
        Some(judge)
    }

    /// The book of those records of a module that have the rules of a number; `None` if there are more such numbers than
    /// any policy has, or if it is new where nothing may be remembered. It takes [room](Self::make_room) once a record has them.
    pub(super) fn open_judged(&mut self, judge: &Judge, number: u64) -> Option<Book> {
        let is_it = |book: &ModuleBook| book.number == Some(number) && book.module == judge.module;
        if let Some(known) = self.books.iter().position(is_it) {
            return Some(Book(known));
        }
        if self.is_news() {
            return None;
        }
        let known = judge.conditions.fields(number);
        let mut book = self
            .memory
            .take(&judge.module, known, &judge.added, &judge.read);
        book.number = Some(number);
        self.books.push(book);
        Some(Book(self.books.len() - 1))
    }

    /// A record is not there, because of a rule.
    pub(super) fn leave_out(&mut self, rule: RuleName) {
        self.left_out.push(rule);
    }

    /// How many records are not there, by the rule that says so.
    pub(super) fn absent(&self) -> &BTreeMap<RuleName, u64> {
        &self.absent
    }

    /// Whether numbers that the CRM tells count nothing but what the caller may know of, as far as this reply has shown.
    pub(super) fn may_tell_numbers(&self) -> bool {
        let is_none_missing = self.absent.is_empty() && self.left_out.is_empty();
        !self.is_judging || (self.asked.pushed && is_none_missing)
    }

    /// Whether records that are not there leave their ids.
    pub(super) fn leaves_ids(&self) -> bool {
        self.asked.ids_alone
    }

    /// Who knows of persons.
    pub(super) fn persons(&self) -> Option<&dyn Persons> {
        self.asked.persons.as_deref()
    }

    /// Who tells whom records are about.
    #[inline]
    pub(super) fn tells(&self) -> Option<&dyn Tells> {
        self.asked.tells.as_deref()
    }

    /// What must be read of a module's records to tell whom they are about.
    pub(super) fn told_by(&mut self, module: &Module) -> Option<Arc<Wanted>> {
        let mut known = self.told_by.iter();
        if let Some((_, wanted)) = known.find(|(known, _)| known == module) {
            return Some(Arc::clone(wanted));
        }
        let wanted = Arc::new(Wanted::new(self.tells()?.fields(module)?));
        self.told_by.push((module.clone(), Arc::clone(&wanted)));
        Some(wanted)
    }

    /// Whether fields were asked for to judge the records of a book only.
    pub(super) fn has_added(&self, Book(book): Book) -> bool {
        self.books.get(book).is_some_and(ModuleBook::has_added)
    }

    /// Whether a field was asked for to judge records only.
    pub(super) fn is_added(&self, entry: Entry) -> bool {
        let book = self.books.get(entry.book.0);
        book.is_some_and(|book| book.is_added(entry.place))
    }

    /// Under which number conditions ask for a field.
    pub(super) fn wanted(&self, entry: Entry) -> Option<usize> {
        self.books.get(entry.book.0)?.wanted(entry.place)
    }

    /// The entry of a field name; `None` if the reply holds more names than any CRM has, or if it is a new one that nobody
    /// knows where nothing is remembered.
    pub(super) fn entry(&mut self, book: Book, name: &str) -> Option<Entry> {
        let in_book = self.books.get_mut(book.0)?;
        if let Some(place) = in_book.place(name) {
            return Some(Entry { book, place });
        }
        if self.is_news() {
            return None;
        }
        self.names_bytes += name.len() + NAME_OVERHEAD_BYTES;
        if self.names_bytes > NAMES_BYTES_MAX {
            return None;
        }
        let in_book = self.books.get_mut(book.0)?;
        let rule = match in_book.number {
            None => self.terms.field(&in_book.module, name),
            Some(number) => {
                let mut judges = self.judges.iter();
                let judge = judges.find(|judge| judge.module == in_book.module)?;
                judge.conditions.field(number, name)
            }
        };
        let place = in_book.meet_stranger(name, rule)?;
        Some(Entry { book, place })
    }

    /// The field that followed the one at a place, or began a record, the last time, and how it is recognised. Records
    /// of a list mostly have the same fields in the same order.
    #[inline]
    pub(super) fn expected(&self, book: Book, after: Option<usize>) -> Option<(Entry, &Key)> {
        let in_book = self.books.get(book.0)?;
        let place = in_book.next(after);
        let key = &in_book.name(place)?.key;
        Some((Entry { book, place }, key))
    }

    /// Remembers what came after a field, or at the beginning of a record.
    pub(super) fn expect(&mut self, after: Option<usize>, entry: Entry) {
        if let Some(book) = self.books.get_mut(entry.book.0) {
            book.expect(after, entry.place);
        }
    }

    /// See [`ModuleBook::pass_expected`].
    pub(super) fn pass_expected<'t>(
        &self,
        Book(book): Book,
        (text, lists): (&'t [u8], bool),
        seen: &mut Seen,
        last: &mut Option<usize>,
    ) -> Remainder<'t> {
        match self.books.get(book) {
            Some(book) => book.pass_expected((text, lists), seen, last),
            None => Remainder { text, named: None },
        }
    }

    /// The fields of a module whose rules are at hand.
    pub(super) fn known(&self, Book(book): Book) -> Arc<KnownFields> {
        let book = self.books.get(book);
        book.map_or_else(Arc::default, |book| Arc::clone(&book.known))
    }

    /// The number of a field among those.
    #[inline]
    pub(super) fn number(&self, entry: Entry) -> Option<usize> {
        self.books.get(entry.book.0)?.number(entry.place)
    }

    /// The rule of a field.
    pub(super) fn rule(&self, entry: Entry) -> Option<Arc<FieldRule>> {
        self.books.get(entry.book.0)?.rule(entry.place).cloned()
    }

    /// Notes a field as present in one more record, beside what that record was [seen](Self::done) to hold.
    pub(super) fn present(&mut self, entry: Entry) {
        self.notes.push(Note::Present(entry));
    }

    /// Notes an identifier found in the text of a field.
    pub(super) fn found(&mut self, entry: Entry, kind: Kind) {
        self.notes.push(Note::Found(entry, kind));
    }

    /// Notes that a field's value is of a type that its rule cannot show.
    pub(super) fn misfit(&mut self, entry: Entry, kind: Type) {
        self.notes.push(Note::Misfit(entry, kind));
    }

    /// Remembers a key beside records that nobody has said anything of.
    pub(super) fn unheard(&mut self, key: &str) {
        let is_new = self.unheard.len() < UNHEARD_MAX
            && key.len() <= UNHEARD_BYTES_MAX
            && !self.unheard.contains(key);
        if is_new && !self.is_news() {
            self.unheard.insert(Box::from(key));
        }
    }

    /// Those keys.
    pub(super) fn unheard_keys(&self) -> &BTreeSet<Box<str>> {
        &self.unheard
    }

    /// Whether a text begins, at some depth, with the scaffolding that this field held before, and that passed unchanged.
    /// Returns how long it is.
    pub(super) fn passes_again(&self, entry: Entry, text: &[u8], depth: usize) -> Option<usize> {
        let book = self.books.get(entry.book.0)?;
        book.passes_again(entry.place, text, depth)
    }

    /// Remembers scaffolding that has passed unchanged. It says nothing of records, so that passing it again is all that
    /// there is to do.
    pub(super) fn passed(&mut self, entry: Entry, text: &[u8], depth: usize) {
        if let Some(book) = self.books.get_mut(entry.book.0) {
            book.passed(entry.place, text, depth);
        }
    }

    /// How much has been noted since [`Self::begin`].
    pub(super) fn noted(&self) -> Noted {
        (
            self.notes.len(),
            self.read.len(),
            self.refs.len(),
            self.records,
            self.whom.len(),
        )
    }

    /// Counts a record, by its id if it has a usable one, and the persons whom it is about, where somebody counts them.
    pub(super) fn counted(
        &mut self,
        module: &Module,
        id: Option<&str>,
        persons: Option<Vec<Someone>>,
    ) {
        self.records += 1;
        let usable = id.filter(|id| {
            // Looked at to the end rather than to the first: that is done many bytes at a time.
            let is_unusable = |byte| !(b' '..=b'~').contains(&byte);
            (1..=ID_BYTES_MAX).contains(&id.len())
                && !id.bytes().fold(false, |any, byte| any | is_unusable(byte))
        });
        if let Some(tells) = self.asked.tells.as_deref() {
            self.whom.push(Whom {
                module: module.clone(),
                persons: persons.unwrap_or_else(|| vec![tells.alone(module, usable)]),
            });
        }
        if let Some(id) = usable {
            self.refs.push(RecordRef {
                module: module.clone(),
                id: Arc::from(id),
            });
        }
    }

    /// The name of a module's records, where another record copies it: its rule, and the entry that it counts under; no
    /// entry, if nobody can say whether the record is there, and on which terms.
    pub(super) fn display_name(
        &mut self,
        module: &Module,
    ) -> Option<(Arc<FieldRule>, Option<Entry>)> {
        let rule = self.terms.display_name(module)?;
        let entry = match self.open(module) {
            Opened::Alike(book) => Some(self.entry(book, rule.field.as_str())?),
            Opened::Judged(_) => None,
        };
        Some((rule, entry))
    }

    /// An empty set for the fields of a record. Those that come [back](Self::done) save making new ones.
    pub(super) fn seen(&mut self, Book(book): Book) -> Seen {
        let mut seen = self.spare.pop().unwrap_or_default();
        seen.reset(self.books.get(book).map_or(0, ModuleBook::len));
        seen
    }

    /// A record has been read.
    pub(super) fn done(&mut self, book: Book, seen: Seen) {
        if self.read.len() < READ_MAX {
            self.read.push((book, seen));
            return;
        }
        // A note for each field takes less than a set for each record, if there are many small ones.
        seen.counted(|place| self.notes.push(Note::Present(Entry { book, place })));
        self.spare.push(seen);
    }

    /// How many sets of fields are kept.
    #[cfg(test)]
    pub(super) fn sets(&self) -> usize {
        self.read.len() + self.spare.len()
    }

    /// Closes the books.
    pub(super) fn report(mut self) -> Report {
        self.books.iter_mut().for_each(ModuleBook::close);
        // In whatever order they were opened.
        self.books
            .sort_by(|one, other| (&one.module, one.number).cmp(&(&other.module, other.number)));
        let counts: Vec<_> = self.books.iter().flat_map(ModuleBook::counts).collect();
        let mut fields = self.memory.ordered(&counts);
        fields.has_copies = self.has_copies;
        let misfits = self.books.iter().flat_map(ModuleBook::misfits);
        let mut misfits: Vec<_> = misfits.collect();
        misfits.sort_by_cached_key(|misfit| (misfit.rule.path(), misfit.kind));
        let memory = self.memory;
        self.books.into_iter().for_each(|book| memory.put(book));
        Report {
            fields,
            refs: self.refs,
            records: self.records,
            whom: self.whom,
            absent: self.absent,
            misfits,
            unheard: self.unheard,
        }
    }
}
