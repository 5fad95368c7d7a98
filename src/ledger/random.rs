//! Identifiers that say nothing.

use crate::hex::hex;

use super::error::Error;

/// 128 random bits in hexadecimal, behind a letter that tells what they name.
pub(super) fn id(of: char) -> Result<String, Error> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| Error::Unavailable("the system gives no random bytes".to_owned()))?;
    Ok(format!("{of}_{}", hex(&bytes)))
}
