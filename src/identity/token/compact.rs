//! Takes a signed token apart (RFC 7515, compact form) in the one way in which it can be read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::config::{Algorithm, plain_type};
use crate::json;

/// A token taken apart. Nothing of it is proved.
pub(super) struct Compact<'a> {
    /// How it says that it is signed; `None` if no token here may be signed so.
    pub(super) algorithm: Option<Algorithm>,
    /// Which key it says that it is signed with.
    pub(super) kid: Option<String>,
    /// What it says that it is, as types are compared.
    pub(super) kind: Option<String>,
    /// What is signed.
    pub(super) signed: &'a str,
    pub(super) signature: &'a str,
    pub(super) payload: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a token apart, or says why it is none.
    pub(super) fn read(token: &'a str) -> Result<Self, &'static str> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err("larger than 8 KiB");
        }
        let parts: Vec<&str> = token.split('.').collect();
        let &[header, payload, signature] = parts.as_slice() else {
            return Err(match parts.len() {
                5 => "encrypted",
                _ => "not of three parts",
            });
        };
        if signature.is_empty() {
            return Err("not signed");
        }
        // Padding, other alphabets and stray bits make other texts of the same bytes.
        let decode = |part| URL_SAFE_NO_PAD.decode(part);
        let (Ok(header_bytes), Ok(payload_bytes), Ok(_)) =
            (decode(header), decode(payload), decode(signature))
        else {
            return Err("not in base64url without padding");
        };
        let Ok(Value::Object(members)) = json::read(&header_bytes, DEPTH_MAX) else {
            return Err("its header is not one JSON object without repeated members");
        };
        let Header {
            algorithm,
            kid,
            kind,
        } = Header::read(&members)?;
        Ok(Self {
            algorithm,
            kid,
            kind,
            signed: &token[..header.len() + 1 + payload.len()],
            signature,
            payload: payload_bytes,
        })
    }

    /// What it claims.
    pub(super) fn claims(&self) -> Result<Value, &'static str> {
        match json::read(&self.payload, DEPTH_MAX) {
            Ok(claims @ Value::Object(_)) => Ok(claims),
            _ => Err("its claims are not one JSON object without repeated members"),
        }
    }
}

/// What is used of a header. `jku`, `jwk`, `x5u`, `x5c` are not: keys come from the configuration only.
struct Header {
    algorithm: Option<Algorithm>,
    kid: Option<String>,
    kind: Option<String>,
}

impl Header {
    fn read(members: &Map<String, Value>) -> Result<Self, &'static str> {
        for (member, why) in [
            ("crit", "its header has `crit`"),
            ("b64", "its header has `b64`"),
            ("enc", "encrypted"),
            ("zip", "compressed"),
        ] {
            if members.contains_key(member) {
                return Err(why);
            }
        }
        let text = |name, why: &'static str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= TEXT_BYTES_MAX => Ok(Some(text.as_str())),
            Some(_) => Err(why),
        };
        let content = text("cty", "`cty` of its header is not a text")?;
        if content.is_some_and(|content| plain_type(content) == "jwt") {
            return Err("a token within a token");
        }
        let algorithm = text("alg", "`alg` of its header is not a text")?;
        let algorithm = algorithm.ok_or("its header has no `alg`")?;
        let kind = text("typ", "`typ` of its header is not a text")?;
        Ok(Self {
            algorithm: Algorithm::named(algorithm),
            kid: text("kid", "`kid` of its header is not a short text")?.map(str::to_owned),
            kind: kind.map(plain_type),
        })
    }
}

/// Whether a text, however badly it is written, looks like a token of one of some issuers.
pub(super) fn names_issuer<'a>(
    token: &str,
    issuers: impl Iterator<Item = &'a str> + Clone,
) -> bool {
    let mut parts = token.split('.').peekable();
    let first = parts.next();
    // One part alone is no token.
    parts.peek().is_some()
        && first
            .into_iter()
            .chain(parts)
            .filter_map(lenient)
            .any(|bytes| says(&bytes, issuers.clone()))
}

/// The bytes of a part, with padding, in either alphabet, with stray bits.
fn lenient(part: &str) -> Option<Vec<u8>> {
    use base64::alphabet::URL_SAFE;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let plain = |c: char| match c {
        '+' => Some('-'),
        '/' => Some('_'),
        '=' => None,
        c if c.is_ascii_whitespace() => None,
        c => Some(c),
    };
    let part: String = part.chars().filter_map(plain).collect();
    GeneralPurpose::new(&URL_SAFE, config).decode(part).ok()
}

fn says<'a>(bytes: &[u8], mut issuers: impl Iterator<Item = &'a str>) -> bool {
    if let Ok(document) = json::read(bytes, DEPTH_MAX) {
        return issuers.any(|issuer| document["iss"] == *issuer);
    }
    // Not one reading: then whatever stands in it counts.
    let text = String::from_utf8_lossy(bytes).replace("\\/", "/");
    issuers.any(|issuer| text.contains(issuer))
}

/// Bytes of a token.
pub(super) const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Nesting of a header and of claims.
const DEPTH_MAX: usize = 16;
/// Bytes of a text that says who or what.
pub(super) const TEXT_BYTES_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    #[test]
    fn tokens_of_an_issuer_are_known_however_they_are_written() {
        let issuers = ["https://a.example", "https://b.example/x"];
        let ours = |token: &str| names_issuer(token, issuers.into_iter());
        let claims = encoded(r#"{"iss":"https://b.example/x","sub":"1"}"#);
        for token in [
            format!("e30.{claims}.c2ln"),
            format!("e30.{claims}."),
            format!("e30.{claims}=="),
            format!("e30.{claims}.a.b.c"),
            format!("{claims}.YQ.YQ.YQ.YQ"),
            format!("e30.{}.YQ", encoded(r#"{"iss":"https:\/\/b.example\/x"}"#)),
            format!(
                "e30.{}.YQ",
                encoded(r#"{"iss":"c","iss":"https:\/\/b.example\/x"}"#)
            ),
            format!(
                "e30.{}.YQ",
                encoded(r#"{"iss":"https://b.example/x","iss":"c"}"#)
            ),
            format!("e30.{}.YQ", encoded(r#"{"iss":"https://b.example/x""#)),
        ] {
            assert!(ours(&token), "{token}");
        }
        for token in [
            "",
            ".",
            "e30",
            "6f1c2d3e-0000-0000-0000-000000000000",
            &claims,
            &format!("e30.{}.YQ", encoded(r#"{"iss":"https://c.example"}"#)),
            &format!("e30.{}.YQ", encoded(r#"{"iss":"https://a.example/"}"#)),
            &format!("e30.{}.YQ", encoded(r#"{"aud":"https://a.example"}"#)),
        ] {
            assert!(!ours(token), "{token}");
        }
    }
}
