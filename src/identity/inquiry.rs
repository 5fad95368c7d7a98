//! Asks the CRM whose session a credential is.

use std::net::IpAddr;

use crate::dialect::{Answered, Dialect, Inquiry, Outgoing, Session};
use crate::door::Credential;
use crate::json;
use crate::reason::Reason;
use crate::transport::{Cause, Failure, Transport, UpstreamCredential};

/// Whose a credential is; `None` if the CRM says that it is nobody's.
///
/// # Errors
/// Why the CRM did not say.
pub async fn inquire(
    transport: &Transport,
    dialect: &dyn Dialect,
    credential: &Credential,
    version: &str,
    origin: IpAddr,
) -> Result<Option<Session>, Failure> {
    let mut answers = Vec::new();
    let mut content = Ok(());
    loop {
        match dialect.inquire(version, credential, &answers) {
            Inquiry::Ask(_) if answers.len() >= QUESTIONS_MAX => {
                return Err(Cause::WrongShape.into());
            }
            Inquiry::Ask(question) => {
                let answered;
                (answered, content) = answer(transport, question, Some(credential), origin).await?;
                answers.push(answered);
            }
            Inquiry::Known(session) => return Ok(Some(session)),
            Inquiry::Nobody => return Ok(None),
            Inquiry::Failed(reason) => return Err(why(reason, answers.last(), content, LOOK_UP)),
        }
    }
}

/// The answer to a question, and whether it says that it is JSON.
pub(super) async fn answer(
    transport: &Transport,
    question: Outgoing,
    credential: Option<&Credential>,
    origin: IpAddr,
) -> Result<(Answered, Result<(), Cause>), Failure> {
    let with = credential.map_or_else(UpstreamCredential::nobody, UpstreamCredential::of_caller);
    let mut answer = transport.ask(question, &with, origin).await?;
    let body = match answer.content {
        Ok(()) => answer.whole_decoded(ANSWER_BYTES_MAX).await?,
        Err(_) => Vec::new(),
    };
    let answered = Answered {
        status: answer.status.as_u16(),
        body: body.into(),
    };
    Ok((answered, answer.content))
}

/// Why the last answer told nothing.
pub(super) fn why(
    reason: Reason,
    answered: Option<&Answered>,
    content: Result<(), Cause>,
    asked: &str,
) -> Failure {
    let of = |cause: Cause, detail: String| Failure {
        reason,
        ..Failure::from(cause).with(detail)
    };
    match answered {
        Some(answered) if answered.status != 200 => of(
            Cause::WrongShape,
            format!("status {} {asked}", answered.status),
        ),
        Some(answered) => match content {
            Err(cause) => of(cause, asked.to_owned()),
            Ok(()) if json::read(&answered.body, DEPTH_MAX).is_err() => {
                of(Cause::MalformedJson, asked.to_owned())
            }
            Ok(()) => of(Cause::WrongShape, asked.to_owned()),
        },
        None => of(Cause::WrongShape, asked.to_owned()),
    }
}

/// What the operator is told of.
const LOOK_UP: &str = "at the look-up of a session";
/// Questions that the look-up of one session may need.
const QUESTIONS_MAX: usize = 8;
/// `/me` of a large installation lists the rights on each module.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Nesting of an answer.
const DEPTH_MAX: usize = 128;
