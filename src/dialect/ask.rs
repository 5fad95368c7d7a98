//! What somebody may want to know of a CRM, whatever its API: each dialect says how a client asks it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Bounds, Dialect, Operation, Outgoing, Projected, Understood};
use crate::vocabulary::{Action, Field, Module};

/// What is asked.
#[derive(Clone, Debug)]
pub enum Ask {
    /// One record.
    Read {
        /// Its module.
        module: Module,
        /// Its id.
        id: String,
        /// The fields; blank for all.
        fields: Vec<Field>,
    },
    /// Records of a module.
    List {
        /// The module.
        module: Module,
        /// The fields; blank for all.
        fields: Vec<Field>,
        /// A field that is compared with something.
        filter: Option<Field>,
        /// A field that orders them.
        sort: Option<Field>,
    },
    /// Records of a module where a field has a value.
    Filter {
        /// The module.
        module: Module,
        /// The field.
        by: Field,
        /// The value.
        value: Value,
    },
    /// Records of a module in the order of a field.
    Sort {
        /// The module.
        module: Module,
        /// The field.
        by: Field,
    },
    /// A full-text search.
    Search {
        /// The module.
        module: Module,
        /// The text.
        text: String,
    },
    /// An update of a record.
    Write {
        /// Its module.
        module: Module,
        /// Its id.
        id: String,
        /// The fields, and what they become.
        set: Map<String, Value>,
    },
    /// A new record.
    Create {
        /// Its module.
        module: Module,
        /// Its fields.
        fields: Map<String, Value>,
    },
}

/// The same, in the parts of an operation.
#[derive(Clone, Debug)]
pub(super) struct Meant<'a> {
    pub(super) action: Action,
    pub(super) module: &'a Module,
    pub(super) record: Option<&'a str>,
    pub(super) fields: &'a [Field],
    pub(super) compared: Option<(&'a Field, Value)>,
    pub(super) sorted: Option<&'a Field>,
    pub(super) search: Option<&'a str>,
    pub(super) write: Option<&'a Map<String, Value>>,
}

impl Ask {
    /// The module whose records are meant.
    pub fn module(&self) -> &Module {
        match self {
            Self::Read { module, .. }
            | Self::List { module, .. }
            | Self::Filter { module, .. }
            | Self::Sort { module, .. }
            | Self::Search { module, .. }
            | Self::Write { module, .. }
            | Self::Create { module, .. } => module,
        }
    }

    /// Whether it changes what the CRM holds.
    pub fn writes(&self) -> bool {
        matches!(self, Self::Write { .. } | Self::Create { .. })
    }

    /// The fields that it names.
    pub fn named(&self) -> BTreeSet<Field> {
        let fields: Vec<Field> = match self {
            Self::Search { .. } => Vec::new(),
            Self::Read { fields, .. } => fields.clone(),
            Self::List { filter, sort, .. } => filter.iter().chain(sort).cloned().collect(),
            Self::Filter { by, .. } | Self::Sort { by, .. } => vec![by.clone()],
            Self::Write { set, .. } | Self::Create { fields: set, .. } => {
                set.keys().map(|name| Field::fold(name)).collect()
            }
        };
        fields.into_iter().collect()
    }

    pub(super) fn meant(&self) -> Meant<'_> {
        let meant = Meant {
            action: Action::List,
            module: self.module(),
            record: None,
            fields: &[],
            compared: None,
            sorted: None,
            search: None,
            write: None,
        };
        match self {
            Self::Read { id, fields, .. } => Meant {
                action: Action::Read,
                record: Some(id),
                fields,
                ..meant
            },
            Self::List {
                fields,
                filter,
                sort,
                ..
            } => Meant {
                fields,
                compared: filter.as_ref().map(|field| (field, ANY_VALUE.into())),
                sorted: sort.as_ref(),
                ..meant
            },
            Self::Filter { by, value, .. } => Meant {
                compared: Some((by, value.clone())),
                ..meant
            },
            Self::Sort { by, .. } => Meant {
                sorted: Some(by),
                ..meant
            },
            Self::Search { text, .. } => Meant {
                search: Some(text),
                ..meant
            },
            Self::Write { id, set, .. } => Meant {
                action: Action::Update,
                record: Some(id),
                write: Some(set),
                ..meant
            },
            Self::Create { fields, .. } => Meant {
                action: Action::Create,
                write: Some(fields),
                ..meant
            },
        }
    }
}

impl Meant<'_> {
    /// Whether an operation means this, and nothing beside it.
    pub(super) fn is(&self, operation: &Operation) -> bool {
        let query = &operation.query;
        let is_written = match (self.write, &operation.write) {
            (None, None) => true,
            (Some(meant), Some(write)) => write.keys().all(|key| names(meant, key)),
            _ => false,
        };
        let is_created = self.action == Action::Create;
        operation.action == self.action
            && operation.module.as_ref() == Some(self.module)
            && operation.link.is_none()
            && (is_created || operation.record.as_deref() == self.record)
            && query.beside.is_empty()
            && query.search.as_deref() == self.search
            && is_written
            && self.is_compared(operation)
            && self.is_sorted(operation)
            && (self.action.writes() || self.is_projected(query.projection.as_deref()))
    }

    fn is_compared(&self, operation: &Operation) -> bool {
        let mut found = Vec::new();
        if let Some(predicate) = &operation.query.predicate {
            predicate.each_comparison(&mut |path, value| found.push((path, value)));
        }
        match (&self.compared, found.as_slice()) {
            (None, []) => true,
            (Some((field, value)), [(path, found)]) => {
                path.link.is_none()
                    && is_field(field, &path.field)
                    && text(value) == text(operand(found))
            }
            _ => false,
        }
    }

    fn is_sorted(&self, operation: &Operation) -> bool {
        match (self.sorted, operation.query.order.as_slice()) {
            (None, []) => true,
            (Some(field), [sort]) => {
                sort.path.link.is_none() && is_field(field, &sort.path.field) && !sort.descending
            }
            _ => false,
        }
    }

    /// Some APIs have no projections: then the CRM sends all.
    fn is_projected(&self, projection: Option<&[Projected]>) -> bool {
        let is_meant = |item: &Projected| match item {
            Projected::Field(name) => self.fields.iter().any(|field| is_field(field, name)),
            Projected::Collection { .. } => false,
        };
        projection
            .is_none_or(|items| items.len() == self.fields.len() && items.iter().all(is_meant))
    }
}

/// Whether a write names a field, itself or in an object of inner fields.
fn names(write: &Map<String, Value>, key: &str) -> bool {
    let within = |value: &Value| {
        value
            .as_object()
            .is_some_and(|inner| inner.contains_key(key))
    };
    write.contains_key(key) || write.values().any(within)
}

fn is_field(field: &Field, name: &str) -> bool {
    *field == Field::fold(name)
}

/// A value as a query string holds it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a request is understood as what was asked.
pub(super) fn means(
    dialect: &dyn Dialect,
    outgoing: &Outgoing,
    meant: &Meant<'_>,
    bounds: &Bounds,
) -> bool {
    match dialect.understand(&outgoing.incoming(), bounds) {
        Ok(Understood::One(exchange)) => meant.is(exchange.operation()),
        _ => false,
    }
}

/// Whether an operator of a comparison says that a field is a value. Without one, it does.
pub fn is_equality(operator: Option<&str>) -> bool {
    operator.is_none_or(|word| {
        let word = word.trim_start_matches('$');
        let mut known = EQUALITIES.iter();
        known.any(|known| known.eq_ignore_ascii_case(word))
    })
}

/// What a field is compared with: some APIs put it into an object, beside which other members may stand.
pub fn operand(value: &Value) -> &Value {
    match value {
        Value::Object(members) if members.len() == 1 => members.values().next().unwrap_or(value),
        value => value,
    }
}

/// Words for it.
const EQUALITIES: &[&str] = &["eq", "equals", "equal", "=", "==", "is"];
/// What a field is compared with where nobody says what.
const ANY_VALUE: &str = "1";
