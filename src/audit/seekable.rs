//! Compressed text of which a part can be read without the rest: the [seekable format] of zstd. Frames that can each be read
//! alone, and behind them a table that says how long each is, in a frame that other readers skip.
//!
//! Whatever a file says of itself is bounded before it is believed: a frame is read into a buffer of the size that the table
//! gives it, which is small, and must fill it.
//!
//! [seekable format]: https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::os::unix::fs::FileExt as _;

use super::chain::EVENT_BYTES_MAX;

/// Bytes of text from which a frame ends, at the next end of a line.
const FRAME_BYTES: usize = 1 << 20;
/// Bytes of text that a frame may hold.
const FRAME_BYTES_MAX: u32 = (FRAME_BYTES + EVENT_BYTES_MAX + 1) as u32;
/// Bytes that a frame may take in the file: what cannot be made smaller grows a little.
const FRAME_PACKED_MAX: u32 = FRAME_BYTES_MAX + (FRAME_BYTES_MAX >> 6);
/// Bytes of text of a whole file.
pub(super) const TEXT_BYTES_MAX: u64 = 1 << 30;
const FRAMES_MAX: u32 = 1 << 16;
/// A little slower than the fastest, and a tenth of the size.
const LEVEL: i32 = 3;

const SKIPPABLE: [u8; 4] = 0x184D_2A5E_u32.to_le_bytes();
const SEEKABLE: [u8; 4] = 0x8F92_EAB1_u32.to_le_bytes();
/// What begins a skippable frame, one entry of the table, and what ends the table.
const HEADER_BYTES: u64 = 8;
const ENTRY_BYTES: u64 = 8;
const CHECKED_ENTRY_BYTES: u64 = 12;
const FOOTER_BYTES: u64 = 9;

/// A part of the text, and where it lies in the file.
#[derive(Clone, Copy, Debug)]
struct Frame {
    at: u64,
    packed_bytes: u32,
    text_at: u64,
    text_bytes: u32,
}

/// The text of a compressed file.
#[derive(Debug)]
pub(super) struct Packed {
    file: File,
    frames: Vec<Frame>,
    /// The frame that is read next.
    next: usize,
    /// The text of the one before it, and how much of it was taken.
    text: Vec<u8>,
    taken: usize,
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Packed {
    /// Reads the table of a file, and nothing else of it.
    pub(super) fn open(file: File) -> io::Result<Self> {
        let frames = table(&file)?;
        Ok(Self {
            file,
            frames,
            next: 0,
            text: Vec::new(),
            taken: 0,
        })
    }

    /// How long the text is, as the table says.
    pub(super) fn text_bytes(&self) -> u64 {
        let last = self.frames.last();
        last.map_or(0, |frame| frame.text_at + u64::from(frame.text_bytes))
    }

    /// Goes on reading at a place of the text, or at its end if that comes before.
    pub(super) fn seek(&mut self, text_at: u64) -> io::Result<()> {
        let ends_before = |frame: &Frame| frame.text_at + u64::from(frame.text_bytes) <= text_at;
        self.next = self.frames.partition_point(ends_before);
        (self.text, self.taken) = (Vec::new(), 0);
        if let Some(frame) = self.frames.get(self.next).copied() {
            self.load(frame)?;
            self.taken = usize::try_from(text_at - frame.text_at).unwrap_or(usize::MAX);
        }
        Ok(())
    }

    fn load(&mut self, frame: Frame) -> io::Result<()> {
        let mut packed = vec![0; frame.packed_bytes as usize];
        self.file.read_exact_at(&mut packed, frame.at)?;
        let mut text = Vec::with_capacity(frame.text_bytes as usize);
        let unpacked = zstd::bulk::Decompressor::new()?.decompress_to_buffer(&packed, &mut text);
        if unpacked.is_err() || text.len() != frame.text_bytes as usize {
            return Err(damaged("a frame of it is not what was written"));
        }
        (self.text, self.taken) = (text, 0);
        self.next += 1;
        Ok(())
    }
}

impl BufRead for Packed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.taken >= self.text.len() {
            let Some(frame) = self.frames.get(self.next).copied() else {
                return Ok(&[]);
            };
            self.load(frame)?;
        }
        Ok(&self.text[self.taken..])
    }

    fn consume(&mut self, bytes: usize) {
        self.taken += bytes;
    }
}

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// The table at the end of a file: frames that follow each other from its beginning up to the table.
fn table(file: &File) -> io::Result<Vec<Frame>> {
    let file_bytes = file.metadata()?.len();
    let none = || damaged("it has no table of frames at its end");
    let footer_at = file_bytes.checked_sub(FOOTER_BYTES).ok_or_else(none)?;
    let mut footer = [0; FOOTER_BYTES as usize];
    file.read_exact_at(&mut footer, footer_at)?;
    let count = number(&footer[..4]);
    let descriptor = footer[4];
    if footer[5..] != SEEKABLE || descriptor & 0x7f != 0 {
        return Err(none());
    }
    let entry_bytes = match descriptor {
        0 => ENTRY_BYTES,
        _ => CHECKED_ENTRY_BYTES,
    };
    let entries_bytes = u64::from(count) * entry_bytes;
    let entries_at = footer_at.checked_sub(entries_bytes).ok_or_else(none)?;
    let table_at = entries_at.checked_sub(HEADER_BYTES).ok_or_else(none)?;
    let mut header = [0; HEADER_BYTES as usize];
    file.read_exact_at(&mut header, table_at)?;
    if header[..4] != SKIPPABLE || u64::from(number(&header[4..])) != entries_bytes + FOOTER_BYTES {
        return Err(none());
    }
    if count > FRAMES_MAX {
        return Err(damaged("it has more frames than any segment"));
    }
    let mut entries = vec![0; usize::try_from(entries_bytes).unwrap_or_default()];
    file.read_exact_at(&mut entries, entries_at)?;
    let (mut frames, mut at, mut text_at) = (Vec::new(), 0, 0);
    for entry in entries.chunks_exact(usize::try_from(entry_bytes).unwrap_or(1)) {
        let (packed_bytes, text_bytes) = (number(&entry[..4]), number(&entry[4..8]));
        if packed_bytes > FRAME_PACKED_MAX || text_bytes > FRAME_BYTES_MAX {
            return Err(damaged("a frame of it is larger than any that is written"));
        }
        frames.push(Frame {
            at,
            packed_bytes,
            text_at,
            text_bytes,
        });
        at += u64::from(packed_bytes);
        text_at += u64::from(text_bytes);
    }
    if at != table_at {
        return Err(damaged("its frames do not fill it"));
    }
    if text_at > TEXT_BYTES_MAX {
        return Err(damaged("it holds more than any segment"));
    }
    Ok(frames)
}

fn number(bytes: &[u8]) -> u32 {
    let bytes: [u8; 4] = bytes.try_into().unwrap_or_default();
    u32::from_le_bytes(bytes)
}

/// Compresses a text, frame by frame; `each` hears of every frame, and may break off.
///
/// # Errors
/// If it cannot be read or written, or holds more than a file may.
pub(super) fn pack(
    text: &mut impl BufRead,
    out: &mut impl Write,
    each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    // So that any reader notices a frame that is not what was written.
    compressor.set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(true))?;
    let (mut entries, mut text_bytes) = (Vec::new(), 0);
    loop {
        let frame = frame(text)?;
        if frame.is_empty() {
            break;
        }
        text_bytes += frame.len() as u64;
        if text_bytes > TEXT_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let packed = compressor.compress(&frame)?;
        out.write_all(&packed)?;
        for bytes in [packed.len(), frame.len()] {
            // Both are bounded far below.
            entries.extend(u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes());
        }
        each(&frame)?;
    }
    let count = entries.len() as u64 / ENTRY_BYTES;
    let size = entries.len() as u64 + FOOTER_BYTES;
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    out.write_all(&SKIPPABLE)?;
    out.write_all(&small(size))?;
    out.write_all(&entries)?;
    out.write_all(&small(count))?;
    out.write_all(&[0])?;
    out.write_all(&SEEKABLE)
}

/// What the next frame holds: whole lines, unless one is longer than any event.
fn frame(text: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut frame = Vec::new();
    text.by_ref()
        .take(FRAME_BYTES as u64)
        .read_to_end(&mut frame)?;
    if frame.len() == FRAME_BYTES && frame.last() != Some(&b'\n') {
        text.take(EVENT_BYTES_MAX as u64 + 1)
            .read_until(b'\n', &mut frame)?;
    }
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Seek as _, SeekFrom};

    use super::*;

    /// Some frames of lines that differ, and a torn end.
    fn text() -> Vec<u8> {
        let mut text = Vec::new();
        let mut number = 1_u32;
        while text.len() < 3 * FRAME_BYTES {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.extend(format!("{{\"seq\":{number}}}\n").repeat(7).into_bytes());
        }
        text.extend(b"{\"torn");
        text
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        pack(&mut &*text, &mut out, &mut |_| Ok(())).unwrap();
        out
    }

    fn open(bytes: &[u8]) -> io::Result<Packed> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Packed::open(file)
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut found = Vec::new();
        open(bytes)?.read_to_end(&mut found)?;
        Ok(found)
    }

    #[test]
    fn what_was_packed_is_read_whole_and_from_any_place() {
        for text in [text(), Vec::new(), b"\n".to_vec(), vec![b'x'; 7 << 20]] {
            let packed = packed(&text);
            assert!(read(&packed).unwrap() == text);
            let mut opened = open(&packed).unwrap();
            assert_eq!(opened.text_bytes(), text.len() as u64);
            for at in [
                0,
                1,
                FRAME_BYTES,
                FRAME_BYTES + 9,
                text.len(),
                text.len() + 9,
            ] {
                opened.seek(at as u64).unwrap();
                let mut rest = Vec::new();
                opened.read_to_end(&mut rest).unwrap();
                assert!(rest == text[at.min(text.len())..], "{at}");
            }
        }
    }

    #[test]
    fn frames_end_where_lines_end() {
        let mut frames = Vec::new();
        let mut each = |frame: &[u8]| {
            frames.push(frame.to_vec());
            Ok(())
        };
        pack(&mut &*text(), &mut Vec::new(), &mut each).unwrap();
        let (_, whole) = frames.split_last().unwrap();
        assert!(whole.len() >= 2);
        for frame in whole {
            assert!(frame.ends_with(b"}\n") && frame.len() < FRAME_BYTES + 100);
        }
    }

    #[test]
    fn any_reader_of_zstd_reads_the_frames_and_skips_the_table() {
        let (text, mut out) = (text(), Vec::with_capacity(4 << 20));
        let packed = packed(&text);
        zstd::bulk::Decompressor::new()
            .unwrap()
            .decompress_to_buffer(&packed, &mut out)
            .unwrap();
        assert!(out == text);
    }

    #[test]
    fn whatever_becomes_of_a_byte_or_of_the_end_is_an_error_or_the_same_text() {
        let text = b"{\"seq\":1}\n{\"seq\":2}\n".repeat(3);
        let whole = packed(&text);
        for at in 0..whole.len() {
            assert!(read(&whole[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                assert!(
                    read(&changed).map_or(true, |found| found == text),
                    "byte {at}, bit {bit}"
                );
            }
        }
        assert!(read(&[whole.clone(), b"more".to_vec()].concat()).is_err());
        assert!(read(&[b"more".to_vec(), whole].concat()).is_err());
    }

    #[test]
    fn what_would_unpack_to_more_than_it_may_is_refused() {
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], LEVEL).unwrap();
        for claimed in [u32::MAX, 64 << 20, FRAME_BYTES_MAX, 10, 0] {
            let mut file = bomb.clone();
            file.extend(SKIPPABLE);
            file.extend(17_u32.to_le_bytes());
            file.extend((bomb.len() as u32).to_le_bytes());
            file.extend(claimed.to_le_bytes());
            file.extend(1_u32.to_le_bytes());
            file.push(0);
            file.extend(SEEKABLE);
            assert_eq!(
                read(&file).unwrap_err().kind(),
                io::ErrorKind::InvalidData,
                "{claimed}"
            );
        }
        // Many small bombs, which are one together.
        let small = zstd::bulk::compress(&vec![0; FRAME_BYTES_MAX as usize], LEVEL).unwrap();
        let count = TEXT_BYTES_MAX.div_ceil(u64::from(FRAME_BYTES_MAX)) as u32 + 1;
        let mut file = small.repeat(count as usize);
        file.extend(SKIPPABLE);
        file.extend((count * 8 + 9).to_le_bytes());
        for _ in 0..count {
            file.extend((small.len() as u32).to_le_bytes());
            file.extend(FRAME_BYTES_MAX.to_le_bytes());
        }
        file.extend(count.to_le_bytes());
        file.push(0);
        file.extend(SEEKABLE);
        assert!(open(&file).is_err());
    }

    #[test]
    fn a_table_with_checksums_is_read_too() {
        let text = b"{\"seq\":1}\n";
        let frame = zstd::bulk::compress(text, LEVEL).unwrap();
        let mut file = frame.clone();
        file.extend(SKIPPABLE);
        file.extend(21_u32.to_le_bytes());
        file.extend((frame.len() as u32).to_le_bytes());
        file.extend((text.len() as u32).to_le_bytes());
        file.extend([7; 4]);
        file.extend(1_u32.to_le_bytes());
        file.push(0x80);
        file.extend(SEEKABLE);
        assert_eq!(read(&file).unwrap(), text);
    }

    #[test]
    fn a_file_that_shrinks_while_it_is_read_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, packed(&text())).unwrap();
        let mut opened = Packed::open(File::open(&path).unwrap()).unwrap();
        let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.set_len(100).unwrap();
        assert!(opened.read_to_end(&mut Vec::new()).is_err());
    }
}
