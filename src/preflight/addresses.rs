//! Whether addresses can be listened on.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use crate::config::{Config, codes};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, quoted};

pub(super) fn look(config: &Config, found: &mut Diagnostics) {
    for listener in &config.listeners {
        let what = format!("the listener {}", quoted(&listener.name));
        try_it(
            listener.bind.value,
            &what,
            Some(&listener.bind.place),
            found,
        );
    }
    if let Some(portal) = &config.portal {
        try_it(
            portal.bind.value,
            "the portal",
            Some(&portal.bind.place),
            found,
        );
    }
    let place = config.admin_place.as_ref();
    try_it(config.admin, "the admin listener", place, found);
}

/// Listens for a moment.
fn try_it(address: SocketAddr, what: &str, place: Option<&Place>, found: &mut Diagnostics) {
    let Err(error) = TcpListener::bind(address) else {
        return;
    };
    let help = match error.kind() {
        ErrorKind::AddrInUse => {
            "another process listens there; beside a running proxy use `--running`"
        }
        ErrorKind::AddrNotAvailable => {
            "name an address of this machine, or `0.0.0.0` or `[::]` for all of them"
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 need a right: `AmbientCapabilities=CAP_NET_BIND_SERVICE` with systemd"
        }
        _ => "choose another address",
    };
    let title = format!("could not listen on {address} for {what}");
    let mut problem = Diagnostic::error(codes::ADDRESS_UNUSABLE, title).help(help);
    match place {
        Some(place) => problem = problem.at(place, error.kind().to_string()),
        None => problem.title.push_str(&format!(": {}", error.kind())),
    }
    found.push(problem);
}
