//! The small words of requests.

use crate::dialect::carriers::query_string::Names;
use crate::dialect::spelling::{is_name, is_word_byte};

/// Bytes of a field's name.
const FIELD_BYTES_MAX: usize = 100;
/// Bytes of a date.
const DATE_BYTES_MAX: usize = 40;
/// Bytes of a cursor.
const CURSOR_BYTES_MAX: usize = 1_000;

/// Whether a text can be the name of a field.
pub(super) fn is_field(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= FIELD_BYTES_MAX
        && bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Whether a text can be the base of a parameter's name.
pub(super) fn is_parameter(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Whether a text is a plain word of a path.
pub(super) fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Whether a text is a word of a path in which dots may stand: `res.partner`.
pub(super) fn is_segment(text: &str) -> bool {
    text.len() <= 64 && text.split('.').all(is_word)
}

/// Whether a text can stand in a path as a value that a record is looked up by: nothing that a server could take for a
/// separator, and no second reading after another decoding.
pub(super) fn is_value(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && text != "."
        && text != ".."
        && !text.contains(['/', '\\', '%', ';', '?', '#'])
        && !text.chars().any(char::is_control)
}

/// Whether a text is a date, with a time and where that counts.
pub(super) fn is_date(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || b"-+:.TZ ".contains(&byte);
    (1..=DATE_BYTES_MAX).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(plain)
}

/// Whether a text can say where to go on: a word such as an API makes of a number, or of bytes in some base.
pub(super) fn is_cursor(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+/=.:~%".contains(&byte);
    (1..=CURSOR_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain)
}

/// What record ids are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    Digits,
    Hex,
    Word,
    Name,
}

/// What the names of fields, links and parameters are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameForm {
    /// Words in which `-` may stand.
    Plain,
    /// Words that PHP does not change; and nothing but such words, `-` and `.` stands in a path.
    Php,
    /// The same; but names of fields may begin with `_`, those of links begin with a small letter, and a link may stand
    /// before a field, with a dot between them.
    Dotted,
}

impl NameForm {
    /// Whether a text can be the name of a field.
    pub(super) fn is_field(self, text: &str) -> bool {
        match self {
            Self::Dotted => is_name(
                text,
                |byte| byte.is_ascii_alphabetic() || byte == b'_',
                is_word_byte,
            ),
            _ => self.is_module(text),
        }
    }

    /// Whether a text can be the name of a link.
    pub(super) fn is_link(self, text: &str) -> bool {
        match self {
            Self::Dotted => is_name(text, |byte| byte.is_ascii_lowercase(), is_word_byte),
            _ => self.is_module(text),
        }
    }

    /// Whether a text can be the name of a module that is not named.
    pub(super) fn is_module(self, text: &str) -> bool {
        match self {
            Self::Plain => is_field(text),
            Self::Php | Self::Dotted => {
                is_name(text, |byte| byte.is_ascii_alphabetic(), is_word_byte)
            }
        }
    }

    /// Whether a text can be a plain word of a path: `fr_FR`.
    pub(super) fn is_word(self, text: &str) -> bool {
        let begins = |byte: u8| byte.is_ascii_alphanumeric();
        is_word(text) && (self != Self::Dotted || text.bytes().next().is_some_and(begins))
    }

    /// Whether a text can stand between two slashes.
    pub(super) fn is_segment(self, text: &str) -> bool {
        let plain = |byte: u8| is_word_byte(byte) || byte == b'-' || byte == b'.';
        self == Self::Plain || is_name(text, plain, plain)
    }

    /// What the names of parameters are made of.
    pub(super) fn of_parameters(self) -> &'static Names {
        match self {
            Self::Plain => &Names::PLAIN,
            Self::Php | Self::Dotted => &Names::OF_PHP,
        }
    }
}

impl Ids {
    /// Whether a text can be an id.
    pub(super) fn fit(self, text: &str) -> bool {
        let fits = |byte: u8| match self {
            Self::Digits => byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit() || byte == b'-',
            Self::Word | Self::Name => is_word_byte(byte) || byte == b'-',
        };
        if self == Self::Name {
            return is_name(text, |byte| byte.is_ascii_alphanumeric(), |_| true)
                && text.bytes().all(fits);
        }
        (1..=100).contains(&text.len()) && text.bytes().all(fits)
    }
}
