//! Reads the section `reload`; and what is not reloaded.

use std::path::{Path, PathBuf};

use crate::diagnostic::{FILE_BYTES_MAX, Form, Node};
use crate::files::Fingerprint;

use super::read::Reader;

/// What becomes of files that change while they are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// Whether changes are looked for without being asked. Default: yes.
    pub watch: bool,
    /// Whether the tests of a policy must pass before it comes into force. Default: no.
    pub require_tests: bool,
}

impl Default for Reload {
    fn default() -> Self {
        Self {
            watch: true,
            require_tests: false,
        }
    }
}

/// A file that is read at the start and never again.
#[derive(Clone, Debug)]
pub struct Once {
    /// Where it is.
    pub path: PathBuf,
    /// What it held.
    held: Fingerprint,
}

impl Once {
    /// A file that is about to be read: whatever changes from now on is a change.
    pub(super) fn of(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            held: Fingerprint::of_file(path, FILE_BYTES_MAX),
        }
    }

    /// Whether it holds now what it held then.
    pub fn is_same(&self) -> bool {
        Fingerprint::of_file(&self.path, FILE_BYTES_MAX) == self.held
    }
}

impl Reader<'_> {
    pub(super) fn reload(&mut self, node: &Node) -> Reload {
        const FORM: Form = Form {
            what: "`reload`",
            known: &["watch", "require_tests"],
            refused: &[],
        };
        let default = Reload::default();
        let Some(keys) = FORM.read(node, self.found) else {
            return default;
        };
        let watch = keys.get("watch");
        let watch = watch.and_then(|node| node.boolean("`watch`", self.found));
        let tests = keys.get("require_tests");
        let tests = tests.and_then(|node| node.boolean("`require_tests`", self.found));
        Reload {
            watch: watch.unwrap_or(default.watch),
            require_tests: tests.unwrap_or(default.require_tests),
        }
    }
}
