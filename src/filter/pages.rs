//! Pages of a list, put together anew from those of the CRM: of the records that are there for the caller, as many as were
//! asked for. What comes out is still to be filtered, like any other reply of the CRM.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::dialect::{Count, Empty, NextPlace, NextSays, ObjectShape, PageForm, Shape};
use crate::policy::Plan;
use crate::vocabulary::RuleName;

use super::books::Books;
use super::facts::parts;
use super::reader::{Fault, Reader};
use super::terms::Terms;
use super::{Asked, Cause, Limits, Memory, Unfilterable, judged};

/// A page that is put together.
pub struct Pages<'f> {
    books: Books,
    limits: Limits,
    shape: &'f Shape,
    /// The keys that lead to the list.
    path: Vec<&'static str>,
    /// Where the reply tells how it goes on.
    next: Option<&'f NextPlace>,
    /// What the API answers where there are no records.
    empty: Empty,
    /// What an element of the list is.
    element: &'f Shape,
    /// The lists of which each element belongs to one of the list, beside it.
    along: Vec<&'static str>,
    /// The first page of the CRM: what stands around the records is taken from it.
    frame: Option<Box<str>>,
    /// The records that are shown, and with each what belongs to it.
    kept: Vec<(Box<str>, Vec<Box<str>>)>,
    bytes: usize,
}

/// What was found on a page of the CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many records there are, whether or not they are there for the caller.
    pub read: u64,
    /// The place on the page of the first record that is there and for which there was no room any more.
    pub left: Option<u64>,
    /// Whether the page says that it is the last one.
    pub is_last: bool,
}

impl<'f> Pages<'f> {
    /// An empty page of a reply of this shape, which is read page by page in this form, under this plan; `None`, if the shape has no
    /// list of records.
    pub fn new(
        plan: &Plan,
        form: (&'f Shape, &'f PageForm),
        asked: Asked,
        limits: Limits,
        memory: &Memory,
    ) -> Option<Self> {
        Self::on_terms(Box::new(plan.clone()), form, asked, limits, memory)
    }

    pub(super) fn on_terms(
        terms: Box<dyn Terms>,
        (shape, page): (&'f Shape, &'f PageForm),
        asked: Asked,
        limits: Limits,
        memory: &Memory,
    ) -> Option<Self> {
        let (path, element, around) = listed(shape)?;
        let along = around.into_iter().flat_map(|object| &object.keys);
        let along = along.filter_map(|(name, shape)| match shape {
            Shape::Along { key, .. } if path.last() == Some(key) => Some(*name),
            _ => None,
        });
        Some(Self {
            books: Books::new(terms, shape, asked, limits, memory),
            limits: limits.bounded(),
            shape,
            along: along.collect(),
            path,
            next: page.next.as_ref(),
            empty: page.empty,
            element,
            frame: None,
            kept: Vec::new(),
            bytes: 0,
        })
    }

    /// How many records are shown so far.
    pub fn shown(&self) -> usize {
        self.kept.len()
    }

    /// How many bytes wait here.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many records were passed that are not there for the caller, by the rule that says so.
    pub fn absent(&self) -> &BTreeMap<RuleName, u64> {
        self.books.absent()
    }

    /// Takes from a page of the CRM, behind its first `skipped` records, those that are there for the caller, until there are
    /// `rows`.
    pub fn take(
        &mut self,
        page: &[u8],
        skipped: usize,
        rows: usize,
    ) -> Result<Taken, Unfilterable> {
        let text = simdutf8::basic::from_utf8(page).map_err(|_| unfilterable(Cause::Encoding))?;
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        let top = match self.path.is_empty() {
            true => Vec::new(),
            false => self.members(text)?,
        };
        let Lists {
            own,
            elements,
            along,
        } = self.lists(text, &top)?;
        let mut left = None;
        for (place, element) in elements.iter().enumerate().skip(skipped) {
            if !self.is_there(element)? {
                continue;
            }
            if self.kept.len() >= rows {
                left = Some(place as u64);
                break;
            }
            let beside = along.iter().filter_map(|list| list.get(place));
            let beside: Vec<Box<str>> = beside.map(|beside| (*beside).into()).collect();
            self.bytes += element.len() + beside.iter().map(|text| text.len()).sum::<usize>();
            self.kept.push(((*element).into(), beside));
        }
        if self.frame.is_none() {
            let frame = without(text, own);
            self.bytes += frame.len();
            self.frame = Some(frame);
        }
        Ok(Taken {
            read: elements.len() as u64,
            left,
            is_last: self.says_last(&top)?,
        })
    }

    /// The page as the CRM would send it if there were no other records: it ends at an offset, was asked for with so many
    /// rows, and may have more behind it. Around no records stands nothing of a page of the CRM, whose form tells whether it
    /// had any.
    pub fn whole(&self, behind: u64, rows: u32, has_more: bool) -> Result<Vec<u8>, Unfilterable> {
        let mut out = String::with_capacity(self.bytes);
        let said = |next: &NextPlace| next.says.said(behind, rows, has_more);
        let next = self.next.map(|next| (next.path.as_slice(), said(next)));
        if self.kept.is_empty() {
            let next = next.filter(|_| self.empty != Empty::Bare);
            self.write_none(self.shape, (Some(&self.path), next), &mut out);
            return Ok(out.into_bytes());
        }
        let frame = self.frame.as_deref().unwrap_or_default();
        self.write(frame, self.shape, (Some(&self.path), next), &mut out)?;
        Ok(out.into_bytes())
    }

    /// Whether a page says of itself that nothing comes behind it.
    fn says_last(&self, top: &[Member<'_>]) -> Result<bool, Unfilterable> {
        let next = self.next.filter(|next| next.says == NextSays::Offset);
        let Some((first, behind)) = next.and_then(|next| next.path.split_first()) else {
            return Ok(false);
        };
        let mut value = one(top, first)?;
        for key in behind {
            let Some(around) = value else { break };
            value = one(&self.members(around)?, key)?;
        }
        Ok(value.is_some_and(|value| value.trim_matches('"').starts_with('-')))
    }

    fn is_there(&mut self, element: &str) -> Result<bool, Unfilterable> {
        let reader = Reader::new(element, 0, self.limits.depth_max);
        let bytes_max = self.limits.record_bytes_max;
        let there = judged::is_there(reader, self.element, &mut self.books, bytes_max);
        there.map_err(faulty)
    }

    /// The list of a page, of which the members of the outermost object were read, and those that belong to it.
    fn lists<'t>(&self, text: &'t str, top: &[Member<'t>]) -> Result<Lists<'t>, Unfilterable> {
        let Some((last, before)) = self.path.split_last() else {
            return Ok(Lists {
                own: text,
                elements: self.list(text)?,
                along: Vec::new(),
            });
        };
        let mut inside = Cow::Borrowed(top);
        for key in before {
            let around = one(&inside, key)?.ok_or_else(|| unfilterable(Cause::Shape))?;
            inside = Cow::Owned(self.members(around)?);
        }
        let (own, elements) = match one(&inside, last)? {
            Some(own) => (own, self.list(own)?),
            None if self.empty == Empty::Bare => return Ok(Lists::default()),
            None => return Err(unfilterable(Cause::Shape)),
        };
        let mut along = Vec::new();
        for key in &self.along {
            let beside = one(&inside, key)?.map_or(Ok(Vec::new()), |text| self.list(text))?;
            // None at all belong to nothing.
            if !beside.is_empty() && beside.len() != elements.len() {
                return Err(unfilterable(Cause::Shape));
            }
            along.push(beside);
        }
        Ok(Lists {
            own,
            elements,
            along,
        })
    }

    /// The elements of a list. An empty object passes as the empty list that PHP means by it.
    fn list<'t>(&self, text: &'t str) -> Result<Vec<&'t str>, Unfilterable> {
        if text.starts_with('{') {
            return match self.members(text)?.is_empty() {
                true => Ok(Vec::new()),
                false => Err(unfilterable(Cause::Shape)),
            };
        }
        let mut elements = Vec::new();
        self.parts_of(text, [b'[', b']'], &mut |reader| {
            elements.push(value(reader)?);
            Ok(true)
        })?;
        Ok(elements)
    }

    /// The members of an object, in their order.
    fn members<'t>(&self, text: &'t str) -> Result<Vec<Member<'t>>, Unfilterable> {
        let mut members = Vec::new();
        self.parts_of(text, [b'{', b'}'], &mut |reader| {
            members.push((reader.key()?, value(reader)?));
            Ok(true)
        })?;
        Ok(members)
    }

    /// Reads an object or a list that a text is, part by part; nobody wrote white space around it.
    fn parts_of<'t>(
        &self,
        text: &'t str,
        brackets: [u8; 2],
        each: &mut dyn FnMut(&mut Reader<'t>) -> Result<bool, Fault>,
    ) -> Result<(), Unfilterable> {
        let mut reader = Reader::new(text, 0, self.limits.depth_max);
        if reader.kind().is_ok() && reader.peek() != Some(brackets[0]) {
            return Err(unfilterable(Cause::Shape));
        }
        let read = parts(&mut reader, brackets, each).and_then(|_| reader.end());
        read.map_err(|fault| match fault.cause {
            Cause::Syntax if fault.at >= text.len() => unfilterable(Cause::Truncated),
            _ => faulty(fault),
        })
    }

    /// Writes a value of a reply without records: `path` leads to the list, `next` to what tells how it goes on.
    fn write_none(
        &self,
        shape: &Shape,
        (path, next): (Option<Way<'_>>, Option<(Way<'_>, i128)>),
        out: &mut String,
    ) {
        let Shape::Object(object) = shape else {
            out.push_str("[]");
            return;
        };
        out.push('{');
        let mut is_first = true;
        for (name, inside) in &object.keys {
            let path = path.and_then(|path| path.strip_prefix(&[*name]));
            let next = next.and_then(|(path, says)| Some((path.strip_prefix(&[*name])?, says)));
            let mut written = String::new();
            match (inside, path, next) {
                (_, Some([]), _) => written.push_str("[]"),
                (_, _, Some(([], says))) => written = says.to_string(),
                (_, None, None) => written = self.none_beside(inside).to_owned(),
                _ => self.write_none(inside, (path, next), &mut written),
            }
            if !written.is_empty() {
                write_member(name, &written, std::mem::take(&mut is_first), out);
            }
        }
        out.push('}');
    }

    /// What stands beside a list without records; blank: nothing does.
    fn none_beside(&self, shape: &Shape) -> &'static str {
        match shape {
            _ if self.empty == Empty::Bare => "",
            Shape::Along { key, .. } if self.path.last() == Some(key) => "[]",
            Shape::Count(Count::Listed(list)) if self.path.last() == Some(list) => "0",
            Shape::Count(Count::All(Some(unknown))) => unknown,
            _ => "",
        }
    }

    /// Writes what stands in the place of a value of the first page: `path` leads to the list, `next` to what tells how it
    /// goes on.
    fn write(
        &self,
        raw: &str,
        shape: &Shape,
        (path, next): (Option<Way<'_>>, Option<(Way<'_>, i128)>),
        out: &mut String,
    ) -> Result<(), Unfilterable> {
        let object = match (path, shape) {
            (Some([]), _) => {
                write_list(self.kept.iter().map(|(element, _)| &**element), out);
                return Ok(());
            }
            (_, Shape::Object(object)) => object,
            _ => {
                out.push_str(raw);
                return Ok(());
            }
        };
        if !raw.starts_with('{') {
            // What leads to the list was an object when the list was taken from it.
            if path.is_some() {
                return Err(unfilterable(Cause::Shape));
            }
            out.push_str(raw);
            return Ok(());
        }
        out.push('{');
        let mut is_first = true;
        for (key, value) in self.members(raw)? {
            let known = object.keys.iter().find(|(name, _)| *name == key);
            let Some((name, inside)) = known else {
                continue;
            };
            let mut written = String::new();
            let path = path.and_then(|path| path.strip_prefix(&[*name]));
            let next = next.and_then(|(path, says)| Some((path.strip_prefix(&[*name])?, says)));
            let beside = self.along.iter().position(|along| along == name);
            match (inside, next, beside) {
                (_, Some(([], says)), _) => written = says.to_string(),
                (Shape::Along { .. }, _, Some(beside)) => {
                    let all = self.kept.iter().filter_map(|(_, along)| along.get(beside));
                    write_list(all.map(|text| &**text), &mut written);
                }
                (Shape::Count(Count::Listed(list)), ..) if self.path.last() == Some(list) => {
                    written = self.kept.len().to_string();
                }
                (Shape::Count(Count::All(Some(unknown))), ..) => {
                    (*unknown).clone_into(&mut written)
                }
                // Of what else counts, nobody knows what.
                (Shape::Count(_) | Shape::Scalar, ..) => continue,
                _ => self.write(value, inside, (path, next), &mut written)?,
            }
            write_member(name, &written, std::mem::take(&mut is_first), out);
        }
        out.push('}');
        Ok(())
    }
}

impl fmt::Debug for Pages<'_> {
    /// Without the records.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("path", &self.path)
            .field("shown", &self.kept.len())
            .finish_non_exhaustive()
    }
}

/// A member of an object: its name, and its value as it is written.
type Member<'t> = (Cow<'t, str>, &'t str);

/// The list of a page.
#[derive(Default)]
struct Lists<'t> {
    /// As it is written; blank if there is none.
    own: &'t str,
    elements: Vec<&'t str>,
    /// The elements of those that belong to it.
    along: Vec<Vec<&'t str>>,
}

/// The keys that lead to a place.
type Way<'p> = &'p [&'static str];

/// A list of records in a shape.
type Listed<'f> = (Vec<&'static str>, &'f Shape, Option<&'f ObjectShape>);

/// The first list of records: the keys that lead to it, what its elements are, and the object that it lies in. A list of groups
/// in which records lie is none: of a group, nobody says whether it is there.
fn listed(shape: &Shape) -> Option<Listed<'_>> {
    match shape {
        Shape::List(element) => matches!(
            **element,
            Shape::Record(_) | Shape::OneOf(_) | Shape::Entry(_)
        )
        .then(|| (Vec::new(), &**element, None)),
        Shape::Object(object) => object.keys.iter().find_map(|(key, inside)| {
            let (mut path, element, around) = listed(inside)?;
            path.insert(0, key);
            Some((path, element, around.or(Some(object))))
        }),
        _ => None,
    }
}

/// What is wrong, in a page that is read as a whole.
fn unfilterable(cause: Cause) -> Unfilterable {
    Unfilterable {
        cause,
        offset: 0,
        under: None,
    }
}

fn faulty(Fault { cause, at }: Fault) -> Unfilterable {
    Unfilterable {
        offset: at as u64,
        ..unfilterable(cause)
    }
}

/// Passes a value: what it is.
fn value<'t>(reader: &mut Reader<'t>) -> Result<&'t str, Fault> {
    let start = reader.at();
    reader.skip()?;
    Ok(reader.part(start, reader.at()))
}

/// What stands around a list: a page without what it has in it.
fn without(text: &str, list: &str) -> Box<str> {
    let start = list.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    match (
        text.get(..start),
        text.get(start.saturating_add(list.len())..),
    ) {
        (Some(before), Some(behind)) if !list.is_empty() => format!("{before}[]{behind}").into(),
        _ => text.into(),
    }
}

/// The value under a key that may occur once.
fn one<'t>(members: &[Member<'t>], key: &str) -> Result<Option<&'t str>, Unfilterable> {
    let mut found = members.iter().filter(|(name, _)| name == key);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(unfilterable(Cause::DuplicateKey)),
        (found, _) => Ok(found.map(|(_, value)| *value)),
    }
}

fn write_member(name: &str, value: &str, is_first: bool, out: &mut String) {
    if !is_first {
        out.push(',');
    }
    out.push_str(&serde_json::Value::from(name).to_string());
    out.push(':');
    out.push_str(value);
}

fn write_list<'t>(texts: impl Iterator<Item = &'t str>, out: &mut String) {
    out.push('[');
    for (place, text) in texts.enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(text);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use crate::dialect::{ChoiceShape, Others};
    use crate::vocabulary::Module;

    use super::*;

    #[test]
    fn a_list_of_groups_is_no_list_of_records() {
        let list = |element: Shape| Shape::List(Box::new(element));
        let records = || list(Shape::record(&Module::new("Contacts")));
        let group = ObjectShape {
            keys: vec![("records", records())],
            others: Others::Dropped,
            required: &[],
        };
        let groups = list(Shape::Choice(Box::new(ChoiceShape {
            told_by: "name",
            cases: vec![("Contacts".to_owned(), group)],
        })));
        let reply = |inside: Shape| Shape::only(vec![("entry_list", inside)], &[]);
        assert!(listed(&reply(groups)).is_none());
        let found = reply(records());
        let (path, ..) = listed(&found).unwrap();
        assert_eq!(path, ["entry_list"]);
    }
}
