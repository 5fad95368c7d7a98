//! Limits of one policy that let more through, or hold less back, than those of another one. What they are called means nothing.

use std::collections::BTreeSet;

use crate::policy::{Count, Limit, Then};
use crate::vocabulary::Category;

use super::cells::{NEW, Names, OLD};
use super::shown::Relation;
use super::{Aspect, Change};

/// What differs, one by one.
pub(super) fn differences(names: &Names<'_>, tell: &mut dyn FnMut(Relation, Change)) {
    let limits = names.models.map(|model| model.limits.as_slice());
    let [old, new] = names.models.map(|model| model.people.as_ref());
    let holds_as_much = |one: &Limit, other: &Limit| holds_as_much(one, other, old == new);
    for (side, other, relation) in [(OLD, NEW, Relation::More), (NEW, OLD, Relation::Less)] {
        for limit in limits[side] {
            let mut others = limits[other].iter();
            if others.any(|one| holds_as_much(one, limit)) {
                continue;
            }
            let named = limits[other].iter().find(|one| one.name() == limit.name());
            // What was made wider is told as that alone.
            if side == NEW && named.is_some_and(|named| !holds_as_much(limit, named)) {
                continue;
            }
            let mut said = [String::new(), String::new()];
            said[side] = words(limit);
            said[other] = named.map_or_else(|| "no such limit".to_owned(), words);
            let [old, new] = said;
            let roles = limit.roles.iter().flatten();
            let change = Change {
                field: Some(limit.name().to_string()),
                roles: roles.map(ToString::to_string).collect(),
                ..Change::of(Aspect::Limits, old, new)
            };
            tell(relation, change);
        }
    }
}

/// Whether a limit holds back whatever another one does: `same_people`, if under both policies records are about the same persons.
fn holds_as_much(one: &Limit, other: &Limit, same_people: bool) -> bool {
    let is_as_small = one.max <= other.max && one.per >= other.per && one.level <= other.level;
    let is_for = among(other.roles.as_ref(), one.roles.as_ref())
        && one.unless_roles.is_subset(&other.unless_roles)
        && among(other.purposes.as_ref(), one.purposes.as_ref())
        && among(other.modules.as_ref(), one.modules.as_ref());
    // Of many records about one person, persons count less; of one about many, records do.
    let counts_alike = one.count == other.count && (one.count == Count::Records || same_people);
    let counts_as_much = counts_alike && counts_as_much(one, other);
    is_as_small && is_for && counts_as_much && stops_as_much(&one.then, &other.then)
}

/// Whether some are among others, where nothing said means all.
fn among<T: Ord>(some: Option<&BTreeSet<T>>, others: Option<&BTreeSet<T>>) -> bool {
    match (some, others) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(some), Some(others)) => some.is_subset(others),
    }
}

fn counts_as_much(one: &Limit, other: &Limit) -> bool {
    let technical = Category::new("technical");
    let counts = |category: &Category| match &one.data {
        None => !technical.covers(category),
        Some(data) => data.iter().any(|own| own.covers(category)),
    };
    match &other.data {
        None => one.data.is_none(),
        Some(data) => data.iter().all(counts),
    }
}

fn stops_as_much(one: &Then, other: &Then) -> bool {
    match (one, other) {
        (_, Then::Alert) | (Then::Block, _) => true,
        (Then::StepUp(own), Then::StepUp(others)) => own.is_subset(others),
        _ => false,
    }
}

fn words(limit: &Limit) -> String {
    let mut words = vec![format!(
        "{} {} in {}, {}",
        limit.max,
        limit.count.as_str(),
        limit.per,
        limit.then.as_str()
    )];
    if let Then::StepUp(strengths) = &limit.then {
        let strengths: Vec<&str> = strengths.iter().map(String::as_str).collect();
        words.push(format!("with {}", strengths.join(" or ")));
    }
    let mut listed = |word: &str, names: Vec<String>| {
        if !names.is_empty() {
            words.push(format!("{word} {}", names.join("/")));
        }
    };
    fn all<T: ToString>(names: Option<&BTreeSet<T>>) -> Vec<String> {
        let names = names.into_iter().flatten();
        names.map(ToString::to_string).collect()
    }
    listed("roles", all(limit.roles.as_ref()));
    listed("unless", all(Some(&limit.unless_roles)));
    listed("purposes", all(limit.purposes.as_ref()));
    listed("of", all(limit.modules.as_ref()));
    let data = limit.data.iter().flatten();
    listed("data", data.map(ToString::to_string).collect());
    listed("at", vec![limit.level.to_string()]);
    words.join(", ")
}
