//! Errors in the shape of the API, and the labels that its own errors state.

use http::StatusCode;
use serde_json::Value;

use super::description::{Description, Labels};
use crate::dialect::ErrorShape;
use crate::json;
use crate::reason::Reason;

/// Nesting of an error's body.
const DEPTH_MAX: usize = 64;

/// The body of an error. Its title is its label, or what the status means.
pub(super) fn shape(
    description: &Description,
    status: u16,
    label: Option<&'static str>,
) -> ErrorShape {
    let label = label.or_else(|| description.labels.of_status(status));
    let of_status = || StatusCode::from_u16(status).ok()?.canonical_reason();
    let title = label.or_else(of_status).unwrap_or("Error");
    let template = match label {
        Some(_) if !description.labels.errors.is_null() => &description.labels.errors,
        _ => &description.errors,
    };
    ErrorShape {
        content_type: description.media.accept(),
        template: titled(template, title, label.unwrap_or_default()),
    }
}

fn titled(template: &Value, title: &str, label: &str) -> Value {
    match template {
        Value::String(words) => words
            .replace("{title}", title)
            .replace("{label}", label)
            .into(),
        Value::Array(items) => items
            .iter()
            .map(|item| titled(item, title, label))
            .collect(),
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(key, value)| (key.clone(), titled(value, title, label)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

impl Labels {
    /// The label of a refusal of our own.
    pub(super) fn of(&self, reason: Reason) -> Option<&'static str> {
        let mut refusals = self.refusals.iter();
        refusals.find_map(|(known, label)| (*known == reason).then_some(*label))
    }

    /// The label of an error with this status.
    fn of_status(&self, status: u16) -> Option<&'static str> {
        let (exact, class) = (status.to_string(), format!("{}xx", status / 100));
        let named = |name: &str| {
            let mut known = self.statuses.iter();
            known.find_map(|(status, label)| (status == name).then_some(*label))
        };
        named(&exact).or_else(|| named(&class))
    }

    /// The label that an error of the API states, if it is a known one. Nothing else of the body is read: other errors hold
    /// the API's words, and that of a wrong password may hold the password.
    pub(super) fn told(&self, body: &[u8]) -> Option<&'static str> {
        let at = self.at.as_ref()?;
        let Ok(Value::Object(members)) = json::read(body, DEPTH_MAX) else {
            return None;
        };
        let stated = members.get(at)?.as_str()?;
        self.known.iter().find(|label| **label == stated).copied()
    }
}
