//! Reads suites. Every mistake is reported and reading goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use crate::diagnostic::{
    Diagnostic, Diagnostics, Fault, File, Form, Keys, Node, NodeKind, Place, Spanned, quoted,
};
use crate::dialect::Dialect;
use crate::policy::{Policy, Source};
use crate::vocabulary::{Field, Module};

use super::super::bench::{Held, Person};
use super::{Always, Suite, codes};

mod always;
mod cases;
mod expect;
mod names;
mod people;
mod records;

use names::Names;

/// What to do where there is no suite. No tests are never a pass.
pub const NONE: &str = "write a suite: a `*.yaml` file in the folder `tests` of the policy's folder, with `tests: NAME` and `cases` (see docs/workbench/test.md)";

/// Characters of a name of a person, a record, a case.
const NAME_CHARACTERS_MAX: usize = 200;

const SUITE: Form = Form {
    what: "a suite",
    known: &[
        "tests", "dialect", "now", "people", "records", "cases", "always",
    ],
    refused: &[],
};

/// Reads suites of a policy, to be asked in these dialects. Every problem is in the diagnostics; suites come out only if
/// none is an error.
pub fn load(
    sources: &[Source],
    policy: &Policy,
    dialects: &[Arc<dyn Dialect>],
) -> (Vec<Suite>, Diagnostics) {
    let mut found = Diagnostics::new();
    let names = Names::of(policy, dialects);
    let mut suites: Vec<Suite> = Vec::new();
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    for source in sources {
        let file = File::new(source.path.as_str(), source.text.as_str());
        let Some(root) = crate::diagnostic::read(&file, &mut found) else {
            continue;
        };
        let path = Path::new(&source.path);
        let name = path.file_stem().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        if let Some(first) = seen.get(&name) {
            let title = format!("two suites are called {}", quoted(&name));
            let problem = Diagnostic::error(codes::SAME_SUITE, title)
                .at(&root.place, "this file's name makes it so")
                .also(first, "the other one");
            found.push(problem.help("rename one of the files: a suite is called like its file"));
        }
        seen.entry(name.clone())
            .or_insert_with(|| root.place.clone());
        let reader = Reader::new(policy, &names, &mut found);
        suites.extend(reader.suite(name, &root));
    }
    if found.has_errors() {
        suites.clear();
    }
    (suites, found)
}

/// A person of a suite.
struct Known {
    place: Place,
    person: Arc<Person>,
    used: bool,
}

/// A record of a suite.
struct Kept {
    name: Spanned<String>,
    held: Held,
    used: bool,
}

/// Where reading of one suite stands.
struct Reader<'a> {
    policy: &'a Policy,
    names: &'a Names,
    found: &'a mut Diagnostics,
    dialect: Option<String>,
    /// What clocks show, where a case does not say.
    now: Option<jiff::Timestamp>,
    people: BTreeMap<String, Known>,
    records: Vec<Kept>,
    /// Whether something could not be read, so that names that are not known, or not used, say nothing.
    incomplete: bool,
}

impl<'a> Reader<'a> {
    fn new(policy: &'a Policy, names: &'a Names, found: &'a mut Diagnostics) -> Self {
        Self {
            policy,
            names,
            found,
            dialect: None,
            now: None,
            people: BTreeMap::new(),
            records: Vec::new(),
            incomplete: false,
        }
    }

    fn suite(mut self, name: String, root: &Node) -> Option<Suite> {
        let keys = SUITE.read(root, self.found)?;
        if let Some(node) = keys.require("tests", self.found) {
            self.of_policy(node);
        }
        self.dialect = keys.get("dialect").and_then(|node| self.dialect(node));
        self.now = keys.get("now").and_then(|node| self.moment(node));
        if let Some(node) = keys.get("people") {
            self.people(node);
        }
        if let Some(node) = keys.get("records") {
            self.records(node);
        }
        let cases = keys.get("cases").map(|node| self.cases(node));
        let always = keys.get("always").map(|node| self.always(node));
        self.has_some(&keys);
        self.unused();
        Some(Suite {
            name,
            records: self.records.into_iter().map(|kept| kept.held).collect(),
            cases: cases.unwrap_or_default(),
            always: always.unwrap_or_default(),
        })
    }

    /// A suite that says nothing is a mistake; no tests are never a pass.
    fn has_some(&mut self, keys: &Keys<'_>) {
        let is_empty = |key: &str| {
            keys.get(key).is_none_or(|node| match &node.kind {
                NodeKind::Seq(items) => items.is_empty(),
                NodeKind::Null => node.fault.is_none(),
                // What it is instead was reported.
                _ => false,
            })
        };
        if is_empty("cases") && is_empty("always") {
            let problem = Diagnostic::error(codes::EMPTY, "a suite that tests nothing")
                .at(keys.place(), "neither a case nor an `always`");
            self.found
                .push(problem.help("write a case, or take the file away: no tests are not a pass"));
        }
    }

    fn of_policy(&mut self, node: &Node) {
        let Some(name) = node.text("the policy's name", self.found) else {
            return;
        };
        if name.value == self.policy.name() {
            return;
        }
        let title = format!("these are tests of the policy {}", quoted(name.value));
        let label = format!("the policy beside them is {}", quoted(self.policy.name()));
        let problem = Diagnostic::error(codes::OTHER_POLICY, title).at(&name.place, label);
        let help = format!("write `tests: {}`", self.policy.name());
        self.found.push(problem.help(help));
    }

    /// What clocks show.
    fn moment(&mut self, node: &Node) -> Option<jiff::Timestamp> {
        let text = node.text("a moment", self.found)?;
        let moment = text.value.parse::<jiff::Timestamp>();
        if moment.is_err() {
            let title = format!("{} is not a moment", quoted(text.value));
            let problem = Diagnostic::error(codes::BAD_MOMENT, title)
                .at(&text.place, "must be a date, a time and an offset");
            self.found
                .push(problem.help("write it like `2026-11-23T10:00:00+01:00`"));
            self.incomplete = true;
        }
        moment.ok()
    }

    /// People and records that nobody uses were meant for something.
    fn unused(&mut self) {
        if self.incomplete {
            // What could not be read may have used them.
            return;
        }
        let people = self.people.iter().filter(|(_, known)| !known.used);
        let people = people.map(|(name, known)| ("person", name.as_str(), &known.place));
        let records = self.records.iter().filter(|kept| !kept.used);
        let records = records.map(|kept| ("record", kept.name.value.as_str(), &kept.name.place));
        let mut problems = Vec::new();
        for (what, name, place) in people.chain(records) {
            let title = format!("{what} {} is never used", quoted(name));
            let problem = Diagnostic::error(codes::UNUSED, title).at(place, "no case speaks of it");
            problems.push(problem.help(format!("write a case about the {what}, or take it out")));
        }
        problems
            .into_iter()
            .for_each(|problem| self.found.push(problem));
    }

    /// The name of something, which people read.
    fn name(&mut self, what: &str, name: &Spanned<&str>) -> bool {
        let characters = name.value.chars().count();
        let fits = !name.value.trim().is_empty() && characters <= NAME_CHARACTERS_MAX;
        if !fits {
            let title = format!("the name of {what} is blank or too long");
            let label = format!("must hold 1 to {NAME_CHARACTERS_MAX} characters");
            self.found
                .push(Diagnostic::error(codes::BAD_NAME, title).at(&name.place, label));
        }
        fits
    }

    /// A name that stands for two things of one kind.
    fn once<'n>(
        &mut self,
        what: &str,
        name: &Spanned<&'n str>,
        seen: &mut BTreeMap<&'n str, Place>,
    ) {
        if let Some(first) = seen.get(name.value) {
            let title = format!("two {what} are called {}", quoted(name.value));
            let problem = Diagnostic::error(codes::TWICE, title)
                .at(&name.place, "again here")
                .also(first, "first here");
            self.found.push(problem.help("give each a name of its own"));
        } else {
            seen.insert(name.value, name.place.clone());
        }
    }

    /// Whether somebody knows a field of a module: a record of the suite, the policy or the CRM.
    fn knows_field(&self, module: &Module, field: &Field) -> bool {
        let holds = |kept: &Kept| {
            kept.held.module == *module
                && kept
                    .held
                    .fields
                    .keys()
                    .any(|name| Field::fold(name) == *field)
        };
        self.records.iter().any(holds) || self.policy.knows_field(module, field)
    }

    /// A field that is used and not shown: one that nobody knows is refused whatever the policy says of the one that was
    /// meant.
    fn field(&mut self, module: &Module, name: &Spanned<&str>) -> Field {
        let field = Field::fold(name.value);
        if self.knows_field(module, &field) || !self.names.knows_module(module.as_str()) {
            return field;
        }
        let mut known: BTreeSet<String> = self.names.fields(module);
        for kept in self
            .records
            .iter()
            .filter(|kept| kept.held.module == *module)
        {
            known.extend(kept.held.fields.keys().cloned());
        }
        let title = format!("unknown field {} of {module}", quoted(name.value));
        let problem = Diagnostic::error(codes::UNKNOWN_FIELD, title)
            .at(
                &name.place,
                "neither a record, the policy nor the CRM has it",
            )
            .help("give it to a record of the suite, if the CRM has it")
            .suggest(name.value, known.iter().map(String::as_str));
        self.found.push(problem);
        field
    }

    /// A value of a record, whatever it is.
    fn value(node: &Node) -> Value {
        match &node.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Bool(*value),
            NodeKind::Int(value) => Value::from(*value),
            NodeKind::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
            NodeKind::Str(text) => Value::String(text.clone()),
            NodeKind::Seq(items) => items.iter().map(Self::value).collect(),
            NodeKind::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key.value.clone(), Self::value(node)))
                .collect::<Map<String, Value>>()
                .into(),
        }
    }

    /// The values of a map, with their places. What was refused in it was reported, and is left out.
    fn values(&mut self, node: &Node, what: &str) -> Vec<(Spanned<String>, Spanned<Value>)> {
        let entries = node.map(what, self.found).unwrap_or_default();
        let read = entries
            .iter()
            .filter(|(_, node)| node.fault != Some(Fault::Refused));
        read.map(|(key, node)| {
            let value = Spanned {
                value: Self::value(node),
                place: node.place.clone(),
            };
            (key.clone(), value)
        })
        .collect()
    }
}
