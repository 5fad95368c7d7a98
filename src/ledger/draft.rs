//! What is to be recorded. Whoever asks, it is held to what its channel may claim.

use std::time::Duration;

use jiff::Timestamp;

use super::channel::Channel;
use super::kinds::{Kind, Proof};
use super::newlink::NewLink;
use super::outgoing::Outgoing;
use super::person::Who;
use super::refused::Refused;

/// How far ahead of this clock an event may lie.
const AHEAD_MAX: Duration = Duration::from_secs(5 * 60);
/// Bytes of a text.
const TEXT_BYTES_MAX: usize = 300;
/// Bytes of the name of a purpose.
const PURPOSE_BYTES_MAX: usize = 100;
/// All purposes.
pub(super) const EVERY: &str = "*";

/// A text that the person was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownText {
    /// Its name in the policy.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of what was shown, in hexadecimal.
    pub sha256: String,
}

/// What is to be recorded.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Whom it is about.
    pub who: Who,
    /// The name of the purpose. Denials, lifts and notices may name all: `*`.
    pub purpose: String,
    /// What it says.
    pub kind: Kind,
    /// The way in which it came in.
    pub channel: Channel,
    /// How well it is proven.
    pub proof: Proof,
    /// Where it comes from: `website`, `fair-2026`.
    pub source: String,
    /// Who records it: a name of staff, of a key, of a file.
    pub by: String,
    /// When it happened. Default: now.
    pub at: Option<Timestamp>,
    /// The legal basis.
    pub basis: Option<String>,
    /// The text that the person was shown.
    pub text: Option<ShownText>,
    /// The language of that text.
    pub language: Option<String>,
    /// When it ends. Default: never of itself.
    pub expires: Option<Timestamp>,
    /// To whom data may go.
    pub recipient: Option<String>,
    /// For staff, where a denial stands: what shows that the person changed their mind.
    pub despite_denial: Option<String>,
    /// The name under which the same event is recorded once, however often it is asked.
    pub reference: Option<String>,
    /// Links that go to the person, good from when this is recorded.
    pub links: Vec<NewLink>,
    /// What is to be sent once this is recorded.
    pub outgoing: Vec<Outgoing>,
}

impl Draft {
    /// An event without what can be left out, and without proof.
    pub fn new(who: Who, purpose: &str, kind: Kind, channel: Channel) -> Self {
        Self {
            who,
            purpose: purpose.to_owned(),
            kind,
            channel,
            proof: Proof::None,
            source: String::new(),
            by: String::new(),
            at: None,
            basis: None,
            text: None,
            language: None,
            expires: None,
            recipient: None,
            despite_denial: None,
            reference: None,
            links: Vec::new(),
            outgoing: Vec::new(),
        }
    }

    /// Whether this may be recorded at all. [`super::Ledger::append`] asks it first; who imports many asks it of all of them
    /// before the first.
    pub fn check(&self, now: Timestamp) -> Result<(), Refused> {
        self.check_purpose()?;
        self.check_texts()?;
        self.channel
            .check(self.kind, self.proof, self.reference.is_some())?;
        if self.despite_denial.is_some()
            && !(matches!(self.channel, Channel::Staff) && self.kind.affirms())
        {
            return Err(Refused::Despite);
        }
        let latest = now.saturating_add(AHEAD_MAX).map_err(|_| Refused::Ahead)?;
        let at = self.at.unwrap_or(now);
        if at > latest {
            return Err(Refused::Ahead);
        }
        match self.expires.is_some_and(|expires| expires <= at) {
            true => Err(Refused::Expires),
            false => Ok(()),
        }
    }

    fn check_purpose(&self) -> Result<(), Refused> {
        if self.purpose == EVERY {
            return match self.kind.affirms() || self.kind == Kind::Requested {
                true => Err(Refused::Purpose),
                false => Ok(()),
            };
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let is_name =
            (1..=PURPOSE_BYTES_MAX).contains(&self.purpose.len()) && self.purpose.bytes().all(fits);
        match is_name {
            true => Ok(()),
            false => Err(Refused::Purpose),
        }
    }

    fn check_texts(&self) -> Result<(), Refused> {
        text("source", &self.source)?;
        no_address("source", &self.source)?;
        text("by", &self.by)?;
        let optional = [
            ("basis", &self.basis),
            ("language", &self.language),
            ("recipient", &self.recipient),
            ("despite-denial", &self.despite_denial),
            ("reference", &self.reference),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                text(name, value)?;
                no_address(name, value)?;
            }
        }
        if let Some(shown) = &self.text {
            for (name, value) in [
                ("text", &shown.id),
                ("text", &shown.version),
                ("text", &shown.sha256),
            ] {
                text(name, value)?;
                no_address(name, value)?;
            }
        }
        Ok(())
    }
}

/// Whether a text can be recorded.
fn text(name: &'static str, text: &str) -> Result<(), Refused> {
    let is_text = !text.trim().is_empty()
        && text.len() <= TEXT_BYTES_MAX
        && !text.chars().any(char::is_control);
    match is_text {
        true => Ok(()),
        false => Err(Refused::Text(name)),
    }
}

/// The ledger keeps no addresses, so what may be one is refused.
fn no_address(name: &'static str, text: &str) -> Result<(), Refused> {
    match text.contains(['@', '＠', '﹫']) {
        true => Err(Refused::Address(name)),
        false => Ok(()),
    }
}
