//! The words of the API: what a module, an id, a link, a field may look like. Everything else is refused.

use crate::dialect::spelling::{is_name, is_word_byte};

/// Words that mean something in SQL where a column could stand.
const RESERVED: &[&str] = &[
    "all", "and", "any", "as", "asc", "between", "binary", "by", "case", "cast", "collate",
    "convert", "desc", "div", "else", "end", "escape", "exists", "false", "from", "having", "in",
    "interval", "into", "is", "join", "like", "limit", "match", "mod", "not", "null", "on", "or",
    "order", "regexp", "rlike", "row", "select", "some", "sounds", "then", "true", "union",
    "unknown", "when", "where", "xor",
];

/// `Contacts`, `AOS_Quotes`. Case matters to the CRM.
pub(super) fn is_module(text: &str) -> bool {
    is_name(text, |byte| byte.is_ascii_alphabetic(), is_word_byte)
}

/// A UUID, `1`, `seed_max_id`.
pub(super) fn is_id(text: &str) -> bool {
    is_name(
        text,
        |byte| byte.is_ascii_alphanumeric(),
        |byte| is_word_byte(byte) || byte == b'-' || byte == b'.',
    )
}

/// `contacts`, `SecurityGroups`.
pub(super) fn is_link(text: &str) -> bool {
    is_name(text, |byte| byte.is_ascii_alphabetic(), is_word_byte)
}

/// `last_name`, `UserType`. Also the name of a table.
pub(super) fn is_field(text: &str) -> bool {
    is_name(
        text,
        |byte| byte.is_ascii_alphabetic() || byte == b'_',
        is_word_byte,
    )
}

/// A field that can stand as a column in SQL.
pub(super) fn is_column(text: &str) -> bool {
    is_field(text) && !RESERVED.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::{is_column, is_field, is_id, is_link, is_module};

    #[test]
    fn names_of_each_kind_are_told_apart() {
        assert!(is_module("Contacts") && is_module("AOS_Quotes"));
        assert!(!is_module("1Contacts") && !is_module("Contacts ") && !is_module(""));
        assert!(is_id("239a0f1a-9717-5533-9b0b-02982d49e6a2") && is_id("1"));
        assert!(!is_id("1' OR '1'='1") && !is_id("") && !is_id("..") && !is_id(&"a".repeat(65)));
        assert!(is_link("SecurityGroups") && is_link("member_of") && !is_link("a-b"));
        assert!(is_field("IBAN_c") && is_field("_x") && !is_field("a.b") && !is_field("iban_c "));
        assert!(is_column("name") && !is_column("NULL") && !is_column("Case"));
    }
}
