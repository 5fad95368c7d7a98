//! What a plan says of records: the part of it that the filter asks.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::condition::Facts;
use crate::policy::{Conditions, FieldRule, Judged, KnownFields, Plan};
use crate::vocabulary::{Field, Module};

use super::facts::Wanted;

/// What a plan says of records.
pub(super) trait Terms: fmt::Debug + Send + Sync {
    /// The rule of a field.
    fn field(&self, module: &Module, name: &str) -> Arc<FieldRule>;

    /// How the name of one of a module's records is shown where another record copies it.
    fn display_name(&self, module: &Module) -> Option<Arc<FieldRule>>;

    /// Fields whose rules [`Terms::field`] need not be asked for. Where this returns the same ones again, all other fields
    /// of the module have the same rules again, too.
    fn fields(&self, module: &Module) -> Arc<KnownFields>;

    /// What must be looked at of a module's records before their rules are known; `None`: they all have those of
    /// [`Terms::field`].
    fn conditions(&self, module: &Module) -> Option<Arc<dyn Conditional>>;
}

/// What a plan says of the records of one module that are not all on the same terms.
pub(super) trait Conditional: fmt::Debug + Send + Sync {
    /// The fields that must be read.
    fn wanted(&self) -> &BTreeSet<Field>;

    /// Looks at a record.
    fn judge(&self, facts: &mut dyn Facts) -> Judged;

    /// The number of the rules that most records have, as far as can be guessed.
    fn usual(&self) -> u64;

    /// The rule of a field of records that have the rules of this number.
    fn field(&self, number: u64, name: &str) -> Arc<FieldRule>;

    /// As [`Terms::fields`], for those records.
    fn fields(&self, number: u64) -> Arc<KnownFields>;
}

impl Terms for Plan {
    fn field(&self, module: &Module, name: &str) -> Arc<FieldRule> {
        self.records(module).field(name)
    }

    fn display_name(&self, module: &Module) -> Option<Arc<FieldRule>> {
        self.records(module).display_name()
    }

    fn fields(&self, module: &Module) -> Arc<KnownFields> {
        self.records(module).fields().clone()
    }

    fn conditions(&self, module: &Module) -> Option<Arc<dyn Conditional>> {
        let conditions = Self::conditions(self, module)?;
        Some(Arc::new(conditions))
    }
}

impl Conditional for Conditions {
    fn wanted(&self) -> &BTreeSet<Field> {
        self.fields()
    }

    fn judge(&self, facts: &mut dyn Facts) -> Judged {
        Self::judge(self, facts)
    }

    fn usual(&self) -> u64 {
        Self::usual(self)
    }

    fn field(&self, number: u64, name: &str) -> Arc<FieldRule> {
        self.rules(number).field(name)
    }

    fn fields(&self, number: u64) -> Arc<KnownFields> {
        self.rules(number).fields().clone()
    }
}

/// How the records of one module are judged in one reply.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) module: Module,
    pub(super) conditions: Arc<dyn Conditional>,
    pub(super) wanted: Wanted,
    /// The fields that are read to judge records, and those of them that were asked for to do so only.
    pub(super) read: Arc<BTreeSet<Field>>,
    pub(super) added: Arc<BTreeSet<Field>>,
    /// What the last record was found to be.
    pub(super) expected: Expected,
}

/// The number of the rules that the last record of a module had, if it was there: the next one mostly has the same.
#[derive(Debug)]
pub(super) struct Expected(AtomicU64);

impl Expected {
    /// What nobody has looked at yet is guessed.
    pub(super) fn new(usual: u64) -> Self {
        Self(AtomicU64::new(usual))
    }

    pub(super) fn number(&self) -> Option<u64> {
        let number = self.0.load(Ordering::Relaxed);
        let is_guess = ![Conditions::UNJUDGED, Self::NEVER].contains(&number);
        is_guess.then_some(number)
    }

    pub(super) fn set(&self, judged: &Judged) {
        let number = match judged {
            Judged::There(number) => *number,
            Judged::Absent(_) => Conditions::UNJUDGED,
        };
        if self.0.load(Ordering::Relaxed) != Self::NEVER {
            self.0.store(number, Ordering::Relaxed);
        }
    }

    /// Guessing is of no use in this reply.
    pub(super) fn give_up(&self) {
        self.0.store(Self::NEVER, Ordering::Relaxed);
    }

    const NEVER: u64 = Conditions::IDS_ALONE;
}
