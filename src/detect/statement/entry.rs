//! A phrase as the tables of the lexicon have it, in 32 bits. `build.rs` writes them with this very code.

use super::names::TOPICS;

/// Bits of a phrase's number.
pub(super) const NUMBER_BITS: u32 = 18;

/// A phrase: its number, its language, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry(pub(super) u32);

impl Entry {
    #[inline]
    pub(super) fn number(self) -> u32 {
        self.0 & ((1 << NUMBER_BITS) - 1)
    }

    /// Its place among the languages.
    #[inline]
    pub(super) fn language(self) -> usize {
        usize::from((self.0 >> 18) as u8 & 7)
    }

    /// Its place among the topics, if it is a trigger.
    #[inline]
    pub(super) fn topic(self) -> Option<usize> {
        let of = usize::from(self.class());
        (!self.is_context() && of < TOPICS.len()).then_some(of)
    }

    /// Its place among the classes, if it is of the context.
    #[inline]
    pub(super) fn class(self) -> u8 {
        (self.0 >> 21) as u8 & 31
    }

    #[inline]
    pub(super) fn weight(self) -> u8 {
        (self.0 >> 26) as u8 & 3
    }

    /// Whether no blank stands in it.
    #[inline]
    pub(super) fn is_one_word(self) -> bool {
        self.0 >> 28 & 1 == 1
    }

    #[inline]
    pub(super) fn is_context(self) -> bool {
        self.0 >> 29 & 1 == 1
    }

    /// Whether it has so few letters that it may be a word of another language.
    #[inline]
    pub(super) fn is_short(self) -> bool {
        self.0 >> 30 & 1 == 1
    }
}
