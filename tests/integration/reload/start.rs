//! Whether a proxy would start.

use std::fs;
use std::process::Output;

use super::rig::{A, write};
use crate::harness::binary;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(sections: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        binary::secret(&path.join("token.key"), b"0123456789abcdef");
        fs::create_dir(path.join("policies")).unwrap();
        write(&path.join("policies"), A);
        let text = format!(
            "listeners:\n  - {{ name: crm, bind: \"127.0.0.1:0\", upstream: crm }}\nupstreams:\n  crm: {{ url: \"http://127.0.0.1:9\", dialects: [sugar-rest] }}\n\
             policies: policies\nkeys: {{ token: {{ file: token.key }} }}\naudit: {{ dir: audit }}\n{sections}"
        );
        fs::write(path.join("paravent.yaml"), text).unwrap();
        Self(dir)
    }

    fn check(&self) -> (Option<i32>, String) {
        let config = self.0.path().join("paravent.yaml");
        let words = [
            "serve",
            "--check-only",
            "--config",
            config.to_str().unwrap(),
        ];
        let Output {
            status,
            stdout,
            stderr,
        } = binary::run(&words);
        let said = [stdout, stderr].concat();
        (status.code(), String::from_utf8(said).unwrap())
    }

    fn tests(&self, level: &str) {
        let folder = self.0.path().join("policies/tests");
        fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "tests: alternating\npeople:\n  sonia: {{ crm: {{ roles: [Sales], user: sonia }} }}\n\
             records:\n  odile: {{ module: Contacts, fields: {{ id: c-1, first_name: Odile, phone_work: \"0123456789\" }} }}\n\
             cases:\n  - {{ name: names, as: sonia, read: odile, expect: {{ first_name: {level} }} }}\n"
        );
        fs::write(folder.join("alternating.yaml"), text).unwrap();
    }
}

#[test]
fn a_check_says_whether_it_would_start_and_opens_nothing() {
    let folder = Folder::new("");
    let (code, said) = folder.check();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("policy `alternating` is valid"), "{said}");
    assert!(said.contains("it would start, with 1 listener"), "{said}");
    assert!(
        !folder.0.path().join("audit").exists(),
        "the log was opened"
    );
    fs::write(folder.0.path().join("policies/phones.yaml"), "grants: [").unwrap();
    let (code, said) = folder.check();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("phones.yaml"), "{said}");
}

#[test]
fn where_tests_must_pass_nothing_starts_without_them() {
    let folder = Folder::new("reload: { require_tests: true }\n");
    let (code, said) = folder.check();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("T042"), "{said}");
    folder.tests("mask");
    let (code, said) = folder.check();
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("T040") && said.contains("case `names` fails"),
        "{said}"
    );
    folder.tests("clear");
    let (code, said) = folder.check();
    assert_eq!(code, Some(0), "{said}");
}
