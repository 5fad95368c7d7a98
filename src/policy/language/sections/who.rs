//! Who asks and why: roles, purposes.

use std::collections::BTreeSet;

use crate::diagnostic::{
    Diagnostic, Diagnostics, Form, Keys, Node, Spanned, is_repaired, not_supported, quoted,
};

use super::super::codes;
use super::super::document::{Document, PurposeEntry, RoleEntry, Word};
use super::super::model::Evidence;
use super::{KEYS_REFUSED, consent, definition, definitions, evidence, labels, named, words};
use crate::vocabulary::Action;

pub(super) fn roles(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a role",
        known: &[
            "from",
            "default_purpose",
            "kind",
            "purposes",
            "region",
            "recipient",
            "actions",
        ],
        refused: KEYS_REFUSED,
    };
    for (name, node) in definitions(node, "`roles`", document, found) {
        // Whatever is wrong with it, it is declared, so that its uses are not reported too.
        let name = definition("a role", name, document, found);
        let first = document
            .names
            .define("role", &name.value, &name.place, found);
        let mut entry = RoleEntry::new(name);
        if let Some(keys) = FORM.read(node, found) {
            role(&keys, &mut entry, found);
        }
        if first {
            document.roles.push(entry);
        }
    }
}

fn role(keys: &Keys<'_>, entry: &mut RoleEntry, found: &mut Diagnostics) {
    const KINDS: &[(&str, bool)] = &[("human", false), ("machine", true)];
    let from = keys.require("from", found);
    entry.from = from
        .and_then(|from| self::from(from, found))
        .unwrap_or_default();
    entry.default_purpose = keys
        .get("default_purpose")
        .and_then(|node| node.text("a default purpose", found))
        .map(Spanned::into_owned);
    entry.is_machine = keys.get("kind").and_then(|node| {
        let is_machine = node.choice("kind of role", KINDS, found)?;
        is_machine.then(|| node.place.clone())
    });
    entry.purposes = keys
        .get("purposes")
        .and_then(|node| words(node, "the purposes of a machine", found));
    if let Some(node) = keys.get("region") {
        region(node, found);
    }
    entry.recipient = keys.get("recipient").and_then(|node| {
        let word = node.text("`recipient`", found)?.into_owned();
        Some(named("a recipient", &word, found).value)
    });
    entry.actions = keys.get("actions").map(|node| actions(node, found));
}

/// A country, as ISO 3166-1 writes it: two capital letters. It is there for whoever reads the policy; no rule asks for it.
fn region(node: &Node, found: &mut Diagnostics) {
    let Some(text) = node.text("`region`", found) else {
        return;
    };
    let is_code = text.value.len() == 2 && text.value.bytes().all(|b| b.is_ascii_uppercase());
    if !is_code {
        let title = format!("{} is not a country", quoted(text.value));
        found.push(
            Diagnostic::error(codes::BAD_ROLE, title)
                .at(&text.place, "must be two capital letters")
                .help("use a code of ISO 3166-1, such as `FR`"),
        );
    }
}

/// What may be done in which modules.
fn actions(node: &Node, found: &mut Diagnostics) -> Vec<(Word, BTreeSet<Action>)> {
    const ACTIONS: &[(&str, Action)] = &[
        ("list", Action::List),
        ("read", Action::Read),
        ("count", Action::Count),
        ("create", Action::Create),
        ("update", Action::Update),
        ("delete", Action::Delete),
        ("relate", Action::Relate),
    ];
    let mut all = Vec::new();
    for (module, node) in node.map("`actions`", found).unwrap_or_default() {
        let words = node.one_or_list().iter();
        let words = words.filter_map(|node| node.choice("action", ACTIONS, found));
        all.push((module.clone(), words.collect()));
    }
    all
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
            Some(kind) => {
                if *kind == Evidence::Certificate {
                    subject_names(node, &values, found);
                }
                from.push((*kind, values));
            }
            None if name.starts_with("claim.") || name.starts_with("client.") => {
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
                .help(format!(
                    "kinds of evidence: {}",
                    Evidence::ALL.map(Evidence::as_str).join(", ")
                ))
                .suggest(name, Evidence::ALL.map(Evidence::as_str)),
            ),
        }
    }
    Some(from)
}

pub(super) fn purposes(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a purpose",
        known: &[
            "label",
            "legal_basis",
            "roles",
            "consent",
            "honour_objection",
            "crm",
            "despite_restriction",
        ],
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
        let say = keys.map(|keys| consent::read(&keys, basis, &name.place, found));
        if first {
            document.purposes.push(PurposeEntry {
                name,
                labels,
                basis: basis.unwrap_or_default(),
                roles: roles.unwrap_or_default(),
                say: say.unwrap_or_default(),
            });
        }
    }
}

/// A certificate is known by one subject alternative name (RFC 5280, section 4.2.1.6), of a type that is named.
fn subject_names(node: &Node, values: &[String], found: &mut Diagnostics) {
    const TYPES: [&str; 3] = ["dns:", "uri:", "email:"];
    for value in values {
        if !TYPES
            .iter()
            .any(|of| value.strip_prefix(of).is_some_and(|name| !name.is_empty()))
        {
            let title = format!("{} is no name of a certificate", quoted(value));
            found.push(
                Diagnostic::error(codes::UNKNOWN_EVIDENCE, title)
                    .at(&node.place, "the type of the name is missing or unknown")
                    .help("write `dns:NAME`, `uri:URI` or `email:ADDRESS`, as it stands among the certificate's subject alternative names"),
            );
        }
    }
}

fn basis(node: &Node, found: &mut Diagnostics) -> Option<&'static str> {
    // Art. 6(1) GDPR.
    const BASES: &[(&str, &str)] = &[
        ("consent", "consent"),
        ("contract", "contract"),
        ("legal-obligation", "legal-obligation"),
        ("vital-interest", "vital-interest"),
        ("public-task", "public-task"),
        ("legitimate-interest", "legitimate-interest"),
    ];
    node.choice("legal basis", BASES, found)
}
