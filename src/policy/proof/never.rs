//! What must never happen, proved over every state.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::State;
use super::callers::Crowd;
use super::goals::{Goal, OF_NOBODY, goals, unlooked};
use super::ground::Ground;
use super::smallest::{Within, is_met};
use super::strengths::Provable;
use crate::policy::model::Model;
use crate::policy::{Policy, decide};
use crate::vocabulary::{Category, FieldPath, Level, Purpose, Role, RuleName};

/// What must never happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Never {
    /// Its name.
    pub name: String,
    /// Data of these categories and of all below them.
    pub data: BTreeSet<Category>,
    /// To callers one of whose counted roles is one of these; to anybody, if there are none.
    pub roles: BTreeSet<Role>,
    /// For these purposes; for any, if there are none.
    pub purposes: BTreeSet<Purpose>,
    /// What must not happen to it.
    pub how: How,
    /// But for callers one of whose counted roles is one of these.
    pub unless_roles: BTreeSet<Role>,
    /// But for these purposes.
    pub unless_purposes: BTreeSet<Purpose>,
    /// But where one of these strengths is proved.
    pub unless_strengths: BTreeSet<String>,
}

/// What must not happen to data: at least one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// It is shown at this level, or at a higher one.
    pub at_least: Option<Level>,
    /// It is matched, by fields or by what can be found in texts.
    pub matched: bool,
    /// It is sorted, grouped or aggregated by.
    pub sorted: bool,
    /// The CRM's full-text search looks into it.
    pub searched: bool,
    /// It is written.
    pub written: bool,
    /// By a field of its own, that is: what stands in texts does not count.
    pub fields_only: bool,
}

/// What came of a proof.
#[derive(Clone, Debug)]
pub struct Proved {
    /// How many states were looked at, each of which speaks for all that are smaller.
    pub states: usize,
    /// The smallest state in which it happens; none: it never does.
    pub counterexample: Option<Counterexample>,
    /// Categories that detectors could look for in texts, and that none of the policy does: of texts, nothing is proved of
    /// these.
    pub unlooked: BTreeSet<Category>,
}

/// A state in which something happens that must never.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The state.
    pub state: State,
    /// The category.
    pub category: Category,
    /// The field by which it happens, where it is not the category's own level that does.
    pub field: Option<FieldPath>,
    /// What happens: `shown`, `matched`, `sorted`, `searched`, `written`.
    pub how: &'static str,
    /// The level of the category there.
    pub level: Level,
    /// The rules that made it so.
    pub by: Vec<RuleName>,
}

impl Policy {
    /// Whether something never happens, in any state.
    pub fn prove(&self, never: &Never) -> Proved {
        let model = &self.core.model;
        let ground = self.ground.get_or_init(|| Ground::new(&self.core));
        let walk = Walk::new(model, ground, never);
        let mut states = 0;
        let mut smallest: Option<(Size, Goal)> = None;
        for goal in goals(model, ground, never) {
            for purpose in model.purposes.keys().filter(|name| never.is_about(name)) {
                let (looked_at, found) = walk.look(&goal, purpose);
                states += looked_at;
                let found = found.map(Size);
                let is_smaller = |found: &Size| smallest.as_ref().is_none_or(|(of, _)| found < of);
                if let Some(found) = found.filter(is_smaller) {
                    smallest = Some((found, goal.clone()));
                }
            }
        }
        Proved {
            states,
            counterexample: smallest.map(|(Size(state), goal)| self.example(state, goal)),
            unlooked: unlooked(model, ground, never),
        }
    }

    fn example(&self, state: State, goal: Goal) -> Counterexample {
        let model = &self.core.model;
        let sight = self.sight(&state);
        let given = sight.category(&goal.category);
        let by = match (goal.ruled_by_default(), &goal.field) {
            (Some(default), _) => BTreeSet::from([RuleName::new(default)]),
            (None, Some(field)) if goal.how != "written" => {
                sight.field(field).by.into_iter().collect()
            }
            _ => goal
                .needs
                .iter()
                .flat_map(|need| need.by(model, &state.situation()))
                .collect(),
        };
        Counterexample {
            level: match goal.category.as_str() {
                OF_NOBODY => given.level.max(model.unclassified(&state.situation())),
                _ => given.level,
            },
            category: goal.category,
            field: goal.field,
            how: goal.how,
            by: by.into_iter().collect(),
            state,
        }
    }
}

/// A state; the smaller one has fewer roles, then fewer strengths, then comes first by its names.
#[derive(PartialEq, Eq)]
struct Size(State);

impl Size {
    fn key(&self) -> (usize, usize, &State) {
        (self.0.roles.len(), self.0.strengths.len(), &self.0)
    }
}

impl PartialOrd for Size {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.key().partial_cmp(&other.key())
    }
}

impl Never {
    /// Whether it is about a purpose.
    fn is_about(&self, purpose: &Purpose) -> bool {
        (self.purposes.is_empty() || self.purposes.contains(purpose))
            && !self.unless_purposes.contains(purpose)
    }
}

/// The states that a promise is about.
struct Walk<'a> {
    model: &'a Model,
    never: &'a Never,
    /// The roles that are not exempt and that one caller can have, and what such callers can prove.
    crowds: Vec<(BTreeSet<&'a Role>, Vec<Provable>)>,
}

impl<'a> Walk<'a> {
    fn new(model: &'a Model, ground: &'a Ground, never: &'a Never) -> Self {
        let callers = &ground.callers;
        let crowd = |crowd: &'a Crowd| {
            let roles = crowd.roles.iter();
            let roles: BTreeSet<&Role> = roles
                .filter(|role| !never.unless_roles.contains(*role))
                .collect();
            let strengths = callers.strengths(crowd.way)?;
            Some((roles, strengths.without(&never.unless_strengths)))
        };
        Self {
            model,
            never,
            crowds: callers.crowds.iter().filter_map(crowd).collect(),
        }
    }

    /// Looks for a goal at one purpose: how many states were looked at, and the smallest in which it is met.
    fn look(&self, goal: &Goal, purpose: &Purpose) -> (usize, Option<State>) {
        let free = self.free(goal, purpose);
        let wanted = &self.never.roles;
        let mut looked_at = 0;
        let mut smallest: Option<Size> = None;
        for (crowd, provable) in &self.crowds {
            let of_crowd = free.iter().filter(|role| crowd.contains(**role));
            let roles: BTreeSet<Role> = of_crowd.map(|role| (*role).clone()).collect();
            if roles.is_empty() || !wanted.is_empty() && wanted.is_disjoint(&roles) {
                continue;
            }
            let within = Within {
                model: self.model,
                goal,
                purpose,
                roles: &roles,
                wanted,
            };
            for provable in provable {
                looked_at += 1;
                if !is_met(self.model, goal, &within.largest(provable).situation()) {
                    continue;
                }
                let found = Size(within.smallest(provable));
                if smallest.as_ref().is_none_or(|smallest| found < *smallest) {
                    smallest = Some(found);
                }
            }
        }
        (looked_at, smallest.map(|Size(state)| state))
    }

    /// The roles that may invoke a purpose and that no cap holds back from what a goal needs. Beside one that is held back,
    /// all are.
    fn free(&self, goal: &Goal, purpose: &Purpose) -> BTreeSet<&'a Role> {
        let is_free = |role: &Role| {
            let alone = State {
                roles: BTreeSet::from([role.clone()]),
                purpose: purpose.clone(),
                strengths: BTreeSet::new(),
            };
            let situation = alone.situation();
            let mut needs = goal.needs.iter();
            !needs.any(|need| need.is_held_back(self.model, &situation))
        };
        let roles = self.model.roles.keys();
        roles
            .filter(|role| decide::may_invoke(self.model, role, purpose) && is_free(role))
            .collect()
    }
}
