//! From what the files say to what it means: looks every name up, and reports all that mean nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::vocabulary::{Level, Purpose};

use super::codes;
use super::document::Document;
use super::model::{Detector, Model, PurposeModel, Strength};
use super::sections::observe;
use conditions::Conditions;
use declared::Declared;

mod conditions;
mod data;
mod declared;
mod exceptions;
mod limits;
mod roles;
mod rows;
mod rules;

/// Checks a document. The model is whole only if no error was found.
pub(in crate::policy) fn check(
    mut document: Document,
    hash: String,
    found: &mut Diagnostics,
) -> Model {
    let observed = observe::whole(&mut document, found);
    let names = Declared::new(&document, data::categories(&document));
    let purposes = purposes(&document, &names, found);
    let mut conditions = Conditions::new(&document);
    let grants = rules::grants(&document, &mut conditions, &names, found);
    let mut caps = rules::caps(&document, &mut conditions, &names, found);
    let rows = rows::rows(&document, &mut conditions, &names, found);
    exceptions::exceptions(&document, &mut caps, &mut conditions, &names, found);
    Model {
        name: document
            .name
            .as_ref()
            .map(|name| name.value.clone())
            .unwrap_or_default(),
        hash,
        texts: Arc::default(),
        detects: None,
        unclassified: document.unclassified.unwrap_or(Level::Redact),
        ungranted: document.ungranted.unwrap_or(Level::Redact),
        purpose_order: purpose_order(&document, &names, found),
        roles: roles::roles(&document, &names, &purposes, found),
        strengths: strengths(&document),
        purposes,
        classes: data::classes(&document, &names, found),
        search: data::search(&document, &names, found),
        detectors: detectors(&document, &names, found),
        grants,
        caps,
        limits: limits::limits(&document, &names, found),
        rows,
        conditions: conditions.noted,
        compared: conditions.compared,
        days: rules::last_days(&document, observed.as_ref()),
        observed,
        categories: names.categories,
    }
}

fn strengths(document: &Document) -> BTreeMap<String, Strength> {
    let strengths = document.strengths.iter();
    let strengths = strengths.map(|(name, any)| {
        let strength = Strength {
            place: name.place.clone(),
            any: any.clone(),
        };
        (name.value.clone(), strength)
    });
    strengths.collect()
}

fn detectors(document: &Document, names: &Declared, found: &mut Diagnostics) -> Vec<Detector> {
    let detectors = document.detectors.iter();
    let detectors = detectors.map(|entry| Detector {
        place: entry.place.clone(),
        within: names.data(&entry.within, found),
        find: entry.find.clone(),
        terms: entry.terms,
    });
    detectors.collect()
}

fn purposes(
    document: &Document,
    names: &Declared,
    found: &mut Diagnostics,
) -> BTreeMap<Purpose, PurposeModel> {
    document
        .purposes
        .iter()
        .map(|entry| {
            let model = PurposeModel {
                place: entry.name.place.clone(),
                labels: entry.labels.clone(),
                basis: Arc::from(entry.basis),
                roles: names.roles(&entry.roles, found),
            };
            (Purpose::new(&entry.name.value), model)
        })
        .collect()
}

fn purpose_order(document: &Document, names: &Declared, found: &mut Diagnostics) -> Vec<Purpose> {
    let known = names.purposes(&document.purpose_order, found);
    let mut order = Vec::new();
    for word in &document.purpose_order {
        let purpose = Purpose::new(&word.value);
        if order.contains(&purpose) {
            let title = format!("purpose {} stands twice in the order", quoted(&word.value));
            found.push(Diagnostic::error(codes::TWICE, title).at(&word.place, "again here"));
        } else if known.contains(&purpose) {
            order.push(purpose);
        }
    }
    order
}
