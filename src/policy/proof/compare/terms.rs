//! By what records may be found of which some are not there: the terms of a purpose that rests on consent say it.

use std::collections::BTreeSet;

use crate::policy::language::terms::matchable_by_default;
use crate::policy::model::Model;
use crate::vocabulary::{Category, Purpose};

use super::cells::{NEW, Names, OLD};
use super::shown::Relation;
use super::{Aspect, Change};

/// What differs, one by one.
pub(super) fn differences(names: &Names<'_>, tell: &mut dyn FnMut(Relation, Change)) {
    let [old, new] = names.models;
    for purpose in &names.purposes {
        let are_both = [old, new].map(|model| model.purposes.contains_key(*purpose));
        if are_both != [true, true] {
            continue;
        }
        let of = names.models.map(|model| matchable(model, purpose));
        let mut told = |relation, one: &BTreeSet<Category>, words: [&str; 2]| {
            for category in one {
                let change = Change {
                    category: Some(category.clone()),
                    purpose: Some((*purpose).clone()),
                    field: Some("(whose records may be withheld)".to_owned()),
                    ..Change::of(Aspect::Used, words[OLD], words[NEW])
                };
                tell(relation, change);
            }
        };
        told(Relation::More, &beyond(&of[NEW], &of[OLD]), ["no", "yes"]);
        told(Relation::Less, &beyond(&of[OLD], &of[NEW]), ["yes", "no"]);
    }
}

/// By which categories records may be found for a purpose, whether they are there or not.
pub(super) fn matchable(model: &Model, purpose: &Purpose) -> BTreeSet<Category> {
    let purpose = model.purposes.get(purpose);
    let terms = purpose.and_then(|purpose| purpose.consent.as_ref());
    terms.map_or_else(matchable_by_default, |terms| terms.matchable.clone())
}

/// Whether some categories are all among others.
pub(super) fn is_among(some: &BTreeSet<Category>, others: &BTreeSet<Category>) -> bool {
    beyond(some, others).is_empty()
}

fn beyond(some: &BTreeSet<Category>, others: &BTreeSet<Category>) -> BTreeSet<Category> {
    let is_beyond = |one: &&Category| !others.iter().any(|other| other.covers(one));
    some.iter().filter(is_beyond).cloned().collect()
}
