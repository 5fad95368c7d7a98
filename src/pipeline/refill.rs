//! Lists of records of which the CRM cannot be told which are there for the caller: as many pages of it are read as one of ours
//! takes.
//!
//! Nobody learns from a page how many records are withheld: it has as many as were asked for, its offsets count those that
//! were shown, and whether it is the last one is told by the next record that is there.

use super::judged::asked_of;
use super::offsets::{ListKey, Turned};
use super::{Answer, Called, Pipeline, Visit};
use crate::audit::{Decided, Record};
use crate::dialect::{AnswerForm, Empty, Exchange, PageForm};
use crate::filter::{Pages, Unfilterable};
use crate::guard::{Narrowed, guard};
use crate::policy::Plan;
use crate::reason::Reason;
use crate::reply::Refusal;
use crate::upstream::Untrusted;
use crate::vocabulary::Edits;

/// Pages of the CRM that are read for one of ours.
const PAGES_MAX: usize = 10;
/// Rows of the pages that are read after the first one: where many records are withheld, small pages would not get far.
const ROWS_MORE: u32 = 250;

/// How far the CRM's list has been read.
struct Progress {
    /// The offset of the next record that has not been read.
    at: u64,
    /// The offset of the first record behind the page that is there for the caller.
    left: Option<u64>,
    is_last: bool,
}

impl Pipeline {
    /// A page of records that are there for the caller, as the CRM would send it if it had no others.
    pub(super) async fn refilled(
        &self,
        visit: &Visit<'_>,
        exchange: Box<dyn Exchange>,
        (plan, narrowed): (Plan, Narrowed),
        record: &mut Record<Decided>,
    ) -> Result<Answer, Refusal> {
        let form = exchange.answer();
        let page = form.page.clone().ok_or(Reason::ListNotAvailable)?;
        let (list, (offset, begin)) = self.begin(&*exchange, &plan, record)?;
        let asked = asked_of(&narrowed, visit.persons);
        let (limits, memory) = (self.settings.limits, &visit.in_force.memory);
        let pages = Pages::new(&plan, (&form.shape, &page), asked, limits, memory);
        let mut pages = pages.ok_or(Reason::ListNotAvailable)?;
        let mut share = self.budget.share();
        let mut answer: Option<Untrusted> = None;
        let mut progress = Progress {
            at: begin,
            left: None,
            is_last: false,
        };
        for turn in 0..PAGES_MAX {
            let rows = rows_of(&page, turn);
            let (from, skipped) = progress.begin(&page, rows);
            let narrowed = narrowed.page_at(&*exchange, from, rows);
            let narrowed = narrowed.ok_or(Reason::ListNotAvailable)?;
            let asked = (&*exchange, &form);
            let untrusted = self.page_of(visit, asked, (&narrowed, page.empty), record);
            let Some(mut untrusted) = untrusted.await? else {
                progress.is_last = true;
                break;
            };
            let held = pages.bytes();
            let mut hold = |bytes: usize| share.grow_to(held.saturating_add(bytes));
            let bytes = untrusted.take_whole(self.settings.held_bytes_max, &mut hold);
            let bytes = bytes.await?;
            let wanted = usize::try_from(page.rows).unwrap_or(usize::MAX);
            let taken = pages.take(&bytes, skipped, wanted);
            let taken = taken.map_err(|error| unfilterable(visit, error))?;
            answer.get_or_insert(untrusted);
            progress.left = taken.left.map(|place| from.saturating_add(place));
            progress.at = from.saturating_add(taken.read);
            // Of a page by its number, fewer than were asked for are the last ones.
            let is_short = page.is_numbered && taken.read < u64::from(rows);
            progress.is_last = taken.is_last || taken.read <= skipped as u64 || is_short;
            if progress.is_enough(&page, pages.shown()) {
                break;
            }
        }
        for (rule, records) in pages.absent() {
            record.absent(rule, *records);
        }
        ends(&pages, &progress, &page)?;
        let shown = pages.shown() as u64;
        let ours = offset.saturating_add(shown);
        let turned = Turned {
            ours,
            theirs: progress.left.unwrap_or(progress.at),
            is_last: !progress.has_more(),
        };
        if let Some(caller) = record.caller_id() {
            self.offsets.turned(caller, list, turned);
        }
        let body = pages.whole(ours, page.rows, progress.has_more());
        let body = body.map_err(|error| unfilterable(visit, error))?;
        let answer = answer.ok_or(Reason::Internal)?.with_body(body);
        drop(pages);
        Ok(Answer {
            exchange,
            form,
            untrusted: answer,
            plan,
            narrowed,
            is_unchanged: false,
            held: Some(share),
        })
    }

    /// A page of the CRM; `None`, where it says by an error that there are no records.
    async fn page_of(
        &self,
        visit: &Visit<'_>,
        (exchange, form): (&dyn Exchange, &AnswerForm),
        (narrowed, empty): (&Narrowed, Empty),
        record: &mut Record<Decided>,
    ) -> Result<Option<Untrusted>, Refusal> {
        let edits = Edits::default();
        let guarding = |called: &Called| guard(exchange, narrowed, &edits, &called.credential);
        let carried = self.carry_own(visit, (exchange, form), &guarding, record);
        match carried.await {
            Ok(untrusted) => Ok(Some(untrusted)),
            Err(refusal) if says_none(&refusal, empty) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Which list is asked for, and where in it and in the CRM's the page begins. Behind the end of a list a page begins at the end.
    fn begin(
        &self,
        exchange: &dyn Exchange,
        plan: &Plan,
        record: &Record<Decided>,
    ) -> Result<(ListKey, (u64, u64)), Reason> {
        let operation = exchange.operation();
        let purpose = plan.purpose().map(|chosen| chosen.purpose.as_str());
        let list = ListKey::of(exchange, operation, purpose).ok_or(Reason::ListNotAvailable)?;
        let caller = record.caller_id().ok_or(Reason::Internal)?;
        let offset = operation.query.offset.unwrap_or(0);
        let begin = self.offsets.begin(caller, list, offset);
        Ok((list, begin.ok_or(Reason::OffsetNotGiven)?))
    }
}

impl Progress {
    /// Where the next page of the CRM begins, and how many of its records have been read already.
    fn begin(&self, page: &PageForm, rows: u32) -> (u64, usize) {
        let skipped = match page.is_numbered {
            true => self.at % u64::from(rows.max(1)),
            false => 0,
        };
        (
            self.at - skipped,
            usize::try_from(skipped).unwrap_or(usize::MAX),
        )
    }

    /// Whether a page that shows so many records is whole, as far as its reply tells how it goes on.
    fn is_enough(&self, page: &PageForm, shown: usize) -> bool {
        let asks_for_more = page
            .next
            .as_ref()
            .is_some_and(|next| next.says.asks_for_more());
        let is_full = shown as u64 >= u64::from(page.rows);
        self.is_last || self.left.is_some() || (is_full && !asks_for_more)
    }

    /// Whether there are more records, or may be.
    fn has_more(&self) -> bool {
        self.left.is_some() || !self.is_last
    }
}

/// Whether a page may end here. What it looks like depends on nothing but what it shows.
#[expect(
    clippy::result_large_err,
    reason = "a refusal is small enough for all that is async"
)]
fn ends(pages: &Pages<'_>, progress: &Progress, page: &PageForm) -> Result<(), Refusal> {
    let shown = pages.shown();
    let is_short = (shown as u64) < u64::from(page.rows);
    // An empty page that goes on would say that somebody is there. Behind a short one, the number of the next page would lead
    // elsewhere; and where a reply does not tell that it goes on, it would look like the last one.
    let is_bad = shown == 0 || is_short && (page.is_numbered || page.next.is_none());
    match page.empty {
        _ if is_bad && progress.has_more() => Err(Reason::ListNotAvailable.into()),
        Empty::Error(status) if shown == 0 => Err(match pages.absent().is_empty() {
            true => Refusal::upstream(status, None),
            false => Refusal::absent(status, None),
        }),
        _ => Ok(()),
    }
}

/// Whether a CRM says by an error that there are no records.
fn says_none(refusal: &Refusal, empty: Empty) -> bool {
    refusal.reason().is_none() && empty == Empty::Error(refusal.status())
}

/// Rows that the CRM is asked for: at first those of the page, and the one that tells whether there are more.
fn rows_of(page: &PageForm, turn: usize) -> u32 {
    let rows = match (turn, page.is_numbered) {
        (0, true) => page.rows,
        (0, false) => page.rows.saturating_add(1),
        _ => page.rows.max(ROWS_MORE),
    };
    rows.min(page.max.unwrap_or(u32::MAX))
}

fn unfilterable(visit: &Visit<'_>, error: Unfilterable) -> Reason {
    visit.entrance.told.unfilterable(error)
}
