//! Who asks and why: roles, strengths of authentication, purposes.

use std::time::Duration;

use crate::diagnostic::{
    Diagnostic, Diagnostics, Form, Node, NodeKind, Spanned, is_repaired, not_supported, quoted,
};

use super::super::codes;
use super::super::document::{Document, PurposeEntry, RoleEntry};
use super::super::model::Evidence;
use super::{KEYS_REFUSED, definition, definitions, evidence, labels, words};

pub(super) fn roles(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a role",
        known: &["from", "default_purpose"],
        refused: KEYS_REFUSED,
    };
    for (name, node) in definitions(node, "`roles`", document, found) {
        // Whatever is wrong with it, it is declared, so that its uses are not reported too.
        let name = definition("a role", name, document, found);
        let first = document
            .names
            .define("role", &name.value, &name.place, found);
        let keys = FORM.read(node, found);
        let from = keys
            .and_then(|keys| keys.require("from", found))
            .and_then(|from| self::from(from, found));
        let default_purpose = keys
            .and_then(|keys| keys.get("default_purpose"))
            .and_then(|node| node.text("a default purpose", found))
            .map(Spanned::into_owned);
        if first {
            document.roles.push(RoleEntry {
                name,
                from: from.unwrap_or_default(),
                default_purpose,
            });
        }
    }
}

fn from(node: &Node, found: &mut Diagnostics) -> Option<Vec<(Evidence, Vec<String>)>> {
    let entries = node.map("`from`", found)?;
    if entries.is_empty() {
        found.push(
            Diagnostic::error(codes::EVERYBODYS_ROLE, "a role without evidence")
                .at(&node.place, "everybody would have this role")
                .help("name what a caller must have, such as `crm.role: \"Sales\"`"),
        );
        return None;
    }
    let mut from = Vec::new();
    for (key, node) in entries {
        let name = key.value.as_str();
        let values = evidence::values(node, found);
        match Evidence::ALL.iter().find(|kind| kind.as_str() == name) {
            Some(kind) => from.push((*kind, values)),
            None if ["claim", "client"].contains(&name)
                || name.starts_with("claim.")
                || name.starts_with("client.") =>
            {
                found.push(not_supported(
                    &format!("evidence {}", quoted(name)),
                    &key.place,
                ));
            }
            None if is_repaired(key) => {}
            None => found.push(
                Diagnostic::error(
                    codes::UNKNOWN_EVIDENCE,
                    format!("unknown evidence {}", quoted(name)),
                )
                .at(&key.place, "not a kind of evidence")
                .help("kinds of evidence: crm.role, crm.team, crm.user, crm.type")
                .suggest(name, Evidence::ALL.map(Evidence::as_str)),
            ),
        }
    }
    Some(from)
}

pub(super) fn strengths(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a strength of authentication",
        known: &["acr", "max_age"],
        refused: KEYS_REFUSED,
    };
    const AGES: std::ops::RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_secs(86_400 * 30);
    for (name, node) in definitions(node, "`auth`", document, found) {
        let name = definition("a strength", name, document, found);
        let first = document
            .names
            .define("strength", &name.value, &name.place, found);
        if let Some(keys) = FORM.read(node, found) {
            if let Some(node) = keys.require("acr", found) {
                node.texts("`acr`", found);
            }
            if let Some(node) = keys.get("max_age") {
                node.duration("`max_age`", AGES, found);
            }
        }
        if first {
            document.strengths.push(name);
        }
    }
}

pub(super) fn purposes(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a purpose",
        known: &["label", "legal_basis", "roles"],
        refused: KEYS_REFUSED,
    };
    for (name, node) in definitions(node, "`purposes`", document, found) {
        let name = definition("a purpose", name, document, found);
        let first = document
            .names
            .define("purpose", &name.value, &name.place, found);
        let keys = FORM.read(node, found);
        let labels = keys
            .and_then(|keys| keys.get("label"))
            .and_then(|node| labels(node, found))
            .unwrap_or_default();
        let basis = keys
            .and_then(|keys| keys.require("legal_basis", found))
            .and_then(|node| basis(node, found));
        let roles = keys
            .and_then(|keys| keys.require("roles", found))
            .and_then(|node| words(node, "the roles of a purpose", found));
        if first {
            document.purposes.push(PurposeEntry {
                name,
                labels,
                basis: basis.unwrap_or_default(),
                roles: roles.unwrap_or_default(),
            });
        }
    }
}

fn basis(node: &Node, found: &mut Diagnostics) -> Option<&'static str> {
    // Art. 6(1) GDPR, but for consent, which needs its proof.
    const BASES: &[(&str, &str)] = &[
        ("contract", "contract"),
        ("legal-obligation", "legal-obligation"),
        ("vital-interest", "vital-interest"),
        ("public-task", "public-task"),
        ("legitimate-interest", "legitimate-interest"),
    ];
    if node.kind == NodeKind::Str("consent".to_owned()) {
        found.push(not_supported("`legal_basis: consent`", &node.place));
        return None;
    }
    node.choice("legal basis", BASES, found)
}
