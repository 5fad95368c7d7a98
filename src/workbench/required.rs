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
        Policy::read_tests(policies).map_err(Diagnostics::without_sources)
    }

    fn run(
        &self,
        policy: &Arc<Policy>,
        tests: &[Source],
        dialects: &[Arc<dyn Dialect>],
    ) -> Diagnostics {
        suite::failures(policy, tests, dialects)
    }
}
