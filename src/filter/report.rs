//! What a filter did. Never a value.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Index;
use std::sync::Arc;

use crate::detect::Kind;
use crate::policy::FieldRule;
use crate::vocabulary::{FieldPath, RecordRef};

/// What a filter did. Never a value.
#[derive(Debug, Default)]
pub struct Report {
    /// Per field that occurred and is not structural: its rule, and in how many records it was present.
    pub fields: FieldCounts,
    /// Ids of counted records, as the CRM sent them, in order of appearance; a record without a usable id is counted only.
    pub refs: Vec<RecordRef>,
    /// How many counted records there were.
    pub records: u64,
}

/// How often a field occurred.
#[derive(Clone, Debug)]
pub struct FieldCount {
    /// The field's rule.
    pub rule: Arc<FieldRule>,
    /// Records in which it was present.
    pub records: u64,
    /// Identifiers found in its text, by kind.
    pub in_text: BTreeMap<Kind, u64>,
}

/// How often each field occurred, in the order of the fields' paths. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct FieldCounts(Arc<Vec<FieldCount>>);

impl FieldCount {
    /// The field.
    pub fn path(&self) -> FieldPath {
        FieldPath {
            module: self.rule.module.clone(),
            field: self.rule.field.clone(),
        }
    }

    fn cmp_path(&self, path: &FieldPath) -> Ordering {
        (&self.rule.module, &self.rule.field).cmp(&(&path.module, &path.field))
    }
}

impl FieldCounts {
    /// Orders counts of different fields.
    pub(super) fn new(mut counts: Vec<FieldCount>) -> Self {
        counts.sort_by(|one, other| {
            (&one.rule.module, &one.rule.field).cmp(&(&other.rule.module, &other.rule.field))
        });
        Self(Arc::new(counts))
    }

    /// How many fields occurred.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no field occurred.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The count of a field.
    pub fn get(&self, path: &FieldPath) -> Option<&FieldCount> {
        let found = self.0.binary_search_by(|count| count.cmp_path(path));
        found.ok().and_then(|at| self.0.get(at))
    }

    /// Whether a field occurred.
    pub fn contains_key(&self, path: &FieldPath) -> bool {
        self.get(path).is_some()
    }

    /// The fields.
    pub fn keys(&self) -> impl Iterator<Item = FieldPath> {
        self.0.iter().map(FieldCount::path)
    }

    /// The counts.
    pub fn values(&self) -> impl Iterator<Item = &FieldCount> {
        self.0.iter()
    }

    /// The counts, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut FieldCount> {
        Arc::make_mut(&mut self.0).iter_mut()
    }

    /// The fields and their counts.
    pub fn iter(&self) -> impl Iterator<Item = (FieldPath, &FieldCount)> {
        self.0.iter().map(|count| (count.path(), count))
    }
}

impl FromIterator<(FieldPath, FieldCount)> for FieldCounts {
    /// The paths are those of the rules.
    fn from_iter<I: IntoIterator<Item = (FieldPath, FieldCount)>>(counts: I) -> Self {
        Self::new(counts.into_iter().map(|(_, count)| count).collect())
    }
}

impl Index<&FieldPath> for FieldCounts {
    type Output = FieldCount;

    #[expect(
        clippy::expect_used,
        reason = "as of a map: for those who know that the field occurred"
    )]
    fn index(&self, path: &FieldPath) -> &FieldCount {
        self.get(path).expect("the field occurred")
    }
}
