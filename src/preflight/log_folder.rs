//! Whether the access log, and the state beside it, can be written where the configuration wants them.

use std::path::{Path, PathBuf};

use crate::audit;
use crate::config::{Config, codes};
use crate::diagnostic::{Diagnostic, Diagnostics, Spanned, quoted};

pub(super) fn look(config: &Config, running: bool, found: &mut Diagnostics) {
    let (log, state) = (&config.audit.dir, &config.state);
    let is_good = is_writable(log, "the access log", found);
    // The state lies beside the log unless the configuration says where: then what is wrong with both is told once.
    if (is_good || state.place != log.place) && is_writable(state, "the state", found) && !running {
        // Whoever writes the log keeps its head as well.
        let is_kept = audit::is_being_kept(&state.value);
        if is_kept && !audit::is_being_written(&log.value) {
            let name = quoted(&state.value.display().to_string());
            let title = format!("the state in {name} is in use by another process");
            let problem = Diagnostic::error(codes::AUDIT_UNUSABLE, title);
            found.push(
                problem
                    .at(&state.place, "one process keeps one state")
                    .help("stop it, or give each its own `state.dir`"),
            );
        }
    }
    if is_good {
        look_at_log(log, running, found);
    }
}

/// Whether a folder can be written; else why not is reported.
fn is_writable(dir: &Spanned<PathBuf>, what: &str, found: &mut Diagnostics) -> bool {
    let Err(problem) = writable(&dir.value) else {
        return true;
    };
    let name = quoted(&dir.value.display().to_string());
    let title = format!("{what} cannot be written in {name}");
    let unusable = Diagnostic::error(codes::AUDIT_UNUSABLE, title);
    found.push(unusable.at(&dir.place, problem.label).help(problem.help));
    false
}

fn look_at_log(dir: &Spanned<PathBuf>, running: bool, found: &mut Diagnostics) {
    let name = quoted(&dir.value.display().to_string());
    let bad = |title: String, label: &str| {
        Diagnostic::error(codes::AUDIT_UNUSABLE, title).at(&dir.place, label)
    };
    if !running && audit::is_being_written(&dir.value) {
        let title = format!("another process writes the access log in {name}");
        found.push(bad(title, "one process writes one log").help(
            "stop it, or give each its own `audit.dir` and `audit.node`; beside a running proxy use `--running`",
        ));
    }
    let Some(left) = bytes_left(&dir.value) else {
        return;
    };
    let title = format!("{} MiB are left for the access log in {name}", left >> 20);
    if left < BYTES_NEEDED {
        found.push(bad(title, "nothing is disclosed that cannot be recorded").help(FREE_SOME));
    } else if left < BYTES_WANTED {
        let warning = Diagnostic::warning(codes::LITTLE_SPACE, title);
        found.push(
            warning
                .at(
                    &dir.place,
                    "less than 1 GiB: when none is left, every request is refused",
                )
                .help(FREE_SOME),
        );
    }
}

const FREE_SOME: &str = "free some space, or name a folder on a larger disk";
/// Without that much not even the beginning of a log finds a place.
const BYTES_NEEDED: u64 = 256 << 10;
const BYTES_WANTED: u64 = 1 << 30;

pub(super) struct Unwritable {
    pub(super) label: String,
    pub(super) help: String,
}

/// Whether the folder can be written, or made.
pub(super) fn writable(dir: &Path) -> Result<(), Unwritable> {
    let nearest = nearest(dir);
    let shown = quoted(&nearest.display().to_string());
    if !nearest.is_dir() {
        return Err(Unwritable {
            label: format!("{shown} is not a folder"),
            help: "name a folder; it is made if it is missing".to_owned(),
        });
    }
    may_write(&nearest).map_err(|error| Unwritable {
        label: format!("{shown}: {}", error.kind()),
        help: format!("let the account that runs this write in {shown}"),
    })
}

/// The folder itself, or the nearest above it that is there.
fn nearest(dir: &Path) -> PathBuf {
    let there = |path: &&Path| !path.as_os_str().is_empty() && path.symlink_metadata().is_ok();
    dir.ancestors()
        .find(there)
        .map_or_else(|| PathBuf::from("."), Path::to_owned)
}

#[cfg(unix)]
fn may_write(dir: &Path) -> std::io::Result<()> {
    use rustix::fs::{Access, access};
    Ok(access(dir, Access::WRITE_OK | Access::EXEC_OK)?)
}

#[cfg(not(unix))]
fn may_write(dir: &Path) -> std::io::Result<()> {
    std::fs::metadata(dir).map(|_| ())
}

/// Bytes that an ordinary account may still write there.
#[cfg(unix)]
fn bytes_left(dir: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(nearest(dir)).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(not(unix))]
fn bytes_left(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_missing_is_made_where_its_nearest_is_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(writable(folder.path()).is_ok());
        assert!(writable(&folder.path().join("a/b/c")).is_ok());
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        for bad in [file.clone(), file.join("audit")] {
            assert!(writable(&bad).is_err_and(|bad| bad.label.contains("not a folder")));
        }
        assert!(bytes_left(&folder.path().join("a/b")).is_some_and(|left| left > 0));
        assert_eq!(nearest(Path::new("no-such-folder/b")), Path::new("."));
    }
}
