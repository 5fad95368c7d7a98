//! A proxy whose listeners are reached in any way, with issuers, keys, authorities and a front that are all made here.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use paravent::config::{Config, Listener, Way};
use paravent::identity::{Authorities, Ways};
use paravent::policy::Source;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use crate::harness::binary::{run, secret};
use crate::harness::canary::Canaries;
use crate::harness::client::{self, Request, Response};
use crate::harness::scripted::Scripted;
use crate::harness::world::{Reached, Wish, World};

use super::tap::Tap;

pub const ISSUER: &str = "https://login.example.com/realms/crm";
pub const PARTNER: &str = "https://partner.example.net";
pub const PASSWORD: &str = "a-service-password-that-nobody-sees";
pub const FRONT_SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// What is before the proxies of a test.
pub enum Behind {
    Demo(Tap),
    Scripted(Scripted),
}

impl Behind {
    fn address(&self) -> SocketAddr {
        match self {
            Self::Demo(tap) => tap.address,
            Self::Scripted(crm) => crm.address,
        }
    }

    /// Every byte that the CRM was sent.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Demo(tap) => tap.bytes(),
            Self::Scripted(crm) => crm.bytes(),
        }
    }
}

/// What a test begins with.
pub struct Plan<'a> {
    pub dialect: &'a str,
    /// How the proxy's own account is configured.
    pub service: &'a str,
    /// The rest of each listener: its ways, perhaps TLS.
    pub listeners: &'a [&'a str],
    pub sources: Vec<Source>,
    pub wish: Wish,
}

impl Plan<'_> {
    /// Before the demo's CRM.
    pub fn demo<'a>(listeners: &'a [&'a str]) -> Plan<'a> {
        Plan {
            dialect: "sugar-rest",
            service: "{ user: admin, password: { file: demo.pw } }",
            listeners,
            sources: super::policy::sugar(),
            wish: Wish::default(),
        }
    }
}

pub struct Rig {
    pub world: World,
    pub behind: Behind,
    pub folder: tempfile::TempDir,
    company: Ed25519KeyPair,
    partner: Ed25519KeyPair,
    /// What never reaches the CRM.
    callers: Mutex<Canaries>,
    keys: Mutex<BTreeMap<String, String>>,
}

impl Rig {
    pub fn demo(listeners: &[&str]) -> Self {
        Self::new(Behind::Demo(Tap::start()), Plan::demo(listeners))
    }

    pub fn new(behind: Behind, plan: Plan<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [company, partner] = [(); 2].map(|()| Ed25519KeyPair::generate().unwrap());
        let config = configured(folder.path(), behind.address(), &plan, [&company, &partner]);
        let authorities = Authorities::new(&config).unwrap();
        let service = &config.upstreams["crm"].service;
        let reached = config.listeners.iter().map(|listener| {
            let ways = authorities.ways(listener).unwrap();
            Reached {
                tls: tls(listener, &ways),
                service: service.clone(),
                ways,
            }
        });
        let wish = Wish {
            reached: reached.collect(),
            sources: plan.sources,
            dialects: config.upstreams["crm"].dialects.clone(),
            ..plan.wish
        };
        let rig = Self {
            world: World::scripted(behind.address(), wish),
            behind,
            folder,
            company,
            partner,
            callers: Mutex::default(),
            keys: Mutex::default(),
        };
        rig.world.forbid("the password of the account", PASSWORD);
        rig.forbid("the secret of the front", FRONT_SECRET);
        rig
    }

    /// A secret of a caller: seen by nobody, sent to no CRM.
    pub fn forbid(&self, name: &str, value: &str) {
        self.world.forbid(name, value);
        self.callers.lock().unwrap().add(name, value);
    }

    /// A good token for somebody with these roles, with claims changed; what is null is taken out.
    pub fn token(&self, roles: &[&str], changes: Value) -> String {
        let claims = changed(claims(ISSUER, roles), changes);
        self.signed("company", &self.company, &claims)
    }

    /// The same of the other issuer.
    pub fn partners(&self, roles: &[&str], changes: Value) -> String {
        let claims = changed(claims(PARTNER, roles), changes);
        self.signed("partner", &self.partner, &claims)
    }

    /// A token of the first issuer that somebody else has signed.
    pub fn forged(&self, roles: &[&str]) -> String {
        let pair = Ed25519KeyPair::generate().unwrap();
        self.signed("company", &pair, &claims(ISSUER, roles))
    }

    fn signed(&self, kid: &str, pair: &Ed25519KeyPair, claims: &Value) -> String {
        let header = json!({"alg": "EdDSA", "kid": kid, "typ": "at+jwt"});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()));
        self.forbid("a token's signature", &signature);
        let token = format!("{signed}.{signature}");
        self.forbid("a token", &token);
        token
    }

    fn config(&self) -> String {
        self.folder
            .path()
            .join("paravent.yaml")
            .display()
            .to_string()
    }

    /// An API key of this name, made by the command; it takes effect within a second.
    pub fn key(&self, name: &str, from: &str) -> String {
        let config = self.config();
        let made = run(&[
            "key",
            "create",
            "--name",
            name,
            "--expires",
            "1d",
            "--from",
            from,
            "--config",
            &config,
        ]);
        let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        assert!(
            key.starts_with("pvk_"),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        self.forbid("a key", &key);
        self.forbid("the secret of a key", key.rsplit('_').next().unwrap());
        self.keys
            .lock()
            .unwrap()
            .insert(name.to_owned(), key.clone());
        std::thread::sleep(TAKES_EFFECT);
        key
    }

    pub fn revoke(&self, name: &str) {
        let revoked = run(&["key", "revoke", name, "--config", &self.config()]);
        assert!(
            revoked.status.success(),
            "{}",
            String::from_utf8_lossy(&revoked.stderr)
        );
        std::thread::sleep(TAKES_EFFECT);
    }

    /// Sends a request to a listener, by its number.
    pub fn send(
        &self,
        listener: usize,
        line: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Response {
        let address = self.world.proxies[listener];
        self.world
            .send_raw(address, &bytes(address, line, headers, body))
    }

    pub fn get(&self, listener: usize, target: &str, headers: &[(&str, &str)]) -> Response {
        self.send(listener, &format!("GET {target}"), headers, None)
    }

    /// The same from another address of this machine.
    pub fn get_from(
        &self,
        source: &str,
        listener: usize,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Response {
        let address = self.world.proxies[listener];
        let source: IpAddr = source.parse().unwrap();
        let request = bytes(address, &format!("GET {target}"), headers, None);
        let response = client::raw_from(source, address, &request);
        self.world.look_at(&response);
        response
    }

    /// The request lines that the CRM has been sent.
    pub fn lines(&self) -> Vec<String> {
        let heard = self.behind.bytes();
        let text = String::from_utf8_lossy(&heard).into_owned();
        let lines = text
            .split("\r\n")
            .filter_map(|line| line.strip_suffix(" HTTP/1.1"));
        // A body may end before the next line begins.
        let line = |line: &str| {
            let methods = ["GET /", "POST /", "PUT /", "PATCH /", "DELETE /"];
            let at = methods.iter().filter_map(|method| line.rfind(method)).max();
            line[at.unwrap_or(0)..].to_owned()
        };
        lines.map(line).collect()
    }

    /// What comes of this, and the request lines that the CRM was sent meanwhile.
    pub fn hearing<T>(&self, what: impl FnOnce() -> T) -> (T, Vec<String>) {
        let before = self.lines().len();
        let came = what();
        (came, self.lines().split_off(before))
    }

    /// The last event of a reply.
    pub fn event(&self, reply: &Response) -> Value {
        self.world.decision(reply).pop().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Watches for the sessions that the CRM was called with.
    pub fn watch_for_sessions(&self) {
        let heard = String::from_utf8_lossy(&self.behind.bytes()).into_owned();
        for line in heard.split("\r\n") {
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("oauth-token")
            {
                self.world.forbid("a session of the account", value);
            }
        }
    }
}

impl Drop for Rig {
    /// No proof of a caller has reached the CRM.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let callers = self.callers.lock().unwrap();
            assert_eq!(
                callers.found_in(&self.behind.bytes()),
                None,
                "reached the CRM"
            );
        }
    }
}

pub fn bytes(
    address: SocketAddr,
    line: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Vec<u8> {
    let (method, target) = line.split_once(' ').unwrap();
    let mut headers: Vec<(&str, String)> = headers
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let (kind, body) = match body {
        Some(Value::String(form)) => ("application/x-www-form-urlencoded", Some(form.clone())),
        Some(body) => ("application/json", Some(body.to_string())),
        None => ("", None),
    };
    if body.is_some() && headers.iter().all(|(name, _)| *name != "Content-Type") {
        headers.push(("Content-Type", kind.to_owned()));
    }
    let request = Request {
        method,
        target,
        headers,
        body: body.map(String::into_bytes),
    };
    request.bytes(&address.to_string())
}

pub fn now() -> i64 {
    Timestamp::now().as_second()
}

fn claims(issuer: &str, roles: &[&str]) -> Value {
    json!({
        "iss": issuer, "aud": "paravent", "sub": "u-4711", "iat": now() - 5, "exp": now() + 600, "roles": roles,
    })
}

fn changed(mut claims: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else {
        return claims;
    };
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes {
        members.insert(name, value);
    }
    members.retain(|_, value| !value.is_null());
    claims
}

fn jwks(kid: &str, pair: &Ed25519KeyPair) -> String {
    let x = URL_SAFE_NO_PAD.encode(pair.public_key());
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x}]}).to_string()
}

fn configured(
    folder: &Path,
    crm: SocketAddr,
    plan: &Plan<'_>,
    [company, partner]: [&Ed25519KeyPair; 2],
) -> Config {
    let write = |name: &str, text: &str| secret(&folder.join(name), text.as_bytes());
    write("token.key", "0123456789abcdef0123456789abcdef");
    write("api.key", "fedcba9876543210fedcba9876543210");
    write("svc.pw", PASSWORD);
    write("demo.pw", "demo");
    write("front.secret", FRONT_SECRET);
    write("company.json", &jwks("company", company));
    write("partner.json", &jwks("partner", partner));
    super::certificates::write(folder);
    std::fs::create_dir(folder.join("policies")).unwrap();
    let listeners: String = plan
        .listeners
        .iter()
        .enumerate()
        .map(|(number, rest)| {
            format!("  - {{ name: l{number}, bind: \"127.0.0.1:0\", upstream: crm, {rest} }}\n")
        })
        .collect();
    let (dialect, service) = (plan.dialect, plan.service);
    let text = format!(
        r#"
listeners:
{listeners}
upstreams:
  crm: {{ url: "http://{crm}", dialects: [{dialect}], service: {service} }}
identity:
  tokens:
    - name: company
      issuer: {ISSUER}
      audience: paravent
      keys: {{ file: company.json }}
      claims: {{ id: $.sub, name: $.preferred_username, roles: "$.roles[*]", purpose: $.purpose }}
      strengthens: {{ crm_user: $.crm_login }}
    - name: partner
      issuer: {PARTNER}
      audience: paravent
      keys: {{ file: partner.json }}
      claims: {{ id: $.sub, roles: "$.roles[*]" }}
  keys: {{ file: keys.json }}
  front: {{ peers: [127.0.0.1], secret: {{ header: X-Front-Secret, file: front.secret }}, headers: {{ id: X-Auth-Request-User, roles: X-Auth-Request-Groups }} }}
policies: policies/
keys: {{ token: {{ file: token.key }}, api: {{ file: api.key }} }}
audit: {{ dir: audit }}
"#
    );
    let path = folder.join("paravent.yaml");
    std::fs::write(&path, text).unwrap();
    let (config, found) = Config::load(&path);
    config.unwrap_or_else(|| panic!("{}", found.render(false)))
}

fn tls(listener: &Listener, ways: &Ways) -> Option<Arc<rustls::ServerConfig>> {
    let files = listener.tls.as_ref()?;
    let certificates = CertificateDer::pem_file_iter(&files.certificate.value).unwrap();
    let certificates = certificates.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(&files.key.value).unwrap();
    let clients = ways.certificates.as_ref();
    let clients = clients.map(|clients| clients.verifier(ways.are_only(Way::Certificate)));
    Some(Arc::new(
        paravent::server::tls(certificates, key, clients).unwrap(),
    ))
}

/// Within so long a proxy takes up what a file says.
pub const TAKES_EFFECT: std::time::Duration = std::time::Duration::from_millis(1_100);
