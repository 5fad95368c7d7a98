//! Whether each CRM accepts the proxy's own account. It is tried once: an account that is refused too often is locked.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::config::{Config, Proof, Service as Account, Upstream, codes};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::dialect::{Dialect, Inquiry, USUAL_VERSION};
use crate::door::Credential;
use crate::identity::{Service, inquire};
use crate::reason::Reason;
use crate::transport::{Destination, Transport};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tries all accounts at once, for at most half a minute. A CRM that is not there is told of elsewhere.
pub async fn accounts(config: &Config) -> Diagnostics {
    let mut tried = JoinSet::new();
    for (name, upstream) in &config.upstreams {
        let Some(account) = &upstream.service else {
            continue;
        };
        // One attempt, in the first dialect that takes it.
        let mut dialects = upstream.dialects.iter();
        if let Some(dialect) = dialects.find(|dialect| account.proof.fits(&***dialect)) {
            let (name, upstream) = (name.clone(), upstream.clone());
            let (account, dialect) = (account.clone(), dialect.clone());
            tried.spawn(async move {
                let tried = attempt(&name, &upstream, account, dialect);
                tokio::time::timeout(PATIENCE, tried).await.ok().flatten()
            });
        }
    }
    let mut found = Diagnostics::new();
    while let Some(problem) = tried.join_next().await {
        found.push_any(problem.ok().flatten());
    }
    found
}

async fn attempt(
    name: &str,
    upstream: &Upstream,
    account: Account,
    dialect: Arc<dyn Dialect>,
) -> Option<Diagnostic> {
    let transport = Transport::new(Destination::from(upstream)).ok()?;
    let place = account.place.clone();
    if let Proof::Fixed(credential) = &account.proof {
        let is_unknown = is_nobodys(&transport, &*dialect, credential).await;
        let title = format!(
            "upstream {} does not say whose the credential of the proxy's own account is",
            quoted(name)
        );
        let problem = Diagnostic::warning(codes::SERVICE_UNKNOWN, title)
            .at(&place, format!("asked as `{}`", dialect.name()))
            .help("look whether it is still good; an account that may not ask who it is can be of use all the same");
        return is_unknown.then_some(problem);
    }
    let service = Service::new(transport, dialect.clone(), account);
    let label = match service.credential(USUAL_VERSION).await {
        Ok(_) | Err(Reason::UpstreamUnreachable) => return None,
        Err(Reason::ServiceCredentialRefused) => "the CRM refuses it".to_owned(),
        Err(reason) => format!("the login came to nothing: {}", reason.code()),
    };
    let title = format!(
        "the proxy's own account cannot log in to upstream {}",
        quoted(name)
    );
    let problem = Diagnostic::error(codes::SERVICE_REFUSED, title)
        .at(&place, format!("{label}, asked as `{}`", dialect.name()))
        .help("look at its name and password, at whether it may use the API, and at the log of the CRM; it was tried once");
    Some(problem)
}

/// Whether the CRM was asked, and says that it is nobody's.
async fn is_nobodys(transport: &Transport, dialect: &dyn Dialect, credential: &Credential) -> bool {
    let first = dialect.inquire(USUAL_VERSION, credential, &[]);
    let asks = matches!(first, Inquiry::Ask(_));
    let asked = inquire(
        transport,
        dialect,
        credential,
        USUAL_VERSION,
        Service::ORIGIN,
    );
    asks && matches!(asked.await, Ok(None))
}
