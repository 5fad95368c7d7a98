//! What an operation asks of the CRM, within a plan: not what is hidden, of no records that are not there for the caller, and
//! whatever must be known of records to judge them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::matchable::finds_nobody;
use crate::dialect::{Exchange, Link, Operation, Predicate, Projected, Query};
use crate::policy::{FieldRule, Plan, Show};
use crate::reason::Reason;
use crate::vocabulary::{Action, FieldPath, Level, Module};

/// An operation within a plan.
#[derive(Clone, Debug)]
pub struct Narrowed {
    pub(super) operation: Operation,
    withheld: Vec<Arc<FieldRule>>,
    added: BTreeSet<FieldPath>,
    unsaid: BTreeSet<Module>,
    sifts: bool,
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
        }
        if plan.asks_of_records() || plan.tells_persons() {
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
            sifts: false,
        }
    }

    /// The same, of the rows from this one on, so many; `None`, if the API cannot be asked for them.
    pub fn page_at(&self, exchange: &dyn Exchange, offset: u64, rows: u32) -> Option<Self> {
        Some(Self {
            operation: exchange.page_at(&self.operation, offset, rows)?,
            ..self.clone()
        })
    }

    /// Whether it lists records of which the CRM cannot be told which are there for the caller: its pages are put together
    /// from those of the CRM.
    pub fn sifts(&self) -> bool {
        self.sifts
    }

    /// Fields that were asked for and are not asked of the CRM, because the plan hides them.
    pub fn withheld(&self) -> &[Arc<FieldRule>] {
        &self.withheld
    }

    /// Fields that nobody asked for, by which records are judged, or it is told whom they are about: they are taken out of the
    /// reply.
    pub fn added(&self) -> &BTreeSet<FieldPath> {
        &self.added
    }

    /// Whether it changes what the CRM holds.
    pub fn writes(&self) -> bool {
        self.operation.action.writes()
    }

    /// Modules of whose records the CRM may select and count more than are there for the caller.
    pub fn unsaid(&self) -> &BTreeSet<Module> {
        &self.unsaid
    }

    /// Asks only for records that are there for the caller. Where the API cannot say which, the CRM would tell of others, too, by
    /// what it counts and pages: then pages are put together here, and where they cannot be, there is no list.
    fn select(&mut self, exchange: &dyn Exchange, plan: &Plan) -> Result<(), Reason> {
        let needed = |module: &Module| plan.conditions(module)?.needed();
        let restricted = exchange.restrict(&self.operation, &needed);
        self.operation = restricted.operation;
        self.unsaid = restricted.unsaid;
        // What the caller asks for, not what was added to it.
        let asked = exchange.operation();
        if selects_elsewhere(&asked.query, plan) {
            return Err(Reason::FieldNotUsable);
        }
        let own = asked.target().into_iter().chain(&asked.query.beside);
        let is_said = own.clone().all(|module| !self.unsaid.contains(module));
        if !is_said && !finds_nobody(asked, plan) && !is_said_of_unrestricted(exchange, plan) {
            return Err(Reason::FieldNotUsable);
        }
        match asked.action {
            _ if is_said => Ok(()),
            Action::Count => Err(Reason::CountNotAvailable),
            Action::List if self.has_pages(exchange) => {
                self.sifts = true;
                Ok(())
            }
            Action::List => Err(Reason::ListNotAvailable),
            // Values of a field, told of all records.
            Action::Metadata if asked.query.predicate.is_some() => Err(Reason::ListNotAvailable),
            _ => Ok(()),
        }
    }

    /// Whether records of one module are asked for, page by page.
    fn has_pages(&self, exchange: &dyn Exchange) -> bool {
        let rows = exchange.answer().page.map(|page| page.rows);
        let has_rows = rows.is_some_and(|rows| rows > 0);
        has_rows && self.operation.query.beside.is_empty() && self.page_at(exchange, 0, 1).is_some()
    }

    /// Asks for the fields by which records are judged, and by which it is told whom they are about. Where the API cannot be
    /// asked for these beside those, they are left out: who cannot be told counts by themselves.
    fn widen(&mut self, exchange: &dyn Exchange, plan: &Plan) -> Result<(), Reason> {
        let judging = |module: &Module| {
            let conditions = plan.conditions(module);
            conditions.map_or_else(BTreeSet::new, |conditions| conditions.fields().clone())
        };
        let told = |module: &Module| {
            let mut fields = judging(module);
            fields.extend(plan.told_by(module).into_iter().flatten().cloned());
            fields
        };
        let widened = match plan.tells_persons() {
            true => exchange.also_ask(&self.operation, &told),
            false => None,
        };
        match widened.or_else(|| exchange.also_ask(&self.operation, &judging)) {
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

/// Whether the CRM is told which records are there but for those whose processing is restricted: who matches by what is
/// withheld of these finds none of them, whatever it is.
fn is_said_of_unrestricted(exchange: &dyn Exchange, plan: &Plan) -> bool {
    let needed = |module: &Module| plan.conditions(module)?.needed_if_unrestricted();
    let asked = exchange.operation();
    let unsaid = exchange.restrict(asked, &needed).unsaid;
    let mut own = asked.target().into_iter().chain(&asked.query.beside);
    own.all(|module| !unsaid.contains(module))
}

/// Whether a query matches, sorts or pages records by what other records hold that may not be there for the caller: those
/// that links lead to, and those within records.
fn selects_elsewhere(query: &Query, plan: &Plan) -> bool {
    let has_rows = |link: &Option<Link>| {
        let target = link.as_ref().map(|link| &link.target);
        target.is_some_and(|target| plan.has_rows(target))
    };
    let mut elsewhere = query.order.iter().any(|sort| has_rows(&sort.path.link));
    if let Some(predicate) = &query.predicate {
        predicate.each_path(&mut |path| elsewhere |= has_rows(&path.link));
        elsewhere |= looks_through_links(predicate);
    }
    elsewhere
        || query.projection.iter().flatten().any(|item| match item {
            Projected::Field(_) => false,
            Projected::Collection { link, query } => {
                (plan.has_rows(&link.target) && selects(query)) || selects_elsewhere(query, plan)
            }
        })
}

/// Whether a query asks for some of the records that there are.
fn selects(query: &Query) -> bool {
    query.predicate.is_some()
        || !query.order.is_empty()
        || query.search.is_some()
        || query.offset.is_some()
        || query.limit.is_some()
        || !query.about_caller.is_empty()
}

/// Whether records are selected by how those relate to the caller that a link leads to.
fn looks_through_links(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::All(parts) | Predicate::Any(parts) => parts.iter().any(looks_through_links),
        Predicate::Not(part) => looks_through_links(part),
        Predicate::Caller { argument, .. } => !argument.is_empty(),
        Predicate::Field { .. } => false,
    }
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
