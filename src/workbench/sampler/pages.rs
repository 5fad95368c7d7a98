//! Records of one module, page by page, from a CRM that may say anything: more than was asked, the same for ever, or
//! nothing that is one.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, Hash};

use serde::{Deserialize, Serialize};

use super::crm::{Asked, Crm, Trouble};
use crate::dialect::survey::{PageOf, Row, rows};
use crate::door::Credential;
use crate::json;
use crate::transport::Cause;
use crate::vocabulary::Module;

/// Bytes of a page.
const PAGE_BYTES_MAX: usize = 16 << 20;
/// Nesting of a page.
const DEPTH_MAX: usize = 64;
/// Sizes of pages, the largest first: a smaller one goes on where larger ones ended, also where pages are numbered.
const SIZES: &[u32] = &[100, 50, 20, 10, 5, 2, 1];
/// Records of which it is remembered that they were seen.
const REMEMBERED_MAX: usize = 4 << 20;
/// Records in a row that may be over a bound: behind them the module cannot be read.
const TOO_LARGE_MAX: u32 = 100;

/// How much of a module is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Records at most; `None`: all.
    pub most: Option<u64>,
    /// Rows of a page at most.
    pub page_max: u32,
    /// Whether records are read in the order of their ids.
    pub by_id: bool,
    /// Whether what persons confirmed is read, too.
    pub confirmed: bool,
}

/// How far the records of a module were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// Where the next page begins.
    pub offset: u64,
    /// Records that were read.
    pub read: u64,
    /// Whether there is no more to read.
    pub is_done: bool,
    /// What was odd.
    pub remarks: BTreeSet<Remark>,
}

/// What was odd about the pages of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remark {
    /// It gave more records than it was asked for; those beyond were not looked at.
    MoreThanAsked,
    /// It gave records again that it had given; reading ended there.
    AgainTheSame,
    /// Its records are so large that they are read in smaller pages.
    SmallPages,
    /// A record alone is over a bound; it was left out.
    TooLarge,
    /// There are more records than can be told apart; reading ended there.
    Full,
}

impl Remark {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::MoreThanAsked => {
                "the CRM gave more records than it was asked for; those beyond were not looked at"
            }
            Self::AgainTheSame => {
                "the CRM gave the same records again; reading ended there, and there may be more"
            }
            Self::SmallPages => "its records are large: they were read in smaller pages",
            Self::TooLarge => "a record is over a bound, and was left out",
            Self::Full => {
                "it has more records than can be told apart at once; reading ended there, and there may be more"
            }
        }
    }

    /// Whether records are missing because of it.
    pub fn is_lack(self) -> bool {
        matches!(self, Self::AgainTheSame | Self::TooLarge | Self::Full)
    }
}

/// The pages of a module.
pub struct Pages<'a> {
    crm: &'a Crm,
    module: &'a Module,
    most: Option<u64>,
    size_max: u32,
    by_id: bool,
    confirmed: bool,
    seen: Seen,
    too_large: u32,
}

impl<'a> Pages<'a> {
    /// Those of which so much is wanted.
    pub fn of(crm: &'a Crm, module: &'a Module, wish: Wish) -> Self {
        Self {
            crm,
            module,
            most: wish.most,
            size_max: wish.page_max.clamp(1, SIZES[0]),
            by_id: wish.by_id,
            confirmed: wish.confirmed,
            seen: Seen::default(),
            too_large: 0,
        }
    }

    /// Reads the page at a cursor, shows each of its records that is new, and gives the cursor behind it.
    ///
    /// # Errors
    /// Why the CRM gave no page.
    pub async fn next(
        &mut self,
        cursor: &Cursor,
        visit: &mut (dyn FnMut(&Row<'_>) + Send),
    ) -> Result<Cursor, Trouble> {
        let mut next = cursor.clone();
        let left = self.most.map(|most| most.saturating_sub(cursor.read));
        if left == Some(0) {
            next.is_done = true;
            return Ok(next);
        }
        let limit = size(cursor.offset, left, self.size_max);
        let wanted = PageOf {
            module: self.module,
            offset: cursor.offset,
            limit,
            by_id: self.by_id,
            confirmed: self.confirmed,
        };
        match page(self.crm, wanted).await {
            Ok(page) => {
                self.too_large = 0;
                let mut confirmations = match self.confirmed {
                    true => self.crm.dialect().confirmations(&page.answer),
                    false => BTreeMap::new(),
                };
                let mut visit = |mut row: Row<'_>| {
                    row.confirmations = row.id.and_then(|id| confirmations.remove(id));
                    visit(&row);
                };
                let given = page.show(limit, &mut next, &mut self.seen, &mut visit);
                let is_numbered = self.crm.dialect().numbers_pages(self.module);
                // A CRM that gives fewer rows than it was asked for goes on behind the last of them, unless it numbers its pages.
                next.offset += match given {
                    1.. if given < limit && !is_numbered => u64::from(given),
                    _ => u64::from(limit),
                };
            }
            // At the end, some CRMs have no such page.
            Err(Trouble::Status(404)) if cursor.offset > 0 => next.is_done = true,
            Err(Trouble::Cause(Cause::TooLarge, _)) if limit > 1 => {
                next.remarks.insert(Remark::SmallPages);
                self.size_max = limit / 2;
            }
            Err(Trouble::Cause(Cause::TooLarge, _)) if self.too_large < TOO_LARGE_MAX => {
                next.remarks.insert(Remark::TooLarge);
                next.offset += 1;
                self.too_large += 1;
            }
            Err(trouble) => return Err(trouble),
        }
        Ok(next)
    }
}

/// The largest size that is wanted and that goes on at an offset.
fn size(offset: u64, left: Option<u64>, size_max: u32) -> u32 {
    let fits = |size: &&u32| {
        let size = **size;
        size <= size_max
            && left.is_none_or(|left| u64::from(size) <= left)
            && offset.is_multiple_of(u64::from(size))
    };
    SIZES.iter().find(fits).copied().unwrap_or(1)
}

/// An answer, and how it is read.
struct Page {
    answer: serde_json::Value,
    exchange: Box<dyn crate::dialect::Exchange>,
}

async fn page(crm: &Crm, page: PageOf<'_>) -> Result<Page, Trouble> {
    let ask = |credential: &Credential| {
        let exchange = crm.dialect().page(crm.version(), credential, page)?;
        Some(Asked {
            outgoing: exchange.render(exchange.operation()),
            exchange: Some(exchange),
        })
    };
    let (body, exchange) = crm.ask(&ask, PAGE_BYTES_MAX).await?;
    let broken = |cause| Trouble::Cause(cause, None);
    let answer = json::read(&body, DEPTH_MAX).map_err(|_| broken(Cause::MalformedJson))?;
    let exchange = exchange.ok_or_else(|| broken(Cause::WrongShape))?;
    Ok(Page { answer, exchange })
}

impl Page {
    /// Shows the records that are new; how many there were.
    fn show(
        &self,
        limit: u32,
        cursor: &mut Cursor,
        seen: &mut Seen,
        visit: &mut dyn FnMut(Row<'_>),
    ) -> u32 {
        let shape = self.exchange.answer().shape;
        let (mut given, mut new) = (0_u32, 0_u32);
        let mut remarks = BTreeSet::new();
        rows(&shape, &self.answer, &mut |row| {
            given += 1;
            if given > limit {
                remarks.insert(Remark::MoreThanAsked);
            } else if seen.is_new(&row) {
                new += 1;
                cursor.read += 1;
                visit(row);
            }
        });
        if given > 0 && new == 0 {
            remarks.insert(Remark::AgainTheSame);
        }
        if new > 0 && seen.is_full() {
            remarks.insert(Remark::Full);
        }
        cursor.is_done = new == 0 || seen.is_full();
        cursor.remarks.extend(remarks);
        given
    }
}

/// Which records were seen, by hashes with a key of their own: nobody can tell from them which these were.
#[derive(Default)]
struct Seen {
    hashes: HashSet<u64, foldhash::fast::RandomState>,
}

impl Seen {
    /// Whether no more can be remembered: what comes then could be the same for ever.
    fn is_full(&self) -> bool {
        self.hashes.len() >= REMEMBERED_MAX
    }

    fn is_new(&mut self, row: &Row<'_>) -> bool {
        let mut hasher = self.hashes.hasher().build_hasher();
        match row.id {
            Some(id) => id.hash(&mut hasher),
            None => {
                for (name, value) in &row.fields {
                    name.hash(&mut hasher);
                    value.to_string().hash(&mut hasher);
                }
            }
        }
        let hash = std::hash::Hasher::finish(&hasher);
        self.hashes.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn pages_go_on_where_others_ended() {
        assert_eq!(size(0, Some(200), 100), 100);
        assert_eq!(size(100, Some(30), 100), 20);
        assert_eq!(size(120, Some(10), 100), 10);
        assert_eq!(size(17, None, 100), 1);
        assert_eq!(size(0, Some(3), 100), 2);
        assert_eq!(size(0, None, 37), 20);
    }
}
