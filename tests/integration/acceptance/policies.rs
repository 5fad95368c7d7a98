//! A22: a policy that nobody can have meant does not come into force.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::harness::binary;

const GOOD: &str = "\
policy: test
classify:
  Contacts:
    iban_c: financial.iban
    last_name: identity.name
roles:
  sales: { from: { crm.role: \"Sales\" }, default_purpose: contract }
purposes:
  contract: { legal_basis: contract, roles: [sales] }
grants:
  - { name: names, roles: sales, purposes: contract, data: identity.name, level: clear }
";

/// Exit code and messages of `paravent check` for a policy.
fn check(text: &[u8]) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("policy.yaml"), text).unwrap();
    let output = binary::run(&["check", dir.path().to_str().unwrap()]);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn a22_policies_with_errors_are_refused_and_the_place_is_named() {
    let (code, text) = check(GOOD.as_bytes());
    assert_eq!(code, Some(0), "{text}");
    let with = |from: &str, to: &str| {
        assert!(GOOD.contains(from));
        GOOD.replacen(from, to, 1)
    };
    let deep = "[".repeat(20_000);
    let bomb = format!(
        "a: &a [x,x]\n{}",
        (0..30)
            .map(|n| format!("b{n}: &b{n} [*a,*a]\n"))
            .collect::<String>()
    );
    for (what, policy) in [
        ("a typo in a key", with("level:", "levle:")),
        ("a typo in a section", with("grants:", "grant:")),
        ("an unknown level", with("clear", "claer")),
        (
            "an unknown purpose",
            with("purposes: contract", "purposes: contarct"),
        ),
        ("an unknown role", with("roles: sales,", "roles: slaes,")),
        (
            "an unknown category",
            with("data: identity.name", "data: identity.nome"),
        ),
        (
            "a merge",
            format!(
                "base: &b {{ level: clear }}\n{}",
                with("level: clear", "<<: *b")
            ),
        ),
        (
            "a merge without an anchor",
            with("level: clear", "<<: { level: clear }"),
        ),
        ("an anchor", with("level: clear", "level: &x clear")),
        ("an alias", with("level: clear", "level: *x")),
        ("a tag", with("level: clear", "level: !!str clear")),
        (
            "a foreign tag",
            with("level: clear", "level: !!python/object:os.system clear"),
        ),
        (
            "a key twice",
            with("level: clear", "level: mask, level: clear"),
        ),
        ("a section twice", format!("{GOOD}grants: []\n")),
        ("nothing", String::new()),
        ("null", "~\n".to_owned()),
        ("comments", "# nothing\n".to_owned()),
        ("a list", "[]\n".to_owned()),
        ("text", "policy\n".to_owned()),
        ("two documents", format!("{GOOD}---\n{GOOD}")),
        ("a number for a name", with("policy: test", "policy: 1")),
        ("a boolean for a level", with("level: clear", "level: true")),
        ("a homoglyph", with("iban_c", "\u{456}ban_c")),
        ("a field with a space", with("iban_c", "\"iban c\"")),
        (
            "a name twice",
            format!(
                "{GOOD}  - {{ name: names, roles: sales, purposes: contract, data: financial, level: mask }}\n"
            ),
        ),
        ("a bomb", bomb),
        ("depth", format!("policy: {deep}")),
        ("a tab", with("  Contacts:", "\tContacts:")),
        ("a bad byte", "policy: \u{0}\n".to_owned()),
    ] {
        let (code, text) = check(policy.as_bytes());
        assert_eq!(code, Some(1), "{what}: {text}");
        assert!(!text.contains("panicked"), "{what}: {text}");
        assert!(text.contains("error"), "{what}: {text}");
        if !["nothing", "null", "comments"].contains(&what) {
            assert!(
                text.contains("policy.yaml:"),
                "{what} names no place: {text}"
            );
        }
    }
    let (code, text) = check(b"policy: \xff\xfe\n");
    assert!(matches!(code, Some(1 | 2)), "{text}");
}

#[test]
fn a22_unknown_fields_and_shadowed_rules_are_warned_about() {
    let shadowed = format!(
        "{GOOD}  - {{ name: again, roles: sales, purposes: contract, data: identity.name, level: mask }}\n"
    );
    let (code, text) = check(shadowed.as_bytes());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("warning"), "{text}");
    let unknown = GOOD.replace("last_name:", "lastname:");
    let (code, text) = check(unknown.as_bytes());
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("warning") && text.contains("lastname"),
        "{text}"
    );
}

#[test]
fn a22_the_proxy_does_not_start_on_what_is_wrong_or_what_others_could_change() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    fs::create_dir(dir.path().join("policies")).unwrap();
    let policy = write(
        "policies/policy.yaml",
        &GOOD.replace("level: clear", "levle: clear"),
    );
    let key = write("token.key", "a key that is only used in tests");
    let config = write(
        "paravent.yaml",
        "listeners: [{ name: crm, bind: \"127.0.0.1:0\", upstream: crm }]\nadmin: { bind: \"127.0.0.2:0\" }\nupstreams: { crm: { url: \"http://127.0.0.1:1\", dialects: [sugar-rest] } }\npolicies: policies/\nkeys: { token: { file: token.key } }\naudit: { dir: audit/ }\n",
    );
    let serve = || {
        let output = binary::run(&["serve", "--config", config.to_str().unwrap()]);
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, text) = serve();
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("policy.yaml:") && text.contains("levle"),
        "{text}"
    );
    fs::write(&policy, GOOD).unwrap();
    for path in [&policy, &config, &key] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
        let (code, text) = serve();
        assert_eq!(code, Some(1), "{path:?}: {text}");
        assert!(text.contains("everybody may write"), "{text}");
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    fs::remove_file(policy).unwrap();
    let (code, text) = serve();
    assert_eq!(code, Some(1), "no policy at all: {text}");
    assert!(!dir.path().join("audit").exists(), "nothing was started");
}
