//! The files of a policy: reading the folder, and the hash that names what was in force.

use std::path::Path;

use aws_lc_rs::digest;

use crate::diagnostic::{
    Diagnostic, Diagnostics, FILE_BYTES_MAX, File, Place, everybody_may_write,
};

use super::Source;
use super::codes;
use super::document::Document;

/// Files of one policy.
const FILES_MAX: usize = 256;

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(
        codes::UNREADABLE,
        format!("could not read `{}`: {}", path.display(), error.kind()),
    )
}

pub(super) fn read(dir: &Path) -> Result<Vec<Source>, Diagnostics> {
    let mut found = Diagnostics::new();
    let mut paths = Vec::new();
    match std::fs::read_dir(dir) {
        Ok(entries) => {
            for entry in entries {
                match entry {
                    Ok(entry) => paths.push(entry.path()),
                    Err(error) => found.push(unreadable(dir, &error)),
                }
            }
        }
        Err(error) => found.push(unreadable(dir, &error)),
    }
    // Editors and Kubernetes keep hidden files beside the real ones.
    paths.retain(|path| {
        let hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        let yaml = path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml");
        yaml && !hidden
    });
    paths.sort();
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
    let mut sources = Vec::new();
    for path in paths {
        if everybody_may_write(&path) {
            let title = format!("everybody may write `{}`", path.display());
            found.push(
                Diagnostic::error(codes::UNREADABLE, title)
                    .help("take the right away: `chmod o-w`"),
            );
        }
        match text(&path) {
            Ok(text) => sources.push(Source {
                path: path.display().to_string(),
                text,
            }),
            Err(error) => found.push(unreadable(&path, &error)),
        }
    }
    if found.has_errors() {
        Err(found)
    } else {
        Ok(sources)
    }
}

fn text(path: &Path) -> std::io::Result<String> {
    use std::io::{Error, ErrorKind, Read};
    let file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(Error::from(ErrorKind::InvalidInput));
    }
    let mut bytes = Vec::new();
    // One byte more than the bound, so that the reader sees that it is exceeded.
    file.take(FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| Error::from(ErrorKind::InvalidData))
}

/// A policy without a name cannot be told apart in the log.
pub(super) fn require_name(sources: &[Source], document: &Document, found: &mut Diagnostics) {
    if document.name.is_some() {
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

/// The hash of the texts, whatever their order and their files' names.
pub(super) fn hash(sources: &[Source]) -> String {
    let mut texts: Vec<&str> = sources.iter().map(|source| source.text.as_str()).collect();
    texts.sort_unstable();
    let mut context = digest::Context::new(&digest::SHA256);
    for text in texts {
        // The length goes before each text, so that no two lists of texts read the same.
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    let mut hash = String::from("sha256:");
    for byte in context.finish().as_ref() {
        hash.push_str(&format!("{byte:02x}"));
    }
    hash
}
