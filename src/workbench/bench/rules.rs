//! Which rules decided about what a request touched.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::{Ask, BOUNDS, Bench, Desk, Held, NAME, Person};
use crate::condition::{Facts, PersonFact};
use crate::dialect::{Exchange, Operation};
use crate::policy::{About, Decision, Denial, FieldRule, Judged, Plan, RecordRules, State};
use crate::vocabulary::{Action, Field, FieldPath, Module, RuleName};

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
            Decision::Permit(plan) => {
                let meant: Vec<&Held> = self.meant(operation).collect();
                match meant.is_empty() {
                    true => of(&|module| plan.records(module)),
                    false => meant
                        .iter()
                        .for_each(|held| of(&|module| self.judged(&plan, held, module))),
                }
            }
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

    /// The records that an operation is about.
    fn meant<'s>(&'s self, operation: &'s Operation) -> impl Iterator<Item = &'s Held> {
        let id = operation.record.as_ref();
        self.told.iter().filter(move |record| {
            Some(&record.module) == operation.target() && id.is_none_or(|id| *id == record.id)
        })
    }

    /// The rules of a module's records: if it is that of this record, those that it has by what holds of it.
    fn judged(&self, plan: &Plan, held: &Held, module: &Module) -> Arc<RecordRules> {
        let conditions = plan.conditions(module).filter(|_| held.module == *module);
        let mut facts = OfRecord {
            held,
            about: self
                .policy
                .people()
                .and_then(|people| people.about(NAME, module)),
            purpose: plan.purpose().map(|chosen| chosen.purpose.as_str()),
        };
        match conditions.map(|conditions| (conditions.judge(&mut facts), conditions)) {
            Some((Judged::There(number), conditions)) => conditions.rules(number),
            Some((Judged::Absent(_), _)) | None => plan.records(module),
        }
    }

    fn touched(&self, operation: &Operation) -> BTreeSet<FieldPath> {
        let uses = operation.uses().into_iter();
        let mut touched: BTreeSet<FieldPath> = uses.map(|used| used.path).collect();
        let reads = matches!(operation.action, Action::Read | Action::List);
        if !reads || operation.query.projection.is_some() {
            return touched;
        }
        for record in self.meant(operation) {
            let fields = record.fields.keys();
            touched.extend(fields.map(|field| FieldPath::new(&record.module, field)));
        }
        touched
    }
}

/// What is known of a record that a case describes.
struct OfRecord<'r> {
    held: &'r Held,
    about: Option<&'r About>,
    purpose: Option<&'r str>,
}

impl Facts for OfRecord<'_> {
    fn field(&mut self, field: &Field) -> Option<Value> {
        let mut fields = self.held.fields.iter();
        let found = fields.find(|(name, _)| Field::fold(name) == *field);
        found.map(|(_, value)| value.clone())
    }

    fn person(&mut self, fact: PersonFact) -> Option<bool> {
        let said = match self.about? {
            About::Nobody => return Some(fact == PersonFact::Consented),
            About::Person(_) => &self.held.said,
            // What they have said stands at another record.
            About::Linked(_) => return None,
        };
        let purpose = self.purpose?;
        let is_objected = said.objected.contains(purpose);
        Some(match fact {
            PersonFact::Consented => {
                said.consented.contains(purpose) && !is_objected && !said.restricted
            }
            PersonFact::Objected => is_objected,
            PersonFact::Restricted => said.restricted,
        })
    }
}

/// The rules of a field, and those of what is looked for in its text.
fn name(rule: &FieldRule, into: &mut BTreeSet<RuleName>) {
    into.extend(rule.by.iter().cloned());
    let spans = rule.show.spans().iter().flat_map(|span| &span.by);
    into.extend(spans.cloned());
}
