//! The dialects that a configuration may name.

use std::sync::Arc;

use super::{Database, Dialect, sugar_rest, sugar_v4, suitecrm_v8};

/// The dialects that a configuration may name, before a CRM on MySQL.
pub fn by_name(name: &str) -> Option<Arc<dyn Dialect>> {
    before(name, Database::Mysql)
}

/// The dialects that a configuration may name, before a CRM on a database.
pub fn before(name: &str, database: Database) -> Option<Arc<dyn Dialect>> {
    match name {
        "sugar-rest" => Some(Arc::new(sugar_rest::SugarRest::new())),
        "sugar-v4" => Some(Arc::new(sugar_v4::SugarV4::before(database))),
        "suitecrm-v8" => Some(Arc::new(suitecrm_v8::SuiteCrmV8::new())),
        _ => None,
    }
}

/// Names of all dialects, for messages.
pub const NAMES: &[&str] = &["sugar-rest", "sugar-v4", "suitecrm-v8"];
