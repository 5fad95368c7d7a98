//! Reads cases: who asks what, and what must come of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Form, Keys, Node, NodeKind, Spanned, meant, quoted};
use crate::vocabulary::{Field, Module};

use super::super::super::bench::{Ask, Person};
use super::super::{Case, codes};
use super::Reader;

/// What a case can do.
const ACTIONS: &[&str] = &[
    "read", "list", "write", "create", "filter", "sort", "search",
];

/// What a filter looks for where no record has a value to be found by.
const ANYTHING: &str = "x";

/// The reason for which a module that nobody knows is refused.
const UNKNOWN_MODULE: &str = "unknown-module";

impl Reader<'_> {
    pub(super) fn cases(&mut self, node: &Node) -> Vec<Case> {
        const FORM: Form = Form {
            what: "a case",
            known: &[
                "name", "as", "for", "auth", "dialect", "now", "read", "list", "write", "create",
                "filter", "sort", "search", "fields", "set", "expect", "values", "forwards",
            ],
            refused: &[],
        };
        let items = node.list("`cases`", self.found);
        self.incomplete |= items.is_none() || node.fault.is_some();
        let mut seen = BTreeMap::new();
        let mut cases = Vec::new();
        for node in items.unwrap_or_default() {
            let Some(keys) = FORM.read(node, self.found) else {
                self.incomplete = true;
                continue;
            };
            let name = keys
                .require("name", self.found)
                .and_then(|node| node.prose("a name", self.found));
            if let Some(name) = &name
                && self.name("a case", name)
            {
                self.once("cases", name, &mut seen);
            }
            let case = self.case(&keys);
            if let (Some(name), Some(case)) = (name, case) {
                cases.push(Case {
                    name: name.value.to_owned(),
                    place: name.place.clone(),
                    ..case
                });
            }
        }
        cases
    }

    fn case(&mut self, keys: &Keys<'_>) -> Option<Case> {
        let person = self.who(keys);
        let purpose = keys.get("for").and_then(|node| self.purpose(node));
        let dialect = keys.get("dialect").and_then(|node| self.dialect(node));
        let now = self.case_moment(keys);
        let refusal = keys.get("expect").and_then(refusal);
        // Of a module that nobody knows it can be tested that it is refused.
        let is_unknown =
            |node: &Node| matches!(&node.kind, NodeKind::Str(text) if text == UNKNOWN_MODULE);
        let ask = self.ask(keys, refusal.is_some_and(is_unknown));
        let expect = self.expectation(keys, refusal, ask.as_ref());
        Some(Case {
            name: String::new(),
            place: keys.place().clone(),
            person: person?,
            purpose,
            dialect: dialect.or_else(|| self.dialect.clone()),
            now,
            ask: ask?,
            expect,
        })
    }

    /// What clocks show in a case. Where rules look at the time, a test that depends on today is none.
    fn case_moment(&mut self, keys: &Keys<'_>) -> Option<jiff::Timestamp> {
        if let Some(node) = keys.get("now") {
            return self.moment(node);
        }
        if self.now.is_none() && self.policy.looks_at_time() && !self.incomplete {
            let title = "a case without a moment, of a policy that looks at the time";
            let problem = Diagnostic::error(codes::NO_MOMENT, title).at(
                keys.place(),
                "comes out otherwise after the last day of a rule that observes",
            );
            self.found.push(problem.help(
                "say when it is, for all cases of the suite: `now: 2026-11-23T10:00:00+01:00`",
            ));
        }
        self.now
    }

    /// Who asks, with the strengths of the case in place of the person's.
    fn who(&mut self, keys: &Keys<'_>) -> Option<Arc<Person>> {
        let strengths = keys.get("auth").map(|node| self.strengths(node));
        let name = keys
            .require("as", self.found)
            .and_then(|node| node.verbatim("a person", self.found));
        let Some(name) = name else {
            self.incomplete = true;
            return None;
        };
        let Some(known) = self.people.get_mut(name.value) else {
            self.unknown_person(&name);
            return None;
        };
        known.used = true;
        Some(match strengths {
            None => known.person.clone(),
            Some(strengths) => Arc::new(Person {
                strengths,
                ..Person::clone(&known.person)
            }),
        })
    }

    fn unknown_person(&mut self, name: &Spanned<&str>) {
        let title = format!("unknown person {}", quoted(name.value));
        let names: Vec<&str> = self.people.keys().map(String::as_str).collect();
        let problem = Diagnostic::error(codes::UNKNOWN_PERSON, title)
            .at(&name.place, "not among `people`")
            .help("describe who it is under `people`")
            .suggest(name.value, names.iter().copied());
        let near = meant(name.value, names).map(str::to_owned);
        if !self.incomplete {
            self.found.push_named(problem);
        }
        // Of whoever was meant it is not said, too, that nobody speaks of them.
        match near.and_then(|near| self.people.get_mut(&near)) {
            Some(known) => known.used = true,
            None => self.incomplete = true,
        }
    }

    fn recorded(&mut self, node: &Node) -> Option<(Module, String)> {
        let Some(name) = node.verbatim("a record", self.found) else {
            self.incomplete = true;
            return None;
        };
        let mut records = self.records.iter_mut();
        if let Some(kept) = records.find(|kept| kept.name.value == name.value) {
            kept.used = true;
            return Some((kept.held.module.clone(), kept.held.id.clone()));
        }
        let title = format!("unknown record {}", quoted(name.value));
        let names: Vec<&str> = self
            .records
            .iter()
            .map(|kept| kept.name.value.as_str())
            .collect();
        let problem = Diagnostic::error(codes::UNKNOWN_RECORD, title)
            .at(&name.place, "not among `records`")
            .help("describe it under `records`")
            .suggest(name.value, names.iter().copied());
        let near = meant(name.value, names).map(str::to_owned);
        if !self.incomplete {
            self.found.push_named(problem);
        }
        let near = self
            .records
            .iter_mut()
            .find(|kept| Some(&kept.name.value) == near.as_ref());
        match near {
            Some(kept) => kept.used = true,
            None => self.incomplete = true,
        }
        None
    }

    /// The one thing that a case does.
    fn ask(&mut self, keys: &Keys<'_>, may_be_unknown: bool) -> Option<Ask> {
        let stated: Vec<(&str, &Node)> = ACTIONS
            .iter()
            .filter_map(|action| Some((*action, keys.get(action)?)))
            .collect();
        let all = ACTIONS.join(", ");
        let (what, node) = match stated.as_slice() {
            [] => {
                let problem = Diagnostic::error(codes::NOT_ONE_ACTION, "a case that does nothing")
                    .at(keys.place(), "what is asked?");
                self.found.push(problem.help(format!("say one of: {all}")));
                self.incomplete = true;
                return None;
            }
            [one] => *one,
            [first, second, ..] => {
                let title = "a case that does more than one thing";
                let label = format!("`{}` beside `{}`", second.0, first.0);
                let problem =
                    Diagnostic::error(codes::NOT_ONE_ACTION, title).at(&second.1.place, label);
                self.found.push(problem.help("make two cases of it"));
                *first
            }
        };
        let ask = match what {
            "read" => {
                let (module, id) = self.recorded(node)?;
                Ask::Read {
                    module,
                    id,
                    fields: self.fields(keys),
                }
            }
            "write" => self.write(keys, node)?,
            "create" => self.create(node, may_be_unknown)?,
            "list" => self.list(node, may_be_unknown)?,
            "search" => self.search(node, may_be_unknown)?,
            _ => self.by(what, node, may_be_unknown)?,
        };
        self.goes_with(keys, what);
        // What is asked of one record says nothing of the others.
        if !matches!(ask, Ask::Read { .. } | Ask::Write { .. }) {
            self.use_module(ask.module());
        }
        Some(ask)
    }

    /// Keys that do not go with what a case does would say nothing.
    fn goes_with(&mut self, keys: &Keys<'_>, what: &str) {
        let of = |key: &str| match key {
            "fields" | "values" => &["read"][..],
            "set" => &["write"],
            _ => &["write", "create"],
        };
        for key in ["fields", "values", "set", "forwards"] {
            let Some(node) = keys.get(key).filter(|_| !of(key).contains(&what)) else {
                continue;
            };
            let title = format!("`{key}` does not go with `{what}`");
            let label = format!("goes with {} only", listed(of(key)));
            let problem = Diagnostic::error(codes::NOT_OF_ACTION, title).at(&node.place, label);
            self.found
                .push(problem.help("take it out, or make another case of it"));
        }
    }

    /// The fields that are asked for by name.
    fn fields(&mut self, keys: &Keys<'_>) -> Vec<Field> {
        let names = keys
            .get("fields")
            .and_then(|node| node.texts("`fields`", self.found));
        let names = names.unwrap_or_default();
        names.iter().map(|name| Field::fold(name.value)).collect()
    }

    fn list(&mut self, node: &Node, may_be_unknown: bool) -> Option<Ask> {
        const FORM: Form = Form {
            what: "`list`",
            known: &["module", "fields", "filter", "sort"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let module = self.of_module(&keys, may_be_unknown)?;
        let filter = self.field_at(&keys, "filter", &module);
        let sort = self.field_at(&keys, "sort", &module);
        Some(Ask::List {
            fields: self.fields(&keys),
            module,
            filter,
            sort,
        })
    }

    fn search(&mut self, node: &Node, may_be_unknown: bool) -> Option<Ask> {
        const FORM: Form = Form {
            what: "`search`",
            known: &["module", "text"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let text = keys
            .require("text", self.found)
            .and_then(|node| node.verbatim("`text`", self.found));
        let module = self.of_module(&keys, may_be_unknown)?;
        Some(Ask::Search {
            module,
            text: text?.value.to_owned(),
        })
    }

    /// A filter or an order by one field.
    fn by(&mut self, what: &str, node: &Node, may_be_unknown: bool) -> Option<Ask> {
        const SORT: Form = Form {
            what: "`sort`",
            known: &["module", "by"],
            refused: &[],
        };
        const FILTER: Form = Form {
            what: "`filter`",
            known: &["module", "by", "value"],
            refused: &[],
        };
        let form = if what == "sort" { SORT } else { FILTER };
        let keys = form.read(node, self.found)?;
        keys.require("by", self.found);
        let module = self.of_module(&keys, may_be_unknown)?;
        let by = self.field_at(&keys, "by", &module)?;
        if what == "sort" {
            return Some(Ask::Sort { module, by });
        }
        let value = match keys.get("value") {
            Some(node) => Self::value(node),
            None => self.held(&module, &by),
        };
        Some(Ask::Filter { module, by, value })
    }

    fn of_module(&mut self, keys: &Keys<'_>, may_be_unknown: bool) -> Option<Module> {
        let node = keys.require("module", self.found);
        let module = node.and_then(|node| self.module(node, may_be_unknown));
        self.incomplete |= module.is_none();
        module
    }

    fn field_at(&mut self, keys: &Keys<'_>, key: &str, module: &Module) -> Option<Field> {
        let node = keys.get(key)?;
        let name = node.text("a field", self.found)?;
        Some(self.field(module, &name))
    }

    /// A value by which a record is found.
    fn held(&self, module: &Module, field: &Field) -> Value {
        let records = self.records.iter();
        let records = records.filter(|kept| kept.held.module == *module);
        records
            .flat_map(|kept| &kept.held.fields)
            .find(|(name, value)| Field::fold(name) == *field && !is_blank(value))
            .map_or_else(|| ANYTHING.into(), |(_, value)| value.clone())
    }

    fn write(&mut self, keys: &Keys<'_>, node: &Node) -> Option<Ask> {
        let set = keys.require("set", self.found);
        let record = self.recorded(node);
        let set = set.map(|node| (node, self.values(node, "`set`")));
        let (node, values) = set?;
        let (module, id) = record?;
        self.sets(node, &values, &module);
        Some(Ask::Write {
            module,
            id,
            set: plain(values),
        })
    }

    fn create(&mut self, node: &Node, may_be_unknown: bool) -> Option<Ask> {
        const FORM: Form = Form {
            what: "`create`",
            known: &["module", "fields"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let module = self.of_module(&keys, may_be_unknown);
        let fields = keys.require("fields", self.found)?;
        let values = self.values(fields, "`fields`");
        let module = module?;
        self.sets(fields, &values, &module);
        Some(Ask::Create {
            module,
            fields: plain(values),
        })
    }

    fn sets(&mut self, node: &Node, values: &[(Spanned<String>, Spanned<Value>)], module: &Module) {
        if values.is_empty() {
            let problem = Diagnostic::error(codes::NOT_ONE_ACTION, "a write that sets nothing");
            self.found.push(problem.at(&node.place, "empty"));
        }
        for (name, _) in values {
            let name = Spanned {
                value: name.value.as_str(),
                place: name.place.clone(),
            };
            self.field(module, &name);
        }
    }
}

/// The reason that a case expects, if it expects a refusal.
fn refusal(node: &Node) -> Option<&Node> {
    let NodeKind::Map(entries) = &node.kind else {
        return None;
    };
    let refused = entries.iter().find(|(key, _)| key.value == "refused");
    refused.map(|(_, node)| node)
}

pub(super) fn plain(values: Vec<(Spanned<String>, Spanned<Value>)>) -> Map<String, Value> {
    let values = values.into_iter();
    values
        .map(|(name, value)| (name.value, value.value))
        .collect()
}

fn listed(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(" and ")
}

/// Whether nothing stands in a field.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
