//! Reads the section `listeners`, and checks how addresses and upstreams fit together.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::diagnostic::{Diagnostic, Form, Node, NodeKind, Place, Spanned, quoted};
use crate::dialect;

use super::read::Reader;
use super::{Config, Listener, Tls, Upstream, Way, codes};

/// A listener, and where its parts stand.
pub(super) struct ReadListener {
    pub(super) listener: Listener,
    name: Place,
    upstream: Place,
    v4_get: Option<Place>,
    pub(super) ways: Place,
}

impl Reader<'_> {
    pub(super) fn listeners(&mut self, node: &Node) -> Vec<ReadListener> {
        let mut listeners: Vec<ReadListener> = Vec::new();
        for node in node.list("`listeners`", self.found).unwrap_or_default() {
            let Some(read) = self.listener(node) else {
                continue;
            };
            let first = listeners
                .iter()
                .find(|other| other.listener.name == read.listener.name);
            if let Some(first) = first {
                self.found.push(
                    Diagnostic::error(
                        codes::BAD_NAME,
                        format!("listener {} is defined twice", quoted(&read.listener.name)),
                    )
                    .at(&read.name, "defined again here")
                    .also(&first.name, "first defined here"),
                );
            }
            listeners.push(read);
        }
        listeners
    }

    fn listener(&mut self, node: &Node) -> Option<ReadListener> {
        const FORM: Form = Form {
            what: "a listener",
            known: &[
                "name",
                "bind",
                "upstream",
                "identity",
                "tls",
                "trusted_proxies",
                "v4_get",
            ],
            refused: &[],
        };
        const GETS: &[(&str, bool)] = &[("refused", false), ("allowed", true)];
        let keys = FORM.read(node, self.found)?;
        let name = keys
            .require("name", self.found)
            .and_then(|node| node.text("a name", self.found))
            .map(Spanned::into_owned);
        if let Some(name) = &name {
            self.check_name("a listener", name);
        }
        let bind = keys
            .require("bind", self.found)
            .and_then(|node| self.address(node));
        let upstream = keys
            .require("upstream", self.found)
            .and_then(|node| node.text("`upstream`", self.found))
            .map(Spanned::into_owned);
        let ways = keys
            .get("identity")
            .map_or_else(|| Some(vec![Way::CrmSession]), |node| self.ways(node));
        let tls = keys.get("tls").map(|node| self.tls(node));
        let trusted_proxies = keys
            .get("trusted_proxies")
            .map_or_else(Vec::new, |node| self.networks(node, "`trusted_proxies`"));
        let v4_get = keys.get("v4_get");
        let is_get_allowed =
            v4_get.map_or(Some(false), |node| node.choice("v4_get", GETS, self.found));
        if let (Some(bind), None) = (&bind, &tls)
            && !bind.value.ip().is_loopback()
        {
            self.found.push(
                Diagnostic::warning(codes::CLEAR_TEXT, "callers' credentials travel in clear")
                    .at(&bind.place, "an address beyond this machine, without `tls`")
                    .help("add `tls`, unless something before this listener speaks it"),
            );
        }
        let (name, bind, upstream) = (name?, bind?, upstream?);
        Some(ReadListener {
            listener: Listener {
                name: name.value,
                bind,
                upstream: upstream.value,
                tls: match tls {
                    Some(tls) => Some(tls?),
                    None => None,
                },
                ways: ways?,
                trusted_proxies,
                v4_get: is_get_allowed?,
            },
            name: name.place,
            upstream: upstream.place,
            v4_get: v4_get.map(|node| node.place.clone()),
            ways: keys
                .get("identity")
                .map_or_else(|| keys.place().clone(), |node| node.place.clone()),
        })
    }

    pub(super) fn tls(&mut self, node: &Node) -> Option<Tls> {
        const FORM: Form = Form {
            what: "`tls`",
            known: &["certificate", "key", "clients"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let clients = keys
            .get("clients")
            .map_or(Some(None), |node| self.clients(node).map(Some));
        let certificate = keys
            .require("certificate", self.found)
            .and_then(|node| self.certificates(node, "`certificate`"));
        let key = keys
            .require("key", self.found)
            .and_then(|node| self.private_key(node, "`key`"));
        Some(Tls {
            certificate: certificate?,
            key: key?,
            clients: clients?,
        })
    }

    /// No two listeners share an address, and none has the admin listener's.
    pub(super) fn addresses(
        &mut self,
        listeners: &[ReadListener],
        admin: Option<&Spanned<SocketAddr>>,
    ) {
        for (at, read) in listeners.iter().enumerate() {
            let bind = read.listener.bind.value;
            for other in listeners.iter().take(at) {
                if clash(bind, other.listener.bind.value) {
                    self.found.push(
                        Diagnostic::error(codes::SAME_ADDRESS, "two listeners share an address")
                            .at(&read.listener.bind.place, "this one")
                            .also(&other.listener.bind.place, "and this one"),
                    );
                }
            }
            let admin_bind = admin.map_or(Config::ADMIN_DEFAULT, |admin| admin.value);
            if clash(bind, admin_bind) {
                let diagnostic = Diagnostic::error(
                    codes::SAME_ADDRESS,
                    "a listener shares the admin listener's address",
                )
                .at(
                    &read.listener.bind.place,
                    format!("health and metrics are at {admin_bind}"),
                );
                self.found.push(match admin {
                    Some(admin) => diagnostic.also(&admin.place, "the admin listener"),
                    None => diagnostic.help("choose another port, or set `admin: { bind: … }`"),
                });
            }
        }
    }

    /// Calls in query strings are spoken of only where there are any.
    pub(super) fn gets(
        &mut self,
        listeners: &[ReadListener],
        upstreams: &BTreeMap<String, Upstream>,
    ) {
        for read in listeners {
            let (Some(place), Some(upstream)) =
                (&read.v4_get, upstreams.get(&read.listener.upstream))
            else {
                continue;
            };
            let has_gets = |name| dialect::OF_QUERIES.contains(&name);
            if !upstream.dialects.iter().any(|one| has_gets(one.name())) {
                let only = dialect::OF_QUERIES.join("`, `");
                self.found.push(
                    Diagnostic::warning(codes::NO_GET, "`v4_get` changes nothing here")
                        .at(place, "no dialect of the upstream has such calls")
                        .help(format!("leave it out; only `{only}` has them")),
                );
            }
        }
    }

    /// Every listener has its upstream, and every upstream has a listener.
    pub(super) fn links(&mut self, listeners: &[ReadListener], node: &Node) {
        // What is no map, or blank, was reported.
        let NodeKind::Map(declared) = &node.kind else {
            return;
        };
        for read in listeners {
            let name = &read.listener.upstream;
            // A declared upstream that could not be read was reported already.
            if declared.iter().all(|(key, _)| key.value != *name) {
                self.found.push_named(
                    Diagnostic::error(
                        codes::UNKNOWN_UPSTREAM,
                        format!("unknown upstream {}", quoted(name)),
                    )
                    .at(&read.upstream, "not declared under `upstreams`")
                    .suggest(name, declared.iter().map(|(key, _)| key.value.as_str())),
                );
            }
        }
        // A listener that could not be read may be the one that was meant to use it.
        if self.found.has_errors() {
            return;
        }
        for (key, _) in declared {
            if listeners
                .iter()
                .all(|read| read.listener.upstream != key.value)
            {
                self.found.push(
                    Diagnostic::warning(
                        codes::UNUSED,
                        format!("upstream {} is not used", quoted(&key.value)),
                    )
                    .at(&key.place, "no listener names it"),
                );
            }
        }
    }
}

/// Whether two addresses cannot both be bound. Port 0 stands for any free one.
pub(super) fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port()
        && one.port() != 0
        && (one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified())
}
