//! Whose files are, and who is at work.

use std::fs::File;
use std::io::Result;
use std::path::Path;

/// A user and a group of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    user: u32,
    group: u32,
}

#[cfg(unix)]
impl Owner {
    /// The owner of a file or folder.
    pub fn of(path: &Path) -> Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let found = std::fs::metadata(path)?;
        Ok(Self {
            user: found.uid(),
            group: found.gid(),
        })
    }

    /// Whether it is whoever is at work.
    pub fn is_here(self) -> bool {
        rustix::process::geteuid().as_raw() == self.user
    }

    /// Whether whoever is at work may give files to others.
    pub fn may_give() -> bool {
        rustix::process::geteuid().is_root()
    }

    /// Gives a file to it.
    pub fn give(self, file: &File) -> Result<()> {
        std::os::unix::fs::fchown(file, Some(self.user), Some(self.group))
    }
}

#[cfg(not(unix))]
impl Owner {
    /// The owner of a file or folder: systems without such owners have one.
    pub fn of(path: &Path) -> Result<Self> {
        std::fs::metadata(path)?;
        Ok(Self { user: 0, group: 0 })
    }

    /// Whether it is whoever is at work.
    pub fn is_here(self) -> bool {
        true
    }

    /// Whether whoever is at work may give files to others.
    pub fn may_give() -> bool {
        false
    }

    /// Gives a file to it.
    pub fn give(self, _: &File) -> Result<()> {
        Ok(())
    }
}

/// A group of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, or its number, as it was asked for.
    pub name: String,
    /// Its number.
    pub id: u32,
}

impl Group {
    /// The group of a name, or of a number where it is known by that only; `None` if the system has none in `/etc/group`.
    pub fn named(name: &str) -> Option<Self> {
        let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
        let id = number_of(name, &groups).or_else(|| name.parse().ok())?;
        let name = name.to_owned();
        Some(Self { name, id })
    }
}

/// The number of a group in the form of `/etc/group`.
fn number_of(name: &str, groups: &str) -> Option<u32> {
    let mut lines = groups.lines().map(|line| line.split(':'));
    lines.find_map(|mut line| {
        let is_it = !name.is_empty() && line.next() == Some(name);
        line.nth(1).filter(|_| is_it)?.parse().ok()
    })
}

/// The name of the user of the system who is at work, or their number.
pub fn user() -> String {
    #[cfg(unix)]
    {
        let id = rustix::process::getuid().as_raw();
        let names = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        name_of(id, &names).unwrap_or_else(|| format!("uid {id}"))
    }
    #[cfg(not(unix))]
    {
        std::env::var("USERNAME").unwrap_or_else(|_| "unknown".to_owned())
    }
}

/// The name of a user in the form of `/etc/passwd`.
#[cfg(unix)]
fn name_of(id: u32, names: &str) -> Option<String> {
    let mut lines = names.lines().map(|line| line.split(':'));
    lines.find_map(|mut line| {
        let name = line.next()?;
        let is_it = line.nth(1)?.parse() == Ok(id);
        (is_it && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_first_name_of_its_number() {
        let names = "root:x:0:0:root:/root:/bin/sh\nbroken\n:x:7:7::/:\nann:x:1000:1000::/home/ann:/bin/sh\nann2:x:1000:1::/:\n";
        assert_eq!(name_of(0, names).as_deref(), Some("root"));
        assert_eq!(name_of(1000, names).as_deref(), Some("ann"));
        assert_eq!(name_of(7, names), None);
        assert_eq!(name_of(4, names), None);
    }

    #[test]
    fn a_group_has_the_number_of_its_name() {
        let groups = "root:x:0:\nbroken\n:x:7:\nauditors:x:1004:ann,bob\nauditors2:x:9:\n";
        assert_eq!(number_of("auditors", groups), Some(1004));
        assert_eq!(number_of("root", groups), Some(0));
        assert_eq!(number_of("auditor", groups), None);
        assert_eq!(number_of("broken", groups), None);
        assert_eq!(number_of("", groups), None);
        assert_eq!(Group::named("4711").map(|group| group.id), Some(4711));
        assert_eq!(Group::named("no-such-group-here"), None);
    }

    #[test]
    fn a_new_file_is_of_whoever_made_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "").unwrap();
        let owner = Owner::of(&path).unwrap();
        assert!(owner.is_here());
        owner.give(&File::open(&path).unwrap()).unwrap();
    }
}
