//! The file of API keys: JSON, in a version that is stated. `paravent key` writes it, `serve` only reads it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::spelling;

/// The version of the form that this program writes, and the only one that it reads.
pub(super) const VERSION: u64 = 1;
/// Bytes of the file.
pub(super) const FILE_BYTES_MAX: usize = 8 << 20;
/// Keys in the file, revoked ones among them.
pub(super) const KEYS_MAX: usize = 10_000;
/// Changes that the file tells of; the oldest are left out.
pub(super) const CHANGES_MAX: usize = 10_000;
/// Secrets of one key that are valid at once.
pub(super) const SECRETS_MAX: usize = 8;

/// Why a file of keys cannot be used. Says nothing of what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFile {
    /// It is not JSON of this form.
    #[error("it is not a file of keys (line {line})")]
    Form {
        /// Where.
        line: usize,
    },
    /// A later program has written it.
    #[error("it is in version {0}, and this program knows version {VERSION}")]
    Version(u64),
    /// Something in it contradicts itself.
    #[error("{0}")]
    Content(&'static str),
}

/// All keys, and what was done to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    version: u64,
    /// The keys, in the order in which they were made. None is ever taken out.
    pub keys: Vec<Key>,
    /// What was done to them, the oldest first.
    pub changes: Vec<Change>,
}

/// A key, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its name, which no other key ever has.
    pub name: String,
    /// The networks from which it is accepted. Never everybody.
    pub from: Vec<IpNet>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was revoked, for good.
    pub revoked: Option<Timestamp>,
    /// Its secrets, the newest last.
    pub secrets: Vec<Secret>,
}

/// What is kept of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The id in the key, which is no secret.
    pub id: String,
    /// The HMAC-SHA-256 of the whole key under `keys.api`, in base64.
    pub hmac: String,
    /// When it was made.
    pub created: Timestamp,
    /// From when it is not accepted any more.
    pub expires: Timestamp,
}

/// Something that was done to a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The id of the event that it becomes in the access log, so that it becomes one, and one only.
    pub event: String,
    /// When.
    pub time: Timestamp,
    /// What.
    pub what: What,
    /// The name of the key.
    pub name: String,
    /// The id of its newest secret then.
    pub key: String,
    /// Who: a user of the operating system.
    pub by: String,
}

/// What was done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// It was made.
    Created,
    /// It got a new secret.
    Rotated,
    /// It was revoked.
    Revoked,
}

/// How a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is accepted.
    Valid,
    /// Its newest secret has expired.
    Expired,
    /// It was revoked.
    Revoked,
}

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl File {
    /// A file without a key.
    pub fn new() -> Self {
        Self {
            version: VERSION,
            keys: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Reads a file, as a whole or not at all.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadFile> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let form = |error: serde_json::Error| BadFile::Form { line: error.line() };
        let Versioned { version } = serde_json::from_slice(bytes).map_err(form)?;
        if version != VERSION {
            return Err(BadFile::Version(version));
        }
        let file: Self = serde_json::from_slice(bytes).map_err(form)?;
        file.check().map_err(BadFile::Content)?;
        Ok(file)
    }

    /// The file as it is written.
    pub fn written(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn check(&self) -> Result<(), &'static str> {
        let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
        if self.keys.len() > KEYS_MAX {
            return Err("it holds too many keys");
        }
        for key in &self.keys {
            if !is_name(&key.name) {
                return Err("a name in it is not one of a key");
            }
            if !names.insert(&key.name) {
                return Err("two keys in it have one name");
            }
            if !are_networks(&key.from) {
                return Err("a key in it is accepted from nowhere, or from everywhere");
            }
            if !(1..=SECRETS_MAX).contains(&key.secrets.len()) {
                return Err("a key in it has no secret, or too many");
            }
            for secret in &key.secrets {
                if !spelling::is_id(&secret.id) || secret.tag().is_none() {
                    return Err("what it keeps of a secret is not understood");
                }
                if !ids.insert(&secret.id) {
                    return Err("two secrets in it have one id");
                }
            }
        }
        let is_event = |id: &str| {
            let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            id.len() == EVENT_CHARACTERS && id.bytes().all(fits)
        };
        if !self.changes.iter().all(|change| is_event(&change.event)) {
            return Err("a change in it has no id of an event");
        }
        let mut events = BTreeSet::new();
        if !self
            .changes
            .iter()
            .all(|change| events.insert(&change.event))
        {
            return Err("two changes in it are one event");
        }
        Ok(())
    }
}

impl Default for File {
    fn default() -> Self {
        Self::new()
    }
}

impl Key {
    /// Its newest secret.
    pub fn newest(&self) -> Option<&Secret> {
        self.secrets.last()
    }

    /// How it stands.
    pub fn state(&self, now: Timestamp) -> State {
        if self.revoked.is_some() {
            return State::Revoked;
        }
        match self.newest() {
            Some(newest) if now < newest.expires => State::Valid,
            _ => State::Expired,
        }
    }

    /// Whether it is accepted from an address.
    pub fn is_from(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.from.iter().any(|network| network.contains(&peer))
    }
}

impl Secret {
    /// The HMAC.
    pub(super) fn tag(&self) -> Option<[u8; 32]> {
        STANDARD.decode(&self.hmac).ok()?.try_into().ok()
    }

    /// How a HMAC is written.
    pub(super) fn spelled(tag: &[u8]) -> String {
        STANDARD.encode(tag)
    }
}

/// Whether a text may name a key: as names of the configuration, so that logs and policies can carry it.
pub fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=NAME_CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(fits)
}

/// Whether these are networks, and neither none nor everybody.
pub fn are_networks(networks: &[IpNet]) -> bool {
    let all = IpNet::aggregate(&networks.to_vec());
    !networks.is_empty()
        && all.iter().all(|network| network.prefix_len() > 0)
        && networks.iter().all(|network| network.trunc() == *network)
}

const NAME_CHARACTERS_MAX: usize = 100;
const EVENT_CHARACTERS: usize = 26;
