//! Reads `audit.sinks`: to whom the events of the access log are carried.

use std::path::{Path, PathBuf};

use crate::config::{Secret, codes};
use crate::diagnostic::{Diagnostic, Form, Keys, Node, Place, Spanned, quoted};

use super::super::read::{Reader, placed};
use super::super::secrets::Wanted;
use super::address::{Address, SYSLOG, Schemes, WEB, is_loopback};
use super::sink::{FACILITIES, Peer, PeerTls, REGIONS, Receiver, Sink, SinkFormat, SinkFrom};

/// Sinks of one configuration.
const SINKS_MAX: usize = 16;
/// Bytes of a name, which is also that of a folder.
const NAME_BYTES_MAX: usize = 64;

const FORM: Form = Form {
    what: "a sink",
    known: SINK_KEYS,
    refused: &[],
};

/// All keys of a sink.
pub(in crate::config) const SINK_KEYS: &[&str] = &[
    "name", "file", "syslog", "https", "format", "region", "from", "ca", "client", "bearer",
    "facility", "gzip", "in_clear",
];

/// The keys that only some receivers have.
const ONLY: &[(&str, &[&str])] = &[
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

/// What a sink says beside where it is. Each is `None` if it is wrong; all of it is read, whatever the receiver has.
struct Told {
    ca: Option<Option<PathBuf>>,
    client: Option<Option<Client>>,
    is_clear_allowed: bool,
    facility: Option<u8>,
    bearer: Option<Option<(String, Secret)>>,
    gzip: Option<bool>,
}

/// A certificate and its key.
type Client = (Spanned<PathBuf>, Spanned<PathBuf>);

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
        let told = self.told_of_sink(&keys);
        let receiver = self.the_receiver(&keys, told, log);
        let format = keys
            .get("format")
            .map_or(Some(SinkFormat::Paravent), |node| {
                node.choice("format of a sink", SinkFormat::ALL, self.found)
            });
        let region = keys
            .get("region")
            .map(|node| self.region(node, codes::BAD_SINK));
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

    fn told_of_sink(&mut self, keys: &Keys<'_>) -> Told {
        const CLEAR: &[(&str, bool)] = &[("refused", false), ("allowed", true)];
        let ca = keys.get("ca");
        let client = keys.get("client");
        let bearer = keys.get("bearer");
        let in_clear = keys.get("in_clear");
        let in_clear =
            in_clear.and_then(|node| node.choice("value of `in_clear`", CLEAR, self.found));
        Told {
            ca: ca.map_or(Some(None), |node| self.authorities(node).map(Some)),
            client: client.map_or(Some(None), |node| self.client(node).map(Some)),
            is_clear_allowed: in_clear.unwrap_or(false),
            facility: keys.get("facility").map_or(Some(13), |node| {
                node.choice("facility", FACILITIES, self.found)
            }),
            bearer: bearer.map_or(Some(None), |node| self.bearer_of_sink(node).map(Some)),
            gzip: keys
                .get("gzip")
                .map_or(Some(true), |node| node.boolean("`gzip`", self.found)),
        }
    }

    /// The one receiver that is stated, with the keys that it has.
    fn the_receiver(
        &mut self,
        keys: &Keys<'_>,
        told: Told,
        log: Option<&Path>,
    ) -> Option<Receiver> {
        let file = keys.get("file").map(|node| self.sink_file(node, log));
        let syslog = keys
            .get("syslog")
            .map(|node| self.address_of(node, &SYSLOG));
        let https = keys.get("https").map(|node| self.address_of(node, &WEB));
        let kinds = ["file", "syslog", "https"].into_iter();
        let mut stated = kinds.filter_map(|kind| Some((kind, keys.get(kind)?)));
        let Some((kind, _)) = stated.next() else {
            let help = "write `file`, `syslog` or `https`";
            self.bad_sink(keys.place(), "says nowhere to go", help);
            return None;
        };
        if let Some((other, second)) = stated.next() {
            let label = format!("`{kind}` stands here already, and `{other}`");
            self.bad_sink(&second.place, &label, "write a sink for each");
            return None;
        }
        for (key, kinds) in ONLY {
            if let Some(node) = keys.get(key).filter(|_| !kinds.contains(&kind)) {
                let label = format!("`{key}` means nothing here: this is a sink of `{kind}`");
                self.bad_sink(&node.place, &label, "leave it out");
            }
        }
        match (file, syslog, https) {
            (Some(file), ..) => file,
            (_, Some(address), _) => Some(Receiver::Syslog {
                facility: told.facility?,
                peer: self.peer(keys, &address?, told, &SYSLOG)?,
            }),
            (.., Some(address)) => {
                let address = address?;
                let (bearer, gzip) = (told.bearer.clone()?, told.gzip?);
                Some(Receiver::Https {
                    peer: self.peer(keys, &address, told, &WEB)?,
                    target: address.target,
                    bearer,
                    gzip,
                })
            }
            (None, None, None) => None,
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

    fn bearer_of_sink(&mut self, node: &Node) -> Option<(String, Secret)> {
        const BEARER_FORM: Form = Form {
            what: "`bearer`",
            known: &["file", "env", "scheme"],
            refused: &[],
        };
        let keys = BEARER_FORM.read(node, self.found)?;
        let scheme = keys.get("scheme").map_or_else(
            || Some("Bearer".to_owned()),
            |node| {
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
            },
        );
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

    fn address_of(&mut self, node: &Node, schemes: &Schemes) -> Option<Address> {
        let text = node.text("the address of a sink", self.found)?;
        match Address::read(&text, schemes) {
            Ok(address) => Some(address),
            Err(why) => {
                self.bad_sink(&text.place, why, &schemes.help());
                None
            }
        }
    }

    /// Where a sink is on the network, and how both sides prove who they are.
    fn peer(
        &mut self,
        keys: &Keys<'_>,
        address: &Address,
        told: Told,
        schemes: &Schemes,
    ) -> Option<Peer> {
        let (host, port) = (address.host.clone(), address.port);
        if address.is_tls {
            if let Some(node) = keys.get("in_clear") {
                let label = "`in_clear` means nothing here: this is TLS";
                self.bad_sink(&node.place, label, "leave it out");
            }
            let (ca, client) = (told.ca?, told.client?);
            let tls = Some(PeerTls { ca, client });
            return Some(Peer { host, port, tls });
        }
        for key in ["ca", "client"] {
            if let Some(node) = keys.get(key) {
                let label = format!("`{key}` means nothing here: this is not TLS");
                self.bad_sink(&node.place, &label, &schemes.help());
            }
        }
        if !is_loopback(&host) && !told.is_clear_allowed {
            let help = format!(
                "write `{}://`, so that nobody on the way can read or change them; or say that you know: `in_clear: allowed`",
                schemes.tls.0
            );
            let label = "events would leave this machine in clear";
            self.bad_sink(&address.place, label, &help);
            return None;
        }
        let tls = None;
        Some(Peer { host, port, tls })
    }

    fn client(&mut self, node: &Node) -> Option<Client> {
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

    /// The country in which a receiver is.
    pub(super) fn region(&mut self, node: &Node, code: &'static str) -> Option<String> {
        let text = node.text("`region`", self.found)?;
        let is_assigned =
            text.value.len() == 2 && REGIONS.split(' ').any(|code| code == text.value);
        if !is_assigned {
            let title = format!("{} is not a country", quoted(text.value));
            let problem = Diagnostic::error(code, title);
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
