//! Signed checkpoints: C2SP [`signed-note`] with the text of a [`tlog-checkpoint`], signed by Ed25519.
//!
//! ```text
//! paravent/LOGID/NODE
//! 4711
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — paravent Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```
//!
//! [`signed-note`]: https://c2sp.org/signed-note
//! [`tlog-checkpoint`]: https://c2sp.org/tlog-checkpoint

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hex::hex;

use super::tree::Hash;

/// The signature type of Ed25519, before keys and in what their ids are hashed from.
const ED25519_TYPE: u8 = 1;
/// How a signature line begins: an em dash and a space.
const SIGNATURE: &str = "\u{2014} ";
/// How a signing key's line begins.
const PRIVATE: &str = "PRIVATE+KEY+";
/// Bytes of a note that is looked at.
pub const NOTE_BYTES_MAX: usize = 16 << 10;
/// Signatures of a note that are looked at.
const SIGNATURES_MAX: usize = 100;

/// Why a key, a note or a checkpoint is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// No verifier key of this kind.
    #[error("is not a public key of the form `NAME+ID+KEY` (Ed25519)")]
    NoKey,
    /// No signing key of this kind.
    #[error("is not a signing key of the form `PRIVATE+KEY+NAME+ID+KEY` (Ed25519)")]
    NoSigningKey,
    /// No signed note.
    #[error("is not a signed note")]
    NoNote,
    /// The text of the note is no checkpoint.
    #[error("is a signed note, but not a checkpoint")]
    NoCheckpoint,
    /// None of the keys has signed it.
    #[error("is not signed by a key that was given")]
    Unsigned,
    /// It names a key that was given, and its signature is not that key's.
    #[error("bears a false signature")]
    Forged,
}

/// The public half of a signing key: `NAME+ID+KEY` on one line.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    public: Vec<u8>,
}

impl VerifierKey {
    fn new(name: &str, public: &[u8]) -> Self {
        let mut named = [name.as_bytes(), b"\n", &[ED25519_TYPE]].concat();
        named.extend_from_slice(public);
        let mut id = [0; 4];
        id.iter_mut()
            .zip(digest(&SHA256, &named).as_ref())
            .for_each(|(to, from)| *to = *from);
        Self {
            name: name.to_owned(),
            id,
            public: public.to_vec(),
        }
    }

    /// Reads what [`fmt::Display`] writes.
    ///
    /// # Errors
    /// If it is not of that form, or its id is not that of its key.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let (name, id, material) = parts(text.trim_end()).ok_or(NoteError::NoKey)?;
        let [ED25519_TYPE, public @ ..] = material.as_slice() else {
            return Err(NoteError::NoKey);
        };
        let key = Self::new(name, public);
        let is_sound = public.len() == 32 && key.id_text() == id;
        is_sound.then_some(key).ok_or(NoteError::NoKey)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id: eight hexadecimal digits.
    pub fn id_text(&self) -> String {
        hex(&self.id)
    }

    /// The SHA-256 of the public key, to compare by telephone: 64 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        hex(digest(&SHA256, &self.public).as_ref())
    }

    /// Whether a signature over a text is this key's.
    pub fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.public);
        key.verify(text, signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = [&[ED25519_TYPE], self.public.as_slice()].concat();
        write!(
            f,
            "{}+{}+{}",
            self.name,
            self.id_text(),
            STANDARD.encode(material)
        )
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// A key that signs: `PRIVATE+KEY+NAME+ID+KEY` on one line. Its `Debug` does not show it.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifierKey,
}

impl SigningKey {
    /// Makes a new key, and the line to keep it in.
    ///
    /// # Errors
    /// If the name cannot be one of a key, or the system has no random numbers.
    pub fn generate(name: &str) -> Result<(Self, String), NoteError> {
        if !is_name(name) {
            return Err(NoteError::NoSigningKey);
        }
        let mut seed = [0; 32];
        let filled = SystemRandom::new().fill(&mut seed);
        filled.map_err(|_| NoteError::NoSigningKey)?;
        let key = Self::from_seed(name, &seed)?;
        let material = [&[ED25519_TYPE], seed.as_slice()].concat();
        let line = format!(
            "{PRIVATE}{name}+{}+{}",
            key.public.id_text(),
            STANDARD.encode(material)
        );
        Ok((key, line))
    }

    /// Reads such a line.
    ///
    /// # Errors
    /// If it is not of that form, or its id is not that of its key.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let bare = text.trim_end().strip_prefix(PRIVATE);
        let (name, id, material) = bare.and_then(parts).ok_or(NoteError::NoSigningKey)?;
        let [ED25519_TYPE, seed @ ..] = material.as_slice() else {
            return Err(NoteError::NoSigningKey);
        };
        let key = Self::from_seed(name, seed)?;
        let is_sound = key.public.id_text() == id;
        is_sound.then_some(key).ok_or(NoteError::NoSigningKey)
    }

    fn from_seed(name: &str, seed: &[u8]) -> Result<Self, NoteError> {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteError::NoSigningKey)?;
        let public = VerifierKey::new(name, pair.public_key().as_ref());
        Ok(Self { pair, public })
    }

    /// Its public half.
    pub fn public(&self) -> &VerifierKey {
        &self.public
    }

    /// The bare signature of a text.
    pub fn signature(&self, text: &[u8]) -> Vec<u8> {
        self.pair.sign(text).as_ref().to_vec()
    }

    /// Makes a signed note of a text, which ends with a newline.
    pub fn sign(&self, text: &str) -> String {
        let signature = [&self.public.id, self.signature(text.as_bytes()).as_slice()].concat();
        format!(
            "{text}\n{SIGNATURE}{} {}\n",
            self.public.name,
            STANDARD.encode(signature)
        )
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

/// What a checkpoint says: the state of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: `paravent/LOGID/NODE`.
    pub origin: String,
    /// How many events its tree holds.
    pub size: u64,
    /// The root of that tree.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }

    /// Reads such a text. Lines behind the three are extensions, and of no meaning here.
    ///
    /// # Errors
    /// If it is not of that form.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        Self::read(text).ok_or(NoteError::NoCheckpoint)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let is_number = size == "0"
            || (!size.starts_with('0') && size.bytes().all(|byte| byte.is_ascii_digit()));
        let is_sound = !origin.is_empty() && is_number && lines.all(|line| !line.is_empty());
        is_sound.then_some(())?;
        Some(Self {
            origin: origin.to_owned(),
            size: size.parse().ok()?,
            root: STANDARD.decode(root).ok()?.try_into().ok()?,
        })
    }
}

/// A signed note that was taken apart; nothing of it is proved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl Note {
    /// Takes a note apart.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        Self::read(text).ok_or(NoteError::NoNote)
    }

    fn read(note: &str) -> Option<Self> {
        let is_text = |letter: char| letter == '\n' || !letter.is_control();
        (note.len() <= NOTE_BYTES_MAX && note.chars().all(is_text)).then_some(())?;
        let split = note.rfind("\n\n")?;
        let (text, signatures) = (note.get(..=split)?, note.get(split + 2..)?);
        let lines = signatures.strip_suffix('\n')?.split('\n');
        let signatures: Vec<_> = lines
            .take(SIGNATURES_MAX + 1)
            .map(Signature::read)
            .collect::<Option<_>>()?;
        (signatures.len() <= SIGNATURES_MAX).then(|| Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The text, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it bears signatures of other keys than another note does.
    pub(super) fn has_signatures_beside(&self, other: &Self) -> bool {
        let of = |one: &Signature, two: &Signature| one.name == two.name && one.id == two.id;
        let is_known = |one: &Signature| other.signatures.iter().any(|two| of(one, two));
        !self.signatures.iter().all(is_known)
    }

    /// Which of these keys has signed it. Signatures of other keys are of no meaning.
    ///
    /// # Errors
    /// If none has, or a signature is said to be of one of them and is not.
    pub fn signed_by<'k>(&self, keys: &'k [VerifierKey]) -> Result<&'k VerifierKey, NoteError> {
        let mut found = None;
        for signature in &self.signatures {
            let of = |key: &&VerifierKey| key.name == signature.name && key.id == signature.id;
            let Some(key) = keys.iter().find(of) else {
                continue;
            };
            if !key.has_signed(self.text.as_bytes(), &signature.bytes) {
                return Err(NoteError::Forged);
            }
            found = found.or(Some(key));
        }
        found.ok_or(NoteError::Unsigned)
    }
}

impl Signature {
    fn read(line: &str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        let (id, bytes) = bytes.split_first_chunk::<4>()?;
        (is_name(name) && !bytes.is_empty()).then(|| Self {
            name: name.to_owned(),
            id: *id,
            bytes: bytes.to_vec(),
        })
    }
}

/// Whether a key may have a name.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .contains(|letter: char| letter.is_whitespace() || letter == '+' || letter.is_control())
}

/// Name, id and key of `NAME+ID+KEY`.
fn parts(text: &str) -> Option<(&str, &str, Vec<u8>)> {
    let mut parts = text.splitn(3, '+');
    let (name, id, material) = (parts.next()?, parts.next()?, parts.next()?);
    is_name(name).then_some((name, id, STANDARD.decode(material).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let (key, line) = SigningKey::generate("paravent").unwrap();
        let public = key.public().to_string();
        assert_eq!(
            SigningKey::parse(&format!("{line}\n")).unwrap().public(),
            key.public()
        );
        assert_eq!(
            VerifierKey::parse(&format!("{public}\n")).unwrap(),
            *key.public()
        );
        let secret = line.splitn(5, '+').last().unwrap();
        assert!(secret.len() > 40 && !format!("{key:?}").contains(secret));
        for wrong in [
            "",
            "paravent",
            "paravent+00000000",
            &public.replace("paravent+", "paravent2+"),
            &public.replace('+', " "),
            &line,
            &public[..public.len() - 4],
        ] {
            assert_eq!(VerifierKey::parse(wrong), Err(NoteError::NoKey), "{wrong}");
        }
        assert_eq!(
            SigningKey::parse(&public).unwrap_err(),
            NoteError::NoSigningKey
        );
        for wrong in ["", "a b", "a+b", "a\nb"] {
            assert!(SigningKey::generate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_note_that_another_program_signed_is_read() {
        // The example of Go's golang.org/x/mod/sumdb/note.
        let key = VerifierKey::parse(
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        )
        .unwrap();
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let note = Note::parse(&format!("{text}\n\u{2014} PeterNeumann {signature}\n")).unwrap();
        assert_eq!(note.signed_by(std::slice::from_ref(&key)), Ok(&key));
        assert_eq!(Checkpoint::parse(note.text()), Err(NoteError::NoCheckpoint));
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_signed_and_not_otherwise() {
        let (key, _) = SigningKey::generate("paravent").unwrap();
        let (other, _) = SigningKey::generate("paravent").unwrap();
        let checkpoint = Checkpoint {
            origin: "paravent/00112233445566778899aabbccddeeff/par-1a".to_owned(),
            size: 4_711,
            root: [7; 32],
        };
        let signed = key.sign(&checkpoint.text());
        let note = Note::parse(&signed).unwrap();
        let keys = [other.public().clone(), key.public().clone()];
        assert_eq!(note.signed_by(&keys), Ok(key.public()));
        assert_eq!(Checkpoint::parse(note.text()), Ok(checkpoint.clone()));
        assert_eq!(note.signed_by(&keys[..1]), Err(NoteError::Unsigned));
        for place in 0..signed.len() {
            let mut bytes = signed.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            let read = Note::parse(&text)
                .and_then(|note| note.signed_by(&keys).map(|_| note.text().to_owned()));
            assert!(read.is_err(), "byte {place}: {text}");
        }
        for wrong in [
            "",
            "a\n",
            "a\n1\n",
            "a\n01\nAAAA\n",
            "a\n-1\nAAAA\n",
            "\n1\nAAAA\n",
            "a\n1\nAAAA\n",
        ] {
            assert_eq!(
                Checkpoint::parse(wrong),
                Err(NoteError::NoCheckpoint),
                "{wrong}"
            );
        }
    }
}
