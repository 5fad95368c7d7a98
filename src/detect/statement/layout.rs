//! How the tables of the lexicon are laid out. `build.rs` writes them with this very code.
//!
//! A chain of words is the beginning of phrases, or one.

use super::hash::{STEM, chained, variant};

/// Bits of the places of each table.
pub(super) const CHAIN_BITS: u32 = 19;
pub(super) const FIRST_BITS: u32 = 20;
pub(super) const STEM_BITS: u32 = 19;
pub(super) const START_BITS: u32 = 16;
pub(super) const FURTHER_BITS: u32 = 20;
pub(super) const CONTEXT_BITS: u32 = 19;
pub(super) const ENDING_BITS: u32 = 10;
pub(super) const ENDING_LOOK_BITS: u32 = 13;
pub(super) const RUN_BITS: u32 = 19;
pub(super) const VARIANT_BITS: u32 = 17;
pub(super) const FEATURE_BITS: u32 = 16;
pub(super) const FEATURE_LOOK_BITS: u32 = 19;

/// Bytes of a feature's place: its key, and a weight for each topic.
pub(super) const FEATURE_BYTES: usize = 32;

/// The fewest letters of a word in which a wrong one is seen through.
pub(super) const TYPO_LETTERS_MIN: usize = 8;
/// The fewest fixed letters of a trigger with any ending that is seen through a wrong one.
pub(super) const TYPO_STEM_MIN: usize = 7;
/// Letters in a row by which a word is looked up.
pub(super) const RUN: usize = 4;
/// Letters of an ending.
pub(super) const ENDING_LETTERS_MAX: usize = 3;

/// Where a run of letters stands in a word that may be written with a letter wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum Run {
    /// At the start of a word of so many letters.
    Start(usize),
    /// At the end of one.
    End(usize),
    /// At the end of one that any ending may follow.
    Stem,
}

/// The key of a run.
#[inline]
pub(super) fn run_key(letters: [u8; RUN], run: Run) -> u64 {
    let (place, length) = match run {
        Run::Start(length) => (0, length),
        Run::End(length) => (1, length),
        Run::Stem => (2, 0),
    };
    let length = u64::try_from(length).unwrap_or(0);
    variant(u64::from(u32::from_be_bytes(letters)) | length << 32 | place << 62)
}

/// What tells a variant of a word from others at its place.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "some bits of it")]
pub(super) const fn print(hash: u64) -> u16 {
    (hash >> 16) as u16 | 1
}

/// Bytes of a chain's place: its key, where its list is, and what there is to know of it.
pub(super) const CHAIN_BYTES: usize = 16;

/// Triggers and harmless phrases, or context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Trigger,
    Context,
}

/// What there is to know of a chain, in 32 bits: of triggers and of context, the languages of the phrases that it is and of those
/// that go on behind it, and how many it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct About(pub(super) u32);

impl About {
    /// The place of the languages of the phrases that it is.
    pub(super) const fn whole(sort: Sort) -> u32 {
        match sort {
            Sort::Trigger => 0,
            Sort::Context => 10,
        }
    }

    /// The place of how many it is.
    pub(super) const fn count_at(sort: Sort) -> u32 {
        match sort {
            Sort::Trigger => 20,
            Sort::Context => 26,
        }
    }

    /// How many phrases of a sort it is.
    #[inline]
    pub(super) fn count(self, sort: Sort) -> usize {
        usize::from((self.0 >> Self::count_at(sort)) as u8 & 63)
    }

    /// Whether it is a phrase of one of these languages.
    #[inline]
    pub(super) fn is_whole(self, sort: Sort, languages: u8) -> bool {
        (self.0 >> Self::whole(sort)) as u8 & 31 & languages != 0
    }

    /// Whether phrases of one of these languages go on behind it.
    #[inline]
    pub(super) fn goes_on(self, sort: Sort, languages: u8) -> bool {
        (self.0 >> (Self::whole(sort) + 5)) as u8 & 31 & languages != 0
    }
}

/// The key of the first letters, behind a chain, of words with any ending.
#[inline]
pub(super) const fn stem_start(from: u64, letters: u64, sort: Sort) -> u64 {
    chained(from, letters ^ STEM ^ sort as u64)
}
