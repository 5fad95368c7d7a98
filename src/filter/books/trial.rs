//! What is read though it may have to be undone: then all is as if it had never been read.

use super::{BOOK_BYTES, Book, Books, NAMES_BYTES_MAX, Noted};

/// How far a record that may have to be undone has been treated as if it were looked at first: nothing may be remembered of it
/// for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::filter) struct Trial {
    /// Something new was met, so that the trial says nothing.
    pub(in crate::filter) has_news: bool,
    /// A record within was to be judged, of whose persons nobody asks before it is known that it is shown.
    pub(in crate::filter) has_others: bool,
}

/// What there was before something was read, all of which may have to be undone.
#[derive(Clone, Copy, Debug)]
pub(in crate::filter) struct Mark {
    noted: Noted,
    left_out: usize,
    has_copies: bool,
}

impl Books {
    /// What there is.
    pub(in crate::filter) fn mark(&self) -> Mark {
        Mark {
            noted: self.noted(),
            left_out: self.left_out.len(),
            has_copies: self.has_copies,
        }
    }

    /// Forgets everything since [then](Self::mark), as if it had not been read.
    pub(in crate::filter) fn back_to_mark(&mut self, mark: Mark) {
        self.back_to(mark.noted);
        self.left_out.truncate(mark.left_out);
        self.has_copies = mark.has_copies;
    }

    /// Whether there is room for a book of some rules that a record has. It is taken once.
    pub(in crate::filter) fn make_room(&mut self, Book(at): Book) -> bool {
        let has_room = self.books.get(at).is_some_and(|book| book.has_room);
        if has_room || self.is_news() {
            return has_room;
        }
        self.names_bytes += BOOK_BYTES;
        let is_room = self.names_bytes <= NAMES_BYTES_MAX;
        if let Some(book) = self.books.get_mut(at) {
            book.has_room = is_room;
        }
        is_room
    }

    /// Something new is met. Where it may have to be undone, that is noted, and nothing else.
    pub(super) fn is_news(&mut self) -> bool {
        let Some(trial) = &mut self.trial else {
            return false;
        };
        trial.has_news = true;
        true
    }
}
