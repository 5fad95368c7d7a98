//! What must never happen, proved over every state.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::State;
use super::callers::Crowd;
use super::goals::{Goal, OF_NOBODY, goals, unlooked};
use super::ground::Ground;
use super::smallest::{Within, is_met};
use super::strengths::Provable;
use super::worlds::{World, Worlds};
use crate::policy::engine::{Observing, Situation};
use crate::policy::model::Model;
use crate::policy::{Assumed, Policy, decide};
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
    /// What is supposed of the moment, the caller and the record beside, as little as is enough.
    pub supposed: Vec<Assumed>,
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
        let mut smallest: Option<(Found, Goal)> = None;
        for goal in goals(model, ground, never) {
            let worlds = Worlds::of(model, &goal);
            for purpose in model.purposes.keys().filter(|name| never.is_about(name)) {
                let fewest = smallest.as_ref().map(|(found, _)| found.supposed());
                let (looked_at, found) = walk.look(&goal, &worlds, (purpose, fewest));
                states += looked_at;
                let is_smaller = |found: &Found| smallest.as_ref().is_none_or(|(of, _)| found < of);
                if let Some(found) = found.filter(is_smaller) {
                    smallest = Some((found, goal.clone()));
                }
            }
        }
        Proved {
            states,
            counterexample: smallest.map(|(found, goal)| self.example(found, goal)),
            unlooked: unlooked(model, ground, never),
        }
    }

    fn example(&self, found: Found, goal: Goal) -> Counterexample {
        let Found { world, state } = found;
        let model = &self.core.model;
        let situation = state.situation(world.facts);
        let sight = self.sight_in(situation.clone());
        let given = sight.category(&goal.category);
        let by = match (goal.ruled_by_default(), &goal.field) {
            (Some(default), _) => BTreeSet::from([RuleName::new(default)]),
            (None, Some(field)) if goal.how != "written" => {
                sight.field(field).by.into_iter().collect()
            }
            _ => goal
                .needs
                .iter()
                .flat_map(|need| need.by(model, &situation))
                .collect(),
        };
        Counterexample {
            level: match goal.category.as_str() {
                OF_NOBODY => given.level.max(model.unclassified(&situation)),
                _ => given.level,
            },
            category: goal.category,
            field: goal.field,
            how: goal.how,
            by: by.into_iter().collect(),
            supposed: world.supposed,
            state,
        }
    }
}

/// Where something happens; the smaller one supposes less, then has fewer roles, then fewer strengths, then comes first by its
/// names.
#[derive(PartialEq, Eq)]
struct Found {
    world: World,
    state: State,
}

impl Found {
    fn supposed(&self) -> usize {
        self.world.supposed.len()
    }

    fn key(&self) -> (usize, usize, usize, &[Assumed], &State) {
        let State {
            roles, strengths, ..
        } = &self.state;
        let supposed = self.world.supposed.as_slice();
        (
            supposed.len(),
            roles.len(),
            strengths.len(),
            supposed,
            &self.state,
        )
    }
}

impl PartialOrd for Found {
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
    ground: &'a Ground,
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
            ground,
            never,
            crowds: callers.crowds.iter().filter_map(crowd).collect(),
        }
    }

    /// Looks for a goal at one purpose, where as little is supposed as is enough, and no more than is known to be: how many
    /// states were looked at, and the smallest in which it is met.
    fn look(
        &self,
        goal: &Goal,
        worlds: &Worlds<'_>,
        (purpose, fewest): (&Purpose, Option<usize>),
    ) -> (usize, Option<Found>) {
        let mut looked_at = 0;
        let mut smallest: Option<Found> = None;
        // Where nothing is enough, not even everything at once, nothing less is.
        let (most, found) = self.within(goal, purpose, &worlds.most());
        looked_at += most;
        if found.is_none() || !worlds.are_several() {
            return (looked_at, found);
        }
        for world in worlds.all() {
            let supposed = world.supposed.len();
            let is_known = smallest.as_ref().map(Found::supposed).or(fewest);
            if is_known.is_some_and(|known| known < supposed) {
                break;
            }
            let (further, found) = self.within(goal, purpose, &world);
            looked_at += further;
            if let Some(found) = found
                && smallest.as_ref().is_none_or(|smallest| found < *smallest)
            {
                smallest = Some(found);
            }
        }
        (looked_at, smallest)
    }

    /// The same where something certain is supposed.
    fn within(&self, goal: &Goal, purpose: &Purpose, world: &World) -> (usize, Option<Found>) {
        let free = self.free(goal, purpose, world);
        let wanted = &self.never.roles;
        let mut looked_at = 0;
        let mut smallest: Option<Found> = None;
        for (crowd, provable) in &self.crowds {
            let of_crowd = free.iter().filter(|role| crowd.contains(**role));
            let roles: BTreeSet<Role> = of_crowd.map(|role| (*role).clone()).collect();
            for roles in self.together(goal, (purpose, world), roles) {
                if roles.is_empty() || !wanted.is_empty() && wanted.is_disjoint(&roles) {
                    continue;
                }
                let within = Within {
                    model: self.model,
                    goal,
                    purpose,
                    roles: &roles,
                    wanted,
                    facts: world.facts,
                };
                for provable in provable {
                    looked_at += 1;
                    let largest = within.largest(provable).situation(world.facts);
                    if !is_met(self.model, goal, &largest) {
                        continue;
                    }
                    let found = Found {
                        world: world.clone(),
                        state: within.smallest(provable),
                    };
                    if smallest.as_ref().is_none_or(|smallest| found < *smallest) {
                        smallest = Some(found);
                    }
                }
            }
        }
        (looked_at, smallest)
    }

    /// The largest sets of some roles that no cap holds back together. An exception lifts a cap only for those all of whose
    /// roles it names: it does so for none who has another role beside.
    fn together(
        &self,
        goal: &Goal,
        (purpose, world): (&Purpose, &World),
        roles: BTreeSet<Role>,
    ) -> BTreeSet<BTreeSet<Role>> {
        let mut sets = BTreeSet::from([roles]);
        for cap in self
            .model
            .caps
            .iter()
            .filter(|cap| !cap.exceptions.is_empty())
        {
            let mut needs = goal.needs.iter();
            if !needs.any(|need| need.is_held_by(self.model, cap)) {
                continue;
            }
            let is_unlifted = |role: &Role| {
                let alone = Situation {
                    roles: BTreeSet::from([role.clone()]),
                    purpose: Some(purpose.clone()),
                    observing: Observing::Most,
                    facts: world.facts,
                    ..Situation::default()
                };
                !cap.would_match(&alone)
            };
            let in_force = cap.exceptions.iter();
            let in_force = in_force.filter(|one| world.facts.show(Some(one.when)));
            let in_force: Vec<&BTreeSet<Role>> = in_force.map(|one| &one.roles).collect();
            let parted = sets.iter().flat_map(|set| {
                let untouched = set.iter().filter(|role| is_unlifted(role)).cloned();
                let untouched: BTreeSet<Role> = untouched.collect();
                let lifted = in_force.iter().map(|roles| set & *roles);
                lifted.chain([untouched]).collect::<Vec<_>>()
            });
            sets = parted.collect();
        }
        sets
    }

    /// The roles that may invoke a purpose and that no cap holds back from what a goal needs. Beside one that is held back,
    /// all are.
    fn free(&self, goal: &Goal, purpose: &Purpose, world: &World) -> BTreeSet<&'a Role> {
        let roles = self.model.roles.keys();
        let mut free: BTreeSet<&Role> = roles
            .filter(|role| decide::may_invoke(self.model, role, purpose))
            .collect();
        for need in &goal.needs {
            if free.is_empty() {
                break;
            }
            let of_need = self.ground.free(self.model, need, (purpose, world.facts));
            free.retain(|role| of_need.contains(*role));
        }
        free
    }
}
