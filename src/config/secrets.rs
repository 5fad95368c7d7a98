//! Reads secrets, from files or environment variables that the configuration names. None stands in the configuration.

use std::fmt;
use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Form, Keys, Node, Place, Spanned, everybody_may_write};

use super::read::{Reader, placed};
use super::{codes, files};

/// Bytes of a key that Paravent hashes with.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=4096;

/// A secret. Its `Debug` does not show it.
#[derive(Clone)]
pub struct Secret {
    bytes: Box<[u8]>,
    /// The file that it was read from, if it was one.
    file: Option<Spanned<PathBuf>>,
}

impl Secret {
    /// The secret itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file that it was read from, if it was one.
    pub fn file(&self) -> Option<&Spanned<PathBuf>> {
        self.file.as_ref()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a secret is for, and how to make one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// `the token key`.
    pub(super) what: &'static str,
    pub(super) help: &'static str,
}

impl Reader<'_> {
    /// A key that Paravent hashes with: `{ file: … }` or `{ env: … }`, of 16 to 4096 bytes.
    pub(super) fn key(&mut self, node: &Node, wanted: Wanted) -> Option<Secret> {
        self.key_of(node, wanted, *KEY_BYTES.start())
    }

    /// The same, of so many bytes at least. What would be shorter without the end of its line is a key of random bytes that
    /// happens to end so.
    pub(super) fn key_of(
        &mut self,
        node: &Node,
        wanted: Wanted,
        bytes_min: usize,
    ) -> Option<Secret> {
        const FORM: Form = Form {
            what: "a secret",
            known: &["file", "env"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let secret = self.secret_of(&keys, wanted, bytes_min)?;
        if !KEY_BYTES.contains(&secret.bytes.len()) {
            self.bad_secret(wanted, &node.place, "must hold 16 to 4096 bytes");
            return None;
        }
        Some(secret)
    }

    /// The secret that the keys `file` or `env` of a map name, without the end of its line. Its length is the caller's to
    /// check.
    pub(super) fn secret(&mut self, keys: &Keys<'_>, wanted: Wanted) -> Option<Secret> {
        self.secret_of(keys, wanted, 0)
    }

    fn secret_of(&mut self, keys: &Keys<'_>, wanted: Wanted, bytes_min: usize) -> Option<Secret> {
        let mut from = None;
        let bytes = match (keys.get("file"), keys.get("env")) {
            (Some(file), None) => {
                let path = self.path(file, "`file`")?;
                if everybody_may_write(&path) {
                    self.bad_secret(wanted, &file.place, "everybody may write this file");
                }
                self.reads_once(&path);
                match files::bytes(&path, KEY_BYTES.end() + 2) {
                    Ok(bytes) => {
                        from = Some(placed(path, file));
                        bytes
                    }
                    Err(error) => {
                        self.unreadable(wanted.what, &path, &file.place, &error);
                        return None;
                    }
                }
            }
            (None, Some(env)) => {
                let name = env.text("`env`", self.found)?;
                // A name that cannot be one would make the look-up panic on some systems.
                let valid = !name.value.is_empty() && !name.value.contains(['=', '\0']);
                match valid.then(|| std::env::var_os(name.value)).flatten() {
                    Some(value) => value.into_encoded_bytes(),
                    None => {
                        let label = "this environment variable is not set";
                        self.bad_secret(wanted, &name.place, label);
                        return None;
                    }
                }
            }
            _ => {
                self.bad_secret(wanted, keys.place(), "needs either `file` or `env`");
                return None;
            }
        };
        Some(Secret {
            bytes: without_line_end(&bytes, bytes_min).into(),
            file: from,
        })
    }

    /// Reports a secret that cannot be used.
    pub(super) fn bad_secret(&mut self, wanted: Wanted, place: &Place, label: &str) {
        let title = format!("{} cannot be used", wanted.what);
        self.found.push(
            Diagnostic::error(codes::BAD_KEY, title)
                .at(place, label)
                .help(wanted.help),
        );
    }
}

/// A secret without the end of its line; as it is, if only that makes it long enough, and it is no text that somebody wrote.
fn without_line_end(bytes: &[u8], bytes_min: usize) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_text = line.iter().all(|byte| matches!(byte, b' '..=b'~'));
    match line.len() < bytes_min && bytes.len() >= bytes_min && !is_text {
        true => bytes,
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_that_end_like_a_line_are_a_key() {
        let ending = |len: usize, end: &[u8]| [&vec![7; len - end.len()], end].concat();
        for end in [b"\n".as_slice(), b"\r", b"\r\n"] {
            let raw = ending(32, end);
            assert_eq!(without_line_end(&raw, 32), raw);
            // What was a key before is the same.
            let line = ending(32 + end.len(), end);
            assert_eq!(without_line_end(&line, 32), &line[..32]);
            let longer = ending(32, end);
            assert_eq!(without_line_end(&longer, 16), &longer[..32 - end.len()]);
        }
        assert_eq!(without_line_end(b"word\n", 0), b"word");
        assert_eq!(without_line_end(b"word\n", 32), b"word");
        // What somebody wrote is too short.
        assert_eq!(
            without_line_end(b"fifteen letters\n", 16),
            b"fifteen letters"
        );
    }
}
