//! Finding records, where the CRM cannot be told which are there for the caller: whoever matches by what tells people apart would
//! learn who else is there, from what is found and what is not.

use crate::dialect::{Operation, Predicate, Query};
use crate::policy::Plan;
use crate::vocabulary::{FieldPath, Module, Use};

/// Whether an operation finds records by nothing that tells people apart.
pub(super) fn finds_nobody(operation: &Operation, plan: &Plan) -> bool {
    let mut uses = operation.uses().into_iter();
    let is_matchable = uses.all(|used| match used.how {
        Use::Shown | Use::Written => true,
        Use::Matched | Use::Searched | Use::Sorted => plan.is_matchable(&used.path),
    });
    is_matchable && !asks_for_own(&operation.query) && searches_nobody(operation, plan)
}

/// Whether a query asks for what relates to its caller: some people do, and others do not.
fn asks_for_own(query: &Query) -> bool {
    !query.about_caller.is_empty() || query.predicate.as_ref().is_some_and(relates_to_caller)
}

fn relates_to_caller(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::All(parts) | Predicate::Any(parts) => parts.iter().any(relates_to_caller),
        Predicate::Not(part) => relates_to_caller(part),
        Predicate::Caller { .. } => true,
        Predicate::Field { .. } => false,
    }
}

fn searches_nobody(operation: &Operation, plan: &Plan) -> bool {
    let mut searched: Vec<(&Module, &str)> = Vec::new();
    if let Some(target) = operation.target() {
        operation.query.searched(target, &mut searched);
    }
    searched.into_iter().all(|(module, _)| {
        let rules = plan.used(module);
        let mut fields = rules.searched().into_iter().flatten();
        fields.all(|field| plan.is_matchable(&FieldPath::new(module, field.as_str())))
    })
}
