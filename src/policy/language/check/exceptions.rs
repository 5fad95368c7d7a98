//! Exceptions, each at the cap that it lifts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};

use crate::condition::{Condition, RequestFact, Subject, Test};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::policy::EXCEPTION;
use crate::vocabulary::RuleName;

use super::super::codes;
use super::super::document::{Document, ExceptionEntry, Span, Word};
use super::super::model::{CONDITIONS_MAX, Cap, Exception, Noted};
use super::super::sections::exceptions::DAYS_MAX;
use super::conditions::Conditions;
use super::declared::Declared;

/// Puts each exception to its cap.
pub(super) fn exceptions(
    document: &Document,
    caps: &mut [Cap],
    conditions: &mut Conditions,
    names: &Declared,
    found: &mut Diagnostics,
) {
    for entry in &document.exceptions {
        let roles = names.roles(&entry.roles, found);
        let cap = entry
            .lifts
            .as_ref()
            .and_then(|lifts| lifted(lifts, caps, document, names, found));
        let (Some(cap), Some(span)) = (cap, &entry.span) else {
            continue;
        };
        let Some(when) = in_force(span).and_then(|condition| {
            conditions.note(Noted {
                condition,
                withholds: false,
            })
        }) else {
            found.push(too_many(entry));
            continue;
        };
        cap.exceptions.push(Exception {
            name: RuleName::new(&format!("{EXCEPTION}{}", entry.name.value)),
            roles,
            when,
        });
    }
    chained(document, found);
}

/// Exceptions one behind the other lift a cap for longer than any of them may.
fn chained(document: &Document, found: &mut Diagnostics) {
    let mut by_cap: BTreeMap<&str, Vec<(&ExceptionEntry, &Span)>> = BTreeMap::new();
    for entry in &document.exceptions {
        if let (Some(lifts), Some(span)) = (&entry.lifts, &entry.span) {
            let of_cap = by_cap.entry(lifts.value.as_str()).or_default();
            of_cap.push((entry, span));
        }
    }
    for (cap, mut entries) in by_cap {
        let role_of = |word: &Word| word.value.clone();
        let roles: BTreeSet<String> = entries
            .iter()
            .flat_map(|(entry, _)| entry.roles.iter().map(role_of))
            .collect();
        entries.sort_by_key(|(entry, span)| (span.from, span.until, entry.name.value.clone()));
        let lasts_too_long = roles.iter().find_map(|role| {
            let mut of_role = entries.iter().filter(|(entry, _)| {
                let mut roles = entry.roles.iter();
                roles.any(|word| word.value == *role)
            });
            let days: BTreeSet<jiff::civil::Date> = of_role
                .clone()
                .flat_map(|(_, span)| {
                    span.from
                        .series(1.day())
                        .take_while(|day| *day <= span.until)
                })
                .collect();
            let last = of_role.next_back()?;
            (i64::try_from(days.len()).unwrap_or(i64::MAX) > DAYS_MAX).then_some((
                role,
                days.len(),
                last.0,
            ))
        });
        if let Some((role, days, last)) = lasts_too_long {
            let title = format!(
                "exceptions lift cap {} for {} on {days} days",
                quoted(cap),
                quoted(role)
            );
            let problem = Diagnostic::warning(codes::EXCEPTIONS_CHAINED, title);
            found.push(
                problem
                    .at(
                        &last.name.place,
                        format!("together more than {DAYS_MAX} days"),
                    )
                    .help("what lasts longer is a rule: change the cap"),
            );
        }
    }
}

fn too_many(entry: &ExceptionEntry) -> Diagnostic {
    let title = format!("more than {CONDITIONS_MAX} different conditions");
    Diagnostic::error(codes::BAD_CONDITION, title)
        .at(&entry.name.place, "one too many")
        .help("take out exceptions that are over")
}

/// The cap that is lifted.
fn lifted<'a>(
    lifts: &Word,
    caps: &'a mut [Cap],
    document: &Document,
    names: &Declared,
    found: &mut Diagnostics,
) -> Option<&'a mut Cap> {
    let known: Vec<String> = caps
        .iter()
        .map(|cap| cap.name.as_str().to_owned())
        .collect();
    let cap = caps.iter_mut().find(|cap| cap.name.as_str() == lifts.value);
    let Some(cap) = cap else {
        let is_grant = document
            .grants
            .iter()
            .any(|grant| grant.name.value == lifts.value);
        let label = match is_grant {
            true => "a grant, which lowers nothing",
            false => "no cap has this name",
        };
        let title = format!("an exception lifts no cap: {}", quoted(&lifts.value));
        let problem = Diagnostic::error(codes::BAD_EXCEPTION, title)
            .at(&lifts.place, label)
            .suggest(&lifts.value, known.iter().map(String::as_str));
        names.report(problem, found);
        return None;
    };
    if cap.firm {
        let title = format!("cap {} is firm", quoted(&lifts.value));
        found.push(
            Diagnostic::error(codes::BAD_EXCEPTION, title)
                .at(&lifts.place, "no exception lifts it")
                .also(&cap.place, "this cap"),
        );
        return None;
    }
    Some(cap)
}

/// From the beginning of the first day to the end of the last.
fn in_force(span: &Span) -> Option<Condition> {
    let begins = |date: jiff::civil::Date| -> Option<Timestamp> {
        let day = date.to_zoned(span.zone.clone()).ok()?;
        Some(day.timestamp())
    };
    let after = span.until.checked_add(1.day()).ok()?;
    let time = |test| Condition::Is(Subject::Request(RequestFact::Time), test);
    Some(Condition::All(vec![
        time(Test::After(begins(span.from)?)),
        time(Test::Before(begins(after)?)),
    ]))
}
