//! Conditions: what must hold of a record, of whoever asks, and of the moment.

use crate::condition::{CallerFact, PersonFact, RequestFact, Subject};
use crate::diagnostic::{Diagnostic, Diagnostics, Node, Spanned, is_repaired, quoted};
use crate::vocabulary::Field;

use super::super::codes;
use super::super::document::{ConditionEntry, Stated};
use super::operands::bad;
use super::{operators, what};

/// Comparisons of one condition.
const COMPARISONS_MAX: usize = 64;

/// Everything but fields of records that can be compared.
pub(super) const SUBJECTS: [(&str, Subject); 11] = [
    ("caller.id", Subject::Caller(CallerFact::Id)),
    ("caller.name", Subject::Caller(CallerFact::Name)),
    ("caller.type", Subject::Caller(CallerFact::Type)),
    ("caller.roles", Subject::Caller(CallerFact::Roles)),
    ("caller.teams", Subject::Caller(CallerFact::Teams)),
    ("request.time", Subject::Request(RequestFact::Time)),
    ("request.action", Subject::Request(RequestFact::Action)),
    ("request.module", Subject::Request(RequestFact::Module)),
    ("person.consented", Subject::Person(PersonFact::Consented)),
    ("person.objected", Subject::Person(PersonFact::Objected)),
    ("person.restricted", Subject::Person(PersonFact::Restricted)),
];
const JOINS: [&str; 3] = ["all", "any", "not"];
const RECORD: &str = "record.";

/// Reads a condition.
pub(super) fn read(node: &Node, found: &mut Diagnostics) -> Option<Stated> {
    let value = condition(node, found)?;
    let mut count = 0;
    value.each(&mut |_, _| count += 1);
    if count > COMPARISONS_MAX {
        let title = format!("a condition with {count} comparisons");
        found.push(
            bad(title, &node.place, &format!("at most {COMPARISONS_MAX}"))
                .help("compare with several values at once by `in`"),
        );
        return None;
    }
    Some(Spanned {
        value,
        place: node.place.clone(),
    })
}

/// A map of which all must hold.
fn condition(node: &Node, found: &mut Diagnostics) -> Option<ConditionEntry> {
    let entries = node.map("a condition", found)?;
    if entries.is_empty() && node.fault.is_none() {
        found.push(
            bad(
                "a condition that asks for nothing",
                &node.place,
                "it would always hold",
            )
            .help("say what must hold, such as `record.status: { equals: active }`"),
        );
        return None;
    }
    let parts = entries.iter().map(|(key, node)| part(key, node, found));
    // All are read before one that is wrong ends it: an author sees every mistake.
    let mut parts = parts
        .collect::<Vec<_>>()
        .into_iter()
        .collect::<Option<Vec<_>>>()?;
    Some(match parts.len() {
        1 => parts.remove(0),
        _ => ConditionEntry::All(parts),
    })
}

fn part(key: &Spanned<String>, node: &Node, found: &mut Diagnostics) -> Option<ConditionEntry> {
    match key.value.as_str() {
        "all" => Some(ConditionEntry::All(parts(node, "`all`", found)?)),
        "any" => Some(ConditionEntry::Any(parts(node, "`any`", found)?)),
        "not" => Some(ConditionEntry::Not(Box::new(condition(node, found)?))),
        _ => {
            let subject = subject(key, found);
            let subject = Spanned {
                value: subject?,
                place: key.place.clone(),
            };
            let test = operators::read(&subject.value, node, found)?;
            Some(ConditionEntry::Is(subject, test))
        }
    }
}

fn parts(node: &Node, what: &str, found: &mut Diagnostics) -> Option<Vec<ConditionEntry>> {
    let nodes = node.list(what, found)?;
    if nodes.is_empty() && node.fault.is_none() {
        let title = format!("{what} of no conditions");
        found.push(bad(title, &node.place, "nothing is asked for"));
        return None;
    }
    let parts = nodes.iter().map(|node| condition(node, found));
    parts.collect::<Vec<_>>().into_iter().collect()
}

/// What is compared, by its name.
pub(super) fn subject(key: &Spanned<String>, found: &mut Diagnostics) -> Option<Subject> {
    let name = key.value.as_str();
    if let Some(field) = name.strip_prefix(RECORD) {
        if what::is_field(field) {
            return Some(Subject::Record(Field::fold(field)));
        }
        let title = format!("{} is not a field", quoted(field));
        let label = format!("must be made of {}", what::FORM);
        found.push(Diagnostic::error(codes::BAD_NAME, title).at(&key.place, label));
        return None;
    }
    let known = SUBJECTS.iter().find(|(word, _)| *word == name);
    if known.is_none() && !is_repaired(key) {
        let words = SUBJECTS.iter().map(|(word, _)| *word);
        let words: Vec<&str> = JOINS.into_iter().chain(words).collect();
        let title = format!("nothing is known as {}", quoted(name));
        found.push(
            bad(title, &key.place, "does not compare")
                .help(format!("known: record.FIELD, {}", words.join(", ")))
                .suggest(name, words),
        );
    }
    known.map(|(_, subject)| subject.clone())
}
