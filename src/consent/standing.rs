//! How a person stands, for each purpose, and because of which event. Whether it is valid is what the proxy itself decides by;
//! the event is found beside that, to tell people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::policy_terms::{PolicyTerms, Purpose};
use super::told::time;
use crate::ledger::{
    About, Because, ByKind, Error, Event, Kind, Ledger, Person, Proof, Standing, Terms, Who,
};

/// All purposes.
const EVERY: &str = "*";

/// How a person stands.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Who it is; `None` if nobody is known.
    pub person: Option<Person>,
    /// By purpose.
    pub purposes: BTreeMap<String, Stand>,
    /// All that was recorded, in its order.
    pub history: Vec<Event>,
}

/// How a person stands for a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// What the event that decides says; `none` if there is none.
    pub state: &'static str,
    /// Whether data may be shown for this purpose, as far as the person decides that.
    pub is_valid: bool,
    /// How well it is proven.
    pub proof: Option<Proof>,
    /// When that was.
    pub at: Option<i64>,
    /// When it ends.
    pub until: Option<i64>,
    /// Why.
    pub because: &'static str,
    /// The event that decides.
    pub event: Option<String>,
}

/// How somebody stands for some purposes.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn answer(
    ledger: &Ledger,
    who: &Who,
    terms: &PolicyTerms,
    purposes: &[&str],
    now: Timestamp,
) -> Result<Answer, Error> {
    let person = ledger.person(who.clone()).await?;
    let history = match &person {
        Some(person) => ledger.history(person.id.clone()).await?,
        None => Vec::new(),
    };
    let mut answer = Answer {
        person,
        purposes: BTreeMap::new(),
        history,
    };
    for name in purposes {
        if let Some(purpose) = terms.purposes.get(*name) {
            let standing = standing(ledger, (who, answer.person.as_ref()), (name, purpose), now);
            let stand = Stand::of(&standing, (name, purpose), &answer.history, now);
            answer.purposes.insert((*name).to_owned(), stand);
        }
    }
    Ok(answer)
}

/// What the proxy decides by.
fn standing(
    ledger: &Ledger,
    (who, person): (&Who, Option<&Person>),
    (name, purpose): (&str, &Purpose),
    now: Timestamp,
) -> Standing {
    let (reference, address) = match who {
        Who::Record(record) => (Some(record.as_str()), None),
        Who::Address(address) => (None, Some(address.as_str())),
        Who::RecordWith(record, address) => (Some(record.as_str()), Some(address.as_str())),
        Who::Person(_) => (None, None),
    };
    let about = About {
        references: reference.as_slice(),
        primary: address,
        others: &[],
    };
    let terms = Terms {
        proof: purpose.proof,
        max_age: purpose.age(now),
        // To whom data go is known of a request, not of a person: what consent names is told instead.
        recipient: None,
    };
    match (who, person) {
        (Who::Person(_), Some(person)) => ledger.standings().of(person, name, &terms, now),
        _ => ledger.standings().about(&about, name, &terms, now),
    }
}

impl Stand {
    fn of(
        standing: &Standing,
        (name, purpose): (&str, &Purpose),
        history: &[Event],
        now: Timestamp,
    ) -> Self {
        let is_about = |event: &&Event| event.purpose == name || event.purpose == EVERY;
        let about: Vec<&Event> = history.iter().filter(is_about).collect();
        let decides = decides(standing, purpose, &about, now);
        let is_consent = purpose.asks_consent();
        let is_objected = standing.is_objected() && purpose.honours_objection;
        Self {
            state: decides.map_or("none", |event| event.kind.name()),
            is_valid: match is_consent {
                true => standing.is_valid(),
                false => !is_objected,
            },
            proof: decides
                .filter(|event| event.kind.affirms())
                .map(|event| event.proof),
            at: decides.map(|event| event.at),
            until: decides.and_then(|event| purpose.until(event)),
            because: match (is_consent, standing.is_restricted()) {
                (_, true) => "restricted",
                (true, _) => words(standing.because()),
                (false, _) if is_objected => "objected",
                (false, _) => "needs-no-consent",
            },
            event: decides.map(|event| event.id.clone()),
        }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({
            "state": self.state,
            "valid": self.is_valid,
            "proof": self.proof.map(Proof::name),
            "at": self.at.map(time),
            "until": self.until.map(time),
            "because": self.because,
            "event": self.event,
        })
    }
}

impl Answer {
    /// As JSON: no name in the clear but those of records.
    pub fn json(&self) -> Value {
        let purposes: Map<String, Value> = self
            .purposes
            .iter()
            .map(|(name, stand)| (name.clone(), stand.json()))
            .collect();
        let person = self.person.as_ref();
        json!({
            "person": person.map(|person| person.id.as_str()),
            "keys": {
                "record": person.map(records).unwrap_or_default(),
                "email": person.map(|person| person.emails.clone()).unwrap_or_default(),
                "phone": person.map(|person| person.phones.clone()).unwrap_or_default(),
            },
            "purposes": purposes,
        })
    }
}

/// The records of a person.
fn records(person: &Person) -> Vec<String> {
    let records = person.records.iter();
    records.map(|record| record.as_str().to_owned()).collect()
}

/// The event that decides: of what is valid the latest affirmation that makes it so, else what stands in its way.
fn decides<'e>(
    standing: &Standing,
    purpose: &Purpose,
    about: &[&'e Event],
    now: Timestamp,
) -> Option<&'e Event> {
    let affirmed_at = |event: &&Event| event.at.min(event.recorded);
    let affirmations = || {
        let affirm = about.iter().copied();
        affirm.filter(|event| event.kind.affirms())
    };
    let denial = || {
        let denials = about.iter().copied();
        denials
            .filter(|event| event.kind.denies())
            .max_by_key(|event| event.seq)
    };
    if standing.is_valid() {
        let is_good = |event: &&Event| {
            event.proof >= purpose.proof
                && purpose
                    .until(event)
                    .is_none_or(|until| now.as_millisecond() < until)
        };
        return affirmations().filter(is_good).max_by_key(affirmed_at);
    }
    match standing.because() {
        Because::Denied => denial(),
        _ if standing.is_objected() || standing.is_restricted() => denial(),
        _ => affirmations().max_by_key(affirmed_at).or_else(denial),
    }
}

fn words(because: Because) -> &'static str {
    match because {
        Because::Nothing => "nothing-recorded",
        Because::Denied => "denied",
        Because::Proof => "proof-too-weak",
        Because::Expired => "expired",
        Because::Recipient => "another-recipient",
        Because::Valid => "valid",
    }
}

/// Whether a denial stands in the way of what staff affirms: the latest of a purpose, which no act of the person and no staff
/// that named why has outweighed since.
pub fn denial<'e>(history: &'e [Event], purpose: &str) -> Option<&'e Event> {
    let about = |event: &&Event| event.purpose == purpose || event.purpose == EVERY;
    let lifted = |kind: Kind| {
        let lifts = history.iter().filter(about);
        lifts
            .filter(|event| event.kind == kind)
            .map(|event| event.seq)
            .max()
    };
    let denials = history.iter().filter(about).filter(|event| {
        event.kind.denies()
            && !(event.kind == Kind::Restricted
                && lifted(Kind::RestrictionLifted) > Some(event.seq))
    });
    let denial = denials.max_by_key(|event| event.seq)?;
    let outweighs = |event: &Event| {
        let is_late = event.at.min(event.recorded) > denial.recorded;
        let is_strong = match event.by_kind {
            ByKind::Person => true,
            ByKind::Staff => event.replaces.is_some(),
            ByKind::System | ByKind::Import => false,
        };
        event.kind.affirms() && is_late && is_strong
    };
    match history.iter().filter(about).any(outweighs) {
        true => None,
        false => Some(denial),
    }
}
