//! Records that are there for somebody under one policy only.
//!
//! A record is there if every row rule that is for the caller keeps it. One that matches several roles matches one of them alone,
//! so whatever a larger set of roles gains or loses shows with one role; or with two, where one of them counts under one of the
//! policies only, and what it held back is there for whoever has it no longer.

use std::collections::BTreeSet;

use crate::policy::decide::may_invoke;
use crate::policy::engine::Situation;
use crate::policy::model::{Model, RowRule};
use crate::policy::supposed::{Formula, words};
use crate::vocabulary::{Module, Purpose, Role};

use super::apart::{self, Apart};
use super::cells::{Held, NEW, Names, OLD, can_meet};
use super::shown::Relation;
use super::{Aspect, Change};

/// What differs, one by one.
pub(super) fn differences(names: &Names<'_>, tell: &mut dyn FnMut(Relation, Change)) {
    let rows = names.models.map(|model| &model.rows);
    let all = rows.iter().flat_map(|rows| rows.iter());
    let modules: BTreeSet<&Module> = all.flat_map(|row| &row.modules).collect();
    let sets = sets(names);
    for module in modules {
        for purpose in &names.purposes {
            let at = (*purpose, module);
            let apart = Apart::of(names.models, [Some(*purpose); 2], Some(module));
            for set in &sets {
                let counted = [OLD, NEW].map(|side| counted(names, set, (side, purpose)));
                let is_refused = counted.iter().any(BTreeSet::is_empty);
                // Of those who have the same roles, what two gain one of them gains.
                if is_refused || (set.len() > 1 && counted[OLD] == counted[NEW]) {
                    continue;
                }
                let mut sides = counted.into_iter().zip(names.models);
                let mut side = || {
                    let (roles, model) = sides.next()?;
                    Some(kept(model, roles, Some(purpose), module))
                };
                if let (Some(old), Some(new)) = (side(), side()) {
                    let roles = set.iter().map(|held| held.words()).collect();
                    of_one(names, &[old, new], &apart, (roles, at), tell);
                }
            }
        }
    }
}

/// Roles that somebody has: one, or two of which rows may count under one of the policies only.
fn sets<'n>(names: &'n Names<'n>) -> Vec<Vec<&'n Held<'n>>> {
    let mut sets: Vec<Vec<&Held<'_>>> = Vec::new();
    for (at, one) in names.roles.iter().enumerate() {
        if one.under == [true, true] {
            sets.push(vec![one]);
        }
        let others = names.roles.iter().skip(at + 1);
        let others = others.filter(|other| can_meet(&[one, other]));
        sets.extend(others.map(|other| vec![one, other]));
    }
    sets
}

/// Those of some roles that count for a purpose under one of the policies.
fn counted(
    names: &Names<'_>,
    set: &[&Held<'_>],
    (side, purpose): (usize, &Purpose),
) -> BTreeSet<Role> {
    let model = names.models[side];
    let counts = |held: &&&Held<'_>| held.under[side] && may_invoke(model, held.role, purpose);
    let counted = set.iter().filter(counts);
    counted.map(|held| held.role.clone()).collect()
}

/// The rules that say which records of a module are there.
pub(super) fn kept<'a>(
    model: &'a Model,
    roles: BTreeSet<Role>,
    purpose: Option<&Purpose>,
    module: &Module,
) -> Vec<&'a RowRule> {
    let situation = Situation {
        roles,
        purpose: purpose.cloned(),
        ..Situation::default()
    };
    let rows = model.rows.iter();
    rows.filter(|row| row.matches(&situation, module)).collect()
}

/// Whether one side keeps records that the other one does not, as far as that is not seen to be impossible.
pub(super) fn has_more(kept: &[Vec<&RowRule>; 2], apart: &Apart, one: usize, other: usize) -> bool {
    let means = |side: usize, row: &RowRule| apart.formula(side, Formula::holds(&row.keep_when));
    let formulas = kept[one].iter().map(|row| means(one, row));
    let formulas: Vec<Formula> = formulas.collect();
    let so: Vec<&Formula> = formulas.iter().collect();
    let mut others = kept[other].iter();
    others.any(|row| means(other, row).can_lack(&so))
}

fn of_one(
    names: &Names<'_>,
    kept: &[Vec<&RowRule>; 2],
    apart: &Apart,
    (roles, (purpose, module)): (Vec<String>, (&Purpose, &Module)),
    tell: &mut dyn FnMut(Relation, Change),
) {
    let more = |one, other| has_more(kept, apart, one, other);
    let relation = match (more(NEW, OLD), more(OLD, NEW)) {
        (true, _) => Relation::More,
        (false, true) => Relation::Less,
        (false, false) => return,
    };
    let by = [OLD, NEW].map(|side| kept[side].iter().map(|row| named(row)).collect());
    let mut words = [OLD, NEW].map(|side| told(&kept[side]));
    if words[OLD] == words[NEW] {
        // The same words, by which other things are meant.
        for (words, model) in words.iter_mut().zip(names.models) {
            let terms = apart::terms(model, Some(purpose));
            let terms = terms.map_or_else(String::new, |terms| format!(" ({terms})"));
            words.push_str(&terms);
        }
    }
    let [old, new] = words;
    let change = Change {
        field: Some(module.to_string()),
        purpose: Some(purpose.clone()),
        roles,
        by,
        ..Change::of(Aspect::Rows, old, new)
    };
    tell(relation, change);
}

fn named(row: &RowRule) -> String {
    let place = &row.place;
    format!("{} ({}:{})", row.name, place.file.path(), place.line())
}

fn told(rows: &[&RowRule]) -> String {
    let mut told: Vec<String> = rows
        .iter()
        .map(|row| words::condition(&row.keep_when))
        .collect();
    told.sort();
    told.dedup();
    match told.is_empty() {
        true => "all records".to_owned(),
        false => format!("records with {}", told.join(" and ")),
    }
}
