//! Whose session a credential is: the current user, then the names of their roles, then those of their groups.

use http::Method;
use serde_json::{Map, Value};

use crate::dialect::spelling::{is_name, is_word_byte};
use crate::dialect::{Answered, Inquiry, Media, Outgoing, Session};
use crate::json;
use crate::markup;
use crate::reason::Reason;
use crate::vocabulary::Spelling;

/// Nesting of an answer.
const DEPTH_MAX: usize = 64;
/// Rows that the CRM sends where no number is asked for.
const ROWS: usize = 20;
/// Rows of the second question about a list whose first page may not have been all of it.
const ROWS_MAX: usize = 1_000;

/// The next step, by the answers so far.
pub(super) fn inquire(answers: &[Answered]) -> Inquiry {
    match conclude(&mut answers.iter()) {
        Ok(session) => Inquiry::Known(session),
        Err(step) => step,
    }
}

/// Reads the answers in the order of the questions; the first that is missing is the next question.
fn conclude<'a>(answers: &mut impl Iterator<Item = &'a Answered>) -> Result<Session, Inquiry> {
    let me = next(answers, "/V8/current-user")?;
    let (id, name, kind) = user(&me).ok_or(UNREADABLE)?;
    let roles = names(answers, &id, "aclroles", "ACLRole")?;
    // Some users may not see their groups, and some installations have none: that is no team.
    let teams = match names(answers, &id, "SecurityGroups", "SecurityGroup") {
        Err(Inquiry::Failed(Reason::UpstreamBroken)) => Vec::new(),
        teams => teams?,
    };
    Ok(Session {
        id,
        name,
        kind,
        roles,
        teams,
    })
}

const UNREADABLE: Inquiry = Inquiry::Failed(Reason::Unfilterable);

/// The body of the next answer, or what becomes of the inquiry without it.
fn next<'a>(
    answers: &mut impl Iterator<Item = &'a Answered>,
    target: &str,
) -> Result<Map<String, Value>, Inquiry> {
    let Some(answer) = answers.next() else {
        return Err(Inquiry::Ask(Outgoing {
            method: Method::GET,
            target: target.to_owned(),
            controls: Vec::new(),
            body: None,
            media: Media::JsonApi,
        }));
    };
    match answer.status {
        200 => match json::read(&answer.body, DEPTH_MAX) {
            Ok(Value::Object(body)) => Ok(body),
            _ => Err(UNREADABLE),
        },
        401 => Err(Inquiry::Nobody),
        // A refusal, as distinct from a failure: see `conclude`.
        400 | 403 | 404 => Err(Inquiry::Failed(Reason::UpstreamBroken)),
        _ => Err(Inquiry::Failed(Reason::UpstreamUnreachable)),
    }
}

/// The names behind a link of a user, whole: a list that does not fit its first page is asked for once more.
fn names<'a>(
    answers: &mut impl Iterator<Item = &'a Answered>,
    user: &str,
    link: &str,
    object: &str,
) -> Result<Vec<String>, Inquiry> {
    let target = format!("/V8/module/Users/{user}/relationships/{link}");
    let first = listed(&next(answers, &target)?, object, ROWS);
    let (all, is_whole) = first.ok_or(UNREADABLE)?;
    if is_whole {
        return Ok(all);
    }
    let target = format!("{target}?page%5Bsize%5D={ROWS_MAX}");
    match listed(&next(answers, &target)?, object, ROWS_MAX) {
        Some((all, true)) => Ok(all),
        _ => Err(UNREADABLE),
    }
}

/// Id, login name and kind of the current user.
fn user(body: &Map<String, Value>) -> Option<(String, String, String)> {
    let data = body.get("data")?.as_object()?;
    let attributes = data.get("attributes")?.as_object()?;
    let id = data.get("id")?.as_str().filter(|id| is_id(id))?;
    let name = text(attributes, "user_name")?;
    let kind = match attributes.get("is_admin")? {
        Value::Bool(flag) => *flag,
        Value::String(word) if word == "1" => true,
        Value::String(word) if word == "0" || word.is_empty() => false,
        Value::Number(number) if number.as_u64() == Some(1) => true,
        Value::Number(number) if number.as_u64() == Some(0) => false,
        _ => return None,
    };
    let kind = if kind { "admin" } else { "user" };
    Some((id.to_owned(), name, kind.to_owned()))
}

/// A UUID, `1`, `seed_sally_id`.
fn is_id(text: &str) -> bool {
    let goes_on = |byte: u8| is_word_byte(byte) || byte == b'-';
    is_name(text, |byte| byte.is_ascii_alphanumeric(), goes_on)
}

/// The names in a list, and whether they are all there are. A record without a name, or of another kind, makes it no
/// list: what is not understood could be a role that a rule caps.
fn listed(body: &Map<String, Value>, object: &str, rows: usize) -> Option<(Vec<String>, bool)> {
    let records = body.get("data")?.as_array()?;
    let name = |record: &Value| {
        let kind = record.get("type")?.as_str()?;
        let attributes = record.get("attributes")?.as_object()?;
        (kind == object || kind.strip_suffix('s') == Some(object))
            .then(|| text(attributes, "name"))?
    };
    let names: Vec<String> = records.iter().map(name).collect::<Option<_>>()?;
    let meta = body.get("meta").and_then(Value::as_object);
    let number = |key: &str| match meta.and_then(|meta| meta.get(key)) {
        None => Some(None),
        Some(Value::Number(number)) => number.as_u64().map(Some),
        Some(Value::String(text)) => text.parse().ok().map(Some),
        Some(_) => None,
    };
    let fits = match number("total-records")? {
        Some(total) => total <= names.len() as u64,
        None => names.len() < rows,
    };
    let is_last = number("total-pages")?.is_none_or(|pages| pages <= 1);
    Some((names, fits && is_last))
}

/// A text that says something, as it is meant.
fn text(members: &Map<String, Value>, name: &str) -> Option<String> {
    let text = members
        .get(name)?
        .as_str()
        .filter(|text| !text.is_empty())?;
    Some(markup::decode(Spelling::Html, text).into_owned())
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::{Value, json};

    use crate::dialect::suitecrm_v8::described;
    use crate::dialect::{Answered, Dialect, Inquiry, Session};
    use crate::door::{Carrier, Credential};
    use crate::reason::Reason;

    fn inquire(answers: &[Answered]) -> Inquiry {
        inquire_in("V8", answers)
    }

    fn inquire_in(version: &str, answers: &[Answered]) -> Inquiry {
        let token = Credential::made_up(Carrier::Bearer);
        described().inquire(version, &token, answers)
    }

    #[test]
    fn a_session_is_looked_up_where_the_request_was_sent_to() {
        for (version, place) in [
            ("V8", "/Api/"),
            ("V8 at legacy", "/legacy/Api/"),
            ("v11_24", "/Api/"),
        ] {
            let mut answers = Vec::new();
            for (end, answer) in [
                ("V8/current-user", me()),
                (
                    "V8/module/Users/u-1/relationships/aclroles",
                    list("ACLRole", &[], 0),
                ),
                (
                    "V8/module/Users/u-1/relationships/SecurityGroups",
                    list("SecurityGroup", &[], 0),
                ),
            ] {
                let Inquiry::Ask(question) = inquire_in(version, &answers) else {
                    panic!("no question")
                };
                assert_eq!(question.target, format!("{place}{end}"));
                answers.push(answer);
            }
        }
    }

    fn said(status: u16, body: &Value) -> Answered {
        Answered {
            status: StatusCode::from_u16(status).unwrap().as_u16(),
            body: body.to_string().into(),
        }
    }

    fn me() -> Answered {
        let attributes =
            json!({"id": "u-1", "user_name": "ada", "is_admin": "0", "last_name": "Ada"});
        said(
            200,
            &json!({"data": {"type": "User", "id": "u-1", "attributes": attributes}}),
        )
    }

    fn list(object: &str, names: &[&str], total: usize) -> Answered {
        let record =
            |name: &&str| json!({"type": object, "id": "r-1", "attributes": {"name": name}});
        let records: Vec<Value> = names.iter().map(record).collect();
        said(
            200,
            &json!({"meta": {"total-records": total, "total-pages": 1}, "data": records}),
        )
    }

    fn none() -> Answered {
        said(
            200,
            &json!({"meta": {"message": "There is no relationship set"}, "data": []}),
        )
    }

    fn known(answers: &[Answered]) -> Session {
        match inquire(answers) {
            Inquiry::Known(session) => session,
            other => panic!("{other:?}"),
        }
    }

    fn target(answers: &[Answered]) -> String {
        match inquire(answers) {
            Inquiry::Ask(question) => question.target,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn three_questions_tell_who_somebody_is() {
        let roles = list("ACLRole", &["Sales", "R&amp;D"], 2);
        assert_eq!(target(&[]), "/Api/V8/current-user");
        assert_eq!(
            target(&[me()]),
            "/Api/V8/module/Users/u-1/relationships/aclroles"
        );
        assert_eq!(
            target(&[me(), roles.clone()]),
            "/Api/V8/module/Users/u-1/relationships/SecurityGroups"
        );
        let session = known(&[me(), roles.clone(), list("SecurityGroup", &["West"], 1)]);
        assert_eq!((session.id.as_str(), session.name.as_str()), ("u-1", "ada"));
        assert_eq!(session.kind, "user");
        assert_eq!(session.roles, ["Sales", "R&D"]);
        assert_eq!(session.teams, ["West"]);
        let session = known(&[me(), none(), none()]);
        assert!(session.roles.is_empty() && session.teams.is_empty());
    }

    #[test]
    fn groups_that_may_not_be_seen_are_none() {
        for status in [400, 403, 404] {
            let refused = said(status, &json!({"errors": {"status": status}}));
            assert!(known(&[me(), none(), refused.clone()]).teams.is_empty());
            assert_eq!(
                inquire(&[me(), refused]),
                Inquiry::Failed(Reason::UpstreamBroken),
                "roles that may not be seen are not none"
            );
        }
        for status in [429, 500, 503] {
            let failed = said(status, &json!({}));
            assert_eq!(
                inquire(&[me(), none(), failed]),
                Inquiry::Failed(Reason::UpstreamUnreachable)
            );
        }
    }

    #[test]
    fn a_long_list_is_asked_for_once_more() {
        let (first, whole) = (list("ACLRole", &["A"], 2), list("ACLRole", &["A", "B"], 2));
        assert_eq!(
            target(&[me(), first.clone()]),
            "/Api/V8/module/Users/u-1/relationships/aclroles?page%5Bsize%5D=1000"
        );
        let session = known(&[me(), first.clone(), whole, none()]);
        assert_eq!(session.roles, ["A", "B"]);
        assert_eq!(
            inquire(&[me(), first.clone(), first]),
            Inquiry::Failed(Reason::Unfilterable)
        );
        // A full page of a list that does not say how long it is.
        let role = json!({"type": "ACLRole", "id": "r", "attributes": {"name": "A"}});
        let full = said(200, &json!({"data": vec![role; 20]}));
        assert!(target(&[me(), full.clone()]).ends_with("1000"));
        assert_eq!(known(&[me(), full.clone(), full, none()]).roles.len(), 20);
    }

    #[test]
    fn an_answer_that_is_not_understood_is_none() {
        let user = |id: Value, name: Value, is_admin: Value| {
            let attributes = json!({"user_name": name, "is_admin": is_admin});
            said(
                200,
                &json!({"data": {"type": "User", "id": id, "attributes": attributes}}),
            )
        };
        for answer in [
            user(json!(1), json!("ada"), json!("0")),
            user(json!("../x"), json!("ada"), json!("0")),
            user(json!("u-1"), json!(""), json!("0")),
            user(json!("u-1"), json!("ada"), json!("yes")),
            user(json!("u-1"), json!("ada"), json!(null)),
            said(200, &json!({"data": []})),
            said(200, &json!([])),
            Answered {
                status: 200,
                body: r#"{"data":{},"DATA":{}}"#.into(),
            },
            Answered {
                status: 200,
                body: "".into(),
            },
        ] {
            assert_eq!(inquire(&[answer]), Inquiry::Failed(Reason::Unfilterable));
        }
        let admin = user(json!("u-1"), json!("ada"), json!("1"));
        assert_eq!(known(&[admin, none(), none()]).kind, "admin");
        assert_eq!(inquire(&[said(401, &json!({}))]), Inquiry::Nobody);
        for roles in [
            json!({"data": [{"type": "ACLRole", "id": "r-1"}]}),
            json!({"data": [{"type": "ACLRole", "id": "r-1", "attributes": {"name": null}}]}),
            json!({"data": [{"type": "User", "id": "r-1", "attributes": {"name": "Sales"}}]}),
            json!({"data": {"0": {}}}),
            json!({"meta": {"total-records": []}, "data": []}),
            json!({}),
        ] {
            assert_eq!(
                inquire(&[me(), said(200, &roles)]),
                Inquiry::Failed(Reason::Unfilterable),
                "{roles}"
            );
        }
    }
}
