//! Problems in the forms that other programs take: SARIF for code scanning, commands for a workflow on GitHub.

use std::path::{Component, Path, PathBuf};

mod github;
mod rules;
mod sarif;
#[cfg(test)]
mod tests;

pub use github::github;
pub use rules::{Rule, rules};
pub use sarif::sarif;

/// Where a report stands: what was checked, and from which folder paths are told.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    /// The file or folder that was checked: where a problem stands that has no place.
    pub subject: &'a Path,
    /// The folder in which the program runs.
    pub folder: &'a Path,
}

impl Checked<'_> {
    /// A path as it is seen from the folder; as it is, if it lies elsewhere.
    fn relative(&self, path: &Path) -> PathBuf {
        let whole = plain(&self.folder.join(path));
        let within = whole.strip_prefix(plain(self.folder)).ok();
        match within {
            Some(within) if within.as_os_str().is_empty() => PathBuf::from("."),
            Some(within) => within.to_owned(),
            None => whole,
        }
    }
}

/// A path without `.` and `..`, as far as that can be told without looking.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
