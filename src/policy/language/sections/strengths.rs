//! How surely: strengths of authentication.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::Way;
use crate::diagnostic::{Diagnostic, Diagnostics, Form, Node, NodeKind, quoted};

use super::super::codes;
use super::super::document::Document;
use super::super::model::Proof;
use super::{KEYS_REFUSED, definition, definitions};

pub(super) fn strengths(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    for (name, node) in definitions(node, "`auth`", document, found) {
        let name = definition("a strength", name, document, found);
        let first = document
            .names
            .define("strength", &name.value, &name.place, found);
        let any = strength(node, found);
        if first {
            document.strengths.push((name, any));
        }
    }
}

/// One proof, or several of which one suffices.
fn strength(node: &Node, found: &mut Diagnostics) -> Vec<Proof> {
    const FORM: Form = Form {
        what: "a strength of authentication",
        known: &["any"],
        refused: KEYS_REFUSED,
    };
    let is_any = match &node.kind {
        NodeKind::Map(entries) => entries.iter().any(|(key, _)| key.value == "any"),
        _ => false,
    };
    if !is_any {
        return proof(node, found).into_iter().collect();
    }
    let any = FORM.read(node, found);
    let any = any.and_then(|keys| keys.require("any", found)?.list("`any`", found));
    let any = any.unwrap_or_default();
    if any.is_empty() {
        found.push(unproved(node, "there is no proof of it"));
    }
    any.iter().filter_map(|node| proof(node, found)).collect()
}

fn proof(node: &Node, found: &mut Diagnostics) -> Option<Proof> {
    const FORM: Form = Form {
        what: "a proof of strong authentication",
        known: &["acr", "amr", "method", "max_age"],
        refused: KEYS_REFUSED,
    };
    const AGES: RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_secs(86_400 * 30);
    let keys = FORM.read(node, found)?;
    let proof = Proof {
        acr: keys
            .get("acr")
            .map_or_else(Vec::new, |node| references(node, "`acr`", found)),
        amr: keys
            .get("amr")
            .map_or_else(Vec::new, |node| references(node, "`amr`", found)),
        methods: keys
            .get("method")
            .map_or_else(Vec::new, |node| methods(node, found)),
        max_age: keys
            .get("max_age")
            .and_then(|node| node.duration("`max_age`", AGES, found)),
    };
    if ["acr", "amr", "method"]
        .iter()
        .all(|key| keys.get(key).is_none())
    {
        found.push(unproved(node, "nothing says by what it is proved"));
    }
    Some(proof)
}

fn unproved(node: &Node, label: &str) -> Diagnostic {
    Diagnostic::error(codes::BAD_STRENGTH, "a strength that nothing can prove")
        .at(&node.place, label)
        .help("name an `acr`, an `amr` or a `method`")
}

/// Values of a claim. They also stand in a challenge (RFC 9470), where spaces and quotes part them.
fn references(node: &Node, what: &str, found: &mut Diagnostics) -> Vec<String> {
    let mut all = Vec::new();
    for text in node.texts(what, found).unwrap_or_default() {
        let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b',');
        if text.value.is_empty() || !text.value.bytes().all(is_plain) {
            let title = format!("{} is no value of {what}", quoted(text.value));
            found.push(Diagnostic::error(codes::BAD_STRENGTH, title).at(
                &text.place,
                "must be visible ASCII without quotes and commas",
            ));
        }
        all.push(text.value.to_owned());
    }
    all
}

fn methods(node: &Node, found: &mut Diagnostics) -> Vec<Way> {
    let ways = node.one_or_list().iter();
    ways.filter_map(|node| node.choice("method", Way::ALL, found))
        .collect()
}
