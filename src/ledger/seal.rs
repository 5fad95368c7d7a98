//! Seals what waits to be sent: AES-256-GCM under a key that comes of the key of persons.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::error::{Error, Under};
use super::keys::PersonKeys;

/// Bytes of what stands before the sealed text: the identifier of the key.
pub(super) const ID_BYTES: usize = 16;
/// Bytes of a nonce.
const NONCE_BYTES: usize = 12;

/// The key, its identifier, a nonce and the sealed text. It opens only for the row that it was sealed for.
pub(super) fn seal(keys: &PersonKeys, row: &str, body: &[u8]) -> Result<Vec<u8>, Error> {
    let mut nonce = [0; NONCE_BYTES];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| unsealable())?;
    let id = keys.id(0).ok_or_else(unsealable)?;
    let mut sealed = body.to_vec();
    key(keys, 0)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(row.as_bytes()),
            &mut sealed,
        )
        .map_err(|_| unsealable())?;
    Ok([id.as_bytes(), &nonce, &sealed].concat())
}

/// What was sealed.
pub(super) fn open(keys: &PersonKeys, row: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let damaged = || Error::corrupt("what waits to be sent is not what was sealed");
    let (id, rest) = sealed.split_at_checked(ID_BYTES).ok_or_else(damaged)?;
    let (nonce, sealed) = rest
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or_else(damaged)?;
    let id = std::str::from_utf8(id).map_err(|_| damaged())?;
    let generation = keys.generation(id).ok_or(Error::OtherKey(Under::Outbox))?;
    let mut body = sealed.to_vec();
    let opened = key(keys, generation)?
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(row.as_bytes()),
            &mut body,
        )
        .map_err(|_| damaged())?;
    Ok(opened.to_vec())
}

fn key(keys: &PersonKeys, generation: usize) -> Result<LessSafeKey, Error> {
    let tag = keys.mac(generation, &[b"paravent.outbox.v1"]);
    let tag = tag.ok_or_else(unsealable)?;
    let key = UnboundKey::new(&AES_256_GCM, tag.as_ref()).map_err(|_| unsealable())?;
    Ok(LessSafeKey::new(key))
}

fn unsealable() -> Error {
    Error::Unavailable("what waits to be sent cannot be sealed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_row_and_key_only() {
        let keys = |keys: &[&[u8]]| PersonKeys::new(keys).unwrap();
        let (old, both) = (keys(&[&[1; 32]]), keys(&[&[2; 32], &[1; 32]]));
        let sealed = seal(&old, "o_1", b"To: anna@example.com").unwrap();
        assert!(!sealed.windows(4).any(|part| part == b"anna"));
        assert_eq!(
            open(&both, "o_1", &sealed).unwrap(),
            b"To: anna@example.com"
        );
        assert!(matches!(
            open(&both, "o_2", &sealed),
            Err(Error::Corrupt(_))
        ));
        let other = keys(&[&[3; 32]]);
        assert!(matches!(
            open(&other, "o_1", &sealed),
            Err(Error::OtherKey(Under::Outbox))
        ));
        for byte in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[byte] ^= 1;
            assert!(open(&both, "o_1", &changed).is_err(), "{byte}");
        }
        assert!(open(&both, "o_1", b"").is_err());
    }
}
