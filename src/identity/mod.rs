//! Who is asking, with what evidence.

use std::sync::Arc;
use std::time::Duration;

use crate::dialect::Session;

mod certificate;
mod front;
mod guesses;
mod inquiry;
pub mod key;
mod limits;
mod probes;
mod refused;
mod sessions;

pub use certificate::{Certificates, CertificatesError};
pub use front::{Front, Fronted};
pub use guesses::{Attempt, Guesses};
pub use inquiry::inquire;
pub use key::Keys;
pub use limits::{Callers, Origins};
pub use probes::{Probes, Spent};
pub use refused::Refused;
pub use sessions::Sessions;

/// Why nothing can be kept as keyed hashes: the system has no randomness.
#[derive(Debug, thiserror::Error)]
#[error("could not make a key: the system gives no randomness")]
pub struct NoRandomness;

/// Somebody who authenticated. Made only by `Caller::from_session`, from what the CRM said of a session.
#[derive(Clone, Debug)]
pub struct Caller {
    session: Arc<Session>,
    age: Duration,
}

impl Caller {
    /// The caller whose session the CRM described, `age` ago.
    pub(crate) fn from_session(session: impl Into<Arc<Session>>, age: Duration) -> Self {
        Self {
            session: session.into(),
            age,
        }
    }

    /// The CRM's id of the caller.
    pub fn id(&self) -> &str {
        &self.session.id
    }

    /// The login name.
    pub fn name(&self) -> &str {
        &self.session.name
    }

    /// The type of account: `user`, `admin`.
    pub fn kind(&self) -> &str {
        &self.session.kind
    }

    /// Names of the caller's roles in the CRM.
    pub fn crm_roles(&self) -> &[String] {
        &self.session.roles
    }

    /// Names of the caller's teams in the CRM.
    pub fn crm_teams(&self) -> &[String] {
        &self.session.teams
    }

    /// How long ago the CRM described the session.
    pub fn age(&self) -> Duration {
        self.age
    }
}
