//! Records that are no flat objects: fields under their names, in a list, or beside their id; and objects of which a
//! member tells what they are.

use std::borrow::Cow;

use crate::dialect::{ChoiceShape, EntryShape, Layout, MODULE_KEY, RecordShape, Shape};
use crate::policy::Show;

use super::Cause;
use super::books::Book;
use super::facts::Lies;
use super::reader::{Fault, Reader, Type};
use super::record::{Fate, Site, Treatment, Unfit, VALUE_KEY, Walk};

/// The member of a field in [`Layout::Named`] that tells its name.
pub(super) const NAME_KEY: &str = "name";

impl<'a> Treatment<'a, '_> {
    /// A field in an array of `{"name": FIELD, "value": VALUE}`.
    pub(super) fn pair(&mut self, walk: &mut Walk<'_, 'a>) -> Result<Fate, Fault> {
        let unfit = self.reader.fault(Cause::Shape);
        if self.reader.kind()? != Type::Object {
            return Err(unfit);
        }
        let mut name = self
            .member(self.reader.at(), |key| key == NAME_KEY)?
            .ok_or(unfit)?;
        let name = match name.peek() {
            Some(b'"') => name.string()?.unescape().ok_or(unfit)?,
            _ => return Err(unfit),
        };
        self.named_field(walk, &name)
    }

    /// The object that holds a field's value beside its name. It goes with its value; other members never pass.
    pub(super) fn named(&mut self, show: &Show, name: &str, place: Site) -> Result<Fate, Fault> {
        if self.reader.kind()? != Type::Object {
            return self.redact();
        }
        let mut fate = Fate::Keep;
        let mut seen: Vec<&'static str> = Vec::new();
        self.members(&mut |this, key| {
            let known = [NAME_KEY, VALUE_KEY];
            let Some(known) = known.into_iter().find(|known| *known == key) else {
                return this.remove();
            };
            if seen.contains(&known) {
                return Err(this.reader.fault(Cause::DuplicateKey));
            }
            seen.push(known);
            if known == VALUE_KEY {
                fate = this.show(show, place)?;
                return Ok(fate);
            }
            if this.scalar_text()?.as_deref() != Some(name) {
                return Err(this.reader.fault(Cause::Shape));
            }
            this.keep_scalar()
        })?;
        Ok(fate)
    }

    /// The scalar value of the field that begins here.
    pub(super) fn value_of(&self, layout: Layout) -> Result<Option<Cow<'a, str>>, Fault> {
        if layout == Layout::Flat {
            return self.scalar_text();
        }
        let value = match self.reader.kind()? {
            Type::Object => self.member(self.reader.at(), |key| key == VALUE_KEY)?,
            _ => None,
        };
        value.map_or(Ok(None), |reader| scalar_text(&reader))
    }

    /// A record that lies beside its id.
    pub(super) fn entry(&mut self, shape: &EntryShape) -> Result<Fate, Fault> {
        let Some(book) = self.book_of(Lies::Beside(shape))? else {
            return self.leave_out();
        };
        let persons = self.whom(Lies::Beside(shape))?;
        let mut seen: Vec<&'static str> = Vec::new();
        let (mut id, mut inner_id) = (None, None);
        self.members(&mut |this, key| {
            let named = shape.keys.iter().find(|(name, _)| *name == key);
            let known = match named {
                _ if key == shape.under => shape.under,
                _ if key == shape.record.id => shape.record.id,
                Some((name, _)) => name,
                None => return this.remove(),
            };
            if seen.contains(&known) {
                return Err(this.reader.fault(Cause::DuplicateKey));
            }
            seen.push(known);
            if known == shape.under {
                inner_id = this.entry_fields(&shape.record, book)?;
                return Ok(Fate::Keep);
            }
            if known == shape.record.id {
                id = this.scalar_text()?;
            }
            match named {
                Some((_, shape)) => this.linked(|this| this.shaped(shape, Unfit::Refuse)),
                None => this.keep_scalar(),
            }
        })?;
        let must_name = |(name, shape): &(&'static str, Shape)| {
            matches!(shape, Shape::NameOf(_)) && !seen.contains(name)
        };
        if !seen.contains(&shape.under) || shape.keys.iter().any(must_name) {
            return Err(self.reader.fault(Cause::Shape));
        }
        if shape.record.counted {
            let id = id.or(inner_id);
            self.books
                .counted(&shape.record.module, id.as_deref(), persons);
        }
        Ok(Fate::Keep)
    }

    /// The fields of an entry. PHP writes none as `[]`.
    fn entry_fields(
        &mut self,
        shape: &RecordShape,
        book: Book,
    ) -> Result<Option<Cow<'a, str>>, Fault> {
        match (self.reader.kind()?, shape.layout) {
            (Type::Object, _) | (Type::Array, Layout::Named) => self.fields(shape, book, None),
            (Type::Array, Layout::Flat) if self.reader.is_empty_container() => {
                self.keep()?;
                Ok(None)
            }
            _ => Err(self.reader.fault(Cause::Shape)),
        }
    }

    /// An object whose shape one of its members tells.
    pub(super) fn choice(&mut self, shape: &ChoiceShape, misfit: Unfit) -> Result<Fate, Fault> {
        let word = match self.member(self.reader.at(), |key| key == shape.told_by)? {
            Some(reader) => scalar_text(&reader)?,
            None => None,
        };
        let case = shape
            .cases
            .iter()
            .find(|(name, _)| word.as_deref() == Some(name.as_str()));
        match case {
            Some((_, shape)) => self.object(shape, misfit),
            None if misfit == Unfit::Redact => self.redact(),
            None => Err(self.reader.fault(Cause::OtherModule)),
        }
    }

    /// A record whose module it tells itself. That it tells it once, and the same, the record's own rules see to.
    pub(super) fn one_of(&mut self, shapes: &[RecordShape], misfit: Unfit) -> Result<Fate, Fault> {
        let told = match self.member(self.reader.at(), |key| key == MODULE_KEY)? {
            Some(reader) => scalar_text(&reader)?,
            None => None,
        };
        let shape = shapes
            .iter()
            .find(|shape| told.as_deref() == Some(shape.module.as_str()));
        match shape {
            Some(shape) => self.record(shape),
            None if misfit == Unfit::Redact => self.redact(),
            None => Err(self.reader.fault(Cause::OtherModule)),
        }
    }
}

/// The string or number at which a reader stands.
pub(super) fn scalar_text<'a>(reader: &Reader<'a>) -> Result<Option<Cow<'a, str>>, Fault> {
    let start = reader.at();
    let mut ahead = reader.look(start);
    match ahead.kind()? {
        Type::String => Ok(ahead.string()?.unescape()),
        Type::Number => {
            ahead.skip()?;
            Ok(Some(Cow::Borrowed(ahead.part(start, ahead.at()))))
        }
        _ => Ok(None),
    }
}
