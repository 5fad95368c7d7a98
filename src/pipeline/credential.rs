//! The credential of the CRM that a request has, and what stands in its place.

use super::Pipeline;
use crate::config::Way;
use crate::dialect::{Access, Dialect, Operation, Understood};
use crate::door::{Carrier, Credential, Head};
use crate::reason::Reason;
use crate::vocabulary::Action;

impl Pipeline {
    /// Why somebody does not log in who states a token or a key of ours as what the CRM is to be told.
    pub(super) fn misplaced(
        &self,
        head: &Head,
        body: &[u8],
        understood: &Understood,
    ) -> Option<Reason> {
        let operation = match understood {
            Understood::One(exchange) => exchange.operation(),
            Understood::Bulk { .. } => return None,
        };
        if operation.action != Action::Auth || !self.ways.accept(Way::CrmSession) {
            return None;
        }
        let stated = head.credential.as_ref().ok().and_then(Option::as_ref);
        let query = head.query.as_deref().unwrap_or_default();
        stated
            .and_then(|stated| self.ways.misplaced(stated))
            .or_else(|| self.ways.misplaced_in(body))
            .or_else(|| self.ways.misplaced_in(query.as_bytes()))
    }
}

/// The one credential of a request: in its head or among its arguments, and of a kind that the API has.
pub(super) fn the_credential(
    dialect: &dyn Dialect,
    head: &Head,
    understood: &Understood,
) -> Result<Option<Credential>, Reason> {
    let argument = match understood {
        Understood::One(exchange) if exchange.operation().access == Access::Public => {
            return Ok(of_anybody(dialect, head, exchange.operation()));
        }
        Understood::One(exchange) => &exchange.operation().credential,
        Understood::Bulk { credential, .. } => credential,
    };
    let is_bulk = matches!(understood, Understood::Bulk { .. });
    match (&head.credential.clone()?, argument) {
        // What each part of an envelope says once more.
        (Some(one), Some(same))
            if is_bulk
                && one.token() == same.token()
                && dialect.head_form().accepts(one.carrier()) =>
        {
            Ok(Some(one.clone()))
        }
        (None, Some(argument)) if !dialect.head_form().accepts(argument.carrier()) => {
            Err(Reason::CredentialInBulk)
        }
        (Some(_), Some(_)) => Err(Reason::TwoCredentials),
        (Some(credential), None) if !dialect.head_form().accepts(credential.carrier()) => {
            Err(Reason::BadCredential)
        }
        (credential, argument) => Ok(argument.as_ref().or(credential.as_ref()).cloned()),
    }
}

/// What goes on with a request that anybody may make: a good credential, as some APIs ask for one all the same (`Pipeline::anybodys`
/// sees to that). Whoever needs no session need not have one, so a bad one is left behind; and so is whatever comes with a log-in, which it cannot mean,
/// but the name and secret with which a client logs in (RFC 6749, section 2.3.1).
fn of_anybody(dialect: &dyn Dialect, head: &Head, operation: &Operation) -> Option<Credential> {
    let stated = head.credential.as_ref().ok()?.as_ref()?;
    let carrier = stated.carrier();
    let means_something = operation.action != Action::Auth || *carrier == Carrier::Basic;
    (means_something && dialect.head_form().accepts(carrier)).then(|| stated.clone())
}

/// Where no session of the CRM is accepted, none is looked at: a bearer token is one of an issuer, if anything.
pub(super) fn no_session(
    head: &Head,
    understood: &Understood,
) -> Result<Option<Credential>, Reason> {
    let argument = match understood {
        Understood::One(exchange) => &exchange.operation().credential,
        Understood::Bulk { credential, .. } => credential,
    };
    let is_token = match &head.credential.clone()? {
        None => true,
        Some(stated) if *stated.carrier() == Carrier::Bearer => match head.proofs.token {
            Some(_) => return Err(Reason::TwoCredentials),
            None => true,
        },
        Some(_) => false,
    };
    match argument.is_none() && is_token {
        true => Ok(None),
        false => Err(Reason::WayNotAccepted),
    }
}
