//! Treats one value as its field's rule says.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::dialect::{Collection, Items, Layout, Shape};
use crate::json::Key;
use crate::markup;
use crate::mask::{Mask, Tokenizer};
use crate::policy::{Show, TextRule};
use crate::vocabulary::{Module, Spelling};

use super::Cause;
use super::books::Opened;
use super::reader::{Fault, Type};
use super::record::{Fate, Site, Treatment, Unfit, VALUE_KEY};
use super::text;

/// Longest name of a module that a record can tell.
const MODULE_BYTES_MAX: usize = 255;

/// Longest scaffolding that is remembered.
const SCAFFOLDING_BYTES_MAX: usize = 4 << 10;

/// What became of a string.
enum Treated {
    /// It stays as it is.
    Not,
    /// Another text stands in its place.
    As(String),
    /// `null` stands in its place.
    Redacted,
}

impl<'a> Treatment<'a, '_> {
    /// Treats the value that begins here.
    pub(super) fn show(&mut self, show: &Show, place: Site) -> Result<Fate, Fault> {
        match show {
            Show::Clear => self.clear(place),
            Show::Remove => self.remove(),
            Show::Redact => self.redact(),
            Show::Token(tokenizer) => self.token(tokenizer, place),
            Show::Mask(mask) => self.mask(mask, place),
            Show::Text(rule) => self.text(rule, place),
            Show::Items { items, keys, inner } => self.items((items, keys), inner, place),
            Show::Related(module) => self.related(module, place),
            Show::ByParent { told_by } => self.by_parent(told_by, place),
            Show::Shaped(shape) => self.scaffolding(shape, place),
        }
    }

    /// The CRM's own scaffolding. It is mostly the same in all records of a list, byte for byte; then it passes again.
    fn scaffolding(&mut self, shape: &Shape, place: Site) -> Result<Fate, Fault> {
        let (rest, depth, start) = (self.reader.rest(), self.reader.depth(), self.reader.at());
        if let Some(length) = self.books.passes_again(place.entry, rest, depth) {
            self.reader
                .leave_only(rest.get(length..).unwrap_or_default());
            return Ok(Fate::Keep);
        }
        let before = (self.out.len(), self.copied, self.books.noted());
        if *shape == Shape::Scalar && !self.reader.kind()?.is_scalar() {
            return self.misfit(place.entry);
        }
        let fate = self.linked(|this| this.shaped(shape, Unfit::Redact))?;
        let text = self.reader.bytes(start, self.reader.at());
        let is_unchanged = before == (self.out.len(), self.copied, self.books.noted());
        // The end of a container shows in itself; a number's only in what follows.
        let is_container = matches!(text, [b'{' | b'[', ..]);
        if fate == Fate::Keep && is_unchanged && is_container && text.len() <= SCAFFOLDING_BYTES_MAX
        {
            self.books.passed(place.entry, text, depth);
        }
        Ok(fate)
    }

    /// Scalars and arrays of scalars stay; an object may be a record of a link that nobody knows.
    #[inline]
    fn clear(&mut self, place: Site) -> Result<Fate, Fault> {
        match self.reader.kind()? {
            Type::Object => self.misfit(place.entry),
            Type::Array => {
                let start = self.reader.at();
                let mut is_flat = true;
                self.elements(&mut |this| {
                    is_flat &= this.reader.skip()?.is_scalar();
                    Ok(Fate::Keep)
                })?;
                if is_flat {
                    Ok(Fate::Keep)
                } else {
                    self.books.misfit(place.entry, Type::Array);
                    self.replace(start, Type::Array.redacted())
                }
            }
            scalar => self.reader.scalar(scalar).map(|()| Fate::Keep),
        }
    }

    fn token(&mut self, tokenizer: &Tokenizer, place: Site) -> Result<Fate, Fault> {
        match self.reader.kind()? {
            Type::String => {
                self.string(place.spelling, |value| Treated::As(tokenizer.token(value)))
            }
            _ => self.misfit(place.entry),
        }
    }

    fn mask(&mut self, mask: &Mask, place: Site) -> Result<Fate, Fault> {
        let start = self.reader.at();
        if place.spelling == Spelling::Plain
            && let Some(value) = self.reader.take_plain_string()
        {
            return self.replace_in_place(start, |out| mask.apply_to(value, out));
        }
        match self.reader.kind()? {
            Type::String => self.string(place.spelling, |value| match mask.apply(value) {
                Some(text) if text == value => Treated::Not,
                Some(text) => Treated::As(text),
                None => Treated::Redacted,
            }),
            Type::Number => {
                self.reader.skip()?;
                let masked = mask.apply_number(self.reader.part(start, self.reader.at()));
                if masked.is_none() {
                    self.books.misfit(place.entry, Type::Number);
                }
                self.replace(start, masked.as_deref().unwrap_or("null"))
            }
            _ => self.misfit(place.entry),
        }
    }

    fn text(&mut self, rule: &TextRule, place: Site) -> Result<Fate, Fault> {
        let (mut found, mut is_too_long) = (Vec::new(), false);
        let bytes_max = self.books.text_bytes_max;
        let mut treat = |value: &str| text::treat(rule, value, &mut |kind| found.push(kind));
        let fate = match self.reader.kind()? {
            Type::String => self.string(place.spelling, |value| {
                is_too_long = value.len() > bytes_max;
                match is_too_long {
                    true => Treated::Redacted,
                    false => treat(value).map_or(Treated::Not, Treated::As),
                }
            })?,
            Type::Number => {
                let start = self.reader.at();
                self.reader.skip()?;
                match treat(self.reader.part(start, self.reader.at())) {
                    Some(_) => self.replace(start, "null")?,
                    None => Fate::Keep,
                }
            }
            kind if kind.is_scalar() => self.keep()?,
            _ => self.misfit(place.entry)?,
        };
        for kind in found {
            self.books.found(place.entry, kind);
        }
        if is_too_long {
            self.books.misfit(place.entry, Type::String);
        }
        Ok(fate)
    }

    /// Treats the string that begins here, by what it means. What is left unchanged is copied as it was written; what is
    /// no Unicode text is redacted.
    fn string(
        &mut self,
        spelling: Spelling,
        treat: impl FnOnce(&str) -> Treated,
    ) -> Result<Fate, Fault> {
        let start = self.reader.at();
        let value = self.reader.string()?.unescape();
        let treated = match &value {
            Some(value) => treat(&markup::decode(spelling, value)),
            None => Treated::Redacted,
        };
        match treated {
            Treated::Not => Ok(Fate::Keep),
            Treated::As(text) => self.replace_string(start, &markup::encode(spelling, &text)),
            Treated::Redacted => self.replace(start, "null"),
        }
    }

    /// A list of objects of which some members carry the value.
    fn items(
        &mut self,
        (items, keys): (&Items, &[Key]),
        inner: &Show,
        place: Site,
    ) -> Result<Fate, Fault> {
        if matches!(inner, Show::Clear) && self.reader.take_plain_objects(keys) {
            return Ok(Fate::Keep);
        }
        match self.reader.kind()? {
            Type::Array => {
                self.elements(&mut |this| match this.reader.kind()? {
                    Type::Object => this.item(items, inner, place),
                    _ => this.misfit(place.entry),
                })?;
                Ok(Fate::Keep)
            }
            Type::Object if items.treated.contains(&Items::EACH) => self.map(inner, place),
            Type::String => self.show(inner, place),
            Type::Null => self.keep(),
            _ => self.misfit(place.entry),
        }
    }

    /// An object that maps ids to values.
    fn map(&mut self, inner: &Show, place: Site) -> Result<Fate, Fault> {
        let mut seen: HashSet<Cow<'a, str>> = HashSet::new();
        self.members(&mut |this, key| {
            if !seen.insert(key) {
                return Err(this.reader.fault(Cause::DuplicateKey));
            }
            this.show(inner, place)
        })?;
        Ok(Fate::Keep)
    }

    fn item(&mut self, items: &Items, inner: &Show, place: Site) -> Result<Fate, Fault> {
        let mut members = Members::new(items);
        self.members(&mut |this, key| {
            let Some(met) = members.meet(&key) else {
                return this.remove();
            };
            if !met.is_new {
                return Err(this.reader.fault(Cause::DuplicateKey));
            }
            if met.is_treated {
                this.show(inner, place)
            } else {
                this.keep_scalar()
            }
        })?;
        Ok(Fate::Keep)
    }

    /// Records of another module: one, a list, or a collection.
    fn related(&mut self, module: &Module, place: Site) -> Result<Fate, Fault> {
        match self.reader.kind()? {
            Type::Object if self.is_collection(place.collection)? => self.collection(module, place),
            Type::Object => self.linked(|this| this.plain_record(module, place, false)),
            Type::Array => self.records(module, place),
            Type::Null => self.keep(),
            _ => self.misfit(place.entry),
        }
    }

    /// Whether the object that begins here holds an array of records.
    fn is_collection(&self, form: &Collection) -> Result<bool, Fault> {
        let records = self.member(self.reader.at(), |key| key == form.records)?;
        Ok(records.is_some_and(|reader| reader.peek() == Some(b'[')))
    }

    fn collection(&mut self, module: &Module, place: Site) -> Result<Fate, Fault> {
        let form = place.collection;
        // Nobody asks the CRM of such records only for those that are there, so that their numbers tell of others.
        let tells_numbers = matches!(self.books.open(module), Opened::Alike(_));
        let mut seen: Vec<&'static str> = Vec::new();
        self.members(&mut |this, key| {
            let Some(name) = form.named(&key) else {
                return this.remove();
            };
            if seen.contains(&name) {
                return Err(this.reader.fault(Cause::DuplicateKey));
            }
            seen.push(name);
            match name == form.records {
                true => this.records(module, place),
                false if tells_numbers => this.keep_scalar(),
                false => this.remove(),
            }
        })?;
        Ok(Fate::Keep)
    }

    fn records(&mut self, module: &Module, place: Site) -> Result<Fate, Fault> {
        self.elements(&mut |this| match this.reader.kind()? {
            Type::Object => this.plain_record(module, place, true),
            _ => this.redact(),
        })?;
        Ok(Fate::Keep)
    }

    /// The name of a record of the module that a sibling tells, shown as that module's own records show it.
    fn by_parent(&mut self, told_by: &str, place: Site) -> Result<Fate, Fault> {
        let name = self
            .sibling(told_by, place)?
            .filter(|module| module.len() <= MODULE_BYTES_MAX)
            .and_then(|module| self.books.display_name(&Module::new(&module)));
        match name {
            // A name that is itself told by a parent would go round in circles.
            None => self.told_by_nobody(place),
            Some((rule, _)) if matches!(rule.show, Show::ByParent { .. }) => {
                self.told_by_nobody(place)
            }
            Some((rule, None)) => {
                self.books.present(place.entry);
                match rule.show {
                    Show::Remove => self.remove(),
                    _ => self.redact(),
                }
            }
            Some((rule, Some(entry))) => {
                // What is disclosed is the name of that record, so it counts as such.
                self.books.present(entry);
                self.books.has_copies = true;
                self.show(&rule.show, Site { entry, ..place })
            }
        }
    }

    /// The text of another field of the same object.
    fn sibling(&self, name: &str, place: Site) -> Result<Option<Cow<'a, str>>, Fault> {
        let Some(object) = place.siblings else {
            return Ok(None);
        };
        let mut sibling = self.member(object, |key| key.eq_ignore_ascii_case(name))?;
        if let (Layout::Named, Some(reader)) = (place.layout, &sibling) {
            sibling = match reader.peek() {
                Some(b'{') => self.member(reader.at(), |key| key == VALUE_KEY)?,
                _ => None,
            };
        }
        match sibling {
            Some(mut reader) if reader.peek() == Some(b'"') => Ok(reader.string()?.unescape()),
            _ => Ok(None),
        }
    }

    fn told_by_nobody(&mut self, place: Site) -> Result<Fate, Fault> {
        self.books.present(place.entry);
        self.redact()
    }
}

/// The named members of an item, as they are met.
struct Members<'i> {
    items: &'i Items,
    seen: u64,
}

/// A named member.
struct Member {
    is_treated: bool,
    is_new: bool,
}

impl<'i> Members<'i> {
    fn new(items: &'i Items) -> Self {
        Self { items, seen: 0 }
    }

    /// Meets a member; `None` if it is not named.
    fn meet(&mut self, key: &str) -> Option<Member> {
        let number = self.items.names().position(|name| name == key)?;
        // Dialects name a handful of members; if one named more than fit, those would count as met before.
        let bit = 1_u64.checked_shl(number as u32).unwrap_or(u64::MAX);
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        Some(Member {
            is_treated: number < self.items.treated.len(),
            is_new,
        })
    }
}
