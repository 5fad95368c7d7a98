//! Mails as files in a folder, which somebody else takes up.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::files;

/// Writes a mail: whole or not at all, for nobody else to read. What is written twice is one file.
pub(super) async fn put(folder: &Path, id: &str, mail: Vec<u8>) -> Result<(), Failure> {
    let path: PathBuf = folder.join(format!("{id}.eml"));
    let written = tokio::task::spawn_blocking(move || files::replace(&path, &mail)).await;
    match written {
        Ok(Ok(())) => Ok(()),
        _ => Err(Failure::Folder),
    }
}
