//! Receipts of what a person has decided, and the key that checks them.

use http::header;
use serde_json::json;

use super::Portal;
use super::answer::Answer;
use super::trouble::Trouble;
use crate::ledger::{PersonId, Who};

impl Portal {
    /// `GET /.well-known/jwks.json`
    pub(super) fn keys(&self) -> Result<Answer, Trouble> {
        let signer = self.parts.signer.as_ref().ok_or(Trouble::NOT_FOUND)?;
        let keys = json!({ "keys": [signer.jwk()] });
        Ok(Answer::new(
            200,
            "application/jwk-set+json",
            keys.to_string() + "\n",
        ))
    }

    /// A receipt of somebody's own decision.
    pub(super) async fn receipt(
        &self,
        person: &PersonId,
        id: &str,
        form: Option<&str>,
    ) -> Result<Answer, Trouble> {
        let ledger = &self.parts.ledger;
        let person = ledger.person(Who::Person(person.clone())).await?;
        let person = person.ok_or(Trouble::NO_RECEIPT)?.id;
        let history = ledger.history(person.clone()).await?;
        let event = history.iter().find(|event| event.id == id);
        let event = event.ok_or(Trouble::NO_RECEIPT)?;
        let terms = (self.parts.terms)();
        let maker = self.maker(&terms);
        if !maker.missing().is_empty() {
            return Err(Trouble::NO_RECEIPT);
        }
        let receipt = maker.receipt(event, self.parts.clock.moment());
        let document = receipt.ok_or(Trouble::NO_RECEIPT)?.document;
        let (media, text, name) = match (form, &self.parts.signer) {
            (None, _) => ("application/ld+json", format!("{document:#}\n"), "jsonld"),
            (Some("jws"), Some(signer)) => ("application/jose", signer.sign(&document), "jws"),
            _ => return Err(Trouble::NO_RECEIPT),
        };
        self.note(&person, "receipt").await?;
        let name = format!("attachment; filename=\"receipt.{name}\"");
        Ok(Answer::new(200, media, text).with(header::CONTENT_DISPOSITION, &name))
    }
}
