//! What CRMs make of the texts that they are sent, modelled from their sources: they decode them, build SQL or a tree of
//! conditions, and rewrite that. Nothing here knows the proxy, so that tests of every kind can hold it against it.

pub mod dolibarr;
pub mod espocrm;
pub mod php;
#[cfg(test)]
pub mod rows;
pub mod sql;
pub mod suitecrm;
