//! Tells the program from what it is built: the commit, if there is one to be found, and how; and reads the lexicon, so that
//! a line with a mistake is an error of the build. What texts are compared with is written into tables.

use std::path::Path;
use std::process::{Command, exit};

use detect::statement::tables;

/// The part of the detectors that makes and reads the tables.
#[path = "src/detect"]
#[allow(dead_code, reason = "the program reads what is written here")]
mod detect {
    mod ignorable;
    use ignorable::is_ignorable;

    pub(crate) mod statement {
        mod entry;
        mod fold;
        mod hash;
        mod layout;
        mod lines;
        mod names;
        pub(crate) mod tables;
    }
}

fn main() {
    let mut detectors = 0xcbf2_9ce4_8422_2325;
    if let Err(mistake) = lexicon(&mut detectors) {
        println!("cargo::error={mistake}");
        exit(1);
    }
    hash(Path::new("src/detect"), &mut detectors);
    println!("cargo:rustc-env=PARAVENT_DETECTORS={detectors:016x}");
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

/// Adds the files of a folder, in the order of their names, to a hash (FNV-1a).
fn hash(folder: &Path, sum: &mut u64) {
    println!("cargo:rerun-if-changed={}", folder.display());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash(&path, sum);
        } else if !path.ends_with("tests.rs") {
            add(&std::fs::read(&path).unwrap_or_default(), sum);
        }
    }
}

fn add(bytes: &[u8], sum: &mut u64) {
    for byte in bytes {
        *sum = (*sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
}

/// Reads the files of the lexicon, adds them to a hash, and writes the tables. An error names the file, the line, the cause and
/// the fix.
fn lexicon(sum: &mut u64) -> Result<(), String> {
    let mut texts = Vec::new();
    for (name, is_context) in tables::files() {
        let path = format!("lexicon/{name}");
        let text = read(&path, sum)?;
        texts.push((path, text, is_context));
    }
    let weights = read("lexicon/weights.tsv", sum)?;
    let folder = std::env::var_os("OUT_DIR").ok_or("no OUT_DIR")?;
    for (name, bytes) in tables::of_files(&texts, &weights)? {
        let path = Path::new(&folder).join(name);
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn read(path: &str, sum: &mut u64) -> Result<String, String> {
    println!("cargo:rerun-if-changed={path}");
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    add(path.as_bytes(), sum);
    add(text.as_bytes(), sum);
    Ok(text)
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
        "lexicon",
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
