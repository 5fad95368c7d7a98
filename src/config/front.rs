//! Reads the section `identity.front`.

use ipnet::IpNet;

use crate::diagnostic::Node;

use super::read::Reader;

/// A proxy before this one that authenticates callers.
#[derive(Clone, Debug)]
pub struct TrustedFront {
    /// From where it connects.
    pub peers: Vec<IpNet>,
}

impl Reader<'_> {
    pub(super) fn front(&mut self, _node: &Node) -> Option<TrustedFront> {
        None
    }
}
