//! Which records a request names.

use std::sync::Arc;

use super::Operation;
use crate::vocabulary::{Module, RecordRef};

impl Operation {
    /// The records that the request names, as it wrote their ids: the one in the path, and those that a relation is made
    /// or ended with.
    pub fn named(&self) -> Vec<RecordRef> {
        let of = |module: Option<&Module>, id: &String| {
            Some(RecordRef {
                module: module?.clone(),
                id: Arc::from(id.as_str()),
            })
        };
        let record = self.record.iter();
        let related = self.related.iter();
        record
            .filter_map(|id| of(self.module.as_ref(), id))
            .chain(related.filter_map(|id| of(self.target(), id)))
            .collect()
    }
}
