//! The codes of problems with a policy. A code never changes its meaning and is never used again for another one.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = ($code:literal, $meaning:literal),)*) => {
        $(#[doc = $meaning] pub(in crate::policy) const $name: &str = $code;)*

        /// Every code with its meaning, for the documentation and its test.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning),)*];
    };
}

codes! {
    UNKNOWN_SECTION = ("P001", "a section that policies do not have"),
    NO_NAME = ("P002", "no file states the policy's name"),
    OTHER_NAME = ("P003", "files of one policy state different names"),
    TWICE = ("P004", "a name is defined twice"),
    BAD_NAME = ("P005", "a name is not of the accepted form"),
    NO_FILES = ("P006", "a policy folder holds no policy"),
    UNREADABLE = ("P007", "a policy file or folder cannot be read"),
    NOT_READ = ("P008", "a file or folder in a policy folder that is not read"),
    UNKNOWN_ROLE = ("P011", "a role that is not declared"),
    UNKNOWN_PURPOSE = ("P012", "a purpose that is not declared"),
    UNKNOWN_STRENGTH = ("P013", "a strength of authentication that is not declared"),
    UNKNOWN_CATEGORY = ("P014", "a data category that is neither built in nor defined"),
    UNKNOWN_EVIDENCE = ("P015", "a kind of evidence that does not exist"),
    UNKNOWN_MASK = ("P016", "a mask that does not exist, or one with a wrong argument"),
    UNKNOWN_MODULE = ("P018", "a module without a section under `classify`"),
    DEFAULT_PURPOSE_CLOSED = ("P020", "a role may not invoke its own default purpose"),
    WILDCARD_TECHNICAL = ("P021", "a wildcard classifies as `technical`"),
    INSTEAD_OF_WILDCARD = ("P022", "`instead_of` stands at a wildcard"),
    INSTEAD_OF_UNREVIEWED = ("P023", "`instead_of` without a dated review"),
    ROLES_AND_UNLESS = ("P024", "a rule with both `roles` and `unless_roles`"),
    WRITE_UNCHECKED = ("P025", "`write: allow` on a category without a checksum that the grant does not show in clear"),
    EVERYBODYS_ROLE = ("P026", "a role without evidence"),
    CAP_ALLOWS = ("P030", "`write: allow` on a cap"),
    BLANK_EVIDENCE = ("P029", "evidence that is blank"),
    BAD_DETECTOR = ("P031", "a key of a detector with a value that it does not know, or that its kinds do not take"),
    BAD_ROLE = ("P032", "a role whose keys contradict each other"),
    NO_ACTIONS = ("P033", "a role that no session of the CRM can reach, and that does not say what it may do"),
    TWO_WAYS = ("P034", "a role with evidence that no caller can have at once"),
    BAD_STRENGTH = ("P035", "a strength of authentication, or what asks for it, that nothing can prove"),
    BAD_DATE = ("P027", "a date that is not one"),
    NO_MODULE_OF_ALL = ("P028", "a section for all modules where one module must be named"),
    BAD_CONDITION = ("P050", "a condition that compares what does not compare, or asks for nothing"),
    BAD_CONSENT = ("P051", "terms of consent that contradict each other, or lack something"),
    BAD_EXCEPTION = ("P052", "an exception that lifts no cap which may be lifted, lasts too long, or is not approved by two"),
    BAD_PEOPLE = ("P053", "nothing says whom records are about, or it is said in two ways"),
    BAD_SCHEDULE = ("P054", "a schedule that is not declared, or that means no time"),
    BAD_RETENTION = ("P055", "a retention rule with a clock that tells nothing"),

    ROLE_WITHOUT_PURPOSE = ("W101", "a role that may invoke no purpose"),
    PURPOSE_WITHOUT_GRANT = ("W102", "a purpose for which nothing is granted"),
    NEVER_MATCHES = ("W103", "a grant none of whose roles may invoke any of its purposes"),
    CHANGES_NOTHING = ("W104", "a rule whose level cannot change a decision"),
    SHADOWED = ("W105", "a grant that another one makes superfluous"),
    HELD_DOWN = ("W106", "a grant that caps for everybody always hold down"),
    LOOKS_LIKE = ("W107", "a wildcard catches a field whose name merely looks like it"),
    TAKES_NOTHING = ("W108", "`instead_of` takes nothing away"),
    UNKNOWN_FIELD = ("W110", "a classified field that the CRM's module is not known to have"),
    PASSES_ANYWAY = ("W111", "a classified field that the dialect takes for scaffolding, so that everybody sees it"),
    SELF_MADE = ("W112", "a role rests on a field that other roles may write, so that callers can take it"),
    PASSES_UNREAD = ("W113", "a classified field that a description lets pass unread, so that everybody sees it"),
    ODD_EVIDENCE = ("W114", "evidence, or a value of a condition, with a character that looks like another one"),
    SPECIAL_SHOWN = ("W115", "data of Art. 9 or 10 GDPR is shown, and no cap says to whom alone it may be"),
    OUTSIDE_SPECIAL = ("W116", "a category that looks like data of Art. 9 or 10 GDPR and does not lie below `special` or `criminal`"),
    CATCHES_OTHERS = ("W117", "a wildcard shows fields whose names speak of something else"),
    TEXT_UNDETECTED = ("W118", "a text is shown in clear, and no detector looks for identifiers in it"),
    DETECTS_NOTHING = ("W119", "a detector looks where no text is"),
    MASK_SHOWS_MUCH = ("W120", "a mask shows too much of its category"),
    REACHES_ACCOUNTS = ("W121", "the section of all modules shows fields of the CRM's accounts"),
    EVERYBODYS_KIND = ("W122", "a role rests on a type that most accounts have, and gives more than other roles"),
    SEARCH_TOO_FEW = ("W123", "fewer searched fields than the CRM's search looks into, as it is delivered"),
    CAP_ESCAPED = ("W124", "a cap, a row rule or a limit that is escaped by naming another purpose"),
    UNKNOWN_TO_CRM = ("W125", "a module that the CRM is not known to have"),
    REVIEW_AHEAD = ("W126", "a review of a day that has not come"),
    EMPTY = ("W127", "a policy without roles, modules, classified fields or grants"),
    SEARCH_UNCLASSIFIED = ("W109", "a searched field is not classified, so that searches are refused"),

    OTHER_CRM = ("N202", "no module of the policy is one of the CRM's"),

    PURPOSE_UNORDERED = ("W130", "two roles with different default purposes of which none comes first, so that who has both is refused"),
    ORDER_UNUSED = ("W131", "a purpose in the order that is no role's default"),

    ALL_ROWS = ("N204", "a role without a session of the CRM, which sees all rows that the proxy's own account sees"),
    STRENGTH_UNREACHABLE = ("N205", "a strength of authentication that no caller of any listener can prove"),
    UNREACHED = ("N206", "a role that no caller of any listener can have"),
    OBSERVE_UNPAIRED = ("P040", "`mode: observe` without `until`, or `until` without it"),
    OBSERVE_TOO_LONG = ("P041", "something would observe for more than 90 days"),
    OBSERVE_FIRM = ("P042", "a firm cap that only observes"),
    OBSERVE_SPECIAL = ("P043", "a rule about data of Art. 9 or 10 GDPR that only observes"),
    OBSERVE_CLOSED = ("P044", "the whole policy only observes, and the configuration does not allow that"),
    OBSERVE_OVER = ("W140", "what observed until a day that is over: it is enforced"),
    OBSERVE_LONG = ("W141", "a cap that only observes and so protects nothing for more than 30 days"),
    OBSERVE_WHOLE = ("W142", "the whole policy only observes"),
    EXCEPTION_OVER = ("W143", "an exception that is over: its cap holds again"),
    EXCEPTIONS_CHAINED = ("W144", "exceptions that lift a cap one behind the other for more than 30 days"),
    ASKED_UNKNOWN = ("W156", "a condition asks for a field that nobody knows"),
    CONDITION_FIXED = ("W157", "a condition that never holds, or always does"),
    SELF_LIFTED = ("W158", "a rule asks for a field that those may write whom it is for, so that they choose what they see"),
    NOT_AMONG_PEOPLE = ("W159", "a module of which `people` does not say whom its records are about"),
    INEFFECTIVE = ("W150", "a rule without which nothing would change for anybody"),
    WRITES_NOTHING = ("W151", "`write: allow` that lets nobody write anything"),
    SAME_EVIDENCE = ("W152", "two roles that rest on the same evidence"),
    CLEAR_TO_ALL = ("W153", "sensitive data that is shown in clear in every role"),
    MASK_MISFITS = ("W154", "a mask that never fits fields of its category, by their types"),
    LOOKS_OTHERWISE = ("W155", "a wildcard catches fields whose types say that they are something else"),
    CATCHES_NOTHING = ("N211", "a wildcard that catches no field that this CRM is known to have"),
    OBSERVES = ("N210", "a rule that only observes"),

    BAD_LIMIT = ("P060", "a key of a limit with a value that it cannot have"),

    UNKNOWN_ISSUER = ("P036", "evidence of an issuer, or of a way, that the configuration does not have"),
    WORDS_GUESSED = ("N203", "a text in which a detector looks may be matched, so that its words can be guessed"),
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn no_code_is_used_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for (code, meaning) in CODES.iter().chain(crate::diagnostic::CODES) {
            assert!(seen.insert(code), "{code} is used twice");
            assert!(!meaning.is_empty());
        }
    }
}
