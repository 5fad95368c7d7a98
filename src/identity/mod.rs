//! Who is asking, with what evidence.

mod caller;
mod claims;
mod guesses;
mod inquiry;
mod limits;
mod probes;
mod service;
mod sessions;
mod ways;
mod token;

pub use caller::Caller;
pub use claims::{Certificates, Front, Fronted, Keys};
pub use guesses::{Attempt, Guesses};
pub use inquiry::inquire;
pub use limits::{Callers, Origins};
pub use probes::{Probes, Spent};
pub use service::{Held, Service};
pub use sessions::Sessions;
pub use ways::{Judges, Shown, Ways};
pub use token::{Claims, Clock, Explained, Moment, Refused, SetUp, Tokens};

/// Why nothing can be kept as keyed hashes: the system has no randomness.
#[derive(Debug, thiserror::Error)]
#[error("could not make a key: the system gives no randomness")]
pub struct NoRandomness;
