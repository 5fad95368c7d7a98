//! Reads the section `service` of an upstream.

use std::sync::Arc;

use crate::diagnostic::Node;
use crate::dialect::Dialect;

use super::read::Reader;

/// The proxy's own account in a CRM.
#[derive(Clone, Debug)]
pub struct Service {}

impl Reader<'_> {
    pub(super) fn service(
        &mut self,
        _node: &Node,
        _dialects: Option<&[Arc<dyn Dialect>]>,
    ) -> Option<Service> {
        None
    }
}
