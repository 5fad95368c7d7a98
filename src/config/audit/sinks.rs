//! Reads `audit.sinks`: to whom the events of the access log are carried.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use http::Uri;

use crate::config::{Secret, codes};
use crate::diagnostic::{Diagnostic, Form, Keys, Node, Place, Spanned, quoted};

use super::super::read::{Reader, placed};
use super::super::secrets::Wanted;

/// Somebody to whom the events of the access log are carried.
#[derive(Clone, Debug)]
pub struct Sink {
    /// Its name, for messages, metrics and the cursor.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Who takes the events.
    pub receiver: Receiver,
    /// In which form.
    pub format: SinkFormat,
    /// In which country, as ISO 3166-1 alpha-2 has it. Stated of everything that leaves the machine.
    pub region: Option<String>,
    /// With which event a sink begins that has no cursor yet. Default: the newest.
    pub from: SinkFrom,
}

/// Who takes events.
#[derive(Clone, Debug)]
pub enum Receiver {
    /// A file, one line an event.
    File(Spanned<PathBuf>),
    /// Standard output, one line an event.
    Stdout,
    /// A syslog server over TCP.
    Syslog {
        /// Where it is.
        peer: Peer,
        /// The facility of RFC 5424. Default: 13, the log audit.
        facility: u8,
    },
    /// A web server.
    Https {
        /// Where it is.
        peer: Peer,
        /// Path and query.
        target: String,
        /// The scheme of `Authorization`, and what stands behind it.
        bearer: Option<(String, Secret)>,
        /// Whether bodies are compressed. Default: yes.
        gzip: bool,
    },
}

/// An address on the network.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// TLS, if it is spoken.
    pub tls: Option<PeerTls>,
}

/// How the other side proves who it is, and we do.
#[derive(Clone, Debug, Default)]
pub struct PeerTls {
    /// The only authorities that may have signed its certificate. Default: the system's.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key. Default: none.
    pub client: Option<(Spanned<PathBuf>, Spanned<PathBuf>)>,
}

/// The form of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkFormat {
    /// The event in full.
    Paravent,
    /// Open Cybersecurity Schema Framework, API Activity.
    Ocsf,
    /// Elastic Common Schema.
    Ecs,
    /// Common Event Format.
    Cef,
}

/// With which event a sink begins that has no cursor yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkFrom {
    /// With the newest.
    Newest,
    /// With the first that the log still has.
    Beginning,
}

impl SinkFormat {
    /// All of them, by their words.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("paravent", Self::Paravent),
        ("ocsf", Self::Ocsf),
        ("ecs", Self::Ecs),
        ("cef", Self::Cef),
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        let own = Self::ALL.iter().find(|(_, format)| *format == self);
        own.map_or("", |(word, _)| *word)
    }
}

impl Sink {
    /// What kind of receiver it is, in a word.
    pub fn kind(&self) -> &'static str {
        match &self.receiver {
            Receiver::File(_) | Receiver::Stdout => "file",
            Receiver::Syslog { .. } => "syslog",
            Receiver::Https { .. } => "https",
        }
    }

    /// Its place on the network, if it has one.
    pub fn peer(&self) -> Option<&Peer> {
        match &self.receiver {
            Receiver::File(_) | Receiver::Stdout => None,
            Receiver::Syslog { peer, .. } | Receiver::Https { peer, .. } => Some(peer),
        }
    }

    /// The files that hold its secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &Spanned<PathBuf>> {
        let bearer = match &self.receiver {
            Receiver::Https { bearer, .. } => bearer.as_ref().and_then(|(_, secret)| secret.file()),
            _ => None,
        };
        let tls = self.peer().and_then(|peer| peer.tls.as_ref());
        let key = tls.and_then(|tls| tls.client.as_ref()).map(|(_, key)| key);
        bearer.into_iter().chain(key)
    }
}

/// The facilities of RFC 5424, by their numbers; `audit` is the log audit.
pub const FACILITIES: &[(&str, u8)] = &[
    ("kern", 0),
    ("user", 1),
    ("mail", 2),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("ntp", 12),
    ("audit", 13),
    ("alert", 14),
    ("clock", 15),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

/// The codes of ISO 3166-1 alpha-2 that are officially assigned.
const REGIONS: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH \
KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ \
NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ \
SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF \
WS YE YT ZA ZM ZW";

/// Sinks of one configuration.
const SINKS_MAX: usize = 16;
/// Bytes of a name, which is also that of a folder.
const NAME_BYTES_MAX: usize = 64;
/// Bytes of a URL.
const URL_BYTES_MAX: usize = 2_048;
const SYSLOG_TLS_PORT: u16 = 6514;
const SYSLOG_TCP_PORT: u16 = 601;

const FORM: Form = Form {
    what: "a sink",
    known: &[
        "name", "file", "syslog", "https", "format", "region", "from", "ca", "client", "bearer",
        "facility", "gzip", "in_clear",
    ],
    refused: &[],
};

/// The keys that only some receivers have.
const ONLY: &[(&str, &[&str])] = &[
    ("region", &["file", "syslog", "https"]),
    ("ca", &["syslog", "https"]),
    ("client", &["syslog", "https"]),
    ("in_clear", &["syslog", "https"]),
    ("facility", &["syslog"]),
    ("bearer", &["https"]),
    ("gzip", &["https"]),
];

const BEARER: Wanted = Wanted {
    what: "the token of a sink",
    help: "write `{ file: FILE }` or `{ env: NAME }`; it holds one line of visible ASCII without spaces, at most 4096 bytes",
};

impl Reader<'_> {
    pub(super) fn sinks(&mut self, node: &Node, log: Option<&Path>) -> Vec<Sink> {
        let nodes = node.list("`sinks`", self.found).unwrap_or_default();
        let mut sinks: Vec<Sink> = Vec::new();
        for node in nodes {
            let Some(sink) = self.sink(node, log) else {
                continue;
            };
            if let Some(other) = sinks.iter().find(|other| other.name == sink.name) {
                let title = format!("two sinks are called {}", quoted(&sink.name));
                let problem = Diagnostic::error(codes::BAD_NAME, title);
                let problem = problem.at(&sink.place, "the second one");
                self.found.push(problem.also(&other.place, "the first one"));
            } else if let Some(other) = sinks.iter().find(|other| is_same(other, &sink)) {
                let problem = Diagnostic::error(codes::BAD_SINK, "two sinks write the same file");
                let problem = problem.at(&sink.place, "their lines would mix");
                self.found.push(problem.also(&other.place, "the first one"));
            } else {
                sinks.push(sink);
            }
        }
        if sinks.len() > SINKS_MAX {
            let problem = Diagnostic::error(codes::BAD_SINK, "there are too many sinks");
            let label = format!("at most {SINKS_MAX}; each reads the log by itself");
            self.found.push(problem.at(&node.place, label));
        }
        sinks
    }

    fn sink(&mut self, node: &Node, log: Option<&Path>) -> Option<Sink> {
        const FROM: &[(&str, SinkFrom)] = &[
            ("newest", SinkFrom::Newest),
            ("beginning", SinkFrom::Beginning),
        ];
        let keys = FORM.read(node, self.found)?;
        let name = keys.require("name", self.found);
        let name = name.and_then(|node| node.text("`name`", self.found));
        let name = name.map(Spanned::into_owned);
        if let Some(name) = &name {
            self.sink_name(name);
        }
        let receiver = self.the_receiver(&keys, log);
        let format = keys
            .get("format")
            .map_or(Some(SinkFormat::Paravent), |node| {
                node.choice("format of a sink", SinkFormat::ALL, self.found)
            });
        let region = keys.get("region").map(|node| self.region(node));
        let from = keys.get("from").map_or(Some(SinkFrom::Newest), |node| {
            node.choice("value of `from`", FROM, self.found)
        });
        let sink = Sink {
            name: name?.value,
            place: node.place.clone(),
            receiver: receiver?,
            format: format?,
            region: region.map_or(Some(None), |region| region.map(Some))?,
            from: from?,
        };
        let leaves = sink.peer().filter(|peer| !is_loopback(&peer.host));
        if let (Some(peer), None) = (leaves, &sink.region) {
            let title = format!(
                "sink {} does not say where its events go",
                quoted(&sink.name)
            );
            let problem = Diagnostic::error(codes::BAD_SINK, title);
            let label = format!(
                "{} is another machine, and `region` is missing",
                quoted(&peer.host)
            );
            let problem = problem.at(keys.place(), label);
            self.found.push(problem.help(
                "events name callers and records: state the country that they go to, as `region: FR` (ISO 3166-1 alpha-2)",
            ));
            return None;
        }
        Some(sink)
    }

    fn sink_name(&mut self, name: &Spanned<String>) {
        self.check_name("a sink", name);
        let is_plain = name
            .value
            .starts_with(|first: char| first.is_ascii_alphanumeric());
        if !is_plain || name.value.len() > NAME_BYTES_MAX {
            let title = format!("{} is not a name of a sink", quoted(&name.value));
            let label = "begins with a letter or digit, and has at most 64 characters: a folder is called so";
            self.found
                .push(Diagnostic::error(codes::BAD_NAME, title).at(&name.place, label));
        }
    }

    /// The one receiver that is stated, with the keys that it has.
    fn the_receiver(&mut self, keys: &Keys<'_>, log: Option<&Path>) -> Option<Receiver> {
        let mut stated = ["file", "syslog", "https"]
            .into_iter()
            .filter_map(|kind| Some((kind, keys.get(kind)?)));
        let Some((kind, node)) = stated.next() else {
            self.bad_sink(
                keys.place(),
                "says nowhere to go",
                "write `file`, `syslog` or `https`",
            );
            return None;
        };
        if let Some((other, second)) = stated.next() {
            let label = format!("`{kind}` stands here already, and `{other}`");
            self.bad_sink(&second.place, &label, "write a sink for each");
            return None;
        }
        for (key, kinds) in ONLY {
            if let Some(node) = keys.get(key).filter(|_| !kinds.contains(&kind)) {
                let label = format!("`{key}` means nothing for `{kind}`");
                self.bad_sink(&node.place, &label, "leave it out");
            }
        }
        match kind {
            "file" => self.sink_file(node, log),
            "syslog" => self.sink_syslog(node, keys),
            _ => self.sink_https(node, keys),
        }
    }

    fn sink_file(&mut self, node: &Node, log: Option<&Path>) -> Option<Receiver> {
        if node.verbatim("`file`", self.found)?.value == "-" {
            return Some(Receiver::Stdout);
        }
        let path = self.path(node, "`file`")?;
        if log.is_some_and(|log| lies_in(&path, log)) {
            let help = "name a file elsewhere: what lies there is the log itself";
            self.bad_sink(&node.place, "lies in the folder of the access log", help);
        }
        if path.exists() && !path.is_file() {
            let help = "name a file, or `-` for standard output";
            self.bad_sink(&node.place, "is there, and is not a file", help);
        }
        Some(Receiver::File(placed(path, node)))
    }

    fn sink_syslog(&mut self, node: &Node, keys: &Keys<'_>) -> Option<Receiver> {
        const SYSLOG: Schemes = Schemes {
            tls: ("tls", SYSLOG_TLS_PORT),
            clear: ("tcp", SYSLOG_TCP_PORT),
            has_path: false,
        };
        let peer = self.peer(node, keys, SYSLOG);
        let facility = keys.get("facility").map_or(Some(13), |node| {
            node.choice("facility", FACILITIES, self.found)
        });
        Some(Receiver::Syslog {
            peer: peer?.0,
            facility: facility?,
        })
    }

    fn sink_https(&mut self, node: &Node, keys: &Keys<'_>) -> Option<Receiver> {
        const WEB: Schemes = Schemes {
            tls: ("https", 443),
            clear: ("http", 80),
            has_path: true,
        };
        let peer = self.peer(node, keys, WEB);
        let bearer = keys
            .get("bearer")
            .map_or(Some(None), |node| self.bearer_of_sink(node).map(Some));
        let gzip = keys
            .get("gzip")
            .map_or(Some(true), |node| node.boolean("`gzip`", self.found));
        let (peer, target) = peer?;
        Some(Receiver::Https {
            peer,
            target,
            bearer: bearer?,
            gzip: gzip?,
        })
    }

    fn bearer_of_sink(&mut self, node: &Node) -> Option<(String, Secret)> {
        const BEARER_FORM: Form = Form {
            what: "`bearer`",
            known: &["file", "env", "scheme"],
            refused: &[],
        };
        let keys = BEARER_FORM.read(node, self.found)?;
        let scheme = keys
            .get("scheme")
            .map_or(Some("Bearer".to_owned()), |node| {
                let text = node.text("`scheme`", self.found)?;
                let is_word = (1..=32).contains(&text.value.len())
                    && text
                        .value
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
                if !is_word {
                    let help =
                        "write one word of letters, digits and hyphens, as `Splunk` or `ApiKey`";
                    self.bad_sink(&text.place, "not a scheme of `Authorization`", help);
                }
                is_word.then(|| text.value.to_owned())
            });
        let secret = self.secret(&keys, BEARER)?;
        let is_line = (1..=4096).contains(&secret.bytes().len())
            && secret.bytes().iter().all(u8::is_ascii_graphic);
        if !is_line {
            self.bad_secret(
                BEARER,
                &node.place,
                "is blank, too long, or not one line of visible ASCII",
            );
            return None;
        }
        Some((scheme?, secret))
    }

    /// Where a sink is on the network, and what stands behind host and port.
    fn peer(&mut self, node: &Node, keys: &Keys<'_>, schemes: Schemes) -> Option<(Peer, String)> {
        const CLEAR: &[(&str, bool)] = &[("refused", false), ("allowed", true)];
        let in_clear = keys.get("in_clear");
        let is_clear_allowed =
            in_clear.map(|node| node.choice("value of `in_clear`", CLEAR, self.found));
        let ca = keys.get("ca").map(|node| (node, self.authorities(node)));
        let client = keys.get("client").map(|node| (node, self.client(node)));
        let text = node.text("the address of a sink", self.found)?;
        let (is_tls, host, port, target) = match split(text.value, &schemes) {
            Ok(split) => split,
            Err(why) => {
                let help = schemes.help();
                self.bad_sink(&text.place, why, &help);
                return None;
            }
        };
        if is_tls {
            if let Some(node) = in_clear {
                self.bad_sink(
                    &node.place,
                    "nothing goes in clear here",
                    "leave `in_clear` out",
                );
            }
            let tls = PeerTls {
                ca: ca.map_or(Some(None), |(_, ca)| ca.map(Some))?,
                client: client.map_or(Some(None), |(_, client)| client.map(Some))?,
            };
            let tls = Some(tls);
            return Some((Peer { host, port, tls }, target));
        }
        for (key, node) in [
            ("ca", ca.map(|(node, _)| node)),
            ("client", client.map(|(node, _)| node)),
        ] {
            if let Some(node) = node {
                let label = format!("`{key}` means nothing without TLS");
                self.bad_sink(&node.place, &label, &schemes.help());
            }
        }
        if !is_loopback(&host) && is_clear_allowed.flatten() != Some(true) {
            let help = format!(
                "write `{}://`, which everybody on the way can neither read nor change; or say that you know: `in_clear: allowed`",
                schemes.tls.0
            );
            self.bad_sink(
                &text.place,
                "events would leave this machine in clear",
                &help,
            );
            return None;
        }
        let tls = None;
        Some((Peer { host, port, tls }, target))
    }

    fn client(&mut self, node: &Node) -> Option<(Spanned<PathBuf>, Spanned<PathBuf>)> {
        const CLIENT: Form = Form {
            what: "`client`",
            known: &["certificate", "key"],
            refused: &[],
        };
        let keys = CLIENT.read(node, self.found)?;
        let certificate = keys.require("certificate", self.found);
        let certificate = certificate.and_then(|node| self.certificates(node, "`certificate`"));
        let key = keys.require("key", self.found);
        let key = key.and_then(|node| self.private_key(node, "`key`"));
        let (certificate, key) = (certificate?, key?);
        self.reads_once(&certificate.value);
        self.reads_once(&key.value);
        Some((certificate, key))
    }

    fn region(&mut self, node: &Node) -> Option<String> {
        let text = node.text("`region`", self.found)?;
        let is_assigned =
            text.value.len() == 2 && REGIONS.split(' ').any(|code| code == text.value);
        if !is_assigned {
            let title = format!("{} is not a country", quoted(text.value));
            let problem = Diagnostic::error(codes::BAD_SINK, title);
            let label = "must be one of the codes of ISO 3166-1 alpha-2, in capitals";
            let help = "write the country in which the receiver keeps the events, such as `FR` or `DE`; a union of countries is none";
            self.found.push(problem.at(&text.place, label).help(help));
        }
        is_assigned.then(|| text.value.to_owned())
    }

    fn bad_sink(&mut self, place: &Place, label: &str, help: &str) {
        let problem = Diagnostic::error(codes::BAD_SINK, "this is not a sink");
        self.found.push(problem.at(place, label).help(help));
    }
}

/// The schemes of an address, with TLS and in clear, and their usual ports.
#[derive(Clone, Copy, Debug)]
struct Schemes {
    tls: (&'static str, u16),
    clear: (&'static str, u16),
    /// Whether a path and a query may stand behind the port.
    has_path: bool,
}

impl Schemes {
    fn help(&self) -> String {
        let path = if self.has_path { "/path" } else { "" };
        format!("write `{}://host:{}{path}`", self.tls.0, self.tls.1)
    }
}

/// Whether TLS is spoken, host, port, and path with query.
fn split(text: &str, schemes: &Schemes) -> Result<(bool, String, u16, String), &'static str> {
    let (scheme, rest) = text.split_once("://").ok_or("has no scheme")?;
    let is_tls = match scheme {
        scheme if scheme == schemes.tls.0 => true,
        scheme if scheme == schemes.clear.0 => false,
        _ => return Err("has another scheme"),
    };
    let is_plain = |b: u8| {
        b.is_ascii_graphic()
            && !matches!(
                b,
                b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#'
            )
    };
    if text.len() > URL_BYTES_MAX || !text.bytes().all(is_plain) {
        return Err("holds what does not stand in a URL");
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let target = rest.strip_prefix(authority).unwrap_or_default();
    if authority.contains('@') {
        return Err("must not hold a user or password");
    }
    if !schemes.has_path && !target.is_empty() {
        return Err("has something behind its port");
    }
    // The scheme does not matter for the rest.
    let uri: Uri = format!("https://{rest}")
        .parse()
        .map_err(|_| "is not a URL")?;
    let host = uri.host().unwrap_or_default();
    let port = authority.strip_prefix(host);
    if host.is_empty() || (port != Some("") && uri.port_u16().is_none_or(|port| port == 0)) {
        return Err("has no valid host or port");
    }
    let usual = if is_tls {
        schemes.tls.1
    } else {
        schemes.clear.1
    };
    let host = host.trim_matches(['[', ']']).to_owned();
    if rustls_pki_types::ServerName::try_from(host.as_str()).is_err() {
        return Err("has no valid host or port");
    }
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    Ok((
        is_tls,
        host,
        uri.port_u16().unwrap_or(usual),
        target.to_owned(),
    ))
}

fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether a file lies in a folder, whatever their names are.
fn lies_in(path: &Path, dir: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let parent = path.parent().map(real);
    parent.is_some_and(|parent| parent.starts_with(real(dir))) || real(path).starts_with(real(dir))
}

fn is_same(one: &Sink, other: &Sink) -> bool {
    match (&one.receiver, &other.receiver) {
        (Receiver::Stdout, Receiver::Stdout) => true,
        (Receiver::File(one), Receiver::File(other)) => {
            let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
            real(&one.value) == real(&other.value)
        }
        _ => false,
    }
}
