//! The files of a policy: reading the folder, and the hash that names what was in force.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::diagnostic::{Diagnostic, Diagnostics, File, Place, load};

use super::super::Source;
use super::codes;
use super::document::Document;
use super::folder;

/// Files of one policy.
const FILES_MAX: usize = 256;
/// How often a folder is read anew because its files were exchanged meanwhile.
const ATTEMPTS: usize = 3;

pub(in crate::policy) fn read(dir: &Path) -> Result<Vec<Source>, Diagnostics> {
    let mut attempt = 1;
    loop {
        // Files of two moments are no policy that anybody wrote.
        let published = folder::published(dir);
        let sources = once(dir);
        if folder::published(dir) == published || attempt == ATTEMPTS {
            return sources;
        }
        attempt += 1;
    }
}

fn once(dir: &Path) -> Result<Vec<Source>, Diagnostics> {
    let mut found = Diagnostics::new();
    let paths = folder::files(dir, &mut found);
    if paths.is_empty() && !found.has_errors() {
        found.push(
            Diagnostic::error(codes::NO_FILES, format!("no policy in `{}`", dir.display()))
                .help("a policy is made of the `*.yaml` files of one folder"),
        );
    }
    if paths.len() > FILES_MAX {
        found.push(Diagnostic::error(
            codes::UNREADABLE,
            format!("more than {FILES_MAX} files in `{}`", dir.display()),
        ));
        return Err(found);
    }
    texts(&paths, found)
}

/// The files of the tests that lie beside a policy; none, if it has none.
pub(in crate::policy) fn read_tests(dir: &Path) -> Result<Vec<Source>, Diagnostics> {
    let dir = dir.join(folder::TESTS);
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut found = Diagnostics::new();
    let paths = folder::files_beside(&dir, &[], &mut found);
    texts(&paths, found)
}

fn texts(paths: &[PathBuf], mut found: Diagnostics) -> Result<Vec<Source>, Diagnostics> {
    let sources = paths
        .iter()
        .filter_map(|path| load(path, codes::UNREADABLE, &mut found))
        .map(|file| Source {
            path: file.path().to_owned(),
            text: file.text().to_owned(),
        })
        .collect();
    if found.has_errors() {
        Err(found)
    } else {
        Ok(sources)
    }
}

/// A policy without a name cannot be told apart in the log.
pub(in crate::policy) fn require_name(
    sources: &[Source],
    document: &Document,
    found: &mut Diagnostics,
) {
    if document.is_named || document.incomplete {
        return;
    }
    let diagnostic = Diagnostic::error(codes::NO_NAME, "the policy has no name")
        .help("add `policy: NAME` to one of its files");
    found.push(match sources.first() {
        Some(source) => {
            let place = Place {
                file: File::new(source.path.as_str(), source.text.as_str()),
                span: 0..0,
            };
            diagnostic.at(&place, "`policy` is missing")
        }
        None => diagnostic,
    });
}

/// The hash of the texts, whatever their order and their files' names; and of what detectors find, where there are any.
pub(in crate::policy) fn hash(sources: &[Source], detects: Option<&str>) -> String {
    let mut texts: Vec<&str> = sources.iter().map(|source| source.text.as_str()).collect();
    texts.sort_unstable();
    let mut context = digest::Context::new(&digest::SHA256);
    for text in texts {
        // The length goes before each text, so that no two lists of texts read the same.
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    if let Some(detects) = detects {
        context.update(detects.as_bytes());
    }
    let mut hash = String::from("sha256:");
    for byte in context.finish().as_ref() {
        hash.push_str(&format!("{byte:02x}"));
    }
    hash
}
