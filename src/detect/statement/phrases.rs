//! All phrases of the lexicon, which a text is compared with word by word.
//!
//! A phrase is a chain of words, and so is each of its beginnings. Chains are known by their hashes, so that a word of a text
//! costs one look into a table, and most words no more than a look at some bits. The tables are made by `build.rs`.

use super::entry::Entry;
use super::fold::{self, GAP, NOTHING, WORD_LETTERS_MAX};
use super::hash::{Letters, START, STEM, STEM_LETTERS_MIN, chained, place};
use super::layout::{
    About, CHAIN_BITS, CHAIN_BYTES, CONTEXT_BITS, ENDING_BITS, ENDING_LOOK_BITS, FIRST_BITS,
    FURTHER_BITS, START_BITS, STEM_BITS, Sort, stem_start,
};

/// What stands between two words of a phrase at most.
const GAP_BYTES_MAX: usize = 64;

/// Beginnings of a word that phrases have with any ending: so many at most are looked at.
const STEMS_MAX: usize = 4;

/// The phrases of all languages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phrases {
    pub(super) chains: &'static [[u8; CHAIN_BYTES]],
    pub(super) endings: &'static [[u8; CHAIN_BYTES]],
    pub(super) lists: &'static [[u8; 4]],
    /// Two bits for each first word of triggers: whether it is one by itself, and whether others go on behind it.
    pub(super) first: &'static [u8],
    /// A bit for each chain whose last word has any ending.
    pub(super) stems: &'static [u8],
    /// A bit for the first letters of the last word of each of those.
    pub(super) starts: &'static [u8],
    /// A bit for each chain of several words.
    pub(super) further: &'static [u8],
    /// A bit for each first word of the context.
    pub(super) context: &'static [u8],
    /// A bit for the last letters of each ending.
    pub(super) ending_looks: &'static [u8],
}

/// A chain that was found.
#[derive(Clone, Copy)]
struct Chain {
    key: u64,
    list: u32,
    about: About,
}

/// A word of a text, with its letters and the hashes of all its beginnings.
pub(super) struct Reading {
    pub(super) start: usize,
    /// Behind its last letter.
    pub(super) end: usize,
    /// None of a word that is too long for any.
    count: usize,
    letters: [u8; WORD_LETTERS_MAX],
    hashes: [u64; WORD_LETTERS_MAX],
}

impl Reading {
    pub(super) const NONE: Self = Self {
        start: 0,
        end: 0,
        count: 0,
        letters: [0; WORD_LETTERS_MAX],
        hashes: [0; WORD_LETTERS_MAX],
    };

    /// Reads the word at `start`, where a letter stands.
    #[inline]
    pub(super) fn read(&mut self, text: &str, start: usize) {
        let mut hash = Letters::NONE;
        let mut count = 0;
        let room = self.letters.iter_mut().zip(&mut self.hashes);
        let plain = text.as_bytes().get(start..).unwrap_or_default();
        for (byte, (letter, hashed)) in plain.iter().zip(room) {
            let code = fold::plain_letter(*byte);
            if code == GAP {
                break;
            }
            hash = hash.and(code);
            (*letter, *hashed) = (code, hash.0);
            count += 1;
        }
        self.start = start;
        self.end = start + count;
        self.count = count;
        if plain.get(count).is_some_and(|byte| fold::may_go_on(*byte)) {
            self.read_on(text, hash);
        }
    }

    /// Reads on behind letters of ASCII.
    fn read_on(&mut self, text: &str, mut hash: Letters) {
        let mut count = self.count;
        self.end = fold::word_end(text, self.end, &mut |code| {
            hash = hash.and(code);
            if let (Some(letter), Some(hashed)) =
                (self.letters.get_mut(count), self.hashes.get_mut(count))
            {
                (*letter, *hashed) = (code, hash.0);
            }
            count += 1;
        });
        self.count = if count > WORD_LETTERS_MAX { 0 } else { count };
    }

    pub(super) fn letters(&self) -> &[u8] {
        &self.letters[..self.count]
    }

    /// The hashes of its beginnings, one letter more each; the last is that of the word.
    pub(super) fn hashes(&self) -> &[u64] {
        &self.hashes[..self.count]
    }

    /// The hash of the word; none of one that is too long.
    #[inline]
    fn whole(&self) -> Option<u64> {
        self.hashes().last().copied()
    }
}

#[inline]
fn bit(bits: &[u8], place: usize) -> bool {
    bits.get(place / 8)
        .is_some_and(|byte| byte >> (place % 8) & 1 == 1)
}

impl Phrases {
    /// A quick look: whether a trigger may begin with a word, of which the next one is given. Most words are none's beginning.
    #[inline]
    pub(super) fn may_begin(&self, word: &Reading, next: Option<&Reading>) -> bool {
        let Some(whole) = word.whole() else {
            return false;
        };
        let chain = chained(START, whole);
        let at = 2 * place(chain, FIRST_BITS);
        let looks = self
            .first
            .get(at / 8)
            .map_or(0, |byte| byte >> (at % 8) & 3);
        let is_whole = looks & 1 == 1 || self.stems(START, word, Sort::Trigger).next().is_some();
        is_whole
            || looks & 2 == 2 && next.is_some_and(|next| self.may_go_on(chain, next, Sort::Trigger))
    }

    /// A quick look: whether a chain goes on with a word.
    #[inline]
    fn may_go_on(&self, chain: u64, word: &Reading, sort: Sort) -> bool {
        word.whole()
            .is_some_and(|word| self.is_further(chained(chain, word)))
            || self.stems(chain, word, sort).next().is_some()
    }

    /// A quick look: whether there may be a chain of several words.
    #[inline]
    fn is_further(&self, key: u64) -> bool {
        bit(self.further, place(key, FURTHER_BITS))
    }

    /// The chains that a word, behind another chain, may be with any ending.
    #[inline]
    fn stems(&self, from: u64, word: &Reading, sort: Sort) -> impl Iterator<Item = u64> {
        let hashes = word.hashes();
        let may_begin = hashes.get(STEM_LETTERS_MIN - 1).is_some_and(|start| {
            bit(
                self.starts,
                place(stem_start(from, *start, sort), START_BITS),
            )
        });
        let hashes = if may_begin { hashes } else { &[] };
        let keys = hashes
            .iter()
            .skip(STEM_LETTERS_MIN - 1)
            .map(move |hash| chained(from, hash ^ STEM));
        keys.filter(|key| bit(self.stems, place(*key, STEM_BITS)))
    }

    #[inline]
    fn known(&self, key: u64) -> Option<Chain> {
        chain_in(self.chains, CHAIN_BITS, key)
    }

    /// The phrases that a chain is.
    #[inline]
    fn entries(&self, chain: Chain, sort: Sort, languages: u8) -> impl Iterator<Item = Entry> {
        let (triggers, context) = (
            chain.about.count(Sort::Trigger),
            chain.about.count(Sort::Context),
        );
        let range = match sort {
            Sort::Trigger => 0..triggers,
            Sort::Context => triggers..triggers + context,
        };
        let is_only = triggers + context == 1;
        let list = chain.list;
        let entries = range.filter_map(move |at| match is_only {
            true => Some(Entry(list)),
            false => {
                let at = usize::try_from(list).ok()? + at;
                Some(Entry(u32::from_le_bytes(*self.lists.get(at)?)))
            }
        });
        entries.filter(move |entry| languages >> entry.language() & 1 == 1)
    }

    /// Hands every phrase of a sort and of some languages that begins with a word to `visit`, with its end: those of fewer
    /// words first.
    #[inline]
    pub(super) fn walk(
        &self,
        text: &str,
        (word, next): (&Reading, Option<&Reading>),
        (sort, languages): (Sort, u8),
        visit: &mut impl FnMut(usize, Entry),
    ) {
        let Some(whole) = word.whole() else {
            return;
        };
        let mut count = 0;
        for key in self.stems(START, word, sort) {
            if count < STEMS_MAX
                && let Some(chain) = self.known(key)
            {
                let shown = self.show(text, (word, next), chain, (sort, languages), visit);
                count += usize::from(shown);
            }
        }
        let key = chained(START, whole);
        let may_be = match sort {
            Sort::Trigger => true,
            Sort::Context => bit(self.context, place(key, CONTEXT_BITS)),
        };
        if may_be && let Some(chain) = self.known(key) {
            self.show(text, (word, next), chain, (sort, languages), visit);
        }
    }

    /// Shows the phrases that a chain is which ends with a word, and those that go on behind it; tells whether there may be any.
    fn show(
        &self,
        text: &str,
        (word, next): (&Reading, Option<&Reading>),
        chain: Chain,
        (sort, languages): (Sort, u8),
        visit: &mut impl FnMut(usize, Entry),
    ) -> bool {
        let is_whole = chain.about.is_whole(sort, languages);
        if is_whole {
            self.entries(chain, sort, languages)
                .for_each(|entry| visit(word.end, entry));
        }
        let goes_on = chain.about.goes_on(sort, languages);
        if goes_on
            && let Some(next) = next
            && self.may_go_on(chain.key, next, sort)
            && stands_behind(text, word.end, next.start)
        {
            self.walk_on(text, next, chain.key, (sort, languages), visit);
        }
        is_whole || goes_on
    }

    fn walk_on(
        &self,
        text: &str,
        word: &Reading,
        from: u64,
        (sort, languages): (Sort, u8),
        visit: &mut dyn FnMut(usize, Entry),
    ) {
        let stems = self
            .stems(from, word, sort)
            .filter_map(|key| self.known(key));
        let is_any = |chain: &Chain| {
            chain.about.is_whole(sort, languages) || chain.about.goes_on(sort, languages)
        };
        let whole = word.whole().map(|word| chained(from, word));
        let whole = whole.filter(|key| self.is_further(*key));
        let whole = whole.and_then(|key| self.known(key));
        let mut behind = Reading::NONE;
        let mut next = None;
        for chain in stems.filter(is_any).take(STEMS_MAX).chain(whole) {
            if next.is_none() && chain.about.goes_on(sort, languages) {
                next = fold::word_start(text, word.end);
                if let Some(start) = next {
                    behind.read(text, start);
                }
            }
            let next = next.map(|_| &behind);
            self.show(
                text,
                (word, next),
                chain,
                (sort, languages),
                &mut |end, entry| visit(end, entry),
            );
        }
    }

    /// The longest triggers of some languages that are the end of a word.
    pub(super) fn ending(&self, word: &Reading, languages: u8) -> impl Iterator<Item = Entry> {
        let mut found = None;
        let mut hash = Letters::NONE;
        for (count, code) in (1..).zip(word.letters().iter().rev()) {
            hash = hash.and(*code);
            if count < STEM_LETTERS_MIN {
                continue;
            }
            let key = chained(START, hash.0);
            if count == STEM_LETTERS_MIN && !bit(self.ending_looks, place(key, ENDING_LOOK_BITS)) {
                break;
            }
            let chain = chain_in(self.endings, ENDING_BITS, key);
            found = chain
                .filter(|chain| chain.about.is_whole(Sort::Trigger, languages))
                .or(found);
        }
        let found = found.into_iter();
        found.flat_map(move |chain| self.entries(chain, Sort::Trigger, languages))
    }
}

/// The chain of a key: at its place, or behind it before the next free one.
#[inline]
fn chain_in(chains: &[[u8; CHAIN_BYTES]], bits: u32, key: u64) -> Option<Chain> {
    let first = place(key, bits);
    let (before, behind) = chains.split_at_checked(first)?;
    for slot in behind.iter().chain(before) {
        let (words, _) = slot.as_chunks::<4>();
        let &[low, high, list, about] = words else {
            return None;
        };
        let found = u64::from(u32::from_le_bytes(low)) | u64::from(u32::from_le_bytes(high)) << 32;
        let about = About(u32::from_le_bytes(about));
        if found == key {
            let list = u32::from_le_bytes(list);
            return Some(Chain { key, list, about });
        }
        if about == About::default() {
            return None;
        }
    }
    None
}

/// Whether nothing but a gap stands between the end of a word and the next one.
fn stands_behind(text: &str, end: usize, start: usize) -> bool {
    let mut at = end;
    while at < start && at - end <= GAP_BYTES_MAX {
        let (glyph, length) = fold::glyph(text, at);
        if !matches!(glyph.code, NOTHING | GAP) {
            return false;
        }
        at += length;
    }
    at == start && at - end <= GAP_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::super::entry::Entry;
    use super::super::fold;
    use super::super::layout::Sort;
    use super::super::lines;
    use super::super::tables;
    use super::{Phrases, Reading};

    /// Phrases of German triggers.
    fn phrases(phrases: &[&str]) -> Phrases {
        let file: String = phrases
            .iter()
            .map(|phrase| format!("de\t{phrase}\thealth\t3\t\n"))
            .collect();
        let lines = lines::read(&file, false).unwrap();
        let lines: Vec<_> = lines.into_iter().map(|line| (line, false)).collect();
        let mut tables = tables::of_lines(&lines).unwrap();
        let mut table = |name: &str| &*tables.remove(name).unwrap().leak();
        Phrases {
            chains: table("chains").as_chunks().0,
            endings: table("endings").as_chunks().0,
            lists: table("lists").as_chunks().0,
            first: table("first"),
            stems: table("stems"),
            starts: table("starts"),
            further: table("further"),
            context: table("context"),
            ending_looks: table("ending_looks"),
        }
    }

    fn read(text: &str) -> Reading {
        let mut word = Reading::NONE;
        word.read(text, 0);
        word
    }

    fn found(phrases: &[&str], text: &str) -> Vec<String> {
        let all = self::phrases(phrases);
        let mut found = Vec::new();
        let mut add = |end: usize, entry: Entry| {
            found.push(format!(
                "{}={}",
                phrases[entry.number() as usize],
                &text[..end]
            ));
        };
        let word = read(text);
        let next = fold::word_start(text, word.end).map(|start| {
            let mut next = Reading::NONE;
            next.read(text, start);
            next
        });
        for languages in [1, 2] {
            let sought = (Sort::Trigger, languages);
            all.walk(text, (&word, next.as_ref()), sought, &mut add);
        }
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
        let all = phrases(&["*krebs", "*lungenkrebs"]);
        let ending = |word: &str| {
            all.ending(&read(word), 1)
                .map(Entry::number)
                .collect::<Vec<_>>()
        };
        assert_eq!(ending("Brustkrebs"), [0]);
        assert_eq!(ending("Lungenkrebs"), [1]);
        assert_eq!(ending("Krebse"), [0; 0]);
    }

    #[test]
    fn a_quick_look_overlooks_no_phrase() {
        let all = phrases(&["krank", "kranken*", "in der klinik", "im haus*"]);
        let begins = |one: &str, next: &str| all.may_begin(&read(one), Some(&read(next)));
        for (one, next) in [
            ("krank", "ist"),
            ("Krankenschein", "da"),
            ("in", "der"),
            ("IM", "Hausbett"),
        ] {
            assert!(begins(one, next), "{one} {next}");
        }
        assert!(!begins("in", "das") && !begins("im", "hau") && !begins("xyz", "der"));
        assert!(!all.may_begin(&read("in"), None));
    }
}
