//! Signs receipts: compact JWS (RFC 7515) with Ed25519 (RFC 8037), so that any library for JOSE can check them.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

/// A key cannot sign receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`keys.receipts` is no Ed25519 key in PEM form: `(umask 077; openssl genpkey -algorithm ed25519 -out receipts.pem)` makes one"
)]
pub struct NoSigner;

/// A key that signs receipts. Its `Debug` does not show it.
pub struct Signer {
    key: Ed25519KeyPair,
    /// The thumbprint of its public half (RFC 7638).
    id: String,
}

impl Signer {
    /// Reads a key: PKCS#8 in PEM form.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(pem: &[u8]) -> Result<Self, NoSigner> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| NoSigner)?;
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
        let key = key.map_err(|_| NoSigner)?;
        // The members that a thumbprint is made of, in the order of their names.
        let public = json!({ "crv": "Ed25519", "kty": "OKP", "x": x(&key) });
        let hash = digest(&SHA256, public.to_string().as_bytes());
        Ok(Self {
            id: URL_SAFE_NO_PAD.encode(hash),
            key,
        })
    }

    /// The public half, as a key of a JWK set.
    pub fn jwk(&self) -> Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": x(&self.key),
            "kid": self.id,
            "alg": "EdDSA",
            "use": "sig",
        })
    }

    /// A document with its signature.
    pub fn sign(&self, document: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "kid": self.id, "cty": "ld+json" });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(document));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn x(key: &Ed25519KeyPair) -> String {
    URL_SAFE_NO_PAD.encode(key.public_key())
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

    use super::*;

    // RFC 8410, section 10.3.
    const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

    #[test]
    fn a_receipt_is_checked_by_another_library() {
        let signer = Signer::read(PEM.as_bytes()).unwrap();
        let document = json!({ "@type": "dpv:ConsentReceipt", "dct:identifier": "r1" });
        let signed = signer.sign(&document);
        let header = decode_header(&signed).unwrap();
        assert_eq!(header.alg, Algorithm::EdDSA);
        let jwk = signer.jwk();
        assert_eq!(header.kid.as_deref(), jwk["kid"].as_str());
        let key = DecodingKey::from_ed_components(jwk["x"].as_str().unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        let read = decode::<Value>(&signed, &key, &validation).unwrap();
        assert_eq!(read.claims, document);
        // One changed letter, and it is no receipt any more.
        let at = signed.find('.').unwrap() + 3;
        let mut changed = signed.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(decode::<Value>(&changed, &key, &validation).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for bad in ["", "0123456789abcdef0123456789abcdef", certificate] {
            assert_eq!(Signer::read(bad.as_bytes()).unwrap_err(), NoSigner);
        }
    }
}
