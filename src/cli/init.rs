//! `paravent init`: a new installation before a CRM, with a policy in its own roles and what it holds.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::crm::{self, Failed};
use super::{DONE, PROBLEMS, colour, password, print};
use crate::audit::Reader;
use crate::config::Config;
use crate::dialect::{self, Schema};
use crate::files;
use crate::policy::Policy;
use crate::proxy::log_options;
use crate::workbench::discover::{
    Found, ModuleCounts, Row, Verdict, compiled, counting, grown, report, schema_text, suggestions,
    write,
};
use crate::workbench::init::{
    self, NAME, NotPlaced, Plan, Staging, configuration, lay, lay_tests, schema_path, usable_roles,
};
use crate::workbench::sampler::{
    self, Crm, Desk, Kept, Rate, Recorder, State, Terms, Wish, catalogue,
};

/// A role where nobody has told one.
const MADE_UP: &str = "Staff";
/// Records of a module that are looked at.
const SAMPLE: u64 = 200;

/// What to make, and where.
#[derive(Debug, Args)]
#[command(
    after_help = "What is missing is asked for on a terminal, unless --yes says that nothing should be.\nNothing is overwritten: if one of the files is there already, nothing is written."
)]
pub(super) struct Arguments {
    /// The folder
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The CRM's API
    #[arg(long, value_name = "DIALECT", value_parser = clap::builder::PossibleValuesParser::new(dialect::NAMES))]
    dialect: Option<String>,
    /// Where the CRM is
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Ask nothing
    #[arg(long)]
    yes: bool,
    /// An account of the CRM, to see its roles and fields; its password is asked for
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// A file with the password
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// The client by way of which the account logs in, where the API knows clients
    #[arg(long, value_name = "ID", requires_all = ["user", "client_secret_file"])]
    client_id: Option<String>,
    /// A file with the secret of the client
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// A role in the CRM; may be given several times [default: those that the CRM names]
    #[arg(long, value_name = "NAME")]
    role: Vec<String>,
    /// Requests in a second, at most: 1 to 1000
    #[arg(long, value_name = "N", default_value_t = Rate::USUAL, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    super::logging::quiet_panics();
    match make(arguments) {
        Ok(()) => DONE,
        Err(failed) => failed.tell(),
    }
}

fn make(arguments: &Arguments) -> Result<(), Failed> {
    if let Some(taken) = init::taken(&arguments.dir) {
        return Err(not_placed(NotPlaced::Taken(taken)));
    }
    let asks = !arguments.yes && std::io::stdin().is_terminal();
    let dialect = match (&arguments.dialect, asks) {
        (Some(name), _) => name.clone(),
        (None, true) => ask(
            &format!("API ({})", dialect::NAMES.join(", ")),
            dialect::USUAL,
        )?,
        (None, false) => return Err(Failed::unusable("the CRM's API is missing: `--dialect`")),
    };
    let dialect = dialect::by_name(&dialect).ok_or_else(|| {
        Failed::unusable(format!("the API is one of {}", dialect::NAMES.join(", ")))
    })?;
    let url = match (&arguments.url, asks) {
        (Some(url), _) => url.clone(),
        (None, true) => ask("URL of the CRM", "")?,
        (None, false) => return Err(Failed::unusable("the CRM's address is missing: `--url`")),
    };
    let user = match (&arguments.user, asks) {
        (None, true) => Some(ask(
            "An account of the CRM, to see its roles and fields (blank: none)",
            "",
        )?)
        .filter(|user| !user.is_empty()),
        (user, _) => user.clone(),
    };
    let staging = Staging::beside(&arguments.dir).map_err(not_placed)?;
    let mut plan = Plan {
        dialect: &*dialect,
        url,
        roles: arguments.role.clone(),
        are_made_up: false,
        has_schema: false,
    };
    if user.is_none() && plan.roles.is_empty() && asks {
        let told = ask("Names of roles in the CRM, with commas (blank: later)", "")?;
        let told = told
            .split(',')
            .map(str::trim)
            .filter(|role| !role.is_empty());
        plan.roles = told.map(str::to_owned).collect();
    }
    let filled = fill(arguments, user.as_deref(), &mut plan, &staging);
    let known = filled.map_err(|failed| with_log(failed, &staging))?;
    print(&told(&arguments.dir, &plan, known.as_ref()));
    Ok(())
}

/// Makes all of it, and moves it to its place.
fn fill(
    arguments: &Arguments,
    user: Option<&str>,
    plan: &mut Plan<'_>,
    staging: &Staging,
) -> Result<Option<Told>, Failed> {
    let known = match user {
        Some(user) => Some(known(arguments, user, plan, staging)?),
        None => None,
    };
    finish(staging, plan, known.as_ref())?;
    staging.settle().map_err(not_placed)?;
    Ok(known)
}

/// What was read stays recorded, though there is no installation: where, is told.
fn with_log(Failed(code, why): Failed, staging: &Staging) -> Failed {
    match staging.keeps_log() {
        true => Failed(
            code,
            format!(
                "{why}; only the access log of what was read stays: `{}`",
                staging.path().display()
            ),
        ),
        false => Failed(code, why),
    }
}

/// What the CRM has told.
struct Told {
    found: Found,
    rows: Vec<Row>,
    records: u64,
}

/// Reads the CRM with an account: its roles, and what its fields hold.
fn known(
    arguments: &Arguments,
    user: &str,
    plan: &mut Plan<'_>,
    staging: &Staging,
) -> Result<Told, Failed> {
    let password = password::read(user, arguments.password_file.as_deref());
    let password = password.map_err(Failed::unusable)?;
    let mut account = crm::of_user(user, password, None);
    if let (Some(id), Some(path), crate::config::Proof::Login(login)) = (
        &arguments.client_id,
        &arguments.client_secret_file,
        &mut account.proof,
    ) {
        let secret = password::read(id, Some(path)).map_err(Failed::unusable)?;
        login.client_id = Some(id.clone());
        login.client_secret = Some(secret);
    }
    let made_up = vec![MADE_UP.to_owned()];
    let (told, usual) = (plan.roles.clone(), made_up.clone());
    plan.roles = if told.is_empty() { usual } else { told.clone() };
    lay(staging, plan).map_err(not_placed)?;
    let config = load(staging)?;
    let upstream = config
        .upstreams
        .get(NAME)
        .ok_or_else(|| Failed::unusable("the configuration has no upstream"))?;
    let dialect = upstream
        .dialects
        .first()
        .cloned()
        .ok_or_else(|| Failed::unusable("the configuration has no dialect"))?;
    if !account.proof.fits(&*dialect) {
        return Err(Failed::unusable(format!(
            "`{}` has no login that this account could make: does it need `--client-id` and `--client-secret-file`?",
            dialect.name()
        )));
    }
    let rate = Rate::new(arguments.rate).unwrap_or_default();
    let crm = Crm::new(upstream, dialect, account, rate);
    let crm = crm.map_err(|error| Failed::unusable(error.to_string()))?;
    let recorder = Recorder::new(
        log_options(&config),
        Reader::Discover,
        (NAME, crm.dialect().name()),
        Some(user.to_owned()),
    );
    let recorder = recorder.map_err(|error| Failed::unusable(error.to_string()))?;
    let read = read(&crm, &recorder, staging);
    if recorder.has_recorded() {
        staging.keep_log();
    }
    let taken = recorder.take_up();
    let (found, names) = read?;
    taken.map_err(|error| Failed::unusable(error.to_string()))?;
    if told.is_empty() {
        let (names, left_out) = usable_roles(names);
        if left_out > 0 {
            eprintln!("note: {left_out} roles have names that cannot stand in a policy");
        }
        plan.are_made_up = names.is_empty();
        plan.roles = if names.is_empty() { made_up } else { names };
    }
    let records = found
        .state
        .modules
        .values()
        .map(|read| read.cursor.read)
        .sum();
    crm::remarks(&found.catalogue, &found.state);
    let told = Told {
        found,
        rows: Vec::new(),
        records,
    };
    classify(staging, plan, &config, told)
}

/// Reads roles, modules and records.
fn read(crm: &Crm, recorder: &Recorder, staging: &Staging) -> Result<(Found, Vec<String>), Failed> {
    let terms = Terms {
        command: "init".to_owned(),
        upstream: NAME.to_owned(),
        url: String::new(),
        dialect: crm.dialect().name().to_owned(),
        account: None,
        modules: Vec::new(),
        most: Some(SAMPLE),
    };
    let mut state: State<ModuleCounts> = State::new(terms);
    let mut kept = Kept::at(staging.path().join("state/init.json"));
    let mut progress = crm::progress();
    let done = crm::until_interrupted(async {
        let catalogue = catalogue(crm, &[]).await.map_err(crm::no_catalogue)?;
        let roles = match init::roles(crm, recorder).await {
            Ok(roles) => roles,
            Err(init::NoRoles::Trouble(trouble)) => {
                eprintln!("note: the CRM does not name its roles: {trouble}");
                Vec::new()
            }
            Err(error) => return Err(Failed::unusable(error.to_string())),
        };
        let schema = grown(crm.dialect().schema(), catalogue.said.clone());
        let mut desk = Desk {
            crm,
            recorder,
            kept: &mut kept,
            count: &counting(schema),
            progress: &mut progress,
        };
        let wish = Wish {
            by_id: false,
            confirmed: false,
            most: Some(SAMPLE),
            page_max: 100,
        };
        let counted = sampler::read(&mut desk, &catalogue.modules, wish, &mut state).await;
        counted
            .map(|()| (catalogue, roles))
            .map_err(|error| crm::stopped(error, ""))
    })?;
    crm::progress_ended();
    kept.forget();
    let done = done.ok_or_else(|| Failed::problem("interrupted; nothing was written"))?;
    let (catalogue, roles) = done?;
    Ok((Found { catalogue, state }, roles))
}

/// Writes what the CRM has told: the schema, and what can be told of its fields.
fn classify(
    staging: &Staging,
    plan: &mut Plan<'_>,
    config: &Config,
    mut told: Told,
) -> Result<Told, Failed> {
    let said = told.found.catalogue.said.clone();
    let stock = plan.dialect.schema().clone();
    let path = schema_path(staging.path());
    let text =
        schema_text(&stock, &path, said).map_err(|error| Failed::problem(error.to_string()))?;
    plan.has_schema = !text.schema.beside().is_empty();
    if plan.has_schema {
        files::publish(&path, text.text.as_bytes())
            .map_err(|error| not_placed(NotPlaced::Unwritable(path.clone(), error)))?;
        staging.remove("schema/.gitkeep").map_err(not_placed)?;
    }
    let policies = staging.path().join("policies");
    let sources = Policy::read(&policies).map_err(problems)?;
    let schema: Arc<Schema> = text.schema;
    let (policy, found) = compiled(config, &sources, Some(&schema));
    let policy = policy.ok_or_else(|| problems(found))?;
    let rows = report(&told.found, &policy, &schema);
    let all = suggestions(&rows, &policy, &schema);
    if !all.additions.is_empty() {
        write(config, &policies, &schema, &all.additions)
            .map_err(|error| Failed::problem(error.to_string()))?;
    }
    told.rows = rows;
    Ok(told)
}

/// Writes the rest, and looks whether all of it can be used.
fn finish(staging: &Staging, plan: &mut Plan<'_>, told: Option<&Told>) -> Result<(), Failed> {
    if plan.roles.is_empty() {
        plan.roles = vec![MADE_UP.to_owned()];
        plan.are_made_up = true;
    }
    match told {
        None => lay(staging, plan).map_err(not_placed)?,
        Some(_) => {
            init::lay_rules(staging, plan).map_err(not_placed)?;
            staging
                .write("paravent.yaml", &configuration(plan))
                .map_err(not_placed)?;
        }
    }
    let config = load(staging)?;
    let sources = Policy::read(&config.policies).map_err(problems)?;
    let (policy, found) = compiled(&config, &sources, None);
    let policy = policy.ok_or_else(|| problems(found))?;
    lay_tests(staging, plan, &policy).map_err(not_placed)
}

fn load(staging: &Staging) -> Result<Config, Failed> {
    let (config, found) = Config::load(&staging.path().join("paravent.yaml"));
    config.ok_or_else(|| problems(found))
}

fn problems(found: crate::diagnostic::Diagnostics) -> Failed {
    eprint!("{}", found.render(colour()));
    Failed(PROBLEMS, "nothing was written".to_owned())
}

fn not_placed(error: NotPlaced) -> Failed {
    Failed::unusable(error.to_string())
}

/// Asks on the terminal; a blank answer is the usual one.
fn ask(what: &str, usual: &str) -> Result<String, Failed> {
    match usual {
        "" => eprint!("{what}: "),
        usual => eprint!("{what} [{usual}]: "),
    }
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match read {
        Ok(1..) => Ok(Some(line.trim())
            .filter(|line| !line.is_empty())
            .unwrap_or(usual)
            .to_owned()),
        _ => Err(Failed::unusable(
            "nothing was answered, and nothing was written",
        )),
    }
}

/// What was made, and what to do next.
fn told(dir: &Path, plan: &Plan<'_>, told: Option<&Told>) -> String {
    let shown = dir.display();
    let mut text = format!(
        "made `{shown}`: paravent.yaml, policies/, policies/tests/, schema/, token.key, audit.key, audit.pub, checkpoints/, .gitignore\n"
    );
    let roles = plan.roles.join(", ");
    text.push_str(&match plan.are_made_up {
        true => format!(
            "role: {roles}, which stands in for those of the CRM: change policies/rules.yaml\n"
        ),
        false => format!("roles: {roles}\n"),
    });
    if let Some(told) = told {
        let number =
            |is: &dyn Fn(&Verdict) -> bool| told.rows.iter().filter(|row| is(&row.verdict)).count();
        let suggested = number(&|verdict| matches!(verdict, Verdict::Suggest(_)));
        let open: Vec<String> = told
            .rows
            .iter()
            .filter(|row| row.verdict == Verdict::Open)
            .map(|row| format!("{}.{}", row.module, row.field))
            .collect();
        text.push_str(&format!(
            "looked at {} records: {} fields, of them {} classified, copied or never shown, {suggested} added as suggested, {} open\n",
            told.records,
            told.rows.len(),
            told.rows.len() - suggested - open.len(),
            open.len()
        ));
        if !open.is_empty() {
            text.push_str(&format!(
                "open, and redacted until you classify them: {}\n",
                open.join(", ")
            ));
        }
    }
    text.push_str(&format!(
        "\nnext:\n  paravent check --config {shown}/paravent.yaml\n  paravent test --config {shown}/paravent.yaml\n  paravent serve --config {shown}/paravent.yaml\n"
    ));
    text
}
