//! The dialogue in the README works word for word.

use std::process::{Command, Stdio};

use crate::harness::absent::skipped;
use crate::harness::binary::Demo;

/// The shell blocks of the README's dialogue: each command is followed by what its output must contain, in `#>` lines.
fn dialogue() -> Vec<(String, Vec<String>)> {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let section = readme
        .split("<!-- dialogue -->")
        .nth(1)
        .expect("the README has a dialogue");
    let mut steps: Vec<(String, Vec<String>)> = Vec::new();
    for block in section.split("```sh\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            if let Some(expected) = line.strip_prefix("#> ") {
                steps
                    .last_mut()
                    .expect("a command stands first")
                    .1
                    .push(expected.to_owned());
            } else if !line.trim().is_empty() && !line.starts_with("# ") {
                match steps.last_mut() {
                    Some((command, expected)) if expected.is_empty() && command.ends_with('\\') => {
                        command.truncate(command.len() - 1);
                        command.push_str(line.trim_start());
                    }
                    _ => steps.push((line.to_owned(), Vec::new())),
                }
            }
        }
    }
    steps
}

#[test]
fn the_dialogue_with_plain_curl_works_word_for_word() {
    if Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        skipped("curl is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path());
    let steps = dialogue();
    assert!(steps.len() >= 10);
    let mut script = String::from("set -u\n");
    for (n, (command, _)) in steps.iter().enumerate() {
        let command = command.replace("localhost:8080", &demo.proxy.to_string());
        script.push_str(&format!("echo '@@{n}'\n{command}\necho\n"));
    }
    let output = Command::new("bash")
        .arg("-c")
        .arg(&script)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for (n, (command, expected)) in steps.iter().enumerate() {
        let part = said
            .split(&format!("@@{n}\n"))
            .nth(1)
            .unwrap_or_default()
            .split("\n@@")
            .next()
            .unwrap();
        for words in expected {
            assert!(
                part.contains(words),
                "`{command}` did not say `{words}` but:\n{part}"
            );
        }
    }
}
