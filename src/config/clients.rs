//! Reads the section `tls.clients` of a listener.

use std::path::PathBuf;

use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject as _;

use crate::diagnostic::{Diagnostic, Form, Node, Spanned};

use super::read::{Reader, placed};
use super::{codes, files};

/// Whose client certificates a listener accepts.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The authorities (PEM).
    pub ca: Spanned<PathBuf>,
    /// The certificates that they have revoked (PEM or DER). Where it is named, one that is absent or past its next update
    /// refuses everybody. Default: none.
    pub crl: Option<Spanned<PathBuf>>,
}

impl Clients {
    /// Bytes of a file of lists of revoked certificates.
    pub const CRL_BYTES_MAX: usize = 16 << 20;

    /// The lists of revoked certificates in such a file: several in PEM form, or one in DER form. `None` if it holds
    /// anything else, or nothing.
    pub fn revocation_lists(bytes: &[u8]) -> Option<Vec<CertificateRevocationListDer<'static>>> {
        if bytes.first() == Some(&DER_SEQUENCE) {
            return Some(vec![bytes.to_vec().into()]);
        }
        let lists = CertificateRevocationListDer::pem_slice_iter(bytes);
        let lists = lists.collect::<Result<Vec<_>, _>>().ok()?;
        (!lists.is_empty()).then_some(lists)
    }
}

/// The first byte of whatever is a sequence in DER.
const DER_SEQUENCE: u8 = 0x30;

impl Reader<'_> {
    pub(super) fn clients(&mut self, node: &Node) -> Option<Clients> {
        const FORM: Form = Form {
            what: "`clients`",
            known: &["ca", "crl", "crl_required"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let ca = keys
            .require("ca", self.found)
            .and_then(|node| self.certificates(node, "`ca`"));
        let required = keys.get("crl_required");
        let is_required = match required {
            Some(node) => node.boolean("`crl_required`", self.found),
            None => Some(keys.get("crl").is_some()),
        };
        let crl = keys
            .get("crl")
            .map_or(Some(None), |node| self.revocation_list(node).map(Some));
        if required.is_none() && keys.get("crl").is_none() {
            let title = "client certificates that nobody can revoke are accepted";
            self.found.push(
                Diagnostic::warning(codes::NOT_REVOCABLE, title)
                    .at(&node.place, "names no list of revoked certificates")
                    .help("name the list that the authority publishes: `crl: FILE`; or say that there is none: `crl_required: false`"),
            );
        }
        let wrong = match (required, keys.get("crl"), is_required?) {
            (Some(node), None, true) => Some((
                node,
                "no list of revoked certificates is named, so nobody would be accepted",
                "name the list that the authority publishes: `crl: FILE`",
            )),
            (Some(node), Some(_), false) => Some((
                node,
                "a list that may be absent revokes nothing",
                "leave `crl_required` out, or `crl` where the authority publishes no list",
            )),
            _ => None,
        };
        if let Some((node, label, help)) = wrong {
            let title = "client certificates cannot be judged";
            self.found.push(
                Diagnostic::error(codes::BAD_CLIENTS, title)
                    .at(&node.place, label)
                    .help(help),
            );
        }
        Some(Clients { ca: ca?, crl: crl? })
    }

    /// The file of a list of revoked certificates.
    fn revocation_list(&mut self, node: &Node) -> Option<Spanned<PathBuf>> {
        let path = self.path(node, "`crl`")?;
        match files::bytes(&path, Clients::CRL_BYTES_MAX) {
            Ok(bytes) if Clients::revocation_lists(&bytes).is_some() => {
                return Some(placed(path, node));
            }
            Ok(_) => self.found.push(
                Diagnostic::error(
                    codes::BAD_PEM,
                    "`crl` holds no list of revoked certificates",
                )
                .at(&node.place, "no list in PEM or DER form in this file"),
            ),
            Err(error) => self.unreadable("`crl`", &path, &node.place, &error),
        }
        None
    }
}
