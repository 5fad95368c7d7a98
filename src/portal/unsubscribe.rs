//! Ends mails by one request, as programs for mail send it (RFC 8058), or by a button.

use super::answer::Answer;
use super::fields::Fields;
use super::media::{self, Media};
use super::page::{self, Frame};
use super::requests::BY;
use super::trouble::Trouble;
use super::{Asked, Portal};
use crate::consent::PolicyTerms;
use crate::ledger::{Because, Channel, Draft, Kind, Shown, Use, Who};

/// The field that makes it so, and what it says.
const FIELD: &str = "List-Unsubscribe";
const SAYS: &str = "One-Click";

impl Portal {
    /// `GET /preferences/unsubscribe?t=`: nothing changes.
    pub(super) async fn unsubscribe_page(&self, asked: &Asked) -> Result<Answer, Trouble> {
        let query = Fields::of_query(asked, &["t", "lang"])?;
        let token = query.require("t").map_err(|_| Trouble::LINK_UNKNOWN)?;
        let ledger = &self.parts.ledger;
        let shown = ledger.show(Use::Unsubscribe, token.to_owned()).await?;
        let terms = (self.parts.terms)();
        let language = self.language(asked, query.get("lang"));
        let frame = Frame::new(&terms, language).at("/preferences/unsubscribe", Some(token));
        Ok(page::end(&frame, shown.purpose(), token))
    }

    /// `POST /preferences/unsubscribe?t=`
    pub(super) async fn unsubscribe(&self, asked: &Asked) -> Result<Answer, Trouble> {
        let query = Fields::of_query(asked, &["t", "lang"])?;
        let token = query.require("t").map_err(|_| Trouble::LINK_UNKNOWN)?;
        if !is_one_click(asked)? {
            return Err(Trouble::MALFORMED);
        }
        let terms = (self.parts.terms)();
        let ledger = &self.parts.ledger;
        let shown = ledger.show(Use::Unsubscribe, token.to_owned()).await?;
        let purpose = shown.purpose().to_owned();
        let kind = ending(&purpose, &terms);
        if !self.has_ended(&shown, kind).await? {
            let who = Who::Person(shown.person().clone());
            let mut draft = Draft::new(who, &purpose, kind, Channel::Link(shown));
            draft.source = "unsubscribe".to_owned();
            draft.by = BY.to_owned();
            ledger.append(draft).await?;
        }
        let language = self.language(asked, query.get("lang"));
        Ok(page::ended(&Frame::new(&terms, language)))
    }
}

impl Portal {
    /// Whether it is so already: what is asked again and again makes no event.
    async fn has_ended(&self, shown: &Shown, kind: Kind) -> Result<bool, Trouble> {
        let stands = self.stands(shown.person(), shown.purpose()).await?;
        Ok(stands.is_some_and(|stands| match kind {
            Kind::Objected => stands.is_objected(),
            _ => stands.because() == Because::Denied,
        }))
    }
}

/// What ends mails of a purpose: consent is withdrawn, to anything else one objects.
fn ending(purpose: &str, terms: &PolicyTerms) -> Kind {
    match terms.purposes.get(purpose) {
        Some(known) if known.asks_consent() => Kind::Withdrawn,
        _ => Kind::Objected,
    }
}

/// Whether a body says what RFC 8058 wants, in either of its forms, and nothing else.
fn is_one_click(asked: &Asked) -> Result<bool, Trouble> {
    match media::of(asked)? {
        Media::Form => {
            let (fields, _) = Fields::of_body(asked, &[FIELD])?;
            Ok(fields.get(FIELD) == Some(SAYS))
        }
        Media::Parts => Ok(is_in_parts(&asked.body)),
        Media::Json | Media::Nothing => Ok(false),
    }
}

/// Whether a multipart body has the field as its only part.
fn is_in_parts(body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else {
        return false;
    };
    let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
    let name = format!("name=\"{FIELD}\"");
    let begins = lines.next().is_some_and(|line| line.starts_with("--"));
    let is_named = lines.next().is_some_and(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("content-disposition: form-data")
            && line.contains(&name.to_ascii_lowercase())
    });
    let says = lines.next() == Some(SAYS);
    let ends = lines
        .next()
        .is_some_and(|line| line.starts_with("--") && line.ends_with("--"));
    begins && is_named && says && ends && lines.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipart_body_has_the_one_field_and_no_other() {
        let part =
            "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n";
        assert!(is_in_parts(format!("{part}--b--\r\n").as_bytes()));
        for bad in [
            String::new(),
            part.to_owned(),
            format!("{part}{part}--b--\r\n"),
            format!("{part}--b--\r\n").replace("One-Click", "Yes"),
            format!("{part}--b--\r\n").replace("List-Unsubscribe", "other"),
        ] {
            assert!(!is_in_parts(bad.as_bytes()), "{bad}");
        }
    }
}
