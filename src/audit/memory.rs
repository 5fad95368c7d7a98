//! Terms that were spelled before: most replies show the same fields on the same terms, and only the counts differ.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::detect::Kind;
use crate::filter::{FieldCount, FieldCounts, FieldSet};

use super::chain::Head;
use super::disclosure::{Disclosure, Same, of_field, of_span};
use super::event::integer;
use super::format::VERSION;
use super::format::brief::{Definition, Entry, TERMS, Terms};
use super::format::counts::Count;
use super::names::{Names, is_plain, visible};

/// Templates that are kept.
const TEMPLATES_MAX: usize = 256;
/// Fields of the largest one that is kept.
const FIELDS_MAX: usize = 512;
/// Texts that are kept, and bytes of the longest one.
const TEXTS_MAX: usize = 512;
const TEXT_BYTES_MAX: usize = 64 << 10;

/// What one log remembers of terms. It says nothing that could not be worked out anew.
#[derive(Debug, Default)]
pub(super) struct Memory {
    templates: Vec<Template>,
    spelled: HashMap<Box<str>, Arc<Spelled>>,
}

/// Terms as they are written.
#[derive(Debug)]
pub(super) struct Spelled {
    id: String,
    text: Box<RawValue>,
}

/// The terms of replies that show the same fields, and where their counts come from.
#[derive(Debug)]
struct Template {
    /// The terms without their data.
    frame: Terms,
    /// The fields that it is about. Held, so that their address is not given to others.
    fields: Arc<FieldSet>,
    /// The kinds of identifier that were found in texts, by place of the field.
    kinds: Vec<(usize, Kind)>,
    /// Which fields count for each entry, and whether for identifiers of a kind.
    sources: Vec<Vec<(usize, Option<Kind>)>>,
    terms: Arc<Spelled>,
}

impl Spelled {
    fn new(terms: &Terms) -> serde_json::Result<Self> {
        Self::of_text(serde_json::to_string(terms)?)
    }

    fn of_text(text: String) -> serde_json::Result<Self> {
        let id = Terms::id_of(&text);
        let text = RawValue::from_string(text)?;
        Ok(Self { id, text })
    }

    /// The id that events name them by.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What they say.
    pub(super) fn read(&self) -> serde_json::Result<Terms> {
        serde_json::from_str(self.text.get())
    }

    /// Appends the event that says them, as the one behind another, without a newline.
    pub(super) fn line(
        &self,
        after: &Head,
        (node, time): (&str, &str),
        out: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let definition = Definition {
            event: TERMS.into(),
            id: self.id.clone(),
            node: node.to_owned(),
            prev: after.hash.clone(),
            seq: after.seq + 1,
            terms: &*self.text,
            time: time.to_owned(),
            v: VERSION,
        };
        serde_json::to_writer(out, &definition)
    }
}

impl Memory {
    /// The terms of a request that met no fields.
    pub(super) fn bare(&mut self, frame: &Terms) -> serde_json::Result<Arc<Spelled>> {
        let text = serde_json::to_string(frame)?;
        if let Some(known) = self.spelled.get(text.as_str()) {
            return Ok(Arc::clone(known));
        }
        let is_kept = text.len() <= TEXT_BYTES_MAX;
        let key = text.clone();
        let terms = Arc::new(Spelled::of_text(text)?);
        if is_kept {
            if self.spelled.len() >= TEXTS_MAX {
                self.spelled.clear();
            }
            self.spelled.insert(key.into(), Arc::clone(&terms));
        }
        Ok(terms)
    }

    /// The terms of a request that met these fields, and how much of each entry there was.
    pub(super) fn told(
        &mut self,
        frame: &Terms,
        disclosure: &mut Disclosure,
    ) -> serde_json::Result<(Arc<Spelled>, Vec<Count>)> {
        if let Some(fields) = disclosure.only() {
            return self.of_fields(frame, fields);
        }
        let (data, counts) = disclosure.entries();
        let terms = Terms {
            data,
            ..frame.clone()
        };
        Ok((self.bare(&terms)?, counts))
    }

    fn of_fields(
        &mut self,
        frame: &Terms,
        fields: &FieldCounts,
    ) -> serde_json::Result<(Arc<Spelled>, Vec<Count>)> {
        if fields.is_empty() {
            return Ok((self.bare(frame)?, Vec::new()));
        }
        let known = self.templates.iter().find(|one| one.is_of(frame, fields));
        if let Some(template) = known {
            return Ok((Arc::clone(&template.terms), template.counts(fields)));
        }
        let template = Template::new(frame, fields)?;
        let told = (Arc::clone(&template.terms), template.counts(fields));
        if fields.len() <= FIELDS_MAX {
            if self.templates.len() >= TEMPLATES_MAX {
                self.templates.clear();
            }
            self.templates.push(template);
        }
        Ok(told)
    }
}

/// The kinds that were found in texts, by place of the field.
fn kinds(counts: &FieldCounts) -> impl Iterator<Item = (usize, Kind)> {
    let in_text = counts.in_text().iter();
    in_text.flat_map(|(place, found)| found.keys().map(|kind| (*place, *kind)))
}

impl Template {
    fn is_of(&self, frame: &Terms, counts: &FieldCounts) -> bool {
        Arc::ptr_eq(&self.fields, counts.set())
            && kinds(counts).eq(self.kinds.iter().copied())
            && self.frame == *frame
    }

    fn new(frame: &Terms, counts: &FieldCounts) -> serde_json::Result<Self> {
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
                match count.rule.show.span(*kind) {
                    Some(span) => add(of_span(span, &count.rule.module), field, Some(*kind)),
                    None => of_field(count.rule)
                        .into_iter()
                        .for_each(|same| add(same, field, Some(*kind))),
                }
            }
        }
        let counted: Vec<FieldCount<'_>> = counts.values().collect();
        let (mut data, mut sources) = (Vec::new(), Vec::new());
        for (same, fields) in entries {
            let mut names = Names::default();
            for count in fields.keys().filter_map(|field| counted.get(*field)) {
                if count.rule.known || is_plain(count.rule.field.as_str()) {
                    names.name(&count.path());
                } else {
                    names.count(Some(&count.rule.module));
                }
            }
            data.push(entry(&same, names));
            let of_field = |(field, kinds): (usize, Vec<Option<Kind>>)| {
                kinds.into_iter().map(move |kind| (field, kind))
            };
            sources.push(fields.into_iter().flat_map(of_field).collect());
        }
        let terms = Terms {
            data,
            ..frame.clone()
        };
        Ok(Self {
            frame: frame.clone(),
            fields: Arc::clone(counts.set()),
            kinds: kinds(counts).collect(),
            sources,
            terms: Arc::new(Spelled::new(&terms)?),
        })
    }

    fn counts(&self, counts: &FieldCounts) -> Vec<Count> {
        let counted: Vec<FieldCount<'_>> = counts.values().collect();
        let of_entry = |sources: &Vec<(usize, Option<Kind>)>| numbers(sources, &counted);
        self.sources.iter().map(of_entry).collect()
    }
}

/// The entry of fields with the same result.
pub(super) fn entry(same: &Same, names: Names) -> Entry {
    Entry {
        by: same.by.iter().map(|rule| visible(rule.as_str())).collect(),
        category: same.category.as_ref().map(|name| visible(name.as_str())),
        fields: names.into_vec(),
        level: same.level,
        would: same.would.as_ref().map(|(level, _)| *level),
        would_by: same
            .would
            .iter()
            .flat_map(|(_, by)| by)
            .map(|rule| visible(rule.as_str()))
            .collect(),
    }
}

fn numbers(sources: &[(usize, Option<Kind>)], counted: &[FieldCount<'_>]) -> Count {
    let (mut records, mut in_text) = (0, 0_u64);
    for (field, kind) in sources {
        let Some(count) = counted.get(*field) else {
            continue;
        };
        // Fields of one entry mostly stand in the same records, so the sum would count those many times.
        records = count.records.max(records);
        let found = kind.and_then(|kind| count.in_text.get(&kind));
        in_text = in_text.saturating_add(found.copied().unwrap_or_default());
    }
    (integer(records), integer(in_text))
}
