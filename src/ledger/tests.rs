//! Tests of the ledger: its rules against a slow oracle, and what it promises, over each of its stores.

mod bounds;
mod damage;
mod memory;
mod oracle;
mod promises;
mod rules;
mod stage;
mod whose;
