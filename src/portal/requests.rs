//! Asks a person by mail whether they want what somebody has asked for in their name; and sends the link to their choices.
//!
//! Both are answered before anything is looked up, with the same bytes whoever is named; what is asked for is done afterwards.

use std::sync::Arc;
use std::time::Duration;

use http::header;

use super::answer::Answer;
use super::fields::Fields;
use super::media::Media;
use super::page::{self, Frame};
use super::trouble::Trouble;
use super::{Asked, Portal};
use crate::consent::PolicyTerms;
use crate::ledger::{Address, Channel, Draft, Error, Kind, Use, Who};
use crate::notify::{House, Letter, Links, Subject};
use crate::policy::Language;

/// What programs read that have asked for a mail.
const ACCEPTED: &str = "{\"status\":\"accepted\"}\n";
/// Where a request comes from that does not say.
const SOURCE: &str = "form";
/// Who records what forms ask for.
pub(super) const BY: &str = "portal";

/// What somebody asks for in a person's name.
pub(super) struct Wanted<'a> {
    pub(super) address: Address,
    pub(super) purpose: &'a str,
    pub(super) language: Language,
    pub(super) source: &'a str,
    pub(super) channel: Channel,
    pub(super) by: &'a str,
}

impl Portal {
    /// `POST /consent/requests`
    pub(super) fn requested(self: &Arc<Self>, asked: &Asked) -> Result<Answer, Trouble> {
        let known = ["email", "purpose", "language", "source", "return_to"];
        let (fields, media) = Fields::of_body(asked, &known)?;
        let back = self.back(&fields)?;
        let terms = (self.parts.terms)();
        let language = self.language(asked, fields.get("language"));
        let wanted = Wanted {
            address: address(&fields)?,
            purpose: fields.require("purpose")?,
            language,
            source: fields.get("source").unwrap_or(SOURCE),
            channel: Channel::Form,
            by: BY,
        };
        let address = wanted.address.clone();
        let draft = self.asking(wanted, &terms)?;
        let portal = self.clone();
        self.afterwards(async move {
            // Silently: an answer would tell who was asked before.
            if portal.pace.may_write_to(&address) {
                let recorded = portal.parts.ledger.append(draft).await;
                told(recorded.map(drop));
                portal.parts.postman.ring();
            }
        });
        Ok(self.accepted(&terms, language, media, back))
    }

    /// A request to record, with the mail that asks the person.
    pub(super) fn asking(&self, wanted: Wanted<'_>, terms: &PolicyTerms) -> Result<Draft, Trouble> {
        let purpose = terms.purposes.get(wanted.purpose);
        let purpose = purpose
            .filter(|purpose| purpose.asks_consent() && !purpose.names_recipient)
            .ok_or(Trouble::PURPOSE)?;
        let now = self.parts.clock.moment();
        let (confirm, url) = self.new_link(Use::Confirm, wanted.purpose, now)?;
        let (unsubscribe, out) = self.new_link(Use::Unsubscribe, wanted.purpose, now)?;
        let text = terms.asked(wanted.purpose, wanted.language);
        let subject = Subject::Confirm {
            purpose: wanted.purpose,
            label: purpose.label(wanted.purpose, wanted.language),
            asked: text.as_ref().map(|(_, words)| *words),
        };
        let links = Links {
            main: url,
            unsubscribe: Some(out),
        };
        let letter = letter(&wanted.address, &subject, links, terms, wanted.language);
        let who = Who::Address(wanted.address);
        let mut draft = Draft::new(who, wanted.purpose, Kind::Requested, wanted.channel);
        draft.source = wanted.source.to_owned();
        draft.by = wanted.by.to_owned();
        draft.basis = Some(purpose.legal_basis.clone());
        draft.language = text.as_ref().map(|_| wanted.language.as_str().to_owned());
        draft.text = text.map(|(shown, _)| shown);
        draft.links = vec![confirm, unsubscribe];
        draft.outgoing = vec![letter.outgoing().map_err(|_| Trouble::UNAVAILABLE)?];
        draft.check(now)?;
        Ok(draft)
    }

    /// `POST /preferences/link`
    pub(super) fn link_wanted(self: &Arc<Self>, asked: &Asked) -> Result<Answer, Trouble> {
        let (fields, media) = Fields::of_body(asked, &["email", "language", "return_to"])?;
        let back = self.back(&fields)?;
        let terms = (self.parts.terms)();
        let language = self.language(asked, fields.get("language"));
        let address = address(&fields)?;
        let (portal, of) = (self.clone(), terms.clone());
        self.afterwards(async move {
            if portal.pace.may_write_to(&address) {
                // At some later moment, and handed over at the postman's next round: when something happens tells nobody who is
                // known.
                tokio::time::sleep(some_time()).await;
                told(portal.send_link(address, &of, language).await);
            }
        });
        Ok(self.accepted(&terms, language, media, back))
    }

    /// Sends the link to somebody's choices, if they are known.
    async fn send_link(
        &self,
        address: Address,
        terms: &PolicyTerms,
        language: Language,
    ) -> Result<(), Error> {
        let now = self.parts.clock.moment();
        let made = self.new_link(Use::Preferences, "*", now).and_then(|main| {
            let out = self.new_link(Use::Unsubscribe, "*", now)?;
            Ok((main, out))
        });
        let Ok(((main, url), (unsubscribe, out))) = made else {
            return Err(Error::Closed);
        };
        let links = Links {
            main: url,
            unsubscribe: Some(out),
        };
        let letter = letter(&address, &Subject::Preferences, links, terms, language);
        let outgoing = letter.outgoing().map_err(|_| Error::Closed)?;
        let links = vec![main, unsubscribe];
        let ledger = &self.parts.ledger;
        ledger.post_to(address, links, vec![outgoing]).await
    }

    /// Where a form leads back to.
    fn back(&self, fields: &Fields) -> Result<Option<String>, Trouble> {
        match fields.get("return_to") {
            None => Ok(None),
            Some(url) if self.parts.settings.leads_back_to(url) => Ok(Some(url.to_owned())),
            Some(_) => Err(Trouble::RETURN),
        }
    }

    /// The same bytes, whoever was named.
    fn accepted(
        &self,
        terms: &PolicyTerms,
        language: Language,
        media: Media,
        back: Option<String>,
    ) -> Answer {
        match (media, back) {
            (Media::Json, _) => Answer::new(202, "application/json", ACCEPTED),
            (_, None) => page::accepted(&Frame::new(terms, language)),
            (_, Some(url)) => {
                page::accepted(&Frame::new(terms, language)).leading_to(303, header::LOCATION, &url)
            }
        }
    }
}

/// The address that a form names. Why it is none follows from its letters alone, so that it can be told.
fn address(fields: &Fields) -> Result<Address, Trouble> {
    Address::parse(fields.require("email")?).map_err(|_| Trouble::ADDRESS)
}

fn letter(
    address: &Address,
    subject: &Subject<'_>,
    links: Links,
    terms: &PolicyTerms,
    language: Language,
) -> Letter {
    let house = House {
        organisation: &terms.organisation,
    };
    Letter::new(address, subject, links, &house, language)
}

/// A time that nobody can foresee, up to a second.
fn some_time() -> Duration {
    let mut bytes = [0; 2];
    // Without random bytes no link is made either.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    Duration::from_millis(u64::from(u16::from_le_bytes(bytes)) % 1000)
}

/// Tells the operator what nobody else is told.
fn told(done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::error!(%error, "what a form asked for could not be done");
    }
}
