//! What persons have agreed to and refused: a ledger that only grows, and in memory how everybody stands.
//!
//! The store keeps events, each with the hash of the one before it, and names under which persons are found: records of CRMs
//! in the clear, addresses and telephone numbers as MACs. [`Ledger`] writes and reads it, on a thread of its own. [`Standings`]
//! is what the walk asks: whom a record is about, and whether that person's consent is valid; it follows the store within a
//! second, whichever process writes, and says when it does not.

mod address;
mod append;
mod batch;
mod channel;
mod counters;
mod draft;
mod error;
mod event;
mod events;
mod fold;
mod follow;
mod follower;
mod keys;
mod kinds;
mod links;
mod names;
mod newlink;
mod open;
mod outbox;
mod outgoing;
mod person;
mod persons;
mod phone;
mod place;
mod pretended;
mod random;
mod reconcile;
mod reference;
mod refused;
mod room;
mod rows;
mod seal;
mod shown;
mod spelled;
mod standings;
mod store;
mod terms;
#[cfg(test)]
mod tests;
mod verify;
mod worker;

pub use crate::clock::Clock;
pub use address::{Address, AddressError};
pub use channel::Channel;
pub use draft::{Draft, ShownText};
pub use error::{Error, Under};
pub use event::{Event, Recorded};
pub use keys::{KeyKind, KeysError, PersonKeys};
pub use kinds::{ByKind, Kind, Proof};
pub use newlink::NewLink;
pub use open::{Ledger, Settings};
pub use outgoing::{Due, Outgoing};
pub use person::{Name, Person, PersonId, Who};
pub use phone::{Phone, PhoneError};
pub use place::Place;
pub use pretended::Pretended;
pub use reconcile::{Heard, Reconciled, Saying};
pub use reference::{Reference, ReferenceError};
pub use refused::Refused;
pub use shown::{Shown, Use};
pub use standings::{Freshness, Shows, Standings, Whom};
pub use terms::{About, Because, Standing, Terms};
pub use verify::Verdict;
