//! Reads the section `service` of an upstream: the proxy's own account in the CRM.

use std::path::PathBuf;
use std::sync::Arc;

use http::header::HeaderName;

use crate::diagnostic::{Diagnostic, Form, Keys, Node, Place, Spanned};
use crate::dialect::{Account, Dialect, Login, Secret, USUAL_VERSION};
use crate::door::{Carrier, Credential};

use super::codes;
use super::read::Reader;
use super::secrets::Wanted;

/// Bytes of a secret.
const SECRET_BYTES_MAX: usize = 4_096;
/// Bytes of a name.
const NAME_BYTES_MAX: usize = 256;

/// The proxy's own account in a CRM.
#[derive(Clone, Debug)]
pub struct Service {
    /// Where it stands.
    pub place: Place,
    /// What the CRM is called with.
    pub proof: Proof,
    /// The files that its secrets were read from.
    pub files: Vec<Spanned<PathBuf>>,
}

/// What an account of the proxy proves itself with.
#[derive(Clone, Debug)]
pub enum Proof {
    /// It logs in.
    Login(Account),
    /// A credential that is used as it is.
    Fixed(Credential),
}

impl Proof {
    /// Whether an API takes it.
    pub fn fits(&self, dialect: &dyn Dialect) -> bool {
        match self {
            Self::Login(account) => {
                let first = dialect.enter(USUAL_VERSION, account, None, &[]);
                matches!(first, Login::Ask(_))
            }
            Self::Fixed(credential) => dialect.head_form().accepts(credential.carrier()),
        }
    }
}

/// The keys of each form; one form is stated.
const FORMS: &[(&str, &[&str])] = &[
    (
        "a login",
        &[
            "user",
            "password",
            "encryption",
            "client_id",
            "client_secret",
            "platform",
        ],
    ),
    ("a header", &["header", "secret"]),
    ("`basic`", &["basic"]),
    ("`bearer`", &["bearer"]),
];

/// How a secret of the account is spoken of.
const WANTED: Wanted = Wanted {
    what: "the secret of the proxy's own account",
    help: "write `{ file: FILE }`, or `{ env: NAME }`",
};

impl Reader<'_> {
    pub(super) fn service(
        &mut self,
        node: &Node,
        dialects: Option<&[Arc<dyn Dialect>]>,
    ) -> Option<Service> {
        const FORM: Form = Form {
            what: "`service`",
            known: &[
                "user",
                "password",
                "encryption",
                "client_id",
                "client_secret",
                "platform",
                "header",
                "secret",
                "basic",
                "bearer",
            ],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let mut files = Vec::new();
        let proof = match self.the_form(&keys)? {
            "a login" => self.login(&keys, &mut files).map(Proof::Login),
            "a header" => self.header(&keys, &mut files).map(Proof::Fixed),
            "`basic`" => self.basic(&keys, &mut files).map(Proof::Fixed),
            _ => self.bearer(&keys, &mut files).map(Proof::Fixed),
        }?;
        self.is_usable(&proof, node, dialects?)?;
        Some(Service {
            place: node.place.clone(),
            proof,
            files,
        })
    }

    /// The one form that is stated.
    fn the_form(&mut self, keys: &Keys<'_>) -> Option<&'static str> {
        let is_stated = |names: &&[&str]| names.iter().find_map(|name| keys.get(name));
        let mut stated = FORMS
            .iter()
            .filter_map(|(form, names)| Some((*form, is_stated(names)?)));
        let Some((form, _)) = stated.next() else {
            self.bad_service(keys.place(), "says nothing that an account has");
            return None;
        };
        if let Some((other, node)) = stated.next() {
            self.bad_service(
                &node.place,
                &format!("{form} stands here already, and {other}"),
            );
            return None;
        }
        Some(form)
    }

    fn login(&mut self, keys: &Keys<'_>, files: &mut Vec<Spanned<PathBuf>>) -> Option<Account> {
        const ENCRYPTIONS: &[(&str, bool)] = &[("md5", false), ("plain", true)];
        let mut name = |key| keys.get(key).map(|node| self.service_name(node, key));
        let (user, client_id, platform) = (name("user"), name("client_id"), name("platform"));
        let mut secret = |key| keys.get(key).map(|node| self.line(node, files));
        let (password, client_secret) = (secret("password"), secret("client_secret"));
        let plain = keys
            .get("encryption")
            .map(|node| node.choice("encryption", ENCRYPTIONS, self.found));
        let user = match (user, password) {
            (Some(user), Some(password)) => Some((user?, password?)),
            (None, None) => None,
            (Some(_), None) => {
                self.bad_service(keys.place(), "its `password` is missing");
                return None;
            }
            (None, Some(_)) => {
                self.bad_service(keys.place(), "its `user` is missing");
                return None;
            }
        };
        // What is stated and not understood is no account.
        let account = Account {
            user,
            client_id: client_id.map_or(Some(None), |read| read.map(Some))?,
            client_secret: client_secret.map_or(Some(None), |read| read.map(Some))?,
            plain: plain.map_or(Some(false), |read| read)?,
            platform: platform.map_or(Some(None), |read| read.map(Some))?,
        };
        if account.user.is_none() && account.client_secret.is_none() {
            self.bad_service(
                keys.place(),
                "neither `user` and `password` nor `client_id` and `client_secret`",
            );
            return None;
        }
        Some(account)
    }

    fn header(&mut self, keys: &Keys<'_>, files: &mut Vec<Spanned<PathBuf>>) -> Option<Credential> {
        let header = keys.require("header", self.found);
        let secret = keys.require("secret", self.found);
        let (header, secret) = (header?, secret?);
        let name = header.text("`header`", self.found)?;
        let Ok(name) = name.value.parse::<HeaderName>() else {
            self.bad_service(&header.place, "not the name of a header");
            return None;
        };
        let text = self.line(secret, files)?;
        self.credential(Carrier::Header(name), &text, secret)
    }

    fn basic(&mut self, keys: &Keys<'_>, files: &mut Vec<Spanned<PathBuf>>) -> Option<Credential> {
        const FORM: Form = Form {
            what: "`basic`",
            known: &["user", "password"],
            refused: &[],
        };
        let node = keys.get("basic")?;
        let keys = FORM.read(node, self.found)?;
        let user = keys.require("user", self.found);
        let password = keys.require("password", self.found);
        let user = user.and_then(|node| self.service_name(node, "user"));
        let password = password.and_then(|node| self.line(node, files));
        let (user, password) = (user?, password?);
        if user.contains(':') {
            self.bad_service(&node.place, "the user's name holds a `:`");
            return None;
        }
        let credential = Credential::basic(&user, password.text());
        if credential.is_none() {
            self.bad_service(&node.place, "too long for a header");
        }
        credential
    }

    fn bearer(&mut self, keys: &Keys<'_>, files: &mut Vec<Spanned<PathBuf>>) -> Option<Credential> {
        let node = keys.get("bearer")?;
        let text = self.line(node, files)?;
        self.credential(Carrier::Bearer, &text, node)
    }

    fn credential(&mut self, carrier: Carrier, text: &Secret, node: &Node) -> Option<Credential> {
        let credential = Credential::own(carrier, text.text());
        if credential.is_none() {
            let label = "holds other characters than letters, digits and `-._~+/=`";
            self.bad_service(&node.place, label);
        }
        credential
    }

    /// A name as the CRM knows it.
    fn service_name(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = node.verbatim(&format!("`{what}`"), self.found)?;
        let fits = (1..=NAME_BYTES_MAX).contains(&text.value.len())
            && !text.value.chars().any(char::is_control);
        if !fits {
            self.bad_service(&text.place, &format!("not a `{what}`"));
        }
        fits.then(|| text.value.to_owned())
    }

    /// A secret of one line, from a file or the environment.
    fn line(&mut self, node: &Node, read: &mut Vec<Spanned<PathBuf>>) -> Option<Secret> {
        const FORM: Form = Form {
            what: "a secret",
            known: &["file", "env"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let secret = self.secret(&keys, WANTED)?;
        read.extend(secret.file().cloned());
        let line = std::str::from_utf8(secret.bytes()).ok();
        let fits = |line: &&str| {
            (1..=SECRET_BYTES_MAX).contains(&line.len()) && !line.chars().any(char::is_control)
        };
        let Some(line) = line.filter(fits) else {
            let label = "must hold one line of 1 to 4096 bytes in UTF-8";
            self.bad_secret(WANTED, &node.place, label);
            return None;
        };
        Some(Secret::new(line))
    }

    /// Reports an account that none of the dialects can make use of.
    fn is_usable(
        &mut self,
        proof: &Proof,
        node: &Node,
        dialects: &[Arc<dyn Dialect>],
    ) -> Option<()> {
        if dialects.is_empty() || dialects.iter().any(|dialect| proof.fits(&**dialect)) {
            return Some(());
        }
        let names: Vec<&str> = dialects.iter().map(|dialect| dialect.name()).collect();
        let label = match proof {
            Proof::Login(_) => "has no login that this account could make",
            Proof::Fixed(_) => "takes no credential of this kind",
        };
        self.bad_service(&node.place, &format!("`{}` {label}", names.join("`, `")));
        None
    }

    fn bad_service(&mut self, place: &Place, label: &str) {
        self.found.push(
            Diagnostic::error(codes::BAD_SERVICE, "this is no account that the proxy could use")
                .at(place, label)
                .help("write one of `{ user: NAME, password: { file: FILE } }`, `{ client_id: ID, client_secret: { file: FILE } }`, `{ header: NAME, secret: { file: FILE } }`, `{ basic: { user: NAME, password: { file: FILE } } }`, `{ bearer: { file: FILE } }`, as the CRM takes it: docs/identity/service.md"),
        );
    }
}
