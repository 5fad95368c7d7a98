//! API keys, client certificates, and an authenticating proxy in a configuration.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa,
    KeyIdMethod, KeyPair, SerialNumber, date_time_ymd,
};

use super::{Folder, SMALLEST};
use crate::config::Config;

/// A folder with an authority, its list of revoked certificates, and secrets.
fn folder() -> Folder {
    let folder = Folder::new();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let by = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2027, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&by).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.0.path().join(name), bytes).unwrap();
    };
    write("ca.pem", by.as_ref().pem().as_bytes());
    write("ca.crl", list.pem().unwrap().as_bytes());
    write("der.crl", list.der());
    write("api.key", b"fedcba9876543210");
    write("front.secret", b"correct-horse-battery\n");
    write("blank.secret", b"correct horse battery\n");
    folder
}

fn shown(folder: &Folder, text: &str) -> (Option<Config>, String) {
    let (config, found) = folder.load(text);
    match super::is_unused_at_most(&found) {
        true => (config, String::new()),
        false => (config, found.render(false)),
    }
}

fn with_identity(identity: &str, keys: &str) -> String {
    SMALLEST.replace(
        "keys: { token: { file: token.key } }",
        &format!("identity: {identity}\nkeys: {{ token: {{ file: token.key }}{keys} }}"),
    )
}

fn with_clients(clients: &str) -> String {
    let tls = format!("tls: {{ certificate: crm.pem, key: crm.key, clients: {clients} }}");
    SMALLEST.replace("upstream: sugar }", &format!("upstream: sugar, {tls} }}"))
}

#[test]
fn keys_have_a_file_and_a_secret_of_their_own() {
    let folder = folder();
    let text = with_identity("{ keys: { file: keys.json } }", ", api: { file: api.key }");
    let (config, told) = shown(&folder, &text);
    assert!(told.is_empty(), "{told}");
    let config = config.unwrap();
    let keys = config.identity.keys.as_ref().unwrap();
    // It need not be there before the first key is.
    assert_eq!(keys.file.value, folder.0.path().join("keys.json"));
    assert_eq!(config.api_key(), Some(&b"fedcba9876543210"[..]));
    assert_eq!(config.token_key(), b"0123456789abcdef");
    let shown_config = format!("{config:?}");
    assert!(!shown_config.contains("fedcba98"), "{shown_config}");
    let (without, told) = shown(&folder, &with_identity("{ keys: { file: keys.json } }", ""));
    assert!(without.is_none());
    assert!(told.contains("C009") && told.contains("keys.api"), "{told}");
    let short = with_identity("{}", ", api: { file: short.key }");
    let (_, told) = shown(&folder, &short);
    assert!(
        told.contains("the key of API keys cannot be used"),
        "{told}"
    );
    let (_, told) = shown(&folder, &with_identity("{ keys: {} }", ""));
    assert!(told.contains("needs the key `file`"), "{told}");
}

#[test]
fn clients_have_an_authority_and_perhaps_a_list() {
    let folder = folder();
    for (clients, has_list, warns) in [
        ("{ ca: ca.pem }", false, true),
        ("{ ca: ca.pem, crl_required: false }", false, false),
        ("{ ca: ca.pem, crl: ca.crl }", true, false),
        (
            "{ ca: ca.pem, crl: der.crl, crl_required: true }",
            true,
            false,
        ),
    ] {
        let (config, told) = shown(&folder, &with_clients(clients));
        assert_eq!(told.contains("C133"), warns, "{clients}: {told}");
        assert_eq!(told.is_empty(), !warns, "{clients}: {told}");
        let listener = config.unwrap().listeners.remove(0);
        let clients = listener.tls.unwrap().clients.unwrap();
        assert_eq!(clients.crl.is_some(), has_list);
    }
    for (clients, code, told) in [
        ("{ crl: ca.crl }", "Y011", "`ca`"),
        ("{ ca: missing.pem }", "C001", "no such file"),
        ("{ ca: token.key }", "C008", "no certificate"),
        ("{ ca: ca.pem, crl: missing.crl }", "C001", "no such file"),
        (
            "{ ca: ca.pem, crl: ca.pem }",
            "C008",
            "revoked certificates",
        ),
        ("{ ca: ca.pem, crl_required: true }", "C017", "crl: FILE"),
        (
            "{ ca: ca.pem, crl: ca.crl, crl_required: false }",
            "C017",
            "leave `crl_required` out",
        ),
        ("{ ca: ca.pem, crls: ca.crl }", "Y010", "crl"),
    ] {
        let (config, shown) = shown(&folder, &with_clients(clients));
        assert!(config.is_none(), "{clients}");
        assert!(
            shown.contains(code) && shown.contains(told),
            "{clients}: {shown}"
        );
    }
}

const PEERS: &str = "peers: [10.0.0.7, \"fd00::/64\"]";
const SECRET: &str = "secret: { header: X-Front-Secret, file: front.secret }";
const HEADERS: &str = "headers: { id: X-Auth-Request-User, roles: X-Auth-Request-Groups }";

#[test]
fn an_authenticating_proxy_is_known_by_address_and_secret() {
    let folder = folder();
    let front =
        |parts: &[&str]| with_identity(&format!("{{ front: {{ {} }} }}", parts.join(", ")), "");
    let (config, told) = shown(&folder, &front(&[PEERS, SECRET, HEADERS]));
    assert!(told.is_empty(), "{told}");
    let config = config.unwrap();
    let read = config.identity.front.as_ref().unwrap();
    assert_eq!(read.peers.len(), 2);
    assert_eq!(read.secret.bytes(), b"correct-horse-battery");
    let names: Vec<_> = read.headers().map(|header| header.value.as_str()).collect();
    assert_eq!(
        names,
        [
            "x-front-secret",
            "x-auth-request-user",
            "x-auth-request-groups"
        ]
    );
    assert!(!format!("{config:?}").contains("battery"));
    for (parts, code, told) in [
        (&[SECRET, HEADERS][..], "C016", "`peers` is missing"),
        (&[PEERS, HEADERS], "C016", "`secret` is missing"),
        (&[PEERS, SECRET], "Y011", "`headers`"),
        (&["peers: 0.0.0.0/0", SECRET, HEADERS], "C013", "everybody"),
        (
            &["peers: [\"::/1\", \"8000::/1\"]", SECRET, HEADERS],
            "C013",
            "everybody",
        ),
        (
            &["peers: 10.0.0.7/8", SECRET, HEADERS],
            "C013",
            "10.0.0.0/8",
        ),
        (&["peers: []", SECRET, HEADERS], "Y012", "empty"),
    ] {
        let (config, shown) = shown(&folder, &front(parts));
        assert!(config.is_none(), "{parts:?}");
        assert!(
            shown.contains(code) && shown.contains(told),
            "{parts:?}: {shown}"
        );
    }
    for secret in ["blank.secret", "short.key", "crm.pem", "missing"] {
        let secret = SECRET.replace("front.secret", secret);
        let (config, shown) = shown(&folder, &front(&[PEERS, &secret, HEADERS]));
        assert!(
            config.is_none() && shown.contains("C0"),
            "{secret}: {shown}"
        );
    }
}

#[test]
fn headers_of_an_authenticating_proxy_mean_nothing_to_anybody_else() {
    let folder = folder();
    let told = |id: &str| {
        let headers = HEADERS.replace("X-Auth-Request-User", id);
        let front = format!("{{ front: {{ {PEERS}, {SECRET}, {headers} }} }}");
        shown(&folder, &with_identity(&front, "")).1
    };
    for fine in [
        "Remote-User",
        "X-Forwarded-User",
        "cf-access-user",
        "X-Remote-User-2",
    ] {
        assert_eq!(told(fine), "", "{fine}");
    }
    for meant in [
        "Authorization",
        "cookie",
        "Host",
        "Content-Type",
        "if-match",
        "X-Forwarded-For",
        "x-real-ip",
        "Paravent-Token",
        "Paravent-User",
        "X-HTTP-Method-Override",
        "traceparent",
        "Sec-Fetch-Site",
        "proxy-authorization",
        // Of the upstream's dialect.
        "OAuth-Token",
    ] {
        let told = told(meant);
        assert!(
            told.contains("C016") && told.contains("of its own"),
            "{meant}: {told}"
        );
    }
    for bad in [
        "X_User",
        "X.User",
        "\"X User\"",
        "\"\"",
        "X-Benützer",
        "\"a:b\"",
    ] {
        let told = told(bad);
        assert!(told.contains("not the name of a header"), "{bad}: {told}");
    }
    for twice in ["X-Front-Secret", "x-auth-request-groups"] {
        assert!(told(twice).contains("named twice"), "{twice}");
    }
}

#[test]
fn the_configurations_of_the_documentation_can_be_loaded() {
    let folder = folder();
    for (from, to) in [("ca.pem", "machines-ca.pem"), ("ca.crl", "machines.crl")] {
        let path = |name: &str| folder.0.path().join(name);
        std::fs::copy(path(from), path(to)).unwrap();
    }
    std::fs::write(folder.0.path().join("svc.pw"), "secret").unwrap();
    let pages = [
        include_str!("../../../docs/identity/keys.md"),
        include_str!("../../../docs/identity/certificates.md"),
        include_str!("../../../docs/identity/front.md"),
    ];
    for page in pages {
        let (_, after) = page.split_once("```yaml\n").unwrap();
        let (text, _) = after.split_once("```").unwrap();
        let (config, told) = shown(&folder, text);
        assert!(told.is_empty() && config.is_some(), "{text}\n{told}");
    }
}
