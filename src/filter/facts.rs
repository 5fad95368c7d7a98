//! Reads of a record what its conditions need, before it is walked.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::condition::{Facts, PersonFact};
use crate::dialect::{EntryShape, ID_KEY, Layout, RecordShape};
use crate::json;
use crate::markup;
use crate::vocabulary::{Field, Module, Spelling};

use super::Cause;
use super::layouts::{NAME_KEY, scalar_text};
use super::persons::{Described, Found, Persons};
use super::reader::{Fault, Reader, Type};
use super::record::VALUE_KEY;
use super::route::{At, Route, Step};

/// How deep a value is that is read. What lies deeper compares with nothing.
const DEPTH_MAX: usize = 8;

/// Fields that conditions ask for, made for looking.
#[derive(Debug)]
pub(super) struct Wanted {
    fields: Box<[Field]>,
    /// A bit for each length that a name has.
    lengths: u64,
    /// In which order records have told their fields. One look at a time takes it.
    route: Mutex<Route>,
}

impl Wanted {
    pub(super) fn new(fields: &BTreeSet<Field>) -> Self {
        let lengths = fields.iter().map(|field| length_bit(field.as_str()));
        Self {
            lengths: lengths.fold(0, |all, bit| all | bit),
            fields: fields.iter().cloned().collect(),
            route: Mutex::new(Route::new()),
        }
    }

    /// What is found of these fields, before anything is.
    pub(super) fn nothing(&self) -> Vec<Found> {
        vec![Found::Nothing; self.fields.len()]
    }

    /// What a record of a module tells whose fields were found as they came.
    pub(super) fn described<'r>(
        &'r self,
        module: &'r Module,
        id: Option<&'r str>,
        found: &'r [Found],
    ) -> Described<'r> {
        Described {
            module,
            id,
            fields: &self.fields,
            found,
        }
    }

    /// The place of a field among these, however its name is written.
    fn place(&self, name: &str) -> Option<usize> {
        if self.lengths & length_bit(name) == 0 {
            return None;
        }
        let mut fields = self.fields.iter();
        fields.position(|field| field.as_str().eq_ignore_ascii_case(name))
    }
}

fn length_bit(name: &str) -> u64 {
    1 << name.len().min(63)
}

/// How a record lies where it is looked at.
#[derive(Clone, Copy)]
pub(super) enum Lies<'s> {
    /// By itself.
    Alone(&'s RecordShape),
    /// Beside its id.
    Beside(&'s EntryShape),
}

impl<'s> Lies<'s> {
    pub(super) fn shape(self) -> &'s RecordShape {
        match self {
            Self::Alone(shape) => shape,
            Self::Beside(entry) => &entry.record,
        }
    }
}

/// A look at a record.
pub(super) struct Look<'s, 'a> {
    shape: &'s RecordShape,
    wanted: &'s Wanted,
    found: Vec<Found>,
    /// How many of the fields have not been found.
    missing: usize,
    id: Option<Cow<'a, str>>,
    /// The id that stands beside the record.
    id_beside: Option<Cow<'a, str>>,
    /// Whether the look goes on when everything has been found.
    to_end: bool,
    is_at_end: bool,
}

/// Looks at the record at which a reader stands: at all of it, if it is `to_end`, and else until everything is found. A
/// wanted field that occurs twice is a fault, as far as the look goes; behind it, who walks the record finds that.
pub(super) fn look<'s, 'a>(
    reader: &Reader<'a>,
    lies: Lies<'s>,
    wanted: &'s Wanted,
    to_end: bool,
) -> Result<Look<'s, 'a>, Fault> {
    let mut look = Look {
        shape: lies.shape(),
        wanted,
        found: wanted.nothing(),
        missing: wanted.fields.len(),
        id: None,
        id_beside: None,
        to_end,
        is_at_end: false,
    };
    let mut reader = reader.look(reader.at());
    look.is_at_end = match lies {
        Lies::Alone(_) => look.record(&mut reader)?,
        Lies::Beside(entry) => look.entry(&mut reader, entry)?,
    };
    Ok(look)
}

impl<'a> Look<'_, 'a> {
    /// Whether all of the record was looked at.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// What was found, for whoever judges the record.
    pub(super) fn told<'r>(&'r self, persons: Option<&'r dyn Persons>) -> Told<'r> {
        Told::new(self.described(), persons)
    }

    /// The same, for whoever tells whom the record is about.
    pub(super) fn described(&self) -> Described<'_> {
        let (module, id) = (&self.shape.module, self.id.as_deref());
        self.wanted.described(module, id, &self.found)
    }

    /// Whether there is more to look for.
    fn goes_on(&self) -> bool {
        let is_named = self.id.is_some() || self.id_beside.is_some();
        self.to_end || self.missing > 0 || !is_named
    }

    /// The fields of a record, as they are laid out. Like all that follow: `false` if the look ended within.
    fn record(&mut self, reader: &mut Reader<'a>) -> Result<bool, Fault> {
        let is_plain = self.shape.inner.is_empty() && self.shape.id == ID_KEY;
        match (reader.kind()?, self.shape.layout) {
            (Type::Object, Layout::Flat) if is_plain => self.plain_members(reader),
            (Type::Object, _) => self.members(reader),
            (Type::Array, Layout::Named) => {
                parts(reader, [b'[', b']'], &mut |reader| self.pair(reader))
            }
            _ => reader.skip().map(|_| true),
        }
    }

    /// The usual form: each member is a field. Those that come as expected and that nobody looks for pass without a look.
    fn plain_members(&mut self, reader: &mut Reader<'a>) -> Result<bool, Fault> {
        let wanted = self.wanted;
        let mut route = wanted.route.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = At::Begin;
        parts(reader, [b'{', b'}'], &mut |reader| {
            if let Some((behind, step, name, value)) = route.expected(at, reader.rest()) {
                at = behind;
                reader.leave_only(value);
                reader.white_space();
                if step == Step::Met {
                    return self.member(reader, name);
                }
                pass(reader)?;
                return Ok(self.goes_on());
            }
            let key = reader.key()?;
            at = route.meet(at, &key, || match wanted.place(&key) {
                None if !key.eq_ignore_ascii_case(ID_KEY) => Step::Passed,
                _ => Step::Met,
            });
            self.member(reader, &key)
        })
    }

    /// A member that is a field, of which the name has been read. `false` if nothing else is looked for.
    fn member(&mut self, reader: &mut Reader<'a>, name: &str) -> Result<bool, Fault> {
        let start = reader.at();
        match self.field(name, Some(reader.look(start)), start)? {
            Some(behind) => reader.leave_only(behind.rest()),
            None => {
                reader.skip()?;
            }
        }
        Ok(self.goes_on())
    }

    fn members(&mut self, reader: &mut Reader<'a>) -> Result<bool, Fault> {
        parts(reader, [b'{', b'}'], &mut |reader| {
            let key = reader.key()?;
            let is_inner = self.shape.inner.contains(&&*key);
            if is_inner && reader.peek() == Some(b'{') {
                self.field(&key, None, reader.at())?;
                return Ok(self.members(reader)? && self.goes_on());
            }
            if self.shape.layout == Layout::Flat {
                return self.member(reader, &key);
            }
            let start = reader.at();
            let value = match reader.kind()? {
                Type::Object => name_and_value(reader)?.1,
                _ => None,
            };
            self.field(&key, value, start)?;
            if reader.at() == start {
                reader.skip()?;
            }
            Ok(self.goes_on())
        })
    }

    /// The record in an entry, and its id.
    fn entry(&mut self, reader: &mut Reader<'a>, shape: &EntryShape) -> Result<bool, Fault> {
        let (mut is_under, mut is_beside) = (false, false);
        let is_at_end = parts(reader, [b'{', b'}'], &mut |reader| {
            let key = reader.key()?;
            if key == shape.under {
                if mem::replace(&mut is_under, true) {
                    return Err(reader.fault(Cause::DuplicateKey));
                }
                self.record(&mut reader.look(reader.at()))?;
            } else if key == shape.record.id {
                is_beside = true;
                self.id_beside = scalar_text(reader)?;
            }
            let goes_on = !is_under || !is_beside || self.goes_on();
            if goes_on {
                reader.skip()?;
            }
            Ok(goes_on)
        })?;
        if !is_under {
            return Err(reader.fault(Cause::Shape));
        }
        self.settle_id();
        Ok(is_at_end)
    }

    /// A record that tells two ids has none.
    fn settle_id(&mut self) {
        let Some(beside) = self.id_beside.take() else {
            return;
        };
        let is_same = self.id.as_ref().is_none_or(|id| *id == beside);
        let place = self.wanted.place(self.shape.id);
        if let Some(found) = place.and_then(|place| self.found.get_mut(place)) {
            match found {
                _ if !is_same => *found = Found::Unreadable,
                Found::Nothing => *found = Found::As(Value::String(beside.to_string())),
                Found::Unreadable | Found::As(_) => {}
            }
        }
        self.id = is_same.then_some(beside);
    }

    /// A field in an array of fields.
    fn pair(&mut self, reader: &mut Reader<'a>) -> Result<bool, Fault> {
        let unfit = reader.fault(Cause::Shape);
        if reader.kind()? != Type::Object {
            return Err(unfit);
        }
        let (name, value) = name_and_value(reader)?;
        self.field(&name.ok_or(unfit)?, value, unfit.at)?;
        Ok(self.goes_on())
    }

    /// A field, and a reader at its value, if it has one. Returns the reader behind the value, if it was read.
    fn field(
        &mut self,
        name: &str,
        value: Option<Reader<'a>>,
        at: usize,
    ) -> Result<Option<Reader<'a>>, Fault> {
        if let Some(value) = &value
            && name.eq_ignore_ascii_case(self.shape.id)
        {
            self.id = scalar_text(value)?;
        }
        let place = self.wanted.place(name);
        let Some(found) = place.and_then(|place| self.found.get_mut(place)) else {
            return Ok(None);
        };
        if !matches!(found, Found::Nothing) {
            let cause = Cause::DuplicateKey;
            return Err(Fault { cause, at });
        }
        self.missing = self.missing.saturating_sub(1);
        *found = Found::Unreadable;
        let Some(mut value) = value else {
            return Ok(None);
        };
        *found = read(&mut value, self.shape.spelling)?;
        Ok(Some(value))
    }
}

/// Passes a value that nobody looks for.
#[inline]
fn pass(reader: &mut Reader<'_>) -> Result<(), Fault> {
    match reader.pass_plain_scalar() {
        true => Ok(()),
        false => reader.skip().map(drop),
    }
}

/// Passes what stands between two brackets and commas, for as long as `each` says; `false` if it ended within.
pub(super) fn parts<'a>(
    reader: &mut Reader<'a>,
    [open, close]: [u8; 2],
    each: &mut dyn FnMut(&mut Reader<'a>) -> Result<bool, Fault>,
) -> Result<bool, Fault> {
    reader.enter(open)?;
    reader.white_space();
    if reader.peek() == Some(close) {
        reader.leave(close)?;
        return Ok(true);
    }
    loop {
        if !each(reader)? {
            return Ok(false);
        }
        reader.white_space();
        if !reader.take(b',') {
            reader.leave(close)?;
            return Ok(true);
        }
        reader.white_space();
    }
}

/// The name that an object tells, and a reader at the value beside it.
type NameAndValue<'a> = (Option<Cow<'a, str>>, Option<Reader<'a>>);

/// Passes an object that holds a field.
fn name_and_value<'a>(reader: &mut Reader<'a>) -> Result<NameAndValue<'a>, Fault> {
    let (mut name, mut value) = (None, None);
    parts(reader, [b'{', b'}'], &mut |reader| {
        let key = reader.key()?;
        let is_again = match &*key {
            NAME_KEY => name.replace(reader.look(reader.at())).is_some(),
            VALUE_KEY => value.replace(reader.look(reader.at())).is_some(),
            _ => false,
        };
        if is_again {
            return Err(reader.fault(Cause::DuplicateKey));
        }
        reader.skip()?;
        Ok(true)
    })?;
    let name = match name {
        Some(mut name) if name.peek() == Some(b'"') => name.string()?.unescape(),
        _ => None,
    };
    Ok((name, value))
}

/// Reads a value, as it is meant.
pub(super) fn read(reader: &mut Reader<'_>, spelling: Spelling) -> Result<Found, Fault> {
    if let Some(text) = reader.take_plain_string() {
        let meant = markup::decode(spelling, text);
        return Ok(Found::As(Value::String(meant.into_owned())));
    }
    let start = reader.at();
    reader.skip()?;
    let text = reader.part(start, reader.at());
    Ok(match json::read(text.as_bytes(), DEPTH_MAX) {
        Ok(value) if spelling == Spelling::Plain => Found::As(value),
        Ok(value) => Found::As(markup::decode_value(spelling, &value)),
        Err(json::Ambiguous) => Found::Unreadable,
    })
}

/// What a record tells to conditions.
pub(super) struct Told<'r> {
    record: Described<'r>,
    persons: Option<&'r dyn Persons>,
}

impl<'r> Told<'r> {
    pub(super) fn new(record: Described<'r>, persons: Option<&'r dyn Persons>) -> Self {
        Self { record, persons }
    }
}

impl Facts for Told<'_> {
    fn field(&mut self, field: &Field) -> Option<Value> {
        self.record.field(field).cloned()
    }

    fn person(&mut self, fact: PersonFact) -> Option<bool> {
        self.persons?.holds(fact, &self.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_are_alike_are_looked_at_alike() {
        let entry = EntryShape {
            under: "attributes",
            record: RecordShape::of(&Module::new("Users")),
            keys: Vec::new(),
        };
        let text = r#"{"type":"Users","id":"1","attributes":{"user_name":"a","id":"9","about":"enough that keys are told at a glance"}}"#;
        for (fields, id, is_at_end) in [(&[][..], Some("1"), false), (&["about"], None, false)] {
            let wanted = Wanted::new(&fields.iter().map(|name: &&str| Field::fold(name)).collect());
            for _ in 0..3 {
                let reader = Reader::new(text, 0, 8);
                let seen = look(&reader, Lies::Beside(&entry), &wanted, false);
                let seen = seen.unwrap_or_else(|fault| panic!("{fault:?}"));
                assert_eq!((seen.id.as_deref(), seen.is_at_end), (id, is_at_end));
            }
        }
    }
}
