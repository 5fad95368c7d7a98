//! Events on their way, in the form that their receiver takes.

use bytes::Bytes;
use jiff::Timestamp;

use crate::audit::{self, Head, Step, Why};
use crate::config::{Receiver, Sink};

use super::format;
use super::status::Status;
use super::story::{self, Story};
use super::syslog;

/// An event in the form of its sink.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The place behind it.
    pub(super) head: Head,
    /// Itself, framed.
    pub(super) bytes: Bytes,
    /// When it was written.
    pub(super) time: Option<Timestamp>,
}

/// Puts events into the form of a sink; what is to be remarked is said in the log of operators, in the metrics, and in an event
/// of the sink itself.
pub(super) fn items(batch: audit::Batch, sink: &Sink, node: &str, status: &Status) -> Vec<Item> {
    let of_step = |step: Step| match step {
        Step::Event(event) => item(sink, event.head, &event.value),
        Step::Remark(remark) => {
            let (first_seq, last_seq) = (remark.first_seq, remark.last_seq);
            let events = last_seq.saturating_sub(first_seq).saturating_add(1);
            status.remarked(remark.why, events);
            let why = remark.why.as_str();
            match remark.why {
                Why::Earlier => tracing::warn!(
                    sink = sink.name,
                    why,
                    first_seq,
                    last_seq,
                    "a sink that has no cursor begins behind these events of the access log, and does not carry them"
                ),
                _ => tracing::error!(
                    sink = sink.name,
                    why,
                    first_seq,
                    last_seq,
                    "events of the access log are not where, or not what, a sink expects"
                ),
            }
            let value = story::of_remark(&remark, (&sink.name, node), Timestamp::now());
            item(sink, remark.head, &value)
        }
    };
    batch.steps.into_iter().map(of_step).collect()
}

fn item(sink: &Sink, head: Head, value: &serde_json::Value) -> Item {
    let story = Story::new(value);
    let line = format::line(sink.format, story);
    let bytes = match &sink.receiver {
        Receiver::Syslog { facility, .. } => syslog::frame(story, *facility, &line),
        _ => line + "\n",
    };
    Item {
        head,
        bytes: bytes.into(),
        time: story.time(),
    }
}
