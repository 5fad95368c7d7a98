//! Whether checkpoints of the access log are signed and published, and with keys that are some.

use std::path::Path;

use crate::audit::SigningKeys;
use crate::config::{Config, PublishTo, Secret, codes};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};

/// What is wrong with the keys that sign, and with where checkpoints go.
pub fn signing(config: &Config) -> Diagnostics {
    let mut found = Diagnostics::new();
    let keys = config.audit_keys();
    for (place, key) in keys.iter().enumerate() {
        let is_twice = keys[..place].iter().any(|one| one.bytes() == key.bytes());
        let label = match SigningKeys::read(std::iter::once(key.bytes())) {
            Err(error) => error.to_string(),
            Ok(_) if is_twice => "stands here already".to_owned(),
            Ok(_) => continue,
        };
        let title = "a key that signs checkpoints cannot be used";
        let at = key
            .file()
            .map_or_else(|| config.keys_place(), |file| &file.place);
        found.push(
            Diagnostic::error(codes::BAD_KEY, title)
                .at(at, label)
                .help("make one with `paravent audit keygen --out DIR`, and name its `audit.key`"),
        );
    }
    for file in keys.iter().filter_map(Secret::file) {
        if lies_in(&file.value, &config.audit.dir.value) {
            let title = "a key that signs checkpoints lies in the folder of the access log";
            found.push(
                Diagnostic::error(codes::BAD_KEY, title)
                    .at(&file.place, "who is given the log to read must not get it")
                    .help("move it elsewhere, and name it there; if others could read it, make a new one"),
            );
        }
    }
    for one in &config.audit.publish {
        if let PublishTo::Folder(folder) = &one.to
            && !folder.value.is_dir()
        {
            let name = quoted(&folder.value.display().to_string());
            let title = format!("there is no folder {name} for checkpoints");
            found.push(
                Diagnostic::warning(codes::UNSIGNED, title)
                    .at(
                        &folder.place,
                        "nothing is published as long as it is missing",
                    )
                    .help("make it, or mount what it stands for: it is never made by itself"),
            );
        }
    }
    unsigned(config, keys)
        .into_iter()
        .for_each(|one| found.push(one));
    found
}

/// Whether a file is in a folder, or in one in it.
fn lies_in(file: &Path, dir: &Path) -> bool {
    let real = file.canonicalize().ok().zip(dir.canonicalize().ok());
    real.is_some_and(|(file, dir)| file.starts_with(dir))
}

fn unsigned(config: &Config, keys: &[Secret]) -> Option<Diagnostic> {
    let warning = |title, at, label, help| {
        let warning = Diagnostic::warning(codes::UNSIGNED, title);
        Some(warning.at(at, label).help(help))
    };
    if keys.is_empty() {
        return warning(
            "checkpoints of the access log are not signed",
            config.keys_place(),
            "`audit` is missing: who can write the log can write all of it anew, and nobody can tell",
            "make a key with `paravent audit keygen --out DIR`, and say `keys: { audit: [{ file: audit.key }], … }`",
        );
    }
    config.audit.publish.is_empty().then_some(())?;
    warning(
        "checkpoints of the access log are published nowhere",
        &config.audit.dir.place,
        "they lie in the log's own folder only, where who rolls the log back rolls them back, too",
        "say `audit: { publish: [{ folder: PATH }], … }`, another machine's at best",
    )
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_key_is_found_in_the_folder_of_the_log_by_whatever_path() {
        let outer = tempfile::tempdir().unwrap();
        let path = |name: &str| outer.path().join(name);
        fs::create_dir_all(path("log/keys")).unwrap();
        for key in ["log/keys/audit.key", "log/audit.key", "audit.key"] {
            fs::write(path(key), "x").unwrap();
        }
        symlink(path("log"), path("link")).unwrap();
        symlink(path("log/audit.key"), path("linked.key")).unwrap();
        for inside in [
            "log/keys/audit.key",
            "log/audit.key",
            "link/audit.key",
            "linked.key",
        ] {
            assert!(lies_in(&path(inside), &path("log")), "{inside}");
            assert!(lies_in(&path(inside), &path("link")), "{inside}");
        }
        for outside in ["audit.key", "log/../audit.key", "missing.key"] {
            assert!(!lies_in(&path(outside), &path("log")), "{outside}");
        }
        assert!(!lies_in(&path("audit.key"), &path("missing")));
    }
}
