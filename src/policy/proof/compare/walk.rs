//! Every state in which two policies can differ, and what differs there.
//!
//! **One role, and two.** The level of a category for a set of roles is the lower of the highest lift and the lowest ceiling of
//! its members ([`super::cells`]). Let a set be shown `new` where it was shown `old`, which is less. Then some member `w`
//! lifts to `new` under the new policy, and no member is held below it there. Under the old policy either no member lifted above
//! `old`, so `w` alone is shown at least `new` and was shown at most `old`; or a cap on some member `v` held all of them
//! down, so the same is true of `w` and `v` together. Whatever a larger set gains or loses in a category thus shows with one role
//! or with two, and a pair is told only where neither of its roles alone explains it. The right to write is such a chain of lifts
//! and ceilings, too.
//!
//! An exception lifts a cap only for those all of whose roles it names, so a cap may hold two roles down neither of which it
//! holds alone: pairs are asked of the rules themselves, and so are every three roles of an exception, and all of them. Sets
//! between those, and sets of roles of several exceptions, are not looked at.
//!
//! A field in several categories may need a witness for each of them.
//!
//! **Conditions.** All of this is so in each world by itself ([`super::worlds`]): where some conditions hold and others do not. Worlds
//! are made of what matters to a subject, so a subject without conditions has one.

use std::collections::{BTreeMap, BTreeSet};

use crate::detect::Kind;
use crate::policy::decision::looked::Looked;
use crate::policy::engine::Facts;
use crate::policy::supposed::Assumed;

use super::apart::Apart;
use super::cells::{ByCategory, Cell, Cells, NEW, Names, OLD, can_meet};
use super::shown::{AtMost, Relation, Shown};
use super::subjects::{Both, Found, Gives, Made, Refused, Subject, Values, What, is_statement};
use super::worlds::Worlds;
use crate::policy::plan::Usable;

/// Roles of one exception of which every three are looked at; of more, all of them together.
const EXCEPTED_MAX: usize = 8;

/// A state: roles by their places, a purpose, and what was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) roles: Vec<usize>,
    pub(super) purpose: usize,
    pub(super) proven: usize,
}

/// What differs of a subject.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Difference<'a> {
    Shown(Shown<'a>, Shown<'a>),
    Used(Usable, Usable),
    Written(Gives, Gives),
    /// Of what is found in a text.
    Found(Kind, Found, Found),
    /// Of new findings in a text.
    Refused(Kind, Refused, Refused),
    /// Full-text search.
    Searched(bool, bool),
}

/// The fields of a module that are searched, under both policies; `None`: it is not searched.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) module: String,
    pub(super) sides: [Option<Vec<Option<Made>>>; 2],
}

/// What differs in a state.
pub(super) struct Told<'s, 'a> {
    pub(super) spot: &'s Spot,
    pub(super) about: About<'s>,
    pub(super) relation: Relation,
    pub(super) difference: Difference<'a>,
    /// Where it is so.
    pub(super) when: Vec<Assumed>,
    /// The conditions of both policies in one of those worlds.
    pub(super) facts: [Facts; 2],
}

#[derive(Clone, Copy, Debug)]
pub(super) enum About<'s> {
    Subject(&'s Subject),
    Search(&'s Search),
}

/// The cells of a set of roles in one world, under both policies.
struct Folded {
    shown: [Vec<Cell>; 2],
    /// `None`: the same.
    used: Option<[Vec<Cell>; 2]>,
}

impl Folded {
    fn of(&self, side: usize) -> [&[Cell]; 2] {
        let used = self.used.as_ref().unwrap_or(&self.shown);
        [&self.shown[side], &used[side]]
    }

    fn shown(&self, side: usize) -> &[Cell] {
        &self.shown[side]
    }

    fn used(&self, side: usize) -> &[Cell] {
        let [_, used] = self.of(side);
        used
    }
}

/// What is looked at in the same worlds.
#[derive(Default)]
struct Group<'s> {
    subjects: Vec<&'s Subject>,
    searches: Vec<&'s Search>,
}

/// A set of roles in each world, and the smaller ones that may explain what differs for it.
struct State<'s> {
    spot: Spot,
    worlds: &'s Worlds<'s>,
    folded: &'s [Folded],
    smaller: Vec<&'s [Folded]>,
}

/// Hands on everything that differs.
pub(super) fn walk(
    both: &Both<'_>,
    subjects: &[Subject],
    searches: &[Search],
    tell: &mut dyn FnMut(&Told<'_, '_>),
) {
    let names = &both.names;
    let rules = names
        .models
        .map(|model| ByCategory::of(model, &names.categories));
    let aparts = names.purposes.iter().map(|purpose| {
        let purpose = Some(*purpose);
        Apart::of(names.models, [purpose, purpose], None)
    });
    let aparts: Vec<Apart> = aparts.collect();
    for (bits, group) in groups(both, subjects, searches) {
        let mut known: BTreeMap<&Apart, Worlds<'_>> = BTreeMap::new();
        for (purpose, apart) in aparts.iter().enumerate() {
            let worlds = known
                .entry(apart)
                .or_insert_with(|| Worlds::of(names.models, bits, apart));
            for proven in 0..names.proven.len() {
                group.walk(both, (worlds, &rules), (purpose, proven), tell);
            }
        }
    }
}

/// Everything that is compared, by the conditions that matter to it.
fn groups<'s>(
    both: &Both<'_>,
    subjects: &'s [Subject],
    searches: &'s [Search],
) -> BTreeMap<[u64; 2], Group<'s>> {
    let mut groups: BTreeMap<[u64; 2], Group<'s>> = BTreeMap::new();
    for subject in subjects {
        let bits = both.bits([OLD, NEW].map(|side| subject.sides[side].iter()));
        groups.entry(bits).or_default().subjects.push(subject);
    }
    for search in searches {
        let bits = both.bits([OLD, NEW].map(|side| search.sides[side].iter().flatten().flatten()));
        groups.entry(bits).or_default().searches.push(search);
    }
    groups
}

impl Group<'_> {
    fn walk(
        &self,
        both: &Both<'_>,
        (worlds, rules): (&Worlds<'_>, &[ByCategory<'_>; 2]),
        (purpose, proven): (usize, usize),
        tell: &mut dyn FnMut(&Told<'_, '_>),
    ) {
        let names = &both.names;
        let at = (names.purposes[purpose], proven);
        let cells: Vec<(Cells, Option<Cells>)> = worlds
            .all
            .iter()
            .map(|world| {
                let used =
                    (world.using != world.showing).then(|| names.cells(rules, at, world.using));
                (names.cells(rules, at, world.showing), used)
            })
            .collect();
        // In no world others count.
        let Some((first, _)) = cells.first() else {
            return;
        };
        let roles: Vec<usize> = (0..names.roles.len())
            .filter(|role| first.counts(*role))
            .filter(|role| names.proven[proven].is_of(&names.roles[*role].ways))
            .collect();
        let adds_up = names.add_up();
        let folded = |roles: &[usize]| -> Vec<Folded> {
            let of = |cells: &Cells, facts: [Facts; 2]| {
                [OLD, NEW].map(|side| match adds_up || roles.len() == 1 {
                    true => cells.fold(side, roles),
                    false => names.together(rules, (side, roles), at, facts),
                })
            };
            let worlds = cells.iter().zip(&worlds.all);
            let worlds = worlds.map(|((shown, used), world)| Folded {
                shown: of(shown, world.showing),
                used: used.as_ref().map(|used| of(used, world.using)),
            });
            worlds.collect()
        };
        let singles: Vec<Vec<Folded>> = roles.iter().map(|role| folded(&[*role])).collect();
        let mut visit = |roles: Vec<usize>, folded: &[Folded], smaller: Vec<&[Folded]>| {
            let spot = Spot {
                roles,
                purpose,
                proven,
            };
            let state = State {
                spot,
                worlds,
                folded,
                smaller,
            };
            state.tell(both, self, tell);
        };
        for (role, single) in roles.iter().zip(&singles) {
            // Who gains or loses a role by its evidence is told as that.
            if is_whole(names, *role) {
                visit(vec![*role], single, Vec::new());
            }
        }
        for (at, (one, alone)) in roles.iter().zip(&singles).enumerate() {
            let others = roles.iter().zip(&singles).skip(at + 1);
            for (other, other_alone) in others.filter(|(other, _)| pairs(names, *one, **other)) {
                let together = folded(&[*one, *other]);
                visit(vec![*one, *other], &together, vec![alone, other_alone]);
            }
        }
        if adds_up {
            return;
        }
        for set in excepted(names, &roles) {
            let pairs: Vec<Vec<Folded>> = every_two(&set).iter().map(|few| folded(few)).collect();
            let alone = roles
                .iter()
                .zip(&singles)
                .filter(|(role, _)| set.contains(role));
            let smaller = alone.map(|(_, single)| single.as_slice());
            let smaller = smaller.chain(pairs.iter().map(Vec::as_slice)).collect();
            let together = folded(&set);
            visit(set, &together, smaller);
        }
    }
}

/// Three roles and more that one exception is for, or all of them: a cap may be lifted for them together under one of the
/// policies only, and not for fewer.
fn excepted(names: &Names<'_>, roles: &[usize]) -> BTreeSet<Vec<usize>> {
    let caps = names.models.iter().flat_map(|model| &model.caps);
    let mut sets = BTreeSet::new();
    for exception in caps.flat_map(|cap| &cap.exceptions) {
        let listed = roles.iter().copied().filter(|role| {
            is_whole(names, *role) && exception.roles.contains(names.roles[*role].role)
        });
        let listed: Vec<usize> = listed.collect();
        let few = &listed[..listed.len().min(EXCEPTED_MAX)];
        for (at, one) in few.iter().enumerate() {
            for (next, other) in few.iter().enumerate().skip(at + 1) {
                let thirds = few.iter().skip(next + 1);
                sets.extend(thirds.map(|third| vec![*one, *other, *third]));
            }
        }
        if listed.len() > 3 {
            sets.insert(listed);
        }
    }
    sets.retain(|set| {
        let held: Vec<_> = set.iter().map(|role| &names.roles[*role]).collect();
        can_meet(&held)
    });
    sets
}

/// Every two of some roles.
fn every_two(set: &[usize]) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    for (at, one) in set.iter().enumerate() {
        for other in set.iter().skip(at + 1) {
            all.push(vec![*one, *other]);
        }
    }
    all
}

/// Whether a role is held by the same callers under both policies.
fn is_whole(names: &Names<'_>, role: usize) -> bool {
    names.roles[role].under == [true, true]
}

fn pairs(names: &Names<'_>, one: usize, other: usize) -> bool {
    can_meet(&[&names.roles[one], &names.roles[other]])
        && (is_whole(names, one) || is_whole(names, other))
}

/// How two values compare, unless a smaller set of roles has at least the same difference.
fn unexplained<T: AtMost>(old: &T, new: &T, smaller: &[(T, T)]) -> Relation {
    let relation = Relation::between(old, new);
    let explains = |(before, after): &(T, T)| match relation {
        Relation::More => before.at_most(old) && new.at_most(after),
        Relation::Less => old.at_most(before) && after.at_most(new),
        Relation::Same => true,
    };
    match smaller.iter().any(explains) {
        true => Relation::Same,
        false => relation,
    }
}

/// What differs of one thing: in which worlds, and how.
#[derive(Default)]
struct Differences<'b>(Vec<(Relation, Difference<'b>, Vec<usize>)>);

impl<'b> Differences<'b> {
    fn add(&mut self, world: usize, relation: Relation, difference: Difference<'b>) {
        let mut known = self.0.iter_mut();
        let same = known.find(|(own, known, _)| (*own, known) == (relation, &difference));
        match same {
            Some((.., worlds)) => worlds.push(world),
            None => self.0.push((relation, difference, vec![world])),
        }
    }
}

impl State<'_> {
    fn tell<'b>(&self, both: &'b Both<'_>, group: &Group<'_>, tell: &mut dyn FnMut(&Told<'_, 'b>)) {
        for subject in &group.subjects {
            let mut all = Differences::default();
            for world in 0..self.folded.len() {
                let mut told = |relation, difference| all.add(world, relation, difference);
                let told = &mut told;
                if let Some((folded, smaller)) = self.at(world) {
                    values(both, subject, (folded, &smaller), told);
                    texts(both, subject, (folded, &smaller), told);
                }
            }
            self.hand_on(About::Subject(subject), all, tell);
        }
        for search in &group.searches {
            let mut all = Differences::default();
            for world in 0..self.folded.len() {
                if let Some((folded, smaller)) = self.at(world) {
                    let told = &mut |relation, difference| all.add(world, relation, difference);
                    searches(both, search, (folded, &smaller), told);
                }
            }
            self.hand_on(About::Search(search), all, tell);
        }
    }

    /// The cells in one world.
    fn at(&self, world: usize) -> Option<(&Folded, Vec<&Folded>)> {
        let smaller = self.smaller.iter().filter_map(|worlds| worlds.get(world));
        Some((self.folded.get(world)?, smaller.collect()))
    }

    fn hand_on<'b>(
        &self,
        about: About<'_>,
        all: Differences<'b>,
        tell: &mut dyn FnMut(&Told<'_, 'b>),
    ) {
        for (relation, difference, worlds) in all.0 {
            let first = worlds.first().and_then(|at| self.worlds.all.get(*at));
            tell(&Told {
                spot: &self.spot,
                about,
                relation,
                difference,
                when: self.worlds.told(&worlds),
                facts: first.map_or([Facts::Most; 2], |world| match difference {
                    Difference::Shown(..) | Difference::Found(..) => world.showing,
                    _ => world.using,
                }),
            });
        }
    }
}

/// The cells of a set of roles, and those of the smaller ones.
type Beside<'s> = (&'s Folded, &'s [&'s Folded]);

fn searches<'b>(
    both: &'b Both<'_>,
    search: &Search,
    (folded, smaller): Beside<'_>,
    told: &mut dyn FnMut(Relation, Difference<'b>),
) {
    let is_searched =
        |folded: &Folded| [OLD, NEW].map(|side| searched(both, search, side, folded.of(side)));
    let [old, new] = is_searched(folded);
    let smaller: Vec<_> = smaller
        .iter()
        .map(|folded| is_searched(folded).into())
        .collect();
    let relation = unexplained(&old, &new, &smaller);
    if relation != Relation::Same {
        told(relation, Difference::Searched(old, new));
    }
}

fn values<'b>(
    both: &'b Both<'_>,
    subject: &Subject,
    (folded, smaller): Beside<'_>,
    told: &mut dyn FnMut(Relation, Difference<'b>),
) {
    let values = |folded: &Folded| -> [Values<'b>; 2] {
        [OLD, NEW].map(|side| both.values(side, subject.sides[side].as_ref(), folded.of(side)))
    };
    let [old, new] = values(folded);
    let smaller: Vec<[Values<'b>; 2]> = smaller.iter().map(|folded| values(folded)).collect();
    // What is not told explains nothing.
    let told_alone: Vec<_> = smaller
        .iter()
        .map(|[old, new]| (old.shown, new.shown))
        .filter(|(old, new)| is_worth_telling(old, new))
        .collect();
    let shown = unexplained(&old.shown, &new.shown, &told_alone);
    if shown != Relation::Same
        && is_worth_telling(&old.shown, &new.shown)
        && !(explained_by_category(both, subject, shown, folded))
    {
        told(shown, Difference::Shown(old.shown, new.shown));
    }
    let is_category = matches!(subject.what, What::Category(_));
    if !subject.is_reclassified && !is_category {
        return;
    }
    let used: Vec<_> = smaller
        .iter()
        .map(|[old, new]| (old.usable, new.usable))
        .collect();
    let used = unexplained(&old.usable, &new.usable, &used);
    // What is shown in clear can be used, what is not cannot: that is no news.
    if used != Relation::Same && used != Relation::between(&old.shown, &new.shown) {
        told(used, Difference::Used(old.usable, new.usable));
    }
    let written: Vec<_> = smaller
        .iter()
        .map(|[old, new]| (old.writable, new.writable))
        .collect();
    let written = unexplained(&old.writable, &new.writable, &written);
    if written != Relation::Same {
        told(written, Difference::Written(old.writable, new.writable));
    }
}

/// What detectors look for in a text that both policies show in clear.
fn texts<'b>(
    both: &'b Both<'_>,
    subject: &Subject,
    (folded, smaller): Beside<'_>,
    told: &mut dyn FnMut(Relation, Difference<'b>),
) {
    let [Some(before), Some(after)] = &subject.sides else {
        return;
    };
    let looked = [both.looked(OLD, before), both.looked(NEW, after)];
    if looked[OLD] == looked[NEW] {
        return;
    }
    for kind in kinds(looked) {
        let of = |side: usize| looked[side].iter().find(|looked| looked.kind == kind);
        let terms = [of(OLD), of(NEW)];
        let is_text = |folded: &Folded| {
            [OLD, NEW].iter().all(|side| {
                let made = subject.sides[*side].as_ref();
                let values = both.values(*side, made, folded.of(*side));
                values.shown == Shown::Clear && !both.is_clear(kind, folded.shown(*side))
            })
        };
        let found = [found(terms[OLD]), found(terms[NEW])];
        let relation = Relation::between(&found[OLD], &found[NEW]);
        if relation != Relation::Same
            && is_text(folded)
            && !smaller.iter().any(|folded| is_text(folded))
        {
            told(relation, Difference::Found(kind, found[OLD], found[NEW]));
        }
        let is_written = |folded: &Folded| {
            [OLD, NEW].iter().all(|side| {
                let made = subject.sides[*side].as_ref();
                let values = both.values(*side, made, folded.of(*side));
                values.writable != Gives::No && !both.is_written(kind, folded.used(*side))
            })
        };
        let refused = terms.map(|terms| Refused(terms.and_then(|looked| looked.refused)));
        let relation = Relation::between(&refused[OLD], &refused[NEW]);
        if relation != Relation::Same
            && is_written(folded)
            && !smaller.iter().any(|folded| is_written(folded))
        {
            told(
                relation,
                Difference::Refused(kind, refused[OLD], refused[NEW]),
            );
        }
    }
}

fn kinds(looked: [&[Looked]; 2]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = looked
        .into_iter()
        .flatten()
        .map(|looked| looked.kind)
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

fn found(looked: Option<&Looked>) -> Found {
    let withheld = looked.and_then(|looked| {
        let languages = match is_statement(looked) {
            true => looked.languages,
            false => crate::detect::statement::Languages::NONE,
        };
        looked.shown.map(|least| (least, languages))
    });
    Found { withheld }
}

/// That a request passes tells nothing as long as nothing is shown; who may ask for a purpose is told for itself.
fn is_worth_telling(old: &Shown<'_>, new: &Shown<'_>) -> bool {
    match (old, new) {
        (Shown::Refused, other) | (other, Shown::Refused) => other.is_something(),
        _ => true,
    }
}

/// Whether what differs of a field differs of one of its categories in the same way.
fn explained_by_category(
    both: &Both<'_>,
    subject: &Subject,
    relation: Relation,
    folded: &Folded,
) -> bool {
    let (false, What::Fields(_), Some(made)) =
        (subject.is_reclassified, &subject.what, &subject.sides[OLD])
    else {
        return false;
    };
    made.categories.iter().any(|at| {
        let category = Made::of(*at);
        let [old, new] = [OLD, NEW].map(|side| both.values(side, Some(&category), folded.of(side)));
        Relation::between(&old.shown, &new.shown) == relation
    })
}

/// Whether the full-text search of a module is permitted.
fn searched(both: &Both<'_>, search: &Search, side: usize, cells: [&[Cell]; 2]) -> bool {
    search.sides[side].as_ref().is_some_and(|fields| {
        fields.iter().all(|made| {
            let values = both.values(side, made.as_ref(), cells);
            values.usable >= Usable::Words
        })
    })
}
