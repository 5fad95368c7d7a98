//! Reads the section `identity.tokens`.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;

use crate::diagnostic::{Diagnostic, Form, Keys, Node, NodeKind, Place, Spanned, quoted};
use crate::json;

use super::claim_paths::{ClaimPath, ClaimPaths};
use super::read::Reader;
use super::{codes, files};

/// An issuer of tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its name, for evidence and the log.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What `iss` says, byte for byte: an `https` URL, or one of this machine.
    pub issuer: String,
    /// What `aud` says, or holds.
    pub audience: String,
    /// Where its keys are.
    pub keys: KeySource,
    /// The algorithms that its tokens may be signed with; at least one.
    pub algorithms: Vec<Algorithm>,
    /// What `typ` of the header must be, in lower case and without `application/`. Default: any that an access token has.
    pub kind: Option<String>,
    /// Of which clients' tokens one must be, by `azp` or `client_id`. Default: anybody's.
    pub parties: Vec<String>,
    /// Where the claims are.
    pub claims: ClaimPaths,
    /// The claim that names a user of the CRM, whose session a token may then strengthen. Default: tokens strengthen nothing.
    pub crm_user: Option<ClaimPath>,
    /// By how much clocks may differ. Default: 60 s.
    pub skew: Duration,
    /// The longest time from `iat` to `exp`. Default: 12 h.
    pub lifetime_max: Duration,
    /// After how long its keys are asked for again. Default: 10 m.
    pub refresh: Duration,
    /// How long known keys serve while it cannot be asked. Default: 1 h.
    pub stale: Duration,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// Its metadata (`/.well-known/openid-configuration`) says: `discover`.
    Discover,
    /// At a URL.
    Url {
        /// The URL.
        url: Uri,
        /// A file of root certificates (PEM). Default: the system's.
        ca: Option<PathBuf>,
    },
    /// In a file.
    File(PathBuf),
}

/// How a token is signed: asymmetric ways only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they are the names of RFC 7518 and RFC 8037")]
pub enum Algorithm {
    ES256,
    ES384,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    EdDSA,
}

impl Algorithm {
    /// All of them, by their names.
    pub const ALL: &[(&str, Self)] = &[
        ("ES256", Self::ES256),
        ("ES384", Self::ES384),
        ("RS256", Self::RS256),
        ("RS384", Self::RS384),
        ("RS512", Self::RS512),
        ("PS256", Self::PS256),
        ("PS384", Self::PS384),
        ("PS512", Self::PS512),
        ("EdDSA", Self::EdDSA),
    ];

    /// The one with this name; `None` for `none`, shared secrets, and what nobody knows.
    pub fn named(name: &str) -> Option<Self> {
        let hit = Self::ALL.iter().find(|(known, _)| *known == name);
        hit.map(|(_, algorithm)| *algorithm)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        let hit = Self::ALL.iter().find(|(_, known)| *known == self);
        hit.map_or("", |(name, _)| name)
    }

    /// Those of an issuer that does not state its own.
    pub const DEFAULT: [Self; 4] = [Self::ES256, Self::RS256, Self::PS256, Self::EdDSA];
}

const ISSUER: Form = Form {
    what: "an issuer of tokens",
    known: &[
        "name",
        "issuer",
        "audience",
        "keys",
        "algorithms",
        "type",
        "parties",
        "claims",
        "strengthens",
        "skew",
        "lifetime_max",
        "refresh",
        "stale",
    ],
    refused: &[],
};

struct Times {
    skew: Duration,
    lifetime_max: Duration,
    refresh: Duration,
    stale: Duration,
}

impl Issuer {
    /// By how much clocks may differ, if the configuration does not say.
    pub const SKEW_DEFAULT: Duration = Duration::from_secs(60);
    /// The longest time from `iat` to `exp`, if the configuration does not say.
    pub const LIFETIME_MAX_DEFAULT: Duration = Duration::from_secs(12 * 60 * 60);
    /// After how long keys are asked for again, if the configuration does not say.
    pub const REFRESH_DEFAULT: Duration = Duration::from_secs(10 * 60);
    /// How long known keys serve, if the configuration does not say.
    pub const STALE_DEFAULT: Duration = Duration::from_secs(60 * 60);
}

impl Reader<'_> {
    pub(super) fn issuers(&mut self, node: &Node) -> Option<Vec<Issuer>> {
        let nodes = node.list("`tokens`", self.found)?;
        if nodes.is_empty() {
            let problem = Diagnostic::error(codes::BAD_ISSUER, "there is no issuer");
            let problem = problem.at(&node.place, "at least one is needed");
            self.found
                .push(problem.help("leave `tokens` out if there are none"));
        }
        let issuers: Vec<_> = nodes.iter().map(|node| self.issuer(node)).collect();
        let read: Vec<&Issuer> = issuers.iter().flatten().collect();
        for (at, issuer) in read.iter().enumerate() {
            self.unlike(issuer, &read[..at]);
        }
        issuers.into_iter().collect()
    }

    /// A name, and an issuer for an audience, are there once: no token may serve in two ways.
    fn unlike(&mut self, issuer: &Issuer, before: &[&Issuer]) {
        if let Some(other) = before.iter().find(|other| other.name == issuer.name) {
            let title = format!("issuer {} is there twice", quoted(&issuer.name));
            self.found.push(
                Diagnostic::error(codes::BAD_NAME, title)
                    .at(&issuer.place, "again here")
                    .also(&other.place, "first here"),
            );
        }
        let is_same =
            |other: &&&Issuer| other.issuer == issuer.issuer && other.audience == issuer.audience;
        if let Some(other) = before.iter().find(is_same) {
            let title = "an issuer whose tokens could serve in two ways";
            self.found.push(
                Diagnostic::error(codes::BAD_ISSUER, title)
                    .at(&issuer.place, "the same `issuer` and `audience` again")
                    .also(&other.place, "first here")
                    .help("join the two, or give them audiences of their own"),
            );
        }
    }

    fn issuer(&mut self, node: &Node) -> Option<Issuer> {
        let keys = ISSUER.read(node, self.found)?;
        let name = keys.require("name", self.found);
        let name = name.and_then(|node| node.text("`name`", self.found));
        let name = name.map(Spanned::into_owned);
        if let Some(name) = &name {
            self.check_name("an issuer", name);
            self.not_of_a_way(name);
        }
        let issuer = keys.require("issuer", self.found);
        let issuer = issuer.and_then(|node| self.issuer_url(node));
        let audience = keys.require("audience", self.found);
        let audience = audience.and_then(|node| self.claim_text(node, "`audience`"));
        let source = keys.require("keys", self.found);
        let source = source.and_then(|node| self.key_source(node));
        let algorithms = match keys.get("algorithms") {
            Some(node) => self.algorithms(node),
            None => Some(Algorithm::DEFAULT.to_vec()),
        };
        let kind = match keys.get("type") {
            Some(node) => self
                .claim_text(node, "`type`")
                .map(|text| Some(plain_type(&text))),
            None => Some(None),
        };
        let parties = match keys.get("parties") {
            Some(node) => self.parties(node),
            None => Some(Vec::new()),
        };
        if keys.get("type").is_none() && keys.get("parties").is_none() {
            self.of_any_client(node);
        }
        let claims = self.claims(keys.get("claims"));
        let crm_user = match keys.get("strengthens") {
            Some(node) => self.strengthens(node).map(Some),
            None => Some(None),
        };
        let times = self.times(&keys);
        Some(Issuer {
            name: name?.value,
            place: node.place.clone(),
            issuer: issuer?,
            audience: audience?,
            keys: source?,
            algorithms: algorithms?,
            kind: kind?,
            parties: parties?,
            claims: claims?,
            crm_user: crm_user?,
            skew: times.skew,
            lifetime_max: times.lifetime_max,
            refresh: times.refresh,
            stale: times.stale,
        })
    }

    /// An issuer may write an audience into tokens of clients that have nothing to do with the CRM, and into ID tokens.
    fn of_any_client(&mut self, node: &Node) {
        let title = "tokens of any client and of any type are accepted";
        self.found.push(
            Diagnostic::warning(codes::ANY_CLIENT, title)
                .at(&node.place, "has neither `type` nor `parties`")
                .help("name the clients whose tokens count: `parties: [crm-portal]`, or the type of access tokens: `type: at+jwt`"),
        );
    }

    fn parties(&mut self, node: &Node) -> Option<Vec<String>> {
        let texts = node.verbatims("`parties`", self.found)?;
        Some(
            texts
                .into_iter()
                .map(|text| text.value.to_owned())
                .collect(),
        )
    }

    fn times(&mut self, keys: &Keys<'_>) -> Times {
        let times = Times {
            skew: self.span(keys, "skew", Issuer::SKEW_DEFAULT, SKEW),
            lifetime_max: self.span(keys, "lifetime_max", Issuer::LIFETIME_MAX_DEFAULT, LIFETIME),
            refresh: self.span(keys, "refresh", Issuer::REFRESH_DEFAULT, REFRESH),
            stale: self.span(keys, "stale", Issuer::STALE_DEFAULT, STALE),
        };
        if times.stale < times.refresh {
            let title = "keys would be too old before they are asked for again";
            let node = keys.get("stale").or_else(|| keys.get("refresh"));
            let place = node.map_or_else(|| keys.place(), |node| &node.place);
            let problem = Diagnostic::error(codes::BAD_BOUNDS, title);
            self.found
                .push(problem.at(place, "`stale` is less than `refresh`"));
        }
        times
    }

    /// What `iss` says. It is compared byte for byte, so it is kept as it is written.
    fn issuer_url(&mut self, node: &Node) -> Option<String> {
        let text = node.text("`issuer`", self.found)?;
        let why = match safe_url(text.value) {
            Ok(uri) if uri.query().is_none() => return Some(text.value.to_owned()),
            Ok(_) => "must not hold a query",
            Err(why) => why,
        };
        self.found.push(bad("this is not the URL of an issuer", &text.place, why)
            .help("write what `iss` of its tokens says, such as `https://login.example.com/realms/crm`"));
        None
    }

    /// A text that a claim is compared with.
    fn claim_text(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = node.verbatim(what, self.found)?;
        if text.value.is_empty() {
            self.found.push(bad(
                format!("{what} is empty"),
                &text.place,
                "nothing stands here",
            ));
            return None;
        }
        Some(text.value.to_owned())
    }

    fn key_source(&mut self, node: &Node) -> Option<KeySource> {
        const FORM: Form = Form {
            what: "`keys` of an issuer",
            known: &["url", "ca", "file"],
            refused: &[],
        };
        if !matches!(node.kind, NodeKind::Map(_)) {
            return node.choice(
                "place of keys",
                &[("discover", KeySource::Discover)],
                self.found,
            );
        }
        let keys = FORM.read(node, self.found)?;
        match (keys.get("url"), keys.get("ca"), keys.get("file")) {
            (Some(url), ca, None) => {
                let ca = match ca {
                    Some(ca) => self.authorities(ca).map(Some),
                    None => Some(None),
                };
                let text = url.text("`url`", self.found)?;
                match safe_url(text.value) {
                    Ok(url) => Some(KeySource::Url { url, ca: ca? }),
                    Err(why) => {
                        self.found.push(
                            bad("this is not the URL of keys", &text.place, why)
                                .help("write `https://host/path`"),
                        );
                        None
                    }
                }
            }
            (None, None, Some(file)) => self.key_file(file).map(KeySource::File),
            _ => {
                self.found.push(
                    bad(
                        "it is not clear where the keys are",
                        keys.place(),
                        "needs either `url`, perhaps with `ca`, or `file`",
                    )
                    .help("write `discover`, `{ url: https://… }` or `{ file: jwks.json }`"),
                );
                None
            }
        }
    }

    /// A file of keys; whether one of them can be used is seen when they are.
    fn key_file(&mut self, node: &Node) -> Option<PathBuf> {
        let path = self.path(node, "`file`")?;
        let why = if crate::diagnostic::everybody_may_write(&path) {
            "everybody may write this file"
        } else {
            match files::bytes(&path, KEYS_BYTES_MAX) {
                Err(error) => {
                    self.unreadable("the keys of an issuer", &path, &node.place, &error);
                    return None;
                }
                Ok(bytes) => match json::read(&bytes, KEYS_DEPTH_MAX) {
                    Ok(set) if set["keys"].is_array() => return Some(path),
                    _ => "must hold a JSON object with a list `keys`",
                },
            }
        };
        self.found.push(bad(
            "the keys of an issuer cannot be used",
            &node.place,
            why,
        ));
        None
    }

    fn algorithms(&mut self, node: &Node) -> Option<Vec<Algorithm>> {
        let mut algorithms = Vec::new();
        let texts = node.texts("`algorithms`", self.found)?;
        let count = texts.len();
        for text in texts {
            let why = match Algorithm::named(text.value) {
                Some(algorithm) if algorithms.contains(&algorithm) => "named twice",
                Some(algorithm) => {
                    algorithms.push(algorithm);
                    continue;
                }
                None if text.value.eq_ignore_ascii_case("none") => {
                    "anybody could write such a token"
                }
                None if text.value.starts_with("HS") => {
                    "whoever can check such a token can write one: secrets are not shared with issuers"
                }
                None => "not known here",
            };
            let names: Vec<&str> = Algorithm::ALL.iter().map(|(name, _)| *name).collect();
            let title = format!("algorithm {} cannot be used", quoted(text.value));
            self.found.push(
                bad(&title, &text.place, why).help(format!("algorithms: {}", names.join(", "))),
            );
        }
        (algorithms.len() == count).then_some(algorithms)
    }

    fn claims(&mut self, node: Option<&Node>) -> Option<ClaimPaths> {
        const FORM: Form = Form {
            what: "`claims`",
            known: &["id", "name", "roles", "purpose"],
            refused: &[],
        };
        let keys = match node {
            Some(node) => Some(FORM.read(node, self.found)?),
            None => None,
        };
        let mut path = |key: &str| match keys.and_then(|keys| keys.get(key)) {
            Some(node) => self.claim_path(node).map(Some),
            None => Some(None),
        };
        let (id, name, roles, purpose) = (path("id"), path("name"), path("roles"), path("purpose"));
        Some(ClaimPaths {
            id: id?.or_else(|| ClaimPath::read("$.sub"))?,
            name: name?,
            roles: roles?,
            purpose: purpose?,
        })
    }

    fn claim_path(&mut self, node: &Node) -> Option<ClaimPath> {
        let text = node.text("a claim", self.found)?;
        let path = ClaimPath::read(text.value);
        if path.is_none() {
            let title = format!("{} is not a place in a token", quoted(text.value));
            self.found
                .push(bad(&title, &text.place, "not a JSONPath of RFC 9535").help(
                "write `$.groups`, or `\"$.realm_access.roles[*]\"`, in quotes where it holds `[`",
            ));
        }
        path
    }

    fn strengthens(&mut self, node: &Node) -> Option<ClaimPath> {
        const FORM: Form = Form {
            what: "`strengthens`",
            known: &["crm_user"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let Some(claim) = keys.get("crm_user") else {
            self.found.push(bad("nothing says whose session a token strengthens", &node.place, "needs `crm_user`")
                .help("name a claim that only administrators of the issuer can set: `{ crm_user: $.crm_login }`"));
            return None;
        };
        let path = self.claim_path(claim)?;
        let name: String = path
            .as_str()
            .chars()
            .filter(|c| !"$.[]'\"".contains(*c))
            .collect();
        if CHOSEN_BY_PEOPLE.contains(&name.as_str()) {
            let title =
                "a claim that people may choose themselves says whose session a token strengthens";
            self.found.push(
                Diagnostic::warning(codes::CHOSEN_BY_PEOPLE, title)
                    .at(
                        &claim.place,
                        "at many issuers everybody sets it for themselves",
                    )
                    .help("name a claim that only administrators of the issuer can set"),
            );
        }
        Some(path)
    }

    fn span(
        &mut self,
        keys: &Keys<'_>,
        key: &str,
        default: Duration,
        bounds: RangeInclusive<Duration>,
    ) -> Duration {
        keys.get(key)
            .and_then(|node| node.duration(&format!("`{key}`"), bounds, self.found))
            .unwrap_or(default)
    }
}

fn bad(title: impl Into<String>, place: &Place, label: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::BAD_ISSUER, title).at(place, label)
}

/// A `typ` as it is compared: case does not matter, `application/` may be left out (RFC 7515, 4.1.9).
pub fn plain_type(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    text.strip_prefix("application/")
        .unwrap_or(&text)
        .to_owned()
}

/// A URL that keys, or what leads to them, may be asked from: `https`, or `http` on this machine; no user, no fragment.
pub fn safe_url(text: &str) -> Result<Uri, &'static str> {
    let is_plain = |b: u8| {
        b.is_ascii_graphic()
            && !matches!(
                b,
                b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
            )
    };
    let Some((scheme @ ("https" | "http"), rest)) = text.split_once("://") else {
        return Err("must begin with `https://`");
    };
    if !text.bytes().all(is_plain) || text.len() > URL_BYTES_MAX {
        return Err("not a URL");
    }
    if text.contains('#') {
        return Err("must not hold a fragment");
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("must not hold a user or password");
    }
    let uri: Uri = text.parse().map_err(|_| "not a URL")?;
    let host = uri.host().unwrap_or_default();
    let port = authority.strip_prefix(host);
    if host.is_empty() || (port != Some("") && uri.port_u16().is_none_or(|port| port == 0)) {
        return Err("the host or port is not valid");
    }
    if scheme == "http" && !is_loopback(host) {
        return Err(
            "must begin with `https://`: keys that somebody on the way could replace prove nothing",
        );
    }
    Ok(uri)
}

pub(super) fn is_loopback(host: &str) -> bool {
    let plain = host.trim_matches(['[', ']']);
    let address = plain.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SKEW: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(5 * 60);
const LIFETIME: RangeInclusive<Duration> = MINUTE..=DAY;
const REFRESH: RangeInclusive<Duration> = MINUTE..=DAY;
const STALE: RangeInclusive<Duration> = MINUTE..=DAY;
/// Claims that people choose themselves at many issuers.
const CHOSEN_BY_PEOPLE: [&str; 4] = ["preferred_username", "email", "name", "nickname"];
/// Bytes of a URL.
const URL_BYTES_MAX: usize = 2_000;
/// Bytes of a set of keys.
pub const KEYS_BYTES_MAX: usize = 1 << 20;
/// Nesting of a set of keys.
pub const KEYS_DEPTH_MAX: usize = 16;
