//! Who sees what: the levels of all categories in everything that one role alone can ask for.

use std::collections::{BTreeMap, BTreeSet};

use crate::vocabulary::{Category, Level, Role};

use super::super::engine::Situation;
use super::super::model::Model;

/// The levels of all categories in all situations of one role.
pub(super) struct Sight<'a> {
    model: &'a Model,
    situations: Vec<(&'a Role, Situation)>,
    levels: BTreeMap<&'a Category, Vec<Level>>,
}

impl<'a> Sight<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        let mut situations = Vec::new();
        for (purpose, declared) in &model.purposes {
            for role in declared
                .roles
                .iter()
                .filter(|role| model.roles.contains_key(*role))
            {
                let strengths = model
                    .strengths
                    .iter()
                    .map(|strength| Some(strength.clone()));
                for strength in std::iter::once(None).chain(strengths) {
                    let situation = Situation {
                        roles: BTreeSet::from([role.clone()]),
                        purpose: Some(purpose.clone()),
                        strength,
                    };
                    situations.push((role, situation));
                }
            }
        }
        let levels = model.categories.keys().map(|category| {
            let levels = situations
                .iter()
                .map(|(_, situation)| model.verdict(situation, category).level);
            (category, levels.collect())
        });
        Self {
            levels: levels.collect(),
            model,
            situations,
        }
    }

    /// The situations, each with the level of a field in some categories: the lowest of theirs.
    fn seen<'s, C>(
        &'s self,
        categories: C,
    ) -> impl Iterator<Item = (&'a Role, &'s Situation, Level)>
    where
        C: IntoIterator<Item = &'s Category> + Clone + 's,
    {
        self.situations
            .iter()
            .enumerate()
            .map(move |(at, (role, situation))| {
                let levels = categories.clone().into_iter().map(|category| {
                    let level = self.levels.get(category).and_then(|levels| levels.get(at));
                    level.copied().unwrap_or(Level::Hide)
                });
                (
                    *role,
                    situation,
                    levels.min().unwrap_or(self.model.unclassified),
                )
            })
    }

    /// The roles that are shown a field in some categories at a level or above, for some purpose.
    pub(super) fn seen_by<'s, C>(&'s self, categories: C, least: Level) -> BTreeSet<&'a Role>
    where
        C: IntoIterator<Item = &'s Category> + Clone + 's,
    {
        let seen = self.seen(categories).filter(|(.., level)| *level >= least);
        seen.map(|(role, ..)| role).collect()
    }

    /// The same where, in the same situation, another category is below `clear`.
    pub(super) fn seen_without<'s>(
        &'s self,
        categories: &'s BTreeSet<Category>,
        other: &'s Category,
    ) -> BTreeSet<&'a Role> {
        let others = self.seen([other]).map(|(.., level)| level);
        let both = self.seen(categories).zip(others);
        both.filter(|((.., level), other)| *level == Level::Clear && *other < Level::Clear)
            .map(|((role, ..), _)| role)
            .collect()
    }

    /// The highest level at which a role is shown a category.
    pub(super) fn most(&self, role: &Role, category: &Category) -> Level {
        let seen = self.seen([category]);
        seen.filter(|(seer, ..)| *seer == role)
            .map(|(.., level)| level)
            .max()
            .unwrap_or(Level::Hide)
    }

    /// The situations of a role in which it is shown a category at a level or above.
    pub(super) fn where_seen<'s>(
        &'s self,
        role: &'s Role,
        category: &'s Category,
        least: Level,
    ) -> impl Iterator<Item = &'s Situation> {
        self.seen([category])
            .filter(move |(seer, _, level)| *seer == role && *level >= least)
            .map(|(_, situation, _)| situation)
    }
}
