//! Rows: which records are there, and for whom.

use crate::diagnostic::{Diagnostics, Form, Keys, Node, Spanned};

use super::super::document::{Document, RowEntry, Word};
use super::rules::{nameless, rule_name, whom, why};
use super::{KEYS_REFUSED, conditions, what};

pub(super) fn read(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a row rule",
        known: &[
            "name",
            "modules",
            "roles",
            "unless_roles",
            "purposes",
            "keep_when",
            "why",
        ],
        refused: KEYS_REFUSED,
    };
    for node in node.list("`rows`", found).unwrap_or_default() {
        if let Some(keys) = FORM.read(node, found) {
            let entry = row(&keys, document, found);
            document.rows.push(entry);
        }
    }
}

fn row(keys: &Keys<'_>, document: &mut Document, found: &mut Diagnostics) -> RowEntry {
    let name = rule_name(keys, "rule", document, found);
    let keep_when = keys.require("keep_when", found);
    why(keys, found);
    RowEntry {
        name: name.unwrap_or_else(|| nameless(keys)),
        modules: modules(keys, found),
        whom: whom(keys, "a row rule", found),
        keep_when: keep_when.and_then(|node| conditions::read(node, found)),
    }
}

/// The modules that a rule is about: each is named.
pub(super) fn modules(keys: &Keys<'_>, found: &mut Diagnostics) -> Vec<Word> {
    let modules = keys.require("modules", found);
    let modules = modules.and_then(|node| node.texts("`modules`", found));
    let modules = modules.unwrap_or_default().into_iter();
    let modules: Vec<Word> = modules.map(Spanned::into_owned).collect();
    let modules = modules.iter();
    modules
        .filter_map(|module| what::module(module, found))
        .collect()
}
