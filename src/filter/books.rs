//! Remembers the rule of every field name seen, and counts what was shown.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::detect::Kind;
use crate::policy::{FieldRule, Plan};
use crate::vocabulary::{Field, FieldPath, Module, RecordRef};

use super::{FieldCount, Report};

/// Bound on what all field names of one reply take, with what is remembered beside each.
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
}

impl Terms for Plan {
    fn field(&self, module: &Module, name: &str) -> Arc<FieldRule> {
        self.records(module).field(name)
    }

    fn display_name(&self, module: &Module) -> Option<Arc<FieldRule>> {
        self.records(module).display_name()
    }
}

/// A field name that was seen in records of one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    book: usize,
    page: usize,
    /// The same for every spelling of one field.
    pub(super) slot: usize,
}

/// The module of a record, as the books know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Book(usize);

#[derive(Debug)]
struct ModuleBook {
    module: Module,
    /// Pages by the name as it was written.
    by_name: HashMap<Box<str>, usize>,
    pages: Vec<Page>,
    /// Slots by folded name.
    slots: HashMap<Field, usize>,
}

#[derive(Debug)]
struct Page {
    rule: Arc<FieldRule>,
    field: Field,
    slot: usize,
    records: u64,
    in_text: [u64; Kind::ALL.len()],
}

/// The rules of one reply by field name, and the counts of its report.
#[derive(Debug)]
pub(super) struct Books {
    terms: Box<dyn Terms>,
    books: Vec<ModuleBook>,
    names_bytes: usize,
    pub(super) refs: Vec<RecordRef>,
    records: u64,
}

impl Books {
    pub(super) fn new(terms: Box<dyn Terms>) -> Self {
        Self {
            terms,
            books: Vec::new(),
            names_bytes: 0,
            refs: Vec::new(),
            records: 0,
        }
    }

    /// The book of a module.
    pub(super) fn open(&mut self, module: &Module) -> Book {
        let known = self.books.iter().position(|book| book.module == *module);
        Book(known.unwrap_or_else(|| {
            self.books.push(ModuleBook {
                module: module.clone(),
                by_name: HashMap::new(),
                pages: Vec::new(),
                slots: HashMap::new(),
            });
            self.books.len() - 1
        }))
    }

    /// The entry of a field name; `None` if the reply holds more names than any CRM has.
    pub(super) fn entry(&mut self, Book(book): Book, name: &str) -> Option<Entry> {
        let in_book = self.books.get_mut(book)?;
        if let Some(&page) = in_book.by_name.get(name) {
            let slot = in_book.pages.get(page)?.slot;
            return Some(Entry { book, page, slot });
        }
        self.names_bytes += 2 * name.len() + NAME_OVERHEAD_BYTES;
        if self.names_bytes > NAMES_BYTES_MAX {
            return None;
        }
        let field = Field::fold(name);
        let slots = in_book.slots.len();
        let slot = *in_book.slots.entry(field.clone()).or_insert(slots);
        let page = in_book.pages.len();
        in_book.pages.push(Page {
            rule: self.terms.field(&in_book.module, name),
            field,
            slot,
            records: 0,
            in_text: [0; Kind::ALL.len()],
        });
        in_book.by_name.insert(name.into(), page);
        Some(Entry { book, page, slot })
    }

    fn page(&mut self, entry: Entry) -> Option<&mut Page> {
        self.books.get_mut(entry.book)?.pages.get_mut(entry.page)
    }

    /// The rule of a field.
    pub(super) fn rule(&mut self, entry: Entry) -> Option<Arc<FieldRule>> {
        self.page(entry).map(|page| Arc::clone(&page.rule))
    }

    /// Counts a field as present in one more record.
    pub(super) fn present(&mut self, entry: Entry) {
        if let Some(page) = self.page(entry) {
            page.records += 1;
        }
    }

    /// Counts an identifier found in the text of a field.
    pub(super) fn found(&mut self, entry: Entry, kind: Kind) {
        if let Some(count) = self
            .page(entry)
            .and_then(|page| page.in_text.get_mut(kind as usize))
        {
            *count += 1;
        }
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

    /// Closes the books.
    pub(super) fn report(self) -> Report {
        let mut report = Report {
            refs: self.refs,
            records: self.records,
            ..Report::default()
        };
        for book in self.books {
            for page in book.pages {
                if page.records == 0 || page.rule.structural {
                    continue;
                }
                let path = FieldPath {
                    module: book.module.clone(),
                    field: page.field,
                };
                let count = report.fields.entry(path).or_insert_with(|| FieldCount {
                    rule: page.rule,
                    records: 0,
                    in_text: Default::default(),
                });
                count.records += page.records;
                for kind in Kind::ALL {
                    let found = page.in_text.get(kind as usize).copied().unwrap_or(0);
                    if found > 0 {
                        *count.in_text.entry(kind).or_default() += found;
                    }
                }
            }
        }
        report
    }
}

/// The fields that one record has shown so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    words: Vec<u64>,
}

impl Seen {
    /// Adds a field; `false` if the record had it already.
    pub(super) fn insert(&mut self, entry: Entry) -> bool {
        let (word, bit) = (entry.slot / 64, 1 << (entry.slot % 64));
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
