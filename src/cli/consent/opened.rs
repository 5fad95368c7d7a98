//! An installation whose ledger is open.

use std::path::Path;
use std::sync::Arc;

use super::super::colour;
use super::super::crm::Failed;
use crate::config::Config;
use crate::consent::PolicyTerms;
use crate::files;
use crate::ledger::{self, Ledger, Settings};
use crate::policy::{People, Policy};
use crate::proxy::ledger_settings;
use crate::reload::Candidate;

/// An installation whose ledger is open.
pub(super) struct Opened {
    pub(super) config: Config,
    pub(super) terms: PolicyTerms,
    /// Whom records are about.
    pub(super) people: People,
    pub(super) ledger: Ledger,
}

/// Does something with an open ledger.
pub(super) fn with(
    path: &Path,
    doing: impl AsyncFnOnce(&Opened) -> Result<u8, Failed>,
) -> Result<u8, Failed> {
    super::super::logging::quiet_panics();
    let config = configuration(path)?;
    let settings = settings(&config)?;
    let policy = policy(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::unusable(error.to_string()))?;
    runtime.block_on(async {
        let ledger = Ledger::open(settings).await.map_err(refused)?;
        let opened = Opened {
            config,
            terms: PolicyTerms::of(&policy),
            people: policy.people().cloned().unwrap_or_default(),
            ledger,
        };
        doing(&opened).await
    })
}

/// Reads the configuration. Of warnings `check` tells.
fn configuration(path: &Path) -> Result<Config, Failed> {
    if !path.exists() {
        let shown = path.display();
        return Err(Failed::unusable(format!(
            "no such configuration file: `{shown}`; name it with `--config`"
        )));
    }
    let (config, found) = Config::load(path);
    config.ok_or_else(|| {
        eprint!("{}", found.render(colour()));
        Failed::problem("the configuration has errors")
    })
}

/// The policy. Of warnings `check` tells.
fn policy(config: &Config) -> Result<Arc<Policy>, Failed> {
    let (candidate, found) = Candidate::at_start(config, None);
    let candidate = candidate.ok_or_else(|| {
        eprint!("{}", found.render(colour()));
        Failed::problem("the policy has errors")
    })?;
    Ok(candidate.policy)
}

fn settings(config: &Config) -> Result<Settings, Failed> {
    let settings = ledger_settings(config).map_err(|error| Failed::unusable(error.to_string()))?;
    settings.ok_or_else(|| {
        Failed::unusable(
            "the configuration has no consent ledger: name a key, `keys: { person: [{ file: person.key }] }`, and where it is kept, `state: { dir: … }`",
        )
    })
}

/// Why the ledger did not do it.
pub(super) fn refused(error: ledger::Error) -> Failed {
    Failed::unusable(error.to_string())
}

/// Who works at this machine, where nobody is named. The ledger takes no text that may be an address.
pub(super) fn operator() -> String {
    let user = files::user();
    let before = std::env::var("SUDO_USER").ok();
    let name = match before {
        Some(before) if !before.is_empty() && before != user => format!("{before} as {user}"),
        _ => user,
    };
    name.replace('@', " at ")
}
