//! Plans as the proxy makes them: a policy is compiled, and a CRM on loopback says whose session it is.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use paravent::dialect::{Bounds, Dialect, Incoming, Shape, Understood};
use paravent::dialect::{engine::Described, sugar_rest};
use paravent::door::Door;
use paravent::identity::{Caller, Guesses, Sessions};
use paravent::policy::{Decision, Plan, Policy, Source};
use paravent::transport::{Destination, Transport};

use crate::payload;

/// How a list may be shown, and where its records lie.
pub(crate) type Terms = (Plan, Shape);

/// What a policy makes of the fields of a contact.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Treatment {
    /// Everything is shown.
    Nothing,
    /// The fields of `payload::treated` are masked or redacted, the rest is shown.
    Some,
    /// Every field is masked, as if all of them were names.
    Everything,
}

/// The shape of a list of contacts, and the terms on which a caller is shown it. `classified` is how many fields the
/// policy names; `detectors` whether identifiers are looked for in descriptions.
pub(crate) fn list(treatment: Treatment, classified: usize, detectors: bool) -> Terms {
    let dialect = Arc::new(sugar_rest::described());
    let source = Source {
        path: "bench.yaml".to_owned(),
        text: policy(treatment, classified, detectors),
    };
    let (policy, found) = Policy::compile(
        &[source],
        &[dialect.schema().clone()],
        b"a key of the benchmarks",
    );
    let policy = policy.unwrap_or_else(|| panic!("{}", found.render(false)));
    let bounds = Bounds {
        page_max: 100_000,
        bulk_parts_max: 1,
        depth_max: 128,
    };
    let incoming = Incoming {
        method: &http::Method::GET,
        path: "/rest/v11_24/Contacts",
        query: None,
        accept: None,
        content_type: None,
        controls: &[],
        body: &bytes::Bytes::new(),
    };
    let Ok(Understood::One(exchange)) = dialect.understand(&incoming, &bounds) else {
        panic!("a list of contacts is not understood");
    };
    match policy.decide(&caller(dialect.clone()), None, exchange.operation()) {
        Decision::Permit(plan) => (plan, exchange.answer().shape),
        Decision::Deny(denial) => panic!("denied: {:?}", denial.reason),
    }
}

fn policy(treatment: Treatment, classified: usize, detectors: bool) -> String {
    let mut text = String::from(
        "policy: bench\nroles:\n  bench: { from: { crm.role: Sales }, default_purpose: work }\n\
         purposes:\n  work: { legal_basis: contract, roles: [bench] }\n",
    );
    if detectors {
        text.push_str("detectors:\n  - { name: text, in: [free_text], find: [iban, card, nir] }\n");
    }
    let others = if treatment == Treatment::Everything {
        "identity.name"
    } else {
        "work.position"
    };
    write!(text, "classify:\n  Users: {{}}\n  Accounts: {{}}\n  Campaigns: {{}}\n  \"*\":\n    \"*\": {others}\n  Contacts:\n").unwrap();
    if treatment == Treatment::Some {
        text.push_str(
            "    phone_home: contact.phone\n    phone_mobile: contact.phone\n    phone_work: contact.phone\n    \
             phone_other: contact.phone\n    birthdate: identity.birth_date\n    iban_c: financial.iban\n    \
             bic_c: financial.bic\n    nir_c: identity.national_id\n",
        );
    }
    if treatment != Treatment::Everything {
        text.push_str("    description: { category: free_text, instead_of: work.position, reviewed: { by: bench, on: 2026-01-01, why: text } }\n");
    }
    for index in payload::treated(0).len()..classified {
        writeln!(text, "    field_{index}_c: technical.id").unwrap();
    }
    text.push_str("grants:\n  - { name: clear, roles: bench, data: [technical, work, free_text], level: clear }\n");
    text.push_str(
        "  - { name: masks, roles: bench, data: [identity.name, identity.birth_date, contact, financial], level: mask }\n",
    );
    text
}

/// A caller, who cannot be made but by asking a CRM.
fn caller(dialect: Arc<Described>) -> Caller {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let authority = listener.local_addr().unwrap().to_string().parse().unwrap();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let _ = socket.read(&mut head).unwrap();
        let body = payload::me();
        let length = body.len();
        write!(socket, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    });
    let second = Duration::from_secs(1);
    let destination = Destination {
        scheme: Scheme::HTTP,
        authority,
        prefix: String::new(),
        roots: None,
        connect_timeout: second,
        first_byte_timeout: second,
        total_timeout: second,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let origin = Ipv4Addr::LOCALHOST.into();
        let transport = Transport::new(destination).unwrap();
        let sessions = Sessions::new(
            transport,
            dialect,
            Arc::new(Guesses::per_minute(NonZeroU32::MIN).unwrap()),
        )
        .unwrap();
        let request = http::Request::get("/rest/v11_24/Contacts")
            .header("host", "bench")
            .header("oauth-token", "token")
            .body(())
            .unwrap();
        let door = Door {
            hosts: Vec::new(),
            credential_headers: sugar_rest::described().head_form().credentials.clone(),
            front_headers: Vec::new(),
            control_headers: sugar_rest::described().head_form().controls.clone(),
            trusted_proxies: Vec::new(),
        };
        let head = paravent::door::enter(&request, origin, &door).unwrap();
        sessions
            .identify(&head.credential.unwrap().unwrap(), "v11_24", origin)
            .await
            .unwrap()
    })
}
