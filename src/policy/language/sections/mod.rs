//! Reads the sections of a policy file, and what all of them have in common. Nothing is ever ignored.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::diagnostic::{
    Diagnostic, Diagnostics, File, Form, Node, NodeKind, Place, Spanned, is_repaired,
    not_supported, odd, quoted,
};
use crate::vocabulary::Level;

use super::codes;
use super::document::{Document, Word};
use super::model::Labels;

mod categories;
mod conditions;
mod consent;
mod detectors;
mod evidence;
pub(in crate::policy) mod exceptions;
mod limits;
pub(in crate::policy) mod observe;
mod operands;
mod operators;
mod organisation;
mod people;
mod retention;
mod rows;
mod rules;
mod schedules;
mod strengths;
mod what;
mod who;

/// Sections that a policy may hold.
const SECTIONS: &[&str] = &[
    "policy",
    "mode",
    "until",
    "defaults",
    "roles",
    "auth",
    "purposes",
    "categories",
    "classify",
    "search",
    "detectors",
    "grants",
    "caps",
    "rows",
    "schedules",
    "exceptions",
    "limits",
    "organisation",
    "texts",
    "people",
    "retention",
];
/// Sections and keys that later versions will have, wherever they stand.
const KEYS_REFUSED: &[&str] = &["ask", "match", "kind", "country", "extends"];
/// Characters of one name.
const NAME_CHARACTERS_MAX: usize = 100;
/// Characters of a label, a reason, or a constant mask.
const TEXT_CHARACTERS_MAX: usize = 500;

/// Adds what one file says to the document.
pub(in crate::policy) fn read(file: &File, document: &mut Document, found: &mut Diagnostics) {
    let root = crate::diagnostic::read(file, found);
    let Some(sections) = root.as_ref().and_then(|root| root.map("a policy", found)) else {
        document.incomplete = true;
        return;
    };
    let stands = |name: &str| sections.iter().any(|(key, _)| key.value == name);
    for (key, node) in sections {
        let name = key.value.as_str();
        if !SECTIONS.contains(&name) {
            if is_repaired(key) {
                document.incomplete = true;
            } else {
                found.push(unknown_section(name, &key.place));
            }
        }
        // A misspelt section is read as the one that was most likely meant, so that what it defines is not missed too.
        let known = SECTIONS.iter().copied().find(|known| *known == name);
        let known = known.or_else(|| meant(name).filter(|meant| !stands(meant)));
        if let Some(known) = known {
            section(known, node, document, found);
        }
    }
}

/// The section that another name most likely means.
fn meant(name: &str) -> Option<&'static str> {
    let near = match KEYS_REFUSED.contains(&name) {
        true => None,
        false => crate::diagnostic::meant(name, SECTIONS.iter().copied()),
    };
    SECTIONS.iter().copied().find(|known| near == Some(*known))
}

fn section(name: &str, node: &Node, document: &mut Document, found: &mut Diagnostics) {
    match name {
        "policy" => self::name(node, document, found),
        "mode" | "until" => observe::of_policy(name, node, document, found),
        "defaults" => defaults(node, document, found),
        "roles" => who::roles(node, document, found),
        "auth" => strengths::strengths(node, document, found),
        "purposes" => who::purposes(node, document, found),
        "categories" => categories::read(node, document, found),
        "classify" => what::classify(node, document, found),
        "search" => what::search(node, document, found),
        "detectors" => detectors::read(node, document, found),
        "grants" => rules::grants(node, document, found),
        "rows" => rows::read(node, document, found),
        "schedules" => schedules::read(node, document, found),
        "organisation" => organisation::read(node, document, found),
        "texts" => organisation::texts(node, document, found),
        "people" => people::read(node, document, found),
        "retention" => retention::read(node, document, found),
        "exceptions" => exceptions::read(node, document, found),
        "limits" => limits::read(node, document, found),
        _ => rules::caps(node, document, found),
    }
}

/// The entries of a section that defines names. If they cannot be told, names that are not defined say nothing.
fn definitions<'a>(
    node: &'a Node,
    what: &str,
    document: &mut Document,
    found: &mut Diagnostics,
) -> &'a [(Spanned<String>, Node)] {
    let entries = node.map(what, found);
    document.incomplete |= entries.is_none() || node.fault.is_some();
    entries.unwrap_or_default()
}

fn unknown_section(name: &str, place: &Place) -> Diagnostic {
    if KEYS_REFUSED.contains(&name) {
        return not_supported(&format!("section {}", quoted(name)), place);
    }
    Diagnostic::error(
        codes::UNKNOWN_SECTION,
        format!("unknown section {}", quoted(name)),
    )
    .at(place, "not a section of a policy")
    .help(format!("sections: {}", SECTIONS.join(", ")))
    .suggest(name, SECTIONS.iter().copied())
}

/// Takes some words out of their node.
fn words(node: &Node, what: &str, found: &mut Diagnostics) -> Option<Vec<Word>> {
    Some(
        node.texts(what, found)?
            .into_iter()
            .map(Spanned::into_owned)
            .collect(),
    )
}

/// Free words of an author: a reason, a label.
fn prose(node: &Node, what: &str, found: &mut Diagnostics) -> Option<String> {
    let text = node.prose(what, found)?;
    if odd::plain(text.value).is_empty() || text.value.chars().count() > TEXT_CHARACTERS_MAX {
        found.push(
            Diagnostic::error(codes::BAD_NAME, format!("{what} is blank or too long")).at(
                &text.place,
                format!("must hold 1 to {TEXT_CHARACTERS_MAX} characters"),
            ),
        );
        return None;
    }
    Some(text.value.to_owned())
}

/// A day.
fn date(node: &Node, what: &str, found: &mut Diagnostics) -> Option<Spanned<Date>> {
    let text = node.text(what, found)?;
    // Only the long form: `20261102` is a number to the reader and to other tools.
    let value = text.value.parse::<Date>().ok();
    let value = value.filter(|_| text.value.len() == 10);
    if value.is_none() {
        let title = format!("{} is not a date", quoted(text.value));
        let label = "must be of the form 2026-01-31";
        found.push(Diagnostic::error(codes::BAD_DATE, title).at(&text.place, label));
    }
    Some(Spanned {
        value: value?,
        place: text.place,
    })
}

/// A time zone, by its name among those of IANA.
fn zone(node: &Node, found: &mut Diagnostics) -> Option<TimeZone> {
    let name = node.text("`zone`", found)?;
    let zone = jiff::tz::db().get(name.value).ok();
    if zone.is_none() {
        let title = format!("{} is not a time zone", quoted(name.value));
        found.push(
            Diagnostic::error(codes::BAD_SCHEDULE, title)
                .at(&name.place, "not known")
                .help(
                    "use a name of the IANA time zone database, such as `Europe/Paris`, or `UTC`",
                ),
        );
    }
    zone
}

/// Whether a name is of the form that log, headers and messages can carry: ASCII letters, digits, `.`, `_`, `-`.
fn is_name(name: &str) -> bool {
    name.len() <= NAME_CHARACTERS_MAX
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// A name as it was most likely meant; reports one that is not of the accepted form.
fn named(what: &str, word: &Word, found: &mut Diagnostics) -> Word {
    let form = "ASCII letters, digits, `.`, `_` and `-`, starting with a letter or digit";
    checked(what, word, form, is_name, found)
}

/// The name that a definition gives. If nobody can tell which one it is, uses of it are no mistakes.
fn definition(what: &str, word: &Word, document: &mut Document, found: &mut Diagnostics) -> Word {
    let name = named(what, word, found);
    document.incomplete |= !is_name(&name.value);
    name
}

/// The same for names of another form.
fn checked(
    what: &str,
    word: &Word,
    form: &str,
    fits: fn(&str) -> bool,
    found: &mut Diagnostics,
) -> Word {
    if fits(&word.value) {
        return word.clone();
    }
    let plain = odd::plain(&word.value);
    let problem = bad_name(what, word, form);
    if !fits(&plain) {
        found.push(problem);
        return word.clone();
    }
    found.push(problem.help(format!("write {}", quoted(&plain))));
    Word {
        value: plain,
        place: word.place.clone(),
    }
}

/// A name that is not of the accepted form.
fn bad_name(what: &str, word: &Word, form: &str) -> Diagnostic {
    let title = match word.value.trim() {
        "" => format!("a blank is not a name of {what}"),
        _ => format!("{} is not a name of {what}", quoted(&word.value)),
    };
    let label = match word.value.chars().find(|c| !c.is_ascii()) {
        Some(c) => format!("it holds {}; a name must be made of {form}", odd::name(c)),
        None => format!("must be made of {form}"),
    };
    Diagnostic::error(codes::BAD_NAME, title).at(&word.place, label)
}

fn name(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    document.is_named = true;
    let Some(word) = node.text("the policy's name", found) else {
        return;
    };
    let word = named("a policy", &word.into_owned(), found);
    match &document.name {
        None => document.name = Some(word),
        Some(first) if first.value == word.value => {}
        Some(first) => found.push(
            Diagnostic::error(
                codes::OTHER_NAME,
                "files of one policy state different names",
            )
            .at(&word.place, "another name here")
            .also(&first.place, "first named here")
            .help("keep one policy in a folder"),
        ),
    }
}

fn defaults(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "`defaults`",
        known: &["unclassified", "ungranted", "purpose_order"],
        refused: KEYS_REFUSED,
    };
    const ONLY: &[(&str, Level)] = &[("hide", Level::Hide), ("redact", Level::Redact)];
    let Some(keys) = FORM.read(node, found) else {
        return;
    };
    for key in FORM.known {
        let Some(node) = keys.get(key) else { continue };
        if document.names.define("default", key, &node.place, found) {
            if *key == "purpose_order" {
                document.purpose_order = words(node, "`purpose_order`", found).unwrap_or_default();
                continue;
            }
            let level = node.choice("default level", ONLY, found);
            match *key {
                "unclassified" => document.unclassified = level,
                _ => document.ungranted = level,
            }
        }
    }
}

/// Labels in the languages of this version; one text is English.
fn labels(node: &Node, found: &mut Diagnostics) -> Option<Labels> {
    const FORM: Form = Form {
        what: "a label",
        known: &["en", "fr"],
        refused: &[],
    };
    if matches!(node.kind, NodeKind::Str(_)) {
        return Some(Labels {
            en: prose(node, "a label", found),
            fr: None,
        });
    }
    let keys = FORM.read(node, found)?;
    let mut one = |key| keys.get(key).and_then(|node| prose(node, "a label", found));
    Some(Labels {
        en: one("en"),
        fr: one("fr"),
    })
}
