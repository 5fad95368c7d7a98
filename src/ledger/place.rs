//! Where a ledger is.

use std::path::PathBuf;

use crate::config::Postgres;

/// Where a ledger is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file, `ledger.db`, in the folder of the state.
    Folder(PathBuf),
    /// A database that several nodes share.
    Postgres(Postgres),
}
