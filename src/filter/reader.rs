//! Reads JSON texts strictly (RFC 8259), one value after the other, without copying what it reads.

use std::borrow::Cow;

use crate::json::Key;
use crate::json::plain::{behind_plain_object, behind_plain_scalar, plain_length};

use super::Cause;

/// What is wrong, at which byte of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) cause: Cause,
    pub(super) at: usize,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Type {
    /// Whether it is neither an array nor an object.
    pub(super) fn is_scalar(self) -> bool {
        !matches!(self, Self::Array | Self::Object)
    }

    /// Its name in messages.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "text",
            Self::Array => "list",
            Self::Object => "object",
        }
    }

    /// What stands in place of a redacted value.
    pub(super) fn redacted(self) -> &'static str {
        match self {
            Self::Array => "[]",
            Self::Object => "{}",
            _ => "null",
        }
    }
}

/// A string, as it is written between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    raw: &'a str,
    has_escapes: bool,
    has_lone_surrogate: bool,
}

impl<'a> Text<'a> {
    /// What the string says; `None` if that is no Unicode text, because of a lone surrogate.
    pub(super) fn unescape(self) -> Option<Cow<'a, str>> {
        if self.has_lone_surrogate {
            return None;
        }
        if !self.has_escapes {
            return Some(Cow::Borrowed(self.raw));
        }
        let mut plain = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(found) = memchr::memchr(b'\\', rest.as_bytes()) {
            plain.push_str(rest.get(..found)?);
            let (character, length) = escaped(rest.get(found..)?)?;
            plain.push(character);
            rest = rest.get(found + length..)?;
        }
        plain.push_str(rest);
        Some(Cow::Owned(plain))
    }
}

/// The character of the escape that a text begins with, and the length of the escape.
fn escaped(text: &str) -> Option<(char, usize)> {
    let character = match text.as_bytes().get(1)? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let first = code_unit(text)?;
            if let Some(character) = char::from_u32(first) {
                return Some((character, 6));
            }
            let second = code_unit(text.get(6..)?)?;
            let code = 0x1_0000 + ((first & 0x3ff) << 10) + (second & 0x3ff);
            return Some((char::from_u32(code)?, 12));
        }
        &other => char::from(other),
    };
    Some((character, 2))
}

/// The number in `\u1234`.
fn code_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().try_fold(0, |code, digit| {
        Some(code * 16 + char::from(digit).to_digit(16)?)
    })
}

/// A place in a JSON text.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    depth_max: usize,
    /// The closing brackets of the containers that [`Reader::skip`] is in.
    closers: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// At the start of a text that stands `depth` containers deep in the whole.
    pub(super) fn new(text: &'a str, depth: usize, depth_max: usize) -> Self {
        Self {
            text,
            at: 0,
            depth,
            depth_max,
            closers: Vec::new(),
        }
    }

    /// A second reader at another place of the same text, to look ahead.
    pub(super) fn look(&self, at: usize) -> Self {
        Self {
            at,
            depth: 0,
            closers: Vec::new(),
            ..*self
        }
    }

    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Whether an array can begin here.
    pub(super) fn is_list_allowed(&self) -> bool {
        self.depth < self.depth_max
    }

    /// How many containers this place stands in.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Passes an array if it consists of objects with members under some of these keys, none twice in one, no white
    /// space, and scalars that need no closer look for values. Otherwise nothing is passed.
    pub(super) fn take_plain_objects(&mut self, keys: &[Key]) -> bool {
        let is_too_deep = self.depth + 1 >= self.depth_max;
        let Some(mut rest) = self.rest().strip_prefix(b"[").filter(|_| !is_too_deep) else {
            return false;
        };
        while let Some(behind) = behind_plain_object(rest, keys) {
            match behind {
                [b',', behind @ ..] => rest = behind,
                [b']', behind @ ..] => {
                    self.leave_only(behind);
                    return true;
                }
                _ => return false,
            }
        }
        false
    }

    /// Passes a string in which nothing is escaped, if one begins here, and returns what stands between its quotes.
    #[inline]
    pub(super) fn take_plain_string(&mut self) -> Option<&'a str> {
        let string = self.rest().strip_prefix(b"\"")?;
        let end = plain_length(string);
        let [b'"', ..] = string.get(end..)? else {
            return None;
        };
        let start = self.at + 1;
        self.at = start + end + 1;
        Some(self.part(start, start + end))
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Goes on where others have stopped, who left this end of the text.
    pub(super) fn leave_only(&mut self, rest: &[u8]) {
        self.at = self.text.len() - rest.len();
    }

    /// The bytes of a part of the text.
    #[inline]
    pub(super) fn bytes(&self, from: usize, to: usize) -> &'a [u8] {
        self.text.as_bytes().get(from..to).unwrap_or_default()
    }

    /// A part of the text.
    #[inline]
    pub(super) fn part(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn fault(&self, cause: Cause) -> Fault {
        Fault { cause, at: self.at }
    }

    /// Passes one byte that must be there.
    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.fault(Cause::Syntax))
        }
    }

    /// Passes one byte if it is there.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        self.expect(byte).is_ok()
    }

    #[inline]
    pub(super) fn white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Enters an object or array by its opening bracket.
    pub(super) fn enter(&mut self, bracket: u8) -> Result<(), Fault> {
        if self.depth >= self.depth_max {
            return Err(self.fault(Cause::Depth));
        }
        self.expect(bracket)?;
        self.depth += 1;
        Ok(())
    }

    /// Leaves it by its closing bracket.
    pub(super) fn leave(&mut self, bracket: u8) -> Result<(), Fault> {
        self.expect(bracket)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    /// The type of the value that begins here, by its first byte.
    #[inline]
    pub(super) fn kind(&self) -> Result<Type, Fault> {
        match self.peek() {
            Some(b'"') => Ok(Type::String),
            Some(b'{') => Ok(Type::Object),
            Some(b'[') => Ok(Type::Array),
            Some(b'n') => Ok(Type::Null),
            Some(b't' | b'f') => Ok(Type::Boolean),
            Some(b'-' | b'0'..=b'9') => Ok(Type::Number),
            _ => Err(self.fault(Cause::Syntax)),
        }
    }

    /// Whether the object or array that begins here is empty.
    pub(super) fn is_empty_container(&self) -> bool {
        let mut inside = self.look(self.at + 1);
        inside.white_space();
        matches!(inside.peek(), Some(b'}' | b']'))
    }

    /// Whether the value that begins here holds nothing: null, false, an empty text, array or object. Some languages write
    /// one of these where another is meant.
    pub(super) fn holds_nothing(&self, kind: Type) -> bool {
        match kind {
            Type::Null => true,
            Type::Boolean => self.peek() == Some(b'f'),
            Type::Number => false,
            Type::String => self.rest().starts_with(b"\"\""),
            Type::Array | Type::Object => self.is_empty_container(),
        }
    }

    /// Reads a string.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Text<'a>, Fault> {
        self.expect(b'"')?;
        let start = self.at;
        self.at = start + plain_length(self.rest());
        if self.peek() != Some(b'"') {
            return self.string_of_escapes(start);
        }
        self.at += 1;
        Ok(Text {
            raw: self.part(start, self.at - 1),
            has_escapes: false,
            has_lone_surrogate: false,
        })
    }

    /// Reads the rest of a string that began at `start`, from something that does not stand for itself.
    #[cold]
    fn string_of_escapes(&mut self, start: usize) -> Result<Text<'a>, Fault> {
        let mut text = Text {
            raw: "",
            has_escapes: false,
            has_lone_surrogate: false,
        };
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    text.has_escapes = true;
                    text.has_lone_surrogate |= self.escape()?;
                    self.at += plain_length(self.rest());
                }
                _ => return Err(self.fault(Cause::Syntax)),
            }
        }
        text.raw = self.part(start, self.at);
        self.at += 1;
        Ok(text)
    }

    /// Reads this key, its colon, and the white space before the value, if the key and the colon stand here as they are
    /// mostly written. It does not matter whether the key's value begins well.
    #[inline]
    pub(super) fn take_key(&mut self, key: &Key) -> Option<&'a str> {
        let start = self.at + 1;
        let rest = key.behind(self.rest())?;
        self.leave_only(rest);
        self.white_space();
        Some(self.part(start, start + key.name_bytes()))
    }

    /// Passes an escape (both of a surrogate pair), and tells whether it is a lone surrogate.
    fn escape(&mut self) -> Result<bool, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest.as_bytes().get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(false)
            }
            Some(b'u') => {
                let first = code_unit(rest).ok_or_else(|| self.fault(Cause::Syntax))?;
                self.at += 6;
                if !(0xd800..0xe000).contains(&first) {
                    return Ok(false);
                }
                let second = rest.get(6..).and_then(code_unit);
                let is_pair =
                    first < 0xdc00 && second.is_some_and(|unit| (0xdc00..0xe000).contains(&unit));
                if is_pair {
                    self.at += 6;
                }
                Ok(!is_pair)
            }
            _ => Err(self.fault(Cause::Syntax)),
        }
    }

    /// Reads a key, its colon, and the white space before the value. A key is always Unicode text.
    pub(super) fn key(&mut self) -> Result<Cow<'a, str>, Fault> {
        let start = self.at;
        let text = self.string()?;
        let key = if text.has_escapes {
            text.unescape().ok_or(Fault {
                cause: Cause::Syntax,
                at: start,
            })?
        } else {
            Cow::Borrowed(text.raw)
        };
        self.white_space();
        self.expect(b':')?;
        self.white_space();
        Ok(key)
    }

    #[inline]
    fn word(&mut self, word: &str) -> Result<(), Fault> {
        if self
            .text
            .as_bytes()
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()))
        {
            self.at += word.len();
            return Ok(());
        }
        word.bytes().try_for_each(|byte| self.expect(byte))
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.fault(Cause::Syntax));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    /// Passes a whole value, checking all of it. Does not recurse, however deep the value is.
    pub(super) fn skip(&mut self) -> Result<Type, Fault> {
        let kind = self.kind()?;
        if kind.is_scalar() {
            return self.scalar(kind).map(|()| kind);
        }
        self.closers.clear();
        loop {
            if self.skip_start()? {
                continue;
            }
            loop {
                let Some(&closer) = self.closers.last() else {
                    return Ok(kind);
                };
                self.white_space();
                if self.take(b',') {
                    self.white_space();
                    if closer == b'}' {
                        self.pass_key()?;
                    }
                    break;
                }
                self.leave(closer)?;
                self.closers.pop();
            }
        }
    }

    /// Passes a value that begins as a scalar of this type does.
    #[inline]
    pub(super) fn scalar(&mut self, kind: Type) -> Result<(), Fault> {
        match kind {
            Type::String => self.string().map(|_| ()),
            Type::Number => self.number(),
            Type::Null => self.word("null"),
            _ if self.peek() == Some(b't') => self.word("true"),
            _ => self.word("false"),
        }
    }

    /// Passes a scalar or an empty container whole, or enters a container as far as its first value; then `true`.
    fn skip_start(&mut self) -> Result<bool, Fault> {
        let (bracket, closer) = match self.kind()? {
            Type::Object => (b'{', b'}'),
            Type::Array => (b'[', b']'),
            _ if self.pass_plain_scalar() => return Ok(false),
            kind => return self.scalar(kind).map(|()| false),
        };
        self.enter(bracket)?;
        self.white_space();
        if self.peek() == Some(closer) {
            self.leave(closer)?;
            return Ok(false);
        }
        self.closers.push(closer);
        if closer == b'}' {
            self.pass_key()?;
        }
        Ok(true)
    }

    /// Passes a scalar that is written plainly, inside of a container; `false` if what stands here needs a closer look.
    #[inline]
    pub(super) fn pass_plain_scalar(&mut self) -> bool {
        match behind_plain_scalar(self.rest()) {
            Some(behind @ [b',' | b'}' | b']', ..]) => {
                self.leave_only(behind);
                true
            }
            _ => false,
        }
    }

    /// Passes the name of a member, as far as its value.
    #[inline]
    fn pass_key(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'"')
            && let Some([b':', value @ ..]) = behind_plain_scalar(self.rest())
        {
            self.leave_only(value);
            self.white_space();
            return Ok(());
        }
        self.key().map(drop)
    }

    /// Ends the text: nothing may follow.
    pub(super) fn end(&self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault(Cause::Syntax)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, Reader, Type};

    fn skip(text: &str) -> Result<Type, Cause> {
        let mut reader = Reader::new(text, 0, 4);
        let kind = reader.skip().map_err(|fault| fault.cause)?;
        reader.end().map_err(|fault| fault.cause)?;
        Ok(kind)
    }

    #[test]
    fn whole_values_are_passed() {
        for (text, kind) in [
            (
                r#"{"a" : [1 , -0.5e+3, true,false , null] ,"b":{ }}"#,
                Type::Object,
            ),
            (r#"[ [ ] , "\ud83d\ude00\n" ]"#, Type::Array),
            ("-0", Type::Number),
            ("null", Type::Null),
            ("false", Type::Boolean),
        ] {
            assert_eq!(skip(text), Ok(kind), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "tru",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\u{1}\"",
            "\"",
            "[1}",
            "1 ",
            "{\"\\ud800\":1}",
            "NaN",
            "'a'",
        ] {
            assert_eq!(skip(text), Err(Cause::Syntax), "{text}");
        }
        assert_eq!(skip("[[[[[]]]]]"), Err(Cause::Depth));
    }

    #[test]
    fn strings_are_unescaped() {
        let text = r#""a\u00e9\ud83d\ude00\"\\\/\b\f\n\r\tz""#;
        let plain = Reader::new(text, 0, 1).string().unwrap().unescape();
        assert_eq!(plain.as_deref(), Some("aé😀\"\\/\u{8}\u{c}\n\r\tz"));
        for lone in [
            r#""\ud800""#,
            r#""\ud800\u0041""#,
            r#""\udc00\ud800""#,
            r#""\ud800x""#,
        ] {
            let text = Reader::new(lone, 0, 1).string().unwrap();
            assert_eq!(text.unescape(), None, "{lone}");
        }
    }
}
