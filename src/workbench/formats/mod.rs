//! What may stand in the files that people write, as JSON Schemas (draft 2020-12), for editors.
//!
//! The readers of these files say what is wrong; a schema suggests while somebody types. A test holds each to its reader,
//! in both directions: keys, words and bounds.

use serde_json::{Map, Value, json};

mod agreed;
mod condition;
mod config;
mod description;
mod identity;
mod limits;
mod parts;
mod people;
mod policy;
mod portal;
mod routes;
mod rules;
mod schema;
mod sinks;
mod suite;
#[cfg(test)]
mod tests;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A file of a policy.
    Policy,
    /// Tests of a policy.
    Tests,
    /// A server's configuration.
    Config,
    /// The description of an API.
    Description,
    /// A schema file.
    Schema,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Policy,
        Self::Tests,
        Self::Config,
        Self::Description,
        Self::Schema,
    ];

    /// Its word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Tests => "tests",
            Self::Config => "config",
            Self::Description => "description",
            Self::Schema => "schema",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Policy => "A policy of Paravent",
            Self::Tests => "Tests of a policy of Paravent",
            Self::Config => "A server configuration of Paravent",
            Self::Description => "The description of an API, for Paravent",
            Self::Schema => "A schema file of Paravent",
        }
    }

    /// The JSON Schema of such files, its keys in order.
    pub fn schema(self) -> Value {
        let mut schema = match self {
            Self::Policy => policy::schema(),
            Self::Tests => suite::schema(),
            Self::Config => config::schema(),
            Self::Description => description::schema(),
            Self::Schema => schema::schema(),
        };
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema["$id"] = json!(format!("urn:paravent:schema:{}", self.as_str()));
        schema["title"] = json!(self.title());
        sorted(schema)
    }
}

/// The same value, the keys of each map in order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            let entries = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
