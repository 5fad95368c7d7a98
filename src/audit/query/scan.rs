//! Looking through events one by one: the whole log where there is no index of it, else what came behind. What this finds is
//! the answer; an index only finds it sooner.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use super::super::chain::Line;
use super::super::events::Found;
use super::super::expand::Entry;
use super::super::format::Phase;
use super::super::format::full::Request;
use super::super::stretch::Stretch;
use super::super::upstreams::{Upstreams, Wanted};
use super::{Policies, Query, Said};

/// A result: read already, or to be read where it stands.
#[derive(Debug)]
pub(in crate::audit) enum Hit {
    /// Read.
    Whole(Box<Found>),
    /// In the segment that begins with an event, so many bytes behind its beginning; the number of the event.
    At(Place),
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audit) struct Place {
    /// The number of the first event of its segment.
    pub(in crate::audit) segment: u64,
    /// Where its line begins.
    pub(in crate::audit) offset: u64,
    /// Its number.
    pub(in crate::audit) seq: u64,
}

/// What is known while a log is looked through.
pub(in crate::audit) struct Looking<'q> {
    pub(in crate::audit) query: &'q Query,
    pub(in crate::audit) upstreams: &'q Upstreams,
    pub(in crate::audit) records: Vec<Wanted>,
    /// Requests of which an earlier event named a record that is asked for.
    pub(in crate::audit) named: HashSet<String>,
    pub(in crate::audit) policies: Policies,
    /// Requests that were opened, by id.
    pub(in crate::audit) unclosed: BTreeMap<String, (u64, Hit)>,
    pub(in crate::audit) stretch: Stretch,
    /// Values of filters that no event has had so far.
    pub(in crate::audit) unseen: Vec<(String, Query)>,
    /// Requests that would match if the categories of the fields that they named were known.
    pub(in crate::audit) untold: u64,
}

impl Looking<'_> {
    /// Whether an event names a record that is asked for, or none is.
    pub(in crate::audit) fn names_record(&self, event: &Request) -> bool {
        self.records.is_empty() || self.records.iter().any(|record| record.is_in(event))
    }

    /// Looks at an event; a result goes to `sink`. Events are to be looked at in their order.
    pub(super) fn look(
        &mut self,
        line: &Line,
        entry: Entry,
        sink: &mut dyn FnMut(u64, Hit) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let is_within = self.stretch.holds(line);
        let is_found = match &entry {
            Entry::Terms => false,
            Entry::Notice(notice) => {
                self.policies.load(notice);
                is_within && self.query.matches_notice(&line.id)
            }
            Entry::Request(event) => {
                self.policies.meet(&event.data);
                self.see(event);
                match event.phase {
                    Phase::Opened => {
                        if is_within && self.query.may_have_opened(event) {
                            let found = Box::new(Found::new(line, entry, self.upstreams));
                            let found = (line.seq, Hit::Whole(found));
                            self.unclosed.insert(line.id.clone(), found);
                        }
                        return ControlFlow::Continue(());
                    }
                    Phase::Continued => {
                        if !self.records.is_empty() && self.names_record(event) {
                            self.named.insert(line.id.clone());
                        }
                        false
                    }
                    Phase::Closed => {
                        self.unclosed.remove(&line.id);
                        let is_named = self.named.remove(&line.id) || self.names_record(event);
                        is_within && is_named && self.matches(event)
                    }
                }
            }
        };
        if !is_found {
            return ControlFlow::Continue(());
        }
        let found = Box::new(Found::new(line, entry, self.upstreams));
        sink(line.seq, Hit::Whole(found))
    }

    fn matches(&mut self, event: &Request) -> bool {
        let said = self.query.said(event, &self.policies);
        self.untold += u64::from(said == Said::Unknown);
        said == Said::Yes
    }

    /// Notes which values of filters there are.
    fn see(&mut self, event: &Request) {
        let policies = &self.policies;
        self.unseen
            .retain(|(_, query)| query.said(event, policies) != Said::Yes);
    }
}
