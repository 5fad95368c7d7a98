//! A CRM in memory. It reads requests with the dialect's own reading, and answers where the dialect says that its answers lie.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use tokio::io::DuplexStream;

use super::{ANY_ID, Held, lay};
use crate::dialect::{
    self, Bounds, Dialect, Exchange, Operation, Predicate, Projected, Query, Understood,
};
use crate::ledger::Pretended;
use crate::markup;
use crate::vocabulary::{Action, Field};

/// A CRM in memory.
#[derive(Debug)]
pub(super) struct Crm {
    dialect: Arc<dyn Dialect>,
    bounds: Bounds,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    records: Vec<Held>,
    /// The fields of the first write.
    written: Option<Map<String, Value>>,
    /// The ids of the records in the last answer, in their order.
    sent: Vec<String>,
}

impl Crm {
    pub(super) fn new(dialect: Arc<dyn Dialect>, bounds: Bounds) -> Self {
        Self {
            dialect,
            bounds,
            state: Mutex::default(),
        }
    }

    /// It holds these records, and nobody has asked it anything yet.
    pub(super) fn begin(&self, records: Vec<Held>) {
        *self.state() = State {
            records,
            ..State::default()
        };
    }

    /// The fields that were written, if any were, and the ids of the records in the last answer.
    pub(super) fn end(&self) -> (Option<Map<String, Value>>, Vec<String>) {
        let State { written, sent, .. } = std::mem::take(&mut *self.state());
        (written, sent)
    }

    /// Answers on a connection until it ends.
    pub(super) fn host(this: &Arc<Self>, connection: DuplexStream) {
        let this = this.clone();
        let answering = service_fn(move |request| {
            let this = this.clone();
            async move { Ok::<_, Infallible>(this.answer(request).await) }
        });
        let serving = http1::Builder::new().serve_connection(TokioIo::new(connection), answering);
        // A connection that breaks breaks at the other end, too.
        tokio::spawn(serving);
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return error(StatusCode::BAD_REQUEST);
        };
        let body = body.to_bytes();
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let incoming = dialect::Incoming {
            method: &head.method,
            path: head.uri.path(),
            query: head.uri.query(),
            accept: text(ACCEPT),
            content_type: text(CONTENT_TYPE),
            controls: &[],
            body: &body,
        };
        match self.dialect.understand(&incoming, &self.bounds) {
            Ok(Understood::One(exchange)) => self.carry_out(&*exchange),
            // What the proxy sends, it must understand.
            _ => error(StatusCode::NOT_IMPLEMENTED),
        }
    }

    fn carry_out(&self, exchange: &dyn Exchange) -> Response<Full<Bytes>> {
        let (operation, form) = (exchange.operation(), exchange.answer());
        let mut state = self.state();
        if operation.action.writes() && state.written.is_none() {
            let written = operation.write.clone().unwrap_or_default();
            state.written = Some(markup::decode_all(exchange.spelling(), &written));
        }
        let records = match operation.action {
            Action::Read => state.read(operation),
            Action::List => Some(state.list(operation)),
            Action::Update => state.update(operation, exchange),
            Action::Create => state.create(operation, exchange),
            _ => None,
        };
        let Some(records) = records else {
            return error(StatusCode::NOT_FOUND);
        };
        state.sent = records.iter().map(|record| record.id.clone()).collect();
        let body = lay::out(&form.shape, operation, &records);
        let mut response = Response::new(Full::new(body.to_string().into()));
        let media = http::HeaderValue::from_static(form.media);
        response.headers_mut().insert(CONTENT_TYPE, media);
        response
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn read(&self, operation: &Operation) -> Option<Vec<Held>> {
        let id = operation.record.as_deref()?;
        let record = self
            .records
            .iter()
            .find(|record| record.is(operation, id))?;
        Some(vec![record.narrowed(&operation.query)])
    }

    fn list(&self, operation: &Operation) -> Vec<Held> {
        let query = &operation.query;
        let is_of_module = |record: &&Held| Some(&record.module) == operation.target();
        let is_meant = |record: &&Held| {
            let predicate = query.predicate.as_ref();
            predicate.is_none_or(|predicate| record.fits(predicate) != Some(false))
        };
        let records = self.records.iter().filter(is_of_module).filter(is_meant);
        let mut records: Vec<&Held> = records.collect();
        for sort in query.order.iter().rev() {
            records.sort_by_cached_key(|record| record.text(&sort.path.field));
            if sort.descending {
                records.reverse();
            }
        }
        let skipped = usize::try_from(query.offset.unwrap_or(0)).unwrap_or(usize::MAX);
        let wanted = query.limit.map_or(usize::MAX, |rows| rows as usize);
        let page = records.into_iter().skip(skipped).take(wanted);
        page.map(|record| record.narrowed(query)).collect()
    }

    fn update(&mut self, operation: &Operation, exchange: &dyn Exchange) -> Option<Vec<Held>> {
        let id = operation.record.as_deref()?;
        let mut records = self.records.iter_mut();
        let record = records.find(|record| record.is(operation, id))?;
        let write = operation.write.clone().unwrap_or_default();
        let write = markup::decode_all(exchange.spelling(), &write);
        record.fields.extend(write);
        Some(vec![record.narrowed(&operation.query)])
    }

    fn create(&mut self, operation: &Operation, exchange: &dyn Exchange) -> Option<Vec<Held>> {
        let write = operation.write.clone().unwrap_or_default();
        let id = operation.record.clone();
        let record = Held {
            module: operation.target()?.clone(),
            id: id.unwrap_or_else(|| ANY_ID.to_owned()),
            fields: markup::decode_all(exchange.spelling(), &write),
            said: Pretended::default(),
        };
        self.records.push(record.clone());
        Some(vec![record])
    }
}

impl Held {
    fn is(&self, operation: &Operation, id: &str) -> bool {
        Some(&self.module) == operation.target() && self.id == id
    }

    /// A field, in whatever case.
    fn field(&self, name: &str) -> Option<&Value> {
        let mut fields = self.fields.iter();
        fields
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> String {
        text(self.field(name).unwrap_or(&Value::Null))
    }

    /// What is asked of it.
    fn narrowed(&self, query: &Query) -> Self {
        let Some(items) = &query.projection else {
            return self.clone();
        };
        let names = items.iter().filter_map(|item| match item {
            Projected::Field(name) => Some(Field::fold(name)),
            Projected::Collection { .. } => None,
        });
        let names: Vec<Field> = names.collect();
        let fields = self.fields.iter();
        let asked = fields.filter(|(name, _)| names.contains(&Field::fold(name)));
        Self {
            fields: asked
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            ..self.clone()
        }
    }

    /// Whether a predicate holds of it, as far as this CRM understands predicates.
    fn fits(&self, predicate: &Predicate) -> Option<bool> {
        match predicate {
            Predicate::All(parts) => joined(parts.iter().map(|part| self.fits(part)), false),
            Predicate::Any(parts) => joined(parts.iter().map(|part| self.fits(part)), true),
            Predicate::Not(part) => self.fits(part).map(|fits| !fits),
            Predicate::Field {
                path,
                operator,
                value,
            } => {
                let is_plain = path.link.is_none() && dialect::is_equality(*operator);
                is_plain.then(|| self.text(&path.field) == text(dialect::operand(value)))
            }
            Predicate::Caller { .. } => None,
        }
    }
}

/// All or any of several answers, some of which are not known: `settles` is the one that settles it.
fn joined(answers: impl Iterator<Item = Option<bool>>, settles: bool) -> Option<bool> {
    let mut is_known = true;
    for answer in answers {
        match answer {
            Some(answer) if answer == settles => return Some(settles),
            Some(_) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(!settles)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// An error of the CRM, of which no word counts.
fn error(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
    *response.status_mut() = status;
    let media = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}
