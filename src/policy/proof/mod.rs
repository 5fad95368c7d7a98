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
mod smallest;
mod strengths;

pub use compare::{Access, AccessField, Aspect, Change, Column, Compared, Replayed};
pub(super) use ground::Ground;
#[cfg(test)]
pub(super) use ground::fields;
pub use never::{Counterexample, How, Never, Proved};

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

/// What a policy gives in one state.
#[derive(Debug)]
pub struct Sight {
    view: View,
}

/// What is given of one category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// How much is shown.
    pub level: Level,
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
            view: View::new(self.core.clone(), state.situation()),
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
    fn situation(&self) -> Situation {
        Situation {
            roles: self.roles.clone(),
            purpose: Some(self.purpose.clone()),
            strengths: self.strengths.clone(),
            // Whoever comes without a session of the CRM sees no more than who has one.
            seen: None,
            // What it gives on any day: a cap that only observes is none, a grant that does is one.
            observing: Observing::Most,
            // And on any record, at any moment.
            facts: Facts::Most,
        }
    }
}

impl Sight {
    /// What is given of a category.
    pub fn category(&self, category: &Category) -> Given {
        let verdict = self.view.verdict(category);
        Given {
            level: verdict.level,
            usable: match verdict.level {
                // A field of it, and of nothing else: what detectors find in it counts, too.
                Level::Clear => self.view.usable_by(std::slice::from_ref(category)),
                _ => Usable::No,
            },
            writable: match verdict.write {
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
        self.view.rule(&path.module, &path.field)
    }

    /// The same, by its names.
    pub fn rule(&self, module: &Module, field: &Field) -> FieldRule {
        self.view.rule(module, field)
    }
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
