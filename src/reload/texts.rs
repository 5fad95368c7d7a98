//! What a policy is made of, as it lies on disk. It is read once, and what was read is what is compared, checked and put in
//! force: never one text for one of these and another for the next.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use super::looks;
use crate::config::{Config, Upstream};
use crate::diagnostic::{Diagnostics, File, load};
use crate::dialect::{Dialect, schema};
use crate::files::Fingerprint;
use crate::policy::{Policy, Source};

/// How the tests of a policy are read and run.
pub trait Suites: Debug + Send + Sync {
    /// Reads the tests that lie beside a policy.
    ///
    /// # Errors
    /// If one of them cannot be read.
    fn read(&self, policies: &Path) -> Result<Vec<Source>, Diagnostics>;

    /// Runs them. Each that does not pass is an error.
    fn run(
        &self,
        policy: &Arc<Policy>,
        tests: &[Source],
        dialects: &[Arc<dyn Dialect>],
    ) -> Diagnostics;
}

/// The texts of one moment.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) policy: Result<Vec<Source>, Diagnostics>,
    /// Of each upstream, in the order of names.
    pub(super) schemas: Vec<Vec<Option<File>>>,
    /// What is wrong with schema files, as far as they cannot be read.
    pub(super) unread: Diagnostics,
    /// Where tests must pass.
    pub(super) tests: Option<Result<Vec<Source>, Diagnostics>>,
}

impl Texts {
    /// Reads what a configuration names.
    pub(super) fn read(config: &Config, suites: Option<&dyn Suites>) -> Self {
        let mut unread = Diagnostics::new();
        let mut of_upstream = |upstream: &Upstream| {
            let files = upstream.schemas.iter();
            files
                .map(|path| load(&path.value, schema::codes::UNREADABLE, &mut unread))
                .collect()
        };
        let schemas = config.upstreams.values().map(&mut of_upstream).collect();
        Self {
            policy: Policy::read(&config.policies),
            schemas,
            unread,
            tests: suites.map(|suites| suites.read(&config.policies)),
        }
    }

    /// Reads until two readings agree, unless one has found what is known already; `None` if they never do. Waits between
    /// readings.
    pub(super) fn settled(
        config: &Config,
        suites: Option<&dyn Suites>,
        known: [Fingerprint; 2],
    ) -> Option<(Self, Fingerprint)> {
        let read = || {
            let texts = Self::read(config, suites);
            let found = texts.fingerprint();
            (texts, found)
        };
        looks::settled(read, known)
    }

    /// Of everything that was read, and of why the rest could not be.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let mut parts: Vec<Vec<u8>> = Vec::new();
        let mut push = |kind: &str, path: &str, text: &str| {
            parts.extend([kind, path, text].map(|part| part.as_bytes().to_vec()));
        };
        let of_sources = [
            ("policy", Some(&self.policy)),
            ("test", self.tests.as_ref()),
        ];
        for (kind, read) in of_sources {
            match read {
                Some(Ok(sources)) => {
                    for source in sources {
                        push(kind, &source.path, &source.text);
                    }
                }
                Some(Err(problems)) => push(kind, "", &problems.render(false)),
                None => {}
            }
        }
        for file in self.schemas.iter().flatten() {
            match file {
                Some(file) => push("schema", file.path(), file.text()),
                None => push("schema", "", ""),
            }
        }
        push("unread", "", &self.unread.render(false));
        Fingerprint::of(parts.iter().map(Vec::as_slice))
    }
}
