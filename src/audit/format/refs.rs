//! References to records, by module.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Ids of records by module: `{"Contacts":["c-1"]}`. Ids keep their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::audit) struct Refs(BTreeMap<String, Vec<Arc<str>>>);

impl Refs {
    /// Adds a record. Both words are as they may stand in the log.
    pub(in crate::audit) fn add(&mut self, module: &str, id: Arc<str>) {
        match self.0.get_mut(module) {
            Some(ids) => ids.push(id),
            None => {
                self.0.insert(module.to_owned(), vec![id]);
            }
        }
    }

    /// The modules that they are of.
    pub(in crate::audit) fn modules(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The records as readers see them: `Contacts/c-1`.
    pub(in crate::audit) fn in_full(&self) -> Vec<String> {
        let of = |(module, ids): (&String, &Vec<Arc<str>>)| {
            let one = |id: &Arc<str>| [module, "/", id].concat();
            ids.iter().map(one).collect::<Vec<String>>()
        };
        self.0.iter().flat_map(of).collect()
    }
}

/// The ids of one module.
struct Ids<'a>(&'a [Arc<str>]);

impl Serialize for Ids<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|id| &**id))
    }
}

impl Serialize for Refs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(module, ids)| (module, Ids(ids))))
    }
}

impl<'de> Deserialize<'de> for Refs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = BTreeMap::<String, Vec<String>>::deserialize(deserializer)?;
        let arc = |ids: Vec<String>| ids.into_iter().map(Arc::from).collect();
        Ok(Self(
            read.into_iter()
                .map(|(module, ids)| (module, arc(ids)))
                .collect(),
        ))
    }
}
