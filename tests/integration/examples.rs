//! What a newcomer copies: the examples, the demo beside them, and the command for a container.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::binary::run;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folders of the examples.
fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("examples")).unwrap().flatten();
    let folders: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.join("paravent.yaml").is_file())
        .collect();
    assert!(folders.len() >= 5);
    folders
}

/// The numbers behind each occurrence of a word.
fn numbers(text: &str, word: &str) -> BTreeSet<u16> {
    let after = text.split(word).skip(1);
    after
        .filter_map(|rest| {
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        })
        .collect()
}

#[test]
fn the_demo_runs_beside_any_example() {
    let help = run(&["demo", "--help"]);
    let demo = numbers(&String::from_utf8_lossy(&help.stdout), "[default: ");
    assert_eq!(demo.len(), 2, "the proxy's port and the admin port");
    for folder in examples() {
        let text = fs::read_to_string(folder.join("paravent.yaml")).unwrap();
        let ports = numbers(&text, "bind: \"127.0.0.1:");
        assert_eq!(ports.len(), 2, "{}", folder.display());
        assert!(demo.is_disjoint(&ports), "{}: {demo:?}", folder.display());
    }
}

#[test]
fn no_key_or_log_of_an_example_is_committed() {
    for folder in examples() {
        let ignored = fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
        for line in ["token.key", "audit/", "state/", "*.pem", "*.key"] {
            assert!(
                ignored.lines().any(|found| found == line),
                "{} does not ignore {line}",
                folder.display()
            );
        }
    }
}

/// Each example, with the secrets that its README asks for, has neither an error nor a warning.
#[test]
fn every_example_is_clean() {
    for folder in examples() {
        let copy = tempfile::tempdir().unwrap();
        for part in ["examples", "policies"] {
            copy_tree(&root().join(part), &copy.path().join(part));
        }
        let copied = copy
            .path()
            .join("examples")
            .join(folder.file_name().unwrap());
        let text = fs::read_to_string(copied.join("paravent.yaml")).unwrap();
        for file in ["token.key", "service.pw"] {
            let is_asked_for = text.contains(&format!("{{ file: {file} }}"));
            if is_asked_for {
                write_secret(&copied.join(file), "0123456789abcdef0123456789abcdef");
            }
        }
        // With what the comments say of signing the log, too.
        let signed = text
            .replace("# audit: [{", "audit: [{")
            .replace("# publish: [{", "publish: [{");
        assert_ne!(signed, text, "{}", folder.display());
        fs::write(copied.join("paravent.yaml"), signed).unwrap();
        fs::create_dir(copied.join("checkpoints")).unwrap();
        let made = run(&["audit", "keygen", "--out", copied.to_str().unwrap()]);
        assert_eq!(made.status.code(), Some(0));
        let config = copied.join("paravent.yaml");
        let output = run(&[
            "check",
            "--config",
            config.to_str().unwrap(),
            "--format",
            "json",
        ]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let told = (report["errors"].as_u64(), report["warnings"].as_u64());
        assert_eq!(told, (Some(0), Some(0)), "{}: {report}", folder.display());
        assert_eq!(output.status.code(), Some(0));
    }
}

pub fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy_tree(&path, &to),
            false => drop(fs::copy(&path, &to).unwrap()),
        }
    }
}

/// The command of the Dockerfile mounts all that the configuration names, publishes the port that it listens on, and
/// the configuration has no error.
#[test]
fn the_command_for_a_container_has_all_that_the_configuration_names() {
    let docker = fs::read_to_string(root().join("Dockerfile")).unwrap();
    let command = docker.split("docker run ").nth(1).unwrap();
    let command: String = command
        .lines()
        .map(|line| line.trim_start_matches('#').trim_end_matches('\\'))
        .take_while(|line| !line.is_empty())
        .collect();
    let words: Vec<&str> = command.split_whitespace().collect();
    let after = |option: &str| -> Vec<&str> {
        let pairs = words.windows(2).filter(|pair| pair[0] == option);
        pairs.map(|pair| pair[1]).collect()
    };
    assert_eq!(words.last(), Some(&"paravent"), "the image comes last");

    let folder = tempfile::tempdir().unwrap();
    let inside = |path: &str| folder.path().join(path.trim_start_matches('/'));
    let example = root().join("examples/sugarcrm/container.yaml");
    let text = fs::read_to_string(&example).unwrap();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for mount in after("-v") {
        let mut parts = mount.split(':');
        let (from, to) = (parts.next().unwrap(), parts.next().unwrap());
        fs::create_dir_all(inside(to).parent().unwrap()).unwrap();
        match from {
            "./container.yaml" => {
                // The one absolute path of the configuration lies in the volume.
                let moved = inside("/var/lib/paravent").display().to_string();
                fs::write(inside(to), text.replace("/var/lib/paravent", &moved)).unwrap();
            }
            "./policies" => {
                copy_tree(&root().join("policies/sugarcrm"), &inside(to));
            }
            "./token.key" => write_secret(&inside(to), "0123456789abcdef0123456789abcdef"),
            "./crm.key" => write_secret(&inside(to), &certified.signing_key.serialize_pem()),
            "./crm.pem" => fs::write(inside(to), certified.cert.pem()).unwrap(),
            "paravent-audit" => fs::create_dir(inside(to)).unwrap(),
            other => panic!("nobody knows what {other} is"),
        }
    }
    let config = inside("/etc/paravent/paravent.yaml");
    let output = run(&["check", "--config", config.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");

    let published: BTreeSet<u16> = after("-p")
        .iter()
        .filter_map(|port| port.rsplit(':').next()?.parse().ok())
        .collect();
    assert_eq!(published, numbers(&text, "bind: \"0.0.0.0:"));
}

fn write_secret(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
