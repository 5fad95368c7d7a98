//! Reads `audit.publish`: where signed checkpoints of the log go.

use std::path::PathBuf;

use http::Uri;

use crate::config::codes;
use crate::config::issuers::safe_url;
use crate::config::read::{Reader, placed};
use crate::config::secrets::{Secret, Wanted};
use crate::diagnostic::{Diagnostic, Form, Keys, Node, Place, Spanned};

/// Bytes of a secret that stands in a header.
const BEARER_BYTES_MAX: usize = 4_096;

const BEARER: Wanted = Wanted {
    what: "the secret of a place for checkpoints",
    help: "write `{ file: FILE }`, or `{ env: NAME }`",
};

/// A place where signed checkpoints are published.
#[derive(Clone, Debug)]
pub struct Publish {
    /// Where it stands.
    pub place: Place,
    /// Where they go.
    pub to: PublishTo,
    /// In which country that is (ISO 3166-1 alpha-2). Default: not stated.
    pub region: Option<String>,
}

/// Where checkpoints go.
#[derive(Clone, Debug)]
pub enum PublishTo {
    /// Into a folder.
    Folder(Spanned<PathBuf>),
    /// To a server, by `PUT`.
    Https {
        /// Below which address.
        url: Uri,
        /// What is said in `Authorization: Bearer`. Default: nothing.
        bearer: Option<Secret>,
        /// The only authorities that may have signed the server's certificate (PEM). Default: the system's.
        ca: Option<PathBuf>,
    },
}

impl Reader<'_> {
    pub(super) fn publish(&mut self, node: &Node) -> Option<Vec<Publish>> {
        let items = node.list("`publish`", self.found)?;
        let read: Vec<_> = items.iter().map(|item| self.published(item)).collect();
        read.into_iter().collect()
    }

    fn published(&mut self, node: &Node) -> Option<Publish> {
        const FORM: Form = Form {
            what: "a place for checkpoints",
            known: &["folder", "https", "bearer", "ca", "region"],
            refused: &[],
        };
        let entries = node.map(FORM.what, self.found)?;
        if let Some((mail, _)) = entries.iter().find(|(key, _)| key.value == "mail") {
            self.bad_place(
                &mail.place,
                "checkpoints are not sent by mail",
                "write `folder: PATH`, and let a program that sends mail watch that folder",
            );
            return None;
        }
        let keys = FORM.read(node, self.found)?;
        let region = keys
            .get("region")
            .map(|node| self.region(node, codes::BAD_PUBLISH));
        let bearer = keys.get("bearer").map(|node| self.bearer_of(node));
        let ca = keys.get("ca").map(|node| self.authorities(node));
        let to = match (keys.get("folder"), keys.get("https")) {
            (Some(folder), None) => self.folder_to(folder, &keys),
            (None, Some(https)) => self.https_to(https).and_then(|url| {
                Some(PublishTo::Https {
                    url,
                    bearer: bearer.map_or(Some(None), |read| read.map(Some))?,
                    ca: ca.map_or(Some(None), |read| read.map(Some))?,
                })
            }),
            _ => {
                self.bad_place(
                    &node.place,
                    "needs either `folder` or `https`",
                    "write `{ folder: PATH }`, or `{ https: URL }`",
                );
                None
            }
        };
        Some(Publish {
            place: node.place.clone(),
            to: to?,
            region: region.map_or(Some(None), |read| read.map(Some))?,
        })
    }

    fn folder_to(&mut self, node: &Node, keys: &Keys<'_>) -> Option<PublishTo> {
        for key in ["bearer", "ca"] {
            if let Some(beside) = keys.get(key) {
                let label = format!("a folder has no `{key}`");
                self.bad_place(&beside.place, &label, "take it out");
                return None;
            }
        }
        let path = self.path(node, "`folder`")?;
        Some(PublishTo::Folder(placed(path, node)))
    }

    fn https_to(&mut self, node: &Node) -> Option<Uri> {
        let text = node.verbatim("`https`", self.found)?;
        match safe_url(text.value) {
            Ok(url) => Some(url),
            Err(why) => {
                let why = match why.starts_with("must begin with `https://`") {
                    true => "must begin with `https://`; `http://` only for this machine",
                    false => why,
                };
                let help = "write a URL without a user, a password or a fragment";
                self.bad_place(&text.place, why, help);
                None
            }
        }
    }

    fn bearer_of(&mut self, node: &Node) -> Option<Secret> {
        const FORM: Form = Form {
            what: "a secret",
            known: &["file", "env"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let secret = self.secret(&keys, BEARER)?;
        let bytes = secret.bytes();
        let fits =
            (1..=BEARER_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        if !fits {
            let label = "must hold one line of 1 to 4096 letters, digits and signs";
            self.bad_secret(BEARER, &node.place, label);
        }
        fits.then_some(secret)
    }

    fn bad_place(&mut self, place: &Place, label: &str, help: &str) {
        let title = "checkpoints cannot be published there";
        self.found.push(
            Diagnostic::error(codes::BAD_PUBLISH, title)
                .at(place, label)
                .help(help),
        );
    }
}
