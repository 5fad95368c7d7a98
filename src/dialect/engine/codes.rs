//! The codes of problems with a description. A code never changes its meaning.

macro_rules! codes {
    ($($name:ident = ($code:literal, $meaning:literal),)*) => {
        $(#[doc = $meaning] pub(super) const $name: &str = $code;)*

        /// Every code with its meaning, for the documentation and its test.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning),)*];
    };
}

codes! {
    UNREADABLE = ("D001", "the file cannot be read"),
    BAD_NAME = ("D002", "a name is not of the accepted form"),
    BAD_ROUTE = ("D003", "a route is not of the form `GET /path/{place}`"),
    OVERLAP = ("D004", "two routes fit the same requests"),
    NO_RECORDS = ("D005", "a route does not say what passes in its reply, or of which module it is, or lets records pass as `opaque`"),
    BAD_PATH = ("D006", "a JSONPath is not understood, needs more than names and wildcards, or contradicts another one"),
    BAD_PREDICATES = ("D007", "a style of predicates lacks what it needs"),
    UNKNOWN_MODULE = ("D008", "a module or link that the description does not have"),
    NO_LOOK_UP = ("D009", "an update without a read of the same record"),
    NO_CALLER = ("D010", "nothing tells whose a credential is"),
    TWICE = ("D011", "a parameter has two meanings"),
    MISPLACED = ("D012", "a key that means nothing here"),
}
