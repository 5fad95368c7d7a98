//! Whose session it is: the user's id, their name, the names of their roles, the names of their security groups.

use serde_json::{Map, Value, json};

use super::{refusal, render};
use crate::dialect::{Answered, Inquiry, Session};
use crate::door::Credential;
use crate::json;
use crate::reason::Reason;

/// Nesting of an answer.
const DEPTH_MAX: usize = 16;

/// What is asked of the user, and of roles and groups.
const USER_FIELDS: [&str; 3] = ["id", "user_name", "is_admin"];
const NAMES: [&str; 2] = ["id", "name"];

/// The next question, or the conclusion. A role list that is not understood is none: a rule could cap one of its roles.
pub(super) fn inquire(credential: &Credential, answers: &[Answered]) -> Inquiry {
    let session = render::session(Some(credential));
    steps(&session, answers).unwrap_or_else(|conclusion| conclusion)
}

/// An `Err` is a conclusion before the last question.
fn steps(session: &Value, answers: &[Answered]) -> Result<Inquiry, Inquiry> {
    let ask = |name, arguments| Ok(Inquiry::Ask(render::call(name, &arguments)));
    let related = |id: &str, link| {
        ask(
            "get_relationships",
            json!([session, "Users", id, link, "", NAMES, [], 0]),
        )
    };
    let mut answers = answers.iter();
    let Some(answer) = answers.next() else {
        return ask("get_user_id", json!([session]));
    };
    let id = user_id(answer)?;
    let Some(answer) = answers.next() else {
        return ask(
            "get_entry",
            json!([session, "Users", id, USER_FIELDS, [], false]),
        );
    };
    let (name, kind) = user(answer, &id)?;
    let Some(answer) = answers.next() else {
        return related(&id, "aclroles");
    };
    let roles = names(answer)?;
    let Some(answer) = answers.next() else {
        return related(&id, "SecurityGroups");
    };
    // Where the CRM has no groups, or does not show them, the user is in none.
    let teams = match refusal::failure(&answer.body) {
        Some(failure) if answer.status == 200 && !failure.ends_session => Vec::new(),
        _ => names(answer)?,
    };
    Ok(Inquiry::Known(Session {
        id,
        name,
        kind,
        roles,
        teams,
    }))
}

/// The JSON of an answer that is not an error.
fn read(answer: &Answered) -> Result<Value, Inquiry> {
    match refusal::failure(&answer.body) {
        Some(failure) if failure.ends_session => return Err(Inquiry::Nobody),
        Some(_) => return Err(Inquiry::Failed(Reason::Unfilterable)),
        None => {}
    }
    if answer.status != 200 || answer.body.is_empty() {
        return Err(Inquiry::Failed(Reason::UpstreamBroken));
    }
    json::read(&answer.body, DEPTH_MAX).map_err(|_| Inquiry::Failed(Reason::Unfilterable))
}

fn understood<T>(value: Option<T>) -> Result<T, Inquiry> {
    value.ok_or(Inquiry::Failed(Reason::Unfilterable))
}

fn user_id(answer: &Answered) -> Result<String, Inquiry> {
    match read(answer)? {
        Value::String(id) if super::grammar::is_id(&id) => Ok(id),
        _ => Err(Inquiry::Failed(Reason::Unfilterable)),
    }
}

/// The user's login name, and whether they are an administrator.
fn user(answer: &Answered, id: &str) -> Result<(String, String), Inquiry> {
    let mut records = understood(records(read(answer)?))?;
    let user = understood(records.pop().filter(|_| records.is_empty()))?;
    if text(&user, "id") != Some(id) {
        return Err(Inquiry::Failed(Reason::Unfilterable));
    }
    let name = understood(text(&user, "user_name").filter(|name| !name.is_empty()))?;
    let kind = match text(&user, "is_admin") {
        Some("1") => "admin",
        Some("0" | "") => "user",
        _ => return Err(Inquiry::Failed(Reason::Unfilterable)),
    };
    Ok((name.to_owned(), kind.to_owned()))
}

fn names(answer: &Answered) -> Result<Vec<String>, Inquiry> {
    let records = understood(records(read(answer)?))?;
    let name = |record: &Map<String, Value>| {
        let name = text(record, "name")?;
        let meant = crate::markup::decode(crate::vocabulary::Spelling::Html, name);
        (!meant.is_empty()).then(|| meant.into_owned())
    };
    understood(records.iter().map(name).collect())
}

/// The records of an answer, flattened. A record that is not shown makes it none.
fn records(answer: Value) -> Option<Vec<Map<String, Value>>> {
    let Value::Object(mut answer) = answer else {
        return None;
    };
    let Value::Array(entries) = answer.shift_remove("entry_list")? else {
        return None;
    };
    entries.into_iter().map(flat).collect()
}

/// The fields of an entry, by name.
pub(super) fn flat(entry: Value) -> Option<Map<String, Value>> {
    let Value::Object(mut entry) = entry else {
        return None;
    };
    let Value::Object(fields) = entry.shift_remove("name_value_list")? else {
        return None;
    };
    let mut record = Map::new();
    for (name, field) in fields {
        let Value::Object(mut field) = field else {
            return None;
        };
        // A value that is not shown leaves no member.
        if let Some(value) = field.shift_remove("value") {
            record.insert(name, value);
        }
    }
    record.insert("id".to_owned(), entry.shift_remove("id")?);
    Some(record)
}

fn text<'a>(record: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    record.get(name)?.as_str()
}
