//! Reads the keys that an issuer publishes (RFC 7517). What may not verify a token here is dropped, and the operator told.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use crate::config::{Algorithm, KEYS_DEPTH_MAX};
use crate::json;

use super::compact::{Compact, TEXT_BYTES_MAX};
use super::roca;

/// The keys of an issuer that may verify tokens.
#[derive(Default)]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

struct Key {
    kid: Option<String>,
    /// The algorithms that it fits, or the one that it was made for.
    algorithms: Vec<Algorithm>,
    public: DecodingKey,
    print: [u8; 32],
}

/// Why no key of a set verifies a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unverified {
    /// No key has its `kid`.
    UnknownKid,
    /// Another reason.
    Bad(&'static str),
}

impl KeySet {
    /// Reads a set; why it is none, or what of it was dropped.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, Vec<&'static str>), &'static str> {
        let set = json::read(bytes, KEYS_DEPTH_MAX)
            .map_err(|_| "not JSON that can be read in one way")?;
        let listed = set.get("keys").and_then(Value::as_array);
        let listed = listed.ok_or("no list `keys`")?;
        if listed.len() > KEYS_MAX {
            return Err("more than 100 keys");
        }
        let mut kids: BTreeMap<&str, usize> = BTreeMap::new();
        for kid in listed.iter().filter_map(|jwk| jwk["kid"].as_str()) {
            *kids.entry(kid).or_default() += 1;
        }
        let (mut keys, mut dropped) = (Vec::new(), Vec::new());
        for jwk in listed {
            let is_ambiguous = jwk["kid"]
                .as_str()
                .is_some_and(|kid| kids.get(kid) != Some(&1));
            match Key::read(jwk) {
                Ok(Some(_)) if is_ambiguous => dropped.push("two keys have the same `kid`"),
                Ok(Some(key)) => keys.push(key),
                Ok(None) => {}
                Err(why) => dropped.push(why),
            }
        }
        dropped.sort_unstable();
        dropped.dedup();
        Ok((Self { keys }, dropped))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether another set holds the same keys, in whatever order.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let prints = |set: &Self| {
            let mut prints: Vec<_> = set.keys.iter().map(|key| key.print).collect();
            prints.sort_unstable();
            prints
        };
        prints(self) == prints(other)
    }

    /// The `kid`s of keys that another set does not have.
    pub(super) fn kids_without<'a>(&'a self, other: &Self) -> impl Iterator<Item = &'a str> {
        let kids = self.keys.iter().filter_map(|key| key.kid.as_deref());
        kids.filter(|kid| !other.keys.iter().any(|key| key.kid.as_deref() == Some(kid)))
    }

    /// Verifies the signature of a token with the key that its `kid` chooses; without one, with the only key that fits.
    pub(super) fn verify(
        &self,
        token: &Compact<'_>,
        listed: &[Algorithm],
    ) -> Result<(), Unverified> {
        let algorithm = token
            .algorithm
            .filter(|algorithm| listed.contains(algorithm));
        let algorithm = algorithm.ok_or(Unverified::Bad(
            "its algorithm is not one of the issuer's list",
        ))?;
        let fits = |key: &&Key| key.algorithms.contains(&algorithm);
        let key = match &token.kid {
            Some(kid) => {
                let key = self.keys.iter().find(|key| key.kid.as_ref() == Some(kid));
                let key = key.ok_or(Unverified::UnknownKid)?;
                Some(key)
                    .filter(fits)
                    .ok_or(Unverified::Bad("its algorithm is not that of its key"))?
            }
            None => {
                let mut fitting = self.keys.iter().filter(fits);
                match (fitting.next(), fitting.next()) {
                    (Some(key), None) => key,
                    (None, _) => return Err(Unverified::Bad("it names no key and none fits")),
                    _ => return Err(Unverified::Bad("it names no key and several fit")),
                }
            }
        };
        let verified = jsonwebtoken::crypto::verify(
            token.signature,
            token.signed.as_bytes(),
            &key.public,
            own(algorithm),
        );
        match verified {
            Ok(true) => Ok(()),
            _ => Err(Unverified::Bad("its signature is wrong")),
        }
    }
}

impl Key {
    /// Reads a key; `None` if it is for something else than signatures, which is nothing to tell of.
    fn read(jwk: &Value) -> Result<Option<Self>, &'static str> {
        let jwk = jwk.as_object().ok_or("a key is not a JSON object")?;
        let text = |name: &str| match jwk.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err("a member of a key is not of its type"),
        };
        if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
            return Err("a key holds secret members, so everybody can write tokens with it");
        }
        if !verifies(jwk, text("use")?)? {
            return Ok(None);
        }
        let kid = text("kid")?;
        if kid.is_some_and(|kid| kid.len() > TEXT_BYTES_MAX) {
            return Err("a `kid` is too long");
        }
        let kind = text("kty")?.ok_or("a key has no `kty`")?;
        let component = |name: &str| {
            let text = text(name)?.ok_or("a component of a key is missing")?;
            URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|_| "a component of a key is not in base64url")
        };
        let (public, material, possible) = match (kind, text("crv")?) {
            ("RSA", None) => rsa(&component("n")?, &component("e")?)?,
            ("EC", Some("P-256")) => {
                elliptic(&component("x")?, &component("y")?, Algorithm::ES256)?
            }
            ("EC", Some("P-384")) => {
                elliptic(&component("x")?, &component("y")?, Algorithm::ES384)?
            }
            ("OKP", Some("Ed25519")) => edwards(&component("x")?)?,
            ("RSA" | "EC" | "OKP", _) => return Err("a key is on a curve that is not known here"),
            _ => return Err("a key is of a type that is not known here"),
        };
        let algorithms = match text("alg")? {
            None => possible,
            Some(name) => match Algorithm::named(name).filter(|one| possible.contains(one)) {
                Some(algorithm) => vec![algorithm],
                None => {
                    return Err("a key is for an algorithm that is not known here, or not its own");
                }
            },
        };
        let print = digest(
            &SHA256,
            format!("{kid:?} {algorithms:?} {material:?}").as_bytes(),
        );
        let mut bytes = [0; 32];
        bytes.copy_from_slice(print.as_ref());
        Ok(Some(Self {
            kid: kid.map(str::to_owned),
            algorithms,
            public,
            print: bytes,
        }))
    }
}

/// Whether a key says that it is for signatures, or does not say what it is for.
fn verifies(jwk: &Map<String, Value>, stated: Option<&str>) -> Result<bool, &'static str> {
    let operations = match jwk.get("key_ops") {
        None => return Ok(stated.is_none_or(|stated| stated == "sig")),
        Some(Value::Array(operations)) => operations,
        Some(_) => return Err("a member of a key is not of its type"),
    };
    Ok(stated.is_none_or(|stated| stated == "sig") && operations.iter().any(|one| one == "verify"))
}

type Public = (DecodingKey, Vec<u8>, Vec<Algorithm>);

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Public, &'static str> {
    let plain = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes[zeros..].to_vec()
    };
    let (n, e) = (plain(modulus), plain(exponent));
    let bits = n
        .first()
        .map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    if !RSA_BITS.contains(&bits) {
        return Err("an RSA key is not of 2048 to 8192 bits");
    }
    let is_odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last % 2 == 1);
    if !is_odd(&n) || !is_odd(&e) || e == [1] || e.len() > 4 {
        return Err("an RSA key is not one");
    }
    if roca::is_weak(&n) {
        return Err("an RSA key was made by hardware that makes weak ones (ROCA)");
    }
    let all = [
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
    ];
    let material = [n.as_slice(), b"/", e.as_slice()].concat();
    Ok((
        DecodingKey::from_rsa_raw_components(&n, &e),
        material,
        all.to_vec(),
    ))
}

fn elliptic(x: &[u8], y: &[u8], algorithm: Algorithm) -> Result<Public, &'static str> {
    let (length, curve) = match algorithm {
        Algorithm::ES384 => (48, &ECDSA_P384_SHA384_FIXED),
        _ => (32, &ECDSA_P256_SHA256_FIXED),
    };
    let point = [&[4], x, y].concat();
    if x.len() != length || y.len() != length || ParsedPublicKey::new(curve, &point).is_err() {
        return Err("a key is not a point of its curve");
    }
    Ok((DecodingKey::from_ec_der(&point), point, vec![algorithm]))
}

fn edwards(x: &[u8]) -> Result<Public, &'static str> {
    if x.len() != 32 || ParsedPublicKey::new(&ED25519, x).is_err() {
        return Err("a key is not a point of its curve");
    }
    Ok((
        DecodingKey::from_ed_der(x),
        x.to_vec(),
        vec![Algorithm::EdDSA],
    ))
}

fn own(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::ES256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::ES384 => jsonwebtoken::Algorithm::ES384,
        Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::RS384 => jsonwebtoken::Algorithm::RS384,
        Algorithm::RS512 => jsonwebtoken::Algorithm::RS512,
        Algorithm::PS256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::PS384 => jsonwebtoken::Algorithm::PS384,
        Algorithm::PS512 => jsonwebtoken::Algorithm::PS512,
        Algorithm::EdDSA => jsonwebtoken::Algorithm::EdDSA,
    }
}

/// Keys of one issuer.
const KEYS_MAX: usize = 100;
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;
/// Members of private and of shared keys (RFC 7518).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
