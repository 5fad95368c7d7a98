//! Texts of what replies disclosed, made once: most replies show the same fields on the same terms, and only the counts
//! differ.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::detect::Kind;
use crate::filter::{FieldCount, FieldCounts, FieldSet};

use super::disclosure::{Same, of_field, of_span, span_of};
use super::event::{List, integer};
use super::names::{Names, is_plain, visible};

/// Templates that one thread keeps.
const KEPT_MAX: usize = 64;
/// Fields of the largest one that is kept.
const KEPT_FIELDS_MAX: usize = 512;

thread_local! {
    static KEPT: RefCell<Vec<Template>> = const { RefCell::new(Vec::new()) };
}

/// The text of a disclosure but for its counts.
#[derive(Debug)]
struct Template {
    /// The fields that it is about.
    fields: Arc<FieldSet>,
    /// The kinds of identifier that were found in texts, by place of the field.
    kinds: Vec<(usize, Kind)>,
    entries: Vec<Entry>,
    /// What it was last filled with, and what came of it: pages of a list are of one size.
    last: (Vec<Numbers>, List),
}

/// Identifiers and records of one entry.
type Numbers = (u64, u64);

/// One entry of the event, in pieces.
#[derive(Debug)]
struct Entry {
    /// Up to the number of identifiers.
    head: String,
    /// From there to the number of records.
    middle: String,
    /// Which fields count, and whether for identifiers of a kind.
    sources: Vec<(usize, Option<Kind>)>,
}

/// What the event says of a report.
pub(super) fn filled(counts: &FieldCounts) -> List {
    if counts.len() > KEPT_FIELDS_MAX {
        return Template::new(counts).filled(counts);
    }
    KEPT.with_borrow_mut(|kept| {
        if let Some(template) = kept.iter_mut().find(|template| template.is_of(counts)) {
            return template.filled(counts);
        }
        let mut template = Template::new(counts);
        let data = template.filled(counts);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.push(template);
        data
    })
}

/// The kinds that were found in texts, by place of the field.
fn kinds(counts: &FieldCounts) -> impl Iterator<Item = (usize, Kind)> {
    let in_text = counts.in_text().iter();
    in_text.flat_map(|(place, found)| found.keys().map(|kind| (*place, *kind)))
}

impl Template {
    fn is_of(&self, counts: &FieldCounts) -> bool {
        Arc::ptr_eq(&self.fields, counts.set()) && kinds(counts).eq(self.kinds.iter().copied())
    }

    fn new(counts: &FieldCounts) -> Self {
        let mut entries: BTreeMap<Same, BTreeMap<usize, Vec<Option<Kind>>>> = BTreeMap::new();
        let mut add = |same: Same, field: usize, kind: Option<Kind>| {
            let fields = entries.entry(same).or_default();
            fields.entry(field).or_default().push(kind);
        };
        for (field, count) in counts.values().enumerate() {
            for same in of_field(count.rule) {
                add(same, field, None);
            }
            for kind in count.in_text.keys() {
                match span_of(&count.rule.show, *kind) {
                    Some(span) => add(of_span(span), field, Some(*kind)),
                    None => of_field(count.rule)
                        .into_iter()
                        .for_each(|same| add(same, field, Some(*kind))),
                }
            }
        }
        let counted: Vec<FieldCount<'_>> = counts.values().collect();
        let entry = |(same, fields): (Same, BTreeMap<usize, Vec<Option<Kind>>>)| {
            let mut names = Names::default();
            for count in fields.keys().filter_map(|field| counted.get(*field)) {
                if count.rule.known || is_plain(count.rule.field.as_str()) {
                    names.name(&count.path());
                } else {
                    names.count(Some(&count.rule.module));
                }
            }
            Entry::new(&same, names, fields)
        };
        Self {
            fields: Arc::clone(counts.set()),
            kinds: kinds(counts).collect(),
            entries: entries.into_iter().map(entry).collect(),
            last: (Vec::new(), List::default()),
        }
    }

    fn filled(&mut self, counts: &FieldCounts) -> List {
        let counted: Vec<FieldCount<'_>> = counts.values().collect();
        let numbers: Vec<Numbers> = self
            .entries
            .iter()
            .map(|entry| entry.numbers(&counted))
            .collect();
        if self.last.0 != numbers {
            let data = List::of_text(self.text(&numbers));
            self.last = (numbers, data);
        }
        self.last.1.clone()
    }

    fn text(&self, numbers: &[Numbers]) -> String {
        let mut text = String::from("[");
        for (Entry { head, middle, .. }, (in_text, records)) in self.entries.iter().zip(numbers) {
            let comma = if text.len() > 1 { "," } else { "" };
            // Writing to a string does not fail.
            let _ = write!(text, "{comma}{head}{in_text}{middle}{records}}}");
        }
        text.push(']');
        text
    }
}

impl Entry {
    fn new(same: &Same, names: Names, fields: BTreeMap<usize, Vec<Option<Kind>>>) -> Self {
        let by: Vec<String> = same.by.iter().map(|rule| visible(rule.as_str())).collect();
        let category = same.category.as_ref().map(|name| visible(name.as_str()));
        let head = serde_json::json!({"by": by, "category": category, "fields": names.into_vec()})
            .to_string();
        let sources = fields
            .into_iter()
            .flat_map(|(field, kinds)| kinds.into_iter().map(move |kind| (field, kind)));
        Self {
            head: format!("{},\"in_text\":", head.strip_suffix('}').unwrap_or(&head)),
            middle: format!(",\"level\":\"{}\",\"records\":", same.level.as_str()),
            sources: sources.collect(),
        }
    }
    fn numbers(&self, counted: &[FieldCount<'_>]) -> Numbers {
        let (mut records, mut in_text) = (0, 0_u64);
        for (field, kind) in &self.sources {
            let Some(count) = counted.get(*field) else {
                continue;
            };
            // Fields of one entry mostly stand in the same records, so the sum would count those many times.
            records = count.records.max(records);
            let found = kind.and_then(|kind| count.in_text.get(&kind));
            in_text = in_text.saturating_add(found.copied().unwrap_or_default());
        }
        (integer(in_text), integer(records))
    }
}
