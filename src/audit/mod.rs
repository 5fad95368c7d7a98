//! What happened, without personal data; durable before data leaves.
//!
//! A [`Record`] follows one request and becomes an event; [`Log`] appends events to a folder, one line of canonical
//! JSON each, every line bound to the one before it; [`verify()`], [`query()`] and [`show()`] read such a folder
//! without asking the process that writes it. What the lines are made of stands in `format`, and nowhere else.
//!
//! No type here has a field that could hold a field's value, and names enter only if the policy or the dialect knows
//! them.

mod access;
pub mod bundle;
mod canonical;
mod chain;
mod checkpoints;
mod classified;
mod compress;
mod consents;
mod disclosure;
mod event;
mod events;
mod expand;
mod folder;
mod follow;
mod format;
mod gap;
mod housekeeping;
mod id;
mod identity;
mod index;
mod kept;
mod keys;
mod log;
mod memory;
mod names;
pub mod note;
mod open;
mod page;
mod policies;
mod pruned;
mod publish;
mod query;
mod record;
mod refusals;
mod reread;
mod retention;
mod room;
mod seekable;
mod seen;
mod sharing;
mod signer;
mod signing;
mod spool;
mod stretch;
#[cfg(test)]
mod tests;
pub mod tree;
mod upstreams;
mod verdict;
mod verify;
mod walk;
mod writer;

pub use crate::clock::Clock;
pub use access::{Access, Shown};
pub use chain::Head;
pub use classified::Classified;
pub use consents::follow_consents;
pub use event::{By, Event, Loaded};
pub use events::{Found, events};
pub use folder::{holds_log, is_being_written, log_bytes};
pub use follow::{Batch, Bounds, Followed, Follower, Remark, Step, Why};
pub use id::{is_id, new as new_id};
pub use identity::LogTree;
pub use index::{Built, Indexed, Keeper, keep, reindex};
pub use kept::is_being_kept;
pub use keys::follow_keys;
pub use log::{AuditUnavailable, Durability, Figures, Log, Options};
pub use names::{ascii, is_plain_in_any_case, visible};
pub use open::OpenError;
pub use policies::keep_in_force;
pub use pruned::pruned_up_to;
pub use publish::{Bearer, Place, Target};
pub use query::{Page, Pages, Query, QueryError, Summary, query, show, time};
pub use record::{
    Addressed, Arrival, Arrived, Closed, Decided, Envelope, Identified, Meaning, Opened,
    PolicyStamp, Record, Said, Unanswered,
};
pub use reread::{LimitTold, Reread};
pub use room::Room;
pub use seen::{Datum, Part, Seen, Spot, Use, events_at_least, stretch};
pub use signer::{Checkpoints, Published, Signing};
pub use signing::SigningKeys;
pub use spool::{Reader, Sampling, record_reading, record_sampling, samplings_waiting};
pub use verdict::{
    Broken, Checked, ClockStep, Fault, Gap, Identity, KeyInForce, Pruning, Signer, Standing,
    Tampering, Unclosed, Unexpected, Verified,
};
pub use verify::{Findings, Given, KnownGap, Outside, Reliance, examine, verify, verify_against};
