//! Replies in another form than they came in: of the parts of an envelope, and of a read in place of an update.

use serde_json::{Map, Value};

use super::identity;
use super::method::{Kind, METHODS};
use crate::dialect::{Arrangement, Assembly, Frame, Gathered, Step, Which};

/// The key under which replies hold records.
const ENTRIES: &str = "entry_list";

/// How the reply to an envelope is made of the replies to its parts. The API has no place for the refusals of some.
pub(super) fn envelope(route: &str) -> Assembly {
    let kind = METHODS
        .iter()
        .find(|method| [method.route, method.older_route].contains(&route));
    Assembly::Object(match kind.map(|method| method.kind) {
        // The id of each record, `null` in the place of one that was refused.
        Some(Kind::SetEntries) => vec![("ids", Gathered::Each("id"))],
        // Relations made, failed and ended; a part that was refused has failed.
        Some(Kind::RelateAll) => vec![
            ("created", Gathered::Sum("created")),
            ("failed", Gathered::SumAndRefused("failed")),
            ("deleted", Gathered::Sum("deleted")),
        ],
        // What was found in each module.
        _ => vec![(ENTRIES, Gathered::Joined(ENTRIES))],
    })
}

/// The one record of a reply, flattened, its id under `id`.
pub(super) fn only_record(reply: Value) -> Option<Map<String, Value>> {
    let mut entries = entries(reply)?;
    let entry = entries.pop().filter(|_| entries.is_empty())?;
    identity::flat(entry)
}

fn entries(reply: Value) -> Option<Vec<Value>> {
    let Value::Object(mut reply) = reply else {
        return None;
    };
    match reply.shift_remove(ENTRIES)? {
        Value::Array(entries) => Some(entries),
        _ => None,
    }
}

/// How the reply to a read of one record takes the form of the reply to an update.
pub(super) fn as_written() -> Arrangement {
    Arrangement::Record {
        at: vec![Step::Name(ENTRIES), Step::Element],
        which: Which::Only,
        frame: Frame::Object(vec![
            ("id", Frame::Member("id")),
            (ENTRIES, Frame::Member("name_value_list")),
        ]),
        otherwise: Box::new(Arrangement::Same),
    }
}
