//! Which stronger authentication would show more of what is asked (RFC 9470).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;

use crate::dialect::{Operation, Projected, Query};
use crate::vocabulary::{Category, Module};

use super::super::Policy;
use super::super::language::model::{Grant, Model, about};
use super::engine::Situation;
use super::table::Table;

/// The authentication that a caller is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Authentication context classes, the most wanted first.
    acr_values: Vec<String>,
    /// How long ago it may be at most.
    max_age: Option<Duration>,
}

impl fmt::Display for Challenge {
    /// As it stands in a challenge: `acr_values="phr phrh", max_age=900`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.acr_values.is_empty() {
            parts.push(format!("acr_values=\"{}\"", self.acr_values.join(" ")));
        }
        if let Some(age) = self.max_age {
            parts.push(format!("max_age={}", age.as_secs()));
        }
        f.write_str(&parts.join(", "))
    }
}

/// How a request touches what stronger authentication would show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::policy) enum Touched {
    No,
    /// It is among all fields, which were asked for.
    Unnamed,
    /// The request names a field of it.
    Named,
}

/// What a situation lacks: the strength that grants ask for which would match but for it, and what they would show.
#[derive(Debug)]
pub(in crate::policy) struct Lacking {
    pub(in crate::policy) challenge: Arc<Challenge>,
    stronger: Arc<Table>,
    /// What the grants that ask for it are about: others speak for themselves.
    data: Vec<Category>,
    /// Whether anything of a known module would be shown; so that callers cannot fill it, of no other one.
    raised: DashMap<Module, bool>,
}

impl Lacking {
    pub(in crate::policy) fn of(policy: &Policy, situation: &Situation) -> Option<Self> {
        let model = &policy.core.model;
        let asks = |grant: &&Grant| {
            grant.asks && !grant.matches(situation) && grant.nearly_matches(situation)
        };
        let asking: Vec<&Grant> = model.grants.iter().filter(asks).collect();
        let lacked: BTreeSet<&String> = asking.iter().flat_map(|grant| &grant.requires).collect();
        let challenge = challenge(model, &lacked)?;
        let mut stronger = situation.clone();
        stronger.strengths.extend(lacked.into_iter().cloned());
        Some(Self {
            challenge: Arc::new(challenge),
            stronger: policy.tables.of(stronger),
            data: asking.iter().flat_map(|grant| grant.data.clone()).collect(),
            raised: DashMap::new(),
        })
    }

    /// How an operation touches what would be shown.
    pub(in crate::policy) fn touched(&self, table: &Table, operation: &Operation) -> Touched {
        match operation.target() {
            Some(target) => self.query(table, &operation.query, target),
            None => Touched::No,
        }
    }

    fn query(&self, table: &Table, query: &Query, own: &Module) -> Touched {
        let modules = std::iter::once(own).chain(&query.beside);
        let of_module = |module: &Module| match &query.projection {
            None if self.raises_any(table, module) => Touched::Unnamed,
            None => Touched::No,
            Some(items) => {
                let items = items.iter().map(|item| match item {
                    Projected::Field(name) if self.raises(table, module, name) => Touched::Named,
                    Projected::Field(_) => Touched::No,
                    Projected::Collection { link, query } => self.query(table, query, &link.target),
                });
                items.max().unwrap_or(Touched::No)
            }
        };
        modules.map(of_module).max().unwrap_or(Touched::No)
    }

    fn raises(&self, table: &Table, module: &Module, field: &str) -> bool {
        let rule = table.records(module).field(field);
        let is_asked = rule
            .categories
            .iter()
            .any(|category| about(&self.data, category));
        is_asked && self.stronger.records(module).field(field).level > rule.level
    }

    fn raises_any(&self, table: &Table, module: &Module) -> bool {
        if let Some(raised) = self.raised.get(module) {
            return *raised;
        }
        let known = table.records(module).known();
        let mut names = known.iter().map(|rule| rule.field.as_str());
        let raised = names.any(|name| self.raises(table, module, name));
        if table.knows(module) {
            self.raised.insert(module.clone(), raised);
        }
        raised
    }
}

/// What is asked of who must prove one of these strengths.
pub(in crate::policy) fn asking(
    model: &Model,
    strengths: &BTreeSet<String>,
) -> Option<Arc<Challenge>> {
    challenge(model, &strengths.iter().collect()).map(Arc::new)
}

/// What proves these strengths, as far as an issuer can be asked for it.
fn challenge(model: &Model, strengths: &BTreeSet<&String>) -> Option<Challenge> {
    let named = strengths
        .iter()
        .filter_map(|name| model.strengths.get(*name));
    let asked: Vec<_> = named
        .flat_map(|strength| &strength.any)
        .filter(|proof| !proof.acr.is_empty() || proof.max_age.is_some())
        .collect();
    if asked.is_empty() {
        return None;
    }
    let mut acr_values: Vec<String> = Vec::new();
    for value in asked.iter().flat_map(|proof| &proof.acr) {
        if !acr_values.contains(value) {
            acr_values.push(value.clone());
        }
    }
    Some(Challenge {
        acr_values,
        // The shortest suffices for each of them.
        max_age: asked.iter().filter_map(|proof| proof.max_age).min(),
    })
}
