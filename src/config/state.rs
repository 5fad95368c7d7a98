//! Reads where is kept what is kept over restarts, and the keys of the consent ledger.

use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Form, Keys, Node, Spanned};

use super::read::{Reader, placed};
use super::secrets::Wanted;
use super::{Secret, codes};

/// Bytes of memory that standings may take, if the configuration does not say.
const MEMORY_MAX: u64 = 512 << 20;
/// Where PostgreSQL listens, if the configuration does not say.
const PORT: u16 = 5432;

/// The database that the nodes of one installation share. TLS always, but on a loopback address or a folder of sockets.
#[derive(Clone, Debug)]
pub struct Postgres {
    /// A host, or the folder of its socket.
    pub host: String,
    /// Its port. Default: 5432.
    pub port: u16,
    /// The name of the database. Default: `paravent`.
    pub database: String,
    /// The user. Default: `paravent`.
    pub user: String,
    /// The user's password. Default: none, as with `peer` and certificates.
    pub password: Option<Secret>,
    /// A file of the authorities that are trusted (PEM). Default: those that the system trusts.
    pub ca: Option<PathBuf>,
    /// Host and port at which changes can be listened for, where `host` is a pooler. Default: `host` and `port`.
    pub listen: Option<(String, u16)>,
}

/// The section `state`.
#[derive(Debug)]
pub(super) struct State {
    pub(super) dir: Option<Spanned<PathBuf>>,
    pub(super) postgres: Option<Postgres>,
    pub(super) memory_max: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            dir: None,
            postgres: None,
            memory_max: MEMORY_MAX,
        }
    }
}

impl Reader<'_> {
    /// Where the state is kept.
    pub(super) fn state(&mut self, node: &Node) -> Option<State> {
        const FORM: Form = Form {
            what: "`state`",
            known: &["dir", "memory_max", "postgres"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let bounds = 1 << 20..=1 << 40;
        let memory_max = keys.get("memory_max").map_or(Some(MEMORY_MAX), |node| {
            let bytes = node.bytes("`memory_max`", bounds, self.found)?;
            u64::try_from(bytes).ok()
        });
        let (dir, postgres) = match (keys.get("dir"), keys.get("postgres")) {
            (Some(_), Some(postgres)) => {
                let title = "the state is in a folder or in a database, not in both";
                self.found.push(
                    Diagnostic::error(codes::BAD_STATE, title)
                        .at(&postgres.place, "`dir` stands beside it")
                        .help("what all nodes share is in `postgres`; remove `dir`"),
                );
                return None;
            }
            (None, Some(postgres)) => (None, Some(self.postgres(postgres)?)),
            (Some(dir), None) => (Some(self.state_dir(dir)?), None),
            // Nothing but bounds: the folder is where it always is.
            (None, None) if keys.get("memory_max").is_some() => (None, None),
            (None, None) => {
                keys.require("dir", self.found)?;
                (None, None)
            }
        };
        Some(State {
            dir,
            postgres,
            memory_max: memory_max?,
        })
    }

    fn state_dir(&mut self, dir: &Node) -> Option<Spanned<PathBuf>> {
        let path = self.path(dir, "`dir`")?;
        if path.exists() && !path.is_dir() {
            let error = std::io::Error::from(std::io::ErrorKind::NotADirectory);
            self.unreadable("the folder of the state", &path, &dir.place, &error);
        }
        Some(placed(path, dir))
    }

    fn postgres(&mut self, node: &Node) -> Option<Postgres> {
        const FORM: Form = Form {
            what: "`postgres`",
            known: &[
                "host", "port", "database", "user", "password", "ca", "listen",
            ],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let host = keys.require("host", self.found);
        let host = host.and_then(|node| node.text("`host`", self.found));
        let port = keys.get("port").map_or(Some(PORT), |node| {
            let port = node.integer("`port`", 1..=65_535, self.found)?;
            u16::try_from(port).ok()
        });
        let named = |reader: &mut Self, key, what| match keys.get(key) {
            Some(node) => node
                .text(what, reader.found)
                .map(|text| text.value.to_owned()),
            None => Some("paravent".to_owned()),
        };
        let database = named(self, "database", "`database`");
        let user = named(self, "user", "`user`");
        let password = keys
            .get("password")
            .map_or(Some(None), |node| self.postgres_password(node).map(Some));
        let ca = keys
            .get("ca")
            .map_or(Some(None), |node| self.authorities(node).map(Some));
        let listen = keys
            .get("listen")
            .map_or(Some(None), |node| self.listen(node).map(Some));
        Some(Postgres {
            host: host?.value.to_owned(),
            port: port?,
            database: database?,
            user: user?,
            password: password?,
            ca: ca?,
            listen: listen?,
        })
    }

    fn postgres_password(&mut self, node: &Node) -> Option<Secret> {
        const PASSWORD: Wanted = Wanted {
            what: "the password of the database",
            help: "write the password into a file that only Paravent reads, and name it: `{ file: pg.password }`",
        };
        const FORM: Form = Form {
            what: "a secret",
            known: &["file", "env"],
            refused: &[],
        };
        let keys: Keys<'_> = FORM.read(node, self.found)?;
        self.secret(&keys, PASSWORD)
    }

    /// `host:port`.
    fn listen(&mut self, node: &Node) -> Option<(String, u16)> {
        let text = node.text("`listen`", self.found)?;
        let parts = text.value.rsplit_once(':');
        let read = parts.and_then(|(host, port)| {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            (!host.is_empty()).then_some((host.to_owned(), port.parse().ok()?))
        });
        if read.is_none() {
            let title = "`listen` names no host and port";
            self.found.push(
                Diagnostic::error(codes::BAD_STATE, title)
                    .at(&text.place, "must be of the form `pg.internal:5432`"),
            );
        }
        read
    }

    /// The keys under which the consent ledger keeps persons: one, or two while one takes the other's place.
    pub(super) fn person_keys(&mut self, node: &Node) -> Option<Vec<Secret>> {
        const PERSON: Wanted = Wanted {
            what: "a key of persons",
            help: "make one with `(umask 077; head -c 32 /dev/urandom > person.key)`; it must be kept for as long as the ledger",
        };
        const BYTES_MIN: usize = 32;
        let items = node.list("`person`", self.found)?;
        let mut keys: Vec<Secret> = Vec::new();
        for item in items {
            let key = self.key_of(item, PERSON, BYTES_MIN)?;
            if key.bytes().len() < BYTES_MIN {
                self.bad_secret(PERSON, &item.place, "must hold 32 bytes or more");
                return None;
            }
            if keys.iter().any(|known| known.bytes() == key.bytes()) {
                self.bad_secret(PERSON, &item.place, "this key is named twice");
                return None;
            }
            keys.push(key);
        }
        match (1..=2).contains(&keys.len()) {
            true => Some(keys),
            false => {
                self.bad_secret(
                    PERSON,
                    &node.place,
                    "names one key, or two while one takes the other's place",
                );
                None
            }
        }
    }
}
