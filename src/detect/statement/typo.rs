//! Triggers with one letter wrong, missing, doubled or swapped with its neighbour.

use std::cell::Cell;

use super::entry::Entry;
use super::hash;
use super::hash::{Letters, variant};
use super::layout::{
    ENDING_LETTERS_MAX, RUN, RUN_BITS, Run, TYPO_LETTERS_MIN, TYPO_STEM_MIN, VARIANT_BITS, print,
    run_key,
};
use super::phrases::Reading;

/// Long words that triggers consist of.
///
/// One wrong letter leaves the first four as they are, or those before the end: by these runs a word is looked up. Before, a
/// quick look: of two words of which one is the other with a letter wrong, the same is left without one letter of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typos {
    /// Where the letters of each are, how many times two, with one more if any ending may follow, and its entry.
    pub(super) words: &'static [[u8; 12]],
    pub(super) letters: &'static [u8],
    /// The places of the words with a run at one of their ends, after the run, in order.
    pub(super) starts: &'static [[u8; 8]],
    pub(super) ends: &'static [[u8; 8]],
    /// A bit for each run at one of their ends, with the lengths of words that may have it.
    pub(super) runs: &'static [u8],
    /// What is left of each word without one letter: of those that end, and of those with any ending.
    pub(super) closed: &'static [[u8; 2]],
    pub(super) open: &'static [[u8; 2]],
}

/// A word that may have been meant.
struct Meant {
    letters: &'static [u8],
    is_open: bool,
    entry: Entry,
}

impl Typos {
    /// The phrases of some languages that a word may have been meant to be.
    pub(super) fn of(&self, word: &Reading, languages: u8, found: &mut dyn FnMut(Entry)) {
        let letters = word.letters();
        let Some(start) = letters.first_chunk::<RUN>() else {
            return;
        };
        if letters.len() < TYPO_LETTERS_MIN || is_ordinary(word, || !self.may_be(word)) {
            return;
        }
        let mut try_all = |runs, run: &[u8; RUN]| {
            for place in places(runs, run) {
                let meant = self.meant(place);
                let meant = meant.filter(|meant| languages >> meant.entry.language() & 1 == 1);
                if let Some(meant) = meant.filter(|meant| meant.fits(letters)) {
                    found(meant.entry);
                }
            }
        };
        try_all(self.starts, start);
        for run in letters.windows(RUN).skip(RUN - 1) {
            if let Ok(run) = run.try_into() {
                try_all(self.ends, run);
            }
        }
    }

    fn meant(&self, place: u32) -> Option<Meant> {
        let (words, _) = self
            .words
            .get(usize::try_from(place).ok()?)?
            .as_chunks::<4>();
        let &[start, length, entry] = words else {
            return None;
        };
        let start = usize::try_from(u32::from_le_bytes(start)).ok()?;
        let length = u32::from_le_bytes(length);
        let count = usize::try_from(length >> 1).ok()?;
        Some(Meant {
            letters: self.letters.get(start..start + count)?,
            is_open: length & 1 == 1,
            entry: Entry(u32::from_le_bytes(entry)),
        })
    }

    /// A quick look: whether a word begins, and whether it ends, like one of these.
    #[inline]
    fn runs(&self, letters: &[u8]) -> (bool, bool) {
        let count = letters.len();
        let is_known = |letters: Option<&[u8]>, run| {
            let letters: Option<[u8; RUN]> = letters.and_then(|letters| letters.try_into().ok());
            letters.is_some_and(|letters| {
                let at = hash::place(run_key(letters, run), RUN_BITS);
                let bits = self.runs.get(at / 8);
                bits.is_some_and(|byte| byte >> (at % 8) & 1 == 1)
            })
        };
        let begins = is_known(letters.get(..RUN), Run::Start(count));
        let ending = |length: usize| letters.get(count - length - RUN..count - length);
        let ends = is_known(ending(0), Run::End(count))
            || (0..=ENDING_LETTERS_MAX + 1).any(|length| is_known(ending(length), Run::Stem));
        (begins, ends)
    }

    /// A quick look: whether a word with one letter wrong is one of these, or begins with one.
    fn may_be(&self, word: &Reading) -> bool {
        let (letters, hashes) = (word.letters(), word.hashes());
        let count = letters.len();
        // With the first letters right, one behind them is wrong; else one of them is, and the last ones are right.
        let left_out = match self.runs(letters) {
            (true, true) => 0..count,
            (true, false) => RUN..count,
            (false, true) => 0..RUN + 1,
            (false, false) => return false,
        };
        let shortest = TYPO_STEM_MIN - 1;
        // A stem may be as long as the word, and one longer; the ending has few letters.
        let first = shortest.max(count.saturating_sub(ENDING_LETTERS_MAX + 1));
        let whole = hashes.last().is_some_and(|hash| holds(self.closed, *hash));
        let mut stems = hashes.iter().skip(first - 1);
        if whole || stems.any(|hash| holds(self.open, *hash)) {
            return true;
        }
        let mut left_out = left_out;
        left_out.any(|left_out| {
            let before = left_out.checked_sub(1).and_then(|at| hashes.get(at));
            let mut hash = before.map_or(Letters::NONE, |hash| Letters(*hash));
            let behind = letters.iter().enumerate().skip(left_out + 1);
            for (length, code) in behind {
                hash = hash.and(*code);
                if length >= first && holds(self.open, hash.0) {
                    return true;
                }
            }
            holds(self.closed, hash.0)
        })
    }
}

thread_local! {
    /// The last words, by their hashes, that are certainly no trigger with a letter wrong: texts use the same ones again and again.
    static ORDINARY: [Cell<u64>; 1 << ORDINARY_BITS] = const { [const { Cell::new(0) }; 1 << ORDINARY_BITS] };
}

const ORDINARY_BITS: u32 = 12;

/// Whether a word is one of those, or `decide` says so now. The tables are the same for all languages.
fn is_ordinary(word: &Reading, decide: impl FnOnce() -> bool) -> bool {
    let hash = word.hashes().last().copied().unwrap_or_default();
    ORDINARY.with(|ordinary| {
        let Some(known) = ordinary.get(hash::place(variant(hash), ORDINARY_BITS)) else {
            return decide();
        };
        let is_ordinary = known.get() == hash || decide();
        if is_ordinary {
            known.set(hash);
        }
        is_ordinary
    })
}

/// Whether letters are among those that are left of words.
#[inline]
fn holds(variants: &[[u8; 2]], letters: u64) -> bool {
    let hash = variant(letters);
    let first = hash::place(hash, VARIANT_BITS);
    let print = print(hash);
    let (before, behind) = variants.split_at_checked(first).unwrap_or_default();
    for variant in behind.iter().chain(before) {
        match u16::from_le_bytes(*variant) {
            0 => return false,
            found if found == print => return true,
            _ => {}
        }
    }
    false
}

/// The places of the words with a run.
fn places(runs: &'static [[u8; 8]], run: &[u8; RUN]) -> impl Iterator<Item = u32> {
    let run = u32::from_be_bytes(*run);
    let halves = |pair: &[u8; 8]| {
        let [a, b, c, d, e, f, g, h] = *pair;
        (
            u32::from_le_bytes([a, b, c, d]),
            u32::from_le_bytes([e, f, g, h]),
        )
    };
    let first = runs.partition_point(|pair| halves(pair).0 < run);
    let same = runs.get(first..).unwrap_or_default().iter().map(halves);
    same.take_while(move |(own, _)| *own == run)
        .map(|(_, place)| place)
}

impl Meant {
    fn fits(&self, word: &[u8]) -> bool {
        let own = self.letters.len();
        match self.is_open {
            true => {
                (own - 1..=own + ENDING_LETTERS_MAX).contains(&word.len())
                    && is_meant(word, self.letters, true)
            }
            false => is_meant(word, self.letters, false),
        }
    }
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
    use super::super::lines;
    use super::super::phrases::Reading;
    use super::super::tables;
    use super::Typos;

    fn typos(phrases: &[&str]) -> Typos {
        let file: String = phrases
            .iter()
            .map(|phrase| format!("fr\t{phrase}\thealth\t2\t\n"))
            .collect();
        let lines = lines::read(&file, false).unwrap();
        let lines: Vec<_> = lines.into_iter().map(|line| (line, false)).collect();
        let mut tables = tables::of_lines(&lines).unwrap();
        let mut table = |name: &str| &*tables.remove(name).unwrap().leak();
        Typos {
            words: table("typo_words").as_chunks().0,
            letters: table("typo_letters"),
            starts: table("typo_starts").as_chunks().0,
            ends: table("typo_ends").as_chunks().0,
            runs: table("typo_runs"),
            closed: table("typo_closed").as_chunks().0,
            open: table("typo_open").as_chunks().0,
        }
    }

    #[test]
    fn one_wrong_letter_is_seen_through_in_long_words_only() {
        let typos = typos(&["séropositive", "diabète", "depression", "bouddhist*"]);
        let of = |text: &str| {
            let (mut found, mut word) = (Vec::new(), Reading::NONE);
            word.read(text, 0);
            typos.of(&word, u8::MAX, &mut |entry| found.push(entry.number()));
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
            assert_eq!(of(word), [0], "{word}");
        }
        for word in ["boudhiste", "bouddihstes", "bouddhsite"] {
            assert_eq!(of(word), [3], "{word}");
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
        assert_eq!(of("deprression"), [2]);
    }
}
