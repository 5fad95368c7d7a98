//! What a promise forbids, each as a list of what must hold at once for it to happen.

use std::collections::BTreeSet;

use super::super::decision::engine::{Observing, Situation};
use super::super::decision::looked::{Looked, looked_for};
use super::super::decision::plan::{UNCLASSIFIED, Usable};
use super::super::language::catalogue::category_of;
use super::super::language::model::{Model, Writing};
use super::ground::{Ground, Holder};
use super::never::{How, Never};
use crate::detect::Kind;
use crate::detect::statement::{Certainty, Topic};
use crate::vocabulary::{Category, FieldPath, Level};

/// Something that a promise forbids. It happens in a state in which all that it needs holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Goal {
    pub(super) category: Category,
    /// The field by which it happens; `None`: any field of the category.
    pub(super) field: Option<FieldPath>,
    pub(super) how: &'static str,
    pub(super) needs: Vec<Need>,
}

/// What must hold of a category, at the least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Need {
    pub(super) category: Category,
    pub(super) least: Least,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Least {
    Shown(Level),
    Written(Writing),
}

/// How surely a statement is one that must not pass where it is withheld.
const SURE: Certainty = Certainty::Likely;

/// The name by which a promise speaks of fields that nobody has classified.
pub(super) const OF_NOBODY: &str = "unclassified";

struct Goals<'a> {
    model: &'a Model,
    ground: &'a Ground,
    how: &'a How,
    all: Vec<Goal>,
}

/// Everything that a promise forbids.
pub(super) fn goals(model: &Model, ground: &Ground, never: &Never) -> Vec<Goal> {
    let mut goals = Goals {
        model,
        ground,
        how: &never.how,
        all: Vec::new(),
    };
    for category in model.categories.keys() {
        if never.data.iter().any(|data| data.covers(category)) {
            goals.fields(category);
            goals.searched(category);
            if !never.how.fields_only {
                goals.texts(category);
            }
        }
    }
    let of_nobody = Category::new(OF_NOBODY);
    let least = never.how.at_least;
    let unclassified = model.unclassified(&Situation {
        observing: Observing::Most,
        ..Situation::default()
    });
    if never.data.contains(&of_nobody) && least.is_some_and(|least| unclassified >= least) {
        goals.add(&of_nobody, None, "shown", Vec::new());
    }
    goals.all
}

/// Categories that detectors could look for, and that none looks for in any text.
pub(super) fn unlooked(model: &Model, ground: &Ground, never: &Never) -> BTreeSet<Category> {
    let is_meant = |category: &Category| never.data.iter().any(|data| data.covers(category));
    let is_found = |category: &Category| kinds(category).next().is_some();
    let is_sought = |category: &Category| kinds_sought(ground, category).next().is_some();
    let categories = model.categories.keys();
    categories
        .filter(|category| is_meant(category) && is_found(category) && !is_sought(category))
        .filter(|_| !never.how.fields_only)
        .cloned()
        .collect()
}

/// The kinds whose findings are of a category.
fn kinds(category: &Category) -> impl Iterator<Item = Kind> {
    let statements = Topic::ALL.into_iter().map(Kind::Statement);
    let all = Kind::IDENTIFIERS.into_iter().chain(statements);
    all.filter(move |kind| kind.category() == category.as_str())
}

/// Those that some detector of the policy looks for, in whatever text.
fn kinds_sought<'a>(ground: &'a Ground, category: &'a Category) -> impl Iterator<Item = Kind> + 'a {
    let sought = ground.sought.iter().copied();
    sought.filter(|kind| kind.category() == category.as_str())
}

impl Goals<'_> {
    fn add(
        &mut self,
        category: &Category,
        field: Option<&FieldPath>,
        how: &'static str,
        needs: Vec<Need>,
    ) {
        let is_known =
            |goal: &Goal| goal.how == how && goal.category == *category && goal.needs == needs;
        if !self.all.iter().any(is_known) {
            self.all.push(Goal {
                category: category.clone(),
                field: field.cloned(),
                how,
                needs,
            });
        }
    }

    /// By fields of the category. One of it alone stands for all: a field of several categories is given less.
    fn fields(&mut self, category: &Category) {
        if let Some(least) = self.how.at_least {
            self.add(category, None, "shown", vec![shown(category, least)]);
            if let Some(field) = self.ground.passed.get(category) {
                self.add(category, Some(field), "shown", Vec::new());
            }
        }
        let alone = BTreeSet::from([category.clone()]);
        let looked = looked_for(self.model, &alone);
        if self.how.matched {
            let needs = usable(&alone, &looked, Usable::Words);
            self.add(category, None, "matched", needs);
        }
        if self.how.sorted {
            let needs = usable(&alone, &looked, Usable::Yes);
            self.add(category, None, "sorted", needs);
        }
        if self.how.written {
            let needs = vec![written(category, Writing::Valid)];
            self.add(category, None, "written", needs);
        }
    }

    /// By texts in which detectors look and let it pass.
    fn texts(&mut self, category: &Category) {
        for text in &self.ground.texts {
            for kind in kinds_sought(self.ground, category) {
                let looked = text.looked.iter().find(|looked| looked.kind == kind);
                self.text(category, text, kind, looked);
            }
        }
    }

    fn text(&mut self, category: &Category, text: &Holder, kind: Kind, looked: Option<&Looked>) {
        let field = Some(&text.field);
        let clear = || usable(&text.categories, &[], Usable::No);
        if self.how.at_least.is_some() && self.passes(kind, looked) {
            self.add(category, field, "shown", clear());
        }
        let least = matched(kind);
        // Where a detector leaves less, the need for it is that the category is clear.
        if self.how.matched {
            let needs = usable(&text.categories, &text.looked, least);
            self.add(category, field, "matched", needs);
        }
        if self.how.sorted {
            let needs = usable(&text.categories, &text.looked, Usable::Yes);
            self.add(category, field, "sorted", needs);
        }
        let is_free = looked.is_none_or(|looked| looked.refused.is_none());
        if self.how.written && is_free && !text.is_right {
            let of_each = text.categories.iter();
            let needs = of_each.map(|category| written(category, Writing::Any));
            self.add(category, field, "written", needs.collect());
        }
    }

    /// Whether what is of a kind stays in a text that is shown in clear.
    fn passes(&self, kind: Kind, looked: Option<&Looked>) -> bool {
        let Some(looked) = looked else {
            return true;
        };
        let is_statement = matches!(kind, Kind::Statement(_));
        let languages = looked.languages.and(self.ground.languages);
        match looked.shown {
            None => true,
            Some(least) => is_statement && (least > SURE || languages != looked.languages),
        }
    }

    /// By searches that look into a field of the category, or into a text in which it can be found.
    fn searched(&mut self, category: &Category) {
        if !self.how.searched {
            return;
        }
        for search in &self.ground.searches {
            for holder in search {
                if holder.categories.contains(category) {
                    self.search(category, search, holder, Usable::Words);
                }
                if self.how.fields_only || holder.looked.is_empty() {
                    continue;
                }
                // Where a detector leaves none of it to be found, it is found all the same by whoever has it in clear: unlike with
                // matching, it need not stand in a field of its own that the search looks into.
                for kind in kinds_sought(self.ground, category) {
                    self.search(category, search, holder, matched(kind));
                }
            }
        }
    }

    /// A search is permitted if each of its fields is usable.
    fn search(&mut self, category: &Category, search: &[Holder], holder: &Holder, least: Usable) {
        let mut needs: BTreeSet<Need> = BTreeSet::new();
        for other in search {
            let least = match other.field == holder.field {
                true => least,
                false => Usable::Words,
            };
            needs.extend(usable(&other.categories, &other.looked, least));
        }
        let needs = needs.into_iter().collect();
        self.add(category, Some(&holder.field), "searched", needs);
    }
}

/// How far a text must be usable so that one of a kind can be guessed: an identifier by its digits, a statement by its words.
fn matched(kind: Kind) -> Usable {
    match kind {
        Kind::Statement(_) => Usable::Words,
        _ => Usable::Yes,
    }
}

/// What must hold so that a field of these categories, in which these are looked for, is clear and usable so far.
fn usable(categories: &BTreeSet<Category>, looked: &[Looked], least: Usable) -> Vec<Need> {
    let found = looked.iter().filter(|looked| looked.leaves() < least);
    let found = found.map(|looked| category_of(looked.kind));
    let all: BTreeSet<Category> = categories.iter().cloned().chain(found).collect();
    let needs = all.iter().map(|category| shown(category, Level::Clear));
    needs.collect()
}

fn shown(category: &Category, level: Level) -> Need {
    Need {
        category: category.clone(),
        least: Least::Shown(level),
    }
}

fn written(category: &Category, write: Writing) -> Need {
    Need {
        category: category.clone(),
        least: Least::Written(write),
    }
}

impl Goal {
    /// The default that rules it, where no rule does.
    pub(super) fn ruled_by_default(&self) -> Option<&'static str> {
        match (&self.field, self.needs.is_empty()) {
            (_, false) => None,
            (None, true) => Some(UNCLASSIFIED),
            (Some(_), true) => Some("dialect.structural"),
        }
    }
}
