//! A policy folder as it was in a revision of the git repository around the current folder.
//!
//! The revision is made a hash first, and only hashes are handed to further commands: nothing that somebody typed is ever an option.

use std::io;
use std::process::{Command, Stdio};

use crate::diagnostic::odd;
use crate::policy::{Policy, Source};

/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A revision and a folder: `main:policies`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    revision: String,
    folder: String,
}

/// Why a folder cannot be read from a repository.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// There is no git.
    #[error("`git` is needed to read `{0}`, and cannot be run: {1}")]
    NoGit(String, io::Error),
    /// There is no repository.
    #[error("the current folder is in no git repository, so `{0}` cannot be read; name a folder")]
    NoRepository(String),
    /// The revision is not there.
    #[error("git knows no revision `{revision}`")]
    NoRevision { revision: String },
    /// The folder is not there.
    #[error(
        "there is no folder `{folder}` in the revision `{revision}`; it is named from the top of the repository, or with `./` from here"
    )]
    NoFolder { revision: String, folder: String },
    /// Something in it cannot be read.
    #[error("`{name}` in `{folder}` cannot be read: {why}")]
    Entry {
        folder: String,
        name: String,
        why: String,
    },
}

impl Revision {
    /// Reads `REV:FOLDER`; `None` if it has not this form.
    pub fn parse(text: &str) -> Option<Self> {
        let (revision, folder) = text.split_once(':')?;
        (!revision.is_empty()).then(|| Self {
            revision: revision.to_owned(),
            folder: folder.trim_end_matches('/').to_owned(),
        })
    }

    /// The files of the policy.
    ///
    /// # Errors
    /// If git, the repository, the revision or the folder is missing, or the folder holds what a policy folder may not.
    pub fn read(&self) -> Result<Vec<Source>, Unread> {
        let shown = self.shown();
        let top = git(&["rev-parse", "--git-dir"]);
        let top = top.map_err(|error| Unread::NoGit(shown.clone(), error))?;
        if top.is_none() {
            return Err(Unread::NoRepository(shown));
        }
        let tree = self.tree()?;
        // Without `--full-tree` git would list only what lies below the current folder.
        let listed = self.run(&["ls-tree", "--full-tree", "-z", &tree])?;
        let mut sources = Vec::new();
        for entry in listed
            .split(|byte| *byte == 0)
            .filter(|entry| !entry.is_empty())
        {
            sources.extend(self.source(&shown, entry)?);
        }
        match sources.is_empty() {
            true => Err(self.entry("*.yaml", "there is no policy file")),
            false => Ok(sources),
        }
    }

    /// The hash of the folder.
    fn tree(&self) -> Result<String, Unread> {
        let commit = self.hash(&format!("{}^{{commit}}", self.revision))?;
        let commit = commit.ok_or_else(|| Unread::NoRevision {
            revision: odd::visible(&self.revision),
        })?;
        let tree = match self.folder.as_str() {
            "" => self.hash(&format!("{commit}^{{tree}}"))?,
            folder => self.hash(&format!("{commit}:{folder}"))?,
        };
        let missing = || Unread::NoFolder {
            revision: odd::visible(&self.revision),
            folder: odd::visible(&self.folder),
        };
        let tree = tree.ok_or_else(missing)?;
        let kind = self.run(&["cat-file", "-t", &tree])?;
        match kind.trim_ascii() {
            b"tree" => Ok(tree),
            _ => Err(missing()),
        }
    }

    /// The hash of what a name means; `None` if it means nothing.
    fn hash(&self, name: &str) -> Result<Option<String>, Unread> {
        let words = ["rev-parse", "--verify", "--quiet", "--end-of-options", name];
        let output = git(&words).map_err(|error| Unread::NoGit(odd::visible(name), error))?;
        let hash = output.and_then(|output| String::from_utf8(output).ok());
        let hash = hash.map(|hash| hash.trim().to_owned());
        Ok(hash.filter(|hash| is_hash(hash)))
    }

    /// One entry of the folder: a file of the policy, or something that may lie there.
    fn source(&self, shown: &str, entry: &[u8]) -> Result<Option<Source>, Unread> {
        let entry = String::from_utf8_lossy(entry);
        let (kind, name) = entry.split_once('\t').unwrap_or((&entry, ""));
        let mut kind = kind.split(' ');
        let (mode, kind, hash) = (kind.next(), kind.next(), kind.next().unwrap_or_default());
        let is_folder = kind == Some("tree");
        match Policy::lies_in_folder(name, is_folder) {
            Some(true) => {}
            Some(false) => return Ok(None),
            None => {
                return Err(self.entry(
                    name,
                    "nothing of that name is read; move it out of the folder",
                ));
            }
        }
        if kind != Some("blob") || mode == Some("120000") || !is_hash(hash) {
            return Err(self.entry(name, "it is a link, or another repository"));
        }
        let size = self.run(&["cat-file", "-s", hash])?;
        let size = String::from_utf8_lossy(&size).trim().parse::<u64>().ok();
        if size.is_none_or(|size| size > FILE_BYTES_MAX) {
            return Err(self.entry(name, "it is too large"));
        }
        let text = self.run(&["cat-file", "blob", hash])?;
        match String::from_utf8(text) {
            Ok(text) => Ok(Some(Source {
                path: format!("{shown}/{}", odd::visible(name)),
                text,
            })),
            Err(_) => Err(self.entry(name, "it is not text in UTF-8")),
        }
    }

    fn run(&self, words: &[&str]) -> Result<Vec<u8>, Unread> {
        let output = git(words).map_err(|error| Unread::NoGit(self.shown(), error))?;
        output.ok_or_else(|| self.entry(".", "git does not give it"))
    }

    /// It, as it was typed. Who made the revision chose its names: what cannot be seen must not steer a terminal.
    fn shown(&self) -> String {
        odd::visible(&format!("{}:{}", self.revision, self.folder))
    }

    fn entry(&self, name: &str, why: &str) -> Unread {
        Unread::Entry {
            folder: self.shown(),
            name: odd::visible(name),
            why: why.to_owned(),
        }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What git prints; `None` if it fails. It changes nothing, takes no lock, asks nobody, fetches nothing and starts no pager.
fn git(words: &[&str]) -> io::Result<Option<Vec<u8>>> {
    let output = Command::new("git")
        .args(["--no-pager", "--no-replace-objects"])
        .args(words)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    Ok(output.status.success().then_some(output.stdout))
}

#[cfg(test)]
mod tests {
    use super::Revision;

    #[test]
    fn a_revision_and_a_folder_stand_before_and_behind_the_first_colon() {
        let parsed = |text| Revision::parse(text).map(|one| (one.revision, one.folder));
        let pair = |revision: &str, folder: &str| Some((revision.to_owned(), folder.to_owned()));
        assert_eq!(parsed("main:policies/"), pair("main", "policies"));
        assert_eq!(parsed("HEAD~1:./p"), pair("HEAD~1", "./p"));
        assert_eq!(parsed("HEAD:"), pair("HEAD", ""));
        assert_eq!(parsed("policies"), None);
        assert_eq!(parsed(":policies"), None);
    }

    #[test]
    fn names_of_a_revision_are_seen_in_full() {
        let revision = Revision::parse("main:p\u{1b}[2J").unwrap();
        let text = revision.entry("a\u{202e}\n.yaml", "x").to_string();
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'));
        assert!(text.contains("p<U+001B>[2J") && text.contains("a<U+202E><U+000A>.yaml"));
    }
}
