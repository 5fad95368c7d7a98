//! Keys of JSON objects that are recognised in one step.

use wide::u8x32;

/// A key that is expected: its name between quotes, and a colon, as they are mostly written.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The text; behind it, anything.
    text: u8x32,
    /// Which bytes of it count; none if the key cannot be recognised so.
    counts: u32,
    length: u8,
}

/// Longest text that is compared.
const TEXT_BYTES: usize = 32;
/// Two quotes and a colon.
const PUNCTUATION_BYTES: usize = 3;

impl Key {
    /// A key of this name.
    pub fn new(name: &str) -> Self {
        let is_plain = !name
            .bytes()
            .any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        let (mut text, mut length) = ([0; TEXT_BYTES], 0);
        let place = text.get_mut(..name.len() + PUNCTUATION_BYTES);
        if let Some([quote, inside @ .., end, colon]) = place.filter(|_| is_plain) {
            (*quote, *end, *colon) = (b'"', b'"', b':');
            inside.copy_from_slice(name.as_bytes());
            length = name.len() + PUNCTUATION_BYTES;
        }
        Self {
            text: u8x32::new(text),
            counts: u32::MAX.unbounded_shr((TEXT_BYTES - length) as u32),
            // Lossless: a longer text is not kept.
            length: length as u8,
        }
    }

    /// What stands behind the key and its colon, if a text begins with exactly these. `None` also where that cannot be
    /// told so: because the name is long or has bytes that are escaped, or the text nearly ends.
    #[inline]
    pub fn behind<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let start = u8x32::new(*text.first_chunk::<TEXT_BYTES>()?);
        let same = start.simd_eq(self.text).to_bitmask();
        if !same & self.counts != 0 || self.counts == 0 {
            return None;
        }
        text.get(usize::from(self.length)..)
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
        for name in ["", "a", "iban_c", "é", "a name of just 29 bytes and on"] {
            let name = &name[..name.len().min(29)];
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
                "a name of no less than 30 bytes",
                format!("\"a name of no less than 30 bytes\":{rest}"),
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
