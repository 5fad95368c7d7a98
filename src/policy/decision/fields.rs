//! The fields that are known of a module before any record is read, numbered in the order of their names.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::dialect::{ID_KEY, MODULE_KEY, Shape};
use crate::json::Key;
use crate::vocabulary::Field;

use super::plan::{FieldRule, Show};

/// Bytes of a name that is folded without allocating.
const NAME_BYTES: usize = 128;

/// The rules of the fields that the policy or the dialect knows of a module. One look-up a name, however many there are.
#[derive(Debug, Default)]
pub struct KnownFields {
    /// Filled from policy and dialect only, so nobody can choose names that collide.
    numbers: HashMap<Field, usize, foldhash::fast::RandomState>,
    rules: Vec<Arc<FieldRule>>,
    names: Vec<QuotedName>,
    /// By number, the first for the beginning of a record: which field came next the last time. No more than a hint, so it
    /// does not matter who wrote it.
    followers: Vec<AtomicU32>,
}

/// No field is known to follow.
const NONE: u32 = u32::MAX;

/// How a field is recognised in a JSON text without a look-up.
#[derive(Clone, Copy, Debug)]
pub struct QuotedName {
    /// Its folded name as a key.
    pub key: Key,
    /// What becomes of its value.
    pub fate: ValueFate,
}

/// What becomes of a field's value, as far as its name and rule tell before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueFate {
    /// Every scalar stays as it is, and if `lists`, every list of scalars, too.
    Stays {
        /// Whether lists stay.
        lists: bool,
    },
    /// It is redacted, whatever it is.
    Redacted,
    /// It tells the record's id.
    Id {
        /// Whether scalars stay as they are; else the rule says.
        stays: bool,
    },
    /// It tells the record's module.
    Module {
        /// Whether scalars stay as they are; else the rule says.
        stays: bool,
    },
    /// The rule says.
    Ruled,
}

impl KnownFields {
    /// Numbers the fields that these rules are about. Of two rules of one field the last counts.
    pub fn new(rules: impl IntoIterator<Item = Arc<FieldRule>>) -> Self {
        let by_name: std::collections::BTreeMap<Field, Arc<FieldRule>> = rules
            .into_iter()
            .map(|rule| (rule.field.clone(), rule))
            .collect();
        let none = || AtomicU32::new(NONE);
        Self {
            followers: std::iter::repeat_with(none)
                .take(by_name.len() + 1)
                .collect(),
            numbers: by_name.keys().cloned().zip(0..).collect(),
            names: by_name.values().map(|rule| QuotedName::new(rule)).collect(),
            rules: by_name.into_values().collect(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The number of a field, however its name is written.
    pub fn number(&self, name: &str) -> Option<usize> {
        folded(name, |folded| self.numbers.get(folded).copied())
    }

    /// The rule of a field.
    pub fn rule(&self, number: usize) -> Option<&Arc<FieldRule>> {
        self.rules.get(number)
    }

    /// How a field is recognised without a look-up.
    #[inline]
    pub fn name(&self, number: usize) -> Option<&QuotedName> {
        self.names.get(number)
    }

    /// The field that came after another one, or at the beginning of a record, when it was last [told](Self::follows).
    pub fn follower(&self, after: Option<usize>) -> Option<usize> {
        let place = after.map_or(0, |after| after + 1);
        let number = self.followers.get(place)?.load(Ordering::Relaxed);
        (number != NONE).then_some(number as usize)
    }

    /// Tells that a field came after another one, or at the beginning of a record. Fields come in much the same order in
    /// all replies, so that whoever reads the next one knows what to expect.
    pub fn follows(&self, after: Option<usize>, number: usize) {
        let place = after.map_or(0, |after| after + 1);
        if let (Some(follower), Ok(number)) = (self.followers.get(place), u32::try_from(number)) {
            follower.store(number, Ordering::Relaxed);
        }
    }

    /// The rules in the order of their numbers.
    pub fn rules(&self) -> &[Arc<FieldRule>] {
        &self.rules
    }
}

/// Hands the ASCII-folded name on, mostly without allocating.
pub(in crate::policy) fn folded<T>(name: &str, each: impl FnOnce(&str) -> T) -> T {
    if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return each(name);
    }
    let mut buffer = [0; NAME_BYTES];
    if let Some(bytes) = buffer.get_mut(..name.len()) {
        bytes.copy_from_slice(name.as_bytes());
        bytes.make_ascii_lowercase();
        if let Ok(name) = std::str::from_utf8(bytes) {
            return each(name);
        }
    }
    each(Field::fold(name).as_str())
}

impl QuotedName {
    /// The name of the field that a rule is about.
    pub fn new(rule: &FieldRule) -> Self {
        let (name, stays) = (rule.field.as_str(), passes_scalars(&rule.show));
        Self {
            key: Key::new(name),
            fate: match (name, &rule.show) {
                (ID_KEY, _) => ValueFate::Id { stays },
                (MODULE_KEY, _) => ValueFate::Module { stays },
                (_, Show::Redact) => ValueFate::Redacted,
                (_, show) if stays => ValueFate::Stays {
                    lists: matches!(show, Show::Clear),
                },
                _ => ValueFate::Ruled,
            },
        }
    }
}

fn passes_scalars(show: &Show) -> bool {
    match show {
        Show::Clear => true,
        Show::Shaped(shape) => **shape == Shape::Scalar,
        _ => false,
    }
}
