//! What the persons whom a request's records are about have said: looked up in memory, record by record. `whose` says who they are.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::whose::{Told, Whose};
use super::{Pipeline, Visit};
use crate::condition::PersonFact;
use crate::consent;
use crate::filter::{Described, Persons};
use crate::ledger::{About, Freshness, Proof, Shows, Standing, Standings, Terms};
use crate::policy::{Plan, Policy};
use crate::reason::Reason;
use crate::vocabulary::Purpose;

/// How long restrictions that are known count, while nothing confirms that there are no others.
const KNOWN_FOR: Duration = Duration::from_secs(5 * 60);

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
        plan.read_also(Arc::clone(whose.fields()));
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

    /// How all stand whom a record is about, each asked for alone: what one of them agreed to says nothing of another. `None`:
    /// nobody knows.
    fn stand(&self, record: &Described<'_>) -> Option<Vec<Standing>> {
        let all = self.whose.about(&self.upstream, record)?;
        let standing = |told: &Told| {
            let standing = self.ask(told);
            // Who is linked may be known by an address, which stands elsewhere.
            (!told.is_linked || standing.person().is_some()).then_some(standing)
        };
        all.iter().map(standing).collect()
    }

    fn ask(&self, told: &Told) -> Standing {
        let references = told.references_of(&self.upstream);
        let references: Vec<&str> = references.iter().map(String::as_str).collect();
        let others: Vec<&str> = told.others.iter().map(String::as_str).collect();
        let about = About {
            references: &references,
            primary: told.primary.as_deref(),
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
