//! Which records a request names.

use std::sync::Arc;

use super::Operation;
use crate::vocabulary::{Action, Module, RecordRef};

impl Operation {
    /// The records that the request names and that must be there. The id that a new record shall have is that of none.
    pub fn named_there(&self) -> Vec<RecordRef> {
        let is_new = self.action == Action::Create;
        let record = self.record.iter().filter(|_| !is_new);
        self.named_with(record)
    }

    /// The records that the request names, as it wrote their ids: those in the path, and those that a relation is made or
    /// ended with.
    pub fn named(&self) -> Vec<RecordRef> {
        self.named_with(self.record.iter())
    }

    fn named_with<'a>(&'a self, record: impl Iterator<Item = &'a String>) -> Vec<RecordRef> {
        let of = |module: Option<&Module>, id: &String| {
            Some(RecordRef {
                module: module?.clone(),
                id: Arc::from(id.as_str()),
            })
        };
        let related = self.related.iter();
        record
            .filter_map(|id| of(self.module.as_ref(), id))
            .chain(self.around.iter().cloned())
            .chain(related.filter_map(|id| of(self.target(), id)))
            .collect()
    }
}
