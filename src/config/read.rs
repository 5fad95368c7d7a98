//! Reads the sections of a server configuration. Every mistake is reported and reading goes on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::diagnostic::{
    Diagnostic, Diagnostics, File, Form, Keys, Node, Place, Spanned, everybody_may_write, quoted,
};

use crate::files::words;

use super::secrets::Wanted;
use super::state::State;
use super::{
    Config, Identity, Limits, Log, LogFormat, Once, Reload, Secret, Secrets, codes, files,
};

/// Characters of a name.
const NAME_CHARACTERS_MAX: usize = 100;

/// A path, and where it stands.
pub(super) fn placed(path: PathBuf, node: &Node) -> Spanned<PathBuf> {
    Spanned {
        value: path,
        place: node.place.clone(),
    }
}

/// Where reading stands: the configuration's folder, and what was found so far.
pub(super) struct Reader<'a> {
    folder: &'a Path,
    once: Vec<Once>,
    pub(super) found: &'a mut Diagnostics,
}

pub(super) fn read(
    file: &File,
    folder: &Path,
    once: Once,
    found: &mut Diagnostics,
) -> Option<Config> {
    const FORM: Form = Form {
        what: "a configuration",
        known: &[
            "listeners",
            "admin",
            "identity",
            "upstreams",
            "policies",
            "keys",
            "audit",
            "state",
            "portal",
            "mail",
            "limits",
            "log",
            "hosts",
            "observe",
            "stop_timeout",
            "reload",
        ],
        refused: &[],
    };
    let root = crate::diagnostic::read(file, found)?;
    let keys = FORM.read(&root, found)?;
    let once = vec![once];
    Reader {
        folder,
        once,
        found,
    }
    .config(&keys)
}

/// The folder of the state, if nobody says where it is: beside that of the log.
fn beside(log: &Spanned<PathBuf>) -> Spanned<PathBuf> {
    Spanned {
        value: log.value.with_file_name("state"),
        place: log.place.clone(),
    }
}

impl Reader<'_> {
    fn config(mut self, keys: &Keys<'_>) -> Option<Config> {
        // Every section is read before anything is given up.
        let upstreams = keys
            .require("upstreams", self.found)
            .map(|node| (node, self.upstreams(node)));
        let listeners = keys
            .require("listeners", self.found)
            .map(|node| (node, self.listeners(node)));
        let identity = keys
            .get("identity")
            .map_or_else(|| Some(Identity::default()), |node| self.identity(node));
        let admin = self.admin(keys);
        let policies = keys
            .require("policies", self.found)
            .and_then(|node| self.policies(node));
        let secrets = keys
            .require("keys", self.found)
            .and_then(|node| self.keys(node));
        let audit = keys
            .require("audit", self.found)
            .and_then(|node| self.audit(node));
        let state = keys
            .get("state")
            .map_or_else(|| Some(State::default()), |node| self.state(node));
        let (portal, mail) = self.portal_and_mail(keys);
        let limits = keys
            .get("limits")
            .map_or_else(Limits::default, |node| self.limits(node));
        let log = self.log(keys.get("log"));
        let hosts = keys
            .get("hosts")
            .map_or_else(Vec::new, |node| self.hosts(node));
        let observe = self.observe(keys.get("observe"));
        let stop_timeout = self.wait(keys, "stop_timeout", Config::STOP_TIMEOUT_DEFAULT);
        let reload = keys
            .get("reload")
            .map_or_else(Reload::default, |node| self.reload(node));
        let ((listeners_node, listeners), (upstreams_node, upstreams)) = (listeners?, upstreams?);
        self.none_of("listener", listeners_node, listeners.is_empty());
        self.none_of("upstream", upstreams_node, upstreams.is_empty());
        if let Some(identity) = &identity {
            let has_api_key = secrets.as_ref().map(|secrets| secrets.api.is_some());
            self.identity_fits(identity, has_api_key, &upstreams);
        }
        self.addresses(&listeners, admin.as_ref());
        self.links(&listeners, upstreams_node);
        self.gets(&listeners, &upstreams);
        if let Some(identity) = &identity {
            self.backed(&listeners, &upstreams, identity);
        }
        if let (Some(portal), Some(mail), Some(secrets)) = (&portal, &mail, &secrets) {
            if let Some(portal) = portal {
                self.portal_apart(portal, &listeners, admin.as_ref());
            }
            let both = (portal.as_ref(), mail.as_ref().map(|mail| &mail.place));
            self.portal_complete(both, !secrets.person.is_empty());
        }
        let (audit, state) = (audit?, state?);
        Some(Config {
            state: state.dir.unwrap_or_else(|| beside(&audit.dir)),
            postgres: state.postgres,
            ledger_bytes_max: state.memory_max,
            listeners: listeners.into_iter().map(|read| read.listener).collect(),
            admin: admin
                .as_ref()
                .map_or(Config::ADMIN_DEFAULT, |admin| admin.value),
            admin_place: admin.map(|admin| admin.place),
            identity: identity?,
            upstreams,
            policies: policies?,
            audit,
            portal: portal?,
            mail: mail?,
            limits,
            log,
            hosts,
            observe: observe?,
            stop_timeout,
            reload,
            read_once: self.once,
            secrets: secrets?,
        })
    }

    fn portal_and_mail(
        &mut self,
        keys: &Keys<'_>,
    ) -> (Option<Option<super::Portal>>, Option<Option<super::Mail>>) {
        let portal = keys
            .get("portal")
            .map_or(Some(None), |node| self.portal(node).map(Some));
        let mail = keys
            .get("mail")
            .map_or(Some(None), |node| self.mail(node).map(Some));
        (portal, mail)
    }

    /// Whether what proves who callers are goes with the keys and the CRMs.
    fn identity_fits(
        &mut self,
        identity: &Identity,
        has_api_key: Option<bool>,
        upstreams: &BTreeMap<String, super::Upstream>,
    ) {
        if let (Some(keys), Some(has_api_key)) = (&identity.keys, has_api_key) {
            self.needs_api_key(keys, has_api_key);
        }
        if let Some(front) = &identity.front {
            self.front_apart(front, upstreams.values());
        }
    }

    /// Tells that there is nothing of which there must be something.
    fn none_of(&mut self, what: &str, node: &Node, is_none: bool) {
        if is_none && !self.found.has_errors() {
            self.found.push(
                Diagnostic::error(codes::NONE, format!("there is no {what}"))
                    .at(&node.place, "at least one is needed"),
            );
        }
    }

    /// Whether a whole policy may only observe.
    fn observe(&mut self, node: Option<&Node>) -> Option<bool> {
        const WORDS: &[(&str, bool)] = &[("refused", false), ("allowed", true)];
        node.map_or(Some(false), |node| {
            node.choice("value of `observe`", WORDS, self.found)
        })
    }

    /// The configuration's folder.
    pub(super) fn folder(&self) -> &Path {
        self.folder
    }

    /// Notes a file that is about to be read and never again.
    pub(super) fn reads_once(&mut self, path: &Path) {
        self.once.push(Once::of(path));
    }

    /// A path, relative to the configuration's folder.
    pub(super) fn path(&mut self, node: &Node, what: &str) -> Option<PathBuf> {
        let text = node.verbatim(what, self.found)?;
        if text.value.is_empty() || text.value.contains('\0') {
            self.found.push(
                Diagnostic::error(codes::UNREADABLE, format!("{what} is not a path"))
                    .at(&text.place, "not a path"),
            );
            return None;
        }
        Some(self.folder.join(text.value))
    }

    pub(super) fn unreadable(
        &mut self,
        what: &str,
        path: &Path,
        place: &Place,
        error: &std::io::Error,
    ) {
        self.found.push(
            Diagnostic::error(codes::UNREADABLE, format!("could not read {what}"))
                .at(place, words(error))
                .help(format!("looked for `{}`", path.display())),
        );
    }

    /// A file of certificates.
    pub(super) fn certificates(&mut self, node: &Node, what: &str) -> Option<Spanned<PathBuf>> {
        let path = self.path(node, what)?;
        let read = files::has_certificates(&path);
        self.pem(node, what, "certificate", &path, read)
            .then(|| placed(path, node))
    }

    /// A file of the authorities of somebody who is asked: it is read once.
    pub(super) fn authorities(&mut self, node: &Node) -> Option<PathBuf> {
        let path = self.path(node, "`ca`")?;
        self.reads_once(&path);
        self.certificates(node, "`ca`").map(|ca| ca.value)
    }

    /// The file of a private key.
    pub(super) fn private_key(&mut self, node: &Node, what: &str) -> Option<Spanned<PathBuf>> {
        let path = self.path(node, what)?;
        let read = if everybody_may_write(&path) {
            Err(std::io::Error::other("everybody may write it"))
        } else {
            files::has_key(&path)
        };
        self.pem(node, what, "private key", &path, read)
            .then(|| placed(path, node))
    }

    fn pem(
        &mut self,
        node: &Node,
        what: &str,
        content: &str,
        path: &Path,
        read: std::io::Result<bool>,
    ) -> bool {
        match read {
            Ok(true) => return true,
            Ok(false) => self.found.push(
                Diagnostic::error(codes::BAD_PEM, format!("{what} holds no {content}")).at(
                    &node.place,
                    format!("no {content} in PEM form in this file"),
                ),
            ),
            Err(error) => self.unreadable(what, path, &node.place, &error),
        }
        false
    }

    /// Reports a name that messages and metrics could not carry.
    pub(super) fn check_name(&mut self, what: &str, name: &Spanned<String>) {
        let good = (1..=NAME_CHARACTERS_MAX).contains(&name.value.len())
            && name
                .value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if !good {
            self.found.push(
                Diagnostic::error(
                    codes::BAD_NAME,
                    format!("{} is not a name of {what}", quoted(&name.value)),
                )
                .at(
                    &name.place,
                    "must be made of ASCII letters, digits, `.`, `_` and `-`",
                ),
            );
        }
    }

    pub(super) fn address(&mut self, node: &Node) -> Option<Spanned<SocketAddr>> {
        let text = node.text("an address", self.found)?;
        match text.value.parse() {
            Ok(value) => Some(Spanned {
                value,
                place: text.place,
            }),
            Err(_) => {
                self.found.push(
                    Diagnostic::error(
                        codes::BAD_ADDRESS,
                        format!("{} is not an address", quoted(text.value)),
                    )
                    .at(
                        &text.place,
                        "must be of the form `127.0.0.1:8080` or `[::1]:8080`",
                    )
                    .help(
                        "write an IP address and a port; `0.0.0.0` stands for all of this machine",
                    ),
                );
                None
            }
        }
    }

    fn admin(&mut self, keys: &Keys<'_>) -> Option<Spanned<SocketAddr>> {
        const FORM: Form = Form {
            what: "`admin`",
            known: &["bind"],
            refused: &[],
        };
        let keys = FORM.read(keys.get("admin")?, self.found)?;
        let bind = keys.require("bind", self.found)?;
        let admin = self.address(bind)?;
        if !admin.value.ip().is_loopback() {
            self.found.push(
                Diagnostic::warning(
                    codes::ADMIN_OPEN,
                    "the admin listener is not on a loopback address",
                )
                .at(
                    &admin.place,
                    "health and metrics are open to whoever reaches this address",
                ),
            );
        }
        Some(admin)
    }

    fn policies(&mut self, node: &Node) -> Option<PathBuf> {
        let path = self.path(node, "`policies`")?;
        if let Err(error) = std::fs::read_dir(&path) {
            self.unreadable("the policy folder", &path, &node.place, &error);
        }
        Some(path)
    }

    /// Whether everybody may read secrets, the token key, and the key of API keys.
    fn keys(&mut self, node: &Node) -> Option<Secrets> {
        const FORM: Form = Form {
            what: "`keys`",
            known: &[
                "token",
                "api",
                "audit",
                "person",
                "receipts",
                "readable_by_all",
            ],
            refused: &[],
        };
        const TOKEN: Wanted = Wanted {
            what: "the token key",
            help: "make one with `(umask 077; head -c 32 /dev/urandom > token.key)`",
        };
        const API: Wanted = Wanted {
            what: "the key of API keys",
            help: "make one with `(umask 077; head -c 32 /dev/urandom > api.key)`",
        };
        const RECEIPTS: Wanted = Wanted {
            what: "the key of receipts",
            help: "make one with `(umask 077; openssl genpkey -algorithm ed25519 -out receipts.pem)`",
        };
        let keys = FORM.read(node, self.found)?;
        let readable_by_all = keys
            .get("readable_by_all")
            .and_then(|node| node.boolean("`readable_by_all`", self.found));
        let token = keys.require("token", self.found);
        let token = token.and_then(|node| self.key(node, TOKEN));
        let api = keys
            .get("api")
            .map_or(Some(None), |node| self.key(node, API).map(Some));
        let audit = keys
            .get("audit")
            .map_or_else(|| Some(Vec::new()), |node| self.audit_keys(node));
        let person = keys
            .get("person")
            .map_or_else(|| Some(Vec::new()), |node| self.person_keys(node));
        let receipts = keys
            .get("receipts")
            .map_or(Some(None), |node| self.key(node, RECEIPTS).map(Some));
        Some(Secrets {
            audit: audit?,
            person: person?,
            receipts: receipts?,
            keys_place: keys.place().clone(),
            readable_by_all: readable_by_all.unwrap_or(false),
            token: token?,
            api: api?,
        })
    }

    /// The keys that sign checkpoints of the access log. What they hold is looked at by who signs.
    fn audit_keys(&mut self, node: &Node) -> Option<Vec<Secret>> {
        const AUDIT: Wanted = Wanted {
            what: "a key that signs checkpoints",
            help: "make one with `paravent audit keygen --out DIR`",
        };
        let items = node.list("`audit`", self.found)?;
        let read: Vec<_> = items.iter().map(|item| self.key(item, AUDIT)).collect();
        read.into_iter().collect()
    }

    fn log(&mut self, node: Option<&Node>) -> Log {
        const FORM: Form = Form {
            what: "`log`",
            known: &["format", "level"],
            refused: &[],
        };
        const FORMATS: &[(&str, LogFormat)] =
            &[("text", LogFormat::Text), ("json", LogFormat::Json)];
        const LEVELS: &[(&str, &str)] = &[
            ("error", "error"),
            ("warn", "warn"),
            ("info", "info"),
            ("debug", "debug"),
            ("trace", "trace"),
        ];
        let keys = node.and_then(|node| FORM.read(node, self.found));
        let get = |key| keys.and_then(|keys| keys.get(key));
        Log {
            format: get("format")
                .and_then(|node| node.choice("log format", FORMATS, self.found))
                .unwrap_or(LogFormat::Text),
            level: get("level")
                .and_then(|node| node.choice("log level", LEVELS, self.found))
                .unwrap_or("info"),
        }
    }

    fn hosts(&mut self, node: &Node) -> Vec<String> {
        let mut hosts = Vec::new();
        for host in node.texts("`hosts`", self.found).unwrap_or_default() {
            let authority = host.value.parse::<http::uri::Authority>();
            match authority {
                Ok(authority) if authority.as_str() == authority.host() => {
                    hosts.push(host.value.to_ascii_lowercase())
                }
                _ => self.found.push(
                    Diagnostic::error(
                        codes::BAD_NAME,
                        format!("{} is not a host name", quoted(host.value)),
                    )
                    .at(&host.place, "must be a host name without a port"),
                ),
            }
        }
        hosts
    }
}
