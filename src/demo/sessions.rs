//! Who is logged in. Tokens live in memory and end.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Account, Fault, PASSWORD};

const ACCESS_SECONDS: i64 = 3_600;
const REFRESH_SECONDS: i64 = 1_209_600;
/// How many tokens are remembered; then those that end first are forgotten.
const TOKENS_MAX: usize = 10_000;

/// The tokens that are valid now.
#[derive(Default)]
pub(super) struct Sessions {
    access: BTreeMap<String, Session>,
    refresh: BTreeMap<String, Session>,
}

#[derive(Clone, Copy)]
struct Session {
    account: &'static Account,
    ends: Timestamp,
}

impl Sessions {
    /// Answers `POST /oauth2/token`.
    pub(super) fn token(
        &mut self,
        body: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Value, Fault> {
        let said = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let account = match said("grant_type") {
            "password" => Account::named(said("username"))
                .filter(|_| said("password") == PASSWORD)
                .ok_or_else(|| need_login("You must specify a valid username and password."))?,
            "refresh_token" => {
                let session = self
                    .refresh
                    .remove(said("refresh_token"))
                    .filter(|session| session.ends > now);
                session
                    .ok_or_else(|| Fault::new(401, "invalid_grant", "Invalid refresh token"))?
                    .account
            }
            other => {
                return Err(Fault::new(
                    400,
                    "unsupported_grant_type",
                    format!("Unsupported grant type: {other}"),
                ));
            }
        };
        let access = issue(&mut self.access, account, now, ACCESS_SECONDS);
        let refresh = issue(&mut self.refresh, account, now, REFRESH_SECONDS);
        Ok(json!({
            "access_token": access, "expires_in": ACCESS_SECONDS, "token_type": "bearer", "scope": null,
            "refresh_token": refresh, "refresh_expires_in": REFRESH_SECONDS, "download_token": secret(),
        }))
    }

    /// Whose token this is.
    pub(super) fn account(
        &self,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<&'static Account, Fault> {
        let token =
            token.ok_or_else(|| need_login("You need to be logged in to perform this action."))?;
        match self.access.get(token) {
            Some(session) if session.ends > now => Ok(session.account),
            _ => Err(Fault::new(
                401,
                "invalid_grant",
                "The access token provided is invalid.",
            )),
        }
    }

    /// Ends a session, and every refresh token of its account.
    pub(super) fn end(&mut self, token: &str) {
        if let Some(ended) = self.access.remove(token) {
            self.refresh
                .retain(|_, session| session.account != ended.account);
        }
    }
}

fn need_login(text: &str) -> Fault {
    Fault::new(401, "need_login", text)
}

fn issue(
    tokens: &mut BTreeMap<String, Session>,
    account: &'static Account,
    now: Timestamp,
    seconds: i64,
) -> String {
    tokens.retain(|_, session| session.ends > now);
    while tokens.len() >= TOKENS_MAX {
        let first = tokens
            .iter()
            .min_by_key(|(_, session)| session.ends)
            .map(|(token, _)| token.clone());
        first.and_then(|token| tokens.remove(&token));
    }
    let token = secret();
    let ends =
        Timestamp::from_second(now.as_second().saturating_add(seconds)).unwrap_or(Timestamp::MAX);
    tokens.insert(token.clone(), Session { account, ends });
    token
}

/// A token that cannot be guessed from the seed of the records.
fn secret() -> String {
    let half = || RandomState::new().hash_one(Timestamp::now().as_nanosecond());
    format!("{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(pairs: &[(&str, &str)]) -> Map<String, Value> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect()
    }

    #[test]
    fn a_token_ends_after_an_hour_and_is_renewed_once() {
        let mut sessions = Sessions::default();
        let start = Timestamp::from_second(1_000_000).unwrap();
        let later = Timestamp::from_second(1_003_600).unwrap();
        let login = body(&[
            ("grant_type", "password"),
            ("username", "sally"),
            ("password", "demo"),
        ]);
        let answer = sessions.token(&login, start).unwrap();
        let access = answer["access_token"].as_str();
        assert_eq!(sessions.account(access, start).unwrap().name, "sally");
        assert_eq!(
            sessions.account(access, later).unwrap_err().label,
            "invalid_grant"
        );

        let renew = body(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", answer["refresh_token"].as_str().unwrap()),
        ]);
        let again = sessions.token(&renew, later).unwrap();
        assert_eq!(
            sessions
                .account(again["access_token"].as_str(), later)
                .unwrap()
                .name,
            "sally"
        );
        assert_eq!(sessions.token(&renew, later).unwrap_err().status, 401);
    }

    #[test]
    fn a_wrong_password_and_a_missing_token_need_a_login() {
        let mut sessions = Sessions::default();
        let now = Timestamp::from_second(0).unwrap();
        let login = body(&[
            ("grant_type", "password"),
            ("username", "sally"),
            ("password", "wrong"),
        ]);
        assert_eq!(sessions.token(&login, now).unwrap_err().label, "need_login");
        assert_eq!(sessions.account(None, now).unwrap_err().label, "need_login");
    }
}
