//! Reads the sections of a policy file, and what all of them have in common. Nothing is ever ignored.

use crate::diagnostic::{
    Diagnostic, Diagnostics, File, Node, NodeKind, Place, Schema, Spanned, not_supported, quoted,
};
use crate::vocabulary::Level;

use super::codes;
use super::document::{Document, Word};
use super::model::Labels;

mod categories;
mod rules;
mod what;
mod who;

/// Sections that a policy may hold.
const SECTIONS: &[&str] = &[
    "policy",
    "defaults",
    "roles",
    "auth",
    "purposes",
    "categories",
    "classify",
    "search",
    "detectors",
    "grants",
    "caps",
];
/// Sections and keys that later versions will have, wherever they stand.
const KEYS_REFUSED: &[&str] = &[
    "mode",
    "ask",
    "match",
    "when",
    "kind",
    "country",
    "honour_objection",
    "consent",
    "keep_when",
    "rows",
    "retention",
    "limits",
    "exceptions",
    "extends",
    "schedules",
];
/// Characters of one name.
const NAME_CHARACTERS_MAX: usize = 100;
/// Characters of a label, a reason, or a constant mask.
const TEXT_CHARACTERS_MAX: usize = 500;

const LEVELS: &[(&str, Level)] = &[
    ("hide", Level::Hide),
    ("redact", Level::Redact),
    ("token", Level::Token),
    ("mask", Level::Mask),
    ("clear", Level::Clear),
];

/// Adds what one file says to the document.
pub(super) fn read(file: &File, document: &mut Document, found: &mut Diagnostics) {
    let Some(root) = crate::diagnostic::read(file, found) else {
        return;
    };
    let Some(sections) = root.map("a policy", found) else {
        return;
    };
    for (key, node) in sections {
        match key.value.as_str() {
            "policy" => name(node, document, found),
            "defaults" => defaults(node, document, found),
            "roles" => who::roles(node, document, found),
            "auth" => who::strengths(node, document, found),
            "purposes" => who::purposes(node, document, found),
            "categories" => categories::read(node, document, found),
            "classify" => what::classify(node, document, found),
            "search" => what::search(node, document, found),
            "detectors" => what::detectors(node, document, found),
            "grants" => rules::grants(node, document, found),
            "caps" => rules::caps(node, document, found),
            other => found.push(unknown_section(other, &key.place)),
        }
    }
}

fn unknown_section(name: &str, place: &Place) -> Diagnostic {
    if KEYS_REFUSED.contains(&name) {
        return not_supported(&format!("section {}", quoted(name)), place);
    }
    Diagnostic::error(
        codes::UNKNOWN_SECTION,
        format!("unknown section {}", quoted(name)),
    )
    .at(place, "not a section of a policy")
    .help(format!("sections: {}", SECTIONS.join(", ")))
    .suggest(name, SECTIONS.iter().copied())
}

/// Takes some words out of their node.
fn words(node: &Node, what: &str, found: &mut Diagnostics) -> Option<Vec<Word>> {
    Some(
        node.texts(what, found)?
            .into_iter()
            .map(Spanned::into_owned)
            .collect(),
    )
}

/// Free words of an author: a reason, a label.
fn prose(node: &Node, what: &str, found: &mut Diagnostics) -> Option<String> {
    let text = node.text(what, found)?;
    if text.value.trim().is_empty() || text.value.chars().count() > TEXT_CHARACTERS_MAX {
        found.push(
            Diagnostic::error(codes::BAD_NAME, format!("{what} is blank or too long")).at(
                &text.place,
                format!("must hold 1 to {TEXT_CHARACTERS_MAX} characters"),
            ),
        );
        return None;
    }
    Some(text.value.to_owned())
}

/// Whether a name is of the form that log, headers and messages can carry: ASCII letters, digits, `.`, `_`, `-`.
fn is_name(name: &str) -> bool {
    name.len() <= NAME_CHARACTERS_MAX
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Reports a name that is not of the accepted form.
fn check_name(what: &str, word: &Word, found: &mut Diagnostics) -> bool {
    let good = is_name(&word.value);
    if !good {
        found.push(bad_name(
            what,
            word,
            "ASCII letters, digits, `.`, `_` and `-`, starting with a letter or digit",
        ));
    }
    good
}

/// A name that is not of the accepted form.
fn bad_name(what: &str, word: &Word, form: &str) -> Diagnostic {
    Diagnostic::error(
        codes::BAD_NAME,
        format!("{} is not a name of {what}", quoted(&word.value)),
    )
    .at(&word.place, format!("must be made of {form}"))
}

fn name(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    let Some(word) = node
        .text("the policy's name", found)
        .map(Spanned::into_owned)
    else {
        return;
    };
    if !check_name("a policy", &word, found) {
        return;
    }
    match &document.name {
        None => document.name = Some(word),
        Some(first) if first.value == word.value => {}
        Some(first) => found.push(
            Diagnostic::error(
                codes::OTHER_NAME,
                "files of one policy state different names",
            )
            .at(&word.place, "another name here")
            .also(&first.place, "first named here")
            .help("keep one policy in a folder"),
        ),
    }
}

fn defaults(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const SCHEMA: Schema = Schema {
        what: "`defaults`",
        known: &["unclassified", "ungranted", "purpose_order"],
        refused: KEYS_REFUSED,
    };
    const ONLY: &[(&str, Level)] = &[("hide", Level::Hide), ("redact", Level::Redact)];
    let Some(keys) = SCHEMA.read(node, found) else {
        return;
    };
    for key in SCHEMA.known {
        let Some(node) = keys.get(key) else { continue };
        if document.names.define("default", key, &node.place, found) {
            if *key == "purpose_order" {
                document.purpose_order = words(node, "`purpose_order`", found).unwrap_or_default();
                continue;
            }
            let level = node.choice("default level", ONLY, found);
            match *key {
                "unclassified" => document.unclassified = level,
                _ => document.ungranted = level,
            }
        }
    }
}

/// Labels in the languages of this version; one text is English.
fn labels(node: &Node, found: &mut Diagnostics) -> Option<Labels> {
    const SCHEMA: Schema = Schema {
        what: "a label",
        known: &["en", "fr"],
        refused: &[],
    };
    if matches!(node.kind, NodeKind::Str(_)) {
        return Some(Labels {
            en: prose(node, "a label", found),
            fr: None,
        });
    }
    let keys = SCHEMA.read(node, found)?;
    let mut one = |key| keys.get(key).and_then(|node| prose(node, "a label", found));
    Some(Labels {
        en: one("en"),
        fr: one("fr"),
    })
}
