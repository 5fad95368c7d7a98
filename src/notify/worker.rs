//! Takes mails out of the ledger's outbox and hands them over.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lettre::message::Mailbox;
use tokio::sync::{Notify, watch};

use super::SINK;
use super::failure::Failure;
use super::folder;
use super::letter::Letter;
use super::message::{Encoding, build};
use super::pace::again;
use super::smtp::Server;
use crate::config::{Mail, MailWay};
use crate::consent::Note;
use crate::ledger::{Due, Error, Ledger, Outgoing, Who};
use crate::metrics::MailMetrics;

/// How often it is looked whether a mail is due that nobody told of.
const TICK: Duration = Duration::from_secs(2);
/// Mails that are claimed at a time.
const AT_ONCE: u32 = 10;
/// For how long nobody else takes up what was claimed: longer than that many mails may take.
const CLAIMED_FOR: SignedDuration = SignedDuration::from_mins(15);
/// Who says in the access log that a mail has left.
const BY: &str = "portal";

/// Mails cannot leave as the configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetUpError {
    /// From whom they are.
    #[error("`mail.from` is no address for mail")]
    From,
    /// User and password.
    #[error("the password of `mail.smtp` is no text")]
    Account,
    /// The authorities.
    #[error("the file of `mail.smtp.ca` cannot be read, or holds no certificates")]
    Authorities,
    /// TLS.
    #[error("TLS to the mail server cannot be set up")]
    Tls,
}

/// Hands mails over.
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

enum Way {
    Folder(PathBuf),
    Server(Box<Server>),
}

/// Knows when a mail was written. Clones wake the same mailer.
#[derive(Clone, Debug, Default)]
pub struct Postman(Arc<Notify>);

impl Postman {
    /// A mail was written: it is handed over at once.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

impl Mailer {
    /// Sets it up; nothing is opened yet.
    ///
    /// # Errors
    /// If the configuration names what cannot be used.
    pub fn new(mail: &Mail) -> Result<Self, SetUpError> {
        let from: Mailbox = mail.from.parse().map_err(|_| SetUpError::From)?;
        let way = match &mail.way {
            MailWay::Folder(folder) => Way::Folder(folder.value.clone()),
            MailWay::Smtp(smtp) => Way::Server(Box::new(Server::new(smtp, from.email.domain())?)),
        };
        Ok(Self { from, way })
    }

    /// Whether the mail server is there, and takes mails of this account; nothing is handed over. A folder is no server.
    ///
    /// # Errors
    /// If it is not.
    pub async fn reach(&self) -> Result<(), Failure> {
        match &self.way {
            Way::Folder(_) => Ok(()),
            Way::Server(server) => server.reach().await,
        }
    }

    /// Hands over what is due, until told to stop.
    pub async fn run(
        self,
        ledger: Arc<Ledger>,
        metrics: MailMetrics,
        postman: Postman,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let work = async {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = postman.0.notified() => {}
                }
                if let Err(cause) = self.hand_over_all(&ledger, &metrics).await {
                    tracing::warn!(%cause, "mails wait: the consent ledger does not answer");
                }
                metrics.set_aside(ledger.set_aside());
            };
            // What was claimed and not handed over when it stops is due again later.
            tokio::select! {
                () = work => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn hand_over_all(&self, ledger: &Ledger, metrics: &MailMetrics) -> Result<(), Error> {
        while ledger.is_due(SINK).await? {
            let until = Timestamp::now().saturating_add(CLAIMED_FOR);
            let until = until.unwrap_or(Timestamp::MAX);
            let due = ledger.claim(SINK.to_owned(), until, AT_ONCE).await?;
            if due.is_empty() {
                return Ok(());
            }
            for due in &due {
                self.one(ledger, metrics, due).await?;
            }
        }
        Ok(())
    }

    async fn one(&self, ledger: &Ledger, metrics: &MailMetrics, due: &Due) -> Result<(), Error> {
        match self.hand_over(due).await {
            Ok(letter) => {
                metrics.handed_over();
                let told = told(ledger, &letter).await?;
                ledger.sent(std::slice::from_ref(due), told).await
            }
            Err(failure) => {
                metrics.failed(failure.cause());
                put_off(ledger, metrics, due, failure).await
            }
        }
    }

    async fn hand_over(&self, due: &Due) -> Result<Letter, Failure> {
        let (letter, id) = (Letter::read(due.body())?, due.id());
        match &self.way {
            Way::Folder(path) => {
                let mail = build(&letter, &self.from, id, Encoding::Plain)?;
                folder::put(path, id, mail.formatted()).await?;
            }
            Way::Server(server) => {
                let mail = build(&letter, &self.from, id, Encoding::Quoted)?;
                server.send(mail).await?;
            }
        }
        Ok(letter)
    }
}

/// What the access log tells of a link that has left. It names the person, and no address.
async fn told(ledger: &Ledger, letter: &Letter) -> Result<Vec<Outgoing>, Error> {
    let (Ok(address), Some(used_for)) = (letter.address(), letter.used_for()) else {
        return Ok(Vec::new());
    };
    let Some(person) = ledger.person(Who::Address(address)).await? else {
        return Ok(Vec::new());
    };
    let note = Note::LinkSent {
        person: &person.id,
        used_for,
        purpose: letter.purpose(),
    };
    Ok(vec![note.by(BY)])
}

async fn put_off(
    ledger: &Ledger,
    metrics: &MailMetrics,
    due: &Due,
    failure: Failure,
) -> Result<(), Error> {
    let (id, tries) = (due.id(), due.tries());
    match again(due.since(), tries, Timestamp::now()) {
        Some(again) => {
            if tries == 1 {
                tracing::warn!(id, cause = failure.cause(), "a mail waits: {failure}");
            }
            ledger.unsent(due, again).await
        }
        None => {
            metrics.given_up();
            tracing::error!(
                id,
                tries,
                cause = failure.cause(),
                "a mail is given up after a day: {failure}"
            );
            ledger.sent(std::slice::from_ref(due), Vec::new()).await
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailer")
    }
}
