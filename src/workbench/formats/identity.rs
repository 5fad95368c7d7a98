//! What the configuration of a server says of proofs and secrets.

use serde_json::Value;

use super::parts::{
    any_of, duration, formed, key, list, map, name, needs, needs_one_of, one_or_list, path, text,
    words,
};
use crate::config::Algorithm;

/// The section `identity`.
pub(super) fn schema() -> Value {
    let keys = map([key(
        "file",
        path("keys.json"),
        "The file that `paravent key` writes.",
    )]);
    map([
        key("tokens", list(issuer()), "Issuers of tokens."),
        key("keys", needs(keys, &["file"]), "API keys."),
        key(
            "front",
            front(),
            "A proxy before this one that authenticates callers.",
        ),
    ])
}

fn issuer() -> Value {
    let algorithms: Vec<&str> = Algorithm::ALL.iter().map(|(name, _)| *name).collect();
    let strengthens = map([key(
        "crm_user",
        claim(),
        "The claim that names a user of the CRM; one that only administrators of the issuer can set.",
    )]);
    let keys = map([
        key("name", name("login"), "Its name, for evidence and the log."),
        key(
            "issuer",
            url("https://login.example.com/realms/crm"),
            "What `iss` of its tokens says, byte for byte.",
        ),
        key("audience", text("paravent"), "What `aud` says, or holds."),
        key("keys", key_source(), "Where its keys are."),
        key(
            "algorithms",
            one_or_list(words(&algorithms)),
            "The algorithms that its tokens may be signed with. Default: ES256, RS256, PS256, EdDSA.",
        ),
        key(
            "type",
            text("at+jwt"),
            "What `typ` of the header must be. Default: any that an access token has.",
        ),
        key(
            "parties",
            one_or_list(text("crm-portal")),
            "Of which clients' tokens one must be, by `azp` or `client_id`. Default: anybody's.",
        ),
        key("claims", claims(), "Where the claims are."),
        key(
            "strengthens",
            needs(strengthens, &["crm_user"]),
            "Its tokens may strengthen a session of the CRM.",
        ),
        key(
            "skew",
            duration("60s"),
            "By how much clocks may differ. Default: 60s.",
        ),
        key(
            "lifetime_max",
            duration("12h"),
            "The longest time from `iat` to `exp`. Default: 12h.",
        ),
        key(
            "refresh",
            duration("10m"),
            "After how long its keys are asked for again. Default: 10m.",
        ),
        key(
            "stale",
            duration("1h"),
            "How long known keys serve while it cannot be asked. Default: 1h.",
        ),
    ]);
    needs(keys, &["name", "issuer", "audience", "keys"])
}

fn url(example: &str) -> Value {
    formed("^https?://[^#@]+$", example)
}

/// A place in a token.
fn claim() -> Value {
    formed("^\\$", "$.groups[*]")
}

fn key_source() -> Value {
    let keys = map([
        key("url", url("https://login.example.com/keys"), "Their URL."),
        key(
            "ca",
            path("roots.pem"),
            "Root certificates (PEM). Default: the system's.",
        ),
        key("file", path("jwks.json"), "A file of keys."),
    ]);
    any_of([
        words(&["discover"]),
        needs_one_of(keys, &[&["url"], &["file"]]),
    ])
}

fn claims() -> Value {
    map([
        key("id", claim(), "Who asks. Default: `$.sub`."),
        key("name", claim(), "How they are called, for people."),
        key("roles", claim(), "Their roles."),
        key("purpose", claim(), "Why they ask."),
    ])
}

fn front() -> Value {
    let header = || formed("^[A-Za-z0-9-]+$", "X-Auth-Request-User");
    let secret = map([
        key("header", header(), "The header that carries it."),
        key("file", path("front.secret"), "The file that holds it."),
        key(
            "env",
            text("FRONT_SECRET"),
            "The environment variable that holds it.",
        ),
    ]);
    let mut secret = needs_one_of(secret, &[&["file"], &["env"]]);
    secret["required"] = ["header"].as_slice().into();
    let headers = map([
        key("id", header(), "The header that names the caller."),
        key(
            "roles",
            header(),
            "The header that names the caller's roles, separated by commas.",
        ),
    ]);
    let keys = map([
        key(
            "peers",
            one_or_list(formed("^[0-9A-Fa-f.:]+(/[0-9]+)?$", "10.0.0.7")),
            "From where it connects. Never everybody.",
        ),
        key(
            "secret",
            secret,
            "What only it knows: 16 to 1024 visible ASCII characters.",
        ),
        key(
            "headers",
            needs(headers, &["id"]),
            "The headers that only it may send.",
        ),
    ]);
    needs(keys, &["peers", "secret", "headers"])
}

/// A secret, in a file or in the environment.
pub(super) fn secret() -> Value {
    let keys = map([
        key("file", path("token.key"), "The file that holds it."),
        key(
            "env",
            text("TOKEN_KEY"),
            "The environment variable that holds it.",
        ),
    ]);
    needs_one_of(keys, &[&["file"], &["env"]])
}

/// The section `service` of an upstream.
pub(super) fn service() -> Value {
    let basic = map([
        key("user", text("paravent"), "The account's name."),
        key("password", secret(), "Its password."),
    ]);
    let keys = map([
        key("user", text("paravent"), "The account's name, for a login."),
        key("password", secret(), "Its password."),
        key(
            "encryption",
            words(&["md5", "plain"]),
            "How the login carries the password. Default: md5.",
        ),
        key("client_id", text("paravent"), "The OAuth client."),
        key("client_secret", secret(), "Its secret."),
        key("platform", text("paravent"), "The platform of the login."),
        key(
            "header",
            formed("^[A-Za-z0-9-]+$", "X-Api-Key"),
            "The header of a fixed credential.",
        ),
        key("secret", secret(), "What that header holds."),
        key("basic", needs(basic, &["user", "password"]), "HTTP Basic."),
        key("bearer", secret(), "A fixed bearer token."),
    ]);
    let forms: &[&[&str]] = &[
        &["user", "password"],
        &["client_secret"],
        &["header", "secret"],
        &["basic"],
        &["bearer"],
    ];
    needs_one_of(keys, forms)
}
