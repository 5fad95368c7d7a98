//! What policy authors work with: tests, proofs, comparisons, discovery. All of it on the engine, guard, filter and
//! write-back of the proxy, never on a model of them.

pub mod bench;
pub mod diff;
pub mod discover;
pub mod formats;
pub mod init;
pub mod matrix;
pub mod replay;
pub mod reports;
mod required;
pub mod sampler;
pub mod scan;
pub mod suite;

pub use required::Required;
