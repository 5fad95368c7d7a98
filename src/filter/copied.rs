//! Writes what is shown: what was read, in runs, and other texts in place of some of it.

use crate::json::plain::plain_length;

use super::Cause;
use super::reader::Fault;
use super::record::{Fate, Treatment};

/// The commas between parts, of which some are cut. A part that is cut takes the comma before it along; as long as none
/// was kept, the comma behind it.
pub(super) struct Commas {
    cut_from: usize,
    kept_any: bool,
    /// How much had been written and copied before the part that is being read.
    undone: (usize, usize),
}

impl Commas {
    /// At the first part.
    pub(super) fn new(treatment: &Treatment<'_, '_>) -> Self {
        Self {
            cut_from: treatment.reader.at(),
            kept_any: false,
            undone: (treatment.out.len(), treatment.copied),
        }
    }

    /// A part begins.
    pub(super) fn begin(&mut self, treatment: &Treatment<'_, '_>) {
        self.undone = (treatment.out.len(), treatment.copied);
    }

    /// Parts were kept from `start` to behind the comma before `at`, if there were any.
    pub(super) fn kept_up_to(&mut self, at: usize, start: usize) {
        if at > start {
            self.kept_any = true;
            self.cut_from = at - 1;
        }
    }

    /// A part was read. Passes the comma behind it, and says whether another part follows.
    #[inline(always)]
    pub(super) fn end(
        &mut self,
        treatment: &mut Treatment<'_, '_>,
        fate: Fate,
    ) -> Result<bool, Fault> {
        match treatment.reader.rest() {
            [b',', next, ..] if fate == Fate::Keep && *next > b' ' => {
                self.kept_any = true;
                self.cut_from = treatment.reader.at();
                treatment.reader.take(b',');
                Ok(true)
            }
            _ => self.end_as_it_may(treatment, fate),
        }
    }

    /// The same where white space stands around the comma, or the part is cut.
    fn end_as_it_may(
        &mut self,
        treatment: &mut Treatment<'_, '_>,
        fate: Fate,
    ) -> Result<bool, Fault> {
        treatment.reader.white_space();
        let comma = treatment.reader.at();
        let more = treatment.reader.take(b',');
        match fate {
            Fate::Keep => {
                self.kept_any = true;
                self.cut_from = comma;
            }
            Fate::Cut | Fate::Absent => {
                treatment.out.truncate(self.undone.0);
                treatment.copied = self.undone.1;
                let end = match self.kept_any {
                    true => comma,
                    false => treatment.reader.at(),
                };
                treatment.cut(self.cut_from, end)?;
                self.cut_from = end;
            }
        }
        if more {
            treatment.reader.white_space();
        }
        Ok(more)
    }
}

impl Treatment<'_, '_> {
    /// Copies what has not been copied yet, up to a place.
    pub(super) fn copy_to(&mut self, end: usize) -> Result<(), Fault> {
        let run = self.reader.bytes(self.copied, end);
        self.write(run)?;
        self.copied = end;
        Ok(())
    }

    pub(super) fn write(&mut self, text: &[u8]) -> Result<(), Fault> {
        if self.out.len() + text.len() > self.out_bytes_max {
            return Err(self.reader.fault(Cause::RecordTooLarge));
        }
        self.out.extend_from_slice(text);
        Ok(())
    }

    /// Puts a text in place of what was read since `start`.
    pub(super) fn replace(&mut self, start: usize, text: &str) -> Result<Fate, Fault> {
        self.copy_to(start)?;
        self.write(text.as_bytes())?;
        self.copied = self.reader.at();
        Ok(Fate::Keep)
    }

    /// Puts a text, as a JSON string, in place of what was read since `start`.
    pub(super) fn replace_string(&mut self, start: usize, text: &str) -> Result<Fate, Fault> {
        self.replace_in_place(start, |out| {
            out.extend_from_slice(text.as_bytes());
            true
        })
    }

    /// Puts a JSON string in place of what was read since `start`: of the text that `text` appends, which is UTF-8; or
    /// `null`, if it says `false`.
    pub(super) fn replace_in_place(
        &mut self,
        start: usize,
        text: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> Result<Fate, Fault> {
        self.copy_to(start)?;
        self.copied = self.reader.at();
        let before = self.out.len();
        self.out.push(b'"');
        if !text(self.out) {
            self.out.truncate(before);
            self.write(b"null")?;
            return Ok(Fate::Keep);
        }
        let text = self.out.get(before + 1..).unwrap_or_default();
        if plain_length(text) < text.len() {
            let text = text.to_vec();
            self.out.truncate(before + 1);
            escape(&text, self.out);
        }
        self.out.push(b'"');
        // What stands in place of a value is short, or was bounded itself, so that it is soon enough to look now.
        if self.out.len() > self.out_bytes_max {
            return Err(self.reader.fault(Cause::RecordTooLarge));
        }
        Ok(Fate::Keep)
    }

    /// Leaves a part of the text out.
    pub(super) fn cut(&mut self, start: usize, end: usize) -> Result<(), Fault> {
        self.copy_to(start)?;
        self.copied = end;
        Ok(())
    }
}

/// Appends a text as it is written between the quotes of a JSON string.
#[cold]
fn escape(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(*byte),
        }
    }
}
