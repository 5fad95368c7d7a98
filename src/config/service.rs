//! Reads the section `service` of an upstream.

use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::{Node, Place, Spanned};
use crate::dialect::{Account, Dialect};
use crate::door::Credential;

use super::read::Reader;

/// The proxy's own account in a CRM.
#[derive(Clone, Debug)]
pub struct Service {
    /// Where it stands.
    pub place: Place,
    /// What the CRM is called with.
    pub proof: Proof,
    /// The files that its secrets were read from.
    pub files: Vec<Spanned<PathBuf>>,
}

/// What an account of the proxy proves itself with.
#[derive(Clone, Debug)]
pub enum Proof {
    /// It logs in.
    Login(Account),
    /// A credential that is used as it is.
    Fixed(Credential),
}

impl Reader<'_> {
    pub(super) fn service(
        &mut self,
        _node: &Node,
        _dialects: Option<&[Arc<dyn Dialect>]>,
    ) -> Option<Service> {
        None
    }
}
