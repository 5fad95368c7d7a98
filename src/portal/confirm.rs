//! A person confirms what was asked for: by the button, once.

use super::answer::Answer;
use super::fields::Fields;
use super::page::{self, Frame};
use super::requests::BY;
use super::seen::{self, Read};
use super::trouble::Trouble;
use super::{Asked, Portal};
use crate::consent::{Note, PolicyTerms};
use crate::ledger::{Channel, Draft, Event, Kind, Proof, Shown, Use, Who};
use crate::policy::Language;

impl Portal {
    /// `GET /consent/confirm?t=`: nothing changes.
    pub(super) async fn confirm_page(&self, asked: &Asked) -> Result<Answer, Trouble> {
        let query = Fields::of_query(asked, &["t", "lang"])?;
        let token = query.require("t").map_err(|_| Trouble::LINK_UNKNOWN)?;
        let shown = self
            .parts
            .ledger
            .show(Use::Confirm, token.to_owned())
            .await?;
        let terms = (self.parts.terms)();
        let language = self.spoken(asked, &query, &shown).await?;
        let frame = Frame::new(&terms, language).at("/consent/confirm", Some(token));
        Ok(page::confirm(&frame, shown.purpose(), token, 200))
    }

    /// The language that is stated, else that in which the person was asked.
    async fn spoken(
        &self,
        asked: &Asked,
        query: &Fields,
        shown: &Shown,
    ) -> Result<Language, Trouble> {
        let stated = query.get("lang").map(str::to_owned);
        let stated = match (stated, &asked.languages) {
            (Some(stated), _) => Some(stated),
            (None, Some(_)) => None,
            (None, None) => self.request(shown).await?.and_then(|event| event.language),
        };
        Ok(self.language(asked, stated.as_deref()))
    }

    /// The event that asked.
    async fn request(&self, shown: &Shown) -> Result<Option<Event>, Trouble> {
        match shown.event() {
            Some(id) => Ok(self.parts.ledger.event(id.to_owned()).await?),
            None => Ok(None),
        }
    }

    /// `POST /consent/confirm?t=`
    pub(super) async fn confirm(&self, asked: &Asked) -> Result<Answer, Trouble> {
        let (token, stated) = self.token(asked, &[seen::FIELD])?;
        let terms = (self.parts.terms)();
        let language = self.language(asked, stated.get("lang"));
        let shown = self.parts.ledger.show(Use::Confirm, token.clone()).await?;
        let request = self.request(&shown).await?;
        let person = shown.person().clone();
        let about = (shown.purpose(), language);
        let read = seen::read(stated.get(seen::FIELD), &terms, about, request.as_ref());
        let Ok(read) = read else {
            let frame = Frame::new(&terms, language).at("/consent/confirm", Some(&token));
            return Ok(page::confirm(&frame, shown.purpose(), &token, 409));
        };
        let draft = confirmed(shown, (request.as_ref(), read), &terms);
        let recorded = self.parts.ledger.append(draft).await?;
        let purpose = &recorded.event().purpose;
        let choices = self.choices(person).await;
        let frame = Frame::new(&terms, language).at("/preferences", choices.as_deref());
        Ok(page::confirmed(&frame, purpose))
    }

    /// The token of the link to the choices of a person who has just shown that the mailbox is theirs. Without it the page has
    /// no such link, and that is all.
    async fn choices(&self, person: crate::ledger::PersonId) -> Option<String> {
        let now = self.parts.clock.moment();
        let (link, _) = self.new_link(Use::Preferences, "*", now).ok()?;
        let token = link.token().to_owned();
        let posted = self.parts.ledger.post(person, vec![link], Vec::new());
        posted.await.ok().map(|()| token)
    }

    /// The token of a form: in its address, in itself, or the same in both. And what else the form says.
    pub(super) fn token(
        &self,
        asked: &Asked,
        others: &[&str],
    ) -> Result<(String, Fields), Trouble> {
        let query = Fields::of_query(asked, &["t", "lang"])?;
        let known = [&["t", "lang"], others].concat();
        let (fields, _) = Fields::of_body(asked, &known)?;
        let token = match (query.get("t"), fields.get("t")) {
            (Some(one), Some(other)) if one != other => return Err(Trouble::MALFORMED),
            (Some(token), _) | (None, Some(token)) => token.to_owned(),
            (None, None) => return Err(Trouble::LINK_UNKNOWN),
        };
        Ok((token, fields))
    }
}

/// What is confirmed is what was asked for, from the same source; on the text that the person has read.
fn confirmed(
    shown: Shown,
    (request, read): (Option<&Event>, Option<Read>),
    terms: &PolicyTerms,
) -> Draft {
    let (person, purpose) = (shown.person().clone(), shown.purpose().to_owned());
    let note = shown.event().map(|request| {
        let note = Note::Confirmed {
            person: &person,
            purpose: &purpose,
            request,
        };
        note.by(BY)
    });
    let who = Who::Person(person.clone());
    let mut draft = Draft::new(who, &purpose, Kind::Confirmed, Channel::Link(shown));
    draft.proof = Proof::DoubleOptIn;
    draft.by = BY.to_owned();
    draft.source = request.map_or_else(|| BY.to_owned(), |event| event.source.clone());
    let basis = terms.purposes.get(&purpose);
    draft.basis = basis.map(|purpose| purpose.legal_basis.clone());
    (draft.text, draft.language) = read.unzip();
    draft.outgoing = note.into_iter().collect();
    draft
}
