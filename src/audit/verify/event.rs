//! One line, read once and no more of it than its place in the log.

use std::borrow::Cow;

use aws_lc_rs::digest::{Context, SHA256};
use serde::Deserialize;

use super::super::canonical;
use super::super::expand::Segment;
use super::super::format::{self, Told};
use super::super::tree::Hash;
use super::super::verdict::Tampering;

/// The number and the leaf of an event; number 0 and zeros before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) leaf: Hash,
}

impl Link {
    /// Whether an event follows this one.
    pub(super) fn precedes(&self, event: &Event<'_>) -> bool {
        event.seq == self.seq + 1 && event.prev == Some(self.leaf)
    }
}

/// An event in canonical form. What it says of itself stands here as it is written, with its escapes.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) seq: u64,
    /// The leaf of the event before it; `None` if it is not written as one.
    pub(super) prev: Option<Hash>,
    pub(super) leaf: Hash,
    id: &'a [u8],
    time: &'a [u8],
    node: Option<&'a [u8]>,
    /// Of a notice: its name.
    name: Option<&'a [u8]>,
    version: u64,
}

/// What an event is about, as far as the whole log hangs on it.
pub(super) enum About {
    /// A request, which it opens, closes or goes on with.
    Request(format::Phase),
    /// Anything else.
    Notice,
}

impl<'a> Event<'a> {
    /// Reads a line without its newline; `None` if it is not an event in canonical form.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (mut seq, mut version) = (None, None);
        let (mut prev, mut id, mut time) = (None, None, None);
        let (mut node, mut name) = (None, None);
        let is_canonical = canonical::is_canonical_object(bytes, &mut |key, value| match key {
            b"event" => name = Some(value),
            b"id" => id = quoted(value),
            b"node" => node = quoted(value),
            b"prev" => prev = quoted(value),
            b"seq" => seq = number(value),
            b"time" => time = quoted(value),
            b"v" => version = number(value),
            _ => {}
        });
        if !is_canonical {
            return None;
        }
        Some(Self {
            bytes,
            seq: seq?,
            prev: leaf_of(prev?),
            leaf: leaf(bytes),
            id: id?,
            time: time?,
            node,
            name,
            version: version.filter(|version| format::is_known(*version))?,
        })
    }

    pub(super) fn link(&self) -> Link {
        Link {
            seq: self.seq,
            leaf: self.leaf,
        }
    }

    /// The name of a notice, as it is written.
    pub(super) fn name(&self) -> Option<&'a [u8]> {
        self.name.and_then(quoted)
    }

    /// When it was written, as it says, with its escapes.
    pub(super) fn time(&self) -> &'a [u8] {
        self.time
    }

    pub(super) fn id(&self) -> Cow<'a, str> {
        text(self.id)
    }

    /// Who wrote it.
    pub(super) fn node(&self) -> Cow<'a, str> {
        text(self.node.unwrap_or_default())
    }

    /// What a notice tells; `None` if it does not tell so.
    pub(super) fn tells<T: Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_slice(self.bytes).ok()
    }

    /// Checks its form, and its terms against those that its segment has said so far.
    pub(super) fn check(&self, terms: &mut Segment) -> Result<About, Tampering> {
        self.node.ok_or(Tampering::Malformed)?;
        let told = Told::of_line(self.bytes, self.name.map(quoted), self.version);
        let told = told.ok_or(Tampering::Malformed)?;
        terms.check(&told)?;
        Ok(match told {
            Told::Full(request) => About::Request(request.phase),
            Told::Brief(request) => About::Request(request.phase),
            Told::Terms(_) | Told::Notice(_) => About::Notice,
        })
    }
}

/// SHA-256(0x00 ‖ line).
pub(super) fn leaf(line: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context.update(line);
    let mut leaf = [0; 32];
    leaf.copy_from_slice(context.finish().as_ref());
    leaf
}

/// The leaf that `prev` names.
fn leaf_of(prev: &[u8]) -> Option<Hash> {
    from_hex(prev.strip_prefix(b"sha256:")?)
}

/// Reads 64 lower-case hexadecimal digits.
pub(super) fn from_hex(digits: &[u8]) -> Option<Hash> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut hash = [0; 32];
    let (pairs, rest) = digits.as_chunks::<2>();
    (pairs.len() == hash.len() && rest.is_empty()).then_some(())?;
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(hash)
}

/// What stands between the quotes of a string; `None` if it is none.
fn quoted(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// What a string means.
pub(super) fn text(quoted: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(quoted) {
        Ok(text) if !quoted.contains(&b'\\') => Cow::Borrowed(text),
        _ => Cow::Owned(canonical::meant(quoted).unwrap_or_default()),
    }
}

fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
