//! Bundles: events taken out of a log, with everything that proves them.
//!
//! [`export()`] makes one, [`verify()`] looks through one, offline and without configuration. Both hold the same files against each
//! other (`check`), and both make the page of them (`page`). What a bundle is made of stands in `docs/audit/bundle-format.md`.

mod archive;
mod check;
mod export;
mod facts;
mod forest;
mod kept;
mod logs;
mod manifest;
mod page;
mod plan;
mod rotation;
mod signed;
mod survey;
#[cfg(test)]
mod tests;
mod verdict;

pub use export::{Asked, ExportError, Exported, export};
pub use kept::{Compared, Kept, NoCheckpoint};
pub use manifest::Lang;
pub use verdict::{Unusable, Verdict, Verified, verify};

use aws_lc_rs::digest::{Context, SHA256};

use crate::hex::hex;

use super::tree::Hash;

/// SHA-256(0x00 ‖ line): the leaf of an event.
fn leaf(line: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context.update(line);
    let mut leaf = [0; 32];
    leaf.copy_from_slice(context.finish().as_ref());
    leaf
}

/// Reads a hash of 64 lower-case hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut hash = [0; 32];
    for (to, [high, low]) in hash.iter_mut().zip(pairs) {
        *to = digit(*high)? << 4 | digit(*low)?;
    }
    Some(hash)
}
