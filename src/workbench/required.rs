//! The tests of a policy, where they must pass before it comes into force.

use std::path::Path;
use std::sync::Arc;

use super::suite;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dialect::Dialect;
use crate::policy::{Policy, Source};
use crate::reload::{Suites, codes};

/// The suites beside a policy, as `paravent test` runs them.
#[derive(Debug)]
pub struct Required;

impl Suites for Required {
    fn read(&self, policies: &Path) -> Result<Vec<Source>, Diagnostics> {
        Policy::read_tests(policies)
    }

    fn run(
        &self,
        policy: &Arc<Policy>,
        tests: &[Source],
        dialects: &[Arc<dyn Dialect>],
    ) -> Diagnostics {
        let mut once: Vec<Arc<dyn Dialect>> = Vec::new();
        for dialect in dialects {
            if once.iter().all(|known| known.name() != dialect.name()) {
                once.push(dialect.clone());
            }
        }
        if tests.is_empty() {
            let mut found = Diagnostics::new();
            let title = "no tests lie beside the policy, and `reload.require_tests` wants them";
            found.push(Diagnostic::error(codes::NO_TESTS, title).help(suite::NONE));
            return found;
        }
        let (suites, mut found) = suite::load(tests, policy, &once);
        if found.has_errors() {
            return found;
        }
        let failed = |title: String| Diagnostic::error(codes::TEST_FAILED, title);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else {
            found.push(failed("the tests could not be run".to_owned()));
            return found;
        };
        let verdicts = runtime.block_on(suite::run(policy, &once, &suites));
        for case in verdicts.cases.iter().filter(|case| !case.passed()) {
            let (place, why) = (&case.place, case.why.join("\n"));
            let problem = failed(format!("`{}` does not pass", case.name));
            found.push(problem.at(place, "this case").help(why));
        }
        for always in verdicts.always.iter().filter(|always| !always.passed()) {
            let (place, why) = (&always.place, always.why().join("\n"));
            let problem = failed(format!("`{}` does not hold", always.name));
            found.push(problem.at(place, "this promise").help(why));
        }
        if !verdicts.passed() && !found.has_errors() {
            found.push(failed("the tests do not pass".to_owned()));
        }
        found
    }
}
