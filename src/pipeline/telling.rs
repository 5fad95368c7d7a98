//! Tells apart the persons whom records are about, for limits that count persons: by the ledger, else by the address, else by a
//! reference. In doubt two are told apart who are one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::whose::{Told, Whose, reference};
use super::{Pipeline, Visit};
use crate::filter::{Described, Someone, Tells, Whom};
use crate::ledger::{Address, Standings};
use crate::limits::Meter;
use crate::policy::{About, Count, Limit, People, Plan};
use crate::vocabulary::{Field, Module, RecordRef};

/// Whom records are about by their names alone.
#[derive(Clone, Debug)]
pub(super) struct Names {
    meter: Meter,
    standings: Option<Arc<Standings>>,
}

/// Whom the records of one request are about.
pub(super) struct Telling {
    names: Names,
    whose: Arc<Whose>,
    upstream: Arc<str>,
    fields: Arc<BTreeMap<Module, BTreeSet<Field>>>,
}

impl Pipeline {
    /// Who tells whom the records of a request are about; `None`, if no limit counts persons for its caller. The plan learns what
    /// must be read for that.
    pub(super) fn telling(&self, visit: &Visit<'_>, plan: &mut Plan) -> Option<Arc<Telling>> {
        let purpose = plan.purpose().map(|chosen| &chosen.purpose);
        let limits = visit.policy().limits().iter();
        let counts = |limit: &&Limit| {
            limit.count() == Count::Persons && limit.applies(plan.roles(), purpose)
        };
        let limits: Vec<&Limit> = limits.filter(counts).collect();
        let whose = visit
            .in_force
            .whose
            .as_ref()
            .filter(|_| !limits.is_empty())?;
        let counted = |module: &Module| limits.iter().any(|limit| limit.counts_of(module));
        let fields = match whose.fields().keys().all(counted) {
            true => Arc::clone(whose.fields()),
            false => {
                let all = whose.fields().iter().filter(|(module, _)| counted(module));
                Arc::new(
                    all.map(|(module, fields)| (module.clone(), fields.clone()))
                        .collect(),
                )
            }
        };
        plan.tell_persons(Arc::clone(&fields));
        Some(Arc::new(Telling {
            names: Names::new(&self.meter, self.standings.clone()),
            whose: Arc::clone(whose),
            upstream: self.upstream.clone(),
            fields,
        }))
    }
}

impl Names {
    pub(super) fn new(meter: &Meter, standings: Option<Arc<Standings>>) -> Self {
        Self {
            meter: meter.clone(),
            standings,
        }
    }

    /// Whom a record is about of which no more than its name is known, by what a policy says of its module.
    pub(super) fn whom(
        &self,
        people: Option<&People>,
        (upstream, module, id): (&str, &Module, &str),
    ) -> Whom {
        let about = people.and_then(|people| people.about(upstream, module));
        let persons = match about {
            Some(About::Nobody) => Vec::new(),
            Some(About::Person(_)) => {
                let (known, _) = self.known(&[reference(upstream, module, id)], None);
                let person = known.map(|name| named(name, None));
                vec![person.unwrap_or_else(|| self.heard_of(module, id))]
            }
            Some(About::Linked(_)) | None => vec![self.heard_of(module, id)],
        };
        Whom {
            module: module.clone(),
            persons,
        }
    }

    fn heard_of(&self, module: &Module, id: &str) -> Someone {
        Someone::heard_of(self.meter.record(module.as_str(), id))
    }

    /// Whom the ledger knows by some references or an address, and whether it knows the address as one of two.
    fn known(&self, references: &[String], address: Option<&Address>) -> (Option<u128>, bool) {
        let Some(standings) = &self.standings else {
            return (None, false);
        };
        let references = references.iter().map(String::as_str);
        let known = standings.whom(references, address);
        let person = known.person.map(|number| self.meter.person(number));
        (person, known.is_shared)
    }
}

impl Telling {
    /// Whom records are about of which no more than their names are known.
    pub(super) fn whom_of(&self, refs: &[RecordRef]) -> Vec<Whom> {
        let people = Some(self.whose.people());
        let whom = |one: &RecordRef| {
            let name = (&*self.upstream, &one.module, &*one.id);
            self.names.whom(people, name)
        };
        refs.iter().map(whom).collect()
    }

    /// A person, as a record tells. `own` is the name of the record.
    fn someone(&self, told: &Told, own: Option<u128>) -> Someone {
        let address = told.primary.as_deref();
        // What cannot be read is no address, and tells nobody.
        let address = address.and_then(|text| Address::parse(text).ok());
        let references = told.references_of(&self.upstream);
        let (known, is_shared) = self.names.known(&references, address.as_ref());
        if let Some(name) = known {
            return named(name, own);
        }
        let meter = &self.names.meter;
        let address = address.filter(|_| !is_shared);
        let address = address.map(|address| meter.address(address.as_str()));
        let references = told.references.iter();
        let references = references.filter(|(_, id)| !is_placeholder(id));
        let references = references.map(|(module, id)| meter.record(module.as_str(), id));
        let others = references.filter(|name| told.is_linked || Some(*name) != own);
        // Whoever has an address is known by that: a link to somebody else does not make one of two.
        let mut names: Vec<u128> = match address {
            Some(address) => vec![address],
            None => others.collect(),
        };
        let is_hearsay = address.is_none() && !names.is_empty();
        if names.is_empty() {
            names.extend(own);
        }
        Someone {
            names,
            own,
            is_hearsay,
        }
    }
}

impl Tells for Telling {
    fn fields(&self, module: &Module) -> Option<&BTreeSet<Field>> {
        self.fields.get(module)
    }

    fn whom(&self, record: &Described<'_>) -> Option<Vec<Someone>> {
        let all = self.whose.about(&self.upstream, record)?;
        let own = record.id.filter(|id| all.len() == 1 && !is_placeholder(id));
        let own = own.map(|id| self.names.meter.record(record.module.as_str(), id));
        let each = all.iter().map(|told| self.someone(told, own));
        Some(each.collect())
    }

    fn alone(&self, module: &Module, id: Option<&str>) -> Someone {
        match id.filter(|id| !is_placeholder(id)) {
            Some(id) => self.names.heard_of(module, id),
            None => Someone {
                names: Vec::new(),
                own: None,
                is_hearsay: true,
            },
        }
    }
}

/// Whether an id stands for none: nobody can be told apart by it.
fn is_placeholder(id: &str) -> bool {
    id.bytes().all(|byte| matches!(byte, b'0' | b'-' | b' '))
}

/// Somebody whom the ledger knows.
fn named(name: u128, own: Option<u128>) -> Someone {
    Someone {
        names: vec![name],
        own,
        is_hearsay: false,
    }
}

impl fmt::Debug for Telling {
    /// Without what it is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telling").finish_non_exhaustive()
    }
}
