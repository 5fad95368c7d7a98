//! Who is whom under two policies: evidence of roles, purposes that they may ask for, what they may do, what they get who state
//! no purpose.

use std::collections::BTreeSet;

use crate::policy::decide::{may_invoke, purpose};
use crate::policy::engine::Facts;
use crate::policy::language::model::{Evidence, Model, RoleModel};
use crate::vocabulary::{Action, Module, Purpose, Role};

use super::apart::Apart;
use super::cells::{ByCategory, Cells, NEW, Names, OLD, can_meet, is_within};
use super::shown::Relation;
use super::{Aspect, Change, rows, terms};

/// What differs, one by one.
pub(super) fn differences(names: &Names<'_>, tell: &mut dyn FnMut(Relation, Change)) {
    let [old, new] = names.models;
    let roles: BTreeSet<&Role> = old.roles.keys().chain(new.roles.keys()).collect();
    for role in roles {
        let models = names.models.map(|model| model.roles.get(role));
        evidence(role, models, tell);
        actions(role, models, tell);
        for purpose in &names.purposes {
            let may = names.models.map(|model| may_invoke(model, role, purpose));
            if may[OLD] != may[NEW] {
                let word = |may| if may { "allowed" } else { "refused" };
                let change = Change {
                    purpose: Some((*purpose).clone()),
                    ..Change::about(Aspect::Purpose, role, word(may[OLD]), word(may[NEW]))
                };
                tell(more_if(may[NEW]), change);
            }
        }
    }
    modules(names.models, tell);
    defaults(names, tell);
}

fn more_if(is_more: bool) -> Relation {
    match is_more {
        true => Relation::More,
        false => Relation::Less,
    }
}

/// Who has a role.
fn evidence(role: &Role, models: [Option<&RoleModel>; 2], tell: &mut dyn FnMut(Relation, Change)) {
    let from = models.map(|role| role.map(|role| role.from.as_slice()));
    let is_wider = |one: Option<&[_]>, other: Option<&[_]>| match (one, other) {
        (Some(one), Some(other)) => !is_within(one, other),
        (one, other) => one.is_some() && other.is_none(),
    };
    let change = || Change::about(Aspect::Evidence, role, words(from[OLD]), words(from[NEW]));
    // Other evidence may be both: then others have the role, which is more.
    if is_wider(from[NEW], from[OLD]) {
        tell(Relation::More, change());
    } else if is_wider(from[OLD], from[NEW]) {
        tell(Relation::Less, change());
    }
}

fn words(from: Option<&[(Evidence, Vec<String>)]>) -> String {
    let Some(from) = from else {
        return "no such role".to_owned();
    };
    let one = |(kind, values): &(Evidence, Vec<String>)| {
        let mut values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
        values.sort();
        format!("{} {}", kind.as_str(), values.join(" or "))
    };
    let mut parts: Vec<String> = from.iter().map(one).collect();
    parts.sort();
    parts.join(" and ")
}

/// What callers with a role may do in which modules.
fn actions(role: &Role, models: [Option<&RoleModel>; 2], tell: &mut dyn FnMut(Relation, Change)) {
    // A role that is new or gone is told by its evidence.
    let [Some(old), Some(new)] = models.map(|role| role.map(|role| role.actions.as_ref())) else {
        return;
    };
    let (old, new) = match (old, new) {
        (None, None) => return,
        (Some(_), None) | (None, Some(_)) => {
            let word = |is_some| {
                if is_some {
                    "what is listed"
                } else {
                    "whatever the CRM permits"
                }
            };
            let change = Change::about(
                Aspect::Actions,
                role,
                word(old.is_some()),
                word(new.is_some()),
            );
            return tell(more_if(new.is_none()), change);
        }
        (Some(old), Some(new)) => (old, new),
    };
    let modules: BTreeSet<&Module> = old.keys().chain(new.keys()).collect();
    for module in modules {
        let nothing = BTreeSet::new();
        let (old, new) = (
            old.get(module).unwrap_or(&nothing),
            new.get(module).unwrap_or(&nothing),
        );
        let listed = |actions: &BTreeSet<Action>| {
            let words: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
            if words.is_empty() {
                "nothing".to_owned()
            } else {
                words.join(", ")
            }
        };
        let change = Change {
            field: Some(module.to_string()),
            ..Change::about(Aspect::Actions, role, listed(old), listed(new))
        };
        if !new.is_subset(old) {
            tell(Relation::More, change);
        } else if old != new {
            tell(Relation::Less, change);
        }
    }
}

/// Modules whose records pass.
fn modules([old, new]: [&Model; 2], tell: &mut dyn FnMut(Relation, Change)) {
    let all: BTreeSet<&Module> = old
        .classes
        .modules
        .keys()
        .chain(new.classes.modules.keys())
        .collect();
    for module in all {
        let (before, after) = (old.classes.knows(module), new.classes.knows(module));
        if before != after {
            let word = |is_known| if is_known { "passes" } else { "refused" };
            let change = Change {
                field: Some(module.to_string()),
                ..Change::of(Aspect::Module, word(before), word(after))
            };
            tell(more_if(after), change);
        }
    }
}

/// What they are shown who state no purpose: those who have one role, or two.
fn defaults(names: &Names<'_>, tell: &mut dyn FnMut(Relation, Change)) {
    let roles: Vec<usize> = (0..names.roles.len())
        .filter(|role| names.roles[*role].under == [true, true])
        .collect();
    let chosen = |held: &[usize]| {
        let held: Vec<Role> = held
            .iter()
            .map(|role| names.roles[*role].role.clone())
            .collect();
        names.models.map(|model| {
            // A role that a policy does not have counts for nothing there.
            let known = held.iter().filter(|role| model.roles.contains_key(*role));
            let known: Vec<Role> = known.cloned().collect();
            purpose(model, &known, None)
                .ok()
                .map(|chosen| chosen.purpose)
        })
    };
    let singles: Vec<[Option<Purpose>; 2]> = roles.iter().map(|role| chosen(&[*role])).collect();
    let mut sets: Vec<(Vec<usize>, [Option<Purpose>; 2])> = Vec::new();
    for (at, one) in roles.iter().enumerate() {
        sets.push((vec![*one], singles[at].clone()));
        for (beside, other) in roles.iter().enumerate().skip(at + 1) {
            if !can_meet(&[&names.roles[*one], &names.roles[*other]]) {
                continue;
            }
            let both = chosen(&[*one, *other]);
            if both != singles[at] && both != singles[beside] {
                sets.push((vec![*one, *other], both));
            }
        }
    }
    sets.retain(|(_, [old, new])| old != new);
    if sets.is_empty() {
        return;
    }
    let shown = Shown::of(names);
    for (held, [old, new]) in sets {
        let word = |purpose: &Option<Purpose>| {
            purpose
                .as_ref()
                .map_or_else(|| "refused".to_owned(), ToString::to_string)
        };
        let change = Change {
            roles: held
                .iter()
                .map(|role| names.roles[*role].role.to_string())
                .collect(),
            ..Change::of(Aspect::Default, word(&old), word(&new))
        };
        let purposes = [old.as_ref(), new.as_ref()];
        let records = records(names, &held, purposes);
        let relation = match shown.between(&held, purposes[OLD], purposes[NEW]) {
            Relation::More => Relation::More,
            _ if records == Relation::More => Relation::More,
            Relation::Same => records,
            relation => relation,
        };
        if relation != Relation::Same {
            tell(relation, change);
        }
    }
}

/// Whether records are there for some roles in requests for one purpose under the new policy that are not for another one under
/// the old policy, or can be found by more.
fn records(names: &Names<'_>, held: &[usize], purposes: [Option<&Purpose>; 2]) -> Relation {
    let [Some(old), Some(new)] = purposes else {
        return Relation::Same;
    };
    let models = names.models;
    let all = models.iter().flat_map(|model| &model.rows);
    let modules: BTreeSet<&Module> = all.flat_map(|row| &row.modules).collect();
    let counted = [OLD, NEW].map(|side| -> BTreeSet<Role> {
        let purpose = [old, new][side];
        let roles = held.iter().map(|role| names.roles[*role].role);
        let counts = roles.filter(|role| may_invoke(models[side], role, purpose));
        counts.cloned().collect()
    });
    let matched = [OLD, NEW].map(|side| terms::matchable(models[side], [old, new][side]));
    let mut found = match terms::is_among(&matched[NEW], &matched[OLD]) {
        true => Relation::Same,
        false => Relation::More,
    };
    for module in modules {
        let kept = [OLD, NEW]
            .map(|side| rows::kept(models[side], counted[side].clone(), purposes[side], module));
        let apart = Apart::of(models, purposes, Some(module));
        if rows::has_more(&kept, &apart, NEW, OLD) {
            return Relation::More;
        }
        if found == Relation::Same && rows::has_more(&kept, &apart, OLD, NEW) {
            found = Relation::Less;
        }
    }
    found
}

/// The cells of all purposes, where nothing is proved beyond the way, and all that can be.
struct Shown<'n, 'a> {
    names: &'n Names<'a>,
    cells: Vec<(usize, usize, Cells)>,
}

impl<'n, 'a> Shown<'n, 'a> {
    fn of(names: &'n Names<'a>) -> Self {
        let rules = names
            .models
            .map(|model| ByCategory::of(model, &names.categories));
        let mut cells = Vec::new();
        for (purpose, name) in names.purposes.iter().enumerate() {
            for proven in 0..names.proven.len() {
                // Whatever holds: what may be more is told.
                let facts = [Facts::Least, Facts::Most];
                let of_both = names.cells(&rules, (name, proven), facts);
                cells.push((purpose, proven, of_both));
            }
        }
        Self { names, cells }
    }

    /// Whether roles are shown more for one purpose under the new policy than for another one under the old policy.
    fn between(&self, roles: &[usize], old: Option<&Purpose>, new: Option<&Purpose>) -> Relation {
        let place = |purpose: Option<&Purpose>| {
            self.names
                .purposes
                .iter()
                .position(|known| Some(*known) == purpose)
        };
        let (old, new) = (place(old), place(new));
        let mut found = Relation::Same;
        for (proven, proved) in self.names.proven.iter().enumerate() {
            if !roles
                .iter()
                .all(|role| proved.is_of(&self.names.roles[*role].ways))
            {
                continue;
            }
            let ranks = |side: usize, purpose: Option<usize>| -> Vec<u8> {
                let of = |(known, strength, _): &&(usize, usize, Cells)| {
                    Some(*known) == purpose && *strength == proven
                };
                let cells = self.cells.iter().find(of);
                let folded = cells.map(|(.., cells)| cells.fold(side, roles));
                folded
                    .into_iter()
                    .flatten()
                    .map(|cell| cell.rank())
                    .collect()
            };
            let (before, after) = (ranks(OLD, old), ranks(NEW, new));
            for at in 0..before.len().max(after.len()) {
                let rank = |ranks: &[u8]| ranks.get(at).copied().unwrap_or(0);
                match rank(&after).cmp(&rank(&before)) {
                    std::cmp::Ordering::Greater => return Relation::More,
                    std::cmp::Ordering::Less => found = Relation::Less,
                    std::cmp::Ordering::Equal => {}
                }
            }
        }
        found
    }
}
