//! Reads `always`: what must never happen.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Form, Keys, Node};
use crate::policy::{How, Never};
use crate::vocabulary::{Category, Level, Purpose, Role};

use super::super::codes;
use super::names::UNCLASSIFIED;
use super::{Always, Reader};

/// For whom a promise is not made.
#[derive(Default)]
struct Unless {
    strengths: BTreeSet<String>,
    roles: BTreeSet<Role>,
    purposes: BTreeSet<Purpose>,
}

/// What forbids a use.
type Forbid = fn(&mut How);

impl Reader<'_> {
    pub(super) fn always(&mut self, node: &Node) -> Vec<Always> {
        const FORM: Form = Form {
            what: "an `always`",
            known: &["name", "never"],
            refused: &[],
        };
        let mut seen = BTreeMap::new();
        let mut promises = Vec::new();
        for node in node.list("`always`", self.found).unwrap_or_default() {
            let Some(keys) = FORM.read(node, self.found) else {
                continue;
            };
            let name = keys
                .require("name", self.found)
                .and_then(|node| node.prose("a name", self.found));
            if let Some(name) = &name
                && self.name("an `always`", name)
            {
                self.once("promises", name, &mut seen);
            }
            let never = keys.require("never", self.found);
            let never = never.and_then(|node| self.never(node));
            if let (Some(name), Some(never)) = (name, never) {
                promises.push(Always {
                    place: name.place.clone(),
                    never: Never {
                        name: name.value.to_owned(),
                        ..never
                    },
                });
            }
        }
        promises
    }

    fn never(&mut self, node: &Node) -> Option<Never> {
        const FORM: Form = Form {
            what: "`never`",
            known: &[
                "data",
                "at_least",
                "used_as",
                "fields_only",
                "roles",
                "purposes",
                "unless",
            ],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let data = keys
            .require("data", self.found)
            .map(|node| self.categories(node));
        let mut how = self.how(&keys);
        if let Some(node) = keys.get("fields_only") {
            how.fields_only = node
                .boolean("`fields_only`", self.found)
                .unwrap_or_default();
        }
        if let (Some(data), Some(node)) = (&data, keys.get("used_as")) {
            self.can_be_used(data, node);
        }
        let roles = keys.get("roles").map(|node| self.roles(node));
        let purposes = keys.get("purposes").map(|node| self.purposes(node));
        let unless = keys.get("unless").and_then(|node| self.unless(node));
        let unless = unless.unwrap_or_default();
        Some(Never {
            name: String::new(),
            data: data?,
            roles: roles.unwrap_or_default(),
            purposes: purposes.unwrap_or_default(),
            how,
            unless_roles: unless.roles,
            unless_purposes: unless.purposes,
            unless_strengths: unless.strengths,
        })
    }

    fn how(&mut self, keys: &Keys<'_>) -> How {
        let mut how = How::default();
        let level = keys.get("at_least");
        if let Some(node) = level {
            how.at_least = node.choice("level", Level::NAMED, self.found);
            if how.at_least == Some(Level::Hide) {
                let title = "nothing is shown less than at `hide`";
                let problem = Diagnostic::error(codes::NO_PROMISE, title)
                    .at(&node.place, "this forbids everything");
                self.found
                    .push(problem.help("say `at_least: redact`: not even the key is shown"));
            }
        }
        let uses = keys.get("used_as");
        if let Some(node) = uses {
            self.uses(node, &mut how);
        }
        if level.is_none() && uses.is_none() {
            let problem = Diagnostic::error(codes::NO_PROMISE, "an `always` that forbids nothing")
                .at(keys.place(), "neither `at_least` nor `used_as`");
            let help = "say `at_least: LEVEL`, or `used_as: [matched, sorted, searched, written]`";
            self.found.push(problem.help(help));
        }
        how
    }

    /// A field that nobody has classified is never used, so that there is nothing to promise.
    fn can_be_used(&mut self, data: &BTreeSet<Category>, node: &Node) {
        if data.contains(&Category::new(UNCLASSIFIED)) {
            let title = "fields that nobody has classified are never used";
            let problem = Diagnostic::error(codes::NO_PROMISE, title).at(
                &node.place,
                "no policy lets them be matched, sorted by or written",
            );
            self.found
                .push(problem.help("take `unclassified` out, or promise `at_least` of it"));
        }
    }

    fn uses(&mut self, node: &Node, how: &mut How) {
        const USES: &[(&str, Forbid)] = &[
            ("matched", |how| how.matched = true),
            ("sorted", |how| how.sorted = true),
            ("searched", |how| how.searched = true),
            ("written", |how| how.written = true),
        ];
        let items = node.one_or_list();
        if items.is_empty() {
            let problem = Diagnostic::error(codes::NO_PROMISE, "an `always` that forbids nothing");
            self.found.push(problem.at(&node.place, "empty"));
        }
        for node in items {
            if let Some(set) = node.choice("use", USES, self.found) {
                set(how);
            }
        }
    }

    fn unless(&mut self, node: &Node) -> Option<Unless> {
        const FORM: Form = Form {
            what: "`unless`",
            known: &["auth", "roles", "purposes"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let strengths = keys.get("auth").map(|node| self.strengths(node));
        let roles = keys.get("roles").map(|node| self.roles(node));
        let purposes = keys.get("purposes").map(|node| self.purposes(node));
        Some(Unless {
            strengths: strengths.unwrap_or_default(),
            roles: roles.unwrap_or_default(),
            purposes: purposes.unwrap_or_default(),
        })
    }
}
