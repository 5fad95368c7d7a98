//! Reads records: what the CRM holds.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Form, Node, Spanned, quoted};
use crate::ledger::Pretended;
use crate::vocabulary::Module;

use super::super::super::bench::Held;
use super::super::codes;
use super::{Kept, Reader};

impl Reader<'_> {
    pub(super) fn records(&mut self, node: &Node) {
        let entries = node.map("`records`", self.found);
        self.incomplete |= entries.is_none() || node.fault.is_some();
        for (name, node) in entries.unwrap_or_default() {
            let written = Spanned {
                value: name.value.as_str(),
                place: name.place.clone(),
            };
            self.name("a record", &written);
            match self.record(node) {
                Some(held) => self.keep(name, held),
                None => self.incomplete = true,
            }
        }
    }

    fn record(&mut self, node: &Node) -> Option<Held> {
        const FORM: Form = Form {
            what: "a record",
            known: &["module", "fields", "person"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        // That a policy does not know a module of the CRM can be tested too.
        let module = keys
            .require("module", self.found)
            .and_then(|node| self.module(node, false));
        let fields = keys.require("fields", self.found)?;
        let values = self.values(fields, "`fields`");
        let id = values.iter().find(|(name, _)| name.value == "id");
        let id = id.and_then(|(_, id)| match &id.value {
            Value::String(id) if !id.trim().is_empty() => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        });
        if id.is_none() {
            let problem = Diagnostic::error(codes::BAD_ID, "a record without an id")
                .at(&fields.place, "`id` is missing, or is not a text");
            self.found
                .push(problem.help("give it one: `fields: { id: c-1, … }`"));
        }
        let fields = values
            .into_iter()
            .map(|(name, value)| (name.value, value.value));
        let said = keys.get("person").map(|node| self.said(node));
        Some(Held {
            said: said.unwrap_or_default(),
            module: module?,
            id: id?,
            fields: fields.collect(),
        })
    }

    /// What the person has said whom a record is about.
    fn said(&mut self, node: &Node) -> Pretended {
        const FORM: Form = Form {
            what: "what a person has said",
            known: &["consented", "objected", "restricted"],
            refused: &[],
        };
        let Some(keys) = FORM.read(node, self.found) else {
            return Pretended::default();
        };
        let mut purposes = |key: &str| -> BTreeSet<String> {
            let items = keys.get(key).map(Node::one_or_list).unwrap_or_default();
            items.iter().filter_map(|node| self.purpose(node)).collect()
        };
        let (consented, objected) = (purposes("consented"), purposes("objected"));
        let restricted = keys.get("restricted");
        let restricted = restricted.and_then(|node| node.boolean("`restricted`", self.found));
        Pretended {
            consented,
            objected,
            restricted: restricted.unwrap_or(false),
        }
    }

    fn keep(&mut self, name: &Spanned<String>, held: Held) {
        let same = |kept: &&Kept| kept.held.module == held.module && kept.held.id == held.id;
        if let Some(first) = self.records.iter().find(same) {
            let title = format!(
                "two records of {} have the id {}",
                held.module,
                quoted(&held.id)
            );
            let problem = Diagnostic::error(codes::TWICE, title)
                .at(&name.place, "again here")
                .also(&first.name.place, "first here");
            self.found.push(problem.help("give each an id of its own"));
        }
        self.records.push(Kept {
            name: name.clone(),
            held,
            used: false,
        });
    }

    /// Every record of a module is in what is asked of the module.
    pub(super) fn use_module(&mut self, module: &Module) {
        for kept in &mut self.records {
            kept.used |= kept.held.module == *module;
        }
    }
}
