//! The configuration of a server.

use serde_json::Value;

use super::parts::{
    Key, any_of, duration, entries, flag, formed, integer, key, list, map, name, needs,
    needs_one_of, one_or_any_list, one_or_list, path, size, text, words,
};
use super::{identity, portal, sinks};
use crate::config::Way;
use crate::dialect;

pub(super) fn schema() -> Value {
    let root = map([
        key(
            "listeners",
            list(listener()),
            "Where callers are served; at least one.",
        ),
        key(
            "admin",
            needs(
                map([key(
                    "bind",
                    address("127.0.0.1:9180"),
                    "The address; another one than any listener's.",
                )]),
                &["bind"],
            ),
            "Where health and metrics are. Default: 127.0.0.1:9180.",
        ),
        key(
            "identity",
            identity::schema(),
            "Who issues proofs that listeners accept besides sessions of the CRM.",
        ),
        key(
            "upstreams",
            entries(name("crm"), upstream()),
            "The CRMs, by the names that listeners use; at least one.",
        ),
        key("policies", path("policies"), "The folder of the policy."),
        key("keys", keys(), "Secrets of the proxy."),
        key("audit", audit(), "The access log."),
        key(
            "state",
            state(),
            "What is kept over restarts, beside the log. Default: `state` beside `audit.dir`.",
        ),
        key(
            "portal",
            portal::portal(address("127.0.0.1:8446"), networks("10.0.0.0/24")),
            "Where persons confirm and change what they agree to. Default: nowhere.",
        ),
        key(
            "mail",
            portal::mail(),
            "How mails to persons leave; needed by `portal`.",
        ),
        key("limits", limits(), "Bounds."),
        key("log", log(), "The log for operators, on standard error."),
        key(
            "hosts",
            one_or_list(formed("^[^:/@]+$", "crm.example.com")),
            "Names in `Host` that are answered, without a port. Default: any.",
        ),
        key(
            "observe",
            words(&["refused", "allowed"]),
            "Whether a whole policy may only observe. Default: refused.",
        ),
        key(
            "reload",
            reload(),
            "How a changed policy, schema file or certificate comes into force.",
        ),
        key(
            "stop_timeout",
            duration("30s"),
            "How long a stop waits for requests to end. Default: 30s.",
        ),
    ]);
    needs(
        root,
        &["listeners", "upstreams", "policies", "keys", "audit"],
    )
}

fn state() -> Value {
    let database = map([
        key(
            "host",
            text("pg.internal"),
            "The host, or the folder of its socket.",
        ),
        key("port", integer(1, 65_535), "Its port. Default: 5432."),
        key(
            "database",
            text("paravent"),
            "The database. Default: paravent.",
        ),
        key("user", text("paravent"), "The user. Default: paravent."),
        key(
            "password",
            identity::secret(),
            "The user's password. Default: none.",
        ),
        key(
            "ca",
            path("pg-ca.pem"),
            "The only authorities that may have signed its certificate (PEM). Default: the system's roots.",
        ),
        key(
            "listen",
            address("pg-direct.internal:5432"),
            "Where changes are listened for, if `host` is a pooler. Default: `host` and `port`.",
        ),
    ]);
    let dir = key(
        "dir",
        path("state"),
        "The folder; one for each process, better on another disk than the log.",
    );
    let memory_max = key(
        "memory_max",
        size("512MiB"),
        "Memory for the standings of the consent ledger. Default: 512MiB.",
    );
    let postgres = key(
        "postgres",
        needs(database, &["host"]),
        "The database that nodes share, in place of files in the folder; TLS always, but on this machine.",
    );
    needs_one_of(
        map([dir, memory_max, postgres]),
        &[&["dir"], &["memory_max"], &["postgres"]],
    )
}

fn address(example: &str) -> Value {
    formed("^.+:[0-9]+$", example)
}

fn networks(example: &str) -> Value {
    one_or_list(formed("^[0-9A-Fa-f.:]+(/[0-9]+)?$", example))
}

fn ways() -> Value {
    let ways: Vec<&str> = Way::ALL.iter().map(|(word, _)| *word).collect();
    one_or_any_list(words(&ways))
}

fn listener() -> Value {
    let keys = map([
        key("name", name("crm"), "Its name, for messages."),
        key(
            "bind",
            address("127.0.0.1:8080"),
            "The address: `127.0.0.1:8080`, `0.0.0.0:8443`, `[::]:8443`.",
        ),
        key("upstream", name("crm"), "The CRM behind it."),
        key(
            "identity",
            ways(),
            "The ways in which callers may prove who they are. Default: crm-session.",
        ),
        key(
            "tls",
            tls(),
            "TLS. Without it, callers' credentials travel in clear.",
        ),
        key(
            "trusted_proxies",
            networks("10.0.0.0/24"),
            "Proxies before this listener that say where a request came from. Never everybody.",
        ),
        key(
            "v4_get",
            words(&["refused", "allowed"]),
            "Whether calls may stand in the query string, sessions and passwords included, where a dialect has them there. Default: refused.",
        ),
    ]);
    needs(keys, &["name", "bind", "upstream"])
}

fn tls() -> Value {
    let clients = map([
        key("ca", path("clients.pem"), "The authorities (PEM)."),
        key(
            "crl",
            path("revoked.pem"),
            "The certificates that they have revoked (PEM or DER).",
        ),
        key(
            "crl_required",
            flag(),
            "Whether the list must be there. Default: true with `crl`, else false.",
        ),
    ]);
    let keys = map([
        key(
            "certificate",
            path("crm.pem"),
            "The certificate chain (PEM).",
        ),
        key("key", path("crm.key"), "The private key (PEM)."),
        key(
            "clients",
            needs(clients, &["ca"]),
            "Whose client certificates are accepted. Default: nobody's.",
        ),
    ]);
    needs(keys, &["certificate", "key"])
}

fn upstream() -> Value {
    let described = map([key(
        "description",
        path("kontor.yaml"),
        "The file that describes the API.",
    )]);
    let one = any_of([words(dialect::NAMES), needs(described, &["description"])]);
    let timeouts = map([
        key(
            "connect",
            duration("2s"),
            "Until a connection is made. Default: 2s.",
        ),
        key(
            "first_byte",
            duration("20s"),
            "Until the CRM's answer begins. Default: 20s.",
        ),
        key(
            "total",
            duration("60s"),
            "Until it has ended. Default: 60s.",
        ),
    ]);
    let keys = map([
        key(
            "url",
            formed("^https?://[^?#@]+$", "https://crm.example.com"),
            "Scheme, host, port and path prefix.",
        ),
        key(
            "dialects",
            one_or_list(one),
            "The APIs that it speaks: built in, or `{ description: FILE }`.",
        ),
        key(
            "database",
            words(&["mysql", "other"]),
            "The database of a CRM that is asked in SQL. Default: mysql.",
        ),
        key(
            "schema",
            one_or_list(path("schema/crm.yaml")),
            "Schema files: what this CRM has beside the stock of its dialects.",
        ),
        key(
            "learn",
            flag(),
            "Whether the schema grows by what the CRM says of its own data. Default: false.",
        ),
        key(
            "page_max",
            integer(1, 100_000),
            "Rows of one reply; a larger wish is cut to it, or refused. Default: 1000.",
        ),
        key("timeouts", timeouts, "How long the CRM may take."),
        key(
            "ca",
            path("roots.pem"),
            "The only authorities that may have signed the CRM's certificate (PEM). Default: the system's roots.",
        ),
        key(
            "service",
            identity::service(),
            "The proxy's own account in the CRM, for callers who have no session of it.",
        ),
    ]);
    needs(keys, &["url", "dialects"])
}

fn keys() -> Value {
    let keys = map([
        key(
            "token",
            identity::secret(),
            "The key of tokens: 16 to 4096 bytes. Tokens change when it does.",
        ),
        key(
            "api",
            identity::secret(),
            "The key under which API keys are kept: 16 to 4096 bytes.",
        ),
        key(
            "audit",
            list(identity::secret()),
            "What signs checkpoints of the access log, as `paravent audit keygen` makes it; the first signs.",
        ),
        key(
            "person",
            list(identity::secret()),
            "The keys under which the consent ledger keeps persons, of 32 to 4096 bytes: one, or two while the first takes the other's place.",
        ),
        key(
            "receipts",
            identity::secret(),
            "The key that signs consent receipts: Ed25519, PKCS#8 in PEM form.",
        ),
        key(
            "readable_by_all",
            flag(),
            "Whether everybody on the machine may read the files of secrets. Default: false.",
        ),
    ]);
    needs(keys, &["token"])
}

fn audit() -> Value {
    let relaxed = map([key(
        "relaxed",
        duration("50ms"),
        "The longest time until it is on disk.",
    )]);
    let durability = any_of([words(&["strict"]), needs(relaxed, &["relaxed"])]);
    let keys = map([
        key("dir", path("audit"), "Its folder; made if missing."),
        key(
            "durability",
            durability,
            "When an event counts as written. Default: strict.",
        ),
        key(
            "keep",
            duration("365d"),
            "How long events are kept, in whole segments. Default: for ever.",
        ),
        key(
            "max_bytes",
            size("64GiB"),
            "Bytes that the folder may take; at that, every request is refused. Default: what the disk has.",
        ),
        key(
            "group",
            name("auditors"),
            "The group of the system that may read the log, and leave word that it did. Default: none.",
        ),
        key(
            "node",
            name("paravent"),
            "This process among those of one installation. Default: paravent.",
        ),
        key(
            "sinks",
            list(sinks::sink()),
            "To whom its events are carried.",
        ),
        key(
            "unusual",
            unusual(),
            "For what purpose employees may be watched by the report `unusual`. Default: for none, so there is no such report.",
        ),
        key(
            "publish",
            list(published()),
            "Where signed checkpoints of the log go. Default: nowhere.",
        ),
    ]);
    needs(keys, &["dir"])
}

fn unusual() -> Value {
    let purpose = key("purpose", words(&["security"]), "The security of the data.");
    needs(map([purpose]), &["purpose"])
}

fn published() -> Value {
    let keys = map([
        key(
            "folder",
            path("/mnt/evidence"),
            "A folder, which must be there: another machine's at best.",
        ),
        key(
            "https",
            formed("^https?://[^#@]+$", "https://evidence.example.com/crm"),
            "A server that takes files by PUT below this address.",
        ),
        key(
            "bearer",
            identity::secret(),
            "What is said to it in `Authorization: Bearer`. Default: nothing.",
        ),
        key(
            "ca",
            path("roots.pem"),
            "The only authorities that may have signed its certificate (PEM). Default: the system's roots.",
        ),
        key(
            "region",
            formed("^[A-Z]{2}$", "FR"),
            "In which country that is (ISO 3166-1 alpha-2). Default: not stated.",
        ),
    ]);
    needs_one_of(keys, &[&["folder"], &["https"]])
}

fn reload() -> Value {
    map([
        key(
            "watch",
            flag(),
            "Whether changes are looked for every few seconds; SIGHUP looks at once in any case. Default: true.",
        ),
        key(
            "require_tests",
            flag(),
            "Whether the tests of the policy must pass before it comes into force. Default: false.",
        ),
    ])
}

fn log() -> Value {
    map([
        key("format", words(&["text", "json"]), "Default: text."),
        key(
            "level",
            words(&["error", "warn", "info", "debug", "trace"]),
            "`PARAVENT_LOG` in the environment wins. Default: info.",
        ),
    ])
}

fn limits() -> Value {
    let rate = || integer(1, 10_000_000);
    let sizes: [Key; 5] = [
        key(
            "request_bytes_max",
            size("1MiB"),
            "Body of a request. Default: 1MiB.",
        ),
        key(
            "held_bytes_max",
            size("8MiB"),
            "Reply held back until it is complete; a larger one streams. Default: 8MiB.",
        ),
        key(
            "held_bytes_total_max",
            size("256MiB"),
            "The same over all requests. Default: 256MiB.",
        ),
        key(
            "record_bytes_max",
            size("1MiB"),
            "One record of a reply. Default: 1MiB.",
        ),
        key(
            "text_bytes_max",
            size("1MiB"),
            "A text in which identifiers and statements are looked for; a longer one is redacted whole. Default: 1MiB.",
        ),
    ];
    let counts: [Key; 7] = [
        key(
            "depth_max",
            integer(8, 512),
            "Nesting of JSON. Default: 128.",
        ),
        key(
            "bulk_parts_max",
            integer(1, 1000),
            "Parts of one bulk request. Default: 50.",
        ),
        key(
            "connections_max",
            integer(1, 1_000_000),
            "Open connections of a listener; more wait. Default: 4096.",
        ),
        key(
            "requests_max",
            integer(1, 100_000),
            "Requests being answered. Default: 512.",
        ),
        key(
            "requests_per_minute",
            rate(),
            "Requests of one caller. Default: 600000, which stops only what runs away.",
        ),
        key(
            "refused_predicates_per_hour",
            rate(),
            "Refused filters, orders and searches of one caller. Default: 60.",
        ),
        key(
            "logins_per_minute",
            rate(),
            "Failed logins of one origin and for one account. Default: 30.",
        ),
    ];
    map(sizes.into_iter().chain(counts).chain(waits()))
}

/// How long callers may take, and what becomes of large replies.
fn waits() -> [Key; 4] {
    [
        key(
            "head_timeout",
            duration("10s"),
            "Until a request's head, or a TLS handshake, is complete. Default: 10s.",
        ),
        key(
            "body_timeout",
            duration("30s"),
            "Until a request's body is complete. Default: 30s.",
        ),
        key(
            "idle_timeout",
            duration("75s"),
            "Silence between requests. Default: 75s.",
        ),
        key(
            "large_replies",
            words(&["stream", "refuse"]),
            "What becomes of a reply over `held_bytes_max`. Default: stream.",
        ),
    ]
}
