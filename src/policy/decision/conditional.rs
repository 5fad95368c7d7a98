//! Rules that ask for something of a record: what is left of them for one request, and what a record gets then.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::condition::{Asker, Facts as Told, Resolved};
use crate::vocabulary::{Field, Module, RuleName};

use super::super::language::model::{Bit, Model, Noted, RowRule};
use super::engine::{Facts, Situation};
use super::plan::RecordRules;
use super::table::Tables;

/// What a request's rules ask for of records.
pub(in crate::policy) struct RecordTerms {
    tables: Tables,
    /// The situation, as far as no record changes it; as for a record of which nothing is known.
    base: Situation,
    base_bits: u64,
    /// Conditions that each record answers for itself, and whether they withhold.
    asked: Vec<(Bit, Resolved, bool)>,
    rows: Vec<(RuleName, BTreeSet<Module>, Resolved)>,
}

/// What must be looked at of a module's records before their rules are known.
#[derive(Clone)]
pub struct Conditions {
    terms: Arc<RecordTerms>,
    module: Module,
    fields: BTreeSet<Field>,
    /// What must hold for a record to be there, all of it.
    rows: Vec<(RuleName, Resolved)>,
}

/// What was found of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It is there, and has the rules of this number.
    There(u64),
    /// For this caller it is not there, because of this rule.
    Absent(RuleName),
}

impl Model {
    /// The facts of a request, as far as no record changes them, and what records are asked for.
    fn resolved(&self, asker: &Asker<'_>) -> (u64, Vec<(Bit, Resolved, bool)>) {
        let (mut bits, mut asked) = (0, Vec::new());
        for (bit, noted) in (0..).map(Bit).zip(&self.conditions) {
            let Noted {
                condition,
                withholds,
            } = noted;
            let resolved = condition.resolve(asker);
            // Whatever withholds does so in doubt, and whatever shows does not.
            let holds = match resolved.known() {
                Some(known) => known.unwrap_or(*withholds),
                None => {
                    asked.push((bit, resolved, *withholds));
                    *withholds
                }
            };
            if holds {
                bits |= bit.mask();
            }
        }
        (bits, asked)
    }
}

impl RecordTerms {
    /// The situation of a request, and what it asks for of records; `None`, if it asks for nothing.
    pub(super) fn of(
        tables: &Tables,
        situation: Situation,
        asker: &Asker<'_>,
    ) -> (Situation, Option<Arc<Self>>) {
        let model = tables.model();
        if model.conditions.is_empty() && model.rows.is_empty() {
            return (situation, None);
        }
        let (base_bits, asked) = model.resolved(asker);
        let base = Situation {
            facts: Facts::Known(base_bits),
            ..situation
        };
        let applies = |row: &&RowRule| row.modules.iter().any(|module| row.matches(&base, module));
        let rows = model.rows.iter().filter(applies).map(|row| {
            let keep = row.keep_when.resolve(asker);
            (row.name.clone(), row.modules.clone(), keep)
        });
        let rows: Vec<_> = rows.collect();
        let is_any = !asked.is_empty() || !rows.is_empty();
        let terms = is_any.then(|| {
            Arc::new(Self {
                tables: tables.clone(),
                base: base.clone(),
                base_bits,
                asked,
                rows,
            })
        });
        (base, terms)
    }

    /// The rules of a module's records that show most.
    pub(super) fn most(&self, module: &Module) -> Arc<RecordRules> {
        let flipped = |bits: u64, (bit, _, withholds): &(Bit, Resolved, bool)| match withholds {
            true => bits & !bit.mask(),
            false => bits | bit.mask(),
        };
        self.rules(self.asked.iter().fold(self.base_bits, flipped), module)
    }

    /// Whether something is asked of the persons whom records are about.
    pub(super) fn asks_of_persons(&self) -> bool {
        let rows = self.rows.iter().map(|(_, _, keep)| keep);
        let mut asked = self.asked.iter().map(|(_, asked, _)| asked).chain(rows);
        asked.any(Resolved::asks_for_persons)
    }

    /// Whether rules say which of a module's records are there.
    pub(super) fn has_rows(&self, module: &Module) -> bool {
        self.rows
            .iter()
            .any(|(_, modules, _)| modules.contains(module))
    }

    /// The rules by which nothing of a module's records is shown but which they are.
    fn ids_alone(&self, module: &Module) -> Arc<RecordRules> {
        let situation = Situation {
            seen: Some(BTreeSet::new()),
            facts: Facts::Least,
            ..self.base.clone()
        };
        self.tables.of(situation).records(module)
    }

    fn rules(&self, bits: u64, module: &Module) -> Arc<RecordRules> {
        let situation = Situation {
            facts: Facts::Known(bits),
            ..self.base.clone()
        };
        self.tables.of(situation).records(module)
    }

    /// What is to be looked at of a module's records; `None`: nothing.
    pub(super) fn conditions(self: &Arc<Self>, module: &Module) -> Option<Conditions> {
        let rows = self.rows.iter().filter(|(_, of, _)| of.contains(module));
        let rows: Vec<_> = rows
            .map(|(name, _, keep)| (name.clone(), keep.clone()))
            .collect();
        if rows.is_empty() && self.asked.is_empty() {
            return None;
        }
        let mut fields = BTreeSet::new();
        let asked = self.asked.iter().map(|(_, asked, _)| asked);
        for resolved in asked.chain(rows.iter().map(|(_, keep)| keep)) {
            resolved.each_field(&mut |field| {
                fields.insert(field.clone());
            });
        }
        Some(Conditions {
            terms: self.clone(),
            module: module.clone(),
            fields,
            rows,
        })
    }
}

impl Conditions {
    /// The fields that must be read.
    pub fn fields(&self) -> &BTreeSet<Field> {
        &self.fields
    }

    /// The same, for which these fields are read, too.
    pub(super) fn reading(mut self, fields: &BTreeSet<Field>) -> Self {
        self.fields.extend(fields.iter().cloned());
        self
    }

    /// What must hold for a record to be there; `None`: all are.
    pub fn needed(&self) -> Option<Resolved> {
        match self.rows.as_slice() {
            [] => None,
            [(_, keep)] => Some(keep.clone()),
            rows => Some(Resolved::All(
                rows.iter().map(|(_, keep)| keep.clone()).collect(),
            )),
        }
    }

    /// Looks at a record. What nobody knows of it makes no row of it, and withholds.
    pub fn judge(&self, told: &mut dyn Told) -> Judged {
        let absent = self
            .rows
            .iter()
            .find(|(_, keep)| keep.holds(told) != Some(true));
        if let Some((name, _)) = absent {
            return Judged::Absent(name.clone());
        }
        let mut bits = self.terms.base_bits;
        for (bit, asked, withholds) in &self.terms.asked {
            bits &= !bit.mask();
            if asked.holds(told).unwrap_or(*withholds) {
                bits |= bit.mask();
            }
        }
        Judged::There(bits)
    }

    /// The number of rules by which nothing of a record is shown but which it is.
    pub const IDS_ALONE: u64 = u64::MAX;

    /// The rules of records of which this was found.
    pub fn rules(&self, number: u64) -> Arc<RecordRules> {
        if number == Self::IDS_ALONE {
            return self.terms.ids_alone(&self.module);
        }
        self.terms.rules(number, &self.module)
    }
}

impl fmt::Debug for RecordTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Operands are facts of a caller.
        f.debug_struct("RecordTerms")
            .field("asked", &self.asked.len())
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conditions")
            .field("module", &self.module)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}
