//! Follows the outline of a reply as it streams: everything that lies outside records. Records are collected whole
//! and handed to [`super::record`].

use std::borrow::Cow;
use std::collections::HashSet;
use std::mem;
use std::sync::Arc;

use crate::dialect::{Count, Shape};

use super::books::Books;
use super::elements::Elements;
use super::extent::Extent;
use super::reader::{Fault, Reader};
use super::track::{ListTrack, ObjectTrack, Track};
use super::{Cause, Limits};

/// An object or array that has begun and not ended.
pub(super) struct Container {
    pub(super) inside: Inside,
    /// Whether it is copied; else it is dropped.
    shown: bool,
}

pub(super) enum Inside {
    Object {
        form: Arc<ObjectTrack>,
        /// Keys that are named or copied. What they take is bounded like a record.
        seen: HashSet<Box<str>>,
        seen_bytes: usize,
        kept_any: bool,
        /// The key that was read last of those that are named.
        key: Option<&'static str>,
        /// Whether the key that was read last is held back together with its value.
        is_key_held: bool,
        /// The lists that have ended, by their keys, if they are counted.
        lists: Vec<(&'static str, Arc<Elements>)>,
    },
    List {
        form: Arc<ListTrack>,
        elements: Elements,
    },
    /// An empty array where an object is meant, or the other way round.
    Nothing { closer: u8 },
}

/// What comes next.
#[derive(Clone, Debug)]
pub(super) enum Next {
    /// A value of this form, and whether it is copied.
    Value(Track, bool),
    /// The first member or element, or the end, of the innermost frame.
    First,
    /// Another member of the innermost frame.
    Member,
    /// The colon, then a value of this form.
    Colon(Track, bool),
    /// A comma, or the end of the innermost frame; of no frame: the end of the text. And whether white space is copied.
    Comma(bool),
}

/// The place in the outline that the bytes so far have led to.
pub(super) struct Outline {
    pub(super) limits: Limits,
    pub(super) frames: Vec<Container>,
    pub(super) next: Next,
    /// What stands before something of which it is not known yet whether it is copied: white space before a key, or before an
    /// element that may be left out, or the key of a member that may.
    pub(super) lead: Vec<u8>,
    /// The search for the end of the value or key that has begun.
    extent: Extent,
    /// The key that was read last of those that have names here.
    under: Option<&'static str>,
}

/// What one step works with.
pub(super) struct Feed<'a> {
    /// What has not been passed yet.
    pub(super) rest: &'a [u8],
    /// The same as far as it is UTF-8, if no part of it was there before: what comes in small pieces would else be read
    /// again and again.
    pub(super) text: Option<&'a str>,
    /// Whether nothing comes after it.
    pub(super) is_last: bool,
    pub(super) books: &'a mut Books,
    pub(super) out: &'a mut Vec<u8>,
}

impl Feed<'_> {
    fn copy(&mut self, shown: bool, length: usize) {
        if shown {
            self.out
                .extend_from_slice(self.rest.get(..length).unwrap_or_default());
        }
    }
}

/// The list under a key, if it has ended.
fn ended<'l>(lists: &'l [(&'static str, Arc<Elements>)], key: &str) -> Option<&'l Arc<Elements>> {
    let mut lists = lists.iter();
    lists.find(|(name, _)| *name == key).map(|(_, list)| list)
}

/// What becomes of a number that counts records.
fn counted(count: Count, lists: &[(&'static str, Arc<Elements>)], books: &Books) -> Track {
    match count {
        _ if books.may_tell_numbers() => Track::Scalar,
        Count::Listed(key) => {
            ended(lists, key).map_or(Track::Dropped, |list| Track::Number(list.kept()))
        }
        Count::All(unknown) => unknown.map_or(Track::Dropped, Track::Value),
    }
}

/// A fault at the first byte that a step has not passed.
pub(super) fn here<T>(cause: Cause) -> Result<T, Fault> {
    Err(Fault { cause, at: 0 })
}

impl Outline {
    /// The outline of a reply of this shape. `judging`: records may be left out of it.
    pub(super) fn new(shape: &Shape, judging: bool, limits: Limits) -> Self {
        Self {
            limits,
            frames: Vec::new(),
            next: Next::Value(Track::of(shape, judging), true),
            lead: Vec::new(),
            extent: Extent::default(),
            under: None,
        }
    }

    /// The key that was read last of those that the shape names.
    pub(super) fn under(&self) -> Option<&'static str> {
        self.under
    }

    /// Whether the text is complete.
    pub(super) fn is_complete(&self) -> bool {
        self.frames.is_empty() && matches!(self.next, Next::Comma(_))
    }

    /// Passes what can be decided now; returns how many bytes that were, `None` if more must come first.
    pub(super) fn step(&mut self, mut step: Feed<'_>) -> Result<Option<usize>, Fault> {
        let blanks = step
            .rest
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            .unwrap_or(step.rest.len());
        if blanks > 0 {
            self.pass_white_space(&mut step, blanks)?;
            return Ok(Some(blanks));
        }
        let Some(&byte) = step.rest.first() else {
            return Ok(None);
        };
        let next = mem::replace(&mut self.next, Next::First);
        let passed = match &next {
            Next::Value(form, shown) => self.value(step, form, *shown, byte),
            Next::First => self.first(step, byte),
            Next::Member => self.member(step, byte),
            Next::Colon(form, shown) if byte == b':' => {
                match self.is_key_held() {
                    true => self.lead.push(byte),
                    false => step.copy(*shown, 1),
                }
                self.next = Next::Value(form.clone(), *shown);
                Ok(Some(1))
            }
            Next::Colon(..) => here(Cause::Syntax),
            Next::Comma(_) => self.comma(step, byte),
        };
        if matches!(passed, Ok(None)) {
            // It is still what comes next.
            self.next = next;
        }
        passed
    }

    /// Whether white space that comes now is held, until it is known whether what follows it is copied.
    fn holds_blanks(&self) -> bool {
        match (&self.next, self.frames.last().map(|frame| &frame.inside)) {
            (Next::First | Next::Member, Some(Inside::Object { .. })) => true,
            (Next::First | Next::Value(..), Some(Inside::List { form, .. })) => {
                matches!(form.element, Track::Whole(_))
            }
            (Next::Colon(..) | Next::Value(..), _) => self.is_key_held(),
            _ => false,
        }
    }

    /// Whether the key that was read last is held back together with its value.
    fn is_key_held(&self) -> bool {
        let inside = self.frames.last().map(|frame| &frame.inside);
        matches!(
            inside,
            Some(Inside::Object {
                is_key_held: true,
                ..
            })
        )
    }

    fn pass_white_space(&mut self, step: &mut Feed<'_>, length: usize) -> Result<(), Fault> {
        if self.holds_blanks() {
            let blank = step.rest.get(..length).unwrap_or_default();
            self.lead.extend_from_slice(blank);
            if self.lead.len() > self.limits.record_bytes_max {
                return here(Cause::RecordTooLarge);
            }
            return Ok(());
        }
        let shown = match self.next {
            Next::Value(_, shown) | Next::Colon(_, shown) | Next::Comma(shown) => shown,
            Next::First | Next::Member => self.frames.last().is_some_and(|frame| frame.shown),
        };
        step.copy(shown, length);
        Ok(())
    }

    /// A value begins.
    fn value(
        &mut self,
        mut step: Feed<'_>,
        form: &Track,
        shown: bool,
        byte: u8,
    ) -> Result<Option<usize>, Fault> {
        let inside = match (form, byte) {
            (Track::Whole(shape), b'{' | b'[' | b'"') => return self.collected(step, shape),
            (Track::Object(form), b'{') => Self::object(form.clone()),
            (Track::Object(form), b'[') if form.required.is_empty() => {
                Inside::Nothing { closer: b']' }
            }
            (Track::List(form), b'[') => self.list(form)?,
            (Track::List(_), b'{') => Inside::Nothing { closer: b'}' },
            (form @ (Track::Anything | Track::Dropped), b'{') => {
                Self::object(Arc::new(ObjectTrack::free(form.clone())))
            }
            (form @ (Track::Anything | Track::Dropped), b'[') => Inside::List {
                form: Arc::new(ListTrack {
                    element: form.clone(),
                    along: None,
                }),
                elements: Elements::default(),
            },
            (Track::Anything | Track::Dropped, _) => return self.scalar(step, shown, None),
            (Track::Scalar, byte) if byte != b'{' && byte != b'[' => {
                return self.scalar(step, shown, None);
            }
            (Track::Number(number), byte) if byte != b'{' && byte != b'[' => {
                return self.scalar(step, shown, Some(&number.to_string()));
            }
            (Track::Value(value), byte) if byte != b'{' && byte != b'[' => {
                return self.scalar(step, shown, Some(value));
            }
            (_, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                return here(Cause::Shape);
            }
            _ => return here(Cause::Syntax),
        };
        if self.frames.len() >= self.limits.depth_max {
            return here(Cause::Depth);
        }
        step.copy(shown, 1);
        self.frames.push(Container { inside, shown });
        self.next = Next::First;
        Ok(Some(1))
    }

    fn object(form: Arc<ObjectTrack>) -> Inside {
        Inside::Object {
            form,
            seen: HashSet::new(),
            seen_bytes: 0,
            kept_any: false,
            key: None,
            is_key_held: false,
            lists: Vec::new(),
        }
    }

    /// A list begins. One that goes along with another comes after it.
    fn list(&self, form: &Arc<ListTrack>) -> Result<Inside, Fault> {
        let elements = match form.along {
            None => Elements::default(),
            Some(key) => {
                let lists = match self.frames.last().map(|frame| &frame.inside) {
                    Some(Inside::Object { lists, .. }) => lists.as_slice(),
                    _ => &[],
                };
                match ended(lists, key) {
                    Some(list) => Elements::along(list),
                    None => return here(Cause::Shape),
                }
            }
        };
        Ok(Inside::List {
            form: Arc::clone(form),
            elements,
        })
    }

    /// The text of the value or key that begins here, if it has come whole.
    pub(super) fn whole<'t>(&mut self, step: &Feed<'t>) -> Result<Option<&'t str>, Fault> {
        let bytes = step.rest;
        // Only what follows a number or a word ends it, or the end of everything.
        let may_end_here = step.is_last && !matches!(bytes.first(), Some(b'"' | b'{'));
        let end = self
            .extent
            .end(bytes)
            .or_else(|| may_end_here.then_some(bytes.len()));
        if end.unwrap_or(bytes.len()) > self.limits.record_bytes_max {
            return here(Cause::RecordTooLarge);
        }
        let Some(bytes) = end.and_then(|end| bytes.get(..end)) else {
            return Ok(None);
        };
        self.extent = Extent::default();
        match simdutf8::compat::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(Fault {
                cause: Cause::Encoding,
                at: error.valid_up_to(),
            }),
        }
    }

    pub(super) fn reader<'t>(&self, text: &'t str) -> Reader<'t> {
        Reader::new(text, self.frames.len(), self.limits.depth_max)
    }

    /// A scalar, or what stands in its place: a number is written as a text where one was.
    fn scalar(
        &mut self,
        mut step: Feed<'_>,
        shown: bool,
        instead: Option<&str>,
    ) -> Result<Option<usize>, Fault> {
        let Some(text) = self.whole(&step)? else {
            return Ok(None);
        };
        let mut reader = self.reader(text);
        reader.skip()?;
        reader.end()?;
        match instead {
            Some(instead) => {
                let quote = if text.starts_with('"') { "\"" } else { "" };
                let parts = [quote, instead, quote];
                step.out.extend(parts.iter().flat_map(|part| part.bytes()));
            }
            None => step.copy(shown, text.len()),
        }
        self.next = Next::Comma(shown);
        Ok(Some(text.len()))
    }

    /// The first member or element of the innermost frame, or its end.
    fn first(&mut self, step: Feed<'_>, byte: u8) -> Result<Option<usize>, Fault> {
        let Some(frame) = self.frames.last() else {
            return here(Cause::Syntax);
        };
        let shown = frame.shown;
        match &frame.inside {
            Inside::Object { .. } if byte == b'}' => self.close(step),
            Inside::Object { .. } => self.member(step, byte),
            Inside::List { .. } if byte == b']' => self.close(step),
            Inside::List { form, .. } => {
                let form = Arc::clone(form);
                let shown = shown && !matches!(form.element, Track::Dropped);
                self.value(step, &form.element, shown, byte)
            }
            Inside::Nothing { closer } if byte == *closer => self.close(step),
            Inside::Nothing { .. } => here(Cause::Shape),
        }
    }

    /// The innermost frame ends.
    fn close(&mut self, mut step: Feed<'_>) -> Result<Option<usize>, Fault> {
        let Some(frame) = self.frames.pop() else {
            return here(Cause::Syntax);
        };
        let is_fit = match &frame.inside {
            Inside::Object { form, seen, .. } => {
                form.required.iter().all(|key| seen.contains(*key))
            }
            Inside::List { elements, .. } => elements.match_along(),
            Inside::Nothing { .. } => true,
        };
        if !is_fit {
            return here(Cause::Shape);
        }
        self.list_ends(frame.inside);
        if frame.shown {
            step.out.append(&mut self.lead);
        }
        self.lead.clear();
        step.copy(frame.shown, 1);
        self.next = Next::Comma(frame.shown);
        Ok(Some(1))
    }

    /// What has ended, if it was a list, is remembered in the object that held it, if that counts what its lists hold.
    fn list_ends(&mut self, inside: Inside) {
        let elements = match inside {
            Inside::List { elements, .. } => elements,
            Inside::Nothing { .. } => Elements::default(),
            Inside::Object { .. } => return,
        };
        if let Some(Inside::Object {
            form,
            key: Some(key),
            lists,
            ..
        }) = self.frames.last_mut().map(|frame| &mut frame.inside)
            && form.counts_elements
        {
            lists.push((*key, Arc::new(elements)));
        }
    }

    /// A key of the innermost frame, which is an object.
    fn member(&mut self, step: Feed<'_>, byte: u8) -> Result<Option<usize>, Fault> {
        if byte != b'"' {
            return here(Cause::Syntax);
        }
        let Some(text) = self.whole(&step)? else {
            return Ok(None);
        };
        let key = self.reader(text).string()?.unescape();
        let key: Cow<'_, str> = match key {
            Some(key) => key,
            None => return here(Cause::Syntax),
        };
        let lead = mem::take(&mut self.lead);
        let Some(Container {
            inside:
                Inside::Object {
                    form,
                    seen,
                    seen_bytes,
                    kept_any,
                    key: last_named,
                    is_key_held,
                    lists,
                },
            shown,
        }) = self.frames.last_mut()
        else {
            return here(Cause::Syntax);
        };
        let named = form.named(&key);
        let inner = match named.map_or(&form.others, |(_, form)| form) {
            Track::Count(count) => counted(*count, lists, step.books),
            inner => inner.clone(),
        };
        *last_named = named.map(|(name, _)| *name);
        match named {
            Some((name, _)) => self.under = Some(name),
            None if *shown && form.tells_others => {
                step.books.unheard(&key);
            }
            None => {}
        }
        let shown = *shown && !matches!(inner, Track::Dropped);
        if !form.may_repeat && (shown || named.is_some()) {
            *seen_bytes += key.len() + size_of::<Box<str>>();
            if *seen_bytes > self.limits.record_bytes_max {
                return here(Cause::RecordTooLarge);
            }
            if !seen.insert(Box::from(&*key)) {
                return here(Cause::DuplicateKey);
            }
        }
        // Objects of any keys are like lists: of what is left out, nobody learns the key.
        *is_key_held = named.is_none() && matches!(inner, Track::Whole(_));
        if *is_key_held {
            self.lead = lead;
            self.lead.extend_from_slice(text.as_bytes());
        } else if shown {
            if mem::replace(kept_any, true) {
                step.out.push(b',');
            }
            step.out.extend_from_slice(&lead);
            step.out.extend_from_slice(text.as_bytes());
        }
        self.next = Next::Colon(inner, shown);
        Ok(Some(text.len()))
    }

    /// A comma or the end of the innermost frame.
    fn comma(&mut self, mut step: Feed<'_>, byte: u8) -> Result<Option<usize>, Fault> {
        match self.frames.last() {
            Some(Container {
                inside: Inside::Object { .. },
                ..
            }) => match byte {
                b',' => self.next = Next::Member,
                b'}' => return self.close(step),
                _ => return here(Cause::Syntax),
            },
            Some(Container {
                inside: Inside::List { form, .. },
                shown,
            }) => match byte {
                b',' => {
                    let shown = *shown && !matches!(form.element, Track::Dropped);
                    // Before an element that may be left out, the comma is written with it.
                    let is_copied = shown && !matches!(form.element, Track::Whole(_));
                    step.copy(is_copied, 1);
                    self.next = Next::Value(form.element.clone(), shown);
                }
                b']' => return self.close(step),
                _ => return here(Cause::Syntax),
            },
            Some(Container {
                inside: Inside::Nothing { .. },
                ..
            })
            | None => return here(Cause::Syntax),
        }
        Ok(Some(1))
    }
}
