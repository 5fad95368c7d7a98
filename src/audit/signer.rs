//! The thread that signs checkpoints: beside the one that writes, so that no request waits for it.
//!
//! What it signs is on disk. It signs nothing that would not go on from what was signed before, here or where checkpoints
//! are published: a log that was rolled back, or a key that signs for a copy, would speak against itself.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{error, info};

use crate::clock::Clock;

use super::checkpoints::{self, CHECKPOINTS, Held, contradiction};
use super::folder;
use super::identity::{self, LogTree, Past};
use super::log::Shared;
use super::note::Checkpoint;
use super::publish::{News, Publisher, Target};
use super::signing::{SigningKeys, origin};
use super::tree::Hash;

/// How often it looks: at most so often it signs.
const TICK: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1_000 });
/// So many events are signed at once.
const EVENTS: u64 = 1_000;
/// How long a start waits for its checkpoint, and for what the targets hold.
const START_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a stop waits for the last checkpoint to be published.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// After how many checkpoints the folder is thinned.
const THINNED_EVERY: u64 = 100;

/// How checkpoints are signed, and where they go.
#[derive(Clone, Debug)]
pub struct Signing {
    /// The keys; the first signs.
    pub keys: SigningKeys,
    /// Where checkpoints are published.
    pub targets: Vec<Target>,
    /// As long as there are new events, one is signed at least so often.
    pub every: Duration,
}

impl Signing {
    /// Signs once in a minute at least, and publishes nowhere.
    pub fn new(keys: SigningKeys) -> Self {
        Self {
            keys,
            targets: Vec::new(),
            every: Duration::from_secs(55),
        }
    }
}

/// What became of checkpoints since the log was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoints {
    /// The log that the last one is of.
    pub log: String,
    /// How many events it holds; 0 if none was signed.
    pub size: u64,
    /// When it was signed.
    pub at: Option<Timestamp>,
    /// Times that one could not be made, or was not signed.
    pub failures: u64,
    /// Why the last attempt failed, if it did.
    pub failing: Option<String>,
    /// Why nothing is signed: it would speak against what was signed before.
    pub refused: Option<String>,
    /// Where they are published.
    pub targets: Vec<Published>,
}

/// What became of checkpoints at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// `folder-1`, `https-2`: the kind and the place in the configuration.
    pub name: String,
    /// In which region of the world that is, as the configuration says.
    pub region: Option<String>,
    /// The log and the size of the newest one that it has taken.
    pub taken: Option<(String, u64)>,
    /// When it took that.
    pub at: Option<Timestamp>,
    /// Times that it took none.
    pub failures: u64,
    /// Why, if the last attempt failed.
    pub failing: Option<String>,
}

impl Checkpoints {
    /// How many events are signed of which a place knows nothing.
    pub fn lag(&self, target: &Published) -> u64 {
        match &target.taken {
            Some((log, size)) if *log == self.log => self.size.saturating_sub(*size),
            _ => self.size,
        }
    }
}

/// What is told to whoever asks.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Checkpoints>);

impl Told {
    pub(super) fn get(&self) -> MutexGuard<'_, Checkpoints> {
        // Nothing is done under the lock that a panic could leave half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running thread.
#[derive(Debug)]
pub(super) struct Running {
    stop: Sender<()>,
    thread: JoinHandle<()>,
    pub(super) told: Arc<Told>,
}

impl Running {
    /// Signs what is on disk now, and ends.
    pub(super) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            error!("signing checkpoints of the access log has failed");
        }
    }
}

/// Why there is no checkpoint.
#[derive(Debug)]
enum Unsigned {
    /// It could not be made.
    Failed(String),
    /// It would speak against what was signed before.
    Refused(String),
}

impl From<std::io::Error> for Unsigned {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Signs, and hands over what is signed.
pub(super) struct Signer {
    dir: PathBuf,
    node: String,
    clock: Clock,
    shared: Arc<Shared>,
    signing: Signing,
    told: Arc<Told>,
    publishers: Vec<Publisher>,
    /// The newest tree that is known.
    tree: Option<LogTree>,
    /// The last one that was signed, or found to be signed.
    signed: Option<(String, u64)>,
    signed_at: Instant,
    /// Checkpoints of the log whose events were found to be in it.
    compared: Vec<(String, u64, Hash)>,
    count: u64,
}

impl Signer {
    pub(super) fn new(
        (dir, node, clock): (PathBuf, String, Clock),
        shared: Arc<Shared>,
        signing: Signing,
    ) -> Self {
        let told = Arc::new(Told::default());
        let targets = signing.targets.iter().enumerate();
        let publishers = targets.map(|(place, target)| {
            let name = format!("{}-{}", target.kind(), place + 1);
            told.get().targets.push(Published {
                name,
                region: target.region.clone(),
                ..Published::default()
            });
            let place = (place, Arc::clone(&told), clock.clone());
            Publisher::start(target.clone(), signing.keys.clone(), dir.clone(), place)
        });
        Self {
            publishers: publishers.collect(),
            dir,
            node,
            clock,
            shared,
            told,
            tree: None,
            signed: None,
            signed_at: Instant::now(),
            compared: Vec::new(),
            count: 0,
            signing,
        }
    }

    /// Runs in a thread of its own, and returns when the tree of a start was signed, or could not be in time.
    pub(super) fn start(mut self, tree: LogTree) -> std::io::Result<Running> {
        let (stop, stopped) = channel();
        let (first, is_signed) = channel();
        let told = Arc::clone(&self.told);
        let thread = thread::Builder::new()
            .name("checkpoints".to_owned())
            .spawn(move || {
                self.look_at_targets(&tree);
                self.tree = Some(tree);
                self.sign_now();
                let _ = first.send(());
                self.run(&stopped);
            })?;
        let _ = is_signed.recv_timeout(START_TIMEOUT + Duration::from_secs(1));
        Ok(Running { stop, thread, told })
    }

    fn run(&mut self, stopped: &Receiver<()>) {
        self.shared.ask_for_tree();
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(TICK) {
            self.take_tree();
            if self.is_due() {
                self.sign_now();
            }
        }
        // The writer has ended, and told what it left.
        self.take_tree();
        self.sign_now();
        let deadline = Instant::now() + STOP_TIMEOUT;
        for publisher in self.publishers.drain(..) {
            publisher.stop(deadline);
        }
    }

    fn take_tree(&mut self) {
        if let Some(tree) = self.shared.ask_for_tree() {
            self.tree = Some(tree);
        }
    }

    /// Waits a moment for what the targets hold.
    fn look_at_targets(&self, tree: &LogTree) {
        let deadline = Instant::now() + START_TIMEOUT;
        for publisher in &self.publishers {
            publisher.look(tree.log());
        }
        for publisher in &self.publishers {
            publisher.wait_for_look(deadline);
        }
    }

    fn is_due(&self) -> bool {
        let Some(tree) = &self.tree else {
            return false;
        };
        let size = tree.tree().size();
        match &self.signed {
            Some((log, signed)) if *log == tree.log() => {
                let fresh = size.saturating_sub(*signed);
                fresh >= EVENTS || (fresh > 0 && self.signed_at.elapsed() >= self.signing.every)
            }
            _ => true,
        }
    }

    /// Signs the tree as it is, unless that was done.
    fn sign_now(&mut self) {
        let Some(tree) = self.tree.clone() else {
            return;
        };
        let size = tree.tree().size();
        let is_signed = |(log, signed): &(String, u64)| log == tree.log() && *signed == size;
        if size == 0 || self.signed.as_ref().is_some_and(is_signed) {
            return;
        }
        match self.sign(&tree) {
            Ok(note) => self.is_signed(&tree, &note),
            Err(unsigned) => self.is_unsigned(unsigned),
        }
    }

    fn is_signed(&mut self, tree: &LogTree, note: &str) {
        let (log, size) = (tree.log().to_owned(), tree.tree().size());
        self.signed = Some((log.clone(), size));
        self.signed_at = Instant::now();
        {
            let mut told = self.told.get();
            let (failing, refused) = (told.failing.take(), told.refused.take());
            if failing.is_some() || refused.is_some() {
                info!("checkpoints of the access log are signed again");
            }
            (told.log, told.size) = (log.clone(), size);
            told.at = Some(self.clock.moment());
        }
        for publisher in &self.publishers {
            publisher.hand_over(News {
                log: log.clone(),
                size,
                note: note.into(),
            });
        }
        if self.count.is_multiple_of(THINNED_EVERY)
            && let Err(cause) = checkpoints::thin(&self.dir, &log)
        {
            error!(%cause, "old checkpoints of the access log cannot be removed");
        }
        self.count += 1;
    }

    fn is_unsigned(&self, unsigned: Unsigned) {
        let mut told = self.told.get();
        told.failures += 1;
        match unsigned {
            Unsigned::Failed(why) => {
                if told.failing.as_ref() != Some(&why) {
                    error!("the access log has no new checkpoint: {why}; it is tried again");
                }
                told.failing = Some(why);
            }
            Unsigned::Refused(why) => {
                if told.refused.as_ref() != Some(&why) {
                    error!("no checkpoint of the access log is signed: {why}");
                }
                told.refused = Some(why);
                drop(told);
                // Perhaps somebody is putting it right.
                let log = self.tree.as_ref().map(LogTree::log).unwrap_or_default();
                self.publishers.iter().for_each(|one| one.look(log));
            }
        }
    }

    /// Signs a tree, and keeps the checkpoint.
    fn sign(&mut self, tree: &LogTree) -> Result<String, Unsigned> {
        let checkpoint = Checkpoint {
            origin: origin(tree, &self.node),
            size: tree.tree().size(),
            root: tree.tree().root(),
        };
        self.goes_on(tree, &checkpoint.root)?;
        self.signing.keys.keep_public(&self.dir)?;
        let note = self.signing.keys.sign(&checkpoint);
        let note = note.ok_or_else(|| Unsigned::Failed("there is no key".to_owned()))?;
        let name = checkpoints::name(tree.log(), checkpoint.size);
        checkpoints::keep(&self.dir, CHECKPOINTS, &name, &note)?;
        self.compared.retain(|(log, ..)| log == tree.log());
        let compared = (tree.log().to_owned(), checkpoint.size, checkpoint.root);
        self.compared.truncate(COMPARED_MAX);
        self.compared.insert(0, compared);
        Ok(note)
    }

    /// Whether a tree goes on from the newest checkpoint that is kept here, and from those that are known elsewhere.
    fn goes_on(&mut self, tree: &LogTree, root: &Hash) -> Result<(), Unsigned> {
        let folder = self.dir.join(CHECKPOINTS);
        // What somebody else has signed says nothing about this log, wherever it lies.
        let known = self.signing.keys.known(&self.dir);
        let is_own = |held: &Held| held.note.signed_by(&known).is_ok();
        let own = match checkpoints::newest(&folder, tree.log(), is_own) {
            Ok(own) => own,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let elsewhere = self.publishers.iter().filter_map(Publisher::held);
        let all: Vec<Held> = own.into_iter().chain(elsewhere).collect();
        for held in all {
            if !checkpoints::is_of(&held.checkpoint, tree.log()) {
                continue;
            }
            if let Some(why) = contradiction(tree, root, &held) {
                return Err(Unsigned::Refused(why));
            }
            self.compare(tree, &held)?;
        }
        Ok(())
    }

    /// Whether the events of an earlier checkpoint are those of the log: read once, and only from there on.
    fn compare(&mut self, tree: &LogTree, held: &Held) -> Result<(), Unsigned> {
        let Checkpoint { size, root, .. } = held.checkpoint;
        let is_same = |known: &(String, u64, Hash)| {
            known.0 == tree.log() && known.1 == size && known.2 == root
        };
        if size == 0 || size == tree.tree().size() || self.compared.iter().any(is_same) {
            return Ok(());
        }
        let segments = folder::segments(&self.dir)?;
        let found = identity::root_at(&self.dir, &segments, tree, size)?;
        if found == Past::Root(root) {
            let compared = (tree.log().to_owned(), size, root);
            self.compared.insert(0, compared);
            return Ok(());
        }
        if found == Past::Unknown {
            return Err(Unsigned::Failed(format!(
                "whether it goes on from `{}` cannot be known: of its first {size} events, neither the segments nor the leaves in `pruned/` are there; put them back from a copy",
                held.name
            )));
        }
        Err(Unsigned::Refused(format!(
            "the first {size} events of the log are not those of `{}`: it was changed, or its key signs for another copy",
            held.name
        )))
    }
}

/// How many checkpoints are remembered of which it is known that the log goes on from them.
const COMPARED_MAX: usize = 64;
