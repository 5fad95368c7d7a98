//! The walk of docs/workbench.md is as it says: each command in its order, and each answer to the letter.
//!
//! What stands here for what a reader sees: free ports for those of the page, `sha256:…` for a hash. Nothing else.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::absent::skipped;
use crate::harness::binary::{Demo, paravent};
use crate::harness::ports;

/// How long a running proxy may take to see a change: it looks every few seconds.
const SEEN_WITHIN: Duration = Duration::from_secs(30);

/// One thing that the page does.
#[derive(Debug)]
pub enum Step {
    /// A file is written.
    Write { path: String, text: String },
    /// A command is run, and answers.
    Run { command: String, answer: String },
    /// A program goes on in a terminal of its own.
    Start { command: String },
}

/// The steps of the page, in its order.
pub fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut before = "";
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            if !line.is_empty() {
                before = line;
            }
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match kind {
            "console" => steps.extend(dialogue(&block)),
            "sh" => steps.push(Step::Start {
                command: block.join("\n"),
            }),
            "yaml" => {
                let path = before.rsplit('`').nth(1).expect("the file is named before");
                steps.push(Step::Write {
                    path: path.to_owned(),
                    text: block.join("\n") + "\n",
                });
            }
            other => panic!("a block of {other}"),
        }
    }
    steps
}

/// Commands, which begin with `$ `, and what is answered to each.
fn dialogue(block: &[&str]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = block.iter();
    while let Some(line) = lines.next() {
        if let Some(command) = line.strip_prefix("$ ") {
            let mut command = command.to_owned();
            if command.ends_with("<<'EOF'") {
                for line in lines.by_ref() {
                    command.push('\n');
                    command.push_str(line);
                    if *line == "EOF" {
                        break;
                    }
                }
            }
            steps.push(Step::Run {
                command,
                answer: String::new(),
            });
        } else if let Some(Step::Run { answer, .. }) = steps.last_mut() {
            answer.push_str(line);
            answer.push('\n');
        } else {
            panic!("an answer without a command: {line}");
        }
    }
    steps
}

/// The ports of the page, and those that are free.
struct Ports(Vec<(&'static str, String)>);

impl Ports {
    fn new(crm: SocketAddr) -> Self {
        let (proxy, admin) = (ports::free(), ports::free());
        Self(vec![
            ("127.0.0.1:9000", crm.to_string()),
            ("127.0.0.1:8443", proxy.to_string()),
            ("127.0.0.1:9180", admin.to_string()),
        ])
    }

    fn real(&self, text: &str) -> String {
        let all = self.0.iter();
        all.fold(text.to_owned(), |text, (page, real)| {
            text.replace(page, real)
        })
    }

    fn of_page(&self, text: &str) -> String {
        let all = self.0.iter();
        all.fold(text.to_owned(), |text, (page, real)| {
            text.replace(real, page)
        })
    }
}

/// An answer as the page writes it: its ports, hashes cut, no blanks at the ends of lines.
fn as_written(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut line = line.trim_end().to_owned();
        let is_hex = |c: char| c.is_ascii_hexdigit();
        while let Some(at) = line.find("sha256:").filter(|at| {
            let hash = &line[at + 7..];
            hash.chars().take_while(|c| is_hex(*c)).count() == 64
        }) {
            line.replace_range(at + 7..at + 71, "…");
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn answer(command: &str, within: &Path, ports: &Ports) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_paravent")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .arg("-c")
        .arg(format!("{{ {}\n}} 2>&1", ports.real(command)))
        .current_dir(within)
        .env("PATH", format!("{}:{path}", binary.display()))
        .env("NO_COLOR", "1")
        .env_remove("PARAVENT_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    as_written(&ports.of_page(&String::from_utf8_lossy(&output.stdout)))
}

/// A proxy that runs; ended when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the proxy and waits until it answers. Its configuration takes free ports first.
fn serve(command: &str, within: &Path, ports: &Ports) -> Running {
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let config = within.join(words.last().unwrap());
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, ports.real(&text)).unwrap();
    let child = paravent(&words)
        .current_dir(within)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    let deadline = Instant::now() + SEEN_WITHIN;
    while TcpStream::connect(&ports.0[1].1).is_err() {
        assert!(Instant::now() < deadline, "the proxy does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    running
}

#[test]
fn the_walk_of_the_workbench_is_as_it_says() {
    let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !is_there("curl") {
        skipped("curl is not installed");
        return;
    }
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/workbench.md"));
    let steps = steps(&page.unwrap());
    assert!(steps.len() > 15, "{}", steps.len());
    let dir = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path());
    let ports = Ports::new(demo.crm);
    let mut running = Vec::new();
    for step in steps {
        match step {
            Step::Write { path, text } => std::fs::write(dir.path().join(path), text).unwrap(),
            // The demo runs already.
            Step::Start { command } if command.starts_with("paravent demo") => {}
            Step::Start { command } => running.push(serve(&command, dir.path(), &ports)),
            Step::Run {
                command,
                answer: expected,
            } => {
                let deadline = Instant::now() + SEEN_WITHIN;
                let mut said = answer(&command, dir.path(), &ports);
                // What the proxy answers follows its policy, which it looks at every few seconds.
                while said != expected && command.starts_with("sh ask") && Instant::now() < deadline
                {
                    std::thread::sleep(Duration::from_millis(500));
                    said = answer(&command, dir.path(), &ports);
                }
                assert_eq!(said, expected, "$ {command}");
            }
        }
    }
    assert_eq!(running.len(), 1);
}

#[test]
fn a_page_is_read_as_it_is_written() {
    let page = "# T\n\n`a/b.yaml`:\n\n```yaml\nx: 1\n```\n\n```sh\nparavent serve --config c\n```\n\n```console\n$ cat > x <<'EOF'\na\nEOF\n$ cat x\na\n```\n";
    let steps = steps(page);
    assert!(
        matches!(&steps[0], Step::Write { path, text } if path == "a/b.yaml" && text == "x: 1\n")
    );
    assert!(matches!(&steps[1], Step::Start { command } if command == "paravent serve --config c"));
    assert!(
        matches!(&steps[2], Step::Run { command, answer } if command.ends_with("a\nEOF") && answer.is_empty())
    );
    assert!(
        matches!(&steps[3], Step::Run { command, answer } if command == "cat x" && answer == "a\n")
    );
    let hash = "0".repeat(64);
    assert_eq!(
        as_written(&format!("sha256:{hash}  1 note \n")),
        "sha256:…  1 note\n"
    );
}
