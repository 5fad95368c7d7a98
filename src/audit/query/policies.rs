//! What a log tells of the policies that were in force.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::CATALOGUE;
use crate::vocabulary::Category;

use super::super::classified::Classified;
use super::super::format::full::{self, Request};
use super::super::format::notice::Notice;
use super::Query;
use super::keys::unknown;

/// What the log tells of the policies that were in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::audit) struct Policies {
    /// By hash.
    classified: BTreeMap<String, Classified>,
    /// Categories of data that was met, and of fields.
    categories: BTreeSet<Category>,
    /// Whether there is a policy of which nobody knows the categories.
    is_partial: bool,
}

impl Policies {
    /// Learns from the data that a request met.
    pub(in crate::audit) fn meet(&mut self, data: &[full::Entry]) {
        for category in data.iter().filter_map(|entry| entry.category.as_deref()) {
            if !self.categories.contains(category) {
                self.categories.insert(Category::new(category));
            }
        }
    }

    /// Learns from something else that happened. Says whether it tells the categories of a policy that were not known before.
    pub(in crate::audit) fn load(&mut self, notice: &Notice) -> bool {
        let Notice::PolicyLoaded {
            classified, hash, ..
        } = notice
        else {
            return false;
        };
        let Some(classes) = classified else {
            self.is_partial = true;
            return false;
        };
        let classified = Classified::read(classes);
        self.categories.extend(classified.categories().cloned());
        // The same policy may come into force again, in another schema: its requests may be of either time.
        let is_new = !self.classified.contains_key(hash);
        let known = self.classified.entry(hash.clone()).or_default();
        let before = known.clone();
        known.add_all(classified);
        is_new || before != *known
    }

    /// The categories of fields under the policy of a request.
    pub(super) fn of(&self, event: &Request) -> Option<&Classified> {
        self.classified.get(&event.policy.hash)
    }

    /// That no policy of the log can have a category, and which one may be meant.
    pub(super) fn unheard_of(&self, query: &Query) -> Option<String> {
        if self.is_partial || self.classified.is_empty() {
            return None;
        }
        let built_in = CATALOGUE.iter().map(|one| Category::new(one.name));
        let known: BTreeSet<Category> = self.categories.iter().cloned().chain(built_in).collect();
        let is_heard_of = |wanted: &&Category| known.iter().any(|one| wanted.covers(one));
        let wanted = query.data.category.iter().find(|one| !is_heard_of(one))?;
        let whole = known.iter().map(Category::as_str);
        let above = whole
            .clone()
            .filter_map(|name| Some(name.split_once('.')?.0));
        let names: BTreeSet<&str> = whole.chain(above).collect();
        let names: Vec<&str> = names.into_iter().collect();
        Some(unknown("category", wanted.as_str(), &names))
    }
}
