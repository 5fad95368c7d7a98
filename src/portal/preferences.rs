//! The preference centre: a person sees and changes what they agree to.

use super::answer::Answer;
use super::fields::Fields;
use super::page::{self, Choices, Frame};
use super::requests::BY;
use super::rows::{Change, decisions, rows};
use super::seen::{self, Read};
use super::trouble::Trouble;
use super::{Asked, Portal};
use crate::consent::{self, Maker, Note, PolicyTerms, answer};
use crate::ledger::{Channel, Draft, PersonId, Proof, Shown, Standing, Terms, Use, Who};
use crate::policy::Language;

/// All purposes.
const EVERY: &str = "*";

impl Portal {
    /// `GET /preferences`: without a link where to ask for one. Nothing changes.
    pub(super) async fn preferences_page(&self, asked: &Asked) -> Result<Answer, Trouble> {
        let query = Fields::of_query(asked, &["t", "lang", "receipt", "form"])?;
        let terms = (self.parts.terms)();
        let language = self.language(asked, query.get("lang"));
        let Some(token) = query.get("t") else {
            let frame = Frame::new(&terms, language).at("/preferences", None);
            return Ok(page::ask(&frame));
        };
        let ledger = &self.parts.ledger;
        let shown = ledger.show(Use::Preferences, token.to_owned()).await?;
        if let Some(id) = query.get("receipt") {
            return self.receipt(shown.person(), id, query.get("form")).await;
        }
        let person = shown.person();
        self.shown(person, &terms, (language, token), None).await
    }

    /// The page of a person.
    async fn shown(
        &self,
        person: &PersonId,
        terms: &PolicyTerms,
        (language, token): (Language, &str),
        is_changed: Option<bool>,
    ) -> Result<Answer, Trouble> {
        let answer = self.standing_of(person, terms).await?;
        self.note(person, "preferences").await?;
        let frame = Frame::new(terms, language).at("/preferences", Some(token));
        let maker = self.maker(terms);
        let now = self.parts.clock.moment();
        let has_receipts = maker.missing().is_empty();
        let has_receipt = |event: &_| has_receipts && maker.receipt(event, now).is_some();
        Ok(page::preferences(
            &frame,
            &Choices {
                token,
                is_changed,
                rows: &rows(&frame, (terms, language), &answer),
                decisions: &decisions(&frame, language, &answer.history, has_receipt),
                has_receipts,
                is_signed: self.parts.signer.is_some(),
            },
        ))
    }

    async fn standing_of(
        &self,
        person: &PersonId,
        terms: &PolicyTerms,
    ) -> Result<consent::Answer, Trouble> {
        let purposes: Vec<&str> = terms.purposes.keys().map(String::as_str).collect();
        let who = Who::Person(person.clone());
        let now = self.parts.clock.moment();
        Ok(answer(&self.parts.ledger, &who, terms, &purposes, now).await?)
    }

    /// Lets the access log tell that somebody is told something; before they are.
    pub(super) async fn note(&self, person: &PersonId, how: &'static str) -> Result<(), Trouble> {
        let note = Note::Read {
            person: Some(person),
            how,
        };
        Ok(self.parts.ledger.send(vec![note.by(BY)]).await?)
    }

    pub(super) fn maker<'a>(&'a self, terms: &'a PolicyTerms) -> Maker<'a> {
        Maker {
            terms,
            preferences: Some(self.parts.settings.origin()),
        }
    }

    /// `POST /preferences`
    pub(super) async fn change(&self, asked: &Asked) -> Result<Answer, Trouble> {
        let (token, fields) = self.token(asked, &["purpose", "change", seen::FIELD])?;
        let terms = (self.parts.terms)();
        let language = self.language(asked, fields.get("lang"));
        let change = fields.require("change")?;
        let change = Change::named(change).ok_or(Trouble::MALFORMED)?;
        let purpose = fields.require("purpose")?;
        let ledger = &self.parts.ledger;
        let shown = ledger.show(Use::Preferences, token.clone()).await?;
        let person = shown.person().clone();
        let is_open = self.is_open(&person, &terms, (purpose, change)).await?;
        if is_open {
            let read = match change {
                Change::Give => {
                    let stated = fields.get(seen::FIELD);
                    seen::read(stated, &terms, (purpose, language), None)
                }
                Change::Withdraw | Change::Object | Change::Lift => Ok(None),
            };
            let Ok(read) = read else {
                // Something else is in force than what was read.
                return self.shown(&person, &terms, (language, &token), None).await;
            };
            let draft = changed(shown, &terms, (purpose, change), read);
            ledger.append(draft).await?;
        }
        self.shown(&person, &terms, (language, &token), Some(is_open))
            .await
    }

    /// Whether a person objects to a purpose, or to all (`*`), already.
    pub(super) async fn is_objected_to(
        &self,
        person: &PersonId,
        purpose: &str,
    ) -> Result<bool, Trouble> {
        let stands = self.stands(person, purpose).await?;
        Ok(stands.is_some_and(|stands| stands.is_objected()))
    }

    /// How a person stands for a purpose, or for all (`*`), whatever the policy asks of it.
    pub(super) async fn stands(
        &self,
        person: &PersonId,
        purpose: &str,
    ) -> Result<Option<Standing>, Trouble> {
        let ledger = &self.parts.ledger;
        let known = ledger.person(Who::Person(person.clone())).await?;
        let terms = Terms {
            proof: Proof::None,
            max_age: None,
            recipient: None,
        };
        let now = self.parts.clock.moment();
        Ok(known.map(|known| ledger.standings().of(&known, purpose, &terms, now)))
    }

    /// Whether a change changes something; else it is so already.
    async fn is_open(
        &self,
        person: &PersonId,
        terms: &PolicyTerms,
        (name, change): (&str, Change),
    ) -> Result<bool, Trouble> {
        if name == EVERY {
            return match change {
                Change::Object => Ok(!self.is_objected_to(person, EVERY).await?),
                _ => Err(Trouble::NOT_HERE),
            };
        }
        let purpose = terms.purposes.get(name).ok_or(Trouble::NOT_HERE)?;
        let answer = self.standing_of(person, terms).await?;
        let stand = answer.purposes.get(name).ok_or(Trouble::NOT_HERE)?;
        let fits = match (purpose.asks_consent(), change) {
            (true, Change::Give | Change::Withdraw) => true,
            (false, Change::Object | Change::Lift) => purpose.honours_objection,
            _ => false,
        };
        match (fits, Change::offered(purpose, stand)) {
            (false, _) => Err(Trouble::NOT_HERE),
            (true, Some(offered)) if offered == change => Ok(true),
            // Who never agreed may say so all the same.
            (true, _) if change == Change::Withdraw => Ok(stand.because != "denied"),
            (true, None) => Err(Trouble::NOT_HERE),
            (true, Some(_)) => Ok(false),
        }
    }
}

fn changed(
    shown: Shown,
    terms: &PolicyTerms,
    (name, change): (&str, Change),
    read: Option<Read>,
) -> Draft {
    let who = Who::Person(shown.person().clone());
    let mut draft = Draft::new(who, name, change.kind(), Channel::Link(shown));
    draft.proof = Proof::DoubleOptIn;
    draft.source = "preferences".to_owned();
    draft.by = BY.to_owned();
    let purpose = terms.purposes.get(name);
    draft.basis = purpose.map(|purpose| purpose.legal_basis.clone());
    (draft.text, draft.language) = read.unzip();
    draft
}
