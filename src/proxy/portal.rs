//! The portal, and what carries its mails.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{NotConfigured, StartError, bind, limits, local};
use crate::config::{self, Config};
use crate::consent::{PolicyTerms, Signer};
use crate::identity::Ways;
use crate::ledger::Ledger;
use crate::metrics::MailMetrics;
use crate::notify::{Mailer, Postman};
use crate::pipeline::Pipeline;
use crate::policy::Policy;
use crate::portal::{Parts, Portal};
use crate::reload::{TlsFiles, TlsListener};
use crate::server::{Limits, PortalFront, TlsInUse};

/// The name of the portal's listener in messages.
const NAME: &str = "portal";

/// A portal that is not open yet.
pub struct PortalSetup {
    settings: config::Portal,
    upstreams: BTreeSet<String>,
    mailer: Mailer,
    signer: Option<Signer>,
    tls: Option<(TlsFiles, rustls::ServerConfig)>,
    limits: Limits,
    /// Where its address is bound already.
    socket: Option<TcpListener>,
}

impl PortalSetup {
    /// The portal of a configuration, if it has one.
    ///
    /// # Errors
    /// If what it names cannot be used.
    pub fn of(config: &Config) -> Result<Option<Self>, NotConfigured> {
        let (Some(settings), Some(mail)) = (&config.portal, &config.mail) else {
            return Ok(None);
        };
        let tls = settings.tls.as_ref().map(|tls| {
            let readable_by_all = config.are_secrets_readable_by_all();
            TlsFiles::read(NAME, (tls, readable_by_all), &Ways::new(Vec::new()))
        });
        let signer = config.receipts_key().map(Signer::read).transpose();
        Ok(Some(Self {
            settings: settings.clone(),
            upstreams: config.upstreams.keys().cloned().collect(),
            mailer: Mailer::new(mail)?,
            signer: signer?,
            tls: tls.transpose().map_err(NotConfigured::Files)?,
            limits: limits(&config.limits, &[], &settings.trusted_proxies, &[]),
            socket: None,
        }))
    }

    /// A portal without TLS on a socket, of which `settings` say how it is reached: links name its port, so that it is bound
    /// before they are known.
    ///
    /// # Errors
    /// If mails cannot leave in this way.
    pub fn on(
        socket: TcpListener,
        settings: config::Portal,
        upstream: &str,
        mail: &config::Mail,
        signer: Signer,
    ) -> Result<Self, NotConfigured> {
        Ok(Self {
            upstreams: BTreeSet::from([upstream.to_owned()]),
            mailer: Mailer::new(mail)?,
            signer: Some(signer),
            tls: None,
            limits: limits(&config::Limits::default(), &[], &[], &[]),
            socket: Some(socket),
            settings,
        })
    }

    /// Binds its address, before anybody is answered.
    pub(super) async fn open(mut self) -> Result<Opened, StartError> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => bind(self.settings.bind.value, "the portal").await?,
        };
        Ok(Opened {
            address: local(&socket, self.settings.bind.value),
            socket,
            setup: self,
        })
    }
}

/// The portal, if there is one, its address bound.
pub(super) async fn opened(portal: Option<PortalSetup>) -> Result<Option<Opened>, StartError> {
    match portal {
        Some(portal) => portal.open().await.map(Some),
        None => Ok(None),
    }
}

/// A portal whose address is bound.
pub(super) struct Opened {
    pub(super) address: SocketAddr,
    socket: TcpListener,
    setup: PortalSetup,
}

impl Opened {
    /// Begins to answer, and to hand over mails; with what its connections begin.
    pub(super) fn start(
        self,
        (ledger, metrics): (Arc<Ledger>, MailMetrics),
        terms: Terms,
        stopped: watch::Receiver<bool>,
        mails_stopped: watch::Receiver<bool>,
    ) -> Started {
        let (setup, postman) = (self.setup, Postman::default());
        let portal = Portal::new(Parts {
            settings: setup.settings,
            upstreams: setup.upstreams,
            ledger: ledger.clone(),
            terms,
            postman: postman.clone(),
            signer: setup.signer,
            metrics: metrics.clone(),
            clock: crate::clock::Clock::system(),
        });
        let (files, tls) = setup.tls.unzip();
        let in_use = tls.map(|tls| Arc::new(TlsInUse::from_pointee(tls)));
        let front = Arc::new(PortalFront::new(portal, setup.limits));
        let serving = front.serve(self.socket, in_use.clone(), stopped);
        let mailing = setup.mailer.run(ledger, metrics, postman, mails_stopped);
        Started {
            serving: tokio::spawn(serving),
            mailing: tokio::spawn(mailing),
            tls: files
                .zip(in_use)
                .map(|(files, in_use)| TlsListener { files, in_use }),
        }
    }
}

/// A portal at work.
pub(super) struct Started {
    pub(super) serving: JoinHandle<()>,
    pub(super) mailing: JoinHandle<()>,
    /// What is looked at again while it runs.
    pub(super) tls: Option<TlsListener>,
}

/// Tells what the policy in force says.
pub(super) type Terms = Box<dyn Fn() -> Arc<PolicyTerms> + Send + Sync>;

/// What the policy says that a pipeline decides by, worked out once for each policy.
pub(super) fn terms(pipeline: Option<Arc<Pipeline>>, began: &Policy) -> Terms {
    let first = (began.hash().to_owned(), Arc::new(PolicyTerms::of(began)));
    let held = Mutex::new(first);
    Box::new(move || {
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let told = pipeline
            .as_ref()
            .and_then(|pipeline| pipeline.terms_unless(&held.0));
        if let Some((hash, terms)) = told {
            *held = (hash, Arc::new(terms));
        }
        held.1.clone()
    })
}

impl fmt::Debug for PortalSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortalSetup")
    }
}
