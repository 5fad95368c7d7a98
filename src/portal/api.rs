//! The API for programs of the house: records events, and tells how somebody stands.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::answer::Answer;
use super::client::permitted;
use super::fields::Fields;
use super::media::Media;
use super::problem::Problem;
use super::requests::Wanted;
use super::route::Route;
use super::{Asked, Portal};
use crate::config::{ApiClient, May};
use crate::consent::{Note, PolicyTerms, answer, event, moment};
use crate::ledger::{Address, Channel, Draft, Event, Kind, Proof, Reference, ShownText, Who};

const JSON: &str = "application/json";
/// All purposes.
const EVERY: &str = "*";
/// Bytes of an `Idempotency-Key`.
const KEY_BYTES_MAX: usize = 200;
/// The members of an event.
const EVENT: &[&str] = &[
    "email",
    "record",
    "purpose",
    "kind",
    "proof",
    "source",
    "at",
    "expires",
    "recipient",
    "text",
    "language",
];

impl Portal {
    /// What a program is answered.
    pub(super) async fn api(&self, route: Route, asked: &Asked) -> Answer {
        let answered = match route {
            Route::Events => self.events(asked).await,
            _ => self.standing(asked).await,
        };
        answered.unwrap_or_else(|problem| problem.answer())
    }

    /// `POST /api/v1/consent/events`
    async fn events(&self, asked: &Asked) -> Result<Answer, Problem> {
        let client = self.client(asked)?;
        let fields = json(asked, EVENT)?;
        let terms = (self.parts.terms)();
        let kind = required(&fields, "kind")?;
        let kind = Kind::named(kind).ok_or_else(|| unfit("kind", "names no kind of event"))?;
        permitted(client, right(kind))?;
        let mut draft = match kind {
            Kind::Requested => self.wanted(&fields, client, &terms)?,
            _ => self.drafted(&fields, (kind, client), &terms)?,
        };
        draft.reference = reference(asked, client)?;
        draft.check(self.parts.clock.moment())?;
        if kind == Kind::Requested {
            self.paced(&draft).await?;
        }
        let recorded = self.parts.ledger.append(draft).await?;
        self.parts.postman.ring();
        let status = if recorded.is_new() { 201 } else { 200 };
        Ok(told(status, &shown(recorded.event())))
    }

    /// A request that the person is asked to confirm.
    fn wanted(
        &self,
        fields: &Fields,
        client: &ApiClient,
        terms: &PolicyTerms,
    ) -> Result<Draft, Problem> {
        let odd = ["record", "proof", "at", "expires", "recipient", "text"];
        if let Some(name) = odd.into_iter().find(|name| fields.get(name).is_some()) {
            return Err(unfit(
                name,
                "has no place in a request: the person is asked by mail, now",
            ));
        }
        let language = fields.get("language");
        let wanted = Wanted {
            address: email(required(fields, "email")?)?,
            purpose: required(fields, "purpose")?,
            language: super::speech::choose(language, None, &terms.organisation),
            source: required(fields, "source")?,
            channel: Channel::ApiKey,
            by: &client.name,
        };
        self.asking(wanted, terms)
            .map_err(|trouble| Problem::from(&trouble))
    }

    /// Another event.
    fn drafted(
        &self,
        fields: &Fields,
        (kind, client): (Kind, &ApiClient),
        terms: &PolicyTerms,
    ) -> Result<Draft, Problem> {
        let purpose = required(fields, "purpose")?;
        let is_all = purpose == EVERY && !kind.affirms();
        let known = terms.purposes.get(purpose);
        if known.is_none() && !is_all {
            return Err(unfit("purpose", "names no purpose of the policy"));
        }
        let mut draft = Draft::new(self.who(fields)?, purpose, kind, Channel::ApiKey);
        draft.proof = match fields.get("proof") {
            None => Proof::None,
            Some(name) => Proof::named(name).ok_or_else(|| unfit("proof", "names no proof"))?,
        };
        draft.source = required(fields, "source")?.to_owned();
        draft.by.clone_from(&client.name);
        draft.basis = known.map(|purpose| purpose.legal_basis.clone());
        draft.at = time(fields, "at")?;
        draft.expires = time(fields, "expires")?;
        draft.recipient = fields.get("recipient").map(str::to_owned);
        let (text, language) = text(fields, terms)?;
        (draft.text, draft.language) = (text, language);
        Ok(draft)
    }

    /// An address is written to three times an hour at most. What was recorded before is not written again.
    async fn paced(&self, draft: &Draft) -> Result<(), Problem> {
        let known = self.parts.ledger.known(Arc::new(vec![draft.clone()]));
        let is_known = matches!(known.await?.first(), Some(Ok(true)));
        match &draft.who {
            Who::Address(address) if !is_known && !self.pace.may_write_to(address) => {
                Err(Problem::new(
                    429,
                    "This address was written to three times in the last hour.",
                ))
            }
            _ => Ok(()),
        }
    }

    /// `POST /api/v1/consent/standing`
    async fn standing(&self, asked: &Asked) -> Result<Answer, Problem> {
        let client = self.client(asked)?;
        permitted(client, May::Show)?;
        let fields = json(asked, &["email", "record", "purpose"])?;
        let terms = (self.parts.terms)();
        let purposes: Vec<&str> = match fields.get("purpose") {
            None => terms.purposes.keys().map(String::as_str).collect(),
            Some(name) if terms.purposes.contains_key(name) => vec![name],
            Some(_) => return Err(unfit("purpose", "names no purpose of the policy")),
        };
        let (ledger, now) = (&self.parts.ledger, self.parts.clock.moment());
        let who = self.who(&fields)?;
        let answer = answer(ledger, &who, &terms, &purposes, now).await?;
        // Nothing is told before it is durable that it was.
        // That somebody is not known is told of them, too.
        let (person, how) = (answer.person.as_ref().map(|person| &person.id), "api");
        let note = Note::Read { person, how }.by(&client.name);
        ledger.send(vec![note]).await?;
        Ok(told(200, &answer.json()))
    }

    /// Whom it is about.
    fn who(&self, fields: &Fields) -> Result<Who, Problem> {
        match (fields.get("email"), fields.get("record")) {
            (Some(text), None) => email(text).map(Who::Address),
            (None, Some(text)) => self.record(text).map(Who::Record),
            _ => Err(Problem::new(
                422,
                "Name a person by one of `email` and `record` (`upstream:Module/id`).",
            )),
        }
    }

    fn record(&self, text: &str) -> Result<Reference, Problem> {
        let upstream = text.split(':').next().unwrap_or_default();
        if !self.parts.upstreams.contains(upstream) {
            return Err(unfit("record", "names no upstream of the configuration"));
        }
        Reference::parse(text).map_err(|why| Problem::new(422, format!("`record`: {why}.")))
    }
}

/// What a program must be allowed to do to record a kind of event.
fn right(kind: Kind) -> May {
    match kind {
        Kind::Requested => May::Request,
        kind if kind.denies() => May::Withdraw,
        _ => May::Record,
    }
}

/// The members of a JSON body.
fn json(asked: &Asked, known: &[&str]) -> Result<Fields, Problem> {
    match Fields::of_body(asked, known) {
        Ok((fields, Media::Json)) => Ok(fields),
        Ok(_) => Err(Problem::new(415, "The body must be `application/json`.")),
        Err(trouble) if trouble.status == 400 => Err(Problem::new(
            400,
            format!(
                "The body must be one JSON object of texts, each member once, out of {}.",
                known.join(", ")
            ),
        )),
        Err(trouble) => Err(Problem::from(&trouble)),
    }
}

/// Under what an event is recorded once: the program's own word for it, which no other program has.
fn reference(asked: &Asked, client: &ApiClient) -> Result<Option<String>, Problem> {
    let Some(key) = &asked.idempotency else {
        return Ok(None);
    };
    let fits =
        (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    match fits {
        true => Ok(Some(format!("api:{}:{key}", client.name))),
        false => Err(Problem::new(
            400,
            "`Idempotency-Key` must be 1 to 200 visible ASCII characters.",
        )),
    }
}

fn required<'f>(fields: &'f Fields, name: &'static str) -> Result<&'f str, Problem> {
    fields.get(name).ok_or_else(|| unfit(name, "is missing"))
}

fn unfit(name: &str, why: &str) -> Problem {
    Problem::new(422, format!("`{name}` {why}."))
}

/// The message does not repeat what was sent.
fn email(text: &str) -> Result<Address, Problem> {
    Address::parse(text).map_err(|why| Problem::new(422, format!("`email`: {why}.")))
}

fn time(fields: &Fields, name: &'static str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = fields.get(name) else {
        return Ok(None);
    };
    match moment(text) {
        Ok(time) => Ok(Some(time)),
        Err(why) => Err(unfit(name, &why.to_string())),
    }
}

/// The text that the person was shown, and its language.
fn text(
    fields: &Fields,
    terms: &PolicyTerms,
) -> Result<(Option<ShownText>, Option<String>), Problem> {
    let language = fields.get("language");
    let Some(text) = fields.get("text") else {
        return Ok((None, language.map(str::to_owned)));
    };
    let shown = text.split_once('@').zip(language);
    let shown = shown.and_then(|((name, version), code)| terms.shown(name, version, code));
    match shown {
        Some(shown) => Ok((Some(shown), language.map(str::to_owned))),
        None => Err(unfit(
            "text",
            "names no text of the policy (`name@version`) in `language`",
        )),
    }
}

/// An event, and whose it is.
fn shown(recorded: &Event) -> Value {
    let mut told = event(recorded);
    if let Value::Object(members) = &mut told {
        members.insert("person".to_owned(), recorded.person.as_str().into());
    }
    told
}

fn told(status: u16, body: &Value) -> Answer {
    Answer::new(status, JSON, body.to_string() + "\n")
}
