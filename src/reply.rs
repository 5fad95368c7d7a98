//! The only thing that a caller can receive.
//!
//! A `Reply` is made from what the filter let through and the log has recorded, or from a `Refusal`, which can hold
//! nothing but fixed texts. This file shows everything that a caller can be told.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::audit::{Closed, Opened};
use crate::dialect::{Dialect, Gathered, OfPart};
use crate::filter::Filtered;
use crate::limits::{Counted, Used};
use crate::objection::{About, Objection};
use crate::policy::Challenge;
use crate::reason::{Outcome, Reason};
use crate::vocabulary::Action;

mod assembled;
mod outdated;
mod texts;

pub use assembled::Assembled;
use texts::{EXISTS_ALREADY, retry_after_seconds, text_of};

/// What a caller receives.
///
/// ```
/// use paravent::{audit::Closed, filter::Filtered, limits::Counted, reply::Reply};
/// fn in_order(filtered: Filtered, closed: &Closed, counted: Counted) -> Reply {
///     Reply::from_filtered(200, filtered, 0, closed, counted)
/// }
/// ```
///
/// ```compile_fail
/// // No reply from bytes: only from `Filtered` or a `Refusal`.
/// let reply = paravent::reply::Reply::from(bytes::Bytes::from_static(b"{}"));
/// ```
///
/// ```compile_fail
/// // Nor a body from bytes: its parts are private.
/// let body = paravent::reply::Whole(vec![paravent::reply::Part::Fixed(bytes::Bytes::from_static(b"{}"))]);
/// ```
///
/// ```compile_fail
/// // A dialect says how a reply is put together; it neither gets nor gives bytes.
/// fn whole(dialect: &dyn paravent::dialect::Dialect) -> (u16, bytes::Bytes) { dialect.assemble("bulk", &[]) }
/// ```
#[derive(Debug)]
pub struct Reply {
    status: u16,
    /// The status that it is sent with, where the API has another one for what it says.
    sent_as: u16,
    content_type: &'static str,
    body: Body,
    decision: Option<String>,
    withheld: Option<usize>,
    challenge: bool,
    /// The authentication that would do, or would show more.
    step_up: Option<Arc<Challenge>>,
    retry_after_seconds: Option<u32>,
    /// How much of the limits is used up, of which not much is left.
    used: Vec<Used>,
    /// Why it holds no data, if that is our own reason.
    reason: Option<Reason>,
    /// What is told of what was written, where nothing may be shown of it any more.
    lesser: Option<Filtered>,
    held: Option<Held>,
}

/// What a reply holds until it has been sent: its share of a bound.
pub type Held = Box<dyn Any + Send>;

/// The body of a reply.
#[derive(Debug)]
pub enum Body {
    /// Known whole before the first byte leaves.
    Whole(Whole),
    /// Filtered record by record; an error cuts the connection.
    Stream(mpsc::Receiver<Result<Piece, CutOff>>),
}

/// A part of a reply that streams.
///
/// ```compile_fail
/// // Nothing streams that was not counted.
/// fn piece(filtered: paravent::filter::Filtered) -> paravent::reply::Piece { paravent::reply::Piece(filtered) }
/// ```
#[derive(Debug)]
pub struct Piece(Filtered);

impl Piece {
    /// What passed the filter, and was counted.
    pub fn new(filtered: Filtered, _: Counted) -> Self {
        Self(filtered)
    }

    /// The bytes, to be sent.
    pub fn into_bytes(self) -> Bytes {
        self.0.into_bytes()
    }
}

/// A body that is known whole: fixed texts, and what passed the filter.
#[derive(Debug, Default)]
pub struct Whole(Vec<Part>);

#[derive(Debug)]
enum Part {
    /// Words of this program, of the dialect or of its description.
    Fixed(Cow<'static, str>),
    /// What passed the filter.
    Filtered(Filtered),
}

impl Whole {
    fn fixed(text: impl Into<Cow<'static, str>>) -> Self {
        Self(vec![Part::Fixed(text.into())])
    }

    /// What passed the filter, if that is all that the body is made of.
    fn filtered(self) -> Result<Filtered, Self> {
        match <[Part; 1]>::try_from(self.0) {
            Ok([Part::Filtered(filtered)]) => Ok(filtered),
            Ok(other) => Err(Self(other.into())),
            Err(other) => Err(Self(other)),
        }
    }

    /// How many bytes it is.
    pub fn len(&self) -> usize {
        let lengths = self.0.iter().map(|part| part.as_bytes().len());
        lengths.sum()
    }

    /// Whether it is no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, to be sent.
    pub fn into_bytes(self) -> Bytes {
        let parts = match self.filtered() {
            Ok(filtered) => return filtered.into_bytes(),
            Err(Self(parts)) => parts,
        };
        let bytes: Vec<&[u8]> = parts.iter().map(Part::as_bytes).collect();
        Bytes::from(bytes.concat())
    }
}

impl Part {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Fixed(text) => text.as_bytes(),
            Self::Filtered(filtered) => filtered.as_bytes(),
        }
    }
}

impl From<Filtered> for Whole {
    fn from(filtered: Filtered) -> Self {
        Self(vec![Part::Filtered(filtered)])
    }
}

/// A streamed reply that cannot be completed: the connection is cut, nothing held back is released.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the reply was cut off")]
pub struct CutOff;

/// Why a caller receives no data: a fixed status and text, a documented label, and at most a name that the caller typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    label: Option<&'static str>,
    text: &'static str,
    reason: Option<Reason>,
    about: Option<About>,
    retry_after_seconds: Option<u32>,
}

impl<T: Into<Objection>> From<T> for Refusal {
    fn from(objection: T) -> Self {
        let Objection { reason, about } = objection.into();
        Self {
            status: reason.status(),
            label: None,
            text: reason.text(),
            reason: Some(reason),
            about,
            retry_after_seconds: retry_after_seconds(reason.status()),
        }
    }
}

impl Refusal {
    /// A part of a bulk request that was not understood comes back as 403 in its place, whatever was wrong with it.
    pub fn in_bulk(objection: impl Into<Objection>) -> Self {
        Self {
            status: 403,
            retry_after_seconds: None,
            ..Self::from(objection)
        }
    }

    /// The CRM answered with an error: its status, a label of the dialect's closed list, and a fixed text.
    pub fn upstream(status: u16, label: Option<&'static str>) -> Self {
        Self {
            status,
            label,
            text: text_of(status),
            reason: None,
            about: None,
            retry_after_seconds: retry_after_seconds(status),
        }
    }

    /// There is no such record for the caller, says the policy: to be told from what the CRM says where there is none by nothing
    /// but the log.
    pub fn absent(status: u16, label: Option<&'static str>) -> Self {
        Self {
            reason: Some(Reason::NotFoundByPolicy),
            ..Self::upstream(status, label)
        }
    }

    /// The reason that may show in the reply, if it is our own.
    fn told(&self) -> Option<Reason> {
        self.reason
            .filter(|reason| *reason != Reason::NotFoundByPolicy)
    }

    /// The same, after which the CRM wants to be asked again so many seconds later.
    #[must_use]
    pub fn after(self, seconds: Option<u16>) -> Self {
        let is_told = self.retry_after_seconds.is_some();
        Self {
            retry_after_seconds: (seconds.map(u32::from))
                .filter(|_| is_told)
                .or(self.retry_after_seconds),
            ..self
        }
    }

    /// The same, after which it is of no use to ask again before so many seconds have passed.
    #[must_use]
    pub fn waiting(self, seconds: u32) -> Self {
        Self {
            retry_after_seconds: Some(seconds),
            ..self
        }
    }

    /// What the caller reads.
    fn text(&self) -> Cow<'static, str> {
        match (self.told(), self.about) {
            (Some(reason), about @ Some(_)) => Objection { reason, about }.text(),
            _ => self.text.into(),
        }
    }

    /// The same to a request that does this: what the CRM means by a conflict depends on it. What is being made cannot have
    /// been changed in the meantime.
    #[must_use]
    pub fn of(self, action: Action) -> Self {
        match (self.reason, self.status, action) {
            (None, 409, Action::Create) => Self {
                text: EXISTS_ALREADY,
                ..self
            },
            _ => self,
        }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason, if it is our own.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Whether the CRM understood the request and said no, rather than that it cannot answer now.
    pub fn is_the_crms_no(&self) -> bool {
        match self.reason {
            Some(reason) => reason == Reason::BadCredential,
            None => self.status < 500 && !matches!(self.status, 408 | 429),
        }
    }

    /// The kind of outcome that it counts as.
    pub fn outcome(&self) -> Outcome {
        self.reason.map_or(Outcome::UpstreamError, Reason::outcome)
    }
}

impl Reply {
    /// What the filter let through, after the log has recorded it, and what it shows was counted.
    pub fn from_filtered(
        status: u16,
        filtered: Filtered,
        withheld: usize,
        closed: &Closed,
        counted: Counted,
    ) -> Self {
        Self {
            decision: Some(closed.id().to_owned()),
            withheld: Some(withheld),
            used: counted.into_used(),
            ..Self::json(status, Body::Whole(filtered.into()))
        }
    }

    /// What the filter lets through record by record, after the log has recorded that it begins.
    pub fn from_stream(
        status: u16,
        stream: mpsc::Receiver<Result<Piece, CutOff>>,
        opened: &Opened,
        counted: Counted,
    ) -> Self {
        Self {
            decision: Some(opened.id().to_owned()),
            used: counted.into_used(),
            ..Self::json(status, Body::Stream(stream))
        }
    }

    /// The reply to an envelope: the replies to its parts, put together and recorded.
    pub fn from_parts(assembled: Assembled, closed: &Closed) -> Self {
        Self {
            decision: Some(closed.id().to_owned()),
            withheld: Some(assembled.withheld),
            used: assembled.used,
            challenge: assembled.status == 401,
            step_up: assembled.step_up,
            ..Self::json(assembled.status, Body::Whole(assembled.body))
        }
    }

    /// A refusal in the CRM's own error shape, with the id of its event where there is one.
    pub fn from_refusal(dialect: &dyn Dialect, refusal: Refusal, decision: Option<&str>) -> Self {
        let text = match decision {
            Some(id) => format!("{} (ref {id})", refusal.text()),
            None => refusal.text().into_owned(),
        };
        let label = refusal
            .label
            .or_else(|| refusal.told().and_then(|reason| dialect.label(reason)));
        let shape = dialect.refuse(refusal.status, label);
        let body = shape.filled(refusal.status, &text);
        let sent_as = match refusal.told() {
            Some(reason) if reason.status() == refusal.status => dialect.status(reason),
            _ => refusal.status,
        };
        let refused = Self::refused(refusal, decision, &body);
        Self {
            sent_as,
            content_type: shape.content_type,
            challenge: refused.challenge && sent_as == refusal.status,
            ..refused
        }
    }

    /// A refusal where no dialect is known (RFC 9457).
    pub fn from_problem(refusal: Refusal) -> Self {
        let body = serde_json::json!({"type": "about:blank", "status": refusal.status, "title": refusal.text()});
        Self {
            content_type: "application/problem+json",
            ..Self::refused(refusal, None, &body)
        }
    }

    fn refused(refusal: Refusal, decision: Option<&str>, body: &Value) -> Self {
        let body = Whole::fixed(body.to_string());
        Self {
            decision: decision.map(str::to_owned),
            challenge: refusal.status == 401,
            retry_after_seconds: refusal.retry_after_seconds,
            reason: refusal.told(),
            ..Self::json(refusal.status, Body::Whole(body))
        }
    }

    fn json(status: u16, body: Body) -> Self {
        Self {
            status,
            sent_as: status,
            content_type: "application/json",
            body,
            decision: None,
            withheld: None,
            challenge: false,
            step_up: None,
            retry_after_seconds: None,
            used: Vec::new(),
            reason: None,
            lesser: None,
            held: None,
        }
    }

    /// Sends it with the status of what it says.
    #[must_use]
    pub fn sent_plainly(self) -> Self {
        Self {
            sent_as: self.status,
            challenge: self.status == 401,
            ..self
        }
    }

    /// Says which authentication would show more of what was asked for.
    #[must_use]
    pub fn stepping_up(self, challenge: Option<Arc<Challenge>>) -> Self {
        match self.status {
            0..400 => Self {
                step_up: challenge,
                ..self
            },
            _ => self,
        }
    }

    /// Asks for another authentication (RFC 9470), where there is one that would do.
    #[must_use]
    pub fn challenging(self, challenge: Option<Arc<Challenge>>) -> Self {
        Self {
            step_up: challenge,
            ..self
        }
    }

    /// Says how much of the limits is used up.
    #[must_use]
    pub fn telling(self, used: Vec<Used>) -> Self {
        Self { used, ..self }
    }

    /// Whether it asks for another authentication.
    pub fn is_challenging(&self) -> bool {
        self.status == 401 && self.step_up.is_some()
    }

    /// Says of what type the reply is.
    #[must_use]
    pub fn of_type(self, content_type: &'static str) -> Self {
        Self {
            content_type,
            ..self
        }
    }

    /// Holds something until the reply has been sent.
    #[must_use]
    pub fn holding(mut self, held: impl Any + Send) -> Self {
        self.held = Some(Box::new(held));
        self
    }

    /// Bytes of the body that wait in memory to be sent.
    pub fn held_bytes(&self) -> usize {
        match &self.body {
            Body::Whole(whole) => whole.len(),
            Body::Stream(_) => 0,
        }
    }

    /// The status of what it says.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Why it holds no data, if that is our own reason.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// The status that it is sent with.
    pub fn sent_as(&self) -> u16 {
        self.sent_as
    }

    /// The headers, all of them: nothing of the CRM's response head is among them.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, Cow<'static, str>)> {
        let always = [
            ("content-type", self.content_type),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ];
        let always = always.map(|(name, value)| Some((name, value.into())));
        let sometimes = [
            (self.decision.clone()).map(|id| ("paravent-decision", id.into())),
            (self.withheld).map(|count| ("paravent-withheld", count.to_string().into())),
            (self.challenge).then(|| ("www-authenticate", self.asked_for())),
            (self.step_up.as_ref())
                .filter(|_| !self.challenge)
                .map(|challenge| ("paravent-step-up", challenge.to_string().into())),
            (self.retry_after_seconds).map(|seconds| ("retry-after", seconds.to_string().into())),
            (!self.used.is_empty()).then(|| ("paravent-limit", self.used_up().into())),
        ];
        always.into_iter().chain(sometimes).flatten()
    }

    /// How much of each limit is used up.
    fn used_up(&self) -> String {
        let used: Vec<String> = self.used.iter().map(Used::to_string).collect();
        used.join(", ")
    }

    /// How somebody should authenticate.
    fn asked_for(&self) -> Cow<'static, str> {
        match &self.step_up {
            None => "Bearer".into(),
            Some(challenge) => {
                let error = "insufficient_user_authentication";
                format!("Bearer error=\"{error}\", {challenge}").into()
            }
        }
    }

    /// The body, and what is held until it has been sent.
    pub fn into_body(self) -> (Body, Option<Held>) {
        (self.body, self.held)
    }

    /// The body of a part of a bulk reply, which is never streamed.
    fn whole(self) -> Whole {
        match self.body {
            Body::Whole(whole) => whole,
            Body::Stream(_) => Whole::fixed("null"),
        }
    }
}

/// A list with an entry for each part.
fn entries(members: &[(&'static str, OfPart)], parts: Vec<Reply>) -> Whole {
    let mut entries = vec![Part::Fixed("[".into())];
    for (number, part) in parts.into_iter().enumerate() {
        let status = part.status.to_string();
        let mut body = Some(part.whole()).filter(|body| !body.is_empty());
        for (place, (key, of)) in members.iter().enumerate() {
            let before = match (number, place) {
                (0, 0) => "{",
                (_, 0) => ",{",
                _ => ",",
            };
            entries.push(Part::Fixed(format!("{before}\"{key}\":").into()));
            match of {
                OfPart::Body => match body.take() {
                    Some(Whole(body)) => entries.extend(body),
                    None => entries.push(Part::Fixed("null".into())),
                },
                OfPart::Status => entries.push(Part::Fixed(status.clone().into())),
                OfPart::EmptyList => entries.push(Part::Fixed("[]".into())),
            }
        }
        entries.push(Part::Fixed("}".into()));
    }
    entries.push(Part::Fixed("]".into()));
    Whole(entries)
}

fn succeeded(status: u16, filtered: Filtered) -> Result<Filtered, Whole> {
    match status {
        0..400 => Ok(filtered),
        _ => Err(filtered.into()),
    }
}

/// An object of what is gathered from all parts; where every one was refused, the first refusal.
fn gathered(members: &[(&'static str, Gathered)], parts: Vec<Reply>) -> (u16, Whole) {
    let (mut refusal, mut passed) = (None, Vec::with_capacity(parts.len()));
    for part in parts {
        let status = part.status;
        // A refusal is made of fixed texts, whatever its status is.
        let filtered = part.whole().filtered();
        match filtered.and_then(|filtered| succeeded(status, filtered)) {
            Ok(filtered) => passed.push(Some(filtered)),
            Err(body) => {
                refusal = refusal.or(Some((status, body)));
                passed.push(None);
            }
        }
    }
    let is_refused = passed.iter().all(Option::is_none);
    match refusal.filter(|_| is_refused) {
        Some(refusal) => refusal,
        None => (200, Filtered::gathered(members, &passed).into()),
    }
}

#[cfg(test)]
mod tests;
