//! All phrases of a lexicon, which a text is compared with word by word.
//!
//! A phrase is a chain of words, and so is each of its beginnings. Chains are known by their hashes, so that a word of a text
//! costs one look into a table, and most words no more than a look at a bit.

use std::collections::HashMap;

use super::fold::{self, GAP, NOTHING, WORD_LETTERS_MAX};

/// The fewest fixed letters of a word with any ending, or any beginning.
const STEM_LETTERS_MIN: usize = 4;

/// What stands between two words of a phrase at most.
const GAP_BYTES_MAX: usize = 64;

/// Bits of the first look at a word, as a power of two.
const FIRST_LOOK_BITS: u32 = 21;

/// Sets words with any ending apart from words.
const STEM: u64 = 0x5bd1_e995_9d2c_5680;

/// Before the first word of a phrase.
const START: u64 = 0;

/// A chain of words that is the beginning of phrases, or one.
#[derive(Debug, Default)]
struct Chain {
    /// Whether a phrase goes on behind it.
    goes_on: bool,
    /// The numbers of the phrases that it is.
    phrases: Vec<u32>,
}

/// The phrases.
#[derive(Debug)]
pub(super) struct Phrases {
    chains: HashMap<u64, Chain, foldhash::fast::FixedState>,
    /// A bit for each chain of one word: most words of a text are none.
    first_look: Vec<u64>,
}

/// The hash of letters, one by one.
#[derive(Clone, Copy)]
struct Letters(u64);

impl Letters {
    const NONE: Self = Self(0xcbf2_9ce4_8422_2325);

    #[inline]
    fn and(self, code: u8) -> Self {
        Self((self.0 ^ u64::from(code)).wrapping_mul(0x0100_0000_01b3))
    }

    fn of<'c>(codes: impl Iterator<Item = &'c u8>) -> Self {
        codes.fold(Self::NONE, |letters, code| letters.and(*code))
    }
}

#[inline]
fn chained(chain: u64, word: u64) -> u64 {
    (chain.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Phrases {
    /// Phrases with their numbers. `*` at the end of a word stands for any ending.
    pub(super) fn new<'p>(phrases: impl Iterator<Item = (impl AsRef<str> + 'p, u32)>) -> Self {
        let mut all = Self::empty();
        for (phrase, number) in phrases {
            let mut words = Vec::new();
            for part in phrase.as_ref().split_whitespace() {
                let codes = fold::codes(part);
                let mut codes = codes
                    .split(|code| *code == GAP)
                    .filter(|word| !word.is_empty())
                    .peekable();
                while let Some(word) = codes.next() {
                    let letters = Letters::of(word.iter()).0;
                    let is_open = part.ends_with('*') && codes.peek().is_none();
                    words.push(if is_open { letters ^ STEM } else { letters });
                }
            }
            all.add(&words, number);
        }
        all
    }

    /// Words of which only the end is given, with their numbers.
    pub(super) fn endings<'p>(phrases: impl Iterator<Item = (impl AsRef<str> + 'p, u32)>) -> Self {
        let mut all = Self::empty();
        for (phrase, number) in phrases {
            let codes = fold::codes(phrase.as_ref().trim_start_matches('*'));
            all.add(&[Letters::of(codes.iter().rev()).0], number);
        }
        all
    }

    fn empty() -> Self {
        Self {
            chains: HashMap::default(),
            first_look: vec![0; 1 << (FIRST_LOOK_BITS - 6)],
        }
    }

    fn add(&mut self, words: &[u64], number: u32) {
        let mut chain = START;
        for (place, word) in words.iter().enumerate() {
            chain = chained(chain, *word);
            let known = self.chains.entry(chain).or_default();
            match place + 1 < words.len() {
                true => known.goes_on = true,
                false => known.phrases.push(number),
            }
            if place == 0 {
                let (word, bit) = Self::look(chain);
                if let Some(bits) = self.first_look.get_mut(word) {
                    *bits |= bit;
                }
            }
        }
    }

    #[inline]
    fn look(chain: u64) -> (usize, u64) {
        let place = chain >> (64 - FIRST_LOOK_BITS);
        (usize::try_from(place >> 6).unwrap_or(0), 1 << (place & 63))
    }

    /// A quick look: whether a phrase may begin with a word of these letters. Most words are none's beginning.
    #[inline]
    pub(super) fn may_begin(&self, letters: &[u8]) -> bool {
        let mut hash = Letters::NONE;
        for (count, code) in letters.iter().enumerate() {
            hash = hash.and(*code);
            if count + 1 >= STEM_LETTERS_MIN && self.may_be(hash.0 ^ STEM) {
                return true;
            }
        }
        self.may_be(hash.0)
    }

    #[inline]
    fn may_be(&self, word: u64) -> bool {
        let (place, bit) = Self::look(chained(START, word));
        self.first_look
            .get(place)
            .is_some_and(|bits| bits & bit != 0)
    }

    #[inline]
    fn known(&self, from: u64, word: u64) -> Option<(u64, &Chain)> {
        let chain = chained(from, word);
        if from == START {
            let (word, bit) = Self::look(chain);
            if self.first_look.get(word).is_none_or(|bits| bits & bit == 0) {
                return None;
            }
        }
        self.chains.get(&chain).map(|known| (chain, known))
    }

    /// Hands every phrase that begins with the word at `start` to `visit`, with its end.
    #[inline]
    pub(super) fn walk(&self, text: &str, start: usize, visit: &mut dyn FnMut(usize, &[u32])) {
        self.walk_on(START, text, start, visit);
    }

    fn walk_on(&self, from: u64, text: &str, start: usize, visit: &mut dyn FnMut(usize, &[u32])) {
        let mut found: Option<(u64, &Chain)> = None;
        let mut stems: [Option<(u64, &Chain)>; 4] = [None; 4];
        let mut stem_count = 0;
        let (mut letters, mut count) = (Letters::NONE, 0);
        let (mut at, mut end) = (start, start);
        while at < text.len() {
            let (glyph, length) = fold::glyph(text, at);
            if fold::is_letter(glyph.code) {
                for code in [Some(glyph.code), glyph.second].into_iter().flatten() {
                    letters = letters.and(code);
                    count += 1;
                    if count < STEM_LETTERS_MIN {
                        continue;
                    }
                    if let Some(stem) = self.known(from, letters.0 ^ STEM)
                        && let Some(free) = stems.get_mut(stem_count)
                    {
                        *free = Some(stem);
                        stem_count += 1;
                    }
                }
                if count > WORD_LETTERS_MAX {
                    return;
                }
                end = at + length;
            } else if glyph.code != NOTHING {
                break;
            }
            at += length;
        }
        if count > 0 {
            found = self.known(from, letters.0);
        }
        for (chain, known) in stems.into_iter().chain([found]).flatten() {
            if !known.phrases.is_empty() {
                visit(end, &known.phrases);
            }
            if known.goes_on
                && let Some(next) = next_word(text, end)
            {
                self.walk_on(chain, text, next, visit);
            }
        }
    }

    /// The longest of these that is the end of a word, whose letters are given.
    pub(super) fn ending(&self, letters: &[u8]) -> &[u32] {
        let (mut hash, mut found): (Letters, &[u32]) = (Letters::NONE, &[]);
        for (count, code) in letters.iter().rev().enumerate() {
            hash = hash.and(*code);
            if count + 1 >= STEM_LETTERS_MIN
                && let Some((_, known)) = self.known(START, hash.0)
            {
                found = &known.phrases;
            }
        }
        found
    }
}

/// Where the next word of a phrase begins, if nothing but a gap stands before it.
fn next_word(text: &str, end: usize) -> Option<usize> {
    let mut at = end;
    while at < text.len() && at - end <= GAP_BYTES_MAX {
        let (glyph, length) = fold::glyph(text, at);
        match glyph.code {
            NOTHING | GAP => {}
            code if fold::is_letter(code) => return Some(at),
            _ => return None,
        }
        at += length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Phrases;

    fn found(phrases: &[&str], text: &str) -> Vec<String> {
        let all = Phrases::new(phrases.iter().zip(0..));
        let mut found = Vec::new();
        all.walk(text, 0, &mut |end, numbers| {
            for number in numbers {
                found.push(format!("{}={}", phrases[*number as usize], &text[..end]));
            }
        });
        found
    }

    #[test]
    fn every_phrase_at_a_word_is_found_however_it_is_spelled() {
        let phrases = [
            "arrêt",
            "arrêt maladie",
            "arrêt de travail",
            "syndiqu*",
            "syndiqu* à la",
            "clé d'église",
        ];
        assert_eq!(
            found(&phrases, "Arrêt-maladie, x"),
            ["arrêt=Arrêt", "arrêt maladie=Arrêt-maladie"]
        );
        assert_eq!(
            found(&phrases, "ARRET\n  DE TRAVAIL."),
            ["arrêt=ARRET", "arrêt de travail=ARRET\n  DE TRAVAIL"]
        );
        assert_eq!(
            found(&phrases, "syndiquée à la CGT"),
            ["syndiqu*=syndiquée", "syndiqu* à la=syndiquée à la"]
        );
        assert_eq!(found(&phrases, "syndiqu"), ["syndiqu*=syndiqu"]);
        assert_eq!(
            found(&phrases, "cle d’eglise"),
            ["clé d'église=cle d’eglise"]
        );
        for other in ["arrêter", "arrête maladie", "xarrêt", "syndic", "", "é"] {
            assert_eq!(found(&phrases, other), [""; 0], "{other}");
        }
        assert_eq!(found(&phrases, "arrêt, maladie"), ["arrêt=arrêt"]);
    }

    #[test]
    fn the_longest_end_of_a_word_is_found() {
        let all = Phrases::endings([("*krebs", 1), ("*lungenkrebs", 2)].into_iter());
        let ending = |word: &str| all.ending(&super::fold::codes(word)).to_vec();
        assert_eq!(ending("Brustkrebs"), [1]);
        assert_eq!(ending("Lungenkrebs"), [2]);
        assert_eq!(ending("Krebse"), [0; 0]);
    }
}
