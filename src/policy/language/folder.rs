//! What may lie in a policy folder. Everything is read, or is on a short list of what may lie there unread, or is told: a
//! cap in a file that nobody reads protects nothing.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics, could_not_read, odd};
use crate::files;

use super::codes;

/// Entries of one folder.
const ENTRIES_MAX: usize = 1024;

/// Files that may lie in a policy folder and are not read.
const LEFT_FILES: &[&str] = &[
    "README",
    "README.md",
    "README.txt",
    "LICENSE",
    "LICENSE.md",
    "LICENSE.txt",
    ".gitignore",
    ".gitkeep",
];
/// Folders that may lie in a policy folder; what lies in them is not part of the policy.
const LEFT_FOLDERS: &[&str] = &[".git", TESTS];
/// The folder of a policy's tests.
pub(in crate::policy) const TESTS: &str = "tests";

/// The link through which Kubernetes publishes all files of a volume at once, and the one that it makes before.
const PUBLISHED: &str = "..data";
const PUBLISHED_NEXT: &str = "..data_tmp";

/// The files of a policy, by name. What else lies in the folder and may not is reported.
pub(in crate::policy) fn files(dir: &Path, found: &mut Diagnostics) -> Vec<PathBuf> {
    files_beside(dir, LEFT_FOLDERS, found)
}

/// The same, where these folders may lie beside them.
pub(in crate::policy) fn files_beside(
    dir: &Path,
    folders: &'static [&'static str],
    found: &mut Diagnostics,
) -> Vec<PathBuf> {
    let names = match names(dir) {
        Ok(names) if names.len() <= ENTRIES_MAX => names,
        Ok(_) => {
            let error = io::Error::other(format!("it holds more than {ENTRIES_MAX} entries"));
            found.push(could_not_read(dir, codes::UNREADABLE, &error));
            return Vec::new();
        }
        Err(error) => {
            found.push(could_not_read(dir, codes::UNREADABLE, &error));
            return Vec::new();
        }
    };
    let volume = Volume::of(dir);
    if let Some(volume) = &volume {
        volume.unlinked(dir, &names, found);
    }
    let mut read = Vec::new();
    for name in &names {
        let path = dir.join(name);
        match lies(name, &path, folders, volume.as_ref()) {
            Ok(Lies::Read) => read.push(path),
            Ok(Lies::Left) => {}
            Ok(Lies::Stray(problem)) => found.push(problem),
            Err(error) => found.push(could_not_read(&path, codes::UNREADABLE, &error)),
        }
    }
    read
}

/// The folder that is published now, where Kubernetes made it: it changes when all files do.
pub(in crate::policy) fn published(dir: &Path) -> Option<PathBuf> {
    std::fs::read_link(dir.join(PUBLISHED)).ok()
}

fn names(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir)?.take(ENTRIES_MAX + 1);
    let mut names = entries
        .map(|entry| Ok(PathBuf::from(entry?.file_name())))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// What an entry is to the policy.
enum Lies {
    /// One of its files.
    Read,
    /// Something that may lie there.
    Left,
    /// Something that may not.
    Stray(Diagnostic),
}

fn lies(name: &Path, path: &Path, folders: &[&str], volume: Option<&Volume>) -> io::Result<Lies> {
    let is_left = |names: &[&str]| names.iter().any(|left| name == Path::new(left));
    if volume.is_some_and(|volume| volume.owns(name, path)) {
        return Ok(Lies::Left);
    }
    // A link that leads nowhere is told as such.
    let kind = std::fs::metadata(path)
        .map_err(|error| match (error.kind(), path.is_symlink()) {
            (io::ErrorKind::NotFound, true) => io::Error::other("it is a link that leads nowhere"),
            _ => error,
        })?
        .file_type();
    if kind.is_dir() {
        if is_left(folders) {
            return Ok(Lies::Left);
        }
        let help = "move its files here, or elsewhere: folders in a policy folder are not read";
        return Ok(stray(path, "a folder", help));
    }
    if !kind.is_file() {
        let what = format!("it is {}, not a file", files::kind(kind));
        return Err(io::Error::other(what));
    }
    if is_policy(name) {
        Ok(Lies::Read)
    } else if is_left(LEFT_FILES) {
        Ok(Lies::Left)
    } else {
        Ok(stray(path, "a file", &fix(name)))
    }
}

/// Whether a name is that of a policy file: it ends in `.yaml` or `.yml`, and is not hidden.
fn is_policy(name: &Path) -> bool {
    let ends = |end: &str| name.extension() == Some(OsStr::new(end));
    (ends("yaml") || ends("yml")) && !name.as_os_str().as_encoded_bytes().starts_with(b".")
}

/// Whether something of this name is read as part of a policy, or may at least lie in its folder; `None`: it may not.
pub(in crate::policy) fn lies_by_name(name: &str, is_folder: bool) -> Option<bool> {
    let left = if is_folder { LEFT_FOLDERS } else { LEFT_FILES };
    if !is_folder && is_policy(Path::new(name)) {
        Some(true)
    } else {
        left.contains(&name).then_some(false)
    }
}

fn stray(path: &Path, what: &str, help: &str) -> Lies {
    let shown = odd::visible(&path.display().to_string());
    let title = format!("`{shown}` is {what} that is not read");
    Lies::Stray(Diagnostic::error(codes::NOT_READ, title).help(help))
}

/// What to do about a file that is not read.
fn fix(name: &Path) -> String {
    let name = name.to_string_lossy();
    let meant = odd::plain(&name).to_ascii_lowercase();
    let meant = meant.trim_start_matches('.').trim_end_matches('.');
    let at = [".yaml", ".yml"]
        .iter()
        .find_map(|end| meant.find(end).filter(|at| *at > 0));
    if let Some(at) = at {
        let stem = &meant[..at];
        return format!(
            "if it belongs to the policy, rename it to `{stem}.yaml`; else move it out of the folder"
        );
    }
    if meant.contains(".json") {
        return "if it belongs to the policy, write it as YAML and call it `NAME.yaml`; else move it out of the folder"
            .to_owned();
    }
    format!(
        "move it out of the folder; only `*.yaml` and `*.yml` are read, and beside them may lie {} and the folders {}",
        listed(LEFT_FILES),
        listed(LEFT_FOLDERS)
    )
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// A volume of Kubernetes: each file is a link through `..data` into a folder of one moment, which is exchanged as a whole.
struct Volume {
    /// The name of the folder of this moment.
    folder: PathBuf,
}

impl Volume {
    fn of(dir: &Path) -> Option<Self> {
        let folder = published(dir)?;
        let is_name = folder.components().count() == 1
            && folder.as_os_str().as_encoded_bytes().starts_with(b"..")
            && folder != Path::new("..");
        let is_folder =
            std::fs::symlink_metadata(dir.join(&folder)).is_ok_and(|found| found.is_dir());
        (is_name && is_folder).then_some(Self { folder })
    }

    /// Whether an entry is one of those that Kubernetes makes beside the links to files.
    fn owns(&self, name: &Path, path: &Path) -> bool {
        let Ok(found) = std::fs::symlink_metadata(path) else {
            return false;
        };
        let is_link = name == Path::new(PUBLISHED) || name == Path::new(PUBLISHED_NEXT);
        // The folder of another moment is about to be taken away, or about to be published.
        let is_folder = name == self.folder || is_moment(name);
        (is_link && found.is_symlink()) || (is_folder && found.is_dir())
    }

    /// Reports what is published and has no link in the folder.
    fn unlinked(&self, dir: &Path, names: &[PathBuf], found: &mut Diagnostics) {
        let folder = dir.join(&self.folder);
        match self::names(&folder) {
            Ok(published) => {
                let missing = published.iter().filter(|name| !names.contains(name));
                for name in missing {
                    let path = dir.join(PUBLISHED).join(name);
                    let help = "Kubernetes makes a link to each file: mount the volume anew";
                    if let Lies::Stray(problem) = stray(&path, "a file", help) {
                        found.push(problem);
                    }
                }
            }
            Err(error) => found.push(could_not_read(&folder, codes::UNREADABLE, &error)),
        }
    }
}

/// Whether a name is that of a folder of one moment: `..2026_11_28_21_17_03.1234567890`.
fn is_moment(name: &Path) -> bool {
    let digits = name.to_str().and_then(|name| name.strip_prefix(".."));
    digits.is_some_and(|digits| {
        digits.starts_with(|c: char| c.is_ascii_digit())
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'.'))
    })
}
