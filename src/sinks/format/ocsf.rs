//! OCSF 1.5.0, class API Activity (6003).

use serde_json::{Value, json};

use crate::provenance;

use super::super::story::{Ending, Severity, Story};
use super::{PRODUCT, trimmed, without_refs};

/// The version of the schema.
pub(super) const VERSION: &str = "1.5.0";
const CLASS: u64 = 6003;

pub(super) fn of(story: Story<'_>) -> Value {
    let (activity, caption) = activity(story);
    let (severity_id, severity) = severity(story);
    let (status_id, status) = match story.ending() {
        Ending::Success => (1, "Success"),
        Ending::Failure => (2, "Failure"),
        Ending::Unknown => (0, "Unknown"),
    };
    let status_code = story.number("/outcome/status");
    let time = story.time().map_or(0, |time| time.as_millisecond());
    trimmed(json!({
        "activity_id": activity,
        "activity_name": caption,
        "actor": actor(story),
        "api": api(story),
        "category_name": "Application Activity",
        "category_uid": 6,
        "class_name": "API Activity",
        "class_uid": CLASS,
        "dst_endpoint": dst_endpoint(story),
        "duration": story.number("/outcome/milliseconds"),
        "http_request": http_request(story),
        "http_response": status_code.map(|code| json!({ "code": code })),
        "message": story.sentence(),
        "metadata": metadata(story),
        "resources": resources(story),
        "severity": severity,
        "severity_id": severity_id,
        "src_endpoint": src_endpoint(story),
        "status": status,
        "status_code": status_code.map(|code| code.to_string()),
        "status_detail": story.text("/outcome/reason").or_else(|| story.outcome()),
        "status_id": status_id,
        "time": time,
        "timezone_offset": 0,
        "type_name": format!("API Activity: {}", standard(activity)),
        "type_uid": CLASS * 100 + activity,
        "unmapped": { "paravent": without_refs(story) },
    }))
}

/// The number of what was done, and the word for it: the standard's, or our own where the standard has none.
fn activity(story: Story<'_>) -> (u64, &str) {
    if !story.is_request() {
        return (99, story.name());
    }
    let activity = match story.text("/request/action") {
        Some("create") => 1,
        Some("read" | "list" | "count" | "metadata") => 2,
        Some("update") => 3,
        Some("delete") => 4,
        Some(other) => return (99, other),
        None => 0,
    };
    (activity, standard(activity))
}

fn standard(activity: u64) -> &'static str {
    match activity {
        0 => "Unknown",
        1 => "Create",
        2 => "Read",
        3 => "Update",
        4 => "Delete",
        _ => "Other",
    }
}

fn severity(story: Story<'_>) -> (u64, &'static str) {
    match story.severity() {
        Severity::Informational => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
    }
}

fn actor(story: Story<'_>) -> Value {
    if !story.is_request() {
        return json!({ "app_name": PRODUCT, "invoked_by": story.text("/by") });
    }
    if story.value().pointer("/caller/id").is_none() {
        return json!({ "invoked_by": "nobody who is known" });
    }
    let kind = story.text("/caller/kind");
    let groups = story.texts("/caller/roles");
    let groups: Vec<Value> = groups.map(|role| json!({ "name": role })).collect();
    json!({ "user": {
        "groups": groups,
        "name": story.text("/caller/name"),
        "type": kind,
        "type_id": if kind == Some("human") { 1 } else { 99 },
        "uid": story.text("/caller/id"),
    } })
}

fn api(story: Story<'_>) -> Value {
    let operation = story.text("/request/route").unwrap_or_else(|| story.name());
    json!({
        "operation": operation,
        "request": story.text("/id").map(|id| json!({ "uid": id })),
        "response": {
            "code": story.number("/outcome/status"),
            "error": story.text("/outcome/reason"),
        },
        "service": {
            "labels": story.text("/request/dialect").map(|dialect| vec![dialect]),
            "name": story.text("/request/upstream").unwrap_or(PRODUCT),
        },
    })
}

fn src_endpoint(story: Story<'_>) -> Value {
    // A network, not an address: so it is a name.
    let network = story.text("/origin/ip").or_else(|| story.text("/origin"));
    json!({ "name": network.or_else(|| story.text("/node")).unwrap_or("unknown") })
}

fn dst_endpoint(story: Story<'_>) -> Value {
    json!({ "name": story.text("/request/upstream") })
}

fn http_request(story: Story<'_>) -> Value {
    let method = story
        .text("/request/route")
        .and_then(|route| route.split(' ').next());
    json!({ "http_method": method })
}

fn resources(story: Story<'_>) -> Vec<Value> {
    let of_record = |reference: &str| {
        let (module, _) = reference.split_once('/').unwrap_or((reference, ""));
        let module = module.rsplit(':').next().unwrap_or(module);
        json!({ "type": module, "uid": reference })
    };
    let found: Vec<Value> = story.texts("/records/refs").map(of_record).collect();
    match (found.is_empty(), story.text("/request/module")) {
        (true, Some(module)) => vec![json!({ "name": module, "type": "module" })],
        _ => found,
    }
}

fn metadata(story: Story<'_>) -> Value {
    let sequence = story.number("/seq");
    json!({
        "correlation_uid": story.text("/part_of").or_else(|| story.text("/request/trace")),
        "event_code": story.code(),
        "log_name": "access log",
        "log_provider": story.text("/node"),
        "log_version": story.number("/v").map(|version| version.to_string()),
        "original_time": story.text("/time"),
        "product": { "name": PRODUCT, "vendor_name": PRODUCT, "version": provenance::VERSION },
        // The type of the standard has 32 bits; the number stands below `unmapped` as well.
        "sequence": sequence.filter(|sequence| i32::try_from(*sequence).is_ok()),
        "uid": story.text("/id"),
        "version": VERSION,
    })
}
