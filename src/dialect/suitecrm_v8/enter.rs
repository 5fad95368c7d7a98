//! How the proxy's own account logs in: `POST /access_token`, as a user by way of a client, or as the client itself.

use serde_json::{Map, Value};

use crate::dialect::login::oauth::{Endpoint, members};
use crate::dialect::{Account, Answered, Entered, Login};
use crate::door::Carrier;

/// The next step.
pub(super) fn step(account: &Account, held: Option<&Entered>, answers: &[Answered]) -> Login {
    let (Some(id), Some(secret)) = (&account.client_id, &account.client_secret) else {
        return Login::Impossible;
    };
    let text = |name: &str, text: &str| (name.to_owned(), Value::from(text));
    let grant = match &account.user {
        None => Map::from_iter([text("grant_type", "client_credentials")]),
        Some((user, password)) => Map::from_iter([
            text("grant_type", "password"),
            text("username", user),
            text("password", password.text()),
        ]),
    };
    let endpoint = Endpoint {
        target: "/access_token".to_owned(),
        client: Map::from_iter([text("client_id", id), text("client_secret", secret.text())]),
        grant,
        carrier: Carrier::Bearer,
        says_no: &is_unknown_error,
    };
    endpoint.step(held, answers)
}

/// To a wrong password it answers as to an error of its own.
fn is_unknown_error(answer: &Answered) -> bool {
    let error = |members: Map<String, Value>| members.get("error").is_some_and(Value::is_string);
    answer.status == 500 && members(answer).is_some_and(error)
}
