//! The accounts that somebody may mean: by an id, or by a name that more than one may have borne.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::visible;
use crate::report::pass::Event;
use crate::report::{Asked, Report};

use crate::report::kinds::account;

/// Accounts that may bear the name that was asked for, and those of them that are told.
const IDS_MAX: usize = 100_000;
const TOLD_MAX: usize = 100;
/// Names of one account that are remembered.
const NAMES_MAX: usize = 50;

#[derive(Debug)]
pub(super) struct Suspects {
    pub(super) wanted: String,
    /// The accounts that have the id or bore the name that was asked for, at whatever time, with all names that they bore.
    ids: BTreeMap<String, BTreeSet<String>>,
    /// Whether there were more of them than there is room for.
    pub(super) is_cut: bool,
    /// Those of them that have a request in the period.
    met: BTreeSet<String>,
}

impl Suspects {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            wanted: asked.caller.clone().unwrap_or_default(),
            ids: BTreeMap::new(),
            is_cut: false,
            met: BTreeSet::new(),
        }
    }

    /// Learns whom an id or a name may mean.
    pub(super) fn learn(&mut self, event: Event<'_>) {
        let id = account::id(event).filter(|_| account::is(event, &self.wanted));
        if let Some(id) = id.filter(|id| !self.ids.contains_key(id)) {
            match self.ids.len() < IDS_MAX {
                true => _ = self.ids.insert(id, BTreeSet::new()),
                false => self.is_cut = true,
            }
        }
    }

    /// Whether a request is of an account that is asked for, under whichever name it came.
    pub(super) fn has(&self, event: Event<'_>) -> bool {
        account::id(event).is_some_and(|id| self.ids.contains_key(&id))
    }

    /// Takes note that a request of one of them counts.
    pub(super) fn meet(&mut self, event: Event<'_>) {
        self.met.extend(account::id(event));
    }

    /// Learns how an account that is asked for was called.
    pub(super) fn call(&mut self, event: Event<'_>) {
        let names = account::id(event).and_then(|id| self.ids.get_mut(&id));
        if let (Some(names), Some((_, name))) = (names, event.seen.caller())
            && names.len() < NAMES_MAX
            && !names.contains(name)
        {
            names.insert(name.to_owned());
        }
    }

    fn names(&self, id: &str) -> usize {
        self.ids.get(id).map_or(0, BTreeSet::len)
    }

    /// An id with the names of its account.
    fn called(&self, id: &str) -> String {
        let names = self.ids.get(id).into_iter().flatten();
        let names: Vec<String> = names.map(|name| visible(name)).collect();
        format!("{} ({})", visible(id), names.join(", "))
    }

    /// Says whom the numbers are about.
    pub(super) fn find(&self, report: &mut Report) {
        let language = report.language;
        if self.met.is_empty() {
            let name = visible(&self.wanted);
            report.findings.push(language.of(
                format!("No request of an account with the id or name {name} lies in the period. Is it written as the CRM writes it?"),
                format!("Aucune requête d’un compte d’identifiant ou de nom {name} dans la période. Est-il écrit comme dans le CRM ?"),
            ));
        }
        let told: Vec<String> = self
            .met
            .iter()
            .take(TOLD_MAX)
            .map(|id| self.called(id))
            .collect();
        if self.met.len() > 1 {
            let ids = told.join("; ");
            report.findings.push(language.of(
                format!("Several accounts have this id or bore this name: {ids}. They are counted together; ask by id to tell them apart."),
                format!("Plusieurs comptes ont cet identifiant ou ont porté ce nom : {ids}. Ils sont comptés ensemble ; demandez par identifiant pour les distinguer."),
            ));
        } else if let Some(id) = self.met.iter().find(|id| self.names(id) > 1) {
            let called = self.called(id);
            report.findings.push(language.of(
                format!("The account was called differently in this log: {called}. All its requests count, whatever it was called."),
                format!("Le compte a porté plusieurs noms dans ce journal : {called}. Toutes ses requêtes comptent, sous quelque nom que ce soit."),
            ));
        }
        if self.is_cut {
            report.findings.push(language.of(
                "More accounts bore this name than are remembered: not all of them are counted. Ask by id.",
                "Plus de comptes ont porté ce nom qu’il n’en est retenu : tous ne sont pas comptés. Demandez par identifiant.",
            ).to_owned());
        }
    }
}
