//! Looks, before anything starts, whether what a configuration names can be used: certificates and their keys, who else
//! may read secrets, the access log's folder, the way of mails, addresses, and the CRMs.
//!
//! `check --connect` shows all of it; `serve` looks at the same before it starts, and asks the CRMs afterwards, without
//! waiting for them; only `check` tries the proxy's own accounts. Each problem has its place in the configuration and a fix; none holds a secret.

use crate::config::Config;
use crate::diagnostic::Diagnostics;

mod accounts;
mod addresses;
mod certificates;
mod identity;
mod log_folder;
mod mail;
mod secrets;
mod signing;
mod sinks;
mod upstreams;

pub use accounts::accounts;
pub use certificates::{PEM_BYTES_MAX, Shown};
pub use mail::mail;
pub use secrets::exposed_key;
pub use signing::signing;
pub use sinks::sinks;
pub use upstreams::upstreams;

/// Everything on this machine. What a running proxy holds, its ports and the lock of its log, is left out if `running`.
pub fn machine(config: &Config, running: bool) -> Diagnostics {
    let mut found = Diagnostics::new();
    secrets::look(config, &mut found);
    certificates::look(config, &mut found);
    identity::look(config, &mut found);
    log_folder::look(config, running, &mut found);
    sinks::look(config, &mut found);
    mail::look(config, &mut found);
    found.extend(signing(config));
    if !running {
        addresses::look(config, &mut found);
    }
    found
}
