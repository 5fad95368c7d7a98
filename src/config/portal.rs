//! Reads the section `portal`: where persons confirm and change what they agree to, and programs of the house record it.

use std::net::SocketAddr;

use http::Uri;
use ipnet::IpNet;

use crate::diagnostic::{Diagnostic, Form, Keys, Node, Place, Spanned};

use super::issuers::safe_url;
use super::listeners::{ReadListener, clash};
use super::read::Reader;
use super::{Config, Tls, codes};

/// Programs of one configuration.
const API_MAX: usize = 100;
/// Bytes of a SHA-256.
const SHA256_BYTES: usize = 32;

/// All words of `may`.
pub const MAY: &[(&str, May)] = &[
    ("record", May::Record),
    ("request", May::Request),
    ("show", May::Show),
    ("withdraw", May::Withdraw),
];

/// Where persons confirm and change what they agree to.
#[derive(Clone, Debug)]
pub struct Portal {
    /// The address.
    pub bind: Spanned<SocketAddr>,
    /// Under what persons reach it: `https://privacy.example.com`, without a slash at its end.
    pub url: Spanned<String>,
    /// TLS. Default: none.
    pub tls: Option<Tls>,
    /// Where forms of other sites may lead back to: a whole URL, or the beginning of one that ends with `/`. Default: nowhere.
    pub return_to: Vec<String>,
    /// Programs of the house. Default: none.
    pub api: Vec<ApiClient>,
    /// The networks of proxies before it that say where a request came from. Default: none.
    pub trusted_proxies: Vec<IpNet>,
}

/// A program of the house that records and asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiClient {
    /// Its name, as events have it.
    pub name: String,
    /// The SHA-256 of its key.
    pub sha256: [u8; SHA256_BYTES],
    /// What it may do.
    pub may: Vec<May>,
}

/// What a program may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Record what affirms, and what decides nothing.
    Record,
    /// Ask a person to confirm by mail.
    Request,
    /// Be told how somebody stands.
    Show,
    /// Record what denies.
    Withdraw,
}

impl Portal {
    /// The scheme, host and port that pages of the portal have in `Origin`.
    pub fn origin(&self) -> &str {
        &self.url.value
    }

    /// Whether a form may lead back to a URL.
    pub fn leads_back_to(&self, url: &str) -> bool {
        is_plain_url(url)
            && self.return_to.iter().any(|allowed| {
                url == allowed || allowed.ends_with('/') && url.starts_with(allowed.as_str())
            })
    }

    /// Whether a site may send its visitors' forms here: one that forms lead back to.
    pub fn takes_forms_of(&self, origin: &str) -> bool {
        let of = |url: &String| origin_of(url).is_some_and(|own| own == origin);
        origin == self.origin() || self.return_to.iter().any(of)
    }
}

/// Scheme, host and port of a URL, as browsers state them.
fn origin_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let usual = match scheme {
        "https" => ":443",
        _ => ":80",
    };
    let authority = authority.as_str().to_ascii_lowercase();
    let authority = authority.strip_suffix(usual).unwrap_or(&authority);
    Some(format!("{scheme}://{authority}"))
}

/// Whether a URL can stand in a header and has one reading: no backslash, no dots that climb.
fn is_plain_url(url: &str) -> bool {
    let climbs = ["/../", "/./", "%2e", "%2E"];
    url.len() <= 2048
        && url
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'))
        && !climbs.iter().any(|part| url.contains(part))
        && !url.ends_with("/..")
}

impl Reader<'_> {
    pub(super) fn portal(&mut self, node: &Node) -> Option<Portal> {
        const FORM: Form = Form {
            what: "`portal`",
            known: &["bind", "url", "tls", "return_to", "api", "trusted_proxies"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let bind = keys.require("bind", self.found);
        let bind = bind.and_then(|node| self.address(node));
        let url = keys.require("url", self.found);
        let url = url.and_then(|node| self.portal_url(node));
        let tls = keys
            .get("tls")
            .map_or(Some(None), |node| self.portal_tls(node).map(Some));
        let return_to = keys
            .get("return_to")
            .map_or_else(|| Some(Vec::new()), |node| self.return_to(node));
        let api = keys
            .get("api")
            .map_or_else(|| Some(Vec::new()), |node| self.api_clients(node));
        let trusted_proxies = keys
            .get("trusted_proxies")
            .map_or_else(Vec::new, |node| self.networks(node, "`trusted_proxies`"));
        if let (Some(bind), Some(None)) = (&bind, &tls)
            && !bind.value.ip().is_loopback()
        {
            self.found.push(
                Diagnostic::warning(codes::CLEAR_TEXT, "links and addresses travel in clear")
                    .at(&bind.place, "an address beyond this machine, without `tls`")
                    .help("add `tls`, unless something before the portal speaks it"),
            );
        }
        Some(Portal {
            bind: bind?,
            url: url?,
            tls: tls?,
            return_to: return_to?,
            api: api?,
            trusted_proxies,
        })
    }

    /// `https://host`, or `http://` on this machine, and nothing behind it.
    fn portal_url(&mut self, node: &Node) -> Option<Spanned<String>> {
        let text = node.text("`url`", self.found)?;
        let url = text.value.strip_suffix('/').unwrap_or(text.value);
        let read = safe_url(url).and_then(|uri| match uri.path() {
            "/" | "" if uri.query().is_none() => Ok(()),
            _ => Err("must not hold a path: the routes of the portal stand at its root"),
        });
        let why = match read {
            Ok(()) => {
                return Some(Spanned {
                    value: origin_of(url)?,
                    place: text.place,
                });
            }
            Err(_) if url.starts_with("http://") => {
                "must begin with `https://`: links that prove who has a mailbox would travel in clear"
            }
            Err(why) => why,
        };
        let help = "write the address that persons reach it under, as `https://privacy.example.com`; `http://` is for this machine alone";
        self.bad_portal(&text.place, why, help);
        None
    }

    fn portal_tls(&mut self, node: &Node) -> Option<Tls> {
        const FORM: Form = Form {
            what: "`tls`",
            known: &["certificate", "key"],
            refused: &[],
        };
        FORM.read(node, self.found)?;
        self.tls(node)
    }

    fn return_to(&mut self, node: &Node) -> Option<Vec<String>> {
        let mut urls = Vec::new();
        for text in node.texts("`return_to`", self.found)? {
            let url = text.value;
            let has_path = url
                .splitn(4, '/')
                .nth(3)
                .is_some_and(|_| !url.contains('?'));
            match safe_url(url) {
                Ok(_) if has_path && is_plain_url(url) && origin_of(url).is_some() => {
                    urls.push(url.to_owned());
                }
                _ => {
                    let label = "must begin with `https://` and have a path, at least `/`";
                    let help = "write a whole URL, or the beginning of those that are meant up to a `/`: `https://www.example.com/`";
                    self.bad_portal(&text.place, label, help);
                    return None;
                }
            }
        }
        Some(urls)
    }

    fn api_clients(&mut self, node: &Node) -> Option<Vec<ApiClient>> {
        let mut clients: Vec<ApiClient> = Vec::new();
        for node in node.list("`api`", self.found)? {
            let client = self.api_client(node)?;
            let is_taken = clients
                .iter()
                .any(|one| one.name == client.name || one.sha256 == client.sha256);
            if is_taken || clients.len() == API_MAX {
                let label = "another one has this name or this key, or there are more than 100";
                let help = "give each program a name and a key of its own";
                self.bad_portal(&node.place, label, help);
                return None;
            }
            clients.push(client);
        }
        Some(clients)
    }

    fn api_client(&mut self, node: &Node) -> Option<ApiClient> {
        const FORM: Form = Form {
            what: "an entry of `api`",
            known: &["name", "sha256", "may"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let name = keys.require("name", self.found);
        let name = name.and_then(|node| node.text("`name`", self.found));
        let name = name.map(Spanned::into_owned);
        if let Some(name) = &name {
            self.check_name("a program", name);
        }
        let sha256 = keys.require("sha256", self.found);
        let sha256 = sha256.and_then(|node| self.sha256(node));
        let may = self.may(&keys);
        Some(ApiClient {
            name: name?.value,
            sha256: sha256?,
            may: may?,
        })
    }

    fn sha256(&mut self, node: &Node) -> Option<[u8; SHA256_BYTES]> {
        let text = node.text("`sha256`", self.found)?;
        let read = digits(text.value);
        if read.is_none() {
            let help = "make a key with `openssl rand -base64 32 | tr -d '\\n' > api.key`; its hash is `sha256sum < api.key`";
            self.bad_portal(&text.place, "is not 64 hexadecimal digits", help);
        }
        read
    }

    fn may(&mut self, keys: &Keys<'_>) -> Option<Vec<May>> {
        let node = keys.require("may", self.found)?;
        let items = node.list("`may`", self.found)?;
        let read: Vec<_> = items
            .iter()
            .map(|item| item.choice("right", MAY, self.found))
            .collect();
        read.into_iter().collect()
    }

    /// The portal shares its address with nobody.
    pub(super) fn portal_apart(
        &mut self,
        portal: &Portal,
        listeners: &[ReadListener],
        admin: Option<&Spanned<SocketAddr>>,
    ) {
        let bind = portal.bind.value;
        let admin = admin.map_or(Config::ADMIN_DEFAULT, |admin| admin.value);
        let mut others = listeners.iter().map(|read| read.listener.bind.value);
        if clash(bind, admin) || others.any(|other| clash(bind, other)) {
            self.found.push(
                Diagnostic::error(codes::SAME_ADDRESS, "the portal shares an address")
                    .at(
                        &portal.bind.place,
                        "a listener, or the admin listener, has it",
                    )
                    .help("choose another port"),
            );
        }
    }

    /// The portal needs a ledger and a way to write mails; mails are of no use without it.
    pub(super) fn portal_complete(
        &mut self,
        (portal, mail): (Option<&Portal>, Option<&Place>),
        has_ledger: bool,
    ) {
        let Some(portal) = portal else {
            if let Some(mail) = mail {
                let help = "add `portal`, to which the links in mails lead, or leave `mail` out";
                self.bad_portal(mail, "`mail` stands without `portal`", help);
            }
            return;
        };
        if mail.is_none() {
            let help = "add `mail: { smtp: { host: …, user: …, password: { file: … } }, from: … }`, or `mail: { dir: mail, from: … }`";
            self.bad_portal(
                &portal.bind.place,
                "links go by mail: `mail` is missing",
                help,
            );
        }
        if !has_ledger {
            let help = "name a key, `keys: { person: [{ file: person.key }] }`";
            let label = "what persons say goes into the consent ledger: `keys.person` is missing";
            self.bad_portal(&portal.bind.place, label, help);
        }
    }

    fn bad_portal(&mut self, place: &Place, label: &str, help: &str) {
        let problem = Diagnostic::error(codes::BAD_PORTAL, "this is no portal that could serve");
        self.found.push(problem.at(place, label).help(help));
    }
}

fn digits(text: &str) -> Option<[u8; SHA256_BYTES]> {
    let mut bytes = [0; SHA256_BYTES];
    if text.len() != 2 * SHA256_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (number, byte) in bytes.iter_mut().enumerate() {
        let pair = text.get(2 * number..2 * number + 2)?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}
