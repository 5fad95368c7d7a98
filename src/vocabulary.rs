//! The nouns that every other module speaks in.
//!
//! `docs/glossary.md` explains each of them in one line. Nothing here does I/O, reads a clock, or knows a CRM.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize, Serializer};

/// Makes a cheap-to-clone name that cannot be mistaken for another kind of name.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a name that was read from a policy, a dialect or the CRM.
            pub fn new(name: &str) -> Self {
                Self(Arc::from(name))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

name!(
    /// A kind of record in the CRM: `Contacts`. Case matters, as it does for the CRM.
    Module
);
name!(
    /// What a piece of data is: `financial.iban`. Owns its mask.
    Category
);
name!(
    /// Who somebody is to the policy: `sales`.
    Role
);
name!(
    /// Why data is used: `contract`.
    Purpose
);
name!(
    /// The name of a rule of the policy (a grant, a cap, a default), as it appears in `explain` and in the log.
    RuleName
);

impl Category {
    /// Whether a rule about `self` speaks of `other`: `financial` covers itself, `financial.iban`, and all below.
    pub fn covers(&self, other: &Self) -> bool {
        let (own, other) = (self.as_str(), other.as_str());
        other == own
            || other
                .strip_prefix(own)
                .is_some_and(|rest| rest.starts_with('.'))
    }
}

/// The name of a field, folded to ASCII lower case: `IBAN_C` and `iban_c` are one field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(Arc<str>);

impl Field {
    /// Folds a field name as it was written by a policy, a caller or the CRM.
    pub fn fold(name: &str) -> Self {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Self(Arc::from(name.to_ascii_lowercase()))
        } else {
            Self(Arc::from(name))
        }
    }

    /// The folded name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Field {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A field of a module: `Contacts.iban_c`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    /// The module that the field belongs to (of a related field: the link's target).
    pub module: Module,
    /// The folded field name.
    pub field: Field,
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FieldPath {
    /// A field of a module.
    pub fn new(module: &Module, field: &str) -> Self {
        Self {
            module: module.clone(),
            field: Field::fold(field),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module, self.field)
    }
}

/// A record of a module: `Contacts/c-1`. The id is the CRM's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordRef {
    /// The record's module.
    pub module: Module,
    /// The record's id, as the CRM or a request wrote it.
    pub id: Arc<str>,
}

impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.module, self.id)
    }
}

/// How much of a value is shown, from nothing to everything. The order is the meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The key is removed.
    Hide,
    /// The key stays, the value is `null` (or an empty list or object).
    Redact,
    /// A stable pseudonym stands in for the value.
    Token,
    /// The category's partial form stands in for the value.
    Mask,
    /// The value is unchanged.
    Clear,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 5] = [
        Self::Hide,
        Self::Redact,
        Self::Token,
        Self::Mask,
        Self::Clear,
    ];

    /// The same, each by its word.
    pub const NAMED: &[(&str, Self)] = &[
        ("hide", Self::Hide),
        ("redact", Self::Redact),
        ("token", Self::Token),
        ("mask", Self::Mask),
        ("clear", Self::Clear),
    ];

    /// The word for this level in policies, logs and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hide => "hide",
            Self::Redact => "redact",
            Self::Token => "token",
            Self::Mask => "mask",
            Self::Clear => "clear",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How texts are spelled in the JSON strings of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As they are.
    Plain,
    /// As HTML: with entities for quotes, brackets and more, sometimes twice.
    Html,
}

/// A name that lives as long as the process: equal names are one string. For names that an operator wrote in a file
/// that is read at start; what a caller or a CRM sends is never interned.
pub fn intern(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    // A set of names cannot be left half changed by a panic.
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name);
    name
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Logs in, refreshes or logs out.
    Auth,
    /// An envelope of several operations.
    Bulk,
    /// Counts records.
    Count,
    /// Makes a record.
    Create,
    /// Deletes a record.
    Delete,
    /// Reads several records.
    List,
    /// Reads the CRM's description of itself.
    Metadata,
    /// Something without data: a ping.
    Other,
    /// Reads one record.
    Read,
    /// Makes or ends a relation between records.
    Relate,
    /// Changes a record.
    Update,
}

impl Action {
    /// The word for this action in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Bulk => "bulk",
            Self::Count => "count",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Metadata => "metadata",
            Self::Other => "other",
            Self::Read => "read",
            Self::Relate => "relate",
            Self::Update => "update",
        }
    }

    /// Whether the CRM changes state, so that an `opened` event must be durable before it is asked.
    pub fn writes(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Delete | Self::Relate | Self::Update
        )
    }
}

/// The ways in which a request uses a field. One rule per category answers for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// Named in a projection.
    Shown,
    /// Compared with a value: a filter, a count, a look-up.
    Matched,
    /// Ordered or grouped by.
    Sorted,
    /// Looked into by the CRM's full-text search.
    Searched,
    /// Given a new value.
    Written,
}

/// One use of one field by a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldUse {
    /// The field.
    pub path: FieldPath,
    /// What the request does with it.
    pub how: Use,
}

/// What becomes of one key of a write, after `writeback` compared it with what the caller is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Only what was shown came back: the key is left out.
    Drop,
    /// Written as sent.
    Keep,
    /// Written with the original spans put back where masks stood.
    Replace(serde_json::Value),
}

/// The edits of a write, one a key, in the order of the body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edits(pub Vec<(String, Edit)>);
