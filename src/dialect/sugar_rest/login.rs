//! The arguments of a login, rebuilt from an allow-list.

use serde_json::{Map, Value};

use crate::dialect::carriers::Arguments;
use crate::dialect::reread;
use crate::objection::Objection;
use crate::reason::Reason;

/// Bytes of one argument of a login.
const LOGIN_BYTES_MAX: usize = 4_096;

/// Arguments of every login.
const CLIENT: &[&str] = &["client_id", "client_secret", "platform", "current_language"];

/// What else clients say with a login, and the CRM does not look at: a description of their device, for its own statistics;
/// where a browser goes after a login by its pages, and what it brings back from there.
const IGNORED: &[&str] = &["client_info", "redirect_uri", "state"];

/// Reads a login. Only `platform` may stand in the query string: credentials there end up in logs.
pub(super) fn read(
    mut query: Arguments,
    body: Map<String, Value>,
) -> Result<Map<String, Value>, Objection> {
    let platform = query
        .take("platform")
        .map(|value| ("platform".to_owned(), value));
    query.finish()?;
    let mut arguments = Arguments::of(body).and(platform.into_iter().collect())?;
    let grant = arguments.take("grant_type");
    let grant = grant
        .as_ref()
        .and_then(Value::as_str)
        .ok_or(Reason::MalformedBody)?;
    let needed: &[&str] = match grant {
        "password" => &["username", "password"],
        "refresh_token" => {
            // For whom a session is renewed its token tells.
            arguments.take("username");
            &["refresh_token"]
        }
        _ => return Err(Reason::UnsupportedGrant.into()),
    };
    for name in IGNORED {
        arguments.take(name);
    }
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
    arguments.finish()?;
    Ok(login)
}

fn put(login: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), Reason> {
    let fits = value.as_str().is_some_and(|text| {
        let is_word = text.bytes().all(is_word);
        text.len() <= LOGIN_BYTES_MAX
            && !text.contains('\0')
            && (is_word || !matches!(name, "platform" | "current_language"))
            && (name != "username" || reread::is_account(text))
    });
    if !fits {
        return Err(Reason::MalformedBody);
    }
    login.insert(name.to_owned(), value);
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{Arguments, read};
    use crate::dialect::carriers::query_string::{self, Names};
    use crate::reason::Reason;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else {
            panic!("not an object")
        };
        object
    }

    fn log_in(query: &str, body: Value) -> Result<Value, Reason> {
        let query = query_string::read(query, &Names::OF_PHP).unwrap();
        let login = read(Arguments::of(query), object(body)).map(Value::Object);
        login.map_err(|objection| objection.reason)
    }

    #[test]
    fn a_login_is_rebuilt_from_known_arguments() {
        let body = json!({
            "grant_type": "password", "username": "u", "password": "p é \"", "client_id": "sugar",
            "client_secret": "", "platform": "base", "client_info": {"device": "x"}, "current_language": "fr_FR",
            "redirect_uri": "https://a.example/b", "state": "x"
        });
        let expected = json!({
            "grant_type": "password", "username": "u", "password": "p é \"", "client_id": "sugar",
            "client_secret": "", "platform": "base", "current_language": "fr_FR"
        });
        assert_eq!(log_in("", body), Ok(expected));
        assert_eq!(
            log_in(
                "platform=mobile",
                json!({"grant_type": "refresh_token", "refresh_token": "r", "username": "u"})
            ),
            Ok(json!({"grant_type": "refresh_token", "refresh_token": "r", "platform": "mobile"}))
        );
    }

    #[test]
    fn other_logins_are_refused() {
        for grant in [
            "authorization_code",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "",
        ] {
            assert_eq!(
                log_in("", json!({"grant_type": grant})),
                Err(Reason::UnsupportedGrant)
            );
        }
        for body in [
            json!({}),
            json!({"grant_type": ["password"]}),
            json!({"grant_type": "password", "username": "u"}),
            json!({"grant_type": "password", "username": "u", "password": 1}),
            json!({"grant_type": "password", "username": "u", "password": "p", "platform": "a b"}),
            json!({"grant_type": "password", "username": "u)(uid=%2a", "password": "p"}),
        ] {
            assert_eq!(
                log_in("", body.clone()),
                Err(Reason::MalformedBody),
                "{body}"
            );
        }
        let good =
            json!({"grant_type": "password", "username": "u", "password": "p", "platform": "base"});
        assert_eq!(
            log_in("platform=base", good.clone()),
            Err(Reason::DuplicateParameter)
        );
        assert_eq!(
            log_in("password=p", good.clone()),
            Err(Reason::UnknownParameter)
        );
        let mut mixed = good;
        mixed["refresh_token"] = json!("r");
        assert_eq!(log_in("", mixed), Err(Reason::UnknownParameter));
    }
}
