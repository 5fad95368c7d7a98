//! On which terms people's say counts for a purpose.

use crate::diagnostic::{Diagnostic, Diagnostics, Form, Keys, Node, Place, Spanned};

use super::super::codes;
use super::super::document::{ConsentEntry, SayEntry, Word};
use super::super::terms::{ConsentProof, WhenMissing};
use super::{KEYS_REFUSED, operands, words};

const CONSENT: &str = "consent";
/// The bases to which people may object (Art. 21(1) GDPR).
const OBJECTED: [&str; 2] = ["public-task", "legitimate-interest"];

/// What a purpose says of consent, objections and restrictions.
pub(super) fn read(
    keys: &Keys<'_>,
    basis: Option<&'static str>,
    place: &Place,
    found: &mut Diagnostics,
) -> SayEntry {
    let consent = keys.get("consent").and_then(|node| terms(node, found));
    match (basis, keys.get("consent")) {
        (Some(CONSENT), None) => found.push(
            bad(
                "a purpose on consent without its terms",
                place,
                "`consent` is missing",
            )
            .help("add `consent: { proof: double-opt-in }`, or another proof"),
        ),
        (Some(basis), Some(node)) if basis != CONSENT => found.push(
            bad(
                "terms of consent for a purpose on another basis",
                &node.place,
                &format!("its basis is `{basis}`"),
            )
            .help("write `legal_basis: consent`, or take `consent` out"),
        ),
        _ => {}
    }
    let objection = flag(keys, "honour_objection", found);
    if let (Some(place), Some(basis)) = (&objection, basis)
        && !OBJECTED.contains(&basis)
    {
        let label = format!("nobody objects to `{basis}`");
        found.push(
            bad("a purpose to which nobody can object", place, &label).help(
                "people may object to `public-task` and `legitimate-interest` (Art. 21 GDPR)",
            ),
        );
    }
    let crm = keys
        .get("crm")
        .and_then(|node| in_crm(node, consent.is_some(), found));
    SayEntry {
        consent,
        objection,
        crm: crm.unwrap_or_default(),
        despite_restriction: flag(keys, "despite_restriction", found).is_some(),
    }
}

/// Under which names a CRM keeps this consent.
fn in_crm(node: &Node, is_on_consent: bool, found: &mut Diagnostics) -> Option<Vec<Word>> {
    let names = words(node, "the names in a CRM", found);
    if !is_on_consent {
        found.push(
            bad(
                "what a CRM says of consent, for a purpose that does not rest on it",
                &node.place,
                "only purposes on consent have names in a CRM",
            )
            .help("take `crm` out, or write `legal_basis: consent` with its terms"),
        );
        return None;
    }
    names
}

fn bad(title: &str, place: &Place, label: &str) -> Diagnostic {
    Diagnostic::error(codes::BAD_CONSENT, title).at(place, label)
}

/// Where a key is `true`.
fn flag(keys: &Keys<'_>, key: &str, found: &mut Diagnostics) -> Option<Place> {
    let node = keys.get(key)?;
    let is = node.boolean(&format!("`{key}`"), found)?;
    is.then(|| node.place.clone())
}

fn terms(node: &Node, found: &mut Diagnostics) -> Option<ConsentEntry> {
    const FORM: Form = Form {
        what: "terms of consent",
        known: &[
            "proof",
            "max_age",
            "when_missing",
            "matchable",
            "text",
            "names_recipient",
        ],
        refused: KEYS_REFUSED,
    };
    const MISSING: &[(&str, WhenMissing)] = &[
        ("omit-record", WhenMissing::OmitRecord),
        ("redact", WhenMissing::Redact),
    ];
    let keys = FORM.read(node, found)?;
    let proof = keys.require("proof", found);
    let proof = proof.and_then(|node| node.choice("proof of consent", ConsentProof::ALL, found));
    let max_age = keys.get("max_age");
    let max_age = max_age.and_then(|node| operands::span(node, "`max_age`", found));
    let when_missing = match keys.get("when_missing") {
        Some(node) => node.choice("value of `when_missing`", MISSING, found)?,
        None => WhenMissing::OmitRecord,
    };
    let matchable = keys.get("matchable");
    let matchable = matchable.and_then(|node| words(node, "`matchable`", found));
    let text = keys.get("text");
    let text = text.and_then(|node| node.text("a text", found));
    Some(ConsentEntry {
        proof: proof?,
        max_age,
        when_missing,
        matchable,
        text: text.map(Spanned::into_owned),
        names_recipient: flag(&keys, "names_recipient", found),
    })
}
