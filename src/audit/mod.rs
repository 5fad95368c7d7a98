//! What happened, without personal data; durable before data leaves.
//!
//! A [`Record`] follows one request and becomes an event; [`Log`] appends events to a folder, one line of canonical
//! JSON each, every line bound to the one before it; [`verify()`], [`query()`] and [`show()`] read such a folder
//! without asking the process that writes it.
//!
//! No type here has a field that could hold a field's value, and names enter only if the policy or the dialect knows
//! them.

mod canonical;
mod chain;
mod classified;
mod clock;
mod disclosure;
mod event;
mod folder;
mod gap;
mod id;
mod kept;
mod log;
mod names;
mod open;
mod page;
mod query;
mod record;
mod refusals;
mod spool;
mod stretch;
mod template;
#[cfg(test)]
mod tests;
mod verdict;
mod verify;
mod writer;

pub use chain::Head;
pub use classified::Classified;
pub use clock::Clock;
pub use event::Event;
pub use folder::{is_being_written, log_bytes};
pub use id::is_id;
pub use kept::is_being_kept;
pub use log::{AuditUnavailable, Durability, Figures, Log, Options};
pub use names::{is_plain_in_any_case, visible};
pub use open::OpenError;
pub use query::{Found, Query, QueryError, Summary, query, show};
pub use record::{Closed, Opened, PolicyStamp, Record, Said};
pub use spool::record_reading;
pub use verdict::{Broken, ClockStep, Fault, Gap, Tampering, Unclosed, Unexpected, Verified};
pub use verify::{verify, verify_against};
