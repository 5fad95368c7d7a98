//! Rules: grants lift, caps lower.

use crate::diagnostic::{Diagnostic, Diagnostics, Form, Keys, Node, NodeKind, Spanned, quoted};

use super::super::codes;
use super::super::document::{CapEntry, Document, GrantEntry, Whom, Word, Write};
use super::{KEYS_REFUSED, conditions, named, observe, prose, words};
use crate::vocabulary::Level;

const WRITES: &[(&str, Write)] = &[("allow", Write::Allow), ("deny", Write::Deny)];

/// How names begin in the log that no author gives.
const RESERVED: [&str; 7] = [
    "defaults.",
    "dialect.",
    "mode.",
    "rows.",
    crate::policy::EXCEPTION,
    "consent.",
    "retention.",
];

/// The name of a rule; all rules share their names, because the log names them.
pub(super) fn rule_name(
    keys: &Keys<'_>,
    what: &'static str,
    document: &mut Document,
    found: &mut Diagnostics,
) -> Option<Word> {
    let name = keys.require("name", found)?.text("a name", found)?;
    let name = named(&format!("a {what}"), &name.into_owned(), found);
    for reserved in RESERVED {
        if name.value.starts_with(reserved) {
            found.push(
                Diagnostic::error(
                    codes::BAD_NAME,
                    format!("{} is not a name of a {what}", quoted(&name.value)),
                )
                .at(
                    &name.place,
                    format!("names that start with `{reserved}` are taken"),
                ),
            );
            return None;
        }
    }
    document
        .names
        .define(what, &name.value, &name.place, found)
        .then_some(name)
}

pub(super) fn grants(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a grant",
        known: &[
            "name", "roles", "purposes", "data", "level", "requires", "ask", "write", "when",
            "mode", "until", "why",
        ],
        refused: KEYS_REFUSED,
    };
    for node in node.list("`grants`", found).unwrap_or_default() {
        let Some(keys) = FORM.read(node, found) else {
            continue;
        };
        let entry = grant(&keys, document, found);
        document.grants.push(entry);
    }
}

fn grant(keys: &Keys<'_>, document: &mut Document, found: &mut Diagnostics) -> GrantEntry {
    // What is missing or wrong was reported, and the policy will not compile: the rest is kept, so that its names are
    // looked up too and all mistakes are reported at once.
    let name = rule_name(keys, "rule", document, found);
    let roles = keys
        .require("roles", found)
        .and_then(|node| words(node, "`roles`", found));
    let purposes = optional(keys, "purposes", found);
    let data = keys
        .require("data", found)
        .and_then(|node| words(node, "`data`", found));
    let level = keys
        .require("level", found)
        .and_then(|node| node.choice("level", Level::NAMED, found));
    let requires = keys.get("requires").and_then(|node| requires(node, found));
    let asks = keys.get("ask").and_then(|node| {
        node.choice("value of `ask`", &[("step-up", ())], found)?;
        Some(node.place.clone())
    });
    if let (Some(place), None) = (&asks, keys.get("requires")) {
        found.push(
            Diagnostic::error(codes::BAD_STRENGTH, "nothing is asked for")
                .at(place, "a grant asks for the strength that it requires")
                .help("add `requires: { auth: NAME }`, or leave `ask` out"),
        );
    }
    let write = keys.get("write").and_then(|node| {
        let value = node.choice("value of `write`", WRITES, found)?;
        Some(Spanned {
            value,
            place: node.place.clone(),
        })
    });
    let when = keys
        .get("when")
        .and_then(|node| conditions::read(node, found));
    let observed = observe::of_rule(keys, document, found);
    let why = why(keys, found);
    GrantEntry {
        name: name.unwrap_or_else(|| nameless(keys)),
        roles: roles.unwrap_or_default(),
        purposes,
        data: data.unwrap_or_default(),
        level: level.unwrap_or(Level::Hide),
        requires: requires.unwrap_or_default(),
        asks,
        write,
        when,
        observed,
        why,
    }
}

/// To whom a rule applies, and for which purposes.
pub(super) fn whom(keys: &Keys<'_>, what: &str, found: &mut Diagnostics) -> Whom {
    if let (Some(roles), Some(unless)) = (keys.get("roles"), keys.get("unless_roles")) {
        let title = format!("{what} names roles in two ways");
        found.push(
            Diagnostic::error(codes::ROLES_AND_UNLESS, title)
                .at(&roles.place, "`roles` here")
                .also(&unless.place, "`unless_roles` here")
                .help("keep one of the two, or write two of them"),
        );
    }
    Whom {
        roles: optional(keys, "roles", found),
        unless_roles: optional(keys, "unless_roles", found),
        purposes: optional(keys, "purposes", found),
    }
}

/// The reason of a rule.
pub(super) fn why(keys: &Keys<'_>, found: &mut Diagnostics) -> Option<String> {
    prose(keys.get("why")?, "`why`", found)
}

/// A list that may be left out.
pub(super) fn optional(keys: &Keys<'_>, key: &str, found: &mut Diagnostics) -> Option<Vec<Word>> {
    words(keys.get(key)?, &format!("`{key}`"), found)
}

/// Stands in for a name that is missing: the policy will not compile.
pub(super) fn nameless(keys: &Keys<'_>) -> Word {
    Word {
        value: String::new(),
        place: keys.place().clone(),
    }
}

pub(super) fn requires(node: &Node, found: &mut Diagnostics) -> Option<Vec<Word>> {
    const FORM: Form = Form {
        what: "`requires`",
        known: &["auth"],
        refused: KEYS_REFUSED,
    };
    let keys = FORM.read(node, found)?;
    words(keys.require("auth", found)?, "`auth`", found)
}

pub(super) fn caps(node: &Node, document: &mut Document, found: &mut Diagnostics) {
    const FORM: Form = Form {
        what: "a cap",
        known: &[
            "name",
            "data",
            "level",
            "roles",
            "unless_roles",
            "purposes",
            "write",
            "when",
            "firm",
            "mode",
            "until",
            "why",
        ],
        refused: KEYS_REFUSED,
    };
    for node in node.list("`caps`", found).unwrap_or_default() {
        let Some(keys) = FORM.read(node, found) else {
            continue;
        };
        let entry = cap(&keys, document, found);
        document.caps.push(entry);
    }
}

fn cap(keys: &Keys<'_>, document: &mut Document, found: &mut Diagnostics) -> CapEntry {
    let name = rule_name(keys, "rule", document, found);
    let data = keys
        .require("data", found)
        .and_then(|node| words(node, "`data`", found));
    let write = keys.get("write");
    let denies_write = write.is_some_and(|node| denies(node, found));
    // A cap that is about writing alone lowers no level.
    let level = match (keys.get("level"), denies_write) {
        (None, true) => Some(Level::Clear),
        _ => keys
            .require("level", found)
            .and_then(|node| node.choice("level", Level::NAMED, found)),
    };
    let whom = whom(keys, "a cap", found);
    let when = keys
        .get("when")
        .and_then(|node| conditions::read(node, found));
    let firm = keys
        .get("firm")
        .and_then(|node| node.boolean("`firm`", found))
        .unwrap_or(false);
    let observed = observe::of_rule(keys, document, found);
    if let (Some(observed), true) = (&observed, firm) {
        found.push(
            Diagnostic::error(codes::OBSERVE_FIRM, "a firm cap does not only observe")
                .at(&observed.place, "`firm: true` holds whatever happens")
                .help("take `firm` out until the observation is over, or enforce the cap now"),
        );
    }
    CapEntry {
        name: name.unwrap_or_else(|| nameless(keys)),
        whom,
        data: data.unwrap_or_default(),
        level: level.unwrap_or(Level::Hide),
        denies_write,
        firm,
        when,
        observed,
        why: why(keys, found),
    }
}

/// What a cap says of writing: it can only forbid.
fn denies(node: &Node, found: &mut Diagnostics) -> bool {
    if matches!(&node.kind, NodeKind::Str(word) if word == "allow") {
        found.push(
            Diagnostic::error(codes::CAP_ALLOWS, "a cap gives no right to write")
                .at(&node.place, "a cap can only forbid to write: `write: deny`")
                .help("write `write: allow` at a grant"),
        );
        return true;
    }
    node.choice("value of `write`", &[("deny", ())], found);
    true
}
