//! Reads what a configuration names: certificates, secrets.

use std::io::Result;
use std::path::Path;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::files;

/// Bytes of a file of certificates or of a private key.
const PEM_BYTES_MAX: usize = 4 << 20;

/// The bytes of a file that is not larger than it should be.
pub(super) fn bytes(path: &Path, bytes_max: usize) -> Result<Vec<u8>> {
    Ok(files::read(path, bytes_max)?.bytes)
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
