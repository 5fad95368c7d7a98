//! Triggers with one letter wrong, missing, doubled or swapped with its neighbour.

use std::collections::HashMap;

use super::fold;

/// The fewest letters of a word in which a wrong one is seen through.
pub(super) const LETTERS_MIN: usize = 8;

/// The fewest fixed letters of a trigger with any ending.
const STEM_LETTERS_MIN: usize = 7;

/// Letters of an ending.
const ENDING_LETTERS_MAX: usize = 3;

/// Letters in a row by which a word is looked up. One wrong letter leaves those at the start as they are, or those before the
/// end.
const RUN: usize = 4;

/// Of the letters that two words have, so many may be different if one of them is wrong.
const LETTERS_APART_MAX: u32 = 2;

/// A long word that a trigger consists of, as far as a quick look goes.
#[derive(Clone, Copy, Debug)]
struct Brief {
    /// Which letters it has, a bit each.
    set: u64,
    place: u32,
    length: u16,
    is_open: bool,
}

/// The words with a run of letters at one of their ends.
type Runs = HashMap<[u8; RUN], Vec<Brief>, foldhash::fast::FixedState>;

/// Long words that triggers consist of.
#[derive(Debug, Default)]
pub(super) struct Typos {
    words: Vec<(Vec<u8>, u32)>,
    starts: Runs,
    ends: Runs,
}

impl Typos {
    /// Those phrases that are one long word, with their numbers.
    pub(super) fn new(phrases: impl Iterator<Item = (&'static str, u32)>) -> Self {
        let mut typos = Self::default();
        for (phrase, number) in phrases {
            if phrase.len() < STEM_LETTERS_MIN || phrase.starts_with('*') || phrase.contains(' ') {
                continue;
            }
            let (word, is_open) = match phrase.strip_suffix('*') {
                Some(stem) => (stem, true),
                None => (phrase, false),
            };
            let letters = fold::codes(word);
            let letters_min = if is_open {
                STEM_LETTERS_MIN
            } else {
                LETTERS_MIN
            };
            if letters.len() < letters_min || letters.contains(&fold::GAP) {
                continue;
            }
            let brief = Brief {
                set: set(&letters),
                place: u32::try_from(typos.words.len()).unwrap_or(u32::MAX),
                length: u16::try_from(letters.len()).unwrap_or(u16::MAX),
                is_open,
            };
            if let (Some(start), Some(end)) = (letters.first_chunk(), letters.last_chunk()) {
                typos.starts.entry(*start).or_default().push(brief);
                typos.ends.entry(*end).or_default().push(brief);
            }
            typos.words.push((letters, number));
        }
        typos
    }

    /// The phrases that a word may have been meant to be.
    pub(super) fn of(&self, word: &[u8], found: &mut dyn FnMut(u32)) {
        let Some(start) = word.first_chunk::<RUN>() else {
            return;
        };
        let letters = set(word);
        let mut try_all = |briefs: Option<&Vec<Brief>>| {
            for brief in briefs
                .into_iter()
                .flatten()
                .filter(|brief| brief.may_be(word.len(), letters))
            {
                let meant = usize::try_from(brief.place)
                    .ok()
                    .and_then(|place| self.words.get(place));
                if let Some((meant, number)) = meant
                    && is_meant(word, meant, brief.is_open)
                {
                    found(*number);
                }
            }
        };
        try_all(self.starts.get(start));
        for run in word.windows(RUN).skip(RUN - 1) {
            try_all(
                <&[u8; RUN]>::try_from(run)
                    .ok()
                    .and_then(|run| self.ends.get(run)),
            );
        }
    }
}

impl Brief {
    /// A quick look: whether a word of so many letters, and of these, may be this one.
    #[inline]
    fn may_be(&self, length: usize, letters: u64) -> bool {
        let own = usize::from(self.length);
        match self.is_open {
            true => {
                (own - 1..=own + ENDING_LETTERS_MAX).contains(&length)
                    && (self.set & !letters).count_ones() <= 1
            }
            false => {
                length.abs_diff(own) <= 1 && (self.set ^ letters).count_ones() <= LETTERS_APART_MAX
            }
        }
    }
}

/// Which letters a word has.
#[inline]
fn set(letters: &[u8]) -> u64 {
    letters.iter().fold(0, |set, code| set | 1 << (code & 63))
}

/// Whether a word is another one, with one letter wrong.
fn is_meant(word: &[u8], meant: &[u8], is_open: bool) -> bool {
    match is_open {
        false => is_one_off(word, meant),
        true => [meant.len() - 1, meant.len(), meant.len() + 1]
            .into_iter()
            .filter_map(|length| word.get(..length))
            .any(|stem| is_one_off(stem, meant)),
    }
}

/// Whether two different words differ by one letter, or by two neighbours that changed places.
fn is_one_off(one: &[u8], other: &[u8]) -> bool {
    if one.len().abs_diff(other.len()) > 1 || one == other {
        return false;
    }
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[same..], &other[same..]);
    match (one, other) {
        ([_, rest @ ..], meant) if rest == meant => true,
        (written, [_, rest @ ..]) if written == rest => true,
        ([_, rest @ ..], [_, meant @ ..]) if rest == meant => true,
        ([a, b, rest @ ..], [c, d, meant @ ..]) => a == d && b == c && rest == meant,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Typos, fold};

    #[test]
    fn one_wrong_letter_is_seen_through_in_long_words_only() {
        let phrases = [
            ("séropositive", 1),
            ("diabète", 2),
            ("depression", 3),
            ("bouddhist*", 4),
        ];
        let typos = Typos::new(phrases.into_iter());
        let of = |word: &str| {
            let mut found = Vec::new();
            typos.of(&fold::codes(word), &mut |number| found.push(number));
            found.dedup();
            found
        };
        for word in [
            "seropositve",
            "seeropositive",
            "seropozitive",
            "seropositiev",
            "sreopositive",
            "seropositivex",
        ] {
            assert_eq!(of(word), [1], "{word}");
        }
        for word in ["boudhiste", "bouddihstes", "bouddhsite"] {
            assert_eq!(of(word), [4], "{word}");
        }
        for word in [
            "séropositive",
            "serropostive",
            "diabete",
            "diabte",
            "depresing",
            "positive",
            "boudist",
        ] {
            assert_eq!(of(word), [0; 0], "{word}");
        }
        assert_eq!(of("deprression"), [3]);
    }
}
