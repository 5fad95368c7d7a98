//! What a configuration promises.

use std::path::Path;
use std::time::Duration;

use super::{Config, Durability, LargeReplies, Limits, LogFormat, Timeouts};
use crate::diagnostic::Diagnostics;

mod issuers;
mod proofs;
mod service;
mod sinks;
mod state;

/// Whether nothing is told but that no listener accepts what is configured.
fn is_unused_at_most(found: &Diagnostics) -> bool {
    found.iter().all(|one| one.code == super::codes::UNUSED_WAY)
}

/// A folder with everything that a configuration may name.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let write =
            |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
        write("crm.pem", signed.cert.pem().as_bytes());
        write("crm.key", signed.signing_key.serialize_pem().as_bytes());
        write("token.key", b"0123456789abcdef\n");
        write("short.key", b"0123456789abcde\n");
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        Self(folder)
    }

    fn load(&self, text: &str) -> (Option<Config>, Diagnostics) {
        let path = self.0.path().join("paravent.yaml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path)
    }
}

const SMALLEST: &str = "listeners:
  - { name: crm, bind: \"127.0.0.1:8443\", upstream: sugar }
upstreams:
  sugar: { url: https://sugar.internal/crm, dialects: [sugar-rest] }
policies: policies/
keys: { token: { file: token.key } }
audit: { dir: audit }
";

#[test]
fn the_smallest_configuration_has_the_documented_defaults() {
    let folder = Folder::new();
    let (config, found) = folder.load(SMALLEST);
    assert!(found.is_empty(), "{}", found.render(false));
    let config = config.unwrap();
    assert_eq!(config.admin.to_string(), "127.0.0.1:9180");
    assert_eq!(config.policies, folder.0.path().join("policies/"));
    assert_eq!(config.audit.dir.value, folder.0.path().join("audit"));
    assert_eq!(config.state.value, folder.0.path().join("state"));
    assert!(config.reload.watch && !config.reload.require_tests);
    assert_eq!(config.audit.durability, Durability::Strict);
    assert!(!config.audit.watches_for_security);
    assert_eq!(config.audit.node, "paravent");
    assert_eq!(config.token_key(), b"0123456789abcdef");
    assert_eq!(config.stop_timeout, Duration::from_secs(30));
    assert_eq!(config.log.format, LogFormat::Text);
    assert!(config.hosts.is_empty());
    let upstream = &config.upstreams["sugar"];
    assert_eq!(
        (upstream.page_max, upstream.prefix.as_str()),
        (1000, "/crm")
    );
    assert_eq!(upstream.timeouts, Timeouts::default());
    assert_eq!(upstream.dialects.len(), 1);
    let limits = config.limits.clone();
    assert_eq!(limits, Limits::default());
    assert_eq!(
        (limits.request_bytes_max, limits.held_bytes_max),
        (1 << 20, 8 << 20)
    );
    assert_eq!(
        (
            limits.requests_per_minute.get(),
            limits.logins_per_minute.get()
        ),
        (600_000, 30)
    );
    assert!(!format!("{config:?}").contains("0123456789"));
    assert!(!format!("{config:?}").contains("48, 49, 50"));
}

#[test]
fn everything_can_be_set() {
    let folder = Folder::new();
    let (config, found) = folder.load(
        "listeners:
  - { name: crm, bind: \"0.0.0.0:8443\", upstream: sugar, tls: { certificate: crm.pem, key: crm.key } }
  - { name: local, bind: \"[::1]:0\", upstream: sugar, trusted_proxies: [\"::1\"] }
admin: { bind: \"127.0.0.1:9999\" }
upstreams:
  sugar:
    url: http://127.0.0.1:8080
    dialects: sugar-rest
    page_max: 50
    timeouts: { connect: 1s, first_byte: 2s, total: 3s }
    ca: crm.pem
policies: policies
keys: { token: { env: PATH } }
audit: { dir: /var/empty/audit, durability: { relaxed: 50ms }, node: par-1a, keep: 365d, max_bytes: 64GiB, group: root, unusual: { purpose: security } }
state: { dir: /var/empty/kept }
limits:
  request_bytes_max: 2MiB
  held_bytes_max: 1MiB
  held_bytes_total_max: 16MiB
  record_bytes_max: 64KiB
  depth_max: 64
  bulk_parts_max: 5
  connections_max: 10
  requests_max: 11
  requests_per_minute: 12
  logins_per_minute: 13
  head_timeout: 1s
  body_timeout: 2s
  idle_timeout: 3s
  large_replies: refuse
log: { format: json, level: debug }
hosts: [CRM.example.com]
stop_timeout: 5s
",
    );
    assert!(found.is_empty(), "{}", found.render(false));
    let config = config.unwrap();
    assert_eq!(config.listeners.len(), 2);
    let tls = config.listeners[0].tls.as_ref().unwrap();
    assert_eq!(tls.key.value, folder.0.path().join("crm.key"));
    assert_eq!(config.audit.dir.value, Path::new("/var/empty/audit"));
    assert_eq!(config.state.value, Path::new("/var/empty/kept"));
    assert_eq!(
        config.audit.durability,
        Durability::Relaxed(Duration::from_millis(50))
    );
    assert_eq!(config.audit.keep, Some(Duration::from_secs(31_536_000)));
    assert_eq!(config.audit.max_bytes, Some(64 << 30));
    assert_eq!(config.audit.group.unwrap().value.id, 0);
    assert!(config.audit.watches_for_security);
    assert_eq!(config.limits.large_replies, LargeReplies::Refuse);
    assert_eq!(config.limits.depth_max, 64);
    assert_eq!(config.limits.logins_per_minute.get(), 13);
    assert_eq!(config.hosts, ["crm.example.com"]);
    assert_eq!(
        config.upstreams["sugar"].timeouts.total,
        Duration::from_secs(3)
    );
    assert_eq!(
        (config.log.format, config.log.level),
        (LogFormat::Json, "debug")
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_class_of_mistake_has_its_code_and_place() {
    let folder = Folder::new();
    for (good, bad, code) in [
        ("policies/", "nowhere/", "C001"),
        ("token.key", "nothing.key", "C001"),
        ("token.key", "policies", "C001"),
        ("dir: audit", "dir: crm.pem", "C001"),
        ("127.0.0.1:8443", "localhost:8443", "C002"),
        ("127.0.0.1:8443", "127.0.0.1", "C002"),
        ("127.0.0.1:8443", "127.0.0.1:9180", "C003"),
        ("127.0.0.1:8443", "0.0.0.0:9180", "C003"),
        ("https://sugar.internal/crm", "sugar.internal", "C004"),
        ("[sugar-rest]", "[sugar-rets]", "C005"),
        ("[sugar-rest]", "[sugar-rest, sugar-rest]", "C005"),
        ("upstream: sugar", "upstream: suger", "C006"),
        ("name: crm", "name: \"c r m\"", "C007"),
        (
            "upstream: sugar }",
            "upstream: sugar, tls: { certificate: crm.key, key: crm.key } }",
            "C008",
        ),
        (
            "upstream: sugar }",
            "upstream: sugar, tls: { certificate: crm.pem, key: crm.pem } }",
            "C008",
        ),
        (
            "upstream: sugar }",
            "upstream: sugar, tls: { certificate: crm.pem, key: no.key } }",
            "C001",
        ),
        ("token.key", "short.key", "C009"),
        ("{ file: token.key }", "{}", "C009"),
        (
            "{ file: token.key }",
            "{ env: PARAVENT_NO_SUCH_VARIABLE }",
            "C009",
        ),
        ("{ file: token.key }", "{ env: \"A=B\" }", "C009"),
        ("{ file: token.key }", "secret-in-plain-sight", "Y012"),
        (
            "policies:",
            "limits: { held_bytes_max: 1GiB }\npolicies:",
            "C010",
        ),
        ("policies:", "limits: { depth_max: 1 }\npolicies:", "Y016"),
        (
            "policies:",
            "limits: { request_bytes_max: 1MB }\npolicies:",
            "Y015",
        ),
        (
            "policies:",
            "limits: { head_timeout: 10 }\npolicies:",
            "Y014",
        ),
        ("policies:", "limitz: {}\npolicies:", "Y010"),
        ("policies:", "hosts: [\"a:80\"]\npolicies:", "C007"),
        ("policies:", "audits: x\npolicies:", "Y010"),
        (
            "audit: { dir: audit }",
            "audit: { dir: audit, durability: lax }",
            "Y013",
        ),
        (
            "audit: { dir: audit }",
            "audit: { dir: audit, keep: 23h }",
            "Y014",
        ),
        (
            "audit: { dir: audit }",
            "audit: { dir: audit, max_bytes: 64 }",
            "Y015",
        ),
        (
            "audit: { dir: audit }",
            "audit: { dir: audit, group: no-such-group-here }",
            "C029",
        ),
        (
            "audit: { dir: audit }",
            "audit: { dir: audit, unusual: { purpose: performance } }",
            "Y013",
        ),
        (
            "audit: { dir: audit }",
            "audit: { dir: audit, unusual: {} }",
            "Y011",
        ),
        ("audit: { dir: audit }\n", "", "Y011"),
        ("keys: { token: { file: token.key } }\n", "", "Y011"),
        (
            "  - { name: crm, bind: \"127.0.0.1:8443\", upstream: sugar }\n",
            "",
            "C011",
        ),
    ] {
        let text = SMALLEST.replacen(good, bad, 1);
        let (config, found) = folder.load(&text);
        assert!(config.is_none(), "{bad}");
        let hit = found.iter().find(|d| d.code == code);
        assert!(
            hit.is_some_and(|d| d.place.is_some()),
            "{bad}: {}",
            found.render(false)
        );
        assert!(!found.render(false).contains("0123456789abcde"), "{bad}");
    }
    let (config, found) = Config::load(Path::new("/nowhere/paravent.yaml"));
    assert!(config.is_none());
    assert_eq!(found.iter().next().unwrap().code, "C001");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let folder = Folder::new();
    let text = SMALLEST
        .replacen("127.0.0.1:8443", "here", 1)
        .replacen("[sugar-rest]", "[suger-rest]", 1)
        .replacen("token.key", "short.key", 1)
        .replacen("policies/", "polices/", 1);
    let (_, found) = folder.load(&text);
    assert_eq!(found.errors(), 4, "{}", found.render(false));
}

#[test]
fn warnings_do_not_keep_a_configuration_from_loading() {
    let folder = Folder::new();
    for (good, bad, code) in [
        ("127.0.0.1:8443", "0.0.0.0:8443", "C102"),
        (
            "policies:",
            "admin: { bind: \"0.0.0.0:9180\" }\npolicies:",
            "C101",
        ),
        (
            "policies:",
            "  spare: { url: http://spare, dialects: sugar-rest }\npolicies:",
            "C103",
        ),
    ] {
        let (config, found) = folder.load(&SMALLEST.replacen(good, bad, 1));
        assert!(config.is_some(), "{}", found.render(false));
        let codes: Vec<_> = found.iter().map(|d| d.code).collect();
        assert_eq!(codes, [code]);
    }
}

#[test]
fn trusted_proxies_are_networks_and_never_everybody() {
    let folder = Folder::new();
    let load = |networks: &str| {
        let listener = format!("upstream: sugar, trusted_proxies: {networks} }}");
        folder.load(&SMALLEST.replacen("upstream: sugar }", &listener, 1))
    };
    for (networks, read) in [
        (
            "[10.0.0.0/8, \"2001:db8::/32\"]",
            "10.0.0.0/8 2001:db8::/32",
        ),
        ("10.1.2.3", "10.1.2.3/32"),
        ("\"::1\"", "::1/128"),
        ("\"::ffff:10.0.0.0/104\"", "10.0.0.0/8"),
        ("0.0.0.0/1", "0.0.0.0/1"),
    ] {
        let (config, found) = load(networks);
        let config = config.unwrap_or_else(|| panic!("{}", found.render(false)));
        let networks = &config.listeners[0].trusted_proxies;
        let networks: Vec<_> = networks.iter().map(ToString::to_string).collect();
        assert_eq!(networks.join(" "), read);
    }
    for (networks, fix) in [
        ("0.0.0.0/0", "everybody"),
        ("\"::/0\"", "everybody"),
        ("\"::ffff:0:0/96\"", "everybody"),
        ("[0.0.0.0/1, 128.0.0.0/1]", "everybody"),
        (
            "[10.0.0.0/8, 0.0.0.0/2, 64.0.0.0/2, 128.0.0.0/1]",
            "everybody",
        ),
        ("10.0.0.7/24", "write `10.0.0.0/24`, or `10.0.0.7/32`"),
        ("proxy.internal", "must be of the form"),
        ("10.0.0.0/33", "must be of the form"),
        ("10.0.0/8", "must be of the form"),
        ("\"\"", "must be of the form"),
    ] {
        let (config, found) = load(networks);
        assert!(config.is_none(), "{networks}");
        let shown = found.render(false);
        assert!(shown.contains("C013") && shown.contains(fix), "{shown}");
        assert!(found.iter().next().unwrap().place.is_some());
    }
}

#[test]
fn a_dialect_may_be_described_by_a_file() {
    let folder = Folder::new();
    let description = |name: &str, prefix: &str| {
        format!(
            "description: {name}\nprefix: {prefix}\ncredentials: {{ bearer: true }}\n\
             caller: {{ ask: [{{ get: /me, id: $.id, login: $.login }}] }}\nmodules: {{ notes: {{}} }}\n\
             routes: [{{ route: GET /notes, module: notes, action: list, records: \"$[*]\" }}]\n"
        )
    };
    let write = |name: &str, text: &str| std::fs::write(folder.0.path().join(name), text).unwrap();
    write("one.yaml", &description("one", "/api"));
    write("two.yaml", &description("two", "/api/two"));
    write("rest.yaml", &description("rest", "/rest"));
    write("above.yaml", &description("above", "/legacy"));
    write(
        "bad.yaml",
        &description("three", "/three").replace("$.login", "login"),
    );
    let load = |dialects: &str| folder.load(&SMALLEST.replacen("[sugar-rest]", dialects, 1));
    let (config, found) = load("[sugar-rest, { description: one.yaml }]");
    assert!(found.is_empty(), "{}", found.render(false));
    let names: Vec<_> = config.unwrap().upstreams["sugar"]
        .dialects
        .iter()
        .map(|one| one.name())
        .collect();
    assert_eq!(names, ["sugar-rest", "one"]);
    for (dialects, code) in [
        ("[{ description: none.yaml }]", "D001"),
        ("[{ description: bad.yaml }]", "D006"),
        (
            "[{ description: one.yaml }, { description: one.yaml }]",
            "C005",
        ),
        (
            "[{ description: one.yaml }, { description: two.yaml }]",
            "C012",
        ),
        ("[{ description: rest.yaml }, sugar-rest]", "C012"),
        ("[suitecrm-v8, { description: above.yaml }]", "C012"),
        ("[{ descriptoin: one.yaml }]", "Y010"),
    ] {
        let (config, found) = load(dialects);
        assert!(config.is_none(), "{dialects}");
        assert!(
            found.iter().any(|d| d.code == code),
            "{dialects}: {}",
            found.render(false)
        );
    }
}

#[test]
fn no_code_is_used_twice() {
    let mut seen = std::collections::BTreeSet::new();
    let all = super::codes::CODES
        .iter()
        .chain(crate::diagnostic::CODES)
        .chain(crate::dialect::engine::codes::CODES)
        .chain(crate::dialect::schema::codes::CODES);
    assert!(all.clone().all(|(code, _)| seen.insert(code)));
}

#[test]
fn calls_in_query_strings_are_taken_only_where_a_listener_says_so() {
    let folder = Folder::new();
    let legacy = SMALLEST.replace("sugar-rest", "sugar-v4");
    let with = |text: &str, words: &str| text.replace("bind:", &format!("{words}, bind:"));
    for (words, expected) in [("v4_get: allowed", true), ("v4_get: refused", false)] {
        let (config, found) = folder.load(&with(&legacy, words));
        assert!(found.is_empty(), "{}", found.render(false));
        assert_eq!(config.unwrap().listeners[0].v4_get, expected, "{words}");
    }
    let (config, _) = folder.load(&legacy);
    assert!(!config.unwrap().listeners[0].v4_get);
    for words in ["v4_get: true", "v4_get: yes", "v4_get: Allowed"] {
        let (config, found) = folder.load(&with(&legacy, words));
        assert!(config.is_none() && found.has_errors(), "{words}");
    }
    let (config, found) = folder.load(&with(SMALLEST, "v4_get: allowed"));
    let shown = found.render(false);
    assert!(config.is_some() && shown.contains("C105"), "{shown}");
}

#[test]
fn the_database_of_an_upstream_is_one_that_is_known() {
    let folder = Folder::new();
    let with = |words: &str| SMALLEST.replace("dialects: [sugar-rest]", words);
    for words in [
        "dialects: [sugar-v4]",
        "dialects: [sugar-v4], database: mysql",
        "dialects: [suitecrm-v8, sugar-v4], database: other",
    ] {
        let (config, found) = folder.load(&with(words));
        assert!(found.is_empty(), "{}", found.render(false));
        let dialects = &config.unwrap().upstreams["sugar"].dialects;
        let database = if words.contains("other") {
            "Other"
        } else {
            "Mysql"
        };
        assert!(format!("{dialects:?}").contains(database), "{words}");
    }
    let (config, found) = folder.load(&with("dialects: [sugar-v4], database: mysqll"));
    assert!(config.is_none());
    let shown = found.render(false);
    assert!(
        shown.contains("mysqll") && shown.contains("`mysql`"),
        "{shown}"
    );
    let (config, found) = folder.load(&with("dialects: [sugar-rest], database: mysql"));
    assert!(config.is_some() && !found.has_errors());
    assert!(
        found.render(false).contains("C104"),
        "{}",
        found.render(false)
    );
}

#[test]
fn what_is_reloaded_is_said_and_what_is_read_once_is_noted() {
    let folder = Folder::new();
    let (config, found) = folder.load(&format!(
        "{SMALLEST}reload: {{ watch: false, require_tests: true }}\n"
    ));
    assert!(found.is_empty(), "{}", found.render(false));
    let config = config.unwrap();
    assert!(!config.reload.watch && config.reload.require_tests);
    assert!(config.read_once.iter().all(super::Once::is_same));
    let names = config
        .read_once
        .iter()
        .filter_map(|one| one.path.file_name());
    let names: Vec<_> = names.map(|name| name.to_string_lossy()).collect();
    assert_eq!(names, ["paravent.yaml", "token.key"]);
    std::fs::write(folder.0.path().join("token.key"), "another key of 16 bytes").unwrap();
    let changed = config.read_once.iter().filter(|one| !one.is_same());
    assert_eq!(changed.count(), 1);
    let (config, found) = folder.load(&format!("{SMALLEST}reload: {{ wacth: false }}\n"));
    assert!(config.is_none());
    assert!(
        found.render(false).contains("`watch`"),
        "{}",
        found.render(false)
    );
}

#[test]
fn checkpoints_are_published_only_to_places_of_the_accepted_form() {
    let folder = Folder::new();
    let load = |publish: &str| {
        let audit = format!("audit: {{ dir: audit, publish: {publish} }}");
        folder.load(&SMALLEST.replace("audit: { dir: audit }", &audit))
    };
    let good = "[{ folder: out }, { https: \"https://e.example.com/crm\", region: FR }, { https: \"http://127.0.0.1:9/x\", bearer: { file: token.key } }]";
    let (config, found) = load(good);
    assert!(found.is_empty(), "{}", found.render(false));
    let publish = config.unwrap().audit.publish;
    assert_eq!(publish.len(), 3);
    assert_eq!(publish[1].region.as_deref(), Some("FR"));
    assert!(
        !format!("{publish:?}").contains("0123456789"),
        "{publish:?}"
    );
    for (wrong, words) in [
        (
            "[{ mail: a@b.example }]",
            "let a program that sends mail watch that folder",
        ),
        ("[{ region: FR }]", "needs either `folder` or `https`"),
        (
            "[{ folder: out, https: \"https://e.example.com\" }]",
            "needs either",
        ),
        (
            "[{ folder: out, bearer: { file: token.key } }]",
            "a folder has no `bearer`",
        ),
        (
            "[{ https: \"http://e.example.com/x\" }]",
            "only for this machine",
        ),
        (
            "[{ https: \"https://user@e.example.com/x\" }]",
            "user or password",
        ),
        (
            "[{ https: \"ftp://e.example.com/x\" }]",
            "must begin with `https://`",
        ),
        (
            "[{ https: \"https://e.example.com\", region: \"F R\" }]",
            "is not a country",
        ),
    ] {
        let (config, found) = load(wrong);
        let text = found.render(false);
        assert!(config.is_none() && text.contains(words), "{wrong}: {text}");
    }
}
