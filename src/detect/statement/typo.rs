//! Triggers with one letter wrong, missing, doubled or swapped with its neighbour.

use std::collections::HashMap;

use super::fold;

/// The fewest letters of a word in which a wrong one is seen through.
pub(super) const LETTERS_MIN: usize = 8;

/// The fewest fixed letters of a trigger with any ending.
const STEM_LETTERS_MIN: usize = 7;

/// Letters in a row by which a word is looked up. One wrong letter leaves those at the start as they are, or those before the
/// end.
const RUN: usize = 4;

/// The words with a run of letters at one of their ends.
type Runs = HashMap<[u8; RUN], Vec<usize>, foldhash::fast::FixedState>;

/// A long word that a trigger consists of.
#[derive(Debug)]
struct Meant {
    letters: Vec<u8>,
    /// Whether any ending may follow.
    is_open: bool,
    phrase: u32,
}

/// Long words that triggers consist of.
#[derive(Debug, Default)]
pub(super) struct Typos {
    words: Vec<Meant>,
    starts: Runs,
    ends: Runs,
}

impl Typos {
    /// Those phrases that are one long word.
    pub(super) fn new(phrases: impl Iterator<Item = (&'static str, u32)>) -> Self {
        let mut typos = Self::default();
        for (phrase, number) in phrases {
            let (word, is_open) = match phrase.strip_suffix('*') {
                Some(stem) => (stem, true),
                None => (phrase, false),
            };
            let letters = fold::codes(&word.to_lowercase());
            let letters_min = if is_open {
                STEM_LETTERS_MIN
            } else {
                LETTERS_MIN
            };
            if letters.len() < letters_min || letters.contains(&fold::GAP) || word.starts_with('*')
            {
                continue;
            }
            let place = typos.words.len();
            if let (Some(start), Some(end)) = (letters.first_chunk(), letters.last_chunk()) {
                typos.starts.entry(*start).or_default().push(place);
                typos.ends.entry(*end).or_default().push(place);
            }
            typos.words.push(Meant {
                letters,
                is_open,
                phrase: number,
            });
        }
        typos
    }

    /// The phrases that a word may have been meant to be.
    pub(super) fn of(&self, word: &[u8], found: &mut dyn FnMut(u32)) {
        let Some(start) = word.first_chunk() else {
            return;
        };
        let mut last = None;
        let mut try_all = |places: Option<&Vec<usize>>| {
            for place in places.into_iter().flatten() {
                let Some(meant) = self.words.get(*place) else {
                    continue;
                };
                if last != Some(*place) && meant.may_be(word) {
                    last = Some(*place);
                    found(meant.phrase);
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

impl Meant {
    /// Whether a word is this one, with one letter wrong.
    fn may_be(&self, word: &[u8]) -> bool {
        let length = self.letters.len();
        match self.is_open {
            false => is_one_off(word, &self.letters),
            true => [length - 1, length, length + 1]
                .into_iter()
                .filter_map(|length| word.get(..length))
                .any(|stem| is_one_off(stem, &self.letters)),
        }
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
