//! What values of a field are, by the CRM's own word for its type.

use super::Schema;
use crate::vocabulary::{Field, Module};

/// What values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueType {
    /// Whatever somebody types.
    Text,
    /// One of a list of words, or several.
    Choice,
    /// A day, or a moment.
    Date,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
}

/// Words for types, in lower case. Amounts are text where a CRM writes them with their currency, so none of them stands here.
const WORDS: &[(ValueType, &[&str])] = &[
    (
        ValueType::Text,
        &[
            "char", "email", "fullname", "longtext", "name", "phone", "string", "text", "url",
            "varchar", "wysiwyg",
        ],
    ),
    (
        ValueType::Choice,
        &[
            "array",
            "checklist",
            "dynamicenum",
            "enum",
            "multienum",
            "radioenum",
            "set",
        ],
    ),
    (
        ValueType::Date,
        &["date", "datetime", "datetimecombo", "timestamp"],
    ),
    (
        ValueType::Number,
        &[
            "autoincrement",
            "bigint",
            "int",
            "integer",
            "long",
            "short",
            "tinyint",
        ],
    ),
    (ValueType::Flag, &["bool", "boolean", "checkbox"]),
];

impl ValueType {
    /// What it is called in a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Choice => "a choice",
            Self::Date => "a date",
            Self::Number => "a number",
            Self::Flag => "yes or no",
        }
    }

    fn of(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let known = WORDS
            .iter()
            .find(|(_, words)| words.contains(&word.as_str()));
        known.map(|(kind, _)| *kind)
    }
}

impl Schema {
    /// What values of a field are, where a schema file, or the CRM, says its type in a word that is known.
    pub fn value_type(&self, module: &Module, field: &Field) -> Option<ValueType> {
        let known = self.beside().field(module, field.as_str())?;
        ValueType::of(known.kind.as_deref()?)
    }
}
