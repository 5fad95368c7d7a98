//! `paravent audit keygen`.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::audit::note::SigningKey;
use crate::audit::{holds_log, visible};

use super::{FINE, Streams, UNUSABLE};

const PRIVATE: &str = "audit.key";
const PUBLIC: &str = "audit.pub";

/// Where the key goes, and its name.
#[derive(Debug, Args)]
pub(super) struct KeygenArgs {
    /// The folder that gets `audit.key` and `audit.pub`; made if missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The name that stands before its signatures.
    #[arg(long, value_name = "NAME", default_value = "paravent")]
    name: String,
}

pub(super) fn run(args: &KeygenArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    let Ok((key, line)) = SigningKey::generate(&args.name) else {
        let name = visible(&args.name);
        writeln!(
            streams.err,
            "error: no key can be made with the name `{name}`: it must not be empty, nor hold blanks or `+`"
        )?;
        return Ok(UNUSABLE);
    };
    if let Some(log) = log_around(&args.out) {
        let shown = |path: &Path| visible(&path.display().to_string());
        let (out, log) = (shown(&args.out), shown(&log));
        writeln!(
            streams.err,
            "error: `{out}` lies in the access log `{log}`, where others may read: a key does not belong there; name another folder with `--out`"
        )?;
        return Ok(UNUSABLE);
    }
    let public = key.public();
    if let Err((path, error)) = keep(&args.out, &line, &public.to_string()) {
        let path = visible(&path.display().to_string());
        match error.kind() {
            io::ErrorKind::AlreadyExists => writeln!(
                streams.err,
                "error: `{path}` is there already, and is left as it is; name another folder with `--out`"
            )?,
            _ => writeln!(streams.err, "error: could not write `{path}`: {error}")?,
        }
        return Ok(UNUSABLE);
    }
    let shown = |name| visible(&args.out.join(name).display().to_string());
    let (private_file, public_file) = (shown(PRIVATE), shown(PUBLIC));
    writeln!(
        streams.out,
        "{private_file}  signs checkpoints; for the proxy alone\n\
         {public_file}  checks them; for everybody who verifies\n\
         key          {public}\n\
         fingerprint  {}\n\
         \n\
         Next:\n\
         1. name it in the configuration, and where checkpoints go, on another machine at best:\n\
         \x20    keys:  {{ audit: [{{ file: {private_file} }}], … }}\n\
         \x20    audit: {{ publish: [{{ folder: PATH }}], … }}\n\
         \x20  (where another key signs already, put this one before it, and keep both until the next start)\n\
         2. give {public_file} to whoever verifies the log, and compare the fingerprint by another way\n\
         3. keep a copy of {private_file} where nobody reads it: without it, other keys cannot be vouched for",
        public.fingerprint()
    )?;
    Ok(FINE)
}

/// The log that a folder lies in, or would.
fn log_around(dir: &Path) -> Option<PathBuf> {
    let dir = std::path::absolute(dir).ok()?;
    let real = dir.ancestors().find_map(|there| there.canonicalize().ok());
    let real = real.as_deref().into_iter().flat_map(Path::ancestors);
    let log = dir.ancestors().chain(real).find(|there| holds_log(there));
    log.map(Path::to_owned)
}

/// Writes both files, each anew, or neither.
fn keep(dir: &Path, private: &str, public: &str) -> Result<(), (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(at(dir))?;
    let (private_path, public_path) = (dir.join(PRIVATE), dir.join(PUBLIC));
    if public_path.symlink_metadata().is_ok() {
        return Err((public_path, io::ErrorKind::AlreadyExists.into()));
    }
    write(&private_path, private, 0o600).map_err(at(&private_path))?;
    if let Err(error) = write(&public_path, public, 0o644) {
        let _ = std::fs::remove_file(&private_path);
        return Err((public_path, error));
    }
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(at(dir))
}

fn write(path: &Path, line: &str, mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.create_new(true).write(true).mode(mode).open(path)?;
    let written = writeln!(file, "{line}").and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::audit::note::VerifierKey;

    fn keygen(out: &Path, name: &str) -> (u8, String, String) {
        let args = KeygenArgs {
            out: out.to_owned(),
            name: name.to_owned(),
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let streams = &mut Streams {
            out: &mut out,
            err: &mut err,
        };
        let code = run(&args, streams).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (code, text(out), text(err))
    }

    #[test]
    fn a_key_is_made_once_and_is_its_owners() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("keys");
        let (code, told, _) = keygen(&out, "paravent");
        assert_eq!(code, FINE);
        let mode = |name: &str| fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(PRIVATE), 0o600);
        let private = fs::read_to_string(out.join(PRIVATE)).unwrap();
        let public = fs::read_to_string(out.join(PUBLIC)).unwrap();
        let key = SigningKey::parse(&private).unwrap();
        assert_eq!(VerifierKey::parse(&public).unwrap(), *key.public());
        assert!(told.contains(&key.public().fingerprint()), "{told}");
        let secret = private.trim().splitn(5, '+').last().unwrap();
        assert!(!told.contains(secret), "{told}");

        for left in [PRIVATE, PUBLIC] {
            let (code, told, err) = keygen(&out, "paravent");
            assert_eq!((code, told.as_str()), (UNUSABLE, ""));
            assert!(err.contains("is there already"), "{err}");
            assert_eq!(fs::read_to_string(out.join(PRIVATE)).unwrap_or_default(), {
                if left == PRIVATE {
                    private.clone()
                } else {
                    String::new()
                }
            });
            let _ = fs::remove_file(out.join(PRIVATE));
        }
    }

    #[test]
    fn no_key_is_made_where_others_read_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        fs::create_dir_all(log.join("keys")).unwrap();
        fs::write(log.join("audit-0000000000000001.jsonl"), "").unwrap();
        std::os::unix::fs::symlink(log.join("keys"), dir.path().join("link")).unwrap();
        for out in [
            log.clone(),
            log.join("keys"),
            log.join("new/deep"),
            dir.path().join("link"),
        ] {
            let (code, told, err) = keygen(&out, "paravent");
            assert_eq!((code, told.as_str()), (UNUSABLE, ""));
            assert!(err.contains("lies in the access log"), "{err}");
        }
        assert_eq!(fs::read_dir(log.join("keys")).unwrap().count(), 0);
        assert!(!log.join("new").exists());
        let (code, ..) = keygen(&dir.path().join("keys"), "paravent");
        assert_eq!(code, FINE);
    }

    #[test]
    fn a_name_that_cannot_be_one_is_refused_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("keys");
        for name in ["", "a b", "a+b", "a\u{1b}b"] {
            let (code, _, err) = keygen(&out, name);
            assert_eq!(code, UNUSABLE);
            assert!(!err.contains('\u{1b}'));
        }
        assert!(!out.exists());
    }
}
