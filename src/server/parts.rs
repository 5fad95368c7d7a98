//! What `/readyz?verbose` says of the parts of the proxy.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How each part is. Clones are the same. That a part is bad does not make the proxy unready: what was in force before is.
#[derive(Clone, Debug, Default)]
pub struct Parts(Arc<Mutex<BTreeMap<String, Part>>>);

#[derive(Debug)]
struct Part {
    is_good: bool,
    words: String,
}

impl Parts {
    /// Says how a part is.
    pub fn say(&self, part: &str, is_good: bool, words: impl Into<String>) {
        let words = words.into();
        self.parts()
            .insert(part.to_owned(), Part { is_good, words });
    }

    /// One line a part: `PART ok|bad WORDS`.
    pub(super) fn lines(&self) -> String {
        let mut lines = String::new();
        for (name, part) in &*self.parts() {
            let state = if part.is_good { "ok" } else { "bad" };
            let line = format!("{name} {state} {}", part.words);
            let _ = writeln!(lines, "{}", line.trim_end());
        }
        lines
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<String, Part>> {
        // Nothing is done under the lock that a panic could leave half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
