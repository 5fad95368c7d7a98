//! The tests of a policy, where they must pass before it comes into force.

use std::path::Path;
use std::sync::Arc;

use super::suite;
use crate::diagnostic::Diagnostics;
use crate::dialect::Dialect;
use crate::policy::{Policy, Source};
use crate::reload::Suites;

/// The suites beside a policy, as `paravent test` runs them.
#[derive(Debug)]
pub struct Required;

impl Suites for Required {
    fn read(&self, policies: &Path) -> Result<Vec<Source>, Diagnostics> {
        suite::read_tests(policies).map_err(Diagnostics::without_sources)
    }

    fn run(
        &self,
        policy: &Arc<Policy>,
        tests: &[Source],
        dialects: &[Arc<dyn Dialect>],
    ) -> Diagnostics {
        // Several CRMs may speak the same: a case is asked once, promises are proved in the schema of each.
        let mut once: Vec<Arc<dyn Dialect>> = Vec::new();
        for dialect in dialects {
            let is_known = |known: &Arc<dyn Dialect>| {
                known.name() == dialect.name() && known.schema().hash() == dialect.schema().hash()
            };
            if !once.iter().any(is_known) {
                once.push(dialect.clone());
            }
        }
        suite::failures(policy, tests, &once)
    }
}
