//! Remembers the rule of every field name seen, and counts what was shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::detect::Kind;
use crate::json::Key;
use crate::policy::{FieldRule, KnownFields, Plan};
use crate::vocabulary::{Module, RecordRef};

use super::Report;
use super::book::{ModuleBook, Remainder};
use super::memory::Memory;
use super::reader::Type;
use super::seen::Seen;

/// Bound on what the names of one reply that nobody knows take, with what is remembered beside each.
const NAMES_BYTES_MAX: usize = 8 << 20;

/// What is remembered beside a field name, roughly.
const NAME_OVERHEAD_BYTES: usize = 256;

/// Records within a record whose sets of fields are kept until it has proved whole.
const READ_MAX: usize = 64;

/// Keys beside records that are remembered, and how long they may be.
const UNHEARD_MAX: usize = 32;
const UNHEARD_BYTES_MAX: usize = 64;

/// Longest id of a record that is reported.
const ID_BYTES_MAX: usize = 64;

/// What a plan says of records: the part of it that the filter asks.
pub(super) trait Terms: fmt::Debug + Send + Sync {
    /// The rule of a field.
    fn field(&self, module: &Module, name: &str) -> Arc<FieldRule>;

    /// How the name of one of a module's records is shown where another record copies it.
    fn display_name(&self, module: &Module) -> Option<Arc<FieldRule>>;

    /// Fields whose rules [`Terms::field`] need not be asked for. Where this returns the same ones again, all other fields
    /// of the module have the same rules again, too.
    fn fields(&self, _module: &Module) -> Arc<KnownFields> {
        Arc::default()
    }
}

impl Terms for Plan {
    fn field(&self, module: &Module, name: &str) -> Arc<FieldRule> {
        self.records(module).field(name)
    }

    fn display_name(&self, module: &Module) -> Option<Arc<FieldRule>> {
        self.records(module).display_name()
    }

    fn fields(&self, module: &Module) -> Arc<KnownFields> {
        self.records(module).fields().clone()
    }
}

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

/// Something that counts once the record in which it was met has proved whole.
#[derive(Clone, Copy, Debug)]
enum Note {
    Present(Entry),
    Found(Entry, Kind),
    Misfit(Entry, Type),
}

/// The rules of one reply by field name, and the counts of its report.
#[derive(Debug)]
pub(super) struct Books {
    terms: Box<dyn Terms>,
    memory: Memory,
    books: Vec<ModuleBook>,
    names_bytes: usize,
    pub(super) refs: Vec<RecordRef>,
    records: u64,
    unheard: BTreeSet<Box<str>>,
    notes: Vec<Note>,
    /// What the records were seen to hold that have been read since [`Self::begin`].
    read: Vec<(Book, Seen)>,
    /// How many references and records there were before the record under treatment.
    before: (usize, u64),
    /// Sets that no record uses any more, to be used again.
    spare: Vec<Seen>,
}

impl Books {
    pub(super) fn new(terms: Box<dyn Terms>, memory: &Memory) -> Self {
        Self {
            terms,
            memory: memory.clone(),
            books: Vec::new(),
            names_bytes: 0,
            refs: Vec::new(),
            records: 0,
            unheard: BTreeSet::new(),
            notes: Vec::new(),
            read: Vec::new(),
            before: (0, 0),
            spare: Vec::new(),
        }
    }

    /// Something is about to be read: what is noted from here on counts once it is [kept](Self::keep).
    pub(super) fn begin(&mut self) {
        self.forget();
        self.before = (self.refs.len(), self.records);
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
    }

    fn forget(&mut self) {
        self.notes.clear();
        self.spare.extend(self.read.drain(..).map(|(_, seen)| seen));
    }

    /// Counts what was noted since [`Self::begin`].
    pub(super) fn keep(&mut self) {
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

    /// The book of a module.
    pub(super) fn open(&mut self, module: &Module) -> Book {
        let known = self.books.iter().position(|book| book.module == *module);
        Book(known.unwrap_or_else(|| {
            let known = self.terms.fields(module);
            self.books.push(self.memory.take(module, known));
            self.books.len() - 1
        }))
    }

    /// The entry of a field name; `None` if the reply holds more names than any CRM has.
    pub(super) fn entry(&mut self, book: Book, name: &str) -> Option<Entry> {
        let in_book = self.books.get_mut(book.0)?;
        if let Some(place) = in_book.place(name) {
            return Some(Entry { book, place });
        }
        self.names_bytes += name.len() + NAME_OVERHEAD_BYTES;
        if self.names_bytes > NAMES_BYTES_MAX {
            return None;
        }
        let rule = self.terms.field(&in_book.module, name);
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
        if self.unheard.len() < UNHEARD_MAX && key.len() <= UNHEARD_BYTES_MAX {
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
    pub(super) fn noted(&self) -> (usize, usize, usize, u64) {
        (
            self.notes.len(),
            self.read.len(),
            self.refs.len(),
            self.records,
        )
    }

    /// Counts a record, by its id if it has a usable one.
    pub(super) fn counted(&mut self, module: &Module, id: Option<&str>) {
        self.records += 1;
        let usable = id.filter(|id| {
            // Looked at to the end rather than to the first: that is done many bytes at a time.
            let is_unusable = |byte| !(b' '..=b'~').contains(&byte);
            (1..=ID_BYTES_MAX).contains(&id.len())
                && !id.bytes().fold(false, |any, byte| any | is_unusable(byte))
        });
        if let Some(id) = usable {
            self.refs.push(RecordRef {
                module: module.clone(),
                id: Arc::from(id),
            });
        }
    }

    /// The name of a module's records, where another record copies it: its rule, and the entry that it counts under.
    pub(super) fn display_name(&mut self, module: &Module) -> Option<(Arc<FieldRule>, Entry)> {
        let rule = self.terms.display_name(module)?;
        let book = self.open(module);
        let entry = self.entry(book, rule.field.as_str())?;
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
        let counts: Vec<_> = self.books.iter().flat_map(ModuleBook::counts).collect();
        let fields = self.memory.ordered(&counts);
        let misfits = self.books.iter().flat_map(ModuleBook::misfits).collect();
        let memory = self.memory;
        self.books.into_iter().for_each(|book| memory.put(book));
        Report {
            fields,
            refs: self.refs,
            records: self.records,
            absent: BTreeMap::new(),
            misfits,
            unheard: self.unheard,
        }
    }
}
