//! How one event is bound to the next, and how lines are read back.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use serde::Deserialize as _;
use serde_json::Value;

use super::canonical;
use super::folder::{packed_name, segment_name};
use super::format::{self, Stamp, Told, Version};
use super::seekable::Packed;
use super::tree::Hash;
use crate::files;
use crate::hex;

/// Bytes of one event. Lists inside of events are bounded so that none comes near.
pub(super) const EVENT_BYTES_MAX: usize = 4 << 20;

/// SHA-256(0x00 ‖ line): the hash that the next event carries, and the leaf of the Merkle tree over the log.
pub(super) fn leaf_hash(line: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context.update(line);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// The same as events spell it.
pub(super) fn leaf(line: &[u8]) -> String {
    spelled(&leaf_hash(line))
}

/// A hash as events spell it: `sha256:` and lower-case hexadecimal.
pub(super) fn spelled(hash: &Hash) -> String {
    let mut text = String::with_capacity(71);
    text.push_str("sha256:");
    hex::push(hash, &mut text);
    text
}

/// The hash that is spelled so, with `sha256:` or without; `None` if it is none.
pub(super) fn raw_hash(text: &str) -> Option<Hash> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).as_bytes();
    let mut hash = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(hash)
}

/// The newest event of a chain: its number and its hash. Written `4711:sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number; 0 of a chain without events.
    pub seq: u64,
    /// `sha256:` and the hash in lower-case hexadecimal.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl Head {
    /// Reads what [`fmt::Display`] writes; `sha256:` may be left out.
    pub fn parse(text: &str) -> Option<Self> {
        let (seq, hash) = text.split_once(':')?;
        let hash = hash.strip_prefix("sha256:").unwrap_or(hash);
        let hash = hash.to_ascii_lowercase();
        let is_hex = |byte: u8| byte.is_ascii_hexdigit();
        let is_number = !seq.is_empty() && seq.bytes().all(|byte| byte.is_ascii_digit());
        let is_hash = hash.len() == 64 && hash.bytes().all(is_hex);
        (is_number && is_hash).then_some(())?;
        Some(Self {
            seq: seq.parse().ok()?,
            hash: format!("sha256:{hash}"),
        })
    }

    /// The head of a chain without events.
    pub(super) fn start() -> Self {
        Self {
            seq: 0,
            hash: format!("sha256:{}", "0".repeat(64)),
        }
    }

    /// The head after one more event, whose leaf is this.
    pub(super) fn after(&self, leaf: &Hash) -> Self {
        Self {
            seq: self.seq + 1,
            hash: spelled(leaf),
        }
    }

    /// Whether an event follows this one.
    pub(super) fn precedes(&self, line: &Line) -> bool {
        line.seq == self.seq + 1 && line.prev == self.hash
    }
}

/// An event read back.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) seq: u64,
    pub(super) prev: String,
    /// When it was written, as it says.
    pub(super) time: String,
    pub(super) hash: String,
    pub(super) value: Value,
}

impl Line {
    /// Reads a line without its newline; `None` if it is not an event in canonical form.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let version = Version::deserialize(&value).ok()?;
        if !canonical::is_canonical_object(bytes, &mut |_, _| {}) || !format::is_known(version.v) {
            return None;
        }
        let Stamp {
            id,
            prev,
            seq,
            time,
        } = Stamp::deserialize(&value).ok()?;
        Some(Self {
            id: id.into_owned(),
            seq,
            prev: prev.into_owned(),
            time: time.into_owned(),
            hash: leaf(bytes),
            value,
        })
    }

    /// The head of the chain that ends here.
    pub(super) fn head(&self) -> Head {
        Head {
            seq: self.seq,
            hash: self.hash.clone(),
        }
    }

    /// What it says; `None` if it has not the form of its version.
    pub(super) fn told(&self) -> Option<Told> {
        Told::read(&self.value)
    }
}

/// The version of the format that a line is in, if it is a later one than this program reads.
pub(super) fn later_version(bytes: &[u8]) -> Option<u64> {
    let Version { v } = serde_json::from_slice(bytes).ok()?;
    (v > u64::from(format::VERSION)).then_some(v)
}

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With its newline.
    Newline,
    /// With the file.
    File,
    /// Not within the bound.
    TooLong,
}

/// The text of a segment, in whatever form it is kept.
#[derive(Debug)]
enum Text {
    Plain(BufReader<File>),
    /// With its name, for messages.
    Packed(Packed, String),
}

impl Text {
    /// While both are there, the plain one counts: the other one may not be whole yet. Never waits: what is no regular file is
    /// no segment, whatever its name.
    fn open(dir: &Path, first_seq: u64) -> io::Result<Self> {
        let plain = match files::open(&dir.join(segment_name(first_seq))) {
            Ok(file) => return Ok(Self::Plain(BufReader::with_capacity(1 << 16, file))),
            Err(error) => error,
        };
        let name = packed_name(first_seq);
        match files::open(&dir.join(&name)) {
            Ok(file) if plain.kind() == io::ErrorKind::NotFound => match Packed::open(file) {
                Ok(packed) => Ok(Self::Packed(packed, name)),
                Err(error) => Err(of_packed(&name, &error)),
            },
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(of_packed(&name, &error)),
            _ => Err(plain),
        }
    }

    fn length(&self) -> io::Result<u64> {
        match self {
            Self::Plain(reader) => Ok(reader.get_ref().metadata()?.len()),
            Self::Packed(packed, _) => Ok(packed.text_bytes()),
        }
    }

    fn seek(&mut self, offset_bytes: u64) -> io::Result<()> {
        match self {
            Self::Plain(reader) => reader.seek(SeekFrom::Start(offset_bytes)).map(|_| ()),
            Self::Packed(packed, name) => packed
                .seek(offset_bytes)
                .map_err(|error| of_packed(name, &error)),
        }
    }
}

/// An error of a compressed segment names it: whoever reads knows the plain name only.
fn of_packed(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("its compressed form `{name}` is damaged or cannot be read: {error}"),
    )
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.read(buffer),
            Self::Packed(packed, name) => {
                packed.read(buffer).map_err(|error| of_packed(name, &error))
            }
        }
    }
}

impl BufRead for Text {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain(reader) => reader.fill_buf(),
            Self::Packed(packed, name) => {
                packed.fill_buf().map_err(|error| of_packed(name, &error))
            }
        }
    }

    fn consume(&mut self, bytes: usize) {
        match self {
            Self::Plain(reader) => reader.consume(bytes),
            Self::Packed(packed, _) => packed.consume(bytes),
        }
    }
}

/// How long the text of a segment is, uncompressed.
pub(super) fn text_bytes(dir: &Path, first_seq: u64) -> io::Result<u64> {
    Text::open(dir, first_seq)?.length()
}

/// The last line of a segment, without its newline; `None` if it does not end with one.
pub(super) fn last_line(dir: &Path, first_seq: u64) -> io::Result<Option<Vec<u8>>> {
    let mut text = Text::open(dir, first_seq)?;
    let most = EVENT_BYTES_MAX as u64 + 2;
    text.seek(text.length()?.saturating_sub(most))?;
    let mut tail = Vec::new();
    text.take(most).read_to_end(&mut tail)?;
    if tail.pop() != Some(b'\n') {
        return Ok(None);
    }
    let start = memchr::memrchr(b'\n', &tail).map_or(0, |newline| newline + 1);
    Ok(Some(tail.split_off(start)))
}

/// The lines of a segment.
#[derive(Debug)]
pub(super) struct Lines {
    text: Text,
    /// The line last read, without its newline.
    pub(super) line: Vec<u8>,
    /// Where it began.
    pub(super) start_bytes: u64,
    /// Where the next one begins.
    pub(super) end_bytes: u64,
}

impl Lines {
    /// Those of the segment that begins with an event, in whatever form it is kept.
    pub(super) fn of_segment(dir: &Path, first_seq: u64) -> io::Result<Self> {
        Ok(Self {
            text: Text::open(dir, first_seq)?,
            line: Vec::new(),
            start_bytes: 0,
            end_bytes: 0,
        })
    }

    /// The same, from a place in the uncompressed text where a line begins. What stands before it is not read, but for at
    /// most some MiB of a compressed one.
    #[allow(dead_code, reason = "for readers that know places of events")]
    pub(super) fn at(dir: &Path, first_seq: u64, offset_bytes: u64) -> io::Result<Self> {
        let mut lines = Self::of_segment(dir, first_seq)?;
        lines.text.seek(offset_bytes)?;
        (lines.start_bytes, lines.end_bytes) = (offset_bytes, offset_bytes);
        Ok(lines)
    }

    /// Reads the next line; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<End>> {
        self.line.clear();
        let read = (&mut self.text)
            .take(EVENT_BYTES_MAX as u64 + 1)
            .read_until(b'\n', &mut self.line)?;
        self.start_bytes = self.end_bytes;
        self.end_bytes += read as u64;
        if read == 0 {
            return Ok(None);
        }
        Ok(Some(if self.line.pop_if(|byte| *byte == b'\n').is_some() {
            End::Newline
        } else if read > EVENT_BYTES_MAX {
            End::TooLong
        } else {
            End::File
        }))
    }
}

/// The next line that is an event.
pub(super) fn next_event(lines: &mut Lines) -> io::Result<Option<Line>> {
    while lines.next()?.is_some() {
        if let Some(line) = Line::read(&lines.line) {
            return Ok(Some(line));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_as_they_are_written() {
        let hash = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        let head = Head {
            seq: 4_711,
            hash: format!("sha256:{hash}"),
        };
        let upper = hash.to_uppercase();
        for text in [
            head.to_string(),
            format!("4711:{hash}"),
            format!("00000000000000004711:sha256:{hash}"),
            format!("4711:sha256:{upper}"),
        ] {
            assert_eq!(Head::parse(&text), Some(head.clone()), "{text}");
        }
        for text in [
            "",
            "4711",
            "4711:",
            "4711:sha256:6e34",
            &format!(":{hash}"),
            &format!("-1:{hash}"),
            &format!("4711:sha512:{hash}"),
            &format!("4711:{hash}0"),
            &format!("99999999999999999999:{hash}"),
        ] {
            assert_eq!(Head::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_leaf_is_that_of_rfc_6962() {
        // SHA-256 of one zero byte: the leaf of an empty entry in RFC 6962 and its test vectors.
        assert_eq!(
            leaf(b""),
            "sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
    }
}
