//! What is known of the records of one module in one reply: its fields, in the order in which they were met.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::sync::Arc;

use crate::detect::Kind;
use crate::json::plain::{behind_plain_list, behind_plain_scalar};
use crate::policy::{FieldRule, KnownFields, QuotedName, ValueFate};
use crate::vocabulary::{Field, Module};

use super::reader::Type;
use super::report::{FieldCount, InText, Misfit, NOTHING};
use super::seen::Seen;

/// The book of one module. A field's place is its number among those that were met.
#[derive(Debug)]
pub(super) struct ModuleBook {
    pub(super) module: Module,
    pub(super) known: Arc<KnownFields>,
    /// Which of the module's rules its records have; `None`, where all have the same.
    pub(super) number: Option<u64>,
    /// Whether it counts as taking room.
    pub(super) has_room: bool,
    /// Fields that were asked for to judge records only.
    pub(super) added: Arc<BTreeSet<Field>>,
    /// Fields that are read to judge records.
    pub(super) read: Arc<BTreeSet<Field>>,
    /// By number of a known field: its place, once it was met.
    places: Vec<Option<u32>>,
    /// The places of fields that nobody knows.
    strangers: HashMap<Field, usize>,
    rules_of_strangers: Vec<Arc<FieldRule>>,
    met: Vec<Met>,
    /// By place: in how many records the field was present.
    records: Vec<u64>,
    /// The place of the field with which a record began the last time.
    first: usize,
    /// Whether that, or what follows a field, is other than expected.
    is_news: bool,
    /// What the records that were counted last have shown, and how many of them in a row were alike. Records of a list
    /// mostly are, so that only their number changes.
    alike: (Seen, u64),
    /// By place: identifiers found in the field's text.
    in_text: BTreeMap<usize, InText>,
    /// By place: the type of a value that could not be shown because of it.
    misfits: BTreeMap<usize, Type>,
    passed: Vec<Scaffolding>,
}

/// A field that was met, or is expected to be.
#[derive(Clone, Copy, Debug)]
struct Met {
    name: QuotedName,
    /// Its number among the known fields of its module, or, behind those, among the strangers.
    number: u32,
    /// The place of the field that came next the last time.
    next: u32,
    /// Whether it was asked for to judge records only.
    is_added: bool,
    /// Its number among the fields that are read to judge records.
    wanted: Option<u32>,
}

/// An object or array that passed unchanged.
#[derive(Debug)]
struct Scaffolding {
    /// The field that held it.
    place: usize,
    /// How deep in the reply it stood.
    depth: usize,
    text: Box<[u8]>,
    /// How many different ones there have been.
    times: u32,
}

/// Fields whose scaffolding is remembered.
const SCAFFOLDING_MAX: usize = 8;
/// Different ones after which no more are remembered.
const TIMES_MAX: u32 = 4;

/// What is left of a text of which fields have passed.
#[derive(Debug)]
pub(super) struct Remainder<'t> {
    /// From the first field that has not passed.
    pub(super) text: &'t [u8],
    /// That field, if it is the expected one, and new.
    pub(super) named: Option<Named<'t>>,
}

/// A field whose name has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'t> {
    pub(super) place: usize,
    /// Its number among the known fields, if it is known.
    pub(super) number: usize,
    pub(super) fate: ValueFate,
    /// The text from its value on.
    pub(super) value: &'t [u8],
}

impl ModuleBook {
    pub(super) fn new(
        module: &Module,
        known: Arc<KnownFields>,
        added: Arc<BTreeSet<Field>>,
        read: Arc<BTreeSet<Field>>,
    ) -> Self {
        let mut book = Self {
            module: module.clone(),
            places: vec![None; known.len()],
            known,
            number: None,
            has_room: false,
            added,
            read,
            strangers: HashMap::new(),
            rules_of_strangers: Vec::new(),
            met: Vec::with_capacity(FIELDS_USUAL),
            records: Vec::with_capacity(FIELDS_USUAL),
            first: 0,
            is_news: false,
            alike: Default::default(),
            in_text: BTreeMap::new(),
            misfits: BTreeMap::new(),
            passed: Vec::new(),
        };
        book.expect_as_before();
        book
    }

    /// Expects the fields that earlier replies have shown, in their order.
    fn expect_as_before(&mut self) {
        let mut last = None;
        while let Some(number) = self.known.follower(last)
            && self.places.get(number) == Some(&None)
            && self.meet_known(number).is_some()
        {
            last = Some(number);
        }
    }

    /// How many fields were met, or are expected to be.
    pub(super) fn len(&self) -> usize {
        self.met.len()
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
        let stranger = self.strangers.get(name);
        let stranger = stranger.or_else(|| self.strangers.get(&Field::fold(name)));
        stranger.copied()
    }

    fn meet_known(&mut self, number: usize) -> Option<usize> {
        let name = *self.known.name(number)?;
        let rule = self.known.rule(number)?;
        let needed = (self.adds(rule), self.wants(rule));
        let place = self.meet(name, number, needed)?;
        *self.places.get_mut(number)? = Some(u32::try_from(place).ok()?);
        Some(place)
    }

    /// Meets a field that nobody knows.
    pub(super) fn meet_stranger(&mut self, name: &str, rule: Arc<FieldRule>) -> Option<usize> {
        let number = self.known.len() + self.rules_of_strangers.len();
        let needed = (self.adds(&rule), self.wants(&rule));
        let place = self.meet(QuotedName::new(&rule), number, needed)?;
        self.rules_of_strangers.push(rule);
        self.strangers.insert(Field::fold(name), place);
        Some(place)
    }

    fn adds(&self, rule: &FieldRule) -> bool {
        self.has_added() && self.added.contains(&rule.field)
    }

    fn wants(&self, rule: &FieldRule) -> Option<u32> {
        let place = self.read.iter().position(|field| *field == rule.field)?;
        u32::try_from(place).ok()
    }

    /// The number of a field among those that are read to judge records.
    pub(super) fn wanted(&self, place: usize) -> Option<usize> {
        Some(self.met.get(place)?.wanted? as usize)
    }

    /// Whether any field was asked for to judge records only.
    pub(super) fn has_added(&self) -> bool {
        !self.added.is_empty()
    }

    /// Whether a field was.
    pub(super) fn is_added(&self, place: usize) -> bool {
        self.met.get(place).is_some_and(|met| met.is_added)
    }

    fn meet(
        &mut self,
        mut name: QuotedName,
        number: usize,
        (is_added, wanted): (bool, Option<u32>),
    ) -> Option<usize> {
        let place = self.met.len();
        if is_added || wanted.is_some() {
            // It is cut, or noted, whatever becomes of others: nobody may pass it without a look.
            name.fate = match name.fate {
                ValueFate::Id { .. } => ValueFate::Id { stays: false },
                ValueFate::Module { .. } => ValueFate::Module { stays: false },
                _ => ValueFate::Ruled,
            };
        }
        self.met.push(Met {
            name,
            number: u32::try_from(number).ok()?,
            next: u32::try_from(place + 1).ok()?,
            is_added,
            wanted,
        });
        self.records.push(0);
        Some(place)
    }

    /// The number of a field among the known ones, if it is known.
    #[inline]
    pub(super) fn number(&self, place: usize) -> Option<usize> {
        let number = self.met.get(place)?.number as usize;
        (number < self.known.len()).then_some(number)
    }

    /// The rule of a field.
    pub(super) fn rule(&self, place: usize) -> Option<&Arc<FieldRule>> {
        let number = self.met.get(place)?.number as usize;
        match number.checked_sub(self.known.len()) {
            None => self.known.rule(number),
            Some(stranger) => self.rules_of_strangers.get(stranger),
        }
    }

    /// How a field is recognised.
    #[inline]
    pub(super) fn name(&self, place: usize) -> Option<&QuotedName> {
        self.met.get(place).map(|met| &met.name)
    }

    /// The place of the field that followed another one, or began a record, the last time.
    #[inline]
    pub(super) fn next(&self, after: Option<usize>) -> usize {
        match after {
            None => self.first,
            Some(after) => self
                .met
                .get(after)
                .map_or(usize::MAX, |met| met.next as usize),
        }
    }

    /// Remembers what followed a field, or began a record.
    pub(super) fn expect(&mut self, after: Option<usize>, place: usize) {
        self.is_news = true;
        match after {
            None => self.first = place,
            Some(after) => {
                if let (Some(met), Ok(place)) = (self.met.get_mut(after), u32::try_from(place)) {
                    met.next = place;
                }
            }
        }
    }

    /// Tells in which order known fields have come.
    fn tell_order(&self) {
        let (mut last, mut place) = (None, self.first);
        // No longer than there are fields: they may have come in a circle.
        for _ in &self.met {
            if let Some(number) = self.number(place) {
                self.known.follows(last, number);
                last = Some(number);
            }
            place = self.next(Some(place));
        }
    }

    /// Passes the fields that a text begins with for as long as each is the expected one, is shown in clear, has a scalar
    /// without escapes for a value, or a list of such, if `lists` are allowed here, and another field right behind it.
    /// Everything else is left to who looks at every case.
    pub(super) fn pass_expected<'t>(
        &self,
        (mut text, lists): (&'t [u8], bool),
        seen: &mut Seen,
        last: &mut Option<usize>,
    ) -> Remainder<'t> {
        loop {
            let from = self.next(*last);
            // Fields stand in order mostly, so that one look tells for a whole run that none comes twice.
            let limit = seen.first_from(from).unwrap_or(usize::MAX);
            let (mut end, mut named) = (from, None);
            while end < limit
                && let Some(met) = self.met.get(end)
                && let Some(value) = met.name.key.behind(text)
            {
                let passed = match met.name.fate {
                    ValueFate::Stays { lists: stay } => {
                        let behind = behind_plain_scalar(value);
                        let is_list = behind.is_none() && stay && lists;
                        let behind = if is_list {
                            behind_plain_list(value)
                        } else {
                            behind
                        };
                        behind.and_then(behind_comma)
                    }
                    _ => None,
                };
                let Some(behind) = passed else {
                    named = Some(Named {
                        place: end,
                        number: met.number as usize,
                        fate: met.name.fate,
                        value,
                    });
                    end += 1;
                    break;
                };
                text = behind;
                end += 1;
                if met.next as usize != end {
                    break;
                }
            }
            if end > from {
                seen.insert_run(from..end);
                *last = Some(end - 1);
            }
            if named.is_some() || end == from || self.next(*last) == end {
                return Remainder { text, named };
            }
        }
    }

    /// See [`super::books::Books::passes_again`].
    pub(super) fn passes_again(&self, place: usize, text: &[u8], depth: usize) -> Option<usize> {
        let passed = self.passed.iter().find(|passed| passed.place == place)?;
        let fits = depth <= passed.depth && text.starts_with(&passed.text);
        fits.then_some(passed.text.len())
    }

    /// See [`super::books::Books::passed`].
    pub(super) fn passed(&mut self, place: usize, text: &[u8], depth: usize) {
        let is_room = self.passed.len() < SCAFFOLDING_MAX;
        match self.passed.iter_mut().find(|passed| passed.place == place) {
            // It differs from record to record.
            Some(passed) if passed.times >= TIMES_MAX => {}
            Some(passed) => {
                passed.times += 1;
                passed.depth = depth;
                passed.text = text.into();
            }
            None if !is_room => {}
            None => self.passed.push(Scaffolding {
                place,
                depth,
                times: 1,
                text: text.into(),
            }),
        }
    }

    /// Counts the fields of one more record; leaves in `seen` a set that is no longer needed.
    pub(super) fn count(&mut self, seen: &mut Seen) {
        if !seen.is_like(&self.alike.0) {
            self.spread();
            mem::swap(seen, &mut self.alike.0);
        }
        self.alike.1 += 1;
    }

    /// Counts the fields of the last records that were alike, each for itself.
    fn spread(&mut self) {
        let records = mem::take(&mut self.alike.1);
        self.alike.0.counted(|place| {
            if let Some(counted) = self.records.get_mut(place) {
                *counted += records;
            }
        });
    }

    /// Counts a field beside what a record has shown.
    pub(super) fn present(&mut self, place: usize) {
        if let Some(counted) = self.records.get_mut(place) {
            *counted += 1;
        }
    }

    /// Counts an identifier in the text of a field.
    pub(super) fn found(&mut self, place: usize, kind: Kind) {
        *self
            .in_text
            .entry(place)
            .or_default()
            .entry(kind)
            .or_default() += 1;
    }

    /// Notes that the value of a field was of a type that its rule cannot show.
    pub(super) fn misfit(&mut self, place: usize, kind: Type) {
        self.misfits.entry(place).or_insert(kind);
    }

    /// The fields of which that was so.
    pub(super) fn misfits(&self) -> impl Iterator<Item = Misfit> {
        self.misfits.iter().filter_map(|(place, kind)| {
            Some(Misfit {
                rule: self.rule(*place)?.clone(),
                kind: kind.as_str(),
            })
        })
    }

    /// Forgets what one reply has shown, but for the fields that were met. Tells whether the book is worth keeping for
    /// another reply: not if it knows of no fields beforehand, or if somebody has filled it with names of their own.
    pub(super) fn clear(&mut self) -> bool {
        self.records.fill(0);
        self.is_news = false;
        self.alike.1 = 0;
        self.in_text.clear();
        self.misfits.clear();
        self.passed.clear();
        !self.known.is_empty()
            && self.strangers.len() <= STRANGERS_KEPT_MAX
            && self.met.len() <= MET_KEPT_MAX
    }

    /// Ends the counting.
    pub(super) fn close(&mut self) {
        self.spread();
        if self.is_news {
            self.tell_order();
        }
    }

    /// The counts of all fields that hold data, in the order in which they were met.
    pub(super) fn counts(&self) -> impl Iterator<Item = FieldCount<'_>> {
        let occurred = self.records.iter().enumerate();
        let occurred = occurred.filter(|(_, records)| **records > 0);
        occurred.filter_map(|(place, records)| {
            Some(FieldCount {
                rule: self.rule(place).filter(|rule| !rule.structural)?,
                records: *records,
                in_text: self.in_text.get(&place).unwrap_or(&NOTHING),
            })
        })
    }
}

/// What stands behind the comma that a text begins with, if that is another key.
#[inline(always)]
fn behind_comma(text: &[u8]) -> Option<&[u8]> {
    (text.first_chunk()? == b",\"").then(|| text.get(1..))?
}

/// Fields that nobody knows in a book that is kept.
const STRANGERS_KEPT_MAX: usize = 64;
/// Fields in a book that is kept.
const MET_KEPT_MAX: usize = 512;

/// Fields for which room is made beforehand.
const FIELDS_USUAL: usize = 128;
