//! Limits that come into force count what the access log tells of before: once before they do, and once more what happened in
//! the meantime. Until then nothing leaves that they count.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::telling::Names;
use crate::audit::{Bounds, Follower, Log, Reread, Step};
use crate::filter::Whom;
use crate::ledger::Standings;
use crate::limits::{Incoming, Meter, Outgoing, Recount, Told, ToldField};
use crate::policy::{About, People, Policy};
use crate::vocabulary::Module;

/// Limits that count what was shown before, and are not in force yet.
#[derive(Debug)]
pub struct NewLimits {
    meter: Meter,
    incoming: Arc<Incoming>,
    /// `None`: no limit is new, or no log is kept.
    reading: Option<Reading>,
}

/// Limits in force that have still to count what happened in the meantime.
#[derive(Debug)]
pub struct Catching {
    new: NewLimits,
    before: Outgoing,
}

impl NewLimits {
    /// Counts for the limits of a policy what the log tells of so far; `standings`: what a ledger knows of persons.
    ///
    /// # Errors
    /// If the log cannot be read: then nobody knows what was shown.
    pub async fn count(
        meter: &Meter,
        policy: &Policy,
        standings: Option<Arc<Standings>>,
        log: &Log,
    ) -> io::Result<Self> {
        let incoming = Arc::new(meter.incoming(policy));
        let mut new = Self {
            meter: meter.clone(),
            incoming: incoming.clone(),
            reading: None,
        };
        if let Some(dir) = log.dir().filter(|_| incoming.is_new()) {
            let (dir, recount) = (dir.to_owned(), Recount::of(meter, &incoming));
            let whose = (Names::new(meter, standings), policy.people().cloned());
            let reading = move || Reading::begin(&dir, recount, whose)?.go_on();
            new.reading = Some(beside(reading).await?);
        }
        Ok(new)
    }

    /// Puts them in force.
    pub fn put(self) -> Catching {
        Catching {
            before: self.meter.put(&self.incoming),
            new: self,
        }
    }
}

impl Catching {
    /// Counts what happened in the meantime, once nothing is under way any more that others counted.
    ///
    /// # Errors
    /// If the log cannot be read: then the new limits let nothing through.
    pub async fn catch_up(self) -> io::Result<()> {
        let Self { new, before } = self;
        if let Some(reading) = new.reading {
            while !before.is_over() {
                tokio::time::sleep(STEP).await;
            }
            beside(move || reading.go_on()?.end()).await?;
        }
        new.meter.ready(&new.incoming);
        Ok(())
    }
}

/// A way through the log.
#[derive(Debug)]
struct Reading {
    follower: Follower,
    recount: Recount,
    names: Names,
    people: Option<People>,
}

impl Reading {
    fn begin(
        dir: &Path,
        recount: Recount,
        (names, people): (Names, Option<People>),
    ) -> io::Result<Self> {
        let reach = recount.reach();
        let since = Timestamp::now()
            .checked_sub(reach)
            .unwrap_or(Timestamp::MIN);
        let since = format!("{since:.3}");
        Ok(Self {
            follower: Follower::from_time(dir, &since)?,
            recount,
            names,
            people,
        })
    }

    /// Counts all that is there.
    fn go_on(mut self) -> io::Result<Self> {
        loop {
            // What is not known to be on disk yet may count as well.
            let batch = self.follower.read(u64::MAX, BOUNDS)?;
            if batch.steps.is_empty() {
                return Ok(self);
            }
            let now = Timestamp::now();
            for step in batch.steps {
                self.step(&step, now);
            }
        }
    }

    fn step(&mut self, step: &Step, now: Timestamp) {
        let event = match step {
            Step::Event(event) => event,
            Step::Remark(remark) => {
                let (why, first) = (remark.why.as_str(), remark.first_seq);
                let last = remark.last_seq;
                tracing::warn!(
                    why,
                    first,
                    last,
                    "limits cannot count what these events of the access log tell"
                );
                return;
            }
        };
        if let Some(told) = event.limit_told() {
            let ago = ago(told.time, now);
            let caller = (told.upstream, told.caller);
            let limit = (told.limit, told.count, told.max, told.window);
            self.recount.reached(limit, caller, ago);
        } else if let Some(request) = event.request() {
            self.request(&request, now);
        }
    }

    fn request(&mut self, request: &Reread, now: Timestamp) {
        let seen = request.seen();
        let Some((caller, _)) = seen.caller() else {
            return;
        };
        let upstream = seen.upstream().unwrap_or_default();
        let of_nobody = |module: &str| self.is_about_nobody(upstream, module);
        let data = seen.data().filter(|datum| datum.records > 0);
        let shown = data.flat_map(|datum| {
            let fields = datum.fields.iter();
            let modules = fields.filter_map(|field| Some(field.split_once('.')?.0));
            modules.map(move |module| ToldField {
                module,
                category: datum.category,
                level: datum.level,
                of_nobody: of_nobody(module),
            })
        });
        let told = Told {
            id: request.id(),
            is_closed: request.is_closed(),
            ago: ago(request.time(), now),
            upstream,
            caller,
            roles: seen.roles(),
            purpose: seen.purpose().map(|(purpose, _)| purpose),
            refs: request.refs().collect(),
            whom: self.whom(upstream, request),
            records: seen.disclosed(),
            shown: shown.collect(),
        };
        self.recount.take(&told);
    }

    /// Whom the records are about that a request names.
    fn whom(&self, upstream: &str, request: &Reread) -> Vec<Whom> {
        if !self.recount.counts_persons() {
            return Vec::new();
        }
        let whom = |(module, id): (&str, &str)| {
            let name = (upstream, &Module::new(module), id);
            self.names.whom(self.people.as_ref(), name)
        };
        request.refs().map(whom).collect()
    }

    /// Whether records of a module are about nobody.
    fn is_about_nobody(&self, upstream: &str, module: &str) -> bool {
        let people = self
            .people
            .as_ref()
            .filter(|_| self.recount.counts_persons());
        let about = people.and_then(|people| people.about(upstream, &Module::new(module)));
        about.is_some_and(|about| *about == About::Nobody)
    }

    fn end(mut self) -> io::Result<()> {
        self.recount.end();
        Ok(())
    }
}

/// How long ago an event was written. One of later than now was written a moment ago, by a clock that has stepped back since;
/// so was one of which nobody knows when.
fn ago(time: &str, now: Timestamp) -> Duration {
    let time: Option<Timestamp> = time.parse().ok();
    let passed = time.map(|time| now.duration_since(time));
    let passed = passed.and_then(|passed| Duration::try_from(passed).ok());
    passed.unwrap_or_default()
}

/// Does something that waits for a disk.
async fn beside<T: Send + 'static>(
    what: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(what).await.map_err(io::Error::other)?
}

const BOUNDS: Bounds = Bounds {
    steps: 1_000,
    bytes: 4 << 20,
};
/// How often is looked whether something is still under way.
const STEP: Duration = Duration::from_millis(5);
