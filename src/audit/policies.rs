//! The policies and schemas by which was decided, kept by hash beside the log: `policies/HASH/`. Whoever later has to say why
//! somebody saw something finds there what was in force.
//!
//! A policy is the files as they were read, under numbered names; with detectors, a file more says what those find. A schema is
//! one text. The hash follows from the files alone.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use tracing::error;

use crate::dialect::Schema;
use crate::hex::hex;
use crate::policy::Policy;

use super::folder::{file_mode, folder_mode, sync_dir};
use super::id;
use super::log::Log;

/// The folder in the folder of the log.
const FOLDER: &str = "policies";
/// The file that is a schema.
pub(super) const SCHEMA: &str = "schema.txt";
/// The file of a policy that says what its detectors find.
pub(super) const DETECTORS: &str = "detectors.txt";
/// Characters of the name of a file.
const NAME_CHARS_MAX: usize = 40;
/// Files that are read of one policy, and bytes of one.
const FILES_MAX: usize = 512;
const FILE_BYTES_MAX: usize = 64 << 20;

/// The files of a policy or schema, by name.
type Files<'t> = Vec<(String, &'t [u8])>;
/// The same, read.
type Kept = Vec<(String, Vec<u8>)>;

/// Keeps what comes into force, if it is not kept yet. What is in force does not depend on whether that can be done, and
/// requests do not wait for it: a failure is told to the operator.
pub async fn keep_in_force(log: &Log, policy: Option<&Arc<Policy>>, schemas: Vec<Arc<Schema>>) {
    let Some(dir) = log.dir().map(Path::to_owned) else {
        return;
    };
    let policy = policy.cloned();
    let keeping = move || {
        let is_missing = |hash: &str| place(&dir, hash).is_none_or(|place| !place.exists());
        if let Some(policy) = policy.filter(|policy| is_missing(policy.hash())) {
            keep_policy(&dir, &policy);
        }
        for schema in schemas.iter().filter(|schema| is_missing(schema.hash())) {
            let text = schema.text();
            keep_loudly(&dir, schema.hash(), &[(SCHEMA.to_owned(), text.as_bytes())]);
        }
    };
    if tokio::task::spawn_blocking(keeping).await.is_err() {
        error!("the files of the policy were not kept beside the access log");
    }
}

fn keep_policy(dir: &Path, policy: &Policy) {
    let (sources, detects) = policy.texts();
    let named = sources.iter().zip(1_usize..);
    let mut files: Files<'_> = named
        .map(|(source, number)| (file_name(&source.path, number), source.text.as_bytes()))
        .collect();
    files.extend(detects.map(|detects| (DETECTORS.to_owned(), detects.as_bytes())));
    keep_loudly(dir, policy.hash(), &files);
}

/// The name of a file, as the folder and bundles have it: its place, and small letters, digits, `.`, `_` and `-` of its own.
fn file_name(path: &str, number: usize) -> String {
    let own = path
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let own = own.chars().map(|letter| match letter {
        'a'..='z' | '0'..='9' | '.' | '_' | '-' => letter,
        _ => '_',
    });
    let own: String = own.take(NAME_CHARS_MAX).collect();
    format!("{number:03}-{own}")
}

fn keep_loudly(dir: &Path, hash: &str, files: &[(String, &[u8])]) {
    if let Err(cause) = keep(dir, hash, files) {
        error!(
            hash,
            %cause,
            "the files of the policy in force could not be kept beside the access log: bundles will lack them"
        );
    }
}

/// Keeps files by hash: all of them, on disk, once.
fn keep(dir: &Path, hash: &str, files: &[(String, &[u8])]) -> io::Result<()> {
    let folder = dir.join(FOLDER);
    let Some(place) = place(dir, hash) else {
        return Err(io::Error::other("the hash is none"));
    };
    let texts = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.to_vec()));
    let hash = hash.strip_prefix("sha256:").unwrap_or(hash);
    if hash_of(&texts.collect()) != hash {
        return Err(io::Error::other("the files have another hash"));
    }
    if place.exists() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder
        .mode(folder_mode(dir))
        .recursive(true)
        .create(&folder)?;
    let unfinished = folder.join(format!("{hash}.{}.part", id::new()));
    builder.create(&unfinished)?;
    let written =
        fill(&unfinished, files, file_mode(dir)).and_then(|()| fs::rename(&unfinished, &place));
    if let Err(error) = written {
        let _ = fs::remove_dir_all(&unfinished);
        // Another process may have been faster.
        return if place.exists() { Ok(()) } else { Err(error) };
    }
    sync_dir(&folder)?;
    sync_dir(dir)
}

fn fill(folder: &Path, files: &[(String, &[u8])], mode: u32) -> io::Result<()> {
    for (name, text) in files {
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(mode)
            .open(folder.join(name))?;
        file.write_all(text)?;
        file.sync_all()?;
    }
    sync_dir(folder)
}

/// The folder that keeps something by its hash: `None` if that is no hash.
fn place(dir: &Path, hash: &str) -> Option<PathBuf> {
    let hash = hash.strip_prefix("sha256:")?;
    super::bundle::unhex(hash)?;
    Some(dir.join(FOLDER).join(hash))
}

/// The files that are kept by a hash, in the order of their names; `None` if none are.
pub(super) fn kept(dir: &Path, hash: &str) -> io::Result<Option<Kept>> {
    let Some(place) = place(dir, hash).filter(|place| place.is_dir()) else {
        return Ok(None);
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(&place)? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|_| io::Error::other("a file of a policy has no readable name"))?;
        if files.len() >= FILES_MAX {
            return Err(io::Error::other("there are too many files of one policy"));
        }
        files.push((
            name,
            crate::files::read(&entry.path(), FILE_BYTES_MAX)?.bytes,
        ));
    }
    files.sort();
    Ok(Some(files))
}

/// The hash of the files of a policy, or of a schema, in hexadecimal.
///
/// Of a schema: of its text. Of a policy: of its texts in the order of their bytes, each behind its length in eight bytes, the
/// largest first; and of what its detectors find.
pub(super) fn hash_of(files: &HashMap<&str, Vec<u8>>) -> String {
    let mut context = Context::new(&SHA256);
    if let (Some(schema), 1) = (files.get(SCHEMA), files.len()) {
        context.update(schema);
        return hex(context.finish().as_ref());
    }
    let texts = files.iter().filter(|(name, _)| **name != DETECTORS);
    let mut texts: Vec<&Vec<u8>> = texts.map(|(_, text)| text).collect();
    texts.sort_unstable();
    for text in texts {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text);
    }
    if let Some(detects) = files.get(DETECTORS) {
        context.update(detects);
    }
    hex(context.finish().as_ref())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn whoever_may_read_the_log_may_read_what_was_in_force() {
        for (folder, file) in [(0o750, 0o640), (0o700, 0o600)] {
            let dir = tempfile::tempdir().unwrap();
            let mode = fs::Permissions::from_mode(folder);
            fs::set_permissions(dir.path(), mode).unwrap();
            let digest = aws_lc_rs::digest::digest(&SHA256, b"text");
            let hash = hex(digest.as_ref());
            let files = [(SCHEMA.to_owned(), &b"text"[..])];
            keep(dir.path(), &format!("sha256:{hash}"), &files).unwrap();
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            let kept = dir.path().join(FOLDER);
            assert_eq!(mode(&kept), folder);
            assert_eq!(mode(&kept.join(&hash)), folder);
            assert_eq!(mode(&kept.join(&hash).join(SCHEMA)), file);
        }
    }
}
