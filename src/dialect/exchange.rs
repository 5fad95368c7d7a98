//! One request and what comes back: what it does, how it is written to the CRM, and how the answer is read.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::{
    Absent, Access, Arrangement, Failure, Judging, Needed, Operation, Outgoing, PageForm,
    Projected, Query, Rendering, Restricted, Shape, Widened,
};
use crate::door::Credential;
use crate::objection::Objection;
use crate::vocabulary::{Action, Field, RecordRef, Spelling};

/// A request, understood.
pub trait Exchange: Send + Sync + fmt::Debug {
    /// What it does, and with what.
    fn operation(&self) -> &Operation;

    /// The request to the CRM, made only from what was understood: of the same operation, with a query and a write that a
    /// plan has narrowed.
    fn render(&self, narrowed: &Operation) -> Outgoing;

    /// How the CRM's answer is read.
    fn answer(&self) -> AnswerForm;

    /// How texts are spelled in the strings of request and answer.
    fn spelling(&self) -> Spelling;

    /// The error that an answer with this status and this short body tells; `None` if it tells none that is known. Only
    /// what stands on a list of the dialect is taken from the body.
    fn failure(&self, status: u16, body: &[u8]) -> Option<Failure>;

    /// The account name that a login states, as the CRM would read it, itself or by the credential of the client that comes
    /// with it; `None` if it names none, or none that a caller could guess at.
    fn account(&self, client: Option<&Credential>) -> Option<String>;

    /// The same as an operation, asked only of records of which what is needed holds.
    fn restrict(&self, operation: &Operation, needed: Needed<'_>) -> Restricted;

    /// The same as an operation, with the fields by which its records are judged; `None` if the API cannot be asked for
    /// them beside those that are asked for.
    fn also_ask(&self, operation: &Operation, judging: Judging<'_>) -> Option<Widened>;

    /// The same as an operation, from this row on, so many rows; `None` if the API cannot be asked for them.
    fn page_at(&self, operation: &Operation, offset: u64, limit: u32) -> Option<Operation>;

    /// What the CRM answers where it does not have the record that the request names.
    fn absent(&self) -> Absent;

    /// The read of a record that the request names, with these fields; `None` if the API has none.
    fn look_at(&self, record: &RecordRef, fields: &BTreeSet<Field>) -> Option<Box<dyn Exchange>>;

    /// The read of the record that this one updates; `None` if the API has none.
    fn look_up(&self, wanted: Wanted<'_>) -> Option<Box<dyn Exchange>>;

    /// The fields of the one record in the answer, its id under `id`; `None` if there is no such record.
    fn record(&self, answer: Value) -> Option<Map<String, Value>>;

    /// How the reply to an update that changed nothing is made of the answer to this look-up, which took its place.
    fn unchanged(&self) -> Arrangement;
}

/// What of a record is looked up.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// The fields that the keys of this object name, and the record's id.
    Fields(&'a Map<String, Value>),
    /// What the reply to the update shows.
    Reply,
}

impl Wanted<'_> {
    /// The fields to ask for, beginning with the id, where the API has a key for it. Where the names are longer than
    /// `bytes_max` as they stand in a query string, the record is read whole: servers bound the length of a request line.
    pub(super) fn projection(
        self,
        update: &Operation,
        id: Option<&str>,
        bytes_max: usize,
    ) -> Option<Vec<Projected>> {
        let Self::Fields(write) = self else {
            return update.query.projection.clone();
        };
        // `%2C` stands between two names.
        let length: usize = write.keys().map(|key| key.len() + 3).sum();
        let names = id.into_iter().chain(write.keys().map(String::as_str));
        let fields = names.map(|name| Projected::Field(name.to_owned()));
        (length <= bytes_max).then(|| fields.collect())
    }
}

impl Operation {
    /// The read of the record that this operation changes.
    pub(super) fn look_up(
        &self,
        route: &'static str,
        projection: Option<Vec<Projected>>,
        rendering: Rendering,
    ) -> Self {
        Self {
            action: Action::Read,
            access: Access::Governed,
            route,
            version: self.version.clone(),
            credential: self.credential.clone(),
            of_caller: false,
            module: self.module.clone(),
            record: self.record.clone(),
            link: None,
            related: Vec::new(),
            around: Vec::new(),
            query: Query {
                projection,
                ..Query::default()
            },
            write: None,
            rendering,
        }
    }
}

/// How an answer of the CRM is read.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerForm {
    /// Where records and fields lie.
    pub shape: Shape,
    /// Its content type.
    pub media: &'static str,
    /// Whether it may tell an error with a status of success, so that [`Exchange::failure`] must be asked.
    pub hides_errors: bool,
    /// Whether it describes the CRM's modules and fields, so that [`super::Dialect::described`] reads it.
    pub describes: bool,
    /// How it is read page by page; `None`: it cannot be.
    pub page: Option<PageForm>,
}

/// A request that was not understood: why, and what is known about it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misunderstood {
    /// Why.
    pub objection: Objection,
    /// The route, if it was recognised.
    pub route: Option<&'static str>,
}

impl<T: Into<Objection>> From<T> for Misunderstood {
    fn from(objection: T) -> Self {
        Self {
            objection: objection.into(),
            route: None,
        }
    }
}

/// What a request means.
#[derive(Debug)]
pub enum Understood<E = Box<dyn Exchange>> {
    /// One operation.
    One(E),
    /// An envelope: each part is decided by itself.
    Bulk {
        /// The credential, where the envelope carries it among its arguments.
        credential: Option<Credential>,
        /// The route of the envelope, for the log.
        route: &'static str,
        /// The API version in which the session is looked up.
        version: String,
        /// The parts in order; one that was not understood is refused in its place.
        parts: Vec<Result<E, Misunderstood>>,
    },
}

impl<E> Understood<E> {
    /// The same, with something made of each operation.
    pub(super) fn map<F>(self, mut make: impl FnMut(E) -> F) -> Understood<F> {
        match self {
            Self::One(one) => Understood::One(make(one)),
            Self::Bulk {
                credential,
                route,
                version,
                parts,
            } => Understood::Bulk {
                credential,
                route,
                version,
                parts: parts.into_iter().map(|part| part.map(&mut make)).collect(),
            },
        }
    }
}
