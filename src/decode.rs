//! Undoes one content coding of a whole body, to its end, within bounds.
//!
//! Decoders hand out plain text before they have seen a checksum, and most ignore what follows the coded text. So the
//! body is decoded as a whole: nothing of it is used before the decoder has reached the end of its input, checksum
//! included, and found nothing behind it.

use std::io::Read;

/// A content coding (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// None.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950 (what `deflate` means in HTTP), or RFC 1951 (what some servers send): its first two bytes tell.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878, with a window of at most 8 MiB (RFC 9659).
    Zstd,
}

/// A body that cannot be decoded safely: broken, cut off, followed by something, or too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecodable {
    /// It is not in this coding, or does not end with it.
    Malformed,
    /// It has more bytes than it may, or more than such a short one can mean.
    TooLarge,
}

impl Coding {
    /// The coding that a `Content-Encoding` header names; `None` for lists and unknown ones.
    pub fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("identity" | "") => Some(Self::Identity),
            Some("gzip" | "x-gzip") => Some(Self::Gzip),
            Some("deflate") => Some(Self::Deflate),
            Some("br") => Some(Self::Brotli),
            Some("zstd") => Some(Self::Zstd),
            Some(_) => None,
        }
    }

    /// Decodes a whole body of at most `plain_bytes_max` bytes once decoded.
    pub fn decode(self, coded: &[u8], plain_bytes_max: usize) -> Result<Vec<u8>, Undecodable> {
        let plain_bytes_max =
            plain_bytes_max.min(coded.len().saturating_mul(RATIO_MAX).max(RATIO_FREE_BYTES));
        match self {
            Self::Identity => (coded.len() <= plain_bytes_max)
                .then(|| coded.to_vec())
                .ok_or(Undecodable::TooLarge),
            Self::Gzip => whole(
                flate2::bufread::GzDecoder::new(coded),
                plain_bytes_max,
                |d| d.into_inner().is_empty(),
            ),
            Self::Deflate if has_zlib_head(coded) => whole(
                flate2::bufread::ZlibDecoder::new(coded),
                plain_bytes_max,
                |d| d.into_inner().is_empty(),
            ),
            Self::Deflate => whole(
                flate2::bufread::DeflateDecoder::new(coded),
                plain_bytes_max,
                |d| d.into_inner().is_empty(),
            ),
            // The decoder's buffer holds one byte, so that what it has not read is still in the slice.
            Self::Brotli => whole(
                brotli_decompressor::Decompressor::new(coded, 1),
                plain_bytes_max,
                |d| d.into_inner().is_empty(),
            ),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(coded)
                    .map_err(|_| Undecodable::Malformed)?
                    .single_frame();
                decoder
                    .window_log_max(ZSTD_WINDOW_LOG_MAX)
                    .map_err(|_| Undecodable::Malformed)?;
                whole(decoder, plain_bytes_max, |d| d.finish().is_empty())
            }
        }
    }
}

/// Whether a text begins like one of RFC 1950: the method is 8, and the first two bytes are a multiple of 31.
fn has_zlib_head(coded: &[u8]) -> bool {
    match coded {
        [first, second, ..] => {
            first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31)
        }
        _ => false,
    }
}

/// Reads a decoder to its end and makes sure that its input ended with it.
fn whole<D: Read>(
    mut decoder: D,
    plain_bytes_max: usize,
    consumed: impl FnOnce(D) -> bool,
) -> Result<Vec<u8>, Undecodable> {
    let mut plain = Vec::new();
    let bound = u64::try_from(plain_bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    decoder
        .by_ref()
        .take(bound)
        .read_to_end(&mut plain)
        .map_err(|_| Undecodable::Malformed)?;
    if plain.len() > plain_bytes_max {
        return Err(Undecodable::TooLarge);
    }
    if !consumed(decoder) {
        return Err(Undecodable::Malformed);
    }
    Ok(plain)
}

/// A reply of a CRM shrinks by ten or twenty; a bomb by thousands.
const RATIO_MAX: usize = 200;
/// Up to this size the ratio does not matter.
const RATIO_FREE_BYTES: usize = 64 * 1024;
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn text() -> Vec<u8> {
        (0..4_000_u32)
            .flat_map(|n| format!("{{\"n\":{}}}", n.wrapping_mul(2_654_435_761)).into_bytes())
            .collect()
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn coded(coding: Coding, plain: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Identity => plain.to_vec(),
            Coding::Gzip => gzip(plain),
            Coding::Deflate => {
                let mut encoder =
                    flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Brotli => {
                let mut out = Vec::new();
                brotli::BrotliCompress(
                    &mut &plain[..],
                    &mut out,
                    &brotli::enc::BrotliEncoderParams::default(),
                )
                .unwrap();
                out
            }
            Coding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
                encoder.include_checksum(true).unwrap();
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    const CODINGS: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

    #[test]
    fn whole_bodies_come_back() {
        for coding in CODINGS {
            assert_eq!(
                coding.decode(&coded(coding, &text()), 1 << 20).as_deref(),
                Ok(&text()[..]),
                "{coding:?}"
            );
            assert_eq!(
                coding.decode(&coded(coding, b""), 1 << 20).as_deref(),
                Ok(&b""[..]),
                "{coding:?}"
            );
        }
    }

    #[test]
    fn what_is_cut_off_or_followed_by_anything_is_refused() {
        for coding in CODINGS {
            let body = coded(coding, &text());
            for cut in [0, 1, body.len() / 2, body.len() - 1] {
                assert_eq!(
                    coding.decode(&body[..cut], 1 << 20),
                    Err(Undecodable::Malformed),
                    "{coding:?} cut at {cut}"
                );
            }
            for tail in [&b"x"[..], &body] {
                assert_eq!(
                    coding.decode(&[&body, tail].concat(), 1 << 20),
                    Err(Undecodable::Malformed),
                    "{coding:?}"
                );
            }
        }
    }

    #[test]
    fn a_bad_checksum_releases_nothing() {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Zstd] {
            let mut body = coded(coding, &text());
            let last = body.len() - if coding == Coding::Gzip { 6 } else { 1 };
            body[last] ^= 1;
            assert_eq!(
                coding.decode(&body, 1 << 20),
                Err(Undecodable::Malformed),
                "{coding:?}"
            );
        }
    }

    #[test]
    fn a_deflate_text_without_its_envelope_is_whole_or_refused() {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&text()).unwrap();
        let body = encoder.finish().unwrap();
        let decode = |body: &[u8]| Coding::Deflate.decode(body, 1 << 20);
        assert_eq!(decode(&body).as_deref(), Ok(&text()[..]));
        for cut in [0, 1, 2, body.len() / 2, body.len() - 1] {
            assert_eq!(
                decode(&body[..cut]),
                Err(Undecodable::Malformed),
                "cut at {cut}"
            );
        }
        assert_eq!(
            decode(&[&body[..], b"x"].concat()),
            Err(Undecodable::Malformed)
        );
        assert_eq!(
            decode(&[&body[..], &body[..]].concat()),
            Err(Undecodable::Malformed)
        );
    }

    #[test]
    fn bombs_are_refused() {
        let zeros = vec![b' '; 8 << 20];
        for coding in CODINGS {
            assert_eq!(
                coding.decode(&coded(coding, &zeros), 64 << 20),
                Err(Undecodable::TooLarge),
                "{coding:?}"
            );
            assert_eq!(
                coding.decode(&coded(coding, &text()), 1_000),
                Err(Undecodable::TooLarge),
                "{coding:?}"
            );
        }
    }
}
