//! Stretches of events, and the ids and records that they name, as the index keeps them.

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::store::{Unusable, damaged};

/// Events of one stretch. In tests, small logs have many.
pub(super) const EVENTS: usize = if cfg!(test) { 7 } else { 2_048 };
/// Into so many parts the names of a stretch are sorted.
pub(super) const BUCKETS: u64 = 64;
/// Bits of the place of a part that say of which stretch it is.
const PLACE_BITS: u32 = 40;
/// Events of which an index can be made.
pub(super) const SEQ_MAX: u64 = 1 << PLACE_BITS;
/// Bytes of a name, and of where it stands.
const KEY: usize = 12;

/// What an event is: terms, which answer nothing.
pub(super) const NOTHING: u32 = 0;
/// What an event is: not about a request.
pub(super) const NOTICE: u32 = 1;
/// What an event is: of a request; by the number of its combination from here on.
pub(super) const REQUEST: u32 = 2;

/// Where a stretch stands, and when it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The number of the first event of its segment.
    pub(super) segment: u64,
    /// Where its first line begins.
    pub(super) offset: u64,
    /// The earliest and the latest time of its events.
    pub(super) times: (String, String),
    /// Times of its first and last event.
    pub(super) ends: (String, String),
    /// How often a time is earlier than that of the event before in this stretch.
    pub(super) steps: u64,
}

/// A stretch of events.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) head: Head,
    /// What each event is.
    pub(super) kinds: Vec<u32>,
    /// How long its line is, with the newline.
    pub(super) lengths: Vec<u32>,
}

impl Block {
    pub(super) fn body(&self) -> Result<Vec<u8>, Unusable> {
        let mut body = serde_json::to_vec(&self.head).map_err(|_| damaged("a stretch"))?;
        body.push(b'\n');
        for number in self.kinds.iter().chain(&self.lengths) {
            body.extend_from_slice(&number.to_le_bytes());
        }
        Ok(body)
    }

    pub(super) fn read(body: &[u8]) -> Result<Self, Unusable> {
        let wrong = || damaged("a stretch");
        let end = memchr::memchr(b'\n', body).ok_or_else(wrong)?;
        let (head, rest) = body.split_at(end);
        let head = serde_json::from_slice(head).map_err(|_| wrong())?;
        let (words, left) = rest.get(1..).unwrap_or_default().as_chunks::<4>();
        let (kinds, lengths) = words.split_at(words.len() / 2);
        if !left.is_empty() || kinds.len() != lengths.len() {
            return Err(wrong());
        }
        let numbers =
            |words: &[[u8; 4]]| words.iter().map(|word| u32::from_le_bytes(*word)).collect();
        Ok(Self {
            head,
            kinds: numbers(kinds),
            lengths: numbers(lengths),
        })
    }

    /// Where the line of its nth event begins.
    pub(super) fn offset_of(&self, place: usize) -> u64 {
        let before = self.lengths.iter().take(place);
        self.head.offset + before.map(|length| u64::from(*length)).sum::<u64>()
    }
}

/// What a key is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name<'a> {
    /// A record, `Contacts/c-1`: the events that name it.
    Record(&'a str),
    /// An id: the events of that decision, and those of its parts.
    Id(&'a str),
}

impl Name<'_> {
    /// A number for it. Others may have the same: whoever finds one looks at the event.
    pub(super) fn hash(self) -> u64 {
        let (mark, text) = match self {
            Self::Record(text) => (b"r", text),
            Self::Id(text) => (b"i", text),
        };
        let mut context = Context::new(&SHA256);
        context.update(mark);
        context.update(text.as_bytes());
        let hash = context.finish();
        let bytes = hash.as_ref().first_chunk::<8>();
        bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

/// The part that a name is sorted into.
pub(super) fn bucket(hash: u64) -> u64 {
    hash % BUCKETS
}

/// The place of the names of one part in a stretch.
pub(super) fn place(bucket: u64, first_seq: u64) -> u64 {
    bucket << PLACE_BITS | first_seq
}

/// The stretch of a place.
pub(super) fn first_seq_of(place: u64) -> u64 {
    place & (SEQ_MAX - 1)
}

/// Names of one part, with the places of their events in the stretch.
pub(super) fn keys_body(keys: &mut [(u64, u32)]) -> Vec<u8> {
    keys.sort_unstable();
    let mut body = Vec::with_capacity(keys.len() * KEY);
    for (hash, place) in keys {
        body.extend_from_slice(&hash.to_be_bytes());
        body.extend_from_slice(&place.to_le_bytes());
    }
    body
}

/// The places of the events that have a name.
pub(super) fn find<'b>(body: &'b [u8], hash: u64) -> impl Iterator<Item = u32> + 'b {
    let (keys, _) = body.as_chunks::<KEY>();
    let hash_of = |key: &[u8; KEY]| {
        key.first_chunk::<8>()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes))
    };
    let from = keys.partition_point(|key| hash_of(key) < hash);
    keys.get(from..)
        .unwrap_or_default()
        .iter()
        .take_while(move |key| hash_of(key) == hash)
        .map(|key| {
            key.last_chunk::<4>()
                .map_or(0, |bytes| u32::from_le_bytes(*bytes))
        })
}
