//! What the configuration of a server says of the portal and of mails.

use serde_json::Value;

use super::identity;
use super::parts::{
    formed, integer, key, list, map, name, needs, needs_one_of, one_or_list, path, text, words,
};
use crate::config::MAY;

pub(super) fn portal(address: Value, networks: Value) -> Value {
    let tls = map([
        key(
            "certificate",
            path("portal.pem"),
            "The certificate chain (PEM).",
        ),
        key("key", path("portal.key"), "The private key (PEM)."),
    ]);
    let keys = map([
        key("bind", address, "Its address."),
        key(
            "url",
            formed("^https?://[^/?#@]+/?$", "https://privacy.example.com"),
            "Under what persons reach it.",
        ),
        key(
            "tls",
            needs(tls, &["certificate", "key"]),
            "TLS. Without it, links and addresses travel in clear.",
        ),
        key(
            "return_to",
            one_or_list(formed(
                "^https?://[^/?#@]+/[^#]*$",
                "https://www.example.com/",
            )),
            "Where forms of other sites may lead back to: whole URLs, or their beginnings up to a slash.",
        ),
        key("api", list(client()), "Programs of the house."),
        key(
            "trusted_proxies",
            networks,
            "Proxies before it that say where a request came from. Never everybody.",
        ),
    ]);
    needs(keys, &["bind", "url"])
}

fn client() -> Value {
    let rights: Vec<&str> = MAY.iter().map(|(word, _)| *word).collect();
    let keys = map([
        key("name", name("website"), "Its name, as events have it."),
        key(
            "sha256",
            formed("^[0-9A-Fa-f]{64}$", &"0".repeat(64)),
            "The SHA-256 of its key, in hexadecimal.",
        ),
        key("may", list(words(&rights)), "What it may do."),
    ]);
    needs(keys, &["name", "sha256", "may"])
}

pub(super) fn mail() -> Value {
    let smtp = map([
        key("host", text("smtp.example.com"), "The mail server."),
        key(
            "port",
            integer(1, 65_535),
            "Its port. At 465 TLS begins with the connection, elsewhere with STARTTLS. Default: 465.",
        ),
        key("user", text("privacy"), "The user. Default: none."),
        key(
            "password",
            identity::secret(),
            "The user's password. Default: none.",
        ),
        key(
            "ca",
            path("mail-ca.pem"),
            "The only authorities that may have signed its certificate (PEM). Default: the system's roots.",
        ),
        key(
            "in_clear",
            words(&["refused", "allowed"]),
            "Whether there is no TLS, to this machine. Default: refused.",
        ),
    ]);
    let keys = map([
        key(
            "from",
            text("Example SA <privacy@example.com>"),
            "From whom mails are.",
        ),
        key("smtp", needs(smtp, &["host"]), "A mail server."),
        key(
            "dir",
            path("mail"),
            "A folder of files that somebody else takes up.",
        ),
    ]);
    let sets: [&[&str]; 2] = [&["from", "smtp"], &["from", "dir"]];
    needs_one_of(keys, &sets)
}
