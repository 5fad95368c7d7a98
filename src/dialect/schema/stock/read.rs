//! Reads stock from its files, one layer over the other: what a later one says of a field is said instead of what an earlier
//! one says there. The files are compiled in, so a mistake in one is the program's: tests read them all.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{Ending, ModuleStock, Of, Rights, Source, Stock, Target};
use crate::dialect::{Items, ObjectShape, Origin, Others, Shape, Told};
use crate::vocabulary::{Field, Module, intern};

/// One file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Layer {
    known: Vec<String>,
    accounts: Vec<String>,
    administration: Vec<String>,
    tells: BTreeMap<String, Vec<String>>,
    rights: BTreeSet<String>,
    groups: BTreeMap<String, BTreeSet<String>>,
    sets: BTreeMap<String, Vec<String>>,
    mirrors: BTreeMap<String, String>,
    endings: BTreeMap<String, String>,
    links_are_blank: bool,
    has_no_search: bool,
    everywhere: Said,
    r#for: BTreeMap<String, Said>,
    modules: BTreeMap<String, Said>,
}

/// What is said of a module, or of several.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Said {
    /// Sets of fields that it has.
    like: Vec<String>,
    fields: Vec<String>,
    /// Fields, and those that they show; one with `?` may be shown.
    copies: BTreeMap<String, Names>,
    /// Fields, and those that repeat them.
    repeats: BTreeMap<String, Names>,
    items: BTreeMap<String, SaidItems>,
    /// Fields that name a record, and those that tell its module.
    parents: BTreeMap<String, String>,
    /// Fields that hold records of modules that nothing tells.
    unknown: Vec<String>,
    /// Fields of which nothing that is said elsewhere holds.
    own: Vec<String>,
    scaffolding: BTreeMap<String, Value>,
    /// Modules, and the links that lead to them; `own`: what belongs to the record itself.
    links: BTreeMap<String, Names>,
    lengths: BTreeMap<String, usize>,
    searched: Vec<String>,
    texts: Vec<String>,
    table: Option<String>,
    records: Names,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidItems {
    values: Names,
    #[serde(default)]
    beside: Names,
}

/// One name, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

impl Default for Names {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Names {
    fn iter(&self) -> impl Iterator<Item = &str> {
        let names = match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        };
        names.iter().map(String::as_str)
    }
}

impl Layer {
    /// What a file says. It is read once, however many CRMs have it.
    ///
    /// # Panics
    /// If it cannot be read.
    pub(super) fn read(text: &str) -> Self {
        serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("the stock: {error}"))
    }
}

impl Stock {
    /// The stock that these layers describe, one over the other.
    ///
    /// # Panics
    /// If one of them names a group or set that none has.
    pub(super) fn of_layers(name: &'static str, layers: &[&Layer]) -> Self {
        let mut stock = Self {
            name,
            display: "name".to_owned(),
            known: Vec::new(),
            everywhere: ModuleStock::default(),
            groups: Vec::new(),
            modules: BTreeMap::new(),
            endings: Vec::new(),
            mirrors: BTreeMap::new(),
            links_are_blank: false,
            accounts: Vec::new(),
            administration: Vec::new(),
            rights: Rights::Listed(BTreeSet::new()),
            identifying: Vec::new(),
            unread: Vec::new(),
            names_all_fields: true,
        };
        let mut groups = BTreeMap::new();
        for layer in layers {
            stock.lay(layer, &mut groups);
        }
        stock.groups = groups.into_values().collect();
        stock
    }

    /// The stock that one file describes.
    #[cfg(test)]
    pub(crate) fn of_text(name: &'static str, text: &str) -> Self {
        Self::of_layers(name, &[&Layer::read(text)])
    }

    fn lay(
        &mut self,
        layer: &Layer,
        groups: &mut BTreeMap<String, (BTreeSet<Module>, ModuleStock)>,
    ) {
        let module = |name: &String| Module::new(name);
        self.known.extend(layer.known.iter().map(module));
        self.accounts.extend(layer.accounts.iter().map(module));
        self.administration
            .extend(layer.administration.iter().map(module));
        if let Rights::Listed(rights) = &mut self.rights {
            rights.extend(layer.rights.iter().cloned());
        }
        for (told, paths) in &layer.tells {
            let told = told_named(told);
            let path = |path: &String| (told, of(path).path(&Module::new("")));
            self.identifying.extend(paths.iter().map(path));
        }
        for (mirror, mirrored) in &layer.mirrors {
            self.mirrors.insert(module(mirror), module(mirrored));
        }
        for (ending, holds) in &layer.endings {
            self.endings.push((ending.clone(), ending_named(holds)));
        }
        self.links_are_blank |= layer.links_are_blank;
        layer.everywhere.add_to(&mut self.everywhere, &layer.sets);
        for (name, members) in &layer.groups {
            let group = groups.entry(name.clone()).or_default();
            group.0.extend(members.iter().map(module));
        }
        for (name, said) in &layer.r#for {
            match groups.get_mut(name) {
                Some((_, group)) => said.add_to(group, &layer.sets),
                None => panic!("the stock of {}: no group {name}", self.name),
            }
        }
        for (name, said) in &layer.modules {
            let own = self.modules.entry(Module::new(name)).or_default();
            said.add_to(own, &layer.sets);
        }
        if layer.has_no_search {
            self.modules
                .values_mut()
                .for_each(|own| own.searched.clear());
        }
    }
}

impl Said {
    fn add_to(&self, into: &mut ModuleStock, sets: &BTreeMap<String, Vec<String>>) {
        for name in &self.like {
            let set = sets
                .get(name)
                .unwrap_or_else(|| panic!("no set of fields {name}"));
            into.fields
                .extend(set.iter().map(|field| Field::fold(field)));
        }
        let fold = |field: &String| Field::fold(field);
        into.fields.extend(self.fields.iter().map(fold));
        into.searched.extend(self.searched.iter().map(fold));
        into.texts.extend(self.texts.iter().map(fold));
        let lengths = self.lengths.iter();
        into.lengths
            .extend(lengths.map(|(field, length)| (fold(field), *length)));
        for (target, names) in &self.links {
            let target = match target.as_str() {
                "own" => Target::Own,
                module => Target::Of(Module::new(module)),
            };
            let links = names.iter().map(|link| (link.to_owned(), target.clone()));
            into.links.extend(links);
        }
        self.add_sources_to(into);
        if self.table.is_some() {
            into.table.clone_from(&self.table);
        }
        into.records.extend(self.records.iter().map(intern));
    }

    fn add_sources_to(&self, into: &mut ModuleStock) {
        for (field, names) in &self.copies {
            let (perhaps, always): (Vec<&str>, Vec<&str>) =
                names.iter().partition(|name| name.ends_with('?'));
            let copy = Source::Copy {
                of: always.into_iter().map(of).collect(),
                perhaps: perhaps.into_iter().map(of).collect(),
            };
            into.say(field, copy);
        }
        for (repeated, names) in &self.repeats {
            for field in names.iter() {
                let copy = Source::Copy {
                    of: vec![of(repeated)],
                    perhaps: Vec::new(),
                };
                into.say(field, copy);
            }
        }
        for (field, items) in &self.items {
            let items = Items {
                treated: interned(&items.values),
                passed: interned(&items.beside),
            };
            into.say(field, Source::items(items));
        }
        for (field, told_by) in &self.parents {
            let told_by = intern(told_by);
            into.say(field, Source::Fixed(Origin::CopyOfParent { told_by }));
        }
        for field in &self.unknown {
            into.say(field, Source::Fixed(Origin::UnknownRelated));
        }
        for (field, shape) in &self.scaffolding {
            into.say(field, Source::Fixed(Origin::Structural(self::shape(shape))));
        }
        for field in &self.own {
            into.say(field, Source::Fixed(Origin::Own));
        }
    }
}

/// `last_name`, `Accounts.name`, `title?`.
fn of(text: &str) -> Of {
    let text = text.trim_end_matches('?');
    let (module, field) = match text.split_once('.') {
        Some((module, field)) => (Some(Module::new(module)), field),
        None => (None, text),
    };
    Of {
        module,
        field: field.to_owned(),
    }
}

fn interned(names: &Names) -> &'static [&'static str] {
    Vec::leak(names.iter().map(intern).collect())
}

fn told_named(word: &str) -> Told {
    match word {
        "name" => Told::Name,
        "kind" => Told::Kind,
        "role" => Told::Role,
        "team" => Told::Team,
        other => panic!("nothing tells {other}"),
    }
}

fn ending_named(word: &str) -> Ending {
    match word {
        "unknown" => Ending::Unknown,
        "repeats" => Ending::Repeats,
        other => panic!("no name holds {other}"),
    }
}

/// What stands in a field of scaffolding: `scalar`, `[scalar]`, `=these words`, or an object of such; `*` stands for any
/// other key.
fn shape(said: &Value) -> Shape {
    match said {
        Value::String(word) if word == "scalar" => Shape::Scalar,
        Value::String(text) => match text.strip_prefix('=') {
            Some(words) => Shape::Word(vec![intern(words)]),
            None => panic!("no shape {text}"),
        },
        Value::Array(items) => Shape::List(Box::new(items.first().map_or(Shape::Dropped, shape))),
        Value::Object(members) => {
            let named = members.iter().filter(|(key, _)| *key != "*");
            let others = members.get("*").map(|each| Box::new(shape(each)));
            Shape::Object(ObjectShape {
                keys: named
                    .map(|(key, inner)| (intern(key), shape(inner)))
                    .collect(),
                others: others.map_or(Others::Dropped, Others::Shape),
                required: &[],
            })
        }
        other => panic!("no shape {other}"),
    }
}
