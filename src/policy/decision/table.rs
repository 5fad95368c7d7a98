//! The decision table of one (roles, purpose, strengths).

use std::fmt;
use std::sync::{Arc, OnceLock};

use dashmap::DashMap;

use crate::vocabulary::Module;

use super::super::Policy;
use super::super::language::model::Model;
use super::concern::Concern;
use super::engine::{Facts, Observing, Situation};
use super::judge::{Core, View};
use super::plan::RecordRules;
use super::rules::Rules;
use super::step_up::Lacking;

/// Situations whose table is kept; beyond, it is computed each time.
const TABLES_MAX: usize = 1024;

/// Modules, each in one situation, whose rules are worked out before anybody asks.
const FORESEEN_MAX: usize = 64;

/// The rules of all modules in one situation, each made when it is first asked for.
pub(in crate::policy) struct Table {
    view: Arc<View>,
    /// Known modules only, so that callers cannot fill it.
    modules: DashMap<Module, Arc<RecordRules>>,
    lacking: OnceLock<Option<Lacking>>,
    enforced: Option<Arc<Self>>,
}

impl Table {
    /// The table of a situation; where rules only observe, beside what it would be if none did.
    fn new(core: &Arc<Core>, situation: Situation, enforced: Option<Arc<Self>>) -> Self {
        let beside = enforced.as_ref().map(|enforced| enforced.view.clone());
        Self {
            view: Arc::new(View::beside(core.clone(), situation, beside)),
            enforced,
            modules: DashMap::new(),
            lacking: OnceLock::new(),
        }
    }

    /// Whether the policy knows a module.
    pub(in crate::policy) fn knows(&self, module: &Module) -> bool {
        self.view.core.model.classes.knows(module)
    }

    /// Whether exceptions may lift caps of the policy.
    pub(in crate::policy) fn has_exceptions(&self) -> bool {
        let mut caps = self.view.core.model.caps.iter();
        caps.any(|cap| !cap.exceptions.is_empty())
    }

    pub(in crate::policy) fn situation(&self) -> &Situation {
        &self.view.situation
    }

    /// The table, if no rule only observed; `None` if none does.
    pub(in crate::policy) fn enforced(&self) -> Option<&Arc<Self>> {
        self.enforced.as_ref()
    }

    /// The strength of authentication that would show more, as far as grants ask for it.
    pub(in crate::policy) fn lacking(&self, policy: &Policy) -> Option<&Lacking> {
        let lacking = || Lacking::of(policy, self.situation());
        self.lacking.get_or_init(lacking).as_ref()
    }

    pub(in crate::policy) fn records(&self, module: &Module) -> Arc<RecordRules> {
        if let Some(rules) = self.modules.get(module) {
            return rules.clone();
        }
        let rules = Arc::new(RecordRules {
            inner: Rules::new(self.view.clone(), module),
        });
        if self.knows(module) {
            self.modules.insert(module.clone(), rules.clone());
        }
        rules
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("situation", &self.view.situation)
            .finish_non_exhaustive()
    }
}

/// The tables that were met.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Tables {
    core: Arc<Core>,
    met: Arc<DashMap<Situation, Arc<Table>>>,
    /// Known modules only.
    concerns: Arc<DashMap<Module, Arc<Concern>>>,
}

impl Tables {
    pub(in crate::policy) fn new(core: Arc<Core>) -> Self {
        Self {
            core,
            met: Arc::default(),
            concerns: Arc::default(),
        }
    }

    /// The policy.
    pub(in crate::policy) fn model(&self) -> &Model {
        &self.core.model
    }

    /// Works out what requests will most likely ask for, from what they have asked of others; not all of it, where that is
    /// much.
    pub(in crate::policy) fn foresee(&self, others: &Self) {
        let model = &self.core.model;
        let is_known = |situation: &Situation| {
            let mut roles = situation.roles.iter();
            let mut purpose = situation.purpose.iter();
            roles.all(|role| model.roles.contains_key(role))
                && purpose.all(|purpose| model.purposes.contains_key(purpose))
        };
        // Requests go on to use the others: nothing of theirs is held while rules are worked out.
        let met = others.met.iter().filter(|met| is_known(met.key()));
        let met: Vec<_> = met
            .map(|met| (met.key().clone(), met.value().clone()))
            .collect();
        let mut left = FORESEEN_MAX;
        for (situation, known) in met {
            let modules = known.modules.iter().take(left);
            let modules: Vec<_> = modules.map(|module| module.key().clone()).collect();
            left -= modules.len();
            let table = self.of(situation);
            for module in &modules {
                table.records(module);
            }
            if left == 0 {
                return;
            }
        }
    }

    /// What conditions of rules have to do with a module's records.
    pub(in crate::policy) fn concern(&self, module: &Module) -> Arc<Concern> {
        if let Some(concern) = self.concerns.get(module) {
            return concern.clone();
        }
        let concern = Arc::new(Concern::of(&self.of(Situation::default()).view, module));
        if self.core.model.classes.knows(module) {
            self.concerns.insert(module.clone(), concern.clone());
        }
        concern
    }

    /// The table of a situation.
    pub(in crate::policy) fn of(&self, situation: Situation) -> Arc<Table> {
        if let Some(table) = self.met.get(&situation) {
            return table.clone();
        }
        let enforced = matches!(situation.observing, Observing::On { .. }).then(|| {
            self.of(Situation {
                observing: Observing::Enforced,
                ..situation.clone()
            })
        });
        let table = Arc::new(Table::new(&self.core, situation.clone(), enforced));
        if self.met.len() >= TABLES_MAX && matches!(situation.observing, Observing::On { .. }) {
            // Days pass: what was so on another one is not asked for any more.
            let lasts = [situation.observing, Observing::Enforced];
            self.met.retain(|known, _| lasts.contains(&known.observing));
        }
        if self.met.len() >= TABLES_MAX {
            // What records are like changes from one to the next: those that are met again are worked out again.
            self.met
                .retain(|known, _| !matches!(known.facts, Facts::Known(_)));
        }
        if self.met.len() < TABLES_MAX {
            self.met.insert(situation, table.clone());
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;
    use crate::policy::testing::{SAMPLE, compile};
    use crate::vocabulary::Role;

    fn on(day: i8, role: usize) -> Situation {
        Situation {
            roles: BTreeSet::from([Role::new(&format!("r{role}"))]),
            observing: Observing::On {
                passed: Some(date(2030, 1, day)),
                whole: false,
            },
            ..Situation::default()
        }
    }

    #[test]
    fn tables_of_days_that_have_passed_make_room() {
        let tables = Tables::new(compile(&[SAMPLE]).core.clone());
        for role in 0..TABLES_MAX {
            tables.of(on(1, role));
        }
        assert_eq!(tables.met.len(), TABLES_MAX);
        assert!(!tables.met.contains_key(&on(1, TABLES_MAX - 1)), "full");
        tables.of(on(2, 0));
        assert!(tables.met.contains_key(&on(2, 0)));
        assert!(!tables.met.contains_key(&on(1, 0)));
    }

    #[test]
    fn tables_of_what_records_were_like_make_room() {
        let tables = Tables::new(compile(&[SAMPLE]).core.clone());
        let like = |bits: usize| Situation {
            facts: Facts::Known(bits as u64),
            ..Situation::default()
        };
        let lasting = Situation::default();
        tables.of(lasting.clone());
        for bits in 0..3 * TABLES_MAX {
            tables.of(like(bits));
            assert!(tables.met.contains_key(&like(bits)), "{bits}");
        }
        assert!(tables.met.len() <= TABLES_MAX);
        assert!(tables.met.contains_key(&lasting));
    }
}
