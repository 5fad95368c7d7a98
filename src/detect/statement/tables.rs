//! Makes the tables that texts are compared with from the lines of the lexicon. `build.rs` writes them into the program, so
//! that nothing has to be read when it starts.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Entry, NUMBER_BITS};
use super::fold::{self, GAP};
use super::hash::{Letters, START, STEM, STEM_LETTERS_MIN, chained, feature, hash, place, variant};
use super::layout::{
    About, CHAIN_BITS, CHAIN_BYTES, CONTEXT_BITS, ENDING_BITS, ENDING_LETTERS_MAX,
    ENDING_LOOK_BITS, FEATURE_BITS, FEATURE_BYTES, FEATURE_LOOK_BITS, FIRST_BITS, FURTHER_BITS,
    RUN, RUN_BITS, Run, START_BITS, STEM_BITS, Sort, TYPO_LETTERS_MIN, TYPO_STEM_MIN, VARIANT_BITS,
    print, run_key, stem_start,
};
use super::lines::{self, Line};
use super::names::{LANGUAGES, SHARED, TOPICS};

/// The most phrases of one sort that a chain can be.
const PHRASES_MAX: usize = 63;
/// How surely a clause is a statement, the least first.
const CERTAINTIES: [&str; 3] = ["possible", "likely", "certain"];
/// What is neither a trigger of a topic nor a class of words.
const HARMLESS: u32 = 31;
/// Letters of a word that may mean something else in another language.
const SHORT_LETTERS_MAX: usize = 4;

/// Tables with their names.
pub(crate) type Tables = BTreeMap<&'static str, Vec<u8>>;

impl Letters {
    fn of<'c>(codes: impl Iterator<Item = &'c u8>) -> Self {
        codes.fold(Self::NONE, |letters, code| letters.and(*code))
    }
}

impl Entry {
    /// The entry of a line. All that is said of it has fewer values than there is room for.
    #[expect(clippy::cast_possible_truncation, reason = "few languages and classes")]
    pub(super) fn of(number: u32, line: &Line<'_>, is_context: bool) -> Self {
        let of = line.of.map_or(HARMLESS, |of| of as u32);
        let is_one_word = !line.phrase.contains(' ');
        let is_short = line.phrase.chars().count() <= SHORT_LETTERS_MAX;
        Self(
            number
                | (line.language as u32) << 18
                | of << 21
                | u32::from(line.weight) << 26
                | u32::from(is_one_word) << 28
                | u32::from(is_context) << 29
                | u32::from(is_short) << 30,
        )
    }
}

impl About {
    pub(super) fn add_whole(&mut self, sort: Sort, language: usize) {
        self.0 += 1 << Self::count_at(sort);
        self.0 |= 1 << (Self::whole(sort) + language as u32);
    }

    pub(super) fn add_further(&mut self, sort: Sort, language: usize) {
        self.0 |= 1 << (Self::whole(sort) + 5 + language as u32);
    }
}

/// A chain while it is made.
#[derive(Default)]
struct Chain {
    about: About,
    triggers: Vec<Entry>,
    context: Vec<Entry>,
}

#[derive(Default)]
struct Chains {
    all: BTreeMap<u64, Chain>,
    first: Vec<u8>,
    stems: Vec<u8>,
    starts: Vec<u8>,
    further: Vec<u8>,
    context: Vec<u8>,
}

/// The names of the lexicon's files, and whether each is of the context.
pub(crate) fn files() -> impl Iterator<Item = (String, bool)> {
    let of_language = LANGUAGES.iter().flat_map(|language| {
        [
            (format!("{language}.tsv"), false),
            (format!("context-{language}.tsv"), true),
        ]
    });
    [("common.tsv".to_owned(), true)]
        .into_iter()
        .chain(of_language)
}

/// The tables of the lexicon: of files with their paths and whether each is of the context, and of the file of weights.
pub(crate) fn of_files(files: &[(String, String, bool)], weights: &str) -> Result<Tables, String> {
    let mut all = Vec::new();
    for (path, text, is_context) in files {
        let read =
            lines::read(text, *is_context).map_err(|mistake| format!("{path}: {mistake}"))?;
        let mut seen = BTreeSet::new();
        for line in read {
            if !seen.insert((line.language, line.phrase, line.of)) {
                return Err(format!(
                    "{path}: `{}` stands there twice: leave one out",
                    line.phrase
                ));
            }
            all.push((line, *is_context));
        }
    }
    let mut tables = of_lines(&all)?;
    tables.extend(of_weights(weights)?);
    Ok(tables)
}

/// Everything that is looked up, of lines with whether each is of the context.
pub(super) fn of_lines(lines: &[(Line<'_>, bool)]) -> Result<Tables, String> {
    if lines.len() >> NUMBER_BITS > 0 || LANGUAGES.len() > 5 {
        return Err("the tables have no room for so many phrases".to_owned());
    }
    let mut chains = Chains {
        first: vec![0; 2 << (FIRST_BITS - 3)],
        stems: vec![0; 1 << (STEM_BITS - 3)],
        starts: vec![0; 1 << (START_BITS - 3)],
        further: vec![0; 1 << (FURTHER_BITS - 3)],
        context: vec![0; 1 << (CONTEXT_BITS - 3)],
        ..Chains::default()
    };
    let mut endings: BTreeMap<u64, Chain> = BTreeMap::new();
    let mut ending_looks = vec![0; 1 << (ENDING_LOOK_BITS - 3)];
    let mut entries = Vec::new();
    let (mut phrases, mut texts) = (Vec::new(), String::new());
    for (number, (line, is_context)) in (0_u32..).zip(lines) {
        let entry = Entry::of(number, line, *is_context);
        entries.push((line.phrase, entry));
        phrases.extend(hash(line.phrase).to_le_bytes());
        phrases.extend(small(texts.len())?.to_le_bytes());
        phrases.extend(small(line.phrase.len())?.to_le_bytes());
        texts.push_str(line.phrase);
        for spelling in spellings(line) {
            match spelling.strip_prefix('*') {
                None => chains.add(&words(&spelling), entry),
                Some(_) if *is_context => {}
                Some(ending) => {
                    let codes = fold::codes(ending);
                    let last = codes.iter().rev().take(STEM_LETTERS_MIN);
                    set(
                        &mut ending_looks,
                        place(start(Letters::of(last)), ENDING_LOOK_BITS),
                    );
                    let chain = endings.entry(start(Letters::of(codes.iter().rev())));
                    chain.or_default().add_whole(entry);
                }
            }
        }
    }
    let mut lists = Vec::new();
    let mut tables = typos(&entries)?;
    tables.insert("chains", slots(&chains.all, CHAIN_BITS, &mut lists)?);
    tables.insert("endings", slots(&endings, ENDING_BITS, &mut lists)?);
    tables.extend([
        ("ending_looks", ending_looks),
        ("lists", lists),
        ("first", chains.first),
        ("stems", chains.stems),
        ("starts", chains.starts),
        ("further", chains.further),
        ("context", chains.context),
        ("phrases", phrases),
        ("texts", texts.into_bytes()),
    ]);
    Ok(tables)
}

fn start(letters: Letters) -> u64 {
    chained(START, letters.0)
}

fn small(number: usize) -> Result<u32, String> {
    u32::try_from(number).map_err(|error| error.to_string())
}

fn set(bits: &mut [u8], place: usize) {
    bits[place / 8] |= 1 << (place % 8);
}

/// How a phrase is written: German umlauts also as two letters.
fn spellings(line: &Line<'_>) -> Vec<String> {
    let mut spellings = vec![line.phrase.to_owned()];
    let is_german = LANGUAGES.get(line.language) == Some(&"de");
    if is_german && line.phrase.contains(['ä', 'ö', 'ü']) {
        let other = line.phrase.replace('ä', "ae").replace('ö', "oe");
        spellings.push(other.replace('ü', "ue"));
    }
    spellings
}

/// A word of a phrase.
struct Word {
    hash: u64,
    /// The hash of its first letters, if it has any ending.
    start: Option<u64>,
}

fn words(phrase: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for part in phrase.split_whitespace() {
        let codes = fold::codes(part);
        let mut codes = codes
            .split(|code| *code == GAP)
            .filter(|word| !word.is_empty())
            .peekable();
        while let Some(word) = codes.next() {
            let letters = Letters::of(word.iter()).0;
            let is_open = part.ends_with('*') && codes.peek().is_none();
            let start = Letters::of(word.iter().take(STEM_LETTERS_MIN)).0;
            words.push(Word {
                hash: if is_open { letters ^ STEM } else { letters },
                start: is_open.then_some(start),
            });
        }
    }
    words
}

impl Chain {
    fn add_whole(&mut self, entry: Entry) {
        match entry.is_context() {
            true => self.context.push(entry),
            false => self.triggers.push(entry),
        }
        self.about.add_whole(sort(entry), entry.language());
    }
}

fn sort(entry: Entry) -> Sort {
    match entry.is_context() {
        true => Sort::Context,
        false => Sort::Trigger,
    }
}

impl Chains {
    fn add(&mut self, words: &[Word], entry: Entry) {
        let mut chain = START;
        for (at, word) in words.iter().enumerate() {
            if let Some(start) = word.start {
                let key = stem_start(chain, start, sort(entry));
                set(&mut self.starts, place(key, START_BITS));
            }
            chain = chained(chain, word.hash);
            let is_last = at + 1 == words.len();
            let known = self.all.entry(chain).or_default();
            match is_last {
                true => known.add_whole(entry),
                false => known.about.add_further(sort(entry), entry.language()),
            }
            match (at, sort(entry)) {
                _ if word.start.is_some() => set(&mut self.stems, place(chain, STEM_BITS)),
                (1.., _) => set(&mut self.further, place(chain, FURTHER_BITS)),
                (0, Sort::Context) => set(&mut self.context, place(chain, CONTEXT_BITS)),
                (0, Sort::Trigger) => {
                    let bit = 2 * place(chain, FIRST_BITS) + usize::from(!is_last);
                    set(&mut self.first, bit);
                }
            }
        }
    }
}

/// Chains by their keys: a chain stands at its place, or at the next free one behind. A chain that is one phrase holds it; others
/// say where their list is, triggers first.
fn slots(chains: &BTreeMap<u64, Chain>, bits: u32, lists: &mut Vec<u8>) -> Result<Vec<u8>, String> {
    let mut slots = vec![[0_u8; CHAIN_BYTES]; 1 << bits];
    if chains.len() * 4 > slots.len() * 3 {
        return Err("a table of chains is too small".to_owned());
    }
    for (key, chain) in chains {
        let mut at = place(*key, bits);
        while slots[at] != [0; CHAIN_BYTES] {
            at = (at + 1) % slots.len();
        }
        if chain.triggers.len().max(chain.context.len()) > PHRASES_MAX {
            return Err(format!(
                "more than {PHRASES_MAX} phrases that are the same words"
            ));
        }
        let mut all = chain.triggers.iter().chain(&chain.context);
        let list = match (all.next(), all.next()) {
            (Some(only), None) => only.0,
            _ => small(lists.len() / 4)?,
        };
        if chain.triggers.len() + chain.context.len() > 1 {
            for entry in chain.triggers.iter().chain(&chain.context) {
                lists.extend(entry.0.to_le_bytes());
            }
        }
        slots[at][..8].copy_from_slice(&key.to_le_bytes());
        slots[at][8..12].copy_from_slice(&list.to_le_bytes());
        slots[at][12..].copy_from_slice(&chain.about.0.to_le_bytes());
    }
    Ok(slots.into_flattened())
}

/// Long words that triggers consist of, to be found with a letter wrong.
fn typos(entries: &[(&str, Entry)]) -> Result<Tables, String> {
    let (mut words, mut letters) = (Vec::new(), Vec::new());
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    let (mut closed, mut open) = (
        vec![0_u16; 1 << VARIANT_BITS],
        vec![0_u16; 1 << VARIANT_BITS],
    );
    let mut looks = vec![0_u8; 1 << (RUN_BITS - 3)];
    // A weak trigger with a wrong letter would be anything.
    let strong = entries
        .iter()
        .filter(|(_, entry)| entry.topic().is_some() && entry.weight() > 1);
    let mut place = 0_u32;
    for (phrase, entry) in strong {
        if phrase.len() < TYPO_STEM_MIN || phrase.starts_with('*') || phrase.contains(' ') {
            continue;
        }
        let (word, is_open) = match phrase.strip_suffix('*') {
            Some(stem) => (stem, true),
            None => (*phrase, false),
        };
        let codes = fold::codes(word);
        let letters_min = if is_open {
            TYPO_STEM_MIN
        } else {
            TYPO_LETTERS_MIN
        };
        if codes.len() < letters_min || codes.contains(&GAP) {
            continue;
        }
        words.extend(small(letters.len())?.to_le_bytes());
        words.extend((small(codes.len())? << 1 | u32::from(is_open)).to_le_bytes());
        words.extend(entry.0.to_le_bytes());
        letters.extend(&codes);
        if let (Some(start), Some(end)) = (codes.first_chunk::<RUN>(), codes.last_chunk::<RUN>()) {
            starts.push((u32::from_be_bytes(*start), place));
            ends.push((u32::from_be_bytes(*end), place));
            // With one letter more or less, and an ending.
            let most = codes.len() + if is_open { ENDING_LETTERS_MAX } else { 1 };
            for length in codes.len() - 1..=most {
                let run = run_key(*start, Run::Start(length));
                set(&mut looks, super::hash::place(run, RUN_BITS));
                let run = if is_open { Run::Stem } else { Run::End(length) };
                set(&mut looks, super::hash::place(run_key(*end, run), RUN_BITS));
            }
        }
        let variants = if is_open { &mut open } else { &mut closed };
        without_one(&codes, &mut |hash| add_variant(variants, hash));
        place += 1;
    }
    let sorted = |mut runs: Vec<(u32, u32)>| {
        runs.sort_unstable();
        let pairs = runs.into_iter();
        pairs
            .flat_map(|(run, place)| [run.to_le_bytes(), place.to_le_bytes()].concat())
            .collect::<Vec<u8>>()
    };
    let bytes = |variants: Vec<u16>| variants.into_iter().flat_map(u16::to_le_bytes).collect();
    Ok(BTreeMap::from([
        ("typo_runs", looks),
        ("typo_starts", sorted(starts)),
        ("typo_ends", sorted(ends)),
        ("typo_words", words),
        ("typo_letters", letters),
        ("typo_closed", bytes(closed)),
        ("typo_open", bytes(open)),
    ]))
}

/// What is left of a word when one letter is left out, of each letter, and the whole word, by their hashes.
fn without_one(word: &[u8], visit: &mut dyn FnMut(u64)) {
    for left_out in 0..=word.len() {
        let rest = word.iter().enumerate();
        let rest = rest.filter(|(place, _)| *place != left_out);
        visit(variant(Letters::of(rest.map(|(_, code)| code)).0));
    }
}

fn add_variant(variants: &mut [u16], hash: u64) {
    let mut at = place(hash, VARIANT_BITS);
    let print = print(hash);
    while variants[at] != 0 && variants[at] != print {
        at = (at + 1) % variants.len();
    }
    variants[at] = print;
}

/// The weights of features by their keys, each for all topics; the known words; and the bounds of certainty.
fn of_weights(text: &str) -> Result<Tables, String> {
    let mut weights: BTreeMap<u64, [i16; TOPICS.len()]> = BTreeMap::new();
    let mut known = Vec::new();
    let mut from: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let mistake = || {
            format!(
                "lexicon/weights.tsv: line {}: make the file anew",
                number + 1
            )
        };
        let columns: Vec<&str> = line.split('\t').collect();
        match columns[..] {
            _ if line.starts_with('#') => {}
            ["from", name, ref scores @ ..] if scores.len() == 3 => {
                let scores = scores.iter().map(|score| score.parse());
                from.insert(
                    name,
                    scores.collect::<Result<_, _>>().map_err(|_| mistake())?,
                );
            }
            ["known", word] => known.push(hash(word)),
            [topic, slot, says, weight] => {
                let weight: i16 = weight.parse().map_err(|_| mistake())?;
                let own = weights.entry(feature(hash(slot), hash(says))).or_default();
                for (name, own) in TOPICS.iter().zip(own) {
                    // What all topics share is added to each.
                    if topic == SHARED || topic == *name {
                        *own = own.saturating_add(weight);
                    }
                }
            }
            _ => return Err(mistake()),
        }
    }
    known.sort_unstable();
    let mut scores = Vec::new();
    for name in CERTAINTIES {
        let own = from
            .get(name)
            .map_or([i32::MAX; 3].as_slice(), Vec::as_slice);
        scores.extend(own.iter().flat_map(|score| score.to_le_bytes()));
    }
    let (features, looks) = feature_slots(&weights)?;
    Ok(BTreeMap::from([
        ("features", features),
        ("feature_looks", looks),
        (
            "known",
            known.into_iter().flat_map(u64::to_le_bytes).collect(),
        ),
        ("bounds", scores),
    ]))
}

fn feature_slots(
    weights: &BTreeMap<u64, [i16; TOPICS.len()]>,
) -> Result<(Vec<u8>, Vec<u8>), String> {
    let mut slots = vec![[0_u8; FEATURE_BYTES]; 1 << FEATURE_BITS];
    let mut looks = vec![0; 1 << (FEATURE_LOOK_BITS - 3)];
    if weights.len() * 4 > slots.len() * 3 {
        return Err("the table of features is too small".to_owned());
    }
    for (key, weights) in weights {
        set(&mut looks, place(*key, FEATURE_LOOK_BITS));
        let mut at = place(*key, FEATURE_BITS);
        while slots[at] != [0; FEATURE_BYTES] {
            at = (at + 1) % slots.len();
        }
        slots[at][..8].copy_from_slice(&key.to_le_bytes());
        for (bytes, weight) in slots[at][8..].chunks_exact_mut(2).zip(weights) {
            bytes.copy_from_slice(&weight.to_le_bytes());
        }
    }
    Ok((slots.into_flattened(), looks))
}
