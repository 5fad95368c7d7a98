//! What a CRM has beside the stock: fields, links and tables of its modules, as a schema file says them, or as the CRM was
//! heard to describe itself.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::dialect::Origin;
use crate::vocabulary::{Field, FieldPath, Module};

/// Modules that are kept; no CRM has more.
pub const MODULES_MAX: usize = 2_000;
/// Fields, and links, of one module that are kept.
pub const NAMES_MAX: usize = 5_000;
/// Fields and links of all modules together that are kept.
pub const NAMES_TOTAL_MAX: usize = 100_000;

/// Modules, and what they have beside the stock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Modules(pub(super) BTreeMap<Module, ModuleSchema>);

/// What one module has beside the stock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ModuleSchema {
    /// The table of the CRM's database that its records lie in, where that is known.
    pub table: Option<String>,
    /// Its fields, by their folded names.
    pub fields: BTreeMap<Field, FieldSchema>,
    /// Its links, by their folded names: no two differ in case alone.
    pub links: BTreeMap<Field, LinkSchema>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldSchema {
    /// Its type, in the CRM's own word, where that is known: `varchar`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Whose value it holds.
    pub holds: Holds,
}

/// Whose value a field holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// One of its own.
    Own,
    /// Those of other fields.
    Copy(Vec<FieldPath>),
    /// A secret.
    Secret,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkSchema {
    /// Its name as the CRM writes it.
    pub name: String,
    /// The module that it leads to, where that is known.
    pub target: Option<Module>,
    /// The relationship behind it, where the CRM names that instead: another module with a link of the same relationship
    /// is its other end.
    pub relationship: Option<String>,
}

impl LinkSchema {
    /// A link of this name, of which nothing else is known.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            target: None,
            relationship: None,
        }
    }

    /// Whether nothing but its name is known.
    pub(super) fn is_blank(&self) -> bool {
        self.target.is_none() && self.relationship.is_none()
    }
}

impl Modules {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The modules by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Module, &ModuleSchema)> {
        self.0.iter()
    }

    /// What is known of a module.
    pub fn get(&self, module: &Module) -> Option<&ModuleSchema> {
        self.0.get(module)
    }

    /// A module to add to; `None` if there are too many.
    pub fn entry(&mut self, module: &Module) -> Option<&mut ModuleSchema> {
        let is_room = self.0.len() < MODULES_MAX || self.0.contains_key(module);
        is_room.then(|| self.0.entry(module.clone()).or_default())
    }

    /// Fields and links of all modules.
    pub fn len(&self) -> usize {
        let names = |module: &ModuleSchema| module.fields.len() + module.links.len();
        self.0.values().map(names).sum()
    }

    /// A field, by its folded name.
    pub fn field(&self, module: &Module, field: &str) -> Option<&FieldSchema> {
        self.get(module)?.fields.get(field)
    }

    /// Whether a field is said to hold a secret; the name is folded.
    pub(super) fn is_secret(&self, module: &Module, field: &str) -> bool {
        self.field(module, field)
            .is_some_and(|known| known.holds == Holds::Secret)
    }

    /// Where the value of a field comes from of which the stock says nothing; the name is folded.
    pub(in crate::dialect) fn origin(&self, module: &Module, field: &str) -> Origin {
        match self.field(module, field).map(|known| &known.holds) {
            None | Some(Holds::Own) => Origin::Own,
            Some(Holds::Secret) => Origin::Secret,
            Some(Holds::Copy(sources)) => Origin::Copy {
                of: sources.clone(),
                perhaps: Vec::new(),
            },
        }
    }

    /// The module that a link leads to, by the link's name as the CRM writes it. Where only relationships are known, the one
    /// other module with a link of the same relationship is the target; of several, nobody can tell which is meant.
    pub(in crate::dialect) fn target(&self, module: &Module, link: &str) -> Option<Module> {
        let folded = Field::fold(link);
        let link = self
            .get(module)?
            .links
            .get(&folded)
            .filter(|known| known.name == link)?;
        if link.target.is_some() {
            return link.target.clone();
        }
        let relationship = link.relationship.as_ref()?;
        let ends = |other: &ModuleSchema| {
            let mut behind = other.links.values();
            behind.any(|other| other.relationship.as_ref() == Some(relationship))
        };
        let mut others = self
            .0
            .iter()
            .filter(|(other, known)| *other != module && ends(known))
            .map(|(other, _)| other);
        match (others.next(), others.next()) {
            (Some(target), None) => Some(target.clone()),
            _ => None,
        }
    }

    /// The name, as the CRM writes it, of the link that a folded name stands for.
    pub(in crate::dialect) fn link_named(&self, module: &Module, folded: &str) -> Option<&str> {
        let link = self.get(module)?.links.get(folded)?;
        Some(&link.name)
    }

    /// What stands here and not, or otherwise, in another.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let beside = |(module, known): (&Module, &ModuleSchema)| {
            let mut rest = known.clone();
            if let Some(other) = other.get(module) {
                rest.fields
                    .retain(|name, field| other.fields.get(name) != Some(field));
                rest.links
                    .retain(|name, link| other.links.get(name) != Some(link));
                if rest.table == other.table {
                    rest.table = None;
                }
            }
            (rest != ModuleSchema::default()).then(|| (module.clone(), rest))
        };
        Self(self.0.iter().filter_map(beside).collect())
    }
}
