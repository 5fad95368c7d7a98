//! Whether API keys can be read, and client certificates be judged.

use crate::config::{Config, codes};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::identity::{Certificates, Keys};

pub(super) fn look(config: &Config, found: &mut Diagnostics) {
    if let (Some(keys), Some(secret)) = (&config.identity.keys, config.api_key())
        && let Err(error) = Keys::open(&keys.file.value, secret)
    {
        let title = "API keys cannot be read";
        found.push(
            Diagnostic::error(codes::BAD_KEY, title)
                .at(&keys.file.place, error.why())
                .help("only `paravent key` writes it, run by its owner or by root"),
        );
    }
    for tls in config.listeners.iter().filter_map(|one| one.tls.as_ref()) {
        let Some(clients) = &tls.clients else {
            continue;
        };
        let Err(error) = Certificates::new(clients) else {
            continue;
        };
        let list = clients.crl.as_ref().filter(|list| list.value == error.path);
        let place = &list.unwrap_or(&clients.ca).place;
        found.push(
            Diagnostic::error(codes::BAD_CLIENTS, "client certificates cannot be judged")
                .at(place, error.why)
                .help("name what the authority publishes, whole: `openssl x509` and `openssl crl` show it"),
        );
    }
}
