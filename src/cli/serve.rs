//! `paravent serve`: runs the proxy.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{DONE, PROBLEMS, UNUSABLE, colour, unusable};
use crate::audit::{self, Log, Options};
use crate::config::{Config, Durability, Listener, LogFormat, Tls, Upstream};
use crate::diagnostic::Diagnostics;
use crate::dialect::{Dialect, sugar_rest::SugarRest};
use crate::policy::Policy;
use crate::proxy::{ListenerSetup, Proxy, Setup, limits, settings};
use crate::server;
use crate::transport::Destination;

/// Which configuration.
#[derive(Debug, Args)]
#[command(
    after_help = "SIGTERM, SIGQUIT or Ctrl-C stops it in order: not ready, no new connections, open requests end, the access log is closed. A second one cuts open requests off.\nNothing starts when the configuration or a policy has an error."
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
        policy
    });
    eprint!("{}", found.render(colour()));
    let (Some(config), Some(policy)) = (config, policy) else {
        return PROBLEMS;
    };
    super::logging::start(config.log.format == LogFormat::Json, config.log.level);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return unusable(&error),
    };
    match runtime.block_on(serve(&config, policy)) {
        Ok(()) => DONE,
        Err(error) => unusable(&*error),
    }
}

/// Compiles the policies that a configuration names, with the field algebra of its dialects.
pub(super) fn policy(config: &Config) -> (Option<Policy>, Diagnostics) {
    match Policy::read(&config.policies) {
        Ok(sources) => Policy::compile(&sources, &dialects(config), config.token_key()),
        Err(problems) => (None, problems),
    }
}

/// All dialects that are spoken, each once.
fn dialects(config: &Config) -> Vec<Arc<dyn Dialect>> {
    let mut dialects: Vec<Arc<dyn Dialect>> = Vec::new();
    for dialect in config.upstreams.values().flat_map(|one| &one.dialects) {
        if dialects.iter().all(|known| known.name() != dialect.name()) {
            dialects.push(dialect.clone());
        }
    }
    if dialects.is_empty() {
        dialects.push(Arc::new(SugarRest::new()));
    }
    dialects
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

async fn serve(config: &Config, policy: Policy) -> Result<(), Box<dyn std::error::Error>> {
    allow_connections(config);
    let asked = server::listen()?;
    let listeners = config
        .listeners
        .iter()
        .map(|listener| set_up(config, listener))
        .collect::<Result<_, _>>()?;
    let setup = Setup {
        listeners,
        admin: config.admin,
        policy: Arc::new(policy),
        log: Log::open(log_options(config))?,
        stop_timeout: config.stop_timeout,
    };
    let proxy = Proxy::start(setup).await?;
    for (listener, address) in config.listeners.iter().zip(&proxy.addresses) {
        tracing::info!(listener = listener.name, %address, upstream = listener.upstream, tls = listener.tls.is_some(), "listening");
    }
    tracing::info!(address = %proxy.admin, "admin listening");
    asked.clone().times(1).await;
    tracing::info!("stopping");
    proxy.stop(asked.times(2)).await;
    Ok(())
}

fn log_options(config: &Config) -> Options {
    let durability = match config.audit.durability {
        Durability::Strict => audit::Durability::Strict,
        Durability::Relaxed(within) => audit::Durability::Relaxed(within),
    };
    Options {
        durability,
        node: config.audit.node.clone(),
        ..Options::new(&config.audit.dir, &config.state)
    }
}

fn set_up(
    config: &Config,
    listener: &Listener,
) -> Result<ListenerSetup, Box<dyn std::error::Error>> {
    let upstream = config
        .upstreams
        .get(&listener.upstream)
        .ok_or("a listener names an unknown upstream")?;
    Ok(ListenerSetup {
        name: format!("the listener `{}`", listener.name),
        bind: listener.bind,
        tls: listener.tls.as_ref().map(tls).transpose()?,
        destination: destination(upstream),
        dialects: upstream.dialects.clone(),
        settings: settings(&config.limits, upstream.page_max),
        limits: limits(&config.limits, &config.hosts, &upstream.dialects),
    })
}

fn destination(upstream: &Upstream) -> Destination {
    Destination {
        scheme: upstream.scheme.clone(),
        authority: upstream.authority.clone(),
        prefix: upstream.prefix.clone(),
        roots: upstream.ca.clone(),
        connect_timeout: upstream.timeouts.connect,
        first_byte_timeout: upstream.timeouts.first_byte,
        total_timeout: upstream.timeouts.total,
    }
}

fn tls(files: &Tls) -> Result<Arc<rustls::ServerConfig>, Box<dyn std::error::Error>> {
    let certificates =
        CertificateDer::pem_file_iter(&files.certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(&files.key)?;
    Ok(Arc::new(server::tls(certificates, key)?))
}
