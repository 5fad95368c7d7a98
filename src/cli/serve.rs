//! `paravent serve`: runs the proxy.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::sync::watch;

use super::{DONE, PROBLEMS, UNUSABLE, colour, print, unusable};
use crate::audit::{self, By, Log};
use crate::config::{Config, LogFormat};
use crate::diagnostic::Diagnostics;
use crate::identity::Authorities;
use crate::ledger::Ledger;
use crate::preflight;
use crate::proxy::{
    Configured, NotConfigured, PortalSetup, Proxy, ledger_needed, signed_log_options,
};
use crate::reload::{self, Candidate, Suites};
use crate::server;
use crate::workbench::Required;

/// Which configuration.
#[derive(Debug, Args)]
#[command(
    after_help = "SIGHUP makes it look at once whether the policy or a certificate has changed.\nSIGTERM, SIGQUIT or Ctrl-C stops it in order: not ready, no new connections, open requests end, the access log is closed. A second one cuts open requests off.\nNothing starts when the configuration, a policy, or a file that they name has an error.\nThe CRMs are asked once it runs; what they do not answer is in the log (see check --connect)."
)]
pub(super) struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Do everything that a start does up to opening the access log and the addresses, say whether it would start, and end
    #[arg(long)]
    check_only: bool,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    if !arguments.config.exists() {
        eprintln!(
            "error: no such configuration file: `{}`",
            arguments.config.display()
        );
        return UNUSABLE;
    }
    let (config, mut found) = Config::load(&arguments.config);
    let candidate = config.as_ref().and_then(|config| {
        let (candidate, problems) = Candidate::at_start(config, suites(config).as_deref());
        found.extend(problems);
        // Ports and the lock of the log are taken in a moment, which says the same.
        found.extend(preflight::machine(config, true));
        candidate
    });
    eprint!("{}", found.render(colour()));
    let (Some(config), Some(began), false) = (config, candidate, found.has_errors()) else {
        return PROBLEMS;
    };
    let config = Arc::new(config);
    if arguments.check_only {
        return check_only(&config, began, &found);
    }
    super::logging::start(config.log.format == LogFormat::Json, config.log.level);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return unusable(&error),
    };
    let served = runtime.block_on(serve(&config, began));
    // A look-up of a name may still go on; nobody waits for it.
    runtime.shutdown_background();
    match served {
        Ok(()) => DONE,
        Err(error) => unusable(&*error),
    }
}

/// Each connection is an open file, each request may be one to the CRM, and the log and the admin listener are some.
fn allow_connections(config: &Config) {
    let each = config.limits.connections_max + config.limits.requests_max;
    let wanted = (config.listeners.len() * each + OTHER_FILES) as u64;
    match server::allow_open_files(wanted) {
        Some(allowed) if allowed < wanted => {
            tracing::warn!(
                allowed,
                wanted,
                "fewer files may be open than connections are accepted: raise the system's limit, or lower `limits.connections_max`"
            );
        }
        _ => {}
    }
}

/// Files beside connections.
const OTHER_FILES: usize = 128;

/// Says whether it would start.
fn check_only(config: &Arc<Config>, began: Candidate, found: &Diagnostics) -> u8 {
    let summary = began.policy.summary();
    let tried = Authorities::new(config)
        .map_err(NotConfigured::from)
        .and_then(|authorities| configured(config, began, &authorities).listeners())
        .and_then(|listeners| PortalSetup::of(config).map(|_| listeners));
    match tried {
        Ok(listeners) => {
            print(&summary.render(found));
            print(&format!(
                "it would start, with {} listeners\n",
                listeners.len()
            ));
            DONE
        }
        Err(error) => {
            unusable(&error);
            PROBLEMS
        }
    }
}

fn configured<'a>(
    config: &Arc<Config>,
    began: Candidate,
    authorities: &'a Authorities,
) -> Configured<'a> {
    Configured {
        config: config.clone(),
        began,
        authorities,
        suites: suites(config),
        every: reload::INTERVAL,
    }
}

/// What runs the tests of a policy, where they must pass.
fn suites(config: &Config) -> Option<Arc<dyn Suites>> {
    let required: Arc<dyn Suites> = Arc::new(Required);
    config.reload.require_tests.then_some(required)
}

async fn serve(config: &Arc<Config>, began: Candidate) -> Result<(), Box<dyn std::error::Error>> {
    allow_connections(config);
    let signals = server::listen()?;
    let asked = signals.stop;
    let authorities = Authorities::new(config)?;
    let configured = configured(config, began, &authorities);
    let listeners = configured.listeners()?;
    let keys = authorities.keys().cloned();
    // Before the log: what cannot be opened needs no event that it began.
    let ledger = match ledger_needed(config, &configured.began.policy)? {
        Some(settings) => Some(Arc::new(Ledger::open(settings).await?)),
        None => None,
    };
    let portal = PortalSetup::of(config)?;
    let log = Log::open(signed_log_options(config)?)?;
    let setup = configured.set_up(listeners, log.clone(), ledger, portal);
    let proxy = Proxy::start(setup).await?;
    // Nobody needs it to run: without it, questions to the log take longer.
    let keeper = audit::keep(&config.audit.dir.value);
    if let Err(error) = &keeper {
        tracing::warn!(%error, "the index of the access log is not kept");
    }
    let (stop_following, stopped) = watch::channel(false);
    let following = keys.map(|keys| {
        let folders = (config.audit.dir.value.clone(), config.state.value.clone());
        tokio::spawn(audit::follow_keys(keys, log, folders, stopped))
    });
    for (listener, address) in config.listeners.iter().zip(&proxy.addresses) {
        tracing::info!(listener = listener.name, %address, upstream = listener.upstream, tls = listener.tls.is_some(), "listening");
    }
    if let (Some(address), Some(portal)) = (proxy.portal, &config.portal) {
        tracing::info!(%address, tls = portal.tls.is_some(), "portal listening");
    }
    tracing::info!(address = %proxy.admin, "admin listening");
    let asking = tokio::spawn(ask_upstreams(config.clone()));
    let reloading = proxy.reload.clone();
    let reloading = reloading.map(|handle| tokio::spawn(look_when_asked(signals.reload, handle)));
    asked.clone().times(1).await;
    asking.abort();
    if let Some(reloading) = reloading {
        reloading.abort();
    }
    tracing::info!("stopping");
    let _ = stop_following.send(true);
    if let Some(following) = following {
        let _ = following.await;
    }
    proxy.stop(asked.times(2)).await;
    // It may be in the middle of something, which nobody waits for before open requests have ended.
    let _ = tokio::task::spawn_blocking(move || drop(keeper)).await;
    Ok(())
}

/// Looks at the policy and the certificates each time that a signal asks for it. What came of it is in the log.
async fn look_when_asked(mut asked: watch::Receiver<u32>, handle: reload::Handle) {
    while asked.changed().await.is_ok() {
        let Some(report) = handle.look(By::Signal).await else {
            return;
        };
        let certificates = report.certificates.iter();
        let certificates = certificates.map(|(name, outcome)| format!("{name}={outcome}"));
        let certificates: Vec<_> = certificates.collect();
        tracing::info!(
            policy = %report.policy,
            certificates = certificates.join(" "),
            "looked at the policy and the certificates, as a signal has asked"
        );
    }
}

/// Tells the operator which CRMs do not answer as they should. They may be there later.
async fn ask_upstreams(config: Arc<Config>) {
    for problem in preflight::upstreams(&config).await.iter() {
        tracing::warn!(
            code = problem.code,
            what = problem.label,
            fix = problem.help,
            "{}",
            problem.title
        );
    }
}
