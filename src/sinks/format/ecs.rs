//! Elastic Common Schema 8.17.

use serde_json::{Value, json};

use crate::provenance;

use super::super::story::{Ending, Severity, Story};
use super::{PRODUCT, trimmed};

/// The version of the schema.
pub(super) const VERSION: &str = "8.17.0";
const NANOSECONDS_A_MILLISECOND: u64 = 1_000_000;

pub(super) fn of(story: Story<'_>) -> Value {
    let route = story.text("/request/route");
    let (method, path) = route.and_then(|route| route.split_once(' ')).unzip();
    let network = story.text("/origin/ip").or_else(|| story.text("/origin"));
    let user = json!({
        "id": story.text("/caller/id"),
        "name": story.text("/caller/name"),
        "roles": story.texts("/caller/roles").collect::<Vec<_>>(),
    });
    let related = [story.text("/caller/id"), story.text("/caller/name")];
    let related: Vec<&str> = related.into_iter().flatten().collect();
    trimmed(json!({
        "@timestamp": story.text("/time"),
        "ecs": { "version": VERSION },
        "event": event(story),
        "http": {
            "request": { "id": story.text("/id").filter(|_| story.is_request()), "method": method },
            "response": { "status_code": story.number("/outcome/status") },
        },
        "labels": labels(story),
        "message": story.sentence(),
        "observer": {
            "name": story.text("/node"),
            "product": PRODUCT,
            "type": "proxy",
            "vendor": PRODUCT,
            "version": provenance::VERSION,
        },
        // What the schema has no field for, whole, below a name of our own.
        "paravent": story.value(),
        "related": { "user": related },
        "service": { "name": story.text("/request/upstream") },
        // A network, not an address: `source.ip` takes only addresses.
        "source": { "address": network },
        "trace": { "id": story.text("/request/trace") },
        // A template: `{id}` stays `{id}`.
        "url": { "path": path },
        "user": user,
    }))
}

fn event(story: Story<'_>) -> Value {
    let (category, kinds) = category(story);
    let duration = story.number("/outcome/milliseconds");
    json!({
        "action": story.code(),
        "category": [category],
        "code": story.outcome().unwrap_or_else(|| story.name()),
        "dataset": "paravent.access",
        "duration": duration.map(|duration| duration.saturating_mul(NANOSECONDS_A_MILLISECOND)),
        "id": story.text("/id"),
        "kind": "event",
        "module": "paravent",
        "outcome": match story.ending() {
            Ending::Success => "success",
            Ending::Failure => "failure",
            Ending::Unknown => "unknown",
        },
        "provider": "paravent",
        "reason": story.text("/outcome/reason"),
        "sequence": story.number("/seq"),
        "severity": match story.severity() {
            Severity::Informational => 1,
            Severity::Low => 2,
            Severity::Medium => 3,
            Severity::High => 4,
        },
        "type": kinds,
    })
}

/// The category, and the types that the schema expects in it.
fn category(story: Story<'_>) -> (&'static str, Vec<&'static str>) {
    if !story.is_request() {
        let name = story.name();
        return match name {
            "auth.refused" => ("authentication", vec!["info"]),
            "key.created" => ("iam", vec!["creation"]),
            "key.revoked" | "key.expired" => ("iam", vec!["deletion"]),
            "key.rotated" => ("iam", vec!["change"]),
            "policy.loaded" | "certificate.loaded" | "schema.learned" => {
                ("configuration", vec!["change"])
            }
            _ => ("configuration", vec!["info"]),
        };
    }
    let done = match story.text("/request/action") {
        Some("create") => "creation",
        Some("update" | "relate") => "change",
        Some("delete") => "deletion",
        Some("read" | "list" | "count" | "metadata") => "access",
        _ => "info",
    };
    let mut kinds = vec![done];
    match (story.ending(), story.outcome()) {
        (Ending::Success, _) => kinds.push("allowed"),
        (
            _,
            Some("denied" | "not-found-by-policy" | "rejected" | "unauthenticated" | "limited"),
        ) => kinds.push("denied"),
        _ => {}
    }
    ("api", kinds)
}

/// Flat, as the schema wants them: no lists, no maps.
fn labels(story: Story<'_>) -> Value {
    json!({
        "dialect": story.text("/request/dialect"),
        "crm_module": story.text("/request/module"),
        "purpose_chosen_by": story.text("/purpose/chosen_by"),
        "phase": story.text("/phase"),
        "policy": story.text("/policy/name"),
        "policy_hash": story.text("/policy/hash"),
        "policy_mode": story.text("/policy/mode"),
        "purpose": story.text("/purpose/id"),
        "purpose_basis": story.text("/purpose/basis"),
    })
}
