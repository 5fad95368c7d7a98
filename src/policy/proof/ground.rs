//! What proofs rest on and no state changes: who can call, the texts in which detectors look, the fields that a dialect shows
//! whatever a policy says, the searches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dashmap::DashMap;

use super::super::decision::engine::{Facts, Observing, Situation};
use super::super::decision::judge::{Core, View};
use super::super::decision::looked::{Looked, looked_for};
use super::super::language::model::{Model, Searched};
use super::callers::Callers;
use super::goals::Need;
use crate::detect::Kind;
use crate::detect::statement::Languages;
use crate::dialect::{Origin, Shape};
use crate::vocabulary::{Category, Field, FieldPath, Module, Purpose, Role};

/// What proofs rest on.
#[derive(Debug)]
pub(in crate::policy) struct Ground {
    pub(super) callers: Callers,
    /// Fields in which detectors look, one for each set of categories.
    pub(super) texts: Vec<Holder>,
    /// By category, the first field of it that is shown to everybody as scaffolding, or passes unread.
    pub(super) passed: BTreeMap<Category, FieldPath>,
    /// Of each module that can be searched at all, the fields that the search looks into.
    pub(super) searches: Vec<Vec<Holder>>,
    /// What some detector looks for.
    pub(super) sought: BTreeSet<Kind>,
    /// The languages of the statements that some detector looks for.
    pub(super) languages: Languages,
    /// By need and purpose, the roles that no cap holds back. Bounded by the categories, levels and purposes of the policy.
    free: DashMap<(Need, Purpose), Arc<BTreeSet<Role>>>,
}

/// A field that is classified throughout, so that rules alone say what becomes of it.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) field: FieldPath,
    /// Its categories, and those of all that it copies.
    pub(super) categories: BTreeSet<Category>,
    /// What detectors look for in it.
    pub(super) looked: Vec<Looked>,
    /// Whether it is never written, whatever a policy says.
    pub(super) is_right: bool,
}

impl Ground {
    pub(in crate::policy) fn new(core: &Arc<Core>) -> Self {
        let model = &core.model;
        let view = View::new(core.clone(), Situation::of_whoever());
        let mut made: BTreeSet<(BTreeSet<Category>, bool)> = BTreeSet::new();
        let mut texts = Vec::new();
        let mut passed = BTreeMap::new();
        for path in fields(core) {
            if let Origin::Structural(shape) = core.schema.origin(&path.module, path.field.as_str())
            {
                if shape != Shape::Dropped {
                    pass(core, &path, &mut passed);
                }
                continue;
            }
            let is_right = core.schema.is_right(&path.module, path.field.as_str());
            let Some(categories) = classified(&view, &path) else {
                continue;
            };
            if !made.insert((categories.clone(), is_right)) {
                continue;
            }
            let looked = looked_for(model, &categories);
            if !looked.is_empty() {
                texts.push(Holder {
                    field: path,
                    categories,
                    looked,
                    is_right,
                });
            }
        }
        for unread in core.schema.unread() {
            let path = FieldPath::new(&unread.module, unread.field.as_str());
            pass(core, &path, &mut passed);
        }
        let statements = |kind: &Kind| matches!(kind, Kind::Statement(_));
        let detectors = model.detectors.iter();
        Self {
            callers: Callers::of(model),
            texts,
            passed,
            searches: searches(&view),
            sought: detectors
                .clone()
                .flat_map(|detector| detector.find.iter().copied())
                .collect(),
            languages: detectors
                .filter(|detector| detector.find.iter().any(statements))
                .fold(Languages::NONE, |all, detector| {
                    all.and(detector.terms.languages)
                }),
            free: DashMap::new(),
        }
    }

    /// The roles that no cap holds back from a need at a purpose.
    pub(super) fn free(
        &self,
        model: &Model,
        need: &Need,
        (purpose, facts): (&Purpose, Facts),
    ) -> Arc<BTreeSet<Role>> {
        // What is supposed is looked at once.
        if facts != Facts::Most {
            return Arc::new(unheld(model, need, (purpose, facts)));
        }
        let key = (need.clone(), purpose.clone());
        if let Some(known) = self.free.get(&key) {
            return known.clone();
        }
        let free = Arc::new(unheld(model, need, (purpose, facts)));
        self.free.insert(key, free.clone());
        free
    }
}

fn unheld(model: &Model, need: &Need, (purpose, facts): (&Purpose, Facts)) -> BTreeSet<Role> {
    let is_free = |role: &&Role| {
        let alone = Situation {
            roles: BTreeSet::from([(*role).clone()]),
            purpose: Some(purpose.clone()),
            // A cap that only observes holds nobody back.
            observing: Observing::Most,
            facts,
            ..Situation::default()
        };
        !need.is_held_back(model, &alone)
    };
    model.roles.keys().filter(is_free).cloned().collect()
}

/// A field that a dialect passes whatever rules say is shown to everybody.
fn pass(core: &Core, path: &FieldPath, passed: &mut BTreeMap<Category, FieldPath>) {
    for category in core.model.classes.of(&path.module, &path.field) {
        passed.entry(category).or_insert_with(|| path.clone());
    }
}

/// The fields that policy or dialect know of known modules, each in its turn. A wildcard stands for a field of its own name,
/// which fits it: nobody knows yet which fields it will catch.
pub(in crate::policy) fn fields(core: &Core) -> Vec<FieldPath> {
    let classes = &core.model.classes;
    let mut fields = Vec::new();
    let mut patterns = Vec::new();
    for (module, own) in &classes.modules {
        let mut known: BTreeSet<Field> = core.schema.fields(module).into_iter().collect();
        for section in [own, &classes.everywhere] {
            known.extend(section.exact.keys().cloned());
            let wildcards = section.wildcards.iter();
            patterns.extend(wildcards.map(|entry| path(module, entry.pattern.as_str())));
        }
        fields.extend(known.iter().map(|field| path(module, field.as_str())));
    }
    fields.extend(patterns);
    fields
}

fn path(module: &Module, field: &str) -> FieldPath {
    FieldPath::new(module, field)
}

/// The categories of a field; `None` if something of it is not classified or never shown.
fn classified(view: &View, path: &FieldPath) -> Option<BTreeSet<Category>> {
    let sources = view.sources(&path.module, &path.field);
    // While the whole policy observes, what nobody has classified is usable by whoever asks.
    let is_held = sources.unclassified && view.core.model.observed.is_none();
    (!is_held && sources.withheld.is_empty()).then_some(sources.categories)
}

/// The searches of modules all of whose searched fields can be clear to somebody.
fn searches(view: &View) -> Vec<Vec<Holder>> {
    let core = &view.core;
    let search = |(module, searched): (&Module, &Searched)| {
        let holders = searched.fields.iter().map(|field| {
            let path = path(module, field.as_str());
            let origin = core.schema.origin(module, field.as_str());
            let categories = classified(view, &path)
                .filter(|_| !matches!(origin, Origin::Structural(_) | Origin::Related(_)))?;
            Some(Holder {
                looked: looked_for(&core.model, &categories),
                is_right: core.schema.is_right(module, field.as_str()),
                field: path,
                categories,
            })
        });
        holders.collect::<Option<Vec<Holder>>>()
    };
    core.model.search.iter().filter_map(search).collect()
}
