//! What the demo's contacts have agreed to, in a consent ledger: some have confirmed that they want the newsletter, some only said
//! so, some confirmed it too long ago, some said nothing.
//!
//! Each comes in as it would in earnest, so nobody's act is made up by another way: a form asks, the link of the mail that would
//! follow confirms. What differs is that no mail goes anywhere, and that it is said to have happened a while ago.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};

use super::Crm;
use super::schema;
use super::store::text;
use crate::ledger::{
    Address, Channel, Draft, Error, Kind, Ledger, NewLink, Proof, Reference, ShownText, Use, Who,
};

/// For what purpose.
pub const PURPOSE: &str = "newsletter";
/// The language of the text that they were shown.
pub const LANGUAGE: &str = "fr";
const SOURCE: &str = "website";
const BY: &str = "paravent demo";
/// What waits for the access log.
const AUDIT: &str = "audit";
/// More than the contacts make.
const NOTES_MAX: u32 = 10_000;

/// How somebody has agreed.
#[derive(Clone, Copy)]
enum Agreed {
    /// By a form, and by the link in a mail.
    Confirmed,
    /// By a form alone.
    Said,
}

/// Somebody who has agreed.
struct Agreement {
    who: Who,
    how: Agreed,
    at: Timestamp,
}

impl Crm {
    /// Writes into a ledger what the contacts have agreed to, as far as it holds nothing of them: a demo that is started again goes
    /// on with what it has.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn agree(
        &self,
        ledger: &Ledger,
        upstream: &str,
        shown: &ShownText,
        now: Timestamp,
    ) -> Result<(), Error> {
        let is_empty = ledger.events_after(0).await?.is_empty();
        let mut new = Vec::new();
        for agreement in self.agreements(upstream, now) {
            if is_unknown(ledger, &agreement.who).await? {
                new.push(agreement);
            }
        }
        let mut drafts = Vec::new();
        let mut links = Vec::new();
        for agreement in &new {
            drafts.push(match agreement.how {
                Agreed::Said => said(agreement, shown),
                Agreed::Confirmed => {
                    let link = ledger.new_link(Use::Confirm, PURPOSE, expires(now))?;
                    links.push((link.clone(), agreement.at));
                    requested(agreement, shown, link)
                }
            });
        }
        ledger.append_all(Arc::new(drafts)).await?;
        let mut confirmed = Vec::new();
        for (link, at) in links {
            confirmed.push(self::confirmed(ledger, &link, at, shown).await?);
        }
        ledger.append_all(Arc::new(confirmed)).await?;
        match is_empty {
            true => untold(ledger).await,
            false => Ok(()),
        }
    }

    /// Who has agreed, in the order of ids: of four contacts, three have.
    fn agreements(&self, upstream: &str, now: Timestamp) -> Vec<Agreement> {
        let state = self.state();
        let rows = schema::module("Contacts").map(|module| state.store.rows(module));
        let rows = rows.into_iter().flatten().enumerate();
        let agreements = rows.filter_map(|(index, row)| {
            let (how, ago) = match index % 4 {
                0 => (Agreed::Confirmed, 90.days()),
                1 => (Agreed::Said, 90.days()),
                2 => (Agreed::Confirmed, 4.years()),
                _ => return None,
            };
            let reference = format!("{upstream}:Contacts/{}", text(row, "id"));
            let address = Address::parse(primary_address(row)?).ok()?;
            Some(Agreement {
                who: Who::RecordWith(Reference::parse(&reference).ok()?, address),
                how,
                at: before(now, ago),
            })
        });
        agreements.collect()
    }
}

fn primary_address(row: &super::store::Row) -> Option<&str> {
    let all = row.get("email")?.as_array()?.iter();
    let primary = all.filter(|one| one["primary_address"] == true);
    primary
        .filter_map(|one| one["email_address"].as_str())
        .next()
}

/// The access log begins with what is done to the demo: what its people are made to have said before is forgotten.
async fn untold(ledger: &Ledger) -> Result<(), Error> {
    let waits = ledger.claim(AUDIT.to_owned(), Timestamp::MAX, NOTES_MAX);
    ledger.sent(&waits.await?, Vec::new()).await
}

/// Whether nothing counts yet that is recorded of somebody; a form that nobody answered counts for nothing.
async fn is_unknown(ledger: &Ledger, who: &Who) -> Result<bool, Error> {
    let Some(person) = ledger.person(who.clone()).await? else {
        return Ok(true);
    };
    let history = ledger.history(person.id).await?;
    Ok(history.iter().all(|event| event.kind == Kind::Requested))
}

fn before(now: Timestamp, ago: Span) -> Timestamp {
    let then = now.to_zoned(TimeZone::UTC).checked_sub(ago);
    then.map_or(now, |then| then.timestamp())
}

/// Links in mails are good for two days.
fn expires(now: Timestamp) -> Timestamp {
    now.saturating_add(48.hours()).unwrap_or(now)
}

fn draft(who: Who, kind: Kind, channel: Channel, (at, shown): (Timestamp, &ShownText)) -> Draft {
    let mut draft = Draft::new(who, PURPOSE, kind, channel);
    draft.at = Some(at);
    draft.source = SOURCE.to_owned();
    draft.by = BY.to_owned();
    draft.text = Some(shown.clone());
    draft.language = Some(LANGUAGE.to_owned());
    draft
}

fn said(agreement: &Agreement, shown: &ShownText) -> Draft {
    let (who, when) = (agreement.who.clone(), (agreement.at, shown));
    let mut draft = draft(who, Kind::Given, Channel::ApiKey, when);
    draft.proof = Proof::SingleOptIn;
    draft
}

fn requested(agreement: &Agreement, shown: &ShownText, link: NewLink) -> Draft {
    let (who, when) = (agreement.who.clone(), (agreement.at, shown));
    let mut draft = draft(who, Kind::Requested, Channel::Form, when);
    draft.links = vec![link];
    draft
}

/// What whoever follows the link says by that.
async fn confirmed(
    ledger: &Ledger,
    link: &NewLink,
    at: Timestamp,
    shown: &ShownText,
) -> Result<Draft, Error> {
    let shows = ledger.show(Use::Confirm, link.token().to_owned()).await?;
    let who = Who::Person(shows.person().clone());
    let mut draft = draft(who, Kind::Confirmed, Channel::Link(shows), (at, shown));
    draft.proof = Proof::DoubleOptIn;
    Ok(draft)
}
