//! What a request means in a CRM's API, and where the data lies in its reply.
//!
//! A [`Dialect`] makes an [`Exchange`] of a request: what it does ([`Exchange::operation`]), how it is written to the CRM
//! ([`Exchange::render`]), and where records and fields lie in the answer ([`Exchange::answer`]). Beside that it knows what
//! is known of the CRM's data ([`Schema`]), how its sessions are looked up ([`Dialect::inquire`]), and what a refusal looks
//! like ([`Dialect::refuse`]). A new CRM is one new file; nothing below this module knows any CRM.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use http::header::HeaderName;
use serde_json::{Map, Value};

use crate::door::{Carrier, Control, Credential};
use crate::reason::Reason;
use crate::vocabulary::{Action, Field, FieldPath, Module, RecordRef};

mod access;
mod arrangement;
mod ask;
mod builtin;
mod carriers;
mod database;
mod discreet;
pub mod engine;
mod exchange;
mod express;
mod login;
mod named;
mod outgoing;
mod paging;
mod reread;
mod rights;
pub mod schema;
mod secrets;
mod shape;
mod spelling;
mod styles;
pub mod sugar_rest;
pub mod sugar_v4;
pub mod suitecrm_v8;
pub mod survey;
#[cfg(test)]
pub(crate) mod testing;
mod trust;
mod uses;

pub use arrangement::{Arrangement, Assembly, ErrorShape, Frame, Gathered, OfPart, Step, Which};
pub use ask::{Ask, is_equality, operand};
pub use builtin::{
    DESCRIPTIONS, NAMES, OF_QUERIES, OF_SQL, SAMPLES, USUAL, USUAL_VERSION, before, by_name, usual,
};
pub use database::Database;
pub use exchange::{AnswerForm, Exchange, Misunderstood, Understood, Wanted};
pub use express::{Absent, AddressList, Judging, Needed, Restricted, Widened};
pub use login::{Account, Entered, Login, Secret};
pub use outgoing::{Media, Outgoing};
pub use paging::{Empty, NextPlace, NextSays, PageForm};
pub use schema::{Modules, Schema, Stock, ValueType};
pub use shape::{
    ChoiceShape, Collection, Count, EntryShape, ID_KEY, Items, Layout, MODULE_KEY, ModuleName,
    ObjectShape, Others, RecordShape, Shape,
};
pub use trust::{Told, Unread};

/// A CRM's API.
pub trait Dialect: survey::Survey + Send + Sync + fmt::Debug {
    /// The name used in configuration and log: `sugar-rest`.
    fn name(&self) -> &'static str;

    /// Whether a path (below the listener's root) belongs to this dialect. The prefixes of dialects are disjoint.
    fn claims(&self, path: &str) -> bool;

    /// What of this API the head of a request may carry.
    fn head_form(&self) -> &HeadForm;

    /// What a request means. Pure; produces one interpretation or refuses.
    fn understand(
        &self,
        request: &Incoming<'_>,
        bounds: &Bounds,
    ) -> Result<Understood, Misunderstood>;

    /// Whether a request carries a session or a password in its query string, where others write it down: understood, but
    /// let in only where a listener says so.
    fn has_secrets_in_query(&self, _request: &Incoming<'_>) -> bool {
        false
    }

    /// How a client asks this, with a credential in the head or none; `None` if the API has no such request. What comes out
    /// is understood as what was asked.
    fn ask(&self, _ask: &Ask, _bounds: &Bounds) -> Option<Outgoing> {
        None
    }

    /// How the reply to an envelope is made of the replies to its parts; `None` for a route that is no envelope.
    fn assemble(&self, route: &str) -> Option<Assembly>;

    /// The body of a refusal or of an upstream error, in the CRM's own error shape, without its text.
    fn refuse(&self, status: u16, label: Option<&'static str>) -> ErrorShape;

    /// The status that a refusal of our own is sent with.
    fn status(&self, reason: Reason) -> u16 {
        reason.status()
    }

    /// The label of a refusal of our own, where the CRM has a more telling one than that of the status.
    fn label(&self, reason: Reason) -> Option<&'static str>;

    /// The next question that tells whose session a credential is, in the API version of the request that carries it,
    /// or the conclusion from the answers so far. Pure: the same answers lead to the same step.
    fn inquire(&self, version: &str, credential: &Credential, answers: &[Answered]) -> Inquiry;

    /// The next step by which the proxy's own account logs in, in an API version, or what has come of it. `held` is what it
    /// came to before. Pure: the same answers lead to the same step.
    fn enter(
        &self,
        _version: &str,
        _account: &Account,
        _held: Option<&Entered>,
        _answers: &[Answered],
    ) -> Login {
        Login::Impossible
    }

    /// The list of all e-mail addresses of a record of which this field holds the primary one, or all; `None`, if the field
    /// holds one address and nothing lists others.
    fn addresses(&self, field: &Field) -> Option<&AddressList>;

    /// What is known of the CRM's data. Whatever a dialect does is a function of it and of what it is given.
    fn schema(&self) -> &Arc<Schema>;

    /// The same dialect before a CRM of which this is known.
    fn with_schema(&self, schema: Arc<Schema>) -> Arc<dyn Dialect>;

    /// What the CRM's description of itself says, in an answer about a module or about all; `None` if it is none.
    fn described(&self, module: Option<&Module>, answer: &[u8]) -> Option<Modules>;
}

/// What of an API the head of a request may carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadForm {
    /// Headers of its own that carry a credential.
    pub credentials: Vec<HeaderName>,
    /// Whether `Authorization: Bearer …` does.
    pub bearer: bool,
    /// Whether `Authorization: Basic …` does.
    pub basic: bool,
    /// Whether an argument of the request does.
    pub argument: bool,
    /// Headers, in lower case, with which this API is told what a request means, besides those that the front door knows
    /// of many APIs. One that [`Dialect::understand`] does not take refuses the request.
    pub controls: Vec<&'static str>,
}

impl HeadForm {
    /// Whether a credential that came in this way is one of the API's.
    pub fn accepts(&self, carrier: &Carrier) -> bool {
        match carrier {
            Carrier::Bearer => self.bearer,
            Carrier::Basic => self.basic,
            Carrier::Header(name) => self.credentials.contains(name),
            Carrier::Argument => self.argument,
        }
    }
}

/// An answer of the CRM to a question about a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The whole body, decoded; blank if it does not say that it is JSON.
    pub body: Bytes,
}

/// The next step in finding out whose session a credential is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inquiry {
    /// Ask the CRM this, with the credential.
    Ask(Outgoing),
    /// This is whose it is.
    Known(Session),
    /// It is nobody's.
    Nobody,
    /// The answers cannot be relied on.
    Failed(Reason),
}

/// An error that the CRM told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its label, from the dialect's closed list.
    pub label: Option<&'static str>,
    /// Whether it says that the session is not known, or no longer.
    pub ends_session: bool,
}

impl Failure {
    /// One of which nothing but its label is known.
    fn labelled(label: &'static str) -> Self {
        Self {
            label: Some(label),
            ends_session: false,
        }
    }
}

/// Bounds on what a request may ask.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Rows of one reply; a larger wish is clamped.
    pub page_max: u32,
    /// Parts of one bulk request.
    pub bulk_parts_max: usize,
    /// Depth of a JSON body.
    pub depth_max: usize,
}

/// A request as it came in, its head already checked by the front door, its credential taken out.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The method.
    pub method: &'a Method,
    /// The raw path: starts with `/`, no dot segments, no empty segments, no encoded separators.
    pub path: &'a str,
    /// The raw query string, if there is one.
    pub query: Option<&'a str>,
    /// The `Accept` header, if there is exactly one.
    pub accept: Option<&'a str>,
    /// The `Content-Type` header, if there is exactly one.
    pub content_type: Option<&'a str>,
    /// Headers that change what the request means; one that is not understood refuses it.
    pub controls: &'a [Control],
    /// The whole body.
    pub body: &'a [u8],
}

/// Who may perform an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody: login, ping. The reply passes an allow-list of keys.
    Public,
    /// Whoever has a session, with or without a role: logout.
    Session,
    /// Whoever has a role, for whatever purpose or none: what the API itself tells of the caller and of modules. Without a
    /// purpose nothing is granted of what a policy rules.
    Role,
    /// A caller whose role and purpose count.
    Governed,
}

/// What one request, or one part of a bulk request, means.
#[derive(Clone, PartialEq)]
pub struct Operation {
    /// What it does.
    pub action: Action,
    /// Who may do it.
    pub access: Access,
    /// The route's template, for the log: `GET /rest/{version}/{module}/{id}`. `{module}` is filled in by the log.
    pub route: &'static str,
    /// The API version of the request: `v11_24`.
    pub version: String,
    /// The credential, where the request carries it among its arguments instead of in its head.
    pub credential: Option<Credential>,
    /// Whether the request itself is about whoever the CRM takes the caller for: who they are, what they prefer, what they
    /// have marked. [`Operation::is_about_caller`] tells of its query too.
    pub of_caller: bool,
    /// The module in the path.
    pub module: Option<Module>,
    /// The record in the path.
    pub record: Option<String>,
    /// The link in the path or body; its target module rules the reply.
    pub link: Option<Link>,
    /// Ids of records that a relation is made or ended with.
    pub related: Vec<String>,
    /// Records further up in the path, within which the others lie.
    pub around: Vec<RecordRef>,
    /// What is asked for.
    pub query: Query,
    /// What is written, as top-level keys of [`Operation::target`].
    pub write: Option<Map<String, Value>>,
    /// How the request is written back; the dialect's own.
    pub rendering: Rendering,
}

/// How an operation is written back: the parts of a request that no plan changes.
#[derive(Clone, PartialEq)]
pub struct Rendering {
    /// The dialect's own name for the form of the request.
    pub form: &'static str,
    /// The method.
    pub method: Method,
    /// The canonical path, made from what was understood, percent-encoded.
    pub path: String,
    /// The headers that change what the request means.
    pub controls: Vec<Control>,
    /// Whether the query travels in a JSON body (else in the query string).
    pub in_body: bool,
    /// Parameters that are neither query nor write: the fields of a login, `type_filter` of metadata.
    pub fixed: Map<String, Value>,
}

/// A link between modules, resolved to its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The link's name: `contacts`.
    pub name: String,
    /// The module that it leads to.
    pub target: Module,
}

/// What records are asked for, how much of them, and in which order.
#[derive(Clone, Default, PartialEq)]
pub struct Query {
    /// The fields asked for; `None` leaves the choice to the CRM.
    pub projection: Option<Vec<Projected>>,
    /// Which records; `None` for all.
    pub predicate: Option<Predicate>,
    /// The order.
    pub order: Vec<Sort>,
    /// Text for the CRM's full-text search.
    pub search: Option<String>,
    /// Further modules whose records are asked for at the same time: a search may look into several.
    pub beside: Vec<Module>,
    /// Comparisons of the record asked for, so that the answer tells what its fields are.
    pub compared: Vec<Compared>,
    /// Rows wanted.
    pub limit: Option<u32>,
    /// Rows skipped.
    pub offset: Option<u64>,
    /// Filters about the caller, by their parameter's name: `my_items`, `favorites`.
    pub about_caller: Vec<(&'static str, bool)>,
}

/// A field that a header compares with: the request is carried out only if it is still what the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The field, as the API calls it.
    pub field: String,
    /// The header, one of [`Rendering::controls`].
    pub header: &'static str,
}

/// One item of a projection.
#[expect(
    clippy::large_enum_variant,
    reason = "collections are rare, and a box would be seen by everybody who matches"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Projected {
    /// A field, as the caller wrote it.
    Field(String),
    /// Records of a link, with a query of their own.
    Collection {
        /// The link.
        link: Link,
        /// What of its records.
        query: Query,
    },
}

/// A predicate over records.
#[derive(Clone, PartialEq)]
pub enum Predicate {
    /// All hold. Empty: every record.
    All(Vec<Self>),
    /// One holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// A field compares with a value.
    Field {
        /// The field, of this module or of a linked one.
        path: Path,
        /// The operator, from the dialect's list; `None` is the short form of equality.
        operator: Option<&'static str>,
        /// What it is compared with.
        value: Value,
    },
    /// The record relates to the caller: `$owner`, `$favorite`.
    Caller {
        /// The word, from the dialect's list.
        word: &'static str,
        /// Its argument: blank, a link's name, a time span.
        argument: String,
    },
}

/// A field of the module asked, or of one it links to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The link, if the field is a related one.
    pub link: Option<Link>,
    /// The field, as the caller wrote it.
    pub field: String,
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By which field.
    pub path: Path,
    /// Last first.
    pub descending: bool,
}

/// What the CRM says of a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The user's id.
    pub id: String,
    /// The user's login name.
    pub name: String,
    /// `user`, `admin`, or another word of the CRM.
    pub kind: String,
    /// Names of the user's roles.
    pub roles: Vec<String>,
    /// Names of the user's teams.
    pub teams: Vec<String>,
}

/// Where the value of a field comes from. Policies classify fields; copies follow the fields they come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// A field of its own, classified under its own name.
    Own,
    /// A field of its own whose value is a list of objects with known members.
    Items(Items),
    /// Composed of or copied from other fields: the lowest of their levels (and of its own, if it is classified).
    Copy {
        /// Fields that the value always shows.
        of: Vec<FieldPath>,
        /// Fields that the value may show; they count where the policy classifies them.
        perhaps: Vec<FieldPath>,
    },
    /// A list of objects, or an object, whose members repeat other fields: the lowest of their levels.
    CopyItems {
        /// The members.
        items: Items,
        /// Fields that the value shows.
        of: Vec<FieldPath>,
    },
    /// A copy of the name of a record whose module a sibling field tells.
    CopyOfParent {
        /// The sibling: `parent_type`.
        told_by: &'static str,
    },
    /// Records of another module.
    Related(Module),
    /// Records of a module that is not known: never shown, never written.
    UnknownRelated,
    /// A secret (password hash): never shown, never written, whatever a policy says.
    Secret,
    /// The CRM's own scaffolding, without personal data: passes on read in this shape, dropped on write.
    Structural(Shape),
}
