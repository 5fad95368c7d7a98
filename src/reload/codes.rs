//! The codes of problems with a policy that is to come into force. A code never changes its meaning.

macro_rules! codes {
    ($($name:ident = ($code:literal, $meaning:literal),)*) => {
        $(#[doc = $meaning] pub const $name: &str = $code;)*

        /// Every code with its meaning, for the documentation and its test.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning),)*];
    };
}

codes! {
    TEST_FAILED = ("R001", "a test of the policy does not pass"),
    NO_TESTS = ("R002", "tests must pass, and there is none"),
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn each_code_is_documented() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/workbench/rollout.md");
        let text = std::fs::read_to_string(path).unwrap();
        for (code, meaning) in CODES {
            let row = format!("| {code} | {meaning} |");
            assert!(
                text.contains(&row),
                "docs/workbench/rollout.md lacks: {row}"
            );
        }
    }
}
