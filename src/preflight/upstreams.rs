//! Whether each CRM is there and answers as its dialects expect: it is asked whose a credential is that nobody has.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::task::JoinSet;

use crate::config::{Config, Upstream, codes};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::dialect::{Dialect, Inquiry, Media, Outgoing, USUAL_VERSION};
use crate::door::{Carrier, Credential};
use crate::identity::inquire;
use crate::transport::{Cause, Destination, Failure, Transport, UpstreamCredential};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where the look-ups of this module come from.
const ORIGIN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Asks all CRMs at once, for at most half a minute.
pub async fn upstreams(config: &Config) -> Diagnostics {
    let mut asked = JoinSet::new();
    for (name, upstream) in &config.upstreams {
        for dialect in &upstream.dialects {
            asked.spawn(look(name.clone(), upstream.clone(), dialect.clone()));
        }
    }
    let mut found = Diagnostics::new();
    while let Some(answered) = asked.join_next().await {
        if let Ok(Some(problem)) = answered {
            found.push(problem);
        }
    }
    found
}

async fn look(name: String, upstream: Upstream, dialect: Arc<dyn Dialect>) -> Option<Diagnostic> {
    let transport = match Transport::new(Destination::from(&upstream)) {
        Ok(transport) => transport,
        Err(error) => {
            let title = format!("upstream {} cannot be asked: {error}", quoted(&name));
            let problem = Diagnostic::error(codes::UPSTREAM_UNUSABLE, title);
            return Some(problem.at(&upstream.place, "its roots of trust cannot be used"));
        }
    };
    let said = tokio::time::timeout(PATIENCE, ask(&transport, &*dialect)).await;
    match said.unwrap_or_else(|_| Err(Cause::TotalTimeout.into())) {
        Ok(Said::Nobody) => None,
        Ok(Said::Somebody) => Some(anybody(&name, &upstream, &*dialect)),
        Err(failure) => Some(unusable(&name, &upstream, &*dialect, &failure)),
    }
}

/// What a CRM says of a credential that nobody has.
enum Said {
    Nobody,
    Somebody,
}

async fn ask(transport: &Transport, dialect: &dyn Dialect) -> Result<Said, Failure> {
    let credential = made_up(dialect);
    if !matches!(
        dialect.inquire(USUAL_VERSION, &credential, &[]),
        Inquiry::Ask(_)
    ) {
        // Callers are listed, so that there is nothing to ask: it must at least be there.
        return is_there(transport).await.map(|()| Said::Nobody);
    }
    let session = inquire(transport, dialect, &credential, USUAL_VERSION, ORIGIN).await?;
    Ok(session.map_or(Said::Nobody, |_| Said::Somebody))
}

async fn is_there(transport: &Transport) -> Result<(), Failure> {
    let root = Outgoing {
        method: Method::GET,
        target: "/".to_owned(),
        controls: Vec::new(),
        body: None,
        media: Media::Json,
    };
    match transport
        .ask(root, &UpstreamCredential::nobody(), ORIGIN)
        .await
    {
        // Any answer will do.
        Err(failure) if failure.cause == Some(Cause::Redirect) => Ok(()),
        answered => answered.map(|_| ()),
    }
}

/// A credential of a kind that the API has.
fn made_up(dialect: &dyn Dialect) -> Credential {
    let own = dialect.head_form().credentials.first().cloned();
    let mut carriers = own
        .map(Carrier::Header)
        .into_iter()
        .chain([Carrier::Bearer, Carrier::Basic]);
    let accepted = carriers.find(|one| dialect.head_form().accepts(one));
    Credential::made_up(accepted.unwrap_or(Carrier::Argument))
}

fn anybody(name: &str, upstream: &Upstream, dialect: &dyn Dialect) -> Diagnostic {
    let title = format!(
        "upstream {} takes a credential that was made up for somebody's session",
        quoted(name)
    );
    Diagnostic::warning(codes::ANYBODY, title)
        .at(&upstream.place, format!("asked as `{}`", dialect.name()))
        .help("whoever reaches it is somebody there: look at how the CRM, or what stands before it, checks sessions")
}

fn unusable(
    name: &str,
    upstream: &Upstream,
    dialect: &dyn Dialect,
    failure: &Failure,
) -> Diagnostic {
    let title = format!(
        "upstream {} does not answer as `{}` expects",
        quoted(name),
        dialect.name()
    );
    let cause = failure.cause.unwrap_or(Cause::WrongShape);
    let mut label = format!("{}: {}", cause.as_str(), cause.meaning());
    if let Some(detail) = &failure.detail {
        label.push_str(&format!(" ({detail})"));
    }
    Diagnostic::error(codes::UPSTREAM_UNUSABLE, title)
        .at(&upstream.place, label)
        .help(fix(cause))
}

fn fix(cause: Cause) -> &'static str {
    match cause {
        Cause::Dns => "look at the host in `url`, and at the resolver of this machine",
        Cause::Refused => "start the CRM, or look at the port in `url`",
        Cause::Unreachable | Cause::ConnectTimeout => {
            "look at the address in `url`, and at routes and firewalls on the way; `https` needs a server of TLS"
        }
        Cause::TlsUntrusted => "name the authority that has signed its certificate: `ca: FILE`",
        Cause::TlsExpired => "renew its certificate, and look at the clock of this machine",
        Cause::TlsName => "use a host in `url` that stands in its certificate",
        Cause::TlsOther => "look whether it speaks TLS 1.2 or 1.3 at this port; else write `http`",
        Cause::NotHttp => "look at the port in `url`: is it one of TLS, then write `https`",
        Cause::ClosedEarly => {
            "look at its log; perhaps it, or something before it, expects something else at this port"
        }
        Cause::FirstByteTimeout | Cause::TotalTimeout => {
            "look at its log, or allow it more time: `timeouts`"
        }
        Cause::Redirect => "write in `url` where it redirects to",
        Cause::ContentType | Cause::WrongShape | Cause::MalformedJson => {
            "look at the path in `url`, below which the API must lie, at `dialects`, and at its log"
        }
        Cause::Charset | Cause::ContentCoding => {
            "let it answer in UTF-8, plain or in gzip, deflate, br or zstd"
        }
        Cause::TooLarge => "look at what it answers: the look-up of a session is small",
    }
}
