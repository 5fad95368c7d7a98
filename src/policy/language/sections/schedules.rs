//! Schedules: hours of days of the week, in a time zone.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time, Weekday};

use crate::condition::{Days, Schedule, Window};
use crate::diagnostic::{Diagnostic, Diagnostics, Form, Keys, Node, NodeKind, Spanned, quoted};

use super::super::codes;
use super::super::document::Document;
use super::{KEYS_REFUSED, date, definition, definitions};

/// The end of a day.
const MIDNIGHT: &str = "24:00";

pub(super) fn read(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a schedule",
        known: &["days", "from", "to", "zone", "except"],
        refused: KEYS_REFUSED,
    };
    for (name, node) in definitions(node, "`schedules`", document, found) {
        let name = definition("a schedule", name, document, found);
        let first = document
            .names
            .define("schedule", &name.value, &name.place, found);
        let keys = FORM.read(node, found);
        let schedule = keys.and_then(|keys| schedule(&keys, &name.value, found));
        if first {
            document.schedules.push((name, schedule));
        }
    }
}

fn schedule(keys: &Keys<'_>, name: &str, found: &mut Diagnostics) -> Option<Schedule> {
    let days = keys.require("days", found);
    let days = days.and_then(|node| days_of(node, found));
    let window = window(keys, found);
    let zone = keys.require("zone", found);
    let zone = zone.and_then(|node| super::zone(node, found));
    let except = match keys.get("except") {
        Some(node) => dates(node, found),
        None => Some(BTreeSet::new()),
    };
    Some(Schedule {
        name: name.to_owned(),
        days: days?,
        window: window?,
        zone: zone?,
        except: except?,
    })
}

fn days_of(node: &Node, found: &mut Diagnostics) -> Option<Days> {
    const DAYS: &[(&str, Weekday)] = &[
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    let mut days = Days::default();
    for node in node.one_or_list() {
        days = days.and(node.choice("day", DAYS, found)?);
    }
    if days.are_none() {
        found.push(
            Diagnostic::error(codes::BAD_SCHEDULE, "a schedule without days")
                .at(&node.place, "no day is named")
                .help("name some of mon, tue, wed, thu, fri, sat, sun"),
        );
        return None;
    }
    Some(days)
}

fn window(keys: &Keys<'_>, found: &mut Diagnostics) -> Option<Window> {
    let from = keys.require("from", found);
    let from = from.and_then(|node| time(node, "`from`", found));
    let to_node = keys.require("to", found)?;
    // The end of a day is the beginning of the next one.
    let is_whole = matches!(&to_node.kind, NodeKind::Str(text) if text == MIDNIGHT);
    let to = match is_whole {
        true => Some(Time::midnight()),
        false => time(to_node, "`to`", found),
    };
    let (from, to) = (from?, to?);
    if from == to && !is_whole {
        found.push(
            Diagnostic::error(codes::BAD_SCHEDULE, "a schedule without hours")
                .at(&to_node.place, "it ends when it begins")
                .help("a whole day is `from: \"00:00\", to: \"24:00\"`"),
        );
        return None;
    }
    Some(Window { from, to })
}

/// A time of the day, by the minute.
fn time(node: &Node, what: &str, found: &mut Diagnostics) -> Option<Time> {
    let text = node.text(what, found)?;
    let time = text.value.parse::<Time>().ok();
    let time = time.filter(|_| text.value.len() == MIDNIGHT.len());
    if time.is_none() {
        let title = format!("{} is not a time of the day", quoted(text.value));
        let label = "must be of the form 07:30";
        found.push(Diagnostic::error(codes::BAD_SCHEDULE, title).at(&text.place, label));
    }
    time
}

fn dates(node: &Node, found: &mut Diagnostics) -> Option<BTreeSet<Date>> {
    let dates = node.one_or_list().iter();
    let dates = dates.map(|node| date(node, "a day of `except`", found));
    let dates: Vec<Option<Spanned<Date>>> = dates.collect();
    dates
        .into_iter()
        .map(|date| date.map(|date| date.value))
        .collect()
}
