//! Logins at a token endpoint (RFC 6749): with the refresh token, where one is held, else with what the account has.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value};

use super::{Entered, Login, Secret};
use crate::dialect::{Answered, Media, Outgoing};
use crate::door::{Carrier, Credential};
use crate::json;
use crate::reason::Reason;

/// Nesting of an answer.
const DEPTH_MAX: usize = 16;
/// Bytes of a refresh token.
const REFRESH_BYTES_MAX: usize = 8_192;

/// A token endpoint, and how an account logs in at it.
pub(in crate::dialect) struct Endpoint<'a> {
    /// Where it is.
    pub(in crate::dialect) target: String,
    /// What every login states of the client.
    pub(in crate::dialect) client: Map<String, Value>,
    /// The grant of the account itself, with what belongs to it.
    pub(in crate::dialect) grant: Map<String, Value>,
    /// What carries the credential.
    pub(in crate::dialect) carrier: Carrier,
    /// Whether an answer other than with 400, 401 or 403 says no, too.
    pub(in crate::dialect) says_no: &'a dyn Fn(&Answered) -> bool,
}

impl Endpoint<'_> {
    /// The next step. What is held is tried first: it spares the password.
    pub(in crate::dialect) fn step(self, held: Option<&Entered>, answers: &[Answered]) -> Login {
        let refresh = held.and_then(|held| held.refresh.as_ref());
        let renewal = refresh.map(|token| {
            Map::from_iter([
                ("grant_type".to_owned(), "refresh_token".into()),
                ("refresh_token".to_owned(), token.text().into()),
            ])
        });
        let mut answers = answers.iter();
        for (grant, kept) in renewal
            .into_iter()
            .map(|grant| (grant, refresh))
            .chain([(self.grant.clone(), None)])
        {
            let Some(answer) = answers.next() else {
                return Login::Ask(self.ask(grant));
            };
            if !self.refuses(answer) {
                return self.read(answer, kept);
            }
        }
        Login::Refused
    }

    fn ask(&self, mut body: Map<String, Value>) -> Outgoing {
        body.extend(self.client.clone());
        Outgoing {
            method: Method::POST,
            target: self.target.clone(),
            controls: Vec::new(),
            body: Some(Bytes::from(Value::Object(body).to_string())),
            media: Media::Json,
        }
    }

    fn refuses(&self, answer: &Answered) -> bool {
        matches!(answer.status, 400 | 401 | 403) || (self.says_no)(answer)
    }

    /// Reads the tokens of an answer; without a new refresh token the one that was used stays.
    fn read(&self, answer: &Answered, kept: Option<&Secret>) -> Login {
        if answer.status != 200 || answer.body.is_empty() {
            return Login::Failed(Reason::UpstreamBroken);
        }
        let read = || {
            let members = members(answer)?;
            let is_bearer = members
                .get("token_type")
                .is_none_or(|kind| is_word(kind, "bearer"));
            let token = members.get("access_token")?.as_str()?;
            let credential = Credential::own(self.carrier.clone(), token)?;
            is_bearer.then_some(Entered {
                credential,
                refresh: refresh(&members).or_else(|| kept.cloned()),
                lifetime: lifetime(&members),
            })
        };
        read().map_or(Login::Failed(Reason::Unfilterable), Login::Entered)
    }
}

/// The members of an answer that is an object.
pub(in crate::dialect) fn members(answer: &Answered) -> Option<Map<String, Value>> {
    match json::read(&answer.body, DEPTH_MAX) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

fn is_word(value: &Value, word: &str) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.eq_ignore_ascii_case(word))
}

fn refresh(members: &Map<String, Value>) -> Option<Secret> {
    let token = members.get("refresh_token")?.as_str()?;
    (1..=REFRESH_BYTES_MAX)
        .contains(&token.len())
        .then(|| Secret::new(token))
}

fn lifetime(members: &Map<String, Value>) -> Option<Duration> {
    let seconds = match members.get("expires_in")? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    seconds
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
}
