//! Keys of JSON objects that are recognised in one step.

use wide::u8x32;

/// A key that is expected: its name between quotes, and a colon, as they are mostly written.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The text; behind it, anything. Not as a vector, which would take twice the room: there are many keys.
    text: [u8; BLOCK_BYTES],
    /// Which bytes of it count.
    counts: u32,
    length: u8,
}

/// Bytes that are compared.
const BLOCK_BYTES: usize = 32;
/// Longest text of a key.
const TEXT_BYTES_MAX: usize = BLOCK_BYTES - 1;
/// Two quotes and a colon.
const PUNCTUATION_BYTES: usize = 3;
/// No byte of any UTF-8 text.
const NO_BYTE: u8 = 0xff;

impl Key {
    /// A key of this name.
    pub fn new(name: &str) -> Self {
        let is_plain = !name
            .bytes()
            .any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        let length = name.len() + PUNCTUATION_BYTES;
        let mut text = [NO_BYTE; BLOCK_BYTES];
        let is_recognised = is_plain && length <= TEXT_BYTES_MAX;
        if let Some([quote, inside @ .., end, colon]) =
            text.get_mut(..length).filter(|_| is_recognised)
        {
            (*quote, *end, *colon) = (b'"', b'"', b':');
            inside.copy_from_slice(name.as_bytes());
        }
        let length = if is_recognised { length } else { 0 };
        Self {
            text,
            counts: match is_recognised {
                true => (1 << length) - 1,
                // Compared with what no text holds: nothing is taken for this key.
                false => u32::MAX,
            },
            // Lossless: at most the bytes of a block.
            length: length as u8,
        }
    }

    /// What stands behind the key and its colon, if a text begins with exactly these. `None` also where that cannot be
    /// told so: because the name is long or has bytes that are escaped, or the text nearly ends.
    #[inline]
    pub fn behind<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let start = u8x32::new(*text.first_chunk::<BLOCK_BYTES>()?);
        let same = start.simd_eq(u8x32::new(self.text)).to_bitmask();
        if !same & self.counts != 0 {
            return None;
        }
        text.get(usize::from(self.length) % BLOCK_BYTES..)
    }

    /// Bytes of the name, if it can be recognised.
    pub fn name_bytes(&self) -> usize {
        usize::from(self.length).saturating_sub(PUNCTUATION_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn a_key_is_recognised_by_all_its_bytes_and_only_as_it_is_mostly_written() {
        let rest = "x".repeat(40);
        for name in ["", "a", "iban_c", "é", "a name of just 28 bytes, so."] {
            let text = format!("\"{name}\":{rest}");
            assert_eq!(
                Key::new(name).behind(text.as_bytes()),
                Some(rest.as_bytes()),
                "{name}"
            );
            for at in 0..name.len() + 3 {
                let mut other = text.clone().into_bytes();
                other[at] ^= 1;
                assert_eq!(Key::new(name).behind(&other), None, "{name}, byte {at}");
            }
        }
        for (name, text) in [
            ("a\"b", format!("\"a\"b\":{rest}")),
            ("a\\b", format!("\"a\\b\":{rest}")),
            ("a", format!("\"a\" :{rest}")),
            ("a", format!("\"A\":{rest}")),
            ("a", "\"a\":1}".to_owned()),
            (
                "a name of no less than 29 byte",
                format!("\"a name of no less than 29 byte\":{rest}"),
            ),
        ] {
            assert_eq!(
                Key::new(name).behind(text.as_bytes()),
                None,
                "{name}: {text}"
            );
        }
    }
}
