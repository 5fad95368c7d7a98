//! What a policy asks of records, said in a request: which records the CRM is asked for, which fields of them must be known
//! to judge them, and what a record that is not there looks like.
//!
//! Nothing here is relied on: each record of a reply is judged again.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Operation;
use super::carriers::flag;
use crate::condition::Resolved;
use crate::vocabulary::{Field, FieldPath, Module};

/// What must hold of the records of a module, so that they are there for the caller; `None`: nothing.
pub type Needed<'a> = &'a dyn Fn(&Module) -> Option<Resolved>;

/// The fields of a module's records by which they are judged.
pub type Judging<'a> = &'a dyn Fn(&Module) -> BTreeSet<Field>;

/// An operation that asks for no other records than those that are there for the caller, as far as the API can say which.
#[derive(Clone, Debug)]
pub struct Restricted {
    /// The operation. What the CRM selects for it is at least what the caller may have.
    pub operation: Operation,
    /// The modules of whose records the CRM may select, match or count more than the caller may have.
    pub unsaid: BTreeSet<Module>,
}

impl Restricted {
    /// The operation as it is, of whose records nothing is needed.
    pub(super) fn new(operation: &Operation) -> Self {
        Self {
            operation: operation.clone(),
            unsaid: BTreeSet::new(),
        }
    }

    /// The operation as it is: nothing of what is needed is said.
    pub(super) fn nothing_said(operation: &Operation, needed: Needed<'_>) -> Self {
        let modules = operation.modules().into_iter();
        Self {
            unsaid: modules
                .filter(|module| needed(module).is_some())
                .cloned()
                .collect(),
            operation: operation.clone(),
        }
    }
}

/// An operation that asks for more fields than its caller did.
#[derive(Clone, Debug)]
pub struct Widened {
    /// The operation.
    pub operation: Operation,
    /// The fields that its caller asked for nowhere: they are taken out of the reply.
    pub added: BTreeSet<FieldPath>,
}

impl Widened {
    /// An operation that asks for these fields too, of which its caller asked for those.
    pub(super) fn new(
        operation: Operation,
        named: &BTreeSet<FieldPath>,
        asked: &BTreeSet<FieldPath>,
    ) -> Self {
        Self {
            operation,
            added: named.difference(asked).cloned().collect(),
        }
    }
}

/// A field that lists the e-mail addresses of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressList {
    /// The field.
    pub field: Field,
    /// The member of each object there that is the address.
    pub address: &'static str,
    /// The member that says yes where it is the primary one.
    pub primary: &'static str,
    /// Whether only the reply about a single record tells it.
    pub of_single: bool,
}

impl AddressList {
    /// The addresses of a value, and whether each is the primary one; `None`, if it is no such list.
    pub fn read<'v>(&self, value: &'v Value) -> Option<Vec<(&'v str, bool)>> {
        let address = |item: &'v Value| {
            let is_primary = item.get(self.primary).and_then(flag);
            let address = item.get(self.address)?.as_str()?;
            Some((address, is_primary == Some(true)))
        };
        value.as_array()?.iter().map(address).collect()
    }
}

/// How the CRM answers a request about a record that it does not have.
#[derive(Clone, Debug, PartialEq)]
pub enum Absent {
    /// With an error.
    Error {
        /// Its status.
        status: u16,
        /// Its label.
        label: Option<&'static str>,
    },
    /// With a reply of success, which is filtered as any other. What it says of the record is not judged.
    Reply(Value),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::AddressList;
    use crate::vocabulary::Field;

    #[test]
    fn a_list_of_addresses_tells_which_is_the_primary_one_or_is_none() {
        let list = AddressList {
            field: Field::fold("email"),
            address: "email_address",
            primary: "primary_address",
            of_single: false,
        };
        let value = json!([
            {"email_address": "a@example.com", "primary_address": true, "opt_out": false},
            {"email_address": "b@example.com", "primary_address": "0"},
            {"email_address": "c@example.com"},
        ]);
        assert_eq!(
            list.read(&value).unwrap(),
            [
                ("a@example.com", true),
                ("b@example.com", false),
                ("c@example.com", false)
            ]
        );
        for other in [
            json!("a@example.com"),
            json!(null),
            json!([{"primary_address": true}]),
        ] {
            assert_eq!(list.read(&other), None, "{other}");
        }
    }
}
