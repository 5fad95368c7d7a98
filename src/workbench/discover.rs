//! What a CRM holds, field by field: how often a field is filled, what it looks like, what the policy says of it, and what it
//! most likely is. Keeps counts, never values.

use std::sync::Arc;

use crate::dialect::survey::Row as Record;
use crate::dialect::{Modules, Schema};

mod additions;
mod compile;
mod counts;
mod dictionary;
mod looks;
mod policies;
mod report;
mod schema_file;
mod suggest;

pub(in crate::workbench) use additions::key;
pub use additions::{Additions, MARK, NEW_FILE, NotAdded};
pub use compile::compiled;
pub(in crate::workbench) use counts::stands_in;
pub use counts::{FieldCounts, ModuleCounts, lexicon};
pub use dictionary::Dictionary;
pub use looks::Look;
pub(in crate::workbench) use looks::leaves;
pub use policies::{NotWritten, Suggestions, suggestions, write};
pub use report::{Row, open, report};
pub use schema_file::{NoSchema, SchemaText, schema_text};
pub use suggest::Verdict;

use super::sampler::{Catalogue, State};

/// What was found in a CRM.
#[derive(Debug)]
pub struct Found {
    /// What it says of itself.
    pub catalogue: Catalogue,
    /// What was counted.
    pub state: State<ModuleCounts>,
}

/// How a record is counted, where so much is known of the CRM.
pub fn counting(schema: Arc<Schema>) -> impl Fn(&mut ModuleCounts, &Record<'_>) + Sync {
    let lexicon = lexicon();
    move |counts, row| counts.add(row, &schema, &lexicon)
}

/// What is known of a CRM with all that it says of itself.
pub fn grown(schema: &Schema, said: Modules) -> Arc<Schema> {
    schema.and(said).0
}
