//! Records that are there for somebody under one policy only.
//!
//! A record is there if every row rule that is for the caller keeps it. One that matches several roles matches one of them alone,
//! so whatever a larger set of roles gains or loses shows with one role.

use std::collections::BTreeSet;

use crate::policy::decide::may_invoke;
use crate::policy::engine::Situation;
use crate::policy::model::{Model, RowRule};
use crate::policy::supposed::{Formula, words};
use crate::vocabulary::{Module, Purpose, Role};

use super::cells::{NEW, Names, OLD};
use super::shown::Relation;
use super::{Aspect, Change};

/// What differs, one by one.
pub(super) fn differences(names: &Names<'_>, tell: &mut dyn FnMut(Relation, Change)) {
    let rows = names.models.map(|model| &model.rows);
    let all = rows.iter().flat_map(|rows| rows.iter());
    let modules: BTreeSet<&Module> = all.flat_map(|row| &row.modules).collect();
    for module in modules {
        for held in names.roles.iter().filter(|held| held.under == [true, true]) {
            for purpose in &names.purposes {
                let counts = |model: &&Model| may_invoke(model, held.role, purpose);
                if names.models.iter().all(counts) {
                    let kept = names.models.map(|model| {
                        let roles = BTreeSet::from([held.role.clone()]);
                        kept(model, roles, Some(purpose), module)
                    });
                    of_one(&kept, (held.role, purpose, module), tell);
                }
            }
        }
    }
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
pub(super) fn has_more(kept: &[Vec<&RowRule>; 2], one: usize, other: usize) -> bool {
    let formulas = kept[one].iter().map(|row| Formula::holds(&row.keep_when));
    let formulas: Vec<Formula> = formulas.collect();
    let so: Vec<&Formula> = formulas.iter().collect();
    let mut others = kept[other].iter();
    others.any(|row| Formula::holds(&row.keep_when).can_lack(&so))
}

fn of_one(
    kept: &[Vec<&RowRule>; 2],
    (role, purpose, module): (&Role, &Purpose, &Module),
    tell: &mut dyn FnMut(Relation, Change),
) {
    let relation = match (has_more(kept, NEW, OLD), has_more(kept, OLD, NEW)) {
        (true, _) => Relation::More,
        (false, true) => Relation::Less,
        (false, false) => return,
    };
    let by = [OLD, NEW].map(|side| kept[side].iter().map(|row| named(row)).collect());
    let change = Change {
        field: Some(module.to_string()),
        purpose: Some(purpose.clone()),
        by,
        ..Change::about(Aspect::Rows, role, told(&kept[OLD]), told(&kept[NEW]))
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
