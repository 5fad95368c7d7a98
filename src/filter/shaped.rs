//! Treats a value of which the dialect says how it lies around records, or within one.

use std::collections::HashSet;
use std::mem;

use crate::dialect::{Layout, ObjectShape, Others, Shape};

use super::Cause;
use super::reader::{Fault, Type};
use super::record::{Fate, Treatment, Unfit};

impl Treatment<'_, '_> {
    /// Treats a value by its shape.
    pub(super) fn shaped(&mut self, shape: &Shape, misfit: Unfit) -> Result<Fate, Fault> {
        let kind = self.reader.kind()?;
        let is_empty = || self.reader.is_empty_container();
        match (shape, kind) {
            (Shape::Anything, _) => self.keep(),
            (Shape::Dropped, _) => self.remove(),
            (Shape::Scalar, kind) if kind.is_scalar() => self.keep(),
            (Shape::Count(count), kind) if kind.is_scalar() => self.count(*count),
            (Shape::Object(shape), Type::Object) => self.object(shape, misfit),
            (Shape::Object(shape), Type::Array) if shape.required.is_empty() && is_empty() => {
                self.keep()
            }
            // Only around records is it known what has been left out of the other list.
            (Shape::Along { .. }, Type::Array) if !self.books.may_tell_numbers() => {
                Err(self.reader.fault(Cause::Shape))
            }
            (Shape::List(shape) | Shape::Along { element: shape, .. }, Type::Array) => {
                self.elements(&mut |this| this.one_of_many(|this| this.shaped(shape, misfit)))?;
                Ok(Fate::Keep)
            }
            (Shape::List(_) | Shape::Along { .. }, Type::Object) if is_empty() => self.keep(),
            (Shape::Word(words), Type::String) => {
                let word = self.scalar_text()?;
                match words.iter().any(|known| word.as_deref() == Some(*known)) {
                    true => self.keep(),
                    false if misfit == Unfit::Redact => self.redact(),
                    false => Err(self.reader.fault(Cause::OtherModule)),
                }
            }
            (Shape::NameOf(name), Type::String) => {
                let word = self.scalar_text()?;
                match word.is_some_and(|word| name.is(&word)) {
                    true => self.keep(),
                    false if misfit == Unfit::Redact => self.redact(),
                    false => Err(self.reader.fault(Cause::OtherModule)),
                }
            }
            (Shape::Record(shape), Type::Object) => self.record(shape),
            (Shape::Record(shape), Type::Array) if shape.layout == Layout::Named => {
                self.record(shape)
            }
            (Shape::OneOf(shapes), Type::Object) => self.one_of(shapes, misfit),
            (Shape::Entry(shape), Type::Object) => self.entry(shape),
            (Shape::Choice(shape), Type::Object) => self.choice(shape, misfit),
            (Shape::Either { array, .. }, Type::Array) => self.shaped(array, misfit),
            (Shape::Either { object, .. }, Type::Object) => self.shaped(object, misfit),
            _ if misfit == Unfit::Redact => self.redact(),
            _ => Err(self.reader.fault(Cause::Shape)),
        }
    }

    pub(super) fn object(&mut self, shape: &ObjectShape, misfit: Unfit) -> Result<Fate, Fault> {
        if shape.required.is_empty() && self.reader.is_empty_container() {
            return self.keep();
        }
        let start = self.reader.at();
        let undone = (self.out.len(), self.copied);
        // A bit for each of the first keys with names; other keys, of which there can be any number, by themselves.
        let (mut named_seen, mut others_seen) = (0_u64, HashSet::new());
        let mut is_absent = false;
        let place_of = |key: &str| shape.keys.iter().position(|(name, _)| *name == key);
        let bit_of = |place: usize| 1_u64.checked_shl(u32::try_from(place).unwrap_or(u32::MAX));
        self.members(&mut |this, key| {
            let place = place_of(&key);
            let named = place.and_then(|place| shape.keys.get(place));
            let shape = match (named, &shape.others) {
                (Some((_, shape)), _) => shape,
                (None, Others::Shape(shape)) => &**shape,
                (None, Others::Dropped) => return this.remove(),
                (None, Others::Unheard) => {
                    this.books.unheard(&key);
                    return this.remove();
                }
            };
            let is_new = match place.and_then(bit_of) {
                Some(bit) => {
                    let before = mem::replace(&mut named_seen, bit);
                    named_seen |= before;
                    before & bit == 0
                }
                None => others_seen.insert(key),
            };
            if !is_new {
                return Err(this.reader.fault(Cause::DuplicateKey));
            }
            let fate = this.one_of_many(|this| this.shaped(shape, misfit))?;
            // What is told of a record says nothing without it; members under any key are like elements of a list.
            is_absent |= fate == Fate::Absent && named.is_some();
            Ok(fate)
        })?;
        let is_there = |key: &str| match place_of(key).and_then(bit_of) {
            Some(bit) => named_seen & bit != 0,
            None => others_seen.contains(key),
        };
        match shape.required.iter().all(|key| is_there(key)) {
            false if misfit == Unfit::Refuse => return Err(self.reader.fault(Cause::Shape)),
            _ if is_absent => return Ok(Fate::Absent),
            true => return Ok(Fate::Keep),
            false => {}
        }
        self.out.truncate(undone.0);
        self.copied = undone.1;
        self.replace(start, Type::Object.redacted())
    }
}
