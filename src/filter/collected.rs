//! What the outline collects whole: records, and what may be left out because of them.

use std::mem;

use crate::dialect::Shape;

use super::outline::{Feed, Inside, Next, Outline, here};
use super::reader::Fault;
use super::record::Fate;
use super::{Cause, record};

impl Outline {
    /// Something begins that is collected whole.
    pub(super) fn collected(
        &mut self,
        mut step: Feed<'_>,
        shape: &Shape,
    ) -> Result<Option<usize>, Fault> {
        let shape = match self.is_left_out() {
            true => &Shape::Dropped,
            false => shape,
        };
        let before = step.out.len();
        self.lead_in(&mut step);
        let at_once = self.try_whole(&mut step, shape);
        let (length, fate) = match at_once {
            Some(treated) => treated,
            None => {
                let Some(text) = self.whole(&step)? else {
                    step.out.truncate(before);
                    return Ok(None);
                };
                let (end, fate) = self.treat(&mut step, text, shape)?;
                if end != text.len() {
                    let cause = Cause::Syntax;
                    return Err(Fault { cause, at: end });
                }
                (end, fate)
            }
        };
        if fate != Fate::Keep {
            step.out.truncate(before);
        }
        self.settle(fate)?;
        let length = match at_once {
            Some(_) => self.followers(&mut step, length, shape),
            None => length,
        };
        self.next = Next::Comma(true);
        Ok(Some(length))
    }

    /// Whether what is to be collected belongs to something that has been left out.
    fn is_left_out(&self) -> bool {
        match self.frames.last().map(|frame| &frame.inside) {
            Some(Inside::List { elements, .. }) => elements.next_is_left_out(),
            _ => false,
        }
    }

    /// Writes what has been held before something that is collected, as if it were kept.
    fn lead_in(&self, step: &mut Feed<'_>) {
        let is_second = match self.frames.last().map(|frame| &frame.inside) {
            Some(Inside::List { elements, .. }) => elements.kept() > 0,
            Some(Inside::Object {
                is_key_held,
                kept_any,
                ..
            }) => *is_key_held && *kept_any,
            _ => false,
        };
        if is_second {
            step.out.push(b',');
        }
        step.out.extend_from_slice(&self.lead);
    }

    /// Something was collected. Where it stands alone, there is nothing without it.
    fn settle(&mut self, fate: Fate) -> Result<(), Fault> {
        self.lead.clear();
        let is_kept = fate == Fate::Keep;
        match self.frames.last_mut().map(|frame| &mut frame.inside) {
            Some(Inside::List { elements, .. }) => elements.add(is_kept),
            Some(Inside::Object {
                is_key_held: is_held @ true,
                kept_any,
                ..
            }) => {
                *is_held = false;
                *kept_any |= is_kept;
            }
            _ if is_kept => {}
            _ => return here(Cause::Absent),
        }
        Ok(())
    }

    /// Records of a list mostly follow each other, with a comma between them: goes on for as long as they do, and returns
    /// how many bytes have passed then.
    fn followers(&mut self, step: &mut Feed<'_>, mut passed: usize, shape: &Shape) -> usize {
        let Some(Inside::List { elements, .. }) =
            self.frames.last_mut().map(|frame| &mut frame.inside)
        else {
            return passed;
        };
        if elements.goes_along() {
            return passed;
        }
        let mut met = mem::take(elements);
        while let Some([b',', b'{', ..]) = step.rest.get(passed..) {
            let before = step.out.len();
            if met.kept() > 0 {
                step.out.push(b',');
            }
            let mut next = Feed {
                rest: step.rest.get(passed + 1..).unwrap_or_default(),
                text: step.text.and_then(|text| text.get(passed + 1..)),
                is_last: step.is_last,
                books: &mut *step.books,
                out: &mut *step.out,
            };
            let Some((length, fate)) = self.try_whole(&mut next, shape) else {
                // Who comes to it by the usual way says what is wrong with it, or waits for the rest.
                step.out.truncate(before);
                break;
            };
            if fate != Fate::Keep {
                step.out.truncate(before);
            }
            met.add(fate == Fate::Keep);
            passed += 1 + length;
        }
        if let Some(Inside::List { elements, .. }) =
            self.frames.last_mut().map(|frame| &mut frame.inside)
        {
            *elements = met;
        }
        passed
    }

    /// Treats a record, or what is collected like one, in the hope that it has come whole and is in order, as most are:
    /// that saves looking for its end first. Otherwise nothing has happened, and it is read again, with more care.
    fn try_whole(&self, step: &mut Feed<'_>, shape: &Shape) -> Option<(usize, Fate)> {
        let text = step.text?;
        let before = step.out.len();
        let treated = self.treat(step, text, shape);
        if treated.is_err() {
            step.out.truncate(before);
            step.books.undo();
        }
        treated.ok()
    }

    fn treat(
        &self,
        step: &mut Feed<'_>,
        text: &str,
        shape: &Shape,
    ) -> Result<(usize, Fate), Fault> {
        record::treat(
            self.reader(text),
            shape,
            step.books,
            step.out,
            self.limits.record_bytes_max,
        )
    }
}
