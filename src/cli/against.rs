//! Which CRMs' data policies are looked at with: what several commands have of arguments about that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::{PROBLEMS, UNUSABLE, colour};
use crate::config::Config;
use crate::diagnostic::Diagnostics;
use crate::dialect::engine::Described;
use crate::dialect::{self, Dialect, Schema};
use crate::policy::{Policy, Source};
use crate::reload;

/// The CRM whose fields policies speak of.
#[derive(Debug, Args)]
pub(super) struct Against {
    /// The CRM's API, whose fields the policy speaks of; without it, all that are known
    #[arg(long, value_name = "DIALECT", conflicts_with_all = ["config", "description"], value_parser = clap::builder::PossibleValuesParser::new(dialect::NAMES))]
    dialect: Option<String>,
    /// A configuration, whose CRMs are meant
    #[arg(long, value_name = "FILE", conflicts_with = "description")]
    pub(super) config: Option<PathBuf>,
    /// A description of the API (see docs/dialects/describing.md)
    #[arg(long, value_name = "FILE")]
    description: Option<PathBuf>,
    /// A schema file of the CRM (see docs/schemas.md); may be given several times
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    schema: Vec<PathBuf>,
}

impl Against {
    /// What is known of the CRMs' data. What is wrong is printed; then the exit code is given.
    pub(super) fn schemas(&self) -> Result<Vec<Arc<Schema>>, u8> {
        self.read().map(|(schemas, _)| schemas)
    }

    /// The same, and the policy folder of the configuration, if there is one.
    pub(super) fn read(&self) -> Result<(Vec<Arc<Schema>>, Option<PathBuf>), u8> {
        let named = [&self.config, &self.description];
        for path in named.into_iter().flatten().chain(&self.schema) {
            if !path.exists() {
                eprintln!("error: no such file: `{}`", path.display());
                return Err(UNUSABLE);
            }
        }
        let mut found = Diagnostics::new();
        let mut policies = None;
        let schemas = match (&self.config, &self.description) {
            (Some(path), _) => {
                let (config, problems) = Config::load(path);
                found.extend(problems);
                config.map(|config| {
                    let dialects = config.upstreams.values().flat_map(|one| &one.dialects);
                    let schemas = reload::schemas(&dialects.cloned().collect::<Vec<_>>());
                    policies = Some(config.policies);
                    schemas
                })
            }
            (None, Some(path)) => {
                let (described, problems) = Described::load(path);
                found.extend(problems);
                described.map(|described| vec![described.schema().clone()])
            }
            (None, None) => Some(super::check::built_in(self.dialect.as_deref())),
        };
        let schemas =
            schemas.map(|schemas| super::schema::added(schemas, &self.schema, &mut found));
        match schemas.filter(|_| !found.has_errors()) {
            Some(schemas) => Ok((schemas, policies)),
            None => {
                eprint!("{}", found.render(colour()));
                Err(PROBLEMS)
            }
        }
    }
}

/// Compiles a policy. Only errors are printed: `check` tells the rest.
pub(super) fn compiled(sources: &[Source], schemas: &[Arc<Schema>]) -> Result<Policy, u8> {
    let (policy, found) = Policy::compile(sources, schemas, super::check::CHECK_ONLY_KEY);
    policy.filter(|_| !found.has_errors()).ok_or_else(|| {
        eprint!("{}", found.render(colour()));
        UNUSABLE
    })
}

/// The files of a policy folder.
pub(super) fn read(dir: &Path) -> Result<Vec<Source>, u8> {
    if !dir.is_dir() {
        eprintln!("error: no such folder: `{}`", dir.display());
        return Err(UNUSABLE);
    }
    Policy::read(dir).map_err(|found| {
        eprint!("{}", found.render(colour()));
        UNUSABLE
    })
}
