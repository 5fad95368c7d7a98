//! Reads the section `tls.clients` of a listener.

use std::path::PathBuf;

use crate::diagnostic::{Node, Spanned};

use super::read::Reader;

/// Whose client certificates a listener accepts.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The authorities (PEM).
    pub ca: Spanned<PathBuf>,
}

impl Reader<'_> {
    pub(super) fn clients(&mut self, _node: &Node) -> Option<Clients> {
        None
    }
}
