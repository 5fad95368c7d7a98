//! A quick look at a text, many bytes at a time: which kinds can stand in it at all.

use super::super::characters;

/// What was seen in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sight {
    /// What may be a digit, or stand for one.
    pub(super) digits: usize,
    /// An `@`, or an entity that may be one.
    pub(super) mail: bool,
    /// What may stand for an `@`: a word, or something in brackets.
    pub(super) hidden_mail: bool,
    /// A word for the code of a bank.
    pub(super) bank: bool,
    /// What may stand between the groups of a number in regular groups only, beside a digit.
    pub(super) joints: bool,
}

/// Bytes that are looked at in one go: so many that their sums fit into a byte.
const BLOCK: usize = 64;
/// Bytes of the longest word that is looked for.
const AHEAD: usize = 8;

impl Sight {
    /// Looks at a whole text. Digits may be counted twice.
    pub(super) fn of(text: &str) -> Self {
        let text = text.as_bytes();
        // Blocks look at signs that have room before them.
        let mut sight = Self {
            joints: text.iter().take(3).any(|byte| is_joint(*byte)),
            ..Self::default()
        };
        let mut at = 0;
        while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) {
            sight.look(block);
            at += BLOCK;
        }
        // What is left is shorter than a block and what stands around it. Blanks come behind it.
        let mut last = [b' '; 2 * BLOCK + AHEAD];
        let from = at.saturating_sub(AHEAD);
        for (place, byte) in last.iter_mut().zip(text.get(from..).unwrap_or_default()) {
            *place = *byte;
        }
        if let Some(block) = last.first_chunk() {
            sight.look(block);
        }
        if text.len() - from > BLOCK
            && let Some(block) = last.last_chunk()
        {
            sight.look(block);
        }
        sight
    }

    fn look(&mut self, block: &[u8; BLOCK + AHEAD]) {
        let (mut digits, mut mail, mut hidden, mut bank, mut joints) =
            (0_u8, 0_u8, 0_u8, 0_u8, 0_u8);
        // Sums and bits of bytes without a branch, so that many bytes are looked at in one step.
        let mut figures = [0_u8; BLOCK + AHEAD];
        for at in 0..BLOCK + AHEAD {
            figures[at] = u8::from(may_be_digit(block[at]));
        }
        for at in 0..BLOCK {
            let one = block[at];
            digits += figures[at];
            mail |= u8::from((one == b'@') | (one == b'&') | (one == 0xef));
        }
        for at in 0..BLOCK {
            // ` at `, `_at_`, `-at-`
            let (one, a, t, next) = (
                block[at],
                block[at + 1] | 0x20,
                block[at + 2] | 0x20,
                block[at + 3],
            );
            let is_set_off = ((one == b' ') | (one == b'_') | (one == b'-'))
                & ((next == b' ') | (next == b'_') | (next == b'-'));
            hidden |= u8::from(is_set_off & (a == b'a') & (t == b't'));
            // `(at)`, `[@]`, `{ a }`, `(chiocciola)`, `(klammeraffe)`
            let opens = (one == b'(') | (one == b'[') | (one == b'{') | (one == b'<');
            let begins =
                (a == b'a') | (a == (b'@' | 0x20)) | (a == b' ') | (a == b'c') | (a == b'k');
            hidden |= u8::from(opens & begins);
        }
        for at in 0..BLOCK {
            // A sign with a digit near it, or what may be one.
            let near = figures[at]
                | figures[at + 1]
                | figures[at + 2]
                | figures[at + 4]
                | figures[at + 5]
                | figures[at + 6];
            joints |= near & u8::from(is_joint(block[at + 3]));
        }
        for at in 0..BLOCK {
            // `arobase`, `arroba`, `chiocciola`
            let (a, b, c) = (block[at] | 0x20, block[at + 1] | 0x20, block[at + 2] | 0x20);
            let (d, e) = (block[at + 3] | 0x20, block[at + 4] | 0x20);
            hidden |= u8::from((a == b'r') & (b == b'o') & (c == b'b') & (d == b'a') & (e == b's'));
            hidden |= u8::from((a == b'r') & (b == b'r') & (c == b'o') & (d == b'b') & (e == b'a'));
            hidden |= u8::from((a == b'o') & (b == b'c') & (c == b'c') & (d == b'i') & (e == b'o'));
            // `BIC`, `swift`
            let goes_on = (block[at + 3] >= b'a') & (block[at + 3] <= b'z');
            bank |= u8::from((a == b'b') & (b == b'i') & (c == b'c') & !goes_on);
            bank |= u8::from((a == b's') & (b == b'w') & (c == b'i') & (d == b'f') & (e == b't'));
        }
        self.digits += usize::from(digits);
        self.mail |= mail != 0;
        self.hidden_mail |= hidden != 0;
        self.bank |= bank != 0;
        self.joints |= joints != 0;
    }
}

/// Whether a byte is a digit, or what a digit may be spelled with.
const fn may_be_digit(byte: u8) -> bool {
    byte.is_ascii_digit() | (byte == b'&') | characters::may_begin_digit(byte)
}

/// Whether a byte is what people put between groups, and between everything else, or may begin such a character.
const fn is_joint(byte: u8) -> bool {
    (byte == b';')
        | (byte == b'|')
        | ((byte >= b'\'') & (byte <= b'+'))
        | (byte == b'[')
        | (byte == b'\\')
        | (byte == b']')
        | (byte == b'=')
        | (byte == b'~')
        | (byte == 0xe2)
        | (byte == 0xef)
        | (byte == b'&')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Sight;
    use crate::detect::spelling;

    #[test]
    fn what_stands_anywhere_is_seen() {
        for before in 0..150 {
            for behind in [0, 1, 70] {
                let around =
                    |word: &str| format!("{}{word}{}", "x".repeat(before), "y".repeat(behind));
                for word in ["@", "&#64;", "\u{ff20}"] {
                    assert!(Sight::of(&around(word)).mail, "{word} {before}");
                }
                for word in [
                    " at b",
                    " AT b",
                    "_at_b",
                    "(at)",
                    "[ at ]",
                    "arobase",
                    " ARROBA ",
                    "chiocciola",
                ] {
                    assert!(Sight::of(&around(word)).hidden_mail, "{word} {before}");
                }
                for word in ["BIC ", "bic:", "Swift"] {
                    assert!(Sight::of(&around(word)).bank, "{word} {before}");
                }
                assert!((2..=4).contains(&Sight::of(&around("1 2")).digits));
            }
        }
        assert_eq!(
            Sight::of("Rien de tout cela, mais beaucoup de mots."),
            Sight::default()
        );
        assert_eq!(Sight::of(""), Sight::default());
    }

    proptest! {
        #[test]
        fn no_joint_is_overlooked(text in "[a-z0-9;|()’;)+'\\\\~= ]{0,200}") {
            let text = format!("{text}(12");
            prop_assert!(Sight::of(&text).joints && spelling::has_joint(&text));
        }
    }
}
