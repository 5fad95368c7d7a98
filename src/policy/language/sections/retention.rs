//! Retention: for how long records are there after their clocks stopped.

use crate::condition::{Subject, Test};
use crate::diagnostic::{
    Diagnostic, Diagnostics, Form, Keys, Node, NodeKind, Spanned, not_supported, quoted,
};
use crate::vocabulary::Field;

use super::super::codes;
use super::super::document::{ConditionEntry, Document, RetentionEntry, Stated, TestEntry};
use super::rows::modules;
use super::rules::{nameless, rule_name, why};
use super::{KEYS_REFUSED, conditions, operands};

/// Fields that any change renews, so that they tell nothing of when somebody was last in contact.
const RENEWED: [&str; 8] = [
    "date_modified",
    "modified_at",
    "modifiedat",
    "date_modification",
    "updated_at",
    "last_modified",
    "tms",
    "date_indexed",
];

pub(super) fn read(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a retention rule",
        known: &[
            "name",
            "modules",
            "clock",
            "after",
            "hold_when",
            "then",
            "why",
        ],
        refused: KEYS_REFUSED,
    };
    for node in node.list("`retention`", found).unwrap_or_default() {
        if let Some(keys) = FORM.read(node, found) {
            let entry = rule(&keys, document, found);
            document.retention.push(entry);
        }
    }
}

fn rule(keys: &Keys<'_>, document: &mut Document, found: &mut Diagnostics) -> RetentionEntry {
    let name = rule_name(keys, "rule", document, found);
    let clock = keys.require("clock", found);
    let clocks = clock.and_then(|node| clocks(node, found));
    let after = keys.require("after", found);
    let after = after.and_then(|node| operands::span(node, "`after`", found));
    let hold = keys.get("hold_when");
    let hold = hold.map(|node| conditions::read(node, found));
    let then = keys.require("then", found);
    let hidden = then.and_then(|node| hidden(node, found));
    let kept = match (clock, clocks, after, &hold) {
        (Some(node), Some(clocks), Some(after), None | Some(Some(_))) => {
            let young = |field: Spanned<Field>| {
                let subject = Spanned {
                    value: Subject::Record(field.value),
                    place: field.place,
                };
                ConditionEntry::Is(subject, TestEntry::With(Test::NewerThan(after)))
            };
            let mut kept: Vec<ConditionEntry> = clocks.into_iter().map(young).collect();
            kept.extend(hold.flatten().map(|hold| hold.value));
            Some(Stated {
                value: ConditionEntry::Any(kept),
                place: node.place.clone(),
            })
        }
        _ => None,
    };
    why(keys, found);
    RetentionEntry {
        name: name.unwrap_or_else(|| nameless(keys)),
        modules: modules(keys, found),
        kept,
        hides_data: hidden == Some(Hidden::Data),
    }
}

/// The fields that tell when time began to run; the latest counts.
fn clocks(node: &Node, found: &mut Diagnostics) -> Option<Vec<Spanned<Field>>> {
    let words = super::words(node, "`clock`", found)?;
    let clocks = words.into_iter().map(|word| {
        let subject = conditions::subject(&word, found)?;
        let Subject::Record(field) = subject else {
            let title = format!("{} is no clock", quoted(&word.value));
            let label = "must be a field: `record.FIELD`";
            found.push(Diagnostic::error(codes::BAD_RETENTION, title).at(&word.place, label));
            return None;
        };
        if RENEWED.contains(&field.as_str()) {
            let title = format!("{} is no clock", quoted(&word.value));
            found.push(
                Diagnostic::error(codes::BAD_RETENTION, title)
                    .at(
                        &word.place,
                        "any change of the record renews it, be it a machine's",
                    )
                    .help("name a field that tells when the person was last in contact"),
            );
            return None;
        }
        Some(Spanned {
            value: field,
            place: word.place,
        })
    });
    let clocks: Vec<Option<_>> = clocks.collect();
    clocks.into_iter().collect()
}

/// What is hidden once the time is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hidden {
    Record,
    Data,
}

fn hidden(node: &Node, found: &mut Diagnostics) -> Option<Hidden> {
    const WORDS: &[(&str, Hidden)] = &[("record", Hidden::Record), ("data", Hidden::Data)];
    const FORM: Form = Form {
        what: "`then`",
        known: &["hide"],
        refused: &["ask_crm", "anonymise", "report"],
    };
    let refused = |word: &str| not_supported(&format!("`then: {word}`"), &node.place);
    if let NodeKind::Str(word) = &node.kind
        && FORM.refused.contains(&word.as_str())
    {
        found.push(refused(word));
        return None;
    }
    let hide = FORM.read(node, found);
    let hide = hide.and_then(|keys| keys.require("hide", found))?;
    hide.choice("value of `hide`", WORDS, found)
}
