//! A quick look at bytes that are written as most are: without escapes, and without white space. Whatever is not, right or
//! wrong, is left to whoever reads closely.

use wide::u8x16;

use super::Key;

/// How long the run is of bytes that stand for themselves in a string: up to a quote, a backslash, a control character,
/// or the end of the text.
#[inline]
pub fn plain_length(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some((block, behind)) = rest.split_first_chunk::<BLOCK_BYTES>() {
        let found = special_bytes(block);
        if found != 0 {
            return text.len() - rest.len() + found.trailing_zeros() as usize;
        }
        rest = behind;
    }
    // What is left is followed by something that stands for itself.
    let mut block = [b' '; BLOCK_BYTES];
    block
        .iter_mut()
        .zip(rest)
        .for_each(|(to, byte)| *to = *byte);
    let found = special_bytes(&block).trailing_zeros() as usize;
    text.len() - rest.len() + found.min(rest.len())
}

/// What stands behind the scalar that a text begins with, if that needs no closer look. What comes may still belong to a
/// number.
#[inline(always)]
pub fn behind_plain_scalar(value: &[u8]) -> Option<&[u8]> {
    match value {
        // Many are blank. Whoever expects that need not wait for the end of this one to go on.
        [b'"', b'"', rest @ ..] => Some(rest),
        [b'"', string @ ..] => behind_plain_string(string),
        [b't', b'r', b'u', b'e', rest @ ..]
        | [b'f', b'a', b'l', b's', b'e', rest @ ..]
        | [b'n', b'u', b'l', b'l', rest @ ..]
        | [b'0', rest @ ..] => Some(rest),
        [b'1'..=b'9', ..] => {
            let digits = value.iter().position(|byte| !byte.is_ascii_digit());
            value.get(digits?..)
        }
        _ => None,
    }
}

/// What stands behind the array that a text begins with, if that holds scalars that need no closer look, and no white
/// space.
pub fn behind_plain_list(text: &[u8]) -> Option<&[u8]> {
    let mut rest = match text {
        [b'[', b']', behind @ ..] => return Some(behind),
        [b'[', elements @ ..] => elements,
        _ => return None,
    };
    loop {
        match behind_plain_scalar(rest)? {
            [b',', behind @ ..] => rest = behind,
            [b']', behind @ ..] => return Some(behind),
            _ => return None,
        }
    }
}

/// What stands behind the closing quote of a string of which a text holds the rest, if nothing is escaped in it.
#[inline(always)]
fn behind_plain_string(string: &[u8]) -> Option<&[u8]> {
    let mut rest = string;
    while let Some(block) = rest.first_chunk::<BLOCK_BYTES>() {
        let found = special_bytes(block);
        if found != 0 {
            let end = found.trailing_zeros() as usize % BLOCK_BYTES;
            return (block[end] == b'"').then(|| rest.get(end + 1..))?;
        }
        rest = rest.get(BLOCK_BYTES..)?;
    }
    match rest.get(plain_length(rest)..)? {
        [b'"', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// Which bytes of a block do not stand for themselves in a string.
#[inline(always)]
fn special_bytes(block: &[u8; BLOCK_BYTES]) -> u32 {
    let block = u8x16::new(*block);
    // The lesser of a byte and the last control character is the byte itself: it is a control character.
    let found = block.simd_eq(u8x16::splat(b'"'))
        | block.simd_eq(u8x16::splat(b'\\'))
        | block.min(u8x16::splat(0x1f)).simd_eq(block);
    found.to_bitmask()
}

/// What stands behind the object that a text begins with, if that has members under some of these keys only, none
/// twice, no white space, and scalars that need no closer look for values.
pub fn behind_plain_object<'t>(text: &'t [u8], keys: &[Key]) -> Option<&'t [u8]> {
    let mut rest = text.strip_prefix(b"{")?;
    // A bit for each key that has not been met. Members mostly come in much the same order as the keys.
    let spare_bits = u64::BITS.checked_sub(u32::try_from(keys.len()).ok()?)?;
    let mut unmet = u64::MAX.checked_shr(spare_bits)?;
    loop {
        let mut untried = unmet;
        let value = loop {
            let key = keys.get(untried.trailing_zeros() as usize)?;
            let bit = untried & untried.wrapping_neg();
            untried ^= bit;
            if let Some(value) = key.behind(rest) {
                unmet ^= bit;
                break value;
            }
        };
        match behind_plain_scalar(value)? {
            [b',', behind @ ..] => rest = behind,
            [b'}', behind @ ..] => return Some(behind),
            _ => return None,
        }
    }
}

/// Bytes that are looked at together.
const BLOCK_BYTES: usize = 16;
