//! What is recorded of consent and told of it, above the ledger and below whoever asks: what a policy says of it, how a person
//! stands in words, files that come in and go out, receipts.
//!
//! Nothing here reads or writes the policy or the CRM; everything that is recorded goes through [`crate::ledger::Ledger`], and
//! everything that is told of a person leaves a note for the access log in its outbox.

mod export;
mod import;
mod moment;
mod note;
mod policy_terms;
mod receipt;
mod signer;
mod standing;
mod sync;
#[cfg(test)]
mod tests;
mod told;

pub use export::{Export, Exported};
pub use import::{Checked, Import, NoLines, Wrong};
pub use moment::{NoMoment, moment};
pub use note::Note;
pub use policy_terms::{PolicyTerms, Purpose, age, proof};
pub use receipt::{Maker, Receipt};
pub use signer::{NoSigner, Signer};
pub use standing::{Answer, Stand, answer, denial};
pub use sync::{Sayings, sayings};
pub use told::{event, time};
