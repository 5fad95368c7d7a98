//! Walks the chain from the first event to the last.

use super::counters::Counter;
use super::error::Error;
use super::events;
use super::store::Transaction;

/// Events that are read at once.
const AT_ONCE: i64 = 1000;

/// What the chain is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every event is what was recorded, and none is missing before the last.
    Sound {
        /// How many there are.
        events: i64,
        /// The hash of the last; blank if there is none. Whoever kept an earlier one can tell whether the end was cut off.
        hash: String,
    },
    /// An event is not what was recorded, or not where it was.
    Broken {
        /// Its number: where it is, or should be.
        seq: i64,
        /// Its identifier, if there is one.
        id: Option<String>,
        /// What is wrong.
        why: &'static str,
    },
}

/// Walks the chain.
pub(super) fn verify(within: &mut dyn Transaction) -> Result<Verdict, Error> {
    let (mut seq, mut hash, mut recorded) = (0, String::new(), i64::MIN);
    loop {
        let page = events::after(within, seq, AT_ONCE)?;
        if page.is_empty() {
            break;
        }
        for event in page {
            let wrong = [
                (event.seq != seq + 1, "events before it are missing"),
                (event.prev != hash, "it does not follow the event before it"),
                (event.hash != event.hashed()?, "it is not what was recorded"),
                (
                    event.recorded < recorded,
                    "it was recorded before the event before it",
                ),
            ];
            if let Some((_, why)) = wrong.into_iter().find(|(is_wrong, _)| *is_wrong) {
                return Ok(Verdict::Broken {
                    seq: seq + 1,
                    id: Some(event.id),
                    why,
                });
            }
            (seq, hash, recorded) = (event.seq, event.hash, event.recorded);
        }
    }
    // The counter is beside the events: who cuts off the end must change it, too.
    match Counter::Seq.value(within)? == seq {
        true => Ok(Verdict::Sound { events: seq, hash }),
        false => Ok(Verdict::Broken {
            seq: seq + 1,
            id: None,
            why: "events behind the last one are missing",
        }),
    }
}
