//! Tells the program from what it is built: the commit, if there is one to be found, and how.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=PARAVENT_COMMIT");
    let given = std::env::var("PARAVENT_COMMIT").ok();
    let commit = given.filter(|commit| !commit.is_empty()).or_else(of_git);
    let word = |name| std::env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    println!(
        "cargo:rustc-env=PARAVENT_COMMIT={}",
        commit.as_deref().unwrap_or("unknown")
    );
    println!(
        "cargo:rustc-env=PARAVENT_BUILD={} {}",
        profile().unwrap_or_else(|| word("PROFILE")),
        word("TARGET")
    );
}

/// The profile's name, which cargo tells only by the folder that it builds in: `target/dist/build/paravent-…/out`.
fn profile() -> Option<String> {
    let out = std::env::var_os("OUT_DIR")?;
    let name = Path::new(&out).ancestors().nth(3)?.file_name()?;
    name.to_str().map(str::to_owned)
}

/// The commit of the repository whose root this is, marked if files differ from it. `None` without git, and in the
/// repository of somebody else who keeps a copy.
fn of_git() -> Option<String> {
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    let logged = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    for path in [
        logged.as_str(),
        "build.rs",
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "policies",
    ] {
        if Path::new(path).exists() {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&[
        "describe",
        "--always",
        "--abbrev=12",
        "--dirty=-modified",
        "--exclude=*",
    ])
}

/// What git answers.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}
