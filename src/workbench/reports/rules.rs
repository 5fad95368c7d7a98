//! The codes of all problems, and where the documentation explains them.

use crate::dialect::engine;
use crate::dialect::schema;
use crate::workbench::suite;
use crate::{config, diagnostic, policy};

/// A class of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its code.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// The page of the documentation that explains it, below the root of the repository.
    pub page: &'static str,
    /// The section there, as it is linked to.
    pub section: &'static str,
}

/// Codes with their meanings, and the page and section that explain them.
type Explained = (
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

const EXPLAINED: &[Explained] = &[
    (policy::codes::CODES, "docs/policy.md", PROBLEMS),
    (diagnostic::CODES, "docs/policy.md", PROBLEMS),
    (config::codes::CODES, "docs/operating.md", PROBLEMS),
    (
        engine::codes::CODES,
        "docs/dialects/describing.md",
        PROBLEMS,
    ),
    (
        schema::codes::CODES,
        "docs/schemas.md",
        "what-can-be-wrong-with-a-schema-file",
    ),
    (
        suite::codes::CODES,
        "docs/workbench/test.md",
        "when-a-suite-is-broken",
    ),
];

/// How most pages call the section that explains codes.
const PROBLEMS: &str = "problems-that-check-tells";

/// All classes of problems, by their codes.
pub fn rules() -> Vec<Rule> {
    let all = EXPLAINED.iter().flat_map(|(codes, page, section)| {
        codes.iter().map(|(code, meaning)| Rule {
            code,
            meaning,
            page,
            section,
        })
    });
    let mut all: Vec<Rule> = all.collect();
    all.sort_by_key(|rule| rule.code);
    all
}

impl Rule {
    /// The class with a code.
    pub fn of(code: &str) -> Option<Self> {
        rules().into_iter().find(|rule| rule.code == code)
    }

    /// Where it is explained: page and section.
    pub fn place(&self) -> String {
        format!("{}#{}", self.page, self.section)
    }

    /// The same as a link, if it is known where the repository is published.
    pub fn link(&self, repository: &str) -> Option<String> {
        let base = repository.trim_end_matches('/');
        (!base.is_empty()).then(|| format!("{base}/blob/main/{}", self.place()))
    }
}
