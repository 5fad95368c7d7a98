//! What is known of the records of one module in one reply: its fields, in the order in which they were met.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::sync::Arc;

use crate::detect::Kind;
use crate::policy::{FieldRule, KnownFields, QuotedName};
use crate::vocabulary::{Field, Module};

use super::FieldCount;
use super::reader::behind_plain_scalar;
use super::seen::Seen;

/// The book of one module. A field's place is its number among those that were met.
#[derive(Debug)]
pub(super) struct ModuleBook {
    pub(super) module: Module,
    pub(super) known: Arc<KnownFields>,
    /// By number of a known field: its place, once it was met.
    places: Vec<Option<u32>>,
    /// The places of fields that nobody knows.
    strangers: HashMap<Field, usize>,
    met: Vec<Met>,
    /// The place of the field with which a record began the last time.
    first: usize,
    /// What the records that were counted last have shown, and how many of them in a row were alike. Records of a list
    /// mostly are, so that only their number changes.
    alike: (Seen, u64),
    /// By place: identifiers found in the field's text.
    in_text: BTreeMap<usize, [u64; Kind::ALL.len()]>,
}

/// A field that was met.
#[derive(Debug)]
pub(super) struct Met {
    pub(super) name: QuotedName,
    pub(super) rule: Arc<FieldRule>,
    /// Its number among the known fields of its module, if it is known.
    pub(super) number: Option<u32>,
    /// The place of the field that came next the last time.
    next: usize,
    /// In how many records it was present.
    records: u64,
}

/// What is left of a text of which fields have passed.
#[derive(Debug)]
pub(super) struct Passed<'t> {
    /// From the first field that has not passed.
    pub(super) text: &'t [u8],
    /// The place of that field, if it is the expected one, new, and only its rule looks at it; and its value.
    pub(super) named: Option<(usize, &'t [u8])>,
}

impl ModuleBook {
    pub(super) fn new(module: &Module, known: Arc<KnownFields>) -> Self {
        Self {
            module: module.clone(),
            places: vec![None; known.len()],
            known,
            strangers: HashMap::new(),
            met: Vec::new(),
            first: 0,
            alike: Default::default(),
            in_text: BTreeMap::new(),
        }
    }

    /// How many fields were met.
    pub(super) fn len(&self) -> usize {
        self.met.len()
    }

    pub(super) fn met(&self, place: usize) -> Option<&Met> {
        self.met.get(place)
    }

    /// The place of a field that was met, or is known.
    pub(super) fn place(&mut self, name: &str) -> Option<usize> {
        if let Some(number) = self.known.number(name) {
            let place = self.places.get(number).copied().flatten();
            return match place {
                Some(place) => Some(place as usize),
                None => self.meet_known(number),
            };
        }
        let place = self.strangers.get(name);
        place
            .or_else(|| self.strangers.get(&Field::fold(name)))
            .copied()
    }

    fn meet_known(&mut self, number: usize) -> Option<usize> {
        let (rule, name) = (self.known.rule(number)?.clone(), *self.known.name(number)?);
        let place = self.meet(name, rule, u32::try_from(number).ok());
        *self.places.get_mut(number)? = Some(u32::try_from(place).ok()?);
        Some(place)
    }

    /// Meets a field that nobody knows.
    pub(super) fn meet_stranger(&mut self, name: &str, rule: Arc<FieldRule>) -> usize {
        let place = self.meet(QuotedName::new(&rule), rule, None);
        self.strangers.insert(Field::fold(name), place);
        place
    }

    fn meet(&mut self, name: QuotedName, rule: Arc<FieldRule>, number: Option<u32>) -> usize {
        let place = self.met.len();
        self.met.push(Met {
            name,
            rule,
            number,
            next: place + 1,
            records: 0,
        });
        place
    }

    /// The place of the field that followed another one, or began a record, the last time.
    #[inline]
    pub(super) fn next(&self, after: Option<usize>) -> usize {
        match after {
            None => self.first,
            Some(after) => self.met.get(after).map_or(usize::MAX, |met| met.next),
        }
    }

    /// Remembers what followed a field, or began a record.
    pub(super) fn expect(&mut self, after: Option<usize>, place: usize) {
        match after {
            None => self.first = place,
            Some(after) => {
                if let Some(met) = self.met.get_mut(after) {
                    met.next = place;
                }
            }
        }
    }

    /// Passes the fields that a text begins with for as long as each is the expected one, is shown in clear, has a scalar
    /// without escapes for a value, and another field right behind it. Everything else is left to who looks at every
    /// case.
    pub(super) fn pass_expected<'t>(
        &self,
        mut text: &'t [u8],
        seen: &mut Seen,
        last: &mut Option<usize>,
    ) -> Passed<'t> {
        loop {
            let from = self.next(*last);
            // Fields stand in order mostly, so that one look tells for a whole run that none comes twice.
            let limit = seen.first_from(from).unwrap_or(usize::MAX);
            let (mut place, mut named) = (from, None);
            while place < limit
                && let Some(met) = self.met.get(place)
                && let Some(value) = met.name.key.behind(text)
            {
                let behind = match met.name.is_clear {
                    true => behind_plain_scalar(value),
                    false => None,
                };
                let Some([b',', behind @ ..]) =
                    behind.filter(|behind| behind.get(1) == Some(&b'"'))
                else {
                    named = (!met.name.is_looked_at).then_some((place, value));
                    break;
                };
                text = behind;
                place += 1;
                if met.next != place {
                    break;
                }
            }
            if place > from {
                seen.insert_run(from..place);
                *last = Some(place - 1);
            }
            if named.is_some() || place == from || self.next(*last) == place {
                return Passed { text, named };
            }
        }
    }

    /// Counts the fields of one more record; leaves in `seen` a set that is no longer needed.
    pub(super) fn count(&mut self, seen: &mut Seen) {
        if *seen != self.alike.0 {
            self.spread();
            mem::swap(seen, &mut self.alike.0);
        }
        self.alike.1 += 1;
    }

    /// Counts the fields of the last records that were alike, each for itself.
    fn spread(&mut self) {
        let records = mem::take(&mut self.alike.1);
        self.alike.0.counted(|place| {
            if let Some(met) = self.met.get_mut(place) {
                met.records += records;
            }
        });
    }

    /// Counts a field beside what a record has shown.
    pub(super) fn present(&mut self, place: usize) {
        if let Some(met) = self.met.get_mut(place) {
            met.records += 1;
        }
    }

    /// Counts an identifier in the text of a field.
    pub(super) fn found(&mut self, place: usize, kind: Kind) {
        let found = self.in_text.entry(place).or_default();
        if let Some(found) = found.get_mut(kind as usize) {
            *found += 1;
        }
    }

    /// The counts of all fields that hold data; those of known fields first, in the order of their names.
    pub(super) fn close(mut self) -> Vec<FieldCount> {
        self.spread();
        let known = self.places.iter().flatten().map(|place| *place as usize);
        let strangers = self.strangers.values().copied();
        let counted = |place: usize| {
            let met = self.met.get(place)?;
            (met.records > 0 && !met.rule.structural).then(|| FieldCount {
                rule: met.rule.clone(),
                records: met.records,
                in_text: self.in_text.get(&place).map(by_kind).unwrap_or_default(),
            })
        };
        known.chain(strangers).filter_map(counted).collect()
    }
}

fn by_kind(found: &[u64; Kind::ALL.len()]) -> BTreeMap<Kind, u64> {
    let count = |kind: Kind| Some((kind, *found.get(kind as usize)?));
    Kind::ALL
        .into_iter()
        .filter_map(count)
        .filter(|(_, found)| *found > 0)
        .collect()
}
