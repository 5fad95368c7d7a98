//! The promises, tested from outside: over real sockets, with a client that looks at every byte that comes back.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::too_many_lines
)]

mod absences;
mod acceptance;
mod bulk;
mod cli;
mod client_certificates;
mod clients;
mod compared;
mod consent;
mod consent_cli;
mod consent_dialects;
mod consent_sync;
mod consent_withheld;
mod demo_consent;
mod demo_tokens;
mod described;
mod detect;
mod durability;
mod event_sizes;
mod examples;
mod failures;
mod fixtures;
mod guesses;
mod harness;
mod indistinguishable;
mod keys;
mod limits;
mod limits_persons;
mod named;
mod observe;
mod portal;
mod preflight;
mod purposes;
mod readme;
mod recordings;
mod refusals;
mod reload;
mod restricted;
mod retention;
mod rewriting;
mod roles;
mod rows;
mod said_meanwhile;
mod schema;
mod second_reading;
mod server;
mod service;
mod signals;
mod situations;
mod statements;
mod streams;
mod sugar_v4;
mod suitecrm_v8;
mod tidy;
mod upstream;
mod verdict;
mod walkthrough;
mod watched;
mod ways;
mod workbench_discover;
mod workbench_suites;
mod writes;
