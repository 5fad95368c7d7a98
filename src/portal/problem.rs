//! What programs are told who get no other answer (RFC 9457).

use std::borrow::Cow;

use http::{StatusCode, header};
use serde_json::json;

use super::answer::Answer;
use super::trouble::Trouble;
use crate::ledger::{Error, Refused};
use crate::policy::Language;

/// Why a program gets no other answer. Its text holds nothing that the program sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: u16,
    detail: Cow<'static, str>,
    allow: Option<&'static str>,
    retry_after: Option<u32>,
}

impl Problem {
    pub(super) fn new(status: u16, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            detail: detail.into(),
            allow: None,
            retry_after: None,
        }
    }

    pub(super) fn answer(&self) -> Answer {
        let title = StatusCode::from_u16(self.status).ok();
        let title = title.and_then(|status| status.canonical_reason());
        let body = json!({
            "type": "about:blank",
            "title": title.unwrap_or_default(),
            "status": self.status,
            "detail": self.detail,
        });
        let mut answer = Answer::new(
            self.status,
            "application/problem+json",
            body.to_string() + "\n",
        );
        if self.status == 401 {
            answer = answer.with(header::WWW_AUTHENTICATE, "Bearer");
        }
        if let Some(allow) = self.allow {
            answer = answer.with(header::ALLOW, allow);
        }
        match self.retry_after {
            Some(seconds) => answer.with(header::RETRY_AFTER, &seconds.to_string()),
            None => answer,
        }
    }
}

impl From<&Trouble> for Problem {
    fn from(trouble: &Trouble) -> Self {
        Self {
            status: trouble.status,
            detail: trouble.text(Language::En).into(),
            allow: trouble.allow,
            retry_after: trouble.retry_after,
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::new(422, refused.to_string())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refused) => refused.into(),
            error => Self::from(&Trouble::from(error)),
        }
    }
}
