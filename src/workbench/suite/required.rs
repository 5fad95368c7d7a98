//! Tests as a condition: what of them keeps a policy from being put in force.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::dialect::Dialect;
use crate::policy::{Policy, Source};

use super::{NONE, Verdicts, codes, load, run};

/// What there is to say where somebody asks why.
const SEE: &str = "`paravent test` shows what came, and the rules that made it so";

/// The same of tests that cannot be run.
const WRONG: &str = "`paravent test` shows what is wrong";

/// Reads and runs the tests of a policy. Each mistake in them, and each that does not pass, is an error; so is it that there
/// are none. What stands in suites is not told but for names: this may end in a log.
///
/// Runs on a thread of its own, so that it may be called where a runtime is at work, and waits for it.
pub fn failures(
    policy: &Arc<Policy>,
    sources: &[Source],
    dialects: &[Arc<dyn Dialect>],
) -> Diagnostics {
    if sources.is_empty() {
        return none("the policy has no tests");
    }
    let (suites, found) = load(sources, policy, dialects);
    let mut found = mistakes(&found);
    if found.has_errors() {
        return found;
    }
    let verdicts = std::thread::scope(|scope| {
        let runs = scope.spawn(|| {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().ok()?;
            // What the walk tells an operator is about callers; here there are none.
            let nobody = tracing::subscriber::NoSubscriber::default();
            tracing::subscriber::with_default(nobody, || {
                Some(runtime.block_on(run(policy, dialects, &suites)))
            })
        });
        runs.join().ok().flatten()
    });
    match verdicts {
        Some(verdicts) => found.extend(verdicts.problems().without_sources()),
        None => found.extend(none("the tests of the policy could not be run")),
    }
    found
}

/// Which mistakes suites hold, and where: what is written there may be told by `paravent test` only.
fn mistakes(found: &Diagnostics) -> Diagnostics {
    let mut told = Diagnostics::new();
    for one in found.iter() {
        let title = "a test is not as it must be";
        let mut problem = Diagnostic::new(one.severity, one.code, title).help(WRONG);
        problem.place.clone_from(&one.place);
        told.push(problem);
    }
    told.without_sources()
}

fn none(title: &str) -> Diagnostics {
    let mut found = Diagnostics::new();
    found.push(Diagnostic::error(codes::NO_TESTS, title).help(NONE));
    found
}

impl Verdicts {
    /// Each that did not pass, as an error.
    pub fn problems(&self) -> Diagnostics {
        let mut found = Diagnostics::new();
        for case in self.cases.iter().filter(|case| !case.passed()) {
            let title = format!("case {} fails", quoted(&case.name));
            let problem = Diagnostic::error(codes::FAILED, title);
            let problem = problem.at(&case.place, "does not come out so");
            found.push(problem.help(SEE));
        }
        for one in self.always.iter().filter(|one| !one.passed()) {
            let title = format!("{} does not hold", quoted(&one.name));
            let problem = Diagnostic::error(codes::BROKEN, title);
            found.push(problem.at(&one.place, "it can happen").help(SEE));
        }
        found
    }
}
