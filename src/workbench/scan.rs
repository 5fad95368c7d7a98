//! What stands in the texts of a CRM, by the detectors of the proxy: per module, field and category how many records, and how
//! surely. Keeps counts, never values; and, only if asked for, references of records, which are never kept on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::discover::{Look, leaves, lexicon, stands_in};
use super::sampler::{Read, is_name};
use crate::detect::statement::Lexicon;
use crate::dialect::survey::Row as Record;
use crate::dialect::{Origin, Schema};
use crate::vocabulary::Module;

/// Fields of a module of which is counted.
const FIELDS_MAX: usize = 20_000;
/// References that are held.
const REFS_MAX: usize = 1 << 20;
/// Bytes of an id that is repeated.
const ID_BYTES_MAX: usize = 128;

/// What was counted of the texts of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Its fields, by their names as the CRM writes them.
    pub fields: BTreeMap<String, FieldTexts>,
}

/// What was counted of the texts of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldTexts {
    /// Records in which it holds a text.
    pub texts: u64,
    /// Records by category and by how sure it is at most.
    pub found: BTreeMap<String, BTreeMap<String, u64>>,
}

/// What stands in the texts of a field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The module.
    pub module: String,
    /// The field.
    pub field: String,
    /// The category.
    pub category: String,
    /// How sure it is.
    pub certainty: String,
    /// Records.
    pub records: u64,
    /// Percent of the records in which the field holds a text.
    pub share: f64,
}

/// A record in whose texts something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reference {
    /// The record: `Module/ID`.
    pub record: String,
    /// The categories; of data of Art. 9 and 10 GDPR `special`, never which.
    pub categories: BTreeSet<String>,
}

/// References of records, as they come.
#[derive(Debug, Default)]
pub struct References {
    found: Mutex<(BTreeSet<Reference>, u64)>,
}

impl References {
    fn add(&self, module: &Module, id: Option<&str>, categories: BTreeSet<String>) {
        let id = id
            .filter(|id| is_id(id))
            .unwrap_or("(an id that is not repeated)");
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        match found.0.len() < REFS_MAX {
            true => {
                let record = format!("{module}/{id}");
                found.0.insert(Reference { record, categories });
            }
            false => found.1 += 1,
        }
    }

    /// All of them in order, and how many found no room.
    pub fn all(&self) -> (Vec<Reference>, u64) {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        (found.0.iter().cloned().collect(), found.1)
    }
}

/// Whether an id may be repeated: a CRM may send anything for one.
fn is_id(id: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.{}".contains(&byte);
    let proves = |kind: &crate::detect::Kind| kind.has_checksum() && kind.is_valid(id);
    (1..=ID_BYTES_MAX).contains(&id.len())
        && id.bytes().all(is_fit)
        && !crate::detect::Kind::IDENTIFIERS.iter().any(proves)
}

/// How a record is counted, where so much is known of the CRM; its reference is held where somebody asked for it.
pub fn counting(
    schema: Arc<Schema>,
    references: Option<Arc<References>>,
) -> impl Fn(&mut Texts, &Record<'_>) + Sync {
    let lexicon = lexicon();
    move |texts, row| {
        let found = texts.add(row, &schema, &lexicon);
        if let (Some(references), false) = (&references, found.is_empty()) {
            references.add(row.module, row.id, found);
        }
    }
}

impl Texts {
    /// Counts a record; what stands in it, with `special` for what is special.
    fn add(&mut self, row: &Record<'_>, schema: &Schema, lexicon: &Lexicon) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for (name, value) in &row.fields {
            let is_own = matches!(
                schema.origin(row.module, name),
                Origin::Own | Origin::Items(_)
            );
            let is_room = self.fields.len() < FIELDS_MAX || self.fields.contains_key(*name);
            if !is_own || !is_room || !is_name(name) {
                continue;
            }
            let is_text = |look: Look| matches!(look, Look::Words | Look::Prose);
            let mut is_any = false;
            let mut found = BTreeMap::new();
            for leaf in leaves(value, None) {
                // A value that is one identifier and nothing else is a field's business: `paravent discover`.
                if let (Some(text), Some(true)) = (leaf.as_str(), Look::of(leaf).map(is_text)) {
                    is_any = true;
                    for (category, certainty) in stands_in(text, lexicon) {
                        let known = found.entry(category).or_insert(certainty);
                        *known = (*known).max(certainty);
                    }
                }
            }
            if !is_any {
                continue;
            }
            let counts = self.fields.entry((*name).to_owned()).or_default();
            counts.texts += 1;
            for (category, certainty) in found {
                let by = counts.found.entry(category.to_owned()).or_default();
                *by.entry(certainty.as_str().to_owned()).or_default() += 1;
                all.insert(in_reference(category).to_owned());
            }
        }
        all
    }
}

/// What a reference says of a category.
fn in_reference(category: &str) -> &str {
    match category == "criminal" || category.starts_with("special.") {
        true => "special",
        false => category,
    }
}

/// What was found, in rows.
pub fn rows(modules: &BTreeMap<String, Read<Texts>>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (module, read) in modules {
        for (field, texts) in &read.tally.fields {
            for (category, by) in &texts.found {
                for (certainty, records) in by.iter().rev() {
                    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
                    let share = *records as f64 * 100.0 / texts.texts.max(1) as f64;
                    rows.push(Row {
                        module: module.clone(),
                        field: field.clone(),
                        category: category.clone(),
                        certainty: certainty.clone(),
                        records: *records,
                        share: (share * 100.0).round() / 100.0,
                    });
                }
            }
        }
    }
    let order = |certainty: &str| match certainty {
        "certain" => 0,
        "likely" => 1,
        _ => 2,
    };
    rows.sort_by(|one, other| {
        let key = |row: &Row| {
            (
                row.module.clone(),
                row.field.clone(),
                row.category.clone(),
                order(&row.certainty),
            )
        };
        key(one).cmp(&key(other))
    });
    rows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialect::usual;

    #[test]
    fn counts_and_references_hold_no_value() {
        let schema = usual().schema().clone();
        let references = Arc::new(References::default());
        let count = counting(schema, Some(references.clone()));
        let module = Module::new("Contacts");
        let texts = [
            json!(
                "Virement sur FR76 3000 6000 0112 3456 7890 189, merci. Mme Keller est enceinte."
            ),
            json!("Rien de spécial dans cette note."),
        ];
        let mut tally = Texts::default();
        for (id, text) in ["c-1", "FR7630006000011234567890189"].iter().zip(&texts) {
            let iban = json!("FR7630006000011234567890189");
            let row = Record {
                module: &module,
                id: Some(id),
                fields: vec![
                    ("description", text),
                    ("iban_c", &iban),
                    ("portal_password", text),
                ],
                spelling: crate::vocabulary::Spelling::Plain,
                confirmations: None,
            };
            count(&mut tally, &row);
        }
        let kept = serde_json::to_string(&tally).unwrap();
        for value in ["FR76", "3000", "Keller", "c-1"] {
            assert!(!kept.contains(value), "{kept}");
        }
        assert_eq!(tally.fields.keys().collect::<Vec<_>>(), ["description"]);
        let description = &tally.fields["description"];
        assert_eq!(description.texts, 2);
        assert_eq!(description.found["financial.iban"]["certain"], 1);
        assert!(description.found.contains_key("special.health"), "{kept}");
        let (all, left_out) = references.all();
        assert_eq!((all.len(), left_out), (1, 0));
        assert_eq!(all[0].record, "Contacts/c-1");
        let categories: Vec<&str> = all[0].categories.iter().map(String::as_str).collect();
        assert_eq!(categories, ["financial.iban", "special"]);
        let read = Read {
            tally,
            ..Read::default()
        };
        let rows = rows(&BTreeMap::from([("Contacts".to_owned(), read)]));
        assert_eq!(rows[0].category, "financial.iban");
        assert!((rows[0].share - 50.0).abs() < f64::EPSILON);
    }

    #[test]
    fn odd_ids_are_not_repeated() {
        assert!(is_id("6f0c-1") && is_id("{A-1}"));
        for odd in ["", "a b", "FR7630006000011234567890189", "=1+1", "a\nb"] {
            assert!(!is_id(odd), "{odd}");
        }
    }
}
