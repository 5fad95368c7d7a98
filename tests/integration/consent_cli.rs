//! `paravent consent`, as somebody would use it: what is recorded counts once, what may not be recorded is not, and no address is
//! anywhere afterwards.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::harness::binary::{paravent, secret};

/// A policy with a purpose of each sort.
const RULES: &str = r#"policy: small
organisation: { name: Example SA, country: FR, address: "1 rue de la Paix, Paris", dpo: dpo@example.com, authority: { name: CNIL, url: "https://www.cnil.fr" }, languages: [fr, en] }
texts: { letter: { version: "3", en: I want it., fr: Je le veux. } }
people: { Contacts: { kind: customer, email: email } }
roles:
  sales: { from: { crm.role: "Sales" }, default_purpose: support }
purposes:
  marketing: { legal_basis: legitimate-interest, roles: [sales], honour_objection: true }
  newsletter: { legal_basis: consent, roles: [sales], consent: { proof: single-opt-in, max_age: 3y, text: letter } }
  support: { legal_basis: contract, roles: [sales] }
grants:
  - { name: base, roles: sales, data: [identity.name, contact], level: clear }
classify:
  Contacts:
    email: contact.email
    last_name: identity.name
"#;

/// RFC 8410, section 10.3.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

/// What stands in no file and no message.
const CANARY: &str = "canary.person";

struct Installed(tempfile::TempDir);

impl Installed {
    fn new() -> Self {
        let installed = Self(tempfile::tempdir().unwrap());
        fs::create_dir(installed.path("policies")).unwrap();
        fs::write(installed.path("policies/rules.yaml"), RULES).unwrap();
        secret(&installed.path("token.key"), b"0123456789abcdef");
        secret(&installed.path("person.key"), &[7; 32]);
        secret(&installed.path("receipts.pem"), KEY.as_bytes());
        let text = "listeners:\n  - { name: crm, bind: \"127.0.0.1:18443\", upstream: sugar }\n\
             upstreams:\n  sugar: { url: \"http://127.0.0.1:9\", dialects: [sugar-rest] }\n\
             policies: policies\n\
             keys: { token: { file: token.key }, person: [{ file: person.key }], receipts: { file: receipts.pem } }\n\
             audit: { dir: log }\nstate: { dir: kept }\n";
        fs::write(installed.path("paravent.yaml"), text).unwrap();
        fs::create_dir(installed.path("kept")).unwrap();
        installed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a command with something on its standard input. Whatever it says, it says no address.
    fn run(&self, words: &[&str], input: &str) -> Output {
        let mut child = paravent(&[&["consent"], words].concat())
            .arg("--config")
            .arg(self.path("paravent.yaml"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that refuses its arguments reads nothing.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let done = child.wait_with_output().unwrap();
        assert!(!out(&done).contains(CANARY), "{}", out(&done));
        assert!(!err(&done).contains(CANARY), "{}", err(&done));
        done
    }

    /// Records something of the one person.
    fn record(&self, words: &[&str]) -> Output {
        let always = [
            "record",
            "--email",
            "-",
            "--source",
            "telephone",
            "--by",
            "kim",
        ];
        self.run(&[&always, words].concat(), &address())
    }

    fn json(&self, words: &[&str]) -> Value {
        let done = self.run(&[words, &["--format", "json"]].concat(), &address());
        serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", err(&done)))
    }

    fn events(&self) -> i64 {
        self.json(&["verify"])["events"].as_i64().unwrap()
    }
}

fn address() -> String {
    format!("{CANARY}@example.com\n")
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// All bytes of all files below a folder.
fn bytes(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => all.extend(bytes(&path)),
            path => all.extend(fs::read(path).unwrap()),
        }
    }
    all
}

#[test]
fn what_is_recorded_is_shown_and_no_address_is_kept() {
    let installed = Installed::new();
    let done = installed.record(&["--purpose", "marketing", "--reference", "call-1"]);
    assert_eq!(code(&done), 0, "{}", err(&done));
    let again = installed.record(&["--purpose", "marketing", "--reference", "call-1"]);
    assert!(
        out(&again).starts_with("was recorded before"),
        "{}",
        out(&again)
    );
    assert_eq!(installed.events(), 1);
    let shown = installed.json(&["show", "--email", "-"]);
    assert_eq!(shown["purposes"]["marketing"]["state"], "given");
    assert_eq!(shown["purposes"]["support"]["state"], "none");
    let withdraw = [
        "withdraw",
        "--email",
        "-",
        "--source",
        "letter",
        "--by",
        "kim",
        "--purpose",
        "*",
    ];
    assert_eq!(code(&installed.run(&withdraw, &address())), 0);
    let history = installed.json(&["show", "--email", "-", "--history"]);
    let kinds = history["events"].as_array().unwrap().iter();
    let kinds: Vec<&str> = kinds.map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["given", "withdrawn"]);
    // Staff alone does not undo that.
    let refused = installed.record(&["--purpose", "marketing"]);
    assert_eq!(code(&refused), 1);
    assert!(
        err(&refused).contains("--despite-denial"),
        "{}",
        err(&refused)
    );
    let despite = ["--purpose", "marketing", "--despite-denial", "letter-7"];
    assert_eq!(code(&installed.record(&despite)), 0);
    assert_eq!(installed.events(), 3);
    let kept = bytes(&installed.path("kept"));
    let canary = CANARY.as_bytes();
    assert!(kept.windows(9).any(|part| part == b"marketing"));
    assert!(!kept.windows(canary.len()).any(|part| part == canary));
}

#[test]
fn what_may_not_be_recorded_is_refused_with_the_way_out() {
    let installed = Installed::new();
    for (words, says) in [
        (
            &["--purpose", "marketing", "--proof", "double-opt-in"][..],
            "confirmed link",
        ),
        (
            &["--purpose", "marketing", "--proof", "signed-request"],
            "reference",
        ),
        (
            &["--purpose", "marketing", "--at", "2126-01-01"],
            "five minutes",
        ),
        (
            &["--purpose", "marketing", "--at", "2020-01-01T09:00:00"],
            "moment",
        ),
        (
            &["--purpose", "marketing", "--kind", "confirmed"],
            "must be one of",
        ),
        (&["--purpose", "markting"], "did you mean `marketing`"),
        (&["--purpose", "other"], "marketing, newsletter, support"),
        (&["--purpose", "*"], "one purpose"),
        (
            &["--purpose", "marketing", "--text", "news@3"],
            "it has letter@3",
        ),
    ] {
        let done = installed.record(words);
        assert_eq!(code(&done), 2, "{words:?}: {}", err(&done));
        assert!(err(&done).contains(says), "{words:?}: {}", err(&done));
    }
    let who = |words: &[&str], input: &str| {
        let always = [
            "record",
            "--purpose",
            "marketing",
            "--source",
            "fair",
            "--by",
            "kim",
        ];
        installed.run(&[&always, words].concat(), input)
    };
    for (words, input) in [
        (&["--email", "-"][..], ""),
        (&["--email", "-"], "no address\n"),
        (&["--record", "suger:Contacts/1"], ""),
        (&["--record", "Contacts/1"], ""),
        (&[], ""),
    ] {
        let done = who(words, input);
        assert_eq!(code(&done), 2, "{words:?}: {}", err(&done));
    }
    assert_eq!(installed.events(), 0);
}

#[test]
fn a_file_is_imported_whole_or_not_at_all() {
    let installed = Installed::new();
    let heading = "record,purpose,kind,at,proof,source\n";
    let good = "sugar:Contacts/1,marketing,given,2024-01-02,none,fair\n";
    let path = installed.path("events.csv");
    let file = path.to_str().unwrap();
    let bad = format!("sugar:Contacts/2,{CANARY},given,2024-01-02,none,fair\n").repeat(150);
    fs::write(&path, format!("{heading}{good}{bad}")).unwrap();
    let done = installed.run(&["import", file], "");
    assert_eq!(code(&done), 1);
    assert_eq!(err(&done).matches("error: line ").count(), 100);
    assert!(err(&done).contains("and 50 more"), "{}", err(&done));
    assert_eq!(installed.events(), 0);
    assert_eq!(code(&installed.run(&["import", file, "--skip-bad"], "")), 1);
    assert_eq!(installed.events(), 1);
    fs::write(&path, format!("{heading}{good}")).unwrap();
    let again = installed.run(&["import", file], "");
    assert_eq!(code(&again), 0, "{}", err(&again));
    assert!(
        out(&again).contains("0 new, 1 recorded before"),
        "{}",
        out(&again)
    );
    fs::write(&path, format!("{heading}{}", good.replace('1', "3"))).unwrap();
    assert_eq!(code(&installed.run(&["import", file, "--dry-run"], "")), 0);
    assert_eq!(installed.events(), 1);
    fs::write(&path, "record,purpose,kind,at,source\n").unwrap();
    let done = installed.run(&["import", file], "");
    assert!(err(&done).contains("`proof` is missing"), "{}", err(&done));
}

#[test]
fn what_goes_out_names_persons_by_records_and_keys() {
    let installed = Installed::new();
    installed.record(&["--purpose", "marketing"]);
    let csv = out(&installed.run(&["export"], ""));
    assert_eq!(csv.lines().count(), 2, "{csv}");
    let all = installed.json(&["export"]);
    let key = all["events"][0]["keys"]["email"][0].as_str().unwrap();
    assert!(key.len() == 32 && csv.contains(key), "{csv}");
}

#[test]
fn consent_is_shown_with_what_decides_and_has_a_receipt() {
    let installed = Installed::new();
    let words = [
        "--purpose",
        "newsletter",
        "--proof",
        "single-opt-in",
        "--text",
        "letter@3",
    ];
    let done = installed.record(&words);
    assert_eq!(code(&done), 0, "{}", err(&done));
    let shown = installed.json(&["show", "--email", "-", "--purpose", "newsletter"]);
    let newsletter = &shown["purposes"]["newsletter"];
    assert_eq!(newsletter["valid"], true, "{newsletter}");
    assert_eq!(newsletter["because"], "valid");
    let event = newsletter["event"].as_str().unwrap();
    let receipt = installed.run(&["receipt", event], "");
    assert_eq!(err(&receipt), "");
    let receipt: Value = serde_json::from_slice(&receipt.stdout).unwrap();
    let conforms = "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr";
    assert_eq!(receipt["dct:conformsTo"], conforms);
    let signed = out(&installed.run(&["receipt", event, "--jws"], ""));
    assert_eq!(signed.trim().split('.').count(), 3, "{signed}");
    // Without who is responsible there is none, and what is missing is named.
    let rules = RULES.replace(" dpo: dpo@example.com,", "");
    fs::write(installed.path("policies/rules.yaml"), rules).unwrap();
    let receipt = installed.run(&["receipt", event], "");
    assert_eq!(code(&receipt), 1);
    assert!(err(&receipt).contains("dpo"), "{}", err(&receipt));
}

#[test]
fn two_persons_become_one() {
    let installed = Installed::new();
    for id in ["1", "2"] {
        let record = format!("sugar:Contacts/{id}");
        let words = ["record", "--record", &record, "--purpose", "marketing"];
        let more = ["--source", "fair", "--by", "kim"];
        assert_eq!(code(&installed.run(&[&words[..], &more].concat(), "")), 0);
    }
    let merge = [
        "merge",
        "--record",
        "sugar:Contacts/1",
        "--record",
        "sugar:Contacts/2",
    ];
    let merge = [&merge[..], &["--why", "merged in the CRM"]].concat();
    let done = installed.run(&merge, "");
    assert_eq!(code(&done), 0, "{}", err(&done));
    let shown = installed.json(&["show", "--record", "sugar:Contacts/2"]);
    let records = shown["keys"]["record"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(code(&installed.run(&merge, "")), 2, "they are one already");
}
