//! What the persons whom a request's records are about have said: looked up in memory, record by record.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{Pipeline, Visit};
use crate::condition::PersonFact;
use crate::consent;
use crate::dialect::{AddressList, Dialect};
use crate::filter::{Described, Persons};
use crate::ledger::{About, Freshness, Proof, Shows, Standing, Standings, Terms};
use crate::policy::{self, People, Plan, Policy, Target};
use crate::reason::Reason;
use crate::vocabulary::{Field, Module, Purpose};

/// How long restrictions that are known count, while nothing confirms that there are no others.
const KNOWN_FOR: Duration = Duration::from_secs(5 * 60);

/// Whom records are about, as the policy says it of a dialect's records.
#[derive(Debug)]
pub(super) struct Whose {
    people: People,
    /// Of fields that hold an address, the lists of all addresses beside them.
    lists: BTreeMap<Field, AddressList>,
    /// What must be read of records to know whom they are about, by module.
    fields: Arc<BTreeMap<Module, BTreeSet<Field>>>,
}

impl Whose {
    /// `None`, if the policy says nothing of persons.
    pub(super) fn of(policy: &Policy, dialect: &dyn Dialect) -> Option<Arc<Self>> {
        let people = policy.people()?.clone();
        let lists = lists(dialect, &people);
        Some(Arc::new(Self {
            fields: Arc::new(fields(&people, &lists)),
            people,
            lists,
        }))
    }
}

/// Persons, for the purpose of one request.
pub(super) struct Asking {
    standings: Arc<Standings>,
    whose: Arc<Whose>,
    upstream: Arc<str>,
    purpose: Purpose,
    proof: Proof,
    max_age: Option<Duration>,
    /// To whom data go, if consent must name it; blank if nobody does, who is nobody's recipient.
    recipient: Option<String>,
    now: Timestamp,
    shows: Mutex<Shows>,
}

impl Pipeline {
    /// The same, which asks a ledger how persons stand.
    #[must_use]
    pub fn asking(mut self, standings: Option<Arc<Standings>>) -> Self {
        self.standings = standings;
        self
    }

    /// Who is asked of the persons whom records are about; `None`, if no rule asks. The plan learns what must be read for that.
    pub(super) fn persons(
        &self,
        visit: &Visit<'_>,
        plan: &mut Plan,
    ) -> Result<Option<Arc<Asking>>, Reason> {
        if !plan.asks_of_persons() {
            return Ok(None);
        }
        let purpose = plan.purpose().map(|chosen| chosen.purpose.clone());
        let (Some(standings), Some(purpose)) = (self.standings.clone(), purpose) else {
            // Nobody knows: what asks withholds.
            return Ok(None);
        };
        let policy = visit.policy();
        let Some(whose) = visit.in_force.whose.clone() else {
            return Ok(None);
        };
        is_fresh_enough(&standings, policy, &purpose)?;
        plan.read_also(Arc::clone(&whose.fields));
        let terms = policy.consent_terms(&purpose);
        let recipient = terms.filter(|terms| terms.names_recipient).map(|_| {
            let mut recipients = plan.roles().iter().map(|role| policy.recipient(role));
            let first = recipients.next().flatten();
            let is_one = recipients.all(|other| other == first);
            first.filter(|_| is_one).unwrap_or_default().to_owned()
        });
        Ok(Some(Arc::new(Asking {
            shows: Mutex::new(standings.shows()),
            proof: terms.map_or(Proof::SignedRequest, |terms| consent::proof(terms.proof)),
            max_age: terms.and_then(|terms| Some(consent::age(terms.max_age?, visit.now))),
            now: visit.now,
            upstream: self.upstream.clone(),
            standings,
            whose,
            purpose,
            recipient,
        })))
    }
}

impl Asking {
    /// Whether somebody whom the records are about has said something since they were asked about.
    pub(super) fn has_changed(&self) -> bool {
        let shows = self.shows.lock().unwrap_or_else(PoisonError::into_inner);
        self.standings.changed_since(&shows)
    }

    /// All that was asked about so far has left, or never will.
    pub(super) fn released(&self) {
        let mut shows = self.shows.lock().unwrap_or_else(PoisonError::into_inner);
        *shows = self.standings.shows();
    }

    /// How all stand whom a record is about; `None`: nobody knows.
    fn stand(&self, record: &Described<'_>) -> Option<Vec<Standing>> {
        match self.whose.people.about(&self.upstream, record.module)? {
            policy::About::Nobody => Some(Vec::new()),
            policy::About::Person(person) => {
                let mut references = vec![self.reference(record.module, record.id?)];
                for (field, module) in &person.same_as {
                    let id = referred(record, field)?;
                    references.extend(id.map(|id| self.reference(module, &id)));
                }
                let (mut primary, mut others) = (None, Vec::new());
                if let Some(email) = &person.email {
                    (primary, others) = self.addresses(record, email)?;
                }
                let standing = self.ask(&references, primary.as_deref(), &others);
                Some(vec![standing])
            }
            policy::About::Linked(links) => self.linked(record, links),
        }
    }

    /// How all stand who are linked with a record, each asked for alone: what one of them agreed to says nothing of another.
    fn linked(
        &self,
        record: &Described<'_>,
        links: &BTreeMap<Field, Target>,
    ) -> Option<Vec<Standing>> {
        let mut all = Vec::new();
        for (field, target) in links {
            let Some(id) = referred(record, field)? else {
                continue;
            };
            let module = match target {
                Target::Module(module) => module.clone(),
                Target::By(field) => Module::new(record.field(field)?.as_str()?),
            };
            match self.whose.people.about(&self.upstream, &module)? {
                policy::About::Nobody => {}
                policy::About::Person(_) => {
                    let standing = self.ask(&[self.reference(&module, &id)], None, &[]);
                    // They may be known by an address, which stands elsewhere.
                    standing.person()?;
                    all.push(standing);
                }
                policy::About::Linked(_) => return None,
            }
        }
        Some(all)
    }

    fn ask(&self, references: &[String], primary: Option<&str>, others: &[String]) -> Standing {
        let references: Vec<&str> = references.iter().map(String::as_str).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let about = About {
            references: &references,
            primary,
            others: &others,
        };
        let terms = Terms {
            proof: self.proof,
            max_age: self.max_age,
            recipient: self.recipient.as_deref(),
        };
        let standing = self
            .standings
            .about(&about, self.purpose.as_str(), &terms, self.now);
        let mut shows = self.shows.lock().unwrap_or_else(PoisonError::into_inner);
        shows.add(&standing);
        standing
    }

    fn reference(&self, module: &Module, id: &str) -> String {
        format!("{}:{module}/{id}", self.upstream)
    }

    /// The primary address of a record, and all others; `None`, if nobody knows them.
    fn addresses(
        &self,
        record: &Described<'_>,
        email: &Field,
    ) -> Option<(Option<String>, Vec<String>)> {
        let text = |value: &Value| match value {
            Value::Null => Some(None),
            Value::String(text) => Some(Some(text.clone())),
            _ => None,
        };
        let told = self.whose.lists.get(email);
        // Of a list of records, the primary address is all that some APIs tell.
        let told = told.filter(|list| !list.of_single || record.tells(&list.field));
        let Some(list) = told else {
            return Some((text(record.field(email)?)?, Vec::new()));
        };
        let all = list.read(record.field(&list.field)?)?;
        let owned = |is_wanted: bool| {
            let wanted = all
                .iter()
                .filter(move |(_, is_primary)| *is_primary == is_wanted);
            wanted.map(|(address, _)| (*address).to_owned())
        };
        let mut primary: Option<String> = owned(true).next();
        if *email != list.field {
            let stated = text(record.field(email)?)?;
            primary = stated.filter(|stated| !stated.is_empty()).or(primary);
        }
        // Each of them may deny, whichever is the primary one.
        Some((primary, owned(false).chain(owned(true)).collect()))
    }
}

impl Persons for Asking {
    fn holds(&self, fact: PersonFact, record: &Described<'_>) -> Option<bool> {
        let all = self.stand(record)?;
        Some(match fact {
            PersonFact::Consented => all.iter().all(Standing::is_valid),
            PersonFact::Objected => all.iter().any(Standing::is_objected),
            PersonFact::Restricted => all.iter().any(Standing::is_restricted),
        })
    }
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking")
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

/// The id of the record that a field refers to, if it refers to one; `None`, if nobody knows what it holds.
fn referred(record: &Described<'_>, field: &Field) -> Option<Option<String>> {
    match record.field(field)? {
        Value::Null => Some(None),
        Value::String(id) if id.is_empty() => Some(None),
        Value::String(id) => Some(Some(id.clone())),
        Value::Number(id) => Some(Some(id.to_string())),
        _ => None,
    }
}

/// Whether standings are known well enough for a purpose: consent and objections must be those of this second.
fn is_fresh_enough(
    standings: &Standings,
    policy: &Policy,
    purpose: &Purpose,
) -> Result<(), Reason> {
    let is_strict = policy.consent_terms(purpose).is_some() || policy.honours_objection(purpose);
    match standings.freshness() {
        Freshness::Fresh => Ok(()),
        Freshness::Stale { since: Some(since) } if !is_strict && since <= KNOWN_FOR => Ok(()),
        Freshness::Stale { .. } => Err(Reason::LedgerUnavailable),
    }
}

/// Of every field that holds an address of a person, the list of all addresses beside it.
fn lists(dialect: &dyn Dialect, people: &People) -> BTreeMap<Field, AddressList> {
    let emails = people.iter().filter_map(|(_, _, about)| match about {
        policy::About::Person(person) => person.email.as_ref(),
        _ => None,
    });
    emails
        .filter_map(|email| Some((email.clone(), dialect.addresses(email)?.clone())))
        .collect()
}

/// The fields by which it is told whom records are about.
fn fields(
    people: &People,
    lists: &BTreeMap<Field, AddressList>,
) -> BTreeMap<Module, BTreeSet<Field>> {
    let mut all: BTreeMap<Module, BTreeSet<Field>> = BTreeMap::new();
    for (_, module, about) in people.iter() {
        let of = all.entry(module.clone()).or_default();
        match about {
            policy::About::Nobody => {}
            policy::About::Linked(links) => {
                of.extend(links.keys().cloned());
                of.extend(links.values().filter_map(|target| match target {
                    Target::By(field) => Some(field.clone()),
                    Target::Module(_) => None,
                }));
            }
            policy::About::Person(person) => {
                of.extend(person.same_as.keys().cloned());
                let emails = person.email.iter();
                of.extend(emails.clone().cloned());
                let lists = emails.filter_map(|email| lists.get(email));
                of.extend(lists.map(|list| list.field.clone()));
            }
        }
    }
    all
}
