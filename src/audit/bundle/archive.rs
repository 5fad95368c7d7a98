//! The ZIP that a bundle is: files stored one behind the other, without compression and without anything else.
//!
//! A bundle has no byte whose value is not given: the headers follow from names, sizes and checksums, and what holds them
//! otherwise is none. So nothing in it can hide, and reading one needs no more memory than its list of files.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;

use aws_lc_rs::digest::{Context, SHA256};
use flate2::Crc;

/// Files of one bundle.
pub(super) const FILES_MAX: usize = 10_000;
/// Bytes of one bundle: what a ZIP without extensions holds.
pub(super) const BYTES_MAX: u64 = u32::MAX as u64;
/// Characters of a name.
const NAME_CHARS_MAX: usize = 120;
/// Bytes that are copied at a time.
const CHUNK_BYTES: usize = 1 << 16;

/// Bytes of the list of files.
const LIST_BYTES_MAX: u64 = 4 << 20;

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";
const LOCAL_BYTES: u64 = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: u64 = 22;
/// 1 January 1980: the earliest day that a ZIP can say.
const DAY: u16 = 0x21;
/// A regular file that its owner may write and everybody read, as Unix says it.
const RIGHTS: u32 = 0o100_644 << 16;

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Where its bytes begin.
    start: u64,
    pub(super) bytes: u32,
    crc: u32,
}

impl Entry {
    /// Version, flags, method, time, day, checksum, sizes and the length of the name: what both headers say.
    fn told(&self) -> Vec<u8> {
        let mut told = Vec::with_capacity(26);
        for number in [10, 0, 0, 0, DAY] {
            told.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.crc, self.bytes, self.bytes] {
            told.extend_from_slice(&number.to_le_bytes());
        }
        // Names are short.
        told.extend_from_slice(&(self.name.len() as u16).to_le_bytes());
        told.extend_from_slice(&[0, 0]);
        told
    }

    fn local(&self) -> Vec<u8> {
        [LOCAL, self.told().as_slice(), self.name.as_bytes()].concat()
    }

    fn central(&self) -> Vec<u8> {
        let mut header = CENTRAL.to_vec();
        header.extend_from_slice(&0x0314_u16.to_le_bytes());
        header.extend_from_slice(&self.told());
        header.extend_from_slice(&[0; 6]);
        header.extend_from_slice(&RIGHTS.to_le_bytes());
        let offset = self.start - LOCAL_BYTES - self.name.len() as u64;
        header.extend_from_slice(&u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes());
        header.extend_from_slice(self.name.as_bytes());
        header
    }
}

fn end(files: usize, bytes: usize, start: u64) -> Vec<u8> {
    let files = u16::try_from(files).unwrap_or(u16::MAX).to_le_bytes();
    let mut end = [END, &[0; 4][..], &files, &files].concat();
    end.extend_from_slice(&u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes());
    end.extend_from_slice(&u32::try_from(start).unwrap_or(u32::MAX).to_le_bytes());
    end.extend_from_slice(&[0, 0]);
    end
}

/// Whether a file of a bundle may have a name: parts of small letters, digits, `.`, `_` and `-`, with `/` between them.
pub(super) fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
    };
    name.len() <= NAME_CHARS_MAX && name.split('/').all(is_part)
}

/// The files of a bundle.
#[derive(Debug)]
pub(super) struct Files {
    file: File,
    pub(super) entries: Vec<Entry>,
}

impl Files {
    /// The place of a file among the others.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The bytes of a file, as they come.
    pub(super) fn reader(&self, entry: &Entry) -> Stored<'_> {
        Stored {
            file: &self.file,
            at: entry.start,
            end: entry.start + u64::from(entry.bytes),
        }
    }

    /// All bytes of a small file.
    pub(super) fn read(&self, entry: &Entry, bytes_max: u32) -> io::Result<Option<Vec<u8>>> {
        if entry.bytes > bytes_max {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.reader(entry).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// The SHA-256 of a file, in hexadecimal, and whether its checksum is right.
    pub(super) fn hash(&self, entry: &Entry) -> io::Result<(String, bool)> {
        let (mut reader, mut chunk) = (self.reader(entry), vec![0; CHUNK_BYTES]);
        let (mut hash, mut crc) = (Context::new(&SHA256), Crc::new());
        loop {
            let read = reader.read(&mut chunk)?;
            let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            hash.update(bytes);
            crc.update(bytes);
        }
        Ok((super::hex(hash.finish().as_ref()), crc.sum() == entry.crc))
    }
}

/// The bytes of one file, read where they lie.
#[derive(Debug)]
pub(super) struct Stored<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl Read for Stored<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.file.read_at(&mut buffer[..wanted], self.at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        Ok(read)
    }
}

/// A bundle that is being written.
#[derive(Debug)]
pub(super) struct Writer {
    out: BufWriter<File>,
    files: Files,
    /// Where the next header begins.
    at: u64,
}

impl Writer {
    /// Writes to an empty file, which is also read.
    pub(super) fn new(file: File) -> io::Result<Self> {
        Ok(Self {
            out: BufWriter::with_capacity(CHUNK_BYTES, file.try_clone()?),
            files: Files {
                file,
                entries: Vec::new(),
            },
            at: 0,
        })
    }

    /// What was written so far.
    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// Adds a file, which `fill` writes.
    pub(super) fn add(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let is_taken = self.files.entry(name).is_some();
        if !is_name(name) || is_taken || self.files.entries.len() >= FILES_MAX {
            return Err(io::Error::other(format!(
                "`{name}` finds no place in a bundle"
            )));
        }
        let mut entry = Entry {
            name: name.to_owned(),
            start: self.at + LOCAL_BYTES + name.len() as u64,
            bytes: 0,
            crc: 0,
        };
        self.out.write_all(&entry.local())?;
        let mut counted = Counted {
            out: &mut self.out,
            crc: Crc::new(),
            bytes: 0,
            room: BYTES_MAX.saturating_sub(entry.start + LIST_BYTES_MAX),
        };
        fill(&mut counted)?;
        (entry.crc, self.at) = (counted.crc.sum(), entry.start + counted.bytes);
        entry.bytes = u32::try_from(counted.bytes).map_err(|_| too_large())?;
        let start = entry.start - LOCAL_BYTES - name.len() as u64;
        self.out.seek(SeekFrom::Start(start))?;
        self.out.write_all(&entry.local())?;
        self.out.seek(SeekFrom::Start(self.at))?;
        self.files.entries.push(entry);
        Ok(())
    }

    /// Adds a small file.
    pub(super) fn add_bytes(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.add(name, |out| out.write_all(bytes))
    }

    /// Ends it, on disk.
    pub(super) fn finish(mut self) -> io::Result<File> {
        let headers: Vec<u8> = self.files.entries.iter().flat_map(Entry::central).collect();
        let end = end(self.files.entries.len(), headers.len(), self.at);
        self.out.write_all(&headers)?;
        self.out.write_all(&end)?;
        let file = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(file)
    }
}

fn too_large() -> io::Error {
    io::Error::other("a bundle holds at most 4 GiB: ask for less, such as a shorter time")
}

/// Counts what is written.
struct Counted<'o> {
    out: &'o mut BufWriter<File>,
    crc: Crc,
    bytes: u64,
    room: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes + bytes.len() as u64 > self.room {
            return Err(too_large());
        }
        let written = self.out.write(bytes)?;
        self.crc.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why a file is not read as a bundle.
#[derive(Debug)]
pub(super) enum NoArchive {
    /// The system does not give it.
    Unreadable(io::Error),
    /// It is no ZIP at all.
    NoZip,
    /// It is a ZIP, but not as bundles are made.
    Odd(String),
}

impl From<io::Error> for NoArchive {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// Takes a bundle apart, and believes nothing: each header must be what its file demands.
pub(super) fn open(file: File) -> Result<Files, NoArchive> {
    let odd = |what: &str| NoArchive::Odd(what.to_owned());
    let length = file.metadata()?.len();
    let mut first = [0; 4];
    let begins = length >= 4 && file.read_exact_at(&mut first, 0).is_ok() && first == *LOCAL;
    let Some(end_at) = length.checked_sub(END_BYTES) else {
        return Err(NoArchive::NoZip);
    };
    let mut last = [0; END_BYTES as usize];
    file.read_exact_at(&mut last, end_at)?;
    let ends = last.starts_with(END);
    if !ends {
        return Err(match begins {
            true => odd("the end of the ZIP is missing, or something was added behind it"),
            false => NoArchive::NoZip,
        });
    }
    if length > BYTES_MAX {
        return Err(odd("it is larger than a bundle can be"));
    }
    let (files, bytes, start) = (
        usize::from(u16::from_le_bytes([last[10], last[11]])),
        u32::from_le_bytes([last[12], last[13], last[14], last[15]]),
        u64::from(u32::from_le_bytes([last[16], last[17], last[18], last[19]])),
    );
    if files > FILES_MAX || bytes as usize > FILES_MAX * (CENTRAL_BYTES + NAME_CHARS_MAX) {
        return Err(odd("it lists more files than a bundle can hold"));
    }
    if start + u64::from(bytes) != end_at || last != *end(files, bytes as usize, start) {
        return Err(odd("its list of files does not stand where it should"));
    }
    let mut list = vec![0; bytes as usize];
    file.read_exact_at(&mut list, start)?;
    let entries = entries(&list, files)?;
    let mut at = 0;
    for entry in &entries {
        let local = entry.local();
        let mut found = vec![0; local.len()];
        if entry.start != at + local.len() as u64 || entry.start + u64::from(entry.bytes) > start {
            return Err(odd(&format!(
                "`{}` does not stand where it should",
                entry.name
            )));
        }
        file.read_exact_at(&mut found, at)?;
        if found != local {
            return Err(odd(&format!(
                "what stands before `{}` is not what the list of files says",
                entry.name
            )));
        }
        at = entry.start + u64::from(entry.bytes);
    }
    if at != start {
        return Err(odd("there is something between its files"));
    }
    Ok(Files { file, entries })
}

/// Reads the list of files.
fn entries(mut list: &[u8], files: usize) -> Result<Vec<Entry>, NoArchive> {
    let odd = |what: String| NoArchive::Odd(what);
    let (mut entries, mut names) = (Vec::new(), HashSet::new());
    for number in 1..=files {
        let Some((header, rest)) = list.split_first_chunk::<CENTRAL_BYTES>() else {
            return Err(odd("its list of files ends too early".to_owned()));
        };
        let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let long = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let name = rest.get(..usize::from(short(28)));
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let Some(name) = name.filter(|name| is_name(name)) else {
            return Err(odd(format!(
                "file {number} has a name that no file of a bundle has"
            )));
        };
        if short(8) & 1 == 1 {
            return Err(odd(format!("`{name}` is encrypted")));
        }
        if short(10) != 0 {
            return Err(odd(format!("`{name}` is compressed")));
        }
        let entry = Entry {
            name: name.to_owned(),
            start: u64::from(long(42)) + LOCAL_BYTES + name.len() as u64,
            bytes: long(24),
            crc: long(16),
        };
        let central = entry.central();
        let Some(after) = list.strip_prefix(central.as_slice()) else {
            return Err(odd(format!(
                "the list of files says of `{name}` what no bundle says"
            )));
        };
        if !names.insert(name.to_owned()) {
            return Err(odd(format!("two files are called `{name}`")));
        }
        entries.push(entry);
        list = after;
    }
    match list.is_empty() {
        true => Ok(entries),
        false => Err(odd("its list of files goes on behind the last".to_owned())),
    }
}
