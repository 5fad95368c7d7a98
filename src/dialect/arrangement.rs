//! How a reply is put together from others, as data. Dialects say it; the filter does it with what it let through, so that
//! no dialect holds the bytes of a reply to a caller.

use serde_json::Value;

/// A step of a way into a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The member of an object under this key.
    Name(&'static str),
    /// `[*]`: each element of a list.
    Element,
    /// `.*`: each member of an object.
    Member,
}

/// What stands in the place of one reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrangement {
    /// The reply as it was read.
    Same,
    /// Nothing of it but the id that the request named: a number, where it is written like one; `null` for none.
    Id(Option<String>),
    /// One record of it, in another frame.
    Record {
        /// Where its records lie.
        at: Vec<Step>,
        /// Which of them.
        which: Which,
        /// What is put around it.
        frame: Frame,
        /// What stands there if there is no such record, or if it lacks something that the frame asks for.
        otherwise: Box<Self>,
    },
}

/// Which record of a reply is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The only one; none if there are several.
    Only,
    /// The one with this id; the only one also if it tells none.
    WithId {
        /// The key of a record's id.
        key: &'static str,
        /// The id.
        id: Option<String>,
    },
}

/// What is put around a record, or around parts of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// The record.
    Record,
    /// What lies under a key of the record.
    Member(&'static str),
    /// An object with these members.
    Object(Vec<(&'static str, Self)>),
    /// A list of one element.
    List(Box<Self>),
}

/// How the replies to the parts of an envelope become the reply to the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assembly {
    /// A list of objects, one for each part in order, refused ones among them.
    Entries(Vec<(&'static str, OfPart)>),
    /// An object. Where every part was refused, the first refusal stands for the whole.
    Object(Vec<(&'static str, Gathered)>),
}

/// What an entry for a part holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfPart {
    /// Its body; `null` for none.
    Body,
    /// Its status.
    Status,
    /// An empty list.
    EmptyList,
}

/// What is gathered from all parts of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gathered {
    /// A list of what lies under a key of each part's reply; `null` for a part without, or one that was refused.
    Each(&'static str),
    /// The sum of the numbers under a key.
    Sum(&'static str),
    /// That sum, and one for each part that was refused.
    SumAndRefused(&'static str),
    /// The elements of all lists under a key.
    Joined(&'static str),
}

/// The body of a refusal in the CRM's own error shape: fixed texts, in which `{status}` and `{text}` stand for what is told.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorShape {
    /// Its content type.
    pub content_type: &'static str,
    /// The body. A text that is `{status}` alone becomes a number.
    pub template: Value,
}

/// What stands for the text in the template of an [`ErrorShape`].
pub(super) const TEXT: &str = "{text}";
/// What stands for the status.
const STATUS: &str = "{status}";

impl ErrorShape {
    /// The body that tells a status and a text.
    pub fn filled(&self, status: u16, text: &str) -> Value {
        filled(&self.template, status, text)
    }
}

fn filled(template: &Value, status: u16, text: &str) -> Value {
    match template {
        Value::String(words) if words == STATUS => status.into(),
        Value::String(words) => words
            .replace(STATUS, &status.to_string())
            .replace(TEXT, text)
            .into(),
        Value::Array(items) => items
            .iter()
            .map(|item| filled(item, status, text))
            .collect(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| (key.clone(), filled(value, status, text)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}
