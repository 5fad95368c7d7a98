//! Reads the section `identity.front`.

use http::header::HeaderName;
use ipnet::IpNet;

use crate::diagnostic::{Diagnostic, Form, Keys, Node, Spanned, quoted};

use super::read::Reader;
use super::secrets::Wanted;
use super::{Secret, Upstream, codes};

/// A proxy before this one that authenticates callers.
#[derive(Clone, Debug)]
pub struct TrustedFront {
    /// From where it connects. Never everybody; at least one.
    pub peers: Vec<IpNet>,
    /// The header that carries what only it knows.
    pub secret_header: Spanned<HeaderName>,
    /// What only it knows: visible ASCII.
    pub secret: Secret,
    /// The header that names the caller.
    pub id: Spanned<HeaderName>,
    /// The header that names the caller's roles, separated by commas. Default: none.
    pub roles: Option<Spanned<HeaderName>>,
}

impl TrustedFront {
    /// The headers that only it may send.
    pub fn headers(&self) -> impl Iterator<Item = &Spanned<HeaderName>> {
        [&self.secret_header, &self.id]
            .into_iter()
            .chain(&self.roles)
    }
}

const SECRET: Wanted = Wanted {
    what: "the secret of the authenticating proxy",
    help: "make one with `(umask 077; openssl rand -hex 32 > front.secret)`",
};
/// Characters of that secret.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 16..=1024;

/// Headers that mean something to HTTP, to proxies, or to Paravent. So does what begins with a word of [`MEANT_STARTING`].
const MEANT: &[&str] = &[
    "accept",
    "authorization",
    "cache-control",
    "client-cert",
    "client-cert-chain",
    "connection",
    "cookie",
    "date",
    "early-data",
    "expect",
    "forwarded",
    "from",
    "host",
    "keep-alive",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-by",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-path",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-protocol",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-uri",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-method",
    "x-real-ip",
    "x-requested-with",
    "x-timestamp",
];
const MEANT_STARTING: &[&str] = &[
    "accept-",
    "access-control-",
    "content-",
    "http2-",
    "if-",
    "paravent-",
    "proxy-",
    "sec-",
];

impl Reader<'_> {
    pub(super) fn front(&mut self, node: &Node) -> Option<TrustedFront> {
        const FORM: Form = Form {
            what: "`front`",
            known: &["peers", "secret", "headers"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        for missing in ["peers", "secret"] {
            if keys.get(missing).is_none() {
                self.front_needs(&keys, missing);
            }
        }
        let peers = keys.get("peers").map(|node| self.networks(node, "`peers`"));
        let secret = keys.get("secret").and_then(|node| self.front_secret(node));
        let headers = keys
            .require("headers", self.found)
            .and_then(|node| self.front_headers(node));
        let (secret_header, secret) = secret?;
        let (id, roles) = headers?;
        let front = TrustedFront {
            peers: peers?,
            secret_header,
            secret,
            id,
            roles,
        };
        let named: Vec<_> = front.headers().collect();
        for (at, header) in named.iter().enumerate() {
            let before = named.iter().take(at);
            if let Some(first) = before.into_iter().find(|one| one.value == header.value) {
                let title = format!("{} is named twice", quoted(header.value.as_str()));
                self.found.push(
                    Diagnostic::error(codes::BAD_FRONT, title)
                        .at(&header.place, "means something else here")
                        .also(&first.place, "first named here"),
                );
            }
        }
        Some(front)
    }

    /// An address can be taken, and a secret can leak: only both together say who is there.
    fn front_needs(&mut self, keys: &Keys<'_>, missing: &str) {
        let title = "an authenticating proxy is known by its address and by a secret";
        self.found.push(
            Diagnostic::error(codes::BAD_FRONT, title)
                .at(keys.place(), format!("`{missing}` is missing"))
                .help(match missing {
                    "peers" => "name the addresses from which it connects: `peers: [10.0.0.7]`",
                    _ => {
                        "have it send a secret with each request: \
                         `secret: { header: X-Front-Secret, file: front.secret }`"
                    }
                }),
        );
    }

    fn front_secret(&mut self, node: &Node) -> Option<(Spanned<HeaderName>, Secret)> {
        const FORM: Form = Form {
            what: "`secret`",
            known: &["header", "file", "env"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let header = keys
            .require("header", self.found)
            .and_then(|node| self.front_header(node));
        let secret = self.secret(&keys, SECRET)?;
        let is_visible = secret.bytes().iter().all(u8::is_ascii_graphic);
        if !is_visible || !SECRET_BYTES.contains(&secret.bytes().len()) {
            let label = "must hold 16 to 1024 visible ASCII characters, as headers carry them";
            self.bad_secret(SECRET, &node.place, label);
            return None;
        }
        Some((header?, secret))
    }

    fn front_headers(
        &mut self,
        node: &Node,
    ) -> Option<(Spanned<HeaderName>, Option<Spanned<HeaderName>>)> {
        const FORM: Form = Form {
            what: "`headers`",
            known: &["id", "roles"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let id = keys
            .require("id", self.found)
            .and_then(|node| self.front_header(node));
        let roles = keys
            .get("roles")
            .map_or(Some(None), |node| self.front_header(node).map(Some));
        Some((id?, roles?))
    }

    /// The name of a header that means nothing to anybody else.
    fn front_header(&mut self, node: &Node) -> Option<Spanned<HeaderName>> {
        let text = node.text("the name of a header", self.found)?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let name = text
            .value
            .parse::<HeaderName>()
            .ok()
            .filter(|name| name.as_str().bytes().all(fits));
        let Some(name) = name else {
            let title = format!("{} is not the name of a header", quoted(text.value));
            self.found.push(
                Diagnostic::error(codes::BAD_FRONT, title)
                    .at(&text.place, "must be made of letters, digits and `-`"),
            );
            return None;
        };
        let meant = name.as_str();
        if MEANT.contains(&meant) || MEANT_STARTING.iter().any(|start| meant.starts_with(start)) {
            self.front_header_is_meant(&text, "it means something to HTTP, or to this proxy");
        }
        Some(Spanned {
            value: name,
            place: text.place,
        })
    }

    fn front_header_is_meant(&mut self, text: &Spanned<&str>, label: &str) {
        let title = format!("{} cannot tell who a caller is", quoted(text.value));
        self.found.push(
            Diagnostic::error(codes::BAD_FRONT, title)
                .at(&text.place, label)
                .help("have the proxy send a header of its own, such as `X-Auth-Request-User`"),
        );
    }

    /// No header of an authenticating proxy is one that a CRM reads.
    pub(super) fn front_apart<'a>(
        &mut self,
        front: &TrustedFront,
        upstreams: impl IntoIterator<Item = &'a Upstream>,
    ) {
        let dialects = upstreams
            .into_iter()
            .flat_map(|upstream| &upstream.dialects);
        let mut read: Vec<String> = Vec::new();
        for form in dialects.map(|dialect| dialect.head_form()) {
            read.extend(form.credentials.iter().map(|name| name.as_str().to_owned()));
            read.extend(form.controls.iter().map(|name| (*name).to_owned()));
        }
        for header in front.headers() {
            let name = header.value.as_str();
            if read.iter().any(|known| known == name) {
                let text = Spanned {
                    value: name,
                    place: header.place.clone(),
                };
                self.front_header_is_meant(&text, "it means something to the CRM");
            }
        }
    }
}
