//! What only observes: `mode: observe` and the last day on which it does.

use jiff::civil::Date;

use crate::diagnostic::{Diagnostic, Diagnostics, Keys, Node, Place, Spanned};

use super::super::codes;
use super::super::document::{Document, Observation};
use super::date;

/// How many days ahead something may observe at most: what observes for ever protects nothing.
const DAYS_MAX: i64 = 90;

/// What the keys of a rule say of it.
pub(super) fn of_rule(
    keys: &Keys<'_>,
    document: &Document,
    found: &mut Diagnostics,
) -> Option<Observation> {
    let mode = keys.get("mode").and_then(|node| mode(node, found));
    let until = match (keys.get("until"), keys.get("mode")) {
        (Some(node), _) => date(node, "`until`", found),
        (None, Some(_)) => {
            keys.require("until", found);
            None
        }
        (None, None) => None,
    };
    if let (Some(node), None) = (keys.get("until"), keys.get("mode")) {
        found.push(unpaired(&node.place));
    }
    observation(mode?, until?, document, found)
}

/// `mode` or `until` at the top of a file.
pub(super) fn of_policy(name: &str, node: &Node, document: &mut Document, found: &mut Diagnostics) {
    if !document.names.define("key", name, &node.place, found) {
        return;
    }
    match name {
        "mode" => document.mode = Some(mode(node, found).unwrap_or_else(|| node.place.clone())),
        _ => document.until = Some((node.place.clone(), date(node, "`until`", found))),
    }
}

/// What both keys at the top say of the whole policy, once all files are read.
pub(in crate::policy) fn whole(
    document: &mut Document,
    found: &mut Diagnostics,
) -> Option<Observation> {
    match (document.mode.take(), document.until.take()) {
        (Some(mode), Some((_, until))) => observation(mode, until?, document, found),
        (Some(mode), None) => {
            found.push(
                Diagnostic::error(codes::OBSERVE_UNPAIRED, "`mode: observe` without `until`")
                    .at(&mode, "for how long?")
                    .help("add `until: DATE`, the last day on which the policy observes"),
            );
            None
        }
        (None, Some((place, _))) => {
            found.push(unpaired(&place));
            None
        }
        (None, None) => None,
    }
}

fn unpaired(place: &Place) -> Diagnostic {
    Diagnostic::error(codes::OBSERVE_UNPAIRED, "`until` without `mode: observe`")
        .at(place, "nothing ends on that day")
        .help("add `mode: observe`, or take `until` out")
}

fn mode(node: &Node, found: &mut Diagnostics) -> Option<Place> {
    node.choice("`mode`", &[("observe", ())], found)?;
    Some(node.place.clone())
}

/// An observation that is not over, and ends soon enough.
fn observation(
    mode: Place,
    until: Spanned<Date>,
    document: &Document,
    found: &mut Diagnostics,
) -> Option<Observation> {
    let Spanned { value: last, place } = until;
    let days = document.today.map_or(0, |today| days(today, last));
    if days > DAYS_MAX {
        let title = format!("`until` is {days} days ahead");
        found.push(
            Diagnostic::error(codes::OBSERVE_TOO_LONG, title)
                .at(&place, format!("at most {DAYS_MAX} days"))
                .help("choose a nearer day; it can be moved on, once somebody has looked at what was observed"),
        );
        return None;
    }
    if days < 0 {
        let title = format!("`until: {last}` is over: this no longer observes");
        found.push(
            Diagnostic::warning(codes::OBSERVE_OVER, title)
                .at(&place, "since then it is enforced")
                .help("take `mode` and `until` out"),
        );
        return None;
    }
    Some(Observation {
        last,
        days,
        place: mode,
    })
}

/// How many days lie between two.
fn days(today: Date, last: Date) -> i64 {
    today.duration_until(last).as_hours() / 24
}
