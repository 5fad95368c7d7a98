//! Treats a complete record, and what lies around it in an entry: walks the members, and copies, replaces or cuts each
//! as its rule or shape says.

use std::borrow::Cow;

use crate::dialect::{Collection, ID_KEY, Layout, MODULE_KEY, RecordShape, Shape};
use crate::policy::{KnownFields, Show, ValueFate};
use crate::vocabulary::{Module, Spelling};

use super::Cause;
use super::book::Named;
use super::books::{Book, Books, Entry, Opened};
use super::copied::Commas;
use super::facts::{self, Lies};
use super::layouts::scalar_text;
use super::persons::{Found, Someone};
use super::reader::{Fault, Reader, Type};
use super::seen::Seen;

/// The member of a field in [`Layout::Named`] that holds its value.
pub(super) const VALUE_KEY: &str = "value";

/// What becomes of a member of an object, or of an element of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays, perhaps with another value.
    Keep,
    /// It is cut out, with its comma.
    Cut,
    /// The same, because it is a record that is not there for the caller, or would be nothing without it.
    Absent,
}

/// What is done with each member of an object, by its key.
type Each<'f, 'a, T> = &'f mut dyn FnMut(&mut T, Cow<'a, str>) -> Result<Fate, Fault>;

/// What becomes of a value that does not fit its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The reply is unfilterable.
    Refuse,
    /// The value is redacted.
    Redact,
}

/// The field that a value stands in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) entry: Entry,
    /// Where the object begins that holds the field's siblings, if there is one.
    pub(super) siblings: Option<usize>,
    pub(super) layout: Layout,
    pub(super) spelling: Spelling,
    pub(super) collection: &'static Collection,
}

/// A record, as far as it has been walked.
pub(super) struct Walk<'s, 'a> {
    shape: &'s RecordShape,
    book: Book,
    known: &'s KnownFields,
    seen: Seen,
    id: Option<Cow<'a, str>>,
    siblings: Option<usize>,
    /// Whether fields were asked for that are to be cut.
    has_added: bool,
    /// The place of the field that was read last.
    last: Option<usize>,
    /// What is found of the fields that conditions ask for, where these were not looked for before.
    found: Option<&'s mut [Found]>,
}

/// A record under treatment. Everything that no rule touches is copied in runs: `copied` says up to where.
pub(super) struct Treatment<'a, 'b> {
    pub(super) reader: Reader<'a>,
    pub(super) books: &'b mut Books,
    pub(super) out: &'b mut Vec<u8>,
    pub(super) copied: usize,
    pub(super) out_bytes_max: usize,
}

/// The id of a record, and whom it is about.
pub(super) type Who<'a> = (Option<Cow<'a, str>>, Option<Vec<Someone>>);

/// Whether a record is of the usual form: each member is a field.
pub(super) fn is_plain(shape: &RecordShape) -> bool {
    shape.layout == Layout::Flat
        && shape.keys.is_empty()
        && shape.inner.is_empty()
        && shape.id == ID_KEY
}

/// Treats what a text begins with, and appends what is shown of it to `out`, by at most `bytes_max`: nothing, unless it is
/// kept. Returns where that ends, and what becomes of it. What is noted in the books counts only if all went well.
pub(super) fn treat(
    reader: Reader<'_>,
    shape: &Shape,
    books: &mut Books,
    out: &mut Vec<u8>,
    bytes_max: usize,
) -> Result<(usize, Fate), Fault> {
    let before = out.len();
    let out_bytes_max = out.len().saturating_add(bytes_max);
    books.begin();
    let noted = books.noted();
    let mut treatment = Treatment {
        reader,
        books,
        out,
        copied: 0,
        out_bytes_max,
    };
    let fate = treatment.shaped(shape, Unfit::Refuse)?;
    let end = treatment.reader.at();
    treatment.copy_to(end)?;
    if end > bytes_max {
        return Err(treatment.reader.fault(Cause::RecordTooLarge));
    }
    if fate != Fate::Keep {
        out.truncate(before);
        books.back_to(noted);
    }
    books.keep();
    Ok((end, fate))
}

impl<'a> Treatment<'a, '_> {
    /// Puts `null`, `[]` or `{}` in place of the value.
    pub(super) fn redact(&mut self) -> Result<Fate, Fault> {
        let start = self.reader.at();
        let kind = self.reader.skip()?;
        self.replace(start, kind.redacted())
    }

    /// Redacts a value of a type that the field's rule cannot show, and notes that, unless it holds nothing.
    pub(super) fn misfit(&mut self, entry: Entry) -> Result<Fate, Fault> {
        let kind = self.reader.kind()?;
        if !self.reader.holds_nothing(kind) {
            self.books.misfit(entry, kind);
        }
        self.redact()
    }

    /// The same, with a quick look for the value that is redacted most.
    fn redact_mostly_strings(&mut self) -> Result<Fate, Fault> {
        let start = self.reader.at();
        match self.reader.take_plain_string() {
            Some(_) => self.replace(start, Type::String.redacted()),
            None => self.redact(),
        }
    }

    /// Leaves the value as it is.
    pub(super) fn keep(&mut self) -> Result<Fate, Fault> {
        self.reader.skip()?;
        Ok(Fate::Keep)
    }

    /// Redacts arrays and objects, leaves the rest as it is.
    pub(super) fn keep_scalar(&mut self) -> Result<Fate, Fault> {
        if self.reader.kind()?.is_scalar() {
            self.keep()
        } else {
            self.redact()
        }
    }

    /// Cuts the value, with its key.
    pub(super) fn remove(&mut self) -> Result<Fate, Fault> {
        self.reader.skip()?;
        Ok(Fate::Cut)
    }

    /// Walks the members of the object that begins here. `each` is called before the value of each member, and passes it.
    pub(super) fn members(&mut self, each: Each<'_, 'a, Self>) -> Result<(), Fault> {
        self.parts([b'{', b'}'], &mut |this| {
            let key = this.reader.key()?;
            each(this, key)
        })
    }

    /// Walks the elements of the array that begins here. `each` passes each of them.
    pub(super) fn elements(
        &mut self,
        each: &mut dyn FnMut(&mut Self) -> Result<Fate, Fault>,
    ) -> Result<(), Fault> {
        self.parts([b'[', b']'], each)
    }

    /// Reads the name of the field that comes after `last`.
    fn next_field(
        &mut self,
        book: Book,
        last: Option<usize>,
    ) -> Result<(Cow<'a, str>, Entry), Fault> {
        if let Some((entry, key)) = self.books.expected(book, last)
            && let Some(key) = self.reader.take_key(key)
        {
            return Ok((Cow::Borrowed(key), entry));
        }
        let key = self.reader.key()?;
        let too_many = self.reader.fault(Cause::RecordTooLarge);
        let entry = self.books.entry(book, &key).ok_or(too_many)?;
        self.books.expect(last, entry);
        Ok((key, entry))
    }

    /// Walks what stands between two brackets and commas, and cuts what `each` says.
    fn parts(
        &mut self,
        brackets: [u8; 2],
        each: &mut (impl FnMut(&mut Self) -> Result<Fate, Fault> + ?Sized),
    ) -> Result<(), Fault> {
        let Some(mut commas) = self.enter(brackets)? else {
            return Ok(());
        };
        loop {
            commas.begin(self);
            let fate = each(self)?;
            if !commas.end(self, fate)? {
                return self.reader.leave(brackets[1]);
            }
        }
    }

    /// Enters what stands between two brackets, as far as its first part; `None` if it is empty, and left again.
    fn enter(&mut self, [open, close]: [u8; 2]) -> Result<Option<Commas>, Fault> {
        self.reader.enter(open)?;
        let commas = Commas::new(self);
        self.reader.white_space();
        if self.reader.peek() == Some(close) {
            self.reader.leave(close)?;
            return Ok(None);
        }
        Ok(Some(commas))
    }

    /// Treats a record and counts it: the keys that its shape names, and all others as the rules of its module say.
    pub(super) fn record(&mut self, shape: &RecordShape) -> Result<Fate, Fault> {
        let shown = match self.books.open(&shape.module) {
            Opened::Alike(book) => Some(self.on_rules(shape, book)?),
            Opened::Judged(judge) => {
                let was_within = self.books.is_within;
                let shown = self.judged_record(shape, &judge)?;
                self.books.is_within = was_within;
                shown
            }
        };
        let Some((id, persons)) = shown else {
            return self.leave_out();
        };
        if shape.counted {
            self.books.counted(&shape.module, id.as_deref(), persons);
        }
        Ok(Fate::Keep)
    }

    /// Treats a record whose rules are known, and returns its id, and whom it is about, as far as somebody asks.
    pub(super) fn on_rules(&mut self, shape: &RecordShape, book: Book) -> Result<Who<'a>, Fault> {
        let persons = self.whom(Lies::Alone(shape))?;
        Ok((self.fields(shape, book, None)?, persons))
    }

    /// Treats the fields of a record, and returns its id if it is among them. What conditions ask for goes into `found`, which
    /// only records take that are [plain](is_plain).
    pub(super) fn fields(
        &mut self,
        shape: &RecordShape,
        book: Book,
        found: Option<&mut [Found]>,
    ) -> Result<Option<Cow<'a, str>>, Fault> {
        let is_object = self.reader.peek() == Some(b'{');
        let known = self.books.known(book);
        let mut walk = Walk {
            shape,
            book,
            known: &known,
            seen: self.books.seen(book),
            id: None,
            siblings: is_object.then(|| self.reader.at()),
            has_added: self.books.has_added(book),
            last: None,
            found,
        };
        if is_object {
            self.object_of_fields(&mut walk)?;
        } else {
            self.elements(&mut |this| this.pair(&mut walk))?;
        }
        self.books.done(book, walk.seen);
        Ok(walk.id)
    }

    /// The usual form: each member is a field. Those that come as expected and stay as they are pass without a look.
    fn object_of_fields(&mut self, walk: &mut Walk<'_, 'a>) -> Result<(), Fault> {
        let is_plain = is_plain(walk.shape);
        let Some(mut commas) = self.enter([b'{', b'}'])? else {
            return Ok(());
        };
        loop {
            let named = match is_plain {
                true => self.pass_expected(walk, &mut commas),
                false => None,
            };
            commas.begin(self);
            let fate = match named {
                Some(named) => {
                    self.reader.leave_only(named.value);
                    self.reader.white_space();
                    self.named_plainly(walk, &named)?
                }
                None => {
                    let (key, entry) = self.next_field(walk.book, walk.last)?;
                    walk.last = Some(entry.place);
                    self.field(walk, &key, entry)?
                }
            };
            if !commas.end(self, fate)? {
                return self.reader.leave(b'}');
            }
        }
    }

    /// Passes the fields of a plain record that come as expected and stay as they are. If the one behind them is the
    /// expected one too, and new, returns it.
    fn pass_expected(&mut self, walk: &mut Walk<'_, 'a>, commas: &mut Commas) -> Option<Named<'a>> {
        let text = (self.reader.rest(), self.reader.is_list_allowed());
        let (seen, last) = (&mut walk.seen, &mut walk.last);
        let passed = self.books.pass_expected(walk.book, text, seen, last);
        let start = self.reader.at();
        self.reader.leave_only(passed.text);
        commas.kept_up_to(self.reader.at(), start);
        passed.named
    }

    /// A field by its name, wherever it stands.
    pub(super) fn named_field(
        &mut self,
        walk: &mut Walk<'_, 'a>,
        key: &str,
    ) -> Result<Fate, Fault> {
        let too_many = self.reader.fault(Cause::RecordTooLarge);
        let entry = self.books.entry(walk.book, key).ok_or(too_many)?;
        self.field(walk, key, entry)
    }

    fn field(&mut self, walk: &mut Walk<'_, 'a>, key: &str, entry: Entry) -> Result<Fate, Fault> {
        let shape = walk.shape;
        if !walk.seen.insert(entry.place) {
            return Err(self.reader.fault(Cause::DuplicateKey));
        }
        if key.eq_ignore_ascii_case(MODULE_KEY) {
            self.check_module(&shape.module)?;
        }
        if key.eq_ignore_ascii_case(shape.id) {
            walk.id = self.value_of(shape.layout)?;
        }
        self.find(walk, entry)?;
        if walk.has_added && self.books.is_added(entry) {
            walk.seen.uncount(entry.place);
            return self.remove();
        }
        if let Some((_, shape)) = shape.keys.iter().find(|(name, _)| *name == key) {
            walk.seen.uncount(entry.place);
            return self.linked(|this| this.shaped(shape, Unfit::Refuse));
        }
        if shape.inner.contains(&key) {
            walk.seen.uncount(entry.place);
            return self.inner(walk, entry);
        }
        let number = self.books.number(entry);
        let which = (entry.place, number.unwrap_or(usize::MAX));
        self.ruled(walk, which, |this, show, place| match shape.layout {
            Layout::Flat => this.show(show, place),
            Layout::Named => this.named(show, key, place),
        })
    }

    /// Notes the value of a field that conditions ask for.
    #[inline]
    fn find(&self, walk: &mut Walk<'_, 'a>, entry: Entry) -> Result<(), Fault> {
        let Some(all) = walk.found.as_deref_mut() else {
            return Ok(());
        };
        let wanted = self.books.wanted(entry);
        if let Some(found) = wanted.and_then(|number| all.get_mut(number)) {
            let mut value = self.reader.look(self.reader.at());
            *found = facts::read(&mut value, walk.shape.spelling)?;
        }
        Ok(())
    }

    /// A field of a plain record whose name has been read.
    #[inline]
    fn named_plainly(&mut self, walk: &mut Walk<'_, 'a>, named: &Named<'a>) -> Result<Fate, Fault> {
        let start = self.reader.at();
        let (book, place) = (walk.book, named.place);
        self.find(walk, Entry { book, place })?;
        match named.fate {
            ValueFate::Redacted => return self.redact_mostly_strings(),
            ValueFate::Id { stays } => {
                if stays && let Some(text) = self.reader.take_plain_string() {
                    walk.id = Some(Cow::Borrowed(text));
                    return Ok(Fate::Keep);
                }
                walk.id = self.scalar_text()?;
            }
            ValueFate::Module { stays } => {
                if stays && let Some(text) = self.reader.take_plain_string() {
                    let cause = Cause::OtherModule;
                    let is_planned = text == walk.shape.module.as_str();
                    return is_planned
                        .then_some(Fate::Keep)
                        .ok_or(Fault { cause, at: start });
                }
                self.check_module(&walk.shape.module)?;
            }
            ValueFate::Stays { .. } | ValueFate::Ruled => {}
        }
        self.ruled(walk, (named.place, named.number), Self::show)
    }

    /// Finds the rule of a field, given its place and number, and has its value shown.
    #[inline]
    fn ruled(
        &mut self,
        walk: &mut Walk<'_, 'a>,
        (place, number): (usize, usize),
        show: impl FnOnce(&mut Self, &Show, Site) -> Result<Fate, Fault>,
    ) -> Result<Fate, Fault> {
        let book = walk.book;
        let entry = Entry { book, place };
        if walk.has_added && self.books.is_added(entry) {
            walk.seen.uncount(place);
            return self.remove();
        }
        let stranger;
        let rule = match walk.known.rule(number) {
            Some(rule) => rule,
            None => {
                let missing = self.reader.fault(Cause::RecordTooLarge);
                stranger = self.books.rule(entry).ok_or(missing)?;
                &stranger
            }
        };
        // A name that a sibling tells counts as what it turns out to be.
        if matches!(rule.show, Show::ByParent { .. }) {
            walk.seen.uncount(entry.place);
        }
        let place = Site {
            entry,
            siblings: walk.siblings,
            layout: walk.shape.layout,
            spelling: walk.shape.spelling,
            collection: walk.shape.collection,
        };
        show(self, &rule.show, place)
    }

    /// Further fields of the same record, in an object of their own.
    fn inner(&mut self, walk: &mut Walk<'_, 'a>, entry: Entry) -> Result<Fate, Fault> {
        if self.reader.kind()? != Type::Object {
            return self.misfit(entry);
        }
        self.members(&mut |this, key| this.named_field(walk, &key))?;
        Ok(Fate::Keep)
    }

    /// A record of a module whose keys have no shapes of their own, in a field of another record.
    pub(super) fn plain_record(
        &mut self,
        module: &Module,
        place: Site,
        counted: bool,
    ) -> Result<Fate, Fault> {
        self.record(&RecordShape {
            spelling: place.spelling,
            collection: place.collection,
            counted,
            ..RecordShape::of(module)
        })
    }

    fn check_module(&self, planned: &Module) -> Result<(), Fault> {
        let said = match self.reader.kind()? {
            Type::String => self.reader.look(self.reader.at()).string()?.unescape(),
            _ => None,
        };
        if said.as_deref() == Some(planned.as_str()) {
            Ok(())
        } else {
            Err(self.reader.fault(Cause::OtherModule))
        }
    }

    /// The string or number that begins here, without passing it.
    pub(super) fn scalar_text(&self) -> Result<Option<Cow<'a, str>>, Fault> {
        scalar_text(&self.reader)
    }

    /// Looks for a member of the object that begins at `object`: the reader that this returns stands before its value.
    pub(super) fn member(
        &self,
        object: usize,
        is_meant: impl Fn(&str) -> bool,
    ) -> Result<Option<Reader<'a>>, Fault> {
        let mut reader = self.reader.look(object);
        reader.enter(b'{')?;
        reader.white_space();
        if reader.peek() == Some(b'}') {
            return Ok(None);
        }
        loop {
            if is_meant(&reader.key()?) {
                return Ok(Some(reader));
            }
            reader.skip()?;
            reader.white_space();
            if !reader.take(b',') {
                return Ok(None);
            }
            reader.white_space();
        }
    }
}
