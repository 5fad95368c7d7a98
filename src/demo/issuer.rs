//! An issuer of tokens of the demo's own, as a company's login service is one: it says who somebody is and how surely they
//! authenticated. Its key is made when the demo starts, and is nowhere but in memory.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Account;

/// The issuer.
#[derive(Debug)]
pub struct Issuer {
    key: EcdsaKeyPair,
}

impl Issuer {
    /// What `iss` of its tokens says. Nobody is there: its keys are in a file.
    pub const NAME: &str = "https://login.example/demo";
    /// Whom its tokens are for.
    pub const AUDIENCE: &str = "paravent";
    /// How long a token lasts.
    pub const LIFETIME_SECONDS: i64 = 8 * 60 * 60;
    const KEY_ID: &str = "demo";

    /// An issuer with a new key.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn new() -> Result<Self, Unspecified> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        Ok(Self { key })
    }

    /// Its public key, as a set of keys (RFC 7517).
    pub fn keys(&self) -> Value {
        // An uncompressed point: 4, then x and y.
        let point = self.key.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": Self::KEY_ID,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        }]})
    }

    /// A token for somebody who authenticated now: strongly, with a device that cannot be phished, or with a password.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn token(
        &self,
        account: &Account,
        is_strong: bool,
        now: Timestamp,
    ) -> Result<String, Unspecified> {
        let now = now.as_second();
        let roles: Vec<String> = account
            .role
            .map(|role| format!("crm-{}", role.to_lowercase().replace(' ', "-")))
            .into_iter()
            .collect();
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": Self::KEY_ID});
        let mut claims = json!({
            "iss": Self::NAME, "aud": Self::AUDIENCE, "sub": account.id, "client_id": "demo",
            "iat": now, "exp": now.saturating_add(Self::LIFETIME_SECONDS),
            "auth_time": now, "amr": ["pwd"], "name": account.full_name(), "roles": roles, "crm_login": account.name,
        });
        if is_strong {
            // OpenID Connect EAP ACR Values 1.0; RFC 8176.
            claims["acr"] = json!("phr");
            claims["amr"] = json!(["hwk", "user"]);
        }
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
