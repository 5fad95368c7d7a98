//! The one rule by which a schema grows: what is known is never dropped nor redirected, a secret stays a secret, and what
//! contradicts is told instead of obeyed.

use std::collections::btree_map::Entry;

use super::modules::{
    FieldSchema, Holds, LinkSchema, MODULES_MAX, ModuleSchema, Modules, NAMES_MAX, NAMES_TOTAL_MAX,
};
use super::{Stock, secrets};
use crate::dialect::Origin;
use crate::vocabulary::{Field, FieldPath, Module};

/// What came of adding to a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Fields that were added, or are better known.
    pub fields: usize,
    /// Links that were added, or are better known.
    pub links: usize,
    /// What contradicts the schema, which stands.
    pub contradictions: Vec<Contradiction>,
    /// Modules, fields and links that found no room.
    pub left_out: usize,
}

/// A field or link that was said to be another thing than it is known to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contradiction {
    /// The module.
    pub module: Module,
    /// The field or link.
    pub name: String,
    /// Whether it is a secret that was said to be none: most CRMs describe theirs like any other field.
    pub is_secret: bool,
}

impl Merged {
    /// Whether anything was added.
    pub fn is_new(&self) -> bool {
        self.fields + self.links > 0
    }
}

/// What is to become of something that was said.
enum Verdict {
    /// It is known already.
    Known,
    /// It is added.
    Added,
    /// It stands against what is known.
    Contradicted { is_secret: bool },
}

impl Modules {
    /// Adds what is said, as far as it does not contradict what is known.
    pub fn merge(&mut self, stock: &Stock, said: Self) -> Merged {
        let mut merged = Merged::default();
        let mut room = NAMES_TOTAL_MAX.saturating_sub(self.len());
        for (module, said) in said.0 {
            let is_room = self.0.len() < MODULES_MAX;
            let mut known = match self.0.get_mut(&module) {
                Some(known) => std::mem::take(known),
                None if is_room => ModuleSchema::default(),
                None => {
                    merged.left_out += said.fields.len() + said.links.len();
                    continue;
                }
            };
            let before = known.fields.len() + known.links.len();
            let mut merging = Merging {
                stock,
                module: &module,
                room,
                merged: &mut merged,
            };
            merging.table(&mut known, said.table);
            merging.links(&mut known, said.links);
            merging.fields(&mut known, said.fields);
            room -= (known.fields.len() + known.links.len() - before).min(room);
            if known != ModuleSchema::default() {
                self.0.insert(module, known);
            }
        }
        merged
    }
}

/// What is said of one module, on its way to what is known of it.
struct Merging<'m> {
    stock: &'m Stock,
    module: &'m Module,
    /// Names for which there is room.
    room: usize,
    merged: &'m mut Merged,
}

impl Merging<'_> {
    fn table(&mut self, known: &mut ModuleSchema, said: Option<String>) {
        match (&known.table, said) {
            (None, said) => known.table = said,
            (Some(table), Some(said)) if *table != said => self.contradicted("(its table)", false),
            _ => {}
        }
    }

    fn fields(
        &mut self,
        known: &mut ModuleSchema,
        said: impl IntoIterator<Item = (Field, FieldSchema)>,
    ) {
        for (name, said) in said {
            let is_link = known.links.contains_key(&name);
            let is_room = self.room > 0 && known.fields.len() < NAMES_MAX;
            let verdict = match known.fields.entry(name.clone()) {
                Entry::Occupied(mut known) => known_again(known.get_mut(), said),
                Entry::Vacant(_) if is_link => Verdict::Contradicted { is_secret: false },
                Entry::Vacant(place) => match self.beside_stock(&name, &said.holds) {
                    Verdict::Added if !is_room => {
                        self.merged.left_out += 1;
                        Verdict::Known
                    }
                    Verdict::Added => {
                        self.room -= 1;
                        place.insert(said);
                        Verdict::Added
                    }
                    other => other,
                },
            };
            match verdict {
                Verdict::Known => {}
                Verdict::Added => self.merged.fields += 1,
                Verdict::Contradicted { is_secret } => self.contradicted(name.as_str(), is_secret),
            }
        }
    }

    /// Whether the stock knows a name as that of a field: what it holds would be shown as records.
    fn holds_data(&self, name: &Field) -> bool {
        let origin = self.stock_origin(name);
        let is_copy = matches!(
            origin,
            Origin::Secret
                | Origin::Items(_)
                | Origin::Copy { .. }
                | Origin::CopyItems { .. }
                | Origin::CopyOfParent { .. }
        );
        is_copy || self.stock.has_field(self.module, name.as_str())
    }

    fn stock_origin(&self, name: &Field) -> Origin {
        match secrets::is_secret(self.module, name.as_str()) {
            true => Origin::Secret,
            false => self
                .stock
                .origin(&Modules::default(), self.module, name.as_str()),
        }
    }

    /// What is said of a field that only the stock may know.
    fn beside_stock(&self, name: &Field, said: &Holds) -> Verdict {
        let origin = self.stock_origin(name);
        let is_stock = || self.stock.has_field(self.module, name.as_str());
        match (origin, said) {
            (Origin::Secret, Holds::Secret) => Verdict::Known,
            (Origin::Secret, _) => Verdict::Contradicted { is_secret: true },
            // Links and scaffolding are no fields that could hold one.
            (
                Origin::Structural(_) | Origin::Related(_) | Origin::UnknownRelated,
                Holds::Secret,
            ) => Verdict::Contradicted { is_secret: false },
            (_, Holds::Secret) => Verdict::Added,
            (Origin::Own, Holds::Own) if is_stock() => Verdict::Known,
            // It would be shown like another field, whatever its own name is classified as.
            (Origin::Own, Holds::Copy(_)) if is_stock() => {
                Verdict::Contradicted { is_secret: false }
            }
            (Origin::Own, _) => Verdict::Added,
            (Origin::Copy { of, perhaps }, Holds::Copy(said)) => {
                let is_known = |path: &FieldPath| of.contains(path) || perhaps.contains(path);
                match said.iter().all(is_known) {
                    true => Verdict::Known,
                    false => Verdict::Contradicted { is_secret: false },
                }
            }
            (_, Holds::Copy(_)) => Verdict::Contradicted { is_secret: false },
            // The CRM calls many things a field that the stock knows better.
            (_, Holds::Own) => Verdict::Known,
        }
    }

    fn links(
        &mut self,
        known: &mut ModuleSchema,
        said: impl IntoIterator<Item = (Field, LinkSchema)>,
    ) {
        for (folded, said) in said {
            if said.is_blank() {
                continue;
            }
            let stock = self.stock.target(self.module, &said.name);
            let name = said.name.clone();
            let is_known_field = known.fields.contains_key(&folded);
            let is_field = is_known_field || self.holds_data(&folded);
            let is_room = self.room > 0 && known.links.len() < NAMES_MAX;
            let verdict = match (stock, known.links.entry(folded)) {
                (Some(stock), _) if said.target.as_ref().is_some_and(|said| *said != stock) => {
                    Verdict::Contradicted { is_secret: false }
                }
                (Some(_), Entry::Vacant(_)) if is_known_field => {
                    Verdict::Contradicted { is_secret: false }
                }
                (None, Entry::Occupied(mut known)) => known.get_mut().known_again(said),
                (None, Entry::Vacant(_)) if is_field => Verdict::Contradicted { is_secret: false },
                (None, Entry::Vacant(_)) if !is_room => {
                    self.merged.left_out += 1;
                    Verdict::Known
                }
                // A relationship of a stock link tells where the link at its other end leads.
                (stock, Entry::Vacant(place))
                    if is_room && (stock.is_none() || said.relationship.is_some()) =>
                {
                    self.room -= 1;
                    place.insert(said);
                    Verdict::Added
                }
                _ => Verdict::Known,
            };
            match verdict {
                Verdict::Known => {}
                Verdict::Added => self.merged.links += 1,
                Verdict::Contradicted { is_secret } => self.contradicted(&name, is_secret),
            }
        }
    }

    fn contradicted(&mut self, name: &str, is_secret: bool) {
        self.merged.contradictions.push(Contradiction {
            module: self.module.clone(),
            name: name.to_owned(),
            is_secret,
        });
    }
}

/// Something is said of a field that is known.
fn known_again(known: &mut FieldSchema, said: FieldSchema) -> Verdict {
    match (&known.holds, &said.holds) {
        (known_holds, said_holds) if known_holds == said_holds => match (&known.kind, said.kind) {
            (None, Some(kind)) => {
                known.kind = Some(kind);
                Verdict::Added
            }
            _ => Verdict::Known,
        },
        // Names of secrets only ever grow.
        (_, Holds::Secret) => {
            known.holds = Holds::Secret;
            known.kind = known.kind.take().or(said.kind);
            Verdict::Added
        }
        (Holds::Secret, _) => Verdict::Contradicted { is_secret: true },
        _ => Verdict::Contradicted { is_secret: false },
    }
}

impl LinkSchema {
    /// Something is said of a link that is known.
    fn known_again(&mut self, said: Self) -> Verdict {
        let before = self.clone();
        for (known, said) in [
            (Some(self.name.as_str()), Some(said.name.as_str())),
            (
                self.target.as_ref().map(Module::as_str),
                said.target.as_ref().map(Module::as_str),
            ),
            (self.relationship.as_deref(), said.relationship.as_deref()),
        ] {
            if known.is_some() && said.is_some() && known != said {
                return Verdict::Contradicted { is_secret: false };
            }
        }
        self.target = self.target.take().or(said.target);
        self.relationship = self.relationship.take().or(said.relationship);
        match *self == before {
            true => Verdict::Known,
            false => Verdict::Added,
        }
    }
}
