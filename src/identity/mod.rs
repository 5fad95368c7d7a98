//! Who is asking, with what evidence.

mod authorities;
mod caller;
mod certificate;
mod front;
mod guesses;
mod inquiry;
pub mod key;
mod limits;
mod probes;
mod refused;
mod service;
mod sessions;
mod token;
mod ways;

pub use authorities::{Authorities, Unjudged};
pub use caller::Caller;
pub(crate) use caller::{Supposed, SupposedProof};
pub use certificate::{Certificates, CertificatesError, TrustAnchors};
pub use front::{Front, Fronted};
pub use guesses::{Attempt, Guesses};
pub use inquiry::inquire;
pub use key::Keys;
pub(crate) use limits::network;
pub use limits::{Callers, Origins};
pub use probes::{Probes, Spent};
pub use refused::Refused;
pub use service::{Held, Service};
pub use sessions::Sessions;
pub use token::{Claims, Clock, Explained, Moment, SetUp, Tokens};
pub use ways::{Judges, Shown, Ways};

/// Why nothing can be kept as keyed hashes: the system has no randomness.
#[derive(Debug, thiserror::Error)]
#[error("could not make a key: the system gives no randomness")]
pub struct NoRandomness;
