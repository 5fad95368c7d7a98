//! Persons in the store: found, made, named, joined.

use super::address::Address;
use super::counters::Counter;
use super::error::Error;
use super::event::Event;
use super::events;
use super::keys::{Kept, KeyKind, PersonKeys};
use super::person::{Name, Person, PersonId, Who};
use super::random;
use super::reference::Reference;
use super::room::Room;
use super::store::{Transaction, Value};

/// How often one person can have become another one: more is a circle.
const MERGES_MAX: usize = 1000;

/// The kind of a row whose name finds nobody any more: what an older key kept of an address that a newer one keeps.
pub(super) const GONE: &str = "gone";

/// Persons, within a transaction.
pub(super) struct Persons<'p> {
    pub(super) keys: &'p PersonKeys,
    pub(super) within: &'p mut dyn Transaction,
    pub(super) now: i64,
    /// The number of the change that this transaction is.
    pub(super) change: i64,
    pub(super) room: Room<'p>,
}

impl Persons<'_> {
    /// Who is meant, if known.
    pub(super) fn find(&mut self, who: &Who) -> Result<Option<PersonId>, Error> {
        match who {
            Who::Person(person) => {
                let sql = "SELECT person FROM persons WHERE person = $1";
                let found = self.within.run(sql, &[person.as_str().into()])?;
                match found.is_empty() {
                    true => Ok(None),
                    false => self.root(person.clone()).map(Some),
                }
            }
            Who::Record(record) => self.named(&Name::Record(record.clone())),
            Who::Address(address) => self.named(&Name::Address(address.clone())),
            Who::RecordWith(record, address) => match self.named(&Name::Record(record.clone()))? {
                Some(person) => Ok(Some(person)),
                None => self.named(&Name::Address(address.clone())),
            },
        }
    }

    /// Who is meant; who is not known yet becomes known.
    pub(super) fn find_or_make(&mut self, who: &Who) -> Result<PersonId, Error> {
        match who {
            Who::Person(_) => self.find(who)?.ok_or(Error::Nobody),
            Who::Record(record) => self.named_or_made(&Name::Record(record.clone())),
            Who::Address(address) => self.named_or_made(&Name::Address(address.clone())),
            Who::RecordWith(record, address) => {
                // Who has the address is a person of its own where the record is known already: whoever can change a record's
                // address does not become the record's person thereby. The record reaches both.
                let record = Name::Record(record.clone());
                let known = self.named(&record)?;
                let of_address = self.named_or_made(&Name::Address(address.clone()))?;
                match known {
                    Some(person) => Ok(person),
                    None => self.attach(&of_address, &record),
                }
            }
        }
    }

    /// Whom a name finds; nobody yet: somebody new.
    pub(super) fn named_or_made(&mut self, name: &Name) -> Result<PersonId, Error> {
        let person = match self.named(name)? {
            Some(person) => person,
            None => self.make()?,
        };
        self.attach(&person, name)
    }

    /// Whom a name finds, under any of the keys.
    pub(super) fn named(&mut self, name: &Name) -> Result<Option<PersonId>, Error> {
        let (kind, spellings) = self.spellings(name);
        let sql = "SELECT person FROM person_keys WHERE kind = $1 AND key = $2";
        for (key, _) in spellings {
            let found = self.within.run(sql, &[kind.name().into(), (&key).into()])?;
            if let Some(row) = found.first() {
                let person = PersonId(row.text(0)?.to_owned());
                return self.root(person).map(Some);
            }
        }
        Ok(None)
    }

    /// How the store spells a name: under the first key, which writes, then under others; each with the key's identifier.
    fn spellings(&self, name: &Name) -> (KeyKind, Vec<(String, String)>) {
        let (kind, text) = match name {
            Name::Record(record) => {
                let clear = (record.as_str().to_owned(), String::new());
                return (KeyKind::Record, vec![clear]);
            }
            Name::Address(address) => (KeyKind::Email, address.as_str()),
            Name::Phone(phone) => (KeyKind::Phone, phone.as_str()),
        };
        let under = |generation| {
            let id = self.keys.id(generation).unwrap_or_default().to_owned();
            (self.keys.kept(generation, kind, text).hex(), id)
        };
        (kind, (0..self.keys.generations()).map(under).collect())
    }

    fn make(&mut self) -> Result<PersonId, Error> {
        self.room.for_person()?;
        let person = PersonId(random::id('p')?);
        let next = Counter::Number.next(self.within)?;
        number(next)?;
        let sql = "INSERT INTO persons (person, created, merged_into, number, change) VALUES ($1, $2, NULL, $3, $4)";
        let values = [
            person.as_str().into(),
            self.now.into(),
            next.into(),
            self.change.into(),
        ];
        self.within.run(sql, &values)?;
        Ok(person)
    }

    /// Lets a name find a person. A name that finds somebody already goes on finding that one, who is returned. A name that is
    /// kept under an older key is kept under the first one, too.
    pub(super) fn attach(&mut self, person: &PersonId, name: &Name) -> Result<PersonId, Error> {
        let known = self.named(name)?;
        let person = known.as_ref().unwrap_or(person).clone();
        let (kind, spellings) = self.spellings(name);
        let mut spellings = spellings.into_iter();
        let Some((key, key_id)) = spellings.next() else {
            return Err(Error::Closed);
        };
        let sql = "SELECT shared FROM person_keys WHERE kind = $1 AND key = $2";
        if self
            .within
            .run(sql, &[kind.name().into(), (&key).into()])?
            .is_empty()
        {
            let shared = self.is_shared(name)?;
            let sql = "DELETE FROM person_keys WHERE kind = $1 AND key = $2";
            self.within.run(sql, &[GONE.into(), (&key).into()])?;
            let sql = "INSERT INTO person_keys (kind, key, key_id, person, shared, change) VALUES ($1, $2, $3, $4, $5, $6)";
            let values: [Value; 6] = [
                kind.name().into(),
                (&key).into(),
                (&key_id).into(),
                person.as_str().into(),
                i64::from(shared).into(),
                self.change.into(),
            ];
            self.within.run(sql, &values)?;
        }
        // What an older key kept is found under the first one from here on, so that the older one can go some day.
        for (key, _) in spellings {
            self.retire(kind, &key)?;
        }
        Ok(person)
    }

    /// Lets a name find nobody any more. The row stays as a sign of it, so that processes which have it in memory learn of it.
    fn retire(&mut self, kind: KeyKind, key: &str) -> Result<(), Error> {
        let sql = "UPDATE person_keys SET kind = $1, change = $2 WHERE kind = $3 AND key = $4";
        let values: [Value; 4] = [
            GONE.into(),
            self.change.into(),
            kind.name().into(),
            key.into(),
        ];
        self.within.run(sql, &values).map(drop)
    }

    /// Lets a record find a person of its own, where it is found with an address of which nobody knows whose it is. Nothing that
    /// was recorded goes along: see [`super::reconcile`].
    pub(super) fn separate(
        &mut self,
        record: &Reference,
        address: &Address,
    ) -> Result<PersonId, Error> {
        let name = Name::Record(record.clone());
        let known = self.named(&name)?;
        let of_address = self.find_or_make(&Who::Address(address.clone()))?;
        match known {
            Some(person) if person != of_address => return Ok(person),
            None => {
                let person = self.make()?;
                return self.attach(&person, &name);
            }
            Some(_) => {}
        }
        let person = self.make()?;
        let sql = "UPDATE person_keys SET person = $1, change = $2 WHERE kind = $3 AND key = $4";
        let values: [Value; 4] = [
            person.as_str().into(),
            self.change.into(),
            KeyKind::Record.name().into(),
            record.as_str().into(),
        ];
        self.within.run(sql, &values)?;
        Ok(person)
    }

    pub(super) fn is_shared(&mut self, name: &Name) -> Result<bool, Error> {
        let (kind, spellings) = self.spellings(name);
        let sql = "SELECT shared FROM person_keys WHERE kind = $1 AND key = $2 AND shared <> 0";
        for (key, _) in spellings {
            let found = self.within.run(sql, &[kind.name().into(), (&key).into()])?;
            if !found.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes whether two names stand under an address.
    pub(super) fn share(&mut self, address: &Address, is_shared: bool) -> Result<(), Error> {
        let (kind, spellings) = self.spellings(&Name::Address(address.clone()));
        for (key, _) in spellings {
            let sql =
                "UPDATE person_keys SET shared = $1, change = $2 WHERE kind = $3 AND key = $4";
            let values: [Value; 4] = [
                i64::from(is_shared).into(),
                self.change.into(),
                kind.name().into(),
                (&key).into(),
            ];
            self.within.run(sql, &values)?;
        }
        Ok(())
    }

    /// Whom a person is now.
    pub(super) fn root(&mut self, mut person: PersonId) -> Result<PersonId, Error> {
        let sql = "SELECT merged_into FROM persons WHERE person = $1";
        for _ in 0..MERGES_MAX {
            let found = self.within.run(sql, &[person.as_str().into()])?;
            let row = found.first();
            let row = row.ok_or_else(|| Error::corrupt("a person is missing"))?;
            match row.text_or_none(0)? {
                Some(next) => person = PersonId(next),
                None => return Ok(person),
            }
        }
        Err(Error::corrupt("persons were merged in a circle"))
    }

    /// All that are this person now, this one among them.
    pub(super) fn members(&mut self, root: &PersonId) -> Result<Vec<PersonId>, Error> {
        let mut members = vec![root.clone()];
        let sql = "SELECT person FROM persons WHERE merged_into = $1";
        let mut at = 0;
        while let Some(member) = members.get(at) {
            let found = self.within.run(sql, &[member.as_str().into()])?;
            for row in found {
                members.push(PersonId(row.text(0)?.to_owned()));
            }
            at += 1;
            if members.len() > MERGES_MAX {
                return Err(Error::corrupt("persons were merged in a circle"));
            }
        }
        Ok(members)
    }

    /// All events of whoever is this person now, in their order.
    pub(super) fn history(&mut self, root: &PersonId) -> Result<Vec<Event>, Error> {
        let mut all = Vec::new();
        for member in self.members(root)? {
            all.extend(events::of(self.within, &member)?);
        }
        all.sort_by_key(|event| event.seq);
        Ok(all)
    }

    /// When the last denial was recorded of whoever is this person now.
    pub(super) fn last_denial(&mut self, root: &PersonId) -> Result<Option<i64>, Error> {
        let sql = "SELECT MAX(recorded) FROM ledger WHERE person = $1 AND kind IN ('refused', 'withdrawn', 'objected', 'restricted')";
        let mut last = None;
        for member in self.members(root)? {
            let found = self.within.run(sql, &[member.as_str().into()])?;
            let found = found.first().map(|row| row.integer_or_none(0));
            last = last.max(found.transpose()?.flatten());
        }
        Ok(last)
    }

    /// The number of a person.
    pub(super) fn number(&mut self, person: &PersonId) -> Result<u32, Error> {
        let sql = "SELECT number FROM persons WHERE person = $1";
        let found = self.within.run(sql, &[person.as_str().into()])?;
        let row = found.first();
        let row = row.ok_or_else(|| Error::corrupt("a person is missing"))?;
        number(row.integer(0)?)
    }

    /// Notes that a person is another one now.
    pub(super) fn merge(&mut self, person: &PersonId, into: &PersonId) -> Result<(), Error> {
        let sql = "UPDATE persons SET merged_into = $1, change = $2 WHERE person = $3";
        let values = [
            into.as_str().into(),
            self.change.into(),
            person.as_str().into(),
        ];
        self.within.run(sql, &values).map(drop)
    }

    /// What is known of the names of a person.
    pub(super) fn person(&mut self, id: PersonId) -> Result<Person, Error> {
        let mut person = Person {
            id: id.clone(),
            records: Vec::new(),
            emails: Vec::new(),
            phones: Vec::new(),
        };
        let sql =
            "SELECT kind, key FROM person_keys WHERE person = $1 AND kind <> $2 ORDER BY kind, key";
        for member in self.members(&id)? {
            let named = self.within.run(sql, &[member.as_str().into(), GONE.into()]);
            for row in named? {
                let key = row.text(1)?.to_owned();
                match KeyKind::named(row.text(0)?) {
                    Some(KeyKind::Record) => {
                        let record = Reference::parse(&key);
                        let damaged = |_| Error::corrupt("the name of a record is none");
                        person.records.push(record.map_err(damaged)?);
                    }
                    Some(KeyKind::Email) => person.emails.push(key),
                    Some(KeyKind::Phone) => person.phones.push(key),
                    None => return Err(Error::corrupt("a name is of a kind that is not known")),
                }
            }
        }
        Ok(person)
    }
}

/// The number of a person, as memory has it.
pub(super) fn number(number: i64) -> Result<u32, Error> {
    u32::try_from(number)
        .ok()
        .filter(|number| *number > 0 && *number < 1 << 31)
        .ok_or_else(|| Error::corrupt("there are more persons than can be numbered"))
}

/// What memory finds a name by.
pub(super) fn kept(keys: &PersonKeys, kind: KeyKind, key: &str) -> Result<Kept, Error> {
    match kind {
        KeyKind::Record => Ok(keys.kept(0, kind, key)),
        KeyKind::Email | KeyKind::Phone => {
            Kept::read(key).ok_or_else(|| Error::corrupt("what is kept of a name is none"))
        }
    }
}
