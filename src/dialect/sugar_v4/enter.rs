//! How the proxy's own account logs in: `login`, whose session is an argument of every call.

use serde_json::{Value, json};

use super::{refusal, render};
use crate::dialect::{Account, Answered, Entered, Login};
use crate::door::Credential;
use crate::json;
use crate::reason::Reason;

/// Nesting of an answer.
const DEPTH_MAX: usize = 16;

/// The next step. Whatever the CRM says of a login other than a session is its no.
pub(super) fn step(account: &Account, answers: &[Answered]) -> Login {
    let Some((user, password)) = &account.user else {
        return Login::Impossible;
    };
    let Some(answer) = answers.first() else {
        let auth = match account.plain {
            true => {
                json!({"user_name": user, "password": password.text(), "encryption": "PLAIN"})
            }
            false => {
                let sum = format!("{:x}", md5::compute(password.text()));
                json!({"user_name": user, "password": sum, "version": "1"})
            }
        };
        return Login::Ask(render::call("login", &json!([auth, "Paravent", []])));
    };
    if refusal::failure(&answer.body).is_some() {
        return Login::Refused;
    }
    if answer.status != 200 || answer.body.is_empty() {
        return Login::Failed(Reason::UpstreamBroken);
    }
    match session(&answer.body) {
        Some(credential) => Login::Entered(Entered {
            credential,
            refresh: None,
            lifetime: None,
        }),
        None => Login::Failed(Reason::Unfilterable),
    }
}

fn session(body: &[u8]) -> Option<Credential> {
    match json::read(body, DEPTH_MAX) {
        Ok(Value::Object(members)) => Credential::argument(members.get("id")?.as_str()?),
        _ => None,
    }
}
