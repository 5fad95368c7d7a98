//! Puts the stages together and runs them: what `serve`, `demo` and the tests start and stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout_at;

use crate::audit::{AuditUnavailable, By, Event, Loaded, Log, follow_consents, keep_in_force};
use crate::config;
use crate::dialect::{Bounds, Dialect};
use crate::door::Door;
use crate::filter;
use crate::identity::{NoRandomness, Tokens, Ways};
use crate::ledger::{Ledger, Standings};
use crate::limits::Meter;
use crate::metrics::Metrics;
use crate::pipeline::{Cut, Knife, LiveSchema, NewLimits, Pipeline, Services, Settings};
use crate::policy::{Observation, Policy};
use crate::reload::{self, Reloader};
use crate::server::{self, Front, Limits, Readiness, TlsInUse};
use crate::sinks::{Plan, Sinks};
use crate::transport::{Destination, SetUpError, Transport};

mod configured;
mod portal;

pub use configured::{
    Configured, NotConfigured, ledger_needed, ledger_settings, log_options, signed_log_options,
};
pub use portal::PortalSetup;

/// What a proxy is made of.
#[derive(Debug)]
pub struct Setup {
    /// Where it listens, and for which CRM.
    pub listeners: Vec<ListenerSetup>,
    /// Where health and metrics are.
    pub admin: SocketAddr,
    /// The policy.
    pub policy: Arc<Policy>,
    /// The access log, open.
    pub log: Log,
    /// How long a stop waits for requests to end.
    pub stop_timeout: Duration,
    /// What is looked at again while it runs.
    pub reload: Option<reload::Source>,
    /// To whom the access log is carried.
    pub sinks: Plan,
    /// What people have said, if somebody keeps that.
    pub ledger: Option<Arc<Ledger>>,
    /// Where persons say it, if they may. It needs the ledger.
    pub portal: Option<PortalSetup>,
}

/// One listener and the CRM behind it.
pub struct ListenerSetup {
    /// Its name, for messages.
    pub name: String,
    /// Its address.
    pub bind: SocketAddr,
    /// TLS, if it speaks it.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// From what that was made, if other files may take its place.
    pub tls_files: Option<reload::TlsFiles>,
    /// The name of the CRM in the configuration.
    pub upstream: Arc<str>,
    /// Where the CRM is.
    pub destination: Destination,
    /// The ways in which callers prove who they are.
    pub ways: Ways,
    /// The proxy's own account in the CRM.
    pub service: Option<config::Service>,
    /// The dialects that the CRM speaks, each with what is known of the CRM's data.
    pub schemas: Vec<Arc<LiveSchema>>,
    /// Bounds of the walk.
    pub settings: Settings,
    /// Bounds of connections and requests.
    pub limits: Limits,
}

impl std::fmt::Debug for ListenerSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListenerSetup")
            .field("name", &self.name)
            .field("bind", &self.bind)
            .finish_non_exhaustive()
    }
}

/// Why a proxy cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address.
    #[error("could not listen on {address} for {what}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The listener's name, or the admin listener.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// Connections to the CRM.
    #[error(transparent)]
    Transport(#[from] SetUpError),
    /// Randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The access log.
    #[error(transparent)]
    Audit(#[from] AuditUnavailable),
    /// What callers were shown before.
    #[error("could not count from the access log what callers were shown: {0}")]
    Limits(io::Error),
    /// Counters.
    #[error("could not register the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// A proxy at work.
#[derive(Debug)]
pub struct Proxy {
    /// The listeners' addresses, in the order of the set-up.
    pub addresses: Vec<SocketAddr>,
    /// The admin listener's address.
    pub admin: SocketAddr,
    /// The portal's address, if there is one.
    pub portal: Option<SocketAddr>,
    readiness: Readiness,
    log: Log,
    metrics: Metrics,
    knife: Knife,
    stop: watch::Sender<bool>,
    stop_admin: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    admin_task: JoinHandle<()>,
    /// Keep the keys of issuers fresh, as long as requests go on, and look at what is reloaded.
    refreshing: Vec<JoinHandle<()>>,
    /// Asks for a look at what is reloaded.
    pub reload: Option<reload::Handle>,
    sinks: Sinks,
    stop_timeout: Duration,
    /// What people have said is followed as long as this is held.
    _ledger: Option<Arc<Ledger>>,
}

/// Counts what callers were shown: nobody is answered before.
async fn count_shown(
    meter: &Meter,
    policy: &Policy,
    standings: Option<Arc<Standings>>,
    log: &Log,
) -> Result<(), StartError> {
    let limits = NewLimits::count(meter, policy, standings, log).await;
    let counted = limits.map_err(StartError::Limits)?.put().catch_up();
    counted.await.map_err(StartError::Limits)
}

/// What a ledger knows of persons.
fn known(ledger: Option<&Arc<Ledger>>) -> Option<Arc<Standings>> {
    ledger.map(|ledger| ledger.standings().clone())
}

/// Who says whether it is ready, and whether rules of the first listener only observe.
fn readiness(log: &Log, ways: Vec<Ways>, first: Option<Arc<Pipeline>>) -> Readiness {
    Readiness::new(log.clone(), ways).observing(move || {
        let first = first.as_ref();
        first.map_or_else(Observation::default, |first| first.observation())
    })
}

fn sinks(plan: &Plan, log: &Log, metrics: &Metrics, readiness: &Readiness) -> Sinks {
    let parts = readiness.parts.clone();
    let say = Arc::new(move |part: &str, is_good, words| parts.say(part, is_good, words));
    Sinks::start(plan, log, &metrics.sinks, say)
}

impl Proxy {
    /// Binds all addresses, then begins to answer.
    pub async fn start(setup: Setup) -> Result<Self, StartError> {
        let metrics = Metrics::new(setup.policy.name(), setup.policy.hash())?;
        let (stop, stopped) = watch::channel(false);
        let (knife, cut) = Knife::new();
        let (stop_admin, admin_stopped) = watch::channel(false);
        let admin_listener = bind(setup.admin, "the admin listener").await?;
        let admin = local(&admin_listener, setup.admin);
        let ways: Vec<Ways> = setup.listeners.iter().map(|one| one.ways.clone()).collect();
        let meter = Meter::empty().map_err(|_| NoRandomness)?;
        let terms = (&*setup.policy, &setup.log, &metrics, &meter);
        let mut open = Open::all(setup.listeners, terms, setup.ledger.as_ref(), &cut).await?;
        let portal = portal::opened(setup.portal).await?;
        let portal_address = portal.as_ref().map(|portal| portal.address);
        reload::tell_observation(&setup.policy);
        let first = open.pipelines.first().cloned();
        let terms = portal::terms(first.clone(), &setup.policy);
        let readiness = readiness(&setup.log, ways.clone(), first);
        record(&setup.policy, &open.live, &setup.log).await?;
        let standings = known(setup.ledger.as_ref());
        count_shown(&meter, &setup.policy, standings.clone(), &setup.log).await?;
        let addresses = open.fronts.iter().map(|(address, ..)| *address).collect();
        let mut listeners: Vec<_> = (open.fronts.into_iter())
            .map(|(_, socket, front, tls)| tokio::spawn(front.serve(socket, tls, stopped.clone())))
            .collect();
        let mut refreshing: Vec<_> = issuers(&ways)
            .iter()
            .map(|tokens| tokens.start(admin_stopped.clone()))
            .collect();
        if let Some(ledger) = &setup.ledger {
            let (log, stop) = (setup.log.clone(), admin_stopped.clone());
            refreshing.push(tokio::spawn(follow_consents(ledger.clone(), log, stop)));
        }
        if let (Some(portal), Some(ledger)) = (portal, &setup.ledger) {
            let means = (ledger.clone(), metrics.mails.clone());
            let portal = portal.start(means, terms, stopped.clone(), admin_stopped.clone());
            listeners.push(portal.serving);
            refreshing.push(portal.mailing);
            open.tls.extend(portal.tls);
        }
        let stage = reload::Stage {
            live: open.live,
            pipelines: open.pipelines,
            tls: open.tls,
            log: setup.log.clone(),
            meter,
            standings,
            metrics: metrics.clone(),
            parts: readiness.parts.clone(),
        };
        let reload = setup.reload.map(|source| {
            let (handle, looking) = Reloader::new(source, stage).run(stopped);
            refreshing.push(tokio::spawn(looking));
            handle
        });
        let admin_task = tokio::spawn(server::serve_admin(
            admin_listener,
            readiness.clone(),
            metrics.clone(),
            admin_stopped,
        ));
        let sinks = sinks(&setup.sinks, &setup.log, &metrics, &readiness);
        Ok(Self {
            addresses,
            admin,
            portal: portal_address,
            readiness,
            log: setup.log,
            metrics,
            knife,
            stop,
            stop_admin,
            listeners,
            admin_task,
            refreshing,
            reload,
            sinks,
            stop_timeout: setup.stop_timeout,
            _ledger: setup.ledger,
        })
    }

    /// Stops: not ready, no new connections, open requests end (for a while, or until somebody is in a hurry), the log is
    /// closed last.
    pub async fn stop(mut self, hurry: impl Future<Output = ()>) {
        self.readiness.stop();
        let _ = self.stop.send(true);
        let listeners = std::mem::take(&mut self.listeners);
        let aborts: Vec<_> = listeners.iter().map(JoinHandle::abort_handle).collect();
        let all = async {
            for listener in listeners {
                let _ = listener.await;
            }
        };
        let why = tokio::select! {
            () = all => None,
            () = self.tell_of_waiting() => Some("it took too long"),
            () = hurry => Some("it was asked for once more"),
        };
        if let Some(why) = why {
            let requests = self.metrics.requests_in_flight.get();
            tracing::warn!(requests, "the stop cuts requests off: {why}");
            self.knife.cut();
            self.wait_for_events().await;
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
        let _ = self.stop_admin.send(true);
        let _ = self.admin_task.await;
        end_all(self.refreshing).await;
        let log = self.log;
        if !matches!(
            tokio::task::spawn_blocking(move || log.stop()).await,
            Ok(Ok(()))
        ) {
            tracing::error!("the access log did not stop in order");
        }
        // What the log said last is carried as well.
        self.sinks.stop().await;
    }

    /// Tells for how many requests a stop waits and how long, until it has waited long enough.
    async fn tell_of_waiting(&self) {
        let deadline = Instant::now() + self.stop_timeout;
        while let Some(left) = deadline.checked_duration_since(Instant::now())
            && !left.is_zero()
        {
            let requests = self.metrics.requests_in_flight.get();
            if requests > 0 {
                let seconds = left.as_secs_f32().ceil();
                tracing::info!(
                    requests,
                    seconds,
                    "the stop waits for requests, at most so long"
                );
            }
            tokio::time::sleep(left.min(TELLING_INTERVAL)).await;
        }
    }

    /// Waits until the requests that were cut off have said so to the log; that takes no longer than writing it.
    async fn wait_for_events(&self) {
        let deadline = Instant::now() + CUT_TIMEOUT;
        while self.log.under_way() > 0 && Instant::now() < deadline {
            tokio::time::sleep(CUT_STEP).await;
        }
    }
}

/// A listener's address, its socket, what answers there, and with what connections begin.
type Bound = (SocketAddr, TcpListener, Arc<Front>, Option<Arc<TlsInUse>>);

/// What is open, and not served yet.
#[derive(Default)]
struct Open {
    fronts: Vec<Bound>,
    live: Vec<Arc<LiveSchema>>,
    pipelines: Vec<Arc<Pipeline>>,
    tls: Vec<reload::TlsListener>,
}

impl Open {
    /// Binds the addresses of all listeners, and puts a pipeline behind each.
    async fn all(
        listeners: Vec<ListenerSetup>,
        (policy, log, metrics, meter): (&Policy, &Log, &Metrics, &Meter),
        ledger: Option<&Arc<Ledger>>,
        cut: &Cut,
    ) -> Result<Self, StartError> {
        let (mut open, mut services) = (Self::default(), Services::new());
        for mut listener in listeners {
            if let Some(front) = &listener.ways.front {
                listener.limits.door.front_headers = front.headers().cloned().collect();
            }
            let socket = bind(listener.bind, &listener.name).await?;
            let transport =
                Transport::new(listener.destination)?.counting(metrics.upstream_failures.clone());
            each_once(&mut open.live, &listener.schemas);
            let pipeline = Pipeline::new(
                (listener.upstream, transport),
                listener.schemas,
                policy,
                log.clone(),
                metrics.clone(),
                listener.settings,
            )?
            .counted_by(meter.clone())
            .asking(ledger.map(|ledger| ledger.standings().clone()))
            .reached_by(listener.ways, listener.service.as_ref(), &mut services);
            let pipeline = Arc::new(pipeline.cut_by(cut.clone()));
            open.pipelines.push(pipeline.clone());
            let in_use = listener.tls.map(|tls| Arc::new(TlsInUse::new(tls)));
            if let (Some(files), Some(in_use)) = (listener.tls_files, in_use.clone()) {
                open.tls.push(reload::TlsListener { files, in_use });
            }
            let front = Arc::new(Front::new(pipeline, listener.limits, metrics.clone()));
            open.fronts
                .push((local(&socket, listener.bind), socket, front, in_use));
        }
        Ok(open)
    }
}

/// Records what requests are decided by from the first one on.
async fn record(
    policy: &Arc<Policy>,
    live: &[Arc<LiveSchema>],
    log: &Log,
) -> Result<(), AuditUnavailable> {
    let dialects: Vec<_> = live.iter().map(|one| one.dialect()).collect();
    let known = dialects.iter().map(|dialect| dialect.schema().clone());
    keep_in_force(log, Some(policy), known.collect()).await;
    let schemas = live.iter().zip(&dialects).map(|(live, dialect)| {
        let schema = dialect.schema();
        (live.upstream(), dialect.name(), schema.hash().clone())
    });
    let loaded = Loaded {
        name: policy.name(),
        hash: policy.hash(),
        previous: None,
        schemas: schemas.collect(),
    };
    let event = Event::policy_loaded(&loaded, &reload::classified(policy), By::Start);
    log.write(event).await
}

/// Adds the schemas that are not there yet.
fn each_once(known: &mut Vec<Arc<LiveSchema>>, schemas: &[Arc<LiveSchema>]) {
    for schema in schemas {
        if known.iter().all(|known| !Arc::ptr_eq(known, schema)) {
            known.push(schema.clone());
        }
    }
}

/// Waits until what goes on beside requests has seen the stop. A file system that does not answer must not keep the proxy
/// from ending: what takes too long is dropped where it waits.
async fn end_all(tasks: Vec<JoinHandle<()>>) {
    let deadline = tokio::time::Instant::now() + CUT_TIMEOUT;
    for mut task in tasks {
        if timeout_at(deadline, &mut task).await.is_err() {
            tracing::warn!("the stop cuts off what looks at files: it took too long");
            task.abort();
        }
    }
}

/// The issuers of all listeners, each once.
fn issuers(ways: &[Ways]) -> Vec<Arc<Tokens>> {
    let mut issuers: Vec<Arc<Tokens>> = Vec::new();
    for tokens in ways.iter().filter_map(|ways| ways.tokens.as_ref()) {
        if issuers.iter().all(|known| !Arc::ptr_eq(known, tokens)) {
            issuers.push(tokens.clone());
        }
    }
    issuers
}

/// How often it is told for how many requests a stop waits.
const TELLING_INTERVAL: Duration = Duration::from_secs(5);
/// How long requests that were cut off may take to say so to the log, and a look at what is reloaded to end.
const CUT_TIMEOUT: Duration = Duration::from_secs(2);
const CUT_STEP: Duration = Duration::from_millis(5);

/// The bounds of the walk that a configuration sets.
pub fn settings(configured: &config::Limits, page_max: u32, secrets_in_query: bool) -> Settings {
    let config::Limits {
        bulk_parts_max,
        depth_max,
        record_bytes_max,
        text_bytes_max,
        ..
    } = *configured;
    Settings {
        bounds: Bounds {
            page_max,
            bulk_parts_max,
            depth_max,
        },
        secrets_in_query,
        limits: filter::Limits {
            record_bytes_max,
            text_bytes_max,
            depth_max,
        },
        held_bytes_max: configured.held_bytes_max,
        held_bytes_total_max: configured.held_bytes_total_max,
        stream_large_replies: configured.large_replies == config::LargeReplies::Stream,
        logins_per_minute: configured.logins_per_minute,
        requests_per_minute: configured.requests_per_minute,
        refused_predicates_per_hour: configured.refused_predicates_per_hour,
    }
}

/// The bounds of connections and requests that a configuration sets.
pub fn limits(
    configured: &config::Limits,
    hosts: &[String],
    trusted_proxies: &[IpNet],
    dialects: &[Arc<dyn Dialect>],
) -> Limits {
    Limits {
        request_bytes_max: configured.request_bytes_max,
        request_bytes_total_max: configured
            .held_bytes_total_max
            .max(configured.request_bytes_max),
        connections_max: configured.connections_max,
        requests_max: configured.requests_max,
        head_timeout: configured.head_timeout,
        body_timeout: configured.body_timeout,
        idle_timeout: configured.idle_timeout,
        door: Door {
            hosts: hosts.to_vec(),
            credential_headers: dialects
                .iter()
                .flat_map(|dialect| dialect.head_form().credentials.clone())
                .collect(),
            front_headers: Vec::new(),
            control_headers: dialects
                .iter()
                .flat_map(|dialect| dialect.head_form().controls.clone())
                .collect(),
            trusted_proxies: trusted_proxies.to_vec(),
        },
    }
}

async fn bind(address: SocketAddr, what: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Bind {
            address,
            what: what.to_owned(),
            source,
        })
}

/// The address that a socket got, where the configuration left the port open.
fn local(listener: &TcpListener, wanted: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(wanted)
}
