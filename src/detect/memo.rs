//! What was found in texts that were read before. Lists of a CRM show the same notes again and again, and finding statements
//! costs more than anything else that is done with a note.
//!
//! Findings are a function of a text and the lexicon, so remembering them changes nothing but the time that it takes. No text is
//! kept, only a hash of it, salted with what only this process knows.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::rand;
use dashmap::DashMap;

use super::statement::{Lexicon, Statement};

/// Texts that are remembered. Beyond them, all are forgotten.
const TEXTS_MAX: usize = 1 << 15;

/// Bytes of a text that is worth remembering.
const BYTES: std::ops::RangeInclusive<usize> = 8..=1 << 16;

/// Findings of a text that is worth remembering; most have none.
const FINDINGS_MAX: usize = 32;

/// The hash of a text and of the lexicon that it was read with.
type Key = [u8; 32];

struct Memo {
    /// What only this process knows; without it, texts are not remembered.
    salt: Option<[u8; 32]>,
    found: DashMap<Key, Arc<[Statement]>>,
}

static MEMO: LazyLock<Memo> = LazyLock::new(|| {
    let mut salt = [0; 32];
    Memo {
        salt: rand::fill(&mut salt).is_ok().then_some(salt),
        found: DashMap::new(),
    }
});

/// The statements of a text in all of its layers, read or remembered.
pub(super) fn statements(text: &str, lexicon: &Lexicon) -> Arc<[Statement]> {
    let Some(key) = MEMO.key(text, lexicon) else {
        return super::read_statements(text, lexicon).into();
    };
    if let Some(found) = MEMO.found.get(&key) {
        return Arc::clone(&found);
    }
    let found: Arc<[Statement]> = super::read_statements(text, lexicon).into();
    if found.len() <= FINDINGS_MAX {
        if MEMO.found.len() >= TEXTS_MAX {
            MEMO.found.clear();
        }
        MEMO.found.insert(key, Arc::clone(&found));
    }
    found
}

impl Memo {
    /// The key of a text that is worth remembering.
    fn key(&self, text: &str, lexicon: &Lexicon) -> Option<Key> {
        let salt = self.salt.filter(|_| BYTES.contains(&text.len()))?;
        let mut context = Context::new(&SHA256);
        context.update(&salt);
        context.update(&lexicon.identity().to_be_bytes());
        context.update(text.as_bytes());
        context.finish().as_ref().try_into().ok()
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
