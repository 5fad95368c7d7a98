//! What was found in texts that were read before. Lists of a CRM show the same notes again and again, and finding statements
//! costs more than anything else that is done with a note.
//!
//! Findings are a function of a text and the lexicon, so remembering them changes nothing but the time that it takes. No text is
//! kept, only a hash of it, made with a key of this process.

use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, LazyLock};

use dashmap::DashMap;
use foldhash::quality::RandomState;

use super::statement::{self, Lexicon, Statement};

/// Texts that are remembered. Beyond them, all are forgotten.
const TEXTS_MAX: usize = 1 << 15;

/// Bytes of a text that is worth remembering.
const BYTES: std::ops::RangeInclusive<usize> = 8..=1 << 16;

/// Two hashes with different keys: no two texts have both in common.
type Key = (u64, u64);

struct Memo {
    keys: (RandomState, RandomState),
    found: DashMap<Key, Arc<[Statement]>>,
}

static MEMO: LazyLock<Memo> = LazyLock::new(|| Memo {
    keys: (RandomState::default(), RandomState::default()),
    found: DashMap::new(),
});

/// The statements of a text in all of its layers, read or remembered.
pub(super) fn statements(text: &str, lexicon: &Lexicon) -> Arc<[Statement]> {
    if !BYTES.contains(&text.len()) {
        return super::read_statements(text, lexicon).into();
    }
    let key = MEMO.key(text, lexicon);
    if let Some(found) = MEMO.found.get(&key) {
        return Arc::clone(&found);
    }
    let found: Arc<[Statement]> = super::read_statements(text, lexicon).into();
    if MEMO.found.len() >= TEXTS_MAX {
        MEMO.found.clear();
    }
    MEMO.found.insert(key, Arc::clone(&found));
    found
}

impl Memo {
    fn key(&self, text: &str, lexicon: &Lexicon) -> Key {
        let hash = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            hasher.write(text.as_bytes());
            hasher.write_u64(statement::identity(lexicon));
            hasher.finish()
        };
        (hash(&self.keys.0), hash(&self.keys.1))
    }
}

#[cfg(test)]
mod tests {
    use super::statements;
    use crate::detect::statement::{Languages, Lexicon};

    #[test]
    fn what_is_remembered_is_what_was_read() {
        let (all, german) = (Languages::all(), Languages::named("de").unwrap());
        for text in [
            "Elle est séropositive depuis 2019",
            "Rappeler mardi matin",
            "x",
        ] {
            for languages in [all, german, all] {
                let lexicon = Lexicon::of(languages);
                let read = crate::detect::read_statements(text, &lexicon);
                assert_eq!(*statements(text, &lexicon), *read, "{text} {languages:?}");
                assert_eq!(*statements(text, &lexicon), *read, "{text} {languages:?}");
            }
        }
    }
}
