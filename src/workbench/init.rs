//! A new installation: configuration, key, policy, tests, and what a CRM has beside the stock of its dialect. It is made in a
//! folder beside, and moved when it is whole; nothing that exists is touched.

use std::path::Path;

use crate::dialect::survey::Row;
use crate::policy::Policy;
use crate::vocabulary::FieldPath;

mod examples;
mod place;
mod starter;
mod text;

pub use place::{NotPlaced, Staging, taken};
pub use text::{Plan, configuration, gitignore, usable_roles};

use super::sampler::{Crm, Cursor, Pages, Recorder, Trouble, Unrecorded, Wish};

/// The name of the upstream and of the policy.
pub const NAME: &str = "crm";
/// Roles that are read.
const ROLES_MAX: u64 = 100;

/// Writes all but what must be read of the CRM.
///
/// # Errors
/// If a file cannot be written.
pub fn lay(staging: &Staging, plan: &Plan<'_>) -> Result<(), NotPlaced> {
    staging.write("paravent.yaml", &configuration(plan))?;
    staging.write(".gitignore", gitignore())?;
    staging.write("policies/classify.yaml", &starter::classify(plan.dialect))?;
    staging.write("policies/rules.yaml", &text::rules(plan))?;
    staging.write("policies/tests/.gitkeep", "")?;
    staging.write("schema/.gitkeep", "")?;
    staging.write("checkpoints/.gitkeep", "")?;
    staging.signing_key("audit.key", "audit.pub")?;
    staging.key("token.key")
}

/// Writes the rules anew: the CRM has named its roles.
///
/// # Errors
/// If a file cannot be written.
pub fn lay_rules(staging: &Staging, plan: &Plan<'_>) -> Result<(), NotPlaced> {
    staging.write("policies/rules.yaml", &text::rules(plan))
}

/// Writes the tests of the policy, as it is.
///
/// # Errors
/// If a file cannot be written.
pub fn lay_tests(staging: &Staging, plan: &Plan<'_>, policy: &Policy) -> Result<(), NotPlaced> {
    staging.remove("policies/tests/.gitkeep")?;
    staging.write(
        "policies/tests/starter.yaml",
        &examples::suite(plan, policy),
    )
}

/// The names of the CRM's roles; none if its API does not list them.
///
/// # Errors
/// If the CRM cannot be asked, or it cannot be recorded.
pub async fn roles(crm: &Crm, recorder: &Recorder) -> Result<Vec<String>, NoRoles> {
    let Some(FieldPath { module, field }) = crm.dialect().roles() else {
        return Ok(Vec::new());
    };
    let most = Some(ROLES_MAX);
    recorder.record(&module, most, None)?;
    let wish = Wish {
        by_id: false,
        confirmed: false,
        most,
        page_max: 100,
    };
    let mut names = Vec::new();
    let mut cursor = Cursor::default();
    let mut pages = Pages::of(crm, &module, wish);
    while !cursor.is_done {
        let visit = &mut |row: &Row<'_>| {
            let mut fields = row.fields.iter();
            let named = fields.find(|(name, _)| *name == field.as_str());
            names.extend(
                named
                    .and_then(|(_, value)| value.as_str())
                    .map(str::to_owned),
            );
        };
        cursor = pages.next(&cursor, visit).await?;
    }
    recorder.record(&module, most, Some(cursor.read))?;
    names.sort();
    names.dedup();
    Ok(names)
}

/// Why there are no names of roles.
#[derive(Debug, thiserror::Error)]
pub enum NoRoles {
    /// The CRM gives none.
    #[error("{0}")]
    Trouble(#[from] Trouble),
    /// It cannot be recorded.
    #[error("{0}")]
    Unrecorded(#[from] Unrecorded),
}

/// Where the schema file lies, below the folder.
pub fn schema_path(root: &Path) -> std::path::PathBuf {
    root.join("schema").join(format!("{NAME}.yaml"))
}
