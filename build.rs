//! Tells the program from what it is built: the commit, if there is one to be found, and how; and reads the lexicon, so that
//! a line with a mistake is an error of the build.

use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, exit};

#[path = "src/detect/statement/lines.rs"]
mod lines;

fn main() {
    if let Err(mistake) = lexicon() {
        println!("cargo::error={mistake}");
        exit(1);
    }
    let mut detectors = 0xcbf2_9ce4_8422_2325;
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
            for byte in std::fs::read(&path).unwrap_or_default() {
                *sum = (*sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
}

/// Reads the files of the lexicon. An error names the file, the line, the cause and the fix.
fn lexicon() -> Result<(), String> {
    let of_language = lines::LANGUAGES.iter().flat_map(|language| {
        [
            (format!("{language}.tsv"), false),
            (format!("context-{language}.tsv"), true),
        ]
    });
    for (name, is_context) in of_language.chain([("common.tsv".to_owned(), true)]) {
        let path = format!("lexicon/{name}");
        println!("cargo:rerun-if-changed={path}");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let read =
            lines::read(&text, is_context).map_err(|mistake| format!("{path}: {mistake}"))?;
        let mut seen = HashSet::new();
        for line in read {
            if !seen.insert((line.language, line.phrase.to_lowercase(), line.of)) {
                return Err(format!(
                    "{path}: `{}` stands there twice: leave one out",
                    line.phrase
                ));
            }
        }
    }
    Ok(())
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
