//! What fuzzers run: one function a target. Compiled for fuzzers and for tests only; the tests run each target on its
//! seeds (`fuzz/seeds/`), so that no target rots. A target fails by panicking.

use std::net::Ipv4Addr;
use std::sync::LazyLock;
use std::time::Duration;

use http::Request;
use serde_json::Value;

use crate::audit;
use crate::decode::Coding;
use crate::demo;
use crate::detect::{self, Kind};
use crate::dialect::{
    Answered, Bounds, Dialect, Exchange, Incoming, Inquiry, Session, Shape, Understood,
    engine::Described, sugar_rest,
};
use crate::door::{self, Credential, Door, wire::Wire};
use crate::filter::{Asked, Filtering, Limits, Memory};
use crate::identity::Caller;
use crate::json;
use crate::mask::Mask;
use crate::policy::{Decision, Plan, Policy, Source};

mod dialects;
pub mod exchange;
pub mod models;
#[cfg(test)]
mod restricted;
mod second_reading;
mod tokens;

/// A target.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its folder of seeds.
pub const TARGETS: &[(&str, Target)] = &[
    ("audit_log", audit_log),
    ("decode", decode),
    ("described", dialects::described),
    ("description", dialects::description),
    ("detect", detect),
    ("exchange", exchange::request),
    ("filter", filter),
    ("json", json),
    ("mask", mask),
    ("policy", policy),
    ("reply", exchange::reply),
    ("second_reading", second_reading::target),
    ("session", session),
    ("sugar_v4", dialects::sugar_v4),
    ("suitecrm_v8", dialects::suitecrm_v8),
    ("token", tokens::token),
    ("understand", understand),
    ("wire", wire),
];

/// Runs a target.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(own, _)| *own == name);
    let (_, target) = target.expect("a target of the list");
    target(bytes);
}

const BOUNDS: Bounds = Bounds {
    page_max: 1_000,
    bulk_parts_max: 20,
    depth_max: 64,
};

const LIMITS: Limits = Limits {
    record_bytes_max: 1 << 16,
    text_bytes_max: 1 << 20,
    depth_max: 64,
};

/// A byte that chooses, and the rest.
fn chosen(bytes: &[u8]) -> (usize, &[u8]) {
    match bytes.split_first() {
        Some((first, rest)) => (usize::from(*first), rest),
        None => (0, bytes),
    }
}

/// A document has one reading or none, and what is read is what another strict reader reads.
fn json(bytes: &[u8]) {
    let Ok(value) = json::read(bytes, 64) else {
        return;
    };
    let again = json::read(value.to_string().as_bytes(), 64);
    assert!(
        again.is_ok_and(|again| again == value),
        "not the same again"
    );
    let filtered = copied(bytes, bytes.len().max(1));
    // Lone surrogates aside, which only the filter copies, whatever one of the two reads the other reads.
    assert!(filtered.is_some(), "the filter does not read it");
}

/// A text as a filter copies it that treats nothing, in pieces of a size.
fn copied(bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut filtering =
        Filtering::new(&PLAN.0, &Shape::Anything, Asked::default(), LIMITS, &MEMORY);
    for chunk in bytes.chunks(size) {
        filtering.push(chunk).ok()?;
    }
    let (filtered, _) = filtering.finish().ok()?;
    Some(filtered.into_bytes().to_vec())
}

/// The dialect of the demo.
static SUGAR: LazyLock<Described> = LazyLock::new(sugar_rest::described);

/// The plan of somebody in sales for a page of contacts, and the shape of the reply.
static PLAN: LazyLock<(Plan, Shape)> = LazyLock::new(|| {
    let (policy, _) = Policy::compile(
        &demo::policy_sources(),
        &[sugar_rest::described().schema().clone()],
        b"a key for fuzzers that nobody else has",
    );
    let exchange = read("GET", "/rest/v11_24/Contacts", None, b"");
    let exchange = exchange.expect("a plain request is understood");
    let session = Session {
        id: "1".to_owned(),
        name: "sally".to_owned(),
        kind: "user".to_owned(),
        roles: vec!["Sales".to_owned()],
        teams: Vec::new(),
    };
    let caller = Caller::from_session(session, Duration::ZERO);
    let decision =
        policy
            .expect("the demo's policy compiles")
            .decide(&caller, None, exchange.operation());
    let Decision::Permit(plan) = decision else {
        panic!("sales may read contacts")
    };
    (plan, exchange.answer().shape)
});

/// What the filters of that plan leave to each other, as they do in an entrance.
static MEMORY: LazyLock<Memory> = LazyLock::new(Memory::new);

/// A page of contacts is the same however it is split, is JSON, and shows nothing that is hidden.
fn filter(bytes: &[u8]) {
    let (size, body) = chosen(bytes);
    let (plan, shape) = &*PLAN;
    let run = |size: usize| {
        let mut filtering = Filtering::new(plan, shape, Asked::default(), LIMITS, &MEMORY);
        let mut out = Vec::new();
        for chunk in body.chunks(size.max(1)) {
            filtering.push(chunk).ok()?;
            out.extend_from_slice(filtering.release().as_bytes());
        }
        let (rest, report) = filtering.finish().ok()?;
        out.extend_from_slice(rest.as_bytes());
        let counts = report.fields.iter();
        let counts: Vec<_> = counts
            .map(|(path, count)| (path, count.records, count.in_text.clone()))
            .collect();
        Some((out, report.records, counts))
    };
    let whole = run(body.len());
    assert_eq!(whole, run(size + 1), "a split changes the reply");
    let whole = whole.map(|(out, ..)| out);
    assert_eq!(copied(body, body.len().max(1)), copied(body, size + 1));
    let Some(whole) = whole else { return };
    let Ok(value) = serde_json::from_slice::<Value>(&whole) else {
        // Numbers out of range and lone surrogates are JSON all the same.
        assert!(copied(&whole, whole.len().max(1)).is_some(), "no JSON");
        return;
    };
    let records = value["records"].as_array();
    for record in records.into_iter().flatten().filter_map(Value::as_object) {
        for (key, value) in record {
            let key = key.to_ascii_lowercase();
            assert!(
                !["religion_c", "health_notes_c", "portal_password"].contains(&key.as_str()),
                "shown: {key}"
            );
            assert!(key != "nir_c" || is_nothing(value), "shown: {key}");
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// A body is decoded within its bound, or not at all.
fn decode(bytes: &[u8]) {
    const MAX: usize = 1 << 20;
    let codings = ["identity", "gzip", "deflate", "br", "zstd"];
    let (choice, body) = chosen(bytes);
    let coding = codings.get(choice % codings.len()).copied();
    let coding = Coding::named(coding).expect("a known coding");
    if let Ok(plain) = coding.decode(body, MAX) {
        assert!(plain.len() <= MAX, "larger than its bound");
        if coding != Coding::Identity {
            let more = [body, b"x"].concat();
            assert!(coding.decode(&more, MAX).is_err(), "followed by something");
        }
    }
}

/// A request in lines: method, target, content type; the rest is its body.
fn understand(bytes: &[u8]) {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut next = || std::str::from_utf8(parts.next().unwrap_or_default()).ok();
    let (Some(method), Some(target), Some(content_type)) = (next(), next(), next()) else {
        return;
    };
    let body = parts.next().unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "a")
        .header("content-type", content_type)
        .body(());
    let Ok(request) = request else { return };
    let door = Door {
        hosts: Vec::new(),
        credential_headers: SUGAR.head_form().credentials.clone(),
        front_headers: Vec::new(),
        control_headers: SUGAR.head_form().controls.clone(),
        trusted_proxies: Vec::new(),
    };
    let Ok(head) = door::enter(&request, Ipv4Addr::LOCALHOST.into(), &door) else {
        return;
    };
    let incoming = Incoming {
        method: &head.method,
        path: &head.path,
        query: head.query.as_deref(),
        accept: None,
        content_type: head.content_type.as_deref(),
        controls: &[],
        body,
    };
    match SUGAR.understand(&incoming, &BOUNDS) {
        Ok(Understood::One(exchange)) => rendered(&*exchange),
        Ok(Understood::Bulk { parts, .. }) => {
            parts.iter().flatten().for_each(|part| rendered(&**part));
        }
        Err(_) => {}
    }
}

fn read(method: &str, path: &str, query: Option<&str>, body: &[u8]) -> Option<Box<dyn Exchange>> {
    let incoming = Incoming {
        method: &method.parse().ok()?,
        path,
        query,
        accept: None,
        content_type: Some("application/json"),
        controls: &[],
        body,
    };
    match SUGAR.understand(&incoming, &BOUNDS) {
        Ok(Understood::One(exchange)) => Some(exchange),
        _ => None,
    }
}

/// What was understood is written back so that it means the same, in a target that the door lets in.
fn rendered(exchange: &dyn Exchange) {
    let operation = exchange.operation();
    let outgoing = exchange.render(operation);
    let (path, query) = match outgoing.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (outgoing.target.as_str(), None),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.".contains(&byte);
    assert!(path.bytes().all(plain), "a path that is not plain");
    assert!(path.split('/').all(|part| part != ".." && part != "."));
    let body = outgoing.body.clone().unwrap_or_default();
    let again = read(outgoing.method.as_str(), path, query, &body);
    let again = again.expect("what is sent is understood");
    assert!(
        again.operation() == operation,
        "what is sent means something else"
    );
}

/// Bytes of a connection are judged alike however they are split.
fn wire(bytes: &[u8]) {
    let (size, bytes) = chosen(bytes);
    let mut whole = Wire::default();
    let mut split = Wire::default();
    let judged = whole.push(bytes);
    let again = bytes
        .chunks(size + 1)
        .try_for_each(|chunk| split.push(chunk));
    assert_eq!(judged, again, "a split changes the judgement");
}

/// A policy is read or refused with a reason, and nobody panics.
fn policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let source = Source {
        path: "policy.yaml".to_owned(),
        text: text.to_owned(),
    };
    let (policy, found) = Policy::compile(
        &[source],
        &[sugar_rest::described().schema().clone()],
        b"a key for fuzzers",
    );
    assert_eq!(policy.is_none(), found.has_errors());
    let shown = found.render(false);
    assert!(found.is_empty() || !shown.is_empty());
}

/// Identifiers stand at character boundaries, in order, and do not overlap.
fn detect(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut end = 0;
    for span in detect::find(text, &Kind::IDENTIFIERS) {
        let range = span.range;
        assert!(range.start >= end && range.start < range.end);
        assert!(text.get(range.clone()).is_some(), "within a character");
        end = range.end;
    }
}

/// A mask is a text or nothing, and never panics.
fn mask(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    for mask in [Mask::Iban, Mask::Mail, Mask::Initials] {
        let _ = mask.apply(text);
        let _ = mask.apply_number(text);
    }
    for kind in Kind::IDENTIFIERS {
        let _ = kind.is_valid(text);
    }
    let line = audit::visible(text);
    assert!(!line.chars().any(char::is_control), "more than one line");
}

/// What the CRM says of a session is understood or not.
fn session(bytes: &[u8]) {
    let credential = Credential::argument("t").expect("a credential");
    let answer = Answered {
        status: 200,
        body: bytes.to_vec().into(),
    };
    if let Inquiry::Known(session) = SUGAR.inquire("v11", &credential, &[answer]) {
        assert!(!session.id.is_empty());
    }
    let exchange = read("GET", "/rest/v11_24/me", None, b"");
    let _ = exchange.map(|exchange| exchange.failure(400, bytes));
}

/// A folder that was tampered with is never accepted as the log that it was.
fn audit_log(bytes: &[u8]) {
    static GENUINE: LazyLock<(tempfile::TempDir, Vec<u8>)> = LazyLock::new(|| {
        let dir = tempfile::tempdir().expect("a folder");
        let log = audit::Log::open(audit::Options::new(dir.path(), &dir.path().join("state")))
            .expect("a log");
        for number in 0..6 {
            log.refused(
                Ipv4Addr::new(10, 0, number, 1).into(),
                crate::reason::Reason::NoRole,
            );
            log.enqueue(audit::Event::policy_rejected(
                Some(&number.to_string()),
                &[],
                audit::By::Watch,
            ));
        }
        log.stop().expect("a log that ends in order");
        let text = std::fs::read(dir.path().join(SEGMENT)).expect("a segment");
        (dir, text)
    });
    let (dir, genuine) = &*GENUINE;
    let mut text = genuine.clone();
    // Three bytes a change: where (two), and what; a zero cuts the text off there.
    for change in bytes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % text.len().max(1);
        match change[2] {
            0 => text.truncate(at),
            byte => text
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|old| *old ^= byte),
        }
    }
    if std::fs::write(dir.path().join(SEGMENT), &text).is_err() {
        return;
    }
    let verified = audit::verify(dir.path(), &mut |_| {});
    // Nobody but who keeps the last hash can tell that events at the very end are missing, or that the last one was
    // changed: no other event is bound to it yet. What follows the last line feed is no event at all.
    let before = |end: usize| {
        let feed = text.iter().take(end).rposition(|byte| *byte == b'\n');
        feed.unwrap_or_default()
    };
    let bound = text.get(..before(before(text.len()))).unwrap_or_default();
    let is_genuine = genuine.starts_with(bound);
    assert!(verified.is_err() || is_genuine, "accepted");
}

const SEGMENT: &str = "audit-0000000000000001.jsonl";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::TARGETS;

    #[test]
    fn every_target_runs_on_its_seeds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let manifest = read("Cargo.toml");
        for (name, target) in TARGETS {
            // Nothing but a nightly compiler builds these: they say the same, each with its name.
            let file = format!("targets/{name}.rs");
            let run = format!("|bytes: &[u8]| paravent::fuzzing::run(\"{name}\", bytes)");
            let text = format!("#![no_main]\n\nlibfuzzer_sys::fuzz_target!({run});\n");
            assert_eq!(read(&file), text, "fuzz/{file}");
            let program = format!("[[bin]]\nname = \"{name}\"\npath = \"{file}\"\n");
            assert!(manifest.contains(&program), "fuzz/Cargo.toml: {name}");
            let seeds = std::fs::read_dir(folder.join("seeds").join(name)).unwrap();
            let mut count = 0;
            for seed in seeds.flatten() {
                target(&std::fs::read(seed.path()).unwrap());
                count += 1;
            }
            assert!(count >= 3, "{name} has {count} seeds");
            target(b"");
        }
    }
}
