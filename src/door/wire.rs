//! Reads along with hyper what an HTTP/1 caller sends, and tells whether it has exactly one reading.
//!
//! hyper forgives: bare line feeds, a fragment in the target, a length beside `chunked`, white space behind a chunk's
//! size, blank lines before a request. Another program on the way may read such bytes differently, and then the two
//! disagree about where a request ends (RFC 9112 section 11.2). What hyper makes of them no longer shows it, so the
//! bytes themselves are looked at. Requests that are in doubt are refused, and their connection ends.

/// What a connection's bytes have been so far.
#[derive(Debug, Default)]
pub struct Wire {
    place: Place,
    /// The head that has begun.
    head: Vec<u8>,
    /// HTTP/2 can no longer begin.
    is_http1: bool,
    /// What the connection began with is no HTTP at all.
    is_foreign: bool,
}

/// The bytes so far could be read in two ways, or are no HTTP/1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubtful;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Head,
    /// So many bytes of a body are to come.
    Body(u64),
    /// A chunk's size: its digits so far, and what they say.
    Size {
        digits: u8,
        bytes: u64,
    },
    /// The line feed behind a chunk's size.
    SizeEnd(u64),
    /// So many bytes of a chunk are to come.
    Chunk(u64),
    /// What stands behind a chunk, or behind the last one: a carriage return and a line feed, and nothing else.
    End {
        is_last: bool,
        has_return: bool,
    },
    /// HTTP/2 has framing of its own.
    Http2,
    Doubtful,
}

impl Wire {
    /// A connection on which HTTP/1 was agreed, so that HTTP/2 does not begin on it either.
    pub fn http1() -> Self {
        Self {
            is_http1: true,
            ..Self::default()
        }
    }

    /// Whether what the connection began with is no HTTP of any version, so that nobody is there to read an answer in
    /// HTTP/1: `INVALID CONNECTION PREFACE` is what a broken HTTP/2 looks like (RFC 9113 section 3.4).
    pub fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    /// Takes the next bytes of the connection. Doubt stays.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Doubtful> {
        while let Some(&byte) = bytes.first() {
            let passed = match self.place {
                Place::Http2 => return Ok(()),
                Place::Doubtful => return Err(Doubtful),
                Place::Body(left) | Place::Chunk(left) => self.skip(left, bytes.len()),
                Place::Head => self.line(bytes),
                _ => {
                    self.place = self.step(byte);
                    1
                }
            };
            bytes = bytes.get(passed..).unwrap_or_default();
        }
        self.is_foreign |= !self.is_http1 && is_foreign(&self.head);
        if self.place == Place::Doubtful {
            Err(Doubtful)
        } else {
            Ok(())
        }
    }

    /// Passes the bytes of a head up to the end of a line, or a byte of that end.
    fn line(&mut self, bytes: &[u8]) -> usize {
        let end = memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
        let (line, rest) = bytes.split_at(end);
        if let (true, Some(&byte)) = (line.is_empty(), rest.first()) {
            self.place = self.head(byte);
            return 1;
        }
        if self.head.last() == Some(&b'\r') || self.head.len() + end > HEAD_BYTES_MAX {
            self.place = Place::Doubtful;
        } else {
            self.head.extend_from_slice(line);
        }
        end
    }

    /// Passes bytes that mean nothing here, as many as there are.
    fn skip(&mut self, left: u64, there: usize) -> usize {
        let passed = usize::try_from(left).unwrap_or(usize::MAX).min(there);
        let left = left - passed as u64;
        self.place = match self.place {
            Place::Chunk(_) if left == 0 => Place::End {
                is_last: false,
                has_return: false,
            },
            Place::Chunk(_) => Place::Chunk(left),
            _ if left == 0 => Place::Head,
            _ => Place::Body(left),
        };
        passed
    }

    fn step(&mut self, byte: u8) -> Place {
        match self.place {
            Place::Size { digits, bytes } => size(digits, bytes, byte),
            Place::SizeEnd(bytes) if byte == b'\n' => match bytes {
                0 => Place::End {
                    is_last: true,
                    has_return: false,
                },
                bytes => Place::Chunk(bytes),
            },
            Place::End {
                is_last,
                has_return: false,
            } if byte == b'\r' => Place::End {
                is_last,
                has_return: true,
            },
            Place::End {
                is_last,
                has_return: true,
            } if byte == b'\n' => {
                if is_last {
                    Place::Head
                } else {
                    FIRST_DIGIT
                }
            }
            _ => Place::Doubtful,
        }
    }

    /// A byte of a head; at its end, what follows it.
    fn head(&mut self, byte: u8) -> Place {
        let after_return = self.head.last() == Some(&b'\r');
        if after_return != (byte == b'\n') || self.head.len() >= HEAD_BYTES_MAX {
            return Place::Doubtful;
        }
        self.head.push(byte);
        if self.head.ends_with(b"\r\n\r\n") {
            let head = std::mem::take(&mut self.head);
            if !self.is_http1 && head == *b"PRI * HTTP/2.0\r\n\r\n" {
                return Place::Http2;
            }
            self.is_foreign |= !self.is_http1 && is_foreign(&head);
            self.is_http1 = true;
            return follows(&head).unwrap_or(Place::Doubtful);
        }
        Place::Head
    }
}

const FIRST_DIGIT: Place = Place::Size {
    digits: 0,
    bytes: 0,
};

/// A byte of a chunk's size: digits and the end of the line, neither white space nor extensions.
fn size(digits: u8, bytes: u64, byte: u8) -> Place {
    match char::from(byte).to_digit(16) {
        Some(digit) if digits < SIZE_DIGITS_MAX => Place::Size {
            digits: digits + 1,
            bytes: bytes * 16 + u64::from(digit),
        },
        None if byte == b'\r' && digits > 0 => Place::SizeEnd(bytes),
        _ => Place::Doubtful,
    }
}

/// Whether a connection begins with three words, of which the third is no version and none is a target.
fn is_foreign(start: &[u8]) -> bool {
    let line = start
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let is_words = line
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || *byte == b' ');
    let mut words = line.splitn(3, |byte| *byte == b' ');
    match (words.next(), words.next(), words.next()) {
        (Some([_, ..]), Some([_, ..]), Some(third @ [_, ..])) if is_words => {
            let length = third.len().min(VERSION.len());
            third.get(..length) != VERSION.get(..length)
        }
        _ => false,
    }
}

/// How a version begins.
const VERSION: &[u8] = b"HTTP";

/// What follows a head, if the head has one reading.
fn follows(head: &[u8]) -> Option<Place> {
    let head = head.strip_suffix(b"\r\n\r\n")?;
    // Carriage returns and line feeds come in pairs only, as `Wire::head` has seen.
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let has_chunks = check_request_line(lines.next()?)?;
    let (mut length, mut coding) = (None, None);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        let value = value.get(1..)?.trim_ascii();
        if !is_name(name) {
            return None;
        }
        let single = if name.eq_ignore_ascii_case(b"content-length") {
            &mut length
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            &mut coding
        } else {
            continue;
        };
        if single.replace(value).is_some() {
            return None;
        }
    }
    match (length, coding) {
        (None, None) => Some(Place::Head),
        (Some(length), None) => match length_of(length)? {
            0 => Some(Place::Head),
            length => Some(Place::Body(length)),
        },
        (None, Some(coding)) if has_chunks && coding.eq_ignore_ascii_case(b"chunked") => {
            Some(FIRST_DIGIT)
        }
        _ => None,
    }
}

/// A method, a target in origin form and a version, one space between them; whether the version knows chunks.
fn check_request_line(line: &[u8]) -> Option<bool> {
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_target = target.first() == Some(&b'/')
        && target
            .iter()
            .all(|byte| byte.is_ascii_graphic() && *byte != b'#');
    // `OPTIONS *` has one reading too; the front door refuses it for its method.
    let is_fine = words.next().is_none()
        && !method.is_empty()
        && method.iter().all(u8::is_ascii_uppercase)
        && (is_target || target == b"*");
    match version {
        b"HTTP/1.1" if is_fine => Some(true),
        b"HTTP/1.0" if is_fine => Some(false),
        _ => None,
    }
}

/// Letters, digits, hyphens and underscores; but with an underscore nothing that somebody could frame a request by. CGI makes
/// the same variable of `X_Role` and `X-Role`: which other names that matters for, [`super::claims`] knows.
pub(super) fn is_name(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let folded = |byte: &u8| match byte {
        b'_' => b'-',
        byte => byte.to_ascii_lowercase(),
    };
    let frames = || {
        FRAMING
            .iter()
            .any(|known| name.iter().map(folded).eq(known.bytes()))
    };
    !name.is_empty() && name.iter().all(plain) && !(name.contains(&b'_') && frames())
}

fn length_of(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    super::is_length(text).then(|| text.parse().ok()).flatten()
}

/// As much as hyper reads of one head.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const SIZE_DIGITS_MAX: u8 = 8;
/// Headers that tell where a request ends.
const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "GET /a?b=c HTTP/1.1\r\nHost: a\r\n";

    fn read(text: &str) -> Result<(), Doubtful> {
        let whole = Wire::default().push(text.as_bytes());
        let mut wire = Wire::default();
        let split = text.bytes().try_for_each(|byte| wire.push(&[byte]));
        assert_eq!(whole, split, "{text:?}");
        whole
    }

    #[test]
    fn requests_with_one_reading_pass_one_after_the_other() {
        let length = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab\n\rx";
        let chunks = "POST /a HTTP/1.1\r\ntransfer-encoding:  Chunked \r\n\r\n4\r\n\n\n\n\n\r\n0A\r\n0123456789\r\n0\r\n\r\n";
        let old = "GET / HTTP/1.0\r\n\r\n";
        for text in [
            format!("{LINE}\r\n"),
            format!("{LINE}\r\n{length}{chunks}{chunks}{old}{LINE}Content-Length: 0\r\n\r\n{LINE}"),
            "OPTIONS * HTTP/1.1\r\n\r\n".to_owned(),
            format!("{LINE}X_Request_Id: a\r\n\r\n"),
        ] {
            assert_eq!(read(&text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn http_2_is_left_to_its_own_framing() {
        assert_eq!(read("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\n\n"), Ok(()));
        assert_eq!(
            read(&format!("{LINE}\r\nPRI * HTTP/2.0\r\n\r\n")),
            Err(Doubtful),
            "only as the first words of a connection"
        );
        assert_eq!(
            Wire::http1().push(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            Err(Doubtful),
            "HTTP/1 was agreed"
        );
        assert_eq!(Wire::http1().push(format!("{LINE}\r\n").as_bytes()), Ok(()));
    }

    #[test]
    fn heads_with_two_readings_are_in_doubt() {
        for text in [
            "GET /a HTTP/1.1\nHost: a\n\n",
            "GET /a HTTP/1.1\r\nHost: a\n\r\n",
            "GET /a HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            "\r\nGET /a HTTP/1.1\r\n\r\n",
            "\nGET /a HTTP/1.1\r\n\r\n",
            "GET /a#b HTTP/1.1\r\n\r\n",
            "GET http://a/a HTTP/1.1\r\n\r\n",
            "GET a HTTP/1.1\r\n\r\n",
            "GET /a\\b\u{e9} HTTP/1.1\r\n\r\n",
            "GET  /a HTTP/1.1\r\n\r\n",
            "GET /a b HTTP/1.1\r\n\r\n",
            "get /a HTTP/1.1\r\n\r\n",
            "GET /a\r\n\r\n",
            "GET /a HTTP/1.2\r\n\r\n",
            "GET /a http/1.1\r\n\r\n",
        ] {
            assert_eq!(read(text), Err(Doubtful), "{text:?}");
        }
        for header in [
            "X.Role: a",
            "Content_Length: 1",
            "transfer_Encoding: chunked",
            ": a",
            "X Role: a",
            "Content-Length : 1",
            " folded",
            "X-A: b\r\n folded",
            "nothing",
            "Content-Length: 03",
            "Content-Length: +3",
            "Content-Length: 3, 3",
            "Content-Length:",
            "Content-Length: 99999999999999999999999",
            "Content-Length: 3\r\nContent-Length: 3",
            "Content-Length: 0\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\ntransfer-encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: \u{b}chunked",
            "Transfer-Encoding: identity",
        ] {
            assert_eq!(
                read(&format!("{LINE}{header}\r\n\r\n")),
                Err(Doubtful),
                "{header:?}"
            );
        }
        assert_eq!(
            read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Err(Doubtful)
        );
        let mut wire = Wire::default();
        assert_eq!(wire.push(b"G"), Ok(()));
        assert_eq!(wire.push(&[b'a'; HEAD_BYTES_MAX]), Err(Doubtful));
        // At once: who steps through what does not fit looks for the end of the line again and again.
        assert_eq!(wire.head, b"G");
        let long = format!("{LINE}X: {}", "a".repeat(HEAD_BYTES_MAX));
        assert_eq!(Wire::default().push(long.as_bytes()), Err(Doubtful));
    }

    #[test]
    fn chunks_with_two_readings_are_in_doubt() {
        for chunks in [
            "3 \r\n",
            "3;a=b\r\n",
            "\r\n",
            "+3\r\n",
            "0x3\r\n",
            "3\n",
            "3\r\nabcd\r\n",
            "3\r\nabc\n",
            "3\r\nabc0\r\n\r\n",
            "000000003\r\n",
            "0\r\nX-Trailer: a\r\n\r\n",
            "0\r\n\n",
        ] {
            let text = format!("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
            assert_eq!(read(&text), Err(Doubtful), "{chunks:?}");
        }
    }

    #[test]
    fn what_is_no_http_is_foreign_if_a_connection_begins_with_it() {
        let is_foreign = |text: &str| {
            let mut wire = Wire::default();
            let _ = wire.push(text.as_bytes());
            wire.is_foreign()
        };
        for text in ["INVALID CONNECTION PREFACE\r\n\r\n", "INVALID CONNECTION P"] {
            assert!(is_foreign(text), "{text:?}");
        }
        for text in [
            "GET /a HTTX/1.1\r\n\r\n",
            "GET a HTTP/1.1\r\n\r\n",
            "GET http://a/ FTP\r\n\r\n",
            "GET a b HTTP/1.1\r\n\r\n",
            "GET  a b\r\n\r\n",
            "GET a\r\n\r\n",
            "GET\r\n\r\n",
            "INVALID CONNECTION ",
            "INVALID CONNECTION HT",
            "PRI * HTTP/2.0\r\n\r\n",
        ] {
            assert!(!is_foreign(text), "{text:?}");
        }
        assert!(!is_foreign(&format!("{LINE}\r\nA B C\r\n\r\n")));
    }

    #[test]
    fn doubt_stays() {
        let mut wire = Wire::default();
        assert_eq!(wire.push(b"x\n"), Err(Doubtful));
        assert_eq!(wire.push(format!("{LINE}\r\n").as_bytes()), Err(Doubtful));
    }
}
