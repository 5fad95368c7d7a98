//! What a token claims, and whether it is good now.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::config::{ClaimPath, Issuer};
use crate::reason::Reason;

use super::clock::Moment;
use super::compact::{Compact, TEXT_BYTES_MAX};
use super::{Refused, bad};

/// What a verified token states.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    issuer: Arc<str>,
    subject: String,
    name: Option<String>,
    roles: Vec<String>,
    purpose: Option<String>,
    crm_user: Option<String>,
    strengthens: bool,
    acr: Option<String>,
    amr: Vec<String>,
    auth_time: Option<i64>,
    is_bound: bool,
}

impl Claims {
    /// Those of a token that a test supposes.
    pub(in crate::identity) fn supposed(issuer: &str, roles: Vec<String>) -> Self {
        Self {
            issuer: issuer.into(),
            subject: "supposed".to_owned(),
            name: None,
            roles,
            purpose: None,
            crm_user: None,
            strengthens: false,
            acr: None,
            amr: Vec::new(),
            auth_time: None,
            is_bound: false,
        }
    }

    /// Whether only the holder of a certificate may show it: then both are one proof.
    pub fn is_bound(&self) -> bool {
        self.is_bound
    }

    /// The name of the issuer in the configuration.
    pub fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// Who asks, as the issuer names them.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// How they are called, for people.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Their roles at the issuer.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Why they ask.
    pub fn purpose(&self) -> Option<&str> {
        self.purpose.as_deref()
    }

    /// The user of the CRM whose session the token may strengthen.
    pub fn crm_user(&self) -> Option<&str> {
        self.crm_user.as_deref()
    }

    /// Whether tokens of this issuer may strengthen sessions of the CRM.
    pub fn strengthens(&self) -> bool {
        self.strengthens
    }

    /// The class of authentication.
    pub fn acr(&self) -> Option<&str> {
        self.acr.as_deref()
    }

    /// The methods of authentication.
    pub fn amr(&self) -> &[String] {
        &self.amr
    }

    /// When they authenticated, in seconds since 1970.
    pub fn auth_time(&self) -> Option<i64> {
        self.auth_time
    }
}

impl fmt::Debug for Claims {
    /// Nothing of what the token says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// The claims of a token, and what bounds their use. Times in milliseconds since 1970.
pub(super) struct Stated {
    pub(super) claims: Arc<Claims>,
    expires: i64,
    issued: i64,
    not_before: Option<i64>,
    authenticated: Option<i64>,
    /// The hash of the certificate that it is bound to.
    bound_to: Option<[u8; 32]>,
}

/// What the claims say of whom the token is from and for; nothing is proved.
pub(super) struct Addressed<'a> {
    pub(super) issuer: &'a str,
    audiences: Vec<&'a str>,
}

impl<'a> Addressed<'a> {
    pub(super) fn read(claims: &'a Value) -> Result<Self, &'static str> {
        let issuer = claims.get("iss").ok_or("`iss` is missing")?;
        let audiences = match claims.get("aud").ok_or("`aud` is missing")? {
            Value::String(audience) => Some(vec![audience.as_str()]),
            Value::Array(audiences) => audiences.iter().map(Value::as_str).collect(),
            _ => None,
        };
        Ok(Self {
            issuer: issuer.as_str().ok_or("`iss` is not a text")?,
            audiences: audiences.ok_or("`aud` is neither a text nor a list of texts")?,
        })
    }

    pub(super) fn is_for(&self, audience: &str) -> bool {
        self.audiences.contains(&audience)
    }
}

impl Stated {
    /// Reads the claims of a token of an issuer; what is wrong with them whenever they are looked at.
    pub(super) fn read(
        token: &Compact<'_>,
        claims: &Value,
        issuer: &Issuer,
        name: &Arc<str>,
    ) -> Result<Self, &'static str> {
        let members = claims.as_object().ok_or("its claims are not an object")?;
        is_for_access(token, members, issuer.kind.as_deref())?;
        is_for_party(members, &issuer.parties)?;
        let date = |name| members.get(name).map(date).transpose();
        let issued = date("iat")
            .map_err(|()| "`iat` is not a date")?
            .ok_or("`iat` is missing")?;
        let expires = date("exp")
            .map_err(|()| "`exp` is not a date")?
            .ok_or("`exp` is missing")?;
        let not_before = date("nbf").map_err(|()| "`nbf` is not a date")?;
        let authenticated = date("auth_time").map_err(|()| "`auth_time` is not a date")?;
        if expires <= issued {
            return Err("it ends before it begins");
        }
        if expires.abs_diff(issued) > milliseconds(issuer.lifetime_max) {
            return Err("it lives longer than `lifetime_max`");
        }
        one_text(members.get("sub").ok_or("`sub` is missing")?)
            .ok_or("`sub` is not a short text")?;
        let paths = &issuer.claims;
        let one = |path: Option<&ClaimPath>, why| match path {
            None => Ok(None),
            Some(path) => single(path, claims).map_err(|()| why),
        };
        let subject = one(Some(&paths.id), "the claim for `id` is not one short text")?;
        let claims = Claims {
            issuer: name.clone(),
            subject: subject.ok_or("the claim for `id` is missing")?,
            name: one(
                paths.name.as_ref(),
                "the claim for `name` is not one short text",
            )?,
            roles: paths
                .roles
                .as_ref()
                .map_or(Ok(Vec::new()), |path| roles(path, claims))?,
            purpose: one(
                paths.purpose.as_ref(),
                "the claim for `purpose` is not one short text",
            )?,
            crm_user: one(
                issuer.crm_user.as_ref(),
                "the claim for `crm_user` is not one short text",
            )?,
            strengthens: issuer.crm_user.is_some(),
            acr: members
                .get("acr")
                .map(|acr| one_text(acr).ok_or("`acr` is not a short text"))
                .transpose()?,
            amr: members.get("amr").map_or(Ok(Vec::new()), methods)?,
            auth_time: authenticated.map(|time| time.div_euclid(1_000)),
            is_bound: members.contains_key("cnf"),
        };
        Ok(Self {
            claims: Arc::new(claims),
            expires,
            issued,
            not_before,
            authenticated,
            bound_to: members.get("cnf").map(binding).transpose()?,
        })
    }

    /// Whether it is good at this moment, on a connection with this certificate.
    pub(super) fn judge(
        &self,
        now: &Moment,
        skew: Duration,
        certificate: Option<&[u8]>,
    ) -> Result<(), Refused> {
        let skew = i64::try_from(skew.as_millis()).unwrap_or(i64::MAX);
        // A clock that is set back brings nothing back.
        if self.expires.saturating_add(skew) <= now.latest {
            return Err(Refused {
                reason: Reason::TokenExpired,
                ..bad("it has expired")
            });
        }
        let is_ahead = |time: i64| time > now.wall.saturating_add(skew);
        if self.not_before.is_some_and(is_ahead) {
            return Err(bad("it is not valid yet (`nbf`)"));
        }
        if is_ahead(self.issued) {
            return Err(bad(
                "it was issued in the future (`iat`): one of the clocks is wrong",
            ));
        }
        if self.authenticated.is_some_and(is_ahead) {
            return Err(bad(
                "`auth_time` lies in the future: one of the clocks is wrong",
            ));
        }
        match (self.bound_to, certificate) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(bad("it is bound to a certificate, and none was shown")),
            (Some(hash), Some(certificate)) => {
                let is_it = digest(&SHA256, certificate).as_ref() == hash;
                is_it
                    .then_some(())
                    .ok_or_else(|| bad("it is bound to another certificate"))
            }
        }
    }
}

/// An access token is neither an identity token nor news of a logout, and not of a type that something else has.
fn is_for_access(
    token: &Compact<'_>,
    members: &Map<String, Value>,
    kind: Option<&str>,
) -> Result<(), &'static str> {
    match (kind, token.kind.as_deref()) {
        (Some(wanted), Some(kind)) if kind == wanted => {}
        (Some(_), _) => return Err("`typ` of its header is not the issuer's `type`"),
        (None, None | Some("jwt" | "at+jwt")) => {}
        (None, Some(_)) => return Err("`typ` of its header is not that of an access token"),
    }
    for (member, why) in [
        ("nonce", "an ID token (`nonce`) proves nothing here"),
        ("at_hash", "an ID token (`at_hash`) proves nothing here"),
        ("c_hash", "an ID token (`c_hash`) proves nothing here"),
        ("events", "a logout token (`events`) proves nothing here"),
    ] {
        if members.contains_key(member) {
            return Err(why);
        }
    }
    // Some issuers sign all their tokens alike and say only here what they are for.
    match members.get("typ").map(Value::as_str) {
        Some(Some("ID" | "Refresh" | "Offline" | "Logout")) => {
            Err("`typ` of its claims is not that of an access token")
        }
        _ => Ok(()),
    }
}

/// Whether a token was issued to one of some clients. What names a client twice names the same.
fn is_for_party(members: &Map<String, Value>, parties: &[String]) -> Result<(), &'static str> {
    let mut stated = Vec::new();
    for name in ["azp", "client_id"] {
        match members.get(name) {
            None => {}
            Some(Value::String(party)) => stated.push(party),
            Some(_) => return Err("`azp` or `client_id` is not a text"),
        }
    }
    if parties.is_empty() {
        return Ok(());
    }
    if stated.is_empty() || !stated.iter().all(|party| parties.contains(party)) {
        return Err("it was issued to another client (`azp`, `client_id`)");
    }
    Ok(())
}

/// A numeric date (RFC 7519), perhaps with a fraction, between 1970 and 9999.
fn date(value: &Value) -> Result<i64, ()> {
    let Value::Number(number) = value else {
        return Err(());
    };
    let seconds: f64 = number.as_str().parse().map_err(|_| ())?;
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return Err(());
    }
    #[allow(clippy::cast_possible_truncation, reason = "it is within the bounds")]
    Ok((seconds * 1_000.0).floor() as i64)
}

/// A text that says who or what: not empty, not long, without control characters.
fn one_text(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_good = (1..=TEXT_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    is_good.then(|| text.to_owned())
}

/// The only text at a place, or none.
fn single(path: &ClaimPath, claims: &Value) -> Result<Option<String>, ()> {
    match path.select(claims).ok_or(())?.as_slice() {
        [] => Ok(None),
        [value] => one_text(value).map(Some).ok_or(()),
        _ => Err(()),
    }
}

/// The texts at a place; a list there stands for what it holds.
fn roles(path: &ClaimPath, claims: &Value) -> Result<Vec<String>, &'static str> {
    const WHY: &str = "the claim for `roles` holds something that is not a short text";
    let mut roles = Vec::new();
    for value in path.select(claims).ok_or(WHY)? {
        match value {
            Value::Array(values) => {
                for value in values {
                    roles.push(one_text(value).ok_or(WHY)?);
                }
            }
            value => roles.push(one_text(value).ok_or(WHY)?),
        }
    }
    Ok(roles)
}

/// Methods of authentication (RFC 8176).
fn methods(value: &Value) -> Result<Vec<String>, &'static str> {
    let methods = value
        .as_array()
        .and_then(|methods| methods.iter().map(one_text).collect());
    methods.ok_or("`amr` is not a list of short texts")
}

/// The certificate that a token is bound to (RFC 8705). Bound to anything else, nothing here can prove it.
fn binding(value: &Value) -> Result<[u8; 32], &'static str> {
    const WHY: &str = "it is bound (`cnf`) to something that cannot be shown here";
    let members = value.as_object().ok_or(WHY)?;
    let hash = members.get("x5t#S256").filter(|_| members.len() == 1);
    let hash = hash.and_then(Value::as_str).ok_or(WHY)?;
    let bytes = URL_SAFE_NO_PAD.decode(hash).map_err(|_| WHY)?;
    bytes.try_into().map_err(|_| WHY)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The end of the year 9999.
const SECONDS_MAX: f64 = 253_402_300_799.0;

#[cfg(test)]
impl Claims {
    /// What a token of `company` states for tests: roles, and how somebody authenticated.
    pub(crate) fn stated(roles: &[&str], acr: Option<&str>, amr: &[&str]) -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            issuer: "company".into(),
            subject: "s-1".to_owned(),
            name: Some("ada".to_owned()),
            roles: owned(roles),
            purpose: None,
            crm_user: Some("ada".to_owned()),
            strengthens: true,
            acr: acr.map(str::to_owned),
            amr: owned(amr),
            auth_time: None,
            is_bound: false,
        }
    }

    /// The same, for a purpose.
    pub(crate) fn for_purpose(self, purpose: &str) -> Self {
        Self {
            purpose: Some(purpose.to_owned()),
            ..self
        }
    }
}
