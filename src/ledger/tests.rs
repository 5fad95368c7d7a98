//! Tests of the ledger over its stores.
