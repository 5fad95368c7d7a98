//! Hashes by which the tables of the lexicon are looked up. `build.rs` writes them with this very code.

/// Sets words with any ending apart from words.
pub(super) const STEM: u64 = 0x5bd1_e995_9d2c_5680;

/// Before the first word of a phrase.
pub(super) const START: u64 = 0;

/// The fewest fixed letters of a word with any ending, or any beginning.
pub(super) const STEM_LETTERS_MIN: usize = 4;

/// The hash of a text (FNV-1a).
pub(super) const fn hash(word: &str) -> u64 {
    let bytes = word.as_bytes();
    let (mut hash, mut at) = (Letters::NONE, 0);
    while at < bytes.len() {
        hash = hash.and(bytes[at]);
        at += 1;
    }
    hash.0
}

/// The hash of letters, one by one.
#[derive(Clone, Copy)]
pub(super) struct Letters(pub(super) u64);

impl Letters {
    pub(super) const NONE: Self = Self(0xcbf2_9ce4_8422_2325);

    #[inline]
    pub(super) const fn and(self, code: u8) -> Self {
        Self((self.0 ^ code as u64).wrapping_mul(0x0100_0000_01b3))
    }
}

/// The hash of a chain of words, and of one more.
#[inline]
pub(super) const fn chained(chain: u64, word: u64) -> u64 {
    (chain.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The key of a feature: what it is about, and what it says.
#[inline]
pub(super) const fn feature(slot: u64, says: u64) -> u64 {
    (slot.rotate_left(23) ^ says).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The place of a hash among so many, as a power of two.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "at most 32 bits")]
pub(super) const fn place(hash: u64, bits: u32) -> usize {
    (hash >> (64 - bits)) as usize
}

/// Spreads the hash of letters over all bits.
#[inline]
pub(super) const fn variant(letters: u64) -> u64 {
    letters.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
