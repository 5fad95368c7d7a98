//! How the proxy's own account logs in: `POST /oauth2/token`.

use http::header::HeaderName;
use serde_json::{Map, Value};

use crate::dialect::login::oauth::Endpoint;
use crate::dialect::{Account, Answered, Entered, Login};
use crate::door::Carrier;

/// The client that every installation knows.
const CLIENT: &str = "sugar";
/// The platform that every installation knows.
const PLATFORM: &str = "base";

/// The next step.
pub(super) fn step(account: &Account, held: Option<&Entered>, answers: &[Answered]) -> Login {
    let Some((user, password)) = &account.user else {
        return Login::Impossible;
    };
    let text = |name: &str, text: &str| (name.to_owned(), Value::from(text));
    let secret = account.client_secret.as_ref();
    let endpoint = Endpoint {
        target: "/oauth2/token".to_owned(),
        client: Map::from_iter([
            text("client_id", account.client_id.as_deref().unwrap_or(CLIENT)),
            text("client_secret", secret.map_or("", |secret| secret.text())),
            text("platform", account.platform.as_deref().unwrap_or(PLATFORM)),
        ]),
        grant: Map::from_iter([
            text("grant_type", "password"),
            text("username", user),
            text("password", password.text()),
        ]),
        carrier: Carrier::Header(HeaderName::from_static("oauth-token")),
        says_no: &|_| false,
    };
    endpoint.step(held, answers)
}
