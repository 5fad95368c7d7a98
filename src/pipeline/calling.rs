//! With what the CRM is called: nothing, the caller's own session, or the proxy's own account, for callers whom the CRM does
//! not know.

use std::net::IpAddr;

use super::Visit;
use crate::door::Credential;
use crate::identity::{Held, Service};
use crate::reason::Reason;
use crate::reply::Refusal;
use crate::transport::UpstreamCredential;
use crate::upstream::Untrusted;

/// Who calls the CRM.
#[derive(Clone, Debug)]
pub(super) enum With {
    /// Nobody: what is asked for anybody may have, or it has not been decided yet who asks.
    Nobody,
    /// The caller.
    Own(Credential),
    /// The proxy, in an API version. It logs in when it first calls.
    Service(Service, String),
}

/// What one call is made with.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub(super) credential: UpstreamCredential,
    /// Where it is the proxy's own.
    held: Option<Held>,
}

impl Called {
    fn own(held: Held) -> Self {
        Self {
            credential: UpstreamCredential::of_service(held.credential().clone()),
            held: Some(held),
        }
    }

    /// Whether the proxy calls for itself.
    pub(super) fn is_service(&self) -> bool {
        self.held.is_some()
    }
}

impl Visit<'_> {
    /// What the CRM is called with now.
    pub(super) async fn call(&self) -> Result<Called, Reason> {
        let callers = |credential| Called {
            credential,
            held: None,
        };
        match self.with {
            With::Nobody => Ok(callers(UpstreamCredential::nobody())),
            With::Own(credential) => Ok(callers(UpstreamCredential::of_caller(credential))),
            With::Service(service, version) => {
                // In a box, as is all that sessions do not need.
                Box::pin(service.credential(version)).await.map(Called::own)
            }
        }
    }

    /// What it is called with once more, where it has not accepted what the proxy's account came to before. It has done
    /// nothing then, so nothing is done twice.
    pub(super) async fn call_again(
        &self,
        before: &Called,
        forwarded: &Result<Untrusted, Refusal>,
    ) -> Result<Option<Called>, Reason> {
        let refusal = forwarded.as_ref().err().and_then(Refusal::reason);
        match (self.with, &before.held, refusal) {
            (
                With::Service(service, version),
                Some(held),
                Some(Reason::ServiceCredentialRefused),
            ) => {
                let renewed = Box::pin(service.renew(held, version)).await?;
                Ok(Some(Called::own(renewed)))
            }
            _ => Ok(None),
        }
    }

    /// From where a call comes, as the CRM is told.
    pub(super) fn origin_of(&self, called: &Called) -> IpAddr {
        match called.is_service() {
            true => Service::ORIGIN,
            false => self.origin,
        }
    }
}
