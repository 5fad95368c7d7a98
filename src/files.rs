//! Reads files that people name: regular files of bounded size, without ever waiting for one.
//!
//! A named pipe keeps whoever opens it waiting for a writer, a device may do something when it is opened. So the type is
//! looked at before a file is opened, nothing is opened in a way that waits, and what counts is the type of what was
//! opened: nobody can put something else in its place between.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::{Path, PathBuf};

mod encoding;
mod fingerprint;
mod owner;
mod watched;

pub use encoding::{NotUtf8, text};
pub use fingerprint::Fingerprint;
pub use owner::{Group, Owner, user};
pub use watched::Watched;

/// Files that others, or processes that were ended, may have left beside one that is written.
const NEW_MAX: u32 = 1000;

/// What was read of a file.
#[derive(Debug)]
pub struct Contents {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// Whether everybody on the machine may write it. Where the system has no such rights: nobody may.
    pub everybody_may_write: bool,
}

/// Reads a whole regular file of at most `bytes_max` bytes; links are followed. Never waits for another process.
pub fn read(path: &Path, bytes_max: usize) -> Result<Contents> {
    let file = open(path)?;
    let opened = file.metadata()?;
    let mut bytes = Vec::new();
    // One byte more than the bound, so that it is seen to be exceeded. What the system says of the size is no bound: a
    // file may grow.
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        let size = in_words(bytes_max);
        return Err(Error::new(
            ErrorKind::FileTooLarge,
            format!("it is larger than {size}"),
        ));
    }
    Ok(Contents {
        bytes,
        everybody_may_write: everybody_may_write(&opened),
    })
}

/// Opens a regular file to read; links are followed. Never waits for another process.
pub fn open(path: &Path) -> Result<File> {
    check(path)?;
    let file = without_waiting(path)?;
    regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Puts a file in the place of what stands under a name, or anew: whole, on disk, for nobody else to read. Whoever reads it
/// meanwhile reads the one or the other. Its folder is made where it is missing.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_for(path, bytes, None)
}

/// The same for another user of the system, where `owner` is one: whoever does that is `root`.
pub fn replace_for(path: &Path, bytes: &[u8], owner: Option<Owner>) -> Result<()> {
    put(path, bytes, owner, &Rights::Own)
}

/// The same of a file that others read, too: it keeps the rights of the one in whose place it comes. A new one may be read
/// by everybody, as far as the system lets whoever makes it.
pub fn publish(path: &Path, bytes: &[u8]) -> Result<()> {
    let path = match std::fs::canonicalize(path) {
        // A link stays a link.
        Ok(path) => path,
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    match std::fs::metadata(&path) {
        Ok(found) => {
            let owner = Owner::of(&path)?;
            put(
                &path,
                bytes,
                None,
                &Rights::Same(found.permissions(), owner),
            )
        }
        Err(_) => put(&path, bytes, None, &Rights::All),
    }
}

/// Who may read a file that is written.
enum Rights {
    /// Whoever writes it.
    Own,
    /// Everybody, as far as the system lets whoever makes it.
    All,
    /// As another file, whose owner it gets, too.
    Same(std::fs::Permissions, Owner),
}

fn put(path: &Path, bytes: &[u8], owner: Option<Owner>, rights: &Rights) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let mut builder = std::fs::DirBuilder::new();
    let mut options = OpenOptions::new();
    // Anew, so that nothing is written to, or given away, that somebody has put there or linked there.
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        builder.mode(0o700);
        options.mode(match rights {
            Rights::All => 0o644,
            Rights::Own | Rights::Same(..) => 0o600,
        });
    }
    builder.recursive(true).create(folder)?;
    let (mut file, new) = beside(path, &options)?;
    let mut fill = || {
        if let Some(owner) = owner {
            owner.give(&file)?;
        }
        if let Rights::Same(rights, owner) = rights {
            make_alike(&file, rights, *owner)?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    };
    if let Err(error) = fill() {
        // It was made here, so it is nobody else's.
        let _ = std::fs::remove_file(&new);
        return Err(error);
    }
    File::open(folder)?.sync_all()
}

/// A new file beside another, under a name that nobody else has taken: what stands there is never touched.
fn beside(path: &Path, options: &OpenOptions) -> Result<(File, PathBuf)> {
    let mut number = 0_u32;
    loop {
        let mut new = path.as_os_str().to_owned();
        match number {
            0 => new.push(".new"),
            number => new.push(format!(".{number}.new")),
        }
        match options.open(&new) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < NEW_MAX => {
                number += 1;
            }
            opened => return Ok((opened?, new.into())),
        }
    }
}

/// Gives a file the rights and the owner of another.
fn make_alike(file: &File, rights: &std::fs::Permissions, owner: Owner) -> Result<()> {
    match owner.give(file) {
        Ok(()) => file.set_permissions(rights.clone()),
        // The group cannot be kept: another one gets no more than everybody has.
        Err(error) if error.kind() == ErrorKind::PermissionDenied && owner.is_here() => {
            file.set_permissions(without_group(rights))
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Error::new(
            ErrorKind::PermissionDenied,
            "it is another user's, and could not be given back to them",
        )),
        Err(error) => Err(error),
    }
}

fn without_group(rights: &std::fs::Permissions) -> std::fs::Permissions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = rights.mode() & 0o777;
        let all = (mode & 0o007) << 3;
        std::fs::Permissions::from_mode((mode & 0o707) | (mode & all))
    }
    #[cfg(not(unix))]
    rights.clone()
}

/// Whether a path leads to a regular file, without opening it; else why not.
pub fn check(path: &Path) -> Result<()> {
    regular(std::fs::metadata(path)?.file_type())
}

#[cfg(unix)]
fn without_waiting(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

#[cfg(not(unix))]
fn without_waiting(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).open(path)
}

fn regular(found: FileType) -> Result<()> {
    if found.is_file() {
        return Ok(());
    }
    let text = format!("it is {}, not a file", kind(found));
    Err(Error::new(ErrorKind::InvalidInput, text))
}

/// What something in a folder is, in words.
pub fn kind(found: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if found.is_fifo() {
            return "a named pipe (FIFO)";
        }
        if found.is_socket() {
            return "a socket";
        }
        if found.is_char_device() || found.is_block_device() {
            return "a device";
        }
    }
    match (found.is_file(), found.is_dir(), found.is_symlink()) {
        (true, ..) => "a file",
        (_, true, _) => "a folder",
        (.., true) => "a link",
        _ => "of an unknown type",
    }
}

fn everybody_may_write(found: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        found.permissions().mode() & 0o002 != 0
    }
    #[cfg(not(unix))]
    {
        let _ = found;
        false
    }
}

/// A number of bytes with its unit.
fn in_words(bytes: usize) -> String {
    match bytes {
        0..=1023 => format!("{bytes} bytes"),
        1024..=1_048_575 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// Why something could not be read, in words that complete *could not read `path`: …*.
pub fn words(error: &Error) -> String {
    if error.get_ref().is_some() {
        return error.to_string();
    }
    match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        ErrorKind::PermissionDenied => "the system does not permit it".to_owned(),
        ErrorKind::NotADirectory => "it is not a folder".to_owned(),
        ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
        ErrorKind::FileTooLarge => "it is too large".to_owned(),
        _ => {
            let text = error.to_string();
            let plain = text.split(" (os error").next().unwrap_or_default();
            plain.to_ascii_lowercase()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{read, words};

    fn why(path: &Path, bytes_max: usize) -> String {
        match read(path, bytes_max) {
            Ok(_) => panic!("read"),
            Err(error) => words(&error),
        }
    }

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, [b'x'; 2048]).unwrap();
        assert_eq!(read(&path, 2048).unwrap().bytes.len(), 2048);
        assert_eq!(why(&path, 2047), "it is larger than 1 KiB");
    }

    #[test]
    fn what_is_no_file_is_told_in_words() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(why(folder.path(), 10), "it is a folder, not a file");
        let missing = folder.path().join("missing");
        assert_eq!(why(&missing, 10), "there is no such file or folder");
        let beyond = folder.path().join("a/b");
        std::fs::write(folder.path().join("a"), "").unwrap();
        assert_eq!(why(&beyond, 10), "it is not a folder");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_waits_for_a_pipe_a_socket_or_a_device() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(why(&pipe, 10), "it is a named pipe (FIFO), not a file");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        assert_eq!(why(&link, 10), "it is a named pipe (FIFO), not a file");
        // What was put in the place of a file after it was looked at does not keep anybody waiting either.
        assert!(
            super::without_waiting(&pipe).is_ok_and(|file| file.metadata().unwrap().len() == 0)
        );
        assert!(super::open(&pipe).is_err());
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(why(&socket, 10), "it is a socket, not a file");
        assert_eq!(
            why(Path::new("/dev/zero"), 10),
            "it is a device, not a file"
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_others_read_stays_readable_for_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (path, link) = (folder.path().join("a"), folder.path().join("b"));
        super::publish(&path, b"x").unwrap();
        assert_eq!(mode(&path) & 0o600, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        super::publish(&link, b"y").unwrap();
        assert_eq!(
            (mode(&path), std::fs::read(&path).unwrap()),
            (0o640, b"y".to_vec())
        );
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn what_stands_beside_is_not_touched_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let (path, beside) = (folder.path().join("a"), folder.path().join("a.new"));
        std::fs::write(&beside, "another's").unwrap();
        super::replace(&path, b"x").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"x");
        assert_eq!(std::fs::read(&beside).unwrap(), b"another's");
        // A folder stands where the file is to be.
        let taken = folder.path().join("b");
        std::fs::create_dir(&taken).unwrap();
        assert!(super::replace(&taken, b"x").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn another_group_gets_no_more_than_everybody() {
        use std::os::unix::fs::PermissionsExt as _;
        for (mode, expected) in [(0o640, 0o600), (0o664, 0o644), (0o604, 0o604)] {
            let rights = std::fs::Permissions::from_mode(mode);
            assert_eq!(super::without_group(&rights).mode(), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_replaced_stays_its_owners() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "x").unwrap();
        if super::Owner::may_give() {
            std::os::unix::fs::chown(&path, Some(1234), Some(4321)).unwrap();
        }
        let owner = || {
            let found = std::fs::metadata(&path).unwrap();
            (found.uid(), found.gid())
        };
        let before = owner();
        super::publish(&path, b"y").unwrap();
        assert_eq!(owner(), before);
    }

    #[cfg(unix)]
    #[test]
    fn who_may_write_it_is_asked_of_what_was_opened() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "x").unwrap();
        for (mode, expected) in [(0o644, false), (0o666, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path, 10).unwrap().everybody_may_write, expected);
        }
    }
}
