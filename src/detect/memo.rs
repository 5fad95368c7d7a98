//! What was found in texts that were read before. Lists of a CRM show the same notes again and again, and finding something in
//! a note costs more than anything else that is done with it.
//!
//! Findings are a function of a text and of what is looked for, so remembering them changes nothing but the time that it takes.
//! No text is kept, only a hash of it, under a key that only this process knows: without it, nobody finds two texts that meet.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::rand;
use dashmap::DashMap;
use siphasher::sip128::SipHasher24;

use super::statement::{Lexicon, Statement};
use super::{Kind, Meant, Span};

/// Texts that are remembered. Beyond them, all are forgotten.
const TEXTS_MAX: usize = 1 << 15;

/// Bytes of a text that is worth remembering.
const BYTES: std::ops::RangeInclusive<usize> = 8..=1 << 16;

/// Findings of a text that is worth remembering; most have none.
const FINDINGS_MAX: usize = 32;

/// The hash of a text, and what was looked for in it.
type Key = ([u8; 16], u64);

struct Memo<F> {
    /// Has a key that only this process knows; without it, texts are not remembered.
    hasher: Option<SipHasher24>,
    found: DashMap<Key, Arc<[F]>, foldhash::fast::RandomState>,
}

static STATEMENTS: LazyLock<Memo<Statement>> = LazyLock::new(Memo::new);
static IDENTIFIERS: LazyLock<Memo<Span>> = LazyLock::new(Memo::new);

/// The statements of a text in all of its layers, read or remembered.
pub(super) fn statements(text: &str, lexicon: &Lexicon) -> Arc<[Statement]> {
    STATEMENTS.get(text, lexicon.identity(), || {
        super::read_statements(text, lexicon)
    })
}

/// The identifiers of a text of the kinds that are meant, read or remembered.
pub(super) fn identifiers(text: &str, is_meant: Meant<'_>) -> Arc<[Span]> {
    let kinds = Kind::IDENTIFIERS.into_iter().enumerate();
    let kinds = kinds.filter(|(_, kind)| is_meant(*kind));
    let kinds = kinds.fold(0, |kinds, (place, _)| kinds | 1 << place);
    IDENTIFIERS.get(text, kinds, || super::find_where(text, is_meant))
}

impl<F> Memo<F> {
    fn new() -> Self {
        let mut key = [0; 16];
        let is_secret = rand::fill(&mut key).is_ok();
        Self {
            hasher: is_secret.then(|| SipHasher24::new_with_key(&key)),
            found: DashMap::default(),
        }
    }

    /// What was found in a text of what is looked for.
    fn get(&self, text: &str, sought: u64, read: impl FnOnce() -> Vec<F>) -> Arc<[F]> {
        let Some(key) = self.key(text, sought) else {
            return read().into();
        };
        if let Some(found) = self.found.get(&key) {
            return Arc::clone(&found);
        }
        let found: Arc<[F]> = read().into();
        if found.len() <= FINDINGS_MAX {
            if self.found.len() >= TEXTS_MAX {
                self.found.clear();
            }
            self.found.insert(key, Arc::clone(&found));
        }
        found
    }

    /// The key of a text that is worth remembering.
    fn key(&self, text: &str, sought: u64) -> Option<Key> {
        let hasher = self.hasher.as_ref();
        let hasher = hasher.filter(|_| BYTES.contains(&text.len()))?;
        Some((hasher.hash(text.as_bytes()).as_bytes(), sought))
    }
}

#[cfg(test)]
mod tests {
    use super::{identifiers, statements};
    use crate::detect::Kind;
    use crate::detect::statement::{Languages, Lexicon};

    #[test]
    fn what_is_remembered_is_of_the_kinds_that_are_meant() {
        let text = "IBAN FR7630006000011234567890189, mail a@b.fr";
        let all = |_: Kind| true;
        let mail = |kind: Kind| kind == Kind::Mail;
        let none = |_: Kind| false;
        for _ in 0..2 {
            for is_meant in [&all as &dyn Fn(Kind) -> bool, &mail, &none, &all] {
                let read = crate::detect::find_where(text, is_meant);
                assert_eq!(*identifiers(text, is_meant), *read);
            }
        }
        assert_eq!(identifiers(text, &all).len(), 2);
    }

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
