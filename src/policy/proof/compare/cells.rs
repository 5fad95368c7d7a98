//! What each role alone contributes to each category: with it, every set of roles is a fold.
//!
//! Grants match when one of the roles is theirs, and so do caps: `roles` when any is listed, `unless_roles` when any is not.
//! So a grant or a cap that matches a set matches one of its members alone, and *lift and cap* of a set is the highest lift
//! and the lowest ceiling of its members. A role that may not invoke the purpose contributes nothing.

use std::collections::BTreeSet;

use crate::config::Way;
use crate::policy::decide::may_invoke;
use crate::policy::engine::{Facts, Observing, Situation};
use crate::policy::language::model::{Cap, Evidence, Grant, Model, Writing, about};
use crate::vocabulary::{Category, Level, Purpose, Role};

use super::proven::{self, Proven};
use super::shown::rank;

/// The first policy, or the second.
pub(super) const OLD: usize = 0;
pub(super) const NEW: usize = 1;

/// Somebody's role, under two policies.
#[derive(Clone, Debug)]
pub(super) struct Held<'a> {
    pub(super) role: &'a Role,
    /// The ways by which callers with it come.
    pub(super) ways: BTreeSet<Way>,
    /// Under which of the policies it is held: evidence that makes it under one only is a case of its own.
    pub(super) under: [bool; 2],
}

impl Held<'_> {
    /// The role, and by which evidence, where that matters.
    pub(super) fn words(&self) -> String {
        match self.under {
            [true, false] => format!("{} (by its former evidence)", self.role),
            [false, true] => format!("{} (by its new evidence)", self.role),
            _ => self.role.to_string(),
        }
    }
}

/// What two policies speak of.
#[derive(Debug)]
pub(super) struct Names<'a> {
    pub(super) models: [&'a Model; 2],
    pub(super) roles: Vec<Held<'a>>,
    pub(super) purposes: Vec<&'a Purpose>,
    pub(super) categories: Vec<&'a Category>,
    pub(super) proven: Vec<Proven>,
}

/// What a role contributes to a category, or several do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// The highest that grants lift to; 0: no role counts.
    lift: u8,
    /// The lowest that caps lower to.
    ceiling: u8,
    writes: Writing,
    is_unwritten: bool,
}

/// The cells of one purpose and what was proved, of both policies: by role, then by category.
#[derive(Debug)]
pub(super) struct Cells {
    width: usize,
    sides: [Vec<Cell>; 2],
}

impl Cell {
    const NONE: Self = Self {
        lift: 0,
        ceiling: u8::MAX,
        writes: Writing::No,
        is_unwritten: false,
    };

    fn fixed(level: Level) -> Self {
        Self {
            lift: rank(level),
            is_unwritten: true,
            ..Self::NONE
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            lift: self.lift.max(other.lift),
            ceiling: self.ceiling.min(other.ceiling),
            writes: self.writes.max(other.writes),
            is_unwritten: self.is_unwritten || other.is_unwritten,
        }
    }

    /// The level, above 0; 0 if no role counts.
    pub(super) fn rank(self) -> u8 {
        self.lift.min(self.ceiling)
    }

    /// What may be written.
    pub(super) fn writing(self) -> Writing {
        match self.is_unwritten {
            true => Writing::No,
            false => self.writes,
        }
    }
}

impl<'a> Names<'a> {
    pub(super) fn of(models: [&'a Model; 2]) -> Self {
        let [old, new] = models;
        let purposes: BTreeSet<&Purpose> = old.purposes.keys().chain(new.purposes.keys()).collect();
        let categories: BTreeSet<&Category> =
            old.categories.keys().chain(new.categories.keys()).collect();
        Self {
            models,
            roles: roles(models),
            purposes: purposes.into_iter().collect(),
            categories: categories.into_iter().collect(),
            proven: proven::all(models),
        }
    }

    /// The place of a category.
    pub(super) fn category(&self, category: &Category) -> Option<usize> {
        self.categories.binary_search(&category).ok()
    }

    /// The place of what nobody has classified, behind the categories.
    pub(super) fn unclassified(&self) -> usize {
        self.categories.len()
    }

    /// The place of what is withheld at a level, whatever a policy says.
    pub(super) fn withheld(&self, level: Level) -> usize {
        self.categories.len() + 1 + usize::from(level > Level::Hide)
    }

    /// The cells of one purpose and what was proved.
    pub(super) fn cells(
        &self,
        rules: &[ByCategory<'a>; 2],
        (purpose, proven): (&Purpose, usize),
        facts: [Facts; 2],
    ) -> Cells {
        let width = self.categories.len() + 3;
        let side = |side: usize| {
            let mut cells = vec![Cell::NONE; width * self.roles.len()];
            for (held, row) in self.roles.iter().zip(cells.chunks_mut(width)) {
                let counts = held.under[side] && may_invoke(self.models[side], held.role, purpose);
                if counts {
                    let roles = BTreeSet::from([held.role.clone()]);
                    let situation = self.situation(side, roles, (purpose, proven), facts);
                    self.fill(row, &rules[side], self.models[side], &situation);
                }
            }
            cells
        };
        Cells {
            width,
            sides: [side(OLD), side(NEW)],
        }
    }

    fn situation(
        &self,
        side: usize,
        roles: BTreeSet<Role>,
        (purpose, proven): (&Purpose, usize),
        facts: [Facts; 2],
    ) -> Situation {
        Situation {
            roles,
            purpose: Some(purpose.clone()),
            strengths: self.proven[proven].strengths[side].clone(),
            seen: None,
            // A cap that only observes is none.
            observing: Observing::Most,
            facts: facts[side],
        }
    }

    /// Whether what several roles have is what each of them has: an exception lifts a cap only for those all of whose roles it
    /// names.
    pub(super) fn add_up(&self) -> bool {
        let mut caps = self.models.iter().flat_map(|model| &model.caps);
        caps.all(|cap| cap.exceptions.is_empty())
    }

    /// What some roles have together under one of the policies, by category.
    pub(super) fn together(
        &self,
        rules: &[ByCategory<'a>; 2],
        (side, roles): (usize, &[usize]),
        (purpose, proven): (&Purpose, usize),
        facts: [Facts; 2],
    ) -> Vec<Cell> {
        let mut row = vec![Cell::NONE; self.categories.len() + 3];
        let model = self.models[side];
        let held = roles.iter().map(|role| &self.roles[*role]);
        let counted: BTreeSet<Role> = held
            .filter(|held| held.under[side] && may_invoke(model, held.role, purpose))
            .map(|held| held.role.clone())
            .collect();
        if !counted.is_empty() {
            let situation = self.situation(side, counted, (purpose, proven), facts);
            self.fill(&mut row, &rules[side], model, &situation);
        }
        row
    }

    fn fill(&self, row: &mut [Cell], rules: &ByCategory<'a>, model: &Model, situation: &Situation) {
        for ((cell, category), (grants, caps)) in row.iter_mut().zip(&self.categories).zip(&rules.0)
        {
            let mut one = Cell {
                lift: rank(model.ungranted(situation, category)),
                writes: model.unasked(situation, category),
                ..Cell::NONE
            };
            for grant in grants.iter().filter(|grant| grant.matches(situation)) {
                one.lift = one.lift.max(rank(model.meaning(grant.level, category)));
                one.writes = one.writes.max(model.writes(grant, category));
            }
            for cap in caps
                .iter()
                .filter(|cap| model.holds(cap, situation, category))
            {
                one.ceiling = one.ceiling.min(rank(model.meaning(cap.level, category)));
                one.is_unwritten |= cap.forbids_writing();
            }
            *cell = one;
        }
        row[self.unclassified()] = Cell::fixed(model.unclassified(situation));
        for level in [Level::Hide, Level::Redact] {
            row[self.withheld(level)] = Cell::fixed(level);
        }
    }
}

impl Cells {
    /// What some roles together have under one of the policies, by category.
    pub(super) fn fold(&self, side: usize, roles: &[usize]) -> Vec<Cell> {
        let mut all = vec![Cell::NONE; self.width];
        for role in roles {
            let row = self.sides[side].iter().skip(role * self.width);
            for (cell, own) in all.iter_mut().zip(row) {
                *cell = cell.and(*own);
            }
        }
        all
    }

    /// Whether a role counts under either policy.
    pub(super) fn counts(&self, role: usize) -> bool {
        let at = role * self.width;
        self.sides
            .iter()
            .any(|cells| cells.get(at).is_some_and(|cell| cell.lift > 0))
    }
}

/// The rules of a policy that speak of each category.
#[derive(Debug)]
pub(super) struct ByCategory<'a>(Vec<(Vec<&'a Grant>, Vec<&'a Cap>)>);

impl<'a> ByCategory<'a> {
    pub(super) fn of(model: &'a Model, categories: &[&Category]) -> Self {
        let of = |category: &&Category| {
            let grants = model.grants.iter();
            let caps = model.caps.iter();
            (
                grants
                    .filter(|grant| about(&grant.data, category))
                    .collect(),
                caps.filter(|cap| about(&cap.data, category)).collect(),
            )
        };
        Self(categories.iter().map(of).collect())
    }
}

/// The roles of both policies; and beside each whose evidence differs, the same role of those who have it under one policy only:
/// what its rules gave them, or kept from them, is gone or new.
fn roles(models: [&Model; 2]) -> Vec<Held<'_>> {
    let [old, new] = models;
    let names: BTreeSet<&Role> = old.roles.keys().chain(new.roles.keys()).collect();
    let mut all: Vec<Held<'_>> = Vec::new();
    let mut parts: Vec<Held<'_>> = Vec::new();
    for role in names {
        let from = models.map(|model| model.roles.get(role));
        let evidence = from.iter().flatten().flat_map(|role| &role.from);
        let held = Held {
            role,
            ways: evidence.map(|(kind, _)| kind.way()).collect(),
            under: [true, true],
        };
        if let [Some(before), Some(after)] = from {
            for (under, one, other) in [
                ([true, false], &before.from, &after.from),
                ([false, true], &after.from, &before.from),
            ] {
                if !is_within(one, other) {
                    parts.push(Held {
                        under,
                        ..held.clone()
                    });
                }
            }
        }
        all.push(held);
    }
    all.append(&mut parts);
    all
}

/// Whether all callers with some evidence have some other one too.
pub(super) fn is_within(
    one: &[(Evidence, Vec<String>)],
    other: &[(Evidence, Vec<String>)],
) -> bool {
    other.iter().all(|(kind, values)| {
        one.iter()
            .any(|(own, owned)| own == kind && owned.iter().all(|value| values.contains(value)))
    })
}

/// Whether one caller can have several roles: everybody comes by one way, and has each role once.
pub(super) fn can_meet(roles: &[&Held<'_>]) -> bool {
    roles.iter().enumerate().all(|(at, one)| {
        roles.iter().skip(at + 1).all(|other| {
            let is_way = one.ways.is_empty() || other.ways.is_empty();
            one.role != other.role && (is_way || !one.ways.is_disjoint(&other.ways))
        })
    })
}
