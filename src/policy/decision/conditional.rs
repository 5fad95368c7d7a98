//! Rules that ask for something of a record: what is left of them for one request, and what a record gets then.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::condition::{Asker, Facts as Told, Resolved};
use crate::vocabulary::{Category, Field, Module, RuleName};

use super::super::language::model::{Bit, Model, Noted, RowRule};
use super::super::language::terms::matchable_by_default;
use super::concern::Concern;
use super::engine::{Facts, Situation};
use super::plan::RecordRules;
use super::table::{Table, Tables};

/// A rule that says which records of these modules are there, as far as no record changes it.
type Row = (RuleName, BTreeSet<Module>, Resolved);

/// What a request's rules ask for of records.
pub(in crate::policy) struct RecordTerms {
    tables: Tables,
    /// The situation, as far as no record changes it; as for a record of which nothing is known.
    base: Situation,
    base_bits: u64,
    /// Conditions that each record answers for itself, and whether they withhold.
    asked: Vec<(Bit, Resolved, bool)>,
    rows: Vec<Row>,
    restrictions: Vec<Restricted>,
}

/// Records of which less is processed.
struct Restricted {
    /// The condition of what is withheld of them.
    when: Bit,
    /// What keeps all others.
    row: Row,
    /// Whether they may not even be deleted.
    preserves: bool,
}

impl Restricted {
    fn is_about(&self, module: &Module) -> bool {
        let (_, modules, _) = &self.row;
        modules.contains(module)
    }
}

/// What must be looked at of a module's records before their rules are known.
#[derive(Clone)]
pub struct Conditions {
    terms: Arc<RecordTerms>,
    module: Module,
    concern: Arc<Concern>,
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
    ) -> (Situation, Option<Self>) {
        let model = tables.model();
        if model.conditions.is_empty() && model.rows.is_empty() {
            return (situation, None);
        }
        let (base_bits, asked) = model.resolved(asker);
        let base = Situation {
            facts: Facts::Known(base_bits),
            ..situation
        };
        let row = |row: &RowRule| -> Option<Row> {
            let mut modules = row.modules.iter();
            let applies = modules.any(|module| row.matches(&base, module));
            let keep = || row.keep_when.resolve(asker);
            applies.then(|| (row.name.clone(), row.modules.clone(), keep()))
        };
        let rows: Vec<_> = model.rows.iter().filter_map(row).collect();
        let restrictions = model.restrictions.iter().filter_map(|restricted| {
            Some(Restricted {
                when: restricted.when,
                row: row(&restricted.row)?,
                preserves: restricted.preserves,
            })
        });
        let restrictions = restrictions.collect();
        let is_any = !asked.is_empty() || !rows.is_empty();
        let terms = is_any.then(|| Self {
            tables: tables.clone(),
            base: base.clone(),
            base_bits,
            asked,
            rows,
            restrictions,
        });
        (base, terms)
    }

    /// The rules by which fields may be used: those of a record of which nothing is known but that its processing is not
    /// restricted.
    pub(super) fn used(&self) -> Arc<Table> {
        let spared = self.restrictions.iter().map(|one| one.when.mask());
        let spared = spared.fold(0, |all, bit| all | bit);
        self.table(self.base_bits & !spared)
    }

    /// From here on, records of these modules whose processing is restricted are not there: the request uses what is withheld of
    /// them.
    pub(super) fn leave_out_restricted(&mut self, used: &BTreeSet<Module>) {
        let rows = self.restrictions.iter().filter_map(|one| {
            let (name, modules, keep) = &one.row;
            let modules: BTreeSet<Module> = modules.intersection(used).cloned().collect();
            (!modules.is_empty()).then(|| (name.clone(), modules, keep.clone()))
        });
        self.rows.extend(rows);
    }

    /// The rules of a module's records that show most.
    pub(super) fn most(&self, module: &Module) -> Arc<RecordRules> {
        self.rules(self.showing_most(self.asked.iter()), module)
    }

    /// The number of the rules where each of some conditions is answered so that most is shown.
    fn showing_most<'t>(&self, asked: impl Iterator<Item = &'t (Bit, Resolved, bool)>) -> u64 {
        asked.fold(
            self.base_bits,
            |bits, (bit, _, withholds)| match withholds {
                true => bits & !bit.mask(),
                false => bits | bit.mask(),
            },
        )
    }

    /// Whether fields in these categories, which are all that they are in, tell nobody apart.
    pub(super) fn is_matchable(&self, categories: &[Category]) -> bool {
        let purpose = self.base.purpose.as_ref();
        let purpose = purpose.and_then(|purpose| self.tables.model().purposes.get(purpose));
        let consent = purpose.and_then(|purpose| purpose.consent.as_ref());
        let matchable = consent.map_or_else(matchable_by_default, |terms| terms.matchable.clone());
        let mut all = categories.iter();
        let is_among = |category: &Category| matchable.iter().any(|one| one.covers(category));
        !categories.is_empty() && all.all(is_among)
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

    /// Whether the processing of some of a module's records may be restricted.
    pub(super) fn has_restricted(&self, module: &Module) -> bool {
        let mut all = self.restrictions.iter();
        all.any(|one| one.is_about(module))
    }

    /// Whether some of them may not even be deleted.
    pub(super) fn has_preserved(&self, module: &Module) -> bool {
        let mut all = self.restrictions.iter();
        all.any(|one| one.preserves && one.is_about(module))
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
        self.table(bits).records(module)
    }

    fn table(&self, bits: u64) -> Arc<Table> {
        self.tables.of(Situation {
            facts: Facts::Known(bits),
            ..self.base.clone()
        })
    }

    /// What is to be looked at of a module's records; `None`: nothing.
    pub(super) fn conditions(self: &Arc<Self>, module: &Module) -> Option<Conditions> {
        let rows = self.rows.iter().filter(|(_, of, _)| of.contains(module));
        let rows: Vec<_> = rows
            .map(|(name, _, keep)| (name.clone(), keep.clone()))
            .collect();
        let concern = self.tables.concern(module);
        let asked = self.asked.iter().filter(|(bit, ..)| concern.asks(*bit));
        if rows.is_empty() && asked.clone().next().is_none() {
            return None;
        }
        let mut fields = BTreeSet::new();
        for (_, asked, _) in asked {
            asked.each_field(&mut |field| {
                fields.extend(concern.may_have(field).then(|| field.clone()));
            });
        }
        for (_, keep) in &rows {
            keep.each_field(&mut |field| {
                fields.insert(field.clone());
            });
        }
        Some(Conditions {
            terms: self.clone(),
            module: module.clone(),
            concern,
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
        all(self.rows.iter())
    }

    /// The same, but that its processing is not restricted.
    pub fn needed_if_unrestricted(&self) -> Option<Resolved> {
        let restrictions = &self.terms.restrictions;
        all(self.rows.iter().filter(|(name, _)| {
            let mut restricting = restrictions.iter().map(|one| &one.row);
            !restricting.any(|(restricting, ..)| restricting == name)
        }))
    }

    /// Whether the processing of a record is restricted, so that less of it may be used than the plan says; in doubt it is.
    pub fn is_restricted(&self, told: &mut dyn Told) -> bool {
        self.is_held_by(|_| true, told)
    }

    /// Whether a record may not even be deleted, because its processing is restricted; in doubt it may not.
    pub fn is_preserved(&self, told: &mut dyn Told) -> bool {
        self.is_held_by(|restricted| restricted.preserves, told)
    }

    /// Whether one of some restrictions is about a record.
    fn is_held_by(&self, meant: impl Fn(&Restricted) -> bool, told: &mut dyn Told) -> bool {
        let mut meant = self.terms.restrictions.iter().filter(|one| meant(one));
        meant.any(|restricted| {
            let mut asked = self.asked();
            let asked = asked.find(|(bit, ..)| *bit == restricted.when);
            asked.is_some_and(|(_, asked, withholds)| asked.holds(told).unwrap_or(*withholds))
        })
    }

    /// The conditions that rules about the module's records ask for.
    fn asked(&self) -> impl Iterator<Item = &(Bit, Resolved, bool)> {
        let asked = self.terms.asked.iter();
        asked.filter(|(bit, ..)| self.concern.asks(*bit))
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
        for (bit, asked, withholds) in self.asked() {
            bits &= !bit.mask();
            if asked.holds(told).unwrap_or(*withholds) {
                bits |= bit.mask();
            }
        }
        Judged::There(bits)
    }

    /// The number of the rules that most records have, as far as can be guessed: nothing is withheld of them.
    pub fn usual(&self) -> u64 {
        self.terms.showing_most(self.asked())
    }

    /// The number of rules by which nothing of a record is shown but which it is.
    pub const IDS_ALONE: u64 = u64::MAX;

    /// The number of the rules of what belongs to a record, and cannot be judged by itself: those of a record of which nothing is
    /// known. A record that happens to have the same number is shown no more for it.
    pub const UNJUDGED: u64 = u64::MAX - 1;

    /// The rules of records of which this was found.
    pub fn rules(&self, number: u64) -> Arc<RecordRules> {
        match number {
            Self::IDS_ALONE => self.terms.ids_alone(&self.module),
            Self::UNJUDGED => self.terms.rules(self.terms.base_bits, &self.module),
            _ => self.terms.rules(number, &self.module),
        }
    }
}

/// All that keeps records, as one condition.
fn all<'r>(rows: impl Iterator<Item = &'r (RuleName, Resolved)>) -> Option<Resolved> {
    let mut keep: Vec<_> = rows.map(|(_, keep)| keep.clone()).collect();
    match keep.len() {
        0 | 1 => keep.pop(),
        _ => Some(Resolved::All(keep)),
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
