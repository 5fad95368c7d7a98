//! From a configuration to what a proxy is made of.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{ListenerSetup, PortalSetup, Setup, limits, settings};
use crate::audit::note::NoteError;
use crate::audit::{self, Bearer, Log, Options, Place, Signing, SigningKeys, Target};
use crate::config::{self, Config, Durability, Listener, PublishTo};
use crate::consent;
use crate::diagnostic::Diagnostics;
use crate::dialect::Dialect;
use crate::identity::{Authorities, Unjudged};
use crate::ledger::{self, Ledger, PersonKeys};
use crate::notify;
use crate::pipeline::LiveSchema;
use crate::policy::Policy;
use crate::reload::{Candidate, Source, Suites, TlsFiles};
use crate::sinks::Plan;

/// Why a configuration that was checked cannot be used after all.
#[derive(Debug, thiserror::Error)]
pub enum NotConfigured {
    /// A file is not what it was when it was checked.
    #[error("{}", .0.render(false))]
    Files(Diagnostics),
    /// Proofs cannot be judged.
    #[error(transparent)]
    Unjudged(#[from] Unjudged),
    /// A key that should sign checkpoints is none.
    #[error("a key of `keys.audit` {0}")]
    AuditKey(NoteError),
    /// A secret of a place for checkpoints cannot stand in a header.
    #[error("a `bearer` of `audit.publish` cannot stand in a header")]
    Bearer,
    /// The keys of the consent ledger.
    #[error("a key of `keys.person` {0}")]
    PersonKeys(ledger::KeysError),
    /// The policy rests on what people have said, and nobody keeps that.
    #[error(
        "the policy says whom records are about, which needs the consent ledger: name a key, `keys: {{ person: [{{ file: person.key }}] }}` (C014)"
    )]
    NoLedger,
    /// The key that signs receipts.
    #[error(transparent)]
    Receipts(#[from] consent::NoSigner),
    /// How mails leave.
    #[error(transparent)]
    Mail(#[from] notify::SetUpError),
    /// A name leads nowhere.
    #[error("a listener names an unknown upstream")]
    Upstream,
}

type LiveSchemas = BTreeMap<String, Vec<Arc<LiveSchema>>>;

/// A configuration, with what it names.
#[derive(Debug)]
pub struct Configured<'a> {
    /// The configuration.
    pub config: Arc<Config>,
    /// The policy that it names, and the schemas.
    pub began: Candidate,
    /// What judges the proofs of all listeners.
    pub authorities: &'a Authorities,
    /// What runs tests, if they must pass before a policy comes into force.
    pub suites: Option<Arc<dyn Suites>>,
    /// How often changes are looked for, if the configuration wants that.
    pub every: Duration,
}

impl Configured<'_> {
    /// What is to be served, before anything is opened.
    ///
    /// # Errors
    /// If something has changed since it was checked.
    pub fn listeners(&self) -> Result<Vec<ListenerSetup>, NotConfigured> {
        let schemas = live_schemas(&self.config, &self.began)?;
        let listeners = self.config.listeners.iter();
        listeners
            .map(|listener| set_up(&self.config, listener, &schemas, self.authorities))
            .collect()
    }

    /// All of a proxy.
    pub fn set_up(
        self,
        listeners: Vec<ListenerSetup>,
        log: Log,
        ledger: Option<Arc<Ledger>>,
        portal: Option<PortalSetup>,
    ) -> Setup {
        Setup {
            listeners,
            admin: self.config.admin,
            policy: self.began.policy.clone(),
            log,
            ledger,
            portal,
            sinks: Plan {
                sinks: self.config.audit.sinks.clone(),
                dir: self.config.audit.dir.value.clone(),
                state: self.config.state.value.clone(),
                node: self.config.audit.node.clone(),
            },
            stop_timeout: self.config.stop_timeout,
            reload: Some(Source {
                every: self.config.reload.watch.then_some(self.every),
                config: self.config,
                began: self.began,
                suites: self.suites,
            }),
        }
    }
}

/// Where the consent ledger is kept, and under which keys; `None`, if the configuration has none.
///
/// # Errors
/// If a key is none.
pub fn ledger_settings(config: &Config) -> Result<Option<ledger::Settings>, ledger::KeysError> {
    let keys: Vec<&[u8]> = config.person_keys().iter().map(|key| key.bytes()).collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let place = match &config.postgres {
        Some(postgres) => ledger::Place::Postgres(postgres.clone()),
        None => ledger::Place::Folder(config.state.value.clone()),
    };
    Ok(Some(ledger::Settings {
        place,
        keys: PersonKeys::new(&keys)?,
        bytes_max: config.ledger_bytes_max,
        clock: ledger::Clock::system(),
    }))
}

/// Where the consent ledger is kept that a policy and a configuration need, if they do.
///
/// # Errors
/// If the policy needs one that the configuration does not have.
pub fn ledger_needed(
    config: &Config,
    policy: &Policy,
) -> Result<Option<ledger::Settings>, NotConfigured> {
    let settings = ledger_settings(config).map_err(NotConfigured::PersonKeys)?;
    match settings {
        None if policy.needs().ledger => Err(NotConfigured::NoLedger),
        settings => Ok(settings),
    }
}

/// The schemas of all upstreams by name and dialect, with what was learned before.
fn live_schemas(config: &Config, began: &Candidate) -> Result<LiveSchemas, NotConfigured> {
    let folder = config.state.value.join("schema");
    let mut found = Diagnostics::new();
    let mut schemas = LiveSchemas::new();
    for (name, upstream) in &config.upstreams {
        let of_dialect = |dialect: &Arc<dyn Dialect>| match upstream.learn {
            false => Some(LiveSchema::fixed(name, dialect.clone())),
            true => LiveSchema::growing(name, dialect.clone(), &folder, &mut found),
        };
        let dialects = began.dialects.get(name).into_iter().flatten();
        let live: Vec<_> = dialects.filter_map(of_dialect).collect();
        schemas.insert(name.clone(), live.into_iter().map(Arc::new).collect());
    }
    match found.has_errors() {
        true => Err(NotConfigured::Files(found)),
        false => Ok(schemas),
    }
}

/// Where and how the access log is written.
pub fn log_options(config: &Config) -> Options {
    let durability = match config.audit.durability {
        Durability::Strict => audit::Durability::Strict,
        Durability::Relaxed(within) => audit::Durability::Relaxed(within),
    };
    Options {
        durability,
        node: config.audit.node.clone(),
        keep: config.audit.keep,
        bytes_max: config.audit.max_bytes,
        group: config.audit.group.as_ref().map(|group| group.value.clone()),
        ..Options::new(&config.audit.dir.value, &config.state.value)
    }
}

/// The same for a log whose checkpoints are signed and published.
///
/// # Errors
/// If a key is none.
pub fn signed_log_options(config: &Config) -> Result<Options, NotConfigured> {
    let keys = config.audit_keys().iter().map(config::Secret::bytes);
    let keys = SigningKeys::read(keys).map_err(NotConfigured::AuditKey)?;
    let targets = config.audit.publish.iter().map(target);
    let targets = targets.collect::<Option<Vec<_>>>();
    let targets = targets.ok_or(NotConfigured::Bearer)?;
    Ok(Options {
        signing: keys.map(|keys| Signing {
            targets,
            ..Signing::new(keys)
        }),
        ..log_options(config)
    })
}

/// A place where checkpoints go; `None` if its secret is none.
fn target(one: &config::Publish) -> Option<Target> {
    let place = match &one.to {
        PublishTo::Folder(folder) => Place::Folder(folder.value.clone()),
        PublishTo::Https { url, bearer, ca } => {
            let bearer = bearer.as_ref().map(|secret| Bearer::new(secret.bytes()));
            Place::Https {
                url: url.clone(),
                bearer: bearer.map_or(Some(None), |bearer| bearer.map(Some))?,
                ca: ca.clone(),
            }
        }
    };
    Some(Target {
        place,
        region: one.region.clone(),
    })
}

fn set_up(
    config: &Config,
    listener: &Listener,
    schemas: &LiveSchemas,
    authorities: &Authorities,
) -> Result<ListenerSetup, NotConfigured> {
    let upstream = config.upstreams.get(&listener.upstream);
    let upstream = upstream.ok_or(NotConfigured::Upstream)?;
    let ways = authorities.ways(listener)?;
    let tls = listener.tls.as_ref();
    let tls = tls.map(|tls| {
        let readable_by_all = config.are_secrets_readable_by_all();
        TlsFiles::read(&listener.name, (tls, readable_by_all), &ways)
    });
    let tls = tls.transpose().map_err(NotConfigured::Files)?;
    let (tls_files, tls) = tls.unzip();
    Ok(ListenerSetup {
        name: format!("the listener `{}`", listener.name),
        bind: listener.bind.value,
        tls: tls.map(Arc::new),
        tls_files,
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
