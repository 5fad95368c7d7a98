//! A record that was looked up by itself, for whoever judges it.

use serde_json::{Map, Value};

use super::facts::Told;
use super::persons::{Described, Found, Persons};
use crate::condition::Facts;
use crate::vocabulary::{Field, Module};

/// What a record holds, as it is meant.
pub struct Sheet<'r> {
    module: &'r Module,
    id: &'r str,
    fields: Vec<Field>,
    found: Vec<Found>,
}

impl<'r> Sheet<'r> {
    /// The record of this id. What it tells twice is not known.
    pub fn of(module: &'r Module, id: &'r str, record: Map<String, Value>) -> Self {
        let (mut fields, mut found): (Vec<Field>, Vec<Found>) = Default::default();
        for (name, value) in record {
            let field = Field::fold(&name);
            let place = fields.iter().position(|known| *known == field);
            match place.and_then(|place| found.get_mut(place)) {
                Some(known) => *known = Found::Unreadable,
                None => {
                    fields.push(field);
                    found.push(Found::As(value));
                }
            }
        }
        Self {
            module,
            id,
            fields,
            found,
        }
    }

    /// The same, for conditions.
    pub fn told<'s>(&'s self, persons: Option<&'s dyn Persons>) -> impl Facts + 's {
        let record = Described {
            module: self.module,
            id: Some(self.id),
            fields: &self.fields,
            found: &self.found,
        };
        Told::new(record, persons)
    }
}
