//! Limits: how many records or persons a caller is shown in a while.

use crate::diagnostic::{Diagnostic, Diagnostics, Form, Keys, Node, Spanned, quoted};
use crate::vocabulary::Level;

use super::super::codes;
use super::super::document::{Document, LimitEntry, Then};
use super::super::limit::{Count, Per, RECORDS_MAX};
use super::KEYS_REFUSED;
use super::rules::{nameless, optional, requires, rule_name, whom, why};

/// At these, something of a value is shown.
const LEVELS: &[(&str, Level)] = &[
    ("token", Level::Token),
    ("mask", Level::Mask),
    ("clear", Level::Clear),
];
const THEN: &[(&str, Then)] = &[
    ("block", Then::Block),
    ("step-up", Then::StepUp),
    ("alert", Then::Alert),
];

pub(super) fn read(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a limit",
        known: &[
            "name",
            "roles",
            "unless_roles",
            "purposes",
            "modules",
            "count",
            "data",
            "level",
            "max",
            "then",
            "requires",
            "why",
        ],
        refused: KEYS_REFUSED,
    };
    for node in node.list("`limits`", found).unwrap_or_default() {
        let Some(keys) = FORM.read(node, found) else {
            continue;
        };
        let entry = limit(&keys, document, found);
        document.limits.push(entry);
    }
}

fn limit(keys: &Keys<'_>, document: &mut Document, found: &mut Diagnostics) -> LimitEntry {
    // As with other rules, what is right of it is kept, so that all mistakes are told at once.
    let name = rule_name(keys, "rule", document, found);
    let count = keys.require("count", found);
    let count = count.and_then(|node| counted(node, found));
    let level = keys
        .get("level")
        .and_then(|node| node.choice("level of a limit", LEVELS, found));
    let max = keys.require("max", found).and_then(|node| max(node, found));
    let then = keys
        .require("then", found)
        .and_then(|node| node.choice("value of `then`", THEN, found));
    let strengths = keys.get("requires").and_then(|node| requires(node, found));
    steps_up(keys, then, found);
    let _ = why(keys, found);
    LimitEntry {
        name: name.unwrap_or_else(|| nameless(keys)),
        whom: whom(keys, "a limit", found),
        modules: optional(keys, "modules", found),
        data: optional(keys, "data", found),
        level: level.unwrap_or(Level::Mask),
        count,
        max: max.unwrap_or((1, Per::Day)),
        then: then.unwrap_or(Then::Block),
        requires: strengths.unwrap_or_default(),
    }
}

/// What is counted, and where that is said.
fn counted(node: &Node, found: &mut Diagnostics) -> Option<Spanned<Count>> {
    let value = node.choice("value of `count`", Count::NAMED, found)?;
    let place = node.place.clone();
    Some(Spanned { value, place })
}

/// So many in a second, a minute, an hour or a day: `500/h`.
fn max(node: &Node, found: &mut Diagnostics) -> Option<(u32, Per)> {
    let text = node.text("`max`", found)?;
    let parts = text.value.split_once('/');
    let per = parts.and_then(|(_, unit)| Per::NAMED.iter().find(|(word, _)| *word == unit));
    let is_number = |number: &&str| number.bytes().all(|byte| byte.is_ascii_digit());
    let number = parts.map(|(number, _)| number).filter(is_number);
    let (Some((_, per)), Some(number)) = (per, number.filter(|number| !number.is_empty())) else {
        let title = format!("{} is no number in a while", quoted(text.value));
        let label = "must be a number, `/` and one of `s`, `m`, `h`, `d`";
        found.push(
            Diagnostic::error(codes::BAD_LIMIT, title)
                .at(&text.place, label)
                .help("write `500/h` for 500 an hour"),
        );
        return None;
    };
    let number = number.parse().ok();
    let number = number.filter(|number| (1..=RECORDS_MAX).contains(number));
    if number.is_none() {
        let title = "the number of a limit is out of bounds";
        found.push(
            Diagnostic::error(codes::BAD_LIMIT, title)
                .at(&text.place, format!("must be between 1 and {RECORDS_MAX}"))
                .help("to show nothing at all, write a cap"),
        );
    }
    Some((number?, *per))
}

/// Whoever is asked for more must know for what, and nobody else is asked.
fn steps_up(keys: &Keys<'_>, then: Option<Then>, found: &mut Diagnostics) {
    let problem = match (then, keys.get("requires")) {
        (Some(Then::StepUp), None) => keys.get("then").map(|then| {
            Diagnostic::error(codes::BAD_STRENGTH, "nothing is asked for")
                .at(
                    &then.place,
                    "a limit asks for the strength that it requires",
                )
                .help("add `requires: { auth: NAME }`, or write `then: block`")
        }),
        (Some(Then::Alert | Then::Block), Some(requires)) => Some(
            Diagnostic::error(
                codes::BAD_LIMIT,
                "a limit that asks for nothing requires something",
            )
            .at(&requires.place, "only `then: step-up` asks for it")
            .help("write `then: step-up`, or leave `requires` out"),
        ),
        _ => None,
    };
    if let Some(problem) = problem {
        found.push(problem);
    }
}
