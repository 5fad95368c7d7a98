//! Questions to an index: each shape is asked once, then events are numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;

use super::super::format::Phase;
use super::super::format::full::Request;
use super::super::query::{Hit, Looking, Place, Query, Said};
use super::Trouble;
use super::block::{Block, NOTICE, Name, REQUEST, SEQ_MAX};
use super::look::{Era, Index, Words};
use super::store::{Table, Unusable, damaged};

/// What each combination says to a question, in one era.
type Answers = Vec<Answer>;

/// What a combination says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    No,
    /// A request that matches.
    Yes,
    /// A request that would match if the categories of the fields that it named were known.
    Unknown,
    /// An opening event that matches, if nothing closes it.
    Opened,
}

/// A question to an index.
struct Asking<'i> {
    index: &'i Index,
    eras: Vec<Era>,
    answers: Vec<Answers>,
    /// Whether it finds what is not about a request.
    finds_notices: bool,
    within: RangeInclusive<u64>,
}

impl Index {
    /// Hands the places of all events that match to `sink`, in order, until it breaks off; and notes in `looking` what whoever
    /// reads on behind the index must know.
    pub(in crate::audit) fn ask(
        &self,
        dir: &Path,
        looking: &mut Looking<'_>,
        sink: &mut dyn FnMut(Place) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let (words, eras) = (self.words()?, self.eras()?);
        let used = self.used(&words, &eras)?;
        learn(&words, &eras, &used, looking);
        let query = looking.query;
        let answers = eras.iter().map(|era| words.answers(query, era));
        let asking = Asking {
            index: self,
            answers: answers.collect(),
            finds_notices: query.asks_no_request(),
            within: looking.stretch.known(),
            eras,
        };
        asking.unclosed(looking)?;
        match asking.candidates(dir, looking)? {
            Some(candidates) => asking.among(dir, &candidates, looking, sink),
            None => asking.all(looking, sink),
        }
    }

    /// Which combinations there are in each era; whether every stretch is what was written.
    fn used(&self, words: &Words, eras: &[Era]) -> Result<Vec<Vec<bool>>, Unusable> {
        let mut used = vec![vec![false; words.combinations.len()]; eras.len()];
        let mut events = 0;
        self.store
            .each(Table::Blocks, 0..SEQ_MAX, &mut |first_seq, body| {
                let block = Block::read(body)?;
                events += block.kinds.len() as u64;
                let mut era = era_of(eras, first_seq);
                for (seq, kind) in (first_seq..).zip(&block.kinds) {
                    while eras.get(era + 1).is_some_and(|next| next.from <= seq) {
                        era += 1;
                    }
                    if let Some(number) = kind.checked_sub(REQUEST) {
                        let known = used
                            .get_mut(era)
                            .and_then(|used| used.get_mut(number as usize));
                        *known.ok_or_else(|| damaged("a word is missing"))? = true;
                    }
                }
                Ok(())
            })?;
        match events == self.state.events() {
            true => Ok(used),
            false => Err(damaged("a stretch is missing")),
        }
    }
}

impl Words {
    /// What each combination says to a question. Each shape is asked once.
    fn answers(&self, query: &Query, era: &Era) -> Answers {
        let of_shape = |shape: &Request| match shape.phase {
            Phase::Continued => Answer::No,
            Phase::Opened if query.may_open(shape) => Answer::Opened,
            Phase::Opened => Answer::No,
            Phase::Closed => match query.said_of_shape(shape, &era.policies) {
                Said::Yes => Answer::Yes,
                Said::No => Answer::No,
                Said::Unknown => Answer::Unknown,
            },
        };
        let shapes: Answers = self.shapes.iter().map(of_shape).collect();
        let combinations = self.combinations.iter();
        let answer = |one: &[u32; 3]| match self.suits(query, *one) {
            true => shapes[one[0] as usize],
            false => Answer::No,
        };
        combinations.map(answer).collect()
    }

    /// Whether the caller and the network of a combination are those that are asked for.
    fn suits(&self, query: &Query, [_, caller, origin]: [u32; 3]) -> bool {
        let caller = self.callers[caller as usize].as_ref();
        let caller = caller.map(|[id, name]| (id.as_str(), name.as_str()));
        query.suits_caller(caller) && query.suits_origin(&self.origins[origin as usize])
    }

    /// Whether an event of a combination has a value that is asked for.
    fn has(&self, query: &Query, era: &Era, one: [u32; 3]) -> bool {
        let shape = &self.shapes[one[0] as usize];
        self.suits(query, one) && query.said_of_shape(shape, &era.policies) == Said::Yes
    }
}

/// Notes what events tell of policies, categories, and values of filters.
fn learn(words: &Words, eras: &[Era], used: &[Vec<bool>], looking: &mut Looking<'_>) {
    if let Some(last) = eras.last() {
        looking.policies = last.policies.clone();
    }
    let there = |era: usize| {
        let each = words.combinations.iter().zip(&used[era]);
        each.filter(|(_, used)| **used).map(|(one, _)| *one)
    };
    let all = (0..eras.len()).flat_map(there);
    let shapes: BTreeSet<u32> = all.map(|[shape, _, _]| shape).collect();
    for shape in shapes {
        looking.policies.meet(&words.shapes[shape as usize].data);
    }
    looking.unseen.retain(|(_, query)| {
        let in_era =
            |(number, era): (usize, &Era)| there(number).any(|one| words.has(query, era, one));
        !eras.iter().enumerate().any(in_era)
    });
}

/// The place of the era of an event.
fn era_of(eras: &[Era], seq: u64) -> usize {
    eras.partition_point(|era| era.from <= seq)
        .saturating_sub(1)
}

impl Asking<'_> {
    /// What an event says.
    fn answer(&self, seq: u64, kind: u32) -> Answer {
        match kind.checked_sub(REQUEST) {
            Some(number) => {
                let answers = self.answers.get(era_of(&self.eras, seq));
                let answer = answers.and_then(|answers| answers.get(number as usize));
                answer.copied().unwrap_or(Answer::No)
            }
            None if kind == NOTICE && self.finds_notices => Answer::Yes,
            None => Answer::No,
        }
    }

    /// Events whose shape matches: all of them.
    fn all(
        &self,
        looking: &mut Looking<'_>,
        sink: &mut dyn FnMut(Place) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let (from, to) = (*self.within.start(), *self.within.end());
        let mut has_stopped = false;
        self.index
            .store
            .each(Table::Blocks, 0..SEQ_MAX, &mut |first_seq, body| {
                if has_stopped || first_seq > to {
                    return Ok(());
                }
                let block = Block::read(body)?;
                if first_seq + block.kinds.len() as u64 <= from {
                    return Ok(());
                }
                let mut offset = block.head.offset;
                for ((seq, kind), length) in (first_seq..).zip(&block.kinds).zip(&block.lengths) {
                    let place = Place {
                        segment: block.head.segment,
                        offset,
                        seq,
                    };
                    offset += u64::from(*length);
                    if !self.within.contains(&seq) {
                        continue;
                    }
                    match self.answer(seq, *kind) {
                        Answer::Yes if sink(place).is_break() => {
                            has_stopped = true;
                            return Ok(());
                        }
                        Answer::Unknown => looking.untold += 1,
                        Answer::Yes | Answer::No | Answer::Opened => {}
                    }
                }
                Ok(())
            })?;
        Ok(())
    }

    /// The numbers of the events that are about what was asked by id or record; `None` if that was not asked.
    fn candidates(
        &self,
        dir: &Path,
        looking: &mut Looking<'_>,
    ) -> Result<Option<BTreeSet<u64>>, Trouble> {
        let mut found: Option<BTreeSet<u64>> = None;
        if !looking.records.is_empty() {
            found = Some(self.naming(dir, looking)?);
        }
        if !looking.query.ids().is_empty() {
            let mut of_ids = BTreeSet::new();
            for id in looking.query.ids() {
                of_ids.extend(self.index.named(Name::Id(id))?);
            }
            found = Some(match found {
                Some(found) => found.intersection(&of_ids).copied().collect(),
                None => of_ids,
            });
        }
        Ok(found)
    }

    /// The events that close a request which named a record that is asked for. Requests that did and were not closed yet are
    /// noted.
    fn naming(&self, dir: &Path, looking: &mut Looking<'_>) -> Result<BTreeSet<u64>, Trouble> {
        let mut numbers = BTreeSet::new();
        for record in &looking.records {
            for name in &record.names {
                numbers.extend(self.index.named(Name::Record(name))?);
            }
        }
        let mut found = BTreeSet::new();
        // Of requests, by id: the events that name a record before the one that closes it.
        let mut continued: BTreeMap<String, u64> = BTreeMap::new();
        for seq in numbers {
            let place = self.index.place_of(seq)?;
            let event = self.index.request(dir, place)?;
            if !looking.names_record(&event) {
                continue;
            }
            match event.phase {
                Phase::Closed => {
                    found.insert(seq);
                }
                Phase::Continued => {
                    continued.entry(event.id).or_insert(seq);
                }
                Phase::Opened => {}
            }
        }
        for (id, from) in continued {
            match self.closing(dir, &id, from)? {
                Some(seq) => {
                    found.insert(seq);
                }
                None => {
                    looking.named.insert(id);
                }
            }
        }
        Ok(found)
    }

    /// The number of the event that closes a request, behind another of its events.
    fn closing(&self, dir: &Path, id: &str, from: u64) -> Result<Option<u64>, Trouble> {
        for seq in self.index.named(Name::Id(id))? {
            let (_, block, place) = self.index.block_of(seq)?;
            if seq <= from || block.kinds[place] < REQUEST {
                continue;
            }
            let place = self.index.place_of(seq)?;
            let event = self.index.request(dir, place)?;
            if event.id == id && event.phase == Phase::Closed {
                return Ok(Some(seq));
            }
        }
        Ok(None)
    }

    /// Events whose shape matches, among some.
    fn among(
        &self,
        dir: &Path,
        candidates: &BTreeSet<u64>,
        looking: &mut Looking<'_>,
        sink: &mut dyn FnMut(Place) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        for seq in candidates.iter().filter(|seq| self.within.contains(seq)) {
            let (_, block, place) = self.index.block_of(*seq)?;
            let answer = self.answer(*seq, block.kinds[place]);
            if !matches!(answer, Answer::Yes | Answer::Unknown) {
                continue;
            }
            let place = self.index.place_of(*seq)?;
            if !looking.query.ids().is_empty() {
                let id = self.index.id(dir, place)?;
                if !looking.query.ids().contains(&id) {
                    continue;
                }
            }
            match answer {
                Answer::Unknown => looking.untold += 1,
                _ if sink(place).is_break() => return Ok(()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes the requests that were opened, and not closed as far as the index knows.
    fn unclosed(&self, looking: &mut Looking<'_>) -> Result<(), Trouble> {
        let ids = looking.query.ids();
        for (id, seq) in &self.index.state.unclosed {
            if !self.within.contains(seq) || !ids.is_empty() && !ids.contains(id) {
                continue;
            }
            let (_, block, place) = self.index.block_of(*seq)?;
            if self.answer(*seq, block.kinds[place]) == Answer::Opened {
                let place = self.index.place_of(*seq)?;
                looking.unclosed.insert(id.clone(), (*seq, Hit::At(place)));
            }
        }
        Ok(())
    }
}

impl Index {
    /// Where the events of a decision stand, and those of its parts.
    pub(in crate::audit) fn of_decision(
        &self,
        dir: &Path,
        id: &str,
    ) -> Result<Vec<Place>, Trouble> {
        let mut found = Vec::new();
        for seq in self.named(Name::Id(id))? {
            let place = self.place_of(seq)?;
            if self.is_of_decision(dir, place, id)? {
                found.push(place);
            }
        }
        Ok(found)
    }
}
