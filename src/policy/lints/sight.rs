//! Who sees what: the levels of all categories in everything that one role alone can ask for.

use std::collections::{BTreeMap, BTreeSet};

use crate::vocabulary::{Category, Level, Role};

use super::super::engine::Situation;
use super::super::model::{Cap, Grant, Model, about};

/// The levels of all categories in all situations of one role alone.
pub(super) struct Sight<'a> {
    model: &'a Model,
    situations: Vec<(&'a Role, Situation)>,
    /// With whatever strength of authentication grants ask for.
    most: Levels<'a>,
    /// With a session of the CRM, which proves none.
    plain: Levels<'a>,
}

/// By category, the level in each situation.
type Levels<'a> = BTreeMap<&'a Category, Vec<Level>>;

impl<'a> Sight<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        let mut situations = Vec::new();
        for (purpose, declared) in &model.purposes {
            for role in &declared.roles {
                let situation = Situation {
                    roles: BTreeSet::from([role.clone()]),
                    purpose: Some(purpose.clone()),
                    facts: model.of_most_records(),
                    ..Situation::default()
                };
                situations.push((role, situation));
            }
        }
        let levels = |matches: fn(&Grant, &Situation) -> bool| {
            let of =
                |category: &'a Category| (category, levels(model, category, &situations, matches));
            model.categories.keys().map(of).collect()
        };
        Self {
            most: levels(Grant::nearly_matches),
            plain: levels(Grant::matches),
            model,
            situations,
        }
    }

    /// The level of a field in some categories in each situation: the lowest of theirs.
    fn lowest<'s, C>(&'s self, all: &'s Levels<'a>, categories: C) -> impl Iterator<Item = Level>
    where
        C: IntoIterator<Item = &'s Category> + Clone + 's,
    {
        (0..self.situations.len()).map(move |at| {
            let levels = categories.clone().into_iter().map(|category| {
                let level = all.get(category).and_then(|levels| levels.get(at));
                level.copied().unwrap_or(Level::Hide)
            });
            levels.min().unwrap_or(self.model.unclassified)
        })
    }

    /// The roles that are shown a field in some categories at a level or above, for some purpose.
    pub(super) fn seen_by<'s, C>(&'s self, categories: C, least: Level) -> BTreeSet<&'a Role>
    where
        C: IntoIterator<Item = &'s Category> + Clone + 's,
    {
        let levels = self.lowest(&self.most, categories);
        let seen = self.situations.iter().zip(levels);
        seen.filter(|(_, level)| *level >= least)
            .map(|((role, _), _)| *role)
            .collect()
    }

    /// The roles that are shown a field in some categories at just this level, for some purpose.
    pub(super) fn seen_at<'s, C>(&'s self, categories: C, level: Level) -> BTreeSet<&'a Role>
    where
        C: IntoIterator<Item = &'s Category> + Clone + 's,
    {
        let levels = self.lowest(&self.plain, categories);
        let seen = self.situations.iter().zip(levels);
        seen.filter(|(_, seen)| *seen == level)
            .map(|((role, _), _)| *role)
            .collect()
    }

    /// The roles that are shown a field in some categories in clear where, in the same session, another category is not.
    pub(super) fn seen_without<'s>(
        &'s self,
        categories: &'s BTreeSet<Category>,
        other: &'s Category,
    ) -> BTreeSet<&'a Role> {
        let own = self.lowest(&self.plain, categories);
        let others = self.lowest(&self.plain, [other]);
        let both = self.situations.iter().zip(own.zip(others));
        both.filter(|(_, (own, other))| *own == Level::Clear && *other < Level::Clear)
            .map(|((role, _), _)| *role)
            .collect()
    }

    /// The highest level at which a role is shown a category.
    pub(super) fn most(&self, role: &Role, category: &Category) -> Level {
        let levels = self.lowest(&self.most, [category]);
        let seen = self.situations.iter().zip(levels);
        seen.filter(|((seer, _), _)| *seer == role)
            .map(|(_, level)| level)
            .max()
            .unwrap_or(Level::Hide)
    }

    /// The situations of a role in which it is shown a category above a level, and at which.
    pub(super) fn shown_above<'s>(
        &'s self,
        role: &'s Role,
        category: &'s Category,
        limit: Level,
    ) -> impl Iterator<Item = (&'s Situation, Level)> {
        let levels = self.lowest(&self.most, [category]);
        let seen = self.situations.iter().zip(levels);
        seen.filter(move |((seer, _), level)| *seer == role && *level > limit)
            .map(|((_, situation), level)| (situation, level))
    }
}

/// The level of a category in each situation, as [`Model::verdict`] would say: rules about other categories are left out
/// once for all of them.
fn levels(
    model: &Model,
    category: &Category,
    situations: &[(&Role, Situation)],
    matches: fn(&Grant, &Situation) -> bool,
) -> Vec<Level> {
    let is_about = |data: &[Category]| about(data, category);
    let grants: Vec<&Grant> = model
        .grants
        .iter()
        .filter(|grant| is_about(&grant.data))
        .collect();
    let caps: Vec<&Cap> = model
        .caps
        .iter()
        .filter(|cap| is_about(&cap.data))
        .collect();
    let level = |(_, situation): &(&Role, Situation)| {
        let granted = grants.iter().filter(|grant| matches(grant, situation));
        let best = granted
            .map(|grant| model.meaning(grant.level, category))
            .fold(model.floor(category), Level::max);
        let capped = caps.iter().filter(|cap| cap.matches(situation));
        capped
            .map(|cap| model.meaning(cap.level, category))
            .fold(best, Level::min)
    };
    situations.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::Sight;
    use crate::policy::testing::{SAMPLE, compile};
    use crate::vocabulary::{Level, Role};

    #[test]
    fn what_a_session_shows_is_what_the_engine_decides() {
        let policy = compile(&[SAMPLE]);
        let model = &policy.core.model;
        let sight = Sight::new(model);
        for (at, (_, situation)) in sight.situations.iter().enumerate() {
            for category in model.categories.keys() {
                let decided = model.verdict(situation, category).level;
                assert_eq!(sight.plain[category][at], decided, "{category}");
                assert!(sight.most[category][at] >= decided, "{category}");
            }
        }
        // With the strength that a grant asks for, more is shown.
        let iban = crate::vocabulary::Category::new("financial.iban");
        assert_eq!(sight.most(&Role::new("finance"), &iban), Level::Clear);
        assert_eq!(sight.most(&Role::new("sales"), &iban), Level::Mask);
    }
}
