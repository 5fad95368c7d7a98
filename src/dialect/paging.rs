//! How a list of records is read page by page.

/// How a list of records is read page by page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageForm {
    /// Rows of the page that is asked for. Zero: none are wanted.
    pub rows: u32,
    /// The most rows that may be asked for at a time; `None`: no bound is known.
    pub max: Option<u32>,
    /// Whether a page is asked for by its number, so that it begins at a multiple of its size.
    pub is_numbered: bool,
    /// Where the reply tells how it goes on; `None`: it does not tell.
    pub next: Option<NextPlace>,
    /// What the API answers where there are no records.
    pub empty: Empty,
}

/// What an API answers where there are no records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Empty {
    /// A list without records, with what stands around any other.
    #[default]
    List,
    /// A list without records, with nothing around it; or not even a list.
    Bare,
    /// An error of this status.
    Error(u16),
}

/// Where a reply tells how it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextPlace {
    /// The keys that lead there.
    pub path: Vec<&'static str>,
    /// What stands there.
    pub says: NextSays,
}

/// What a reply tells of how it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextSays {
    /// The offset of the next record; -1 after the last one.
    Offset,
    /// The offset behind the last record of the page, whether or not there are more.
    Behind,
    /// How many pages there are.
    Pages,
}

/// Rows of a page, where neither the request nor a description says how many.
pub(super) const USUAL_ROWS: u32 = 20;

impl NextSays {
    /// What stands there, in a reply whose records end before an offset, which has so many rows a page.
    pub fn said(self, behind: u64, rows: u32, has_more: bool) -> i128 {
        let behind = i128::from(behind);
        match self {
            Self::Offset if !has_more => -1,
            Self::Offset | Self::Behind => behind,
            Self::Pages => {
                let rows = i128::from(rows.max(1));
                let pages = (behind + rows - 1) / rows;
                pages + i128::from(has_more)
            }
        }
    }

    /// Whether it is only known once it is known whether there are more.
    pub fn asks_for_more(self) -> bool {
        match self {
            Self::Offset | Self::Pages => true,
            Self::Behind => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_reply_goes_on_is_told_in_the_words_of_its_api() {
        let said = |says: NextSays, has_more| says.said(40, 20, has_more);
        assert_eq!(said(NextSays::Offset, true), 40);
        assert_eq!(said(NextSays::Offset, false), -1);
        assert_eq!(said(NextSays::Behind, false), 40);
        assert_eq!(said(NextSays::Pages, false), 2);
        assert_eq!(said(NextSays::Pages, true), 3);
        assert_eq!(
            NextSays::Pages.said(0, 20, false),
            0,
            "no records, no pages"
        );
        assert_eq!(NextSays::Pages.said(41, 20, false), 3);
    }
}
