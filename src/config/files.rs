//! Reads what a configuration names: text, certificates, secrets.

use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Bytes of a file of certificates or of a private key.
const PEM_BYTES_MAX: usize = 4 << 20;

/// The bytes of a file that is not larger than it should be.
pub(super) fn bytes(path: &Path, bytes_max: usize) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(Error::from(ErrorKind::IsADirectory));
    }
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        return Err(Error::from(ErrorKind::FileTooLarge));
    }
    Ok(bytes)
}

/// The text of a file.
pub(super) fn text(path: &Path, bytes_max: usize) -> Result<String> {
    String::from_utf8(bytes(path, bytes_max)?).map_err(|_| Error::from(ErrorKind::InvalidData))
}

/// Whether a file holds certificates.
pub(super) fn has_certificates(path: &Path) -> Result<bool> {
    let bytes = bytes(path, PEM_BYTES_MAX)?;
    let mut certificates = CertificateDer::pem_slice_iter(&bytes).peekable();
    Ok(certificates.peek().is_some() && certificates.all(|certificate| certificate.is_ok()))
}

/// Whether a file holds a private key.
pub(super) fn has_key(path: &Path) -> Result<bool> {
    Ok(PrivateKeyDer::from_pem_slice(&bytes(path, PEM_BYTES_MAX)?).is_ok())
}
