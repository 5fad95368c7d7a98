//! What the configuration of a server says of those to whom the access log is carried.

use serde_json::Value;

use super::parts::{flag, formed, key, map, name, needs, needs_one_of, path, text, words};
use crate::config::{FACILITIES, SinkFormat};

pub(super) fn sink() -> Value {
    let formats: Vec<&str> = SinkFormat::ALL.iter().map(|(word, _)| *word).collect();
    let facilities: Vec<&str> = FACILITIES.iter().map(|(word, _)| *word).collect();
    let client = map([
        key("certificate", path("sink.pem"), "Our certificate (PEM)."),
        key("key", path("sink.key"), "Its private key (PEM)."),
    ]);
    let keys = map([
        key(
            "name",
            name("siem"),
            "Its name, for messages, metrics and the cursor.",
        ),
        key(
            "file",
            path("/var/log/paravent/access.jsonl"),
            "A file; `-` for standard output.",
        ),
        key(
            "syslog",
            formed("^(tls|tcp)://[^/?#@]+$", "tls://siem.example.com:6514"),
            "A syslog server.",
        ),
        key(
            "https",
            formed("^https?://[^#@]+$", "https://siem.example.com/events"),
            "A web server.",
        ),
        key(
            "format",
            words(&formats),
            "The form of events. Default: paravent.",
        ),
        key(
            "region",
            formed("^[A-Z]{2}$", "FR"),
            "The country that events go to (ISO 3166-1 alpha-2); needed for other machines.",
        ),
        key(
            "from",
            words(&["newest", "beginning"]),
            "With which event a new sink begins. Default: newest.",
        ),
        key(
            "ca",
            path("roots.pem"),
            "The only authorities that may have signed its certificate (PEM). Default: the system's roots.",
        ),
        key(
            "client",
            needs(client, &["certificate", "key"]),
            "The certificate that we show. Default: none.",
        ),
        key(
            "bearer",
            bearer(),
            "The token that a web server is shown. Default: none.",
        ),
        key(
            "facility",
            words(&facilities),
            "The facility of syslog. Default: audit (13).",
        ),
        key(
            "gzip",
            flag(),
            "Whether bodies are compressed. Default: true.",
        ),
        key(
            "in_clear",
            words(&["refused", "allowed"]),
            "Whether events may leave this machine without TLS. Default: refused.",
        ),
    ]);
    let sets: [&[&str]; 3] = [&["name", "file"], &["name", "syslog"], &["name", "https"]];
    needs_one_of(keys, &sets)
}

fn bearer() -> Value {
    let keys = map([
        key("file", path("token"), "A file that holds it."),
        key(
            "env",
            text("SINK_TOKEN"),
            "An environment variable that holds it.",
        ),
        key(
            "scheme",
            formed("^[A-Za-z0-9-]{1,32}$", "Splunk"),
            "The word before it in `Authorization`. Default: Bearer.",
        ),
    ]);
    needs_one_of(keys, &[&["file"], &["env"]])
}
