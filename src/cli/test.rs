//! `paravent test`: runs the tests of a policy.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::{DONE, PROBLEMS, UNUSABLE, colour, print, unusable};
use crate::config::Config;
use crate::diagnostic::Diagnostics;
use crate::dialect::engine::Described;
use crate::dialect::schema::SchemaFile;
use crate::dialect::{self, Dialect, Schema};
use crate::policy::{Policy, Source};
use crate::reload::Candidate;
use crate::workbench::suite::{self, Suite, Verdicts};

/// Where a policy is looked for if none is named.
const USUAL_FOLDER: &str = "policies";

/// Which tests.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all passed, 1 a test failed or a file has an error, 2 there is no test to run.\nThe file format is in docs/workbench/test.md."
)]
pub(super) struct Arguments {
    /// A policy folder; its tests are the *.yaml and *.yml files of its folder `tests`. Without it, and without --config:
    /// `policies`, if there is such a folder, else the current one
    #[arg(value_name = "DIR", conflicts_with = "config")]
    dir: Option<PathBuf>,
    /// A configuration; the tests of the policy that it names are run, in the dialects of its CRMs
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The CRM's API in which cases are asked that name none; the other built-in ones may be named by cases
    #[arg(long, value_name = "DIALECT", default_value = dialect::USUAL, conflicts_with_all = ["config", "description"], value_parser = clap::builder::PossibleValuesParser::new(dialect::NAMES))]
    dialect: String,
    /// A description of the API in which cases are asked (see docs/dialects/describing.md)
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    description: Option<PathBuf>,
    /// A schema file of the CRM (see docs/schemas.md); may be given several times
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    schema: Vec<PathBuf>,
    /// Another folder that is read as one policy with the first; its tests are left out. May be given several times
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    with: Vec<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Also list the grants and caps that no case exercises
    #[arg(long)]
    coverage: bool,
    /// Run only the suite, case or `always` of this name
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// Who reads the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// People.
    #[default]
    Text,
    /// Scripts.
    Json,
    /// Servers of continuous integration.
    Junit,
}

/// A policy and the dialects in which it is asked.
struct Tested {
    policy: Arc<Policy>,
    dialects: Vec<Arc<dyn Dialect>>,
    /// The folder of the policy.
    dir: PathBuf,
}

/// Why nothing is run.
enum Stop {
    /// What was found wrong is printed.
    Problems(Diagnostics),
    /// What the arguments name is not there.
    Missing(String),
}

impl From<Diagnostics> for Stop {
    fn from(found: Diagnostics) -> Self {
        Self::Problems(found)
    }
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    match verdicts(arguments) {
        Ok(verdicts) => {
            match arguments.format {
                Format::Text => print(&verdicts.render(arguments.coverage)),
                Format::Json => print(&format!("{:#}\n", verdicts.to_json())),
                Format::Junit => print(&verdicts.to_junit()),
            }
            if verdicts.passed() { DONE } else { PROBLEMS }
        }
        Err(Stop::Problems(found)) => {
            problems(arguments.format, &found);
            PROBLEMS
        }
        Err(Stop::Missing(what)) => {
            eprintln!("error: {what}");
            UNUSABLE
        }
    }
}

fn problems(format: Format, found: &Diagnostics) {
    if format == Format::Json {
        let report = serde_json::json!({
            "diagnostics": found.to_json(),
            "errors": found.errors(),
            "warnings": found.warnings(),
        });
        print(&format!("{report:#}\n"));
        return;
    }
    eprint!("{}", found.render(colour()));
    eprintln!(
        "\n{} errors, {} warnings; no test was run",
        found.errors(),
        found.warnings()
    );
}

fn verdicts(arguments: &Arguments) -> Result<Verdicts, Stop> {
    let tested = tested(arguments)?;
    let sources = Policy::read_tests(&tested.dir)?;
    if sources.is_empty() {
        let dir = tested.dir.join("tests");
        let what = format!("no tests in `{}`: {}", dir.display(), suite::NONE);
        return Err(Stop::Missing(what));
    }
    let (suites, found) = suite::load(&sources, &tested.policy, &tested.dialects);
    if found.has_errors() {
        return Err(found.into());
    }
    eprint!("{}", found.render(colour()));
    let suites = chosen(suites, arguments.only.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            unusable(&error);
            Stop::Missing("no test was run".to_owned())
        })?;
    Ok(runtime.block_on(suite::run(&tested.policy, &tested.dialects, &suites)))
}

/// The suites, or what of them has a name.
fn chosen(suites: Vec<Suite>, only: Option<&str>) -> Result<Vec<Suite>, Stop> {
    let Some(name) = only else {
        return Ok(suites);
    };
    let suites = suites.into_iter().map(|suite| suite.only(name));
    let suites: Vec<Suite> = suites.filter(|suite| !suite.is_empty()).collect();
    if suites.is_empty() {
        let what = format!("no suite, case or `always` is called `{name}`");
        return Err(Stop::Missing(what));
    }
    Ok(suites)
}

fn tested(arguments: &Arguments) -> Result<Tested, Stop> {
    if let Some(path) = &arguments.config {
        return of_config(path);
    }
    let dir = arguments.dir.clone().unwrap_or_else(|| {
        let usual = Path::new(USUAL_FOLDER);
        let dir = if usual.is_dir() {
            usual
        } else {
            Path::new(".")
        };
        dir.to_owned()
    });
    let mut found = Diagnostics::new();
    let dialects = dialects(arguments, &mut found)?;
    let mut sources: Vec<Source> = Vec::new();
    for dir in std::iter::once(&dir).chain(&arguments.with) {
        if !dir.is_dir() {
            let what = format!("no such folder: `{}`", dir.display());
            return Err(Stop::Missing(what));
        }
        match Policy::read(dir) {
            Ok(read) => sources.extend(read),
            Err(problems) => found.extend(problems),
        }
    }
    if found.has_errors() {
        return Err(found.into());
    }
    let (policy, problems) = compile(&sources, &dialects);
    match policy {
        Some(policy) => Ok(Tested {
            policy: Arc::new(policy),
            dialects,
            dir,
        }),
        None => Err(problems.into()),
    }
}

/// The policy that a configuration names, and the dialects of its CRMs.
fn of_config(path: &Path) -> Result<Tested, Stop> {
    if !path.exists() {
        let what = format!("no such configuration file: `{}`", path.display());
        return Err(Stop::Missing(what));
    }
    let (config, mut found) = Config::load(path);
    let Some(config) = config else {
        return Err(found.into());
    };
    let (candidate, problems) = Candidate::at_start(&config, None);
    found.extend(problems);
    let Some(candidate) = candidate.filter(|_| !found.has_errors()) else {
        return Err(found.into());
    };
    let dialects = config.upstreams.values().flat_map(|one| &one.dialects);
    let dialects: Vec<Arc<dyn Dialect>> = dialects.cloned().collect();
    Ok(Tested {
        policy: candidate.policy,
        dialects,
        dir: config.policies,
    })
}

/// Compiles a policy for tests, which have a key of their own.
fn compile(sources: &[Source], dialects: &[Arc<dyn Dialect>]) -> (Option<Policy>, Diagnostics) {
    let schemas: Vec<Arc<Schema>> = dialects.iter().map(|one| one.schema().clone()).collect();
    Policy::compile(sources, &schemas, super::check::CHECK_ONLY_KEY)
}

/// The dialects in which cases may be asked; the first is that of cases that name none.
fn dialects(arguments: &Arguments, found: &mut Diagnostics) -> Result<Vec<Arc<dyn Dialect>>, Stop> {
    let mut dialects: Vec<Arc<dyn Dialect>> = Vec::new();
    match &arguments.description {
        Some(path) if !path.exists() => {
            let what = format!("no such description file: `{}`", path.display());
            return Err(Stop::Missing(what));
        }
        Some(path) => {
            let (described, problems) = Described::load(path);
            found.extend(problems);
            match described {
                Some(described) => dialects.push(Arc::new(described)),
                None => return Err(std::mem::take(found).into()),
            }
        }
        None => {
            let others = dialect::NAMES.iter().copied();
            let others = others.filter(|name| *name != arguments.dialect);
            let names = std::iter::once(arguments.dialect.as_str()).chain(others);
            dialects.extend(names.filter_map(dialect::by_name));
        }
    }
    for path in &arguments.schema {
        let Some(file) = SchemaFile::load(path, found) else {
            continue;
        };
        let of_it = dialects
            .iter()
            .position(|dialect| dialect.schema().dialect() == file.dialect.value)
            .unwrap_or_default();
        if let Some(dialect) = dialects.get_mut(of_it) {
            let schema = file.add_to(dialect.schema(), found);
            *dialect = dialect.with_schema(schema);
        }
    }
    match found.has_errors() {
        true => Err(std::mem::take(found).into()),
        false => Ok(dialects),
    }
}
