//! Remembers the rule of every field name seen, and counts what was shown.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::mem;
use std::sync::Arc;

use crate::detect::Kind;
use crate::policy::{FieldRule, KnownFields, Plan, QuotedName};
use crate::vocabulary::{Field, Module, RecordRef};

use super::reader::behind_plain_member;
use super::record::is_looked_at;
use super::{FieldCount, FieldCounts, Report};

/// Bound on what the names of one reply that nobody knows take, with what is remembered beside each.
const NAMES_BYTES_MAX: usize = 8 << 20;

/// What is remembered beside a field name, roughly.
const NAME_OVERHEAD_BYTES: usize = 256;

/// Longest id of a record that is reported.
const ID_BYTES_MAX: usize = 64;

/// What a plan says of records: the part of it that the filter asks.
pub(super) trait Terms: fmt::Debug + Send + Sync {
    /// The rule of a field.
    fn field(&self, module: &Module, name: &str) -> Arc<FieldRule>;

    /// How the name of one of a module's records is shown where another record copies it.
    fn display_name(&self, module: &Module) -> Option<Arc<FieldRule>>;

    /// Fields whose rules [`Terms::field`] need not be asked for.
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
    book: u32,
    slot: u32,
}

impl Entry {
    /// The field's number among the known ones of its module, if it is known.
    pub(super) fn slot(self) -> usize {
        self.slot as usize
    }

    /// `None` beyond what any reply holds.
    fn new(book: usize, slot: usize) -> Option<Self> {
        Some(Self {
            book: book.try_into().ok()?,
            slot: slot.try_into().ok()?,
        })
    }
}

/// The module of a record, as the books know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Book(usize);

/// What is known of the records of one module. Slots are numbers of known fields, and behind them those of strangers.
#[derive(Debug)]
struct ModuleBook {
    module: Module,
    known: Arc<KnownFields>,
    strangers: HashMap<Field, usize>,
    rules_of_strangers: Vec<(Arc<FieldRule>, QuotedName)>,
    /// By slot: in how many records the field was present.
    records: Vec<u64>,
    /// By slot: identifiers found in the field's text.
    in_text: BTreeMap<usize, [u64; Kind::ALL.len()]>,
    /// By slot, the first for the beginning of a record: the slot of the field that came next the last time, plus one.
    followers: Vec<u32>,
}

/// Something that counts once the record in which it was met has proved whole.
#[derive(Clone, Copy, Debug)]
enum Note {
    Present(Entry),
    Found(Entry, Kind),
}

/// The rules of one reply by field name, and the counts of its report.
#[derive(Debug)]
pub(super) struct Books {
    terms: Box<dyn Terms>,
    books: Vec<ModuleBook>,
    names_bytes: usize,
    pub(super) refs: Vec<RecordRef>,
    records: u64,
    notes: Vec<Note>,
    /// How many references and records there were before the record under treatment.
    before: (usize, u64),
    /// Sets that no record uses any more, to be used again.
    spare: Vec<Seen>,
}

impl Books {
    pub(super) fn new(terms: Box<dyn Terms>) -> Self {
        Self {
            terms,
            books: Vec::new(),
            names_bytes: 0,
            refs: Vec::new(),
            records: 0,
            notes: Vec::new(),
            before: (0, 0),
            spare: Vec::new(),
        }
    }

    /// A record is about to be read: what is noted from here on counts once it is [kept](Self::keep).
    pub(super) fn begin(&mut self) {
        self.notes.clear();
        self.before = (self.refs.len(), self.records);
    }

    /// Forgets what was noted since [`Self::begin`].
    pub(super) fn undo(&mut self) {
        self.notes.clear();
        self.refs.truncate(self.before.0);
        self.records = self.before.1;
    }

    /// Counts what was noted since [`Self::begin`].
    pub(super) fn keep(&mut self) {
        for note in self.notes.drain(..) {
            let (Note::Present(entry) | Note::Found(entry, _)) = note;
            let Some(book) = self.books.get_mut(entry.book as usize) else {
                continue;
            };
            match note {
                Note::Present(entry) => {
                    if let Some(records) = book.records.get_mut(entry.slot()) {
                        *records += 1;
                    }
                }
                Note::Found(entry, kind) => {
                    let found = book.in_text.entry(entry.slot()).or_default();
                    if let Some(found) = found.get_mut(kind as usize) {
                        *found += 1;
                    }
                }
            }
        }
    }

    /// The book of a module.
    pub(super) fn open(&mut self, module: &Module) -> Book {
        let known = self.books.iter().position(|book| book.module == *module);
        Book(known.unwrap_or_else(|| {
            let known = self.terms.fields(module);
            self.books.push(ModuleBook {
                module: module.clone(),
                strangers: HashMap::new(),
                rules_of_strangers: Vec::new(),
                records: vec![0; known.len()],
                in_text: BTreeMap::new(),
                followers: vec![0; known.len() + 1],
                known,
            });
            self.books.len() - 1
        }))
    }

    /// The entry of a field name; `None` if the reply holds more names than any CRM has.
    pub(super) fn entry(&mut self, Book(book): Book, name: &str) -> Option<Entry> {
        let in_book = self.books.get_mut(book)?;
        if let Some(slot) = in_book.known.number(name) {
            return Entry::new(book, slot);
        }
        if let Some(&slot) = in_book.strangers.get(name) {
            return Entry::new(book, slot);
        }
        let field = Field::fold(name);
        if let Some(&slot) = in_book.strangers.get(&field) {
            return Entry::new(book, slot);
        }
        self.names_bytes += name.len() + NAME_OVERHEAD_BYTES;
        if self.names_bytes > NAMES_BYTES_MAX {
            return None;
        }
        let slot = in_book.records.len();
        in_book.records.push(0);
        in_book.followers.push(0);
        let rule = self.terms.field(&in_book.module, name);
        let name = QuotedName::new(&rule);
        in_book.rules_of_strangers.push((rule, name));
        in_book.strangers.insert(field, slot);
        Entry::new(book, slot)
    }

    /// The field that followed another one, or began a record, the last time; and its name as a JSON text. Records of a
    /// list mostly have the same fields in the same order.
    #[inline]
    pub(super) fn expected(&self, Book(book): Book, after: Option<Entry>) -> Option<(Entry, &str)> {
        let in_book = self.books.get(book)?;
        let place = after.map_or(0, |after| after.slot() + 1);
        let slot = in_book.followers.get(place)?.checked_sub(1)?;
        let name = in_book.name(slot as usize)?;
        Some((Entry::new(book, slot as usize)?, &name.text))
    }

    /// Passes the fields that a text begins with for as long as each is the expected one, is shown in clear, has a scalar
    /// without escapes for a value, and another field right behind it. Everything else is left to who looks at every
    /// case. Returns the text from the first field that was not passed.
    pub(super) fn pass_expected<'t>(
        &mut self,
        Book(book): Book,
        mut text: &'t [u8],
        seen: &mut Seen,
        last: &mut Option<Entry>,
    ) -> &'t [u8] {
        let (Ok(number), Some(in_book)) = (u32::try_from(book), self.books.get(book)) else {
            return text;
        };
        let mut place = last.map_or(0, |last| last.slot() + 1);
        while let Some(&follower) = in_book.followers.get(place)
            && let Some(slot) = follower.checked_sub(1)
            && let Some(name) = in_book.name(slot as usize)
            && name.is_clear
            && !is_looked_at(&name.text)
            && let Some([b',', behind @ ..]) = behind_plain_member(text, &name.text)
            && behind.first() == Some(&b'"')
        {
            let entry = Entry { book: number, slot };
            if !seen.insert(entry) {
                break;
            }
            self.notes.push(Note::Present(entry));
            *last = Some(entry);
            place = follower as usize;
            text = behind;
        }
        text
    }

    /// Remembers what came after a field, or at the beginning of a record.
    pub(super) fn expect(&mut self, after: Option<Entry>, entry: Entry) {
        let place = after.map_or(0, |after| after.slot() + 1);
        if let Some(follower) = self
            .books
            .get_mut(entry.book as usize)
            .and_then(|book| book.followers.get_mut(place))
        {
            *follower = entry.slot + 1;
        }
    }

    /// The fields of a module whose rules are at hand.
    pub(super) fn known(&self, Book(book): Book) -> Arc<KnownFields> {
        let book = self.books.get(book);
        book.map_or_else(Arc::default, |book| Arc::clone(&book.known))
    }

    /// The rule of a field.
    pub(super) fn rule(&self, entry: Entry) -> Option<Arc<FieldRule>> {
        self.books
            .get(entry.book as usize)?
            .rule(entry.slot())
            .cloned()
    }

    /// Notes a field as present in one more record.
    #[inline]
    pub(super) fn present(&mut self, entry: Entry) {
        self.notes.push(Note::Present(entry));
    }

    /// Notes an identifier found in the text of a field.
    pub(super) fn found(&mut self, entry: Entry, kind: Kind) {
        self.notes.push(Note::Found(entry, kind));
    }

    /// Counts a record, by its id if it has a usable one.
    pub(super) fn counted(&mut self, module: &Module, id: Option<&str>) {
        self.records += 1;
        let usable = id.filter(|id| {
            (1..=ID_BYTES_MAX).contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() || byte == b' ')
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
    pub(super) fn seen(&mut self) -> Seen {
        self.spare.pop().unwrap_or_default()
    }

    /// A record has been read.
    pub(super) fn done(&mut self, mut seen: Seen) {
        seen.words.clear();
        self.spare.push(seen);
    }

    /// Closes the books.
    pub(super) fn report(mut self) -> Report {
        let mut fields = Vec::new();
        for book in mem::take(&mut self.books) {
            let present = book.records.iter().enumerate();
            for (slot, &records) in present.filter(|(_, records)| **records > 0) {
                let Some(rule) = book.rule(slot).filter(|rule| !rule.structural) else {
                    continue;
                };
                fields.push(FieldCount {
                    rule: rule.clone(),
                    records,
                    in_text: book.in_text(slot),
                });
            }
        }
        Report {
            fields: FieldCounts::new(fields),
            refs: self.refs,
            records: self.records,
        }
    }
}

impl ModuleBook {
    fn rule(&self, slot: usize) -> Option<&Arc<FieldRule>> {
        match slot.checked_sub(self.known.len()) {
            None => self.known.rule(slot),
            Some(stranger) => Some(&self.rules_of_strangers.get(stranger)?.0),
        }
    }

    #[inline]
    fn name(&self, slot: usize) -> Option<&QuotedName> {
        match slot.checked_sub(self.known.len()) {
            None => self.known.name(slot),
            Some(stranger) => Some(&self.rules_of_strangers.get(stranger)?.1),
        }
    }

    /// The identifiers found in the text of a field, by kind.
    fn in_text(&self, slot: usize) -> BTreeMap<Kind, u64> {
        let Some(found) = self.in_text.get(&slot) else {
            return BTreeMap::new();
        };
        let count = |kind: Kind| Some((kind, *found.get(kind as usize)?));
        Kind::ALL
            .into_iter()
            .filter_map(count)
            .filter(|(_, found)| *found > 0)
            .collect()
    }
}

/// The fields that one record has shown so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    words: Vec<u64>,
}

impl Seen {
    /// Adds a field; `false` if the record had it already.
    #[inline]
    pub(super) fn insert(&mut self, entry: Entry) -> bool {
        let (word, bit) = (entry.slot() / 64, 1_u64 << (entry.slot % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        match self.words.get_mut(word) {
            Some(word) => {
                let is_new = *word & bit == 0;
                *word |= bit;
                is_new
            }
            None => false,
        }
    }
}
