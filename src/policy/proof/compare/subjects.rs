//! What is compared: categories, what nobody has classified, and fields whose categories differ under two policies.

use std::collections::{BTreeMap, BTreeSet};

use crate::detect::Kind;
use crate::detect::statement::{Certainty, Languages};
use crate::dialect::{Origin, Schema};
use crate::mask::Mask;
use crate::policy::decision::looked::{Looked, looked_for};
use crate::policy::engine::Situation;
use crate::policy::judge::{Core, View, combined};
use crate::policy::language::catalogue::{category_of, kind_of};
use crate::policy::language::model::{Model, Writing};
use crate::policy::plan::{Usable, Writable};
use crate::vocabulary::{Category, Field, Level, Module};

use super::cells::{Cell, NEW, Names, OLD};
use super::samples::samples;
use super::shown::{AtMost, Shown, rank};

/// Something of which two policies may show more or less.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) what: What,
    pub(super) sides: [Option<Made>; 2],
    /// Whether the policies give it other categories.
    pub(super) is_reclassified: bool,
}

#[derive(Debug)]
pub(super) enum What {
    /// A category, by its place.
    Category(usize),
    /// What nobody has classified.
    Unclassified,
    /// Fields of the same categories.
    Fields(Vec<String>),
}

/// What a field is made of under one policy. Categories are given by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Made {
    pub(super) categories: Vec<usize>,
    /// Whether it is a list of objects: those have no token.
    is_list: bool,
    /// Whether it is a field of its own, and no copy.
    is_own: bool,
    /// Whether it says what an account may do: never written.
    is_right: bool,
}

impl Made {
    /// A field of one category.
    pub(super) fn of(category: usize) -> Self {
        Self {
            categories: vec![category],
            is_own: true,
            ..Self::default()
        }
    }
}

/// What a subject gives in one state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    pub(super) shown: Shown<'a>,
    pub(super) usable: Usable,
    pub(super) writable: Gives,
}

/// What may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    No,
    Valid(Kind),
    Any,
}

/// What becomes of a kind that is found in a text that is shown in clear, and of new ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// From which certainty on it is withheld, and in which languages; `None`: it is shown.
    pub(super) withheld: Option<(Certainty, Languages)>,
}

/// From which certainty on a new finding is refused; `None`: it may be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Refused(pub(super) Option<Certainty>);

impl AtMost for Usable {
    fn at_most(&self, other: &Self) -> bool {
        self <= other
    }
}

impl AtMost for bool {
    fn at_most(&self, other: &Self) -> bool {
        self <= other
    }
}

impl AtMost for Gives {
    fn at_most(&self, other: &Self) -> bool {
        matches!((self, other), (Self::No, _) | (_, Self::Any)) || self == other
    }
}

impl AtMost for Found {
    fn at_most(&self, other: &Self) -> bool {
        match (self.withheld, other.withheld) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some((own, spoken)), Some((least, languages))) => {
                own <= least && spoken.and(languages) == spoken
            }
        }
    }
}

impl AtMost for Refused {
    fn at_most(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(least)) => own <= least,
        }
    }
}

/// Two policies, and what their detectors look for.
pub(super) struct Both<'a> {
    pub(super) names: Names<'a>,
    views: [View; 2],
    /// By what a field is made of, under each policy.
    looked: [BTreeMap<Vec<usize>, Vec<Looked>>; 2],
}

impl<'a> Both<'a> {
    pub(super) fn of(cores: [&'a std::sync::Arc<Core>; 2]) -> Self {
        let view = |core: &std::sync::Arc<Core>| View::new(core.clone(), Situation::of_whoever());
        Self {
            names: Names::of(cores.map(|core| &*core.model)),
            views: cores.map(view),
            looked: [BTreeMap::new(), BTreeMap::new()],
        }
    }

    /// All that is to be compared, in one schema.
    pub(super) fn subjects(&mut self, schema: &Schema) -> Vec<Subject> {
        let mut subjects = self.categories();
        subjects.extend(self.fields(schema));
        for side in [OLD, NEW] {
            let made = subjects
                .iter()
                .filter_map(|subject| subject.sides[side].as_ref());
            for categories in made
                .map(|made| made.categories.clone())
                .collect::<BTreeSet<_>>()
            {
                self.look(side, categories);
            }
        }
        subjects
    }

    /// Learns what detectors look for in fields of these categories.
    pub(super) fn look(&mut self, side: usize, categories: Vec<usize>) {
        let names = categories
            .iter()
            .filter_map(|at| self.names.categories.get(*at));
        let names: BTreeSet<Category> = names.map(|category| (*category).clone()).collect();
        let mut looked = looked_for(&self.views[side].core.model, &names);
        let statements = looked.iter().filter(|looked| is_statement(looked));
        // Of all statements in one text the same words are looked for.
        if let Some(all) = statements
            .map(|looked| looked.languages)
            .reduce(Languages::and)
        {
            for looked in &mut looked {
                looked.languages = all;
            }
        }
        self.looked[side].insert(categories, looked);
    }

    /// What detectors look for in a field.
    pub(super) fn looked(&self, side: usize, made: &Made) -> &[Looked] {
        self.looked[side]
            .get(&made.categories)
            .map_or(&[], Vec::as_slice)
    }

    /// Categories that both policies have: what is in another one has changed its categories.
    fn categories(&self) -> Vec<Subject> {
        let is_of_both = |category: &&Category| {
            let mut models = self.names.models.into_iter();
            models.all(|model| model.categories.contains_key(*category))
        };
        let subject = |what, at| Subject {
            what,
            sides: [Some(Made::of(at)), Some(Made::of(at))],
            is_reclassified: false,
        };
        let all = self.names.categories.iter().enumerate();
        let of_both = all.filter(|(_, category)| is_of_both(category));
        let unclassified = subject(What::Unclassified, self.names.unclassified());
        of_both
            .map(|(at, _)| subject(What::Category(at), at))
            .chain([unclassified])
            .collect()
    }

    /// Fields whose categories differ; and those of several categories whose masks differ, for two masks show nothing until
    /// they are the same.
    fn fields(&self, schema: &Schema) -> Vec<Subject> {
        let [old, new] = self.names.models;
        let masks = |model: &Model| -> Vec<Option<Mask>> {
            let masks = self.names.categories.iter();
            masks
                .map(|name| model.categories.get(*name)?.mask.clone())
                .collect()
        };
        // What is asked of records decides what is left of copies of them.
        let asks = |model: &Model| {
            let mut conditions = model.conditions.iter();
            !model.rows.is_empty() || conditions.any(|noted| noted.condition.is_about_records())
        };
        let is_alike = old.classes.says_the_same(&new.classes) && masks(old) == masks(new);
        if is_alike && !asks(old) && !asks(new) {
            return Vec::new();
        }
        let modules: BTreeSet<&Module> = old
            .classes
            .modules
            .keys()
            .chain(new.classes.modules.keys())
            .collect();
        let mut kinds: BTreeMap<[Option<Made>; 2], Vec<String>> = BTreeMap::new();
        for module in modules {
            let sections = self.names.models.map(|model| {
                let own = model.classes.modules.get(module);
                let everywhere = own.map(|_| &model.classes.everywhere);
                everywhere.into_iter().chain(own).collect::<Vec<_>>()
            });
            let mut fields: BTreeSet<Field> = schema.fields(module).into_iter().collect();
            let exact = sections
                .iter()
                .flatten()
                .flat_map(|section| section.exact.keys());
            fields.extend(exact.cloned());
            for field in &fields {
                if let Some(made) = self.made(schema, module, field) {
                    kinds
                        .entry(made)
                        .or_default()
                        .push(format!("{module}.{field}"));
                }
            }
            let mut met: BTreeSet<[Option<Made>; 2]> = BTreeSet::new();
            // What the dialect alone rules stands for nothing that a pattern classifies.
            let is_known = |field: &Field| {
                fields.contains(field) || self.made(schema, module, field).is_none()
            };
            for sample in samples([&sections[OLD], &sections[NEW]], &is_known) {
                let Some(made) = self.made(schema, module, &sample.field) else {
                    continue;
                };
                // Two patterns say more than one only where they make something else of a field.
                if met.insert(made.clone()) || sample.is_of_one {
                    let label = format!("{module}.{}", sample.label);
                    kinds.entry(made).or_default().push(label);
                }
            }
        }
        let subject = |(sides, fields): ([Option<Made>; 2], Vec<String>)| Subject {
            is_reclassified: sides[OLD] != sides[NEW],
            what: What::Fields(fields),
            sides,
        };
        let all = kinds.into_iter().map(subject);
        all.filter(|subject| subject.is_reclassified || self.has_other_masks(subject))
            .collect()
    }

    fn has_other_masks(&self, subject: &Subject) -> bool {
        let made = subject.sides[OLD]
            .as_ref()
            .filter(|made| made.categories.len() > 1);
        let mask = |side: usize, at: usize| {
            let category = self.names.categories.get(at)?;
            self.names.models[side]
                .categories
                .get(*category)?
                .mask
                .as_ref()
        };
        made.is_some_and(|made| {
            let mut categories = made.categories.iter();
            categories.any(|at| mask(OLD, *at) != mask(NEW, *at))
        })
    }

    /// What a field is made of under both policies; `None` where the dialect alone rules it.
    pub(super) fn made(
        &self,
        schema: &Schema,
        module: &Module,
        field: &Field,
    ) -> Option<[Option<Made>; 2]> {
        let origin = schema.origin(module, field.as_str());
        let is_list = matches!(origin, Origin::Items(_) | Origin::CopyItems { .. });
        if !is_list && !matches!(origin, Origin::Own | Origin::Copy { .. }) {
            return None;
        }
        let made = |side: usize| {
            let view = &self.views[side];
            view.core.model.classes.knows(module).then(|| {
                let sources = view.sources(module, field);
                let places = sources.categories.iter();
                let mut categories: Vec<usize> = places
                    .filter_map(|category| self.names.category(category))
                    .collect();
                categories.extend(sources.unclassified.then(|| self.names.unclassified()));
                let withheld = sources.withheld.iter();
                categories.extend(withheld.map(|(level, _)| self.names.withheld(*level)));
                categories.sort_unstable();
                categories.dedup();
                Made {
                    categories,
                    is_list,
                    is_own: origin == Origin::Own,
                    is_right: schema.is_right(module, field.as_str()),
                }
            })
        };
        Some([made(OLD), made(NEW)])
    }

    /// The bits of conditions under each policy that matter to something.
    pub(super) fn bits<'m>(&self, sides: [impl Iterator<Item = &'m Made>; 2]) -> [u64; 2] {
        let [old, new] = sides;
        [self.bits_of(OLD, old), self.bits_of(NEW, new)]
    }

    fn bits_of<'m>(&self, side: usize, made: impl Iterator<Item = &'m Made>) -> u64 {
        let of_one = |made: &Made| {
            let own = made.categories.iter();
            let own = own.filter_map(|at| self.names.categories.get(*at));
            let mut categories: Vec<Category> = own.map(|category| (*category).clone()).collect();
            let looked = self.looked(side, made).iter();
            categories.extend(looked.map(|looked| category_of(looked.kind)));
            self.names.models[side].bits_about(&categories.iter().collect::<Vec<_>>())
        };
        made.fold(0, |bits, made| bits | of_one(made))
    }

    /// What a subject gives to whoever has these cells: where it is shown, and where it is used.
    pub(super) fn values(
        &self,
        side: usize,
        made: Option<&Made>,
        [shown, used]: [&[Cell]; 2],
    ) -> Values<'_> {
        let Some(made) = made else {
            return Values {
                shown: Shown::Refused,
                usable: Usable::No,
                writable: Gives::No,
            };
        };
        Values {
            usable: match self.shown(side, made, used) {
                Shown::Clear => self.usable(side, made, used),
                _ => Usable::No,
            },
            writable: self.writable(made, used),
            shown: self.shown(side, made, shown),
        }
    }

    /// The lowest of the categories' levels. Below clear they must be treated the same, or nothing is shown.
    fn shown(&self, side: usize, made: &Made, cells: &[Cell]) -> Shown<'_> {
        let rank_of = |at: &usize| cells.get(*at).map_or(0, |cell| cell.rank());
        let lowest = made.categories.iter().map(rank_of).min().unwrap_or(0);
        if lowest == 0 {
            return Shown::Refused;
        }
        if lowest <= rank(Level::Redact) {
            return match lowest == rank(Level::Hide) {
                true => Shown::Hide,
                false => Shown::Redact,
            };
        }
        let below = made
            .categories
            .iter()
            .filter(|at| rank_of(at) < rank(Level::Clear));
        let mut all = below.map(|at| self.treated(side, *at, rank_of(at)));
        let Some(first) = all.next() else {
            return Shown::Clear;
        };
        let is_token_of_list = made.is_list && matches!(first, Shown::Token(_));
        match all.all(|other| other == first) && !is_token_of_list {
            true => first,
            false => Shown::Redact,
        }
    }

    fn treated(&self, side: usize, at: usize, rank_of: u8) -> Shown<'_> {
        let Some(category) = self.names.categories.get(at) else {
            return Shown::Redact;
        };
        let model = self.names.models[side].categories.get(*category);
        match rank_of == rank(Level::Token) {
            true => Shown::Token(category),
            false => model
                .and_then(|model| model.mask.as_ref())
                .map_or(Shown::Redact, Shown::Mask),
        }
    }

    fn usable(&self, side: usize, made: &Made, cells: &[Cell]) -> Usable {
        let looked = self.looked(side, made).iter();
        let of_one = |looked: &Looked| match self.is_clear(looked.kind, cells) {
            true => looked.usable(Level::Clear),
            false => looked.usable(Level::Hide),
        };
        looked.map(of_one).min().unwrap_or(Usable::Yes)
    }

    /// Whether what is found of a kind is shown to whoever has these cells.
    pub(super) fn is_clear(&self, kind: Kind, cells: &[Cell]) -> bool {
        let at = self.names.category(&category_of(kind));
        let cell = at.and_then(|at| cells.get(at));
        cell.is_some_and(|cell| cell.rank() == rank(Level::Clear))
    }

    /// Whether whoever has these cells may write new ones of a kind.
    pub(super) fn is_written(&self, kind: Kind, cells: &[Cell]) -> bool {
        let at = self.names.category(&category_of(kind));
        let cell = at.and_then(|at| cells.get(at));
        cell.is_some_and(|cell| cell.writing() > Writing::No)
    }

    fn writable(&self, made: &Made, cells: &[Cell]) -> Gives {
        let writing = |at: &usize| cells.get(*at).map_or(Writing::No, |cell| cell.writing());
        if made.is_right || made.categories.iter().any(|at| writing(at) == Writing::No) {
            return Gives::No;
        }
        let named = |at: &usize| Some((*self.names.categories.get(*at)?, writing(at)));
        let Some(writes) = made
            .categories
            .iter()
            .map(named)
            .collect::<Option<Vec<_>>>()
        else {
            return Gives::No;
        };
        match writes.as_slice() {
            [(_, Writing::Any)] => Gives::Any,
            [(category, Writing::Valid)] if made.is_own => {
                kind_of(category).map_or(Gives::No, Gives::Valid)
            }
            writes => match combined(writes) {
                Writable::Yes => Gives::Any,
                Writable::Valid(kind) if made.is_own => Gives::Valid(kind),
                Writable::Valid(_) | Writable::No => Gives::No,
            },
        }
    }
}

/// Whether a statement is looked for, and no identifier.
pub(super) fn is_statement(looked: &Looked) -> bool {
    matches!(looked.kind, Kind::Statement(_))
}
