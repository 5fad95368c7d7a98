//! The schema file that discovery writes: what the CRM has beside the stock of its dialect, and what the file said before.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Diagnostics, File};
use crate::dialect::schema::{Holds, SchemaFile};
use crate::dialect::{Modules, Schema};
use crate::vocabulary::Module;

/// Lines before what is generated.
const HEADING: &str = "# What this CRM has beside the stock of its dialect. Look it through before it is used: a field that copies another one\n# is shown as that one is.\n";

/// What the file says, as a schema, and its text.
#[derive(Debug)]
pub struct SchemaText {
    /// The text.
    pub text: String,
    /// What is known with it.
    pub schema: Arc<Schema>,
    /// Names of fields and links that the CRM says otherwise than what is known; that stands.
    pub contradictions: Vec<String>,
}

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub enum NoSchema {
    /// The file has errors.
    #[error("the schema file has errors; nothing is written")]
    Errors(Diagnostics),
    /// It holds what would be lost.
    #[error(
        "`{0}` has comments between its lines, which would be lost: write to another file, and name both under `schema`"
    )]
    Comments(String),
    /// More than a schema may hold.
    #[error("there is more than a schema may hold: {0} fields and links find no room")]
    TooLarge(usize),
}

/// The text of a schema file of a dialect's CRM, which says what an existing one said and what the CRM says beside the stock.
///
/// # Errors
/// If the existing file has errors, or something would be lost.
pub fn schema_text(
    stock: &Arc<Schema>,
    path: &Path,
    said: Modules,
) -> Result<SchemaText, NoSchema> {
    let mut found = Diagnostics::new();
    let mut heading = HEADING.to_owned();
    let mut before = stock.with(Modules::default());
    if path.exists() {
        let file = SchemaFile::load(path, &mut found);
        if let Some(file) = file.filter(|_| !found.has_errors()) {
            before = file.add_to(&before, &mut found);
        }
        if found.has_errors() {
            return Err(NoSchema::Errors(found));
        }
        heading = its_heading(path)?;
    }
    let (grown, merged) = before.and(said);
    if merged.left_out > 0 {
        return Err(NoSchema::TooLarge(merged.left_out));
    }
    let schema = usable(&grown);
    let text = format!("{heading}{}", schema.beside().to_yaml(schema.dialect()));
    let file = File::new("schema.yaml", text.as_str());
    if let Some(read) = SchemaFile::read(&file, &mut found) {
        let _ = read.add_to(&stock.with(Modules::default()), &mut found);
    }
    if found.has_errors() {
        return Err(NoSchema::Errors(found));
    }
    let contradictions = merged.contradictions.iter().filter(|one| !one.is_secret);
    Ok(SchemaText {
        text,
        schema,
        contradictions: contradictions
            .map(|one| format!("{}.{}", one.module, one.name))
            .collect(),
    })
}

/// The comments at the beginning of a file. Elsewhere there may be none: they would be lost.
fn its_heading(path: &Path) -> Result<String, NoSchema> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.split_inclusive('\n');
    let heading: String = lines
        .clone()
        .take_while(|line| line.trim().is_empty() || line.starts_with('#'))
        .collect();
    let rest = text.get(heading.len()..).unwrap_or_default();
    match rest.contains('#') {
        true => Err(NoSchema::Comments(path.display().to_string())),
        false => Ok(heading),
    }
}

/// The same without what a file may not say: links and copies to modules that nobody knows.
fn usable(schema: &Arc<Schema>) -> Arc<Schema> {
    let beside = schema.beside();
    let known: BTreeSet<Module> = schema
        .modules()
        .into_iter()
        .chain(beside.iter().map(|(module, _)| module.clone()))
        .collect();
    let stock = schema.modules();
    let mut fit = Modules::default();
    for (module, told) in beside.iter() {
        let in_another_case = |other: &Module| {
            other != module && other.as_str().eq_ignore_ascii_case(module.as_str())
        };
        if stock.iter().any(in_another_case) {
            continue;
        }
        let mut told = told.clone();
        told.fields.retain(|_, field| match &field.holds {
            Holds::Copy(paths) => paths.iter().all(|path| known.contains(&path.module)),
            Holds::Own | Holds::Secret => true,
        });
        told.links.retain(|_, link| {
            let target = link.target.as_ref();
            target.is_none_or(|target| known.contains(target))
        });
        let fields: BTreeSet<_> = told.fields.keys().cloned().collect();
        told.links.retain(|name, _| !fields.contains(name));
        if let Some(entry) = fit.entry(module) {
            *entry = told;
        }
    }
    schema.with(fit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::schema::{FieldSchema, LinkSchema};
    use crate::dialect::usual;
    use crate::vocabulary::{Field, FieldPath};

    fn said() -> Modules {
        let mut said = Modules::default();
        let contacts = said.entry(&Module::new("Contacts")).unwrap();
        let field = |holds| FieldSchema {
            kind: Some("varchar".to_owned()),
            holds,
        };
        contacts
            .fields
            .insert(Field::fold("shoe_size_c"), field(Holds::Own));
        let lost = Holds::Copy(vec![FieldPath::new(&Module::new("Nowhere"), "name")]);
        contacts
            .fields
            .insert(Field::fold("lost_name_c"), field(lost));
        let link = LinkSchema {
            target: Some(Module::new("Nowhere")),
            ..LinkSchema::named("lost")
        };
        contacts.links.insert(Field::fold("lost"), link);
        said
    }

    #[test]
    fn twice_gives_the_same_bytes_and_keeps_what_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crm.yaml");
        let stock = usual().schema().clone();
        let first = schema_text(&stock, &path, said()).unwrap().text;
        assert!(
            first.contains("shoe_size_c: varchar") && !first.contains("Nowhere"),
            "{first}"
        );
        std::fs::write(&path, &first).unwrap();
        assert_eq!(schema_text(&stock, &path, said()).unwrap().text, first);
        let own = "# Ours.\nschema: sugar-rest\nmodules:\n  Contacts:\n    fields:\n      pin_c: { secret: true }\n      shoe_size_c: { secret: true }\n";
        std::fs::write(&path, own).unwrap();
        let second = schema_text(&stock, &path, said()).unwrap().text;
        assert!(second.starts_with("# Ours.\nschema"), "{second}");
        assert!(second.contains("pin_c: { secret: true }"), "{second}");
        assert!(
            second.contains("shoe_size_c: { type: varchar, secret: true }")
                || second.contains("shoe_size_c: { secret: true }"),
            "{second}"
        );
        std::fs::write(
            &path,
            own.replace("      pin_c", "      # why\n      pin_c"),
        )
        .unwrap();
        assert!(matches!(
            schema_text(&stock, &path, said()),
            Err(NoSchema::Comments(_))
        ));
    }
}
