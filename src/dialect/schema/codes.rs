//! The codes of problems with a schema file. A code never changes its meaning.

macro_rules! codes {
    ($($name:ident = ($code:literal, $meaning:literal),)*) => {
        $(#[doc = $meaning] pub(crate) const $name: &str = $code;)*

        /// Every code with its meaning, for the documentation and its test.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning),)*];
    };
}

codes! {
    UNREADABLE = ("S001", "the file cannot be read"),
    BAD_NAME = ("S002", "a name is not of the accepted form"),
    OTHER_DIALECT = ("S003", "the schema is of another dialect, or of none that is spoken here"),
    UNKNOWN_MODULE = ("S004", "a copy or a link leads to a module that neither the stock nor the file knows"),
    CONTRADICTION = ("S005", "a field, link or table is known to be something else"),
    AMBIGUOUS = ("S006", "a field cannot be a secret and a copy, nor a field and a link"),
    TOO_LARGE = ("S007", "there are more modules, fields or links than are kept"),
    NOTHING = ("S101", "a schema that says nothing"),
}
