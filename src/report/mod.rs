//! What the access log tells people who answer for it: an auditor, a data-protection officer, whoever keeps the system safe.
//!
//! A [`Report`] says in words what it means and what it does not, then shows figures, charts and tables. It is one model
//! (`model`), printed in four forms ([`forms`]) and two languages. Each kind of report (`kinds`) counts what it needs while
//! the log is read once (`pass`). A report holds no value of a record: the log has none.

use std::path::Path;

use crate::audit::Fault;
use crate::policy::Policy;

mod chart;
mod distinct;
pub mod forms;
mod frame;
mod kinds;
mod language;
mod model;
mod pass;
mod tally;
mod timeline;

#[cfg(test)]
mod tests;

pub use language::Language;
pub use model::{Audience, Block, Cell, Chart, Column, Figure, Report, Shape, Table};
pub use pass::Period;

/// Which report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// What each role may have, against what it used.
    AccessReview,
    /// What an account reached in a time.
    BreachScope,
    /// Who met data of a category.
    Category,
    /// What was refused.
    Denials,
    /// Which exceptions were granted.
    Exceptions,
    /// What a data-protection officer shows each month.
    Monthly,
    /// Who tried to find out something by what is refused.
    Probes,
    /// The record of processing activities.
    Register,
    /// Who read most.
    TopReaders,
    /// Which data nobody has classified.
    Unclassified,
    /// Who did much more than usually.
    Unusual,
}

impl Name {
    /// All reports.
    pub const ALL: [Self; 11] = [
        Self::AccessReview,
        Self::BreachScope,
        Self::Category,
        Self::Denials,
        Self::Exceptions,
        Self::Monthly,
        Self::Probes,
        Self::Register,
        Self::TopReaders,
        Self::Unclassified,
        Self::Unusual,
    ];

    /// Its word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessReview => "access-review",
            Self::BreachScope => "breach-scope",
            Self::Category => "category",
            Self::Denials => "denials",
            Self::Exceptions => "exceptions",
            Self::Monthly => "monthly",
            Self::Probes => "probes",
            Self::Register => "register",
            Self::TopReaders => "top-readers",
            Self::Unclassified => "unclassified",
            Self::Unusual => "unusual",
        }
    }

    /// The report that a word means.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == word)
    }

    /// Whether it compares with a policy, so that one is needed.
    pub fn needs_policy(self) -> bool {
        matches!(self, Self::AccessReview | Self::Register)
    }

    /// Whether it is about one caller.
    pub fn needs_caller(self) -> bool {
        self == Self::BreachScope
    }

    /// Whether it is about one category.
    pub fn needs_category(self) -> bool {
        self == Self::Category
    }
}

/// What is asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Which report.
    pub name: Name,
    /// Over which time.
    pub period: Period,
    /// In which language.
    pub language: Language,
    /// The caller's id or name.
    pub caller: Option<String>,
    /// The category, and all below it.
    pub category: Option<String>,
    /// The modules whose records are persons; empty: those of which the policy says that a field identifies somebody.
    pub persons: Vec<String>,
    /// What is declared.
    pub policy: Option<&'a Policy>,
    /// Who answers for the processing, as the register shall name them.
    pub controller: Option<String>,
    /// Who is the data-protection officer, as the register shall name them.
    pub dpo: Option<String>,
}

/// Why there is no such report of this log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unanswerable(String);

/// Why a report was not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] Fault),
    /// What was asked for cannot exist in this log.
    #[error(transparent)]
    Unanswerable(#[from] Unanswerable),
}

/// Makes a report, in one reading of the log. `progress` is told the number of each event.
///
/// # Errors
/// If the log cannot be read, or there is no such report of it. It is not verified.
pub fn make(
    dir: &Path,
    asked: &Asked<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, MakeError> {
    let mut counting = kinds::counting(asked);
    let frame = pass::run(dir, &asked.period, counting.as_mut(), progress)?;
    let mut report = counting.report(&frame)?;
    report.limits.extend(frame.limits(asked.language));
    Ok(report)
}
