//! Requests in the dialects of other CRMs: whatever is understood is written back so that it means the same.

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use http::Request;

use super::BOUNDS;
use crate::dialect::engine::Described;
use crate::dialect::sugar_v4::SugarV4;
use crate::dialect::suitecrm_v8;
use crate::dialect::{Database, Dialect, Exchange, Incoming, Outgoing, Understood};
use crate::door::{self, Door};

/// The legacy API.
pub(super) fn sugar_v4(bytes: &[u8]) {
    static DIALECT: LazyLock<SugarV4> = LazyLock::new(|| SugarV4::before(Database::Mysql));
    understand(&*DIALECT, bytes);
}

/// SuiteCRM's JSON:API.
pub(super) fn suitecrm_v8(bytes: &[u8]) {
    static DIALECT: LazyLock<Described> = LazyLock::new(suitecrm_v8::described);
    understand(&*DIALECT, bytes);
}

/// Two APIs by description: the first byte chooses.
pub(super) fn described(bytes: &[u8]) {
    static DIALECTS: LazyLock<[Described; 2]> = LazyLock::new(|| {
        [
            include_str!("../../examples/dolibarr/dolibarr.yaml"),
            include_str!("../../examples/espocrm/espocrm.yaml"),
        ]
        .map(|text| {
            Described::read("description.yaml", text)
                .0
                .expect("an example")
        })
    });
    let (choice, bytes) = super::chosen(bytes);
    let [one, other] = &*DIALECTS;
    understand(if choice % 2 == 0 { one } else { other }, bytes);
}

/// A description is read or refused with a reason, and nobody panics.
pub(super) fn description(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (described, found) = Described::read("description.yaml", text);
    assert_eq!(described.is_none(), found.has_errors());
    let shown = found.render(false);
    assert!(found.is_empty() || !shown.is_empty());
}

/// A request in lines: method, target, content type; the rest is its body.
fn understand(dialect: &dyn Dialect, bytes: &[u8]) {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut next = || std::str::from_utf8(parts.next().unwrap_or_default()).ok();
    let (Some(method), Some(target), Some(content_type)) = (next(), next(), next()) else {
        return;
    };
    let body = parts.next().unwrap_or_default();
    match read(dialect, method, target, content_type, body) {
        Some(Understood::One(exchange)) => rendered(dialect, &*exchange),
        Some(Understood::Bulk { parts, .. }) => {
            parts
                .iter()
                .flatten()
                .for_each(|part| rendered(dialect, &**part));
        }
        None => {}
    }
}

fn read(
    dialect: &dyn Dialect,
    method: &str,
    target: &str,
    content_type: &str,
    body: &[u8],
) -> Option<Understood> {
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "a")
        .header("content-type", content_type)
        .body(())
        .ok()?;
    let door = Door {
        hosts: Vec::new(),
        credential_headers: dialect.head_form().credentials.clone(),
        front_headers: Vec::new(),
        control_headers: dialect.head_form().controls.clone(),
        trusted_proxies: Vec::new(),
    };
    let head = door::enter(&request, Ipv4Addr::LOCALHOST.into(), &door).ok()?;
    let incoming = Incoming {
        method: &head.method,
        path: &head.path,
        query: head.query.as_deref(),
        accept: None,
        content_type: head.content_type.as_deref(),
        controls: &[],
        body,
    };
    let understood = dialect.understand(&incoming, &BOUNDS).ok()?;
    let argument = match &understood {
        Understood::One(exchange) => &exchange.operation().credential,
        Understood::Bulk { credential, .. } => credential,
    };
    // A credential among the arguments came from somewhere.
    assert!(
        argument.is_none() || !body.is_empty() || dialect.has_secrets_in_query(&incoming),
        "a credential in the query string that nobody speaks of"
    );
    Some(understood)
}

/// What is sent is understood again, as the same uses of the same fields of the same modules, and sent in the same form.
fn rendered(dialect: &dyn Dialect, exchange: &dyn Exchange) {
    let operation = exchange.operation();
    let outgoing = exchange.render(operation);
    let exchange = understood_again(dialect, &outgoing).expect("what is sent is understood");
    let again = exchange.operation();
    assert!(again.action == operation.action, "another action");
    assert!(again.modules() == operation.modules(), "other modules");
    assert!(again.uses() == operation.uses(), "other uses of fields");
    assert!(again.record == operation.record, "another record");
    assert!(exchange.render(again) == outgoing, "another form");
}

fn understood_again(dialect: &dyn Dialect, outgoing: &Outgoing) -> Option<Box<dyn Exchange>> {
    let body = outgoing.body.clone().unwrap_or_default();
    let content_type = outgoing.media.content_type();
    let method = outgoing.method.as_str();
    match read(dialect, method, &outgoing.target, content_type, &body)? {
        Understood::One(exchange) => Some(exchange),
        // A part that is sent alone is an envelope of one.
        Understood::Bulk { mut parts, .. } => match parts.len() {
            1 => parts.pop()?.ok(),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn seeds(name: &str) -> Vec<(String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        let entries = std::fs::read_dir(folder.join(name)).unwrap().flatten();
        entries
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, std::fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    fn is_understood(dialect: &dyn Dialect, bytes: &[u8]) -> bool {
        let text = std::str::from_utf8(bytes).unwrap();
        let mut parts = text.splitn(4, '\n');
        let mut next = || parts.next().unwrap_or_default();
        let (method, target, content_type) = (next(), next(), next());
        read(dialect, method, target, content_type, next().as_bytes()).is_some()
    }

    #[test]
    fn seeds_are_requests_that_are_understood() {
        for (name, bytes) in seeds("sugar_v4") {
            assert!(
                is_understood(&SugarV4::before(Database::Mysql), &bytes),
                "{name}"
            );
        }
        for (name, bytes) in seeds("suitecrm_v8") {
            assert!(is_understood(&suitecrm_v8::described(), &bytes), "{name}");
        }
        for (name, bytes) in seeds("described") {
            let text = match bytes[0] {
                0 => include_str!("../../examples/dolibarr/dolibarr.yaml"),
                _ => include_str!("../../examples/espocrm/espocrm.yaml"),
            };
            let described = Described::read("description.yaml", text).0.unwrap();
            assert!(is_understood(&described, &bytes[1..]), "{name}");
        }
    }
}
