//! What stands for contents where they are only compared.

use std::fmt::{self, Write as _};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

/// A hash of contents (SHA-256): two that are the same are of the same contents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of several contents, in this order.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            // The length goes before each, so that no two lists of contents read the same.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        Self(hash)
    }

    /// Of a file; of why there is none, where it cannot be read.
    pub fn of_file(path: &Path, bytes_max: usize) -> Self {
        match super::read(path, bytes_max) {
            Ok(contents) => Self::of([b"file".as_slice(), &contents.bytes]),
            Err(error) => Self::of([b"none".as_slice(), super::words(&error).as_bytes()]),
        }
    }

    /// Of contents as one, as others name them: `sha256:…`.
    pub fn name(bytes: &[u8]) -> String {
        let hash = aws_lc_rs::digest::digest(&SHA256, bytes);
        let mut name = "sha256:".to_owned();
        for byte in hash.as_ref() {
            let _ = write!(name, "{byte:02x}");
        }
        name
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Fingerprint({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_contents_have_the_same_fingerprint() {
        let of = |parts: &[&str]| Fingerprint::of(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        for other in [["ab", ""], ["", "ab"], ["b", "a"], ["a", "c"]] {
            assert_ne!(of(&["a", "b"]), of(&other), "{other:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let missing = Fingerprint::of_file(&path, 10);
        std::fs::write(&path, "").unwrap();
        let empty = Fingerprint::of_file(&path, 10);
        assert_ne!(missing, empty);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(Fingerprint::of_file(&path, 10), missing);
    }
}
