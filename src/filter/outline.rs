//! Follows the outline of a reply as it streams: everything that lies outside records. Records are collected whole
//! and handed to [`super::record`].

use std::borrow::Cow;
use std::collections::HashSet;
use std::mem;
use std::sync::Arc;

use crate::dialect::{Others, Shape};

use super::books::Books;
use super::extent::Extent;
use super::reader::{Fault, Reader};
use super::{Cause, Limits, record};

/// A shape, made for following: cheap to clone.
#[derive(Clone, Debug)]
enum Track {
    Anything,
    Scalar,
    Dropped,
    Object(Arc<ObjectTrack>),
    List(Arc<Self>),
    /// What is collected whole: a record, perhaps in an entry; an object whose shape a member tells; a word.
    Whole(Arc<Shape>),
}

#[derive(Debug)]
struct ObjectTrack {
    keys: Vec<(&'static str, Track)>,
    others: Track,
    /// Whether the names of other keys are to be told.
    tells_others: bool,
    required: &'static [&'static str],
    /// Whether the same key may occur twice: only where no one looks at keys.
    may_repeat: bool,
}

impl From<&Shape> for Track {
    fn from(shape: &Shape) -> Self {
        match shape {
            Shape::Anything => Self::Anything,
            Shape::Scalar | Shape::Count(_) => Self::Scalar,
            Shape::Dropped => Self::Dropped,
            Shape::List(element) | Shape::Along { element, .. } => {
                Self::List(Arc::new(Self::from(&**element)))
            }
            Shape::Word(_)
            | Shape::NameOf(_)
            | Shape::Record(_)
            | Shape::OneOf(_)
            | Shape::Entry(_)
            | Shape::Choice(_)
            | Shape::Either { .. } => Self::Whole(Arc::new(shape.clone())),
            Shape::Object(object) => Self::Object(Arc::new(ObjectTrack {
                keys: object
                    .keys
                    .iter()
                    .map(|(key, shape)| (*key, Self::from(shape)))
                    .collect(),
                others: match &object.others {
                    Others::Dropped | Others::Unheard => Self::Dropped,
                    Others::Shape(shape) => Self::from(&**shape),
                },
                tells_others: object.others == Others::Unheard,
                required: object.required,
                may_repeat: false,
            })),
        }
    }
}

impl ObjectTrack {
    /// The form of an object that is copied or dropped as a whole.
    fn free(inside: Track) -> Self {
        Self {
            keys: Vec::new(),
            others: inside,
            tells_others: false,
            required: &[],
            may_repeat: true,
        }
    }

    /// A key and its form, if the key is named.
    fn named(&self, key: &str) -> Option<&(&'static str, Track)> {
        self.keys.iter().find(|(name, _)| *name == key)
    }
}

/// An object or array that has begun and not ended.
struct Container {
    inside: Inside,
    /// Whether it is copied; else it is dropped.
    shown: bool,
}

enum Inside {
    Object {
        form: Arc<ObjectTrack>,
        /// Keys that are named or copied. What they take is bounded like a record.
        seen: HashSet<Box<str>>,
        seen_bytes: usize,
        kept_any: bool,
    },
    List(Track),
    /// An empty array where an object is meant, or the other way round.
    Nothing {
        closer: u8,
    },
}

/// What comes next.
#[derive(Clone, Debug)]
enum Next {
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
    limits: Limits,
    frames: Vec<Container>,
    next: Next,
    /// White space before a key, held until it is known whether the key is copied.
    lead: Vec<u8>,
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

/// A fault at the first byte that a step has not passed.
fn here<T>(cause: Cause) -> Result<T, Fault> {
    Err(Fault { cause, at: 0 })
}

impl Outline {
    pub(super) fn new(shape: &Shape, limits: Limits) -> Self {
        Self {
            limits,
            frames: Vec::new(),
            next: Next::Value(Track::from(shape), true),
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
                step.copy(*shown, 1);
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

    fn pass_white_space(&mut self, step: &mut Feed<'_>, length: usize) -> Result<(), Fault> {
        let frame = self.frames.last();
        let is_before_key = matches!(
            (&self.next, frame.map(|frame| &frame.inside)),
            (Next::First | Next::Member, Some(Inside::Object { .. }))
        );
        if is_before_key {
            let blank = step.rest.get(..length).unwrap_or_default();
            self.lead.extend_from_slice(blank);
            if self.lead.len() > self.limits.record_bytes_max {
                return here(Cause::RecordTooLarge);
            }
            return Ok(());
        }
        let shown = match self.next {
            Next::Value(_, shown) | Next::Colon(_, shown) | Next::Comma(shown) => shown,
            Next::First | Next::Member => frame.is_some_and(|frame| frame.shown),
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
            (Track::List(form), b'[') => Inside::List((**form).clone()),
            (Track::List(_), b'{') => Inside::Nothing { closer: b'}' },
            (form @ (Track::Anything | Track::Dropped), b'{') => {
                Self::object(Arc::new(ObjectTrack::free(form.clone())))
            }
            (form @ (Track::Anything | Track::Dropped), b'[') => Inside::List(form.clone()),
            (Track::Anything | Track::Dropped, _) => return self.scalar(step, shown),
            (Track::Scalar, byte) if byte != b'{' && byte != b'[' => {
                return self.scalar(step, shown);
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
        }
    }

    /// The text of the value or key that begins here, if it has come whole.
    fn whole<'t>(&mut self, step: &Feed<'t>) -> Result<Option<&'t str>, Fault> {
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

    fn reader<'t>(&self, text: &'t str) -> Reader<'t> {
        Reader::new(text, self.frames.len(), self.limits.depth_max)
    }

    fn collected(&mut self, mut step: Feed<'_>, shape: &Shape) -> Result<Option<usize>, Fault> {
        let length = match self.try_whole(&mut step, shape) {
            Some(length) => self.followers(&mut step, length, shape),
            None => {
                let Some(text) = self.whole(&step)? else {
                    return Ok(None);
                };
                self.treat(&mut step, text, shape)
                    .and_then(|end| match end == text.len() {
                        true => Ok(end),
                        false => Err(Fault {
                            cause: Cause::Syntax,
                            at: end,
                        }),
                    })?
            }
        };
        self.next = Next::Comma(true);
        Ok(Some(length))
    }

    /// Records of a list mostly follow each other, with a comma between them: goes on for as long as they do, and returns
    /// how many bytes have passed then.
    fn followers(&self, step: &mut Feed<'_>, mut passed: usize, shape: &Shape) -> usize {
        let is_list = matches!(
            self.frames.last(),
            Some(Container {
                inside: Inside::List(Track::Whole(_)),
                shown: true
            })
        );
        while is_list && let Some([b',', b'{', ..]) = step.rest.get(passed..) {
            let before = step.out.len();
            step.out.push(b',');
            let mut next = Feed {
                rest: step.rest.get(passed + 1..).unwrap_or_default(),
                text: step.text.and_then(|text| text.get(passed + 1..)),
                is_last: step.is_last,
                books: &mut *step.books,
                out: &mut *step.out,
            };
            let Some(length) = self.try_whole(&mut next, shape) else {
                // Who comes to it by the usual way says what is wrong with it, or waits for the rest.
                step.out.truncate(before);
                break;
            };
            passed += 1 + length;
        }
        passed
    }

    /// Treats a record, or what is collected like one, in the hope that it has come whole and is in order, as most are:
    /// that saves looking for its end first. Otherwise nothing has happened, and it is read again, with more care.
    fn try_whole(&self, step: &mut Feed<'_>, shape: &Shape) -> Option<usize> {
        let text = step.text?;
        let before = step.out.len();
        let treated = self.treat(step, text, shape);
        if treated.is_err() {
            step.out.truncate(before);
            step.books.undo();
        }
        treated.ok()
    }

    fn treat(&self, step: &mut Feed<'_>, text: &str, shape: &Shape) -> Result<usize, Fault> {
        record::treat(
            self.reader(text),
            shape,
            step.books,
            step.out,
            self.limits.record_bytes_max,
        )
    }

    fn scalar(&mut self, mut step: Feed<'_>, shown: bool) -> Result<Option<usize>, Fault> {
        let Some(text) = self.whole(&step)? else {
            return Ok(None);
        };
        let mut reader = self.reader(text);
        reader.skip()?;
        reader.end()?;
        step.copy(shown, text.len());
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
            Inside::List(_) if byte == b']' => self.close(step),
            Inside::List(form) => {
                let form = form.clone();
                let shown = shown && !matches!(form, Track::Dropped);
                self.value(step, &form, shown, byte)
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
        if let Inside::Object { form, seen, .. } = &frame.inside
            && !form.required.iter().all(|key| seen.contains(*key))
        {
            return here(Cause::Shape);
        }
        if frame.shown {
            step.out.append(&mut self.lead);
        }
        self.lead.clear();
        step.copy(frame.shown, 1);
        self.next = Next::Comma(frame.shown);
        Ok(Some(1))
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
                },
            shown,
        }) = self.frames.last_mut()
        else {
            return here(Cause::Syntax);
        };
        let named = form.named(&key);
        let inner = named.map_or(&form.others, |(_, form)| form).clone();
        match named {
            Some((name, _)) => self.under = Some(name),
            None if *shown && form.tells_others => step.books.unheard(&key),
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
        if shown {
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
                inside: Inside::List(form),
                shown,
            }) => match byte {
                b',' => {
                    let shown = *shown && !matches!(form, Track::Dropped);
                    step.copy(shown, 1);
                    self.next = Next::Value(form.clone(), shown);
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
