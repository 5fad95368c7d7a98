//! `paravent diff` and `paravent matrix`, as somebody would use them; and that the documentation shows what they print.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::absent::skipped;
use crate::harness::binary::{paravent, run};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// A folder with the shipped policy in `old`, and with the changes of the documentation in `new`.
fn changed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(&root().join("policies/sugarcrm"), &dir.path().join("old"));
    copy(&root().join("policies/sugarcrm"), &dir.path().join("new"));
    let rules = dir.path().join("new/rules.yaml");
    let old = fs::read_to_string(&rules).unwrap();
    let new = old
        .replace(
            "contact.email, commercial.source",
            "contact, commercial.source",
        )
        .replacen("    requires: { auth: strong }\n    ask: step-up\n", "", 1);
    assert_eq!(
        old.len() - new.len(),
        ".email    requires: { auth: strong }\n    ask: step-up\n".len()
    );
    fs::write(rules, new).unwrap();
    dir
}

fn in_folder(dir: &Path, arguments: &[&str]) -> Output {
    paravent(arguments).current_dir(dir).output().unwrap()
}

#[test]
fn a_diff_is_what_its_page_shows_and_lines_can_be_accepted() {
    let dir = changed();
    let output = in_folder(dir.path(), &["diff", "old", "new"]);
    let printed = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{printed}{}",
        text(&output.stderr)
    );
    let page = fs::read_to_string(root().join("docs/workbench/diff.md")).unwrap();
    assert!(
        page.contains(&printed),
        "docs/workbench/diff.md does not show:\n{printed}"
    );
    let lines = printed.lines().filter(|line| line.contains(" -> "));
    let mut arguments = vec!["diff", "old", "new"];
    for line in lines {
        arguments.extend(["--accept", line]);
    }
    let output = in_folder(dir.path(), &arguments);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    arguments.extend(["--accept", "contact.fax  sales, contract  redact -> clear"]);
    let output = in_folder(dir.path(), &arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("contact.fax"),
        "{}",
        text(&output.stderr)
    );
    let back = in_folder(dir.path(), &["diff", "new", "old", "--format", "json"]);
    assert_eq!(back.status.code(), Some(0), "{}", text(&back.stdout));
    let back: Value = serde_json::from_slice(&back.stdout).unwrap();
    assert!(
        back["more"].as_array().unwrap().is_empty() && !back["less"].as_array().unwrap().is_empty()
    );
    let same = in_folder(dir.path(), &["diff", "old", "old"]);
    assert_eq!(
        (
            same.status.code(),
            text(&same.stdout).starts_with("no difference")
        ),
        (Some(0), true)
    );
}

fn git(dir: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?} {}",
        text(&output.stderr)
    );
}

#[test]
fn revisions_are_read_from_the_repository_around_the_folder() {
    if Command::new("git").arg("--version").output().is_err() {
        skipped("git is not installed");
        return;
    }
    let dir = changed();
    git(dir.path(), &["init", "-q"]);
    git(dir.path(), &["add", "old"]);
    git(dir.path(), &["commit", "-qm", "one"]);
    fs::remove_dir_all(dir.path().join("old")).unwrap();
    let output = in_folder(dir.path(), &["diff", "HEAD:old/", "new"]);
    let printed = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{printed}{}",
        text(&output.stderr)
    );
    assert!(printed.contains("(HEAD:old/rules.yaml:168)"), "{printed}");
    // From a folder below, and from here.
    let below = in_folder(
        &dir.path().join("new"),
        &["diff", "HEAD:../old", "HEAD:old"],
    );
    assert_eq!(below.status.code(), Some(0), "{}", text(&below.stderr));
    for (name, part) in [
        ("nope:old", "git knows no revision `nope`"),
        (
            "HEAD:nope",
            "there is no folder `nope` in the revision `HEAD`",
        ),
        ("HEAD:old/rules.yaml", "there is no folder"),
        ("--output=x:old", "git knows no revision `--output=x`"),
        ("nowhere", "no such folder: `nowhere`"),
    ] {
        let output = in_folder(dir.path(), &["diff", "--", name, "new"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains(part), "{name}: {said}");
    }
    assert!(!dir.path().join("x:old").exists() && !dir.path().join("x").exists());
    let without = paravent(&["diff", "HEAD:old", "new"])
        .current_dir(dir.path())
        .env("PATH", "/nonexistent")
        .output()
        .unwrap();
    assert_eq!(without.status.code(), Some(2));
    assert!(
        text(&without.stderr).contains("`git` is needed"),
        "{}",
        text(&without.stderr)
    );
    // What may not lie in a policy folder may not lie in one of a revision.
    fs::write(dir.path().join("new/caps.yml.txt"), "").unwrap();
    git(dir.path(), &["add", "new"]);
    git(dir.path(), &["commit", "-qm", "two"]);
    let stray = in_folder(dir.path(), &["diff", "HEAD:old", "HEAD:new"]);
    assert_eq!(stray.status.code(), Some(2));
    assert!(
        text(&stray.stderr).contains("caps.yml.txt"),
        "{}",
        text(&stray.stderr)
    );
}

#[test]
fn a_matrix_is_what_its_page_shows() {
    let starter = root().join("policies/starter");
    let starter = starter.to_str().unwrap();
    let output = run(&["matrix", starter, "--only", "identity,financial"]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let page = fs::read_to_string(root().join("docs/workbench/matrix.md")).unwrap();
    // The last line holds the hash, which each change of the policy changes.
    let table: Vec<&str> = printed
        .lines()
        .take_while(|line| !line.starts_with("policy"))
        .collect();
    assert!(
        page.contains(&table.join("\n")),
        "docs/workbench/matrix.md does not show:\n{printed}"
    );
    let json = run(&["matrix", starter, "--format", "json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(json.as_array().unwrap().len() > 50);
    for format in ["csv", "markdown", "html"] {
        let output = run(&["matrix", starter, "--format", format, "--lang", "fr"]);
        assert_eq!(
            (output.status.code(), output.stdout.is_empty()),
            (Some(0), false),
            "{format}"
        );
    }
    let fields = run(&["matrix", starter, "--fields", "Contacts"]);
    assert!(
        text(&fields.stdout).contains("first_name"),
        "{}",
        text(&fields.stderr)
    );
    for arguments in [["--fields", "Contact"], ["--only", "financal"]] {
        let output = run(&["matrix", starter, arguments[0], arguments[1]]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            text(&output.stderr).contains("did you mean")
                || text(&output.stderr).contains("has no category"),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn a_log_that_is_not_what_was_written_is_told() {
    let dir = changed();
    let log = dir.path().join("log");
    fs::create_dir(&log).unwrap();
    let replay = |dir: &Path| in_folder(dir, &["diff", "old", "new", "--replay", "log"]);
    let none = replay(dir.path());
    assert_eq!(none.status.code(), Some(2));
    assert!(
        text(&none.stderr).contains("holds no access log"),
        "{}",
        text(&none.stderr)
    );
    fs::write(log.join("audit-0000000000000001.jsonl"), "{\"seq\":1}\n").unwrap();
    let broken = replay(dir.path());
    assert_eq!(broken.status.code(), Some(2));
    assert!(
        text(&broken.stderr).contains("the log is not what was written"),
        "{}",
        text(&broken.stderr)
    );
}
