//! `paravent check`: every problem of a policy folder, of a description, or of a configuration and the policies and
//! descriptions it names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::{DONE, PROBLEMS, UNUSABLE, colour, print, unusable};
use crate::config::Config;
use crate::diagnostic::Diagnostics;
use crate::dialect::engine::Described;
use crate::dialect::{self, Dialect, Schema};
use crate::policy::{Policy, Summary};
use crate::preflight;
use crate::reload::Candidate;
use crate::workbench::reports::{self, Checked};

/// What to check.
#[derive(Debug, Args)]
#[command(after_help = "Warnings alone leave the exit code at 0.")]
pub(super) struct Arguments {
    /// A policy folder (its *.yaml and *.yml files)
    #[arg(
        value_name = "DIR",
        required_unless_present_any = ["config", "description"],
        conflicts_with = "config"
    )]
    dir: Option<PathBuf>,
    /// A configuration; the policies it names are checked too
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Also look at what the configuration names: keys, certificates, the access log's folder and sinks, addresses, the CRMs
    #[arg(long, requires = "config", conflicts_with_all = ["dir", "description"])]
    connect: bool,
    /// Beside a running proxy: leave out its ports and the lock of its log
    #[arg(long, requires = "connect")]
    running: bool,
    /// The CRM's API, whose fields the policy speaks of; without it, all that are known
    #[arg(long, value_name = "DIALECT", conflicts_with_all = ["config", "description"], value_parser = clap::builder::PossibleValuesParser::new(dialect::NAMES))]
    dialect: Option<String>,
    /// A description of an API (see docs/dialects/describing.md); with DIR, the API whose fields the policy speaks of
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    description: Option<PathBuf>,
    /// A schema file of the CRM (see docs/schemas.md); may be given several times
    #[arg(long, value_name = "FILE", requires = "dir")]
    schema: Vec<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How the result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For scripts
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Commands of a workflow on GitHub, for annotations
    Github,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    let mut found = Diagnostics::new();
    let mut summary = None;
    if let (Some(path), None) = (&arguments.description, &arguments.dir) {
        return describe(arguments.format, path);
    }
    match (&arguments.config, &arguments.dir) {
        (Some(path), _) if !path.exists() => return missing("no such configuration file", path),
        (Some(path), _) => {
            let (config, problems) = Config::load(path);
            found.extend(problems);
            if let Some(config) = config {
                let (candidate, problems) = Candidate::at_start(&config, None);
                found.extend(problems);
                summary = candidate.map(|candidate| candidate.policy.summary());
                found.extend(match arguments.connect {
                    true => connect(&config, arguments.running),
                    false => preflight::signing(&config),
                });
            }
        }
        (None, Some(dir)) if !dir.exists() => return missing("no such folder", dir),
        (None, Some(dir)) => match &arguments.description {
            Some(path) if !path.exists() => return missing("no such description file", path),
            Some(path) => {
                let (described, problems) = Described::load(path);
                found.extend(problems);
                if let Some(described) = described {
                    let schemas = vec![described.schema().clone()];
                    summary = check(dir, schemas, arguments, &mut found);
                }
            }
            None => {
                let schemas = built_in(arguments.dialect.as_deref());
                summary = check(dir, schemas, arguments, &mut found);
            }
        },
        (None, None) => return UNUSABLE,
    }
    let subject = arguments.config.as_deref().or(arguments.dir.as_deref());
    let subject = subject.unwrap_or_else(|| Path::new("."));
    show(arguments.format, subject, &found, summary.as_ref());
    if found.has_errors() { PROBLEMS } else { DONE }
}

/// Looks at everything that a configuration names.
fn connect(config: &Config, running: bool) -> Diagnostics {
    let mut found = preflight::machine(config, running);
    match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => {
            let (upstreams, accounts, sinks, mail) = runtime.block_on(async {
                tokio::join!(
                    preflight::upstreams(config),
                    preflight::accounts(config),
                    preflight::sinks(config),
                    preflight::mail(config)
                )
            });
            found.extend(upstreams);
            found.extend(accounts);
            found.extend(sinks);
            found.extend(mail);
            // A look-up of a name may still go on; nobody waits for it.
            runtime.shutdown_background();
        }
        Err(error) => {
            unusable(&error);
        }
    }
    found
}

/// Checks a description by itself, and lists its routes.
fn describe(format: Format, path: &Path) -> u8 {
    if !path.exists() {
        return missing("no such description file", path);
    }
    let (described, found) = Described::load(path);
    if let (Format::Text, Some(described)) = (format, &described) {
        let mut text = format!("description `{}` is valid\n", described.name());
        for (route, action) in described.routes() {
            text.push_str(&format!("  {action:<8}  {route}\n"));
        }
        eprint!("{}", found.render(colour()));
        print(&text);
    } else {
        show(format, path, &found, None);
    }
    if described.is_none() { PROBLEMS } else { DONE }
}

/// The stock schema of a dialect, or those of all.
pub(super) fn built_in(name: Option<&str>) -> Vec<Arc<Schema>> {
    dialect::NAMES
        .iter()
        .filter(|known| name.is_none_or(|name| name == **known))
        .filter_map(|known| dialect::by_name(known))
        .map(|dialect| dialect.schema().clone())
        .collect()
}

fn check(
    dir: &Path,
    stock: Vec<Arc<Schema>>,
    arguments: &Arguments,
    found: &mut Diagnostics,
) -> Option<Summary> {
    let schemas = super::schema::added(stock, &arguments.schema, found);
    let (policy, problems) = compile(dir, &schemas);
    found.extend(problems);
    policy.map(|policy| policy.summary())
}

/// Compiles the policies of a folder, for CRMs of whose data this is known.
pub(super) fn compile(dir: &Path, schemas: &[Arc<Schema>]) -> (Option<Policy>, Diagnostics) {
    match Policy::read(dir) {
        Ok(sources) => Policy::compile(&sources, schemas, CHECK_ONLY_KEY),
        Err(problems) => (None, problems),
    }
}

fn show(format: Format, subject: &Path, found: &Diagnostics, summary: Option<&Summary>) {
    let folder = std::env::current_dir().unwrap_or_default();
    let checked = Checked {
        subject,
        folder: &folder,
    };
    match format {
        Format::Sarif => print(&format!("{:#}\n", reports::sarif(found, &checked))),
        Format::Github => {
            print(&reports::github(found, &checked));
            eprintln!("{} errors, {} warnings", found.errors(), found.warnings());
        }
        Format::Json => {
            let report = json!({
                "diagnostics": found.to_json(),
                "errors": found.errors(),
                "warnings": found.warnings(),
                "policy": summary,
            });
            print(&format!("{report:#}\n"));
        }
        Format::Text => {
            eprint!("{}", found.render(colour()));
            match summary {
                Some(summary) if !found.has_errors() => print(&summary.render(found)),
                _ => eprintln!("\n{} errors, {} warnings", found.errors(), found.warnings()),
            }
        }
    }
}

fn missing(what: &str, path: &Path) -> u8 {
    eprintln!("error: {what}: `{}`", path.display());
    UNUSABLE
}

/// Nothing is tokenised by a check.
pub(super) const CHECK_ONLY_KEY: &[u8] = b"no value meets this key";
