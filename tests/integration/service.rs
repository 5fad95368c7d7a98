//! The proxy's own account in a CRM: logs in once for everybody, renews what has ended, and hammers nobody.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use paravent::config::Config;
use paravent::identity::{Held, Service};
use paravent::reason::Reason;
use paravent::transport::{Destination, Transport};
use serde_json::{Value, json};

use super::harness::binary::secret;
use super::harness::ports;
use super::harness::scripted::{self, Received, Scripted};

const PASSWORD: &str = "a password that nobody sees";

/// A folder with a configuration whose upstream has this account.
fn configured(url: &str, dialects: &str, service: &str) -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| secret(&folder.path().join(name), text.as_bytes());
    write("token.key", "0123456789abcdef0123456789abcdef");
    write("svc.pw", &format!("{PASSWORD}\n"));
    std::fs::create_dir(folder.path().join("policies")).unwrap();
    let espo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/espocrm/espocrm.yaml");
    let text = format!(
        "listeners: [{{ name: crm, bind: \"127.0.0.1:0\", upstream: crm }}]\nupstreams:\n  crm: {{ url: \"{url}\", \
         dialects: [{dialects}], timeouts: {{ connect: 1s, first_byte: 2s, total: 3s }}, service: {service} }}\n\
         policies: policies/\nkeys: {{ token: {{ file: token.key }} }}\naudit: {{ dir: audit }}\n"
    );
    let text = text.replace("ESPO", &format!("{{ description: {} }}", espo.display()));
    let path = folder.path().join("paravent.yaml");
    std::fs::write(&path, text).unwrap();
    let (config, found) = Config::load(&path);
    let config = config.unwrap_or_else(|| panic!("{}", found.render(false)));
    assert!(!format!("{config:?}").contains(PASSWORD));
    (folder, config)
}

fn service(url: &str, dialects: &str, account: &str) -> Service {
    let (_folder, config) = configured(url, dialects, account);
    let upstream = &config.upstreams["crm"];
    let transport = Transport::new(Destination::from(upstream)).unwrap();
    let dialect = upstream.dialects[0].clone();
    Service::new(transport, dialect, upstream.service.clone().unwrap())
}

const SUGAR: &str = "{ user: paravent, password: { file: svc.pw } }";

fn of_sugar(crm: &Scripted) -> Service {
    service(&format!("http://{}", crm.address), "sugar-rest", SUGAR)
}

/// Sugar, whose tokens are numbered; `grants` counts what was granted.
fn sugar(grants: Arc<AtomicUsize>) -> impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static {
    move |request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let good = asked["password"] == PASSWORD || asked["refresh_token"] == "renew";
        assert!(good, "{asked}");
        let number = grants.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(50));
        let tokens = json!({"access_token": format!("token-{number}"), "expires_in": 3600, "refresh_token": "renew"});
        scripted::json(200, tokens.to_string().as_bytes())
    }
}

fn grant(request: &Received) -> String {
    let asked: Value = serde_json::from_slice(&request.body).unwrap();
    asked["grant_type"].as_str().unwrap().to_owned()
}

async fn at_once<F>(count: usize, ask: impl Fn() -> F) -> Vec<Result<Held, Reason>>
where
    F: Future<Output = Result<Held, Reason>> + Send + 'static,
{
    let asked: Vec<_> = (0..count).map(|_| tokio::spawn(ask())).collect();
    let mut all = Vec::new();
    for one in asked {
        all.push(one.await.unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_requests_log_in_once_and_renew_once() {
    let grants = Arc::new(AtomicUsize::new(0));
    let crm = Scripted::start(sugar(grants.clone()));
    let service = of_sugar(&crm);
    let asking = || {
        let service = service.clone();
        async move { service.credential("v11_24").await }
    };
    let first = at_once(50, asking).await;
    assert!(first.iter().all(Result::is_ok), "{first:?}");
    let received = crm.take_all();
    assert_eq!(received.len(), 1);
    assert!(
        received[0]
            .line
            .starts_with("POST /rest/v11_24/oauth2/token ")
    );
    assert_eq!(grant(&received[0]), "password");
    let origin = received[0].header("x-forwarded-for").unwrap();
    assert_eq!(origin, Service::ORIGIN.to_string());
    // All of them are answered with 401.
    let stale = first[0].clone().unwrap();
    let renewing = || {
        let (service, stale) = (service.clone(), stale.clone());
        async move { service.renew(&stale, "v11_24").await }
    };
    let second = at_once(50, renewing).await;
    let carriers: Vec<_> = second
        .iter()
        .map(|held| held.as_ref().unwrap().credential())
        .collect();
    assert!(
        carriers
            .iter()
            .all(|one| *one == carriers[0] && *one != stale.credential())
    );
    let received = crm.take_all();
    assert_eq!(
        received.iter().map(grant).collect::<Vec<_>>(),
        ["refresh_token"]
    );
    let late = service.renew(&stale, "v11_24").await.unwrap();
    assert_eq!(
        late.credential(),
        carriers[0],
        "who comes late gets what is there"
    );
    assert_eq!(grants.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_refused_is_not_tried_again_at_once() {
    let crm =
        Scripted::start(|_| scripted::json(401, br#"{"error":"need_login","error_message":"no"}"#));
    let service = of_sugar(&crm);
    let asking = || {
        let service = service.clone();
        async move { service.credential("v11").await }
    };
    for result in at_once(50, asking).await {
        assert_eq!(result.unwrap_err(), Reason::ServiceCredentialRefused);
    }
    assert_eq!(
        service.credential("v10").await.unwrap_err(),
        Reason::ServiceCredentialRefused
    );
    assert_eq!(crm.take_all().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_changed_is_tried_once_after_the_token_has_ended() {
    let is_changed = Arc::new(AtomicBool::new(false));
    let (changed, grants) = (is_changed.clone(), Arc::new(AtomicUsize::new(0)));
    let good = sugar(grants);
    let crm = Scripted::start(move |request| match changed.load(Ordering::SeqCst) {
        true => scripted::json(400, br#"{"error":"invalid_grant"}"#),
        false => good(request),
    });
    let service = of_sugar(&crm);
    let held = service.credential("v11").await.unwrap();
    is_changed.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        let renewed = service.renew(&held, "v11").await;
        assert_eq!(renewed.unwrap_err(), Reason::ServiceCredentialRefused);
        let asked = service.credential("v11").await;
        assert_eq!(
            asked.unwrap_err(),
            Reason::ServiceCredentialRefused,
            "what has ended is not used again"
        );
    }
    let grants: Vec<_> = crm.take_all().iter().map(grant).collect();
    assert_eq!(grants, ["password", "refresh_token", "password"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_crm_gives_and_never_takes_is_not_asked_for_without_end() {
    let crm = Scripted::start(sugar(Arc::default()));
    let service = of_sugar(&crm);
    let mut last = service.credential("v11").await.unwrap();
    let mut renewed = 0;
    let refused = loop {
        match service.renew(&last, "v11").await {
            Ok(held) => last = held,
            Err(reason) => break reason,
        }
        renewed += 1;
        assert!(renewed < 10);
    };
    assert_eq!(refused, Reason::ServiceCredentialRefused);
    assert_eq!(crm.take_all().len(), renewed + 1);
    assert!(service.renew(&last, "v11").await.is_err());
    assert!(crm.take_all().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_that_is_down_is_told_to_all_and_soon_asked_again() {
    let address = ports::free();
    let service = service(&format!("http://{address}"), "sugar-rest", SUGAR);
    let asking = || {
        let service = service.clone();
        async move { service.credential("v11").await }
    };
    let start = Instant::now();
    for result in at_once(50, asking).await {
        assert_eq!(result.unwrap_err(), Reason::UpstreamUnreachable);
    }
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "nobody waits for fifty attempts"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_does_not_take_the_login_with_them() {
    let crm = Scripted::start(sugar(Arc::default()));
    let service = of_sugar(&crm);
    for _ in 0..5 {
        let asked = service.credential("v11");
        let _ = tokio::time::timeout(Duration::from_millis(5), asked).await;
    }
    service.credential("v11").await.unwrap();
    assert_eq!(crm.take_all().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_the_legacy_api_is_opened_anew() {
    let opened = AtomicUsize::new(0);
    let crm = Scripted::start(move |request| {
        assert!(request.line.starts_with("POST /service/v4_1/rest.php "));
        let number = opened.fetch_add(1, Ordering::SeqCst);
        let session = json!({"id": format!("session{number}"), "module_name": "Users", "name_value_list": {}});
        scripted::json(200, session.to_string().as_bytes())
    });
    let url = format!("http://{}", crm.address);
    let service = service(&url, "sugar-v4", SUGAR);
    let held = service.credential("v4_1").await.unwrap();
    let again = service.renew(&held, "v4_1").await.unwrap();
    assert_ne!(held.credential(), again.credential());
    let body = |number: usize| String::from_utf8(crm.take_all()[number].body.clone()).unwrap();
    assert!(body(1).starts_with("method=login&"));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_too_large_late_or_no_json_are_none() {
    let large = Scripted::start(|_| scripted::json(200, &vec![b' '; 5 << 20]));
    let html = Scripted::start(|_| {
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}".to_vec()
    });
    let late = Scripted::start(|_| {
        std::thread::sleep(Duration::from_secs(4));
        scripted::json(200, b"{}")
    });
    for (crm, reason) in [
        (&large, Reason::ReplyTooLarge),
        (&html, Reason::UpstreamBroken),
        (&late, Reason::UpstreamSlow),
    ] {
        let service = of_sugar(crm);
        assert_eq!(service.credential("v11").await.unwrap_err(), reason);
        assert_eq!(service.credential("v11").await.unwrap_err(), reason);
        assert_eq!(crm.take_all().len(), 1, "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_used_as_it_is_and_never_twice_refused_in_silence() {
    let crm = Scripted::start(|_| panic!("nobody is asked"));
    let url = format!("http://{}", crm.address);
    let (folder, _) = configured(&url, "ESPO", KEY);
    drop(folder);
    for account in [
        KEY,
        "{ bearer: { env: CARGO_PKG_NAME } }",
        "{ basic: { user: paravent, password: { file: svc.pw } } }",
    ] {
        let service = service(&url, "ESPO", account);
        let held = service.credential("api").await.unwrap();
        let renewed = service.renew(&held, "api").await;
        assert_eq!(renewed.unwrap_err(), Reason::ServiceCredentialRefused);
        assert_eq!(
            service.credential("api").await.unwrap().credential(),
            held.credential()
        );
    }
}

const KEY: &str = "{ header: X-Api-Key, secret: { env: CARGO_PKG_VERSION } }";
