//! The keys that sign checkpoints, and how the log says which one does.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tracing::warn;

use crate::files;

use super::checkpoints;
use super::event::Event;
use super::format::notice::Notice;
use super::identity::LogTree;
use super::note::{Checkpoint, NoteError, SigningKey, VerifierKey};

/// The folder of public keys, in that of the log.
pub(super) const KEYS: &str = "keys";
/// Bytes of a public key's file.
const PUBLIC_BYTES_MAX: usize = 4 << 10;

/// Keys that sign checkpoints: the first one does, the others vouch for the one that takes their place.
#[derive(Clone)]
pub struct SigningKeys(Arc<Vec<SigningKey>>);

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}

impl SigningKeys {
    /// Reads keys, each as its file holds it; `None` if there are none.
    ///
    /// # Errors
    /// If one is no key.
    pub fn read<'k>(lines: impl Iterator<Item = &'k [u8]>) -> Result<Option<Self>, NoteError> {
        let key = |line: &[u8]| {
            let line = std::str::from_utf8(line).map_err(|_| NoteError::NoSigningKey)?;
            SigningKey::parse(line)
        };
        let keys = lines.map(key).collect::<Result<Vec<_>, _>>()?;
        Ok((!keys.is_empty()).then(|| Self(Arc::new(keys))))
    }

    /// One key.
    pub fn one(key: SigningKey) -> Self {
        Self(Arc::new(vec![key]))
    }

    /// The public half of the one that signs; `None` only of no keys, which nobody can make.
    pub fn public(&self) -> Option<&VerifierKey> {
        self.0.first().map(SigningKey::public)
    }

    /// Signs a checkpoint.
    pub(super) fn sign(&self, checkpoint: &Checkpoint) -> Option<String> {
        Some(self.0.first()?.sign(&checkpoint.text()))
    }

    /// The public halves of all, and of those that the folder of a log keeps.
    pub(super) fn known(&self, dir: &Path) -> Vec<VerifierKey> {
        let mut known: Vec<VerifierKey> = self.0.iter().map(|key| key.public().clone()).collect();
        for entry in fs::read_dir(dir.join(KEYS)).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_public = path.extension().is_some_and(|ending| ending == "pub");
            let read = files::read(&path, PUBLIC_BYTES_MAX)
                .ok()
                .filter(|_| is_public);
            let text = read.and_then(|read| String::from_utf8(read.bytes).ok());
            let key = text.and_then(|text| VerifierKey::parse(&text).ok());
            known.extend(key.filter(|key| !known.contains(key)));
        }
        known
    }

    /// Keeps the public halves in the folder of the log, where they are not there yet.
    pub(super) fn keep_public(&self, dir: &Path) -> io::Result<()> {
        for key in self.0.iter().map(SigningKey::public) {
            let name = format!("{}.pub", key.id_text());
            checkpoints::keep(dir, KEYS, &name, &format!("{key}\n"))?;
        }
        Ok(())
    }

    /// The event that says that the first key signs from here on. The one before signs it, too, as long as it is among these.
    pub(super) fn notice(&self, origin: &str, previous: Option<&VerifierKey>) -> Option<Event> {
        let first = self.0.first()?;
        let key = first.public().to_string();
        let before = previous.map(VerifierKey::to_string);
        let text = key_text(origin, &key, before.as_deref());
        let vouching = previous.map(|previous| self.0.iter().find(|key| key.public() == previous));
        if let (Some(None), Some(before)) = (&vouching, &before) {
            warn!(
                key,
                previous = before,
                "the key that signed checkpoints of the access log before is not among `keys.audit`, so the new key alone says that it takes its place: whoever verifies must be given both by somebody"
            );
        }
        let signers = [Some(first), vouching.flatten()];
        let signatures = signers.into_iter().flatten();
        let signatures = signatures.map(|key| STANDARD.encode(key.signature(text.as_bytes())));
        Some(Event::notice(Notice::Key {
            key,
            previous: before,
            signatures: signatures.collect(),
        }))
    }

    /// Whether the log must say that the first key signs from here on, and which one did before: `stated` is what its last
    /// segment says.
    pub(super) fn due(
        &self,
        dir: &Path,
        origin: &str,
        stated: Option<&str>,
        goes_on: bool,
    ) -> Option<Previous> {
        let stated = stated.and_then(|line| VerifierKey::parse(line).ok());
        let known = self.known(dir);
        let signed = |of: Option<&str>| checkpoints::last_signed(dir, of, &known);
        let own = match (&stated, goes_on) {
            (Some(stated), true) => Some(stated.clone()),
            (_, true) => signed(Some(origin)),
            _ => None,
        };
        let last = own.clone().or(stated).or_else(|| signed(None));
        let is_same = |key: &VerifierKey| self.public() == Some(key);
        if own.as_ref().is_some_and(is_same) {
            return None;
        }
        Some(Previous(last.filter(|last| !is_same(last))))
    }
}

/// The key before, if there was another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Previous(pub(super) Option<VerifierKey>);

/// What is signed to say which key signs.
pub(super) fn key_text(origin: &str, key: &str, previous: Option<&str>) -> String {
    let previous = previous.unwrap_or_default();
    format!("paravent audit key\n{origin}\n{key}\n{previous}\n")
}

/// What a checkpoint of a log says that it is of.
pub(super) fn origin(tree: &LogTree, node: &str) -> String {
    format!("paravent/{}/{node}", tree.log())
}
