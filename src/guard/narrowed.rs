//! What an operation asks of the CRM, within a plan: not what is hidden, of no records that are not there for the caller, and
//! whatever must be known of records to judge them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::dialect::{Exchange, Operation, Projected, Query};
use crate::policy::{FieldRule, Plan, Show};
use crate::reason::Reason;
use crate::vocabulary::{Action, Category, FieldPath, Level, Module, Use};

/// What may be matched, sorted and searched by, although the CRM looks at records that are not there for the caller, too: it
/// says nothing of a person.
const MATCHABLE: &str = "technical.timestamp";

/// An operation within a plan.
#[derive(Clone, Debug)]
pub struct Narrowed {
    pub(super) operation: Operation,
    withheld: Vec<Arc<FieldRule>>,
    added: BTreeSet<FieldPath>,
    unsaid: BTreeSet<Module>,
}

impl Narrowed {
    /// What an exchange asks, within its plan; or why it cannot be asked so.
    pub fn of(exchange: &dyn Exchange, plan: &Plan) -> Result<Self, Reason> {
        let mut narrowed = Self::whole(exchange);
        if let Some(target) = exchange.operation().target() {
            let (query, withheld) = (&mut narrowed.operation.query, &mut narrowed.withheld);
            project(query, target, plan, withheld);
        }
        let by_name = |rule: &Arc<FieldRule>| (rule.module.clone(), rule.field.clone());
        narrowed.withheld.sort_by_key(by_name);
        narrowed.withheld.dedup_by_key(|rule| by_name(rule));
        if plan.asks_of_records() {
            narrowed.select(exchange, plan)?;
            narrowed.widen(exchange, plan)?;
        }
        Ok(narrowed)
    }

    /// All that an exchange asks: nobody but the proxy reads the answer.
    pub fn whole(exchange: &dyn Exchange) -> Self {
        Self {
            operation: exchange.operation().clone(),
            withheld: Vec::new(),
            added: BTreeSet::new(),
            unsaid: BTreeSet::new(),
        }
    }

    /// Fields that were asked for and are not asked of the CRM, because the plan hides them.
    pub fn withheld(&self) -> &[Arc<FieldRule>] {
        &self.withheld
    }

    /// Fields that nobody asked for, by which records are judged: they are taken out of the reply.
    pub fn added(&self) -> &BTreeSet<FieldPath> {
        &self.added
    }

    /// Modules of whose records the CRM may select and count more than are there for the caller.
    pub fn unsaid(&self) -> &BTreeSet<Module> {
        &self.unsaid
    }

    /// Asks only for records that are there for the caller. Where the API cannot say which, the CRM tells by what it selects
    /// and counts of others, too: then it selects by nothing that says something of a person.
    fn select(&mut self, exchange: &dyn Exchange, plan: &Plan) -> Result<(), Reason> {
        let action = self.operation.action;
        if !matches!(action, Action::List | Action::Count) {
            return Ok(());
        }
        let needed = |module: &Module| plan.conditions(module)?.needed();
        let restricted = exchange.restrict(&self.operation, &needed);
        self.operation = restricted.operation;
        self.unsaid = restricted.unsaid;
        if self.unsaid.is_empty() {
            return Ok(());
        }
        if action == Action::Count {
            return Err(Reason::CountNotAvailable);
        }
        // What the caller asks for, not what was added to it.
        let asked = exchange.operation();
        let selects = |how| matches!(how, Use::Matched | Use::Sorted | Use::Searched);
        let mut uses = asked.uses().into_iter();
        let tells = uses.any(|used| selects(used.how) && !is_matchable(plan, &used.path));
        match tells || is_searched(asked) {
            true => Err(Reason::FieldNotUsable),
            false => Ok(()),
        }
    }

    /// Asks for the fields by which records are judged.
    fn widen(&mut self, exchange: &dyn Exchange, plan: &Plan) -> Result<(), Reason> {
        let judging = |module: &Module| {
            let conditions = plan.conditions(module);
            conditions.map_or_else(BTreeSet::new, |conditions| conditions.fields().clone())
        };
        match exchange.also_ask(&self.operation, &judging) {
            Some(widened) => {
                self.operation = widened.operation;
                self.added = widened.added;
                Ok(())
            }
            // What a write tells of records that cannot be judged is withheld.
            None if self.operation.action.writes() => Ok(()),
            None => Err(Reason::ActionNotAllowed),
        }
    }
}

fn is_matchable(plan: &Plan, path: &FieldPath) -> bool {
    let rule = plan.records(&path.module).field(path.field.as_str());
    let matchable = Category::new(MATCHABLE);
    let mut categories = rule.categories.iter();
    !rule.categories.is_empty() && categories.all(|category| matchable.covers(category))
}

/// Whether the CRM searches for a text, in whatever fields.
fn is_searched(operation: &Operation) -> bool {
    let mut searched = Vec::new();
    if let Some(target) = operation.target() {
        operation.query.searched(target, &mut searched);
    }
    operation.query.search.is_some() || !searched.is_empty()
}

/// Takes hidden fields out of a projection: those of which no record shows anything. An empty projection would mean *all*,
/// so it becomes `id`.
fn project(query: &mut Query, module: &Module, plan: &Plan, withheld: &mut Vec<Arc<FieldRule>>) {
    let Some(projection) = &mut query.projection else {
        return;
    };
    if !query.beside.is_empty() {
        // What is hidden in one module may be shown in another: each record is held to its own rules in the reply.
        return;
    }
    let rules = plan.records_at_most(module);
    projection.retain_mut(|item| match item {
        Projected::Field(name) => {
            let rule = rules.field(name);
            let hidden = rule.level == Level::Hide || matches!(rule.show, Show::Remove);
            if hidden {
                withheld.push(rule);
            }
            !hidden
        }
        Projected::Collection { link, query } => {
            project(query, &link.target, plan, withheld);
            true
        }
    });
    if projection.is_empty() {
        projection.push(Projected::Field("id".to_owned()));
    }
}
