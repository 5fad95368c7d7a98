//! Reads the section `identity.keys`.

use std::path::PathBuf;

use crate::diagnostic::{Node, Spanned};

use super::read::Reader;

/// Where API keys are.
#[derive(Clone, Debug)]
pub struct ApiKeys {
    /// The file that `paravent key` writes.
    pub file: Spanned<PathBuf>,
}

impl Reader<'_> {
    pub(super) fn api_keys(&mut self, _node: &Node) -> Option<ApiKeys> {
        None
    }
}
