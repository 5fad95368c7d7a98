//! From texts to a policy that may come into force: by the same rules at the start and while the proxy runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::needs;
use super::texts::{Suites, Texts};
use crate::audit::Classified;
use crate::config::Config;
use crate::diagnostic::Diagnostics;
use crate::dialect::{self, Dialect, Schema};
use crate::files::Fingerprint;
use crate::policy::Policy;

/// A policy that may come into force, and the schemas that are configured beside it.
#[derive(Debug)]
pub struct Candidate {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The dialects of each upstream, with what the schema files say.
    pub dialects: BTreeMap<String, Vec<Arc<dyn Dialect>>>,
    /// Which categories its fields have.
    pub(super) classified: Classified,
    /// What it was made of.
    pub(super) texts: Fingerprint,
}

impl Candidate {
    /// What a configuration names, as it lies on disk now. What is wrong with the schema files was told when the configuration
    /// was read.
    pub fn at_start(config: &Config, suites: Option<&dyn Suites>) -> (Option<Self>, Diagnostics) {
        let texts = Texts::read(config, suites);
        let (dialects, of_schemas) = dialects(config, &texts);
        let (candidate, mut found) = Self::of(config, &texts, dialects, suites);
        if of_schemas.has_errors() {
            // They have changed since.
            found.extend(of_schemas);
        }
        (candidate.filter(|_| !found.has_errors()), found)
    }

    /// What texts make, with everything that is wrong with them. It comes out only if none of that is an error.
    pub(super) fn judge(
        config: &Config,
        texts: &Texts,
        suites: Option<&dyn Suites>,
    ) -> (Option<Self>, Diagnostics) {
        let (dialects, mut found) = dialects(config, texts);
        let (candidate, problems) = Self::of(config, texts, dialects, suites);
        found.extend(problems);
        (candidate.filter(|_| !found.has_errors()), found)
    }

    fn of(
        config: &Config,
        texts: &Texts,
        dialects: BTreeMap<String, Vec<Arc<dyn Dialect>>>,
        suites: Option<&dyn Suites>,
    ) -> (Option<Self>, Diagnostics) {
        let sources = match &texts.policy {
            Ok(sources) => sources,
            Err(problems) => return (None, problems.clone()),
        };
        let all: Vec<_> = dialects.values().flatten().cloned().collect();
        let (policy, mut found) = Policy::compile(sources, &schemas(&all), config.token_key());
        let Some(policy) = policy.map(Arc::new) else {
            return (None, found);
        };
        found.extend(policy.against(config));
        found.extend(needs::missing(config, &policy));
        match (suites, &texts.tests) {
            (Some(_), Some(Err(problems))) => found.extend(problems.clone()),
            (Some(suites), Some(Ok(tests))) if !found.has_errors() => {
                found.extend(suites.run(&policy, tests, &all));
            }
            _ => {}
        }
        let candidate = Self {
            classified: classified(&policy),
            texts: texts.fingerprint(),
            policy,
            dialects,
        };
        (Some(candidate), found)
    }

    /// A dialect of an upstream.
    pub(super) fn dialect(&self, upstream: &str, name: &str) -> Option<&Arc<dyn Dialect>> {
        let mut dialects = self.dialects.get(upstream)?.iter();
        dialects.find(|dialect| dialect.name() == name)
    }
}

/// The dialects of all upstreams, with what the schema files say.
fn dialects(
    config: &Config,
    texts: &Texts,
) -> (BTreeMap<String, Vec<Arc<dyn Dialect>>>, Diagnostics) {
    let mut found = texts.unread.clone();
    let dialects = config.upstreams.iter().zip(&texts.schemas);
    let dialects = dialects.map(|((name, upstream), files)| {
        let dialects = upstream.dialects_by(files, &mut found);
        (name.clone(), dialects)
    });
    (dialects.collect(), found)
}

/// What is known of the CRMs' data, each schema once.
pub fn schemas(dialects: &[Arc<dyn Dialect>]) -> Vec<Arc<Schema>> {
    let mut schemas: Vec<Arc<Schema>> = Vec::new();
    for dialect in dialects {
        let schema = dialect.schema();
        if schemas.iter().all(|known| known.hash() != schema.hash()) {
            schemas.push(schema.clone());
        }
    }
    if schemas.is_empty() {
        schemas.push(dialect::usual().schema().clone());
    }
    schemas
}

/// The categories of all fields that a policy speaks of. They are the same in every role and for every purpose.
pub fn classified(policy: &Policy) -> Classified {
    let mut classified = Classified::default();
    for module in policy.modules() {
        for (name, categories) in policy.categories_in(module) {
            classified.add(module, &name, &categories);
        }
    }
    classified
}
