//! What a policy gives in every state that a request can be in: the ground of `always`, `matrix` and `diff`.
//!
//! Nothing here decides anything: each answer comes from the same engine and judge as a request's.

use std::collections::BTreeSet;

use crate::vocabulary::{Category, Field, FieldPath, Level, Module, Purpose, Role, RuleName};

use super::decision::engine::{Facts, Observing, Situation};
use super::decision::judge::View;
use super::decision::plan::{FieldRule, Usable, Writable};
use super::language::model::Writing;
use super::{Policy, decide};

mod callers;
mod compare;
mod goals;
mod ground;
mod never;
pub(super) mod shades;
mod smallest;
mod strengths;
mod worlds;

pub use compare::{Access, AccessField, Aspect, Change, Column, Compared, Replayed};
pub(super) use ground::Ground;
#[cfg(test)]
pub(super) use ground::fields;
pub use never::{Counterexample, How, Never, Proved};
pub use shades::{Kept, Shade, is_whole};

/// One state of a request, as far as rules look at it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The roles that count: all of them may invoke the purpose.
    pub roles: BTreeSet<Role>,
    /// The purpose.
    pub purpose: Purpose,
    /// The strengths of authentication that are proved.
    pub strengths: BTreeSet<String>,
}

/// What a policy gives in one state, whatever holds of moments and records: the most, and what is certain.
#[derive(Debug)]
pub struct Sight {
    view: View,
    /// What may be used at most, and what is shown at least, where that is something else.
    conditional: Option<[View; 2]>,
}

/// What is given of one category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// How much is shown, at the most.
    pub level: Level,
    /// How much is shown whatever holds of moments and records.
    pub least: Level,
    /// Whether a field of it may be matched, sorted, grouped and searched by.
    pub usable: Usable,
    /// Whether it may be written.
    pub writable: Writable,
    /// The rules that made the level.
    pub by: Vec<RuleName>,
}

impl Policy {
    /// What it gives in a state.
    pub fn sight(&self, state: &State) -> Sight {
        Sight {
            conditional: worlds::of_conditions(&self.core.model).map(|facts| {
                facts.map(|facts| View::new(self.core.clone(), state.situation(facts)))
            }),
            ..self.sight_in(state.situation(Facts::Most))
        }
    }

    /// What it gives in one situation.
    fn sight_in(&self, situation: Situation) -> Sight {
        Sight {
            view: View::new(self.core.clone(), situation),
            conditional: None,
        }
    }

    /// All categories: those of the catalogue and its own.
    pub fn categories(&self) -> impl Iterator<Item = &Category> {
        self.core.model.categories.keys()
    }

    /// The strengths of authentication that it names.
    pub fn strengths(&self) -> impl Iterator<Item = &str> {
        self.core.model.strengths.keys().map(String::as_str)
    }

    /// Every state with so many roles at once, or fewer, that a caller can be in: of each purpose the roles that may invoke
    /// it, in every set of strengths that grants ask for and that makes a difference.
    pub fn states(&self, roles_max: usize) -> Vec<State> {
        let model = &self.core.model;
        let callers = &self.ground.get_or_init(|| Ground::new(&self.core)).callers;
        let grants = model.grants.iter();
        let asked = grants.flat_map(|grant| &grant.requires).collect();
        let mut states = BTreeSet::new();
        for (purpose, crowd) in model
            .purposes
            .keys()
            .flat_map(|purpose| callers.crowds.iter().map(move |crowd| (purpose, crowd)))
        {
            let roles = crowd.roles.iter();
            let may: Vec<&Role> = roles
                .filter(|role| decide::may_invoke(model, role, purpose))
                .collect();
            let strengths = callers.strengths(crowd.way).map(|all| all.sets(&asked));
            for roles in subsets(&may, roles_max) {
                for strengths in strengths.iter().flatten() {
                    states.insert(State {
                        roles: roles.clone(),
                        purpose: purpose.clone(),
                        strengths: strengths.clone(),
                    });
                }
            }
        }
        states.into_iter().collect()
    }
}

impl State {
    /// As the policy gives most on any day, where something is supposed of its conditions.
    fn situation(&self, facts: Facts) -> Situation {
        Situation {
            roles: self.roles.clone(),
            purpose: Some(self.purpose.clone()),
            strengths: self.strengths.clone(),
            // Whoever comes without a session of the CRM sees no more than who has one.
            seen: None,
            // What it gives on any day: a cap that only observes is none, a grant that does is one.
            observing: Observing::Most,
            facts,
        }
    }
}

impl Sight {
    /// What is given of a category.
    pub fn category(&self, category: &Category) -> Given {
        let verdict = self.view.verdict(category);
        let used = self.used().verdict(category);
        Given {
            level: verdict.level,
            least: self.least().verdict(category).level,
            usable: match used.level {
                // A field of it, and of nothing else: what detectors find in it counts, too.
                Level::Clear => self.used().usable_by(std::slice::from_ref(category)),
                _ => Usable::No,
            },
            writable: match used.write {
                Writing::No => Writable::No,
                Writing::Valid => {
                    super::catalogue::kind_of(category).map_or(Writable::No, Writable::Valid)
                }
                Writing::Any => Writable::Yes,
            },
            by: verdict.by,
        }
    }

    /// What is given of a field.
    pub fn field(&self, path: &FieldPath) -> FieldRule {
        self.rule(&path.module, &path.field)
    }

    /// The same, by its names.
    pub fn rule(&self, module: &Module, field: &Field) -> FieldRule {
        let rule = self.view.rule(module, field);
        if self.conditional.is_none() {
            return rule;
        }
        let used = self.used().rule(module, field);
        FieldRule {
            usable: used.usable,
            writable: used.writable,
            ..rule
        }
    }

    /// The level of a field that is certain.
    pub fn least_of(&self, module: &Module, field: &Field) -> Level {
        self.least().rule(module, field).level
    }

    fn used(&self) -> &View {
        self.conditional
            .as_ref()
            .map_or(&self.view, |[used, _]| used)
    }

    fn least(&self) -> &View {
        self.conditional
            .as_ref()
            .map_or(&self.view, |[_, least]| least)
    }
}

/// The conditions as most can be used.
pub(super) fn used_at_most(model: &super::model::Model) -> Facts {
    worlds::of_conditions(model).map_or(Facts::Most, |[used, _]| used)
}

/// The subsets that are not blank, of so many members at most.
fn subsets(of: &[&Role], members_max: usize) -> Vec<BTreeSet<Role>> {
    let mut all: Vec<(usize, BTreeSet<Role>)> = vec![(0, BTreeSet::new())];
    let mut from = 0;
    for _ in 0..members_max {
        let until = all.len();
        for at in from..until {
            let Some((next, smaller)) = all.get(at).cloned() else {
                continue;
            };
            for (index, role) in of.iter().enumerate().skip(next) {
                let mut larger = smaller.clone();
                larger.insert((*role).clone());
                all.push((index + 1, larger));
            }
        }
        from = until;
    }
    all.into_iter().skip(1).map(|(_, roles)| roles).collect()
}
