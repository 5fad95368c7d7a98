//! Keys, tokens, clocks and an issuer on this machine.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::config::{Algorithm, ClaimPath, ClaimPaths, Issuer, KeySource};
use crate::diagnostic::{File, Place};
use crate::identity::token::{Clock, Refused, Tokens};
use crate::reason::Reason;

/// The time of the tests, in seconds.
pub(super) const NOW: i64 = 1_800_000_000;
pub(super) const ISSUER: &str = "https://login.example/realms/crm";

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A private key of an issuer.
pub(super) enum Secret {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static str),
}

pub(super) struct Signer {
    pub(super) kid: String,
    pub(super) secret: Secret,
}

impl Signer {
    pub(super) fn p256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self::of(kid, Secret::P256(pair))
    }

    pub(super) fn p384(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        Self::of(kid, Secret::P384(pair))
    }

    pub(super) fn edwards(kid: &str) -> Self {
        Self::of(kid, Secret::Ed(Ed25519KeyPair::generate().unwrap()))
    }

    pub(super) fn rsa(kid: &str, algorithm: &'static str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        Self::of(kid, Secret::Rsa(pair, algorithm))
    }

    fn of(kid: &str, secret: Secret) -> Self {
        Self {
            kid: kid.to_owned(),
            secret,
        }
    }

    pub(super) fn algorithm(&self) -> &'static str {
        match &self.secret {
            Secret::P256(_) => "ES256",
            Secret::P384(_) => "ES384",
            Secret::Ed(_) => "EdDSA",
            Secret::Rsa(_, algorithm) => algorithm,
        }
    }

    pub(super) fn jwk(&self) -> Value {
        let point = |pair: &EcdsaKeyPair, curve: &str| {
            let point = pair.public_key().as_ref();
            let (x, y) = point[1..].split_at((point.len() - 1) / 2);
            json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y), "kid": self.kid, "use": "sig"})
        };
        match &self.secret {
            Secret::P256(pair) => point(pair, "P-256"),
            Secret::P384(pair) => point(pair, "P-384"),
            Secret::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key()), "kid": self.kid})
            }
            Secret::Rsa(pair, _) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({"kty": "RSA", "n": encode(public.n), "e": encode(public.e), "kid": self.kid, "alg": self.algorithm()})
            }
        }
    }

    pub(super) fn sign(&self, signed: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.secret {
            Secret::P256(pair) | Secret::P384(pair) => {
                pair.sign(&random, signed).unwrap().as_ref().to_vec()
            }
            Secret::Ed(pair) => pair.sign(signed).as_ref().to_vec(),
            Secret::Rsa(pair, algorithm) => {
                let encoding: &'static dyn RsaEncoding = match *algorithm {
                    "RS256" => &signature::RSA_PKCS1_SHA256,
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    _ => &signature::RSA_PSS_SHA512,
                };
                let mut bytes = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, signed, &mut bytes).unwrap();
                bytes
            }
        }
    }

    /// A token of these texts.
    pub(super) fn token_of(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// A good token, with members of its header and of its claims changed; what is null is taken out.
    pub(super) fn token(&self, header: &Value, changes: &Value) -> String {
        let mut own = json!({"alg": self.algorithm(), "kid": self.kid, "typ": "at+jwt"});
        change(&mut own, header);
        let mut claims = claims();
        change(&mut claims, changes);
        self.token_of(&own.to_string(), &claims.to_string())
    }

    pub(super) fn good(&self) -> String {
        self.token(&json!({}), &json!({}))
    }
}

pub(super) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "paravent", "sub": "u-1", "iat": NOW - 10, "exp": NOW + 600,
        "realm_access": {"roles": ["crm-sales", "crm-finance"]}, "preferred_username": "fanny",
    })
}

pub(super) fn change(value: &mut Value, changes: &Value) {
    for (name, new) in changes.as_object().unwrap() {
        match new {
            Value::Null => drop(value.as_object_mut().unwrap().shift_remove(name)),
            new => value[name] = new.clone(),
        }
    }
}

/// A key that most tests share.
pub(super) static EC: LazyLock<Signer> = LazyLock::new(|| Signer::p256("ec"));
pub(super) static RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("rsa", "RS256"));

/// An issuer as the configuration describes it.
pub(super) fn form(keys: KeySource) -> Issuer {
    let path = |text: &str| ClaimPath::read(text).unwrap();
    Issuer {
        name: "company".to_owned(),
        place: Place {
            file: File::new("paravent.yaml", ""),
            span: 0..0,
        },
        issuer: ISSUER.to_owned(),
        audience: "paravent".to_owned(),
        keys,
        algorithms: Algorithm::DEFAULT.to_vec(),
        kind: None,
        parties: Vec::new(),
        claims: ClaimPaths {
            id: path("$.sub"),
            name: Some(path("$.preferred_username")),
            roles: Some(path("$.realm_access.roles[*]")),
            purpose: Some(path("$.purpose")),
        },
        crm_user: None,
        skew: Issuer::SKEW_DEFAULT,
        lifetime_max: Issuer::LIFETIME_MAX_DEFAULT,
        refresh: Issuer::REFRESH_DEFAULT,
        stale: Issuer::STALE_DEFAULT,
    }
}

/// A clock that a test sets.
#[derive(Clone, Default)]
pub(super) struct Hands {
    wall: Arc<AtomicI64>,
    steady: Arc<AtomicU64>,
}

impl Hands {
    pub(super) fn new() -> Self {
        let hands = Self::default();
        hands.wall.store(NOW * 1_000, Ordering::SeqCst);
        hands
    }

    pub(super) fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::telling(move || {
            let steady = hands.steady.load(Ordering::SeqCst);
            (
                hands.wall.load(Ordering::SeqCst),
                Duration::from_secs(steady),
            )
        })
    }

    /// Time passes.
    pub(super) fn pass(&self, seconds: u32) {
        self.step(seconds.into());
        self.pass_steadily(seconds);
    }

    /// Somebody sets the time of day.
    pub(super) fn step(&self, seconds: i64) {
        self.wall.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    pub(super) fn pass_steadily(&self, seconds: u32) {
        self.steady.fetch_add(seconds.into(), Ordering::SeqCst);
    }
}

/// A set of keys, as it is published.
pub(super) fn set(keys: &[&Signer]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    json!({"keys": keys}).to_string()
}

/// Tokens of one issuer whose keys are in a file.
pub(super) struct Filed {
    pub(super) tokens: Tokens,
    pub(super) hands: Hands,
    pub(super) file: tempfile::NamedTempFile,
}

impl Filed {
    pub(super) fn new(keys: &str, change: impl Fn(&mut Issuer)) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), keys).unwrap();
        let mut form = form(KeySource::File(file.path().to_owned()));
        change(&mut form);
        let hands = Hands::new();
        Self {
            tokens: Tokens::with_clock(&[form], hands.clock()).unwrap(),
            hands,
            file,
        }
    }

    pub(super) async fn refused(&self, token: &str) -> Option<Refused> {
        self.tokens.verify(token, None).await.err()
    }
}

/// Asserts why a token is refused.
#[track_caller]
pub(super) fn assert_refused(refused: Option<Refused>, reason: Reason, why: &str, case: &str) {
    let refused = refused.unwrap_or_else(|| panic!("accepted: {case}"));
    assert!(
        refused.reason == reason && refused.why.contains(why),
        "{case}: {refused:?}"
    );
}

/// What an issuer answers to a path.
pub(super) type Answering = Arc<Mutex<Box<dyn Fn(&str) -> Option<String> + Send>>>;

/// An issuer on this machine.
pub(super) struct Published {
    pub(super) url: String,
    answering: Answering,
    asked: Arc<AtomicUsize>,
}

impl Published {
    pub(super) fn new(keys: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let answering: Answering = Arc::new(Mutex::new(Box::new(|_| None)));
        let published = Self {
            url,
            answering: answering.clone(),
            asked: asked.clone(),
        };
        published.publish(keys);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                asked.fetch_add(1, Ordering::SeqCst);
                let answering = answering.clone();
                std::thread::spawn(move || answer(socket, &answering));
            }
        });
        published
    }

    pub(super) fn publish(&self, keys: &str) {
        let answer = ok(keys);
        self.answer(move |_| Some(answer.clone()));
    }

    /// Answers otherwise; with nothing, never.
    pub(super) fn answer(&self, answer: impl Fn(&str) -> Option<String> + Send + 'static) {
        *self.answering.lock().unwrap() = Box::new(answer);
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(super) fn source(&self) -> KeySource {
        KeySource::Url {
            url: format!("{}/keys", self.url).parse().unwrap(),
            ca: None,
        }
    }

    pub(super) fn tokens(&self) -> (Arc<Tokens>, Hands) {
        let hands = Hands::new();
        let tokens = Tokens::with_clock(&[form(self.source())], hands.clock());
        (Arc::new(tokens.unwrap()), hands)
    }
}

/// An answer with a body of JSON.
pub(super) fn ok(body: &str) -> String {
    with("200 OK", "application/json", body)
}

pub(super) fn with(status: &str, content: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn answer(mut socket: TcpStream, answering: &Answering) {
    let (mut head, mut chunk) = (Vec::new(), [0; 1_024]);
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read(&mut chunk) {
            Ok(count @ 1..) => head.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    let answer = answering.lock().unwrap()(path);
    match answer {
        Some(answer) => drop(socket.write_all(answer.as_bytes())),
        None => std::thread::sleep(Duration::from_secs(30)),
    }
}
