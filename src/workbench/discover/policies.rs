//! What discovery adds to a policy: suggestions become lines, if the policy is as good with them as it was without.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::additions::{Additions, NotAdded, add};
use super::compile::compiled;
use super::report::Row;
use super::suggest::Verdict;
use crate::config::Config;
use crate::diagnostic::Diagnostics;
use crate::dialect::Schema;
use crate::files;
use crate::policy::{Policy, Source};
use crate::vocabulary::{Field, Module};

/// Bytes of a file of a policy.
const FILE_BYTES_MAX: usize = 4 << 20;

/// What is added, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// By module and field.
    pub additions: Additions,
    /// Modules that the policy does not know and that it comes to know.
    pub new_modules: BTreeSet<Module>,
    /// Modules that say who may do what: the policy does not come to know them.
    pub left_out: BTreeSet<Module>,
}

/// What the rows suggest to add to a policy.
pub fn suggestions(rows: &[Row], policy: &Policy, schema: &Schema) -> Suggestions {
    let mut all = Suggestions::default();
    for row in rows {
        let Verdict::Suggest(categories) = &row.verdict else {
            continue;
        };
        let known = policy.classified(&row.module, &Field::fold(&row.field));
        if !known.is_known && schema.governs_access(&row.module) {
            all.left_out.insert(row.module.clone());
            continue;
        }
        if known.is_named {
            continue;
        }
        if !known.is_known {
            all.new_modules.insert(row.module.clone());
        }
        let fields = all.additions.entry(row.module.as_str().to_owned());
        let folded = row.field.to_ascii_lowercase();
        fields.or_default().insert(folded, categories.clone());
    }
    all
}

/// Why a policy is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// It would have errors.
    #[error("the policy would have errors; nothing is written")]
    Errors(Diagnostics),
    /// Its files cannot be read, or have errors already.
    #[error("the policy has errors; nothing is written")]
    Unreadable(Diagnostics),
    /// A file is of a form that lines cannot be added to.
    #[error("{0}; nothing is written")]
    Form(#[from] NotAdded),
    /// A file was changed meanwhile.
    #[error("`{0}` was changed meanwhile; nothing more is written")]
    Changed(String),
    /// A file cannot be written.
    #[error("`{0}` cannot be written: {1}")]
    Unwritable(String, String),
}

/// Adds to the policy in a folder, and gives the files that it wrote.
///
/// # Errors
/// If the policy cannot be as good as it was, with the additions in it.
pub fn write(
    config: &Config,
    dir: &Path,
    schema: &Arc<Schema>,
    additions: &Additions,
) -> Result<Vec<PathBuf>, NotWritten> {
    let sources = Policy::read(dir).map_err(NotWritten::Unreadable)?;
    let (policy, found) = compiled(config, &sources, Some(schema));
    let policy = policy.ok_or(NotWritten::Unreadable(found))?;
    let changed = add(&sources, policy.name(), additions)?;
    let mut all = sources.clone();
    let mut written = Vec::new();
    for new in changed {
        let known = all.iter_mut().find(|source| source.path == new.path);
        match known {
            Some(source) => {
                let old = std::mem::replace(&mut source.text, new.text.clone());
                written.push((PathBuf::from(&new.path), Some(old), new.text));
            }
            None => {
                let path = dir.join(&new.path);
                all.push(Source {
                    path: path.display().to_string(),
                    text: new.text.clone(),
                });
                written.push((path, None, new.text));
            }
        }
    }
    let (compiled, found) = compiled(config, &all, Some(schema));
    if compiled.is_none() {
        return Err(NotWritten::Errors(found));
    }
    for (path, old, _) in &written {
        is_as_it_was(path, old.as_deref())?;
    }
    let mut paths = Vec::new();
    for (path, old, text) in written {
        is_as_it_was(&path, old.as_deref())?;
        files::publish(&path, text.as_bytes()).map_err(|error| {
            NotWritten::Unwritable(path.display().to_string(), files::words(&error))
        })?;
        paths.push(path);
    }
    Ok(paths)
}

/// Whether a file holds the bytes that were read, and no others, such as a mark of its encoding.
fn is_as_it_was(path: &Path, old: Option<&str>) -> Result<(), NotWritten> {
    let now = files::read(path, FILE_BYTES_MAX);
    let is_same = match (&now, old) {
        (Ok(now), Some(old)) => now.bytes == old.as_bytes(),
        (Err(error), None) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    };
    match is_same {
        true => Ok(()),
        false => Err(NotWritten::Changed(path.display().to_string())),
    }
}
