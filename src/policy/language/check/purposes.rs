//! Purposes, and the terms of the consent on which they rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Place, quoted};
use crate::vocabulary::{Category, Purpose};

use super::super::codes;
use super::super::document::{ConsentEntry, Document, PurposeEntry, Word};
use super::super::model::PurposeModel;
use super::super::terms::{ConsentTerms, ConsentText, matchable_by_default};
use super::declared::{Declared, Kind};

/// What may never be: whoever looks for it would learn that somebody exists.
const IDS: &str = "technical.id";

pub(super) fn purposes(
    document: &Document,
    names: &Declared,
    found: &mut Diagnostics,
) -> BTreeMap<Purpose, PurposeModel> {
    let asked = document.purposes.iter();
    let asked = asked.filter_map(|entry| entry.say.consent.as_ref()?.text.as_ref());
    let texts = Kind::new(
        ("text", "texts", codes::BAD_CONSENT),
        document.texts.iter().map(|(name, _)| name),
        &asked.collect::<Vec<_>>(),
    );
    let purposes = document.purposes.iter();
    let purposes = purposes.map(|entry| {
        let consent = entry.say.consent.as_ref();
        let model = PurposeModel {
            place: entry.name.place.clone(),
            labels: entry.labels.clone(),
            basis: Arc::from(entry.basis),
            roles: names.roles(&entry.roles, found),
            consent: consent.map(|consent| {
                recipients(document, entry, consent, found);
                terms(document, consent, (names, &texts), found)
            }),
            crm: entry
                .say
                .crm
                .iter()
                .map(|word| word.value.clone())
                .collect(),
            honours_objection: entry.say.objection.is_some(),
            despite_restriction: entry.say.despite_restriction,
        };
        (Purpose::new(&entry.name.value), model)
    });
    purposes.collect()
}

fn terms(
    document: &Document,
    entry: &ConsentEntry,
    (names, texts): (&Declared, &Kind),
    found: &mut Diagnostics,
) -> ConsentTerms {
    if let Some(word) = &entry.text {
        names.look_up(std::slice::from_ref(word), texts, found);
        let text = document
            .texts
            .iter()
            .find(|(name, _)| name.value == word.value);
        if let Some((_, Some(text))) = text {
            spoken(document, word, text, found);
        }
    }
    ConsentTerms {
        proof: entry.proof,
        max_age: entry.max_age,
        when_missing: entry.when_missing,
        matchable: match &entry.matchable {
            Some(words) => matchable(words, names, found),
            None => matchable_by_default(),
        },
        text: entry.text.as_ref().map(|word| word.value.clone()),
        names_recipient: entry.names_recipient.is_some(),
    }
}

fn bad(title: String, place: &Place, label: &str) -> Diagnostic {
    Diagnostic::error(codes::BAD_CONSENT, title).at(place, label)
}

/// A text is there in every language in which the organisation speaks to people.
fn spoken(document: &Document, word: &Word, text: &ConsentText, found: &mut Diagnostics) {
    let languages = document.organisation.languages.iter();
    for language in languages.filter(|language| !text.words.contains_key(language)) {
        let code = language.as_str();
        let title = format!("text {} is not there in `{code}`", quoted(&word.value));
        let label = "a language of `organisation`";
        found.push(bad(title, &word.place, label).help(format!("add `{code}: …` to the text")));
    }
}

fn matchable(words: &[Word], names: &Declared, found: &mut Diagnostics) -> BTreeSet<Category> {
    for word in words {
        if Category::new(&word.value).covers(&Category::new(IDS)) {
            let title = format!("{} is never matchable", quoted(&word.value));
            found.push(
                bad(title, &word.place, "an id tells who exists")
                    .help("name what tells nobody apart, such as `technical.timestamp`"),
            );
        }
    }
    names.data(words, found).into_iter().collect()
}

/// Where consent is given to one recipient, each role says who that is.
fn recipients(
    document: &Document,
    purpose: &PurposeEntry,
    consent: &ConsentEntry,
    found: &mut Diagnostics,
) {
    let Some(place) = &consent.names_recipient else {
        return;
    };
    for word in &purpose.roles {
        let mut roles = document.roles.iter();
        let role = roles.find(|role| role.name.value == word.value);
        if role.is_some_and(|role| role.recipient.is_none()) {
            let title = format!("role {} names no recipient", quoted(&word.value));
            found.push(
                bad(title, &word.place, "to whom does the data go?")
                    .also(place, "consent is given to one recipient")
                    .help("add `recipient: NAME` to the role"),
            );
        }
    }
}

pub(super) fn order(
    document: &Document,
    names: &Declared,
    found: &mut Diagnostics,
) -> Vec<Purpose> {
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
