//! A password, from a file that is its owner's alone, or from whoever sits at the terminal, without showing it.

use std::path::Path;

use crate::dialect::Secret;
use crate::files;

/// Bytes of a password.
const BYTES_MAX: usize = 4_096;

/// Reads a password: of a file, if one is named, else at the terminal.
///
/// # Errors
/// Why there is none, in words for whoever asked for it.
pub(super) fn read(user: &str, file: Option<&Path>) -> Result<Secret, String> {
    let line = match file {
        Some(path) => of_file(path)?,
        None => at_terminal(user)?,
    };
    let is_line = (1..=BYTES_MAX).contains(&line.len()) && !line.chars().any(char::is_control);
    match is_line {
        true => Ok(Secret::new(line)),
        false => Err("a password is one line of 1 to 4096 bytes in UTF-8".to_owned()),
    }
}

fn of_file(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let unread =
        |error: &std::io::Error| format!("could not read `{shown}`: {}", files::words(error));
    let contents = files::read(path, BYTES_MAX + 2).map_err(|error| unread(&error))?;
    is_its_owners(path).map_err(|error| unread(&error))?;
    let bytes = contents.bytes;
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    String::from_utf8(bytes.to_vec()).map_err(|_| format!("`{shown}` is not text in UTF-8"))
}

/// As with other secrets: nobody but the owner may write it, nobody but owner and group read it.
#[cfg(unix)]
fn is_its_owners(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)?.permissions().mode();
    match mode & 0o026 {
        0 => Ok(()),
        _ => Err(std::io::Error::other(format!(
            "others may read or write it: `chmod 600 {}`",
            path.display()
        ))),
    }
}

#[cfg(not(unix))]
fn is_its_owners(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Asks at the terminal, which does not show what is typed, and is left as it was, whatever is typed.
#[cfg(unix)]
fn at_terminal(user: &str) -> Result<String, String> {
    use std::io::Write as _;

    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    const NO_TERMINAL: &str =
        "there is no terminal to ask for the password: name a file, `--password-file FILE`";
    let mut terminal = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(|_| NO_TERMINAL)?;
    let before = tcgetattr(&terminal).map_err(|_| NO_TERMINAL)?;
    let mut hidden = before.clone();
    // Without signals, too: whoever is ended by one would leave a terminal that shows nothing.
    hidden
        .local_modes
        .remove(LocalModes::ECHO | LocalModes::ISIG);
    let _ = write!(terminal, "Password of `{}`: ", crate::audit::visible(user));
    let _ = terminal.flush();
    tcsetattr(&terminal, OptionalActions::Flush, &hidden).map_err(|_| NO_TERMINAL)?;
    let typed = line(&mut terminal);
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &before);
    let _ = writeln!(terminal);
    restored.map_err(|_| "the terminal could not be set back: `stty sane`")?;
    typed.ok_or_else(|| "no password was given".to_owned())
}

#[cfg(not(unix))]
fn at_terminal(_user: &str) -> Result<String, String> {
    Err("name a file with the password: `--password-file FILE`".to_owned())
}

/// A line, unless it is broken off with Ctrl-C.
#[cfg(unix)]
fn line(from: &mut impl std::io::Read) -> Option<String> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while from.read(&mut byte).ok()? == 1 {
        match byte[0] {
            b'\n' | b'\r' => return String::from_utf8(bytes).ok(),
            0x03 => return None,
            _ if bytes.len() > BYTES_MAX => return None,
            other => bytes.push(other),
        }
    }
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::read;

    #[test]
    fn a_file_must_be_its_owners_alone_and_hold_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let with = |text: &str, mode| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            read("a", Some(&path)).map(|secret| secret.text().to_owned())
        };
        assert_eq!(with("p é\n", 0o600), Ok("p é".to_owned()));
        assert_eq!(with("p\r\n", 0o640), Ok("p".to_owned()));
        for (text, mode) in [
            ("p\n", 0o644),
            ("p\n", 0o620),
            ("", 0o600),
            ("a\nb\n", 0o600),
        ] {
            let error = with(text, mode).unwrap_err();
            assert!(!error.contains("a\nb"), "{error}");
        }
    }
}
