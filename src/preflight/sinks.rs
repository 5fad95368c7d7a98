//! Whether the receivers of the access log are there: a connection is made, up to the end of the TLS handshake, and nothing
//! is sent.

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::config::{Config, Receiver, Sink, codes};
use crate::diagnostic::{Diagnostic, Diagnostics, Spanned, quoted};
use crate::sinks::{Failure, Wire};

use super::log_folder::writable;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What can be seen on this machine: whether certificates and keys can be used, and files be written.
pub(super) fn look(config: &Config, found: &mut Diagnostics) {
    for sink in &config.audit.sinks {
        let failed = sink.peer().and_then(|peer| Wire::new(peer).err());
        found.push_any(failed.map(|failure| unusable(sink, failure)));
        if let Receiver::File(path) = &sink.receiver {
            found.push_any(unwritable(sink, path));
        }
    }
}

/// Reaches all receivers on the network at once, for at most half a minute. They may be there later, so that none of it
/// keeps anything from starting.
pub async fn sinks(config: &Config) -> Diagnostics {
    let mut reached = JoinSet::new();
    for sink in &config.audit.sinks {
        let Some(Ok(wire)) = sink.peer().map(Wire::new) else {
            // Without a place on the network, or told of already.
            continue;
        };
        let sink = sink.clone();
        reached.spawn(async move {
            let reached = tokio::time::timeout(PATIENCE, wire.reach()).await;
            let failure = match reached {
                Ok(reached) => reached.err(),
                Err(_) => Some(Failure::TIMEOUT),
            };
            failure.map(|failure| unusable(&sink, failure))
        });
    }
    let mut found = Diagnostics::new();
    while let Some(problem) = reached.join_next().await {
        found.push_any(problem.ok().flatten());
    }
    found
}

fn unusable(sink: &Sink, failure: Failure) -> Diagnostic {
    let title = format!("sink {} cannot be reached", quoted(&sink.name));
    let label = format!("{}: {}", failure.cause, failure.meaning);
    Diagnostic::error(codes::SINK_UNUSABLE, title)
        .at(&sink.place, label)
        .help(fix(failure.cause))
}

fn fix(cause: &str) -> &'static str {
    match cause {
        "dns" => "look at the host, and at the resolver of this machine",
        "refused" => "start the receiver, or look at the port",
        "tls-untrusted" => "name the authority that has signed its certificate: `ca: FILE`",
        "tls-expired" => "renew its certificate, and look at the clock of this machine",
        "tls-name" => "use a host that stands in its certificate",
        "tls-other" | "closed-early" | "not-http" => {
            "look whether it speaks TLS 1.2 or 1.3 at this port, and whether it asks for a certificate: `client`"
        }
        "set-up" => {
            "look at `ca` and at `client`: certificates and key in PEM, the key that of the first certificate"
        }
        _ => "look at the address, and at routes and firewalls on the way",
    }
}

fn unwritable(sink: &Sink, path: &Spanned<PathBuf>) -> Option<Diagnostic> {
    let file = &path.value;
    let problem = |label: String, help: String| {
        let title = format!("sink {} cannot write its file", quoted(&sink.name));
        let problem = Diagnostic::error(codes::SINK_UNUSABLE, title);
        Some(problem.at(&path.place, label).help(help))
    };
    if file.exists() {
        let opened = std::fs::OpenOptions::new().append(true).open(file).err()?;
        let help = "let the account that runs this append to it".to_owned();
        return problem(opened.kind().to_string(), help);
    }
    let folder = file.parent()?;
    if !folder.as_os_str().is_empty() && !folder.is_dir() {
        let label = "its folder is not there".to_owned();
        return problem(label, "make the folder: only the file is made".to_owned());
    }
    let folder = match folder.as_os_str().is_empty() {
        true => std::path::Path::new("."),
        false => folder,
    };
    let unwritable = writable(folder).err()?;
    problem(unwritable.label, unwritable.help)
}
