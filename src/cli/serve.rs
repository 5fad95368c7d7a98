//! `paravent serve`: runs the proxy.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::watch;

use super::{DONE, PROBLEMS, UNUSABLE, colour, unusable};
use crate::audit::{self, Log, Options};
use crate::config::{Config, Durability, Listener, LogFormat, Tls, Way};
use crate::diagnostic::Diagnostics;
use crate::dialect::{self, Dialect, Schema};
use crate::identity::{Authorities, Ways};
use crate::pipeline::LiveSchema;
use crate::policy::Policy;
use crate::preflight;
use crate::proxy::{ListenerSetup, Proxy, Setup, limits, settings};
use crate::server;

/// Which configuration.
#[derive(Debug, Args)]
#[command(
    after_help = "SIGTERM, SIGQUIT or Ctrl-C stops it in order: not ready, no new connections, open requests end, the access log is closed. A second one cuts open requests off.\nNothing starts when the configuration, a policy, or a file that they name has an error.\nThe CRMs are asked once it runs; what they do not answer is in the log (see check --connect)."
)]
pub(super) struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
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
    let policy = config.as_ref().and_then(|config| {
        let (policy, problems) = policy(config);
        found.extend(problems);
        // Ports and the lock of the log are taken in a moment, which says the same.
        found.extend(preflight::machine(config, true));
        policy
    });
    eprint!("{}", found.render(colour()));
    let (Some(config), Some(policy), false) = (config, policy, found.has_errors()) else {
        return PROBLEMS;
    };
    let config = Arc::new(config);
    super::logging::start(config.log.format == LogFormat::Json, config.log.level);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return unusable(&error),
    };
    let served = runtime.block_on(serve(&config, policy));
    // A look-up of a name may still go on; nobody waits for it.
    runtime.shutdown_background();
    match served {
        Ok(()) => DONE,
        Err(error) => unusable(&*error),
    }
}

/// Compiles the policies that a configuration names, for what is known of the CRMs' data.
pub(super) fn policy(config: &Config) -> (Option<Policy>, Diagnostics) {
    match Policy::read(&config.policies) {
        Ok(sources) => {
            let (policy, mut found) =
                Policy::compile(&sources, &schemas(config), config.token_key());
            if let Some(policy) = &policy {
                found.extend(policy.against(config));
            }
            (policy.filter(|_| !found.has_errors()), found)
        }
        Err(problems) => (None, problems),
    }
}

/// What is known of the CRMs' data, each schema once.
pub(super) fn schemas(config: &Config) -> Vec<Arc<Schema>> {
    let mut schemas: Vec<Arc<Schema>> = Vec::new();
    for dialect in config.upstreams.values().flat_map(|one| &one.dialects) {
        let schema = dialect.schema();
        if schemas.iter().all(|known| known.hash() != schema.hash()) {
            schemas.push(schema.clone());
        }
    }
    if schemas.is_empty() {
        schemas.push(dialect::usual().schema().clone());
    }
    schemas
}

/// The schemas of all upstreams by name and dialect, with what was learned before.
fn live_schemas(config: &Config) -> Result<LiveSchemas, Diagnostics> {
    let folder = config.state.value.join("schema");
    let mut found = Diagnostics::new();
    let mut schemas = LiveSchemas::new();
    for (name, upstream) in &config.upstreams {
        let of_dialect = |dialect: &Arc<dyn Dialect>| match upstream.learn {
            false => Some(LiveSchema::fixed(name, dialect.clone())),
            true => LiveSchema::growing(name, dialect.clone(), &folder, &mut found),
        };
        let live: Vec<_> = upstream.dialects.iter().filter_map(of_dialect).collect();
        schemas.insert(name.clone(), live.into_iter().map(Arc::new).collect());
    }
    match found.has_errors() {
        true => Err(found),
        false => Ok(schemas),
    }
}

type LiveSchemas = BTreeMap<String, Vec<Arc<LiveSchema>>>;

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

async fn serve(config: &Arc<Config>, policy: Policy) -> Result<(), Box<dyn std::error::Error>> {
    allow_connections(config);
    let asked = server::listen()?;
    let schemas = live_schemas(config).map_err(|found| found.render(colour()))?;
    let authorities = Authorities::new(config)?;
    let listeners = config
        .listeners
        .iter()
        .map(|listener| set_up(config, listener, &schemas, &authorities))
        .collect::<Result<_, _>>()?;
    let keys = authorities.keys().cloned();
    let log = Log::open(log_options(config))?;
    let setup = Setup {
        listeners,
        admin: config.admin,
        policy: Arc::new(policy),
        log: log.clone(),
        stop_timeout: config.stop_timeout,
    };
    let proxy = Proxy::start(setup).await?;
    let (stop_following, stopped) = watch::channel(false);
    let following = keys.map(|keys| {
        let folders = (config.audit.dir.value.clone(), config.state.value.clone());
        tokio::spawn(audit::follow_keys(keys, log, folders, stopped))
    });
    for (listener, address) in config.listeners.iter().zip(&proxy.addresses) {
        tracing::info!(listener = listener.name, %address, upstream = listener.upstream, tls = listener.tls.is_some(), "listening");
    }
    tracing::info!(address = %proxy.admin, "admin listening");
    let asking = tokio::spawn(ask_upstreams(config.clone()));
    asked.clone().times(1).await;
    asking.abort();
    tracing::info!("stopping");
    let _ = stop_following.send(true);
    if let Some(following) = following {
        let _ = following.await;
    }
    proxy.stop(asked.times(2)).await;
    Ok(())
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

pub(super) fn log_options(config: &Config) -> Options {
    let durability = match config.audit.durability {
        Durability::Strict => audit::Durability::Strict,
        Durability::Relaxed(within) => audit::Durability::Relaxed(within),
    };
    Options {
        durability,
        node: config.audit.node.clone(),
        ..Options::new(&config.audit.dir.value, &config.state.value)
    }
}

fn set_up(
    config: &Config,
    listener: &Listener,
    schemas: &LiveSchemas,
    authorities: &Authorities,
) -> Result<ListenerSetup, Box<dyn std::error::Error>> {
    let upstream = config
        .upstreams
        .get(&listener.upstream)
        .ok_or("a listener names an unknown upstream")?;
    let ways = authorities.ways(listener)?;
    Ok(ListenerSetup {
        name: format!("the listener `{}`", listener.name),
        bind: listener.bind.value,
        tls: match &listener.tls {
            Some(files) => Some(tls(files, &ways)?),
            None => None,
        },
        ways,
        service: upstream.service.clone(),
        upstream: listener.upstream.as_str().into(),
        destination: upstream.into(),
        schemas: schemas.get(&listener.upstream).cloned().unwrap_or_default(),
        settings: settings(&config.limits, upstream.page_max, listener.v4_get),
        limits: limits(
            &config.limits,
            &config.hosts,
            &listener.trusted_proxies,
            &upstream.dialects,
        ),
    })
}

fn tls(files: &Tls, ways: &Ways) -> Result<Arc<rustls::ServerConfig>, Box<dyn std::error::Error>> {
    let certificates =
        CertificateDer::pem_file_iter(&files.certificate.value)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(&files.key.value)?;
    let clients = ways.certificates.as_ref();
    let clients = clients.map(|clients| clients.verifier(ways.are_only(Way::Certificate)));
    Ok(Arc::new(server::tls(certificates, key, clients)?))
}
