//! Reads the section `mail`: how mails to persons leave.

use std::path::PathBuf;

use lettre::message::Mailbox;

use crate::diagnostic::{Diagnostic, Form, Node, Place, Spanned};

use super::issuers::is_loopback;
use super::read::{Reader, placed};
use super::secrets::Wanted;
use super::{Secret, codes};

/// The port at which TLS begins with the connection (RFC 8314).
pub const SUBMISSIONS: u16 = 465;
/// Bytes of a name of a host or user, and of a password.
const TEXT_BYTES_MAX: usize = 255;

/// How mails leave.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Where the section stands.
    pub place: Place,
    /// The way.
    pub way: MailWay,
    /// From whom they are: an address, perhaps with a name before it.
    pub from: String,
}

/// The way in which mails leave.
#[derive(Clone, Debug)]
pub enum MailWay {
    /// As files into a folder, which somebody else takes up.
    Folder(Spanned<PathBuf>),
    /// To a mail server.
    Smtp(Smtp),
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port. At 465 TLS begins with the connection, elsewhere with STARTTLS. Default: 465.
    pub port: u16,
    /// User and password. Default: none.
    pub account: Option<(String, Secret)>,
    /// The only authorities that may have signed its certificate (PEM). Default: the system's roots.
    pub ca: Option<PathBuf>,
    /// Whether there is no TLS: to this machine alone. Default: no.
    pub is_in_clear: bool,
}

const PASSWORD: Wanted = Wanted {
    what: "the password of the mail server",
    help: "write it into a file that only Paravent reads, and name it: `password: { file: smtp.password }`; one line, at most 255 bytes",
};

/// Whether a text is one line that a server of mails takes.
fn is_line(text: &str) -> bool {
    (1..=TEXT_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

impl Reader<'_> {
    pub(super) fn mail(&mut self, node: &Node) -> Option<Mail> {
        const FORM: Form = Form {
            what: "`mail`",
            known: &["smtp", "dir", "from"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let from = keys.require("from", self.found);
        let from = from.and_then(|node| self.mail_from(node));
        let way = match (keys.get("smtp"), keys.get("dir")) {
            (Some(smtp), None) => self.smtp(smtp).map(MailWay::Smtp),
            (None, Some(dir)) => self.mail_dir(dir).map(MailWay::Folder),
            _ => {
                let help = "write `smtp: { host: … }`, or `dir: mail` for files that somebody else takes up";
                self.bad_mail(&node.place, "needs either `smtp` or `dir`", help);
                None
            }
        };
        Some(Mail {
            place: node.place.clone(),
            way: way?,
            from: from?,
        })
    }

    fn mail_from(&mut self, node: &Node) -> Option<String> {
        let text = node.text("`from`", self.found)?;
        if text.value.parse::<Mailbox>().is_err() {
            let help = "write `privacy@example.com`, or `Example SA <privacy@example.com>`";
            self.bad_mail(&text.place, "is no address for mail", help);
            return None;
        }
        Some(text.value.to_owned())
    }

    fn mail_dir(&mut self, node: &Node) -> Option<Spanned<PathBuf>> {
        let path = self.path(node, "`dir`")?;
        if path.exists() && !path.is_dir() {
            let error = std::io::Error::from(std::io::ErrorKind::NotADirectory);
            self.unreadable("the folder of mails", &path, &node.place, &error);
            return None;
        }
        Some(placed(path, node))
    }

    fn smtp(&mut self, node: &Node) -> Option<Smtp> {
        const FORM: Form = Form {
            what: "`smtp`",
            known: &["host", "port", "user", "password", "ca", "in_clear"],
            refused: &[],
        };
        const CLEAR: &[(&str, bool)] = &[("refused", false), ("allowed", true)];
        let keys = FORM.read(node, self.found)?;
        let host = keys.require("host", self.found);
        let host = host.and_then(|node| self.mail_host(node));
        let port = keys.get("port").map_or(Some(SUBMISSIONS), |node| {
            let port = node.integer("`port`", 1..=65_535, self.found)?;
            u16::try_from(port).ok()
        });
        let user = keys
            .get("user")
            .map_or(Some(None), |node| self.mail_user(node).map(Some));
        let password = keys
            .get("password")
            .map_or(Some(None), |node| self.mail_password(node).map(Some));
        let account = user.zip(password);
        let account = account.and_then(|pair| match pair {
            (None, None) => Some(None),
            (Some(user), Some(password)) => Some(Some((user, password))),
            _ => {
                let help = "write both, or neither where the server asks for none";
                self.bad_mail(&node.place, "`user` and `password` stand together", help);
                None
            }
        });
        let ca = keys
            .get("ca")
            .map_or(Some(None), |node| self.authorities(node).map(Some));
        let in_clear = keys.get("in_clear");
        let is_in_clear = in_clear.map_or(Some(false), |node| {
            node.choice("value of `in_clear`", CLEAR, self.found)
        });
        let (host, is_in_clear) = (host?, is_in_clear?);
        if is_in_clear && !is_loopback(&host) {
            let help = "leave it out: mails to other machines travel over TLS, from the first byte (port 465) or with STARTTLS";
            let label = "mails with links would leave this machine in clear";
            self.bad_mail(&in_clear.unwrap_or(node).place, label, help);
            return None;
        }
        Some(Smtp {
            host,
            port: port?,
            account: account?,
            ca: ca?,
            is_in_clear,
        })
    }

    fn mail_host(&mut self, node: &Node) -> Option<String> {
        let text = node.text("`host`", self.found)?;
        let is_host = rustls_pki_types::ServerName::try_from(text.value).is_ok();
        if !is_host {
            let help = "write the name of the server alone: `smtp.example.com`; the port is `port`";
            self.bad_mail(&text.place, "is no name of a host", help);
        }
        is_host.then(|| text.value.to_owned())
    }

    fn mail_user(&mut self, user: &Node) -> Option<String> {
        let name = user.verbatim("`user`", self.found)?;
        if !is_line(name.value) {
            let help = "write one line of at most 255 bytes";
            self.bad_mail(&name.place, "is no name of a user", help);
            return None;
        }
        Some(name.value.to_owned())
    }

    fn mail_password(&mut self, password: &Node) -> Option<Secret> {
        const FORM: Form = Form {
            what: "a secret",
            known: &["file", "env"],
            refused: &[],
        };
        let keys = FORM.read(password, self.found)?;
        let secret = self.secret(&keys, PASSWORD)?;
        if !std::str::from_utf8(secret.bytes()).is_ok_and(is_line) {
            let label = "is blank, too long, or not one line of text";
            self.bad_secret(PASSWORD, &password.place, label);
            return None;
        }
        Some(secret)
    }

    fn bad_mail(&mut self, place: &Place, label: &str, help: &str) {
        let problem = Diagnostic::error(codes::BAD_MAIL, "mails cannot leave so");
        self.found.push(problem.at(place, label).help(help));
    }
}
