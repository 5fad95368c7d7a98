//! Exceptions: what lifts a cap for a few days, by whose leave.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::diagnostic::{Diagnostic, Diagnostics, Form, Keys, Node, Spanned};

use super::super::codes;
use super::super::document::{Document, ExceptionEntry, Span};
use super::rules::{nameless, optional, rule_name, why};
use super::{KEYS_REFUSED, date, prose, zone};

/// Days that an exception lasts at most: what lasts longer is a rule.
pub(in crate::policy) const DAYS_MAX: i64 = 30;
/// People who approve.
const APPROVERS_MIN: usize = 2;

pub(super) fn read(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "an exception",
        known: &[
            "name",
            "lifts",
            "roles",
            "from",
            "until",
            "zone",
            "ticket",
            "approved_by",
            "why",
        ],
        refused: KEYS_REFUSED,
    };
    for node in node.list("`exceptions`", found).unwrap_or_default() {
        if let Some(keys) = FORM.read(node, found) {
            let entry = exception(&keys, document, found);
            document.exceptions.push(entry);
        }
    }
}

fn exception(keys: &Keys<'_>, document: &mut Document, found: &mut Diagnostics) -> ExceptionEntry {
    let name = rule_name(keys, "rule", document, found);
    let lifts = keys.require("lifts", found);
    let lifts = lifts.and_then(|node| node.text("the cap that is lifted", found));
    keys.require("roles", found);
    if let Some(node) = keys.require("ticket", found) {
        prose(node, "`ticket`", found);
    }
    if let Some(node) = keys.require("approved_by", found) {
        approved(node, found);
    }
    why(keys, found);
    ExceptionEntry {
        name: name.unwrap_or_else(|| nameless(keys)),
        lifts: lifts.map(Spanned::into_owned),
        roles: optional(keys, "roles", found).unwrap_or_default(),
        span: span(keys, document, found),
    }
}

/// Two people at least: nobody lifts a cap for themselves.
fn approved(node: &Node, found: &mut Diagnostics) {
    let texts = node.one_or_list().iter();
    let names = texts.filter_map(|node| prose(node, "`approved_by`", found));
    let names: BTreeSet<String> = names.map(|name| name.trim().to_lowercase()).collect();
    if names.len() < APPROVERS_MIN {
        let title = match names.is_empty() {
            true => "an exception that nobody approves",
            false => "an exception needs two who approve it",
        };
        found.push(
            Diagnostic::error(codes::BAD_EXCEPTION, title)
                .at(&node.place, "two different people must stand here")
                .help("name them, such as `approved_by: [dpo@example.com, ciso@example.com]`"),
        );
    }
}

/// The days on which it is in force.
fn span(keys: &Keys<'_>, document: &Document, found: &mut Diagnostics) -> Option<Span> {
    let from = keys.require("from", found);
    let from = from.and_then(|node| date(node, "`from`", found));
    let until = keys.require("until", found);
    let until = until.and_then(|node| date(node, "`until`", found));
    let zone = match keys.get("zone") {
        Some(node) => zone(node, found),
        None => Some(TimeZone::UTC),
    };
    let (from, until) = (from?, until?);
    let days = from.value.duration_until(until.value).as_hours() / 24 + 1;
    if days < 1 {
        found.push(
            Diagnostic::error(codes::BAD_EXCEPTION, "an exception ends before it begins")
                .at(&until.place, "its last day")
                .also(&from.place, "its first day"),
        );
        return None;
    }
    if days > DAYS_MAX {
        let title = format!("an exception of {days} days");
        found.push(
            Diagnostic::error(codes::BAD_EXCEPTION, title)
                .at(&until.place, format!("at most {DAYS_MAX} days"))
                .help("what lasts longer is a rule: change the cap"),
        );
        return None;
    }
    if document.today.is_some_and(|today| until.value < today) {
        let title = format!("an exception until {} is over", until.value);
        found.push(
            Diagnostic::warning(codes::EXCEPTION_OVER, title)
                .at(&until.place, "since then its cap holds again")
                .help("take it out"),
        );
    }
    Some(Span {
        from: from.value,
        until: until.value,
        zone: zone?,
    })
}
