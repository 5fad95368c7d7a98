//! Questions to a log: which requests, of whom, about what, for which purpose.

use std::net::IpAddr;

use crate::vocabulary::{Category, Level};

use super::format::full::{Entry, Request};
use super::names::network;
use super::upstreams::Asked;

mod answer;
mod keys;
mod policies;
mod scan;
#[cfg(test)]
mod tests;

pub use answer::{Page, Pages, Summary, query, show};
pub use keys::{QueryError, time};
pub(super) use policies::Policies;
pub(super) use scan::{Hit, Looking, Place};

/// Which requests are asked for. Everything that is given must hold; of several values of a filter, one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The caller's id or name.
    caller: Vec<String>,
    /// A role that counted.
    role: Vec<String>,
    purpose: Vec<String>,
    /// A module that was asked for, or of which anything was in the reply.
    module: Vec<String>,
    /// A record: `Contacts/c-1`, or `crm:Contacts/c-1` where the log tells of several CRMs.
    record: Vec<Asked>,
    outcome: Vec<String>,
    /// A code of a refusal.
    reason: Vec<String>,
    /// A network, or an address in it.
    origin: Vec<String>,
    /// A strength that was proved.
    strength: Vec<String>,
    /// The name of the policy, its hash, or the beginning of that.
    policy: Vec<String>,
    action: Vec<String>,
    id: Vec<String>,
    /// From the first event at or after this time on. Times are compared as they are written, which sorts them.
    since: Option<String>,
    /// Up to the last event before this time.
    until: Option<String>,
    /// What was done with which data: all of it must hold of the same.
    data: DataQuery,
}

/// What was done with which data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct DataQuery {
    /// A category, and all below it.
    category: Vec<Category>,
    /// `Contacts.iban_c`, or `iban_c` of whatever module.
    field: Vec<String>,
    level: Vec<Level>,
    uses: Vec<Usage>,
    /// The category of a kind of identifier that was found in texts.
    text_kind: Vec<Category>,
}

/// What was done with data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usage {
    /// It was shown, in whatever form.
    Shown,
    /// A filter compared it with a value.
    Matched,
    /// Records were sorted by it.
    Sorted,
    /// A search looked into it.
    Searched,
    /// It got a new value.
    Written,
    /// It was written into a file.
    Exported,
}

impl Usage {
    /// All, each by its word.
    const NAMED: [(&str, Self); 6] = [
        ("shown", Self::Shown),
        ("matched", Self::Matched),
        ("sorted", Self::Sorted),
        ("searched", Self::Searched),
        ("written", Self::Written),
        ("exported", Self::Exported),
    ];
}

/// What a request says to a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It matches.
    Yes,
    /// It does not.
    No,
    /// It does not, as far as is known: it named fields, and nobody knows their categories.
    Unknown,
}

impl Query {
    /// Whether it asks for a time.
    pub fn is_timed(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Whether it asks for what no CRM does as yet.
    pub fn asks_for_exports(&self) -> bool {
        self.data.uses.contains(&Usage::Exported)
    }

    /// What an event says that closes a request, but for the record that is asked for.
    fn said(&self, event: &Request, policies: &Policies) -> Said {
        match self.is_of(event) && is(&self.id, Some(&event.id)) {
            true => self.said_of_shape(event, policies),
            false => Said::No,
        }
    }

    /// Whether the caller and the network are those that are asked for. Both repeat apart from the rest.
    fn is_of(&self, event: &Request) -> bool {
        let caller = event.caller.as_ref();
        let names = caller.map(|caller| (caller.id.as_str(), caller.name.as_str()));
        self.suits_caller(names) && self.suits_origin(&event.origin.ip)
    }

    pub(super) fn suits_caller(&self, caller: Option<(&str, &str)>) -> bool {
        is(&self.caller, caller.map(|(id, _)| id)) || is(&self.caller, caller.map(|(_, name)| name))
    }

    pub(super) fn suits_origin(&self, origin: &str) -> bool {
        is(&self.origin, Some(origin))
    }

    /// What all events say that differ in their caller, network, id, time and records only.
    pub(super) fn said_of_shape(&self, event: &Request, policies: &Policies) -> Said {
        let outcome = event.outcome.as_ref();
        let reason = outcome.and_then(|outcome| outcome.reason.as_deref());
        let is_so = self.may_open(event)
            && is(&self.outcome, outcome.map(|outcome| outcome.kind.as_str()))
            && is(&self.reason, reason);
        match is_so {
            true => self.data.said(event, policies),
            false => Said::No,
        }
    }

    /// The filters that an opening event can answer too, but for the caller, the network and the id.
    pub(super) fn may_open(&self, event: &Request) -> bool {
        let purpose = event.purpose.as_ref().map(|purpose| purpose.id.as_str());
        let any = |wanted: &[String], found: &[String]| {
            wanted.is_empty() || wanted.iter().any(|one| found.contains(one))
        };
        let roles = event
            .caller
            .as_ref()
            .map_or(&[][..], |caller| &caller.roles);
        let strengths = event.auth.as_ref().map_or(&[][..], |auth| &auth.strengths);
        any(&self.role, roles)
            && any(&self.strength, strengths)
            && is(&self.purpose, purpose)
            && is(&self.action, event.request.action.as_deref())
            && (self.module.is_empty() || self.module.iter().any(|one| touches(event, one)))
            && (self.policy.is_empty() || self.policy.iter().any(|one| is_policy(event, one)))
    }

    /// The same of a whole event.
    fn may_have_opened(&self, event: &Request) -> bool {
        self.is_of(event) && is(&self.id, Some(&event.id)) && self.may_open(event)
    }

    /// Whether something else that happened matches: of a request it says nothing.
    fn matches_notice(&self, id: &str) -> bool {
        self.asks_no_request() && is(&self.id, Some(id))
    }

    /// The ids that are asked for.
    pub(super) fn ids(&self) -> &[String] {
        &self.id
    }

    /// Whether nothing is asked that only a request answers.
    pub(super) fn asks_no_request(&self) -> bool {
        let of_request = Self {
            id: Vec::new(),
            since: None,
            until: None,
            ..self.clone()
        };
        of_request == Self::default()
    }
}

impl DataQuery {
    fn said(&self, event: &Request, policies: &Policies) -> Said {
        if *self == Self::default() || event.data.iter().any(|entry| self.suits_entry(entry)) {
            return Said::Yes;
        }
        if !self.text_kind.is_empty() {
            return Said::No;
        }
        let asked = &event.request;
        let lists = [
            (&asked.asked, None),
            (&asked.matched, Some(Usage::Matched)),
            (&asked.sorted, Some(Usage::Sorted)),
            (&asked.searched, Some(Usage::Searched)),
            (&asked.written, Some(Usage::Written)),
        ];
        let mut said = Said::No;
        for (names, usage) in lists {
            let is_asked =
                self.uses.is_empty() || usage.is_some_and(|one| self.uses.contains(&one));
            for name in names.iter().filter(|_| is_asked) {
                match self.said_of_name(event, name, policies) {
                    Said::Yes => return Said::Yes,
                    Said::Unknown => said = Said::Unknown,
                    Said::No => {}
                }
            }
        }
        said
    }

    /// Whether what became of data is asked for.
    fn suits_entry(&self, entry: &Entry) -> bool {
        let category = entry.category.as_deref().map(Category::new);
        let is_below = |wanted: &[Category]| {
            let found = category.as_ref();
            found.is_some_and(|found| wanted.iter().any(|one| one.covers(found)))
        };
        (self.category.is_empty() || is_below(&self.category))
            && (self.field.is_empty() || entry.fields.iter().any(|name| self.names(name)))
            && (self.level.is_empty() || self.level.contains(&entry.level) && is_met(entry))
            && (self.uses.is_empty() || self.uses.contains(&Usage::Shown) && is_shown(entry))
            && (self.text_kind.is_empty() || is_below(&self.text_kind) && entry.in_text > 0)
    }

    /// Whether a field that the request named is asked for. The level is that at which the request met it.
    fn said_of_name(&self, event: &Request, name: &str, policies: &Policies) -> Said {
        let is_at = |level: &Level| {
            let mut entries = event.data.iter();
            entries.any(|entry| entry.level == *level && entry.fields.iter().any(|one| one == name))
        };
        let is_so = (self.field.is_empty() || self.names(name))
            && (self.level.is_empty() || self.level.iter().any(is_at));
        if !is_so {
            return Said::No;
        }
        if self.category.is_empty() {
            return Said::Yes;
        }
        match policies.of(event) {
            Some(known) if self.category.iter().any(|one| known.is_of(name, one)) => Said::Yes,
            Some(_) => Said::No,
            None => Said::Unknown,
        }
    }

    /// Whether a field, `Contacts.iban_c`, is one of those that are asked for.
    fn names(&self, name: &str) -> bool {
        self.field.iter().any(|wanted| {
            let rest = name.strip_suffix(wanted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || !wanted.contains('.') && rest.ends_with('.'))
        })
    }
}

/// Whether data was met at the level of its entry. What is withheld may have been taken out of the request already.
fn is_met(entry: &Entry) -> bool {
    entry.level < Level::Token || is_shown(entry)
}

/// Whether data was shown, in whatever form.
pub(super) fn is_shown(entry: &Entry) -> bool {
    entry.level >= Level::Token && (entry.records > 0 || entry.in_text > 0)
}

/// Whether a filter is not given, or has what the event says among its values.
fn is(wanted: &[String], found: Option<&str>) -> bool {
    wanted.is_empty() || found.is_some_and(|found| wanted.iter().any(|one| one == found))
}

/// Whether an event has to do with a module.
fn touches(event: &Request, module: &str) -> bool {
    let begins = |found: &String, mark: char| {
        let rest = found.strip_prefix(module);
        rest.is_some_and(|rest| rest.starts_with(mark))
    };
    event.request.module.as_deref() == Some(module)
        || event
            .data
            .iter()
            .flat_map(|entry| &entry.fields)
            .any(|field| begins(field, '.'))
        || event.records.refs.iter().any(|record| begins(record, '/'))
}

/// Whether a policy decided, by its name, its hash, or the beginning of that.
fn is_policy(event: &Request, wanted: &str) -> bool {
    const DIGITS_MIN: usize = 8;
    let digits = |hash: &str| hash.strip_prefix("sha256:").unwrap_or(hash).to_owned();
    let short = digits(wanted);
    let hash = digits(&event.policy.hash);
    event.policy.name == wanted
        || short == hash
        || short.len() >= DIGITS_MIN && hash.starts_with(&short)
}

/// A network, as events name it, of an address or of itself.
fn network_of(word: &str) -> Option<String> {
    let address: Result<IpAddr, _> = word.parse();
    if let Ok(address) = address {
        return Some(network(address));
    }
    let (address, bits) = word.split_once('/')?;
    let network = network(address.parse().ok()?);
    network.ends_with(&format!("/{bits}")).then_some(network)
}
