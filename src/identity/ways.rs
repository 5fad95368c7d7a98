//! The ways of a listener: what a request shows for who the caller is, and whose proof it is.
//!
//! A caller proves who they are in exactly one way, or by a session of the CRM that a token strengthens. Whatever is
//! unclear is no.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use rustls_pki_types::CertificateDer;

use super::{
    Caller, Certificates, Claims, Front, Fronted, Guesses, Keys, Refused, Sessions, Supposed,
    Tokens, key,
};
use crate::config::Way;
use crate::door::Credential;
use crate::reason::Reason;

/// The ways that a listener accepts, and what judges each.
#[derive(Clone, Debug)]
pub struct Ways {
    /// The ways.
    pub accepted: Vec<Way>,
    /// All issuers of the proxy, also where no token is accepted: theirs never go to a CRM.
    pub tokens: Option<Arc<Tokens>>,
    /// API keys.
    pub keys: Option<Arc<Keys>>,
    /// Client certificates of this listener.
    pub certificates: Option<Arc<Certificates>>,
    /// The authenticating proxy before this one.
    pub front: Option<Arc<Front>>,
    /// Whoever asks, where a test supposes it.
    pub(crate) supposed: Option<Caller>,
}

/// What a request shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// A credential of the CRM.
    pub credential: Option<&'a Credential>,
    /// A token.
    pub token: Option<&'a Credential>,
    /// An API key.
    pub key: Option<&'a Credential>,
    /// Headers of an authenticating proxy.
    pub front: &'a HeaderMap,
    /// The certificates of the connection.
    pub certificates: &'a [CertificateDer<'static>],
    /// The other end of the connection.
    pub peer: IpAddr,
    /// Where the request came from.
    pub origin: IpAddr,
}

/// What the session of a caller is looked up with, and what names of certificates the policy knows.
pub struct Judges<'a> {
    /// Sessions of the CRM.
    pub sessions: &'a Sessions,
    /// Proofs that were not accepted, by origin.
    pub impostors: &'a Guesses,
    /// The API version of the request.
    pub version: &'a str,
    /// Whether the policy names this name of a certificate.
    pub names: &'a (dyn Fn(&str) -> bool + Sync),
}

impl Default for Ways {
    /// Sessions of the CRM alone.
    fn default() -> Self {
        Self::new(vec![Way::CrmSession])
    }
}

impl Ways {
    /// These ways, with nothing behind them but the CRM.
    pub fn new(accepted: Vec<Way>) -> Self {
        Self {
            accepted,
            tokens: None,
            keys: None,
            certificates: None,
            front: None,
            supposed: None,
        }
    }

    /// No way at all: whatever a request shows, it is this caller's. For tests of policies, before a CRM that there is not;
    /// no listener can have them, for no configuration says so.
    pub(crate) fn supposing(supposed: &Supposed) -> Self {
        Self {
            supposed: Some(supposed.caller()),
            ..Self::new(Vec::new())
        }
    }

    /// Whether the caller is only supposed: then nobody has a session to call the CRM with, nor is there a CRM to call.
    pub(crate) fn only_suppose(&self) -> bool {
        self.supposed.is_some()
    }

    /// Whether a way is accepted.
    pub fn accept(&self, way: Way) -> bool {
        self.accepted.contains(&way)
    }

    /// Whether there is no other way.
    pub fn are_only(&self, way: Way) -> bool {
        self.accepted == [way]
    }

    /// Why proofs of some way cannot be judged as they should now.
    pub fn problem(&self) -> Option<Cow<'static, str>> {
        let issuer = self.tokens.as_ref().and_then(|tokens| tokens.unready());
        if let Some(issuer) = issuer {
            let problem = format!("the keys of the issuer `{issuer}` are not known, or too old");
            return Some(problem.into());
        }
        if let Some(keys) = &self.keys {
            keys.look();
            if !keys.is_current() {
                return Some("the file of API keys cannot be read".into());
            }
        }
        let mut certificates = self.certificates.iter();
        certificates
            .any(|certificates| !certificates.is_current())
            .then_some("the list of revoked certificates cannot be read".into())
    }

    /// Why a credential of the CRM is none: a token of a configured issuer, or an API key, stands in its place, perhaps as
    /// the password of a pair. Such a one never goes to a CRM.
    pub fn misplaced(&self, credential: &Credential) -> Option<Reason> {
        let mut texts = credential.texts().into_iter();
        texts.find_map(|text| self.is_proof(&text))
    }

    /// The same of what logs in or renews a session, which is read word by word.
    pub fn misplaced_in(&self, body: &[u8]) -> Option<Reason> {
        let is_within = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
        let mut words = body.split(|byte| !is_within(byte));
        words.find_map(|word| self.is_proof(std::str::from_utf8(word).ok()?))
    }

    /// Why a text is for nobody but this proxy.
    fn is_proof(&self, text: &str) -> Option<Reason> {
        let mut tokens = self.tokens.iter();
        if tokens.any(|tokens| tokens.is_ours(text)) {
            return Some(Reason::BadToken);
        }
        key::is_key(text).then_some(Reason::BadKey)
    }

    /// Whether a request shows more than may come with a credential of the CRM.
    ///
    /// # Errors
    /// If somebody claims to be an authenticating proxy who is none.
    pub fn show_another(&self, shown: &Shown<'_>) -> Result<bool, Reason> {
        let fronted = self.fronted_by(shown)?.is_some();
        Ok(fronted || shown.key.is_some() || self.has_certificate(shown))
    }

    /// Whether the headers of an authenticating proxy come from that proxy alone, whatever is asked.
    ///
    /// # Errors
    /// If somebody else sends them.
    pub fn check_front(&self, shown: &Shown<'_>) -> Result<(), Reason> {
        self.fronted_by(shown).map(|_| ())
    }

    /// Who a request comes from.
    ///
    /// # Errors
    /// If it shows nothing, something that is not accepted, or more than one thing.
    pub async fn identify(&self, shown: &Shown<'_>, judges: &Judges<'_>) -> Result<Caller, Reason> {
        if let Some(caller) = &self.supposed {
            return Ok(caller.clone());
        }
        // What sessions do not need is in boxes, so that requests of sessions do not carry its room along.
        let fronted = self.fronted_by(shown)?;
        let ways = [
            (Way::CrmSession, shown.credential.is_some()),
            (Way::Token, shown.token.is_some()),
            (Way::Key, shown.key.is_some()),
            (Way::Front, fronted.is_some()),
            (Way::Certificate, self.has_certificate(shown)),
        ];
        let ways: Vec<Way> = ways
            .into_iter()
            .filter(|(_, is_shown)| *is_shown)
            .map(|(way, _)| way)
            .collect();
        if ways.iter().any(|way| !self.accept(*way)) {
            return Err(Reason::WayNotAccepted);
        }
        if let Some(reason) = shown.credential.and_then(|one| self.misplaced(one)) {
            return Err(reason);
        }
        match (ways.as_slice(), shown.credential, shown.token, shown.key) {
            ([], ..) => Err(Reason::NoCredential),
            ([Way::CrmSession], Some(credential), ..) => {
                self.session(credential, shown, judges).await
            }
            ([Way::CrmSession, Way::Token], Some(credential), Some(token), _) => {
                Box::pin(self.strengthened((credential, token), shown, judges)).await
            }
            ([Way::Token, rest @ ..], _, Some(token), _)
                if rest.is_empty() || rest == [Way::Certificate] =>
            {
                let claims = Box::pin(self.claims(token, shown, judges)).await?;
                // A token that is bound to the certificate is one proof with it; else there are two.
                if !rest.is_empty() && !claims.is_bound() {
                    return Err(Reason::TwoCredentials);
                }
                let ago = self.ago(&claims);
                Ok(Caller::from_token(claims, ago))
            }
            ([Way::Key], .., Some(key)) => {
                let keys = self.keys.as_ref().ok_or(Reason::WayNotAccepted)?;
                let found = keys.verify(key.token(), shown.peer);
                let name = Box::pin(self.judged(found, shown, judges)).await?;
                Ok(Caller::from_key(name))
            }
            ([Way::Front], ..) => fronted.map(Caller::from_front).ok_or(Reason::NoCredential),
            ([Way::Certificate], ..) => Box::pin(self.certificate(shown, judges)).await,
            _ => Err(Reason::TwoCredentials),
        }
    }

    fn fronted_by(&self, shown: &Shown<'_>) -> Result<Option<Arc<Fronted>>, Reason> {
        match &self.front {
            None => Ok(None),
            Some(front) => Ok(front.verify(shown.peer, shown.front)?.map(Arc::new)),
        }
    }

    /// Whether the connection has a certificate that may say who the caller is. Where it cannot, tokens may be bound to it.
    fn has_certificate(&self, shown: &Shown<'_>) -> bool {
        !shown.certificates.is_empty() && self.accept(Way::Certificate)
    }

    async fn session(
        &self,
        credential: &Credential,
        shown: &Shown<'_>,
        judges: &Judges<'_>,
    ) -> Result<Caller, Reason> {
        let sessions = judges.sessions;
        sessions
            .identify(credential, judges.version, shown.origin)
            .await
    }

    /// The session's user, with what a token of the same user adds.
    async fn strengthened(
        &self,
        (credential, token): (&Credential, &Credential),
        shown: &Shown<'_>,
        judges: &Judges<'_>,
    ) -> Result<Caller, Reason> {
        let claims = self.claims(token, shown, judges).await?;
        // A token of an issuer that says nothing of the CRM's users is a second proof.
        if !claims.strengthens() {
            return Err(Reason::TwoCredentials);
        }
        let caller = self.session(credential, shown, judges).await?;
        let same = |user: &str| user.eq_ignore_ascii_case(caller.name());
        if !claims.crm_user().is_some_and(same) {
            return Err(Reason::ProofsDiffer);
        }
        let ago = self.ago(&claims);
        Ok(caller.strengthened(claims, ago))
    }

    async fn claims(
        &self,
        token: &Credential,
        shown: &Shown<'_>,
        judges: &Judges<'_>,
    ) -> Result<Arc<Claims>, Reason> {
        let tokens = self.tokens.as_ref().ok_or(Reason::WayNotAccepted)?;
        let certificate = shown.certificates.first().map(AsRef::as_ref);
        let verified = tokens.verify(token.token(), certificate).await;
        let claims = self.judged(verified, shown, judges).await?;
        if let (true, Some(certificates)) = (claims.is_bound(), &self.certificates) {
            // What the token is bound to must still count.
            let judged = certificates.judge(shown.certificates);
            self.judged(judged, shown, judges).await?;
        }
        Ok(claims)
    }

    /// How long ago somebody authenticated. What lies ahead is nobody's past.
    fn ago(&self, claims: &Claims) -> Option<Duration> {
        self.tokens.as_ref()?.age(claims)
    }

    /// The holder of the connection's certificate: exactly one of its names is one that the policy names.
    async fn certificate(&self, shown: &Shown<'_>, judges: &Judges<'_>) -> Result<Caller, Reason> {
        let certificates = self.certificates.as_ref().ok_or(Reason::WayNotAccepted)?;
        let judged = certificates.judge(shown.certificates);
        let names = self.judged(judged, shown, judges).await?;
        let mut known = names.iter().filter(|name| (judges.names)(name));
        match (known.next(), known.next()) {
            (Some(name), None) => Ok(Caller::from_certificate(name)),
            _ => Err(Reason::BadCertificate),
        }
    }

    /// What was accepted. What was not is told to the operator, and slows its origin down.
    async fn judged<T>(
        &self,
        judged: Result<T, impl Into<Refused>>,
        shown: &Shown<'_>,
        judges: &Judges<'_>,
    ) -> Result<T, Reason> {
        let refused = match judged {
            Ok(accepted) => return Ok(accepted),
            Err(refused) => refused.into(),
        };
        tracing::debug!(
            reason = refused.reason.code(),
            why = refused.why,
            "a proof was not accepted"
        );
        // A token that was good has only to be renewed: that is no guess.
        if refused.reason.status() == 401 && refused.reason != Reason::TokenExpired {
            let attempt = judges.impostors.attempt(shown.origin, None).await?;
            attempt.failed();
        }
        Err(refused.reason)
    }
}
