//! The one spelling of an event: canonical JSON after RFC 8785, with integers as its only numbers.
//!
//! Events are written by `serde_json` from structs whose fields stand in order; this module is what readers hold
//! them against. It looks at every byte once, and builds nothing.

use crate::json::plain::plain_length;

/// The largest integer that every reader of JSON keeps exactly.
pub(super) const INTEGER_MAX: u64 = 1 << 53;
/// Arrays and objects inside each other.
const DEPTH_MAX: usize = 127;

/// Whether a text is canonical.
#[cfg(test)]
pub(super) fn is_canonical(text: &[u8]) -> bool {
    let mut scanner = Scanner { text, at: 0 };
    is_utf8(text) && scanner.value(DEPTH_MAX).is_some() && scanner.at == text.len()
}

/// Whether a text is canonical, and an object. Shows its members: the key without its quotes, and the text of the value.
pub(super) fn is_canonical_object<'a>(
    text: &'a [u8],
    member: &mut dyn FnMut(&'a [u8], &'a [u8]),
) -> bool {
    let mut scanner = Scanner { text, at: 0 };
    is_utf8(text) && scanner.object(DEPTH_MAX, member).is_some() && scanner.at == text.len()
}

fn is_utf8(text: &[u8]) -> bool {
    simdutf8::basic::from_utf8(text).is_ok()
}

/// Reads a text once, from left to right, and stops where it is not canonical.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn since(&self, start: usize) -> &'a [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'{' => self.object(depth, &mut |_, _| {}),
            b'[' => self.array(depth),
            b'0'..=b'9' => self.integer(),
            b'n' => self.word(b"null"),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            _ => None,
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        rest.starts_with(word).then(|| self.at += word.len())
    }

    fn integer(&mut self) -> Option<()> {
        let start = self.at;
        let mut number = 0_u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number * 10 + u64::from(digit - b'0');
            self.at += 1;
            let is_sound = number <= INTEGER_MAX && (number > 0 || self.at - start == 1);
            is_sound.then_some(())?;
        }
        let has_leading_zero = self.at - start > 1 && self.text.get(start) == Some(&b'0');
        (!has_leading_zero).then_some(())
    }

    /// A string: what stands between its quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            self.at += plain_length(self.text.get(self.at..)?);
            match self.peek()? {
                b'"' => {
                    let text = self.since(start);
                    self.at += 1;
                    return Some(text);
                }
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    /// RFC 8785 asks for the short escapes where there are some, and for `\u00xx` in lower case elsewhere.
    fn escape(&mut self) -> Option<()> {
        self.expect(b'\\')?;
        let escaped = self.peek()?;
        self.at += 1;
        match escaped {
            b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4)?;
                self.at += 4;
                let [b'0', b'0', high @ (b'0' | b'1'), low] = digits else {
                    return None;
                };
                let is_hex = matches!(low, b'0'..=b'9' | b'a'..=b'f');
                let is_short = *high == b'0' && matches!(low, b'8' | b'9' | b'a' | b'c' | b'd');
                (is_hex && !is_short).then_some(())
            }
            _ => None,
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.expect(b'[')?;
        if self.expect(b']').is_some() {
            return Some(());
        }
        loop {
            self.value(depth)?;
            if self.expect(b',').is_none() {
                return self.expect(b']');
            }
        }
    }

    fn object(&mut self, depth: usize, member: &mut dyn FnMut(&'a [u8], &'a [u8])) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.expect(b'{')?;
        if self.expect(b'}').is_some() {
            return Some(());
        }
        let mut before: Option<&[u8]> = None;
        loop {
            let key = self.string()?;
            before
                .is_none_or(|before| is_before(before, key))
                .then_some(())?;
            before = Some(key);
            self.expect(b':')?;
            let start = self.at;
            self.value(depth)?;
            member(key, self.since(start));
            if self.expect(b',').is_none() {
                return self.expect(b'}');
            }
        }
    }
}

/// Whether a key stands before another one: by UTF-16 code units, of what their escapes mean.
fn is_before(one: &[u8], next: &[u8]) -> bool {
    let is_plain = |key: &[u8]| key.iter().all(|byte| byte.is_ascii() && *byte != b'\\');
    if is_plain(one) && is_plain(next) {
        return one < next;
    }
    match (meant(one), meant(next)) {
        (Some(one), Some(next)) => one.encode_utf16().lt(next.encode_utf16()),
        _ => false,
    }
}

/// What a string means, by what stands between its quotes.
pub(super) fn meant(quoted: &[u8]) -> Option<String> {
    serde_json::from_slice(&[b"\"", quoted, b"\""].concat()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> bool {
        is_canonical(text.as_bytes())
    }

    #[test]
    fn there_is_one_spelling_only() {
        assert!(check(r#"{"a":[1,null,true],"b":"é\n\u001f\"\\/"}"#));
        assert!(check(
            r#"{"a":[],"b":{},"c":[0,10,9007199254740992,false]}"#
        ));
        assert!(check(&["[".repeat(127), "]".repeat(127)].concat()));
        assert!(!check(&["[".repeat(128), "]".repeat(128)].concat()));
        // Sorted by UTF-16 code units: U+1F600 (D83D …) stands before U+FB33.
        assert!(check("{\"\u{1f600}\":1,\"\u{fb33}\":2}"));
        for text in [
            r#"{"b":1,"a":2}"#,
            r#"{"a": 1}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":1e3}"#,
            r#"{"a":-0}"#,
            r#"{"a":9007199254740993}"#,
            r#"{"a":99999999999999999999999}"#,
            r#"{"a":01}"#,
            r#"{"a":00}"#,
            r#"{"a":-1}"#,
            r#"{"a":"\u000a"}"#,
            r#"{"a":"\u0020"}"#,
            r#"{"a":"\u001"}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":1,}"#,
            r#"{"a":1}}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":nul}"#,
            r#"{"a":"#,
            r#"{"a""#,
            "",
            "{\"a\":\"\u{1}\"}",
            "{\"\u{e9}\":1,\"z\":2}",
            r#"{"a":"\u00e9"}"#,
            r#"{"a":"\u001F"}"#,
            r#"{"a":"\/"}"#,
            "{\"\u{fb33}\":2,\"\u{1f600}\":1}",
        ] {
            assert!(!check(text), "{text}");
        }
    }
}
