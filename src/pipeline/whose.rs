//! Whom records are about, as they tell it themselves: by what they refer to, and by their addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::dialect::{AddressList, Dialect};
use crate::filter::Described;
use crate::policy::{self, People, Policy, Target};
use crate::vocabulary::{Field, Module};

/// Whom records are about, as the policy says it of a dialect's records.
#[derive(Debug)]
pub(super) struct Whose {
    people: People,
    /// Of fields that hold an address, the lists of all addresses beside them.
    lists: BTreeMap<Field, AddressList>,
    /// What must be read of records to know whom they are about, by module.
    fields: Arc<BTreeMap<Module, BTreeSet<Field>>>,
}

/// A person whom a record is about, in clear.
pub(super) struct Told {
    /// Records of the person, this one first if it is one.
    pub(super) references: Vec<(Module, String)>,
    pub(super) primary: Option<String>,
    /// All addresses, of a person that tells several.
    pub(super) others: Vec<String>,
    /// Whether the person is another record's.
    pub(super) is_linked: bool,
}

impl Told {
    /// The records of the person, as a ledger names those of a CRM.
    pub(super) fn references_of(&self, upstream: &str) -> Vec<String> {
        let all = self.references.iter();
        let named = all.map(|(module, id)| reference(upstream, module, id));
        named.collect()
    }
}

/// How a ledger names a record.
pub(super) fn reference(upstream: &str, module: &Module, id: &str) -> String {
    format!("{upstream}:{module}/{id}")
}

impl Whose {
    /// `None`, if the policy says nothing of persons.
    pub(super) fn of(policy: &Policy, dialect: &dyn Dialect) -> Option<Arc<Self>> {
        let people = policy.people()?.clone();
        let lists = lists(dialect, &people);
        Some(Arc::new(Self {
            fields: Arc::new(fields(&people, &lists)),
            people,
            lists,
        }))
    }

    /// What must be read of records to know whom they are about, by module.
    pub(super) fn fields(&self) -> &Arc<BTreeMap<Module, BTreeSet<Field>>> {
        &self.fields
    }

    /// What the policy says of it.
    pub(super) fn people(&self) -> &People {
        &self.people
    }

    /// All whom a record is about; `None`: nobody knows.
    pub(super) fn about(&self, upstream: &str, record: &Described<'_>) -> Option<Vec<Told>> {
        match self.people.about(upstream, record.module)? {
            policy::About::Nobody => Some(Vec::new()),
            policy::About::Person(person) => Some(vec![self.person(person, record)?]),
            policy::About::Linked(links) => self.linked(upstream, record, links),
        }
    }

    /// The one whom a record is about.
    fn person(&self, person: &policy::Person, record: &Described<'_>) -> Option<Told> {
        let mut references = vec![(record.module.clone(), record.id?.to_owned())];
        for (field, module) in &person.same_as {
            let id = referred(record, field)?;
            references.extend(id.map(|id| (module.clone(), id)));
        }
        let (mut primary, mut others) = (None, Vec::new());
        if let Some(email) = &person.email {
            (primary, others) = self.addresses(record, email)?;
        }
        Some(Told {
            references,
            primary,
            others,
            is_linked: false,
        })
    }

    /// All who are linked with a record.
    fn linked(
        &self,
        upstream: &str,
        record: &Described<'_>,
        links: &BTreeMap<Field, Target>,
    ) -> Option<Vec<Told>> {
        let mut all = Vec::new();
        for (field, target) in links {
            let Some(id) = referred(record, field)? else {
                continue;
            };
            let module = match target {
                Target::Module(module) => module.clone(),
                Target::By(field) => Module::new(record.field(field)?.as_str()?),
            };
            match self.people.about(upstream, &module)? {
                policy::About::Nobody => {}
                policy::About::Person(_) => all.push(Told {
                    references: vec![(module, id)],
                    primary: None,
                    others: Vec::new(),
                    is_linked: true,
                }),
                policy::About::Linked(_) => return None,
            }
        }
        Some(all)
    }

    /// The primary address of a record, and all others; `None`, if nobody knows them.
    fn addresses(
        &self,
        record: &Described<'_>,
        email: &Field,
    ) -> Option<(Option<String>, Vec<String>)> {
        let text = |value: &Value| match value {
            Value::Null => Some(None),
            Value::String(text) => Some(Some(text.clone())),
            _ => None,
        };
        let told = self.lists.get(email);
        // Of a list of records, the primary address is all that some APIs tell.
        let told = told.filter(|list| !list.of_single || record.tells(&list.field));
        let Some(list) = told else {
            return Some((text(record.field(email)?)?, Vec::new()));
        };
        let all = list.read(record.field(&list.field)?)?;
        let owned = |is_wanted: bool| {
            let wanted = all
                .iter()
                .filter(move |(_, is_primary)| *is_primary == is_wanted);
            wanted.map(|(address, _)| (*address).to_owned())
        };
        let mut primary: Option<String> = owned(true).next();
        if *email != list.field {
            let stated = text(record.field(email)?)?;
            primary = stated.filter(|stated| !stated.is_empty()).or(primary);
        }
        // Each of them may deny, whichever is the primary one.
        Some((primary, owned(false).chain(owned(true)).collect()))
    }
}

/// The id of the record that a field refers to, if it refers to one; `None`, if nobody knows what it holds.
fn referred(record: &Described<'_>, field: &Field) -> Option<Option<String>> {
    match record.field(field)? {
        Value::Null => Some(None),
        Value::String(id) if id.is_empty() => Some(None),
        Value::String(id) => Some(Some(id.clone())),
        Value::Number(id) => Some(Some(id.to_string())),
        _ => None,
    }
}

/// Of every field that holds an address of a person, the list of all addresses beside it.
fn lists(dialect: &dyn Dialect, people: &People) -> BTreeMap<Field, AddressList> {
    let emails = people.iter().filter_map(|(_, _, about)| match about {
        policy::About::Person(person) => person.email.as_ref(),
        _ => None,
    });
    emails
        .filter_map(|email| Some((email.clone(), dialect.addresses(email)?.clone())))
        .collect()
}

/// The fields by which it is told whom records are about.
fn fields(
    people: &People,
    lists: &BTreeMap<Field, AddressList>,
) -> BTreeMap<Module, BTreeSet<Field>> {
    let mut all: BTreeMap<Module, BTreeSet<Field>> = BTreeMap::new();
    for (_, module, about) in people.iter() {
        let of = all.entry(module.clone()).or_default();
        match about {
            policy::About::Nobody => {}
            policy::About::Linked(links) => {
                of.extend(links.keys().cloned());
                of.extend(links.values().filter_map(|target| match target {
                    Target::By(field) => Some(field.clone()),
                    Target::Module(_) => None,
                }));
            }
            policy::About::Person(person) => {
                of.extend(person.same_as.keys().cloned());
                let emails = person.email.iter();
                of.extend(emails.clone().cloned());
                let lists = emails.filter_map(|email| lists.get(email));
                of.extend(lists.map(|list| list.field.clone()));
            }
        }
    }
    all
}
