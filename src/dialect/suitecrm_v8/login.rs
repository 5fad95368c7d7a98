//! The body of a login, rebuilt from an allow-list.

use serde_json::{Map, Value};

use crate::dialect::carriers::{Arguments, is_blank};
use crate::dialect::reread;
use crate::door::Credential;
use crate::objection::Objection;
use crate::reason::Reason;

/// Bytes of one argument. A refresh token of the CRM has about 700.
const ARGUMENT_BYTES_MAX: usize = 8_192;

/// Arguments of every login.
const CLIENT: &[&str] = &["client_id", "client_secret", "scope"];

/// What clients say with a login and no grant of the CRM reads: the kind of client, to other servers.
const UNREAD: &[&str] = &["platform"];

/// What the other grants read; without a value it says nothing here. (Where a client returns to is checked with every grant.)
const OF_OTHERS: &[&str] = &["code", "password", "refresh_token", "username"];

/// Reads a login.
pub(super) fn read(body: Map<String, Value>) -> Result<Map<String, Value>, Objection> {
    let mut arguments = Arguments::of(body);
    let grant = arguments.take("grant_type");
    let grant = grant
        .as_ref()
        .and_then(Value::as_str)
        .ok_or(Reason::MalformedBody)?;
    let needed: &[&str] = match grant {
        "password" => &["username", "password"],
        "refresh_token" => &["refresh_token"],
        "client_credentials" => &[],
        _ => return Err(Reason::UnsupportedGrant.into()),
    };
    let mut login = Map::from_iter([("grant_type".to_owned(), grant.into())]);
    for name in CLIENT {
        match arguments.take(name) {
            Some(Value::Null) | None => {}
            Some(value) => put(&mut login, name, value)?,
        }
    }
    for name in needed {
        let value = arguments.take(name).ok_or(Reason::MalformedBody)?;
        put(&mut login, name, value)?;
    }
    for name in UNREAD {
        arguments.take(name);
    }
    for name in OF_OTHERS {
        if let Some(value) = arguments.take(name)
            && !is_blank(Some(&value))
        {
            return Err(Objection::parameter(name));
        }
    }
    arguments.finish()?;
    Ok(login)
}

/// The account name that a login states: see [`crate::dialect::Exchange::account`].
pub(super) fn account(login: &Map<String, Value>, client: Option<&Credential>) -> Option<String> {
    let named = |name| login.get(name)?.as_str().map(str::to_owned);
    match named("grant_type")?.as_str() {
        // A client that logs in for itself is its own account. What the body says of it counts before the header.
        "client_credentials" => named("client_id").or_else(|| client?.account()),
        _ => named("username"),
    }
}

fn put(login: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), Reason> {
    let fits = value
        .as_str()
        .is_some_and(|text| text.len() <= ARGUMENT_BYTES_MAX && !text.contains('\0'));
    let names_nobody = name == "username" && !value.as_str().is_some_and(reread::is_account);
    if !fits || names_nobody {
        return Err(Reason::MalformedBody);
    }
    login.insert(name.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;
    use crate::reason::Reason;

    fn login(body: Value) -> Result<Value, Reason> {
        let Value::Object(body) = body else {
            panic!("not an object")
        };
        read(body)
            .map(Value::Object)
            .map_err(|objection| objection.reason)
    }

    #[test]
    fn each_grant_takes_its_own_arguments() {
        for body in [
            json!({"grant_type": "password", "client_id": "c", "client_secret": "s", "scope": "", "username": "u", "password": "p é \""}),
            json!({"grant_type": "refresh_token", "client_id": "c", "client_secret": "s", "refresh_token": "r"}),
            json!({"grant_type": "client_credentials", "client_id": "c", "client_secret": "s"}),
        ] {
            assert_eq!(login(body.clone()), Ok(body));
        }
        let more = json!({"grant_type": "client_credentials", "client_id": "c", "client_secret": "s",
            "platform": "suitecrm", "username": "", "password": null, "scope": null});
        let plain =
            json!({"grant_type": "client_credentials", "client_id": "c", "client_secret": "s"});
        assert_eq!(login(more), Ok(plain));
        for (body, reason) in [
            (
                json!({"grant_type": "client_credentials", "redirect_uri": ""}),
                Reason::UnknownParameter,
            ),
            (
                json!({"grant_type": "password", "username": "u", "password": "p", "refresh_token": "r"}),
                Reason::UnknownParameter,
            ),
            (json!({}), Reason::MalformedBody),
            (
                json!({"grant_type": "password", "username": "u"}),
                Reason::MalformedBody,
            ),
            (
                json!({"grant_type": "password", "username": "u", "password": ["p"]}),
                Reason::MalformedBody,
            ),
            (
                json!({"grant_type": "client_credentials", "username": "u"}),
                Reason::UnknownParameter,
            ),
            (
                json!({"grant_type": "client_credentials", "_METHOD": "GET"}),
                Reason::UnknownParameter,
            ),
            (
                json!({"grant_type": "authorization_code", "code": "x"}),
                Reason::UnsupportedGrant,
            ),
            (json!({"grant_type": ["password"]}), Reason::MalformedBody),
            (
                json!({"grant_type": "password", "username": "a)(uid=&#42;", "password": "p"}),
                Reason::MalformedBody,
            ),
        ] {
            assert_eq!(login(body.clone()), Err(reason), "{body}");
        }
    }
}
