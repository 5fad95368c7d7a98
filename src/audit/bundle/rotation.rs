//! Keys that took the place of others: whoever has the first one can follow them to the one that signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::super::note::VerifierKey;
use super::super::signing::key_text;

/// How the event is called that says which key signs.
pub(super) const KEY: &str = "audit.key";

/// What it says.
#[derive(Debug, Deserialize)]
pub(super) struct SaysKey {
    node: String,
    key: String,
    previous: Option<String>,
    signatures: Vec<String>,
}

/// A key in the place of another one, which says so itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rotation {
    pub(super) key: VerifierKey,
    pub(super) previous: VerifierKey,
}

impl SaysKey {
    /// The rotation that an event of a log tells of; `None` if there was no key before, or not both keys have signed it.
    pub(super) fn rotation(&self, log: &str) -> Option<Rotation> {
        let before = self.previous.as_deref()?;
        let rotation = Rotation {
            key: VerifierKey::parse(&self.key).ok()?,
            previous: VerifierKey::parse(before).ok()?,
        };
        let origin = format!("paravent/{log}/{}", self.node);
        let text = key_text(&origin, &self.key, Some(before));
        let has_signed = |key: &VerifierKey, signature: &String| {
            let signature = STANDARD.decode(signature).unwrap_or_default();
            key.has_signed(text.as_bytes(), &signature)
        };
        let [own, other] = self.signatures.as_slice() else {
            return None;
        };
        let is_signed = has_signed(&rotation.key, own) && has_signed(&rotation.previous, other);
        is_signed.then_some(rotation)
    }
}

/// Keys that were given, and those that took their place, in the order in which they did.
pub(super) fn followed(given: &[VerifierKey], rotations: &[Rotation]) -> Vec<VerifierKey> {
    let mut counting = given.to_vec();
    for rotation in rotations {
        if counting.contains(&rotation.previous) && !counting.contains(&rotation.key) {
            counting.push(rotation.key.clone());
        }
    }
    counting
}
