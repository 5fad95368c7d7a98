//! Whose a credential is: the questions of a description, asked one after the other.

use aws_lc_rs::digest;
use http::Method;
use serde_json::Value;

use super::description::{Description, Listed, Question};
use super::grammar;
use super::jsonpath::Expression;
use crate::dialect::{Answered, Inquiry, Outgoing, Session, spelling};
use crate::door::Credential;
use crate::json;
use crate::reason::Reason;

/// Nesting of an answer.
const DEPTH_MAX: usize = 64;
/// Roles, teams and rights of one caller.
const NAMES_MAX: usize = 1_000;

/// What is known so far.
#[derive(Default)]
struct Known {
    id: Option<String>,
    login: Option<String>,
    kind: Option<String>,
    roles: Vec<String>,
    teams: Vec<String>,
}

/// The next step.
pub(super) fn inquire(
    description: &Description,
    version: &str,
    credential: &Credential,
    answers: &[Answered],
) -> Inquiry {
    let place = &description.place(version);
    if let Some(native) = description.native {
        return match native.inquire(credential, answers) {
            Inquiry::Ask(question) => Inquiry::Ask(Outgoing {
                target: format!("{place}{}", question.target),
                ..question
            }),
            conclusion => conclusion,
        };
    }
    let asking = &description.caller;
    if let Some(listed) = listed(&asking.listed, credential) {
        return Inquiry::Known(Session {
            id: listed.id.clone(),
            name: listed.login.clone(),
            kind: listed.kind.clone(),
            roles: listed.roles.clone(),
            teams: listed.teams.clone(),
        });
    }
    if asking.questions.is_empty() {
        // Whoever is not on the list is nobody: there is nobody to ask.
        return Inquiry::Nobody;
    }
    let mut known = Known::default();
    for (number, question) in asking.questions.iter().enumerate() {
        let Some(answer) = answers.get(number) else {
            return ask(description, place, question, &known);
        };
        if question.nobody.contains(&answer.status) {
            return Inquiry::Nobody;
        }
        if question.nothing.contains(&answer.status) {
            continue;
        }
        if answer.status != 200 || answer.body.is_empty() {
            return Inquiry::Failed(Reason::UpstreamBroken);
        }
        let read = json::read(&answer.body, DEPTH_MAX).ok();
        if read
            .and_then(|answer| known.learn(question, &answer))
            .is_none()
        {
            return Inquiry::Failed(Reason::Unfilterable);
        }
    }
    match (known.id, known.login) {
        (Some(id), Some(name)) => Inquiry::Known(Session {
            id,
            name,
            kind: known.kind.unwrap_or_default(),
            roles: known.roles,
            teams: known.teams,
        }),
        _ => Inquiry::Failed(Reason::Unfilterable),
    }
}

fn listed<'a>(listed: &'a [Listed], credential: &Credential) -> Option<&'a Listed> {
    if listed.is_empty() {
        return None;
    }
    let hash = digest::digest(&digest::SHA256, credential.token().as_bytes());
    listed.iter().find(|listed| listed.sha256 == hash.as_ref())
}

fn ask(description: &Description, place: &str, question: &Question, known: &Known) -> Inquiry {
    let mut target = format!("{place}{}", question.ask);
    // What the CRM told must be a segment of a path to everybody who reads it.
    let id = known.id.as_ref().filter(|id| description.ids.fit(id));
    let login = known
        .login
        .as_ref()
        .filter(|login| grammar::is_value(login));
    for (place, value) in [("{id}", id), ("{login}", login)] {
        if target.contains(place) {
            let Some(value) = value else {
                return Inquiry::Failed(Reason::Unfilterable);
            };
            target = target.replace(place, &spelling::encode(value));
        }
    }
    Inquiry::Ask(Outgoing {
        method: Method::GET,
        target,
        controls: Vec::new(),
        body: None,
        media: description.media,
    })
}

impl Known {
    /// Reads an answer. What is not as expected makes it no answer: a role that is not understood could be one that a
    /// rule caps.
    fn learn(&mut self, question: &Question, answer: &Value) -> Option<()> {
        for (place, expression) in [
            (&mut self.id, &question.id),
            (&mut self.login, &question.login),
            (&mut self.kind, &question.kind),
        ] {
            if let Some(expression) = expression {
                *place = Some(one(expression, answer)?);
            }
        }
        for (names, expressions) in [
            (&mut self.roles, &question.roles),
            (&mut self.teams, &question.teams),
        ] {
            for expression in expressions {
                for name in expression.select(answer)? {
                    push(names, text(name)?)?;
                }
            }
        }
        for (role, expression) in &question.rights {
            // A right that is not there is not held.
            let has = expression
                .select(answer)
                .is_some_and(|found| found.into_iter().any(is_held));
            if has {
                push(&mut self.roles, role.clone())?;
            }
        }
        Some(())
    }
}

fn push(names: &mut Vec<String>, name: String) -> Option<()> {
    if !names.contains(&name) {
        names.push(name);
    }
    (names.len() <= NAMES_MAX).then_some(())
}

/// The one value that an expression selects.
fn one(expression: &Expression, answer: &Value) -> Option<String> {
    match expression.select(answer)?.as_slice() {
        [value] => text(value),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn is_held(right: &Value) -> bool {
    match right {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.as_str(), "" | "0" | "no" | "false"),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}
