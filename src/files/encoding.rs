//! Text in UTF-8, or what else it is: a file that an editor saved in another encoding should say so.

/// A text that is not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUtf8 {
    /// The encoding that it most likely has, in words.
    pub encoding: &'static str,
    /// The same as `iconv` names it.
    pub from: &'static str,
    /// The first byte that is not of a text in UTF-8, counted from 0.
    pub at: usize,
    /// The text as it most likely reads, for showing; the bytes before `at` are the same in it.
    pub shown: Option<String>,
}

/// The first bytes of texts that begin with a mark of their encoding, longer marks first.
const MARKS: &[(&[u8], &str, &str)] = &[
    (&[0xff, 0xfe, 0, 0], "UTF-32", "UTF-32"),
    (&[0, 0, 0xfe, 0xff], "UTF-32", "UTF-32"),
    (&[0xff, 0xfe], "UTF-16", "UTF-16"),
    (&[0xfe, 0xff], "UTF-16", "UTF-16"),
];

/// The same by the zeros around a first character of ASCII.
const ZEROS: &[([bool; 4], &str, &str)] = &[
    ([false, true, true, true], "UTF-32", "UTF-32LE"),
    ([true, true, true, false], "UTF-32", "UTF-32BE"),
    ([false, true, false, true], "UTF-16", "UTF-16LE"),
    ([true, false, true, false], "UTF-16", "UTF-16BE"),
];

/// The mark of UTF-8, which means nothing.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The text of a file in UTF-8, without a mark at its beginning.
pub fn text(bytes: Vec<u8>) -> Result<String, NotUtf8> {
    if let Some((encoding, from)) = wide(&bytes) {
        return Err(NotUtf8 {
            encoding,
            from,
            at: 0,
            shown: None,
        });
    }
    let bytes = match bytes.strip_prefix(MARK) {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        narrow(error.as_bytes(), at)
    })
}

/// An encoding whose characters have two or four bytes.
fn wide(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let marked = MARKS.iter().find(|(mark, ..)| bytes.starts_with(mark));
    if let Some((_, encoding, from)) = marked {
        return Some((encoding, from));
    }
    let first = bytes.first_chunk::<4>()?.map(|byte| byte == 0);
    let zeros = ZEROS.iter().find(|(zeros, ..)| *zeros == first);
    zeros.map(|(_, encoding, from)| (*encoding, *from))
}

/// An encoding whose characters have one byte, at least where the text is not UTF-8.
fn narrow(bytes: &[u8], at: usize) -> NotUtf8 {
    let is_windows = |byte: &u8| (0x80..=0x9f).contains(byte);
    let mut stray = bytes.utf8_chunks().flat_map(|chunk| chunk.invalid());
    // Where Latin-1 has control characters that nobody types, Windows has quotes and dashes.
    let (encoding, from) = if stray.any(is_windows) {
        ("Windows-1252", "WINDOWS-1252")
    } else {
        ("Latin-1 (ISO 8859-1)", "ISO-8859-1")
    };
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        shown.push_str(chunk.valid());
        shown.extend(chunk.invalid().iter().map(|byte| match byte {
            byte if is_windows(byte) => char::REPLACEMENT_CHARACTER,
            byte => char::from(*byte),
        }));
    }
    NotUtf8 {
        encoding,
        from,
        at,
        shown: Some(shown),
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn texts_in_utf_8_are_read_with_and_without_a_mark() {
        assert_eq!(text(b"a: \xc3\xa9".to_vec()).unwrap(), "a: é");
        assert_eq!(text(b"\xef\xbb\xbfa: 1".to_vec()).unwrap(), "a: 1");
        assert_eq!(text(Vec::new()).unwrap(), "");
    }

    #[test]
    fn other_encodings_are_told_by_name() {
        let utf16 = |order: fn(u16) -> [u8; 2], mark: bool| {
            let units = mark.then_some(0xfeff).into_iter();
            let units = units.chain("policy: p\n".encode_utf16());
            units.flat_map(order).collect::<Vec<u8>>()
        };
        let utf32: Vec<u8> = "a: b"
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect();
        for (bytes, from) in [
            (utf16(u16::to_le_bytes, true), "UTF-16"),
            (utf16(u16::to_be_bytes, true), "UTF-16"),
            (utf16(u16::to_le_bytes, false), "UTF-16LE"),
            (utf16(u16::to_be_bytes, false), "UTF-16BE"),
            (utf32, "UTF-32LE"),
            (b"why: donn\xe9es\n".to_vec(), "ISO-8859-1"),
            (b"why: \x93donn\xe9es\x94\n".to_vec(), "WINDOWS-1252"),
        ] {
            assert_eq!(text(bytes.clone()).unwrap_err().from, from, "{bytes:?}");
        }
        let latin = text(b"why: donn\xe9es\n".to_vec()).unwrap_err();
        assert_eq!(
            (latin.at, latin.shown.as_deref()),
            (9, Some("why: données\n"))
        );
    }
}
