//! From what the files say to what it means: looks every name up, and reports all that mean nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostics;
use crate::vocabulary::Level;

use super::document::Document;
use super::model::{Detector, Model, Strength};
use super::sections::observe;
use super::terms::ConsentText;
use conditions::Conditions;
use declared::Declared;

mod classified;
mod conditions;
mod declared;
mod exceptions;
mod limits;
mod made;
mod people;
mod purposes;
mod roles;
mod rows;
mod rules;
mod say;

/// Checks a document. The model is whole only if no error was found.
pub(in crate::policy) fn check(
    mut document: Document,
    hash: String,
    found: &mut Diagnostics,
) -> Model {
    let observed = observe::whole(&mut document, found);
    let names = Declared::new(&document, classified::categories(&document));
    let purposes = purposes::purposes(&document, &names, found);
    let people = people::people(&document, &names, found);
    let mut conditions = Conditions::new(&document);
    let grants = rules::grants(&document, &mut conditions, &names, found);
    let mut caps = rules::caps(&document, &mut conditions, &names, found);
    let made = rows::rows(&document, &mut conditions, &names, found);
    exceptions::exceptions(&document, &mut caps, &mut conditions, &names, found);
    let asked = (&mut conditions, &mut *found);
    let said = say::rules(&document, &purposes, people.as_ref(), &names, asked);
    let made = made.and(said);
    caps.extend(made.caps);
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
        purpose_order: purposes::order(&document, &names, found),
        roles: roles::roles(&document, &names, &purposes, found),
        strengths: strengths(&document),
        purposes,
        classes: classified::classes(&document, &names, found),
        search: classified::search(&document, &names, found),
        detectors: detectors(&document, &names, found),
        grants,
        caps,
        limits: limits::limits(&document, &names, found),
        rows: made.rows,
        restrictions: made.restrictions,
        conditions: conditions.noted,
        organisation: document.organisation.clone(),
        consent_texts: consent_texts(&document),
        people,
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

fn consent_texts(document: &Document) -> BTreeMap<String, ConsentText> {
    let texts = document.texts.iter();
    let texts = texts.filter_map(|(name, text)| Some((name.value.clone(), text.clone()?)));
    texts.collect()
}
