//! A policy as a configuration would compile it.

use std::sync::Arc;

use crate::config::Config;
use crate::diagnostic::Diagnostics;
use crate::dialect::{self, Schema};
use crate::policy::{Policy, Source};

/// Compiles a policy for the CRMs of a configuration, of one of which more may be known; and holds it to the configuration.
pub fn compiled(
    config: &Config,
    sources: &[Source],
    grown: Option<&Arc<Schema>>,
) -> (Option<Policy>, Diagnostics) {
    let schemas = schemas(config, grown);
    let (policy, mut found) = Policy::compile(sources, &schemas, config.token_key());
    if let Some(policy) = &policy {
        found.extend(policy.against(config));
    }
    (policy.filter(|_| !found.has_errors()), found)
}

/// What is known of the CRMs' data, each schema once, the grown one in the place of that of its dialect.
fn schemas(config: &Config, grown: Option<&Arc<Schema>>) -> Vec<Arc<Schema>> {
    let mut schemas: Vec<Arc<Schema>> = grown.into_iter().cloned().collect();
    for dialect in config.upstreams.values().flat_map(|one| &one.dialects) {
        let schema = dialect.schema();
        let is_known = |known: &Arc<Schema>| known.hash() == schema.hash();
        if !schemas.iter().any(is_known) {
            schemas.push(schema.clone());
        }
    }
    if schemas.is_empty() {
        schemas.push(dialect::usual().schema().clone());
    }
    schemas
}
