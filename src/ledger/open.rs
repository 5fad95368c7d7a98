//! The ledger, as everybody else sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use crate::clock::Clock;

use super::address::Address;
use super::draft::Draft;
use super::error::Error;
use super::event::{Event, Recorded};
use super::keys::PersonKeys;
use super::newlink::NewLink;
use super::outgoing::{Due, Outgoing};
use super::person::{Name, Person, PersonId, Who};
use super::place::Place;
use super::reconcile::{self, Heard, Reconciled};
use super::refused::Refused;
use super::shown::{Shown, Use};
use super::standings::Standings;
use super::verify::{Verdict, verify};
use super::worker::{Opening, Thread, Worker};
use super::{append, batch, events, links, newlink, outbox};

/// Events that are read at once.
const AT_ONCE: i64 = 1000;

/// What a ledger is opened with.
#[derive(Debug)]
pub struct Settings {
    /// Where it is.
    pub place: Place,
    /// The keys under which persons are found.
    pub keys: PersonKeys,
    /// Bytes of memory that standings may take.
    pub bytes_max: u64,
    /// What events are stamped by.
    pub clock: Clock,
}

/// The open ledger. To wait for an answer is to wait for the store; to stop waiting does not stop what was asked.
#[derive(Debug)]
pub struct Ledger {
    thread: Thread,
    keys: Arc<PersonKeys>,
    standings: Arc<Standings>,
    /// How much of the outbox was set aside.
    aside: AtomicU64,
}

impl Ledger {
    /// Opens a ledger, makes it where there is none, and brings everybody's standing into memory.
    pub async fn open(settings: Settings) -> Result<Self, Error> {
        let keys = Arc::new(settings.keys);
        let standings = Arc::new(Standings::new(Arc::clone(&keys)));
        let thread = Thread::start(Opening {
            place: settings.place,
            keys: Arc::clone(&keys),
            standings: Arc::clone(&standings),
            bytes_max: settings.bytes_max,
            clock: settings.clock,
        });
        Ok(Self {
            thread: thread.await?,
            keys,
            standings,
            aside: AtomicU64::new(0),
        })
    }

    /// How everybody stands. Whoever decides by it looks first whether it is fresh.
    pub fn standings(&self) -> &Arc<Standings> {
        &self.standings
    }

    /// Records an event, durably, once for each reference; the standings know it before this returns.
    pub async fn append(&self, draft: Draft) -> Result<Recorded, Error> {
        let append = move |worker: &mut Worker| {
            let now = worker.now();
            draft.check(now)?;
            let (event, is_new) = worker.write(|persons| append::append(persons, &draft, now))?;
            Ok(Recorded { event, is_new })
        };
        self.thread.ask(append).await
    }

    /// Records events, all of them or none; each that is there already, with the same reference or word for word, not again.
    pub async fn append_all(&self, drafts: Arc<Vec<Draft>>) -> Result<Vec<Recorded>, Error> {
        let append = move |worker: &mut Worker| {
            let now = worker.now();
            let all = worker.write(|persons| batch::append_all(persons, &drafts, now))?;
            let recorded = all.into_iter();
            Ok(recorded
                .map(|(event, is_new)| Recorded { event, is_new })
                .collect())
        };
        self.thread.ask(append).await
    }

    /// Which of them are recorded already; what may not be recorded, and why. Nothing changes.
    pub async fn known(
        &self,
        drafts: Arc<Vec<Draft>>,
    ) -> Result<Vec<Result<bool, Refused>>, Error> {
        let look = move |worker: &mut Worker| {
            let now = worker.now();
            worker.read(|persons| batch::known(persons, &drafts, now))
        };
        self.thread.ask(look).await
    }

    /// Brings what another system says of persons together with what it said before, all of it or nothing. A dry run only looks.
    pub async fn reconcile(
        &self,
        heard: Vec<Heard>,
        source: String,
        by: String,
        is_dry: bool,
    ) -> Result<Reconciled, Error> {
        let reconcile = move |worker: &mut Worker| {
            let now = worker.now();
            let from = reconcile::From {
                source: &source,
                by: &by,
                now,
            };
            match is_dry {
                true => worker.read(|persons| reconcile::look(persons, &heard, &from)),
                false => worker.write(|persons| reconcile::record(persons, &heard, &from)),
            }
        };
        self.thread.ask(reconcile).await
    }

    /// Puts into the outbox what is about no event.
    pub async fn send(&self, outgoing: Vec<Outgoing>) -> Result<(), Error> {
        let send = move |worker: &mut Worker| {
            worker.write(|persons| outbox::insert_all(persons, &outgoing))
        };
        self.thread.ask(send).await
    }

    /// Joins two persons: the second is the first from here on. What was recorded of either before stays apart, so this affirms
    /// nothing; what is recorded from here on counts for both.
    pub async fn merge(
        &self,
        survivor: Who,
        other: Who,
        why: String,
        by: String,
    ) -> Result<Recorded, Error> {
        let merge = move |worker: &mut Worker| {
            let event =
                worker.write(|persons| append::merge(persons, &survivor, &other, &why, &by))?;
            Ok(Recorded {
                event,
                is_new: true,
            })
        };
        self.thread.ask(merge).await
    }

    /// Lets names find a person, who becomes known if need be. A name that finds somebody else goes on finding that one, and an
    /// address is always a person of its own; who is found by each is returned.
    pub async fn attach(&self, who: Who, names: Vec<Name>) -> Result<Vec<PersonId>, Error> {
        let attach = move |worker: &mut Worker| {
            worker.write(|persons| {
                let person = persons.find_or_make(&who)?;
                let found = names.iter().map(|name| match name {
                    Name::Address(_) => persons.named_or_made(name),
                    Name::Record(_) | Name::Phone(_) => persons.attach(&person, name),
                });
                found.collect()
            })
        };
        self.thread.ask(attach).await
    }

    /// Notes whether an address stands under two different names: then it affirms nothing.
    pub async fn share(&self, address: Address, is_shared: bool) -> Result<(), Error> {
        let share =
            move |worker: &mut Worker| worker.write(|persons| persons.share(&address, is_shared));
        self.thread.ask(share).await
    }

    /// Who is found by a name, and what is known of the names; `None` if nobody is known.
    pub async fn person(&self, who: Who) -> Result<Option<Person>, Error> {
        let find = move |worker: &mut Worker| {
            worker.read(|persons| match persons.find(&who)? {
                Some(id) => persons.person(id).map(Some),
                None => Ok(None),
            })
        };
        self.thread.ask(find).await
    }

    /// Whom a name finds: a telephone number, too, which many may share and which proves nothing.
    pub async fn named(&self, name: Name) -> Result<Option<PersonId>, Error> {
        let find = move |worker: &mut Worker| worker.read(|persons| persons.named(&name));
        self.thread.ask(find).await
    }

    /// All events of a person, in their order: those of everybody who is this person now.
    pub async fn history(&self, person: PersonId) -> Result<Vec<Event>, Error> {
        let read = move |worker: &mut Worker| {
            worker.read(|persons| {
                let root = persons.root(person.clone())?;
                persons.history(&root)
            })
        };
        self.thread.ask(read).await
    }

    /// The event of an identifier.
    pub async fn event(&self, id: String) -> Result<Option<Event>, Error> {
        let read = move |worker: &mut Worker| {
            worker.read(|persons| events::identified(persons.within, &id))
        };
        self.thread.ask(read).await
    }

    /// Some events behind a number, in their order; none at the end.
    pub async fn events_after(&self, seq: i64) -> Result<Vec<Event>, Error> {
        let read = move |worker: &mut Worker| {
            worker.read(|persons| events::after(persons.within, seq, AT_ONCE))
        };
        self.thread.ask(read).await
    }

    /// Walks the chain; names the first event that is not what was recorded.
    pub async fn verify(&self) -> Result<Verdict, Error> {
        let read = |worker: &mut Worker| worker.read(|persons| verify(persons.within));
        self.thread.ask(read).await
    }

    /// Makes the token of a link, about one purpose or all (`*`). It is good once it was recorded, with an event or by
    /// [`Ledger::post`].
    pub fn new_link(
        &self,
        used_for: Use,
        purpose: &str,
        expires: Timestamp,
    ) -> Result<NewLink, Error> {
        NewLink::make(&self.keys, used_for, purpose, expires)
    }

    /// Looks a token up. Nothing changes: whoever only looks confirms nothing. One that was made up is told so at once.
    pub async fn show(&self, used_for: Use, token: String) -> Result<Shown, Error> {
        if !newlink::is_formed(&self.keys, &token, used_for) {
            return Err(Refused::LinkUnknown.into());
        }
        let look = move |worker: &mut Worker| {
            worker.read(|persons| {
                links::look(persons.keys, persons.within, used_for, &token, persons.now)
            })
        };
        self.thread.ask(look).await
    }

    /// Takes a link without an event; of one that is good once, only the first succeeds.
    pub async fn take(&self, shown: Shown) -> Result<(), Error> {
        let take = move |worker: &mut Worker| {
            worker.write(|persons| links::take(persons.within, &shown, persons.now))
        };
        self.thread.ask(take).await
    }

    /// Makes links of a person good and puts into the outbox what is to be sent, without an event.
    pub async fn post(
        &self,
        person: PersonId,
        links: Vec<NewLink>,
        outgoing: Vec<Outgoing>,
    ) -> Result<(), Error> {
        let post = move |worker: &mut Worker| {
            worker.write(|persons| {
                let person = persons.root(person.clone())?;
                for link in &links {
                    links::insert(persons.within, link, &person, None)?;
                }
                outbox::insert_all(persons, &outgoing)
            })
        };
        self.thread.ask(post).await
    }

    /// The same for whoever has an address, if that is somebody; whether it is shows neither in the answer nor in what is written.
    pub async fn post_to(
        &self,
        address: Address,
        links: Vec<NewLink>,
        outgoing: Vec<Outgoing>,
    ) -> Result<(), Error> {
        let post = move |worker: &mut Worker| {
            worker.write(|persons| {
                let who = Who::Address(address.clone());
                let found = persons.find(&who)?;
                let nobody = PersonId(String::new());
                for link in &links {
                    let person = found.as_ref().unwrap_or(&nobody);
                    links::insert(persons.within, link, person, None)?;
                }
                for outgoing in &outgoing {
                    let id = outbox::insert(persons, outgoing)?;
                    // Of somebody, nothing of that name is there.
                    let gone = if found.is_some() { "" } else { &id };
                    outbox::done(persons.within, gone)?;
                }
                links::forget_all_of(persons.within, &nobody)
            })
        };
        self.thread.ask(post).await
    }

    /// Whether something is due for a sink. To look changes nothing, so that it can be done often.
    pub async fn is_due(&self, sink: &'static str) -> Result<bool, Error> {
        let look = move |worker: &mut Worker| {
            worker.read(|persons| outbox::is_due(persons.within, sink, persons.now))
        };
        self.thread.ask(look).await
    }

    /// Claims what is due for a sink, at most some: nobody else is given it before `until`. Whoever claims it says that it was
    /// sent, or when it is due again; who does neither lets it be due then.
    pub async fn claim(
        &self,
        sink: String,
        until: Timestamp,
        at_most: u32,
    ) -> Result<Vec<Due>, Error> {
        let until = until.as_millisecond();
        let claim = move |worker: &mut Worker| {
            // Whoever asks now and then does not write each time.
            if !worker.read(|persons| outbox::is_due(persons.within, &sink, persons.now))? {
                return Ok((Vec::new(), 0));
            }
            let claimed = worker.write(|persons| {
                let when = (sink.as_str(), persons.now, until);
                outbox::claim(persons.keys, persons.within, when, at_most)
            })?;
            if claimed.aside > 0 {
                let count = claimed.aside;
                tracing::error!(
                    count,
                    sink,
                    "something in the outbox of the consent ledger cannot be opened with the keys of `keys.person`, and is set aside for a day"
                );
            }
            Ok((claimed.due, claimed.aside))
        };
        let (due, aside) = self.thread.ask(claim).await?;
        self.aside.fetch_add(aside, Ordering::Relaxed);
        Ok(due)
    }

    /// How much of the outbox was set aside since the start, because it cannot be opened.
    pub fn set_aside(&self) -> u64 {
        self.aside.load(Ordering::Relaxed)
    }

    /// Says that things were sent, or are given up: they are forgotten. What there is to tell of it is written with that.
    pub async fn sent(&self, done: &[Due], told: Vec<Outgoing>) -> Result<(), Error> {
        let ids: Vec<String> = done.iter().map(|due| due.id.clone()).collect();
        let done = move |worker: &mut Worker| {
            worker.write(|persons| {
                for id in &ids {
                    outbox::done(persons.within, id)?;
                }
                outbox::insert_all(persons, &told)
            })
        };
        self.thread.ask(done).await
    }

    /// Forgets what has ended long ago. It is done every hour while the ledger is open.
    pub async fn tidy(&self) -> Result<(), Error> {
        self.thread.ask(Worker::tidy).await
    }

    /// Says that something could not be sent, and when it is due again.
    pub async fn unsent(&self, due: &Due, again: Timestamp) -> Result<(), Error> {
        let (id, again) = (due.id.clone(), again.as_millisecond());
        let put_off = move |worker: &mut Worker| {
            worker.write(|persons| outbox::again(persons.within, &id, again))
        };
        self.thread.ask(put_off).await
    }
}
