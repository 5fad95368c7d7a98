//! Reads records: what the CRM holds.

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Form, Node, Spanned, quoted};
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
            known: &["module", "fields"],
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
        Some(Held {
            module: module?,
            id: id?,
            fields: fields.collect(),
        })
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
