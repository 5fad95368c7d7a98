//! What judges the proofs of all listeners of one proxy.

use std::sync::Arc;

use super::key::KeysError;
use super::token::SetUp;
use super::{Certificates, CertificatesError, Front, Keys, Tokens, Ways};
use crate::config::{Config, Listener, Way};

/// What judges the proofs of all listeners of one proxy: issuers of tokens, API keys, an authenticating proxy. Clones are the
/// same.
#[derive(Clone, Debug, Default)]
pub struct Authorities {
    tokens: Option<Arc<Tokens>>,
    keys: Option<Arc<Keys>>,
    front: Option<Arc<Front>>,
}

/// Why proofs cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum Unjudged {
    /// Tokens.
    #[error(transparent)]
    Tokens(#[from] SetUp),
    /// API keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Client certificates.
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
}

impl Authorities {
    /// Those that a configuration names. Nobody is asked yet.
    ///
    /// # Errors
    /// If one of them cannot be used.
    pub fn new(config: &Config) -> Result<Self, Unjudged> {
        let identity = &config.identity;
        let tokens = match identity.issuers.as_slice() {
            [] => None,
            issuers => Some(Arc::new(Tokens::new(issuers)?)),
        };
        let keys = match (&identity.keys, config.api_key()) {
            (Some(keys), Some(secret)) => Some(Arc::new(Keys::open(&keys.file.value, secret)?)),
            _ => None,
        };
        let front = identity.front.as_ref();
        Ok(Self {
            tokens,
            keys,
            front: front.map(|front| Arc::new(Front::new(front))),
        })
    }

    /// The same with issuers of tokens.
    #[must_use]
    pub fn with_tokens(self, tokens: Arc<Tokens>) -> Self {
        Self {
            tokens: Some(tokens),
            ..self
        }
    }

    /// The issuers of tokens.
    pub fn tokens(&self) -> Option<&Arc<Tokens>> {
        self.tokens.as_ref()
    }

    /// The API keys.
    pub fn keys(&self) -> Option<&Arc<Keys>> {
        self.keys.as_ref()
    }

    /// The ways of a listener.
    ///
    /// # Errors
    /// If its client certificates cannot be judged.
    pub fn ways(&self, listener: &Listener) -> Result<Ways, Unjudged> {
        let clients = listener.tls.as_ref().and_then(|tls| tls.clients.as_ref());
        let certificates = match clients {
            Some(clients) => Some(Arc::new(Certificates::new(clients)?)),
            None => None,
        };
        let accepts = |way| listener.ways.contains(&way);
        Ok(Ways {
            tokens: self.tokens.clone(),
            keys: self.keys.clone().filter(|_| accepts(Way::Key)),
            front: self.front.clone().filter(|_| accepts(Way::Front)),
            certificates,
            ..Ways::new(listener.ways.clone())
        })
    }
}
