//! `paravent test`: the shipped suites pass, broken ones and broken policies fail with the words of the documentation.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::harness::binary::{paravent, run, secret};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with a copy of a policy and its suites in `policies`.
fn copy_of(policy: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (root().join(policy), dir.path().join("policies"));
    fs::create_dir_all(to.join("tests")).unwrap();
    for folder in ["", "tests"] {
        for entry in fs::read_dir(from.join(folder)).unwrap().flatten() {
            if entry.path().is_file() {
                fs::copy(entry.path(), to.join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    dir
}

/// `paravent test` as somebody runs it who stands in a folder.
fn test_in(dir: &Path, arguments: &[&str]) -> Output {
    let mut all = vec!["test"];
    all.extend(arguments);
    paravent(&all).current_dir(dir).output().unwrap()
}

fn document() -> String {
    fs::read_to_string(root().join("docs/workbench/test.md")).unwrap()
}

/// The fenced blocks of a text: what stands behind the fence, and what is in it.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let body = lines.by_ref().take_while(|line| *line != "```");
            let body: String = body.map(|line| format!("{line}\n")).collect();
            blocks.push((info.to_owned(), body));
        }
    }
    blocks
}

/// A text with the lines of a difference changed.
fn changed(text: &str, difference: &str) -> String {
    let side = |sign: char| -> String {
        let lines = difference.lines();
        let lines = lines.filter_map(|line| line.strip_prefix(sign));
        lines.map(|line| format!("{line}\n")).collect()
    };
    let old = side('-');
    assert_eq!(text.matches(&old).count(), 1, "stands once:\n{old}");
    text.replace(&old, &side('+'))
}

/// What of the output for people the documentation shows of a broken policy: not what passed.
fn of_failures(output: &str) -> String {
    let passed = ["  passed", "          but of texts"];
    let told = |line: &&str| !passed.iter().any(|head| line.starts_with(head));
    let lines = output.lines().filter(told);
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_shipped_suite_passes_and_exercises_every_rule() {
    let described = ["espocrm", "dolibarr"].map(|name| {
        let folder = format!("examples/{name}");
        let description = format!("{folder}/{name}.yaml");
        vec![
            format!("{folder}/policy"),
            "--description".into(),
            description,
        ]
    });
    let plain = [
        "policies/starter",
        "policies/sugarcrm",
        "examples/suitecrm/policies",
    ];
    let plain = plain.map(|folder| vec![folder.to_owned()]);
    for arguments in plain.into_iter().chain(described) {
        let mut all = vec!["--coverage", "--format", "json"];
        all.extend(arguments.iter().map(String::as_str));
        let output = test_in(root(), &all);
        let told = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        for kind in ["grants", "caps"] {
            assert_eq!(
                report["coverage"][kind]["missed"],
                json!([]),
                "{arguments:?}"
            );
        }
        assert!(report["cases"].as_array().unwrap().len() >= 13);
        assert!(report["always"].as_array().unwrap().len() >= 5);
    }
}

#[test]
fn what_the_demo_adds_is_tested_with_what_it_adds_to() {
    let output = test_in(root(), &["policies/demo", "--with", "policies/sugarcrm"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("demo  5 cases, 5 passed"));
    // Alone it is no policy.
    let output = test_in(root(), &["policies/demo"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_persons_have_said_is_tested_and_nobody_has_said_anything_by_himself() {
    let output = test_in(
        root(),
        &["policies/newsletter", "--with", "policies/sugarcrm"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("newsletter  8 cases, 8 passed"));
    // Persons in the policy change nothing for those of whom nothing is said: what fails is that marketing sees no addresses.
    let output = test_in(
        root(),
        &["policies/sugarcrm", "--with", "policies/newsletter"],
    );
    let told = text(&output.stdout);
    assert_eq!(told.matches("FAILED  ").count(), 1, "{told}");
    assert!(told.contains("FAILED  marketing works for campaigns"));
}

/// A folder with a policy that has a limit and conditions, and a suite of these cases.
fn conditional(cases: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let policies = dir.path().join("policies");
    fs::create_dir_all(policies.join("tests")).unwrap();
    let policy = "policy: t
roles:
  sales: { from: { crm.role: Sales }, default_purpose: selling }
purposes:
  selling: { legal_basis: contract, roles: [sales] }
classify:
  Contacts: { last_name: identity.name, lead_source: commercial.source, birthdate: identity.birth_date, title: work.position }
grants:
  - { name: base, roles: [sales], data: [identity, commercial.source, technical.id], level: clear }
  - { name: cond, roles: [sales], data: work.position, level: clear, when: { record.lead_source: { equals: web } } }
caps:
  - { name: vip, data: identity.birth_date, level: redact, when: { record.lead_source: { equals: vip } } }
rows:
  - { name: there, modules: Contacts, keep_when: { record.last_name: { not_equals: Gone } } }
limits:
  - { name: bulk, roles: sales, count: records, max: 1/h, then: block }
";
    let suite = format!(
        "tests: t
people:
  s: {{ crm: {{ roles: [Sales], user: sally }} }}
records:
  a: {{ module: Contacts, fields: {{ id: c-1, last_name: A, lead_source: web, birthdate: \"1980-01-01\", title: CFO }} }}
  b: {{ module: Contacts, fields: {{ id: c-2, last_name: B, lead_source: vip, birthdate: \"1980-01-01\", title: CFO }} }}
  c: {{ module: Contacts, fields: {{ id: c-3, last_name: Gone, lead_source: web, birthdate: \"1980-01-01\", title: CFO }} }}
cases:
{cases}"
    );
    fs::write(policies.join("p.yaml"), policy).unwrap();
    fs::write(policies.join("tests/t.yaml"), suite).unwrap();
    dir
}

#[test]
fn persons_are_counted_as_records_tell_them_apart() {
    let dir = tempfile::tempdir().unwrap();
    let policies = dir.path().join("policies");
    fs::create_dir_all(policies.join("tests")).unwrap();
    let policy = "policy: t
roles:
  sales: { from: { crm.role: Sales }, default_purpose: selling }
purposes:
  selling: { legal_basis: contract, roles: [sales] }
people:
  Contacts: { kind: customer, email: email }
classify:
  Contacts: { last_name: identity.name, email: contact.email }
grants:
  - { name: base, roles: [sales], data: [identity, technical.id], level: clear }
limits:
  - { name: bulk, roles: sales, count: persons, max: 1/h, then: block }
";
    let suite = |email: &str| {
        format!(
            "tests: t
people:
  s: {{ crm: {{ roles: [Sales], user: sally }} }}
records:
  a: {{ module: Contacts, fields: {{ id: c-1, last_name: A, email: [ {{ email_address: a@example.com, primary_address: true }} ] }} }}
  b: {{ module: Contacts, fields: {{ id: c-2, last_name: B, email: [ {{ email_address: {email}, primary_address: true }} ] }} }}
cases:
  - {{ name: both, as: s, list: {{ module: Contacts }}, expect: {{ last_name: clear }} }}
"
        )
    };
    fs::write(policies.join("p.yaml"), policy).unwrap();
    for (email, code) in [("A@example.com", 0), ("b@example.com", 1)] {
        fs::write(policies.join("tests/t.yaml"), suite(email)).unwrap();
        let output = test_in(dir.path(), &["policies"]);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stdout));
    }
}

#[test]
fn what_one_case_is_shown_counts_for_no_other_one() {
    let dir = conditional(
        "  - { name: one, as: s, read: a, expect: { last_name: clear } }
  - { name: two, as: s, read: b, expect: { last_name: clear } }
  - { name: gone, as: s, read: c, expect: { absent: true } }
  - { name: three, as: s, read: a, expect: { last_name: clear } }
  - { name: both, as: s, list: { module: Contacts }, expect: { refused: limit-reached } }
",
    );
    let output = test_in(dir.path(), &["policies"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let there = conditional(
        "  - { name: one, as: s, read: a, expect: { absent: true } }
  - { name: all, as: s, list: { module: Contacts }, expect: { refused: limit-reached } }
",
    );
    let output = test_in(there.path(), &["policies"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("expected not to be there"));
}

#[test]
fn a_rule_is_exercised_by_the_records_for_which_it_holds() {
    let missed = |cases: &str| -> Value {
        // Every record is spoken of, and no other field.
        let others = "  - { name: a, as: s, read: a, expect: { last_name: clear } }
  - { name: b, as: s, read: b, expect: { last_name: clear } }
  - { name: gone, as: s, read: c, expect: { absent: true } }
";
        let dir = conditional(&format!("{cases}{others}"));
        let output = test_in(dir.path(), &["--coverage", "--format", "json", "policies"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        json!([
            report["coverage"]["grants"]["missed"],
            report["coverage"]["caps"]["missed"]
        ])
    };
    let web =
        missed("  - { name: web, as: s, read: a, expect: { birthdate: clear, title: clear } }\n");
    assert!(!web.to_string().contains("cond"), "{web}");
    assert!(web.to_string().contains("vip"), "{web}");
    let vip =
        missed("  - { name: vip, as: s, read: b, expect: { birthdate: redact, title: redact } }\n");
    assert!(vip.to_string().contains("cond"), "{vip}");
    assert!(!vip.to_string().contains("vip"), "{vip}");
}

#[test]
fn the_policy_of_each_example_is_tested_through_its_configuration() {
    let copy = tempfile::tempdir().unwrap();
    for part in ["examples", "policies"] {
        super::examples::copy_tree(&root().join(part), &copy.path().join(part));
    }
    let mut seen = 0;
    for entry in fs::read_dir(copy.path().join("examples"))
        .unwrap()
        .flatten()
    {
        let config = entry.path().join("paravent.yaml");
        if !config.is_file() {
            continue;
        }
        for name in ["token.key", "service.pw"] {
            secret(
                &entry.path().join(name),
                b"0123456789abcdef0123456789abcdef",
            );
        }
        let output = run(&["test", "--config", config.to_str().unwrap()]);
        let told = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}: {told}",
            config.display()
        );
        seen += 1;
    }
    assert!(seen >= 5, "{seen}");
}

#[test]
fn the_suite_of_the_documentation_is_the_shipped_one_and_passes_as_it_says() {
    let document = document();
    let section = document.split("\n## A suite\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = blocks(section);
    let suite = root().join("policies/starter/tests/starter.yaml");
    assert_eq!(blocks[0].1, fs::read_to_string(suite).unwrap());
    let dir = copy_of("policies/starter");
    let output = test_in(dir.path(), &["--coverage"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = format!("$ paravent test --coverage\n{}", text(&output.stdout));
    assert_eq!(blocks[1].1, shown);
}

#[test]
fn each_broken_policy_of_the_documentation_fails_with_its_words() {
    let document = document();
    let section = document
        .split("\n## When a policy is broken\n")
        .nth(1)
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut seen = 0;
    for pair in blocks(section).chunks(2) {
        let [(kind, difference), (_, expected)] = pair else {
            panic!("a difference without its output");
        };
        assert_eq!(kind, "diff policy");
        let dir = copy_of("policies/starter");
        let path = dir.path().join("policies/starter.yaml");
        let policy = fs::read_to_string(&path).unwrap();
        fs::write(&path, changed(&policy, difference)).unwrap();
        let output = test_in(dir.path(), &[]);
        assert_eq!(output.status.code(), Some(1), "{difference}");
        assert_eq!(
            of_failures(&text(&output.stdout)),
            *expected,
            "{difference}"
        );
        seen += 1;
    }
    assert!(seen >= 8, "{seen}");
}

/// The report that the documentation shows is that of its second broken policy.
#[test]
fn the_report_of_the_documentation_is_what_servers_get() {
    let document = document();
    let blocks = blocks(&document);
    let of_policies: Vec<&String> = blocks
        .iter()
        .filter(|(kind, _)| kind == "diff policy")
        .map(|(_, difference)| difference)
        .collect();
    let dir = copy_of("policies/starter");
    let path = dir.path().join("policies/starter.yaml");
    let policy = fs::read_to_string(&path).unwrap();
    fs::write(&path, changed(&policy, of_policies[1])).unwrap();
    let name = "staff may not claim payment";
    let output = test_in(dir.path(), &["--format", "junit", "--only", name]);
    let (_, shown) = blocks.iter().find(|(kind, _)| kind == "xml").unwrap();
    assert_eq!(text(&output.stdout), *shown);
}

#[test]
fn each_broken_suite_of_the_documentation_is_told_in_its_words() {
    let document = document();
    let section = document
        .split("\n## When a suite is broken\n")
        .nth(1)
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut codes = std::collections::BTreeSet::new();
    for pair in blocks(section).chunks(2) {
        let [(kind, change), (_, expected)] = pair else {
            panic!("a change without its output");
        };
        let dir = copy_of("policies/starter");
        let tests = dir.path().join("policies/tests");
        match kind.strip_prefix("yaml suite ") {
            Some(name) => fs::write(tests.join(name), change).unwrap(),
            None => {
                let path = tests.join("starter.yaml");
                let suite = fs::read_to_string(&path).unwrap();
                fs::write(&path, changed(&suite, change)).unwrap();
            }
        }
        let output = test_in(dir.path(), &[]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{change}");
        assert_eq!(
            told,
            format!("{expected}\n1 errors, 0 warnings; no test was run\n"),
            "{change}"
        );
        codes.extend(expected.lines().filter_map(|line| {
            let code = line.strip_prefix("error[")?.split(']').next()?;
            Some(code.to_owned())
        }));
    }
    // Every code has its example, but for those of a proxy that takes a policy only if its tests pass, and for T030, whose
    // policy is valid for so many days only.
    let codes_of_suites = paravent::workbench::suite::codes::CODES.iter();
    for (code, _) in codes_of_suites.filter(|(code, _)| *code < "T030") {
        assert!(codes.contains(*code), "no example of {code}");
    }
}

#[test]
fn every_mistake_is_told_in_one_pass() {
    let dir = copy_of("policies/starter");
    let path = dir.path().join("policies/tests/starter.yaml");
    let mut suite = fs::read_to_string(&path).unwrap();
    for (old, new) in [
        (
            "as: farid, read: jeanne, expect",
            "as: fraid, read: jeane, expect",
        ),
        ("first_name: clear, title", "first_name: claer, title"),
        ("for: payment, read", "for: paymnt, read"),
        ("roles: finance }", "roles: finances }"),
        ("nobody: {", "nobody: &n {"),
    ] {
        assert!(suite.contains(old), "{old}");
        suite = suite.replacen(old, new, 1);
    }
    fs::write(&path, suite).unwrap();
    let output = test_in(dir.path(), &["--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told = report["diagnostics"].as_array().unwrap().iter();
    let mut codes: Vec<&str> = told.map(|one| one["code"].as_str().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        codes,
        ["T007", "T008", "T011", "T012", "Y003", "Y013"],
        "{report:#}"
    );
}

#[test]
fn no_tests_are_never_a_pass() {
    let dir = copy_of("policies/starter");
    let tests = dir.path().join("policies/tests");
    let told = |arguments: &[&str]| {
        let output = test_in(dir.path(), arguments);
        (output.status.code(), text(&output.stderr))
    };
    let (code, words) = told(&["--only", "nothing of this name"]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("no suite, case or `always` is called `nothing of this name`"));
    let (code, words) = told(&["elsewhere"]);
    assert_eq!(code, Some(2), "{words}");
    fs::remove_file(tests.join("starter.yaml")).unwrap();
    let nothing = "error: no tests in `policies/tests`: write a suite:";
    let (code, words) = told(&[]);
    assert!(code == Some(2) && words.starts_with(nothing), "{words}");
    fs::remove_dir(&tests).unwrap();
    let (code, words) = told(&[]);
    assert!(code == Some(2) && words.starts_with(nothing), "{words}");
    // What is not read beside suites is told, like beside policies.
    fs::create_dir_all(tests.join("more")).unwrap();
    fs::write(tests.join("a.yaml.txt"), "tests: starter\n").unwrap();
    let (code, words) = told(&[]);
    assert_eq!(code, Some(1), "{words}");
    for stray in [
        "`policies/tests/a.yaml.txt` is a file",
        "`policies/tests/more` is a folder",
    ] {
        assert!(words.contains(stray), "{words}");
    }
}

#[test]
fn one_case_or_promise_can_be_run_alone() {
    let ran = |name: &str| {
        let output = test_in(
            root(),
            &["policies/starter", "--only", name, "--format", "json"],
        );
        assert_eq!(output.status.code(), Some(0));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        ["cases", "always"].map(|kind| report[kind].as_array().unwrap().len())
    };
    assert_eq!(ran("no looking for an IBAN"), [1, 0]);
    assert_eq!(ran("nor used or written"), [0, 1]);
    assert_eq!(ran("starter"), [13, 7]);
}

#[test]
fn scripts_and_servers_read_what_failed() {
    let dir = copy_of("policies/starter");
    let path = dir.path().join("policies/starter.yaml");
    let policy = fs::read_to_string(&path).unwrap();
    let broken = policy.replace("roles: finance, purposes: payment,", "roles: finance,");
    assert_ne!(policy, broken);
    fs::write(&path, broken).unwrap();
    let suite = dir.path().join("policies/tests/starter.yaml");
    let odd = fs::read_to_string(&suite).unwrap();
    let odd = odd.replace("finance sees it for payment alone", "a <b> & \\\"c\\\"");
    fs::write(
        &suite,
        odd.replace("name: a <b> & \\\"c\\\"", "name: \"a <b> & \\\"c\\\"\""),
    )
    .unwrap();

    let output = test_in(dir.path(), &["--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let failed = |kind: &str| -> Vec<Value> {
        let all = report[kind].as_array().unwrap().iter();
        all.filter(|one| one["result"] == "failed")
            .cloned()
            .collect()
    };
    assert_eq!(
        failed("cases"),
        [json!({
            "suite": "starter",
            "name": "a <b> & \"c\"",
            "result": "failed",
            "why": [
                "iban_c: expected mask, was clear: \"FR7630006000011234567890189\"",
                "  because  grant iban-for-payment (policies/starter.yaml:67)",
            ],
        })]
    );
    let [promise] = failed("always").try_into().unwrap();
    assert_eq!(
        promise["counterexample"],
        json!({
            "roles": ["finance"], "purpose": "customer-care", "auth": [], "when": [], "category": "financial.iban",
            "field": null, "how": "shown", "level": "clear", "by": ["iban-for-payment"],
        })
    );

    let output = test_in(dir.path(), &["--format", "junit"]);
    let xml = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"starter\" tests=\"20\" failures=\"2\">"), "{xml}");
    assert!(xml.contains("name=\"a &lt;b&gt; &amp; &quot;c&quot;\" file=\"policies/tests/starter.yaml\" line=\"35\""), "{xml}");
    assert_eq!(xml.matches("<failure ").count(), 2);
    assert_eq!(xml.matches("<testcase ").count(), 20);
}

/// Holes that the suite of SugarCRM's policy must find, and by which case or promise it does.
#[test]
fn holes_in_the_policy_of_sugarcrm_are_found() {
    let holes = [
        (
            "    requires: { auth: strong }\n    ask: step-up\n",
            "",
            "no clear IBAN without strong authentication",
        ),
        (
            "    purposes: payment\n    data: [financial.iban, financial.bic]\n",
            "    data: [financial.iban, financial.bic]\n",
            "accounts are clear for payment and for the person alone",
        ),
        (
            "data: [financial.iban, financial.bic, financial.card]\n    level: mask",
            "data: [financial.iban, financial.bic, financial.card]\n    level: clear",
            "cards are never clear",
        ),
        (
            "roles: [sales, support, finance, finance-by-token, dpo]\n    data: [financial",
            "roles: [sales, support, finance, finance-by-token, dpo, marketing]\n    data: [financial",
            "marketing never sees bank data",
        ),
        (
            "    data: identity.national_id\n    level: redact\n",
            "    data: identity.civility\n    level: redact\n",
            "national identifiers are never shown",
        ),
        (
            "    roles: sales\n    purposes: contract\n    data: identity.birth_date\n    level: mask",
            "    roles: sales\n    purposes: contract\n    data: identity.birth_date\n    level: clear",
            "birth dates are clear for the person alone",
        ),
        (
            "data: work.colleague\n    level: clear",
            "data: [work.colleague, colleague]\n    level: clear",
            "private data of colleagues is nobody's",
        ),
        (
            "data: work.colleague\n    level: clear\n    write: deny",
            "data: work.colleague\n    level: clear\n    write: allow",
            "colleagues are not changed here",
        ),
        (
            "    level: clear\n    write: deny\n\n  # To rectify",
            "    level: clear\n    write: allow\n\n  # To rectify",
            "marketing writes nothing",
        ),
        (
            "data: [identity.name, work.organisation, financial.iban, financial.bic]\n    requires",
            "data: [identity.name, contact, work.organisation, financial.iban, financial.bic]\n    requires",
            "the ERP sees accounts and names alone",
        ),
        (
            "find: [iban, card, nir] }",
            "find: [card, nir] }",
            "sales reads a contact",
        ),
        (
            "roles: [finance, finance-by-token, erp]",
            "roles: [finance, finance-by-token, erp, sales]",
            "sales may not claim payment",
        ),
    ];
    for (old, new, name) in holes {
        let dir = copy_of("policies/sugarcrm");
        let path = dir.path().join("policies/rules.yaml");
        let rules = fs::read_to_string(&path).unwrap();
        assert!(rules.contains(old), "{old}");
        fs::write(&path, rules.replacen(old, new, 1)).unwrap();
        let output = test_in(dir.path(), &[]);
        let told = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{old}\n{told}");
        assert!(told.contains(&format!("FAILED  {name}  ")), "{old}\n{told}");
    }
}
