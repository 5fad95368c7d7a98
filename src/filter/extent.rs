//! Finds where a JSON value ends, without judging it: enough to know when it has arrived whole.

/// The search for the end of one value. It goes on where it stopped when more bytes have come.
#[derive(Debug, Default)]
pub(super) struct Extent {
    at: usize,
    depth: usize,
    in_string: bool,
}

impl Extent {
    /// The length of the value that `bytes` begin with, if it is all there. Each call gets the bytes of the call before
    /// and more. The end of a number or a word is only seen by what follows it.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        loop {
            if self.in_string {
                self.leave_string(bytes)?;
                if self.depth == 0 {
                    return Some(self.at);
                }
            }
            match bytes.get(self.at)? {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(self.at + 1);
                    }
                }
                b'}' | b']' | b',' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == 0 => {
                    return Some(self.at);
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn leave_string(&mut self, bytes: &[u8]) -> Option<()> {
        loop {
            let rest = bytes.get(self.at..)?;
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = bytes.len();
                return None;
            };
            self.at += found;
            if rest.get(found) == Some(&b'"') {
                self.at += 1;
                self.in_string = false;
                return Some(());
            }
            if found + 1 >= rest.len() {
                // The escaped character has not come yet; look at the backslash again.
                return None;
            }
            self.at += 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Extent;

    #[test]
    fn a_value_ends_at_the_same_byte_in_one_piece_and_byte_by_byte() {
        for (text, length) in [
            (r#"{"a":[1,{"b":"}\""}]} tail"#, Some(21)),
            (r#""a\\" "#, Some(5)),
            (r#""a\""#, None),
            ("12,", Some(2)),
            ("true]", Some(4)),
            ("]", Some(0)),
            ("12", None),
            ("[[]", None),
        ] {
            assert_eq!(Extent::default().end(text.as_bytes()), length, "{text}");
            let mut extent = Extent::default();
            let found = (0..=text.len()).find_map(|end| extent.end(&text.as_bytes()[..end]));
            assert_eq!(found, length, "{text}");
        }
    }
}
