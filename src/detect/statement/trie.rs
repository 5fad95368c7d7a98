//! All phrases of a lexicon in one tree of letters, which a text is walked along word by word.

use std::collections::BTreeMap;

use super::fold::{self, GAP, NOTHING};

/// Stands for any letters up to the end of a word.
const ANY: u8 = 38;

/// Letters of a word; a longer one is none.
pub(super) const WORD_LETTERS_MAX: usize = 48;

/// What stands between two words of a phrase at most.
const GAP_BYTES_MAX: usize = 64;

/// A phrase to look for: the codes of its letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern(Vec<u8>);

impl Pattern {
    /// Reads a phrase, in which `*` at the end of a word stands for any ending.
    pub(super) fn of(phrase: &str) -> Self {
        let mut codes = Vec::new();
        for word in phrase.split_whitespace() {
            if !codes.is_empty() {
                codes.push(GAP);
            }
            codes.extend(fold::codes(word));
            if word.ends_with('*') {
                codes.push(ANY);
            }
        }
        Self(codes)
    }

    /// The last word's letters from the last to the first: of a phrase that is looked for from its end.
    pub(super) fn reversed(phrase: &str) -> Self {
        let mut codes = fold::codes(phrase.trim_start_matches('*'));
        codes.reverse();
        codes.push(ANY);
        Self(codes)
    }
}

/// A node: which codes go on, and where their nodes begin; in the order of the codes they stand side by side.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    goes_on: u64,
    first: u32,
    /// One more than the place of what is found here; 0 if nothing is.
    found: u32,
}

/// The tree.
#[derive(Debug, Default)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// The phrases that end at a place, as their numbers.
    ends: Vec<Vec<u32>>,
}

/// A node while the tree grows.
#[derive(Default)]
struct Growing {
    children: BTreeMap<u8, usize>,
    ends: Vec<u32>,
}

impl Trie {
    /// The tree of these patterns, each with its number.
    pub(super) fn new(patterns: impl Iterator<Item = (Pattern, u32)>) -> Self {
        let mut growing = vec![Growing::default()];
        for (Pattern(codes), number) in patterns {
            let mut at = 0;
            for code in codes {
                let next = growing.len();
                let child = *growing[at].children.entry(code).or_insert(next);
                if child == next {
                    growing.push(Growing::default());
                }
                at = child;
            }
            if at > 0 {
                growing[at].ends.push(number);
            }
        }
        Self::laid_out(&mut growing)
    }

    /// Lays the nodes out level by level, so that the children of each stand side by side.
    fn laid_out(growing: &mut [Growing]) -> Self {
        let mut trie = Self::default();
        let mut order = vec![0];
        let mut at = 0;
        while let Some(&grown) = order.get(at) {
            let mut node = Node {
                first: u32::try_from(order.len()).unwrap_or(u32::MAX),
                ..Node::default()
            };
            for (code, child) in &growing[grown].children {
                node.goes_on |= 1 << code;
                order.push(*child);
            }
            let ends = std::mem::take(&mut growing[grown].ends);
            if !ends.is_empty() {
                trie.ends.push(ends);
                node.found = u32::try_from(trie.ends.len()).unwrap_or(0);
            }
            trie.nodes.push(node);
            at += 1;
        }
        trie
    }

    #[inline]
    fn next(&self, node: usize, code: u8) -> Option<usize> {
        let Node { goes_on, first, .. } = *self.nodes.get(node)?;
        let bit = 1_u64 << code;
        if goes_on & bit == 0 {
            return None;
        }
        let before = (goes_on & (bit - 1)).count_ones();
        usize::try_from(first + before).ok()
    }

    fn found(&self, node: usize) -> &[u32] {
        let place = self.nodes.get(node).map_or(0, |node| node.found);
        let place = usize::try_from(place).ok();
        place
            .and_then(|place| self.ends.get(place.checked_sub(1)?))
            .map_or(&[], Vec::as_slice)
    }

    /// Hands every phrase that begins with the word at `start` to `visit`, with its end.
    #[inline]
    pub(super) fn walk(&self, text: &str, start: usize, visit: &mut dyn FnMut(usize, &[u32])) {
        self.walk_on(0, text, start, visit);
    }

    fn walk_on(&self, from: usize, text: &str, start: usize, visit: &mut dyn FnMut(usize, &[u32])) {
        let (mut node, mut at, mut end) = (from, start, start);
        loop {
            let (glyph, length) = match at < text.len() {
                true => fold::glyph(text, at),
                false => return self.ended(node, text, end, visit),
            };
            match glyph.code {
                NOTHING => {}
                code if fold::is_letter(code) => {
                    if let Some(open) = self.next(node, ANY) {
                        self.after_word(open, text, at, visit);
                    }
                    let next = self.next(node, code);
                    let next = match glyph.second {
                        None => next,
                        Some(second) => next.and_then(|next| self.next(next, second)),
                    };
                    match next {
                        Some(next) => node = next,
                        None => return,
                    }
                    end = at + length;
                }
                _ => return self.ended(node, text, end, visit),
            }
            at += length;
        }
    }

    /// A word ended at a node.
    fn ended(&self, node: usize, text: &str, end: usize, visit: &mut dyn FnMut(usize, &[u32])) {
        if let Some(open) = self.next(node, ANY) {
            self.word_ended(open, text, end, visit);
        }
        self.word_ended(node, text, end, visit);
    }

    fn word_ended(
        &self,
        node: usize,
        text: &str,
        end: usize,
        visit: &mut dyn FnMut(usize, &[u32]),
    ) {
        let found = self.found(node);
        if !found.is_empty() {
            visit(end, found);
        }
        if let Some(behind) = self.next(node, GAP)
            && let Some(start) = next_word(text, end)
        {
            self.walk_on(behind, text, start, visit);
        }
    }

    /// Goes on behind the word that `at` stands in.
    fn after_word(&self, node: usize, text: &str, at: usize, visit: &mut dyn FnMut(usize, &[u32])) {
        if let Some(end) = word_end(text, at) {
            self.word_ended(node, text, end, visit);
        }
    }

    /// The longest phrase that is the end of a word, whose letters are given.
    pub(super) fn ending(&self, letters: &[u8]) -> &[u32] {
        let (mut node, mut found): (usize, &[u32]) = (0, &[]);
        for code in letters.iter().rev() {
            match self.next(node, *code) {
                Some(next) => node = next,
                None => return found,
            }
            if let Some(open) = self.next(node, ANY) {
                found = self.found(open);
            }
        }
        found
    }
}

/// Where the word ends that `at` stands in; `None` if it is longer than any word.
pub(super) fn word_end(text: &str, at: usize) -> Option<usize> {
    let (mut at, mut end, mut letters) = (at, at, 0);
    while at < text.len() {
        let (glyph, length) = fold::glyph(text, at);
        match glyph.code {
            NOTHING => {}
            code if fold::is_letter(code) => {
                letters += 1;
                if letters > WORD_LETTERS_MAX {
                    return None;
                }
                end = at + length;
            }
            _ => break,
        }
        at += length;
    }
    Some(end)
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
    use super::{Pattern, Trie};

    fn found(phrases: &[&str], text: &str) -> Vec<String> {
        let patterns = phrases
            .iter()
            .zip(0..)
            .map(|(phrase, number)| (Pattern::of(phrase), number));
        let trie = Trie::new(patterns);
        let mut found = Vec::new();
        trie.walk(text, 0, &mut |end, numbers| {
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
        let trie = Trie::new(
            [("*krebs", 1), ("*lungenkrebs", 2)]
                .into_iter()
                .map(|(p, n)| (Pattern::reversed(p), n)),
        );
        let ending = |word: &str| trie.ending(&super::fold::codes(word)).to_vec();
        assert_eq!(ending("Brustkrebs"), [1]);
        assert_eq!(ending("Lungenkrebs"), [2]);
        assert_eq!(ending("Krebse"), [0; 0]);
    }
}
