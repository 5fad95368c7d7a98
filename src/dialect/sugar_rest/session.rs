//! Whose session a credential is: the CRM's answer to `GET /me`.

use http::Method;
use serde_json::{Map, Value};

use crate::dialect::{Answered, Inquiry, Media, Outgoing, Session};
use crate::json;
use crate::reason::Reason;

/// Nesting of the answer.
const DEPTH_MAX: usize = 64;

/// One question is enough.
pub(super) fn inquire(answers: &[Answered]) -> Inquiry {
    let Some(answer) = answers.first() else {
        return Inquiry::Ask(Outgoing {
            method: Method::GET,
            target: "/me".to_owned(),
            controls: Vec::new(),
            body: None,
            media: Media::Json,
        });
    };
    match answer.status {
        200 if answer.body.is_empty() => Inquiry::Failed(Reason::UpstreamBroken),
        200 => read(&answer.body).map_or(Inquiry::Failed(Reason::Unfilterable), Inquiry::Known),
        401 => Inquiry::Nobody,
        _ => Inquiry::Failed(Reason::UpstreamBroken),
    }
}

/// Reads the answer. Whatever is not as expected makes it no answer: a role that is not understood could be one that
/// a rule caps.
fn read(body: &[u8]) -> Option<Session> {
    let Ok(Value::Object(mut root)) = json::read(body, DEPTH_MAX) else {
        return None;
    };
    let Value::Object(user) = root.remove("current_user")? else {
        return None;
    };
    Some(Session {
        id: text(&user, "id")?,
        name: text(&user, "user_name")?,
        kind: match user.get("type") {
            None => String::new(),
            Some(kind) => kind.as_str()?.to_owned(),
        },
        roles: roles(user.get("roles"))?,
        teams: teams(user.get("my_teams"))?,
    })
}

fn text(user: &Map<String, Value>, name: &str) -> Option<String> {
    user.get(name)?
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn roles(roles: Option<&Value>) -> Option<Vec<String>> {
    let owned = |role: &Value| role.as_str().map(str::to_owned);
    match roles {
        None => Some(Vec::new()),
        Some(Value::Array(roles)) => roles.iter().map(owned).collect(),
        // PHP's form of a list with gaps.
        Some(Value::Object(roles)) => roles.values().map(owned).collect(),
        Some(_) => None,
    }
}

fn teams(teams: Option<&Value>) -> Option<Vec<String>> {
    let name = |team: &Value| team.get("name")?.as_str().map(str::to_owned);
    match teams {
        None => Some(Vec::new()),
        Some(Value::Array(teams)) => teams.iter().map(name).collect(),
        Some(Value::Object(teams)) => teams.values().map(name).collect(),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    fn user(change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut user = json!({
            "id": "u-1", "user_name": "jdoe", "type": "user", "roles": ["Sales", "Support"],
            "my_teams": [{"id": "1", "name": "Global"}], "preferences": {"a": []}
        });
        change(&mut user);
        json!({"current_user": user}).to_string().into_bytes()
    }

    #[test]
    fn the_answer_names_the_user_and_their_roles_and_teams() {
        let session = read(&user(|_| {})).unwrap();
        assert_eq!(
            (session.id.as_str(), session.name.as_str()),
            ("u-1", "jdoe")
        );
        assert_eq!(session.kind, "user");
        assert_eq!(session.roles, ["Sales", "Support"]);
        assert_eq!(session.teams, ["Global"]);
        let gaps = read(&user(|user| user["roles"] = json!({"2": "Sales"}))).unwrap();
        assert_eq!(gaps.roles, ["Sales"]);
    }

    #[test]
    fn an_answer_that_is_not_understood_is_none() {
        for change in [
            json!({"id": null}),
            json!({"id": ""}),
            json!({"id": 1}),
            json!({"user_name": null}),
            json!({"type": ["admin"]}),
            json!({"roles": "Sales"}),
            json!({"roles": ["Sales", 1]}),
            json!({"roles": [{"name": "Sales"}]}),
            json!({"my_teams": [{"id": "1"}]}),
        ] {
            let body = user(|user| {
                for (name, value) in change.as_object().unwrap() {
                    user[name] = value.clone();
                }
            });
            assert_eq!(read(&body), None, "{change}");
        }
        for body in [
            "",
            "[]",
            "{}",
            r#"{"current_user":[]}"#,
            r#"{"current_user":{},"CURRENT_USER":{}}"#,
        ] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }
}
