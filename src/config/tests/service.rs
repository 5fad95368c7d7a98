//! The proxy's own account.

use super::{Folder, SMALLEST};
use crate::config::Proof;
use crate::door::{Carrier, Credential};

const ESPO: &str = "description: espo\nprefix: /api/v1\ncredentials: { headers: [X-Api-Key], basic: true }\n\
    caller: { ask: [{ get: /App/user, id: $.id, login: $.login }] }\nmodules: { Contact: {} }\n\
    routes: [{ route: GET /Contact, module: Contact, action: list, records: \"$[*]\" }]\n";

fn folder() -> Folder {
    let folder = Folder::new();
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(folder.0.path().join(name), bytes).unwrap();
    write("svc.pw", b"a password\r\n");
    write("api.key", b"5e884898da");
    write("empty", b"\n");
    write("two.lines", b"a\nb\n");
    write("latin1", b"\xe9\xe9\xe9");
    write("long", &[b'a'; 5_000]);
    write("espo.yaml", ESPO.as_bytes());
    folder
}

fn text(dialects: &str, service: &str) -> String {
    let upstream = format!("dialects: [{dialects}], service: {service} }}");
    SMALLEST.replacen("dialects: [sugar-rest] }", &upstream, 1)
}

const DESCRIBED: &str = "{ description: espo.yaml }";

fn proof(folder: &Folder, dialects: &str, service: &str) -> Proof {
    let (config, found) = folder.load(&text(dialects, service));
    assert!(found.is_empty(), "{service}: {}", found.render(false));
    let config = config.unwrap();
    let shown = format!("{config:?}");
    assert!(
        !shown.contains("a password") && !shown.contains("5e884898da"),
        "{shown}"
    );
    let service = config.upstreams["sugar"].service.clone().unwrap();
    assert!(!service.files.is_empty());
    service.proof
}

#[test]
fn an_account_has_one_of_several_forms() {
    let folder = folder();
    let user =
        "{ user: paravent, password: { file: svc.pw }, client_id: sugar, platform: paravent }";
    for dialects in ["sugar-rest", "sugar-v4", "sugar-rest, sugar-v4"] {
        let Proof::Login(account) = proof(&folder, dialects, user) else {
            panic!("no login")
        };
        let (name, password) = account.user.unwrap();
        assert_eq!((name.as_str(), password.text()), ("paravent", "a password"));
        assert_eq!(account.client_id.as_deref(), Some("sugar"));
        assert_eq!(account.platform.as_deref(), Some("paravent"));
        assert!(account.client_secret.is_none() && !account.plain);
    }
    let plain = "{ user: p, password: { file: svc.pw }, encryption: plain }";
    assert!(matches!(proof(&folder, "sugar-v4", plain), Proof::Login(account) if account.plain));
    for client in [
        "{ client_id: a-1, client_secret: { file: svc.pw } }",
        "{ client_id: a-1, client_secret: { file: svc.pw }, user: p, password: { file: svc.pw } }",
    ] {
        let Proof::Login(account) = proof(&folder, "suitecrm-v8", client) else {
            panic!("no login")
        };
        assert_eq!(account.client_secret.unwrap().text(), "a password");
    }
    for (dialect, fixed, expected) in [
        (
            DESCRIBED,
            "{ header: X-Api-Key, secret: { file: api.key } }",
            Credential::own(Carrier::Header("x-api-key".parse().unwrap()), "5e884898da"),
        ),
        (
            DESCRIBED,
            "{ basic: { user: paravent, password: { file: svc.pw } } }",
            Credential::own(Carrier::Basic, "cGFyYXZlbnQ6YSBwYXNzd29yZA=="),
        ),
        (
            "sugar-rest",
            "{ bearer: { file: api.key } }",
            Credential::own(Carrier::Bearer, "5e884898da"),
        ),
    ] {
        match proof(&folder, dialect, fixed) {
            Proof::Fixed(credential) => assert_eq!(Some(credential), expected),
            Proof::Login(_) => panic!("{fixed}"),
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_no_account_is_told_with_its_place() {
    let folder = folder();
    for (dialects, service, code, label) in [
        ("sugar-rest", "{}", "C018", "says nothing"),
        (
            "sugar-rest",
            "{ user: paravent }",
            "C018",
            "`password` is missing",
        ),
        (
            "sugar-rest",
            "{ password: { file: svc.pw } }",
            "C018",
            "`user` is missing",
        ),
        ("sugar-rest", "{ client_id: sugar }", "C018", "neither"),
        ("sugar-rest", "{ platform: base }", "C018", "neither"),
        (
            "sugar-rest",
            "{ user: p, password: { file: svc.pw }, bearer: { file: api.key } }",
            "C018",
            "a login stands here already, and `bearer`",
        ),
        (
            DESCRIBED,
            "{ header: X-Api-Key, secret: { file: api.key }, basic: { user: p, password: { file: svc.pw } } }",
            "C018",
            "a header stands here already",
        ),
        (
            DESCRIBED,
            "{ header: X-Api-Key }",
            "Y011",
            "`secret` is missing",
        ),
        (
            DESCRIBED,
            "{ secret: { file: api.key } }",
            "Y011",
            "`header` is missing",
        ),
        (
            DESCRIBED,
            "{ header: \"X Api\", secret: { file: api.key } }",
            "C018",
            "not the name of a header",
        ),
        (
            DESCRIBED,
            "{ header: X-Api-Key, secret: { file: svc.pw } }",
            "C018",
            "other characters",
        ),
        (
            DESCRIBED,
            "{ basic: { user: \"a:b\", password: { file: svc.pw } } }",
            "C018",
            "holds a `:`",
        ),
        (
            DESCRIBED,
            "{ basic: { user: a } }",
            "Y011",
            "`password` is missing",
        ),
        // None of the upstream's dialects takes it.
        (
            DESCRIBED,
            "{ bearer: { file: api.key } }",
            "C018",
            "`espo` takes no credential of this kind",
        ),
        (
            DESCRIBED,
            "{ header: X-Token, secret: { file: api.key } }",
            "C018",
            "takes no credential",
        ),
        (
            DESCRIBED,
            "{ user: p, password: { file: svc.pw } }",
            "C018",
            "`espo` has no login",
        ),
        (
            "suitecrm-v8",
            "{ user: p, password: { file: svc.pw } }",
            "C018",
            "has no login",
        ),
        (
            "sugar-v4",
            "{ client_id: a, client_secret: { file: svc.pw } }",
            "C018",
            "has no login",
        ),
        (
            "sugar-v4",
            "{ bearer: { file: api.key } }",
            "C018",
            "takes no credential",
        ),
        // Secrets.
        (
            "sugar-rest",
            "{ user: p, password: a-secret-in-plain-sight }",
            "Y012",
            "",
        ),
        (
            "sugar-rest",
            "{ user: p, password: {} }",
            "C009",
            "needs either `file` or `env`",
        ),
        (
            "sugar-rest",
            "{ user: p, password: { file: svc.pw, env: PATH } }",
            "C009",
            "needs either",
        ),
        (
            "sugar-rest",
            "{ user: p, password: { env: PARAVENT_NO_SUCH_VARIABLE } }",
            "C009",
            "not set",
        ),
        (
            "sugar-rest",
            "{ user: p, password: { env: \"A=B\" } }",
            "C009",
            "not set",
        ),
        (
            "sugar-rest",
            "{ user: p, password: { file: nothing.pw } }",
            "C001",
            "",
        ),
        (
            "sugar-rest",
            "{ user: p, password: { file: policies } }",
            "C001",
            "",
        ),
        (
            "sugar-rest",
            "{ user: p, password: { file: empty } }",
            "C009",
            "one line",
        ),
        (
            "sugar-rest",
            "{ user: p, password: { file: two.lines } }",
            "C009",
            "one line",
        ),
        (
            "sugar-rest",
            "{ user: p, password: { file: latin1 } }",
            "C009",
            "one line",
        ),
        (
            "sugar-rest",
            "{ user: p, password: { file: long } }",
            "C001",
            "",
        ),
        (
            "sugar-rest",
            "{ user: \"\", password: { file: svc.pw } }",
            "C018",
            "not a `user`",
        ),
        (
            "sugar-rest",
            "{ user: p, password: { file: svc.pw }, encryption: rot13 }",
            "Y013",
            "",
        ),
        (
            "sugar-rest",
            "{ user: p, pasword: { file: svc.pw } }",
            "Y010",
            "",
        ),
        ("sugar-rest", "paravent", "Y012", ""),
    ] {
        let (config, found) = folder.load(&text(dialects, service));
        assert!(config.is_none(), "{service}");
        let shown = found.render(false);
        let hit = found.iter().find(|problem| problem.code == code);
        let hit = hit.unwrap_or_else(|| panic!("{service}: {shown}"));
        assert!(hit.place.is_some(), "{shown}");
        assert!(shown.contains(label), "{service}: {shown}");
        assert!(
            !shown.contains("a password") && !shown.contains("5e884898da"),
            "{shown}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_secret_that_everybody_may_write_is_none() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let path = folder.0.path().join("svc.pw");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let (config, found) = folder.load(&text(
        "sugar-rest",
        "{ user: p, password: { file: svc.pw } }",
    ));
    assert!(config.is_none());
    assert!(
        found
            .render(false)
            .contains("everybody may write this file")
    );
}
