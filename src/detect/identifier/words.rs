//! Lists of words that are looked up by their first letter.
//!
//! Words are compared without accents and in any case. A word that ends in `*` stands for all that begin so.

/// Words in the order of their first letters.
pub(super) struct Words {
    list: &'static [&'static str],
    starts: [u16; LETTERS + 1],
}

const LETTERS: usize = 26;

impl Words {
    /// Words that are in the order of their first letters, which are lower case.
    pub(super) const fn new(list: &'static [&'static str]) -> Self {
        let mut starts = [0; LETTERS + 1];
        let (mut letter, mut place) = (0, 0);
        while letter <= LETTERS {
            while place < list.len() && list[place].as_bytes()[0] < b'a' + letter as u8 {
                place += 1;
            }
            starts[letter] = place as u16;
            letter += 1;
        }
        let mut at = 1;
        while at < list.len() {
            assert!(
                list[at - 1].as_bytes()[0] <= list[at].as_bytes()[0],
                "words are out of order"
            );
            at += 1;
        }
        Self { list, starts }
    }

    /// All of them.
    pub(super) fn all(&self) -> &'static [&'static str] {
        self.list
    }

    /// The place of the first word of the list that a word is.
    #[inline]
    pub(super) fn place(&self, word: &[u8]) -> Option<usize> {
        let letter = usize::from((word.first()? | 0x20).wrapping_sub(b'a'));
        if letter >= LETTERS {
            return None;
        }
        let (start, end) = (
            usize::from(self.starts[letter]),
            usize::from(self.starts[letter + 1]),
        );
        let found = self.list[start..end]
            .iter()
            .position(|known| fits(word, known.as_bytes()))?;
        Some(start + found)
    }

    /// Whether a word is one of the list.
    #[inline]
    pub(super) fn hold(&self, word: &[u8]) -> bool {
        self.place(word).is_some()
    }
}

/// Whether a word is a known one. The first letters are the same.
#[inline]
fn fits(word: &[u8], known: &[u8]) -> bool {
    let (stem, is_open) = match known.split_last() {
        Some((b'*', stem)) => (stem, true),
        _ => (known, false),
    };
    if word.len() < stem.len() || (!is_open && word.len() != stem.len()) {
        return false;
    }
    word.iter()
        .zip(stem)
        .skip(1)
        .all(|(one, other)| one | 0x20 == *other)
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn words_are_found_in_any_case_and_by_their_beginning() {
        const LIST: Words = Words::new(&["abc", "b", "tel*", "z"]);
        for word in ["abc", "ABC", "b", "Tel", "telefon", "Z"] {
            assert!(LIST.hold(word.as_bytes()), "{word}");
        }
        for word in ["", "ab", "abcd", "te", "y", "1", "\u{1}"] {
            assert!(!LIST.hold(word.as_bytes()), "{word}");
        }
    }
}
