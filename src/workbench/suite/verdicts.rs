//! What came of suites.

use serde_json::{Value, json};

use crate::diagnostic::{Place, odd};
use crate::policy::{Counterexample, How, Never, Proved};
use crate::vocabulary::{Category, Level, Role, RuleName};

use super::Coverage;

/// What came of suites.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// The name of the policy.
    pub policy: String,
    /// Of each case, in the order of the files.
    pub cases: Vec<CaseVerdict>,
    /// Of each `always`.
    pub always: Vec<AlwaysVerdict>,
    /// Which rules the cases exercise.
    pub coverage: Coverage,
}

/// What came of one case.
#[derive(Debug)]
pub struct CaseVerdict {
    /// Its suite.
    pub suite: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Why it failed, in lines; none: it passed.
    pub why: Vec<String>,
}

/// What came of one `always`.
#[derive(Debug)]
pub struct AlwaysVerdict {
    /// Its suite.
    pub suite: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What must not happen.
    pub how: How,
    /// How many states were looked at.
    pub states: usize,
    /// The smallest state in which it happens; none: it never does.
    pub counterexample: Option<Counterexample>,
    /// The rules that made it so, with their places.
    pub because: Vec<String>,
    /// Categories for which no detector looks, so that of texts nothing is proved.
    pub unlooked: Vec<Category>,
}

impl Verdicts {
    /// Whether all of them passed. No tests are never a pass.
    pub fn passed(&self) -> bool {
        let cases = self.cases.iter().all(CaseVerdict::passed);
        let always = self.always.iter().all(AlwaysVerdict::passed);
        cases && always && !(self.cases.is_empty() && self.always.is_empty())
    }

    /// How many cases and promises failed.
    pub fn failed(&self) -> usize {
        let cases = self.cases.iter().filter(|case| !case.passed()).count();
        let always = self.always.iter().filter(|one| !one.passed()).count();
        cases + always
    }

    /// For scripts.
    pub fn to_json(&self) -> Value {
        json!({
            "cases": self.cases.iter().map(CaseVerdict::to_json).collect::<Vec<_>>(),
            "always": self.always.iter().map(AlwaysVerdict::to_json).collect::<Vec<_>>(),
            "coverage": self.coverage.to_json(),
        })
    }
}

impl CaseVerdict {
    /// Whether everything came as it was expected.
    pub fn passed(&self) -> bool {
        self.why.is_empty()
    }

    fn to_json(&self) -> Value {
        json!({
            "suite": self.suite,
            "name": self.name,
            "result": result(self.passed()),
            "why": self.why,
        })
    }
}

impl AlwaysVerdict {
    pub(super) fn new(
        suite: &str,
        place: &Place,
        never: &Never,
        proved: Proved,
        because: Vec<String>,
    ) -> Self {
        Self {
            suite: suite.to_owned(),
            name: never.name.clone(),
            place: place.clone(),
            how: never.how.clone(),
            states: proved.states,
            counterexample: proved.counterexample,
            because,
            unlooked: proved.unlooked.into_iter().collect(),
        }
    }

    /// Whether it never happens.
    pub fn passed(&self) -> bool {
        self.counterexample.is_none()
    }

    fn to_json(&self) -> Value {
        let counterexample = self.counterexample.as_ref().map(|found| {
            json!({
                "roles": found.state.roles,
                "purpose": found.state.purpose,
                "auth": found.state.strengths,
                "when": found.supposed.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "category": found.category,
                "field": found.field,
                "how": found.how,
                "level": found.level,
                "by": found.by,
            })
        });
        json!({
            "name": self.name,
            "result": result(self.passed()),
            "states": self.states,
            "counterexample": counterexample,
        })
    }

    /// Why it failed, in lines; none: it passed.
    pub fn why(&self) -> Vec<String> {
        let Some(found) = &self.counterexample else {
            return Vec::new();
        };
        let roles: Vec<&str> = found.state.roles.iter().map(Role::as_str).collect();
        let auth: Vec<&str> = found.state.strengths.iter().map(String::as_str).collect();
        let auth = match auth.as_slice() {
            [] => "none".to_owned(),
            auth => format!("[{}]", auth.join(", ")),
        };
        let mut lines = vec![
            "smallest counterexample:".to_owned(),
            format!(
                "  roles [{}]  purpose {}  auth {auth}",
                roles.join(", "),
                found.state.purpose
            ),
        ];
        if !found.supposed.is_empty() {
            let supposed: Vec<String> = found.supposed.iter().map(ToString::to_string).collect();
            lines.push(format!("  {}", supposed.join(", ")));
        }
        lines.push(format!("  {}", self.what_happens(found)));
        for (at, rule) in self.because.iter().enumerate() {
            let head = if at == 0 { "because" } else { "" };
            lines.push(format!("{head:<9}{rule}"));
        }
        lines.push(format!("{:<9}{}", "help", help(found)));
        lines
    }

    fn what_happens(&self, found: &Counterexample) -> String {
        let what = match &found.field {
            Some(field) => format!("{field} ({})", found.category),
            None => found.category.to_string(),
        };
        match (found.how, self.how.at_least) {
            ("shown", Some(least)) => {
                format!("{what} = {}, must be below {least}", found.level)
            }
            (how, _) => format!("{what} can be {how}, at level {}", found.level),
        }
    }
}

/// How a promise is kept.
fn help(found: &Counterexample) -> String {
    let category = &found.category;
    let rules: Vec<&str> = found
        .by
        .iter()
        .map(RuleName::as_str)
        .filter(|name| !name.starts_with("defaults."))
        .collect();
    let rules = match rules.as_slice() {
        [] => "a grant".to_owned(),
        rules => format!("`{}`", rules.join("`, `")),
    };
    let unless = "; if it is meant, say so under `unless`";
    match found.how {
        "shown" if rules == "a grant" => {
            "say `hide` under `defaults`, or a higher `at_least`".to_owned()
        }
        "shown" => format!("lower `{category}` by a cap, or make {rules} narrower{unless}"),
        "written" => format!("say `write: deny` at {rules}, or by a cap on `{category}`{unless}"),
        // By a text that may be used, while what stands in it is withheld.
        _ if found.level < Level::Clear => format!(
            "let the detector that looks for `{category}` in this text have all `uses`; if texts do not count, say `fields_only: true`"
        ),
        _ => format!(
            "what is clear can be used: lower `{category}` by a cap, or make {rules} narrower{unless}"
        ),
    }
}

fn result(passed: bool) -> &'static str {
    match passed {
        true => "passed",
        false => "failed",
    }
}

/// A place in one word.
pub(super) fn placed(place: &Place) -> String {
    format!("{}:{}", odd::visible(place.file.path()), place.line())
}
