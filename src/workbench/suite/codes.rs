//! The codes of problems with tests. A code never changes its meaning.

macro_rules! codes {
    ($($name:ident = ($code:literal, $meaning:literal),)*) => {
        $(#[doc = $meaning] pub(super) const $name: &str = $code;)*

        /// Every code with its meaning, for the documentation and its test.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning),)*];
    };
}

codes! {
    OTHER_POLICY = ("T001", "a suite that is of another policy"),
    SAME_SUITE = ("T002", "two suites of one name"),
    EMPTY = ("T003", "a suite with neither cases nor `always`"),
    TWICE = ("T004", "a name that stands for two cases, two promises or two records"),
    UNUSED = ("T005", "a person or record that no case uses"),
    BAD_NAME = ("T006", "a name that is blank or too long"),
    UNKNOWN_PERSON = ("T007", "a person that is not among `people`"),
    UNKNOWN_RECORD = ("T008", "a record that is not among `records`"),
    UNKNOWN_REASON = ("T009", "a reason that no request is refused for"),
    UNKNOWN_DIALECT = ("T010", "a dialect for which these tests are not run"),
    UNKNOWN_ROLE = ("T011", "a role that the policy does not declare"),
    UNKNOWN_PURPOSE = ("T012", "a purpose that the policy does not declare"),
    UNKNOWN_STRENGTH = ("T013", "a strength of authentication that the policy does not declare"),
    UNKNOWN_CATEGORY = ("T014", "a data category that the policy does not know"),
    UNKNOWN_MODULE = ("T015", "a module that neither the policy nor the CRM knows"),
    UNKNOWN_FIELD = ("T016", "a field that neither a record, the policy nor the CRM knows"),
    NOT_ONE_ACTION = ("T020", "a case that does not do exactly one thing"),
    NOT_OF_ACTION = ("T021", "a key that does not go with what a case does"),
    EXPECTS_NOTHING = ("T022", "a case that expects nothing"),
    CONTRADICTION = ("T023", "expectations that cannot hold together"),
    LACKING = ("T024", "an expectation about a field that the record lacks"),
    BLANK = ("T025", "a level that cannot be seen of a blank"),
    NOT_ONE_WAY = ("T026", "a person who does not come by exactly one way"),
    BAD_MOMENT = ("T027", "a moment that is not one"),
    NO_PROMISE = ("T028", "an `always` that forbids nothing, or everything"),
    BAD_ID = ("T029", "a record without an id"),

    NO_MOMENT = ("T030", "a case without `now`, where rules look at the time"),
    FAILED = ("T040", "a case that does not come out as it says"),
    BROKEN = ("T041", "a promise that does not hold"),
    NO_TESTS = ("T042", "no tests, where there must be some"),
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn no_code_is_used_twice_and_each_is_documented() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/workbench/test.md");
        let text = std::fs::read_to_string(path).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for (code, meaning) in CODES {
            assert!(seen.insert(code), "{code} is used twice");
            let row = format!("| {code} | {meaning} |");
            assert!(text.contains(&row), "docs/workbench/test.md lacks: {row}");
        }
    }
}
