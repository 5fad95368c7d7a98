//! Issuers of tokens, as operators write them.

use std::time::Duration;

use super::{Folder, SMALLEST};
use crate::config::{Algorithm, Issuer, KeySource};
use crate::diagnostic::Diagnostics;

const ONE: &str = "{ name: company, issuer: https://login.example.com/realms/crm, audience: paravent, keys: discover }";

fn load(issuers: &str) -> (Option<Vec<Issuer>>, Diagnostics) {
    let folder = Folder::new();
    let write = |name: &str, text: &str| std::fs::write(folder.0.path().join(name), text).unwrap();
    write("jwks.json", r#"{"keys":[]}"#);
    write("list.json", "[]");
    let (config, found) = folder.load(&format!("{SMALLEST}identity:\n  tokens: {issuers}\n"));
    (config.map(|config| config.identity.issuers), found)
}

#[test]
fn an_issuer_has_the_documented_defaults() {
    let (issuers, found) = load(&format!("[{ONE}]"));
    assert!(!found.has_errors(), "{}", found.render(false));
    let issuer = &issuers.unwrap()[0];
    assert_eq!(issuer.issuer, "https://login.example.com/realms/crm");
    assert_eq!(
        (issuer.name.as_str(), issuer.audience.as_str()),
        ("company", "paravent")
    );
    assert_eq!(issuer.keys, KeySource::Discover);
    assert_eq!(issuer.algorithms, Algorithm::DEFAULT);
    assert_eq!(issuer.claims.id.as_str(), "$.sub");
    assert!(issuer.claims.roles.is_none() && issuer.crm_user.is_none() && issuer.kind.is_none());
    let times = [
        issuer.skew,
        issuer.lifetime_max,
        issuer.refresh,
        issuer.stale,
    ];
    assert_eq!(times.map(|time| time.as_secs()), [60, 43_200, 600, 3_600]);
}

#[test]
fn the_documented_configuration_works() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/identity/tokens.md");
    let page = std::fs::read_to_string(path).unwrap();
    let section = page.split("```yaml\n").nth(1).unwrap();
    let section = section.split("```").next().unwrap();
    let (config, found) = Folder::new().load(&format!("{SMALLEST}{section}"));
    assert!(super::is_unused_at_most(&found), "{}", found.render(false));
    let issuers = config.unwrap().identity.issuers;
    assert_eq!((issuers.len(), issuers[0].parties.len()), (1, 1));
}

#[test]
fn everything_of_an_issuer_can_be_set() {
    let (issuers, found) = load(
        "
    - name: company
      issuer: http://127.0.0.1:8080/realms/crm
      audience: paravent
      keys: { url: \"https://keys.example.com/jwks?v=1\", ca: crm.pem }
      algorithms: [ES384, PS512]
      type: application/AT+JWT
      parties: [crm-portal, other]
      claims: { id: $.oid, name: $.preferred_username, roles: \"$.realm_access.roles[*]\", purpose: $.purpose }
      strengthens: { crm_user: $.crm_login }
      skew: 0s
      lifetime_max: 1h
      refresh: 1m
      stale: 1m
    - { name: other, issuer: https://login.example.com, audience: paravent, keys: { file: jwks.json }, type: JWT }
    - { name: third, issuer: https://login.example.com, audience: elsewhere, keys: discover, parties: [crm-portal] }",
    );
    assert!(super::is_unused_at_most(&found), "{}", found.render(false));
    let issuers = issuers.unwrap();
    let issuer = &issuers[0];
    assert_eq!(issuer.algorithms, [Algorithm::ES384, Algorithm::PS512]);
    assert_eq!(issuer.kind.as_deref(), Some("at+jwt"));
    assert_eq!(issuer.parties, ["crm-portal", "other"]);
    assert_eq!(issuer.crm_user.as_ref().unwrap().as_str(), "$.crm_login");
    assert_eq!(
        (issuer.skew, issuer.stale),
        (Duration::ZERO, Duration::from_secs(60))
    );
    assert!(matches!(&issuer.keys, KeySource::Url { ca: Some(_), .. }));
    assert!(matches!(&issuers[1].keys, KeySource::File(path) if path.ends_with("jwks.json")));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_would_let_others_write_tokens_is_an_error() {
    let with = |from: &str, to: &str| format!("[{}]", ONE.replace(from, to));
    let more = |text: &str| with("keys: discover", &format!("keys: discover, {text}"));
    let issuer = "https://login.example.com/realms/crm";
    for (issuers, code, words) in [
        (
            with(issuer, "http://login.example.com"),
            "C015",
            "must begin with `https://`",
        ),
        (
            with(issuer, "http://127.evil.example"),
            "C015",
            "must begin with `https://`",
        ),
        (
            with(issuer, "http://localhost.evil.example"),
            "C015",
            "must begin with `https://`",
        ),
        (
            with(issuer, "login.example.com"),
            "C015",
            "must begin with `https://`",
        ),
        (
            with(issuer, "https://u:p@login.example.com"),
            "C015",
            "user or password",
        ),
        (
            with(issuer, "\"https://login.example.com/#a\""),
            "C015",
            "fragment",
        ),
        (
            with(issuer, "\"https://login.example.com?a=b\""),
            "C015",
            "query",
        ),
        (with(issuer, "https://"), "C015", "not"),
        (with(issuer, "https://h:0/"), "C015", "host or port"),
        (
            with("audience: paravent", "audience: \"\""),
            "C015",
            "empty",
        ),
        (with(", audience: paravent", ""), "Y011", "audience"),
        (with(", keys: discover", ""), "Y011", "keys"),
        (with("name: company", "name: a b"), "C007", "not a name"),
        (
            with("keys: discover", "keys: somewhere"),
            "Y013",
            "discover",
        ),
        (with("keys: discover", "keys: {}"), "C015", "either `url`"),
        (
            with("keys: discover", "keys: { ca: crm.pem }"),
            "C015",
            "either `url`",
        ),
        (
            with(
                "keys: discover",
                "keys: { url: https://a, file: jwks.json }",
            ),
            "C015",
            "either `url`",
        ),
        (
            with("keys: discover", "keys: { url: http://a.example/keys }"),
            "C015",
            "https://",
        ),
        (
            with("keys: discover", "keys: { url: https://a, ca: none.pem }"),
            "C001",
            "`ca`",
        ),
        (
            with("keys: discover", "keys: { url: https://a, ca: token.key }"),
            "C008",
            "no certificate",
        ),
        (
            with("keys: discover", "keys: { file: none.json }"),
            "C001",
            "keys of an issuer",
        ),
        (
            with("keys: discover", "keys: { file: list.json }"),
            "C015",
            "a list `keys`",
        ),
        (
            with("keys: discover", "keys: { file: token.key }"),
            "C015",
            "a list `keys`",
        ),
        (more("algorithms: [none]"), "C015", "anybody could write"),
        (
            more("algorithms: [HS256]"),
            "C015",
            "secrets are not shared",
        ),
        (more("algorithms: [ES512]"), "C015", "not known here"),
        (more("algorithms: [es256]"), "C015", "not known here"),
        (more("algorithms: [ES256, ES256]"), "C015", "named twice"),
        (more("algorithms: []"), "Y012", "empty list"),
        (more("skew: 6m"), "Y014", "out of bounds"),
        (more("skew: 60"), "Y014", "a duration"),
        (more("refresh: 59s"), "Y014", "out of bounds"),
        (more("stale: 59s"), "Y014", "out of bounds"),
        (more("lifetime_max: 59s"), "Y014", "out of bounds"),
        (more("lifetime_max: 25h"), "Y014", "out of bounds"),
        (more("stale: 5m"), "C010", "`stale` is less than `refresh`"),
        (more("claims: { roles: groups }"), "C015", "not a JSONPath"),
        (more("claims: { roles: \"$.[\" }"), "C015", "not a JSONPath"),
        (more("claims: { role: $.a }"), "Y010", "role"),
        (more("strengthens: {}"), "C015", "`crm_user`"),
        (
            more("strengthens: { crm_user: login }"),
            "C015",
            "not a JSONPath",
        ),
        (more("type: \"\""), "C015", "empty"),
        (more("parties: []"), "Y012", "empty list"),
        (more("secret: a"), "Y010", "secret"),
        ("[]".to_owned(), "C015", "at least one"),
        ("{}".to_owned(), "Y012", "a list"),
        (
            format!("[{ONE}, {}]", ONE.replace("paravent", "other")),
            "C007",
            "there twice",
        ),
        (
            format!("[{ONE}, {}]", ONE.replace("company", "other")),
            "C015",
            "in two ways",
        ),
    ] {
        let (config, found) = load(&issuers);
        let shown = found.render(false);
        assert!(config.is_none(), "{issuers}");
        let hit = found.iter().find(|problem| problem.code == code);
        assert!(
            hit.is_some_and(|hit| hit.place.is_some()),
            "{issuers}: {shown}"
        );
        assert!(shown.contains(words), "{issuers}: {shown}");
    }
}

#[test]
fn a_claim_that_people_choose_themselves_is_a_warning() {
    for (path, warns) in [
        ("$.preferred_username", true),
        ("$.email", true),
        ("\"$['email']\"", true),
        ("$.crm_login", false),
        ("$.crm.email", false),
    ] {
        let more = format!("keys: discover, strengthens: {{ crm_user: {path} }}");
        let (issuers, found) = load(&format!("[{}]", ONE.replace("keys: discover", &more)));
        assert!(issuers.is_some(), "{path}: {}", found.render(false));
        assert_eq!(
            found.iter().any(|problem| problem.code == "C130"),
            warns,
            "{path}"
        );
    }
}

#[test]
fn no_issuer_has_the_name_of_a_way() {
    for name in ["crm-session", "token", "key", "certificate", "front"] {
        let issuers = format!("[{}]", ONE.replace("company", name));
        let (config, found) = load(&issuers);
        assert!(config.is_none() && found.has_errors(), "{name}");
    }
}

#[test]
fn tokens_of_any_client_and_type_are_a_warning() {
    for (more, warns) in [
        ("", true),
        (", parties: [portal]", false),
        (", type: at+jwt", false),
    ] {
        let more = format!("keys: discover{more}");
        let (issuers, found) = load(&format!("[{}]", ONE.replace("keys: discover", &more)));
        assert!(issuers.is_some(), "{more}: {}", found.render(false));
        let warned = found.iter().any(|problem| problem.code == "C132");
        assert_eq!(warned, warns, "{more}");
    }
}
