//! Looks for values that must not be seen, in every form that somebody might give them.

use std::fmt::Write as _;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

/// Values that a role must never see.
#[derive(Clone, Debug, Default)]
pub struct Canaries {
    forms: Forms,
    compact: Forms,
}

/// Texts that are looked for together, each with the name of its value.
#[derive(Clone, Debug, Default)]
struct Forms {
    all: Vec<(String, Vec<u8>)>,
    finder: OnceLock<AhoCorasick>,
}

impl Forms {
    fn push(&mut self, name: &str, form: Vec<u8>) {
        self.all.push((name.to_owned(), form));
        self.finder.take();
    }

    fn found_in(&self, text: &[u8]) -> Option<&str> {
        let made = || AhoCorasick::new(self.all.iter().map(|(_, form)| form)).unwrap();
        let found = self.finder.get_or_init(made).find(text)?;
        Some(&self.all[found.pattern().as_usize()].0)
    }
}

impl Canaries {
    /// Adds a value under a name that a failing test may print.
    pub fn add(&mut self, name: &str, value: &str) {
        assert!(
            value.chars().count() >= 4,
            "{name}: too short to be told from chance"
        );
        let bytes = value.as_bytes();
        let escaped: String = value.encode_utf16().fold(String::new(), |mut text, unit| {
            let _ = write!(text, "\\u{unit:04x}");
            text
        });
        let percent: String = bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "%{byte:02x}");
            text
        });
        let hex: String = bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        for form in [value.to_lowercase(), escaped, percent, hex] {
            self.forms.push(name, form.into_bytes());
        }
        for form in base64_forms(bytes) {
            let in_urls = form.replace('+', "-").replace('/', "_");
            for form in [form, in_urls] {
                self.forms.push(name, form.into_bytes());
            }
        }
        let utf16 = |bytes: fn(u16) -> [u8; 2]| {
            value
                .to_lowercase()
                .encode_utf16()
                .flat_map(bytes)
                .collect()
        };
        for form in [utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
            self.forms.push(name, form);
        }
        // Identifiers are found whatever separates their characters.
        let compact = compact(value);
        if compact.len() >= 12 && compact.bytes().filter(u8::is_ascii_digit).count() >= 8 {
            self.compact.push(name, compact.into_bytes());
        }
    }

    /// How many values are watched for.
    pub fn len(&self) -> usize {
        self.forms.all.len()
    }

    /// The name of the first value that occurs in any form.
    pub fn found_in(&self, haystack: &[u8]) -> Option<&str> {
        let lower = haystack.to_ascii_lowercase();
        let text = String::from_utf8_lossy(&lower).to_lowercase();
        let unescaped = unescape(&text);
        let decoded = percent_decode(&text);
        let stacks = [
            lower.as_slice(),
            text.as_bytes(),
            unescaped.as_bytes(),
            decoded.as_bytes(),
            haystack,
        ];
        let found = stacks.iter().find_map(|stack| self.forms.found_in(stack));
        found.or_else(|| self.compact.found_in(compact(&unescaped).as_bytes()))
    }
}

fn compact(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Undoes `\uXXXX`, `\n` and HTML entities of the plain sort.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '&']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        let code = tail
            .strip_prefix("\\u")
            .and_then(|hex| hex.get(..4))
            .and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let entity = tail
            .strip_prefix("&#")
            .and_then(|tail| tail.split_once(';'))
            .filter(|(code, _)| code.len() < 8);
        if let Some(code) = code {
            out.push(char::from_u32(code).unwrap_or(' '));
            rest = &tail[6..];
        } else if let Some((code, after)) = entity {
            let value = code.strip_prefix('x').map_or_else(
                || code.parse().ok(),
                |hex| u32::from_str_radix(hex, 16).ok(),
            );
            out.push(value.and_then(char::from_u32).unwrap_or(' '));
            rest = after;
        } else {
            let skip = if tail.starts_with('\\') && tail.len() > 1 && tail.is_char_boundary(2) {
                2
            } else {
                1
            };
            out.push(' ');
            rest = &tail[skip..];
        }
    }
    out.push_str(rest);
    out
}

fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .to_lowercase()
}

/// The base64 text of a value at each of the three offsets it may stand at, without the characters that depend on
/// its neighbours.
fn base64_forms(bytes: &[u8]) -> Vec<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..3)
        .map(|offset| {
            let padded: Vec<u8> = std::iter::repeat_n(0, offset)
                .chain(bytes.iter().copied())
                .collect();
            let whole = padded.len() / 3 * 3;
            let text: String = padded[..whole]
                .chunks(3)
                .flat_map(|three| {
                    let n = (u32::from(three[0]) << 16)
                        | (u32::from(three[1]) << 8)
                        | u32::from(three[2]);
                    [18, 12, 6, 0].map(|shift| char::from(ALPHABET[(n >> shift) as usize & 63]))
                })
                .collect();
            text[if offset == 0 { 0 } else { 4 }..].to_owned()
        })
        .filter(|form| form.len() >= 8)
        .collect()
}

#[test]
fn a_canary_is_found_in_every_form() {
    let mut canaries = Canaries::default();
    canaries.add("iban", "FR7699999000004001020304033");
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "xFR7699999000004001020304033y"
            .encode_utf16()
            .flat_map(bytes)
            .collect()
    };
    for wide in [utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
        assert_eq!(canaries.found_in(&wide), Some("iban"));
    }
    // The value at each of the three places that it may have in a base64 text.
    for text in [
        "RlI3Njk5OTk5MDAwMDA0MDAxMDIwMzA0MDMz",
        "eEZSNzY5OTk5OTAwMDAwNDAwMTAyMDMwNDAzMw==",
        "eHhGUjc2OTk5OTkwMDAwMDQwMDEwMjAzMDQwMzM=",
        "&#70;&#x52;7699999000004001020304033",
        "\\u0046\\u00527699999000004001020304033",
        "%46%52%37%36%39%39%39%39%39%30%30%30%30%30%34%30%30%31%30%32%30%33%30%34%30%33%33",
    ] {
        assert_eq!(canaries.found_in(text.as_bytes()), Some("iban"), "{text}");
    }
    for text in [
        "FR7699999000004001020304033",
        "fr76 9999 9000 0040 0102 0304 033",
        "FR76-9999\\u002d9000 0040 0102 0304 033",
        "x=FR7699999000004001020304033%20",
        "%46R7699999000004001020304033",
        "FR769999&#57;00000400&#x31;020304033",
        "465237363939393939303030303034303031303230333034303333",
        "yRlI3Njk5OTk5MDAwMDA0MDAxMDIwMzA0MDMz",
    ] {
        assert_eq!(canaries.found_in(text.as_bytes()), Some("iban"), "{text}");
    }
    assert_eq!(
        canaries.found_in("FR76 •••• •••• •••• •••• •••4 033".as_bytes()),
        None
    );
}
