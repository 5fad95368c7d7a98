//! What conditions of two policies can be at once: the same condition is the same in both, any other one is free. What nobody
//! knows is a case of its own, where something shows more if a condition holds, and something else if it does not.

use std::collections::BTreeSet;

use super::apart::Apart;
use super::cells::{NEW, OLD};
use crate::policy::engine::Facts;
use crate::policy::model::{Bit, Model};
use crate::policy::supposed::{Assumed, For, Formula};

/// So many combinations are tried at most, which are all, where conditions that matter to the same data are few. Of more, those
/// are tried in which all but two are as they show most or least under one of the policies, or all hold, or none, or nobody knows.
const WORLDS_MAX: usize = 2048;

/// Alternatives that are told of one difference at most.
const TERMS_MAX: usize = 6;

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Yes,
    /// It does not; where that is the same for all that depends on it, or nobody knows.
    No,
    Unknown,
}

/// A condition of one policy or of both.
#[derive(Debug)]
struct Variable {
    yes: Formula,
    /// What is so where it does not hold; `None`, where that says nothing of anything else.
    no: Option<Formula>,
    /// Whether nobody is ever in doubt.
    is_known: bool,
    /// Whether the policies mean different things by it.
    is_apart: bool,
    parts: Vec<Part>,
}

/// Bits of a policy that depend on it.
#[derive(Clone, Copy, Debug)]
struct Part {
    side: usize,
    what_for: For,
    bits: u64,
    /// Whether they show most where it holds, or where it does not.
    most: bool,
}

/// One combination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::policy::proof) struct World {
    answers: Vec<Answer>,
    /// The conditions of a record that is shown.
    pub(in crate::policy::proof) showing: [Facts; 2],
    /// Those by which fields are used.
    pub(in crate::policy::proof) using: [Facts; 2],
}

/// All combinations that matter to some data.
#[derive(Debug)]
pub(in crate::policy::proof) struct Worlds<'a> {
    models: [&'a Model; 2],
    variables: Vec<Variable>,
    pub(in crate::policy::proof) all: Vec<World>,
    /// Whether nothing was left out.
    is_whole: bool,
}

/// The answers that some conditions have.
type Cube = Vec<Option<Answer>>;

const MODES: [For; 2] = [For::Showing, For::Using];

impl Variable {
    /// Whether something shows more where it holds, and something else where it does not.
    fn is_of_both(&self) -> bool {
        self.parts.iter().any(|part| part.most) && self.parts.iter().any(|part| !part.most)
    }

    /// The answers that make a difference. Nobody knows: then whatever depends on it shows least.
    fn answers(&self) -> &'static [Answer] {
        match self.is_of_both() && !self.is_known {
            true => &[Answer::Yes, Answer::No, Answer::Unknown],
            false => &[Answer::Yes, Answer::No],
        }
    }

    /// What is so where it has an answer.
    fn means(&self, answer: Answer) -> Vec<(&Formula, bool)> {
        let no = self.no.as_ref();
        let is_sure = self.is_known || self.is_of_both();
        match answer {
            Answer::Yes => vec![(&self.yes, true)],
            Answer::No if is_sure => vec![no.map_or((&self.yes, false), |no| (no, true))],
            Answer::No => vec![(&self.yes, false)],
            Answer::Unknown => {
                let no = no.map(|no| (no, false));
                std::iter::once((&self.yes, false)).chain(no).collect()
            }
        }
    }
}

impl<'a> Worlds<'a> {
    /// Those of some bits of each policy.
    pub(in crate::policy::proof) fn of(
        models: [&'a Model; 2],
        bits: [u64; 2],
        apart: &Apart,
    ) -> Self {
        let mut worlds = Self {
            models,
            variables: Vec::new(),
            all: Vec::new(),
            is_whole: true,
        };
        let mut always = [[0; 2]; 2];
        for side in [OLD, NEW] {
            for (mode, what_for) in MODES.into_iter().enumerate() {
                always[mode][side] = worlds.note((side, bits[side]), what_for, apart);
            }
        }
        // Which rule stands first means nothing.
        let mut variables = std::mem::take(&mut worlds.variables);
        variables.sort_by_cached_key(|variable| variable.yes.key());
        worlds.variables = variables;
        worlds.all = worlds.combined(always);
        worlds
    }

    /// Notes what the bits of a policy depend on; those are handed back that show most whatever is so.
    fn note(&mut self, (side, bits): (usize, u64), what_for: For, apart: &Apart) -> u64 {
        let model = self.models[side];
        let mut always = 0;
        for (bit, noted) in (0..).map(Bit).zip(&model.conditions) {
            let Some(yes) = model.shows_most(bit, what_for).filter(|_| bit.is_in(bits)) else {
                continue;
            };
            if yes.is_always() {
                always |= bit.mask();
                continue;
            }
            let yes = apart.formula(side, yes);
            if !Formula::can_hold(&[&yes]) {
                continue;
            }
            // What nobody knows of records may be so, and may not.
            let is_of_request = what_for == For::Showing || !noted.condition.is_about_records();
            let no = is_of_request.then(|| match noted.withholds {
                true => Formula::holds(&noted.condition),
                false => Formula::fails(&noted.condition),
            });
            let part = Part {
                side,
                what_for,
                bits: bit.mask(),
                most: true,
            };
            self.add(Variable {
                yes,
                no: no.map(|no| apart.formula(side, no)),
                is_known: noted.condition.is_about_time_alone(),
                is_apart: apart.touches(&noted.condition),
                parts: vec![part],
            });
        }
        always
    }

    fn add(&mut self, new: Variable) {
        let (key, opposite) = (new.yes.key(), new.no.as_ref().map(Formula::key));
        let parts = |most| {
            let parts = new.parts.iter();
            parts.map(move |part| Part { most, ..*part })
        };
        for known in &mut self.variables {
            let (own, other) = (known.yes.key(), known.no.as_ref().map(Formula::key));
            if own == key {
                return known.parts.extend(parts(true));
            }
            if opposite.as_ref() == Some(&own) || other.as_ref() == Some(&key) {
                return known.parts.extend(parts(false));
            }
        }
        self.variables.push(new);
    }

    fn combined(&mut self, always: [[u64; 2]; 2]) -> Vec<World> {
        let possible = self.variables.iter().map(|one| one.answers().len());
        let count = possible.fold(1_usize, usize::saturating_mul);
        self.is_whole = count <= WORLDS_MAX;
        let tried: BTreeSet<Vec<Answer>> = match self.is_whole {
            true => self.every(),
            false => self.few(),
        };
        let possible = tried.into_iter().filter(|answers| self.can_be(answers));
        possible
            .map(|answers| self.world(answers, always))
            .collect()
    }

    fn every(&self) -> BTreeSet<Vec<Answer>> {
        let mut all = vec![Vec::new()];
        for variable in &self.variables {
            let longer = |begun: Vec<Answer>| {
                variable.answers().iter().map(move |answer| {
                    let mut answers = begun.clone();
                    answers.push(*answer);
                    answers
                })
            };
            all = all.into_iter().flat_map(longer).collect();
        }
        all.into_iter().collect()
    }

    /// Combinations close to those that show most or least.
    fn few(&self) -> BTreeSet<Vec<Answer>> {
        let alike = |answer: Answer| -> Vec<Answer> {
            let of = |variable: &Variable| match variable.answers().contains(&answer) {
                true => answer,
                false => Answer::No,
            };
            self.variables.iter().map(of).collect()
        };
        let mut bases = vec![
            alike(Answer::Yes),
            alike(Answer::No),
            alike(Answer::Unknown),
        ];
        for side in [OLD, NEW] {
            for most in [true, false] {
                let of = |variable: &Variable| {
                    let mut parts = variable.parts.iter();
                    let part = parts.find(|part| part.side == side);
                    let part = part.or_else(|| variable.parts.first());
                    match part.is_none_or(|part| part.most) == most {
                        true => Answer::Yes,
                        false => Answer::No,
                    }
                };
                bases.push(self.variables.iter().map(of).collect());
            }
        }
        let mut tried = BTreeSet::new();
        for base in bases {
            let once = self.next_to(&base);
            tried.extend(once.iter().flat_map(|near| self.next_to(near)));
            tried.extend(once);
            tried.insert(base);
        }
        tried
    }

    /// Combinations with one other answer.
    fn next_to(&self, base: &[Answer]) -> Vec<Vec<Answer>> {
        let others = |(at, variable): (usize, &Variable)| {
            variable.answers().iter().filter_map(move |answer| {
                let mut answers = base.to_vec();
                let own = answers.get_mut(at).filter(|own| *own != answer)?;
                *own = *answer;
                Some(answers)
            })
        };
        self.variables.iter().enumerate().flat_map(others).collect()
    }

    fn can_be(&self, answers: &[Answer]) -> bool {
        let so = self.variables.iter().zip(answers);
        let formulas: Vec<(&Formula, bool)> = so
            .flat_map(|(variable, answer)| variable.means(*answer))
            .collect();
        Formula::can_be(&formulas)
    }

    fn world(&self, answers: Vec<Answer>, always: [[u64; 2]; 2]) -> World {
        let facts = |mode: usize, side: usize| {
            let model = self.models[side];
            if model.conditions.is_empty() {
                return Facts::Most;
            }
            let mut turned = always[mode][side];
            for (variable, answer) in self.variables.iter().zip(&answers) {
                let shows = |part: &&Part| match answer {
                    Answer::Yes => part.most,
                    Answer::No => !part.most,
                    Answer::Unknown => false,
                };
                let own = variable.parts.iter().filter(|part| {
                    part.side == side && part.what_for == MODES[mode] && shows(part)
                });
                turned |= own.fold(0, |all, part| all | part.bits);
            }
            Facts::Known(model.least() ^ turned)
        };
        World {
            showing: [facts(0, OLD), facts(0, NEW)],
            using: [facts(1, OLD), facts(1, NEW)],
            answers,
        }
    }

    /// What tells some combinations from all others: one of several alternatives, each as short as it can be; and that there are
    /// others perhaps, where not all were tried or they are too many to be told.
    pub(in crate::policy::proof) fn told(&self, some: &[usize]) -> Vec<Assumed> {
        if some.len() == self.all.len() {
            return Vec::new();
        }
        let mut others = vec![true; self.all.len()];
        for at in some {
            if let Some(is_other) = others.get_mut(*at) {
                *is_other = false;
            }
        }
        let others = self
            .all
            .iter()
            .zip(others)
            .filter(|(_, is_other)| *is_other);
        let others: Vec<&World> = others.map(|(world, _)| world).collect();
        let mut cubes: Vec<Cube> = Vec::new();
        for at in some {
            let Some(world) = self.all.get(*at) else {
                continue;
            };
            if !cubes.iter().any(|cube| is_in(cube, world)) {
                cubes.push(widened(world, &others));
            }
        }
        self.without_needless(&mut cubes, some);
        let is_cut = cubes.len() > TERMS_MAX || !self.is_whole;
        cubes.truncate(TERMS_MAX);
        let mut terms: Vec<Vec<Assumed>> = cubes.iter().map(|cube| self.said(cube)).collect();
        terms.sort();
        terms.dedup();
        let mut told = match terms.len() {
            0 | 1 => terms.pop().unwrap_or_default(),
            _ => vec![Assumed::Either(terms)],
        };
        told.extend(is_cut.then_some(Assumed::Perhaps));
        told
    }

    /// Leaves out alternatives that others make needless.
    fn without_needless(&self, cubes: &mut Vec<Cube>, some: &[usize]) {
        let mut at = 0;
        while at < cubes.len() {
            let others = |world: &World| {
                let mut others = cubes.iter().enumerate().filter(|(other, _)| *other != at);
                others.any(|(_, cube)| is_in(cube, world))
            };
            let mut worlds = some.iter().filter_map(|at| self.all.get(*at));
            if worlds.all(others) {
                cubes.remove(at);
            } else {
                at += 1;
            }
        }
    }

    fn said(&self, cube: &Cube) -> Vec<Assumed> {
        let variables = self.variables.iter().zip(cube);
        let said = variables.filter_map(|(variable, answer)| {
            let answer = (*answer)?;
            let of_new = variable.parts.iter().find(|part| part.side == NEW);
            let part = of_new.or_else(|| variable.parts.first())?;
            let most = part.most == (answer == Answer::Yes);
            let said = match (answer, self.models[part.side].said(part.bits, most)) {
                (Answer::Unknown, Assumed::Holds(rules) | Assumed::Fails(rules)) => {
                    Assumed::Unknown(rules)
                }
                (_, said) => said,
            };
            Some(match variable.is_apart {
                true => Assumed::By {
                    new: part.side == NEW,
                    what: Box::new(said),
                },
                false => said,
            })
        });
        let said: BTreeSet<Assumed> = said.collect();
        said.into_iter().collect()
    }
}

/// As few of a combination's answers as none of the others has.
fn widened(world: &World, others: &[&World]) -> Cube {
    let mut cube: Cube = world.answers.iter().copied().map(Some).collect();
    for variable in 0..cube.len() {
        let mut wider = cube.clone();
        if let Some(answer) = wider.get_mut(variable) {
            *answer = None;
        }
        if !others.iter().any(|other| is_in(&wider, other)) {
            cube = wider;
        }
    }
    cube
}

fn is_in(cube: &Cube, world: &World) -> bool {
    let mut both = cube.iter().zip(&world.answers);
    both.all(|(asked, answer)| asked.is_none_or(|asked| asked == *answer))
}
