//! The escapes that stand for characters: `%41`, `&eacute;`, `&#49;`, with or without a semicolon.

use std::borrow::Cow;

/// The longest name of an entity (HTML Living Standard, 13.5), with `&` and `;`, rounded up.
const ENTITY_BYTES_MAX: usize = 40;

/// What the escape at the beginning of a text stands for, and its length; `None` if there is none.
pub(super) fn escape(text: &str) -> Option<(Cow<'_, str>, usize)> {
    match text.as_bytes().first()? {
        b'%' => {
            let (character, length) = percent(text)?;
            Some((Cow::Owned(character.to_string()), length))
        }
        b'&' => entity(text),
        _ => None,
    }
}

/// The character that percent escapes at the beginning of a text stand for (RFC 3986, 2.1; UTF-8). Bytes that are no UTF-8
/// stand for a replacement character each.
pub(super) fn percent(text: &str) -> Option<(char, usize)> {
    let mut bytes = [0; 4];
    let escaped = |number: usize| match text.as_bytes().get(number * 3..number * 3 + 3) {
        Some([b'%', high, low]) => byte(*high, *low),
        _ => None,
    };
    bytes[0] = escaped(0)?;
    let length = match bytes[0] {
        0..0x80 => return Some((char::from(bytes[0]), 3)),
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => return Some((char::REPLACEMENT_CHARACTER, 3)),
    };
    for (number, place) in bytes.iter_mut().enumerate().take(length).skip(1) {
        match escaped(number) {
            Some(byte) => *place = byte,
            None => return Some((char::REPLACEMENT_CHARACTER, 3)),
        }
    }
    match std::str::from_utf8(&bytes[..length]).map(|text| text.chars().next()) {
        Ok(Some(character)) => Some((character, length * 3)),
        _ => Some((char::REPLACEMENT_CHARACTER, 3)),
    }
}

/// The byte that two hexadecimal digits spell.
pub(super) fn byte(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some(digit(high)? << 4 | digit(low)?)
}

fn entity(text: &str) -> Option<(Cow<'_, str>, usize)> {
    let number = text.strip_prefix("&#");
    if let Some(number) = number.filter(|number| number.starts_with(['0', 'x', 'X'])) {
        let (meant, length) = padded_number(number)?;
        return Some((Cow::Owned(meant.to_string()), length + "&#".len()));
    }
    let window = text.as_bytes().get(1..text.len().min(ENTITY_BYTES_MAX))?;
    let name = window
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#')
        .count();
    let closed = window.get(name) == Some(&b';');
    let candidate = text.get(..1 + name + usize::from(closed))?;
    let said = match htmlize::unescape(candidate) {
        Cow::Borrowed(_) => return None,
        Cow::Owned(said) => said,
    };
    // Without a semicolon, the first letters may stand for a character and the rest for themselves.
    let first = said.chars().next()?.len_utf8();
    let rest = said
        .bytes()
        .skip(first)
        .rev()
        .zip(candidate.bytes().rev())
        .take_while(|(one, other)| one == other)
        .count();
    let meant = said.get(..said.len() - rest)?.to_owned();
    Some((Cow::Owned(meant), candidate.len() - rest))
}

/// What the number of a numeric entity stands for, and its length with its semicolon. It may begin with any number of zeros.
fn padded_number(text: &str) -> Option<(char, usize)> {
    let (digits, radix) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let count = digits
        .bytes()
        .take_while(|byte| char::from(*byte).is_digit(radix));
    let count = count.count();
    let code = match digits.get(..count)?.trim_start_matches('0') {
        "" => 0,
        number => u32::from_str_radix(number, radix).ok()?,
    };
    let closed = usize::from(digits.as_bytes().get(count) == Some(&b';'));
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    (count > 0).then_some((character, text.len() - digits.len() + count + closed))
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn an_escape_says_what_it_stands_for_and_how_long_it_is() {
        for (text, meant, length) in [
            ("%41B", "A", 3),
            ("%c3%a9t", "é", 6),
            ("%C3t", "\u{fffd}", 3),
            ("%FFt", "\u{fffd}", 3),
            ("%00", "\0", 3),
            ("&#49;5", "1", 5),
            ("&#49 5", "1", 4),
            ("&#x31;", "1", 6),
            ("&nbsp5", "\u{a0}", 5),
            ("&lpar;", "(", 6),
            ("&amp;#49;", "&", 5),
            ("&ampamp", "&", 4),
            ("&#59;", ";", 5),
            ("&semi;1", ";", 6),
            ("&fjlig;", "fj", 7),
            (
                "&#0000000000000000000000000000000000000000000000000000000049;",
                "1",
                61,
            ),
            ("&#x00031 ", "1", 8),
        ] {
            let (said, found) = escape(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((&*said, found), (meant, length), "{text}");
        }
        for text in ["", "%4", "%zz", "%", "&", "&;", "& b", "&foo;", "&#;", "é"] {
            assert_eq!(escape(text), None, "{text}");
        }
    }
}
