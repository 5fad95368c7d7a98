//! Filters in two levels, as HubSpot's search has them: one of the groups holds, and in it each item.

use serde_json::{Map, Value};

use super::{Items, Scope, VALUES_MAX};
use crate::dialect::Predicate;
use crate::dialect::carriers::Name;
use crate::reason::Reason;

/// Where the groups stand, and what their items look like.
#[derive(Debug)]
pub(in crate::dialect) struct Groups {
    pub(in crate::dialect) at: Name,
    /// The member of a group that holds its items.
    pub(in crate::dialect) member: String,
    pub(in crate::dialect) items: Items,
}

impl Groups {
    /// What a list of groups means; no group at all asks for nothing in particular.
    pub(in crate::dialect) fn read(
        &self,
        list: Value,
        scope: Scope<'_>,
    ) -> Result<Vec<Predicate>, Reason> {
        let Value::Array(groups) = list else {
            return Err(Reason::MalformedFilter);
        };
        let mut left = VALUES_MAX;
        let mut any = Vec::new();
        for group in groups {
            let items = self.items_of(group)?;
            left = left
                .checked_sub(items.len())
                .ok_or(Reason::MalformedFilter)?;
            let items = items.into_iter().map(|item| self.items.read(item, scope));
            any.push(Predicate::All(items.collect::<Result<_, _>>()?));
        }
        Ok(match any.is_empty() {
            true => Vec::new(),
            false => vec![Predicate::Any(any)],
        })
    }

    /// The items of a group. One without items could hold for every record, or for none.
    fn items_of(&self, group: Value) -> Result<Vec<Value>, Reason> {
        let Value::Object(mut members) = group else {
            return Err(Reason::MalformedFilter);
        };
        match members.shift_remove(&self.member) {
            Some(Value::Array(items)) if members.is_empty() && !items.is_empty() => Ok(items),
            _ => Err(Reason::MalformedFilter),
        }
    }

    pub(in crate::dialect) fn write(&self, filter: &Predicate, scope: Scope<'_>) -> Value {
        let Predicate::Any(groups) = filter else {
            return Value::Null;
        };
        let group = |group: &Predicate| {
            let Predicate::All(items) = group else {
                return Value::Null;
            };
            let items = items.iter().map(|item| self.items.item(item, scope));
            Value::Object(Map::from_iter([(self.member.clone(), items.collect())]))
        };
        groups.iter().map(group).collect()
    }
}
