//! What of a reply counts for a limit.

use std::collections::BTreeMap;

use crate::detect::Kind;
use crate::filter::{FieldCounts, InText, Someone, Whom};
use crate::policy::{FieldRule, Limit, Plan, Show, SpanRule};
use crate::vocabulary::{Level, Module, RecordRef};

/// Records that a reply is about to show.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Those that have a usable id.
    pub refs: &'a [RecordRef],
    /// How many others there are.
    pub unnamed: u64,
    /// Whom all of them are about; `None`: nobody tells, so that each is about somebody of its own.
    pub whom: Option<&'a [Whom]>,
    /// What is known of their fields.
    pub fields: Fields<'a>,
}

/// What is known of the fields of records that are about to be shown.
#[derive(Clone, Copy, Debug)]
pub enum Fields<'a> {
    /// How often each occurred. Of a module of which a field counts somewhere, all records count: too many rather than too
    /// few. Where fields stood in records of other modules, records of all modules do.
    Met(&'a FieldCounts),
    /// What the plan says of them; they were not counted yet.
    Planned(&'a Plan),
}

impl<'a> Shown<'a> {
    /// Those of some persons who count.
    pub(super) fn persons<'l>(
        self,
        limit: &'l Limit,
        whom: &'a [Whom],
    ) -> impl Iterator<Item = &'a Someone> + use<'a, 'l> {
        let mut modules: BTreeMap<&Module, bool> = BTreeMap::new();
        let counts = whom.iter().filter(move |whom| {
            let of = &whom.module;
            *modules
                .entry(of)
                .or_insert_with(|| self.fields.count_of(limit, of))
        });
        counts.flat_map(|whom| &whom.persons)
    }
}

impl Fields<'_> {
    /// Whether a record of a module may be one that counts.
    pub(super) fn count_of(self, limit: &Limit, module: &Module) -> bool {
        match self {
            Self::Met(fields) if fields.has_copies() => self.count_of_any(limit),
            _ if !limit.counts_of(module) => self.may_copy(module),
            Self::Met(fields) => {
                let mut met = fields.values();
                met.any(|one| {
                    one.rule.module == *module
                        && one.records > 0
                        && counts(limit, one.rule, Some(one.in_text))
                })
            }
            Self::Planned(plan) => {
                let possible = plan.records_at_most(module).possible();
                possible.iter().any(|rule| counts(limit, rule, None)) || self.may_copy(module)
            }
        }
    }

    /// Whether records of a module that were not looked at may tell names of records of others.
    fn may_copy(self, module: &Module) -> bool {
        let Self::Planned(plan) = self else {
            return false;
        };
        let possible = plan.records_at_most(module).possible();
        possible
            .iter()
            .any(|rule| matches!(rule.show, Show::ByParent { .. }))
    }

    /// Whether a record of which nobody knows the module may be one.
    pub(super) fn count_of_any(self, limit: &Limit) -> bool {
        match self {
            Self::Met(fields) => {
                let mut met = fields.values();
                met.any(|one| one.records > 0 && counts(limit, one.rule, Some(one.in_text)))
            }
            Self::Planned(_) => true,
        }
    }
}

/// Whether a field counts, by itself or by what was found in its text (`None`: by what could be).
fn counts(limit: &Limit, rule: &FieldRule, found: Option<&InText>) -> bool {
    if limit.counts(&rule.module, &rule.categories, rule.level) {
        return true;
    }
    let is_found = |kind: &Kind| found.is_none_or(|found| found.contains_key(kind));
    let spans = rule.show.spans().iter();
    let mut spans = spans.filter(|span| is_found(&span.kind));
    spans.any(|span| {
        let categories = std::slice::from_ref(&span.category);
        limit.counts(&rule.module, categories, level(span))
    })
}

/// At which level something in a text is shown.
fn level(span: &SpanRule) -> Level {
    match (&span.kind, span.shown) {
        (Kind::Statement(_), None) => Level::Clear,
        _ => span.level,
    }
}
