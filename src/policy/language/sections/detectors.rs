//! Detectors: which kinds of what identifies or speaks of people are looked for, in which texts, on which terms.

use crate::detect::Kind;
use crate::detect::statement::{Certainty, Languages, Topic};
use crate::diagnostic::{Diagnostic, Diagnostics, Form, Keys, Node, not_supported, quoted};

use super::super::codes;
use super::super::document::{DetectorEntry, Document, Word};
use super::super::model::Terms;
use super::rules::rule_name;
use super::{KEYS_REFUSED, words};

const FORM: Form = Form {
    what: "a detector",
    known: &[
        "name",
        "in",
        "find",
        "languages",
        "at_least",
        "uses",
        "writes",
    ],
    refused: KEYS_REFUSED,
};

/// All topics of Art. 9 GDPR.
const SPECIAL: &str = "special";

/// What a finding counts for.
const USES: &[&str] = &["shown", "matched", "sorted", "searched", "written"];

/// Where a certainty could stand: at none.
const NEVER: &str = "never";

pub(super) fn read(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    for node in node.list("`detectors`", found).unwrap_or_default() {
        let Some(keys) = FORM.read(node, found) else {
            continue;
        };
        let name = rule_name(&keys, "detector", document, found);
        let within = keys
            .require("in", found)
            .and_then(|node| words(node, "`in`", found));
        let names = keys
            .require("find", found)
            .and_then(|node| words(node, "`find`", found));
        let find = kinds(&names.unwrap_or_default(), found);
        let terms = terms(&keys, &find, found);
        document.detectors.push(DetectorEntry {
            place: name.map_or_else(|| keys.place().clone(), |name| name.place),
            within: within.unwrap_or_default(),
            find,
            terms,
        });
    }
}

/// The kinds that are to be found. `special` stands for all topics of Art. 9.
fn kinds(names: &[Word], found: &mut Diagnostics) -> Vec<Kind> {
    let identifiers = || Kind::IDENTIFIERS.into_iter();
    let topics = || Topic::ALL.into_iter();
    let mut kinds = Vec::new();
    for name in names {
        if name.value == SPECIAL {
            kinds.extend(
                topics()
                    .filter(|topic| *topic != Topic::Criminal)
                    .map(Kind::Statement),
            );
        } else if let Some(kind) = identifiers().find(|kind| kind.as_str() == name.value) {
            kinds.push(kind);
        } else if let Some(topic) = Topic::named(&name.value) {
            kinds.push(Kind::Statement(topic));
        } else {
            let known = || {
                let identifiers = identifiers().map(Kind::as_str);
                identifiers
                    .chain([SPECIAL])
                    .chain(topics().map(Topic::as_str))
            };
            let list: Vec<&str> = known().collect();
            found.push(
                not_supported(&format!("detector {}", quoted(&name.value)), &name.place)
                    .help(format!("detectors: {}", list.join(", ")))
                    .suggest(&name.value, known()),
            );
        }
    }
    kinds.sort();
    kinds.dedup();
    kinds
}

fn terms(keys: &Keys<'_>, find: &[Kind], found: &mut Diagnostics) -> Terms {
    if !find.is_empty() && !find.iter().any(|kind| matches!(kind, Kind::Statement(_))) {
        for key in ["languages", "at_least", "writes"] {
            if let Some(node) = keys.get(key) {
                found.push(
                    Diagnostic::error(codes::BAD_DETECTOR, format!("`{key}` without statements to look for"))
                        .at(&node.place, "is about statements only; identifiers are found in every language, or not at all")
                        .help("add `special` or `criminal` to `find`, or leave this key out"),
                );
            }
        }
    }
    let at_least = keys
        .get("at_least")
        .and_then(|node| certainty(node, "`at_least`", false, found))
        .flatten();
    let (refuse, flag) = writes(keys, found);
    let uses = uses(keys, found);
    let is_used = |names: &[&str]| {
        uses.as_ref()
            .is_none_or(|uses| names.iter().any(|name| uses.contains(name)))
    };
    Terms {
        languages: languages(keys, found),
        at_least: at_least.unwrap_or(Certainty::Likely),
        shown: is_used(&["shown"]),
        matched: is_used(&["matched", "sorted", "searched"]),
        written: is_used(&["written"]),
        refuse,
        flag,
    }
}

fn languages(keys: &Keys<'_>, found: &mut Diagnostics) -> Languages {
    let Some(node) = keys.get("languages") else {
        return Languages::all();
    };
    let mut languages = Languages::NONE;
    for word in words(node, "`languages`", found).unwrap_or_default() {
        match Languages::named(&word.value) {
            Some(language) => languages = languages.and(language),
            None => found.push(
                Diagnostic::error(
                    codes::BAD_DETECTOR,
                    format!("no lexicon for the language {}", quoted(&word.value)),
                )
                .at(&word.place, "is not one that statements are found in")
                .help(format!("languages: {}", Languages::known().join(", ")))
                .suggest(&word.value, Languages::known().iter().copied()),
            ),
        }
    }
    languages
}

/// A certainty; `Some(None)` for `never`.
fn certainty(
    node: &Node,
    what: &str,
    may_be_never: bool,
    found: &mut Diagnostics,
) -> Option<Option<Certainty>> {
    let word = node.text(what, found)?;
    if may_be_never && word.value == NEVER {
        return Some(None);
    }
    let known = Certainty::ALL.map(Certainty::as_str);
    let read = Certainty::named(word.value);
    if read.is_none() {
        let never = if may_be_never { ", never" } else { "" };
        found.push(
            Diagnostic::error(
                codes::BAD_DETECTOR,
                format!("{} is no certainty", quoted(word.value)),
            )
            .at(
                &word.place,
                format!("must be one of {}{never}", known.join(", ")),
            )
            .suggest(word.value, known),
        );
    }
    read.map(Some)
}

/// From which certainty on a new statement is refused, and told.
fn writes(keys: &Keys<'_>, found: &mut Diagnostics) -> (Option<Certainty>, Option<Certainty>) {
    const WRITES: Form = Form {
        what: "`writes` of a detector",
        known: &["refuse", "flag"],
        refused: &[],
    };
    let defaults = (Some(Certainty::Certain), Some(Certainty::Likely));
    let Some(node) = keys.get("writes") else {
        return defaults;
    };
    let Some(keys) = WRITES.read(node, found) else {
        return defaults;
    };
    let mut of = |key: &str, default| match keys.get(key) {
        Some(node) => certainty(node, &format!("`{key}`"), true, found).unwrap_or(default),
        None => default,
    };
    (of("refuse", defaults.0), of("flag", defaults.1))
}

/// The uses that are named; `None` if the key is not there, for all of them.
fn uses(keys: &Keys<'_>, found: &mut Diagnostics) -> Option<Vec<&'static str>> {
    let node = keys.get("uses")?;
    let mut uses = Vec::new();
    for word in words(node, "`uses`", found).unwrap_or_default() {
        match USES.iter().find(|known| **known == word.value) {
            Some(known) => uses.push(*known),
            None => found.push(
                Diagnostic::error(
                    codes::BAD_DETECTOR,
                    format!("{} is no use of a text", quoted(&word.value)),
                )
                .at(&word.place, format!("must be one of {}", USES.join(", ")))
                .suggest(&word.value, USES.iter().copied()),
            ),
        }
    }
    let together = ["matched", "sorted", "searched"];
    let named = together.iter().filter(|name| uses.contains(*name)).count();
    if named > 0 && named < together.len() {
        found.push(
            Diagnostic::error(
                codes::BAD_DETECTOR,
                "`matched`, `sorted` and `searched` stand together",
            )
            .at(&node.place, "names some of them only")
            .help("each of them tells word by word what the text holds: name all three, or none"),
        );
    }
    Some(uses)
}
