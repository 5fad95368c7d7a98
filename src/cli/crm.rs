//! What the commands have in common that read a CRM: which one, with which account, at which pace, and where it is kept how
//! far they came.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::{DONE, PROBLEMS, UNUSABLE, colour, password};
use crate::audit::{Reader, visible};
use crate::config::{self, Config, Proof, Upstream};
use crate::diagnostic::{File, Place, nearest};
use crate::dialect::survey::Row;
use crate::dialect::{Account, Dialect, Schema};
use crate::proxy::log_options;
use crate::vocabulary::Module;
use crate::workbench::discover::grown;
use crate::workbench::sampler::{
    self, Catalogue, Crm, Desk, Kept, NoCatalogue, Rate, Recorder, Remark, Standing, State, Step,
    Stopped, Terms, Wish, catalogue, read,
};

/// Which CRM, and how it is read.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// The CRM, where the configuration has several
    #[arg(long, value_name = "NAME")]
    pub(super) upstream: Option<String>,
    /// Its API, where it speaks several [default: the first that takes the account]
    #[arg(long, value_name = "NAME")]
    pub(super) dialect: Option<String>,
    /// Only these modules
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(super) modules: Vec<String>,
    /// An account of the CRM [default: the upstream's `service`]; its password is asked for
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// A file with the password
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(super) password_file: Option<PathBuf>,
    /// Requests in a second, at most: 1 to 1000
    #[arg(long, value_name = "N", default_value_t = Rate::USUAL, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) rate: u32,
    /// Where it is kept how far it came [default: in the folder of the state]
    #[arg(long, value_name = "FILE")]
    pub(super) resume: Option<PathBuf>,
}

/// A CRM that can be read.
pub(super) struct Opened {
    pub(super) config: Config,
    pub(super) crm: Crm,
    pub(super) recorder: Recorder,
    pub(super) kept: Kept,
    pub(super) terms: Terms,
    pub(super) wish: Wish,
    pub(super) modules: Vec<Module>,
}

/// The code of the command that cannot go on, and why.
pub(super) struct Failed(pub(super) u8, pub(super) String);

impl Failed {
    pub(super) fn unusable(why: impl Into<String>) -> Self {
        Self(UNUSABLE, why.into())
    }

    pub(super) fn problem(why: impl Into<String>) -> Self {
        Self(PROBLEMS, why.into())
    }

    /// Tells it; the code.
    pub(super) fn tell(&self) -> u8 {
        if !self.1.is_empty() {
            eprintln!("error: {}", self.1);
        }
        self.0
    }
}

/// Sets up all that is asked for. Nothing is asked of the CRM yet.
pub(super) fn open(asked: &Asked, reader: Reader, most: Option<u64>) -> Result<Opened, Failed> {
    super::logging::quiet_panics();
    let command = match reader {
        Reader::Discover => "discover",
        Reader::Scan => "scan",
    };
    let config = configuration(asked)?;
    let (name, upstream) = upstream(&config, asked.upstream.as_deref())?;
    let (name, upstream) = (name.clone(), upstream.clone());
    let (dialect, account) = account(asked, &name, &upstream)?;
    let rate = Rate::new(asked.rate).unwrap_or_default();
    let dialect_name = dialect.name();
    let crm = Crm::new(&upstream, dialect, account, rate)
        .map_err(|error| Failed::unusable(error.to_string()))?;
    let recorder = Recorder::new(
        log_options(&config),
        reader,
        (&name, dialect_name),
        asked.user.clone(),
    );
    let recorder = recorder.map_err(|error| Failed::unusable(error.to_string()))?;
    let file = format!("{name}.{dialect_name}.json");
    let usual = || config.state.value.join(command).join(file);
    let kept = Kept::at(asked.resume.clone().unwrap_or_else(usual));
    let terms = Terms {
        command: command.to_owned(),
        upstream: name,
        url: format!(
            "{}://{}{}",
            upstream.scheme, upstream.authority, upstream.prefix
        ),
        dialect: dialect_name.to_owned(),
        account: asked.user.clone(),
        modules: asked.modules.clone(),
        most,
    };
    Ok(Opened {
        crm,
        recorder,
        kept,
        terms,
        wish: Wish {
            most,
            page_max: upstream.page_max,
            by_id: false,
            confirmed: false,
        },
        modules: asked.modules.iter().map(|name| Module::new(name)).collect(),
        config,
    })
}

fn configuration(asked: &Asked) -> Result<Config, Failed> {
    let path = &asked.config;
    if !path.exists() {
        let shown = path.display();
        return Err(Failed::unusable(format!(
            "no such configuration file: `{shown}`"
        )));
    }
    let (config, found) = Config::load(path);
    eprint!("{}", found.render(colour()));
    config.ok_or_else(|| Failed::problem("the configuration has errors"))
}

fn upstream<'a>(
    config: &'a Config,
    name: Option<&str>,
) -> Result<(&'a String, &'a Upstream), Failed> {
    let mut all = config.upstreams.iter();
    let names = || {
        let names: Vec<&str> = config.upstreams.keys().map(String::as_str).collect();
        names.join(", ")
    };
    match (name, config.upstreams.len()) {
        (None, 1) => all
            .next()
            .ok_or_else(|| Failed::unusable("there is no upstream")),
        (None, _) => Err(Failed::unusable(format!(
            "the configuration has several upstreams: name one, `--upstream NAME`: {}",
            names()
        ))),
        (Some(name), _) => config.upstreams.get_key_value(name).ok_or_else(|| {
            let near = nearest(name, config.upstreams.keys().map(String::as_str));
            let hint = near.map_or_else(names, |near| format!("did you mean `{near}`?"));
            Failed::unusable(format!("no upstream `{}`; {hint}", visible(name)))
        }),
    }
}

/// The account, and the API that takes it.
fn account(
    asked: &Asked,
    name: &str,
    upstream: &Upstream,
) -> Result<(Arc<dyn Dialect>, config::Service), Failed> {
    let service = match &asked.user {
        None => upstream.service.clone().ok_or_else(|| {
            Failed::unusable(format!(
                "the upstream `{name}` has no `service`: name an account, `--user NAME`"
            ))
        })?,
        Some(user) => {
            let password = password::read(user, asked.password_file.as_deref());
            let password = password.map_err(Failed::unusable)?;
            of_user(user, password, upstream.service.as_ref())
        }
    };
    let mut dialects = upstream.dialects.iter();
    let dialect = match &asked.dialect {
        Some(wanted) => dialects.find(|one| one.name() == wanted),
        None => dialects.find(|one| service.proof.fits(&***one)),
    };
    match dialect {
        Some(dialect) if service.proof.fits(&**dialect) => Ok((dialect.clone(), service)),
        Some(dialect) => Err(Failed::unusable(format!(
            "`{}` has no login that this account could make",
            dialect.name()
        ))),
        None => {
            let names: Vec<&str> = upstream.dialects.iter().map(|one| one.name()).collect();
            Err(Failed::unusable(format!(
                "the upstream `{name}` speaks {}, and none of that takes this account",
                names.join(", ")
            )))
        }
    }
}

/// An account of the CRM, by way of the client that the proxy's own account uses.
pub(super) fn of_user(
    user: &str,
    password: crate::dialect::Secret,
    service: Option<&config::Service>,
) -> config::Service {
    let client = match service.map(|service| &service.proof) {
        Some(Proof::Login(account)) => account.clone(),
        _ => Account::default(),
    };
    let nowhere = Place {
        file: File::new("--user", ""),
        span: 0..0,
    };
    config::Service {
        place: service.map_or(nowhere, |service| service.place.clone()),
        proof: Proof::Login(Account {
            user: Some((user.to_owned(), password)),
            ..client
        }),
        files: Vec::new(),
    }
}

/// What was kept of the same reading before, or nothing. What is no state is left as it is.
pub(super) fn resumed<T: Default + serde::de::DeserializeOwned>(
    opened: &Opened,
) -> Result<State<T>, Failed> {
    let (kept, terms) = (&opened.kept, &opened.terms);
    let shown = kept.path().display();
    let standing = kept.read(terms);
    match standing.map_err(|error| Failed::unusable(error.to_string()))? {
        Standing::Same(state) => {
            eprintln!("note: goes on where it was interrupted: `{shown}`");
            return Ok(state);
        }
        Standing::Other => eprintln!("note: begins anew: `{shown}` is of another reading"),
        Standing::Nothing => {}
    }
    Ok(State::new(terms.clone()))
}

/// A reading that begins anew. What is no state is left as it is.
pub(super) fn anew<T: Default + serde::de::DeserializeOwned>(
    opened: &Opened,
) -> Result<State<T>, Failed> {
    let standing = opened.kept.read::<T>(&opened.terms);
    standing.map_err(|error| Failed::unusable(error.to_string()))?;
    Ok(State::new(opened.terms.clone()))
}

/// What can be done about a reading that has not come to its end.
const GOES_ON: &str = "; the same command goes on where this one ended";

/// Reads records of all modules that are meant, until all are read or somebody presses Ctrl-C, and says so in the access log. How
/// they are counted may depend on what the CRM says of itself.
pub(super) fn read_records<T, C>(
    opened: &mut Opened,
    state: &mut State<T>,
    counting: impl FnOnce(Arc<Schema>) -> C,
) -> Result<Catalogue, Failed>
where
    T: Default + serde::Serialize + Send,
    C: Fn(&mut T, &Row<'_>) + Sync,
{
    let (crm, recorder, wish) = (&opened.crm, &opened.recorder, opened.wish);
    let (kept, modules) = (&mut opened.kept, &opened.modules);
    let mut progress = progress();
    let looked = until_interrupted(async {
        let catalogue = catalogue(crm, modules).await.map_err(no_catalogue)?;
        let schema = grown(crm.dialect().schema(), catalogue.said.clone());
        let mut desk = Desk {
            crm,
            recorder,
            kept,
            count: &counting(schema),
            progress: &mut progress,
        };
        let read = read(&mut desk, &catalogue.modules, wish, state).await;
        read.map(|()| catalogue)
            .map_err(|error| stopped(error, GOES_ON))
    })?;
    progress_ended();
    let Some(looked) = looked else {
        return Err(interrupted(opened, state));
    };
    take_up(opened)?;
    looked
}

pub(super) fn no_catalogue(error: NoCatalogue) -> Failed {
    match error {
        NoCatalogue::Unknown(_) => Failed(UNUSABLE, error.to_string()),
        NoCatalogue::Trouble(trouble) => {
            Failed::problem(format!("the CRM could not be read: {trouble}"))
        }
    }
}

/// Why a reading has ended, and what can be done where the CRM is the reason.
pub(super) fn stopped(error: Stopped, hint: &str) -> Failed {
    match error {
        Stopped::Trouble { .. } => Failed::problem(format!("{error}{hint}")),
        error => Failed::unusable(error.to_string()),
    }
}

fn take_up(opened: &Opened) -> Result<(), Failed> {
    let taken = opened.recorder.take_up();
    taken.map_err(|error| Failed::unusable(error.to_string()))
}

/// Somebody pressed Ctrl-C: what was counted is kept.
fn interrupted<T: serde::Serialize>(opened: &mut Opened, state: &State<T>) -> Failed {
    let kept = opened.kept.keep(state);
    if let Err(failed) = take_up(opened) {
        return failed;
    }
    match kept {
        Ok(()) => Failed(PROBLEMS, format!("interrupted{GOES_ON}")),
        Err(error) => Failed::unusable(error.to_string()),
    }
}

/// Shows on a terminal where a reading is; elsewhere nothing.
pub(super) fn progress() -> impl FnMut(Step<'_>) + Send {
    let is_terminal = std::io::stderr().is_terminal();
    move |step| {
        if is_terminal {
            let Step {
                module,
                number,
                of,
                read,
            } = step;
            eprint!(
                "\r\x1b[K{module}: {read} records ({} of {of} modules)",
                number + 1
            );
            let _ = std::io::stderr().flush();
        }
    }
}

/// Clears what was shown.
pub(super) fn progress_ended() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}

/// Tells what was odd; whether all that was asked for was read.
pub(super) fn remarks<T>(catalogue: &Catalogue, state: &State<T>) -> bool {
    for (module, read) in &state.modules {
        if let Some(why) = &read.unread {
            eprintln!("note: `{module}` was not read: {why}");
        }
        for remark in &read.cursor.remarks {
            eprintln!("note: `{module}`: {}", Remark::text(*remark));
        }
    }
    for (module, why) in &catalogue.silent {
        eprintln!("note: the CRM does not describe `{module}`: {why}");
    }
    if !catalogue.unlisted.is_empty() {
        let names: Vec<&str> = catalogue.unlisted.iter().map(Module::as_str).collect();
        eprintln!(
            "note: modules whose records are never listed through the proxy were left out: {}",
            names.join(", ")
        );
    }
    if catalogue.left_out > 0 {
        eprintln!(
            "note: {} modules were left out: beyond the bound, or with names that are none",
            catalogue.left_out
        );
    }
    if catalogue.modules.is_empty() {
        eprintln!("note: the CRM names no module whose records could be read");
    }
    let is_lacking = state.modules.values().any(sampler::Read::is_lacking);
    !is_lacking && catalogue.left_out == 0 && !catalogue.modules.is_empty()
}

/// The code of a reading that went through. Its state stays where something could be read yet.
pub(super) fn ended<T>(kept: &Kept, state: &State<T>, is_whole: bool) -> u8 {
    if state.modules.values().any(sampler::Read::is_lacking) {
        eprintln!(
            "note: what was read is kept: the same command reads what is missing, and without `{}` all",
            kept.path().display()
        );
    } else {
        kept.forget();
    }
    match is_whole {
        true => DONE,
        false => PROBLEMS,
    }
}

/// Runs something until it ends or somebody presses Ctrl-C; `None` then.
pub(super) fn until_interrupted<T>(doing: impl Future<Output = T>) -> Result<Option<T>, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::unusable(error.to_string()))?;
    let done = runtime.block_on(async {
        tokio::select! {
            done = doing => Some(done),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    // A look-up of a name may still go on; nobody waits for it.
    runtime.shutdown_background();
    Ok(done)
}
