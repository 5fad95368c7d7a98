//! The elements of a list, as they are read.

use std::sync::Arc;

use super::seen::Seen;

/// The elements of a list so far.
#[derive(Debug, Default)]
pub(super) struct Elements {
    read: usize,
    kept: usize,
    /// The places of those that were left out.
    left_out: Seen,
    /// The elements of the list to which these belong, one by one.
    along: Option<Arc<Self>>,
}

impl Elements {
    /// Of a list that goes along with another one.
    pub(super) fn along(list: &Arc<Self>) -> Self {
        Self {
            along: Some(Arc::clone(list)),
            ..Self::default()
        }
    }

    /// Whether the list goes along with another one.
    pub(super) fn goes_along(&self) -> bool {
        self.along.is_some()
    }

    /// Whether what the next element belongs to has been left out.
    pub(super) fn next_is_left_out(&self) -> bool {
        let along = self.along.as_ref();
        along.is_some_and(|along| along.left_out.first_from(self.read) == Some(self.read))
    }

    /// Whether there are as many as of the list to which they belong. None at all belong to nothing.
    pub(super) fn match_along(&self) -> bool {
        let along = self.along.as_ref();
        self.read == 0 || along.is_none_or(|along| along.read == self.read)
    }

    /// How many were kept.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    /// Another one was read.
    #[inline]
    pub(super) fn add(&mut self, is_kept: bool) {
        match is_kept {
            true => self.kept += 1,
            false => {
                self.left_out.insert(self.read);
            }
        }
        self.read += 1;
    }
}
