//! What would be understood of a token, for whoever wonders why it is not accepted.

use std::sync::Arc;

use crate::config::plain_type;

use super::claims::{Addressed, Claims, Stated};
use super::compact::Compact;
use super::{Refused, Tokens};

/// What would be understood of a token. Never the token itself.
#[derive(Clone, Debug, Default)]
pub struct Explained {
    /// `alg` of its header, if it is one that is known here.
    pub algorithm: Option<&'static str>,
    /// `kid` of its header.
    pub kid: Option<String>,
    /// `typ` of its header, in lower case and without `application/`.
    pub kind: Option<String>,
    /// The name of its issuer in the configuration.
    pub issuer: Option<Arc<str>>,
    /// What it claims, as far as that can be read. Proved only if nothing was refused.
    pub claims: Option<Arc<Claims>>,
    /// What of it would be used: the parts of the policy, and the places in the token.
    pub used: Vec<(&'static str, String)>,
    /// Why it is not accepted.
    pub refused: Option<Refused>,
}

impl Tokens {
    /// What would be understood of a token, and why it is not accepted. Asks its issuer for keys.
    pub async fn explain(&self, token: &str, certificate: Option<&[u8]>) -> Explained {
        let mut explained = self.read(token).unwrap_or_default();
        explained.refused = self.verify(token, certificate).await.err();
        explained
    }

    fn read(&self, token: &str) -> Option<Explained> {
        let token = Compact::read(token).ok()?;
        let mut explained = Explained {
            algorithm: token.algorithm.map(crate::config::Algorithm::as_str),
            kid: token.kid.clone(),
            kind: token.kind.as_deref().map(plain_type),
            ..Explained::default()
        };
        let Ok(claims) = token.claims() else {
            return Some(explained);
        };
        let issuer = Addressed::read(&claims)
            .ok()
            .and_then(|addressed| self.issuer(&addressed).ok());
        let Some(issuer) = issuer else {
            return Some(explained);
        };
        explained.issuer = Some(issuer.name.clone());
        let paths = &issuer.form.claims;
        let used = [
            ("id", Some(&paths.id)),
            ("name", paths.name.as_ref()),
            ("roles", paths.roles.as_ref()),
            ("purpose", paths.purpose.as_ref()),
            ("crm_user", issuer.form.crm_user.as_ref()),
        ];
        let used = used
            .into_iter()
            .filter_map(|(part, path)| Some((part, path?.as_str().to_owned())));
        explained.used = used.collect();
        let stated = Stated::read(&token, &claims, &issuer.form, &issuer.name);
        explained.claims = stated.ok().map(|stated| stated.claims);
        Some(explained)
    }
}
