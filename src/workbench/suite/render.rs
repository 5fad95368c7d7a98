//! What came of suites, for people.

use crate::diagnostic::grouped;
use crate::vocabulary::Category;

use super::verdicts::placed;
use super::{AlwaysVerdict, CaseVerdict, Verdicts};

fn count(number: usize, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(number as u64),
        if number == 1 { one } else { many }
    )
}

impl Verdicts {
    /// For people. Each failure is told with its place.
    pub fn render(&self, coverage: bool) -> String {
        let mut text = format!("policy `{}`\n", self.policy);
        let mut suites: Vec<&str> = self.cases.iter().map(|case| case.suite.as_str()).collect();
        suites.dedup();
        for suite in suites {
            text.push_str(&self.suite(suite));
        }
        if !self.always.is_empty() {
            text.push_str(&self.promises());
        }
        if coverage {
            text.push_str(&self.coverage.render());
        }
        let result = if self.passed() { "passed" } else { "FAILED" };
        text.push_str(&format!("test result: {result}\n"));
        text
    }

    fn suite(&self, name: &str) -> String {
        let cases: Vec<&CaseVerdict> = self
            .cases
            .iter()
            .filter(|case| case.suite == name)
            .collect();
        let passed = cases.iter().filter(|case| case.passed()).count();
        let mut text = format!(
            "{name}  {}, {} passed\n",
            count(cases.len(), "case", "cases"),
            grouped(passed as u64)
        );
        for case in cases.iter().filter(|case| !case.passed()) {
            text.push_str(&format!(
                "  FAILED  {}  {}\n",
                case.name,
                placed(&case.place)
            ));
            for line in &case.why {
                text.push_str(&format!("          {line}\n"));
            }
        }
        text
    }

    fn promises(&self) -> String {
        let states: usize = self.always.iter().map(|one| one.states).sum();
        let mut text = format!(
            "always  {} over {}\n",
            count(self.always.len(), "promise", "promises"),
            count(states, "state", "states")
        );
        for one in &self.always {
            text.push_str(&promise(one));
        }
        text
    }
}

fn promise(one: &AlwaysVerdict) -> String {
    if one.passed() {
        let mut text = format!("  passed  {}\n", one.name);
        let unlooked: Vec<&str> = one.unlooked.iter().map(Category::as_str).collect();
        if !unlooked.is_empty() {
            text.push_str(&format!(
                "          but of texts: no detector looks there for {}\n",
                unlooked.join(", ")
            ));
        }
        return text;
    }
    let mut text = format!("  FAILED  {}  {}\n", one.name, placed(&one.place));
    for line in one.why() {
        text.push_str(&format!("          {line}\n"));
    }
    text
}
