//! Paravent: a privacy-enforcing reverse proxy for CRMs that already exist.
//!
//! A request walks down this list of modules, a reply walks back. Each module hands on a value that only it can make,
//! so the caller can receive nothing else. **A module uses only modules that stand above it**; a test checks that.
//! Read [`pipeline`] first.

// The order is the architecture. Blank lines keep the formatter from sorting it.

// The nouns that every other module speaks in.
pub mod vocabulary;

// Why a request is refused: fixed codes, statuses and texts.
pub mod reason;

// What in a request a refusal is about: a name that goes back to whoever typed it.
pub mod objection;

// What happens often is told once a minute, with a count.
pub mod tally;

// The front door: one reading of a request's head, or a refusal. Makes `Head`.
pub mod door;

// Undoes one content coding of a whole body.
pub mod decode;

// Strict reading of bounded JSON documents.
pub mod json;

// The time of day, as it is told to whoever asks for it.
pub mod clock;

// Bytes as hexadecimal digits.
pub mod hex;

// HTML entities in the texts of a CRM.
pub mod markup;

// Finds identifiers in text: pure functions.
pub mod detect;

// Masks and tokens: pure functions over values.
pub mod mask;

// Reads the files that people name, without waiting for one.
pub mod files;

// Long work beside the requests, which gives way to them.
pub mod background;

// Cells of CSV that no spreadsheet computes.
pub mod spreadsheet;

// Problems in what people wrote, with place, cause and fix; and the YAML reader that knows the places.
pub mod diagnostic;

// What must hold of a record, of whoever asks, and of the moment.
pub mod condition;

// What a request means in a CRM's API, and where the data lies in its reply. Makes `Operation`s.
pub mod dialect;

// What the operator wrote, checked. Makes `Config`.
pub mod config;

// What persons have agreed to and refused. Makes `Recorded`.
pub mod ledger;

// Connections to the CRM: pool, TLS, time-outs, bounds.
pub mod transport;

// Who is asking, with what evidence. Makes `Caller`.
pub mod identity;

// What the caller may have. Makes `Plan`.
pub mod policy;

// What is recorded of consent and told of it: files, receipts, standings in words.
pub mod consent;

// Rebuilds the request within the plan. Makes `Guarded`.
pub mod guard;

// Carries a `Guarded` to the CRM. Makes `Untrusted`.
pub mod upstream;

// Holds the response to the plan as it streams. Makes `Filtered`.
pub mod filter;

// How many records or persons each caller was shown in a while. Makes `Counted`.
pub mod limits;

// What of a write is only a mask coming back. Makes the `Edits` of a write.
pub mod writeback;

// What happened, without personal data; durable before data leaves. Makes `Record`, `Opened` and `Closed`.
pub mod audit;

// The only thing that a caller can receive. Makes `Reply`.
pub mod reply;

// From what this program was built.
pub mod provenance;

// Counters for operators.
pub mod metrics;

// Carries the log to others. Makes nothing; holds nothing back.
pub mod sinks;

// Mails to persons: written with what they tell of, delivered until they are taken. Makes nothing.
pub mod notify;

// The walk itself; read this first.
pub mod pipeline;

// What persons and programs of the house are answered who say what they agree to. Makes `Answer`.
pub mod portal;

// Sockets, TLS, HTTP limits, time-outs, shutdown, admin listener.
pub mod server;

// Looks, before anything starts, whether what a configuration names can be used.
pub mod preflight;

// Looks, while it runs, whether policies and certificates have changed, and puts what is new in force.
pub mod reload;

// Puts the stages together and runs them.
pub mod proxy;

// A small CRM with invented people, to try the product on.
pub mod demo;

// What fuzzers run, on bytes of their own.
#[cfg(any(test, fuzzing))]
pub mod fuzzing;

// Tests, proofs and comparisons of policies, on the walk itself.
pub mod workbench;

// What the access log tells people who answer for it: reports, each in four forms.
pub mod report;

// The command line: one file per command.
pub mod cli;
