//! What a filter did. Never a value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::detect::Kind;
use crate::policy::{FieldRule, Show, SpanRule};
use crate::vocabulary::{Category, Field, FieldPath, Level, Module, RecordRef, RuleName};

use super::persons::Whom;

/// What a filter did. Never a value.
#[derive(Debug, Default)]
pub struct Report {
    /// Per field that occurred and is not structural: its rule, and in how many records it was present.
    pub fields: FieldCounts,
    /// Ids of counted records, as the CRM sent them, in order of appearance; a record without a usable id is counted only.
    pub refs: Vec<RecordRef>,
    /// How many counted records there were.
    pub records: u64,
    /// Whom each of them is about, where somebody tells.
    pub whom: Vec<Whom>,
    /// How many records are not there for this caller, by the rule that says so.
    pub absent: BTreeMap<RuleName, u64>,
    /// Fields with a value of a type that their rules cannot show, so that it was redacted.
    pub misfits: Vec<Misfit>,
    /// Keys beside records that nobody has said anything of, as the CRM wrote them: so many, and so long, as are enough
    /// to see that there are any.
    pub unheard: BTreeSet<Box<str>>,
}

/// A field with a value of a type that its rule cannot show.
#[derive(Clone, Debug)]
pub struct Misfit {
    /// The field's rule.
    pub rule: Arc<FieldRule>,
    /// The type: `object`, `list`, `text`, `number`, `boolean`.
    pub kind: &'static str,
}

/// How often a field occurred.
#[derive(Clone, Copy, Debug)]
pub struct FieldCount<'c> {
    /// The field's rule.
    pub rule: &'c Arc<FieldRule>,
    /// Records in which it was present.
    pub records: u64,
    /// Identifiers found in its text, by kind.
    pub in_text: &'c InText,
}

/// Identifiers found in a text, by kind.
pub type InText = BTreeMap<Kind, u64>;

/// How often each field occurred, in the order of the fields' paths.
#[derive(Clone, Debug, Default)]
pub struct FieldCounts {
    set: Arc<FieldSet>,
    /// By place in the set.
    records: Vec<u64>,
    /// By place in the set, where anything was found.
    in_text: BTreeMap<usize, InText>,
    /// Whether any stood in records of another module than its own, as the name of a parent does.
    pub(super) has_copies: bool,
}

/// Fields that occurred in a reply, in the order of their paths. Most replies show the same fields, so that all of them
/// share one set, and what can be said of it is worked out once.
#[derive(Debug, Default)]
pub struct FieldSet {
    rules: Vec<Arc<FieldRule>>,
    /// Places of the fields whose first category and level are the same.
    by_category: Vec<(Option<Category>, Level, Vec<usize>)>,
    shown_less: usize,
    has_unclassified: bool,
    is_observed: bool,
}

/// Nothing was found.
pub(super) static NOTHING: InText = InText::new();

fn path_of(rule: &FieldRule) -> (&Module, &Field) {
    (&rule.module, &rule.field)
}

/// Whether the log says the same of two rules of one field.
fn is_told_alike(one: &Arc<FieldRule>, other: &Arc<FieldRule>) -> bool {
    let would = |rule: &FieldRule| {
        rule.would_show()
            .map(|would| (would.level, would.by.clone()))
    };
    let is_same = || one.level == other.level && one.by == other.by && would(one) == would(other);
    Arc::ptr_eq(one, other) || (is_same() && are_spans_told_alike(&one.show, &other.show))
}

fn are_spans_told_alike(one: &Show, other: &Show) -> bool {
    let (one, other) = (spans(one), spans(other));
    let mut both = one.iter().zip(other);
    one.len() == other.len()
        && both.all(|(one, other)| {
            one.kind == other.kind
                && one.level == other.level
                && one.shown == other.shown
                && one.by == other.by
                && one.would == other.would
        })
}

fn spans(show: &Show) -> &[SpanRule] {
    match show {
        Show::Text(rule) => &rule.spans,
        Show::Items { inner, .. } => spans(inner),
        _ => &[],
    }
}

impl FieldCount<'_> {
    /// The field.
    pub fn path(&self) -> FieldPath {
        self.rule.path()
    }
}

impl FieldSet {
    fn new(rules: Vec<Arc<FieldRule>>) -> Self {
        let mut by_category: Vec<(Option<Category>, Level, Vec<usize>)> = Vec::new();
        for (place, rule) in rules.iter().enumerate() {
            let category = rule.categories.first();
            let same = |(known, level, _): &&mut (Option<Category>, Level, _)| {
                known.as_ref() == category && *level == rule.level
            };
            match by_category.iter_mut().find(same) {
                Some((_, _, places)) => places.push(place),
                None => by_category.push((category.cloned(), rule.level, vec![place])),
            }
        }
        Self {
            is_observed: rules.iter().any(|rule| rule.would_show().is_some()),
            has_unclassified: rules.iter().any(|rule| rule.is_unclassified()),
            // A field counts once, on however many terms its records are.
            shown_less: rules
                .chunk_by(|one, other| path_of(one) == path_of(other))
                .filter(|field| field.iter().any(|rule| rule.level < Level::Clear))
                .count(),
            by_category,
            rules,
        }
    }
}

impl FieldSet {
    /// The fields of which something is not classified.
    pub fn unclassified(&self) -> impl Iterator<Item = FieldPath> {
        let rules = self.has_unclassified.then_some(&self.rules);
        rules
            .into_iter()
            .flatten()
            .filter(|rule| rule.is_unclassified())
            .map(|rule| rule.path())
    }

    /// Whether something of any field is not classified.
    pub fn has_unclassified(&self) -> bool {
        self.has_unclassified
    }
}

impl FieldCounts {
    /// The fields, without their counts. The same for two replies only if they show the same fields on the same terms;
    /// mostly, then.
    pub fn set(&self) -> &Arc<FieldSet> {
        &self.set
    }

    /// How many fields occurred.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no field occurred.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many fields occurred that are shown at less than they hold.
    pub fn shown_less(&self) -> usize {
        self.set.shown_less
    }

    /// Whether any stood in records of another module than its own, as the name of a parent does.
    pub fn has_copies(&self) -> bool {
        self.has_copies
    }

    /// Whether an identifier was found in any text.
    pub fn has_in_text(&self) -> bool {
        !self.in_text.is_empty()
    }

    /// Whether anything of it would be shown otherwise, if no rule only observed.
    pub fn is_observed(&self) -> bool {
        let in_text = |(place, found): (&usize, &InText)| {
            let rule = self.set.rules.get(*place);
            let spans = found.keys().filter_map(|kind| rule?.show.span(*kind));
            spans.into_iter().any(|span| span.would_show().is_some())
        };
        self.set.is_observed || self.in_text.iter().any(in_text)
    }

    /// The places of fields in whose texts identifiers were found, and which.
    pub fn in_text(&self) -> &BTreeMap<usize, InText> {
        &self.in_text
    }

    /// The count of a field; one of its counts, if records are on different terms.
    pub fn get(&self, path: &FieldPath) -> Option<FieldCount<'_>> {
        let place = self
            .set
            .rules
            .binary_search_by(|rule| (&rule.module, &rule.field).cmp(&(&path.module, &path.field)));
        self.at(place.ok()?)
    }

    fn at(&self, place: usize) -> Option<FieldCount<'_>> {
        Some(FieldCount {
            rule: self.set.rules.get(place)?,
            records: *self.records.get(place)?,
            in_text: self.in_text.get(&place).unwrap_or(&NOTHING),
        })
    }

    /// Whether a field occurred.
    pub fn contains_key(&self, path: &FieldPath) -> bool {
        self.get(path).is_some()
    }

    /// The fields.
    pub fn keys(&self) -> impl Iterator<Item = FieldPath> {
        self.set.rules.iter().map(|rule| rule.path())
    }

    /// The counts.
    pub fn values(&self) -> impl Iterator<Item = FieldCount<'_>> {
        (0..self.len()).filter_map(|place| self.at(place))
    }

    /// The fields and their counts.
    pub fn iter(&self) -> impl Iterator<Item = (FieldPath, FieldCount<'_>)> {
        self.values().map(|count| (count.path(), count))
    }

    /// Records by first category and level of the fields in them: a record counts once for each field.
    pub fn by_category(&self) -> impl Iterator<Item = (Option<&Category>, Level, u64)> {
        let sum = |places: &[usize]| places.iter().filter_map(|at| self.records.get(*at)).sum();
        (self.set.by_category.iter())
            .map(move |(category, level, places)| (category.as_ref(), *level, sum(places)))
    }
}

impl<'c> FromIterator<FieldCount<'c>> for FieldCounts {
    /// Puts counts, in whatever order they come, into that of the fields' paths. Those of one field on the same terms are
    /// one.
    fn from_iter<I: IntoIterator<Item = FieldCount<'c>>>(counts: I) -> Self {
        let counts: Vec<_> = counts.into_iter().collect();
        Ordering::new(&counts).fill(&counts)
    }
}

/// A set, and how to come to it.
#[derive(Debug)]
pub(super) struct Ordering {
    /// The rules as they came. Holding them keeps their addresses from being given to others.
    rules: Vec<Arc<FieldRule>>,
    /// The place of each in the set.
    places: Vec<usize>,
    set: Arc<FieldSet>,
}

impl Ordering {
    pub(super) fn new(counts: &[FieldCount<'_>]) -> Self {
        let mut order: Vec<usize> = (0..counts.len()).collect();
        let path = |at: &usize| counts.get(*at).map(|count| path_of(count.rule));
        order.sort_by(|one, other| path(one).cmp(&path(other)));
        let rules: Vec<Arc<FieldRule>> = counts.iter().map(|count| count.rule.clone()).collect();
        let (mut sorted, mut places) = (Vec::<Arc<FieldRule>>::new(), vec![0; counts.len()]);
        for at in order {
            let (Some(rule), Some(to)) = (rules.get(at), places.get_mut(at)) else {
                continue;
            };
            let same_field = sorted.iter().enumerate().rev();
            let mut same_field = same_field.take_while(|(_, one)| path_of(one) == path_of(rule));
            let known = same_field.find(|(_, one)| is_told_alike(one, rule));
            *to = match known {
                Some((place, _)) => place,
                None => sorted.len(),
            };
            if *to == sorted.len() {
                sorted.push(rule.clone());
            }
        }
        Self {
            set: Arc::new(FieldSet::new(sorted)),
            rules,
            places,
        }
    }

    /// Whether these are counts of the same fields, in the same order.
    pub(super) fn is_of(&self, counts: &[FieldCount<'_>]) -> bool {
        let mut both = self.rules.iter().zip(counts);
        self.rules.len() == counts.len() && both.all(|(rule, count)| Arc::ptr_eq(rule, count.rule))
    }

    /// The set with these counts.
    pub(super) fn fill(&self, counts: &[FieldCount<'_>]) -> FieldCounts {
        let mut filled = FieldCounts {
            has_copies: false,
            set: self.set.clone(),
            records: vec![0; self.set.rules.len()],
            in_text: BTreeMap::new(),
        };
        for (count, place) in counts.iter().zip(&self.places) {
            if let Some(records) = filled.records.get_mut(*place) {
                *records += count.records;
            }
            if !count.in_text.is_empty() {
                let in_text: &mut InText = filled.in_text.entry(*place).or_default();
                for (kind, found) in count.in_text {
                    *in_text.entry(*kind).or_default() += found;
                }
            }
        }
        filled
    }
}
