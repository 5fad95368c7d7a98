//! The real binary, as somebody would start it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// `paravent demo` at work; killed when dropped.
pub struct Demo {
    pub child: Child,
    pub proxy: SocketAddr,
    pub admin: SocketAddr,
    pub crm: SocketAddr,
    pub tokens: SocketAddr,
    pub portal: SocketAddr,
    /// The configuration of it.
    pub config: PathBuf,
    /// What it printed before the `ready` line.
    pub greeting: String,
}

/// The binary with arguments, without colour.
pub fn paravent(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paravent"));
    command
        .args(arguments)
        .env("NO_COLOR", "1")
        .env_remove("PARAVENT_LOG");
    command
}

/// Writes a secret as it should lie: its owner's alone.
pub fn secret(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Runs the binary to its end.
pub fn run(arguments: &[&str]) -> Output {
    paravent(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Runs the binary where it should refuse to start; if it goes on, it is ended after a while.
pub fn refused(arguments: &[&str]) -> Output {
    let mut child = paravent(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    child.wait_with_output().unwrap()
}

/// The words that start the demo on free ports.
pub fn demo_words(dir: &str) -> [&str; 9] {
    [
        "demo",
        "--port",
        "0",
        "--admin-port",
        "0",
        "--crm-port",
        "0",
        "--data",
        dir,
    ]
}

impl Demo {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Starts the demo on free ports and waits until it is ready.
    pub fn start(dir: &Path) -> Self {
        Self::start_with(dir, |command| command)
    }

    /// The same, by another command that starts it.
    pub fn start_with(dir: &Path, by: impl FnOnce(Command) -> Command) -> Self {
        let dir = dir.to_str().unwrap();
        #[allow(clippy::zombie_processes, reason = "`Drop` waits for it")]
        let mut child = by(paravent(&demo_words(dir)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut greeting = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        loop {
            let mut line = String::new();
            assert!(
                lines.read_line(&mut line).unwrap() > 0,
                "the demo ended before it was ready: {greeting}"
            );
            if let Some(ready) = line.strip_prefix("ready ") {
                let ready: Value = serde_json::from_str(ready).unwrap();
                let address = |name: &str| {
                    ready[name]
                        .as_str()
                        .unwrap()
                        .strip_prefix("http://")
                        .unwrap()
                        .parse()
                        .unwrap()
                };
                let (proxy, admin, crm) = (address("proxy"), address("admin"), address("crm"));
                let (tokens, portal) = (address("tokens"), address("portal"));
                let config = PathBuf::from(ready["config"].as_str().unwrap());
                // Nothing else is printed; the pipe stays open so that printing could not fail.
                std::thread::spawn(move || drop(lines.read_to_end(&mut Vec::new())));
                return Self {
                    child,
                    proxy,
                    admin,
                    crm,
                    tokens,
                    portal,
                    config,
                    greeting,
                };
            }
            greeting.push_str(&line);
        }
    }

    /// Asks it to stop, as Ctrl-C does, and waits; the exit code.
    pub fn interrupt(mut self) -> Option<i32> {
        assert!(
            Command::new("kill")
                .args(["-INT", &self.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
