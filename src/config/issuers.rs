//! Reads the section `identity.tokens`.

use crate::diagnostic::Node;

use super::read::Reader;

/// An issuer of tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its name, for evidence and the log.
    pub name: String,
}

impl Reader<'_> {
    pub(super) fn issuers(&mut self, _node: &Node) -> Option<Vec<Issuer>> {
        None
    }
}
