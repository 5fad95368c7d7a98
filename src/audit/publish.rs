//! Where signed checkpoints go: places outside of the log's folder, so that who can write the one cannot change the others.
//!
//! Each place has a thread of its own and takes the newest checkpoint, as soon as it can: none keeps anybody waiting.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use http::Uri;
use tracing::{error, info};

use crate::clock::Clock;
use crate::files;

use super::checkpoints::{self, CHECKPOINTS, Held};
use super::names::visible;
use super::note::{Checkpoint, Note};
use super::signer::Told;
use super::signing::SigningKeys;

mod https;

use https::Https;

/// A place where checkpoints are published.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where.
    pub place: Place,
    /// In which region of the world that is, as the operator says.
    pub region: Option<String>,
}

/// Where a place is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A folder, which must be there: it may be of another machine.
    Folder(PathBuf),
    /// A server that takes files by `PUT`.
    Https {
        /// Below which address.
        url: Uri,
        /// What is said in `Authorization: Bearer`.
        bearer: Option<Bearer>,
        /// Who vouches for the server (PEM), if not whom the system trusts.
        ca: Option<PathBuf>,
    },
}

/// A secret that a server wants to hear. Its `Debug` does not show it.
#[derive(Clone)]
pub struct Bearer(http::HeaderValue);

impl Bearer {
    /// `None` if a header cannot carry it.
    pub fn new(secret: &[u8]) -> Option<Self> {
        let value = [b"Bearer ", secret].concat();
        let mut value = http::HeaderValue::from_bytes(&value).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer(…)")
    }
}

impl Target {
    /// The kind of place.
    pub(super) fn kind(&self) -> &'static str {
        match self.place {
            Place::Folder(_) => "folder",
            Place::Https { .. } => "https",
        }
    }
}

/// A checkpoint that was signed.
#[derive(Clone, Debug)]
pub(super) struct News {
    pub(super) log: String,
    pub(super) size: u64,
    pub(super) note: Arc<str>,
}

impl News {
    fn name(&self) -> String {
        checkpoints::name(&self.log, self.size)
    }
}

/// What came of an attempt.
#[derive(Debug)]
enum Trouble {
    /// It may work later.
    Failed(String),
    /// The place holds something that speaks against it.
    Contradicted(Box<Held>),
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What the thread and those who use it both look at.
#[derive(Debug, Default)]
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The log whose newest checkpoint is to be looked for.
    wanted: Option<String>,
    has_looked: bool,
    /// What the place holds that counts against what is signed.
    held: Option<Held>,
    newest: Option<News>,
    has_ended: bool,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread of one place.
#[derive(Debug)]
pub(super) struct Publisher {
    desk: Arc<Desk>,
    bell: Sender<()>,
}

impl Publisher {
    pub(super) fn start(
        target: Target,
        keys: SigningKeys,
        dir: PathBuf,
        (place, told, clock): (usize, Arc<Told>, Clock),
    ) -> Self {
        let desk = Arc::new(Desk::default());
        let (bell, rung) = channel();
        let worker = Worker {
            target,
            keys,
            dir,
            place,
            told,
            clock,
            desk: Arc::clone(&desk),
            client: None,
            pause: PAUSE_MIN,
        };
        let spawned = thread::Builder::new()
            .name("publish".to_owned())
            .spawn(move || worker.run(&rung));
        if let Err(cause) = spawned {
            error!(%cause, "checkpoints of the access log cannot be published");
        }
        Self { desk, bell }
    }

    /// Asks for a look at what the place holds of a log.
    pub(super) fn look(&self, log: &str) {
        self.desk.state().wanted = Some(log.to_owned());
        let _ = self.bell.send(());
    }

    /// Waits for that, but not longer.
    pub(super) fn wait_for_look(&self, deadline: Instant) {
        self.wait(deadline, |state| state.has_looked);
    }

    fn wait(&self, deadline: Instant, is_done: impl Fn(&State) -> bool) {
        let mut state = self.desk.state();
        while !is_done(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.desk.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What the place holds that counts.
    pub(super) fn held(&self) -> Option<Held> {
        self.desk.state().held.clone()
    }

    /// Hands a checkpoint over, in the place of any that waits.
    pub(super) fn hand_over(&self, news: News) {
        self.desk.state().newest = Some(news);
        let _ = self.bell.send(());
    }

    /// Publishes what waits, if that can be done in time, and ends.
    pub(super) fn stop(self, deadline: Instant) {
        let Self { desk, bell } = self;
        drop(bell);
        let stopped = Self {
            desk,
            bell: channel().0,
        };
        stopped.wait(deadline, |state| state.has_ended);
    }
}

/// Works in the thread.
struct Worker {
    target: Target,
    keys: SigningKeys,
    /// The folder of the log.
    dir: PathBuf,
    /// Its place among the targets.
    place: usize,
    told: Arc<Told>,
    clock: Clock,
    desk: Arc<Desk>,
    client: Option<Https>,
    /// How long it waits after a failure.
    pause: Duration,
}

impl Worker {
    fn run(mut self, rung: &Receiver<()>) {
        let mut next: Option<Instant> = None;
        loop {
            let wait = next.map_or(IDLE, |next| next.saturating_duration_since(Instant::now()));
            let is_last = match rung.recv_timeout(wait) {
                Ok(()) => false,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            self.look();
            // After a failure nothing is hurried, but the last attempt.
            let is_due = next.is_none_or(|next| next <= Instant::now());
            if is_due || is_last {
                next = self.publish();
            }
            if is_last {
                break;
            }
        }
        self.desk.state().has_ended = true;
        self.desk.changed.notify_all();
    }

    /// Looks at what the place holds, if that was asked for.
    fn look(&mut self) {
        let Some(log) = self.desk.state().wanted.take() else {
            return;
        };
        let held = match &self.target.place {
            Place::Folder(folder) => self.newest_in(folder, &log).ok(),
            // It can only be asked for what has a name.
            Place::Https { .. } => None,
        };
        let mut state = self.desk.state();
        if let Some(held) = held {
            state.held = held;
        }
        state.has_looked = true;
        self.desk.changed.notify_all();
    }

    /// The newest checkpoint of a log in a folder, of those that a known key has signed.
    fn newest_in(&self, folder: &Path, log: &str) -> std::io::Result<Option<Held>> {
        let known = self.keys.known(&self.dir);
        let is_signed = |held: &Held| held.note.signed_by(&known).is_ok();
        let newest = checkpoints::newest(folder, log, is_signed)?;
        Ok(newest.map(|held| Held {
            name: format!("{} (published)", held.name),
            ..held
        }))
    }

    /// Publishes the newest checkpoint, if that is not done; when to try again.
    fn publish(&mut self) -> Option<Instant> {
        let newest = self.desk.state().newest.clone()?;
        let taken = (newest.log.clone(), newest.size);
        if self.told.get().targets.get(self.place)?.taken.as_ref() == Some(&taken) {
            return None;
        }
        let attempt = match self.target.place.clone() {
            Place::Folder(folder) => self.put(&folder, &newest),
            Place::Https { url, bearer, ca } => {
                self.send(&url, bearer.as_ref(), ca.as_deref(), &newest)
            }
        };
        let mut told = self.told.get();
        let target = told.targets.get_mut(self.place)?;
        match attempt {
            Ok(()) => {
                if target.failing.take().is_some() {
                    info!(target = target.name, "checkpoints are published again");
                }
                (target.taken, target.at) = (Some(taken), Some(self.clock.moment()));
                self.desk.state().held = None;
                self.pause = PAUSE_MIN;
                None
            }
            Err(trouble) => {
                target.failures += 1;
                let why = match trouble {
                    Trouble::Failed(why) => visible(&why),
                    Trouble::Contradicted(held) => {
                        let why =
                            format!("it holds `{}`, from which this does not go on", held.name);
                        self.desk.state().held = Some(*held);
                        visible(&why)
                    }
                };
                if target.failing.as_ref() != Some(&why) {
                    error!(
                        target = target.name,
                        "a checkpoint of the access log could not be published: {why}; it is tried again"
                    );
                }
                target.failing = Some(why);
                let next = Instant::now() + self.pause;
                self.pause = (self.pause * 2).min(PAUSE_MAX);
                Some(next)
            }
        }
    }

    fn put(&self, folder: &Path, news: &News) -> Result<(), Trouble> {
        if !folder.is_dir() {
            return Err("the folder is not there".to_owned().into());
        }
        if let Some(held) = self.newest_in(folder, &news.log)? {
            let own = Note::parse(&news.note).ok();
            let own = own.and_then(|note| Checkpoint::parse(note.text()).ok());
            let (theirs, size) = (held.checkpoint.size, news.size);
            let is_other = theirs == size && own.is_none_or(|own| own.root != held.checkpoint.root);
            if theirs > size || is_other {
                return Err(Trouble::Contradicted(Box::new(held)));
            }
        }
        Ok(files::publish(
            &folder.join(news.name()),
            news.note.as_bytes(),
        )?)
    }

    fn send(
        &mut self,
        url: &Uri,
        bearer: Option<&Bearer>,
        ca: Option<&Path>,
        news: &News,
    ) -> Result<(), Trouble> {
        let client = match self.client.take() {
            Some(client) => client,
            None => Https::new(url, bearer.map(|bearer| bearer.0.clone()), ca)?,
        };
        let client = self.client.insert(client);
        let name = news.name();
        let answer = client.put(&name, &news.note)?;
        match answer {
            https::Answer::Taken(body) => {
                self.keep_cosigned(news, &body)?;
                Ok(())
            }
            https::Answer::Holds(body) => {
                let held = checkpoints::held(&format!("{name} (published)"), &body);
                let held = held.map_err(|_| {
                    format!("it holds something else under the name `{name}`, and keeps it")
                })?;
                let own = Note::parse(&news.note).map_err(|error| error.to_string())?;
                if held.note.text() == own.text() {
                    return Ok(());
                }
                let known = self.keys.known(&self.dir);
                let is_signed = held.note.signed_by(&known).is_ok();
                match is_signed && checkpoints::is_of(&held.checkpoint, &news.log) {
                    true => Err(Trouble::Contradicted(Box::new(held))),
                    false => Err(format!(
                        "it holds something else under the name `{name}`, and keeps it"
                    )
                    .into()),
                }
            }
        }
    }

    /// Keeps an answer in which others have signed the same.
    fn keep_cosigned(&self, news: &News, body: &[u8]) -> Result<(), Trouble> {
        let Some(note) = cosigned(&news.note, body) else {
            return Ok(());
        };
        let name = format!("{}.cosigned", news.name());
        Ok(checkpoints::keep(&self.dir, CHECKPOINTS, &name, &note)?)
    }
}

/// The note with the signatures of others behind it, as an answer has it: whole, or those lines alone.
fn cosigned(note: &str, body: &[u8]) -> Option<String> {
    let own = Note::parse(note).ok()?;
    let answer = std::str::from_utf8(body).ok()?;
    let whole = match answer.starts_with('\u{2014}') {
        true => format!("{note}{answer}"),
        false => answer.to_owned(),
    };
    let read = Note::parse(&whole).ok()?;
    (read.text() == own.text() && read.has_signatures_beside(&own)).then_some(whole)
}

/// How long a thread sleeps while there is nothing to do.
const IDLE: Duration = Duration::from_secs(3_600);
/// The pause after a failure, which doubles.
const PAUSE_MIN: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1_000 });
const PAUSE_MAX: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 60 });
