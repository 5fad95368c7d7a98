//! What is kept of records: counts. No type here has a member that could hold a value.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::looks::{Look, leaves};
use crate::detect::statement::{Certainty, Languages, Lexicon};
use crate::detect::{self, Kind};
use crate::dialect::survey::Row;
use crate::dialect::{Origin, Schema};
use crate::vocabulary::{Field, Module};
use crate::workbench::sampler::{Read, is_name};

/// Fields of a module of which is counted.
const FIELDS_MAX: usize = 20_000;
/// Bytes of a text that is searched.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// What was counted of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleCounts {
    /// Its fields, by their names as the CRM writes them first.
    pub fields: BTreeMap<String, FieldCounts>,
    /// Keys of records that are no names of fields.
    pub odd_names: u64,
}

/// What was counted of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldCounts {
    /// Records that have it.
    pub seen: u64,
    /// Records in which it is not blank.
    pub filled: u64,
    /// Records by what it looks like there.
    pub looks: BTreeMap<Look, u64>,
    /// Records in whose text something of a category stands.
    pub holds: BTreeMap<String, u64>,
    /// Records in which it is a list or an object.
    pub lists: u64,
}

impl FieldCounts {
    /// Records that look like something.
    pub fn looking(&self, look: Look) -> u64 {
        self.looks.get(&look).copied().unwrap_or_default()
    }

    /// Records whose value looked like anything.
    pub fn looked(&self) -> u64 {
        self.looks.values().sum()
    }

    /// What most of them look like.
    pub fn mostly(&self) -> Option<(Look, u64)> {
        let most = self
            .looks
            .iter()
            .max_by_key(|(look, count)| (**count, std::cmp::Reverse(**look)));
        most.map(|(look, count)| (*look, *count))
    }
}

impl ModuleCounts {
    /// Counts a record.
    pub fn add(&mut self, row: &Row<'_>, schema: &Schema, lexicon: &Lexicon) {
        for (name, value) in &row.fields {
            if !is_name(name) {
                self.odd_names += 1;
                continue;
            }
            let is_room = self.fields.len() < FIELDS_MAX || self.fields.contains_key(*name);
            if !is_room {
                self.odd_names += 1;
                continue;
            }
            let origin = schema.origin(row.module, name);
            let counts = self.fields.entry((*name).to_owned()).or_default();
            counts.add(value, &origin, lexicon);
        }
    }
}

impl FieldCounts {
    fn add(&mut self, value: &Value, origin: &Origin, lexicon: &Lexicon) {
        self.seen += 1;
        let items = match origin {
            Origin::Items(items) | Origin::CopyItems { items, .. } => Some(items),
            _ => None,
        };
        self.lists += u64::from(value.is_array() || value.is_object());
        // A secret is not even looked at; records of another module are counted there.
        let is_looked_at = matches!(
            origin,
            Origin::Own | Origin::Items(_) | Origin::CopyItems { .. } | Origin::Copy { .. }
        );
        let leaves = leaves(value, items);
        let looks: BTreeSet<Look> = leaves.iter().copied().filter_map(Look::of).collect();
        self.filled += u64::from(!looks.is_empty());
        if !is_looked_at {
            return;
        }
        if let Some(look) = looks.first() {
            *self.looks.entry(*look).or_default() += 1;
        }
        if looks.contains(&Look::Prose) {
            let texts = leaves.iter().filter_map(|leaf| leaf.as_str());
            let found: BTreeSet<String> = texts
                .flat_map(|text| stands_in(text, lexicon))
                .map(|(category, _)| category.to_owned())
                .collect();
            for category in found {
                *self.holds.entry(category).or_default() += 1;
            }
        }
    }
}

/// Every language that statements are found in.
pub fn lexicon() -> std::sync::Arc<Lexicon> {
    Lexicon::of(Languages::all())
}

/// The categories of what stands in a text, each with the most certain of its finds. What a checksum or a form tells is
/// certain.
pub(in crate::workbench) fn stands_in(
    text: &str,
    lexicon: &Lexicon,
) -> BTreeMap<&'static str, Certainty> {
    let mut found = BTreeMap::new();
    if text.len() > TEXT_BYTES_MAX {
        return found;
    }
    for span in detect::find_where(text, &|_| true) {
        let certainty = match span.kind.has_checksum() || span.kind == Kind::Mail {
            true => Certainty::Certain,
            false => Certainty::Likely,
        };
        note(&mut found, span.kind.category(), certainty);
    }
    for statement in detect::read_statements(text, lexicon) {
        note(&mut found, statement.topic.category(), statement.certainty);
    }
    found
}

fn note(
    found: &mut BTreeMap<&'static str, Certainty>,
    category: &'static str,
    certainty: Certainty,
) {
    let known = found.entry(category).or_insert(certainty);
    *known = (*known).max(certainty);
}

/// A module's fields as they are named together: by the CRM in records, in its description, and by what is known of it.
pub(super) fn all_fields(
    module: &Module,
    read: Option<&Read<ModuleCounts>>,
    told: impl Iterator<Item = Field>,
    schema: &Schema,
) -> BTreeMap<Field, String> {
    let mut names: BTreeMap<Field, String> = told
        .map(|field| (field.clone(), field.as_str().to_owned()))
        .collect();
    let is_sampled = read.is_some_and(|read| read.cursor.read > 0);
    if names.is_empty() && !is_sampled {
        let known = schema.fields(module).into_iter();
        names.extend(known.map(|field| (field.clone(), field.as_str().to_owned())));
    }
    for name in read.iter().flat_map(|read| read.tally.fields.keys()) {
        names.insert(Field::fold(name), name.clone());
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialect::usual;

    #[test]
    fn counts_hold_no_value() {
        let schema = usual().schema().clone();
        let module = Module::new("Contacts");
        let values = [
            ("iban_c", json!("FR7630006000011234567890189")),
            (
                "description",
                json!("Please pay to FR76 3000 6000 0112 3456 7890 189, she said, before the end."),
            ),
            (
                "email",
                json!([{"email_address": "odile@example.com", "primary_address": "1"}]),
            ),
            ("portal_password", json!("Secret-7")),
            ("FR7630006000011234567890189", json!(1)),
            ("no name!", json!(1)),
            ("blank_c", json!("")),
        ];
        let fields = values.iter().map(|(name, value)| (*name, value)).collect();
        let row = Row {
            module: &module,
            id: Some("c-1"),
            fields,
            spelling: crate::vocabulary::Spelling::Plain,
            confirmations: None,
        };
        let mut counts = ModuleCounts::default();
        counts.add(&row, &schema, &lexicon());
        let text = serde_json::to_string(&counts).unwrap();
        for value in ["FR76", "odile", "Secret-7", "c-1", "no name"] {
            assert!(!text.contains(value), "{text}");
        }
        assert_eq!(counts.fields["iban_c"].looking(Look::Iban), 1);
        assert_eq!(counts.fields["email"].looking(Look::Mail), 1);
        assert_eq!(counts.fields["description"].holds["financial.iban"], 1);
        assert_eq!(
            (
                counts.fields["blank_c"].seen,
                counts.fields["blank_c"].filled
            ),
            (1, 0)
        );
        assert_eq!(counts.fields["portal_password"].looked(), 0);
        assert_eq!(counts.odd_names, 2);
        let back: ModuleCounts = serde_json::from_str(&text).unwrap();
        assert_eq!(back, counts);
    }
}
