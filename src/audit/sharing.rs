//! Gives a group of the system read access to the log, and leave to put notes in the spool.
//!
//! Members of the group are not trusted: they may write in the spool only, where the sticky bit keeps them from the notes of
//! others, and whatever lies there is read as a note of bounded length or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::files::Group;

use super::folder::{SPOOL, is_log_file};
use super::signing::KEYS;

/// New files get the group of the folder; its members may enter and list it.
const FOLDER_MODE: u32 = 0o2750;
const FILE_MODE: u32 = 0o640;
/// Who is not the owner of a note may not remove it.
const SPOOL_MODE: u32 = 0o3770;
/// Folders whose files the group may read, beside those of the log itself. None of them holds a secret, but for a private
/// key that somebody has put beside the public ones.
const FOLDERS: [&str; 4] = ["checkpoints", "index", "policies", "pruned"];
/// The folder of public keys, and how the names of their files end.
const PUBLIC_KEYS: (&str, &str) = (KEYS, "pub");
/// Folders in folders: those of the policies have their own.
const DEPTH_MAX: usize = 6;

/// Why a group was not given access.
#[derive(Debug, thiserror::Error)]
#[error("`{}` of the access log cannot be given to the group `{group}`: {source}", .path.display())]
pub(super) struct NotShared {
    path: PathBuf,
    group: String,
    source: io::Error,
}

/// Gives the group access to all that is there. What is new in a folder gets its group by itself, but not always its mode.
pub(super) fn share(dir: &Path, group: &Group) -> Result<(), NotShared> {
    folder(dir, FOLDER_MODE, group)?;
    folder(&dir.join(SPOOL), SPOOL_MODE, group)?;
    let failed = |source| not_shared(dir, group, source);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (name, path) = (entry.file_name(), entry.path());
        let Some(name) = name.to_str() else {
            continue;
        };
        if FOLDERS.contains(&name) {
            tree(&path, group, DEPTH_MAX)?;
        } else if name == PUBLIC_KEYS.0 {
            public_keys(&path, group)?;
        } else if is_log_file(name) {
            file(&path, group)?;
        }
    }
    Ok(())
}

fn public_keys(path: &Path, group: &Group) -> Result<(), NotShared> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|there| there.is_dir());
    if !is_folder {
        return Ok(());
    }
    folder(path, FOLDER_MODE, group)?;
    let failed = |source| not_shared(path, group, source);
    for entry in fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|ending| ending == PUBLIC_KEYS.1)
        {
            file(&path, group)?;
        }
    }
    Ok(())
}

fn tree(path: &Path, group: &Group, depth: usize) -> Result<(), NotShared> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|there| there.is_dir());
    if !is_folder {
        return file(path, group);
    }
    folder(path, FOLDER_MODE, group)?;
    let entries = match fs::read_dir(path) {
        Ok(entries) if depth > 0 => entries,
        Ok(_) => return Ok(()),
        Err(source) => return Err(not_shared(path, group, source)),
    };
    for entry in entries {
        let entry = entry.map_err(|source| not_shared(path, group, source))?;
        tree(&entry.path(), group, depth - 1)?;
    }
    Ok(())
}

fn folder(path: &Path, mode: u32, group: &Group) -> Result<(), NotShared> {
    give(path, OFlags::DIRECTORY, mode, group)
}

fn file(path: &Path, group: &Group) -> Result<(), NotShared> {
    give(path, OFlags::NONBLOCK, FILE_MODE, group)
}

/// Gives a file or folder to the group. What is gone meanwhile, or a link, is left alone.
fn give(path: &Path, flags: OFlags, mode: u32, group: &Group) -> Result<(), NotShared> {
    let flags = flags | OFlags::NOFOLLOW;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path);
    let given = match opened {
        Ok(opened) => give_opened(&opened, mode, group),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            Ok(())
        }
        Err(error) => Err(error),
    };
    given.map_err(|source| not_shared(path, group, source))
}

fn give_opened(opened: &File, mode: u32, group: &Group) -> io::Result<()> {
    let is = |there: &fs::Metadata| there.gid() == group.id && there.mode() & 0o7777 == mode;
    let there = opened.metadata()?;
    if is(&there) || !(there.is_dir() || there.is_file()) {
        return Ok(());
    }
    if there.gid() != group.id {
        fchown(opened, None, Some(group.id))?;
    }
    opened.set_permissions(Permissions::from_mode(mode))?;
    // The system takes the bit for new files away where whoever runs this is not of the group, and says nothing.
    match is(&opened.metadata()?) {
        true => Ok(()),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

fn not_shared(path: &Path, group: &Group, source: io::Error) -> NotShared {
    NotShared {
        path: path.to_owned(),
        group: group.name.clone(),
        source,
    }
}
