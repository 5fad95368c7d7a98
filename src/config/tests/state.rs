//! Where the state is, and the keys of persons.

use super::{Folder, SMALLEST};

const STATE: &str = "state:
  memory_max: 64MiB
  postgres: { host: pg.internal, port: 6432, database: d, user: u, password: { file: token.key }, ca: crm.pem, listen: \"[::1]:5433\" }
";

fn with_keys(person: &str) -> String {
    let keys = format!("keys: {{ token: {{ file: token.key }}, person: {person} }}");
    SMALLEST.replace("keys: { token: { file: token.key } }", &keys)
}

#[test]
fn a_database_and_keys_of_persons_can_be_set() {
    let folder = Folder::new();
    for (name, byte) in [("new.key", 1), ("old.key", 2)] {
        std::fs::write(folder.0.path().join(name), [byte; 32]).unwrap();
    }
    let text = with_keys("[{ file: new.key }, { file: old.key }]");
    let (config, found) = folder.load(&format!("{text}{STATE}"));
    assert!(found.is_empty(), "{}", found.render(false));
    let config = config.unwrap();
    let keys: Vec<&[u8]> = config
        .person_keys()
        .iter()
        .map(super::super::Secret::bytes)
        .collect();
    assert_eq!(keys, [&[1; 32], &[2; 32]]);
    assert_eq!(config.ledger_bytes_max, 64 << 20);
    let postgres = config.postgres.unwrap();
    assert_eq!(
        (postgres.host.as_str(), postgres.port),
        ("pg.internal", 6432)
    );
    assert_eq!(
        (postgres.database.as_str(), postgres.user.as_str()),
        ("d", "u")
    );
    assert_eq!(postgres.password.unwrap().bytes(), b"0123456789abcdef");
    assert_eq!(postgres.listen, Some(("::1".to_owned(), 5433)));
}

#[test]
fn without_them_there_is_a_file_and_no_key() {
    let (config, _) = Folder::new().load(SMALLEST);
    let config = config.unwrap();
    assert!(config.postgres.is_none() && config.person_keys().is_empty());
    assert_eq!(config.ledger_bytes_max, 512 << 20);
}

#[test]
fn what_cannot_be_is_refused_at_its_place() {
    let folder = Folder::new();
    std::fs::write(folder.0.path().join("a.key"), [1; 32]).unwrap();
    for (text, code) in [
        (with_keys("[]"), "C009"),
        (with_keys("[{ file: token.key }]"), "C009"),
        (with_keys("[{ file: a.key }, { file: a.key }]"), "C009"),
        (
            format!("{SMALLEST}state: {{ dir: s, postgres: {{ host: h }} }}\n"),
            "C051",
        ),
        (
            format!("{SMALLEST}state: {{ postgres: {{ host: h, listen: h }} }}\n"),
            "C051",
        ),
        (
            format!("{SMALLEST}state: {{ postgres: {{ port: 1 }} }}\n"),
            "Y011",
        ),
        (format!("{SMALLEST}state: {{}}\n"), "Y011"),
    ] {
        let (config, found) = folder.load(&text);
        let codes: Vec<&str> = found.iter().map(|one| one.code).collect();
        assert!(config.is_none(), "{text}");
        assert!(codes.contains(&code), "{text}: {codes:?}");
    }
}
