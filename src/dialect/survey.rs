//! How an API is asked, with the proxy's own account, what a CRM holds: its modules, what it says of their fields, and their
//! records, page by page.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Exchange, Modules, Outgoing};
use crate::door::Credential;
use crate::vocabulary::{FieldPath, Module};

mod agreed;
mod rows;

pub(in crate::dialect) use agreed::is_yes;
pub use agreed::{Confirmation, ConsentFields, Said};
pub use rows::{Row, rows};

/// A part of the records of a module.
#[derive(Clone, Copy, Debug)]
pub struct PageOf<'a> {
    /// The module.
    pub module: &'a Module,
    /// Records before it.
    pub offset: u64,
    /// Records in it, at most.
    pub limit: u32,
    /// Whether they are in the order of their ids, as far as the API can be asked for one.
    pub by_id: bool,
    /// Whether what persons confirmed is asked, too, where the API keeps that beside its records.
    pub confirmed: bool,
}

/// A question, and the module that its answer is about where the answer does not say so.
pub type AboutModule = (Option<Module>, Outgoing);

/// What an API can be asked of what a CRM holds. Whatever it has no request for, it does not tell.
pub trait Survey {
    /// A page of the records of a module with all their fields, in whatever order the CRM has; `None` if there is no such
    /// request. Pages that follow each other are of one size.
    fn page(
        &self,
        _version: &str,
        _credential: &Credential,
        _page: PageOf<'_>,
    ) -> Option<Box<dyn Exchange>> {
        None
    }

    /// Whether the pages of a module are counted, so that each begins at a multiple of their size.
    fn numbers_pages(&self, _module: &Module) -> bool {
        false
    }

    /// In which fields records say what persons agreed to; `None`: nobody has told.
    fn consent(&self) -> Option<&ConsentFields> {
        None
    }

    /// What a policy calls it that persons confirmed an address by a link in a mail; `None`: the API does not tell.
    fn confirmed(&self) -> Option<&'static str> {
        None
    }

    /// What an answer to a page says of that, by the ids of its records.
    fn confirmations(&self, _answer: &Value) -> BTreeMap<String, Vec<Confirmation>> {
        BTreeMap::new()
    }

    /// The question which modules there are.
    fn naming(&self, _version: &str, _credential: &Credential) -> Option<Outgoing> {
        None
    }

    /// The modules that an answer to it names; `None` if it is no such answer.
    fn named(&self, _answer: &[u8]) -> Option<Vec<Module>> {
        None
    }

    /// The questions whose answers describe the fields of modules, for [`super::Dialect::described`].
    fn describing(
        &self,
        _version: &str,
        _credential: &Credential,
        _modules: &[Module],
    ) -> Vec<AboutModule> {
        Vec::new()
    }

    /// The fields that the CRM itself has marked as personal, in an answer that describes.
    fn marked(&self, _answer: &[u8]) -> BTreeSet<FieldPath> {
        BTreeSet::new()
    }

    /// The field in which the names of the CRM's roles stand.
    fn roles(&self) -> Option<FieldPath> {
        None
    }

    /// The files of a policy for the CRM as it is delivered, whose classification a new policy may begin with.
    fn starter(&self) -> &'static [&'static str] {
        &[]
    }
}

/// What a field's type says of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A yes or no.
    Flag,
    /// One or several of a few words.
    Choice,
    /// A number.
    Number,
    /// An amount of money.
    Money,
    /// A day, or a moment.
    Time,
    /// A short text.
    Text,
    /// A text of any length, in which people write what they like.
    Prose,
    /// A mail address.
    Mail,
    /// A telephone number.
    Phone,
    /// An address in the web.
    Url,
    /// The id of a record.
    Id,
    /// What is no value of its own.
    Other,
}

impl Sort {
    /// By a CRM's own word for a type; `None` for one that nobody knows.
    pub fn of(kind: &str) -> Option<Self> {
        Some(match kind.to_ascii_lowercase().as_str() {
            "bool" | "boolean" | "checkbox" => Self::Flag,
            "enum" | "multienum" | "radioenum" | "dynamicenum" | "array" | "select" => Self::Choice,
            "int" | "integer" | "tinyint" | "uint" | "ulong" | "long" | "float" | "double"
            | "decimal" | "decimal2" => Self::Number,
            "currency" => Self::Money,
            "date" | "datetime" | "datetimecombo" | "time" => Self::Time,
            "varchar" | "char" | "name" | "fullname" | "username" | "user_name" => Self::Text,
            "text" | "longtext" | "mediumtext" | "textarea" | "html" | "wysiwyg" => Self::Prose,
            "email" => Self::Mail,
            "phone" => Self::Phone,
            "url" | "iframe" => Self::Url,
            "id" | "assigned_user_name" => Self::Id,
            "relate" | "link" | "parent" | "parent_type" | "file" | "image" | "password"
            | "encrypt" | "tag" | "team_list" | "function" => Self::Other,
            _ => return None,
        })
    }
}

/// What a CRM says of modules in several answers, together.
pub fn together(all: &mut Modules, said: &Modules) {
    for (module, known) in said.iter() {
        if let Some(entry) = all.entry(module) {
            entry.fields.extend(known.fields.clone());
            entry.links.extend(known.links.clone());
            entry.table = known.table.clone().or_else(|| entry.table.take());
        }
    }
}

#[cfg(test)]
mod tests;
