//! From a field to all that its value shows: its own categories, and those of what it copies.

use std::collections::BTreeSet;

use crate::dialect::Origin;
use crate::vocabulary::{Category, Field, FieldPath, Level, Module};

use super::judge::View;

/// How far copies of copies are followed.
const COPY_DEPTH_MAX: usize = 8;

/// Where the categories of a field come from.
#[derive(Debug, Default)]
pub(in crate::policy) struct Sources {
    /// Categories of the field and of what it copies.
    pub(in crate::policy) categories: BTreeSet<Category>,
    /// Whether something of it is not classified.
    pub(in crate::policy) unclassified: bool,
    /// Whether something of it is of a kind that is never shown, and how it is withheld.
    pub(in crate::policy) withheld: BTreeSet<(Level, &'static str)>,
}

/// The fields on the way, each with whether it only perhaps counts, and whether it stands in the record itself.
type Seen = BTreeSet<(FieldPath, bool, bool)>;

/// The way from a field to what it copies.
#[derive(Clone, Copy)]
struct Way {
    /// How many copies lie on it.
    depth: usize,
    /// Whether what is there counts only where the policy classifies it.
    perhaps: bool,
    /// Whether all of it stands in the record itself.
    is_own: bool,
}

impl View {
    /// The categories of a field and of everything that it copies.
    pub(in crate::policy) fn sources(&self, module: &Module, field: &Field) -> Sources {
        let mut sources = Sources::default();
        let path = FieldPath {
            module: module.clone(),
            field: field.clone(),
        };
        let way = Way {
            depth: 0,
            perhaps: false,
            is_own: true,
        };
        self.gather(&path, way, &mut BTreeSet::new(), &mut sources);
        if sources.categories.is_empty() && sources.withheld.is_empty() {
            sources.unclassified = true;
        }
        sources
    }

    fn gather(&self, path: &FieldPath, way: Way, seen: &mut Seen, into: &mut Sources) {
        let Way {
            depth,
            perhaps,
            is_own,
        } = way;
        if !seen.insert((path.clone(), perhaps, is_own)) {
            return;
        }
        let own = self.core.model.classes.of(&path.module, &path.field);
        let is_elsewhere = depth > 0 && !self.situation.sees(&path.module);
        if is_elsewhere && (!perhaps || !own.is_empty()) {
            // A copy shows no more of a module than its own records would.
            into.withheld.insert((Level::Redact, "role.actions"));
        }
        let model = &self.core.model;
        // The name of a record is put together from its own fields, whatever it is judged by.
        let name = self.core.schema.display_field();
        let is_named = seen.iter().any(|(seen, ..)| {
            seen.module == path.module && seen.field.as_str().eq_ignore_ascii_case(name)
        });
        let is_own_name = depth == 1 && path.field.as_str() != name && is_named;
        if !(is_own || is_own_name)
            && model.depends_on_records(&self.situation, &path.module, own.iter())
        {
            // What holds of that record, nobody knows here.
            into.withheld.insert((Level::Redact, "record.conditions"));
        }
        let origin = self.core.schema.origin(&path.module, path.field.as_str());
        match origin {
            Origin::Secret => {
                into.withheld.insert((Level::Hide, "dialect.secret"));
            }
            Origin::Structural(_) => {}
            Origin::Related(_) | Origin::UnknownRelated => {
                into.withheld
                    .insert((Level::Redact, "dialect.unknown-related"));
            }
            Origin::CopyOfParent { .. } => {
                into.withheld.insert((Level::Redact, "dialect.parent"));
            }
            Origin::Own | Origin::Items(_) => {
                into.unclassified |= own.is_empty() && !perhaps;
                into.categories.extend(own);
            }
            Origin::Copy { .. } | Origin::CopyItems { .. } if depth >= COPY_DEPTH_MAX => {
                into.withheld.insert((Level::Redact, "dialect.copy"));
            }
            Origin::CopyItems { of, .. } => {
                into.categories.extend(own);
                for source in &of {
                    self.gather(source, self.further(way, path, source), seen, into);
                }
            }
            Origin::Copy { of, perhaps: maybe } => {
                into.categories.extend(own);
                for source in &of {
                    self.gather(source, self.further(way, path, source), seen, into);
                }
                for source in &maybe {
                    let way = Way {
                        perhaps: true,
                        ..way
                    };
                    self.gather(source, self.further(way, path, source), seen, into);
                }
            }
        }
    }

    /// The way from a field on to one that it shows.
    fn further(&self, way: Way, from: &FieldPath, to: &FieldPath) -> Way {
        let schema = &self.core.schema;
        let (own, shown) = (from.field.as_str(), to.field.as_str());
        Way {
            depth: way.depth + 1,
            is_own: way.is_own && schema.shows_own(&from.module, own, shown),
            ..way
        }
    }
}
