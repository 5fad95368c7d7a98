//! Reading segments into an index. Memory is bounded: by one stretch of events, and the words that repeat.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use memchr::memmem;

use super::super::chain::{End, Line, Lines};
use super::super::expand::Segment as Expander;
use super::super::folder::segments;
use super::super::format::brief::{Stated, Terms};
use super::super::format::notice::Notice;
use super::super::format::{Phase, Told};
use super::super::upstreams::MARK;
use super::block::{self, BUCKETS, Block, NOTHING, NOTICE, Name, REQUEST, SEQ_MAX};
use super::shape::{self, Own, Shape};
use super::state::{Segment, State};
use super::store::{Store, Table, Unusable, damaged};

/// Kinds of words, by their place in [`State::words`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Terms,
    Shape,
    Caller,
    Origin,
    /// A shape, a caller and a network.
    Combination,
}

/// Where words of a kind begin.
pub(super) fn words_from(kind: Kind) -> u64 {
    (kind as u64) << 32
}

/// Where events that tell of policies stand among the words.
pub(super) const LOADS_FROM: u64 = 5 << 32;

/// An index that is being written.
pub(super) struct Builder<'d> {
    dir: &'d Path,
    pub(super) store: Store,
    pub(super) state: State,
    words: [HashMap<Vec<u8>, u32>; 5],
    /// The numbers of terms by their id.
    terms: HashMap<String, u32>,
    block_events: usize,
    /// References read.
    pub(super) references: u64,
}

/// What one stretch adds, once it is whole.
#[derive(Default)]
struct Pending {
    block: Block,
    keys: Vec<(u64, u32)>,
    segment: Segment,
    opened: Vec<(String, u64, bool)>,
    said: Vec<u32>,
    loads: Vec<(u64, Vec<u8>)>,
    last_time: String,
}

impl<'d> Builder<'d> {
    pub(super) fn open(dir: &'d Path, block_events: usize) -> Result<Self, Unusable> {
        let store = Store::write(dir)?;
        let state = State::read(&store)?;
        let mut words: [HashMap<Vec<u8>, u32>; 5] = Default::default();
        let mut terms = HashMap::new();
        store.each(Table::Words, 0..LOADS_FROM, &mut |place, body| {
            let number = u32::try_from(place & u64::from(u32::MAX)).unwrap_or(u32::MAX);
            let kind = usize::try_from(place >> 32).unwrap_or(usize::MAX);
            let known = words.get_mut(kind).ok_or_else(|| damaged("a word"))?;
            if kind == Kind::Terms as usize {
                terms.insert(terms_id(body)?, number);
            }
            known.insert(body.to_vec(), number);
            Ok(())
        })?;
        let sizes = words.iter().map(HashMap::len);
        if !sizes.eq(state.words.iter().map(|count| *count as usize)) {
            return Err(damaged("words are missing"));
        }
        Ok(Self {
            dir,
            store,
            state,
            words,
            terms,
            block_events,
            references: 0,
        })
    }

    /// Forgets segments that are not in the folder any more, the oldest ones.
    pub(super) fn prune(&mut self, first_seq: u64) -> Result<(), Unusable> {
        self.store.remove(Table::Blocks, 0..first_seq)?;
        for bucket in 0..BUCKETS {
            let places = block::place(bucket, 0)..block::place(bucket, first_seq);
            self.store.remove(Table::Keys, places)?;
        }
        self.store
            .remove(Table::Words, LOADS_FROM..LOADS_FROM + first_seq)?;
        let mut stretches = 0;
        self.store.each(Table::Blocks, 0..SEQ_MAX, &mut |_, _| {
            stretches += 1;
            Ok(())
        })?;
        let state = &mut self.state;
        state.stretches = stretches;
        state
            .segments
            .retain(|segment| segment.first_seq >= first_seq);
        state.loads.retain(|seq| *seq >= first_seq);
        state.unclosed.retain(|(_, seq)| *seq >= first_seq);
        self.commit()
    }

    /// Whether the system says something else of files that were read than when they were.
    pub(super) fn has_other_files(&self) -> bool {
        let mut segments = self.state.segments.iter();
        segments.any(|segment| segment.file != segment.file_now(self.dir))
    }

    /// Notes what the system says of files that hold what was read.
    pub(super) fn note_files(&mut self) -> Result<(), Unusable> {
        for segment in &mut self.state.segments {
            segment.file = segment.file_now(self.dir);
        }
        self.commit()
    }

    /// What was built is there for all.
    pub(super) fn commit(&mut self) -> Result<(), Unusable> {
        self.state.write(&self.store)?;
        self.store.commit()
    }

    /// Reads on, stretch by stretch, until `pause` says to stop or no whole stretch is left. Returns whether it is at the end.
    pub(super) fn advance(
        &mut self,
        pause: &mut dyn FnMut(&State) -> bool,
    ) -> Result<bool, Unusable> {
        loop {
            let numbers = segments(self.dir)?;
            let (first_seq, is_last) = match self.state.segments.last() {
                None => match numbers.as_slice() {
                    [] => return Ok(true),
                    [first, rest @ ..] => (*first, rest.is_empty()),
                },
                Some(segment) => {
                    let first_seq = segment.first_seq;
                    (
                        first_seq,
                        numbers.last().is_none_or(|last| *last <= first_seq),
                    )
                }
            };
            let is_whole = match self.segment(first_seq, is_last, pause)? {
                Went::Stopped => return Ok(false),
                Went::Stuck => return Ok(true),
                Went::Through => !is_last,
            };
            let Some(next) = numbers
                .into_iter()
                .find(|number| is_whole && *number > first_seq)
            else {
                return Ok(true);
            };
            self.state.segments.push(Segment {
                first_seq: next,
                ..Segment::default()
            });
            self.state.said.clear();
        }
    }

    /// Reads a segment from where it was left.
    fn segment(
        &mut self,
        first_seq: u64,
        is_last: bool,
        pause: &mut dyn FnMut(&State) -> bool,
    ) -> Result<Went, Unusable> {
        if self.state.segments.is_empty() {
            let segment = Segment {
                first_seq,
                ..Segment::default()
            };
            self.state.segments.push(segment);
        }
        let known = self.state.segments.last().cloned().unwrap_or_default();
        let mut lines = Lines::at(self.dir, first_seq, known.bytes)?;
        let mut expander = self.expander()?;
        let mut pending = Pending::after(known, &self.state);
        let finder = memmem::Finder::new(MARK);
        loop {
            let end = lines.next()?;
            if !matches!(end, Some(End::Newline)) {
                // What is being written belongs to a stretch only once that is whole; the end of a whole segment does now.
                if is_last || pending.block.kinds.is_empty() {
                    return Ok(match end {
                        None => Went::Through,
                        Some(_) => Went::Stuck,
                    });
                }
                self.keep(&mut pending)?;
                return Ok(if end.is_none() {
                    Went::Through
                } else {
                    Went::Stuck
                });
            }
            let seq = pending.segment.first_seq + pending.segment.events;
            let line = Line::read(&lines.line).filter(|line| line.seq == seq && seq < SEQ_MAX);
            let told = line.and_then(|line| Some((expander.read(&line).ok()?, line)));
            let Some((told, line)) = told else {
                // From here on, everything is read from the segments.
                return Ok(Went::Stuck);
            };
            pending.upstream(&finder, &lines.line);
            let kind = self.kind(told, &line, &mut pending)?;
            pending.push(kind, &line, &lines);
            if pending.block.kinds.len() >= self.block_events {
                self.keep(&mut pending)?;
                if pause(&self.state) {
                    return Ok(Went::Stopped);
                }
            }
        }
    }

    /// What reads the events of the last segment from where it was left.
    fn expander(&self) -> Result<Expander, Unusable> {
        let mut expander = Expander::default();
        for number in &self.state.said {
            let body = self
                .store
                .get(Table::Words, words_from(Kind::Terms) + u64::from(*number))?;
            let (id, terms) = read_terms(&body.ok_or_else(|| damaged("terms are missing"))?)?;
            expander.know(id, terms);
        }
        Ok(expander)
    }

    /// What an event is.
    fn kind(&mut self, told: Told, line: &Line, pending: &mut Pending) -> Result<u32, Unusable> {
        match told {
            Told::Terms(definition) => {
                let number = self.terms(&definition.id, &definition.terms)?;
                pending.said.push(number);
                Ok(NOTHING)
            }
            Told::Notice(notice) => {
                pending.name(Name::Id(&line.id));
                if let Notice::PolicyLoaded { .. } = *notice {
                    let body = serde_json::to_vec(&*notice).map_err(|_| damaged("a policy"))?;
                    pending.loads.push((line.seq, body));
                }
                Ok(NOTICE)
            }
            Told::Brief(mut request) => {
                let phase = request.phase;
                let id = match &request.terms {
                    Stated::ById(id) => Some(id.clone()),
                    Stated::Here(_) => None,
                };
                let (own, here) = shape::brief(&mut request);
                let number = match (id, here) {
                    (Some(id), _) => self
                        .terms
                        .get(&id)
                        .copied()
                        .ok_or_else(|| damaged("terms"))?,
                    (None, Some(terms)) => {
                        let text = serde_json::to_string(&terms).map_err(|_| damaged("terms"))?;
                        self.terms(&Terms::id_of(&text), &terms)?
                    }
                    (None, None) => return Err(damaged("terms")),
                };
                self.request(&Shape::Brief(request, number), phase, own, pending)
            }
            Told::Full(mut request) => {
                let phase = request.phase;
                let own = shape::full(&mut request);
                self.request(&Shape::Full(request), phase, own, pending)
            }
        }
    }

    fn request(
        &mut self,
        shape: &Shape,
        phase: Phase,
        own: Own,
        pending: &mut Pending,
    ) -> Result<u32, Unusable> {
        self.references += own.records.len() as u64;
        for record in &own.records {
            pending.name(Name::Record(record));
        }
        pending.name(Name::Id(&own.id));
        if let Some(part_of) = &own.part_of {
            pending.name(Name::Id(part_of));
        }
        let seq = pending.seq();
        match phase {
            Phase::Opened => pending.opened.push((own.id, seq, true)),
            Phase::Closed => pending.opened.push((own.id, seq, false)),
            Phase::Continued => {}
        }
        let shape = self.word(Kind::Shape, text(shape)?)?;
        let caller = self.word(Kind::Caller, text(&own.caller)?)?;
        let origin = self.word(Kind::Origin, text(&own.origin)?)?;
        let mut combination = Vec::with_capacity(12);
        for number in [shape, caller, origin] {
            combination.extend_from_slice(&number.to_le_bytes());
        }
        Ok(REQUEST + self.word(Kind::Combination, combination)?)
    }

    fn terms(&mut self, id: &str, terms: &Terms) -> Result<u32, Unusable> {
        if let Some(number) = self.terms.get(id) {
            return Ok(*number);
        }
        let text = serde_json::to_string(&(id, terms)).map_err(|_| damaged("terms"))?;
        let number = self.word(Kind::Terms, text.into_bytes())?;
        self.terms.insert(id.to_owned(), number);
        Ok(number)
    }

    /// The number of a word; a new one, if it was not met before.
    fn word(&mut self, kind: Kind, text: Vec<u8>) -> Result<u32, Unusable> {
        let known = &mut self.words[kind as usize];
        if let Some(number) = known.get(&text) {
            return Ok(*number);
        }
        let number = u32::try_from(known.len())
            .ok()
            .filter(|number| *number < u32::MAX - REQUEST);
        let number = number.ok_or_else(|| damaged("too many words"))?;
        self.store
            .put(Table::Words, words_from(kind) + u64::from(number), &text)?;
        known.insert(text, number);
        self.state.words[kind as usize] = number + 1;
        Ok(number)
    }

    /// Keeps a whole stretch.
    fn keep(&mut self, pending: &mut Pending) -> Result<(), Unusable> {
        let next = Pending::default();
        let Pending {
            block,
            keys,
            segment,
            opened,
            said,
            loads,
            last_time,
        } = std::mem::replace(pending, next);
        let first_seq = segment.first_seq + segment.events - block.kinds.len() as u64;
        self.store.put(Table::Blocks, first_seq, &block.body()?)?;
        let mut parts: Vec<Vec<(u64, u32)>> = vec![Vec::new(); BUCKETS as usize];
        for (hash, place) in keys {
            parts[block::bucket(hash) as usize].push((hash, place));
        }
        for (bucket, mut part) in (0..).zip(parts) {
            // An empty one, too: so it is seen if one is missing.
            let body = block::keys_body(&mut part);
            self.store
                .put(Table::Keys, block::place(bucket, first_seq), &body)?;
        }
        for (seq, body) in loads {
            self.store.put(Table::Words, LOADS_FROM + seq, &body)?;
            self.state.loads.push(seq);
        }
        self.settle(opened);
        self.state.stretches += 1;
        let said: BTreeSet<u32> = self.state.said.drain(..).chain(said).collect();
        self.state.said = said.into_iter().collect();
        self.state.last_seq = segment.first_seq + segment.events - 1;
        self.state.last_time = last_time;
        if let Some(last) = self.state.segments.last_mut() {
            *last = segment.clone();
        }
        *pending = Pending::after(segment, &self.state);
        Ok(())
    }

    /// Notes which requests were opened, and which of them closed.
    fn settle(&mut self, opened: Vec<(String, u64, bool)>) {
        let mut left: HashMap<String, Vec<u64>> = HashMap::new();
        for (id, seq) in self.state.unclosed.drain(..) {
            left.entry(id).or_default().push(seq);
        }
        for (id, seq, is_opened) in opened {
            if is_opened {
                left.entry(id).or_default().push(seq);
            } else {
                left.remove(&id);
            }
        }
        let each = left.into_iter();
        let mut left: Vec<(String, u64)> = each
            .flat_map(|(id, seqs)| seqs.into_iter().map(move |seq| (id.clone(), seq)))
            .collect();
        left.sort_unstable_by_key(|(_, seq)| *seq);
        self.state.unclosed = left;
    }
}

/// How far a segment was read.
enum Went {
    /// To its end.
    Through,
    /// To a line that is no event, not yet or not any more.
    Stuck,
    /// To where somebody said to stop.
    Stopped,
}

impl Pending {
    fn after(segment: Segment, state: &State) -> Self {
        Self {
            segment,
            last_time: state.last_time.clone(),
            ..Self::default()
        }
    }

    /// The number of the event that is being read.
    fn seq(&self) -> u64 {
        self.segment.first_seq + self.segment.events
    }

    fn name(&mut self, name: Name<'_>) {
        let place = u32::try_from(self.block.kinds.len()).unwrap_or(u32::MAX);
        self.keys.push((name.hash(), place));
    }

    fn upstream(&mut self, finder: &memmem::Finder<'_>, line: &[u8]) {
        let name = super::super::upstreams::named(finder, line);
        if let Some(name) = name.filter(|name| !self.segment.upstreams.contains(*name)) {
            self.segment.upstreams.insert(name.to_owned());
        }
    }

    fn push(&mut self, kind: u32, line: &Line, lines: &Lines) {
        let (block, time) = (&mut self.block, &line.time);
        if block.kinds.is_empty() {
            block.head.segment = self.segment.first_seq;
            block.head.offset = lines.start_bytes;
            block.head.times = (time.clone(), time.clone());
            block.head.ends.0.clone_from(time);
        } else if *time < self.last_time {
            block.head.steps += 1;
        }
        block.head.ends.1.clone_from(time);
        if *time < block.head.times.0 {
            block.head.times.0.clone_from(time);
        }
        if *time > block.head.times.1 {
            block.head.times.1.clone_from(time);
        }
        block.kinds.push(kind);
        let length = lines.end_bytes - lines.start_bytes;
        block
            .lengths
            .push(u32::try_from(length).unwrap_or(u32::MAX));
        self.last_time.clone_from(time);
        if self.segment.events == 0 {
            self.segment.first.clone_from(&line.hash);
        }
        self.segment.digest = self.segment.digest_after(&line.hash);
        self.segment.events += 1;
        self.segment.bytes = lines.end_bytes;
    }
}

fn text(value: &impl serde::Serialize) -> Result<Vec<u8>, Unusable> {
    serde_json::to_vec(value).map_err(|_| damaged("a word"))
}

/// The id of terms among the words.
fn terms_id(body: &[u8]) -> Result<String, Unusable> {
    Ok(read_terms(body)?.0)
}

/// Terms among the words. Whoever makes an index cannot give an id of the log to other terms.
pub(super) fn read_terms(body: &[u8]) -> Result<(String, Terms), Unusable> {
    let (id, terms): (String, Terms) =
        serde_json::from_slice(body).map_err(|_| damaged("terms"))?;
    match terms.have_id(&id) {
        true => Ok((id, terms)),
        false => Err(damaged("terms are not what their id says")),
    }
}
