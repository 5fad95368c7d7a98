//! Mails to persons. Each is written into the ledger's outbox, sealed, in the transaction of what it tells of; a worker hands
//! it over, to a mail server or into a folder, until that has worked or a day has passed. No address, link or text of a mail is
//! ever in a log, an event or an error.

mod failure;
mod folder;
mod letter;
mod message;
mod pace;
mod smtp;
mod texts;
mod worker;

pub use failure::Failure;
pub use letter::{Letter, Links, Subject};
pub use texts::House;
pub use worker::{Mailer, Postman, SetUpError};

/// The part of the outbox that is the mails'.
pub(crate) const SINK: &str = "mail";
