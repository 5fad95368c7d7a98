//! Which keys sign checkpoints, as the log itself says, and whom one has to trust for each of them.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::super::note::{NOTE_BYTES_MAX, VerifierKey};
use super::super::verdict::{KeyInForce, Tampering};
use super::event::Event;

/// The folder of public keys.
const KEYS: &str = "keys";

/// What `audit.key` tells.
#[derive(Deserialize)]
struct Told {
    key: String,
    previous: Option<String>,
    signatures: Vec<String>,
}

/// The keys that were met so far.
#[derive(Debug)]
pub(super) struct Keys {
    /// Given from outside, or named as its successor by one that counts.
    pub(super) counting: Vec<VerifierKey>,
    /// Of which only the folder knows.
    pub(super) local: Vec<VerifierKey>,
    in_force: Option<VerifierKey>,
    /// Keys with those that they follow, where both have signed so.
    successions: Vec<(VerifierKey, VerifierKey)>,
    /// All that were put in force.
    pub(super) notices: Vec<KeyInForce>,
}

impl Keys {
    pub(super) fn new(dir: &Path, given: &[VerifierKey]) -> Self {
        Self {
            counting: given.to_vec(),
            local: inside(dir).unwrap_or_default(),
            in_force: None,
            successions: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// The keys that were in force before one that counts, as that one itself has signed. Who trusts a key knows from it who came
    /// before, and need not trust that one.
    pub(super) fn before(&self) -> Vec<VerifierKey> {
        let mut before = Vec::new();
        for (key, previous) in self.successions.iter().rev() {
            let is_met = |key| self.counting.contains(key) || before.contains(key);
            if is_met(key) && !is_met(previous) {
                before.push(previous.clone());
            }
        }
        before
    }

    /// Checks an `audit.key` of an identity of the log.
    pub(super) fn check(&mut self, event: &Event<'_>, log: Option<&str>) -> Result<(), Tampering> {
        let log = log.ok_or(Tampering::KeyForged)?;
        let told: Told = event.tells().ok_or(Tampering::KeyForged)?;
        let read = |line: &str| VerifierKey::parse(line).map_err(|_| Tampering::KeyForged);
        let key = read(&told.key)?;
        let previous = told.previous.as_deref().map(read).transpose()?;
        let text = format!(
            "paravent audit key\nparavent/{log}/{}\n{}\n{}\n",
            event.node(),
            told.key,
            told.previous.as_deref().unwrap_or_default()
        );
        let has_signed = |signer: &VerifierKey, signature: &String| {
            let signature = STANDARD.decode(signature).unwrap_or_default();
            signer.has_signed(text.as_bytes(), &signature)
        };
        let is_vouched = match (told.signatures.as_slice(), &previous) {
            ([own], _) if has_signed(&key, own) => false,
            ([own, other], Some(previous)) => {
                let is_signed = has_signed(&key, own) && has_signed(previous, other);
                is_signed.then_some(true).ok_or(Tampering::KeyForged)?
            }
            _ => return Err(Tampering::KeyForged),
        };
        let is_another = self.in_force.as_ref().is_some_and(|one| *one != key);
        let is_unvouched = is_another && !is_vouched;
        if let Some(previous) = previous.filter(|_| is_vouched) {
            if self.counting.contains(&previous) && !self.counting.contains(&key) {
                self.counting.push(key.clone());
            }
            let succession = (key.clone(), previous);
            if !self.successions.contains(&succession) {
                self.successions.push(succession);
            }
        }
        self.notices.push(KeyInForce {
            seq: event.seq,
            name: key.name().to_owned(),
            id: key.id_text(),
            is_unvouched,
        });
        if !self.local.contains(&key) {
            self.local.push(key.clone());
        }
        self.in_force = Some(key);
        Ok(())
    }
}

/// Public keys in the folder of the log. Whatever else is there is of no meaning.
fn inside(dir: &Path) -> io::Result<Vec<VerifierKey>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir.join(KEYS))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "pub") && path.is_file() {
            let mut line = String::new();
            let file = fs::File::open(&path)?;
            let read = file.take(NOTE_BYTES_MAX as u64).read_to_string(&mut line);
            found.extend(read.ok().and_then(|_| VerifierKey::parse(&line).ok()));
        }
    }
    Ok(found)
}
