//! Which rules decided about what a request touched.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Ask, BOUNDS, Bench, Desk, Person};
use crate::dialect::{Exchange, Operation};
use crate::policy::{Decision, Denial, FieldRule, RecordRules, Show, State};
use crate::vocabulary::{Action, FieldPath, Module, RuleName};

impl Bench {
    /// The rules that decided about the fields that a request names, and, where it reads, about those that the records
    /// meant hold.
    pub(super) fn rules_of(
        &self,
        desk: &Desk,
        purpose: Option<&str>,
        exchange: &dyn Exchange,
    ) -> BTreeSet<RuleName> {
        let operation = exchange.operation();
        self.rules_about(desk, purpose, operation, self.touched(operation))
    }

    /// The rules that decide about some fields, where somebody asks this.
    pub(in crate::workbench) fn rules_for(
        &self,
        (person, purpose, ask): (&Person, Option<&str>, &Ask),
        fields: BTreeSet<FieldPath>,
    ) -> BTreeSet<RuleName> {
        let request = self.dialect.ask(ask, &BOUNDS);
        let exchange = request.and_then(|request| self.understood(&request));
        match (exchange, self.desk(person)) {
            (Some(exchange), Some(desk)) => {
                self.rules_about(&desk, purpose, exchange.operation(), fields)
            }
            _ => BTreeSet::new(),
        }
    }

    fn rules_about(
        &self,
        desk: &Desk,
        purpose: Option<&str>,
        operation: &Operation,
        mut touched: BTreeSet<FieldPath>,
    ) -> BTreeSet<RuleName> {
        let caller = desk.supposed.caller();
        let now = self.clock().moment();
        let mut rules = BTreeSet::new();
        let mut of = |records: &dyn Fn(&Module) -> Arc<RecordRules>| {
            if let (Some(target), Some(_)) = (operation.target(), &operation.query.search) {
                let records = records(target);
                let searched = records.searched().unwrap_or_default().iter();
                touched.extend(searched.map(|field| FieldPath::new(target, field.as_str())));
            }
            for path in &touched {
                let records = records(&path.module);
                name(&records.field(path.field.as_str()), &mut rules);
            }
        };
        match self.policy.decide_at(now, (&caller, purpose), operation) {
            Decision::Permit(plan) => of(&|module| plan.records(module)),
            Decision::Deny(Denial {
                roles,
                purpose: Some(chosen),
                strengths,
                ..
            }) => {
                let state = State {
                    roles: roles.into_iter().collect(),
                    purpose: chosen.purpose,
                    strengths,
                };
                of(&|module| self.policy.rules_in(now, &state, module));
            }
            // Without a role or a purpose, no rule was asked.
            Decision::Deny(_) => {}
        }
        rules
    }

    fn touched(&self, operation: &Operation) -> BTreeSet<FieldPath> {
        let uses = operation.uses().into_iter();
        let mut touched: BTreeSet<FieldPath> = uses.map(|used| used.path).collect();
        let reads = matches!(operation.action, Action::Read | Action::List);
        if !reads || operation.query.projection.is_some() {
            return touched;
        }
        let id = operation.record.as_ref();
        let meant = self.records.iter().filter(|record| {
            Some(&record.module) == operation.target() && id.is_none_or(|id| *id == record.id)
        });
        for record in meant {
            let fields = record.fields.keys();
            touched.extend(fields.map(|field| FieldPath::new(&record.module, field)));
        }
        touched
    }
}

/// The rules of a field, and those of what is looked for in its text.
fn name(rule: &FieldRule, into: &mut BTreeSet<RuleName>) {
    into.extend(rule.by.iter().cloned());
    if let Show::Text(text) = &rule.show {
        let spans = text.spans.iter().flat_map(|span| &span.by);
        into.extend(spans.cloned());
    }
}
