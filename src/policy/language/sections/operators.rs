//! Operators of conditions: what each subject compares with.

use crate::condition::{RequestFact, Subject, Test};
use crate::diagnostic::{Diagnostics, Form, Node};

use super::super::document::TestEntry;
use super::operands::{self, Of};

/// A comparison: a map with one operator.
pub(super) fn read(subject: &Subject, node: &Node, found: &mut Diagnostics) -> Option<TestEntry> {
    let form = form(subject);
    let keys = form.read(node, found)?;
    let used = form.known.iter();
    let used: Vec<(&str, &Node)> = used
        .filter_map(|name| Some((*name, keys.get(name)?)))
        .collect();
    let entries = node.map(form.what, found).unwrap_or_default();
    match used.as_slice() {
        [(name, operand)] if entries.len() == 1 => operator(subject, name, operand, found),
        // An operator that is not known was reported.
        [] if !entries.is_empty() => None,
        _ => {
            let title = format!("{} compares {} times", form.what, entries.len());
            found.push(
                operands::bad(title, &node.place, "one operator stands here")
                    .help("write each comparison into a map of its own, below `all` or `any`"),
            );
            None
        }
    }
}

/// The operators of a subject.
fn form(subject: &Subject) -> Form {
    const FIELD: Form = Form {
        what: "a comparison of a field",
        known: &[
            "equals",
            "not_equals",
            "in",
            "not_in",
            "less_than",
            "at_most",
            "greater_than",
            "at_least",
            "before",
            "after",
            "older_than",
            "newer_than",
            "blank",
        ],
        refused: &[],
    };
    const CALLER: Form = Form {
        what: "a comparison of the caller",
        known: &["equals", "not_equals", "in", "not_in", "blank"],
        refused: &[],
    };
    const TIME: Form = Form {
        what: "a comparison of the time",
        known: &["before", "after", "inside", "outside"],
        refused: &[],
    };
    const REQUEST: Form = Form {
        what: "a comparison of the request",
        known: &["equals", "not_equals", "in", "not_in"],
        refused: &[],
    };
    const PERSON: Form = Form {
        what: "a comparison of persons",
        known: &["equals", "not_equals"],
        refused: &[],
    };
    match subject {
        Subject::Record(_) => FIELD,
        Subject::Caller(_) => CALLER,
        Subject::Request(RequestFact::Time) => TIME,
        Subject::Request(RequestFact::Action | RequestFact::Module) | Subject::RecordModule => {
            REQUEST
        }
        Subject::Person(_) => PERSON,
    }
}

fn operator(
    subject: &Subject,
    name: &str,
    node: &Node,
    found: &mut Diagnostics,
) -> Option<TestEntry> {
    let test = match name {
        "equals" | "not_equals" | "in" | "not_in" => {
            let nodes = match name {
                "equals" | "not_equals" => std::slice::from_ref(node),
                _ => node.one_or_list(),
            };
            let one = matches!(name, "equals" | "in");
            return among(subject, nodes, one, node, found);
        }
        "less_than" => Test::LessThan(operands::number(node, found)?),
        "at_most" => Test::AtMost(operands::number(node, found)?),
        "greater_than" => Test::GreaterThan(operands::number(node, found)?),
        "at_least" => Test::AtLeast(operands::number(node, found)?),
        "before" => Test::Before(operands::moment(node, found)?),
        "after" => Test::After(operands::moment(node, found)?),
        "older_than" => Test::OlderThan(operands::span(node, "`older_than`", found)?),
        "newer_than" => Test::NewerThan(operands::span(node, "`newer_than`", found)?),
        "inside" | "outside" => {
            return Some(TestEntry::Scheduled {
                schedule: node.text("a schedule", found)?.into_owned(),
                inside: name == "inside",
            });
        }
        _ => Test::Blank(node.boolean("`blank`", found)?),
    };
    Some(TestEntry::With(test))
}

/// One of some operands, or none of them.
fn among(
    subject: &Subject,
    nodes: &[Node],
    one: bool,
    whole: &Node,
    found: &mut Diagnostics,
) -> Option<TestEntry> {
    if nodes.is_empty() {
        found.push(operands::bad(
            "a comparison with an empty list",
            &whole.place,
            "nothing is one of nothing",
        ));
        return None;
    }
    let of = Of::subject(subject);
    if of == Of::Names {
        let words = nodes.iter().map(|node| node.text("a name", found));
        let words: Vec<_> = words.collect();
        let words: Option<Vec<_>> = words.into_iter().collect();
        let words = words?.into_iter().map(|word| word.into_owned()).collect();
        return Some(TestEntry::Named { words, one });
    }
    let all = nodes.iter().map(|node| operands::operand(of, node, found));
    let all: Vec<_> = all.collect();
    let all = all.into_iter().collect::<Option<Vec<_>>>()?;
    Some(TestEntry::With(match one {
        true => Test::OneOf(all),
        false => Test::NoneOf(all),
    }))
}
