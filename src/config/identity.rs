//! Reads the section `identity`, and the ways of listeners; checks how both fit together.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Form, Node, Spanned, quoted};

use super::listeners::ReadListener;
use super::read::Reader;
use super::{ApiKeys, Issuer, TrustedFront, Upstream, codes};

/// Who issues proofs that listeners accept besides sessions of the CRM.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Issuers of tokens, their names unique.
    pub issuers: Vec<Issuer>,
    /// API keys. Default: none.
    pub keys: Option<ApiKeys>,
    /// A proxy before this one that authenticates. Default: none.
    pub front: Option<TrustedFront>,
}

/// A way in which a caller proves who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// A session of the CRM: `crm-session`.
    CrmSession,
    /// A token of an issuer: `token`.
    Token,
    /// An API key: `key`.
    Key,
    /// A client certificate: `certificate`.
    Certificate,
    /// An authenticating proxy: `front`.
    Front,
}

impl Way {
    /// All ways, by the words of the configuration.
    pub const ALL: &[(&str, Self)] = &[
        ("crm-session", Self::CrmSession),
        ("token", Self::Token),
        ("key", Self::Key),
        ("certificate", Self::Certificate),
        ("front", Self::Front),
    ];

    /// The word of the configuration and the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CrmSession => "crm-session",
            Self::Token => "token",
            Self::Key => "key",
            Self::Certificate => "certificate",
            Self::Front => "front",
        }
    }
}

impl Reader<'_> {
    pub(super) fn identity(&mut self, node: &Node) -> Option<Identity> {
        const FORM: Form = Form {
            what: "`identity`",
            known: &["tokens", "keys", "front"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let issuers = keys
            .get("tokens")
            .map_or(Some(Vec::new()), |node| self.issuers(node));
        let api_keys = keys
            .get("keys")
            .map_or(Some(None), |node| self.api_keys(node).map(Some));
        let front = keys
            .get("front")
            .map_or(Some(None), |node| self.front(node).map(Some));
        Some(Identity {
            issuers: issuers?,
            keys: api_keys?,
            front: front?,
        })
    }

    /// The ways that a listener accepts, each once.
    pub(super) fn ways(&mut self, node: &Node) -> Option<Vec<Way>> {
        let mut ways = Vec::new();
        for node in node.one_or_list() {
            let way = node.choice("way to prove who one is", Way::ALL, self.found)?;
            if ways.contains(&way) {
                let title = format!("`{}` is named twice", way.as_str());
                self.found
                    .push(Diagnostic::error(codes::BAD_WAY, title).at(&node.place, "again here"));
            }
            ways.push(way);
        }
        if ways.is_empty() {
            let problem = Diagnostic::error(codes::BAD_WAY, "nobody could prove who they are");
            let problem = problem.at(&node.place, "at least one way is needed");
            self.found.push(problem);
        }
        Some(ways)
    }

    /// Callers of other ways are named by these words in the log: nobody's subject is somebody's key.
    pub(super) fn not_of_a_way(&mut self, name: &Spanned<String>) {
        if Way::ALL.iter().any(|(word, _)| *word == name.value) {
            let title = format!("{} is not a name of an issuer", quoted(&name.value));
            let problem = Diagnostic::error(codes::BAD_NAME, title);
            self.found
                .push(problem.at(&name.place, "callers of another way are named so"));
        }
    }

    /// Each way has behind it what judges it; whoever has no session of the CRM needs an account of the proxy's.
    pub(super) fn backed(
        &mut self,
        listeners: &[ReadListener],
        upstreams: &BTreeMap<String, Upstream>,
        identity: &Identity,
    ) {
        for read in listeners {
            let listener = &read.listener;
            let clients = listener.tls.as_ref().and_then(|tls| tls.clients.as_ref());
            for way in &listener.ways {
                let (is_backed, fix) = match way {
                    Way::CrmSession => (true, ""),
                    Way::Token => (
                        !identity.issuers.is_empty(),
                        "add an issuer to `identity.tokens`",
                    ),
                    Way::Key => (
                        identity.keys.is_some(),
                        "name their file: `identity: { keys: { file: … } }`",
                    ),
                    Way::Certificate => {
                        (clients.is_some(), "add `clients` to the listener's `tls`")
                    }
                    Way::Front => (
                        identity.front.is_some(),
                        "say who it is: `identity: { front: … }`",
                    ),
                };
                if !is_backed {
                    let title = format!("nothing judges the way `{}`", way.as_str());
                    let problem = Diagnostic::error(codes::BAD_WAY, title);
                    self.found
                        .push(problem.at(&read.ways, "accepted here").help(fix));
                }
            }
            let other = listener.ways.iter().find(|way| **way != Way::CrmSession);
            let upstream = upstreams.get(&listener.upstream);
            if let (Some(way), Some(upstream)) = (other, upstream)
                && upstream.service.is_none()
            {
                let title = format!(
                    "the upstream {} has no account for callers without a session",
                    quoted(&listener.upstream)
                );
                self.found.push(
                    Diagnostic::error(codes::BAD_WAY, title)
                        .at(
                            &read.ways,
                            format!("whoever comes by `{}` has none", way.as_str()),
                        )
                        .also(&upstream.place, "the CRM")
                        .help("add `service` to the upstream: docs/identity/service.md"),
                );
            }
        }
        self.idle(listeners, identity);
    }

    /// What is configured and that no listener accepts.
    fn idle(&mut self, listeners: &[ReadListener], identity: &Identity) {
        let accepts = |way| {
            listeners
                .iter()
                .any(|read| read.listener.ways.contains(&way))
        };
        let issuers = identity
            .issuers
            .iter()
            .map(|issuer| (Way::Token, &issuer.place));
        let keys = identity
            .keys
            .iter()
            .map(|keys| (Way::Key, &keys.file.place));
        for (way, place) in issuers.chain(keys) {
            if !accepts(way) {
                let title = format!("no listener accepts the way `{}`", way.as_str());
                self.found.push(
                    Diagnostic::warning(codes::UNUSED_WAY, title)
                        .at(place, "nobody can come by this")
                        .help(format!(
                            "add `{}` to the `identity` of a listener",
                            way.as_str()
                        )),
                );
            }
        }
    }
}
