//! What the data is: classification, searched fields, detectors.

use jiff::civil::Date;

use crate::diagnostic::{Diagnostic, Diagnostics, Form, Node, NodeKind, Place};

use super::super::codes;
use super::super::document::{Document, FieldEntry, SearchEntry, Word};
use super::{KEYS_REFUSED, checked, date, definitions, prose, words};

/// Characters of a module's or field's name.
const FIELD_CHARACTERS_MAX: usize = 128;

pub(super) fn is_field(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= FIELD_CHARACTERS_MAX
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// What fields and modules are made of.
pub(super) const FORM: &str = "ASCII letters, digits, `_` and `-`";
const PATTERN_FORM: &str = "ASCII letters, digits, `_` and `-`, and `*` for any run of characters";

fn is_pattern(pattern: &str) -> bool {
    let plain = pattern.replace('*', "");
    !pattern.is_empty() && (plain.is_empty() || is_field(&plain))
}

/// A module's name as it was most likely meant; `None` for the section of all modules, where one must be named.
pub(super) fn module(word: &Word, found: &mut Diagnostics) -> Option<Word> {
    if word.value == "*" {
        found.push(
            Diagnostic::error(codes::NO_MODULE_OF_ALL, "a module must be named here")
                .at(&word.place, "stands for all modules"),
        );
        return None;
    }
    Some(checked("a module", word, FORM, is_field, found))
}

pub(super) fn classify(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    for (name, section) in definitions(node, "`classify`", document, found) {
        let mut own = None;
        if name.value != "*" {
            let Some(module) = module(name, found) else {
                continue;
            };
            document.incomplete |= !is_field(&module.value);
            document.modules.push(module.clone());
            own = Some(module.value);
        }
        for (pattern, node) in section.map("a module's section", found).unwrap_or_default() {
            let pattern = checked("a field", pattern, PATTERN_FORM, is_pattern, found);
            let folded = pattern.value.to_ascii_lowercase();
            let path = format!("{}.{folded}", own.as_deref().unwrap_or("*"));
            document
                .names
                .define("classification of", &path, &pattern.place, found);
            if let Some(entry) = field(own.as_deref(), &pattern, node, document.today, found) {
                document.fields.push(entry);
            }
        }
    }
}

fn field(
    module: Option<&str>,
    pattern: &Word,
    node: &Node,
    today: Option<Date>,
    found: &mut Diagnostics,
) -> Option<FieldEntry> {
    const FORM: Form = Form {
        what: "a classification",
        known: &["category", "instead_of", "reviewed"],
        refused: KEYS_REFUSED,
    };
    let module = module.map(str::to_owned);
    if !matches!(node.kind, NodeKind::Map(_)) {
        return Some(FieldEntry {
            module,
            pattern: pattern.clone(),
            categories: words(node, "a category", found).unwrap_or_default(),
            instead_of: Vec::new(),
        });
    }
    let keys = FORM.read(node, found)?;
    let instead_of = match keys.get("instead_of") {
        Some(node) => {
            if pattern.value.contains('*') {
                found.push(
                    Diagnostic::error(
                        codes::INSTEAD_OF_WILDCARD,
                        "only an entry for one field takes a category away",
                    )
                    .at(&pattern.place, "a wildcard with `instead_of`")
                    .help("name the field exactly"),
                );
            }
            words(node, "`instead_of`", found).unwrap_or_default()
        }
        None => Vec::new(),
    };
    match keys.get("reviewed") {
        Some(node) => reviewed(node, today, found),
        None if keys.get("instead_of").is_some() => found.push(
            Diagnostic::error(
                codes::INSTEAD_OF_UNREVIEWED,
                "`instead_of` needs a dated review",
            )
            .at(keys.place(), "`reviewed` is missing")
            .help("add `reviewed: { by: you@example.com, on: 2026-01-31, why: … }`"),
        ),
        None => {}
    }
    let categories = keys
        .require("category", found)
        .and_then(|node| words(node, "a category", found));
    Some(FieldEntry {
        module,
        pattern: pattern.clone(),
        categories: categories.unwrap_or_default(),
        instead_of,
    })
}

fn reviewed(node: &Node, today: Option<Date>, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a review",
        known: &["by", "on", "why"],
        refused: KEYS_REFUSED,
    };
    let Some(keys) = FORM.read(node, found) else {
        return;
    };
    for key in ["by", "why"] {
        if let Some(node) = keys.require(key, found) {
            prose(node, &format!("`{key}`"), found);
        }
    }
    let on = keys.require("on", found);
    if let Some(on) = on.and_then(|node| date(node, "`on`", found)) {
        found.push_any(ahead(on.value, today, &on.place));
    }
}

/// A review of a day that has not come. No error: a clock may be wrong, and the policy holds all the same.
fn ahead(date: Date, today: Option<Date>, place: &Place) -> Option<Diagnostic> {
    // Somewhere it is tomorrow already.
    let last = today?.tomorrow().ok()?;
    (date > last).then(|| {
        let title = format!("a review on {date}, which has not come yet");
        Diagnostic::warning(codes::REVIEW_AHEAD, title)
            .at(place, format!("today is {}", today.unwrap_or(last)))
            .help("write the day on which somebody looked at it")
    })
}

pub(super) fn search(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    for (name, node) in node.map("`search`", found).unwrap_or_default() {
        let module = module(name, found);
        let fields = words(node, "the searched fields", found).unwrap_or_default();
        let fields = fields
            .iter()
            .map(|field| checked("a field", field, FORM, is_field, found))
            .collect();
        let Some(module) = module else { continue };
        if document
            .names
            .define("search of", &module.value, &module.place, found)
        {
            document.search.push(SearchEntry { module, fields });
        }
    }
}
