//! Looking into an index: which events there are, what they are, and where they stand.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::super::chain::{End, Line, Lines};
use super::super::events::{Found, Start};
use super::super::expand::{Entry, Segment as Expander};
use super::super::folder::segment_name;
use super::super::format::brief::Terms;
use super::super::format::full::Request;
use super::super::format::notice::Notice;
use super::super::query::{Place, Policies, Summary};
use super::super::stretch::{first_line, last_line};
use super::super::upstreams::Upstreams;
use super::super::verdict::Fault;
use super::Trouble;
use super::block::{self, Block, Name, SEQ_MAX};
use super::build::{Kind, LOADS_FROM, read_terms, words_from};
use super::shape::Shape;
use super::state::State;
use super::store::{Store, Table, Unusable, damaged};

/// The index of a log, as it is at one moment.
pub(in crate::audit) struct Index {
    pub(super) store: Store,
    pub(super) state: State,
    /// Terms by id, once an event was read that names them.
    known_terms: RefCell<HashMap<String, Terms>>,
}

/// The words of an index.
pub(super) struct Words {
    pub(super) shapes: Vec<Request>,
    /// Id and name.
    pub(super) callers: Vec<Option<[String; 2]>>,
    pub(super) origins: Vec<String>,
    /// A shape, a caller, a network.
    pub(super) combinations: Vec<[u32; 3]>,
}

/// From an event on, what was known of the policies.
pub(super) struct Era {
    pub(super) from: u64,
    pub(super) policies: Policies,
}

impl Index {
    pub(super) fn of(store: Store, state: State) -> Self {
        Self {
            store,
            state,
            known_terms: RefCell::default(),
        }
    }

    /// The number of the last event that it knows.
    pub(super) fn last_seq(&self) -> Option<u64> {
        (self.state.last_seq > 0).then_some(self.state.last_seq)
    }

    /// Where it ends: the segment, and how much of it was read.
    pub(in crate::audit) fn end(&self) -> (u64, u64) {
        let last = self.state.segments.last();
        last.map_or((0, 0), |segment| (segment.first_seq, segment.bytes))
    }

    /// The names of the CRMs that its events tell.
    pub(in crate::audit) fn upstreams(&self) -> BTreeSet<String> {
        let all = self.state.segments.iter();
        all.flat_map(|segment| segment.upstreams.iter().cloned())
            .collect()
    }

    /// Where to read on behind it, and what was looked through up to there.
    pub(in crate::audit) fn rest(&self) -> Result<(Start, Summary), Unusable> {
        let (segment, offset) = self.end();
        let mut terms = Vec::new();
        for number in &self.state.said {
            terms.push(self.terms_of(*number)?);
        }
        let mut steps = 0;
        let mut time = String::new();
        self.store.each(Table::Blocks, 0..SEQ_MAX, &mut |_, body| {
            let head = Block::read(body)?.head;
            steps += head.steps + u64::from(head.ends.0 < time);
            time = head.ends.1;
            Ok(())
        })?;
        let summary = Summary {
            events: self.state.events(),
            clock_steps: steps,
            last: self
                .last_seq()
                .map(|seq| (seq, self.state.last_time.clone())),
            ..Summary::default()
        };
        let start = Start {
            segment,
            offset,
            terms,
            time,
        };
        Ok((start, summary))
    }

    fn terms_of(&self, number: u32) -> Result<(String, Terms), Unusable> {
        let place = words_from(Kind::Terms) + u64::from(number);
        let body = self.store.get(Table::Words, place)?;
        read_terms(&body.ok_or_else(|| damaged("terms are missing"))?)
    }

    /// The bodies of all words of a kind.
    fn each_word(
        &self,
        kind: Kind,
        visit: &mut dyn FnMut(&[u8]) -> Result<(), Unusable>,
    ) -> Result<(), Unusable> {
        let from = words_from(kind);
        let count = u64::from(self.state.words[kind as usize]);
        let mut next = from;
        self.store
            .each(Table::Words, from..from + count, &mut |place, body| {
                if place != next {
                    return Err(damaged("words are missing"));
                }
                next += 1;
                visit(body)
            })?;
        match next == from + count {
            true => Ok(()),
            false => Err(damaged("words are missing")),
        }
    }

    pub(super) fn words(&self) -> Result<Words, Unusable> {
        let wrong = || damaged("a word");
        let mut terms = Vec::new();
        self.each_word(Kind::Terms, &mut |body| {
            terms.push(read_terms(body)?.1);
            Ok(())
        })?;
        let mut shapes = Vec::new();
        self.each_word(Kind::Shape, &mut |body| {
            let shape: Shape = serde_json::from_slice(body).map_err(|_| wrong())?;
            let request = shape.request(&|number| terms.get(number as usize));
            shapes.push(request.ok_or_else(wrong)?);
            Ok(())
        })?;
        let mut callers = Vec::new();
        self.each_word(Kind::Caller, &mut |body| {
            callers.push(serde_json::from_slice(body).map_err(|_| wrong())?);
            Ok(())
        })?;
        let mut origins = Vec::new();
        self.each_word(Kind::Origin, &mut |body| {
            origins.push(serde_json::from_slice(body).map_err(|_| wrong())?);
            Ok(())
        })?;
        let mut combinations = Vec::new();
        let sizes = [shapes.len(), callers.len(), origins.len()];
        self.each_word(Kind::Combination, &mut |body| {
            let (numbers, _) = body.as_chunks::<4>();
            let numbers: [[u8; 4]; 3] = numbers.try_into().map_err(|_| wrong())?;
            let numbers = numbers.map(u32::from_le_bytes);
            if numbers
                .iter()
                .zip(sizes)
                .any(|(number, size)| *number as usize >= size)
            {
                return Err(wrong());
            }
            combinations.push(numbers);
            Ok(())
        })?;
        Ok(Words {
            shapes,
            callers,
            origins,
            combinations,
        })
    }

    /// What was known of the policies, from which event on.
    pub(super) fn eras(&self) -> Result<Vec<Era>, Unusable> {
        let mut policies = Policies::default();
        let mut eras = vec![Era {
            from: 0,
            policies: Policies::default(),
        }];
        for seq in &self.state.loads {
            let body = self.store.get(Table::Words, LOADS_FROM + seq)?;
            let body = body.ok_or_else(|| damaged("a policy is missing"))?;
            let notice: Notice = serde_json::from_slice(&body).map_err(|_| damaged("a policy"))?;
            if policies.load(&notice) {
                eras.push(Era {
                    from: *seq,
                    policies: policies.clone(),
                });
            }
        }
        // What is not about the fields of a policy counts for all of the log.
        eras.last_mut()
            .into_iter()
            .for_each(|era| era.policies = policies.clone());
        Ok(eras)
    }

    /// The stretch that an event stands in, and its place there.
    pub(super) fn block_of(&self, seq: u64) -> Result<(u64, Block, usize), Unusable> {
        let wrong = || damaged("a stretch is missing");
        let found = self.store.last_up_to(Table::Blocks, seq)?;
        let (first_seq, body) = found.ok_or_else(wrong)?;
        let block = Block::read(&body)?;
        let place = usize::try_from(seq - first_seq).unwrap_or(usize::MAX);
        match place < block.kinds.len() {
            true => Ok((first_seq, block, place)),
            false => Err(wrong()),
        }
    }

    /// The numbers of the events that name something, or have the same number made of their name, in order.
    pub(super) fn named(&self, name: Name<'_>) -> Result<Vec<u64>, Unusable> {
        let hash = name.hash();
        let bucket = block::bucket(hash);
        let places = block::place(bucket, 0)..block::place(bucket + 1, 0);
        let mut found = Vec::new();
        let mut stretches = 0;
        self.store.each(Table::Keys, places, &mut |place, body| {
            stretches += 1;
            let first_seq = block::first_seq_of(place);
            found.extend(block::find(body, hash).map(|place| first_seq + u64::from(place)));
            Ok(())
        })?;
        if stretches != self.state.stretches {
            return Err(damaged("names are missing"));
        }
        found.dedup();
        Ok(found)
    }

    /// Where an event stands.
    pub(super) fn place_of(&self, seq: u64) -> Result<Place, Unusable> {
        let (_, block, place) = self.block_of(seq)?;
        Ok(Place {
            segment: block.head.segment,
            offset: block.offset_of(place),
            seq,
        })
    }

    /// The number of the first event that was written at a time or after it, among those that it knows.
    pub(in crate::audit) fn first_at(
        &self,
        dir: &Path,
        since: &str,
    ) -> Result<Option<u64>, Trouble> {
        let mut found = None;
        self.each_head(&mut |first_seq, block| {
            let has = block.head.times.1.as_str() >= since;
            if has && found.is_none() {
                found = Some((first_seq, block.head.clone(), block.kinds.len() as u64));
            }
        })?;
        let Some((_, head, count)) = found else {
            return Ok(None);
        };
        let unreadable = |source| unreadable(dir, head.segment, source);
        let mut lines = Lines::at(dir, head.segment, head.offset).map_err(unreadable)?;
        Ok(first_line(&mut lines, count, since).map_err(unreadable)?)
    }

    /// The number of the last event that was written before a time, among those that it knows.
    pub(in crate::audit) fn last_before(
        &self,
        dir: &Path,
        until: &str,
    ) -> Result<Option<u64>, Trouble> {
        let mut found = None;
        self.each_head(&mut |first_seq, block| {
            if block.head.times.0.as_str() < until {
                found = Some((first_seq, block.head.clone(), block.kinds.len() as u64));
            }
        })?;
        let Some((_, head, count)) = found else {
            return Ok(None);
        };
        let unreadable = |source| unreadable(dir, head.segment, source);
        let mut lines = Lines::at(dir, head.segment, head.offset).map_err(unreadable)?;
        Ok(last_line(&mut lines, count, until).map_err(unreadable)?)
    }

    fn each_head(&self, visit: &mut dyn FnMut(u64, &Block)) -> Result<(), Unusable> {
        self.store
            .each(Table::Blocks, 0..SEQ_MAX, &mut |place, body| {
                visit(place, &Block::read(body)?);
                Ok(())
            })
    }

    /// Reads an event where it stands.
    pub(in crate::audit) fn event(
        &self,
        dir: &Path,
        place: Place,
        upstreams: &Upstreams,
    ) -> Result<Found, Fault> {
        let (line, entry) = self.entry(dir, place)?;
        Ok(Found::new(&line, entry, upstreams))
    }

    /// Reads an event of a request where it stands.
    pub(super) fn request(&self, dir: &Path, place: Place) -> Result<Box<Request>, Fault> {
        match self.entry(dir, place)?.1 {
            Entry::Request(request) => Ok(request),
            Entry::Notice(_) | Entry::Terms => Err(changed(place)),
        }
    }

    /// The id of an event.
    pub(super) fn id(&self, dir: &Path, place: Place) -> Result<String, Fault> {
        Ok(self.entry(dir, place)?.0.id)
    }

    /// Whether an event is one of a decision, or of a part of it.
    pub(super) fn is_of_decision(&self, dir: &Path, place: Place, id: &str) -> Result<bool, Fault> {
        let (line, entry) = self.entry(dir, place)?;
        Ok(match entry {
            Entry::Request(event) => event.id == id || event.part_of.as_deref() == Some(id),
            Entry::Notice(_) => line.id == id,
            Entry::Terms => false,
        })
    }

    fn entry(&self, dir: &Path, place: Place) -> Result<(Line, Entry), Fault> {
        let unreadable = |source| unreadable(dir, place.segment, source);
        let mut lines = Lines::at(dir, place.segment, place.offset).map_err(unreadable)?;
        let end = lines.next().map_err(unreadable)?;
        let line = Line::read(&lines.line)
            .filter(|line| end == Some(End::Newline) && line.seq == place.seq);
        let line = line.ok_or_else(|| changed(place))?;
        let mut expander = Expander::default();
        if let Some(id) = line.value["terms"].as_str() {
            let (id, terms) = self.terms_by_id(id)?;
            expander.know(id, terms);
        }
        let entry = expander.expand(&line).map_err(|_| changed(place))?;
        Ok((line, entry))
    }

    fn terms_by_id(&self, id: &str) -> Result<(String, Terms), Fault> {
        let mut known = self.known_terms.borrow_mut();
        if known.is_empty() {
            let read = self.each_word(Kind::Terms, &mut |body| {
                let (id, terms) = read_terms(body)?;
                known.insert(id, terms);
                Ok(())
            });
            read.map_err(|error| Trouble::from(error).fault())?;
        }
        let terms = known.get(id).cloned();
        let missing = || Fault::Unclear("the index lacks terms".to_owned());
        Ok((id.to_owned(), terms.ok_or_else(missing)?))
    }
}

fn changed(place: Place) -> Fault {
    Fault::Unclear(format!(
        "event {} is not what was indexed; `paravent audit verify` says what became of the log",
        place.seq
    ))
}

fn unreadable(dir: &Path, segment: u64, source: std::io::Error) -> Fault {
    let path = dir.join(segment_name(segment));
    Fault::Unreadable { path, source }
}
