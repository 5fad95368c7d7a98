//! To whom the access log is carried, as a configuration says it.

use crate::config::{Receiver, SinkFormat, SinkFrom};

use super::{Folder, SMALLEST};

/// A folder with everything that the documentation names.
fn folder() -> Folder {
    let folder = Folder::new();
    let path = |name: &str| folder.0.path().join(name);
    for (name, from) in [
        ("logs-ca.pem", "crm.pem"),
        ("sink.pem", "crm.pem"),
        ("sink.key", "crm.key"),
    ] {
        std::fs::copy(path(from), path(name)).unwrap();
    }
    std::fs::write(path("siem.token"), "a-token\n").unwrap();
    folder
}

fn with(sinks: &str) -> String {
    SMALLEST.replace(
        "audit: { dir: audit }",
        &format!("audit: {{ dir: audit, sinks: [{sinks}] }}"),
    )
}

#[test]
fn every_configuration_of_the_documentation_is_taken() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/audit/sinks.md");
    let text = std::fs::read_to_string(path).unwrap();
    let folder = folder();
    let mut names = Vec::new();
    for block in text.split("```yaml\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let (config, found) = folder.load(&SMALLEST.replace("audit: { dir: audit }\n", block));
        assert!(found.is_empty(), "{block}\n{}", found.render(false));
        let sinks = config.unwrap().audit.sinks;
        names.extend(sinks.into_iter().map(|sink| sink.name));
    }
    let expected = [
        "archive", "rsyslog", "siem", "rsyslog", "splunk", "filebeat", "logstash", "vector",
        "local", "stdout",
    ];
    assert_eq!(names, expected);
    for key in super::super::audit::SINK_KEYS {
        assert!(text.contains(&format!("| `{key}` |")), "{key}");
    }
}

#[test]
fn a_sink_has_the_documented_defaults() {
    let folder = folder();
    let (config, found) = folder.load(&with(
        "{ name: a, syslog: \"tls://logs.example.com\", region: FR }, { name: b, https: \"https://[2001:db8::1]/x?y=1\", region: DE }, { name: c, file: \"-\" }",
    ));
    assert!(found.is_empty(), "{}", found.render(false));
    let sinks = config.unwrap().audit.sinks;
    let [a, b, c] = sinks.as_slice() else {
        panic!("{sinks:?}")
    };
    assert_eq!((a.format, a.from), (SinkFormat::Paravent, SinkFrom::Newest));
    assert!(
        matches!(&a.receiver, Receiver::Syslog { peer, facility: 13 }
        if peer.port == 6514 && peer.host == "logs.example.com" && peer.tls.is_some())
    );
    assert!(
        matches!(&b.receiver, Receiver::Https { peer, target, bearer: None, gzip: true }
        if peer.port == 443 && peer.host == "2001:db8::1" && target == "/x?y=1")
    );
    assert!(matches!(c.receiver, Receiver::Stdout));
    assert_eq!(
        (c.region.as_deref(), b.region.as_deref()),
        (None, Some("DE"))
    );
    assert_eq!((a.kind(), b.kind(), c.kind()), ("syslog", "https", "file"));
}

/// Sinks, the code of what is wrong with each, and what is said of it.
const WRONG: &[(&str, &str, &str)] = &[
    ("{ file: x }", "Y011", "`name`"),
    ("{ name: a }", "C040", "nowhere"),
    (
        "{ name: a, file: x, syslog: \"tcp://127.0.0.1:1\" }",
        "C040",
        "stands here already",
    ),
    ("{ name: \"a/b\", file: x }", "C007", "a/b"),
    ("{ name: \"..\", file: x }", "C007", "letter or digit"),
    (
        "{ name: a, file: x }, { name: a, file: y }",
        "C007",
        "called",
    ),
    (
        "{ name: a, file: x }, { name: b, file: ./x }",
        "C040",
        "same file",
    ),
    ("{ name: a, file: audit/x }", "C040", "access log"),
    ("{ name: a, file: policies }", "C040", "not a file"),
    (
        "{ name: a, file: x, ca: crm.pem }",
        "C040",
        "means nothing here",
    ),
    ("{ name: a, file: x, fromat: ecs }", "Y010", "`format`"),
    ("{ name: a, file: x, format: leef }", "Y013", "leef"),
    ("{ name: a, file: x, from: oldest }", "Y013", "oldest"),
    (
        "{ name: a, syslog: \"udp://h:514\", region: FR }",
        "C040",
        "another scheme",
    ),
    (
        "{ name: a, syslog: \"tls://h:0\", region: FR }",
        "C040",
        "host or port",
    ),
    (
        "{ name: a, syslog: \"tls://h:6514/x\", region: FR }",
        "C040",
        "behind its port",
    ),
    ("{ name: a, syslog: \"tls://h:6514\" }", "C040", "region"),
    (
        "{ name: a, syslog: \"tls://h\", region: EU }",
        "C040",
        "ISO 3166",
    ),
    (
        "{ name: a, syslog: \"tls://h\", region: fr }",
        "C040",
        "ISO 3166",
    ),
    (
        "{ name: a, syslog: \"tls://h\", region: FR, facility: local8 }",
        "Y013",
        "local8",
    ),
    (
        "{ name: a, syslog: \"tls://h\", region: FR, gzip: true }",
        "C040",
        "means nothing here",
    ),
    (
        "{ name: a, syslog: \"tls://h\", region: FR, in_clear: allowed }",
        "C040",
        "this is TLS",
    ),
    (
        "{ name: a, syslog: \"tcp://h\", region: FR }",
        "C040",
        "in_clear: allowed",
    ),
    (
        "{ name: a, syslog: \"tcp://127.0.0.1:1\", ca: crm.pem }",
        "C040",
        "not TLS",
    ),
    (
        "{ name: a, https: \"http://h/\", region: FR }",
        "C040",
        "in clear",
    ),
    (
        "{ name: a, https: \"https://u:p@h/\", region: FR }",
        "C040",
        "password",
    ),
    (
        "{ name: a, https: \"https://h/#x\", region: FR }",
        "C040",
        "URL",
    ),
    (
        "{ name: a, https: \"https://h/\", region: FR, ca: none.pem }",
        "C001",
        "ca",
    ),
    (
        "{ name: a, https: \"https://h/\", region: FR, ca: token.key }",
        "C008",
        "certificate",
    ),
    (
        "{ name: a, https: \"https://h/\", region: FR, client: { certificate: crm.pem } }",
        "Y011",
        "`key`",
    ),
    (
        "{ name: a, https: \"https://h/\", region: FR, bearer: { file: blank.token } }",
        "C009",
        "blank",
    ),
    (
        "{ name: a, https: \"https://h/\", region: FR, bearer: { file: siem.token, scheme: \"a b\" } }",
        "C040",
        "scheme",
    ),
    (
        "{ name: a, https: \"https://h/\", region: FR, bearer: { env: PARAVENT_NO_SUCH } }",
        "C009",
        "not set",
    ),
];

#[test]
fn what_is_wrong_with_a_sink_is_told_with_its_place_and_a_fix() {
    let folder = folder();
    std::fs::write(folder.0.path().join("blank.token"), "\n").unwrap();
    for &(sink, code, says) in WRONG {
        let (config, found) = folder.load(&with(sink));
        let shown = found.render(false);
        assert!(config.is_none(), "{sink}");
        let is_told = found
            .iter()
            .any(|one| one.code == code && one.place.is_some());
        assert!(is_told && shown.contains(says), "{sink}: {shown}");
        assert!(!shown.contains("a-token"), "{shown}");
    }
    let many: Vec<String> = (0..17)
        .map(|number| format!("{{ name: s{number}, file: f{number} }}"))
        .collect();
    let (config, found) = folder.load(&with(&many.join(", ")));
    assert!(config.is_none() && found.render(false).contains("at most 16"));
}

#[test]
fn clear_text_may_lead_to_this_machine_or_where_somebody_says_so() {
    let folder = folder();
    for sink in [
        "{ name: a, syslog: \"tcp://127.0.0.1:1514\" }",
        "{ name: a, syslog: \"tcp://[::1]:1514\" }",
        "{ name: a, https: \"http://localhost:8088/x\" }",
        "{ name: a, syslog: \"tcp://h:1514\", region: FR, in_clear: allowed }",
    ] {
        let (config, found) = folder.load(&with(sink));
        assert!(
            found.is_empty() && config.is_some(),
            "{sink}: {}",
            found.render(false)
        );
    }
}

#[test]
fn what_a_sink_reads_is_read_once_and_its_secrets_are_not_shown() {
    let folder = folder();
    let (config, _) = folder.load(&with(
        "{ name: a, https: \"https://h/\", region: FR, ca: logs-ca.pem, bearer: { file: siem.token }, client: { certificate: sink.pem, key: sink.key } }",
    ));
    let config = config.unwrap();
    let once: Vec<_> = config
        .read_once
        .iter()
        .filter_map(|one| one.path.file_name())
        .collect();
    for name in ["logs-ca.pem", "siem.token", "sink.pem", "sink.key"] {
        assert!(once.iter().any(|own| *own == name), "{name}: {once:?}");
    }
    let secrets: Vec<_> = config.audit.sinks[0].secrets().collect();
    assert_eq!(secrets.len(), 2);
    let debugged = format!("{config:?}");
    assert!(!debugged.contains("a-token") && !debugged.contains("97, 45, 116"));
}
